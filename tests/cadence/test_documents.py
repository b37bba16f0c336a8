"""What a policy's text may be: of a bounded size, nothing said twice, rows that are found by their id; and the words for what is not."""

from __future__ import annotations

import builtins
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.documents import (
    DEEPEST,
    LARGEST_EXPONENT,
    MOST_SETTINGS,
    DocumentError,
    Problem,
    kind_of,
    plain,
)
from ar_core.cadence.places import json_lines, json_repeated, toml_lines
from ar_core.yaml import YamlError, parse_yaml
from tests.cadence.test_reading_policies import minimal, problems, stage, step

Told = list[tuple[int | None, str, str]]
HEAD = {
    ".toml": 'extends = "balanced"\nid = "mine"\n',
    ".json": '{"extends": "balanced", "id": "mine",\n\n',
    ".yaml": "extends: balanced\nid: mine\n",
}
DEEP = "lists and tables lie more than 40 deep in one another, or one of them holds itself"
MANY = "more than 20000 settings and entries of lists; what an alias repeats counts each time"
RANGE = "the number is out of range: its exponent is beyond 40"
NEEDED = "a row needs an `id`: that of the row it changes in what the policy extends, or a new one"


def told(folder: Path, name: str, text: str | bytes) -> Told:
    """What is said of a file: line, place, words."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ar.PolicyError) as caught:
        ar.load_policy(file)
    error = caught.value
    assert error.source == str(file)
    return [(line, path, said) for (path, said), line in zip(error.problems, error.lines, strict=True)]


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth - 1):
        found = [found]
    return found


class TestRowsById:
    def test_rows_that_cannot_be_merged_are_all_told(self, tmp_path: Path) -> None:
        text = HEAD[".toml"] + (
            '[[steps]]\nidd = "call"\nat = 30\n\n[[steps]]\nid = "call"\n[[steps]]\nid = ["a"]\n'
            '[[steps]]\nid = "first"\n[[steps]]\nid = "call"\nat = 5\n[[notices]]\n[[stages]]\n'
        )
        twice = "'call' has a row already, steps[1]; make one of the two"
        assert told(tmp_path, "p.toml", text) == [
            (17, "stages[0]", NEEDED),
            (3, "steps[0]", NEEDED),
            (10, "steps[2].id", "an `id` is a text; got a list"),
            (13, "steps[4] (call)", twice),
            (16, "notices[0]", NEEDED),
        ]

    @pytest.mark.parametrize(
        ("row", "kind"), [(["id"], "a list"), ("call", "a text"), (None, "nothing"), (3, "a number")]
    )
    def test_a_row_is_a_table(self, row: Any, kind: str) -> None:
        said = f"a row is a table with an `id`; got {kind}"
        assert problems({"id": "mine", "extends": "balanced", "steps": [row]}) == (("steps[0]", said),)

    @pytest.mark.parametrize("name", ["stages", "steps", "notices"])
    def test_each_list_by_id_is_looked_at_also_where_a_policy_is_given_inline(self, name: str) -> None:
        base = minimal(notices=[{"id": "n", "when": "dpd > 1", "to": ["ann"], "origin": "x"}])
        inline = {"extends": base, name: [{}]}
        assert problems({"id": "mine", "extends": inline}) == ((f"extends.{name}[0]", NEEDED),)

    def test_what_nothing_is_laid_under_is_refused_with_its_settings(self) -> None:
        said = (("steps[0].id", "Field required"), ("steps[1]", "Input should be a table"))
        without = {key: value for key, value in step().items() if key != "id"}
        assert problems(minimal(steps=[without, 5])) == said
        assert problems({"id": "mine", "extends": minimal(steps=[without, 5]), "steps": [step("z")]}) == said
        assert problems({"id": "mine", "extends": "balanced", "steps": 5}) == (
            ("steps", "Input should be a list"),
        )

    def test_a_row_replaces_what_it_names_whole_and_a_new_one_comes_last(self) -> None:
        parent = minimal(steps=[{**step("one"), "else": {"channels": ["sms"]}}, step("two", 5)])
        rows = (step("three", 9), {"id": "one", "else": {"tone": "firm"}})
        found = ar.load_policy({"id": "mine", "extends": parent, "steps": rows})
        assert [(s.id, s.at) for s in found.steps] == [("one", 1), ("two", 5), ("three", 9)]
        patch = found.steps[0].model_dump(by_alias=True)["else"]
        assert (patch["tone"], patch["channels"]) == ("firm", ())


class TestStepsToRemove:
    @pytest.mark.parametrize(
        ("value", "kind"), [("5", "a number"), ('"call"', "a text"), ("true", "true"), ("{}", "a table")]
    )
    def test_they_are_a_list(self, tmp_path: Path, value: str, kind: str) -> None:
        said = f"write a list of ids of steps, for example ['call']; got {kind}"
        text = HEAD[".toml"] + f"\nremove_steps = {value}\n"
        assert told(tmp_path, "p.toml", text) == [(4, "remove_steps", said)]

    def test_of_texts(self, tmp_path: Path) -> None:
        text = HEAD[".json"] + '"remove_steps": ["call",\n["a"], 3]}'
        assert told(tmp_path, "p.json", text) == [
            (4, "remove_steps[1]", "an id of a step is a text; got a list"),
            (4, "remove_steps[2]", "an id of a step is a text; got a number"),
        ]

    def test_that_are_there(self, tmp_path: Path) -> None:
        text = HEAD[".yaml"] + "remove_steps: [x, call]\n"
        assert told(tmp_path, "p.yaml", text) == [(3, "remove_steps", "no step is called x")]
        found = ar.load_policy({"id": "mine", "extends": "balanced", "remove_steps": ("heads_up",)})
        assert "heads_up" not in [s.id for s in found.steps]
        assert len(found.steps) == len(ar.load_policy().steps) - 1

    @pytest.mark.parametrize("steps", [5, [5], [{"id": ["a"]}], [{}]])
    def test_steps_that_are_none_are_not_found(self, steps: Any) -> None:
        said = (("remove_steps", "no step is called a"),)
        assert problems(minimal(steps=steps, remove_steps=["a"])) == said


class TestLinesOfWhatIsInherited:
    @pytest.mark.parametrize(
        ("text", "line", "path", "said"),
        [
            ("extends = 3", 3, "extends", "name a preset, for example 'balanced@1'"),
            (
                'extends = "balanced@3"',
                3,
                "extends",
                "balanced is shipped in version 1, not 3",
            ),
            (
                'hours = "us"',
                3,
                "hours",
                "no hours are called 'us'; there are us_conservative, eu_weekdays",
            ),
            (
                '[extends]\nextends = "balanced"\nhours = 3',
                5,
                "extends.hours",
                "no hours are called 3; there are us_conservative, eu_weekdays",
            ),
        ],
    )
    def test_they_are_those_of_the_file(
        self, tmp_path: Path, text: str, line: int, path: str, said: str
    ) -> None:
        assert told(tmp_path, "p.toml", f'id = "mine"\n\n{text}\n') == [(line, path, said)]

    def test_hours_over_what_is_no_table_are_no_error_of_their_own(self) -> None:
        def loaded(limits: Any) -> ar.Policy:
            return ar.load_policy(
                {"id": "mine", "extends": minimal(limits=limits), "hours": "us_conservative"}
            )

        for limits in (5, {"per_channel": 5}):
            assert loaded(limits).limits.per_channel == {ar.Channel.VOICE: 7}
        assert loaded({"per_channel": {"voice": 7.0}}).limits.per_channel == {ar.Channel.VOICE: 7}
        with pytest.raises(
            ar.PolicyError, match=r"limits\.per_channel\.voice: Input should be a valid integer"
        ):
            loaded({"per_channel": {"voice": "x"}})


class TestBounds:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("p.toml", "a = " + "[" * 41 + "]" * 41),
            ("p.toml", ".".join("a" * 42) + " = 1"),
            ("p.json", '{"a":' + "[" * 41 + "]" * 41 + "}"),
        ],
    )
    def test_depth(self, tmp_path: Path, name: str, text: str) -> None:
        assert told(tmp_path, name, text) == [(None, "a", DEEP)]

    @pytest.mark.parametrize(
        "text", ["x: 1\na: " + "[" * 41 + "]" * 41, "x: 1\na: &a [*a]", "x: 1\na: &a {<<: *a}"]
    )
    def test_depth_of_yaml_where_an_anchor_may_hold_itself(self, tmp_path: Path, text: str) -> None:
        assert told(tmp_path, "p.yaml", text) == [(2, "a", DEEP)]

    @pytest.mark.parametrize(
        ("name", "before", "depth", "after"),
        [("p.toml", "a = ", 5000, ""), ("p.json", '{"a":', 200_000, "}"), ("p.yaml", "a: ", 1500, "")],
    )
    def test_what_is_too_deep_for_a_parser(
        self, tmp_path: Path, name: str, before: str, depth: int, after: str
    ) -> None:
        text = before + "[" * depth + "]" * depth + after
        assert told(tmp_path, name, text) == [(None, "", DEEP)]

    def test_at_the_edge_of_the_depth(self) -> None:
        assert problems(minimal(limits=nested(DEEPEST))) == (("limits", "Input should be a table"),)
        assert problems(minimal(limits=nested(DEEPEST + 1))) == (("limits", DEEP),)
        itself: list[Any] = []
        itself += [1, itself]
        assert problems({"id": itself}) == (("id", DEEP),)
        assert problems({"id": "mine", "limits": {"a": itself}}) == (("limits", DEEP),)

    def test_at_the_edge_of_the_number(self) -> None:
        row = [0] * (MOST_SETTINGS - 1)
        assert problems({"limits": row})[0] == ("id", "Field required")
        assert problems({"limits": [*row, 0]}) == (("limits", MANY),)
        assert problems(dict.fromkeys((f"x{n}" for n in range(MOST_SETTINGS + 1)), 0)) == (("", MANY),)

    @pytest.mark.parametrize("level", ["[{}]", "{{<<: [{}]}}"])
    def test_what_an_alias_repeats_counts_each_time(self, tmp_path: Path, level: str) -> None:
        rows = [f"a{n + 1}: &a{n + 1} " + level.format(", ".join([f"*a{n}"] * 9)) for n in range(30)]
        text = "\n".join(["a0: &a0 {k: 1}", *rows])
        assert told(tmp_path, "p.yaml", text) == [(6, "a5", MANY)]

    @pytest.mark.parametrize(
        "number", [10**41, -(10**41), Decimal("1e41"), Decimal("1e-41"), 1e41, Decimal("-1e41")]
    )
    def test_numbers_out_of_range(self, number: Any) -> None:
        assert problems(minimal(limits={"x": [1, number]})) == (("limits.x[1]", RANGE),)

    @pytest.mark.parametrize("number", [10**41 - 1, 1 - 10**41, Decimal("1e40"), Decimal("1e-40")])
    def test_numbers_at_the_edge(self, number: Any) -> None:
        assert plain({"x": number}) == {"x": number}
        assert LARGEST_EXPONENT == 40

    @pytest.mark.parametrize("number", ["inf", "nan"])
    def test_what_is_not_finite_is_refused_by_the_setting(self, tmp_path: Path, number: str) -> None:
        text = HEAD[".toml"] + f"limits = {{min_gap_days = {number}}}"
        assert told(tmp_path, "p.toml", text) == [
            (3, "limits.min_gap_days", "Input should be a finite number")
        ]

    def test_numbers_of_a_file_are_told_with_their_line(self, tmp_path: Path) -> None:
        text = HEAD[".json"] + '"version": 1e99999999}'
        assert told(tmp_path, "p.json", text) == [(3, "version", RANGE)]
        text = HEAD[".json"] + '"version": 1e9999999999999999999999}'
        said = "1e9999999999999999999999 is not a number that can be read"
        assert told(tmp_path, "p.json", text) == [(None, "", said)]

    def test_names_are_texts(self) -> None:
        assert problems(minimal(limits={1: 2})) == (("limits", "the name of a setting is a text; 1 is none"),)
        said = "the name of a setting is a text; None is none"
        assert problems(minimal(steps=[{None: 2}])) == (("steps[0]", said),)

    def test_a_list_of_many_lines_is_told_in_time_by_its_length(self, tmp_path: Path) -> None:
        text = "a = [\n" + "1,\n" * 15_000 + "]\n\nb = 1\n"
        assert told(tmp_path, "p.toml", text)[-1][:2] == (15_004, "b")


class TestSaidTwice:
    @pytest.mark.parametrize(
        ("name", "text", "line", "path", "first"),
        [
            ("p.yaml", "limits: {}\nid: x\nlimits: {}\n", 3, "limits", 1),
            ("p.yaml", "id: x\nsteps:\n- id: a\n  at: 1\n\n  at: 2\n", 6, "steps[0].at", 4),
            ("p.yaml", "limits: {<<: {a: 1},\n  <<: {b: 1}}", 2, "limits.<<", 1),
            ("p.json", '{"limits": {},\n"id": "x",\n"limits": {}}', 3, "limits", 1),
            ("p.json", '{"id": "x", "steps": [{}, {"at": 1,\n"at": 2}],\n"id": 1}', 2, "steps[1].at", 1),
        ],
    )
    def test_is_refused(self, tmp_path: Path, name: str, text: str, line: int, path: str, first: int) -> None:
        said = f"said a second time, after line {first}; keep one of the two"
        assert told(tmp_path, name, text) == [(line, path, said)]

    def test_a_merge_may_be_changed_by_what_stands_beside_it(self, tmp_path: Path) -> None:
        file = tmp_path / "p.yaml"
        file.write_text(
            HEAD[".yaml"] + "limits: {<<: {min_gap_days: 3, max_touches_per_7d: 2}, min_gap_days: 5}\n"
        )
        limits = ar.load_policy(file).limits
        assert (limits.min_gap_days, limits.max_touches_per_7d) == (5, 2)

    def test_what_is_lost_is_bounded_too(self, tmp_path: Path) -> None:
        text = '{"a":' + "[" * 41 + "]" * 41 + ', "a": 1}'
        assert told(tmp_path, "p.json", text) == [(None, "", DEEP)]

    def test_json_places(self) -> None:
        assert json_repeated('{"a": {"b": 1}, "c": {"b": 1}}') is None
        assert json_repeated('{"a": {"b": 1},\n "a": {"b": 1}}') == (("a",), 1, 2)
        assert json_lines(' {"a" :\n\n {"b"\n:\n1} }') == {(): 1, ("a",): 1, ("a", "b"): 3}


class TestTexts:
    @pytest.mark.parametrize("suffix", HEAD)
    def test_the_mark_of_an_editor_on_windows(self, tmp_path: Path, suffix: str) -> None:
        end = '"limits": {"min_gap_days": 4}}' if suffix == ".json" else ""
        file = tmp_path / f"p{suffix}"
        file.write_bytes(b"\xef\xbb\xbf" + (HEAD[suffix] + end).replace("\n", "\r\n").encode())
        assert ar.load_policy(file).id == "mine"

    def test_what_is_not_utf8(self, tmp_path: Path) -> None:
        said = "a policy is text in UTF-8; byte 4 is not: save it as UTF-8"
        assert told(tmp_path, "p.toml", b'a="\xfc"') == [(None, "", said)]

    def test_an_end_of_line_that_is_none(self, tmp_path: Path) -> None:
        text = HEAD[".toml"] + 'description = "a\u2028b"\nlimits = 3\n'
        assert told(tmp_path, "p.toml", text) == [(4, "limits", "Input should be a table")]
        assert toml_lines("a = 1\r\nb = 2") == {(): 1, ("a",): 1, ("b",): 2}

    def test_toml_with_signs_inside_of_texts(self) -> None:
        text = (
            'a = "[\\"{" # [\nb = \'[\'\nc = """\n"[\\""""\nd = \'\'\'\n\'{\'\'\'\'\n'
            "e = [ # ]\n  {x = 1}, '''\n''',\n]\nf = {}\n# [\ng = []\n"
        )
        index = toml_lines(text)
        assert {path[0]: line for path, line in index.items() if len(path) == 1} == {
            "a": 1,
            "b": 2,
            "c": 3,
            "d": 5,
            "e": 7,
            "f": 11,
            "g": 13,
        }

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ("a: 1\nb: !!int ''", 2, "the value cannot be read as int"),
            ("a: !!bool x", 1, "the value cannot be read as bool"),
            ("a: !!timestamp x", 1, "the value cannot be read as timestamp"),
            ("a: 2026-13-45", 1, "the value cannot be read as timestamp"),
            ("a: 1" + ":9" * 5000 + ".5", 1, "the value cannot be read as float"),
            ("a: b: c", 1, "mapping values are not allowed here"),
            ("a: 1\n---\nb: 1", 2, "expected a single document in the stream: but found another document"),
            ("a: 1\n? [a]\n: 1", 2, "the name of a setting is a text; got a list or a table"),
            ("a: 1\non: 1", 2, "the name of a setting is a text; on is none: put it in quotes"),
            (
                "a: \0",
                None,
                'unacceptable character #x0000: special characters are not allowed in "<unicode string>", position 3',
            ),
        ],
    )
    def test_yaml_that_is_none(self, tmp_path: Path, text: str, line: int | None, said: str) -> None:
        ((found, path, words),) = told(tmp_path, "p.yaml", text)
        assert (found, words) == (line, said)
        assert path == ""
        with pytest.raises(YamlError) as caught:
            parse_yaml(text)
        assert str(caught.value) == (f"line {line}: {said}" if line else said)

    def test_yaml_without_the_extra_is_the_import_that_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = builtins.__import__

        def without(name: str, *args: Any, **options: Any) -> Any:
            if name == "ar_core.yaml":
                raise ModuleNotFoundError("No module named 'yaml'", name="yaml")
            return real(name, *args, **options)

        file = tmp_path / "p.yaml"
        file.write_text("a: 1")
        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ModuleNotFoundError, match="No module named 'yaml'"):
            ar.load_policy(file)
        assert problems({"extends": "balanced"}) == (("id", "Field required"),)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "nothing"),
        (False, "false"),
        (3, "a number"),
        (1.5, "a number"),
        (Decimal(1), "a number"),
        ("x", "a text"),
        ([], "a list"),
        ((), "a list"),
        ({}, "a table"),
        ({"x"}, "a set"),
    ],
)
def test_values_are_called_as_their_author_calls_them(value: Any, kind: str) -> None:
    assert kind_of(value) == kind


def test_an_error_of_a_document_can_be_sent_to_another_process() -> None:
    error = DocumentError(Problem(("a",), "one", 3), Problem((), "two"))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == ("line 3: one\ntwo", error.problems)


def test_stages_of_a_policy_inline_are_merged_too() -> None:
    parent = minimal(stages=[stage("a", None, 5), stage("b", 6, None)])
    found = ar.load_policy({"id": "mine", "extends": parent, "stages": [{"id": "b", "tone": "firm"}]})
    assert [(s.id, s.from_day, s.tone) for s in found.stages][1] == ("b", 6, "firm")
