"""Overrides that are well alone and not together: what lint says of them, and of which it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

import ar_core as ar
from tests.cadence.test_reading_policies import minimal, step

LATER, SHORTER = {"one": {"at": 18}}, {"one": {"window": [7, 14]}}


def override(when: str, steps: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"when": when, "steps": steps or {}, "origin": "test", **changes}


def paths(*overrides: dict[str, Any], **changes: Any) -> list[str]:
    """Where lint finds overrides that contradict each other."""
    steps = [step(at=8, window=[7, 20]), step("two", 30)]
    policy = ar.load_policy(minimal(steps=steps, overrides=list(overrides), **changes))
    return [f.path for f in ar.lint(policy) if f.code == "OVERRIDES_CONTRADICT"]


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("value == tail", "country == 'DE'", True),
        ("value == tail", "value != core", True),
        ("value == tail", "value == core", False),
        ("max_dpd >= 30", "max_dpd <= 30", True),
        ("max_dpd >= 30", "max_dpd < 30", False),
        ("country == 'DE'", "country == 'FR'", False),
        ("country == 'DE'", "country is None", False),
    ],
)
def test_they_contradict_where_both_can_hold(one: str, other: str, contradict: bool) -> None:
    for first, second in ((LATER, SHORTER), (SHORTER, LATER)):
        found = paths(override(one, first), override(other, second))
        assert found == (["overrides[1]"] if contradict else [])


def test_the_last_one_that_says_something_counts() -> None:
    """With both the day is 10, which lies within the window; alone with the first the day is 18."""
    both = {"one": {"at": 10, "window": [7, 14]}}
    assert paths(override("value == tail", LATER), override("max_dpd >= 1", both)) == []
    assert paths(override("value == tail", both), override("max_dpd >= 1", LATER)) == ["overrides[1]"]


def test_each_pair_is_looked_at_and_named_by_its_places() -> None:
    nothing = override("balance_base >= 1", actor="human")
    found = paths(override("value == tail", LATER), nothing, override("max_dpd >= 1", SHORTER))
    assert found == ["overrides[2]"]
    three = [
        override("value == tail", LATER),
        override("max_dpd >= 1", SHORTER),
        override("max_dpd >= 2", SHORTER),
    ]
    assert paths(*three) == ["overrides[1]", "overrides[2]"]


def test_days_that_are_scaled_may_lie_outside_of_a_window() -> None:
    """8 becomes 16, and the window of the other one ends on day 14; in the other order it is scaled with the day."""
    twice = override("value == tail", scale=[2, 1])
    assert paths(twice, override("max_dpd >= 1", SHORTER)) == ["overrides[1]"]
    assert paths(override("max_dpd >= 1", SHORTER), twice) == []


def test_of_rules_with_too_many_cases_nothing_is_said() -> None:
    many = " and ".join(
        f"{name} in ({', '.join(str(n) for n in range(90))})"
        for name in ("touches", "broken_ptp", "disputes_12m")
    )
    assert paths(override(many, LATER), override("max_dpd >= 1", SHORTER)) == []


def test_those_that_exclude_each_other_leave_the_others_to_be_looked_at() -> None:
    twice = override("value == tail", scale=[2, 1])
    assert paths(twice, override("max_dpd >= 1", LATER), override("value == core", SHORTER)) == [
        "overrides[2]"
    ]
