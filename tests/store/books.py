"""Small records for store tests, built in few words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import ar_core as core
from ar_connectors.connector import Cursor, Page

CONNECTION = "quickbooks:9341"


def rid(kind: str, remote: str) -> str:
    return core.record_id("quickbooks", "9341", kind, remote)


def source(kind: str, remote: str, version: str = "0", at: int = 1) -> core.Source:
    updated = datetime(2026, 11, 1, 0, 0, at % 60, tzinfo=UTC)
    return core.Source(
        platform="quickbooks", tenant="9341", kind=kind, remote_id=remote, version=version, updated_at=updated
    )


def invoice(remote: str = "1", version: str = "0", **changes: Any) -> core.Invoice:
    fields: dict[str, Any] = {
        "id": rid("invoice", remote),
        "source": source("Invoice", remote, version, int(version) if version.isdecimal() else 1),
        "number": f"N{remote}",
        "customer_id": rid("customer", "7"),
        "currency": "USD",
        "due_date": date(2026, 11, 30),
        "total": Decimal("100.00"),
        "balance_due": Decimal("100.00"),
        "document_status": core.DocumentStatus.POSTED,
    }
    return core.Invoice(**{**fields, **changes})


def customer(remote: str = "7", **changes: Any) -> core.Customer:
    fields: dict[str, Any] = {
        "id": rid("customer", remote),
        "source": source("Customer", remote),
        "name": f"Customer {remote}",
    }
    return core.Customer(**{**fields, **changes})


def payment(remote: str = "9", **changes: Any) -> core.Payment:
    fields: dict[str, Any] = {
        "id": rid("payment", remote),
        "source": source("Payment", remote),
        "customer_id": rid("customer", "7"),
        "currency": "USD",
        "total": Decimal("100.00"),
        "unapplied_amount": Decimal("0.00"),
        "document_status": core.DocumentStatus.POSTED,
    }
    return core.Payment(**{**fields, **changes})


def allocation(
    parent: str = "9", target: str = "1", ordinal: int = 0, amount: str = "100.00"
) -> core.Allocation:
    parent_id, target_id = rid("payment", parent), rid("invoice", target)
    return core.Allocation(
        id=core.allocation_id(parent_id, target_id, ordinal),
        parent_id=parent_id,
        source=source("Payment", parent),
        source_id=parent_id,
        target_id=target_id,
        amount=Decimal(amount),
        currency="USD",
        target_amount=Decimal(amount),
        target_currency="USD",
    )


def tombstone(kind: str, remote: str, record_kind: core.RecordKind) -> core.Tombstone:
    return core.Tombstone(
        id=rid(record_kind.value, remote),
        kind=record_kind,
        source=source(kind, remote),
        evidence=core.DeletionEvidence.REPORTED_DELETED,
    )


def page(*records: Any, **fields: Any) -> Page:
    return Page(records=records, rows=len(records), **{"stream": "invoice", **fields})


def cursor(**state: Any) -> Cursor:
    return Cursor("invoice", state)
