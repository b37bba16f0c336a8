"""What did the ERP really say? The bodies as they came, compressed, one per page that changed something."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from ar_connectors.store import tables as t
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros
from ar_connectors.store.lookups import by_id_anywhere
from ar_connectors.store.numbers import number_of

__all__ = ["RawBody", "prune_bodies", "raw_bodies", "raw_of"]


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body as the ERP gave it."""

    stream: str
    kind: str
    body: bytes
    row: int | None
    """The row of the body a record was read from."""
    mapper_version: int
    fetched_at: datetime


def raw_of(database: Database, record_id: str) -> RawBody | None:
    """The body a record was read from, its last one where it is gone; None for a record without one."""
    with database.reading() as tx:
        record = by_id_anywhere(database, tx, [record_id]).get(record_id)
        query = select(t.raw_pages).where(
            t.raw_pages.c.id == (record.raw_page if record is not None else None)
        )
        row = tx.execute(query).first()
    if record is None or row is None:
        return None
    body = zlib.decompress(bytes(row.body))
    return RawBody(
        row.stream, row.kind, body, record.raw_row, row.mapper_version, from_micros(row.fetched_at)
    )


def raw_bodies(
    database: Database, connection_id: str, older_than_mapper: int | None = None
) -> Iterator[RawBody]:
    """Bodies that live records still come from, oldest first; with `older_than_mapper` only of records that an older mapper read."""
    r, p = t.records.c, t.raw_pages.c
    query = (
        select(r.raw_page)
        .where(r.connection == number_of(connection_id), r.gone.is_(None), r.raw_page.is_not(None))
        .distinct()
    )
    if older_than_mapper is not None:
        query = query.where(r.mapper_version < older_than_mapper)
    with database.reading() as tx:
        ids = sorted(row.raw_page for row in tx.execute(query))
    for one in ids:
        with database.reading() as tx:
            found = tx.execute(select(t.raw_pages).where(p.id == one)).first()
        if found is not None:  # else pruned meanwhile: newer bodies have taken its place
            body = zlib.decompress(bytes(found.body))
            yield RawBody(
                found.stream, found.kind, body, None, found.mapper_version, from_micros(found.fetched_at)
            )


def prune_bodies(tx: Connection) -> int:
    """Delete bodies that no record comes from any more; returns how many."""
    used = select(t.records.c.raw_page).where(t.records.c.raw_page.is_not(None))
    return tx.execute(delete(t.raw_pages).where(t.raw_pages.c.id.not_in(used))).rowcount
