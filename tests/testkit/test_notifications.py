"""Webhooks of the emulated QuickBooks: told once, signed over the very bytes, in both shapes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from ar_connectors.testkit.server import Handle


class Receiver:
    """Keeps what it is sent, and answers with a status of the test's choice."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.headers["intuit-signature"], body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def happenings(emulator: Handle) -> dict[str, str]:
    """An invoice that is changed twice, one that is voided, one that is deleted, and a payment."""
    emulator.clock.advance(timedelta(minutes=1))
    *_, untouched, other = (one.id for one in emulator.ledger.invoices.values() if one.open == one.total > 0)
    emulator.stories.run("edit_memo", invoice=other)
    emulator.stories.run("edit_memo", invoice=other, memo="Again")
    emulator.stories.run("void_invoice", invoice=other)
    emulator.stories.run("delete_invoice", invoice=untouched)
    paid = emulator.stories.run("receive_payment")["id"]
    emulator.stories.run("attach_note")
    return {"changed": other, "deleted": untouched, "payment": paid}


def test_cloud_events_tell_each_change_once(emulator: Handle, receiver: Receiver) -> None:
    assert emulator.service.notify(receiver.url) == {"sent": False, "status": None}
    told = happenings(emulator)
    assert emulator.service.notify(receiver.url) == {"sent": True, "status": 200}
    assert emulator.service.notify(receiver.url)["sent"] is False
    ((given, body),) = receiver.got
    key = emulator.service.notifier.verifier_token.encode()
    assert given == base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
    events = json.loads(body)
    seen = [(event["type"], event["intuitentityid"]) for event in events]
    assert seen[:3] == [
        ("qbo.invoice.updated.v1", told["changed"]),
        ("qbo.invoice.voided.v1", told["changed"]),
        ("qbo.invoice.deleted.v1", told["deleted"]),
    ]
    assert ("qbo.payment.created.v1", told["payment"]) in seen
    assert not any("attachable" in kind for kind, _ in seen)
    assert {event["intuitaccountid"] for event in events} == {emulator.tenant}
    assert len({event["id"] for event in events}) == len(events)
    assert all(len(event["time"].partition(".")[2]) == 10 for event in events), "nine digits and a Z"


def test_the_old_shape_is_there_too(emulator: Handle, receiver: Receiver) -> None:
    told = happenings(emulator)
    emulator.service.notify(receiver.url, shape="legacy")
    (notification,) = json.loads(receiver.got[0][1])["eventNotifications"]
    assert notification["realmId"] == emulator.tenant
    entities = notification["dataChangeEvent"]["entities"]
    assert {"Create", "Update", "Void", "Delete"} == {one["operation"] for one in entities}
    (gone,) = [one for one in entities if one["operation"] == "Delete"]
    assert (gone["name"], gone["id"]) == ("Invoice", told["deleted"])


def test_the_control_api_sends_them(emulator: Handle, receiver: Receiver) -> None:
    def post(body: dict[str, Any]) -> requests.Response:
        return requests.post(emulator.control_url + "webhooks", json=body, timeout=10)

    happenings(emulator)
    receiver.status = 401
    assert post({"url": receiver.url}).json() == {"sent": True, "status": 401}
    assert post({"url": receiver.url, "shape": "pigeon"}).status_code == 400
    assert post({"url": "ftp://127.0.0.1/"}).status_code == 400
    assert post({"url": "http://127.0.0.1:1/"}).status_code == 400, "nobody listens there"
    receiver.status = 200
    assert post({"url": receiver.url}).json() == {"sent": True, "status": 200}
    assert receiver.got[0] == receiver.got[1], "what was not taken comes again"
    assert post({"url": receiver.url}).json() == {"sent": False, "status": None}
