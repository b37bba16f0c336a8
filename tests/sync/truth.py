"""Does the store hold what the company on paper holds?"""

from __future__ import annotations

from typing import Any

from ar_connectors.store import Store
from ar_core.model import Customer
from tests.sync.paper import PLATFORM, TENANT, PaperErp


def stored(store: Store) -> dict[str, tuple[str, str]]:
    """Live records of the tables: id -> (version, balance or name)."""
    snapshot = store.snapshot(f"{PLATFORM}:{TENANT}")
    tables = (snapshot.customers, snapshot.invoices, snapshot.credit_notes, snapshot.payments)
    return {
        record.id: (str(record.source.version), _fact(record))
        for table in tables
        for record in table
        if record.source
    }


def _fact(record: Any) -> str:
    if isinstance(record, Customer):
        return record.name
    return str(
        getattr(record, "balance_due", None) if hasattr(record, "balance_due") else record.unapplied_amount
    )


def assert_complete(store: Store, erp: PaperErp) -> None:
    """The store equals the truth, allocations included."""
    truth = erp.truth()
    assert stored(store) == truth
    paid = {
        (identity, f"{PLATFORM}:{TENANT}:invoice:{row['invoice']}") for identity, row in _payments(erp, truth)
    }
    snapshot = store.snapshot(f"{PLATFORM}:{TENANT}")
    assert {(one.source_id, one.target_id) for one in snapshot.allocations} == paid


def _payments(erp: PaperErp, truth: dict[str, tuple[str, str]]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for (kind, number), row in erp.rows.items():
        identity = f"{PLATFORM}:{TENANT}:{kind}:{number}"
        if kind == "payment" and identity in truth:
            found.append((identity, row))
    return found
