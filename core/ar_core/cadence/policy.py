"""What is a cadence policy? Stages, steps, tiers, pauses, limits and escalation, as data that is checked when it is read.

A stage says how old an invoice is, a step what comes next, a tone how it is said: three separate things (C4). Unknown keys
are errors. A policy holds no code: its rules are predicates over published features (D17), so it is safe to accept from a
tenant.
"""

from __future__ import annotations

import hashlib
import json
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    Field,
    model_validator,
)

from ar_core.cadence.features import check_predicate
from ar_core.cadence.patches import check_patched
from ar_core.cadence.policy_parts import (
    Capabilities,
    CatchUp,
    Clock,
    DueDateFallback,
    Escalation,
    Grouping,
    IntentRule,
    Limits,
    Notice,
    Override,
    Pauses,
    RiskRule,
    Scoring,
    Stage,
    Step,
    StepPatch,
    Tiers,
    ValueTiers,
    Variant,
    Writeback,
)
from ar_core.cadence.predicates import Predicate
from ar_core.cadence.vocabulary import (
    Actor,
    Clause,
    Id,
    Part,
    Purpose,
    Rung,
    StepKind,
    Tone,
    ValueTier,
)

__all__ = [
    "Actor",
    "Capabilities",
    "CatchUp",
    "Clause",
    "Clock",
    "DueDateFallback",
    "Escalation",
    "Grouping",
    "IntentRule",
    "Limits",
    "Notice",
    "Override",
    "Pauses",
    "Policy",
    "Purpose",
    "RiskRule",
    "Rung",
    "Scoring",
    "Stage",
    "Step",
    "StepKind",
    "StepPatch",
    "Tiers",
    "Tone",
    "ValueTier",
    "ValueTiers",
    "Variant",
    "Writeback",
    "known_settings",
]


class Policy(Part):
    """A complete policy."""

    schema_id: Literal["cadence-policy/1"] = Field(default="cadence-policy/1", alias="schema")
    id: Id
    version: Annotated[int, Field(ge=1)] = 1
    family: Id | None = None
    """Part of every action key; None: the id. Keep it when you rename a policy, so that nothing fires twice (E28)."""
    description: str = ""
    clock: Clock = Clock()
    stages: tuple[Stage, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1)
    tiers: Tiers = Tiers()
    overrides: tuple[Override, ...] = ()
    limits: Limits = Limits()
    catch_up: CatchUp = CatchUp()
    grouping: Grouping = Grouping()
    pauses: Pauses = Pauses()
    escalate: tuple[Escalation, ...] = ()
    notices: tuple[Notice, ...] = ()
    capabilities: Capabilities = Capabilities()
    scoring: Scoring = Scoring()
    writeback: Writeback = Writeback()

    @property
    def key_family(self) -> str:
        """What stands for this policy in action keys."""
        return self.family or self.id

    @property
    def ref(self) -> str:
        """`id@version`, as `extends` names it."""
        return f"{self.id}@{self.version}"

    def resolved(self) -> dict[str, Any]:
        """The whole policy as plain data, presets merged in, ready for JSON or TOML."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the resolved content: two policies that decide alike from the same text have the same hash."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        _unique("stages", [stage.id for stage in self.stages])
        names = [step.id for step in self.steps]
        _unique("steps", names + [alias for step in self.steps for alias in step.aliases])
        _check_stages(self.stages)
        for step in self.steps:
            for needed in step.requires:
                if needed not in names:
                    raise ValueError(f"steps.{step.id}.requires names {needed!r}, which is no step")
        _check_cycles(self.steps)
        for index, override in enumerate(self.overrides):
            for name in override.steps:
                if name != "*" and name not in names:
                    raise ValueError(f"overrides[{index}].steps names {name!r}, which is no step")
            check_patched(self.steps, override, f"overrides[{index}]")
        _check_risk(self.tiers.risk)
        stage_ids = tuple(stage.id for stage in self.stages)
        if self.pauses.promise_approval_from not in {None, *stage_ids}:
            raise ValueError(
                f"pauses.promise_approval_from names {self.pauses.promise_approval_from!r}, which is no stage"
            )
        for path, predicate, scope in self.predicates():
            check_predicate(predicate, path, scope, stage_ids, tuple(rule.id for rule in self.tiers.risk))
        return self

    def predicates(self) -> list[tuple[str, Predicate, str]]:
        """Every rule in it as (path, predicate, scope); scope `customer` may not name features of one invoice."""
        found: list[tuple[str, Predicate, str]] = []
        for rule in self.tiers.risk:
            predicate = rule.predicate()
            if predicate is not None:
                found.append((f"tiers.risk.{rule.id}", predicate, "risk"))
            if rule.gap is not None:
                found.append((f"tiers.risk.{rule.id}.gap", rule.gap, "risk"))
        for index, override in enumerate(self.overrides):
            plan = override.steps or override.scale
            found.append((f"overrides[{index}].when", override.when, "customer" if plan else "invoice"))
        found += [(f"steps.{s.id}.when", s.when, "invoice") for s in self.steps if s.when is not None]
        found += [(f"escalate[{i}].when", e.when, "customer") for i, e in enumerate(self.escalate)]
        found += [(f"notices.{n.id}.when", n.when, "invoice") for n in self.notices]
        return found


def known_settings(path: tuple[str | int, ...]) -> list[str]:
    """The names of the settings that a table of a policy may have. `path`: keys and places in lists that lead to it."""
    kind: Any = Policy
    for part in path:
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        if part in fields:  # else it is a name of one's own, such as a step's in an override
            kind = _part_in(fields[part].annotation) or kind
    names = [field.alias or name for name, field in kind.model_fields.items()]
    return [*names, "extends", "hours", "remove_steps"] if kind is Policy else names


def _part_in(annotation: Any) -> type[Part] | None:
    """The kind of part that a setting holds, be it one, several or by name."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _part_in(inner))), None)


def _unique(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}: two of them are called {name!r}")
        seen.add(name)


def _check_stages(stages: tuple[Stage, ...]) -> None:
    for index, stage in enumerate(stages):
        if (stage.from_day is None) != (index == 0) and index != 0:
            raise ValueError(f"stages.{stage.id}: only the first stage may leave out `from`")
        if stage.to_day is None and index != len(stages) - 1:
            raise ValueError(f"stages.{stage.id}: only the last stage may leave out `to`")
    for before, after in pairwise(stages):
        if before.to_day is None or after.from_day is None or after.from_day != before.to_day + 1:
            raise ValueError(
                f"stages {before.id} and {after.id} leave a gap or overlap: {before.id} ends on {before.to_day}, "
                f"{after.id} starts on {after.from_day}"
            )


def _check_cycles(steps: tuple[Step, ...]) -> None:
    try:
        TopologicalSorter({step.id: step.requires for step in steps}).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"steps require each other in a circle: {circle}") from None


def _check_risk(rules: tuple[RiskRule, ...]) -> None:
    _unique("tiers.risk", [rule.id for rule in rules])
    if rules and not rules[-1].otherwise:
        raise ValueError("tiers.risk must be total: the last rule says `otherwise = true` (C9)")
    for rule in rules[:-1]:
        if rule.otherwise:
            raise ValueError(f"tiers.risk.{rule.id}: nothing after `otherwise` can be reached; put it last")
