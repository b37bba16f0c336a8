"""How do records get into the store? Under the upsert guard, their old states kept, in the transaction of the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from ar_connectors.store.activity import merged, superseded
from ar_connectors.store.engine import Database
from ar_connectors.store.lookups import by_id, children_of, stored
from ar_connectors.store.numbers import numbered
from ar_connectors.store.places import KINDS
from ar_connectors.store.rows import (
    COLUMNS,
    Prepared,
    Stored,
    Verdict,
    judge,
    parent_of,
    prepare,
    prepare_all,
)
from ar_core.model import DeletionEvidence, Dispute, Frozen, Promise

__all__ = ["Judged", "Reading", "bury", "judge_all", "put_local", "write"]

_PROMISE = KINDS["promise"]
_INVOICE = KINDS["invoice"]
_MERGED = frozenset({_PROMISE, KINDS["dispute"]})
"""What is not replaced by what the platform shows, but merged with it."""
_CHANGING = (
    "parent",
    "origin",
    "body",
    "raw_row",
    "raw_page",
    "mapper_version",
    "observed_at",
    "due_version",
    "seq",
)
_UPDATE = f"UPDATE records SET {', '.join(f'{one} = ?' for one in _CHANGING)}, gone = NULL WHERE number = ?"  # noqa: S608  constants
_STATE = "id, seq, connection, kind, gone, body, due_version, observed_at"
_KEEP = (
    f"INSERT INTO record_versions ({_STATE}, replaced_at) SELECT {_STATE}, ? FROM records WHERE number = ?"  # noqa: S608  constants
)
_BURY = "UPDATE records SET gone = ?, seq = seq + 1, observed_at = ? WHERE number = ?"
_REMAPPED = "UPDATE records SET mapper_version = ?, raw_page = COALESCE(?, raw_page), raw_row = COALESCE(?, raw_row) WHERE number = ?"


@dataclass(frozen=True, slots=True)
class Reading:
    """What all records share that are written at once."""

    at: int
    mapper_version: int = 1
    raw_page: int | None = None
    """The body they were read from; None where none came with them."""


@dataclass(slots=True)
class Judged:
    """What is to be done with a set of records, decided and not yet written."""

    inserts: list[Prepared] = field(default_factory=list)
    updates: list[tuple[Prepared, Stored]] = field(default_factory=list)
    remapped: list[tuple[Prepared, Stored]] = field(default_factory=list)
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


def judge_all(
    given: Sequence[Prepared], known: Mapping[str, Stored], mapper_version: int, *, local: bool = False
) -> Judged:
    """Decide about each record. `local`: our own change, which needs no newer version of the platform's.

    A stale parent takes its allocations and contacts with it: they are of the same old reading.
    """
    given = _one_each(given, mapper_version)
    if known.keys().isdisjoint([one.id for one in given]):
        # A first load, page after page: nothing to compare with.
        return Judged(inserts=list(given), verdicts=dict.fromkeys([one.id for one in given], Verdict.INSERT))
    result = Judged()
    stale: set[str] = set()
    ready = []
    for one in given:
        old = known.get(one.id)
        if old is not None and not local:
            one = _merge(one, old)  # noqa: PLW2901  from here on the merged one counts
        verdict = judge(one, old, mapper_version)
        if local and verdict not in {Verdict.INSERT, Verdict.UNCHANGED}:
            verdict = Verdict.UPDATE
        if verdict is Verdict.STALE:
            stale.add(one.id)
        ready.append((one, old, verdict))
    for one, old, verdict in ready:
        if stale and parent_of(one.record) in stale:
            result.verdicts[one.id] = Verdict.STALE
            continue
        result.verdicts[one.id] = verdict
        if old is None:
            result.inserts.append(one)
        elif verdict in {Verdict.UPDATE, Verdict.SILENT_CHANGE}:
            result.updates.append((one, old))
        elif verdict is Verdict.UNCHANGED and mapper_version > old.mapper_version and not local:
            result.remapped.append((one, old))
    return result


def _one_each(given: Sequence[Prepared], mapper_version: int) -> Sequence[Prepared]:
    """A page may hold a record twice (a change feed does): the newer reading counts, of equal ones the later."""
    if len({one.id for one in given}) == len(given):
        return given
    kept: dict[str, Prepared] = {}
    for one in given:
        before = kept.get(one.id)
        if before is None:
            kept[one.id] = one
            continue
        old = _as_stored(before, mapper_version)
        if judge(one, old, mapper_version) is not Verdict.STALE:
            kept[one.id] = _merge(one, old)
    return list(kept.values())


def _as_stored(one: Prepared, mapper_version: int) -> Stored:
    return Stored(0, one.id, one.kind, None, one.body, mapper_version, 0, 0, None, one.raw_row)


def _merge(given: Prepared, old: Stored) -> Prepared:
    if given.kind not in _MERGED:
        return given
    new: Promise | Dispute = given.record
    record: Promise | Dispute = merged(new, old.record, alive=old.gone is None)
    return given if record is new else prepare(record, given.raw_row)


def write(
    database: Database, connection: Connection, connection_id: str, judged: Judged, reading: Reading
) -> list[str]:
    """Write what was decided; the states it replaces go to the history. Returns the ids that changed."""
    at = reading.at
    if judged.inserts:
        shared = {
            "connection": numbered(database, connection, connection_id),
            "mapper_version": reading.mapper_version,
            "raw_page": reading.raw_page,
            "observed_at": at,
            "due_version": 0,
            "seq": 0,
        }
        database.insert(connection, "records", shared, COLUMNS, judged.inserts)
    database.many(connection, _KEEP, [(at, old.number) for _, old in judged.updates])
    database.many(connection, _UPDATE, [_changed(one, old, reading) for one, old in judged.updates])
    remapped = [
        (reading.mapper_version, reading.raw_page, one.raw_row, old.number) for one, old in judged.remapped
    ]
    database.many(connection, _REMAPPED, remapped)
    written = [*judged.inserts, *[one for one, _ in judged.updates]]
    changed = [one.id for one in written]
    promises: list[Any] = [one.record for one in written if one.kind == _PROMISE]
    if promises:
        replaced = superseded(database, connection, connection_id, promises)
        changed += put_local(database, connection, connection_id, replaced, at)
    return changed


def _changed(one: Prepared, old: Stored, reading: Reading) -> tuple[Any, ...]:
    """The values of `_UPDATE`."""
    is_due_anew = one.kind == _INVOICE and one.record.due_date != old.record.due_date
    raw = (one.raw_row, reading.raw_page, reading.mapper_version)
    if reading.raw_page is None:
        # No body came with it: a change of our own, or the stored body mapped again.
        raw = (old.raw_row, old.raw_page, max(reading.mapper_version, old.mapper_version))
    return (
        *(one.parent, one.origin, one.body),
        *raw,
        *(reading.at, old.due_version + is_due_anew, old.seq + 1),
        old.number,
    )


def put_local(
    database: Database, connection: Connection, connection_id: str, given: Sequence[Frozen], at: int
) -> list[str]:
    """Write records that we changed ourselves; where they came from stays known. Returns the ids that changed."""
    if not given:
        return []
    prepared = prepare_all(given)
    known = stored(database, connection, connection_id, prepared)
    reading = Reading(at)
    judged = judge_all(prepared, known, reading.mapper_version, local=True)
    return write(database, connection, connection_id, judged, reading)


def bury(
    database: Database, connection: Connection, connection_id: str, gone: Mapping[str, str], at: int
) -> list[str]:
    """Mark live records (id -> evidence) as gone at their source, and all that was read from them; returns the ids, sorted."""
    if not gone:
        return []
    states = by_id(database, connection, connection_id, gone)
    evidence = dict(gone)
    frontier: list[str] = list(gone)
    while frontier:
        children = children_of(database, connection, connection_id, frontier)
        new = {one.id: one for one in children if one.gone is None and one.id not in evidence}
        states.update(new)
        evidence.update(dict.fromkeys(new, DeletionEvidence.SET_REPLACED.value))
        frontier = list(new)
    alive = sorted((one for one in states.values() if one.gone is None), key=lambda one: one.id)
    database.many(connection, _KEEP, [(at, one.number) for one in alive])
    database.many(connection, _BURY, [(evidence[one.id], at, one.number) for one in alive])
    return [one.id for one in alive]
