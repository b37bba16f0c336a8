"""May a call go out now? Rates and concurrency slots of one tenant, shared with everybody who works on that tenant.

`LocalBudget` keeps the counts in this process; a store that implements the same protocol keeps them for all processes (D9,
docs/adr/0007-budgets.md). `TenantBudget` does the waiting on top of either: bounded, counted, and announced.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError, QuotaExhausted
from ar_connectors.http.contract import BudgetStore, Reservation

__all__ = ["Limits", "LocalBudget", "RateLimit", "ServerLimits", "TenantBudget", "tightened"]

RateLimit = tuple[int, timedelta]
"""At most so many calls in any window of this length."""

_FREE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows one tenant. Raises ConfigurationError for a limit that allows nothing."""

    rates: tuple[RateLimit, ...]
    max_in_flight: int
    by_class: Mapping[str, tuple[RateLimit, ...]] = field(default_factory=dict)
    """Further rates that requests of a class draw on besides the general ones."""

    def __post_init__(self) -> None:
        everything = itertools.chain(self.rates, *self.by_class.values())
        if self.max_in_flight < 1 or any(count < 1 or window <= _FREE for count, window in everything):
            raise ConfigurationError(
                "a limit allows no call at all",
                advice="give positive counts, windows and slots, or switch the connection off",
            )


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What an answer said about limits. It may only lower what is configured."""

    rates: tuple[RateLimit, ...] = ()
    max_in_flight: int | None = None
    wait: timedelta | None = None
    """Nobody may call before this much time has passed (the count of the current window is used up)."""


def tightened(rates: Iterable[RateLimit]) -> tuple[RateLimit, ...]:
    """The rates that matter, shortest window first: of one window only the lowest count stays, and a rate that another one
    implies is left out: pyrate-limiter refuses lists with such entries."""
    lowest: dict[timedelta, int] = {}
    for count, window in rates:
        lowest[window] = min(count, lowest.get(window, count))
    kept: list[RateLimit] = []
    for window, count in sorted(lowest.items()):
        while kept and kept[-1][0] >= count:
            kept.pop()
        if not kept or kept[-1][0] / kept[-1][1].total_seconds() > count / window.total_seconds():
            kept.append((count, window))
    return tuple(kept)


class LocalBudget:
    """The counts of any number of resources, for the threads of this process. Implements `BudgetStore`.

    Slots expire as they do in a store, so that a thread that died without giving back does not narrow the road for ever.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._buckets: dict[str, InMemoryBucket] = {}
        self._slots: dict[str, dict[str, datetime]] = {}
        self._blocked: dict[str, datetime] = {}

    def reserve_call(
        self, resource: str, rates: Sequence[RateLimit], max_in_flight: int, ttl: timedelta
    ) -> Reservation:
        """A slot and one unit of every rate, or nothing but the time to wait."""
        with self._lock:
            now = self._clock.now()
            blocked = self._blocked.get(resource)
            if blocked is not None and blocked > now:
                return Reservation(None, blocked - now, "server")
            slots = self._slots.setdefault(resource, {})
            for slot in [slot for slot, until in slots.items() if until <= now]:
                del slots[slot]
            if len(slots) >= max_in_flight:
                # When one is given back is not known; asked again soon, and at the latest when the oldest expires.
                return Reservation(
                    None, min(timedelta(milliseconds=50), min(slots.values()) - now), "in_flight"
                )
            wait = self._take_unit(resource, tightened(rates), now)
            if wait > _FREE:
                return Reservation(None, wait, "rate")
            slot = f"{resource}#{next(self._numbers)}"
            slots[slot] = now + ttl
            return Reservation(slot, _FREE)

    def _take_unit(self, resource: str, rates: tuple[RateLimit, ...], now: datetime) -> timedelta:
        if not rates:
            return _FREE
        wanted = [Rate(count, round(window.total_seconds() * 1000)) for count, window in rates]
        bucket = self._buckets.get(resource)
        if bucket is None:
            bucket = self._buckets[resource] = InMemoryBucket(wanted)
        elif [(rate.limit, rate.interval) for rate in bucket.rates] != [
            (rate.limit, rate.interval) for rate in wanted
        ]:
            bucket.rates = wanted
        moment = round(now.timestamp() * 1000)
        bucket.leak(moment)
        item = RateItem(resource, moment)
        if bucket.put(item):
            return _FREE
        wait = bucket.waiting(item)
        if not isinstance(
            wait, int
        ):  # pragma: no cover - only buckets of a remote database answer with an awaitable
            raise TypeError("an in-memory bucket answers at once")
        return timedelta(milliseconds=max(wait, 1))

    def release_call(self, reservation: Reservation) -> None:
        """Give the slot back. Harmless when it has expired."""
        if reservation.slot is None:
            return
        with self._lock:
            self._slots.get(reservation.slot.rpartition("#")[0], {}).pop(reservation.slot, None)

    def block_until(self, resource: str, until: datetime) -> None:
        """Nobody may call before then. Only ever prolongs."""
        with self._lock:
            known = self._blocked.get(resource)
            if known is None or until > known:
                self._blocked[resource] = until


