"""A copy that was asked for and cannot go out today waits for its day, and no reminder overtakes it.

What went out answers whoever asked for it, and nobody else (R63, E27, E28, E29, E37, E48).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b

DAY = timedelta(days=1)
Code = ar.Code
CAPPED = b.changed("balanced", limits={"per_channel": {"email": 1}})
ASKED = b.touch(
    "asked", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",)
)
WROTE = b.touch("wrote", ago=3)
ONLY_EMAIL = b.contact(phone=None, mobile=None, postal=None)
AWAY = b.touch(
    "away",
    ago=0,
    at=b.as_of(hour=8).instant,
    direction=ar.Direction.INBOUND,
    intent=ar.Intent.OUT_OF_OFFICE,
    until=b.TODAY + 2 * DAY,
)


def said(evaluation: ar.Evaluation, name: str = "i1") -> tuple[Any, ...]:
    found = b.of(evaluation, name)
    days = None if found.until is None else (found.until - b.TODAY).days
    return str(found.kind), found.code, found.step, days


def test_r63_a_copy_waits_for_the_cap_of_its_channel_and_nobody_looks_for_another_address() -> None:
    records = [b.invoice("i1", 9), ONLY_EMAIL, ASKED, WROTE]
    evaluation = b.run(*records, policy=CAPPED)
    assert said(evaluation) == ("wait", Code.CHANNEL_CAP, "send_copy", 4)
    assert evaluation.actions == ()
    later = b.run(*records, policy=CAPPED, at=b.as_of(b.TODAY + 4 * DAY))
    assert [a.step for a in b.touches_of(later)] == ["send_copy"]


def test_e37_a_copy_waits_for_who_is_away() -> None:
    """Away until Friday: Monday is the next business day."""
    evaluation = b.run(b.invoice("i1", 9), ONLY_EMAIL, ASKED, AWAY)
    assert said(evaluation) == ("wait", Code.OUT_OF_OFFICE, "send_copy", 5)
    assert evaluation.actions == ()


@pytest.mark.parametrize("dpd", [9, 22])
def test_r63_no_reminder_overtakes_it_and_other_invoices_are_chased(dpd: int) -> None:
    """A call would have a way; only the invoice that was not asked about is called about."""
    records = [b.invoice("i1", dpd), b.invoice("i2", 25), b.contact(mobile=None, postal=None), ASKED, WROTE]
    evaluation = b.run(*records, policy=CAPPED)
    assert said(evaluation)[:3] == ("wait", Code.CHANNEL_CAP, "send_copy")
    assert [(a.step, [c.invoice_id for c in a.covers]) for a in b.touches_of(evaluation)] == [
        ("call", [b.invoice_id("i2")])
    ]


def test_it_is_looked_at_again_when_hours_change_and_a_trace_says_why() -> None:
    """Nothing else changes for an invoice that is due in a month; office hours end at five."""
    early = b.run(b.invoice("i1", -30), ONLY_EMAIL, ASKED, WROTE, policy=CAPPED)
    assert said(early) == ("wait", Code.CHANNEL_CAP, "send_copy", 4)
    assert early.next_change_at == b.as_of(hour=17).instant
    text = ar.explain(early, customer=b.customer_id())
    assert "\n  channels: none CHANNEL_CAP (step send_copy; codes CHANNEL_CAP" in text


def test_a_channel_that_is_closed_for_good_is_a_task() -> None:
    policy = b.changed("balanced", limits={"per_channel": {"email": 0}})
    evaluation = b.run(b.invoice("i1", -30), ONLY_EMAIL, ASKED, policy=policy)
    assert [a.task for a in evaluation.actions] == ["get_contact"]


# ---- until when it waits


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo", "Pacific/Honolulu"])
@pytest.mark.parametrize("days", range(1, 7))
def test_before_the_next_change_a_waiting_copy_still_waits(zone: str | None, days: int) -> None:
    """A cap ends with the day on which messages go out, which is at closing time before; an absence ends on the day after it."""
    reader = b.contact(phone=None, mobile=None, postal=None, time_zone=zone)
    away = b.profile(out_of_office=(ar.OutOfOffice(until=b.TODAY + days * DAY),))
    for why in (b.touch("wrote", ago=days), away):
        book = b.book(b.invoice("i1", -30), reader, ASKED, why)
        now = b.run(book, policy=CAPPED)
        assert said(now)[0] == "wait"
        while said(now)[0] == "wait":
            moment = now.next_change_at
            assert moment is not None
            before = ar.AsOf(instant=moment - timedelta(seconds=1), zone=b.ZONE)
            assert b.run(book, policy=CAPPED, at=before).dispositions == now.dispositions
            now = b.run(book, policy=CAPPED, at=ar.AsOf(instant=moment, zone=b.ZONE))


def test_a_reevaluation_sends_it_when_a_full_run_does() -> None:
    """On Friday at closing time the next messages go out on Monday, when the cap is over."""
    book = b.book(b.invoice("i1", -30), ONLY_EMAIL, ASKED, WROTE)
    first = b.run(book, policy=CAPPED)
    friday = b.as_of(b.TODAY + 2 * DAY, 17)
    again = ar.reevaluate(first, book, set(), friday)
    assert [a.step for a in again.actions] == ["send_copy"]
    assert again.dispositions == b.run(book, policy=CAPPED, at=friday).dispositions


def test_an_invoice_that_is_decided_about_keeps_that_answer_while_its_copy_waits() -> None:
    evaluation = b.run(b.invoice("i1", 80), ONLY_EMAIL, ASKED, WROTE, policy=CAPPED)
    (decision,) = evaluation.actions
    found = b.of(evaluation)
    assert said(evaluation)[:3] == ("action", Code.DECISION_REQUIRED, "decide")
    assert found.action_key == decision.key


# ---- what answers whom


def asks(name: str, *about: str, minutes: int = 0) -> ar.Touch:
    """A request at noon, today; about nothing: the whole account."""
    return b.touch(
        name,
        ago=0,
        at=b.as_of(hour=12).instant + timedelta(minutes=minutes),
        direction=ar.Direction.INBOUND,
        intent=ar.Intent.COPY_REQUESTED,
        covers=about,
    )


def copies(*records: Any, **options: Any) -> list[ar.Action]:
    return [a for a in b.run(*records, **options).actions if a.step == "send_copy"]


def covered(actions: list[ar.Action]) -> list[list[str]]:
    return [sorted(c.invoice_id.rsplit(":", 1)[1] for c in a.covers) for a in actions]


def sent(action: ar.Action, minutes: int = 10, outcome: str = "sent") -> ar.Touch:
    """It goes out so many minutes after noon."""
    at = b.as_of(hour=12).instant + timedelta(minutes=minutes)
    return b.touch_from(action.record(at, ar.TouchOutcome(outcome)))


ONE = b.as_of(hour=13)
TOMORROW = b.as_of(b.TODAY + DAY, 13)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("i1",), ("i1",), [["i1"]]),
        (("i1",), ("i1", "i2"), [["i1"], ["i2"]]),
        (("i1", "i2"), ("i2",), [["i1", "i2"]]),
        ((), ("i1",), [["i1", "i2"]]),
        (("i1",), (), [["i1"], ["i2"]]),
    ],
)
def test_r63_who_asks_twice_gets_one_copy_of_an_invoice(
    first: tuple[str, ...], second: tuple[str, ...], expected: list[list[str]]
) -> None:
    records = [b.invoice("i1", 9), b.invoice("i2", 8), asks("a1", *first), asks("a2", *second, minutes=1)]
    found = copies(*records, at=ONE)
    assert covered(found) == expected
    logged = [sent(action, minutes) for minutes, action in enumerate(found, 10)]
    assert copies(*records, *logged, at=ONE) == []
    left = copies(*records, *logged[:1], at=ONE)
    assert [a.key for a in left] == [a.key for a in found[1:]]


def test_r63_an_invoice_of_which_a_copy_goes_out_does_not_wait_for_another() -> None:
    """By its own address the second one can be sent, with the first; by letter nobody can be reached."""
    away = b.profile(out_of_office=(ar.OutOfOffice(until=b.TODAY + 2 * DAY),))
    evaluation = b.run(
        b.invoice("i1", 9),
        b.invoice("i2", 10, billing_email="x@example.com"),
        b.contact(email=None, phone=None, mobile=None),
        away,
        asks("a1", "i1", "i2"),
        asks("a2", "i1", minutes=1),
        at=ONE,
    )
    (copy,) = [a for a in evaluation.actions if a.step == "send_copy"]
    assert covered([copy]) == [["i1", "i2"]]
    assert said(evaluation)[:3] == ("action", Code.COPY_REQUESTED, "send_copy")
    assert b.of(evaluation).action_key == copy.key


def test_r63_the_copy_of_one_invoice_is_no_answer_to_who_asked_for_another() -> None:
    records = [b.invoice("i1", 9), b.invoice("i2", 9), asks("a1", "i1")]
    (planned,) = copies(*records, at=b.as_of(hour=12))
    second = asks("a2", "i2", minutes=5)
    (before,) = [a for a in copies(*records, second, at=ONE) if covered([a]) == [["i2"]]]
    (after,) = copies(*records, second, sent(planned), at=ONE)
    assert covered([after]) == [["i2"]]
    assert after.key == before.key
    assert copies(*records, second, sent(planned), sent(after, 30), at=ONE) == []


@pytest.mark.parametrize(("about", "names"), [((), ("i1",)), (("i2",), ())])
def test_r63_a_copy_that_a_person_sent_answers_where_one_of_both_names_no_invoice(
    about: tuple[str, ...], names: tuple[str, ...]
) -> None:
    by_hand = b.touch("t1", ago=0, at=ONE.instant, step="send_copy", covers=names)
    assert copies(b.invoice("i1", 9), b.invoice("i2", 9), asks("a1", *about), by_hand, at=ONE) == []


# ---- sellers, and failures


@pytest.mark.parametrize("about", [(), ("i1", "i2")])
def test_e48_a_copy_is_of_one_seller(about: tuple[str, ...]) -> None:
    one = b.invoice("i1", 9, subsidiary_id="s1")
    records = [one, b.invoice("i2", 8, subsidiary_id="s2"), asks("a1", *about)]
    later = b.invoice("i3", -1, subsidiary_id="s3")
    found = copies(*records, later, at=ONE)
    assert covered(found) == [["i1"], ["i2"]]
    assert [a.subsidiary_id for a in found] == ["s1", "s2"]
    assert len({a.key for a in found}) == 2
    first, second = found
    (left,) = copies(*records, later, sent(first), at=ONE)
    assert left.key == second.key
    for at in (ONE, TOMORROW, b.as_of(b.TODAY + 3 * DAY)):
        assert copies(*records, later, sent(first), sent(second), at=at) == []
        assert copies(*records[1:], later, sent(first), sent(second), at=at) == [], "the other is paid"
    together = b.changed("balanced", grouping={"split_by_subsidiary": False})
    assert covered(copies(*records, later, at=ONE, policy=together)) == [["i1", "i2"]]


def test_e29_a_copy_that_failed_is_tried_again_when_a_step_would_be() -> None:
    records = [b.invoice("i1", 9), asks("a1", "i1")]
    (planned,) = copies(*records, at=ONE)
    evaluation = b.run(*records, sent(planned, 10, "failed"), at=ONE)
    assert said(evaluation) == ("wait", Code.RETRY_BACKOFF, "send_copy", 1)
    assert evaluation.actions == ()
    (again,) = copies(*records, sent(planned, 10, "failed"), at=TOMORROW)
    assert again.key != planned.key
    (at_once,) = copies(*records, sent(planned, 10, "bounced"), at=ONE)
    assert at_once.channel == "letter"
    (other,) = copies(*records, b.invoice("i2", 9), asks("a2", "i2"), sent(planned, 10, "failed"), at=ONE)
    assert covered([other]) == [["i2"]]
    assert other.occurrence == 0
