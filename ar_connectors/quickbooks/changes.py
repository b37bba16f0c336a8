"""What happened since the last reading? The change feed (CDC), and what stands in for it where it cannot be used.

One call tells all changes, up to 1000 objects and 30 days back; a full answer is not told from a cut one, so from 1000 on
each entity is asked for alone, and an entity that is still full, or a longer absence, is read in windows of its own, with
a comparison of ids for the deletions that windows cannot show (quirks.md#qbo-22).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.errors import ContractError
from ar_connectors.http.messages import Response
from ar_connectors.quickbooks.client import QuickBooksClient, quoted, timestamp
from ar_connectors.quickbooks.company import Company, company_of, read_company, with_changes
from ar_connectors.quickbooks.context import ENTITY_KINDS, PLATFORM, Context, Mapper
from ar_connectors.quickbooks.decode import decode_rows
from ar_connectors.quickbooks.entries import stray_payments
from ar_connectors.quickbooks.envelope import Envelope, open_envelope
from ar_connectors.quickbooks.mapping import tombstone
from ar_connectors.quickbooks.mapping_settlements import journal_entry_of
from ar_connectors.quickbooks.settle import merge, read_again, settle
from ar_connectors.quickbooks.tables import (
    SETTLING,
    TABLES,
    Pass,
    Table,
    count_in,
    moving_table,
    remote_ids,
    row_ids,
)
from ar_connectors.quickbooks.wire import Entity
from ar_core.model import DeletionEvidence, RecordKind, parse_record_id

__all__ = ["CHANGES", "ENTITIES", "pull_changes"]

CHANGES: Final = "changes"

ENTITIES: Final = (*(table.entity for table in TABLES.values()), "Term", "Account")
"""What the feed is asked for, all in one call."""

OVERLAP: Final = timedelta(seconds=120)
"""Subtracted from the watermark in the question, never from the stored one: the server's `time` is when it began."""

LOOK_BACK: Final = timedelta(days=29)
"""How old a watermark may be for the feed; a day less than the documented 30, for the clocks."""

CAP: Final = 1000
"""So many objects may be all, or the first of more."""

_MAX_PASSES: Final = 4


@dataclass(slots=True)
class _Reading:
    """What a reading of the feed found out beyond its page."""

    upper: datetime | None = None
    """The server's time when it began: the next watermark."""
    capped: tuple[str, ...] = ()
    """Entities that must be read in windows."""
    gone: tuple[str, ...] = ()
    company: Company | None = None
    state: dict[str, Any] = field(default_factory=dict)


def pull_changes(
    client: QuickBooksClient, clock: Clock, company: Company, view: StoreView
) -> Iterator[Sequence[Fetch]]:
    """What to ask next for the stream `changes`. The cursor moves with the last page only: whatever fails before is read
    again, and rows that the store has already touch nothing a second time."""
    cursor = view.cursor(CHANGES)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    watermark = datetime.fromisoformat(state["watermark"]) if "watermark" in state else company.started_at
    since = watermark - OVERLAP
    reading = _Reading(state=state)
    if clock.now() - since > LOOK_BACK:
        yield [Fetch("reference data", lambda: _fresh_company(client, company, clock, reading))]
        reading.capped = tuple(table.entity for table in TABLES.values())
    else:
        yield [
            Fetch(
                f"changes since {timestamp(since)}", lambda: _read_feed(client, company, view, since, reading)
            )
        ]
    if not reading.capped:
        return
    if reading.upper is None:
        raise _no_time(client)
    context = (reading.company or company).context(client.tenant)
    for table in TABLES.values():
        if table.entity in reading.capped:
            yield from _window(client, context, table, view, since, reading.upper - SETTLING)
            yield [Fetch(f"{table.entity} deletions", _sweeper(client, context, table, view))]
    yield [Fetch("changes complete", lambda: Page(stream=CHANGES, cursor=_cursor(reading)))]


def _cursor(reading: _Reading) -> Cursor:
    if reading.upper is None:
        raise ValueError("a reading of the feed ended without the server's time")
    state: dict[str, Any] = {"watermark": reading.upper.isoformat(), "gone": list(reading.gone)}
    if reading.company is not None:
        state["company"] = reading.company.to_json()
    elif "company" in reading.state:
        state["company"] = reading.state["company"]
    return Cursor(CHANGES, state)


