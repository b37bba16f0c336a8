"""Oracle's date formats in strftime's words."""

from __future__ import annotations

import re
from typing import Final

from ar_connectors.testkit.netsuite.suiteql.values import unsupported

__all__ = ["from_oracle"]

_ELEMENTS: Final = {
    "YYYY": "%Y",
    "YY": "%y",
    "MONTH": "%B",
    "MON": "%b",
    "MM": "%m",
    "DDD": "%j",
    "DD": "%d",
    "DAY": "%A",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "AM": "%p",
    "PM": "%p",
}
_ELEMENT: Final = re.compile("|".join(sorted(_ELEMENTS, key=len, reverse=True)), re.IGNORECASE)
_QUOTED: Final = re.compile(r'("[^"]*")')
_PUNCTUATION: Final = re.compile(r"[\s\-/.,:;]*")


def from_oracle(layout: str) -> str:
    """A format model as strftime has it; text in double quotes stands for itself. Raises ServiceError for an element that is
    unknown here."""
    parts = []
    for part in _QUOTED.split(layout):
        if part.startswith('"'):
            parts.append(part[1:-1].replace("%", "%%"))
            continue
        if not _PUNCTUATION.fullmatch(_ELEMENT.sub("", part)):
            raise unsupported()
        parts.append(_ELEMENT.sub(lambda found: _ELEMENTS[found.group().upper()], part))
    return "".join(parts)
