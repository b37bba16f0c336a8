"""What happens with one account today? A pure function of its facts, the policy, its value tier and the moment (R40, R61).

The order of the work is the order of precedence (C11): stops, the plan for this kind of customer, pauses per invoice, steps,
limits, one message, and the notices and tasks around it.
"""

from __future__ import annotations

from datetime import timedelta

from ar_core.cadence.book import AccountFacts
from ar_core.cadence.codes import Code
from ar_core.cadence.history import History, StepsDone, subject_of
from ar_core.cadence.holds import Hold, InvoiceHolds, account_stop, find_holds, is_human_only
from ar_core.cadence.messages import make_messages
from ar_core.cadence.plan import Plan
from ar_core.cadence.policy import Actor, ValueTier
from ar_core.cadence.records import DispositionKind
from ar_core.cadence.run import Run
from ar_core.cadence.state import NEVER, NO_HOLDS, Item, Settled, State, Template, lead_key
from ar_core.cadence.steps import Choice, choose_step, position
from ar_core.cadence.tasks import make_notices, make_tasks
from ar_core.cadence.view import AccountView
from ar_core.model.documents import DocumentStatus, Invoice
from ar_core.model.money import ZERO
from ar_core.promises import judge_customer_promises

__all__ = ["decide"]

_POSTED = DocumentStatus.POSTED
_EXCLUDED = {
    DocumentStatus.DRAFT: Code.NOT_POSTED,
    DocumentStatus.PENDING_APPROVAL: Code.NOT_POSTED,
    DocumentStatus.VOIDED: Code.VOIDED,
}
_TIER_ORDER = ("strategic", "core", "tail")
_WAIT, _PAUSED, _LEFT_OUT = DispositionKind.WAIT, DispositionKind.PAUSED, DispositionKind.EXCLUDED


def decide(facts: AccountFacts, run: Run) -> State:
    """Give every open invoice of an account its answer, and decide the actions."""
    state = State(facts, run)
    _sort_out(state)
    if facts.touches or facts.promises:
        _look_back(state)
    _place(state)
    stop = account_stop(facts, run)
    if stop is None:
        state.holds = _find_holds(state)
        stop = state.holds.account
    if stop is not None:
        state.stop = stop
        for item in state.items:
            _hold(state, item, stop)
    else:
        _choose(state)
        make_messages(state)
        make_notices(state)
    make_tasks(state)
    return state


def _sort_out(state: State) -> None:
    """Invoices that are not chased get their answer at once; the others become items."""
    facts, run = state.facts, state.run
    today, number, plain, items = run.today, run.today_number, run.plain_due, state.items
    customer = facts.customer
    worst = None
    oldest = -NEVER
    for invoice in facts.open_invoices:
        due, issued = invoice.due_date, invoice.issue_date
        if due is None or not plain:
            due = run.due_date(invoice, customer)
        if (
            due is None
            or customer is None
            or invoice.document_status is not _POSTED
            or invoice.balance_due < ZERO
            or (issued is not None and issued > today)
        ):
            _settle(state, invoice)
            continue
        dpd = number - due.toordinal()
        item = Item(invoice, due, dpd)
        items.append(item)
        if dpd >= oldest and (worst is None or dpd > oldest or invoice.id > worst.invoice.id):
            worst, oldest = item, dpd
    state.worst = worst


def _settle(state: State, invoice: Invoice) -> None:
    """Why an open invoice is not chased at all, first reason first."""
    run, status, issued = state.run, invoice.document_status, invoice.issue_date
    kind, until = _LEFT_OUT, None
    if status is not _POSTED:
        code = _EXCLUDED.get(status, Code.UNKNOWN_STATUS)
        kind = _LEFT_OUT if status in _EXCLUDED else _PAUSED
    elif invoice.balance_due < ZERO:
        code = Code.NEGATIVE_ITEM
        state.negative.append(invoice)
    elif issued is not None and issued > run.today:
        code, until = Code.NOT_YET_ISSUED, issued
        state.days.append(issued)
    elif run.due_date(invoice, state.facts.customer) is None:
        code = Code.NO_DUE_DATE
    else:
        code, kind = Code.CUSTOMER_UNKNOWN, _PAUSED
    state.settled.append(Settled(invoice, run.outcomes.get(kind, code, run.days_to(until))))


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
        state.items,
        state.negative,
        state.verdicts,
        state.history,
        run.today,
        run.base_currency,
        run.rates,
    )
    if state.worst is not None:
        view.max_dpd = state.worst.dpd
    state.segment_codes = _value_tier(state) + _risk_tier(state)
    plan = state.plan = run.compiled.plan(view)
    _only_people(state, plan)
    state.plan_reason = state.human_reason
    state.slot = run.slot(_zone(state), state.country)


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
            state.risk_rule = rule
            return (Code.SEED_GAP,) if rule.gap is not None and rule.gap.holds(view) is True else ()
    return ()


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
            for contact in facts.contacts:
                if contact.time_zone and contact.is_active is not False:
                    return contact.time_zone
            continue
        customer = facts.customer
        zone = state.run.as_of.zone if source == "org" else customer.time_zone if customer else None
        if zone:
            return zone
    return None


