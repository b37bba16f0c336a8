"""What we rely on in Xero, call by call. Played from cassettes, asked of the emulator, and of a demo company on wish."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.errors import DuplicateError, NotFoundError, PeriodClosedError, RejectedError
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.context import Context
from ar_connectors.xero.reading import list_page, read_by_ids, rows_of
from ar_connectors.xero.writeback_calls import Calls
from ar_core.model import Customer, Invoice, Payment
from tests.contract.conftest import Line

PARTNER = "xero"


class Desk:
    """The organisation through the clients that the adapter uses, and a way to make records to ask for."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.client = XeroClient(line.transport, line.tenant, line.base_url)
        self.calls = Calls(self.client)
        self.context = Context(line.tenant)
        self.today = line.clock.now().date()

    def put(self, path: str, body: Mapping[str, Any], method: str = "PUT") -> Any:
        return json.loads(self.client.send(method, path, f"write {path}", body, None).body)

    def contact(self, name: str, **more: Any) -> dict[str, Any]:
        rows = self.put("Contacts", {"Contacts": [{"Name": f"{self.line.stamp} {name}", **more}]})["Contacts"]
        made: dict[str, Any] = rows[0]
        return made

    def invoice(self, contact: str, amount: str = "120.50", **more: Any) -> dict[str, Any]:
        accounts = json.loads(self.client.get("Accounts", "list Accounts").body)["Accounts"]
        sales = next(
            one["Code"] for one in accounts if one["Type"] in {"REVENUE", "SALES"} and one.get("Code")
        )
        row = {
            "Type": "ACCREC",
            "Status": "AUTHORISED",
            "Contact": {"ContactID": contact},
            "Date": self.today.isoformat(),
            "DueDate": (self.today + timedelta(days=30)).isoformat(),
            "LineAmountTypes": "NoTax",
            "LineItems": [
                {"Description": "work", "Quantity": 1, "UnitAmount": float(amount), "AccountCode": sales}
            ],
            **more,
        }
        made: dict[str, Any] = self.put("Invoices", {"Invoices": [row]})["Invoices"][0]
        return made

    def pay(self, invoice: str, amount: str) -> dict[str, Any]:
        accounts = json.loads(self.client.get("Accounts", "list Accounts").body)["Accounts"]
        bank = next(one["AccountID"] for one in accounts if one["Type"] == "BANK")
        row = {
            "Invoice": {"InvoiceID": invoice},
            "Account": {"AccountID": bank},
            "Date": self.today.isoformat(),
            "Amount": float(amount),
        }
        made: dict[str, Any] = self.put("Payments", {"Payments": [row]})["Payments"][0]
        return made

    def read(self, invoice: str) -> Invoice:
        page = read_by_ids(self.client, "Invoices", [invoice], self.context)
        (found,) = [one for one in page.records if isinstance(one, Invoice)]
        return found

    def changed(self, collection: str) -> set[str]:
        """Ids of what changed since a little before this run began."""
        since = self.line.clock.now() - timedelta(minutes=5)
        page = list_page(self.client, collection, (), 1, self.context, since=since).page
        assert page.server_time is not None
        return {one.id.rpartition(":")[2] for one in (*page.records, *page.tombstones)}


@pytest.fixture
def desk(line: Line) -> Desk:
    return Desk(line)


def test_pages_tell_where_the_list_ends(desk: Desk) -> None:
    made = {desk.contact(f"O'Neil & Sons {number}")["ContactID"] for number in range(5)}
    asked = (("searchTerm", desk.line.stamp), ("order", "ContactID"), ("pageSize", "2"))
    found = []
    for number in (1, 2, 3, 4):
        body = desk.client.get("Contacts", "list Contacts", (*asked, ("page", str(number)))).body
        answer = json.loads(body)
        assert answer["pagination"] == {"page": number, "pageSize": 2, "pageCount": 3, "itemCount": 5}
        found.append([row["ContactID"] for row in answer["Contacts"]])
    assert [len(page) for page in found] == [2, 2, 1, 0]
    assert {one for page in found for one in page} == made
    again = read_by_ids(desk.client, "Contacts", sorted(made)[:2], desk.context)
    assert len([one for one in again.records if isinstance(one, Customer)]) == 2


