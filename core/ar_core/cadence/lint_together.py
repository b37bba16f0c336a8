"""Which overrides are well alone and contradict each other where they hold for one customer? Loading looks at each by itself.

Overrides are looked at by twos, and by threes where one of them scales the days: more of them are not. Only a day and a window can
contradict each other, for an override can change nothing else that makes a step one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from operator import itemgetter
from typing import Final

from ar_core.cadence.conditions import joined
from ar_core.cadence.fulfilling import Effort, axes, can_hold_together, holds_wherever
from ar_core.cadence.lint_codes import LintCode, LintFinding, Severity
from ar_core.cadence.patches import patched, scaled_step
from ar_core.cadence.plan import Plan
from ar_core.cadence.policy import Override, Policy, Step
from ar_core.cadence.policy_parts import check_step
from ar_core.cadence.predicates import Predicate

__all__ = ["together"]

_EFFORT: Final = 250_000
"""Cases that are tried in all, for a second or two; what is left then is not told."""
_STEP: Final = 10
"""What a step that is changed costs of them."""
_FREE: Final = frozenset({"country", "currency", "language", "has_account_manager", "order_hold", "value"})
"""Features that are given with a customer, and follow from none of the others; those that are counted may follow from each other."""

_Numbered = tuple[int, Override]
_number = itemgetter(0)


def together(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    """Overrides that make of a step what is none where they hold together. An error where they surely can, else a warning.

    `plan`: of customers for whom no override holds.
    """
    effort = Effort(_EFFORT)
    overrides = list(enumerate(policy.overrides))
    moved = [_moved(override, policy) for override in policy.overrides]
    moving = [(index, override) for index, override in overrides if moved[index]]
    broken: set[tuple[str, int, int]] = set()
    for group in chain(combinations(moving, 2), _threes(moving)):
        numbers = [index for index, _ in group]
        both = frozenset.intersection(*(moved[index] for index in numbers))
        if not effort.spend(1 + _STEP * len(both)):
            return
        steps = [
            step
            for step in policy.steps
            if step.id in both
            and not any((step.id, *pair) in broken for pair in combinations(numbers, 2))
            and _error(step, group) is not None
        ]
        if len(group) == 2:
            broken.update((step.id, numbers[0], numbers[1]) for step in steps)
        if steps:
            yield from _told(group, steps, policy, plan, effort)


def _threes(moving: Sequence[_Numbered]) -> Iterator[tuple[_Numbered, ...]]:
    if any(override.scale is not None for _, override in moving):
        yield from combinations(moving, 3)


def _moved(override: Override, policy: Policy) -> frozenset[str]:
    """Steps whose day or window an override changes."""
    named = {
        name for name, patch in override.steps.items() if patch.at is not None or patch.window is not None
    }
    every = override.scale is not None or "*" in named
    return frozenset(step.id for step in policy.steps if every or step.id in named)


def _error(step: Step, group: Sequence[_Numbered]) -> str | None:
    """Why a step is none any more where these overrides hold, in their order; None where it is, or is switched off."""
    for _, override in group:
        if override.scale is not None:
            step = scaled_step(step, *override.scale)
        step = patched(step, override.steps)
    if not step.enabled:
        return None
    try:
        check_step(step)
    except ValueError as error:
        return str(error)
    return None


def _told(
    group: Sequence[_Numbered], steps: Sequence[Step], policy: Policy, plan: Plan, effort: Effort
) -> Iterator[LintFinding]:
    """What is said of overrides that contradict each other in these steps: nothing, where they are never left to themselves."""
    rules = [override.when for _, override in group]
    numbers = [index for index, _ in group]
    if not can_hold_together(rules, policy, plan, effort):
        return
    features = {name for rule in rules for name in rule.features}
    sure = len(axes(features - _FREE)) <= 1 and not {"value", "lifetime_value"} <= features
    rule = Predicate(joined((rule.test for rule in rules), every=True))
    held = list(group)
    for each in enumerate(policy.overrides):
        index, override = each
        if index in numbers or not axes(override.when.features) <= axes(features):
            continue  # what asks for more does not follow from them
        if not effort.spend(_STEP * len(steps)):
            return
        if all(_error(step, sorted([*group, each], key=_number)) for step in steps):
            continue  # it mends nothing
        follows = holds_wherever(override.when, rule, policy, plan, effort)
        sure = sure and follows is not None
        if follows:
            held.append(each)
    held.sort(key=_number)
    *others, last = numbers
    names = " and ".join(f"overrides[{index}]" for index in others)
    holds, changes = ("holds", "both changes") if len(others) == 1 else ("hold", "all changes")
    where = f"where {names} {holds} as well," if sure else f"{names} may hold as well, and then"
    for step in steps:
        error = _error(step, held)
        if error is not None:
            yield LintFinding(
                LintCode.OVERRIDES_CONTRADICT,
                Severity.ERROR if sure else Severity.WARNING,
                f"overrides[{last}]",
                f"{where} step {step.id} is none any more: {error}; say {changes} in one of them, or let their rules exclude each other",
            )
