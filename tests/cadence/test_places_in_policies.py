"""A mistake in a policy file is told with its line, in TOML, JSON and YAML alike, and a setting that does not exist with what was meant."""

from __future__ import annotations

import json
import pickle
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import ar_core as ar
from ar_core.cadence import PRESETS, preset_text
from ar_core.cadence.places import Lines, json_lines, line_of, steps_of, toml_lines
from ar_core.cadence.policy import known_settings
from ar_core.yaml import yaml_lines
from tests.cadence.test_reading_policies import minimal, step

TOML = '''\
# A policy of one's own.
extends = "balanced"
id = "mine"
description = """
[not]
a = table
"""

[limits] # tighter
min_gap_days = 3
max_touches_per_7d = "often"
per_channel = { sms = 1,  voice = -2 }

[[steps]]
id = "first"
channels = [
  "email",
  "pigeon",
]

[[steps]]
id = "call"
windw = [22, 45]

[steps.else]
channels = ["fax"]

[["steps"]]
id = "new"
at = 3

[pauses.intents.question]
task = 5
'''
JSON = """\
{
  "extends": "balanced",
  "id": "mine",
  "limits":
    {"min_gap_days": 3, "max_touches_per_7d": "often",
     "per_channel": {"sms": 1, "voice":
       -2}},
  "steps": [
    {"id": "first", "channels": ["email",
      "pigeon"]},
    {"id": "call",

     "windw": [22, 45], "else": {
        "channels": ["fax"]}},
    {"id": "new", "at": 3}
  ],
  "pauses": {"intents": {"question": {
    "task": 5}}}
}
"""
YAML = """\
extends: balanced
id: mine
limits:
  min_gap_days: 3
  max_touches_per_7d: often
  per_channel: {sms: 1,
    voice: -2}
steps:
  - id: first
    channels:
      - email
      - pigeon
  - id: call
    windw: [22, 45]
    else:
      channels: [fax]
  -
    id: new
    at: 3
pauses:
  intents:
    question:
      task: 5
"""
WRONG = (
    "steps[2] (first).channels[1]",
    "steps[5] (call).else.channels[0]",
    "steps[5] (call).windw",
    "steps[8] (new)",
    "limits.max_touches_per_7d",
    "limits.per_channel.voice",
    "pauses.intents.question.task",
)
EXPECTED = {
    "policy.toml": (TOML, (16, 26, 23, 28, 11, 12, 33)),
    "policy.json": (JSON, (10, 14, 13, 15, 5, 6, 18)),
    "policy.yaml": (YAML, (12, 16, 14, 18, 5, 7, 23)),
}


def refused(source: Any, **options: Any) -> ar.PolicyError:
    with pytest.raises(ar.PolicyError) as caught:
        ar.load_policy(source, **options)
    return caught.value


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", EXPECTED)
def test_every_mistake_of_a_file_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    text, lines = EXPECTED[name]
    error = refused(written(tmp_path, name, text))
    assert {path: line for (path, _), line in zip(error.problems, error.lines, strict=True)} == dict(
        zip(WRONG, lines, strict=True)
    )
    assert f"\n  line {lines[4]}: limits.max_touches_per_7d: Input should be a valid integer" in str(error)
    again: ar.PolicyError = pickle.loads(pickle.dumps(error))
    assert (str(again), again.lines) == (str(error), error.lines)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.toml", 'extends = "balanced"\nid = "mine"\n\n[[steps]]\nid = "call"\nrequires = ["knock"]\n'),
        (
            "p.json",
            '{"extends": "balanced", "id": "mine",\n\n\n"steps": [{"id": "call",\n\n"requires": ["knock"]}]}',
        ),
        ("p.yaml", "extends: balanced\nid: mine\nsteps:\n  - id: call\n\n    requires: [knock]\n"),
    ],
)
def test_what_concerns_two_settings_is_told_with_the_line_of_the_one_it_names(
    name: str, text: str, tmp_path: Path
) -> None:
    error = refused(written(tmp_path, name, text))
    assert error.problems == (("", "steps.call.requires names 'knock', which is no step"),)
    assert error.lines == (6,)
    assert str(error).endswith("\n  line 6: steps.call.requires names 'knock', which is no step")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            '[[overrides]]\nwhen = "value == core"\norigin = "x"\n\n[[overrides]]\norigin = "x"\nwhen = "dp > 3"',
            9,
            "dpd?",
        ),
        ('[[escalate]]\norigin = "x"\nrung = "personal"\nwhen = "dpd > 3"', 6, "one invoice"),
        (
            '[tiers]\nrisk = [{id = "a", when = "risk == a", origin = "x"}, {id = "b", otherwise = true, origin = "x"}]',
            4,
            "risk",
        ),
    ],
)
def test_a_rule_is_told_with_its_line(text: str, line: int, said: str, tmp_path: Path) -> None:
    error = refused(written(tmp_path, "p.toml", f'extends = "balanced"\nid = "mine"\n{text}\n'))
    assert error.lines == (line,), error
    assert said in str(error)


