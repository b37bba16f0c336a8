"""Dead addresses are reported once and heal, who is away is not silent, and hours are those of who is written to (R3, E29, E37, E2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.evaluation import Evaluation
from tests.cadence import books as b

DAY = timedelta(days=1)
IN, OUT = ar.Direction.INBOUND, ar.Direction.OUTBOUND
EMAIL, SMS, VOICE, LETTER = ar.Channel.EMAIL, ar.Channel.SMS, ar.Channel.VOICE, ar.Channel.LETTER
BOUNCED = ar.TouchOutcome.BOUNCED
DEPUTY = b.contact(name="deputy", role=ar.ContactRole.ACCOUNTS_PAYABLE)


def bounced(ago: int = 5, **changes: Any) -> ar.Touch:
    return b.touch("bounced", ago=ago, outcome=BOUNCED, **changes)


def away(until: int, said: int, **changes: Any) -> ar.Touch:
    """A note, `said` days ago, that somebody is away to the day `until` days from today."""
    fields = {"direction": IN, "intent": ar.Intent.OUT_OF_OFFICE, **changes}
    return b.touch(f"away{said}", ago=said, until=b.TODAY + until * DAY, **fields)


def tasks(evaluation: Evaluation, task: str = "fix_contact") -> list[ar.Action]:
    return [action for action in evaluation.actions if action.task == task]


# ---- a dead address is told once


def test_r3_a_dead_address_is_reported_although_somebody_else_is_reached() -> None:
    evaluation = b.run(b.invoice(dpd=9), b.contact(), DEPUTY, bounced())
    assert b.only_touch(evaluation).contact_id == DEPUTY.id
    (told,) = tasks(evaluation)
    assert (told.code, told.kind, told.channel) == (
        Code.FIX_CONTACT,
        ar.ActionKind.INTERNAL,
        ar.Channel.INTERNAL,
    )
    assert told.content_requirements == (f"contact:{b.contact().id}", "channel:email")


def test_r3_it_is_reported_before_the_next_message_falls_due() -> None:
    evaluation = b.run(b.invoice(dpd=-20), b.contact(), bounced())
    assert not b.touches_of(evaluation)
    assert len(tasks(evaluation)) == 1


def test_r3_it_is_reported_once() -> None:
    records = [b.invoice(dpd=9), b.contact(), DEPUTY, bounced(), bounced(ago=4, id="local:again")]
    first = b.run(*records)
    assert len(tasks(first)) == 1
    on_record = b.touch_from(tasks(first)[0].record(b.NOON))
    assert tasks(b.run(*records, on_record)) == []


def test_r3_what_only_the_profile_knows_to_be_dead_is_reported_too_and_under_the_same_key() -> None:
    profile = b.profile(bounced=(ar.BouncedChannel(channel=EMAIL, contact_id=b.contact().id),))
    told = tasks(b.run(b.invoice(dpd=9), b.contact(), DEPUTY, profile))
    assert [a.key for a in told] == [
        a.key for a in tasks(b.run(b.invoice(dpd=9), b.contact(), DEPUTY, bounced()))
    ]
    both = b.run(b.invoice(dpd=9), b.contact(), DEPUTY, profile, bounced())
    assert [a.key for a in tasks(both)] == [a.key for a in told]


def test_r3_where_nobody_is_left_the_task_to_find_a_contact_says_it() -> None:
    assert b.tasks_of(b.run(b.invoice(dpd=9), bounced())) == ["get_contact"]


def test_r3_several_dead_addresses_are_told_one_by_one_and_by_contact() -> None:
    dead = (
        ar.BouncedChannel(channel=SMS),
        ar.BouncedChannel(channel=EMAIL, contact_id=b.contact().id),
        ar.BouncedChannel(channel=VOICE, contact_id=b.contact().id),
    )
    found = tasks(b.run(b.invoice(dpd=9), b.contact(), DEPUTY, b.profile(bounced=dead)))
    owner = f"contact:{b.contact().id}"
    assert [a.content_requirements for a in found] == [
        ("channel:sms",),
        (owner, "channel:email"),
        (owner, "channel:voice"),
    ]


def test_r3_e40_a_stopped_account_and_one_that_owes_nothing_raise_no_such_task() -> None:
    stopped = b.profile(flags=("legal_stop",))
    assert tasks(b.run(b.invoice(dpd=9), b.contact(), DEPUTY, stopped, bounced())) == []
    undated = b.invoice(due_date=None)
    assert tasks(b.run(undated, b.contact(), DEPUTY, bounced())) == []


# ---- and it heals


@pytest.mark.parametrize(
    ("later", "heals"),
    [
        ({"outcome": ar.TouchOutcome.DELIVERED}, True),
        ({"outcome": ar.TouchOutcome.ANSWERED}, True),
        ({"outcome": ar.TouchOutcome.LEFT_MESSAGE}, True),
        ({"outcome": ar.TouchOutcome.SENT}, False),
        ({"outcome": ar.TouchOutcome.NO_ANSWER}, False),
        ({"outcome": BOUNCED}, False),
        ({"outcome": ar.TouchOutcome.AMBIGUOUS, "direction": IN}, False),
        ({"outcome": ar.TouchOutcome.FAILED, "direction": IN}, False),
        ({"direction": IN}, True),
        ({"direction": IN, "outcome": BOUNCED}, False),
        ({"direction": IN, "channel": SMS}, False),
        ({"direction": IN, "contact_id": DEPUTY.id}, False),
        ({"direction": ar.Direction.INTERNAL, "outcome": ar.TouchOutcome.DELIVERED}, False),
    ],
)
def test_e29_a_dead_address_lives_again_once_something_gets_through_there(
    later: dict[str, Any], heals: bool
) -> None:
    records = [b.invoice(dpd=9), b.contact(), DEPUTY, bounced(ago=9), b.touch("later", ago=6, **later)]
    evaluation = b.run(*records)
    reached = {t.contact_id for t in b.touches_of(evaluation)}
    if later.get("outcome") is not ar.TouchOutcome.AMBIGUOUS or heals:
        assert (b.contact().id in reached) is heals
    assert bool(tasks(evaluation)) is not heals
    assert (Code.CONTACT_STALE in {s.code for s in evaluation.signals}) is not heals


def test_e29_what_got_through_before_the_bounce_heals_nothing() -> None:
    before = b.touch("before", ago=12, outcome=ar.TouchOutcome.DELIVERED)
    assert len(tasks(b.run(b.invoice(dpd=9), b.contact(), DEPUTY, before, bounced(ago=9)))) == 1


def test_e29_a_bounce_of_nobody_in_particular_heals_with_anything_that_gets_through_on_the_channel() -> None:
    nobody = bounced(ago=9, contact_id=None)
    records = [b.invoice(dpd=9), b.contact(), nobody]
    assert not b.touches_of(b.run(*records))
    reply = b.touch("reply", ago=6, direction=IN)
    assert b.only_touch(b.run(*records, reply)).contact_id == b.contact().id


@pytest.mark.parametrize(("at", "heals"), [(None, False), (9, True), (6, True), (5, False)])
def test_e29_a_bounce_of_the_profile_heals_only_where_its_day_is_known(at: int | None, heals: bool) -> None:
    since = None if at is None else b.as_of(b.TODAY - at * DAY).instant
    profile = b.profile(bounced=(ar.BouncedChannel(channel=EMAIL, contact_id=b.contact().id, at=since),))
    reply = b.touch("reply", ago=6, direction=IN)
    assert bool(b.touches_of(b.run(b.invoice(dpd=9), profile, reply))) is heals


def test_r3_a_bounce_is_of_its_address_and_not_of_the_one_that_took_its_place() -> None:
    old = bounced(address="old@example.com")
    evaluation = b.run(b.invoice(dpd=9), b.contact(), old)
    assert b.only_touch(evaluation).address == "c1@example.com"
    assert b.tasks_of(evaluation) == []
    same = b.run(b.invoice(dpd=9), b.contact(), bounced(address="C1@Example.com"))
    assert (b.of(same).code, b.tasks_of(same)) == (Code.NO_ADDRESS, ["get_contact"])


def test_r3_a_new_address_that_bounces_too_is_reported_again() -> None:
    old, new = bounced(ago=9, address="old@example.com"), b.touch("new", ago=5, outcome=BOUNCED)
    records = [b.invoice(dpd=9), b.contact(), DEPUTY]
    first = tasks(b.run(*records, old, b.contact().model_copy(update={"id": "x"})))
    assert first == []  # nobody has that address any more
    known = tasks(b.run(*records, bounced(ago=9, address="c1@example.com")))
    again = tasks(b.run(*records, old, new.model_copy(update={"address": "c1@example.com"})))
    assert len(known) == len(again) == 1
    assert known[0].key != again[0].key


def test_r3_an_address_that_died_again_after_it_was_mended_is_reported_again() -> None:
    records = [b.invoice(dpd=20), b.contact(), DEPUTY, bounced(ago=15)]
    mended = b.touch("reply", ago=12, direction=IN)
    again = b.touch("again", ago=6, outcome=BOUNCED)
    assert tasks(b.run(*records, mended)) == []
    (first,), (second,) = tasks(b.run(*records)), tasks(b.run(*records, mended, again))
    assert first.key != second.key


def test_r3_two_bounces_in_a_row_are_one_report_and_one_that_healed_counts_whoever_told_of_it() -> None:
    records = [b.invoice(dpd=20), b.contact(), DEPUTY]
    reply, again = b.touch("reply", ago=12, direction=IN), b.touch("again", ago=6, outcome=BOUNCED)
    (once,), (twice,) = (
        tasks(b.run(*records, bounced(ago=15))),
        tasks(b.run(*records, bounced(ago=15), again)),
    )
    assert once.key == twice.key
    since = b.as_of(b.TODAY - 15 * DAY).instant
    profile = b.profile(bounced=(ar.BouncedChannel(channel=EMAIL, contact_id=b.contact().id, at=since),))
    (told,) = tasks(b.run(*records, profile, reply, again))
    (heard,) = tasks(b.run(*records, bounced(ago=15), reply, again))
    assert told.key == heard.key != once.key


def test_r3_what_got_through_at_another_address_heals_nothing() -> None:
    dead = bounced(ago=9, address="c1@example.com")
    elsewhere = b.touch("later", ago=6, outcome=ar.TouchOutcome.DELIVERED, address="old@example.com")
    assert len(tasks(b.run(b.invoice(dpd=20), b.contact(), DEPUTY, dead, elsewhere))) == 1


@pytest.mark.parametrize("channel", [ar.Channel.INTERNAL, EMAIL])
def test_r3_a_notice_to_our_own_people_that_came_back_kills_no_address_of_the_customer(
    channel: ar.Channel,
) -> None:
    notice = b.touch(
        "t1", ago=9, outcome=BOUNCED, contact_id=None, channel=channel, direction=ar.Direction.INTERNAL
    )
    found = b.run(b.invoice("i1", 9), notice)
    assert b.only_touch(found).channel is EMAIL
    assert b.tasks_of(found) == []


def test_e28_an_action_on_record_says_where_it_went() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=9)))
    assert action.record(b.NOON).address == action.address == "c1@example.com"


def test_a_command_without_an_address_keeps_the_hash_it_had_before_there_was_one() -> None:
    told = b.only_touch(b.run(b.invoice(dpd=9))).record(b.NOON, address=None)
    assert "address" not in told.model_dump(exclude_none=True)
    assert told.content_hash != told.model_copy(update={"address": "x@example.com"}).content_hash
    fields = told.model_dump(mode="json", exclude={"key", "address"})
    import hashlib
    import json

    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert told.content_hash == hashlib.sha256(text.encode()).hexdigest()


# ---- who is away is not silent


def rung(*records: Any, **options: Any) -> str:
    return str(b.run(b.invoice(dpd=60), *records, **options).segments[0].rung)


SENT = b.touch("sent", ago=10, step="letter", covers=("i1",))


@pytest.mark.parametrize(("until", "expected"), [(1, "automated"), (0, "automated"), (-1, "finance_lead")])
def test_e37_silence_begins_on_the_day_after_the_absence(until: int, expected: str) -> None:
    assert rung(SENT, away(until, said=10)) == expected
    assert rung(SENT) == "finance_lead"


def test_e37_an_absence_ends_the_silence_no_longer_than_anybody_is_waited_for() -> None:
    sent = b.touch("sent", ago=20, step="letter", covers=("i1",))
    assert rung(sent, away(30, said=13)) == "automated"
    assert rung(sent, away(30, said=14)) == "finance_lead"
    shorter = b.changed("balanced", pauses={"max_ooo_days": 5})
    assert rung(sent, away(30, said=5), policy=shorter) == "finance_lead"


def test_e37_an_absence_in_the_profile_counts_as_one_that_was_told() -> None:
    absent = ar.OutOfOffice(until=b.TODAY, contact_id=b.contact().id)
    assert rung(SENT, b.profile(out_of_office=(absent,))) == "automated"
    assert (
        rung(SENT, b.profile(out_of_office=(absent.model_copy(update={"contact_id": None}),))) == "automated"
    )


def test_e37_the_silence_of_somebody_else_who_was_written_to_counts() -> None:
    other = b.touch("other", ago=9, step="letter", covers=("i1",), contact_id=DEPUTY.id)
    people = [b.contact(), DEPUTY]
    assert rung(*people, SENT, other, away(3, said=9)) == "finance_lead"
    assert rung(*people, SENT, other, away(3, said=9), away(3, said=8, contact_id=DEPUTY.id)) == "automated"


def test_e37_an_absence_of_somebody_unnamed_is_of_whoever_was_written_to_without_a_name() -> None:
    unnamed = SENT.model_copy(update={"contact_id": None})
    note = away(3, said=9, contact_id=None)
    assert rung(b.contact(), DEPUTY, unnamed, note) == "automated"
    assert rung(b.contact(), DEPUTY, SENT, note) == "finance_lead"
    former = DEPUTY.model_copy(update={"is_active": False})
    assert rung(b.contact(), former, SENT, note) == "automated"  # nobody else is left


def test_e37_age_and_a_broken_promise_escalate_whoever_is_away() -> None:
    assert str(b.run(b.invoice(dpd=90), SENT, away(3, said=9)).segments[0].rung) == "finance_lead"
    assert rung(SENT, away(3, said=9), b.promise(on=-20, given=25)) == "finance_lead"


def test_e37_the_end_of_the_absence_is_a_day_on_which_the_result_may_change() -> None:
    paused = b.dispute(about="i2", ago=1)
    evaluation = b.run(
        b.invoice(dpd=60), b.invoice("i2", 9), paused, SENT, away(3, said=9), policy=_only_late()
    )
    assert evaluation.next_change_at is not None
    assert evaluation.next_change_at <= b.as_of(b.TODAY + 4 * DAY, 0).instant


def _only_late() -> ar.Policy:
    """Nothing goes out, so that nothing but the rung can change."""
    steps = [{"id": s.id, "enabled": False} for s in b.policy_of("balanced").steps if s.id != "decide"]
    return b.changed("balanced", steps=[*steps, {"id": "decide", "at": 500, "window": [500, 500]}])


# ---- hours are those of who is written to


TOKYO = "Asia/Tokyo"
EVENING = b.as_of(b.TODAY, 20)
"""In New York, a Wednesday; in Tokyo it is ten on Thursday, in Berlin two on Thursday."""


def test_e2_r35_the_hours_are_those_of_the_contact_who_takes_over() -> None:
    away_now = away(3, said=1)
    clerk = b.contact(time_zone=TOKYO)
    deputy = DEPUTY.model_copy(update={"time_zone": "Europe/Berlin"})
    action = b.only_touch(b.run(b.invoice(dpd=9), clerk, deputy, away_now, at=EVENING))
    assert action.contact_id == deputy.id
    assert action.not_before == datetime(2026, 11, 26, 8, tzinfo=UTC)  # nine in Berlin
    assert action.not_after == datetime(2026, 11, 26, 16, tzinfo=UTC)
    there = b.only_touch(b.run(b.invoice(dpd=9), clerk, deputy, at=EVENING))
    assert there.contact_id == clerk.id
    assert there.not_before == datetime(2026, 11, 26, 0, tzinfo=UTC)  # nine in Tokyo, an hour ago


def head(zone: str | None) -> ar.Contact:
    return b.contact(
        name="head", role=ar.ContactRole.DEPARTMENT_HEAD, time_zone=zone, phone=None, mobile=None
    )


def to_the_head(**changes: Any) -> ar.Policy:
    step = {"id": "demand", "audience": "department_head", **changes}
    return b.changed("balanced", steps=[step])


def test_e2_r35_the_hours_are_those_of_whom_the_step_is_for() -> None:
    clerk = b.contact(time_zone=TOKYO)
    action = b.only_touch(
        b.run(b.invoice(dpd=9), clerk, head("Europe/Berlin"), policy=to_the_head(), at=EVENING)
    )
    assert action.contact_id == head(None).id
    assert action.not_before == datetime(2026, 11, 26, 8, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "due"), [("Pacific/Honolulu", True), (None, False)])
def test_e5_whether_a_window_is_still_open_is_asked_of_who_is_written_to(zone: str | None, due: bool) -> None:
    """The step ends today. It is 20 o'clock in New York: too late there, and 15 in Honolulu."""
    policy = to_the_head(window=[8, 9])
    evaluation = b.run(
        b.invoice(dpd=9),
        b.contact(time_zone="Pacific/Honolulu"),
        head(zone),
        policy=policy,
        at=EVENING,
    )
    outcome = b.of(evaluation)
    assert (outcome.kind is ar.DispositionKind.ACTION) is due, outcome
    if not due:
        assert outcome.code is Code.WINDOW_MISSED


