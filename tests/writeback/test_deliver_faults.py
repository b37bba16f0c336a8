"""What can go wrong between us and QuickBooks, one fault at a time, through the real transport: the right class or success,
and never a note twice or lost."""

from __future__ import annotations

import gzip
import json
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ar_connectors.errors import AuthError, ConfigurationError
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.retry import RetryPolicy
from ar_connectors.http.transport import Transport
from ar_connectors.quickbooks.connector import QuickBooksConnector
from ar_connectors.quickbooks.faults import QuickBooksDialect
from ar_connectors.store.contract import WriteState
from ar_connectors.writeback import deliver, record
from ar_core.commands import AddNote, OpenDispute
from ar_core.model import RecordKind
from tests.quickbooks.little_books import CONNECTION, TENANT, rid
from tests.writeback.memory import FakeClock
from tests.writeback.served import Fault, served
from tests.writeback.test_deliver_store import little_books, opened, sync

Carry = Callable[[], tuple[int, bytes]]


def answer(
    status: int, body: bytes, *, headers: dict[str, str] | None = None, commits: bool = False
) -> Fault:
    """An answer instead of the right one, after the work was done or without."""

    def fault(handler: BaseHTTPRequestHandler, carry_out: Carry) -> bool:
        if commits:
            carry_out()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return fault


def fault_body(code: str, kind: str = "ValidationFault") -> bytes:
    return json.dumps(
        {"Fault": {"Error": [{"Message": "no", "Detail": "no", "code": code}], "type": kind}}
    ).encode()


def dropped(*, commits: bool, part: int = 0) -> Fault:
    """The connection is reset, before or after the work, perhaps with the start of an answer sent."""

    def fault(handler: BaseHTTPRequestHandler, carry_out: Carry) -> bool:
        body = carry_out()[1] if commits else b""
        if part:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:part])
            handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return True

    return fault


def truncated_gzip(handler: BaseHTTPRequestHandler, carry_out: Carry) -> bool:
    body = gzip.compress(carry_out()[1])[:-12]
    return answer(200, body, headers={"Content-Encoding": "gzip"})(handler, lambda: (200, b""))


THROTTLED = b'{"fault": {"error": [{"message": "message=ThrottleExceeded; errorCode=003001", "code": "3001"}], "type": "SERVICE"}}'


@dataclass(frozen=True)
class Case:
    fault: Fault
    first: WriteState
    """What the first delivery makes of it; a success is the transport's doing."""
    error: str | None = None
    end: WriteState = WriteState.CONFIRMED
    """What stands once the fault is over."""


C, U, P, R = WriteState.CONFIRMED, WriteState.UNKNOWN, WriteState.PLANNED, WriteState.REJECTED
CASES = {
    "reset before the commit": Case(dropped(commits=False), U),
    "reset after the commit": Case(dropped(commits=True), C),
    "reset in the middle of the body": Case(dropped(commits=True, part=30), C),
    "gzip cut off": Case(truncated_gzip, C),
    "429 with Retry-After": Case(answer(429, THROTTLED, headers={"Retry-After": "7"}), C),
    "429 without Retry-After": Case(answer(429, THROTTLED), C),
    "429 for a day": Case(answer(429, THROTTLED, headers={"Retry-After": "86400"}), P, "QuotaExhausted"),
    "500 without effect": Case(answer(500, fault_body("10000", "SystemFault")), U),
    "500 after the commit": Case(answer(500, fault_body("10000", "SystemFault"), commits=True), C),
    "503 in HTML": Case(answer(503, b"<html>busy</html>"), U),
    "200 in HTML after the commit": Case(answer(200, b"<html>proxy</html>", commits=True), C),
    "200 with an empty body after the commit": Case(answer(200, b"", commits=True), C),
    "200 with a fault": Case(answer(200, fault_body("6000")), R, "RejectedError", R),
    "400 business validation": Case(answer(400, fault_body("6000")), R, "RejectedError", R),
    "400 duplicate request id": Case(answer(400, fault_body("600"), commits=True), C),
    "400 too long": Case(answer(400, fault_body("2050")), R, "RejectedError", R),
    "403 without the right": Case(answer(403, fault_body("5020")), R, "PermissionDenied", R),
    "closed books": Case(answer(400, fault_body("6210")), C),
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 23, 12, tzinfo=UTC))


@pytest.fixture
def transports() -> Iterator[list[Transport]]:
    made: list[Transport] = []
    yield made
    for one in made:
        one.close()


