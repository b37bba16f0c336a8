"""A long list takes the memory of a short one: its rows are in memory a few pages at a time."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from ar_connectors.syncing import sync
from ar_connectors.testkit.clock import ScriptedClock
from tests.aging_file.support import NOW, connector, new_store


def _list(file: Path, rows: int) -> None:
    items = (
        f"Invoice,03/{1 + n % 28:02}/2026,INV-{n},10/{1 + n % 28:02}/2026,Customer {n % 300},{n + 1}.25\n"
        for n in range(rows)
    )
    with file.open("w", encoding="utf-8") as handle:
        handle.write("Transaction Type,Date,Num,Due date,Customer full name,Open balance\n")
        handle.writelines(items)


def _peak(folder: Path, rows: int) -> int:
    """Bytes of Python objects at the most crowded moment of an import."""
    folder.mkdir()
    _list(folder / "list.csv", rows)
    with new_store(folder) as store:
        tracemalloc.start()
        try:
            source = connector(folder / "list.csv", currency="USD")
            report = sync(source, store, owner="test", clock=ScriptedClock(NOW), workers=1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert report.inserted > rows
    return peak


def test_the_peak_does_not_follow_the_length_of_the_list(tmp_path: Path) -> None:
    _peak(tmp_path / "warm", 100)  # caches and imports are no part of it
    short, long = _peak(tmp_path / "short", 3_000), _peak(tmp_path / "long", 12_000)
    assert long < short * 1.5, f"{short:,} bytes for 3,000 rows, {long:,} for 12,000"
