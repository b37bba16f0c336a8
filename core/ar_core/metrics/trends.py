"""Which customers are getting worse? Trends over a year of payments, as signals for people outside collections (R25, docs/rules.md).

They look at many days of many records, so they are asked for apart and are no part of an evaluation; thresholds are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from ar_core.aging import QUICKBOOKS_REPORT_DATE, open_items, settled_on
from ar_core.cadence.codes import Code
from ar_core.cadence.evaluation import Signal
from ar_core.metrics import formulas
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO, exact
from ar_core.model.snapshot import Snapshot

__all__ = ["trends"]

_QUARTER, _YEAR = timedelta(days=90), timedelta(days=365)
_Rows = list[tuple[int, Decimal]]


def trends(snapshot: Snapshot, today: date, *, more_days: int = 5, at_least: int = 3) -> tuple[Signal, ...]:
    """Customers that owe more than 90 days ago, and customers that pay later than before; by customer, then code.

    BALANCE_RISING: in some currency more is open than 90 days ago, for a customer that was billed before that. PAYING_LATER:
    payments of the last 90 days came later after their due dates, weighted by amount, by at least `more_days` days than those of
    the 275 days before, with at least `at_least` payments in each.
    """
    found = [*_rising(snapshot, today), *_later(snapshot, today, more_days, at_least)]
    return tuple(sorted(found, key=lambda signal: (signal.customer_id, signal.code, signal.detail or "")))


def _rising(snapshot: Snapshot, today: date) -> Iterable[Signal]:
    before = today - _QUARTER
    known = {i.customer_id for i in snapshot.invoices if i.issue_date is not None and i.issue_date <= before}
    then, now = _balances(snapshot, before), _balances(snapshot, today)
    for (customer, currency), balance in now.items():
        old = then.get((customer, currency), ZERO)
        if customer is not None and customer in known and balance > max(old, ZERO):
            yield Signal(
                customer_id=customer,
                code=Code.BALANCE_RISING,
                on=today,
                detail=f"{old} to {balance} {currency or ''}".strip(),
            )


def _balances(snapshot: Snapshot, day: date) -> dict[tuple[str | None, str | None], Decimal]:
    found: dict[tuple[str | None, str | None], Decimal] = {}
    with exact():
        for item in open_items(snapshot, day, QUICKBOOKS_REPORT_DATE):
            place = (item.customer_id, item.currency)
            found[place] = found.get(place, ZERO) + item.amount
    return found


def _later(snapshot: Snapshot, today: date, more_days: int, at_least: int) -> Iterable[Signal]:
    for customer, (old, new) in sorted(_days_late(snapshot, today).items()):
        if min(len(old), len(new)) < at_least:
            continue
        was, became = formulas.weighted_days(old).value, formulas.weighted_days(new).value
        if was is not None and became is not None and became - was >= more_days:
            yield Signal(
                customer_id=customer,
                code=Code.PAYING_LATER,
                on=today,
                detail=f"{was:.1f} to {became:.1f} days after the due date",
            )


def _days_late(snapshot: Snapshot, today: date) -> dict[str, tuple[_Rows, _Rows]]:
    """Days late and amount of each payment by customer: those before the last 90 days, and those in them."""
    posted = DocumentStatus.POSTED
    received = {p.id: p.payment_date for p in snapshot.payments if p.document_status is posted}
    due = {
        i.id: (i.customer_id, i.due_date)
        for i in snapshot.invoices
        if i.document_status is posted and i.customer_id is not None and i.due_date is not None
    }
    found: dict[str, tuple[_Rows, _Rows]] = {}
    for allocation in snapshot.allocations:
        customer, due_date = due.get(allocation.target_id, (None, None))
        if allocation.source_id not in received or customer is None or due_date is None:
            continue
        day = settled_on(allocation, received)
        if day is not None and today - _YEAR < day <= today:
            rows = found.setdefault(customer, ([], []))
            rows[day > today - _QUARTER].append(((day - due_date).days, allocation.target_amount))
    return found
