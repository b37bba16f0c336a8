"""What happens with one account today? A pure function of its facts, the policy, its value tier and the moment (R40, R61).

The order of the work is the order of precedence (C11): stops, the plan for this kind of customer, pauses per invoice, steps,
limits, one message, and the notices and tasks around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ar_core.cadence.channels import Directory
from ar_core.cadence.choosing import answerless, choose, put_on_hold
from ar_core.cadence.codes import Code
from ar_core.cadence.facts import DUE, ID, INVOICE, SINCE, AccountFacts, OpenRow
from ar_core.cadence.history import History
from ar_core.cadence.holds import InvoiceHolds, account_stop, find_holds, is_human_only
from ar_core.cadence.messages import make_messages
from ar_core.cadence.plan import NEVER, Plan
from ar_core.cadence.policy import Actor, ValueTier
from ar_core.cadence.records import DispositionKind
from ar_core.cadence.run import Run, sending_zone
from ar_core.cadence.state import NO_HOLDS, Chased, Settled, State
from ar_core.cadence.tasks import make_notices, make_tasks
from ar_core.cadence.view import AccountView
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
        answerless(state)
        for item in state.items:
            put_on_hold(state, item, stop)
    else:
        choose(state)
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
    elif issued is not None and issued > run.today:
        code, until = Code.NOT_YET_ISSUED, issued
        state.days.append(issued)
    elif invoice.balance_due < ZERO:
        code = Code.NEGATIVE_ITEM
        state.negative.append(invoice)
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
