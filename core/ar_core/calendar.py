"""Which days are working days, and how does a date move when it meets one that is not?

Calendars are injected: nothing here looks a holiday up. The default knows weekends only (E4-E7, docs/rules.md).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

__all__ = [
    "WEEKENDS",
    "Calendar",
    "DueRoll",
    "HolidayCalendar",
    "WeekendCalendar",
    "add_business_days",
    "add_months",
    "next_business_day",
    "previous_business_day",
    "roll",
    "wall_time",
]

DueRoll = Literal["none", "following", "modified_following", "preceding"]
"""What a date does that falls on a non-business day (E4)."""

_LONGEST_CLOSURE = 60
_DAY = timedelta(days=1)


@runtime_checkable
class Calendar(Protocol):
    """Anything that can tell a business day; `country` is the contact's, ISO 3166 alpha-2, or None when unknown (E6)."""

    def is_business_day(self, day: date, country: str | None = None) -> bool:
        """True when people work on `day` in `country`."""
        ...


@dataclass(frozen=True, slots=True)
class WeekendCalendar:
    """Weekends only. `weekend` holds the days of `date.weekday()` (Monday 0) that are no business days."""

    weekend: frozenset[int] = frozenset({5, 6})

    def is_business_day(self, day: date, country: str | None = None) -> bool:  # noqa: ARG002  the protocol's signature
        """True outside the weekend."""
        return day.weekday() not in self.weekend


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """Weekends plus explicit holidays by country; the key None holds in every country.

    The values are anything that answers `day in values`: a set of dates, or an object of the `holidays` library.
    """

    holidays: Mapping[str | None, Container[date]]
    weekend: frozenset[int] = frozenset({5, 6})
    weekends: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Weekend days of countries that differ from `weekend` (for example Friday and Saturday: {4, 5})."""

    def is_business_day(self, day: date, country: str | None = None) -> bool:
        """True outside the country's weekend and its holidays."""
        weekend = self.weekends.get(country, self.weekend) if country is not None else self.weekend
        if day.weekday() in weekend or day in self.holidays.get(None, ()):
            return False
        return country is None or day not in self.holidays.get(country, ())


WEEKENDS = WeekendCalendar()
"""Saturday and Sunday off, no holidays: what is used when no calendar is given (E6)."""


def next_business_day(day: date, calendar: Calendar = WEEKENDS, country: str | None = None) -> date:
    """`day` itself when it is a business day, else the first one after it. Raises ValueError for a calendar without any."""
    return _step_to_business_day(day, _DAY, calendar, country)


def previous_business_day(day: date, calendar: Calendar = WEEKENDS, country: str | None = None) -> date:
    """`day` itself when it is a business day, else the last one before it. Raises ValueError for a calendar without any."""
    return _step_to_business_day(day, -_DAY, calendar, country)


def add_business_days(
    day: date, count: int, calendar: Calendar = WEEKENDS, country: str | None = None
) -> date:
    """The `count`-th business day after `day` (before it, when negative). 0 gives `day` itself, business day or not."""
    step = _DAY if count > 0 else -_DAY
    for _ in range(abs(count)):
        day = _step_to_business_day(day + step, step, calendar, country)
    return day


def roll(day: date, rule: DueRoll, calendar: Calendar = WEEKENDS, country: str | None = None) -> date:
    """Move a due date off a non-business day by a rule (E4). `modified_following` stays within the month."""
    if rule == "none":
        return day
    if rule == "preceding":
        return previous_business_day(day, calendar, country)
    moved = next_business_day(day, calendar, country)
    if rule == "modified_following" and moved.month != day.month:
        return previous_business_day(day, calendar, country)
    return moved


def add_months(day: date, months: int) -> date:
    """The same day of the month some calendar months later, or that month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (first_of_next - _DAY).day))


def wall_time(day: date, at: time, zone: str) -> datetime:
    """A local wall-clock time as a UTC instant. A repeated time is its first occurrence; a skipped one moves forward (E7)."""
    # The offset before a gap maps a time that does not exist to the same distance after it.
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).replace(fold=0).astimezone(UTC)


def _step_to_business_day(day: date, step: timedelta, calendar: Calendar, country: str | None) -> date:
    for _ in range(_LONGEST_CLOSURE):
        if calendar.is_business_day(day, country):
            return day
        day += step
    raise ValueError(
        f"the calendar has no business day within {_LONGEST_CLOSURE} days of {day}: check its weekend and holidays"
    )
