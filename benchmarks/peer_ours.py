"""Our own contestant: pull and map 95,000 records, or sync them into SQLite. One JSON line, like the other programs.

python benchmarks/peer_ours.py --provider qbo --base http://127.0.0.1:8907 --mode pull|sync
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()

from ar_connectors.clock import SystemClock  # noqa: E402  imports are part of what is measured
from ar_connectors.connector import Cursor, Page  # noqa: E402
from ar_connectors.store import open_store  # noqa: E402
from ar_connectors.syncing import sync  # noqa: E402
from ar_core.model import Customer, Invoice, Payment  # noqa: E402
from benchmarks.adapters import ADAPTERS, Adapter  # noqa: E402


class Memory:
    """A view of a store that remembers cursors and nothing else: what a pull without a store needs."""

    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}

    def cursor(self, stream: str) -> Cursor | None:
        """The last cursor of a stream."""
        return self.cursors.get(stream)

    def records(self, _: Iterable[str]) -> dict[str, Any]:
        """No record is known."""
        return {}

    def record(self, _: str) -> None:
        """Nor is this one."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: ()


class Count:
    """What was pulled: records of the three entities, and the invoices' total in cents."""

    def __init__(self) -> None:
        self.records = 0
        self._total = Decimal(0)

    @property
    def cents(self) -> int:
        """The sum of the invoices' totals, which all have two places at most."""
        return int(self._total * 100)

    def take(self, records: Iterable[Any]) -> None:
        """Count one page and let it go."""
        for record in records:
            kind = type(record)  # isinstance() of a model is slow, and this is not what is to be measured
            if kind is Invoice:
                self._total += record.total
                self.records += 1
            elif kind is Customer or kind is Payment:
                self.records += 1


def pull(adapter: Adapter, workers: int) -> Count:
    """Pull every table, page by page, and drop each page once it was counted."""
    view, count = Memory(), Count()

    def keep(page: Page) -> None:
        count.take(page.records)
        if page.cursor is not None:
            view.cursors[page.cursor.stream] = page.cursor

    with ThreadPoolExecutor(workers) as pool:
        for stream in adapter.streams:
            for batch in adapter.connector.pull(stream, view):  # type: ignore[arg-type]  all that a first load looks up
                if workers == 1:
                    for fetch in batch:
                        keep(fetch.run())
                else:
                    for page in pool.map(lambda fetch: fetch.run(), batch):
                        keep(page)
    return count


def spent() -> float:
    """Seconds of processor time so far, of this process and of those it has started and seen end."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def load(adapter: Adapter, workers: int, processes: int, *, counted: bool) -> Count:
    """Sync into a new SQLite file, then count what the store holds, outside the measured time. Not `counted`: only its rows, so
    that the peak of the memory is that of the sync."""
    connector = adapter.connector
    with tempfile.TemporaryDirectory(dir=os.environ.get("AR_BENCH_SCRATCH")) as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'ar.db'}")
        usage = adapter.transport.usage
        sync(
            connector,
            store,
            owner="bench",
            clock=SystemClock(),
            workers=workers,
            processes=processes,
            usage=usage,
        )
        global FINISHED, SPENT
        FINISHED, SPENT = time.perf_counter(), spent()
        count = Count()
        if not counted:
            rows = store.counts(connector.id)
            count.records = rows["invoice"] + rows["customer"] + rows["payment"]
            store.close()
            return count
        snapshot = store.snapshot(connector.id)
        count.take((*snapshot.invoices, *snapshot.customers, *snapshot.payments))
        store.close()
    return count


FINISHED = SPENT = 0.0


def main() -> None:
    """Run one contest."""
    global FINISHED, SPENT
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--provider", choices=sorted(ADAPTERS), default="qbo")
    parser.add_argument(
        "--no-count", action="store_true", help="sync: do not read everything back to check it"
    )
    parser.add_argument("--mode", choices=["pull", "sync"], default="pull")
    parser.add_argument("--workers", type=int, default=0, help="0: 1 for pull, 5 for sync")
    parser.add_argument("--processes", type=int, default=0, help="sync: further processes that decode")
    arguments = parser.parse_args()
    adapter = ADAPTERS[arguments.provider](arguments.base)
    begun, before = time.perf_counter(), spent()
    if arguments.mode == "pull":
        count = pull(adapter, arguments.workers or 1)
        FINISHED, SPENT = time.perf_counter(), spent()
    else:
        count = load(adapter, arguments.workers or 5, arguments.processes, counted=not arguments.no_count)
    line = {
        "peer": f"ours:{arguments.mode}",
        "records": count.records,
        "fetch_s": round(FINISHED - begun, 4),
        "cpu_s": round(SPENT - before, 4),
        "import_s": round(begun - STARTED, 4),
        "total_cents": count.cents,
        "calls": adapter.transport.usage().calls,
    }
    print(json.dumps(line), flush=True)
    os._exit(0)  # do not time the tear-down


if __name__ == "__main__":
    main()
