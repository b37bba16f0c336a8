"""What we write: where it stands, how it reads back, and what each named fault makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.errors import ReauthorizationRequired
from ar_connectors.http import Replay, Request
from ar_connectors.store import Store
from ar_connectors.store.contract import WriteState
from ar_connectors.testkit.faults import NAMES, OUTAGES
from ar_core.commands import AddNote, Command, OpenDispute
from tests.behavior.faces import FACES, KEY, Face, opened
from tests.faces import each
from tests.faces.collecting import DAY, a_debtor, a_week, debtor

DAYS = 24 * 3600


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A small company with somebody to call, already read."""
    with opened(request.param, tmp_path, monkeypatch, invoices=10, patience=0.8) as made:
        made.change(a_debtor)
        made.sync()
        yield made


def a_dispute_and_a_note(face: Face) -> list[Command]:
    """Two commands that have nothing to do with each other."""
    first, second, _ = debtor(face.snapshot())
    return [
        OpenDispute(customer_id=str(first.customer_id), invoice_id=first.id, reason="damaged", opened_on=DAY),
        AddNote(subject_id=second.id, text="called", given_on=DAY),
    ]


def deliver_all(face: Face) -> None:
    """As a script that runs every night would, until nothing waits any more."""
    for _ in range(20):
        ar.deliver(face.connection, face.store)
        open_ = {WriteState.PLANNED, WriteState.SENT, WriteState.UNKNOWN}
        if not open_ & {one.state for one in face.store.receipts(face.id)}:
            return
        face.clock.sleep(DAYS / 2)
    raise AssertionError([one.error for one in face.store.receipts(face.id)])


def state(face: Face, command: Command) -> WriteState:
    (found,) = [one.state for one in face.store.receipts(face.id) if one.key == command.key]
    return found


def assert_standing(face: Face, commands: list[Command]) -> None:
    standing = face.platform.standing(face.emulator)
    assert set(standing) == face.platform.expected(commands)
    assert set(standing.values()) <= {1}, "a fact stands there twice"


def activity(face: Face, store: Store) -> list[Any]:
    """Promises and disputes, without what only tells where they were read."""
    snapshot = store.snapshot(face.id)
    plain = {"source": None, "recorded_at": None}
    return [one.model_copy(update=plain) for one in (*snapshot.promises, *snapshot.disputes)]


def test_a_week_of_collecting_stands_once_and_reads_back_the_same(face: Face, tmp_path: Path) -> None:
    week = a_week(debtor(face.snapshot()))
    for command in week:
        ar.record(face.store, [command])
        deliver_all(face)
        face.clock.sleep(600)
    assert {one.state for one in face.store.receipts(face.id)} == {WriteState.CONFIRMED}
    assert_standing(face, week)
    face.sync()
    other = ar.open_store(f"sqlite:///{tmp_path}/other.db", clock=face.clock, key=KEY)
    connection = face.connect(other)
    ar.sync(connection, other)
    connection.close()
    assert activity(face, other) == activity(face, face.store)
    assert face.differences(other) == []
    other.close()


def test_recording_and_delivering_again_sends_nothing(face: Face) -> None:
    week = a_week(debtor(face.snapshot()))
    ar.record(face.store, week)
    deliver_all(face)
    face.emulator.stats.reset()
    ar.record(face.store, week)
    assert ar.deliver(face.connection, face.store) == ()
    assert face.emulator.stats.total == 0


@pytest.mark.parametrize(
    ("face", "fault"), each(lambda one: set(NAMES) - one.faults.unknown), indirect=["face"]
)
def test_each_fault_in_a_delivery_ends_in_its_class_or_in_success_and_nothing_is_lost(
    face: Face, fault: str
) -> None:
    commands = a_dispute_and_a_note(face)
    ar.record(face.store, commands)
    if fault == "invalid_grant":
        face.emulator.faults.add("token_killed", on=face.platform.write)
        face.emulator.faults.add(fault, on="token*", times=None)
    else:
        face.emulator.faults.add(fault, on=face.platform.write)
    outcome = face.platform.faults.written.get(fault, "confirmed")
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            ar.deliver(face.connection, face.store)
        assert state(face, commands[0]) is WriteState.PLANNED
        face.emulator.faults.clear()
        if outcome is ReauthorizationRequired:
            face.reconnect()
    else:
        ar.deliver(face.connection, face.store)
        face.emulator.faults.clear()
    deliver_all(face)
    rejected = outcome == "rejected"
    assert state(face, commands[0]) is (WriteState.REJECTED if rejected else WriteState.CONFIRMED)
    assert state(face, commands[1]) is WriteState.CONFIRMED
    if outcome == "degraded":
        (receipt,) = [one for one in face.store.receipts(face.id) if one.key == commands[0].key]
        assert receipt.degraded
        owner = {
            (one.customer_id, str(one.record_uuid())) for one in commands if isinstance(one, OpenDispute)
        }
        standing = face.platform.standing(face.emulator)
        assert set(standing) == owner | face.platform.expected(commands[1:])
        assert set(standing.values()) == {1}
    else:
        assert_standing(face, commands[rejected:])


@pytest.mark.parametrize("outage", sorted(OUTAGES))
def test_an_outage_postpones_a_delivery_and_loses_nothing(face: Face, outage: str) -> None:
    commands = a_dispute_and_a_note(face)
    ar.record(face.store, commands)
    with face.emulator.outage(outage):
        ar.deliver(face.connection, face.store)
    assert {one.state for one in face.store.receipts(face.id)} <= {WriteState.PLANNED, WriteState.UNKNOWN}
    deliver_all(face)
    assert {one.state for one in face.store.receipts(face.id)} == {WriteState.CONFIRMED}
    assert_standing(face, commands)


@pytest.mark.parametrize("name", sorted(FACES))
def test_a_worker_that_slept_before_it_sent_leaves_no_second_note(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has said that bytes may go out, and sleeps past its claim; another worker takes over, looks, and sends. The platform
    is one that does not recognize the idempotency key."""
    with opened(name, tmp_path, monkeypatch, invoices=10, **FACES[name].forgetful) as face:
        face.change(a_debtor)
        face.sync()
        commands = a_dispute_and_a_note(face)
        ar.record(face.store, commands)
        other = face.platform.connect(face.emulator.as_json(), face.store, face.clock, tokens=False)
        slept: list[Request] = []

        def sign(signer: Any, request: Request) -> Any:
            if request.replay is Replay.UNSAFE and not slept:
                slept.append(request)
                face.clock.sleep(DAYS / 24)
                for _ in range(3):
                    ar.deliver(other, face.store)
                    face.clock.sleep(600)
            return real_sign(signer, request)

        signer = type(face.connection.transport._signer)
        real_sign = signer.sign
        monkeypatch.setattr(signer, "sign", sign)
        ar.deliver(face.connection, face.store)
        assert slept, "no write was stopped on its way"
        deliver_all(face)
        assert {one.state for one in face.store.receipts(face.id)} == {WriteState.CONFIRMED}
        assert_standing(face, commands)
        other.close()
