"""Which facts belong to which account? A snapshot, indexed once, and handed out account by account.

An account is who receives the messages: a customer, or the parent it is billed with (E46).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeVar

from ar_core.cadence.index import Index, difference
from ar_core.model.activity import Dispute, Pause, Promise, Touch
from ar_core.model.documents import CreditNote, DocumentStatus, Invoice
from ar_core.model.parties import Contact, Customer
from ar_core.model.profile import CustomerProfile
from ar_core.model.settlements import Adjustment, Allocation, Payment
from ar_core.model.snapshot import Snapshot

__all__ = ["AccountFacts", "Accounts", "Book", "CollectAt", "Ledger"]

_NONE: tuple[()] = ()
_NOBODY = ""
"""Whose the records without a customer are."""
_OWNED = ("contacts", "credit_notes", "payments", "adjustments", "touches", "pauses")
"""Kinds of records that name their customer and are grouped by nothing else."""

CollectAt = Literal["customer", "bill_to", "parent"]


class _Owned(Protocol):
    @property
    def customer_id(self) -> str | None: ...


T = TypeVar("T", bound=_Owned)


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

    @property
    def sources(self) -> dict[str, Payment | CreditNote | Adjustment]:
        """Payments, credit notes and adjustments by id."""
        return self._sources or {}


@dataclass(slots=True)
class AccountFacts:
    """All that is known about one account: the only input, besides policy, tiers and as-of, of its evaluation."""

    id: str
    customer: Customer | None
    members: Sequence[Customer]
    """The customers whose invoices it receives."""
    ancestors: Sequence[str]
    """Ids of parents above it, for stops that cover a tree (E40)."""
    open_invoices: Sequence[Invoice]
    """With a balance, or of unknown status."""
    closed_invoices: Sequence[Invoice]
    contacts: Sequence[Contact]
    profiles: Sequence[CustomerProfile]
    """Its own first, then its members'."""
    ancestor_profiles: Sequence[CustomerProfile]
    credit_notes: Sequence[CreditNote]
    payments: Sequence[Payment]
    adjustments: Sequence[Adjustment]
    promises: Sequence[Promise]
    disputes: Sequence[Dispute]
    touches: Sequence[Touch]
    pauses: Sequence[Pause]
    book: Ledger = field(repr=False)

    def allocations(self, invoice_id: str) -> Sequence[Allocation]:
        """What was applied to an invoice."""
        return self.book.allocations.get(invoice_id, _NONE)

    def detached(self) -> AccountFacts:
        """The same facts without the rest of the book: small enough to be sent to another process."""
        invoices = [*self.open_invoices, *self.closed_invoices]
        allocations = {i.id: list(rows) for i in invoices if (rows := self.allocations(i.id))}
        wanted = {row.source_id for rows in allocations.values() for row in rows}
        sources = {i: source for i in wanted if (source := self.book.sources.get(i)) is not None}
        return replace(self, book=Ledger(allocations, sources))


class Accounts:
    """Which customer's messages go to which account (E46)."""

    def __init__(self, customers: Iterable[Customer], collect_at: CollectAt = "bill_to") -> None:
        self.customers = {customer.id: customer for customer in customers}
        self._elsewhere: dict[str, str] = {}
        """Customers whose messages go to another one."""
        self._members: dict[str, list[Customer]] = {}
        if collect_at != "customer":
            self._find(collect_at)

    def _find(self, collect_at: CollectAt) -> None:
        customers = self.customers
        for customer in customers.values():
            if customer.parent_id is None:
                continue
            account, seen = customer, {customer.id}
            while (
                account.parent_id is not None
                and account.parent_id in customers
                and account.parent_id not in seen
                and (collect_at == "parent" or account.bill_with_parent)
            ):
                account = customers[account.parent_id]
                seen.add(account.id)
            if account is not customer:
                self._elsewhere[customer.id] = account.id
                self._members.setdefault(account.id, []).append(customer)

    def of(self, customer_id: str) -> str:
        """The account of a customer; the id itself when the customer is unknown."""
        return self._elsewhere.get(customer_id, customer_id)

    def others(self, account_id: str) -> Sequence[Customer]:
        """The other customers whose messages an account receives."""
        return self._members.get(account_id, _NONE)

    def ancestors(self, account_id: str) -> tuple[str, ...]:
        """Ids of the parents above a customer, nearest first."""
        found: list[str] = []
        customer = self.customers.get(account_id)
        while customer is not None and customer.parent_id is not None and customer.parent_id not in found:
            found.append(customer.parent_id)
            customer = self.customers.get(customer.parent_id)
        return tuple(found)


