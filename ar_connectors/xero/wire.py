"""How do Xero's JSON bodies look? msgspec structs of what this library reads, field for field.

Nothing is required here: what a record needs is said by the mapping, so that a row with a hole is rejected with a reason
instead of failing its page. Numbers are `Decimal`, made from the digits on the wire, also where they are written as text
(quirks.md#xero-12). Enumerations are plain text: Xero adds values without notice. Unknown fields are passed over.

Fields stand in the order of the wire: msgspec looks for a name from where it found the last one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Raw, Struct, field

__all__ = [
    "ROWS",
    "Address",
    "Allocation",
    "Balance",
    "Balances",
    "Body",
    "Contact",
    "ContactGroup",
    "ContactPerson",
    "ContactRef",
    "CreditNote",
    "CreditRef",
    "Crediting",
    "Document",
    "HistoryRecord",
    "Invoice",
    "InvoiceRef",
    "Item",
    "LineItem",
    "Organisation",
    "Overpayment",
    "OverpaymentRef",
    "Pagination",
    "Payment",
    "PaymentTerm",
    "PaymentTerms",
    "Phone",
    "Prepayment",
    "PrepaymentRef",
    "Row",
    "Stamp",
    "Wire",
]


class Wire(Struct, rename="pascal", gc=False):
    """Base of the structs: wire names are PascalCase, ours are snake_case; no cycles, so the collector need not look."""


class Row(Wire):
    """What every row has. `updated` is `/Date(ms+0000)/`; the twin is ISO text and newer than most bodies (quirks.md#xero-11)."""

    updated: str | None = field(default=None, name="UpdatedDateUTC")
    updated_string: str | None = field(default=None, name="UpdatedDateUTCString")


class Stamp(Wire):
    """When a row changed, whatever it is and whatever stands in these places."""

    updated: Any = field(default=None, name="UpdatedDateUTC")
    updated_string: Any = field(default=None, name="UpdatedDateUTCString")


class ContactRef(Wire):
    """Whom a document is for."""

    contact_id: str | None = field(default=None, name="ContactID")


class Item(Wire):
    """An item of the catalog, as a line prints it."""

    item_id: str | None = field(default=None, name="ItemID")
    name: str | None = None


class LineItem(Wire):
    """One line of a document; `line_amount` has the tax in it where the document says Inclusive."""

    item_code: str | None = None
    description: str | None = None
    unit_amount: Decimal | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None
    line_amount: Decimal | None = None
    account_code: str | None = None
    item: Item | None = None
    quantity: Decimal | None = None
    line_item_id: str | None = field(default=None, name="LineItemID")
    account_id: str | None = field(default=None, name="AccountID")


class Document(Row):
    """What invoices, credit notes, prepayments and overpayments share. Every date has a twin in ISO text (quirks.md#xero-10)."""

    type: str | None = None
    reference: str | None = None
    currency_rate: Decimal | None = None
    contact: ContactRef | None = None
    date_string: str | None = None
    date: str | None = None
    status: str | None = None
    line_items: list[LineItem] | None = None
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    currency_code: str | None = None


class Invoice(Document):
    """A sales invoice, or a bill (`ACCPAY`). Its payments and credits are not read here: those say it themselves."""

    invoice_id: str | None = field(default=None, name="InvoiceID")
    invoice_number: str | None = None
    amount_due: Decimal | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None
    due_date_string: str | None = None
    due_date: str | None = None
    cis_deduction: Decimal | None = field(default=None, name="CISDeduction")
    expected: str | None = field(default=None, name="ExpectedPaymentDate")
    expected_string: str | None = field(default=None, name="ExpectedPaymentDateString")


class InvoiceRef(Wire):
    """The invoice that a payment pays or a credit is allocated to."""

    invoice_id: str | None = field(default=None, name="InvoiceID")
    type: str | None = None
    contact: ContactRef | None = None
    currency_code: str | None = None


class Allocation(Wire):
    """One use of a credit note, prepayment or overpayment. The parent stands beside it only in answers to an allocation."""

    allocation_id: str | None = field(default=None, name="AllocationID")
    amount: Decimal | None = None
    date: str | None = None
    invoice: InvoiceRef | list[InvoiceRef] | None = None
    """An official sample has a list here."""
    is_deleted: bool | None = None
    credit_note: CreditRef | None = None
    prepayment: PrepaymentRef | None = None
    overpayment: OverpaymentRef | None = None


class CreditRef(Wire):
    """The credit note behind a refund or an allocation."""

    credit_note_id: str | None = field(default=None, name="CreditNoteID")
    contact: ContactRef | None = None
    currency_code: str | None = None


class PrepaymentRef(Wire):
    """The prepayment behind a refund or an allocation."""

    prepayment_id: str | None = field(default=None, name="PrepaymentID")
    contact: ContactRef | None = None
    currency_code: str | None = None


class OverpaymentRef(Wire):
    """The overpayment behind a refund or an allocation."""

    overpayment_id: str | None = field(default=None, name="OverpaymentID")
    contact: ContactRef | None = None
    currency_code: str | None = None


class Crediting(Document):
    """A document that settles others."""

    remaining_credit: Decimal | None = None
    allocations: list[Allocation] | None = None


class CreditNote(Crediting):
    """A credit note to a customer, or from a supplier (`ACCPAYCREDIT`)."""

    credit_note_id: str | None = field(default=None, name="CreditNoteID")
    credit_note_number: str | None = None


class Prepayment(Crediting):
    """Money before there was an invoice."""

    prepayment_id: str | None = field(default=None, name="PrepaymentID")


class Overpayment(Crediting):
    """Money beyond what was due."""

    overpayment_id: str | None = field(default=None, name="OverpaymentID")


class Payment(Row):
    """A payment of one document, or a refund of a credit (quirks.md#xero-21). `amount` is in the document's currency."""

    payment_id: str | None = field(default=None, name="PaymentID")
    date: str | None = None
    amount: Decimal | None = None
    currency_rate: Decimal | None = None
    payment_type: str | None = None
    status: str | None = None
    reference: str | None = None
    invoice: InvoiceRef | None = None
    credit_note: CreditRef | None = None
    prepayment: PrepaymentRef | None = None
    overpayment: OverpaymentRef | None = None


class Address(Wire):
    """A postal address: `STREET`, `POBOX` or `DELIVERY`."""

    address_type: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Phone(Wire):
    """A phone number in three parts: `DEFAULT`, `DDI`, `MOBILE` or `FAX`."""

    phone_type: str | None = None
    phone_number: str | None = None
    phone_area_code: str | None = None
    phone_country_code: str | None = None


class ContactPerson(Wire):
    """A further person at a contact; at most five."""

    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    include_in_emails: bool | None = None


class ContactGroup(Wire):
    """A group that a contact is in."""

    contact_group_id: str | None = field(default=None, name="ContactGroupID")
    name: str | None = None
    status: str | None = None


class PaymentTerm(Wire):
    """A day and how it is counted (`DAYSAFTERBILLDATE`, ...)."""

    day: int | None = None
    type: str | None = None


class PaymentTerms(Wire):
    """Terms of sale; those of bills are not read."""

    sales: PaymentTerm | None = None


class Balance(Wire):
    """What a contact owes. In which currency is disputed (quirks.md#xero-31)."""

    outstanding: Decimal | None = None


class Balances(Wire):
    """Only the receivables."""

    accounts_receivable: Balance | None = None


class Contact(Row):
    """A customer, a supplier, or both."""

    contact_id: str | None = field(default=None, name="ContactID")
    account_number: str | None = None
    contact_number: str | None = None
    contact_status: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    addresses: list[Address] | None = None
    phones: list[Phone] | None = None
    contact_persons: list[ContactPerson] | None = None
    contact_groups: list[ContactGroup] | None = None
    default_currency: str | None = None
    payment_terms: PaymentTerms | None = None
    merged_to: str | None = field(default=None, name="MergedToContactID")
    balances: Balances | None = None


class Organisation(Row):
    """The company itself."""

    organisation_id: str | None = field(default=None, name="OrganisationID")
    name: str | None = None
    legal_name: str | None = None
    base_currency: str | None = None
    country_code: str | None = None
    timezone: str | None = None
    short_code: str | None = None
    organisation_class: str | None = field(default=None, name="Class")
    period_lock_date: str | None = None
    end_of_year_lock_date: str | None = None


class HistoryRecord(Wire):
    """An entry in the history of a document; a note has `Changes` "Note"."""

    changes: str | None = None
    date: str | None = field(default=None, name="DateUTC")
    date_string: str | None = field(default=None, name="DateUTCString")
    user: str | None = None
    details: str | None = None


ROWS: dict[str, type[Struct]] = {
    "Invoices": Invoice,
    "CreditNotes": CreditNote,
    "Payments": Payment,
    "Prepayments": Prepayment,
    "Overpayments": Overpayment,
    "Contacts": Contact,
    "Organisations": Organisation,
    "Allocations": Allocation,
    "HistoryRecords": HistoryRecord,
}
"""What the rows of a collection are."""


class Pagination(Struct, rename="camel", gc=False):
    """Where a page lies in its list."""

    page: int | None = None
    page_size: int | None = None
    page_count: int | None = None
    item_count: int | None = None


class Body(Wire):
    """An answer with a list of rows: those that are often read. It is read without them: they are taken out before
    (`adapterkit.cutting.cut_list`), so the list they stood in is empty."""

    invoices: list[Raw] | None = None
    credit_notes: list[Raw] | None = None
    payments: list[Raw] | None = None
    prepayments: list[Raw] | None = None
    overpayments: list[Raw] | None = None
    contacts: list[Raw] | None = None
    date_time: str | None = field(default=None, name="DateTimeUTC")
    pagination: Pagination | None = field(default=None, name="pagination")
