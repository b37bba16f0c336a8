"""Which stage, pause or step does each open invoice of an account get? By the plan's tables where its age and what went out for it are
all that counts, else one by one (C11, E24, E28, E30).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from ar_core.cadence.codes import Code
from ar_core.cadence.content import SEND_COPY
from ar_core.cadence.facts import SUBJECT
from ar_core.cadence.holds import Hold
from ar_core.cadence.plan import NEVER
from ar_core.cadence.records import DispositionKind
from ar_core.cadence.state import Item, State, Template, next_key
from ar_core.cadence.steps import Choice, choose_step, position
from ar_core.cadence.view import InvoiceView, StageValue

__all__ = ["answerless", "choose", "put_on_hold"]

Tables = dict[tuple[str, ...], dict[int, Template]]
"""Of one plan and lag: templates by steps done and days past due."""
_WAIT: Final = DispositionKind.WAIT
_PAUSED: Final = DispositionKind.PAUSED


def choose(state: State) -> None:
    """Stage, pause or step of every item."""
    run, plan, history, held = state.run, state.plan, state.history, state.holds.held
    grace, lag, marks = run.clock.grace_days, state.slot.lag, history.marks
    floor = -1
    if marks and not run.is_uniform and run.grouping.on_lead_change == "inherit":
        floor = max(position(plan, done) for done in marks.values())
    uniform = plan.is_uniform and run.is_uniform and not history.failed and not history.bare_keys
    chased = state.chased
    tables = plan.tables.setdefault(lag, {})
    if uniform and not held and not grace:
        _look_up(state, tables, lag)
        chased.outcomes = [template.outcome for template in chased.templates]
    else:
        answerless(state)
        for item in state.items:
            if held and item.id in held:
                put_on_hold(state, item, held[item.id])
            elif 1 <= item.dpd <= grace:
                _grace(state, item, grace)
            else:
                done = marks.get(item.subject, ())
                template = (
                    _tabled(state, tables, item, lag) if uniform else _alone(state, item, done, lag, floor)
                )
                chased.templates.append(template)
                item.outcome = template.outcome
    soonest = state.soonest
    for place, template in enumerate(chased.templates):
        step = template.step
        if step is not None:
            (state.due if step.is_touch else state.for_people).append(place)
        if template.boundary_in < soonest:  # noqa: PLR1730  once for each invoice, and a call of `min` costs five times as much
            soonest = template.boundary_in
    state.soonest = soonest


def answerless(state: State) -> None:
    """No invoice has an answer yet: each gets its own, one by one."""
    state.chased.outcomes = [None] * len(state.chased)


def _look_up(state: State, tables: Tables, lag: int) -> None:
    """The templates of all invoices: from the plan's tables, where age and steps done are all that counts."""
    chased, marks = state.chased, state.history.marks
    templates, dpds = chased.templates, chased.dpds
    done: tuple[str, ...] = ()
    table = tables.setdefault(done, {})
    for place, row in enumerate(chased.rows):
        other = marks.get(row[SUBJECT], ()) if marks else ()
        if other is not done:  # the table is found by a hash of all that was done, and neighbors share it
            done = other
            table = tables.setdefault(done, {})
        template = table.get(dpds[place])
        if template is None:  # it did not come up before
            template = _tabled(state, tables, state.item(place), lag)
        templates.append(template)


def _tabled(state: State, tables: Tables, item: Item, lag: int) -> Template:
    """What the plan's table says to one invoice; written into it when it first comes up."""
    done = state.history.marks.get(item.subject, ())
    table = tables.setdefault(done, {})
    template = table.get(item.dpd)
    if template is None:
        template = table[item.dpd] = _template(state, item, done, lag)
    return template


def _template(state: State, item: Item, done: tuple[str, ...], lag: int) -> Template:
    """What the plan says where an invoice's age and the steps that went out for it are all that counts."""
    plan = state.plan
    stage = plan.stage(item.dpd)
    dates = state.history.steps_done(item.subject) if done else {}
    choice = choose_step(
        plan,
        state.run,
        InvoiceView(state.view, item.invoice, item.dpd, stage),
        state.due_date(item),
        lag,
        dates,
        -1,
    )
    return _chosen(state, item, stage, choice, done)


