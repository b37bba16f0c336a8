"""What day, what instant? Xero's `/Date(ms+0000)/`, and the ISO twins beside it; pure.

A date without a time is midnight UTC of the company's calendar day, and the offset in it is for show: the UTC date is the
day, in every time zone (quirks.md#xero-10).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ar_connectors.adapterkit.mapper import RowError

__all__ = ["instant_of", "milliseconds", "to_day", "to_instant"]

_DATE: Final = re.compile(r"\s*\\?/Date\((-?\d{1,18})(?:[+-]\d{4})?\)\\?/\s*")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(text: str) -> int | None:
    """The number in `/Date(1700000000000+0000)/`; None for any other text."""
    found = _DATE.fullmatch(text)
    return int(found[1]) if found is not None else None


def instant_of(text: str) -> datetime | None:
    """An instant in either form, UTC; a text without an offset is UTC too (quirks.md#xero-11). None for what is neither."""
    counted = milliseconds(text)
    try:
        if counted is not None:
            return _EPOCH + timedelta(milliseconds=counted)
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def to_instant(wire: str | None, twin: str | None, field: str) -> datetime | None:
    """When something happened. Raises RowError for text that says no instant."""
    for text in (wire, twin):
        if text:
            instant = instant_of(text)
            if instant is None:
                raise RowError("bad_date", f"{field} {text!r} is not an instant")
            return instant
    return None


def to_day(twin: str | None, wire: str | None, field: str) -> date | None:
    """A calendar day: of the ISO twin, else of `/Date()/`; None for a missing one. Raises RowError for text that says no day."""
    for text in (twin, wire):
        if text:
            instant = instant_of(text)
            if instant is None:
                raise RowError("bad_date", f"{field} {text!r} is not a date")
            return date.fromisoformat(text[:10]) if text[:1].isdigit() else instant.date()
    return None
