"""How does one get into Xero? Its OAuth addresses and habits as data, custom connections, and which organisations a token reaches.

The work is done in `ar_connectors.auth`; see quirks.md#xero-1 to #xero-5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from ar_connectors.adapterkit.cutting import loads_plain
from ar_connectors.auth.oauth import OAuthProvider, TokenEndpoint
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError, ContractError, PermissionDenied
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.messages import Request, Response
from ar_connectors.http.transport import Transport
from ar_connectors.xero.client import BASE_URL, XeroClient
from ar_connectors.xero.faults import PLATFORM, XeroDialect

__all__ = [
    "CUSTOM_SCOPES",
    "PRODUCTION",
    "READ_SCOPES",
    "SCOPES",
    "ClientCredentialsGrant",
    "Organisation",
    "check_scopes",
    "disconnect",
    "missing_scopes",
    "organisations",
    "reached",
    "token_endpoint",
    "xero_provider",
]

PRODUCTION: Final = Endpoints(
    BASE_URL,
    token="https://identity.xero.com/connect/token",  # noqa: S106 - an address
    authorize="https://login.xero.com/identity/connect/authorize",
    revoke="https://identity.xero.com/connect/revocation",
)

READ_SCOPES: Final = (
    "accounting.invoices.read",
    "accounting.payments.read",
    "accounting.contacts.read",
    "accounting.settings.read",
)
"""What reading needs (quirks.md#xero-4)."""
CUSTOM_SCOPES: Final = (
    "accounting.invoices",
    "accounting.payments.read",
    "accounting.contacts",
    "accounting.settings.read",
)
"""What reading and writing back need; a custom connection asks for these in every token request."""
SCOPES: Final = ("offline_access", *CUSTOM_SCOPES)
"""The same for a consent; without offline_access there is no refresh token."""

_BROAD: Final = {
    "accounting.invoices": "accounting.transactions",
    "accounting.payments": "accounting.transactions",
}
"""Granular scope -> the broad one that contains it, for apps from before March 2026."""


def xero_provider(endpoints: Endpoints | None = None) -> OAuthProvider:
    """Xero's OAuth. `endpoints`: an emulator."""
    return OAuthProvider(
        platform=PLATFORM,
        endpoints=endpoints or PRODUCTION,
        scopes=SCOPES,
        usual_refresh_life=timedelta(days=60),
        pkce=True,
        rotation_grace=timedelta(minutes=30),
    )


def missing_scopes(granted: Iterable[str], needed: Iterable[str] = CUSTOM_SCOPES) -> tuple[str, ...]:
    """The scopes of `needed` that are not granted; writing includes reading, and a broad scope the granular ones in it."""
    have = set(granted)

    def covered(scope: str) -> bool:
        bare = scope.removesuffix(".read")
        names = {bare, _BROAD.get(bare, bare)}
        return bool(have & (names | ({f"{name}.read" for name in names} if scope != bare else set())))

    return tuple(scope for scope in needed if not covered(scope))


def check_scopes(tokens: TokenSet, tenant: str) -> None:
    """Refuse tokens that cannot even read, before the first call. Nothing is said where the scopes are not known.

    Raises PermissionDenied with the scopes that are missing.
    """
    lacking = missing_scopes(tokens.scope, READ_SCOPES) if tokens.scope else ()
    if lacking:
        raise PermissionDenied(
            f"the connection was not given the scopes {', '.join(lacking)}",
            platform=PLATFORM,
            tenant=tenant,
            operation="connect",
            advice="allow them to the app at Xero, then connect again: scopes are only ever added by a new consent",
        )


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant:
    """New tokens for a custom connection: the app's own keys are enough, there is no refresh token (quirks.md#xero-3)."""

    endpoint: TokenEndpoint

    def refresh(self, tokens: TokenSet) -> TokenSet:  # noqa: ARG002 - the Refresher protocol
        """A new access token. Raises what the token endpoint raises."""
        scopes = self.endpoint.credentials.scopes or CUSTOM_SCOPES
        return self.endpoint.client_credentials(scopes)


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation that a token reaches."""

    connection_id: str
    tenant: str
    name: str | None
    consent: str | None
    """The authEventId of the consent that made it."""


def organisations(client: XeroClient) -> list[Organisation]:
    """The organisations that this token reaches; practices are left out. Raises ContractError for an unreadable answer."""
    return [
        Organisation(str(row["id"]), str(row["tenantId"]), row.get("tenantName"), row.get("authEventId"))
        for row in _rows(client.connections())
        if str(row.get("tenantType") or "ORGANISATION").upper() == "ORGANISATION"
    ]


def reached(
    tokens: TokenSet, *, clock: Clock, jitter: Callable[[], float], endpoints: Endpoints | None = None
) -> list[Organisation]:
    """The organisations that new tokens reach, asked before there is a connection to any of them; one call."""
    hosts = endpoints or PRODUCTION
    transport = Transport(
        PLATFORM, "", hosts, XeroDialect(), _Granted(tokens.access_token), clock=clock, jitter=jitter
    )
    try:
        return organisations(XeroClient(transport, "", hosts.api))
    finally:
        transport.close()


@dataclass(frozen=True, slots=True)
class _Granted:
    """Signs with an access token that was just given."""

    access_token: str = field(repr=False)

    def sign(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the Signer protocol
        return {"Authorization": f"Bearer {self.access_token}"}

    def refused(self, request: Request, response: Response) -> bool:  # noqa: ARG002 - the Signer protocol
        return False


def token_endpoint(
    credentials: ClientCredentials,
    *,
    clock: Clock,
    jitter: Callable[[], float],
    endpoints: Endpoints | None = None,
) -> TokenEndpoint:
    """Xero's token endpoint for one app: for `run_code_flow`, `client_credentials`, `revoke`."""
    return TokenEndpoint(xero_provider(endpoints), credentials, clock=clock, jitter=jitter)


def disconnect(client: XeroClient) -> None:
    """End the connection to the client's organisation. Raises ConfigurationError when the token does not reach it."""
    for one in organisations(client):
        if one.tenant == client.tenant:
            client.disconnect(one.connection_id)
            return
    raise ConfigurationError(
        "the token does not reach this organisation",
        platform=PLATFORM,
        tenant=client.tenant,
        operation="disconnect",
        advice="it may have been disconnected already",
    )


def _rows(answer: Response) -> list[dict[str, Any]]:
    try:
        rows = loads_plain(answer.body)
        if isinstance(rows, list) and all(row["id"] and row["tenantId"] for row in rows):
            return rows
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ContractError(
        "the list of connections cannot be read", platform=PLATFORM, operation="list connections"
    )
