"""From a statement of SuiteQL to one of SQLite. What is not understood is refused, as NetSuite would refuse what it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_query
from ar_connectors.testkit.netsuite.suiteql.expressions import Expressions, Relation, Scope
from ar_connectors.testkit.netsuite.suiteql.functions import AGGREGATES
from ar_connectors.testkit.netsuite.suiteql.schema import Column, Kind, Table
from ar_connectors.testkit.netsuite.suiteql.values import Value, as_real, quoted, unsupported

__all__ = ["Statement", "compiled"]

_CLAUSES: Final = {
    "expressions",
    "from",
    "joins",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "distinct",
    "kind",
}
_JOINS: Final = {"", "INNER", "CROSS", "OUTER"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that can be run."""

    sql: str
    columns: tuple[Column, ...]
    """Names (lower case) and kinds of what it yields."""
    counting: str
    """A statement with as many rows, cheaper where it can be."""
    tables: frozenset[str]
    """What it reads."""
    limited: bool
    """Whether it has a limit of its own."""
    ordered: bool


@dataclass(frozen=True, slots=True)
class _Selected:
    """What a SELECT yields: where its names are looked up, its columns, what they are made of, and the rows ROWNUM lets through."""

    scope: Scope
    columns: tuple[Column, ...]
    items: list[tuple[exp.Expression | None, Column, Value]]
    cut: int | None


def compiled(
    text: str, tables: Mapping[str, Table], account: Account, params: Sequence[str | None] = ()
) -> Statement:
    """Parse and translate. Raises ServiceError with NetSuite's words."""
    try:
        parsed = sqlglot.parse(_bound(text, params), dialect="oracle")
    except (SqlglotError, RecursionError):
        raise unsupported() from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Expression):
        raise unsupported()
    return _Compiler(tables, account).statement(parsed[0])


def _bound(text: str, params: Sequence[str | None]) -> str:
    """The statement with what its placeholders stand for, in the order in which they are written. Raises ServiceError when there
    are more or fewer."""
    places = [one for one in sqlglot.tokenize(text, read="oracle") if one.token_type is TokenType.PLACEHOLDER]
    if len(places) != len(params):
        raise invalid_query("Search error occurred: Invalid number of parameters.")
    for place, given in zip(reversed(places), reversed(params), strict=True):
        literal = "NULL" if given is None else quoted(given)
        text = f"{text[: place.start]}{literal}{text[place.end + 1 :]}"
    return text


