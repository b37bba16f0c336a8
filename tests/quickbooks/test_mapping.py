"""Does the mapping say what QuickBooks meant? Documents field by field, contacts, adjustments, our notes, the company."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.adapterkit.notes import DisputeTag, NoteTag, PromiseTag, StatusTag, format_note
from ar_connectors.connector import Page
from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.decode import decode, decode_page
from ar_core import model
from tests.quickbooks.mapping_rows import ID, TENANT, page, rid


def test_an_invoice_field_by_field() -> None:
    row = {
        "Id": "130",
        "SyncToken": "4",
        "MetaData": {"LastUpdatedTime": "2026-11-20T10:00:00-08:00"},
        "DocNumber": "1037",
        "TxnDate": "2026-11-01",
        "DueDate": "2026-12-01",
        "CustomerRef": {"value": "24"},
        "CurrencyRef": {"value": "EUR"},
        "ExchangeRate": "1.083517",
        "TotalAmt": "59.50",
        "Balance": "40.00",
        "Deposit": "12.0",
        "TxnTaxDetail": {"TotalTax": "9.50"},
        "SalesTermRef": {"value": "3", "name": "Net 30"},
        "BillEmail": {"Address": "ap@example.com"},
        "EmailStatus": "EmailSent",
        "DeliveryInfo": {"DeliveryType": "Email", "DeliveryTime": "2026-11-01T09:00:00-08:00"},
        "PrivateNote": "call first",
        "PONumber": "PO-7",
        "invoiceStatus": "OVERDUE_VIEWED",
        "CustomField": [{"DefinitionId": "1", "Name": "Crew #", "StringValue": "102"}],
        "Line": [
            {
                "Id": "1",
                "Amount": "50.00",
                "Description": "Rock",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "5", "name": "Fountain"},
                    "ItemAccountRef": {"value": "79"},
                    "Qty": 2,
                    "UnitPrice": "25.00",
                    "TaxCodeRef": {"value": "TAX"},
                },
            },
            {
                "Amount": "3.00",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": "SHIPPING_ITEM_ID"}},
            },
            {"Amount": "50.00", "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
            {
                "Amount": "3.00",
                "DetailType": "DISCOUNT_LINE_DETAIL",
                "DiscountLineDetail": {"DiscountAccountRef": {"value": "86"}},
            },
            {
                "Id": "9",
                "Amount": "0",
                "DetailType": "GroupLineDetail",
                "GroupLineDetail": {
                    "GroupItemRef": {"value": "6", "name": "Kit"},
                    "Quantity": 1,
                    "Line": [
                        {
                            "Id": "10",
                            "Amount": "0",
                            "DetailType": "SalesItemLineDetail",
                            "SalesItemLineDetail": {},
                        }
                    ],
                },
            },
            {"DetailType": "DescriptionOnly", "Description": "thanks"},
        ],
    }
    [invoice] = page("invoice", row).records
    assert isinstance(invoice, model.Invoice)
    assert invoice.id == rid("invoice", "130")
    assert invoice.source is not None
    assert invoice.source.version == "4"
    assert invoice.source.updated_at == datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert (str(invoice.subtotal), str(invoice.tax_total), str(invoice.total)) == ("50.00", "9.50", "59.50")
    assert (str(invoice.balance_due), str(invoice.deposit_amount)) == ("40.00", "12.0")
    assert (invoice.amount_paid, invoice.amount_credited) == (None, None)
    assert invoice.source_rate == invoice.exchange_rate == Decimal("1.083517")
    assert (invoice.currency, invoice.raw_status, invoice.customer_reference) == (
        "EUR",
        "OVERDUE_VIEWED",
        "PO-7",
    )
    assert (invoice.billing_email, invoice.memo) == ("ap@example.com", "call first")
    assert invoice.sent_at == datetime(2026, 11, 1, 17, tzinfo=UTC)
    assert invoice.terms is not None
    assert (invoice.terms.remote_id, invoice.terms.name) == ("3", "Net 30")
    assert [line.kind.value for line in invoice.lines] == [
        "item",
        "shipping",
        "subtotal",
        "discount",
        "group",
        "item",
        "description",
    ]
    assert invoice.lines[0].model_dump(exclude_none=True) == {
        "remote_id": "1",
        "kind": model.LineKind.ITEM,
        "description": "Rock",
        "item": "Fountain",
        "item_id": "5",
        "account_id": "79",
        "quantity": Decimal(2),
        "unit_price": Decimal("25.00"),
        "amount": Decimal("50.00"),
        "tax_code": "TAX",
    }
    assert invoice.lines[3].account_id == "86"
    assert invoice.custom_fields == (model.CustomField(name="Crew #", value="102", definition_id="1"),)


def test_a_draft_that_was_not_sent_has_no_sending_time() -> None:
    row = {
        "Id": "1",
        "TotalAmt": 1,
        "Balance": 1,
        "EmailStatus": "NeedToSend",
        "DeliveryInfo": {"DeliveryTime": "2026-11-01T09:00:00-08:00"},
    }
    [invoice] = page("invoice", row).records
    assert isinstance(invoice, model.Invoice)
    assert invoice.sent_at is None


def test_a_customer_and_its_contacts() -> None:
    row = {
        "Id": "24",
        "DisplayName": "O'Neil & Sons",
        "CompanyName": "O'Neil & Sons Ltd",
        "GivenName": "Sasha",
        "FamilyName": "Tillou",
        "Active": False,
        "Balance": "314.28",
        "BalanceWithJobs": "400.00",
        "ParentRef": {"value": "9"},
        "BillWithParent": True,
        "PrimaryEmailAddr": {"Address": "ap@example.com, boss@example.com;ap@example.com"},
        "PrimaryPhone": {"FreeFormNumber": "(555) 1"},
        "Mobile": {"FreeFormNumber": "(555) 2"},
        "BillAddr": {"Line1": "1 Main St", "City": "Leeds", "PostalCode": "LS1", "Country": "UK"},
        "Notes": "Ring twice",
        "CurrencyRef": {"value": "GBP"},
        "SalesTermRef": {"value": "3"},
    }
    found = page("customer", row)
    customer, first, second = found.records
    assert isinstance(customer, model.Customer)
    assert isinstance(first, model.Contact)
    assert isinstance(second, model.Contact)
    assert (customer.name, customer.legal_name, customer.is_active) == (
        "O'Neil & Sons",
        "O'Neil & Sons Ltd",
        False,
    )
    assert (customer.parent_id, customer.bill_with_parent) == (rid("customer", "9"), True)
    assert str(customer.reported_balance) == "314.28"
    assert (customer.country, customer.currency, customer.notes, customer.order_hold) == (
        "UK",
        "GBP",
        "Ring twice",
        None,
    )
    assert (first.id, first.person, first.email, first.phone, first.mobile) == (
        rid("contact", "24-0"),
        "Sasha Tillou",
        "ap@example.com",
        "(555) 1",
        "(555) 2",
    )
    assert (second.id, second.email, second.person) == (rid("contact", "24-1"), "boss@example.com", None)
    assert list(found.replaces) == [customer.id]


def journal(*lines: tuple[str, str, str, str | None, str]) -> dict[str, Any]:
    """Lines of (posting, amount, account id, customer, account name)."""
    return {
        "Id": "1451",
        "SyncToken": "0",
        "DocNumber": "309",
        "TxnDate": "2026-10-01",
        "CurrencyRef": {"value": "USD"},
        "Line": [
            {
                "Id": str(n),
                "Amount": amount,
                "DetailType": "JournalEntryLineDetail",
                "JournalEntryLineDetail": {
                    "PostingType": posting,
                    "AccountRef": {"value": account, "name": name},
                    **(
                        {"Entity": {"Type": "Customer", "EntityRef": {"value": customer}}} if customer else {}
                    ),
                },
            }
            for n, (posting, amount, account, customer, name) in enumerate(lines)
        ],
    }


LINES = (
    ("Debit", "100.00", "84", "7", "Accounts Receivable (A/R)"),
    ("Credit", "30.00", "84", "8", "Accounts Receivable (A/R)"),
    ("Debit", "5.50", "84", "7", "Accounts Receivable (A/R)"),
    ("Credit", "75.50", "79", "7", "Sales"),
)


@pytest.mark.parametrize("context", [None, Context(TENANT, receivable_accounts=frozenset({"84"}))])
def test_journal_lines_on_receivables_are_adjustments_per_customer(context: Context | None) -> None:
    found = page("journalentry", journal(*LINES), context=context)
    raised, lowered = found.records
    assert isinstance(raised, model.Adjustment)
    assert isinstance(lowered, model.Adjustment)
    assert (raised.id, raised.customer_id, str(raised.amount)) == (
        rid("adjustment", "1451-7"),
        rid("customer", "7"),
        "105.50",
    )
    assert (lowered.id, lowered.customer_id, str(lowered.amount)) == (
        rid("adjustment", "1451-8"),
        rid("customer", "8"),
        "-30.00",
    )
    assert (raised.open_amount, raised.account_id, raised.number) == (None, "84", "309")


def test_a_journal_entry_without_receivables_is_out_of_scope() -> None:
    context = Context(TENANT, receivable_accounts=frozenset({"99"}))
    found = page("journalentry", journal(*LINES), context=context)
    assert not found.records
    assert [one.remote_id for one in found.out_of_scope] == ["1451"]


def test_accounts_named_in_another_language_are_told_by_their_customers() -> None:
    lines = (("Debit", "10.00", "84", "7", "Debitoren"), ("Credit", "10.00", "79", None, "Erlöse"))
    [adjustment] = page("journalentry", journal(*lines)).records
    assert isinstance(adjustment, model.Adjustment)
    assert str(adjustment.amount) == "10.00"


def test_a_refund_receipt_is_money_back() -> None:
    [refund] = page(
        "refundreceipt", {"Id": "66", "TotalAmt": "87.5", "Balance": 0, "PaymentMethodRef": {"name": "Check"}}
    ).records
    assert isinstance(refund, model.Payment)
    assert (refund.kind, str(refund.total), refund.method, refund.customer_id) == (
        model.PaymentKind.REFUND,
        "87.5",
        "Check",
        None,
    )


def attachable(note: str | None, **more: Any) -> dict[str, Any]:
    return {
        "Id": "5000000000000503624",
        "SyncToken": "2",
        "Note": note,
        "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": "130"}, "IncludeOnSend": False}],
        **more,
    }


def test_our_notes_are_read_back_as_promises_and_disputes() -> None:
    promise = PromiseTag(
        ID,
        date(2026, 12, 1),
        Decimal("500.00"),
        "USD",
        date(2026, 11, 23),
        "Ann Lee",
        "voice",
        ("129", "130"),
        "7",
        datetime(2026, 11, 23, 15, tzinfo=UTC),
    )
    dispute = DisputeTag(
        ID,
        "130",
        Decimal("20.00"),
        "USD",
        "damaged",
        date(2026, 11, 23),
        "Ann",
        "7",
        resolved=date(2026, 11, 24),
        resolution="credited",
    )
    found = page(
        "attachable",
        attachable(format_note(promise, "Will pay.")),
        attachable(format_note(dispute, "Broken.")),
    )
    one, two = found.records
    assert isinstance(one, model.Promise)
    assert isinstance(two, model.Dispute)
    assert one.model_dump(exclude={"source"}) == {
        "id": f"local:{ID}",
        "customer_id": rid("customer", "7"),
        "invoice_ids": (rid("invoice", "129"), rid("invoice", "130")),
        "promised_amount": Decimal("500.00"),
        "currency": "USD",
        "promised_date": date(2026, 12, 1),
        "given_on": date(2026, 11, 23),
        "given_by": "Ann Lee",
        "channel": model.Channel.VOICE,
        "note": "Will pay.",
        "origin": model.Origin.OURS,
        "recorded_at": datetime(2026, 11, 23, 15, tzinfo=UTC),
        "withdrawn_on": None,
        "superseded_by": None,
    }
    assert one.source is not None
    assert (one.source.kind, one.source.remote_id, one.source.version) == (
        "Attachable",
        "5000000000000503624",
        "2",
    )
    assert (two.invoice_id, two.reason, two.resolved_on, two.resolution) == (
        rid("invoice", "130"),
        "damaged",
        date(2026, 11, 24),
        "credited",
    )


def test_a_promise_that_names_no_invoice_is_about_what_its_note_hangs_on() -> None:
    [one] = page("attachable", attachable(format_note(PromiseTag(ID, date(2026, 12, 1))))).records
    assert isinstance(one, model.Promise)
    assert one.invoice_ids == (rid("invoice", "130"),)


def test_other_notes_and_files_are_out_of_scope_and_damaged_ones_of_ours_are_rejected() -> None:
    found = page(
        "attachable",
        attachable("This is an attached note."),
        attachable(None, FileName="scan.pdf"),
        attachable(format_note(NoteTag(ID), "called")),
        attachable(format_note(StatusTag(ID, "second reminder"))),
        attachable("[AR:ptp id=broken]"),
    )
    assert [one.row for one in found.out_of_scope] == [0, 1, 2, 3]
    assert [(one.code, one.row) for one in found.rejected] == [("bad_tag", 4)]


def test_a_promise_in_the_customers_notes_is_read_back_too() -> None:
    tagged = format_note(PromiseTag(ID, date(2026, 12, 1), invoices=("130",)), "Will pay.")
    notes = f"Ring twice\n\n--- AR status (managed) ---\n{tagged} #ptp.6f0c1a2b3c4d\n--- end ---"
    found = page("customer", {"Id": "7", "DisplayName": "X", "Notes": notes})
    [promise] = [record for record in found.records if isinstance(record, model.Promise)]
    assert (promise.invoice_ids, promise.note, promise.customer_id) == (
        (rid("invoice", "130"),),
        "Will pay.",
        rid("customer", "7"),
    )


def test_the_company_from_its_card_and_settings() -> None:
    [card] = page(
        "companyinfo",
        {
            "Id": "1",
            "CompanyName": "Larry's Bakery",
            "LegalName": "L",
            "Country": "US",
            "NameValue": [{"Name": "OfferingSku", "Value": "Plus"}],
        },
    ).records
    [settings] = page(
        "preferences",
        {
            "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "USD"}},
            "AccountingInfoPrefs": {"BookCloseDate": "2026-10-31"},
        },
    ).records
    assert isinstance(card, model.Organization)
    assert isinstance(settings, model.Organization)
    assert (card.id, card.name, card.country, card.time_zone, card.base_currency) == (
        rid("organization", TENANT),
        "Larry's Bakery",
        "US",
        None,
        None,
    )
    assert card.custom_fields[0].value == "Plus"
    assert (settings.id, settings.base_currency, settings.multicurrency, settings.lock_date) == (
        card.id,
        "USD",
        True,
        date(2026, 10, 31),
    )


def test_ids_that_are_not_plain_are_escaped_and_never_collide() -> None:
    ids = ["NG:2285964", "a b", "ä", "200900000000000008541", "1-2"]
    rows = [{"Id": one, "DisplayName": "x"} for one in ids]
    records = decode_page(json.dumps(rows).encode(), "Customer", Context(TENANT)).records
    assert [model.parse_record_id(record.id).remote_id for record in records] == ids  # type: ignore[union-attr]


words = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2) | st.integers(-(10**25), 10**25).map(
    Decimal
)
maybe = st.none()


@given(
    st.fixed_dictionaries(
        {"Id": st.text("0123456789", min_size=1), "TotalAmt": amounts.map(str), "Balance": amounts.map(str)},
        optional={
            "DocNumber": maybe | words,
            "PrivateNote": maybe | words,
            "TxnDate": st.dates().map(str),
            "DueDate": maybe | st.dates().map(str),
            "Deposit": amounts.map(str),
            "ExchangeRate": amounts.map(str),
            "TxnTaxDetail": st.fixed_dictionaries({"TotalTax": amounts.map(str)}),
            "CustomerRef": st.fixed_dictionaries({"value": st.text("0123456789", min_size=1)}),
            "CurrencyRef": st.sampled_from([{"value": "USD"}, {}, {"name": "x"}]),
            "BillEmail": st.fixed_dictionaries({"Address": words}),
            "EmailStatus": words,
            "SalesTermRef": st.fixed_dictionaries({"value": words, "name": words}),
            "Line": st.lists(
                st.fixed_dictionaries(
                    {
                        "Amount": amounts.map(str),
                        "Description": words,
                        "DetailType": st.sampled_from(["SalesItemLineDetail", "SubTotalLineDetail", "x"]),
                    },
                    optional={
                        "SalesItemLineDetail": st.fixed_dictionaries(
                            {"Qty": amounts.map(str), "ItemRef": st.fixed_dictionaries({"value": words})}
                        )
                    },
                ),
                max_size=4,
            ),
            "CustomField": st.lists(st.fixed_dictionaries({"Name": words, "StringValue": words}), max_size=2),
        },
    )
)
def test_quick_records_equal_validated_ones(row: dict[str, Any]) -> None:
    body = {"QueryResponse": {"Invoice": [row]}}
    found = decode("query", json.dumps(body).encode(), TENANT)
    assert isinstance(found, Page)
    [invoice] = found.records
    assert isinstance(invoice, model.Invoice)
    assert str(invoice.total) == row["TotalAmt"]
    validated = model.Invoice.model_validate_json(invoice.model_dump_json())
    assert validated == invoice
    assert hash(validated) == hash(invoice)
    assert list(validated.__dict__) == list(invoice.__dict__)
