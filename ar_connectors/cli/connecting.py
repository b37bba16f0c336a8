"""How does a company get connected? Consent in the browser, tokens into the store, the time zone asked; one verb per platform."""

from __future__ import annotations

import json
import os
import random
import webbrowser
from typing import Any, TextIO

import click

from ar_connectors import api
from ar_connectors.auth.consent import Connected
from ar_connectors.auth.oauth import TokenEndpoint
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.cli.connected import done, need_key
from ar_connectors.cli.connecting_netsuite import netsuite
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb, zone
from ar_connectors.errors import ConfigurationError
from ar_connectors.http import Endpoints

__all__ = ["connect", "quickbooks", "xero"]

SECRET_VARIABLE = "AR_CONNECTORS_CLIENT_SECRET"  # noqa: S105  the name of a variable


@click.group()
def connect() -> None:
    """Connect a company."""


@connect.command()
@click.option("--client-id", help="Your app's client id.")
@click.option(
    "--zone", "time_zone", callback=zone, help="The company's time zone (IANA); asked for when left out."
)
@click.option("--sandbox", is_flag=True, help="Intuit's sandbox instead of production.")
@click.option("--port", type=int, default=0, help="Port of the redirect page on this machine; 0: any.")
@click.option("--no-browser", is_flag=True, help="Only print the address of the consent page.")
@click.option(
    "--emulator",
    type=click.File("r"),
    help="Connect to an emulator instead: the JSON line that `testkit serve quickbooks` printed (- for standard input).",
)
@json_option
@pass_shell
@verb
def quickbooks(
    shell: Shell,
    client_id: str | None,
    time_zone: str | None,
    sandbox: bool,
    port: int,
    no_browser: bool,
    emulator: TextIO | None,
) -> Exit | None:
    """Connect a QuickBooks Online company. The client secret comes from AR_CONNECTORS_CLIENT_SECRET or is asked for."""
    need_key(shell)
    if emulator is not None:
        conn = _to_emulator(shell, "quickbooks", emulator.read(), time_zone)
        return done(shell, conn)
    from ar_connectors.quickbooks.auth import PRODUCTION, SANDBOX, token_endpoint

    client_id = client_id or click.prompt("Client id of your Intuit app")
    secret = os.environ.get(SECRET_VARIABLE) or click.prompt("Client secret", hide_input=True)
    time_zone = time_zone or click.prompt("Time zone of the company", default="America/New_York")
    endpoints = SANDBOX if sandbox else PRODUCTION
    keys = ClientCredentials(client_id, secret)

    asking = token_endpoint(keys, clock=shell.clock, jitter=random.SystemRandom().random, endpoints=endpoints)
    granted = _ask(shell, asking, port=port, no_browser=no_browser)
    if granted.tenant is None:
        raise ConfigurationError(
            "the redirect did not name the company", advice="run it again from the start"
        )
    conn = api.connect(
        "quickbooks",
        tenant=granted.tenant,
        store=shell.store,
        credentials=keys,
        tokens=granted.tokens,
        endpoints=endpoints,
        settings={"time_zone": zone(click.get_current_context(), None, time_zone)},
        clock=shell.clock,
    )
    return done(shell, conn)


