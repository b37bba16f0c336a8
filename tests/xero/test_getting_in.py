"""An app without a secret, and one that needs no person: how each gets in, and stays in."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

import ar_connectors as ar
from ar_connectors.auth import ClientCredentials, run_code_flow
from ar_connectors.auth.tokens import TokenSet
from ar_connectors.errors import ConfigurationError
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.quickbooks import auth as quickbooks_auth
from ar_connectors.store import Store, open_store
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.xero.auth import CUSTOM_SCOPES, token_endpoint
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
