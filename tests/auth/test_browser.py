"""The whole way of a person: consent page of the emulator, redirect, result page, tokens that work. In a real browser."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ar_connectors.auth import ClientCredentials, TokenEndpoint, run_code_flow
from ar_connectors.clock import SystemClock
from ar_connectors.errors import AuthError
from ar_connectors.http import Endpoints
from ar_connectors.quickbooks.auth import token_endpoint
from ar_connectors.testkit.server import Handle, start_quickbooks
from tests.auth.chromium import Chromium, Person

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium(program: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = program("chromium", "chromium-browser", "google-chrome")
    driver = program("chromedriver")
    profile: Path = tmp_path_factory.mktemp("chromium")
    with Chromium(browser, driver, profile) as running:
        yield running


@pytest.fixture
def emulator() -> Iterator[Handle]:
    with start_quickbooks(invoices=3) as running:
        yield running


@pytest.fixture
def endpoint(emulator: Handle) -> Iterator[TokenEndpoint]:
    endpoints = Endpoints(
        emulator.base_url,
        token=emulator.token_url,
        authorize=emulator.authorize_url,
        revoke=emulator.revoke_url,
    )
    keys = ClientCredentials(emulator.client_id, emulator.client_secret)
    one = token_endpoint(keys, clock=SystemClock(), jitter=random.random, endpoints=endpoints)
    yield one
    one.close()


def test_a_person_connects_a_company_in_the_browser(
    chromium: Chromium, endpoint: TokenEndpoint, emulator: Handle
) -> None:
    with Person(chromium, "connect") as person:
        connected = run_code_flow(endpoint, open_page=person.open)
        assert person.read is not None
        result, detail = person.read.result(30)
    assert result == "Connected"
    assert emulator.tenant in detail
    assert connected.tenant == emulator.tenant
    assert emulator.service.authority.accepts(f"Bearer {connected.tokens.access_token}")
    assert endpoint.refresh(connected.tokens).access_token != connected.tokens.access_token


def test_a_person_who_says_no_reads_that_nothing_is_connected(
    chromium: Chromium, endpoint: TokenEndpoint, emulator: Handle
) -> None:
    with Person(chromium, "deny") as person:
        with pytest.raises(AuthError, match="did not agree"):
            run_code_flow(endpoint, open_page=person.open)
        assert person.read is not None
        result, detail = person.read.result(30)
    assert result == "Not connected"
    assert "did not agree" in detail
    assert emulator.service.authority.calls["token code"] == 0


def test_a_link_that_somebody_slipped_in_is_turned_away_and_the_real_answer_counts(
    chromium: Chromium, endpoint: TokenEndpoint, emulator: Handle
) -> None:
    seen: list[str] = []

    def follow_the_forged_link(url: str) -> None:
        back = parse_qs(urlsplit(url).query)["redirect_uri"][0]
        chromium.visit(f"{back}?code=theirs&state=guessed&realmId=666")
        seen.append(chromium.text("#result"))

    with Person(chromium, "connect", first=follow_the_forged_link) as person:
        connected = run_code_flow(endpoint, open_page=person.open)
        assert person.read is not None
        assert person.read.result(30)[0] == "Connected"
    assert seen == ["Not accepted"]
    assert connected.tenant == emulator.tenant
