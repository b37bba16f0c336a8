"""What is true? The books as plain facts, computed from the documents and never through a serializer; and whether they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from ar_connectors.testkit.ledger.book import Ledger
from ar_connectors.testkit.ledger.money import ZERO, minus, plus
from ar_connectors.testkit.ledger.records import Document, Invoice, Kind

__all__ = ["OpenInvoice", "Truth", "check", "truth"]


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice that is not settled."""

    id: str
    customer: str
    number: str | None
    currency: str
    issued: str
    due: str | None
    """ISO dates."""
    total: Decimal
    open: Decimal
    deposit: Decimal
    """Already taken off `open`."""
    expected: str | None
    """When the bookkeeper expects the money."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The facts. Ids are the ledger's, which the emulators show as they are (QuickBooks) or derive theirs from."""

    balances: dict[tuple[str, str], Decimal]
    """(customer, currency) to what is owed after credits, deposits and unapplied money; zero left out."""
    open_invoices: dict[str, OpenInvoice]
    invoices: int
    voided: frozenset[str]
    """Invoices and credit notes that were voided, and payments and deposits."""
    deleted: frozenset[tuple[str, str]]
    """(kind, id)."""
    allocations: frozenset[tuple[str, str, str, Decimal]]
    """(payment, kind of the other document, its id, amount applied); several lines to one document are one."""
    inactive: frozenset[str]
    """Customers."""
    notes: dict[str, str | None]
    """Texts of the attached notes."""


def truth(ledger: Ledger) -> Truth:
    """The facts as they are now."""
    balances: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for invoice in ledger.invoices.values():
        key = (invoice.customer, invoice.currency)
        balances[key] = plus(balances[key], invoice.open)
    for credit in ledger.credits.values():
        key = (credit.customer, credit.currency)
        balances[key] = minus(balances[key], credit.open)
    for payment in ledger.payments.values():
        key = (payment.customer, payment.currency)
        balances[key] = minus(balances[key], payment.unapplied)
    for deposit in ledger.deposits.values():
        key = (deposit.customer, deposit.currency)
        balances[key] = minus(balances[key], deposit.open)
    for journal in ledger.journals.values():
        key = (journal.customer, journal.currency)
        balances[key] = plus(balances[key], journal.open)
    applied: defaultdict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for payment in ledger.payments.values():
        for part in payment.applications:
            place = (payment.id, part.kind, part.id)
            applied[place] = plus(applied[place], part.amount)
    return Truth(
        balances={key: amount for key, amount in balances.items() if amount},
        open_invoices={one.id: _open(one) for one in ledger.invoices.values() if one.open},
        invoices=len(ledger.invoices),
        voided=frozenset(
            record.id
            for table in (ledger.invoices, ledger.credits, ledger.payments, ledger.deposits)
            for record in table.values()
            if record.voided
        ),
        deleted=frozenset((one.kind, one.id) for one in ledger.deletions),
        allocations=frozenset((*place, amount) for place, amount in applied.items()),
        inactive=frozenset(one.id for one in ledger.customers.values() if not one.active),
        notes={note.id: note.text for note in ledger.notes.values()},
    )


def _open(invoice: Invoice) -> OpenInvoice:
    return OpenInvoice(
        id=invoice.id,
        customer=invoice.customer,
        number=invoice.number,
        currency=invoice.currency,
        issued=invoice.issued.isoformat(),
        due=invoice.due.isoformat() if invoice.due is not None else None,
        total=invoice.total,
        open=invoice.open,
        deposit=invoice.deposit,
        expected=invoice.expected.isoformat() if invoice.expected is not None else None,
    )


def check(ledger: Ledger) -> list[str]:
    """What does not agree in the books; an empty list when all does."""
    used: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    owed: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    wrong = [*_wrong_payments(ledger, used, owed), *_wrong_documents(ledger, used, owed)]
    for journal in ledger.journals.values():
        owed[journal.customer] = plus(owed[journal.customer], journal.open)
        if journal.applied != used["journal", journal.id]:
            wrong.append(f"journal {journal.id} has {journal.applied} applied, payments say otherwise")
    for deposit in ledger.deposits.values():
        owed[deposit.customer] = minus(owed[deposit.customer], deposit.open)
        if deposit.applied != used["deposit", deposit.id] or deposit.open < 0:
            wrong.append(f"deposit {deposit.id} has {deposit.applied} applied, payments say otherwise")
    wrong += [
        f"customer {one.id} shows {one.balance}, the documents {owed[one.id]}"
        for one in ledger.customers.values()
        if one.balance != owed[one.id]
    ]
    wrong += [
        f"{one.kind} {one.id} is deleted and still there"
        for one in ledger.deletions
        if one.id in ledger.shelf(one.kind)
    ]
    return wrong + _wrong_log(ledger)


def _wrong_log(ledger: Ledger) -> list[str]:
    """Records of which the log tells another version than they have, or that it has never heard of."""
    told = {(entry.kind, entry.id): (entry.version, entry.what) for entry in ledger.log}
    return [
        f"the log says {told.get((kind, identity))} of {kind} {identity}, which has version {record.version}"
        for kind in get_args(Kind)
        for identity, record in ledger.shelf(kind).items()
        if (last := told.get((kind, identity))) is None or last[0] != record.version or last[1] == "deleted"
    ]


def _wrong_payments(
    ledger: Ledger, used: defaultdict[tuple[str, str], Decimal], owed: defaultdict[str, Decimal]
) -> Iterator[str]:
    """Payments that give what they do not have; `used` and `owed` take up what they give."""
    for payment in ledger.payments.values():
        owed[payment.customer] = minus(owed[payment.customer], payment.unapplied)
        if payment.unapplied < 0:
            yield f"payment {payment.id} gives {-payment.unapplied} more than it has"
        if payment.voided and (
            payment.unapplied or any(part.kind != "journal" for part in payment.applications)
        ):
            yield f"payment {payment.id} is voided and still counts"
        for part in payment.applications:
            used[part.kind, part.id] = plus(used[part.kind, part.id], part.amount)
            if payment.id not in ledger.links[part.kind, part.id]:
                yield f"payment {payment.id} is not linked back from {part.kind} {part.id}"
            if part.id not in ledger.shelf(part.kind):
                yield f"payment {payment.id} is applied to {part.kind} {part.id}, which is gone"


def _wrong_documents(
    ledger: Ledger, used: defaultdict[tuple[str, str], Decimal], owed: defaultdict[str, Decimal]
) -> Iterator[str]:
    """Invoices and credit notes whose figures contradict the payments or themselves."""
    tables: tuple[tuple[str, Mapping[str, Document], int], ...] = (
        ("invoice", ledger.invoices, 1),
        ("credit", ledger.credits, -1),
    )
    for kind, table, sign in tables:
        for record in table.values():
            owed[record.customer] = plus(owed[record.customer], sign * record.open)
            if record.applied != used[kind, record.id]:
                yield f"{kind} {record.id} has {record.applied} applied, payments say {used[kind, record.id]}"
            if not 0 <= record.open <= record.total:
                yield f"{kind} {record.id} of {record.total} has {record.open} open"
            if record.voided and record.total:
                yield f"{kind} {record.id} is voided and of {record.total}"
            if record.currency != ledger.customer(record.customer).currency:
                yield f"{kind} {record.id} is not in its customer's currency"
