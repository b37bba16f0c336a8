"""What does a policy mean for one kind of customer? The policy, resolved for the overrides that hold, ready to be walked.

Resolving costs once per combination of overrides, not once per customer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

from ar_core.cadence.given import check_policy
from ar_core.cadence.outcomes import Outcomes
from ar_core.cadence.patches import patched, scaled_day, scaled_step
from ar_core.cadence.policy import (
    Actor,
    Capabilities,
    Override,
    Policy,
    Purpose,
    Stage,
    Step,
    StepKind,
    Tone,
    Variant,
)
from ar_core.cadence.predicates import Predicate
from ar_core.cadence.ruletables import RuleTables
from ar_core.cadence.view import StageValue
from ar_core.cadence.vocabulary import CLAUSE_NEEDS
from ar_core.model.parties import Channel, ContactRole

__all__ = [
    "FOREVER",
    "NEVER",
    "TONES",
    "CompiledPolicy",
    "Plan",
    "PlanStep",
    "Way",
    "applied",
    "compiled_policy",
    "scaled_day",
    "with_channels",
]

FOREVER: Final = 1_000_000
"""A day past due that never comes."""
NEVER: Final = 1 << 30
"""A number of days that never pass."""

TONES: Final = {tone: rank for rank, tone in enumerate(Tone)}


class Way:
    """One way of carrying a step out, with everything filled in."""

    __slots__ = ("actor", "audience", "channels", "needs", "sender_role", "tone")

    def __init__(self, step: Step, variant: Variant | None) -> None:
        self.channels: tuple[Channel, ...] = (variant.channels if variant else ()) or step.channels
        self.needs = step.needs if variant is None else ()
        """What the step's own channels need; other ways have needs of their own channels only."""
        self.actor: Actor = (variant.actor if variant else None) or step.actor
        self.audience: ContactRole | None = (variant.audience if variant else None) or step.audience
        self.sender_role: str | None = (variant.sender_role if variant else None) or step.sender_role
        self.tone: Tone | None = (variant.tone if variant else None) or step.tone


class PlanStep:
    """A step of one plan."""

    __slots__ = (
        "at",
        "blocked_by",
        "day_bound",
        "fallback",
        "first",
        "id",
        "index",
        "is_touch",
        "kind",
        "last",
        "notify",
        "repeat_every",
        "requires",
        "step",
        "ways",
        "when",
        "withheld",
    )

    def __init__(self, step: Step, capabilities: Capabilities) -> None:
        self.step = step
        self.id = step.id
        self.at = step.at
        window = step.window or (step.at, None)
        self.first = window[0]
        self.last = FOREVER if window[1] is None else window[1]
        self.kind = step.kind
        self.is_touch = step.kind is StepKind.TOUCH
        """It contacts the customer."""
        self.day_bound = step.purpose in {Purpose.PRE_DUE, Purpose.DUE_CONFIRMATION}
        self.requires = step.requires
        self.when: Predicate | None = step.when
        self.repeat_every = step.repeat_every
        self.notify = step.notify
        self.index = -1
        declared = step.capability is None or getattr(capabilities, step.capability)
        self.fallback = not declared and step.otherwise is not None
        self.blocked_by: str | None = None if declared or step.otherwise is not None else step.capability
        if self.fallback:
            self.ways: tuple[Way, ...] = (Way(step, step.otherwise),)
        else:
            own = (Way(step, None),) if step.channels else ()
            self.ways = own + tuple(Way(step, variant) for variant in step.alternatives)
        self.withheld = tuple(c for c in step.clauses if not getattr(capabilities, CLAUSE_NEEDS[c]))


