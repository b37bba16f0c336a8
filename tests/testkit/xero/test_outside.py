"""The emulator from outside: webhooks, the JSON line, the command, marks, the same company for the same seed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.server import XeroHandle, start_xero
from ar_connectors.testkit.xero.fidelity import FIDELITY
from ar_connectors.testkit.xero.ids import guid
from tests.testkit.xero.support import Client, client_of

KEY = b"emulator-webhook-key"


class Receiver(HTTPServer):
    """An app that checks signatures, as Xero wants it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[Any] = []
        self.checks = True


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = base64.b64encode(hmac.new(KEY, body, hashlib.sha256).digest()).decode()
        right = self.headers["x-xero-signature"] == good or not self.server.checks
        if right:
            self.server.bodies.append(json.loads(body))
        self.send_response(200 if right else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ring(handle: XeroHandle, server: Receiver, **body: str) -> Any:
    url = f"http://127.0.0.1:{server.server_port}/hook"
    return requests.post(handle.control_url + "webhooks", json={"url": url, **body}, timeout=10).json()


def test_what_happened_is_told_once_and_signed(emulator: XeroHandle, receiver: Receiver) -> None:
    assert ring(emulator, receiver) == {"sent": False, "status": None}
    invoice = emulator.stories.issue_invoice()
    credit = emulator.stories.issue_credit()
    emulator.stories.change_customer(name="Another name")
    assert ring(emulator, receiver) == {"sent": True, "status": 200}
    assert ring(emulator, receiver)["sent"] is False
    events = receiver.bodies[0]["events"]
    told = [(one["eventCategory"], one["eventType"]) for one in events]
    assert told == [("INVOICE", "CREATE"), ("CREDITNOTE", "CREATE"), ("CONTACT", "UPDATE")]
    assert [one["resourceId"] for one in events[:2]] == [
        guid("invoice", invoice.id),
        guid("credit", credit.id),
    ]
    assert events[1]["data"] == {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    assert receiver.bodies[0]["lastEventSequence"] == 3


def test_it_asks_first_whether_an_app_checks_signatures(emulator: XeroHandle, receiver: Receiver) -> None:
    answer = ring(emulator, receiver, shape="intent")
    assert answer == {"sent": True, "status": 200, "badly_signed": 401, "accepted": True}
    assert receiver.bodies[0]["events"] == []
    receiver.checks = False
    assert ring(emulator, receiver, shape="intent")["accepted"] is False


def test_the_command_serves_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "ar_connectors.testkit", "serve", "xero", "--invoices", "20"]
    command += ["--now", "2026-11-02T09:00:00-08:00"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {line['access_token']}", "xero-tenant-id": line["tenant"]}
        url = f"{line['base_url']}/api.xro/2.0/Organisation"
        answer = requests.get(url, headers={**headers, "Accept": "application/json"}, timeout=10)
        assert answer.json()["Organisations"][0]["OrganisationID"] == line["tenant"]
        assert answer.headers["X-MinLimit-Remaining"] == "59"
        truth = requests.get(line["control_url"] + "truth", timeout=10).json()
        assert truth["wrong"] == []
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_the_same_seed_is_the_same_company() -> None:
    def seen() -> tuple[Any, ...]:
        with start_xero(invoices=60, seed=9, now=DEFAULT_NOW) as handle, client_of(handle) as client:
            rows = [client.rows(one) for one in ("Invoices", "Contacts", "Payments", "Overpayments")]
            return handle.access_token, handle.refresh_token, rows

    assert seen() == seen()


def test_every_operation_met_has_a_mark(client: Client, emulator: XeroHandle) -> None:
    (group,) = client.done("PUT", "ContactGroups", {"Name": "G"})["ContactGroups"]
    contact = client.rows("Contacts")[0]["ContactID"]
    client.done(
        "PUT", f"ContactGroups/{group['ContactGroupID']}/Contacts", {"Contacts": [{"ContactID": contact}]}
    )
    client.send("DELETE", f"ContactGroups/{group['ContactGroupID']}/Contacts")
    for path in (
        "Invoices",
        "Accounts",
        "Currencies",
        "Organisation",
        "Organisation/Actions",
        "BatchPayments",
    ):
        client.get(path)
    client.get(f"Contacts/{contact}/History")
    client.get("InvoiceReminders/Settings")
    client.get("Reports/AgedReceivablesByContact", contactId=contact)
    client.session.get(f"{emulator.base_url}/connections", timeout=10)
    for operation in emulator.stats.calls:
        assert any(fnmatchcase(operation, route.operation) for route in FIDELITY.routes), operation