def test_what_the_file_does_not_say_has_no_line(tmp_path: Path) -> None:
    """The promise's stage is inherited; that it is no stage any more follows from the stages, which the file replaces."""
    assert refused(written(tmp_path, "p.toml", "")).lines == (None, None, None)
    assert refused(minimal(colour=1)).lines == (None,)
    assert refused("balanced@7").lines == (None,)
    own = refused(written(tmp_path, "q.toml", "limits = { colour = 1 }"), preset="balanced")
    assert own.lines[own.problems.index(next(p for p in own.problems if "colour" in p[0]))] == 1


@pytest.mark.parametrize(
    ("changes", "path", "meant"),
    [
        ({"step": []}, "step", "; did you mean steps?"),
        ({"limits": {"min_gap": 3}}, "limits.min_gap", "; did you mean min_gap_days?"),
        ({"extend": "balanced"}, "extend", "; did you mean extends?"),
        ({"schem": 1}, "schem", "; did you mean schema?"),
        ({"steps": [step(windw=[1, 2])]}, "steps[0] (one).windw", "; did you mean window?"),
        ({"steps": [{**step(), "else": {"chanels": ["email"]}}]}, "steps[0] (one).else.chanels", "channels?"),
        ({"stages": [{"id": "a", "origin": "x", "form": 3}]}, "stages[0] (a).form", "; did you mean from?"),
        (
            {"overrides": [{"when": True, "origin": "x", "steps": {"one": {"chanel": []}}}]},
            "overrides[0].steps.one.chanel",
            "; did you mean channels?",
        ),
        (
            {"pauses": {"intents": {"question": {"tsk": "x"}}}},
            "pauses.intents.question.tsk",
            "; did you mean task?",
        ),
        ({"clock": {"due_date_fallback": {"mod": 1}}}, "clock.due_date_fallback.mod", "; did you mean mode?"),
        ({"scoring": {"zzz": 1}}, "scoring.zzz", "; known are scorer"),
        ({"tiers": {"value": {"strategik": 1}}}, "tiers.value.strategik", "; did you mean strategic?"),
    ],
)
def test_a_setting_that_does_not_exist_is_told_with_what_was_meant(
    changes: dict[str, Any], path: str, meant: str
) -> None:
    said = dict(refused(minimal(**changes)).problems)
    assert said[path].startswith("there is no such setting; ")
    assert said[path].endswith(meant)


def test_a_feature_that_does_not_exist_is_told_with_what_was_meant() -> None:
    rule = {"rung": "personal", "when": "max_dp > 3", "origin": "x"}
    assert "'max_dp' is no feature; did you mean max_dpd?" in str(refused(minimal(escalate=[rule])))
    rule = {"rung": "personal", "when": "zzzz > 3", "origin": "x"}
    assert "'zzzz' is no feature; known are balance, " in str(refused(minimal(escalate=[rule])))


def test_the_settings_of_a_place_are_those_that_are_read_there() -> None:
    assert set(known_settings(("limits",))) == set(type(ar.load_policy().limits).model_fields)
    assert {"extends", "remove_steps", "schema"} <= set(known_settings(()))
    assert "extends" not in known_settings(("steps", 0))


# ---- the indexes


READERS: dict[str, tuple[Callable[[str], Any], Callable[[str], Lines]]] = {
    "toml": (tomllib.loads, toml_lines),
    "json": (json.loads, json_lines),
    "yaml": (yaml.safe_load, yaml_lines),
}


