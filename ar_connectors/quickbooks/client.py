"""What can be asked of QuickBooks, and what does it cost? Endpoints as requests; the transport sends them.

Nothing is retried, paced or signed here. Every request says what it costs: reading is metered (CorePlus), writing single
entities is free (quirks.md#qbo-70).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import quote

from ar_connectors.http.messages import Replay, Request, Response

__all__ = [
    "BASE_URL",
    "MAX_IDS",
    "MINOR_VERSION",
    "PAGE_SIZE",
    "SANDBOX_URL",
    "QuickBooksClient",
    "Sender",
    "quoted",
    "timestamp",
]

BASE_URL: Final = "https://quickbooks.api.intuit.com"
SANDBOX_URL: Final = "https://sandbox-quickbooks.api.intuit.com"
MINOR_VERSION: Final = "75"
"""Sent with every call; lower ones are treated as 75 since 2025-08 (quirks.md#qbo-4)."""
PAGE_SIZE: Final = 1000
"""The most rows a query returns (quirks.md#qbo-7)."""
MAX_IDS: Final = 1000
"""Ids in one `Id IN (...)`: what fits one page of answers."""

_LONGEST_URL: Final = 1800
"""A longer statement goes as the body of a POST, which means the same (quirks.md#qbo-2)."""


class Sender(Protocol):
    """The transport, as far as the client is concerned."""

    def send(self, request: Request) -> Response:
        """Send a request and return the successful answer; failures are raised as ARError."""
        ...


def quoted(value: str) -> str:
    """A value in a query: single quotes around it, quotes and backslashes inside it escaped (quirks.md#qbo-8)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def timestamp(instant: datetime) -> str:
    """An instant for a query or CDC, to the second and always with its offset (quirks.md#qbo-51)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


@dataclass(frozen=True, slots=True)
class QuickBooksClient:
    """The reading endpoints of one company. `base_url` has no path; a loopback address serves an emulator."""

    sender: Sender
    tenant: str
    base_url: str = BASE_URL

    def url(self, path: str) -> str:
        """The address of a resource of this company."""
        return f"{self.base_url.rstrip('/')}/v3/company/{quote(self.tenant, safe='')}/{path}"

    def query(self, statement: str, operation: str) -> Response:
        """Run a query. One metered unit, whatever it returns."""
        params: Sequence[tuple[str, str]] = (("minorversion", MINOR_VERSION),)
        if len(statement) <= _LONGEST_URL:
            request = Request(
                "GET",
                self.url("query"),
                operation,
                params=(("query", statement), *params),
                headers={"Accept": "application/json"},
                metered_units=1,
            )
        else:
            request = Request(
                "POST",
                self.url("query"),
                operation,
                params=params,
                headers={"Accept": "application/json", "Content-Type": "application/text"},
                body=statement.encode(),
                replay=Replay.SAFE,
                metered_units=1,
            )
        return self.sender.send(request)

    def count(self, entity: str, where: str = "") -> Response:
        """How many rows a condition finds."""
        return self.query(_statement("COUNT(*)", entity, where), f"count {entity}")

    def page(self, entity: str, where: str, start: int, fields: str = "*") -> Response:
        """One page of rows, from the 1-based position `start`, in the order of their last change."""
        statement = _statement(fields, entity, where)
        statement += f" ORDERBY MetaData.LastUpdatedTime STARTPOSITION {start} MAXRESULTS {PAGE_SIZE}"
        return self.query(statement, f"query {entity}")

    def by_ids(self, entity: str, ids: Iterable[str], condition: str = "") -> Response:
        """Rows by id, at most `MAX_IDS` of them. What does not exist is simply not in the answer."""
        where = f"Id IN ({', '.join(quoted(one) for one in ids)})"
        if condition:
            where += f" AND {condition}"
        return self.query(f"{_statement('*', entity, where)} MAXRESULTS {PAGE_SIZE}", f"read {entity} by id")

    def changes(self, entities: Sequence[str], since: datetime) -> Response:
        """What changed since an instant (CDC); at most 1000 objects, and at most 30 days back (quirks.md#qbo-22)."""
        request = Request(
            "GET",
            self.url("cdc"),
            "changes " + ",".join(entities),
            params=(
                ("entities", ",".join(entities)),
                ("changedSince", timestamp(since)),
                ("minorversion", MINOR_VERSION),
            ),
            headers={"Accept": "application/json"},
            metered_units=1,
        )
        return self.sender.send(request)

    def resource(self, path: str, operation: str, params: Sequence[tuple[str, str]] = ()) -> Response:
        """Read one resource by its path (`companyinfo/9341`, `preferences`, `reports/AgedReceivables`)."""
        request = Request(
            "GET",
            self.url(path),
            operation,
            params=(*params, ("minorversion", MINOR_VERSION)),
            headers={"Accept": "application/json"},
            metered_units=1,
        )
        return self.sender.send(request)


def _statement(what: str, entity: str, where: str) -> str:
    # Names are constants of this package and values go through `quoted`; the query language can only read.
    return " ".join(("SELECT", what, "FROM", entity, *(("WHERE", where) if where else ())))
