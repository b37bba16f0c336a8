"""Tasks, copies, notices and rungs at their edges: their keys, who leads, what is told again, and what a copy leaves room for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.run import action_key
from tests.cadence import books as b

DAY = timedelta(days=1)
EMAIL, SMS, VOICE = ar.Channel.EMAIL, ar.Channel.SMS, ar.Channel.VOICE
FAILED, BOUNCED = ar.TouchOutcome.FAILED, ar.TouchOutcome.BOUNCED
DEPUTY = b.contact("c1", "deputy")


def key_of(evaluation: ar.Evaluation, what: str, subject: str, version: int = 0, occurrence: int = 0) -> str:
    family = evaluation.parts()[1].family
    return action_key(family, b.customer_id(), what, subject, version, occurrence)


def found_in(evaluation: ar.Evaluation, what: str) -> list[ar.Action]:
    return [action for action in evaluation.actions if what in {action.task, action.step}]


def said(intent: str, ago: int = 1, about: tuple[str, ...] = ("i1",), **changes: Any) -> ar.Touch:
    fields: dict[str, Any] = {"direction": ar.Direction.INBOUND, "covers": about, **changes}
    return b.touch("said", ago=ago, intent=ar.Intent(intent), **fields)


# ---- tasks


def test_e28_the_key_of_a_task_without_a_leading_invoice_has_no_due_version() -> None:
    evaluation = b.run(b.invoice("i1", 9, due_version=2), said("says_paid"))
    (task,) = found_in(evaluation, "verify_payment")
    assert task.key == key_of(evaluation, "task:verify_payment", "local:said")


@pytest.mark.parametrize(
    ("flag", "name"), [("legal_stop", "legal_review"), ("do_not_contact", "review_do_not_contact")]
)
def test_e28_e41_a_stop_is_reviewed_once_although_another_invoice_became_the_oldest(
    flag: str, name: str
) -> None:
    profile = b.profile(flags=(flag,))
    first = b.run(b.invoice("i1", 9), profile)
    (review,) = found_in(first, name)
    assert review.key == key_of(first, f"task:{name}", b.customer_id())
    assert b.tasks_of(b.run(b.invoice("i1", 9), b.invoice("i2", 40), profile, *b.logged(first))) == []


def test_r3_e28_the_key_of_a_dead_address_names_its_contact_and_channel_and_how_often_it_came_back() -> None:
    own, deputy = b.contact(), DEPUTY
    third = b.contact("c1", "third")
    dead = [
        b.touch("t1", ago=9, outcome=BOUNCED),
        b.touch("t2", ago=8, outcome=BOUNCED, contact_id=deputy.id),
    ]
    evaluation = b.run(b.invoice("i1", 9), own, deputy, third, *dead)
    assert [a.key for a in found_in(evaluation, "fix_contact")] == [
        key_of(evaluation, "task:fix_contact", f"{contact.id}:email") for contact in (own, deputy)
    ]
    again = (
        b.touch("t3", ago=7, outcome=ar.TouchOutcome.DELIVERED),
        b.touch("t4", ago=6, outcome=BOUNCED),
    )
    later = b.run(b.invoice("i1", 9), own, deputy, third, *dead, *again)
    assert found_in(later, "fix_contact")[0].key == key_of(
        later, "task:fix_contact", f"{own.id}:email", occurrence=1
    )


def test_r3_e28_the_key_of_a_dead_channel_of_nobody_names_the_customer() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.profile(bounced=(ar.BouncedChannel(channel=SMS),)))
    (told,) = found_in(evaluation, "fix_contact")
    assert told.key == key_of(evaluation, "task:fix_contact", f"{b.customer_id()}:sms")


def test_r3_an_address_that_was_changed_hides_no_other_dead_one() -> None:
    dead = [
        b.touch("t1", ago=9, outcome=BOUNCED, address="old@example.com"),
        b.touch("t2", ago=8, outcome=BOUNCED, channel=SMS),
    ]
    evaluation = b.run(b.invoice("i1", 9), b.contact(), DEPUTY, *dead)
    assert [a.content_requirements for a in found_in(evaluation, "fix_contact")] == [
        (f"contact:{b.contact().id}", "channel:sms")
    ]


def test_r3_the_dead_channels_of_a_contact_are_told_by_the_channel() -> None:
    own = b.contact()
    dead = tuple(ar.BouncedChannel(channel=channel, contact_id=own.id) for channel in (VOICE, EMAIL))
    evaluation = b.run(b.invoice("i1", 9), own, DEPUTY, b.profile(bounced=dead))
    told = [a.content_requirements[-1] for a in found_in(evaluation, "fix_contact")]
    assert told == ["channel:email", "channel:voice"]


def test_r3_of_who_owes_nothing_that_is_chased_no_address_is_asked_for() -> None:
    draft = b.invoice("i1", 9, document_status=ar.DocumentStatus.DRAFT)
    undated = b.invoice("i2", due_date=None)
    assert b.tasks_of(b.run(draft, undated, b.contact(), DEPUTY, b.touch(outcome=BOUNCED))) == []


# ---- R21: notices


def test_r21_two_notices_about_the_same_kind_of_customer_are_told_each_by_its_own_rule() -> None:
    notices = [
        {"id": f"past_{days}", "when": f"dpd >= {days} and country == 'US'", "to": ["boss"], "origin": "R21"}
        for days in (1, 20)
    ]
    evaluation = b.run(b.invoice("i1", 9), policy=b.changed("balanced", notices=notices))
    assert [a.task for a in evaluation.actions if a.code is Code.NOTIFY] == ["notice:past_1"]


# ---- C8, R44: the ladder


def rising(when: str = "overdue_invoices >= 0", **changes: Any) -> ar.Policy:
    rule = {"rung": "personal", "when": when, "origin": "test"}
    return b.changed("balanced", escalate=[rule], **changes)


@pytest.mark.parametrize(("dpd", "rung"), [(-1, "automated"), (0, "automated"), (1, "personal")])
def test_r44_the_first_rung_is_raised_from_the_first_day_past_due(dpd: int, rung: str) -> None:
    evaluation = b.run(b.invoice("i1", dpd), policy=rising())
    assert evaluation.segments[0].rung == rung
    assert len(found_in(evaluation, "rung:personal")) == (rung == "personal")


def test_e46_of_the_oldest_invoices_of_a_parent_and_its_child_the_smaller_id_leads() -> None:
    owners = [
        b.customer("c1"),
        b.customer("c2", parent_id=b.customer_id("c1"), bill_with_parent=True),
        b.invoice("i1", 9, "c2"),
    ]
    policy = rising(grouping={"collect_at": "bill_to"})
    both = b.run(*owners, b.invoice("i2", 9), policy=policy)
    (told,) = found_in(both, "rung:personal")
    assert told.lead_invoice_id == b.invoice_id("i1")
    older = b.run(*owners, b.invoice("i2", 9), b.invoice("i3", 9), policy=policy)
    assert found_in(older, "rung:personal")[0].lead_invoice_id == b.invoice_id("i1")


def test_c8_a_rung_that_was_told_for_an_invoice_is_not_told_again_when_it_comes_to_lead() -> None:
    first = b.run(b.invoice("i1", 9), b.invoice("i2", 3), policy=rising())
    (told,) = found_in(first, "rung:personal")
    assert told.lead_invoice_id == b.invoice_id("i1")
    after = b.run(b.invoice("i2", 3), b.touch_from(told.record(b.NOON)), policy=rising(), at=b.as_of(hour=13))
    assert after.segments[0].rung == "personal"
    assert found_in(after, "rung:personal") == []


# ---- R63: copies


def copy_of(evaluation: ar.Evaluation) -> ar.Action:
    (copy,) = found_in(evaluation, "send_copy")
    return copy


@pytest.mark.parametrize(
    "other",
    [
        {"step": "call", "ago": 1},
        {"step": "send_copy", "ago": 5},
        {"step": "send_copy", "ago": 3},
    ],
    ids=["another step after it", "a copy before it", "a copy of the same moment"],
)
def test_r63_e28_only_copies_after_a_request_are_attempts_to_answer_it(other: dict[str, Any]) -> None:
    tried = b.touch("tried", outcome=FAILED, covers=("i1",), **other)
    evaluation = b.run(b.invoice("i1", 9), said("copy_requested", ago=3), tried)
    copy = copy_of(evaluation)
    assert (copy.occurrence, copy.key) == (0, key_of(evaluation, "send_copy", "local:said"))


def test_r63_a_copy_of_the_same_moment_as_the_request_answers_an_earlier_one() -> None:
    sent = b.touch("sent", ago=3, step="send_copy", covers=("i1",))
    copy_of(b.run(b.invoice("i1", 9), said("copy_requested", ago=3), sent))


def test_r63_e28_e29_the_key_of_a_copy_counts_the_attempts_that_failed() -> None:
    tried = b.touch("tried", ago=1, step="send_copy", outcome=FAILED, covers=("i1",))
    evaluation = b.run(b.invoice("i1", 9), said("copy_requested", ago=3), tried)
    copy = copy_of(evaluation)
    assert (copy.occurrence, copy.key) == (1, key_of(evaluation, "send_copy", "local:said", occurrence=1))


def test_r63_e28_a_copy_on_record_by_its_key_alone_leaves_room_for_the_reminder() -> None:
    records = [b.invoice("i1", 9), b.invoice("i2", 9), said("copy_requested", ago=5)]
    copy = copy_of(b.run(*records))
    by_hand = b.touch(
        "by_hand", ago=0, key=copy.key, direction=ar.Direction.INTERNAL, channel=ar.Channel.INTERNAL
    )
    after = b.run(*records, by_hand, at=b.as_of(hour=13))
    assert [a.step for a in b.touches_of(after)] == ["demand"]


def test_r63_a_copy_that_went_out_after_the_request_leaves_room_for_the_reminder() -> None:
    sent = b.touch("sent", ago=4, step="send_copy", covers=("i1",))
    after = b.run(b.invoice("i1", 9), said("copy_requested", ago=5), sent)
    assert [a.step for a in b.touches_of(after)] == ["demand"]


def test_r63_a_request_about_what_is_paused_leaves_room_for_the_reminder_about_the_rest() -> None:
    records = [b.invoice("i1", 9), b.invoice("i2", 9), b.dispute(), said("copy_requested", ago=5)]
    assert [a.step for a in b.touches_of(b.run(*records))] == ["demand"]


def test_r63_e27_a_copy_keeps_to_what_a_channel_may_carry_in_a_week() -> None:
    policy = b.changed("balanced", limits={"per_channel": {"email": 1}})
    request = said("copy_requested", ago=1)
    mailed = b.touch("mailed", ago=2)
    assert copy_of(b.run(b.invoice("i1", 9), request, policy=policy)).channel is EMAIL
    assert copy_of(b.run(b.invoice("i1", 9), request, mailed, policy=policy)).channel is ar.Channel.LETTER


def test_r69_r63_a_copy_names_the_rung_of_the_account() -> None:
    assert copy_of(b.run(b.invoice("i1", 9), said("copy_requested"), policy=rising())).rung == "personal"
    calm = rising("overdue_invoices >= 5")
    assert copy_of(b.run(b.invoice("i1", 9), said("copy_requested"), policy=calm)).rung == "automated"


def test_r33_r63_where_a_copy_goes_out_it_is_what_the_status_says_comes_next() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 30), said("copy_requested", ago=4))
    assert b.of(evaluation, "i2").step == "call", "the oldest waits for the next run"
    standing = evaluation.parts()[0][b.customer_id()].status
    assert standing is not None
    assert (standing.step, standing.step_on) == ("send_copy", None)


# ---- what an action names, and what stops an invoice


def test_e20_an_invoice_without_a_step_is_only_listed_and_one_with_a_step_is_not() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), said("says_paid"), b.dispute(about="i2"))
    (task,) = found_in(evaluation, "verify_payment")
    assert [(c.step, c.presence_only) for c in task.covers] == [(None, True)]
    (copy,) = found_in(b.run(b.invoice("i1", 9), said("copy_requested")), "send_copy")
    assert [(c.step, c.presence_only) for c in copy.covers] == [("send_copy", False)]


@pytest.mark.parametrize(("ago", "paused"), [(1, True), (0, True), (-1, False)])
def test_e31_a_dispute_stops_an_invoice_from_the_day_it_is_opened(ago: int, paused: bool) -> None:
    answer = b.of(b.run(b.invoice("i1", 9), b.dispute(ago=ago)))
    assert (answer.code is Code.DISPUTED) is paused
