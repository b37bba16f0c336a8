"""What else must be read when something changed? The invoices a payment touched, the customers, and proof of each deletion.

QuickBooks does not say whether a payment makes its invoice appear in the change feed, nor whether an invoice that is voided
makes the payments appear that it lets go, and its feed has been seen to call living records deleted (quirks.md#qbo-23,
quirks.md#qbo-24). So what a change touches is read again, one `Id IN` query per kind and thousand ids, and a deleted stub
becomes a tombstone only when that query does not find the record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from ar_connectors.connector import OutOfScope, Page, StoreView
from ar_connectors.quickbooks.client import MAX_IDS, QuickBooksClient
from ar_connectors.quickbooks.context import Context
from ar_connectors.quickbooks.decode import decode_page
from ar_connectors.quickbooks.entries import with_entries_found
from ar_connectors.quickbooks.mapping_settlements import journal_entry_of
from ar_connectors.quickbooks.tables import row_ids, table_of
from ar_core.model import (
    Adjustment,
    Allocation,
    Contact,
    CreditNote,
    Customer,
    DeletionEvidence,
    Dispute,
    Invoice,
    Organization,
    Payment,
    Promise,
    RecordKind,
    Source,
    Tombstone,
    parse_record_id,
)
from ar_core.model.money import subtract

__all__ = ["Settled", "chunks", "merge", "read_again", "settle"]

_ENTITY_OF: Final = {
    RecordKind.INVOICE: "Invoice",
    RecordKind.CREDIT_NOTE: "CreditMemo",
    RecordKind.PAYMENT: "Payment",
    RecordKind.CUSTOMER: "Customer",
}
_ORDER: Final = ("Customer", "Invoice", "CreditMemo", "Payment", "JournalEntry", "Attachable")


@dataclass(frozen=True, slots=True)
class Settled:
    """A page with everything that belongs to it, to be committed as one."""

    page: Page
    gone: tuple[str, ...] = ()
    """`Entity:Id` of the stubs that were proven; the overlap of the next reading shows them again."""


@dataclass(slots=True)
class _Todo:
    """What is to be read again, and which stubs are to be proven, by entity."""

    ids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stubs: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    documents: set[str] = field(default_factory=set)
    """Our ids of invoices and credits among them."""

    def touch(self, record_id: str | None) -> None:
        """Note that a record must be read again; kinds that cannot be, and records of ours, are passed over."""
        parts = parse_record_id(record_id) if record_id else None
        entity = _ENTITY_OF.get(RecordKind(parts.kind)) if parts is not None else None
        if parts is not None and entity is not None:
            self.ids[entity].add(parts.remote_id)
            if entity in {"Invoice", "CreditMemo"}:
                self.documents.add(str(record_id))


def settle(
    client: QuickBooksClient,
    context: Context,
    view: StoreView,
    page: Page,
    proven: Iterable[str] = (),
    also: Iterable[str] = (),
    before: datetime | None = None,
) -> Settled:
    """Read what a page of changes touches and merge it into the page. `proven`: stubs that an earlier reading proved; `also`:
    records to read again in any case; `before`: the server's time when the reading before this one began, UTC.

    A row that the store has in the same version is an old acquaintance from the overlap: it touches nothing. Unless it changed
    after the reading before had begun: then that one read it again for another row's sake, and its customer perhaps before it.
    """
    known_gone = set(proven)
    todo = _Todo()
    for one in also:
        todo.touch(one)
    outrun = _outrun(page, before)
    _touched_by_changes(page, view, todo, outrun)
    for stub in page.tombstones:
        entity = stub.source.kind
        if f"{entity}:{stub.source.remote_id}" not in known_gone and table_of(entity) is not None:
            todo.stubs[entity].add(stub.source.remote_id)
    _touched_by_deletions(page, view, todo)
    _touched_by_letting_go(page, view, todo, outrun)
    # A parent's payment may settle what a child owes: then the child's balance has changed with the document's.
    for document in view.records(todo.documents).values() if todo.documents else ():
        todo.touch(document.customer_id)
    for record in page.records:
        if record.source is not None and not isinstance(record, Allocation | Contact):
            todo.ids[record.source.kind].discard(record.source.remote_id)
    parts = [page]
    alive: dict[str, frozenset[str]] = {}
    for entity in _ORDER:
        wanted = todo.ids[entity] | todo.stubs[entity]
        answers = list(read_again(client, context, entity, wanted))
        parts.extend(answers)
        alive[entity] = frozenset().union(*(row_ids(answer) for answer in answers)) & todo.stubs[entity]
    parts[0] = _without_the_living(page, alive)
    merged = with_entries_found(_with_journal_leftovers(merge(parts, page.stream), view, page), view)
    gone = tuple(sorted(f"{one.source.kind}:{one.source.remote_id}" for one in parts[0].tombstones))
    return Settled(merged, gone)


def read_again(client: QuickBooksClient, context: Context, entity: str, ids: Iterable[str]) -> Iterator[Page]:
    """Pages of the rows with these ids, as far as they exist; a call per thousand ids."""
    table = table_of(entity)
    condition = table.condition if table is not None and entity == "Customer" else ""
    for some in chunks(sorted(ids)):
        yield decode_page(client.by_ids(entity, some, condition).body, entity, context)


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """Ids in portions of what one query takes."""
    remaining = iter(ids)
    while some := list(islice(remaining, MAX_IDS)):
        yield some


def _outrun(page: Page, before: datetime | None) -> frozenset[str]:
    """Records that changed while the reading before this one was under way, by QuickBooks' own clock, which counts in seconds."""
    if before is None:
        return frozenset()
    return frozenset(
        record.id
        for record in page.records
        if isinstance(record, Invoice | CreditNote | Payment | Adjustment)
        and record.source is not None
        and record.source.updated_at is not None
        and record.source.updated_at >= before
    )


