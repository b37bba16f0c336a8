"""Which rows does a `where` choose? A subset of Xero's language, compiled to a predicate; and `order`.

Comparisons of a field with a value, `AND`, `OR`, parentheses, `guid("...")`, `DateTime(2026, 1, 31)`, `null`, and the text functions
`Contains`, `StartsWith`, `EndsWith`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException
from typing import Any, Final, NamedTuple

from ar_connectors.testkit.xero.errors import unreadable_query
from ar_connectors.testkit.xero.ids import spelled

__all__ = ["Getter", "Where", "order_of", "where_of"]

Getter = Callable[[str], Any]
"""Gives a field's value by its path, `Contact.Name`; raises KeyError for a field there is not."""

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<symbol>==|!=|>=|<=|&&|\|\||[<>=(),])
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*))""",
    re.VERBOSE,
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FUNCTIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "Contains": operator.contains,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
_DEEPEST: Final = 50


class Where(NamedTuple):
    """A compiled condition."""

    test: Callable[[Getter], bool]
    fields: frozenset[str]
    """Those it names."""


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        self.fields: set[str] = set()
        self.at = 0
        self.depth = 0
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise unreadable_query(f"Syntax error (at index {place})")
            self.tokens.append((found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            place = found.end()

    def peek(self) -> tuple[str, str, int]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "", -1)

    def take(self, *expected: str) -> tuple[str, str, int]:
        token = self.peek()
        if expected and token[1] not in expected:
            raise unreadable_query(f"'{expected[0]}' expected (at index {token[2]})")
        self.at += 1
        return token

    def any_of(self) -> Callable[[Getter], bool]:
        tests = [self.all_of()]
        while self.peek()[1].upper() in {"OR", "||"}:
            self.take()
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda get: any(test(get) for test in tests)

    def all_of(self) -> Callable[[Getter], bool]:
        tests = [self.one()]
        while self.peek()[1].upper() in {"AND", "&&"}:
            self.take()
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda get: all(test(get) for test in tests)

    def one(self) -> Callable[[Getter], bool]:
        kind, text, place = self.take()
        if text == "(":
            self.depth += 1
            if self.depth > _DEEPEST:
                raise unreadable_query("The expression is too deep")
            inside = self.any_of()
            self.take(")")
            self.depth -= 1
            return inside
        if kind != "word":
            raise unreadable_query(f"Expression expected (at index {place})")
        path, _, function = text.rpartition(".")
        if function in _FUNCTIONS and path and self.peek()[1] == "(":
            self.take("(")
            wanted = self.value()
            self.take(")")
            self._equals_true()
            return self._function(path, _FUNCTIONS[function], wanted)
        _, symbol, place = self.take()
        if symbol not in _COMPARE:
            raise unreadable_query(f"Operator expected (at index {place})")
        return self._comparison(text, _COMPARE[symbol], self.value())

    def _equals_true(self) -> None:
        if self.peek()[1] in {"==", "="}:
            self.take()
            self.take("true")

    def _function(
        self, path: str, compare: Callable[[str, str], bool], wanted: Any
    ) -> Callable[[Getter], bool]:
        self.fields.add(path)
        if not isinstance(wanted, str):
            raise unreadable_query("Text expected")
        return lambda get: isinstance(value := get(path), str) and compare(value, wanted)

    def _comparison(
        self, path: str, compare: Callable[[Any, Any], bool], wanted: Any
    ) -> Callable[[Getter], bool]:
        self.fields.add(path)

        def test(get: Getter) -> bool:
            value = get(path)
            if isinstance(wanted, datetime) and isinstance(value, date) and not isinstance(value, datetime):
                value = datetime(value.year, value.month, value.day, tzinfo=UTC)
            if isinstance(wanted, str) and isinstance(value, str):
                return compare(value.casefold(), wanted.casefold())
            if compare in {operator.eq, operator.ne}:
                return compare(value, wanted)
            try:
                return value is not None and wanted is not None and compare(value, wanted)
            except TypeError as error:
                raise unreadable_query(f"Operator incompatible with operand types of {path}") from error

        return test

    def value(self) -> Any:
        kind, text, place = self.take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return Decimal(text)
        words = {"null": None, "true": True, "false": False}
        if text.lower() in words:
            return words[text.lower()]
        if text.lower() == "guid":
            inside = self._arguments()
            known = spelled(inside[0]) if len(inside) == 1 else None
            if known is None:
                raise unreadable_query(f"Guid should contain 32 digits with 4 dashes (at index {place})")
            return known
        if text in {"DateTime", "DateTime.Parse"}:
            return self._instant(self._arguments(), place)
        raise unreadable_query(f"No property or field '{text}' exists (at index {place})")

    def _arguments(self) -> list[Any]:
        self.take("(")
        found: list[Any] = []
        while self.peek()[1] != ")":
            kind, text, place = self.take()
            if kind not in {"text", "number"}:
                raise unreadable_query(f"Value expected (at index {place})")
            found.append(text[1:-1] if kind == "text" else text)
            if self.peek()[1] == ",":
                self.take()
        self.take(")")
        return found

    @staticmethod
    def _instant(parts: list[str], place: int) -> datetime:
        try:
            if len(parts) == 1:
                read = datetime.fromisoformat(parts[0])
                return read.astimezone(UTC) if read.tzinfo is not None else read.replace(tzinfo=UTC)
            return datetime(*map(int, parts), tzinfo=UTC)  # type: ignore[arg-type,misc]
        except (TypeError, ValueError, DecimalException) as error:
            raise unreadable_query(f"No such date (at index {place})") from error


def where_of(text: str) -> Where:
    """The condition of a `where` parameter. Raises Refused (QueryParseException)."""
    parser = _Parser(text)
    test = parser.any_of()
    if parser.at < len(parser.tokens):
        raise unreadable_query(f"Syntax error (at index {parser.peek()[2]})")
    return Where(test, frozenset(parser.fields))


def order_of(text: str) -> list[tuple[str, bool]]:
    """The fields of an `order` parameter, each with whether it descends. Raises Refused (QueryParseException)."""
    found = []
    for one in text.split(","):
        words = one.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].upper() not in {"ASC", "DESC"}):
            raise unreadable_query(f"Syntax error in order: {one.strip()}")
        found.append((words[0], len(words) == 2 and words[1].upper() == "DESC"))
    return found
