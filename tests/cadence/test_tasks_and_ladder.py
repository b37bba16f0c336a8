"""What our own people get: tasks, notices, copies for customers and the rungs of the ladder; each once, about the right invoices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b

DAY = timedelta(days=1)


def only(evaluation: ar.Evaluation, what: str) -> Any:
    """The one action of a task or a step."""
    found = [a for a in evaluation.actions if what in {a.task, a.step}]
    assert len(found) == 1, [(a.task, a.step) for a in evaluation.actions]
    return found[0]


def covered(action: Any) -> list[tuple[str, str | None]]:
    return [(c.invoice_id[-2:], c.step) for c in action.covers]


def said(intent: str, ago: int = 1, about: tuple[str, ...] = ("i1",), **changes: Any) -> ar.Touch:
    fields: dict[str, Any] = {"direction": ar.Direction.INBOUND, "covers": about, **changes}
    return b.touch(changes.pop("name", "said"), ago=ago, intent=ar.Intent(intent), **fields)


# ---- tasks


def test_e38_a_task_about_an_answer_is_about_the_invoices_it_named() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), said("says_paid"))
    task = only(evaluation, "verify_payment")
    assert (task.kind, task.code, task.customer_id) == ("internal", Code.REPLY_NEEDS_PERSON, b.customer_id())
    assert covered(task) == [("i1", None)]
    assert task.covers[0].presence_only
    assert (task.lead_invoice_id, task.stage, task.reasons) == (None, None, (Code.REPLY_NEEDS_PERSON,))


def test_e28_a_task_on_record_is_not_raised_again_and_another_answer_raises_another() -> None:
    records = [b.invoice("i1", 9), said("says_paid")]
    done = b.logged(b.run(*records))
    assert b.tasks_of(b.run(*records, *done)) == []
    other = b.touch("t9", ago=0, direction=ar.Direction.INBOUND, intent=ar.Intent.SAYS_PAID, covers=("i1",))
    assert b.tasks_of(b.run(*records, *done, other, at=b.as_of(hour=16))) == ["verify_payment"]


@pytest.mark.parametrize(
    ("flag", "task", "code"),
    [
        ("legal_stop", "legal_review", Code.LEGAL_REVIEW),
        ("strange", "legal_review", Code.LEGAL_REVIEW),
        ("do_not_contact", "review_do_not_contact", Code.DO_NOT_CONTACT),
    ],
)
def test_e40_e41_a_stop_is_reviewed_once_for_the_customer_and_nothing_else_is_asked(
    flag: str, task: str, code: Code
) -> None:
    records = [
        b.invoice("i1", 9),
        b.invoice("i2", 80),
        b.profile(flags=(flag,)),
        said("says_paid"),
        b.touch("t8", ago=3, outcome=ar.TouchOutcome.AMBIGUOUS),
    ]
    evaluation = b.run(*records)
    (action,) = evaluation.actions
    assert (action.task, action.code, action.kind) == (task, code, "internal")
    assert covered(action) == [("i2", None)], "the oldest invoice stands for the account"
    assert b.run(*records, *b.logged(evaluation)).actions == ()


def test_e29_every_unclear_attempt_is_a_task_of_its_own_until_it_is_on_record() -> None:
    unclear = [b.touch(f"t{n}", ago=9 - n, outcome=ar.TouchOutcome.AMBIGUOUS) for n in range(2)]
    evaluation = b.run(b.invoice("i1", 9), *unclear)
    tasks = [a for a in evaluation.actions if a.task == "resolve_attempt"]
    assert len({a.key for a in tasks}) == 2
    assert {a.code for a in tasks} == {Code.RESOLVE_AMBIGUOUS}
    assert b.tasks_of(b.run(b.invoice("i1", 9), *unclear, *b.logged(evaluation)[:1])) == ["resolve_attempt"]


def test_e13_the_task_to_apply_cash_names_all_that_is_covered_and_its_lead() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 22), b.payment(amount="200", unapplied="200"))
    task = only(evaluation, "apply_cash")
    assert (task.code, task.lead_invoice_id, task.stage) == (
        Code.APPLY_CASH,
        b.invoice_id("i2"),
        "escalation",
    )
    assert sorted(covered(task)) == [("i1", None), ("i2", None)]


def test_e43_the_task_to_find_an_address_is_about_the_invoice_that_leads() -> None:
    nothing = b.contact(phone=None, mobile=None, email=None, postal=None)
    records = [b.invoice("i1", 9), b.invoice("i2", 22), nothing]
    evaluation = b.run(*records)
    task = only(evaluation, "get_contact")
    assert (task.code, task.lead_invoice_id, covered(task)) == (
        Code.GET_CONTACT,
        b.invoice_id("i2"),
        [("i2", None)],
    )
    done = b.logged(evaluation)
    assert b.tasks_of(b.run(*records, *done)) == []
    moved = b.invoice("i2", 22, due_version=1)
    assert b.tasks_of(b.run(records[0], moved, nothing, *done)) == ["get_contact"], (
        "E10: a new due date asks anew"
    )


def test_e30_each_invoice_that_has_to_be_placed_is_a_task() -> None:
    policy = b.changed("balanced", pauses={"migrate": "manual"})
    sent = b.touch(ago=9, step="strange", covers=("i1", "i2"))
    evaluation = b.run(b.invoice("i1", 14), b.invoice("i2", 14), b.invoice("i3", 14), sent, policy=policy)
    tasks = [a for a in evaluation.actions if a.task == "place_invoice"]
    assert sorted(str(a.lead_invoice_id)[-2:] for a in tasks) == ["i1", "i2"]
    assert {a.code for a in tasks} == {Code.MANUAL_MIGRATION}


def test_e36_the_task_to_approve_is_about_the_promised_invoices() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), b.promise(on=40, given=2))
    task = only(evaluation, "approve_promise")
    assert (task.code, covered(task)) == (Code.PTP_NEEDS_APPROVAL, [("i1", None)])
    assert task.content_requirements == ("promise:local:pr1",)


# ---- R63: copies of what was asked for


def copies(*records: Any, **options: Any) -> list[Any]:
    return [a for a in b.run(*records, **options).actions if a.step == "send_copy"]


def test_r63_a_copy_goes_to_whoever_asked_with_what_was_asked_for() -> None:
    (copy,) = copies(b.invoice("i1", 9), b.invoice("i2", 30), said("copy_requested"))
    assert covered(copy) == [("i1", "send_copy")]
    assert (copy.kind, copy.code, copy.purpose, copy.tone, copy.origin) == (
        "touch",
        Code.COPY_REQUESTED,
        "send_copy",
        "friendly",
        "R63",
    )
    assert (copy.channel, copy.fallbacks, copy.actor) == ("email", ("whatsapp", "letter"), "auto")
    assert (copy.contact_id, copy.address) == (b.contact().id, "c1@example.com")
    assert (copy.lead_invoice_id, copy.stage, copy.occurrence) == (b.invoice_id("i1"), "first_demand", 0)
    assert copy.not_before is not None
    assert copy.not_after is not None
    assert [p.invoice_id for p in copy.preconditions] == [b.invoice_id("i1")]


def test_r63_a_request_about_no_invoice_is_about_all_that_is_overdue_else_about_all() -> None:
    ask = said("copy_requested", about=())
    (copy,) = copies(b.invoice("i1", 9), b.invoice("i2", 30), b.invoice("i3", -3), ask)
    assert covered(copy) == [("i2", "send_copy"), ("i1", "send_copy")]
    (early,) = copies(b.invoice("i1", -3), b.invoice("i2", 0), ask)
    assert covered(early) == [("i2", "send_copy"), ("i1", "send_copy")]


def test_r63_no_copy_of_what_is_paused() -> None:
    assert copies(b.invoice("i1", 9), said("copy_requested"), b.dispute()) == []
    (other,) = copies(b.invoice("i1", 9), b.invoice("i2", 9), said("copy_requested", about=()), b.dispute())
    assert covered(other) == [("i2", "send_copy")]


def test_r63_a_copy_is_sent_of_what_is_too_small_to_be_chased() -> None:
    policy = b.changed("balanced", limits={"min_invoice": {"USD": "1000000"}})
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), said("copy_requested"), policy=policy)
    (copy,) = b.touches_of(evaluation)
    assert copy.step == "send_copy"
    asked, small = b.of(evaluation, "i1"), b.of(evaluation, "i2")
    assert (str(asked.kind), asked.code, asked.action_key) == ("action", Code.COPY_REQUESTED, copy.key)
    assert (str(small.kind), small.code, small.action_key) == ("wait", Code.BELOW_THRESHOLD, None)


def test_r63_the_copy_is_the_one_message_of_the_run() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 30), said("copy_requested", ago=4))
    assert [a.step for a in b.touches_of(evaluation)] == ["send_copy"]
    assert b.of(evaluation, "i1").code is Code.COPY_REQUESTED
    assert b.of(evaluation, "i2").code is Code.RUN_CAP
    more = b.changed("balanced", limits={"max_customer_actions_per_run": 2})
    both = b.run(b.invoice("i1", 9), b.invoice("i2", 30), said("copy_requested", ago=4), policy=more)
    assert [a.step for a in b.touches_of(both)] == ["send_copy", "call"]


@pytest.mark.parametrize(
    ("outcome", "again"),
    [("sent", False), ("delivered", False), ("ambiguous", False), ("failed", True), ("bounced", True)],
)
def test_r63_e29_a_copy_that_did_not_get_there_is_sent_again_under_a_new_key(
    outcome: str, again: bool
) -> None:
    ask = said("copy_requested", ago=3)
    letter = b.contact()
    (copy,) = copies(b.invoice("i1", 9), ask, letter)
    tried = b.touch_from(copy.record(b.as_of(hour=10).instant, ar.TouchOutcome(outcome)))
    found = copies(b.invoice("i1", 9), ask, letter, tried, at=b.as_of(b.TODAY + timedelta(days=1)))
    assert bool(found) is again
    if again:
        assert found[0].key != copy.key
        assert found[0].occurrence == 1
        assert found[0].channel == ("letter" if outcome == "bounced" else "email")


def test_r63_a_copy_sent_before_it_was_asked_for_is_no_answer() -> None:
    earlier = b.touch("t2", ago=5, step="send_copy", covers=("i1",))
    assert len(copies(b.invoice("i1", 9), said("copy_requested", ago=1), earlier)) == 1
    later = b.touch("t2", ago=0, step="send_copy", covers=("i1",), at=b.as_of(hour=10).instant)
    assert copies(b.invoice("i1", 9), said("copy_requested", ago=1), later) == []


def test_r63_two_requests_are_two_copies() -> None:
    asks = [
        said("copy_requested", about=("i1",)),
        b.touch("t2", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i2",)),
    ]
    found = copies(b.invoice("i1", 9), b.invoice("i2", 9), *asks)
    assert sorted(covered(a)[0][0] for a in found) == ["i1", "i2"]
    assert len({a.key for a in found}) == 2


def test_r63_whoever_cannot_be_reached_becomes_a_task_and_a_policy_may_not_answer() -> None:
    nothing = b.contact(email=None, mobile=None, postal=None, phone=None)
    evaluation = b.run(b.invoice("i1", 9), said("copy_requested", ago=5), nothing)
    assert b.tasks_of(evaluation) == ["get_contact"]
    silent = b.changed(
        "balanced", pauses={"intents": {"copy_requested": {"task": "answer_by_hand", "respond": ""}}}
    )
    asked = b.run(b.invoice("i1", 9), said("copy_requested", ago=5), policy=silent)
    assert [a.step for a in b.touches_of(asked)] == ["demand"]
    assert "answer_by_hand" in b.tasks_of(asked)


def test_r20_the_copy_for_a_strategic_customer_is_sent_by_a_person() -> None:
    (copy,) = copies(b.invoice("i1", 9), said("copy_requested"), value="strategic")
    assert copy.actor == "human"


# ---- R21: notices


def noticing(when: str, **changes: Any) -> ar.Policy:
    notice = {"id": "look", "when": when, "to": ["sales", "boss"], "origin": "R21", **changes}
    return b.changed("balanced", notices=[notice])


def test_r21_a_notice_names_its_roles_and_every_invoice_the_strongest_lead_first() -> None:
    records = [b.invoice("i1", 2), b.invoice("i2", 30), b.invoice("i3", -40, issue_date=b.TODAY)]
    notice = only(b.run(*records, policy=noticing("dpd >= 1")), "notice:look")
    assert (notice.notify, notice.code, notice.origin) == (("sales", "boss"), Code.NOTIFY, "R21")
    assert covered(notice) == [("i2", "notice:look"), ("i1", "notice:look")]
    assert notice.lead_invoice_id == b.invoice_id("i2")


def test_r21_each_invoice_is_noticed_once_and_a_new_one_brings_a_new_notice() -> None:
    policy = noticing("dpd >= 1")
    first = b.run(b.invoice("i1", 2), policy=policy)
    done = b.logged(first)
    assert not [a for a in b.run(b.invoice("i1", 2), *done, policy=policy).actions if a.code is Code.NOTIFY]
    again = only(b.run(b.invoice("i1", 2), b.invoice("i2", 1), *done, policy=policy), "notice:look")
    assert covered(again) == [("i2", "notice:look")]


def test_r21_what_is_paused_is_not_noticed_and_a_rule_about_the_customer_holds_for_all() -> None:
    records = [b.invoice("i1", 2), b.invoice("i2", 30), b.dispute(about="i2")]
    assert covered(only(b.run(*records, policy=noticing("dpd >= 1")), "notice:look")) == [
        ("i1", "notice:look")
    ]
    whole = only(
        b.run(b.invoice("i1", 2), b.invoice("i2", -2), policy=noticing("max_dpd >= 1")), "notice:look"
    )
    assert covered(whole) == [("i1", "notice:look"), ("i2", "notice:look")]
    assert not [
        a for a in b.run(b.invoice("i1", 2), policy=noticing("max_dpd >= 3")).actions if a.code is Code.NOTIFY
    ]


# ---- R69: the ladder


def ladder(*rungs: dict[str, Any], **capabilities: bool) -> ar.Policy:
    rules = [{"origin": f"test {n}", **rung} for n, rung in enumerate(rungs)]
    return b.changed("balanced", escalate=rules, capabilities=capabilities)


def rung_of(evaluation: ar.Evaluation) -> str:
    return str(evaluation.segments[0].rung)


ALWAYS = "max_dpd >= 1"


def test_r69_the_highest_rung_whose_rule_holds_counts_in_whatever_order_they_stand() -> None:
    rules = [{"rung": "personal", "when": ALWAYS}, {"rung": "finance_lead", "when": ALWAYS}]
    for order in (rules, rules[::-1]):
        evaluation = b.run(b.invoice("i1", 9), policy=ladder(*order))
        assert rung_of(evaluation) == "finance_lead"
        told = only(evaluation, "rung:finance_lead")
        assert told.origin == f"test {order.index({'rung': 'finance_lead', 'when': ALWAYS})}"


def test_r70_a_promotion_is_told_once_to_whom_the_rule_says_else_to_the_rung() -> None:
    policy = ladder({"rung": "personal", "when": ALWAYS, "notify": ["collector"]})
    records = [b.invoice("i2", 9), b.invoice("i1", 9), b.invoice("i3", 3), b.invoice("i4", -3)]
    first = b.run(*records, policy=policy)
    told = only(first, "rung:personal")
    assert (told.kind, told.code, told.notify, told.options) == (
        "internal",
        Code.ESCALATED,
        ("collector",),
        (),
    )
    assert told.lead_invoice_id == b.invoice_id("i1"), "the oldest, by id"
    assert sorted(covered(told)) == [(name, "rung:personal") for name in ("i1", "i2", "i3")]
    assert told.rung == "personal"
    again = b.run(*records, *b.logged(first), policy=policy)
    assert rung_of(again) == "personal"
    assert not [a for a in again.actions if a.code is Code.ESCALATED]
    plain = only(
        b.run(b.invoice("i1", 9), policy=ladder({"rung": "personal", "when": ALWAYS})), "rung:personal"
    )
    assert plain.notify == ("personal",)


@pytest.mark.parametrize(
    ("rung", "capability"), [("order_hold", "can_hold_orders"), ("referral", "uses_agency")]
)
def test_r18_r69_what_is_not_declared_stops_at_finance_leadership(rung: str, capability: str) -> None:
    rule = {"rung": rung, "when": ALWAYS}
    assert rung_of(b.run(b.invoice("i1", 9), policy=ladder(rule))) == "finance_lead"
    evaluation = b.run(b.invoice("i1", 9), policy=ladder(rule, **{capability: True}))
    proposal = only(evaluation, f"rung:{rung}")
    assert rung_of(evaluation) == rung
    assert (proposal.kind, proposal.options) == ("decision", (rung, "keep_chasing"))
    other = {"can_hold_orders": True, "uses_agency": True, capability: False}
    assert rung_of(b.run(b.invoice("i1", 9), policy=ladder(rule, **other))) == "finance_lead"


@pytest.mark.parametrize(("dpd", "rung"), [(19, "automated"), (20, "personal"), (21, "personal")])
def test_c8_age_forces_a_rung_whatever_its_rule_says(dpd: int, rung: str) -> None:
    policy = ladder({"rung": "personal", "when": "max_dpd >= 900", "forced_by_dpd": 20})
    assert rung_of(b.run(b.invoice("i1", dpd), b.invoice("i2", 3), policy=policy)) == rung


@pytest.mark.parametrize(
    ("records", "rung"),
    [
        ((b.invoice("i1", 0),), "automated"),
        ((b.invoice("i1", 1),), "personal"),
        ((b.invoice("i1", 30), b.dispute()), "automated"),
        ((b.invoice("i1", 30), b.dispute(), b.invoice("i2", 1)), "personal"),
    ],
)
def test_r44_only_what_is_overdue_and_not_paused_raises_a_rung(records: tuple[Any, ...], rung: str) -> None:
    policy = ladder({"rung": "personal", "when": "overdue_invoices >= 0", "forced_by_dpd": 1})
    assert rung_of(b.run(*records, policy=policy)) == rung


def test_r69_from_the_personal_rung_on_people_write_and_finance_leadership_signs() -> None:
    def sent(rung: str) -> tuple[str, str | None, str | None]:
        policy = ladder({"rung": rung, "when": ALWAYS}, can_hold_orders=True)
        action = b.only_touch(b.run(b.invoice("i1", 9), policy=policy))
        return str(action.actor), action.sender_role, action.sender

    assert sent("personal") == ("human", None, None)
    assert sent("finance_lead") == ("human", "finance_lead", "Bo Diaz")
    assert sent("order_hold") == ("human", "finance_lead", "Bo Diaz")


def test_r6_a_step_tells_its_roles_beside_the_message_about_all_that_it_covers() -> None:
    evaluation = b.run(b.invoice("i1", 22), b.invoice("i2", 9), value="strategic")
    note = only(evaluation, "call:notify")
    assert note.notify == ("account_manager",), "the step's role and the override's are told once"
    assert sorted(covered(note)) == [("i1", None), ("i2", None)]
    assert (note.lead_invoice_id, note.origin) == (b.invoice_id("i1"), "R6")
    assert note.covers[0].balance_due == Decimal(100)
    demand = b.run(b.invoice("i1", 9), value="strategic")
    assert only(demand, "demand:notify").notify == ("account_manager",)
    assert not [a for a in b.run(b.invoice("i1", 9)).actions if a.task == "demand:notify"]
