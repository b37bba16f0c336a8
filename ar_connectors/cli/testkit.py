"""`testkit serve ERP`: an emulator of an ERP on this machine, for any client in any language."""

from __future__ import annotations

from datetime import datetime

import click

from ar_connectors.cli.shell import verb
from ar_connectors.errors import ConfigurationError
from ar_connectors.testkit import ERPS

__all__ = ["serve", "testkit"]


@click.group()
def testkit() -> None:
    """Emulators of the ERPs, on the loopback address only."""


@testkit.command()
@click.argument("erp", type=click.Choice(ERPS))
@click.option("--port", type=int, default=0, show_default=True, help="0: any free port.")
@click.option("--invoices", type=int, default=200, show_default=True, help="Size of the generated company.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same company.")
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d"]),
    help="When the company's history ends and its clock starts; by default now.",
)
@verb
def serve(erp: str, port: int, invoices: int, seed: int, now: datetime | None) -> None:
    """Print one JSON line that tells how to reach the emulator, then serve until stopped."""
    try:
        from ar_connectors.testkit.server import serve_forever
    except ImportError as error:
        raise ConfigurationError(
            f"the emulators need the `testkit` extra ({error.name} is missing)",
            advice="pip install 'ar-connectors[testkit]'",
        ) from error
    start = now if now is None or now.tzinfo is not None else now.astimezone()
    serve_forever(erp, port=port, invoices=invoices, seed=seed, now=start)
