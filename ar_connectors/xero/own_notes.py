"""Which promises in Xero are ours? Dates that we set, told from a bookkeeper's, and the notes behind dates that we do not know.

History is one call a document and in no list (quirks.md#xero-23), so it is read only where there may be something to find: on an
invoice with an expected payment date, once for each date; and of contacts in the group of those who have notes (they were put
there when the notes were written, quirks.md#xero-49), once, with their open invoices. Disputes and promises that stand in notes alone
may be settled by a further note that nothing announces: their histories are read again once a day. What is found is a promise or dispute of
ours; a date without such a note is the bookkeeper's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from ar_connectors.connector import Cursor, Fact, Fetch, Page, StoreView
from ar_connectors.errors import NotFoundError
from ar_connectors.xero import wire
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.context import Context, Mapper
from ar_connectors.xero.decode import MAPPER_VERSION, history_of
from ar_connectors.xero.mapping_notes import facts_in
from ar_connectors.xero.mapping_parties import IN_GROUP
from ar_core.model import Customer, Dispute, Invoice, Origin, Promise, RecordKind, parse_record_id

__all__ = ["NOTES", "all_of", "pull_notes", "without_echoes"]

NOTES: Final = "notes"
_AT_ONCE: Final = 25
"""Documents whose history is read in one page."""
_BATCH: Final = 1000


def without_echoes(page: Page, view: StoreView) -> Page:
    """A page of invoices without the native promises that are a date of ours coming back."""
    native = [one for one in page.records if isinstance(one, Promise) and one.origin is Origin.ERP]
    if not native:
        return page
    known = _known(view)
    echoes = {one.id for one in native if _is_ours(one, view, known)}
    if not echoes:
        return page
    kept = [
        (record, row)
        for record, row in zip(page.records, page.row_of, strict=True)
        if record.id not in echoes
    ]
    return replace(page, records=[record for record, _ in kept], row_of=[row for _, row in kept])


def _known(view: StoreView) -> dict[str, str]:
    """Invoice (remote id) -> the date of a promise of ours that was found in its history."""
    cursor = view.cursor(NOTES)
    return dict(cursor.state.get("ours", {})) if cursor is not None else {}


def _is_ours(promise: Promise, view: StoreView, known: dict[str, str]) -> bool:
    invoice = promise.invoice_ids[0]
    date = promise.promised_date.isoformat()
    parts = parse_record_id(invoice)
    if parts is not None and known.get(parts.remote_id) == date:
        return True
    for placement in reversed(view.placements(invoice)):
        if placement.fact is Fact.PROMISE_DATE and placement.remote_kind == "Invoice":
            return any(
                isinstance(found := view.record(one), Promise) and found.promised_date.isoformat() == date
                for one in placement.subject_ids
                if one.startswith("local:")
            )
    return False


@dataclass(frozen=True, slots=True)
class _Document:
    """Something whose history is to be read."""

    collection: str
    id: str
    date: str | None = None
    """The expected payment date that led here."""


def pull_notes(
    client: XeroClient, context: Context, view: StoreView, group: str | None, as_of: datetime
) -> Iterator[Sequence[Fetch]]:
    """One call for each document that may hold notes we do not know: see the module. Invoices whose date was ours and has
    changed or gone are read again: their history says why. `group`: name of the contact group of those who have notes; its
    members, and what stands in notes alone, are looked for once for every `as_of` (UTC), the age of the reference data."""
    cursor = view.cursor(NOTES)
    state: dict[str, Any] = {
        "read": {},
        "ours": {},
        "members": [],
        **(cursor.state if cursor is not None else {}),
    }
    daily = state.get("looked") != as_of.isoformat()
    wanted = _dated(context, view, state["read"], state["ours"])
    members: list[str] = state["members"]
    promised: dict[str, set[str]] = {}
    if daily and group is not None:
        members = _members(view, group)
        new = set(members) - set(state["members"])
        wanted += [_Document("Contacts", one) for one in sorted(new)]
        wanted += [_Document("Invoices", one) for one in _open_of(context, view, new)]
    if daily:
        wanted += _standing_in_notes(view, state["read"])
    unique: dict[tuple[str, str], _Document] = {}
    for one in wanted:
        unique.setdefault((one.collection, one.id), one)
    wanted = sorted(unique.values(), key=lambda one: one.collection)  # contacts first, see `_reader`
    for start in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[start : start + _AT_ONCE]
        yield [
            Fetch(
                f"history of {len(chunk)} documents", _reader(client, context, view, chunk, state, promised)
            )
        ]
    if daily:
        state |= {"members": members, "looked": as_of.isoformat()}
        done = Page(stream=NOTES, cursor=Cursor(NOTES, state))
        yield [Fetch("all that have notes", lambda: done)]


def _dated(
    context: Context, view: StoreView, read: Mapping[str, str], ours: Mapping[str, str]
) -> list[_Document]:
    """Invoices that an expected payment date leads to."""
    wanted: dict[str, str | None] = {}
    for identity in view.live_ids(RecordKind.PROMISE):
        promise = view.record(identity)
        if not isinstance(promise, Promise) or promise.origin is not Origin.ERP:
            continue
        remote_id = promise.source.remote_id if promise.source is not None else ""
        if remote_id and read.get(remote_id) != promise.promised_date.isoformat():
            wanted[remote_id] = promise.promised_date.isoformat()
    invoices = {context.company.record_id(RecordKind.INVOICE, one): one for one in ours}
    for identity, invoice in view.records(invoices).items():
        day = invoice.expected_payment_date
        told = day.isoformat() if day is not None else None
        if told != ours[invoices[identity]]:
            wanted[invoices[identity]] = told
    return [_Document("Invoices", one, date) for one, date in wanted.items()]


def _standing_in_notes(view: StoreView, read: Mapping[str, str]) -> list[_Document]:
    """The open invoices of disputes, and of promises without a date in Xero, that stand as far as we know; and their contacts, in
    whose histories a note is that an invoice did not take."""
    found: dict[str, _Document] = {}
    for kind in (RecordKind.DISPUTE, RecordKind.PROMISE):
        for fact in all_of(view, kind, born_here=True):
            if fact.origin is not Origin.OURS or _is_settled(fact):
                continue
            about = (fact.invoice_id,) if isinstance(fact, Dispute) else fact.invoice_ids
            for invoice in view.records(about).values():
                dated = isinstance(fact, Promise) and invoice.expected_payment_date == fact.promised_date
                if invoice.source is None or not invoice.balance_due or dated:
                    continue
                contact = parse_record_id(invoice.customer_id or "")
                if contact is not None:
                    found[contact.remote_id] = _Document("Contacts", contact.remote_id)
                number = invoice.source.remote_id
                found[number] = _Document("Invoices", number, read.get(number))
    return [*found.values()]


def _members(view: StoreView, group: str) -> list[str]:
    """Xero's ids of the contacts in a group, as they were read; names are not told apart by their case."""
    return sorted(
        one.source.remote_id
        for one in all_of(view, RecordKind.CUSTOMER, mentioning=IN_GROUP)
        if isinstance(one, Customer)
        and one.source is not None
        and any(
            field.name == IN_GROUP and str(field.value).casefold() == group.casefold()
            for field in one.custom_fields
        )
    )


