"""How is a QuickBooks connection put together? Keys, tokens, budget, transport and adapter, from what the store keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ar_connectors.auth.contract import LeaseStore, TokenStore
from ar_connectors.auth.tokens import ClientCredentials, TokenSet
from ar_connectors.clock import Clock
from ar_connectors.connector import make_connection_id
from ar_connectors.errors import ConfigurationError, ConflictError
from ar_connectors.events import Event
from ar_connectors.http import BudgetStore, Endpoints, Limits, TenantBudget, Transport
from ar_connectors.quickbooks.auth import PRODUCTION, SANDBOX, open_access
from ar_connectors.quickbooks.bridge import QuickBooksBridge
from ar_connectors.quickbooks.connector import QuickBooksConnector
from ar_connectors.quickbooks.context import PLATFORM
from ar_connectors.quickbooks.faults import QuickBooksDialect
from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from ar_connectors.quickbooks.writeback import WriteOptions

__all__ = ["Session", "SessionStore", "app_keys_id", "open_session"]


class SessionStore(TokenStore, LeaseStore, BudgetStore, Protocol):
    """What a connection needs of a store: tokens, leases and budgets."""


@dataclass(frozen=True, slots=True)
class Session:
    """One company, ready to be asked."""

    connector: QuickBooksConnector
    transport: Transport
    settings: Mapping[str, Any]
    """What the store should remember of it; no secrets."""


def app_keys_id(connection_id: str) -> str:
    """Under which name the app's keys of a connection rest beside its tokens."""
    return f"{connection_id}#app"


def open_session(
    tenant: str,
    store: SessionStore,
    *,
    credentials: ClientCredentials | QuickBooksBridge | None,
    tokens: TokenSet | None,
    endpoints: Endpoints | None,
    settings: Mapping[str, Any],
    observer: Callable[[Event], None] | None,
    clock: Clock,
    jitter: Callable[[], float],
    owner: str,
    limits: Limits | None = None,
) -> Session:
    """Build a connection; nothing is sent.

    What is not given is taken from the store, what is given is kept there (keys and tokens encrypted). A bridge lends its
    keys and tokens and gets rotated ones back. `limits`: other rates than ours for Intuit. `settings`: `endpoints` and
    `status_custom_field` of an earlier session. Raises ConfigurationError when there are no keys or no tokens.
    """
    connection_id = make_connection_id(PLATFORM, tenant)
    hosts = endpoints or _kept_hosts(settings)
    on_rotated = None
    if isinstance(credentials, QuickBooksBridge):
        bridge = credentials
        hosts = hosts or replace(SANDBOX if bridge.is_sandbox else PRODUCTION, api=bridge.base_url)
        tokens = tokens or _bridge_tokens(bridge)
        credentials = ClientCredentials(bridge.client_id, bridge.client_secret)

        def on_rotated(fresh: TokenSet) -> None:
            bridge.push({"access_token": fresh.access_token, "refresh_token": fresh.refresh_token})

    keys = credentials or _kept_keys(store, connection_id)
    access = open_access(
        tenant,
        keys,
        tokens=store,
        leases=store,
        clock=clock,
        jitter=jitter,
        owner=owner,
        endpoints=hosts,
        observer=observer,
        on_rotated=on_rotated,
    )
    if credentials is not None:
        _keep_keys(store, connection_id, keys)
    if tokens is not None:
        access.keeper.adopt(tokens)
    hosts_used = hosts or PRODUCTION
    transport = Transport(
        PLATFORM,
        tenant,
        hosts_used,
        QuickBooksDialect(),
        access.signer,
        clock=clock,
        jitter=jitter,
        budget=TenantBudget(connection_id, limits or QUICKBOOKS_LIMITS, store, clock),
        observer=observer,
        redactor=access.redactor,
    )
    options = WriteOptions(status_custom_field=settings.get("status_custom_field"))
    connector = QuickBooksConnector(tenant, transport, clock, base_url=hosts_used.api, options=options)
    kept = {"endpoints": _as_settings(hosts)} if hosts is not None else {}
    return Session(connector, transport, kept)


def _kept_hosts(settings: Mapping[str, Any]) -> Endpoints | None:
    kept = settings.get("endpoints")
    return Endpoints(**kept) if kept else None


def _as_settings(hosts: Endpoints) -> dict[str, str | None]:
    return {"api": hosts.api, "token": hosts.token, "authorize": hosts.authorize, "revoke": hosts.revoke}


def _kept_keys(store: TokenStore, connection_id: str) -> ClientCredentials:
    found = store.load_tokens(app_keys_id(connection_id))
    if found is None:
        raise ConfigurationError(
            f"the store has no app keys for {connection_id}",
            platform=PLATFORM,
            advice="give credentials=ClientCredentials(client_id, client_secret), or run `ar-connectors connect quickbooks`",
        )
    return ClientCredentials(found[0]["client_id"], found[0]["client_secret"])


def _keep_keys(store: TokenStore, connection_id: str, keys: ClientCredentials) -> None:
    """Keep the app's keys, so that a later process needs only the store; unchanged ones are not written again."""
    document = {"client_id": keys.client_id, "client_secret": keys.client_secret}
    found = store.load_tokens(app_keys_id(connection_id))
    if found is not None and dict(found[0]) == document:
        return
    try:
        store.save_tokens(app_keys_id(connection_id), document, found[1] if found is not None else 0)
    except ConflictError:
        # Several workers begin at once, usually with the same keys: then the other one has done it.
        found = store.load_tokens(app_keys_id(connection_id))
        if found is None or dict(found[0]) != document:
            raise


def _bridge_tokens(bridge: QuickBooksBridge) -> TokenSet:
    lent = bridge.tokens()
    if not lent["access_token"]:
        raise ConfigurationError(
            "the client lent to us has no access token",
            platform=PLATFORM,
            advice="refresh it once before it is lent",
        )
    return TokenSet(lent["access_token"], lent["refresh_token"])