class TenantBudget:
    """Waits for permission to call, in turn and with an end. Thread-safe; one per connection and process.

    Args:
        resource: whose budget it is, the same in every process: `quickbooks:9341`.
        limits: what is allowed; the server's answers may lower it (`lower`).
        store: where the counts are; shared by all processes, or a `LocalBudget`.
        clock: for waiting.
        longest_wait: a single wait beyond this is not made: QuotaExhausted says when to come back.
        longest_total: nor are many short ones that add up to more than this.
        slot_ttl: a slot of a process that died is free again after this. Longer than nearly all calls; for the rare longer one
            one call too many may be in flight, which costs a 429. A longer time would let a few killed workers block a tenant.
    """

    def __init__(
        self,
        resource: str,
        limits: Limits,
        store: BudgetStore,
        clock: Clock,
        *,
        longest_wait: timedelta = timedelta(seconds=120),
        longest_total: timedelta = timedelta(minutes=10),
        slot_ttl: timedelta = timedelta(seconds=60),
    ) -> None:
        self.resource = resource
        self._limits = limits
        self._store = store
        self._clock = clock
        self._longest_wait, self._longest_total, self._slot_ttl = longest_wait, longest_total, slot_ttl
        self._gate = threading.Condition()
        self._here = 0
        """Calls of this process in flight: the threads of one process queue here without asking the store over and over."""

    @property
    def limits(self) -> Limits:
        """What holds now."""
        return self._limits

    def lower(self, told: ServerLimits) -> None:
        """Take in what the server said. A higher figure changes nothing."""
        if told.wait is not None and told.wait > _FREE:
            self.block(self._clock.now() + told.wait)
        if not told.rates and told.max_in_flight is None:
            return
        with self._gate:
            now = self._limits
            slots = (
                now.max_in_flight
                if told.max_in_flight is None
                else max(1, min(now.max_in_flight, told.max_in_flight))
            )
            positive = [(count, window) for count, window in told.rates if count > 0 and window > _FREE]
            self._limits = Limits(tightened([*now.rates, *positive]), slots, now.by_class)

    def block(self, until: datetime) -> None:
        """The platform asked everybody to wait until then."""
        self._store.block_until(self.resource, until)

    @contextmanager
    def call(
        self, request_class: str = "call", on_wait: Callable[[float, str], None] | None = None
    ) -> Iterator[None]:
        """Hold permission for one call, inside `with`. `on_wait` hears of every wait before it is made: seconds, reason.

        Raises QuotaExhausted when the wait would be longer than is sensible; nothing was sent then.
        """
        with self._own_slot():
            held: list[Reservation] = []
            try:
                extra = self._limits.by_class.get(request_class)
                if extra:
                    # The narrower budget first: its unit is kept while we wait for the general one.
                    held.append(self._reserve(f"{self.resource}/{request_class}", extra, 1_000_000, on_wait))
                limits = self._limits
                held.append(self._reserve(self.resource, limits.rates, limits.max_in_flight, on_wait))
                yield
            finally:
                for reservation in reversed(held):
                    self._store.release_call(reservation)

    @contextmanager
    def _own_slot(self) -> Iterator[None]:
        with self._gate:
            # Every call of ours ends (timeouts), so does this wait.
            self._gate.wait_for(lambda: self._here < self._limits.max_in_flight)
            self._here += 1
        try:
            yield
        finally:
            with self._gate:
                self._here -= 1
                self._gate.notify()

    def _reserve(
        self,
        resource: str,
        rates: Sequence[RateLimit],
        max_in_flight: int,
        on_wait: Callable[[float, str], None] | None,
    ) -> Reservation:
        waited = _FREE
        while True:
            reservation = self._store.reserve_call(resource, rates, max_in_flight, self._slot_ttl)
            if reservation.slot is not None:
                return reservation
            wait = max(reservation.wait, timedelta(milliseconds=1))
            if wait > self._longest_wait or waited + wait > self._longest_total:
                raise QuotaExhausted(
                    f"the budget of {resource} ({reservation.reason}) asks to wait {wait.total_seconds():.0f} seconds"
                    + (f" after {waited.total_seconds():.0f} already waited" if waited else ""),
                    resume_at=self._clock.now() + wait,
                )
            waited += wait
            if on_wait is not None:
                on_wait(wait.total_seconds(), reservation.reason)
            self._clock.sleep(wait.total_seconds())
