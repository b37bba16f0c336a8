"""What is a row, and what is around rows? A document of Xero holds lists that look like answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ar_connectors as ar
from ar_core.model import CreditNote, Invoice, Payment

INVOICE: dict[str, Any] = {
    "Type": "ACCREC",
    "InvoiceID": "i1",
    "Contact": {"ContactID": "c1", "Name": "O'Neil & Sons"},
    "Date": "/Date(1767225600000+0000)/",
    "Status": "AUTHORISED",
    "CurrencyCode": "NZD",
    "Total": 115.00,
    "AmountDue": 65.00,
    "AmountPaid": 50.00,
}
CREDIT: dict[str, Any] = {
    "Type": "ACCRECCREDIT",
    "CreditNoteID": "n1",
    "Status": "AUTHORISED",
    "Total": 50.00,
    "RemainingCredit": 20.00,
}
OVERPAYMENT: dict[str, Any] = {
    "Type": "RECEIVE-OVERPAYMENT",
    "OverpaymentID": "o1",
    "Status": "AUTHORISED",
    "Total": 50.00,
    "RemainingCredit": 20.00,
}
ROWS: dict[str, tuple[dict[str, Any], type]] = {
    "invoice": (INVOICE, Invoice),
    "creditnote": (CREDIT, CreditNote),
    "overpayment": (OVERPAYMENT, Payment),
    "prepayment": (
        {**OVERPAYMENT, "Type": "RECEIVE-PREPAYMENT", "OverpaymentID": None, "PrepaymentID": "r1"},
        Payment,
    ),
}
PAID: list[dict[str, Any]] = [{"PaymentID": "p1", "Amount": 50.00, "Date": "/Date(1767225600000+0000)/"}]


def page(kind: str, body: Any) -> ar.Page:
    found = ar.decode("xero", kind, json.dumps(body).encode(), tenant="T")
    assert isinstance(found, ar.Page)
    return found


@pytest.mark.parametrize(
    "spoiled",
    [
        {"PaymentID": "p2"},
        {"PaymentID": "p2", "Amount": "NaN"},
        {"PaymentID": "p2", "Amount": "1e400"},
        {"PaymentID": "p2", "Amount": {}},
        {"PaymentID": "p2", "Amount": 1.0, "Date": "soon"},
        {"PaymentID": "p2", "Amount": 1.0, "Reference": "\ud800"},
        7,
    ],
)
def test_a_payment_that_is_spoiled_costs_none_of_those_it_was_read_with(spoiled: Any) -> None:
    good = [
        {**PAID[0], "PaymentID": one, "PaymentType": "ACCRECPAYMENT", "Invoice": {"InvoiceID": "i1"}}
        for one in ("p1", "p3")
    ]
    alone = page("payment", {"Payments": good})
    found = page("payment", {"Payments": [good[0], spoiled, good[1]]})
    assert [one.row for one in found.rejected] == [1]
    assert (found.records, found.row_of) == (alone.records, [0, 0, 2, 2])
    assert found.replaces == alone.replaces


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("payments", [[], PAID, None])
def test_a_document_that_stands_alone_is_not_taken_for_a_list_of_its_payments(
    kind: str, payments: list[dict[str, Any]] | None
) -> None:
    row, shape = ROWS[kind]
    found = page(kind, {**row, "Payments": payments})
    (record,) = found.records
    assert type(record) is shape
    assert (found.rows, [*found.rejected], [*found.out_of_scope]) == (1, [], [])


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("payments", [[], PAID])
def test_a_document_without_its_id_is_set_aside_as_what_it_is(
    kind: str, payments: list[dict[str, Any]]
) -> None:
    row, _ = ROWS[kind]
    nameless = {name: value for name, value in row.items() if not (name.endswith("ID") and name != "Contact")}
    found = page(kind, {**nameless, "Payments": payments})
    (rejected,) = found.rejected
    assert (found.rows, [*found.records], [*found.out_of_scope]) == (1, [], [])
    assert (rejected.code, rejected.remote_id) == ("missing_field", None)


@pytest.mark.parametrize("around", [{}, {"Id": "x", "Status": "OK"}, {"NewAnnouncement": "x"}])
def test_an_answer_of_another_list_than_was_said_is_still_an_answer(around: dict[str, Any]) -> None:
    found = page("payment", {**around, "Invoices": [INVOICE]})
    assert [type(one) for one in found.records] == [Invoice]
    assert page("invoice", {**around, "Invoices": [INVOICE]}).records == found.records
