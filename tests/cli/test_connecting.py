"""How a person connects a company from the command line: keys, consent in a browser, time zone; and gets out again."""

from __future__ import annotations

import json
import re
import socket
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from ar_connectors.cli.connecting import SECRET_VARIABLE
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.main import cli
from ar_connectors.cli.shell import KEY_VARIABLE
from ar_connectors.http import Endpoints
from ar_connectors.testkit.server import start_quickbooks, start_xero
from tests.auth.chromium import Chromium, Person

KEY = Fernet.generate_key().decode()
ELSEWHERE = "https://app.example/back"
START: dict[str, Callable[..., Any]] = {"quickbooks": start_quickbooks, "xero": start_xero}


@pytest.fixture(scope="module")
def chromium(program: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser, driver = program("chromium", "chromium-browser", "google-chrome"), program("chromedriver")
    with Chromium(browser, driver, tmp_path_factory.mktemp("chromium")) as running:
        yield running


class Desk:
    """Somebody with a terminal, for whom the platform's addresses are those of an emulator."""

    def __init__(self, platform: str, emulator: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.platform, self.emulator, self.folder = platform, emulator, folder
        self.monkeypatch = monkeypatch
        hosts = Endpoints(
            emulator.base_url,
            token=emulator.token_url,
            authorize=emulator.authorize_url,
            revoke=emulator.revoke_url,
        )
        for name in {
            "quickbooks": ("auth.PRODUCTION", "auth.SANDBOX", "session.PRODUCTION"),
            "xero": ("auth.PRODUCTION", "session.PRODUCTION"),
        }[platform]:
            monkeypatch.setattr(f"ar_connectors.{platform}.{name}", hosts)
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        monkeypatch.setenv(SECRET_VARIABLE, emulator.client_secret)

    def run(self, *arguments: str, **options: Any) -> Result:
        store = ("--store", f"sqlite:///{self.folder}/ar.db")
        return CliRunner().invoke(cli, [*store, *arguments], **options)

    def connect(self, *arguments: str, **options: Any) -> Result:
        keys = ("--client-id", self.emulator.client_id, "--zone", "UTC")
        return self.run("connect", self.platform, *keys, *arguments, **options)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """By indirect parameters: the platform, and options of its emulator."""
    platform, options = request.param
    with START[platform](invoices=5, **options) as emulator:
        yield Desk(platform, emulator, tmp_path, monkeypatch)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def decide(url: str, decision: str = "connect") -> str:
    """What a browser without a window does on the consent page; the address it is sent back to."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    page = requests.get(url, timeout=10)
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
    answer = requests.post(
        url.partition("?")[0],
        data={**asked, **fields, "decision": decision},
        timeout=10,
        allow_redirects=False,
    )
    return answer.headers["Location"]


FLOWS: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, ...]]] = {
    "quickbooks sandbox": (("quickbooks", {}), ("--sandbox",)),
    "xero": (("xero", {}), ()),
    "xero pkce": (("xero", {"app": "pkce"}), ("--pkce",)),
}


@pytest.mark.browser
@pytest.mark.parametrize(("desk", "more"), list(FLOWS.values()), ids=list(FLOWS), indirect=["desk"])
def test_consent_in_a_browser_connects_and_what_is_kept_is_enough_for_a_sync(
    desk: Desk, more: tuple[str, ...], chromium: Chromium
) -> None:
    if "--pkce" in more:
        desk.monkeypatch.delenv(SECRET_VARIABLE)  # nobody is asked for it
    with Person(chromium, "connect") as person:
        desk.monkeypatch.setattr(webbrowser, "open", person.open)
        result = desk.connect(*more, "--port", free_port(), "--json", input="")
        assert result.exit_code == 0, result.output + result.stderr
        assert person.read is not None
        assert person.read.result(30)[0] == "Connected"
    assert json.loads(result.stdout)["connection"] == f"{desk.platform}:{desk.emulator.tenant}"
    assert desk.emulator.client_secret not in result.output + result.stderr
    synced = desk.run("sync", "--json")
    assert synced.exit_code == 0, synced.output
    assert json.loads(synced.stdout)["complete"] is True
    assert desk.emulator.stats.calls["token code"] == 1


@pytest.mark.browser
@pytest.mark.parametrize("desk", [("xero", {"app": "pkce"})], indirect=True)
def test_a_person_who_says_no_connects_nothing(desk: Desk, chromium: Chromium) -> None:
    with Person(chromium, "deny") as person:
        desk.monkeypatch.setattr(webbrowser, "open", person.open)
        result = desk.connect("--pkce", "--port", free_port())
    assert result.exit_code == Exit.AUTHENTICATION, result.output
    assert "did not agree" in result.stderr
    assert "no company is connected" in desk.run("connections").output


@pytest.mark.parametrize(
    "desk", [("quickbooks", {}), ("xero", {})], ids=["quickbooks", "xero"], indirect=True
)
def test_where_the_browser_is_sent_elsewhere_its_address_is_pasted(desk: Desk) -> None:
    """Intuit sends live companies to https addresses only, where nothing of ours listens."""
    pasted: list[str] = []

    def ask(question: str, **_: Any) -> str:
        assert "address" in question
        return pasted.pop(0)

    def opened(url: str) -> None:
        back = decide(url)
        assert back.startswith(ELSEWHERE)
        pasted.extend(["https://app.example/back?code=theirs&state=guessed", "nonsense", back])

    desk.monkeypatch.setattr(webbrowser, "open", opened)
    desk.monkeypatch.setattr("click.prompt", ask)
    result = desk.connect("--redirect-uri", ELSEWHERE)
    assert result.exit_code == 0, result.output + result.stderr
    assert result.stderr.count("does not carry the state") == 2
    assert pasted == []
    assert f"connected: {desk.platform}:{desk.emulator.tenant}" in result.stdout


@pytest.mark.parametrize(
    "desk", [("quickbooks", {}), ("xero", {})], ids=["quickbooks", "xero"], indirect=True
)
def test_a_redirect_in_the_open_is_refused(desk: Desk) -> None:
    result = desk.connect("--redirect-uri", "http://app.example/back", "--no-browser")
    assert result.exit_code == Exit.CONFIGURATION
    assert "in the open" in result.stderr


@pytest.mark.parametrize("desk", [("quickbooks", {})], indirect=True)
def test_what_is_asked_is_asked_on_standard_error_and_a_wrong_zone_again(desk: Desk) -> None:
    desk.monkeypatch.delenv(SECRET_VARIABLE)
    told = [desk.emulator.client_id, desk.emulator.client_secret, ELSEWHERE, "Mars", "UTC", ""]
    result = desk.run("connect", "quickbooks", "--no-browser", "--json", input="\n".join(told))
    assert result.stdout == ""
    assert "Redirect address registered with the app" in result.stderr
    assert "'Mars' is not an IANA time zone" in result.stderr
    assert "Give your consent on this page" in result.stderr


@pytest.mark.parametrize("desk", [("xero", {"app": "custom"})], indirect=True)
def test_a_custom_connection_needs_no_browser(desk: Desk) -> None:
    result = desk.connect("--custom")
    assert result.exit_code == 0, result.output + result.stderr
    assert desk.run("sync").exit_code == 0


@pytest.mark.parametrize("desk", [("xero", {})], indirect=True)
def test_port_zero_is_no_address_that_can_be_registered(desk: Desk) -> None:
    result = desk.connect("--port", "0")
    assert result.exit_code == Exit.USAGE


@pytest.mark.parametrize(
    "desk", [("quickbooks", {}), ("xero", {})], ids=["quickbooks", "xero"], indirect=True
)
def test_a_company_is_disconnected_and_what_was_read_stays(desk: Desk) -> None:
    desk.monkeypatch.setattr(webbrowser, "open", lambda url: pasted.append(decide(url)))
    pasted: list[str] = []
    desk.monkeypatch.setattr("click.prompt", lambda _, **__: pasted.pop())
    assert desk.connect("--redirect-uri", ELSEWHERE).exit_code == 0
    assert desk.run("sync").exit_code == 0
    refused = desk.run("connections", "disconnect", input="n\n")
    assert refused.exit_code == 1
    assert desk.run("check").exit_code == 0
    done = desk.run("connections", "disconnect", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["disconnected"] is True
    assert desk.run("check").exit_code == Exit.AUTHENTICATION
    assert json.loads(desk.run("status", "--json").stdout)["records"]["invoice"] > 0
    again = desk.run("connections", "disconnect", "--yes")
    assert again.exit_code in {Exit.AUTHENTICATION, Exit.CONFIGURATION}
