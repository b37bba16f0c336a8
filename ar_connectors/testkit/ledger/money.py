"""How are amounts added here? Exactly: a sum that would lose a digit raises."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from typing import Final

__all__ = ["CENT", "ZERO", "minus", "padded", "plus", "rounded", "total"]

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


def padded(amount: Decimal, places: int = 2) -> Decimal:
    """The same amount with at least so many decimals, for wires that show them."""
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -places:
        # Scaling by hand: quantize would round to the context's 28 digits, and amounts may have more.
        sign, digits, _ = amount.as_tuple()
        return Decimal((sign, (*digits, *([0] * (exponent + places))), -places))
    return amount
