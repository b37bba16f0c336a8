"""What keeps a due step from going out today? Money on account, thresholds, quiet after a payment, gaps and caps.

(E12, E13, E15, E16, E23, E26, E27, E29, E45, docs/rules.md)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from ar_core.cadence.codes import Code
from ar_core.cadence.facts import BALANCE, CURRENCY, ID
from ar_core.cadence.figures import received_on
from ar_core.cadence.history import WEEK
from ar_core.cadence.holds import Hold
from ar_core.cadence.state import State
from ar_core.model.money import ZERO

__all__ = ["account_limit", "amount_limits"]


def amount_limits(state: State, places: Sequence[int]) -> tuple[dict[str, Hold], list[int]]:
    """Stops by amount, by invoice id, for items that have a step due; and those that money on account covers (E13)."""
    held: dict[str, Hold] = {}
    covered = _on_account(state, places, held) if state.view.credits else []
    limits = state.run.limits
    if limits.min_invoice:
        for item in state.chased.at(places):
            smallest = limits.min_invoice.get(item.currency or "")
            if smallest is not None and state.chaseable(item) < smallest:
                held.setdefault(item.id, Hold(Code.BELOW_THRESHOLD, None))
    if limits.min_customer and _is_small(state):
        for place in places:
            held.setdefault(state.chased.rows[place][ID], Hold(Code.BELOW_THRESHOLD, None))
    return held, covered


def _on_account(state: State, places: Sequence[int], held: dict[str, Hold]) -> list[int]:
    """Items whose currency has enough on account for all that is open, or for all that is overdue (E13, E15)."""
    on_account, rows, dpds = state.view.credits, state.chased.rows, state.chased.dpds
    opened: dict[str | None, Decimal] = {}
    overdue: dict[str | None, Decimal] = {}
    for row, dpd in zip(rows, dpds, strict=True):
        currency, balance = row[CURRENCY], row[BALANCE]
        opened[currency] = opened.get(currency, ZERO) + balance
        if dpd >= 1:
            overdue[currency] = overdue.get(currency, ZERO) + balance
    covered = []
    for place in places:
        currency = rows[place][CURRENCY]
        amount = on_account.get(currency, ZERO)
        if amount <= ZERO:
            continue
        if amount >= opened[currency]:
            held[rows[place][ID]] = Hold(Code.CREDIT_BALANCE, None)
        elif dpds[place] >= 1 and amount >= overdue[currency]:
            held[rows[place][ID]] = Hold(Code.UNAPPLIED_CREDIT, None)
        else:
            continue
        covered.append(place)
    return covered


def _is_small(state: State) -> bool:
    """What is overdue is below the customer threshold in every currency that is overdue (E16)."""
    sums: dict[str | None, Decimal] = {}
    for item in state.items:
        if item.hold is None and (item.dpd >= 1 or item.step is not None):
            currency = item.currency
            sums[currency] = sums.get(currency, ZERO) + state.chaseable(item)
    limits = state.run.limits.min_customer
    return all(currency in limits and total < limits[currency] for currency, total in sums.items())


def account_limit(state: State) -> Hold | None:
    """The limit that keeps the whole account quiet longest; None when a message may go out (E26, E27)."""
    history, run = state.history, state.run
    if not history.touches:
        return None
    if history.ambiguous:
        return Hold(Code.AMBIGUOUS_ATTEMPT, None, history.ambiguous[-1].id)
    last = history.last_contact
    if last is None:
        return None
    limits, send_on = run.limits, state.slot.send_on
    found: list[tuple[date, Code]] = [(last + timedelta(days=limits.min_gap_days), Code.MIN_GAP)]
    by_id, known = state.plan.by_id, state.plan.known_steps
    for on, touch in history.contacts if state.plan.gaps else ():
        step = by_id.get(known.get(touch.step or "", ""))
        if step is not None and step.step.min_gap_after:
            found.append((on + timedelta(days=step.step.min_gap_after), Code.STEP_GAP))
    if state.facts.payments:
        paid = max(received_on(state.facts.payments, run.today), default=None)
        if paid is not None and paid >= last:
            found.append((paid + timedelta(days=limits.post_payment_quiet_days), Code.POST_PAYMENT_QUIET))
    cap = limits.max_touches_per_7d
    if cap is not None and len(history.contacts) >= cap:
        days = history.in_week(send_on)
        if len(days) >= cap:
            found.append((days[len(days) - cap] + WEEK, Code.WEEK_CAP))
    until, code = max(found)
    return Hold(code, until) if until > send_on else None
