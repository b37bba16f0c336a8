"""How is a connection put together? From what was given, and what the store keeps of earlier sessions: hosts, keys, tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ar_connectors.auth.contract import LeaseStore, TokenStore
from ar_connectors.auth.oauth import OAuthProvider, TokenEndpoint
from ar_connectors.auth.refresh import OAuthSigner, Refresher, TokenKeeper
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, make_connection_id
from ar_connectors.errors import ConfigurationError, ConflictError
from ar_connectors.events import Event
from ar_connectors.http import BudgetStore, Endpoints, Limits, TenantBudget, Transport
from ar_connectors.http.budget import ServerLimits
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.messages import Dialect, Response, Signer
from ar_connectors.http.meter import CallBudget, Usage
from ar_connectors.http.redact import Redactor

__all__ = [
    "Access",
    "Bridge",
    "Session",
    "SessionRequest",
    "SessionStore",
    "Spending",
    "app_keys_id",
    "hosts_of",
    "keep_app_keys",
    "kept_app_keys",
    "kept_settings",
    "open_access",
    "open_oauth",
    "wire",
]


class SessionStore(TokenStore, LeaseStore, BudgetStore, Protocol):
    """What a connection needs of a store: tokens, leases and budgets."""


class Bridge(Protocol):
    """Credentials that live in somebody else's client; it gets rotated tokens back."""

    @property
    def client_id(self) -> str:
        """The app's client id."""
        ...

    @property
    def client_secret(self) -> str:
        """The app's client secret."""
        ...

    @property
    def hosts(self) -> Endpoints:
        """The hosts that its client talks to."""
        ...

    def tokens(self) -> dict[str, Any]:
        """The token document as it stands: `access_token` and `refresh_token`, None where it has none."""
        ...

    def push(self, tokens: Mapping[str, Any]) -> None:
        """Give rotated tokens back: `access_token`, `refresh_token`, and `expires_at` (seconds since 1970) where it is known."""
        ...


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a connection is to be made of. What is None is taken from the store, or is the platform's own."""

    tenant: str
    store: SessionStore
    credentials: Any
    """The app's keys, or a bridge."""
    tokens: TokenSet | None
    endpoints: Endpoints | None
    settings: Mapping[str, Any]
    """What the store remembers of it, and what was given now."""
    observer: Callable[[Event], None] | None
    clock: Clock
    jitter: Callable[[], float]
    """Random numbers in [0, 1)."""
    owner: str
    """Names this worker, unlike any other one alive."""
    limits: Limits | None = None
    """Other rates than ours for the platform."""


class Spending(Protocol):
    """What a connection spends: an ERP's is its transport, a file's spends nothing."""

    def usage(self) -> Usage:
        """Calls, bytes, waits and billable units since it was made."""
        ...

    def capped(self, cap: CallBudget) -> AbstractContextManager[CallBudget]:
        """Inside `with`, all threads together spend at most this."""
        ...

    def close(self) -> None:
        """Close all connections to the platform."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """One company, ready to be asked."""

    connector: Connector
    transport: Spending
    settings: Mapping[str, Any]
    """What the store should remember of it; no secrets."""
    disconnect: Callable[[], None] | None = None
    """Ends what a person consented to, at the platform; None where only a person can, there."""


@dataclass(frozen=True)
class Access:
    """What a connection to one company signs its calls with."""

    keeper: TokenKeeper
    signer: OAuthSigner
    endpoint: TokenEndpoint
    redactor: Redactor

    def revoke(self) -> None:
        """End the consent at the platform. Raises what `TokenKeeper.current` and `TokenEndpoint.revoke` raise."""
        self.endpoint.revoke(self.keeper.current())

    def close(self) -> None:
        """Close the connections to the token endpoint."""
        self.endpoint.close()


# ---- hosts and keys


def hosts_of(request: SessionRequest) -> Endpoints | None:
    """The hosts that were given, else those of an earlier session; None: the platform's own."""
    kept = request.settings.get("endpoints")
    return request.endpoints or (Endpoints(**kept) if kept else None)


def kept_settings(hosts: Endpoints | None) -> dict[str, Any]:
    """What the store should remember of the hosts."""
    if hosts is None:
        return {}
    named = {"api": hosts.api, "token": hosts.token, "authorize": hosts.authorize, "revoke": hosts.revoke}
    return {"endpoints": named}


def app_keys_id(connection_id: str) -> str:
    """Under which name the app's keys of a connection rest beside its tokens."""
    return f"{connection_id}#app"


def kept_app_keys(store: TokenStore, platform: str, connection_id: str, advice: str) -> Mapping[str, Any]:
    """The app's keys as an earlier session kept them. Raises ConfigurationError, with `advice`, when there are none."""
    found = store.load_tokens(app_keys_id(connection_id))
    if found is None:
        raise ConfigurationError(
            f"the store has no app keys for {connection_id}", platform=platform, advice=advice
        )
    return found[0]


def keep_app_keys(store: TokenStore, connection_id: str, document: Mapping[str, Any]) -> None:
    """Keep the app's keys (JSON values), so that a later process needs only the store; unchanged ones are not written again."""
    name = app_keys_id(connection_id)
    found = store.load_tokens(name)
    if found is not None and dict(found[0]) == document:
        return
    try:
        store.save_tokens(name, document, found[1] if found is not None else 0)
    except ConflictError:
        # Several workers begin at once, usually with the same keys: then the other one has done it.
        found = store.load_tokens(name)
        if found is None or dict(found[0]) != document:
            raise


