"""The tables SuiteQL reads, as a database in a temporary file: filled from the books at the first question, then kept up with them.

Only what changed since the last question is written again, and only in the tables a question is about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.records import Kind as LedgerKind
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.netsuite.suiteql.rows import Rows
from ar_connectors.testkit.netsuite.suiteql.schema import Table
from ar_connectors.testkit.netsuite.suiteql.small import SMALL
from ar_connectors.testkit.netsuite.transactions import KINDS

__all__ = ["Warehouse"]

_Maker = Callable[[Record], Iterable[dict[str, Any]]]
_CHUNK: Final = 5000

_LARGE: Final[Mapping[str, tuple[tuple[LedgerKind, ...], str]]] = {
    "transaction": (KINDS, "transactions"),
    "transactionline": (KINDS, "lines"),
    "transactionaccountingline": (KINDS, "accounting_lines"),
    "nexttransactionlinelink": (("payment",), "links"),
    "previoustransactionlinelink": (("payment",), "links"),
    "nexttransactionlink": (("payment",), "header_links"),
    "previoustransactionlink": (("payment",), "header_links"),
    "customer": (("customer",), "customers"),
    "entity": (("customer",), "entities"),
    "contact": (("customer",), "contacts"),
}
"""Tables that are kept up record by record: of which kinds, and what makes their rows."""


class Warehouse:
    """The database. Its user holds the emulator's lock.

    Args:
        connection: knows the functions; nothing else is in it.
        tables: what to keep.
        rows: makes rows of records.
        lies: what is told wrongly.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        tables: Mapping[str, Table],
        ledger: Ledger,
        rows: Rows,
        lies: Lies,
    ) -> None:
        self.connection = connection
        self.tables = tables
        self.ledger = ledger
        self.rows = rows
        self.lies = lies
        self._read: dict[str, int] = {}
        """How much of the log each large table has seen."""
        self._small: dict[str, tuple[int, str, bool]] = {}
        self._balances: dict[str, dict[str, int]] = {}
        """By table, the revision of every customer whose row it has."""
        self._lied = 0
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-65536", "case_sensitive_like=ON"):
            connection.execute(f"PRAGMA {pragma}")
        for table in tables.values():
            self._create(table)

    def refresh(self, names: Iterable[str]) -> None:
        """Bring tables, and what BUILTIN.DF shows of theirs, up to the books."""
        with self._at_once():
            if self.lies.revision != self._lied:
                self._forget()
            for name in sorted({*names, *self._shown(names)}):
                if name in _LARGE:
                    self._follow(name)
                elif name in self.tables:
                    self._renew(name)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """One transaction: one for each row takes twenty times as long."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")

    def _shown(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            for column in self.tables[name].columns:
                if column.shown is not None and '"v_' in column.shown:
                    yield column.shown.partition('"v_')[2].partition('"')[0]

    def _forget(self) -> None:
        self._lied = self.lies.revision
        for name in self._read:
            self.connection.execute(f'DELETE FROM "v_{name}"')
        self._read.clear()
        self._balances.clear()

    def _create(self, table: Table) -> None:
        columns = [f'"{one.name}" {one.kind.value.strip()}' for one in table.stored]
        columns.append("_origin TEXT")
        keys = ", ".join(f'"{one}"' for one in table.keys)
        options = ""
        if len(table.keys) > 1:
            columns.append(f"PRIMARY KEY ({keys})")
            options = " WITHOUT ROWID"
        elif keys:
            columns[[one.name for one in table.stored].index(table.keys[0])] = f"{keys} INTEGER PRIMARY KEY"
        self.connection.execute(f'CREATE TABLE "v_{table.name}" ({", ".join(columns)}){options}')
        for name in table.indexes:
            self.connection.execute(f'CREATE INDEX "i_{table.name}_{name}" ON "v_{table.name}" ("{name}")')

    # ---- tables that follow the log

    def _follow(self, name: str) -> None:
        kinds, maker = _LARGE[name]
        make: _Maker = getattr(self.rows, maker)
        seen, end = self._read.get(name), len(self.ledger.log)
        if seen is None:
            everything = (record for kind in kinds for record in self.ledger.shelf(kind).values())
            self._write(name, make, everything)
            self._create_origin_index(name)
        elif seen < end or "customer" in kinds:
            changed = dict.fromkeys(
                (one.kind, one.id) for one in self.ledger.log[seen:end] if one.kind in kinds
            )
            if "customer" in kinds:
                changed.update(dict.fromkeys(self._rebalanced(name)))
            self._again(name, make, changed)
        self._read[name] = end
        if "customer" in kinds:
            self._balances[name] = {one.id: one.revision for one in self.ledger.customers.values()}

    def _rebalanced(self, name: str) -> Iterator[tuple[LedgerKind, str]]:
        """Customers whose balance moved: that is in no log."""
        known = self._balances[name]
        for one in self.ledger.customers.values():
            if known.get(one.id) != one.revision:
                yield "customer", one.id

    def _again(self, name: str, make: _Maker, changed: Mapping[tuple[LedgerKind, str], None]) -> None:
        origins = [(f"{kind}/{identity}",) for kind, identity in changed]
        self.connection.executemany(f'DELETE FROM "v_{name}" WHERE _origin = ?', origins)
        there = (self.ledger.shelf(kind).get(identity) for kind, identity in changed)
        self._write(name, make, (record for record in there if record is not None))

    def _create_origin_index(self, name: str) -> None:
        self.connection.execute(f'CREATE INDEX IF NOT EXISTS "o_{name}" ON "v_{name}" (_origin)')

    def _write(self, name: str, make: _Maker, records: Iterable[Record]) -> None:
        names = [one.name for one in self.tables[name].stored]
        sql = f'INSERT INTO "v_{name}" VALUES ({", ".join("?" * (len(names) + 1))})'
        batch: list[tuple[Any, ...]] = []
        for record in records:
            origin = self.rows.origin(record)
            for row in make(record):
                if self.lies.active and not self._lie(name, record, row):
                    continue
                batch.append((*map(row.get, names), origin))
            if len(batch) >= _CHUNK:
                self.connection.executemany(sql, batch)
                batch.clear()
        self.connection.executemany(sql, batch)

    def _lie(self, name: str, record: Record, row: dict[str, Any]) -> bool:
        """Tell the lies about a row; False when it is passed over in silence."""
        row["_table"] = name
        self.lies.told(self.ledger, record, row)
        return not row.get("_dropped")

    # ---- small tables, written anew

    def _renew(self, name: str) -> None:
        state = (
            self.ledger.revision,
            self.ledger.now().date().isoformat(),
            self.rows.account.allow_non_gl_changes,
        )
        if self._small.get(name) == state:
            return
        names = [one.name for one in self.tables[name].stored]
        sql = f'INSERT INTO "v_{name}" VALUES ({", ".join("?" * (len(names) + 1))})'
        self.connection.execute(f'DELETE FROM "v_{name}"')
        self.connection.executemany(sql, ((*map(row.get, names), None) for row in SMALL[name](self.rows)))
        self._small[name] = state
