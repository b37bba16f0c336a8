"""What is open per customer and currency by our own records, and of what does the figure consist? Exact, from a snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ar_core.model import Adjustment, DocumentStatus, PaymentKind, Snapshot
from ar_core.model.money import ZERO, exact, subtract, total

__all__ = ["Balance", "Part", "open_balances"]

_NOT_YET_OWED: Final = frozenset(
    {DocumentStatus.DRAFT, DocumentStatus.PENDING_APPROVAL, DocumentStatus.VOIDED}
)


class Part(StrEnum):
    """What an open balance is made of."""

    INVOICES = "open invoices"
    CREDITS = "unapplied credits"
    PAYMENTS = "unapplied payments"
    ADJUSTMENTS = "adjustments"


@dataclass(slots=True)
class Balance:
    """What one customer owes in one currency. Credits and unapplied payments are negative."""

    parts: dict[Part, Decimal] = field(default_factory=lambda: dict.fromkeys(Part, ZERO))
    in_base: Decimal | None = ZERO
    """The same in base currency at the documents' own rates; None as soon as one rate is not proven."""
    documents: int = 0
    """How many open documents it is the sum of."""
    unknown: int = 0
    """How many documents do not say what is open of them; they are not in the figure."""

    def add(self, part: Part, amount: Decimal | None, rate: Decimal | None) -> None:
        """Take one document in."""
        if amount is None:
            self.unknown += 1
            return
        if amount == ZERO:
            return
        self.documents += 1
        self.parts[part] = total((self.parts[part], amount))
        if self.in_base is not None:
            self.in_base = total((self.in_base, _product(amount, rate))) if rate is not None else None

    def sum(self) -> Decimal:
        """All parts together."""
        return total(self.parts.values())


def _product(amount: Decimal, rate: Decimal) -> Decimal:
    with exact():
        return amount * rate


def open_balances(snapshot: Snapshot) -> Mapping[tuple[str | None, str | None], Balance]:
    """Open balances by (customer id, currency); None where the ERP does not say one of them."""
    found: defaultdict[tuple[str | None, str | None], Balance] = defaultdict(Balance)
    base = snapshot.organization.base_currency if snapshot.organization is not None else None
    for customer, currency, part, amount, rate in _pieces(snapshot):
        found[customer, currency].add(part, amount, Decimal(1) if currency == base else rate)
    return found


_Piece = tuple[str | None, str | None, Part, Decimal | None, Decimal | None]


def _pieces(snapshot: Snapshot) -> Iterator[_Piece]:
    for invoice in snapshot.invoices:
        if invoice.document_status not in _NOT_YET_OWED:
            yield (
                invoice.customer_id,
                invoice.currency,
                Part.INVOICES,
                invoice.balance_due,
                invoice.exchange_rate,
            )
    for credit in snapshot.credit_notes:
        if credit.document_status not in _NOT_YET_OWED:
            amount = -credit.unapplied_amount
            yield credit.customer_id, credit.currency, Part.CREDITS, amount, credit.exchange_rate
    for payment in snapshot.payments:
        if payment.document_status in _NOT_YET_OWED:
            continue
        # A refund gives money back: what of it is not tied to a credit raises what the customer owes.
        sign = 1 if payment.kind is PaymentKind.REFUND else -1
        left = payment.unapplied_amount
        amount_left = None if left is None else sign * left
        yield payment.customer_id, payment.currency, Part.PAYMENTS, amount_left, payment.exchange_rate
    used = _used_of_adjustments(snapshot)
    for adjustment in snapshot.adjustments:
        if adjustment.document_status not in _NOT_YET_OWED:
            amount = _open_of(adjustment, used.get(adjustment.id, ZERO))
            yield (
                adjustment.customer_id,
                adjustment.currency,
                Part.ADJUSTMENTS,
                amount,
                adjustment.exchange_rate,
            )


def _open_of(adjustment: Adjustment, used: Decimal) -> Decimal:
    """What is open of an adjustment; where the ERP does not say, its amount less what the allocations took of it."""
    if adjustment.open_amount is not None:
        return adjustment.open_amount
    if adjustment.amount < ZERO:
        return total((adjustment.amount, used))
    return subtract(adjustment.amount, used)


def _used_of_adjustments(snapshot: Snapshot) -> Mapping[str, Decimal]:
    """How much of each adjustment was settled (a positive one) or used to settle (a negative one)."""
    known = {one.id for one in snapshot.adjustments}
    used: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in snapshot.allocations:
        if one.target_id in known:
            used[one.target_id] = total((used[one.target_id], one.target_amount, one.discount_amount or ZERO))
        if one.source_id in known:
            used[one.source_id] = total((used[one.source_id], one.amount))
    return used
