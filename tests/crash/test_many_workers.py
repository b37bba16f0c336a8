"""Several processes on one company: everything is read, nothing twice, and never too many calls at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.server import start_quickbooks
from tests.crash.nursery import Nursery, nursery, wrong_in


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("nursery")) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ar.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


def test_four_processes_share_one_company_and_its_limits(workers: Nursery, url: str) -> None:
    with start_quickbooks(invoices=45, seed=5, clock=ScriptedClock(running=True), limits=True) as emulator:
        emulator.faults.add(
            "slow", times=None, seconds=1.0
        )  # so that calls pile up if nobody holds them back
        task = {"real_time": True, "workers": 5}
        outcomes = workers.run(emulator, url, [task] * 4)
        emulator.faults.clear()
        seen = emulator.stats
        assert seen.statuses[429] == 0
        assert seen.calls["query Invoice"] > 5, "the pages are not small: nothing could pile up"
        assert 1 < seen.max_in_flight <= QUICKBOOKS_LIMITS.max_in_flight
        reports = [one.report for one in outcomes]
        assert all(one is not None for one in reports)
        if not any(one and one["complete"] for one in reports):
            workers.run(emulator, url, [{"real_time": True}])
        assert wrong_in(url, emulator) == []
