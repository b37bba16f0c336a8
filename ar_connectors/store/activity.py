"""How do promises and disputes come together? Ours and the copy read back from the ERP are one record; the newest promise counts.

A record of ours has a `local:` id wherever it is read. A native one (a promise date that the ERP itself has a field for) has
an id of the platform and origin `erp`; a change of it in the ERP is a new promise, an unrelated change of its invoice is not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, select

from ar_connectors.store import tables as t
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import Database
from ar_connectors.store.lookups import by_id
from ar_connectors.store.numbers import number_of
from ar_connectors.store.places import KINDS
from ar_core.model import Dispute, Origin, Promise, Source

__all__ = ["LINK", "merged", "superseded"]

Activity = TypeVar("Activity", Promise, Dispute)

LINK = "INSERT INTO promise_invoices (invoice_id, promise_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
"""Remembers that a promise covers an invoice."""

_LINKED = "SELECT promise_id FROM promise_invoices WHERE invoice_id AMONG"

_EDITABLE = {
    Promise: ("promised_date", "promised_amount", "currency", "withdrawn_on"),
    Dispute: ("disputed_amount", "currency", "reason", "resolved_on", "resolution"),
}
"""What a person may have changed in a note of ours: there the ERP wins. Anything else that we know already stays ours."""

_OURS = {Promise: ("superseded_by", "withdrawn_on"), Dispute: ("resolved_on", "resolution")}
"""What we may have decided about a native record, which the ERP cannot hold."""

_NOT_FACTS = {"source", "superseded_by", "withdrawn_on", "resolved_on", "resolution", "recorded_at"}


def merged(given: Activity, known: Activity | None, *, alive: bool) -> Activity:
    """A promise or dispute as it was read, laid over what the store has of it (`alive`: still in force)."""
    if known is None:
        return given
    if given.id.startswith("local:"):
        return _read_back(given, known)
    if alive and _facts(given) == _facts(known):
        kept = {name: getattr(known, name) for name in _OURS[type(known)] if getattr(given, name) is None}
        return given.model_copy(update=kept)
    return given


def _read_back(given: Activity, known: Activity) -> Activity:
    values = known.__dict__
    changes: dict[str, Any] = {
        name: value for name, value in given.__dict__.items() if value is not None and values[name] is None
    }
    for name in _EDITABLE[type(known)]:
        if getattr(given, name) is not None:
            changes[name] = getattr(given, name)
    changes["source"] = _newer_place(given.source, known.source)
    covered: tuple[str, ...] = values.get("invoice_ids", ())
    if covered:
        read: tuple[str, ...] = given.__dict__["invoice_ids"]
        changes["invoice_ids"] = (*covered, *(one for one in read if one not in covered))
    return known.model_copy(update=changes)


def _newer_place(given: Source | None, known: Source | None) -> Source | None:
    """A fact of ours may stand in two places of the ERP: it is told by the one that changed last, whichever is read last."""
    if given is None or known is None:
        return given or known
    if (given.kind, given.remote_id) == (known.kind, known.remote_id):
        return given
    return max(given, known, key=lambda one: (one.updated_at or _BEGINNING, one.kind, one.remote_id))


def _facts(record: Promise | Dispute) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _NOT_FACTS}


def superseded(
    database: Database, connection: Connection, connection_id: str, promises: Sequence[Promise]
) -> list[Promise]:
    """Open promises that a newer one on the same invoice replaced, now that `promises` are stored, with `superseded_by` set.

    Newer means: given later, then recorded later; of the ERP's own date the day and instant on which it changed. A native promise
    that says the same as one of ours is how the ERP shows ours, whichever was seen first.
    """
    database.many(
        connection, LINK, [(invoice, promise.id) for promise in promises for invoice in promise.invoice_ids]
    )
    if all(_is_over(promise) for promise in promises):
        return []
    standing = _standing(
        database, connection, connection_id, {one for promise in promises for one in promise.invoice_ids}
    )
    if len(standing) < 2:
        return []
    zone = _zone(connection, connection_id)
    standing.sort(key=lambda promise: _order(promise, zone))
    changes = []
    ours = [promise for promise in standing if promise.origin is Origin.OURS]
    rest = []
    for promise in standing:
        twin = next(
            (one for one in ours if promise.origin is Origin.ERP and _says_the_same(promise, one)), None
        )
        if twin is None:
            rest.append(promise)
        else:
            changes.append(promise.model_copy(update={"superseded_by": twin.id}))
    for index, promise in enumerate(rest):
        covered = set(promise.invoice_ids)
        newer = next((one for one in rest[index + 1 :] if not covered.isdisjoint(one.invoice_ids)), None)
        if newer is not None:
            changes.append(promise.model_copy(update={"superseded_by": newer.id}))
    return changes


def _standing(
    database: Database, connection: Connection, connection_id: str, invoices: Collection[str]
) -> list[Promise]:
    """Open promises that cover any of these invoices."""
    linked = database.among(connection, _LINKED, sorted(invoices))
    known = by_id(database, connection, connection_id, {row[0] for row in linked})
    alive = (one.record for one in known.values() if one.gone is None)
    return [one for one in alive if not _is_over(one) and not set(invoices).isdisjoint(one.invoice_ids)]


def _is_over(promise: Promise) -> bool:
    return promise.withdrawn_on is not None or promise.superseded_by is not None


def _says_the_same(native: Promise, ours: Promise) -> bool:
    same_amount = native.promised_amount is None or native.promised_amount == ours.promised_amount
    return (
        same_amount
        and native.promised_date == ours.promised_date
        and not set(native.invoice_ids).isdisjoint(ours.invoice_ids)
    )


_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _order(promise: Promise, zone: tzinfo) -> tuple[date, datetime, bool, str]:
    instant = promise.recorded_at or (promise.source.updated_at if promise.source is not None else None)
    day = promise.given_on
    if day is None:
        day = instant.astimezone(zone).date() if instant is not None else date.min
    return (day, instant or _BEGINNING, promise.origin is Origin.ERP, promise.id)


def _zone(connection: Connection, connection_id: str) -> tzinfo:
    """The company's time zone: days are its days. UTC where nobody has told it yet."""
    c, r = t.connections.c, t.records.c
    settings = connection.execute(select(c.settings).where(c.id == connection_id)).scalar()
    name = json.loads(bytes(settings)).get("time_zone") if settings is not None else None
    if name is None:
        query = select(r.body).where(
            r.connection == number_of(connection_id), r.kind == KINDS["organization"], r.gone.is_(None)
        )
        body = connection.execute(query).scalar()
        name = decode_record("organization", bytes(body)).time_zone if body is not None else None
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
