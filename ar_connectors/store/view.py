"""What may an adapter look up? Live records, cursors and placements of one connection, read-only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from ar_connectors.connector import Cursor, Fact, Placement
from ar_connectors.store import tables as t
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import CHUNK, Database
from ar_core.model import Allocation, RecordKind

__all__ = ["View", "placement_from_json", "placement_to_json", "read_record"]

_BATCH = 5000


class View:
    """Implements `ar_connectors.connector.StoreView`."""

    def __init__(self, database: Database, connection_id: str) -> None:
        self._database = database
        self._connection_id = connection_id

    def cursor(self, stream: str) -> Cursor | None:
        """The stored cursor of a stream."""
        c = t.cursors.c
        with self._database.reading() as connection:
            state = connection.execute(
                select(c.state).where(c.connection_id == self._connection_id, c.stream == stream)
            ).scalar()
        return Cursor(stream, json.loads(bytes(state))) if state is not None else None

    def record(self, record_id: str) -> Any | None:
        """A live record by id, or None."""
        return self.records([record_id]).get(record_id)

    def records(self, record_ids: Iterable[str]) -> dict[str, Any]:
        """Live records by id; missing ones are left out."""
        r = t.records.c
        wanted = list(dict.fromkeys(record_ids))
        found = {}
        with self._database.reading() as connection:
            for start in range(0, len(wanted), CHUNK):
                query = select(r.id, r.kind, r.body, r.due_version).where(
                    r.connection_id == self._connection_id, r.id.in_(wanted[start : start + CHUNK]), r.alive
                )
                for row in connection.execute(query):
                    found[row.id] = read_record(row.kind, bytes(row.body), row.due_version)
        return found

    def live_ids(self, kind: RecordKind) -> Iterator[str]:
        """Ids of all live records of a kind that came from the platform, ascending."""
        r = t.records.c
        last = ""
        while True:
            query = (
                select(r.id)
                .where(
                    r.connection_id == self._connection_id,
                    r.kind == kind.value,
                    r.alive,
                    r.source_kind.is_not(None),
                    r.id > last,
                )
                .order_by(r.id)
                .limit(_BATCH)
            )
            with self._database.reading() as connection:
                ids = [row.id for row in connection.execute(query)]
            yield from ids
            if len(ids) < _BATCH:
                return
            last = ids[-1]

    def allocations_of(self, parent_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that were read from these parents."""
        r = t.records.c
        parents = list(dict.fromkeys(parent_ids))
        found = []
        with self._database.reading() as connection:
            for start in range(0, len(parents), CHUNK):
                query = select(r.body).where(
                    r.connection_id == self._connection_id,
                    r.parent_id.in_(parents[start : start + CHUNK]),
                    r.kind == RecordKind.ALLOCATION.value,
                    r.alive,
                )
                found += [decode_record("allocation", bytes(row.body)) for row in connection.execute(query)]
        return sorted(found, key=lambda one: one.id)

    def allocations_on(self, document_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that settle one of these documents or use one up. Looks through all of them, in portions."""
        wanted = frozenset(document_ids)
        found: list[Allocation] = []
        last = ""
        r = t.records.c
        while wanted:
            query = (
                select(r.id, r.body)
                .where(
                    r.connection_id == self._connection_id,
                    r.kind == RecordKind.ALLOCATION.value,
                    r.alive,
                    r.id > last,
                )
                .order_by(r.id)
                .limit(_BATCH)
            )
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            some = (decode_record("allocation", bytes(row.body)) for row in rows)
            found += [one for one in some if one.target_id in wanted or one.source_id in wanted]
            if len(rows) < _BATCH:
                break
            last = rows[-1].id
        return found

    def placements(self, subject_id: str, command_type: str | None = None) -> Sequence[Placement]:
        """Where earlier commands on this subject landed, oldest first."""
        p, s = t.placements.c, t.placement_subjects.c
        query = (
            select(p.body)
            .join(t.placement_subjects, s.placement_id == p.id)
            .where(p.connection_id == self._connection_id, s.subject_id == subject_id)
            .order_by(p.id)
        )
        if command_type is not None:
            query = query.where(p.command_type == command_type)
        with self._database.reading() as connection:
            return [placement_from_json(json.loads(bytes(row.body))) for row in connection.execute(query)]


def read_record(kind: str, body: bytes, due_version: int) -> Any:
    """A record with the due version that the store counts for it."""
    record = decode_record(kind, body)
    if due_version:
        return record.model_copy(update={"due_version": due_version})
    return record


def placement_to_json(placement: Placement) -> dict[str, Any]:
    """A placement as JSON-ready values."""
    return {
        "fact": placement.fact.value,
        "target": placement.target,
        "remote_kind": placement.remote_kind,
        "remote_id": placement.remote_id,
        "version": placement.version,
        "degraded": placement.degraded,
        "reason": placement.reason,
        "previous": placement.previous,
        "subject_ids": list(placement.subject_ids),
    }


def placement_from_json(values: dict[str, Any]) -> Placement:
    """The placement that `placement_to_json` wrote."""
    return Placement(**{**values, "fact": Fact(values["fact"]), "subject_ids": tuple(values["subject_ids"])})