def transport(base_url: str, clock: FakeClock, made: list[Transport]) -> Transport:
    one = Transport(
        "quickbooks", TENANT, Endpoints(base_url), QuickBooksDialect(TENANT), clock=clock, jitter=lambda: 0.5,
        policy=RetryPolicy(attempts=3), settings=TransportSettings(connect_timeout=2, read_timeout=5),
    )  # fmt: skip
    made.append(one)
    return one


@pytest.mark.parametrize("name", CASES)
def test_a_fault_ends_in_success_or_in_its_class(
    name: str, clock: FakeClock, transports: list[Transport], tmp_path: Path
) -> None:
    case = CASES[name]
    books = little_books()
    store = opened(f"sqlite:///{tmp_path / 'ar.db'}", clock)
    sync(books, store)
    dispute = OpenDispute(
        customer_id=rid(RecordKind.CUSTOMER, "1"), invoice_id=rid(RecordKind.INVOICE, "129"), reason="damaged",
        opened_on=date(2026, 11, 23),
    )  # fmt: skip
    with served(books, [case.fault]) as base_url:
        connector = QuickBooksConnector(
            TENANT, transport(base_url, clock, transports), clock, base_url=base_url
        )
        record(store, [dispute])
        (receipt,) = deliver(connector, store, owner="w", clock=clock)
        assert receipt.state is case.first, receipt.error
        if case.error is not None:
            assert receipt.error is not None
            assert receipt.error["error"] == case.error
        clock.forward(days=2)
        deliver(connector, store, owner="w", clock=clock)
        (receipt,) = store.receipts(CONNECTION)
        assert receipt.state is case.end
        # Whatever happened, the next command finds its way.
        later = AddNote(subject_id=rid(RecordKind.INVOICE, "129"), text="called", given_on=date(2026, 11, 25))
        record(store, [later])
        (receipt,) = deliver(connector, store, owner="w", clock=clock)
        assert receipt.state is WriteState.CONFIRMED
    notes = [*books.notes_on("129"), books.customers["1"]["Notes"]]
    assert sum(str(dispute.record_uuid()) in note for note in notes) == (case.end is WriteState.CONFIRMED)
    store.close()


@pytest.mark.parametrize(("status", "code"), [(401, "3200"), (403, "3100"), (401, "120")])
def test_credentials_that_are_refused_are_told_and_nothing_is_lost(
    status: int, code: str, clock: FakeClock, transports: list[Transport], tmp_path: Path
) -> None:
    books = little_books()
    store = opened(f"sqlite:///{tmp_path / 'ar.db'}", clock)
    sync(books, store)
    command = AddNote(subject_id=rid(RecordKind.INVOICE, "129"), text="called", given_on=date(2026, 11, 25))
    record(store, [command])
    with served(books, [answer(status, fault_body(code, "AuthenticationFault"))]) as base_url:
        connector = QuickBooksConnector(
            TENANT, transport(base_url, clock, transports), clock, base_url=base_url
        )
        with pytest.raises((AuthError, ConfigurationError)):
            deliver(connector, store, owner="w", clock=clock)
        assert [one.state for one in store.receipts(CONNECTION)] == [WriteState.PLANNED]
        (receipt,) = deliver(connector, store, owner="w", clock=clock)
    assert receipt.state is WriteState.CONFIRMED
    assert len(books.notes_on("129")) == 1
    store.close()


def test_a_server_that_is_gone_postpones_and_loses_nothing(
    clock: FakeClock, transports: list[Transport], tmp_path: Path
) -> None:
    books = little_books()
    store = opened(f"sqlite:///{tmp_path / 'ar.db'}", clock)
    sync(books, store)
    with served(books) as base_url:
        pass
    connector = QuickBooksConnector(TENANT, transport(base_url, clock, transports), clock, base_url=base_url)
    command = AddNote(subject_id=rid(RecordKind.INVOICE, "129"), text="called", given_on=date(2026, 11, 25))
    record(store, [command])
    (receipt,) = deliver(connector, store, owner="w", clock=clock)
    assert receipt.state is WriteState.PLANNED
    assert receipt.error is not None
    assert receipt.error["error"] == "TransientError"
    clock.forward(days=1)
    with served(books) as base_url:
        connector = QuickBooksConnector(
            TENANT, transport(base_url, clock, transports), clock, base_url=base_url
        )
        (receipt,) = deliver(connector, store, owner="w", clock=clock)
    assert receipt.state is WriteState.CONFIRMED
    assert len(books.notes_on("129")) == 1
    store.close()
