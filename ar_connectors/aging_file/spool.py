"""Where are 300,000 rows kept while they are looked at twice? In a temporary database on disk, not in memory.

The file is read once. Its parts are spooled in order, then read back as items once it is known how the file writes numbers; the
items get their identities here, and here the list is compared with what is open in the store. Rows that could not be read and
the records that are closed wait here too: nothing that is as many as the rows is held in memory.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from ar_connectors.aging_file.items import OpenItem
from ar_connectors.connector import Rejected

__all__ = ["Spool", "Spooled"]

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(OpenItem).decode
_BATCH = 1000


class Spooled(NamedTuple):
    """An item on its way to a record."""

    position: int
    """In the list, from 1."""
    item: OpenItem
    base: str
    """Its identity as far as its row alone gives it."""
    twin: int
    """0 when no other item of the list has this identity; else its number among those that fall due on the same day."""
    remote_id: str | None
    """The identity it was given in the end."""


class Spool:
    """Items of one list, in their order. Thread-safe; gone when closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            "", check_same_thread=False, isolation_level=None
        )  # a file of SQLite's own, deleted by it
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE item (n INTEGER PRIMARY KEY, base TEXT NOT NULL, due TEXT NOT NULL, item BLOB NOT NULL,"
            " twin INTEGER NOT NULL DEFAULT 0, remote_id TEXT);"
            "CREATE TABLE customer (key TEXT PRIMARY KEY, item BLOB NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE given (id BLOB PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE gone (n INTEGER PRIMARY KEY, id TEXT NOT NULL);"
            "CREATE TABLE rejected (n INTEGER PRIMARY KEY, said TEXT NOT NULL, raw BLOB NOT NULL);"
            "BEGIN"
        )
        self._items: list[tuple[str, str, bytes]] = []
        self._customers: list[tuple[str, bytes]] = []

    def add(self, item: OpenItem, base: str) -> None:
        """Keep an item. `base`: its identity as far as the row alone gives it."""
        text = _ENCODE(item)
        self._items.append((base, item.due_date.isoformat() if item.due_date else "-", text))
        self._customers.append((item.customer_key, text))
        if len(self._items) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            self._db.executemany("INSERT INTO item (base, due, item) VALUES (?, ?, ?)", self._items)
            self._db.executemany("INSERT OR IGNORE INTO customer VALUES (?, ?)", self._customers)
        self._items.clear()
        self._customers.clear()

    def seal(self) -> None:
        """All items are there: number those that share an identity, in the order of the list."""
        self._flush()
        with self._lock:
            self._db.execute("CREATE INDEX by_base ON item (base, due, n)")
            self._db.execute(
                "UPDATE item SET twin = (SELECT count(*) FROM item AS one"
                " WHERE one.base = item.base AND one.due = item.due AND one.n <= item.n)"
                " WHERE base IN (SELECT base FROM item GROUP BY base HAVING count(*) > 1)"
            )

    def __len__(self) -> int:
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM item").fetchone()[0])

    def page(self, start: int, size: int) -> list[Spooled]:
        """Items from position `start` (0 first)."""
        with self._lock:
            rows = self._db.execute(
                "SELECT n, item, base, twin, remote_id FROM item WHERE n > ? AND n <= ? ORDER BY n",
                (start, start + size),
            ).fetchall()
        return [Spooled(n, _DECODE(text), base, twin, remote_id) for n, text, base, twin, remote_id in rows]

    def name(self, names: Sequence[tuple[Spooled, str, str]]) -> None:
        """Give items their remote ids and record ids."""
        with self._lock:
            self._db.executemany(
                "UPDATE item SET remote_id = ? WHERE n = ?",
                [(remote, one.position) for one, remote, _ in names],
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO given VALUES (?)", [(_digest(record),) for _, _, record in names]
            )

    def customer_count(self) -> int:
        """How many customers the list names."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM customer").fetchone()[0])

    def customer_page(self, start: int, size: int) -> list[OpenItem]:
        """One item of every customer, the first of each, by key, from position `start` (0 first)."""
        with self._lock:
            rows = self._db.execute(
                "SELECT item FROM customer ORDER BY key LIMIT ? OFFSET ?", (size, start)
            ).fetchall()
        return [_DECODE(text) for (text,) in rows]

    def customers(self) -> Iterator[OpenItem]:
        """The same for all customers."""
        for start in range(0, self.customer_count(), _BATCH):
            yield from self.customer_page(start, _BATCH)

    def note_missing(self, identities: Sequence[str]) -> int:
        """Keep those of these record ids that no item of this list has got; returns how many."""
        with self._lock:
            lacking = [
                (one,)
                for one in identities
                if self._db.execute("SELECT 1 FROM given WHERE id = ?", (_digest(one),)).fetchone() is None
            ]
            self._db.executemany("INSERT INTO gone (id) VALUES (?)", lacking)
        return len(lacking)

    def missing_page(self, start: int, size: int) -> list[str]:
        """Record ids that were kept as missing, from position `start` (0 first)."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id FROM gone WHERE n > ? AND n <= ? ORDER BY n", (start, start + size)
            ).fetchall()
        return [row[0] for row in rows]

    def reject(self, row: Rejected) -> None:
        """Keep a row that could not be read."""
        # Escaped to ASCII, whatever the row holds.
        said = json.dumps([row.kind, row.remote_id, row.code, row.reason, row.row])
        with self._lock:
            self._db.execute("INSERT INTO rejected (said, raw) VALUES (?, ?)", (said, row.raw))

    def rejected_page(self, start: int, size: int) -> list[Rejected]:
        """Rows that could not be read, in the order of the list, from position `start` (0 first)."""
        with self._lock:
            rows = self._db.execute(
                "SELECT said, raw FROM rejected WHERE n > ? AND n <= ? ORDER BY n", (start, start + size)
            ).fetchall()
        return [_rejected(said, raw) for said, raw in rows]

    def close(self) -> None:
        """Give the space back."""
        with self._lock:
            self._db.close()


def _rejected(said: str, raw: bytes) -> Rejected:
    kind, remote_id, code, reason, row = json.loads(said)
    return Rejected(kind, remote_id, code, reason, raw, row)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", errors="surrogatepass"), digest_size=16).digest()
