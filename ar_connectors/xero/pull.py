"""How is an organisation read? Its facts, then each list once page by page, then what changed since; and open invoices once a day.

A first load pages in the order of ids: rows only ever come in between, so none moves to where has been read, and the pages may
be fetched side by side. A delta asks for page 1 again and again, from the last row that was seen: a row that changes while
it is read comes later, and is never lost (quirks.md#xero-15).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Cursor, Fetch, Page, StoreView, StreamSpec
from ar_connectors.errors import ConfigurationError, UnsupportedOperation
from ar_connectors.xero.client import MAX_IDS, PAGE_SIZE, XeroClient, timestamp
from ar_connectors.xero.company import MAX_AGE, REFERENCE, Company, company_of, read_company
from ar_connectors.xero.context import PLATFORM, Context
from ar_connectors.xero.decode import decode_page, pages_of
from ar_connectors.xero.open_invoices import OPEN, invoices_again, pull_open
from ar_connectors.xero.own_notes import NOTES, pull_notes, without_echoes
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
    StreamSpec(NOTES, (RecordKind.PROMISE, RecordKind.DISPUTE), after=(REFERENCE, "invoices", OPEN)),
)
"""All streams, in reading order."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How an organisation is to be read."""

    order_hold_group: str | None = None
    open_invoices_age: timedelta = timedelta(hours=24)
    """Open invoices are read whole when the last such reading is older: what Xero changes without a word is that old at most."""


def pull(
    client: XeroClient, clock: Clock, stream: str, view: StoreView, options: ReadOptions
) -> Iterator[Sequence[Fetch]]:
    """What to ask next for a stream; see `Connector.pull`. Raises UnsupportedOperation for a stream there is not."""
    if stream == REFERENCE:
        yield from _reference(client, clock, view)
        return
    if stream not in {*LISTS, OPEN, NOTES}:
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
    context = company.context(client.tenant, options.order_hold_group)
    if stream == OPEN:
        yield from pull_open(client, clock, context, view, options.open_invoices_age)
    elif stream == NOTES:
        yield from pull_notes(client, context, view)
    else:
        yield from _list(client, company, context, LISTS[stream], view)


def _reference(client: XeroClient, clock: Clock, view: StoreView) -> Iterator[Sequence[Fetch]]:
    known = company_of(view.cursor(REFERENCE))
    now = clock.now()
    if known is not None and now - known.read_at <= MAX_AGE:
        return
    started_at = known.started_at if known is not None else None
    yield [Fetch("reference data", lambda: read_company(client, started_at, now))]


def _list(
    client: XeroClient, company: Company, context: Context, one: XeroList, view: StoreView
) -> Iterator[Sequence[Fetch]]:
    cursor = view.cursor(one.stream)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    read = _reader(client, context, one, view)
    if "watermark" not in state:
        yield from _first_load(company, one, state, read)
        return
    settled = set(state.get("settled", ()))
    reached = [state["watermark"]]
    yield from _changes(one, datetime.fromisoformat(state["watermark"]), read, view, settled, reached)
    # Whether what settles moves the UpdatedDateUTC of what it settles is not documented (quirks.md#xero-25): read it again.
    ids = sorted(settled)
    for start in range(0, len(ids), MAX_IDS):
        chunk = ids[start : start + MAX_IDS]
        ask = invoices_again(client, context, view, chunk, one.stream)
        yield [Fetch(f"{len(chunk)} settled invoices again", ask)]
    if ids:
        done = Page(stream=one.stream, cursor=Cursor(one.stream, {"watermark": reached[0]}))
        yield [Fetch(f"{one.collection} settled", lambda: done)]


Read = Callable[[int, datetime | None, tuple[tuple[str, str], ...]], tuple[Page, bytes]]


def _reader(client: XeroClient, context: Context, one: XeroList, view: StoreView) -> Read:
    """Reads a page: its number, since when, further parameters -> the page, and its body."""

    def read(number: int, since: datetime | None, more: tuple[tuple[str, str], ...]) -> tuple[Page, bytes]:
        answer = client.page(one.collection, (*one.params, *more), number, since)
        page = decode_page(answer.body, one.collection, context, stream=one.stream)
        if one.stream == "invoices":
            page = without_echoes(page, view)
        if page.server_time is None:
            page = replace(page, server_time=answer.server_date)
        return page, answer.body

    return read


def _first_load(
    company: Company, one: XeroList, state: dict[str, Any], read: Read
) -> Iterator[Sequence[Fetch]]:
    """Read a list once. Its cursor says up to which page it is committed, so a crash costs the pages in flight."""
    order = (("order", one.id_name),)
    start = int(state.get("next", 1))
    told: list[tuple[int, int | None]] = []

    def first(number: int) -> Callable[[], Page]:
        def ask() -> Page:
            page, body = read(number, None, order)
            count = pages_of(body)
            told[:] = [(page.rows, count)]
            last = page.rows < PAGE_SIZE or (count is not None and count <= number)
            return replace(page, cursor=_loaded(company, one, number, last=last))

        return ask

    def later(number: int) -> Callable[[], Page]:
        return lambda: replace(read(number, None, order)[0], cursor=_loaded(company, one, number, last=False))

    while True:
        yield [Fetch(f"{one.collection} page {start}", first(start))]
        rows, last = told[0]
        if rows < PAGE_SIZE or (last is not None and last <= start):
            return
        if last is not None:
            break
        start += 1  # a body that does not say how many pages there are
    numbers = range(start + 1, last + 1)
    yield [Fetch(f"{one.collection} page {number} of {last}", later(number)) for number in numbers]
    done = Page(stream=one.stream, cursor=_loaded(company, one, last, last=True))
    yield [Fetch(f"{one.collection} complete", lambda: done)]


def _loaded(company: Company, one: XeroList, number: int, *, last: bool) -> Cursor:
    """Where a first load stands; complete, changes are read from before it began."""
    if last:
        return Cursor(one.stream, {"watermark": company.started_at.isoformat()})
    return Cursor(one.stream, {"next": number + 1})


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


def _changes(
    one: XeroList, watermark: datetime, read: Read, view: StoreView, settled: set[str], reached: list[str]
) -> Iterator[Sequence[Fetch]]:
    """What changed since the watermark, from the last row seen to the next, until a page is not full. `settled` gains the ids of
    the invoices that it touches; they are kept in the cursor until they were read. `reached` becomes the last watermark."""
    since, number = watermark - OVERLAP, 1
    seen: list[tuple[Page, datetime]] = []

    def ask() -> Page:
        page, _ = read(number, since, ())
        times = [
            record.source.updated_at
            for record in page.records
            if getattr(record, "source", None) is not None
            and record.source is not None
            and record.source.updated_at is not None
        ]
        newest = max(times, default=since)
        until = newest
        if page.rows < PAGE_SIZE and page.server_time is not None:
            until = max(newest, page.server_time)
        if one.stream in _SETTLING:
            settled.update(_settled_by(page, view))
        seen[:] = [(page, newest)]
        reached[0] = max(until, watermark).isoformat()
        told: dict[str, Any] = {"watermark": reached[0]}
        if settled:
            told["settled"] = sorted(settled)
        return replace(page, cursor=Cursor(one.stream, told))

    while True:
        yield [Fetch(f"{one.collection} since {timestamp(since)}", ask)]
        page, newest = seen[0]
        if page.rows < PAGE_SIZE:
            return
        if newest - _STEP > since:
            since, number = newest - _STEP, 1
        else:
            number += 1  # more rows than a page holds changed in one second: only now is an offset used
