"""How much is too much? Calls per minute and day, of the app, and at a time: fixed windows, as Xero publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ar_connectors.testkit.clock import ScriptedClock

__all__ = ["Limits", "Pace", "Verdict"]

_MINUTE = 60
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """The published figures per company and app; `app_minute` is over all companies."""

    minute: int = 60
    day: int = 5000
    """1000 on the Starter tier."""
    app_minute: int = 10_000
    in_flight: int = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may pass, and what every answer says of it."""

    problem: Literal["minute", "day", "appminute", "concurrent"] | None
    retry_after: int | None
    """Seconds; none for too many at a time."""
    headers: dict[str, str]


class Pace:
    """Counts calls on the emulator's clock. Its user holds the lock.

    Args:
        limits: None: everything passes, and the headers show the published figures going down nonetheless.
    """

    def __init__(self, clock: ScriptedClock, limits: Limits | None) -> None:
        self.clock = clock
        self.enforced = limits is not None
        self.limits = limits or Limits()
        self._began = clock.monotonic()
        self._windows = {"minute": (0, 0), "appminute": (0, 0), "day": (0, 0)}

    def ask(self, in_flight: int) -> Verdict:
        """One more call: a refused one does not count."""
        sizes = {"minute": self.limits.minute, "day": self.limits.day, "appminute": self.limits.app_minute}
        problem: Literal["minute", "day", "appminute", "concurrent"] | None = None
        retry: int | None = None
        if self.enforced and in_flight > self.limits.in_flight:
            problem = "concurrent"
        elif self.enforced:
            for name, size in (
                ("day", sizes["day"]),
                ("minute", sizes["minute"]),
                ("appminute", sizes["appminute"]),
            ):
                if self._used(name) >= size and problem is None:
                    problem = name  # type: ignore[assignment]
                    retry = self._left(name)
        if problem is None:
            for name in sizes:
                at, used = self._window(name), self._used(name)
                self._windows[name] = (at, used + 1)
        return Verdict(problem, retry, self.headers())

    def headers(self) -> dict[str, str]:
        """What is left, as every answer says."""
        return {
            "X-DayLimit-Remaining": str(max(0, self.limits.day - self._used("day"))),
            "X-MinLimit-Remaining": str(max(0, self.limits.minute - self._used("minute"))),
            "X-AppMinLimit-Remaining": str(max(0, self.limits.app_minute - self._used("appminute"))),
        }

    def _length(self, name: str) -> int:
        return _DAY if name == "day" else _MINUTE

    def _window(self, name: str) -> int:
        return int((self.clock.monotonic() - self._began) // self._length(name))

    def _used(self, name: str) -> int:
        at, used = self._windows[name]
        return used if at == self._window(name) else 0

    def _left(self, name: str) -> int:
        """Seconds until the window ends."""
        passed = (self.clock.monotonic() - self._began) % self._length(name)
        return max(1, int(self._length(name) - passed))
