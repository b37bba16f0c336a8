"""The record API: what a GET shows, what PATCH, PUT and POST change, and what they refuse."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.netsuite.start import Handle
from tests.testkit.netsuite.support import Client

STRICT = {"X_NetSuite_PropertyNameValidation": "error"}


def _open_invoice(handle: Handle) -> str:
    return next(one.id for one in handle.ledger.invoices.values() if one.open)


def test_an_invoice_has_the_shape_of_oracles_example(books: Handle, reader: Client) -> None:
    one = books.ledger.invoices[_open_invoice(books)]
    body = reader.record(f"invoice/{one.id}")
    assert body["id"] == one.id
    assert (body["total"], body["amountRemaining"]) == (one.total, one.open)
    assert body["tranDate"] == one.issued.isoformat()
    assert body["status"] == {"id": "Open", "refName": "Open"}
    assert body["entity"]["id"] == one.customer
    assert body["entity"]["links"][0]["href"].endswith(f"/record/v1/customer/{one.customer}")
    assert body["lastModifiedDate"].endswith(":00Z"), "whole minutes, UTC"
    assert body["item"] == {
        "links": [{"rel": "self", "href": f"{reader.root}/record/v1/invoice/{one.id}/item", "method": "GET"}]
    }
    assert body["custbody_ar_disputed"] is False
    assert "custbody_ar_promise_amount" not in body


def test_lines_come_on_request(books: Handle, reader: Client) -> None:
    one = books.ledger.invoices[_open_invoice(books)]
    expanded = reader.record(f"invoice/{one.id}", expandSubResources="true")["item"]
    assert [Decimal(line["amount"]) for line in expanded["items"]] == [line.amount for line in one.lines]
    assert reader.record(f"invoice/{one.id}/item")["count"] == expanded["totalResults"] == len(one.lines)


def test_fields_and_simple_enums(reader: Client) -> None:
    body = reader.record("customer/2", fields="companyName,email")
    assert set(body) <= {"links", "companyName", "email"}
    assert reader.record("customer/2", simpleEnumFormat="true")["creditHoldOverride"] == "AUTO"
    assert reader.record("customer/2")["creditHoldOverride"] == {"id": "AUTO", "refName": "Auto"}


def test_what_payments_credits_and_deposits_are_applied_to(books: Handle, reader: Client) -> None:
    ledger = books.ledger
    payment = next(
        one for one in ledger.payments.values() if one.total and one.applications and not one.voided
    )
    body = reader.record(f"customerPayment/{payment.id}", expandSubResources="true")
    assert (body["payment"], body["unapplied"]) == (payment.total, payment.unapplied)
    assert sum(Decimal(line["amount"]) for line in body["apply"]["items"]) == payment.used
    credit = next(one for one in ledger.credits.values() if one.applied)
    body = reader.record(f"creditMemo/{credit.id}", expandSubResources="true")
    assert (body["total"], body["unapplied"], body["applied"]) == (credit.total, credit.open, credit.applied)
    assert sum(Decimal(line["amount"]) for line in body["apply"]["items"]) == credit.applied
    deposit = next(one for one in ledger.deposits.values() if one.applied)
    assert reader.record(f"customerDeposit/{deposit.id}")["payment"] == deposit.total
    application = next(
        one for one in ledger.payments.values() if any(part.kind == "deposit" for part in one.applications)
    )
    body = reader.record(f"depositApplication/{application.id}", expandSubResources="true")
    assert sum(Decimal(line["amount"]) for line in body["apply"]["items"]) == body["total"]
    journal = next(iter(ledger.journals.values()))
    lines = reader.record(f"journalEntry/{journal.id}", expandSubResources="true")["line"]["items"]
    assert Decimal(lines[0].get("debit", 0)) - Decimal(lines[0].get("credit", 0)) == journal.amount


def test_lists_have_ids_and_links_only(books: Handle, reader: Client) -> None:
    page = reader.record("customer", limit=5, offset=5)
    assert page["count"] == 5
    assert all(set(item) == {"links", "id"} for item in page["items"])
    assert page["totalResults"] == len(books.ledger.customers)
    day = books.ledger.now().date() - timedelta(days=200)
    page = reader.record(
        "invoice", q=f'tranDate ON_OR_AFTER "{day:%m/%d/%Y}" AND tranDate BEFORE "11/20/2026"'
    )
    wanted = {one.id for one in books.ledger.invoices.values() if day <= one.issued < date(2026, 11, 20)}
    assert {item["id"] for item in page["items"]} == wanted
    assert reader.refused(reader.send("GET", "record/v1/invoice", q='tranDate AFTER "2026-01-31"'))[0] == 400
    assert reader.refused(reader.send("GET", "record/v1/invoice", q="nonsense"))[0] == 400
    assert reader.refused(reader.send("GET", "record/v1/invoice", q='nothing IS "x"'))[0] == 400


@pytest.mark.parametrize(
    ("path", "status", "code", "words"),
    [
        ("invoice/999999", 400, "USER_ERROR", "Transaction type specified is incorrect."),
        ("customerPayment/abc", 400, "USER_ERROR", "Transaction type specified is incorrect."),
        ("customer/999999", 404, "NONEXISTENT_ID", "The record instance does not exist."),
        ("phoneCall/5", 404, "NONEXISTENT_ID", "The record instance does not exist."),
        ("file", 404, "NONEXISTENT_ID", "Record type 'file' does not exist."),
        ("file/5", 404, "NONEXISTENT_ID", "Record type 'file' does not exist."),
        ("invoice/eid:nothing", 400, "USER_ERROR", "Transaction type specified is incorrect."),
    ],
)
def test_what_is_not_there(reader: Client, path: str, status: int, code: str, words: str) -> None:
    found = reader.refused(reader.send("GET", f"record/v1/{path}"))
    assert found[:2] == (status, code)
    assert words in found[2]


def test_an_invoice_is_no_credit_memo(books: Handle, reader: Client) -> None:
    invoice = _open_invoice(books)
    assert reader.refused(reader.send("GET", f"record/v1/creditMemo/{invoice}"))[0] == 400


def test_a_promised_date_needs_its_source(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    answer = client.write("PATCH", f"invoice/{invoice}", {"userEstimatedPaymentDate": "2026-12-24"})
    assert "User-Estimated Payment Date Source" in client.refused(answer)[2]
    both = {"userEstimatedPaymentDate": "2026-12-24", "userEstimateSource": {"id": "CUSTOMER_PROMISED_DATE"}}
    answer = client.write("PATCH", f"invoice/{invoice}", both, **STRICT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Location"].endswith(f"/record/v1/invoice/{invoice}")
    assert "X-N-OperationId" in answer.headers
    assert netsuite_emulator.ledger.invoices[invoice].expected == date(2026, 12, 24)
    body = client.record(f"invoice/{invoice}", fields="userEstimatedPaymentDate,userEstimateSource")
    assert body["userEstimatedPaymentDate"] == "2026-12-24"
    assert body["userEstimateSource"] == {"id": "CUSTOMER_PROMISED_DATE", "refName": "Customer Promised Date"}
    client.write(
        "PATCH", f"invoice/{invoice}", {"userEstimatedPaymentDate": None, "userEstimateSource": None}
    )
    assert netsuite_emulator.ledger.invoices[invoice].expected is None
    assert "userEstimateSource" not in client.record(f"invoice/{invoice}")


def test_a_patch_leaves_alone_what_it_does_not_name(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    before = client.record(f"invoice/{invoice}")
    netsuite_emulator.clock.advance(timedelta(minutes=5))
    assert (
        client.write("PATCH", f"invoice/{invoice}", {"custbody_ar_promise_amount": 250.10}).status_code == 204
    )
    after = client.record(f"invoice/{invoice}")
    assert after.pop("custbody_ar_promise_amount") == Decimal("250.1")
    assert after.pop("lastModifiedDate") > before.pop("lastModifiedDate")
    assert after == before
    (row,) = client.rows(
        "SELECT custbody_ar_promise_amount AS a FROM transaction WHERE id = ?", bound=[invoice]
    )
    assert row == {"a": "250.1"}


def test_custom_fields_of_every_kind(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    body = {
        "custbody_ar_disputed": True,
        "custbody_ar_dispute_reason": {"refName": "Quality"},
        "custbody_ar_dispute_opened": "2026-11-20",
        "custbody_ar_dispute_note": "first\\nsecond",
        "custbody_ar_promise_note": "lost\nline",
    }
    assert client.write("PATCH", f"invoice/{invoice}", body, **STRICT).status_code == 204
    shown = client.record(f"invoice/{invoice}")
    assert shown["custbody_ar_disputed"] is True
    assert shown["custbody_ar_dispute_reason"] == {"id": "2", "refName": "Quality"}
    assert shown["custbody_ar_dispute_note"] == "first\nsecond"
    assert shown["custbody_ar_promise_note"] == "lost line"
    (row,) = client.rows(
        "SELECT custbody_ar_disputed AS flag, BUILTIN.DF(custbody_ar_dispute_reason) AS reason, "
        "TO_CHAR(custbody_ar_dispute_opened, 'YYYY-MM-DD') AS opened FROM transaction WHERE id = ?",
        bound=[invoice],
    )
    assert row == {"flag": "T", "reason": "Quality", "opened": "2026-11-20"}


def test_typos_vanish_unless_the_caller_wants_to_know(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    typo = {"custbody_ar_promise_amout": 5}
    answer = client.write("PATCH", f"invoice/{invoice}", typo)
    assert answer.status_code == 204
    assert "custbody_ar_promise_amout" in answer.headers["X-NetSuite-PropertyValidation"]
    quiet = client.write("PATCH", f"invoice/{invoice}", typo, X_NetSuite_PropertyNameValidation="ignore")
    assert "X-NetSuite-PropertyValidation" not in quiet.headers
    answer = client.write("PATCH", f"invoice/{invoice}", typo, **STRICT)
    assert client.refused(answer)[:2] == (400, "INVALID_CONTENT")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "custbody_ar_promise_amout"
    assert (
        client.refused(
            client.write("PATCH", f"invoice/{invoice}", {}, X_NetSuite_PropertyNameValidation="loud")
        )[0]
        == 400
    )


@pytest.mark.parametrize(
    "body",
    [
        {"userEstimatedPaymentDate": "24.12.2026"},
        {"userEstimatedPaymentDate": "2026-02-30"},
        {"userEstimateSource": {"id": "SOMEBODY"}},
        {"custbody_ar_promise_amount": "a lot"},
        {"custbody_ar_disputed": "T"},
        {"custbody_ar_dispute_reason": {"id": "99"}},
        {"memo": 5},
        {"terms": {"refName": "Net 30"}},
        {"item": []},
    ],
)
def test_values_that_cannot_be(netsuite_emulator: Handle, client: Client, body: dict[str, object]) -> None:
    invoice = _open_invoice(netsuite_emulator)
    before = client.record(f"invoice/{invoice}")
    answer = client.write("PATCH", f"invoice/{invoice}", body)
    assert client.refused(answer)[:2] == (400, "INVALID_CONTENT")
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == next(iter(body))
    assert client.record(f"invoice/{invoice}") == before


def test_amounts_are_not_for_writing(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    before = netsuite_emulator.truth()
    assert client.write(
        "PATCH", f"invoice/{invoice}", {"total": 1, "amountRemaining": 0, "status": {"id": "B"}}
    ).status_code in {
        204,
        400,
    }
    assert netsuite_emulator.truth() == before


def test_a_credit_hold_is_set_and_given_back(netsuite_emulator: Handle, client: Client) -> None:
    def hold() -> tuple[str, str]:
        (row,) = client.rows("SELECT creditholdoverride, oncredithold FROM customer WHERE id = 2")
        return row["creditholdoverride"], row["oncredithold"]

    assert hold() == ("AUTO", "F")
    assert (
        client.write("PATCH", "customer/2", {"creditHoldOverride": {"id": "ON"}}, **STRICT).status_code == 204
    )
    assert hold() == ("ON", "T")
    assert client.write("PATCH", "customer/2", {"creditHoldOverride": "AUTO"}).status_code == 204
    assert hold() == ("AUTO", "F")
    netsuite_emulator.stories.issue_invoice("2", "5000.00")
    assert client.write("PATCH", "customer/2", {"creditLimit": 10}).status_code == 204
    assert hold() == ("AUTO", "T"), "automatic: over the limit"
    assert client.write("PATCH", "customer/2", {"creditHoldOverride": {"refName": "Off"}}).status_code == 204
    assert hold() == ("OFF", "F")


def test_an_upsert_by_external_id_is_made_once(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    owner = netsuite_emulator.ledger.invoices[invoice].customer
    body = {
        "title": "Promise of 250",
        "message": "Will pay on Friday",
        "company": {"id": owner},
        "transaction": {"id": invoice},
        "status": {"id": "COMPLETE"},
        "completedDate": "2026-11-20",
    }
    first = client.write("PUT", "phoneCall/eid:AB~C 1", body, **STRICT)
    again = client.write("PUT", "phoneCall/eid:AB~C 1", {**body, "message": "On Monday"}, **STRICT)
    assert first.status_code == again.status_code == 204
    assert first.headers["Location"] == again.headers["Location"]
    assert client.rows("SELECT externalid, message, company, transaction, status FROM phonecall") == [
        {
            "externalid": "AB~C 1",
            "message": "On Monday",
            "company": owner,
            "transaction": invoice,
            "status": "COMPLETE",
        }
    ]
    assert list(netsuite_emulator.truth().notes.values()) == ["Promise of 250\nOn Monday"]
    shown = client.record("phoneCall/eid:AB~C 1")
    assert shown["status"] == {"id": "COMPLETE", "refName": "Completed"}
    assert client.send("DELETE", f"record/v1/phoneCall/{shown['id']}").status_code == 204
    assert client.rows("SELECT id FROM phonecall") == []
    assert client.refused(client.write("PUT", "phoneCall/5", body))[0] == 400


@pytest.mark.parametrize("kind", ["phoneCall", "task", "supportCase"])
def test_a_post_is_made_as_often_as_it_comes(client: Client, kind: str) -> None:
    for number in range(2):
        answer = client.write("POST", kind, {"title": f"Call {number}", "company": {"id": "2"}}, **STRICT)
        assert answer.status_code == 204
        assert (
            client.record(answer.headers["Location"].partition("/record/v1/")[2])["title"] == f"Call {number}"
        )
    assert len(client.rows(f"SELECT id FROM {kind}")) == 2
    named = {"title": "Named", "externalId": "x1"}
    assert client.write("POST", kind, named).status_code == 204
    assert "already exists" in client.refused(client.write("POST", kind, named))[2]
    assert client.refused(client.write("POST", kind, {"message": "no title"}))[1] in {
        "USER_ERROR",
        "INVALID_CONTENT",
    }
    assert (
        client.refused(client.write("POST", kind, {"title": "x", "company": {"id": "99999"}}))[1]
        == "INVALID_CONTENT"
    )


def test_a_locked_record_can_be_neither_read_nor_written(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    netsuite_emulator.account.locked.add(("invoice", invoice))
    words = "This record has been locked by a user defined workflow."
    for answer in (
        client.send("GET", f"record/v1/invoice/{invoice}"),
        client.write("PATCH", f"invoice/{invoice}", {"memo": "x"}),
    ):
        assert client.refused(answer)[:2] == (400, "USER_ERROR")
        assert words in client.refused(answer)[2]
    assert client.rows("SELECT id FROM transaction WHERE id = ?", bound=[invoice]) == [{"id": invoice}]
    netsuite_emulator.account.locked.clear()
    assert client.write("PATCH", f"invoice/{invoice}", {"memo": "x"}).status_code == 204


def test_a_role_may_query_what_it_may_not_edit(netsuite_emulator: Handle, client: Client) -> None:
    netsuite_emulator.account.read_only.add("customer")
    assert client.rows("SELECT id FROM customer WHERE id = ?", bound=["2"]) == [{"id": "2"}]
    assert client.record("customer", limit=1)["count"] == 1
    for answer in (
        client.send("GET", "record/v1/customer/2"),
        client.write("PATCH", "customer/2", {"comments": "x"}),
    ):
        code, detail = client.refused(answer)[1:]
        assert code == "USER_ERROR"
        assert "Your current role does not have permission" in detail


def test_a_closed_period_takes_no_changes_unless_it_allows_them(
    netsuite_emulator: Handle, client: Client
) -> None:
    ledger = netsuite_emulator.ledger
    invoice = _open_invoice(netsuite_emulator)
    ledger.settings.closed_through = ledger.invoices[invoice].issued + timedelta(days=40)
    ledger.revision += 1
    answer = client.write("PATCH", f"invoice/{invoice}", {"memo": "x"})
    assert "closed accounting period" in client.refused(answer)[2]
    assert client.rows("SELECT id FROM accountingperiod WHERE closed = 'T' AND allownonglchanges = 'F'")
    netsuite_emulator.account.allow_non_gl_changes = True
    assert client.write("PATCH", f"invoice/{invoice}", {"memo": "x"}).status_code == 204
    assert client.rows("SELECT id FROM accountingperiod WHERE closed = 'T' AND allownonglchanges = 'T'")


def test_invoices_payments_and_customers_can_be_made(netsuite_emulator: Handle, client: Client) -> None:
    customer = {"companyName": "Sable Gardens 999", "subsidiary": {"id": "1"}, "currency": {"id": "1"}}
    made = client.write("POST", "customer", customer, **STRICT).headers["Location"].rpartition("/")[2]
    assert "already exists" in client.refused(client.write("POST", "customer", customer))[2]
    body = {
        "entity": {"id": made},
        "item": {"items": [{"item": {"id": "1"}, "quantity": 2, "rate": 50.25}, {"amount": 10}]},
        "memo": "By REST",
    }
    invoice = client.write("POST", "invoice", body).headers["Location"].rpartition("/")[2]
    assert client.record(f"invoice/{invoice}")["total"] == Decimal("110.5")
    payment = {
        "customer": {"id": made},
        "payment": 60,
        "apply": {"items": [{"doc": {"id": invoice}, "amount": 50.5, "apply": True}]},
    }
    paid = client.write("POST", "customerPayment", payment).headers["Location"].rpartition("/")[2]
    assert client.record(f"customerPayment/{paid}")["unapplied"] == Decimal("9.5")
    assert client.record(f"invoice/{invoice}")["amountRemaining"] == 60
    rest = client.write("POST", f"invoice/{invoice}/!transform/customerPayment", {})
    assert rest.status_code == 204
    assert client.record(f"invoice/{invoice}")["status"] == {"id": "Paid In Full", "refName": "Paid In Full"}
    assert client.send("DELETE", f"record/v1/customerPayment/{paid}").status_code == 204
    assert client.record(f"invoice/{invoice}")["amountRemaining"] == Decimal("50.5")
    assert check(netsuite_emulator.ledger) == []
    bad = {"customer": {"id": made}, "apply": {"items": [{"doc": {"id": "99999"}, "amount": 5}]}}
    answer = client.write("POST", "customerPayment", bad)
    assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "apply.items[0].doc"
    assert client.refused(client.write("POST", "invoice", {"entity": {"id": made}}))[1] == "USER_ERROR"
    assert client.refused(client.write("POST", "creditMemo", {}))[1] == "USER_ERROR"


def test_lines_are_added_changed_or_replaced(netsuite_emulator: Handle, client: Client) -> None:
    invoice = netsuite_emulator.stories.issue_invoice(amount="100.00").id

    def amounts() -> list[Decimal]:
        items = client.record(f"invoice/{invoice}", expandSubResources="true")["item"]["items"]
        return [Decimal(line["amount"]) for line in items]

    def write(lines: list[dict[str, object]], query: str = "") -> None:
        answer = client.write("PATCH", f"invoice/{invoice}{query}", {"item": {"items": lines}})
        assert answer.status_code == 204, answer.text

    write([{"amount": 5.5}])
    assert amounts() == [100, Decimal("5.5")]
    write([{"line": 1, "amount": 90}])
    assert amounts() == [90, Decimal("5.5")]
    write([{"rate": 4, "quantity": 3}], "?replace=item")
    assert amounts() == [12]
    bad = client.write("PATCH", f"invoice/{invoice}", {"item": {"items": [{"line": 7, "amount": 1}]}})
    assert bad.json()["o:errorDetails"][0]["o:errorPath"] == "item.items[0].line"
    owner = {"id": netsuite_emulator.ledger.invoices[invoice].customer}
    paid = client.write("POST", "customerPayment", {"customer": owner, "payment": 10, "checkNum": "77"})
    payment = paid.headers["Location"].rpartition("/")[2]
    apply = {"apply": {"items": [{"doc": {"id": invoice}, "amount": 7}]}, "tranDate": "2026-11-19"}
    assert client.write("PATCH", f"customerPayment/{payment}", apply).status_code == 204
    shown = client.record(f"customerPayment/{payment}")
    assert (shown["unapplied"], shown["checkNum"], shown["tranDate"]) == (3, "77", "2026-11-19")
    undo = {"apply": {"items": [{"doc": {"id": invoice}, "apply": False}]}}
    assert client.write("PATCH", f"customerPayment/{payment}", undo).status_code == 204
    assert client.record(f"customerPayment/{payment}")["unapplied"] == 10
    assert check(netsuite_emulator.ledger) == []


def test_who_owes_and_in_what_is_not_changed(netsuite_emulator: Handle, client: Client) -> None:
    invoice = _open_invoice(netsuite_emulator)
    answer = client.write("PATCH", f"invoice/{invoice}", {"entity": {"id": "2"}})
    assert "You cannot change" in client.refused(answer)[2]
    currency = client.record("customer/2")["currency"]["id"]
    assert client.write("PATCH", "customer/2", {"currency": {"id": currency}}).status_code == 204
    assert (
        "You cannot change"
        in client.refused(client.write("PATCH", "customer/2", {"currency": {"id": "3"}}))[2]
    )


def test_metadata_names_custom_fields_and_their_types(reader: Client) -> None:
    names = {item["name"] for item in reader.record("metadata-catalog")["items"]}
    assert {"invoice", "customer", "customerPayment", "phoneCall"} <= names
    answer = reader.send(
        "GET", "record/v1/metadata-catalog/invoice", headers={"Accept": "application/schema+json"}
    )
    assert answer.headers["Content-Type"] == "application/schema+json"
    properties = answer.json()["properties"]
    assert properties["custbody_ar_promise_amount"]["type"] == "number"
    assert properties["custbody_ar_disputed"]["type"] == "boolean"
    assert properties["userEstimateSource"]["properties"]["id"]["enum"] == [
        "COMPANY_ESTIMATE",
        "CUSTOMER_PROMISED_DATE",
    ]
    assert reader.send("GET", "record/v1/metadata-catalog/file").status_code == 404


def test_asynchronous_calls_have_jobs_and_keys_that_count(netsuite_emulator: Handle, client: Client) -> None:
    headers = {"Prefer": "respond-async", "X_NetSuite_Idempotency_Key": "4711"}
    body = {"title": "Once"}
    first = client.write("POST", "phoneCall", body, **headers)
    again = client.write("POST", "phoneCall", body, **headers)
    assert first.status_code == 202
    assert client.refused(again)[:2] == (400, "IDEMPOTENCY_ERROR")
    assert first.headers["Location"] == again.headers["Location"]
    job = first.headers["Location"].removeprefix(f"{client.root}/")
    assert client.send("GET", job).json()["completed"] is True
    assert client.send("GET", f"{job}/task").json()["count"] == 1
    result = client.send("GET", f"{job}/task/1/result")
    assert result.status_code == 204
    assert "/phonecall/" in result.headers["Location"]
    assert len(netsuite_emulator.ledger.notes) == 1
    failed = (
        client.write("POST", "phoneCall", {}, Prefer="respond-async")
        .headers["Location"]
        .removeprefix(f"{client.root}/")
    )
    assert client.send("GET", f"{failed}/task/1").json()["progress"] == "failed"
    assert client.send("GET", f"{failed}/task/1/result").status_code == 400
    assert client.send("GET", "async/v1/job/99").status_code == 404