def test_e2_the_result_may_change_with_the_hours_of_both() -> None:
    """Thirteen in Honolulu opens in six hours for the head; New York's day, on which the first look rested, ends in four."""
    evaluation = b.run(b.invoice(dpd=9), b.contact(), head("Asia/Tokyo"), policy=to_the_head(), at=EVENING)
    assert evaluation.next_change_at == b.as_of(b.TODAY + DAY, 0).instant


def test_e2_r63_a_copy_goes_out_in_the_hours_of_who_gets_it() -> None:
    asked = b.touch("asked", ago=1, direction=IN, intent=ar.Intent.COPY_REQUESTED, covers=("i1",))
    deputy = DEPUTY.model_copy(update={"time_zone": "Europe/Berlin"})
    clerk = b.contact(time_zone=TOKYO, email=None, mobile=None, postal=None)
    action = b.only_touch(b.run(b.invoice(dpd=9), clerk, deputy, asked, at=EVENING))
    assert (action.step, action.contact_id) == ("send_copy", deputy.id)
    assert action.not_before == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_e2_the_policy_may_keep_its_own_hours_for_all() -> None:
    policy = b.changed("balanced", clock={"contact_zone": ["org"]})
    action = b.only_touch(b.run(b.invoice(dpd=9), b.contact(time_zone=TOKYO), policy=policy, at=EVENING))
    assert action.not_before == b.as_of(b.TODAY + DAY, 9).instant


def test_e2_without_any_contact_the_customers_zone_counts() -> None:
    postal = b.customer(time_zone=TOKYO, billing_address=ar.Address(lines=("1 Street",), city="Town"))
    nobody = b.contact(email=None, phone=None, mobile=None, postal=None, time_zone="Europe/Berlin")
    policy = b.changed("balanced", steps=[{"id": "demand", "channels": ["letter"]}])
    action = b.only_touch(b.run(b.invoice(dpd=9), postal, nobody, policy=policy, at=EVENING))
    assert (action.contact_id, action.channel) == (None, LETTER)
    assert action.not_before == datetime(2026, 11, 26, 0, tzinfo=UTC)


def test_e37_dates_of_two_notes_are_those_of_the_company() -> None:
    """Said at 23:30 in New York: its day there is the day before the one in UTC."""
    late = away(30, said=13, at=b.as_of(b.TODAY - 14 * DAY, 23).instant)
    assert b.of(b.run(b.invoice(dpd=20), late)).code is not Code.OUT_OF_OFFICE
    assert date(2026, 11, 25) == b.TODAY
