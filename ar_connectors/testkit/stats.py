"""What did the emulator see? Counters a test can ask: calls, status, metered units, bytes, and how many at a time."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Final

from ar_connectors.testkit.exchange import Reply

__all__ = ["Seen", "Stats"]

_KEPT: Final = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as it was answered."""

    operation: str
    status: int
    bytes: int
    fault: str | None


class Stats:
    """Counters since the start or the last `reset`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Begin anew; calls in flight stay counted as such."""
        with self._lock:
            self.calls: Counter[str] = Counter()
            """By operation (`query Invoice`)."""
            self.statuses: Counter[int] = Counter()
            self.faults: Counter[str] = Counter()
            self.core = 0
            """Successful calls that cost nothing."""
            self.metered = 0
            """Successful calls that are on the bill (QuickBooks: CorePlus)."""
            self.refreshes = 0
            """Token refreshes asked for, successful or not."""
            self.double_refreshes = 0
            """Refreshes moments after another one with the same token: two workers that did not agree who refreshes."""
            self.bytes_out = 0
            """Bytes of bodies as sent, compressed ones as compressed."""
            self.in_flight: int = getattr(self, "in_flight", 0)
            self.max_in_flight = 0
            self.log: deque[Seen] = deque(maxlen=_KEPT)

    @property
    def total(self) -> int:
        """All calls, token calls too."""
        return sum(self.calls.values())

    def enter(self) -> int:
        """A call came in; how many are there now."""
        with self._lock:
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            return self.in_flight

    def leave(self) -> None:
        """A call was answered."""
        with self._lock:
            self.in_flight -= 1

    def count(self, reply: Reply, sent: int, fault: str | None) -> None:
        """Note an answer."""
        with self._lock:
            self.calls[reply.operation] += 1
            self.statuses[reply.status] += 1
            self.bytes_out += sent
            if fault is not None:
                self.faults[fault] += 1
            if 200 <= reply.status < 300 and not reply.operation.startswith("token"):
                self.metered += reply.metered
                self.core += not reply.metered
            if reply.operation == "token refresh":
                self.refreshes += 1
                self.double_refreshes += reply.again
            self.log.append(Seen(reply.operation, reply.status, sent, fault))

    def as_json(self) -> dict[str, Any]:
        """The counters as JSON values."""
        with self._lock:
            return {
                "total": sum(self.calls.values()),
                "calls": dict(self.calls),
                "statuses": {str(status): number for status, number in self.statuses.items()},
                "faults": dict(self.faults),
                "core": self.core,
                "metered": self.metered,
                "refreshes": self.refreshes,
                "double_refreshes": self.double_refreshes,
                "bytes_out": self.bytes_out,
                "max_in_flight": self.max_in_flight,
            }
