"""How does a page get into the store? Records, tombstones, raw body, quarantine and cursor in one transaction, under a fence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from ar_connectors.clock import Clock
from ar_connectors.connector import Page
from ar_connectors.store import tables as t
from ar_connectors.store.contract import CommitResult, Lease, StagedPage
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.leases import check_fence
from ar_connectors.store.lookups import by_source, stored, unnamed_children_of
from ar_connectors.store.places import ALLOCATION, head_of
from ar_connectors.store.quarantine import close_quarantine, set_aside
from ar_connectors.store.records import Reading, bury, judge_all, write
from ar_connectors.store.rows import Stored, Verdict, escaped
from ar_connectors.store.staging import stage_page
from ar_core.model import DeletionEvidence, Tombstone

__all__ = ["commit_page", "records_turn", "reset_stream"]

_OWN = "SELECT remote_kind, remote_id, version FROM placements WHERE remote_id AMONG AND connection_id = ? AND version IS NOT NULL"


def records_turn(connection_id: str) -> str:
    """Who writes records of a connection takes this turn first: two streams may bring the same record."""
    return f"ar-records:{connection_id}"


def commit_page(
    database: Database, connection_id: str, given: Page | StagedPage, lease: Lease, clock: Clock
) -> CommitResult:
    """One page, one transaction. Raises LeaseLost when the fence is old or the lease has run out."""
    staged = given if isinstance(given, StagedPage) else stage_page(given)
    page, prepared, blob = staged.page, staged.prepared, staged.blob
    # A page that goes with the power goes with its cursor, and is read again: no need to wait for the disk. Everything that must
    # not be forgotten (commands, tokens) is written durably, and makes all that came before it durable too.
    with database.writing(durable=False) as connection:
        database.take_turn(connection, records_turn(connection_id))
        at = to_micros(check_fence(connection, lease, clock))
        known = stored(database, connection, connection_id, prepared, page.replaces)
        judged = judge_all(prepared, known, page.mapper_version)
        raw_page = None
        if blob is not None and judged.changes_anything:
            # A page that changed nothing is not kept: every record still comes from the body it was first read from.
            raw_page = _keep_body(connection, connection_id, page, blob, at)
        echoes = _echoes(database, connection, connection_id, page, judged.verdicts)
        current = [one for one in page.replaces if judged.verdicts.get(one) is not Verdict.STALE]
        left_out = _left_out(database, connection, connection_id, current, known, judged.verdicts)
        reading = Reading(at, page.mapper_version, raw_page)
        changed = write(database, connection, connection_id, judged, reading)
        gone = _by_source(database, connection, connection_id, page.tombstones) | left_out
        buried = bury(database, connection, connection_id, gone, at)
        quarantined = set_aside(connection, connection_id, page.stream, page.rejected, at)
        close_quarantine(connection, connection_id, _well_read(page))
        if page.cursor is not None:
            _save_cursor(database, connection, connection_id, page.cursor.stream, page.cursor.state, at)
    database.page_written()
    counts = judged.counts
    return CommitResult(
        inserted=counts[Verdict.INSERT],
        updated=counts[Verdict.UPDATE] + counts[Verdict.SILENT_CHANGE],
        unchanged=counts[Verdict.UNCHANGED],
        stale=counts[Verdict.STALE],
        silent_changes=counts[Verdict.SILENT_CHANGE],
        echoes=echoes,
        tombstoned=len(buried),
        quarantined=quarantined,
        changed_ids=tuple(dict.fromkeys((*changed, *buried))),
    )


def reset_stream(database: Database, connection_id: str, stream: str, lease: Lease, clock: Clock) -> None:
    """Forget how far a stream was read; records stay. Raises LeaseLost."""
    with database.writing() as connection:
        check_fence(connection, lease, clock)
        connection.execute(_FORGET_CURSOR, {"its_connection": connection_id, "its_stream": stream})


_KEEP_BODY = insert(t.raw_pages).returning(t.raw_pages.c.id)


def _keep_body(connection: Connection, connection_id: str, page: Page, blob: bytes, at: int) -> int:
    values = {
        "connection_id": connection_id,
        "stream": page.stream,
        "kind": page.kind,
        "mapper_version": page.mapper_version,
        "fetched_at": at,
        "body": blob,
    }
    return int(connection.execute(_KEEP_BODY, values).scalar_one())


_FORGET_CURSOR = delete(t.cursors).where(
    t.cursors.c.connection_id == bindparam("its_connection"), t.cursors.c.stream == bindparam("its_stream")
)
_SAVE_CURSOR = (
    "INSERT INTO cursors (connection_id, stream, state, updated_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (connection_id, stream) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at"
)


def _save_cursor(
    database: Database,
    connection: Connection,
    connection_id: str,
    stream: str,
    state: Mapping[str, Any],
    at: int,
) -> None:
    body = json.dumps(dict(state), sort_keys=True, separators=(",", ":")).encode()
    database.many(connection, _SAVE_CURSOR, [(connection_id, stream, body, at)])


def _well_read(page: Page) -> Iterable[tuple[str, str]]:
    """(kind, remote id), as the platform names them, of all rows of a page that were understood."""
    for record in page.records:
        source = record.source
        if source is not None:
            yield source.kind, source.remote_id
    for stub in page.tombstones:
        yield stub.source.kind, stub.source.remote_id
    for other in page.out_of_scope:
        if other.remote_id is not None:
            yield other.kind, other.remote_id


_PLACED_KINDS = (
    select(t.placements.c.remote_kind)
    .where(t.placements.c.connection_id == bindparam("its_connection"))
    .distinct()
)


def _echoes(
    database: Database,
    connection: Connection,
    connection_id: str,
    page: Page,
    verdicts: Mapping[str, Verdict],
) -> int:
    """How many records of a page are our own writes coming back, by (kind, id, version) of what we placed."""
    kinds = {row[0] for row in connection.execute(_PLACED_KINDS, {"its_connection": connection_id})}
    if not kinds:
        return 0
    mine = {
        one.id: (escaped(source.kind), escaped(source.remote_id), escaped(source.version))
        for one in page.records
        if (source := one.source) is not None
        and source.version is not None
        and escaped(source.kind) in kinds
        and verdicts[one.id] is not Verdict.STALE
    }
    places = {remote_id for _, remote_id, _ in mine.values()}
    placed = {tuple(row) for row in database.among(connection, _OWN, list(places), connection_id)}
    return sum(place in placed for place in mine.values())


def _by_source(
    database: Database, connection: Connection, connection_id: str, tombstones: Iterable[Tombstone]
) -> dict[str, str]:
    """Live records that a tombstone's source stands for, id -> evidence: a stub of a note closes whatever promise was read from it."""
    sources = {(stub.source.kind, stub.source.remote_id): stub for stub in tombstones}
    found = by_source(database, connection, connection_id, [stub.source for stub in sources.values()])
    return {
        one.id: sources[one.record.source.kind, one.record.source.remote_id].evidence.value
        for one in found
        if one.gone is None
    }


def _left_out(
    database: Database,
    connection: Connection,
    connection_id: str,
    parents: Sequence[str],
    known: Mapping[str, Stored],
    present: Mapping[str, Verdict],
) -> dict[str, str]:
    """Live allocations and contacts (and native promises) of these parents that the page no longer has; asked before its own are
    written. `known`: what is stored at the keys of the page."""
    if not parents:
        return {}
    wanted = frozenset(parents)
    children = unnamed_children_of(database, connection, connection_id, wanted)
    children += [one for one in known.values() if one.kind == ALLOCATION and head_of(one.id) in wanted]
    replaced = DeletionEvidence.SET_REPLACED.value
    return {one.id: replaced for one in children if one.gone is None and one.id not in present}
