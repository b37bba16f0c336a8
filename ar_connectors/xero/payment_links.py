"""Where can a customer pay an invoice online? One call for each open invoice, once: the answer stays with the invoice in the store.

No list tells it (quirks.md#xero-54), so how many are asked for in a run is the company's choice (`payment_links` in the connection's
settings, none unless it is set). An invoice that is read again keeps its link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from ar_connectors.adapterkit.cutting import loads_plain
from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.errors import ContractError, RejectedError
from ar_connectors.http.redact import excerpt
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.context import PLATFORM
from ar_connectors.xero.own_notes import all_of
from ar_core.model import DocumentStatus, Invoice, RecordKind

__all__ = ["LINKS", "pull_links", "with_links"]

LINKS: Final = "payment_links"
_AT_ONCE: Final = 25
"""Links that are fetched before they are committed."""


def pull_links(client: XeroClient, view: StoreView, most: int) -> Iterator[Sequence[Fetch]]:
    """One call for each open invoice that was not asked for yet, at most so many. What has no such page is remembered too."""
    if most <= 0:
        return
    cursor = view.cursor(LINKS)
    without: list[str] = list(cursor.state.get("without", ())) if cursor is not None else []
    known = frozenset(without)
    wanted = list(islice((one for one in all_of(view, RecordKind.INVOICE) if _may_have(one, known)), most))
    for start in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[start : start + _AT_ONCE]
        yield [Fetch(f"payment links of {len(chunk)} invoices", _reader(client, chunk, without))]


def _may_have(one: Any, without: frozenset[str]) -> bool:
    return (
        isinstance(one, Invoice)
        and one.payment_link is None
        and one.document_status is DocumentStatus.POSTED
        and bool(one.balance_due)
        and one.source is not None
        and one.source.remote_id not in without
    )


def _reader(client: XeroClient, wanted: Sequence[Invoice], without: list[str]) -> Callable[[], Page]:
    def ask() -> Page:
        found: list[Invoice] = []
        none: list[str] = []
        for invoice in wanted:
            remote_id = invoice.source.remote_id if invoice.source is not None else ""
            link = _link(client, remote_id)
            if link:
                found.append(invoice.model_copy(update={"payment_link": link}))
            else:
                none.append(remote_id)
        without[:] = [*(one for one in without if one not in none), *none]
        return Page(found, stream=LINKS, rows=len(wanted), cursor=Cursor(LINKS, {"without": list(without)}))

    return ask


def _link(client: XeroClient, remote_id: str) -> str | None:
    """The address of an invoice's page; None where Xero says that it has none. Raises ContractError for an unreadable answer."""
    try:
        answer = client.get(f"Invoices/{remote_id}/OnlineInvoice", "read OnlineInvoice")
    except RejectedError:
        return None
    try:
        rows = loads_plain(answer.body)["OnlineInvoices"]
        return str(rows[0]["OnlineInvoiceUrl"] or "") or None if rows else None
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise ContractError(
            f"the answer names no payment page: {error!r}",
            platform=PLATFORM,
            tenant=client.tenant,
            operation="read OnlineInvoice",
            excerpt=excerpt(answer.body[:200]),
        ) from error


def with_links(page: Page, view: StoreView) -> Page:
    """A page of invoices with the links that are known of them: what Xero lists has none."""
    known = {
        one.id: one.payment_link
        for one in view.records(one.id for one in page.records if isinstance(one, Invoice)).values()
        if one.payment_link is not None
    }
    if not known:
        return page
    records = [
        one.model_copy(update={"payment_link": known[one.id]}) if one.id in known else one
        for one in page.records
    ]
    return replace(page, records=records)
