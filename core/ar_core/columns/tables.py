"""What do the columnar functions read? A few frames with a fixed schema; amounts are whole units of `10**-scale`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

__all__ = ["LARGEST", "SCHEMAS", "Tables", "units"]

LARGEST = 2**62
"""All amounts of a column, signs left out, add up to less than this: then no sum of them leaves 64 bits."""

_TEXT, _DAY, _MONEY, _FLAG = pl.String(), pl.Date(), pl.Int64(), pl.Boolean()

SCHEMAS: Mapping[str, Mapping[str, pl.DataType]] = {
    "invoices": {
        "id": _TEXT,
        "customer_id": _TEXT,
        "account_id": _TEXT,  # who receives the messages: the customer, or the parent it is billed with
        "currency": _TEXT,
        "issue_date": _DAY,
        "due_date": _DAY,  # the contractual one
        "cadence_due": _DAY,  # the one the cadence counts from: fallback and roll applied; the same where there is none
        "total": _MONEY,
        "balance": _MONEY,
        "status": _TEXT,
        "has_pdf": _FLAG,
        "has_payment_link": _FLAG,
    },
    # Open credit: amounts positive when they lower what is owed.
    "credits": {
        "id": _TEXT,
        "customer_id": _TEXT,
        "account_id": _TEXT,
        "currency": _TEXT,
        "on": _DAY,
        "amount": _MONEY,
        "kind": _TEXT,  # credit_note, payment, prepayment, refund (negative), adjustment
    },
    "allocations": {
        "source_id": _TEXT,
        "target_id": _TEXT,
        "applied_on": _DAY,
        "effective_on": _DAY,  # applied, and the money there
        "amount": _MONEY,
        "target_amount": _MONEY,
        "target_currency": _TEXT,
        "discount": _MONEY,
    },
    "accounts": {
        "account_id": _TEXT,
        "known": _FLAG,  # the snapshot has a customer of that id
        "country": _TEXT,
        "currency": _TEXT,
        "language": _TEXT,
        "order_hold": _FLAG,
        "credit_limit": _MONEY,
        "has_account_manager": _FLAG,
        "value": _TEXT,
        "lifetime_value": pl.Int128(),  # units
        "promises_not_kept": pl.Int64(),
        "watched": _FLAG,  # a flag, pause, touch, promise, dispute or dead address: only the evaluator can tell what follows
    },
    "touches": {
        "account_id": _TEXT,
        "on": _DAY,
        "channel": _TEXT,
        "outbound": _FLAG,
        "reached": _FLAG,
        "response": _FLAG,
        "away": _FLAG,  # who was written to is away on the as-of day: no silence yet (E37)
    },
    "receipts": {"account_id": _TEXT, "on": _DAY},
    "promises": {"account_id": _TEXT, "state": _TEXT, "decided_on": _DAY},
    "disputes": {"account_id": _TEXT, "opened_on": _DAY, "resolved_on": _DAY},
}
"""Columns of each frame. Days are the organization's local dates; nothing later than the as-of moment is in `touches`."""


@dataclass(frozen=True, slots=True)
class Tables:
    """One book as frames (see `SCHEMAS`)."""

    invoices: pl.DataFrame
    credits: pl.DataFrame
    allocations: pl.DataFrame
    accounts: pl.DataFrame
    touches: pl.DataFrame
    receipts: pl.DataFrame
    promises: pl.DataFrame
    disputes: pl.DataFrame
    scale: int = 2
    """Digits after the point of every amount."""
    base_currency: str | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    """Base units per unit of a currency; 1 for the base itself."""

    @classmethod
    def of(
        cls,
        *,
        scale: int = 2,
        base_currency: str | None = None,
        rates: Mapping[str, Decimal] | None = None,
        **frames: pl.DataFrame,
    ) -> Tables:
        """Tables from frames of one's own. A frame that is left out is empty, a column that is left out is unknown throughout.

        `account_id` defaults to the customer, `cadence_due` to the due date, `effective_on` to `applied_on`. Raises ValueError
        for a frame or column that is not in `SCHEMAS`, and for an amount that does not fit.
        """
        strange = sorted(frames.keys() - SCHEMAS.keys())
        if strange:
            raise ValueError(f"no frame is called {', '.join(strange)}; there are {', '.join(SCHEMAS)}")
        shaped = {name: _shaped(name, frames.get(name)) for name in SCHEMAS}
        rates = dict(rates or {})
        if base_currency is not None:
            rates[base_currency] = Decimal(1)
        return cls(**shaped, scale=scale, base_currency=base_currency, rates=rates)


_STAND_INS = {"account_id": "customer_id", "cadence_due": "due_date", "effective_on": "applied_on"}


def _shaped(name: str, frame: pl.DataFrame | None) -> pl.DataFrame:
    schema = SCHEMAS[name]
    if frame is None:
        return pl.DataFrame(schema=dict(schema))
    strange = sorted(set(frame.columns) - schema.keys())
    if strange:
        raise ValueError(f"{name} has no column {', '.join(strange)}; it has {', '.join(schema)}")
    columns = []
    for column, kind in schema.items():
        source = column if column in frame.columns else _STAND_INS.get(column)
        if source is not None and source in frame.columns:
            columns.append(pl.col(source).cast(kind).alias(column))
        else:
            columns.append(pl.lit(None, dtype=kind).alias(column))
    shaped = frame.select(columns)
    for column, kind in schema.items():
        if kind == pl.Int64 and column != "promises_not_kept":
            volume = shaped.select(pl.col(column).cast(pl.Int128).abs().sum()).item()
            if volume >= LARGEST:
                raise ValueError(f"{name}.{column}: {volume} units altogether do not fit; lower the scale")
    return shaped


def units(amount: Decimal, scale: int) -> int:
    """An amount in units of `10**-scale`. Raises ValueError when it has more digits than that, or is too large."""
    shifted = amount.scaleb(scale)
    found = int(shifted)
    if found != shifted or abs(found) >= LARGEST:
        raise ValueError(f"{amount} does not fit into units of 10**-{scale}")
    return found
