"""From the bytes of an ERP to a database and back: no digit of money changes on the way, whatever the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.connector import Page
from ar_connectors.errors import ARError
from ar_connectors.store import Store
from tests.store.test_pages import held

AMOUNTS = ["123456789012345678901234567.891", "12345678901234567.89", "275", "275.0", "0.10", "1E+3"]
WIRE = {
    "quickbooks": ("invoice", '{{"Invoice":{{"Id":"1","SyncToken":"0","TotalAmt":{0},"Balance":{0}}}}}'),
    "xero": (
        "invoice",
        '{{"Invoices":[{{"Type":"ACCREC","InvoiceID":"6f0c1d7e-0000-4000-8000-000000000001","Total":{0},"AmountDue":{0}}}]}}',
    ),
}
"""Bodies with a place for an amount, the same twice."""


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("platform", WIRE)
def test_an_amount_keeps_every_digit_from_the_wire_through_the_database(
    store: Store, platform: str, amount: str
) -> None:
    kind, body = WIRE[platform]
    page = ar.decode(platform, kind, body.format(amount).encode(), tenant="acme")
    assert isinstance(page, Page)
    assert page.rejected == []
    store.commit_page(f"{platform}:acme", page, held(store))
    (invoice,) = store.snapshot(f"{platform}:acme").invoices
    assert (str(invoice.total), str(invoice.balance_due)) == (amount, amount)


def published(shared_dir: Path, platform: str) -> Iterator[tuple[str, str, Page]]:
    """File, a company of its own, and page of every published body of an ERP: bodies of different companies share ids."""
    rows = json.loads((shared_dir / "payloads" / "INDEX.json").read_text(encoding="utf-8"))
    for number, row in enumerate(rows):
        if row["system"] != platform:
            continue
        body = (shared_dir / "payloads" / row["file"]).read_bytes()
        try:
            page = ar.decode(platform, row["kind"], body, tenant=f"acme-{number}")
        except ARError:
            continue  # faults, and kinds beyond receivables; what becomes of them is tested with each ERP
        if isinstance(page, Page) and page.records:
            yield row["file"], f"{platform}:acme-{number}", page


def money(record: Any) -> dict[str, str]:
    """Every amount of a record, lines included, as its text."""
    found = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Decimal):
            found[name] = str(value)
    for place, line in enumerate(getattr(record, "lines", ()) or ()):
        found |= {f"line {place} {name}": text for name, text in money(line).items()}
    return found


@pytest.mark.parametrize(("platform", "amounts"), [("quickbooks", 500), ("xero", 150), ("netsuite", 10)])
def test_published_bodies_come_back_from_the_database_to_the_digit(
    store: Store, platform: str, amounts: int, shared_dir: Path
) -> None:
    """At least so many amounts: of NetSuite few bodies with any are published."""
    compared, lease = 0, held(store)
    for file, connection, page in published(shared_dir, platform):
        store.commit_page(connection, page, lease)
        ids = {one.id: one for one in page.records}
        for back in store.view(connection).records(list(ids)).values():
            assert money(back) == money(ids[back.id]), file
            compared += len(money(back))
    assert compared >= amounts
