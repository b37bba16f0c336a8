"""What decided a rule, and what would have to be different for it to come out the other way."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ar_core.cadence.predicates import Condition, PredicateError, parse_predicate

FACTS = SimpleNamespace(a=5, b=True, c=None, d="x")


def conditions(rows: list[Condition]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("rule", "because"),
    [
        ("a > 3", [("a", ">", 3, 5)]),
        ("b", [("b", "==", True, True)]),
        ("not b", [("b", "==", True, True)]),
        ("True", []),
        ("a > 3 and b", [("a", ">", 3, 5), ("b", "==", True, True)]),
        ("a > 9 and b", [("a", ">", 9, 5)]),
        ("a > 9 or b", [("b", "==", True, True)]),
        ("a > 9 or d == 'y'", [("a", ">", 9, 5), ("d", "==", "y", "x")]),
        ("c > 1 and b", [("c", ">", 1, None)]),
    ],
)
def test_what_decided_it(rule: str, because: list[tuple[Any, ...]]) -> None:
    assert conditions(parse_predicate(rule).test.deciding(FACTS)) == because


@pytest.mark.parametrize(
    ("rule", "to_hold", "to_fail"),
    [
        ("a > 3", [], [("a", "<=", 3, 5)]),
        ("a > 9", [("a", ">", 9, 5)], []),
        ("b", [], [("b", "==", False, True)]),
        ("not b", [("b", "==", False, True)], []),
        ("c", [("c", "==", True, None)], [("c", "==", False, None)]),
        ("c is None", [], [("c", "is not", None, None)]),
        ("True", [], [("policy", "==", False, True)]),
        ("False", [("policy", "==", True, False)], []),
        ("a > 9 and d == 'y'", [("a", ">", 9, 5), ("d", "==", "y", "x")], []),
        ("a > 3 and b", [], [("a", "<=", 3, 5)]),
        ("(a > 9 and d == 'y') or d == 'z'", [("d", "==", "z", "x")], []),
        ("a > 9 and a > 9", [("a", ">", 9, 5)], []),
    ],
)
def test_what_would_turn_it_around(rule: str, to_hold: list[Any], to_fail: list[Any]) -> None:
    test = parse_predicate(rule).test
    assert conditions(test.to_change(FACTS, True)) == to_hold
    assert conditions(test.to_change(FACTS, False)) == to_fail


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (True, "True"),
        ("a>3 and (b or c)", "a > 3 and (b or c)"),
        ("not (a > 3 or b)", "not (a > 3 or b)"),
        ("not b", "not b"),
        ("d in ('x',)", "d in ('x',)"),
        ("d in ('x', 'y')", "d in ('x', 'y')"),
        ("a == 0.50", "a == 0.50"),
        ({"all": ["b"]}, "b"),
        ("3 < a", "a > 3"),
        ("3 <= a", "a >= 3"),
        ("3 > a", "a < 3"),
        ("3 >= a", "a <= 3"),
        ("3 == a", "a == 3"),
        ("3 != a", "a != 3"),
    ],
)
def test_a_rule_is_written_in_one_way(rule: Any, text: str) -> None:
    assert parse_predicate(rule).text == text
    assert parse_predicate(text) == parse_predicate(rule)
    assert repr(parse_predicate(rule)) == f"Predicate({text!r})"


def test_a_condition_reads_as_it_is_written() -> None:
    assert str(Condition("a", "in", (Decimal("0.5"),))) == "a in (0.5,)"
    assert [str(c) for c in parse_predicate("b and a > 3").test.conditions()] == ["b == True", "a > 3"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (5, "a rule is text such as 'max_dpd >= 60'; got int"),
        ({"any": []}, "`any` takes a list of at least one rule"),
        ({"all": "b"}, "`all` takes a list of at least one rule"),
        ({"some": ["b"]}, "write {any = [...]} or {all = [...]}; got the keys ['some']"),
        ({"any": ["b"], "all": ["b"]}, "write {any = [...]} or {all = [...]}; got the keys ['all', 'any']"),
        ("a" * 2001, "a rule has at most 2000 characters; this one has 2001"),
        ("1 < 2", "'1 < 2', column 1: one side of a comparison is a feature, the other a value"),
        ("b and a + 1", "'b and a + 1', column 7: BinOp is not allowed here; write comparisons of features"),
        ("a is 3", "'a is 3', column 1: `is` is only for `feature is None` and `feature is not None`"),
        ("a > None", "'a > None', column 5: nothing is compared with None; write `is None` or `is not None`"),
        (
            "a == None",
            "'a == None', column 6: nothing is compared with None; write `is None` or `is not None`",
        ),
        (
            "None != a",
            "'None != a', column 1: nothing is compared with None; write `is None` or `is not None`",
        ),
        ("a in (1, None)", "column 10: nothing is compared with None; write `is None` or `is not None`"),
        ("a > -None", "'a > -None', column 6: write a number, text in quotes, or a tuple of them"),
        ("a == true", "'a == true', column 6: write True for true"),
        ("b and not false", "'b and not false', column 11: write False for false"),
        ("", "'' is not an expression: invalid syntax"),
        ("b and", "'b and' is not an expression: invalid syntax"),
        ("not " * 13 + "b", "column 53: a rule nests at most 12 levels"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(rule: Any, message: str) -> None:
    with pytest.raises(PredicateError) as caught:
        parse_predicate(rule)
    assert str(caught.value).endswith(message)


def test_as_long_and_as_deep_as_it_may_be() -> None:
    assert parse_predicate("a" * 2000).features == {"a" * 2000}
    assert parse_predicate("not " * 12 + "b").holds(FACTS) is True
