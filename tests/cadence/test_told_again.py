"""What our own people were told comes back once it failed, under a key of its own, and not before its day (E28, E29)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.run import action_key
from tests.cadence import books as b

DAY = timedelta(days=1)
FAILED, BOUNCED, SENT, ANSWERED = (
    ar.TouchOutcome.FAILED,
    ar.TouchOutcome.BOUNCED,
    ar.TouchOutcome.SENT,
    ar.TouchOutcome.ANSWERED,
)
DONE = [outcome for outcome in ar.TouchOutcome if outcome not in {FAILED, BOUNCED}]
UNCLEAR_DECISION = ("decide", ar.TouchOutcome.AMBIGUOUS)
"""Of a step of the plan: a person is asked once more, under the key of the next attempt."""
INVOICE, CONTACT, CUSTOMER = b.invoice_id(), b.contact().id, b.customer_id()
UNREACHABLE = b.contact(email=None, mobile=None, postal=None, phone=None)
NOTICE = {"id": "look", "when": "dpd >= 1", "to": ["boss"], "origin": "R21"}
RETRY = "retry_after_days"


def said(intent: str) -> ar.Touch:
    return b.touch("said", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent(intent), covers=("i1",))


def rising(rung: str) -> list[dict[str, Any]]:
    return [{"rung": rung, "when": "max_dpd >= 1", "origin": "R69"}]


CASES: dict[str, tuple[Sequence[Any], dict[str, Any], tuple[str, str]]] = {
    "verify_payment": ([said("says_paid")], {}, ("task:verify_payment", "local:said")),
    "resolve_attempt": (
        [b.touch("t1", outcome=ar.TouchOutcome.AMBIGUOUS)],
        {},
        ("task:resolve_attempt", "local:t1"),
    ),
    "get_contact": ([UNREACHABLE], {}, ("task:get_contact", INVOICE)),
    "legal_review": ([b.profile(flags=("legal_stop",))], {}, ("task:legal_review", CUSTOMER)),
    "apply_cash": ([b.payment(amount="200", unapplied="200")], {}, ("task:apply_cash", INVOICE)),
    "approve_promise": ([b.promise(on=40)], {}, ("task:approve_promise", "local:pr1")),
    "notice:look": ([], {"notices": [NOTICE]}, ("notice:look", INVOICE)),
    "call:notify": ([], {}, ("call:notify", INVOICE)),
    "rung:personal": ([], {"escalate": rising("personal")}, ("rung:personal", INVOICE)),
    "rung:order_hold": (
        [],
        {"escalate": rising("order_hold"), "capabilities": {"can_hold_orders": True}},
        ("rung:order_hold", INVOICE),
    ),
    "decide": ([], {}, ("decide", INVOICE)),
}
"""By task or step: what else is on record, the policy's own settings, and what its key is made of."""
DPD = {"decide": 80}
"""Days past due of the one invoice, where they are not 22."""


class Told:
    """An invoice and what our own people are told about it, at noon of some days from today."""

    def __init__(self, name: str, **limits: Any) -> None:
        records, changes, (self.what, self.subject) = CASES[name]
        self.name, self.records = name, list(records)
        self.policy = b.changed("balanced", **changes, **({"limits": limits} if limits else {}))

    def evaluation(self, day: int = 0, hour: int = 12) -> ar.Evaluation:
        at = b.as_of(b.TODAY + day * DAY, hour)
        return b.run(b.invoice("i1", DPD.get(self.name, 22)), *self.records, policy=self.policy, at=at)

    def found(self, day: int = 0, hour: int = 12) -> list[ar.Action]:
        """What is told of it; a task about the record of a task is another."""
        keys = {self.key(attempt) for attempt in range(5)}
        actions = [a for a in self.evaluation(day, hour).actions if a.key in keys]
        assert {a.task or a.step for a in actions} <= {self.name}
        return actions

    def record(self, outcome: ar.TouchOutcome, day: int = 0, hour: int = 12) -> str:
        """Put the one action on record with what came of it. Returns its key."""
        (action,) = self.found(day, hour)
        self.records.append(b.touch_from(action.record(b.as_of(b.TODAY + day * DAY, hour).instant, outcome)))
        return action.key

    def key(self, attempt: int) -> str:
        return action_key(self.policy.family or self.policy.id, CUSTOMER, self.what, self.subject, 0, attempt)


