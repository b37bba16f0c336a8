"""How is a book cut into parts that can be evaluated anywhere? By account: what one part decides never depends on another.

With the value tiers of the whole passed in, the parts' results together are the whole's. That makes `evaluate` a function to map
over partitions, in a process pool or inside a distributed engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ar_core.cadence.book import Accounts
from ar_core.cadence.facts import OWNED
from ar_core.cadence.policy import Policy
from ar_core.model.snapshot import Snapshot

__all__ = ["part_of", "partitions"]


def part_of(snapshot: Snapshot, policy: Policy, account_ids: Iterable[str]) -> Snapshot:
    """The snapshot with the records of some accounts only; evaluated with the tiers of the whole, they come out the same.

    `account_ids`: customers, or the parents they are billed with, as the policy's grouping says. Parents above them stay, and so
    does what belongs to nobody.
    """
    accounts = Accounts(snapshot.customers, policy.grouping.collect_at)
    wanted = set(account_ids)
    members = {c.id for c in snapshot.customers if accounts.of(c.id) in wanted} | wanted
    return _only(snapshot, accounts, members, with_orphans=True)


def partitions(snapshot: Snapshot, policy: Policy, count: int) -> tuple[Snapshot, ...]:
    """The snapshot in so many parts of about equal numbers of accounts; every record that belongs to somebody is in one.

    What belongs to nobody is in the first part. Raises ValueError for a count below one.
    """
    if count < 1:
        raise ValueError(f"a book is cut into at least one part; got {count}")
    accounts = Accounts(snapshot.customers, policy.grouping.collect_at)
    owners = {c.id for c in snapshot.customers}
    for name in ("invoices", *OWNED):
        owners.update(r.customer_id for r in getattr(snapshot, name) if r.customer_id is not None)
    by_account: dict[str, list[str]] = {}
    for owner in sorted(owners):
        by_account.setdefault(accounts.of(owner), []).append(owner)
    ordered = sorted(by_account)
    return tuple(
        _only(
            snapshot,
            accounts,
            {owner for account in ordered[n::count] for owner in by_account[account]},
            with_orphans=n == 0,
        )
        for n in range(count)
    )


def _only(snapshot: Snapshot, accounts: Accounts, members: set[str], *, with_orphans: bool) -> Snapshot:
    above = {parent for member in members for parent in accounts.ancestors(member)}

    def of(records: Iterable[Any], owners: set[str]) -> tuple[Any, ...]:
        return tuple(
            r for r in records if r.customer_id in owners or (r.customer_id is None and with_orphans)
        )

    invoices = of(snapshot.invoices, members)
    ids = {invoice.id for invoice in invoices}
    owned = {name: of(getattr(snapshot, name), members) for name in OWNED}
    owned["profiles"] = of(snapshot.profiles, members | above)  # a legal stop above covers them (E40)
    for name in ("promises", "disputes"):  # those may name an invoice and no customer
        loose = [r for r in getattr(snapshot, name) if r.customer_id is None]
        kept = {
            r.id
            for r in loose
            if ids.intersection(getattr(r, "invoice_ids", None) or (getattr(r, "invoice_id", ""),))
        }
        owned[name] = tuple(r for r in getattr(snapshot, name) if r.customer_id in members or r.id in kept)
    return snapshot.model_copy(
        update={
            **owned,
            "customers": tuple(c for c in snapshot.customers if c.id in members or c.id in above),
            "invoices": invoices,
            "allocations": tuple(a for a in snapshot.allocations if a.target_id in ids),
        }
    )
