"""What does Xero change without telling? Open invoices, read whole as summaries once in a while; those that differ, in full.

The due date of a part-paid invoice, and other fields, move without a new UpdatedDateUTC (quirks.md#xero-17). A summary has no
lines, so it is only compared: what differs is read again by id and stored from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.xero.client import MAX_IDS, XeroClient
from ar_connectors.xero.context import Context
from ar_connectors.xero.own_notes import without_echoes
from ar_connectors.xero.payment_links import with_links
from ar_connectors.xero.reading import list_page, read_by_ids
from ar_core.model import Invoice

__all__ = ["OPEN", "invoices_again", "known_of", "pull_open"]

OPEN: Final = "open_invoices"
_QUESTION: Final = (
    ("Statuses", "AUTHORISED"),
    ("where", 'Type=="ACCREC"'),
    ("summaryOnly", "true"),
    ("order", "InvoiceID"),
)
_COMPARED: Final = (
    "number",
    "customer_id",
    "issue_date",
    "due_date",
    "currency",
    "total",
    "balance_due",
    "amount_paid",
    "amount_credited",
    "document_status",
    "customer_reference",
    "expected_payment_date",
)
"""What a summary says of an invoice and what matters (quirks.md#xero-18)."""


def pull_open(
    client: XeroClient, clock: Clock, context: Context, view: StoreView, age: timedelta
) -> Iterator[Sequence[Fetch]]:
    """One call per 1000 open invoices when the last reading is older than `age`, and one per 40 that differ. The first load of
    the invoices counts as a reading, made when it began. All by our own clock: another one's may be days away."""
    cursor, loaded = view.cursor(OPEN), view.cursor("invoices")
    now = clock.now()
    told = cursor.state["read_at"] if cursor is not None else loaded.state.get("begun") if loaded else None
    if told is not None and now - datetime.fromisoformat(told) < age:
        return
    done = Page(stream=OPEN, cursor=Cursor(OPEN, {"read_at": now.isoformat()}))
    differing: list[str] = []
    number = 1
    while True:
        ended: list[bool] = []

        def compare(page_number: int = number, last: list[bool] = ended) -> Page:
            found = list_page(client, "Invoices", _QUESTION, page_number, context)
            differing.extend(_differing(found.page, view))
            last[:] = [found.last]
            return Page(stream=OPEN)

        yield [Fetch(f"open invoices, page {number}", compare)]
        if ended[0]:
            break
        number += 1
    ids = list(dict.fromkeys(differing))
    chunks = [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]
    if chunks:
        yield [
            Fetch(f"{len(chunk)} invoices again", invoices_again(client, context, view, chunk, OPEN))
            for chunk in chunks
        ]
    yield [Fetch("open invoices complete", lambda: done)]


def _differing(page: Page, view: StoreView) -> list[str]:
    """Ids of invoices that are not as they were stored."""
    ours: dict[str, Any] = view.records(one.id for one in page.records if isinstance(one, Invoice))
    found = []
    for one in page.records:
        if not isinstance(one, Invoice) or one.source is None:
            continue
        known = ours.get(one.id)
        if known is None or any(getattr(known, name) != getattr(one, name) for name in _COMPARED):
            found.append(one.source.remote_id)
    return found


def invoices_again(
    client: XeroClient, context: Context, view: StoreView, ids: Sequence[str], stream: str
) -> Callable[[], Page]:
    """Reads invoices in full by id, at most `MAX_IDS`, for a stream; its cursor stays."""
    return lambda: known_of(read_by_ids(client, "Invoices", ids, context, stream=stream), context, view)


def known_of(page: Page, context: Context, view: StoreView) -> Page:
    """A page of invoices as it goes into the store: with what only we know of them, without what was ours from the start."""
    page = without_echoes(page, view)
    return with_links(page, view) if context.keeps_links else page
