"""What happens with one account today? A pure function of its facts, the policy, its value tier and the moment (R40, R61).

The order of the work is the order of precedence (C11): stops, the plan for this kind of customer, pauses per invoice, steps,
limits, one message, and the notices and tasks around it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.cadence.evaluation import (
    Disposition,
    DispositionKind,
    Segment,
)
from ar_core.cadence.history import History, StepsDone
from ar_core.cadence.holds import Hold, InvoiceHolds, account_stop, find_holds, is_human_only
from ar_core.cadence.plan import Plan
from ar_core.cadence.policy import Actor, Rung, ValueTier
from ar_core.cadence.results import result_of
from ar_core.cadence.state import AccountResult, Item, State, dispose, lead_key, stage_name
from ar_core.cadence.steps import Choice, choose_step, position
from ar_core.cadence.view import AccountView, StageValue
from ar_core.model.base import adopter
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO
from ar_core.promises import judge_customer_promises

if TYPE_CHECKING:
    from ar_core.cadence.book import AccountFacts
    from ar_core.cadence.run import Run

__all__ = ["Template", "decide", "evaluate_account"]

_adopt = adopter(Disposition)
_adopt_segment = adopter(Segment)
_POSTED = DocumentStatus.POSTED
_EXCLUDED = {
    DocumentStatus.DRAFT: Code.NOT_POSTED,
    DocumentStatus.PENDING_APPROVAL: Code.NOT_POSTED,
    DocumentStatus.VOIDED: Code.VOIDED,
}
_NO_HOLDS = InvoiceHolds()
_TIER_ORDER = ("strategic", "core", "tail")


def evaluate_account(
    facts: AccountFacts, run: Run, trace: list[tuple[object, ...]] | None = None
) -> AccountResult:
    """Evaluate one account. `trace`: a list that receives (rule, result, code, inputs) in the order of the decisions."""
    state = State(facts, run, trace)
    return result_of(state, decide(state))


def decide(state: State) -> Hold | None:
    """Give every invoice its disposition and collect the actions; returns the stop on the whole account, if there is one."""
    from ar_core.cadence.messages import make_messages
    from ar_core.cadence.tasks import make_notices, make_tasks

    facts, run = state.facts, state.run
    _sort_out(state)
    _look_back(state)
    _place(state)
    stop = account_stop(facts, run)
    if stop is None:
        state.holds = _find_holds(state)
        stop = state.holds.account
    if stop is not None:
        state.note("pauses.account", "paused", stop.code, until=stop.until)
        for item in state.items:
            item.stage = state.plan.stage(item.dpd)
            item.hold = stop
            item.outcome = dispose(
                item.invoice, DispositionKind.PAUSED, stop.code, stop.until, stage_name(item)
            )
            _boundary(state, item)
        if stop.until is not None:
            state.days.append(stop.until)
    else:
        _choose(state)
        make_messages(state)
        make_notices(state)
    make_tasks(state, stop)
    return stop


def _sort_out(state: State) -> None:
    """Invoices that are not chased get their disposition at once; the others become items."""
    facts, run = state.facts, state.run
    today, number, plain = run.today, run.today_number, run.plain_due
    customer = facts.customer
    for invoice in facts.open_invoices:
        status = invoice.document_status
        if status is not _POSTED:
            code = _EXCLUDED.get(status)
            kind = DispositionKind.EXCLUDED if code is not None else DispositionKind.PAUSED
            state.settled.append(dispose(invoice, kind, code or Code.UNKNOWN_STATUS))
        elif invoice.balance_due < ZERO:
            state.settled.append(dispose(invoice, DispositionKind.EXCLUDED, Code.NEGATIVE_ITEM))
        elif invoice.issue_date is not None and invoice.issue_date > today:
            state.settled.append(
                dispose(invoice, DispositionKind.EXCLUDED, Code.NOT_YET_ISSUED, invoice.issue_date)
            )
            state.days.append(invoice.issue_date)
        else:
            due = invoice.due_date
            if due is None or not plain:
                due = run.due_date(invoice, customer)
            if due is None:
                state.settled.append(dispose(invoice, DispositionKind.EXCLUDED, Code.NO_DUE_DATE))
            elif customer is None:
                state.settled.append(dispose(invoice, DispositionKind.PAUSED, Code.CUSTOMER_UNKNOWN))
            else:
                item = Item(invoice, due, number - due.toordinal())
                state.items.append(item)
                worst = state.worst
                if worst is None or (item.dpd, item.invoice.id) > (worst.dpd, worst.invoice.id):
                    state.worst = item


def _look_back(state: State) -> None:
    """Touches and promises of the past."""
    facts, run = state.facts, state.run
    if facts.touches:
        state.history = History(facts.touches, run.instant, run.zone, run.policy.limits.count_failed)
    if facts.promises:
        invoices = [*facts.open_invoices, *facts.closed_invoices]
        state.verdicts = judge_customer_promises(
            facts.promises,
            invoices,
            {i.id: facts.allocations(i.id) for i in invoices},
            facts.book.sources,
            facts.payments,
            run.today,
            terms=run.promise_terms,
            calendar=run.calendar,
            country=state.country,
        )


def _place(state: State) -> None:
    """Features, tiers, the plan for this kind of customer, and the contact's sending hours."""
    facts, run = state.facts, state.run
    view = state.view = AccountView(
        facts,
        [(item.invoice, item.dpd) for item in state.items],
        state.verdicts,
        state.history,
        run.today,
        run.base_currency,
        run.rates,
    )
    codes = [*_value_tier(state), *_risk_tier(state)]
    _who_may_act(state)
    state.slot = run.slot(_zone(state), state.country)
    state.segment = _adopt_segment(
        {
            "customer_id": facts.id,
            "value_tier": view.value or "none",
            "risk_tier": view.risk,
            "lifetime_value": view.lifetime_value,
            "rung": Rung.AUTOMATED,
            "codes": tuple(codes),
        }
    )


