"""Whatever a client sends, it gets an answer of QuickBooks' kind, and the books stay whole and readable."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW, generate
from ar_connectors.testkit.exchange import Call
from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.quickbooks import QuickBooks
from ar_connectors.testkit.quickbooks.rows import ENTITIES

LINE = {
    "Amount": 1,
    "DetailType": "SalesItemLineDetail",
    "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "Qty": 1, "UnitPrice": 1},
}
BODIES: dict[str, Any] = {
    "invoice": {
        "CustomerRef": {"value": "1"},
        "Line": [LINE],
        "TxnDate": "2026-11-01",
        "DueDate": "2026-11-30",
        "PrivateNote": "x",
        "DocNumber": "N",
        "ExchangeRate": 1,
        "TxnTaxDetail": {"TotalTax": 1},
        "EmailStatus": "NotSet",
        "Deposit": 0,
        "SalesTermRef": {"value": "6"},
        "BillEmail": {"Address": "a@b.example"},
        "CustomField": [],
    },
    "creditmemo": {"CustomerRef": {"value": "1"}, "Line": [LINE]},
    "payment": {
        "CustomerRef": {"value": "1"},
        "TotalAmt": 5,
        "Line": [{"Amount": 1, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}],
        "TxnDate": "2026-11-01",
        "PaymentRefNum": "x",
    },
    "customer": {
        "DisplayName": "N",
        "PrimaryEmailAddr": {"Address": "a@b.example"},
        "PrimaryPhone": {"FreeFormNumber": "1"},
        "Active": True,
        "Notes": "n",
        "ParentRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "SalesTermRef": {"value": "6"},
    },
    "attachable": {
        "Note": "n",
        "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": "2"}, "IncludeOnSend": False}],
    },
    "journalentry": {
        "TxnDate": "2026-11-01",
        "Line": [
            {
                "Amount": 1,
                "JournalEntryLineDetail": {
                    "PostingType": "Debit",
                    "AccountRef": {"value": "1"},
                    "Entity": {"Type": "Customer", "EntityRef": {"value": "1"}},
                },
            },
            {"Amount": 1, "JournalEntryLineDetail": {"PostingType": "Credit", "AccountRef": {"value": "3"}}},
        ],
    },
    "batch": {
        "BatchItemRequest": [
            {"bId": "1", "operation": "create", "Attachable": {"Note": "x"}},
            {"bId": "2", "Query": "SELECT * FROM Invoice"},
            {"bId": "3", "CDCQuery": {"Entities": "Invoice", "ChangedSince": "2026-11-01T00:00:00Z"}},
        ]
    },
}
NONSENSE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**50), 10**50),
    st.text(max_size=8),
    st.sampled_from(["1e400", "NaN", "-0", "2026-13-01", "9" * 400, "EUR", "x" * 5000, "\u0000"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["value", "a", "Line"]), st.integers(), max_size=2),
)
STATEMENT = "select * from Invoice where Balance > '0' and Id in ( '1' , '2' ) order by DueDate desc startposition 1 maxresults 5"


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a body: what holds it, and its key there."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@pytest.fixture(scope="module")
def service() -> QuickBooks:
    return QuickBooks(generate(3, invoices=30), ScriptedClock(DEFAULT_NOW))


def ask(service: QuickBooks, method: str, path: str, body: bytes = b"", **params: str) -> tuple[int, Any]:
    token = service.authority.grant()[0]
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    call = Call(method, f"/v3/company/{service.realm}/{path}", params, headers, body)
    reply, _ = service.handle(call)
    return reply.status, json.loads(reply.whole())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_body_of_nonsense_is_refused_or_kept_and_never_spoils_the_books(
    service: QuickBooks, data: st.DataObject
) -> None:
    resource = data.draw(st.sampled_from(sorted(BODIES)), "resource")
    body = copy.deepcopy(BODIES[resource])
    if resource != "batch" and data.draw(st.booleans(), "update"):
        body |= {
            "Id": data.draw(st.sampled_from(["1", "2", "3"])),
            "SyncToken": "0",
            "sparse": data.draw(st.booleans()),
        }
    for _ in range(data.draw(st.integers(1, 2))):
        holder, key = data.draw(st.sampled_from(list(places(body))), "place")
        holder[key] = data.draw(NONSENSE, "nonsense")
    status, answer = ask(service, "POST", resource, json.dumps(body).encode())
    assert (status, "Fault" in answer) in {(200, False), (400, True)}
    assert check(service.ledger) == []
    for entity in ENTITIES:
        assert ask(service, "GET", "query", query=f"SELECT * FROM {entity} MAXRESULTS 1000")[0] == 200
    assert ask(service, "GET", "reports/AgedReceivableDetail")[0] == 200


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_statement_of_nonsense_is_refused(service: QuickBooks, data: st.DataObject) -> None:
    words = STATEMENT.split()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words)))
        new = st.one_of(
            st.sampled_from(["'", "\\", "NaN", "Infinity", "(", ")", "*", "or", "in", "9" * 30, ",", "like"]),
            st.text(max_size=4),
        )
        words[at : at + data.draw(st.integers(0, 1))] = [data.draw(new)]
    status, answer = ask(service, "GET", "query", query=" ".join(words))
    assert (status, "Fault" in answer) in {(200, False), (400, True)}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"BatchItemRequest": null}', b"9" * 9000]
)
@pytest.mark.parametrize("resource", ["invoice", "batch", "attachable"])
def test_what_is_no_body_at_all_is_refused(service: QuickBooks, resource: str, body: bytes) -> None:
    status, answer = ask(service, "POST", resource, body)
    if not (resource == "batch" and b"null}" in body):
        assert (status, "Fault" in answer) == (400, True)
    assert check(service.ledger) == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("SalesTermRef", {"value": "77"}, "2500"),
        ("ExchangeRate", 0, "2030"),
        ("Deposit", 1000, "6000"),
        ("Line", [{**LINE, "Amount": -5}], "6000"),
        ("Line", {"Amount": 1}, "2010"),
        ("TxnTaxDetail", {"TotalTax": "NaN"}, "2030"),
    ],
)
def test_fields_that_cannot_be_are_refused_by_their_code(
    service: QuickBooks, field: str, value: Any, code: str
) -> None:
    body = {name: value for name, value in BODIES["invoice"].items() if name != "DocNumber"}
    status, answer = ask(service, "POST", "invoice", json.dumps({**body, field: value}).encode())
    assert (status, answer["Fault"]["Error"][0]["code"]) == (400, code)
