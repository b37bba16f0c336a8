"""What would the facts of an account be, were one thing that keeps an invoice waiting over? And which thing is looked at first?

A dispute is resolved, a promise withdrawn, a flag taken away, the days after a contact have passed. `why_not` decides the account
again on such facts and finds what stands behind; nothing here is about facts that hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any, Final

from ar_core.cadence.codes import Code
from ar_core.cadence.facts import ID, INVOICE, RECORDS, AccountFacts, open_and_closed
from ar_core.cadence.holds import Hold
from ar_core.cadence.plan import CompiledPolicy
from ar_core.cadence.policy_parts import Override, StepPatch
from ar_core.cadence.run import DAY, Run
from ar_core.cadence.state import Item, State
from ar_core.model.activity import Direction, Dispute, Intent, Touch
from ar_core.model.documents import DocumentStatus
from ar_core.model.profile import ProfileFlag

__all__ = ["after", "first_stop", "item_of", "of_age", "switched_on", "without"]

_STATUSES: Final = frozenset({Code.NOT_POSTED, Code.VOIDED, Code.UNKNOWN_STATUS})
_KNOWN_FLAGS: Final = frozenset(flag.value for flag in ProfileFlag)
_FLAGS: Final = {Code.LEGAL_STOP: ProfileFlag.LEGAL_STOP, Code.DO_NOT_CONTACT: ProfileFlag.DO_NOT_CONTACT}
"""The flag behind a stop on the account."""


def item_of(state: State, invoice_id: str) -> Item | None:
    """An invoice as the account was decided; None for one that is not chased."""
    return next((item for item in state.items if item.id == invoice_id), None)


def first_stop(state: State, invoice_id: str) -> Hold | None:
    """The first thing that keeps an invoice from being chased at all; None: the plan is asked what is due for it.

    It says why the invoice is not chased, or else is the strongest hold on it or on its account.
    """
    for invoice, outcome in ((settled.invoice, settled.outcome) for settled in state.settled):
        if invoice.id == invoice_id:
            return Hold(outcome.code, state.run.in_days(outcome.until_in))
    item = item_of(state, invoice_id)
    hold = None if item is None else item.hold
    if hold is not None and hold.code is Code.DISPUTED and hold.record_id is None:
        return hold._replace(record_id=_largest_part(state, invoice_id).id)
    return hold


def _largest_part(state: State, invoice_id: str) -> Dispute:
    """Where disputes about parts stop an invoice together: the one whose end helps most, by amount, then id."""
    today = state.run.today
    parts = (
        (-dispute.disputed_amount, dispute.id, dispute)
        for dispute in state.facts.disputes
        if dispute.invoice_id == invoice_id
        and dispute.disputed_amount is not None
        and (dispute.opened_on is None or dispute.opened_on <= today)
        and (dispute.resolved_on is None or dispute.resolved_on > today)
    )
    return min(parts)[-1]


def without(state: State, stop: Hold, invoice_id: str) -> AccountFacts | None:
    """The account's facts without what stops one of its invoices; None: no single record says it (a due date, a negative balance).

    A dispute was resolved so long ago that nothing waits for it any more; a promise is withdrawn today and stays on record.
    """
    facts, run = state.facts, state.run
    if stop.code in _STATUSES:
        return _with_invoice(facts, invoice_id, document_status=DocumentStatus.POSTED)
    match stop.code:
        case Code.LEGAL_STOP | Code.UNKNOWN_FLAG | Code.DO_NOT_CONTACT:
            return _without_flags(facts, stop.code)
        case Code.NOT_YET_ISSUED:
            return _with_invoice(facts, invoice_id, issue_date=run.today)
        case Code.PAUSED:
            return _supposed(facts, pauses=[p for p in facts.pauses if p.id != stop.record_id])
        case Code.DISPUTED | Code.DISPUTE_COOLING:
            settled = run.today - timedelta(days=run.pauses.dispute_resume_days)
            return _with_record(facts, "disputes", stop.record_id, resolved_on=settled)
        case Code.PTP_OPEN | Code.PTP_IN_GRACE:
            return _with_record(facts, "promises", stop.record_id, withdrawn_on=run.today)
        case Code.REPLY_PENDING:
            parts = [_dealt_with(t, state) if t.id == stop.record_id else (t,) for t in facts.touches]
            return _supposed(facts, touches=[touch for part in parts for touch in part])
        case _:
            return None


def after(state: State, limit: Hold) -> AccountFacts:
    """The account's facts once a limit on the whole account is over.

    An attempt of which it is not known whether it went out never took place. For the others, time passes: the contacts that count and
    the payments lie as many days further back as the limit still lasts, which ends every shorter limit of that kind as well.
    """
    facts = state.facts
    if limit.until is None:
        return _supposed(facts, touches=[t for t in facts.touches if t.id != limit.record_id])
    passed = limit.until - state.slot.send_on
    counted = {touch.id for _, touch in state.history.contacts}
    touches = [t if t.id not in counted else _earlier(t, passed, state.run) for t in facts.touches]
    payments = [
        p if p.payment_date is None else p.model_copy(update={"payment_date": p.payment_date - passed})
        for p in facts.payments
    ]
    return _supposed(facts, touches=touches, payments=payments)


def of_age(state: State, item: Item, dpd: int) -> AccountFacts:
    """The account's facts, were one of its invoices due so many days ago. Where the policy rolls due dates, it may be another age."""
    return _with_invoice(state.facts, item.id, due_date=state.run.today - timedelta(days=dpd))


