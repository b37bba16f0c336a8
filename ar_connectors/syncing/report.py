"""What did a sync do? Frozen values: one report per stream, one for the run, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ar_connectors.connector import Page
from ar_connectors.errors import ARError
from ar_connectors.http.meter import Usage
from ar_connectors.store.contract import CommitResult
from ar_connectors.syncing.sweep import SweepReport

__all__ = ["StreamOutcome", "StreamReport", "SyncReport", "Tally"]


_COUNTED: Final = (
    "inserted",
    "updated",
    "unchanged",
    "stale",
    "silent_changes",
    "echoes",
    "tombstoned",
    "quarantined",
)


class StreamOutcome(StrEnum):
    """How reading a stream ended."""

    COMPLETE = "complete"
    """It is up to date."""
    BUSY = "busy"
    """Another worker holds its lease; nothing was asked."""
    BLOCKED = "blocked"
    """A stream it comes after did not complete in this run; nothing was asked."""
    LEASE_LOST = "lease_lost"
    """Another worker took over while we were away; what was committed before stands."""
    STOPPED = "stopped"
    """The run was stopped (a quota is used up, or a person must connect again); what was committed before stands."""
    FAILED = "failed"
    """It ended with `failure`; the pages before it are committed."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What reading one stream did; counts of records unless it says otherwise."""

    stream: str
    mode: str
    """`first_load`: it had no cursor. `delta`: it went on from its cursor (which may lie inside an interrupted first load)."""
    outcome: StreamOutcome
    pages: int = 0
    rows: int = 0
    """Rows of the platform's answers."""
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    silent_changes: int = 0
    echoes: int = 0
    tombstoned: int = 0
    quarantined: int = 0
    failure: ARError | None = None
    waits_for: tuple[str, ...] = ()
    """With `blocked`: the streams that did not complete."""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def busy(self) -> bool:
        """Another worker is on it: it held the lease from the start, or took it over."""
        return self.outcome in {StreamOutcome.BUSY, StreamOutcome.LEASE_LOST}

    @property
    def complete(self) -> bool:
        """The stream is up to date."""
        return self.outcome is StreamOutcome.COMPLETE

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["outcome"] = self.outcome.value
        values["failure"] = self.failure.to_json() if self.failure is not None else None
        values["waits_for"] = list(self.waits_for)
        for name in ("started_at", "finished_at"):
            values[name] = values[name].isoformat() if values[name] is not None else None
        return values


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a run did. `failures` holds every failure, the first in time first."""

    connection_id: str
    started_at: datetime
    finished_at: datetime
    full: bool = False
    streams: tuple[StreamReport, ...] = ()
    failures: tuple[ARError, ...] = ()
    resume_at: datetime | None = None
    """UTC; when a used-up quota is open again, as far as the platform says."""
    swept: SweepReport | None = None
    """The comparison of ids that follows a full run; None when there was none."""
    cost: Usage = field(default_factory=Usage)
    """What the run spent; all zero when no meter was passed in."""
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of inserted, updated and tombstoned records by kind, each ascending; empty when `changed_is_everything`."""
    changed_is_everything: bool = False
    """More than `changed.MOST_CHANGED_IDS` changed: treat everything as changed."""

    @property
    def busy(self) -> tuple[str, ...]:
        """Names of the streams that another worker holds."""
        return tuple(one.stream for one in self.streams if one.busy)

    @property
    def complete(self) -> bool:
        """Every stream is up to date, and nothing failed."""
        return all(one.complete for one in self.streams) and not self.failures

    @property
    def pages(self) -> int:
        """Pages committed."""
        return self._sum("pages")

    @property
    def rows(self) -> int:
        """Rows of the platform's answers."""
        return self._sum("rows")

    @property
    def inserted(self) -> int:
        """Records new to us."""
        return self._sum("inserted")

    @property
    def updated(self) -> int:
        """Records whose content changed."""
        return self._sum("updated")

    @property
    def unchanged(self) -> int:
        """Records read again and found the same."""
        return self._sum("unchanged")

    @property
    def tombstoned(self) -> int:
        """Records gone at their source."""
        return self._sum("tombstoned")

    @property
    def quarantined(self) -> int:
        """Rows set aside."""
        return self._sum("quarantined")

    def stream(self, name: str) -> StreamReport:
        """The report of one stream. Raises KeyError when it was not part of the run."""
        for one in self.streams:
            if one.stream == name:
                return one
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values, sums included."""
        return {
            "connection_id": self.connection_id,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "full": self.full,
            "complete": self.complete,
            "busy": list(self.busy),
            "resume_at": self.resume_at.isoformat() if self.resume_at is not None else None,
            "pages": self.pages,
            "rows": self.rows,
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "tombstoned": self.tombstoned,
            "quarantined": self.quarantined,
            "streams": [one.to_json() for one in self.streams],
            "swept": self.swept.to_json() if self.swept is not None else None,
            "failures": [one.to_json() for one in self.failures],
            "cost": asdict(self.cost),
            "changed": {kind: list(ids) for kind, ids in self.changed.items()},
            "changed_is_everything": self.changed_is_everything,
        }

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.streams)


@dataclass(slots=True)
class Tally:
    """Adds up the commits of one stream. One thread."""

    pages: int = 0
    rows: int = 0
    counts: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))

    def add(self, page: Page, result: CommitResult) -> None:
        """Count one committed page."""
        self.pages += 1
        self.rows += page.rows
        for name in _COUNTED:
            self.counts[name] += getattr(result, name)
