"""Policies as data: what is refused and where, inheritance, lint and diff."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import ar_core as ar
from ar_core.cadence import PRESETS, policy_json_schema, preset_text
from ar_core.cadence.lint import LintCode, Severity
from ar_core.cadence.predicates import PredicateError, parse_predicate
from tests.cadence import books as b


def minimal(**changes: Any) -> dict[str, Any]:
    return {
        "id": "mine",
        "stages": [{"id": "all", "origin": "test"}],
        "steps": [{"id": "one", "at": 1, "channels": ["email"], "origin": "test"}],
        **changes,
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_by_its_own_schema_and_says_what_it_is(preset: str) -> None:
    policy = b.policy_of(preset)
    jsonschema.validate(policy.resolved(), policy_json_schema())
    assert policy.description
    assert policy.ref == f"{preset}@1"
    assert ar.load_policy(f"{preset}@1") is ar.load_policy(f"{preset}@1")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"colour": 1}, "colour"),
        (
            {"steps": [{"id": "one", "at": 1, "channels": ["pigeon"], "origin": "x"}]},
            "steps[0] (one).channels[0]",
        ),
        ({"steps": [{"id": "one", "at": 1, "channels": ["email"]}]}, "steps[0] (one).origin"),
        (
            {"steps": [{"id": "one", "at": 9, "window": [1, 5], "channels": ["email"], "origin": "x"}]},
            "outside the window",
        ),
        (
            {"steps": [{"id": "one", "at": 1, "window": [5, 1], "channels": ["email"], "origin": "x"}]},
            "steps[0] (one).window",
        ),
        ({"steps": [{"id": "one", "at": 1, "origin": "x"}]}, "at least one channel"),
        ({"steps": [{"id": "one", "at": 1, "kind": "decision", "origin": "x"}]}, "needs options"),
        (
            {"stages": [{"id": "a", "to": 5, "origin": "x"}, {"id": "b", "from": 7, "origin": "x"}]},
            "gap or overlap",
        ),
        (
            {"stages": [{"id": "a", "to": 5, "origin": "x"}, {"id": "b", "from": 5, "origin": "x"}]},
            "gap or overlap",
        ),
        ({"tiers": {"risk": [{"id": "a", "when": "max_dpd > 1", "origin": "x"}]}}, "must be total"),
        (
            {"overrides": [{"when": "value == core", "steps": {"nine": {"at": 1}}, "origin": "x"}]},
            "which is no step",
        ),
        (
            {"overrides": [{"when": "dpd > 5", "steps": {"one": {"at": 1}}, "origin": "x"}]},
            "belongs to one invoice",
        ),
        ({"escalate": [{"rung": "finance_lead", "when": "max_dpd >> 3", "origin": "x"}]}, "escalate[0].when"),
        ({"clock": {"not_before": "17:00:00", "not_after": "09:00:00"}}, "sending hours"),
    ],
)
def test_an_error_names_its_place_in_the_policy(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(ar.PolicyError) as caught:
        ar.load_policy(minimal(**changes))
    assert place in str(caught.value)


def test_steps_may_not_require_each_other_in_a_circle() -> None:
    steps = [
        {"id": "one", "at": 1, "channels": ["email"], "requires": ["two"], "origin": "x"},
        {"id": "two", "at": 2, "channels": ["email"], "requires": ["one"], "origin": "x"},
    ]
    with pytest.raises(ar.PolicyError, match="circle"):
        ar.load_policy(minimal(steps=steps))


def requiring(needs: dict[str, list[str]]) -> ar.Policy:
    """A policy whose steps require others."""
    steps = [
        {"id": name, "at": day, "channels": ["email"], "requires": others, "origin": "x"}
        for day, (name, others) in enumerate(needs.items())
    ]
    return ar.load_policy(minimal(steps=steps))


def test_a_circle_of_steps_is_told_in_the_order_in_which_they_require_each_other() -> None:
    with pytest.raises(
        ar.PolicyError, match=r"in a circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)$"
    ):
        requiring({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})


def test_steps_may_require_many_others_that_require_the_same_and_long_chains() -> None:
    """Without remembering what was looked at, sixty steps that require both of the pair before take years."""
    pairs: dict[str, list[str]] = {"a0": [], "b0": []} | {
        f"{one}{n}": [f"a{n - 1}", f"b{n - 1}"] for n in range(1, 40) for one in "ab"
    }
    assert len(requiring(pairs).steps) == 80
    chain: dict[str, list[str]] = {"s0": []} | {f"s{n}": [f"s{n - 1}"] for n in range(1, 1500)}
    assert len(requiring(chain).steps) == 1500


@pytest.mark.parametrize("suffix", [".toml", ".json", ".yaml"])
def test_a_policy_is_read_from_toml_json_and_yaml_alike(tmp_path: Path, suffix: str) -> None:
    texts = {
        ".toml": 'id = "mine"\nextends = "balanced@1"\n[limits]\nmin_gap_days = 9\n[tiers.value]\nstrategic = 0.1\n',
        ".json": '{"id": "mine", "extends": "balanced@1", "limits": {"min_gap_days": 9}, "tiers": {"value": {"strategic": 0.1}}}',
        ".yaml": "id: mine\nextends: balanced@1\nlimits: {min_gap_days: 9}\ntiers: {value: {strategic: 0.1}}\n",
    }
    path = tmp_path / f"policy{suffix}"
    path.write_text(texts[suffix], encoding="utf-8")
    policy = ar.load_policy(path)
    assert (policy.id, policy.limits.min_gap_days) == ("mine", 9)
    assert policy.tiers.value.strategic == Decimal("0.1")
    assert len(policy.steps) == len(b.policy_of("balanced").steps)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.toml", "id = 'x'\nsteps = = 1\n", "line 2"),
        ("a.json", '{"id":\n ]', "line 2"),
        ("a.yaml", "id: x\n\tb: 1\n", "line 2"),
    ],
)
def test_an_unreadable_file_names_the_line(tmp_path: Path, name: str, text: str, line: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ar.PolicyError, match=line):
        ar.load_policy(path)


def test_what_extends_a_preset_overlays_it_by_name() -> None:
    policy = ar.load_policy(
        {
            "id": "mine",
            "extends": "balanced",
            "steps": [
                {"id": "demand", "at": 9},
                {"id": "extra", "at": 30, "channels": ["email"], "origin": "ours"},
            ],
            "remove_steps": ["heads_up"],
        }
    )
    assert [s.id for s in policy.steps] == [
        "due_today",
        "first",
        "nudge_sms",
        "demand",
        "call",
        "letter",
        "decide",
        "extra",
    ]
    assert next(s for s in policy.steps if s.id == "demand").at == 9


@pytest.mark.parametrize("source", ["nothing", "balanced@7", {"id": "mine", "extends": "nothing"}])
def test_an_unknown_preset_or_version_says_what_there_is(source: Any) -> None:
    with pytest.raises((ar.PolicyError, FileNotFoundError)):
        ar.load_policy(source)


def test_the_content_hash_sees_every_setting_and_nothing_else() -> None:
    same = ar.load_policy(json.loads(json.dumps(b.policy_of("balanced").resolved())))
    assert same.content_hash == b.policy_of("balanced").content_hash
    other = b.changed("balanced", limits={"min_gap_days": 4})
    assert other.content_hash != b.changed("balanced").content_hash


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "max_dpd.real > 1",
        "max_dpd + 1 > 2",
        "(lambda: 1)()",
        "max_dpd[0] == 1",
        "[x for x in (1,)]",
        "f'{max_dpd}' == '1'",
        "max_dpd if country else 1",
        "1 < 2",
        "max_dpd is 3",
        "'" + "a" * 3000 + "'",
        "not " * 50 + "order_hold",
        "max_dpd >",
        "",
    ],
)
def test_a_predicate_is_a_comparison_of_features_and_nothing_else(text: str) -> None:
    with pytest.raises(PredicateError):
        parse_predicate(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour == 1", "is no feature"),
        ("max_dpd == 'late'", "compared with"),
        ("country > 'US'", "has no order"),
        ("value == 'golden'", "one of strategic"),
        ("country in 'US'", "list of values"),
        ("order_hold == 1", "compared with"),
    ],
)
def test_a_predicate_compares_features_with_values_of_their_kind(text: str, reason: str) -> None:
    with pytest.raises(ar.PolicyError, match=reason):
        ar.load_policy(minimal(escalate=[{"rung": "finance_lead", "when": text, "origin": "x"}]))


class Facts:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a >= 3", {"a": 3}, True),
        ("a >= 3", {"a": 2}, False),
        ("a >= 3", {"a": None}, None),
        ("3 <= a", {"a": 3}, True),
        ("1 < a < 3", {"a": 2}, True),
        ("1 < a < 3", {"a": 3}, False),
        ("a > 1 and b", {"a": 0, "b": None}, False),
        ("a > 1 and b", {"a": 2, "b": None}, None),
        ("a > 1 or b", {"a": 2, "b": None}, True),
        ("a > 1 or b", {"a": 0, "b": None}, None),
        ("not b", {"b": None}, None),
        ("b is None", {"b": None}, True),
        ("b is not None", {"b": None}, False),
        ("a in ('x', 'y')", {"a": "y"}, True),
        ("a not in ('x', 'y')", {"a": "y"}, False),
        ("a == 0.1", {"a": Decimal("0.1")}, True),
        ("a > -2", {"a": -1}, True),
        ({"any": ["a > 1", {"all": ["a > 0", "b"]}]}, {"a": 1, "b": True}, True),
    ],
)
def test_predicates_have_three_values(text: Any, values: dict[str, Any], expected: bool | None) -> None:
    predicate = parse_predicate(text)
    assert predicate.holds(Facts(**values)) is expected
    assert parse_predicate(predicate.text).holds(Facts(**values)) is expected


def codes(policy: ar.Policy) -> set[LintCode]:
    return {finding.code for finding in ar.lint(policy)}


@pytest.mark.parametrize("preset", PRESETS)
def test_the_presets_have_no_errors(preset: str) -> None:
    assert not [f for f in ar.lint(b.policy_of(preset)) if f.severity is Severity.ERROR]


def test_r2_a_policy_with_one_channel_is_named() -> None:
    assert LintCode.SINGLE_CHANNEL_POLICY in codes(b.policy_of("xero_parity"))
    assert LintCode.SINGLE_CHANNEL_POLICY not in codes(b.policy_of("balanced"))


def without_else(name: str) -> ar.Policy:
    data = b.policy_of("balanced").resolved()
    next(s for s in data["steps"] if s["id"] == name)["else"] = None
    return ar.load_policy(data)


def step(**changes: Any) -> dict[str, Any]:
    return {"id": "two", "at": 5, "channels": ["email", "letter"], "origin": "x", **changes}


def two_steps(**changes: Any) -> ar.Policy:
    first = {"id": "one", "at": 1, "channels": ["email"], "tone": "firm", "origin": "test"}
    limits = changes.pop("limits", {})
    return ar.load_policy(minimal(steps=[first, step(**changes)], limits=limits))


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (lambda: without_else("letter"), LintCode.SILENT_STAGE),
        (lambda: two_steps(clauses=["legal"]), LintCode.THREAT_WITHOUT_CAPABILITY),
        (lambda: two_steps(tone="friendly"), LintCode.TONE_GOES_BACK),
        (lambda: two_steps(at=1), LintCode.STEP_NEVER_FIRES),
        (lambda: two_steps(at=2, window=[2, 3]), LintCode.STEP_NEVER_FIRES),
        (lambda: two_steps(window=[5, 6]), LintCode.WINDOW_TOO_SHORT),
        (lambda: two_steps(channels=["sms"], urgency="high"), LintCode.SMS_WITHOUT_LINK),
        (lambda: two_steps(channels=["sms", "email"], needs=["pay_link"]), LintCode.SMS_NOT_URGENT),
        (lambda: two_steps(channels=["letter"]), LintCode.NO_FALLBACK),
        (lambda: two_steps(channels=["whatsapp"], actor="ai"), LintCode.HUMAN_ONLY_AI_STEP),
        (
            lambda: b.changed("balanced", steps=[{"id": "demand", "enabled": False}]),
            LintCode.REQUIRED_STEP_DISABLED,
        ),
        (
            lambda: ar.load_policy(minimal(stages=[{"id": "all", "to": 50, "origin": "x"}])),
            LintCode.STAGE_NOT_TOTAL,
        ),
        (lambda: b.policy_of("sprint_3_5_7_10"), LintCode.TONE_STAGE_MISMATCH),
    ],
)
def test_lint_names_the_weakness(policy: Any, code: LintCode) -> None:
    assert code in codes(policy())


def test_a_sound_policy_has_none_of_the_weaknesses_above() -> None:
    sound = {f.code for f in ar.lint(two_steps(tone="firm")) if f.severity is not Severity.INFO}
    assert sound == set()


def test_diff_says_which_settings_and_which_messages_change() -> None:
    after = b.changed("balanced", steps=[{"id": "demand", "at": 9}], limits={"min_gap_days": 4})
    snapshot = b.book(b.invoice("i1", 8, "c1"), b.invoice("i2", 8, "c2"), b.invoice("i3", 30, "c3"))
    found = ar.diff(b.policy_of("balanced"), after, snapshot, b.as_of(), tiers=b.tier())
    settings = {s.path: (s.before, s.after) for s in found.settings}
    assert settings["steps.demand.at"] == (8, 9)
    assert settings["limits.min_gap_days"] == (3, 4)
    assert [(c.customer_id, c.kind) for c in found.changes] == [
        (b.customer_id("c1"), "removed"),
        (b.customer_id("c2"), "removed"),
    ]
    assert found.by_segment == {"core/occasional": {"removed": 2}}
    assert (found.load_before, found.load_after) == ({"email": 2, "voice": 1}, {"voice": 1})
    assert found.dispositions == {"STEP_DUE -> WINDOW_MISSED": 2}


def test_a_policy_does_not_differ_from_itself() -> None:
    found = ar.diff(b.policy_of("balanced"), b.policy_of("balanced"), b.book(b.invoice(dpd=9)), b.as_of())
    assert (found.settings, found.changes, found.dispositions) == ((), (), {})


def test_the_text_of_a_preset_can_be_had_with_its_comments() -> None:
    assert preset_text("balanced").startswith("# The default")


def test_a_step_that_is_to_be_removed_and_is_not_there_is_an_error() -> None:
    with pytest.raises(ar.PolicyError, match="remove_steps: no step is called heads_upp"):
        ar.load_policy({"id": "ours", "extends": "balanced", "remove_steps": ["heads_upp"]})
