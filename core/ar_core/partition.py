"""How is a book cut into parts that can be evaluated anywhere? By account: what one part decides never depends on another.

With the value tiers of the whole passed in, the parts' results together are the whole's. That makes `evaluate` a function to map
over partitions, in a process pool or inside a distributed engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from ar_core.cadence.book import Accounts
from ar_core.cadence.facts import DEBTS, OWNED, SOURCES, debtors
from ar_core.cadence.policy import Policy
from ar_core.model.money import ZERO
from ar_core.model.settlements import Adjustment
from ar_core.model.snapshot import Snapshot

__all__ = ["part_of", "partitions"]


def part_of(snapshot: Snapshot, policy: Policy, account_ids: Iterable[str]) -> Snapshot:
    """The snapshot with the records of some accounts only; evaluated with the tiers of the whole, they come out the same.

    `account_ids`: customers, or the parents they are billed with, as the policy's grouping says. Parents above them stay, and so
    does what belongs to nobody. Somebody else's payment, credit note or adjustment that settles one of their invoices stays with
    nothing open: promises are judged by it, and what is left of it counts for its owner, where that is.
    """
    accounts = Accounts(snapshot.customers, policy.grouping.collect_at)
    wanted = set(account_ids)
    members = {c.id for c in snapshot.customers if accounts.of(c.id) in wanted} | wanted
    return _Cut(snapshot, accounts).only(members, with_orphans=True)


def partitions(snapshot: Snapshot, policy: Policy, count: int) -> tuple[Snapshot, ...]:
    """The snapshot in so many parts of about equal numbers of accounts; every record that belongs to somebody is in one.

    What belongs to nobody is in the first part. What settles invoices of other parts is in those, too, as `part_of` says. Raises
    ValueError for a count below one.
    """
    if count < 1:
        raise ValueError(f"a book is cut into at least one part; got {count}")
    accounts = Accounts(snapshot.customers, policy.grouping.collect_at)
    cut = _Cut(snapshot, accounts)
    owners = {c.id for c in snapshot.customers}
    owners.update(owner for found in cut.owners.values() for owner in found if owner is not None)
    by_account: dict[str, list[str]] = {}
    for owner in sorted(owners):
        by_account.setdefault(accounts.of(owner), []).append(owner)
    ordered = sorted(by_account)
    return tuple(
        cut.only(
            {owner for account in ordered[n::count] for owner in by_account[account]}, with_orphans=n == 0
        )
        for n in range(count)
    )


class _Cut:
    """A snapshot that parts are taken from. `owners`: by kind, whose each of its records is."""

    def __init__(self, snapshot: Snapshot, accounts: Accounts) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self.owners: dict[str, list[str | None]] = {
            name: [record.customer_id for record in getattr(snapshot, name)] for name in ("invoices", *OWNED)
        }
        for name in DEBTS:
            self.owners[name] = debtors(getattr(snapshot, name), snapshot.invoices)

    def only(self, members: AbstractSet[str], *, with_orphans: bool) -> Snapshot:
        """The records of these customers, and of nobody, and what must be known of others."""
        snapshot = self._snapshot
        above = {parent for member in members for parent in self._accounts.ancestors(member)}
        theirs: AbstractSet[str | None] = {*members, None} if with_orphans else members
        invoices = self._of("invoices", theirs)
        ids = {invoice.id for invoice in invoices}
        allocations = tuple(a for a in snapshot.allocations if a.target_id in ids)
        settling = {a.source_id for a in allocations}
        return snapshot.model_copy(
            update={
                **{name: self._of(name, theirs) for name in OWNED},
                **{name: self._of(name, theirs, settling) for name in SOURCES},
                "profiles": self._of("profiles", theirs | above),  # a legal stop above covers them (E40)
                "customers": tuple(c for c in snapshot.customers if c.id in members or c.id in above),
                "invoices": invoices,
                "allocations": allocations,
            }
        )

    def _of(
        self, name: str, owners: AbstractSet[str | None], settling: AbstractSet[str] = frozenset()
    ) -> tuple[Any, ...]:
        """The records of these owners in their order, and of the others those with these ids, used up."""
        return tuple(
            record if owner in owners else _used_up(record)
            for record, owner in zip(getattr(self._snapshot, name), self.owners[name], strict=True)
            if owner in owners or record.id in settling
        )


def _used_up(source: Any) -> Any:
    """A payment, credit note or adjustment with nothing open."""
    name = "open_amount" if isinstance(source, Adjustment) else "unapplied_amount"
    return source.model_copy(update={name: ZERO})