def _open_of(context: Context, view: StoreView, contacts: Collection[str]) -> list[str]:
    """Xero's ids of the open invoices of contacts."""
    owners = {context.company.record_id(RecordKind.CUSTOMER, one) for one in contacts}
    if not owners:
        return []
    return [
        one.source.remote_id
        for one in all_of(view, RecordKind.INVOICE)
        if isinstance(one, Invoice)
        and one.customer_id in owners
        and one.balance_due
        and one.source is not None
    ]


def all_of(
    view: StoreView, kind: RecordKind, *, born_here: bool = False, mentioning: str | None = None
) -> Iterator[Any]:
    """All live records of a kind, some at a time; see `StoreView.live_ids`."""
    ids = view.live_ids(kind, born_here=born_here, mentioning=mentioning)
    while some := list(islice(ids, _BATCH)):
        yield from view.records(some).values()


def _reader(
    client: XeroClient,
    context: Context,
    view: StoreView,
    wanted: Sequence[_Document],
    state: dict[str, Any],
    promised: dict[str, set[str]],
) -> Callable[[], Page]:
    """Reads the histories of some documents. `promised`: invoice (our id) to the days for which promises of ours stand, as far as
    they were read; a note about an invoice may be its contact's, which comes first."""
    read, ours = state["read"], state["ours"]

    def ask() -> Page:
        mapper = Mapper(context)
        found: dict[str, Any] = {}
        replaces: list[str] = []
        for one in wanted:
            for fact in facts_in(mapper, _notes(client, one)):
                found[fact.id] = _later(found.get(fact.id), fact)
        for fact in found.values():
            if isinstance(fact, Promise) and not _is_settled(fact):
                for invoice_id in fact.invoice_ids:
                    promised.setdefault(invoice_id, set()).add(fact.promised_date.isoformat())
        for one in (document for document in wanted if document.collection == "Invoices"):
            ours.pop(one.id, None)
            if one.date is None:
                read.pop(one.id, None)
                continue
            read[one.id] = one.date
            identity = context.company.record_id(RecordKind.INVOICE, one.id)
            if one.date in promised.get(identity, ()):
                ours[one.id] = one.date
                invoice = view.record(identity)
                if isinstance(invoice, Invoice):
                    # The invoice comes along unchanged, without its native promise: that was ours.
                    found[invoice.id] = invoice
                    replaces.append(invoice.id)
        known = view.records(found)
        records = [_later(known.get(identity), one) for identity, one in found.items()]
        return Page(
            records=records,
            stream=NOTES,
            kind="HistoryRecord",
            rows=len(records),
            replaces=replaces,
            cursor=Cursor(NOTES, {**state, "read": dict(read), "ours": dict(ours)}),
            mapper_version=MAPPER_VERSION,
        )

    return ask


def _later(known: Any, told: Any) -> Any:
    """Of two readings of a record the one that holds. A promise has a note on each of its invoices, and not each of them tells
    that it was withdrawn or replaced: what is settled does not open again."""
    return known if _is_settled(known) and not _is_settled(told) else told


def _is_settled(record: Any) -> bool:
    if isinstance(record, Promise):
        return record.withdrawn_on is not None or record.superseded_by is not None
    return isinstance(record, Dispute) and record.resolved_on is not None


def _notes(client: XeroClient, document: _Document) -> list[wire.HistoryRecord]:
    """The history of a document or contact, oldest first; none for one that is gone."""
    try:
        return history_of(client.history(document.collection, document.id).body)
    except NotFoundError:
        return []
