"""Who comes in, how long, and what they may do: Xero's OAuth, connections, scopes, limits."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.testkit.xero.limits import Limits, Pace
from tests.testkit.xero.support import Client, client_of

REDIRECT = "http://localhost:8123/callback"


def post(handle: XeroHandle, *, app: tuple[str, str] | None = None, **form: str) -> requests.Response:
    auth = app or (handle.client_id, handle.client_secret)
    return requests.post(handle.token_url, data=form, auth=auth, timeout=10)


def consent(handle: XeroHandle, **asked: str) -> dict[str, str]:
    """What comes back to the app after a person has said yes."""
    form = {
        "client_id": handle.client_id,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "state": "s",
        **asked,
    }
    page = requests.get(handle.authorize_url, params=form, timeout=10, allow_redirects=False)
    if page.status_code == 302:
        return {
            name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()
        }
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
    answer = requests.post(
        handle.authorize_url,
        data={**form, **fields, "decision": "connect"},
        timeout=10,
        allow_redirects=False,
    )
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture
def public() -> Iterator[XeroHandle]:
    with start_xero(invoices=20, now=DEFAULT_NOW, app="pkce") as handle:
        yield handle


def test_a_code_is_good_once_and_only_with_its_verifier(public: XeroHandle) -> None:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "scope": "offline_access accounting.invoices.read",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }

    def exchange(code: str, secret: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "client_id": public.client_id,
        }
        return requests.post(public.token_url, data={**form, "code_verifier": secret}, timeout=10)

    back = consent(public, **asked)
    assert back["state"] == "s"
    assert exchange(back["code"], "w" * 50).json()["error"] == "invalid_grant"
    code = consent(public, **asked)["code"]
    tokens = exchange(code, verifier).json()
    assert (tokens["expires_in"], tokens["scope"]) == (1800, asked["scope"])
    assert exchange(code, verifier).json()["error"] == "invalid_grant"
    late = consent(public, **asked)["code"]
    public.clock.advance(timedelta(minutes=5))
    assert exchange(late, verifier).json()["error"] == "invalid_grant"


def test_a_scope_the_app_has_not_got_fails_the_consent(emulator: XeroHandle) -> None:
    assert consent(emulator, scope="accounting.invoices payroll.employees")["error"] == "invalid_scope"
    answer = requests.get(
        emulator.authorize_url,
        params={"client_id": emulator.client_id, "redirect_uri": "http://127.0.0.1:1/"},
        timeout=10,
    )
    assert answer.status_code == 400


def test_a_refresh_token_changes_every_time_and_the_old_one_has_thirty_minutes(emulator: XeroHandle) -> None:
    first = emulator.refresh_token
    new = post(emulator, grant_type="refresh_token", refresh_token=first).json()
    assert new["refresh_token"] != first
    emulator.clock.advance(timedelta(minutes=29))
    again = post(emulator, grant_type="refresh_token", refresh_token=first)
    assert again.status_code == 200
    emulator.clock.advance(timedelta(minutes=2))
    assert post(emulator, grant_type="refresh_token", refresh_token=first).json()["error"] == "invalid_grant"
    assert (
        post(emulator, grant_type="refresh_token", refresh_token=again.json()["refresh_token"]).status_code
        == 200
    )


def test_tokens_die_of_age_and_of_disuse(client: Client, emulator: XeroHandle) -> None:
    emulator.clock.advance(timedelta(minutes=30))
    answer = client.send("GET", "Organisation")
    assert answer.status_code == 401
    assert answer.json()["Detail"].startswith("TokenExpired: token expired at 11/20/2026 17:30:00")
    emulator.clock.advance(timedelta(days=60))
    answer = post(emulator, grant_type="refresh_token", refresh_token=emulator.refresh_token)
    assert answer.json()["error"] == "invalid_grant"


def test_wrong_apps_and_grants_are_refused(emulator: XeroHandle) -> None:
    wrong = post(emulator, app=("x", "y"), grant_type="refresh_token", refresh_token=emulator.refresh_token)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    assert post(emulator, grant_type="password").json()["error"] == "unsupported_grant_type"
    answer = requests.post(emulator.token_url, json={"grant_type": "refresh_token"}, timeout=10)
    assert answer.json()["error"] == "unsupported_grant_type"


def test_a_custom_connection_gets_tokens_by_itself_and_names_no_tenant() -> None:
    with start_xero(invoices=20, now=DEFAULT_NOW, app="custom") as handle, client_of(handle) as client:
        answer = post(handle, grant_type="client_credentials", scope="accounting.invoices.read").json()
        assert "refresh_token" not in answer
        client.use(answer["access_token"])
        del client.session.headers["xero-tenant-id"]
        assert client.get("Invoices", page=1)["Invoices"]
        assert client.send("GET", "Contacts", page=1).status_code == 401
        assert post(handle, grant_type="client_credentials").json()["error"] == "invalid_scope"
        refused = post(handle, grant_type="refresh_token", refresh_token=handle.refresh_token)
        assert refused.json()["error"] == "unauthorized_client"
        assert (
            post(handle, grant_type="client_credentials", scope="payroll").json()["error"] == "invalid_scope"
        )


@pytest.mark.parametrize("status", [401, 403])
def test_a_call_needs_its_scope(status: Any, client: Client, emulator: XeroHandle) -> None:
    emulator.service.authority.missing_scope = status
    client.use(emulator.service.authority.grant("accounting.invoices.read accounting.contacts")[0])
    assert client.get("Invoices", page=1)
    assert client.send("GET", "Payments", page=1).status_code == status
    answer = client.send("POST", "Invoices", {"Invoices": [{}]})
    assert (answer.status_code, answer.json()["Detail"]) == (status, "AuthorizationUnsuccessful")
    assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


def test_a_connection_can_be_seen_and_ended(client: Client, emulator: XeroHandle) -> None:
    url = f"{emulator.base_url}/connections"
    (connection,) = client.session.get(url, timeout=10).json()
    assert connection["tenantId"] == emulator.tenant
    event = {"authEventId": connection["authEventId"]}
    assert client.session.get(url, params=event, timeout=10).json() == [connection]
    assert client.session.get(url, params={"authEventId": "x"}, timeout=10).json() == []
    assert client.session.delete(f"{url}/{connection['id']}", timeout=10).status_code == 204
    assert client.session.get(url, timeout=10).json() == []
    answer = client.send("GET", "Organisation")
    assert (answer.status_code, answer.json()["detail"]) == (403, "AuthenticationUnsuccessful")


def test_another_tenant_is_forbidden(client: Client) -> None:
    answer = client.send(
        "GET", "Organisation", headers={"xero-tenant-id": "00000000-0000-4000-8000-000000000000"}
    )
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


def test_revoking_ends_everything(client: Client, emulator: XeroHandle) -> None:
    app = (emulator.client_id, emulator.client_secret)
    form = {"token": emulator.refresh_token}
    assert requests.post(emulator.revoke_url, data=form, auth=app, timeout=10).status_code == 200
    assert client.send("GET", "Organisation").status_code == 401


# ---- limits


def test_a_minute_ends_for_all_its_calls_at_once() -> None:
    clock = ScriptedClock(DEFAULT_NOW)
    pace = Pace(clock, Limits(minute=3))
    assert [pace.ask(1).problem for _ in range(4)] == [None, None, None, "minute"]
    clock.advance(timedelta(seconds=48))
    verdict = pace.ask(1)
    assert (verdict.problem, verdict.retry_after, verdict.headers["X-MinLimit-Remaining"]) == (
        "minute",
        12,
        "0",
    )
    clock.advance(timedelta(seconds=12))
    assert pace.ask(1).headers["X-MinLimit-Remaining"] == "2"


def test_a_day_says_how_long_it_still_is() -> None:
    clock = ScriptedClock(DEFAULT_NOW)
    pace = Pace(clock, Limits(day=2))
    assert [pace.ask(1).problem for _ in range(2)] == [None, None]
    clock.advance(timedelta(hours=5))
    verdict = pace.ask(1)
    assert (verdict.problem, verdict.retry_after) == ("day", 19 * 3600)
    clock.advance(timedelta(hours=19))
    assert pace.ask(1).problem is None


def test_a_sixth_call_at_a_time_is_refused_without_a_hint() -> None:
    pace = Pace(ScriptedClock(DEFAULT_NOW), Limits())
    assert pace.ask(5).problem is None
    verdict = pace.ask(6)
    assert (verdict.problem, verdict.retry_after) == ("concurrent", None)


def test_the_app_has_a_limit_of_its_own() -> None:
    pace = Pace(ScriptedClock(DEFAULT_NOW), Limits(minute=99, app_minute=1))
    assert [pace.ask(1).problem for _ in range(2)] == [None, "appminute"]


def test_limits_bite_on_the_wire() -> None:
    limits = Limits(minute=2)
    with start_xero(invoices=20, now=DEFAULT_NOW, limits=limits) as handle, client_of(handle) as client:
        first = client.send("GET", "Organisation")
        assert first.headers["X-MinLimit-Remaining"] == "1"
        assert first.headers["X-DayLimit-Remaining"] == "4999"
        assert first.headers["X-AppMinLimit-Remaining"] == "9999"
        statuses = [client.send("GET", "Organisation").status_code for _ in range(2)]
        assert statuses == [200, 429]