def test_archived_contacts_are_found_only_when_asked_for(desk: Desk) -> None:
    made = desk.contact("Archived")["ContactID"]
    desk.put("Contacts", {"Contacts": [{"ContactID": made, "ContactStatus": "ARCHIVED"}]}, "POST")
    asked = (("searchTerm", desk.line.stamp),)
    assert list_page(desk.client, "Contacts", asked, 1, desk.context).page.rows == 0
    everybody = (*asked, ("includeArchived", "true"))
    (row,) = list_page(desk.client, "Contacts", everybody, 1, desk.context).page.records
    assert isinstance(row, Customer)
    assert row.is_active is False


def test_what_changed_is_told_voids_too(desk: Desk) -> None:
    contact = desk.contact("Changes")["ContactID"]
    kept, voided = desk.invoice(contact), desk.invoice(contact, "7.00")
    desk.put(
        f"Invoices/{voided['InvoiceID']}",
        {"Invoices": [{"InvoiceID": voided["InvoiceID"], "Status": "VOIDED"}]},
        "POST",
    )
    assert {kept["InvoiceID"], voided["InvoiceID"]} <= desk.changed("Invoices")
    assert contact in desk.changed("Contacts")
    assert (desk.read(voided["InvoiceID"]).raw_status, desk.read(kept["InvoiceID"]).raw_status) == (
        "VOIDED", "AUTHORISED",
    )  # fmt: skip


def test_a_page_has_lines_and_a_summary_none(desk: Desk) -> None:
    made = desk.invoice(desk.contact("Lines")["ContactID"])["InvoiceID"]
    assert len(desk.read(made).lines) == 1
    body = desk.client.page("Invoices", (("IDs", made), ("summaryOnly", "true")), 1).body
    (row,) = json.loads(body)["Invoices"]
    assert "LineItems" not in row
    assert Decimal(str(row["AmountDue"])) == Decimal("120.50")


def test_an_expected_payment_date_is_set_and_cleared(desk: Desk) -> None:
    made = desk.invoice(desk.contact("Promises")["ContactID"])["InvoiceID"]
    day = desk.today + timedelta(days=14)
    told = desk.calls.set_expected({made: day}, "contract-set")
    assert told[made].refused is None
    assert desk.calls.expected_dates([made])[made].day == day
    assert desk.read(made).expected_payment_date == day
    desk.calls.set_expected({made: None}, "contract-clear")
    assert desk.calls.expected_dates([made])[made].day is None


def test_an_expected_payment_date_of_a_part_paid_invoice_is_refused_by_itself(desk: Desk) -> None:
    contact = desk.contact("Part-paid")["ContactID"]
    free, paid = (desk.invoice(contact)["InvoiceID"] for _ in range(2))
    desk.pay(paid, "20.25")
    day = desk.today + timedelta(days=14)
    told = desk.calls.set_expected({free: day, paid: day}, "contract-part-paid")
    assert told[free].refused is None
    assert told[paid].refused
    assert desk.calls.expected_dates([free, paid])[paid].day is None


def test_history_notes(desk: Desk) -> None:
    made = desk.invoice(desk.contact("Notes")["ContactID"])["InvoiceID"]
    before = len(desk.calls.notes("Invoices", made))
    for number in (1, 2):
        desk.calls.add_note("Invoices", made, f"Promised 120.50 ({number})", f"contract-note-{number}")
    notes = desk.calls.notes("Invoices", made)
    assert len(notes) == before + 2
    assert notes[-2:] == ["Promised 120.50 (1)", "Promised 120.50 (2)"]


def test_an_idempotency_key_that_comes_again(desk: Desk) -> None:
    made = desk.invoice(desk.contact("Twice")["ContactID"])["InvoiceID"]
    before = len(desk.calls.notes("Invoices", made))
    desk.calls.add_note("Invoices", made, "once", "contract-same-key")
    desk.calls.add_note("Invoices", made, "once", "contract-same-key")
    assert len(desk.calls.notes("Invoices", made)) == before + 1
    with pytest.raises(DuplicateError):
        desk.calls.add_note("Invoices", made, "another one", "contract-same-key")


