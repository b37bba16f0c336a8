"""How is an organisation read? Its facts, then each list once page by page, then what changed since; and open invoices once a day.

A first load pages in the order of ids: rows only ever come in between, so none moves to where has been read, and the pages may
be fetched side by side; what changed meanwhile is read right after it. A delta asks for page 1 again and again, from the last row
that was seen: a row that changes while it is read comes later, and is never lost (quirks.md#xero-15).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Answer, Cursor, Fetch, Page, StoreView, StreamSpec
from ar_connectors.errors import ConfigurationError, UnsupportedOperation
from ar_connectors.xero.client import MAX_IDS, XeroClient, timestamp
from ar_connectors.xero.company import MAX_AGE, REFERENCE, Company, company_of, read_company
from ar_connectors.xero.context import PLATFORM, Context
from ar_connectors.xero.decode import ListRows
from ar_connectors.xero.open_invoices import OPEN, invoices_again, known_of, pull_open
from ar_connectors.xero.own_notes import NOTES, pull_notes
from ar_connectors.xero.payment_links import LINKS, pull_links
from ar_connectors.xero.reading import Listed, list_answer, list_page
from ar_connectors.xero.writeback_scope import NOTES_GROUP
from ar_core.model import Allocation, CreditNote, Payment, RecordKind, parse_record_id

__all__ = ["LISTS", "OVERLAP", "STREAMS", "ReadOptions", "XeroList", "pull"]

OVERLAP: Final = timedelta(minutes=5)
"""Subtracted from the watermark in the question, never from the stored one (quirks.md#xero-16)."""
_STEP: Final = timedelta(seconds=1)
_SETTLING: Final = frozenset({"payments", "prepayments", "overpayments", "credit_notes"})


@dataclass(frozen=True, slots=True)
class XeroList:
    """A list that is read as a whole once, and then for its changes."""

    stream: str
    collection: str
    id_name: str
    kinds: tuple[RecordKind, ...]
    params: tuple[tuple[str, str], ...] = ()
    """What every question for it says."""


LISTS: Final[Mapping[str, XeroList]] = {
    one.stream: one
    for one in (
        XeroList("payments", "Payments", "PaymentID", (RecordKind.PAYMENT, RecordKind.ALLOCATION)),
        XeroList("prepayments", "Prepayments", "PrepaymentID", (RecordKind.PAYMENT, RecordKind.ALLOCATION)),
        XeroList(
            "overpayments", "Overpayments", "OverpaymentID", (RecordKind.PAYMENT, RecordKind.ALLOCATION)
        ),
        XeroList(
            "credit_notes",
            "CreditNotes",
            "CreditNoteID",
            (RecordKind.CREDIT_NOTE, RecordKind.ALLOCATION),
            (("where", 'Type=="ACCRECCREDIT"'),),
        ),
        XeroList(
            "invoices",
            "Invoices",
            "InvoiceID",
            (RecordKind.INVOICE, RecordKind.PROMISE),
            (("where", 'Type=="ACCREC"'), ("unitdp", "4")),
        ),
        XeroList(
            "contacts",
            "Contacts",
            "ContactID",
            (RecordKind.CUSTOMER, RecordKind.CONTACT),
            (("includeArchived", "true"),),
        ),
    )
}
"""By the name of the stream that reads it."""

_AFTER: Final = {"invoices": ("payments", "prepayments", "overpayments", "credit_notes"), "contacts": ()}

STREAMS: Final[tuple[StreamSpec, ...]] = (
    StreamSpec(REFERENCE, (RecordKind.ORGANIZATION,)),
    *(StreamSpec(name, one.kinds, after=(REFERENCE, *_AFTER.get(name, ()))) for name, one in LISTS.items()),
    StreamSpec(OPEN, (RecordKind.INVOICE, RecordKind.PROMISE), after=(REFERENCE, "invoices")),
    StreamSpec(LINKS, (RecordKind.INVOICE,), after=(REFERENCE, "invoices", OPEN)),
    StreamSpec(
        NOTES, (RecordKind.PROMISE, RecordKind.DISPUTE), after=(REFERENCE, "invoices", "contacts", OPEN)
    ),
)
"""All streams, in reading order."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How an organisation is to be read."""

    order_hold_group: str | None = None
    notes_group: str | None = NOTES_GROUP
    """Name of the contact group of those in whose histories notes of ours are."""
    payment_links: int = 0
    """How many links to pages where an invoice can be paid are asked for in one run, a call each."""
    open_invoices_age: timedelta = timedelta(hours=24)
    """Open invoices are read whole when the last such reading is older: what Xero changes without a word is that old at most."""


def pull(
    client: XeroClient, clock: Clock, stream: str, view: StoreView, options: ReadOptions
) -> Iterator[Sequence[Fetch]]:
    """What to ask next for a stream; see `Connector.pull`. Raises UnsupportedOperation for a stream there is not."""
    if stream == REFERENCE:
        yield from _reference(client, clock, view)
        return
    if stream not in {*LISTS, OPEN, LINKS, NOTES}:
        raise UnsupportedOperation(
            f"there is no stream {stream!r}",
            platform=PLATFORM,
            tenant=client.tenant,
            operation="pull",
            advice="the streams are " + ", ".join(spec.name for spec in STREAMS),
        )
    company = company_of(view.cursor(REFERENCE))
    if company is None:
        raise ConfigurationError(
            f"the stream {stream} needs the organisation's reference data first",
            platform=PLATFORM,
            tenant=client.tenant,
            operation=f"pull {stream}",
            advice="read the stream `reference` before it",
        )
    context = replace(
        company.context(client.tenant, options.order_hold_group), keeps_links=options.payment_links > 0
    )
    if stream == OPEN:
        yield from pull_open(client, clock, context, view, options.open_invoices_age)
    elif stream == LINKS:
        yield from pull_links(client, view, options.payment_links)
    elif stream == NOTES:
        yield from pull_notes(client, context, view, options.notes_group, company.read_at)
    else:
        yield from _list(client, clock, company, context, LISTS[stream], view)


def _reference(client: XeroClient, clock: Clock, view: StoreView) -> Iterator[Sequence[Fetch]]:
    known = company_of(view.cursor(REFERENCE))
    now = clock.now()
    if known is None or now - known.read_at > MAX_AGE:
        yield [Fetch("reference data", lambda: read_company(client, now))]


def _list(
    client: XeroClient, clock: Clock, company: Company, context: Context, one: XeroList, view: StoreView
) -> Iterator[Sequence[Fetch]]:
    """A list as a whole, then its changes. `state` is what its cursor holds: `since` when the first load began by the server's clock
    and `begun` by ours, `next` page of it, `watermark` up to which changes are read, `settled` invoices that are to be read again."""
    cursor = view.cursor(one.stream)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    read = _reader(client, context, one, view)
    if "watermark" not in state:
        state.setdefault("begun", clock.now().isoformat())
        at_once = yield from _first_load(company.read_at, one, state, _asker(client, context, one, view))
        if at_once:
            return
    yield from _changes(one, state, read, view)
    # Whether what settles moves the UpdatedDateUTC of what it settles is not documented (quirks.md#xero-25): read it again.
    ids = state.pop("settled", [])
    for start in range(0, len(ids), MAX_IDS):
        chunk = ids[start : start + MAX_IDS]
        ask = invoices_again(client, context, view, chunk, one.stream)
        yield [Fetch(f"{len(chunk)} settled invoices again", ask)]
    if ids:
        done = Page(stream=one.stream, cursor=Cursor(one.stream, dict(state)))
        yield [Fetch(f"{one.collection} settled", lambda: done)]


Read = Callable[[int, datetime | None, tuple[tuple[str, str], ...]], Listed]
"""Reads a page: its number, since when, further parameters."""


def _reader(client: XeroClient, context: Context, one: XeroList, view: StoreView) -> Read:
    def read(number: int, since: datetime | None, more: tuple[tuple[str, str], ...]) -> Listed:
        params = (*one.params, *more)
        found = list_page(client, one.collection, params, number, context, stream=one.stream, since=since)
        return replace(found, page=known_of(found.page, context, view)) if one.stream == "invoices" else found

    return read


Ask = Callable[[int, Callable[[Listed], Page]], Page | Answer]
"""Asks for a page of a first load: its number, and what becomes of it."""


def _asker(client: XeroClient, context: Context, one: XeroList, view: StoreView) -> Ask:
    params = (*one.params, ("order", one.id_name))

    def ask(number: int, then: Callable[[Listed], Page]) -> Page | Answer:
        def known(found: Listed, rows: ListRows) -> Page:
            if rows.has_promises or (context.keeps_links and one.stream == "invoices"):
                found = replace(found, page=known_of(found.page, context, view))
            return then(found)

        answer = list_answer(client, one.collection, params, number, context, known, stream=one.stream)
        # Links are put into every record, so those are made where that is done.
        return answer.page() if context.keeps_links else answer

    return ask


def _first_load(
    before: datetime, one: XeroList, state: dict[str, Any], ask: Ask
) -> Generator[Sequence[Fetch], None, bool]:
    """Read a list once, and give `state` its watermark: when its first page was read (`before`, where the server does not tell).
    The cursor says up to which page it is committed, so a crash costs the pages in flight. Returns whether it was read at one
    moment; else what changed meanwhile, on pages that had been read already, is to be read now."""
    told: dict[int, tuple[bool, int | None]] = {}
    """By page: whether it is the last, and how many there are. Not the pages: a first load must not hold what it has read."""

    def asker(number: int) -> Callable[[], Page | Answer]:
        def then(found: Listed) -> Page:
            told[number] = (found.last, found.pages)
            since = state.setdefault("since", (found.page.server_time or before).isoformat())
            whole = number == 1 and found.last
            stands = {"watermark": since} if whole else {"next": number + 1}
            begun = {"since": since, "begun": state["begun"]}
            return replace(found.page, cursor=Cursor(one.stream, {**begun, **stands}))

        return lambda: ask(number, then)

    first = number = int(state.pop("next", 1))
    pages = number
    while True:
        last = max(number, pages)
        yield [Fetch(f"{one.collection} page {at}", asker(at)) for at in range(number, last + 1)]
        # The last page itself says whether it still is: a row that came in between has pushed another one behind it.
        is_last, there_are = told[last]
        if is_last:
            state["watermark"] = state["since"]
            return (first, last) == (1, 1)
        number, pages = last + 1, there_are or 0


def _settled_by(page: Page, view: StoreView) -> set[str]:
    """Ids of invoices that the changed payments and credits of a page settle, or settled as they were stored."""
    parents = [one.id for one in page.records if isinstance(one, Payment | CreditNote)]
    stored = view.records(parents)
    new = {one.id: one for one in page.records}
    changed = {one for one in parents if stored.get(one) != new[one]} | {one.id for one in page.tombstones}
    changed |= {
        one.parent_id
        for one in page.records
        if isinstance(one, Allocation) and one.parent_id not in changed and view.record(one.id) != one
    }
    if not changed:
        return set()
    now = [one for one in page.records if isinstance(one, Allocation) and one.parent_id in changed]
    targets = {one.target_id for one in (*now, *view.allocations_of(sorted(changed)))}
    found = (parse_record_id(one) for one in targets)
    return {one.remote_id for one in found if one is not None and one.kind == RecordKind.INVOICE}


def _changes(one: XeroList, state: dict[str, Any], read: Read, view: StoreView) -> Iterator[Sequence[Fetch]]:
    """What changed since the watermark, from the last row seen to the next, until a page is the last. `state` gains the ids of the
    invoices that it settles; they are kept in the cursor until they were read."""
    watermark = datetime.fromisoformat(state["watermark"])
    settled = set(state.get("settled", ()))
    since, number = watermark - OVERLAP, 1
    seen: list[tuple[Listed, datetime]] = []

    def ask() -> Page:
        found = read(number, since, ())
        page = found.page
        times = [
            record.source.updated_at
            for record in page.records
            if getattr(record, "source", None) is not None
            and record.source is not None
            and record.source.updated_at is not None
        ]
        # Not of the records alone: a page may end with rows that were deleted, or are a supplier's.
        newest = max(*times, found.newest or since, since)
        until = newest
        if page.server_time is not None:
            # Never later than the server's own time: a row that says it changes next year would hide what others do until then.
            until = page.server_time if found.last else min(newest, page.server_time)
        if one.stream in _SETTLING:
            settled.update(_settled_by(page, view))
        seen[:] = [(found, newest)]
        state["watermark"] = max(until, watermark).isoformat()
        if settled:
            state["settled"] = sorted(settled)
        return replace(page, cursor=Cursor(one.stream, dict(state)))

    while True:
        yield [Fetch(f"{one.collection} since {timestamp(since)}", ask)]
        found, newest = seen[0]
        if found.last:
            return
        if newest - _STEP > since:
            since, number = newest - _STEP, 1
        else:
            number += 1  # more rows than a page holds changed in one second: only now is an offset used
