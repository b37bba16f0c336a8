"""How much is too much? Requests per second and minute, and at a time, as Intuit publishes them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ar_connectors.testkit.clock import ScriptedClock

__all__ = ["Limits", "Pace"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The published figures per company and app."""

    per_second: int = 10
    per_minute: int = 500
    batches_per_minute: int = 40
    in_flight: int = 10
    """Said in 2016 and never taken back."""


class Pace:
    """Counts calls in sliding windows of the emulator's clock. Its user holds the lock."""

    def __init__(self, clock: ScriptedClock, limits: Limits) -> None:
        self.clock = clock
        self.limits = limits
        self._calls: deque[float] = deque()
        self._batches: deque[float] = deque()

    def allows(self, in_flight: int, *, batch: bool) -> bool:
        """Whether one more call is within the limits; a refused one does not count."""
        now = self.clock.monotonic()
        for calls in (self._calls, self._batches):
            while calls and now - calls[0] >= 60:
                calls.popleft()
        within_second = 0
        for at in reversed(self._calls):
            if now - at >= 1:
                break
            within_second += 1
        if (
            in_flight > self.limits.in_flight
            or within_second >= self.limits.per_second
            or len(self._calls) >= self.limits.per_minute
            or (batch and len(self._batches) >= self.limits.batches_per_minute)
        ):
            return False
        self._calls.append(now)
        if batch:
            self._batches.append(now)
        return True