@pytest.mark.parametrize("name", CASES)
def test_e28_the_key_of_a_first_try_is_what_it_was_before_tries_were_counted(name: str) -> None:
    told = Told(name)
    assert [action.key for action in told.found()] == [told.key(0)]


@pytest.mark.parametrize("name", CASES)
def test_e29_what_bounced_is_told_again_at_once_under_the_key_of_the_next_try(name: str) -> None:
    told = Told(name)
    assert [told.record(BOUNCED, hour=hour) for hour in (12, 12, 13)] == [told.key(n) for n in range(3)]


@pytest.mark.parametrize("name", CASES)
def test_e29_what_failed_is_told_again_the_next_day_under_the_key_of_the_next_try(name: str) -> None:
    told = Told(name)
    for day in range(3):
        assert told.record(FAILED, day) == told.key(day)
        assert told.found(day, hour=15) == []
        looked_at_again = told.evaluation(day, hour=13).next_change_at
        assert looked_at_again is not None
        assert looked_at_again <= b.as_of(b.TODAY + (day + 1) * DAY, 0).instant


@pytest.mark.parametrize(
    ("name", "outcome"),
    [(name, outcome) for name in CASES for outcome in DONE if (name, outcome) != UNCLEAR_DECISION],
)
def test_e28_what_was_told_is_not_told_again_whatever_else_came_of_it(
    name: str, outcome: ar.TouchOutcome
) -> None:
    told = Told(name)
    told.record(outcome)
    assert [told.found(day) for day in (0, 1, 5)] == [[], [], []]


@pytest.mark.parametrize("first", [FAILED, BOUNCED])
@pytest.mark.parametrize("name", CASES)
def test_e28_e29_a_second_try_that_got_there_is_the_last(name: str, first: ar.TouchOutcome) -> None:
    told = Told(name)
    told.record(first)
    told.record(SENT, day=1)
    assert [told.found(day) for day in (1, 2, 5)] == [[], [], []]


@pytest.mark.parametrize("name", CASES)
def test_e28_e29_a_first_try_that_got_there_after_all_ends_it(name: str) -> None:
    told = Told(name)
    told.record(FAILED)
    told.records[-1] = told.records[-1].model_copy(update={"outcome": SENT})
    assert told.found(1) == []


@pytest.mark.parametrize("days", [0, 1, 3])
@pytest.mark.parametrize("name", ["legal_review", "notice:look", "rung:personal"])
def test_e29_our_own_people_are_told_again_after_the_days_that_a_step_waits(name: str, days: int) -> None:
    told = Told(name, **{RETRY: days})
    told.record(FAILED)
    before, after = (
        [len(told.found(day, hour=23)) for day in range(days)],
        told.found(days, hour=0 if days else 12),
    )
    assert (before, [action.key for action in after]) == ([0] * days, [told.key(1)])


def test_e29_the_day_on_which_it_is_told_again_is_the_organizations_and_one_to_look_again() -> None:
    told = Told("legal_review", **{RETRY: 3})
    told.record(FAILED, hour=23)
    waiting = told.evaluation(1)
    assert waiting.next_change_at == b.as_of(b.TODAY + 3 * DAY, 0).instant
    assert (told.found(2, hour=23), len(told.found(3, hour=0))) == ([], 1)


def test_e29_the_last_try_says_how_long_is_waited() -> None:
    told = Told("legal_review", **{RETRY: 3})
    told.record(FAILED)
    told.record(BOUNCED, day=3)
    assert [a.key for a in told.found(3)] == [told.key(2)]
    told.record(FAILED, day=3)
    assert ([told.found(day) for day in (3, 4, 5)], len(told.found(6))) == ([[], [], []], 1)


# ---- approvals


def test_e36_a_promise_is_approved_under_the_key_under_which_it_was_asked_last() -> None:
    told = Told("approve_promise")
    asked = [b.promise(on=30, given=31), b.invoice("i1", 40)]
    (first,) = [a for a in b.run(*asked).actions if a.task == "approve_promise"]
    failed = b.touch_from(first.record(b.as_of(hour=9).instant, BOUNCED))
    (second,) = [a for a in b.run(*asked, failed).actions if a.task == "approve_promise"]
    assert first.key != second.key
    for outcome, code in ((ANSWERED, Code.PTP_OPEN), (SENT, Code.STEP_DUE)):
        answered = b.touch_from(second.record(b.as_of(hour=10).instant, outcome))
        found = b.run(*asked, failed, answered)
        assert b.of(found).code is code
        assert told.name not in b.tasks_of(found)


# ---- dead addresses