def _value_tier(state: State) -> tuple[Code, ...]:
    """Who acts: strategic customers, and by default those of unknown value, are for people only (R20, E42)."""
    facts, run, view = state.facts, state.run, state.view
    policy = run.policy
    if policy.tiers.value.enabled:
        assignment = run.tiers.of(facts.id)
        if assignment.lifetime_value is None and len(facts.members) > 1:
            ranked = [run.tiers.of(m.id) for m in facts.members]
            known = [a for a in ranked if a.lifetime_value is not None]
            if known:
                assignment = min(known, key=lambda a: _TIER_ORDER.index(a.tier))
        view.value, view.lifetime_value = assignment.tier, assignment.lifetime_value
        if view.value == ValueTier.STRATEGIC:
            state.human_reason = "value tier strategic"
        elif view.value == ValueTier.UNKNOWN:
            if policy.tiers.value.unknown == "human_only":
                state.human_reason = "value unknown"
            else:
                view.value = policy.tiers.value.unknown
        return assignment.codes
    return ()


def _risk_tier(state: State) -> tuple[Code, ...]:
    """How soon and how high: the first risk rule that holds (C9)."""
    view = state.view
    for rule, predicate in state.run.compiled.risk_rules:
        if predicate is None or predicate.holds(view) is True:
            view.risk = rule.id
            if state.trace is not None:
                facts = predicate.test.deciding(view) if predicate is not None else []
                state.note(f"tiers.risk.{rule.id}", "match", None, because=facts)
            return (Code.SEED_GAP,) if rule.gap is not None and rule.gap.holds(view) is True else ()
    return ()


def _who_may_act(state: State) -> None:
    """The plan for this kind of customer, and whether only people may contact it (C11)."""
    view = state.view
    plan = state.plan = state.run.compiled.plan(view)
    if state.trace is not None:
        state.note("tiers.value", view.value or "none", None, lifetime_value=view.lifetime_value)
        for override in plan.overrides:
            facts = override.when.test.deciding(view)
            state.note(
                "overrides", "applies", None, when=override.when.text, because=facts, origin=override.origin
            )
    _only_people(state, plan)
    if state.human_reason is not None:
        state.note("actor", "human", Code.HUMAN_ONLY, because=state.human_reason)


