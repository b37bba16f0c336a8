"""How old is what is owed? Aging by due or invoice date, in days or months, as QuickBooks, Xero or NetSuite count it.

(section 4.2 of docs/rules.md). The invariant: per currency, the buckets plus the separate credits are the open balance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain, pairwise
from typing import Literal, NamedTuple

from pydantic import field_validator

from ar_core.asof import AsOf
from ar_core.calendar import add_months
from ar_core.model.base import Amount, Currency, Frozen
from ar_core.model.documents import DocumentStatus, Invoice
from ar_core.model.money import ZERO, exact
from ar_core.model.settlements import Allocation, PaymentKind
from ar_core.model.snapshot import Snapshot

__all__ = [
    "NETSUITE",
    "QUICKBOOKS",
    "QUICKBOOKS_REPORT_DATE",
    "XERO",
    "XERO_BY_INVOICE_DATE",
    "AgingReport",
    "AgingRow",
    "AgingSpec",
    "OpenItem",
    "aging",
    "bucket_of",
    "open_items",
    "settled_on",
]


Day = date  # the field `date` of the spec hides the type of that name inside the class


class AgingSpec(Frozen):
    """One convention of aging."""

    date: Literal["due", "invoice", "gl"] = "due"
    """Which date age is counted from. The model holds no separate posting date: `gl` is the issue date."""
    edges: tuple[int, ...] = (0, 30, 60, 90)
    """Upper ends of the buckets, in days or months; the first bucket (current) ends at the first edge, the last is open."""
    day0: Literal["current", "first_bucket"] = "current"
    """Where an item belongs that is exactly at the first edge: not late yet, or in the first overdue bucket."""
    credits: Literal["bucketed", "separate", "oldest_first"] = "bucketed"
    """Unapplied credit: by its own date, in a column of its own, or taken off the oldest buckets first."""
    unit: Literal["days", "months"] = "days"
    """Months are calendar months from the item's date, not 30 days."""
    prepayments: bool = True
    """Do unapplied prepayments count as credit? (Xero leaves them out.)"""
    payments_through: Literal["report_date", "all"] | Day = "report_date"
    """Which settlements count: up to the report date, all that are known, or up to a day."""

    @field_validator("edges")
    @classmethod
    def _ascending(cls, edges: tuple[int, ...]) -> tuple[int, ...]:
        if not edges or list(edges) != sorted(set(edges)):
            raise ValueError(f"edges rise and there is at least one; got {list(edges)}")
        return edges

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the buckets: `current`, `1-30`, ..., `91+`."""
        names = ["current"]
        for low, high in pairwise(self.edges):
            names.append(f"{low + 1}-{high}" if high > low + 1 else str(high))
        return (*names, f"{self.edges[-1] + 1}+")


QUICKBOOKS = AgingSpec(payments_through="all")
"""QuickBooks, aging method "Current": by due date, all receipts to date."""
QUICKBOOKS_REPORT_DATE = AgingSpec()
"""QuickBooks, aging method "Report date": receipts up to the report date."""
XERO = AgingSpec(unit="months", edges=(0, 1, 2, 3), prepayments=False)
"""Xero's monthly periods by due date; overpayments and credit notes in, prepayments out."""
XERO_BY_INVOICE_DATE = AgingSpec(date="invoice", unit="months", edges=(0, 1, 2, 3), prepayments=False)
"""The same by invoice date."""
NETSUITE = AgingSpec()
"""By due date in days. NetSuite's age-from is a preference of the account: pass `date="invoice"` where it says so."""


class OpenItem(NamedTuple):
    """One open amount: an invoice, or a credit with a negative amount."""

    id: str
    customer_id: str | None
    currency: str | None
    on: date | None
    """The date its age is counted from."""
    amount: Decimal
    is_credit: bool


class AgingRow(Frozen):
    """One customer in one currency."""

    customer_id: str | None
    currency: Currency | None
    buckets: tuple[Amount, ...]
    """By `AgingSpec.labels`; credits are negative."""
    credits: Amount
    """Unapplied credit kept apart, zero or negative; zero unless the spec says `separate`."""
    total: Amount
    """Sum of buckets and credits: the open balance."""