def _touched_by_changes(page: Page, view: StoreView, todo: _Todo, outrun: frozenset[str]) -> None:
    """Customers, and the documents of payments, of every record that is new, has another version than the stored one, or outran
    the reading before."""
    moved = [r for r in page.records if isinstance(r, Invoice | CreditNote | Payment | Adjustment)]
    stored = view.records([record.id for record in moved])
    changed = {record.id for record in moved if not _same_version(record.source, stored.get(record.id))}
    changed |= outrun
    for record in moved:
        if record.id in changed:
            todo.touch(record.customer_id)
            todo.touch(getattr(stored.get(record.id), "customer_id", None))
    parents = [
        record.id for record in moved if record.id in changed and isinstance(record, Payment | CreditNote)
    ]
    now = (one for one in page.records if isinstance(one, Allocation) and one.parent_id in changed)
    before = view.allocations_of(parents) if parents else ()
    for allocation in (*now, *before):
        todo.touch(allocation.target_id)
        if allocation.source_id != allocation.parent_id:
            todo.touch(allocation.source_id)


def _touched_by_deletions(page: Page, view: StoreView, todo: _Todo) -> None:
    """The same for records that are called deleted and that the store still has."""
    stored = view.records([stub.id for stub in page.tombstones]) if page.tombstones else {}
    for record in stored.values():
        todo.touch(getattr(record, "customer_id", None))
    parents = [one for one, record in stored.items() if isinstance(record, Payment | CreditNote)]
    for allocation in view.allocations_of(parents) if parents else ():
        todo.touch(allocation.target_id)
        if allocation.source_id != allocation.parent_id:
            todo.touch(allocation.source_id)
    for record in stored.values():
        # A stub is proven by asking for the record itself, not for what it touched.
        source: Source | None = getattr(record, "source", None)
        if source is not None:
            todo.ids[source.kind].discard(source.remote_id)


def _touched_by_letting_go(page: Page, view: StoreView, todo: _Todo, outrun: frozenset[str]) -> None:
    """Payments that had settled a document which is less settled than before, or gone, and all else those payments are tied to. Of
    what outran the reading before, the store no longer knows how it was before, so its payments are asked too.

    Payments that the page itself brings have touched theirs already; the others are looked for in the store.
    """
    documents = {one.id: one for one in page.records if isinstance(one, Invoice | CreditNote | Adjustment)}
    gone = [one.id for one in page.tombstones]
    stored = view.records([*documents, *gone]) if documents or gone else {}
    less = [
        identity
        for identity, before in stored.items()
        if isinstance(before, Invoice | CreditNote | Adjustment)
        and (
            identity not in documents
            or identity in outrun
            or _settled(before) > _settled(documents[identity])
        )
    ]
    brought = {one.id for one in page.records if isinstance(one, Payment)} | set(gone)
    parents = {one.parent_id for one in view.allocations_on(less)} - brought if less else set()
    for payment in view.records(parents).values() if parents else ():
        todo.touch(payment.id)
        todo.touch(payment.customer_id)
    for allocation in view.allocations_of(parents) if parents else ():
        todo.touch(allocation.target_id)
        if allocation.source_id != allocation.parent_id:
            todo.touch(allocation.source_id)