class Plan:
    """Steps and stages for the customers for whom the same overrides hold."""

    def __init__(self, policy: Policy, overrides: Sequence[Override], extra_days: Sequence[int]) -> None:
        steps, stages = applied(policy, overrides)
        compiled = [PlanStep(step, policy.capabilities) for step in steps if step.enabled]
        ladder = sorted((step for step in compiled if step.repeat_every is None), key=lambda s: s.at)
        self.steps: tuple[PlanStep, ...] = tuple(ladder)
        """The ladder: each step covers those before it."""
        self.repeats: tuple[PlanStep, ...] = tuple(step for step in compiled if step.repeat_every is not None)
        """Steps that come again and again; they stand beside the ladder and cover nothing."""
        for index, step in enumerate(self.steps):
            step.index = index
        self.by_id: dict[str, PlanStep] = {step.id: step for step in compiled}
        self.ats: tuple[int, ...] = tuple(step.at for step in self.steps)
        for step in self.repeats:
            step.index = bisect_right(self.ats, step.at) - 1
        self.known_steps: dict[str, str] = {step.id: step.id for step in steps}
        for known in steps:
            self.known_steps.update(dict.fromkeys(known.aliases, known.id))
        order = {stage.id: place for place, stage in enumerate(stages)}
        self.stages: tuple[StageValue, ...] = tuple(
            StageValue(stage.id, place, order) for place, stage in enumerate(stages)
        )
        self.tones: dict[str, Tone] = _tones(stages)
        self._starts = [stage.from_day for stage in stages if stage.from_day is not None]
        self._offset = 0 if stages[0].from_day is None else -1
        days = {day for step in compiled for day in (step.first, step.at, step.last + 1)}
        days.update(self._starts)
        days.update(extra_days)
        days.update((0, 1, policy.clock.grace_days + 1))
        self.boundaries: list[int] = sorted(day for day in days if day < FOREVER)
        forced = [o.actor for o in overrides if o.actor is not None]
        self.actor: Actor | None = Actor.HUMAN if Actor.HUMAN in forced else forced[-1] if forced else None
        """Whom overrides force to make every contact: people where one of them says so, whatever others say (R20, E42)."""
        self.sender_role = next((o.sender_role for o in reversed(overrides) if o.sender_role), None)
        self.notify = tuple(dict.fromkeys(role for o in overrides for role in o.notify))
        self.overrides = tuple(overrides)
        self.tables: dict[int, dict[tuple[str, ...], dict[int, Any]]] = {}
        """What it says, by lag, steps done and days past due: the same for every invoice, found once (`account.Template`)."""
        self.notices: dict[tuple[str, Any], dict[int, bool]] = {}
        """By a notice's name and what of an account it looks at: whether it is due, by days past due (`ruletables`)."""
        self.gaps = any(step.step.min_gap_after for step in compiled)
        """Some step asks for quiet after it."""
        self.is_uniform = not self.repeats and all(step.when is None for step in compiled)
        """The step of an invoice depends on nothing else."""

    def stage(self, dpd: int) -> StageValue | None:
        """The stage of an invoice by its days past due; None before the first stage."""
        place = bisect_right(self._starts, dpd) + self._offset
        return self.stages[place] if place >= 0 else None

    def days_to_boundary(self, dpd: int) -> int:
        """Days until anything in the plan may change for an invoice of this age; `NEVER` when nothing will."""
        place = bisect_right(self.boundaries, dpd)
        return self.boundaries[place] - dpd if place < len(self.boundaries) else NEVER

    def stage_start(self, stage: str) -> int | None:
        """First day past due of a stage; None where it has no lower end."""
        place = next(s.place for s in self.stages if s == stage)
        index = place - (1 if self._offset == 0 else 0)
        return self._starts[index] if index >= 0 else None


class CompiledPolicy:
    """A policy with its plans by combination of overrides. Raises TypeError for what is no policy."""

    def __init__(self, policy: Policy) -> None:
        check_policy(policy)
        self.policy = policy
        self.plan_overrides = tuple(
            (i, o) for i, o in enumerate(policy.overrides) if not self._per_invoice(o)
        )
        self.message_overrides = tuple([(o, o.when.holds) for o in policy.overrides if self._per_invoice(o)])
        """Overrides whose rule looks at one invoice, with its check: applied when a message is made."""
        self._plans: dict[tuple[bool, ...], Plan] = {}
        self._overrides = tuple(override.when.holds for _, override in self.plan_overrides)
        self._by_traits: dict[Any, Plan] = {}
        self._traits = self._find_traits()
        self.outcomes = Outcomes()
        self.rules = RuleTables(policy)
        self.content_hash: str = policy.content_hash
        """Hash of the policy's content."""
        self.days = self._find_days()
        """Every number of days past due that a rule compares with, and the day after it."""

    @staticmethod
    def _per_invoice(override: Override) -> bool:
        from ar_core.cadence.features import FEATURES

        return any(FEATURES[name].scope == "invoice" for name in override.when.features)

    def _find_traits(self) -> Callable[[Any], Any] | None:
        """Reads what tells customers apart for the overrides, where that takes few values: then a plan is looked up by it."""
        from ar_core.cadence.features import FEATURES, FeatureType

        names = sorted({name for _, override in self.plan_overrides for name in override.when.features})
        few = {FeatureType.FLAG, FeatureType.TEXT, FeatureType.CHOICE}
        return attrgetter(*names) if names and all(FEATURES[name].type in few for name in names) else None

    def plan(self, facts: Any) -> Plan:
        """The plan for an account, by the overrides that hold for it."""
        if self._traits is None:
            return self._resolved(facts)
        traits = self._traits(facts)
        plan = self._by_traits.get(traits)
        if plan is None:
            plan = self._by_traits[traits] = self._resolved(facts)
        return plan

    def _resolved(self, facts: Any) -> Plan:
        held = tuple([holds(facts) is True for holds in self._overrides])
        plan = self._plans.get(held)
        if plan is None:
            chosen = [o for (_, o), holds in zip(self.plan_overrides, held, strict=True) if holds]
            plan = self._plans[held] = Plan(self.policy, chosen, self.days)
        return plan

    @property
    def size(self) -> int:
        """How much was found and kept: answers in the plans' tables, and outcomes."""
        tables = [t for plan in list(self._plans.values()) for t in list(plan.tables.values())]
        return (
            len(self.outcomes)
            + len(self.rules)
            + sum(len(answers) for t in tables for answers in list(t.values()))
        )

    def __reduce__(self) -> tuple[type[CompiledPolicy], tuple[Policy]]:
        return CompiledPolicy, (self.policy,)  # closures and tables are made again where they are needed

    @property
    def base(self) -> Plan:
        """The plan when no override holds."""
        return Plan(self.policy, (), self.days)

    def _find_days(self) -> list[int]:
        found: set[int] = set()
        for _, predicate, _ in self.policy.predicates():
            for condition in predicate.test.conditions():
                if condition.feature in {"max_dpd", "dpd"}:
                    values = condition.wanted if isinstance(condition.wanted, tuple) else (condition.wanted,)
                    found.update(int(v) + shift for v in values if v is not None for shift in (0, 1))
        found.update(e.forced_by_dpd for e in self.policy.escalate if e.forced_by_dpd is not None)
        return sorted(found)


