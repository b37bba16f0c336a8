"""Does a first load of an account with more open items than a query may yield come through?

`python -m benchmarks.netsuite_load [--items N]`

The emulator of NetSuite, with its cap of 100,000 rows, serves N open invoices from a process of its own; this one loads them into
SQLite. Told are the calls (which should be ceil(N / 1000) and a constant), the processor time, and how much memory the load took
beyond what it took when a tenth was through: it should not grow with N.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path

from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.events import Event, PageCommitted
from ar_connectors.netsuite.account import Account, endpoints_of
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.testkit.ledger import Ledger, Line, Settings
from ar_connectors.testkit.netsuite.start import start_netsuite

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def _serve(items: int, pipe: Connection) -> None:
    """Runs in the other process: books of N open invoices, served until the pipe says so."""
    at = NOW - timedelta(days=320)
    ledger = Ledger(lambda: at, Settings())
    customers = [ledger.open_customer(f"Customer {number}") for number in range(100)]
    for number in range(items):
        at = NOW - timedelta(days=300) + number * timedelta(days=300) / items
        issued = at.date()
        line = Line(Decimal(number % 9000 + 1), "work")
        ledger.issue_invoice(
            customers[number % 100].id,
            [line],
            issued=issued,
            due=issued + timedelta(days=30),
            number=f"B-{number}",
        )
    with start_netsuite(ledger=ledger) as emulator:
        pipe.send(emulator.as_json())
        pipe.recv()


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Load once and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=250_000)
    items = parser.parse_args().items
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(items, theirs))
    server.start()
    plug = ours.recv()
    peaks: list[tuple[int, float]] = []
    rows = 0

    def watch(event: Event) -> None:
        nonlocal rows
        if isinstance(event, PageCommitted):
            rows += event.rows
            peaks.append((rows, _megabytes()))

    with tempfile.TemporaryDirectory() as folder:
        store = ar.open_store(f"sqlite:///{Path(folder) / 'ar.db'}", key=Fernet.generate_key())
        conn = ar.connect(
            "netsuite",
            tenant=plug["account"],
            store=store,
            credentials=CertificateCredentials(
                plug["client_id"], plug["certificate_id"], plug["private_key"]
            ),
            endpoints=endpoints_of(Account(plug["account"]), plug["base_url"]),
            settings={"time_zone": "America/Los_Angeles"},
        )
        begun, spent = time.perf_counter(), time.process_time()
        report = ar.sync(conn, store, progress=watch, streams=("reference", "invoice"))
        figures = {
            "items": items,
            "held": store.counts(conn.id)["invoice"],
            "complete": report.complete,
            "calls": report.cost.calls,
            "calls beyond ceil(items / 1000)": report.cost.calls - -(-items // 1000),
            "invoice pages": report.cost.calls_by_operation["query invoice"],
            "seconds": round(time.perf_counter() - begun, 1),
            "cpu": round(time.process_time() - spent, 1),
            "peak MB after a tenth": round(next(peak for seen, peak in peaks if seen >= items / 10), 1),
            "peak MB at the end": round(peaks[-1][1], 1),
        }
        conn.close()
        store.close()
    ours.send("done")
    server.join()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
