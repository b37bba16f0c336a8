"""Is a live answer what was asked for? One page of a list, checked against what it says of itself before anything is taken from it.

`decode` takes whatever somebody has at hand, a bare list of rows too. An answer of Xero has an envelope; where it tells how many
rows there are (`pagination`), a page that holds fewer has lost some on its way, and nothing else would ever tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from ar_connectors.connector import Answer, Page
from ar_connectors.errors import ContractError, TransientError
from ar_connectors.http.messages import Response
from ar_connectors.http.redact import excerpt
from ar_connectors.xero.client import PAGE_SIZE, XeroClient
from ar_connectors.xero.context import PLATFORM, Context
from ar_connectors.xero.decode import ListRows, decode_list, newest_change

__all__ = ["Listed", "list_answer", "list_page", "read_by_ids", "rows_of"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list, and where the list ends."""

    page: Page
    pages: int | None
    """How many pages the list has; None where the answer does not say."""
    last: bool
    """Whether nothing comes behind this page."""
    newest: datetime | None = None
    """When its row that changed last did, where changes were asked for."""


def list_page(
    client: XeroClient,
    collection: str,
    params: Sequence[tuple[str, str]],
    number: int,
    context: Context,
    *,
    stream: str = "",
    since: datetime | None = None,
) -> Listed:
    """Ask for one page of a list, 1-based; `since`: only rows that changed from then on. The page's server time is the answer's,
    at least by its HTTP date. Raises ContractError for what is no answer of Xero, TransientError for one that lost rows."""
    answer = client.page(collection, params, number, since)
    page, rows = _decoder(client, answer, collection, context, stream)(answer.body)
    listed = _listed(client, answer, collection, number, page, rows)
    return replace(listed, newest=newest_change(answer.body, collection)) if since is not None else listed


def list_answer(
    client: XeroClient,
    collection: str,
    params: Sequence[tuple[str, str]],
    number: int,
    context: Context,
    then: Callable[[Listed, ListRows], Page],
    *,
    stream: str = "",
) -> Answer:
    """The same page before it is decoded; `then` says what becomes of it. Raises as `list_page` does, now and when it is decoded."""
    answer = client.page(collection, params, number, None)

    def finish(page: Page, rows: ListRows) -> Page:
        return then(_listed(client, answer, collection, number, page, rows), rows)

    return Answer(answer.body, _decoder(client, answer, collection, context, stream), finish)


def read_by_ids(
    client: XeroClient, collection: str, ids: Sequence[str], context: Context, *, stream: str = ""
) -> Page:
    """Invoices or contacts by id, at most `MAX_IDS`, in full; what is not there is left out. Raises as `list_page` does."""
    return rows_of(client, client.by_ids(collection, ids), collection, context, stream=stream)


def rows_of(
    client: XeroClient, answer: Response, collection: str, context: Context, *, stream: str = ""
) -> Page:
    """The rows of an answer that is no page of many. Raises as `list_page` does."""
    page, rows = _decoder(client, answer, collection, context, stream)(answer.body)
    return _listed(client, answer, collection, 1, page, rows).page


def _decoder(
    client: XeroClient, answer: Response, collection: str, context: Context, stream: str
) -> Callable[[bytes], tuple[Page, ListRows]]:
    if answer.body.lstrip()[:1] == b"[":
        message = f"a bare list came where an object with {collection} belongs"
        raise ContractError(message, **_told(client, answer, collection), excerpt=excerpt(answer.body[:200]))
    return partial(decode_list, collection=collection, context=context, stream=stream)


def _listed(
    client: XeroClient, answer: Response, collection: str, number: int, page: Page, rows: ListRows
) -> Listed:
    paging = rows.paging
    if paging is not None and paging.item_count is not None and paging.page_size in {PAGE_SIZE, None}:
        there = min(PAGE_SIZE, paging.item_count - (number - 1) * PAGE_SIZE)
        if page.rows < there:
            raise TransientError(
                f"page {number} has {page.rows} rows and says that it has {there}",
                **_told(client, answer, collection),
            )
    if page.server_time is None:
        page = replace(page, server_time=answer.server_date)
    pages = paging.page_count if paging is not None else None
    return Listed(page, pages, pages <= number if pages is not None else page.rows < PAGE_SIZE)


def _told(client: XeroClient, answer: Response, collection: str) -> dict[str, Any]:
    return {
        "platform": PLATFORM,
        "tenant": client.tenant,
        "operation": f"list {collection}",
        "http_status": answer.status,
    }