def switched_on(run: Run, step_id: str) -> Run:
    """The run by its policy with a step that is enabled, whatever the step and the overrides say."""
    policy = run.policy
    steps = [s if s.id != step_id else s.model_copy(update={"enabled": True}) for s in policy.steps]
    overrides = [_leaving_on(override, step_id) for override in policy.overrides]
    changed = policy.model_copy(update={"steps": tuple(steps), "overrides": tuple(overrides)})
    return Run(
        CompiledPolicy(changed),
        run.as_of,
        run.calendar,
        run.tiers,
        tiers_given=run.tiers_given,
        base_currency=run.base_currency,
        rates=run.rates,
        scorer=run.scorer,
    )


def _leaving_on(override: Override, step_id: str) -> Override:
    """An override that switches a step off no more."""
    if all(override.steps[name].enabled is not False for name in ("*", step_id) if name in override.steps):
        return override
    patch = override.steps.get(step_id, StepPatch()).model_copy(update={"enabled": True})
    return override.model_copy(update={"steps": {**override.steps, step_id: patch}})


def _supposed(facts: AccountFacts, **records: Any) -> AccountFacts:
    """The same account with other records of these kinds."""
    other = AccountFacts(facts.id, facts.book, facts.customer, facts.members)
    return other.holding({**{name: getattr(facts, name) for name in RECORDS}, **records})


def _with_record(facts: AccountFacts, kind: str, record_id: str | None, **changes: Any) -> AccountFacts:
    records = getattr(facts, kind)
    changed = [r if r.id != record_id else r.model_copy(update=changes) for r in records]
    return _supposed(facts, **{kind: changed})


def _with_invoice(facts: AccountFacts, invoice_id: str, **changes: Any) -> AccountFacts:
    rows = []
    for row in facts.open_rows:
        if row[ID] == invoice_id:
            opened, _ = open_and_closed([row[INVOICE].model_copy(update=changes)])
            rows += [again for found in opened.values() for again in found]
        else:
            rows.append(row)
    return _supposed(facts, open_rows=rows)


def _without_flags(facts: AccountFacts, code: Code) -> AccountFacts:
    """Without the flags behind a stop on the account, its own and those of its parents."""
    kinds = {name: getattr(facts, name) for name in ("profiles", "ancestor_profiles")}
    return _supposed(
        facts,
        **{
            name: [p.model_copy(update={"flags": _left(p.flags, code)}) for p in profiles]
            for name, profiles in kinds.items()
        },
    )


def _left(flags: Iterable[str], code: Code) -> tuple[str, ...]:
    meant = _FLAGS.get(code)
    return tuple(f for f in flags if (f in _KNOWN_FLAGS if meant is None else f != meant))


def _dealt_with(touch: Touch, state: State) -> tuple[Touch, ...]:
    """A reply as if it came so long ago that nobody waits for it any more.

    What was said in a contact of ours is told apart from the contact, which stays on its day.
    """
    run, facts, day = state.run, state.facts, state.run.local_day(touch.at)
    days, first = run.pauses.intents[touch.intent].pause_business_days, day
    while run.business_days_after(day, days, facts.country) > run.today:
        day -= DAY
    reply = _earlier(touch, first - day, run)
    if touch.direction is Direction.INBOUND:
        return (reply,)
    said = reply.model_copy(update={"direction": Direction.INBOUND})
    return touch.model_copy(update={"intent": Intent.NONE}), said


def _earlier(touch: Touch, passed: timedelta, run: Run) -> Touch:
    """A touch so many of the organization's days before, at the same time of day."""
    return touch.model_copy(update={"at": (touch.at.astimezone(run.zone) - passed).astimezone(UTC)})
