"""What settled what? Payments, adjustments on receivables, and the allocations that tie them to invoices."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from ar_core.model.base import Amount, Currency, Frozen
from ar_core.model.documents import DocumentStatus
from ar_core.model.parties import CustomField
from ar_core.model.refs import Source

__all__ = ["Adjustment", "Allocation", "Payment", "PaymentKind"]


class PaymentKind(StrEnum):
    """What kind of money movement a payment is."""

    RECEIPT = "receipt"
    PREPAYMENT = "prepayment"
    OVERPAYMENT = "overpayment"
    REFUND = "refund"
    """Money back to the customer; the amount is positive, the kind gives the direction."""
    DEPOSIT = "deposit"
    UNKNOWN = "unknown"


class Payment(Frozen):
    """Money received from (or returned to) a customer. Amounts in `currency`, positive."""

    id: str
    source: Source | None = None
    kind: PaymentKind = PaymentKind.RECEIPT
    customer_id: str | None = None
    subsidiary_id: str | None = None
    payment_date: date | None = None
    currency: Currency | None = None
    source_rate: Amount | None = None
    exchange_rate: Amount | None = None
    total: Amount
    unapplied_amount: Amount | None = None
    """Not yet applied to a document; None where the ERP does not say."""
    document_status: DocumentStatus
    raw_status: str | None = None
    method: str | None = None
    reference: str | None = None
    memo: str | None = None
    custom_fields: tuple[CustomField, ...] = ()


class Adjustment(Frozen):
    """A journal line on an accounts-receivable account. Positive raises what the customer owes, negative lowers it."""

    id: str
    source: Source | None = None
    number: str | None = None
    customer_id: str | None = None
    subsidiary_id: str | None = None
    adjustment_date: date | None = None
    currency: Currency | None = None
    source_rate: Amount | None = None
    exchange_rate: Amount | None = None
    amount: Amount
    open_amount: Amount | None = None
    """What is still open of it, same sign as `amount`; None where the ERP does not say."""
    document_status: DocumentStatus
    memo: str | None = None
    account_id: str | None = None


class Allocation(Frozen):
    """One application of a payment, credit or adjustment to a document (a payment application).

    `parent_id` is the record it was read from. It is the source itself, or the payment that ties a credit to an invoice
    (QuickBooks). All allocations of one parent are replaced together whenever the parent is read.
    """

    id: str
    parent_id: str
    source: Source | None = None
    source_id: str
    """What gives: a payment, credit note or negative adjustment."""
    target_id: str
    """What is settled: an invoice, positive adjustment or refund."""
    amount: Amount
    currency: Currency | None = None
    """Of `amount`, the source's currency."""
    target_amount: Amount
    target_currency: Currency | None = None
    """Of `target_amount`, the target's currency."""
    applied_on: date | None = None
    discount_amount: Amount | None = None
    """Early-payment discount given with this application, in the target's currency, on top of `target_amount`."""
    realized_gain_loss: Amount | None = None
    """In base currency; gain positive."""
