"""What would have to be different for a step to fire? The smallest set of facts, in the order in which they stand in the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ar_core.cadence.account import decide
from ar_core.cadence.channels import Directory, NoWay
from ar_core.cadence.codes import CODES, Code
from ar_core.cadence.decisions import Decisions
from ar_core.cadence.evaluate import evaluate_accounts
from ar_core.cadence.evaluation import DispositionKind, Evaluation
from ar_core.cadence.explain import account_state, plain
from ar_core.cadence.holds import Hold
from ar_core.cadence.leading import NeededFact, in_the_plan
from ar_core.cadence.limits import account_limit, amount_limits
from ar_core.cadence.messages import Decision
from ar_core.cadence.plan import PlanStep
from ar_core.cadence.results import result_of
from ar_core.cadence.run import DAY
from ar_core.cadence.state import Item, State
from ar_core.cadence.supposing import after, first_stop, item_of, of_age, switched_on, without
from ar_core.cadence.view import InvoiceView
from ar_core.cadence.ways import ways_of
from ar_core.model.base import Frozen
from ar_core.model.money import exact

__all__ = ["Counterfactual", "NeededFact", "why_not"]


class Counterfactual(Frozen):
    """Why a step does not fire for an invoice, and what would change that."""

    invoice_id: str
    step: str
    fires: bool
    """It does fire: nothing stands in the way."""
    would_fire_if: tuple[NeededFact, ...]
    """All of these together; none can be left out.

    Each is one thing: every dispute, promise, pause and flag that stops the invoice. A dispute counts as resolved once nothing waits
    for it any more (`pauses.dispute_resume_days`). Of the days to wait after contacts and payments the longest wait is named; the
    shorter ones are over with it. Behind the switch of a step that is off stands what would be in its way if it were on, and behind an
    age alone what would be on that day, were the other invoices as old as they are.
    """

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
    if _is_asked(state, item_of(state, invoice), step):
        return Counterfactual(invoice_id=invoice, step=step, fires=True, would_fire_if=())
    with exact():
        return _answer(invoice, step, list(_obstacles(evaluation, state, invoice, step)))


def _answer(invoice: str, step: str, needed: list[NeededFact]) -> Counterfactual:
    unique = tuple(dict.fromkeys(needed))
    return Counterfactual(invoice_id=invoice, step=step, fires=not unique, would_fire_if=unique)


def _is_asked(state: State, item: Item | None, name: str) -> bool:
    """A decision or an internal step covers the invoice, which may have another answer beside it: a copy that was asked for."""
    return item is not None and any(
        isinstance(draft, Decision) and draft.step == name and item.place in draft.group
        for draft in state.actions.values()
    )


def _blocked(code: Code, until: date | None, record: str | None = None) -> NeededFact:
    subject = {
        Code.PTP_OPEN: ("promise", "verdict is broken or withdrawn"),
        Code.PTP_IN_GRACE: ("promise", "verdict is broken or withdrawn"),
        Code.DISPUTED: ("dispute", "is resolved"),
    }.get(code, (code.value.lower(), "no longer holds"))
    actual = CODES[code].meaning if record is None else f"{record}: {CODES[code].meaning}"
    return NeededFact(fact=subject[0], needed=subject[1], actual=actual, code=code, earliest=until)


def _obstacles(evaluation: Evaluation, state: State, invoice: str, name: str) -> Iterator[NeededFact]:
    """Everything in the way, in the order in which it is looked at: what is named is supposed to be over before going on."""
    known: InvoiceView | None = None
    """Its features as they are, while nothing else was supposed than that it is chased at all."""
    over: set[Hold] = set()
    while (stop := first_stop(state, invoice)) is not None:
        if stop in over:
            raise AssertionError(f"{invoice} is still kept by {stop.code} after that was supposed to be over")
        over.add(stop)
        item = item_of(state, invoice)
        if known is None and item is not None:
            known = state.invoice_view(item)
        yield _blocked(stop.code, stop.until, stop.record_id)
        facts = without(state, stop, invoice)
        if facts is None:
            return
        state = decide(facts, state.run)
    if name not in state.plan.by_id and item_of(state, invoice) is not None:
        yield NeededFact(fact=f"steps.{name}.enabled", needed="is true", actual="false")
        state = decide(state.facts, switched_on(state.run, name))
    item = item_of(state, invoice)
    if item is None:
        return
    step = state.plan.by_id[name]
    rules = list(_rules(state, item, step, known or state.invoice_view(item)))
    planned, dpd = in_the_plan(state, item, step)
    yield from rules
    yield from planned
    due = not rules and not planned
    if not rules and len(planned) == 1 and dpd is not None and dpd != item.dpd:
        then = decide(of_age(state, item, dpd), state.run)
        again = item_of(then, invoice)
        # Where its age changes more than the step, by a promise or a rule about the account, its day is not known.
        if again is not None and again.hold is None and again.dpd == dpd and _leads(again, name):
            state, item, step, due = then, again, then.plan.by_id[name], True
    yield from _limits(evaluation, state, item, step, due=due)


def _leads(item: Item, name: str) -> bool:
    return item.step is not None and item.step.id == name


def _rules(state: State, item: Item, step: PlanStep, known: InvoiceView) -> Iterator[NeededFact]:
    if step.blocked_by is not None:
        yield NeededFact(
            fact=f"capabilities.{step.blocked_by}",
            needed="is true",
            actual="false",
            code=Code.CAPABILITY_NOT_DECLARED,
        )
    if step.when is not None:
        for condition in step.when.test.to_change(state.invoice_view(item), True):
            actual = plain(getattr(known, condition.feature))
            yield NeededFact(
                fact=condition.feature,
                needed=f"{condition.operator} {plain(condition.wanted)}",
                actual=None if actual is None else str(actual),
            )


def _limits(
    evaluation: Evaluation, state: State, item: Item, step: PlanStep, *, due: bool
) -> Iterator[NeededFact]:
    """What keeps a step from going out on its day. `due`: this is its day, so that the rest is told by the account's own answer."""
    held: Hold | None = None
    if step.is_touch:
        held = amount_limits(state, [item.place])[0].get(item.id)
        if held is not None:
            yield _blocked(held.code, held.until)
        while (limit := account_limit(state)) is not None:
            yield _blocked(limit.code, limit.until, limit.record_id)
            state = decide(after(state, limit), state.run)
    if due and held is None:
        yield from _last(evaluation, state, item.id, step)
    elif step.is_touch:
        ways, *_ = ways_of(state, step, item)
        way = Directory(state.facts, state.run, state.history).choose(ways, item.invoice, state.slot.send_on)
        if isinstance(way, NoWay):
            yield _blocked(way.code, way.until)


def _last(evaluation: Evaluation, state: State, invoice: str, step: PlanStep) -> Iterator[NeededFact]:
    """What is left once everything above is over, by the answer that the invoice then gets."""
    run, item = state.run, item_of(state, invoice)
    outcome = None if item is None else item.outcome
    if item is None or outcome is None:
        raise AssertionError(
            f"{invoice} lost its answer when the limits on its account were supposed to be over"
        )
    if _is_asked(state, item, step.id):
        return
    if outcome.kind is not DispositionKind.ACTION or outcome.step != step.id:
        yield _blocked(outcome.code, run.in_days(outcome.until_in))
        return
    results, _, book = evaluation.parts()
    if run is not evaluation.decisions.run and run.limits.max_per_address is not None:
        # The step that is on now writes to other accounts as well, and some of them share the address.
        again = evaluate_accounts([book.account(account) for account in results], run)
        results = {result.account_id: result for result in again}
    if item.key in Decisions({**results, state.facts.id: result_of(state)}, run, book).dropped:
        yield _blocked(Code.ADDRESS_CAP, run.today + DAY)
