"""What is known about a connection, now or at an earlier instant? Records in force, as one `ar_core.Snapshot`."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from ar_connectors.store import tables as t
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.numbers import number_of
from ar_connectors.store.places import NAMES
from ar_connectors.store.versions import require_history
from ar_connectors.store.view import with_due_version
from ar_core.model import Snapshot
from ar_core.rates import document_rates

__all__ = ["counts", "snapshot"]

_FIELDS = {
    "customer": "customers",
    "contact": "contacts",
    "profile": "profiles",
    "invoice": "invoices",
    "credit_note": "credit_notes",
    "payment": "payments",
    "adjustment": "adjustments",
    "allocation": "allocations",
    "promise": "promises",
    "dispute": "disputes",
    "touch": "touches",
    "pause": "pauses",
}


def snapshot(database: Database, connection_id: str, known_at: datetime | None = None) -> Snapshot:
    """Everything in force; with `known_at` only what the store had observed by that instant, as it was then.

    Raises ConfigurationError when the history of that instant was pruned, ValueError for a `known_at` without time zone.
    """
    if known_at is not None and known_at.tzinfo is None:
        raise ValueError(f"known_at is an instant and needs a time zone; got {known_at.isoformat()}")
    found: dict[str, list[Any]] = {name: [] for name in (*_FIELDS, "organization")}
    with database.reading() as connection, _no_collection():
        if known_at is not None:
            require_history(connection, known_at)
        states = (
            _now(database, connection, connection_id)
            if known_at is None
            else _then(database, connection, connection_id, known_at)
        )
        for kind, body, due_version in states:
            name = NAMES[kind]
            found[name].append(with_due_version(decode_record(name, bytes(body)), due_version))
    organizations = found.pop("organization")
    collections = {_FIELDS[kind]: tuple(sorted(records, key=_id)) for kind, records in found.items()}
    organization = organizations[0] if organizations else None
    documents = {name: collections[name] for name in ("invoices", "credit_notes", "payments", "adjustments")}
    return Snapshot.trusted(
        organization=organization,
        rates=document_rates(organization.base_currency if organization is not None else None, **documents),
        known_at=known_at.astimezone(UTC) if known_at is not None else None,
        **collections,
    )


def counts(database: Database, connection_id: str) -> dict[str, int]:
    """Live records by kind."""
    r = t.records.c
    query = (
        select(r.kind, func.count())
        .where(r.connection == number_of(connection_id), r.gone.is_(None))
        .group_by(r.kind)
    )
    with database.reading() as connection:
        return dict(sorted((NAMES[row[0]], row[1]) for row in connection.execute(query)))


def _id(record: Any) -> str:
    value: str = record.id
    return value


def _now(database: Database, connection: Connection, connection_id: str) -> Iterator[Sequence[Any]]:
    """Kind, bytes and due version of all live records."""
    r = t.records.c
    query = select(r.kind, r.body, r.due_version).where(_alive(database, connection_id))
    return iter(connection.execution_options(yield_per=2000).execute(query))


def _then(
    database: Database, connection: Connection, connection_id: str, known_at: datetime
) -> Iterator[Sequence[Any]]:
    """The current state where it was observed by then, else the earlier one in force then; gone records are left out."""
    at = to_micros(known_at)
    r, v = t.records.c, t.record_versions.c
    query = select(r.kind, r.body, r.due_version).where(_alive(database, connection_id), r.observed_at <= at)
    yield from connection.execution_options(yield_per=2000).execute(query)
    # Of one record no two states are in force at one instant: each ends where the next begins.
    older = select(v.kind, v.body, v.due_version).where(
        v.connection == number_of(connection_id), v.gone.is_(None), v.observed_at <= at, v.replaced_at > at
    )
    yield from connection.execution_options(yield_per=2000).execute(older)


def _alive(database: Database, connection_id: str) -> ColumnElement[bool]:
    """Of the live records of a connection. On SQLite their numbers are collected first, and they are read in the order in which they
    lie in the file; in that of the index it would be read all over."""
    r = t.records.c
    alive = and_(r.connection == number_of(connection_id), r.gone.is_(None))
    return r.number.in_(select(r.number).where(alive)) if database.is_sqlite else alive


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hundreds of thousands of new objects, none of them garbage: the collector would only walk them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
