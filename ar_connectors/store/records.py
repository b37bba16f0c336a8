"""How do records get into the store? Under the upsert guard, their old states kept, in the transaction of the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from ar_connectors.store.activity import merged, superseded
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import Database
from ar_connectors.store.rows import OWN_COLUMNS, Prepared, Stored, Verdict, judge, prepare
from ar_core.model import Dispute, Frozen, Promise

__all__ = ["Judged", "bury", "judge_all", "put_local", "stored", "write"]

_OWN = len(OWN_COLUMNS)
_INSERT = f"INSERT INTO records ({', '.join(OWN_COLUMNS)}, raw_page, observed_at, connection_id, alive, due_version, evidence, seq) VALUES"
_AT_FIRST = ", TRUE, 0, NULL, 0"
"""The last four of these columns."""
_UPDATE = (
    f"UPDATE records SET {', '.join(f'{one} = ?' for one in OWN_COLUMNS)}, "  # noqa: S608  constants
    "raw_page = ?, observed_at = ?, alive = TRUE, due_version = ?, evidence = NULL, seq = ? WHERE id = ?"
)
_STATE = "id, seq, connection_id, kind, alive, updated_at, hash, body, due_version, evidence, observed_at"
_KEEP = f"INSERT INTO record_versions ({_STATE}, replaced_at) SELECT {_STATE}, ? FROM records WHERE id = ?"  # noqa: S608  constants
_BURY = "UPDATE records SET alive = ?, evidence = ?, seq = seq + 1, observed_at = ? WHERE id = ?"
_REMAPPED = "UPDATE records SET mapper_version = ?, raw_page = COALESCE(?, raw_page), raw_row = COALESCE(?, raw_row) WHERE id = ?"


@dataclass(slots=True)
class Judged:
    """What is to be done with a set of records, decided and not yet written."""

    inserts: list[Prepared] = field(default_factory=list)
    updates: list[tuple[Prepared, Stored]] = field(default_factory=list)
    remapped: list[Prepared] = field(default_factory=list)
    """Unchanged, read by a newer mapper."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[Verdict]:
        """How many records by verdict."""
        return Counter(self.verdicts.values())

    @property
    def changes_anything(self) -> bool:
        """Whether a row would be written."""
        return bool(self.inserts or self.updates or self.remapped)


def judge_all(given: Sequence[Prepared], known: Mapping[str, Stored], *, local: bool = False) -> Judged:
    """Decide about each record. `local`: our own change, which needs no newer version of the platform's.

    A stale parent takes its allocations and contacts with it: they are of the same old reading.
    """
    if not known:
        # A first load, page after page: nothing to compare with.
        new = list(_one_each(given))
        return Judged(inserts=new, verdicts={one.id: Verdict.INSERT for one in new})
    result = Judged()
    stale: set[str] = set()
    ready = []
    for one in _one_each(given):
        old = known.get(one.id)
        if old is not None and old.body is not None and not local:
            one = _merge(one, old)  # noqa: PLW2901  from here on the merged one counts
        verdict = judge(one, old)
        if local and verdict not in {Verdict.INSERT, Verdict.UNCHANGED}:
            verdict = Verdict.UPDATE
        if verdict is Verdict.STALE:
            stale.add(one.id)
        ready.append((one, old, verdict))
    for one, old, verdict in ready:
        if one.parent_id is not None and one.parent_id in stale:
            result.verdicts[one.id] = Verdict.STALE
            continue
        result.verdicts[one.id] = verdict
        if old is None:
            result.inserts.append(one)
        elif verdict in {Verdict.UPDATE, Verdict.SILENT_CHANGE}:
            result.updates.append((one, old))
        elif verdict is Verdict.UNCHANGED and one.mapper_version > old.mapper_version and not local:
            result.remapped.append(one)
    return result


def _one_each(given: Sequence[Prepared]) -> Sequence[Prepared]:
    """A page may hold a record twice (a change feed does): the newer reading counts, of equal ones the later."""
    if len({one.id for one in given}) == len(given):
        return given
    kept: dict[str, Prepared] = {}
    for one in given:
        before = kept.get(one.id)
        if before is None or judge(one, _as_stored(before)) is not Verdict.STALE:
            kept[one.id] = one if before is None else _merge(one, _as_stored(before))
    return list(kept.values())


