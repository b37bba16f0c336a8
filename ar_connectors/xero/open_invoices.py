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
from ar_connectors.xero.client import MAX_IDS, PAGE_SIZE, XeroClient
from ar_connectors.xero.context import Context
from ar_connectors.xero.decode import decode_page
from ar_connectors.xero.own_notes import without_echoes
from ar_core.model import Invoice

__all__ = ["OPEN", "invoices_again", "pull_open"]

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
    """One call per 1000 open invoices when the last reading is older than `age`, and one per 40 that differ. The first load
    counts as a reading."""
    cursor = view.cursor(OPEN)
    now = clock.now()
    read_at = datetime.fromisoformat(cursor.state["read_at"]) if cursor is not None else None
    if read_at is not None and now - read_at < age:
        return
    done = Page(stream=OPEN, cursor=Cursor(OPEN, {"read_at": now.isoformat()}))
    if read_at is None:
        yield [Fetch("open invoices are fresh", lambda: done)]
        return
    differing: list[str] = []
    number = 1
    while True:
        counted: list[int] = []

        def compare(page_number: int = number, rows: list[int] = counted) -> Page:
            page = decode_page(client.page("Invoices", _QUESTION, page_number).body, "Invoices", context)
            differing.extend(_differing(page, view))
            rows[:] = [page.rows]
            return Page(stream=OPEN)

        yield [Fetch(f"open invoices, page {number}", compare)]
        if counted[0] < PAGE_SIZE:
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

    def read() -> Page:
        answer = client.by_ids("Invoices", ids)
        return without_echoes(decode_page(answer.body, "Invoices", context, stream=stream), view)

    return read
