"""The daily run on large books: evaluate again only what may have changed, with the result of a full run (design section 9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from ar_core.asof import AsOf
from ar_core.cadence.book import Accounts, Book
from ar_core.cadence.collector import collector_at_rest
from ar_core.cadence.evaluate import assemble, evaluate_accounts, prepare
from ar_core.cadence.evaluation import Evaluation
from ar_core.cadence.facts import DEBTS, ID, NOBODY, SOURCES, debtors
from ar_core.cadence.given import check_tiers
from ar_core.cadence.run import Run
from ar_core.model.base import reader
from ar_core.model.snapshot import Snapshot
from ar_core.segments import Tiers, latest_rates, reassign_tiers

__all__ = ["reevaluate"]

_read_owners: Final = reader("id", "customer_id")
_read_ends: Final = reader("source_id", "target_id")
_read_named: Final = reader("invoice_ids")


def reevaluate(
    previous: Evaluation,
    snapshot: Snapshot,
    changed: Collection[str],
    as_of: AsOf,
    *,
    tiers: Tiers | None = None,
    strict: bool = False,
) -> Evaluation:
    """Evaluate the accounts that may have changed and keep the others; identical to a full run with the same arguments.

    `previous`: an evaluation made in this process, by the same policy, calendar and scorer. `changed`: ids of every customer
    that has a new, changed or removed record of any kind since then (both customers, when a record moved). Accounts whose
    value tier moved, whose own `changes_at` has come, whose invoices one of the changed customers pays, or who became or ceased to
    be the one whom a promise or dispute without a customer is about, are found here.
    `tiers`: as in `evaluate`; when None, those the previous run was given, or computed anew if it computed its own. When the
    moment moves back, or the zone or a rate is another, everything is evaluated. Raises ValueError for an evaluation that was
    read from a file and for a customer in a tier that there is not, TypeError for tiers that are none.
    """
    with collector_at_rest():
        return _reevaluate(previous, snapshot, changed, as_of, tiers, strict)


def _reevaluate(
    previous: Evaluation,
    snapshot: Snapshot,
    changed: Collection[str],
    as_of: AsOf,
    tiers: Tiers | None,
    strict: bool,
) -> Evaluation:
    results, before, old_book = previous.parts()
    if tiers is not before.tiers:
        check_tiers(tiers)
    given = before.tiers_given or tiers is not None
    book = Book(snapshot, before.grouping.collect_at, before=old_book)
    if tiers is None:
        tiers = before.tiers if given else _tiers(before, old_book.snapshot, book, changed, as_of)
    run = prepare(
        snapshot, before.compiled, as_of, tiers=tiers, calendar=before.calendar, scorer=before.scorer
    )
    run.tiers_given = given
    if _all_changed(before, run):
        book = Book(snapshot, run.grouping.collect_at)
        fresh = evaluate_accounts((book.account(i) for i in book.account_ids()), run, strict=strict)
        return assemble({r.account_id: r for r in fresh}, run, book, previous.notes)
    stale: set[str] = set()
    if previous.next_change_at is not None and previous.next_change_at <= run.instant:
        stale.update(r.account_id for r in results.values() if r.changes_at and r.changes_at <= run.instant)
    touched = {*changed, *_paid_for(old_book, book, changed), *_owing_now(old_book, book)}
    if run.tiers is not before.tiers:
        old, new = before.tiers.by_customer, run.tiers.by_customer
        touched.update(c for c, assignment in new.items() if old.get(c) != assignment)
        touched.update(old.keys() - new.keys())
    for customer_id in _with_descendants(book.accounts, touched):
        stale.add(book.account_of(customer_id))
        stale.add(old_book.account_of(customer_id))
    there = sorted(account_id for account_id in stale if book.has_account(account_id))
    fresh = evaluate_accounts((book.account(i) for i in there), run, strict=strict)
    kept = dict(results)
    for account_id in stale:
        kept.pop(account_id, None)
    kept.update((result.account_id, result) for result in fresh)
    firsts = [previous.decisions.first_change_at, *[result.changes_at for result in fresh]]
    not_before = min([instant for instant in firsts if instant is not None], default=None)
    return assemble(kept, run, book, previous.notes, not_before=not_before)


def _tiers(before: Run, old: Snapshot, book: Book, changed: Collection[str], as_of: AsOf) -> Tiers | None:
    """The tiers as they are now, from the previous ones; None where they have to be assigned anew."""
    snapshot = book.snapshot
    base = snapshot.organization.base_currency if snapshot.organization else None
    if (
        base != before.base_currency
        or latest_rates(snapshot, base, as_of.today) != before.rates
        or bool(old.payments) != bool(snapshot.payments)
        or as_of.today < before.today
    ):
        return None
    value = before.policy.tiers.value
    return reassign_tiers(
        before.tiers,
        snapshot,
        changed,
        strategic=value.strategic,
        core=value.core,
        since=before.today,
        today=as_of.today,
        records_of=book.only,
    )


def _all_changed(before: Run, run: Run) -> bool:
    return (
        run.instant < before.instant
        or run.as_of.zone != before.as_of.zone
        or run.rates != before.rates
        or run.base_currency != before.base_currency
    )


def _paid_for(before: Book, book: Book, payers: Collection[str]) -> set[str]:
    """Customers for whom something else may be decided because the money of these changed: a parent pays for its child, for instance.

    That is whoever has an invoice that an application of theirs settles which is new, another one or gone; and whoever has a promise
    that is judged by a payment, credit note or adjustment of theirs which is another record than before (of another day, or voided).
    Nothing but a promise asks where what was applied came from.
    """
    whose = {None, *payers}
    old = before.snapshot
    gone, fresh = book.changes("allocations", old)
    changed = {
        source_id
        for name in SOURCES
        for records in book.changes(name, old)
        for source_id, owner in _read_owners(records)
        if owner in whose
    }
    found = _settled(before, gone, whose) | _settled(book, fresh, whose)
    if changed:
        applied = book.applied_after(before)
        found |= _promised(book, {row.target_id for i in changed for row in applied.get(i, ())})
    return found


def _settled(book: Book, allocations: Sequence[Any], payers: Collection[str | None]) -> set[str]:
    """The customers whose invoices were settled by these applications with the money of these payers, where it is not their own."""
    targets: dict[str, set[str]] = {}
    for source_id, target_id in _read_ends(allocations):
        source = book.sources.get(source_id)
        if source is not None and source.customer_id in payers:
            targets.setdefault(source.customer_id or NOBODY, set()).add(target_id)
    foreign = {i for payer, found in targets.items() for i in found.difference(book.invoice_ids(payer))}
    if all(i in book.sources for i in foreign):  # refunds and adjustments; few pay for others
        return set()
    invoices = book.snapshot.invoices
    return {owner for i, owner in _read_owners(invoices) if i in foreign and owner is not None}


def _promised(book: Book, settled: set[str]) -> set[str]:
    """The customers with a promise on one of these invoices."""
    snapshot = book.snapshot
    found: set[str] = set()
    if not settled:
        return found
    owners = debtors(snapshot.promises, snapshot.invoices)
    for owner, named in zip(owners, _read_named(snapshot.promises), strict=True):
        if owner is not None and not settled.isdisjoint(named or _account_invoices(book, owner)):
            found.add(owner)
    return found


def _owing_now(before: Book, book: Book) -> set[str]:
    """The customers who lost or got a promise or dispute that names no customer: it is that of the first of its invoices that is there,
    which may be another one than before without a change of its own."""
    found: set[str] = set()
    if not (before.has_loose_debts or book.has_loose_debts):
        return found
    for name in DEBTS:
        old, new = _debtors(before.snapshot, name), _debtors(book.snapshot, name)
        for debt_id in old.keys() | new.keys():
            was, now = old.get(debt_id), new.get(debt_id)
            if was != now:
                found.update([owner for owner in (was, now) if owner is not None])
    return found


def _debtors(snapshot: Snapshot, name: str) -> dict[str, str | None]:
    """Whose each promise, or each dispute, is, by its id."""
    debts: Sequence[Any] = getattr(snapshot, name)
    return {
        i: owner for (i, _), owner in zip(_read_owners(debts), debtors(debts, snapshot.invoices), strict=True)
    }


def _account_invoices(book: Book, customer_id: str) -> list[str]:
    """Ids of all invoices that a customer's promise is about when it names none (E33)."""
    facts = book.account(book.account_of(customer_id))
    return [row[ID] for row in (*facts.open_rows, *facts.closed_rows)]


def _with_descendants(accounts: Accounts, customers: Collection[str]) -> set[str]:
    """The customers and everyone below them: a stop on a parent covers its tree (E40)."""
    children = accounts.children
    found: set[str] = set()
    todo = list(customers)
    while todo:
        customer_id = todo.pop()
        if customer_id not in found:
            found.add(customer_id)
            todo.extend(children.get(customer_id, ()))
    return found
