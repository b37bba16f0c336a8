"""How is a Xero connection put together? Its own parts, wired as `adapterkit.session` wires all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from ar_connectors.adapterkit.session import Session, SessionRequest, kept_settings, open_oauth, wire
from ar_connectors.auth.oauth import TokenEndpoint
from ar_connectors.auth.refresh import Refresher
from ar_connectors.errors import ConfigurationError
from ar_connectors.xero.auth import (
    PRODUCTION,
    ClientCredentialsGrant,
    check_scopes,
    disconnect,
    xero_provider,
)
from ar_connectors.xero.bridge import LentRefresher, XeroBridge
from ar_connectors.xero.connector import XeroConnector
from ar_connectors.xero.context import PLATFORM
from ar_connectors.xero.faults import XeroDialect
from ar_connectors.xero.limits import XERO_LIMITS, server_limits
from ar_connectors.xero.pull import ReadOptions
from ar_connectors.xero.writeback_scope import NotePolicy, WriteOptions

__all__ = ["open_session"]


def open_session(request: SessionRequest) -> Session:
    """Build a connection; nothing is sent. Tenant and token belong together for its whole life (quirks.md#xero-2).

    Settings: `custom_connection` (true: the app's keys are enough, quirks.md#xero-3), `notes` (off, change, always),
    `order_hold_group`, `status_groups`, `notes_group` ("": none), `open_invoices_hours`, `payment_links`; see `WriteOptions`
    and `ReadOptions`.

    Raises ConfigurationError when there are no keys or no tokens, or for a setting that means nothing; PermissionDenied for tokens
    that may not read.
    """
    settings = request.settings
    custom = settings.get("custom_connection") is True
    lent_for = getattr(request.credentials, "tenant", request.tenant)
    if lent_for != request.tenant:
        raise ConfigurationError(
            f"the client was lent for {lent_for}, not for {request.tenant}",
            platform=PLATFORM,
            tenant=request.tenant,
            advice="lend one client for one organisation: from_xero(client, tenant=...)",
        )
    if request.tokens is not None:
        check_scopes(request.tokens, request.tenant)
    access, hosts = open_oauth(
        request,
        xero_provider,
        headers={"xero-tenant-id": request.tenant},
        refresher=_refresher(request.credentials, custom=custom),
    )
    used = hosts or PRODUCTION
    transport = wire(
        request,
        PLATFORM,
        used,
        XeroDialect(request.tenant),
        access.signer,
        XERO_LIMITS,
        redactor=access.redactor,
        server_limits=server_limits,
    )
    reading, writing = _options(settings)
    connector = XeroConnector(
        request.tenant,
        transport,
        request.clock,
        base_url=used.api,
        read_options=reading,
        write_options=writing,
    )
    return Session(
        connector,
        transport,
        {**kept_settings(hosts), **({"custom_connection": True} if custom else {})},
        partial(disconnect, connector.client),
    )


def _refresher(credentials: object, *, custom: bool) -> Callable[[TokenEndpoint], Refresher] | None:
    """How new tokens are had, where it is not by the connection's own refresh token."""
    if isinstance(credentials, XeroBridge):
        return partial(LentRefresher, bridge=credentials)
    return ClientCredentialsGrant if custom else None


def _options(settings: Mapping[str, Any]) -> tuple[ReadOptions, WriteOptions]:
    usual = WriteOptions()
    try:
        policy = NotePolicy(settings.get("notes", usual.notes))
        age = timedelta(hours=float(settings.get("open_invoices_hours", 24)))
        links = int(settings.get("payment_links", 0))
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"a setting of the connection means nothing: {error}",
            platform=PLATFORM,
            advice="notes is off, change or always; open_invoices_hours a number, payment_links a whole one",
        ) from error
    hold = settings.get("order_hold_group") or None
    noted = settings.get("notes_group", usual.notes_group) or None
    return ReadOptions(hold, noted, links, age), WriteOptions(
        notes=policy,
        order_hold_group=hold or usual.order_hold_group,
        status_groups=settings.get("status_groups") or None,
        notes_group=noted,
    )
