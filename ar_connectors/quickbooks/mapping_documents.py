"""How does a sales document of QuickBooks become a normalized one? Invoices and credit memos with their lines; pure.

Amounts are taken verbatim: no digit is added, dropped or computed, but for `subtotal`, which QuickBooks does not send
and which is exactly total less tax (quirks.md#qbo-11).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import Mapper
from ar_core.model import CreditNote, DocumentStatus, Invoice, Line, LineKind, RecordKind
from ar_core.model.base import adopter
from ar_core.model.money import subtract

__all__ = ["is_voided", "map_credit_memo", "map_invoice", "map_lines"]

_LINE_KINDS: Final[dict[str | None, LineKind]] = {
    "SalesItemLineDetail": LineKind.ITEM,
    "SALES_ITEM_LINE_DETAIL": LineKind.ITEM,
    "SubTotalLineDetail": LineKind.SUBTOTAL,
    "SUB_TOTAL_LINE_DETAIL": LineKind.SUBTOTAL,
    "DiscountLineDetail": LineKind.DISCOUNT,
    "DISCOUNT_LINE_DETAIL": LineKind.DISCOUNT,
    "GroupLineDetail": LineKind.GROUP,
    "GROUP_LINE_DETAIL": LineKind.GROUP,
    "DescriptionOnly": LineKind.DESCRIPTION,
    "DescriptionOnlyLine": LineKind.DESCRIPTION,
    "DescriptionLineDetail": LineKind.DESCRIPTION,
    "DESCRIPTION_ONLY": LineKind.DESCRIPTION,
    "TaxLineDetail": LineKind.TAX,
    "TAX_LINE_DETAIL": LineKind.TAX,
}
"""Both spellings occur (quirks.md#qbo-10)."""

_UNKNOWN: Final = LineKind.UNKNOWN
_ITEM: Final = LineKind.ITEM
_SHIPPING: Final = "SHIPPING_ITEM_ID"
_SENT: Final = frozenset({"EmailSent", "EMAIL_SENT"})

_line = adopter(Line)
_invoice = adopter(Invoice)
_credit_note = adopter(CreditNote)
_EMPTY: Final = wire.Ref()


def is_voided(total: Decimal | None, note: str | None, lines: list[wire.Line] | None) -> bool:
    """QuickBooks has no void flag: total zero, every line zero, and a staff note that starts with `Voided` (quirks.md#qbo-20)."""
    if total or not note or not note.lstrip().startswith("Voided"):
        return False
    return all(not line.amount for line in lines or ())


def map_invoice(mapper: Mapper, row: wire.Invoice) -> Invoice:
    """One invoice. Raises RowError when it has no id, no total or no balance."""
    total, balance, tax = _header(row, "Balance", row.balance)
    deposit, rate = row.deposit, row.exchange_rate
    mapper.numbers += (total, balance, tax, deposit, rate)
    delivery, email, raw_lines, custom = row.delivery_info, row.bill_email, row.line, row.custom_field
    return _invoice(
        {
            "id": mapper.id(RecordKind.INVOICE, row.id),
            "source": mapper.provenance("Invoice", row),
            "number": row.doc_number or None,
            "customer_id": mapper.customer(row.customer_ref),
            "subsidiary_id": None,
            "issue_date": row.txn_date,
            "currency": mapper.currency(row.currency_ref),
            "source_rate": rate,
            "exchange_rate": rate,
            "subtotal": subtract(total, tax) if tax is not None else None,
            "tax_total": tax,
            "rounding": None,
            "total": total,
            "document_status": DocumentStatus.VOIDED
            if not total and is_voided(total, row.private_note, raw_lines)
            else DocumentStatus.POSTED,
            "raw_status": row.invoice_status or None,
            "customer_reference": row.po_number or None,
            "memo": row.private_note or None,
            "lines": map_lines(mapper, raw_lines) if raw_lines else (),
            "custom_fields": mapper.custom_fields(custom) if custom else (),
            "due_date": row.due_date,
            "terms": mapper.terms(row.sales_term_ref),
            "deposit_amount": deposit,
            "withheld_amount": None,
            "amount_paid": None,
            "amount_credited": None,
            "balance_due": balance,
            "payment_link": row.invoice_link or None,
            "has_pdf": None,
            "sent_at": _sent_at(delivery, row.email_status) if delivery is not None else None,
            "billing_email": (email.address or None) if email is not None else None,
            "expected_payment_date": None,
            "due_version": 0,
        }
    )


def _sent_at(delivery: wire.DeliveryInfo, status: str | None) -> datetime | None:
    """When QuickBooks sent the document, UTC; None where it did not, or does not say with an offset."""
    if status not in _SENT and status is not None and delivery.delivery_type != "Email":
        return None
    sent = delivery.delivery_time
    return sent.astimezone(UTC) if sent is not None and sent.tzinfo is not None else None


def map_credit_memo(mapper: Mapper, row: wire.CreditMemo) -> CreditNote:
    """One credit memo. Raises RowError when it has no id, no total or no remaining credit.

    What remains is RemainingCredit; a body that leaves it out has the same figure in Balance (quirks.md#qbo-15).
    """
    remaining = row.remaining_credit if row.remaining_credit is not None else row.balance
    total, remaining, tax = _header(row, "RemainingCredit", remaining)
    rate = row.exchange_rate
    mapper.numbers += (total, remaining, tax, rate)
    raw_lines = row.line
    return _credit_note(
        {
            "id": mapper.id(RecordKind.CREDIT_NOTE, row.id),
            "source": mapper.provenance("CreditMemo", row),
            "number": row.doc_number or None,
            "customer_id": mapper.customer(row.customer_ref),
            "subsidiary_id": None,
            "issue_date": row.txn_date,
            "currency": mapper.currency(row.currency_ref),
            "source_rate": rate,
            "exchange_rate": rate,
            "subtotal": subtract(total, tax) if tax is not None else None,
            "tax_total": tax,
            "rounding": None,
            "total": total,
            "document_status": DocumentStatus.VOIDED
            if not total and is_voided(total, row.private_note, raw_lines)
            else DocumentStatus.POSTED,
            "raw_status": row.status or None,
            "customer_reference": row.po_number or None,
            "memo": row.private_note or None,
            "lines": map_lines(mapper, raw_lines) if raw_lines else (),
            "custom_fields": mapper.custom_fields(row.custom_field),
            "unapplied_amount": remaining,
        }
    )


def _header(
    row: wire.SalesDocument, field: str, open_amount: Decimal | None
) -> tuple[Decimal, Decimal, Decimal | None]:
    """Total, open amount and tax of a document; the first two must be there."""
    total = row.total_amt
    if total is None:
        raise RowError("missing_field", f"{type(row).__name__} {row.id} has no TotalAmt")
    if open_amount is None:
        raise RowError("missing_field", f"{type(row).__name__} {row.id} has no {field}")
    tax = row.txn_tax_detail
    return total, open_amount, tax.total_tax if tax is not None else None


def map_lines(mapper: Mapper, rows: list[wire.Line]) -> tuple[Line, ...]:
    """The lines of a sales document, in their order; the members of a group follow it."""
    result: list[Line] = []
    add, line, kinds, numbers = result.append, _line, _LINE_KINDS, mapper.numbers
    for row in rows:
        kind = kinds.get(row.detail_type, _UNKNOWN)
        detail = row.sales_item_line_detail
        if detail is None:
            numbers.append(row.amount)
            add(_plain_line(mapper, row, kind))
            if row.group_line_detail is not None and row.group_line_detail.line:
                result.extend(map_lines(mapper, row.group_line_detail.line))
            continue
        item, account, tax = detail.item_ref, detail.item_account_ref, detail.tax_code_ref
        if item is None:
            item = _EMPTY
        elif item.value == _SHIPPING and kind is _ITEM:
            kind = LineKind.SHIPPING
        amount, quantity, price = row.amount, detail.qty, detail.unit_price
        numbers += (amount, quantity, price)
        add(
            line(
                {
                    "remote_id": row.id,
                    "kind": kind,
                    "description": row.description,
                    "item": item.name,
                    "item_id": item.value,
                    "account_id": account.value if account is not None else None,
                    "quantity": quantity,
                    "unit_price": price,
                    "amount": amount,
                    "tax_amount": None,
                    "tax_code": tax.value if tax is not None else None,
                }
            )
        )
    return tuple(result)


def _plain_line(mapper: Mapper, row: wire.Line, kind: LineKind) -> Line:
    """A line that sells nothing: subtotal, discount, group, description."""
    item, account, quantity = _EMPTY, None, None
    discount, group = row.discount_line_detail, row.group_line_detail
    if discount is not None:
        account = discount.discount_account_ref.value if discount.discount_account_ref is not None else None
    elif group is not None:
        item = group.group_item_ref or _EMPTY
        quantity = group.quantity
        mapper.numbers.append(quantity)
    return _line(
        {
            "remote_id": row.id,
            "kind": kind,
            "description": row.description,
            "item": item.name,
            "item_id": item.value,
            "account_id": account,
            "quantity": quantity,
            "unit_price": None,
            "amount": row.amount,
            "tax_amount": None,
            "tax_code": None,
        }
    )
