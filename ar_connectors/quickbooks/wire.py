"""How do QuickBooks' JSON bodies look? msgspec structs of what this library reads, field for field.

Nothing is required here: what a record needs is said by mapping.py, so that a row with a hole is rejected with a reason
instead of failing its page. Numbers are `Decimal`, made from the digits on the wire. Unknown fields are passed over:
QuickBooks adds fields without notice (quirks.md#qbo-4).

Fields stand in the order of the wire: msgspec looks for a name from where it found the last one.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from msgspec import Raw, Struct, field

__all__ = [
    "ENTITIES",
    "Account",
    "AccountingInfoPrefs",
    "Address",
    "Attachable",
    "AttachableRef",
    "CompanyInfo",
    "CreditMemo",
    "CustomField",
    "Customer",
    "DeliveryInfo",
    "DiscountLineDetail",
    "Email",
    "Entity",
    "EntityRef",
    "GroupLineDetail",
    "HomeCurrencyPrefs",
    "Id",
    "Invoice",
    "JournalEntity",
    "JournalEntry",
    "JournalEntryLineDetail",
    "Line",
    "LinkedTxn",
    "MetaData",
    "NameValue",
    "Payment",
    "PaymentLine",
    "Phone",
    "Preferences",
    "QueryBody",
    "QueryRows",
    "Ref",
    "RefundReceipt",
    "SalesDocument",
    "SalesItemLineDetail",
    "Term",
    "TxnTaxDetail",
    "Wire",
]


class Wire(Struct, rename="pascal", gc=False):
    """Base of the structs: wire names are PascalCase, ours are snake_case; no cycles, so the collector need not look."""


class Ref(Struct, gc=False):
    """A reference to another record: its id, and the name it had when the answer was made."""

    value: str | None = None
    name: str | None = None


class Id(Struct, gc=False):
    """A reference of which only the id is wanted."""

    value: str | None = None


class MetaData(Wire):
    """When a record last changed, at the server. The offset is Pacific for most companies (quirks.md#qbo-51)."""

    last_updated_time: datetime | None = None


class CustomField(Wire):
    """A value in a field that the company defined."""

    definition_id: str | None = None
    name: str | None = None
    string_value: str | None = None
    number_value: Decimal | None = None
    date_value: str | None = None
    boolean_value: bool | None = None


class Address(Wire):
    """A postal address; free lines, parts, or both."""

    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    line5: str | None = None
    city: str | None = None
    country_sub_division_code: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Email(Wire):
    """An e-mail field; it may hold several addresses, parted by commas (quirks.md#qbo-16)."""

    address: str | None = None


class Phone(Wire):
    """A phone field, as people typed it."""

    free_form_number: str | None = None


class LinkedTxn(Wire):
    """A link to another transaction."""

    txn_id: str | None = None
    txn_type: str | None = None
    txn_line_id: str | None = None


class SalesItemLineDetail(Wire):
    """What was sold."""

    item_ref: Ref | None = None
    unit_price: Decimal | None = None
    qty: Decimal | None = None
    item_account_ref: Id | None = None
    tax_code_ref: Id | None = None


class DiscountLineDetail(Wire):
    """A discount on the document; the line's amount is positive (quirks.md#qbo-13)."""

    discount_account_ref: Id | None = None


class JournalEntity(Wire):
    """Whom a journal line is about. Older bodies put the id beside the type instead of under EntityRef."""

    type: str | None = None
    entity_ref: Ref | None = None


class JournalEntryLineDetail(Wire):
    """One side of a journal entry."""

    posting_type: str | None = None
    entity: JournalEntity | None = None
    account_ref: Ref | None = None


class GroupLineDetail(Wire):
    """A bundle of items, with its members."""

    group_item_ref: Ref | None = None
    quantity: Decimal | None = None
    line: list[Line] | None = None


class Line(Wire):
    """One line of a sales document or a journal entry."""

    id: str | None = None
    description: str | None = None
    amount: Decimal | None = None
    detail_type: str | None = None
    sales_item_line_detail: SalesItemLineDetail | None = None
    discount_line_detail: DiscountLineDetail | None = None
    group_line_detail: GroupLineDetail | None = None
    journal_entry_line_detail: JournalEntryLineDetail | None = None


class TxnTaxDetail(Wire):
    """The tax of a document; lines and codes are not read."""

    total_tax: Decimal | None = None


class DeliveryInfo(Wire):
    """When a document was sent by QuickBooks."""

    delivery_type: str | None = None
    delivery_time: datetime | None = None


class Entity(Wire):
    """What every entity has. `status` is `Deleted` on the stub that is left of a deleted record (quirks.md#qbo-21)."""

    id: str | None = None
    sync_token: str | None = None
    status: str | None = field(default=None, name="status")
    meta_data: MetaData | None = None


class SalesDocument(Entity):
    """What invoices, credit memos and refund receipts share."""

    custom_field: list[CustomField] | None = None
    doc_number: str | None = None
    txn_date: date | None = None
    currency_ref: Id | None = None
    exchange_rate: Decimal | None = None
    private_note: str | None = None
    line: list[Line] | None = None
    txn_tax_detail: TxnTaxDetail | None = None
    customer_ref: Id | None = None
    total_amt: Decimal | None = None
    balance: Decimal | None = None
    po_number: str | None = field(default=None, name="PONumber")


class Invoice(SalesDocument):
    """An invoice. Its LinkedTxn is not read: allocations come from payments, which know the amounts (quirks.md#qbo-17)."""

    deposit: Decimal | None = None
    sales_term_ref: Ref | None = None
    due_date: date | None = None
    email_status: str | None = None
    bill_email: Email | None = None
    delivery_info: DeliveryInfo | None = None
    invoice_link: str | None = None
    invoice_status: str | None = field(default=None, name="invoiceStatus")


class CreditMemo(SalesDocument):
    """A credit memo: amounts are positive."""

    remaining_credit: Decimal | None = None


class RefundReceipt(SalesDocument):
    """Money back to a customer, without any posting to receivables: amounts are positive."""

    payment_method_ref: Ref | None = None
    payment_ref_num: str | None = None


class PaymentLine(Wire):
    """A part of a payment and what it is applied to. `LineEx` is never read and never sent back (quirks.md#qbo-18)."""

    amount: Decimal | None = None
    linked_txn: list[LinkedTxn] | None = None


class Payment(Entity):
    """A payment received, or one of 0.00 that applies a credit to an invoice."""

    txn_date: date | None = None
    customer_ref: Id | None = None
    currency_ref: Id | None = None
    exchange_rate: Decimal | None = None
    total_amt: Decimal | None = None
    unapplied_amt: Decimal | None = None
    payment_ref_num: str | None = None
    payment_method_ref: Ref | None = None
    private_note: str | None = None
    line: list[PaymentLine] | None = None


class Customer(Entity):
    """A customer, a sub-customer (job) or a project."""

    display_name: str | None = None
    fully_qualified_name: str | None = None
    name: str | None = None
    company_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    active: bool | None = None
    parent_ref: Id | None = None
    bill_with_parent: bool | None = None
    balance: Decimal | None = None
    currency_ref: Id | None = None
    sales_term_ref: Ref | None = None
    primary_email_addr: Email | None = None
    primary_phone: Phone | None = None
    alternate_phone: Phone | None = None
    mobile: Phone | None = None
    bill_addr: Address | None = None
    notes: str | None = None
    custom_field: list[CustomField] | None = None


class JournalEntry(Entity):
    """A journal entry; only its lines on receivables matter here."""

    doc_number: str | None = None
    txn_date: date | None = None
    currency_ref: Id | None = None
    exchange_rate: Decimal | None = None
    private_note: str | None = None
    line: list[Line] | None = None


class EntityRef(Struct, gc=False):
    """What an attachable hangs on."""

    type: str | None = None
    value: str | None = None


class AttachableRef(Wire):
    """One place an attachable hangs."""

    entity_ref: EntityRef | None = None


class Attachable(Entity):
    """A note or a file; ours are notes whose text starts with a tag (notes.py)."""

    note: str | None = None
    file_name: str | None = None
    attachable_ref: list[AttachableRef] | None = None


class NameValue(Wire):
    """A named fact of the company."""

    name: str | None = None
    value: str | None = None


class CompanyInfo(Entity):
    """The company itself."""

    company_name: str | None = None
    legal_name: str | None = None
    country: str | None = None
    name_value: list[NameValue] | None = None


class HomeCurrencyPrefs(Wire):
    """Currency settings."""

    multi_currency_enabled: bool | None = None
    home_currency: Id | None = None


class AccountingInfoPrefs(Wire):
    """Accounting settings; the book close date may be absent (quirks.md#qbo-45)."""

    book_close_date: date | None = None


class Preferences(Entity):
    """The company's settings: one per company."""

    currency_prefs: HomeCurrencyPrefs | None = None
    accounting_info_prefs: AccountingInfoPrefs | None = None


class Term(Entity):
    """Payment terms."""

    name: str | None = None
    active: bool | None = None
    due_days: int | None = None
    discount_percent: Decimal | None = None
    discount_days: int | None = None
    day_of_month_due: int | None = None
    due_next_month_days: int | None = None


class Account(Entity):
    """A ledger account."""

    name: str | None = None
    account_type: str | None = None
    account_sub_type: str | None = None
    currency_ref: Id | None = None


ENTITIES: dict[str, type[Entity]] = {
    "Invoice": Invoice,
    "CreditMemo": CreditMemo,
    "Payment": Payment,
    "RefundReceipt": RefundReceipt,
    "Customer": Customer,
    "JournalEntry": JournalEntry,
    "Attachable": Attachable,
    "CompanyInfo": CompanyInfo,
    "Preferences": Preferences,
    "Term": Term,
    "Account": Account,
}
"""Entities this library understands, by their wire name."""


class QueryRows(Struct, rename="pascal", forbid_unknown_fields=True, gc=False):
    """The inside of a QueryResponse with nothing but entities that are often read; anything else takes the careful path.

    It is read without its rows: those are taken out before (`adapterkit.cutting.cut_list`), so the list they stood in is empty.
    """

    invoice: list[Raw] | None = None
    credit_memo: list[Raw] | None = None
    payment: list[Raw] | None = None
    customer: list[Raw] | None = None
    start_position: int | None = field(default=None, name="startPosition")
    max_results: int | None = field(default=None, name="maxResults")
    total_count: int | None = field(default=None, name="totalCount")


class QueryBody(Struct, rename="pascal", forbid_unknown_fields=True, gc=False):
    """The whole answer to a query; see `QueryRows`."""

    query_response: QueryRows
    time: datetime | None = field(default=None, name="time")
