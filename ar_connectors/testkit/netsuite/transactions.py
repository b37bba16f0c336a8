"""What are the books' records as NetSuite's transactions? One shape for invoices, credit memos, payments, deposits, deposit
applications and journal entries, with the lines they post.

A payment of zero is no transaction here: what it applies, a credit memo or a journal entry, is linked to the invoice itself. If it
applies a deposit, it is a deposit application.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ar_connectors.testkit.ledger import CreditNote, Deposit, Invoice, Journal, Ledger, Payment
from ar_connectors.testkit.ledger.money import ZERO, minus, rounded, total
from ar_connectors.testkit.ledger.pairs import pairs
from ar_connectors.testkit.ledger.records import Kind, Record

__all__ = [
    "KINDS",
    "TYPES",
    "Edge",
    "Transaction",
    "TransactionLine",
    "applies_deposit",
    "edges",
    "in_base",
    "lines_of",
    "status_text",
    "transaction_of",
    "type_text",
]

_Document = Invoice | CreditNote | Payment | Deposit | Journal

KINDS: Final[tuple[Kind, ...]] = ("invoice", "credit", "payment", "deposit", "journal")
"""The kinds of the books that become transactions."""

TYPES: Final = {
    "CustInvc": ("invoice", "Invoice"),
    "CustCred": ("creditmemo", "Credit Memo"),
    "CustPymt": ("customerpayment", "Payment"),
    "CustDep": ("customerdeposit", "Customer Deposit"),
    "DepAppl": ("depositapplication", "Deposit Application"),
    "Journal": ("journalentry", "Journal"),
}
"""By code: the record type, and what people call it."""

_STATUSES: Final = {
    "CustInvc": {"A": "Open", "B": "Paid In Full", "D": "Pending Approval", "E": "Rejected", "V": "Voided"},
    "CustCred": {"A": "Open", "B": "Fully Applied", "V": "Voided"},
    "CustPymt": {"A": "Unapproved Payment", "B": "Not Deposited", "C": "Deposited", "V": "Voided"},
    "CustDep": {"A": "Not Deposited", "B": "Deposited", "C": "Fully Applied", "V": "Voided"},
    "Journal": {"A": "Pending Approval", "B": "Approved for Posting", "V": "Voided"},
}


def type_text(code: str | None) -> str | None:
    """What people call a type."""
    return TYPES[code][1] if code in TYPES else None


def status_text(code: str | None, status: str | None, *, bare: bool = False) -> str | None:
    """What people call a status: with the type before it in SuiteQL, `bare` on the record."""
    label = _STATUSES.get(code or "", {}).get(status or "")
    return label if label is None or bare else f"{type_text(code)} : {label}"


@dataclass(slots=True)
class Transaction:
    """One transaction; amounts are positive and in its own currency."""

    record: Record
    type: str
    customer: str
    """Whose it is; for journal entries the entity of the line on receivables."""
    currency: str
    rate: Decimal
    subsidiary: str | None
    number: str | None
    day: date
    total: Decimal
    open: Decimal
    """Of what is paid: unpaid; of what settles: unused."""
    status: str | None
    memo: str | None
    voided: bool = False
    due: date | None = None
    term: str | None = None
    closed: date | None = None
    settles: bool = False
    """Whether it pays rather than is paid."""
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The internal id."""
        return self.record.id

    @property
    def used(self) -> Decimal:
        """What is paid of it, or used."""
        return minus(self.total, self.open)


def transaction_of(ledger: Ledger, record: Record) -> Transaction | None:
    """A record of the books as a transaction; None for one that is none."""
    match record:
        case Invoice():
            status = "D" if record.extra.get("approvalStatus") == "1" else "A" if record.open else "B"
            return _made(
                "CustInvc",
                record,
                number=record.number,
                day=record.issued,
                total=record.total,
                open=record.open,
                status="V" if record.voided else status,
                voided=record.voided,
                due=record.due or record.issued,
                term=record.term,
                closed=None if record.open else _closed(ledger, record),
                settles=False,
            )
        case CreditNote():
            return _made(
                "CustCred",
                record,
                number=record.number,
                day=record.issued,
                total=record.total,
                open=record.open,
                status="V" if record.voided else "A" if record.open else "B",
                voided=record.voided,
            )
        case Payment():
            return _payment(record)
        case Deposit():
            return _made(
                "CustDep",
                record,
                number=record.number or f"CD{record.id}",
                day=record.received,
                total=record.total,
                open=record.open,
                status="V" if record.voided else "B" if record.open else "C",
                voided=record.voided,
            )
        case Journal():
            return _made(
                "Journal",
                record,
                number=record.number or f"JE{record.id}",
                day=record.posted,
                total=abs(record.amount),
                open=abs(record.open),
                status="B",
                settles=record.amount < 0,
            )
    return None


def _made(type_: str, record: _Document, *, settles: bool = True, **more: Any) -> Transaction:
    """A transaction with what all kinds of records have."""
    return Transaction(
        record,
        type_,
        record.customer,
        record.currency,
        record.rate,
        record.subsidiary,
        memo=record.memo,
        settles=settles,
        extra=record.extra,
        **more,
    )


