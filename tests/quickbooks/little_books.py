"""A very small QuickBooks in memory, behind the client's `send`: notes, customers and invoices with version tokens.

For thousands of quick cases; the emulator of the testkit is the judge of what goes over the wire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ar_connectors.connector import PendingWrite
from ar_connectors.errors import NotFoundError, RejectedError, StaleVersionError
from ar_connectors.http.messages import Replay, Request, Response
from ar_connectors.quickbooks.writeback import QuickBooksWriter, WriteOptions
from ar_core.commands import Command
from ar_core.model import (
    Customer,
    DocumentStatus,
    Invoice,
    Organization,
    RecordKind,
    Source,
    record_id,
)
from tests.writeback.memory import FakeClock, MemoryStore

TENANT = "9341"
CONNECTION = f"quickbooks:{TENANT}"
Hook = Callable[[Request, Mapping[str, Any]], None]


def rid(kind: RecordKind, remote: str) -> str:
    return record_id("quickbooks", TENANT, kind, remote)


@dataclass
class LittleBooks:
    """The company's books."""

    latin1_only: bool = False
    attachables: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    before: Hook | None = None
    """Runs before a POST takes effect; raises to refuse it."""
    after: Hook | None = None
    """Runs after a POST took effect; raises to lose the answer."""

    def customer(self, number: str, notes: str | None = None) -> None:
        row: dict[str, Any] = {
            "Id": number,
            "SyncToken": "0",
            "DisplayName": f"Customer {number}",
            "Active": True,
        }
        if notes is not None:
            row["Notes"] = notes
        self.customers[number] = row

    def invoice(self, number: str, customer: str, fields: list[dict[str, str]] | None = None) -> None:
        self.invoices[number] = {
            "Id": number, "SyncToken": "0", "DocNumber": f"INV-{number}", "CustomerRef": {"value": customer},
            "CustomField": fields or [], "DueDate": "2026-11-01", "EmailStatus": "NotSet", "PrivateNote": "theirs",
        }  # fmt: skip

    def edit(self, table: dict[str, dict[str, Any]], number: str, **changes: Any) -> None:
        """Somebody changes a record in QuickBooks itself."""
        row = table[number]
        row.update(changes)
        row["SyncToken"] = str(int(row["SyncToken"]) + 1)

    def notes_on(self, invoice: str) -> list[str]:
        return [row["Note"] for row in self.attachables.values() if ("Invoice", invoice) in _links(row)]

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        path = request.url.split(f"/v3/company/{TENANT}/", 1)[1]
        assert dict(request.params)["minorversion"] == "75"
        if request.method == "GET":
            assert request.replay is Replay.SAFE
            assert request.metered_units == 1
            return _answer(self._read(path, dict(request.params)))
        assert request.replay is Replay.UNSAFE
        assert request.metered_units == 0
        assert 0 < len(dict(request.params)["requestid"]) <= 50
        body = json.loads(request.body or b"")
        self.bodies.append(body)
        if self.before is not None:
            self.before(request, body)
        answer = self._write(path, body)
        if self.after is not None:
            self.after(request, body)
        return _answer(answer)

    def _read(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        if path == "query":
            found = re.fullmatch(
                r"select \* from Attachable where AttachableRef\.EntityRef\.type = '(\w+)' and "
                r"AttachableRef\.EntityRef\.value = '(\w+)' startposition (\d+) maxresults 1000",
                params["query"],
            )
            assert found, params["query"]
            rows = [row for row in self.attachables.values() if (found[1], found[2]) in _links(row)]
            start = int(found[3]) - 1
            page = rows[start : start + 1000]
            return {
                "QueryResponse": {"Attachable": page} if page else {},
                "time": "2026-11-23T04:00:00.000-08:00",
            }
        entity, number = path.split("/")
        return {entity.capitalize(): self._row(self._table(entity), number)}

    def _write(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        table = self._table(path)
        if "Id" not in body:
            assert path == "attachable"
            for kind, number in _links(body):
                self._row({"Invoice": self.invoices, "Customer": self.customers}[kind], number)
            row = {"Id": str(5000000000000000000 + len(table)), "SyncToken": "0", **body}
            table[row["Id"]] = row
        else:
            assert body["sparse"] is True
            row = self._row(table, body["Id"])
            if body["SyncToken"] != row["SyncToken"]:
                raise StaleVersionError("Stale Object Error", platform_code="5010")
            row.update(
                {key: value for key, value in body.items() if key not in {"Id", "SyncToken", "sparse"}}
            )
            row["SyncToken"] = str(int(row["SyncToken"]) + 1)
        for name in ("Note", "Notes"):
            if name in row:
                if len(row[name]) > 2000:
                    raise RejectedError("string too long", platform_code="2050")
                if self.latin1_only:
                    row[name] = row[name].encode("iso-8859-1", "replace").decode("iso-8859-1")
        return {path.capitalize(): row, "time": "2026-11-23T04:00:00.000-08:00"}

    def _table(self, entity: str) -> dict[str, dict[str, Any]]:
        return {"attachable": self.attachables, "customer": self.customers, "invoice": self.invoices}[entity]

    def _row(self, table: dict[str, dict[str, Any]], number: str) -> dict[str, Any]:
        if number not in table:
            raise NotFoundError("Object Not Found", platform_code="610")
        return table[number]


@dataclass
class Company:
    """The books, our store beside them, and the writer between the two."""

    books: LittleBooks
    store: MemoryStore
    writer: QuickBooksWriter

    def sync(self, *, country: str | None = "US", lock_date: Any = None) -> None:
        """What a sync would leave in the store, as far as writing looks at it."""
        records = self.store.records_by_id
        records[rid(RecordKind.ORGANIZATION, "1")] = Organization(
            id=rid(RecordKind.ORGANIZATION, "1"), country=country, lock_date=lock_date
        )
        for row in self.books.customers.values():
            one = rid(RecordKind.CUSTOMER, row["Id"])
            records[one] = Customer(
                id=one, name=row["DisplayName"], notes=row.get("Notes"), source=_source("Customer", row)
            )
        for row in self.books.invoices.values():
            one = rid(RecordKind.INVOICE, row["Id"])
            records[one] = Invoice(
                id=one, number=row["DocNumber"], customer_id=rid(RecordKind.CUSTOMER, row["CustomerRef"]["value"]),
                issue_date=date(2026, 10, 1), document_status=DocumentStatus.POSTED, source=_source("Invoice", row),
                currency="USD", total=Decimal("500.00"), balance_due=Decimal("500.00"),
            )  # fmt: skip

    def pending(self, command: Command, attempt: int = 1) -> PendingWrite:
        (receipt,) = self.store.record_commands([command])
        row = next(
            row
            for row in self.store.rows
            if row.command.key == command.key and row.command.type == command.type
        )
        return PendingWrite(command, row.key, attempt, None, receipt.record_id)

    def place(self, command: Command, attempt: int = 1) -> Any:
        """Record a command, place it, and keep its placements as a delivery would."""
        write = self.pending(command, attempt)
        placements = self.writer.place(write, self.store.view(CONNECTION))
        row = next(
            row
            for row in self.store.rows
            if row.command.key == command.key and row.command.type == command.type
        )
        row.placements = tuple(placements)
        return placements

    def find(self, command: Command) -> Any:
        return self.writer.find(self.pending(command, 2), self.store.view(CONNECTION))


def company(*, latin1_only: bool = False, options: WriteOptions | None = None) -> Company:
    """Two customers, three invoices of the first and one of the second."""
    books = LittleBooks(latin1_only=latin1_only)
    books.customer("1", "Ring the side door.")
    books.customer("2")
    for number in ("129", "130", "131"):
        books.invoice(number, "1")
    books.invoice("140", "2")
    made = Company(books, MemoryStore(FakeClock()), QuickBooksWriter(books, TENANT, options))
    made.sync(country="US" if latin1_only else "CA")
    return made


def _links(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(one["EntityRef"]["type"], one["EntityRef"]["value"]) for one in row.get("AttachableRef", ())]


def _source(kind: str, row: Mapping[str, Any]) -> Source:
    return Source(
        platform="quickbooks", tenant=TENANT, kind=kind, remote_id=row["Id"], version=row["SyncToken"]
    )


def _answer(document: Mapping[str, Any]) -> Response:
    return Response(200, {"content-type": "application/json"}, json.dumps(document).encode(), None, 0.0)
