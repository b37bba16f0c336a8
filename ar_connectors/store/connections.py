"""Which companies does this store know, and how is each set up? No secrets: those are tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError
from ar_connectors.store import tables as t
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros, to_micros
from ar_connectors.store.rows import checked_id

__all__ = ["ConnectionInfo", "add_connection", "connections"]


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A company this store knows; `settings` holds no secrets."""

    id: str
    platform: str
    tenant: str
    settings: Mapping[str, Any]
    created_at: datetime


def add_connection(
    database: Database,
    connection_id: str,
    platform: str,
    tenant: str,
    settings: Mapping[str, Any],
    clock: Clock,
) -> None:
    """Remember a company, or give a known one new settings (JSON values, merged over the old ones)."""
    c = t.connections.c
    with database.writing() as tx:
        database.take_turn(tx, "ar-connections")
        row = tx.execute(select(t.connections).where(c.id == connection_id)).first()
        if row is None:
            tx.execute(
                insert(t.connections).values(
                    id=checked_id(connection_id),
                    platform=platform,
                    tenant=checked_id(tenant),
                    settings=_bytes(settings),
                    created_at=to_micros(clock.now()),
                )
            )
        elif settings:
            merged = {**json.loads(bytes(row.settings)), **settings}
            tx.execute(update(t.connections).where(c.id == connection_id).values(settings=_bytes(merged)))


def connections(database: Database) -> Sequence[ConnectionInfo]:
    """All companies, by id."""
    with database.reading() as tx:
        rows = tx.execute(select(t.connections).order_by(t.connections.c.id)).all()
    return [
        ConnectionInfo(
            row.id, row.platform, row.tenant, json.loads(bytes(row.settings)), from_micros(row.created_at)
        )
        for row in rows
    ]


def _bytes(settings: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(dict(settings)).encode()
    except TypeError as error:
        raise ConfigurationError(
            f"settings of a connection are JSON values: {error}",
            advice="give text, numbers, lists and mappings",
        ) from error
