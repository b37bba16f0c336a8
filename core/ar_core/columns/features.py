"""The published features of accounts in columns: only those a policy names are computed.

Each is the feature of that name in `ar_core.cadence.features`; money is in units, in base currency in units times rate units.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import polars as pl

from ar_core.columns.predicates import Column, UnsupportedPolicy
from ar_core.columns.tables import Tables

__all__ = ["account_features", "chased"]

_WIDE = pl.Int128
_YEAR, _QUARTER = timedelta(days=365), timedelta(days=90)
_NOT_KEPT = ["broken", "partially_kept"]
_KEPT = ["kept", "kept_late"]
_PENDING = ["open", "in_grace"]
_LARGEST_RATE = 10**18
_KEY = "account_id"


def chased(tables: Tables, today: date) -> pl.LazyFrame:
    """The open invoices that a cadence runs for, with `dpd`, days past due: posted, issued, due, of a known customer."""
    known = tables.accounts.lazy().filter(pl.col("known")).select(_KEY)
    issued = pl.col("issue_date").is_null() | (pl.col("issue_date") <= today)
    return (
        tables.invoices.lazy()
        .filter((pl.col("status") == "posted") & (pl.col("balance") > 0) & issued)
        .filter(pl.col("cadence_due").is_not_null())
        .join(known, on=_KEY, how="semi")
        .with_columns(dpd=(pl.lit(today) - pl.col("cadence_due")).dt.total_days().cast(pl.Int32))
    )


def account_features(
    tables: Tables, today: date, live: pl.LazyFrame, wanted: Collection[str]
) -> tuple[pl.LazyFrame, Mapping[str, Column]]:
    """A frame with a row per account and the wanted features, and how to read each.

    Raises `UnsupportedPolicy` for a feature that is not computed here.
    """
    maker = _Maker(tables, today, live, frozenset(wanted))
    return maker.frame(), maker.columns


class _Maker:
    def __init__(self, tables: Tables, today: date, live: pl.LazyFrame, wanted: frozenset[str]) -> None:
        self.tables, self.today, self.live, self.wanted = tables, today, live, wanted
        self.columns: dict[str, Column] = {}
        exponents = [rate.as_tuple().exponent for rate in tables.rates.values()]
        self._rate_scale = max((-e for e in exponents if isinstance(e, int)), default=0)
        self.base_scale = tables.scale + max(self._rate_scale, 0)

    def frame(self) -> pl.LazyFrame:
        own = self.tables.accounts.lazy()
        makers = (self._own, self._from_live, self._balance, self._settled, self._trend, self._promises)
        for add in (*makers, self._disputes, self._touches):
            own = add(own)
        missing = self.wanted - self.columns.keys()
        if missing:
            raise UnsupportedPolicy(f"not computed in columns: {', '.join(sorted(missing))}")
        return own

    def _has(self, *names: str) -> bool:
        return bool(self.wanted.intersection(names))

    def _joined(
        self,
        own: pl.LazyFrame,
        found: pl.LazyFrame,
        zeros: Mapping[str, Column],
        others: Mapping[str, Column],
    ) -> pl.LazyFrame:
        """Join figures to the accounts; `zeros` are 0 where an account has no row, `others` unknown."""
        self.columns.update(zeros)
        self.columns.update(others)
        return own.join(found, on=_KEY, how="left").with_columns(pl.col(n).fill_null(0) for n in zeros)

    def _own(self, own: pl.LazyFrame) -> pl.LazyFrame:
        plain = ("country", "currency", "language", "order_hold", "has_account_manager", "value")
        self.columns.update({name: Column(pl.col(name)) for name in (*plain, "promises_not_kept")})
        self.columns["lifetime_value"] = Column(pl.col("lifetime_value"), self.tables.scale)
        return own

    def _rates(self) -> pl.LazyFrame:
        """Rate units by currency; None for a currency without a rate."""
        rates = {c: int(r.scaleb(self._rate_scale)) for c, r in self.tables.rates.items()}
        if any(rate >= _LARGEST_RATE for rate in rates.values()):
            raise UnsupportedPolicy("an exchange rate has too many digits for columns")
        frame = pl.DataFrame(
            {"currency": list(rates), "rate": list(rates.values())},
            schema={"currency": pl.String, "rate": pl.Int64},
        )
        return frame.lazy()

    def _in_base(self, rows: pl.LazyFrame, *amounts: str) -> pl.LazyFrame:
        """Amounts by account and currency, added up in base currency; null where any has no rate."""
        rows = rows.group_by(_KEY, "currency").agg(*(pl.col(a).sum() for a in amounts), rows=pl.len())
        if self.tables.base_currency is None and not self.tables.rates:
            rows = rows.with_columns(rate=pl.lit(1, dtype=pl.Int64))
        else:
            one = pl.lit(10**self._rate_scale, dtype=pl.Int64)
            rate = pl.col("rate")
            if self.tables.base_currency is None:
                rate = pl.when(pl.col("currency").is_null()).then(one).otherwise(rate)
            rows = rows.join(self._rates(), on="currency", how="left").with_columns(rate=rate)
        known = pl.col("rate").is_not_null().all()
        return rows.group_by(_KEY).agg(
            pl.when(known).then((pl.col(a).cast(_WIDE) * pl.col("rate").cast(_WIDE)).sum()).alias(a)
            for a in amounts
        )

    def _from_live(self, own: pl.LazyFrame) -> pl.LazyFrame:
        live, dpd, balance = self.live, pl.col("dpd"), pl.col("balance")
        figures: dict[str, pl.Expr] = {
            "max_dpd": dpd.max(),
            "open_invoices": pl.len(),
            "overdue_invoices": (dpd >= 1).sum(),
            "episode_start": pl.col("due_date").filter(dpd >= 1).min(),
        }
        needed = {name: e for name, e in figures.items() if name in self.wanted}
        if "unanswered_all" in self.wanted:
            needed["episode_start"] = figures["episode_start"]
        if needed:
            found = live.group_by(_KEY).agg(**needed)
            counted = [n for n in needed if n in {"open_invoices", "overdue_invoices"}]
            counts = {n: Column(pl.col(n)) for n in counted}
            own = self._joined(own, found, counts, {"max_dpd": Column(pl.col("max_dpd"))})
        if "over_credit_limit" in self.wanted:
            limits = self.tables.accounts.lazy().select(_KEY, limit_currency=pl.col("currency"))
            same = live.join(limits, on=_KEY).filter(pl.col("currency").eq_missing(pl.col("limit_currency")))
            used = same.group_by(_KEY).agg(used=balance.sum())
            above = pl.col("used").fill_null(0) > pl.col("credit_limit")
            own = own.join(used, on=_KEY, how="left").with_columns(over_credit_limit=above)
            self.columns["over_credit_limit"] = Column(pl.col("over_credit_limit"))
        return own

    def _balance(self, own: pl.LazyFrame) -> pl.LazyFrame:
        base = {name: Column(pl.col(name), self.base_scale) for name in ("overdue_base", "balance_base")}
        if "overdue_base" in self.wanted:
            overdue = self.live.filter(pl.col("dpd") >= 1).select(
                _KEY, "currency", overdue_base=pl.col("balance")
            )
            own = self._sum(own, self._in_base(overdue, "overdue_base"), "overdue_base")
            self.columns["overdue_base"] = base["overdue_base"]
        if "balance_base" in self.wanted:
            rows = [
                self.live.select(_KEY, "currency", amount=pl.col("balance")),
                self.on_account().select(_KEY, "currency", amount=-pl.col("amount")),
            ]
            found = self._in_base(pl.concat(rows).rename({"amount": "balance_base"}), "balance_base")
            own = self._sum(own, found, "balance_base")
            self.columns["balance_base"] = base["balance_base"]
        return own

    def _sum(self, own: pl.LazyFrame, found: pl.LazyFrame, name: str) -> pl.LazyFrame:
        """A sum that is zero for an account without rows and unknown for one whose rows have no rate."""
        found = found.with_columns(present=pl.lit(True))
        absent = pl.col("present").is_null()
        return (
            own.join(found, on=_KEY, how="left")
            .with_columns(pl.when(absent).then(pl.lit(0, dtype=_WIDE)).otherwise(pl.col(name)).alias(name))
            .drop("present")
        )

    def on_account(self) -> pl.LazyFrame:
        """Money and credit on account that could be applied, with invoices of negative balance."""
        today = self.today
        credit = (
            self.tables.credits.lazy()
            .filter((pl.col("amount") != 0) & (pl.col("kind") != "refund"))
            .filter(pl.col("on").is_null() | (pl.col("on") <= today))
            .select(_KEY, "currency", "amount")
        )
        negative = (
            self.tables.invoices.lazy()
            .filter((pl.col("balance") < 0) & (pl.col("status") == "posted"))
            .select(_KEY, "currency", amount=-pl.col("balance"))
        )
        return pl.concat([credit, negative]).filter(pl.col(_KEY).is_not_null())

    def _settled(self, own: pl.LazyFrame) -> pl.LazyFrame:
        if not self._has("settled_12m", "on_time_rate_12m", "wavg_days_late_12m"):
            return own
        closed_on = (
            self.tables.allocations.lazy()
            .group_by(id=pl.col("target_id"))
            .agg(closed_on=pl.col("applied_on").max())
        )
        since = self.today - _YEAR
        settled = (
            self.tables.invoices.lazy()
            .filter((pl.col("balance") == 0) & (pl.col("status") == "posted") & (pl.col("total") != 0))
            .filter(pl.col("due_date").is_not_null())
            .join(closed_on, on="id")
            .filter((pl.col("closed_on") > since) & (pl.col("closed_on") <= self.today))
            .with_columns(late=(pl.col("closed_on") - pl.col("due_date")).dt.total_days())
        )
        weight, late = pl.col("total").cast(_WIDE), pl.col("late")
        found = settled.group_by(_KEY).agg(
            settled_12m=pl.len(),
            on_time=(late <= 0).sum(),
            weighted=(late.cast(_WIDE) * weight).sum(),
            weight=weight.sum(),
        )
        rate = Column(pl.col("on_time"), over=pl.col("settled_12m"))
        own = self._joined(
            own, found, {"settled_12m": Column(pl.col("settled_12m"))}, {"on_time_rate_12m": rate}
        )
        if "wavg_days_late_12m" in self.wanted:
            own = own.with_columns(wavg_days_late_12m=_thousandths(pl.col("weighted"), pl.col("weight")))
            self.columns["wavg_days_late_12m"] = Column(pl.col("wavg_days_late_12m"), 3)
        return own

    def _trend(self, own: pl.LazyFrame) -> pl.LazyFrame:
        if "balance_trend" not in self.wanted:
            return own
        since, today = self.today - _QUARTER, self.today
        invoices = self.tables.invoices.lazy().filter(pl.col(_KEY).is_not_null())
        billed = invoices.filter(
            (pl.col("status") == "posted") & (pl.col("issue_date") > since) & (pl.col("issue_date") <= today)
        )
        owners = invoices.select(_KEY, target_id=pl.col("id"))
        applied = (
            self.tables.allocations.lazy()
            .filter((pl.col("applied_on") > since) & (pl.col("applied_on") <= today))
            .join(owners, on="target_id")
        )
        rows = pl.concat(
            [
                billed.select(_KEY, "currency", balance_trend=pl.col("total")),
                applied.select(
                    _KEY, currency=pl.col("target_currency"), balance_trend=-pl.col("target_amount")
                ),
            ]
        )
        self.columns["balance_trend"] = Column(pl.col("balance_trend"), self.base_scale)
        return self._sum(own, self._in_base(rows, "balance_trend"), "balance_trend")

    def _promises(self, own: pl.LazyFrame) -> pl.LazyFrame:
        counts = ("broken_ptp", "broken_ptp_12m", "kept_ptp_12m", "open_promises")
        if not self._has(*counts, "kept_ratio_12m"):
            return own
        state = pl.col("state")
        recent = pl.col("decided_on") > self.today - _YEAR
        not_kept, kept = state.is_in(_NOT_KEPT), state.is_in(_KEPT)
        found = (
            self.tables.promises.lazy()
            .group_by(_KEY)
            .agg(
                broken_ptp=not_kept.sum(),
                broken_ptp_12m=(not_kept & recent).sum(),
                kept_ptp_12m=(kept & recent).sum(),
                open_promises=state.is_in(_PENDING).sum(),
                in_time=((state == "kept") & recent).sum(),
                judged=((not_kept | kept) & recent).sum(),
            )
        )
        ratio = Column(pl.col("in_time"), over=pl.col("judged"))
        return self._joined(own, found, {n: Column(pl.col(n)) for n in counts}, {"kept_ratio_12m": ratio})

    def _disputes(self, own: pl.LazyFrame) -> pl.LazyFrame:
        if not self._has("disputes_12m", "open_disputes"):
            return own
        opened, resolved, today = pl.col("opened_on"), pl.col("resolved_on"), self.today
        found = (
            self.tables.disputes.lazy()
            .group_by(_KEY)
            .agg(
                disputes_12m=((opened > today - _YEAR) & (opened <= today)).sum(),
                open_disputes=(
                    (opened.fill_null(today) <= today) & (resolved.is_null() | (resolved > today))
                ).sum(),
            )
        )
        return self._joined(own, found, {n: Column(pl.col(n)) for n in ("disputes_12m", "open_disputes")}, {})

    def _touches(self, own: pl.LazyFrame) -> pl.LazyFrame:
        channels = ("email", "sms", "voice", "whatsapp", "letter")
        counts = ("touches", "unanswered_touches", *(f"unanswered_{c}" for c in channels))
        days = ("days_since_last_touch", "days_since_last_response")
        if not self._has(*counts, *days, "unanswered_all"):
            return own
        today, on = pl.lit(self.today), pl.col("on")
        touches = self.tables.touches.lazy()
        answers = [
            touches.filter(pl.col("response")).select(_KEY, "on"),
            self.tables.receipts.lazy().filter(on <= today).select(_KEY, "on"),
        ]
        last = pl.concat(answers).group_by(_KEY).agg(last_response=on.max())
        reached = pl.col("outbound") & pl.col("reached")
        open_ = reached & (pl.col("last_response").is_null() | (on > pl.col("last_response")))
        by_channel = {f"unanswered_{c}": (open_ & (pl.col("channel") == c)).sum() for c in channels}
        found = (
            touches.join(last, on=_KEY, how="left")
            .group_by(_KEY)
            .agg(
                touches=pl.col("outbound").sum(),
                unanswered_touches=open_.sum(),
                **by_channel,
                last_touch=on.filter(reached).max(),
                last_silent=on.filter(open_ & ~pl.col("away").fill_null(False)).max(),
            )
        )
        own = self._joined(
            own.join(last, on=_KEY, how="left"), found, {n: Column(pl.col(n)) for n in counts}, {}
        )
        own = own.with_columns(
            days_since_last_touch=(today - pl.col("last_touch")).dt.total_days(),
            days_since_last_response=(today - pl.col("last_response")).dt.total_days(),
        )
        self.columns.update({n: Column(pl.col(n)) for n in days})
        if "unanswered_all" in self.wanted:
            start, last_day = pl.col("episode_start"), pl.col("last_response")
            answered = start.is_null() | (last_day >= start).fill_null(False)
            later = (pl.col("last_silent") >= start).fill_null(False)
            own = own.with_columns(unanswered_all=~answered & later)
            self.columns["unanswered_all"] = Column(pl.col("unanswered_all"))
        return own


def _thousandths(product: pl.Expr, weight: pl.Expr) -> pl.Expr:
    """Product / weight in thousandths, half to even; null where there is no weight."""
    whole = product * pl.lit(1000, dtype=_WIDE)
    floor = (whole - whole % weight) // weight
    twice = (whole - floor * weight) * pl.lit(2, dtype=_WIDE)
    up = (twice > weight) | ((twice == weight) & (floor % pl.lit(2, dtype=_WIDE) != 0))
    return pl.when(weight != 0).then(floor + up.cast(_WIDE))
