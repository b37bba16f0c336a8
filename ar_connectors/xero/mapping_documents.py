"""How does a document of Xero become a normalized one? Invoices and credit notes with their lines; pure.

Amounts are taken verbatim. A bill, and anything else on the side of suppliers, is out of scope; a deleted draft is a tombstone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from ar_connectors.adapterkit.mapper import INVOICE, RowError
from ar_connectors.adapterkit.pages import Mapped
from ar_connectors.connector import Record
from ar_connectors.xero import wire
from ar_connectors.xero.context import Mapper
from ar_connectors.xero.mapping_settlements import map_allocations
from ar_core.model import (
    CreditNote,
    DeletionEvidence,
    DocumentStatus,
    Invoice,
    Line,
    LineKind,
    Origin,
    Promise,
    RecordKind,
    Source,
    Tombstone,
)
from ar_core.model.base import adopt, adopter, blank, empty

__all__ = ["map_credit_note", "map_invoice", "status_of"]

_new_line = blank(Line, kind=LineKind.ITEM)
_invoice, _new_invoice = adopter(Invoice), blank(Invoice)
_credit_note, _new_credit_note = adopter(CreditNote), blank(CreditNote)
_STATUSES: Final[dict[str | None, DocumentStatus]] = {
    "DRAFT": DocumentStatus.DRAFT,
    "SUBMITTED": DocumentStatus.PENDING_APPROVAL,
    "AUTHORISED": DocumentStatus.POSTED,
    "PAID": DocumentStatus.POSTED,
    "VOIDED": DocumentStatus.VOIDED,
}
_UNKNOWN: Final = DocumentStatus.UNKNOWN


def status_of(word: str | None) -> DocumentStatus:
    """Where a document stands in its life; PAID says nothing about that beyond that it was posted."""
    return _STATUSES.get(word, _UNKNOWN)


def map_invoice(mapper: Mapper, row: wire.Invoice) -> Mapped:
    """One invoice, and the promise in its expected payment date. Raises RowError when it has no id, total or amount due."""
    remote_id, status = row.invoice_id, row.status
    kind = row.type
    if kind is not None and kind != "ACCREC":
        return Mapped(
            out_of_scope=f"{kind}: not a sales invoice" if kind != "ACCPAY" else "a supplier's bill"
        )
    identity = mapper.id(INVOICE, remote_id)
    source = mapper.provenance("Invoice", remote_id, row)
    if status == "DELETED":
        return _deleted(identity, INVOICE, source)
    total, due, rate, tax = row.total, row.amount_due, row.currency_rate, row.total_tax
    subtotal = row.sub_total
    paid, credited, withheld = row.amount_paid, row.amount_credited, row.cis_deduction
    if total is None:
        raise RowError("missing_field", f"Invoice {remote_id} has no Total")
    if due is None:
        raise RowError("missing_field", f"Invoice {remote_id} has no AmountDue")
    mapper.numbers += (total, due, rate, tax, subtotal, paid, credited, withheld)
    values = _new_invoice()
    values["id"] = identity
    values["source"] = source
    values["number"] = row.invoice_number or None
    _document(mapper, values, row, total)
    values["due_date"] = mapper.day(row.due_date_string, row.due_date, "DueDate")
    if withheld is not None:
        values["withheld_amount"] = withheld
    values["amount_paid"] = paid
    values["amount_credited"] = credited
    values["balance_due"] = due
    if not (row.expected or row.expected_string):
        return Mapped((_invoice(values),), None, identity)
    expected = mapper.day(row.expected_string, row.expected, "ExpectedPaymentDate")
    values["expected_payment_date"] = expected
    invoice = _invoice(values)
    if expected is None or status == "VOIDED":
        return Mapped((invoice,), None, identity)
    return Mapped((invoice, _native_promise(mapper, invoice, remote_id, source)), None, identity)


def _document(
    mapper: Mapper, values: dict[str, Any], row: wire.Invoice | wire.CreditNote, total: Decimal
) -> None:
    """Fill in what invoices and credit notes share."""
    contact, rate, status, lines = row.contact, row.currency_rate, row.status, row.line_items
    if contact is not None:
        values["customer_id"] = mapper.customer_id(contact.contact_id)
    values["issue_date"] = mapper.day(row.date_string, row.date, "Date")
    values["currency"] = currency = mapper.currency_code(row.currency_code, "CurrencyCode")
    values["source_rate"] = rate
    values["exchange_rate"] = mapper.base_rate(rate, currency)
    values["subtotal"] = row.sub_total
    values["tax_total"] = row.total_tax
    values["total"] = total
    values["document_status"] = _STATUSES.get(status, _UNKNOWN)
    values["raw_status"] = status
    values["customer_reference"] = row.reference or None
    if lines:
        values["lines"] = _lines(mapper, lines)


def _native_promise(mapper: Mapper, invoice: Invoice, remote_id: str | None, source: Source) -> Promise:
    """A bookkeeper's expected date counts as a promise of the whole open balance (quirks.md#xero-20)."""
    return Promise.trusted(
        id=mapper.id(RecordKind.PROMISE, remote_id),
        source=source,
        customer_id=invoice.customer_id,
        invoice_ids=(invoice.id,),
        promised_date=invoice.expected_payment_date,
        origin=Origin.ERP,
    )


