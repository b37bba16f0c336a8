"""Stage, segment and pre-selection in columns, by the policy that the evaluator reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from ar_core.asof import AsOf
from ar_core.cadence.plan import scaled_day
from ar_core.cadence.policy import Override, Policy
from ar_core.cadence.predicates import Predicate
from ar_core.columns.features import account_features, chased
from ar_core.columns.predicates import Column, expression
from ar_core.columns.tables import Tables

__all__ = ["place", "segment", "select"]

_KEY = "account_id"


def segment(tables: Tables, policy: Policy, as_of: AsOf) -> pl.DataFrame:
    """The tiers of every account (C10): account_id, value ("none" where the policy has no value tiers), risk, seed_gap.

    Raises `UnsupportedPolicy` for a rule over a feature that is not computed in columns.
    """
    live = chased(tables, as_of.today)
    frame, _ = _segmented(tables, policy, as_of, live, set())
    value = pl.col("value").fill_null("none")
    return frame.select(_KEY, value, "risk", "seed_gap").sort(_KEY).collect()


def place(tables: Tables, policy: Policy, as_of: AsOf) -> pl.DataFrame:
    """The stage of every invoice that is chased (R4-R8): id, account_id, dpd, stage."""
    invoices, _ = _placed(tables, policy, as_of, set())
    return invoices.select("id", _KEY, "dpd", "stage").collect()


def select(tables: Tables, policy: Policy, as_of: AsOf) -> pl.Series:
    """The accounts that can have an action today, sorted; every other account has none, whatever it is evaluated for.

    An account is selected when an invoice of its is old enough for the policy's first step or meets a notice, or when there is
    something only the evaluator can judge: a flag, touch, promise, dispute, pause or dead address.
    """
    notices = [notice.when for notice in policy.notices]
    wanted = {name for predicate in notices for name in predicate.features}
    invoices, columns = _placed(tables, policy, as_of, wanted)
    in_play = pl.col("dpd") >= _first_day(policy)
    for predicate in notices:
        in_play = in_play | expression(predicate, columns).fill_null(False)
    ids = [
        invoices.filter(in_play).select(_KEY),
        tables.accounts.lazy().filter(pl.col("watched")).select(_KEY),
    ]
    return pl.concat(ids).unique().sort(_KEY).collect().to_series()


def _first_day(policy: Policy) -> int:
    """The first day past due on which anything can be due, under any override; the first overdue day at the latest."""
    days = [1, *(step.at for step in policy.steps)]
    for override in policy.overrides:
        days += [patch.at for patch in override.steps.values() if patch.at is not None]
        if override.scale is not None:
            days.append(0)
    return min(days)


def _segmented(
    tables: Tables, policy: Policy, as_of: AsOf, live: pl.LazyFrame, wanted: set[str]
) -> tuple[pl.LazyFrame, Mapping[str, Column]]:
    """Accounts with their features, risk tier and seed gap."""
    rules = [(rule, rule.predicate()) for rule in policy.tiers.risk]
    predicates = [p for rule, p in rules if p is not None] + [r.gap for r, _ in rules if r.gap is not None]
    names = {name for predicate in predicates for name in predicate.features} | wanted
    # risk is decided here; what belongs to one invoice is told per invoice
    frame, columns = account_features(tables, as_of.today, live, names - {"risk"} - _INVOICE)
    risk: pl.Expr = pl.lit(None, dtype=pl.String)
    gap: pl.Expr = pl.lit(False)
    for rule, predicate in reversed(rules):
        holds = pl.lit(True) if predicate is None else expression(predicate, columns).fill_null(False)
        risk = pl.when(holds).then(pl.lit(rule.id)).otherwise(risk)
        in_gap = pl.lit(False) if rule.gap is None else expression(rule.gap, columns).fill_null(False)
        gap = pl.when(holds).then(in_gap).otherwise(gap)
    frame = frame.with_columns(risk=risk, seed_gap=gap)
    return frame, {**columns, "risk": Column(pl.col("risk"))}


_INVOICE = {
    "dpd",
    "stage",
    "balance",
    "total",
    "invoice_currency",
    "part_paid",
    "has_pdf",
    "has_payment_link",
}


def _placed(
    tables: Tables, policy: Policy, as_of: AsOf, wanted: set[str]
) -> tuple[pl.LazyFrame, Mapping[str, Column]]:
    """Chased invoices with their stage and the account features that are wanted."""
    scaled = [o for o in policy.overrides if o.scale is not None]
    needs = wanted | {name for override in scaled for name in override.when.features}
    order = [stage.id for stage in policy.stages]
    own = {
        "dpd": Column(pl.col("dpd")),
        "stage": Column(pl.col("stage_place"), order=order),
        "balance": Column(pl.col("balance"), tables.scale),
        "total": Column(pl.col("total"), tables.scale),
        "invoice_currency": Column(pl.col("currency")),
        "part_paid": Column(pl.col("balance") < pl.col("total")),
        "has_pdf": Column(pl.col("has_pdf")),
        "has_payment_link": Column(pl.col("has_payment_link")),
    }
    invoices = chased(tables, as_of.today)
    columns: Mapping[str, Column] = own
    if needs - own.keys():
        accounts, found = _segmented(tables, policy, as_of, invoices, needs)
        taken = {name: f"account_{name}" for name in ("currency",)}
        invoices = invoices.join(accounts.rename(taken), on=_KEY, how="left")
        renamed = {**found, "currency": Column(pl.col("account_currency"))}
        columns = {**renamed, **own}
    starts = [stage.from_day for stage in policy.stages]
    where = _stage_place(starts)
    for combination in _combinations(scaled):
        chosen = [o.scale for o in combination if o.scale is not None]
        holds = [_holds(o.when, columns) if o in combination else ~_holds(o.when, columns) for o in scaled]
        where = pl.when(pl.all_horizontal(holds)).then(_stage_place(_scaled(starts, chosen))).otherwise(where)
    names = pl.lit(pl.Series([*order], dtype=pl.String))
    invoices = invoices.with_columns(stage_place=where)
    return invoices.with_columns(stage=names.gather(pl.col("stage_place"), null_on_oob=True)), columns


def _holds(predicate: Predicate, columns: Mapping[str, Column]) -> pl.Expr:
    return expression(predicate, columns).fill_null(False)


def _combinations(scaled: Sequence[Override]) -> list[list[Override]]:
    """Every non-empty choice of the overrides that scale stages, in the policy's order."""
    found: list[list[Override]] = [[]]
    for override in scaled:
        found += [[*chosen, override] for chosen in found]
    return found[1:]


def _scaled(starts: Sequence[int | None], scales: Sequence[tuple[int, int]]) -> list[int | None]:
    """First days of the stages, scaled and rounded down; days before the due date stay (C13)."""
    days = list(starts)
    for numerator, denominator in scales:
        days = [d if d is None else scaled_day(d, numerator, denominator) for d in days]
    return days


def _stage_place(starts: Sequence[int | None]) -> pl.Expr:
    """The place of the stage of an invoice by its days past due; null before the first stage."""
    begun = pl.sum_horizontal((pl.col("dpd") >= day).cast(pl.Int32) for day in starts if day is not None)
    if starts[0] is None:
        return begun
    return pl.when(begun > 0).then(begun - 1)
