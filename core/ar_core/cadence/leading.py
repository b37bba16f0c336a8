"""When would the plan choose a step for one invoice, and what of the plan stands in its way? Asked of the plan itself, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from ar_core.cadence.codes import Code
from ar_core.cadence.conditions import Condition
from ar_core.cadence.plan import Plan, PlanStep
from ar_core.cadence.state import Item, State
from ar_core.cadence.steps import choose_step, named, position
from ar_core.cadence.view import InvoiceView
from ar_core.model.base import Frozen

__all__ = ["NeededFact", "in_the_plan"]


class NeededFact(Frozen):
    """One fact that stands in the way."""

    fact: str
    """What it is about: a feature, `promise`, `dispute`, `capabilities.will_pursue_legal`, `contact`, ..."""
    needed: str
    """What it would have to be."""
    actual: str | None
    """What it is; None when unknown."""
    code: Code | None = None
    earliest: date | None = None
    """The first day on which time alone brings it about; None: time does not."""


class _Supposed:
    """The features of an item, were it so many days past due and its step's own rule true."""

    def __init__(self, view: InvoiceView, features: Mapping[str, Any]) -> None:
        self._view = view
        self.__dict__.update(features)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


def _made_true(conditions: Iterable[Condition]) -> dict[str, Any]:
    """A value for each feature that makes its condition true, where one can be named. Age and stage are looked at by day."""
    found: dict[str, Any] = {}
    for feature, operator, wanted, _ in conditions:
        if feature in {"dpd", "stage"}:
            continue
        if operator in {"==", ">=", "<=", "is"}:
            found[feature] = wanted
        elif operator == "in" and wanted:
            found[feature] = wanted[0]
        elif operator in {">", "<"}:
            found[feature] = wanted + 1 if operator == ">" else wanted - 1
    return found


class _Lead:
    """When would the plan choose a step for an item? Asked of the plan itself, with the step's own conditions fulfilled."""

    def __init__(self, state: State, item: Item, step: PlanStep) -> None:
        self._state, self._item = state, item
        run = state.run
        self._plan = Plan(run.policy, state.plan.overrides, run.compiled.days)
        self._step = free = self._plan.by_id[step.id]
        rule = free.when
        free.when = free.blocked_by = None
        changed = rule.test.to_change(state.invoice_view(item), True) if rule is not None else ()
        self._features = _made_true(changed)
        marks, known = state.history.marks, state.plan.known_steps
        self.others = {known.get(n, n) for key, names in marks.items() if key != item.subject for n in names}
        """Steps that went out for other invoices of the account; this one may take over from one that was paid (E22)."""

    @property
    def floor(self) -> int:
        """Place of the furthest step that other invoices cover for this one; -1: none."""
        inherits = self._state.run.grouping.on_lead_change == "inherit"
        return position(self._plan, self.others) if inherits else -1

    @property
    def restarts(self) -> bool:
        """While nothing went out for it, it starts at the first step."""
        return self._state.run.grouping.on_lead_change == "restart" and bool(self.others)

    def view(self, dpd: int) -> Any:
        """The features on a day."""
        return _Supposed(
            InvoiceView(self._state.view, self._item.invoice, dpd, self._plan.stage(dpd)), self._features
        )

    def chosen(self, dpd: int, done: Mapping[str, date]) -> PlanStep | None:
        """What the plan would choose if the item were so many days past due, and these steps had gone out."""
        run = self._state.run
        if 1 <= dpd <= run.clock.grace_days:
            return None
        due = run.today - timedelta(days=dpd)
        lag, restart = self._state.slot.lag, self.restarts
        return choose_step(self._plan, run, self.view(dpd), due, lag, done, self.floor, restart=restart).step

    def on(self, dpd: int, done: Mapping[str, date]) -> bool:
        """Would it choose the step?"""
        return self.chosen(dpd, done) is self._step

    def on_any(self, days: Iterable[int], done: Mapping[str, date]) -> bool:
        """Would it choose the step on one of these days past due?"""
        return any(self.on(dpd, done) for dpd in days)


