"""How does a transaction header become an invoice or a credit note, and a date on it a promise? Pure.

Amounts are in the transaction's own currency and taken verbatim; only a sign is dropped where NetSuite writes a credit negative,
and `subtotal` is exactly total less tax (quirks.md#ns-12).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ar_connectors.netsuite.context import Mapper, RowError, instant
from ar_connectors.netsuite.statuses import RECORD_TYPES, is_true
from ar_connectors.netsuite.wire import LineRow, TransactionRow
from ar_core.model import (
    CreditNote,
    CustomField,
    DocumentStatus,
    Invoice,
    Line,
    LineKind,
    Origin,
    Promise,
    RecordKind,
)
from ar_core.model.base import adopter
from ar_core.model.money import ZERO, subtract

__all__ = ["custom_fields", "map_credit_memo", "map_invoice", "map_lines", "native_promise"]

_invoice = adopter(Invoice)
_credit_note = adopter(CreditNote)
_SETTLED: Final = ("paid in full", "fully applied", "void")
_VOIDED: Final = DocumentStatus.VOIDED


def map_invoice(mapper: Mapper, row: TransactionRow) -> Invoice:
    """One invoice (or statement or finance charge). Raises RowError when it has no id, no total or nothing that tells what is open."""
    kind = row.type or "CustInvc"
    total, rate, tax = row.foreigntotal, row.exchangerate, row.taxtotal
    if total is None:
        raise RowError("missing_field", f"{RECORD_TYPES[kind]} {row.id} has no foreigntotal")
    words, status = mapper.status(kind, row.status, row.statusname, row.voided, row.posting)
    unpaid = row.foreignamountunpaid
    if unpaid is None:
        unpaid = _open_of(row, total, words, status)
    mapper.numbers += (total, unpaid, rate, tax, row.subtotal)
    changed = row.lastmodifieddate
    custom = row.custom
    return _invoice(
        {
            "id": mapper.id(RecordKind.INVOICE, row.id),
            "source": mapper.provenance(RECORD_TYPES[kind], row.id, changed),
            "number": row.tranid or None,
            "customer_id": mapper.customer_id(row.entity),
            "subsidiary_id": row.subsidiary or None,
            "issue_date": mapper.day(row.trandate),
            "currency": mapper.currency(row.currency, row.currencyname),
            "source_rate": rate,
            "exchange_rate": rate,
            "subtotal": subtract(total, tax) if tax is not None else row.subtotal,
            "tax_total": tax,
            "rounding": None,
            "total": total,
            "document_status": status,
            "raw_status": words,
            "customer_reference": row.otherrefnum or None,
            "memo": row.memo or None,
            "lines": (),
            "custom_fields": custom_fields(custom) if custom else (),
            "due_date": mapper.day(row.duedate),
            "terms": mapper.terms(row.terms, row.termsname),
            "deposit_amount": None,
            "withheld_amount": None,
            "amount_paid": None,
            "amount_credited": None,
            "balance_due": unpaid,
            "payment_link": None,
            "has_pdf": None,
            "sent_at": None,
            "billing_email": row.email or None,
            "expected_payment_date": mapper.day(row.userestimatedpaymentdate),
            "due_version": 0,
        }
    )


def map_credit_memo(mapper: Mapper, row: TransactionRow, lines: Sequence[LineRow] = ()) -> CreditNote:
    """One credit memo. Raises RowError when it has no id, no total or nothing that tells what is unapplied."""
    kind = row.type or "CustCred"
    total, rate, tax = row.foreigntotal, row.exchangerate, row.taxtotal
    if total is None:
        raise RowError("missing_field", f"creditMemo {row.id} has no foreigntotal")
    words, status = mapper.status(kind, row.status, row.statusname, row.voided, row.posting)
    unused = row.foreignpaymentamountunused
    if unused is None:
        unused = _unused_of(row, total, words, status)
    if total < ZERO:
        total, tax = total.copy_negate(), tax.copy_negate() if tax is not None else None
    if unused < ZERO:
        unused = unused.copy_negate()
    mapper.numbers += (total, unused, rate, tax, row.subtotal)
    custom = row.custom
    return _credit_note(
        {
            "id": mapper.id(RecordKind.CREDIT_NOTE, row.id),
            "source": mapper.provenance(RECORD_TYPES[kind], row.id, row.lastmodifieddate),
            "number": row.tranid or None,
            "customer_id": mapper.customer_id(row.entity),
            "subsidiary_id": row.subsidiary or None,
            "issue_date": mapper.day(row.trandate),
            "currency": mapper.currency(row.currency, row.currencyname),
            "source_rate": rate,
            "exchange_rate": rate,
            "subtotal": subtract(total, tax) if tax is not None else row.subtotal,
            "tax_total": tax,
            "rounding": None,
            "total": total,
            "document_status": status,
            "raw_status": words,
            "customer_reference": row.otherrefnum or None,
            "memo": row.memo or None,
            "lines": map_lines(mapper, lines),
            "custom_fields": custom_fields(custom) if custom else (),
            "unapplied_amount": unused,
        }
    )


def _open_of(row: TransactionRow, total: Decimal, words: str | None, status: DocumentStatus) -> Decimal:
    """What is open of an invoice that leaves `foreignamountunpaid` out: SuiteQL does so with a column that has no value."""
    if row.foreignamountpaid is not None:
        return subtract(total, row.foreignamountpaid)
    if status is _VOIDED or any(word in (words or "").casefold() for word in _SETTLED) or total == ZERO:
        return ZERO
    if status in {DocumentStatus.PENDING_APPROVAL, DocumentStatus.DRAFT}:
        return total
    raise RowError("missing_field", f"invoice {row.id} has no foreignamountunpaid")


def _unused_of(row: TransactionRow, total: Decimal, words: str | None, status: DocumentStatus) -> Decimal:
    if row.foreignpaymentamountused is not None:
        return subtract(abs(total), abs(row.foreignpaymentamountused))
    if row.foreignamountunpaid is not None:
        return row.foreignamountunpaid
    if status is _VOIDED or any(word in (words or "").casefold() for word in _SETTLED) or total == ZERO:
        return ZERO
    if status in {DocumentStatus.PENDING_APPROVAL, DocumentStatus.DRAFT}:
        return total
    raise RowError("missing_field", f"creditMemo {row.id} has no foreignpaymentamountunused")


def map_lines(mapper: Mapper, lines: Sequence[LineRow]) -> tuple[Line, ...]:
    """The lines of a document that have an amount; positive where they add to the document."""
    found = []
    for line in lines:
        amount = line.foreignamount
        mapper.numbers += (amount, line.quantity, line.rate)
        found.append(
            Line.trusted(
                remote_id=line.line or None,
                kind=LineKind.TAX if is_true(line.taxline) else LineKind.ITEM,
                description=line.memo or None,
                item=line.itemname or None,
                item_id=line.item or None,
                account_id=line.account or None,
                quantity=abs(line.quantity) if line.quantity is not None else None,
                unit_price=line.rate,
                amount=amount,
            )
        )
    return tuple(found)


def custom_fields(values: dict[str, str | None]) -> tuple[CustomField, ...]:
    """Values of the account's own fields, by script id."""
    return tuple(
        CustomField.trusted(name=name, value=value, definition_id=name)
        for name, value in sorted(values.items())
    )


def native_promise(mapper: Mapper, row: TransactionRow, invoice: Invoice) -> Promise | None:
    """The promise that a bookkeeper set on an invoice: an estimated payment date whose source is the customer's promise. A date
    that is the company's own estimate is none (quirks.md#ns-20)."""
    day = invoice.expected_payment_date
    if day is None or "PROMIS" not in (row.userestimatesource or "").upper():
        return None
    changed = row.lastmodifieddate
    return Promise.trusted(
        id=mapper.id(RecordKind.PROMISE, row.id),
        source=invoice.source,
        customer_id=invoice.customer_id,
        invoice_ids=(invoice.id,),
        currency=invoice.currency,
        promised_date=day,
        origin=Origin.ERP,
        recorded_at=instant(changed, mapper.zone) or instant(changed, mapper.context.assumed_zone),
    )
