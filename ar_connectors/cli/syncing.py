"""Is our copy up to date, and does it agree with the ERP? The verbs sync, status, reconcile, sweep, replay."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ar_connectors import api
from ar_connectors.cli.exits import Exit, exit_for
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.tables import counted, reconciliation_table, sweep_table, sync_table
from ar_connectors.events import Event, PageCommitted, StreamFinished, StreamSized, StreamStarted, Waiting
from ar_connectors.store.contract import WriteState

__all__ = ["SyncProgress", "reconcile", "replay", "status", "sweep", "sync"]

_connection = click.option("-c", "--connection", help="Connection id; not needed when the store has one.")


@dataclass
class SyncProgress:
    """An observer that draws one bar per stream. Silent when the output is no terminal or `--json` is on."""

    progress: Progress
    _bars: dict[str, TaskID] = field(default_factory=dict)

    @classmethod
    def of(cls, shell: Shell) -> SyncProgress:
        """A progress display on the shell's error stream, so that results can be piped."""
        return cls(
            Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=shell.err,
                transient=True,
                disable=shell.as_json or not shell.err.is_terminal,
            )
        )

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        match event:
            case StreamStarted():
                self._bars[event.stream] = self.progress.add_task(event.stream, total=None)
            case StreamSized() if event.stream in self._bars:
                self.progress.update(self._bars[event.stream], total=event.rows)
            case PageCommitted() if event.stream in self._bars:
                self.progress.advance(self._bars[event.stream], event.rows)
            case StreamFinished() if event.stream in self._bars:
                bar = self._bars[event.stream]
                self.progress.update(bar, total=max(event.rows, 1), completed=max(event.rows, 1))
            case Waiting() if event.seconds >= 1:
                self.progress.log(f"waiting {event.seconds:.0f} s: {event.reason}")
            case _:
                pass


@click.command()
@_connection
@click.option("--full", is_flag=True, help="Read everything again from the beginning.")
@click.option("--max-calls", type=int, help="Stop before making more calls than this.")
@click.option("--max-metered", type=int, help="Stop before spending more billable units than this.")
@click.option(
    "--processes",
    type=int,
    default=int(os.name == "posix"),
    show_default=True,
    help="Further processes that decode, where much is read.",
)
@json_option
@pass_shell
@verb
def sync(
    shell: Shell,
    connection: str | None,
    full: bool,
    max_calls: int | None,
    max_metered: int | None,
    processes: int,
) -> Exit | None:
    """Bring our copy up to date, incrementally; every call is counted."""
    bars = SyncProgress.of(shell)
    conn = shell.connect(
        shell.connection_id(connection), observer=bars, max_calls=max_calls, max_metered_units=max_metered
    )
    with bars.progress:
        report = api.sync(
            conn, shell.store, full=full, processes=processes, progress=bars, raise_errors=False
        )
    shell.emit(report, lambda: shell.out.print(sync_table(report)))
    if report.failures:
        for failure in report.failures:
            if not shell.as_json:
                shell.complain(failure)
        return exit_for(report.failures[0])
    if report.busy:
        return Exit.BUSY
    return Exit.FINDINGS if report.quarantined else None


@click.command()
@_connection
@json_option
@pass_shell
@verb
def status(shell: Shell, connection: str | None) -> Exit | None:
    """Show what the store holds: records by kind, set-aside rows, writes on their way."""
    connection = shell.connection_id(connection)
    counts = shell.store.counts(connection)
    waiting = shell.store.quarantined(connection)
    writes: dict[str, int] = {}
    for receipt in shell.store.receipts(connection):
        writes[receipt.state.value] = writes.get(receipt.state.value, 0) + 1
    data = {"connection": connection, "records": counts, "quarantined": len(waiting), "writes": writes}

    def show() -> None:
        shell.out.print(f"[italic]status {connection}[/italic]")
        table = Table()
        table.add_column("what")
        table.add_column("count", justify="right")
        for kind, count in counts.items():
            table.add_row(str(kind), f"{count:,}")
        table.add_row("rows set aside", f"{len(waiting):,}", style="red" if waiting else "dim")
        for state, count in sorted(writes.items()):
            table.add_row(f"writes {state}", f"{count:,}")
        shell.out.print(table)
        for row in waiting[:20]:
            shell.out.print(
                f"set aside: {row.kind} {row.remote_id or '?'}: {row.reason}", markup=False, style="red"
            )

    shell.emit(data, show)
    unresolved = writes.get(WriteState.UNKNOWN.value, 0)
    return Exit.FINDINGS if waiting or unresolved else None


@click.command()
@_connection
@json_option
@pass_shell
@verb
def reconcile(shell: Shell, connection: str | None) -> Exit | None:
    """Compare our open balances with the ERP's own figures; every difference is listed and explained."""
    conn = shell.connect(shell.connection_id(connection))
    result = api.reconcile(conn, shell.store)
    shell.emit(result, lambda: shell.out.print(reconciliation_table(result)))
    return Exit.FINDINGS if any(result.unexplained.values()) else None


@click.command()
@_connection
@click.option("--force", is_flag=True, help="Accept more deletions than the circuit breaker allows.")
@json_option
@pass_shell
@verb
def sweep(shell: Shell, connection: str | None, force: bool) -> Exit | None:
    """List all ids at the ERP and find what vanished without a word; spends calls, so run it seldom."""
    conn = shell.connect(shell.connection_id(connection))
    result = api.sweep(conn, shell.store, force=force)
    shell.emit(result, lambda: shell.out.print(sweep_table(result)))
    if result.busy:
        return Exit.BUSY
    return Exit.FINDINGS if result.refused else None


@click.command()
@_connection
@json_option
@pass_shell
@verb
def replay(shell: Shell, connection: str | None) -> Exit | None:
    """Map rows that were set aside again, with the current mapper."""
    conn = shell.connect(shell.connection_id(connection))
    result = api.replay(conn, shell.store)

    def show() -> None:
        shell.out.print(
            f"{counted(result.examined, 'row')} looked at, {result.mapped:,} mapped now, "
            f"{len(result.still_rejected):,} still set aside"
        )
        for one in result.still_rejected[:20]:
            where = f"{one.kind} {one.remote_id or '?'}"
            shell.out.print(f"set aside: {where}: {one.reason}", markup=False, style="red")

    shell.emit(result, show)
    return Exit.FINDINGS if result.still_rejected else None
