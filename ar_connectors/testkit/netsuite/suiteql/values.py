"""What is a value in a compiled statement, and how do two of them get along? Oracle's rules, as far as they matter here.

Decimals are kept as digits, because SQLite only has floating point: they are added by functions of ours and compared as numbers.
The empty string is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_query
from ar_connectors.testkit.netsuite.suiteql.schema import Column, Kind

__all__ = [
    "DATES",
    "NULL",
    "NUMBERS",
    "Value",
    "as_date",
    "as_decimal",
    "as_real",
    "as_text",
    "date_literal",
    "number",
    "pair",
    "quoted",
    "text",
    "unified",
    "unsupported",
]


@dataclass(frozen=True, slots=True)
class Value:
    """An expression in SQLite's language, and what it yields (None: null)."""

    sql: str
    kind: Kind | None
    column: Column | None = None
    """The column it is, if it is one."""
    table: str = ""
    """The SQL name of that column's table."""
    literal: str | None = None
    """The text or digits it is, if it is a literal."""


NUMBERS = (Kind.INTEGER, Kind.NUMBER)
DATES = (Kind.DATE, Kind.DATETIME)
NULL = Value("NULL", None)


def unsupported() -> ServiceError:
    """Something that SuiteQL, or this emulator, does not know."""
    return invalid_query("Search error occurred: Invalid or unsupported search.")


def quoted(content: str) -> str:
    """A text as a literal of SQL."""
    return "'" + content.replace("'", "''") + "'"


def text(content: str) -> Value:
    """A text; the empty one is null."""
    return Value(quoted(content), Kind.TEXT, literal=content) if content else NULL


def number(digits: str) -> Value:
    """A number. Raises ServiceError for what is none."""
    try:
        amount = Decimal(digits.strip())
    except InvalidOperation:
        raise invalid_query("Search error occurred: Invalid number.") from None
    if not amount.is_finite():
        raise invalid_query("Search error occurred: Invalid number.")
    if amount == amount.to_integral_value() and abs(amount) < 2**62:
        return Value(str(int(amount)), Kind.INTEGER, literal=digits)
    return Value(quoted(f"{amount:f}"), Kind.NUMBER, literal=digits)


def date_literal(value: Value, date_format: str) -> Value:
    """A text that is compared with a date: read in the user's format. Raises ServiceError."""
    try:
        parsed = datetime.strptime(value.literal or "", date_format)  # noqa: DTZ007  dates here are the account's
    except ValueError:
        raise invalid_query(f'Search error occurred: Unparseable date: "{value.literal}".') from None
    return Value(quoted(parsed.strftime("%Y-%m-%d %H:%M:%S")), Kind.DATE)


def as_date(value: Value, date_format: str) -> Value:
    """The value as a date."""
    if value.kind in DATES or value.kind is None:
        return value
    if value.literal is not None and value.kind is Kind.TEXT:
        return date_literal(value, date_format)
    raise unsupported()


def as_real(value: Value) -> str:
    """The value for comparing and sorting."""
    if value.kind is Kind.INTEGER:
        return value.sql
    if value.kind is Kind.TEXT and value.literal is not None:
        return as_real(number(value.literal))
    return f"CAST({value.sql} AS REAL)"


def as_decimal(value: Value) -> str:
    """The value for arithmetic."""
    if value.kind is Kind.TEXT and value.literal is not None:
        value = number(value.literal)
    if value.kind in DATES:
        raise unsupported()
    return value.sql


def as_text(value: Value) -> str:
    """The value as text, as Oracle would convert it."""
    if value.kind is Kind.INTEGER:
        return f"CAST({value.sql} AS TEXT)"
    if value.kind in DATES:
        return f"shown_date({value.sql}, {int(value.kind is Kind.DATETIME)})"
    return value.sql


def pair(left: Value, right: Value, date_format: str) -> tuple[str, str]:
    """Two values in a form in which SQLite compares them as Oracle would."""
    kinds = {left.kind, right.kind}
    if None in kinds:
        return left.sql, right.sql
    if kinds & set(DATES):
        return as_date(left, date_format).sql, as_date(right, date_format).sql
    if kinds == {Kind.INTEGER}:
        return left.sql, right.sql
    if kinds & set(NUMBERS):
        return as_real(left), as_real(right)
    return left.sql, right.sql


def unified(values: list[Value]) -> tuple[list[str], Kind | None]:
    """Alternatives in one form, and its kind. Raises ServiceError for kinds that do not go together."""
    kinds = {one.kind for one in values} - {None}
    if len(kinds) <= 1:
        return [one.sql for one in values], next(iter(kinds), None)
    if kinds <= set(NUMBERS):
        return [one.sql if one.kind is Kind.NUMBER else as_text(one) for one in values], Kind.NUMBER
    if kinds <= {Kind.TEXT, Kind.BOOLEAN}:
        return [one.sql for one in values], Kind.TEXT
    if kinds <= set(DATES):
        return [one.sql for one in values], Kind.DATETIME
    raise invalid_query("Search error occurred: Inconsistent datatypes.")
