"""What would have to be different for a step to fire? The smallest set of facts, in the order in which they stand in the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from ar_core.cadence.codes import CODES, Code
from ar_core.cadence.evaluation import Evaluation
from ar_core.cadence.explain import account_state, plain
from ar_core.cadence.limits import account_limit, amount_limits
from ar_core.cadence.plan import FOREVER, PlanStep
from ar_core.cadence.state import Item, State
from ar_core.cadence.steps import position
from ar_core.model.base import Frozen
from ar_core.model.money import exact

__all__ = ["Counterfactual", "NeededFact", "why_not"]


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


class Counterfactual(Frozen):
    """Why a step does not fire for an invoice, and what would change that."""

    invoice_id: str
    step: str
    fires: bool
    """It does fire: nothing stands in the way."""
    would_fire_if: tuple[NeededFact, ...]
    """All of these together; none can be left out."""

    def __str__(self) -> str:
        if self.fires:
            return f"{self.step} fires for {self.invoice_id}"
        needs = " and ".join(f"{f.fact} {f.needed} (is {f.actual})" for f in self.would_fire_if)
        return f"{self.step} would fire for {self.invoice_id} if {needs}"


def why_not(evaluation: Evaluation, invoice: str, step: str) -> Counterfactual:
    """The smallest set of facts that would make `step` fire for `invoice` now.

    Raises LookupError for an invoice the evaluation does not have or a step the policy does not have, and ValueError for an
    evaluation that was read from a file.
    """
    _, run, _ = evaluation.parts()
    if step not in {s.id for s in run.policy.steps}:
        raise LookupError(
            f"{run.policy.ref} has no step {step!r}; it has {', '.join(s.id for s in run.policy.steps)}"
        )
    disposition = evaluation.by_invoice.get(invoice)
    if disposition is None:
        raise LookupError(f"{invoice!r} is no open invoice of this evaluation")
    if disposition.step == step and disposition.kind == "action":
        return Counterfactual(invoice_id=invoice, step=step, fires=True, would_fire_if=())
    account = evaluation.decisions.book.account_of(disposition.customer_id or "")
    if account not in evaluation.parts()[0]:
        return _answer(invoice, step, [_blocked(disposition.code, None)])
    state = account_state(evaluation, account)
    item = next((i for i in state.items if i.invoice.id == invoice), None)
    if item is None:
        return _answer(invoice, step, [_blocked(disposition.code, disposition.until)])
    with exact():
        return _answer(invoice, step, list(_obstacles(state, item, step)))


def _answer(invoice: str, step: str, needed: list[NeededFact]) -> Counterfactual:
    unique = tuple(dict.fromkeys(needed))
    return Counterfactual(invoice_id=invoice, step=step, fires=not unique, would_fire_if=unique)


def _blocked(code: Code, until: date | None, record: str | None = None) -> NeededFact:
    subject = {
        Code.PTP_OPEN: ("promise", "verdict is broken or withdrawn"),
        Code.PTP_IN_GRACE: ("promise", "verdict is broken or withdrawn"),
        Code.DISPUTED: ("dispute", "is resolved"),
    }.get(code, (code.value.lower(), "no longer holds"))
    actual = CODES[code].meaning if record is None else f"{record}: {CODES[code].meaning}"
    return NeededFact(fact=subject[0], needed=subject[1], actual=actual, code=code, earliest=until)


def _obstacles(state: State, item: Item, name: str) -> Iterator[NeededFact]:
    step = state.plan.by_id.get(name)
    if item.hold is not None:
        yield _blocked(item.hold.code, item.hold.until, item.hold.record_id)
    if step is None:
        yield NeededFact(fact=f"steps.{name}.enabled", needed="is true", actual="false")
        return
    yield from _rules(state, item, step)
    yield from _days(state, item, step)
    yield from _order(state, item, step)
    if item.hold is None:
        yield from _limits(state, item, step)


def _rules(state: State, item: Item, step: PlanStep) -> Iterator[NeededFact]:
    if step.blocked_by is not None:
        yield NeededFact(
            fact=f"capabilities.{step.blocked_by}",
            needed="is true",
            actual="false",
            code=Code.CAPABILITY_NOT_DECLARED,
        )
    if step.when is not None:
        for condition in step.when.test.to_change(state.invoice_view(item), True):
            actual = plain(condition.actual)
            yield NeededFact(
                fact=condition.feature,
                needed=f"{condition.operator} {plain(condition.wanted)}",
                actual=None if actual is None else str(actual),
            )


def _days(state: State, item: Item, step: PlanStep) -> Iterator[NeededFact]:
    lag = state.slot.lag
    if item.dpd < step.at:
        yield NeededFact(
            fact="dpd",
            needed=f">= {step.at}",
            actual=str(item.dpd),
            code=Code.NOT_YET_DUE,
            earliest=item.due + timedelta(days=step.at),
        )
    reopened = item.choice is not None and item.choice.reopened and item.step is step
    if item.dpd + lag > step.last and step.last < FOREVER and not reopened:
        yield NeededFact(
            fact="dpd", needed=f"<= {step.last - lag}", actual=str(item.dpd), code=Code.WINDOW_MISSED
        )
    grace = state.run.policy.clock.grace_days
    if 1 <= item.dpd <= grace:
        yield NeededFact(
            fact="dpd",
            needed=f"> {grace}",
            actual=str(item.dpd),
            code=Code.GRACE_DAYS,
            earliest=item.due + timedelta(days=grace + 1),
        )


def _order(state: State, item: Item, step: PlanStep) -> Iterator[NeededFact]:
    done = state.steps_done(item)
    plan = state.plan
    if step.repeat_every is not None:
        held = done.get(step.id)
        if held is None:
            return
        again = held.last + timedelta(days=step.repeat_every)
        if again > state.slot.send_on:
            yield NeededFact(
                fact=f"days since {step.id}",
                needed=f">= {step.repeat_every}",
                actual=str((state.run.today - held.last).days),
                code=Code.NEXT_STEP,
                earliest=again,
            )
        return
    furthest = position(plan, done)
    required_later = any(step.id in s.requires for s in plan.steps)
    if step.index <= furthest and not (required_later and step.id not in done):
        blocking = plan.steps[furthest].id
        yield NeededFact(
            fact=f"touch of {blocking}", needed="is not on record", actual="on record", code=Code.NEXT_STEP
        )
        return
    for needed in step.requires:
        if needed not in done:
            yield NeededFact(fact=f"touch of {needed}", needed="is on record", actual="not on record")
    chosen = item.step
    if chosen is None or chosen is step or not step.at <= item.dpd <= step.last:
        return  # another day is needed anyway, and on that day another step may lead
    if chosen.index > step.index:
        yield NeededFact(fact="dpd", needed=f"< {chosen.at}", actual=str(item.dpd), code=Code.SUPERSEDED)
    elif state.run.policy.catch_up.mode == "sequential":
        yield NeededFact(fact=f"touch of {chosen.id}", needed="is on record", actual="not on record")


def _limits(state: State, item: Item, step: PlanStep) -> Iterator[NeededFact]:
    if not step.is_touch:
        return
    held = amount_limits(state, [item])[0].get(item.invoice.id)
    if held is not None:
        yield _blocked(held.code, held.until)
    limit = account_limit(state)
    if limit is not None:
        yield _blocked(limit.code, limit.until, limit.record_id)
        return
    outcome = item.outcome
    if outcome is not None and outcome.kind == "wait" and item.step is step and held is None:
        yield _blocked(outcome.code, state.run.in_days(outcome.until_in))
