"""Rules that nothing can fulfil, as lint tells them: each beside the nearest one that something does."""

from __future__ import annotations

from typing import Any

import pytest

from ar_core.cadence.predicates import parse_predicate
from tests.cadence.test_lint_void import Found, of
from tests.cadence.test_reading_policies import stage, step

STAGES = [stage("early", None, 7), stage("late", 8, 29), stage("end", 30, None)]
RISKS = [
    {"id": "high", "when": "max_dpd > 60", "origin": "x"},
    {"id": "rest", "otherwise": True, "origin": "x"},
]


def ruled(when: Any, **changes: Any) -> Found:
    """Of a step from day 8 on, with a rule."""
    row = {"window": [8, 20], **changes.pop("step", {})}
    return of(step("two", 10, when=when, **row), stages=STAGES, tiers={"risk": RISKS}, **changes)


def never(rule: Any) -> Found:
    said = f"`{parse_predicate(rule).text}` never holds; change the rule, or switch the step off with enabled = false"
    return [("STEP_NEVER_FIRES", "error", "steps.two.when", said)]


def never_then(rule: str, days: str = "on days 8 to 20") -> Found:
    said = f"`{parse_predicate(rule).text}` never holds {days}, when the step can go out; change the rule or the step's days"
    return [("STEP_NEVER_FIRES", "error", "steps.two.when", said)]


@pytest.mark.parametrize(
    ("dead", "alive"),
    [
        ("max_dpd > 5 and max_dpd < 3", "max_dpd > 5 and max_dpd < 30"),
        ("max_dpd > 29 and max_dpd < 31 and max_dpd != 30", "max_dpd > 29 and max_dpd < 31"),
        ("max_dpd > 29.5 and max_dpd < 30", "max_dpd > 29.5 and max_dpd <= 30"),
        ("touches < 0", "touches < 1"),
        ("touches > 1 and touches < 2", "touches > 1 and touches < 3"),
        ("touches > 1.5 and touches < 2", "touches > 1.5 and touches <= 2"),
        ("touches >= 3 and not (touches > 2)", "touches >= 3 and not (touches > 3)"),
        ("kept_ratio_12m > 1", "kept_ratio_12m >= 1"),
        ("kept_ratio_12m < 0", "kept_ratio_12m <= 0"),
        ("kept_ratio_12m > 0.5 and kept_ratio_12m < 0.5", "kept_ratio_12m > 0.5 and kept_ratio_12m < 0.51"),
        ("kept_ratio_12m < 0 or kept_ratio_12m > 1", "kept_ratio_12m < 0.5"),
        ("kept_ratio_12m > 0.5 and kept_ratio_12m <= 0.5", "kept_ratio_12m > 0.5"),
        ("balance > 100 and balance <= 100", "balance > 100"),
        ("balance > 100 and balance < 100", "balance > 100 and balance < 101"),
        ("balance < -5 and balance > -5", "balance < -5"),
        ("wavg_days_late_12m > 2 and wavg_days_late_12m <= 2", "wavg_days_late_12m > 2 and wavg_days_late_12m < 3"),
        ("order_hold and not order_hold", "order_hold or part_paid"),
        ("order_hold == True and order_hold == False", "order_hold == False"),
        ("country == 'MX' and country == 'BR'", "country == 'MX' and currency == 'BRL'"),
        ("country in ('MX', 'BR') and country not in ('BR', 'MX')", "country not in ('BR', 'MX')"),
        ("country == '' and country != ''", "country != ''"),
        ("value == core and value == tail", "value == core or value == tail"),
        ("value not in ('strategic', 'core', 'tail', 'unknown')", "value not in ('strategic', 'core', 'tail')"),
        ("risk not in ('high', 'rest')", "risk != high"),
        ("country is None and country == 'MX'", "country is None"),
        ("max_dpd is None and max_dpd > 3", "max_dpd is None"),
        ("touches is None and touches > 3", "touches is not None"),
        ("days_since_last_touch > 3 and days_since_last_touch < 4", "days_since_last_touch > 3 and days_since_last_touch < 5"),
        ("days_since_last_response > 3.5 and days_since_last_response < 4", "days_since_last_response < -1"),
        ("dpd > 19.5 and dpd < 20", "dpd > 19.5"),
        ("dpd > 12 and max_dpd < 13", "dpd > 12 and max_dpd <= 13"),
        ("stage == late and dpd < 8", "stage == late and dpd < 9"),
        ("stage == early and stage == late", "stage == late"),
        ("stage > early and stage < late", "stage > early and stage < end"),
        ("(touches > 5 or order_hold) and touches < 3 and not order_hold", "(touches > 5 or order_hold) and touches < 3"),
    ],
)  # fmt: skip
def test_a_step_never_fires_whose_rule_nothing_fulfils(dead: str, alive: str) -> None:
    assert ruled(dead) == never(dead)
    assert ruled(alive) == []