def _settled(document: Invoice | CreditNote | Adjustment) -> Decimal:
    """How much of a document is settled or used up; zero where that cannot be told."""
    rest: Decimal | None
    match document:
        case Invoice():
            whole, rest = document.total, document.balance_due
        case CreditNote():
            whole, rest = document.total, document.unapplied_amount
        case Adjustment():
            whole, rest = document.amount, document.open_amount
    return Decimal(0) if rest is None else abs(subtract(whole, rest))


def _same_version(source: Source | None, stored: Any) -> bool:
    before: Source | None = getattr(stored, "source", None)
    return (
        source is not None
        and before is not None
        and source.version is not None
        and source.version == before.version
    )


def _without_the_living(page: Page, alive: dict[str, frozenset[str]]) -> Page:
    """The page without stubs of records that turned out to exist; they are counted as out of scope, with the reason."""
    dead = [one for one in page.tombstones if one.source.remote_id not in alive.get(one.source.kind, ())]
    living = [one for one in page.tombstones if one.source.remote_id in alive.get(one.source.kind, ())]
    replaced = [
        one.id for one in dead if one.kind in {RecordKind.PAYMENT, RecordKind.CUSTOMER}
    ]  # what hung on them goes with them
    notes = [
        OutOfScope(
            one.source.kind, one.source.remote_id, "reported as deleted, and still there when asked for"
        )
        for one in living
    ]
    return replace(
        page,
        tombstones=dead,
        out_of_scope=[*page.out_of_scope, *notes],
        replaces=[*page.replaces, *replaced],
    )


def _with_journal_leftovers(page: Page, view: StoreView, changes: Page) -> Page:
    """Adjustments of a journal entry that it no longer has: one entry may hold several, and a stub names only the entry."""
    deleted = {one.source.remote_id for one in page.tombstones if one.source.kind == "JournalEntry"}
    entries = {one.remote_id for one in changes.out_of_scope if one.kind == "JournalEntry"} | deleted
    entries |= {
        journal_entry_of(one.source.remote_id)
        for one in page.records
        if isinstance(one, Adjustment) and one.source
    }
    if not entries:
        return page
    present = {one.id for one in page.records if isinstance(one, Adjustment)}
    leftovers = []
    for identity in view.live_ids(RecordKind.ADJUSTMENT):
        parts = parse_record_id(identity)
        entry = journal_entry_of(parts.remote_id) if parts is not None else ""
        if parts is None or entry not in entries or identity in present:
            continue
        evidence = DeletionEvidence.REPORTED_DELETED if entry in deleted else DeletionEvidence.SET_REPLACED
        source = Source(
            platform=parts.platform, tenant=parts.tenant, kind="JournalEntry", remote_id=parts.remote_id
        )
        leftovers.append(Tombstone(id=identity, kind=RecordKind.ADJUSTMENT, source=source, evidence=evidence))
    return replace(page, tombstones=[*page.tombstones, *leftovers])


def merge(pages: Sequence[Page], stream: str) -> Page:
    """One page of several, rows numbered through. A record that several of them hold is taken from the last one: it was
    read latest. Its raw body is a batch answer that holds the bodies, so that it can be mapped again."""
    if len(pages) == 1:
        return replace(pages[0], stream=stream)
    latest: dict[str, int] = {}
    for number, page in enumerate(pages):
        for record in page.records:
            if not isinstance(record, Allocation | Contact | Promise | Dispute | Organization):
                latest[record.id] = number
    merged = Page(stream=stream, server_time=pages[0].server_time, mapper_version=pages[0].mapper_version)
    records: list[Any] = []
    row_of: list[int] = []
    rows = 0
    for number, page in enumerate(pages):
        stale = {one for one, at in latest.items() if at != number}
        for record, row in zip(page.records, page.row_of, strict=True):
            if _owner(record) in stale:
                continue
            records.append(record)
            row_of.append(rows + row)
        merged = replace(
            merged,
            tombstones=[*merged.tombstones, *page.tombstones],
            rejected=[*merged.rejected, *(replace(one, row=rows + one.row) for one in page.rejected)],
            out_of_scope=[
                *merged.out_of_scope,
                *(replace(one, row=rows + one.row) for one in page.out_of_scope),
            ],
            replaces=list(dict.fromkeys([*merged.replaces, *page.replaces])),
        )
        rows += page.rows
    bodies = [page.raw for page in pages if page.raw is not None]
    raw = b'{"BatchItemResponse":[' + b",".join(bodies) + b"]}"
    return replace(merged, records=records, row_of=row_of, rows=rows, raw=raw)


def _owner(record: Any) -> str | None:
    if isinstance(record, Allocation):
        return record.parent_id
    if isinstance(record, Contact):
        return record.customer_id
    return record.id if isinstance(record, Invoice | CreditNote | Payment | Adjustment | Customer) else None
