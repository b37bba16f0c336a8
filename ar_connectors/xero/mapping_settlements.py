"""How is an invoice settled in Xero? Payments, refunds, prepayments, overpayments, and what credits were used for; pure.

A payment pays one document, wholly. A credit lists its own allocations; the answer to an allocation alone names its parent
beside it (quirks.md#xero-21, #xero-22).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ar_connectors.adapterkit.mapper import INVOICE, PAYMENT, RowError
from ar_connectors.adapterkit.pages import Mapped
from ar_connectors.connector import Record
from ar_connectors.xero import wire
from ar_connectors.xero.context import Mapper
from ar_core.model import (
    Allocation,
    DeletionEvidence,
    DocumentStatus,
    Payment,
    PaymentKind,
    RecordKind,
    Source,
    Tombstone,
    allocation_id,
)
from ar_core.model.base import adopter, blank
from ar_core.model.money import ZERO

__all__ = ["map_allocation", "map_allocations", "map_overpayment", "map_payment", "map_prepayment"]

_payment, _new_payment = adopter(Payment), blank(Payment, unapplied_amount=ZERO)
_allocation, _new_allocation = adopter(Allocation), blank(Allocation)
_STATUSES: Final[dict[str | None, DocumentStatus]] = {
    "AUTHORISED": DocumentStatus.POSTED,
    "PAID": DocumentStatus.POSTED,
    "VOIDED": DocumentStatus.VOIDED,
    "DRAFT": DocumentStatus.DRAFT,
}
_UNKNOWN: Final = DocumentStatus.UNKNOWN
_RECEIPT: Final = "ACCRECPAYMENT"
_REFUNDS: Final = frozenset({"ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "ARPREPAYMENTPAYMENT"})
_PAYABLES: Final = frozenset(
    {"ACCPAYPAYMENT", "APCREDITPAYMENT", "APOVERPAYMENTPAYMENT", "APPREPAYMENTPAYMENT"}
)
_RECEIVED: Final = frozenset({"RECEIVE-PREPAYMENT", "ARPREPAYMENT", "RECEIVE-OVERPAYMENT", "AROVERPAYMENT"})


def map_payment(mapper: Mapper, row: wire.Payment) -> Mapped:
    """A payment of an invoice, or a refund of a credit. Raises RowError when it has no id or no amount.

    A payment cannot be changed, only deleted; then it is a tombstone, and so is what it settled.
    """
    kind, remote_id, amount, invoice = row.payment_type, row.payment_id, row.amount, row.invoice
    if kind in _PAYABLES or (invoice is not None and invoice.type == "ACCPAY"):
        return Mapped(out_of_scope=f"{kind or 'payment'}: money to a supplier")
    identity = mapper.id(PAYMENT, remote_id)
    source = mapper.provenance("Payment", remote_id, row)
    if row.status == "DELETED":
        evidence = DeletionEvidence.REPORTED_DELETED
        stone = Tombstone.trusted(id=identity, kind=PAYMENT, source=source, evidence=evidence)
        return Mapped(tombstone=stone)
    if amount is None:
        raise RowError("missing_field", f"Payment {remote_id} has no Amount")
    rate = row.currency_rate
    mapper.numbers += (amount, rate)
    credit = row.credit_note or row.overpayment or row.prepayment
    about: wire.InvoiceRef | wire.CreditRef | wire.OverpaymentRef | wire.PrepaymentRef | None = (
        credit if kind in _REFUNDS and credit is not None else invoice or credit
    )
    currency = (
        mapper.currency_code(about.currency_code, "CurrencyCode")
        if about is not None
        else mapper.home_currency
    )
    contact = about.contact if about is not None else None
    day = mapper.day(None, row.date, "Date")
    values = _new_payment()
    values["id"] = identity
    values["source"] = source
    if kind != _RECEIPT:
        values["kind"] = PaymentKind.REFUND if kind in _REFUNDS else PaymentKind.UNKNOWN
    if contact is not None:
        values["customer_id"] = mapper.customer_id(contact.contact_id)
    values["payment_date"] = day
    values["currency"] = currency
    values["source_rate"] = rate
    values["exchange_rate"] = mapper.base_rate(rate, currency)
    values["total"] = amount
    values["document_status"] = _STATUSES.get(row.status, _UNKNOWN)
    values["raw_status"] = row.status
    values["reference"] = row.reference or None
    record = _payment(values)
    if kind in _REFUNDS:
        giver = _credit_id(mapper, row)
        ends = (giver, identity) if giver is not None else None
    else:
        paid = invoice.invoice_id if invoice is not None else None
        ends = (identity, mapper.id(INVOICE, paid)) if paid else None
    if ends is None or not amount:
        return Mapped((record,), None, identity)
    made = _applied(identity, 0, ends, amount, currency, day, source)
    return Mapped((record, made), None, identity)


def _credit_id(mapper: Mapper, row: wire.Payment | wire.Allocation) -> str | None:
    """The credit that a refund pays out, or that an allocation is of."""
    if row.credit_note is not None and row.credit_note.credit_note_id:
        return mapper.id(RecordKind.CREDIT_NOTE, row.credit_note.credit_note_id)
    if row.overpayment is not None and row.overpayment.overpayment_id:
        return mapper.id(PAYMENT, row.overpayment.overpayment_id)
    if row.prepayment is not None and row.prepayment.prepayment_id:
        return mapper.id(PAYMENT, row.prepayment.prepayment_id)
    return None


def map_prepayment(mapper: Mapper, row: wire.Prepayment) -> Mapped:
    """Money before there was an invoice, with its allocations. Raises RowError when it has no id, total or remaining credit."""
    return _money_in(mapper, row, row.prepayment_id, "Prepayment", PaymentKind.PREPAYMENT)


def map_overpayment(mapper: Mapper, row: wire.Overpayment) -> Mapped:
    """Money beyond what was due, with its allocations. Raises RowError when it has no id, total or remaining credit."""
    return _money_in(mapper, row, row.overpayment_id, "Overpayment", PaymentKind.OVERPAYMENT)


def _money_in(
    mapper: Mapper, row: wire.Crediting, remote_id: str | None, name: str, kind: PaymentKind
) -> Mapped:
    if row.type is not None and row.type not in _RECEIVED:
        return Mapped(out_of_scope=f"{row.type}: money to a supplier")
    identity = mapper.id(PAYMENT, remote_id)
    source = mapper.provenance(name, remote_id, row)
    total, left, rate = row.total, row.remaining_credit, row.currency_rate
    if total is None:
        raise RowError("missing_field", f"{name} {remote_id} has no Total")
    if left is None:
        raise RowError("missing_field", f"{name} {remote_id} has no RemainingCredit")
    mapper.numbers += (total, left, rate)
    currency = mapper.currency_code(row.currency_code, "CurrencyCode")
    voided = row.status == "VOIDED"
    values = _new_payment()
    values["id"] = identity
    values["source"] = source
    values["kind"] = kind
    if row.contact is not None:
        values["customer_id"] = mapper.customer_id(row.contact.contact_id)
    values["payment_date"] = mapper.day(row.date_string, row.date, "Date")
    values["currency"] = currency
    values["source_rate"] = rate
    values["exchange_rate"] = mapper.base_rate(rate, currency)
    values["total"] = total
    values["unapplied_amount"] = left
    values["document_status"] = _STATUSES.get(row.status, _UNKNOWN)
    values["raw_status"] = row.status
    values["reference"] = row.reference or None
    record = _payment(values)
    records: list[Record] = [record]
    if not voided:
        records += map_allocations(mapper, row, identity, currency, source)
    return Mapped(records, replaces=identity)


def map_allocations(
    mapper: Mapper, row: wire.Crediting, identity: str, currency: str | None, source: Source
) -> list[Allocation]:
    """What a credit was used for; allocations that were taken back stay listed as deleted and are left out."""
    made: list[Allocation] = []
    ordinals: dict[str, int] = {}
    for one in row.allocations or ():
        if one.is_deleted or not one.amount:
            continue
        invoice = _invoice_of(one)
        target = mapper.id(INVOICE, invoice.invoice_id if invoice is not None else None)
        mapper.numbers.append(one.amount)
        ordinal = ordinals.get(target, 0)
        ordinals[target] = ordinal + 1
        day = mapper.day(None, one.date, "Date")
        made.append(_applied(identity, ordinal, (identity, target), one.amount, currency, day, source))
    return made


def map_allocation(mapper: Mapper, row: wire.Allocation) -> Mapped:
    """An allocation by itself: the answer to making or deleting one. Raises RowError when it lacks invoice or amount."""
    parent = _credit_id(mapper, row)
    if row.is_deleted:
        return Mapped(out_of_scope="an allocation that was taken back: the credit it came from tells")
    if parent is None:
        return Mapped(out_of_scope="an allocation that does not say of which credit")
    if row.amount is None:
        raise RowError("missing_field", f"Allocation {row.allocation_id} has no Amount")
    invoice = _invoice_of(row)
    target = mapper.id(INVOICE, invoice.invoice_id if invoice is not None else None)
    mapper.numbers.append(row.amount)
    credit = row.credit_note or row.overpayment or row.prepayment
    code = (invoice.currency_code if invoice is not None else None) or (
        credit.currency_code if credit is not None else None
    )
    currency = mapper.currency_code(code, "CurrencyCode")
    day = mapper.day(None, row.date, "Date")
    kind = (
        "CreditNote"
        if row.credit_note is not None
        else "Overpayment"
        if row.overpayment is not None
        else "Prepayment"
    )
    source = mapper.source(kind, parent.rpartition(":")[2], None, None)
    return Mapped((_applied(parent, 0, (parent, target), row.amount, currency, day, source),))


def _invoice_of(row: wire.Allocation) -> wire.InvoiceRef | None:
    found = row.invoice
    return (found[0] if found else None) if isinstance(found, list) else found


def _applied(
    parent: str,
    ordinal: int,
    ends: tuple[str, str],
    amount: Decimal,
    currency: str | None,
    day: object,
    source: Source,
) -> Allocation:
    """An allocation from `ends[0]` to `ends[1]`. Both are in one currency: Xero lets no other pair be."""
    values = _new_allocation()
    values["id"] = allocation_id(parent, ends[1], ordinal)
    values["parent_id"] = parent
    values["source"] = source
    values["source_id"], values["target_id"] = ends
    values["amount"] = values["target_amount"] = amount
    values["currency"] = values["target_currency"] = currency
    values["applied_on"] = day
    return _allocation(values)
