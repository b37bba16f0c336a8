"""What is in the books? Plain records of one company's receivables; only `Ledger` changes them.

Money is Decimal in the record's own currency. Instants are aware UTC, dates have no time of day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from ar_connectors.testkit.ledger.money import ZERO, minus, total

__all__ = [
    "Account",
    "Application",
    "Change",
    "CreditNote",
    "Customer",
    "Deletion",
    "Deposit",
    "Document",
    "Invoice",
    "Item",
    "Journal",
    "Kind",
    "Line",
    "Note",
    "Payment",
    "Record",
    "Settings",
    "Stand",
    "Subsidiary",
    "Term",
]

Kind = Literal[
    "customer",
    "invoice",
    "credit",
    "payment",
    "journal",
    "deposit",
    "note",
    "term",
    "account",
    "item",
    "subsidiary",
]


@dataclass(slots=True, kw_only=True)
class Record:
    """What every record has."""

    id: str
    created: datetime
    updated: datetime
    version: int = 0
    """Counts the changes an ERP would count (its SyncToken)."""
    revision: int = 0
    """Counts every change of what a reader would see, also those that leave `version` alone; for caches."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields that a client wrote and the ledger has no use for, by the writer's names."""


@dataclass(slots=True, kw_only=True)
class Term(Record):
    """Payment terms."""

    name: str
    due_days: int
    active: bool = True


@dataclass(slots=True, kw_only=True)
class Account(Record):
    """A ledger account."""

    name: str
    type: str
    detail: str
    currency: str
    active: bool = True


@dataclass(slots=True, kw_only=True)
class Item(Record):
    """What is sold: a line that names it is booked on its account."""

    name: str
    account: str
    active: bool = True


@dataclass(slots=True, kw_only=True)
class Subsidiary(Record):
    """A company of the group, with books in its own currency."""

    name: str
    currency: str
    parent: str | None = None
    country: str = "US"
    active: bool = True


@dataclass(slots=True, kw_only=True)
class Customer(Record):
    """Who owes."""

    name: str
    currency: str
    parent: str | None = None
    active: bool = True
    email: str | None = None
    phone: str | None = None
    contact: str | None = None
    street: str | None = None
    city: str | None = None
    term: str | None = None
    notes: str | None = None
    subsidiary: str | None = None
    """That it belongs to, where there are several; what is booked for it is booked there unless told."""
    merged_into: str | None = None
    """The customer that this one turned out to be."""
    balance: Decimal = ZERO
    """Running: open invoices and debit journals minus unapplied credits and payments. `check` compares it to the documents."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document: net amount and what it was for. `account` names the ledger account when it is special."""

    amount: Decimal
    description: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    account: str | None = None


@dataclass(slots=True, kw_only=True)
class Document(Record):
    """What invoices and credit notes share."""

    customer: str
    currency: str
    rate: Decimal = Decimal(1)
    """Home units (of the subsidiary, where there are several) for one unit of the currency."""
    subsidiary: str | None = None
    number: str | None
    issued: date
    lines: tuple[Line, ...]
    tax: Decimal = ZERO
    applied: Decimal = ZERO
    """Running: how much of it payments have used up."""
    memo: str | None = None
    voided: bool = False
    was: tuple[tuple[Line, ...], Decimal] | None = None
    """Lines and tax before it was voided."""

    @property
    def net(self) -> Decimal:
        """Sum of the lines."""
        return total(line.amount for line in self.lines)

    @property
    def total(self) -> Decimal:
        """Lines and tax."""
        return total((*(line.amount for line in self.lines), self.tax))

    @property
    def claim(self) -> Decimal:
        """What it adds to (invoice) or takes off (credit note) the customer's balance before anything is applied."""
        return self.total

    @property
    def open(self) -> Decimal:
        """What is not yet applied."""
        return minus(self.claim, self.applied)


@dataclass(slots=True, kw_only=True)
class Invoice(Document):
    """A bill that was sent."""

    due: date | None = None
    term: str | None = None
    deposit: Decimal = ZERO
    """Paid before the bill was written, and taken off on its face; no payment names it."""
    returned: Decimal = ZERO
    """The deposit it had before it was voided."""
    expected: date | None = None
    """When the bookkeeper expects the money, where the ERP has a place for it (Xero, NetSuite)."""

    @property
    def claim(self) -> Decimal:
        """The total without the deposit."""
        return minus(self.total, self.deposit) if self.deposit else self.total


