"""Does every real body in the shared folder decode as promised? Needs AR_SHARED_DIR; skipped aloud without it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ar_connectors import errors
from ar_connectors.connector import Page
from ar_connectors.quickbooks.decode import KINDS, decode
from ar_connectors.quickbooks.webhooks import WebhookEvent
from ar_core import model

TENANT = "9341453123456789"

REJECTED_WITH_REASON = {
    "quickbooks/batch-intuitjava-1.json": "one item of the batch is a fault (code 500)",
    "quickbooks/batch-minimul-1.json": "two items of the batch are faults (610, 5010)",
    "quickbooks/customer-intuitjava-1.json": "a fault stands beside the customer in one QueryResponse",
}
FAULTS = {
    "fault-minimul-1": errors.RejectedError,
    "fault-minimul-2": errors.RejectedError,
    "fault-minimul-3": errors.RejectedError,
    "fault-minimul-4": errors.AuthError,
    "fault-minimul-5": errors.UnsupportedOperation,
    "fault-minimul-6": errors.RejectedError,
    "fault-minimul-7": errors.DuplicateError,
}
VOIDED = {
    "invoice-intuitdocs-1.json": {"129"},
    "invoice-minimul-4.json": {"264"},
    "invoice-nytely-1.json": {"129"},
    "payment-intuitdocs-2.json": {"33"},
}
MONEY = {
    "TotalAmt": "total",
    "Balance": "balance_due",
    "UnappliedAmt": "unapplied_amount",
    "Deposit": "deposit_amount",
    "RemainingCredit": "unapplied_amount",
    "ExchangeRate": "source_rate",
}


@pytest.fixture(scope="module")
def index(shared_dir: Path) -> list[dict[str, Any]]:
    rows = json.loads((shared_dir / "payloads" / "INDEX.json").read_text(encoding="utf-8"))
    return [row for row in rows if row["system"] == "quickbooks"]


@pytest.fixture(scope="module")
def bodies(shared_dir: Path, index: list[dict[str, Any]]) -> dict[str, bytes]:
    return {row["file"]: (shared_dir / "payloads" / row["file"]).read_bytes() for row in index}


def pages(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> Iterator[tuple[dict[str, Any], Page]]:
    for row in index:
        if row["kind"] in KINDS:
            page = decode(row["kind"], bodies[row["file"]], TENANT)
            assert isinstance(page, Page)
            yield row, page


def entities(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a body that has an Id and is no sub-object of another one that has."""
    if isinstance(value, dict):
        if "Id" in value and ("SyncToken" in value or "DisplayName" in value):
            yield value
        else:
            for inner in value.values():
                yield from entities(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from entities(inner)


def exact(body: bytes) -> Any:
    """The body with each number as its own text, marked so that it is not taken for a string."""
    return json.loads(
        body, parse_float=lambda text: ("number", text), parse_int=lambda text: ("number", text)
    )


def test_every_row_is_in_exactly_one_place(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    for row, page in pages(index, bodies):
        mapped = set(page.row_of)
        assert len(page.row_of) == len(page.records), row["file"]
        total = len(mapped) + len(page.tombstones) + len(page.rejected) + len(page.out_of_scope)
        assert total == page.rows, row["file"]
        others = [one.row for one in page.rejected] + [one.row for one in page.out_of_scope]
        assert not mapped & set(others), row["file"]


def test_no_row_of_the_live_api_or_of_intuit_is_rejected(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    rejected, rows = 0, 0
    for row, page in pages(index, bodies):
        rejected += len(page.rejected)
        rows += page.rows
        if row["file"] not in REJECTED_WITH_REASON:
            assert not page.rejected, (row["file"], page.rejected)
        else:
            assert {one.code for one in page.rejected} == {"fault"}
    assert rejected <= rows * Decimal("0.03")


def test_each_kind_gives_its_records(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    types: dict[str, type] = {
        "invoice": model.Invoice,
        "creditmemo": model.CreditNote,
        "payment": model.Payment,
        "refundreceipt": model.Payment,
        "customer": model.Customer,
        "companyinfo": model.Organization,
        "preferences": model.Organization,
    }
    for row, page in pages(index, bodies):
        expected = types.get(row["kind"])
        if expected is not None:
            found = [record for record in page.records if isinstance(record, expected)]
            assert len(found) == row["records"], row["file"]


def test_deleted_stubs_are_tombstones(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    kinds: Counter[model.RecordKind] = Counter()
    for row, page in pages(index, bodies):
        if row["kind"] == "deleted":
            assert len(page.tombstones) == 1, row["file"]
            assert page.tombstones[0].evidence is model.DeletionEvidence.REPORTED_DELETED
            kinds[page.tombstones[0].kind] += 1
        else:
            assert not page.tombstones, row["file"]
    assert kinds == {
        model.RecordKind.INVOICE: 2,
        model.RecordKind.PAYMENT: 2,
        model.RecordKind.CREDIT_NOTE: 1,
        model.RecordKind.NOTE: 1,
    }


def test_voids_are_voided_and_nothing_else_is(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    found: dict[str, set[str]] = {}
    for row, page in pages(index, bodies):
        for record in page.records:
            if getattr(record, "document_status", None) is model.DocumentStatus.VOIDED:
                assert record.source is not None
                found.setdefault(Path(row["file"]).name, set()).add(record.source.remote_id)
                assert not [one for one in page.records if getattr(one, "parent_id", None) == record.id]
    assert found == VOIDED


def test_no_digit_of_money_changes(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    compared = 0
    for row, page in pages(index, bodies):
        raw = {one["Id"]: one for one in entities(exact(bodies[row["file"]]))}
        for record in page.records:
            if (
                not isinstance(record, model.Invoice | model.CreditNote | model.Payment)
                or record.source is None
            ):
                continue
            body = raw[record.source.remote_id]
            for name, attribute in MONEY.items():
                if name not in body or (name == "Balance" and not isinstance(record, model.Invoice)):
                    continue
                again = type(record).model_validate_json(record.model_dump_json())
                if hasattr(record, attribute):
                    assert (
                        str(getattr(record, attribute)) == body[name][1] == str(getattr(again, attribute))
                    ), row["file"]
                    compared += 1
            if (
                "TxnTaxDetail" in body
                and "TotalTax" in body["TxnTaxDetail"]
                and not isinstance(record, model.Payment)
            ):
                assert str(record.tax_total) == body["TxnTaxDetail"]["TotalTax"][1]
            for line, wire in zip(getattr(record, "lines", ()), body.get("Line", []), strict=False):
                if "Amount" in wire:
                    assert str(line.amount) == wire["Amount"][1]
                    compared += 1
    assert compared > 250


def test_allocations_carry_the_amounts_of_their_lines(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    for row, page in pages(index, bodies):
        raw = {one["Id"]: one for one in entities(exact(bodies[row["file"]]))}
        for payment in [record for record in page.records if isinstance(record, model.Payment)]:
            assert payment.source is not None
            mine = [
                one
                for one in page.records
                if isinstance(one, model.Allocation) and one.parent_id == payment.id
            ]
            lines = [line for line in raw[payment.source.remote_id].get("Line", []) if "LinkedTxn" in line]
            assert [str(one.amount) for one in mine] == [line["Amount"][1] for line in lines], row["file"]
            if row["origin"] != "hand-made" and payment.unapplied_amount is not None:
                assert payment.total - sum(one.amount for one in mine) == payment.unapplied_amount


def test_records_equal_what_full_validation_makes_of_them(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    for row, page in pages(index, bodies):
        for record in page.records:
            assert type(record).model_validate_json(record.model_dump_json()) == record, row["file"]
            assert list(record.__dict__) == list(type(record).model_fields), row["file"]


def test_each_fault_raises_its_class(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    seen = set()
    for row in index:
        if row["kind"] == "fault":
            name = Path(row["file"]).stem
            with pytest.raises(errors.ARError) as caught:
                decode("fault", bodies[row["file"]], TENANT)
            assert type(caught.value) is FAULTS[name], name
            assert caught.value.tenant == TENANT
            assert "AB01601390262kzxzOlnHYdhtEVRXISU7piPqQrCmmbDN35Yjd" not in str(caught.value.to_json())
            seen.add(name)
    assert seen == set(FAULTS)


def test_a_fault_instead_of_data_is_raised_whatever_was_asked_for(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    for row in index:
        if row["kind"] == "fault":
            with pytest.raises(errors.ARError) as caught:
                decode("invoice", bodies[row["file"]], TENANT)
            assert type(caught.value) is FAULTS[Path(row["file"]).stem]


def test_webhooks_of_both_shapes_parse(index: list[dict[str, Any]], bodies: dict[str, bytes]) -> None:
    events: list[WebhookEvent] = []
    for row in index:
        if row["kind"] == "webhook":
            found = decode("webhook", bodies[row["file"]], TENANT)
            assert isinstance(found, tuple)
            events += found
    assert {event.tenant for event in events} == {"123456789", "987654321", "310687", "1185883450"}
    assert all(event.verb != "unknown" and event.occurred_at is not None for event in events)


def test_kinds_outside_receivables_are_refused_with_advice(
    index: list[dict[str, Any]], bodies: dict[str, bytes]
) -> None:
    foreign = [row for row in index if row["kind"] not in {*KINDS, "fault", "webhook"}]
    assert {row["kind"] for row in foreign} >= {
        "account",
        "estimate",
        "report",
        "salesreceipt",
        "exchangerate",
    }
    for row in foreign:
        with pytest.raises(errors.UnsupportedOperation, match="invoice"):
            decode(row["kind"], bodies[row["file"]], TENANT)
