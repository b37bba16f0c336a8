"""In which order should people work? Scorers: pure functions from an account's features to a priority (R65-R68, docs/rules.md).

A score is an integer, by default in basis points (0 to 10,000). Stops come before scores: a paused account has no contact in the
worklist, whatever its score, only the internal tasks that somebody has to do (the order of stops: docs/rules.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final

from ar_core.model.money import ZERO

if TYPE_CHECKING:
    from ar_core.cadence.view import AccountView

__all__ = [
    "SCORERS",
    "additive",
    "amount_first",
    "blend",
    "blend_of",
    "expected_value",
    "expected_value_with",
    "reliability",
]

_SHARES: Final = Context(prec=28)
_HALF: Final = Decimal("0.5")
_FEW: Final = 3
_OLDEST: Final = 120
_LATEST: Final = 60
_REFERENCE_BALANCE: Final = 1_000_000
"""Balance in base currency at which the amount part of `blend` is full."""
_LOG_OF_REFERENCE: Final = math.log1p(_REFERENCE_BALANCE)
_WHOLE: Final = Decimal(10_000)
_EVEN: Final = 5_000
"""Half of the whole: of an account that nothing is known about, which most are."""
_PAY_IF_TOUCHED: Final = ((0, 95, 93), (30, 85, 78), (60, 70, 58), (90, 50, 36), (_OLDEST * 1000, 30, 20))
"""Uncalibrated: days past due up to, percent that pay when contacted, percent that pay anyway (OURS)."""
_COST_OF_TOUCH: Final = Decimal(5)


def _shrunk(hits: Decimal, count: int) -> Decimal:
    """A rate pulled towards one half while there is little to go by: Beta(2, 2), and no opinion under 3 observations."""
    if count < _FEW:
        return _HALF
    return _SHARES.divide(hits + 2, Decimal(count + 4))


def reliability(view: AccountView) -> Decimal:
    """How well an account pays, 0 to 1: half on-time rate, three tenths kept promises, two tenths lateness (OURS)."""
    if not view.verdicts and not view.facts.closed_rows:
        return _HALF
    settled, judged = len(view.settled), 0
    first = second = third = _HALF
    if view.verdicts:
        judged = view.kept_ptp_12m + view.broken_ptp_12m
        kept = view.kept_ratio_12m
        second = _shrunk(kept * judged if kept is not None else ZERO, judged)
    if settled < _FEW and judged < _FEW:
        return _HALF
    if settled >= _FEW:
        on_time, late = view.on_time_rate_12m, view.wavg_days_late_12m
        first = _shrunk(on_time * settled if on_time is not None else ZERO, settled)
        if late is not None:
            third = 1 - _SHARES.divide(min(max(late, ZERO), Decimal(_LATEST)), Decimal(_LATEST))
    return _SHARES.plus(first * 5 / 10 + second * 3 / 10 + third * 2 / 10)


def blend_of(max_dpd: int, balance_base: Decimal, reliable: Decimal) -> int:
    """The default blend from its three ingredients: 35 % age, 35 % balance (logarithmic), 30 % unreliability (OURS)."""
    age = min(max(max_dpd, 0), _OLDEST) * 10_000 // _OLDEST
    size = min(math.log1p(max(balance_base, ZERO)) / _LOG_OF_REFERENCE, 1)
    risk = _EVEN if reliable is _HALF else int(_SHARES.multiply(1 - reliable, _WHOLE))
    return (35 * age + 35 * round(size * 10_000) + 30 * risk) // 100


def blend(view: AccountView) -> int:
    """Days late, balance and behavior in one figure, in basis points (R65)."""
    return blend_of(view.max_dpd or 0, view.overdue_base or ZERO, reliability(view))


def additive(view: AccountView) -> int:
    """Points per rule that holds, each visible and simple (as SAP collections does it)."""
    points = 0
    dpd, balance = view.max_dpd or 0, view.overdue_base or ZERO
    points += sum(1000 for edge in (1, 16, 31, 61, 91) if dpd >= edge)
    points += sum(800 for edge in (1_000, 10_000, 100_000) if balance >= edge)
    points += 1500 if view.broken_ptp_12m >= 2 else 750 if view.broken_ptp_12m == 1 else 0
    points += 600 if view.disputes_12m else 0
    points += 500 if view.unanswered_all else 0
    return points


def amount_first(view: AccountView) -> int:
    """The overdue amount in base currency, in whole units; age only breaks ties."""
    return int(view.overdue_base or ZERO)


def expected_value_with(
    chances: Callable[[AccountView], tuple[Decimal, Decimal]],
) -> Callable[[AccountView], int]:
    """A scorer from your own probabilities: (paid when contacted, paid anyway). Balance times the difference, less the cost."""

    def score(view: AccountView) -> int:
        touched, anyway = chances(view)
        return int((view.overdue_base or ZERO) * (touched - anyway) - _COST_OF_TOUCH)

    return score


def _default_chances(view: AccountView) -> tuple[Decimal, Decimal]:
    dpd = view.max_dpd or 0
    row = next(row for row in _PAY_IF_TOUCHED if dpd <= row[0])
    return Decimal(row[1]) / 100, Decimal(row[2]) / 100


expected_value = expected_value_with(_default_chances)
"""Expected gain of a contact in base currency, with an uncalibrated table by age: replace it with your own figures."""

SCORERS: Final[Mapping[str, Callable[[AccountView], int]]] = {
    "additive": additive,
    "amount_first": amount_first,
    "blend": blend,
    "expected_value": expected_value,
}
"""The shipped scorers by the name a policy uses."""
