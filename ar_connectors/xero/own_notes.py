"""Which promises in Xero are ours? Dates that we set, told from a bookkeeper's, and the notes behind dates that we do not know.

History is one call a document and in no list (quirks.md#xero-23), so it is read only where an expected payment date says that
there may be something to find, once for each date. What is found there is a promise of ours; a date without such a note is
the bookkeeper's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from ar_connectors.connector import Cursor, Fact, Fetch, Page, StoreView
from ar_connectors.errors import NotFoundError
from ar_connectors.xero import wire
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.context import Context, Mapper
from ar_connectors.xero.decode import MAPPER_VERSION, history_of
from ar_connectors.xero.mapping_notes import facts_in
from ar_core.model import Dispute, Invoice, Origin, Promise, RecordKind, parse_record_id

__all__ = ["NOTES", "pull_notes", "without_echoes"]

NOTES: Final = "notes"
_AT_ONCE: Final = 25
"""Documents whose history is read in one page."""


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


def pull_notes(client: XeroClient, context: Context, view: StoreView) -> Iterator[Sequence[Fetch]]:
    """One call for each invoice whose expected payment date was not looked behind yet, and for each whose date was ours and has
    changed or gone since: its history says why."""
    cursor = view.cursor(NOTES)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    read: dict[str, str] = dict(state.get("read", {}))
    ours: dict[str, str] = dict(state.get("ours", {}))
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
    items = list(wanted.items())
    for start in range(0, len(items), _AT_ONCE):
        chunk = items[start : start + _AT_ONCE]
        yield [Fetch(f"history of {len(chunk)} invoices", _reader(client, context, view, chunk, read, ours))]


def _reader(
    client: XeroClient,
    context: Context,
    view: StoreView,
    wanted: Sequence[tuple[str, str | None]],
    read: dict[str, str],
    ours: dict[str, str],
) -> Callable[[], Page]:
    def ask() -> Page:
        mapper = Mapper(context)
        records: list[Any] = []
        replaces: list[str] = []
        for remote_id, date in wanted:
            facts = facts_in(mapper, _notes(client, remote_id))
            records += facts
            ours.pop(remote_id, None)
            if date is None:
                read.pop(remote_id, None)
                continue
            read[remote_id] = date
            if any(_stands(one, date) for one in facts):
                ours[remote_id] = date
                invoice = view.record(context.company.record_id(RecordKind.INVOICE, remote_id))
                if isinstance(invoice, Invoice):
                    # The invoice comes along unchanged, without its native promise: that was ours.
                    records.append(invoice)
                    replaces.append(invoice.id)
        unique = {one.id: one for one in records}
        return Page(
            records=list(unique.values()),
            stream=NOTES,
            kind="HistoryRecord",
            rows=len(unique),
            replaces=replaces,
            cursor=Cursor(NOTES, {"read": dict(read), "ours": dict(ours)}),
            mapper_version=MAPPER_VERSION,
        )

    return ask


def _stands(fact: Promise | Dispute, date: str) -> bool:
    """True for a promise of ours that an expected payment date shows."""
    return (
        isinstance(fact, Promise)
        and fact.withdrawn_on is None
        and fact.superseded_by is None
        and fact.promised_date.isoformat() == date
    )


def _notes(client: XeroClient, remote_id: str) -> list[wire.HistoryRecord]:
    """The history of an invoice, oldest first; none for one that is gone."""
    try:
        return history_of(client.history("Invoices", remote_id).body)
    except NotFoundError:
        return []
