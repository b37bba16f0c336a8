"""How long does one page of 1,000 invoices take into the store? Medians, by database; also the re-read and the snapshot.

python benchmarks/store_commit.py [--url postgresql+psycopg://...] [--pages 20] [--snapshot 100000]
Without --url a fresh SQLite file is used. A PostgreSQL URL must name a schema of its own that may be filled.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import ar_core as core
from ar_connectors.connector import Cursor, Page
from ar_connectors.store import Store, open_store

CONNECTION = "quickbooks:9341"
ROWS = 1000
LINES = 4
UPDATED = datetime(2026, 11, 1, 12, tzinfo=UTC)


def rid(kind: str, number: int) -> str:
    """A record id."""
    return f"{CONNECTION}:{kind}:{number}"


def source(kind: str, number: int, version: str) -> core.Source:
    """Provenance as QuickBooks gives it."""
    return core.Source.trusted(
        platform="quickbooks",
        tenant="9341",
        kind=kind,
        remote_id=str(number),
        version=version,
        updated_at=UPDATED + timedelta(seconds=number % 3600),
    )


def lines(number: int) -> tuple[core.Line, ...]:
    """Lines of an invoice, all different."""
    return tuple(
        core.Line.trusted(
            remote_id=str(line),
            kind=core.LineKind.ITEM,
            description=f"Work on job {number}, part {line}",
            item="Services",
            item_id="11",
            account_id="79",
            quantity=Decimal(line + 1),
            unit_price=Decimal("12.50"),
            amount=Decimal("12.50") * (line + 1),
        )
        for line in range(LINES)
    )


def invoice(number: int, version: str) -> core.Invoice:
    """One invoice with its lines."""
    return core.Invoice.trusted(
        id=rid("invoice", number),
        source=source("Invoice", number, version),
        number=f"INV-{number}",
        customer_id=rid("customer", number % 1000),
        issue_date=date(2026, 10, 1),
        due_date=date(2026, 10, 31),
        currency="USD",
        total=Decimal("125.00"),
        balance_due=Decimal("25.00"),
        document_status=core.DocumentStatus.POSTED,
        billing_email=f"ap{number % 1000}@example.com",
        memo="Thank you",
        lines=lines(number),
    )


def contact(number: int) -> core.Contact:
    """A customer's mailbox."""
    customer = rid("customer", number)
    return core.Contact.trusted(
        id=f"{rid('contact', number)}",
        customer_id=customer,
        source=source("Customer", number, "0"),
        person=f"Person {number}",
        email=f"ap{number}@example.com",
    )


def allocation(number: int) -> core.Allocation:
    """A payment applied to an invoice."""
    parent, target = rid("payment", number), rid("invoice", number)
    return core.Allocation.trusted(
        id=core.allocation_id(parent, target, 0),
        parent_id=parent,
        source=source("Payment", number, "0"),
        source_id=parent,
        target_id=target,
        amount=Decimal("100.00"),
        currency="USD",
        target_amount=Decimal("100.00"),
        target_currency="USD",
    )


def body(first: int) -> bytes:
    """About what QuickBooks sends for such rows: 1.5 kB each."""
    row = {"Line": [{"Id": str(i), "Amount": 12.5, "Description": "Work on a job"} for i in range(LINES)]}
    filler = {f"Field{i}": f"value {i}" for i in range(40)}
    rows = [{"Id": str(n), "DocNumber": f"INV-{n}", **row, **filler} for n in range(first, first + ROWS)]
    return json.dumps({"QueryResponse": {"Invoice": rows}}).encode()


def page(first: int, version: str = "0") -> Page:
    """1,000 invoices with lines, and 500 contacts and 500 allocations beside them."""
    numbers = range(first, first + ROWS)
    records: list[Any] = [invoice(number, version) for number in numbers]
    extra = range(first, first + ROWS // 2)
    records += [contact(number) for number in extra]
    records += [allocation(number) for number in extra]
    return Page(
        records=records,
        rows=ROWS,
        row_of=[*range(ROWS), *range(ROWS // 2), *range(ROWS // 2)],
        replaces=[rid("payment", number) for number in extra],
        raw=body(first),
        stream="invoice",
        kind="Invoice",
        cursor=Cursor("invoice", {"next": first + ROWS}),
    )


def timed(run: Callable[[], Any]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def measure(store: Store, pages: int, snapshot_of: int) -> dict[str, float]:
    """Medians in milliseconds (the snapshot in seconds)."""
    lease = store.acquire_lease("bench", "bench", timedelta(hours=1))
    if lease is None:
        raise SystemExit("another benchmark runs on this store")
    first = [page(n * ROWS) for n in range(pages)]
    later = [page(n * ROWS, "1") for n in range(pages)]

    def median_of(some: list[Page]) -> float:
        return statistics.median(timed(partial(store.commit_page, CONNECTION, one, lease)) for one in some)

    result = {
        "first_load_ms": median_of(first),
        "unchanged_ms": median_of(first),
        "all_changed_ms": median_of(later),
    }
    for n in range(pages, snapshot_of // ROWS):
        store.commit_page(CONNECTION, page(n * ROWS), lease)
    result["snapshot_s"] = timed(lambda: store.snapshot(CONNECTION)) / 1000
    now = datetime.now(UTC)
    result["snapshot_known_at_s"] = timed(lambda: store.snapshot(CONNECTION, known_at=now)) / 1000
    return {name: round(value, 2) for name, value in result.items()}


def main() -> None:
    """Measure one database, print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--snapshot", type=int, default=100_000, help="invoices in the snapshot")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(arguments.url or f"sqlite:///{Path(folder) / 'ar.db'}")
        print(json.dumps({"pages": arguments.pages, **measure(store, arguments.pages, arguments.snapshot)}))
        store.close()


if __name__ == "__main__":
    main()
