"""Budgets: what is allowed, what must wait, and what is not worth waiting for."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors.errors import ConfigurationError, QuotaExhausted
from ar_connectors.http import Limits, LocalBudget, RateLimit, ServerLimits, TenantBudget
from ar_connectors.http.budget import tightened
from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from tests.http.little_server import FakeClock

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def test_the_limits_of_quickbooks_are_kept_over_two_minutes() -> None:
    clock = FakeClock()
    budget = TenantBudget("quickbooks:1", QUICKBOOKS_LIMITS, LocalBudget(clock), clock)
    sent: list[datetime] = []
    for _ in range(1000):
        with budget.call():
            sent.append(clock.now())
    assert _busiest(sent, SECOND) <= 8
    assert _busiest(sent, MINUTE) <= 450
    assert timedelta(seconds=120) <= sent[-1] - sent[0] < timedelta(seconds=140)


def _busiest(sent: list[datetime], window: timedelta) -> int:
    """The most calls in any window that begins with a call."""
    return max(sum(1 for other in sent if moment <= other < moment + window) for moment in sent[::7])


def test_a_batch_draws_on_both_budgets() -> None:
    clock = FakeClock()
    budget = TenantBudget("quickbooks:1", QUICKBOOKS_LIMITS, LocalBudget(clock), clock)
    batches: list[datetime] = []
    for _ in range(71):
        with budget.call("batch"):
            batches.append(clock.now())
    assert _busiest(batches, MINUTE) <= 35
    assert _busiest(batches, SECOND) <= 8
    assert batches[-1] - batches[0] >= 2 * MINUTE


def test_every_wait_is_announced_before_it_is_made() -> None:
    clock = FakeClock()
    budget = TenantBudget("acme:1", Limits(((1, SECOND),), 8), LocalBudget(clock), clock)
    heard: list[tuple[float, str]] = []
    for _ in range(3):
        with budget.call(on_wait=lambda seconds, reason: heard.append((seconds, reason))):
            pass
    assert [seconds for seconds, _ in heard] == clock.slept
    assert {reason for _, reason in heard} == {"rate"}


def test_a_wait_beyond_the_cap_says_when_to_come_back() -> None:
    clock = FakeClock()
    limits = Limits(((1, timedelta(days=1)),), 8)
    budget = TenantBudget("acme:1", limits, LocalBudget(clock), clock)
    with budget.call():
        pass
    with pytest.raises(QuotaExhausted) as caught, budget.call():
        pass
    assert clock.slept == []
    assert caught.value.resume_at is not None
    assert timedelta(0) <= caught.value.resume_at - (clock.now() + timedelta(days=1)) < SECOND


def test_many_short_waits_for_slots_of_others_end_too() -> None:
    clock = FakeClock()
    counts = LocalBudget(clock)
    stuck = counts.reserve_call("acme:1", (), 1, timedelta(days=1))
    budget = TenantBudget("acme:1", Limits((), 1), counts, clock, longest_total=timedelta(seconds=5))
    with pytest.raises(QuotaExhausted, match="in_flight"), budget.call():
        pass
    counts.release_call(stuck)
    with budget.call():
        pass


def test_a_slot_of_a_dead_worker_is_free_again_after_its_time() -> None:
    clock = FakeClock()
    counts = LocalBudget(clock)
    assert counts.reserve_call("acme:1", (), 1, timedelta(seconds=30)).slot
    assert counts.reserve_call("acme:1", (), 1, timedelta(seconds=30)).slot is None
    clock.pass_by(30)
    assert counts.reserve_call("acme:1", (), 1, timedelta(seconds=30)).slot


def test_a_slot_given_back_late_takes_nobody_elses() -> None:
    clock = FakeClock()
    counts = LocalBudget(clock)
    late = counts.reserve_call("acme:1", (), 1, timedelta(seconds=30))
    clock.pass_by(31)
    assert counts.reserve_call("acme:1", (), 1, timedelta(seconds=30)).slot
    counts.release_call(late)
    counts.release_call(late)
    assert counts.reserve_call("acme:1", (), 1, timedelta(seconds=30)).slot is None


def test_a_block_is_only_ever_prolonged() -> None:
    clock = FakeClock()
    counts = LocalBudget(clock)
    counts.block_until("acme:1", clock.now() + MINUTE)
    counts.block_until("acme:1", clock.now() + SECOND)
    reservation = counts.reserve_call("acme:1", (), 1, MINUTE)
    assert (reservation.slot, reservation.wait, reservation.reason) == (None, MINUTE, "server")
    assert counts.reserve_call("acme:2", (), 1, MINUTE).slot


def test_tenants_do_not_share_a_budget_and_connections_of_one_tenant_do() -> None:
    clock = FakeClock()
    counts = LocalBudget(clock)
    limits = Limits(((1, MINUTE),), 8)
    for name in ("acme:1", "acme:2"):
        with TenantBudget(name, limits, counts, clock).call():
            pass
    assert clock.slept == []
    with TenantBudget("acme:1", limits, counts, clock).call():
        pass
    assert sum(clock.slept) == pytest.approx(60, abs=1)


def test_threads_in_flight_never_exceed_the_limit_of_a_shared_count() -> None:
    clock = FakeClock()
    counts = LocalBudget(clock)
    limits = Limits((), 4)
    budgets = [
        TenantBudget("acme:1", limits, counts, clock, longest_total=timedelta(days=9)) for _ in range(3)
    ]
    lock = threading.Lock()
    seen: Counter[str] = Counter()

    def work(number: int) -> None:
        with budgets[number % 3].call():
            with lock:
                seen["now"] += 1
                seen["most"] = max(seen["most"], seen["now"])
            with lock:
                seen["now"] -= 1
                seen["done"] += 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(300)))
    assert seen["done"] == 300
    assert 1 <= seen["most"] <= 4


def test_the_server_may_lower_and_never_raise() -> None:
    clock = FakeClock()
    budget = TenantBudget("acme:1", Limits(((8, SECOND), (450, MINUTE)), 8), LocalBudget(clock), clock)
    budget.lower(ServerLimits(((600, MINUTE), (0, SECOND)), max_in_flight=50))
    assert budget.limits == Limits(((8, SECOND), (450, MINUTE)), 8)
    budget.lower(ServerLimits(((60, MINUTE),), max_in_flight=0))
    assert budget.limits == Limits(((8, SECOND), (60, MINUTE)), 1)
    budget.lower(ServerLimits(wait=timedelta(seconds=20)))
    with budget.call():
        pass
    assert clock.slept == [20.0]


@pytest.mark.parametrize("limits", [((((0, SECOND),)), 1), (((1, timedelta(0)),), 1), (((1, SECOND),), 0)])
def test_limits_that_allow_nothing_are_refused(limits: tuple[tuple[RateLimit, ...], int]) -> None:
    with pytest.raises(ConfigurationError):
        Limits(*limits)


RATES = st.lists(
    st.tuples(st.integers(1, 500), st.integers(1, 600).map(lambda seconds: timedelta(seconds=seconds))),
    min_size=1,
    max_size=5,
)


@given(RATES, st.lists(st.integers(0, 3), min_size=1, max_size=120))
def test_whatever_rates_are_given_all_of_them_hold(rates: list[RateLimit], pauses: list[int]) -> None:
    clock = FakeClock()
    budget = TenantBudget(
        "acme:1",
        Limits(tuple(rates), 1),
        LocalBudget(clock),
        clock,
        longest_wait=timedelta(days=9),
        longest_total=timedelta(days=9),
    )
    sent: list[datetime] = []
    for pause in pauses:
        clock.pass_by(pause)
        with budget.call():
            sent.append(clock.now())
    for count, window in rates:
        for start, moment in enumerate(sent):
            # pyrate-limiter works in whole milliseconds.
            inside = [other for other in sent[start:] if other < moment + window - timedelta(milliseconds=2)]
            assert len(inside) <= count
    assert set(tightened(tightened(rates))) <= set(rates)
