"""What stops an account or an invoice, and until when? Precedence: legal stop, consent, pause, dispute, promise, reply.

(E31-E40, R43, R62, docs/rules.md). The word in the product is *pause*: an order hold is something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.cadence.policy import IntentRule
from ar_core.cadence.run import DAY, action_key
from ar_core.model.activity import Dispute, Intent, Promise, Touch, TouchOutcome
from ar_core.model.base import reader
from ar_core.model.documents import Invoice
from ar_core.model.money import ZERO
from ar_core.model.profile import ProfileFlag
from ar_core.promises import PromiseState, PromiseVerdict

if TYPE_CHECKING:
    from ar_core.cadence.facts import AccountFacts
    from ar_core.cadence.history import History
    from ar_core.cadence.plan import Plan
    from ar_core.cadence.run import Run

__all__ = ["Hold", "InvoiceHolds", "Reply", "account_stop", "find_holds", "is_human_only"]

REPLY_DAYS: Final = timedelta(days=30)
"""How long an unanswered reply keeps raising its task."""

_read_flags: Final = reader("flags")
_HUMAN_ONLY: Final = ProfileFlag.HUMAN_ONLY
_KNOWN_FLAGS: Final = frozenset(flag.value for flag in ProfileFlag)


class Hold(NamedTuple):
    """One stop."""

    code: Code
    until: date | None
    """First day on which it no longer holds by itself; None: open."""
    record_id: str | None = None


class Reply(NamedTuple):
    """Something the customer said that someone has to act on."""

    touch: Touch
    rule: IntentRule
    invoice_ids: tuple[str, ...]
    """Empty: the whole account."""


class InvoiceHolds:
    """All stops on the invoices of an account."""

    __slots__ = ("account", "approvals", "changes_on", "held", "human", "reduced", "replies")

    def __init__(self) -> None:
        self.account: Hold | None = None
        self.held: dict[str, Hold] = {}
        self.reduced: dict[str, Decimal] = {}
        """Amount of an invoice that is not chased: disputed or promised in part."""
        self.replies: list[Reply] = []
        self.approvals: list[PromiseVerdict] = []
        """Promises that need approval."""
        self.human = False
        """The customer refused: a person speaks from now on."""
        self.changes_on: list[date] = []


def account_stop(facts: AccountFacts, run: Run) -> Hold | None:
    """A stop on everything: a legal stop (of a parent too, by policy), a flag we do not know, do not contact (E40, E41)."""
    own = [flag for flags in _read_flags(facts.profiles) for flag in flags]
    flags = set(own)
    if facts.ancestor_profiles and run.pauses.legal_stop_covers_children:
        flags.update(flag for profile in facts.ancestor_profiles for flag in profile.flags)
    if not flags:
        return None
    if ProfileFlag.LEGAL_STOP in flags:
        return Hold(Code.LEGAL_STOP, None)
    if flags - _KNOWN_FLAGS:
        return Hold(Code.UNKNOWN_FLAG, None)
    return Hold(Code.DO_NOT_CONTACT, None) if ProfileFlag.DO_NOT_CONTACT in own else None


def is_human_only(facts: AccountFacts) -> bool:
    """The host said that only people contact this account."""
    return any(_HUMAN_ONLY in flags for flags in _read_flags(facts.profiles))


def find_holds(
    facts: AccountFacts,
    run: Run,
    plan: Plan,
    invoices: Mapping[str, Invoice],
    verdicts: Sequence[PromiseVerdict],
    history: History,
) -> InvoiceHolds:
    """Every stop that holds today, the strongest one per invoice. `invoices`: those that are chased, by id."""
    found = InvoiceHolds()
    if facts.pauses:
        _pauses(facts, run, invoices, found)
    if facts.disputes:
        _disputes(facts.disputes, run, invoices, found)
    if verdicts:
        _promises(facts, run, plan, invoices, verdicts, history, found)
    if history.inbound:
        _replies(facts, run, invoices, history, found)
    return found


def _pauses(facts: AccountFacts, run: Run, invoices: Mapping[str, Invoice], found: InvoiceHolds) -> None:
    today = run.today
    for pause in facts.pauses:
        if pause.lifted_on is not None and pause.lifted_on <= today:
            continue
        if pause.ends_on is not None and pause.ends_on < today:
            continue
        if pause.starts_on > today:
            found.changes_on.append(pause.starts_on)
            continue
        ends = None if pause.ends_on is None else pause.ends_on + DAY
        until = min((d for d in (ends, pause.lifted_on) if d is not None), default=None)
        hold = Hold(Code.PAUSED, until, pause.id)
        if pause.invoice_id is None:
            held = found.account
            if held is None or (held.until is not None and (until is None or until > held.until)):
                found.account = hold
        elif pause.invoice_id in invoices:
            _keep_longest(found.held, pause.invoice_id, hold)


def _keep_longest(held: dict[str, Hold], invoice_id: str, hold: Hold) -> None:
    other = held.get(invoice_id)
    if other is None or (
        other.code is hold.code
        and other.until is not None
        and (hold.until is None or hold.until > other.until)
    ):
        held[invoice_id] = hold


def _disputes(
    disputes: Iterable[Dispute], run: Run, invoices: Mapping[str, Invoice], found: InvoiceHolds
) -> None:
    today, policy = run.today, run.pauses
    cooling: list[tuple[str, Hold]] = []
    for dispute in disputes:
        invoice = invoices.get(dispute.invoice_id)
        if invoice is None:
            continue
        if dispute.opened_on is not None and dispute.opened_on > today:
            found.changes_on.append(dispute.opened_on)
            continue
        if dispute.resolved_on is not None and dispute.resolved_on <= today:
            until = dispute.resolved_on + timedelta(days=policy.dispute_resume_days)
            if today < until:
                cooling.append((invoice.id, Hold(Code.DISPUTE_COOLING, until, dispute.id)))
            continue
        if dispute.resolved_on is not None:
            found.changes_on.append(dispute.resolved_on)
        amount = dispute.disputed_amount
        if amount is None or amount >= invoice.balance_due or policy.dispute_remainder == "pause":
            _keep_longest(found.held, invoice.id, Hold(Code.DISPUTED, None, dispute.id))
        else:
            found.reduced[invoice.id] = found.reduced.get(invoice.id, ZERO) + amount
    for invoice_id, hold in cooling:
        _keep_longest(found.held, invoice_id, hold)
    _fill_reduced(found, invoices, Code.DISPUTED, None, None)


def _fill_reduced(
    found: InvoiceHolds, invoices: Mapping[str, Invoice], code: Code, until: date | None, record: str | None
) -> None:
    """Parts that together reach the whole balance stop the invoice."""
    for invoice_id, amount in found.reduced.items():
        if amount >= invoices[invoice_id].balance_due:
            found.held.setdefault(invoice_id, Hold(code, until, record))


def _promises(
    facts: AccountFacts,
    run: Run,
    plan: Plan,
    invoices: Mapping[str, Invoice],
    verdicts: Sequence[PromiseVerdict],
    history: History,
    found: InvoiceHolds,
) -> None:
    by_id: dict[str, Promise] = {promise.id: promise for promise in facts.promises}
    for verdict in verdicts:
        if not verdict.pending:
            continue
        until = verdict.deadline + DAY
        limit = _approval_limit(verdict, run, plan, invoices)
        if limit is not None:
            key_of = partial(action_key, run.family, facts.id, "task:approve_promise", verdict.promise_id, 0)
            asked = history.attempt(key_of).touch
            if asked is None or asked.outcome is not TouchOutcome.ANSWERED:
                found.approvals.append(verdict)
                if limit <= run.today:
                    continue
                until = min(until, limit)
                found.changes_on.append(limit)
        code = Code.PTP_OPEN if verdict.state is PromiseState.OPEN else Code.PTP_IN_GRACE
        hold = Hold(code, until, verdict.promise_id)
        if run.pauses.promise_scope == "customer":
            for invoice_id in invoices:
                _keep_longest(found.held, invoice_id, hold)
            continue
        _spread(by_id[verdict.promise_id], verdict, invoices, hold, found, run)


def _approval_limit(
    verdict: PromiseVerdict, run: Run, plan: Plan, invoices: Mapping[str, Invoice]
) -> date | None:
    """Until when an unapproved promise pauses (E36); None: it needs no approval."""
    given, policy = verdict.given_on, run.pauses
    if given is None:
        return None
    from_stage = policy.promise_approval_from
    if from_stage is not None:
        days = [
            (given - due).days
            for i in verdict.invoice_ids
            if i in invoices and (due := invoices[i].due_date) is not None
        ]
        stage = plan.stage(max(days)) if days else None
        if stage is not None and stage >= from_stage:
            return given
    if (verdict.promised_date - given).days > policy.max_promise_days:
        return given + timedelta(days=policy.max_promise_days)
    return None


def _spread(
    promise: Promise,
    verdict: PromiseVerdict,
    invoices: Mapping[str, Invoice],
    hold: Hold,
    found: InvoiceHolds,
    run: Run,
) -> None:
    """The promised amount pauses the covered invoices, oldest due first, as far as it reaches (E33)."""
    covered = sorted(
        (invoices[i] for i in verdict.invoice_ids if i in invoices),
        key=lambda invoice: (invoice.due_date or date.max, invoice.id),
    )
    left = None if promise.promised_amount is None else max(verdict.required - verdict.paid, ZERO)
    for invoice in covered:
        if left is None or left >= invoice.balance_due - run.promise_terms.tolerance_abs:
            _keep_longest(found.held, invoice.id, hold)
            left = None if left is None else max(left - invoice.balance_due, ZERO)
        elif left > ZERO:
            found.reduced[invoice.id] = found.reduced.get(invoice.id, ZERO) + left
            left = ZERO
    _fill_reduced(found, invoices, hold.code, hold.until, hold.record_id)


def _replies(
    facts: AccountFacts, run: Run, invoices: Mapping[str, Invoice], history: History, found: InvoiceHolds
) -> None:
    country = facts.customer.country if facts.customer else None
    oldest = min((i.due_date for i in invoices.values() if i.due_date is not None), default=run.today)
    for on, touch in history.inbound:
        rule = run.pauses.intents.get(touch.intent)
        if rule is None or _settled(touch, on, facts, invoices):
            continue
        about = tuple(c.invoice_id for c in touch.covers if c.invoice_id in invoices)
        if touch.covers and not about:
            continue
        if rule.human and on >= oldest:
            found.human = True
        if run.today < on + REPLY_DAYS:
            found.replies.append(Reply(touch, rule, about))
            found.changes_on.append(on + REPLY_DAYS)
        if not rule.pause_business_days:
            continue
        until = run.business_days_after(on, rule.pause_business_days, country)
        if run.today < until:
            for invoice_id in about or invoices:
                if touch.intent is Intent.MISSING_PO and invoices[invoice_id].customer_reference:
                    continue
                found.held.setdefault(invoice_id, Hold(Code.REPLY_PENDING, until, touch.id))


def _settled(touch: Touch, on: date, facts: AccountFacts, invoices: Mapping[str, Invoice]) -> bool:
    """What was said is on record by now: the promise, the dispute, the purchase order."""
    match touch.intent:
        case Intent.PROMISED:
            return any(p.given_on is None or p.given_on >= on for p in facts.promises)
        case Intent.DISPUTED:
            return any(d.opened_on is None or d.opened_on >= on for d in facts.disputes)
        case Intent.MISSING_PO:
            about = [c.invoice_id for c in touch.covers if c.invoice_id in invoices] or list(invoices)
            return all(invoices[i].customer_reference for i in about)
        case _:
            return False
