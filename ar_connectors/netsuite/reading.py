"""How is one page of a table fetched and read? The rows behind a key, decoded; what belongs together is kept together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from ar_connectors.connector import Page
from ar_connectors.netsuite.client import PAGE_SIZE, NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.decode import decode_page
from ar_connectors.netsuite.suiteql import Select, after_key, number
from ar_connectors.netsuite.tables import Table

__all__ = ["KIND_OF", "fetch_page"]

KIND_OF = {
    "payment": "transaction",
    "credit_memo": "transaction",
    "invoice": "transaction",
    "journal": "journal",
    "application": "link",
    "customer": "customer",
    "contact": "contact",
}
"""Stream -> kind of its bodies, as `decode` names them."""


class _Keys(msgspec.Struct):
    items: list[dict[str, Any]] = msgspec.field(default_factory=list)
    has_more: bool = msgspec.field(default=False, name="hasMore")


def fetch_page(
    client: NetSuiteClient, company: Company, table: Table, asked: Select, after: list[str], upto: str
) -> tuple[Page, list[str] | None]:
    """The next page of a range of keys, and the key values of its last row; None when the range is at its end.

    All links of one transaction come in one page: the last group of a full page is left for the next, and one that fills a page
    alone is read to its end.
    """
    first = asked.keys[0]
    behind = (
        after_key(asked.keys, after)
        if len(after) == len(asked.keys)
        else f"{first.expression} > {first.literal(after[0])}"
    )
    ranged = asked.having(behind, f"{first.expression} <= {number(upto)}")
    operation = f"query {table.stream}"
    response = client.query(ranged.sql(), operation)
    body = response.body
    answer = msgspec.json.decode(body, type=_Keys)
    rows, more = answer.items, answer.has_more
    if table.shape == "link" and more:
        body, last = _whole_groups(client, ranged, rows, operation)
        after_values: list[str] | None = [last]
    else:
        after_values = [str(rows[-1][key.name]) for key in asked.keys] if more and rows else None
    page = decode_page(body, KIND_OF[table.stream], company.context(client.tenant), stream=table.stream)
    return replace(page, server_time=response.server_date), after_values


def _whole_groups(
    client: NetSuiteClient, ranged: Select, rows: list[dict[str, Any]], operation: str
) -> tuple[bytes, str]:
    """A body of whole groups, and the transaction of the last one."""
    name = ranged.keys[0].name
    final = str(rows[-1][name])
    whole = [row for row in rows if str(row[name]) != final]
    if whole:
        return msgspec.json.encode({"items": whole}), str(whole[-1][name])
    offset, more = PAGE_SIZE, True
    while more and str(rows[-1][name]) == final:
        answer = msgspec.json.decode(client.query(ranged.sql(), operation, offset=offset).body, type=_Keys)
        rows, more, offset = [*rows, *answer.items], answer.has_more, offset + PAGE_SIZE
    return msgspec.json.encode({"items": [row for row in rows if str(row[name]) == final]}), final
