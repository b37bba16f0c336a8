"""Is our copy what the books say? Every fact that collections needs, from the ledger's documents and never through a serializer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ar_connectors.syncing.balances import open_balances
from ar_connectors.testkit.ledger import Ledger, check, truth
from ar_core.model import (
    Allocation,
    CreditNote,
    Customer,
    DocumentStatus,
    Invoice,
    Payment,
    RecordKind,
    Snapshot,
    parse_record_id,
)
from ar_core.settlement import Settlement, settlement

Identify = Callable[[RecordKind, str], str]
"""Kind and id in the ledger -> id of our record."""

Facts = dict[Any, Any]


def differences(snapshot: Snapshot, ledger: Ledger, identify: Identify) -> list[str]:
    """What our copy says otherwise than the books; empty when all agrees."""
    inconsistent = check(ledger)
    assert not inconsistent, f"the books themselves do not agree: {inconsistent}"
    ours, theirs = _ours(snapshot, identify), _theirs(ledger, identify)
    wrong = []
    for topic in theirs:
        for key in sorted({*ours[topic], *theirs[topic]}, key=str):
            have, want = ours[topic].get(key, "nothing"), theirs[topic].get(key, "nothing")
            if have != want:
                wrong.append(f"{topic} {key}: we have {have}, the books say {want}")
    return wrong


def _theirs(ledger: Ledger, identify: Identify) -> dict[str, Facts]:
    facts = truth(ledger)
    documents: Facts = {}
    for one in ledger.invoices.values():
        documents[identify(RecordKind.INVOICE, one.id)] = (
            one.number,
            identify(RecordKind.CUSTOMER, one.customer),
            one.currency,
            one.issued,
            one.due,
            one.total,
            one.open,
            one.voided,
        )
    credit_notes = {
        identify(RecordKind.CREDIT_NOTE, one.id): (
            one.customer,
            one.currency,
            one.total,
            one.open,
            one.voided,
        )
        for one in ledger.credits.values()
    }
    payments = {
        identify(RecordKind.PAYMENT, one.id): (
            one.customer,
            one.currency,
            one.received,
            one.total,
            one.unapplied,
            one.voided,
        )
        for one in ledger.payments.values()
    }
    return {
        "open balance": {
            (identify(RecordKind.CUSTOMER, customer), currency): amount
            for (customer, currency), amount in facts.balances.items()
        },
        "customer": {
            identify(RecordKind.CUSTOMER, one.id): (
                one.name,
                one.currency,
                one.active,
                identify(RecordKind.CUSTOMER, one.parent) if one.parent is not None else None,
                one.balance,
            )
            for one in ledger.customers.values()
        },
        "invoice": documents,
        "credit note": credit_notes,
        "payment": payments,
        "adjustment": {
            one.id: (identify(RecordKind.CUSTOMER, one.customer), one.currency, one.amount)
            for one in ledger.journals.values()
        },
        "allocation": {place: amount for *place_, amount in facts.allocations for place in [tuple(place_)]},
        "settlement": {
            identify(RecordKind.INVOICE, number): word for number, word in _settlements(ledger).items()
        },
    }


def _settlements(ledger: Ledger) -> dict[str, Settlement]:
    """By what each invoice was closed, followed through the ledger's own payments."""
    bad_debt = {one.id for one in ledger.accounts.values() if one.detail == "BadDebts"}
    by: defaultdict[str, set[str]] = defaultdict(set)
    for payment in ledger.payments.values():
        settling = {one.id for one in payment.applications if one.kind == "credit"}
        for part in payment.applications:
            if part.kind != "invoice":
                continue
            if payment.total:
                by[part.id].add("money")
            for credit in settling:
                lines = ledger.credits[credit].lines
                by[part.id].add("write-off" if any(line.account in bad_debt for line in lines) else "credit")
    found = {}
    for one in ledger.invoices.values():
        if one.voided:
            found[one.id] = Settlement.VOIDED
        elif one.open:
            found[one.id] = Settlement.OPEN if one.open == one.total else Settlement.PARTIALLY_SETTLED
        elif "write-off" in by[one.id]:
            found[one.id] = Settlement.WRITTEN_OFF
        elif "credit" in by[one.id] and "money" not in by[one.id]:
            found[one.id] = Settlement.CREDITED
        else:
            found[one.id] = Settlement.PAID
    return found


def _ours(snapshot: Snapshot, identify: Identify) -> dict[str, Facts]:
    short = {
        identify(RecordKind.CUSTOMER, remote): remote
        for remote in (one.source.remote_id for one in snapshot.customers if one.source)
    }
    voided = DocumentStatus.VOIDED
    return {
        "open balance": {
            key: balance.sum() for key, balance in open_balances(snapshot).items() if balance.sum() != 0
        },
        "customer": {
            one.id: (_name(one), one.currency, one.is_active, one.parent_id, one.reported_balance)
            for one in snapshot.customers
        },
        "invoice": {
            one.id: (
                one.number,
                one.customer_id,
                one.currency,
                one.issue_date,
                one.due_date,
                one.total,
                one.balance_due,
                one.document_status is voided,
            )
            for one in snapshot.invoices
        },
        "credit note": {
            one.id: (
                short.get(one.customer_id or ""),
                one.currency,
                one.total,
                one.unapplied_amount,
                one.document_status is voided,
            )
            for one in snapshot.credit_notes
        },
        "payment": {
            one.id: (
                short.get(one.customer_id or ""),
                one.currency,
                one.payment_date,
                one.total,
                one.unapplied_amount,
                one.document_status is voided,
            )
            for one in snapshot.payments
        },
        "adjustment": {
            _remote(one.id).rpartition("-")[0] or _remote(one.id): (one.customer_id, one.currency, one.amount)
            for one in snapshot.adjustments
        },
        "allocation": _applications(snapshot.allocations),
        "settlement": {one.id: _settled(snapshot, one) for one in snapshot.invoices},
    }


def _name(customer: Customer) -> str:
    """QuickBooks shows a mark behind the name of a hidden customer."""
    return customer.name if customer.is_active else customer.name.removesuffix(" (deleted)")


_WORDS = {"invoice": "invoice", "credit_note": "credit", "adjustment": "journal"}


def _applications(allocations: Iterable[Allocation]) -> Facts:
    """What each payment says of each document: (payment, kind, document) -> amount, as the ledger writes it."""
    sums: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for one in allocations:
        payment = _remote(one.parent_id)
        for identity, amount in ((one.target_id, one.target_amount), (one.source_id, one.amount)):
            parts = parse_record_id(identity)
            if parts is None or identity == one.parent_id:
                continue
            word = _WORDS[parts.kind]
            number = parts.remote_id.rpartition("-")[0] if word == "journal" else parts.remote_id
            settles = identity == one.source_id and word == "journal"
            sums[payment, word, number] += -amount if settles else amount
    return dict(sums)


def _settled(snapshot: Snapshot, invoice: Invoice) -> Settlement:
    sources: dict[str, Payment | CreditNote] = {one.id: one for one in snapshot.payments}
    sources.update({one.id: one for one in snapshot.credit_notes})
    accounts: set[str] = set()
    if snapshot.organization is not None:
        for field in snapshot.organization.custom_fields:
            if field.name == "bad_debt_accounts":
                accounts.update(str(field.value).split(","))
    return settlement(invoice, snapshot.allocations, sources, accounts)


def _remote(identity: str) -> str:
    parts = parse_record_id(identity)
    assert parts is not None, identity
    return parts.remote_id
