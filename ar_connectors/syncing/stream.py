"""How is one stream read? Ask the adapter for a batch, fetch it, commit each page under the lease, ask for the next batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, Fetch, StreamSpec
from ar_connectors.errors import ARError, LeaseLost, QuotaExhausted, ReauthorizationRequired
from ar_connectors.events import (
    Event,
    PageCommitted,
    RecordsQuarantined,
    StreamFinished,
    StreamSized,
    StreamStarted,
)
from ar_connectors.store.contract import PageStore, StagedPage
from ar_connectors.syncing.changed import ChangedIds
from ar_connectors.syncing.lease import LeaseKeeper, lease_name
from ar_connectors.syncing.report import StreamOutcome, StreamReport, Tally
from ar_connectors.syncing.window import Window

__all__ = ["Run", "read_stream"]

ENDS_THE_RUN = (QuotaExhausted, ReauthorizationRequired)
"""After these no other stream can succeed either."""


@dataclass(slots=True)
class Run:
    """What the streams of one run share."""

    connector: Connector
    store: PageStore
    clock: Clock
    window: Window
    leases: LeaseKeeper
    observer: Callable[[Event], None]
    changed: ChangedIds = field(default_factory=ChangedIds)
    failures: list[ARError] = field(default_factory=list)
    """In the order in which they happened."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, event: Event) -> None:
        """Hand an event to the observer, one at a time."""
        with self.lock:
            self.observer(event)

    def lease_name(self, stream: str) -> str:
        """The name of a stream's lease."""
        return lease_name(self.connector.id, stream)

    def failed(self, error: ARError) -> None:
        """Note a failure, of this company; one after which nothing can succeed stops the window."""
        error.platform = error.platform or self.connector.platform
        error.tenant = error.tenant or self.connector.tenant
        with self.lock:
            self.failures.append(error)
        if isinstance(error, ENDS_THE_RUN):
            self.window.stop()


def read_stream(run: Run, spec: StreamSpec) -> StreamReport:
    """Bring one stream up to date, and say how it went. Failures of this library are values in the report; any other
    exception is a bug and is raised, after the lease was given back."""
    name = run.lease_name(spec.name)
    started_at = run.clock.now()
    if run.window.is_stopped():
        return _report(run, spec, "", StreamOutcome.STOPPED, Tally(), started_at)
    if not run.leases.holds(name) and not run.leases.acquire(name):
        return _report(run, spec, "", StreamOutcome.BUSY, Tally(), started_at)
    tally = Tally()
    try:
        view = run.store.view(run.connector.id)
        mode = "first_load" if view.cursor(spec.name) is None else "delta"
        run.tell(StreamStarted(run.connector.platform, run.connector.tenant, spec.name, mode))
        try:
            for batch in run.connector.pull(spec.name, view):
                _size(run, spec, batch, tally)
                with closing(run.window.pages(batch, run.store.stage_page)) as pages:
                    for page in pages:
                        _commit(run, spec, page, tally)
                        del page  # or it would live on while the next one is fetched
                if run.window.is_stopped():
                    return _report(run, spec, mode, StreamOutcome.STOPPED, tally, started_at)
        except _Overtaken:
            return _report(run, spec, mode, StreamOutcome.LEASE_LOST, tally, started_at)
        except ARError as error:
            run.failed(error)
            return _report(run, spec, mode, StreamOutcome.FAILED, tally, started_at, error)
    finally:
        run.leases.release(name)
    run.tell(StreamFinished(run.connector.platform, run.connector.tenant, spec.name, tally.rows))
    return _report(run, spec, mode, StreamOutcome.COMPLETE, tally, started_at)


class _Overtaken(Exception):
    """Our lease on the stream is gone. A type of its own: a LeaseLost that a fetch raises (a token being refreshed) is a failure."""


def _size(run: Run, spec: StreamSpec, batch: Sequence[Fetch], tally: Tally) -> None:
    """Tell how much is to come, where every question of the batch knows what it will bring."""
    known = [one.rows for one in batch if one.rows is not None]
    if batch and len(known) == len(batch):
        who = (run.connector.platform, run.connector.tenant, spec.name)
        run.tell(StreamSized(*who, tally.rows + sum(known)))


def _commit(run: Run, spec: StreamSpec, staged: StagedPage, tally: Tally) -> None:
    page = staged.page
    try:
        lease = run.leases.current(run.lease_name(spec.name))
        result = run.store.commit_page(run.connector.id, staged, lease)
    except LeaseLost as lost:
        raise _Overtaken from lost
    tally.add(page, result)
    with run.lock:
        run.changed.add(page, result.changed_ids)
    who = (run.connector.platform, run.connector.tenant, spec.name)
    if page.rejected:
        run.tell(RecordsQuarantined(*who, len(page.rejected), page.rejected[0].reason))
    run.tell(
        PageCommitted(
            *who,
            page.rows,
            result.inserted,
            result.updated,
            result.unchanged,
            result.tombstoned,
            result.quarantined,
        )
    )


def _report(
    run: Run,
    spec: StreamSpec,
    mode: str,
    outcome: StreamOutcome,
    tally: Tally,
    started_at: datetime,
    failure: ARError | None = None,
) -> StreamReport:
    report = StreamReport(
        stream=spec.name,
        mode=mode,
        outcome=outcome,
        pages=tally.pages,
        rows=tally.rows,
        failure=failure,
        started_at=started_at,
        finished_at=run.clock.now(),
    )
    return replace(report, **tally.counts)
