"""How is a record found? By its id, by what it was read from, by its source at the platform.

Every look-up asks for keys (places.py) and compares what it finds with what was meant: a key may be shared. Records that are gone are
found too; their callers say whether they want them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from ar_connectors.store.engine import Database
from ar_connectors.store.numbers import NUMBER
from ar_connectors.store.places import ALLOCATION, NAMES, head_of, key_of, key_of_part
from ar_connectors.store.rows import Prepared, Stored, escaped, origin_of
from ar_core.model import Source

__all__ = ["by_id", "by_id_anywhere", "by_source", "children_of", "stored", "unnamed_children_of"]

_KIND, _KEY, _ID = map(itemgetter, (Prepared._fields.index(name) for name in ("kind", "key", "id")))

_STATE = "SELECT number, id, kind, gone, body, mapper_version, due_version, seq, raw_page, raw_row FROM records WHERE"
_OURS = f"connection = {NUMBER}"
_EVERY_KIND = f"kind IN ({', '.join(map(str, NAMES))})"
"""True of every record; said so that the index, in which the kind stands before the key, can be used."""

_OF_KINDS = f"{_STATE} key AMONG AND {_OURS} AND kind IN"
_OF_ANY_KIND = f"{_STATE} key AMONG AND {_OURS} AND {_EVERY_KIND}"
_ANYWHERE = f"{_STATE} key AMONG AND {_EVERY_KIND} AND connection IN (SELECT number FROM connection_numbers)"  # noqa: S608  constants
_BY_ORIGIN = f"{_STATE} origin AMONG AND connection + 0 = {NUMBER}"
_BY_PARENT = f"{_STATE} parent AMONG AND connection + 0 = {NUMBER}"
"""`+ 0` keeps SQLite from choosing the other index, by which it would read all of a company: it has no statistics."""

_ANY_KEY = f"SELECT 1 FROM records WHERE key BETWEEN ? AND ? AND {_OURS} AND kind IN"  # noqa: S608  constants
_ANY_PARENT = "SELECT 1 FROM records WHERE parent BETWEEN ? AND ? LIMIT 1"


def stored(
    database: Database,
    tx: Connection,
    connection_id: str,
    given: Sequence[Prepared],
    parents: Sequence[str] = (),
) -> dict[str, Stored]:
    """What the store has of these records, and of the allocations that were read from `parents`, by id; also what else has the key
    of one of them. An allocation has its parent's key: those of a page are found by one look at the index."""
    kinds = set(map(_KIND, given))
    keys = set(map(_KEY, given))
    if parents:
        kinds.add(ALLOCATION)
        # Most parents are in the page themselves.
        keys.update(map(key_of, set(parents).difference(map(_ID, given))))
    if not keys:
        return {}
    return {state.id: state for state in _at(database, tx, connection_id, kinds, keys)}


def by_id(database: Database, tx: Connection, connection_id: str, ids: Collection[str]) -> dict[str, Stored]:
    """Records of one connection."""
    return _only(ids, database.among(tx, _OF_ANY_KIND, _keys(ids), connection_id))


def by_id_anywhere(database: Database, tx: Connection, ids: Collection[str]) -> dict[str, Stored]:
    """Records of any connection."""
    return _only(ids, database.among(tx, _ANYWHERE, _keys(ids)))


def by_source(
    database: Database, tx: Connection, connection_id: str, sources: Sequence[Source]
) -> Iterator[Stored]:
    """All that was read from any of these sources, whatever its kind."""
    keys = {key_of_part(escaped(one.remote_id)) for one in sources}
    named = database.among(tx, _OF_ANY_KIND, list(keys), connection_id)
    others = database.among(tx, _BY_ORIGIN, [origin_of(one) for one in sources], connection_id)
    wanted = {(one.kind, one.remote_id) for one in sources}
    seen = set()
    for row in (*named, *others):
        state = _state(row)
        source = getattr(state.record, "source", None)
        if source is not None and (source.kind, source.remote_id) in wanted and state.number not in seen:
            seen.add(state.number)
            yield state


def children_of(
    database: Database, tx: Connection, connection_id: str, parents: Collection[str]
) -> list[Stored]:
    """Allocations, contacts and native promises that were read from these records."""
    if not parents:
        return []
    wanted = frozenset(parents)
    named = _at(database, tx, connection_id, {ALLOCATION}, {key_of(one) for one in wanted})
    found = [one for one in named if head_of(one.id) in wanted]
    return found + unnamed_children_of(database, tx, connection_id, wanted)


def unnamed_children_of(
    database: Database, tx: Connection, connection_id: str, parents: Collection[str]
) -> list[Stored]:
    """Those of them that are not named after their parent, as allocations are."""
    # PostgreSQL sorts text by the rules of a language, and is not asked for a range.
    if database.is_sqlite and not database.rows(tx, _ANY_PARENT, min(parents), max(parents)):
        return []
    return [_state(row) for row in database.among(tx, _BY_PARENT, list(parents), connection_id)]


def _at(
    database: Database, tx: Connection, connection_id: str, kinds: Collection[int], keys: Collection[int]
) -> Iterator[Stored]:
    """Records of these kinds with one of these keys. The pages of a first load bring keys in ascending order: that nothing lies between
    the smallest and the largest of a page is one look at the index instead of one for each."""
    listed = f"({', '.join(map(str, sorted(kinds)))})"
    if not database.rows(tx, f"{_ANY_KEY} {listed} LIMIT 1", min(keys), max(keys), connection_id):
        return iter(())
    return map(_state, database.among(tx, f"{_OF_KINDS} {listed}", list(keys), connection_id))


def _keys(ids: Iterable[str]) -> list[int]:
    return list({key_of(one) for one in ids})


def _only(ids: Collection[str], rows: Iterable[Sequence[Any]]) -> dict[str, Stored]:
    wanted = frozenset(ids)
    return {row[1]: _state(row) for row in rows if row[1] in wanted}


def _state(row: Sequence[Any]) -> Stored:
    number, record_id, kind, gone, body, *rest = row
    return Stored(number, record_id, kind, gone, bytes(body), *rest)
