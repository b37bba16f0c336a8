"""What is known about one account? All of its records, and of each open invoice what is asked of it again and again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any, Final

from ar_core.calendar import Calendar
from ar_core.model.activity import Dispute, Pause, Promise, Touch
from ar_core.model.base import fields_of, reader
from ar_core.model.documents import CreditNote, DocumentStatus, Invoice
from ar_core.model.money import ZERO
from ar_core.model.parties import Contact, Customer
from ar_core.model.profile import CustomerProfile
from ar_core.model.settlements import Adjustment, Allocation, Payment
from ar_core.promises import PromiseTerms, PromiseVerdict, judge_customer_promises

__all__ = [
    "BALANCE",
    "CURRENCY",
    "DEBTS",
    "DUE",
    "ID",
    "INVOICE",
    "NEVER_CHASED",
    "NOBODY",
    "OWNED",
    "OWNER",
    "PLACE",
    "RECORDS",
    "SELLER",
    "SINCE",
    "SOURCES",
    "SUBJECT",
    "AccountFacts",
    "ClosedRow",
    "Ledger",
    "OpenRow",
    "Subject",
    "debtors",
    "open_and_closed",
]

_NONE: Final[tuple[()]] = ()
OWNED: Final = (
    "profiles",
    "contacts",
    "credit_notes",
    "payments",
    "adjustments",
    "promises",
    "disputes",
    "touches",
    "pauses",
)
"""Kinds of records of a snapshot that name their customer."""
DEBTS: Final = ("promises", "disputes")
"""Of them those that may name only an invoice; its customer is theirs."""
SOURCES: Final = ("payments", "credit_notes", "adjustments")
"""Of them those that allocations come from."""
RECORDS: Final = ("ancestors", "open_rows", "closed_rows", "ancestor_profiles", *OWNED)
"""What an account's facts are made of, beside who it is and the book they stand in."""
NOBODY: Final = ""
"""Whose the invoices without a customer are."""

Subject = str | tuple[str, int]
"""An invoice at one version of its due date (E10): its id, or id and version once the date was changed."""

OpenRow = tuple[Any, ...]
"""An open invoice as a run wants it, a plain tuple because there are very many; the names below say what stands where.

Its ten types are not spelled out: where the evaluator is compiled, a tuple of known types is taken apart into all of its values each
time that one of them is looked at.
"""

ClosedRow = tuple[Invoice, str, date | None, Decimal]
"""An invoice with nothing open: the record, its id, and what a settled one is judged by: its due date (None where it is not judged,
because it has none, was for nothing or is not posted) and its total."""

INVOICE: Final = 0
"""The record (`Invoice`), in both kinds of rows."""
ID: Final = 1
"""Text."""
OWNER: Final = 2
"""The id of its customer; None where it has none."""
SUBJECT: Final = 3
"""A `Subject`."""
BALANCE: Final = 4
"""What is open, a `Decimal`."""
CURRENCY: Final = 5
"""Text or None."""
DUE: Final = 6
"""The contractual due date as a day number; None where there is none."""
SINCE: Final = 7
"""The day number from which on it may be chased: that of its issue date, 0 where there is none; `NEVER_CHASED` where it is not posted
or has no balance above zero."""
SELLER: Final = 8
"""The legal entity of the seller (`subsidiary_id`), text or None."""
PLACE: Final = 9
"""Its place among the open invoices that were read together with it."""

NEVER_CHASED: Final = date.max.toordinal() + 1
"""A day that never comes."""

_read_days: Final = reader("applied_on")
_read_owner: Final = reader("customer_id")


def open_and_closed(
    invoices: Sequence[Invoice],
) -> tuple[dict[str, list[OpenRow]], dict[str, list[ClosedRow]]]:
    """By customer (`NOBODY` for None): the rows of open invoices, which have a balance or are of unknown status; and of the others.

    An invoice is a large record somewhere in memory, so all that a run asks of it is read here, at once, in the order in which the
    invoices were made; a run that came back to it account by account would wait for it again (1.5 microseconds each, measured).
    """
    posted, unknown, nothing = DocumentStatus.POSTED, DocumentStatus.UNKNOWN, ZERO
    opened: defaultdict[str, list[OpenRow]] = defaultdict(list)
    closed: defaultdict[str, list[ClosedRow]] = defaultdict(list)
    numbers: dict[Any, Any] = {None: None}
    place = 0
    for invoice in invoices:
        fields = fields_of(invoice)
        invoice_id, customer_id, balance = fields["id"], fields["customer_id"], fields["balance_due"]
        due, status = fields["due_date"], fields["document_status"]
        if not balance and status is not unknown:
            total = fields["total"]
            judged = due if total and status is posted else None
            closed[customer_id or NOBODY].append((invoice, invoice_id, judged, total))
            continue
        version, issued = fields["due_version"], fields["issue_date"]
        try:
            due_on = _number_of(due, numbers)
            since: Any = NEVER_CHASED
            if status is posted and balance > nothing:
                since = 0 if issued is None else _number_of(issued, numbers)
        except (AttributeError, TypeError):
            # A value of a wrong type: what is not chased is looked at again, and that fails for its account alone (E50).
            due_on, since = None, NEVER_CHASED
        opened[customer_id or NOBODY].append(
            (
                invoice,
                invoice_id,
                customer_id,
                (invoice_id, version) if version else invoice_id,
                balance,
                fields["currency"],
                due_on,
                since,
                fields["subsidiary_id"],
                place,
            )
        )
        place += 1
    return opened, closed


def _number_of(day: Any, numbers: dict[Any, Any]) -> Any:
    """The number of a day, the same object each time: few days come up, and accounts find their numbers near at hand."""
    found = numbers.get(day)
    if found is None and day is not None:
        found = numbers[day] = day.toordinal()
    return found