def _find_holds(state: State) -> InvoiceHolds:
    facts = state.facts
    if not (facts.pauses or facts.disputes or state.verdicts or state.history.inbound):
        return NO_HOLDS
    invoices = [(item.invoice, item.dpd) for item in state.items]
    found = find_holds(facts, state.run, state.plan, invoices, state.verdicts, state.history)
    if found.human and state.human_reason is None:
        state.human_reason = "customer refused"
    return found


def _choose(state: State) -> None:
    """Stage, pause or step of every item."""
    run, plan, history, held = state.run, state.plan, state.history, state.holds.held
    policy = run.policy
    grace, lag, marks = policy.clock.grace_days, state.slot.lag, history.marks
    uniform = plan.is_uniform and run.is_uniform and not history.failed and not history.bare_keys
    floor = -1
    if marks and policy.grouping.on_lead_change == "inherit":
        floor = max(position(plan, done) for done in marks.values())
    tables = plan.tables.setdefault(lag, {})
    table = tables.setdefault((), {})
    soonest = state.soonest
    for item in state.items:
        invoice, dpd = item.invoice, item.dpd
        if held and invoice.id in held:
            _hold(state, item, held[invoice.id])
            continue
        if 1 <= dpd <= grace:
            item.stage = plan.stage(dpd)
            until = item.due + timedelta(days=grace + 1)
            item.outcome = state.outcome(item, _WAIT, Code.GRACE_DAYS, until)
            state.days.append(until)
            continue
        row = table
        if marks:
            done = marks.get(subject_of(invoice))
            if done is not None:
                item.done = done
                row = tables.setdefault(done, {})
        if not uniform:
            _choose_alone(state, item, lag, floor)
            continue
        template = row.get(dpd)
        if template is None:
            template = row[dpd] = _template(state, item, lag)
        item.template = template
        item.stage = template.stage
        item.choice = template.choice
        soonest = min(soonest, template.boundary_in)
        if template.step is not None:
            item.step = template.step
            state.due.append(item)
        else:
            item.outcome = template.outcome
    state.soonest = soonest


def _template(state: State, item: Item, lag: int) -> Template:
    plan, dpd = state.plan, item.dpd
    item.stage = plan.stage(dpd)
    choice = choose_step(plan, state.run, state.invoice_view(item), item.due, lag, state.steps_done(item), -1)
    outcome = None
    if choice.step is None:
        outcome = state.outcome(item, _WAIT, choice.code, choice.until, choice.next_step)
    boundary = plan.next_boundary(dpd)
    return Template(item.stage, choice, outcome, NEVER if boundary is None else boundary - dpd)


def _hold(state: State, item: Item, hold: Hold) -> None:
    item.stage = state.plan.stage(item.dpd)
    item.hold = hold
    item.outcome = state.outcome(item, _PAUSED, hold.code, hold.until)
    _boundary(state, item)
    if hold.until is not None:
        state.days.append(hold.until)


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
    if choice is not None and choice.step is None:
        item.outcome = state.outcome(item, _WAIT, choice.code, choice.until, choice.next_step)
        if choice.until is not None:
            state.days.append(choice.until)


def _choose_one(state: State, item: Item, lag: int, floor: int) -> None:
    plan, run, history = state.plan, state.run, state.history
    if item.done:
        migrated = _migrate(state, item)
        if migrated is None:
            item.outcome = state.outcome(item, _PAUSED, Code.MANUAL_MIGRATION)
            return
        floor = max(floor, migrated)
    restart = run.policy.grouping.on_lead_change == "restart" and bool(history.marks)
    facts = state.invoice_view(item)
    choice = choose_step(plan, run, facts, item.due, lag, state.steps_done(item), floor, restart=restart)
    # A touch that names the action's key but no invoice still counts for the invoice that led it (E28).
    while choice.step is not None and history.bare_keys:
        key = lead_key(state, item, choice.step)
        if not state.logged(key):
            break
        day = history.keys[key].at.astimezone(run.zone).date()
        before = state.steps_done(item)
        if choice.step.id in before and choice.step.repeat_every is None:
            break
        item.dates = {**before, choice.step.id: StepsDone(day, 1)}
        item.done = tuple(item.dates)
        choice = choose_step(plan, run, facts, item.due, lag, state.steps_done(item), floor, restart=restart)
    if choice.step is not None and history.failed:
        failed_on = history.failed.get((subject_of(item.invoice), choice.step.id))
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
        for name, done in state.steps_done(item).items()
        if name not in plan.known_steps and ":" not in name and name != "send_copy"
    ]
    if not strange:
        return -1
    if rule == "manual":
        return None
    dpd_then = (max(strange) - item.due).days
    return max((step.index for step in plan.steps if step.at <= dpd_then), default=-1)
