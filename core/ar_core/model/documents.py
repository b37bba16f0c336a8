"""What was billed and what was credited? Invoices, credit notes, their lines.

Four facts are never folded into one status: the document's life cycle (`document_status`, stored), its settlement and
its lateness (computed with an as-of date, `ar_core.settlement`), and its existence at the source (a tombstone).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.parties import CustomField, PaymentTerms
from ar_core.model.refs import Source

__all__ = ["CreditNote", "Document", "DocumentStatus", "Invoice", "Line", "LineKind"]


class DocumentStatus(StrEnum):
    """Where a document stands in its own life; says nothing about payment."""

    DRAFT = "draft"
    PENDING_APPROVAL = "pending_approval"
    POSTED = "posted"
    VOIDED = "voided"
    UNKNOWN = "unknown"
    """The ERP used a word we do not know; `raw_status` has it."""


class LineKind(StrEnum):
    """What a document line stands for."""

    ITEM = "item"
    DISCOUNT = "discount"
    """Its amount is positive and is to be subtracted."""
    SHIPPING = "shipping"
    TAX = "tax"
    SUBTOTAL = "subtotal"
    GROUP = "group"
    """Its amount sums its own members, which follow it."""
    DESCRIPTION = "description"
    UNKNOWN = "unknown"


class Line(Frozen):
    """One line of a document; amounts in the document's currency."""

    remote_id: str | None = None
    kind: LineKind = LineKind.UNKNOWN
    description: str | None = None
    item: str | None = None
    item_id: str | None = None
    account_id: str | None = None
    """Remote id of the ledger account or the item's account, where the ERP says it."""
    quantity: Amount | None = None
    unit_price: Amount | None = None
    amount: Amount | None = None
    tax_amount: Amount | None = None
    tax_code: str | None = None


class Document(Frozen):
    """The header that invoices and credit notes share. Amounts are positive: direction comes from the type."""

    id: str
    source: Source | None = None
    number: str | None = None
    customer_id: str | None = None
    subsidiary_id: str | None = None
    issue_date: date | None = None
    currency: Currency | None = None
    """None: the ERP left it out and the company's currency is not known (a lone decode)."""
    source_rate: Amount | None = None
    """The exchange rate exactly as the ERP printed it, direction unproven."""
    exchange_rate: Amount | None = None
    """Base currency per one document unit; None unless its direction is proven."""
    subtotal: Amount | None = None
    tax_total: Amount | None = None
    rounding: Amount | None = None
    total: Amount
    document_status: DocumentStatus
    raw_status: str | None = None
    customer_reference: str | None = None
    """The customer's own reference, usually a purchase order number."""
    memo: str | None = None
    """Staff memo, verbatim."""
    lines: tuple[Line, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()


class Invoice(Document):
    """A claim on a customer.

    `total - amount_paid - amount_credited - deposit_amount - withheld_amount = balance_due` where all are known.
    """

    due_date: date | None = None
    terms: PaymentTerms | None = None
    deposit_amount: Amount | None = None
    """Paid on the document itself, without a payment record."""
    withheld_amount: Amount | None = None
    """Tax withheld by the customer (UK CIS)."""
    amount_paid: Amount | None = None
    amount_credited: Amount | None = None
    balance_due: Amount
    payment_link: str | None = None
    has_pdf: bool | None = None
    sent_at: UtcDatetime | None = None
    billing_email: str | None = None
    """Where the ERP sends this invoice."""
    expected_payment_date: date | None = None
    """A native promise date in the ERP (Xero ExpectedPaymentDate, NetSuite userEstimatedPaymentDate)."""
    due_version: int = 0
    """How often the due date was seen to change; kept by the store, 0 in a pure decode. Part of cadence coverage keys (E10)."""


class CreditNote(Document):
    """A claim of the customer on us (credit memo)."""

    unapplied_amount: Amount
    """Not yet used against an invoice or refunded."""