def _only_people(state: State, plan: Plan) -> None:
    view, pauses = state.view, state.run.policy.pauses
    if state.human_reason is not None:
        return
    if is_human_only(state.facts):
        state.human_reason = "flag human_only"
    elif state.verdicts and view.promises_not_kept >= pauses.max_promises_not_kept:
        state.human_reason = "promises not kept"
    elif plan.actor is Actor.HUMAN:
        state.human_reason = "override"


def _zone(state: State) -> str | None:
    facts = state.facts
    for source in state.run.policy.clock.contact_zone:
        if source == "contact":
            zone = next(
                (c.time_zone for c in facts.contacts if c.time_zone and c.is_active is not False), None
            )
        elif source == "customer":
            zone = facts.customer.time_zone if facts.customer else None
        else:
            zone = state.run.as_of.zone
        if zone:
            return zone
    return None


def _find_holds(state: State) -> InvoiceHolds:
    facts = state.facts
    if not (facts.pauses or facts.disputes or state.verdicts or state.history.inbound):
        return _NO_HOLDS
    invoices = [(item.invoice, item.dpd) for item in state.items]
    found = find_holds(facts, state.run, state.plan, invoices, state.verdicts, state.history)
    if found.human and state.human_reason is None:
        state.human_reason = "customer refused"
    return found


class Template(NamedTuple):
    """What the plan says to an invoice of some age with some steps done; `until` counts days from the due date."""

    stage: StageValue | None
    stage_name: str | None
    choice: Choice
    until: int | None
    boundary: int | None
    """Days past due at which the plan may say something else."""


def _choose(state: State) -> None:
    """Stage, pause or step of every item."""
    run, plan, history, held = state.run, state.plan, state.history, state.holds.held
    policy = run.policy
    grace, lag = policy.clock.grace_days, state.slot.lag
    floor = -1
    if policy.grouping.on_lead_change == "inherit" and history.done:
        floor = max((position(plan, done) for done in history.done.values()), default=-1)
    uniform = (
        plan.is_uniform
        and policy.catch_up.mode == "latest"
        and policy.pauses.migrate == "re_evaluate"
        and policy.grouping.on_lead_change == "contextual"
        and state.trace is None
        and not history.failed
        and not history.bare_keys
    )
    done_by, number = history.done, run.today_number
    templates, wait = plan.templates, DispositionKind.WAIT
    soonest = 0
    for item in state.items:
        invoice, dpd = item.invoice, item.dpd
        if held and invoice.id in held:
            _hold(state, item, held[invoice.id])
            continue
        if 1 <= dpd <= grace:
            item.stage = plan.stage(dpd)
            until = item.due + timedelta(days=grace + 1)
            item.outcome = dispose(invoice, wait, Code.GRACE_DAYS, until, stage_name(item))
            state.days.append(until)
            continue
        done = done_by.get((invoice.id, invoice.due_version)) if done_by else None
        item.done = done
        if not uniform:
            _choose_alone(state, item, lag, floor)
            continue
        slot = (dpd, lag, frozenset(done) if done else None)
        template = templates.get(slot)
        if template is None:
            template = templates[slot] = _template(state, item, lag)
        item.stage = template.stage
        choice = item.choice = template.choice
        if template.boundary is not None:
            day = number + template.boundary - dpd
            if not soonest or day < soonest:
                soonest = day
        if choice.step is not None:
            item.step = choice.step
            state.due.append(item)
        else:
            item.outcome = _adopt(
                {
                    "invoice_id": invoice.id,
                    "customer_id": invoice.customer_id,
                    "kind": wait,
                    "code": choice.code,
                    "until": None if template.until is None else run.day(number + template.until - dpd),
                    "stage": template.stage_name,
                    "step": choice.next_step,
                    "action_key": None,
                    "codes": (),
                }
            )
    if soonest:
        state.days.append(date.fromordinal(soonest))


def _template(state: State, item: Item, lag: int) -> Template:
    plan = state.plan
    item.stage = plan.stage(item.dpd)
    choice = choose_step(plan, state.run, state.invoice_view(item), item.due, lag, item.done, -1)
    until = None if choice.until is None else (choice.until - item.due).days
    item.facts = None
    return Template(item.stage, stage_name(item), choice, until, plan.next_boundary(item.dpd))


