"""Can a rule hold at all, and does another hold wherever it does? Found by trying one value from each interval (lint).

The numbers that a rule compares a feature with cut its values into intervals, and within one the answer is the same. So a value from
each, in every combination, tells all there is. What ties features together in the real world counts only where it is certain: an
invoice's stage follows from its days past due, and the oldest invoice is no younger than it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from math import prod
from types import SimpleNamespace
from typing import Any, Final

from ar_core.cadence.features import FEATURES, Feature, FeatureType
from ar_core.cadence.plan import FOREVER, Plan
from ar_core.cadence.policy import Policy
from ar_core.cadence.predicates import Condition, Predicate

__all__ = ["EVER", "Days", "can_hold", "can_hold_together", "holds_wherever"]

Days = tuple[int, int]
"""First and last day past due, both included."""
EVER: Final[Days] = (-FOREVER, FOREVER)
"""All days past due."""
_MOST: Final = 50_000
"""Combinations that are tried; with more of them nothing is said."""
_LITTLE: Final = Decimal("0.000001")
"""From a number that is compared with into the interval above it, where values have fractions."""
_AGE: Final = frozenset({"dpd", "stage", "max_dpd"})


def can_hold(rule: Predicate, policy: Policy, plan: Plan, days: Days = EVER) -> bool:
    """Whether anything can fulfil a rule: of an invoice that is as many days past due, where the rule looks at one.

    True also where that takes too long to find out.
    """
    cases = _cases((rule,), policy, plan, days)
    return cases is None or any(rule.holds(case) is True for case in cases)


def can_hold_together(one: Predicate, other: Predicate, policy: Policy, plan: Plan) -> bool:
    """Whether both hold in some case. False where that takes too long to find out."""
    cases = _cases((one, other), policy, plan, EVER)
    return cases is not None and any(one.holds(case) is True and other.holds(case) is True for case in cases)


def holds_wherever(one: Predicate, other: Predicate, policy: Policy, plan: Plan) -> bool:
    """Whether `one` holds in every case in which `other` does. False where that takes too long to find out."""
    cases = _cases((one, other), policy, plan, EVER)
    return cases is not None and all(one.holds(case) is True for case in cases if other.holds(case) is True)


def _cases(rules: Iterable[Predicate], policy: Policy, plan: Plan, days: Days) -> Iterator[Any] | None:
    """What the rules can come upon, as objects with the features as attributes; None: too many to try, or not known."""
    asked: dict[str, list[Any]] = {}
    for rule in rules:
        for condition in rule.test.conditions():
            asked.setdefault(condition.feature, []).extend(_wanted(condition))
    if "stage" in asked and any(override.scale is not None for override in policy.overrides):
        return None  # for some customers the stages have other days
    axes = [
        [{name: value} for value in _values(FEATURES[name], wanted, policy)]
        for name, wanted in asked.items()
        if name not in _AGE
    ]
    if not _AGE.isdisjoint(asked):
        axes.append(_ages(asked, policy, plan, days))
    if prod(len(axis) for axis in axes) > _MOST:
        return None
    return (
        SimpleNamespace(**{name: value for part in parts for name, value in part.items()})
        for parts in product(*axes)
    )


def _wanted(condition: Condition) -> Sequence[Any]:
    """What a comparison compares with; nothing for `is None` and `is not None`."""
    if condition.wanted is None:
        return ()
    return condition.wanted if isinstance(condition.wanted, tuple) else (condition.wanted,)


def _ages(asked: Mapping[str, list[Any]], policy: Policy, plan: Plan, days: Days) -> list[dict[str, Any]]:
    """Days past due, stage and age of the oldest invoice, as they can come together: the youngest invoice of each interval beside the
    oldest of each, so that whatever fits together is among them."""
    first, last = days
    starts = [stage.from_day for stage in policy.stages if stage.from_day is not None]
    youngest = {first, *starts, *_whole(asked.get("dpd", ()), (0, 1))}
    oldest = [None, FOREVER, *_whole(asked.get("max_dpd", ()), (-1, 0))]
    return [
        {"dpd": dpd, "stage": plan.stage(dpd), "max_dpd": max_dpd}
        for dpd in youngest
        if first <= dpd <= last
        for max_dpd in oldest
        if max_dpd is None or max_dpd >= dpd
    ]


def _values(feature: Feature, wanted: Sequence[Any], policy: Policy) -> list[Any]:
    """A value of a feature from each interval, and None: unknown."""
    found: Iterable[Any]
    match feature.type:
        case FeatureType.FLAG:
            found = (True, False)
        case FeatureType.TEXT:
            found = (*wanted, f"{''.join(wanted)}?")  # the last is none of those that are asked for
        case FeatureType.CHOICE:
            found = feature.values or [rule.id for rule in policy.tiers.risk] or ("?",)
        case FeatureType.COUNT:
            found = [number for number in {0, *_whole(wanted, (0, 1))} if number >= 0]
        case FeatureType.RATIO:
            found = [number for number in {0, *_from(wanted)} if 0 <= number <= 1]
        case _:
            found = (-FOREVER, *_from(wanted))
    return [*found, None]


def _whole(numbers: Iterable[Any], shifts: tuple[int, int]) -> set[int]:
    """Where intervals of whole numbers begin, with (0, 1), or end, with (-1, 0), that some numbers lie between."""
    return {int(number) + shift for number in numbers for shift in shifts}


def _from(numbers: Iterable[Any]) -> set[Any]:
    """Some numbers, and one a little above each."""
    return {number + shift for number in numbers for shift in (0, _LITTLE)}
