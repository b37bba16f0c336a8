"""Whatever a client sends, it gets an answer of Xero's kind, and the books stay whole and readable."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW, generate
from ar_connectors.testkit.exchange import Call
from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.xero import Xero
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.view import PRIMARY
from tests.testkit.test_nonsense import NONSENSE, places

CONTACT = {"ContactID": guid("contact", 1)}
BODIES: dict[str, Any] = {
    "Invoices": {
        "Invoices": [
            {
                "Type": "ACCREC", "Contact": CONTACT, "Date": "2026-11-01", "DueDate": "/Date(1796083200000+0000)/",
                "Status": "AUTHORISED", "Reference": "x", "InvoiceNumber": "N", "ExpectedPaymentDate": "2026-12-01",
                "LineItems": [{"Description": "d", "Quantity": 1, "UnitAmount": "2.50", "AccountCode": "200"}],
            }
        ]
    },
    "Contacts": {"Contacts": [{"Name": "N", "EmailAddress": "a@b.example", "ContactNumber": "1", "ContactStatus": "ACTIVE"}]},
    "Payments": {
        "Payments": [
            {"Invoice": {"InvoiceID": guid("invoice", 1)}, "Account": {"Code": "090"}, "Amount": 1, "Date": "2026-11-02"}
        ]
    },
    "CreditNotes": {
        "CreditNotes": [
            {"Type": "ACCRECCREDIT", "Status": "AUTHORISED", "Contact": CONTACT, "LineItems": [{"LineAmount": 1}]}
        ]
    },
    "ContactGroups": {"ContactGroups": [{"Name": "G", "Status": "ACTIVE"}]},
    f"Contacts/{guid('contact', 1)}/History": {"HistoryRecords": [{"Details": "note"}]},
    f"Invoices/{guid('invoice', 1)}": {"Invoices": [{"DueDate": "2026-12-01", "SentToContact": True, "Url": "x"}]},
}  # fmt: skip


CONDITION = (
    'Type == "ACCREC" AND ( DueDate > DateTime(2026,1,31) OR AmountDue != 0 ) AND Contact.Name.Contains("a")'
)


@pytest.fixture(scope="module")
def service() -> Xero:
    return Xero(generate(3, invoices=30, now=DEFAULT_NOW), ScriptedClock(DEFAULT_NOW))


def ask(service: Xero, method: str, path: str, body: bytes = b"", **params: str) -> tuple[int, Any]:
    headers = {
        "authorization": f"Bearer {service.authority.grant()[0]}",
        "xero-tenant-id": service.tenant,
        "accept": "application/json",
    }
    reply, _ = service.handle(Call(method, f"/api.xro/2.0/{path}", params, headers, body))
    whole = reply.whole()
    return reply.status, json.loads(whole) if reply.content_type.startswith(
        "application/json"
    ) and whole else None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_body_of_nonsense_is_refused_or_kept_and_never_spoils_the_books(
    service: Xero, data: st.DataObject
) -> None:
    resource = data.draw(st.sampled_from(sorted(BODIES)), "resource")
    body = copy.deepcopy(BODIES[resource])
    for _ in range(data.draw(st.integers(1, 2))):
        holder, key = data.draw(st.sampled_from(list(places(body))), "place")
        holder[key] = data.draw(NONSENSE, "nonsense")
    summarize = data.draw(st.sampled_from(["true", "false"]))
    method = data.draw(st.sampled_from(["PUT", "POST"]))
    status, answer = ask(service, method, resource, json.dumps(body).encode(), summarizeErrors=summarize)
    assert status in {200, 400, 404, 501}
    assert status != 400 or {"Type", "Message"} <= set(answer)
    assert check(service.ledger) == []
    for endpoint in PRIMARY:
        assert ask(service, "GET", endpoint, page="1", pageSize="1000")[0] == 200


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_condition_of_nonsense_is_refused_or_answered(service: Xero, data: st.DataObject) -> None:
    words = CONDITION.split()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words)))
        new = st.one_of(
            st.sampled_from(
                ['"', "\\", "NaN", "(", ")", "==", "OR", "null", "9" * 30, ",", "guid(", "DateTime(9,9,9)"]
            ),
            st.text(max_size=4),
        )
        words[at : at + data.draw(st.integers(0, 1))] = [data.draw(new)]
    status, answer = ask(service, "GET", "Invoices", where=" ".join(words), page="1")
    assert status == 200 or (status, answer["Type"]) == (400, "QueryParseException")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"Invoices": null}', b"9" * 9000, b"<Invoices/>"]
)
@pytest.mark.parametrize("resource", ["Invoices", "Payments", "ContactGroups"])
def test_what_is_no_body_at_all_is_refused(service: Xero, resource: str, body: bytes) -> None:
    status, answer = ask(service, "POST" if resource != "ContactGroups" else "PUT", resource, body)
    assert (status, answer["Type"] in {"PostDataInvalidException", "ValidationException"}) == (400, True)
    assert check(service.ledger) == []


@pytest.mark.parametrize(
    "params", [{"page": "x"}, {"pageSize": "1e9"}, {"IDs": "1,2"}, {"order": "Name SIDEWAYS"}, {"order": "Nothing"}, {"where": "("}]
)  # fmt: skip
def test_parameters_that_cannot_be_are_refused(service: Xero, params: dict[str, str]) -> None:
    status, answer = ask(service, "GET", "Invoices", b"", **params)
    assert (status, answer["Type"]) == (400, "QueryParseException")
