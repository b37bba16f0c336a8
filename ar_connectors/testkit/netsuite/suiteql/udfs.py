"""The functions SQLite lacks: exact decimals, and dates as Oracle has them."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Final

__all__ = ["plain", "register"]

_ORACLE: Final = Context(prec=38)
"""A NUMBER has 38 digits."""
_STAMP: Final = "%Y-%m-%d %H:%M:%S"
Digits = str | int | None


def plain(amount: Decimal) -> str:
    """A decimal's digits without an exponent and without zeros at the end."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _two(apply: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Digits, Digits], str | None]:
    def of(left: Digits, right: Digits) -> str | None:
        if left is None or right is None:
            return None
        return plain(apply(Decimal(left), Decimal(right)))

    return of


def _one(apply: Callable[[Decimal], Decimal]) -> Callable[[Digits], str | None]:
    def of(amount: Digits) -> str | None:
        return None if amount is None else plain(apply(Decimal(amount)))

    return of


def _rounding(mode: str) -> Callable[..., str | None]:
    def of(amount: Digits, places: int = 0) -> str | None:
        if amount is None:
            return None
        return plain(
            Decimal(amount).quantize(Decimal(1).scaleb(-int(places)), rounding=mode, context=_ORACLE)
        )

    return of


class _Sum:
    """An exact sum; null of nothing."""

    def __init__(self) -> None:
        self.total: Decimal | None = None
        self.count = 0

    def step(self, amount: Digits) -> None:
        if amount is not None:
            self.total = _ORACLE.add(self.total or Decimal(0), Decimal(amount))
            self.count += 1

    def finalize(self) -> str | None:
        return None if self.total is None else plain(self.total)


class _Average(_Sum):
    def finalize(self) -> str | None:
        return None if self.total is None else plain(_ORACLE.divide(self.total, Decimal(self.count)))


class _Largest(_Sum):
    def step(self, amount: Digits) -> None:
        if amount is not None:
            one = Decimal(amount)
            self.total = one if self.total is None else max(self.total, one)


class _Smallest(_Sum):
    def step(self, amount: Digits) -> None:
        if amount is not None:
            one = Decimal(amount)
            self.total = one if self.total is None else min(self.total, one)


def _of_all(choose: Callable[..., Decimal]) -> Callable[..., str | None]:
    def of(*amounts: Digits) -> str | None:
        known = [Decimal(one) for one in amounts if one is not None]
        return plain(choose(known)) if len(known) == len(amounts) else None

    return of


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP)  # noqa: DTZ007  the account's own clock


def _dated(apply: Callable[..., Any]) -> Callable[..., Any]:
    """A function of dates that is null when any argument is."""

    def of(*given: Any) -> Any:
        return None if any(one is None for one in given) else apply(*given)

    return of


def _days_between(left: str, right: str) -> str:
    seconds = Decimal(round((_moment(left) - _moment(right)).total_seconds()))
    return plain(_ORACLE.divide(seconds, Decimal(86_400)))


def _months_added(stamp: str, months: int) -> str:
    at = _moment(stamp)
    place = at.year * 12 + at.month - 1 + months
    first = at.replace(year=place // 12, month=place % 12 + 1, day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    ends = (at + timedelta(days=1)).day == 1
    return first.replace(day=last.day if ends else min(at.day, last.day)).strftime(_STAMP)


def _truncated_date(stamp: str, unit: str) -> str:
    return {"D": stamp[:10], "M": stamp[:8] + "01", "Y": stamp[:5] + "01-01"}[unit] + " 00:00:00"


def _to_number(text: str) -> str | None:
    try:
        return plain(Decimal(text.strip()))
    except InvalidOperation:
        raise ValueError("Invalid number.") from None


def _substring(text: str | None, start: Any, length: Any = None) -> str | None:
    if text is None:
        return None
    begin = int(start)
    begin = begin - 1 if begin > 0 else max(0, len(text) + begin) if begin < 0 else 0
    return text[begin:] if length is None else text[begin : begin + max(0, int(length))]


def register(
    connection: sqlite3.Connection,
    date_format: str,
    today: Callable[[], datetime],
    server_time: Callable[[], datetime],
    status_text: Callable[[str | None, str | None], str | None],
    type_text: Callable[[str | None], str | None],
) -> None:
    """Teach a connection all of them. `today` is the account's clock, `server_time` the data center's."""

    def shown_date(stamp: str, timed: int) -> str:
        return _moment(stamp).strftime(f"{date_format} %H:%M:%S" if timed else date_format)

    functions: dict[str, Callable[..., Any]] = {
        "added": _two(_ORACLE.add),
        "subtracted": _two(_ORACLE.subtract),
        "multiplied": _two(_ORACLE.multiply),
        "divided": _two(_ORACLE.divide),
        "modulo": _two(_ORACLE.remainder),
        "absolute": _one(abs),
        "signed": _one(lambda amount: Decimal((amount > 0) - (amount < 0))),
        "rounded": _rounding(ROUND_HALF_UP),
        "truncated": _rounding(ROUND_DOWN),
        "ceiling": _rounding(ROUND_CEILING),
        "floored": _rounding(ROUND_FLOOR),
        "decimal_max_of": _of_all(max),
        "decimal_min_of": _of_all(min),
        "to_number": _dated(_to_number),
        "days_between": _dated(_days_between),
        "days_since": _dated(lambda stamp: (today().date() - _moment(stamp).date()).days),
        "moved": _dated(lambda stamp, days: (_moment(stamp) + timedelta(days=days)).strftime(_STAMP)),
        "months_added": _dated(_months_added),
        "truncated_date": _dated(_truncated_date),
        "formatted": _dated(lambda stamp, layout: _moment(stamp).strftime(layout)),
        "read_date": _dated(lambda text, layout: datetime.strptime(text, layout).strftime(_STAMP)),  # noqa: DTZ007
        "shown_date": _dated(shown_date),
        "shuffled": lambda value, page: zlib.crc32(f"{page}/{value}".encode()),
        "server_time": lambda: server_time().strftime(_STAMP),
        "upper_text": _dated(str.upper),
        "lower_text": _dated(str.lower),
        "initcap": _dated(str.title),
        "substring": _substring,
        "status_text": status_text,
        "type_text": type_text,
    }
    for name, function in functions.items():
        fixed = name not in {"days_since", "server_time"}
        connection.create_function(name, -1, function, deterministic=fixed)
    aggregates: dict[str, Callable[[], Any]] = {
        "decimal_sum": _Sum,
        "decimal_avg": _Average,
        "decimal_max": _Largest,
        "decimal_min": _Smallest,
    }
    for name, aggregate in aggregates.items():
        connection.create_aggregate(name, 1, aggregate)
