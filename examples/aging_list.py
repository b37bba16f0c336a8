"""From an exported aging list to a worklist: no ERP, no account, no network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import ar_connectors as ar
import ar_core

store = ar.open_store("sqlite://")  # name a file to keep it: the next list then updates this one
settings = {"file": str(Path(__file__).parent / "data" / "aging.csv")}
conn = ar.connect("aging_file", tenant="northwind", store=store, settings=settings)
ar.sync(conn, store)

# A list does not say what a customer is worth; without `profile import` the careful presets leave everybody to a human.
policy = {"id": "lists", "extends": "balanced@1", "tiers": {"value": {"unknown": "core"}}}
as_of = ar_core.AsOf(instant=datetime(2026, 11, 20, 9, tzinfo=UTC), zone="Europe/Berlin")
evaluation = ar_core.evaluate(store.snapshot(conn.id), ar_core.load_policy(policy), as_of)

for entry in evaluation.worklist:
    action = evaluation.by_key[entry.action_key]
    print(f"{entry.rank:2} {entry.customer_id.rpartition(':')[2]} {action.stage or '-':18} {action.code}")
