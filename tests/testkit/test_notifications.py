"""Webhooks of the emulated QuickBooks: told once, signed over the very bytes, in both shapes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
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


def eventually(condition: Callable[[], bool]) -> None:
    """Webhooks come from a thread of their own; give it time."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.01)


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


class TestSubscription:
    def test_they_come_by_themselves_and_each_change_once(self, emulator: Handle, receiver: Receiver) -> None:
        subscription = emulator.subscribe(receiver.url)
        told = happenings(emulator)
        eventually(lambda: told["payment"].encode() in b"".join(body for _, body in receiver.got))
        emulator.clock.advance(timedelta(days=1))
        subscription.close()
        ids = [event["id"] for _, body in receiver.got for event in json.loads(body)]
        assert len(ids) == len(set(ids)) > 0
        assert all(one["status"] == 200 for one in subscription.attempts)

    def test_what_is_not_taken_comes_again_on_the_vendors_schedule_word_for_word(
        self, emulator: Handle, receiver: Receiver
    ) -> None:
        receiver.status = 500
        emulator.stories.run("edit_memo")
        subscription = emulator.subscribe(receiver.url)
        eventually(lambda: len(subscription.attempts) == 1)
        emulator.stories.run("receive_payment")  # waits behind the notice that is not taken
        for number, pause in enumerate((10, 20, 30, 300, 1200), start=1):
            emulator.clock.advance(timedelta(seconds=pause - 1))
            time.sleep(0.1)
            assert len(subscription.attempts) == number, "too early"
            emulator.clock.advance(timedelta(seconds=1))
            eventually(lambda number=number: len(subscription.attempts) == number + 1)  # type: ignore[misc]
        assert len({body for _, body in receiver.got}) == 1, "an app can tell the same by its id"
        receiver.status = 200
        emulator.clock.advance(timedelta(hours=2))
        eventually(lambda: len(receiver.got) == 8)
        first, later = receiver.got[-2][1], receiver.got[-1][1]
        assert first == receiver.got[0][1]
        assert b"qbo.payment.created.v1" in later
        assert subscription.as_json()["next_at"] is None

    def test_after_the_last_attempt_a_notice_is_given_up_and_the_next_one_goes_out(
        self, emulator: Handle, receiver: Receiver
    ) -> None:
        receiver.status = 503
        emulator.stories.run("edit_memo")
        subscription = emulator.subscribe(receiver.url)
        for number in range(1, 10):
            eventually(lambda number=number: len(subscription.attempts) == number)  # type: ignore[misc]
            emulator.clock.advance(timedelta(hours=6))
        receiver.status = 200
        emulator.stories.run("receive_payment")
        eventually(lambda: len(subscription.attempts) == 10)
        assert [one["notice"] for one in subscription.attempts] == [1] * 9 + [2]

    def test_nobody_there_is_a_failure_like_another(self, emulator: Handle) -> None:
        emulator.stories.run("edit_memo")
        subscription = emulator.subscribe("http://127.0.0.1:1/")
        eventually(lambda: bool(subscription.attempts))
        assert subscription.attempts[0]["status"] is None

    def test_the_control_api_subscribes(self, emulator: Handle, receiver: Receiver) -> None:
        place = emulator.control_url + "subscription"
        assert requests.get(place, timeout=10).json() is None
        assert requests.post(place, json={"url": "ftp://127.0.0.1/"}, timeout=10).status_code == 400
        assert (
            requests.post(place, json={"url": receiver.url, "shape": "pigeon"}, timeout=10).status_code == 400
        )
        assert (
            requests.post(place, json={"url": receiver.url, "shape": "legacy"}, timeout=10).status_code == 200
        )
        emulator.stories.run("edit_memo")
        eventually(lambda: bool(requests.get(place, timeout=10).json()["attempts"]))
        assert b"eventNotifications" in receiver.got[0][1]
        requests.delete(place, timeout=10)
        emulator.stories.run("edit_memo", memo="And again")
        time.sleep(0.1)
        assert len(receiver.got) == 1
        assert requests.get(place, timeout=10).json() is None
