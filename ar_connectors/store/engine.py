"""How are the two databases opened and written to? SQLite (WAL) and PostgreSQL behind one small class.

SQLite: WAL, file mode 0600, a busy timeout, and BEGIN IMMEDIATE for every write, so that two writers queue instead of
failing half way (design D8). PostgreSQL: psycopg 3, ordinary transactions, row locks and advisory locks; the schema is
chosen by the URL (`?options=-csearch_path%3Dmy_schema`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from ar_connectors.errors import ConfigurationError, TransientError
from ar_connectors.store.checkpoints import AHEAD, OFTEN, Checkpoints
from ar_connectors.store.trouble import translated

__all__ = ["CHUNK", "Database", "open_database"]

BUSY_SECONDS = 60
TELL_SECONDS = 2.0
"""So long a writer waits for another one before whoever wants to know is told (`tell_of_waits`)."""
CHUNK = 500
"""Ids per IN (...) list: below the limits of both databases, few enough round trips."""

_CACHE_KIB = 8192
"""Of SQLite's own page cache, for each connection: every thread of a sync has one, and what one commits empties those of the others.
The operating system's cache, which they share, does the rest."""

_MAX_MARKS = 28_000
"""Values in one statement on SQLite, which takes 32,766: all records of a page. While a statement runs, other threads compute, and its
own has to wait for them afterwards, up to five milliseconds each time: more than smaller statements win in the processor's cache."""

_open: weakref.WeakSet[Database] = weakref.WeakSet()


