"""What is happening right now? Frozen event values, handed to whoever listens: progress bars, meters, logs.

An observer is any callable that takes an event. The library never configures logging and never prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "CallFinished",
    "Event",
    "Observer",
    "PageCommitted",
    "RecordsQuarantined",
    "Retrying",
    "StreamFinished",
    "StreamSized",
    "StreamStarted",
    "TokenRefreshed",
    "Waiting",
    "WriteFinished",
    "fan_out",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""

    platform: str
    tenant: str


@dataclass(frozen=True, slots=True)
class CallFinished(Event):
    """One HTTP exchange ended (one try; a retried call is several)."""

    operation: str
    method: str
    host: str
    status: int | None
    """None: no answer came."""
    seconds: float
    bytes_sent: int
    bytes_received: int
    """As they came over the wire, compressed."""
    bytes_decoded: int
    metered_units: int
    """Billable calls by the platform's own rule (QuickBooks CorePlus); 0 where calls are free."""
    attempt: int
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Retrying(Event):
    """A call failed in a way that permits another try."""

    operation: str
    attempt: int
    wait_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """A budget or a concurrency slot makes us wait."""

    operation: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class TokenRefreshed(Event):
    """New tokens were saved."""

    version: int


@dataclass(frozen=True, slots=True)
class StreamStarted(Event):
    """A stream of records begins to be read."""

    stream: str
    mode: str
    """`first_load`, `delta`, `sweep`."""


@dataclass(frozen=True, slots=True)
class StreamSized(Event):
    """How many rows a stream will have brought in this run, as far as it is known now; may be told again."""

    stream: str
    rows: int


@dataclass(frozen=True, slots=True)
class PageCommitted(Event):
    """A page's records and its cursor are in the store."""

    stream: str
    rows: int
    inserted: int
    updated: int
    unchanged: int
    tombstoned: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class RecordsQuarantined(Event):
    """Rows could not be mapped and were set aside with their bytes and the reason."""

    stream: str
    count: int
    first_reason: str


@dataclass(frozen=True, slots=True)
class StreamFinished(Event):
    """A stream is up to date."""

    stream: str
    rows: int


@dataclass(frozen=True, slots=True)
class WriteFinished(Event):
    """A write-back reached a final or an unknown state."""

    command_type: str
    key: str
    state: str


class Observer(Protocol):
    """Anything that takes events. It must be quick and must not raise: what it raises goes to the caller."""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...


def fan_out(observers: Iterable[Callable[[Event], None]]) -> Callable[[Event], None]:
    """One observer that hands every event to all of `observers`, in order."""
    everyone = tuple(observers)

    def tell(event: Event) -> None:
        for observer in everyone:
            observer(event)

    return tell
