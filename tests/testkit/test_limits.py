"""Intuit's published limits, on a clock that only moves when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.quickbooks.limits import Limits, Pace


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock(datetime(2026, 11, 2, 17, tzinfo=UTC))


def steady(pace: Pace, clock: ScriptedClock, calls: int, every: float, *, batch: bool = False) -> int:
    """How many of so many calls, evenly spaced, are let through."""
    passed = 0
    for _ in range(calls):
        passed += pace.allows(1, batch=batch)
        clock.advance(timedelta(seconds=every))
    return passed


def test_five_hundred_calls_pass_in_a_minute_and_then_a_full_minute_must_go_by(clock: ScriptedClock) -> None:
    pace = Pace(clock, Limits())
    assert steady(pace, clock, 590, 0.1) == 500
    assert not pace.allows(1, batch=False)
    clock.advance(timedelta(seconds=1.1))
    assert pace.allows(1, batch=False), "the first calls are more than a minute old"


def test_forty_batches_pass_in_a_minute_and_other_calls_still_do(clock: ScriptedClock) -> None:
    pace = Pace(clock, Limits())
    assert steady(pace, clock, 50, 0.5, batch=True) == 40
    assert pace.allows(1, batch=False)


def test_refused_calls_do_not_count(clock: ScriptedClock) -> None:
    pace = Pace(clock, Limits(per_second=2))
    assert [pace.allows(1, batch=False) for _ in range(50)].count(True) == 2
    clock.advance(timedelta(seconds=1))
    assert pace.allows(1, batch=False)


def test_an_eleventh_call_at_a_time_is_refused(clock: ScriptedClock) -> None:
    pace = Pace(clock, Limits())
    assert pace.allows(10, batch=False)
    assert not pace.allows(11, batch=False)


def test_a_clock_set_back_does_not_open_the_gate(clock: ScriptedClock) -> None:
    pace = Pace(clock, Limits(per_second=1))
    assert pace.allows(1, batch=False)
    clock.set(clock.now() - timedelta(hours=1))
    assert not pace.allows(1, batch=False)
