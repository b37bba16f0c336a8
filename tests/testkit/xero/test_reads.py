"""What the emulator shows is what the books say, page by page, whatever is asked for."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.testkit.xero.ids import guid, parse
from tests.testkit.xero.support import Client, client_of

ZERO = Decimal(0)


def test_open_invoices_are_those_of_the_books(client: Client, emulator: XeroHandle) -> None:
    rows = [one for one in client.rows("Invoices") if one["Type"] == "ACCREC" and one["AmountDue"]]
    shown = {
        parse("invoice", one["InvoiceID"]): (one["AmountDue"], one["Total"], one.get("DueDateString"))
        for one in rows
    }
    truth = emulator.truth().open_invoices
    assert shown == {
        (one.id, 0): (one.open, one.total, f"{one.due}T00:00:00" if one.due else None)
        for one in truth.values()
    }
    assert {one["Status"] for one in rows} == {"AUTHORISED"}


def test_every_amount_of_an_invoice_is_accounted_for(client: Client) -> None:
    for one in client.rows("Invoices", Statuses="AUTHORISED,PAID"):
        assert one["Total"] == one["AmountDue"] + one["AmountPaid"] + one["AmountCredited"]
        assert one["AmountPaid"] == sum((part["Amount"] for part in one["Payments"]), ZERO)
        applied = [part for kind in ("CreditNotes", "Prepayments", "Overpayments") for part in one[kind]]
        assert one["AmountCredited"] == sum((part["AppliedAmount"] for part in applied), ZERO)
        lines = sum((line["LineAmount"] + line["TaxAmount"] for line in one["LineItems"]), ZERO)
        assert one["Total"] == lines == one["SubTotal"] + one["TotalTax"]


def test_balances_follow_from_documents_and_money_on_account(client: Client, emulator: XeroHandle) -> None:
    owed: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for one in client.rows("Invoices", where='Type=="ACCREC"'):
        owed[one["Contact"]["ContactID"], one["CurrencyCode"]] += one["AmountDue"]
    for endpoint in ("CreditNotes", "Prepayments", "Overpayments"):
        for one in client.rows(endpoint):
            owed[one["Contact"]["ContactID"], one["CurrencyCode"]] -= one["RemainingCredit"]
    # Xero has no journal entries on receivables, so those are taken off the truth.
    wanted = dict(emulator.truth().balances)
    for journal in emulator.ledger.journals.values():
        wanted[journal.customer, journal.currency] = (
            wanted.get((journal.customer, journal.currency), ZERO) - journal.open
        )
    assert {key: amount for key, amount in owed.items() if amount} == {
        (guid("contact", customer), currency): amount
        for (customer, currency), amount in wanted.items()
        if amount
    }
    balances = {
        one["ContactID"]: one["Balances"]["AccountsReceivable"]["Outstanding"]
        for one in client.rows("Contacts", includeArchived="true")
        if one["IsCustomer"]
    }
    assert {one: amount for one, amount in balances.items() if amount} == {
        contact: amount for (contact, _), amount in owed.items() if amount
    }


def test_payments_are_those_the_invoices_name(client: Client, emulator: XeroHandle) -> None:
    named = {
        part["PaymentID"]: (one["InvoiceID"], part["Amount"])
        for one in client.rows("Invoices")
        for part in one["Payments"]
    }
    rows = client.rows("Payments")
    live = {
        one["PaymentID"]: (one["Invoice"]["InvoiceID"], one["Amount"])
        for one in rows
        if one["Status"] != "DELETED"
    }
    assert live == named
    bounced = [one for one in emulator.ledger.payments.values() if one.voided and one.earlier]
    gone = {one["PaymentID"] for one in rows if one["Status"] == "DELETED"}
    assert {guid("payment", one.id, 0) for one in bounced if one.earlier[0].applications} <= gone


def test_what_was_voided_or_deleted_stays_and_owes_nothing(client: Client, emulator: XeroHandle) -> None:
    rows = client.rows("Invoices", Statuses="VOIDED,DELETED")
    numbers = {parse("invoice", one["InvoiceID"]): one for one in rows}
    voided = {one.id for one in emulator.ledger.invoices.values() if one.voided}
    deleted = {identity for kind, identity in emulator.truth().deleted if kind == "invoice"}
    assert {one[0] for one in numbers if one} == voided | deleted != set()
    assert all(one["AmountDue"] == 0 and one["Total"] > 0 for one in rows)


def test_pages_hold_every_row_once_in_the_order_of_change(client: Client) -> None:
    paged = client.rows("Invoices", size=37)
    assert [one["InvoiceID"] for one in paged] == [one["InvoiceID"] for one in client.rows("Invoices")]
    stamps = [(int(one["UpdatedDateUTC"][6:-7]), one["InvoiceID"]) for one in paged]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == len(stamps)


@pytest.mark.parametrize(("size", "kept"), [("0", 1), ("-4", 1), ("5000", 1000), ("250", 250)])
def test_a_page_is_kept_within_its_bounds(size: str, kept: int, client: Client) -> None:
    answer = client.get("Invoices", page=1, pageSize=size)
    assert answer["pagination"]["pageSize"] == kept
    assert len(answer["Invoices"]) == min(kept, answer["pagination"]["itemCount"])


def test_a_list_without_pages_has_no_lines_and_contacts_lack_their_people(client: Client) -> None:
    assert "pagination" not in client.get("Invoices")
    assert all(one["LineItems"] == [] for one in client.get("Invoices")["Invoices"])
    assert not any("Balances" in one or "ContactPersons" in one for one in client.get("Contacts")["Contacts"])
    assert client.get("Invoices", Statuses="PAID")["pagination"]["page"] == 1
    compact = client.get("Invoices", summaryOnly="true")
    assert compact["pagination"]["pageSize"] == 100
    assert not any("LineItems" in one or "Payments" in one for one in compact["Invoices"])


def test_a_row_that_changes_while_pages_are_read_moves_the_others_up(
    client: Client, emulator: XeroHandle
) -> None:
    everything = {one["InvoiceID"] for one in client.rows("Invoices")}
    first = client.get("Invoices", page=1, pageSize=50)["Invoices"]
    emulator.clock.advance(timedelta(minutes=1))
    identity = parse("invoice", first[0]["InvoiceID"])
    assert identity is not None
    emulator.stories.edit_memo(identity[0])
    rest = [one for page in range(2, 9) for one in client.get("Invoices", page=page, pageSize=50)["Invoices"]]
    assert len(everything - {one["InvoiceID"] for one in [*first, *rest]}) == 1


def test_only_what_changed_since_then_comes(client: Client, emulator: XeroHandle) -> None:
    emulator.clock.advance(timedelta(minutes=5))
    since = f"{emulator.clock.now():%Y-%m-%dT%H:%M:%S}"
    assert client.rows("Invoices", since=since) == []
    changed = emulator.stories.edit_memo()
    assert [one["InvoiceID"] for one in client.rows("Invoices", since=since)] == [guid("invoice", changed.id)]
    assert client.rows("Invoices", since=f"{since}Z") == client.rows("Invoices", since=f"{since}+00:00")
    emulator.clock.advance(timedelta(seconds=2))
    later = f"{emulator.clock.now():%Y-%m-%dT%H:%M:%S}"
    assert client.rows("Invoices", since=later) == []


def test_the_documented_blind_spot_is_there(client: Client, emulator: XeroHandle) -> None:
    part = emulator.stories.receive_payment(amount="1.00").applications[0].id
    emulator.clock.advance(timedelta(minutes=5))
    since = f"{emulator.clock.now():%Y-%m-%dT%H:%M:%S}"
    emulator.stories.change_due_date(part, "2027-01-31")
    assert client.rows("Invoices", since=since) == []
    (row,) = client.get(f"Invoices/{guid('invoice', part)}")["Invoices"]
    assert row["DueDateString"] == "2027-01-31T00:00:00"
    untouched = next(one for one in emulator.ledger.invoices.values() if one.open and not one.applied)
    emulator.stories.change_due_date(untouched.id, "2027-01-31")
    assert [one["InvoiceID"] for one in client.rows("Invoices", since=since)] == [
        guid("invoice", untouched.id)
    ]
    assert check(emulator.ledger) == []


def test_dates_are_the_days_they_say(client: Client) -> None:
    for one in client.rows("Invoices"):
        milliseconds = int(one["Date"].removeprefix("/Date(").removesuffix("+0000)/"))
        assert datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()[:10] == one["DateString"][:10]
        stamp = int(one["UpdatedDateUTC"].removeprefix("/Date(").removesuffix("+0000)/"))
        assert (
            f"{datetime.fromtimestamp(stamp / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z" == one["UpdatedDateUTCString"]
        )


def filtered(client: Client, where: str) -> list[dict[str, Any]]:
    return client.rows("Invoices", where=where)


def test_conditions_choose_what_they_say(client: Client) -> None:
    everything = client.rows("Invoices")
    contact = everything[0]["Contact"]["ContactID"]
    for where, chosen in (
        ('Type=="ACCPAY"', lambda one: one["Type"] == "ACCPAY"),
        ('Type=="ACCREC" AND Status=="AUTHORISED"', lambda one: one["Type"] == "ACCREC" and one["Status"] == "AUTHORISED"),
        (f'Contact.ContactID==guid("{contact}")', lambda one: one["Contact"]["ContactID"] == contact),
        (f'Contact.ContactID==Guid("{contact.upper()}")', lambda one: one["Contact"]["ContactID"] == contact),
        ("AmountDue>=100 AND AmountDue<5000.5", lambda one: 100 <= one["AmountDue"] < Decimal("5000.5")),
        ("DueDate<DateTime(2026,01,15)", lambda one: one.get("DueDateString", "9") < "2026-01-15"),
        ('Contact.Name.StartsWith("O\'Neil")', lambda one: one["Contact"]["Name"].startswith("O'Neil")),
        ('(Status=="PAID" OR Status=="VOIDED") AND Total!=0', lambda one: one["Status"] in {"PAID", "VOIDED"} and one["Total"]),
        ("ExpectedPaymentDate!=null", lambda one: "ExpectedPaymentDate" in one),
    ):  # fmt: skip
        assert filtered(client, where) == [one for one in everything if chosen(one)], where


@pytest.mark.parametrize(
    "where",
    [
        "Status==",
        "Nothing==1",
        'Status="a" AND',
        "(Status==1",
        'guid("x")',
        'Contact.ContactID==guid("x")',
        "\u0000",
        'Total>"a"',
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(where: str, client: Client) -> None:
    answer = client.send("GET", "Invoices", where=where, page=1)
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


def test_rows_are_found_by_lists_of_ids_numbers_and_contacts(client: Client) -> None:
    rows = client.rows("Invoices")
    some = rows[3:9]
    assert client.rows("Invoices", IDs=",".join(one["InvoiceID"] for one in some)) == some
    numbers = [one for one in rows if one.get("InvoiceNumber") in {"1001", "1002"}]
    assert client.rows("Invoices", InvoiceNumbers="1001,1002") == numbers
    contact = rows[0]["Contact"]["ContactID"]
    assert client.rows("Invoices", ContactIDs=contact) == [
        one for one in rows if one["Contact"]["ContactID"] == contact
    ]
    assert [one["Total"] for one in client.rows("Invoices", order="Total DESC")] == sorted(
        (one["Total"] for one in rows), reverse=True
    )


def test_a_search_looks_at_the_values_that_are_documented_and_at_nothing_else(client: Client) -> None:
    (found,) = client.rows("Contacts", searchTerm="o'neil")
    assert client.rows("Contacts", searchTerm=found["EmailAddress"].upper()) == [found]
    rows = client.rows("Invoices")
    assert client.rows("Invoices", searchTerm="1002") == [
        one for one in rows if "1002" in one.get("InvoiceNumber", "") + one.get("Reference", "")
    ]
    for word in ("InvoiceNumber", "AUTHORISED", "Date("):  # names of fields, and values of others
        assert client.rows("Invoices", searchTerm=word) == []
    assert client.rows("Contacts", searchTerm="ACTIVE") == []


def test_archived_contacts_come_when_asked_for(client: Client, emulator: XeroHandle) -> None:
    shown = {one["ContactID"] for one in client.rows("Contacts")}
    everything = {one["ContactID"] for one in client.rows("Contacts", includeArchived="true")}
    assert everything - shown == {guid("contact", one) for one in emulator.truth().inactive} != set()


def test_too_much_at_once_is_refused(client: Client, emulator: XeroHandle) -> None:
    emulator.service.lists.high_volume = 50
    answer = client.send("GET", "Invoices")
    assert (answer.status_code, answer.json()["Type"]) == (400, "HighVolumeException")
    assert client.get("Invoices", page=1)["Invoices"]


def test_who_does_not_ask_for_json_gets_xml(client: Client) -> None:
    answer = client.send("GET", "Organisation", headers={"Accept": "*/*"})
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert "<Organisation><Name>Larkspur Trading</Name>" in answer.text


def test_what_there_is_not_is_not_found(client: Client) -> None:
    for path in ("Invoices/00000000-0000-0000-0000-000000000000", "Invoices/NOPE", "Contacts/x", "Nothing"):
        assert client.send("GET", path).status_code == 404
    assert client.send("DELETE", "Invoices").status_code == 501


def test_the_report_of_a_contact_adds_up_to_its_balance(client: Client, emulator: XeroHandle) -> None:
    customers = [one for one in client.rows("Contacts", includeArchived="true") if one["IsCustomer"]]
    for one in customers[:12]:
        (report,) = client.get("Reports/AgedReceivablesByContact", contactId=one["ContactID"])["Reports"]
        *_, total = report["Rows"][1]["Rows"]
        assert Decimal(total["Cells"][7]["Value"]) == one["Balances"]["AccountsReceivable"]["Outstanding"]
    assert emulator.stats.calls["list Reports AgedReceivablesByContact"] == 12


def test_a_merged_contact_is_archived_and_says_where_it_went(client: Client, emulator: XeroHandle) -> None:
    losing = emulator.stories.merge_customers()
    identity, kept = guid("contact", losing.id), guid("contact", losing.merged_into or "0")
    assert identity not in {one["ContactID"] for one in client.rows("Contacts")}
    (row,) = [one for one in client.rows("Contacts", includeArchived="true") if one["ContactID"] == identity]
    assert (row["ContactStatus"], row["MergedToContactID"]) == ("ARCHIVED", kept)
    assert identity not in {one["Contact"]["ContactID"] for one in client.rows("Invoices")}
    unpaged = client.get("Contacts", includeArchived="true")["Contacts"]
    assert not any("MergedToContactID" in one for one in unpaged)
    assert check(emulator.ledger) == []


def test_refunds_are_payments_of_a_kind_of_their_own() -> None:
    with start_xero(invoices=20, now=DEFAULT_NOW, refunds=2) as handle, client_of(handle) as client:
        back = {
            one["PaymentType"]: one for one in client.rows("Payments") if one["PaymentType"].startswith("AR")
        }
        assert set(back) == {"ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT"}
        credit = back["ARCREDITPAYMENT"]["CreditNote"]["CreditNoteID"]
        (row,) = client.get(f"CreditNotes/{credit}")["CreditNotes"]
        assert (row["Status"], row["RemainingCredit"]) == ("PAID", 0)
        assert row["Payments"][0]["Amount"] == row["Total"] == back["ARCREDITPAYMENT"]["Amount"]