def test_a_rule_that_is_false_is_no_switch() -> None:
    assert ruled(False) == never(False)
    assert ruled(True) == []
    assert ruled(False, step={"enabled": False}) == []


@pytest.mark.parametrize(
    ("dead", "alive"),
    [
        ("dpd < 0", "dpd < 9"),
        ("dpd < 8", "dpd <= 8"),
        ("dpd > 20", "dpd >= 20"),
        ("dpd <= -7.5", "dpd >= -7.5"),
        ("max_dpd < 8", "max_dpd <= 8"),
        ("max_dpd <= 7.5", "max_dpd <= 8.5"),
        ("max_dpd < 0", "max_dpd > 500"),
        ("stage == early", "stage == late"),
        ("stage >= end", "stage < end"),
    ],
)
def test_a_step_never_fires_whose_rule_nothing_fulfils_on_its_days(dead: str, alive: str) -> None:
    assert ruled(dead) == never_then(dead)
    assert ruled(alive) == []


def test_the_days_of_a_step_are_said() -> None:
    assert ruled("dpd < 0", step={"window": None}) == never_then("dpd < 0", "from day 10 on")
    assert ruled("dpd < 0", step={"window": [8]}) == never_then("dpd < 0", "from day 8 on")
    assert ruled("dpd < 0", step={"window": [10, 10]}) == never_then("dpd < 0", "on day 10")
    assert ruled("dpd > 500", step={"window": [8]}) == []


@pytest.mark.parametrize(
    "changes", [{"catch_up": {"mode": "sequential"}}, {"grouping": {"on_lead_change": "restart"}}]
)
def test_e25_a_sequence_goes_out_after_its_windows_too(changes: dict[str, Any]) -> None:
    assert ruled("dpd > 20") == never_then("dpd > 20")
    assert ruled("dpd > 20", **changes) == []
    assert ruled("dpd < 8", **changes) == never_then("dpd < 8", "from day 8 on")


@pytest.mark.parametrize(
    ("patch", "moved"),
    [
        ({"steps": {"two": {"at": 9}}}, True),
        ({"steps": {"two": {"window": [-5, 10]}}}, True),
        ({"steps": {"*": {"at": 9}}}, True),
        ({"scale": [1, 2]}, True),
        ({"steps": {"two": {"actor": "human"}}}, False),
        ({"steps": {"one": {"at": 3}}}, False),
    ],
)
def test_a_step_that_is_moved_for_some_is_not_held_to_its_days(patch: dict[str, Any], moved: bool) -> None:
    override = {"when": "country == 'MX'", "origin": "x", **patch}
    one = step("one", 1, channels=["email", "letter"])
    two = step("two", 10, when="dpd < 0", window=[8, 20])
    assert of(one, two, overrides=[override]) == ([] if moved else never_then("dpd < 0"))
    two["when"] = "dpd < 0 and dpd > 0"
    assert of(one, two, overrides=[override]) == never("dpd < 0 and dpd > 0")


def test_c13_where_days_are_scaled_a_stage_has_no_days_of_its_own() -> None:
    scaled = {"when": "country == 'MX'", "scale": [1, 2], "origin": "x"}
    assert ruled("stage == late and dpd < 8") == never("stage == late and dpd < 8")
    assert ruled("stage == late and dpd < 8", overrides=[scaled]) == []
    assert ruled("touches < 0", overrides=[scaled]) == never("touches < 0")


