"""How is a question put to SuiteQL? Select statements as values: explicit columns, dates as text, a unique order, safe literals.

The rules are NetSuite's own (quirks.md#ns-10 to #ns-15): never `SELECT *`, never a bare date, never a page without a unique
`ORDER BY`, and beyond 100,000 rows only by key. Bound parameters exist from 2026.2 on only, so literals are quoted here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

__all__ = [
    "Key",
    "Select",
    "after_key",
    "any_of",
    "day",
    "identifier",
    "moment",
    "number",
    "text",
    "timestamp",
]

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_MOMENT: Final = "YYYY-MM-DD HH24:MI:SS"


def text(value: str) -> str:
    """A text literal. A quote inside is doubled; nothing else has a meaning inside of one."""
    return "'" + value.replace("'", "''").replace("\x00", "") + "'"


def number(value: str | int) -> str:
    """An internal id as a literal. Raises ValueError for anything but a whole number."""
    written = str(value)
    if not _NUMBER.fullmatch(written):
        raise ValueError(f"{value!r} is not an internal id of NetSuite")
    return written


def identifier(name: str) -> str:
    """The name of a column or table (a custom field's script id). Raises ValueError for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a field")
    return name.lower()


def any_of(values: Sequence[str]) -> str:
    """`('a', 'b')`, for IN."""
    return "(" + ", ".join(text(one) for one in values) + ")"


def day(column: str) -> str:
    """A date as ISO text, whatever the user's preferences say."""
    return f"TO_CHAR({column}, 'YYYY-MM-DD')"


def moment(column: str) -> str:
    """A time as text, in the session's zone."""
    return f"TO_CHAR({column}, '{_MOMENT}')"


def timestamp(told: str, less: timedelta = timedelta(0)) -> str:
    """A time that `moment` gave back to the server, earlier by `less`. Raises ValueError for other text."""
    instant = datetime.strptime(told, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the session's own wall clock, never compared with ours
    return f"TO_TIMESTAMP({text((instant - less).strftime('%Y-%m-%d %H:%M:%S'))}, '{_MOMENT}')"


@dataclass(frozen=True, slots=True)
class Key:
    """A column of a unique order: its expression, and the name under which it is in the rows."""

    expression: str
    name: str
    is_number: bool = True

    def literal(self, value: str) -> str:
        """A value of it."""
        return number(value) if self.is_number else text(value)


@dataclass(frozen=True, slots=True)
class Select:
    """One statement. `columns`: name in the rows -> expression; `keys`: together unique, and the order of the rows."""

    columns: Mapping[str, str]
    source: str
    """FROM and its joins."""
    keys: tuple[Key, ...]
    where: tuple[str, ...] = ()

    def having(self, *conditions: str) -> Select:
        """The same with further conditions; empty ones are passed over."""
        return replace(self, where=(*self.where, *(one for one in conditions if one)))

    def sql(self) -> str:
        """The statement, ordered."""
        order = ", ".join(f"{key.expression} ASC" for key in self.keys)
        return f"{self._body(self.columns)} ORDER BY {order}"

    def aggregates(self, columns: Mapping[str, str]) -> str:
        """A statement for facts about all of these rows together. `columns`: name in the answer -> aggregate."""
        return self._body(columns)

    def _body(self, columns: Mapping[str, str]) -> str:
        listed = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
        where = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        # Names are constants of this package or checked by `identifier`, and values go through `text` and `number`.
        return f"SELECT {listed} FROM {self.source}{where}"  # noqa: S608


def after_key(keys: Sequence[Key], values: Sequence[str]) -> str:
    """The condition for rows behind a row with these key values, in the order of the keys."""
    parts = []
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        equal = [
            f"{other.expression} = {other.literal(same)}"
            for other, same in zip(keys[:index], values, strict=False)
        ]
        parts.append(" AND ".join([*equal, f"{key.expression} > {key.literal(value)}"]))
    return parts[0] if len(parts) == 1 else "(" + " OR ".join(f"({part})" for part in parts) + ")"
