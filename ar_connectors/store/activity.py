"""How do promises and disputes come together? Ours and the copy read back from the ERP are one record; the newest promise counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, select

from ar_connectors.store import tables as t
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import Database
from ar_connectors.store.rows import Prepared, prepare
from ar_core.model import Dispute, Origin, Promise

__all__ = ["merge_activity", "supersede"]


def merge_activity(
    connection: Connection,
    given: Prepared,
    fresh: Mapping[str, tuple[Any, ...]],
    moved: Mapping[str, tuple[Prepared, tuple[Any, ...]]],
) -> Prepared:
    """A promise or dispute of ours that was read back, laid over what we know of it: local facts that are richer stay,
    the place in the ERP and a withdrawal or resolution come from there."""
    record = given.record
    if not given.id.startswith("local:") or not isinstance(record, Promise | Dispute):
        return given
    known: Promise | Dispute | None = None
    if given.id in moved:
        found = moved[given.id][0].record
        known = found if isinstance(found, Promise | Dispute) else None
    elif given.id in fresh:
        known = decode_record(given.kind, fresh[given.id][11])
    else:
        row = connection.execute(select(t.records.c.body).where(t.records.c.id == given.id)).first()
        known = decode_record(given.kind, bytes(row.body)) if row is not None else None
    if known is None:
        return given
    merged = {name: value for name, value in record.__dict__.items() if known.__dict__.get(name) is None}
    if record.source is not None:
        merged["source"] = record.source
    if isinstance(record, Promise) and isinstance(known, Promise):
        merged["invoice_ids"] = tuple(sorted({*known.invoice_ids, *record.invoice_ids}))
    return prepare(known.model_copy(update=merged), given.mapper_version, given.raw_row)


def supersede(
    database: Database, connection: Connection, connection_id: str, promises: Sequence[Promise], at: int
) -> list[str]:
    """Mark promises that a newer one on the same invoice replaced; returns the ids that changed.

    Newer means: given later, then recorded later. A change made in the ERP is newer than what we had.
    """
    from ar_connectors.store.records import put_records  # the two call each other: a page may bring promises

    touched = {invoice for promise in promises for invoice in promise.invoice_ids}
    r = t.records.c
    query = select(r.body).where(r.connection_id == connection_id, r.kind == "promise", r.alive)
    standing = [
        promise
        for row in connection.execute(query)
        if (promise := decode_record("promise", bytes(row.body))).withdrawn_on is None
        and not touched.isdisjoint(promise.invoice_ids)
    ]
    standing.sort(key=_order)
    changes = []
    for index, promise in enumerate(standing):
        if promise.superseded_by is not None:
            continue
        newer = next(_sharing(promise, standing[index + 1 :]), None)
        if newer is not None:
            changes.append(prepare(promise.model_copy(update={"superseded_by": newer.id})))
    if not changes:
        return []
    _, changed = put_records(database, connection, connection_id, changes, at)
    return changed


def _sharing(promise: Promise, later: Sequence[Promise]) -> Iterator[Promise]:
    covered = set(promise.invoice_ids)
    return (other for other in later if not covered.isdisjoint(other.invoice_ids))


def _order(promise: Promise) -> tuple[date, datetime, bool, str]:
    updated = promise.source.updated_at if promise.source is not None else None
    recorded = promise.recorded_at or updated or datetime.min.replace(tzinfo=UTC)
    given = promise.given_on or (updated.date() if updated is not None else date.min)
    return (given, recorded, promise.origin is Origin.ERP, promise.id)
