"""Several processes on one company: everything is read, nothing twice, and never too many calls at once."""

from __future__ import annotations

from ar_connectors.testkit.clock import ScriptedClock
from tests.crash.nursery import Nursery, wrong_in
from tests.faces.platform import Platform


def test_four_processes_share_one_company_and_its_limits(
    workers: Nursery, platform: Platform, url: str
) -> None:
    clock = ScriptedClock(running=True)
    with platform.start(invoices=45, seed=5, clock=clock, limits=True) as emulator:
        # So that calls pile up if nobody holds them back.
        emulator.faults.add("slow", times=None, seconds=1.0)
        task = {"real_time": True, "workers": 5}
        outcomes = workers.run(emulator, url, [task] * 4)
        emulator.faults.clear()
        seen = emulator.stats
        assert seen.statuses[429] == 0
        assert seen.calls[platform.pages] > 3, "the pages are not small: nothing could pile up"
        assert 1 < seen.max_in_flight <= platform.max_in_flight
        reports = [one.report for one in outcomes]
        assert all(one is not None for one in reports)
        if not any(one and one["complete"] for one in reports):
            workers.run(emulator, url, [{"real_time": True}])
        assert wrong_in(url, emulator) == []
