"""How are the two databases opened and written to? SQLite (WAL) and PostgreSQL behind one small class.

SQLite: WAL, file mode 0600, a busy timeout, and BEGIN IMMEDIATE for every write, so that two writers queue instead of
failing half way (design D8). PostgreSQL: psycopg 3, ordinary transactions with row locks.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from ar_connectors.errors import ConfigurationError

__all__ = ["Database", "open_database"]

BUSY_SECONDS = 60
CHUNK = 500
"""Ids per IN (...) list: below the limits of both databases, few enough round trips."""


class Database:
    """An engine with two ways to use it: `reading` and `writing`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the data."""
        with self.engine.connect() as plain:
            options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end, rolled back on an exception. On SQLite the write lock is taken at the start."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(ar_write=True)
            with connection.begin():
                yield connection

    def many(self, connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement written with `?` marks for each row, through the driver's executemany (the fast path)."""
        if not rows:
            return
        if self.is_sqlite:
            cursor = connection.connection.cursor()
            try:
                cursor.executemany(statement, rows)
            finally:
                cursor.close()
        else:
            cursor = connection.connection.cursor()
            try:
                cursor.executemany(statement.replace("?", "%s"), rows)
            finally:
                cursor.close()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database by SQLAlchemy URL: `sqlite:///file.db`, `sqlite://` (memory) or `postgresql+psycopg://...`.

    Raises ConfigurationError for a URL that is not one of them.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            f"{url!r} is not a database URL",
            advice="write sqlite:///ar.db or postgresql+psycopg://user@host/db",
        ) from error
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed))
    if parsed.get_backend_name() == "postgresql":
        return Database(_postgresql(parsed))
    raise ConfigurationError(
        f"{parsed.get_backend_name()} is not supported as a store", advice="use SQLite or PostgreSQL"
    )


def _sqlite(url: URL) -> Engine:
    path = url.database
    in_memory = not path or path == ":memory:"
    if not in_memory:
        _private_file(Path(str(path)))
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    extra: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {"pool_size": 16, "max_overflow": 16}
    engine = create_engine(url, connect_args=arguments, **extra)

    @event.listens_for(engine, "connect")
    def prepare(raw: sqlite3.Connection, _: Any) -> None:
        raw.isolation_level = None  # transactions are begun below, by us
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("ar_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _private_file(path: Path) -> None:
    """Make the file for its owner alone before SQLite opens it; -wal and -shm inherit its mode."""
    if not path.parent.exists():
        raise ConfigurationError(
            f"the folder {path.parent} of the store does not exist", advice="make it first"
        )
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the store {path} cannot be opened: {error.strerror}", advice="check the path and its rights"
        ) from error
    os.close(handle)
    path.chmod(0o600)


def _postgresql(url: URL) -> Engine:
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    try:
        engine = create_engine(url, pool_size=16, max_overflow=16, pool_pre_ping=True)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigurationError(
            "PostgreSQL needs the `postgres` extra", advice="pip install 'ar-connectors[postgres]'"
        ) from error
    return engine