class _Compiler:
    def __init__(self, tables: Mapping[str, Table], account: Account) -> None:
        self.tables = tables
        self.account = account
        self.used: set[str] = set()
        self.expressions = Expressions(self, account.date_format)

    def statement(self, node: exp.Expression) -> Statement:
        sql, columns, counting = self._query(node, None)
        limited = any(node.args.get(name) is not None for name in ("limit", "offset"))
        ordered = node.args.get("order") is not None
        return Statement(sql, columns, counting, frozenset(self.used), limited, ordered)

    def subquery(self, node: exp.Expression, outer: Scope) -> tuple[str, Sequence[Column]]:
        """A query within a condition or in the place of a value."""
        sql, columns, _ = self._query(node, outer)
        return sql, columns

    def _query(self, node: exp.Expression, outer: Scope | None) -> tuple[str, tuple[Column, ...], str]:
        if isinstance(node, exp.Union):
            return self._union(node, outer)
        if not isinstance(node, exp.Select):
            raise unsupported()
        return self._select(node, outer)

    def _union(self, node: exp.Union, outer: Scope | None) -> tuple[str, tuple[Column, ...], str]:
        given = {name for name, one in node.args.items() if one not in (None, [], False)}
        if given - {"this", "expression", "distinct", "order"}:
            raise unsupported()
        left, columns, _ = self._query(node.this, outer)
        right, others, _ = self._query(node.expression, outer)
        if [_family(one) for one in columns] != [_family(one) for one in others]:
            raise unsupported()
        word = "UNION" if node.args.get("distinct") else "UNION ALL"
        sql = f"SELECT * FROM ({left}) {word} SELECT * FROM ({right})"
        sql = f"SELECT * FROM ({sql})"
        return sql + self._order(node, columns, [], None), columns, _counted(sql)

    def _select(self, node: exp.Select, outer: Scope | None) -> tuple[str, tuple[Column, ...], str]:
        given = {name.rstrip("_"): one for name, one in node.args.items() if one not in (None, [], False)}
        if set(given) - _CLAUSES or "from" not in given:
            raise unsupported()
        scope, body = self._from(given, outer)
        where, cut = self._where(given.get("where"), scope)
        body += where
        items = self._items(node, scope)
        groups = [self.expressions.value(one, scope).sql for one in self._groups(given.get("group"))]
        aggregated = bool(groups) or any(
            self._aggregates(source) for source, _, _ in items if source is not None
        )
        if aggregated:
            self._check_groups(items, groups, scope)
        if groups:
            body += f" GROUP BY {', '.join(groups)}"
        if "having" in given:
            body += f" HAVING {self.expressions.condition(given['having'].this, scope)}"
        columns = tuple(_shown(column, value) for _, column, value in items)
        shown = ", ".join(f'{value.sql} AS "c{place}"' for place, (_, _, value) in enumerate(items))
        distinct = "DISTINCT " if "distinct" in given else ""
        sql = f"SELECT {distinct}{shown}{body}"
        plain = not (distinct or aggregated or cut is not None or "limit" in given)
        if cut is not None:
            if aggregated:
                raise unsupported()
            sql = f"{sql} LIMIT {cut}"
        selected = _Selected(scope, columns, items, cut)
        return self._finished(node, given, sql, selected, f"SELECT 1{body}" if plain else None)

    def _finished(
        self, node: exp.Select, given: Mapping[str, Any], sql: str, selected: _Selected, counting: str | None
    ) -> tuple[str, tuple[Column, ...], str]:
        """With its order and the rows it wants."""
        columns = selected.columns
        if selected.cut is not None:
            # ROWNUM counts before anything is sorted.
            order = self._order(node, columns, selected.items, None)
            return f"SELECT * FROM ({sql}){order}", columns, _counted(sql)
        order = self._order(node, columns, selected.items, selected.scope)
        if "distinct" in given and order:
            order = self._order(node, columns, selected.items, None)
            sql = f"SELECT * FROM ({sql})"
        most, skipped = _rows(given.get("limit")), _rows(given.get("offset"))
        limited = ""
        if most is not None or skipped is not None:
            limited = f" LIMIT {-1 if most is None else most} OFFSET {skipped or 0}"
        whole = f"{sql}{order}{limited}"
        cheap = counting is not None and not limited
        return whole, columns, f"SELECT COUNT(*) FROM ({counting}" if cheap else _counted(whole)

    # ---- parts

    def _from(self, given: Mapping[str, Any], outer: Scope | None) -> tuple[Scope, str]:
        source = given["from"].this
        relation, sql = self._source(source)
        relations, body = [relation], f" FROM {sql}"
        for join in given.get("joins", []):
            kind, side = str(join.args.get("kind") or "").upper(), str(join.args.get("side") or "").upper()
            if (
                kind not in _JOINS
                or side not in {"", "LEFT"}
                or join.args.get("using")
                or join.args.get("method")
            ):
                raise unsupported()
            relation, sql = self._source(join.this)
            if relation.alias in {one.alias for one in relations}:
                raise unsupported()
            relations.append(relation)
            on = join.args.get("on")
            word = "LEFT JOIN" if side else "JOIN"
            body += f" {word} {sql}"
            if on is not None:
                body += f" ON {self.expressions.condition(on, Scope(tuple(relations), outer))}"
            elif side:
                raise unsupported()
        return Scope(tuple(relations), outer), body

    def _source(self, node: exp.Expression) -> tuple[Relation, str]:
        if isinstance(node, exp.Subquery):
            sql, columns, _ = self._query(node.this, None)
            alias = node.alias.lower() or f"query{len(self.used)}"
            inner = ", ".join(f'"c{place}" AS "{one.name}"' for place, one in enumerate(columns))
            named = {one.name: one for one in columns}
            if len(named) < len(columns):
                raise unsupported()
            return Relation(alias, "query", named), f"(SELECT {inner} FROM ({sql})) AS {_name(alias)}"
        if not isinstance(node, exp.Table) or node.args.get("db") or node.args.get("joins"):
            raise unsupported()
        name = node.name.lower()
        table = self.tables.get(name)
        if name in self.account.hidden or (table is None and name in _FEATURES):
            raise invalid_query(f"Search error occurred: Record '{name}' was not found.")
        if table is None:
            raise invalid_query(f"Invalid search type: {node.name}.")
        self.used.add(name)
        alias = node.alias.lower() or name
        return Relation(alias, name, table.by_name), f'"v_{name}" AS {_name(alias)}'

    def _where(self, node: Any, scope: Scope) -> tuple[str, int | None]:
        """The conditions, and how many rows ROWNUM lets through."""
        if node is None:
            return "", None
        cut: int | None = None
        conditions = []
        for one in _conjuncts(node.this):
            limit = _rownum(one)
            if limit is not None:
                cut = limit if cut is None else min(cut, limit)
            else:
                conditions.append(f"({self.expressions.condition(one, scope)})")
        return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), cut

    def _items(self, node: exp.Select, scope: Scope) -> list[tuple[exp.Expression | None, Column, Value]]:
        """What is selected: the node (none for what a star stands for), its name as a column, its value."""
        found: list[tuple[exp.Expression | None, Column, Value]] = []
        unnamed = 0
        for one in node.expressions:
            if isinstance(one, exp.Star) or (isinstance(one, exp.Column) and isinstance(one.this, exp.Star)):
                table = one.table.lower() if isinstance(one, exp.Column) else ""
                found += [
                    (None, column, scope.column(column.name, relation.alias))
                    for relation in scope.relations
                    if table in {"", relation.alias}
                    for column in relation.columns.values()
                ]
                continue
            inner = one.this if isinstance(one, exp.Alias) else one
            value = self.expressions.value(inner, scope)
            if isinstance(one, exp.Alias):
                name = one.alias.lower()
            elif isinstance(inner, exp.Column):
                name = inner.name.lower()
            else:
                unnamed += 1
                name = f"expr{unnamed}"
            found.append((inner, Column(name, value.kind or Kind.TEXT), value))
        if not found:
            raise unsupported()
        return found

    @staticmethod
    def _groups(node: Any) -> list[exp.Expression]:
        if node is None:
            return []
        given = {name for name, one in node.args.items() if one not in (None, [], False)}
        if given - {"expressions"} or any(isinstance(one, exp.Literal) for one in node.expressions):
            raise unsupported()
        return list(node.expressions)

    @staticmethod
    def _aggregates(node: exp.Expression) -> bool:
        return any(
            isinstance(one, AGGREGATES) for one in node.walk(prune=lambda n: isinstance(n, exp.Select))
        )

    def _check_groups(
        self, items: list[tuple[exp.Expression | None, Column, Value]], groups: list[str], scope: Scope
    ) -> None:
        for source, _, _ in items:
            if source is None or not self._covered(source, groups, scope):
                raise invalid_query(
                    "Search error occurred: Invalid or unsupported search. Not a GROUP BY expression."
                )

    def _covered(self, node: exp.Expression, groups: list[str], scope: Scope) -> bool:
        """Whether an expression has one value in a group."""
        if isinstance(node, (*AGGREGATES, exp.Literal, exp.Null, exp.Subquery)):
            return True
        with suppress(ServiceError):  # a part that is no value by itself is looked into
            if self.expressions.value(node, scope).sql in groups:
                return True
        parts = [one for one in node.iter_expressions() if not isinstance(one, exp.Identifier)]
        return not isinstance(node, exp.Column) and all(self._covered(one, groups, scope) for one in parts)

    def _order(
        self,
        node: exp.Expression,
        columns: tuple[Column, ...],
        items: list[tuple[exp.Expression | None, Column, Value]],
        scope: Scope | None,
    ) -> str:
        """The ORDER BY; without a scope only what is selected can be named."""
        order = node.args.get("order")
        if order is None:
            return ""
        parts = []
        for one in order.expressions:
            value = self._ordering(one.this, columns, items, scope)
            column = value.column
            if column is not None and column.required:
                key, nulls = value.sql, ""
            else:
                key = as_real(value) if value.kind is Kind.NUMBER else value.sql
                nulls = " NULLS FIRST" if one.args.get("nulls_first") else " NULLS LAST"
                if one.args.get("desc") and one.args.get("nulls_first") is None:
                    nulls = " NULLS FIRST"
            parts.append(f"{key}{' DESC' if one.args.get('desc') else ''}{nulls}")
        return f" ORDER BY {', '.join(parts)}"

    def _ordering(
        self,
        node: exp.Expression,
        columns: tuple[Column, ...],
        items: list[tuple[exp.Expression | None, Column, Value]],
        scope: Scope | None,
    ) -> Value:
        place = None
        if isinstance(node, exp.Literal) and not node.is_string and node.this.isdecimal():
            place = int(node.this) - 1
        elif isinstance(node, exp.Column):
            places = [index for index, one in enumerate(columns) if one.name == node.name.lower()]
            if places and (not node.table or scope is None):
                place = places[0]
        elif scope is None:
            raise unsupported()
        if place is not None:
            if not 0 <= place < len(columns):
                raise unsupported()
            if scope is not None:
                return items[place][2]
            return Value(f'"c{place}"', columns[place].kind)
        if scope is None:
            raise unsupported()
        return self.expressions.value(node, scope)


