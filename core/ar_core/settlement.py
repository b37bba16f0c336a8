"""How is a document settled, and how late is it? Conclusions, computed from records with an as-of date.

A balance of zero does not mean paid: the allocations are followed to see whether money, a credit or a write-off closed
the invoice (design section 4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum

from ar_core.model.documents import CreditNote, DocumentStatus, Invoice
from ar_core.model.money import ZERO
from ar_core.model.settlements import Allocation, Payment

__all__ = ["Settlement", "days_past_due", "is_overdue", "settlement"]


class Settlement(StrEnum):
    """How far, and by what, a document is settled."""

    OPEN = "open"
    PARTIALLY_SETTLED = "partially_settled"
    PAID = "paid"
    """Closed, and money took part in it."""
    CREDITED = "credited"
    """Closed by credit notes alone."""
    WRITTEN_OFF = "written_off"
    """Closed with a credit whose account is a known bad-debt account."""
    VOIDED = "voided"
    OVERSETTLED = "oversettled"
    """Its balance is below zero."""
    UNKNOWN = "unknown"
    """Closed, but no allocation tells by what; or the document's status is unknown."""


def days_past_due(due_date: date, today: date) -> int:
    """Whole days from the due date to `today` (the organization's local date). Negative before it is due; 0 on the day (E3)."""
    return (today - due_date).days


def is_overdue(invoice: Invoice, today: date) -> bool:
    """Has an open balance and at least one day past due (E3: day 0 is not late). False where there is no due date."""
    return (
        invoice.due_date is not None
        and invoice.balance_due > ZERO
        and days_past_due(invoice.due_date, today) >= 1
    )


def settlement(
    invoice: Invoice,
    allocations: Iterable[Allocation],
    sources: Mapping[str, Payment | CreditNote],
    bad_debt_accounts: Collection[str] = (),
) -> Settlement:
    """Classify one invoice by following the allocations that target it.

    `allocations`: any that target this invoice (others are passed over). `sources`: payments and credit notes by id.
    `bad_debt_accounts`: remote ids of accounts (or items) that stand for bad debt; a credit note with a line on one of
    them writes off. Without any, nothing is called written off.
    """
    if invoice.document_status is DocumentStatus.VOIDED:
        return Settlement.VOIDED
    if invoice.document_status is DocumentStatus.UNKNOWN:
        return Settlement.UNKNOWN
    if invoice.balance_due < ZERO:
        return Settlement.OVERSETTLED
    if invoice.balance_due > ZERO:
        return Settlement.OPEN if invoice.balance_due == invoice.total else Settlement.PARTIALLY_SETTLED
    return _closed_by(invoice, allocations, sources, frozenset(bad_debt_accounts))


def _closed_by(
    invoice: Invoice,
    allocations: Iterable[Allocation],
    sources: Mapping[str, Payment | CreditNote],
    bad_debt_accounts: frozenset[str],
) -> Settlement:
    money = bool(invoice.deposit_amount)
    credit = written_off = False
    for allocation in allocations:
        if allocation.target_id != invoice.id or not allocation.target_amount:
            continue
        source = sources.get(allocation.source_id)
        if isinstance(source, CreditNote):
            credit = True
            written_off |= any(
                line.account_id in bad_debt_accounts or line.item_id in bad_debt_accounts
                for line in source.lines
            )
        elif isinstance(source, Payment):
            money = True
    if written_off:
        return Settlement.WRITTEN_OFF
    if money:
        return Settlement.PAID
    if credit:
        return Settlement.CREDITED
    if invoice.total == ZERO or not invoice.amount_paid:
        return (
            Settlement.PAID
            if invoice.total == ZERO
            else Settlement.CREDITED
            if invoice.amount_credited
            else Settlement.UNKNOWN
        )
    return Settlement.PAID