def test_a_step_that_is_switched_on_for_some_is_looked_at() -> None:
    on = {"when": "country == 'MX'", "steps": {"two": {"enabled": True}}, "origin": "x"}
    other = {"when": "country == 'MX'", "steps": {"*": {"actor": "human"}}, "origin": "x"}
    assert ruled("touches < 0", step={"enabled": False}, overrides=[on]) == never("touches < 0")
    assert ruled("touches < 0", step={"enabled": False}, overrides=[other]) == []


def test_e24_a_step_that_another_requires_goes_out_whatever_its_rule_says() -> None:
    rows = [step("two", 2, when="touches < 0"), step("three", 9)]
    assert of(*rows) == never("touches < 0")
    assert of(rows[0], {**rows[1], "requires": ["two"]}) == []


def test_with_too_many_cases_nothing_is_said() -> None:
    """What a negation holds is looked at together; the parts of an `and` that share no feature are not."""
    texts = [
        f"{name} in ('AAA', 'BBB', 'CCC')" for name in ("country", "language", "currency", "invoice_currency")
    ]
    # Five values of each of these, four of each count: 10,000 cases.
    most = " and ".join([*texts, "unanswered_sms > 5", "touches > 5", "touches <= 5"])
    assert ruled(f"not (not ({most}))") == never(f"not (not ({most}))")
    assert ruled(f"not (not ({most} and order_hold))") == []
    assert ruled(f"{most} and order_hold") == never(f"{most} and order_hold")


def test_of_risk_rules_with_too_many_cases_nothing_is_said() -> None:
    later = (
        "(country in ('AAA', 'BBB', 'CCC') and language in ('AAA', 'BBB', 'CCC') and currency in ('AAA', 'BBB', 'CCC')"
        " and balance_base > 5 and overdue_base > 5 and settled_12m > 5 and open_promises > 2) and touches > 2"
    )
    for rule, codes in ((f"not (not ({later}))", []), (later, ["UNREACHABLE_RULE"])):
        risks = [
            {"id": "a", "when": "disputes_12m > 5 or order_hold or touches > 2", "origin": "x"},
            {"id": "b", "when": rule, "origin": "x"},
            {"id": "c", "otherwise": True, "origin": "x"},
        ]
        assert [code for code, *_ in of(tiers={"risk": risks})] == codes


def test_no_rule_may_be_one_that_never_holds() -> None:
    rule = "touches > 5 and touches < 3"
    said = f"`{rule}` never holds, so this does nothing; change the rule or leave it out"
    risks = [{"id": "high", "when": rule, "origin": "x"}, {"id": "rest", "otherwise": True, "origin": "x"}]
    gap = [{"id": "rest", "otherwise": True, "gap": rule, "origin": "x"}]
    override = {"when": rule, "actor": "human", "origin": "x"}
    rung = {"rung": "personal", "when": rule, "origin": "x"}
    notice = {"id": "tell", "when": rule, "to": ["us"], "origin": "x"}
    for path, changes in (
        ("tiers.risk.high", {"tiers": {"risk": risks}}),
        ("tiers.risk.rest.gap", {"tiers": {"risk": gap}}),
        ("overrides[0].when", {"overrides": [override]}),
        ("escalate[0].when", {"escalate": [rung]}),
        ("notices.tell.when", {"notices": [notice]}),
    ):
        assert of(**changes) == [("UNREACHABLE_RULE", "warning", path, said)]
    forced = {**rung, "forced_by_dpd": 0}
    assert of(escalate=[forced]) == []
    assert of(escalate=[forced, rung]) == [("UNREACHABLE_RULE", "warning", "escalate[1].when", said)]
    assert of(overrides=[{**override, "when": "touches > 2 and touches < 5"}]) == []
    assert of(notices=[{**notice, "when": "dpd < 0"}]) == []


def test_each_step_is_looked_at_and_one_that_needs_a_capability_as_any_other() -> None:
    dead = "max_dpd > 5 and max_dpd < 3"
    rows = [
        step("one", 3, when=dead),
        step("two", 10),
        step("three", 12, when="max_dpd > 5"),
        step("four", 15, when=dead, capability="will_pursue_legal"),
    ]
    told = [where for code, _, where, _ in of(*rows, stages=STAGES) if code == "STEP_NEVER_FIRES"]
    assert told == ["steps.four.when", "steps.one.when"]
