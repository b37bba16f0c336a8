"""What in a policy is dead or void? Rules that never hold, steps that cannot go out, settings that change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final

from ar_core.cadence.features import FEATURES
from ar_core.cadence.fulfilling import EVER, Days, can_hold, holds_wherever
from ar_core.cadence.lint_codes import LintCode, LintFinding, Severity
from ar_core.cadence.plan import FOREVER, Plan, PlanStep
from ar_core.cadence.policy import Override, Policy, Step, StepKind, StepPatch
from ar_core.cadence.vocabulary import RUNG_NEEDS, Rung
from ar_core.model.parties import Channel

__all__ = ["void"]

_WORTH: Final = frozenset({"value", "lifetime_value"})
_OF_MESSAGES: Final = ("channels", "alternatives", "actor", "audience", "sender_role", "attach", "needs")
"""Settings of a step that say how it reaches the customer. Its tone is none of them: messages after a decision are no milder (R64)."""
_CURRENCY: Final = re.compile("[A-Z]{3}")
"""How a currency is written in every record. Of countries nothing is certain: an ERP has them as somebody entered them."""


def void(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    """Every setting that is dead or void. `plan`: of customers for whom no override holds."""
    yield from _steps(policy, plan)
    yield from _settings(policy)
    yield from _rules(policy, plan)
    yield from _currencies(policy)
    yield from _required(plan)
    yield from _capped(policy, plan)
    yield from _risk(policy, plan)
    yield from _capabilities(policy)
    yield from _value(policy)
    for index, override in enumerate(policy.overrides):
        yield from _override(f"overrides[{index}]", override, policy)


def _steps(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    """Steps whose rule never holds. One that another requires goes out whatever its rule says (E24)."""
    required = {name for step in policy.steps for name in step.requires}
    for step in policy.steps:
        if step.when is None or step.id in required or not _can_be_on(step, policy):
            continue
        days = _days_of(step, policy)
        if not can_hold(step.when, policy, plan):
            message = f"`{step.when.text}` never holds; change the rule, or switch the step off with enabled = false"
        elif not can_hold(step.when, policy, plan, days):
            message = f"`{step.when.text}` never holds {_told(days)}, when the step can go out; change the rule or the step's days"
        else:
            continue
        yield LintFinding(LintCode.STEP_NEVER_FIRES, Severity.ERROR, f"steps.{step.id}.when", message)


def _patches(step: Step, policy: Policy) -> list[StepPatch]:
    return [o.steps[name] for o in policy.overrides for name in ("*", step.id) if name in o.steps]


def _can_be_on(step: Step, policy: Policy) -> bool:
    return step.enabled or any(patch.enabled is True for patch in _patches(step, policy))


def _days_of(step: Step, policy: Policy) -> Days:
    """The days past due on which a step can go out; all of them where an override moves it."""
    patched = any(patch.at is not None or patch.window is not None for patch in _patches(step, policy))
    if patched or any(override.scale is not None for override in policy.overrides):
        return EVER
    entry = PlanStep(step, policy.capabilities)
    # A sequence skips nothing: its steps go out after their windows too (E25).
    late = policy.catch_up.mode == "sequential" or policy.grouping.on_lead_change == "restart"
    return entry.first, FOREVER if late else entry.last


def _told(days: Days) -> str:
    first, last = days
    if last == FOREVER:
        return f"from day {first} on"
    return f"on day {first}" if first == last else f"on days {first} to {last}"


def _rules(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    """Other rules that never hold. An escalation may have one that does not: its age can force it."""
    forced = {
        f"escalate[{i}].when" for i, rule in enumerate(policy.escalate) if rule.forced_by_dpd is not None
    }
    for path, rule, _ in policy.predicates():
        if path.startswith("steps.") or path in forced or can_hold(rule, policy, plan):
            continue
        yield LintFinding(
            LintCode.UNREACHABLE_RULE,
            Severity.WARNING,
            path,
            f"`{rule.text}` never holds, so this does nothing; change the rule or leave it out",
        )


def _settings(policy: Policy) -> Iterator[LintFinding]:
    """Settings of steps and rungs that are never looked at."""
    for step in policy.steps:
        path = f"steps.{step.id}"
        if step.kind is StepKind.TOUCH:
            if step.options:
                yield _nothing(f"{path}.options", "a touch offers nothing to decide", "set kind = 'decision'")
        else:
            why = f"a step of kind {step.kind} is not sent to the customer"
            for name in _OF_MESSAGES:
                if name == "channels" and step.kind is StepKind.INTERNAL:
                    continue  # a task may say that its channel is `internal`
                if getattr(step, name) != Step.model_fields[name].default:
                    yield _nothing(f"{path}.{name}", why, "set kind = 'touch'")
        if step.otherwise is not None and step.capability is None:
            why = "it is taken where the step's capability is not declared, and the step names none"
            yield _nothing(f"{path}.else", why, "set capability")
    for index, rule in enumerate(policy.escalate):
        if rule.rung is Rung.AUTOMATED:
            why = "automated is the lowest rung, on which everybody begins"
            yield _nothing(f"escalate[{index}].rung", why, "name a higher one")


def _nothing(path: str, why: str, instead: str) -> LintFinding:
    message = f"{why}, so this changes nothing; {instead}, or leave it out"
    return LintFinding(LintCode.VOID_SETTING, Severity.WARNING, path, message)


def _currencies(policy: Policy) -> Iterator[LintFinding]:
    """Comparisons with what is no currency."""
    for path, rule, _ in policy.predicates():
        for condition in rule.test.conditions():
            if FEATURES[condition.feature].unit != "ISO 4217" or condition.wanted is None:
                continue
            asked = condition.wanted if isinstance(condition.wanted, tuple) else (condition.wanted,)
            wrong = [repr(value) for value in asked if not _CURRENCY.fullmatch(value)]
            if wrong:
                yield LintFinding(
                    LintCode.UNREACHABLE_RULE,
                    Severity.WARNING,
                    path,
                    f"{condition.feature} is never {' or '.join(wrong)}; write three capital letters, such as 'USD'",
                )


def _required(plan: Plan) -> Iterator[LintFinding]:
    for step in plan.steps:
        for name in step.requires:
            needed = plan.by_id.get(name)
            if needed is None or needed.at <= step.at:
                continue
            yield LintFinding(
                LintCode.REQUIRES_LATER_STEP,
                Severity.ERROR,
                f"steps.{step.id}.requires",
                f"it falls on day {step.at} and requires {name}, which comes later, on day {needed.at}; "
                "move one of them, or do not require it",
            )


def _capped(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    shut = {channel for channel, cap in policy.limits.per_channel.items() if cap == 0}
    for step in (*plan.steps, *plan.repeats):
        used = list(dict.fromkeys(channel for way in step.ways for channel in way.channels))
        if step.is_touch and used and shut.issuperset(used):
            yield LintFinding(
                LintCode.STEP_NEVER_FIRES,
                Severity.ERROR,
                f"steps.{step.id}.channels",
                f"limits.per_channel allows no contact by {_listed(used)}; raise the cap or add another channel",
            )


def _risk(policy: Policy, plan: Plan) -> Iterator[LintFinding]:
    """Risk rules that are never reached: the first that holds decides (C9). What holds always, or never, is told elsewhere."""
    rules = [
        (rule.id, predicate) for rule in policy.tiers.risk if (predicate := rule.predicate()) is not None
    ]
    told: set[str] = set()
    for (before, earlier), (name, later) in combinations(rules, 2):
        if name in told or not earlier.features or not can_hold(later, policy, plan):
            continue
        if holds_wherever(earlier, later, policy, plan):
            told.add(name)
            yield LintFinding(
                LintCode.UNREACHABLE_RULE,
                Severity.ERROR,
                f"tiers.risk.{name}",
                f"{before} comes before it and holds wherever `{later.text}` does, so it is never reached; put it before {before}",
            )


def _capabilities(policy: Policy) -> Iterator[LintFinding]:
    declared = policy.capabilities
    if policy.writeback.order_hold and not declared.can_hold_orders:
        yield LintFinding(
            LintCode.THREAT_WITHOUT_CAPABILITY,
            Severity.WARNING,
            "writeback.order_hold",
            "no order hold is proposed while capabilities.can_hold_orders is false; declare it, or leave this out",
        )
    for index, rule in enumerate(policy.escalate):
        name = RUNG_NEEDS.get(rule.rung)
        if name is not None and not getattr(declared, name):
            yield LintFinding(
                LintCode.THREAT_WITHOUT_CAPABILITY,
                Severity.INFO,
                f"escalate[{index}].rung",
                f"it calls for finance_lead instead of {rule.rung} while capabilities.{name} is false; "
                "declare it if it is so",
            )


def _value(policy: Policy) -> Iterator[LintFinding]:
    tiers = policy.tiers.value
    if not tiers.enabled:
        for path, rule, _ in policy.predicates():
            asked = {c.feature for c in rule.test.conditions() if c.operator not in {"is", "is not"}}
            for name in sorted(asked & _WORTH):
                yield LintFinding(
                    LintCode.NO_VALUE_TIERS,
                    Severity.WARNING,
                    path,
                    f"it asks for {name}, which is unknown while tiers.value.enabled is false; "
                    "switch the tiers on, or change the rule",
                )
    elif tiers.strategic + tiers.core > 1:
        yield LintFinding(
            LintCode.SHARES_ABOVE_ONE,
            Severity.WARNING,
            "tiers.value",
            f"strategic and core together are {tiers.strategic + tiers.core} of all customers, so none is tail; "
            "lower one of them until together they are at most 1",
        )


def _override(path: str, override: Override, policy: Policy) -> Iterator[LintFinding]:
    if not _sets_something(override):
        yield LintFinding(
            LintCode.VOID_SETTING,
            Severity.WARNING,
            path,
            "it sets nothing; say what it changes, such as actor, notify, steps or scale, or leave it out",
        )
    only = override.only_channels
    without = [step.id for step in policy.steps if _is_left_without(step, override, policy)] if only else []
    if without:
        yield LintFinding(
            LintCode.VOID_SETTING,
            Severity.WARNING,
            f"{path}.only_channels",
            f"steps without {_listed(only)} keep their own channels: {', '.join(without)}; add {_listed(only)} to them, "
            "or switch them off for these customers",
        )


def _is_left_without(step: Step, override: Override, policy: Policy) -> bool:
    """Whether none of a step's channels is among those that an override leaves, whatever other overrides give it."""
    if step.kind is not StepKind.TOUCH or not _can_be_on(step, policy):
        return False
    if any(override.steps[name].enabled is False for name in ("*", step.id) if name in override.steps):
        return False
    added = {channel for other in policy.overrides for channel in other.add_channels}
    patched = {channel for patch in _patches(step, policy) for channel in patch.channels or ()}
    return {*step.channels, *added, *patched}.isdisjoint(override.only_channels)


def _sets_something(override: Override) -> bool:
    plain = (
        override.actor,
        override.sender_role,
        override.notify,
        override.add_channels,
        override.only_channels,
        override.scale,
    )
    return any(plain) or any(patch.model_dump(exclude_none=True) for patch in override.steps.values())


def _listed(channels: Iterable[Channel]) -> str:
    return " or ".join(channels)
