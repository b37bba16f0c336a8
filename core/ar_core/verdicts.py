"""What is said of a promise to pay, and by which terms it is judged? The judging itself: `ar_core.promises` (E33-E36, docs/rules.md).

These records stand apart from it, because where the evaluator is compiled, the judging is compiled, too, and records cannot be.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from ar_core.model.base import Amount, Currency, Frozen

__all__ = ["NOT_KEPT", "PENDING", "PromiseState", "PromiseTerms", "PromiseVerdict"]


class PromiseState(StrEnum):
    """What has become of a promise."""

    OPEN = "open"
    """Its date has not passed."""
    IN_GRACE = "in_grace"
    """Its date has passed, its grace has not."""
    KEPT = "kept"
    KEPT_LATE = "kept_late"
    """Paid in full, after the deadline."""
    PARTIALLY_KEPT = "partially_kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    """Taken back before its own deadline passed; later it stays what it was."""
    SUPERSEDED = "superseded"
    """Replaced by a newer promise before its own deadline."""


NOT_KEPT: Final = frozenset({PromiseState.BROKEN, PromiseState.PARTIALLY_KEPT})
"""The states that count against a customer (E35)."""

PENDING: Final = frozenset({PromiseState.OPEN, PromiseState.IN_GRACE})


class PromiseTerms(Frozen):
    """How generously promises are judged."""

    grace_business_days: int = 2
    tolerance_pct: Amount = Decimal(2)
    """Shortfall forgiven, in percent of what was promised."""
    tolerance_abs: Amount = Decimal(5)
    """Shortfall forgiven, in units of the promise's currency. The smaller of the two tolerances counts."""
    unapplied: Literal["count", "ignore"] = "count"
    """Does money that is not yet applied to any invoice count towards a promise?"""


class PromiseVerdict(Frozen):
    """One promise, judged."""

    promise_id: str
    customer_id: str | None
    invoice_ids: tuple[str, ...]
    """The invoices it covers; where the promise named none, all of the customer's."""
    state: PromiseState
    promised_date: date
    deadline: date
    """Last day of grace."""
    given_on: date | None
    required: Amount
    """What had to be paid: the promised amount, at most what was open when it was given."""
    paid: Amount
    """Paid from the day it was given on to the deadline (or to the as-of date before it)."""
    currency: Currency | None
    decided_on: date | None
    """The day its state became final; None while open or in grace."""

    @property
    def pending(self) -> bool:
        """Open or in grace: it still pauses chasing."""
        return self.state in PENDING
