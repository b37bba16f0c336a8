"""Which facts belong to which account? A snapshot, indexed once, handed out account by account, and carried on to the next snapshot.

An account is who receives the messages: a customer, or the parent it is billed with (E46).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, Final, Literal, TypeVar

from ar_core.cadence.facts import (
    DEBTS,
    ID,
    INVOICE,
    NOBODY,
    OWNED,
    SOURCES,
    AccountFacts,
    Ledger,
    OpenRow,
    debtors,
    open_and_closed,
)
from ar_core.cadence.index import Index, difference, grouped, without
from ar_core.model.base import fields_of, reader
from ar_core.model.documents import CreditNote, Invoice
from ar_core.model.parties import Customer
from ar_core.model.settlements import Adjustment, Allocation, Payment
from ar_core.model.snapshot import Snapshot

__all__ = ["AccountFacts", "Accounts", "Book", "CollectAt", "Ledger"]

_NONE: Final[tuple[()]] = ()

CollectAt = Literal["customer", "bill_to", "parent"]

T = TypeVar("T")
_owners: Final = reader("customer_id")
_ids: Final = reader("id")
_read_parents: Final = reader("id", "parent_id")


class Accounts:
    """Which customer's messages go to which account (E46)."""

    def __init__(self, customers: Sequence[Customer], collect_at: CollectAt = "bill_to") -> None:
        self.customers: dict[str, Customer] = dict(zip(_ids(customers), customers, strict=True))
        self._children: dict[str, list[str]] | None = None
        self._elsewhere: dict[str, str] = {}
        """Customers whose messages go to another one."""
        self._members: dict[str, list[Customer]] = {}
        if collect_at != "customer":
            self._find(collect_at)

    def _find(self, collect_at: CollectAt) -> None:
        for customer in self.customers.values():
            if customer.parent_id is None:
                continue
            account = self._top(customer, collect_at == "parent")
            if account is not customer:
                self._elsewhere[customer.id] = account.id
                self._members.setdefault(account.id, []).append(customer)

    def _top(self, customer: Customer, always: bool) -> Customer:
        """Who is billed for a customer: the last one above it, or of a circle the one with the smallest id.

        A circle has no last one, and everybody in it and below it must come to the same, or an invoice is asked for twice.
        `always`: whether a parent is billed for whoever is billed on its own, too.
        """
        passed: dict[str, Customer] = {}
        while customer.id not in passed:
            passed[customer.id] = customer
            above = self.customers.get(customer.parent_id or NOBODY)
            if above is None or not (always or customer.bill_with_parent):
                return customer
            customer = above
        way = list(passed)
        return passed[min(way[way.index(customer.id) :])]

    def of(self, customer_id: str) -> str:
        """The account of a customer; the id itself when the customer is unknown."""
        return self._elsewhere.get(customer_id, customer_id)

    def others(self, account_id: str) -> Sequence[Customer]:
        """The other customers whose messages an account receives."""
        return self._members.get(account_id, _NONE)

    @property
    def children(self) -> Mapping[str, Sequence[str]]:
        """Ids of the customers directly below each; found on first use."""
        if self._children is None:
            found: dict[str, list[str]] = {}
            for customer_id, parent_id in _read_parents(self.customers.values()):
                if parent_id is not None:
                    found.setdefault(parent_id, []).append(customer_id)
            self._children = found
        return self._children

    def ancestors(self, account_id: str) -> tuple[str, ...]:
        """Ids of the parents above a customer, nearest first; in a circle all others of it."""
        found = [account_id]
        customer = self.customers.get(account_id)
        while customer is not None and customer.parent_id is not None and customer.parent_id not in found:
            found.append(customer.parent_id)
            customer = self.customers.get(customer.parent_id)
        return tuple(found[1:])


