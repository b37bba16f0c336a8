"""One record after another: what does not count hides nothing that follows, and what stops is named by its record."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b
from tests.cadence.test_pauses_in_detail import on, part, pause, said

DAY = timedelta(days=1)


def stops(*records: Any, **options: Any) -> list[tuple[str, str | None, Any]]:
    """Code, record and end of everything that stops the invoices i1 and i2."""
    found = b.run(b.invoice("i1", 9), b.invoice("i2", 9), *records, **options).pauses
    return [(p.code.value, p.record_id, p.until) for p in found]


# ---- what does not count hides nothing


@pytest.mark.parametrize(
    "other",
    [
        pause("p0", lifted_on=b.TODAY),
        pause("p0", end=-1),
        pause("p0", start=2, end=9),
        pause("p0", about="unknown"),
    ],
)
def test_e31_a_pause_that_does_not_hold_hides_none_that_does(other: ar.Pause) -> None:
    assert stops(other, pause("p1", about="i1")) == [("PAUSED", "local:p1", on(4))]


@pytest.mark.parametrize(
    "other",
    [
        b.dispute("d0", about="unknown"),
        b.dispute("d0", ago=-2),
        b.dispute("d0", ago=20, resolved_on=b.TODAY - 10 * DAY),
    ],
)
def test_e31_a_dispute_that_does_not_hold_hides_none_that_does(other: ar.Dispute) -> None:
    assert stops(other, b.dispute("d1", about="i2")) == [("DISPUTED", "local:d1", None)]


def test_e31_what_stops_is_named_with_its_end() -> None:
    settled = b.dispute("d1", resolved_on=b.TODAY)
    assert stops(settled) == [("DISPUTE_COOLING", "local:d1", on(3))]
    whole = b.dispute("d1", disputed_amount=Decimal(100), currency="USD")
    assert stops(whole) == [("DISPUTED", "local:d1", None)]
    assert stops(b.promise(on=0)) == [("PTP_OPEN", "local:pr1", on(3))]
    assert stops(said("question")) == [("REPLY_PENDING", "local:said-question", on(1))]


def test_e31_e33_a_disputed_and_a_promised_part_stop_the_rest_together() -> None:
    promised = b.promise(on=0, promised_amount=Decimal(50), currency="USD")
    assert stops(part("d1", "50"), promised) == [("PTP_OPEN", "local:pr1", on(3))]
    assert stops(part("d1", "49.99"), promised) == []


def test_e36_a_promise_that_waits_for_approval_hides_none_that_does_not() -> None:
    waiting = b.promise("pr0", on=1, given=40, covers=("i1",))
    assert stops(waiting, b.promise("pr1", on=0, covers=("i2",))) == [("PTP_OPEN", "local:pr1", on(3))]


def test_e33_with_the_whole_customer_in_scope_the_longest_promise_counts() -> None:
    policy = b.changed("balanced", pauses={"promise_scope": "customer"})
    both = [b.promise("pr0", on=0, given=2, covers=("i1",)), b.promise("pr1", on=1, given=1, covers=("i2",))]
    assert {end for _, _, end in stops(*both, policy=policy)} == {on(6)}


def test_e33_the_oldest_by_its_due_date_is_covered_first_whatever_its_id() -> None:
    promise = b.promise(covers=("i1", "i2"), promised_amount=Decimal(100), currency="USD")
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 12), promise)
    assert (b.of(evaluation, "i2").code, b.of(evaluation, "i1").code) == (Code.PTP_OPEN, Code.STEP_DUE)


def test_e8_e36_a_promise_about_an_invoice_without_a_due_date_has_no_stage() -> None:
    policy = b.changed("balanced", clock={"due_date_fallback": {"mode": "invoice_date", "days": 7}})
    undated = b.invoice("i1", due_date=None, issue_date=b.TODAY - 20 * DAY)
    evaluation = b.run(undated, b.promise(), policy=policy)
    assert b.of(evaluation).code is Code.PTP_OPEN
    refused = b.run(undated, said("refused", ago=3), policy=policy)
    assert "speak_to_customer" in b.tasks_of(refused)


# ---- replies


def test_r43_an_answer_that_is_settled_hides_none_that_is_not() -> None:
    given = b.promise(given=1, covers=("i2",), on=-1)
    first = b.touch("t0", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.PROMISED, covers=("i1",))
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), given, first, said("question"))
    assert b.tasks_of(evaluation) == ["answer_question"]
    closed = b.touch("t0", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.QUESTION, covers=("i9",))
    evaluation = b.run(b.invoice("i1", 9), closed, said("says_paid"))
    assert b.tasks_of(evaluation) == ["verify_payment"]


def test_e6_r43_business_days_of_an_answer_are_those_of_the_customers_country() -> None:
    # Asked on Tuesday; Thursday is a holiday in the United States.
    calendar = ar.HolidayCalendar({"US": {b.TODAY + DAY}})
    for country, days in (("US", 2), ("MX", 1)):
        evaluation = b.run(
            b.customer(country=country), b.invoice("i1", 9), said("question"), calendar=calendar
        )
        assert b.of(evaluation).until == on(days), country
    nobody = b.book(b.invoice("i1", 9)).model_copy(update={"customers": ()})
    assert b.of(b.run(nobody)).code is Code.CUSTOMER_UNKNOWN


@pytest.mark.parametrize(("ago", "actor"), [(9, "human"), (10, "auto")])
def test_r43_a_refusal_on_the_due_date_counts_and_one_before_it_does_not(ago: int, actor: str) -> None:
    assert b.only_touch(b.run(b.invoice("i1", 9), said("refused", ago, about=()))).actor == actor


@pytest.mark.parametrize(
    ("about", "references", "asked"),
    [
        (("i1",), {"i1": "PO-1", "i2": None}, False),
        (("i1",), {"i1": None, "i2": "PO-2"}, True),
        ((), {"i1": "PO-1", "i2": None}, True),
        ((), {"i1": "PO-1", "i2": "PO-2"}, False),
    ],
)
def test_r62_a_purchase_order_is_no_task_once_every_invoice_it_was_about_has_one(
    about: tuple[str, ...], references: dict[str, str | None], asked: bool
) -> None:
    invoices = [b.invoice(name, 9, customer_reference=value) for name, value in references.items()]
    evaluation = b.run(*invoices, said("missing_po", about=about))
    assert ("fix_purchase_order" in b.tasks_of(evaluation)) is asked


# ---- tasks, notices, rungs and copies


def only_logged(evaluation: ar.Evaluation, *names: str) -> list[ar.Touch]:
    """Of an evaluation, these tasks alone as touches on record that name nothing but their key."""
    chosen = [a for a in evaluation.actions if a.task in names]
    assert len(chosen) == len(names)
    return [
        b.touch_from(a.record(evaluation.as_of)).model_copy(update={"covers": (), "step": None})
        for a in chosen
    ]


def test_e28_a_notice_a_rung_and_an_approval_on_record_by_their_keys_alone_are_not_repeated() -> None:
    rung = {"rung": "personal", "when": "max_dpd >= 1", "origin": "R69"}
    policy = b.changed("balanced", escalate=[rung])
    records = [b.invoice("i1", 22), b.invoice("i2", 9), b.promise(on=40, given=2, covers=("i2",))]
    evaluation = b.run(*records, policy=policy)
    for name in ("call:notify", "rung:personal", "approve_promise"):
        assert name in b.tasks_of(evaluation)
        done = only_logged(evaluation, name)
        assert name not in b.tasks_of(b.run(*records, *done, policy=policy)), name


def test_e10_a_new_due_date_brings_a_new_notice_and_a_new_rung() -> None:
    rung = {"rung": "personal", "when": "max_dpd >= 1", "origin": "R69"}
    policy = b.changed("balanced", escalate=[rung])
    keys = [
        {a.task: a.key for a in b.run(b.invoice("i1", 22, due_version=n), policy=policy).actions if a.task}
        for n in range(2)
    ]
    assert set(keys[0]) == set(keys[1]) == {"call:notify", "rung:personal"}
    assert not set(keys[0].values()) & set(keys[1].values())


def test_r69_a_rule_that_does_not_hold_hides_none_that_does_and_of_equals_the_first_counts() -> None:
    rules = [
        {"rung": "referral", "when": "max_dpd >= 900", "origin": "never"},
        {"rung": "personal", "when": "max_dpd >= 1", "origin": "first"},
        {"rung": "personal", "when": "max_dpd >= 1", "origin": "second"},
    ]
    evaluation = b.run(b.invoice("i1", 9), policy=b.changed("balanced", escalate=rules))
    assert [a.origin for a in evaluation.actions if a.task == "rung:personal"] == ["first"]


def test_r69_r70_the_trace_says_which_rule_raised_the_rung_and_what_was_withheld() -> None:
    rule = {"rung": "order_hold", "when": "max_dpd >= 1", "origin": "R69"}
    evaluation = b.run(b.invoice("i1", 9), policy=b.changed("balanced", escalate=[rule]))
    text = ar.explain(evaluation, customer=b.customer_id())
    assert "\n  escalate[0]: withheld CAPABILITY_NOT_DECLARED (rung order_hold)\n" in text
    assert "\n  escalate[0]: escalate ESCALATED (rung finance_lead; because max_dpd >= 1 (is 9)" in text


def test_e26_the_trace_says_which_limit_holds_and_which_channels_were_tried() -> None:
    waiting = b.run(b.invoice("i1", 9), b.touch(ago=1))
    assert waiting.dispositions[0].step == "demand", "the step that waits is named"
    nothing = b.contact(phone=None, mobile=None, email=None, postal=None)
    text = ar.explain(b.run(b.invoice("i1", 9), nothing), customer=b.customer_id())
    assert "\n  channels: none NO_ADDRESS (step demand; codes NO_ADDRESS)" in text


def test_r63_a_question_before_it_hides_no_request_for_a_copy_and_copies_are_counted() -> None:
    asks = [
        b.touch(f"t{n}", ago=4, direction=ar.Direction.INBOUND, intent=intent, covers=(f"i{n}",))
        for n, intent in enumerate(
            (ar.Intent.WRONG_CONTACT, ar.Intent.COPY_REQUESTED, ar.Intent.COPY_REQUESTED)
        )
    ]
    asks[0] = asks[0].model_copy(update={"contact_id": None})
    invoices = [b.invoice(f"i{n}", 9 + n) for n in range(4)]
    for most, reminders in ((2, 0), (3, 1)):
        policy = b.changed("balanced", limits={"max_customer_actions_per_run": most})
        found = [a.step for a in b.touches_of(b.run(*invoices, *asks, policy=policy))]
        assert found.count("send_copy") == 2
        assert len(found) - 2 == reminders


def test_r63_what_is_one_day_late_is_overdue_to_a_request_about_nothing() -> None:
    ask = said("copy_requested", about=())
    evaluation = b.run(b.invoice("i1", 1), b.invoice("i2", -3), ask)
    (copy,) = [a for a in evaluation.actions if a.step == "send_copy"]
    assert [c.invoice_id for c in copy.covers] == [b.invoice_id("i1")]
    outcome = b.of(evaluation)
    assert (outcome.kind, outcome.step, outcome.action_key) == ("action", "send_copy", copy.key)


def test_r63_a_copy_that_was_sent_leaves_room_for_a_reminder() -> None:
    ask = said("copy_requested", ago=9)
    sent = b.touch("t2", ago=8, step="send_copy", covers=("i1",))
    assert [a.step for a in b.touches_of(b.run(b.invoice("i1", 14), ask, sent))] == ["demand"]
    nobody = b.run(b.invoice("i1", 14), b.invoice("i2", 14), ask, b.dispute())
    assert [a.step for a in b.touches_of(nobody)] == ["demand"], "what is disputed is not copied"


def test_e43_whoever_cannot_get_a_copy_is_the_same_task_as_for_a_reminder() -> None:
    nothing = b.contact(email=None, mobile=None, postal=None, phone=None)
    evaluation = b.run(b.invoice("i1", 9), said("copy_requested", ago=5), nothing)
    assert [(a.task, a.code) for a in evaluation.actions] == [("get_contact", Code.GET_CONTACT)]
    assert b.of(evaluation).code is Code.NO_ADDRESS


def test_e47_a_copy_counts_among_the_messages_to_one_address() -> None:
    policy = b.changed("balanced", limits={"max_per_address": 1})
    shared = [b.contact(owner, email="ap@shared.example") for owner in ("c1", "c2")]
    ask = said("copy_requested")
    evaluation = b.run(b.invoice("i1", 9, "c1"), b.invoice("i2", 9, "c2"), *shared, ask, policy=policy)
    assert len(b.touches_of(evaluation)) == 1
