"""A person's consent becomes tokens; everything else that comes to the page changes nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ar_connectors.auth import ClientCredentials, TokenEndpoint, begin, complete, run_code_flow
from ar_connectors.auth.consent import StrangeRedirect
from ar_connectors.auth.oauth import OAuthProvider, challenge
from ar_connectors.errors import (
    AuthError,
    ConfigurationError,
    ConflictError,
    ReauthorizationRequired,
    UnsupportedOperation,
    WriteOutcomeUnknown,
)
from ar_connectors.http import Endpoints
from ar_connectors.quickbooks.auth import (
    PRODUCTION,
    SANDBOX,
    SCOPE,
    open_access,
    quickbooks_provider,
    token_endpoint,
)
from tests.auth.little_platform import LittlePlatform
from tests.http.little_server import FakeClock, cut


@pytest.fixture
def platform() -> Iterator[LittlePlatform]:
    with LittlePlatform() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def endpoint(platform: LittlePlatform, clock: FakeClock) -> Iterator[TokenEndpoint]:
    keys = ClientCredentials("app-id", "app-secret-value")
    one = token_endpoint(keys, clock=clock, jitter=lambda: 0.5, endpoints=platform.endpoints)
    yield one
    one.close()


class Browser:
    """Visits the redirect address with given answers, as a browser would; keeps what it saw."""

    def __init__(self, *visits: Callable[[dict[str, str]], dict[str, str]], path: str = "") -> None:
        self._visits, self._path = visits, path
        self.url = ""
        self.seen: list[requests.Response] = []
        self.thread: threading.Thread | None = None

    def open(self, url: str) -> None:
        self.url = url
        self.thread = threading.Thread(target=self._go)
        self.thread.start()

    def _go(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}
        for visit in self._visits:
            # 127.0.0.1 for the localhost of the address: what a resolver does.
            address = (asked["redirect_uri"] + self._path).replace("localhost", "127.0.0.1")
            self.seen.append(requests.get(address, params=visit(asked), timeout=10))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.thread is not None:
            self.thread.join(20)


def agree(asked: dict[str, str]) -> dict[str, str]:
    return {"code": "authorization-code-1", "state": asked["state"], "realmId": "9341453000000001"}


def test_a_consent_gives_tokens_and_the_company(endpoint: TokenEndpoint, platform: LittlePlatform) -> None:
    with Browser(agree) as browser:
        connected = run_code_flow(endpoint, open_page=browser.open)
    assert (connected.tenant, connected.tokens.access_token) == ("9341453000000001", "access-token-1")
    asked = parse_qs(urlsplit(browser.url).query)
    assert browser.url.startswith(f"{platform.server.url}/authorize?")
    assert asked["scope"] == [SCOPE]
    assert asked["client_id"] == ["app-id"]
    assert len(asked["state"][0]) >= 40
    assert platform.asked[0]["redirect_uri"] == asked["redirect_uri"][0]
    (page,) = browser.seen
    assert page.status_code == 200
    assert "Connected" in page.text
    assert "9341453000000001" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


def test_two_attempts_have_different_states(endpoint: TokenEndpoint) -> None:
    assert (
        begin(endpoint, "http://localhost:1/callback").state
        != begin(endpoint, "http://localhost:1/callback").state
    )


def test_foreign_redirects_change_nothing_and_the_right_one_still_counts(
    endpoint: TokenEndpoint, platform: LittlePlatform
) -> None:
    def forged(_: dict[str, str]) -> dict[str, str]:
        return {"code": "attackers-code", "state": "guessed", "realmId": "666"}

    def stateless(_: dict[str, str]) -> dict[str, str]:
        return {"code": "attackers-code", "realmId": "666"}

    def denied_by_another(_: dict[str, str]) -> dict[str, str]:
        return {"error": "access_denied", "state": "guessed"}

    def empty(asked: dict[str, str]) -> dict[str, str]:
        return {"state": asked["state"]}

    with Browser(forged, stateless, denied_by_another, empty, agree) as browser:
        connected = run_code_flow(endpoint, open_page=browser.open)
    assert connected.tenant == "9341453000000001"
    assert [page.status_code for page in browser.seen] == [400, 400, 400, 400, 200]
    assert [form["code"] for form in platform.asked] == ["authorization-code-1"]


def test_other_addresses_are_not_found(endpoint: TokenEndpoint) -> None:
    with Browser(agree, path="/elsewhere") as stray, pytest.raises(AuthError, match="nobody answered"):
        run_code_flow(endpoint, open_page=stray.open, timeout=timedelta(seconds=1))
    assert [page.status_code for page in stray.seen] == [404]


def test_an_attempt_takes_one_answer(endpoint: TokenEndpoint, platform: LittlePlatform) -> None:
    consent = begin(endpoint, "http://localhost:1/callback")
    back = f"http://localhost:1/callback?code=authorization-code-1&state={consent.state}&realmId=1"
    assert complete(endpoint, consent, back).tenant == "1"
    with pytest.raises(ConflictError, match="used already"):
        complete(endpoint, consent, back)
    assert len(platform.asked) == 1


def test_a_no_is_an_auth_error_and_the_page_says_so(
    endpoint: TokenEndpoint, platform: LittlePlatform
) -> None:
    refusal = Browser(lambda asked: {"error": "access_denied", "state": asked["state"]})
    with refusal as browser, pytest.raises(AuthError, match="did not agree"):
        run_code_flow(endpoint, open_page=browser.open)
    assert "Not connected" in browser.seen[0].text
    assert platform.asked == []


def test_a_misconfigured_app_is_a_configuration_error(endpoint: TokenEndpoint) -> None:
    consent = begin(endpoint, "http://localhost:1/callback")
    back = f"/callback?error=invalid_scope&error_description=%3Cb%3Eno%3C/b%3E&state={consent.state}"
    with pytest.raises(ConfigurationError, match="invalid_scope"):
        complete(endpoint, consent, back)


def test_what_the_platform_says_is_never_markup_on_our_page(endpoint: TokenEndpoint) -> None:
    script = "<script>alert(1)</script>"
    attack = Browser(lambda asked: {"error": script, "error_description": script, "state": asked["state"]})
    with attack as browser, pytest.raises(ConfigurationError):
        run_code_flow(endpoint, open_page=browser.open)
    assert "<script" not in browser.seen[0].text
    assert "&lt;script" in browser.seen[0].text


def test_a_redirect_without_a_company_is_not_enough(
    endpoint: TokenEndpoint, platform: LittlePlatform
) -> None:
    consent = begin(endpoint, "http://localhost:1/callback")
    with pytest.raises(ConfigurationError, match="names no company"):
        complete(endpoint, consent, f"/callback?code=authorization-code-1&state={consent.state}")
    assert platform.asked == []


def test_a_used_code_is_refused_and_the_page_says_so(
    endpoint: TokenEndpoint, platform: LittlePlatform
) -> None:
    platform.codes.clear()
    with Browser(agree) as browser, pytest.raises(ReauthorizationRequired, match="invalid_grant"):
        run_code_flow(endpoint, open_page=browser.open)
    assert "Not connected" in browser.seen[0].text


def test_a_code_is_not_sent_twice_when_the_answer_is_lost(
    endpoint: TokenEndpoint, platform: LittlePlatform
) -> None:
    platform.fail_next = [cut]
    with Browser(agree) as browser, pytest.raises(WriteOutcomeUnknown):
        run_code_flow(endpoint, open_page=browser.open)
    assert len(platform.asked) == 1


def test_a_page_that_cannot_be_opened_is_the_callers_error_and_frees_the_port(
    endpoint: TokenEndpoint,
) -> None:
    def fail(_: str) -> None:
        raise OSError("no browser")

    with pytest.raises(OSError, match="no browser"):
        run_code_flow(endpoint, open_page=fail)


def test_a_registered_address_gives_port_and_path(platform: LittlePlatform, clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        keys = ClientCredentials(
            "app-id", "app-secret-value", redirect_uri=f"http://localhost:{port}/oauth/back"
        )
        one = token_endpoint(keys, clock=clock, jitter=lambda: 0.5, endpoints=platform.endpoints)
        with pytest.raises(ConfigurationError, match=f"port {port}"):
            run_code_flow(one, open_page=lambda _: None)
    with Browser(agree) as browser:
        assert run_code_flow(one, open_page=browser.open).tenant == "9341453000000001"
    assert platform.asked[0]["redirect_uri"] == f"http://localhost:{port}/oauth/back"
    one.close()


@pytest.mark.parametrize(
    "address", ["https://example.com/back", "http://10.0.0.7:8000/", "http://localhost/back"]
)
def test_a_registered_address_elsewhere_is_told(
    address: str, platform: LittlePlatform, clock: FakeClock
) -> None:
    keys = ClientCredentials("app-id", "app-secret-value", redirect_uri=address)
    one = token_endpoint(keys, clock=clock, jitter=lambda: 0.5, endpoints=platform.endpoints)
    with pytest.raises(ConfigurationError, match="does not lead to this machine"):
        run_code_flow(one, open_page=lambda _: None)
    one.close()


def test_an_address_pasted_by_hand_does_as_well(platform: LittlePlatform, clock: FakeClock) -> None:
    keys = ClientCredentials("app-id", "app-secret-value", redirect_uri="https://example.com/back")
    one = token_endpoint(keys, clock=clock, jitter=lambda: 0.5, endpoints=platform.endpoints)
    consent = begin(one, "https://example.com/back")
    pasted = f"https://example.com/back?state={consent.state}&code=authorization-code-1&realmId=77"
    assert complete(one, consent, pasted).tenant == "77"
    one.close()


def test_where_the_platform_knows_pkce_the_code_is_tied_to_us(
    platform: LittlePlatform, clock: FakeClock
) -> None:
    provider = OAuthProvider("acme", platform.endpoints, ("read",), pkce=True)
    one = TokenEndpoint(
        provider, ClientCredentials("app-id", "app-secret-value"), clock=clock, jitter=lambda: 0.5
    )
    consent = begin(one, "http://localhost:1/callback")
    asked = parse_qs(urlsplit(consent.url).query)
    complete(one, consent, f"?code=authorization-code-1&state={consent.state}")
    assert asked["code_challenge_method"] == ["S256"]
    assert challenge(platform.asked[0]["code_verifier"]) == asked["code_challenge"][0]
    one.close()


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert (
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_a_consent_shows_no_secret(endpoint: TokenEndpoint) -> None:
    consent = begin(endpoint, "http://localhost:1/callback")
    assert endpoint.redactor.text(consent.state) == "***"
    with pytest.raises(StrangeRedirect) as caught:
        complete(endpoint, consent, "/callback?state=x&code=the-code")
    assert consent.state not in str(caught.value)


def test_tokens_are_revoked_in_intuits_way(
    endpoint: TokenEndpoint, platform: LittlePlatform, clock: FakeClock
) -> None:
    consent = begin(endpoint, "http://localhost:1/callback")
    tokens = complete(endpoint, consent, f"?code=authorization-code-1&state={consent.state}&realmId=1").tokens
    endpoint.revoke(tokens)
    assert platform.revoked == ["refresh-token-1"]
    bare = TokenEndpoint(
        OAuthProvider("acme", Endpoints(platform.server.url), ()),
        ClientCredentials("a", "b"),
        clock=clock,
        jitter=lambda: 0.5,
    )
    with pytest.raises(UnsupportedOperation):
        bare.revoke(tokens)
    with pytest.raises(ConfigurationError, match="no authorize address"):
        bare.authorize_url("http://localhost:1/", "state")
    bare.close()


def test_intuits_addresses_are_https_and_differ_in_the_api_host_only() -> None:
    assert (PRODUCTION.token, PRODUCTION.authorize, PRODUCTION.revoke) == (
        SANDBOX.token,
        SANDBOX.authorize,
        SANDBOX.revoke,
    )
    assert PRODUCTION.api != SANDBOX.api
    assert all(one.startswith("https://") for one in PRODUCTION.origins | SANDBOX.origins)
    assert quickbooks_provider(SANDBOX, hard_expiry=False).token_headers == {}


def test_access_to_a_company_is_one_call_away(platform: LittlePlatform, clock: FakeClock) -> None:
    from ar_connectors.auth import MemoryStore, TokenSet

    store: Any = MemoryStore(clock)
    access = open_access(
        "42",
        ClientCredentials("app-id", "app-secret-value"),
        tokens=store,
        leases=store,
        clock=clock,
        jitter=lambda: 0.5,
        owner="me",
        endpoints=platform.endpoints,
    )
    access.keeper.seed(TokenSet("", "refresh-token-0"))
    assert access.keeper.current().access_token == "access-token-1"
    assert access.redactor.text("refresh-token-1 app-secret-value") == "*** ***"
    access.close()
