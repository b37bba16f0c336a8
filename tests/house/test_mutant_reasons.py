"""The reasons why mutants survive: each covers the change that it names and no other, and names a function that there is."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.house.sources import ROOT


def load() -> ModuleType:
    folder = ROOT / "scripts" / "mutants"
    spec = importlib.util.spec_from_file_location("reasons", folder / "reasons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(folder))  # a program's own folder is where it finds its other parts
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


reasons = load()
ONE = "ar_core.cadence.history.xǁHistoryǁ__init____mutmut_12"
GIVEN = """
[[group]]
why = "sorting one row changes nothing"
changes = [["cadence.history.History.__init__", "len(rows) > 1", "len(rows) >= 1", "True"]]

[[group]]
why = "words"
changes = [["aging.*", "'over due'", "~text"], ["aging._age", "a + b", "~any"]]
"""


def covered(name: str, was: str, becomes: str) -> str | None:
    change = reasons.change_of(name, was, becomes)
    _, found, _ = reasons.unexplained([change], reasons.read(GIVEN))
    return next(iter(found), None)


def test_a_mutant_is_named_by_module_and_function() -> None:
    names = (ONE, "ar_core.aging.x__age__mutmut_3", "ar_core.promises.x_judge__mutmut_1")
    assert [reasons.change_of(name, "", "").where for name in names] == [
        "cadence.history.History.__init__",
        "aging._age",
        "promises.judge",
    ]


@pytest.mark.parametrize(
    ("name", "was", "becomes", "why"),
    [
        (ONE, "        if len(rows) > 1:", "        if len(rows) >= 1:", "sorting one row changes nothing"),
        (ONE, "if len(rows) > 1:", "if True:", "sorting one row changes nothing"),
        (ONE, "if len(rows) > 1:", "if len(rows) > 2:", None),
        (ONE, "if len(rows) > 1:", "if not (len(rows) >= 1):", None),
        (ONE, "if len(rows) > 1:\n    pass", "if len(rows) >= 1:\n    return", None),
        (ONE.replace("history", "histories"), "if len(rows) > 1:", "if len(rows) >= 1:", None),
        ("ar_core.aging.x_b__mutmut_1", "f('over due')", "f('XXover dueXX')", "words"),
        ("ar_core.aging.x_b__mutmut_1", "f('over due')", "f('OVER DUE')", "words"),
        ("ar_core.aging.x_b__mutmut_1", "f('over due')", "f(None)", None),
        ("ar_core.aging.x__age__mutmut_1", "c = a + b", "c = a - b", "words"),
        ("ar_core.aging.x__age__mutmut_1", "c = a + b", "c = None", "words"),
        ("ar_core.aging.x__age__mutmut_1", "c = a + b", "d = a - b", None),
        ("ar_core.aging.x_other__mutmut_1", "c = a + b", "c = a - b", None),
    ],
)
def test_a_reason_covers_the_change_that_it_names_and_no_other(
    name: str, was: str, becomes: str, why: str | None
) -> None:
    assert covered(name, was, becomes) == why


def test_survivors_without_a_reason_and_reasons_without_a_survivor_are_told() -> None:
    known = reasons.change_of(ONE, "if len(rows) > 1:", "if True:")
    strange = reasons.change_of(ONE, "x = 1", "x = None")
    left, found, idle = reasons.unexplained([known, strange], reasons.read(GIVEN))
    assert left == [strange]
    assert found == {"sorting one row changes nothing": [known]}
    assert [reason.becomes for reason in idle] == ["len(rows) >= 1", "~text", "~any"]


def test_the_page_lists_each_change_under_its_reason_and_counts_like_ones() -> None:
    twice = [reasons.change_of(f"ar_core.aging.x_a__mutmut_{n}", "x = a | b", "x = None") for n in (1, 2)]
    once = reasons.change_of("ar_core.aging.x_b__mutmut_1", "return False", "")
    assert reasons.page({"the same": [*twice, once]}).splitlines() == [
        "**the same**",
        "",
        "| where | change | times |",
        "|---|---|---|",
        "| `aging.a` | `` x = a \\| b `` → `` x = None `` | 2 |",
        "| `aging.b` | `` return False `` → nothing |  |",
    ]


def functions() -> Iterator[str]:
    core = ROOT / "core" / "ar_core"
    for path in core.rglob("*.py"):
        module = ".".join(path.relative_to(core).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}"
            elif isinstance(node, ast.ClassDef):
                yield from (
                    f"{module}.{node.name}.{f.name}" for f in node.body if isinstance(f, ast.FunctionDef)
                )


def test_every_reason_names_functions_that_there_are() -> None:
    known = set(functions())
    named = {reason.where for reason in reasons.read() if "*" not in reason.where}
    assert named <= known, named - known
    assert all(len(reason.why) > 10 for reason in reasons.read())
