"""What a client may change, what is refused, and what is left in the books."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.ledger import Invoice, check
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.testkit.xero.ids import guid, parse
from tests.testkit.xero.support import Client, client_of

HAS_PAYMENTS = "This document cannot be edited as it has a payment or credit note allocated to it."


def untouched(handle: XeroHandle) -> Invoice:
    return next(
        one
        for one in handle.ledger.invoices.values()
        if one.open and not one.applied and not one.deposit and one.due
    )


def expects(client: Client, invoice: Invoice, **fields: Any) -> Any:
    return client.done(
        "POST", "Invoices", {"Invoices": [{"InvoiceID": guid("invoice", invoice.id), **fields}]}
    )["Invoices"][0]


def test_an_expected_date_is_set_and_only_the_empty_twin_clears_it(
    client: Client, emulator: XeroHandle
) -> None:
    invoice = untouched(emulator)
    emulator.clock.advance(timedelta(hours=1))
    client.use(emulator.service.authority.grant()[0])
    row = expects(client, invoice, ExpectedPaymentDate="2026-12-01")
    assert (row["ExpectedPaymentDateString"], invoice.expected) == ("2026-12-01T00:00:00", date(2026, 12, 1))
    assert invoice.updated == emulator.clock.now()
    for nothing in (None, ""):
        expects(client, invoice, ExpectedPaymentDate=nothing)
        assert invoice.expected == date(2026, 12, 1)
    row = expects(client, invoice, ExpectedPaymentDateString="")
    assert invoice.expected is None
    assert "ExpectedPaymentDate" not in row


def test_a_part_paid_invoice_takes_a_due_date_and_no_expected_date(
    client: Client, emulator: XeroHandle
) -> None:
    part = emulator.stories.receive_payment(untouched(emulator).id, "1.00").applications[0].id
    body = {"Invoices": [{"InvoiceID": guid("invoice", part), "ExpectedPaymentDate": "2026-12-01"}]}
    assert client.refused("POST", "Invoices", body) == HAS_PAYMENTS
    assert emulator.ledger.invoices[part].expected is None
    assert (
        expects(client, emulator.ledger.invoices[part], DueDate="2027-02-01")["DueDateString"][:10]
        == "2027-02-01"
    )


@pytest.mark.parametrize(("part_paid", "kept"), [("ignore", None), ("save", date(2026, 12, 1))])
def test_what_real_companies_may_do_with_it_instead(part_paid: Any, kept: date | None) -> None:
    with start_xero(invoices=60, now=DEFAULT_NOW, part_paid=part_paid) as handle, client_of(handle) as client:
        part = handle.stories.receive_payment(untouched(handle).id, "1.00").applications[0].id
        expects(client, handle.ledger.invoices[part], ExpectedPaymentDate="2026-12-01")
        assert handle.ledger.invoices[part].expected == kept


def test_voided_and_locked_invoices_refuse(client: Client, emulator: XeroHandle) -> None:
    voided = next(one for one in emulator.ledger.invoices.values() if one.voided)
    body = {"Invoices": [{"InvoiceID": guid("invoice", voided.id), "ExpectedPaymentDate": "2026-12-01"}]}
    assert client.refused("POST", "Invoices", body) == "Invoice not of valid status for modification"
    locked = untouched(emulator)
    emulator.stories.close_books()
    body = {"Invoices": [{"InvoiceID": guid("invoice", locked.id), "ExpectedPaymentDate": "2026-12-01"}]}
    assert "period lock date" in client.refused("POST", "Invoices", body)
    assert client.done(
        "PUT", f"Invoices/{guid('invoice', locked.id)}/History", {"HistoryRecords": [{"Details": "x"}]}
    )


def test_a_batch_is_done_whole_or_one_by_one(client: Client, emulator: XeroHandle) -> None:
    good = untouched(emulator)
    bad = next(one for one in emulator.ledger.invoices.values() if one.voided)
    rows = [
        {"InvoiceID": guid("invoice", one.id), "ExpectedPaymentDate": "2026-12-01"} for one in (good, bad)
    ]
    assert client.refused("POST", "Invoices", {"Invoices": rows}).startswith("Invoice not of valid status")
    assert good.expected is None
    done = client.done("POST", "Invoices", {"Invoices": rows}, summarizeErrors="false")["Invoices"]
    assert [one["StatusAttributeString"] for one in done] == ["OK", "ERROR"]
    assert (done[1]["HasErrors"], done[1]["ValidationErrors"]) == (
        True, [{"Message": "Invoice not of valid status for modification"}]
    )  # fmt: skip
    assert good.expected == date(2026, 12, 1)
    emulator.service.error_key = "Description"
    done = client.done("POST", "Invoices", {"Invoices": rows}, summarizeErrors="false")["Invoices"]
    assert list(done[1]["ValidationErrors"][0]) == ["Description"]


def test_a_document_that_was_read_cannot_be_sent_back(client: Client, emulator: XeroHandle) -> None:
    (row,) = client.get(f"Invoices/{guid('invoice', untouched(emulator).id)}")["Invoices"]
    answer = client.send(
        "POST", "Invoices", {"Invoices": [{name: str(value) for name, value in row.items()}]}
    )
    assert answer.json()["Type"] == "PostDataInvalidException"


def test_notes_are_added_and_stay(client: Client, emulator: XeroHandle) -> None:
    invoice = untouched(emulator)
    path = f"Invoices/{guid('invoice', invoice.id)}/History"
    before = client.get(path)["HistoryRecords"]
    client.done(
        "PUT", path, {"HistoryRecords": [{"Details": "[app:promise:1] by Friday"}, {"Details": "second"}]}
    )
    after = client.get(path)["HistoryRecords"]
    assert len(after) == len(before) + 2
    assert {(one["User"], one["Changes"]) for one in after if one not in before} == {
        ("System Generated", "Note")
    }
    assert {"[app:promise:1] by Friday", "second"} <= set(emulator.truth().notes.values())
    assert "2500" in client.refused(
        "PUT", path, {"HistoryRecords": [{"Details": "ok"}, {"Details": "x" * 2501}]}
    )
    assert len(client.get(path)["HistoryRecords"]) == len(after)
    nowhere = f"Invoices/{guid('invoice', 99_999)}/History"
    assert client.refused("PUT", nowhere, {"HistoryRecords": [{"Details": "x"}]}).startswith(
        "The document with the supplied id"
    )


@pytest.mark.parametrize("endpoint", ["Contacts", "CreditNotes", "Payments", "Prepayments", "Overpayments"])
def test_every_document_has_a_history(endpoint: str, client: Client) -> None:
    rows = [
        one
        for one in client.rows(endpoint)
        if one.get("PaymentType") != "ACCPAYPAYMENT" and not one.get("IsSupplier")
    ]
    path = f"{endpoint}/{rows[0][endpoint.removesuffix('s') + 'ID']}/History"
    client.done("PUT", path, {"HistoryRecords": [{"Details": "Called"}]})
    assert "Called" in {one["Details"] for one in client.get(path)["HistoryRecords"]}


def test_an_answer_is_kept_for_six_minutes_under_its_key(client: Client, emulator: XeroHandle) -> None:
    path = f"Invoices/{guid('invoice', untouched(emulator).id)}/History"

    def put(text: str, key: str) -> Any:
        return client.send(
            "PUT", path, {"HistoryRecords": [{"Details": text}]}, headers={"Idempotency-Key": key}
        )

    assert [put("once", "k").status_code for _ in range(3)] == [200, 200, 200]
    assert list(emulator.truth().notes.values()).count("once") == 1
    assert "different request" in put("other", "k").json()["Detail"]
    assert put("", "bad").status_code == put("", "bad").status_code == 400
    emulator.clock.advance(timedelta(minutes=6))
    assert put("once", "k").status_code == 200
    assert list(emulator.truth().notes.values()).count("once") == 2
    assert put("x", "k" * 129).status_code == 400


def test_groups_hold_contacts_and_one_call_empties_them(client: Client, emulator: XeroHandle) -> None:
    (group,) = client.done("PUT", "ContactGroups", {"ContactGroups": [{"Name": "On stop"}]})["ContactGroups"]
    contacts = [{"ContactID": guid("contact", one)} for one in list(emulator.ledger.customers)[:3]]
    path = f"ContactGroups/{group['ContactGroupID']}"
    client.done("PUT", f"{path}/Contacts", {"Contacts": contacts})
    assert len(client.get(path)["ContactGroups"][0]["Contacts"]) == 3
    (contact,) = client.get(f"Contacts/{contacts[0]['ContactID']}")["Contacts"]
    assert [one["Name"] for one in contact["ContactGroups"]] == ["On stop"]
    assert client.send("DELETE", f"{path}/Contacts/{contacts[0]['ContactID']}").status_code == 204
    assert len(client.get(path)["ContactGroups"][0]["Contacts"]) == 2
    assert client.send("DELETE", f"{path}/Contacts").status_code == 204
    assert client.get(path)["ContactGroups"][0]["Contacts"] == []
    assert "active contact group" in client.refused(
        "PUT", "ContactGroups", {"ContactGroups": [{"Name": "on stop"}]}
    )
    for number in range(99):
        emulator.service.groups.create(f"Group {number}")
    assert "limit of 100" in client.refused("PUT", "ContactGroups", {"ContactGroups": [{"Name": "One more"}]})


def test_money_comes_in_goes_out_and_is_allocated(client: Client, emulator: XeroHandle) -> None:
    invoice = untouched(emulator)
    identity = guid("invoice", invoice.id)
    body = {"Invoice": {"InvoiceID": identity}, "Account": {"Code": "090"}, "Amount": 5, "Date": "2026-11-20"}
    assert "exceeds" in client.refused("PUT", "Payments", {"Payments": [{**body, "Amount": 10**9}]})
    (payment,) = client.done("PUT", "Payments", {"Payments": [body]})["Payments"]
    assert client.get(f"Invoices/{identity}")["Invoices"][0]["AmountPaid"] == 5
    (gone,) = client.done("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})["Payments"]
    assert gone["Status"] == "DELETED"
    assert not invoice.applied
    assert check(emulator.ledger) == []
    credit = {
        "Type": "ACCRECCREDIT", "Status": "AUTHORISED", "Contact": {"ContactID": guid("contact", invoice.customer)},
        "LineItems": [{"Description": "Goodwill", "LineAmount": "3.00"}],
    }  # fmt: skip
    (made,) = client.done("PUT", "CreditNotes", {"CreditNotes": [credit]})["CreditNotes"]
    path = f"CreditNotes/{made['CreditNoteID']}/Allocations"
    client.done(
        "PUT",
        path,
        {"Allocations": [{"Amount": 2, "Invoice": {"InvoiceID": identity}, "Date": "2026-11-20"}]},
    )
    (row,) = client.get(f"Invoices/{identity}")["Invoices"]
    assert (row["AmountCredited"], row["CreditNotes"][0]["AppliedAmount"]) == (2, 2)
    assert client.get(f"CreditNotes/{made['CreditNoteID']}")["CreditNotes"][0]["RemainingCredit"] == 1
    assert check(emulator.ledger) == []


def test_invoices_and_contacts_are_made(client: Client, emulator: XeroHandle) -> None:
    (contact,) = client.done("PUT", "Contacts", {"Name": "Newcomer", "EmailAddress": "n@customer.example"})[
        "Contacts"
    ]
    assert "already assigned" in client.refused("PUT", "Contacts", {"Name": "Newcomer"})
    body = {
        "Type": "ACCREC", "Contact": {"ContactID": contact["ContactID"]}, "Date": "2026-11-01", "DueDate": "2026-12-01",
        "LineItems": [{"Description": "Work", "Quantity": 2, "UnitAmount": "10.50"}],
    }  # fmt: skip
    (draft,) = client.done("PUT", "Invoices", {"Invoices": [body]})["Invoices"]
    assert (draft["Status"], draft["Total"]) == ("DRAFT", 21)
    assert draft["InvoiceID"] in {one["InvoiceID"] for one in client.rows("Invoices", Statuses="DRAFT")}
    (made,) = client.done("PUT", "Invoices", {"Invoices": [{**body, "Status": "AUTHORISED"}]})["Invoices"]
    known = parse("invoice", made["InvoiceID"])
    assert known is not None
    assert emulator.truth().open_invoices[known[0]].open == made["AmountDue"] == Decimal("21.00")
    (void,) = client.done("POST", f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"})["Invoices"]
    assert (void["Status"], void["AmountDue"], void["Total"]) == ("VOIDED", 0, 21)
    assert client.send("POST", f"Invoices/{draft['InvoiceID']}/Email").status_code == 204
    assert emulator.service.emails == [draft["InvoiceID"]]
    assert check(emulator.ledger) == []


def test_a_payment_link_is_for_sales_invoices(client: Client, emulator: XeroHandle) -> None:
    path = f"Invoices/{guid('invoice', untouched(emulator).id)}/OnlineInvoice"
    assert client.get(path)["OnlineInvoices"][0]["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
    bill = client.rows("Invoices", where='Type=="ACCPAY"')[0]
    assert client.refused("GET", f"Invoices/{bill['InvoiceID']}/OnlineInvoice")


def test_prices_have_two_decimals_unless_four_are_asked_for(client: Client, emulator: XeroHandle) -> None:
    line = {"Description": "Screws", "Quantity": 100, "UnitAmount": "0.0375"}
    body = {
        "Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactID": guid("contact", 1)}, "DueDate": "2026-12-24",
        "LineItems": [line],
    }  # fmt: skip
    (made,) = client.done("PUT", "Invoices", {"Invoices": [body]})["Invoices"]
    path = f"Invoices/{made['InvoiceID']}"
    prices = [
        client.get(path, **more)["Invoices"][0]["LineItems"][0]["UnitAmount"]
        for more in ({}, {"unitdp": "4"})
    ]
    assert prices == [Decimal("0.04"), Decimal("0.0375")]
    assert emulator.ledger.invoices[str(int(made["InvoiceID"][-12:-3], 16))].total == Decimal("3.75")
