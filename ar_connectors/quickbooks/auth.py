"""How does one get into QuickBooks Online? Intuit's OAuth addresses and habits as data; the work is done in `ar_connectors.auth`.

There is no access without a person: no client credentials grant exists, and a company's id comes with the redirect alone
(quirks.md#qbo-80 to #qbo-84).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from ar_connectors.adapterkit.session import Access
from ar_connectors.adapterkit.session import open_access as _open_access
from ar_connectors.auth.contract import LeaseStore, TokenStore
from ar_connectors.auth.oauth import OAuthProvider, TokenEndpoint
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock
from ar_connectors.events import Event
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.redact import Redactor
from ar_connectors.quickbooks.client import BASE_URL, SANDBOX_URL
from ar_connectors.quickbooks.faults import PLATFORM

__all__ = [
    "PRODUCTION",
    "SANDBOX",
    "SCOPE",
    "open_access",
    "quickbooks_provider",
    "token_endpoint",
]

_AUTHORIZE: Final = "https://appcenter.intuit.com/connect/oauth2"
_TOKEN: Final = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
_REVOKE: Final = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"

PRODUCTION: Final = Endpoints(BASE_URL, token=_TOKEN, authorize=_AUTHORIZE, revoke=_REVOKE)
SANDBOX: Final = Endpoints(SANDBOX_URL, token=_TOKEN, authorize=_AUTHORIZE, revoke=_REVOKE)
"""Only the API host differs; which companies one reaches is decided by the app's keys (quirks.md#qbo-80)."""

SCOPE: Final = "com.intuit.quickbooks.accounting"
"""Reading and writing; Intuit has no scope for reading alone (quirks.md#qbo-81)."""


def quickbooks_provider(endpoints: Endpoints | None = None, *, hard_expiry: bool = True) -> OAuthProvider:
    """Intuit's OAuth. `endpoints`: a sandbox or an emulator; `hard_expiry`: ask when the connection ends for good
    (quirks.md#qbo-84), by a header that servers who do not know it pass over."""
    return OAuthProvider(
        platform=PLATFORM,
        endpoints=endpoints or PRODUCTION,
        scopes=(SCOPE,),
        tenant_parameter="realmId",
        refresh_life="x_refresh_token_expires_in",
        hard_life="x_refresh_token_hard_expires_in",
        token_headers={"x-include-refresh-token-hard-expires-in": "true"} if hard_expiry else {},
        revoke_as_json=True,
        rotation_grace=timedelta(hours=24),
    )


def token_endpoint(
    credentials: ClientCredentials,
    *,
    clock: Clock,
    jitter: Callable[[], float],
    endpoints: Endpoints | None = None,
    tenant: str = "",
    settings: TransportSettings | None = None,
    observer: Callable[[Event], None] | None = None,
    redactor: Redactor | None = None,
) -> TokenEndpoint:
    """Intuit's token endpoint for one app: for `run_code_flow`, `refresh`, `revoke`. Arguments as of `TokenEndpoint`."""
    return TokenEndpoint(
        quickbooks_provider(endpoints),
        credentials,
        clock=clock,
        jitter=jitter,
        tenant=tenant,
        settings=settings,
        observer=observer,
        redactor=redactor,
    )


def open_access(
    tenant: str,
    credentials: ClientCredentials,
    *,
    tokens: TokenStore,
    leases: LeaseStore,
    clock: Clock,
    jitter: Callable[[], float],
    owner: str,
    endpoints: Endpoints | None = None,
    settings: TransportSettings | None = None,
    observer: Callable[[Event], None] | None = None,
    redactor: Redactor | None = None,
    on_rotated: Callable[[TokenSet], None] | None = None,
) -> Access:
    """Everything that signs calls to one company (realm id `tenant`); see `adapterkit.session.open_access`."""
    return _open_access(
        quickbooks_provider(endpoints),
        tenant,
        credentials,
        tokens=tokens,
        leases=leases,
        clock=clock,
        jitter=jitter,
        owner=owner,
        settings=settings,
        observer=observer,
        redactor=redactor,
        on_rotated=on_rotated,
    )