def places(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """Every setting in some data, by its path."""
    found = {path: value}
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in rows:
        found.update(places(inner, (*path, key)))
    return found


def as_text(kind: str, preset: str) -> str:
    data = tomllib.loads(preset_text(preset))
    match kind:
        case "toml":
            return preset_text(preset)
        case "json":
            return json.dumps(data, indent=1, default=str)
        case _:
            return yaml.safe_dump(json.loads(json.dumps(data, default=str)), sort_keys=False)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", READERS)
def test_every_setting_of_a_preset_has_the_line_on_which_it_stands(kind: str, preset: str) -> None:
    read, lines_of = READERS[kind]
    text = as_text(kind, preset)
    index, lines = lines_of(text), text.splitlines()
    found = places(read(text))
    for path, value in found.items():
        if not path:
            continue
        line = lines[index[path] - 1]
        if isinstance(path[-1], str):
            assert path[-1] in line, (path, line)
        elif isinstance(value, str | int):
            assert str(value) in line, (path, line)
    assert set(index) - {()} == set(found) - {()}


def test_toml_as_it_may_be_written() -> None:
    text = (
        'a.b."c.d" = 1\n\n  # a comment\n[x."y.z"] # one more\nk = """\n[[no]]\n"""\nl = [\n  { m = 1 },\n]\n'
        "[[t]]\n[[t.u]]\nn = 1\n[[t.u]]\n[t.u.v]\no = 1\n[[t]]\n[t.w]\np = 2\n"
    )
    index = toml_lines(text)
    expected: dict[tuple[str | int, ...], int] = {
        ("a", "b", "c.d"): 1,
        ("x", "y.z"): 4,
        ("x", "y.z", "k"): 5,
        ("x", "y.z", "l", 0, "m"): 8,
        ("t",): 11,
        ("t", 0): 11,
        ("t", 0, "u", 0): 12,
        ("t", 0, "u", 0, "n"): 13,
        ("t", 0, "u", 1): 14,
        ("t", 0, "u", 1, "v", "o"): 16,
        ("t", 1): 17,
        ("t", 1, "w", "p"): 19,
    }
    assert {path: index[path] for path in expected} == expected


def test_json_as_it_may_be_written() -> None:
    text = '\n[ {} , [ ], "a\\"]" , { "k\\n" : [1 ,\n 2e3 ] , "z" : null } ]'
    index = json_lines(text)
    assert index == {
        (): 2,
        (0,): 2,
        (1,): 2,
        (2,): 2,
        (3,): 2,
        (3, "k\n"): 2,
        (3, "k\n", 0): 2,
        (3, "k\n", 1): 3,
        (3, "z"): 3,
    }


def test_yaml_that_says_nothing_has_no_lines_and_what_an_anchor_repeats_stands_where_it_is_written() -> None:
    assert yaml_lines("# nothing\n") == {}
    index = yaml_lines("a: &x\n  k: 1\nb: *x\n")
    assert (index["a",], index["b",], index["a", "k"], index["b", "k"]) == (1, 3, 2, 2)


def test_the_innermost_setting_that_is_there_gives_the_line() -> None:
    index = {(): 1, ("a",): 3, ("a", 0): 4}
    assert line_of(index, ("a", 0, "b")) == 4
    assert line_of(index, ("a", 1)) == 3
    assert line_of(index, ("b",)) is None
    assert steps_of("overrides[0].steps.*.x") == ("overrides", 0, "steps", "*", "x")


def test_what_is_inherited_is_told_with_the_line_of_the_list_around_it(tmp_path: Path) -> None:
    text = 'extends = "balanced"\nid = "mine"\nremove_steps = ["demand"]\n\n[[steps]]\nid = "first"\n'
    error = refused(written(tmp_path, "p.toml", text))
    assert error.problems == (("", "steps.letter.requires names 'demand', which is no step"),)
    assert error.lines == (5,)


def test_json_without_any_blank() -> None:
    text = '{"a":1,"b":[2,{"c":[]}],"d":""}'
    assert set(json_lines(text)) == set(places(json.loads(text)))


def test_a_text_begins_where_its_value_does() -> None:
    assert json_lines("\n\n[1,\n2]") == {(): 3, (0,): 3, (1,): 4}


def test_toml_may_be_indented() -> None:
    index = toml_lines("[a]\n  # a comment\n  [a.b]\n  k = 1\n")
    assert (index["a", "b"], index["a", "b", "k"]) == (3, 4)