class Book(Ledger):
    """A snapshot, indexed by account.

    `before`: the book of an earlier snapshot with the same `collect_at`. Records are immutable, so only those that are other objects
    than there are read; the facts of everybody else are taken over as they are.
    """

    def __init__(
        self, snapshot: Snapshot, collect_at: CollectAt = "bill_to", before: Book | None = None
    ) -> None:
        self.snapshot = snapshot
        self.collect_at: CollectAt = collect_at
        kept = before is not None and before.snapshot.customers is snapshot.customers
        self.accounts: Accounts = (
            before.accounts if before is not None and kept else Accounts(snapshot.customers, collect_at)
        )
        self.customers = self.accounts.customers
        self.applied: Index[Allocation] | None = None
        """Allocations by source, once a re-evaluation asked."""
        self.allocated: Index[Allocation] | None = None
        """Allocations by target, once somebody asked."""
        self.known_sources: dict[str, Payment | CreditNote | Adjustment] | None = None
        """What allocations come from, by id, once somebody asked."""
        self._facts: dict[str, AccountFacts] = {}
        """By customer: what is its own."""
        self._last_applied: dict[str, date] | None = None
        self._changes: dict[str, tuple[list[Any], list[Any]]] = {}
        """By kind, the records of the earlier book that are gone, and those that are new."""
        self.has_loose_debts = False
        """Some promise or dispute names no customer: whose it is may change with the invoice it is about."""
        self._follows = before is not None and self._follow(before)
        """It was made from an earlier book, for a run that asks for few accounts."""
        if not self._follows:
            self._read()

    def __reduce__(self) -> tuple[Any, ...]:
        return Book, (self.snapshot, self.collect_at)  # indexed again where it is needed

    def _read(self) -> None:
        """Index everything."""
        snapshot = self.snapshot
        opened, closed = open_and_closed(snapshot.invoices)
        customers = snapshot.customers
        self._facts = {
            i: AccountFacts(i, self, c, (c,)) for i, c in zip(_ids(customers), customers, strict=True)
        }
        self._hand_out("open_rows", opened)
        self._hand_out("closed_rows", closed)
        for name in OWNED:
            records: Sequence[Any] = getattr(snapshot, name)
            found: defaultdict[str | None, list[Any]] = defaultdict(list)
            owners = list(_owners(records))
            if name in DEBTS and None in owners:
                self.has_loose_debts = True
                owners = debtors(records, snapshot.invoices)
            for owner, record in zip(owners, records, strict=True):
                found[owner].append(record)
            found.pop(None, None)
            self._hand_out(name, found)

    def _hand_out(self, name: str, found: Mapping[Any, list[Any]]) -> None:
        """Give each customer its records of a kind."""
        get = self._facts.get
        for owner, records in found.items():
            setattr(get(owner) or self._own(owner), name, records)

    def _own(self, customer_id: str) -> AccountFacts:
        """The facts of a customer that this book may change."""
        own = self._facts.get(customer_id)
        if own is None or own.book is not self:
            own = AccountFacts(customer_id, self) if own is None else own.within(self)
            self._facts[customer_id] = own
        return own

    def _follow(self, before: Book) -> bool:
        """Take over what an earlier book has indexed, and read what is new; False when that is not worth it, or not safe."""
        old, new = before.snapshot, self.snapshot
        if before.has_loose_debts:
            return False
        gone, fresh = difference(old.invoices, new.invoices)
        changes = {
            name: difference(getattr(old, name), getattr(new, name)) for name in (*OWNED, "allocations")
        }
        loose = any(None in _owners(changes[name][1]) for name in DEBTS)
        if loose or 2 * len(fresh) > len(new.invoices):
            return False
        self._facts = dict(before._facts)
        left, came = difference(old.customers, new.customers)
        for customer in left:
            own = self._own(customer.id)
            own.customer, own.members = None, _NONE
        for customer in came:
            own = self._own(customer.id)
            own.customer, own.members = customer, (customer,)
        self._change_invoices(gone, fresh)
        for name in OWNED:
            self._change(name, *changes[name])
        if before.allocated is not None:
            self.allocated = before.allocated.following(new.allocations, changes["allocations"])
        self._changes = changes
        if before.known_sources is not None:
            self.known_sources = _sources_after(before.known_sources, [changes[name] for name in SOURCES])
        return True

    def _change_invoices(self, gone: Sequence[Invoice], fresh: Sequence[Invoice]) -> None:
        lost = {id(invoice) for invoice in gone}
        opened, closed = open_and_closed(fresh)
        for owner in {*opened, *closed, *[customer_id or NOBODY for customer_id in _owners(gone)]}:
            own = self._own(owner)
            rows = [row for row in own.open_rows if id(row[INVOICE]) not in lost]
            others = [row for row in own.closed_rows if id(row[INVOICE]) not in lost]
            # In the order of the snapshot, which is that of the ids: the result must not tell how it was come by.
            own.open_rows = sorted([*rows, *opened.get(owner, _NONE)], key=itemgetter(ID))
            own.closed_rows = sorted([*others, *closed.get(owner, _NONE)], key=itemgetter(ID))

    def _change(self, name: str, gone: Sequence[Any], fresh: Sequence[Any]) -> None:
        lost, new = grouped(gone, _owner), grouped(fresh, _owner)
        for owner in {**lost, **new}:
            own = self._own(owner)
            kept = without(getattr(own, name), lost.get(owner, _NONE))
            setattr(own, name, sorted([*kept, *new.get(owner, _NONE)], key=_identity))

    def changes(self, name: str, old: Snapshot) -> tuple[list[Any], list[Any]]:
        """The records of a kind that only the snapshot of the earlier book has, and those that only this one has."""
        known = self._changes.get(name)
        return difference(getattr(old, name), getattr(self.snapshot, name)) if known is None else known

    def applied_after(self, before: Book) -> dict[str, list[Allocation]]:
        """Allocations by source; indexed once, and then carried on from the earlier book."""
        allocations = before.snapshot.allocations
        index = before.applied = before.applied or Index(allocations, _source)
        self.applied = index.following(
            self.snapshot.allocations, self.changes("allocations", before.snapshot)
        )
        return self.applied.groups

    def invoice_ids(self, customer_id: str) -> list[str]:
        """Ids of a customer's own invoices."""
        own = self._facts.get(customer_id)
        return [] if own is None else [row[ID] for row in (*own.open_rows, *own.closed_rows)]

    def only(self, customer_ids: Collection[str]) -> Snapshot:
        """The snapshot without customers, profiles and payments of others than these."""
        theirs = [own for i in customer_ids if (own := self._facts.get(i)) is not None]
        return self.snapshot.model_copy(
            update={
                "customers": tuple([own.customer for own in theirs if own.customer is not None]),
                "profiles": tuple([profile for own in theirs for profile in own.profiles]),
                "payments": tuple([payment for own in theirs for payment in own.payments]),
            }
        )

    @property
    def orphan_rows(self) -> Sequence[OpenRow]:
        """Open invoices without any customer."""
        nobody = self._facts.get(NOBODY)
        return nobody.open_rows if nobody is not None else _NONE

    @property
    def allocations(self) -> dict[str, list[Allocation]]:
        """Allocations by target; indexed on first use."""
        allocated = self.allocated if self.allocated is not None else self._read_allocations()[0]
        return allocated.groups

    def _read_allocations(self) -> tuple[Index[Allocation], dict[str, date]]:
        """Index all of them, and the last day on which something was applied to a target: nearly every run asks for both."""
        records = self.snapshot.allocations
        groups: defaultdict[str, list[Allocation]] = defaultdict(list)
        last: dict[str, date] = {}
        for record in records:
            fields = fields_of(record)
            target, day = fields["target_id"], fields["applied_on"]
            groups[target].append(record)
            if day is not None and (target not in last or day > last[target]):
                last[target] = day
        index = Index(records, _target, dict(groups))
        self.allocated, self._last_applied = index, last
        return index, last

    def last_applied(self, invoice_id: str) -> date | None:
        """The last day on which something was applied to an invoice; None where no day is known."""
        if self._follows:
            return super().last_applied(invoice_id)  # few accounts are asked for
        last = self._last_applied if self._last_applied is not None else self._read_allocations()[1]
        return last.get(invoice_id)

    @property
    def sources(self) -> dict[str, Payment | CreditNote | Adjustment]:
        """Payments, credit notes and adjustments by id; indexed on first use."""
        if self.known_sources is None:
            snapshot = self.snapshot
            found: dict[str, Payment | CreditNote | Adjustment] = {}
            self.known_sources = found
            for name in SOURCES:
                records: Sequence[Any] = getattr(snapshot, name)
                found.update(zip(_ids(records), records, strict=True))
        return self.known_sources

    def account_of(self, customer_id: str) -> str:
        """The account that receives a customer's messages; the id itself when the customer is unknown."""
        return self.accounts.of(customer_id)

    def account_ids(self) -> list[str]:
        """Accounts with an open invoice or a promise, sorted."""
        of = self.accounts.of
        ids = {of(i) for i, own in self._facts.items() if (own.open_rows or own.promises) and i != NOBODY}
        return sorted(ids)

    def has_account(self, account_id: str) -> bool:
        """Whether an id is one of `account_ids`."""
        if account_id == NOBODY:
            return False
        known = [customer.id for customer in self.accounts.others(account_id)]
        if self.accounts.of(account_id) == account_id:
            known.append(account_id)
        found = (self._facts.get(i) for i in known)
        return any(own is not None and (own.open_rows or own.promises) for own in found)

    def account(self, account_id: str) -> AccountFacts:
        """The facts of one account."""
        own = self._facts.get(account_id)
        if own is None:
            own = AccountFacts(account_id, self)
        elif own.book is not self:
            own = own.within(self)
        others = self.accounts.others(account_id)
        if others or (own.customer is not None and own.customer.parent_id):
            return self._joined(own, others)
        return own

    def _joined(self, own: AccountFacts, others: Sequence[Customer]) -> AccountFacts:
        """The facts of an account that has customers below it, or above."""
        facts = self._facts
        ancestors = self.accounts.ancestors(own.id)
        parts = [own, *(facts[i] for i in sorted(customer.id for customer in others))]

        def joined(name: str) -> list[Any]:
            return [record for part in parts for record in getattr(part, name)]

        members = tuple(part.customer for part in parts if part.customer is not None)
        return AccountFacts(own.id, self, own.customer, members).holding(
            {
                "ancestors": ancestors,
                "ancestor_profiles": tuple(p for i in ancestors if i in facts for p in facts[i].profiles),
                **{name: joined(name) for name in ("open_rows", "closed_rows", *OWNED)},
                "contacts": own.contacts or joined("contacts"),
            }
        )


def _owner(record: Any) -> str | None:
    owner: str | None = record.customer_id
    return owner


def _identity(record: Any) -> str:
    found: str = record.id
    return found


def _source(allocation: Allocation) -> str:
    return allocation.source_id


def _target(allocation: Allocation) -> str:
    return allocation.target_id


def _sources_after(
    sources: dict[str, Payment | CreditNote | Adjustment],
    changes: Sequence[tuple[Sequence[Payment | CreditNote | Adjustment], ...]],
) -> dict[str, Payment | CreditNote | Adjustment]:
    """What allocations come from, in a later snapshot. `changes`: by kind, the records that are gone and those that are new."""
    if not any(gone or fresh for gone, fresh in changes):
        return sources
    found = dict(sources)
    for gone, _ in changes:
        for record in gone:
            found.pop(record.id, None)
    for _, fresh in changes:
        found.update({record.id: record for record in fresh})
    return found