class Book(Ledger):
    """A snapshot, indexed by account.

    `before`: the book of an earlier snapshot with the same `collect_at`; only records that are other objects than there are read.
    """

    def __init__(
        self, snapshot: Snapshot, collect_at: CollectAt = "bill_to", before: Book | None = None
    ) -> None:
        self.snapshot = snapshot
        kept = before is not None and before.snapshot.customers is snapshot.customers
        self.accounts: Accounts = (
            before.accounts if before is not None and kept else Accounts(snapshot.customers, collect_at)
        )
        self.customers = self.accounts.customers
        self._profiles = {profile.customer_id: profile for profile in snapshot.profiles}
        self._promises, self._disputes = _by_debtor(snapshot)
        self.allocated: Index[Allocation] | None = None
        """Allocations by target, once somebody asked."""
        self.known_sources: dict[str, Payment | CreditNote | Adjustment] | None = None
        """What allocations come from, by id, once somebody asked."""
        if before is None:
            opened, closed = _split(snapshot.invoices)
            self.opened = Index(snapshot.invoices, _owner_if_open, opened)
            self.closed = Index(snapshot.invoices, _owner_if_closed, closed)
            self.owned = {name: Index[Any](getattr(snapshot, name), _owner) for name in _OWNED}
        else:
            self._follow(before)

    def _follow(self, before: Book) -> None:
        """Take over what an earlier book has indexed, and read what is new."""
        snapshot = self.snapshot
        changes = difference(before.snapshot.invoices, snapshot.invoices)
        self.opened = before.opened.following(snapshot.invoices, changes)
        self.closed = before.closed.following(snapshot.invoices, changes)
        self.owned = {name: index.following(getattr(snapshot, name)) for name, index in before.owned.items()}
        if before.allocated is not None:
            self.allocated = before.allocated.following(snapshot.allocations)
        if before.known_sources is not None:
            self.known_sources = _sources_after(before.known_sources, before.snapshot, snapshot)

    @property
    def orphans(self) -> Sequence[Invoice]:
        """Open invoices without any customer."""
        return self.opened.groups.get(_NOBODY, _NONE)

    @property
    def allocations(self) -> dict[str, list[Allocation]]:
        """Allocations by target; indexed on first use."""
        if self.allocated is None:
            self.allocated = Index(self.snapshot.allocations, _target)
        return self.allocated.groups

    @property
    def sources(self) -> dict[str, Payment | CreditNote | Adjustment]:
        """Payments, credit notes and adjustments by id; indexed on first use."""
        if self.known_sources is None:
            snapshot = self.snapshot
            self.known_sources = {
                record.id: record
                for records in (snapshot.payments, snapshot.credit_notes, snapshot.adjustments)
                for record in records
            }
        return self.known_sources

    def account_of(self, customer_id: str) -> str:
        """The account that receives a customer's messages; the id itself when the customer is unknown."""
        return self.accounts.of(customer_id)

    def account_ids(self) -> list[str]:
        """Accounts with an open invoice or a promise, sorted."""
        ids = {self.account_of(c) for c in self.opened.groups if c != _NOBODY}
        ids.update(self.account_of(c) for c in self._promises)
        return sorted(ids)

    def account(self, account_id: str) -> AccountFacts:
        """The facts of one account."""
        others = self.accounts.others(account_id)
        if not others:
            return self._single(account_id)
        owned = self.owned
        ids = [account_id, *sorted(member.id for member in others)]
        ancestors = self.accounts.ancestors(account_id)

        def joined(groups: dict[str, list[T]]) -> list[T]:
            return [row for i in ids for row in groups.get(i, _NONE)]

        own = owned["contacts"].groups.get(account_id)
        return AccountFacts(
            id=account_id,
            customer=self.customers.get(account_id),
            members=tuple(self.customers[i] for i in ids if i in self.customers),
            ancestors=ancestors,
            open_invoices=[row for i in ids for row in self.opened.groups.get(i, _NONE)],
            closed_invoices=[row for i in ids for row in self.closed.groups.get(i, _NONE)],
            contacts=own or joined(owned["contacts"].groups),
            profiles=tuple(self._profiles[i] for i in ids if i in self._profiles),
            ancestor_profiles=tuple(self._profiles[i] for i in ancestors if i in self._profiles),
            credit_notes=joined(owned["credit_notes"].groups),
            payments=joined(owned["payments"].groups),
            adjustments=joined(owned["adjustments"].groups),
            promises=[row for i in ids for row in self._promises.get(i, _NONE)],
            disputes=[row for i in ids for row in self._disputes.get(i, _NONE)],
            touches=joined(owned["touches"].groups),
            pauses=joined(owned["pauses"].groups),
            book=self,
        )

    def _single(self, account_id: str) -> AccountFacts:
        owned = self.owned
        profile = self._profiles.get(account_id)
        customer = self.customers.get(account_id)
        ancestors = (
            self.accounts.ancestors(account_id) if customer is not None and customer.parent_id else _NONE
        )
        return AccountFacts(
            account_id,
            customer,
            (customer,) if customer is not None else _NONE,
            ancestors,
            self.opened.groups.get(account_id, _NONE),
            self.closed.groups.get(account_id, _NONE),
            owned["contacts"].groups.get(account_id, _NONE),
            (profile,) if profile is not None else _NONE,
            tuple(self._profiles[i] for i in ancestors if i in self._profiles),
            owned["credit_notes"].groups.get(account_id, _NONE),
            owned["payments"].groups.get(account_id, _NONE),
            owned["adjustments"].groups.get(account_id, _NONE),
            self._promises.get(account_id, _NONE),
            self._disputes.get(account_id, _NONE),
            owned["touches"].groups.get(account_id, _NONE),
            owned["pauses"].groups.get(account_id, _NONE),
            self,
        )