def _closed(ledger: Ledger, invoice: Invoice) -> date:
    """When the last payment came."""
    days = [ledger.payments[one].received for one in ledger.links.get(("invoice", invoice.id), ())]
    return max(days, default=invoice.issued)


def applies_deposit(payment: Payment) -> bool:
    """Whether a payment is the application of a deposit, or was one."""
    stands = (payment.applications, *(stand.applications for stand in payment.earlier))
    return any(part.kind == "deposit" for parts in stands for part in parts)


def _payment(one: Payment) -> Transaction | None:
    """A payment, a deposit application, or nothing."""
    if applies_deposit(one):
        used = total(part.amount for part in one.applications if part.kind == "invoice")
        return _made(
            "DepAppl", one, number=f"DA{one.id}", day=one.received, total=used, open=ZERO, status=None
        )
    if not one.total and not one.voided:
        return None
    return _made(
        "CustPymt",
        one,
        number=f"PYMT{one.id}",
        day=one.received,
        total=one.total,
        open=one.unapplied,
        status="V" if one.voided else "C",
        voided=one.voided,
    )


# ---- lines


class TransactionLine(NamedTuple):
    """A line: a debit is positive. `receivable` lines are on accounts receivable, and carry what is open."""

    id: int
    main: bool
    account: str
    amount: Decimal
    memo: str | None = None
    receivable: bool = False
    open_here: bool = False
    """Whether what is unpaid or unused is shown on it."""
    tax: bool = False
    quantity: Decimal | None = None
    price: Decimal | None = None


def lines_of(ledger: Ledger, transaction: Transaction) -> Iterator[TransactionLine]:
    """The lines of a transaction, in balance."""
    sign = -1 if transaction.settles else 1
    whole, memo = sign * transaction.total, transaction.memo
    receivable = ledger.account("AccountsReceivable", transaction.currency).id
    match transaction.type:
        case "CustInvc" | "CustCred":
            yield TransactionLine(0, True, receivable, whole, memo, receivable=True, open_here=True)
            yield from _document_lines(ledger, transaction, sign)
        case "CustPymt":
            bank = ledger.account("UndepositedFunds").id
            yield TransactionLine(0, True, bank, -whole, memo)
            yield TransactionLine(1, False, receivable, whole, memo, receivable=True, open_here=True)
        case "CustDep":
            yield TransactionLine(0, True, ledger.account("UndepositedFunds").id, -whole, memo)
            yield TransactionLine(
                1, False, ledger.account("CustomerDeposits").id, whole, memo, open_here=True
            )
        case "DepAppl":
            yield TransactionLine(0, True, ledger.account("CustomerDeposits").id, -whole, memo)
            yield TransactionLine(1, False, receivable, whole, memo, receivable=True, open_here=True)
        case "Journal":
            assert isinstance(transaction.record, Journal)  # noqa: S101  narrows for the type checker
            yield TransactionLine(0, False, receivable, whole, memo, receivable=True, open_here=True)
            yield TransactionLine(1, False, transaction.record.account, -whole, memo)


def _document_lines(ledger: Ledger, transaction: Transaction, sign: int) -> Iterator[TransactionLine]:
    document = transaction.record
    assert isinstance(document, Invoice | CreditNote)  # noqa: S101  narrows for the type checker
    sales = ledger.account("SalesOfProductIncome").id
    place = 0
    for place, line in enumerate(document.lines, start=1):
        yield TransactionLine(
            place,
            False,
            line.account or sales,
            -sign * line.amount,
            line.description or None,
            quantity=None if line.quantity is None else -sign * line.quantity,
            price=line.price,
        )
    if document.tax:
        yield TransactionLine(place + 1, False, sales, -sign * document.tax, "Sales tax", tax=True)


def in_base(transaction: Transaction, amount: Decimal) -> Decimal:
    """An amount in the subsidiary's currency."""
    return amount if transaction.rate == 1 else rounded(amount, transaction.rate)


# ---- links


class Edge(NamedTuple):
    """That one transaction's amount was used for another."""

    previous: tuple[Kind, str]
    next: tuple[Kind, str]
    kind: str
    amount: Decimal


def edges(payment: Payment) -> Iterator[Edge]:
    """What a payment applies, as links. Those of a voided payment stay, with nothing in them."""
    parts = payment.applications
    if payment.voided and not payment.total and payment.earlier:
        for stand in payment.earlier[-1:]:
            for pair in pairs(payment, stand.applications):
                yield Edge(pair.of, pair.by, "Payment", ZERO)
        return
    applied = applies_deposit(payment)
    for pair in pairs(payment, parts):
        by: tuple[Kind, str] = ("payment", payment.id) if applied and pair.by[0] == "deposit" else pair.by
        yield Edge(pair.of, by, "Payment", pair.amount)
        if applied and pair.by[0] == "deposit":
            yield Edge(pair.by, ("payment", payment.id), "DepAppl", pair.amount)
