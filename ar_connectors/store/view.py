"""What may an adapter look up? Live records, cursors and placements of one connection, read-only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from ar_connectors.connector import Cursor, Fact, Placement
from ar_connectors.store import tables as t
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import Database
from ar_core.model import Allocation, RecordKind

__all__ = ["View", "placement_from_json", "placement_to_json", "read_record"]

_BATCH = 5000

# `|| ''` keeps SQLite from choosing the index by connection: it has no statistics, takes a connection for a handful of rows, and
# would read all of it for a few ids. PostgreSQL knows better by itself.
_OWN = "connection_id || '' = ?"
_RECORDS = f"SELECT id, kind, body, due_version FROM records WHERE id AMONG AND alive AND {_OWN}"  # noqa: S608  constants
_CHILDREN = f"SELECT body FROM records WHERE parent_id AMONG AND kind = 'allocation' AND alive AND {_OWN}"  # noqa: S608  constants
_LIVE_IDS = (
    "SELECT id FROM records WHERE id > ? AND {end} kind = ? AND alive AND source_kind IS NOT NULL AND {own} "
    "ORDER BY id LIMIT ?"
)


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
        wanted = list(dict.fromkeys(record_ids))
        with self._database.reading() as connection:
            rows = self._database.among(connection, _RECORDS, wanted, self._connection_id)
        return {row[0]: read_record(row[1], bytes(row[2]), row[3]) for row in rows}

    def live_ids(self, kind: RecordKind) -> Iterator[str]:
        """Ids of all live records of a kind that came from the platform, ascending."""
        rest = (kind.value, self._connection_id, _BATCH)
        if not self._database.is_sqlite:
            yield from self._ascending(_LIVE_IDS.format(end="", own="connection_id = ?"), "", *rest)
            return
        for first, end in _ranges(self._connection_id, kind):
            yield from self._ascending(_LIVE_IDS.format(end="id < ? AND", own=_OWN), first, end, *rest)

    def _ascending(self, statement: str, last: str, *rest: Any) -> Iterator[str]:
        """The ids a statement gives in portions, each behind the last one of the portion before. No transaction lasts longer than
        one portion: what is done with the ids may take its time."""
        while True:
            with self._database.reading() as connection:
                rows = self._database.rows(connection, statement, last, *rest)
            for row in rows:
                yield row[0]
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def allocations_of(self, parent_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that were read from these parents."""
        parents = list(dict.fromkeys(parent_ids))
        with self._database.reading() as connection:
            rows = self._database.among(connection, _CHILDREN, parents, self._connection_id)
        return sorted((decode_record("allocation", bytes(row[0])) for row in rows), key=lambda one: one.id)

    def allocations_on(self, document_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that settle one of these documents or use one up. Looks through all of them, in portions."""
        wanted = frozenset(document_ids)
        if not wanted:
            return []
        found: list[Allocation] = []
        r = t.records.c
        query = select(r.body).where(
            r.connection_id == self._connection_id, r.kind == RecordKind.ALLOCATION.value, r.alive
        )
        with self._database.reading() as connection:
            for row in connection.execution_options(yield_per=_BATCH).execute(query):
                one = decode_record("allocation", bytes(row.body))
                if one.target_id in wanted or one.source_id in wanted:
                    found.append(one)
        return sorted(found, key=lambda one: one.id)

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


def _ranges(connection_id: str, kind: RecordKind) -> list[tuple[str, str]]:
    """Where in SQLite's order of ids (that of bytes) a connection's records of a kind lie, as open intervals, ascending: under its
    own name, and among those born here. An allocation is named after what it was read from."""
    own = f"{connection_id}:" if kind is RecordKind.ALLOCATION else f"{connection_id}:{kind}:"
    return sorted((prefix, f"{prefix[:-1]};") for prefix in (own, "local:"))


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
