"""The key figures of a book: the formulas, fed from a snapshot with an as-of day (section 4.1 of docs/rules.md).

Each figure is of one currency: currencies are never added up. A past day is told again from the allocations, so a figure of
last month needs no snapshot of last month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from ar_core.aging import QUICKBOOKS_REPORT_DATE, AgingSpec, bucket_of, open_items, settled_on
from ar_core.metrics import formulas
from ar_core.metrics.figure import Figure, Undefined, undefined
from ar_core.metrics.period import Period
from ar_core.model.documents import DocumentStatus, Invoice
from ar_core.model.money import ZERO, exact, total
from ar_core.model.settlements import Allocation
from ar_core.model.snapshot import Snapshot
from ar_core.promises import PromiseState, PromiseVerdict

__all__ = [
    "Receivables",
    "at_risk_rate",
    "average_days_delinquent",
    "best_possible_dso",
    "cei",
    "countback_dso",
    "days_late",
    "days_to_pay",
    "dso",
    "promise_kept_ratio",
    "receivables",
    "roll_rates",
    "sales",
]

_POSTED = DocumentStatus.POSTED
_JUDGED = {
    PromiseState.KEPT,
    PromiseState.KEPT_LATE,
    PromiseState.PARTIALLY_KEPT,
    PromiseState.BROKEN,
}


class Receivables(NamedTuple):
    """What was owed in one currency at the end of a day."""

    current: Decimal
    """Not due yet; the day it is due included."""
    overdue: Decimal
    unapplied: Decimal
    """Money and credit on account, zero or positive."""

    @property
    def gross(self) -> Decimal:
        """Invoices and debits, credits not taken off: the receivables of DSO and CEI."""
        return total((self.current, self.overdue))

    @property
    def outstanding(self) -> Decimal:
        """Due plus overdue less what lies unapplied (G8)."""
        return formulas.outstanding(self.current, self.overdue, self.unapplied)


def receivables(snapshot: Snapshot, day: date, currency: str | None) -> Receivables:
    """What was owed at the end of a day, payments received later taken back."""
    current, overdue, unapplied = [], [], []
    for item in open_items(snapshot, day, QUICKBOOKS_REPORT_DATE):
        if item.currency != currency:
            continue
        if item.is_credit:
            unapplied.append(-item.amount)
        elif item.on is None or item.on >= day:
            current.append(item.amount)
        else:
            overdue.append(item.amount)
    return Receivables(total(current), total(overdue), total(unapplied))


def sales(snapshot: Snapshot, period: Period, currency: str | None) -> Decimal:
    """Credit sales: posted invoices issued in a period, in full. Credit notes are settlement here and lower nothing."""
    return total(i.total for i in _issued(snapshot, period, currency))


def _issued(snapshot: Snapshot, period: Period, currency: str | None) -> Iterator[Invoice]:
    for invoice in snapshot.invoices:
        if (
            invoice.document_status is _POSTED
            and invoice.currency == currency
            and invoice.issue_date in period
        ):
            yield invoice


def dso(
    snapshot: Snapshot,
    period: Period,
    currency: str | None,
    variant: Literal["ending", "average"] = "ending",
) -> Figure:
    """Days sales outstanding at the end of a period, or with the mean of its opening and closing receivables (G1)."""
    held = receivables(snapshot, period.last, currency).gross
    if variant == "average":
        with exact():
            held = (held + receivables(snapshot, period.opening, currency).gross) / 2
    return formulas.dso(held, sales(snapshot, period, currency), period.days)


def best_possible_dso(snapshot: Snapshot, period: Period, currency: str | None) -> Figure:
    """DSO if everybody paid when it was due: only what is not due yet counts (G3)."""
    held = receivables(snapshot, period.last, currency).current
    return formulas.dso(held, sales(snapshot, period, currency), period.days)


def average_days_delinquent(snapshot: Snapshot, period: Period, currency: str | None) -> Figure:
    """DSO less best possible DSO (G2, G3)."""
    return formulas.average_days_delinquent(
        dso(snapshot, period, currency), best_possible_dso(snapshot, period, currency)
    )


def countback_dso(
    snapshot: Snapshot,
    months: Iterable[Period],
    currency: str | None,
    *,
    month_days: int | None = None,
    empty_months: Literal["count", "skip"] = "count",
) -> Figure:
    """DSO by exhaustion at the end of the newest month (G4).

    `months`: newest first, see `last_months`; give as many as there is history. `month_days`: count every month so long (30),
    else by calendar. Raises ValueError without any month.
    """
    periods = list(months)
    if not periods:
        raise ValueError("count-back DSO needs at least one month of sales")
    held = receivables(snapshot, periods[0].last, currency).gross
    rows = [
        formulas.MonthOfSales(sales(snapshot, period, currency), month_days or period.days)
        for period in periods
    ]
    return formulas.countback_dso(held, rows, empty_months=empty_months)


def cei(
    snapshot: Snapshot,
    period: Period,
    currency: str | None,
    *,
    sales_divided_by: int = 1,
) -> Figure:
    """Collection effectiveness of a period, in percent (G5). `sales_divided_by`: months, where the convention divides."""
    begin = receivables(snapshot, period.opening, currency).gross
    end = receivables(snapshot, period.last, currency)
    billed = sales(snapshot, period, currency)
    if sales_divided_by == 1:
        return formulas.cei(begin, billed, end.gross, end.current)
    # A month's mean need not be a finite decimal: the index is taken of everything times the divisor, which is the same.
    with exact():
        return formulas.cei(
            begin * sales_divided_by, billed, end.gross * sales_divided_by, end.current * sales_divided_by
        )


def roll_rates(
    snapshot: Snapshot,
    before: date,
    after: date,
    currency: str | None,
    *,
    spec: AgingSpec = QUICKBOOKS_REPORT_DATE,
    method: Literal["cohort", "ratio"] = "cohort",
) -> tuple[tuple[str, Figure], ...]:
    """How much of each bucket rolled on, by the bucket's label; the last bucket has nowhere to roll to (G7).

    `cohort` follows each item: of what was in the bucket, the part that is still open and older now. `ratio` is the usual
    approximation: next bucket now over this bucket then; it needs two days that are one bucket apart.
    """
    held: dict[str, tuple[int, Decimal]] = {}
    then, now = [ZERO] * len(spec.labels), [ZERO] * len(spec.labels)
    rolled = [ZERO] * len(spec.labels)
    with exact():
        for item in open_items(snapshot, before, spec):
            if item.currency == currency and not item.is_credit:
                place = bucket_of(item.on, before, spec)
                then[place] += item.amount
                held[item.id] = (place, item.amount)
        for item in open_items(snapshot, after, spec):
            if item.currency == currency and not item.is_credit:
                place = bucket_of(item.on, after, spec)
                now[place] += item.amount
                start = held.get(item.id)
                if start is not None and place > start[0]:
                    rolled[start[0]] += min(item.amount, start[1])
    if method == "ratio":
        rows = [formulas.roll_rate(then[k], now[k + 1]) for k in range(len(then) - 1)]
    else:
        rows = [formulas.roll_rate(then[k], rolled[k]) for k in range(len(then) - 1)]
    return tuple(zip(spec.labels, rows, strict=False))


class _Payments:
    """The dated payments of each invoice: by money, credit notes left out."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._received = {p.id: p.payment_date for p in snapshot.payments if p.document_status is _POSTED}
        self._by_invoice: dict[str, list[Allocation]] = {}
        for allocation in snapshot.allocations:
            self._by_invoice.setdefault(allocation.target_id, []).append(allocation)

    def of(self, invoice: Invoice) -> Iterator[tuple[date | None, Allocation]]:
        """Each payment of an invoice with the day it took effect."""
        for allocation in self._by_invoice.get(invoice.id, ()):
            if allocation.source_id in self._received:
                yield settled_on(allocation, self._received), allocation

    def settled_after(self, invoice: Invoice, day: date) -> Decimal:
        """What was settled after a day, by money or credit."""
        days = ((settled_on(a, self._received), a) for a in self._by_invoice.get(invoice.id, ()))
        with exact():
            return total(
                a.target_amount + (a.discount_amount or ZERO) for on, a in days if on is not None and on > day
            )


