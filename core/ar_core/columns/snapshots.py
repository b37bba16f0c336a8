"""A snapshot as frames. What the evaluator judges record by record (promises, value tiers) is judged here by the same code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from ar_core.asof import AsOf
from ar_core.cadence.book import Book
from ar_core.cadence.due import cadence_due
from ar_core.cadence.facts import AccountFacts
from ar_core.cadence.figures import is_outbound, is_response
from ar_core.cadence.given import check_calendar, check_policy, check_tiers
from ar_core.cadence.history import UNREACHED
from ar_core.cadence.policy import Policy
from ar_core.cadence.reachable import absences, away_until
from ar_core.calendar import WEEKENDS, Calendar
from ar_core.columns.tables import SCHEMAS, Tables, units
from ar_core.model.documents import DocumentStatus, Invoice
from ar_core.model.money import ZERO
from ar_core.model.settlements import PaymentKind
from ar_core.model.snapshot import Snapshot
from ar_core.promises import promise_level
from ar_core.segments import Tiers, assign_tiers, latest_rates

__all__ = ["tables_of"]

_POSTED = DocumentStatus.POSTED


def tables_of(
    snapshot: Snapshot,
    policy: Policy,
    as_of: AsOf,
    *,
    tiers: Tiers | None = None,
    calendar: Calendar | None = None,
) -> Tables:
    """The frames of a snapshot, for one policy and moment. `tiers`, `calendar`: as in `evaluate`.

    Raises ValueError for amounts whose sum does not fit into 64 bits at their finest scale; TypeError and ValueError for a policy, tiers
    and a calendar as `evaluate` does.
    """
    check_policy(policy)
    check_tiers(tiers)
    check_calendar(calendar)
    calendar = calendar or WEEKENDS
    value = policy.tiers.value
    if tiers is None:
        tiers = assign_tiers(snapshot, strategic=value.strategic, core=value.core, today=as_of.today)
    base = snapshot.organization.base_currency if snapshot.organization else None
    scale = _scale(snapshot, tiers)
    book = Book(snapshot, policy.grouping.collect_at)
    owner = {customer.id: book.account_of(customer.id) for customer in snapshot.customers}
    received = {p.id: p.payment_date for p in snapshot.payments}
    accounts = _Accounts(policy, as_of, calendar, tiers, scale)
    for account_id in _account_ids(snapshot, book):
        accounts.add(book.account(account_id))
    frames: dict[str, list[dict[str, Any]]] = {
        "invoices": [_invoice(i, owner, scale, policy, calendar, book) for i in snapshot.invoices],
        "credits": list(_credits(snapshot, owner, scale)),
        "allocations": [
            {
                "source_id": a.source_id,
                "target_id": a.target_id,
                "applied_on": a.applied_on,
                "effective_on": _latest(a.applied_on, received.get(a.source_id)),
                "amount": units(a.amount, scale),
                "target_amount": units(a.target_amount, scale),
                "target_currency": a.target_currency,
                "discount": None if a.discount_amount is None else units(a.discount_amount, scale),
            }
            for a in snapshot.allocations
        ],
        "accounts": accounts.rows,
        "touches": accounts.touches,
        "promises": accounts.promises,
        "receipts": [
            {"account_id": owner.get(p.customer_id, p.customer_id), "on": p.payment_date}
            for p in snapshot.payments
            if p.document_status is _POSTED and p.kind is not PaymentKind.REFUND and p.customer_id is not None
        ],
        "disputes": accounts.disputes,
    }
    return Tables.of(
        scale=scale,
        base_currency=base,
        rates=latest_rates(snapshot, base, as_of.today),
        **{name: pl.DataFrame(rows, schema=dict(SCHEMAS[name])) for name, rows in frames.items()},
    )


def _account_ids(snapshot: Snapshot, book: Book) -> list[str]:
    """Accounts that own anything: a customer without open invoices may still be the target of a rule."""
    owners: set[str | None] = {c.id for c in snapshot.customers}
    owners.update(i.customer_id for i in snapshot.invoices)
    owners.update(p.customer_id for p in snapshot.promises)
    return sorted({book.account_of(owner) for owner in owners if owner is not None} | {*book.account_ids()})


def _scale(snapshot: Snapshot, tiers: Tiers) -> int:
    """The most digits after the point that any amount has."""

    def amounts() -> Iterable[Decimal | None]:
        for invoice in snapshot.invoices:
            yield invoice.balance_due
            yield invoice.total
        yield from (n.unapplied_amount for n in snapshot.credit_notes)
        yield from (p.unapplied_amount for p in snapshot.payments)
        yield from (a.open_amount for a in snapshot.adjustments)
        for allocation in snapshot.allocations:
            yield allocation.amount
            yield allocation.target_amount
            yield allocation.discount_amount
        yield from (c.credit_limit for c in snapshot.customers)
        yield from (t.lifetime_value for t in tiers.by_customer.values())

    exponents = (a.as_tuple().exponent for a in amounts() if a is not None)
    return max((-e for e in exponents if isinstance(e, int)), default=2) if snapshot.invoices else 2


def _latest(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)


def _invoice(
    invoice: Invoice, owner: dict[str, str], scale: int, policy: Policy, calendar: Calendar, book: Book
) -> dict[str, Any]:
    account_id = owner.get(invoice.customer_id, invoice.customer_id) if invoice.customer_id else None
    account = book.customers.get(account_id) if account_id is not None else None
    return {
        "id": invoice.id,
        "customer_id": invoice.customer_id,
        "account_id": account_id,
        "currency": invoice.currency,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "cadence_due": cadence_due(invoice, account, policy.clock, calendar),
        "total": units(invoice.total, scale),
        "balance": units(invoice.balance_due, scale),
        "status": invoice.document_status.value,
        "has_pdf": invoice.has_pdf,
        "has_payment_link": invoice.payment_link is not None,
    }


def _credits(snapshot: Snapshot, owner: dict[str, str], scale: int) -> Iterable[dict[str, Any]]:
    """Every posted credit, used up or not: a past report needs those that have been applied since."""

    def row(record: Any, on: date | None, amount: Decimal, kind: str) -> dict[str, Any]:
        return {
            "id": record.id,
            "customer_id": record.customer_id,
            "account_id": owner.get(record.customer_id, record.customer_id),
            "currency": record.currency,
            "on": on,
            "amount": units(amount, scale),
            "kind": kind,
        }

    for note in snapshot.credit_notes:
        if note.document_status is _POSTED:
            yield row(note, note.issue_date, note.unapplied_amount, "credit_note")
    for payment in snapshot.payments:
        if payment.document_status is _POSTED:
            amount = payment.unapplied_amount or ZERO
            known = {PaymentKind.REFUND: "refund", PaymentKind.PREPAYMENT: "prepayment"}
            kind = known.get(payment.kind, "payment")
            yield row(payment, payment.payment_date, -amount if kind == "refund" else amount, kind)
    for line in snapshot.adjustments:
        if line.document_status is _POSTED:
            yield row(line, line.adjustment_date, -(line.open_amount or ZERO), "adjustment")


class _Accounts:
    """The rows about accounts, gathered one account at a time."""

    def __init__(self, policy: Policy, as_of: AsOf, calendar: Calendar, tiers: Tiers, scale: int) -> None:
        self._policy, self._as_of, self._calendar = policy, as_of, calendar
        self._tiers, self._scale = tiers, scale
        self._zone = ZoneInfo(as_of.zone)
        self.rows: list[dict[str, Any]] = []
        self.touches: list[dict[str, Any]] = []
        self.promises: list[dict[str, Any]] = []
        self.disputes: list[dict[str, Any]] = []

    def add(self, facts: AccountFacts) -> None:
        """Read one account."""
        customer = facts.customer
        verdicts = facts.judged(
            self._as_of.today, self._policy.pauses.promise_terms, self._calendar, self._zone
        )
        value, lifetime = self._value(facts)
        limit = customer.credit_limit if customer else None
        self.rows.append(
            {
                "account_id": facts.id,
                "known": customer is not None,
                "country": facts.country,
                "currency": customer.currency if customer else None,
                "language": customer.language if customer else None,
                "order_hold": customer.order_hold if customer else None,
                "credit_limit": None if limit is None else units(limit, self._scale),
                "has_account_manager": any(p.account_manager for p in facts.profiles),
                "value": value,
                "lifetime_value": None if lifetime is None else units(lifetime, self._scale),
                "promises_not_kept": promise_level(verdicts),
                "watched": _is_watched(facts),
            }
        )
        self.promises += [
            {"account_id": facts.id, "state": v.state.value, "decided_on": v.decided_on} for v in verdicts
        ]
        self.disputes += [
            {"account_id": facts.id, "opened_on": d.opened_on, "resolved_on": d.resolved_on}
            for d in facts.disputes
        ]
        made = sorted((t for t in facts.touches if t.at <= self._as_of.instant), key=lambda t: (t.at, t.id))
        dated = [(t.at.astimezone(self._zone).date(), t) for t in made]
        away = absences(facts.profiles, dated, self._as_of.today, self._policy.pauses.max_ooo_days)
        people = [contact for contact in facts.contacts if contact.is_active is not False]
        self.touches += [
            {
                "account_id": facts.id,
                "on": on,
                "channel": t.channel.value,
                "outbound": is_outbound(t),
                "reached": t.outcome not in UNREACHED,
                "response": is_response(t),
                "away": away_until(away, t.contact_id, people) is not None,
            }
            for on, t in dated
        ]

    def _value(self, facts: AccountFacts) -> tuple[str | None, Decimal | None]:
        rules = self._policy.tiers.value
        if not rules.enabled:
            return None, None
        found = self._tiers.of_account(facts.id, facts.members)
        unranked = found.tier == "unknown" and rules.unknown != "human_only"
        return rules.unknown if unranked else found.tier, found.lifetime_value


def _is_watched(facts: AccountFacts) -> bool:
    flags = any(profile.flags for profile in (*facts.profiles, *facts.ancestor_profiles))
    bounced = any(profile.bounced for profile in facts.profiles)
    return bool(flags or bounced or facts.touches or facts.pauses or facts.promises or facts.disputes)
