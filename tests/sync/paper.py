"""A platform on paper: rows with versions and a journal of changes, and an adapter that reads them. For the engine's own tests:
small enough to be seen through, and every unpleasant thing can be made to happen."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ar_connectors.connector import (
    Capabilities,
    Cursor,
    Fetch,
    Page,
    PendingWrite,
    Placement,
    Record,
    Rejected,
    ReportedBalance,
    StoreView,
    StreamSpec,
    make_connection_id,
)
from ar_connectors.errors import UnsupportedOperation
from ar_core.model import (
    Allocation,
    CreditNote,
    Customer,
    DeletionEvidence,
    DocumentStatus,
    Invoice,
    Organization,
    Payment,
    RecordKind,
    Source,
    Tombstone,
    allocation_id,
    parse_amount,
    record_id,
)

PLATFORM, TENANT = "paper", "1"
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
TABLES = (RecordKind.CUSTOMER, RecordKind.INVOICE, RecordKind.CREDIT_NOTE, RecordKind.PAYMENT)

Row = dict[str, Any]
"""kind, id, version, seq, deleted, and the facts of the kind; amounts as text."""


@dataclass
class PaperErp:
    """The company itself. Thread-safe. `hook` is called with the label of each question before it is answered."""

    page_size: int = 3
    hook: Callable[[str], None] = lambda _: None
    calls: list[str] = field(default_factory=list)
    rows: dict[tuple[RecordKind, str], Row] = field(default_factory=dict)
    hidden: set[tuple[RecordKind, str]] = field(default_factory=set)
    """Rows that vanished without a word: in no answer any more, and no change tells."""
    in_flight: int = 0
    most_in_flight: int = 0
    mapper_version: int = 1
    lenient: bool = False
    """A mapper that reads `1.234,50` too."""
    reported: list[ReportedBalance] = field(default_factory=list)
    _seq: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, kind: RecordKind, number: str, **facts: Any) -> None:
        """Make a row, or change some facts of it."""
        with self._lock:
            self._seq += 1
            old = self.rows.get((kind, number), {"version": 0})
            self.rows[kind, number] = {
                **old,
                **facts,
                "kind": kind.value,
                "id": number,
                "version": old["version"] + 1,
                "seq": self._seq,
                "deleted": False,
            }

    def customer(self, number: str, name: str | None = None) -> None:
        self.put(RecordKind.CUSTOMER, number, name=name or f"Customer {number}")

    def invoice(
        self, number: str, customer: str = "1", total: str = "100.00", balance: str | None = None
    ) -> None:
        self.put(RecordKind.INVOICE, number, customer=customer, total=total, balance=balance or total)

    def credit(self, number: str, customer: str = "1", total: str = "10.00") -> None:
        self.put(RecordKind.CREDIT_NOTE, number, customer=customer, total=total, balance=total)

    def pay(self, number: str, invoice: str, amount: str, customer: str = "1") -> None:
        """A payment on one invoice, whose balance falls."""
        with self._lock:
            row = self.rows[RecordKind.INVOICE, invoice]
            left = parse_amount(row["balance"]) - parse_amount(amount)
            self.put(RecordKind.INVOICE, invoice, balance=str(left))
            self.put(
                RecordKind.PAYMENT, number, customer=customer, total=amount, balance="0.00", invoice=invoice
            )

    def delete(self, kind: RecordKind, number: str) -> None:
        """Delete a row and tell it."""
        with self._lock:
            self.put(kind, number)
            self.rows[kind, number]["deleted"] = True

    def vanish(self, kind: RecordKind, number: str) -> None:
        """Delete a row and tell nobody."""
        self.hidden.add((kind, number))

    def truth(self) -> dict[str, tuple[str, str]]:
        """What a complete copy holds: record id -> (version, facts that matter)."""
        return {
            record_id(PLATFORM, TENANT, kind, number): (
                str(row["version"]),
                str(row["balance"] if "balance" in row else row["name"]),
            )
            for (kind, number), row in self.rows.items()
            if not row["deleted"] and (kind, number) not in self.hidden
        }

    # ---- what its API answers

    def ask(self, label: str, choose: Callable[[Row], bool]) -> bytes:
        """The rows that a question chooses, as a body."""
        with self._lock:
            self.calls.append(label)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            self.hook(label)
            with self._lock:
                chosen = [
                    row for key, row in sorted(self.rows.items()) if key not in self.hidden and choose(row)
                ]
                return json.dumps(chosen).encode()
        finally:
            with self._lock:
                self.in_flight -= 1

    def newest(self) -> int:
        with self._lock:
            return self._seq


class PaperConnector:
    """The adapter of a PaperErp."""

    platform = PLATFORM
    tenant = TENANT
    capabilities = Capabilities(PLATFORM, reads={}, facts={}, commands={})

    def __init__(self, erp: PaperErp) -> None:
        self.erp = erp
        self.page_type: type[Page] = Page

    @property
    def id(self) -> str:
        return make_connection_id(PLATFORM, TENANT)

    def streams(self) -> Sequence[StreamSpec]:
        names = tuple(kind.value for kind in TABLES)
        return (
            StreamSpec("books", (RecordKind.ORGANIZATION,)),
            *(StreamSpec(kind.value, (kind,), after=("books",)) for kind in TABLES),
            StreamSpec("changes", TABLES, after=("books", *names)),
        )

    def pull(self, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        if stream == "books":
            if view.cursor("books") is None:
                yield [Fetch("books", self._books)]
        elif stream == "changes":
            yield from self._changes(view)
        else:
            yield from self._table(RecordKind(stream), view)

    def _books(self) -> Page:
        upper = self.erp.newest()
        body = self.erp.ask("books", lambda _: False)
        organization = Organization(
            id=record_id(PLATFORM, TENANT, RecordKind.ORGANIZATION, TENANT), name="Paper", base_currency="USD"
        )
        cursor = Cursor("books", {"upper": upper})
        return self.page_type((organization,), stream="books", rows=1, row_of=(0,), raw=body, cursor=cursor)

    def _table(self, kind: RecordKind, view: StoreView) -> Iterator[Sequence[Fetch]]:
        books, cursor = view.cursor("books"), view.cursor(kind.value)
        assert books is not None
        state = dict(cursor.state) if cursor is not None else {}
        if state.get("done"):
            return
        upper = books.state["upper"]
        if "ids" not in state:
            listed = json.loads(
                self.erp.ask(f"count {kind}", lambda row: row["kind"] == kind and row["seq"] <= upper)
            )
            state = {"ids": [row["id"] for row in listed], "next": 0}
        ids, size = state["ids"], self.erp.page_size
        yield [
            Fetch(f"{kind} {start}", self._reader(kind, ids, start, size))
            for start in range(state["next"], len(ids), size)
        ]
        done = self.page_type(stream=kind.value, cursor=Cursor(kind.value, {"done": True}))
        yield [Fetch(f"{kind} done", lambda: done)]

    def _reader(self, kind: RecordKind, ids: list[str], start: int, size: int) -> Callable[[], Page]:
        wanted = set(ids[start : start + size])

        def read() -> Page:
            body = self.erp.ask(
                f"{kind} {start}",
                lambda row: row["kind"] == kind and row["id"] in wanted and not row["deleted"],
            )
            return self._page(body, kind.value, Cursor(kind.value, {"ids": ids, "next": start + size}))

        return read

    def _changes(self, view: StoreView) -> Iterator[Sequence[Fetch]]:
        while True:
            cursor, books = view.cursor("changes"), view.cursor("books")
            assert books is not None
            since = cursor.state["seq"] if cursor is not None else books.state["upper"]
            more = threading.Event()

            def read(since: int = since, more: threading.Event = more) -> Page:
                body = self.erp.ask(f"changes {since}", lambda row: row["seq"] > since)
                rows = sorted(json.loads(body), key=lambda row: int(row["seq"]))[: self.erp.page_size]
                if rows:
                    more.set()
                last = rows[-1]["seq"] if rows else since
                return self._page(json.dumps(rows).encode(), "changes", Cursor("changes", {"seq": last}))

            yield [Fetch(f"changes {since}", read)]
            if not more.is_set():
                return

    def list_ids(self, kind: RecordKind) -> Iterator[Sequence[str]]:
        if kind not in TABLES:
            raise UnsupportedOperation(f"{kind} is not listed")
        rows = json.loads(
            self.erp.ask(f"list {kind}", lambda row: row["kind"] == kind and not row["deleted"])
        )
        yield [record_id(PLATFORM, TENANT, kind, row["id"]) for row in rows]

    def read(self, kind: RecordKind, record_ids: Sequence[str]) -> Page:
        wanted = {one.rsplit(":", 1)[1] for one in record_ids}
        body = self.erp.ask(
            f"read {kind}", lambda row: row["kind"] == kind and row["id"] in wanted and not row["deleted"]
        )
        page = self._page(body, "", None)
        there = {json_row["id"] for json_row in json.loads(body)}
        missing = [self._tombstone(kind, one, DeletionEvidence.NOT_FOUND) for one in sorted(wanted - there)]
        return self.page_type(
            page.records, missing, page.rejected, rows=page.rows, row_of=page.row_of, raw=body
        )

    def remap(self, kind: str, raw: bytes) -> Page:  # noqa: ARG002  rows on paper name their kind
        body = raw if raw.startswith(b"[") else b"[" + raw + b"]"
        return self._page(body, "", None)

    def reported_balances(self) -> Sequence[ReportedBalance]:
        return self.erp.reported

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:  # noqa: ARG002
        raise UnsupportedOperation("paper takes no writes")

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:  # noqa: ARG002
        raise UnsupportedOperation("paper takes no writes")

    # ---- mapping

    def _page(self, body: bytes, stream: str, cursor: Cursor | None) -> Page:
        records: list[Record] = []
        row_of: list[int] = []
        tombstones, rejected, replaces = [], [], []
        rows = json.loads(body)
        for number, row in enumerate(rows):
            if row["deleted"]:
                tombstones.append(
                    self._tombstone(RecordKind(row["kind"]), row["id"], DeletionEvidence.REPORTED_DELETED)
                )
                continue
            try:
                mapped = self._map(row)
            except ValueError as error:
                raw = json.dumps(row).encode()
                rejected.append(Rejected(row["kind"], row["id"], "bad_number", str(error), raw, number))
                continue
            records += mapped
            row_of += [number] * len(mapped)
            if row["kind"] == RecordKind.PAYMENT:
                replaces.append(mapped[0].id)
        return self.page_type(
            records,
            tombstones,
            rejected,
            stream=stream,
            rows=len(rows),
            row_of=row_of,
            replaces=replaces,
            raw=body,
            cursor=cursor,
            mapper_version=self.erp.mapper_version,
        )

    def _map(self, row: Row) -> list[Record]:
        kind = RecordKind(row["kind"])
        number = row["id"]
        source = self._source(kind, number, str(row["version"]))
        identity = record_id(PLATFORM, TENANT, kind, number)
        if kind is RecordKind.CUSTOMER:
            name = row["name"] if self.erp.mapper_version == 1 else row["name"].upper()
            return [Customer(id=identity, source=source, name=name, currency="USD")]
        customer = record_id(PLATFORM, TENANT, RecordKind.CUSTOMER, row["customer"])
        header: dict[str, Any] = {
            "id": identity,
            "source": source,
            "customer_id": customer,
            "currency": "USD",
            "total": self._amount(row["total"]),
            "document_status": DocumentStatus.POSTED,
        }
        balance = self._amount(row["balance"])
        if kind is RecordKind.INVOICE:
            return [Invoice(**header, due_date=date(2026, 10, 1), balance_due=balance)]
        if kind is RecordKind.CREDIT_NOTE:
            return [CreditNote(**header, unapplied_amount=balance)]
        target = record_id(PLATFORM, TENANT, RecordKind.INVOICE, row["invoice"])
        allocation = Allocation(
            id=allocation_id(identity, target, 0),
            parent_id=identity,
            source=source,
            source_id=identity,
            target_id=target,
            amount=header["total"],
            target_amount=header["total"],
            currency="USD",
            target_currency="USD",
        )
        return [Payment(**header, unapplied_amount=balance), allocation]

    def _amount(self, text: str) -> Decimal:
        if self.erp.lenient and "," in text:
            text = text.replace(".", "").replace(",", ".")
        return parse_amount(text)

    @staticmethod
    def _source(kind: RecordKind, number: str, version: str | None = None) -> Source:
        return Source(platform=PLATFORM, tenant=TENANT, kind=kind.value, remote_id=number, version=version)

    def _tombstone(self, kind: RecordKind, number: str, evidence: DeletionEvidence) -> Tombstone:
        identity = record_id(PLATFORM, TENANT, kind, number)
        return Tombstone(id=identity, kind=kind, source=self._source(kind, number), evidence=evidence)


class Ticks:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
