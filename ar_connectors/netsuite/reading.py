"""How is one page of a table fetched and read? The rows behind a key, decoded; what belongs together is kept together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ar_connectors.adapterkit.pages import LARGE, collector_paused
from ar_connectors.connector import Answer, Page
from ar_connectors.http.messages import Response
from ar_connectors.netsuite.client import PAGE_SIZE, NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.credit_lines import with_lines
from ar_connectors.netsuite.decode import decode_envelope
from ar_connectors.netsuite.envelope import Envelope, open_answer, page_of
from ar_connectors.netsuite.pieces import KIND_OF, Piece, Standing, decode_piece, last_key, piece_of, tally_of
from ar_connectors.netsuite.suiteql import Select
from ar_connectors.netsuite.tables import Table

__all__ = ["ask_page", "completed", "fetch_page"]


def ask_page(
    client: NetSuiteClient,
    company: Company,
    table: Table,
    asked: Select,
    offset: int,
    then: Callable[[Piece], Page],
) -> Page | Answer:
    """One page of a statement, and what becomes of it; not decoded yet where its rows are whole by themselves."""
    if table.shape == "link" or _has_lines(company, table.stream):
        return then(fetch_page(client, company, table, asked, offset=offset))
    response = client.query(asked.sql(), f"query {table.stream}", offset=offset)
    return Answer(
        response.body,
        _decoder(client, company, table, asked, response),
        lambda page, standing: then(piece_of(page, standing, response.server_date)),
    )


def fetch_page(
    client: NetSuiteClient, company: Company, table: Table, asked: Select, *, offset: int = 0
) -> Piece:
    """One page of a statement. All links of one transaction come in one page (of statements that are read by key): the last group of
    a full page is left for the next, and one that fills a page alone is read to its end."""
    operation = f"query {table.stream}"
    response = client.query(asked.sql(), operation, offset=offset)
    if table.shape != "link" and not _has_lines(company, table.stream):
        return piece_of(
            *_decoder(client, company, table, asked, response)(response.body), response.server_date
        )
    names = [one.name for one in asked.keys]
    with collector_paused(len(response.body) > LARGE):
        envelope = open_answer(response, client.tenant, operation)
        last, total = None, envelope.total
        if envelope.has_more and envelope.rows:
            if table.shape == "link":
                envelope = _whole_groups(client, asked, envelope, operation)
            last = last_key(envelope, names[:1] if table.shape == "link" else names)
        envelope = completed(client, company, table.stream, envelope)
        context = company.context(client.tenant)
        page = decode_envelope(envelope, KIND_OF[table.stream], context, stream=table.stream)
        standing = Standing(last, total, tally_of(envelope, names))
    return piece_of(page, standing, response.server_date)


def _decoder(
    client: NetSuiteClient, company: Company, table: Table, asked: Select, response: Response
) -> Callable[[bytes], tuple[Page, Standing]]:
    return partial(
        decode_piece,
        request_id=response.headers.get("x-n-operationid"),
        stream=table.stream,
        keys=[one.name for one in asked.keys],
        context=company.context(client.tenant),
    )


def _has_lines(company: Company, stream: str) -> bool:
    return stream == "credit_memo" and "line" in company.features


def completed(client: NetSuiteClient, company: Company, stream: str, envelope: Envelope) -> Envelope:
    """The same rows with what stands in another table: the lines of credit memos, where the role sees them."""
    if _has_lines(company, stream):
        return with_lines(client, company.schema(), envelope)
    return envelope


def _whole_groups(client: NetSuiteClient, ranged: Select, envelope: Envelope, operation: str) -> Envelope:
    """The same rows without the last transaction's, which may go on behind them; where it is the only one, all that it has."""
    name = ranged.keys[0].name
    rows, (final,) = list(envelope.rows), last_key(envelope, [name])
    start = _start_of(envelope, name, final)
    if start > 0:
        return page_of(rows[:start])
    offset, answer = PAGE_SIZE, envelope
    while answer.has_more and answer.key(-1, name) == final:
        response = client.query(ranged.sql(), operation, offset=offset)
        answer = open_answer(response, client.tenant, operation)
        rows += [row for row, key in zip(answer.rows, answer.keys(name), strict=True) if key == final]
        offset += PAGE_SIZE
    return page_of(rows)


def _start_of(envelope: Envelope, name: str, final: str) -> int:
    """Where the rows of the last transaction begin."""
    start = len(envelope.rows)
    while start > 0 and envelope.key(start - 1, name) == final:
        start -= 1
    return start