@dataclass(slots=True, kw_only=True)
class CreditNote(Document):
    """Reduces what is owed; its amounts are positive."""


@dataclass(frozen=True, slots=True)
class Application:
    """A part of a payment's lines: `invoice` and positive `journal` are settled; `credit`, `deposit` and negative `journal`
    settle."""

    kind: Literal["invoice", "credit", "journal", "deposit"]
    id: str
    amount: Decimal

    @property
    def demand(self) -> Decimal:
        """What it asks of the payment's money: negative when it brings some."""
        return -self.amount if self.kind in {"credit", "deposit"} else self.amount


class Stand(NamedTuple):
    """How a payment stood until an instant."""

    until: datetime
    total: Decimal
    applications: tuple[Application, ...]


@dataclass(slots=True, kw_only=True)
class Payment(Record):
    """Money received; of zero when it only applies a credit or a deposit."""

    customer: str
    currency: str
    rate: Decimal = Decimal(1)
    subsidiary: str | None = None
    received: date
    total: Decimal
    applications: tuple[Application, ...] = ()
    reference: str | None = None
    method: str | None = None
    memo: str | None = None
    voided: bool = False
    earlier: tuple[Stand, ...] = ()
    """How it stood before its money or its applications changed, for ERPs that keep what was undone."""

    @property
    def used(self) -> Decimal:
        """Money that is applied: what is settled minus what credits and deposits settle of it."""
        return total(part.demand for part in self.applications)

    @property
    def unapplied(self) -> Decimal:
        """Money on account."""
        return minus(self.total, self.used)


@dataclass(slots=True, kw_only=True)
class Deposit(Record):
    """Money taken before there was an invoice: a debt to the customer until a payment of zero applies it."""

    customer: str
    currency: str
    rate: Decimal = Decimal(1)
    subsidiary: str | None = None
    number: str | None
    received: date
    total: Decimal
    applied: Decimal = ZERO
    method: str | None = None
    memo: str | None = None
    voided: bool = False

    @property
    def open(self) -> Decimal:
        """What is not yet applied."""
        return minus(self.total, self.applied)


@dataclass(slots=True, kw_only=True)
class Journal(Record):
    """A journal entry with one line on receivables: positive `amount` (a debit) raises what the customer owes."""

    customer: str
    currency: str
    rate: Decimal = Decimal(1)
    subsidiary: str | None = None
    reverses: tuple[Kind, str] | None = None
    """The record it undoes."""
    number: str | None
    posted: date
    amount: Decimal
    account: str
    """The other side."""
    applied: Decimal = ZERO
    memo: str | None = None

    @property
    def open(self) -> Decimal:
        """What no payment has settled; signed like `amount`."""
        return minus(self.amount, self.applied)


@dataclass(slots=True, kw_only=True)
class Note(Record):
    """A note or a file hung on records."""

    text: str | None
    file: str | None = None
    on: tuple[tuple[Kind, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Deletion:
    """That something was deleted."""

    kind: Kind
    id: str
    at: datetime


class Change(NamedTuple):
    """One entry of the log."""

    at: datetime
    what: Literal["created", "changed", "voided", "deleted", "settled"]
    """`settled`: a payment was applied to the record or let go of it."""
    kind: Kind
    id: str
    version: int
    """The version the change left behind."""


@dataclass(slots=True, kw_only=True)
class Settings:
    """The company."""

    name: str = "Larkspur Trading"
    country: str = "US"
    zone: str = "America/Los_Angeles"
    home_currency: str = "USD"
    multicurrency: bool = False
    closed_through: date | None = None
    """Books are closed up to and including this day."""
    deposits: bool = False
    """Customers can pay before there is an invoice. Not every ERP has a place for that."""
    online_payments: bool = False
    """Customers can pay an invoice by a link on it."""
    lapsed: bool = False
    """The subscription ended: reads work, writes do not."""
