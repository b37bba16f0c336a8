"""The JSON Schema of a policy file: what `load_policy` reads is valid by it, what it refuses for its form is not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import ar_core as ar
from ar_core.cadence import PRESETS, policy_json_schema, preset_text
from ar_core.cadence.loading import HOURS
from ar_core.cadence.policy import Policy, known_settings
from tests.cadence import books as b

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("policy*.toml"))
ROW = {"id": "one", "at": 1, "channels": ["email"], "origin": "test"}
SCHEMA = policy_json_schema()
CHECK = jsonschema.Draft7Validator(SCHEMA)


def whole(**changes: Any) -> dict[str, Any]:
    """A policy that extends nothing."""
    return {"id": "mine", "stages": [{"id": "all", "origin": "test"}], "steps": [ROW], **changes}


def overlay(**changes: Any) -> dict[str, Any]:
    return {"id": "mine", "extends": "balanced", **changes}


def call(**changes: Any) -> dict[str, Any]:
    return overlay(steps=[{"id": "call", **changes}])


def tier(**changes: Any) -> dict[str, Any]:
    return whole(
        tiers={
            "risk": [
                {"id": "bad", "origin": "test", **changes},
                {"id": "rest", "otherwise": True, "origin": "test"},
            ]
        }
    )


def override(**changes: Any) -> dict[str, Any]:
    return overlay(overrides=[{"when": True, "origin": "test", **changes}])


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a piece of JSON."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def test_it_is_a_schema_of_the_draft_that_it_names_and_refers_only_to_what_it_has() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert jsonschema.validators.validator_for(SCHEMA) is jsonschema.Draft7Validator
    assert (SCHEMA["title"], SCHEMA["type"]) == ("Cadence policy", "object")
    assert SCHEMA["description"] == "A policy of ar_core, in a TOML, JSON or YAML file."
    found = list(nodes(SCHEMA))
    named = {node["$ref"].removeprefix("#/$defs/") for node in found if isinstance(node.get("$ref"), str)}
    assert named <= set(SCHEMA["$defs"])
    assert {"Extended", "Rule"} <= named
    assert not [node for node in found if "prefixItems" in node or node.get("format") == "time"]


def test_it_has_every_setting_that_a_file_may_have_and_no_other() -> None:
    assert sorted(SCHEMA["properties"]) == sorted(known_settings(()))
    assert SCHEMA["$defs"]["Extended"]["properties"] == SCHEMA["properties"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_valid_as_written_and_as_resolved(preset: str) -> None:
    CHECK.validate(tomllib.loads(preset_text(preset)))
    resolved = b.policy_of(preset).resolved()
    CHECK.validate(resolved)
    assert ar.load_policy(resolved).content_hash == b.policy_of(preset).content_hash


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_the_policies_of_the_examples_are_valid(file: Path) -> None:
    CHECK.validate(tomllib.loads(file.read_text(encoding="utf-8")))


def test_there_are_examples() -> None:
    assert ROOT / "examples" / "cadence_only" / "policy.toml" in EXAMPLES


def test_the_policies_of_the_conformance_pack_are_valid() -> None:
    pack = files("ar_core.conformance") / "policies.json"
    for policy in json.loads(pack.read_text(encoding="utf-8")).values():
        CHECK.validate(policy)


TOML = """
#:schema ./policy.schema.json
schema = "cadence-policy/1"
id = "ours"
extends = "balanced@1"
hours = "us_conservative"
remove_steps = ["nudge_sms"]

[limits]
min_invoice = { USD = 25.5, EUR = "30.00", JPY = 100 }

[pauses]
promise_tolerance_abs = 2.5

[[steps]]
id = "call"
at = 15
window = [15]
"""
YAML = """
# yaml-language-server: $schema=./policy.schema.json
id: ours
extends:
  extends: risk_4
  remove_steps: [risk_call]
clock: {not_before: "07:30", not_after: "18:00:00"}
steps:
  - {id: reminder, window: [7, null], when: true}
notices:
  - {id: new, when: {any: [dpd >= 3, {all: [dpd >= 1, true]}]}, to: [boss], origin: ours}