class Ledger:
    """Allocations by target, and what they come from, by id."""

    def __init__(
        self,
        allocations: dict[str, list[Allocation]],
        sources: dict[str, Payment | CreditNote | Adjustment],
    ) -> None:
        self._allocations: dict[str, list[Allocation]] | None = allocations
        self._sources: dict[str, Payment | CreditNote | Adjustment] | None = sources

    @property
    def allocations(self) -> dict[str, list[Allocation]]:
        """Allocations by target id."""
        return self._allocations or {}

    def last_applied(self, invoice_id: str) -> date | None:
        """The last day on which something was applied to an invoice; None where no day is known."""
        days = [day for day in _read_days(self.allocations.get(invoice_id, ())) if day is not None]
        return max(days, default=None)

    @property
    def sources(self) -> dict[str, Payment | CreditNote | Adjustment]:
        """Payments, credit notes and adjustments by id."""
        return self._sources or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Ledger, (self.allocations, self.sources)


class AccountFacts:
    """All that is known about one account: the only input, besides policy, tiers and as-of, of its evaluation."""

    __slots__ = ("book", "customer", "id", "members", *RECORDS)

    def __init__(
        self,
        account_id: str,
        book: Ledger,
        customer: Customer | None = None,
        members: Sequence[Customer] = _NONE,
    ) -> None:
        self.id = account_id
        self.book = book
        self.customer = customer
        self.members = members
        """The customers whose invoices it receives."""
        self.ancestors: Sequence[str] = _NONE
        """Ids of parents above it, for stops that cover a tree (E40)."""
        self.open_rows: Sequence[OpenRow] = _NONE
        self.closed_rows: Sequence[ClosedRow] = _NONE
        self.contacts: Sequence[Contact] = _NONE
        self.profiles: Sequence[CustomerProfile] = _NONE
        """Its own first, then its members'."""
        self.ancestor_profiles: Sequence[CustomerProfile] = _NONE
        self.credit_notes: Sequence[CreditNote] = _NONE
        self.payments: Sequence[Payment] = _NONE
        self.adjustments: Sequence[Adjustment] = _NONE
        self.promises: Sequence[Promise] = _NONE
        self.disputes: Sequence[Dispute] = _NONE
        self.touches: Sequence[Touch] = _NONE
        self.pauses: Sequence[Pause] = _NONE

    def holding(self, records: Mapping[str, Sequence[Any]]) -> AccountFacts:
        """Itself, given these records, by the names of its attributes."""
        for name, found in records.items():
            setattr(self, name, found)
        return self

    @property
    def open_invoices(self) -> list[Invoice]:
        """With a balance, or of unknown status."""
        return [row[INVOICE] for row in self.open_rows]

    @property
    def closed_invoices(self) -> list[Invoice]:
        """With nothing open."""
        return [row[INVOICE] for row in self.closed_rows]

    @property
    def country(self) -> str | None:
        """The account's country."""
        return self.customer.country if self.customer is not None else None

    def allocations(self, invoice_id: str) -> Sequence[Allocation]:
        """What was applied to an invoice."""
        return self.book.allocations.get(invoice_id, _NONE)

    def judged(
        self, today: date, terms: PromiseTerms, calendar: Calendar, zone: tzinfo
    ) -> list[PromiseVerdict]:
        """Its promises, judged on a day of the organization, whose zone is given (E33-E36)."""
        if not self.promises:
            return []
        return judge_customer_promises(
            self.promises,
            [*self.open_invoices, *self.closed_invoices],
            self.book.allocations,
            self.book.sources,
            self.payments,
            today,
            terms=terms,
            calendar=calendar,
            country=self.country,
            zone=zone,
        )

    def within(self, book: Ledger) -> AccountFacts:
        """The same facts as part of another book."""
        if self.book is book:
            return self
        own = AccountFacts(self.id, book, self.customer, self.members)
        return own.holding({name: getattr(self, name) for name in RECORDS})

    def detached(self) -> AccountFacts:
        """The same facts without the rest of the book: small enough to be sent to another process."""
        invoices = [*self.open_invoices, *self.closed_invoices]
        allocations = {i.id: list(rows) for i in invoices if (rows := self.allocations(i.id))}
        wanted: Iterable[str] = {row.source_id for rows in allocations.values() for row in rows}
        sources = {i: source for i in wanted if (source := self.book.sources.get(i)) is not None}
        return self.within(Ledger(allocations, sources))

    def __reduce__(self) -> tuple[Any, ...]:
        records = {name: getattr(self, name) for name in RECORDS}
        return _received, (self.id, self.book, self.customer, self.members, records)


def debtors(debts: Sequence[Any], invoices: Iterable[Invoice]) -> list[str | None]:
    """Whose each of these promises or disputes is: its customer's, or that of the first invoice it names which has one."""
    owners = list(_read_owner(debts))
    if None not in owners:
        return owners
    of = {i.id: i.customer_id for i in invoices}
    return [
        owner or next((found for i in _invoices_of(record) if (found := of.get(i))), None)
        for record, owner in zip(debts, owners, strict=True)
    ]


def _invoices_of(debt: Any) -> Sequence[str]:
    """The invoices a promise or a dispute is about."""
    several: Sequence[str] | None = getattr(debt, "invoice_ids", None)
    return (debt.invoice_id,) if several is None else several


def _received(
    account_id: str,
    book: Ledger,
    customer: Customer | None,
    members: Sequence[Customer],
    records: Mapping[str, Sequence[Any]],
) -> AccountFacts:
    """An account's facts as they come from another process."""
    return AccountFacts(account_id, book, customer, members).holding(records)
