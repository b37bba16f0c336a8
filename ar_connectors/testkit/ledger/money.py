"""How are amounts added here? Exactly: a sum that would lose a digit raises."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from typing import Final

__all__ = ["CENT", "ZERO", "minus", "plus", "rounded", "total"]

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")

_EXACT: Final = Context(prec=60, traps=[Inexact])
_ROUND: Final = Context(prec=60, rounding=ROUND_HALF_UP)


def plus(left: Decimal, right: Decimal) -> Decimal:
    """Exact sum. Raises decimal.Inexact."""
    return _EXACT.add(left, right)


def minus(left: Decimal, right: Decimal) -> Decimal:
    """Exact difference. Raises decimal.Inexact."""
    return _EXACT.subtract(left, right)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum of any number of amounts; zero of none."""
    result = ZERO
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def rounded(left: Decimal, right: Decimal) -> Decimal:
    """A product rounded half up to cents: tax, quantity times price, home currency."""
    return _ROUND.quantize(_ROUND.multiply(left, right), CENT)
