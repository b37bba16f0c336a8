"""What child processes of the store's tests run; little else is imported, because each of them pays for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from ar_connectors.store import Store, open_store
from tests.store.books import CONNECTION, cursor, invoice, page

TTL = timedelta(minutes=5)


def open_new(url: str, ready: Any, results: Any) -> None:
    """Open a store that may not exist yet."""
    ready.wait()
    try:
        store = open_store(url)
        store.add_connection("quickbooks:9341", "quickbooks", "9341")
        results.put(len(store.connections()))
        store.close()
    except Exception as error:  # the parent asserts on it
        results.put(repr(error))
        raise


def make_calls(url: str, seconds: float, results: Any) -> None:
    """Make calls as fast as the budget allows, and tell when each began and ended."""
    store = open_store(url)
    end = time.monotonic() + seconds
    spans = []
    while time.monotonic() < end:
        reservation = store.reserve_call("realm", [(6, timedelta(seconds=0.5))], 2, TTL)
        if reservation.slot is None:
            time.sleep(min(reservation.wait.total_seconds(), 0.02))
            continue
        begun = datetime.now(UTC)
        time.sleep(0.01)
        spans.append((begun, datetime.now(UTC)))
        store.release_call(reservation)
    results.put(spans)
    store.close()


def read_in_child(store: Store, results: Any) -> None:
    """Use a store that the parent opened."""
    results.put([one.id for one in store.snapshot("quickbooks:9341").invoices])


def commit_until_killed(url: str, committed: Any) -> None:
    """Commit pages of 20 invoices, each with its cursor and body, until the process is killed."""
    store = open_store(url)
    lease = store.acquire_lease("sync", "first", TTL)
    if lease is None:
        raise RuntimeError("the lease is taken")
    number = 0
    while True:
        rows = [invoice(str(number * 20 + row)) for row in range(20)]
        state = cursor(page=number + 1)
        body = b"page %d" % number
        store.commit_page(CONNECTION, page(*rows, raw=body, row_of=range(20), cursor=state), lease)
        number += 1
        committed.put(number)
