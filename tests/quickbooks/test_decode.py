"""What becomes of good, odd and spoiled bodies? One bad row never costs the others."""

from __future__ import annotations

import contextlib
import gc
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors import errors
from ar_connectors.adapterkit.mapper import bounded, sums_safely
from ar_connectors.connector import Page
from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.decode import decode, decode_page
from ar_connectors.quickbooks.tables import row_ids
from ar_core import model

TENANT = "9341"
THIRTY_DIGITS = "123456789012345678901234567.891"


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An invoice as QuickBooks sends it; a value of None takes a field away."""
    body = {
        "Id": str(number),
        "SyncToken": "0",
        "MetaData": {"LastUpdatedTime": "2026-11-20T10:00:00-08:00"},
        "DocNumber": f"10{number}",
        "TxnDate": "2026-11-01",
        "DueDate": "2026-12-01",
        "CustomerRef": {"value": "7", "name": "O'Neil & Sons"},
        "CurrencyRef": {"value": "USD"},
        "Line": [
            {"Id": "1", "Amount": 100.00, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}}
        ],
        "TotalAmt": 100.00,
        "Balance": 40.00,
    }
    body.update(changes)
    return {name: value for name, value in body.items() if value is not None}


def answer(rows: list[str], entity: str = "Invoice") -> bytes:
    """A query answer with rows given as JSON text."""
    return (
        f'{{"QueryResponse":{{"{entity}":[' + ",".join(rows) + ']},"time":"2026-11-22T08:00:00.000-08:00"}'
    ).encode()


def decoded(kind: str, body: bytes) -> Page:
    page = decode(kind, body, TENANT)
    assert isinstance(page, Page)
    return page


GOOD = json.dumps(row(1))
LAST = json.dumps(row(3))


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [
        (GOOD.replace("100.0", "NaN", 1), "bad_number"),
        (json.dumps(row(2)).replace('"TotalAmt": 100.0', '"TotalAmt": NaN'), "bad_number"),
        (json.dumps(row(2)).replace('"TotalAmt": 100.0', '"TotalAmt": Infinity'), "bad_number"),
        (json.dumps(row(2)).replace('"TotalAmt": 100.0', '"TotalAmt": 1e400'), "bad_number"),
        (json.dumps(row(2)).replace('"TotalAmt": 100.0', '"TotalAmt": 1e-400'), "bad_number"),
        (json.dumps(row(2)).replace('"TotalAmt": 100.0', '"TotalAmt": 1e99999999999999999999'), "bad_number"),
        (json.dumps(row(2, TotalAmt="NaN")), "bad_number"),
        (json.dumps(row(2, TotalAmt="ten")), "bad_number"),
        (json.dumps(row(2, TotalAmt=True)), "bad_number"),
        (json.dumps(row(2, TotalAmt=[1])), "bad_number"),
        (json.dumps(row(2, TotalAmt=None)), "missing_field"),
        (json.dumps(row(2, Balance=None)), "missing_field"),
        (json.dumps(row(2, Id=None)), "missing_field"),
        (json.dumps(row(2, Id="")), "missing_field"),
        (json.dumps(row(2, Id=5)), "bad_value"),
        (json.dumps(row(2, TxnDate="01.11.2026")), "bad_date"),
        (json.dumps(row(2, DueDate="2026-02-30")), "bad_date"),
        (json.dumps(row(2, DocNumber="\ud800")), "bad_text"),
        (json.dumps(row(2, PrivateNote="a\x00b")), "bad_text"),
        (json.dumps(row(2, CurrencyRef={"value": "dollars"})), "bad_currency"),
        (json.dumps(row(2, CustomerRef="7")), "bad_value"),
        (json.dumps(row(2, Line={"Amount": 1})), "bad_value"),
        ('"a text"', "not_an_object"),
        ("null", "not_an_object"),
        ("[1]", "not_an_object"),
    ],
)
def test_a_spoiled_row_is_rejected_with_its_bytes_and_the_rest_is_kept(spoiled: str, code: str) -> None:
    page = decoded("invoice", answer([GOOD, spoiled, LAST]))
    assert page.rows == 3
    assert [record.id for record in page.records] == [f"quickbooks:{TENANT}:invoice:{n}" for n in (1, 3)]
    assert list(page.row_of) == [0, 2]
    [rejected] = page.rejected
    assert (rejected.code, rejected.row, rejected.kind) == (code, 1, "Invoice")
    assert rejected.raw == spoiled.encode()
    assert len(rejected.reason) > 10


@pytest.mark.parametrize(
    "spoiled",
    [
        '{"Id":"2"}',
        '{"Id":"2","TotalAmt":1e400}',
        '{"Id":"2","TotalAmt":"NaN"}',
        '{"Id":"2","TotalAmt":{}}',
        '{"Id":"2","TotalAmt":1,"MetaData":{"LastUpdatedTime":"soon"}}',
        '{"Id":"2","TotalAmt":1,"PrivateNote":"\\ud800"}',
        "7",
    ],
)
def test_a_payment_that_is_spoiled_costs_none_of_those_it_was_read_with(spoiled: str) -> None:
    link = {"Amount": 60.0, "LinkedTxn": [{"TxnId": "9", "TxnType": "Invoice"}]}
    good = [json.dumps(row(number, Line=[link], TotalAmt=60.0, UnappliedAmt=0)) for number in (1, 3)]
    alone = decoded("payment", answer(good, "Payment"))
    page = decoded("payment", answer([good[0], spoiled, good[1]], "Payment"))
    assert [(one.row, one.raw) for one in page.rejected] == [(1, spoiled.encode())]
    assert (page.records, page.row_of) == (alone.records, [0, 0, 2, 2])
    assert page.replaces == alone.replaces


def test_a_list_that_was_not_asked_for_is_read_as_what_it_is() -> None:
    page = decoded("payment", answer([json.dumps(row())]))
    assert page.records == decoded("invoice", answer([json.dumps(row())])).records


def test_bytes_that_are_no_text_cost_one_row() -> None:
    spoiled = json.dumps(row(2)).encode().replace(b'"102"', b'"\xff"')
    page = decoded("invoice", answer([GOOD, "@", LAST]).replace(b"@", spoiled))
    assert [one.code for one in page.rejected] == ["bad_text"]
    assert page.rejected[0].raw == spoiled
    assert len(page.records) == 2


@pytest.mark.parametrize(
    "odd",
    [
        row(
            2,
            TxnDate=None,
            DueDate=None,
            DocNumber=None,
            CustomerRef=None,
            Line=None,
            CurrencyRef=None,
            MetaData=None,
        ),
        row(
            2,
            Line=[{"DetailType": "QuantumLineDetail", "Amount": 1}],
            EmailStatus="Telegraphed",
            NewField={"a": [1]},
        ),
        row(2, TotalAmt="100.00"),
        row(2, PrivateNote="Voided, they said"),
        row(2, CustomField=[{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"}], TxnTaxDetail={}),
    ],
)
def test_an_odd_row_is_still_an_invoice(odd: dict[str, Any]) -> None:
    page = decoded("invoice", answer([GOOD, json.dumps(odd)]))
    assert not page.rejected
    assert len(page.records) == 2


def test_null_is_absent() -> None:
    nulls = json.dumps(
        {**row(2), **dict.fromkeys(["DocNumber", "DueDate", "Line", "CurrencyRef", "Deposit", "BillEmail"])}
    )
    [invoice] = decoded("invoice", nulls.encode()).records
    assert isinstance(invoice, model.Invoice)
    assert (invoice.number, invoice.due_date, invoice.lines, invoice.currency, invoice.deposit_amount) == (
        None,
    ) * 2 + ((),) + (None,) * 2


@pytest.mark.parametrize(
    "digits",
    [
        THIRTY_DIGITS,
        "12345678901234567.89",
        "275",
        "275.0",
        "0.10",
        "-3.50",
        "1E+3",
        "1234567890123456789012345678901234567890",
    ],
)
def test_every_digit_is_kept_on_both_ways_of_reading(digits: str) -> None:
    text = json.dumps(row(2)).replace('"TotalAmt": 100.0', f'"TotalAmt": {digits}')
    quick, careful = decoded("invoice", answer([text])), decoded("invoice", answer([text, '"spoil"', "NaN"]))
    for page in (quick, careful):
        invoice = page.records[0]
        assert isinstance(invoice, model.Invoice)
        assert str(invoice.total) == str(Decimal(digits))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"not json",
        b'{"QueryResponse":',
        b'{"a":1',
        b"42",
        b"null",
        b'{"QueryResponse":{"Invoice":[}}',
        b"[" * 100_000,
        b'{"QueryResponse":{}} x',
    ],
)
def test_what_is_no_json_fails_as_a_whole(body: bytes) -> None:
    with pytest.raises(errors.ContractError):
        decode("invoice", body, TENANT)


@pytest.mark.parametrize("kind", ["query", "cdc", "batch", "deleted"])
def test_a_body_without_a_known_envelope_is_a_contract_error(kind: str) -> None:
    for body in (b'{"Whatever":{"a":1}}', b"[]", b"{}"):
        with pytest.raises(errors.ContractError):
            decode(kind, body, TENANT)


def test_html_instead_of_json_is_a_clear_error() -> None:
    with pytest.raises(errors.ContractError, match="Service Unavailable"):
        decode("invoice", b"<html><body><h1>503 Service Unavailable</h1></body></html>", TENANT)


def test_an_empty_answer_is_an_empty_page() -> None:
    page = decoded("query", b'{"QueryResponse":{},"time":"2026-11-22T08:00:00-08:00"}')
    assert page.rows == 0
    assert page.server_time is not None
    assert page.server_time.isoformat() == "2026-11-22T16:00:00+00:00"
    assert decoded("query", b'{"QueryResponse":{"totalCount":6}}').rows == 0


def test_a_change_feed_with_holes_and_stubs() -> None:
    stub = {
        "domain": "QBO",
        "status": "Deleted",
        "Id": "33",
        "MetaData": {"LastUpdatedTime": "2026-11-22T08:00:00-08:00"},
    }
    body = {
        "CDCResponse": [
            {
                "QueryResponse": [
                    {"Invoice": [row(1), stub], "startPosition": 1, "maxResults": 2},
                    {},
                    {"Estimate": [{"Id": "5"}, {**stub, "Id": "6"}], "totalCount": 2},
                    {"Payment": [{**stub, "Id": "9"}]},
                ]
            }
        ],
        "time": "2026-11-22T08:00:00-08:00",
    }
    page = decoded("cdc", json.dumps(body).encode())
    assert page.rows == 5
    assert page.kind == ""
    assert [stone.id for stone in page.tombstones] == [
        f"quickbooks:{TENANT}:invoice:33",
        f"quickbooks:{TENANT}:payment:9",
    ]
    assert page.tombstones[0].source.updated_at is not None
    assert [(one.kind, one.remote_id, one.row) for one in page.out_of_scope] == [
        ("Estimate", "5", 2),
        ("Estimate", "6", 3),
    ]


def test_a_fault_in_the_change_feed_is_raised() -> None:
    body = b'{"CDCResponse":[{"Fault":{"Error":[{"Message":"x","code":"5020"}],"type":"ValidationFault"}}]}'
    with pytest.raises(errors.PermissionDenied):
        decode("cdc", body, TENANT)


def test_a_batch_is_taken_apart_item_by_item() -> None:
    body = {
        "BatchItemResponse": [
            {"bId": "1", "Invoice": row(1)},
            {
                "bId": "2",
                "Fault": {
                    "Error": [{"Message": "Stale Object Error", "code": "5010"}],
                    "type": "ValidationFault",
                },
            },
            {"bId": "3", "QueryResponse": {"Invoice": [row(2), row(3)], "maxResults": 2}},
            {
                "bId": "4",
                "CDCResponse": [
                    {"QueryResponse": [{"Customer": [{"Id": "7", "DisplayName": "O'Neil & Sons"}]}]}
                ],
            },
            {"bId": "5", "Vendor": {"Id": "8"}},
        ]
    }
    page = decoded("batch", json.dumps(body).encode())
    assert page.rows == 6
    assert [record.id.rsplit(":", 2)[-1] for record in page.records] == ["1", "2", "3", "7"]
    assert [(one.code, "5010" in one.reason) for one in page.rejected] == [("fault", True)]
    assert [one.kind for one in page.out_of_scope] == ["Vendor"]


def test_one_invoice_reads_the_same_in_every_envelope() -> None:
    bare = json.dumps(row(1)).encode()
    shapes = {
        "bare": bare,
        "list": b"[" + bare + b"]",
        "entity": b'{"Invoice":' + bare + b',"time":"2026-11-22T08:00:00-08:00"}',
        "query": answer([bare.decode()]),
        "batch": b'{"BatchItemResponse":[{"bId":"1","Invoice":' + bare + b"}]}",
        "bom": b"\xef\xbb\xbf" + bare,
        "careful": b"[" + bare + b",NaN]",
    }
    records = {name: decoded("invoice", body).records[0] for name, body in shapes.items()}
    assert len(set(map(repr, records.values()))) == 1


def test_wrapped_preferences_and_bare_ones_are_told_apart() -> None:
    bare = b'{"AccountingInfoPrefs":{"BookCloseDate":"2026-10-31"}}'
    for body in (bare, b'{"Preferences":' + bare + b',"time":"2026-11-22T08:00:00-08:00"}'):
        [organization] = decoded("preferences", body).records
        assert isinstance(organization, model.Organization)
        assert str(organization.lock_date) == "2026-10-31"


def test_kinds_are_read_in_any_case_and_foreign_ones_refused() -> None:
    assert decoded("Invoice", GOOD.encode()).rows == 1
    with pytest.raises(errors.UnsupportedOperation, match="attachable, batch"):
        decode("vendor", b"{}", TENANT)


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    with pytest.raises(errors.ContractError):
        decode("invoice", b"x", TENANT)
    assert gc.isenabled()
    gc.disable()
    try:
        decode("invoice", GOOD.encode(), TENANT)
        assert not gc.isenabled()
    finally:
        gc.enable()


# ---- properties

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
FIELDS = [
    "Id",
    "SyncToken",
    "MetaData",
    "DocNumber",
    "TxnDate",
    "CustomerRef",
    "CurrencyRef",
    "Line",
    "TotalAmt",
    "Balance",
    "TxnTaxDetail",
    "CustomField",
    "status",
    "LinkedTxn",
    "UnappliedAmt",
    "DisplayName",
    "Note",
]


@given(
    st.sampled_from(
        ["Invoice", "Payment", "Customer", "CreditMemo", "JournalEntry", "Attachable", "RefundReceipt"]
    ),
    st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6), max_size=4),
)
def test_any_rows_are_counted_and_none_is_lost(entity: str, rows: list[dict[str, Any]]) -> None:
    body = json.dumps(
        {"QueryResponse": {entity: [row(1, DisplayName="x") if entity == "Customer" else row(1), *rows]}}
    ).encode()
    page = decoded("query", body)
    assert page.rows == len(rows) + 1
    places = [*set(page.row_of), *(one.row for one in page.rejected), *(one.row for one in page.out_of_scope)]
    assert len(places) == len(set(places)) == page.rows - len(page.tombstones)
    ids: list[str | None] = []
    assert decode_page(body, None, Context(TENANT), ids=ids) == page
    assert len(ids) == page.rows
    assert {one for one in ids if one is not None} == row_ids(page)
    for record in page.records:
        assert type(record).model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize("quick", [True, False], ids=["quick", "careful"])
def test_the_ids_of_all_rows_are_told_however_each_was_read(quick: bool) -> None:
    stub = json.dumps({"Id": "2", "status": "Deleted", "SyncToken": "1"})
    nameless = json.dumps(row(3, Id=None))
    spoiled = json.dumps(row(4)).replace('"TotalAmt": 100.0', '"TotalAmt": NaN')
    without_total = json.dumps(row(5, TotalAmt=None))
    unreadable = json.dumps(row(6)).replace('"TxnDate": "2026-11-01"', '"TxnDate": "never"')
    note = "" if quick else "\\u0000"  # a NUL anywhere sends a page down the careful way
    last = json.dumps(row(7)).replace("O'Neil", "O'Neil" + note)
    ids: list[str | None] = ["of the page before"]
    page = decode_page(
        answer([GOOD, stub, nameless, spoiled, without_total, unreadable, last]),
        None,
        Context(TENANT),
        ids=ids,
    )
    assert ids == ["of the page before", "1", "2", None, "4", "5", "6", "7"]
    assert row_ids(page) == {"1", "2", "4", "5", "6", "7"}


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_page_or_a_clear_error(body: bytes) -> None:
    for kind in ("invoice", "query", "webhook", "fault"):
        with contextlib.suppress(errors.ARError):
            assert isinstance(decode(kind, body, TENANT), Page | tuple)


@given(
    st.lists(
        st.decimals(allow_nan=True, allow_infinity=True)
        | st.decimals(places=2, min_value=-(10**15), max_value=10**15),
        max_size=8,
    )
)
def test_one_sum_finds_every_number_that_cannot_be_kept(numbers: list[Decimal]) -> None:
    if sums_safely(numbers):
        assert all(bounded(number) for number in numbers)


@given(st.lists(st.decimals(places=2, min_value=-(10**15), max_value=10**15), max_size=50))
def test_ordinary_money_never_takes_the_slow_way(numbers: list[Decimal]) -> None:
    assert sums_safely(numbers)


def test_what_is_known_of_the_company_fills_in_what_a_row_leaves_out() -> None:
    terms = model.PaymentTerms(remote_id="3", name="Net 30", due_days=30)
    context = Context(TENANT, home_currency="CAD", terms={"3": terms})
    body = json.dumps(row(1, CurrencyRef=None, SalesTermRef={"value": "3"})).encode()
    [invoice] = decode_page(body, "Invoice", context).records
    assert isinstance(invoice, model.Invoice)
    assert (invoice.currency, invoice.terms) == ("CAD", terms)