def _hold(state: State, item: Item, hold: Hold) -> None:
    item.stage = state.plan.stage(item.dpd)
    item.hold = hold
    item.outcome = dispose(item.invoice, DispositionKind.PAUSED, hold.code, hold.until, stage_name(item))
    _boundary(state, item)
    if hold.until is not None:
        state.days.append(hold.until)
    if state.trace is not None:
        state.note(
            "pauses.invoice",
            "paused",
            hold.code,
            invoice=item.invoice.id,
            until=hold.until,
            record=hold.record_id,
        )


def _boundary(state: State, item: Item) -> None:
    boundary = state.plan.next_boundary(item.dpd)
    if boundary is not None:
        state.days.append(item.due + timedelta(days=boundary))


def _choose_alone(state: State, item: Item, lag: int, floor: int) -> None:
    """The step of one invoice where more counts than its age and what was done."""
    item.stage = state.plan.stage(item.dpd)
    _boundary(state, item)
    _choose_one(state, item, lag, floor)
    choice = item.choice
    if choice is None:
        return
    if state.trace is not None:
        _note_choice(state, item, choice)
    if choice.step is None:
        item.outcome = dispose(
            item.invoice, DispositionKind.WAIT, choice.code, choice.until, stage_name(item), choice.next_step
        )
        if choice.until is not None:
            state.days.append(choice.until)


def _note_choice(state: State, item: Item, choice: Choice) -> None:
    state.note(
        "steps",
        "due" if choice.step is not None else "wait",
        choice.code,
        invoice=item.invoice.id,
        days_past_due=item.dpd,
        stage=str(item.stage) if item.stage is not None else None,
        step=choice.step.id if choice.step is not None else choice.next_step,
        until=choice.until,
        done=tuple(item.done or ()),
        superseded=choice.superseded,
        origin=choice.step.step.origin if choice.step is not None else None,
    )


def _choose_one(state: State, item: Item, lag: int, floor: int) -> None:
    plan, run, history = state.plan, state.run, state.history
    if item.done:
        migrated = _migrate(state, item)
        if migrated is None:
            item.outcome = dispose(
                item.invoice, DispositionKind.PAUSED, Code.MANUAL_MIGRATION, None, stage_name(item)
            )
            return
        floor = max(floor, migrated)
    restart = run.policy.grouping.on_lead_change == "restart" and bool(history.done)
    facts = state.invoice_view(item)
    choice = choose_step(plan, run, facts, item.due, lag, item.done, floor, restart=restart)
    # A touch that names the action's key but no invoice still counts for the invoice that led it (E28).
    while choice.step is not None and history.bare_keys:
        key = lead_key(state, item, choice.step)
        if not state.logged(key):
            break
        day = history.keys[key].at.astimezone(run.zone).date()
        before = item.done or {}
        if choice.step.id in before and choice.step.repeat_every is None:
            break
        item.done = {**before, choice.step.id: StepsDone(day, 1)}
        choice = choose_step(plan, run, facts, item.due, lag, item.done, floor, restart=restart)
    if choice.step is not None and history.failed:
        failed_on = history.failed.get((item.invoice.id, item.invoice.due_version, choice.step.id))
        if failed_on is not None:
            again = failed_on + timedelta(days=run.policy.limits.retry_after_days)
            if again > state.slot.send_on:
                choice = Choice(None, Code.RETRY_BACKOFF, until=again, next_step=choice.step.id)
    item.choice = choice
    item.step = choice.step
    if choice.step is not None:
        state.due.append(item)


def _migrate(state: State, item: Item) -> int | None:
    """The position that touches under unknown steps stand for; None: a person has to decide (E30)."""
    rule = state.run.policy.pauses.migrate
    if rule == "re_evaluate":
        return -1
    plan = state.plan
    strange = [
        done.last
        for name, done in (item.done or {}).items()
        if name not in plan.known_steps and ":" not in name and name != "send_copy"
    ]
    if not strange:
        return -1
    if rule == "manual":
        return None
    dpd_then = (max(strange) - item.due).days
    return max((step.index for step in plan.steps if step.at <= dpd_then), default=-1)