_MOST_POLICIES: Final = 8
_MOST_KEPT: Final = 200_000
"""Answers and outcomes kept of one policy, of about half a kilobyte each."""
_compiled: dict[int, CompiledPolicy] = {}


def compiled_policy(policy: Policy) -> CompiledPolicy:
    """The policy, compiled, and kept for the next run under the same object: that finds its plans and their tables ready.

    What a table says depends on the policy alone, and days in it are counted from a run's today. The last few policies are kept;
    one whose tables have grown large is compiled anew. Threads need no lock here: each step is one operation of a dict, and the worst
    that can happen is that a policy is compiled twice.
    """
    found = _compiled.pop(id(policy), None)
    if found is None or found.size > _MOST_KEPT:
        found = CompiledPolicy(policy)
    _compiled[id(policy)] = found  # it holds the policy, so the id stays the policy's own
    for oldest in list(_compiled)[:-_MOST_POLICIES]:
        _compiled.pop(oldest, None)
    return found


def _tones(stages: Sequence[Stage]) -> dict[str, Tone]:
    """The tone of each stage; one that names none keeps the tone before it, the mildest at the start."""
    tone, found = Tone.FRIENDLY, {}
    for stage in stages:
        tone = stage.tone or tone
        found[stage.id] = tone
    return found


def applied(policy: Policy, overrides: Sequence[Override]) -> tuple[list[Step], list[Stage]]:
    """Steps and stages of a policy for whom these overrides hold, which change them in their order."""
    steps, stages = list(policy.steps), list(policy.stages)
    for override in overrides:
        if override.scale is not None:
            steps = [scaled_step(step, *override.scale) for step in steps]
            stages = _scaled_stages(stages, *override.scale)
        if override.actor is not None:
            steps = [_made_by(step, override.actor) for step in steps]
        steps = [patched(step, override.steps) for step in steps]
        if override.only_channels:
            steps = [_limited(step, override.only_channels) for step in steps]
        if override.add_channels:
            steps = [with_channels(step, override.add_channels) for step in steps]
    return steps, stages


def _made_by(step: Step, actor: Actor) -> Step:
    """A step that this actor carries out, in whichever way."""
    changes: dict[str, Any] = {"actor": actor}
    changes["alternatives"] = tuple(way.model_copy(update={"actor": None}) for way in step.alternatives)
    if step.otherwise is not None:
        changes["otherwise"] = step.otherwise.model_copy(update={"actor": None})
    return step.model_copy(update=changes)


def _limited(step: Step, only: Sequence[Channel]) -> Step:
    left = tuple(channel for channel in step.channels if channel in only)
    return step.model_copy(update={"channels": left}) if left else step


def with_channels(step: Step, extra: Sequence[Channel]) -> Step:
    """A step with more channels, put before its last one."""
    new = tuple(channel for channel in extra if channel not in step.channels)
    if not new or not step.channels:
        return step
    return step.model_copy(update={"channels": (*step.channels[:-1], *new, step.channels[-1])})


def _scaled_stages(stages: Sequence[Stage], numerator: int, denominator: int) -> list[Stage]:
    """Stages meet, so a plan looks at their first days only."""
    return [
        stage
        if stage.from_day is None
        else stage.model_copy(update={"from_day": scaled_day(stage.from_day, numerator, denominator)})
        for stage in stages
    ]
