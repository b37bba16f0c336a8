"""What does a failure of the database mean to a caller? Busy and unreachable pass; damaged, read-only and foreign files do not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ar_connectors.errors import ARError, ConfigurationError, TransientError

__all__ = ["translated"]

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_LASTING = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_PASSING_STATES = ("08", "40", "53", "55P03", "57")
"""PostgreSQL: connection lost, rolled back for another transaction, out of resources, lock not available, shut down by an operator."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn failures of the database into our own classes; what is a defect of ours (SQL, constraints) stays as it is."""
    try:
        yield
    except DBAPIError as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error
    except PoolTimeoutError as error:
        raise TransientError(
            "all database connections of this process are in use", advice="use fewer threads, or try again"
        ) from error


def _meaning(error: DBAPIError) -> ARError | None:
    cause = error.orig
    said = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in _PASSING:
            return TransientError(f"the store cannot be used now: {said}", advice="try again later")
        if code in _LASTING:
            return ConfigurationError(
                f"the file is not a store that can be written: {said}",
                advice="check the path, its rights and its disk",
            )
        return None
    state = getattr(cause, "sqlstate", None) or ""
    if error.connection_invalidated or state.startswith(_PASSING_STATES):
        return TransientError(f"the store cannot be used now: {said}", advice="try again later")
    return None
