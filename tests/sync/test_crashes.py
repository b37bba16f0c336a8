"""Does a run that dies anywhere lose nothing, and read at most one window again?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_connectors.errors import ARError, TransientError
from ar_connectors.store import Store, open_store
from ar_connectors.syncing import sync
from ar_core.model import RecordKind
from tests.sync.conftest import Sync
from tests.sync.paper import PaperConnector, PaperErp, Ticks
from tests.sync.truth import assert_complete


class Killed(BaseException):
    """The process dies here."""


class Mortal:
    """A store that dies at its nth checkpoint: before a call does anything, or after it did."""

    WATCHED = ("acquire_lease", "renew_lease", "commit_page", "reset_stream")

    def __init__(self, store: Store, dies_at: int) -> None:
        self.store = store
        self.dies_at = dies_at
        self.passed = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.store, name)
        if name == "release_lease":  # the dead give nothing back
            return real if self.passed < self.dies_at else lambda *_: None
        return self._watch(real) if name in self.WATCHED else real

    def _watch(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._checkpoint()
            result = real(*arguments)
            self._checkpoint()
            return result

        return call

    def _checkpoint(self) -> None:
        self.passed += 1
        if self.passed >= self.dies_at:
            raise Killed


def checkpoints(erp: PaperErp, clock: Ticks, folder: Path) -> int:
    """How many a first load passes."""
    store = open_store(f"sqlite:///{folder}/count.db", clock=clock)
    counted = Mortal(store, 10_000)
    sync(PaperConnector(erp), counted, owner="count", clock=clock, workers=1)
    store.close()
    return counted.passed


def test_a_run_that_dies_at_any_checkpoint_is_gone_on_with(
    erp: PaperErp, clock: Ticks, tmp_path: Path
) -> None:
    count = checkpoints(erp, clock, tmp_path)
    assert count >= 40
    connector = PaperConnector(erp)
    erp.calls.clear()
    sync(connector, fresh(tmp_path / "whole.db", clock), owner="whole", clock=clock, workers=1)
    whole = len(erp.calls)
    for dies_at in range(1, count + 1):
        store = fresh(tmp_path / f"{dies_at}.db", clock)
        erp.calls.clear()
        with pytest.raises(Killed):
            sync(connector, Mortal(store, dies_at), owner="the dead", clock=clock, workers=1)
        clock.sleep(301)  # its leases run out
        sync(connector, store, owner="the next", clock=clock, workers=1)
        assert_complete(store, erp)
        # One page read ahead, one page hit, and the first question of the stream that was interrupted.
        assert len(erp.calls) <= whole + 3, f"died at {dies_at}"
        store.close()


def fresh(path: Path, clock: Ticks) -> Store:
    return open_store(f"sqlite:///{path}", clock=clock)


@pytest.mark.parametrize("dies_at", [3, 9, 17, 26])
def test_a_run_with_many_workers_that_dies_is_gone_on_with(
    run: Sync, store: Store, erp: PaperErp, clock: Ticks, dies_at: int
) -> None:
    with pytest.raises(Killed):
        run(store=Mortal(store, dies_at))
    clock.sleep(301)
    assert run().complete
    assert_complete(store, erp)


Event = tuple[str, int]
BUSINESS = st.tuples(st.sampled_from(["invoice", "pay", "delete", "customer"]), st.integers(0, 9))
FAULTS = st.lists(st.integers(0, 40), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    stories=st.lists(st.tuples(st.lists(BUSINESS, max_size=6), FAULTS, st.integers(1, 4)), max_size=5),
    size=st.integers(1, 4),
)
def test_any_interleaving_of_business_and_failures_ends_in_the_same_store(
    tmp_path_factory: pytest.TempPathFactory,
    stories: list[tuple[list[Event], list[int], int]],
    size: int,
) -> None:
    """Each round: something happens at the company, then a run in which some questions fail. At last one run that goes well."""
    erp = PaperErp(page_size=size)
    for number in range(3):
        erp.customer(str(number))
        erp.invoice(str(number), customer=str(number))
    clock = Ticks()
    store = fresh(tmp_path_factory.mktemp("any") / "ar.db", clock)
    connector = PaperConnector(erp)
    serial = 1000
    for number, (events, faults, workers) in enumerate(stories):
        for what, which in events:
            serial += 1
            happen(erp, what, str(which), str(serial))
        erp.calls.clear()

        def fail(label: str, faults: list[int] = faults) -> None:
            if len(erp.calls) in faults:
                raise TransientError(f"{label}: the line broke")

        erp.hook = fail
        report = sync(
            connector,
            store,
            owner=f"run {number}",
            clock=clock,
            workers=workers,
            raise_errors=False,
            full=bool(number % 3 == 2),
        )
        assert all(isinstance(one, ARError) for one in report.failures)
        assert report.complete == (not report.failures)
    erp.hook = lambda _: None
    sync(connector, store, owner="last", clock=clock)
    assert_complete(store, erp)
    store.close()


def happen(erp: PaperErp, what: str, which: str, serial: str) -> None:
    """One event of business; what makes no sense does not happen."""
    row = erp.rows.get((RecordKind.INVOICE, which))
    if what == "customer":
        erp.customer(which, f"Renamed {serial}")
    elif what == "invoice":
        erp.invoice(which, customer="0", total=f"{serial}.00")
    elif row is not None and not row["deleted"]:
        if what == "pay":
            erp.pay(serial, which, "1.00", customer=row["customer"])
        else:
            erp.delete(RecordKind.INVOICE, which)
