"""What was asked? A parser of QuickBooks' query language: one entity, conditions joined by AND, an order, a page.

    SELECT * | COUNT(*) | fields FROM Entity [WHERE p op v [AND ...]] [ORDERBY p [ASC|DESC], ...]
    [STARTPOSITION n] [MAXRESULTS n]

There is no OR, no NOT, no !=, no parenthesis but that of IN, no join. Inside quotes a backslash escapes the next character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Condition", "ParseError", "Query", "parse"]

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>'(?:\\.|[^'\\])*')
      | (?P<operator><=|>=|=|<|>)
      | (?P<mark>[(),*])
      | (?P<word>[^\s'(),*<>=]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS: Final = frozenset({"=", "<", ">", "<=", ">="})
_LARGEST_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100


class ParseError(ValueError):
    """The statement is not in the language (fault 4000)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `values` has one value, several for IN."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, taken apart."""

    entity: str
    fields: tuple[str, ...] = ("*",)
    count: bool = False
    where: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    """Field and whether it descends."""
    start: int = 1
    limit: int = _DEFAULT_PAGE


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(statement: str) -> Query:
    """Take a statement apart. Raises ParseError."""
    return _Parser(_tokens(statement)).query()


def _tokens(statement: str) -> list[_Token]:
    statement = statement.strip().rstrip(";").rstrip()
    found, position = [], 0
    while position < len(statement):
        match = _TOKEN.match(statement, position)
        if match is None:
            raise ParseError(
                f'Encountered " "{statement[position : position + 10]}" at line 1, column {position + 1}.'
            )
        kind = match.lastgroup or "word"
        text = match.group(kind)
        if kind == "string":
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        found.append(_Token(kind, text, match.start(kind) + 1))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def query(self) -> Query:
        self.expect("select")
        fields, count = self.selection()
        self.expect("from")
        entity = self.take("word").text
        where = self.conditions() if self.accept("where") else ()
        order = self.ordering()
        start, limit = 1, _DEFAULT_PAGE
        while self.position < len(self.tokens):
            if self.accept("startposition"):
                start = max(1, self.number())  # 0 is taken for 1: several well-known clients send it
            elif self.accept("maxresults"):
                limit = min(self.number(), _LARGEST_PAGE)
            else:
                raise self.unexpected()
        return Query(entity, fields, count, where, order, start, limit)

    def selection(self) -> tuple[tuple[str, ...], bool]:
        if self.accept("*"):
            return ("*",), False
        first = self.take("word").text
        if first.lower() == "count":
            for mark in "(*)":
                self.expect(mark)
            return (), True
        fields = [first]
        while self.accept(","):
            fields.append(self.take("word").text)
        return tuple(fields), False

    def conditions(self) -> tuple[Condition, ...]:
        found = [self.condition()]
        while self.accept("and"):
            found.append(self.condition())
        return tuple(found)

    def condition(self) -> Condition:
        name = self.take("word").text
        if self.accept("in"):
            self.expect("(")
            values = [self.value()]
            while self.accept(","):
                values.append(self.value())
            self.expect(")")
            return Condition(name, "IN", tuple(values))
        if self.accept("like"):
            return Condition(name, "LIKE", (self.value(),))
        token = self.take("operator")
        if token.text not in _OPERATORS:
            raise self.unexpected()
        return Condition(name, token.text, (self.value(),))

    def ordering(self) -> tuple[tuple[str, bool], ...]:
        if self.accept("order"):
            self.expect("by")
        elif not self.accept("orderby"):
            return ()
        found = []
        while True:
            name = self.take("word").text
            descending = self.accept("desc")
            if not descending:
                self.accept("asc")
            found.append((name, descending))
            if not self.accept(","):
                return tuple(found)

    def value(self) -> str:
        token = self.peek()
        if token is None or token.kind not in {"string", "word"}:
            raise self.unexpected()
        self.position += 1
        return token.text

    def number(self) -> int:
        token = self.peek()
        if token is None or not token.text.isdecimal():
            raise self.unexpected()
        self.position += 1
        return int(token.text)

    def peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def accept(self, word: str) -> bool:
        token = self.peek()
        if token is None or token.kind == "string" or token.text.lower() != word:
            return False
        self.position += 1
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected()

    def take(self, kind: str) -> _Token:
        token = self.peek()
        if token is None or token.kind != kind:
            raise self.unexpected()
        self.position += 1
        return token

    def unexpected(self) -> ParseError:
        token = self.peek()
        if token is None:
            return ParseError('QueryParserError: Encountered "<EOF>"')
        return ParseError(f'QueryParserError: Encountered " "{token.text}" at line 1, column {token.at}.')
