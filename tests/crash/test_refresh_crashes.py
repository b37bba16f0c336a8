"""Tokens that many workers share: one refresh for all of them, and no death at any point costs the connection."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.running import Running
from tests.crash.nursery import Nursery
from tests.faces.platform import Platform
from tests.soak import SEEDS

HOUR = 3600.0


class Office:
    """Workers of one company, on the emulator's clock."""

    def __init__(self, workers: Nursery, emulator: Running[Any], url: str) -> None:
        self.workers, self.emulator, self.url = workers, emulator, url

    def later(self, seconds: float) -> None:
        self.emulator.clock.advance(timedelta(seconds=seconds))

    def task(self, **more: Any) -> dict[str, Any]:
        return {"what": "refresh", "tokens": False, **more}

    def begin(self) -> None:
        """The tokens a person consented to are in the store, and have been refreshed once."""
        self.workers.run(self.emulator, self.url, [self.task(tokens=True)])
        self.later(2 * HOUR)
        self.workers.run(self.emulator, self.url, [self.task()])


def test_eight_processes_refresh_one_expired_token_with_one_call(
    workers: Nursery, platform: Platform, url: str
) -> None:
    with platform.start(invoices=10, clock=ScriptedClock(running=True)) as emulator:
        office = Office(workers, emulator, url)
        office.begin()
        office.later(2 * HOUR)
        emulator.stats.reset()
        outcomes = workers.run(emulator, url, [office.task(real_time=True)] * 8)
        tokens = {one.report["access_token"] for one in outcomes if one.report is not None}
        assert len(outcomes) == 8
        assert len(tokens) == 1
        assert emulator.stats.calls[platform.renewal] == 1
        assert emulator.stats.statuses[401] == 0


def survive(workers: Nursery, platform: Platform, url: str, seed: int) -> int:
    """Several days in which nearly every worker that refreshes dies of it; returns how many did."""
    chance = random.Random(seed)
    deaths = 0
    with platform.start(invoices=10, seed=seed, clock=ScriptedClock(running=True)) as emulator:
        office = Office(workers, emulator, url)
        office.begin()
        (whole,) = workers.run(emulator, url, [office.task()])
        assert whole.report is not None
        for _ in range(6):
            office.later(chance.choice((1.5, 5, 25)) * HOUR)
            # A worker that refreshes passes more checkpoints than one that does not; all of them are tried.
            for _ in range(chance.randrange(1, 3)):
                (outcome,) = workers.run(emulator, url, [office.task(dies_at=chance.randrange(1, 60))])
                deaths += outcome.killed
                office.later(
                    660
                )  # its lease runs out, and two of these are shorter than any platform's grace
            (living,) = workers.run(emulator, url, [office.task()])
            assert living.report is not None, f"seed {seed}"
            assert living.report["figures"] == whole.report["figures"], f"seed {seed}"
        assert emulator.stats.double_refreshes == 0, f"seed {seed}"
        refused = [
            one for one in emulator.stats.log if one.operation.startswith("token") and one.status == 400
        ]
        assert not refused, f"seed {seed}: a refresh token was refused"
    return deaths


@pytest.mark.parametrize("seed", range(10))
def test_a_refresh_that_is_killed_anywhere_costs_no_connection(
    workers: Nursery, platform: Platform, tmp_path: Path, seed: int
) -> None:
    assert survive(workers, platform, f"sqlite:///{tmp_path}/ar.db", seed) > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_soak_of_killed_refreshes(
    workers: Nursery, platform: Platform, tmp_path: Path, seed: int, record_property: Callable[..., None]
) -> None:
    record_property("killed", survive(workers, platform, f"sqlite:///{tmp_path}/ar.db", seed))
