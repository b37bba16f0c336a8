"""Overrides that are well alone and not together: what lint says of them, and of which it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

import ar_core as ar
from tests.cadence.test_reading_policies import minimal, step

LATER, SHORTER = {"one": {"at": 18}}, {"one": {"window": [7, 14]}}


def override(when: str, steps: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"when": when, "steps": steps or {}, "origin": "test", **changes}


def findings(*overrides: dict[str, Any], **changes: Any) -> list[ar.LintFinding]:
    """What lint says of overrides that contradict each other."""
    steps = changes.pop("steps", [step(at=8, window=[7, 20]), step("two", 30)])
    policy = ar.load_policy(minimal(steps=steps, overrides=list(overrides), **changes))
    return [f for f in ar.lint(policy) if f.code == "OVERRIDES_CONTRADICT"]


def paths(*overrides: dict[str, Any], **changes: Any) -> list[str]:
    """Where lint finds overrides that contradict each other."""
    return [f.path for f in findings(*overrides, **changes)]


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
        ("overdue_invoices == 0", "max_dpd >= 30", False),
        ("overdue_invoices == 0", "max_dpd > 0", False),
        ("overdue_invoices == 0", "max_dpd >= 0", True),
        ("overdue_invoices > 2", "max_dpd < 1", False),
        ("overdue_invoices > 2", "max_dpd < 2", True),
        ("overdue_invoices == 0", "max_dpd is None", True),
        ("days_since_last_touch > 3", "days_since_last_touch < 4", False),
        ("days_since_last_touch > 3", "days_since_last_touch < 5", True),
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


COUNTS = ("touches", "broken_ptp", "disputes_12m", "open_promises", "settled_12m", "kept_ptp_12m")


def linked(number: int, *names: str) -> str:
    """A rule that is no `and`, so that its parts have to be looked at together."""
    return f"not ({' or '.join(f'{name} < {number + 1}' for name in names)})"


def test_of_rules_with_too_many_cases_nothing_is_said() -> None:
    for names, found in ((COUNTS, ["overrides[1]"]), ((*COUNTS, "unanswered_sms", "unanswered_letter"), [])):
        assert paths(override(linked(1, *names), LATER), override("touches >= 1", SHORTER)) == found


@pytest.mark.parametrize("word", ["and", "or"])
def test_of_very_many_that_contradict_each_other_a_part_is_told(word: str) -> None:
    """What is tried is bounded in all, at a second or two."""
    names = ("touches", "broken_ptp", "disputes_12m", "open_promises", "settled_12m", "max_dpd")
    many = [
        override(f" {word} ".join(f"{name} >= {number}" for name in names), SHORTER if number % 2 else LATER)
        for number in range(2, 102)
    ]
    assert 100 < len(paths(*many)) < 2400  # of 2500 pairs


def test_lists_of_values_that_have_nothing_to_do_with_each_other_are_not_combined() -> None:
    values = ", ".join(f"'{number}'" for number in range(60))
    listed = f"country in ({values}) and currency in ({values}) and language in ({values})"
    assert paths(override(listed, LATER), override("max_dpd >= 1", SHORTER)) == ["overrides[1]"]


def test_one_that_always_holds_beside_them_counts_too() -> None:
    later, shorter = override("value == tail", LATER), override("max_dpd >= 1", SHORTER)
    back = {"one": {"at": 10}}
    for when, found in (
        ("value == tail", []),
        ("value != core", []),
        ("max_dpd >= 1", []),
        ("max_dpd >= 0 and value in ('core', 'tail')", []),
        ("max_dpd >= 2", ["overrides[1]"]),
        ("value == tail and country == 'DE'", ["overrides[1]"]),
    ):
        assert paths(later, shorter, override(when, back)) == found
    # Where it comes first, they have the last word.
    assert paths(override("value == tail", back), later, shorter) == ["overrides[2]"]


def test_a_step_that_is_off_is_none_anyway() -> None:
    later, off = override("value == tail", LATER), {"one": {"window": [7, 14], "enabled": False}}
    assert paths(later, override("max_dpd >= 1", off)) == []
    assert paths(later, override("max_dpd >= 1", {**SHORTER, "two": {"enabled": False}})) == ["overrides[1]"]
    for enabled, found in ((True, ["overrides[1]"]), (False, [])):
        steps = [step(at=8, window=[7, 20], enabled=enabled), step("two", 30)]
        assert paths(later, override("max_dpd >= 1", SHORTER), steps=steps) == found


@pytest.mark.parametrize(
    ("one", "other", "severity"),
    [
        ("value == tail", "max_dpd >= 1", "error"),
        ("country == 'DE' and not order_hold", "overdue_invoices >= 1 and max_dpd >= 1", "error"),
        ("touches >= 5", "unanswered_touches == 0", "warning"),
        ("risk == high", "max_dpd >= 1", "warning"),
        ("value == tail", "lifetime_value >= 1", "warning"),
    ],
)
def test_where_features_may_follow_from_each_other_it_is_said_with_a_may(
    one: str, other: str, severity: str
) -> None:
    risks = [
        {"id": "high", "when": "max_dpd > 60", "origin": "x"},
        {"id": "rest", "otherwise": True, "origin": "x"},
    ]
    (found,) = findings(override(one, LATER), override(other, SHORTER), tiers={"risk": risks})
    assert found.severity == severity
    begins = (
        "where overrides[0] holds as well, step"
        if severity == "error"
        else "overrides[0] may hold as well, and then step"
    )
    assert found.message.startswith(begins)


def test_three_may_contradict_where_two_do_not() -> None:
    """8 becomes 16 with one of them, and 32 with both."""
    scales = [override(when, scale=[2, 1]) for when in ("value == tail", "country == 'DE'")]
    shorter = override("max_dpd >= 1", {"one": {"window": [7, 20]}})
    (found,) = findings(*scales, shorter)
    assert found == (
        "OVERRIDES_CONTRADICT",
        "error",
        "overrides[2]",
        (
            "where overrides[0] and overrides[1] hold as well, step one is none any more: the day `at` = 32 lies outside the window "
            "[7, 20]; say all changes in one of them, or let their rules exclude each other"
        ),
    )
    assert paths(scales[0], override("value == core", scale=[2, 1]), shorter) == []
    assert paths(*scales, override("max_dpd >= 1", {"one": {"window": [7, 14]}})) == ["overrides[2]"] * 2


def test_those_that_exclude_each_other_leave_the_others_to_be_looked_at() -> None:
    twice = override("value == tail", scale=[2, 1])
    assert paths(twice, override("max_dpd >= 1", LATER), override("value == core", SHORTER)) == [
        "overrides[2]"
    ]
