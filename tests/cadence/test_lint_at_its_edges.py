"""Lint at the limits at which its findings begin and end: days of stages, caps, tones, people, rules."""

from __future__ import annotations

from typing import Any

import ar_core as ar
from tests.cadence.test_lint import AI, steps
from tests.cadence.test_reading_policies import minimal, stage, step

BOTH = ["email", "letter"]


def found(code: str, policy: ar.Policy) -> list[tuple[str, str]]:
    return [(f.path, f.message) for f in ar.lint(policy) if f.code == code]


def of(*rows: dict[str, Any], **changes: Any) -> ar.Policy:
    return ar.load_policy(minimal(steps=list(rows), **changes))


def test_stages_hold_the_due_date_even_where_no_step_comes_before_them() -> None:
    before = ("stages.all.from", "days before 1 belong to no stage; leave `from` out of the first stage")
    for row in (step(at=3), step(at=3, repeat_every=7)):
        assert found("STAGE_NOT_TOTAL", of(row, stages=[stage("all", 1, None)])) == [before]
        assert found("STAGE_NOT_TOTAL", of(row, stages=[stage("all", 0, None)])) == []


def test_c15_a_stage_is_silent_when_no_step_of_it_goes_out_up_to_its_last_day() -> None:
    stages = [stage("early", None, 7), stage("late", 8, 20), stage("end", 21, None)]
    blocked = [step(name, day, capability="uses_agency") for name, day in (("b", 10), ("c", 20))]
    needs = "b, c needs uses_agency; declare it or give the step an `else`"
    assert found("SILENT_STAGE", of(step("a", 3), *blocked, stages=stages)) == [
        ("stages.late", f"nothing goes out in it: {needs}")
    ]
    assert found("SILENT_STAGE", of(step("a", 3), blocked[0], step("d", 20), stages=stages)) == []


def test_c15_before_the_first_step_that_goes_out_no_stage_is_silent() -> None:
    stages = [stage("early", None, 7), stage("late", 8, None)]
    blocked = step("a", 3, capability="uses_agency")
    assert found("SILENT_STAGE", of(blocked, step("b", 10), stages=stages)) == []
    assert found("SILENT_STAGE", of(blocked, stages=stages)) == []


def test_e25_in_a_sequence_no_gap_outlasts_a_window() -> None:
    rows = [step("a", 1, window=[1, 1], channels=BOTH), step("b", 2, window=[2, 2], channels=BOTH)]
    said = "its window ends on day 2, before the gap of 3 days after a is over"
    assert found("STEP_NEVER_FIRES", of(*rows)) == [("steps.b", said)]
    assert found("STEP_NEVER_FIRES", of(*rows, catch_up={"mode": "sequential"})) == []


def test_e27_a_week_of_contacts_ends_after_seven_days() -> None:
    ladder = [(name, day, day) for name, day in (("a", 1), ("b", 4), ("c", 6), ("d", 8))]
    said = "it is contact 3 within 7 days; limits.max_touches_per_7d is 2 and frees after its window"
    policy = steps(*ladder, min_gap_days=0, max_touches_per_7d=2)
    assert found("STEP_NEVER_FIRES", policy) == [("steps.c", said), ("steps.d", said)]


def test_r29_a_step_without_a_tone_hides_no_step_back() -> None:
    rows = [step("a", 1, tone="firm"), step("b", 2), step("c", 3, tone="friendly")]
    assert found("TONE_GOES_BACK", of(*rows)) == [("steps.c.tone", "friendly comes after firm (a)")]


def test_r20_a_decision_hides_no_contact_by_a_machine_after_it() -> None:
    decision = step("a", 1, kind="decision", channels=[], options=["wait", "call"])
    policy = of(decision, step("b", 2, channels=["voice"], actor="ai"))
    assert found("HUMAN_ONLY_AI_STEP", policy) == [("steps.b.actor", AI)]


def test_r17_a_formal_word_needs_a_name_from_the_first_day_past_due() -> None:
    assert found("UNNAMED_SENDER", of(step(at=0, tone="formal"))) == []
    assert [path for path, _ in found("UNNAMED_SENDER", of(step(at=1, tone="formal")))] == [
        "steps.one.sender_role"
    ]


def test_c9_every_risk_rule_before_the_last_is_looked_at() -> None:
    rules = [
        {"id": "a", "when": "max_dpd > 5", "origin": "x"},
        {"id": "b", "when": True, "origin": "x"},
        {"id": "c", "otherwise": True, "origin": "x"},
    ]
    said = "it always holds, so the rules after it are never asked"
    assert found("UNREACHABLE_RULE", of(step(), tiers={"risk": rules})) == [("tiers.risk.b", said)]
