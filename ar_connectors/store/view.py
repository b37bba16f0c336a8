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
from ar_connectors.store.lookups import by_id, children_of
from ar_connectors.store.numbers import NUMBER, number_of
from ar_connectors.store.places import ALLOCATION, KINDS
from ar_core.model import Allocation, RecordKind

__all__ = ["View", "placement_from_json", "placement_to_json", "with_due_version"]

_BATCH = 5000

_ALL_LIVE_IDS = (
    f"SELECT key, id FROM records WHERE connection = {NUMBER} AND kind = ? AND gone IS NULL "  # noqa: S608  constants
    "AND key >= ? AND (key > ? OR id > ?) ORDER BY key, id LIMIT ?"
)
_LIVE_IDS = _ALL_LIVE_IDS.replace("gone IS NULL", "gone IS NULL AND (origin IS NULL OR origin <> '')")
_HAS = {True: "instr(body, ?) > 0", False: "position(? IN body) > 0"}
"""On SQLite, and on PostgreSQL: whether these bytes stand in a record."""


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
            found = by_id(self._database, connection, self._connection_id, wanted)
        return {
            one.id: with_due_version(one.record, one.due_version)
            for one in found.values()
            if one.gone is None
        }

    def live_ids(
        self, kind: RecordKind, *, born_here: bool = False, mentioning: str | None = None
    ) -> Iterator[str]:
        """Ids of all live records of a kind that came from the platform, ascending; with `born_here` also of those that it has not
        shown us yet; with `mentioning` only of those whose stored bytes hold this text, which is ASCII without quotes."""
        statement = _ALL_LIVE_IDS if born_here else _LIVE_IDS
        about: tuple[Any, ...] = (self._connection_id, KINDS[kind.value])
        if mentioning is not None:
            has = _HAS[self._database.is_sqlite]
            statement = statement.replace("gone IS NULL", f"gone IS NULL AND {has}")
            about = (*about, mentioning.encode("ascii"))
        return iter(sorted(self._by_key(statement, about)))

    def _by_key(self, statement: str, about: tuple[Any, ...]) -> Iterator[str]:
        """The ids in portions, each behind the last one of the portion before: no transaction lasts longer than one."""
        key, last = 0, ""
        while True:
            with self._database.reading() as connection:
                rows = self._database.rows(connection, statement, *about, key, key, last, _BATCH)
            for row in rows:
                yield row[1]
            if len(rows) < _BATCH:
                return
            key, last = rows[-1]

    def allocations_of(self, parent_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that were read from these parents."""
        parents = list(dict.fromkeys(parent_ids))
        with self._database.reading() as connection:
            found = children_of(self._database, connection, self._connection_id, parents)
        allocations = [one.record for one in found if one.kind == ALLOCATION and one.gone is None]
        return sorted(allocations, key=lambda one: one.id)

    def allocations_on(self, document_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that settle one of these documents or use one up. Looks through all of them, in portions."""
        wanted = frozenset(document_ids)
        if not wanted:
            return []
        found: list[Allocation] = []
        r = t.records.c
        query = select(r.body).where(
            r.connection == number_of(self._connection_id), r.kind == ALLOCATION, r.gone.is_(None)
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


def with_due_version(record: Any, due_version: int) -> Any:
    """A record with the due version that the store counts for it."""
    return record.model_copy(update={"due_version": due_version}) if due_version else record


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
