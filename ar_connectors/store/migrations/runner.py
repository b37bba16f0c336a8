"""How does an old database become a new one? Numbered steps, forward only, each in its own transaction.

Several processes may open a new store at once: the first takes the write lock, the others find the work done. A store
that a newer release has written is refused, because an older one would misread it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, func, insert, inspect, select

from ar_connectors.errors import ConfigurationError
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.migrations import m0001_initial
from ar_connectors.store.tables import schema_version

__all__ = ["STEPS", "migrate"]

STEPS: tuple[tuple[int, Callable[[Connection], None]], ...] = ((1, m0001_initial.upgrade),)
"""Number and step, ascending. A step that has been released is never changed."""


def migrate(database: Database, now: datetime) -> int:
    """Bring the schema up to date; returns its number. Raises ConfigurationError for a store of a newer release, or of a version
    that was never released."""
    newest = STEPS[-1][0]
    with database.reading() as connection:
        current = _current(connection)
        if current > 0:
            m0001_initial.require_layout(connection)
        if current == newest:
            # The common case takes no write lock: opening a store waits for nobody.
            return newest
    with database.writing() as connection:
        database.take_turn(connection, "ar-schema")
        current = _current(connection)
        if current > newest:
            raise ConfigurationError(
                f"this store has schema {current}, this release knows {newest}",
                advice="use the release of ar-connectors that made it, or a newer one",
            )
        for number, step in STEPS:
            if number > current:
                step(connection)
                connection.execute(insert(schema_version).values(number=number, applied_at=to_micros(now)))
    return newest


def _current(connection: Connection) -> int:
    if not inspect(connection).has_table(schema_version.name):
        return 0
    return connection.execute(select(func.max(schema_version.c.number))).scalar() or 0
