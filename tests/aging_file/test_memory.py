"""A long list takes the memory of a short one: nothing that is as many as its rows is ever held."""

from __future__ import annotations

import functools
import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.aging_file import connector as connector_module
from ar_connectors.aging_file import importing
from ar_connectors.events import Event, PageCommitted
from ar_connectors.syncing import SyncReport, sync
from ar_connectors.syncing.changed import ChangedIds
from ar_connectors.testkit.clock import ScriptedClock
from tests.aging_file.support import NOW, connector, new_store

SHORT, LONG = 1_000, 3_000
UNREADABLE = 10
"""Every tenth row."""


def _list(file: Path, rows: int, *, missing: int = 0) -> Path:
    """A list whose rows have customers of their own; without every `missing`-th row, and with rows that cannot be read."""
    with file.open("w", encoding="utf-8") as handle:
        handle.write("Transaction Type,Date,Num,Due date,Customer full name,Open balance\n")
        for n in range(rows):
            if missing and n % missing == 0:
                continue
            due = "soon" if n % UNREADABLE == 1 else f"10/{1 + n % 28:02}/2026"
            handle.write(f"Invoice,03/{1 + n % 28:02}/2026,INV-{n},{due},Customer {n},{n + 1}.25\n")
    return file


def _without_the_unreadable(file: Path) -> Path:
    """Items are closed only where every row of the list can be read."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(one for one in lines if "soon" not in one), encoding="utf-8")
    return file


def _most_alive(folder: Path, rows: int, caches: list[Any]) -> list[tuple[SyncReport, int]]:
    """Three imports (as new, the same rows from another file, a third of them gone): what each did, and the number of the
    interpreter's memory blocks at its most crowded commit, beyond those at its beginning."""
    folder.mkdir()
    files = [
        _list(folder / "new.csv", rows),
        _without_the_unreadable(_list(folder / "again.csv", rows)),
        _without_the_unreadable(_list(folder / "gone.csv", rows, missing=3)),
    ]
    found = []
    with new_store(folder) as store:
        for file in files:
            alive: list[int] = []

            def count(event: Event, alive: list[int] = alive) -> None:
                if isinstance(event, PageCommitted):
                    alive.append(_blocks(caches))

            source = connector(file, currency="USD", accept_closed=True)
            before = _blocks(caches)
            report = sync(
                source, store, owner="test", clock=ScriptedClock(NOW), observer=count, raise_errors=True
            )
            found.append((report, max(alive) - before))
    return found


def _blocks(caches: list[Any]) -> int:
    """Blocks of memory in use, without caches of parsed texts: those are bounded, and fuller after a longer list."""
    new = [one for one in gc.get_objects() if isinstance(one, functools._lru_cache_wrapper)]
    for one in (*caches, *new):
        one.cache_clear()
    gc.collect()
    return sys.getallocatedblocks()


def test_no_part_of_an_import_holds_something_for_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old_caches: list[Any]
) -> None:
    for module in (connector_module, importing):
        monkeypatch.setattr(module, "PAGE", 200)
    # It lists few, and has a limit of its own.
    monkeypatch.setattr(ChangedIds.__init__, "__defaults__", (50,))
    _most_alive(tmp_path / "warm", SHORT, old_caches)  # imports are done
    short = _most_alive(tmp_path / "short", SHORT, old_caches)
    long = _most_alive(tmp_path / "long", LONG, old_caches)
    new, again, gone = (report for report, _ in long)
    assert (new.inserted, new.quarantined) == (2 * LONG * 9 // 10 + 1, LONG // UNREADABLE)
    assert again.unchanged == new.inserted
    assert gone.updated == sum(n % 3 == 0 and n % UNREADABLE != 1 for n in range(LONG))
    for (_, few), (_, many) in zip(short, long, strict=True):
        assert many - few < (LONG - SHORT) // 10, f"{few:,} blocks for {SHORT:,} rows, {many:,} for {LONG:,}"
