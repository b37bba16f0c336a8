"""`ar-connectors`: the entry point, and the list of verbs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Final, NamedTuple

import click

from ar_connectors.cli.shell import DEFAULT_STORE, STORE_VARIABLE, Shell

__all__ = ["SECTIONS", "VERBS", "Verb", "cli", "main"]


class Verb(NamedTuple):
    """Where a verb is defined, and what it does in a few words. Its module is imported when it runs, so `--help` is quick."""

    module: str
    name: str
    help: str


SECTIONS: Final[Mapping[str, Mapping[str, Verb]]] = {
    "Begin": {
        "demo": Verb("demo", "demo", "See the whole loop on this machine, without any account."),
        "connect": Verb("connecting", "connect", "Connect a company: quickbooks, xero or netsuite."),
        "aging-file": Verb(
            "aging_files", "aging_file", "Import the list of open items, where there is only an export."
        ),
        "connections": Verb("connections", "connections", "List the connected companies."),
        "check": Verb("connections", "check", "Ask the ERP something small: can it be reached?"),
        "capabilities": Verb(
            "connections", "capabilities", "What is read, and where each fact lands in an ERP."
        ),
    },
    "Keep the copy true": {
        "sync": Verb("syncing", "sync", "Bring our copy up to date; every call is counted."),
        "status": Verb("syncing", "status", "What the store holds, what was set aside, what is on its way."),
        "reconcile": Verb("syncing", "reconcile", "Compare our open balances with the ERP's own figures."),
        "sweep": Verb("syncing", "sweep", "List all ids at the ERP, and find what vanished."),
        "replay": Verb("syncing", "replay", "Map rows again that were set aside."),
        "profile": Verb("profiles", "profile", "Bring in what no ERP holds: lifetime value, team, flags."),
    },
    "Decide": {
        "plan": Verb("planning", "plan", "The ranked worklist, with the reason of each action."),
        "explain": Verb("planning", "explain", "Why a customer or an invoice is, or is not, due a touch."),
        "aging": Verb("planning", "aging", "What is open, by currency and age."),
        "policy": Verb("policies", "policy", "Show, check, compare and simulate cadence policies."),
        "evaluate": Verb("planning", "evaluate", "Plan from a snapshot file, without any store."),
    },
    "Record and write back": {
        "touch": Verb("recording", "touch", "Record a contact with a customer."),
        "outcome": Verb("recording", "outcome", "Record what became of a touch."),
        "promise": Verb("recording", "promise", "Record a promise to pay, or withdraw one."),
        "dispute": Verb(
            "recording", "dispute", "Record that an invoice is disputed, or that it was resolved."
        ),
        "note": Verb("recording", "note", "Leave a note for the ERP's own users."),
        "set-status": Verb("recording", "set_status", "Show in the ERP where collections stand."),
        "order-hold": Verb("recording", "order_hold", "Ask the ERP to stop new orders, or lift that."),
        "writes": Verb("writes", "writes", "What is on its way to the ERP: list, deliver, resolve, export."),
    },
    "For developers": {
        "decode": Verb("decoding", "decode", "What the library makes of one API body."),
        "testkit": Verb("testkit", "testkit", "Serve an emulated ERP to any client."),
    },
}
VERBS: Final[Mapping[str, Verb]] = {
    name: one for section in SECTIONS.values() for name, one in section.items()
}


class _Verbs(click.Group):
    """A group that imports a verb's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  likewise
        place = VERBS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(import_module(f"ar_connectors.cli.{place.module}"), place.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], VERBS, n=2)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(near)}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  likewise
        """The verbs in sections, in the order in which they are needed."""
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, one.help) for name, one in verbs.items()], col_max=16)


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
    """Accounts receivable out of QuickBooks, Xero, NetSuite or an exported list: sync, plan whom to contact, write back exactly once.

    Every verb takes --json and tells by its exit code what to do next (docs/cli.md).
    """
    shell = context.ensure_object(Shell)
    shell.store_url = store_url or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def main() -> None:
    """Run the command line; the console script of the package."""
    cli(prog_name="ar-connectors")