_FEATURES: Final = frozenset(
    {"subsidiary", "currency", "accountingbook", "customersubsidiaryrelationship", "department"}
)
"""Tables that are there only with a feature."""


def _shown(column: Column, value: Value) -> Column:
    """A selected column as one of the result: what it displays is lost when it becomes part of a derived table."""
    required = value.column is not None and value.column.required
    return Column(column.name, value.kind or Kind.TEXT, required=required)


def _family(column: Column) -> str:
    return column.kind.value.strip()


def _name(alias: str) -> str:
    return '"' + alias.replace('"', '""') + '"'


def _counted(sql: str) -> str:
    """The beginning of a statement that counts rows; the caller closes it, with a limit."""
    return f"SELECT COUNT(*) FROM (SELECT 1 FROM ({sql})"


def _rows(node: Any) -> int | None:
    """How many rows a FETCH FIRST or OFFSET names. LIMIT is none of SuiteQL's words."""
    if node is None:
        return None
    if isinstance(node, exp.Fetch):
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise unsupported()
        count = node.args.get("count")
        return 1 if count is None else _whole(count)
    if isinstance(node, exp.Offset):
        return _whole(node.expression)
    raise unsupported()


def _whole(node: Any) -> int:
    if not isinstance(node, exp.Literal) or node.is_string or not node.this.isdecimal():
        raise unsupported()
    return int(node.this)


def _conjuncts(node: Any) -> Iterator[exp.Expression]:
    """The conditions that must all be true."""
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _rownum(node: exp.Expression) -> int | None:
    """The rows a condition on ROWNUM lets through; None for any other condition."""
    if not isinstance(node, exp.LT | exp.LTE | exp.EQ) or not isinstance(node.this, exp.Column):
        return None
    if node.this.name.lower() != "rownum" or node.this.table:
        return None
    limit = _whole(node.expression)
    if isinstance(node, exp.LTE):
        return limit
    if isinstance(node, exp.LT):
        return max(0, limit - 1)
    return limit if limit == 1 else 0
