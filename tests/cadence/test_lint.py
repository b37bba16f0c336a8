"""Every finding of lint in its own words, at its own place, at the limits at which it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.cadence.lint import LintCode
from tests.cadence import books as b
from tests.cadence.test_policies import minimal, two_steps, without_else

ONLY_EMAIL = "nothing but email is used: add a second channel for those it does not reach"
ALONE = ("SINGLE_CHANNEL_POLICY", "warning", "steps", ONLY_EMAIL)
AI = (
    "people only contact strategic customers, and an AI voice is a machine: there a person makes this contact; "
    "say `either`, or plan for it"
)
STAGE = "firm in stage all, whose tone is friendly; the step's tone counts"
CONTRADICT = (
    "where overrides[0] holds as well, step one is none any more: the day `at` = 18 lies outside the window [7, 14]; "
    "say both changes in one of them, or let their rules exclude each other"
)
SHARES = (
    "strategic and core together are 1.1 of all customers, so none is tail; "
    "lower one of them until together they are at most 1"
)
MISMATCH = ("TONE_STAGE_MISMATCH", "info", "steps.one.tone", STAGE)
DUE_TODAY = (
    "WINDOW_TOO_SHORT",
    "info",
    "steps.due_today.window",
    "it is open for 1 day from day 0; a weekend of 2 days can hide it altogether",
)


def found(policy: ar.Policy, **options: Any) -> list[tuple[str, str, str, str]]:
    rows = [(f.code.value, f.severity.value, f.path, f.message) for f in ar.lint(policy, **options)]
    return [row for row in rows if row not in (MISMATCH, DUE_TODAY)]


def steps(*rows: tuple[str, int, int], **limits: Any) -> ar.Policy:
    """Steps as (name, day, last day of its window)."""
    ladder = [
        {"id": name, "at": day, "window": [day, last], "channels": ["email", "letter"], "origin": "x"}
        for name, day, last in rows
    ]
    return ar.load_policy(minimal(steps=ladder, limits=limits))


def short(name: str, days: int, day: int) -> tuple[str, str, str, str]:
    length = "1 day" if days == 1 else f"{days} days"
    text = f"it is open for {length} from day {day}; a weekend of 2 days can hide it altogether"
    return ("WINDOW_TOO_SHORT", "warning", f"steps.{name}.window", text)


def threat(clause: str, capability: str) -> tuple[str, str, str, str]:
    text = f"`{clause}` is never mentioned while capabilities.{capability} is false"
    return ("THREAT_WITHOUT_CAPABILITY", "error", "steps.two.clauses", text)


EARLY = {
    "id": "one",
    "at": -4,
    "window": [-5, -1],
    "purpose": "pre_due",
    "channels": ["email", "letter"],
    "origin": "x",
}
CASES: dict[str, tuple[Callable[[], ar.Policy], list[tuple[str, str, str, str]]]] = {
    "stages with ends": (
        lambda: ar.load_policy(minimal(stages=[{"id": "all", "from": 3, "to": 50, "origin": "x"}])),
        [
            (
                "STAGE_NOT_TOTAL",
                "error",
                "stages.all.to",
                "days after 50 belong to no stage; leave `to` out of the last stage",
            ),
            (
                "STAGE_NOT_TOTAL",
                "warning",
                "stages.all.from",
                "days before 3 belong to no stage; leave `from` out of the first stage",
            ),
            ALONE,
        ],
    ),
    "a step before the first stage": (
        lambda: ar.load_policy(minimal(stages=[{"id": "all", "from": -4, "origin": "x"}], steps=[EARLY])),
        [
            (
                "STAGE_NOT_TOTAL",
                "warning",
                "stages.all.from",
                "days before -4 belong to no stage; leave `from` out of the first stage",
            )
        ],
    ),
    "the first stage begins with the first window": (
        lambda: ar.load_policy(minimal(stages=[{"id": "all", "from": -5, "origin": "x"}], steps=[EARLY])),
        [],
    ),
    "a stage that is silent": (
        lambda: without_else("letter"),
        [
            (
                "SILENT_STAGE",
                "error",
                "stages.pre_legal",
                "nothing goes out in it: letter needs will_pursue_legal; declare it or give the step an `else`",
            )
        ],
    ),
    "threats": (
        lambda: two_steps(clauses=["legal", "order_hold", "agency"]),
        [
            threat("legal", "will_pursue_legal"),
            threat("order_hold", "can_hold_orders"),
            threat("agency", "uses_agency"),
        ],
    ),
    "a threat that its step's capability covers": (
        lambda: two_steps(
            clauses=["legal"], capability="will_pursue_legal", **{"else": {"channels": ["email", "letter"]}}
        ),
        [],
    ),
    "two on one day": (
        lambda: two_steps(at=1),
        [
            (
                "STEP_NEVER_FIRES",
                "error",
                "steps.one",
                "two falls on the same day 1 and always takes its place",
            )
        ],
    ),
    "a window that ends within the gap": (
        lambda: steps(("one", 1, 9), ("two", 2, 3)),
        [
            (
                "STEP_NEVER_FIRES",
                "warning",
                "steps.two",
                "its window ends on day 3, before the gap of 3 days after one is over",
            ),
            short("two", 2, 2),
        ],
    ),
    "a window that ends as the gap does": (lambda: steps(("one", 1, 9), ("two", 2, 4)), []),
    "a contact too many": (
        lambda: steps(("one", 1, 9), ("two", 3, 9), ("three", 5, 7), min_gap_days=0),
        [
            (
                "STEP_NEVER_FIRES",
                "warning",
                "steps.three",
                "it is contact 3 within 7 days; limits.max_touches_per_7d is 2 and frees after its window",
            )
        ],
    ),
    "a window that lasts until the week is over": (
        lambda: steps(("one", 1, 9), ("two", 3, 9), ("three", 5, 8), min_gap_days=0),
        [],
    ),
    "a week between the first and the third": (
        lambda: steps(("one", 1, 9), ("two", 3, 9), ("three", 8, 10), min_gap_days=0),
        [],
    ),
    "no cap": (
        lambda: steps(("one", 1, 9), ("two", 3, 9), ("three", 5, 7), min_gap_days=0, max_touches_per_7d=None),
        [],
    ),
    "a milder tone": (
        lambda: two_steps(tone="friendly"),
        [("TONE_GOES_BACK", "warning", "steps.two.tone", "friendly comes after firm (one)")],
    ),
    "the same tone": (
        lambda: two_steps(tone="firm"),
        [("TONE_STAGE_MISMATCH", "info", "steps.two.tone", STAGE)],
    ),
    "a check-in may be milder": (lambda: two_steps(tone="friendly", purpose="check_in"), []),
    "one channel": (
        lambda: ar.load_policy(
            minimal(
                steps=[
                    {"id": n, "at": d, "channels": ["email"], "origin": "x"}
                    for n, d in (("one", 1), ("two", 9))
                ]
            )
        ),
        [ALONE],
    ),
    "one step": (
        lambda: ar.load_policy(minimal()),
        [ALONE],
    ),
    "one step with two channels": (
        lambda: ar.load_policy(minimal(steps=[{**minimal()["steps"][0], "channels": ["email", "voice"]}])),
        [],
    ),
    "a rare channel": (
        lambda: two_steps(channels=["letter"]),
        [
            (
                "NO_FALLBACK",
                "warning",
                "steps.two.channels",
                "only letter: add a channel for customers it does not reach",
            )
        ],
    ),
    "a short window": (lambda: two_steps(window=[5, 6]), [short("two", 2, 5)]),
    "a window of three days": (lambda: two_steps(window=[5, 7]), []),
    "a short window that is off": (
        lambda: two_steps(window=[5, 6], enabled=False),
        [ALONE],
    ),
    "a text message": (
        lambda: two_steps(channels=["sms", "email"]),
        [
            (
                "SMS_NOT_URGENT",
                "warning",
                "steps.two",
                "text messages are for urgent nudges or a quick link: set urgency = 'high' or purpose = 'pay_link'",
            ),
            (
                "SMS_WITHOUT_LINK",
                "warning",
                "steps.two.needs",
                "a text message holds the amount and a payment link: add needs = ['pay_link']",
            ),
        ],
    ),
    "a text message as it should be": (
        lambda: two_steps(channels=["sms", "email"], needs=["pay_link"], urgency="high"),
        [],
    ),
    "a machine where people are wanted": (
        lambda: two_steps(channels=["whatsapp", "sms"], actor="ai", needs=["pay_link"], urgency="high"),
        [
            (
                "HUMAN_ONLY_AI_STEP",
                "warning",
                "steps.two.actor",
                AI,
            )
        ],
    ),
    "an AI voice": (
        lambda: two_steps(channels=["voice", "email"], actor="ai"),
        [("HUMAN_ONLY_AI_STEP", "warning", "steps.two.actor", AI)],
    ),
    "an AI that stands in": (
        lambda: two_steps(alternatives=[{"channels": ["voice"], "actor": "ai"}]),
        [("HUMAN_ONLY_AI_STEP", "warning", "steps.two.actor", AI)],
    ),
    "a person or a machine": (lambda: two_steps(channels=["voice", "email"], actor="either"), []),
    "an AI where everybody may be called by one": (
        lambda: ar.load_policy(
            minimal(
                steps=[{**minimal()["steps"][0], "channels": ["voice", "email"], "actor": "ai"}],
                tiers={"value": {"enabled": False}},
            )
        ),
        [],
    ),
    "a formal word from nobody": (
        lambda: two_steps(tone="formal"),
        [
            (
                "UNNAMED_SENDER",
                "info",
                "steps.two.sender_role",
                "a formal message comes from a named person: say which role sends it",
            ),
            ("TONE_STAGE_MISMATCH", "info", "steps.two.tone", STAGE.replace("firm", "formal", 1)),
        ],
    ),
    "a formal word from somebody": (
        lambda: two_steps(tone="formal", sender_role="collector"),
        [("TONE_STAGE_MISMATCH", "info", "steps.two.tone", STAGE.replace("firm", "formal", 1))],
    ),
    "a required step that is off": (
        lambda: b.changed("balanced", steps=[{"id": "demand", "enabled": False}]),
        [
            (
                "REQUIRED_STEP_DISABLED",
                "error",
                "steps.letter.requires",
                "demand is switched off and never goes out",
            )
        ],
    ),
    "risk without rules": (
        lambda: ar.load_policy(
            minimal(escalate=[{"rung": "finance_lead", "when": "risk is not None", "origin": "x"}])
        ),
        [
            (
                "NO_RISK_RULES",
                "error",
                "escalate[0].when",
                "it asks for the risk tier, and tiers.risk is empty",
            ),
            ALONE,
        ],
    ),
    "a rule that always holds": (
        lambda: ar.load_policy(
            minimal(
                tiers={
                    "risk": [
                        {"id": "a", "when": True, "origin": "x"},
                        {"id": "b", "when": "max_dpd > 5", "origin": "x"},
                        {"id": "c", "otherwise": True, "origin": "x"},
                    ]
                }
            )
        ),
        [
            (
                "UNREACHABLE_RULE",
                "error",
                "tiers.risk.a",
                "it always holds, so the rules after it are never asked",
            ),
            ALONE,
        ],
    ),
    "an override of a step that is off": (
        lambda: b.changed(
            "balanced",
            overrides=[
                {
                    "when": "value == core",
                    "steps": {"*": {"actor": "human"}, "first": {"at": 2}},
                    "origin": "x",
                },
                {"when": "value == core", "steps": {"nudge_sms": {"at": 6}}, "origin": "x"},
                {"when": "value == tail", "steps": {"nudge_sms": {"enabled": True}}, "origin": "x"},
            ],
        ),
        [
            (
                "UNREACHABLE_RULE",
                "warning",
                "overrides[1].steps.nudge_sms",
                "nudge_sms is switched off, so this changes nothing",
            )
        ],
    ),
    "a step before the one it requires": (
        lambda: ar.load_policy(
            minimal(
                steps=[
                    {
                        "id": "one",
                        "at": 22,
                        "requires": ["two"],
                        "channels": ["email", "voice"],
                        "origin": "x",
                    },
                    {"id": "two", "at": 46, "channels": ["email", "letter"], "origin": "x"},
                ]
            )
        ),
        [
            (
                "REQUIRES_LATER_STEP",
                "error",
                "steps.one.requires",
                "it falls on day 22 and requires two, which comes later, on day 46; move one of them, or do not require it",
            )
        ],
    ),
    "values that nobody finds": (
        lambda: ar.load_policy(
            minimal(
                overrides=[{"when": "value == tail", "actor": "auto", "origin": "x"}],
                tiers={"value": {"enabled": False}},
            )
        ),
        [
            (
                "NO_VALUE_TIERS",
                "warning",
                "overrides[0].when",
                "it asks for value, which is unknown while tiers.value.enabled is false; switch the tiers on, or change the rule",
            ),
            ALONE,
        ],
    ),
    "an override that sets nothing and shares that are too large": (
        lambda: ar.load_policy(
            minimal(
                overrides=[{"when": "value == tail", "origin": "x"}],
                tiers={"value": {"strategic": "0.5", "core": "0.6"}},
            )
        ),
        [
            (
                "VOID_SETTING",
                "warning",
                "overrides[0]",
                "it sets nothing; say what it changes, such as actor, notify, steps or scale, or leave it out",
            ),
            ALONE,
            (
                "SHARES_ABOVE_ONE",
                "warning",
                "tiers.value",
                SHARES,
            ),
        ],
    ),
    "overrides that contradict each other": (
        lambda: ar.load_policy(
            minimal(
                steps=[
                    {**minimal()["steps"][0], "at": 8, "window": [7, 20], "channels": ["email", "letter"]}
                ],
                overrides=[
                    {"when": "value == tail", "steps": {"one": {"at": 18}}, "origin": "x"},
                    {"when": "country == 'DE'", "steps": {"one": {"window": [7, 14]}}, "origin": "x"},
                ],
            )
        ),
        [
            (
                "OVERRIDES_CONTRADICT",
                "error",
                "overrides[1]",
                CONTRADICT,
            ),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(case: str) -> None:
    policy, expected = CASES[case]
    assert found(policy()) == expected


def test_every_weakness_has_its_case() -> None:
    assert {row[0] for _, rows in CASES.values() for row in rows} == {code.value for code in LintCode}


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_said_of_the_presets(preset: str) -> None:
    stage = "sprint" if preset.startswith("sprint") else "overdue"
    tones = {
        "sequential_notices": {"notice_2": "direct", "notice_3": "firm", "notice_4": "formal"},
        "sprint_3_5_10": {"escalated": "firm", "second": "direct"},
        "sprint_3_5_7_10": {"call_or_head": "firm", "second_email": "firm"},
    }
    expected = [
        (
            "TONE_STAGE_MISMATCH",
            "info",
            f"steps.{step}.tone",
            f"{tone} in stage {stage}, whose tone is friendly; the step's tone counts",
        )
        for step, tone in tones.get(preset, {}).items()
    ]
    if preset == "sequential_notices":
        text = "a formal message comes from a named person: say which role sends it"
        expected.insert(2, ("UNNAMED_SENDER", "info", "steps.notice_4.sender_role", text))
    if preset == "xero_parity":
        expected = [ALONE]
    if preset == "risk_4":  # its rungs are there for who declares what they need
        expected = [
            (
                "THREAT_WITHOUT_CAPABILITY",
                "info",
                f"escalate[{place}].rung",
                f"it calls for finance_lead instead of {rung} while capabilities.{name} is false; declare it if it is so",
            )
            for place, rung, name in ((1, "order_hold", "can_hold_orders"), (2, "referral", "uses_agency"))
        ]
    assert found(b.policy_of(preset)) == expected


def test_e5_a_calendar_with_longer_weekends_needs_longer_windows() -> None:
    long = ar.WeekendCalendar(weekend=frozenset({4, 5, 6}))
    text = "it is open for 3 days from day 5; a weekend of 3 days can hide it altogether"
    assert ("WINDOW_TOO_SHORT", "warning", "steps.two.window", text) in found(
        two_steps(window=[5, 7]), calendar=long
    )
    always = ar.WeekendCalendar(weekend=frozenset())
    assert found(two_steps(window=[5, 5]), calendar=always) == []
