"""Kill -9 at any checkpoint of a sync, again and again, while business goes on: afterwards the store equals the books."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from tests.behavior.stories import CannotHappenError
from tests.crash.nursery import Nursery, wrong_in
from tests.faces.platform import Platform
from tests.soak import SEEDS

ROUNDS = 6


def survive(workers: Nursery, platform: Platform, url: str, seed: int) -> int:
    """One company, several rounds of business and a worker that dies in most of them; returns how many died."""
    chance = random.Random(seed)
    clock = ScriptedClock(running=True)
    stories = list(platform.stories)
    chance.shuffle(stories)
    deaths = 0
    with platform.start(invoices=chance.randrange(30, 70), seed=seed, clock=clock) as emulator:
        for number in range(ROUNDS):
            for _ in range(chance.randrange(3)):
                with emulator.service.lock, suppress(CannotHappenError):
                    stories.pop()(emulator.ledger)
            # The leases of the dead run out meanwhile.
            clock.advance(timedelta(seconds=900))
            task = {
                "dies_at": chance.randrange(1, chance.choice((40, 400, 900))),
                "full": chance.random() < 0.2,
                "workers": chance.choice((1, 3)),
            }
            (outcome,) = workers.run(emulator, url, [task])
            deaths += outcome.killed
            # A third death in the middle of a refresh would come after the grace that Xero gives.
            if number % 2:
                workers.run(emulator, url, [{"what": "refresh"}])
        clock.advance(timedelta(seconds=900))
        (last,) = workers.run(emulator, url, [{}])
        assert last.report is not None
        assert last.report["complete"], last.report
        wrong = wrong_in(url, emulator)
        assert wrong == [], f"seed {seed}: {wrong[:5]}"
    return deaths


@pytest.mark.parametrize("seed", range(10))
def test_a_sync_that_is_killed_anywhere_ends_in_the_truth(
    workers: Nursery, platform: Platform, tmp_path: Path, seed: int
) -> None:
    deaths = survive(workers, platform, f"sqlite:///{tmp_path}/ar.db", seed)
    assert deaths > 0, "nobody died: this seed proves nothing"


@pytest.mark.postgres
@pytest.mark.parametrize("seed", [100, 101])
def test_the_same_on_postgresql(workers: Nursery, platform: Platform, postgres_url: str, seed: int) -> None:
    assert survive(workers, platform, postgres_url, seed) > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_soak_of_killed_syncs(
    workers: Nursery, platform: Platform, tmp_path: Path, seed: int, record_property: Callable[..., None]
) -> None:
    record_property("killed", survive(workers, platform, f"sqlite:///{tmp_path}/ar.db", seed))
