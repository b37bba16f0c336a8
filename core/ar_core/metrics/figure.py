"""What is a key figure? A ratio of exact sums with the sums kept beside it, or no value and the reason why."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from ar_core.model.base import Amount, Frozen

__all__ = ["Figure", "Undefined", "Unit", "figure", "undefined"]

_SHARES = Context(prec=28)
_PERCENT = Decimal(100)

Unit = Literal["days", "share", "percent", "score", "money"]
"""What a value counts. A share of one is 0.2 where the percentage is 20."""


class Undefined(StrEnum):
    """Why a figure has no value. It is never zero instead."""

    NO_SALES = "no_sales"
    """Nothing was billed in the period: a number of days of sales does not exist."""
    NO_RECEIVABLES = "no_receivables"
    """Nothing was, or became, collectible in the period."""
    SHORT_HISTORY = "short_history"
    """The receivables are larger than all the sales that were given."""
    NOTHING_SETTLED = "nothing_settled"
    """No dated payment of an invoice with the date it is measured from."""
    NO_VERDICT = "no_verdict"
    """No promise of the period has been decided yet."""
    NOTHING_BILLED = "nothing_billed"
    """No invoice with a due date was issued in the month."""
    TOO_EARLY = "too_early"
    """Some invoice of the month has not reached the age yet."""
    EMPTY_BUCKET = "empty_bucket"
    """The bucket that would roll was empty."""
    NO_WEIGHT = "no_weight"
    """The weights add up to nothing."""
    ZERO_DENOMINATOR = "zero_denominator"
    """A figure of the balance sheet that is divided by is zero."""


class Figure(Frozen):
    """One key figure. Undefined is None with a reason, never zero."""

    value: Amount | None
    """Rounded once, to 28 significant digits, from exact sums."""
    unit: Unit
    reason: Undefined | None = None
    """Why there is no value; None where there is one."""
    inputs: tuple[tuple[str, Amount], ...] = ()
    """The exact sums it was made of, by name."""
    left_out: tuple[str, ...] = ()
    """Ids of records that belong here and could not be counted, for example for want of a date."""

    def input(self, name: str) -> Decimal:
        """One of the sums it was made of. Raises KeyError for a name it does not have."""
        return dict(self.inputs)[name]

    def rounded(self, places: int = 1) -> Decimal | None:
        """The value with so many decimals, half up to even as Decimal does it; None where there is none."""
        return None if self.value is None else _SHARES.quantize(self.value, Decimal(1).scaleb(-places))


def figure(
    value: Fraction, unit: Unit, inputs: Mapping[str, Decimal], left_out: tuple[str, ...] = ()
) -> Figure:
    """A figure from an exact fraction; a percentage is given as a share of one."""
    number = _SHARES.divide(Decimal(value.numerator), Decimal(value.denominator))
    if unit == "percent":
        number = _SHARES.multiply(number, _PERCENT)
    return Figure(value=number, unit=unit, inputs=tuple(inputs.items()), left_out=left_out)


def undefined(
    reason: Undefined, unit: Unit, inputs: Mapping[str, Decimal], left_out: tuple[str, ...] = ()
) -> Figure:
    """No value, and why."""
    return Figure(value=None, unit=unit, reason=reason, inputs=tuple(inputs.items()), left_out=left_out)
