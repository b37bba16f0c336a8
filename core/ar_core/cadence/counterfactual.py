"""What would have to be different for a step to fire? The smallest set of facts, in the order in which they stand in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from ar_core.cadence.account import decide
from ar_core.cadence.channels import Directory, NoWay
from ar_core.cadence.codes import CODES, Code
from ar_core.cadence.conditions import Condition
from ar_core.cadence.decisions import Decisions
from ar_core.cadence.evaluate import evaluate_accounts
from ar_core.cadence.evaluation import DispositionKind, Evaluation
from ar_core.cadence.explain import account_state, plain
from ar_core.cadence.holds import Hold
from ar_core.cadence.limits import account_limit, amount_limits
from ar_core.cadence.messages import Decision
from ar_core.cadence.plan import Plan, PlanStep
from ar_core.cadence.results import result_of
from ar_core.cadence.run import DAY
from ar_core.cadence.state import Item, State
from ar_core.cadence.steps import choose_step, named, position
from ar_core.cadence.supposing import after, first_stop, item_of, of_age, switched_on, without
from ar_core.cadence.view import InvoiceView
from ar_core.cadence.ways import ways_of
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
    planned, dpd = _plan(state, item, step)
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


def _plan(state: State, item: Item, step: PlanStep) -> tuple[list[NeededFact], int | None]:
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
    while left and not lead.on_any(
        days, done
    ):  # the furthest first: what is required opens again without it (E24)
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
