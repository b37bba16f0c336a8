"""How is a whole connection brought up to date? Its streams in their order, independent ones side by side, each under its lease.

`sync` can be called at any time and by any number of processes: a stream that another one reads is left to it. It keeps no
schedule; cron, a job queue or a person calls it (design D13).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, StreamSpec
from ar_connectors.errors import ARError, ConfigurationError, ContractError, LeaseLost, QuotaExhausted
from ar_connectors.events import Event
from ar_connectors.http.meter import Usage
from ar_connectors.store.contract import PageStore
from ar_connectors.syncing.elsewhere import Elsewhere
from ar_connectors.syncing.lease import LeaseKeeper
from ar_connectors.syncing.report import StreamOutcome, StreamReport, SyncReport
from ar_connectors.syncing.stream import Run, read_stream
from ar_connectors.syncing.sweep import KINDS, Sweep, SweepReport, owed
from ar_connectors.syncing.sweep import STREAM as SWEEP
from ar_connectors.syncing.window import Window

__all__ = ["DEFAULT_LEASE_TTL", "DEFAULT_WORKERS", "sync"]

DEFAULT_WORKERS = 5
DEFAULT_LEASE_TTL = timedelta(minutes=5)


def sync(
    connector: Connector,
    store: PageStore,
    *,
    owner: str,
    clock: Clock,
    full: bool = False,
    streams: Collection[str] | None = None,
    workers: int = DEFAULT_WORKERS,
    processes: int = 0,
    lease_ttl: timedelta = DEFAULT_LEASE_TTL,
    observer: Callable[[Event], None] | None = None,
    usage: Callable[[], Usage] | None = None,
    raise_errors: bool = True,
) -> SyncReport:
    """Bring the store up to date with the platform.

    `owner` names this run and no other (a lease is granted to its owner again). `streams`: only these, by name. `workers`: how
    many fetches run at once; at most one page more is held in memory. `processes`: how many further processes may help where much is
    to be read (`syncing.elsewhere`); with one and two free cores a first load takes little more than half the time. `usage`: the
    meter of the connection's transport, read before and after.

    `full` forgets all cursors first, so everything is read again, and compares all ids at the end: a feed of changes that
    begins anew does not tell what was deleted before. Records stay; if a full run dies, an ordinary one completes it.

    Raises the first failure once all streams that could go on have ended, unless `raise_errors` is False: then it stands in
    the report. QuotaExhausted and ReauthorizationRequired end the run at the next page. Pages committed before a failure
    stand, and the next run goes on behind them. Raises ConfigurationError for a stream that the connector does not have, and
    for `processes` where there can be none.
    """
    specs = _chosen(connector, streams)
    started_at = clock.now()
    spent = usage() if usage is not None else Usage()
    with (
        LeaseKeeper(store, owner, lease_ttl, clock) as leases,
        Elsewhere(processes) as elsewhere,
        Window(workers, elsewhere) as window,
    ):
        run = Run(connector, store, clock, window, leases, observer or _nobody)
        done = _forget_cursors(run, specs) if full else {}
        reports = _read_all(run, specs, done, workers)
        swept = _pay_what_is_owed(run, reports, full or streams is None)
    cost = usage() - spent if usage is not None else Usage()
    report = SyncReport(
        connection_id=connector.id,
        started_at=started_at,
        finished_at=clock.now(),
        full=full,
        streams=tuple(reports[spec.name] for spec in specs),
        failures=tuple(run.failures),
        resume_at=_resume_at(run),
        swept=swept,
        cost=cost,
        changed=run.changed.by_kind(),
        changed_is_everything=run.changed.overflowed,
    )
    if raise_errors and report.failures:
        raise report.failures[0]
    return report


def _nobody(_: Event) -> None:
    """The observer of a run that nobody watches."""


def _chosen(connector: Connector, names: Collection[str] | None) -> Sequence[StreamSpec]:
    specs = tuple(connector.streams())
    if names is None:
        return specs
    unknown = sorted(set(names) - {spec.name for spec in specs})
    if unknown:
        raise ConfigurationError(
            f"there is no stream {', '.join(unknown)}",
            platform=connector.platform,
            tenant=connector.tenant,
            operation="sync",
            advice="the streams are " + ", ".join(spec.name for spec in specs),
        )
    return tuple(spec for spec in specs if spec.name in names)


def _forget_cursors(run: Run, specs: Sequence[StreamSpec]) -> dict[str, StreamReport]:
    """Reset all streams before the first is read: if the run dies half way, an ordinary one continues the full one. What a stream
    comes after is forgotten after it: a stream that goes on must not find facts that are younger than what it has read. The
    leases are kept until each stream was read. Returns reports of the streams that another worker holds."""
    busy = {}
    if not run.leases.acquire(run.lease_name(SWEEP)):
        now = run.clock.now()
        return {
            spec.name: StreamReport(spec.name, "", StreamOutcome.BUSY, started_at=now, finished_at=now)
            for spec in specs
        }
    _sweep(run).owe({kind for spec in specs for kind in spec.kinds if kind in KINDS})
    for spec in reversed(specs):
        name = run.lease_name(spec.name)
        if run.leases.acquire(name):
            run.store.reset_stream(run.connector.id, spec.name, run.leases.current(name))
        else:
            now = run.clock.now()
            busy[spec.name] = StreamReport(spec.name, "", StreamOutcome.BUSY, started_at=now, finished_at=now)
    return busy


def _sweep(run: Run) -> Sweep:
    return Sweep(run.connector, run.store, run.leases, run.tell, changed=run.changed)


def _pay_what_is_owed(run: Run, reports: Mapping[str, StreamReport], may: bool) -> SweepReport | None:
    """Sweep what a full run has left to be swept, this one or one that died; not before every stream is up to date."""
    kinds = owed(run.store.view(run.connector.id))
    name = run.lease_name(SWEEP)
    if not kinds or not may or not all(one.complete for one in reports.values()):
        return None
    if not run.leases.holds(name) and not run.leases.acquire(name):
        return None
    try:
        return _sweep(run).run(kinds)
    except LeaseLost:
        return SweepReport(run.connector.id, busy=True)  # still owed
    except ARError as error:
        run.failed(error)
        return None


def _read_all(
    run: Run, specs: Sequence[StreamSpec], done: dict[str, StreamReport], workers: int
) -> dict[str, StreamReport]:
    """Read every stream as soon as those it comes after are complete. A stream outside of `specs` counts as read earlier."""
    reports = dict(done)
    waiting = [spec for spec in specs if spec.name not in reports]
    under_way: dict[Future[StreamReport], StreamSpec] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="stream") as pool:
        try:
            while waiting or under_way:
                _start_what_can(run, specs, waiting, under_way, reports, pool)
                if under_way:
                    finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in finished:
                        reports[under_way.pop(future).name] = future.result()
        except BaseException:
            # A bug, or Ctrl-C: let the other streams end at their next page, and give their leases back.
            run.window.stop()
            raise
    return reports


def _start_what_can(
    run: Run,
    specs: Sequence[StreamSpec],
    waiting: list[StreamSpec],
    under_way: dict[Future[StreamReport], StreamSpec],
    reports: dict[str, StreamReport],
    pool: ThreadPoolExecutor,
) -> None:
    """Start every stream whose predecessors are complete; report those that have one which did not complete as blocked."""
    chosen = {spec.name for spec in specs}
    before = len(waiting)
    for spec in tuple(waiting):
        needed = [reports.get(name) for name in spec.after if name in chosen]
        if any(one is not None and not one.complete for one in needed):
            reports[spec.name] = _blocked(run, spec, reports)
        elif all(one is not None for one in needed):
            under_way[pool.submit(read_stream, run, spec)] = spec
        else:
            continue
        waiting.remove(spec)
    if waiting and not under_way and len(waiting) == before:
        raise ContractError(
            f"streams wait for each other: {', '.join(spec.name for spec in waiting)}",
            platform=run.connector.platform,
            tenant=run.connector.tenant,
            operation="sync",
            advice="correct `StreamSpec.after` of this connector",
        )


def _blocked(run: Run, spec: StreamSpec, reports: dict[str, StreamReport]) -> StreamReport:
    now = run.clock.now()
    stopped = run.window.is_stopped()
    return StreamReport(
        spec.name,
        "",
        StreamOutcome.STOPPED if stopped else StreamOutcome.BLOCKED,
        waits_for=tuple(name for name in spec.after if name in reports and not reports[name].complete),
        started_at=now,
        finished_at=now,
    )


def _resume_at(run: Run) -> datetime | None:
    known = [
        one.resume_at for one in run.failures if isinstance(one, QuotaExhausted) and one.resume_at is not None
    ]
    return max(known, default=None)
