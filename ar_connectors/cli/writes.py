"""What is on its way to the ERP? The verbs `writes list`, `writes deliver`, `writes resolve`."""

from __future__ import annotations

import click

from ar_connectors import api
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.tables import receipts_table
from ar_connectors.store.contract import Receipt, WriteState

__all__ = ["deliver", "list_writes", "resolve", "writes"]

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
    receipts = shell.store.receipts(shell.connection_id(connection), WriteState(state) if state else None)
    shell.emit({"receipts": receipts}, lambda: shell.out.print(receipts_table(receipts)))
    return None


@writes.command()
@_connection
@json_option
@pass_shell
@verb
def deliver(shell: Shell, connection: str | None) -> Exit | None:
    """Send what is due; each command takes effect exactly once."""
    conn = shell.connect(shell.connection_id(connection))
    return _show(shell, list(api.deliver(conn, shell.store)))


@writes.command()
@_connection
@json_option
@pass_shell
@verb
def resolve(shell: Shell, connection: str | None) -> Exit | None:
    """Look in the ERP for commands whose outcome is unknown; sends nothing that is already there."""
    conn = shell.connect(shell.connection_id(connection))
    return _show(shell, list(api.resolve(conn, shell.store)))


def _show(shell: Shell, receipts: list[Receipt]) -> Exit | None:
    shell.emit({"receipts": receipts}, lambda: shell.out.print(receipts_table(receipts)))
    states = {receipt.state for receipt in receipts}
    if WriteState.UNKNOWN in states:
        return Exit.UNKNOWN_OUTCOME
    return Exit.REJECTED if WriteState.REJECTED in states else None