def in_the_plan(state: State, item: Item, step: PlanStep) -> tuple[list[NeededFact], int | None]:
    """What of the plan stands in the way: what was done, what was not done yet, and then the age.

    And the days past due on which the step leads once that is over: the nearest; None where no day would do.
    """
    lead = _Lead(state, item, step)
    found: list[NeededFact] = []
    done = dict(named(state.plan, state.steps_done(item)))
    if not lead.on_any(_days(state, item, step), done):
        found += _order(state, item, step, lead, done)
    if lead.on(item.dpd, done):
        return found, item.dpd
    days = [dpd for dpd in _days(state, item, step) if lead.on(dpd, done)]
    nearest = min(days, key=lambda dpd: (abs(dpd - item.dpd), -dpd), default=None)
    if nearest is not None:
        return [*found, _age(state, item, step, nearest, days)], nearest
    rival = lead.chosen(max(step.at, item.dpd), done)
    never = NeededFact(
        fact=f"steps.{rival.id if rival is not None else step.id}",
        needed="leaves a day to the step",
        actual=None,
        code=Code.SUPERSEDED,
    )
    return [*found, never], None


def _days(state: State, item: Item, step: PlanStep) -> range:
    """Days past due on which the answer of the plan may be another one."""
    return range(min(item.dpd, step.at), max([item.dpd, *state.plan.boundaries]) + 2)


def _order(
    state: State, item: Item, step: PlanStep, lead: _Lead, done: dict[str, date]
) -> Iterator[NeededFact]:
    """Touches that would have to be on record, or not to be. `done` is brought to what it would be then."""
    plan, mode = state.plan, state.run.policy.catch_up.mode
    if step.repeat_every is not None:
        yield from _since(state, step.id, step.repeat_every, done)
        return
    inherited = sorted(lead.others) if lead.floor >= 0 else []
    went_out = [n for n in dict.fromkeys([*done, *inherited]) if position(plan, [n]) >= step.index]
    left, days = sorted(went_out, key=lambda n: position(plan, [n])), _days(state, item, step)
    while left and not lead.on_any(days, done):
        # The furthest first: what is required opens again without it (E24).
        name = left.pop()
        done.pop(name, None)
        lead.others.discard(name)
    for name in went_out:
        if name not in left:
            yield NeededFact(
                fact=f"touch of {name}", needed="is not on record", actual="on record", code=Code.NEXT_STEP
            )
    if lead.on_any(days, done):
        return
    needed = [name for name in step.requires if name in plan.by_id and plan.by_id[name].is_touch]
    if mode == "sequential" or (lead.restarts and not done and not needed):
        view = lead.view(item.dpd)
        before = [s for s in plan.steps[: step.index] if s.when is None or s.when.holds(view) is True]
        before = [s for s in before if not s.day_bound or s.last >= item.dpd + state.slot.lag][-1:]
        needed = [s.id for s in before if s.index > lead.floor]
    for name in needed:
        if name not in done:
            done[name] = date.min
            yield NeededFact(fact=f"touch of {name}", needed="is on record", actual="not on record")
    if mode == "sequential" and needed and done[needed[0]] > date.min:
        keep = state.run.policy.catch_up.spacing == "preserved"
        gap = step.at - plan.by_id[needed[0]].at if keep else state.run.limits.min_gap_days
        yield from _since(state, needed[0], gap, done)


def _since(state: State, name: str, gap: int, done: dict[str, date]) -> Iterator[NeededFact]:
    """Days that have to pass after a step."""
    held = done.get(name)
    if held is None:
        return
    again = held + timedelta(days=gap)
    if again > state.slot.send_on:
        passed = (state.run.today - held).days
        yield NeededFact(
            fact=f"days since {name}",
            needed=f">= {gap}",
            actual=str(passed),
            code=Code.NEXT_STEP,
            earliest=again,
        )
        done[name] = date.min


def _age(state: State, item: Item, step: PlanStep, nearest: int, days: list[int]) -> NeededFact:
    """The nearest of the ages at which the step leads: one that time brings, or else one that is over."""
    if nearest > item.dpd:
        grace = 1 <= item.dpd <= state.run.clock.grace_days
        early = Code.NOT_YET_DUE if item.dpd < step.at else Code.SUPERSEDED
        return NeededFact(
            fact="dpd",
            needed=f"{'>=' if nearest + 1 in days else '=='} {nearest}",
            actual=str(item.dpd),
            code=Code.GRACE_DAYS if grace else early,
            earliest=state.due_date(item) + timedelta(days=nearest),
        )
    missed = item.dpd + state.slot.lag > step.last
    return NeededFact(
        fact="dpd",
        needed=f"{'<=' if nearest - 1 in days else '=='} {nearest}",
        actual=str(item.dpd),
        code=Code.WINDOW_MISSED if missed else Code.SUPERSEDED,
    )
