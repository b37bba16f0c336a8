"""Does the import of an aging list take memory with its length? `python -m benchmarks.aging_import [--sizes 30000,300000]`.

Each size is imported twice into one new SQLite store, by a process of its own each time: as new, and again with a tenth of the
items gone and the others unchanged. Printed: peak resident memory and processor time as the kernel counts them, imports included.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.environment import ROOT
from benchmarks.processes import Measured, measure

AS_OF = date(2026, 11, 20)
_HEADINGS = (
    ["", "Date", "Transaction Type", "Num", "Customer full name", "Due date", "Amount", "Open balance"],
)


def write_list(path: Path, rows: int, *, skip: int = 0) -> None:
    """An A/R Aging Detail of `rows` items of a tenth as many customers; without every `skip`-th item."""
    sums = Decimal(0)
    with path.open("w", newline="", encoding="utf-8") as handle:
        sheet = csv.writer(handle)
        sheet.writerows(
            [
                ["Acme Supplies Inc."],
                ["A/R Aging Detail"],
                [f"As of {AS_OF:%B} {AS_OF.day}, {AS_OF.year}"],
                [],
            ]
        )
        sheet.writerows(_HEADINGS)
        sheet.writerow(["1 or more days past due"])
        for number in range(rows):
            if skip and number % skip == 0:
                continue
            issued = AS_OF - timedelta(days=31 + number % 300)
            amount = Decimal(number % 90_000 + 1000) / 100
            sums += amount
            sheet.writerow(
                [
                    "",
                    f"{issued:%m/%d/%Y}",
                    "Invoice",
                    f"INV-{number}",
                    f"Customer {number % (rows // 10)} & Sons",
                    f"{issued + timedelta(days=30):%m/%d/%Y}",
                    f"{amount * 2:,}",
                    f"{amount:,}",
                ]
            )
        sheet.writerow(["Total for 1 or more days past due", *[""] * 6, f"{sums:,}"])
        sheet.writerow(["TOTAL", *[""] * 6, f"{sums:,}"])


_CHILD = """
import json, sys, time
from ar_connectors.aging_file.connector import AgingFileConnector
from ar_connectors.aging_file.settings import read_settings
from ar_connectors.clock import SystemClock
from ar_connectors.store import open_store
from ar_connectors.syncing import sync

file, database = sys.argv[1:]
begun, spent = time.perf_counter(), time.process_time()
settings = read_settings({"file": file, "currency": "USD", "accept_closed": True}, "acme")
with open_store(f"sqlite:///{database}") as store:
    report = sync(AgingFileConnector("acme", settings), store, owner="bench", clock=SystemClock())
print(json.dumps({
    "records": report.inserted + report.updated + report.unchanged,
    "fetch_s": time.perf_counter() - begun,
    "cpu_s": time.process_time() - spent,
}))
"""


def imported(file: Path, database: Path) -> Measured:
    """Import a list in a process of its own. Raises RuntimeError with its error output."""
    return measure([sys.executable, "-c", _CHILD, str(file), str(database)], env={"PYTHONPATH": str(ROOT)})


def main() -> None:
    """Measure every size, print a line for each import, and how the peaks grow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="30000,300000")
    arguments = parser.parse_args()
    peaks = []
    for rows in map(int, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            first, later, database = (Path(folder) / name for name in ("first.csv", "later.csv", "ar.db"))
            write_list(first, rows)
            write_list(later, rows, skip=10)
            runs = {"new": imported(first, database), "again, a tenth gone": imported(later, database)}
        for name, one in runs.items():
            figures = f"peak {one.peak_mb:.0f} MB, processor {one.work:.1f} s ({one.work / rows * 1e6:.0f} µs a row)"
            print(f"{rows:>9,} rows, {name}: {figures}", flush=True)
        peaks.append(max(one.peak_mb for one in runs.values()))
    print(f"ratio of the peaks {peaks[-1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