# ---- OAuth 2, authorization code


def open_access(
    provider: OAuthProvider,
    tenant: str,
    credentials: ClientCredentials,
    *,
    tokens: TokenStore,
    leases: LeaseStore,
    clock: Clock,
    jitter: Callable[[], float],
    owner: str,
    settings: TransportSettings | None = None,
    observer: Callable[[Event], None] | None = None,
    redactor: Redactor | None = None,
    on_rotated: Callable[[TokenSet], None] | None = None,
    headers: Mapping[str, str] | None = None,
    refresher: Callable[[TokenEndpoint], Refresher] | None = None,
) -> Access:
    """Everything that signs calls to one company. Nothing is sent.

    `tokens` and `leases` are usually one store; `owner` names this worker, unlike any other one alive; `on_rotated` hears of new
    tokens after they are saved. `headers` go with every signed call. `refresher`: another way to new tokens than a refresh
    token, by the app's own keys, so that a connection begins without any. Give the access' redactor to the transport of the connection too.
    """
    shared = redactor if redactor is not None else Redactor()
    endpoint = TokenEndpoint(
        provider,
        credentials,
        clock=clock,
        jitter=jitter,
        tenant=tenant,
        settings=settings,
        observer=observer,
        redactor=shared,
    )
    keeper = TokenKeeper(
        make_connection_id(provider.platform, tenant),
        endpoint if refresher is None else refresher(endpoint),
        tokens=tokens,
        leases=leases,
        clock=clock,
        owner=owner,
        observer=observer,
        redactor=shared,
        on_rotated=on_rotated,
        needs_none=refresher is not None,
    )
    return Access(keeper, OAuthSigner(keeper, headers), endpoint, shared)


def open_oauth(
    request: SessionRequest,
    provider: Callable[[Endpoints | None], OAuthProvider],
    *,
    headers: Mapping[str, str] | None = None,
    refresher: Callable[[TokenEndpoint], Refresher] | None = None,
) -> tuple[Access, Endpoints | None]:
    """What signs the calls of a session, and the hosts where they are not the platform's own.

    Keys and tokens that are not given are taken from the store, given ones are kept there (encrypted). A bridge lends its keys
    and tokens and gets rotated ones back. Raises ConfigurationError when there are no keys or no tokens.
    """
    hosts = hosts_of(request)
    credentials, tokens, on_rotated = request.credentials, request.tokens, None
    platform = provider(hosts).platform
    if credentials is not None and not isinstance(credentials, ClientCredentials):
        bridge: Bridge = credentials
        hosts = hosts or bridge.hosts
        tokens = tokens or _lent_tokens(bridge, platform)
        credentials = ClientCredentials(bridge.client_id, bridge.client_secret)

        def on_rotated(fresh: TokenSet) -> None:
            document: dict[str, Any] = {
                "access_token": fresh.access_token,
                "refresh_token": fresh.refresh_token,
            }
            if fresh.access_expires_at is not None:
                document["expires_at"] = fresh.access_expires_at.timestamp()
            bridge.push(document)

    connection_id = make_connection_id(platform, request.tenant)
    keys = credentials
    if keys is None:
        advice = f"give credentials=ClientCredentials(client_id, client_secret), or run `ar-connectors connect {platform}`"
        found = kept_app_keys(request.store, platform, connection_id, advice)
        keys = ClientCredentials(
            found["client_id"], found.get("client_secret"), scopes=tuple(found.get("scopes", ()))
        )
    access = open_access(
        provider(hosts),
        request.tenant,
        keys,
        tokens=request.store,
        leases=request.store,
        clock=request.clock,
        jitter=request.jitter,
        owner=request.owner,
        observer=request.observer,
        on_rotated=on_rotated,
        headers=headers,
        refresher=refresher,
    )
    if credentials is not None:
        document: dict[str, Any] = {"client_id": keys.client_id}
        if keys.client_secret is not None:
            document["client_secret"] = keys.client_secret
        if keys.scopes:
            document["scopes"] = list(keys.scopes)
        keep_app_keys(request.store, connection_id, document)
    if tokens is not None:
        access.keeper.adopt(tokens)
    return access, hosts


def _lent_tokens(bridge: Bridge, platform: str) -> TokenSet:
    lent = bridge.tokens()
    if not lent["access_token"]:
        raise ConfigurationError(
            "the client lent to us has no access token",
            platform=platform,
            advice="refresh it once before it is lent",
        )
    return TokenSet(lent["access_token"], lent["refresh_token"])


def wire(
    request: SessionRequest,
    platform: str,
    hosts: Endpoints,
    dialect: Dialect,
    signer: Signer,
    limits: Limits,
    *,
    redactor: Redactor,
    server_limits: Callable[[Response], ServerLimits | None] | None = None,
) -> Transport:
    """The transport of a session: signed, paced by the tenant's shared budget, counted. `limits`: the platform's, unless the
    request has others; `server_limits`: what an answer says about them."""
    return Transport(
        platform,
        request.tenant,
        hosts,
        dialect,
        signer,
        clock=request.clock,
        jitter=request.jitter,
        budget=TenantBudget(
            make_connection_id(platform, request.tenant),
            request.limits or limits,
            request.store,
            request.clock,
        ),
        observer=request.observer,
        redactor=redactor,
        server_limits=server_limits,
    )
