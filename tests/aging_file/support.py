"""Importing a list into a store, as a test does it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ar_connectors.aging_file.connector import AgingFileConnector
from ar_connectors.aging_file.settings import read_settings
from ar_connectors.store import Store, open_store
from ar_connectors.syncing import SyncReport, sync
from ar_connectors.testkit.clock import ScriptedClock
from ar_core.model import Snapshot
from ar_core.model.money import exact

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
TENANT = "acme"
CONNECTION = f"aging_file:{TENANT}"


def new_store(folder: Path) -> Store:
    store = open_store(f"sqlite:///{folder}/ar.db", clock=ScriptedClock(NOW))
    store.add_connection(CONNECTION, "aging_file", TENANT, {})
    return store


def connector(file: Path, **settings: Any) -> AgingFileConnector:
    return AgingFileConnector(TENANT, read_settings({"file": str(file), **settings}, TENANT))


def bring_in(store: Store, file: Path, **settings: Any) -> SyncReport:
    """Import a file; raises what is wrong with it."""
    return sync(connector(file, **settings), store, owner="test", clock=ScriptedClock(NOW))


def balances(snapshot: Snapshot) -> dict[tuple[str, str | None], Decimal]:
    """Open balance by customer number (or name) and currency, zero left out."""
    names = {one.id: one.number or one.name for one in snapshot.customers}
    found: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    with exact():
        for invoice in snapshot.invoices:
            found[names[invoice.customer_id or ""], invoice.currency] += invoice.balance_due
        for credit in snapshot.credit_notes:
            found[names[credit.customer_id or ""], credit.currency] -= credit.unapplied_amount
        for payment in snapshot.payments:
            found[names[payment.customer_id or ""], payment.currency] -= payment.unapplied_amount or 0
        for adjustment in snapshot.adjustments:
            found[names[adjustment.customer_id or ""], adjustment.currency] += adjustment.open_amount or 0
    return {place: amount for place, amount in found.items() if amount}
