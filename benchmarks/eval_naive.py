"""The loop that one writes first: dataclasses, Decimal, one ladder per segment, no trace. What the evaluator is measured against."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import ar_core as ar

__all__ = ["LADDERS", "MIN_GAP_DAYS", "Row", "naive", "rows_of", "segments_of", "with_engine"]

MIN_GAP_DAYS = 5
LADDERS = (
    (3, 10, 21, 45, 75),
    (1, 7, 15, 30, 60, 90),
    (1, 5, 10, 20, 30, 45, 60),
    (0, 3, 7, 14, 21, 30, 45, 60),
)
"""Days past due of the steps, by segment: small, mid, large, key."""
_SEGMENT_AT = (0.40, 0.80, 0.95)
_SEGMENT_WEIGHT = (1, 2, 3, 5)
_BUCKETS = (1, 31, 61, 91)
_BUCKET_WEIGHT = (0, 1, 2, 4, 7)


@dataclass(slots=True)
class Row:
    """One open invoice, as the naive loop wants it."""

    id: str
    customer: str
    due: date
    balance: Decimal
    stage: int
    """Steps already sent."""
    last: date
    """Last contact."""
    disputed: bool
    promised: bool


def rows_of(snapshot: ar.Snapshot, today: date) -> list[Row]:
    """The open invoices of a book, reduced to what the naive rule looks at. Not measured."""
    last: dict[str, date] = {}
    stage: dict[str, int] = {}
    for touch in snapshot.touches:
        if touch.direction is ar.Direction.OUTBOUND:
            last[touch.customer_id] = max(last.get(touch.customer_id, date.min), touch.at.date())
            for cover in touch.covers:
                if cover.step is not None:
                    stage[cover.invoice_id] = stage.get(cover.invoice_id, 0) + 1
    disputed = {d.invoice_id for d in snapshot.disputes if d.resolved_on is None or d.resolved_on > today}
    promised = {i for p in snapshot.promises if p.promised_date >= today for i in p.invoice_ids}
    return [
        Row(
            i.id,
            i.customer_id or "",
            i.due_date or today,
            i.balance_due,
            stage.get(i.id, 0),
            last.get(i.customer_id or "", date(2000, 1, 1)),
            i.id in disputed,
            i.id in promised,
        )
        for i in snapshot.invoices
        if i.balance_due
    ]


def segments_of(rows: Sequence[Row]) -> dict[str, int]:
    """Segment of each customer by the share of customers whose balance is smaller."""
    balances: dict[str, Decimal] = {}
    for row in rows:
        balances[row.customer] = balances.get(row.customer, Decimal(0)) + row.balance
    order = sorted(balances.values())
    last = max(1, len(order) - 1)
    return {
        customer: bisect.bisect_right(_SEGMENT_AT, bisect.bisect_left(order, balance) / last)
        for customer, balance in balances.items()
    }


def naive(rows: Sequence[Row], today: date) -> list[tuple[str, int, Decimal]]:
    """(invoice, step, score) of the actions due, best first: attribute access, date arithmetic, if-chains."""
    segments = segments_of(rows)
    found = []
    for row in rows:
        if row.disputed or row.promised:
            continue
        dpd = (today - row.due).days
        if (today - row.last).days < MIN_GAP_DAYS:
            continue
        bucket = 0 if dpd < 1 else 1 if dpd < 31 else 2 if dpd < 61 else 3 if dpd < 91 else 4
        segment = segments[row.customer]
        step = 0
        for number, at in enumerate(LADDERS[segment], 1):
            if dpd >= at:
                step = number
        if step > row.stage:
            found.append((row.id, step, row.balance * _BUCKET_WEIGHT[bucket] * _SEGMENT_WEIGHT[segment]))
    found.sort(key=lambda row: (-row[2], row[0]))
    return found


def with_engine(
    rows: Sequence[Row], today: date, pick: Callable[[dict[str, Any]], int]
) -> list[tuple[str, int, Decimal]]:
    """The same with a rule engine that picks the highest step reached; the rest stays Python."""
    segments = segments_of(rows)
    found = []
    for row in rows:
        dpd, segment = (today - row.due).days, segments[row.customer]
        facts = {
            "seg": segment,
            "dpd": dpd,
            "gap": (today - row.last).days,
            "disputed": row.disputed,
            "promised": row.promised,
        }
        step = pick(facts)
        if step > row.stage:
            bucket = bisect.bisect_right(_BUCKETS, dpd)
            found.append((row.id, step, row.balance * _BUCKET_WEIGHT[bucket] * _SEGMENT_WEIGHT[segment]))
    found.sort(key=lambda row: (-row[2], row[0]))
    return found