@connect.command()
@click.option("--client-id", help="Your app's client id.")
@click.option("--tenant", help="Tenant id of the organisation, where the consent reaches several.")
@click.option(
    "--zone", "time_zone", callback=zone, help="The organisation's time zone (IANA); asked for when left out."
)
@click.option(
    "--custom", is_flag=True, help="A custom connection: the app's keys are enough, no browser is needed."
)
@click.option("--pkce", is_flag=True, help="An app for desktops or phones, which has no client secret.")
@click.option("--port", type=int, default=8765, show_default=True, help="Port of the redirect page.")
@click.option("--no-browser", is_flag=True, help="Only print the address of the consent page.")
@click.option(
    "--emulator",
    type=click.File("r"),
    help="Connect to an emulator instead: the JSON line that `testkit serve xero` printed (- for standard input).",
)
@json_option
@pass_shell
@verb
def xero(  # noqa: PLR0917 - click passes them by name
    shell: Shell,
    client_id: str | None,
    tenant: str | None,
    time_zone: str | None,
    custom: bool,
    pkce: bool,
    port: int,
    no_browser: bool,
    emulator: TextIO | None,
) -> Exit | None:
    """Connect a Xero organisation. The client secret comes from AR_CONNECTORS_CLIENT_SECRET or is asked for, unless the app has
    none (--pkce); register http://localhost:8765/callback (or another --port) as the app's redirect address."""
    need_key(shell)
    if emulator is not None:
        return done(shell, _to_emulator(shell, "xero", emulator.read(), time_zone))
    from ar_connectors.xero.auth import CUSTOM_SCOPES, reached, token_endpoint

    if custom and pkce:
        raise click.UsageError(
            "a custom connection needs the app's secret: give --custom or --pkce, not both"
        )
    client_id = client_id or click.prompt("Client id of your Xero app")
    secret: str | None = None
    if not pkce:
        secret = os.environ.get(SECRET_VARIABLE) or click.prompt("Client secret", hide_input=True)
    time_zone = time_zone or click.prompt("Time zone of the organisation", default="Pacific/Auckland")
    redirect = None if custom else f"http://localhost:{port}/callback"
    keys = ClientCredentials(client_id, secret, redirect, CUSTOM_SCOPES if custom else ())
    jitter = random.SystemRandom().random
    asking = token_endpoint(keys, clock=shell.clock, jitter=jitter)
    if custom:
        try:
            tokens = asking.client_credentials(CUSTOM_SCOPES)
        finally:
            asking.close()
    else:
        tokens = _ask(shell, asking, port=port, no_browser=no_browser).tokens
    found = reached(tokens, clock=shell.clock, jitter=jitter)
    chosen = [one for one in found if tenant in {None, one.tenant}]
    if len(chosen) != 1:
        raise ConfigurationError(
            "the consent reaches no such organisation"
            if not chosen
            else "the consent reaches several organisations",
            platform="xero",
            advice="name one with --tenant: "
            + (", ".join(f"{one.tenant} ({one.name})" for one in found) or "none"),
        )
    conn = api.connect(
        "xero",
        tenant=chosen[0].tenant,
        store=shell.store,
        credentials=keys,
        tokens=tokens,
        settings={
            "time_zone": zone(click.get_current_context(), None, time_zone),
            **({"custom_connection": True} if custom else {}),
        },
        clock=shell.clock,
    )
    return done(shell, conn)


def _ask(shell: Shell, asking: TokenEndpoint, *, port: int, no_browser: bool) -> Connected:
    """Consent in a browser; closes the endpoint."""
    from ar_connectors.auth.code_flow import run_code_flow

    def show(address: str) -> None:
        shell.err.print("Give your consent on this page:")
        shell.err.print(address, style="bold", markup=False, soft_wrap=True)
        if not no_browser:
            webbrowser.open(address)

    try:
        return run_code_flow(asking, open_page=show, port=port)
    finally:
        asking.close()


def _to_emulator(shell: Shell, platform: str, line: str, time_zone: str | None) -> api.Connection:
    try:
        told: dict[str, Any] = json.loads(line.strip().splitlines()[0])
        endpoints = Endpoints(api=told["base_url"], token=told["token_url"], authorize=told["authorize_url"])
        if told.get("erp", platform) != platform:
            raise ConfigurationError(
                f"this is an emulator of {told['erp']}",
                advice=f"ar-connectors connect {told['erp']} --emulator ...",
            )
        return api.connect(
            platform,
            tenant=told["tenant"],
            store=shell.store,
            credentials=ClientCredentials(told["client_id"], told["client_secret"]),
            tokens=TokenSet(told["access_token"], told["refresh_token"]),
            endpoints=endpoints,
            settings={"time_zone": time_zone or "America/New_York"},
            clock=shell.clock,
        )
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigurationError(
            "this is not the line of an emulator",
            advice=f"ar-connectors testkit serve {platform} > line.json",
        ) from error


connect.add_command(netsuite)
