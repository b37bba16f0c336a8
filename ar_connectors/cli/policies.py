"""What does a policy say, is it sound, and what would another one do? The verbs `policy list|show|schema|lint|diff|simulate`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from rich.table import Table

from ar_connectors.cli.exits import Exit
from ar_connectors.cli.lookup import read_policy
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.cli.simulating import simulate
from ar_connectors.cli.types import INSTANT
from ar_core import diff as compare
from ar_core import lint as check
from ar_core.cadence import PRESETS, policy_json_schema
from ar_core.cadence.lint import Severity

__all__ = ["diff", "lint", "list_presets", "policy", "schema", "show"]


@click.group()
def policy() -> None:
    """Cadence policies: the shipped presets and your own files."""


@policy.command("list")
@json_option
@pass_shell
@verb
def list_presets(shell: Shell) -> Exit | None:
    """List the shipped presets."""
    names = sorted(PRESETS)
    shell.emit({"presets": names}, lambda: shell.out.print("\n".join(names)))
    return None


@policy.command()
@click.argument("name", default="balanced")
@json_option
@pass_shell
@verb
def show(shell: Shell, name: str) -> Exit | None:
    """Show a policy (preset or file) with everything it inherits, as a JSON file that says it in full."""
    _print(shell, read_policy(name).resolved())
    return None


@policy.command()
@json_option
@pass_shell
@verb
def schema(shell: Shell) -> Exit | None:
    """Print the JSON Schema of a policy file, for editors."""
    _print(shell, policy_json_schema())
    return None


@policy.command()
@click.argument("name", default="balanced")
@json_option
@pass_shell
@verb
def lint(shell: Shell, name: str) -> Exit | None:
    """Check a policy (preset or file) for weaknesses: gaps, empty threats, steps that can never fire."""
    findings = check(read_policy(name))
    data = [
        {"code": f.code.value, "severity": f.severity.value, "path": f.path, "message": f.message}
        for f in findings
    ]

    def draw() -> None:
        for one in findings:
            shell.out.print(
                f"{one.severity.value}: {one.code.value}: {one.path}: {one.message}", markup=False
            )
        if not findings:
            shell.out.print("nothing to say against it")

    shell.emit({"findings": data}, draw)
    return Exit.FINDINGS if any(one.severity is Severity.ERROR for one in findings) else None


@policy.command()
@click.argument("before")
@click.argument("after")
@click.option("-c", "--connection", help="Connection id; not needed when the store has one.")
@click.option("--as-of", "instant", type=INSTANT, help="Compare as of this instant instead of now.")
@json_option
@pass_shell
@verb
def diff(
    shell: Shell, before: str, after: str, connection: str | None, instant: datetime | None
) -> Exit | None:
    """Compare two policies: their settings, and what each would do with the book today."""
    connection = shell.connection_id(connection)
    snapshot, as_of = shell.store.snapshot(connection), shell.as_of(connection, instant)
    found = compare(read_policy(before), read_policy(after), snapshot, as_of)

    def draw() -> None:
        table = Table(title=f"{found.before} -> {found.after}", title_justify="left")
        for name in ("customer", "change", "before", "after"):
            table.add_column(name, overflow="fold")
        names = {one.id: one.name for one in snapshot.customers}
        for change in found.changes:
            customer = names.get(change.customer_id, change.customer_id)
            table.add_row(customer, change.kind, change.before or "-", change.after or "-")
        shell.out.print(table)
        shell.out.print(f"{len(found.settings)} settings and {len(found.changes)} customers differ")

    shell.emit(found, draw)
    return None


def _print(shell: Shell, data: dict[str, Any]) -> None:
    """JSON either way: in colours on a terminal, as it is under `--json` and into a file."""
    shell.emit(data, lambda: shell.out.print_json(data=data))


policy.add_command(simulate)
