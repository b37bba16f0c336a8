"""The emulated QuickBooks: feed, writes, tokens, limits, and what is unpleasant about them, over real sockets."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger, Line
from ar_connectors.testkit.quickbooks import Limits
from ar_connectors.testkit.server import Handle, start_quickbooks
from tests.testkit.support import Client, client_of


def feed(client: Client, entities: str, since: datetime) -> list[dict[str, Any]]:
    answer = client.get("cdc", entities=entities, changedSince=since.isoformat())
    groups: list[dict[str, Any]] = answer["CDCResponse"][0]["QueryResponse"]
    return groups


# ---- the change feed


def test_the_feed_tells_changes_deletions_and_nothing_else(client: Client, emulator: Handle) -> None:
    emulator.clock.advance(timedelta(minutes=10))
    since = emulator.clock.now()
    assert feed(client, "Invoice,Customer,Payment", since) == [{}, {}, {}]
    paid = emulator.stories.run("receive_payment")
    made = emulator.stories.run("issue_invoice")["id"]
    emulator.stories.run("delete_payment", payment=paid["id"])
    invoices, customers, payments = feed(client, "Invoice,Customer,Payment", since)
    assert made in {row["Id"] for row in invoices["Invoice"]}
    assert feed(client, "invoice,CUSTOMER,payment", since) == [invoices, customers, payments]
    assert (invoices["startPosition"], invoices["maxResults"]) == (1, len(invoices["Invoice"]))
    assert customers == {}
    assert payments["totalCount"] == 1
    assert "startPosition" not in payments
    (stub,) = payments["Payment"]
    assert (stub["status"], stub["Id"], stub["domain"]) == ("Deleted", paid["id"], "QBO")


def test_the_feed_reaches_thirty_days_back(client: Client, emulator: Handle) -> None:
    now = emulator.clock.now()
    assert feed(client, "Invoice", now - timedelta(days=29, hours=23))
    late = (now - timedelta(days=30, minutes=1)).isoformat()
    assert client.refused("GET", "cdc", entities="Invoice", changedSince=late) == "2030"


def test_the_feed_is_cut_off_at_a_thousand_objects_without_a_word() -> None:
    clock = ScriptedClock(datetime(2026, 11, 1, tzinfo=UTC))
    ledger = Ledger(clock.now)
    owner = ledger.open_customer("Acme")
    for number in range(1300):
        ledger.issue_invoice(owner.id, [Line(Decimal(1))], issued=date(2026, 11, 1), number=str(number))
    with start_quickbooks(ledger=ledger, clock=clock) as handle, client_of(handle) as client:
        customers, invoices = feed(client, "Customer,Invoice", clock.now())
        assert len(customers["Customer"]) + len(invoices["Invoice"]) == 1000
        assert len(client.query("SELECT * FROM Invoice STARTPOSITION 1001 MAXRESULTS 1000")["Invoice"]) == 300


# ---- writing


def open_invoice(client: Client) -> dict[str, Any]:
    row: dict[str, Any] = client.query("SELECT * FROM Invoice WHERE Balance > '0' MAXRESULTS 1")["Invoice"][0]
    return row


def test_a_note_does_not_touch_what_it_hangs_on(client: Client, emulator: Handle) -> None:
    invoice = open_invoice(client)
    emulator.clock.advance(timedelta(minutes=1))
    reference = {"EntityRef": {"type": "Invoice", "value": invoice["Id"]}, "IncludeOnSend": False}
    note = client.post("attachable", {"Note": "[AR:x] hello", "AttachableRef": [reference]})["Attachable"]
    assert (note["SyncToken"], note["AttachableRef"]) == ("0", [reference])
    assert client.get(f"invoice/{invoice['Id']}")["Invoice"] == invoice
    where = f"AttachableRef.EntityRef.type = 'Invoice' AND AttachableRef.EntityRef.value = '{invoice['Id']}'"
    assert client.query(f"SELECT * FROM Attachable WHERE {where}")["Attachable"] == [note]
    assert client.query("SELECT * FROM Attachable WHERE Note LIKE '%[AR:%'")["Attachable"] == [note]
    change = {"Id": note["Id"], "SyncToken": "0", "sparse": True, "Note": "[AR:x] bye"}
    changed = client.post("attachable", change)["Attachable"]
    assert (changed["Note"], changed["SyncToken"], changed["AttachableRef"]) == (
        "[AR:x] bye",
        "1",
        [reference],
    )
    assert client.refused("POST", "attachable", change) == "5010"
    gone = client.post("attachable", {"Id": note["Id"], "SyncToken": "1"}, operation="delete")["Attachable"]
    assert gone == {"domain": "QBO", "status": "Deleted", "Id": note["Id"]}
    assert client.refused("GET", f"attachable/{note['Id']}") == "610"


def test_a_note_on_nothing_is_refused(client: Client) -> None:
    reference = {"EntityRef": {"type": "Invoice", "value": "424242"}}
    assert client.refused("POST", "attachable", {"Note": "x", "AttachableRef": [reference]}) == "6000"
    assert client.refused("POST", "attachable", {"Note": "x" * 2001}) == "2050"


def test_a_company_in_the_united_states_keeps_latin_1_only(client: Client) -> None:
    assert client.post("attachable", {"Note": "Zahlung für 5 € \N{SLIGHTLY SMILING FACE}"})["Attachable"][
        "Note"
    ] == ("Zahlung für 5 ? ?")


def test_a_sparse_update_of_a_customer_keeps_the_rest(client: Client, emulator: Handle) -> None:
    before = client.get("customer/1")["Customer"]
    body = {"Id": "1", "SyncToken": before["SyncToken"], "sparse": True, "Notes": "Call Ada"}
    after = client.post("customer", body)["Customer"]
    expected = {**before, "Notes": "Call Ada", "SyncToken": str(int(before["SyncToken"]) + 1)}
    assert {**after, "MetaData": None} == {**expected, "MetaData": None}
    assert emulator.ledger.customer("1").notes == "Call Ada"
    assert (
        client.refused("POST", "customer", {**body, "SyncToken": after["SyncToken"], "Notes": "x" * 2001})
        == "2050"
    )


def test_a_full_update_empties_what_it_leaves_out(client: Client) -> None:
    before = open_invoice(client)
    noted = client.post(
        "invoice", {"Id": before["Id"], "SyncToken": before["SyncToken"], "sparse": True, "PrivateNote": "x"}
    )
    body = {
        name: value
        for name, value in noted["Invoice"].items()
        if name not in {"PrivateNote", "DueDate", "sparse"}
    }
    after = client.post("invoice", json.loads(json.dumps(body, default=str)))["Invoice"]
    assert "PrivateNote" not in after
    assert "DueDate" not in after
    assert after["TotalAmt"] == before["TotalAmt"]


def test_an_invoice_is_made_paid_and_voided_by_the_api(client: Client, emulator: Handle) -> None:
    line = {
        "Amount": 120.5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
    }
    body = {"CustomerRef": {"value": "1"}, "Line": [line], "TxnDate": "2026-11-01", "DueDate": "2026-11-15"}
    made = client.post("invoice", body)["Invoice"]
    assert (made["TotalAmt"], made["Balance"], made["Line"][-1]["DetailType"]) == (
        Decimal("120.50"),
        Decimal("120.50"),
        "SubTotalLineDetail",
    )
    assert "Id" not in made["Line"][-1]
    link = {"Amount": 100, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]}
    paid = client.post("payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 110, "Line": [link]})["Payment"]
    assert paid["UnappliedAmt"] == Decimal("10.00")
    now = client.get(f"invoice/{made['Id']}")["Invoice"]
    assert (now["Balance"], now["LinkedTxn"]) == (
        Decimal("20.50"),
        [{"TxnId": paid["Id"], "TxnType": "Payment"}],
    )
    assert (
        client.refused(
            "POST", "invoice", {"Id": made["Id"], "SyncToken": now["SyncToken"]}, operation="delete"
        )
        == "6000"
    )
    voided = client.post("invoice", {"Id": made["Id"], "SyncToken": now["SyncToken"]}, operation="void")[
        "Invoice"
    ]
    assert (voided["TotalAmt"], voided["Balance"], voided["LinkedTxn"], voided["PrivateNote"]) == (
        0,
        0,
        [],
        "Voided",
    )
    assert client.get(f"payment/{paid['Id']}")["Payment"]["UnappliedAmt"] == Decimal("110.00")
    assert made["Id"] in emulator.truth().voided


def test_closed_books_cannot_be_touched_but_notes_and_customers_can(client: Client, emulator: Handle) -> None:
    invoice = open_invoice(client)
    assert "BookCloseDate" not in client.get("preferences")["Preferences"]["AccountingInfoPrefs"]
    emulator.stories.run("close_books", through=invoice["TxnDate"])
    assert (
        client.get("preferences")["Preferences"]["AccountingInfoPrefs"]["BookCloseDate"] == invoice["TxnDate"]
    )
    change = {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"], "sparse": True, "PrivateNote": "x"}
    assert client.refused("POST", "invoice", change) == "6210"
    reference = {"EntityRef": {"type": "Invoice", "value": invoice["Id"]}}
    assert client.post("attachable", {"Note": "x", "AttachableRef": [reference]})


@pytest.mark.parametrize(("mode", "outcome"), [("replay", "same"), ("ignore", "twice"), ("reject", "600")])
def test_a_request_id_sent_twice(mode: Any, outcome: str) -> None:
    with start_quickbooks(invoices=5, requestids=mode) as handle, client_of(handle) as client:
        first = client.post("attachable", {"Note": "once"}, requestid="r-1")
        if outcome == "600":
            assert client.refused("POST", "attachable", {"Note": "once"}, requestid="r-1") == "600"
        else:
            again = client.post("attachable", {"Note": "once"}, requestid="r-1")
            assert (again == first) is (outcome == "same")
        assert len(handle.truth().notes) == (2 if outcome == "twice" else 1)


def test_a_lapsed_subscription_reads_and_does_not_write(client: Client, emulator: Handle) -> None:
    emulator.ledger.settings.lapsed = True
    assert client.query("SELECT COUNT(*) FROM Invoice")["totalCount"]
    assert client.refused("POST", "attachable", {"Note": "x"}) == "6190"


def test_there_is_no_put_and_no_unknown_resource(client: Client) -> None:
    assert client.refused("PUT", "invoice", {"Id": "1"}) == "500"
    assert client.refused("GET", "nothing/1/5") == "500"
    assert client.refused("GET", "invoice/abc") == "2030"


def test_a_batch_has_at_most_thirty_items(client: Client) -> None:
    items = [{"bId": str(number), "Query": "SELECT COUNT(*) FROM Invoice"} for number in range(31)]
    assert client.refused("POST", "batch", {"BatchItemRequest": items}) == "6000"
    assert len(client.post("batch", {"BatchItemRequest": items[:30]})["BatchItemResponse"]) == 30


def test_payments_may_leave_invoices_unstamped() -> None:
    clock = ScriptedClock(datetime(2026, 11, 1, tzinfo=UTC))
    with start_quickbooks(invoices=30, clock=clock, touch_links=False) as handle, client_of(handle) as client:
        clock.advance(timedelta(minutes=5))
        before = open_invoice(client)
        handle.stories.run("receive_payment", invoice=before["Id"])
        after = client.get(f"invoice/{before['Id']}")["Invoice"]
        assert (after["SyncToken"], after["MetaData"]) == (before["SyncToken"], before["MetaData"])
        assert after["Balance"] == 0


# ---- amounts, times, envelopes


def test_no_digit_of_an_amount_is_lost() -> None:
    clock = ScriptedClock(datetime(2026, 7, 1, tzinfo=UTC))
    ledger = Ledger(clock.now)
    owner = ledger.open_customer("Acme")
    amounts = ["123456789012345678901234567890.12", "12345678901234567.89", "0.10", "7"]
    for number, amount in enumerate(amounts):
        ledger.issue_invoice(owner.id, [Line(Decimal(amount))], issued=date(2026, 7, 1), number=str(number))
    with start_quickbooks(ledger=ledger, clock=clock) as handle, client_of(handle) as client:
        text = client.send("GET", "query", query="SELECT * FROM Invoice").text
        for shown in (*amounts[:3], "7.00"):
            assert f'"TotalAmt":{shown},' in text


def test_instants_are_pacific_with_their_offset(client: Client, emulator: Handle) -> None:
    offsets = {
        row["MetaData"]["LastUpdatedTime"][-6:]
        for row in client.query("SELECT * FROM Invoice MAXRESULTS 1000")["Invoice"]
    }
    assert offsets == {"-07:00", "-08:00"}
    answer = client.send("GET", "preferences")
    assert datetime.fromisoformat(answer.json()["time"]) == emulator.clock.now()
    assert answer.headers["intuit_tid"]


def test_long_answers_are_compressed_and_connections_kept(client: Client) -> None:
    first = client.send("GET", "query", query="SELECT * FROM Invoice")
    again = client.send("GET", "query", query="SELECT * FROM Invoice")
    plain = client.session.get(
        f"{client.root}/query?query=SELECT * FROM Invoice", headers={"Accept-Encoding": "identity"}
    )
    assert first.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert first.json() == again.json() == plain.json()
    pools: Any = client.session.get_adapter(client.root).poolmanager.pools  # type: ignore[attr-defined]
    assert [pools.get(key).num_connections for key in pools.keys()] == [1]  # noqa: SIM118  not a dict


# ---- reports


def test_the_aging_report_agrees_with_the_books_in_a_company_with_one_currency() -> None:
    with start_quickbooks(invoices=150, multicurrency=False) as handle, client_of(handle) as client:
        rows = client.get("reports/AgedReceivables")["Rows"]["Row"]
        told = {
            row["ColData"][0]["id"]: Decimal(row["ColData"][-1]["value"] or 0)
            for row in rows
            if "ColData" in row
        }
        facts = {customer: amount for (customer, _), amount in handle.truth().balances.items()}
        assert {customer: amount for customer, amount in told.items() if amount} == facts


def test_a_customers_balance_is_that_of_the_books(client: Client, emulator: Handle) -> None:
    rows = client.query("SELECT * FROM Customer WHERE Active IN (true, false) MAXRESULTS 1000")["Customer"]
    told = {(row["Id"], row["CurrencyRef"]["value"]): row["Balance"] for row in rows if row["Balance"]}
    assert told == emulator.truth().balances


# ---- tokens and limits


def token(handle: Handle, **form: str) -> requests.Response:
    return requests.post(
        handle.token_url, data=form, auth=(handle.client_id, handle.client_secret), timeout=10
    )


def test_the_consent_page_leads_to_tokens(emulator: Handle) -> None:
    back = "http://localhost:9/callback"
    asked = {"client_id": emulator.client_id, "redirect_uri": back, "state": "s<1>", "response_type": "code"}
    page = requests.get(emulator.authorize_url, params=asked, timeout=10)
    assert "Connect" in page.text
    assert "s<1>" not in page.text
    sent = requests.post(
        emulator.authorize_url, data={**asked, "decision": "connect"}, allow_redirects=False, timeout=10
    )
    given = parse_qs(urlsplit(sent.headers["Location"]).query)
    assert (given["state"], given["realmId"]) == (["s<1>"], [emulator.tenant])
    form = {"grant_type": "authorization_code", "code": given["code"][0], "redirect_uri": back}
    tokens = token(emulator, **form)
    assert tokens.json()["expires_in"] == 3600
    assert "realmId" not in tokens.json()
    assert token(emulator, **form).json()["error"] == "invalid_grant"
    denied = requests.post(
        emulator.authorize_url, data={**asked, "decision": "deny"}, allow_redirects=False, timeout=10
    )
    assert "error=access_denied" in denied.headers["Location"]
    numbered = "http://127.0.0.1:9/callback"
    for wrong in (
        {"client_id": "other"},
        {"redirect_uri": numbered},
        {"redirect_uri": "http://app.example/"},
    ):
        assert requests.get(emulator.authorize_url, params={**asked, **wrong}, timeout=10).status_code == 400


def test_tokens_end_in_their_time(client: Client, emulator: Handle) -> None:
    emulator.clock.advance(timedelta(seconds=3600))
    assert client.refused("GET", "preferences") == "3200"
    emulator.clock.advance(timedelta(days=101))
    answer = token(emulator, grant_type="refresh_token", refresh_token=emulator.refresh_token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_the_hard_end_of_a_connection_is_told_when_asked_for(emulator: Handle) -> None:
    basic = base64.b64encode(f"{emulator.client_id}:{emulator.client_secret}".encode()).decode()
    answer = requests.post(
        emulator.token_url,
        data={"grant_type": "refresh_token", "refresh_token": emulator.refresh_token},
        headers={"Authorization": f"Basic {basic}", "x-include-refresh-token-hard-expires-in": "true"},
        timeout=10,
    )
    assert answer.json()["x_refresh_token_hard_expires_in"] == 157_680_000


def test_two_workers_that_refresh_at_once_are_noticed(emulator: Handle) -> None:
    for _ in range(2):
        token(emulator, grant_type="refresh_token", refresh_token=emulator.refresh_token)
    assert (emulator.stats.refreshes, emulator.stats.double_refreshes) == (2, 1)
    emulator.clock.advance(timedelta(minutes=55))
    token(emulator, grant_type="refresh_token", refresh_token=emulator.refresh_token)
    assert (emulator.stats.refreshes, emulator.stats.double_refreshes) == (3, 1)


@pytest.mark.parametrize("punished", [False, True])
def test_a_replaced_refresh_token_that_comes_again_may_end_the_connection(
    emulator: Handle, punished: bool
) -> None:
    emulator.service.authority.punishes_reuse = punished
    emulator.clock.advance(timedelta(hours=25))
    first = token(emulator, grant_type="refresh_token", refresh_token=emulator.refresh_token).json()
    again = token(emulator, grant_type="refresh_token", refresh_token=emulator.refresh_token).json()
    later = token(emulator, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    if punished:
        assert (again["error"], later["error"]) == ("invalid_grant", "invalid_grant")
    else:
        assert again["refresh_token"] == first["refresh_token"] == later["refresh_token"]


def test_another_app_and_another_company_are_refused(client: Client, emulator: Handle) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": emulator.refresh_token}
    answer = requests.post(emulator.token_url, data=form, auth=("someone", "else"), timeout=10)
    assert answer.json() == {"error": "invalid_client"}
    other = client.session.get(f"{emulator.base_url}/v3/company/1/preferences", timeout=10)
    assert (other.status_code, other.json()["fault"]["error"][0]["code"]) == (403, "3100")


def test_ten_calls_a_second_are_allowed() -> None:
    clock = ScriptedClock(datetime(2026, 11, 1, tzinfo=UTC))
    with start_quickbooks(invoices=5, clock=clock, limits=True) as handle, client_of(handle) as client:
        statuses = [client.send("GET", "preferences").status_code for _ in range(12)]
        assert statuses == [200] * 10 + [429] * 2
        clock.advance(timedelta(seconds=1))
        assert client.send("GET", "preferences").status_code == 200
        assert handle.stats.metered == 11


def test_no_more_than_so_many_calls_are_in_flight_at_a_time() -> None:
    with start_quickbooks(invoices=5, limits=Limits(per_second=1000, in_flight=1)) as handle:
        handle.faults.add("slow", times=None)

        def call(_: int) -> int:
            with client_of(handle) as client:
                return client.send("GET", "preferences").status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(call, range(4)))
        assert 429 in statuses
        assert handle.stats.max_in_flight > 1
        assert handle.stats.in_flight == 0


def test_reads_are_metered_and_writes_are_not(client: Client, emulator: Handle) -> None:
    client.query("SELECT COUNT(*) FROM Invoice")
    client.get("preferences")
    client.post("attachable", {"Note": "x"})
    client.refused("GET", "invoice/424242")
    assert (emulator.stats.metered, emulator.stats.core) == (2, 1)
    assert emulator.stats.calls == {
        "count Invoice": 1,
        "preferences": 1,
        "create Attachable": 1,
        "read Invoice": 1,
    }


def test_a_deposit_is_shown_and_taken_off_the_balance(client: Client, emulator: Handle) -> None:
    told = emulator.stories.run("issue_invoice", amount="200.00", deposit="50.00")
    row = client.get(f"invoice/{told['id']}")["Invoice"]
    assert (row["TotalAmt"], row["Deposit"], row["Balance"]) == (
        Decimal("200.00"),
        Decimal("50.00"),
        Decimal("150.00"),
    )
    change = {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True, "Deposit": 0}
    after = client.post("invoice", change)["Invoice"]
    assert "Deposit" not in after
    assert after["Balance"] == Decimal("200.00")