def dead_address(*more: ar.Touch) -> list[ar.Action]:
    deputy = b.contact("c1", "deputy")
    dead = b.touch("t1", ago=9, outcome=BOUNCED)
    found = b.run(b.invoice("i1", 9), b.contact(), deputy, dead, *more)
    return [action for action in found.actions if action.task == "fix_contact"]


def test_r3_e28_e29_a_dead_address_whose_report_failed_is_reported_again_each_time_it_died() -> None:
    def report(action: ar.Action, outcome: ar.TouchOutcome, ago: int) -> ar.Touch:
        return b.touch_from(action.record(b.as_of(b.TODAY - ago * DAY).instant, outcome))

    policy = b.policy_of("balanced")

    def key(times: int, tries: int) -> str:
        family = policy.family or policy.id
        return action_key(family, CUSTOMER, "task:fix_contact", f"{CONTACT}:email", tries, times)

    known: list[ar.Touch] = []
    (first,) = dead_address()
    known.append(report(first, FAILED, 8))
    (second,) = dead_address(*known)
    known.append(report(second, SENT, 7))
    assert dead_address(*known) == []
    known += [b.touch("t2", ago=6, outcome=ar.TouchOutcome.DELIVERED), b.touch("t3", ago=5, outcome=BOUNCED)]
    (third,) = dead_address(*known)
    known.append(report(third, BOUNCED, 4))
    (fourth,) = dead_address(*known)
    assert dead_address(*known, report(fourth, SENT, 3)) == []
    found = [action.key for action in (first, second, third, fourth)]
    assert found == [key(0, 0), key(0, 1), key(1, 0), key(1, 1)]


@pytest.mark.parametrize("days", [0, 1, 2])
def test_r3_e29_a_report_that_failed_waits_its_day(days: int) -> None:
    (first,) = dead_address()
    failed = b.touch_from(first.record(b.as_of(b.TODAY - days * DAY, hour=9).instant, FAILED))
    assert len(dead_address(failed)) == (days >= 1)


# ---- messages whose touch names their key alone


def alone(action: ar.Action, outcome: ar.TouchOutcome, hour: int) -> ar.Touch:
    return b.touch_from(action.record(b.as_of(hour=hour).instant, outcome, covers=(), step=None))


@pytest.mark.parametrize("repeat", [{}, {"repeat_every": 7}])
def test_e28_a_step_that_failed_and_of_which_only_the_key_is_on_record_comes_back_under_the_next(
    repeat: dict[str, int],
) -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", **repeat}])
    known: list[ar.Touch] = []
    keys = []
    for hour in (9, 10):
        action = b.only_touch(b.run(b.invoice("i1", 9), *known, policy=policy))
        keys.append(action.key)
        known.append(alone(action, FAILED, hour))
    last = b.only_touch(b.run(b.invoice("i1", 9), *known, policy=policy))
    family = policy.family or policy.id
    assert [*keys, last.key] == [action_key(family, CUSTOMER, "demand", INVOICE, 0, n) for n in range(3)]
    assert not b.touches_of(b.run(b.invoice("i1", 9), *known, alone(last, SENT, 11), policy=policy))


def test_r63_e28_a_copy_that_failed_and_of_which_only_the_key_is_on_record_comes_back_under_the_next() -> (
    None
):
    asked = b.touch("said", ago=3, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED)

    def copies(*known: ar.Touch) -> list[ar.Action]:
        found = b.run(b.invoice("i1", 9), asked, *known, at=b.as_of(b.TODAY + timedelta(days=1)))
        return [action for action in found.actions if action.step == "send_copy"]

    (first,) = copies()
    failed = alone(first, FAILED, 9)
    (second,) = copies(failed)
    assert (second.occurrence, second.key) != (first.occurrence, first.key)
    assert second.occurrence == 1
    assert copies(failed, alone(second, SENT, 10)) == []
    (third,) = copies(failed, alone(second, FAILED, 10))
    assert third.occurrence == 2
    family = b.policy_of("balanced").family or b.policy_of("balanced").id
    assert [a.key for a in (first, second, third)] == [
        action_key(family, CUSTOMER, "send_copy", "local:said", 0, n) for n in range(3)
    ]
    unnamed = b.touch("t1", ago=2, step="send_copy", outcome=FAILED, covers=("i1",))
    (after,) = copies(unnamed)
    assert after.key == second.key
    assert copies(unnamed, alone(first, SENT, 9)) == [], "an earlier try got there"
