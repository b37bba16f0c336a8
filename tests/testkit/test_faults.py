"""Every named fault really strikes, in the shape it is documented in; lies are told by the wire and not by the books."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from ar_connectors.testkit.faults import NAMES, OUTAGES, FaultPlan
from ar_connectors.testkit.ledger import check
from ar_connectors.testkit.quickbooks.lies import LIES
from ar_connectors.testkit.server import Handle
from tests.testkit.support import Client

NOTE = {"Note": "[AR:x]"}


def code(answer: requests.Response) -> str:
    document = answer.json()
    error = document["Fault"]["Error"][0] if "Fault" in document else document["fault"]["error"][0]
    return str(error["code"])


def refuses(status: int, fault_code: str) -> Callable[[Client], None]:
    def checked(client: Client) -> None:
        answer = client.send("POST", "attachable", NOTE)
        assert (answer.status_code, code(answer)) == (status, fault_code)
        assert client.handle.truth().notes == {}, "nothing may have been done"

    return checked


def hangs(*, done: bool) -> Callable[[Client], None]:
    def checked(client: Client) -> None:
        with pytest.raises(requests.ReadTimeout):
            client.send("POST", "attachable", NOTE, timeout=0.2)
        assert len(client.handle.truth().notes) == done

    return checked


def resets(*, done: bool) -> Callable[[Client], None]:
    def checked(client: Client) -> None:
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            client.send("POST", "attachable", NOTE)
        assert len(client.handle.truth().notes) == done

    return checked


def cannot_be_unpacked(client: Client) -> None:
    with pytest.raises(
        (requests.exceptions.ContentDecodingError, json.JSONDecodeError, requests.exceptions.JSONDecodeError)
    ):
        client.send("GET", "query", query="SELECT * FROM Invoice").json()


def throttles(client: Client) -> None:
    answer = client.send("GET", "preferences")
    assert (answer.status_code, code(answer), "Retry-After" in answer.headers) == (429, "3001", False)


def throttles_until(client: Client) -> None:
    answer = client.send("GET", "preferences")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


def throttles_for_good(client: Client) -> None:
    for _ in range(3):
        assert client.send("GET", "preferences").status_code == 429
        client.handle.clock.advance(timedelta(minutes=10))
    client.handle.faults.clear()


def is_a_page(client: Client) -> None:
    answer = client.send("GET", "preferences")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html")
    assert "<html>" in answer.text


def is_xml(client: Client) -> None:
    answer = client.send("GET", "preferences")
    assert answer.status_code == 500
    assert answer.text.startswith("<?xml")


def is_a_fault_with_200(client: Client) -> None:
    answer = client.send("POST", "attachable", NOTE)
    assert (answer.status_code, code(answer)) == (200, "6000")


def kills_the_token(client: Client) -> None:
    for _ in range(2):
        assert client.refused("GET", "preferences") == "3200"
    form = {"grant_type": "refresh_token", "refresh_token": client.handle.refresh_token}
    app = (client.handle.client_id, client.handle.client_secret)
    fresh = requests.post(client.handle.token_url, data=form, auth=app, timeout=10).json()["access_token"]
    client.session.headers["Authorization"] = f"Bearer {fresh}"


def needs_consent(client: Client) -> None:
    assert client.refused("GET", "preferences") == "3200"
    form = {"grant_type": "refresh_token", "refresh_token": client.handle.refresh_token}
    app = (client.handle.client_id, client.handle.client_secret)
    answer = requests.post(client.handle.token_url, data=form, auth=app, timeout=10)
    assert answer.json()["error"] == "invalid_grant"
    client.session.headers["Authorization"] = f"Bearer {client.handle.service.authority.grant()[0]}"


def refuses_one_refresh(client: Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": client.handle.refresh_token}
    app = (client.handle.client_id, client.handle.client_secret)
    answers = [requests.post(client.handle.token_url, data=form, auth=app, timeout=10) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]


def shows_another_time(client: Client) -> None:
    answer = client.send("GET", "preferences")
    shown = parsedate_to_datetime(answer.headers["Date"])
    assert shown - client.handle.clock.now() == timedelta(hours=1)


def cuts_the_feed_off(client: Client) -> None:
    since = (client.handle.clock.now() - timedelta(days=29)).isoformat()
    (group,) = client.get("cdc", entities="Invoice", changedSince=since)["CDCResponse"][0]["QueryResponse"]
    assert group["maxResults"] == 5


def shows_unknown_values(client: Client) -> None:
    rows = client.query("SELECT * FROM Invoice")["Invoice"]
    assert {row["EmailStatus"] for row in rows} == {"Teleported"}


def is_late_and_right(client: Client) -> None:
    assert client.get("preferences")


EFFECTS: dict[str, Callable[[Client], None]] = {
    "timeout_before_commit": hangs(done=False),
    "timeout_after_commit": hangs(done=True),
    "reset_before_commit": resets(done=False),
    "reset_mid_body": resets(done=True),
    "truncated_gzip": cannot_be_unpacked,
    "unauthorized": refuses(401, "3200"),
    "token_killed": kills_the_token,
    "invalid_grant": refuses_one_refresh,
    "grant_revoked": needs_consent,
    "forbidden": refuses(403, "3100"),
    "permission_denied": refuses(403, "5020"),
    "rate_limited": throttles,
    "rate_limited_with_retry_after": throttles_until,
    "quota_exhausted": throttles_for_good,
    "server_error": refuses(500, "10000"),
    "service_unavailable": is_a_page,
    "gateway_xml": is_xml,
    "gateway_fault": refuses(500, "10000"),
    "fault_with_200": is_a_fault_with_200,
    "stale_version": refuses(400, "5010"),
    "period_closed": refuses(400, "6210"),
    "duplicate_request_id": refuses(400, "600"),
    "subscription_lapsed": refuses(400, "6190"),
    "clock_skew": shows_another_time,
    "cdc_cap": cuts_the_feed_off,
    "unknown_enum": shows_unknown_values,
    "slow": is_late_and_right,
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_fault_strikes_once_and_then_all_is_well(name: str, client: Client, emulator: Handle) -> None:
    emulator.faults.add(name, on="token refresh" if name == "invalid_grant" else "*")
    EFFECTS[name](client)
    assert emulator.stats.faults[name] >= 1
    assert emulator.faults.pending == []
    assert client.get("preferences")
    assert check(emulator.ledger) == []


def test_faults_wait_for_their_operation_and_their_turn(client: Client, emulator: Handle) -> None:
    emulator.faults.add("server_error", on="query Inv*", after=1, times=2)
    statement = "SELECT * FROM Invoice MAXRESULTS 1"
    assert client.get("preferences")
    statuses = [client.send("GET", "query", query=statement).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]


def test_a_name_that_is_no_fault_is_refused(emulator: Handle) -> None:
    with pytest.raises(KeyError, match="earthquake"):
        emulator.faults.add("earthquake")


@pytest.mark.parametrize("name", sorted(OUTAGES))
def test_the_server_can_vanish_and_come_back(name: str, client: Client, emulator: Handle) -> None:
    assert client.get("preferences")
    with emulator.outage(name):
        expected = requests.ConnectTimeout if name == "connect_timeout" else requests.ConnectionError
        with pytest.raises(expected):
            client.send("GET", "preferences", timeout=0.3)
    assert client.get("preferences")


def test_a_client_that_waits_does_not_hold_up_others(client: Client, emulator: Handle) -> None:
    emulator.faults.add("timeout_before_commit", on="preferences")

    def wait() -> None:
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{client.root}/preferences", headers=client.session.headers, timeout=1)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert client.query("SELECT COUNT(*) FROM Invoice")
    waiting.join()


def everything(client: Client) -> dict[str, Any]:
    return {
        entity: client.query(f"SELECT * FROM {entity} MAXRESULTS 1000").get(entity)
        for entity in ("Invoice", "CreditMemo", "Payment")
    }


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_lie_changes_what_is_shown_and_not_what_is_true(
    name: str, client: Client, emulator: Handle
) -> None:
    honest, facts = everything(client), emulator.truth()
    emulator.lies.tell(name)
    assert everything(client) != honest
    assert emulator.truth() == facts
    emulator.lies.tell()
    assert everything(client) == honest


def test_a_fault_may_strike_by_chance_and_the_same_calls_every_time(emulator: Handle) -> None:
    def struck() -> list[bool]:
        plan = FaultPlan("7")
        plan.add("server_error", times=None, chance=0.3)
        return [plan.take("preferences") is not None for _ in range(200)]

    assert struck() == struck()
    assert 30 < sum(struck()) < 90
    with pytest.raises(ValueError, match="chance"):
        emulator.faults.add("server_error", chance=1.5)


@pytest.mark.parametrize("name", ["timeout_before_commit", "timeout_after_commit"])
def test_a_silent_connection_is_closed_when_told_how_long(
    name: str, client: Client, emulator: Handle
) -> None:
    emulator.faults.add(name, seconds=0.1)
    with pytest.raises(requests.ConnectionError, match=r"closed connection without response|aborted"):
        client.send("POST", "attachable", NOTE)


def test_a_slow_answer_takes_as_long_as_told(client: Client, emulator: Handle) -> None:
    emulator.faults.add("slow", seconds=0.6)
    with pytest.raises(requests.ReadTimeout):
        client.send("GET", "preferences", timeout=0.3)
