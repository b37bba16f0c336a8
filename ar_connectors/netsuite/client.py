"""Which endpoints of NetSuite are used? SuiteQL for reading, records for writing and reading back, and the server's clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from ar_connectors.errors import ContractError
from ar_connectors.http.messages import Replay, Request, Response
from ar_connectors.http.redact import excerpt
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.faults import fault_error, parse_fault
from ar_connectors.netsuite.suiteql import Select, after_key

__all__ = ["MAX_IDS", "MOST_ROWS", "PAGE_SIZE", "NetSuiteClient", "Sender", "rows_in"]

PAGE_SIZE: Final = 1000
"""The most rows an answer holds (quirks.md#ns-10)."""
MOST_ROWS: Final = 100_000
"""The most rows that offsets reach in one statement (quirks.md#ns-10)."""
MAX_IDS: Final = 1000
"""Ids in one IN list: Oracle's own limit for literals."""

_QUERY: Final = "/services/rest/query/v1/suiteql"
_RECORD: Final = "/services/rest/record/v1"
_JSON: Final = "application/json"
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_STRICT: Final = {"X-NetSuite-PropertyNameValidation": "error", "X-NetSuite-PropertyValueValidation": "error"}
"""Without it a misspelled field vanishes and the answer is 204 all the same (quirks.md#ns-24)."""


class Sender(Protocol):
    """The transport, as far as the client is concerned."""

    def send(self, request: Request) -> Response:
        """Send a request and return the successful answer; failures are raised as ARError."""
        ...


class _Rows(msgspec.Struct):
    items: list[dict[str, Any]]
    has_more: bool = msgspec.field(default=False, name="hasMore")


_ROWS: Final = msgspec.json.Decoder(_Rows)


def rows_in(response: Response) -> list[dict[str, str]]:
    """The rows of a small answer as text by column; a column without a value is missing. Raises ContractError."""
    return _opened(response)[0]


def _opened(response: Response) -> tuple[list[dict[str, str]], bool]:
    try:
        answer = _ROWS.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContractError(
            f"the answer is no page of rows: {error}",
            platform=PLATFORM,
            request_id=response.headers.get("x-n-operationid"),
            excerpt=response.body[:200].decode("utf-8", errors="replace"),
        ) from error
    rows = [
        {name: str(value) for name, value in row.items() if name != "links" and value is not None}
        for row in answer.items
    ]
    return rows, answer.has_more


@dataclass(frozen=True, slots=True)
class NetSuiteClient:
    """The endpoints of one account. `base_url` has no path; a loopback address serves an emulator."""

    sender: Sender
    tenant: str
    base_url: str

    def query(self, statement: str, operation: str, *, limit: int | None = None, offset: int = 0) -> Response:
        """Run a query; `limit`: `PAGE_SIZE` when left out; `offset` is a multiple of it. It only reads, so it may be repeated."""
        request = Request(
            "POST",
            f"{self.base_url.rstrip('/')}{_QUERY}",
            operation,
            params=(("limit", str(limit or PAGE_SIZE)), ("offset", str(offset))),
            headers={"Accept": _JSON, "Content-Type": _JSON, "Prefer": "transient"},
            body=msgspec.json.encode({"q": statement}),
            replay=Replay.SAFE,
        )
        return self.sender.send(request)

    def rows(self, statement: str, operation: str) -> list[dict[str, str]]:
        """All rows of a small query with an order, which is one page nearly always; the next ones by offset, because a list of facts
        (currencies, subsidiaries, terms) that ends where a page does would make what comes behind it unknown in silence."""
        found: list[dict[str, str]] = []
        more, offset = True, 0
        while more:
            rows, told = _opened(self.query(statement, operation, offset=offset))
            found += rows
            offset += PAGE_SIZE
            more = told and bool(rows)
        return found

    def every_row(self, select: Select, operation: str) -> Iterator[list[dict[str, str]]]:
        """All rows of a select, a page at a time, by key."""
        after: Sequence[str] | None = None
        while True:
            asked = select.having(after_key(select.keys, after)) if after is not None else select
            rows, more = _opened(self.query(asked.sql(), operation))
            if rows:
                yield rows
                after = [rows[-1][key.name] for key in select.keys]
            if not more or not rows:
                return

    def record(self, kind: str, identity: str, operation: str, fields: Sequence[str] = ()) -> dict[str, Any]:
        """A record as a document, or these fields of it. NetSuite loads it for editing, so a locked one is refused, and the role
        needs the right to edit (quirks.md#ns-23). `identity`: an internal id, or `eid:` and an external one."""
        request = Request(
            "GET",
            self.record_url(kind, identity),
            operation,
            params=(("fields", ",".join(fields)),) if fields else (),
            headers={"Accept": _JSON},
        )
        return self._document(self.sender.send(request))

    def patch(self, kind: str, identity: str, changes: Mapping[str, Any], operation: str) -> Response:
        """Change fields of a record; those left out stay. None empties a field. Answered 204 without a body."""
        return self._write("PATCH", kind, identity, changes, operation)

    def put(self, kind: str, external_id: str, values: Mapping[str, Any], operation: str) -> Response:
        """Create the record with this external id, or change it. The same twice is one record, yet it is not simply sent again: what
        came late would undo what people, or a later command, changed in between."""
        return self._write("PUT", kind, f"eid:{external_id}", values, operation)

    def metadata(self, kind: str, operation: str) -> dict[str, Any]:
        """The schema of one record type (all at once takes minutes)."""
        url = f"{self.base_url.rstrip('/')}{_RECORD}/metadata-catalog/{quote(kind, safe='')}"
        request = Request("GET", url, operation, headers={"Accept": "application/schema+json"})
        return self._document(self.sender.send(request))

    def list_ids(self, kind: str, condition: str, operation: str) -> Iterator[list[str]]:
        """Internal ids of the records of a kind that meet a condition of the record API (`field EMPTY_NOT`), a page at a time. The set
        may move between two pages: what is missing once is no proof of anything."""
        url = f"{self.base_url.rstrip('/')}{_RECORD}/{quote(kind, safe='')}"
        offset, more = 0, True
        while more:
            params = (("q", condition), ("limit", str(PAGE_SIZE)), ("offset", str(offset)))
            response = self.sender.send(Request("GET", url, operation, params, headers={"Accept": _JSON}))
            rows, more = _opened(response)
            yield [row["id"] for row in rows if "id" in row]
            offset += PAGE_SIZE
            more = more and bool(rows)

    def server_time(self) -> datetime | None:
        """The server's clock, UTC; None where the answer does not tell it. Needs no permission."""
        url = f"{self.base_url.rstrip('/')}/services/rest/system/v1/serverTime"
        answer = self._document(
            self.sender.send(Request("GET", url, "read server time", headers={"Accept": _JSON}))
        )
        try:
            told = datetime.fromisoformat(str(answer.get("serverTime")))
        except ValueError:
            return None
        return told.astimezone(UTC) if told.tzinfo is not None else None

    def record_url(self, kind: str, identity: str) -> str:
        """The address of a record."""
        return f"{self.base_url.rstrip('/')}{_RECORD}/{quote(kind, safe='')}/{quote(identity, safe=':-._~')}"

    def _write(
        self, method: str, kind: str, identity: str, values: Mapping[str, Any], operation: str
    ) -> Response:
        request = Request(
            method,
            self.record_url(kind, identity),
            operation,
            headers={"Accept": _JSON, "Content-Type": _JSON, **_STRICT},
            body=_encode(values),
            replay=Replay.UNSAFE,
        )
        response = self.sender.send(request)
        # Success has no body; one that tells of an error is none, whatever its status.
        fault = parse_fault(response.body) if response.body else None
        if fault is not None:
            raise fault_error(
                fault,
                tenant=self.tenant,
                operation=operation,
                request_id=response.headers.get("x-n-operationid"),
                told=excerpt(response.body),
            )
        return response

    def _document(self, response: Response) -> dict[str, Any]:
        try:
            document = _decode(response.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            document = None
        if isinstance(document, dict):
            return document
        raise ContractError(
            "the answer is no JSON object",
            platform=PLATFORM,
            tenant=self.tenant,
            request_id=response.headers.get("x-n-operationid"),
            excerpt=response.body[:200].decode("utf-8", errors="replace"),
        )
