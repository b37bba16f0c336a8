"""`why_not` keeps its word: bring about all that it names and the step fires; leave any of it out and it does not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.cadence.plan import FOREVER, CompiledPolicy
from tests.cadence import books as b
from tests.cadence.test_properties import DAYS, HARD, evaluated, records

DAY = timedelta(days=1)
EVERY_DAY = ar.WeekendCalendar(weekend=frozenset())
LONG_AGO = 60
"""Days since a supposed touch: any gap after it is over."""


def run(preset: str, dpd: int, touched: Iterable[str] = (), ago: int = LONG_AGO) -> ar.Evaluation:
    """One invoice so many days past due, on which these steps went out, on a day when everything may be sent."""
    touches = [b.touch(f"t{n}", ago=ago, step=name, covers=("i1",)) for n, name in enumerate(touched)]
    return b.run(b.invoice(dpd=dpd), *touches, policy=preset, calendar=EVERY_DAY, at=b.as_of(hour=5))


@cache
def boundary_days(preset: str) -> list[int]:
    steps = CompiledPolicy(b.policy_of(preset)).base.steps
    days = {
        day for step in steps for day in (step.at - 1, step.at, min(step.last, FOREVER - 1) + 1, step.last)
    }
    return sorted(day for day in {*days, -8, 99} if day < 200)


def brought_about(needs: Iterable[Any], dpd: int) -> tuple[int, list[str]] | None:
    """The age and the touches that these facts ask for; None when they ask for something else."""
    touched: list[str] = []
    for need in needs:
        if match := re.fullmatch(r"touch of (\w+)", need.fact):
            if need.needed != "is on record":
                return None
            touched.append(match[1])
        elif need.fact == "dpd":
            dpd = int(need.needed.split()[1])
        else:
            return None
    return dpd, touched


@pytest.mark.parametrize("preset", PRESETS)
def test_all_that_is_named_makes_the_step_fire_and_nothing_of_it_can_be_left_out(preset: str) -> None:
    checked = 0
    for dpd in boundary_days(preset):
        evaluation = run(preset, dpd)
        for step in b.policy_of(preset).steps:
            needs = ar.why_not(evaluation, b.invoice_id(), step.id).would_fire_if
            wanted = brought_about(needs, dpd) if needs else None
            if wanted is None:
                continue
            then = b.of(run(preset, *wanted))
            assert (then.kind, then.step) == ("action", step.id), (dpd, step.id, needs)
            for one in needs:
                fewer = brought_about([need for need in needs if need is not one], dpd)
                assert fewer is not None
                without = b.of(run(preset, *fewer))
                assert (without.kind, without.step) != ("action", step.id), (dpd, step.id, one)
            checked += 1
    assert checked >= 10


@pytest.mark.parametrize(
    ("preset", "dpd", "step", "needed"),
    [
        ("funnel_5", 99, "reminder_1", "<= 4"),
        ("funnel_5", 40, "demand_1", ">= 46"),
        ("sprint_3_5_10", 12, "first", "<= 4"),
        ("xero_parity", 15, "reminder_14", "== 14"),
        ("xero_parity", 3, "reminder_7", "== 7"),
        ("balanced", -8, "due_today", "== 0"),
    ],
)
def test_a_day_is_named_on_which_no_other_step_takes_the_place(
    preset: str, dpd: int, step: str, needed: str
) -> None:
    (need,) = ar.why_not(run(preset, dpd), b.invoice_id(), step).would_fire_if
    assert (need.fact, need.needed) == ("dpd", needed)


@pytest.mark.parametrize(("dpd", "needed"), [(1, ">= 5"), (4, ">= 5"), (9, "<= 7")])
def test_days_of_grace_are_passed_over(dpd: int, needed: str) -> None:
    policy = b.changed("balanced", clock={"grace_days": 4})
    found = ar.why_not(b.run(b.invoice(dpd=dpd), policy=policy), b.invoice_id(), "first").would_fire_if
    assert [need.needed for need in found] == [needed]
    assert (found[0].code == "GRACE_DAYS") is (dpd < 5)


def test_in_a_sequence_the_step_before_has_to_be_on_record_and_its_distance_over() -> None:
    names = [
        need.fact
        for need in ar.why_not(run("sequential_notices", 40), b.invoice_id(), "notice_4").would_fire_if
    ]
    assert names == ["touch of notice_3"]
    days = {"notice_1": 30, "notice_2": 15, "notice_3": 4}
    sent = [b.touch(name, ago=ago, step=name, covers=("i1",)) for name, ago in days.items()]
    evaluation = b.run(b.invoice(dpd=40), *sent, policy="sequential_notices", at=b.as_of(hour=5))
    (need,) = ar.why_not(evaluation, b.invoice_id(), "notice_4").would_fire_if
    assert (need.fact, need.needed, need.actual) == ("days since notice_3", ">= 10", "4")
    assert need.earliest == b.TODAY + 6 * DAY


def test_what_went_out_has_to_be_undone_each_of_it() -> None:
    found = ar.why_not(run("balanced", 12, ["first", "demand"]), b.invoice_id(), "first").would_fire_if
    assert [(need.fact, need.needed) for need in found] == [
        ("touch of first", "is not on record"),
        ("touch of demand", "is not on record"),
        ("dpd", "<= 7"),
    ]


@pytest.mark.parametrize(("ago", "facts"), [(6, ["days since risk_call"]), (7, [])])
def test_a_step_that_comes_again_waits_for_its_days(ago: int, facts: list[str]) -> None:
    found = ar.why_not(run("risk_4", 40, ["risk_call"], ago), b.invoice_id(), "risk_call")
    assert [need.fact for need in found.would_fire_if] == facts
    assert found.fires is (facts == [])


def test_a_rule_of_the_step_is_supposed_true_when_the_day_is_looked_for() -> None:
    found = ar.why_not(run("risk_4", 8), b.invoice_id(), "risk_call").would_fire_if
    assert [need.fact for need in found] == ["risk"], "at risk, the reminder of day 7 would not be in the way"


def test_a_step_that_another_one_always_hides_says_which() -> None:
    steps = [
        {"id": name, "at": 3, "channels": ["email"], "origin": "test"} for name in ("hidden", "in_front")
    ]
    stages = [{"id": "all", "origin": "test"}]
    policy = ar.load_policy({"id": "mine", "stages": stages, "steps": steps})
    (need,) = ar.why_not(b.run(b.invoice(dpd=5), policy=policy), b.invoice_id(), "hidden").would_fire_if
    assert (need.fact, need.code) == ("steps.in_front", "SUPERSEDED")


@HARD
@given(records(), st.sampled_from(PRESETS), DAYS, st.data())
def test_a_step_fires_or_something_is_named(
    found: list[Any], preset: str, at: ar.AsOf, data: st.DataObject
) -> None:
    evaluation = evaluated(found, preset, at)
    step = data.draw(st.sampled_from([s.id for s in b.policy_of(preset).steps]))
    for disposition in evaluation.dispositions:
        answer = ar.why_not(evaluation, disposition.invoice_id, step)
        asked = any(
            action.step == step and disposition.invoice_id in {c.invoice_id for c in action.covers}
            for action in evaluation.actions
            if action.kind is not ar.ActionKind.TOUCH
        )
        assert answer.fires is (asked or (disposition.kind == "action" and disposition.step == step))
        assert answer.fires is not bool(answer.would_fire_if)
        told = {(need.fact, need.needed, need.actual) for need in answer.would_fire_if}
        assert len(told) == len(answer.would_fire_if)
