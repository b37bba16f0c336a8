"""What did one account's evaluation give, and when may that change by itself?"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from ar_core.cadence.evaluation import (
    ActivePause,
)
from ar_core.cadence.holds import Hold
from ar_core.cadence.policy import Rung
from ar_core.cadence.run import DAY
from ar_core.cadence.state import AccountResult, Standing, State

if TYPE_CHECKING:
    pass

__all__ = ["result_of"]


def result_of(state: State, stop: Hold | None) -> AccountResult:
    """The result of an account that is decided; `stop`: what stops the whole account."""
    from ar_core.cadence.signals import signals_of

    facts, run, view = state.facts, state.run, state.view
    result = AccountResult(facts.id)
    outcomes = list(state.settled)
    for item in state.items:
        if item.outcome is None:
            raise AssertionError(f"{item.invoice.id} was left without a disposition")
        outcomes.append(item.outcome)
    result.dispositions = tuple(outcomes)
    result.promises = tuple(state.verdicts)
    segment = state.segment
    if state.rung is not Rung.AUTOMATED:
        segment = segment.model_copy(update={"rung": state.rung})
    result.segment = segment
    result.pauses = _active_pauses(state, stop)
    if state.settled or facts.disputes or state.verdicts or facts.touches or facts.profiles:
        result.signals = signals_of(state)
    result.status = _status(state, stop)
    if state.actions:
        score = run.scorer(view)
        result.score = score
        result.balance_base = view.balance_base
        result.max_dpd = view.max_dpd
        result.drafts = tuple(state.actions)
        state.actions = []  # or the drafts would hold the state that holds them
    result.changes_at = _changes_at(state, result)
    return result


def _active_pauses(state: State, stop: Hold | None) -> tuple[ActivePause, ...]:
    account = state.facts.id
    if stop is not None:
        return (
            ActivePause.trusted(
                customer_id=account,
                invoice_id=None,
                code=stop.code,
                until=stop.until,
                record_id=stop.record_id,
            ),
        )
    return tuple(
        ActivePause.trusted(
            customer_id=account,
            invoice_id=item.invoice.id,
            code=item.hold.code,
            until=item.hold.until,
            record_id=item.hold.record_id,
        )
        for item in state.items
        if item.hold is not None
    )


def _status(state: State, stop: Hold | None) -> Standing | None:
    """Stage of the oldest overdue invoice, since when, rung, pause, and what comes next."""
    worst = state.worst
    if worst is None or worst.dpd < 1:
        return None
    entered = state.plan.stage_start(worst.stage) if worst.stage is not None else None
    since = worst.due + timedelta(days=entered if entered is not None else 1)
    pause = stop.code if stop is not None else (worst.hold.code if worst.hold is not None else None)
    action = next((a for a in state.actions if a.step is not None), None)
    waits = worst.outcome.until if worst.outcome is not None else None
    return Standing(
        str(worst.stage) if worst.stage is not None else None,
        max(since, worst.due + DAY),
        state.rung.value,
        pause.value if pause is not None else None,
        action.step if action is not None else (worst.outcome.step if worst.outcome else None),
        None if action is not None else waits,
    )


def _changes_at(state: State, result: AccountResult) -> datetime | None:
    """The earliest instant at which anything above may come out differently without new facts."""
    run = state.run
    days = [*state.days, *state.view.changes_on, *state.holds.changes_on]
    pending = bool(result.drafts or state.due)
    if pending:
        days.append(run.today + DAY)
    days.extend(_future_days(state))
    later = [day for day in days if day > run.today]
    instants = [run.midnight(min(later))] if later else []
    if pending:
        instants.append(state.slot.changes_at)
    instants.extend(touch.at for touch in state.facts.touches if touch.at > run.instant)
    return min(instants, default=None)


def _future_days(state: State) -> list[date]:
    """Days on which facts that are already recorded take effect."""
    facts, today = state.facts, state.run.today
    days: list[date | None] = [p.payment_date for p in facts.payments]
    days += [n.issue_date for n in facts.credit_notes]
    days += [a.adjustment_date for a in facts.adjustments]
    for promise in facts.promises:
        days += [promise.given_on, promise.withdrawn_on]
    for dispute in facts.disputes:
        days += [dispute.opened_on, dispute.resolved_on]
    for pause in facts.pauses:
        days += [pause.starts_on, pause.lifted_on, None if pause.ends_on is None else pause.ends_on + DAY]
    return [day for day in days if day is not None and day > today]
