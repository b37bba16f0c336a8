"""Delivery: what becomes of a command in every case, with an adapter that does what the test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from ar_connectors.connector import Capabilities, Connector, Fact, PendingWrite, Placement, StoreView, Support
from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    ConflictError,
    ContractError,
    DuplicateError,
    LeaseLost,
    NotFoundError,
    PeriodClosedError,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    ReauthorizationRequired,
    RejectedError,
    StaleVersionError,
    TransientError,
    UnsupportedOperation,
    WriteOutcomeUnknown,
)
from ar_connectors.events import Event, WriteFinished
from ar_connectors.store.contract import Receipt, WriteState
from ar_connectors.writeback import DeliveryRules, deliver, record, resolve
from ar_core.commands import AddNote, Command, RecordTouch
from ar_core.model import Channel
from tests.writeback.memory import FakeClock, MemoryStore

CONNECTION = "quickbooks:9341"
RULES = DeliveryRules()


def note(number: int = 1, invoice: int = 1) -> AddNote:
    return AddNote(
        subject_id=f"{CONNECTION}:invoice:{invoice}", text=f"note {number}", given_on=date(2026, 11, 23)
    )


@dataclass
class ScriptedConnector:
    """An adapter with a platform of its own: what was placed is there to be found."""

    there: list[str] = field(default_factory=list)
    """Texts of the notes at the platform, in the order they arrived."""
    place_script: list[Callable[[PendingWrite], None]] = field(default_factory=list)
    """Run one by one before a write takes effect; then nothing."""
    find_script: list[Exception] = field(default_factory=list)
    after_script: list[Exception] = field(default_factory=list)
    """Raised after a write took effect."""
    keys: list[str] = field(default_factory=list)
    platform: str = "quickbooks"
    tenant: str = "9341"
    id: str = CONNECTION
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            "quickbooks", {}, {}, {"record_touch": Support.NONE, "add_note": Support.NOTE}
        )
    )

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        assert view is not None
        self.keys.append(write.idempotency_key)
        if self.place_script:
            self.place_script.pop(0)(write)
        self.there.append(self._text(write))
        if self.after_script:
            raise self.after_script.pop(0)
        return self._placed(write)

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        assert view is not None
        if self.find_script:
            raise self.find_script.pop(0)
        return self._placed(write) if self._text(write) in self.there else None

    def _text(self, write: PendingWrite) -> str:
        assert isinstance(write.command, AddNote)
        return write.command.text

    def _placed(self, write: PendingWrite) -> Sequence[Placement]:
        return [Placement(Fact.NOTE, "a note", "Attachable", str(self.there.index(self._text(write))), "0")]


def raising(error: BaseException) -> Callable[[PendingWrite], None]:
    def fail(_write: PendingWrite) -> None:
        raise error

    return fail


@dataclass
class World:
    clock: FakeClock
    store: MemoryStore
    connector: ScriptedConnector
    events: list[Event]

    def deliver(self, **options: Any) -> Sequence[Receipt]:
        return deliver(
            cast(Connector, self.connector),
            self.store,
            owner="worker-1",
            clock=self.clock,
            observer=self.events.append,
            **options,
        )

    def resolve(self) -> Sequence[Receipt]:
        return resolve(cast(Connector, self.connector), self.store, owner="worker-1", clock=self.clock)

    def record(self, *commands: Command) -> Sequence[Receipt]:
        return record(self.store, commands)


@pytest.fixture
def world() -> World:
    clock = FakeClock()
    return World(clock, MemoryStore(clock), ScriptedConnector(), [])


def test_a_command_is_recorded_once_and_delivered_once(world: World) -> None:
    world.record(note())
    world.record(note())
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert receipt.placements[0].target == "a note"
    assert world.deliver() == ()
    assert world.connector.there == ["note 1"]


def test_the_same_key_with_other_content_is_a_conflict_and_stores_nothing(world: World) -> None:
    world.record(
        AddNote(key="k", subject_id=f"{CONNECTION}:invoice:1", text="one", given_on=date(2026, 11, 23))
    )
    other = AddNote(key="k", subject_id=f"{CONNECTION}:invoice:1", text="two", given_on=date(2026, 11, 23))
    with pytest.raises(ConflictError):
        world.record(note(7), other)
    assert len(world.store.rows) == 1


def test_that_bytes_may_go_out_is_durable_before_they_do(world: World) -> None:
    seen: list[str] = []
    world.connector.place_script = [lambda _write: seen.extend(world.store.calls)]
    world.record(note())
    world.deliver()
    assert seen == ["claim", "mark"]


def test_commands_go_in_the_order_they_were_recorded(world: World) -> None:
    world.record(*(note(number, number % 2) for number in range(6)))
    world.deliver()
    assert world.connector.there == [f"note {number}" for number in range(6)]


def test_what_the_platform_has_no_place_for_stays_with_us(world: World) -> None:
    touch = RecordTouch(
        customer_id=f"{CONNECTION}:customer:1", channel=Channel.EMAIL, at=datetime(2026, 11, 23, tzinfo=UTC)
    )
    world.record(touch)
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.LOCAL
    assert world.connector.keys == []


def test_a_lost_answer_is_resolved_by_looking_in_the_same_run(world: World) -> None:
    world.connector.after_script = [WriteOutcomeUnknown("no answer")]
    world.record(note())
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]
    assert "finish unknown" in world.store.calls


def test_a_request_that_got_lost_is_sent_again_only_when_it_can_no_longer_arrive(world: World) -> None:
    world.connector.place_script = [raising(WriteOutcomeUnknown("no answer"))]
    world.record(note())
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.UNKNOWN
    world.clock.forward(seconds=60)
    assert world.deliver() == ()
    world.clock.forward(seconds=120)
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]
    assert len(set(world.connector.keys)) == 1, "the idempotency key was minted once"


def test_a_second_request_that_got_lost_has_its_own_time_to_arrive(world: World) -> None:
    lost = raising(WriteOutcomeUnknown("no answer"))
    world.connector.place_script = [lost, lost]
    world.record(note())
    world.deliver()
    world.clock.forward(minutes=3)
    assert world.deliver()[0].state is WriteState.UNKNOWN
    assert len(world.connector.keys) == 2
    world.clock.forward(minutes=1)
    assert world.deliver() == (), "the second request may still be on its way"
    world.clock.forward(minutes=2)
    assert world.deliver()[0].state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_a_request_that_arrives_late_is_found_and_not_sent_again(world: World) -> None:
    world.connector.place_script = [raising(WriteOutcomeUnknown("no answer"))]
    world.record(note())
    world.deliver()
    world.connector.there.append("note 1")  # the server was slow
    world.clock.forward(minutes=5)
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_what_cannot_be_told_stays_unknown(world: World) -> None:
    world.connector.after_script = [WriteOutcomeUnknown("no answer")]
    world.connector.find_script = [TransientError("no connection")]
    world.record(note())
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.UNKNOWN
    assert receipt.error is not None
    assert receipt.error["error"] == "TransientError"
    assert [one.key for one in world.resolve()] == [receipt.key]
    world.clock.forward(hours=1)
    assert world.resolve()[0].state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_resolve_sends_nothing_and_plans_what_is_certainly_absent(world: World) -> None:
    world.connector.place_script = [raising(WriteOutcomeUnknown("no answer"))]
    world.record(note(1, 1), note(2, 2))
    world.deliver(limit=1)
    world.clock.forward(hours=1)
    (receipt,) = world.resolve()
    assert receipt.state is WriteState.PLANNED
    assert world.connector.there == []
    assert {one.state for one in world.deliver()} == {WriteState.CONFIRMED}
    assert sorted(world.connector.there) == ["note 1", "note 2"]


def test_a_worker_that_died_while_sending_leaves_an_unknown_command(world: World) -> None:
    world.record(note())
    (claim,) = world.store.claim_writes(CONNECTION, "worker-0", timedelta(minutes=10), 1)
    world.store.mark_sending(claim)
    world.connector.there.append("note 1")
    assert world.deliver() == (), "another worker has it"
    world.clock.forward(minutes=11)
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert world.connector.keys == [], "it was found, not sent"


def test_a_worker_that_died_before_sending_leaves_a_planned_command(world: World) -> None:
    world.record(note())
    world.store.claim_writes(CONNECTION, "worker-0", timedelta(minutes=10), 1)
    world.clock.forward(minutes=11)
    world.connector.find_script = [AssertionError("nobody needs to look")]
    assert world.deliver()[0].state is WriteState.CONFIRMED


def test_a_worker_that_lost_its_claim_reports_nothing(world: World) -> None:
    def taken_over(_write: PendingWrite) -> None:
        world.clock.forward(minutes=11)
        assert world.store.claim_writes(CONNECTION, "worker-2", timedelta(minutes=10), 1)

    world.connector.place_script = [taken_over]
    world.record(note())
    assert world.deliver() == ()
    world.clock.forward(minutes=11)
    assert world.deliver()[0].state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_a_claim_lost_before_sending_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record(note())
    monkeypatch.setattr(
        world.store, "mark_sending", lambda _claim: (_ for _ in ()).throw(LeaseLost("taken over"))
    )
    assert world.deliver() == ()
    assert world.connector.there == []


PASSING = [
    TransientError("down"),
    RateLimited("slow down", retry_after=timedelta(minutes=7)),
    StaleVersionError("busy"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_passing_failure_postpones(world: World, error: ARError) -> None:
    world.connector.place_script = [raising(error)]
    world.record(note())
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.PLANNED
    assert receipt.error is not None
    assert receipt.error["error"] == type(error).__name__
    assert world.deliver() == (), "it is not due yet"
    world.clock.forward(minutes=8)
    assert world.deliver()[0].state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_the_wait_grows_and_ends(world: World) -> None:
    world.record(note())
    waits: list[timedelta] = []
    while True:
        world.connector.place_script = [raising(TransientError("down"))]
        (receipt,) = world.deliver()
        if receipt.state is not WriteState.PLANNED:
            break
        due = world.store.rows[0].not_before
        assert due is not None
        waits.append(due - world.clock.now())
        world.clock.time = due
    assert receipt.state is WriteState.REJECTED
    assert len(waits) == RULES.max_attempts - 1
    assert waits == sorted(waits)
    assert waits[0] == RULES.first_delay
    assert waits[-1] == RULES.longest_delay
    assert sum(waits, timedelta()) > timedelta(hours=12)


def test_a_quota_ends_the_run_and_says_when_to_come_back(world: World) -> None:
    opens = world.clock.now() + timedelta(days=3)
    world.connector.place_script = [raising(QuotaExhausted("day limit", resume_at=opens))]
    world.record(note(1, 1), note(2, 2))
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.PLANNED
    assert world.store.rows[0].not_before == opens
    assert world.connector.keys == [world.store.rows[0].key], "the second one was not tried"
    world.clock.forward(days=4)
    assert [one.state for one in world.deliver()] == [WriteState.CONFIRMED] * 2


def test_a_platform_that_is_down_is_not_asked_for_every_command(world: World) -> None:
    world.connector.place_script = [raising(TransientError("down")) for _ in range(10)]
    world.record(*(note(number, number) for number in range(10)))
    assert len(world.deliver()) == RULES.failures_in_a_row


FINAL = [
    RejectedError("no"),
    NotFoundError("gone"),
    DuplicateError("twice"),
    PeriodClosedError("closed"),
    PermissionDenied("may not"),
    UnsupportedOperation("cannot"),
]


@pytest.mark.parametrize("error", FINAL, ids=lambda error: type(error).__name__)
def test_a_refusal_is_final_and_its_reason_is_kept(world: World, error: ARError) -> None:
    world.connector.place_script = [raising(error)]
    world.record(note(1, 1), note(2, 2))
    first, second = world.deliver()
    assert first.state is WriteState.REJECTED
    assert first.error is not None
    assert first.error["error"] == type(error).__name__
    assert second.state is WriteState.CONFIRMED, "the next command is not held up"


@pytest.mark.parametrize(
    "error",
    [AuthError("no"), ReauthorizationRequired("again"), ConfigurationError("wrong host")],
    ids=lambda error: type(error).__name__,
)
def test_what_a_person_must_mend_is_raised_and_nothing_is_lost(world: World, error: ARError) -> None:
    world.connector.place_script = [raising(error)]
    world.record(note(1, 1), note(2, 2))
    with pytest.raises(type(error)):
        world.deliver()
    assert [row.state for row in world.store.rows] == [WriteState.PLANNED] * 2
    assert [one.state for one in world.deliver()] == [WriteState.CONFIRMED] * 2


def test_an_answer_nobody_understands_is_looked_into(world: World) -> None:
    world.connector.after_script = [ContractError("not JSON")]
    world.record(note())
    assert world.deliver()[0].state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_a_defect_in_the_middle_of_a_call_is_raised_and_looked_into_later(world: World) -> None:
    world.connector.place_script = [raising(ZeroDivisionError("a defect"))]
    world.record(note())
    with pytest.raises(ZeroDivisionError):
        world.deliver()
    assert world.store.rows[0].state is WriteState.UNKNOWN


@pytest.mark.parametrize(
    "error", [AuthError("no"), ConfigurationError("wrong host")], ids=lambda error: type(error).__name__
)
def test_when_looking_needs_a_person_the_command_stays_unknown(world: World, error: ARError) -> None:
    world.connector.after_script = [WriteOutcomeUnknown("no answer")]
    world.connector.find_script = [error]
    world.record(note())
    with pytest.raises(type(error)):
        world.deliver()
    assert world.store.rows[0].state is WriteState.UNKNOWN


@pytest.mark.parametrize(
    "error",
    [
        QuotaExhausted("day limit"),
        RateLimited("slow"),
        PermissionDenied("may not read"),
        NotFoundError("gone"),
        ContractError("?"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_when_looking_fails_nothing_is_sent(world: World, error: ARError) -> None:
    world.connector.after_script = [WriteOutcomeUnknown("no answer")]
    world.connector.find_script = [error]
    world.record(note())
    (receipt,) = world.deliver()
    assert receipt.state is WriteState.UNKNOWN
    assert world.connector.there == ["note 1"]
    world.clock.forward(hours=5)
    assert world.deliver()[0].state is WriteState.CONFIRMED
    assert world.connector.there == ["note 1"]


def test_every_outcome_is_told_to_the_observer(world: World) -> None:
    world.connector.after_script = [WriteOutcomeUnknown("no answer")]
    world.record(note())
    world.deliver()
    assert [event.state for event in world.events if isinstance(event, WriteFinished)] == [
        "unknown",
        "confirmed",
    ]


def test_the_limit_counts_commands(world: World) -> None:
    world.record(*(note(number, number) for number in range(5)))
    assert len(world.deliver(limit=2)) == 2
    assert len(world.deliver()) == 3
