"""The key figures of receivables as formulas over plain amounts: for figures that come from a report and not from a snapshot.

Each is the published definition (G1-G10, docs/rules.md). Amounts are Decimal in one currency; sums are exact and a ratio is
rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from ar_core.metrics.figure import Figure, Undefined, Unit, figure, undefined
from ar_core.model.money import ZERO, exact, total

__all__ = [
    "MonthOfSales",
    "altman_z_private",
    "average_days_delinquent",
    "cei",
    "countback_dso",
    "dso",
    "expected_loss",
    "mean_days",
    "outstanding",
    "payer_grade",
    "roll_rate",
    "share",
    "weighted_days",
]


def dso(receivables: Decimal, sales: Decimal, days: int) -> Figure:
    """Days sales outstanding: receivables / credit sales x days (G1).

    With the receivables at the end of the period it is the variant `ending`, with their mean over the period `average`, with
    only what is not due yet the best possible DSO (G3). Never compare two variants.
    """
    inputs = {"receivables": receivables, "sales": sales, "days": Decimal(days)}
    if sales <= ZERO:
        return undefined(Undefined.NO_SALES, "days", inputs)
    return figure(Fraction(receivables) / Fraction(sales) * days, "days", inputs)


def average_days_delinquent(actual: Figure, best_possible: Figure) -> Figure:
    """DSO less best possible DSO of the same company and period: the days that late payment costs (G2, G3)."""
    missing = actual if actual.value is None else best_possible
    if actual.value is None or best_possible.value is None:
        return undefined(missing.reason or Undefined.NO_SALES, "days", {})
    inputs = {"dso": actual.value, "best_possible_dso": best_possible.value}
    return figure(Fraction(actual.value) - Fraction(best_possible.value), "days", inputs)


class MonthOfSales(NamedTuple):
    """The credit sales of one month, and how many days it counts."""

    sales: Decimal
    days: int


def countback_dso(
    receivables: Decimal,
    months: Sequence[MonthOfSales],
    *,
    empty_months: Literal["count", "skip"] = "count",
) -> Figure:
    """Days sales outstanding by exhaustion: month after month, newest first, is taken off the receivables (G4).

    A month that is used up counts all its days, the last one its share. `months`: newest first; 30 days each, or by calendar.
    `empty_months`: do months without sales count their days? When the sales do not reach, there is no value.
    """
    left, days = Fraction(receivables), Fraction(0)
    inputs = {"receivables": receivables, "sales": total(m.sales for m in months)}
    if left <= 0:
        return figure(days, "days", inputs)
    for month in months:
        if month.sales <= ZERO:
            days += month.days if empty_months == "count" else 0
        elif left > month.sales:
            left -= Fraction(month.sales)
            days += month.days
        else:
            return figure(days + left / Fraction(month.sales) * month.days, "days", inputs)
    return undefined(Undefined.SHORT_HISTORY, "days", inputs)


def cei(begin: Decimal, sales: Decimal, end_total: Decimal, end_current: Decimal) -> Figure:
    """Collection effectiveness index, in percent: collected over collectible (G5).

    (begin + sales - end total) / (begin + sales - end current); what is past due is never subtracted instead. `sales`: of the
    period; some divide it by the months of the period first: say which, and never mix.
    """
    inputs = {"begin": begin, "sales": sales, "end_total": end_total, "end_current": end_current}
    with exact():
        collected, collectible = begin + sales - end_total, begin + sales - end_current
    if collectible <= ZERO:
        return undefined(Undefined.NO_RECEIVABLES, "percent", inputs)
    return figure(Fraction(collected) / Fraction(collectible), "percent", inputs)


def weighted_days(rows: Iterable[tuple[int, Decimal]]) -> Figure:
    """Mean of days weighted by amount: days to pay from the issue date, or days late from the due date, early negative (G6)."""
    held = list(rows)
    weight = total(amount for _, amount in held)
    with exact():
        product = total(days * amount for days, amount in held)
    inputs = {"weight": weight, "days_x_amount": product}
    if not weight:
        return undefined(Undefined.NO_WEIGHT if held else Undefined.NOTHING_SETTLED, "days", inputs)
    return figure(Fraction(product) / Fraction(weight), "days", inputs)


def mean_days(days: Iterable[int]) -> Figure:
    """The simple mean, every invoice alike (G6)."""
    return weighted_days((one, Decimal(1)) for one in days)


def payer_grade(days_late: Decimal) -> Literal["A", "B", "C", "D"]:
    """A payer's grade by mean days late: A to 30, B to 60, C to 90, D beyond (G6, after Upflow)."""
    return "A" if days_late <= 30 else "B" if days_late <= 60 else "C" if days_late <= 90 else "D"


def share(part: Decimal, whole: Decimal, reason: Undefined, unit: Unit = "share") -> Figure:
    """One sum over another; undefined for `reason` when there is nothing to divide by."""
    inputs = {"part": part, "whole": whole}
    if whole <= ZERO:
        return undefined(reason, unit, inputs)
    return figure(Fraction(part) / Fraction(whole), unit, inputs)


def roll_rate(before: Decimal, after: Decimal) -> Figure:
    """What is in the next bucket now, over what was in this one a period ago (G7). An approximation: see cohort rates."""
    return share(after, before, Undefined.EMPTY_BUCKET)


def expected_loss(buckets: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Sum of balance x loss rate, over (balance, percent) of every bucket; exact (G7)."""
    with exact():
        return total(balance * percent / 100 for balance, percent in buckets)


def outstanding(due: Decimal, overdue: Decimal, unapplied: Decimal) -> Decimal:
    """What is really outstanding: not yet due plus overdue less what lies unapplied (G8)."""
    with exact():
        return due + overdue - unapplied


def altman_z_private(
    *,
    working_capital: Decimal,
    retained_earnings: Decimal,
    ebit: Decimal,
    book_equity: Decimal,
    sales: Decimal,
    total_assets: Decimal,
    total_liabilities: Decimal,
) -> Figure:
    """Altman's Z' for private firms, from a balance sheet: above 2.9 safe, below 1.23 distress (G10).

    Receivables say nothing of it: pass it to a policy as a fact of your own.
    """
    inputs = {"total_assets": total_assets, "total_liabilities": total_liabilities}
    if not total_assets or not total_liabilities:
        return undefined(Undefined.ZERO_DENOMINATOR, "score", inputs)
    assets, liabilities = Fraction(total_assets), Fraction(total_liabilities)
    score = (
        Fraction(717, 1000) * Fraction(working_capital) / assets
        + Fraction(847, 1000) * Fraction(retained_earnings) / assets
        + Fraction(3107, 1000) * Fraction(ebit) / assets
        + Fraction(420, 1000) * Fraction(book_equity) / liabilities
        + Fraction(998, 1000) * Fraction(sales) / assets
    )
    return figure(score, "score", inputs)
