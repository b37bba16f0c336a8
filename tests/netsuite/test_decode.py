"""NetSuite's rows and records become ours: others' spellings, holes, dates that can be read in two ways, rows that spoil a page."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import ContractError, NotFoundError
from ar_connectors.netsuite.context import Context
from ar_connectors.netsuite.decode import decode
from ar_core.model import (
    Allocation,
    Contact,
    CreditNote,
    Customer,
    DeletionEvidence,
    DocumentStatus,
    Invoice,
    Payment,
    PaymentKind,
    Promise,
)

CONTEXT = Context("1234567", currencies={"1": "USD", "2": "EUR"})
INVOICE = {
    "links": [],
    "id": "7",
    "type": "CustInvc",
    "tranid": "INV7",
    "entity": "3",
    "trandate": "2026-11-01",
    "duedate": "2026-12-01",
    "status": "A",
    "currency": "2",
    "exchangerate": "1.1",
    "foreigntotal": "120.50",
    "foreignamountunpaid": "20.50",
    "voided": "F",
    "lastmodifieddate": "2026-11-20 09:00:00",
}


def _page(*rows: Any, kind: str = "suiteql", context: Context = CONTEXT) -> Page:
    body = {"links": [], "count": len(rows), "hasMore": False, "items": rows, "offset": 0}
    return decode(kind, json.dumps(body).encode(), "1234567", context)


@pytest.mark.parametrize("kind", ["suiteql", "invoice", "transaction"])
def test_an_invoice_of_ours_whatever_its_page_is_called(kind: str) -> None:
    (found,) = _page(INVOICE, kind=kind).records
    assert isinstance(found, Invoice)
    assert (found.id, found.number, found.customer_id) == (
        "netsuite:1234567:invoice:7",
        "INV7",
        "netsuite:1234567:customer:3",
    )
    assert (found.total, found.balance_due, found.currency) == (Decimal("120.50"), Decimal("20.50"), "EUR")
    assert (found.issue_date, found.due_date) == (date(2026, 11, 1), date(2026, 12, 1))
    assert found.document_status is DocumentStatus.POSTED
    assert found.source is not None
    assert (found.source.version, found.source.updated_at) == ("2026-11-20 09:00:00", None)


def test_others_spellings_and_rest_bodies_mean_the_same() -> None:
    spelled = {
        "internal_id": 7, "tran_id": "INV7", "customer": "3", "transaction_date": "2026-11-01", "due": "2026-12-01",
        "currency_symbol": "EUR", "total": 120.50, "amount_remaining": 20.50, "recordtype": "invoice", "status": "CustInvc:A",
    }  # fmt: skip
    rest = {
        "links": [{"rel": "self", "href": "https://x/services/rest/record/v1/invoice/7"}],
        "tranId": "INV7",
        "entity": {"id": "3", "refName": "3 Somebody"},
        "tranDate": "2026-11-01",
        "dueDate": "2026-12-01",
        "currency": {"id": "2", "refName": "Euro"},
        "total": 120.50,
        "amountRemaining": 20.50,
        "status": {"id": "Open", "refName": "Open"},
    }
    for found in (
        _page(spelled).records[0],
        decode("record", json.dumps(rest).encode(), "1234567", CONTEXT).records[0],
    ):
        assert isinstance(found, Invoice)
        assert (found.id, found.number, found.total, found.balance_due) == (
            "netsuite:1234567:invoice:7",
            "INV7",
            Decimal("120.5"),
            Decimal("20.5"),
        )
        assert (found.customer_id, found.currency) == ("netsuite:1234567:customer:3", "EUR")
        assert (found.issue_date, found.due_date) == (date(2026, 11, 1), date(2026, 12, 1))


@pytest.mark.parametrize(
    ("status", "expected"),
    [("A", DocumentStatus.POSTED), ("B", DocumentStatus.POSTED), ("D", DocumentStatus.PENDING_APPROVAL),
     ("E", DocumentStatus.DRAFT), ("V", DocumentStatus.VOIDED), ("Z", DocumentStatus.UNKNOWN)],
)  # fmt: skip
def test_a_status_letter_means_what_it_means(status: str, expected: DocumentStatus) -> None:
    (found,) = _page({**INVOICE, "status": status}).records
    assert isinstance(found, Invoice)
    assert found.document_status is expected
    assert found.raw_status == status


def test_what_is_open_is_never_guessed() -> None:
    hole = {name: value for name, value in INVOICE.items() if name != "foreignamountunpaid"}
    assert [one.code for one in _page(hole).rejected] == ["missing_field"]
    (paid,) = _page({**hole, "status": "B", "statusname": "Invoice : Paid In Full"}).records
    assert isinstance(paid, Invoice)
    assert paid.balance_due == 0
    (partly,) = _page({**hole, "foreignamountpaid": "100.00"}).records
    assert isinstance(partly, Invoice)
    assert partly.balance_due == Decimal("20.50")


def test_a_date_that_can_be_read_in_two_ways_needs_company() -> None:
    alone = {**INVOICE, "trandate": "5/6/2026", "duedate": "5/6/2026"}
    assert [one.code for one in _page(alone).rejected] == ["bad_date"]
    for other, expected in (("5/28/2026", date(2026, 5, 6)), ("28/5/2026", date(2026, 6, 5))):
        page = _page(alone, {**INVOICE, "id": "8", "trandate": other})
        first = page.records[0]
        assert isinstance(first, Invoice)
        assert first.issue_date == expected


@pytest.mark.parametrize("bad", ["NaN", "1e999", "Infinity", "abc"])
def test_a_bad_row_costs_the_others_nothing(bad: str) -> None:
    page = _page(INVOICE, {**INVOICE, "id": "8", "foreigntotal": bad}, {**INVOICE, "id": "9"})
    assert [one.id for one in page.records] == ["netsuite:1234567:invoice:7", "netsuite:1234567:invoice:9"]
    (rejected,) = page.rejected
    assert (rejected.remote_id, rejected.row, rejected.code) == ("8", 1, "bad_number")


def test_a_promise_is_a_date_whose_source_is_the_customer() -> None:
    dated = {**INVOICE, "userestimatedpaymentdate": "2026-12-24"}
    assert len(_page({**dated, "userestimatesource": "COMPANY_ESTIMATE"}).records) == 1
    invoice, promise = _page({**dated, "userestimatesource": "CUSTOMER_PROMISED_DATE"}).records
    assert isinstance(invoice, Invoice)
    assert isinstance(promise, Promise)
    assert (promise.promised_date, promise.invoice_ids) == (date(2026, 12, 24), (invoice.id,))


def test_credits_payments_deposits_and_refunds_have_positive_amounts() -> None:
    base = {**INVOICE, "foreigntotal": "-50", "foreignpaymentamountunused": "-10"}
    kinds = {"CustPymt": PaymentKind.RECEIPT, "CustDep": PaymentKind.DEPOSIT, "CustRfnd": PaymentKind.REFUND}
    for kind, expected in kinds.items():
        (payment,) = _page({**base, "type": kind, "status": "C"}).records
        assert isinstance(payment, Payment)
        assert (payment.kind, payment.total, payment.unapplied_amount) == (expected, Decimal(50), Decimal(10))
    (credit,) = _page({**base, "type": "CustCred"}).records
    assert isinstance(credit, CreditNote)
    assert (credit.total, credit.unapplied_amount) == (Decimal(50), Decimal(10))


def test_the_links_of_a_payment_are_its_allocations_and_a_refund_is_settled() -> None:
    def link(before: str, kind: str, after: str, settles: str, amount: str) -> dict[str, str]:
        return {
            "previousdoc": before, "previoustype": kind, "nextdoc": after, "nexttype": settles, "nextline": "0",
            "foreignamount": amount, "nextdate": "2026-11-05",
        }  # fmt: skip

    page = _page(
        link("7", "CustInvc", "20", "CustPymt", "30"),
        link("8", "CustInvc", "20", "CustPymt", "12.5"),
        link("9", "CustInvc", "20", "CustPymt", "0"),
        link("5", "CustDep", "21", "DepAppl", "40"),
        link("7", "CustInvc", "21", "DepAppl", "40"),
        link("6", "CustCred", "22", "CustRfnd", "3"),
        kind="link",
    )
    found = [one for one in page.records if isinstance(one, Allocation)]
    assert [(one.source_id[-10:], one.target_id[-10:], one.amount) for one in found] == [
        ("payment:20", ":invoice:7", Decimal(30)),
        ("payment:20", ":invoice:8", Decimal("12.5")),
        (":payment:5", ":invoice:7", Decimal(40)),
        ("dit_note:6", "payment:22", Decimal(3)),
    ]
    assert len(page.out_of_scope) == 2
    assert len(page.replaces) == 3


def test_a_customer_has_a_mailbox_and_its_hold_is_told_only_when_known() -> None:
    row = {
        "id": "3",
        "entityid": "C3",
        "companyname": "Acme",
        "email": "ap@acme.example",
        "creditlimit": "10",
    }
    customer, contact = _page(row).records
    assert isinstance(customer, Customer)
    assert isinstance(contact, Contact)
    assert (customer.name, customer.order_hold, contact.email) == ("Acme", None, "ap@acme.example")
    for override, computed, expected in (
        ("ON", None, True),
        ("AUTO", None, None),
        ("AUTO", "T", True),
        ("OFF", "F", False),
    ):
        told = {**row, "creditholdoverride": override, **({"oncredithold": computed} if computed else {})}
        held = _page(told).records[0]
        assert isinstance(held, Customer)
        assert held.order_hold is expected


def test_deleted_records_become_tombstones_in_both_spellings() -> None:
    page = _page(
        {"recordid": "7", "type": "CustInvc", "deleteddate": "2026-11-20 00:00:00"},
        {"recordid": "8", "type": "customerpayment", "deleteddate": "2026-11-20 00:00:00"},
        {"recordid": "9", "type": "vendorbill", "deleteddate": "2026-11-20 00:00:00"},
    )
    assert [one.id[-9:] for one in page.tombstones] == ["invoice:7", "payment:8"]
    assert {one.evidence for one in page.tombstones} == {DeletionEvidence.REPORTED_DELETED}
    assert len(page.out_of_scope) == 1


def test_rows_that_are_not_ours_are_said_to_be_so() -> None:
    page = _page(
        {"id": "1", "companyname": "HMRC"},
        {"id": "2", "type": "VendBill"},
        7,
        {**INVOICE, "type": "SalesOrd"},
    )
    assert not page.records
    assert [one.row for one in page.out_of_scope] == [0, 1, 3]
    assert [one.row for one in page.rejected] == [2]


def test_an_error_where_a_record_was_expected_is_raised() -> None:
    body = b'{"title":"Not Found","status":404,"o:errorDetails":[{"detail":"Record does not exist.","o:errorCode":"NONEXISTENT_ID"}]}'
    with pytest.raises(NotFoundError):
        decode("invoice", body, "1234567")
    for nonsense in (b"", b"<html>", b"7", b'{"items":[', b"\xff"):
        with pytest.raises(ContractError):
            decode("suiteql", nonsense, "1234567")