def days_to_pay(
    snapshot: Snapshot, period: Period, currency: str | None, customer_id: str | None = None
) -> Figure:
    """Mean days from issue to payment, weighted by the amount paid, of what was paid in a period (G6)."""
    return _days_from(snapshot, period, currency, customer_id, "issue_date", None)


def days_late(
    snapshot: Snapshot,
    period: Period,
    currency: str | None,
    customer_id: str | None = None,
    *,
    with_open: bool = False,
) -> Figure:
    """Mean days from due date to payment, weighted by the amount paid; early is negative (G6).

    `with_open`: what is overdue at the end of the period counts with its days so far, as Upflow does.
    """
    return _days_from(snapshot, period, currency, customer_id, "due_date", period.last if with_open else None)


def _days_from(
    snapshot: Snapshot,
    period: Period,
    currency: str | None,
    customer_id: str | None,
    start: Literal["issue_date", "due_date"],
    open_on: date | None,
) -> Figure:
    payments = _Payments(snapshot)
    rows: list[tuple[int, Decimal]] = []
    left_out: set[str] = set()
    for invoice in snapshot.invoices:
        wanted = customer_id is None or invoice.customer_id == customer_id
        if not wanted or invoice.currency != currency or invoice.document_status is not _POSTED:
            continue
        since: date | None = getattr(invoice, start)
        for day, allocation in payments.of(invoice):
            if day is None or (since is None and day in period):
                left_out.add(invoice.id)
            elif since is not None and day in period:
                rows.append(((day - since).days, allocation.target_amount))
        if open_on is not None and since is not None and since < open_on:
            with exact():
                still = invoice.balance_due + payments.settled_after(invoice, open_on)
            if still > ZERO:
                rows.append(((open_on - since).days, still))
    found = formulas.weighted_days(rows)
    return found.model_copy(update={"left_out": tuple(sorted(left_out))}) if left_out else found


