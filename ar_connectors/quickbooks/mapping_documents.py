"""How does a sales document of QuickBooks become a normalized one? Invoices and credit memos with their lines; pure.

Amounts are taken verbatim: no digit is added, dropped or computed, but for `subtotal`, which QuickBooks does not send
and which is exactly total less tax (quirks.md#qbo-11).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from ar_connectors.adapterkit.mapper import INVOICE, RowError
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import Mapper
from ar_core.model import CreditNote, DocumentStatus, Invoice, Line, LineKind, RecordKind
from ar_core.model.base import adopt, adopter, blank, empty
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

_new_line = blank(Line)
_invoice, _new_invoice = adopter(Invoice), blank(Invoice, document_status=DocumentStatus.POSTED)
_credit_note, _new_credit_note = (
    adopter(CreditNote),
    blank(CreditNote, document_status=DocumentStatus.POSTED),
)


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
    values = _new_invoice()
    _document(mapper, values, row, total, tax)
    values["id"] = mapper.id(INVOICE, row.id)
    values["source"] = mapper.provenance("Invoice", row)
    if row.invoice_status:
        values["raw_status"] = row.invoice_status
    values["due_date"] = row.due_date
    if row.sales_term_ref is not None:
        values["terms"] = mapper.terms(row.sales_term_ref)
    values["deposit_amount"] = deposit
    values["balance_due"] = balance
    if row.invoice_link:
        values["payment_link"] = row.invoice_link
    if row.delivery_info is not None:
        values["sent_at"] = _sent_at(row.delivery_info, row.email_status)
    if row.bill_email is not None:
        values["billing_email"] = row.bill_email.address or None
    return _invoice(values)


def _document(
    mapper: Mapper, values: dict[str, Any], row: wire.SalesDocument, total: Decimal, tax: Decimal | None
) -> None:
    """Fill in what invoices and credit memos share."""
    rate, note, lines = row.exchange_rate, row.private_note, row.line
    values["number"] = row.doc_number or None
    values["customer_id"] = mapper.customer(row.customer_ref)
    values["issue_date"] = row.txn_date
    values["currency"] = mapper.currency(row.currency_ref)
    values["source_rate"] = values["exchange_rate"] = rate
    if tax is not None:
        values["subtotal"] = subtract(total, tax)
        values["tax_total"] = tax
    values["total"] = total
    if not total and is_voided(total, note, lines):
        values["document_status"] = DocumentStatus.VOIDED
    if row.po_number:
        values["customer_reference"] = row.po_number
    if note:
        values["memo"] = note
    if lines:
        values["lines"] = map_lines(mapper, lines)
    if row.custom_field:
        values["custom_fields"] = mapper.custom_fields(row.custom_field)


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
    values = _new_credit_note()
    _document(mapper, values, row, total, tax)
    values["id"] = mapper.id(RecordKind.CREDIT_NOTE, row.id)
    values["source"] = mapper.provenance("CreditMemo", row)
    values["raw_status"] = row.status or None
    values["unapplied_amount"] = remaining
    return _credit_note(values)


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
    # A page has thousands of lines: what is used for each is a local name.
    new, kinds, numbers = _new_line, _LINE_KINDS, mapper.numbers
    for row in rows:
        values = new()
        values["remote_id"] = row.id
        values["kind"] = kind = kinds.get(row.detail_type, _UNKNOWN)
        values["description"] = row.description
        values["amount"] = amount = row.amount
        detail = row.sales_item_line_detail
        if detail is None:
            numbers.append(amount)
            members: tuple[Line, ...] = ()
            if row.group_line_detail is not None or row.discount_line_detail is not None:
                members = _fill_in_plain(mapper, values, row)
            adopt(line := empty(Line), values)
            result.append(line)
            result += members
            continue
        item = detail.item_ref
        if item is not None:
            values["item"] = item.name
            values["item_id"] = value = item.value
            if value == _SHIPPING and kind is _ITEM:
                values["kind"] = LineKind.SHIPPING
        account = detail.item_account_ref
        if account is not None:
            values["account_id"] = account.value
        tax = detail.tax_code_ref
        if tax is not None:
            values["tax_code"] = tax.value
        values["quantity"] = quantity = detail.qty
        values["unit_price"] = price = detail.unit_price
        numbers += (amount, quantity, price)
        adopt(line := empty(Line), values)
        result.append(line)
    return tuple(result)


def _fill_in_plain(mapper: Mapper, values: dict[str, Any], row: wire.Line) -> tuple[Line, ...]:
    """Fill in a line that sells nothing (subtotal, discount, group, description); returns the members of a group."""
    discount, group = row.discount_line_detail, row.group_line_detail
    if discount is not None and discount.discount_account_ref is not None:
        values["account_id"] = discount.discount_account_ref.value
    if group is None:
        return ()
    if discount is None:
        item = group.group_item_ref
        if item is not None:
            values["item"] = item.name
            values["item_id"] = item.value
        values["quantity"] = group.quantity
        mapper.numbers.append(group.quantity)
    return map_lines(mapper, group.line) if group.line else ()
