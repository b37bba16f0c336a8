"""A call to /services/rest/query/v1/suiteql: limits, pages, and rows as NetSuite sends them.

Every value is a text, names are in lower case, what is null is left out, and a date that nobody formatted looks as the user likes
it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_parameter, invalid_query
from ar_connectors.testkit.netsuite.suiteql.rows import Rows
from ar_connectors.testkit.netsuite.suiteql.schema import Column, Kind, schema
from ar_connectors.testkit.netsuite.suiteql.statements import Statement, compiled
from ar_connectors.testkit.netsuite.suiteql.udfs import register
from ar_connectors.testkit.netsuite.suiteql.warehouse import Warehouse
from ar_connectors.testkit.netsuite.transactions import status_text, type_text

__all__ = ["COLLECTION_TYPE", "MOST_ROWS", "Queries", "page_links", "window"]

COLLECTION_TYPE: Final = "application/vnd.oracle.resource+json; type=collection; charset=UTF-8"
MOST_ROWS: Final = 100_000
"""What one statement yields at most, without SuiteAnalytics Connect."""
_MOST_PAGES: Final = 1000
_LARGEST_PAGE: Final = 1000
_SERVER_ZONE: Final = ZoneInfo("America/Los_Angeles")
_KEPT: Final = 64


class Queries:
    """Answers statements of one account. Its user holds the emulator's lock."""

    def __init__(self, ledger: Ledger, account: Account, lies: Lies, most_rows: int = MOST_ROWS) -> None:
        self.account = account
        self.tables = schema(account)
        self.most_rows = most_rows
        rows = Rows(ledger, account)
        self.zone = rows.zone
        # An empty name is a temporary file: a large company must not fill the memory.
        connection = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        register(
            connection,
            account.date_format,
            lambda: ledger.now().astimezone(rows.zone),
            lambda: ledger.now().astimezone(_SERVER_ZONE),
            status_text,
            type_text,
        )
        self._connection = connection
        self._warehouse = Warehouse(connection, self.tables, ledger, rows, lies)
        self._statements: dict[tuple[str, tuple[str | None, ...]], Statement] = {}

    def close(self) -> None:
        """Throw the tables away."""
        self._connection.close()

    def answer(self, call: Call, address: str) -> Reply:
        """The page a call asks for. Raises ServiceError."""
        if "transient" not in call.headers.get("prefer", "").lower():
            raise ServiceError(
                400,
                "INVALID_HEADER",
                "The required request header 'Prefer' is missing or has an invalid value. Use 'Prefer: transient'.",
                header="Prefer",
            )
        text, params = _asked(call.body)
        limit, offset = window(call.params)
        statement = self._statement(text, params)
        self._warehouse.refresh(statement.tables)
        most = min(self.most_rows, limit * _MOST_PAGES)
        try:
            number = self._connection.execute(f"{statement.counting} LIMIT {most})").fetchone()[0]
            rows = self._connection.execute(
                f"{self._paged(statement, number > limit, offset // limit)} LIMIT ? OFFSET ?",
                (max(0, min(limit, most - offset)), offset),
            ).fetchall()
        except sqlite3.Error:
            raise invalid_query("Search error occurred: Invalid or unsupported search.") from None
        body = {
            "links": page_links(address, limit, offset, len(rows), number, method="POST"),
            "count": len(rows),
            "hasMore": offset + len(rows) < number,
            "items": self._items(statement.columns, rows),
            "offset": offset,
            "totalResults": number,
        }
        return Reply(200, msgspec.json.encode(body), content_type=COLLECTION_TYPE)

    def _paged(self, statement: Statement, several: bool, page: int) -> str:
        """The statement, to be cut into pages. Without an ORDER BY every page is cut from another order."""
        if several and not statement.ordered and self.account.restless:
            return f'SELECT * FROM ({statement.sql}) ORDER BY shuffled("c0", {page})'
        return f"SELECT * FROM ({statement.sql})" if statement.limited else statement.sql

    def _statement(self, text: str, params: tuple[str | None, ...]) -> Statement:
        key = (text, params)
        if key not in self._statements or self.account.hidden:
            if len(self._statements) >= _KEPT:
                self._statements.clear()
            self._statements[key] = compiled(text, self.tables, self.account, params)
        return self._statements[key]

    def _items(self, columns: Sequence[Column], rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        makers = [(one.name, self._maker(one.kind)) for one in columns]
        items = []
        for row in rows:
            item: dict[str, Any] = {"links": []}
            for (name, make), value in zip(makers, row, strict=True):
                if value is not None:
                    item[name] = make(value)
            items.append(item)
        return items

    def _maker(self, kind: Kind) -> Callable[[Any], str]:
        layout = self.account.date_format
        if kind is Kind.DATE:
            return lambda stamp: datetime.strptime(stamp[:10], "%Y-%m-%d").strftime(layout)  # noqa: DTZ007
        if kind is Kind.DATETIME:
            return lambda stamp: datetime.strptime(stamp[:10], "%Y-%m-%d").strftime(layout)  # noqa: DTZ007
        return str


def _asked(body: bytes) -> tuple[str, tuple[str | None, ...]]:
    """The statement and what its placeholders stand for."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        document = None
    if not isinstance(document, dict):
        raise ServiceError(
            400, "INVALID_CONTENT", "Invalid content in the request body: it is no JSON object."
        )
    text, params = document.get("q"), document.get("params", [])
    if not isinstance(text, str) or not text.strip():
        raise invalid_parameter("q", "The required parameter 'q' is missing or empty.")
    if not isinstance(params, list) or not all(isinstance(one, str | int | None) for one in params):
        raise invalid_parameter("params", "The parameter 'params' must be an array of texts.")
    return text, tuple(None if one is None else str(one) for one in params)


def window(params: Mapping[str, str]) -> tuple[int, int]:
    """Limit and offset of a call. Raises ServiceError for those that cannot be."""
    limit = _whole(params, "limit", _LARGEST_PAGE)
    offset = _whole(params, "offset", 0)
    if not 1 <= limit <= _LARGEST_PAGE:
        raise invalid_parameter(
            "limit", f"Invalid value for the limit parameter: {limit}. Use 1 to {_LARGEST_PAGE}."
        )
    if offset % limit:
        raise invalid_parameter("offset", f"The offset {offset} must be divisible by the page size {limit}.")
    if offset // limit >= _MOST_PAGES:
        raise invalid_parameter("offset", f"There are at most {_MOST_PAGES} pages.")
    return limit, offset


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise invalid_parameter(name, f"Invalid value for the {name} parameter: {text[:40]}.")
    return int(text)


def page_links(
    address: str, limit: int, offset: int, shown: int, number: int, *, method: str
) -> list[dict[str, str]]:
    """Links to the other pages, and to this one."""

    def to(rel: str, start: int) -> dict[str, str]:
        return {"rel": rel, "href": f"{address}?limit={limit}&offset={start}"}

    links = []
    if offset:
        links += [to("previous", max(0, offset - limit)), to("first", 0)]
    if offset + shown < number:
        links += [to("next", offset + limit), to("last", (number - 1) // limit * limit)]
    links.append(
        {
            "rel": "self",
            "href": address if not offset else f"{address}?limit={limit}&offset={offset}",
            "method": method,
        }
    )
    return links
