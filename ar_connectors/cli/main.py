"""`ar-connectors`: the entry point, and the list of verbs."""

from __future__ import annotations

import os
from importlib import import_module

import click

from ar_connectors.cli.shell import DEFAULT_STORE, STORE_VARIABLE, Shell

__all__ = ["cli", "main"]

# Verb -> module that defines it. A module is imported when its verb runs, so `--help` and completion stay quick.
VERBS: dict[str, tuple[str, str]] = {
    "aging": ("planning", "aging"),
    "aging-file": ("aging_files", "aging_file"),
    "capabilities": ("connections", "capabilities"),
    "check": ("connections", "check"),
    "connect": ("connecting", "connect"),
    "connections": ("connections", "connections"),
    "decode": ("decoding", "decode"),
    "demo": ("demo", "demo"),
    "dispute": ("recording", "dispute"),
    "evaluate": ("planning", "evaluate"),
    "explain": ("planning", "explain"),
    "note": ("recording", "note"),
    "order-hold": ("recording", "order_hold"),
    "outcome": ("recording", "outcome"),
    "plan": ("planning", "plan"),
    "policy": ("policies", "policy"),
    "profile": ("profiles", "profile"),
    "promise": ("recording", "promise"),
    "reconcile": ("syncing", "reconcile"),
    "replay": ("syncing", "replay"),
    "set-status": ("recording", "set_status"),
    "status": ("syncing", "status"),
    "sweep": ("syncing", "sweep"),
    "sync": ("syncing", "sync"),
    "testkit": ("testkit", "testkit"),
    "touch": ("recording", "touch"),
    "writes": ("writes", "writes"),
}


class _Verbs(click.Group):
    """A group that imports a verb's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  likewise
        place = VERBS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(import_module(f"ar_connectors.cli.{place[0]}"), place[1])
        return command


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ar-connectors")
@click.option(
    "--store",
    "store_url",
    metavar="URL",
    help=f"Database: sqlite:///ar.db or postgresql+psycopg://...  [env: {STORE_VARIABLE}; default: {DEFAULT_STORE}]",
)
@click.pass_context
def cli(context: click.Context, store_url: str | None) -> None:
    """Accounts-receivable connectors: sync, plan collections, write back, exactly."""
    shell = context.ensure_object(Shell)
    shell.store_url = store_url or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def main() -> None:
    """Run the command line; the console script of the package."""
    cli(prog_name="ar-connectors")
