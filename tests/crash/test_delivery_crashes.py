"""Kill -9 at any checkpoint of a delivery, again and again: every fact stands where it belongs, once, and reads back as it was."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.store.contract import WriteState
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.running import Running
from ar_core.commands import Command
from tests.crash.nursery import KEY, Nursery
from tests.faces.collecting import a_debtor, a_week, debtor
from tests.faces.platform import Platform, Plug
from tests.soak import SEEDS

WORKERS = 8
"""So many may die of each half of the week; the ones after them live."""

LATER = 660.0
"""Seconds from one worker to the next: claims and leases have run out. Short, because workers that die one after the other
between a platform's rotation and our save must not use up the grace it gives (30 minutes at Xero, a day at Intuit)."""


class Office:
    """A store, an emulator, and workers that deliver from one into the other."""

    def __init__(self, workers: Nursery, emulator: Running[Any], url: str) -> None:
        self.workers, self.emulator, self.url = workers, emulator, url
        self.id = f"{emulator.erp}:{emulator.tenant}"

    def later(self) -> None:
        """Claims and leases of the dead run out, and waits are over."""
        self.emulator.clock.advance(timedelta(seconds=LATER))

    def work(self, what: str, dies_at: int = 0) -> bool:
        """One worker's life; whether it was killed."""
        task = {"what": what, "dies_at": dies_at}
        (outcome,) = self.workers.run(self.emulator, self.url, [task])
        self.later()
        return outcome.killed

    def read_into(self, url: str, plug: Plug) -> None:
        """Somebody else connects the company to a store of their own."""
        self.workers.run(self.emulator, url, [{"erp": {**self.emulator.as_json(), **plug}}])

    def record(self, commands: Sequence[Command]) -> None:
        store = ar.open_store(self.url, key=KEY)
        ar.record(store, commands)
        store.close()

    def states(self) -> set[WriteState]:
        store = ar.open_store(self.url, key=KEY)
        try:
            return {one.state for one in store.receipts(self.id)}
        finally:
            store.close()

    def activity(self, url: str) -> list[Any]:
        """Promises and disputes, without what only tells where they were read."""
        store = ar.open_store(url, key=KEY)
        try:
            snapshot = store.snapshot(self.id)
        finally:
            store.close()
        plain = {"source": None, "recorded_at": None}
        return [one.model_copy(update=plain) for one in (*snapshot.promises, *snapshot.disputes)]

    def invoices(self) -> list[Any]:
        store = ar.open_store(self.url, key=KEY)
        try:
            return debtor(store.snapshot(self.id))
        finally:
            store.close()


def survive(workers: Nursery, platform: Platform, url: str, folder: Path, seed: int) -> int:
    """A week of collecting on one company, delivered by workers that die; returns how many did."""
    chance = random.Random(seed)
    deaths = 0
    with platform.start(invoices=10, seed=seed, clock=ScriptedClock(running=True)) as emulator:
        with emulator.service.lock:
            a_debtor(emulator.ledger)
        office = Office(workers, emulator, url)
        office.work("sync")
        week = a_week(office.invoices())
        for some in (week[:1], week[1:]):
            office.record(some)
            for number in range(100):
                dies_at = chance.randrange(1, chance.choice((20, 60, 200))) if number < WORKERS else 0
                deaths += office.work("deliver", dies_at)
                if office.states() == {WriteState.CONFIRMED}:
                    break
                if (
                    number % 2
                ):  # a third death in the middle of a refresh would come after the grace that Xero gives
                    office.work("refresh")
            else:
                raise AssertionError(f"seed {seed}: not delivered after 100 workers: {office.states()}")
        standing = platform.standing(emulator)
        assert set(standing) == platform.expected(week), f"seed {seed}"
        assert set(standing.values()) == {1}, f"seed {seed}: {standing}"
        other = f"sqlite:///{folder}/other.db"
        office.work("sync")
        office.read_into(other, platform.regrant(emulator))
        assert office.activity(other) == office.activity(url), f"seed {seed}"
    return deaths


@pytest.mark.parametrize("seed", range(10))
def test_a_delivery_that_is_killed_anywhere_leaves_each_fact_once(
    workers: Nursery, platform: Platform, tmp_path: Path, seed: int
) -> None:
    assert survive(workers, platform, f"sqlite:///{tmp_path}/ar.db", tmp_path, seed) > 0


@pytest.mark.postgres
def test_the_same_on_postgresql(
    workers: Nursery, platform: Platform, tmp_path: Path, postgres_url: str
) -> None:
    assert survive(workers, platform, postgres_url, tmp_path, 100) > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_soak_of_killed_deliveries(
    workers: Nursery, platform: Platform, tmp_path: Path, seed: int, record_property: Callable[..., None]
) -> None:
    record_property("killed", survive(workers, platform, f"sqlite:///{tmp_path}/ar.db", tmp_path, seed))
