"""Which part of a journal entry does a payment mean? Its own customer's, or that of a customer below it.

A payment's link names the entry and no line (quirks.md#qbo-19), so mapping it alone takes the part of the payer. A parent may
pay what a child owes: then there is no such part, and the one that is meant is found here, among what the store has.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Final

from ar_connectors.connector import Page, StoreView
from ar_connectors.quickbooks.mapping_settlements import adjustment_remote_id, journal_entry_of
from ar_core.model import (
    Adjustment,
    Allocation,
    Customer,
    RecordKind,
    allocation_id,
    parse_record_id,
    record_id,
)
from ar_core.model.base import reader

__all__ = ["names_entries", "stray_payments", "with_entries_found"]

_ends = reader("source_id", "target_id")
_ENTRY: Final = f":{RecordKind.ADJUSTMENT}:"


def names_entries(page: Page) -> bool:
    """Whether an allocation of the page is on a journal entry: of most pages none is."""
    return bool(_entries_in(page))


def _entries_in(page: Page) -> set[str]:
    ends = _ends([one for one in page.records if type(one) is Allocation])
    return {end for both in ends for end in both if _is_entry(end)}


def with_entries_found(page: Page, view: StoreView) -> Page:
    """The page, in which each allocation on a journal entry points to a part of it that there is. One that could be about
    several parts is left as it is, and shows as a finding."""
    wanted = _entries_in(page)
    if not wanted:
        return page
    wanted -= {one.id for one in page.records if isinstance(one, Adjustment)}
    lost = wanted - set(view.records(wanted))
    if not lost:
        return page
    parts = _parts(page, view, {_split(one)[0] for one in lost})
    family = _Family(page, view)
    found = {}
    for identity in lost:
        entry, payer = _split(identity)
        below = [one for one in parts[entry] if payer in family.above(one.customer_id)]
        if len(below) == 1:
            found[identity] = below[0].id
    if not found:
        return page
    return replace(
        page,
        records=[_moved(one, found) if isinstance(one, Allocation) else one for one in page.records],
    )


def stray_payments(view: StoreView) -> set[str]:
    """Payments whose allocations name a part of an entry that does not exist although one of a customer below the payer does.
    For the end of a first load, which reads payments before it knows entries and customers."""
    family = _Family(Page(), view)
    guesses = set()
    adjustments = list(view.live_ids(RecordKind.ADJUSTMENT))
    for one in view.records(adjustments).values():
        parts = parse_record_id(one.id)
        if parts is None:
            continue
        for above in family.above(one.customer_id):
            owner = parse_record_id(above)
            if owner is not None:
                remote = adjustment_remote_id(journal_entry_of(parts.remote_id), owner.remote_id)
                guesses.add(record_id(parts.platform, parts.tenant, RecordKind.ADJUSTMENT, remote))
    guesses.difference_update(adjustments)
    return {one.parent_id for one in view.allocations_on(guesses)} if guesses else set()


class _Family:
    """Who stands above whom, as far as the page and the store know."""

    def __init__(self, page: Page, view: StoreView) -> None:
        self._here = {one.id: one for one in page.records if isinstance(one, Customer)}
        self._view = view

    def above(self, customer_id: str | None) -> list[str]:
        """The customers above one, the nearest first."""
        found: list[str] = []
        while customer_id is not None:
            one = self._here.get(customer_id)
            if one is None:
                stored = self._view.record(customer_id)
                one = stored if isinstance(stored, Customer) else None
            customer_id = one.parent_id if one is not None else None
            if customer_id is None or customer_id in found:
                break
            found.append(customer_id)
        return found


def _is_entry(end: str) -> bool:
    # The parts of an id are escaped, so this is nowhere but between two of them.
    if _ENTRY not in end:
        return False
    parts = parse_record_id(end)
    return parts is not None and parts.kind == RecordKind.ADJUSTMENT


def _split(identity: str) -> tuple[str, str]:
    """The entry's id at QuickBooks, and our id of the customer, in the id of an adjustment."""
    parts = parse_record_id(identity)
    if parts is None:
        return identity, ""
    entry = journal_entry_of(parts.remote_id)
    customer = parts.remote_id.removeprefix(entry).removeprefix("-")
    return entry, record_id(parts.platform, parts.tenant, RecordKind.CUSTOMER, customer)


def _parts(page: Page, view: StoreView, entries: set[str]) -> dict[str, list[Adjustment]]:
    """The parts of these entries that there are."""
    stored = [one for one in view.live_ids(RecordKind.ADJUSTMENT) if _split(one)[0] in entries]
    known = {**view.records(stored), **{one.id: one for one in page.records if isinstance(one, Adjustment)}}
    gone = {one.id for one in page.tombstones}
    found: defaultdict[str, list[Adjustment]] = defaultdict(list)
    for identity, one in known.items():
        if isinstance(one, Adjustment) and identity not in gone:
            found[_split(identity)[0]].append(one)
    return found


def _moved(allocation: Allocation, found: dict[str, str]) -> Allocation:
    target = found.get(allocation.target_id, allocation.target_id)
    source = found.get(allocation.source_id, allocation.source_id)
    if (target, source) == (allocation.target_id, allocation.source_id):
        return allocation
    ordinal = int(allocation.id.rpartition("|")[2])
    identity = allocation_id(allocation.parent_id, target, ordinal)
    return allocation.model_copy(update={"id": identity, "target_id": target, "source_id": source})
