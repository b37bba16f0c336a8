"""What does reading a policy cost in columns? Aging, stage and segment of a million open invoices, beside the same in bare Polars.

`python -m benchmarks.columns [--invoices N]`. Both run in turn in one process, so that noise is shared; medians of wall and CPU
time are compared as ratios. The bare program knows the policy's numbers by heart and checks nothing. Goal: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl

from ar_core import AsOf, load_policy
from ar_core.aging import QUICKBOOKS
from ar_core.columns import Tables, age, place, segment

TODAY = date(2026, 11, 25)
AS_OF = AsOf(instant=datetime(2026, 11, 25, 17, tzinfo=UTC), zone="America/New_York")
POLICY = load_policy("balanced")
ROUNDS = 7


def book(count: int) -> Tables:
    """So many open invoices of a tenth as many customers, and as many settled ones as customers; no chance in it."""
    customers = count // 10
    number = pl.int_range(count, dtype=pl.Int64, eager=True)
    spread = (number * 2_654_435_761) % 1_000_003
    owner = "c" + (spread % customers).cast(pl.String)
    due = pl.Series([TODAY]).new_from_index(0, count) - pl.Series((spread % 150 - 30) * 86_400_000).cast(
        pl.Duration("ms")
    )
    closed = pl.int_range(customers, dtype=pl.Int64, eager=True)
    paid = pl.Series([TODAY]).new_from_index(0, customers) - pl.Series((closed % 400) * 86_400_000).cast(
        pl.Duration("ms")
    )
    opened = pl.DataFrame(
        {
            "id": "i" + number.cast(pl.String),
            "customer_id": owner,
            "currency": ["USD"] * count,
            "issue_date": due.cast(pl.Date) - timedelta(days=30),
            "due_date": due.cast(pl.Date),
            "total": spread % 900_000 + 1_000,
            "balance": spread % 900_000 + 1_000,
            "status": ["posted"] * count,
        }
    )
    settled = pl.DataFrame(
        {
            "id": "s" + closed.cast(pl.String),
            "customer_id": "c" + closed.cast(pl.String),
            "currency": ["USD"] * customers,
            "issue_date": paid.cast(pl.Date) - timedelta(days=35),
            "due_date": paid.cast(pl.Date) - timedelta(days=5),
            "total": closed % 900_000 + 1_000,
            "balance": closed * 0,
            "status": ["posted"] * customers,
        }
    )
    allocations = pl.DataFrame(
        {
            "source_id": "p" + closed.cast(pl.String),
            "target_id": settled["id"],
            "applied_on": paid.cast(pl.Date),
            "amount": settled["total"],
            "target_amount": settled["total"],
            "target_currency": settled["currency"],
        }
    )
    accounts = pl.DataFrame(
        {"account_id": settled["customer_id"], "known": [True] * customers, "value": ["core"] * customers}
    )
    return Tables.of(
        invoices=pl.concat([opened, settled]), allocations=allocations, accounts=accounts, base_currency="USD"
    )


def ours(tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """By the policy."""
    return age(tables, TODAY, QUICKBOOKS), place(tables, POLICY, AS_OF), segment(tables, POLICY, AS_OF)


def bare(tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The same three results by hand: QuickBooks' buckets, the stages and the risk rules of `balanced`."""
    invoices = tables.invoices.lazy()
    posted = invoices.filter((pl.col("status") == "posted") & (pl.col("balance") != 0))
    days = (pl.lit(TODAY) - pl.col("due_date")).dt.total_days().cast(pl.Int32)
    names = ["current", "1-30", "31-60", "61-90", "91+"]
    bucket = pl.sum_horizontal((days > edge).cast(pl.Int8) for edge in (0, 30, 60, 90))
    sums = posted.group_by("customer_id", "currency", bucket.alias("place")).agg(pl.col("balance").sum())
    aged = (
        sums.group_by("customer_id", "currency")
        .agg(pl.col("balance").filter(pl.col("place") == n).sum().alias(name) for n, name in enumerate(names))
        .with_columns(total=pl.sum_horizontal(names))
        .sort("customer_id", "currency")
        .collect()
    )
    live = posted.filter(pl.col("balance") > 0).with_columns(dpd=days)
    stage = pl.sum_horizontal((pl.col("dpd") >= day).cast(pl.Int32) for day in (0, 8, 22, 46, 76))
    order = pl.lit(pl.Series([s.id for s in POLICY.stages]))
    staged = live.select("id", "account_id", "dpd", stage=order.gather(stage)).collect()

    last = tables.allocations.lazy().group_by(id="target_id").agg(on=pl.col("applied_on").max())
    year, quarter = TODAY - timedelta(days=365), TODAY - timedelta(days=90)
    settled = (
        invoices.filter((pl.col("balance") == 0) & (pl.col("status") == "posted"))
        .join(last, on="id")
        .filter(pl.col("on") > year)
        .group_by("account_id")
        .agg(count=pl.len(), on_time=(pl.col("on") <= pl.col("due_date")).sum())
    )
    recent = (pl.col("issue_date") > quarter) & (pl.col("issue_date") <= TODAY)
    applied = (
        tables.allocations.lazy()
        .filter(pl.col("applied_on") > quarter)
        .join(invoices.select("account_id", target_id="id"), on="target_id")
        .group_by("account_id")
        .agg(applied=pl.col("target_amount").sum())
    )
    billed = invoices.filter(recent).group_by("account_id").agg(billed=pl.col("total").sum())
    owed = live.group_by("account_id").agg(max_dpd=pl.col("dpd").max(), balance=pl.col("balance").sum())
    accounts = tables.accounts.lazy().select("account_id", "value")
    for part in (owed, settled, applied, billed):
        accounts = accounts.join(part, on="account_id", how="left")
    trend = pl.col("billed").fill_null(0) - pl.col("applied").fill_null(0)
    disputes, broken = pl.lit(0), pl.lit(0)
    max_dpd, balance = pl.col("max_dpd"), pl.col("balance").fill_null(0)
    reliable = (max_dpd <= 0) & (pl.col("on_time") * 10 >= pl.col("count") * 9) & (balance <= 1_000_000)
    risk = (
        pl.when((max_dpd >= 60) | (broken >= 2))
        .then(pl.lit("high_risk"))
        .when((max_dpd >= 30) | (broken >= 1) | ((trend > 0) & (disputes >= 1)))
        .then(pl.lit("at_risk"))
        .when(reliable)
        .then(pl.lit("reliable"))
        .otherwise(pl.lit("occasional"))
    )
    return aged, staged, accounts.select("account_id", "value", risk=risk).sort("account_id").collect()


def agree(tables: Tables) -> None:
    """Both programs say the same, or the comparison means nothing."""
    mine, theirs = ours(tables), bare(tables)
    assert mine[0].drop("credits").equals(theirs[0])
    assert mine[1].sort("id").equals(theirs[1].sort("id"))
    assert mine[2].drop("seed_gap").equals(theirs[2])


def measured(run: Callable[[Tables], object], tables: Tables) -> tuple[float, float]:
    """Seconds of wall clock and of CPU for one run."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(tables)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print both medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=1_000_000)
    tables = book(parser.parse_args().invoices)
    agree(tables)
    rounds = [(measured(bare, tables), measured(ours, tables)) for _ in range(ROUNDS)]
    for kind, name in enumerate(("wall", "CPU")):
        theirs = statistics.median(row[0][kind] for row in rounds)
        mine = statistics.median(row[1][kind] for row in rounds)
        ratio = statistics.median(row[1][kind] / row[0][kind] for row in rounds)
        print(f"{name}: bare {theirs:.3f} s, by policy {mine:.3f} s, ratio {ratio:.2f} (goal: below 2)")


if __name__ == "__main__":
    main()