class AgingReport(Frozen):
    """Open balances by age."""

    as_of: date
    spec: AgingSpec
    labels: tuple[str, ...]
    rows: tuple[AgingRow, ...]
    """By customer, then currency."""
    totals: tuple[AgingRow, ...]
    """By currency; customer_id is None."""
    undated: tuple[str, ...] = ()
    """Items without a usable date: counted as current."""
    uncounted: tuple[str, ...] = ()
    """Adjustments and payments whose open amount the ERP does not say: left out, and not taken for zero."""


def aging(snapshot: Snapshot, as_of: AsOf | date, spec: AgingSpec = QUICKBOOKS_REPORT_DATE) -> AgingReport:
    """Age what is open on a day, per customer and currency.

    `as_of`: the moment, or the organization's local date. The contractual due date counts, whatever the cadence does. Invoices
    issued later, drafts and voided documents are out; an invoice without a due date is aged from its issue date.
    """
    today = as_of.today if isinstance(as_of, AsOf) else as_of
    rows: dict[tuple[str | None, str | None], list[Decimal]] = {}
    width = len(spec.edges) + 1
    undated = []
    with exact():
        for item in open_items(snapshot, today, spec):
            row = rows.setdefault((item.customer_id, item.currency), [ZERO] * (width + 1))
            if item.on is None:
                undated.append(item.id)
            if item.is_credit and spec.credits != "bucketed":
                row[width] += item.amount
            else:
                row[bucket_of(item.on, today, spec)] += item.amount
        if spec.credits == "oldest_first":
            for row in rows.values():
                _net_oldest_first(row)
        ordered = sorted(rows.items(), key=lambda pair: (pair[0][0] or "", pair[0][1] or ""))
        totals: dict[str | None, list[Decimal]] = {}
        for (_, currency), row in ordered:
            held = totals.setdefault(currency, [ZERO] * (width + 1))
            totals[currency] = [left + right for left, right in zip(held, row, strict=True)]
        return AgingReport(
            as_of=today,
            spec=spec,
            labels=spec.labels,
            rows=tuple(_row(customer, currency, row) for (customer, currency), row in ordered),
            totals=tuple(_row(None, c, totals[c]) for c in sorted(totals, key=lambda c: c or "")),
            undated=tuple(sorted(undated)),
            uncounted=tuple(sorted(_uncounted(snapshot, today, spec))),
        )


def open_items(snapshot: Snapshot, today: date, spec: AgingSpec) -> Iterator[OpenItem]:
    """Every open amount on a day: invoices and debit adjustments positive, unapplied credit negative.

    Settlements after the spec's cut-off are taken back, so that a past report can be told again.
    """
    through = spec.payments_through
    cutoff = today if through == "report_date" else through if isinstance(through, date) else None
    later: _Later = _applied_after(snapshot, cutoff) if cutoff is not None else ({}, {})
    yield from chain(
        _invoices(snapshot, today, spec, later[0]),
        _credit_notes(snapshot, today, later[1]),
        _payments(snapshot, cutoff, spec, later[1]),
        _adjustments(snapshot, today, later),
    )


_Later = tuple[Mapping[str, Decimal], Mapping[str, Decimal]]
"""What was applied after the cut-off: by target, and by source."""
_POSTED = DocumentStatus.POSTED


def _invoices(
    snapshot: Snapshot, today: date, spec: AgingSpec, later: Mapping[str, Decimal]
) -> Iterator[OpenItem]:
    for invoice in snapshot.invoices:
        if invoice.document_status is not _POSTED or (invoice.issue_date or today) > today:
            continue
        amount = invoice.balance_due + later.get(invoice.id, ZERO)
        if amount:
            on = _basis(invoice, spec)
            yield OpenItem(invoice.id, invoice.customer_id, invoice.currency, on, amount, amount < ZERO)


def _credit_notes(snapshot: Snapshot, today: date, later: Mapping[str, Decimal]) -> Iterator[OpenItem]:
    for note in snapshot.credit_notes:
        if note.document_status is not _POSTED or (note.issue_date or today) > today:
            continue
        amount = note.unapplied_amount + later.get(note.id, ZERO)
        if amount:
            yield OpenItem(note.id, note.customer_id, note.currency, note.issue_date, -amount, True)


