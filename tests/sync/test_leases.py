"""Can two workers get in each other's way? Leases that are busy, lost, renewed; a worker that wakes up too late."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from ar_connectors.errors import LeaseLost
from ar_connectors.store import Store
from ar_connectors.store.contract import Lease
from ar_connectors.syncing import StreamOutcome
from ar_connectors.syncing.lease import LeaseKeeper, lease_name
from tests.sync.conftest import Sync
from tests.sync.paper import PaperConnector, PaperErp, Ticks
from tests.sync.truth import assert_complete, stored

TTL = timedelta(minutes=5)


def test_a_stream_that_another_worker_holds_is_reported_and_left_alone(
    run: Sync, store: Store, erp: PaperErp, connector: PaperConnector
) -> None:
    other = store.acquire_lease(lease_name(connector.id, "invoice"), "somebody else", TTL)
    assert other is not None
    report = run()
    assert report.busy == ("invoice",)
    assert not report.failures
    assert report.stream("changes").outcome is StreamOutcome.BLOCKED
    assert not [call for call in erp.calls if "invoice" in call]
    store.release_lease(other)
    assert run().complete
    assert_complete(store, erp)


@pytest.mark.parametrize("full", [False, True])
def test_a_full_run_leaves_a_busy_stream_its_cursor(
    run: Sync, store: Store, connector: PaperConnector, full: bool
) -> None:
    run()
    store.acquire_lease(lease_name(connector.id, "changes"), "somebody else", TTL)
    before = store.view(connector.id).cursor("changes")
    report = run(full=full)
    assert report.busy == ("changes",)
    assert store.view(connector.id).cursor("changes") == before


def test_leases_are_given_back_at_the_end(run: Sync, store: Store, connector: PaperConnector) -> None:
    run(owner="first")
    for spec in connector.streams():
        assert store.acquire_lease(lease_name(connector.id, spec.name), "second", TTL) is not None


def test_a_worker_that_was_paused_past_its_lease_cannot_commit(
    run: Sync, store: Store, erp: PaperErp, clock: Ticks
) -> None:
    """The fetch of a page takes so long that another worker reads the whole stream meanwhile."""

    def sleep_long(label: str) -> None:
        if label == "invoice 3":
            erp.hook = lambda _: None
            clock.sleep(
                TTL.total_seconds() + 1
            )  # nothing of this process runs meanwhile, its renewals neither
            assert run(owner="the other one", workers=1).complete
            erp.invoice("103", customer="3", balance="1.00")
            assert run(owner="the other one").complete

    erp.hook = sleep_long
    report = run(owner="the sleeper", lease_ttl=TTL, workers=1)
    assert report.stream("invoice").outcome is StreamOutcome.LEASE_LOST
    assert report.busy
    assert not report.failures
    assert stored(store)["paper:1:invoice:103"][1] == "1.00"
    assert_complete(store, erp)


def test_a_lease_that_ran_out_is_lost_though_nobody_took_it(store: Store, clock: Ticks) -> None:
    with LeaseKeeper(store, "me", TTL, clock) as keeper:
        assert keeper.acquire("x")
        clock.sleep(TTL.total_seconds() + 1)
        with pytest.raises(LeaseLost):
            keeper.current("x")


def test_a_lease_is_prolonged_when_half_of_its_time_is_gone(store: Store, clock: Ticks) -> None:
    with LeaseKeeper(store, "me", TTL, clock) as keeper:
        assert keeper.acquire("x")
        first = keeper.current("x")
        clock.sleep(60)
        assert keeper.current("x") is first
        clock.sleep(120)
        assert keeper.current("x").expires_at == clock.now() + TTL
        assert keeper.current("x").fence == first.fence
        for _ in range(10):
            clock.sleep(200)
            keeper.current("x")
    assert store.acquire_lease("x", "another", TTL) is not None


class Renewals:
    """A lease store that counts renewals and can refuse them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.problem: Exception | None = None
        self.renewed = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def renew_lease(self, lease: Lease, ttl: timedelta) -> Lease:
        self.renewed.set()
        if self.problem is not None:
            raise self.problem
        return self.store.renew_lease(lease, ttl)


def test_a_lease_is_prolonged_in_the_background_while_a_fetch_waits(store: Store, clock: Ticks) -> None:
    watched = Renewals(store)
    with LeaseKeeper(watched, "me", timedelta(milliseconds=60), clock) as keeper:
        keeper.acquire("x")
        assert watched.renewed.wait(timeout=20)
        assert keeper.current("x").owner == "me"


@pytest.mark.parametrize("problem", [LeaseLost("taken over"), OSError("the disk is gone")])
def test_what_a_renewal_in_the_background_finds_out_is_told_at_the_next_commit(
    store: Store, clock: Ticks, problem: Exception
) -> None:
    watched = Renewals(store)
    watched.problem = problem
    with LeaseKeeper(watched, "me", timedelta(milliseconds=60), clock) as keeper:
        keeper.acquire("x")
        assert watched.renewed.wait(timeout=20)
        while "x" not in keeper._lost:
            threading.Event().wait(0.005)
        with pytest.raises(type(problem)):
            keeper.current("x")


def test_a_lease_lost_inside_a_fetch_is_a_failure_and_not_another_worker(run: Sync, erp: PaperErp) -> None:
    def fail(label: str) -> None:
        if label.startswith("customer"):
            raise LeaseLost("the lease on the tokens")

    erp.hook = fail
    report = run(raise_errors=False)
    assert report.stream("customer").outcome is StreamOutcome.FAILED


def test_several_workers_at_once_read_everything_once(run: Sync, store: Store, erp: PaperErp) -> None:
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(run(workers=2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 4
    if not any(one.complete for one in reports):
        run()
    assert_complete(store, erp)
    assert sum(one.inserted for one in reports) <= len(erp.truth()) + 3 + 1
