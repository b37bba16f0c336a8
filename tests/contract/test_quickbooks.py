"""What we rely on in QuickBooks Online, call by call. Played from cassettes, asked of the emulator, and of a sandbox on wish."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import DuplicateError, NotFoundError, RejectedError, StaleVersionError
from ar_connectors.http.messages import Replay, Request
from ar_connectors.quickbooks.client import QuickBooksClient, quoted
from ar_connectors.quickbooks.decode import decode
from ar_connectors.quickbooks.writeback_calls import Calls, CustomerNotes
from ar_core.model import Customer, Invoice, Payment
from tests.contract.conftest import Line

PARTNER = "quickbooks"


class Desk:
    """The company through the clients that the adapter uses, and a way to make records to ask for."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.client = QuickBooksClient(line.transport, line.tenant, line.base_url)
        self.calls = Calls(line.transport, line.tenant, line.base_url)

    def post(self, path: str, body: Mapping[str, Any], **params: str) -> Any:
        request = Request(
            "POST",
            self.client.url(path),
            f"write {path}",
            params=(*params.items(), ("minorversion", "75")),
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body=json.dumps(body).encode(),
            replay=Replay.UNSAFE,
        )
        return json.loads(self.line.transport.send(request).body)

    def customer(self, name: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.post("customer", {"DisplayName": f"{self.line.stamp} {name}", **more})[
            "Customer"
        ]
        return made

    def invoice(self, customer: str, amount: str = "120.50") -> dict[str, Any]:
        item = self.rows("SELECT * FROM Item MAXRESULTS 1", "Item")[0]["Id"]
        detail = {"ItemRef": {"value": item}}
        line = {"Amount": float(amount), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        made: dict[str, Any] = self.post("invoice", {"CustomerRef": {"value": customer}, "Line": [line]})[
            "Invoice"
        ]
        return made

    def rows(self, statement: str, entity: str) -> list[Any]:
        answer = json.loads(self.client.query(statement, f"query {entity}").body)["QueryResponse"]
        found: list[Any] = answer.get(entity, [])
        return found

    def changes(self, *entities: str) -> Page:
        """What the feed has told since a little before this run began."""
        since = self.line.clock.now() - timedelta(minutes=5)
        page = decode("cdc", self.client.changes(entities, since).body, self.line.tenant)
        assert isinstance(page, Page)
        return page


@pytest.fixture
def desk(line: Line) -> Desk:
    return Desk(line)


def test_query_paging(desk: Desk) -> None:
    for number in range(5):
        desk.customer(f"O'Neil & Sons {number}")
    named = (
        f"DisplayName LIKE {quoted(desk.line.stamp + ' O' + chr(39) + 'Neil%')} AND Active IN (true, false)"
    )
    count = json.loads(desk.client.count("Customer", named).body)["QueryResponse"]["totalCount"]
    assert count == 5
    pages = [
        desk.rows(
            f"SELECT * FROM Customer WHERE {named} ORDERBY Id STARTPOSITION {start} MAXRESULTS 2", "Customer"
        )
        for start in (1, 3, 5, 7)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    ids = [row["Id"] for page in pages for row in page]
    assert len(set(ids)) == 5
    again = decode("customer", desk.client.by_ids("Customer", ids[:2]).body, desk.line.tenant)
    assert isinstance(again, Page)
    assert [one.name for one in again.records if isinstance(one, Customer)] == [
        row["DisplayName"] for row in pages[0]
    ]


def test_hidden_customers_are_found_only_when_asked_for(desk: Desk) -> None:
    made = desk.customer("Hidden")
    desk.post("customer", {"Id": made["Id"], "SyncToken": made["SyncToken"], "sparse": True, "Active": False})
    one = f"Id = {quoted(made['Id'])}"
    assert desk.rows(f"SELECT * FROM Customer WHERE {one}", "Customer") == []
    (row,) = desk.rows(f"SELECT * FROM Customer WHERE {one} AND Active IN (true, false)", "Customer")
    assert row["Active"] is False


def test_the_change_feed(desk: Desk) -> None:
    customer = desk.customer("Changes")
    invoice = desk.invoice(customer["Id"])
    gone = desk.invoice(customer["Id"], "7.00")
    desk.post("invoice", {"Id": gone["Id"], "SyncToken": gone["SyncToken"]}, operation="delete")
    page = desk.changes("Customer", "Invoice")
    assert page.server_time is not None
    changed = {one.id.rpartition(":")[2] for one in page.records if isinstance(one, Invoice)}
    assert invoice["Id"] in changed
    assert customer["Id"] in {one.id.rpartition(":")[2] for one in page.records if isinstance(one, Customer)}
    assert gone["Id"] in {one.source.remote_id for one in page.tombstones if one.source.kind == "Invoice"}
    assert gone["Id"] not in changed


def test_sparse_update(desk: Desk) -> None:
    made = desk.customer("Sparse", PrimaryPhone={"FreeFormNumber": "555-0100"}, Notes="Ring twice.")
    before = desk.calls.customer_notes(made["Id"])
    assert before.text == "Ring twice."
    after = desk.calls.update_customer_notes(before, "Ring twice.\n\nour line", "contract-sparse")
    assert int(after.version) > int(before.version)
    (row,) = desk.rows(f"SELECT * FROM Customer WHERE Id = {quoted(made['Id'])}", "Customer")
    assert row["Notes"] == "Ring twice.\n\nour line"
    assert row["PrimaryPhone"]["FreeFormNumber"] == "555-0100", "a sparse update wiped what it did not name"
    assert row["DisplayName"] == made["DisplayName"]


def test_stale_token(desk: Desk) -> None:
    made = desk.customer("Stale")
    before = desk.calls.customer_notes(made["Id"])
    desk.calls.update_customer_notes(before, "first", "contract-stale-1")
    with pytest.raises(StaleVersionError) as caught:
        desk.calls.update_customer_notes(
            CustomerNotes(before.id, before.version, ""), "second", "contract-stale-2"
        )
    assert caught.value.platform_code == "5010"
    assert desk.calls.customer_notes(made["Id"]).text == "first"


def test_notes_on_an_invoice(desk: Desk) -> None:
    invoice = desk.invoice(desk.customer("Notes")["Id"])
    assert desk.calls.notes_on("Invoice", invoice["Id"]) == []
    text = "Promised 120.50 by 2026-12-01"
    made = desk.calls.create_note("Invoice", invoice["Id"], text, "contract-note-1")
    assert made.links == (("Invoice", invoice["Id"]),)
    (found,) = desk.calls.notes_on("Invoice", invoice["Id"])
    assert (found.id, found.text) == (made.id, text)
    changed = desk.calls.update_note(found, text + " (withdrawn)", "contract-note-2")
    assert changed.id == made.id
    (found,) = desk.calls.notes_on("Invoice", invoice["Id"])
    assert found.text == text + " (withdrawn)"
    assert found.links == made.links, "an update of the text took the note off its invoice"


def test_payment_of_an_invoice(desk: Desk) -> None:
    customer = desk.customer("Pays")
    invoice = desk.invoice(customer["Id"])
    link = {"Amount": 20.25, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    made = desk.post("payment", {"CustomerRef": {"value": customer["Id"]}, "TotalAmt": 30.25, "Line": [link]})
    page = decode("payment", json.dumps({"Payment": made["Payment"]}).encode(), desk.line.tenant)
    assert isinstance(page, Page)
    (payment,) = [one for one in page.records if isinstance(one, Payment)]
    assert (payment.total, payment.unapplied_amount) == (Decimal("30.25"), Decimal("10.00"))
    answer = decode("invoice", desk.client.by_ids("Invoice", [invoice["Id"]]).body, desk.line.tenant)
    assert isinstance(answer, Page)
    (read,) = [one for one in answer.records if isinstance(one, Invoice)]
    assert read.balance_due == Decimal("100.25")


def test_a_request_id_that_comes_again(desk: Desk) -> None:
    invoice = desk.invoice(desk.customer("Twice")["Id"])
    first = desk.calls.create_note("Invoice", invoice["Id"], "once", "contract-same-id")
    second = desk.calls.create_note("Invoice", invoice["Id"], "once", "contract-same-id")
    assert second.id == first.id
    assert len(desk.calls.notes_on("Invoice", invoice["Id"])) == 1


def test_faults(desk: Desk) -> None:
    with pytest.raises(RejectedError) as caught:
        desk.client.query("SELECT * FORM Customer", "query Customer")
    assert caught.value.http_status == 400
    with pytest.raises(NotFoundError):
        desk.client.resource("customer/999999999", "read Customer")
    made = desk.customer("Named once")
    with pytest.raises(DuplicateError) as twice:
        desk.customer("Named once")
    assert twice.value.platform_code == "6240"
    with pytest.raises(RejectedError) as missing:
        desk.post("invoice", {"CustomerRef": {"value": made["Id"]}})
    assert missing.value.platform_code == "2020"


def test_token_refresh(line: Line) -> None:
    Desk(line).client.count("Customer")
    line.expire_token()
    before = line.store.load_tokens(line.connection.id)
    line.connection = line.connect()
    Desk(line).client.count("Customer")
    after = line.store.load_tokens(line.connection.id)
    assert before is not None
    assert after is not None
    assert after[1] == before[1] + 1, "no new tokens were stored"
    assert after[0]["access_expires_at"] > line.clock.now().isoformat()
    assert after[0]["refresh_expires_at"] > after[0]["access_expires_at"]
