"""Touches read into positions, caps and open questions, one by one (E10, E20, E26 to E29)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import ar_core as ar
from ar_core.cadence.facts import Subject
from ar_core.cadence.history import NO_HISTORY, History
from tests.cadence import books as b

DAY = timedelta(days=1)


def history(*touches: ar.Touch, zone: str = b.ZONE, **options: Any) -> History:
    return History(touches, b.as_of().instant, lambda at: at.astimezone(ZoneInfo(zone)).date(), **options)


def marks(found: History, subject: Subject) -> tuple[str, ...]:
    return found.marks.get(subject, ())


def covering(
    name: str = "t1", *covers: ar.Coverage, ago: int = 5, step: str | None = "first", **changes: Any
) -> ar.Touch:
    return b.touch(name, ago=ago, step=step, **changes).model_copy(update={"covers": covers})


def cover(name: str = "i1", step: str | None = "first", **changes: Any) -> ar.Coverage:
    return ar.Coverage(invoice_id=b.invoice_id(name), step=step, **changes)


ONE, TWO, THREE = (b.invoice_id(name) for name in ("i1", "i2", "i3"))


def test_touches_count_up_to_the_very_instant_and_in_their_order() -> None:
    now = b.as_of().instant
    at = [b.touch(f"t{n}", at=now + timedelta(seconds=n)) for n in (-2, 0, 1, -1)]
    assert [touch.id for touch in history(*at).touches] == ["local:t-2", "local:t-1", "local:t0"]
    same = [b.touch(name, ago=3) for name in ("z", "a")]
    assert [touch.id for touch in history(*same).touches] == ["local:a", "local:z"]


def test_the_day_of_a_touch_is_the_organizations() -> None:
    late = b.touch(at=b.as_of(b.TODAY - DAY, hour=22).instant)
    assert history(late).dated[0][0] == b.TODAY - DAY
    assert history(late, zone="UTC").dated[0][0] == b.TODAY
    assert history(late).last_contact == b.TODAY - DAY


@pytest.mark.parametrize(
    ("changes", "contact", "inbound"),
    [
        ({}, True, False),
        ({"intent": ar.Intent.QUESTION}, True, True),
        ({"intent": ar.Intent.OUT_OF_OFFICE}, True, False),
        ({"direction": ar.Direction.INBOUND}, False, True),
        ({"direction": ar.Direction.INBOUND, "intent": ar.Intent.QUESTION}, False, True),
        ({"direction": ar.Direction.INTERNAL, "channel": ar.Channel.INTERNAL}, False, False),
        ({"channel": ar.Channel.INTERNAL}, False, False),
        ({"direction": ar.Direction.INTERNAL}, False, False),
    ],
)
def test_e27_what_is_a_contact_and_what_did_the_customer_say(
    changes: dict[str, Any], contact: bool, inbound: bool
) -> None:
    found = history(b.touch(**changes))
    assert (bool(found.contacts), bool(found.inbound)) == (contact, inbound)
    assert (found.last_contact is not None) is contact


@pytest.mark.parametrize("outcome", list(ar.TouchOutcome))
def test_e29_what_failed_or_bounced_counts_only_where_that_is_wanted(outcome: ar.TouchOutcome) -> None:
    reached = outcome not in {ar.TouchOutcome.FAILED, ar.TouchOutcome.BOUNCED}
    attempt = covering("t1", cover(), outcome=outcome)
    assert bool(history(attempt).contacts) is reached
    assert history(attempt, count_failed=True).contacts
    assert bool(history(attempt).ambiguous) is (outcome is ar.TouchOutcome.AMBIGUOUS)
    through = reached and outcome is not ar.TouchOutcome.AMBIGUOUS
    assert marks(history(attempt), ONE) == (("first",) if through else ())
    assert history(attempt).attempts(ONE, "first") == 1, "tried it was in any case"
    failed = {(b.invoice_id(), "first"): b.TODAY - 5 * DAY} if outcome is ar.TouchOutcome.FAILED else {}
    assert history(attempt).failed == failed


def test_e29_an_attempt_that_comes_through_closes_what_failed_for_that_step_alone() -> None:
    failed = [
        covering(f"t{n}", cover(step=step), step=step, outcome=ar.TouchOutcome.FAILED, ago=9)
        for n, step in enumerate(("first", "demand"))
    ]
    again = covering("t9", cover(), ago=4)
    found = history(*failed, again)
    assert found.failed == {(b.invoice_id(), "demand"): b.TODAY - 9 * DAY}
    assert found.attempts(ONE, "first") == 2
    assert found.steps_done(ONE) == {"first": b.TODAY - 4 * DAY}
    other = covering("t9", cover("i2"), ago=4)
    assert (b.invoice_id(), "first") in history(*failed, other).failed


def test_e20_steps_are_marked_in_the_order_in_which_they_first_went_out() -> None:
    sent = [
        covering("t1", cover(), ago=9),
        covering("t2", cover(step="demand"), ago=8),
        covering("t3", cover(), ago=7),
    ]
    found = history(*sent)
    assert marks(found, ONE) == ("first", "demand")
    assert found.steps_done(ONE) == {
        "first": b.TODAY - 7 * DAY,
        "demand": b.TODAY - 8 * DAY,
    }
    assert (found.attempts(ONE, "first"), found.attempts(ONE, "call")) == (2, 0)
    assert (marks(found, TWO), found.steps_done(TWO), found.attempts(TWO, "first")) == ((), {}, 0)


def test_e20_what_is_only_listed_or_names_no_step_hides_nothing_behind_it() -> None:
    covers = (cover("i1", presence_only=True), cover("i2", None), cover("i3", "demand"))
    listed = covering("t1", *covers, step=None)
    found = history(listed)
    assert [marks(found, one) for one in (ONE, TWO, THREE)] == [(), (), ("demand",)]
    assert [found.attempts(one, "demand") for one in (ONE, TWO, THREE)] == [0, 0, 1]
    own = covering("t1", *covers, step="first")
    assert marks(history(own), TWO) == ("first",), "without a step of its own it is the touch's"
    assert history(own).steps_done(THREE) == {"demand": b.TODAY - 5 * DAY}
    failed = covering("t1", cover("i1"), cover("i2"), outcome=ar.TouchOutcome.FAILED)
    assert len(history(failed).failed) == 2


def test_e20_invoices_of_one_touch_are_marked_each_with_its_own_step() -> None:
    sent = covering("t1", cover("i1"), cover("i2", "demand"), cover("i3", "demand"))
    assert [marks(history(sent), one) for one in (ONE, TWO, THREE)] == [("first",), ("demand",), ("demand",)]


def test_e20_an_answer_between_two_contacts_hides_neither() -> None:
    answer = covering("t2", cover(), ago=6, direction=ar.Direction.INBOUND)
    sent = [covering("t1", cover(), ago=9), answer, covering("t3", cover(step="demand"), ago=5)]
    found = history(*sent)
    assert marks(found, ONE) == ("first", "demand")
    assert set(found.steps_done(ONE)) == {"first", "demand"}
    assert found.attempts(ONE, "first") == 1


def test_e10_a_touch_counts_for_the_due_date_it_was_about() -> None:
    moved: Subject = (ONE, 1)
    found = history(covering("t1", cover(due_version=1)), covering("t2", cover(step="demand")))
    assert (marks(found, moved), marks(found, ONE)) == (("first",), ("demand",))
    assert (list(found.steps_done(moved)), list(found.steps_done(ONE))) == (["first"], ["demand"])
    assert [found.attempts(i, "first") for i in (moved, ONE)] == [1, 0]


@pytest.mark.parametrize(
    ("covers", "bare"),
    [
        ((), True),
        ((cover(),), False),
        ((cover(step=None),), True),
        ((cover(presence_only=True),), True),
        ((cover(presence_only=True), cover("i2")), False),
    ],
)
def test_e28_a_key_without_an_invoice_and_its_step_is_bare(
    covers: tuple[ar.Coverage, ...], bare: bool
) -> None:
    touch = covering("t1", *covers, key="k1")
    answer = covering("t1", *covers, key="k1", direction=ar.Direction.INBOUND)
    assert history(touch).bare_keys is history(answer).bare_keys is bare
    assert history(touch).keys == {"k1": touch}
    assert history(covering("t1", *covers)).bare_keys is False
    assert history(answer.model_copy(update={"key": None})).bare_keys is False
    assert history(covering("t1", *covers)).keys == {}


def test_what_is_still_to_come_says_when() -> None:
    now = b.as_of().instant
    later = [b.touch(f"t{n}", at=now + timedelta(hours=n)) for n in (3, 2, -1)]
    found = history(*later)
    assert (found.next_at, len(found.touches)) == (now + timedelta(hours=2), 1)
    assert found.last_contact == b.TODAY, "what was read before it counts"
    assert history(later[2]).next_at is None


def test_e27_a_week_is_seven_days_that_end_on_the_day_by_channel_where_one_is_named() -> None:
    sent = [
        b.touch(f"t{n}", ago=n, channel=ar.Channel.VOICE if n == 6 else ar.Channel.EMAIL)
        for n in (8, 7, 6, 0)
    ]
    found = history(*sent)
    assert found.in_week(b.TODAY) == [b.TODAY - 6 * DAY, b.TODAY]
    assert found.in_week(b.TODAY, ar.Channel.VOICE) == [b.TODAY - 6 * DAY]
    assert found.in_week(b.TODAY - DAY)[0] == b.TODAY - 7 * DAY


def test_nobody_was_contacted_in_no_history() -> None:
    assert (NO_HISTORY.touches, NO_HISTORY.contacts, NO_HISTORY.last_contact) == ([], [], None)
    assert marks(NO_HISTORY, ONE) == ()
    assert NO_HISTORY.steps_done(ONE) == {}
