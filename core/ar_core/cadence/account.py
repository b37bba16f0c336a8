"""What happens with one account today? A pure function of its facts, the policy, its value tier and the moment (R40, R61).

The order of the work is the order of precedence (C11): stops, the plan for this kind of customer, pauses per invoice, steps,
limits, one message, and the notices and tasks around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from ar_core.cadence.channels import Directory
from ar_core.cadence.codes import Code
from ar_core.cadence.facts import DUE, ID, INVOICE, SINCE, SUBJECT, AccountFacts, OpenRow
from ar_core.cadence.history import History
from ar_core.cadence.holds import Hold, InvoiceHolds, account_stop, find_holds, is_human_only
from ar_core.cadence.messages import make_messages
from ar_core.cadence.plan import NEVER, Plan
from ar_core.cadence.policy import Actor, ValueTier
from ar_core.cadence.records import DispositionKind
from ar_core.cadence.run import Run, sending_zone
from ar_core.cadence.state import NO_HOLDS, Chased, Item, Settled, State, Template, next_key
from ar_core.cadence.steps import Choice, choose_step, position
from ar_core.cadence.tasks import make_notices, make_tasks
from ar_core.cadence.view import AccountView, InvoiceView, StageValue
from ar_core.model.base import fields_of
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO

__all__ = ["decide"]

_POSTED: Final = DocumentStatus.POSTED
_EXCLUDED: Final = {
    DocumentStatus.DRAFT: Code.NOT_POSTED,
    DocumentStatus.PENDING_APPROVAL: Code.NOT_POSTED,
    DocumentStatus.VOIDED: Code.VOIDED,
}
Tables = dict[tuple[str, ...], dict[int, Template]]
"""Of one plan and lag: templates by steps done and days past due."""
_WAIT: Final = DispositionKind.WAIT
_PAUSED: Final = DispositionKind.PAUSED
_LEFT_OUT: Final = DispositionKind.EXCLUDED
_STRATEGIC: Final = ValueTier.STRATEGIC
_UNKNOWN: Final = ValueTier.UNKNOWN
_PEOPLE: Final = Actor.HUMAN


def decide(facts: AccountFacts, run: Run) -> State:
    """Give every open invoice of an account its answer, and decide the actions."""
    state = _decided(facts, run)
    if state.elsewhere is None:
        return state
    # Who is written to lives by another clock than who was expected: their hours say on which day a message can go out (E2, R35).
    again = _decided(facts, run, state.elsewhere)
    again.other_slots.append(state.slot)
    return again


def _decided(facts: AccountFacts, run: Run, zone: str | None = None) -> State:
    """The account, decided for the sending hours of a time zone; None: of whom a message most likely goes to."""
    state = State(facts, run)
    _sort_out(state)
    if facts.touches or facts.promises:
        _look_back(state)
    _place(state, zone)
    stop = account_stop(facts, run)
    if stop is None:
        state.holds = _find_holds(state)
        stop = state.holds.account
    if stop is not None:
        state.stop = stop
        _answerless(state)
        for item in state.items:
            _hold(state, item, stop)
    else:
        _choose(state)
        make_messages(state)
        make_notices(state)
    make_tasks(state)
    return state


def _sort_out(state: State) -> None:
    """Invoices that are not chased get their answer at once; the days past due of the others."""
    facts, today = state.facts, state.run.today_number
    rows: Sequence[OpenRow] = facts.open_rows
    dpds: list[int] | None = None
    if state.run.plain_due and facts.customer is not None:
        dpds = _days_past_due(rows, today)
    if dpds is None:
        rows, dpds = _sort_out_each(state)
    state.chased = Chased(rows, dpds)
    worst, oldest = -1, -NEVER
    for place, dpd in enumerate(dpds):
        if dpd > oldest or (dpd == oldest and rows[place][ID] > rows[worst][ID]):
            worst, oldest = place, dpd
    if worst >= 0:
        state.worst, state.oldest = worst, oldest


def _days_past_due(rows: Sequence[OpenRow], today: int) -> list[int] | None:
    """By contractual due dates; None where one of the invoices is not chased, or has no such date."""
    dpds: list[int] = []
    for row in rows:
        due: int | None = row[DUE]
        since: int = row[SINCE]
        if due is None or since > today:
            return None
        dpds.append(today - due)
    return dpds


def _sort_out_each(state: State) -> tuple[list[OpenRow], list[int]]:
    """One by one, where one of them may not be chased or counts from another day than its due date."""
    facts, run = state.facts, state.run
    today, plain, customer = run.today_number, run.plain_due, facts.customer
    rows, dpds = [], []
    for row in facts.open_rows:
        due = row[DUE]
        day = due if plain and due is not None else run.due_number(row[INVOICE], customer)
        if day is None or row[SINCE] > today or customer is None:
            _settle(state, row)
            continue
        rows.append(row)
        dpds.append(today - day)
    return rows, dpds


def _settle(state: State, row: OpenRow) -> None:
    """Why an open invoice is not chased at all, first reason first."""
    invoice = row[INVOICE]
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
    elif run.due_number(invoice, state.facts.customer) is None:
        code = Code.NO_DUE_DATE
    else:
        code, kind = Code.CUSTOMER_UNKNOWN, _PAUSED
    state.settled.append(Settled(row, run.outcomes.get(kind, code, run.days_to(until))))


def _look_back(state: State) -> None:
    """Touches and promises of the past."""
    facts, run = state.facts, state.run
    if facts.touches:
        state.history = History(facts.touches, run.instant, run.local_day, run.limits.count_failed)
    if facts.promises:
        state.verdicts = facts.judged(run.today, run.promise_terms, run.calendar, run.zone)


def _place(state: State, zone: str | None) -> None:
    """Features, tiers, the plan for this kind of customer, and the contact's sending hours."""
    facts, run = state.facts, state.run
    view = state.view = AccountView(
        facts,
        state.chased,
        state.negative,
        state.verdicts,
        state.history,
        run.today,
        run.base_currency,
        run.rates,
    )
    view.longest_absence = run.longest_absence
    if state.worst is not None:
        view.max_dpd = state.oldest
    state.segment_codes = _value_tier(state) + _risk_tier(state)
    plan = state.plan = run.compiled.plan(view)
    _only_people(state, plan)
    state.slot = run.slot(zone or _zone(state), facts.country)


