"""What would change if this policy replaced that one? Touches added, removed and moved on the same facts (R55)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ar_core.asof import AsOf
from ar_core.cadence.evaluate import evaluate
from ar_core.cadence.evaluation import Action, ActionKind, Evaluation
from ar_core.cadence.given import check_policy
from ar_core.cadence.policy import Policy
from ar_core.calendar import Calendar
from ar_core.model.base import Frozen
from ar_core.model.snapshot import Snapshot
from ar_core.segments import Tiers

__all__ = ["Change", "PolicyDiff", "Setting", "compare_policies", "diff", "diff_evaluations"]


class Setting(Frozen):
    """One setting that differs; None where a policy does not have it."""

    path: str
    before: Any
    after: Any


class Change(Frozen):
    """One account whose message differs."""

    customer_id: str
    kind: str
    """added, removed, or moved (another step, channel or actor)."""
    before: str | None
    """`step channel actor` under the first policy."""
    after: str | None
    segment: str
    """`value/risk` under the second policy."""


class PolicyDiff(Frozen):
    """Two policies on the same facts at the same moment."""

    before: str
    after: str
    settings: tuple[Setting, ...]
    changes: tuple[Change, ...]
    """By customer."""
    load_before: dict[str, int]
    """Messages per channel."""
    load_after: dict[str, int]
    by_segment: dict[str, dict[str, int]]
    """Added, removed and moved per segment."""
    dispositions: dict[str, int]
    """How many invoices went from one code to another, by `OLD -> NEW`."""


def diff(
    before: Policy,
    after: Policy,
    snapshot: Snapshot,
    as_of: AsOf,
    *,
    tiers: Tiers | None = None,
    calendar: Calendar | None = None,
) -> PolicyDiff:
    """Evaluate the same snapshot under both policies and compare. Raises what `evaluate` raises."""
    check_policy(after)
    first = evaluate(snapshot, before, as_of, tiers=tiers, calendar=calendar)
    second = evaluate(snapshot, after, as_of, tiers=tiers, calendar=calendar)
    return diff_evaluations(first, second, compare_policies(before, after))


def compare_policies(before: Policy, after: Policy) -> tuple[Setting, ...]:
    """The settings that differ, by path; lists of named things are compared name by name. Raises TypeError for what is no policy."""
    check_policy(before)
    check_policy(after)
    left, right = _flat(before.resolved()), _flat(after.resolved())
    return tuple(
        Setting(path=path, before=left.get(path), after=right.get(path))
        for path in sorted(left.keys() | right.keys())
        if left.get(path) != right.get(path)
    )


def diff_evaluations(first: Evaluation, second: Evaluation, settings: tuple[Setting, ...] = ()) -> PolicyDiff:
    """Compare two evaluations of the same snapshot."""
    old, new = _messages(first), _messages(second)
    segments = {s.customer_id: f"{s.value_tier}/{s.risk_tier or 'none'}" for s in second.segments}
    changes = []
    for customer_id in sorted(old.keys() | new.keys()):
        left, right = old.get(customer_id), new.get(customer_id)
        if left == right:
            continue
        kind = "added" if left is None else "removed" if right is None else "moved"
        changes.append(
            Change(
                customer_id=customer_id,
                kind=kind,
                before=left,
                after=right,
                segment=segments.get(customer_id, "none"),
            )
        )
    by_segment: dict[str, Counter[str]] = {}
    for change in changes:
        by_segment.setdefault(change.segment, Counter())[change.kind] += 1
    codes = Counter(
        f"{d.code} -> {other.code}"
        for d in first.dispositions
        if (other := second.by_invoice.get(d.invoice_id)) is not None and other.code is not d.code
    )
    return PolicyDiff(
        before=first.policy,
        after=second.policy,
        settings=settings,
        changes=tuple(changes),
        load_before=_load(first),
        load_after=_load(second),
        by_segment={name: dict(sorted(counts.items())) for name, counts in sorted(by_segment.items())},
        dispositions=dict(sorted(codes.items())),
    )


def _messages(evaluation: Evaluation) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for action in evaluation.actions:
        if action.kind is not ActionKind.INTERNAL:
            found.setdefault(action.customer_id, []).append(_short(action))
    return {customer: "; ".join(sorted(rows)) for customer, rows in found.items()}


def _short(action: Action) -> str:
    return f"{action.step or action.task} {action.channel} {action.actor}"


def _load(evaluation: Evaluation) -> dict[str, int]:
    counts = Counter(a.channel.value for a in evaluation.actions if a.kind is ActionKind.TOUCH)
    return dict(sorted(counts.items()))


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        rows = [(f"{path}.{name}" if path else str(name), item) for name, item in value.items()]
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        rows = [(f"{path}.{row.get('id', index)}", row) for index, row in enumerate(value)]
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for name, item in rows:
        found.update(_flat(item, name))
    return found