def _payments(
    snapshot: Snapshot, cutoff: date | None, spec: AgingSpec, later: Mapping[str, Decimal]
) -> Iterator[OpenItem]:
    for payment in snapshot.payments:
        on = payment.payment_date
        if payment.document_status is not _POSTED or (cutoff is not None and on is not None and on > cutoff):
            continue
        if payment.kind is PaymentKind.PREPAYMENT and not spec.prepayments:
            continue
        amount = (payment.unapplied_amount or ZERO) + later.get(payment.id, ZERO)
        if amount:
            signed = amount if payment.kind is PaymentKind.REFUND else -amount
            yield OpenItem(payment.id, payment.customer_id, payment.currency, on, signed, signed < ZERO)


def _adjustments(snapshot: Snapshot, today: date, later: _Later) -> Iterator[OpenItem]:
    for line in snapshot.adjustments:
        on = line.adjustment_date
        if line.document_status is not _POSTED or (on or today) > today:
            continue
        amount = (line.open_amount or ZERO) + later[0].get(line.id, ZERO) - later[1].get(line.id, ZERO)
        if amount:
            yield OpenItem(line.id, line.customer_id, line.currency, on, amount, amount < ZERO)


def _uncounted(snapshot: Snapshot, today: date, spec: AgingSpec) -> Iterator[str]:
    """What the ERP does not say how much is open of: it may be nothing, and is not taken for it."""
    for line in snapshot.adjustments:
        if (
            line.open_amount is None
            and line.document_status is _POSTED
            and (line.adjustment_date or today) <= today
        ):
            yield line.id
    for payment in snapshot.payments:
        wanted = spec.prepayments or payment.kind is not PaymentKind.PREPAYMENT
        if payment.unapplied_amount is None and payment.document_status is _POSTED and wanted:
            yield payment.id


def _applied_after(snapshot: Snapshot, cutoff: date) -> _Later:
    """What was applied after the cut-off: by invoice, and by the payment or credit it came from."""
    received = {p.id: p.payment_date for p in snapshot.payments}
    to_invoice: dict[str, Decimal] = {}
    from_source: dict[str, Decimal] = {}
    for allocation in snapshot.allocations:
        day = settled_on(allocation, received)
        if day is None or day <= cutoff:
            continue
        settled = allocation.target_amount + (allocation.discount_amount or ZERO)
        to_invoice[allocation.target_id] = to_invoice.get(allocation.target_id, ZERO) + settled
        from_source[allocation.source_id] = from_source.get(allocation.source_id, ZERO) + allocation.amount
    return to_invoice, from_source


def settled_on(allocation: Allocation, received: Mapping[str, date | None]) -> date | None:
    """The day an application took effect: applied, and the money there. None where neither day is known.

    `received`: the date of each payment by id.
    """
    days = [day for day in (allocation.applied_on, received.get(allocation.source_id)) if day is not None]
    return max(days, default=None)


def _basis(invoice: Invoice, spec: AgingSpec) -> date | None:
    if spec.date == "due":
        return invoice.due_date or invoice.issue_date
    return invoice.issue_date or invoice.due_date


def bucket_of(on: date | None, today: date, spec: AgingSpec) -> int:
    """The place of an item's bucket in `spec.labels`, by the date its age is counted from; an item without a date is current."""
    if on is None:
        return 0
    if spec.unit == "days":
        age = (today - on).days
        place = bisect_left(spec.edges, age)
        if spec.day0 == "first_bucket" and age == spec.edges[0]:
            return 1
        return place
    if today < on or (today == on and spec.day0 == "current"):
        return 0
    # Still within n calendar months of its date: the bucket that ends at n.
    for place, edge in enumerate(spec.edges[1:], 1):
        if today <= add_months(on, edge):
            return place
    return len(spec.edges)


def _net_oldest_first(row: list[Decimal]) -> None:
    """Take the credit off the oldest buckets; what is left of it stays in current."""
    credit = -row[-1]
    row[-1] = ZERO
    for place in range(len(row) - 2, -1, -1):
        used = min(credit, max(row[place], ZERO))
        row[place] -= used
        credit -= used
    row[0] -= credit


def _row(customer: str | None, currency: str | None, row: Iterable[Decimal]) -> AgingRow:
    *buckets, apart = row
    return AgingRow.trusted(
        customer_id=customer,
        currency=currency,
        buckets=tuple(buckets),
        credits=apart,
        total=sum(buckets, ZERO) + apart,
    )