def test_a_payment_and_its_end(desk: Desk) -> None:
    invoice = desk.invoice(desk.contact("Pays")["ContactID"])["InvoiceID"]
    made = desk.pay(invoice, "20.25")["PaymentID"]
    page = rows_of(desk.client, desk.client.one("Payments", made), "Payments", desk.context)
    (payment,) = [one for one in page.records if isinstance(one, Payment)]
    assert payment.total == Decimal("20.25")
    assert (desk.read(invoice).balance_due, desk.read(invoice).amount_paid) == (
        Decimal("100.25"), Decimal("20.25"),
    )  # fmt: skip
    desk.put(f"Payments/{made}", {"Payments": [{"Status": "DELETED"}]}, "POST")
    assert made in desk.changed("Payments")
    page = rows_of(desk.client, desk.client.one("Payments", made), "Payments", desk.context)
    assert [one.source.remote_id for one in page.tombstones] == [made]
    assert desk.read(invoice).balance_due == Decimal("120.50")


def test_contact_groups(desk: Desk) -> None:
    contact, other = (desk.contact(name)["ContactID"] for name in ("In a group", "Beside"))
    group = desk.calls.group(desk.line.stamp, "contract-group")
    assert desk.calls.group(desk.line.stamp.upper(), "contract-group-2").id == group.id
    for number, one in enumerate((contact, contact, other)):
        desk.calls.join(group, one, f"contract-join-{number}")
    assert [one.id for one in desk.calls.groups_of(contact)] == [group.id]
    asked = (("searchTerm", desk.line.stamp),)
    page = list_page(desk.client, "Contacts", asked, 1, desk.context).page
    named = [one.custom_fields[0].value for one in page.records if isinstance(one, Customer)]
    assert named == [desk.line.stamp] * 2, "a page of contacts does not name their groups"
    desk.calls.leave(group, contact, "contract-leave")
    assert desk.calls.groups_of(contact) == []
    assert [one.id for one in desk.calls.groups_of(other)] == [group.id]
    desk.put(
        f"ContactGroups/{group.id}",
        {"ContactGroups": [{"ContactGroupID": group.id, "Status": "DELETED"}]},
        "POST",
    )


def test_the_organisation(desk: Desk) -> None:
    page = rows_of(
        desk.client, desk.client.get("Organisation", "read Organisation"), "Organisations", desk.context
    )
    (organization,) = page.records
    assert organization.id.endswith(desk.line.tenant)
    connections = json.loads(desk.client.connections().body)
    assert desk.line.tenant in {one["tenantId"] for one in connections}
    reminders = json.loads(desk.client.get("InvoiceReminders/Settings", "read InvoiceReminders").body)
    assert isinstance(reminders["InvoiceReminders"][0]["Enabled"], bool)


def test_where_an_invoice_can_be_paid(desk: Desk) -> None:
    made = desk.invoice(desk.contact("Pays online")["ContactID"])["InvoiceID"]
    answer = json.loads(desk.client.get(f"Invoices/{made}/OnlineInvoice", "read OnlineInvoice").body)
    assert answer["OnlineInvoices"][0]["OnlineInvoiceUrl"].startswith("https://")


def test_refusals(desk: Desk) -> None:
    nobody = "00000000-0000-4000-8000-00000000dead"
    with pytest.raises(NotFoundError):
        desk.client.one("Invoices", nobody)
    with pytest.raises(RejectedError) as unread:
        desk.client.page("Invoices", (("where", 'Nothing=="here"'),), 1)
    assert unread.value.http_status == 400
    contact = desk.contact("Refused")["ContactID"]
    with pytest.raises((RejectedError, PeriodClosedError)) as refused:
        desk.invoice(contact, LineItems=[])
    assert refused.value.http_status == 400
    assert isinstance(refused.value, RejectedError)
    assert refused.value.field_errors


def test_token_refresh(line: Line) -> None:
    Desk(line).client.connections()
    line.expire_token()
    before = line.store.load_tokens(line.connection.id)
    line.connection = line.connect()
    Desk(line).client.connections()
    after = line.store.load_tokens(line.connection.id)
    assert before is not None
    assert after is not None
    assert after[1] == before[1] + 1, "no new tokens were stored"
    assert after[0]["refresh_token"]
    assert after[0]["access_expires_at"] > line.clock.now().isoformat()
