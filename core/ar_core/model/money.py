"""How is money added without losing a digit? Exact Decimal arithmetic, and amounts that know their currency.

Rule D15 of the design: sums run in a context of 60 digits with Inexact trapped, so a rounding can never happen silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import (
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
    Underflow,
    localcontext,
)
from typing import Final, NamedTuple

__all__ = ["MAX_EXPONENT", "ZERO", "CurrencyMismatch", "Money", "exact", "parse_amount", "subtract", "total"]

MAX_EXPONENT: Final = 40
"""Largest magnitude of a decimal exponent that is taken for an amount; beyond it a row is quarantined."""

ZERO: Final = Decimal(0)

_EXACT: Final = Context(
    prec=60,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Underflow, Subnormal, Clamped],
)


_subtract: Final = _EXACT.subtract
"""Looked up once: the lookup costs twice the subtraction, and a page of an ERP has a thousand of them."""


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum. Convert with an explicit rate first, or sum each currency on its own."""

    def __init__(self, left: str | None, right: str | None) -> None:
        super().__init__(
            f"cannot add {right or 'an unknown currency'} to {left or 'an unknown currency'}: sum each currency on its own"
        )
        self.left = left
        self.right = right

    def __reduce__(self) -> tuple[type[CurrencyMismatch], tuple[str | None, str | None]]:
        return type(self), (self.left, self.right)


@contextmanager
def exact() -> Iterator[Context]:
    """Run exact decimal arithmetic: 60 digits, and `decimal.Inexact` is raised instead of rounding."""
    with localcontext(_EXACT) as context:
        yield context


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Sum decimals exactly. Raises `decimal.Inexact` where the exact sum needs more than 60 digits."""
    result = ZERO
    add = _EXACT.add
    for amount in amounts:
        result = add(result, amount)
    return result


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """`left - right`, exactly. Raises `decimal.Inexact` beyond 60 digits."""
    return _subtract(left, right)


def parse_amount(text: str) -> Decimal:
    """Read an amount from text, digits kept. Raises ValueError for anything that is not a finite, bounded number."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not an amount") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not an amount: it is not finite")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and (abs(exponent) > MAX_EXPONENT or abs(value.adjusted()) > MAX_EXPONENT):
        raise ValueError(f"{text!r} is not an amount: its exponent is beyond {MAX_EXPONENT}")
    return value


class Money(NamedTuple):
    """An amount in one currency, used where documents meet: totals, aging, promises. Adding two currencies raises."""

    amount: Decimal
    currency: str | None

    def plus(self, other: Money) -> Money:
        """The exact sum. Raises `CurrencyMismatch` when the currencies differ."""
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return Money(_EXACT.add(self.amount, other.amount), self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency or '???'}"
