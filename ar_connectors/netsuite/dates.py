"""When was it? Days and instants of NetSuite's rows, as far as their text is certain.

This library asks for ISO text, so nearly all of it is read by the standard library and remembered; what other people's queries and record
bodies hold besides is read where one reading alone is possible.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from ar_connectors.adapterkit.mapper import RowError

__all__ = ["LOCAL", "Days", "instant"]

_NUMERIC: Final = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})")
LOCAL: Final = len("2026-11-20 09:48:00")
"""How long a time is that says no zone: nobody can tell an instant from it alone."""
_IN_BODY: Final = re.compile(rb'"(\d{1,2})/(\d{1,2})/\d{4}')


def instant(text: str | None, zone: tzinfo | None) -> datetime | None:
    """An instant in UTC from REST (`2026-11-20T09:48:00Z`) or from SuiteQL's local time in `zone`.

    None where it cannot be told for certain: an unknown zone, and the hour that a clock set back shows twice (quirks.md#ns-14).
    """
    if not text:
        return None
    if len(text) == LOCAL:
        if zone is None:
            return None
        offset = _offset_of_day(text[:10], zone)
        if offset is not None:
            try:
                return datetime.fromisoformat(text + "Z") - offset
            except ValueError:
                return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if zone is None:
        return None
    first = moment.replace(tzinfo=zone)
    if first.utcoffset() != moment.replace(tzinfo=zone, fold=1).utcoffset():
        return None
    return first.astimezone(UTC)


@lru_cache(maxsize=8192)
def _offset_of_day(day: str, zone: tzinfo) -> timedelta | None:
    """The offset of a zone that holds from midnight to midnight; None where it changes, or for text that is no day."""
    try:
        begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    except ValueError:
        return None
    ends = (begin, begin.replace(hour=23, minute=59, second=59))
    found = {moment.replace(fold=fold).utcoffset() for moment in ends for fold in (0, 1)}
    return found.pop() if len(found) == 1 else None


class Days(dict[str | None, date | None]):
    """The days of one page by their text, each read once; `days[None]` and `days[""]` are None. Raises RowError for other text.

    Args:
        day_first: how dates that can be read in two ways are to be read; None: as their page tells.
        body: the page.
    """

    __slots__ = ("_body", "_day_first")

    def __init__(self, day_first: bool | None, body: bytes) -> None:
        super().__init__(_SEEN.get(day_first, _NO_DAY))
        self._day_first = day_first
        self._body = body

    def __missing__(self, text: str | None) -> date | None:
        day_first = self._day_first
        found = _certain_day(text, day_first)
        if found is not None:
            seen = _SEEN.setdefault(day_first, dict(_NO_DAY))
            if len(seen) < _MOST_SEEN:
                seen[text] = found
        self[text] = found = found or self._as_its_page(text or "")
        return found

    def _as_its_page(self, text: str) -> date:
        """A day that can be read in two ways, as the dates of the page that can be read in one way only have in common."""
        if self._day_first is None:
            pairs = {(int(one) > 12, int(other) > 12) for one, other in _IN_BODY.findall(self._body)}
            if (True, False) in pairs and (False, True) not in pairs:
                self._day_first = True
            elif (False, True) in pairs and (True, False) not in pairs:
                self._day_first = False
        found = _certain_day(text, self._day_first)
        if found is None:
            raise RowError(
                "bad_date",
                f"{text!r} can be read in two ways, and nothing in its page tells which: ask for TO_CHAR(..., 'YYYY-MM-DD')",
            )
        return found


_NO_DAY: Final[dict[str | None, date | None]] = {None: None, "": None}
_MOST_SEEN: Final = 4096
_SEEN: Final[dict[bool | None, dict[str | None, date | None]]] = {}
"""Days that other pages have read, by how they were to be read: a page begins with them, because its days are mostly theirs."""


def _certain_day(text: str | None, day_first: bool | None) -> date | None:
    """A day; None where it can be read in two ways. Raises RowError for what is none."""
    told = text or ""
    try:
        return date.fromisoformat(told[:10])
    except ValueError:
        pass
    found = _NUMERIC.match(told)
    if found is None:
        raise RowError("bad_date", f"{text!r} is not a date: ask for TO_CHAR(..., 'YYYY-MM-DD')")
    first, mark, second, year = int(found[1]), found[2], int(found[3]), int(found[4])
    # 28.5.2010 is written by people who put the day first; 5/28/2010 depends on who writes.
    if first > 12 or second > 12:
        day_first = first > 12
    elif mark == "." or first == second:
        day_first = True
    if day_first is None:
        return None
    day, month = (first, second) if day_first else (second, first)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise RowError("bad_date", f"{text!r} is not a date: {error}") from error
