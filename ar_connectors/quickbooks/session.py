"""How is a QuickBooks connection put together? Its own parts, wired as `adapterkit.session` wires all of them."""

from __future__ import annotations

from ar_connectors.adapterkit.session import Session, SessionRequest, kept_settings, open_oauth, wire
from ar_connectors.quickbooks.auth import PRODUCTION, quickbooks_provider
from ar_connectors.quickbooks.connector import QuickBooksConnector
from ar_connectors.quickbooks.context import PLATFORM
from ar_connectors.quickbooks.faults import QuickBooksDialect
from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from ar_connectors.quickbooks.writeback import WriteOptions

__all__ = ["open_session"]


def open_session(request: SessionRequest) -> Session:
    """Build a connection; nothing is sent. Settings: `status_custom_field` (see `WriteOptions`).

    Raises ConfigurationError when there are no keys or no tokens.
    """
    access, hosts = open_oauth(request, quickbooks_provider)
    used = hosts or PRODUCTION
    transport = wire(
        request,
        PLATFORM,
        used,
        QuickBooksDialect(),
        access.signer,
        QUICKBOOKS_LIMITS,
        redactor=access.redactor,
    )
    options = WriteOptions(status_custom_field=request.settings.get("status_custom_field"))
    connector = QuickBooksConnector(
        request.tenant, transport, request.clock, base_url=used.api, options=options
    )
    return Session(connector, transport, kept_settings(hosts), access.revoke)
