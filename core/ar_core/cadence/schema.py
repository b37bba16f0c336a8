"""What may a policy file say? Its JSON Schema, for editors and for those who write policies in another language.

A file is not a `Policy` yet. `load_policy` merges it with what it extends and takes out what only steers that, so a file may leave
out what the whole policy must have. Some values have a form in files that the checked policy no longer has: `[46]` for a window
without an end, a rule as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from ar_core.cadence.loading import HOURS, PRESETS, load_policy
from ar_core.cadence.policy import Policy

__all__ = ["policy_json_schema"]

_ROWS: Final[Mapping[str, str]] = {"stages": "Stage", "steps": "Step", "notices": "Notice"}
"""The lists that are merged by id with those of the policy below, and the kind of their rows."""

_RULE: Final[Mapping[str, Any]] = {"$ref": "#/$defs/Rule"}
_RULES: Final[Mapping[str, Any]] = {"type": "array", "items": _RULE}
_SOME_RULES: Final[Mapping[str, Any]] = {**_RULES, "minItems": 1}
_DAY: Final[Mapping[str, Any]] = {"type": "integer"}
_ID: Final[Mapping[str, Any]] = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 60}
_NOTHING: Final[Mapping[str, Any]] = {"type": "null"}
_AMOUNT: Final[Mapping[str, Any]] = {"type": ["string", "number"]}
_SHARE: Final[Mapping[str, Any]] = {**_AMOUNT, "minimum": 0, "maximum": 1}
_AMOUNTS: Final[Mapping[str, Any]] = {
    "type": "object",
    "patternProperties": {"^[A-Z]{3}$": _AMOUNT},
    "additionalProperties": False,
}
# Not `format: time`: JSON Schema means a time with an offset by it, and a wall clock has none.
_WALL_CLOCK: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
}

_OUTWARD: Final[Mapping[str, Any]] = {"properties": {"channels": {"items": {"not": {"const": "internal"}}}}}
_TOUCH: Final[Mapping[str, Any]] = {
    "if": {"properties": {"kind": {"const": "touch"}}},
    "then": {
        "properties": {**_OUTWARD["properties"], "alternatives": {"items": _OUTWARD}, "else": _OUTWARD},
    },
}
"""A step that says no other kind reaches the customer, in each of its ways."""

_FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "when": _RULE,
    "gap": _RULE,
    "any": _RULES,
    "all": _RULES,
    "window": {
        "type": "array",
        "items": [_DAY, {"type": ["integer", "null"]}],
        "additionalItems": False,
        "minItems": 1,
    },
    "scale": {"type": "array", "items": [_DAY, _DAY], "additionalItems": False, "minItems": 2},
    "not_before": _WALL_CLOCK,
    "not_after": _WALL_CLOCK,
    "min_invoice": _AMOUNTS,
    "min_customer": _AMOUNTS,
    "promise_tolerance_pct": _AMOUNT,
    "promise_tolerance_abs": _AMOUNT,
    "strategic": _SHARE,
    "core": _SHARE,
}
"""How a setting is written in a file, by its name, where the model says it otherwise or in words of a later draft."""


def policy_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 7, the newest that editors of YAML and TOML know) of a policy file as `load_policy` reads it.

    With `extends`, only `id` is required: of the file, and of each row of `stages`, `steps` and `notices` (a file that the host reads
    with `preset=` should say it too). It knows a file alone: that each step which `requires` names exists, for one, is seen only when
    the policy is read.
    """
    found = Policy.model_json_schema()
    parts: dict[str, Any] = found["$defs"]
    for kind in parts.values():
        for name, setting in kind.get("properties", {}).items():
            if name in _FORMS:
                kind["properties"][name] = _written(setting, _FORMS[name])
    whole: dict[str, dict[str, Any]] = {
        name: {"items": {"required": parts[kind]["required"]}} for name, kind in _ROWS.items()
    }
    whole["steps"]["items"] |= _TOUCH
    # On top of another policy, a step that does not say its kind may have another one there.
    parts["Step"] |= {**_TOUCH, "if": {**_TOUCH["if"], "required": ["kind"]}}
    for kind_of_row in _ROWS.values():
        parts[kind_of_row]["required"] = ["id"]
    settings = {**found["properties"], **_steering()}
    for name in found["required"]:
        if name in _ROWS:
            del settings[name]["minItems"]  # nothing of one's own may be added
            whole[name]["minItems"] = 1
    extended = {"type": "object", "properties": settings, "additionalProperties": False}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Cadence policy",
        "description": "A policy of ar_core, in a TOML, JSON or YAML file.",
        **extended,
        "required": ["id"],
        "if": {"properties": {"extends": _NOTHING}},
        "then": {"properties": whole, "required": [name for name in found["required"] if name in _ROWS]},
        "$defs": {**parts, "Rule": _rule(), "Extended": extended},
    }
    return deepcopy(
        schema
    )  # its parts are used several times and here again: a caller may change what it got


def _written(setting: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """A setting in another form; what is said about it stays, and that it may be null."""
    said = {word: setting[word] for word in ("title", "description", "default") if word in setting}
    return {**said, **({"anyOf": [form, _NOTHING]} if _NOTHING in setting.get("anyOf", ()) else form)}


def _steering() -> dict[str, Any]:
    """What a file says about other policies; none of it is in the policy that comes out."""
    return {
        "extends": {
            "description": "The policy that this one overlays: a preset, with its version if that matters, or a policy in full.",
            "anyOf": [{"enum": list(_presets())}, {"$ref": "#/$defs/Extended"}, _NOTHING],
        },
        "hours": {
            "description": "Sending hours and caps by name; they lie between what is extended and what this policy says.",
            "enum": list(HOURS),
        },
        "remove_steps": {
            "description": "Steps of the extended policy that this one does not have.",
            "anyOf": [{"type": "array", "items": _ID}, _NOTHING],
        },
    }


def _presets() -> Iterator[str]:
    for name in PRESETS:
        yield name
        yield load_policy(name).ref


def _rule() -> dict[str, Any]:
    return {
        "title": "Rule",
        "description": "When something holds: text such as 'max_dpd >= 60', true or false, or a list of rules under any or all.",
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "boolean"},
            {
                "type": "object",
                "properties": {"any": _SOME_RULES, "all": _SOME_RULES},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
    }
