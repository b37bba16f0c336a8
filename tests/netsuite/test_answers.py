"""Answers to statements of ours, read at once: the records of the careful way, and one strange row costs the others nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ar_connectors.connector import Page
from ar_connectors.netsuite.context import Context
from ar_connectors.netsuite.decode import decode_page
from ar_connectors.netsuite.envelope import open_envelope
from ar_connectors.netsuite.wire import ANSWERS
from ar_core.model import Invoice, Payment

_CONTEXT = Context(
    "1",
    base_currency="USD",
    currencies={"1": "USD", "2": "EUR"},
    custom={},
    zone=ZoneInfo("UTC"),
    reads_promises=True,
)
_INVOICE = {
    "links": [], "id": "7", "tranid": "INV-7", "type": "CustInvc", "entity": "5", "trandate": "2026-02-03", "duedate": "2026-03-05",
    "status": "A", "currency": "1", "exchangerate": "1", "foreigntotal": "108.00", "taxtotal": "8", "foreignamountunpaid": "108.00",
    "terms": "2", "otherrefnum": "PO", "email": "a@b.example", "memo": "m", "lastmodifieddate": "2026-02-03 04:05:06", "voided": "F",
    "posting": "T",
}  # fmt: skip
_PAYMENT = {
    "links": [], "id": "9", "tranid": "P-9", "type": "CustPymt", "entity": "5", "trandate": "2026-02-03", "status": "C", "currency": "1",
    "exchangerate": "1", "foreigntotal": "50.10", "foreignpaymentamountused": "50.10", "foreignpaymentamountunused": "0",
    "otherrefnum": "CHK", "memo": "m", "lastmodifieddate": "2026-02-03 04:05:06", "voided": "F", "posting": "T",
}  # fmt: skip
_CUSTOMER = {
    "links": [], "id": "5", "entityid": "C-5", "companyname": "Acme", "firstname": "Ann", "lastname": "Lee", "isperson": "F",
    "email": "a@b.example", "phone": "1", "currency": "1", "terms": "2", "creditlimit": "5000", "balancesearch": "12.50",
    "isinactive": "F", "billaddr1": "Main St 1", "billcity": "Bay", "billstate": "CA", "billzip": "9", "billcountry": "US",
    "lastmodifieddate": "2026-02-03 04:05:06",
}  # fmt: skip
_ROWS = {"invoice": _INVOICE, "payment": _PAYMENT, "customer": _CUSTOMER}


def _body(stream: str, *changes: dict[str, Any]) -> bytes:
    """A row for each set of changes (None: without the column) to the usual one, and a usual one behind them."""
    rows = [{**_ROWS[stream], "id": str(100 + at), **change} for at, change in enumerate((*changes, {}))]
    items = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return json.dumps({"items": items, "count": len(items), "hasMore": False}).encode()


def _told(page: Page) -> tuple[Any, ...]:
    texts = [f"{type(one).__name__} {one.model_dump_json()}" for one in page.records]
    return texts, list(page.row_of), list(page.replaces), page.rejected, page.out_of_scope, page.rows


def _both(stream: str, *changes: dict[str, Any], context: Context = _CONTEXT) -> Page:
    """The page, having looked that it is the one of rows that are read one by one."""
    body = _body(stream, *changes)
    kind = "customer" if stream == "customer" else "transaction"
    page = decode_page(body, kind, context, stream=stream)
    assert _told(page) == _told(decode_page(body, kind, context, stream="another"))
    return page


_CHANGES: dict[str, tuple[dict[str, Any], ...]] = {
    "invoice": (
        {"foreignamountunpaid": "0"},
        {"foreignamountunpaid": "7.5"},
        {"foreignamountunpaid": "108.0"},
        {"foreigntotal": "-0", "taxtotal": "0", "foreignamountunpaid": "0.00"},
        {"foreigntotal": "1_000", "foreignamountunpaid": "1_000"},
        {"taxtotal": None},
        {"taxtotal": "0"},
        {"taxtotal": "0.00"},
        {"exchangerate": None},
        {"exchangerate": "1.0850", "currency": "2"},
        {"exchangerate": "1.00"},
        {"type": None},
        {"type": "FinChrg", "id": "a:b", "entity": "x y"},
        {"status": "CustInvc:B"},
        {"voided": "T", "foreignamountunpaid": None},
        {"terms": "3", "termsname": "Net 30", "memo": "", "email": "", "otherrefnum": "", "entity": ""},
        {"userestimatedpaymentdate": "2026-04-01", "userestimatesource": "Promised by customer"},
        {"lastmodifieddate": "2026-02-03T04:05:06Z"},
        {"subsidiary": "3", "custom": None},
    ),
    "payment": (
        {"foreignpaymentamountunused": "50.10"},
        {"foreignpaymentamountunused": "50.1", "foreigntotal": "-50.10"},
        {"foreignpaymentamountunused": "-3.5"},
        {"foreignpaymentamountunused": None},
        {"foreignpaymentamountunused": None, "foreignpaymentamountused": None},
        {"type": "CustRfnd", "foreignpaymentamountunused": None, "foreignpaymentamountused": None, "status": None},
        {"foreigntotal": "0", "voided": "T"},
        {"exchangerate": "0.7312", "otherrefnum": ""},
        {"type": "CustDep", "status": "CustDep:B"},
    ),
    "customer": (
        {"isperson": "T"},
        {"isperson": "T", "firstname": "", "lastname": None, "companyname": None, "altname": "Alt"},
        {"isperson": None, "isinactive": "T", "creditlimit": None, "balancesearch": "0.00"},
        {"isinactive": None, "companyname": None, "lastname": None},
        {"oncredithold": "T", "creditholdoverride": "OFF"},
        {"creditholdoverride": "_on_", "parent": "5", "billaddr2": "Floor 2"},
        {"parent": "6", "billaddr1": None, "billaddr2": "Floor 2", "comments": "c", "language": "de"},
        {"billaddr1": "", "billcity": "", "billzip": "", "billcountry": ""},
        {"creditlimit": "abc"},
        {"balancesearch": "NaN"},
        {"creditlimit": "5E+3"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("stream", _ROWS)
@pytest.mark.parametrize("context", [_CONTEXT, replace(_CONTEXT, zone=None, knows_rates=False)])
def test_an_answer_becomes_the_records_of_its_rows(stream: str, context: Context) -> None:
    """Each change by itself, because some spoil the whole page for the quick way, and all together."""
    for change in _CHANGES[stream]:
        page = _both(stream, change, context=context)
        assert page.row_of[-1] == 1
        assert len(page.row_of) >= 2
    _both(stream, *_CHANGES[stream], context=context)


@pytest.mark.parametrize("stream", ["invoice", "payment"])
@pytest.mark.parametrize(
    "change",
    [
        {"foreigntotal": "abc"},
        {"foreigntotal": "NaN"},
        {"foreigntotal": "-Infinity"},
        {"foreigntotal": "1e50"},
        {"foreigntotal": "0E-45"},
        {"foreigntotal": "1" * 50},
        {"foreigntotal": None},
        {"exchangerate": "sNaN"},
        {"trandate": "3/4/2026"},
        {"trandate": "soon"},
        {"id": None},
        {"tranid": "\x00"},
        {"tranid": "\ud800"},
        {"voided": True},
        {"type": "VendBill"},
    ],
)
def test_a_strange_row_costs_the_others_nothing(stream: str, change: dict[str, Any]) -> None:
    page = _both(stream, change)
    assert page.row_of[-1] == 1
    assert len(page.records) + len(page.rejected) + len(page.out_of_scope) == 2


def test_the_numbers_of_an_answer_keep_their_digits() -> None:
    page = _both("invoice", {"foreigntotal": "1E+2", "foreignamountunpaid": "1E+2", "taxtotal": "0"})
    first, second = (one for one in page.records if isinstance(one, Invoice))
    assert (str(first.total), str(first.subtotal), str(first.balance_due)) == ("1E+2", "100", "1E+2")
    assert (str(second.total), str(second.subtotal), second.source_rate) == ("108.00", "100.00", Decimal(1))
    (payment,) = (one for one in _both("payment").records if isinstance(one, Payment))
    assert (str(payment.total), str(payment.unapplied_amount)) == ("50.10", "0")


@pytest.mark.parametrize("stream", ANSWERS)
def test_an_answer_is_read_at_once_and_knows_its_keys_before_and_after(stream: str) -> None:
    body = _body(stream, {})
    envelope = open_envelope(body, "1", ANSWERS[stream])
    assert envelope.cut is None
    assert (envelope.size, envelope.key(-1, "id"), envelope.keys("id")) == (2, "101", ["100", "101"])
    assert [json.loads(bytes(one))["id"] for one in envelope.rows] == ["100", "101"]
    assert (
        open_envelope(_body(stream, {"voided": "maybe", "isperson": "maybe"}), "1", ANSWERS[stream]).structs
        is None
    )
