"""Which rows answer a query, and as which bytes? Finds, orders, pages; rows are serialized once per version."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import msgspec

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.records import Customer, Document, Kind, Payment, Record
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.fields import field, sort_key, value_of
from ar_connectors.testkit.quickbooks.query import Condition, ParseError, Query, parse
from ar_connectors.testkit.quickbooks.rows import ENTITIES, row_of
from ar_connectors.testkit.quickbooks.singles import SINGLES, Singles
from ar_connectors.testkit.quickbooks.texts import encode

__all__ = ["Selector"]

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_KEPT_ANSWERS: Final = 64
_EMPTY_ENTITIES: Final = frozenset(
    {"Estimate", "SalesReceipt", "RefundReceipt", "Vendor", "Employee", "Class", "Department"}
)
"""Entities that exist in QuickBooks and of which this company has none."""

_NAMES: Final = {name.casefold(): name for name in (*ENTITIES, *SINGLES, *_EMPTY_ENTITIES)}

Test = Callable[[Any], bool]


class Selector:
    """Answers queries over one ledger."""

    def __init__(self, ledger: Ledger, lies: Lies, singles: Singles) -> None:
        self.ledger = ledger
        self.singles = singles
        self.lies = lies
        self._bytes: dict[tuple[str, str], tuple[Any, bytes]] = {}
        self._found: dict[tuple[Any, ...], list[Record]] = {}
        self._found_at = -1

    def answer(self, statement: str) -> bytes:
        """The value of `QueryResponse`. Raises ServiceError."""
        try:
            query = parse(statement)
        except ParseError as error:
            raise ServiceError("4000", f"{error}") from error
        # Names are documented as case-sensitive, yet node-quickbooks writes them in lower case and is answered.
        entity = _NAMES.get(query.entity.casefold())
        if entity in _EMPTY_ENTITIES:
            return encode({"totalCount": 0} if query.count else {})
        if entity is None:
            raise ServiceError("4001", f"QueryValidationError: invalid context declaration: {query.entity}")
        query = replace(query, entity=entity)
        if entity in SINGLES:
            return self._single(query)
        found = self._search(query)
        if query.count:
            return encode({"totalCount": len(found)})
        page = found[query.start - 1 : query.start - 1 + query.limit]
        if not page:
            return b"{}"
        rows = b",".join(self._projected(query, page) if query.fields != ("*",) else map(self.row, page))
        tail = f'],"startPosition":{query.start},"maxResults":{len(page)}}}'
        return b'{"' + query.entity.encode() + b'":[' + rows + tail.encode()

    def _single(self, query: Query) -> bytes:
        rows = self.singles.rows(query)
        if query.count:
            return encode({"totalCount": len(rows)})
        if not rows:
            return b"{}"
        return encode({query.entity: rows, "startPosition": query.start, "maxResults": len(rows)})

    def row(self, record: Record) -> bytes:
        """A record as its wire bytes, made again only when something in it changed."""
        key = (type(record).__name__, record.id)
        state = (record.revision, self.lies.revision, *self._context(record))
        kept = self._bytes.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        made = encode(self.lies.told(self.ledger, record, row_of(self.ledger, record)))
        self._bytes[key] = (state, made)
        return made

    def _context(self, record: Record) -> tuple[object, ...]:
        """What a row shows of other records."""
        if isinstance(record, Document | Payment):
            customer = self.ledger.customers[record.customer]
            return (customer.name, customer.email)
        if isinstance(record, Customer) and record.parent is not None:
            return (self.ledger.customers[record.parent].name,)
        return ()

    def _projected(self, query: Query, page: Iterable[Record]) -> Iterable[bytes]:
        wanted = {name.partition(".")[0] for name in query.fields} | {"domain", "sparse"}
        for record in page:
            # A round trip through the row's own bytes, so that a projection tells the same as the whole.
            row = msgspec.json.decode(self.row(record), type=dict[str, msgspec.Raw])
            yield msgspec.json.encode({name: value for name, value in row.items() if name in wanted})

    def _search(self, query: Query) -> list[Record]:
        kind = ENTITIES[query.entity]
        if self._found_at != self.ledger.revision:
            self._found.clear()
            self._found_at = self.ledger.revision
        key = (query.entity, query.where, query.order)
        if key not in self._found:
            if len(self._found) >= _KEPT_ANSWERS:
                self._found.pop(next(iter(self._found)))
            self._found[key] = self._find(kind, query)
        return self._found[key]

    def _find(self, kind: Kind, query: Query) -> list[Record]:
        tests = [_test(kind, query.entity, condition) for condition in query.where]
        names = {condition.name for condition in query.where}
        if kind in {"customer", "term", "account", "item"} and "Active" not in names:
            tests.append(lambda one: one.active)  # lists hide what is inactive unless it is asked for
        ids = next((c.values for c in query.where if c.name == "Id" and c.operator in {"=", "IN"}), None)
        table = self.ledger.shelf(kind)
        rows: Iterable[Record] = table.values()
        if ids is not None:
            rows = [table[one] for one in dict.fromkeys(ids) if one in table]
        found = [row for row in rows if all(test(row) for test in tests)]
        found.sort(key=lambda one: int(one.id))
        for name, descending in reversed(query.order):
            type_, getter = field(kind, query.entity, name)
            found.sort(key=sort_key(type_, getter), reverse=descending)
        return found


def _test(kind: Kind, entity: str, condition: Condition) -> Test:
    """A condition as a function of a record."""
    type_, getter = field(kind, entity, condition.name)
    if condition.operator == "LIKE":
        pattern = re.compile(
            ".*".join(map(re.escape, condition.values[0].split("%"))), re.IGNORECASE | re.DOTALL
        ).fullmatch
        return lambda one: any(pattern(text) for text in _several(getter(one)))
    values = [value_of(type_, condition.name, text) for text in condition.values]
    if condition.operator in {"IN", "="}:
        wanted = set(values)
        if type_ == "texts":
            return lambda one: not wanted.isdisjoint(getter(one))
        return lambda one: getter(one) in wanted
    compare, limit = _COMPARE[condition.operator], values[0]
    if type_ == "id":
        return lambda one: (value := getter(one)) is not None and compare(_number(value), _number(limit))
    return lambda one: (value := getter(one)) is not None and compare(value, limit)


def _several(value: Any) -> list[str]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [str(value)]


def _number(text: str) -> Decimal:
    return Decimal(text) if text.isdecimal() else Decimal(0)
