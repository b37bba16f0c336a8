"""Is our copy what the books say? Every fact that collections needs, from the ledger's documents and never through a serializer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ar_connectors.syncing.balances import open_balances
from ar_connectors.testkit.ledger import Ledger, check, truth
from ar_connectors.testkit.ledger.records import CreditNote as LedgerCredit
from ar_connectors.testkit.ledger.records import Customer as LedgerCustomer
from ar_connectors.testkit.ledger.records import Invoice as LedgerInvoice
from ar_connectors.testkit.ledger.records import Payment as LedgerPayment
from ar_core.model import (
    Allocation,
    CreditNote,
    DocumentStatus,
    Invoice,
    Payment,
    RecordKind,
    Snapshot,
    parse_record_id,
    record_id,
)
from ar_core.settlement import Settlement, settlement

Identify = Callable[[RecordKind, str], str]
"""Kind and id in the ledger -> id of our record."""

Facts = dict[Any, Any]
"""What is compared -> its value, or its fields by name."""


def _before_the_line(remote_id: str) -> str:
    """Our adjustments are lines of an entry: `entry-line`."""
    return remote_id.rpartition("-")[0] or remote_id


@dataclass(frozen=True)
class Shown:
    """How a platform shows the books, where it differs from the ledger."""

    untold: frozenset[str] = frozenset()
    """What it does not tell: topics (`adjustment`) and fields (`customer.parent`)."""
    name: Callable[[str, bool], str] = lambda name, active: name  # noqa: ARG005
    """A customer's name as we read it, without what the platform adds to it; told whether the customer is active."""
    payments: Callable[[Ledger], Iterable[LedgerPayment]] = lambda ledger: ledger.payments.values()
    """Payments that are records there. One of zero that ties a credit to an invoice may be a part of the credit instead."""
    allocations: Callable[[Ledger, Identify], Facts] | None = None
    """(parent, other document) by id of our record -> amount. None: each payment of the ledger is the parent of all it settles."""
    balance: Callable[[Ledger, LedgerCustomer], Decimal] = lambda ledger, customer: customer.balance  # noqa: ARG005
    """What it shows as the balance of a customer."""
    due: Callable[[LedgerInvoice], date | None] = lambda invoice: invoice.due
    """When it shows an invoice as due."""
    keeps_voided: bool = False
    """Whether what was voided keeps its total, with nothing open."""
    beside: Callable[[str, str], bool] = lambda topic, identity: False  # noqa: ARG005
    """Whether our record of a topic (`customer`) is of something that the platform has beside the books."""
    entry: Callable[[str], str] = _before_the_line
    """Remote id of our adjustment -> remote id of the journal entry it is part of."""


def differences(
    snapshot: Snapshot, ledger: Ledger, identify: Identify, shown: Shown | None = None
) -> list[str]:
    """What our copy says otherwise than the books; empty when all agrees."""
    inconsistent = check(ledger)
    assert not inconsistent, f"the books themselves do not agree: {inconsistent}"
    shown = shown or Shown()
    ours, theirs = _ours(snapshot, shown), _theirs(ledger, identify, shown)
    wrong = []
    for topic in sorted(set(theirs) - shown.untold):
        for key in sorted({*ours[topic], *theirs[topic]}, key=str):
            if key not in theirs[topic] and shown.beside(topic, key):
                continue
            have, want = (
                _told(topic, facts.get(key, "nothing"), shown) for facts in (ours[topic], theirs[topic])
            )
            if have != want:
                wrong.append(f"{topic} {key}: we have {have}, the books say {want}")
    return wrong


def _told(topic: str, value: Any, shown: Shown) -> Any:
    """The fields that the platform tells."""
    if not isinstance(value, Mapping):
        return value
    return {name: one for name, one in value.items() if f"{topic}.{name}" not in shown.untold}


def _total(document: LedgerInvoice | LedgerCredit, shown: Shown) -> Decimal:
    """A document's total; of a voided one what it was, where the platform keeps that."""
    if document.was is None or not shown.keeps_voided:
        return document.total
    lines, tax = document.was
    return sum((line.amount for line in lines), tax)


