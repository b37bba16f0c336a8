"""The edge cases E31 to E45: what stops a contact, who is contacted, and how."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b

ACTION, WAIT, PAUSED, EXCLUDED = (
    ar.DispositionKind.ACTION,
    ar.DispositionKind.WAIT,
    ar.DispositionKind.PAUSED,
    ar.DispositionKind.EXCLUDED,
)
DAY = timedelta(days=1)


def at(text: str, zone: str = b.ZONE) -> ar.AsOf:
    return ar.AsOf(instant=datetime.fromisoformat(text).astimezone(UTC), zone=zone)


# ---- pauses


def test_e31_a_dispute_pauses_its_invoice_and_no_other() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), b.dispute())
    assert b.of(evaluation, "i1").code is Code.DISPUTED
    assert [c.invoice_id for c in b.only_touch(evaluation).covers] == [b.invoice_id("i2")]


def test_e31_r62_the_undisputed_rest_is_chased_when_the_amount_is_known() -> None:
    partial = b.dispute(disputed_amount=Decimal(30), currency="USD")
    assert b.only_touch(b.run(b.invoice(dpd=9), partial)).covers[0].amount_to_chase == 70
    whole = b.changed("balanced", pauses={"dispute_remainder": "pause"})
    assert b.of(b.run(b.invoice(dpd=9), partial, policy=whole)).code is Code.DISPUTED
    all_of_it = b.dispute(disputed_amount=Decimal(100), currency="USD")
    assert b.of(b.run(b.invoice(dpd=9), all_of_it)).code is Code.DISPUTED


@pytest.mark.parametrize(("ago", "code"), [(2, Code.DISPUTE_COOLING), (3, Code.STEP_DUE)])
def test_e31_after_a_dispute_nothing_is_sent_for_some_days(ago: int, code: Code) -> None:
    settled = b.dispute(ago=10, resolved_on=b.TODAY - timedelta(days=ago))
    assert b.of(b.run(b.invoice(dpd=9), settled)).code is code


def test_e32_a_promise_does_not_clear_a_dispute() -> None:
    assert b.of(b.run(b.invoice(dpd=9), b.dispute(ago=5), b.promise(given=1))).code is Code.DISPUTED


def test_e33_an_open_promise_pauses_what_it_covers_until_its_grace_is_over() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), b.promise(on=0))
    # Promised for Wednesday, two business days of grace: the first day after it is Saturday.
    assert (b.of(evaluation, "i1").code, b.of(evaluation, "i1").until) == (Code.PTP_OPEN, date(2026, 11, 28))
    assert b.of(evaluation, "i2").kind is ACTION


def test_e33_a_promise_may_pause_the_whole_customer() -> None:
    policy = b.changed("balanced", pauses={"promise_scope": "customer"})
    assert (
        b.of(b.run(b.invoice("i1", 9), b.invoice("i2", 9), b.promise(), policy=policy), "i2").code
        is Code.PTP_OPEN
    )


def test_e33_a_promised_part_leaves_the_rest_to_be_chased() -> None:
    part = b.promise(promised_amount=Decimal(40), currency="USD")
    assert b.only_touch(b.run(b.invoice(dpd=9), part)).covers[0].amount_to_chase == 60


def test_e35_after_two_promises_not_kept_a_person_takes_over() -> None:
    broken = [b.promise("a", on=-20, given=25), b.promise("b", on=-10, given=12)]
    relaxed = b.changed("balanced", overrides=[], pauses={"max_promises_not_kept": 2})
    assert b.only_touch(b.run(b.invoice(dpd=9), *broken, policy=relaxed)).actor == "human"
    assert b.only_touch(b.run(b.invoice(dpd=9), broken[0], policy=relaxed)).actor == "auto"


@pytest.mark.parametrize(("days", "task"), [(30, []), (31, ["approve_promise"])])
def test_e36_a_promise_too_far_away_needs_approval(days: int, task: list[str]) -> None:
    evaluation = b.run(b.invoice(dpd=9), b.promise(on=days - 2, given=2))
    assert b.of(evaluation).code is Code.PTP_OPEN
    assert b.tasks_of(evaluation) == task
    late = b.run(b.invoice(dpd=40), b.promise(on=30, given=31))
    assert (b.of(late).kind is ACTION) is True


def test_e36_an_approved_promise_pauses_to_its_end() -> None:
    records = [b.invoice(dpd=40), b.promise(on=30, given=31)]
    asked = next(a for a in b.run(*records).actions if a.task == "approve_promise")
    approved = b.touch_from(asked.record(b.NOON, ar.TouchOutcome.ANSWERED))
    evaluation = b.run(*records, approved)
    assert b.of(evaluation).code is Code.PTP_OPEN
    assert b.tasks_of(evaluation) == []


def test_e36_a_promise_in_the_last_stage_needs_approval() -> None:
    evaluation = b.run(b.invoice(dpd=80), b.promise())
    assert "approve_promise" in b.tasks_of(evaluation)
    assert b.of(evaluation).kind is ACTION


def away(until: int, said: int = 1, **changes: Any) -> ar.Touch:
    return b.touch(
        "ooo",
        ago=said,
        direction=ar.Direction.INBOUND,
        intent=ar.Intent.OUT_OF_OFFICE,
        until=b.TODAY + timedelta(days=until),
        **changes,
    )


def test_e37_somebody_who_is_away_is_waited_for_until_the_next_business_day() -> None:
    outcome = b.of(b.run(b.invoice(dpd=9), away(2)))  # away to Friday
    assert (outcome.code, outcome.until) == (Code.OUT_OF_OFFICE, date(2026, 11, 30))


def test_e37_another_contact_is_asked_instead() -> None:
    other = b.contact(name="other", role=ar.ContactRole.ACCOUNTS_PAYABLE)
    assert b.only_touch(b.run(b.invoice(dpd=9), b.contact(), other, away(2))).contact_id == other.id


def test_e37_nobody_is_waited_for_longer_than_allowed() -> None:
    assert b.of(b.run(b.invoice(dpd=20), away(30, said=13))).code is Code.OUT_OF_OFFICE
    assert b.of(b.run(b.invoice(dpd=20), away(30, said=14))).kind is ACTION


def away_without_a_day(said: int, **changes: Any) -> ar.Touch:
    return away(0, said, id=f"local:unnamed{said}", **changes).model_copy(update={"until": None})


@pytest.mark.parametrize(("said", "until"), [(0, 7), (1, 6), (4, 5), (6, 1), (7, None)])
def test_e37_who_names_no_day_is_away_for_a_week(said: int, until: int | None) -> None:
    outcome = b.of(b.run(b.invoice(dpd=9), away_without_a_day(said)))
    if until is None:
        assert outcome.kind is ACTION
    else:  # of four days ago: to Saturday, and Monday is the business day after it
        assert (outcome.code, outcome.until) == (Code.OUT_OF_OFFICE, b.TODAY + timedelta(days=until))


@pytest.mark.parametrize(
    ("longest", "said", "waits"),
    [(3, 2, True), (3, 3, False), (1, 0, True), (0, 0, False), (7, 6, True), (14, 7, False)],
)
def test_e37_and_never_longer_than_anybody_is_waited_for(longest: int, said: int, waits: bool) -> None:
    policy = b.changed("balanced", pauses={"max_ooo_days": longest})
    outcome = b.of(b.run(b.invoice(dpd=9), away_without_a_day(said), policy=policy))
    assert (outcome.code is Code.OUT_OF_OFFICE) is waits


def test_e37_a_note_without_a_day_does_not_shorten_what_is_known_but_prolongs_it() -> None:
    for known, until in ((8, date(2026, 12, 4)), (2, date(2026, 12, 1))):
        outcome = b.of(b.run(b.invoice(dpd=9), away(known, said=2), away_without_a_day(1)))
        assert (outcome.code, outcome.until) == (Code.OUT_OF_OFFICE, until), known
    # The day that is named later counts, though it comes sooner.
    later = b.of(b.run(b.invoice(dpd=9), away_without_a_day(2), away(0, said=1)))
    assert (later.code, later.until) == (Code.OUT_OF_OFFICE, date(2026, 11, 26))


def test_e37_somebody_else_is_asked_instead_of_who_named_no_day() -> None:
    other = b.contact(name="other", role=ar.ContactRole.ACCOUNTS_PAYABLE)
    found = b.run(b.invoice(dpd=9), b.contact(), other, away_without_a_day(1))
    assert b.only_touch(found).contact_id == other.id
    absent = away_without_a_day(1, contact_id=other.id)
    assert b.only_touch(b.run(b.invoice(dpd=9), b.contact(), other, absent)).contact_id == b.contact().id


def test_e37_an_absence_note_is_no_answer() -> None:
    note = away(-5, said=10)
    sent = b.touch(ago=40, step="first", covers=("i1",))
    assert b.run(b.invoice(dpd=60), sent, note).segments[0].rung == "finance_lead"


@pytest.mark.parametrize(("ago", "code"), [(6, Code.REPLY_PENDING), (7, Code.STEP_DUE)])
def test_e38_says_paid_is_verified_for_five_business_days(ago: int, code: Code) -> None:
    said = b.touch(ago=ago, direction=ar.Direction.INBOUND, intent=ar.Intent.SAYS_PAID, covers=("i1",))
    evaluation = b.run(b.invoice(dpd=14), said)
    assert b.of(evaluation).code is code
    assert "verify_payment" in b.tasks_of(evaluation)


def test_e38_a_wrong_contact_is_not_written_to_again() -> None:
    said = b.touch(ago=5, direction=ar.Direction.INBOUND, intent=ar.Intent.WRONG_CONTACT)
    other = b.contact(name="other")
    evaluation = b.run(b.invoice(dpd=9), b.contact(), other, said)
    assert b.only_touch(evaluation).contact_id == other.id
    assert "fix_contact" in b.tasks_of(evaluation)


def test_e39_an_order_hold_stops_nothing_and_may_be_mentioned_when_it_is_real() -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "clauses": ["order_hold"]}])
    real = b.only_touch(b.run(b.customer(order_hold=True), b.invoice(dpd=9), policy=policy))
    assert real.clauses == ("order_hold",)
    assert b.only_touch(b.run(b.customer(order_hold=False), b.invoice(dpd=9), policy=policy)).clauses == ()


@pytest.mark.parametrize(
    ("flag", "code"), [("legal_stop", Code.LEGAL_STOP), ("some_new_flag", Code.UNKNOWN_FLAG)]
)
def test_e40_a_legal_stop_and_a_flag_nobody_knows_stop_everything(flag: str, code: Code) -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 80), b.profile(flags=(flag,)))
    assert {d.code for d in evaluation.dispositions} == {code}
    assert [a.task for a in evaluation.actions] == ["legal_review"]


def test_e40_a_legal_stop_on_the_parent_covers_its_children_by_policy() -> None:
    records = [
        b.customer("c1", parent_id=b.customer_id("c2")),
        b.customer("c2"),
        b.profile("c2", flags=("legal_stop",)),
        b.invoice(dpd=9),
    ]
    assert b.of(b.run(*records)).code is Code.LEGAL_STOP
    policy = b.changed("balanced", pauses={"legal_stop_covers_children": False})
    assert b.of(b.run(*records, policy=policy)).kind is ACTION


def test_e41_a_refusal_holds_for_its_channel_alone() -> None:
    refused = b.profile(consents=(ar.Consent(channel=ar.Channel.EMAIL, granted=False),))
    policy = b.changed("balanced", steps=[{"id": "demand", "channels": ["email", "letter"]}])
    assert b.only_touch(b.run(b.invoice(dpd=9), refused, policy=policy)).channel is ar.Channel.LETTER
    stop = b.touch(ago=5, direction=ar.Direction.INBOUND, intent=ar.Intent.OPTED_OUT, channel=ar.Channel.SMS)
    assert b.only_touch(b.run(b.invoice(dpd=9), stop)).channel is ar.Channel.EMAIL


def test_e41_whoever_may_not_be_contacted_at_all_becomes_a_task() -> None:
    evaluation = b.run(b.invoice(dpd=9), b.profile(flags=("do_not_contact",)))
    assert b.of(evaluation).code is Code.DO_NOT_CONTACT
    assert b.tasks_of(evaluation) == ["review_do_not_contact"]
    refused = b.profile(consents=(ar.Consent(channel=ar.Channel.EMAIL, granted=False),))
    assert b.tasks_of(b.run(b.invoice(dpd=9), refused)) == ["get_contact"]


def test_e41_the_latest_word_on_a_channel_counts() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    for first, allowed in ((True, False), (False, True)):
        consents = (
            ar.Consent(channel=ar.Channel.EMAIL, granted=not first, at=late),
            ar.Consent(channel=ar.Channel.EMAIL, granted=first, at=early),
        )
        assert bool(b.touches_of(b.run(b.invoice(dpd=9), b.profile(consents=consents)))) is allowed


def test_e42_strategic_stays_human_in_fallback_and_catch_up() -> None:
    email_only = b.contact(phone=None, mobile=None)
    action = b.only_touch(b.run(b.invoice(dpd=40), email_only, value="strategic"))
    assert (action.channel, action.actor) == (ar.Channel.EMAIL, "human")


def test_e43_the_channels_of_a_step_are_walked_and_the_end_is_a_task() -> None:
    email_only = b.contact(phone=None, mobile=None)
    assert b.only_touch(b.run(b.invoice(dpd=22), email_only)).channel is ar.Channel.EMAIL
    nothing = b.contact(phone=None, mobile=None, email=None, postal=None)
    evaluation = b.run(b.invoice(dpd=22), nothing)
    assert b.of(evaluation).code is Code.NO_ADDRESS
    assert b.tasks_of(evaluation) == ["get_contact"]
    again = b.run(b.invoice(dpd=22), nothing, *b.logged(evaluation))
    assert b.tasks_of(again) == []


def test_e44_hours_and_caps_of_a_country_are_settings() -> None:
    policy = b.changed("balanced", clock={"not_before": "08:00:00", "not_after": "21:00:00"})
    action = b.only_touch(b.run(b.invoice(dpd=9), policy=policy))
    assert action.not_before == b.as_of(hour=8).instant
    assert action.not_after == b.as_of(hour=21).instant


@pytest.mark.parametrize(("ago", "allowed"), [(13, False), (14, True)])
def test_e45_a_step_may_ask_for_a_longer_silence_after_it(ago: int, allowed: bool) -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "min_gap_after": 14}])
    sent = b.touch(ago=ago, step="demand", covers=("i1",))
    outcome = b.of(b.run(b.invoice(dpd=30), sent, policy=policy))
    assert (outcome.kind is ACTION) is allowed
    if not allowed:
        assert outcome.code is Code.STEP_GAP
