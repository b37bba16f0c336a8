"""What did it cost? Counters of calls, bytes, waits, retries and billable units, as frozen values that can be subtracted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ar_connectors.errors import QuotaExhausted

__all__ = ["CallBudget", "Meter", "Usage"]

_MOST_OPERATIONS: Final = 500
"""Beyond this many different names, further ones are counted as `other`: a counter must not grow without end."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent. `later - earlier` is what a run in between has spent."""

    calls: int = 0
    """HTTP exchanges begun, every try counted."""
    failed_calls: int = 0
    """Of these, how many had no answer or one other than 2xx."""
    retries: int = 0
    waits: int = 0
    """Waits for a budget, a slot or before another try."""
    waited_seconds: float = 0.0
    bytes_sent: int = 0
    """Bodies only."""
    bytes_received: int = 0
    """Bodies as they came, compressed."""
    bytes_decoded: int = 0
    metered_units: int = 0
    """Billable units by the platform's own rule."""
    metered_by_class: Mapping[str, int] = field(default_factory=dict)
    """Billable units by request class (`call`, `batch`)."""
    calls_by_class: Mapping[str, int] = field(default_factory=dict)
    calls_by_operation: Mapping[str, int] = field(default_factory=dict)
    metered_by_operation: Mapping[str, int] = field(default_factory=dict)

    def __sub__(self, earlier: Usage) -> Usage:
        return Usage(
            self.calls - earlier.calls,
            self.failed_calls - earlier.failed_calls,
            self.retries - earlier.retries,
            self.waits - earlier.waits,
            self.waited_seconds - earlier.waited_seconds,
            self.bytes_sent - earlier.bytes_sent,
            self.bytes_received - earlier.bytes_received,
            self.bytes_decoded - earlier.bytes_decoded,
            self.metered_units - earlier.metered_units,
            _less(self.metered_by_class, earlier.metered_by_class),
            _less(self.calls_by_class, earlier.calls_by_class),
            _less(self.calls_by_operation, earlier.calls_by_operation),
            _less(self.metered_by_operation, earlier.metered_by_operation),
        )

    @property
    def compression(self) -> float | None:
        """Received bytes per decoded byte; None when nothing was received."""
        return self.bytes_received / self.bytes_decoded if self.bytes_decoded else None


def _less(later: Mapping[str, int], earlier: Mapping[str, int]) -> Mapping[str, int]:
    rest = {name: count - earlier.get(name, 0) for name, count in later.items()}
    return {name: count for name, count in rest.items() if count}


class Meter:
    """Thread-safe counters of one connection. Read them with `snapshot()`."""

    __slots__ = (
        "_by_operation",
        "_calls_by_class",
        "_lock",
        "_metered_by_class",
        "_metered_by_operation",
        "_sums",
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: Counter[str] = Counter()
        self._metered_by_class: Counter[str] = Counter()
        self._calls_by_class: Counter[str] = Counter()
        self._by_operation: Counter[str] = Counter()
        self._metered_by_operation: Counter[str] = Counter()

    def exchange(
        self,
        operation: str,
        request_class: str,
        *,
        succeeded: bool,
        sent: int,
        received: int,
        decoded: int,
        metered_units: int,
    ) -> None:
        """Count one try that ended: sizes of the bodies in bytes, and what it is billed at."""
        with self._lock:
            if operation not in self._by_operation and len(self._by_operation) >= _MOST_OPERATIONS:
                operation = "other"
            self._sums.update(
                {
                    "calls": 1,
                    "failed_calls": 0 if succeeded else 1,
                    "bytes_sent": sent,
                    "bytes_received": received,
                    "bytes_decoded": decoded,
                    "metered_units": metered_units,
                }
            )
            self._calls_by_class[request_class] += 1
            self._by_operation[operation] += 1
            if metered_units:
                self._metered_by_class[request_class] += metered_units
                self._metered_by_operation[operation] += metered_units

    def waited(self, seconds: float) -> None:
        """Count one wait."""
        with self._lock:
            self._sums["waits"] += 1
            # Whole microseconds: an integer sum does not drift.
            self._sums["waited_us"] += round(seconds * 1_000_000)

    def retried(self) -> None:
        """Count one further try."""
        with self._lock:
            self._sums["retries"] += 1

    def snapshot(self) -> Usage:
        """The counters now."""
        with self._lock:
            sums = self._sums
            return Usage(
                sums["calls"],
                sums["failed_calls"],
                sums["retries"],
                sums["waits"],
                sums["waited_us"] / 1_000_000,
                sums["bytes_sent"],
                sums["bytes_received"],
                sums["bytes_decoded"],
                sums["metered_units"],
                dict(self._metered_by_class),
                dict(self._calls_by_class),
                dict(self._by_operation),
                dict(self._metered_by_operation),
            )


class CallBudget:
    """A cap of one run, set by whoever pays: at most so many calls, at most so many billable units. Thread-safe.

    Units are set aside before a call and given back when it turns out not to be billed, so the cap is never passed, also
    not by several threads at once. None: no cap.
    """

    __slots__ = ("_calls", "_lock", "_units", "max_calls", "max_metered_units")

    def __init__(self, max_calls: int | None = None, max_metered_units: int | None = None) -> None:
        self.max_calls = max_calls
        self.max_metered_units = max_metered_units
        self._calls = 0
        self._units = 0
        self._lock = threading.Lock()

    def take(self, metered_units: int) -> None:
        """Set one call and its units aside. Raises QuotaExhausted (without `resume_at`) when a cap would be passed."""
        with self._lock:
            if self.max_calls is not None and self._calls >= self.max_calls:
                raise self._spent(f"{self.max_calls} calls")
            if self.max_metered_units is not None and self._units + metered_units > self.max_metered_units:
                raise self._spent(f"{self.max_metered_units} billable units")
            self._calls += 1
            self._units += metered_units

    def give_back(self, metered_units: int) -> None:
        """The call was made and is not billed."""
        with self._lock:
            self._units -= metered_units

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._calls

    @property
    def metered_units(self) -> int:
        """Billable units spent, or set aside for calls under way."""
        return self._units

    @staticmethod
    def _spent(what: str) -> QuotaExhausted:
        return QuotaExhausted(
            f"this run was allowed {what}, and they are spent",
            advice="what was read so far is saved; run again, or allow more",
        )