def map_credit_note(mapper: Mapper, row: wire.CreditNote) -> Mapped:
    """One credit note with its allocations. Raises RowError when it has no id, total or remaining credit."""
    remote_id, status, kind = row.credit_note_id, row.status, row.type
    if kind is not None and kind != "ACCRECCREDIT":
        return Mapped(out_of_scope=f"{kind}: not a credit to a customer")
    identity = mapper.id(RecordKind.CREDIT_NOTE, remote_id)
    source = mapper.provenance("CreditNote", remote_id, row)
    if status == "DELETED":
        return _deleted(identity, RecordKind.CREDIT_NOTE, source)
    total, left, rate = row.total, row.remaining_credit, row.currency_rate
    if total is None:
        raise RowError("missing_field", f"CreditNote {remote_id} has no Total")
    if left is None:
        raise RowError("missing_field", f"CreditNote {remote_id} has no RemainingCredit")
    mapper.numbers += (total, left, rate, row.total_tax, row.sub_total)
    values = _new_credit_note()
    values["id"] = identity
    values["source"] = source
    values["number"] = row.credit_note_number or None
    _document(mapper, values, row, total)
    values["unapplied_amount"] = left
    records: list[Record] = [_credit_note(values)]
    if status != "VOIDED":
        records += map_allocations(mapper, row, identity, values["currency"], source)
    return Mapped(records, replaces=identity)


def _deleted(identity: str, kind: RecordKind, source: Source) -> Mapped:
    evidence = DeletionEvidence.REPORTED_DELETED
    return Mapped(tombstone=Tombstone.trusted(id=identity, kind=kind, source=source, evidence=evidence))


def _lines(mapper: Mapper, rows: list[wire.LineItem]) -> tuple[Line, ...]:
    """The lines of a document, in their order. A line without any amount only describes."""
    result: list[Line] = []
    # A page has thousands of lines: what is used for each is a local name.
    new, numbers = _new_line, mapper.numbers
    for row in rows:
        values = new()
        values["remote_id"] = row.line_item_id
        values["description"] = row.description or None
        item, account = row.item, row.account_id
        if item is None:
            values["item"] = row.item_code
        else:
            values["item"] = item.name or row.item_code
            values["item_id"] = item.item_id
        values["account_id"] = account or row.account_code
        values["quantity"] = quantity = row.quantity
        values["unit_price"] = price = row.unit_amount
        values["amount"] = amount = row.line_amount
        values["tax_amount"] = tax = row.tax_amount
        values["tax_code"] = row.tax_type
        if amount is None and price is None:
            values["kind"] = LineKind.DESCRIPTION
        numbers += (quantity, price, amount, tax)
        adopt(line := empty(Line), values)
        result.append(line)
    return tuple(result)
