"""From an expression of SuiteQL to one of SQLite: every kind of node is named here, and what is not is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from sqlglot import exp

from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_query
from ar_connectors.testkit.netsuite.suiteql.functions import FUNCTIONS, function_of
from ar_connectors.testkit.netsuite.suiteql.schema import Column, Kind
from ar_connectors.testkit.netsuite.suiteql.values import (
    DATES,
    NULL,
    NUMBERS,
    Value,
    as_decimal,
    as_text,
    number,
    pair,
    text,
    unified,
    unsupported,
)

__all__ = ["Expressions", "Queries", "Relation", "Scope"]

_LONGEST_LIST: Final = 1000
"""Oracle's limit of an IN list."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Something in FROM: a table or a query in its place."""

    alias: str
    name: str
    """What it is, for messages."""
    columns: Mapping[str, Column]

    @property
    def sql(self) -> str:
        """Its name in the compiled statement."""
        return f'"{self.alias}"'


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean."""

    relations: tuple[Relation, ...]
    outer: Scope | None = None

    def column(self, name: str, table: str) -> Value:
        """The column meant. Raises ServiceError when there is none, or more than one."""
        scope: Scope | None = self
        while scope is not None:
            found = [
                one
                for one in scope.relations
                if table in {"", one.alias} and (name in one.columns or table == one.alias)
            ]
            if len(found) > 1:
                raise invalid_query(f"Search error occurred: Column '{name}' is ambiguous.")
            if found:
                return _column(found[0], name)
            scope = scope.outer
        raise self._unknown(table or name)

    def _unknown(self, name: str) -> ServiceError:
        available = ", ".join(f"{one.alias}={one.name}" for one in self.relations)
        return invalid_query(
            f"Search error occurred: Unknown identifier '{name}'. Available identifiers are: {{{available}}}."
        )


def _column(relation: Relation, name: str) -> Value:
    column = relation.columns.get(name)
    if column is None:
        raise invalid_query(
            f"Search error occurred: Field '{name}' for record '{relation.name}' was not found."
        )
    sql = f'{relation.sql}."{name}"'
    if column.formula is not None:
        sql = "(" + column.formula.format(t=relation.sql) + ")"
    return Value(sql, column.kind, column, relation.sql)


def _cases(branches: list[tuple[str, Value]], otherwise: Value) -> Value:
    parts, kind = unified([*(value for _, value in branches), otherwise])
    whens = "".join(f" WHEN {when} THEN {then}" for (when, _), then in zip(branches, parts, strict=False))
    return Value(f"CASE{whens} ELSE {parts[-1]} END", kind)


_ARITHMETIC: Final[Mapping[type[exp.Expression], str]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_COMPARISONS: Final[Mapping[type[exp.Expression], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


def _literal(_: object, node: Any, __: Scope) -> Value:
    return text(node.this) if node.is_string else number(node.this)


def _name(_: object, node: Any, scope: Scope) -> Value:
    if node.args.get("join_mark") or node.args.get("db") is not None or isinstance(node.this, exp.Star):
        raise unsupported()
    if node.name.lower() == "rownum" and not node.table:
        raise unsupported()
    return scope.column(node.name.lower(), node.table.lower())


class Queries(Protocol):
    """Who compiles a query within an expression."""

    def subquery(self, node: exp.Expression, outer: Scope) -> tuple[str, Sequence[Column]]:
        """Its SQL without parentheses, and its columns."""
        ...


class Expressions:
    """Compiles expressions of one statement.

    Args:
        queries: for queries within.
        date_format: the user's.
    """

    def __init__(self, queries: Queries, date_format: str) -> None:
        self.queries = queries
        self.date_format = date_format

    # ---- values

    def value(self, node: exp.Expression, scope: Scope) -> Value:
        """An expression that yields a value. Raises ServiceError."""
        maker = self._VALUES.get(type(node))
        if maker is not None:
            return maker(self, node, scope)
        call = function_of(node)
        if call is None or call.name not in FUNCTIONS:
            raise unsupported()
        return FUNCTIONS[call.name]([self.value(one, scope) for one in call.arguments])

    def values(self, nodes: Sequence[exp.Expression], scope: Scope) -> list[Value]:
        """Several."""
        return [self.value(one, scope) for one in nodes]

    def _case(self, node: exp.Expression, scope: Scope) -> Value:
        subject = node.args.get("this")
        branches = []
        for one in node.args["ifs"]:
            searched = one.this if subject is None else exp.EQ(this=subject, expression=one.this)
            condition = self.condition(searched, scope)
            branches.append((condition, self.value(one.args["true"], scope)))
        default = node.args.get("default")
        otherwise = self.value(default, scope) if default is not None else NULL
        return _cases(branches, otherwise)

    def _decode(self, node: exp.Expression, scope: Scope) -> Value:
        subject, *rest = node.expressions
        branches = []
        while len(rest) > 1:
            wanted, result, *rest = rest
            left, right = pair(self.value(subject, scope), self.value(wanted, scope), self.date_format)
            branches.append((f"{left} IS {right}", self.value(result, scope)))
        return _cases(branches, self.value(rest[0], scope) if rest else NULL)

    def _arithmetic(self, node: exp.Expression, scope: Scope) -> Value:
        symbol = _ARITHMETIC[type(node)]
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        if left.kind in DATES and symbol in "+-":
            if right.kind in DATES and symbol == "-":
                return Value(f"days_between({left.sql}, {right.sql})", Kind.NUMBER)
            if right.kind in NUMBERS:
                sign = "" if symbol == "+" else "-"
                return Value(f"moved({left.sql}, {sign}CAST({right.sql} AS REAL))", left.kind)
        if left.kind is Kind.INTEGER and right.kind is Kind.INTEGER and symbol != "/":
            return Value(f"({left.sql} {symbol} {right.sql})", Kind.INTEGER)
        name = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided"}[symbol]
        return Value(f"{name}({as_decimal(left)}, {as_decimal(right)})", Kind.NUMBER)

    def _negative(self, node: exp.Expression, scope: Scope) -> Value:
        inner = self.value(node.this, scope)
        if inner.literal is not None and inner.kind in NUMBERS:
            return number(f"-{inner.literal}")
        if inner.kind is Kind.INTEGER:
            return Value(f"(-{inner.sql})", Kind.INTEGER)
        return Value(f"subtracted(0, {as_decimal(inner)})", Kind.NUMBER)

    def _joined(self, node: exp.Expression, scope: Scope) -> Value:
        parts = [f"COALESCE({as_text(one)}, '')" for one in self.values([node.this, node.expression], scope)]
        return Value(f"NULLIF({parts[0]} || {parts[1]}, '')", Kind.TEXT)

    def _builtin(self, node: exp.Expression, scope: Scope) -> Value:
        """BUILTIN.DF and BUILTIN.CF of a column."""
        call = node.args["expression"]
        if str(node.this.name).upper() != "BUILTIN" or not isinstance(call, exp.Anonymous):
            raise unsupported()
        if len(call.expressions) != 1 or not isinstance(call.expressions[0], exp.Column):
            raise unsupported()
        inner = self.value(call.expressions[0], scope)
        if inner.column is None:
            raise unsupported()
        name = str(call.this).upper()
        template = {"DF": inner.column.shown, "CF": inner.column.coded}.get(name, "")
        if template == "":
            raise unsupported()
        if template is None:
            return Value(as_text(inner), Kind.TEXT)
        return Value("(" + template.format(c=inner.sql, t=inner.table) + ")", Kind.TEXT)

    def _distinct(self, node: exp.Expression, scope: Scope) -> Value:
        """The argument of an aggregate that counts every value once."""
        if len(node.expressions) != 1 or not isinstance(node.parent, exp.AggFunc):
            raise unsupported()
        inner = self.value(node.expressions[0], scope)
        return Value(f"DISTINCT {inner.sql}", inner.kind)

    def _scalar(self, node: exp.Expression, scope: Scope) -> Value:
        """A query in the place of a value."""
        sql, columns = self.queries.subquery(node.this, scope)
        if len(columns) != 1:
            raise unsupported()
        return Value(f"({sql})", columns[0].kind)

    # ---- conditions

    def condition(self, node: exp.Expression, scope: Scope) -> str:
        """An expression that is true or not. Raises ServiceError."""
        maker = self._CONDITIONS.get(type(node))
        if maker is None:
            raise unsupported()
        return maker(self, node, scope)

    def _compared(self, symbol: str, left: exp.Expression, right: exp.Expression, scope: Scope) -> str:
        one, other = pair(self.value(left, scope), self.value(right, scope), self.date_format)
        return f"{one} {symbol} {other}"

    def _comparison(self, node: exp.Expression, scope: Scope) -> str:
        return self._compared(_COMPARISONS[type(node)], node.this, node.expression, scope)

    def _both(self, node: exp.Expression, scope: Scope) -> str:
        word = "AND" if isinstance(node, exp.And) else "OR"
        return f"({self.condition(node.this, scope)} {word} {self.condition(node.expression, scope)})"

    def _between(self, node: exp.Expression, scope: Scope) -> str:
        low = self._compared(">=", node.this, node.args["low"], scope)
        return f"({low} AND {self._compared('<=', node.this, node.args['high'], scope)})"

    def _in(self, node: exp.Expression, scope: Scope) -> str:
        subject = self.value(node.this, scope)
        query = node.args.get("query")
        if query is not None:
            sql, columns = self.queries.subquery(query.this, scope)
            if len(columns) != 1:
                raise unsupported()
            return f"{subject.sql} IN ({sql})"
        if not 1 <= len(node.expressions) <= _LONGEST_LIST:
            raise unsupported()
        pairs = [pair(subject, one, self.date_format) for one in self.values(node.expressions, scope)]
        if len({left for left, _ in pairs}) == 1:
            return f"{pairs[0][0]} IN ({', '.join(right for _, right in pairs)})"
        return "(" + " OR ".join(f"{left} = {right}" for left, right in pairs) + ")"

    def _like(self, node: exp.Expression, scope: Scope) -> str:
        left, right = self.values([node.this, node.expression], scope)
        return f"{as_text(left)} LIKE {as_text(right)}"

    def _is(self, node: exp.Expression, scope: Scope) -> str:
        if not isinstance(node.expression, exp.Null):
            raise unsupported()
        return f"{self.value(node.this, scope).sql} IS NULL"

    def _exists(self, node: exp.Expression, scope: Scope) -> str:
        sql, _ = self.queries.subquery(node.this, scope)
        return f"EXISTS ({sql})"

    # ---- which node is what

    _VALUES: ClassVar[Mapping[type[exp.Expression], Callable[[Expressions, Any, Scope], Value]]] = {
        exp.Literal: _literal,
        exp.Column: _name,
        exp.Null: lambda *_: NULL,
        exp.Paren: lambda self, node, scope: self.value(node.this, scope),
        exp.Case: _case,
        exp.DecodeCase: _decode,
        exp.Neg: _negative,
        exp.DPipe: _joined,
        exp.Dot: _builtin,
        exp.Distinct: _distinct,
        exp.Subquery: _scalar,
        **dict.fromkeys(_ARITHMETIC, _arithmetic),
    }
    _CONDITIONS: ClassVar[Mapping[type[exp.Expression], Callable[[Expressions, Any, Scope], str]]] = {
        exp.And: _both,
        exp.Or: _both,
        exp.Not: lambda self, node, scope: f"NOT ({self.condition(node.this, scope)})",
        exp.Paren: lambda self, node, scope: f"({self.condition(node.this, scope)})",
        exp.Between: _between,
        exp.In: _in,
        exp.Like: _like,
        exp.Is: _is,
        exp.Exists: _exists,
        **dict.fromkeys(_COMPARISONS, _comparison),
    }