def _theirs(ledger: Ledger, identify: Identify, shown: Shown) -> dict[str, Facts]:
    def customer(number: str) -> str:
        return identify(RecordKind.CUSTOMER, number)

    return {
        "open balance": {
            (customer(number), currency): amount
            for (number, currency), amount in truth(ledger).balances.items()
        },
        "customer": {
            customer(one.id): {
                "name": one.name,
                "currency": one.currency,
                "active": one.active,
                "parent": customer(one.parent) if one.parent is not None else None,
                "balance": shown.balance(ledger, one),
            }
            for one in ledger.customers.values()
        },
        "invoice": {
            identify(RecordKind.INVOICE, one.id): {
                "number": one.number,
                "customer": customer(one.customer),
                "currency": one.currency,
                "issued": one.issued,
                "due": shown.due(one),
                "total": _total(one, shown),
                "open": one.open,
                "voided": one.voided,
            }
            for one in ledger.invoices.values()
        },
        "credit note": {
            identify(RecordKind.CREDIT_NOTE, one.id): {
                "customer": customer(one.customer),
                "currency": one.currency,
                "total": _total(one, shown),
                "open": one.open,
                "voided": one.voided,
            }
            for one in ledger.credits.values()
        },
        "payment": {
            identify(RecordKind.PAYMENT, one.id): {
                "customer": customer(one.customer),
                "currency": one.currency,
                "received": one.received,
                "total": one.total,
                "open": one.unapplied,
                "voided": one.voided,
            }
            for one in shown.payments(ledger)
        },
        "adjustment": {
            identify(RecordKind.ADJUSTMENT, one.id): {
                "customer": customer(one.customer),
                "currency": one.currency,
                "amount": one.amount,
            }
            for one in ledger.journals.values()
        },
        "allocation": (shown.allocations or _allocations)(ledger, identify),
        "settlement": {
            identify(RecordKind.INVOICE, number): word for number, word in _settlements(ledger).items()
        },
    }


_KINDS = {"invoice": RecordKind.INVOICE, "credit": RecordKind.CREDIT_NOTE, "journal": RecordKind.ADJUSTMENT}


def _allocations(ledger: Ledger, identify: Identify) -> Facts:
    """What each payment says of each document; several lines to one document are one."""
    return {
        (identify(RecordKind.PAYMENT, payment), identify(_KINDS[kind], number)): amount
        for payment, kind, number, amount in truth(ledger).allocations
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


def _ours(snapshot: Snapshot, shown: Shown) -> dict[str, Facts]:
    voided = DocumentStatus.VOIDED
    return {
        "open balance": {
            key: balance.sum() for key, balance in open_balances(snapshot).items() if balance.sum() != 0
        },
        "customer": {
            one.id: {
                "name": shown.name(one.name, one.is_active is not False),
                "currency": one.currency,
                "active": one.is_active,
                "parent": one.parent_id,
                "balance": one.reported_balance,
            }
            for one in snapshot.customers
        },
        "invoice": {
            one.id: {
                "number": one.number,
                "customer": one.customer_id,
                "currency": one.currency,
                "issued": one.issue_date,
                "due": one.due_date,
                "total": one.total,
                "open": one.balance_due,
                "voided": one.document_status is voided,
            }
            for one in snapshot.invoices
        },
        "credit note": {
            one.id: {
                "customer": one.customer_id,
                "currency": one.currency,
                "total": one.total,
                "open": one.unapplied_amount,
                "voided": one.document_status is voided,
            }
            for one in snapshot.credit_notes
        },
        "payment": {
            one.id: {
                "customer": one.customer_id,
                "currency": one.currency,
                "received": one.payment_date,
                "total": one.total,
                "open": one.unapplied_amount,
                "voided": one.document_status is voided,
            }
            for one in snapshot.payments
        },
        "adjustment": {
            _entry(one.id, shown): {
                "customer": one.customer_id,
                "currency": one.currency,
                "amount": one.amount,
            }
            for one in snapshot.adjustments
        },
        "allocation": _applications(snapshot.allocations, shown),
        "settlement": {one.id: _settled(snapshot, one) for one in snapshot.invoices},
    }


def _applications(allocations: Iterable[Allocation], shown: Shown) -> Facts:
    """What each parent says of each document: (parent, document) -> amount, as the ledger writes it."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in allocations:
        for identity, amount in ((one.target_id, one.target_amount), (one.source_id, one.amount)):
            parts = parse_record_id(identity)
            if parts is None or identity == one.parent_id:
                continue
            entry = parts.kind == RecordKind.ADJUSTMENT
            settles = identity == one.source_id and entry
            place = one.parent_id, _entry(identity, shown) if entry else identity
            sums[place] += -amount if settles else amount
    return dict(sums)


def _entry(identity: str, shown: Shown) -> str:
    """The id that an adjustment would have if an entry had no lines."""
    parts = parse_record_id(identity)
    assert parts is not None, identity
    return record_id(parts.platform, parts.tenant, RecordKind.ADJUSTMENT, shown.entry(parts.remote_id))


def _settled(snapshot: Snapshot, invoice: Invoice) -> Settlement:
    sources: dict[str, Payment | CreditNote] = {one.id: one for one in snapshot.payments}
    sources.update({one.id: one for one in snapshot.credit_notes})
    accounts: set[str] = set()
    if snapshot.organization is not None:
        for field in snapshot.organization.custom_fields:
            if field.name == "bad_debt_accounts":
                accounts.update(str(field.value).split(","))
    return settlement(invoice, snapshot.allocations, sources, accounts)
