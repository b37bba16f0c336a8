"""E28 through the store: on any book, what was recorded under its key never fires again, on that day or a later one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import ar_connectors as ar
import ar_core as core
from ar_connectors.connector import Page
from ar_core.cadence import PRESETS
from tests.cadence import books as b
from tests.cadence.test_properties import TIERS, records

CONNECTION = "quickbooks:1"
IN_STORE = (core.Customer, core.Contact, core.Invoice, core.Payment)
"""What an ERP holds; the rest is recorded as commands or not at all."""


def stored(store: ar.Store, found: list[Any]) -> None:
    """Put the generated records into the store, as a sync would."""
    snapshot = b.book(*[r for r in found if isinstance(r, IN_STORE)])
    lease = store.acquire_lease("test", "test", timedelta(minutes=5))
    assert lease is not None
    rows: list[Any] = [*snapshot.customers, *snapshot.contacts, *snapshot.invoices, *snapshot.payments]
    store.commit_page(CONNECTION, Page(records=rows), lease)


@settings(max_examples=12)
@given(records(), st.sampled_from(PRESETS), st.lists(st.integers(0, 9), min_size=2, max_size=4))
def test_no_recorded_key_ever_comes_back(found: list[Any], preset: str, steps: list[int]) -> None:
    policy = b.policy_of(preset)
    with TemporaryDirectory() as folder, ar.open_store(f"sqlite:///{Path(folder)}/ar.db") as store:
        store.add_connection(CONNECTION, "quickbooks", "1", {"time_zone": b.ZONE})
        stored(store, found)
        seen: set[str] = set()
        for days in range(0, sum(steps) + 1, max(1, sum(steps) // 3)):
            moment = b.as_of(b.TODAY + timedelta(days=days), hour=10)
            evaluation = core.evaluate(store.snapshot(CONNECTION), policy, moment, tiers=TIERS)
            keys = {action.key for action in evaluation.actions}
            assert not keys & seen
            commands = [action.record(moment.instant) for action in evaluation.actions]
            ar.record(store, commands, connection_id=CONNECTION)
            again = core.evaluate(store.snapshot(CONNECTION), policy, moment, tiers=TIERS)
            assert not {action.key for action in again.actions} & keys
            seen |= keys
