"""Which number has a connection? Records name theirs by a small one."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, ScalarSelect, insert, select

from ar_connectors.store import tables as t
from ar_connectors.store.engine import Database

__all__ = ["NUMBER", "number_of", "numbered"]

NUMBER: Final = "(SELECT number FROM connection_numbers WHERE id = ?)"
"""In a statement by hand: the number of a connection with this id."""


def number_of(connection_id: str) -> ScalarSelect[int]:
    """In a query: the number of a connection; NULL, which nothing equals, for one that has no records."""
    n = t.connection_numbers.c
    return select(n.number).where(n.id == connection_id).scalar_subquery()


def numbered(database: Database, tx: Connection, connection_id: str) -> int:
    """The number of a connection, given to it when it first writes a record. The caller has the turn of its records."""
    found = database.rows(tx, "SELECT number FROM connection_numbers WHERE id = ?", connection_id)
    if not found:
        n = t.connection_numbers.c
        return int(
            tx.execute(insert(t.connection_numbers).values(id=connection_id).returning(n.number)).scalar_one()
        )
    return int(found[0][0])
