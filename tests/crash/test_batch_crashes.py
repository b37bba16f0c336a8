"""Kill -9 while promises of many customers are delivered together: each date and each note stands once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.store import open_store
from ar_connectors.store.contract import WriteState
from ar_connectors.testkit.clock import ScriptedClock
from tests.crash.nursery import KEY, Nursery
from tests.crash.test_delivery_crashes import WORKERS, Office
from tests.faces.collecting import PROMISED, a_promise, many_debtors
from tests.faces.xero import XERO
from tests.soak import SEEDS


def survive(workers: Nursery, folder: Path, seed: int) -> int:
    """Promises of a dozen customers, delivered by workers that are killed; returns how many were."""
    chance, deaths = random.Random(seed), 0
    with XERO.start(invoices=10, seed=seed, clock=ScriptedClock(running=True)) as emulator:
        with emulator.service.lock:
            many_debtors(emulator.ledger, 12)
        office = Office(workers, emulator, f"sqlite:///{folder}/ar.db")
        office.work("sync")
        store = open_store(office.url, key=KEY)
        snapshot = store.snapshot(office.id)
        store.close()
        commands = [a_promise(one) for one in snapshot.invoices if str(one.number).startswith("M-")]
        assert len(commands) == 12
        office.record(commands)
        for number in range(100):
            dies_at = chance.randrange(1, chance.choice((60, 250, 600))) if number < WORKERS else 0
            deaths += office.work("deliver", dies_at)
            if office.states() == {WriteState.CONFIRMED}:
                break
            if number % 2:
                office.work("refresh")
        else:
            raise AssertionError(f"seed {seed}: {office.states()}")
        with emulator.service.lock:
            dates = [
                one.expected for one in emulator.ledger.invoices.values() if str(one.number).startswith("M-")
            ]
        assert dates == [PROMISED] * 12, f"seed {seed}"
        standing = XERO.standing(emulator)
        assert set(standing) == XERO.expected(commands), f"seed {seed}"
        assert set(standing.values()) == {1}, f"seed {seed}: {standing}"
    return deaths


@pytest.mark.parametrize("seed", range(5))
def test_killed_anywhere_each_date_and_note_stands_once(workers: Nursery, tmp_path: Path, seed: int) -> None:
    assert survive(workers, tmp_path, seed) > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_soak_of_killed_batches(workers: Nursery, tmp_path: Path, seed: int, record_property: Any) -> None:
    record_property("killed", survive(workers, tmp_path, seed))