def _owner(record: _Owned) -> str | None:
    return record.customer_id


def _target(allocation: Allocation) -> str:
    return allocation.target_id


def _is_open(invoice: Invoice) -> bool:
    """With a balance, or of unknown status."""
    return bool(invoice.balance_due) or invoice.document_status is DocumentStatus.UNKNOWN


def _owner_if_open(invoice: Invoice) -> str | None:
    return (invoice.customer_id or _NOBODY) if _is_open(invoice) else None


def _owner_if_closed(invoice: Invoice) -> str | None:
    return None if _is_open(invoice) else (invoice.customer_id or _NOBODY)


def _split(invoices: Iterable[Invoice]) -> tuple[dict[str, list[Invoice]], dict[str, list[Invoice]]]:
    """Open and closed invoices by customer, in one pass."""
    opened: dict[str, list[Invoice]] = {}
    closed: dict[str, list[Invoice]] = {}
    unknown = DocumentStatus.UNKNOWN
    for invoice in invoices:
        groups = opened if invoice.balance_due or invoice.document_status is unknown else closed
        customer = invoice.customer_id or _NOBODY
        rows = groups.get(customer)
        if rows is None:
            groups[customer] = [invoice]
        else:
            rows.append(invoice)
    return opened, closed


def _by_debtor(snapshot: Snapshot) -> tuple[dict[str, list[Promise]], dict[str, list[Dispute]]]:
    """Promises and disputes by customer; where none is named, by that of the invoice."""
    needs_owner = any(p.customer_id is None for p in snapshot.promises) or any(
        d.customer_id is None for d in snapshot.disputes
    )
    owner = {i.id: i.customer_id for i in snapshot.invoices} if needs_owner else {}
    promises: dict[str, list[Promise]] = {}
    disputes: dict[str, list[Dispute]] = {}
    for promise in snapshot.promises:
        found = promise.customer_id or next((o for i in promise.invoice_ids if (o := owner.get(i))), None)
        if found is not None:
            promises.setdefault(found, []).append(promise)
    for dispute in snapshot.disputes:
        found = dispute.customer_id or owner.get(dispute.invoice_id)
        if found is not None:
            disputes.setdefault(found, []).append(dispute)
    return promises, disputes


def _sources_after(
    sources: dict[str, Payment | CreditNote | Adjustment], before: Snapshot, now: Snapshot
) -> dict[str, Payment | CreditNote | Adjustment]:
    """What allocations come from, in a later snapshot."""
    changes: tuple[tuple[Sequence[Payment | CreditNote | Adjustment], ...], ...] = (
        difference(before.payments, now.payments),
        difference(before.credit_notes, now.credit_notes),
        difference(before.adjustments, now.adjustments),
    )
    if not any(gone or fresh for gone, fresh in changes):
        return sources
    found = dict(sources)
    for gone, _ in changes:
        for record in gone:
            found.pop(record.id, None)
    for _, fresh in changes:
        found.update({record.id: record for record in fresh})
    return found