def _read_feed(
    client: QuickBooksClient, company: Company, view: StoreView, since: datetime, reading: _Reading
) -> Page:
    """One reading of the feed with all that it touches, as one page; with the cursor when nothing was cut off."""
    answer = client.changes(ENTITIES, since)
    envelope = open_envelope(answer.body, None)
    reading.upper = _server_time(client, envelope, answer)
    reading.capped = ()
    parts = [(envelope, answer.body)]
    if len(envelope.rows) >= CAP:
        parts, capped = [], []
        for entity in ENTITIES:
            answer = client.changes((entity,), since)
            one = open_envelope(answer.body, None)
            if len(one.rows) >= CAP and entity in {table.entity for table in TABLES.values()}:
                capped.append(entity)
            else:
                parts.append((one, answer.body))
        reading.capped = tuple(capped)
    rows = [row for part, _ in parts for row in part.rows]
    reading.company = None
    if any(row.entity in {"Term", "Account"} for row in rows):
        newer, _ = with_changes(company, client.tenant, rows)
        reading.company = replace(newer, read_at=max(reading.upper, company.read_at))
    context = (reading.company or company).context(client.tenant)
    pages = [decode_rows(part, context, stream=CHANGES, raw=body) for part, body in parts]
    page = merge(pages, CHANGES) if pages else Page(stream=CHANGES)
    # After a first load, payments of parents for entries of their children have yet to find those.
    strays = stray_payments(view) if not reading.state else ()
    settled = settle(client, context, view, page, reading.state.get("gone", ()), strays, since + OVERLAP)
    reading.gone = settled.gone
    return settled.page if reading.capped else replace(settled.page, cursor=_cursor(reading))


def _server_time(client: QuickBooksClient, envelope: Envelope, answer: Response) -> datetime:
    told = envelope.server_time or answer.server_date
    if told is None:
        raise _no_time(client)
    return told.replace(microsecond=0)


def _no_time(client: QuickBooksClient) -> ContractError:
    return ContractError(
        "the change feed does not tell the server's time, so it is not known how far it reaches",
        platform=PLATFORM,
        tenant=client.tenant,
        operation="changes",
    )


# ---- without the feed


def _fresh_company(client: QuickBooksClient, company: Company, clock: Clock, reading: _Reading) -> Page:
    """Settings, terms and accounts anew; its server time is where the windows end."""
    page = read_company(client, company.started_at, clock.now())
    reading.upper = page.server_time
    reading.company = company_of(page.cursor)
    return replace(page, stream=CHANGES, cursor=None)


def _window(
    client: QuickBooksClient,
    context: Context,
    table: Table,
    view: StoreView,
    since: datetime,
    upper: datetime,
) -> Iterator[Sequence[Fetch]]:
    """Everything of an entity that changed between two instants, with all that it touches."""
    where = f"MetaData.LastUpdatedTime >= {quoted(timestamp(since))} AND MetaData.LastUpdatedTime <= {quoted(timestamp(upper))}"
    if table.condition:
        where = f"{table.condition} AND {where}"

    def finish(page: Page, *_: object) -> Page:  # the windows of the feed keep no position
        return settle(client, context, view, replace(page, stream=CHANGES), before=since + OVERLAP).page

    for _ in range(_MAX_PASSES):
        total = count_in(client.count(table.entity, where), client, table.entity)
        reading = Pass(total)
        fetches = reading.fetches(client, context, table, where, finish)
        if fetches:
            # Settling looks at every record, so each page is decoded where that is done.
            yield [replace(one, ask=one.run) for one in fetches]
        if reading.complete():
            return
    raise moving_table(client, table, _MAX_PASSES)


def _sweeper(client: QuickBooksClient, context: Context, table: Table, view: StoreView) -> Any:
    """A fetch that finds the deletions of an entity: ids the store has and the company has not, each asked for once more."""

    def sweep() -> Page:
        kind = ENTITY_KINDS[table.entity]
        if kind is RecordKind.NOTE:
            return Page(stream=CHANGES)
        held = _held(view, kind)
        if not held:
            return Page(stream=CHANGES)
        for ids in remote_ids(client, table):
            held.difference_update(ids)
        answers = list(read_again(client, context, table.entity, held))
        for answer in answers:
            held.difference_update(row_ids(answer))
        mapper = Mapper(context)
        dead = [
            tombstone(mapper, table.entity, Entity(id=one), DeletionEvidence.MISSING_IN_SWEEP)
            for one in sorted(held)
        ]
        page = settle(
            client,
            context,
            view,
            Page(stream=CHANGES, tombstones=dead),
            {f"{table.entity}:{one}" for one in held},
        ).page
        return merge([page, *answers], CHANGES) if answers else page

    return sweep


def _held(view: StoreView, kind: RecordKind) -> set[str]:
    """Remote ids of a kind that the store has; for adjustments those of their journal entries."""
    found = set()
    for identity in view.live_ids(kind):
        parts = parse_record_id(identity)
        if parts is not None:
            found.add(journal_entry_of(parts.remote_id) if kind is RecordKind.ADJUSTMENT else parts.remote_id)
    return found
