"""Which entities are read as whole tables, and how is a table read without missing a row? Windows, pages, ids.

Offset paging over a closed window can still lose rows: a row that changes leaves the window, and the rows behind it move
up past the reader. So every pass counts which rows it saw, and a pass that saw too few is made again (quirks.md#qbo-9).
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

import msgspec

from ar_connectors.connector import Answer, Fetch, Page
from ar_connectors.errors import ContractError, RejectedError, TransientError
from ar_connectors.http.messages import Response
from ar_connectors.quickbooks.client import PAGE_SIZE, QuickBooksClient, quoted
from ar_connectors.quickbooks.context import PLATFORM, Context
from ar_connectors.quickbooks.decode import TableRows, decode_table
from ar_connectors.quickbooks.envelope import open_envelope
from ar_connectors.quickbooks.mapping_settlements import journal_entry_of
from ar_core.model import Adjustment, RecordKind

__all__ = [
    "ACTIVE_AND_NOT",
    "SETTLING",
    "TABLES",
    "Pass",
    "Table",
    "count_in",
    "moving_table",
    "remote_ids",
    "row_ids",
    "table_of",
]

ACTIVE_AND_NOT: Final = "Active IN (true, false)"
"""Without it a query hides inactive customers (quirks.md#qbo-7)."""

SETTLING: Final = timedelta(seconds=5)
"""A window ends this much before the server's time. Times have whole seconds, so what changes in the very second in which a window
ends would stay in it, at another place, and push an unread row to where has been read. The change feed tells those seconds."""


@dataclass(frozen=True, slots=True)
class Table:
    """An entity that is read as a whole once."""

    stream: str
    entity: str
    kinds: tuple[RecordKind, ...]
    """Kinds of record it gives; the first is that of a row."""
    condition: str = ""
    """What every query of it must say."""


TABLES: Final[Mapping[str, Table]] = {
    table.stream: table
    for table in (
        Table("customer", "Customer", (RecordKind.CUSTOMER, RecordKind.CONTACT), ACTIVE_AND_NOT),
        Table("invoice", "Invoice", (RecordKind.INVOICE,)),
        Table("credit_memo", "CreditMemo", (RecordKind.CREDIT_NOTE,)),
        Table("payment", "Payment", (RecordKind.PAYMENT, RecordKind.ALLOCATION)),
        Table("journal_entry", "JournalEntry", (RecordKind.ADJUSTMENT,)),
        # Of all notes and files only ours are asked for: the query language can search in Note (quirks.md#qbo-48).
        Table(
            "attachable",
            "Attachable",
            (RecordKind.PROMISE, RecordKind.DISPUTE),
            "Note LIKE " + quoted("%[AR:%"),
        ),
    )
}
"""By the name of the stream that loads it."""


def table_of(entity: str) -> Table | None:
    """The table of an entity, None when it is not read as one."""
    return next((table for table in TABLES.values() if table.entity == entity), None)


_COUNTED_AT_ONCE: Final = 100_000
"""Ids that are told apart in one set: a larger table is counted part by part, so that memory does not grow with it."""


@dataclass(slots=True)
class Pass:
    """One pass over the rows `start` to `total` of a window, page by page, and which of them were seen.

    A fetch that runs again replaces what it reported before. A page with fewer rows than belong in it spoils the pass: rows
    have moved out of the window, or the answer was not whole, and nobody knows what is missing. Then no page from it on
    says how far the pass has come, so that whoever goes on later begins anew.
    """

    total: int
    start: int = 1
    _seen: dict[int, tuple[array[int], int]] = field(default_factory=dict)
    """By the position of a page: fingerprints of its rows' ids, and how many rows have none."""
    _spoiled_at: int | None = None
    _progress: dict[int, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def progress(self, position: int) -> dict[str, Any]:
        """What a cursor says of the pass once the page at `position` is committed. Pages are read in any order and committed
        in theirs, so what a page before this one turns out to be may still change it until then."""
        with self._lock:
            state: dict[str, Any] = {"total": self.total, "next": position + PAGE_SIZE}
            if self._spoiled_at is not None and position >= self._spoiled_at:
                state.clear()
            self._progress[position] = state
            return state

    def _check(self, page: Page, position: int) -> None:
        if page.rows >= min(PAGE_SIZE, self.total - position + 1):
            return
        with self._lock:
            self._spoiled_at = min(position, self._spoiled_at or position)
            for later, state in self._progress.items():
                if later >= position:
                    state.clear()

    def positions(self) -> range:
        """The 1-based first positions of the pages."""
        return range(self.start, self.total + 1, PAGE_SIZE)

    def fetches(
        self,
        client: QuickBooksClient,
        context: Context,
        table: Table,
        where: str,
        finish: Callable[[Page, int, bool], Page],
    ) -> list[Fetch]:
        """One fetch a page; `finish` gets the decoded page, its position and whether it names journal entries, and returns what is
        committed."""
        return [
            Fetch(
                f"{table.entity} {position}-{min(position + PAGE_SIZE - 1, self.total)} of {self.total}",
                self._reader(client, context, table, where, position, finish),
                min(PAGE_SIZE, self.total - position + 1),
            )
            for position in self.positions()
        ]

    def _reader(
        self,
        client: QuickBooksClient,
        context: Context,
        table: Table,
        where: str,
        position: int,
        finish: Callable[[Page, int, bool], Page],
    ) -> Callable[[], Answer]:
        decode = partial(decode_table, entity=table.entity, context=context, stream=table.stream)

        def seen(page: Page, rows: TableRows) -> Page:
            named = {one for one in rows.ids if one is not None}
            # Eight bytes an id, whatever the size of the company: the ids themselves would be most of what a first load holds.
            self._seen[position] = (array("q", map(hash, named)), max(page.rows - len(named), 0))
            self._check(page, position)
            return finish(page, position, rows.names_entries)

        return lambda: Answer(client.page(table.entity, where, position).body, decode, seen)

    def complete(self) -> bool:
        """True when as many different rows were seen as there are. Two ids with one fingerprint, one chance in a million million
        for a million rows, cost a further pass and never a row."""
        nameless = sum(without for _, without in self._seen.values())
        parts = 1 + self.total // _COUNTED_AT_ONCE
        different = 0
        for part in range(parts):
            different += len({one for ids, _ in self._seen.values() for one in ids if one % parts == part})
        return different + nameless >= self.total - self.start + 1


def row_ids(page: Page) -> frozenset[str]:
    """The platform's ids of the rows of a page, as far as they have one."""
    # Exact types, not isinstance(): that of a pydantic model is slow, and a page is thousands of records.
    ids = {
        journal_entry_of(source.remote_id) if type(record) is Adjustment else source.remote_id
        for record in page.records
        if (source := record.source) is not None
    }
    ids.update(one.source.remote_id for one in page.tombstones)
    ids.update(one.remote_id for one in page.rejected if one.remote_id is not None)
    ids.update(one.remote_id for one in page.out_of_scope if one.remote_id is not None)
    return frozenset(ids)


def moving_table(client: QuickBooksClient, table: Table, passes: int) -> TransientError:
    """The failure of a table that changed in every pass over it."""
    return TransientError(
        f"{table.entity} changes faster than it can be read: {passes} passes all missed rows",
        platform=PLATFORM,
        tenant=client.tenant,
        operation=f"query {table.entity}",
        advice="run again at a quieter time; what was read is kept",
    )


def count_in(answer: Response, client: QuickBooksClient, entity: str) -> int:
    """The number a COUNT(*) query returned. Raises ContractError when there is none."""
    total = open_envelope(answer.body, entity).total_count
    if total is None:
        raise ContractError(
            "a COUNT(*) query was answered without totalCount",
            platform=PLATFORM,
            tenant=client.tenant,
            operation=f"count {entity}",
            request_id=answer.headers.get("intuit_tid"),
            excerpt=answer.body[:200].decode("utf-8", errors="replace"),
        )
    return total


class _Named(msgspec.Struct):
    """Just the id of a row."""

    Id: str


_NAMED: Final = msgspec.json.Decoder(_Named)


def remote_ids(client: QuickBooksClient, table: Table) -> Iterator[list[str]]:
    """The ids of all rows of a table that exist now, a page at a time.

    Only ids are asked for; a server that refuses to leave the rest away is asked for everything (quirks.md#qbo-8). Rows that
    move while this runs may be missed: what seems gone is to be confirmed by asking for it.
    """
    fields, start = "Id", 1
    while True:
        try:
            answer = client.page(table.entity, table.condition, start, fields)
        except RejectedError:
            if fields == "*":
                raise
            fields = "*"
            continue
        rows = open_envelope(answer.body, table.entity).rows
        if not rows:
            return
        try:
            yield [_NAMED.decode(row.raw).Id for row in rows if row.entity == table.entity]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ContractError(
                f"a row of {table.entity} has no readable Id: {error}",
                platform=PLATFORM,
                tenant=client.tenant,
                operation=f"list {table.entity}",
            ) from error
        if len(rows) < PAGE_SIZE:
            return
        start += PAGE_SIZE
