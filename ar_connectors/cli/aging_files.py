"""Is there only an export? `aging-file guess` says what its columns are taken for, `aging-file import` brings it in."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from ar_connectors import api
from ar_connectors.aging_file.cells import Table as Source
from ar_connectors.aging_file.connector import AgingFileConnector
from ar_connectors.aging_file.formats import DateOrder, DecimalMark
from ar_connectors.aging_file.guess import Guess, guess
from ar_connectors.aging_file.settings import read_settings
from ar_connectors.aging_file.survey import Survey, open_table
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, fail, json_option, pass_shell, verb, zone
from ar_connectors.cli.syncing import SyncProgress
from ar_connectors.cli.tables import amount, counted, sync_table
from ar_connectors.connector import make_connection_id
from ar_connectors.errors import ConfigurationError, ContractError
from ar_connectors.syncing import SyncReport

__all__ = ["aging_file", "guess_columns", "import_list"]

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_reading = (
    click.option("--sheet", help="The sheet of a workbook; the first visible one when left out."),
    click.option("--encoding", help="Of a CSV file, for example cp1252; found out when left out."),
    click.option("--delimiter", help="Of a CSV file; found out when left out."),
)


def _with_reading(function: Any) -> Any:
    for option in reversed(_reading):
        function = option(function)
    return function


@click.group("aging-file")
def aging_file() -> None:
    """Aging lists as files (CSV, XLSX): the connector for whoever has only an export."""


@aging_file.command("guess")
@_file
@_with_reading
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the proposed column map here."
)
@json_option
@pass_shell
@verb
def guess_columns(shell: Shell, /, file: Path, write: Path | None, **reading: str | None) -> Exit | None:
    """Show what the columns of FILE are taken for, the first rows as read, and a proposal for a column map."""
    table = open_table(read_settings({"file": file, **reading}, "guess"))
    found = guess(table)
    if write is not None:
        write.write_text(found.as_toml(), encoding="utf-8")
    data = {
        "file": table.name,
        **table.facts,
        "layout": found.layout,
        "row": found.row,
        "columns": {role.value: heading for role, heading in found.roles.items()},
        "lacking": [role.value for role in found.lacking],
        "unused": found.unused,
        "rows": [{role.value: text for role, text in row.items()} for row in found.rows],
        "notes": list(table.doubts),
        "column_map": found.as_toml(),
    }
    shell.emit(data, lambda: _show_guess(shell, table, found, write))
    return Exit.FINDINGS if found.lacking else None


def _show_guess(shell: Shell, file: Source, found: Guess, written: Path | None) -> None:
    said = ", ".join(f"{what} {value}" for what, value in file.facts.items())
    shell.out.print(f"{file.name} ({said}); headings in row {found.row}", markup=False)
    shell.out.print(
        f"this is {found.layout}: no column map is needed"
        if found.layout
        else "no known layout; this is a proposal",
        markup=False,
    )
    table = Table(title="the first rows, as they would be read", title_justify="left")
    for role, heading in found.roles.items():
        table.add_column(
            f"{role.value}\n[dim]{heading}[/]",
            justify="right" if role.value in {"total", "balance"} else "left",
        )
    for row in found.rows:
        table.add_row(*(row.get(role, "") for role in found.roles))
    shell.out.print(table)
    for doubt in file.doubts:
        shell.out.print(f"note: {doubt}", markup=False, style="yellow")
    if found.layout is None:
        shell.out.print(f"written to {written}" if written else found.as_toml(), markup=False)


@aging_file.command("import")
@_file
@click.option(
    "--name",
    "tenant",
    required=True,
    help="What this company is called here; the same for each of its lists.",
)
@click.option(
    "--zone", "time_zone", callback=zone, help="The company's time zone (IANA); needed the first time."
)
@_with_reading
@click.option(
    "--columns", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A column map (TOML)."
)
@click.option("--currency", help="Of items for which the list states none.")
@click.option("--base-currency", help="The company's own currency.")
@click.option("--dates", type=click.Choice([one.value for one in DateOrder]), help="How dates are written.")
@click.option(
    "--decimal", type=click.Choice([one.value for one in DecimalMark]), help="What stands before the cents."
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day the list shows, where the file does not say it.",
)
@click.option("--only", multiple=True, help="The list is about this customer only (repeat for several).")
@click.option(
    "--accept-closed", is_flag=True, help="However many items are missing from this list, close them."
)
@json_option
@pass_shell
@verb
def import_list(
    shell: Shell,
    /,
    file: Path,
    tenant: str,
    as_of: datetime | None,
    accept_closed: bool,
    only: tuple[str, ...],
    **said: Any,
) -> Exit | None:
    """Bring an aging list in: new items are added, known ones updated, missing ones closed. The same file again changes nothing."""
    given = {name: str(value) for name, value in said.items() if value is not None}
    given |= {"file": str(file.resolve())}
    known = next(
        (one for one in shell.store.connections() if one.id == make_connection_id("aging_file", tenant)), None
    )
    if "time_zone" not in given and (known is None or not known.settings.get("time_zone")):
        raise ConfigurationError(
            "the company's time zone is not known",
            advice="say it once: --zone Europe/Berlin; days past due are counted in it",
        )
    if "columns" in given:
        given["columns"] = str(Path(given["columns"]).resolve())
    conn = api.connect(
        "aging_file",
        tenant=tenant,
        store=shell.store,
        settings={
            **given,
            "as_of": as_of.date().isoformat() if as_of else None,
            "only": list(only),
            "accept_closed": accept_closed,
        },
        clock=shell.clock,
    )
    bars = SyncProgress.of(shell)
    with bars.progress:
        report = api.sync(conn, shell.store, progress=bars, raise_errors=False)
    found = conn.connector.surveyed if isinstance(conn.connector, AgingFileConnector) else None
    if report.failures:
        problem = report.failures[0]
        fail(shell, problem, Exit.REJECTED if isinstance(problem, ContractError) else None)
    shell.emit(
        {"list": found.to_json() if found else None, "sync": report},
        lambda: _show_import(shell, file, found, report),
    )
    if report.busy:
        return Exit.BUSY
    return Exit.FINDINGS if report.quarantined else None


def _show_import(shell: Shell, file: Path, found: Survey | None, report: SyncReport) -> None:
    if found is None:
        why = (
            "another process is at it"
            if report.busy
            else f"{file.name} was imported already, and has not changed"
        )
        shell.out.print(why, markup=False)
        return
    day = f" of {found.as_of.isoformat()}" if isinstance(found.as_of, date) else ""
    said = ", ".join(f"{what} {value}" for what, value in found.facts.items())
    shell.out.print(f"{found.table}: {found.header.title}{day} ({said})", markup=False)
    shell.out.print(sync_table(report))
    sums = ", ".join(
        amount(value, currency or "of no stated currency")
        for currency, value in sorted(found.balances.items(), key=str)
    )
    agree = (
        f"{counted(found.totals_checked, 'total')} of the file checked: its rows add up"
        if found.totals_checked
        else "the file states no total to check"
    )
    shell.out.print(f"{counted(found.items, 'open item')}, {sums}; {agree}", markup=False)
    for one in found.rejected:
        shell.out.print(f"set aside: {one.reason}", markup=False, style="red")
    if found.set_aside > len(found.rejected):
        more = found.set_aside - len(found.rejected)
        shell.out.print(f"set aside: {more:,} further rows", markup=False, style="red")
    for note in found.notes:
        shell.out.print(f"note: {note}", markup=False, style="yellow")