def _chosen(
    state: State, item: Item, stage: StageValue | None, choice: Choice, done: tuple[str, ...]
) -> Template:
    run, outcome = state.run, None
    if choice.step is None:
        name = None if stage is None else str.__str__(stage)
        outcome = run.outcomes.get(_WAIT, choice.code, run.days_to(choice.until), name, choice.next_step)
    return Template(stage, choice, outcome, state.plan.days_to_boundary(item.dpd), done)


def put_on_hold(state: State, item: Item, hold: Hold) -> None:
    """The answer for an item that is stopped. The items of an account get theirs in their order."""
    boundary_in = state.plan.days_to_boundary(item.dpd)
    state.chased.templates.append(Template(state.plan.stage(item.dpd), None, None, boundary_in, hold=hold))
    item.outcome = state.outcome(item, _PAUSED, hold.code, until=hold.until)
    state.soonest = min(state.soonest, boundary_in)
    if hold.until is not None:
        state.days.append(hold.until)


def _grace(state: State, item: Item, days: int) -> None:
    """The answer for an item in its days of grace."""
    state.chased.templates.append(Template(state.plan.stage(item.dpd), None, None, NEVER))
    until = state.due_date(item) + timedelta(days=days + 1)
    item.outcome = state.outcome(item, _WAIT, Code.GRACE_DAYS, until=until)
    state.days.append(until)


def _alone(state: State, item: Item, done: tuple[str, ...], lag: int, floor: int) -> Template:
    """What the plan says to one invoice where more counts than its age and the steps that went out."""
    plan, run, history = state.plan, state.run, state.history
    stage, due = plan.stage(item.dpd), state.due_date(item)
    dates = history.steps_done(item.subject) if done else {}
    migrated = _migrate(state, due, dates)
    if migrated is None:
        name = None if stage is None else str.__str__(stage)
        outcome = run.outcomes.get(_PAUSED, Code.MANUAL_MIGRATION, None, name)
        return Template(stage, None, outcome, plan.days_to_boundary(item.dpd))
    floor = max(floor, migrated)
    restart = run.grouping.on_lead_change == "restart" and bool(history.marks)
    facts = InvoiceView(state.view, item.invoice, item.dpd, stage)
    choice = choose_step(plan, run, facts, due, lag, dates, floor, restart=restart)
    # A touch that names the action's key but no invoice still counts for the invoice that led it (E28).
    while choice.step is not None and history.bare_keys:
        step = choice.step
        _, day = next_key(state, item, step)
        known = dates.get(step.id)
        if day is None or (known is not None and (step.repeat_every is None or day <= known)):
            break
        dates = {**dates, step.id: day}
        done = tuple(dates)
        choice = choose_step(plan, run, facts, due, lag, dates, floor, restart=restart)
    if choice.step is not None and history.failed:
        failed_on = history.failed.get((item.subject, choice.step.id))
        if failed_on is not None:
            again = failed_on + timedelta(days=run.limits.retry_after_days)
            if again > state.slot.send_on:
                choice = Choice(None, Code.RETRY_BACKOFF, until=again, next_step=choice.step.id)
    template = _chosen(state, item, stage, choice, done)
    template.dates = dates
    if choice.until is not None:
        state.send_days.append(choice.until)
    return template


def _migrate(state: State, due: date, dates: Mapping[str, date]) -> int | None:
    """The position that touches under unknown steps stand for; None: a person has to decide (E30)."""
    rule = state.run.pauses.migrate
    if rule == "re_evaluate":
        return -1
    plan = state.plan
    strange = [
        day
        for name, day in dates.items()
        if name not in plan.known_steps and ":" not in name and name != SEND_COPY
    ]
    if not strange:
        return -1
    if rule == "manual":
        return None
    dpd_then = (max(strange) - due).days
    return max((step.index for step in plan.steps if step.at <= dpd_then), default=-1)
