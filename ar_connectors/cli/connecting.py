"""How does a company get connected? Consent in the browser, tokens into the store, the time zone asked; one verb per platform."""

from __future__ import annotations

import json
import os
import random
import webbrowser
from collections.abc import Callable
from typing import Any, TextIO
from urllib.parse import urlsplit

import click

from ar_connectors import api
from ar_connectors.auth.consent import Connected, StrangeRedirect, begin, complete
from ar_connectors.auth.oauth import TokenEndpoint
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.cli.connected import done, need_key
from ar_connectors.cli.connecting_netsuite import netsuite
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.shell import Shell, json_option, pass_shell, verb, zone
from ar_connectors.errors import ConfigurationError
from ar_connectors.http import Endpoints
from ar_connectors.http.endpoints import is_loopback

__all__ = ["connect", "quickbooks", "xero"]

PORT = 8765
"""Of the redirect page on this machine. Always the same: platforms compare the redirect address with the one registered."""
SECRET_VARIABLE = "AR_CONNECTORS_CLIENT_SECRET"  # noqa: S105  the name of a variable


_redirect_option = click.option(
    "--redirect-uri",
    help="The redirect address registered with the app, where it is not http://localhost:PORT/callback: you are then asked for the "
    "address that the browser was sent back to.",
)
_port_option = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=PORT,
    show_default=True,
    help="Port of the redirect page on this machine.",
)


@click.group()
def connect() -> None:
    """Connect a company."""


@connect.command()
@click.option("--client-id", help="Your app's client id.")
@click.option(
    "--zone", "time_zone", callback=zone, help="The company's time zone (IANA); asked for when left out."
)
@click.option("--sandbox", is_flag=True, help="Intuit's sandbox instead of production.")
@_port_option
@_redirect_option
@click.option("--no-browser", is_flag=True, help="Only print the address of the consent page.")
@click.option(
    "--emulator",
    type=click.File("r"),
    help="Connect to an emulator instead: the JSON line that `testkit serve quickbooks` printed (- for standard input).",
)
@json_option
@pass_shell
@verb
def quickbooks(  # noqa: PLR0917 - click passes them by name
    shell: Shell,
    client_id: str | None,
    time_zone: str | None,
    sandbox: bool,
    port: int,
    redirect_uri: str | None,
    no_browser: bool,
    emulator: TextIO | None,
) -> Exit | None:
    """Connect a QuickBooks Online company. The client secret comes from AR_CONNECTORS_CLIENT_SECRET or is asked for.

    For a sandbox register http://localhost:8765/callback (or another --port) as the app's redirect address. Companies in production are
    sent to https addresses only: give the one you registered with --redirect-uri; nothing needs to answer there.
    """
    need_key(shell)
    if emulator is not None:
        conn = _to_emulator(shell, "quickbooks", emulator.read(), time_zone)
        return done(shell, conn)
    from ar_connectors.quickbooks.auth import PRODUCTION, SANDBOX, token_endpoint

    client_id = client_id or _asked("Client id of your Intuit app")
    secret = os.environ.get(SECRET_VARIABLE) or _asked("Client secret", hide_input=True)
    if redirect_uri is None:
        here = f"http://localhost:{port}/callback"
        redirect_uri = here if sandbox else _asked("Redirect address registered with the app (https)")
    time_zone = _zone_asked(time_zone, "Time zone of the company", "America/New_York")
    endpoints = SANDBOX if sandbox else PRODUCTION
    keys = ClientCredentials(client_id, secret, redirect_uri)

    asking = token_endpoint(keys, clock=shell.clock, jitter=random.SystemRandom().random, endpoints=endpoints)
    granted = _consent(shell, asking, redirect_uri, no_browser=no_browser)
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
        settings={"time_zone": time_zone},
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
@_port_option
@_redirect_option
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
    redirect_uri: str | None,
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
    client_id = client_id or _asked("Client id of your Xero app")
    secret: str | None = None
    if not pkce:
        secret = os.environ.get(SECRET_VARIABLE) or _asked("Client secret", hide_input=True)
    time_zone = _zone_asked(time_zone, "Time zone of the organisation", "Pacific/Auckland")
    redirect_uri = redirect_uri or f"http://localhost:{port}/callback"
    keys = ClientCredentials(
        client_id, secret, None if custom else redirect_uri, CUSTOM_SCOPES if custom else ()
    )
    jitter = random.SystemRandom().random
    asking = token_endpoint(keys, clock=shell.clock, jitter=jitter)
    if custom:
        try:
            tokens = asking.client_credentials(CUSTOM_SCOPES)
        finally:
            asking.close()
    else:
        tokens = _consent(shell, asking, redirect_uri, no_browser=no_browser).tokens
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
            "time_zone": time_zone,
            **({"custom_connection": True} if custom else {}),
        },
        clock=shell.clock,
    )
    return done(shell, conn)


def _asked(question: str, *, hide_input: bool = False, default: str | None = None) -> str:
    """What a person answers; asked on standard error, for what comes out may be JSON."""
    return str(click.prompt(question, hide_input=hide_input, default=default, err=True)).strip()


def _zone_asked(given: str | None, question: str, default: str) -> str:
    """The time zone that was given, or the first valid one that a person answers."""
    while given is None:
        try:
            given = zone(click.get_current_context(), None, _asked(question, default=default))
        except click.BadParameter as error:
            click.echo(error.message, err=True)
    return given


def _consent(shell: Shell, asking: TokenEndpoint, redirect_uri: str, *, no_browser: bool) -> Connected:
    """Consent in a browser; closes the endpoint. Where the browser is not sent back to this machine, the address is asked for."""
    from ar_connectors.auth.code_flow import run_code_flow

    def show(address: str) -> None:
        shell.err.print("Give your consent on this page:")
        shell.err.print(address, style="bold", markup=False, soft_wrap=True)
        if not no_browser:
            webbrowser.open(address)

    parts = urlsplit(redirect_uri)
    try:
        if parts.scheme == "http" and is_loopback(parts.hostname):
            return run_code_flow(asking, open_page=show)
        if parts.scheme != "https":
            raise ConfigurationError(
                f"{redirect_uri!r} would carry the answer in the open",
                advice="register an https address with the app, or one on this machine (http://localhost:8765/callback)",
            )
        return _pasted(asking, redirect_uri, show)
    finally:
        asking.close()


def _pasted(asking: TokenEndpoint, redirect_uri: str, show: Callable[[str], None]) -> Connected:
    consent = begin(asking, redirect_uri)
    show(consent.url)
    while True:
        address = _asked("Then paste the whole address that the browser was sent to")
        try:
            return complete(asking, consent, address)
        except StrangeRedirect as error:
            click.echo(f"{error.message}: it begins with {redirect_uri}?", err=True)


def _to_emulator(shell: Shell, platform: str, line: str, time_zone: str | None) -> api.Connection:
    try:
        told: dict[str, Any] = json.loads(line.strip().splitlines()[0])
        endpoints = Endpoints(
            api=told["base_url"],
            token=told["token_url"],
            authorize=told["authorize_url"],
            revoke=told.get("revoke_url"),
        )
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
