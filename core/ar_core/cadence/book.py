"""Which facts belong to which account? A snapshot, indexed once, and handed out account by account.

An account is who receives the messages: a customer, or the parent it is billed with (E46).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

from ar_core.model.activity import Dispute, Pause, Promise, Touch
from ar_core.model.documents import CreditNote, DocumentStatus, Invoice
from ar_core.model.parties import Contact, Customer
from ar_core.model.profile import CustomerProfile
from ar_core.model.settlements import Adjustment, Allocation, Payment
from ar_core.model.snapshot import Snapshot

__all__ = ["AccountFacts", "Accounts", "Book", "CollectAt", "Ledger"]

_NONE: tuple[()] = ()

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
    """A snapshot, indexed by account. With `only`, just these accounts are indexed (an incremental run)."""

    def __init__(
        self,
        snapshot: Snapshot,
        collect_at: CollectAt = "bill_to",
        only: Collection[str] | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.accounts = accounts or Accounts(snapshot.customers, collect_at)
        self.customers = self.accounts.customers
        wanted: set[str] | None = None
        profiles: Iterable[CustomerProfile] = snapshot.profiles
        if only is not None:
            wanted = {*only, *(member.id for i in only for member in self.accounts.others(i))}
            above = {parent for i in only for parent in self.accounts.ancestors(i)}
            profiles = [p for p in profiles if p.customer_id in wanted or p.customer_id in above]
        self._profiles = {profile.customer_id: profile for profile in profiles}
        self._wanted = wanted
        self.is_partial = only is not None
        """Only some accounts are indexed."""
        self._open, self._closed = self._split_invoices(snapshot.invoices)
        self._contacts = self._group(snapshot.contacts)
        self._credit_notes = self._group(snapshot.credit_notes)
        self._payments = self._group(snapshot.payments)
        self._adjustments = self._group(snapshot.adjustments)
        self._touches = self._group(snapshot.touches)
        self._pauses = self._group(snapshot.pauses)
        needs_owner = any(p.customer_id is None for p in snapshot.promises) or any(
            d.customer_id is None for d in snapshot.disputes
        )
        owner = {i.id: i.customer_id for i in snapshot.invoices} if needs_owner else {}
        self._promises: dict[str, list[Promise]] = {}
        for promise in snapshot.promises:
            found = promise.customer_id or next((o for i in promise.invoice_ids if (o := owner.get(i))), None)
            self._put(self._promises, found, promise)
        self._disputes: dict[str, list[Dispute]] = {}
        for dispute in snapshot.disputes:
            self._put(self._disputes, dispute.customer_id or owner.get(dispute.invoice_id), dispute)
        self._allocations = None
        self._sources = None
        self.orphans = tuple(self._open.pop(None, _NONE))
        """Open invoices without any customer."""

    @property
    def allocations(self) -> dict[str, list[Allocation]]:
        """Allocations by target; indexed on first use."""
        if self._allocations is None:
            found: dict[str, list[Allocation]] = {}
            allocations: Iterable[Allocation] = self.snapshot.allocations
            if self.is_partial:
                own = {
                    i.id for groups in (self._open, self._closed) for rows in groups.values() for i in rows
                }
                allocations = [allocation for allocation in allocations if allocation.target_id in own]
            for allocation in allocations:
                rows = found.get(allocation.target_id)
                if rows is None:
                    found[allocation.target_id] = [allocation]
                else:
                    rows.append(allocation)
            self._allocations = found
        return self._allocations

    @property
    def sources(self) -> dict[str, Payment | CreditNote | Adjustment]:
        """Payments, credit notes and adjustments that were applied to an invoice, by id; indexed on first use."""
        if self._sources is None:
            snapshot = self.snapshot
            wanted = {row.source_id for rows in self.allocations.values() for row in rows}
            self._sources = {
                record.id: record
                for records in (snapshot.payments, snapshot.credit_notes, snapshot.adjustments)
                for record in records
                if record.id in wanted
            }
        return self._sources

    def account_of(self, customer_id: str) -> str:
        """The account that receives a customer's messages; the id itself when the customer is unknown."""
        return self.accounts.of(customer_id)

    def account_ids(self) -> list[str]:
        """Accounts with an open invoice or a promise, sorted."""
        ids = {self.account_of(c) for c in self._open if c is not None}
        ids.update(self.account_of(c) for c in self._promises)
        return sorted(ids)

    def account(self, account_id: str) -> AccountFacts:
        """The facts of one account."""
        others = self.accounts.others(account_id)
        if not others:
            return self._single(account_id)
        ids = [account_id, *sorted(member.id for member in others)]
        ancestors = self.accounts.ancestors(account_id)

        def joined(groups: dict[str, list[T]]) -> list[T]:
            return [row for i in ids for row in groups.get(i, _NONE)]

        own = self._contacts.get(account_id)
        return AccountFacts(
            id=account_id,
            customer=self.customers.get(account_id),
            members=tuple(self.customers[i] for i in ids if i in self.customers),
            ancestors=ancestors,
            open_invoices=[row for i in ids for row in self._open.get(i, _NONE)],
            closed_invoices=[row for i in ids for row in self._closed.get(i, _NONE)],
            contacts=own or joined(self._contacts),
            profiles=tuple(self._profiles[i] for i in ids if i in self._profiles),
            ancestor_profiles=tuple(self._profiles[i] for i in ancestors if i in self._profiles),
            credit_notes=joined(self._credit_notes),
            payments=joined(self._payments),
            adjustments=joined(self._adjustments),
            promises=[row for i in ids for row in self._promises.get(i, _NONE)],
            disputes=[row for i in ids for row in self._disputes.get(i, _NONE)],
            touches=joined(self._touches),
            pauses=joined(self._pauses),
            book=self,
        )

    def _single(self, account_id: str) -> AccountFacts:
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
            self._open.get(account_id, _NONE),
            self._closed.get(account_id, _NONE),
            self._contacts.get(account_id, _NONE),
            (profile,) if profile is not None else _NONE,
            tuple(self._profiles[i] for i in ancestors if i in self._profiles),
            self._credit_notes.get(account_id, _NONE),
            self._payments.get(account_id, _NONE),
            self._adjustments.get(account_id, _NONE),
            self._promises.get(account_id, _NONE),
            self._disputes.get(account_id, _NONE),
            self._touches.get(account_id, _NONE),
            self._pauses.get(account_id, _NONE),
            self,
        )

    def _split_invoices(
        self, invoices: Iterable[Invoice]
    ) -> tuple[dict[str | None, list[Invoice]], dict[str | None, list[Invoice]]]:
        opened: dict[str | None, list[Invoice]] = {}
        closed: dict[str | None, list[Invoice]] = {}
        unknown = DocumentStatus.UNKNOWN
        if self._wanted is not None:
            wanted = {None, *self._wanted}
            invoices = [invoice for invoice in invoices if invoice.customer_id in wanted]
        for invoice in invoices:
            customer = invoice.customer_id
            groups = opened if invoice.balance_due or invoice.document_status is unknown else closed
            rows = groups.get(customer)
            if rows is None:
                groups[customer] = [invoice]
            else:
                rows.append(invoice)
        return opened, closed

    def _group(self, records: Iterable[T]) -> dict[str, list[T]]:
        groups: dict[str, list[T]] = {}
        wanted = self._wanted
        if wanted is not None:
            records = [record for record in records if record.customer_id in wanted]
        for record in records:
            customer = record.customer_id
            if customer is None:
                continue
            rows = groups.get(customer)
            if rows is None:
                groups[customer] = [record]
            else:
                rows.append(record)
        return groups

    def _put(self, groups: dict[str, list[T]], customer: str | None, record: T) -> None:
        if customer is not None and (self._wanted is None or customer in self._wanted):
            groups.setdefault(customer, []).append(record)
