"""Which companies does this store know, and can they be reached? The verbs connections, check, capabilities."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb, zone
from ar_connectors.cli.tables import capabilities_matrix, capabilities_tables, counted, matrix_rows
from ar_connectors.connector import ChecksItself, ReportedBalance
from ar_connectors.errors import PermissionDenied

__all__ = ["capabilities", "check", "connections", "disconnect", "set_zone"]


@click.group(invoke_without_command=True)
@json_option
@pass_shell
@click.pass_context
@verb
def connections(context: click.Context, shell: Shell) -> Exit | None:
    """List the connected companies."""
    if context.invoked_subcommand is not None:
        return None
    known = shell.store.connections()

    def show() -> None:
        if not known:
            shell.out.print(
                "no company is connected yet: see `ar-connectors connect --help`, or try `ar-connectors demo`"
            )
            return
        table = Table(title="connections", title_justify="left")
        for name in ("id", "platform", "tenant", "time zone"):
            table.add_column(name, overflow="fold")
        for one in known:
            table.add_row(one.id, one.platform, one.tenant, str(one.settings.get("time_zone") or "-"))
        shell.out.print(table)

    shell.emit({"connections": known}, show)
    return None


@connections.command("set-zone")
@click.argument("time_zone", callback=zone)
@click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
@json_option
@pass_shell
@verb
def set_zone(shell: Shell, time_zone: str, connection: str | None) -> Exit | None:
    """Tell in which TIME_ZONE (IANA) a company counts its days."""
    found = shell.store.connection(shell.connection_id(connection))
    known = shell.store.add_connection(found.id, found.platform, found.tenant, {"time_zone": time_zone})
    shell.emit(known, lambda: shell.out.print(f"{known.id}: {time_zone}"))
    return None


@connections.command()
@click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_shell
@verb
def disconnect(shell: Shell, connection: str | None, yes: bool) -> Exit | None:
    """End the consent of a company at its ERP. What was read stays; a person must connect it again before it is read or written."""
    found = shell.connection_id(connection)
    if not yes:
        click.confirm(f"End the connection {found} at the ERP?", abort=True, err=True)
    shell.connect(found).disconnect()
    data = {"connection": found, "disconnected": True}
    shell.emit(data, lambda: shell.out.print(f"{found}: disconnected; what was read stays"))
    return None


@click.command()
@click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
@json_option
@pass_shell
@verb
def check(shell: Shell, connection: str | None) -> Exit | None:
    """Ask the ERP something small: are the credentials good, is the company reachable, may its user do what is configured?"""
    conn = shell.connect(shell.connection_id(connection))
    problems = list(conn.connector.problems()) if isinstance(conn.connector, ChecksItself) else []
    balances: Sequence[ReportedBalance] = ()
    try:
        balances = conn.connector.reported_balances()
    except PermissionDenied:
        if not problems:
            raise
        # A right is missing, and which one is told.
    cost = conn.usage()
    data = {
        "connection": conn.id,
        "reachable": True,
        "balances": len(balances),
        "problems": problems,
        "cost": cost,
    }

    def show() -> None:
        shell.out.print(f"{conn.id}: reachable, {counted(cost.calls, 'call')}")
        for one in problems:
            shell.out.print(f"- {one}", markup=False, soft_wrap=True)

    shell.emit(data, show)
    return Exit.FINDINGS if problems else None


@click.command()
@click.argument("erp", required=False)
@json_option
@pass_shell
@verb
def capabilities(shell: Shell, erp: str | None) -> Exit | None:
    """Show what is read from each ERP and how well each fact is placed in it; with an ERP, where and how."""
    found = [api.capabilities(name) for name in ([erp] if erp else api.PLATFORMS)]

    def show() -> None:
        for table in capabilities_tables(found) if erp else [capabilities_matrix(found)]:
            shell.out.print(table)

    data = {"capabilities": found} if erp else {"capabilities": found, "matrix": matrix_rows(found)}
    shell.emit(data, show)
    return None