def _as_stored(one: Prepared) -> Stored:
    body = one.body if one.kind in _MERGED else None
    return Stored(
        True, one.source_kind, one.remote_id, one.version, one.updated_at, one.hash, one.mapper_version, one.due_date,
        0, 0, None, one.raw_row, body,
    )  # fmt: skip


_MERGED = {"promise", "dispute"}


def _merge(given: Prepared, old: Stored) -> Prepared:
    if old.body is None or not isinstance(given.record, Promise | Dispute):
        return given
    record: Promise | Dispute = merged(given.record, decode_record(given.kind, old.body), alive=old.alive)
    return given if record is given.record else prepare(record, given.mapper_version, given.raw_row)


def write(
    database: Database,
    connection: Connection,
    connection_id: str,
    judged: Judged,
    at: int,
    raw_page: int | None,
) -> list[str]:
    """Write what was decided; the states it replaces go to the history. Returns the ids that changed."""
    place = (raw_page, at, connection_id)
    rows = [(*one[:_OWN], *place) for one in judged.inserts]
    database.insert(connection, _INSERT, rows, _AT_FIRST)
    database.many(connection, _KEEP, [(at, one.id) for one, _ in judged.updates])
    changes = [_changed(one, old, raw_page, at) for one, old in judged.updates]
    database.many(connection, _UPDATE, changes)
    remapped = [(one.mapper_version, raw_page, one.raw_row, one.id) for one in judged.remapped]
    database.many(connection, _REMAPPED, remapped)
    written = [*judged.inserts, *(one for one, _ in judged.updates)]
    changed = [one.id for one in written]
    promises = [one.record for one in written if isinstance(one.record, Promise)]
    if promises:
        replaced = superseded(database, connection, connection_id, promises)
        changed += put_local(database, connection, connection_id, replaced, at)
    return changed


def _changed(one: Prepared, old: Stored, raw_page: int | None, at: int) -> tuple[Any, ...]:
    """The values of `_UPDATE`."""
    due = old.due_version + (1 if one.kind == "invoice" and one.due_date != old.due_date else 0)
    if raw_page is None:
        # No body came with it: a change of our own, or the stored body mapped again.
        raw_page = old.raw_page
        mapper = max(one.mapper_version, old.mapper_version)
        one = one._replace(mapper_version=mapper, raw_row=old.raw_row)
    return (*one[:_OWN], raw_page, at, due, old.seq + 1, one.id)


def put_local(
    database: Database, connection: Connection, connection_id: str, given: Sequence[Frozen], at: int
) -> list[str]:
    """Write records that we changed ourselves; where they came from stays known. Returns the ids that changed."""
    if not given:
        return []
    prepared = [prepare(one) for one in given]
    judged = judge_all(prepared, stored(database, connection, prepared), local=True)
    return write(database, connection, connection_id, judged, at, None)


def bury(database: Database, connection: Connection, gone: Mapping[str, str], at: int) -> list[str]:
    """Mark live records (id -> evidence) as gone at their source, and all that was read from them; returns the ids."""
    if not gone:
        return []
    everything = dict(gone)
    frontier = list(gone)
    while frontier:
        children = database.among(
            connection, "SELECT id FROM records WHERE parent_id AMONG AND alive", frontier
        )
        frontier = [row[0] for row in children if row[0] not in everything]
        everything.update(dict.fromkeys(frontier, "set_replaced"))
    still = database.among(connection, "SELECT id FROM records WHERE id AMONG AND alive", list(everything))
    alive = [row[0] for row in still]
    alive.sort()
    database.many(connection, _KEEP, [(at, record) for record in alive])
    database.many(
        connection,
        _BURY,
        [(False, everything[record], at, record) for record in alive],
    )
    return alive


_STORED = (
    "SELECT id, alive, source_kind, remote_id, version, updated_at, hash, mapper_version, due_date, due_version, seq, "
    "raw_page, raw_row FROM records WHERE id AMONG"
)
_STORED_WHOLE = _STORED.replace("raw_row", "raw_row, body")


def stored(database: Database, connection: Connection, given: Sequence[Prepared]) -> dict[str, Stored]:
    """What the store has of these records, dead ones included."""
    found = {}
    by_kind: dict[str, list[str]] = {}
    for one in given:
        by_kind.setdefault(one.kind, []).append(one.id)
    for kind, ids in by_kind.items():
        if database.has_any(connection, "records", "id", ids):
            statement = _STORED_WHOLE if kind in _MERGED else _STORED
            for row in database.among(connection, statement, ids):
                found[row[0]] = Stored(*row[1:])
    return found
