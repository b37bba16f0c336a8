"""Rows as QuickBooks writes them, and what the mapping made of them, for its tests."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from ar_connectors.connector import Page
from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.decode import decode
from ar_core import model

__all__ = ["ID", "TENANT", "allocations", "link", "page", "payment", "rid"]

TENANT = "9341"
ID = UUID("6f0c1d7e-0000-4000-8000-000000000001")


def rid(kind: str, remote_id: str) -> str:
    return f"quickbooks:{TENANT}:{kind}:{remote_id}"


def page(kind: str, *rows: dict[str, Any], context: Context | None = None) -> Page:
    found = decode(kind, json.dumps(rows).encode(), TENANT, context)
    assert isinstance(found, Page)
    return found


def link(kind: str, remote_id: str, amount: str) -> dict[str, Any]:
    """A payment line; amounts as text, which QuickBooks' decimals are read from as well."""
    return {"Amount": amount, "LinkedTxn": [{"TxnId": remote_id, "TxnType": kind}]}


def payment(total: str, unapplied: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Id": "163",
        "SyncToken": "1",
        "TotalAmt": total,
        "UnappliedAmt": unapplied,
        "TxnDate": "2026-11-20",
        "CustomerRef": {"value": "7"},
        "Line": list(lines),
        **more,
    }


def allocations(found: Page) -> list[tuple[str, str, str]]:
    """Source, target and amount of each allocation, as `payment 163`."""
    return [
        (" ".join(one.source_id.split(":")[-2:]), " ".join(one.target_id.split(":")[-2:]), str(one.amount))
        for one in found.records
        if isinstance(one, model.Allocation)
    ]
