"""How does one get into NetSuite? Machine to machine with a certificate (OAuth 2.0), or with token-based authentication while it lasts.

Both are data here; the work is done in `ar_connectors.auth` and in `tba.py` (quirks.md#ns-2, #ns-3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ar_connectors.auth.assertion import AssertionEndpoint, AssertionKey
from ar_connectors.auth.contract import LeaseStore, TokenStore
from ar_connectors.auth.oauth import OAuthProvider
from ar_connectors.auth.refresh import OAuthSigner, TokenKeeper
from ar_connectors.clock import Clock
from ar_connectors.connector import make_connection_id
from ar_connectors.errors import ConfigurationError
from ar_connectors.events import Event
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.messages import Signer
from ar_connectors.http.redact import Redactor
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.tba import TbaCredentials, TbaSigner

__all__ = [
    "SCOPE",
    "CertificateCredentials",
    "NetSuiteAccess",
    "NetSuiteCredentials",
    "credentials_document",
    "credentials_from",
    "netsuite_provider",
    "open_access",
]

SCOPE: Final = "rest_webservices"
"""SuiteQL and records; RESTlets and SuiteAnalytics Connect are not used."""


@dataclass(frozen=True, slots=True)
class CertificateCredentials:
    """Keys of an integration record with the machine-to-machine grant. Raises ConfigurationError for an empty or unusable one."""

    client_id: str
    certificate_id: str
    """Of the M2M setup page, after the certificate was uploaded."""
    private_key: str = field(repr=False)
    """PEM, RSA (2048 bits or more) or P-256, P-384, P-521; without a passphrase."""

    def __post_init__(self) -> None:
        for name in ("client_id", "certificate_id"):
            value = getattr(self, name)
            if not value or value != value.strip():
                raise ConfigurationError(
                    f"{name} is empty or has blanks around it",
                    platform=PLATFORM,
                    advice="copy it from the integration record or from the M2M setup page",
                )
        self.key()

    def key(self) -> AssertionKey:
        """What assertions are signed with."""
        return AssertionKey(self.certificate_id, self.private_key)


NetSuiteCredentials = CertificateCredentials | TbaCredentials
"""Either way in."""

_FIELDS: Final[Mapping[str, type[CertificateCredentials | TbaCredentials]]] = {
    "certificate": CertificateCredentials,
    "tba": TbaCredentials,
}


def credentials_document(credentials: NetSuiteCredentials) -> dict[str, Any]:
    """As JSON values, for a store that encrypts them."""
    kind = next(name for name, shape in _FIELDS.items() if isinstance(credentials, shape))
    names = type(credentials).__dataclass_fields__
    return {"kind": kind, **{name: getattr(credentials, name) for name in names}}


def credentials_from(document: Mapping[str, Any]) -> NetSuiteCredentials:
    """The opposite. Raises ConfigurationError for what is none of ours."""
    given = dict(document)
    shape = _FIELDS.get(given.pop("kind", ""))
    if shape is None or set(given) != set(shape.__dataclass_fields__):
        raise ConfigurationError(
            "the stored credentials are damaged", platform=PLATFORM, advice="connect this account again"
        )
    return shape(**given)


def netsuite_provider(endpoints: Endpoints) -> OAuthProvider:
    """NetSuite's OAuth, as far as machines use it."""
    return OAuthProvider(platform=PLATFORM, endpoints=endpoints, scopes=(SCOPE,))


@dataclass(frozen=True)
class NetSuiteAccess:
    """What a connection to one account signs its calls with."""

    signer: Signer
    redactor: Redactor
    endpoint: AssertionEndpoint | None = None
    """The token endpoint; None for TBA, which has none."""

    def close(self) -> None:
        """Close the connections to the token endpoint."""
        if self.endpoint is not None:
            self.endpoint.close()


def open_access(
    tenant: str,
    credentials: NetSuiteCredentials,
    *,
    endpoints: Endpoints,
    tokens: TokenStore,
    leases: LeaseStore,
    clock: Clock,
    jitter: Callable[[], float],
    nonce: Callable[[], str],
    owner: str,
    settings: TransportSettings | None = None,
    observer: Callable[[Event], None] | None = None,
) -> NetSuiteAccess:
    """Everything that signs calls to one account (`tenant`: its realm). Nothing is sent.

    `tokens` and `leases` are usually one store: access tokens are asked for once over all threads and processes and kept there
    until shortly before they expire. `nonce`: random text, unlike any other at every call; `owner` names this worker.
    """
    redactor = Redactor()
    if isinstance(credentials, TbaCredentials):
        redactor.add(credentials.consumer_secret, credentials.token_secret)
        return NetSuiteAccess(TbaSigner(credentials, tenant, clock=clock, nonce=nonce), redactor)
    redactor.add(credentials.private_key)
    endpoint = AssertionEndpoint(
        netsuite_provider(endpoints),
        credentials.client_id,
        credentials.key(),
        clock=clock,
        jitter=jitter,
        tenant=tenant,
        settings=settings,
        observer=observer,
        redactor=redactor,
    )
    keeper = TokenKeeper(
        make_connection_id(PLATFORM, tenant),
        endpoint,
        tokens=tokens,
        leases=leases,
        clock=clock,
        owner=owner,
        observer=observer,
        redactor=redactor,
        needs_none=True,
    )
    return NetSuiteAccess(OAuthSigner(keeper), redactor, endpoint)
