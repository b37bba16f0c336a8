"""Every named fault strikes once, looks as Xero's do, and leaves the books whole; every lie changes only what is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from ar_connectors.testkit.faults import NAMES, OUTAGES
from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.server import XeroHandle
from ar_connectors.testkit.xero.fidelity import FIDELITY
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.lies import LIES
from tests.testkit.xero.support import Client

Effect = Callable[[Client], None]


def note(client: Client) -> requests.Response:
    invoice = guid("invoice", next(iter(client.handle.truth().open_invoices)))
    return client.send(
        "PUT", f"Invoices/{invoice}/History", {"HistoryRecords": [{"Details": "x"}]}, timeout=0.4
    )


def silent(error: type[Exception], *, done: bool) -> Effect:
    def check_it(client: Client) -> None:
        before = len(client.handle.truth().notes)
        with pytest.raises(error):
            note(client)
        assert len(client.handle.truth().notes) == before + done

    return check_it


def broken(client: Client) -> None:
    with pytest.raises((requests.exceptions.ContentDecodingError, ValueError)):
        client.send("GET", "Invoices", page=1).json()


def says(status: int, *words: str) -> Effect:
    def check_it(client: Client) -> None:
        answer = client.send("GET", "Organisation")
        assert answer.status_code == status
        for word in words:
            assert word in answer.text + str(dict(answer.headers)), answer.text

    return check_it


def limited(problem: str, *, waits: bool) -> Effect:
    def check_it(client: Client) -> None:
        answer = client.send("GET", "Organisation")
        assert (answer.status_code, answer.headers["X-Rate-Limit-Problem"]) == (429, problem)
        assert ("Retry-After" in answer.headers) == waits
        assert "X-DayLimit-Remaining" in answer.headers
        client.handle.faults.clear()

    return check_it


def refresh(client: Client) -> requests.Response:
    handle = client.handle
    form = {"grant_type": "refresh_token", "refresh_token": handle.refresh_token}
    return requests.post(
        handle.token_url, data=form, auth=(handle.client_id, handle.client_secret), timeout=10
    )


def killed(client: Client) -> None:
    assert [client.send("GET", "Organisation").status_code for _ in range(2)] == [401, 401]
    client.use(refresh(client).json()["access_token"])


def revoked(client: Client) -> None:
    assert client.send("GET", "Organisation").status_code == 401
    assert refresh(client).json() == {
        "error": "invalid_grant",
        "error_description": "Incorrect or invalid refresh token",
    }
    client.use(client.handle.service.authority.grant()[0])


def refused_once(client: Client) -> None:
    assert [refresh(client).status_code for _ in range(2)] == [400, 200]


def another_time(client: Client) -> None:
    answer = client.send("GET", "Organisation")
    assert parsedate_to_datetime(answer.headers["Date"]) - client.handle.clock.now() == timedelta(hours=1)


def unknown(client: Client) -> None:
    rows = client.get("Invoices", page=1, pageSize=1000)["Invoices"]
    assert "Sideways" in {one["LineAmountTypes"] for one in rows}


EFFECTS: dict[str, Effect] = {
    "timeout_before_commit": silent(requests.ReadTimeout, done=False),
    "timeout_after_commit": silent(requests.ReadTimeout, done=True),
    "reset_before_commit": silent(requests.ConnectionError, done=False),
    "reset_mid_body": silent(requests.exceptions.RequestException, done=True),
    "truncated_gzip": broken,
    "unauthorized": says(401, "TokenExpired", '"Title"'),
    "token_killed": killed,
    "invalid_grant": refused_once,
    "grant_revoked": revoked,
    "forbidden": says(403, "AuthenticationUnsuccessful", '"title"'),
    "permission_denied": says(401, "AuthorizationUnsuccessful"),
    "rate_limited": limited("concurrent", waits=False),
    "rate_limited_with_retry_after": limited("minute", waits=True),
    "quota_exhausted": limited("day", waits=True),
    "server_error": says(500, "InternalServerError"),
    "service_unavailable": says(503, "offline for maintenance", "text/plain"),
    "gateway_xml": says(500, "<ApiException", "application/json"),
    "gateway_fault": says(502, "<html>"),
    "fault_with_200": says(200, "HasErrors", "ERROR"),
    "stale_version": says(400, "payment or credit note allocated"),
    "period_closed": says(400, "period lock date"),
    "duplicate_request_id": says(400, "different request"),
    "subscription_lapsed": says(403, "AuthenticationUnsuccessful"),
    "clock_skew": another_time,
    "cdc_cap": says(400, "HighVolumeException"),
    "unknown_enum": unknown,
    "slow": says(200, "Organisations"),
}


def test_every_name_has_its_look() -> None:
    assert set(EFFECTS) == set(NAMES)
    network = {
        "timeout_before_commit",
        "timeout_after_commit",
        "reset_before_commit",
        "reset_mid_body",
        "truncated_gzip",
    }
    assert set(FIDELITY.faults) == set(NAMES) - network - {"clock_skew", "slow"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_fault_strikes_once_and_then_all_is_well(name: str, client: Client, emulator: XeroHandle) -> None:
    emulator.faults.add(name, on="token refresh" if name == "invalid_grant" else "*")
    EFFECTS[name](client)
    assert emulator.stats.faults[name] >= 1
    assert emulator.faults.pending == []
    assert client.get("Organisation")
    assert check(emulator.ledger) == []


@pytest.mark.parametrize("problem", ["minute", "day", "appminute"])
def test_the_limit_that_was_reached_is_named(problem: str, client: Client, emulator: XeroHandle) -> None:
    emulator.faults.add("rate_limited_with_retry_after", problem=problem, seconds=9)
    answer = client.send("GET", "Organisation")
    assert (answer.headers["X-Rate-Limit-Problem"], answer.headers["Retry-After"]) == (problem, "9")


def test_keys_of_a_refusal_may_be_in_lower_case(client: Client, emulator: XeroHandle) -> None:
    emulator.faults.add("unauthorized", lower=True)
    assert client.send("GET", "Organisation").json()["detail"].startswith("TokenExpired")


@pytest.mark.parametrize("name", sorted(OUTAGES))
def test_the_server_can_vanish_and_come_back(name: str, client: Client, emulator: XeroHandle) -> None:
    with emulator.outage(name), pytest.raises(requests.ConnectionError):
        client.send("GET", "Organisation", timeout=0.3)
    assert client.get("Organisation")


def everything(client: Client) -> dict[str, Any]:
    endpoints = ("Invoices", "CreditNotes", "Payments", "Prepayments", "Overpayments")
    return {endpoint: client.rows(endpoint) for endpoint in endpoints}


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_lie_changes_what_is_shown_and_not_what_is_true(
    name: str, client: Client, emulator: XeroHandle
) -> None:
    honest, facts = everything(client), emulator.truth()
    emulator.lies.tell(name)
    assert everything(client) != honest
    assert emulator.truth() == facts
    emulator.lies.tell()
    assert everything(client) == honest
