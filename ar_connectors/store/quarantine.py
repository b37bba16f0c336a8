"""Which rows could not be mapped, and why? They are kept with their bytes until they map or a person decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ar_connectors.connector import Rejected
from ar_connectors.store.engine import CHUNK, Database
from ar_connectors.store.instants import from_micros
from ar_connectors.store.tables import quarantine

__all__ = ["Quarantined", "close_quarantine", "quarantined", "resolve_quarantine", "set_aside"]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One row that was set aside."""

    id: int
    stream: str
    kind: str
    remote_id: str | None
    code: str
    reason: str
    raw: bytes
    count: int
    """How often it was met."""
    first_seen: datetime
    last_seen: datetime


def set_aside(
    connection: Connection, connection_id: str, stream: str, rejected: Sequence[Rejected], at: int
) -> int:
    """Keep rows that could not be mapped; a row met again is counted, with its newest bytes and reason."""
    q = quarantine.c
    for one in rejected:
        fingerprint = _fingerprint(one.kind, one.remote_id, one.raw)
        values = {
            "stream": stream,
            "code": _text(one.code),
            "reason": _text(one.reason),
            "raw": one.raw,
            "last_seen": at,
        }
        known = connection.execute(
            update(quarantine)
            .where(q.connection_id == connection_id, q.fingerprint == fingerprint)
            .values(**values, times=q.times + 1)
        )
        if known.rowcount == 0:
            connection.execute(
                insert(quarantine).values(
                    **values,
                    connection_id=connection_id,
                    kind=_text(one.kind),
                    fingerprint=fingerprint,
                    remote_id=_text(one.remote_id) if one.remote_id is not None else None,
                    times=1,
                    first_seen=at,
                )
            )
    return len(rejected)


_ANY = select(quarantine.c.id).where(quarantine.c.connection_id == bindparam("its_connection")).limit(1)


def close_quarantine(
    connection: Connection, connection_id: str, understood: Iterable[tuple[str, str]]
) -> None:
    """A row that is understood, (kind, remote id) as the platform names it, closes what was set aside of it. However much waits, only
    these are looked up."""
    q = quarantine.c
    if connection.execute(_ANY, {"its_connection": connection_id}).first() is None:
        return
    known = list({_fingerprint(kind, remote_id, b"") for kind, remote_id in understood})
    for start in range(0, len(known), CHUNK):
        connection.execute(
            delete(quarantine).where(
                q.connection_id == connection_id,
                q.fingerprint.in_(known[start : start + CHUNK]),
                q.remote_id.is_not(None),
            )
        )


def quarantined(database: Database, connection_id: str) -> Sequence[Quarantined]:
    """Everything that is set aside, oldest first."""
    with database.reading() as connection:
        rows = connection.execute(
            select(quarantine).where(quarantine.c.connection_id == connection_id).order_by(quarantine.c.id)
        ).all()
    return [
        Quarantined(
            id=row.id,
            stream=row.stream,
            kind=_untext(bytes(row.kind)),
            remote_id=_untext(bytes(row.remote_id)) if row.remote_id is not None else None,
            code=_untext(bytes(row.code)),
            reason=_untext(bytes(row.reason)),
            raw=bytes(row.raw),
            count=row.times,
            first_seen=from_micros(row.first_seen),
            last_seen=from_micros(row.last_seen),
        )
        for row in rows
    ]


def resolve_quarantine(database: Database, connection_id: str, ids: Sequence[int]) -> int:
    """Close entries by hand; returns how many there were."""
    with database.writing() as connection:
        return connection.execute(
            delete(quarantine).where(
                quarantine.c.connection_id == connection_id, quarantine.c.id.in_(list(ids))
            )
        ).rowcount


def _fingerprint(kind: str, remote_id: str | None, raw: bytes) -> bytes:
    identity = raw if remote_id is None else _text(remote_id)
    return blake2b(_text(kind) + b"\x00" + identity, digest_size=16).digest()


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _untext(value: bytes) -> str:
    return value.decode("utf-8", "surrogatepass")
