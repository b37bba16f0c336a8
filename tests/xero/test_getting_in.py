"""An app without a secret, and one that needs no person: how each gets in, and stays in."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

import ar_connectors as ar
from ar_connectors.auth import ClientCredentials, run_code_flow
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.errors import ARError, ConfigurationError, PermissionDenied, ReauthorizationRequired
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.quickbooks import auth as quickbooks_auth
from ar_connectors.store import Store, open_store
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.xero.auth import CUSTOM_SCOPES, disconnect, organisations, token_endpoint
from ar_connectors.xero.connector import XeroConnector
from tests.behavior.faces import KEY, NOW


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock(NOW)


@pytest.fixture
def store(clock: ScriptedClock) -> Iterator[Store]:
    with open_store("sqlite://", clock=clock, key=KEY) as made:
        yield made


@pytest.fixture
def public(clock: ScriptedClock) -> Iterator[XeroHandle]:
    with start_xero(invoices=20, clock=clock, app="pkce") as handle:
        yield handle


@pytest.fixture
def custom(clock: ScriptedClock) -> Iterator[XeroHandle]:
    with start_xero(invoices=20, clock=clock, app="custom") as handle:
        yield handle


def hosts(handle: XeroHandle) -> Endpoints:
    return Endpoints(handle.base_url, token=handle.token_url, authorize=handle.authorize_url)


def agree(url: str) -> threading.Thread:
    """A person says yes on the page, and their browser follows the redirect."""

    def go() -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        page = requests.get(url, timeout=10)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        answer = requests.post(
            url.partition("?")[0],
            data={**asked, **fields, "decision": "connect"},
            timeout=10,
            allow_redirects=False,
        )
        requests.get(answer.headers["Location"].replace("localhost", "127.0.0.1"), timeout=10)

    thread = threading.Thread(target=go)
    thread.start()
    return thread


def test_an_app_without_a_secret_connects_by_consent_and_refreshes(
    public: XeroHandle, store: Store, clock: ScriptedClock
) -> None:
    keys: ClientCredentials | None = ClientCredentials(public.client_id)
    assert keys is not None
    asking = token_endpoint(keys, clock=clock, jitter=lambda: 0.5, endpoints=hosts(public))
    opened: list[threading.Thread] = []
    try:
        found = run_code_flow(asking, open_page=lambda url: opened.append(agree(url)))
    finally:
        asking.close()
        for one in opened:
            one.join(10)
    tokens: TokenSet | None = found.tokens
    for _ in range(2):  # the second is a later process, with nothing but the store
        conn = ar.connect(
            "xero",
            tenant=public.tenant,
            store=store,
            credentials=keys,
            tokens=tokens,
            endpoints=hosts(public),
            settings={"time_zone": "UTC"},
            clock=clock,
        )
        with closing(conn):
            assert ar.sync(conn, store).complete
        keys, tokens = None, None
        clock.sleep(3600)
    assert public.stats.refreshes == 1


def test_where_a_secret_is_needed_its_absence_is_told(clock: ScriptedClock, public: XeroHandle) -> None:
    keys = ClientCredentials("an app")
    with pytest.raises(ConfigurationError, match="needs a client secret"):
        quickbooks_auth.token_endpoint(keys, clock=clock, jitter=lambda: 0.5)
    asking = token_endpoint(keys, clock=clock, jitter=lambda: 0.5, endpoints=hosts(public))
    with pytest.raises(ConfigurationError, match="cannot ask for tokens of its own"):
        asking.client_credentials(CUSTOM_SCOPES)
    asking.close()
    with pytest.raises(ConfigurationError, match="client_secret is empty"):
        ClientCredentials("an app", "")


def test_a_custom_connection_begins_without_tokens_and_asks_for_new_ones_every_half_hour(
    custom: XeroHandle, store: Store, clock: ScriptedClock
) -> None:
    keys = ClientCredentials(custom.client_id, custom.client_secret)
    conn = ar.connect(
        "xero",
        tenant=custom.tenant,
        store=store,
        credentials=keys,
        endpoints=hosts(custom),
        settings={"time_zone": "UTC", "custom_connection": True},
        clock=clock,
    )
    assert store.load_tokens(conn.id) is None, "nothing was asked for yet"
    with closing(conn):
        for _ in range(3):
            assert ar.sync(conn, store).complete
            clock.sleep(timedelta(minutes=40).total_seconds())
    assert custom.stats.calls["token credentials"] == 3
    assert custom.stats.calls["token refresh"] == 0
    assert custom.stats.statuses[401] == 0, "it waited for a refusal"
    found = store.load_tokens(conn.id)
    assert found is not None
    assert TokenSet.from_document(found[0]).refresh_token is None


@pytest.fixture
def company(clock: ScriptedClock, store: Store) -> Iterator[tuple[XeroHandle, ar.Connection]]:
    with start_xero(invoices=20, clock=clock) as handle:
        conn = ar.connect(
            "xero",
            tenant=handle.tenant,
            store=store,
            credentials=ClientCredentials(handle.client_id, handle.client_secret),
            tokens=TokenSet(handle.access_token, handle.refresh_token),
            endpoints=hosts(handle),
            settings={"time_zone": "UTC"},
            clock=clock,
        )
        with closing(conn):
            yield handle, conn


def test_to_disconnect_ends_the_connection_of_this_organisation_at_xero(
    company: tuple[XeroHandle, ar.Connection], store: Store
) -> None:
    """Until then it counts for the app, and what was read stays."""
    handle, conn = company
    assert isinstance(conn.connector, XeroConnector)
    assert ar.sync(conn, store).complete
    before = store.snapshot(conn.id)
    handle.stats.reset()
    disconnect(conn.connector.client)
    assert handle.stats.calls == {"connections": 1, "connections delete": 1}
    assert organisations(conn.connector.client) == []
    with pytest.raises(ARError) as refused:
        ar.sync(conn, store)
    assert isinstance(refused.value, PermissionDenied | ReauthorizationRequired)
    assert store.snapshot(conn.id).invoices == before.invoices


def test_what_is_not_connected_cannot_be_disconnected(company: tuple[XeroHandle, ar.Connection]) -> None:
    handle, conn = company
    assert isinstance(conn.connector, XeroConnector)
    disconnect(conn.connector.client)
    handle.stats.reset()
    with pytest.raises(ConfigurationError, match="does not reach this organisation") as told:
        disconnect(conn.connector.client)
    assert "disconnected already" in str(told.value.advice)
    assert handle.stats.calls["connections delete"] == 0


def test_only_the_own_organisation_is_disconnected(company: tuple[XeroHandle, ar.Connection]) -> None:
    """The token may reach others: theirs is another connection, and stays."""
    handle, conn = company
    assert isinstance(conn.connector, XeroConnector)
    stranger = replace(conn.connector.client, tenant="00000000-0000-4000-8000-000000000000")
    with pytest.raises(ConfigurationError, match="does not reach"):
        disconnect(stranger)
    assert [one.tenant for one in organisations(conn.connector.client)] == [handle.tenant]
    with pytest.raises(ConfigurationError, match="empty id"):
        conn.connector.client.disconnect(" ")


def test_an_app_without_a_secret_that_brings_no_challenge_gets_no_page(public: XeroHandle) -> None:
    asked = {"client_id": public.client_id, "redirect_uri": "http://localhost:8123/callback", "state": "s"}
    assert requests.get(public.authorize_url, params=asked, timeout=10).status_code == 400
    more = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    assert requests.get(public.authorize_url, params={**asked, **more}, timeout=10).status_code == 200
