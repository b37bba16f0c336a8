"""Schema 1: everything the first release keeps, as frozen SQL."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from ar_connectors.errors import ConfigurationError
from ar_connectors.store.migrations.frozen import create, layout
from ar_connectors.store.tables import store_facts

__all__ = ["require_layout", "upgrade"]

_LAYOUT = "layout"


def upgrade(connection: Connection) -> None:
    """Create all tables of schema 1."""
    create(connection, 1)
    connection.execute(insert(store_facts).values(name=_LAYOUT, value=layout(connection, 1)))


def require_layout(connection: Connection) -> None:
    """Raise ConfigurationError for a store whose schema 1 is not the one that was released: one made by a version in development,
    whose records would be misread."""
    query = select(store_facts.c.value).where(store_facts.c.name == _LAYOUT)
    if connection.execute(query).scalar() != layout(connection, 1):
        raise ConfigurationError(
            "this store was made by an earlier version in development, which laid out its records in another way",
            advice="deliver what waits in it with the version that made it, then sync into a new store; it cannot be converted",
        )
