"""Was a promise to pay kept? Computed from payments and an as-of date, never stored (E33-E36, docs/rules.md).

A promise is judged on its deadline: the promised date plus a grace in business days. Payments count by the day the customer
paid, from the day the promise was given on; what lies after the as-of date has not happened yet. Up to its deadline a promise can be
withdrawn or superseded; later it stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, tzinfo
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from ar_core.calendar import WEEKENDS, Calendar, add_business_days
from ar_core.model.activity import Promise
from ar_core.model.base import reader
from ar_core.model.documents import CreditNote, DocumentStatus, Invoice
from ar_core.model.money import ZERO, exact
from ar_core.model.settlements import Adjustment, Allocation, Payment, PaymentKind
from ar_core.model.snapshot import Snapshot
from ar_core.verdicts import NOT_KEPT, PENDING, PromiseState, PromiseTerms, PromiseVerdict

__all__ = [
    "NOT_KEPT",
    "PENDING",
    "PromiseState",
    "PromiseTerms",
    "PromiseVerdict",
    "judge_customer_promises",
    "judge_promises",
    "movement_days",
    "promise_level",
    "sources_by_id",
]

_ids: Final = reader("id")
_read_on_account: Final = reader("payment_date", "currency", "unapplied_amount", "kind", "document_status")
_VOIDED: Final = DocumentStatus.VOIDED
_POSTED: Final = DocumentStatus.POSTED
_REFUND: Final = PaymentKind.REFUND


def judge_promises(
    snapshot: Snapshot,
    today: date,
    *,
    terms: PromiseTerms | None = None,
    calendar: Calendar = WEEKENDS,
) -> tuple[PromiseVerdict, ...]:
    """Judge every promise of a snapshot on `today` (the organization's local date). Ordered by customer, date given, id.

    A promise of which only the moment is known at which it was recorded was given on the organization's day of that moment.
    """
    zone = snapshot.organization.time_zone if snapshot.organization is not None else None
    invoices = {invoice.id: invoice for invoice in snapshot.invoices}
    sources = sources_by_id(snapshot)
    allocations: dict[str, list[Allocation]] = {}
    for allocation in snapshot.allocations:
        allocations.setdefault(allocation.target_id, []).append(allocation)
    payments: dict[str | None, list[Payment]] = {}
    for payment in snapshot.payments:
        payments.setdefault(payment.customer_id, []).append(payment)
    owned: dict[str | None, list[Invoice]] = {}
    for invoice in snapshot.invoices:
        owned.setdefault(invoice.customer_id, []).append(invoice)
    countries = {customer.id: customer.country for customer in snapshot.customers}
    by_customer: dict[str | None, list[Promise]] = {}
    for promise in snapshot.promises:
        customer = promise.customer_id
        if customer is None:
            named = (invoices[i].customer_id for i in promise.invoice_ids if i in invoices)
            customer = next(named, None)
        by_customer.setdefault(customer, []).append(promise)
    verdicts: list[PromiseVerdict] = []
    for customer in sorted(by_customer, key=lambda value: value or ""):
        verdicts += judge_customer_promises(
            by_customer[customer],
            owned.get(customer, []),
            {i.id: allocations.get(i.id, ()) for i in owned.get(customer, [])},
            sources,
            payments.get(customer, ()),
            today,
            terms=terms,
            calendar=calendar,
            country=countries.get(customer or ""),
            zone=ZoneInfo(zone) if zone is not None else UTC,
        )
    return tuple(verdicts)


def sources_by_id(snapshot: Snapshot) -> dict[str, Payment | CreditNote | Adjustment]:
    """Everything an allocation can come from, by id."""
    return {
        record.id: record
        for records in (snapshot.payments, snapshot.credit_notes, snapshot.adjustments)
        for record in records
    }


class _Movement:
    """One allocation, reduced to what a verdict needs."""

    __slots__ = ("amount", "is_payment", "on")

    def __init__(self, on: date, amount: Decimal, is_payment: bool) -> None:
        self.on, self.amount, self.is_payment = on, amount, is_payment


def judge_customer_promises(
    promises: Iterable[Promise],
    invoices: Sequence[Invoice],
    allocations: Mapping[str, Sequence[Allocation]],
    sources: Mapping[str, Payment | CreditNote | Adjustment],
    payments: Iterable[Payment],
    today: date,
    *,
    terms: PromiseTerms | None = None,
    calendar: Calendar = WEEKENDS,
    country: str | None = None,
    zone: tzinfo = UTC,
) -> list[PromiseVerdict]:
    """Judge the promises of one customer, from that customer's records alone.

    `allocations`: by target invoice id. `sources`: payments, credit notes and adjustments by id. `zone`: of the organization; in it
    a promise without a day was given on the day it was recorded. Promises given after `today` have not happened yet and are left out.
    """
    terms = terms or PromiseTerms()
    dated = [_dated(promise, zone) for promise in promises]
    known = sorted((p for p in dated if (p.given_on or today) <= today), key=_order)
    if not known:
        return []
    own: dict[str, Invoice] = dict(zip(_ids(invoices), invoices, strict=True))
    pool = _UnappliedPool(payments, terms.unapplied == "count")
    on_record = {promise.id for promise in dated}
    verdicts: list[PromiseVerdict] = []
    with exact():
        for promise in known:
            covered = [i for i in (promise.invoice_ids or tuple(sorted(own))) if i in own]
            deadline = add_business_days(promise.promised_date, terms.grace_business_days, calendar, country)
            case = _Case(promise, covered, own, pool, deadline)
            case.movements = _movements(covered, allocations, sources)
            case.replaced_on = _replaced_on(promise, known, on_record, deadline)
            verdicts.append(_judge(case, today, terms))
    return verdicts


def promise_level(verdicts: Iterable[PromiseVerdict], *, since: date | None = None) -> int:
    """How many promises were not kept in a row, the latest ones first; a kept promise ends the row (E35).

    `since`: only those decided on or after this day.
    """
    level = 0
    decided = [v for v in verdicts if v.decided_on is not None and (since is None or v.decided_on >= since)]
    for verdict in sorted(decided, key=lambda v: (v.decided_on, v.promise_id), reverse=True):
        if verdict.state in NOT_KEPT:
            level += 1
        elif verdict.state in {PromiseState.KEPT, PromiseState.KEPT_LATE}:
            break
    return level


def _dated(promise: Promise, zone: tzinfo) -> Promise:
    """The promise with the day it was given, as far as that is known."""
    if promise.given_on is not None or promise.recorded_at is None:
        return promise
    return promise.model_copy(update={"given_on": promise.recorded_at.astimezone(zone).date()})


def _order(promise: Promise) -> tuple[date, str, str]:
    recorded = promise.recorded_at.isoformat() if promise.recorded_at else ""
    return (promise.given_on or date.min, recorded, promise.id)


def _replaced_on(
    promise: Promise, known: Sequence[Promise], on_record: set[str], deadline: date
) -> date | None:
    """The day a newer promise on a shared invoice took this one's place, if that was before its deadline passed.

    One that is only named counts from the start; `on_record`: ids of those whose own day counts, be it a day to come.
    """
    for other in known[known.index(promise) + 1 :]:
        given = other.given_on
        shared = (
            not promise.invoice_ids
            or not other.invoice_ids
            or not set(promise.invoice_ids).isdisjoint(other.invoice_ids)
        )
        if shared and given is not None and given <= deadline:
            return given
    if promise.superseded_by is not None and promise.superseded_by not in on_record:
        return promise.given_on or promise.promised_date
    return None


class _OnAccount:
    """Money not yet applied to any invoice."""

    __slots__ = ("amount", "currency", "on")

    def __init__(self, on: date, currency: str | None, amount: Decimal) -> None:
        self.on, self.currency, self.amount = on, currency, amount


def _in_order(row: _OnAccount) -> tuple[date, Decimal]:
    return row.on, row.amount


class _UnappliedPool:
    """Money on account that may count towards promises; what one promise used, the next cannot."""

    __slots__ = ("_rows",)

    def __init__(self, payments: Iterable[Payment], counts: bool) -> None:
        self._rows: list[_OnAccount] = []
        for day, currency, amount, kind, status in _read_on_account(payments if counts else ()):
            if (
                amount is not None
                and amount > ZERO
                and day is not None
                and kind is not _REFUND
                and status is _POSTED
            ):
                self._rows.append(_OnAccount(day, currency, amount))
        self._rows.sort(key=_in_order)

    def take(
        self, wanted: Decimal, currency: str | None, start: date | None, end: date
    ) -> list[tuple[date, Decimal]]:
        """Up to `wanted` out of money received in `currency` from `start` to `end`, both included, as (day, amount)."""
        taken: list[tuple[date, Decimal]] = []
        for row in self._rows:
            if wanted <= ZERO:
                break
            if row.currency != currency or row.on > end or (start is not None and row.on < start):
                continue
            part = min(row.amount, wanted)
            if part > ZERO:
                row.amount -= part
                wanted -= part
                taken.append((row.on, part))
        return taken


def _movements(
    covered: Iterable[str],
    allocations: Mapping[str, Sequence[Allocation]],
    sources: Mapping[str, Payment | CreditNote | Adjustment],
) -> list[_Movement]:
    """Dated allocations to the covered invoices. One without any date counts as older than the promise: it is left out."""
    found: list[_Movement] = []
    for invoice_id in covered:
        for allocation in allocations.get(invoice_id, ()):
            source = sources.get(allocation.source_id)
            if source is not None and source.document_status is _VOIDED:
                continue
            on = source.payment_date if isinstance(source, Payment) else None
            on = on or allocation.applied_on
            if on is not None:
                amount = allocation.target_amount + (allocation.discount_amount or ZERO)
                found.append(_Movement(on, amount, source is None or isinstance(source, Payment)))
    return sorted(found, key=_day_of)


def movement_days(
    invoice_ids: Iterable[str],
    allocations: Mapping[str, Sequence[Allocation]],
    sources: Mapping[str, Payment | CreditNote | Adjustment],
) -> list[date]:
    """The days on which what was applied to these invoices counts towards a promise, days to come included, in order.

    `allocations`: by target invoice id. `sources`: payments, credit notes and adjustments by id.
    """
    return [movement.on for movement in _movements(invoice_ids, allocations, sources)]


def _day_of(movement: _Movement) -> date:
    return movement.on


def _between(
    rows: Iterable[_Movement], first: date | None, last: date, payments_only: bool = False
) -> Decimal:
    found = ZERO
    for row in rows:
        if (first is None or row.on >= first) and row.on <= last and (row.is_payment or not payments_only):
            found += row.amount
    return found


class _Case:
    """All that the verdict on one promise needs."""

    __slots__ = (
        "covered",
        "currency",
        "deadline",
        "movements",
        "open_now",
        "owner",
        "pool",
        "promise",
        "replaced_on",
    )

    def __init__(
        self,
        promise: Promise,
        covered: list[str],
        own: Mapping[str, Invoice],
        pool: _UnappliedPool,
        deadline: date,
    ) -> None:
        self.promise, self.covered, self.pool, self.deadline = promise, covered, pool, deadline
        first = own[covered[0]] if covered else None
        self.currency: str | None = promise.currency or (first.currency if first is not None else None)
        self.owner: str | None = first.customer_id if first is not None else None
        self.open_now = ZERO
        for invoice_id in covered:
            self.open_now += own[invoice_id].balance_due
        self.movements: list[_Movement] = []
        self.replaced_on: date | None = None


def _judge(case: _Case, today: date, terms: PromiseTerms) -> PromiseVerdict:
    promise, rows, start = case.promise, case.movements, case.promise.given_on
    cutoff = min(today, case.deadline)
    withdrawn_on = _withdrawn_on(promise, cutoff)
    stands = case.replaced_on is None and withdrawn_on is None
    # What was open when it was given: today's balance plus everything applied since, dated later than today included.
    open_then = case.open_now + _between(rows, start, date.max)
    required = open_then if promise.promised_amount is None else min(promise.promised_amount, open_then)
    tolerance = min(terms.tolerance_abs, required * terms.tolerance_pct / 100) if required > ZERO else ZERO
    paid = _between(rows, start, cutoff, payments_only=True)
    left = open_then - _between(rows, start, cutoff)
    on_account = case.pool.take(min(required - paid, left), case.currency, start, cutoff) if stands else []
    taken = sum([part for _, part in on_account], ZERO)
    paid += taken
    in_time = bool(case.covered) and (paid >= required - tolerance or left - taken <= tolerance)
    if not in_time and stands and today > case.deadline:
        unpaid = required - _between(rows, start, today, payments_only=True)
        unsettled = open_then - _between(rows, start, today)
        on_account += case.pool.take(min(unpaid, unsettled) - taken, case.currency, case.deadline, today)
    # The promised amount was paid, or nothing is left to pay because credit took the rest.
    since = [row for row in rows if start is None or row.on >= start]
    by_payment = [(row.on, row.amount) for row in since if row.is_payment]
    days = (
        _reached_on([*by_payment, *on_account], required - tolerance, today),
        _reached_on([*[(row.on, row.amount) for row in since], *on_account], open_then - tolerance, today),
    )
    reached = min([day for day in days if day is not None], default=None)
    state, decided_on = _state(case, withdrawn_on, in_time, paid > ZERO, reached, today)
    return PromiseVerdict.trusted(
        promise_id=promise.id,
        customer_id=promise.customer_id or case.owner,
        invoice_ids=tuple(case.covered),
        state=state,
        promised_date=promise.promised_date,
        deadline=case.deadline,
        given_on=start,
        required=required,
        paid=paid,
        currency=case.currency,
        decided_on=decided_on,
    )


def _withdrawn_on(promise: Promise, last: date) -> date | None:
    """The day on which it was withdrawn, up to `last`: today or its deadline, what is sooner (E34)."""
    on = promise.withdrawn_on
    return on if on is not None and on <= last else None


def _state(
    case: _Case, withdrawn_on: date | None, in_time: bool, some: bool, reached: date | None, today: date
) -> tuple[PromiseState, date | None]:
    promise, replaced_on, deadline = case.promise, case.replaced_on, case.deadline
    if withdrawn_on is not None:
        return PromiseState.WITHDRAWN, withdrawn_on
    if in_time:
        return PromiseState.KEPT, reached or promise.given_on or promise.promised_date
    if replaced_on is not None and replaced_on <= today:
        return PromiseState.SUPERSEDED, replaced_on
    if today <= promise.promised_date:
        return PromiseState.OPEN, None
    if today <= deadline:
        return PromiseState.IN_GRACE, None
    if reached is not None:
        return PromiseState.KEPT_LATE, reached
    return (PromiseState.PARTIALLY_KEPT if some else PromiseState.BROKEN), deadline


def _reached_on(received: Iterable[tuple[date, Decimal]], target: Decimal, today: date) -> date | None:
    """The day on which what was received first reached the target."""
    running = ZERO
    for day, amount in sorted(received):
        if day > today:
            return None
        running += amount
        if running >= target > ZERO:
            return day
    return None
