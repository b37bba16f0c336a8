"""Can a rule hold at all, and does another hold wherever it does? Found by trying one value from each interval (lint).

The numbers that a rule compares a feature with cut its values into intervals, and within one the answer is the same. So a value from
each, in every combination, tells all there is. Only features that are asked for together have to be combined: the parts of an `and`
that share none are looked at by themselves. What ties features together in the real world counts only where it is certain: an
invoice's stage follows from its days past due, the oldest invoice is no younger than it, and it is past due where any is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from ar_core.cadence.conditions import Condition, Test
from ar_core.cadence.features import FEATURES, Feature, FeatureType
from ar_core.cadence.plan import FOREVER, Plan
from ar_core.cadence.policy import Policy
from ar_core.cadence.predicates import Predicate

__all__ = ["EVER", "Days", "Effort", "axes", "can_hold", "can_hold_together", "holds_wherever"]

Days = tuple[int, int]
"""First and last day past due, both included."""
EVER: Final[Days] = (-FOREVER, FOREVER)
"""All days past due."""
_MOST: Final = 10_000
"""Combinations that are tried of features that are asked for together; what more of them would tell is not said."""
_ASKED: Final = 10
"""What it costs to ask, in cases."""
_LITTLE: Final = Decimal("0.000001")
"""From a number that is compared with into the interval above it, where values have fractions."""
_AGE: Final = frozenset({"dpd", "stage", "max_dpd", "overdue_invoices"})
_WHOLE_DAYS: Final = frozenset({"days_since_last_touch", "days_since_last_response"})


class Effort:
    """How many more cases may be tried, over several questions."""

    __slots__ = ("left",)

    def __init__(self, cases: int) -> None:
        self.left = cases

    def spend(self, cases: int) -> bool:
        """Take some off; False once there are none left."""
        self.left -= cases
        return self.left > 0


class _Demand(NamedTuple):
    """That a test is fulfilled, or that it is not: false, or unknown."""

    test: Test
    fulfilled: bool = True

    def met(self, case: Any) -> bool:
        return (self.test.holds(case) is True) is self.fulfilled


def can_hold(rule: Predicate, policy: Policy, plan: Plan, days: Days = EVER) -> bool:
    """Whether anything can fulfil a rule: of an invoice that is as many days past due, where the rule looks at one.

    True also where that takes too long to find out.
    """
    return _possible([_Demand(test) for test in rule.test.needed()], policy, plan, days) is not False


def can_hold_together(
    rules: Iterable[Predicate], policy: Policy, plan: Plan, effort: Effort | None = None
) -> bool | None:
    """Whether all of them hold in some case. None where that takes too long to find out."""
    demands = [_Demand(test) for rule in rules for test in rule.test.needed()]
    return _possible(demands, policy, plan, EVER, effort)


def holds_wherever(
    one: Predicate, other: Predicate, policy: Policy, plan: Plan, effort: Effort | None = None
) -> bool | None:
    """Whether `one` holds in every case in which `other` does. None where that takes too long to find out."""
    given = [_Demand(test) for test in other.test.needed()]
    answers = {
        _possible([*given, _Demand(test, fulfilled=False)], policy, plan, EVER, effort)
        for test in one.test.needed()
    }
    return False if True in answers else None if None in answers else True


def axes(names: Iterable[str]) -> set[str]:
    """What features vary along: each by itself, and those that tell an age together."""
    return {"max_dpd" if name in _AGE else name for name in names}


def _possible(
    demands: Iterable[_Demand], policy: Policy, plan: Plan, days: Days, effort: Effort | None = None
) -> bool | None:
    """Whether all demands are met in some case. None: too many to try, or not known."""
    unknown = False
    for linked in _linked(demands):
        cases = _cases([demand.test for demand in linked], policy, plan, days)
        found = None if cases is None or (effort is not None and not effort.spend(_ASKED)) else False
        for tried, case in enumerate(cases if cases is not None and found is False else ()):
            if tried == _MOST or (effort is not None and not effort.spend(1)):
                found = None
                break
            if all(demand.met(case) for demand in linked):
                found = True
                break
        if found is False:
            return False
        unknown = unknown or found is None
    return None if unknown else True


def _linked(demands: Iterable[_Demand]) -> list[list[_Demand]]:
    """Demands in groups that have no feature in common, so that each can be met whatever the others ask."""
    groups: list[tuple[set[str], list[_Demand]]] = []
    for demand in demands:
        own = axes(condition.feature for condition in demand.test.conditions())
        apart = [group for group in groups if group[0].isdisjoint(own)]
        joined = [group for group in groups if not group[0].isdisjoint(own)]
        members = [member for _, group in joined for member in group]
        groups = [*apart, (own.union(*(names for names, _ in joined)), [*members, demand])]
    return [group for _, group in groups]


def _cases(tests: Iterable[Test], policy: Policy, plan: Plan, days: Days) -> Iterator[Any] | None:
    """What tests can come upon, as objects with the features as attributes; None: it is not known."""
    asked: dict[str, list[Any]] = {}
    for test in tests:
        for condition in test.conditions():
            asked.setdefault(condition.feature, []).extend(_wanted(condition))
    if "stage" in asked and any(override.scale is not None for override in policy.overrides):
        return None  # for some customers the stages have other days
    found = [
        [{name: value} for value in _values(FEATURES[name], wanted, policy)]
        for name, wanted in asked.items()
        if name not in _AGE
    ]
    if not _AGE.isdisjoint(asked):
        found.append(_ages(asked, policy, plan, days))
    return (
        SimpleNamespace(**{name: value for part in parts for name, value in part.items()})
        for parts in product(*found)
    )


def _wanted(condition: Condition) -> Sequence[Any]:
    """What a comparison compares with; nothing for `is None` and `is not None`."""
    if condition.wanted is None:
        return ()
    return condition.wanted if isinstance(condition.wanted, tuple) else (condition.wanted,)


def _ages(asked: Mapping[str, list[Any]], policy: Policy, plan: Plan, days: Days) -> list[dict[str, Any]]:
    """Days past due, stage, age of the oldest invoice and number of those overdue, as they can come together: the youngest invoice of
    each interval beside the oldest of each, so that whatever fits together is among them."""
    first, last = days
    starts = [stage.from_day for stage in policy.stages if stage.from_day is not None]
    youngest = {first, *starts, *_whole(asked.get("dpd", ()), (0, 1))}
    counted = "overdue_invoices" in asked
    counts = (
        _values(FEATURES["overdue_invoices"], (0, *asked["overdue_invoices"]), policy) if counted else [None]
    )
    oldest = [None, FOREVER, *_whole([*asked.get("max_dpd", ()), *([1] if counted else [])], (-1, 0))]
    return [
        {"dpd": dpd, "stage": plan.stage(dpd), "max_dpd": max_dpd, "overdue_invoices": count}
        for dpd in youngest
        if first <= dpd <= last
        for max_dpd in oldest
        if max_dpd is None or max_dpd >= dpd
        for count in counts
        if count is None or max_dpd is None or (count > 0) is (max_dpd > 0)
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
        case FeatureType.DAYS if feature.name in _WHOLE_DAYS:
            found = (-FOREVER, *_whole(wanted, (0, 1)))
        case _:
            found = (-FOREVER, *_from(wanted))
    return [*found, None]


def _whole(numbers: Iterable[Any], shifts: tuple[int, int]) -> set[int]:
    """Where intervals of whole numbers begin, with (0, 1), or end, with (-1, 0), that some numbers lie between."""
    return {int(number) + shift for number in numbers for shift in shifts}


def _from(numbers: Iterable[Any]) -> set[Any]:
    """Some numbers, and one a little above each."""
    return {number + shift for number in numbers for shift in (0, _LITTLE)}
