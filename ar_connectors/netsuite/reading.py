"""How is one page of a table fetched and read? The rows behind a key, decoded; what belongs together is kept together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import ge
from typing import Final

from ar_connectors.adapterkit.pages import LARGE, collector_paused
from ar_connectors.connector import Page
from ar_connectors.errors import ContractError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import PAGE_SIZE, NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.credit_lines import with_lines
from ar_connectors.netsuite.decode import decode_envelope
from ar_connectors.netsuite.envelope import Envelope, open_answer, page_of
from ar_connectors.netsuite.suiteql import Key, Select
from ar_connectors.netsuite.tables import Table

__all__ = ["KIND_OF", "Piece", "Tally", "completed", "fetch_page", "last_key"]

KIND_OF: Final = {
    "payment": "transaction",
    "credit_memo": "transaction",
    "invoice": "transaction",
    "journal": "journal",
    "application": "link",
    "customer": "customer",
    "contact": "contact",
}
"""Stream -> kind of its bodies, as `decode` names them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows in ascending order of a key: how many, the sum of their keys, the first and the last one."""

    rows: int
    keys: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What one page brought."""

    page: Page
    last: list[str] | None
    """The key values of its last row; None where the server holds no rows behind it."""
    total: int | None
    """How many rows the statement yields in all, as far as the server says."""
    tally: Tally | None
    """None: rows have several keys, or there are none, or keys do not ascend, or one is missing."""


def fetch_page(
    client: NetSuiteClient, company: Company, table: Table, asked: Select, *, offset: int = 0
) -> Piece:
    """One page of a statement. All links of one transaction come in one page (of statements that are read by key): the last group of
    a full page is left for the next, and one that fills a page alone is read to its end."""
    operation = f"query {table.stream}"
    response = client.query(asked.sql(), operation, offset=offset)
    with collector_paused(len(response.body) > LARGE):
        envelope = open_answer(response, client.tenant, operation)
        last, total = None, envelope.total
        if envelope.has_more and envelope.rows:
            if table.shape == "link":
                envelope = _whole_groups(client, asked, envelope, operation)
            last = last_key(envelope, asked.keys[:1] if table.shape == "link" else asked.keys)
        envelope = completed(client, company, table.stream, envelope)
        context = company.context(client.tenant)
        page = decode_envelope(envelope, KIND_OF[table.stream], context, stream=table.stream)
        tally = _tally(envelope, asked.keys[0].name) if len(asked.keys) == 1 else None
    return Piece(replace(page, server_time=response.server_date), last, total, tally)


def _tally(envelope: Envelope, name: str) -> Tally | None:
    try:
        numbers = [*map(int, envelope.keys(name))]  # type: ignore[arg-type]  # None is no number, as int() says
    except (TypeError, ValueError):
        return None
    if not numbers or any(map(ge, numbers, numbers[1:])):
        return None
    return Tally(len(numbers), sum(numbers), numbers[0], numbers[-1])


def completed(client: NetSuiteClient, company: Company, stream: str, envelope: Envelope) -> Envelope:
    """The same rows with what stands in another table: the lines of credit memos, where the role sees them."""
    if stream == "credit_memo" and "line" in company.features:
        return with_lines(client, company.schema(), envelope)
    return envelope


def last_key(envelope: Envelope, keys: Sequence[Key]) -> list[str]:
    """The values of the keys in the last row. Raises ContractError where it has none: nobody can ask for what is behind it."""
    found = [envelope.key(-1, key.name) for key in keys]
    if None in found:
        raise ContractError("the last row of a page has no key", platform=PLATFORM, operation="read a page")
    return [value for value in found if value is not None]


def _whole_groups(client: NetSuiteClient, ranged: Select, envelope: Envelope, operation: str) -> Envelope:
    """The same rows without the last transaction's, which may go on behind them; where it is the only one, all that it has."""
    name = ranged.keys[0].name
    rows, (final,) = list(envelope.rows), last_key(envelope, ranged.keys[:1])
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
