"""What does a policy say? `policy show`, `policy lint`."""

from __future__ import annotations

import click

from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb
from ar_connectors.errors import ConfigurationError
from ar_core import PolicyError, load_policy
from ar_core.cadence import PRESETS

__all__ = ["list_presets", "policy", "show"]


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
    """Show a policy (preset or file) with everything it inherits."""
    try:
        found = load_policy(name)
    except (PolicyError, OSError) as error:
        raise ConfigurationError(f"the policy {name!r} cannot be used: {error}") from error
    shell.emit(found, lambda: shell.out.print_json(found.model_dump_json(exclude_none=True)))
    return None
