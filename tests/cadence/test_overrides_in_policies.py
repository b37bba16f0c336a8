"""What an override makes of a step is held to what any step of a policy is (C6, C7, C13)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, step

SMALL = "Input should be greater than or equal to 1"
DEMAND = step(id="demand", at=9, window=[7, 20])
SOON = step(id="soon", at=-3, window=[-5, -1], purpose="pre_due")
DECIDE = step(id="decide", at=30, kind="decision", options=["sell"], channels=[])


def policy(**override: Any) -> ar.Policy:
    overrides = [
        {"when": "country == 'DE'", "actor": "human", "origin": "x"},
        {"when": "country == 'FR'", "origin": "x", **override},
    ]
    return ar.load_policy(minimal(steps=[DEMAND, SOON, DECIDE], overrides=overrides))


def problems(**override: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ar.PolicyError) as caught:
        policy(**override)
    return caught.value.problems


@pytest.mark.parametrize(
    ("scale", "places"),
    [([1, 0], [1]), ([0, 1], [0]), ([-1, 2], [0]), ([2, -1], [1]), ([0, 0], [0, 1])],
)
def test_c13_both_numbers_of_a_scale_are_above_zero(scale: list[int], places: list[int]) -> None:
    assert problems(scale=scale) == tuple((f"overrides[1].scale[{place}]", SMALL) for place in places)
    assert policy(scale=[1, 1]).overrides[1].scale == (1, 1)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            {"demand": {"at": 100}},
            "steps.demand: step demand cannot be changed so: the day `at` = 100 lies outside the window [7, 20]",
        ),
        (
            {"demand": {"at": 6}},
            "steps.demand: step demand cannot be changed so: the day `at` = 6 lies outside the window [7, 20]",
        ),
        (
            {"demand": {"window": [10, 20]}},
            "steps.demand: step demand cannot be changed so: the day `at` = 9 lies outside the window [10, 20]",
        ),
        (
            {"demand": {"channels": []}},
            "steps.demand: step demand cannot be changed so: a touch needs at least one channel",
        ),
        (
            {"soon": {"window": [-5, 0]}},
            "steps.soon: step soon cannot be changed so: a pre_due step needs a window that ends by the due date (C6, C7)",
        ),
        (
            {"*": {"at": 8}},
            "steps.*: step soon cannot be changed so: the day `at` = 8 lies outside the window [-5, -1]",
        ),
        (
            {"*": {"window": [7, 30]}, "soon": {"window": [-4, -1]}, "demand": {"at": 31}},
            "steps.demand: step demand cannot be changed so: the day `at` = 31 lies outside the window [7, 30]",
        ),
    ],
)
def test_a_step_that_would_not_be_one_any_more_is_refused(steps: dict[str, Any], message: str) -> None:
    assert problems(steps=steps) == (("", f"overrides[1].{message}"),)


@pytest.mark.parametrize(
    "steps",
    [
        {"demand": {"at": 7}},
        {"demand": {"at": 20}},
        {"demand": {"at": 100, "window": [90]}},
        {"demand": {"channels": ["letter"]}, "decide": {"channels": []}},
        {"soon": {"window": [-3, -1]}},
        {"*": {"actor": "human", "enabled": False}},
    ],
)
def test_what_fits_is_taken(steps: dict[str, Any]) -> None:
    assert set(policy(steps=steps).overrides[1].steps) == set(steps)


def test_c13_what_is_scaled_is_changed_on_its_scaled_days() -> None:
    half = {"scale": [1, 2], "steps": {"demand": {"at": 3}}}
    assert policy(**half).overrides[1].scale == (1, 2)
    assert problems(scale=[1, 2], steps={"demand": {"at": 11}}) == (
        (
            "",
            "overrides[1].steps.demand: step demand cannot be changed so: the day `at` = 11 lies outside the window [3, 9]",
        ),
    )
    assert policy(steps={"demand": {"at": 11}}).overrides[1].scale is None


def test_the_line_of_the_override_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'id = "mine"\nextends = "balanced"\n[[overrides]]\nwhen = "value == tail"\norigin = "ours"\nsteps.call.at = 100\n',
        encoding="utf-8",
    )
    with pytest.raises(ar.PolicyError) as caught:
        ar.load_policy(path)
    assert str(caught.value) == (
        f"the policy {path} cannot be used:\n  line 6: overrides[0].steps.call: step call cannot be changed so: "
        "the day `at` = 100 lies outside the window [22, 45]"
    )


def test_every_override_that_may_hold_together_with_others_is_looked_at_by_itself() -> None:
    overrides = [
        {"when": "value == tail", "steps": {"call": {"at": 14, "window": [14, 45]}}, "origin": "x"},
        {"when": "value == core", "steps": {"call": {"at": 50, "window": [46, 60]}}, "origin": "x"},
    ]
    assert len(b.changed("balanced", overrides=overrides).overrides) == 2
