"""Schema 1: everything the first release keeps."""

from __future__ import annotations

from sqlalchemy import Connection

from ar_connectors.store.tables import metadata

__all__ = ["upgrade"]


def upgrade(connection: Connection) -> None:
    """Create all tables. Until the first release is out, `tables.py` is schema 1; the next change freezes it here."""
    metadata.create_all(connection, checkfirst=False)
