"""Which step is next for one invoice? Age, window, what was done, what is required, and how missed days are caught up.

(R26, E5, E20, E24, E25, docs/rules.md)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from ar_core.cadence.codes import Code
from ar_core.cadence.plan import Plan, PlanStep
from ar_core.cadence.view import InvoiceView
from ar_core.calendar import next_business_day

if TYPE_CHECKING:
    from ar_core.cadence.run import Run

__all__ = ["Choice", "choose_step", "named", "own_step_up_to", "position"]

_NOTHING: Final[Mapping[str, date]] = {}


class Choice:
    """What is due for an invoice, or when something will be."""

    __slots__ = ("code", "next_step", "reopened", "step", "superseded", "until")

    def __init__(
        self,
        step: PlanStep | None,
        code: Code,
        *,
        until: date | None = None,
        next_step: str | None = None,
        superseded: tuple[str, ...] = (),
        reopened: bool = False,
    ) -> None:
        self.step = step
        self.code = code
        self.until = until
        self.next_step = next_step
        self.superseded = superseded
        self.reopened = reopened


def position(plan: Plan, done: Iterable[str]) -> int:
    """Place of the furthest step that went out; every step at or before it is covered. -1: none (E20)."""
    furthest = -1
    for name in done:
        step = plan.by_id.get(plan.known_steps.get(name, ""))
        if step is not None and step.repeat_every is None and step.index > furthest:
            furthest = step.index
    return furthest


def named(plan: Plan, done: Mapping[str, date]) -> Mapping[str, date]:
    """Steps done under today's names: aliases are resolved (E30)."""
    return {plan.known_steps.get(name, name): on for name, on in done.items()}


def choose_step(
    plan: Plan,
    run: Run,
    facts: InvoiceView,
    due: date,
    lag: int,
    done: Mapping[str, date] | None,
    floor: int,
    *,
    restart: bool = False,
) -> Choice:
    """The step that is due for an invoice.

    `facts.dpd`: days past due today. `lag`: days until a message can really go out. `done`: steps that went out at this due date.
    `floor`: place of the furthest step that counts as covered for other reasons; -1 for none. `restart`: it takes over from an
    invoice that was paid and starts at the first step, whatever its age (E22).
    """
    done = named(plan, done) if done else _NOTHING
    furthest = max(position(plan, done), floor) if done else floor
    mode = run.policy.catch_up.mode
    if mode == "sequential" or (restart and not done):
        choice = _sequential(plan, run, facts, due, lag, done, furthest)
    else:
        choice = _latest(plan, run, facts, due, lag, done, furthest, exact_day=mode == "drop")
    if plan.repeats and choice.step is None:
        return _repeated(plan, run, facts, lag, done, choice)
    return choice


def _applies(step: PlanStep, facts: InvoiceView) -> bool:
    return step.when is None or step.when.holds(facts) is True


def _on_its_day(step: PlanStep, run: Run, due: date, lag: int) -> bool:
    """With catch-up `drop`, a step goes out on its day or on the business day that day rolls to, never later."""
    day = due + timedelta(days=step.at)
    send_on = run.today + timedelta(days=lag)
    return day <= run.today and next_business_day(day, run.calendar) >= send_on


def _latest(
    plan: Plan,
    run: Run,
    facts: InvoiceView,
    due: date,
    lag: int,
    done: Mapping[str, date],
    furthest: int,
    *,
    exact_day: bool,
) -> Choice:
    dpd = facts.dpd
    current = bisect_right(plan.ats, dpd) - 1
    missed = blocked = None
    for index in range(current, furthest, -1):
        step = plan.steps[index]
        if not _applies(step, facts):
            continue
        if step.last < dpd + lag or (exact_day and not _on_its_day(step, run, due, lag)):
            missed = missed or step
            continue
        if step.blocked_by is not None:
            blocked = blocked or step
            continue
        needed = _missing_requirement(plan, step, done)
        if needed is not None:
            return Choice(needed, Code.STEP_DUE, reopened=needed.last < dpd + lag, superseded=())
        skipped = (
            plan.steps[i].id
            for i in range(furthest + 1, index)
            if _applies(plan.steps[i], facts) and not plan.steps[i].day_bound
        )
        return Choice(step, Code.STEP_DUE, superseded=tuple(skipped))
    return _waiting(plan, facts, due, max(current, furthest), done, blocked, missed)


