"""Commands that go together: the part that is done for all, and what each comes to when it fails, for all or for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from ar_connectors.connector import Connector, PendingWrite, Placement, PlacesTogether, StoreView
from ar_connectors.errors import (
    ARError,
    AuthError,
    LeaseLost,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.store.contract import WriteState
from ar_connectors.writeback import deliver, resolve
from ar_connectors.writeback.run import TOGETHER
from ar_core.commands import AddNote
from tests.writeback.memory import FakeClock, MemoryStore, Row
from tests.writeback.test_deliver import RULES, ScriptedConnector, World, note, raising

P, U, C, R = WriteState.PLANNED, WriteState.UNKNOWN, WriteState.CONFIRMED, WriteState.REJECTED


@dataclass
class Gathering(ScriptedConnector):
    """Opens a door for many in one go, and then lets each in. `shut`: raised instead of opening it, one by one."""

    opened: list[int] = field(default_factory=list)
    looked: list[int] = field(default_factory=list)
    shut: list[BaseException] = field(default_factory=list)
    apart: str = "apart"
    """Notes with this word go alone."""

    def together(self, write: PendingWrite) -> bool:
        return self.apart not in self._text(write)

    def place_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement]]]:
        self.opened.append(len(writes))
        if self.shut:
            raise self.shut.pop(0)
        return [partial(self.place, write, view) for write in writes]

    def find_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement] | None]]:
        self.looked.append(len(writes))
        if self.find_script:
            raise self.find_script.pop(0)
        return [partial(self.find, write, view) for write in writes]


@pytest.fixture
def world() -> World:
    clock = FakeClock()
    return World(clock, MemoryStore(clock), Gathering(), [])


def gathering(world: World) -> Gathering:
    assert isinstance(world.connector, PlacesTogether)
    return cast(Gathering, world.connector)


def text_of(row: Row) -> str:
    assert isinstance(row.command, AddNote)
    return row.command.text


def states(world: World) -> list[WriteState]:
    return [row.state for row in world.store.rows]


def test_as_many_as_fit_go_together_and_the_others_alone_in_their_order(world: World) -> None:
    world.record(*(note(number, number) for number in range(TOGETHER + 10)))
    receipts = world.deliver()
    assert gathering(world).opened == [TOGETHER, 10]
    assert world.connector.there == [f"note {number}" for number in range(TOGETHER + 10)]
    assert [one.state for one in receipts] == [C] * (TOGETHER + 10)


def test_what_does_not_go_together_is_not_marked_with_the_others(world: World) -> None:
    gathering(world).apart = "note 2"
    marked: list[list[str]] = []

    def look(_write: PendingWrite) -> None:
        marked.append([text_of(row) for row in world.store.rows if row.sending])

    world.connector.place_script = [look] * 4
    world.record(*(note(number, number) for number in (1, 2, 3, 4)))
    world.deliver()
    assert gathering(world).opened == [3]
    assert marked == [["note 1", "note 3", "note 4"], ["note 3", "note 4"], ["note 4"], ["note 2"]]


def test_one_alone_needs_no_gathering(world: World) -> None:
    world.record(note())
    world.deliver()
    assert gathering(world).opened == []
    assert states(world) == [C]


def test_all_are_marked_before_the_first_byte(world: World) -> None:
    gathering(world).shut = [ZeroDivisionError("a defect")]
    world.record(note(1, 1), note(2, 2))
    with pytest.raises(ZeroDivisionError):
        world.deliver()
    assert states(world) == [U, U]
    assert world.store.calls[:3] == ["claim", "mark", "mark"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (WriteOutcomeUnknown("no answer"), U),
        (RateLimited("slow", retry_after=timedelta(minutes=2)), P),
        (QuotaExhausted("day limit"), P),
        (TransientError("down"), P),
        (PermissionDenied("may not"), R),
        (LeaseLost("away too long"), U),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ARError) else str(value),
)
def test_what_fails_for_all_is_each_one_s_failure(world: World, error: ARError, state: WriteState) -> None:
    gathering(world).shut = [error]
    world.record(*(note(number, number) for number in range(5)))
    receipts = world.deliver()
    # What is unknown is looked for at once: nothing is there, but it may still arrive.
    assert gathering(world).looked == ([5] if state is U else [])
    assert len(receipts) == 5
    assert {one.state for one in receipts} == {state}
    assert {row.error["error"] for row in world.store.rows if row.error} <= {type(error).__name__}
    assert world.connector.there == []
    if state is not R:
        world.clock.forward(days=2)
        assert {one.state for one in world.deliver()} == {C}
        assert len(world.connector.there) == 5


def test_when_a_person_has_to_act_all_are_planned_and_the_error_is_raised(world: World) -> None:
    gathering(world).shut = [AuthError("no")]
    world.record(note(1, 1), note(2, 2), note(3, 3))
    with pytest.raises(AuthError):
        world.deliver()
    assert states(world) == [P, P, P]
    world.deliver()
    assert states(world) == [C, C, C]


def test_a_refusal_of_one_is_its_own(world: World) -> None:
    world.connector.place_script = [lambda _write: None, raising(PermissionDenied("may not"))]
    world.record(note(1, 1), note(2, 2), note(3, 3))
    world.deliver()
    assert states(world) == [C, R, C]


def test_a_quota_that_ends_among_them_leaves_those_behind_it_planned(world: World) -> None:
    """All that went out for them was answered: nothing is unknown."""
    opens = world.clock.now() + timedelta(hours=6)
    world.connector.place_script = [
        lambda _write: None,
        raising(QuotaExhausted("day limit", resume_at=opens)),
    ]
    world.record(*(note(number, number) for number in range(5)))
    assert [one.state for one in world.deliver()] == [C, P]
    assert states(world) == [C, P, P, P, P]
    world.clock.forward(hours=7)
    world.deliver()
    assert states(world) == [C] * 5
    assert len(set(world.connector.there)) == len(world.connector.there) == 5


def test_a_platform_that_is_down_among_them_is_not_asked_for_each(world: World) -> None:
    world.connector.place_script = [raising(TransientError("down")) for _ in range(10)]
    world.record(*(note(number, number) for number in range(10)))
    assert len(world.deliver()) == RULES.failures_in_a_row
    assert set(states(world)) == {P}


def test_a_stop_in_the_middle_of_one_leaves_that_one_unknown_and_the_rest_planned(world: World) -> None:
    world.connector.place_script = [lambda _write: None, raising(KeyboardInterrupt())]
    world.record(note(1, 1), note(2, 2), note(3, 3))
    with pytest.raises(KeyboardInterrupt):
        world.deliver()
    assert states(world) == [C, U, P]


def test_the_unknown_are_looked_for_together(world: World) -> None:
    gathering(world).shut = [WriteOutcomeUnknown("no answer")]
    world.record(*(note(number, number) for number in range(4)))
    world.deliver()
    world.clock.forward(hours=1)
    world.connector.there = ["note 1"]
    gathering(world).looked.clear()
    receipts = resolve(cast(Connector, world.connector), world.store, owner="r", clock=world.clock)
    assert gathering(world).looked == [4]
    assert len(receipts) == 4
    assert states(world) == [P, C, P, P]
    world.deliver()
    assert states(world) == [C] * 4
    assert sorted(world.connector.there) == [f"note {number}" for number in range(4)]


@pytest.mark.parametrize("error", [TransientError("down"), QuotaExhausted("day limit")])
def test_when_looking_fails_for_all_they_stay_unknown(world: World, error: ARError) -> None:
    gathering(world).shut = [WriteOutcomeUnknown("no answer")]
    world.record(note(1, 1), note(2, 2), note(3, 3))
    world.deliver()
    world.clock.forward(hours=1)
    world.connector.find_script = [error]
    world.deliver()
    assert set(states(world)) == {U}
    world.clock.forward(days=1)
    world.deliver()
    assert states(world) == [C] * 3


def test_one_that_another_worker_took_over_is_left_out(world: World) -> None:
    world.record(note(1, 1), note(2, 2), note(3, 3))

    def stolen(claim: Any) -> Any:
        if claim.write.command.text == "note 2":
            world.store.rows[1].fence += 1
        return real(claim)

    real = world.store.mark_sending
    world.store.mark_sending = stolen  # type: ignore[method-assign]
    receipts = world.deliver()
    assert gathering(world).opened == [2]
    assert [one.state for one in receipts] == [C, C]
    assert world.connector.there == ["note 1", "note 3"]


def test_too_late_to_send_is_left_for_the_next_run(world: World) -> None:
    world.record(note(1, 1), note(2, 2))
    receipts = deliver(
        cast(Connector, world.connector),
        world.store,
        owner="w",
        clock=world.clock,
        claim_ttl=RULES.settle,
    )
    assert receipts == ()
    assert states(world) == [P, P]
    assert gathering(world).opened == []