def promise_kept_ratio(
    verdicts: Iterable[PromiseVerdict],
    period: Period,
    *,
    by: Literal["count", "amount"] = "count",
    currency: str | None = None,
) -> Figure:
    """Promises kept in time over all that were decided in a period: kept, kept late, kept in part, broken (G9).

    Open, withdrawn and superseded promises are not judged. `by="amount"`: weighted by what was required, in one currency.
    """
    kept, judged = ZERO, ZERO
    with exact():
        for verdict in verdicts:
            if verdict.state not in _JUDGED or verdict.decided_on not in period:
                continue
            if by == "amount" and verdict.currency != currency:
                continue
            weight = verdict.required if by == "amount" else Decimal(1)
            judged += weight
            kept += weight if verdict.state is PromiseState.KEPT else ZERO
    return formulas.share(kept, judged, Undefined.NO_VERDICT)


def at_risk_rate(
    snapshot: Snapshot, month: Period, today: date, currency: str | None, *, dpd: int = 90
) -> Figure:
    """The share of a month's billing that was still unpaid so many days after its due date (G8).

    Undefined until every invoice of the month is that old on `today`. Invoices without a due date are left out and named.
    """
    payments = _Payments(snapshot)
    billed, unpaid = ZERO, ZERO
    left_out: list[str] = []
    too_early = False
    with exact():
        for invoice in _issued(snapshot, month, currency):
            if invoice.due_date is None:
                left_out.append(invoice.id)
                continue
            day = invoice.due_date + timedelta(days=dpd)
            too_early = too_early or day > today
            billed += invoice.total
            unpaid += max(invoice.balance_due + payments.settled_after(invoice, day), ZERO)
    if too_early:
        return undefined(Undefined.TOO_EARLY, "share", {"billed": billed}, tuple(left_out))
    found = formulas.share(unpaid, billed, Undefined.NOTHING_BILLED)
    return found.model_copy(update={"left_out": tuple(left_out)}) if left_out else found
