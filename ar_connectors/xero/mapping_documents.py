"""How does a document of Xero become a normalized one? Invoices and credit notes with their lines; pure.

Amounts are taken verbatim. A bill, and anything else on the side of suppliers, is out of scope; a deleted draft is a tombstone.
"""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit.mapper import RowError
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
from ar_core.model.base import adopter

__all__ = ["map_credit_note", "map_invoice", "status_of"]

_line = adopter(Line)
_invoice = adopter(Invoice)
_credit_note = adopter(CreditNote)
_NO_ITEM: Final = wire.Item()
_STATUSES: Final[dict[str | None, DocumentStatus]] = {
    "DRAFT": DocumentStatus.DRAFT,
    "SUBMITTED": DocumentStatus.PENDING_APPROVAL,
    "AUTHORISED": DocumentStatus.POSTED,
    "PAID": DocumentStatus.POSTED,
    "VOIDED": DocumentStatus.VOIDED,
}
_ITEM: Final = LineKind.ITEM
_DESCRIPTION: Final = LineKind.DESCRIPTION


def status_of(word: str | None) -> DocumentStatus:
    """Where a document stands in its life; PAID says nothing about that beyond that it was posted."""
    return _STATUSES.get(word, DocumentStatus.UNKNOWN)


def map_invoice(mapper: Mapper, row: wire.Invoice) -> Mapped:
    """One invoice, and the promise in its expected payment date. Raises RowError when it has no id, total or amount due."""
    remote_id, status, contact = row.invoice_id, row.status, row.contact
    kind = row.type
    if kind is not None and kind != "ACCREC":
        return Mapped(
            out_of_scope=f"{kind}: not a sales invoice" if kind != "ACCPAY" else "a supplier's bill"
        )
    identity = mapper.id(RecordKind.INVOICE, remote_id)
    source = mapper.provenance("Invoice", remote_id, row)
    if status == "DELETED":
        return _deleted(identity, RecordKind.INVOICE, source)
    total, due, rate, tax, subtotal = (
        row.total,
        row.amount_due,
        row.currency_rate,
        row.total_tax,
        row.sub_total,
    )
    paid, credited, withheld = row.amount_paid, row.amount_credited, row.cis_deduction
    if total is None:
        raise RowError("missing_field", f"Invoice {remote_id} has no Total")
    if due is None:
        raise RowError("missing_field", f"Invoice {remote_id} has no AmountDue")
    mapper.numbers += (total, due, rate, tax, subtotal, paid, credited, withheld)
    currency = mapper.currency_code(row.currency_code, "CurrencyCode")
    customer = mapper.customer_id(contact.contact_id) if contact is not None else None
    expected = (
        mapper.day(row.expected_string, row.expected, "ExpectedPaymentDate")
        if row.expected or row.expected_string
        else None
    )
    links, lines = mapper.context.links, row.line_items
    invoice = _invoice(
        {
            "id": identity,
            "source": source,
            "number": row.invoice_number or None,
            "customer_id": customer,
            "subsidiary_id": None,
            "issue_date": mapper.day(row.date_string, row.date, "Date"),
            "currency": currency,
            "source_rate": rate,
            "exchange_rate": mapper.base_rate(rate, currency),
            "subtotal": subtotal,
            "tax_total": tax,
            "rounding": None,
            "total": total,
            "document_status": _STATUSES.get(status, DocumentStatus.UNKNOWN),
            "raw_status": status,
            "customer_reference": row.reference or None,
            "memo": None,
            "lines": _lines(mapper, lines) if lines else (),
            "custom_fields": (),
            "due_date": mapper.day(row.due_date_string, row.due_date, "DueDate"),
            "terms": None,
            "deposit_amount": None,
            "withheld_amount": withheld,
            "amount_paid": paid,
            "amount_credited": credited,
            "balance_due": due,
            "payment_link": links.get(remote_id or "") if links else None,
            "has_pdf": None,
            "sent_at": None,
            "billing_email": None,
            "expected_payment_date": expected,
            "due_version": 0,
        }
    )
    if expected is None or status == "VOIDED":
        return Mapped((invoice,), replaces=identity)
    return Mapped((invoice, _native_promise(mapper, invoice, remote_id, source)), replaces=identity)


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
    currency = mapper.currency_code(row.currency_code, "CurrencyCode")
    contact, lines = row.contact, row.line_items
    note = _credit_note(
        {
            "id": identity,
            "source": source,
            "number": row.credit_note_number or None,
            "customer_id": mapper.customer_id(contact.contact_id) if contact is not None else None,
            "subsidiary_id": None,
            "issue_date": mapper.day(row.date_string, row.date, "Date"),
            "currency": currency,
            "source_rate": rate,
            "exchange_rate": mapper.base_rate(rate, currency),
            "subtotal": row.sub_total,
            "tax_total": row.total_tax,
            "rounding": None,
            "total": total,
            "document_status": _STATUSES.get(status, DocumentStatus.UNKNOWN),
            "raw_status": status,
            "customer_reference": row.reference or None,
            "memo": None,
            "lines": _lines(mapper, lines) if lines else (),
            "custom_fields": (),
            "unapplied_amount": left,
        }
    )
    records: list[Record] = [note]
    if status != "VOIDED":
        records += map_allocations(mapper, row, identity, currency, source)
    return Mapped(records, replaces=identity)


def _deleted(identity: str, kind: RecordKind, source: Source) -> Mapped:
    evidence = DeletionEvidence.REPORTED_DELETED
    return Mapped(tombstone=Tombstone.trusted(id=identity, kind=kind, source=source, evidence=evidence))


def _lines(mapper: Mapper, rows: list[wire.LineItem]) -> tuple[Line, ...]:
    """The lines of a document, in their order. A line without any amount only describes."""
    result: list[Line] = []
    add, line, numbers = result.append, _line, mapper.numbers
    for row in rows:
        item = row.item or _NO_ITEM
        quantity, price, amount, tax = row.quantity, row.unit_amount, row.line_amount, row.tax_amount
        numbers += (quantity, price, amount, tax)
        add(
            line(
                {
                    "remote_id": row.line_item_id,
                    "kind": _ITEM if amount is not None or price is not None else _DESCRIPTION,
                    "description": row.description,
                    "item": item.name or row.item_code,
                    "item_id": item.item_id,
                    "account_id": row.account_id or row.account_code,
                    "quantity": quantity,
                    "unit_price": price,
                    "amount": amount,
                    "tax_amount": tax,
                    "tax_code": row.tax_type,
                }
            )
        )
    return tuple(result)
