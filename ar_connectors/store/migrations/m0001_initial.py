"""Schema 1: everything the first release keeps, as frozen SQL."""

from __future__ import annotations

from sqlalchemy import Connection

from ar_connectors.store.migrations.frozen import create

__all__ = ["upgrade"]


def upgrade(connection: Connection) -> None:
    """Create all tables of schema 1."""
    create(connection, 1)
