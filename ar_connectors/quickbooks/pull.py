"""In what order is a company read? First every table once, in closed windows; then only what changed.

The tables of a first load are counted (one call), then read a thousand rows at a time, all pages of a table in one batch
that may run in parallel. The window ends where the load began, so nothing new gets in; what changes meanwhile comes with
the change feed, which starts before the load did.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Cursor, Fetch, Page, StoreView, StreamSpec
from ar_connectors.errors import UnsupportedOperation
from ar_connectors.quickbooks.changes import CHANGES, pull_changes
from ar_connectors.quickbooks.client import QuickBooksClient, quoted, timestamp
from ar_connectors.quickbooks.company import (
    MAX_AGE,
    REFERENCE,
    Company,
    company_of,
    missing_reference,
    read_company,
)
from ar_connectors.quickbooks.context import PLATFORM
from ar_connectors.quickbooks.entries import with_entries_found
from ar_connectors.quickbooks.tables import SETTLING, TABLES, Pass, Table, count_in, moving_table
from ar_core.model import RecordKind

__all__ = ["STREAMS", "current_company", "pull"]

_MAX_PASSES: Final = 4
"""How often a table that moves under the reading is read before the run gives up, for now."""

_AFTER: Final = {
    "payment": (),
    "journal_entry": (),
    "attachable": (),
    "credit_memo": ("payment",),
    "invoice": ("payment", "credit_memo", "journal_entry"),
    "customer": ("invoice", "payment", "credit_memo", "journal_entry"),
}
"""What settles is read before what it settles, and all of it before the customers, whose balance it makes. Otherwise a payment
that is deleted between the two readings would leave no trace: its invoice would be held as it was, and a stub of a payment that
was never seen does not say what it had settled (quirks.md#qbo-23)."""

STREAMS: Final[tuple[StreamSpec, ...]] = (
    StreamSpec(REFERENCE, (RecordKind.ORGANIZATION,)),
    *(StreamSpec(name, TABLES[name].kinds, after=(REFERENCE, *before)) for name, before in _AFTER.items()),
    StreamSpec(
        CHANGES,
        tuple(dict.fromkeys(kind for table in TABLES.values() for kind in table.kinds)),
        after=(REFERENCE, *TABLES),
    ),
)
"""All streams, in reading order."""


def pull(client: QuickBooksClient, clock: Clock, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
    """What to ask next for a stream; see `Connector.pull`. Raises UnsupportedOperation for a stream there is not."""
    if stream == REFERENCE:
        yield from _reference(client, clock, view)
    elif stream == CHANGES:
        yield from pull_changes(client, clock, _known_company(client, view, stream), view)
    elif stream in TABLES:
        yield from _first_load(client, _known_company(client, view, stream), TABLES[stream], view)
    else:
        raise UnsupportedOperation(
            f"there is no stream {stream!r}",
            platform=PLATFORM,
            tenant=client.tenant,
            operation="pull",
            advice="the streams are " + ", ".join(spec.name for spec in STREAMS),
        )


def current_company(view: StoreView) -> Company | None:
    """The newest facts of the company: those of `reference`, unless the change feed has newer ones."""
    reference, changed = company_of(view.cursor(REFERENCE)), company_of(view.cursor(CHANGES))
    if reference is None or changed is None:
        return reference
    return changed if changed.read_at >= reference.read_at else reference


def _known_company(client: QuickBooksClient, view: StoreView, stream: str) -> Company:
    company = current_company(view)
    if company is None:
        raise missing_reference(client.tenant, stream)
    return company


def _reference(client: QuickBooksClient, clock: Clock, view: StoreView) -> Iterator[Sequence[Fetch]]:
    known = company_of(view.cursor(REFERENCE))
    now = clock.now()
    if known is not None and now - known.read_at <= MAX_AGE:
        return
    started_at = known.started_at if known is not None else None
    yield [Fetch("reference data", lambda: read_company(client, started_at, now))]


def _first_load(
    client: QuickBooksClient, company: Company, table: Table, view: StoreView
) -> Iterator[Sequence[Fetch]]:
    """Read a table once. Its cursor says up to which position pages are committed, so a crash costs the page it hit."""
    cursor = view.cursor(table.stream)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    if state.get("done"):
        return
    context = company.context(client.tenant)
    upper = datetime.fromisoformat(state["upper"]) if "upper" in state else company.started_at - SETTLING
    where = f"MetaData.LastUpdatedTime <= {quoted(timestamp(upper))}"
    if table.condition:
        where = f"{table.condition} AND {where}"
    total, start = state.get("total"), int(state.get("next", 1))
    if total is not None and start > total:
        # The run before died behind its last page, and what it had seen died with it. Rows only ever leave the window: if as many
        # are in it as then, none was missed.
        left = count_in(client.count(table.entity, where), client, table.entity)
        if left != total:
            total, start = left, 1
    for _ in range(_MAX_PASSES):
        if total is None:
            total = count_in(client.count(table.entity, where), client, table.entity)
        reading = Pass(total, start)
        fetches = reading.fetches(client, context, table, where, _finisher(table, upper, reading, view))
        if fetches:
            yield fetches
        if reading.complete():
            state = {"upper": upper.isoformat(), "total": total, "done": True}
            done = Page(stream=table.stream, kind=table.entity, cursor=Cursor(table.stream, state))
            yield [Fetch(f"{table.entity} complete", _constant(done))]
            return
        total, start = None, 1
    raise moving_table(client, table, _MAX_PASSES)


def _finisher(
    table: Table, upper: datetime, reading: Pass, view: StoreView
) -> Callable[[Page, int, bool], Page]:
    def finish(page: Page, position: int, names_entries: bool) -> Page:
        if names_entries:
            # In a full run the store has what they name; in a first load the change feed's turn comes after it.
            page = with_entries_found(page, view)
        state = reading.progress(position)
        # A chain, so that what is learned of the pages before this one is in it when it is committed.
        return replace(page, cursor=Cursor(table.stream, ChainMap(state, {"upper": upper.isoformat()})))

    return finish


def _constant(page: Page) -> Callable[[], Page]:
    return lambda: page
