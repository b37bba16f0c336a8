"""One tenant, several workers, one store: together they keep the limits that each of them alone would keep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ar_connectors.clock import SystemClock
from ar_connectors.errors import QuotaExhausted
from ar_connectors.http import Limits, TenantBudget
from ar_connectors.store import Store, open_store
from tests.http.little_server import FakeClock


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ar.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def stores(url: str) -> Iterator[list[Store]]:
    """Three stores on one database, as three processes have them."""
    opened = [open_store(url) for _ in range(3)]
    yield opened
    for one in opened:
        one.close()


def test_calls_in_flight_of_all_workers_stay_below_the_limit(stores: list[Store]) -> None:
    clock = SystemClock()
    limits = Limits(((10_000, timedelta(seconds=1)),), max_in_flight=4)
    budgets = [TenantBudget("acme:1", limits, store, clock) for store in stores]
    lock = threading.Lock()
    now, most, done = 0, 0, 0

    def work(number: int) -> None:
        nonlocal now, most, done
        with budgets[number % 3].call():
            with lock:
                now += 1
                most = max(most, now)
            clock.sleep(0.01)
            with lock:
                now -= 1
                done += 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(60)))
    assert done == 60
    assert 1 < most <= 4


def test_the_rate_of_all_workers_stays_below_the_limit(url: str) -> None:
    clock = FakeClock()
    stores = [open_store(url, clock=clock) for _ in range(3)]
    budgets = [
        TenantBudget("acme:1", Limits(((5, timedelta(seconds=1)),), 8), store, clock) for store in stores
    ]
    sent: list[datetime] = []
    for number in range(40):
        with budgets[number % 3].call():
            sent.append(clock.now())
    for start, moment in enumerate(sent):
        assert sum(1 for other in sent[start:] if other < moment + timedelta(seconds=1)) <= 5
    assert sent[-1] - sent[0] >= timedelta(seconds=7)
    for store in stores:
        store.close()


def test_what_one_worker_is_told_holds_for_all(url: str) -> None:
    clock = FakeClock()
    stores = [open_store(url, clock=clock) for _ in range(2)]
    first, second = (TenantBudget("acme:1", Limits((), 8), store, clock) for store in stores)
    first.block(clock.now() + timedelta(seconds=30))
    with second.call():
        pass
    assert sum(clock.slept) == pytest.approx(30)
    first.block(clock.now() + timedelta(hours=9))
    with pytest.raises(QuotaExhausted) as caught, second.call():
        pass
    assert caught.value.resume_at == clock.now() + timedelta(hours=9)
    for store in stores:
        store.close()
