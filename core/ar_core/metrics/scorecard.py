"""How is the book doing? The usual figures of one currency on one day, together."""

from __future__ import annotations

from datetime import date

from ar_core.metrics import measures
from ar_core.metrics.figure import Figure
from ar_core.metrics.period import Period, last_months
from ar_core.model.base import Amount, Currency, Frozen
from ar_core.model.snapshot import Snapshot
from ar_core.promises import PromiseTerms, judge_promises

__all__ = ["Scorecard", "scorecard"]

_QUARTER_MONTHS = 3
_YEAR_MONTHS = 12


class Scorecard(Frozen):
    """The figures of one currency. Each says what it was made of, or why it has no value."""

    currency: Currency | None
    today: date
    first: date
    """First day of the period that DSO, ADD and CEI look at."""
    last: date
    """Its last day: the end of the last full month."""
    outstanding: Amount
    """On `today`: due plus overdue less unapplied."""
    gross: Amount
    """On `today`: due plus overdue, credits not taken off."""
    overdue: Amount
    dso: Figure
    best_possible_dso: Figure
    average_days_delinquent: Figure
    countback_dso: Figure
    cei: Figure
    days_to_pay: Figure
    days_late: Figure
    promise_kept_ratio: Figure
    at_risk_rate: Figure
    """Of the newest month whose invoices can all have reached 90 days past due; see `at_risk_month`."""
    at_risk_month: date
    """First day of that month."""


def scorecard(
    snapshot: Snapshot, today: date, currency: str | None, *, terms: PromiseTerms | None = None
) -> Scorecard:
    """The last three full months in figures, count-back DSO over at most a year, payments and promises over a year.

    `today`: the organization's local date. `terms`: how promises are judged.
    """
    months = last_months(today, _YEAR_MONTHS)
    period = Period(months[_QUARTER_MONTHS - 1].first, months[0].last)
    year = Period(months[-1].first, today)
    held = measures.receivables(snapshot, today, currency)
    at_risk_month, at_risk = months[_QUARTER_MONTHS], None
    for month in months[_QUARTER_MONTHS:]:
        at_risk_month, at_risk = month, measures.at_risk_rate(snapshot, month, today, currency)
        if at_risk.value is not None:
            break
    verdicts = (v for v in judge_promises(snapshot, today, terms=terms) if v.currency == currency)
    return Scorecard(
        currency=currency,
        today=today,
        first=period.first,
        last=period.last,
        outstanding=held.outstanding,
        gross=held.gross,
        overdue=held.overdue,
        dso=measures.dso(snapshot, period, currency),
        best_possible_dso=measures.best_possible_dso(snapshot, period, currency),
        average_days_delinquent=measures.average_days_delinquent(snapshot, period, currency),
        countback_dso=measures.countback_dso(snapshot, months, currency),
        cei=measures.cei(snapshot, period, currency),
        days_to_pay=measures.days_to_pay(snapshot, year, currency),
        days_late=measures.days_late(snapshot, year, currency),
        promise_kept_ratio=measures.promise_kept_ratio(verdicts, year),
        at_risk_rate=at_risk
        if at_risk is not None
        else measures.at_risk_rate(snapshot, at_risk_month, today, currency),
        at_risk_month=at_risk_month.first,
    )
