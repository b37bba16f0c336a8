"""From which day does the cadence count? The contractual due date, what stands in for a missing one (E8), moved off closed days (E4)."""

from __future__ import annotations

from datetime import date, timedelta

from ar_core.cadence.policy import Clock
from ar_core.calendar import Calendar, roll
from ar_core.model.documents import Invoice
from ar_core.model.parties import Customer

__all__ = ["cadence_due"]


def cadence_due(invoice: Invoice, customer: Customer | None, clock: Clock, calendar: Calendar) -> date | None:
    """The due date the cadence counts from; None where an invoice has none and the policy knows no substitute.

    `customer`: who receives the messages; its terms stand in for missing ones, its country says which days are worked on.
    """
    due = invoice.due_date
    if due is None:
        due = _substitute(invoice, customer, clock)
    if due is None or clock.due_roll == "none":
        return due
    return roll(due, clock.due_roll, calendar, customer.country if customer else None)


def _substitute(invoice: Invoice, customer: Customer | None, clock: Clock) -> date | None:
    rule = clock.due_date_fallback
    if rule.mode == "exclude" or invoice.issue_date is None:
        return None
    if rule.mode == "invoice_date":
        return invoice.issue_date + timedelta(days=rule.days)
    terms = invoice.terms or (customer.terms if customer else None)
    if terms is None or terms.due_days is None:
        return None
    return invoice.issue_date + timedelta(days=terms.due_days)
