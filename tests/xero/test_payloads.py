"""Does every real body in the shared folder decode as promised? Needs AR_SHARED_DIR; skipped aloud without it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ar_connectors import api, errors
from ar_connectors.connector import Page
from ar_connectors.xero.decode import ID_OF, KINDS, decode
from ar_core import model

TENANT = "aef86862-2015-4b6b-88bc-d89032cecc50"
ERRORS = {
    "error-docketworks-1": errors.RejectedError,
    "error-docketworks-2": errors.DuplicateError,
    "error-xeroapi-1": errors.DuplicateError,
    "error-xeroapi-2": errors.DuplicateError,
    "error-xeroapi-3": errors.RejectedError,
    "error-xeroapi-4": errors.RejectedError,
    "error-xeroapi-5": errors.NotFoundError,
    "error-xeroapi-6": errors.NotFoundError,
    "error-xeroapi-7": errors.NotFoundError,
    "error-xeroizer-1": errors.RejectedError,
    "error-xeroizer-2": errors.DuplicateError,
    "error-xeroizer-3": errors.NotFoundError,
    "error-xeroizer-4": errors.PermissionDenied,
    "error-xeroizer-5": errors.AuthError,
    "error-xeroizer-6": errors.AuthError,
}
MONEY = {
    "Total": "total",
    "SubTotal": "subtotal",
    "TotalTax": "tax_total",
    "AmountDue": "balance_due",
    "AmountPaid": "amount_paid",
    "AmountCredited": "amount_credited",
    "RemainingCredit": "unapplied_amount",
    "CurrencyRate": "source_rate",
}
PAYABLE = ("ACCPAY", "SPEND-", "AP")


@pytest.fixture(scope="module")
def index(shared_dir: Path) -> list[dict[str, Any]]:
    rows = json.loads((shared_dir / "payloads" / "INDEX.json").read_text(encoding="utf-8"))
    return [row for row in rows if row["system"] == "xero"]


@pytest.fixture(scope="module")
def bodies(shared_dir: Path, index: list[dict[str, Any]]) -> dict[str, bytes]:
    return {row["file"]: (shared_dir / "payloads" / row["file"]).read_bytes() for row in index}


def pages(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> Iterator[tuple[dict[str, Any], Page]]:
    for row in index:
        if row["kind"] in KINDS:
            page = decode(row["kind"], bodies[row["file"]], TENANT)
            assert isinstance(page, Page)
            yield row, page


def rows_of(body: bytes, collection: str) -> list[dict[str, Any]]:
    """The rows of a body with each number as its own text."""
    document = json.loads(body, parse_float=str, parse_int=str)
    found = document.get(collection, []) if isinstance(document, dict) else document
    return found if isinstance(found, list) else []


def test_every_row_is_in_exactly_one_place_and_none_is_rejected(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    seen = 0
    for row, page in pages(index, bodies):
        others: list[Any] = [*page.rejected, *page.out_of_scope]
        assert len(page.row_of) == len(page.records), row["file"]
        assert len(set(page.row_of)) + len(page.tombstones) + len(others) == page.rows, row["file"]
        assert not set(page.row_of) & {one.row for one in others}, row["file"]
        assert not page.rejected, (row["file"], page.rejected)
        seen += page.rows
    assert seen > 60


def test_receivables_become_records_and_payables_are_out_of_scope(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    types: dict[str, type] = {
        "invoice": model.Invoice,
        "creditnote": model.CreditNote,
        "payment": model.Payment,
        "prepayment": model.Payment,
        "overpayment": model.Payment,
        "contact": model.Customer,
    }
    for row, page in pages(index, bodies):
        if row["kind"] not in types:
            continue
        raw = rows_of(bodies[row["file"]], KINDS[row["kind"]])
        ours = [
            one for one in raw if not str(one.get("Type") or one.get("PaymentType") or "").startswith(PAYABLE)
        ]
        assert len([one for one in page.records if isinstance(one, types[row["kind"]])]) == len(ours), row[
            "file"
        ]
        if raw:
            assert len(page.out_of_scope) == len(raw) - len(ours), row["file"]


LINES = {
    "LineAmount": "amount",
    "UnitAmount": "unit_price",
    "TaxAmount": "tax_amount",
    "Quantity": "quantity",
}


def test_no_digit_of_money_changes(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    compared = 0
    for row, page in pages(index, bodies):
        collection = KINDS[row["kind"]]
        raw = {one.get(ID_OF.get(collection, "")): one for one in rows_of(bodies[row["file"]], collection)}
        for record in page.records:
            if not isinstance(record, model.Invoice | model.CreditNote | model.Payment):
                continue
            assert record.source is not None
            body = raw[record.source.remote_id]
            again = type(record).model_validate_json(record.model_dump_json())
            for name, attribute in MONEY.items():
                if name in body and hasattr(record, attribute):
                    assert str(getattr(record, attribute)) == body[name] == str(getattr(again, attribute))
                    compared += 1
            for line, wire in zip(getattr(record, "lines", ()), body.get("LineItems", []), strict=False):
                for name, attribute in LINES.items():
                    if name in wire:
                        assert str(getattr(line, attribute)) == wire[name], row["file"]
                        compared += 1
    assert compared > 130


@pytest.mark.parametrize(
    "zone", ["Pacific/Auckland", "Australia/Sydney", "Europe/London", "America/Los_Angeles", "UTC"]
)
def test_no_date_is_a_day_off_wherever_it_is_read(
    zone: str, index: list[dict[str, Any]], bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        compared = 0
        for row, page in pages(index, bodies):
            if row["kind"] != "invoice":
                continue
            raw = {one["InvoiceID"]: one for one in rows_of(bodies[row["file"]], "Invoices")}
            for record in page.records:
                assert isinstance(record, model.Invoice)
                assert record.source is not None
                body = raw[record.source.remote_id]
                for twin, day in (("DateString", record.issue_date), ("DueDateString", record.due_date)):
                    if body.get(twin):
                        assert day is not None
                        assert day.isoformat() == body[twin][:10]
                        compared += 1
        assert compared >= 15
    finally:
        monkeypatch.delenv("TZ")
        os.environ.pop("TZ", None)
        time.tzset()


def test_records_equal_what_full_validation_makes_of_them(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    for row, page in pages(index, bodies):
        for record in page.records:
            assert type(record).model_validate_json(record.model_dump_json()) == record, row["file"]
            assert list(record.__dict__) == list(type(record).model_fields), row["file"]


def test_invoices_add_up(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    checked = 0
    for row, page in pages(index, bodies):
        for record in page.records:
            if (
                isinstance(record, model.Invoice)
                and row["origin"] == "recorded"
                and record.amount_credited is not None
            ):
                parts = (
                    record.balance_due,
                    record.amount_paid,
                    record.amount_credited,
                    record.withheld_amount,
                )
                assert sum((one for one in parts if one is not None), Decimal(0)) == record.total
                checked += 1
    assert checked


def test_each_error_raises_its_class(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    seen = set()
    for row in index:
        if row["kind"] == "error":
            name = Path(row["file"]).stem
            with pytest.raises(errors.ARError) as caught:
                api.decode("xero", "error", bodies[row["file"]], tenant=TENANT)
            assert type(caught.value) is ERRORS[name], name
            assert caught.value.tenant == TENANT
            seen.add(name)
    assert seen == set(ERRORS)


def test_webhooks_parse(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    events = [
        one
        for row in index
        if row["kind"] == "webhook"
        for one in api.decode("xero", "webhook", bodies[row["file"]], tenant=TENANT)  # type: ignore[union-attr]
    ]
    assert {one.entity for one in events} >= {"CREDITNOTE", "CONTACT"}
    assert all(
        one.kind is not None and one.verb != "unknown" and one.occurred_at is not None for one in events
    )


def test_kinds_outside_receivables_are_refused_with_advice(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    foreign = [row for row in index if row["kind"] not in {*KINDS, "error", "webhook"}]
    assert {row["kind"] for row in foreign} >= {
        "account",
        "quote",
        "report",
        "banktransaction",
        "contactgroup",
    }
    for row in foreign:
        with pytest.raises(errors.UnsupportedOperation, match="invoice"):
            api.decode("xero", row["kind"], bodies[row["file"]], tenant=TENANT)
