"""Which days does a figure look at? Whole days, both ends included."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from ar_core.calendar import add_months

__all__ = ["Period", "last_months", "month_of"]

_DAY = timedelta(days=1)


class Period(NamedTuple):
    """First and last day, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def opening(self) -> date:
        """The day before it: its opening balance is that day's closing balance."""
        return self.first - _DAY

    def __contains__(self, day: object) -> bool:
        """Whether a day lies in it; an unknown day does not."""
        return isinstance(day, date) and self.first <= day <= self.last


def month_of(day: date) -> Period:
    """The calendar month of a day."""
    first = day.replace(day=1)
    return Period(first, add_months(first, 1) - _DAY)


def last_months(day: date, count: int) -> tuple[Period, ...]:
    """So many calendar months that ended by `day`, newest first; the month of `day` is one of them when it is its last day."""
    newest = month_of(day)
    if newest.last != day:
        newest = month_of(newest.opening)
    return tuple(month_of(add_months(newest.first, -back)) for back in range(count))
