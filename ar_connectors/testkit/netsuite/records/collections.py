"""Lists of records: ids and links only, in pages, filtered by `q`.

Dates in a filter are of the user's format and the account's zone, and have no time of day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_parameter
from ar_connectors.testkit.netsuite.records.types import Field

__all__ = ["Filter", "parse_filter"]

Filter = Callable[[Mapping[str, Any]], bool]

_TERM: Final = re.compile(r'\s*(\w+)\s+([A-Z_]+)(?:\s+("(?:[^"\\]|\\.)*"|[^\s()]+))?\s*', re.IGNORECASE)
_AND: Final = re.compile(r"AND\b", re.IGNORECASE)


def parse_filter(text: str, fields: Mapping[str, Field], date_format: str, zone: str) -> Filter:
    """A filter: conditions joined by AND. Raises ServiceError for what it does not understand."""
    conditions: list[Filter] = []
    place = 0
    while True:
        found = _TERM.match(text, place)
        if found is None:
            raise _refused(text)
        name, operator, value = found.group(1), found.group(2).upper(), found.group(3)
        known = next((one for one in fields.values() if one.name.lower() == name.lower()), None)
        if known is None or known.kind == "sublist":
            raise invalid_parameter(
                "q", f"Invalid search query. Field '{name}' does not exist or cannot be filtered."
            )
        content = None if value is None else value.strip('"').replace('\\"', '"')
        conditions.append(_condition(known, operator, content, date_format, zone))
        place = found.end()
        if place >= len(text):
            return lambda body: all(one(body) for one in conditions)
        joint = _AND.match(text, place)
        if joint is None:
            raise _refused(text)
        place = joint.end()


def _refused(text: str) -> ServiceError:
    return invalid_parameter(
        "q", f"Invalid search query. Detailed unprocessed description follows. {text[:80]}"
    )


def _condition(one: Field, operator: str, value: str | None, date_format: str, zone: str) -> Filter:
    if operator in {"EMPTY", "EMPTY_NOT"}:
        return lambda body: (body.get(one.name) is None) == (operator == "EMPTY")
    compare = _OPERATORS.get(operator)
    if compare is None or value is None:
        raise invalid_parameter("q", f"Invalid search query. The operator {operator} is not allowed here.")
    if one.kind in {"date", "date-time"}:
        try:
            wanted: Any = datetime.strptime(value, date_format).date()  # noqa: DTZ007  a day
        except ValueError:
            raise invalid_parameter("q", f'Unparseable date: "{value}"') from None
        return lambda body: _known(compare, _day(body.get(one.name), zone), wanted)
    return lambda body: _known(compare, _text(body.get(one.name)), value.casefold())


def _known(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    return left is not None and compare(left, right)


def _day(value: object, zone: str) -> date | None:
    if value is None:
        return None
    text = str(value)
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).date()
    return date.fromisoformat(text)


def _text(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("id")
    return None if value is None else str(value).casefold()


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "IS": lambda left, right: left == right,
    "EQUAL": lambda left, right: left == right,
    "ON": lambda left, right: left == right,
    "ANY_OF": lambda left, right: left == right,
    "IS_NOT": lambda left, right: left != right,
    "AFTER": lambda left, right: left > right,
    "ON_OR_AFTER": lambda left, right: left >= right,
    "BEFORE": lambda left, right: left < right,
    "ON_OR_BEFORE": lambda left, right: left <= right,
    "CONTAIN": lambda left, right: str(right) in str(left),
    "START_WITH": lambda left, right: str(left).startswith(str(right)),
}
