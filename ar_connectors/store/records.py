"""How does a page get into the store? Records, tombstones, raw body, quarantine and cursor in one transaction, under a fence."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ar_connectors.connector import Page
from ar_connectors.store import tables as t
from ar_connectors.store.activity import merge_activity, supersede
from ar_connectors.store.contract import CommitResult, Lease
from ar_connectors.store.engine import CHUNK, Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.leases import check_fence
from ar_connectors.store.quarantine import close_quarantine, set_aside
from ar_connectors.store.rows import Prepared, Stored, Verdict, escape_remote_id, judge, prepare
from ar_core.model import Invoice, Promise, Tombstone

__all__ = ["bury", "commit_page", "put_records", "save_cursor"]

_INSERT = (
    "INSERT INTO records (id, connection_id, kind, alive, source_kind, remote_id, version, updated_at, parent_id, "
    "customer_id, hash, body, due_date, due_version, mapper_version, raw_page, raw_row, evidence, seq, observed_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)"
)
_UPDATE = (
    "UPDATE records SET alive = ?, source_kind = ?, remote_id = ?, version = ?, updated_at = ?, parent_id = ?, "
    "customer_id = ?, hash = ?, body = ?, due_date = ?, due_version = ?, mapper_version = ?, raw_page = ?, raw_row = ?, "
    "evidence = NULL, seq = ?, observed_at = ? WHERE id = ?"
)
_KEEP = (
    "INSERT INTO record_versions (id, seq, connection_id, kind, alive, updated_at, hash, body, due_version, evidence, "
    "observed_at, replaced_at) SELECT id, seq, connection_id, kind, alive, updated_at, hash, body, due_version, evidence, "
    "observed_at, ? FROM records WHERE id = ?"
)
_TOUCH = "UPDATE records SET version = ?, updated_at = ?, raw_page = COALESCE(?, raw_page), raw_row = COALESCE(?, raw_row) WHERE id = ?"


def commit_page(
    database: Database, connection_id: str, page: Page, lease: Lease, now: datetime
) -> CommitResult:
    """One page, one transaction. Raises LeaseLost when the fence is old or the lease has run out."""
    # Serializing and compressing take longer than writing: they are done before the write lock is taken.
    rows = page.row_of
    prepared = [
        prepare(record, page.mapper_version, rows[index] if rows else None)
        for index, record in enumerate(page.records)
    ]
    blob = zlib.compress(page.raw, 1) if page.raw is not None else None
    at = to_micros(now)
    with database.writing() as connection:
        check_fence(connection, lease, now)
        raw_page = None
        if blob is not None and prepared:
            raw_page = connection.execute(
                insert(t.raw_pages)
                .values(
                    connection_id=connection_id,
                    stream=page.stream,
                    kind=page.kind,
                    mapper_version=page.mapper_version,
                    fetched_at=at,
                    body=blob,
                )
                .returning(t.raw_pages.c.id)
            ).scalar_one()
        own = _own_versions(connection, connection_id, prepared)
        counts, changed = put_records(database, connection, connection_id, prepared, at, raw_page, own)
        gone = _by_source(connection, connection_id, page.tombstones)
        gone.update(_left_out(connection, page.replaces, {one.id for one in prepared}))
        buried = bury(database, connection, gone, at)
        quarantined = set_aside(connection, connection_id, page.stream, page.rejected, at)
        close_quarantine(connection, connection_id, prepared)
        if page.cursor is not None:
            save_cursor(connection, connection_id, page.cursor.stream, page.cursor.state, at)
    return CommitResult(
        inserted=counts[Verdict.INSERT],
        updated=counts[Verdict.UPDATE] + counts[Verdict.SILENT_CHANGE],
        unchanged=counts[Verdict.UNCHANGED],
        stale=counts[Verdict.STALE],
        silent_changes=counts[Verdict.SILENT_CHANGE],
        echoes=counts["echo"],
        tombstoned=len(buried),
        quarantined=quarantined,
        changed_ids=(*changed, *buried),
    )


def put_records(
    database: Database,
    connection: Connection,
    connection_id: str,
    prepared: Sequence[Prepared],
    at: int,
    raw_page: int | None = None,
    own: frozenset[tuple[str, str, str]] = frozenset(),
) -> tuple[Counter[str], list[str]]:
    """Write records under the upsert guard; returns counts by verdict (and `echo`) and the ids that changed."""
    known = _stored(connection, [one.id for one in prepared])
    counts: Counter[str] = Counter()
    changed: list[str] = []
    promises: list[Promise] = []
    fresh: dict[str, tuple[Any, ...]] = {}
    moved: dict[str, tuple[Prepared, tuple[Any, ...]]] = {}
    touched: list[tuple[Any, ...]] = []
    for given in prepared:
        one = given
        if one.kind in {"promise", "dispute"}:
            one = merge_activity(connection, one, fresh, moved)
        old = known.get(one.id)
        verdict = judge(one, old)
        is_echo = one.version is not None and (one.source_kind, one.remote_id, one.version) in own
        counts["echo"] += is_echo
        if one.id in fresh or one.id in moved:
            # The same record twice in one page: the later state wins, and it is one record.
            if verdict is Verdict.STALE:
                continue
        else:
            counts[verdict] += 1
        if verdict is Verdict.INSERT:
            fresh[one.id] = _insert_row(one, connection_id, at, raw_page)
        elif verdict in {Verdict.UPDATE, Verdict.SILENT_CHANGE}:
            moved[one.id] = (one, _update_row(one, known[one.id], at, raw_page))
        elif verdict is Verdict.UNCHANGED and raw_page is not None:
            touched.append((one.version, one.updated_at, raw_page, one.raw_row, one.id))
            continue
        else:
            continue
        changed.append(one.id)
        if isinstance(one.record, Promise):
            promises.append(one.record)
    database.many(connection, _INSERT, list(fresh.values()))
    database.many(connection, _KEEP, [(at, record) for record in moved])
    database.many(connection, _UPDATE, [row for _, row in moved.values()])
    database.many(connection, _TOUCH, touched)
    if promises:
        changed += supersede(database, connection, connection_id, promises, at)
    return counts, list(dict.fromkeys(changed))


def bury(database: Database, connection: Connection, gone: dict[str, str], at: int) -> list[str]:
    """Mark live records (id -> evidence) as gone at their source, and what was read from them; returns the ids."""
    if not gone:
        return []
    everything = dict(gone)
    frontier = list(gone)
    while frontier:
        children = {}
        for chunk in _chunks(frontier):
            query = select(t.records.c.id).where(t.records.c.parent_id.in_(chunk), t.records.c.alive)
            children.update(
                {row.id: "set_replaced" for row in connection.execute(query) if row.id not in everything}
            )
        everything.update(children)
        frontier = list(children)
    alive = []
    for chunk in _chunks(list(everything)):
        query = select(t.records.c.id).where(t.records.c.id.in_(chunk), t.records.c.alive)
        alive += [row.id for row in connection.execute(query)]
    alive.sort()
    database.many(connection, _KEEP, [(at, record) for record in alive])
    database.many(
        connection,
        "UPDATE records SET alive = ?, evidence = ?, seq = seq + 1, observed_at = ? WHERE id = ?",
        [(False, everything[record], at, record) for record in alive],
    )
    return alive


def save_cursor(connection: Connection, connection_id: str, stream: str, state: Any, at: int) -> None:
    """Remember how far a stream was read."""
    connection.execute(
        delete(t.cursors).where(t.cursors.c.connection_id == connection_id, t.cursors.c.stream == stream)
    )
    body = json.dumps(dict(state), sort_keys=True, separators=(",", ":")).encode()
    connection.execute(
        insert(t.cursors).values(connection_id=connection_id, stream=stream, state=body, updated_at=at)
    )


def _insert_row(one: Prepared, connection_id: str, at: int, raw_page: int | None) -> tuple[Any, ...]:
    return (
        one.id, connection_id, one.kind, True, one.source_kind, one.remote_id, one.version, one.updated_at, one.parent_id,
        one.customer_id, one.hash, one.body, one.due_date, 0, one.mapper_version, raw_page, one.raw_row, 0, at,
    )  # fmt: skip


def _update_row(one: Prepared, old: Stored, at: int, raw_page: int | None) -> tuple[Any, ...]:
    due_version = old.due_version
    if isinstance(one.record, Invoice) and one.due_date != old.due_date:
        due_version += 1
    return (
        True, one.source_kind, one.remote_id, one.version, one.updated_at, one.parent_id, one.customer_id, one.hash,
        one.body, one.due_date, due_version, one.mapper_version, raw_page, one.raw_row, old.seq + 1, at, one.id,
    )  # fmt: skip


def _stored(connection: Connection, ids: Sequence[str]) -> dict[str, Stored]:
    c = t.records.c
    columns = (
        c.id,
        c.alive,
        c.version,
        c.updated_at,
        c.hash,
        c.mapper_version,
        c.due_date,
        c.due_version,
        c.seq,
    )
    found = {}
    for chunk in _chunks(list(dict.fromkeys(ids))):
        for row in connection.execute(select(*columns).where(c.id.in_(chunk))):
            found[row[0]] = Stored(bool(row[1]), row[2], row[3], bytes(row[4]), *row[5:])
    return found


def _own_versions(
    connection: Connection, connection_id: str, prepared: Sequence[Prepared]
) -> frozenset[tuple[str, str, str]]:
    """(kind, id, version) of our own writes among the sources of a page."""
    p = t.placements.c
    kinds = {one.source_kind for one in prepared if one.source_kind is not None}
    known = select(p.remote_kind).where(p.connection_id == connection_id).distinct()
    ours = kinds & {row[0] for row in connection.execute(known)}
    if not ours:
        return frozenset()
    ids = sorted({one.remote_id for one in prepared if one.source_kind in ours and one.remote_id is not None})
    found: set[tuple[str, str, str]] = set()
    for chunk in _chunks(ids):
        query = select(p.remote_kind, p.remote_id, p.version).where(
            p.connection_id == connection_id, p.remote_id.in_(chunk), p.version.is_not(None)
        )
        found.update((row[0], row[1], row[2]) for row in connection.execute(query))
    return frozenset(found)


def _by_source(connection: Connection, connection_id: str, tombstones: Iterable[Tombstone]) -> dict[str, str]:
    """Live records that a tombstone's source stands for: a stub of a note closes whatever promise was read from it."""
    by_kind: dict[str, dict[str, str]] = {}
    for stub in tombstones:
        by_kind.setdefault(stub.source.kind, {})[escape_remote_id(stub.source.remote_id)] = (
            stub.evidence.value
        )
    r = t.records.c
    gone = {}
    for kind, ids in by_kind.items():
        for chunk in _chunks(list(ids)):
            query = select(r.id, r.remote_id).where(
                r.connection_id == connection_id, r.source_kind == kind, r.remote_id.in_(chunk), r.alive
            )
            gone.update({row.id: ids[row.remote_id] for row in connection.execute(query)})
    return gone


def _left_out(connection: Connection, parents: Sequence[str], present: set[str]) -> dict[str, str]:
    """Live allocations and contacts of these parents that the page no longer has."""
    r = t.records.c
    gone = {}
    for chunk in _chunks(list(parents)):
        query = select(r.id).where(r.parent_id.in_(chunk), r.alive)
        gone.update({row.id: "set_replaced" for row in connection.execute(query) if row.id not in present})
    return gone


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
