"""The rules that say how the whole is built, and the answers of customers; and a register: every rule is named by a test."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import CODES, FEATURES, PRESETS, Content
from ar_core.cadence.codes import Code
from ar_core.cadence.lint import LintCode
from ar_core.cadence.plan import TONES, CompiledPolicy
from ar_core.scoring import blend_of
from tests.cadence import books as b

DAY = timedelta(days=1)
EVERY_DAY = ar.WeekendCalendar(weekend=frozenset())
BENCHMARKS = {"R1", "R37", "R48", "R72"}
"""Figures of vendors: they have no behavior."""


def origins(policy: ar.Policy) -> set[str]:
    """Every rule id that some part of a policy cites."""
    parts: list[Any] = [*policy.stages, *policy.steps, *policy.tiers.risk, *policy.overrides]
    parts += [*policy.escalate, *policy.notices]
    return {rule for part in parts for rule in re.findall(r"[RCEG]\d+", part.origin)}


def test_r1_r37_r48_r72_the_figures_of_vendors_are_behind_no_rule() -> None:
    for preset in PRESETS:
        assert not origins(b.policy_of(preset)) & BENCHMARKS
    assert not {rule for info in CODES.values() for rule in info.rules.split(", ")} & BENCHMARKS


@pytest.mark.parametrize(
    ("dpd", "opens"), [(-3, True), (0, True), (3, True), (8, False), (22, False), (46, False)]
)
def test_r4_r14_a_friendly_message_opens_in_good_faith(dpd: int, opens: bool) -> None:
    action = b.only_touch(b.run(b.invoice(dpd=dpd)))
    assert (action.tone == "friendly") is opens
    assert (Content.GOOD_FAITH_OPENING in action.content_requirements) is opens


def test_r14_whoever_heard_a_firm_word_is_not_met_in_good_faith_again() -> None:
    heard = b.touch(ago=8, step="call", covers=("i1",))
    action = b.only_touch(b.run(b.invoice("i1", 30), b.invoice("i2", 4), heard))
    assert Content.GOOD_FAITH_OPENING not in action.content_requirements


@pytest.mark.parametrize("preset", PRESETS)
def test_every_word_of_what_a_message_must_hold_is_documented(preset: str) -> None:
    known = {content.value for content in Content}
    for dpd in range(-5, 100, 3):
        for action in b.touches_of(b.run(b.invoice(dpd=dpd), policy=preset, calendar=EVERY_DAY)):
            assert set(action.content_requirements) <= known
            assert all(type(word) is str for word in action.content_requirements)


@pytest.mark.parametrize("preset", PRESETS)
def test_r26_a_policy_is_a_planned_series_of_steps_with_channels(preset: str) -> None:
    plan = CompiledPolicy(b.policy_of(preset)).base
    days = [step.at for step in plan.steps]
    assert days == sorted(days)
    assert len({step.id for step in plan.steps}) == len(plan.steps) >= 3
    for step in plan.steps:
        assert all(way.channels for way in step.ways)
        assert step.ways or not step.is_touch


@pytest.mark.parametrize(
    ("changes", "urgent"), [({}, False), ({"urgency": "high"}, True), ({"purpose": "pay_link"}, True)]
)
def test_r36_a_text_message_is_urgent_or_hands_over_a_link(changes: dict[str, Any], urgent: bool) -> None:
    step = {"id": "first", "channels": ["sms", "email"], "needs": ["pay_link"], **changes}
    found = {finding.code for finding in ar.lint(b.changed("balanced", steps=[step]))}
    assert (LintCode.SMS_NOT_URGENT not in found) is urgent


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("days", [1, 5, 20])
def test_r41_forgotten_days_bring_one_message_and_not_several(preset: str, days: int) -> None:
    names = [f"c{n}" for n in range(40)]
    invoices = [b.invoice(f"i{n}", 3 * n - 5, f"c{n}") for n in range(40)]
    later = b.as_of(b.TODAY + days * DAY, hour=5)
    evaluation = b.run(*invoices, policy=preset, at=later, tiers=b.tier("core", *names), calendar=EVERY_DAY)
    reached = [action.customer_id for action in b.touches_of(evaluation)]
    assert len(reached) == len(set(reached))
    assert len(evaluation.dispositions) == len(invoices)


@pytest.mark.parametrize("channel", [c for c in ar.Channel if c is not ar.Channel.INTERNAL])
def test_r42_one_coordinator_limits_all_channels_together(channel: ar.Channel) -> None:
    lately = b.touch(ago=1, channel=channel)
    outcome = b.of(b.run(b.invoice(dpd=9), lately))
    assert (outcome.code, outcome.until) == (Code.MIN_GAP, b.TODAY + 2 * DAY)
    two = [b.touch("t1", ago=6, channel=channel), b.touch("t2", ago=3, channel=ar.Channel.EMAIL)]
    assert b.of(b.run(b.invoice(dpd=9), *two)).code is Code.WEEK_CAP


@pytest.mark.parametrize("preset", PRESETS)
def test_r45_the_tone_is_one_of_four_and_never_beyond_formal(preset: str) -> None:
    for dpd in range(-6, 130, 2):
        for action in b.touches_of(b.run(b.invoice(dpd=dpd), policy=preset, calendar=EVERY_DAY)):
            assert action.tone in TONES


def test_r46_the_rules_of_the_house_are_data() -> None:
    def demand(day: int) -> ar.Policy:
        return b.changed("balanced", steps=[{"id": "demand", "at": day, "window": [day, 21]}])

    assert [b.of(b.run(b.invoice(dpd=9), policy=demand(day))).kind for day in (9, 10)] == ["action", "wait"]
    assert demand(9).content_hash != demand(10).content_hash


def test_r49_the_default_policy_segments_automates_adapts_ranks_and_has_a_ladder() -> None:
    policy = b.policy_of("balanced")
    assert policy.tiers.value.enabled
    assert policy.tiers.risk
    assert any(step.actor == "auto" for step in policy.steps)
    assert policy.overrides
    assert policy.escalate
    assert policy.scoring.scorer


def test_r50_balance_age_payments_and_disputes_can_be_asked_for() -> None:
    assert {"balance_base", "max_dpd", "on_time_rate_12m", "disputes_12m"} <= set(FEATURES)


def test_r59_after_the_due_date_follows_a_short_series_that_rises() -> None:
    steps = [s for s in CompiledPolicy(b.policy_of("balanced")).base.steps if s.is_touch and s.at > 0]
    assert len(steps) == 4
    ranks = [TONES[s.step.tone] for s in steps if s.step.tone is not None]
    assert ranks == [0, 1, 2, 3]


def test_r64_the_tone_follows_stage_risk_and_history() -> None:
    tones = [b.only_touch(b.run(b.invoice(dpd=dpd))).tone for dpd in (3, 9, 22)]
    assert tones == ["friendly", "direct", "firm"], "stage"
    invoice = b.invoice(dpd=10)
    broken = b.promise(on=-20, given=25)
    by_risk = [b.only_touch(b.run(invoice, *records, policy="risk_4")).tone for records in ([], [broken])]
    assert by_risk == ["friendly", "firm"], "risk"
    heard = b.touch(ago=8, step="call", covers=("i1",))
    assert b.only_touch(b.run(b.invoice("i1", 30), b.invoice("i2", 4), heard)).tone == "firm", "history"


@given(
    dpd=st.integers(0, 150),
    more_days=st.integers(0, 60),
    balance=st.integers(0, 2_000_000),
    more=st.integers(0, 500_000),
    reliable=st.integers(0, 100),
    less=st.integers(0, 100),
)
def test_r65_later_larger_and_less_reliable_never_rank_lower(
    dpd: int, more_days: int, balance: int, more: int, reliable: int, less: int
) -> None:
    share = Decimal(reliable) / 100
    here = blend_of(dpd, Decimal(balance), share)
    assert blend_of(dpd + more_days, Decimal(balance), share) >= here
    assert blend_of(dpd, Decimal(balance + more), share) >= here
    assert blend_of(dpd, Decimal(balance), max(share - Decimal(less) / 100, Decimal(0))) >= here
    assert 0 <= here <= 10_000


def test_r68_effort_goes_where_a_contact_changes_most() -> None:
    policy = b.changed("balanced", scoring={"scorer": "expected_value"})
    amounts = {"c1": (65, 900), "c2": (9, 1000), "c3": (35, 900)}
    invoices = [
        b.invoice(f"i{owner}", dpd, owner, balance_due=Decimal(amount), total=Decimal(amount))
        for owner, (dpd, amount) in amounts.items()
    ]
    ranked = [item.customer_id for item in b.run(*invoices, policy=policy).worklist if item.score > 0]
    first = list(dict.fromkeys(ranked))
    # 65 days: 14 % of 900 less 5; 35 days: 12 % of 900 less 5; 9 days: 7 % of 1000 less 5.
    assert first == [b.customer_id(name) for name in ("c1", "c3", "c2")]


@pytest.mark.parametrize("preset", ["funnel_5", "balanced"])
def test_r71_the_end_is_one_decision_that_nobody_makes_by_itself(preset: str) -> None:
    first = b.run(b.invoice(dpd=76), policy=preset)
    assert [action.kind for action in first.actions if action.kind == "decision"] == ["decision"]
    assert {command.type for command in first.writebacks} == {"set_collections_status"}
    later = b.as_of(b.TODAY + 30 * DAY)
    again = b.run(b.invoice(dpd=76), *b.logged(first), policy=preset, at=later)
    assert not [action for action in again.actions if action.kind == "decision"]


def test_c3_c5_the_first_call_and_who_is_spoken_to_differ_by_policy_and_tier() -> None:
    def first_call(preset: str, value: str) -> int:
        for dpd in range(60):
            found = b.touches_of(b.run(b.invoice(dpd=dpd), policy=preset, value=value, calendar=EVERY_DAY))
            if any(action.channel is ar.Channel.VOICE for action in found):
                return dpd
        return -1

    assert [
        first_call(*case)
        for case in (("sprint_3_5_7_10", "core"), ("funnel_5", "core"), ("funnel_5", "tail"))
    ] == [10, 22, 14]
    head = b.contact(name="head", role=ar.ContactRole.DEPARTMENT_HEAD, phone=None, mobile=None)
    ours = b.run(b.invoice(dpd=10), b.contact(phone=None, mobile=None), head, policy="sprint_3_5_7_10")
    assert (b.only_touch(ours).audience, b.only_touch(ours).contact_id) == ("department_head", head.id)
    told = b.run(b.invoice(dpd=22), policy="funnel_5")
    assert [a.notify for a in told.actions if a.code is Code.NOTIFY] == [("account_manager",)]
    assert b.only_touch(told).audience is None


@pytest.mark.parametrize("preset", PRESETS)
def test_c7_before_the_due_date_an_invoice_is_in_the_stage_before_it(preset: str) -> None:
    assert [b.of(b.run(b.invoice(dpd=dpd), policy=preset)).stage for dpd in (-30, -1)] == [
        "pre_due",
        "pre_due",
    ]
    assert b.of(b.run(b.invoice(dpd=0), policy=preset)).stage != "pre_due"


def test_c10_c11_value_says_who_acts_risk_how_soon_and_a_legal_stop_comes_before_both() -> None:
    broken = [b.promise("a", on=-40, given=45), b.promise("b", on=-20, given=25)]

    def found(value: str, *records: Any) -> list[tuple[str | None, str]]:
        evaluation = b.run(b.invoice(dpd=10), *records, policy="risk_4", value=value)
        return [(a.step, str(a.actor)) for a in b.touches_of(evaluation)]

    assert found("tail") == [("check_in", "human")]
    assert found("strategic", *broken) == found("core", *broken) == [("risk_call", "human")]
    reminder = b.run(b.invoice(dpd=7), policy="risk_4", value="strategic")
    assert b.only_touch(reminder).actor == "human", "strategic comes before the light touch of a low risk"
    assert b.only_touch(b.run(b.invoice(dpd=7), policy="risk_4")).actor == "auto"
    assert found("strategic", *broken, b.profile(flags=("legal_stop",))) == []


@pytest.mark.parametrize("preset", PRESETS)
def test_c15_a_step_that_may_be_withheld_names_what_happens_instead(preset: str) -> None:
    for step in b.policy_of(preset).steps:
        assert step.capability is None or step.otherwise is not None, step.id
    assert LintCode.SILENT_STAGE not in {finding.code for finding in ar.lint(b.policy_of(preset))}


def test_c19_days_late_today_and_days_late_by_habit_are_two_features() -> None:
    assert {"max_dpd", "wavg_days_late_12m"} <= set(FEATURES)
    asked = {name for _, rule, _ in b.policy_of("risk_4").predicates() for name in rule.features}
    assert "max_dpd" in asked
    assert "wavg_days_late_12m" not in asked


# ---- what a customer does and says (R43): each answer changes the next step in its own way


CALLED: dict[str, Any] = {"ago": 5, "step": "call", "covers": ("i1",), "channel": ar.Channel.VOICE}


@pytest.mark.parametrize("outcome", [ar.TouchOutcome.NO_ANSWER, ar.TouchOutcome.LEFT_MESSAGE])
def test_r43_a_call_that_nobody_answered_was_made_and_is_no_answer(outcome: ar.TouchOutcome) -> None:
    call = b.touch(**CALLED, outcome=outcome)
    assert b.of(b.run(b.invoice(dpd=27), call)).code is Code.NEXT_STEP, "the step is done"
    insist = b.changed("balanced", steps=[{"id": "demand", "when": "unanswered_voice >= 1"}])
    unplanned = b.touch(**{**CALLED, "step": None}, outcome=outcome)
    assert b.only_touch(b.run(b.invoice(dpd=9), unplanned, policy=insist)).step == "demand"
    late = b.run(b.invoice(dpd=60), b.touch(**{**CALLED, "ago": 30}, outcome=outcome))
    assert late.segments[0].rung == "finance_lead", "R44: no answer by day 60"
    answered = b.run(b.invoice(dpd=60), b.touch(**{**CALLED, "ago": 30}, outcome=ar.TouchOutcome.ANSWERED))
    assert answered.segments[0].rung == "automated"


def said(intent: ar.Intent, ago: int = 1, **changes: Any) -> ar.Touch:
    fields: dict[str, Any] = {"covers": ("i1",), "direction": ar.Direction.INBOUND, **changes}
    return b.touch("said", ago=ago, intent=intent, **fields)


@pytest.mark.parametrize(
    ("intent", "days", "task"),
    [
        ("promised", 2, "record_promise"),
        ("disputed", 5, "record_dispute"),
        ("missing_po", 5, "fix_purchase_order"),
        ("says_paid", 5, "verify_payment"),
        ("question", 2, "answer_question"),
        ("unknown", 2, "read_reply"),
    ],
)
def test_r43_r62_e38_an_answer_pauses_for_its_business_days_and_becomes_a_task(
    intent: str, days: int, task: str
) -> None:
    # Said on Tuesday: two business days later is Thursday, five are the next Tuesday.
    evaluation = b.run(b.invoice(dpd=14), said(ar.Intent(intent)))
    assert task in b.tasks_of(evaluation)
    resumes = b.TODAY + (1 if days == 2 else 6) * DAY
    outcome = b.of(evaluation)
    assert (outcome.code, outcome.until) == (Code.REPLY_PENDING, resumes)
    assert b.of(b.run(b.invoice(dpd=14), said(ar.Intent(intent)), at=b.as_of(resumes - DAY))).kind == "paused"
    assert b.of(b.run(b.invoice(dpd=14), said(ar.Intent(intent)), at=b.as_of(resumes))).kind != "paused"


@pytest.mark.parametrize(
    ("intent", "record"),
    [("promised", b.promise(on=1, given=1)), ("disputed", b.dispute(ago=1))],
)
def test_r43_what_was_said_is_no_task_any_more_once_it_is_on_record(intent: str, record: Any) -> None:
    assert b.tasks_of(b.run(b.invoice(dpd=14), said(ar.Intent(intent)), record)) == []


def test_r43_whoever_refuses_is_spoken_to_by_a_person_from_then_on() -> None:
    refused = said(ar.Intent.REFUSED, ago=4)
    evaluation = b.run(b.invoice(dpd=9), refused)
    assert b.only_touch(evaluation).actor == "human"
    assert "speak_to_customer" in b.tasks_of(evaluation)
    assert b.only_touch(b.run(b.invoice(dpd=9))).actor == "auto"


# ---- the register

NAMED = re.compile(r"def (test_\w+)")
ELSEWHERE = {"R47"}
"""Systems to connect: tests/faces has one face for each that is."""


def test_every_rule_is_named_by_a_test(repo_root: Path) -> None:
    rules = (repo_root / "docs" / "rules.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| ([RCEG]\d{1,2}) \|", rules, re.MULTILINE))
    named: set[str] = set()
    for folder in ("cadence", "metrics"):
        for path in (repo_root / "tests" / folder).glob("test_*.py"):
            for name in NAMED.findall(path.read_text(encoding="utf-8")):
                words = name.split("_")
                named.update(w.upper() for w in words if re.fullmatch(r"[rceg]\d{1,2}", w))
                for first, last in re.findall(r"_[rceg](\d+)_to_[rceg](\d+)", name):
                    named.update(f"{words[1][0].upper()}{n}" for n in range(int(first), int(last) + 1))
    assert sorted(listed - named - ELSEWHERE) == []