def _value_tier(state: State) -> tuple[Code, ...]:
    """Who acts: strategic customers, and by default those of unknown value, are for people only (R20, E42)."""
    facts, run, view = state.facts, state.run, state.view
    rules = run.policy.tiers.value
    if not rules.enabled:
        return ()
    assignment = run.tiers.of_account(facts.id, facts.members)
    view.value, view.lifetime_value = assignment.tier, assignment.lifetime_value
    if view.value == _STRATEGIC:
        state.human_reason = "value tier strategic"
    elif view.value == _UNKNOWN:
        if rules.unknown == "human_only":
            state.human_reason = "value unknown"
        else:
            view.value = rules.unknown
    return assignment.codes


def _risk_tier(state: State) -> tuple[Code, ...]:
    """How soon and how high: the first risk rule that holds (C9)."""
    rule, in_gap = state.run.compiled.rules.risk(state.view)
    if rule is not None:
        state.view.risk = rule.id
        state.risk_rule = rule
    return (Code.SEED_GAP,) if in_gap else ()


def _only_people(state: State, plan: Plan) -> None:
    view, pauses = state.view, state.run.pauses
    if state.human_reason is not None:
        return
    if is_human_only(state.facts):
        state.human_reason = "flag human_only"
    elif state.verdicts and view.promises_not_kept >= pauses.max_promises_not_kept:
        state.human_reason = "promises not kept"
    elif plan.actor is _PEOPLE:
        state.human_reason = "override"


def _zone(state: State) -> str:
    """The time zone of whom a message most likely goes to: the first contact who can be reached."""
    facts, run = state.facts, state.run
    zones = []
    for contact in facts.contacts:
        fields = fields_of(contact)
        if fields["is_active"] is not False:
            zones.append(fields["time_zone"])
    zone = zones[0] if zones else None
    if len(zones) > 1 and len(set(zones)) > 1:
        first = Directory(facts, run, state.history).likeliest()
        zone = first.time_zone if first is not None else None
    return sending_zone(run, facts.customer, zone)


def _find_holds(state: State) -> InvoiceHolds:
    facts = state.facts
    if not (facts.pauses or facts.disputes or state.verdicts or state.history.inbound):
        return NO_HOLDS
    invoices = {row[ID]: row[INVOICE] for row in state.chased.rows}
    found = find_holds(facts, state.run, state.plan, invoices, state.verdicts, state.history)
    if found.human and state.human_reason is None:
        state.human_reason = "customer refused"
    return found


def _choose(state: State) -> None:
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
        _answerless(state)
        for item in state.items:
            if held and item.id in held:
                _hold(state, item, held[item.id])
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


def _answerless(state: State) -> None:
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


def _hold(state: State, item: Item, hold: Hold) -> None:
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
        state.days.append(choice.until)
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
        if name not in plan.known_steps and ":" not in name and name != "send_copy"
    ]
    if not strange:
        return -1
    if rule == "manual":
        return None
    dpd_then = (max(strange) - due).days
    return max((step.index for step in plan.steps if step.at <= dpd_then), default=-1)
