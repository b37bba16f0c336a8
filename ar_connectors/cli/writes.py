"""What is on its way to the ERP? The verbs `writes list`, `writes deliver`, `writes resolve`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TextIO

import click

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.tables import receipts_table
from ar_connectors.store.contract import Receipt, WriteState
from ar_connectors.store.intents import LOCAL_TYPES
from ar_connectors.writeback.worksheet import COLUMNS, about, worksheet
from ar_core.commands import Command

__all__ = ["deliver", "export", "list_writes", "resolve", "show_receipts", "writes"]

_connection = click.option("-c", "--connection", help="Connection id; not needed when the store has one.")


@click.group()
def writes() -> None:
    """The outbox: commands, where they stand, where they landed."""


@writes.command("list")
@_connection
@click.option(
    "--state", type=click.Choice([one.value for one in WriteState]), help="Only commands in this state."
)
@json_option
@pass_shell
@verb
def list_writes(shell: Shell, connection: str | None, state: str | None) -> Exit | None:
    """List commands, oldest first."""
    connection = shell.connection_id(connection)
    receipts = shell.store.receipts(connection, WriteState(state) if state else None)
    show_receipts(shell, connection, receipts)
    return None


@writes.command()
@click.argument("file", type=click.File("w", encoding="utf-8-sig", lazy=True), default="-")
@_connection
@click.option("--all", "everything", is_flag=True, help="Also what has reached the ERP, and single touches.")
@json_option
@pass_shell
@verb
def export(shell: Shell, file: TextIO, connection: str | None, everything: bool) -> Exit | None:
    """Write what no ERP has taken as CSV, for a bookkeeper to enter by hand; to FILE, or to standard output."""
    connection = shell.connection_id(connection)
    kept = [
        (command, receipt)
        for command, receipt in shell.store.recorded(connection)
        if everything or (receipt.state is not WriteState.CONFIRMED and command.type not in LOCAL_TYPES)
    ]
    rows = list(worksheet(kept, shell.store.view(connection)))
    if shell.as_json:
        shell.emit({"rows": rows}, lambda: None)
        return None
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    shell.err.print(f"{len(rows)} commands written")
    return None


@writes.command()
@_connection
@json_option
@pass_shell
@verb
def deliver(shell: Shell, connection: str | None) -> Exit | None:
    """Send what is due; each command takes effect exactly once."""
    conn = shell.connect(shell.connection_id(connection))
    return _show(shell, conn.id, api.deliver(conn, shell.store), "nothing is due")


@writes.command()
@_connection
@json_option
@pass_shell
@verb
def resolve(shell: Shell, connection: str | None) -> Exit | None:
    """Look in the ERP for commands whose outcome is unknown; sends nothing that is already there."""
    conn = shell.connect(shell.connection_id(connection))
    return _show(shell, conn.id, api.resolve(conn, shell.store), "no outcome is unknown")


def show_receipts(
    shell: Shell, connection: str, receipts: Sequence[Receipt], commands: Sequence[Command] | None = None
) -> None:
    """Commands and where they landed, with whom and which invoices they are about. `commands`: those of the receipts, where they
    are at hand."""

    def show() -> None:
        given = commands if commands is not None else [one for one, _ in shell.store.recorded(connection)]
        known: dict[tuple[str, str], Command] = {(one.type, one.key): one for one in given}
        asked = [known[one.command_type, one.key] for one in receipts]
        shell.out.print(receipts_table(receipts, about(asked, shell.store.view(connection))))

    shell.emit({"receipts": receipts}, show)


def _show(shell: Shell, connection: str, receipts: Sequence[Receipt], nothing: str) -> Exit | None:
    if receipts or shell.as_json:
        show_receipts(shell, connection, receipts)
    else:
        shell.out.print(nothing)
    states = {receipt.state for receipt in receipts}
    if WriteState.UNKNOWN in states:
        return Exit.UNKNOWN_OUTCOME
    return Exit.REJECTED if WriteState.REJECTED in states else None
