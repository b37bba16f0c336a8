"""What lint says of settings that are dead or void: each beside the nearest one of which it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, step

NEW = {
    "STEP_NEVER_FIRES",
    "UNREACHABLE_RULE",
    "REQUIRES_LATER_STEP",
    "THREAT_WITHOUT_CAPABILITY",
    "NO_VALUE_TIERS",
    "VOID_SETTING",
    "SHARES_ABOVE_ONE",
}
Found = list[tuple[str, str, str, str]]


def found(policy: ar.Policy) -> Found:
    return [
        (f.code.value, f.severity.value, f.path, f.message) for f in ar.lint(policy) if f.code.value in NEW
    ]


def of(*rows: dict[str, Any], **changes: Any) -> Found:
    steps = list(rows) or [step(channels=["email", "letter"])]
    return found(ar.load_policy(minimal(steps=steps, **changes)))


def test_e24_a_step_requires_no_later_one() -> None:
    one = step("one", 22, requires=["two"])
    said = "it falls on day 22 and requires two, which comes later, on day 46; move one of them, or do not require it"
    finding = ("REQUIRES_LATER_STEP", "error", "steps.one.requires", said)
    assert of(one, step("two", 46)) == [finding]
    assert of(one, step("two", 23)) == [(*finding[:3], said.replace("46", "23"))]
    assert of(one, step("two", 21)) == []
    assert of(one, step("two", 22, repeat_every=7)) == []
    assert [f.code.value for f in ar.lint(ar.load_policy(minimal(steps=[one, step("two", 46, enabled=False)])))] == [
        "REQUIRED_STEP_DISABLED",
        "SINGLE_CHANNEL_POLICY",
    ]  # fmt: skip
    both = step("one", 22, requires=["off", "two"])
    assert finding in of(both, step("off", 1, enabled=False), step("two", 46))


def test_e27_a_step_keeps_a_channel_that_may_be_used() -> None:
    said = "limits.per_channel allows no contact by email; raise the cap or add another channel"
    finding = ("STEP_NEVER_FIRES", "error", "steps.one.channels", said)
    none = {"limits": {"per_channel": {"email": 0}}}
    assert of(step(), **none) == [finding]
    assert of(step(repeat_every=7), **none) == [finding]
    assert of(step(), limits={"per_channel": {"email": 1}}) == []
    assert of(step(channels=["email", "voice"]), **none) == []
    assert of(step(alternatives=[{"channels": ["voice"]}]), **none) == []
    assert of(step(kind="internal", channels=["email"]), step("two", 5, channels=["voice"]), **none) == []
    assert of(step(alternatives=[{"channels": ["letter"]}, {"channels": ["email"]}]),
              limits={"per_channel": {"letter": 0, "email": 0, "voice": 0}}) == [
        (*finding[:3], said.replace("email", "email or letter"))
    ]  # fmt: skip


def test_a_touch_whose_ways_have_no_channel_is_not_one_of_a_cap() -> None:
    blank = step(channels=[], alternatives=[{"actor": "human"}])
    assert of(blank, limits={"per_channel": {"email": 0}}) == []


def only(*channels: str, **changes: Any) -> dict[str, Any]:
    return {"when": "country == 'MX'", "only_channels": list(channels), "origin": "x", **changes}


def test_an_override_leaves_only_channels_that_steps_have() -> None:
    rows = [step("one", 1), step("two", 5, channels=["voice", "letter"]), step("three", 9, channels=["sms"])]
    said = (
        "steps without voice or letter keep their own channels: one, three; add voice or letter to them, "
        "or switch them off for these customers"
    )
    finding = ("VOID_SETTING", "warning", "overrides[0].only_channels", said)
    assert of(*rows, overrides=[only("voice", "letter")]) == [finding]
    assert of(*rows, overrides=[only("email", "voice", "sms")]) == []
    off = {name: {"enabled": False} for name in ("one", "three")}
    assert of(*rows, overrides=[only("voice", "letter", steps=off)]) == []
    assert of(*rows, overrides=[only("voice", "letter", steps={"*": {"enabled": False}})]) == []
    assert of(*rows, overrides=[only("voice", "letter", steps={"one": {"actor": "human"}})]) == [finding]
    given = {name: {"channels": ["email", "voice"]} for name in ("one", "three")}
    assert of(*rows, overrides=[only("voice", "letter", steps=given)]) == []
    assert (
        of(*rows, overrides=[only("voice"), {"when": "order_hold", "add_channels": ["voice"], "origin": "x"}])
        == []
    )
    quiet = [rows[0], {**rows[1], "enabled": False}, {**rows[2], "kind": "internal"}]
    assert of(*quiet, overrides=[only("email")]) == []


def risky(*rules: Any) -> Found:
    rows = [
        {"id": f"r{place}", **(rule if isinstance(rule, dict) else {"when": rule}), "origin": "x"}
        for place, rule in enumerate(rules)
    ]
    return of(tiers={"risk": [*rows, {"id": "rest", "otherwise": True, "origin": "x"}]})


def shadowed(name: str, text: str, before: str = "r0") -> tuple[str, str, str, str]:
    said = f"{before} comes before it and holds wherever `{text}` does, so it is never reached; put it before {before}"
    return ("UNREACHABLE_RULE", "error", f"tiers.risk.{name}", said)


def test_c9_a_risk_rule_is_not_shadowed_by_one_before_it() -> None:
    assert risky("max_dpd >= 60", "max_dpd >= 90") == [shadowed("r1", "max_dpd >= 90")]
    assert risky("max_dpd >= 90", "max_dpd >= 60") == []
    assert risky("max_dpd > 60", "max_dpd >= 60") == []
    assert risky("max_dpd >= 60", "max_dpd > 59") == [shadowed("r1", "max_dpd > 59")]
    assert risky("max_dpd >= 60", "touches >= 90") == []
    assert risky("touches >= 60", "max_dpd >= 60", "max_dpd >= 60", "max_dpd == 70") == [
        shadowed("r2", "max_dpd >= 60", "r1"),
        shadowed("r3", "max_dpd == 70", "r1"),
    ]
    assert risky({"any": ["max_dpd >= 60", "order_hold"]}, {"all": ["max_dpd > 70", "touches > 3"]}) == [
        shadowed("r1", "max_dpd > 70 and touches > 3")
    ]


def test_c9_a_risk_rule_without_an_answer_does_not_shadow() -> None:
    assert risky("on_time_rate_12m >= 0", "on_time_rate_12m is None") == []
    assert risky("on_time_rate_12m >= 0", "on_time_rate_12m is not None") == [
        shadowed("r1", "on_time_rate_12m is not None")
    ]


def test_c9_what_holds_always_or_never_is_told_once() -> None:
    always = "it always holds, so the rules after it are never asked"
    assert risky(True, "max_dpd > 5") == [("UNREACHABLE_RULE", "error", "tiers.risk.r0", always)]
    never_holds = "`touches < 0` never holds, so this does nothing; change the rule or leave it out"
    assert risky("max_dpd > 5", "touches < 0", "max_dpd > 6") == [
        shadowed("r2", "max_dpd > 6"),
        ("UNREACHABLE_RULE", "warning", "tiers.risk.r1", never_holds),
    ]


def test_r18_an_order_hold_is_proposed_only_where_it_is_declared() -> None:
    said = (
        "no order hold is proposed while capabilities.can_hold_orders is false; declare it, or leave this out"
    )
    on = {"writeback": {"order_hold": True}}
    assert of(**on) == [("THREAT_WITHOUT_CAPABILITY", "warning", "writeback.order_hold", said)]
    assert of(**on, capabilities={"can_hold_orders": True}) == []
    assert of(writeback={"order_hold": False}) == []


@pytest.mark.parametrize(("rung", "name"), [("order_hold", "can_hold_orders"), ("referral", "uses_agency")])
def test_r18_a_rung_that_is_not_declared_is_told(rung: str, name: str) -> None:
    ladder = [{"rung": r, "when": "max_dpd > 60", "origin": "x"} for r in ("finance_lead", rung)]
    said = f"it calls for finance_lead instead of {rung} while capabilities.{name} is false; declare it if it is so"
    other = ({"can_hold_orders", "uses_agency"} - {name}).pop()
    finding = [("THREAT_WITHOUT_CAPABILITY", "info", "escalate[1].rung", said)]
    assert of(escalate=ladder, capabilities={other: True}) == finding
    assert of(escalate=ladder, capabilities={name: True}) == []


def test_r19_no_rule_asks_for_a_value_that_is_not_found() -> None:
    def rules(when: str, enabled: bool) -> Found:
        override = {"when": when, "actor": "human", "origin": "x"}
        return of(overrides=[override], tiers={"value": {"enabled": enabled}})

    def said(name: str) -> tuple[str, str, str, str]:
        text = f"it asks for {name}, which is unknown while tiers.value.enabled is false; switch the tiers on, or change the rule"
        return ("NO_VALUE_TIERS", "warning", "overrides[0].when", text)

    assert rules("value == strategic", True) == []
    assert rules("value == strategic", False) == [said("value")]
    both = "value == strategic or value == core or lifetime_value > 5"
    assert rules(both, False) == [said("lifetime_value"), said("value")]
    assert rules("value is None or order_hold", False) == []
    assert rules("value is not None or order_hold", False) == []


def test_c18_shares_are_no_more_than_all_customers() -> None:
    def shares(strategic: str, core: str, enabled: bool = True) -> Found:
        return of(tiers={"value": {"strategic": strategic, "core": core, "enabled": enabled}})

    said = (
        "strategic and core together are 1.01 of all customers, so none is tail; "
        "lower one of them until together they are at most 1"
    )
    assert shares("0.41", "0.60") == [("SHARES_ABOVE_ONE", "warning", "tiers.value", said)]
    assert shares("0.40", "0.60") == []
    assert shares("0.41", "0.60", enabled=False) == []


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "human"},
        {"sender_role": "collector"},
        {"notify": ["us"]},
        {"add_channels": ["letter"]},
        {"only_channels": ["email"]},
        {"scale": [1, 2]},
        {"steps": {"one": {"at": 0}}},
        {"steps": {"*": {"enabled": False}}},
    ],
)
def test_an_override_sets_something(change: dict[str, Any]) -> None:
    blank = {"when": "country == 'MX'", "origin": "x"}
    said = "it sets nothing; say what it changes, such as actor, notify, steps or scale, or leave it out"
    row = step(channels=["email", "voice"])
    nothing: dict[str, Any]
    for nothing in ({}, {"steps": {"one": {}}}):
        assert of(row, overrides=[{**blank, **change}, {**blank, **nothing}]) == [
            ("VOID_SETTING", "warning", "overrides[1]", said)
        ]


def test_who_takes_the_preset_without_tiers_is_told_what_is_void() -> None:
    policy = b.changed("balanced", tiers={"value": {"enabled": False}})
    assert [(f[0], f[2]) for f in found(policy)] == [
        ("NO_VALUE_TIERS", "notices.strategic_stage_1.when"),
        ("NO_VALUE_TIERS", "overrides[0].when"),
        ("NO_VALUE_TIERS", "overrides[2].when"),
    ]
