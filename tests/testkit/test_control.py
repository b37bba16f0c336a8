"""The emulator from outside: the control API, the JSON line, and both ways to start it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import requests

from ar_connectors.testkit.server import Handle, NetSuiteHandle, start_quickbooks
from ar_connectors.testkit.stories import STORIES
from tests.testkit.support import Client


def control(handle: Handle, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
    answer = requests.request(method, handle.control_url + path, json=body, timeout=10)
    assert answer.status_code == expect, answer.text
    return answer.json()


def test_the_clock_can_be_moved(emulator: Handle, client: Client) -> None:
    before = datetime.fromisoformat(control(emulator, "GET", "clock")["now"])
    after = control(emulator, "POST", "clock", {"advance_seconds": 4000})["now"]
    assert (datetime.fromisoformat(after) - before).total_seconds() == 4000
    assert client.refused("GET", "preferences") == "3200"


def test_faults_can_be_planned_listed_and_cleared(emulator: Handle, client: Client) -> None:
    control(emulator, "POST", "faults", {"name": "server_error", "times": 5, "on": "preferences"})
    assert client.refused("GET", "preferences") == "10000"
    assert [(one["name"], one["times"]) for one in control(emulator, "GET", "faults")] == [
        ("server_error", 4)
    ]
    control(emulator, "DELETE", "faults")
    assert client.get("preferences")
    assert "earthquake" in control(emulator, "POST", "faults", {"name": "earthquake"}, expect=400)["error"]


def test_the_server_can_be_taken_away_and_brought_back(emulator: Handle, client: Client) -> None:
    control(emulator, "POST", "outage", {"name": "connect_refused"})
    with pytest.raises(requests.ConnectionError):
        client.send("GET", "preferences")
    control(emulator, "POST", "outage", {"name": None})
    assert client.get("preferences")
    control(emulator, "POST", "outage", {"name": "flood"}, expect=400)


def test_statistics_count_and_begin_anew(emulator: Handle, client: Client) -> None:
    client.get("preferences")
    assert control(emulator, "GET", "stats")["calls"] == {"preferences": 1}
    control(emulator, "DELETE", "stats")
    assert control(emulator, "GET", "stats")["total"] == 0


def test_truth_and_lies_can_be_had(emulator: Handle) -> None:
    facts = control(emulator, "GET", "truth")
    assert facts["wrong"] == []
    assert set(facts["open_invoices"]) == set(emulator.truth().open_invoices)
    assert control(emulator, "POST", "lies", {"names": ["date_shifted"]})["active"] == ["date_shifted"]
    control(emulator, "POST", "lies", {"names": ["white_lie"]}, expect=400)


@pytest.mark.parametrize("name", sorted(set(STORIES) - {"change_customer", "take_deposit", "apply_deposit"}))
def test_every_story_can_be_told(emulator: Handle, name: str) -> None:
    before = emulator.ledger.revision
    told = control(emulator, "POST", "stories", {"name": name})
    assert told["id"]
    assert control(emulator, "GET", "truth")["wrong"] == []
    assert emulator.ledger.revision > before or name == "close_books"


@pytest.mark.parametrize("name", ["take_deposit", "apply_deposit"])
def test_deposits_are_for_an_erp_that_has_them(
    emulator: Handle, netsuite_emulator: NetSuiteHandle, name: str
) -> None:
    assert "takes no deposits" in control(emulator, "POST", "stories", {"name": name}, expect=400)["error"]
    before = netsuite_emulator.ledger.revision
    answer = requests.post(f"{netsuite_emulator.control_url}stories", json={"name": name}, timeout=10)
    assert answer.json()["id"]
    assert netsuite_emulator.ledger.revision > before


def test_a_story_takes_arguments(emulator: Handle) -> None:
    control(
        emulator,
        "POST",
        "stories",
        {"name": "change_customer", "customer": "1", "email": "new@customer.example"},
    )
    assert emulator.ledger.customer("1").email == "new@customer.example"
    answer = control(
        emulator, "POST", "stories", {"name": "issue_invoice", "customer": "1", "amount": "12.34"}
    )
    assert str(emulator.ledger.invoice(answer["id"]).total) == "12.34"


def test_the_port_can_be_chosen() -> None:
    with start_quickbooks(invoices=1) as first:
        port = int(first.base_url.rsplit(":", 1)[1])
    with start_quickbooks(invoices=1, port=port) as second:
        assert second.base_url == first.base_url


@pytest.fixture(params=["module", "command"])
def served(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    start = ["-m", "ar_connectors.testkit"]
    if request.param == "command":
        start = ["-c", "import sys; from ar_connectors.cli.main import main; sys.exit(main())", "testkit"]
    command = [
        sys.executable,
        *start,
        "serve",
        "quickbooks",
        "--port",
        "0",
        "--invoices",
        "20",
        "--seed",
        "3",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(10)


def test_serving_prints_one_line_that_any_client_can_use(served: dict[str, str]) -> None:
    assert set(served) == {
        "erp",
        "base_url",
        "tenant",
        "client_id",
        "client_secret",
        "access_token",
        "refresh_token",
        "token_url",
        "authorize_url",
        "control_url",
    }
    answer = requests.get(
        f"{served['base_url']}/v3/company/{served['tenant']}/companyinfo/{served['tenant']}",
        headers={"Authorization": f"Bearer {served['access_token']}", "Accept": "application/json"},
        timeout=10,
    )
    assert answer.json()["CompanyInfo"]["Country"] == "US"
    assert requests.get(served["control_url"] + "truth", timeout=10).json()["wrong"] == []


def test_the_moment_it_starts_at_can_be_chosen() -> None:
    command = [sys.executable, "-m", "ar_connectors.testkit", "serve", "quickbooks", "--invoices", "5"]
    command += ["--now", "2026-11-02T09:00:00-08:00"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            served = json.loads(process.stdout.readline())
            now = requests.get(served["control_url"] + "clock", timeout=10).json()["now"]
        finally:
            process.terminate()
            process.wait(10)
    assert now.startswith("2026-11-02T17:00:")