def _missing_requirement(plan: Plan, step: PlanStep, done: Mapping[str, date]) -> PlanStep | None:
    """The first step in the chain of requirements that never went out by itself; it opens again (E24)."""
    found = None
    while True:
        missing = (plan.by_id.get(name) for name in step.requires if name not in done)
        needed = next((other for other in missing if other is not None and other.is_touch), None)
        if needed is None:
            return found
        found = step = needed


def _repeated(
    plan: Plan, run: Run, facts: InvoiceView, lag: int, done: Mapping[str, date], ladder: Choice
) -> Choice:
    """A step that comes again and again, when the ladder has nothing due; else whichever comes first."""
    send_on = run.today + timedelta(days=lag)
    waiting = ladder
    for step in plan.repeats:
        if not step.at <= facts.dpd <= step.last - lag or step.blocked_by or not _applies(step, facts):
            continue
        went_out = done.get(step.id)
        if went_out is None:
            return Choice(step, Code.STEP_DUE)
        again = went_out + timedelta(days=step.repeat_every or 1)
        if again <= send_on:
            return Choice(step, Code.STEP_DUE)
        if waiting.until is None or again < waiting.until:
            waiting = Choice(None, Code.NEXT_STEP, until=again, next_step=step.id)
    return waiting


def _waiting(
    plan: Plan,
    facts: InvoiceView,
    due: date,
    after: int,
    done: Mapping[str, date],
    blocked: PlanStep | None,
    missed: PlanStep | None,
) -> Choice:
    coming = None
    for step in plan.steps[after + 1 :]:
        if _applies(step, facts) and step.at > facts.dpd:
            coming = step
            break
    until = None if coming is None else due + timedelta(days=coming.at)
    name = None if coming is None else coming.id
    if blocked is not None:
        return Choice(None, Code.CAPABILITY_NOT_DECLARED, until=until, next_step=name)
    if missed is not None and not done:
        return Choice(None, Code.WINDOW_MISSED, until=until, next_step=name)
    if coming is None:
        return Choice(None, Code.CADENCE_EXHAUSTED)
    code = Code.NOT_YET_DUE if facts.dpd < 1 and not done else Code.NEXT_STEP
    return Choice(None, code, until=until, next_step=name)


def _sequential(
    plan: Plan,
    run: Run,
    facts: InvoiceView,
    due: date,
    lag: int,
    done: Mapping[str, date],
    furthest: int,
) -> Choice:
    """The first step that is not done, never earlier than its distance to the one before it allows (E25)."""
    previous: PlanStep | None = plan.steps[furthest] if furthest >= 0 else None
    went_out = done.get(previous.id) if previous is not None else None
    for step in plan.steps[furthest + 1 :]:
        if not _applies(step, facts) or (step.day_bound and step.last < facts.dpd + lag):
            continue
        if step.blocked_by is not None:
            return Choice(None, Code.CAPABILITY_NOT_DECLARED, next_step=step.id)
        day = due + timedelta(days=step.at)
        if went_out is not None and previous is not None:
            keep = run.policy.catch_up.spacing == "preserved"
            distance = step.at - previous.at if keep else run.limits.min_gap_days
            day = max(day, went_out + timedelta(days=distance))
        if day <= run.today + timedelta(days=lag) and step.at <= facts.dpd:
            return Choice(step, Code.STEP_DUE, reopened=step.last < facts.dpd + lag)
        code = Code.NOT_YET_DUE if facts.dpd < 1 and not done else Code.NEXT_STEP
        return Choice(None, code, until=day, next_step=step.id)
    return Choice(None, Code.CADENCE_EXHAUSTED)


def own_step_up_to(
    plan: Plan,
    facts: InvoiceView,
    lead: PlanStep,
    done: Iterable[str],
    chosen: PlanStep | None,
) -> PlanStep | None:
    """The step an invoice is covered for when another one leads the message: its own, at most as far as the lead's (E20).

    A step whose window is open counts although its day has not come: it rides along.
    """
    if chosen is not None:
        return chosen if chosen.index <= lead.index else None
    furthest = position(plan, done)
    for index in range(lead.index, furthest, -1):
        step = plan.steps[index]
        if (
            step.is_touch
            and step.first <= facts.dpd <= step.last
            and _applies(step, facts)
            and not step.requires
        ):
            return step
    return None
