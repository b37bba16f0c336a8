"""The aging report in columns: every convention of `ar_core.aging`, over millions of items."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from ar_core.aging import QUICKBOOKS_REPORT_DATE, AgingReport, AgingRow, AgingSpec
from ar_core.columns.tables import Tables

__all__ = ["age", "bucket", "report_of"]


def age(tables: Tables, today: date, spec: AgingSpec = QUICKBOOKS_REPORT_DATE) -> pl.DataFrame:
    """Open balances by customer, currency and bucket, in units.

    Columns: customer_id, currency, one per `spec.labels`, credits (kept apart, or zero), total; sorted. Amounts are units of
    `10**-tables.scale`; `report_of` makes the report of `ar_core.aging` out of it.
    """
    credit_place = len(spec.labels)
    place = bucket(pl.col("on"), today, spec)
    if spec.credits != "bucketed":
        place = pl.when(pl.col("is_credit")).then(pl.lit(credit_place)).otherwise(place)
    # First the sums by place, then the places side by side: the second step sees few rows.
    sums = (
        _items(tables, today, spec)
        .group_by("customer_id", "currency", place.cast(pl.Int8).alias("place"))
        .agg(pl.col("amount").sum())
    )
    names = [*spec.labels, "credits"]
    wide = sums.group_by("customer_id", "currency").agg(
        pl.col("amount").filter(pl.col("place") == position).sum().alias(name)
        for position, name in enumerate(names)
    )
    if spec.credits == "oldest_first":
        wide = _net_oldest_first(wide, spec)
    return (
        wide.with_columns(total=pl.sum_horizontal(names))
        .sort(pl.col("customer_id").fill_null(""), pl.col("currency").fill_null(""))
        .collect()
    )


def bucket(on: pl.Expr, today: date, spec: AgingSpec) -> pl.Expr:
    """Place of an item's bucket in `spec.labels`, by the date its age is counted from; unknown dates are current."""
    day = pl.lit(today)
    if spec.unit == "days":
        days = (day - on).dt.total_days().cast(pl.Int32)
        place = pl.sum_horizontal((days > edge).cast(pl.Int8) for edge in spec.edges)
        if spec.day0 == "first_bucket":
            place = pl.when(days == spec.edges[0]).then(pl.lit(1)).otherwise(place)
    else:
        older = (day > on.dt.offset_by(f"{edge}mo") for edge in spec.edges[1:])
        not_late = on > day if spec.day0 == "first_bucket" else on >= day
        place = 1 + pl.sum_horizontal(pl.lit(0), *(late.cast(pl.Int8) for late in older))
        place = pl.when(not_late).then(pl.lit(0)).otherwise(place)
    return pl.when(on.is_null()).then(pl.lit(0)).otherwise(place)


def _items(tables: Tables, today: date, spec: AgingSpec) -> pl.LazyFrame:
    """Every open amount: customer_id, currency, on, amount, is_credit."""
    through = spec.payments_through
    cutoff = today if through == "report_date" else through if isinstance(through, date) else None
    issued = pl.col("issue_date").is_null() | (pl.col("issue_date") <= today)
    basis = (
        pl.coalesce("due_date", "issue_date") if spec.date == "due" else pl.coalesce("issue_date", "due_date")
    )
    invoices = tables.invoices.lazy().filter((pl.col("status") == "posted") & issued)
    on_account = tables.credits.lazy().filter(_credit_counts(today, cutoff, spec))
    amount, credit = pl.col("balance"), pl.col("amount")
    if cutoff is not None and tables.allocations.height:
        later = tables.allocations.lazy().filter(pl.col("effective_on") > cutoff)
        given_back = later.group_by(id=pl.col("target_id")).agg(
            back=pl.col("target_amount").sum() + pl.col("discount").fill_null(0).sum()
        )
        taken_back = later.group_by(id=pl.col("source_id")).agg(unused=pl.col("amount").sum())
        invoices = invoices.join(given_back, on="id", how="left")
        on_account = on_account.join(given_back, on="id", how="left").join(taken_back, on="id", how="left")
        amount = amount + pl.col("back").fill_null(0)
        unused = pl.col("unused").fill_null(0)
        credit = (
            pl.when(pl.col("kind") == "adjustment")
            .then(credit + unused - pl.col("back").fill_null(0))
            .when(pl.col("kind") == "refund")
            .then(credit - unused)
            .otherwise(credit + unused)
        )
    owed = invoices.select("customer_id", "currency", on=basis, amount=amount, is_credit=amount < 0)
    is_credit = (pl.col("kind") == "credit_note") | (credit > 0)
    held = on_account.select("customer_id", "currency", "on", amount=-credit, is_credit=is_credit)
    return pl.concat([owed, held]).filter(pl.col("amount") != 0)


def _credit_counts(today: date, cutoff: date | None, spec: AgingSpec) -> pl.Expr:
    """A payment counts up to the cut-off, every other credit up to the report date."""
    on, kind = pl.col("on"), pl.col("kind")
    is_payment = kind.is_in(["payment", "prepayment", "refund"])
    by_cutoff = pl.lit(True) if cutoff is None else on.is_null() | (on <= cutoff)
    counts = pl.when(is_payment).then(by_cutoff).otherwise(on.is_null() | (on <= today))
    return counts if spec.prepayments else counts & (kind != "prepayment")


def _net_oldest_first(wide: pl.LazyFrame, spec: AgingSpec) -> pl.LazyFrame:
    wide = wide.with_columns(left=-pl.col("credits"))
    for label in reversed(spec.labels):
        used = pl.min_horizontal("left", pl.max_horizontal(pl.col(label), 0))
        wide = wide.with_columns(used=used).with_columns(
            pl.col(label) - pl.col("used"), left=pl.col("left") - pl.col("used")
        )
    first = spec.labels[0]
    return wide.with_columns(pl.col(first) - pl.col("left"), credits=pl.lit(0, dtype=pl.Int64)).drop(
        "left", "used"
    )


def report_of(frame: pl.DataFrame, tables: Tables, today: date, spec: AgingSpec) -> AgingReport:
    """The rows of `age` as the report of `ar_core.aging`; what is undated or uncounted is not listed."""
    totals = frame.group_by("currency").agg(pl.col(*spec.labels, "credits", "total").sum())
    totals = totals.with_columns(customer_id=pl.lit(None, dtype=pl.String))
    totals = totals.sort(pl.col("currency").fill_null(""))
    return AgingReport(
        as_of=today,
        spec=spec,
        labels=spec.labels,
        rows=_rows(frame, tables.scale, spec),
        totals=_rows(totals, tables.scale, spec),
    )


def _rows(frame: pl.DataFrame, scale: int, spec: AgingSpec) -> tuple[AgingRow, ...]:
    def amount(value: int) -> Decimal:
        return Decimal(value).scaleb(-scale)

    return tuple(
        AgingRow(
            customer_id=row["customer_id"],
            currency=row["currency"],
            buckets=tuple(amount(row[label]) for label in spec.labels),
            credits=amount(row["credits"]),
            total=amount(row["total"]),
        )
        for row in frame.iter_rows(named=True)
    )
