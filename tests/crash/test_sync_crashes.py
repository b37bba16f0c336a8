"""Kill -9 at any checkpoint of a sync, again and again, while business goes on: afterwards the store equals the books."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.server import start_quickbooks
from tests.behavior.stories import STORIES, CannotHappenError
from tests.conftest import ROOT
from tests.crash.nursery import Nursery, nursery, wrong_in

ROUNDS = 6
SOAK_SEEDS = int(os.environ.get("AR_SOAK_SEEDS", "200"))
PROGRESS = Path(os.environ.get("AR_SOAK_PROGRESS", ROOT / "build" / "soak-sync-crashes.txt"))


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("nursery")) as made:
        yield made


def survive(workers: Nursery, url: str, seed: int) -> int:
    """One company, several rounds of business and a worker that dies in most of them; returns how many died."""
    chance = random.Random(seed)
    clock = ScriptedClock(running=True)
    stories = list(STORIES)
    chance.shuffle(stories)
    deaths = 0
    with start_quickbooks(invoices=chance.randrange(30, 70), seed=seed, clock=clock) as emulator:
        ahead = 0.0
        for _ in range(ROUNDS):
            for _ in range(chance.randrange(3)):
                with emulator.service.lock, suppress(CannotHappenError):
                    stories.pop()(emulator.ledger)
            # The leases of the dead run out meanwhile.
            ahead += 900
            clock.advance(timedelta(seconds=900))
            task = {
                "dies_at": chance.randrange(1, chance.choice((40, 400, 900))),
                "ahead": ahead,
                "full": chance.random() < 0.2,
                "workers": chance.choice((1, 3)),
            }
            (outcome,) = workers.run(emulator, url, [task])
            deaths += outcome.killed
        ahead += 900
        clock.advance(timedelta(seconds=900))
        (last,) = workers.run(emulator, url, [{"ahead": ahead}])
        assert last.report is not None
        assert last.report["complete"], last.report
        wrong = wrong_in(url, emulator)
        assert wrong == [], f"seed {seed}: {wrong[:5]}"
    return deaths


@pytest.mark.parametrize("seed", range(10))
def test_a_sync_that_is_killed_anywhere_ends_in_the_truth(
    workers: Nursery, tmp_path: Path, seed: int
) -> None:
    deaths = survive(workers, f"sqlite:///{tmp_path}/ar.db", seed)
    assert deaths > 0, "nobody died: this seed proves nothing"


@pytest.mark.postgres
@pytest.mark.parametrize("seed", [100, 101])
def test_the_same_on_postgresql(workers: Nursery, postgres_url: str, seed: int) -> None:
    assert survive(workers, postgres_url, seed) > 0


@pytest.mark.soak
def test_soak_many_seeds(workers: Nursery, tmp_path: Path) -> None:
    """AR_SOAK_SEEDS seeds (200). AR_SOAK_PROGRESS names a file of the seeds that are done: a run that was stopped goes on."""
    PROGRESS.parent.mkdir(parents=True, exist_ok=True)
    done = set(PROGRESS.read_text(encoding="utf-8").split()) if PROGRESS.exists() else set()
    deaths = 0
    for seed in range(1000, 1000 + SOAK_SEEDS):
        if str(seed) in done:
            continue
        deaths += survive(workers, f"sqlite:///{tmp_path}/{seed}.db", seed)
        with PROGRESS.open("a", encoding="utf-8") as file:
            file.write(f"{seed}\n")
    print(f"{SOAK_SEEDS} seeds, {SOAK_SEEDS - len(done)} of them now, {deaths} workers killed, nothing lost")  # noqa: T201  the figure