"""


@pytest.mark.parametrize(("name", "text"), [("ours.toml", TOML), ("ours.yaml", YAML)])
def test_a_file_that_lies_on_top_of_another_policy_is_read_and_valid(
    tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert ar.load_policy(file).id == "ours"
    CHECK.validate(tomllib.loads(text) if name.endswith("toml") else yaml.safe_load(text))


FITTING = [
    whole(),
    whole(extends=None),
    whole(hours="eu_weekdays"),
    whole(remove_steps=[], steps=[ROW, {**ROW, "id": "two", "requires": ["one"]}]),
    whole(steps=[{**ROW, "channels": [], "else": {"tone": "firm"}, "alternatives": [{"channels": ["sms"]}]}]),
    whole(steps=[{**ROW, "window": [1, 1]}]),
    whole(steps=[{**ROW, "window": [1, None]}]),
    whole(steps=[{**ROW, "window": [1]}]),
    whole(steps=[{**ROW, "window": None, "when": None}]),
    whole(notices=[{"id": "new", "when": "dpd >= 3", "to": ["boss"], "origin": "test"}]),
    whole(limits={"max_touches_per_7d": None, "per_channel": {"sms": 0}}),
    whole(clock={"not_before": "00:00", "not_after": "23:59:59"}),
    whole(clock={"not_before": "19:05:07", "not_after": "20:00"}),
    overlay(),
    overlay(extends="balanced@1"),
    overlay(pauses={"intents": {"says_paid": {"task": "", "respond": None}}}),
    overlay(remove_steps=None),
    overlay(remove_steps=["heads_up"], stages=[], steps=[], notices=[]),
    overlay(
        stages=[{"id": "reminder", "tone": "direct"}], notices=[{"id": "strategic_stage_1", "to": ["x"]}]
    ),
    overlay(extends={"extends": "balanced", "hours": "us_conservative", "steps": [{"id": "call", "at": 30}]}),
    overlay(extends=whole(version=3)),
    call(when="dpd >= 3"),
    call(when=False),
    call(when={"all": ["dpd >= 3", False]}),
    tier(when="max_dpd >= 60"),
    tier(any=["max_dpd >= 60", True, {"all": ["touches > 1"]}]),
    tier(all=["max_dpd >= 60"], any=[]),
    tier(when=True, gap={"any": ["touches > 1"]}),
    overlay(tiers={"value": {"strategic": 0.25, "core": "0.5"}}),
    overlay(tiers={"value": {"strategic": 0, "core": 1}}),
    override(scale=[1, 2]),
    override(scale=None),
    override(steps={"call": {"window": [22]}, "*": {"channels": ["letter"]}}),
    whole(steps=[{**ROW, "kind": "internal", "channels": ["internal"], "else": {"channels": ["internal"]}}]),
    overlay(
        extends=whole(steps=[{**ROW, "kind": "internal"}]), steps=[{"id": "one", "channels": ["internal"]}]
    ),
]


@pytest.mark.parametrize("file", FITTING, ids=repr)
def test_what_is_read_is_valid(file: dict[str, Any]) -> None:
    assert ar.load_policy(file).id == "mine"
    CHECK.validate(file)


OUTWARD = "'internal' is not one of ['email', 'sms', 'voice', 'whatsapp', 'letter']"
INWARD = "'internal' should not be valid under {'const': 'internal'}"
UNFIT = [
    ({"extends": "balanced"}, "'id' is a required property"),
    ({"id": "mine", "steps": [ROW]}, "'stages' is a required property"),
    ({"id": "mine", "stages": whole()["stages"]}, "'steps' is a required property"),
    ({"id": "mine", "extends": None, "stages": whole()["stages"]}, "'steps' is a required property"),
    ({**whole(), "id": "Mine"}, "'Mine' does not match '^[a-z][a-z0-9_]*$'"),
    (whole(stages=[]), "[] should be non-empty"),
    (whole(steps=[]), "[] should be non-empty"),
    (whole(stages=[{"id": "all"}]), "'origin' is a required property"),
    (whole(steps=[{"id": "one", "channels": ["email"], "origin": "x"}]), "'at' is a required property"),
    (whole(notices=[{"id": "new", "when": True, "origin": "x"}]), "'to' is a required property"),
    (
        overlay(limit={}),
        "Additional properties are not allowed ('limit' was unexpected)",
    ),
    (
        overlay(limits={"min_gap": 3}),
        "Additional properties are not allowed ('min_gap' was unexpected)",
    ),
    (
        call(widnow=[1]),
        "Additional properties are not allowed ('widnow' was unexpected)",
    ),
    (
        overlay(limits={"min_invoice": {"usd": 5}}),
        "'usd' does not match any of the regexes: '^[A-Z]{3}$'",
    ),
    (
        overlay(limits={"min_customer": {"EUR": True}}),
        "True is not of type 'string', 'number'",
    ),
    (overlay(hours="us"), f"'us' is not one of {list(HOURS)}"),
    (overlay(hours=None), f"None is not one of {list(HOURS)}"),
    (overlay(clock={"not_before": "9:00"}), None),
    (overlay(clock={"not_after": "24:00"}), None),
    (overlay(clock={"not_before": "10:60"}), None),
    (overlay(clock={"not_before": "10:00:60"}), None),
    (overlay(clock={"not_before": "10:00:00.5"}), None),
    (overlay(clock={"not_before": "10:00Z"}), None),
    (overlay(clock={"not_before": 36000}), "36000 is not of type 'string'"),
    (call(window=[]), None),
    (call(window=[22, 23, 24]), None),
    (call(window=["x"]), None),
    (call(window=[None, 45]), None),
    (call(when=""), None),
    (call(when=5), None),
    (call(when={}), None),
    (call(when={"any": []}), None),
    (call(when={"all": [5]}), None),
    (call(when={"any": [True], "all": [True]}), None),
    (call(when={"some": [True]}), None),
    (tier(any=[5]), "5 is not valid under any of the given schemas"),
    (tier(all=[{}]), "{} is not valid under any of the given schemas"),
    (tier(when=True, gap=5), None),
    (override(when=None), "None is not valid under any of the given schemas"),
    (override(scale=[1]), None),
    (override(scale=[1, 2, 3]), None),
    (override(scale=[1, None]), None),
    (override(steps={"call": {"window": ["x"]}}), None),
    (overlay(pauses={"promise_tolerance_pct": None}), "None is not of type 'string', 'number'"),
    (overlay(pauses={"promise_tolerance_abs": []}), "[] is not of type 'string', 'number'"),
    (
        overlay(tiers={"value": {"strategic": -0.01}}),
        "-0.01 is less than the minimum of 0",
    ),
    (overlay(tiers={"value": {"core": 1.01}}), "1.01 is greater than the maximum of 1"),
    (overlay(tiers={"value": {"core": None}}), "None is not of type 'string', 'number'"),
    (overlay(limits={"per_channel": {"internal": 1}}), OUTWARD),
    (overlay(pauses={"consent_required": ["internal"]}), OUTWARD),
    (override(add_channels=["internal"]), OUTWARD),
    (override(only_channels=["internal"]), OUTWARD),
    (whole(steps=[{**ROW, "channels": ["internal"]}]), INWARD),
    (whole(steps=[{**ROW, "alternatives": [{"channels": ["internal"]}]}]), INWARD),
    (whole(steps=[{**ROW, "else": {"channels": ["internal"]}}]), INWARD),
    (call(kind="touch", channels=["internal"]), INWARD),
    (overlay(extends="balance"), None),
    (overlay(extends="balanced@2"), None),
    (overlay(extends=5), None),
    (overlay(extends={"extends": "balanced", "step": []}), None),
    (overlay(remove_steps="call"), None),
    (overlay(remove_steps=["The call"]), None),
]


@pytest.mark.parametrize(("file", "told"), UNFIT, ids=repr)
def test_what_has_the_wrong_form_is_neither_read_nor_valid(file: dict[str, Any], told: str | None) -> None:
    with pytest.raises(ar.PolicyError):
        ar.load_policy(file)
    found = [error.message for error in CHECK.iter_errors(file)]
    assert len(found) == 1
    assert told in {None, found[0]}


@pytest.mark.parametrize("name", ["stages", "steps", "notices"])
def test_a_row_needs_its_id_whatever_is_extended(name: str) -> None:
    [found] = CHECK.iter_errors(overlay(**{name: [{}]}))
    assert found.message == "'id' is a required property"


def test_what_is_said_about_a_setting_stays_where_its_form_is_another() -> None:
    step = SCHEMA["$defs"]["Step"]["properties"]
    assert step["window"]["description"].startswith("First and last day past due on which it may go out;")
    assert (step["window"]["title"], step["window"]["default"]) == ("Window", None)
    assert SCHEMA["$defs"]["Clock"]["properties"]["not_before"]["default"] == "09:00:00"
    assert "default" not in SCHEMA["$defs"]["Override"]["properties"]["when"]


def test_what_steers_a_policy_and_what_a_rule_is_are_explained() -> None:
    steering = {
        name: SCHEMA["properties"][name]["description"] for name in ("extends", "hours", "remove_steps")
    }
    assert steering == {
        "extends": "The policy that this one overlays: a preset, with its version if that matters, or a policy in full.",
        "hours": "Sending hours and caps by name; they lie between what is extended and what this policy says.",
        "remove_steps": "Steps of the extended policy that this one does not have.",
    }
    names = SCHEMA["properties"]["extends"]["anyOf"][0]["enum"]
    assert names == [name for preset in PRESETS for name in (preset, f"{preset}@1")]
    rule = SCHEMA["$defs"]["Rule"]
    assert (rule["title"], rule["description"]) == (
        "Rule",
        "When something holds: text such as 'max_dpd >= 60', true or false, or a list of rules under any or all.",
    )


def test_what_a_caller_does_with_it_changes_no_later_one() -> None:
    first = policy_json_schema()
    first["$defs"]["Clock"]["properties"]["not_before"]["pattern"] = "x"
    first["$defs"]["Rule"]["anyOf"][2]["properties"]["any"]["items"]["$ref"] = "x"
    first["$defs"]["Limits"]["properties"]["min_invoice"]["patternProperties"].clear()
    first["properties"]["extends"]["anyOf"].clear()
    assert policy_json_schema() == SCHEMA
    assert Policy.model_json_schema()["required"] == ["id", "stages", "steps"]
