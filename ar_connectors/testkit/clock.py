"""What time is it in a test? A clock that stands still or runs, and jumps when told; emulator and client may share it.

It has the three methods of `ar_connectors.clock.Clock`, so the client side can be given the same one: then waiting costs no
time, it moves the clock.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

__all__ = ["ScriptedClock"]


class ScriptedClock:
    """A clock under the test's control. Thread-safe.

    Args:
        start: aware instant at which it begins; None: the machine's time.
        running: whether it goes on by itself at the machine's speed (an emulator that serves people) or stands still
            until `advance`, `set` or `sleep` moves it.
    """

    def __init__(self, start: datetime | None = None, *, running: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("a clock starts at an aware instant, this one has no time zone")
        self._lock = threading.Lock()
        self._base = start.astimezone(UTC) if start is not None else datetime.now(UTC)
        self._elapsed = timedelta(0)
        self._since = time.monotonic() if running else None

    @property
    def running(self) -> bool:
        """Whether it goes on by itself."""
        return self._since is not None

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        with self._lock:
            return self._base + self._passed()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back, whatever `set` does."""
        with self._lock:
            return self._passed().total_seconds()

    def sleep(self, seconds: float) -> None:
        """Wait: a running clock really waits, one that stands still jumps."""
        if seconds <= 0:
            return
        if self.running:
            time.sleep(seconds)
        else:
            self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> datetime:
        """Jump forward; returns the new instant. Raises ValueError for a negative span."""
        if by < timedelta(0):
            raise ValueError("a clock does not go back; use set() for a wrong clock")
        with self._lock:
            self._elapsed += by
            return self._base + self._passed()

    def set(self, instant: datetime) -> None:
        """Show another instant (earlier ones too: the clock of a machine that was wrong)."""
        with self._lock:
            self._base = instant.astimezone(UTC) - self._passed()

    def freeze(self) -> None:
        """Stand still."""
        with self._lock:
            self._elapsed = self._passed()
            self._since = None

    def run(self) -> None:
        """Go on at the machine's speed."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()

    def _passed(self) -> timedelta:
        if self._since is None:
            return self._elapsed
        return self._elapsed + timedelta(seconds=time.monotonic() - self._since)
