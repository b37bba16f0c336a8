"""How much is each customer worth? Value tiers over all customers, computed once and passed in (R19, C18, docs/rules.md).

Tiers depend on every customer, so they are a first pass of their own: with fixed tiers one customer's evaluation never
depends on another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ar_core.cadence.codes import Code
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO, exact
from ar_core.model.settlements import Payment, PaymentKind
from ar_core.model.snapshot import Snapshot

__all__ = ["TierAssignment", "Tiers", "assign_tiers", "latest_rates"]

_UNKNOWN = "unknown"


class TierAssignment(NamedTuple):
    """The value tier of one customer."""

    tier: str
    """strategic, core, tail, or unknown."""
    lifetime_value: Decimal | None
    """In base currency."""
    codes: tuple[Code, ...] = ()


class Tiers(NamedTuple):
    """The value tier of every customer of a snapshot."""

    by_customer: Mapping[str, TierAssignment]

    def of(self, customer_id: str) -> TierAssignment:
        """A customer's tier; unknown for a customer that was not ranked."""
        return self.by_customer.get(customer_id, _UNRANKED)


_UNRANKED = TierAssignment(_UNKNOWN, None, (Code.VALUE_UNKNOWN,))


def latest_rates(
    snapshot: Snapshot, base_currency: str | None, today: date | None = None
) -> dict[str, Decimal]:
    """The newest rate of each currency into the base currency, not younger than `today`; 1 for the base itself."""
    found: dict[str, tuple[date, Decimal]] = {}
    for rate in snapshot.rates:
        if rate.base_currency == base_currency and (today is None or rate.as_of <= today):
            held = found.get(rate.currency)
            if held is None or held[0] < rate.as_of:
                found[rate.currency] = (rate.as_of, rate.rate)
    rates = {currency: rate for currency, (_, rate) in found.items()}
    if base_currency is not None:
        rates[base_currency] = Decimal(1)
    return rates


def assign_tiers(
    snapshot: Snapshot,
    *,
    strategic: Decimal = Decimal("0.20"),
    core: Decimal = Decimal("0.60"),
    today: date | None = None,
) -> Tiers:
    """Rank all customers by lifetime value and cut the list into strategic, core and tail (R19).

    The value comes from the profile, else from settled revenue in base currency (LTV_DERIVED); where neither says anything
    the tier is unknown. Rank by value, best first; p = (rank - 1) / N; p < `strategic` and p < `strategic` + `core` are the
    cuts; equal values share the better tier (C18). `today`: payments after it have not happened yet.
    """
    base = snapshot.organization.base_currency if snapshot.organization else None
    rates = latest_rates(snapshot, base, today)
    merged = {c.id for c in snapshot.customers if c.merged_into_id is not None}
    values: dict[str, tuple[Decimal, tuple[Code, ...]]] = {}
    with exact():
        for profile in snapshot.profiles:
            if profile.lifetime_value is not None:
                given = _in_base(profile.lifetime_value, profile.lifetime_value_currency, base, rates)
                if given is not None:
                    values[profile.customer_id] = (given, ())
        derived = _settled_revenue(snapshot, base, rates, today)
    if derived is not None:
        for customer in snapshot.customers:
            if customer.id not in values:
                revenue = derived.get(customer.id, ZERO)
                if revenue is not None:
                    values[customer.id] = (revenue, (Code.LTV_DERIVED,))
    ranked = sorted(
        ((c.id, values[c.id][0]) for c in snapshot.customers if c.id in values and c.id not in merged),
        key=lambda row: (-row[1], row[0]),
    )
    found: dict[str, TierAssignment] = {}
    count = len(ranked)
    first_cut, second_cut = strategic * count, (strategic + core) * count
    rank, previous = 0, None
    for index, (customer_id, value) in enumerate(ranked):
        if value != previous:
            rank, previous = index, value
        tier = "strategic" if rank < first_cut else "core" if rank < second_cut else "tail"
        found[customer_id] = TierAssignment(tier, value, values[customer_id][1])
    return Tiers(found)


def _in_base(
    amount: Decimal, currency: str | None, base: str | None, rates: Mapping[str, Decimal]
) -> Decimal | None:
    if currency is None or currency == base:
        return amount
    rate = rates.get(currency)
    return None if rate is None else amount * rate


def _settled_revenue(
    snapshot: Snapshot, base: str | None, rates: Mapping[str, Decimal], today: date | None
) -> dict[str, Decimal | None] | None:
    """Money received by customer, refunds taken off; None for a customer with a currency that has no rate.

    None altogether when the snapshot has no payment at all: that says nothing about anybody.
    """
    if not snapshot.payments:
        return None
    found: dict[str, Decimal | None] = {}
    for payment in snapshot.payments:
        customer = payment.customer_id
        if customer is None or payment.document_status is not DocumentStatus.POSTED:
            continue
        if today is not None and payment.payment_date is not None and payment.payment_date > today:
            continue
        held = found.get(customer, ZERO)
        amount = _in_base(_signed(payment), payment.currency, base, rates)
        found[customer] = None if held is None or amount is None else held + amount
    return found


def _signed(payment: Payment) -> Decimal:
    return -payment.total if payment.kind is PaymentKind.REFUND else payment.total