class Database:
    """An engine with two ways to use it: `reading` and `writing`. Thread-safe; usable in a forked child."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        # A database in memory is one connection: its users take turns.
        in_memory = isinstance(engine.pool, StaticPool)
        self._turn: AbstractContextManager[Any] = threading.RLock() if in_memory else nullcontext()
        self._writers = threading.RLock()
        self._file = (
            Path(engine.url.database) if self.is_sqlite and not in_memory and engine.url.database else None
        )
        self._checkpoints = Checkpoints(self._file) if self._file is not None else None
        _open.add(self)

    def forget_connections(self) -> None:
        """In a forked child: the parent's connections and its threads' turns are not ours."""
        self._writers = threading.RLock()
        self._checkpoints = Checkpoints(self._file) if self._file is not None else None
        self.engine.dispose(close=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the data. Raises TransientError when the database cannot be reached now."""
        options = (
            {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with self._turn, translated(), self.engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """One transaction, committed at the end, rolled back on an exception.

        On SQLite the write lock is taken at the start. `durable=False`: may be forgotten when the power fails (never when only the
        process dies); for what is worth nothing after that. Raises TransientError when another writer keeps the database too long.
        """
        with self._turn, self._write_turn(), translated(), self.engine.connect() as plain:
            connection = plain.execution_options(ar_write=True, ar_durable=durable)
            with connection.begin():
                if not durable and not self.is_sqlite:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield connection

    @contextmanager
    def _write_turn(self) -> Iterator[None]:
        """SQLite has one writer, and others ask again after a sleep that grows to a tenth of a second: the threads of one process
        wait for each other instead."""
        if not self.is_sqlite:
            yield
            return
        turn = self._writers
        if not turn.acquire(timeout=BUSY_SECONDS):
            raise TransientError(
                "the store cannot be used now: another thread keeps writing", advice="try again later"
            )
        try:
            yield
        finally:
            turn.release()

    def page_written(self) -> None:
        """A page was committed. On SQLite, every so many are copied from its log into the file, beside whoever writes next."""
        if self._checkpoints is not None:
            self._checkpoints.written()

    def tell_of_waits(self, told: Callable[[float], None]) -> None:
        """From now on `told` hears, once for each wait on SQLite, how many seconds a writer has waited for another process."""
        self.engine.update_execution_options(ar_told=told)

    def take_turn(self, connection: Connection, name: str) -> None:
        """Let one transaction at a time go on that takes this turn; it is given back at the end of the transaction. SQLite has
        one writer anyway."""
        if not self.is_sqlite:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
            )

    def insert(
        self,
        connection: Connection,
        table: str,
        shared: Mapping[str, Any],
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Insert rows into a table; `shared`: columns that have the same value in all of them.

        On SQLite many rows go as one statement, with what they share bound once. The driver gives the interpreter away around every
        statement, and where other threads compute, it gets it back only after their turn: row by row that costs more than the writing.
        """
        head = f"INSERT INTO {table} ({', '.join((*shared, *columns))}) VALUES "  # noqa: S608  names from our own code
        same = tuple(shared.values())
        if not self.is_sqlite:
            marks = ", ".join("?" * (len(shared) + len(columns)))
            self.many(connection, f"{head} ({marks})", [(*same, *row) for row in rows])
            return
        # A mark without a number takes the one after the highest so far.
        marks = ", ".join((*(f"?{place}" for place in range(1, len(shared) + 1)), *("?" * len(columns))))
        portion = _MAX_MARKS // len(columns)
        for start in range(0, len(rows), portion):
            some = rows[start : start + portion]
            values = (*same, *chain.from_iterable(some))
            connection.exec_driver_sql(head + ", ".join([f"({marks})"] * len(some)), values)

    def many(self, connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement written with `?` marks for each row, through the driver's executemany (the fast path)."""
        if rows:
            marked = statement if self.is_sqlite else statement.replace("?", "%s")
            connection.exec_driver_sql(marked, list(rows))

    def among(
        self, connection: Connection, statement: str, values: Sequence[str] | Sequence[int], *more: Any
    ) -> Sequence[Sequence[Any]]:
        """Rows of a statement written with one `AMONG` after a column, for all values at once, and `?` marks for what follows it."""
        if not values:
            return ()
        if self.is_sqlite:
            marked = statement.replace("AMONG", "IN (SELECT value FROM json_each(?))")
            return connection.exec_driver_sql(marked, (_json(values), *more)).all()
        marked = statement.replace("AMONG", "= ANY(?)").replace("?", "%s")
        return connection.exec_driver_sql(marked, (values, *more)).all()

    def rows(self, connection: Connection, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        """Rows of a statement written with `?` marks."""
        marked = statement if self.is_sqlite else statement.replace("?", "%s")
        return connection.exec_driver_sql(marked, values).all()

    def close(self) -> None:
        """Give all connections back."""
        if self._checkpoints is not None:
            self._checkpoints.wait()
        self.engine.dispose()


def _json(values: Sequence[str] | Sequence[int]) -> str:
    try:
        return msgspec.json.encode(values).decode()
    except UnicodeEncodeError:  # lone surrogates, which nothing that is stored has
        return json.dumps(values)


def _forget_connections() -> None:
    for database in _open:
        database.forget_connections()


os.register_at_fork(after_in_child=_forget_connections)


def open_database(url: str) -> Database:
    """Open a database by SQLAlchemy URL: `sqlite:///file.db`, `sqlite://` (memory) or `postgresql+psycopg://...`.

    Raises ConfigurationError for a URL that is not one of them, and for a database that cannot be opened.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The URL is not repeated, nor chained: it may hold a password.
        raise ConfigurationError(
            "the address of the store is not a database URL",
            advice="write sqlite:///ar.db or postgresql+psycopg://user@host/db",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed))
    if parsed.get_backend_name() in {"postgresql", "postgres"}:
        return Database(_postgresql(parsed))
    raise ConfigurationError(
        f"{parsed.get_backend_name()} is not supported as a store", advice="use SQLite or PostgreSQL"
    )


def _sqlite(url: URL) -> Engine:
    path = url.database
    if url.query or str(path).startswith("file:"):
        raise ConfigurationError(
            "a store on SQLite takes a plain path, without options", advice="write sqlite:///ar.db"
        )
    in_memory = not path or path == ":memory:"
    if not in_memory:
        _private_file(Path(str(path)))
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    extra: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {"pool_size": 16, "max_overflow": 48}
    engine = create_engine(url, connect_args=arguments, **extra)

    @event.listens_for(engine, "connect")
    def prepare(raw: sqlite3.Connection, _: Any) -> None:
        raw.isolation_level = None  # transactions are begun below, by us
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        # Rows hold whole records: larger pages than by default, measured a tenth cheaper a commit.
        cursor.execute("PRAGMA page_size = 16384")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {OFTEN}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("ar_write"):
            connection.exec_driver_sql("BEGIN")
            return
        # FULL: in WAL mode NORMAL would lose the last commits with the power, and with them that bytes had gone out.
        level, most = ("FULL", OFTEN) if options.get("ar_durable", True) else ("NORMAL", AHEAD)
        if connection.info.get("ar_synchronous") != level:
            connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
            connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {most}")
            connection.info["ar_synchronous"] = level
        if (told := options.get("ar_told")) is not None:
            _announce(connection, told)
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _announce(connection: Connection, told: Callable[[float], None]) -> None:
    """BEGIN IMMEDIATE, by somebody who wants to know when another process keeps the database."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(TELL_SECONDS * 1000)}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        told(TELL_SECONDS)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def _private_file(path: Path) -> None:
    """Make the file for its owner alone before SQLite opens it; -wal and -shm inherit its mode."""
    if not path.parent.exists():
        raise ConfigurationError(
            f"the folder {path.parent} of the store does not exist", advice="make it first"
        )
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.close(handle)
        path.chmod(0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the store {path} cannot be opened: {error.strerror}", advice="check the path and its rights"
        ) from error


def _postgresql(url: URL) -> Engine:
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    try:
        engine = create_engine(url, pool_size=16, max_overflow=48, pool_pre_ping=True)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigurationError(
            "PostgreSQL needs the `postgres` extra", advice="pip install 'ar-connectors[postgres]'"
        ) from error
    except (OperationalError, DBAPIError) as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise ConfigurationError(
            f"the database of the store cannot be opened: {reason}",
            advice="check its address and that it runs",
        ) from error
    return engine
