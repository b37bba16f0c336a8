"""How much is each customer worth? Value tiers over all customers, computed once and passed in (R19, C18, docs/rules.md).

Tiers depend on every customer, so they are a first pass of their own: with fixed tiers one customer's evaluation never
depends on another's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.model.base import reader
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO, exact
from ar_core.model.parties import Customer
from ar_core.model.profile import CustomerProfile
from ar_core.model.settlements import Payment, PaymentKind
from ar_core.model.snapshot import Snapshot

__all__ = ["TierAssignment", "Tiers", "assign_tiers", "latest_rates", "reassign_tiers"]

_UNKNOWN: Final = "unknown"
_read_values: Final = reader("customer_id", "lifetime_value", "lifetime_value_currency")
_read_ids: Final = reader("id")
_read_merged: Final = reader("id", "merged_into_id")
_read_owners: Final = reader("customer_id")
_ORDER: Final = ("strategic", "core", "tail")


class TierAssignment(NamedTuple):
    """The value tier of one customer."""

    tier: str
    """strategic, core, tail, or unknown."""
    lifetime_value: Decimal | None
    """In base currency."""
    codes: tuple[Code, ...] = ()


class Tiers(NamedTuple):
    """The value tier of every customer of a snapshot. `evaluate` refuses those with a tier that there is not."""

    by_customer: Mapping[str, TierAssignment]

    def of(self, customer_id: str) -> TierAssignment:
        """A customer's tier; unknown for a customer that was not ranked."""
        return self.by_customer.get(customer_id, _UNRANKED)

    def of_account(self, account_id: str, members: Sequence[Customer]) -> TierAssignment:
        """The tier of who receives the messages: its own, or where that is unknown, the best of the customers it is billed for."""
        own = self.by_customer.get(account_id, _UNRANKED)
        if own.lifetime_value is None and len(members) > 1:
            known = [a for m in members if (a := self.of(m.id)).lifetime_value is not None]
            return min(known, key=lambda a: _ORDER.index(a.tier), default=own)
        return own


_UNRANKED: Final = TierAssignment(_UNKNOWN, None, (Code.VALUE_UNKNOWN,))


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
    return _cut(snapshot, _values(snapshot, today, derived=bool(snapshot.payments)), strategic, core)


def reassign_tiers(
    previous: Tiers,
    snapshot: Snapshot,
    changed: Collection[str],
    *,
    strategic: Decimal,
    core: Decimal,
    since: date,
    today: date,
    records_of: Callable[[Collection[str]], Snapshot] | None = None,
) -> Tiers:
    """The tiers of a snapshot in which only some customers' records changed since `previous` was assigned on the day `since`.

    Equal to `assign_tiers(snapshot, ...)` as long as base currency and rates are the same and both snapshots have payments, or
    neither has; `previous` itself when nobody's value moved. `records_of`: the snapshot without customers, profiles and payments
    of others than these, where somebody has them at hand; else they are looked for among all.
    """
    moved = set(changed)
    if today != since:
        moved.update(
            p.customer_id
            for p in snapshot.payments
            if p.customer_id is not None and p.payment_date is not None and since < p.payment_date <= today
        )
    theirs = snapshot if records_of is None else records_of(moved)
    there = {i: merged for i, merged in _read_merged(theirs.customers) if i in moved}
    fresh = _values(theirs, today, there, derived=bool(snapshot.payments))
    held = previous.by_customer
    for customer_id in moved:
        before = held.get(customer_id)
        old = None if before is None else (before.lifetime_value, before.codes)
        is_ranked = customer_id in there and there[customer_id] is None
        if old != (fresh.get(customer_id) if is_ranked else None):
            break
    else:
        return previous
    values = {
        customer_id: (assignment.lifetime_value, assignment.codes)
        for customer_id, assignment in held.items()
        if assignment.lifetime_value is not None and customer_id not in moved
    }
    return _cut(snapshot, {**values, **fresh}, strategic, core)


_Value = tuple[Decimal, tuple[Code, ...]]
"""Lifetime value in base currency, and where it comes from."""


def _values(
    snapshot: Snapshot, today: date | None, only: Collection[str] | None = None, *, derived: bool
) -> dict[str, _Value]:
    """What is known about the value of each customer; of some of them with `only`, their ids. `derived`: where a profile says nothing,
    payments do, and having none is a value of zero; a snapshot without any payment says nothing about anybody."""
    base = snapshot.organization.base_currency if snapshot.organization else None
    rates = latest_rates(snapshot, base, today)
    values: dict[str, _Value] = {}
    with exact():
        profiles: Sequence[CustomerProfile] = snapshot.profiles
        if only is not None:
            owners = _read_owners(profiles)
            profiles = [profile for profile, owner in zip(profiles, owners, strict=True) if owner in only]
        for customer_id, amount, currency in _read_values(profiles):
            if amount is not None:
                given = _in_base(amount, currency, base, rates)
                if given is not None:
                    values[customer_id] = (given, ())
        if derived:
            wanted = [c for c in (_read_ids(snapshot.customers) if only is None else only) if c not in values]
            settled = _settled_revenue(snapshot, base, rates, today, frozenset(wanted)) if wanted else {}
            for customer_id in wanted:
                revenue = settled.get(customer_id, ZERO)
                if revenue is not None:
                    values[customer_id] = (revenue, (Code.LTV_DERIVED,))
    return values


def _cut(snapshot: Snapshot, values: Mapping[str, _Value], strategic: Decimal, core: Decimal) -> Tiers:
    """Rank the customers by value and cut the list (C18)."""
    ranked = sorted(i for i, merged in _read_merged(snapshot.customers) if merged is None and i in values)
    ranked.sort(key=lambda customer_id: values[customer_id][0], reverse=True)
    found: dict[str, TierAssignment] = {}
    count = len(ranked)
    first_cut, second_cut = strategic * count, (strategic + core) * count
    rank, previous = 0, None
    for index, customer_id in enumerate(ranked):
        value, codes = values[customer_id]
        if value != previous:
            rank, previous = index, value
        tier = "strategic" if rank < first_cut else "core" if rank < second_cut else "tail"
        found[customer_id] = TierAssignment(tier, value, codes)
    return Tiers(found)


def _in_base(
    amount: Decimal, currency: str | None, base: str | None, rates: Mapping[str, Decimal]
) -> Decimal | None:
    if currency is None or currency == base:
        return amount
    rate = rates.get(currency)
    return None if rate is None else amount * rate


def _settled_revenue(
    snapshot: Snapshot,
    base: str | None,
    rates: Mapping[str, Decimal],
    today: date | None,
    only: Collection[str],
) -> dict[str, Decimal | None]:
    """Money received from some customers, refunds taken off; None for one with a currency that has no rate."""
    found: dict[str, Decimal | None] = {}
    for payment, customer in zip(snapshot.payments, _read_owners(snapshot.payments), strict=True):
        if customer not in only or payment.document_status is not DocumentStatus.POSTED:
            continue
        if today is not None and payment.payment_date is not None and payment.payment_date > today:
            continue
        held = found.get(customer, ZERO)
        amount = _in_base(_signed(payment), payment.currency, base, rates)
        found[customer] = None if held is None or amount is None else held + amount
    return found


def _signed(payment: Payment) -> Decimal:
    return -payment.total if payment.kind is PaymentKind.REFUND else payment.total
