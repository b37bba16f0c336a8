"""What was deleted? Headers by `deletedrecord`; a journal entry takes its lines along (quirks.md#ns-29)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.netsuite.client import NetSuiteClient, rows_in
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.decode import decode_page
from ar_connectors.netsuite.mapping_settlements import journal_of
from ar_connectors.netsuite.suiteql import Key, Select, after_key, moment, timestamp
from ar_connectors.netsuite.tables import OVERLAP
from ar_core.model import RecordKind, Tombstone, parse_record_id

__all__ = ["DELETED", "known_customers", "pull_deletions"]

DELETED: Final = "deleted"
_REMEMBERED: Final = 500
"""Customers of deleted documents whose balance is read again on each run."""

_SELECT: Final = Select(
    {"recordid": "d.recordid", "type": "d.type", "deleteddate": moment("d.deleteddate")},
    "deletedrecord d",
    (Key("d.recordid", "recordid"), Key("d.type", "type", is_number=False)),
)


def known_customers(view: StoreView) -> tuple[str, ...]:
    """Internal ids of customers whose documents were deleted not long ago: nothing else tells that their balance changed."""
    cursor = view.cursor(DELETED)
    return tuple(cursor.state.get("customers", ())) if cursor is not None else ()


def pull_deletions(client: NetSuiteClient, company: Company, view: StoreView) -> Iterator[Sequence[Fetch]]:
    """The deletions since the last run; the first run only notes where to begin. Nothing where the role may not see them."""
    if "deletedrecord" not in company.features:
        return
    cursor = view.cursor(DELETED)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    watermark = state.get("watermark")
    rows = rows_in(client.query(_SELECT.bounds("d.deleteddate"), "latest deletion"))
    latest = rows[0].get("changed") if rows else None
    customers: list[str] = list(state.get("customers", ()))
    if state and latest is not None:
        asked = _SELECT
        if watermark is not None:
            asked = asked.having(f"d.deleteddate >= {timestamp(min(watermark, latest), OVERLAP)}")
        after: list[str] | None = None
        while True:
            ranged = asked.having(after_key(asked.keys, after)) if after is not None else asked
            response = client.query(ranged.sql(), "query deletedrecord")
            found = rows_in(response)
            page = decode_page(response.body, "deleted", company.context(client.tenant), stream=DELETED)
            page = _with_lines(page, view)
            customers = [*dict.fromkeys([*customers, *_owners(page, view)])][-_REMEMBERED:]
            yield [Fetch("deletions", lambda page=page: page)]  # type: ignore[misc]
            if len(found) < 1000:
                break
            after = [found[-1][key.name] for key in asked.keys]
    ended = Cursor(DELETED, {"watermark": latest or watermark, "customers": customers})
    yield [Fetch("deletions noted", lambda: Page(stream=DELETED, cursor=ended))]


def _with_lines(page: Page, view: StoreView) -> Page:
    """Our adjustments are lines; NetSuite names the entry."""
    entries = {one.source.remote_id for one in page.tombstones if one.kind is RecordKind.ADJUSTMENT}
    if not entries:
        return page
    lines = []
    for identity in view.live_ids(RecordKind.ADJUSTMENT):
        parts = parse_record_id(identity)
        if parts is not None and journal_of(parts.remote_id) in entries:
            lines.append((identity, parts.remote_id))
    stones = [one for one in page.tombstones if one.kind is not RecordKind.ADJUSTMENT]
    template = next(one for one in page.tombstones if one.kind is RecordKind.ADJUSTMENT)
    for identity, remote_id in lines:
        source = template.source.model_copy(update={"remote_id": remote_id})
        stones.append(
            Tombstone(id=identity, kind=RecordKind.ADJUSTMENT, source=source, evidence=template.evidence)
        )
    return replace(page, tombstones=stones)


def _owners(page: Page, view: StoreView) -> list[str]:
    """Internal ids of the customers of what was deleted."""
    records = view.records(one.id for one in page.tombstones)
    found = []
    for record in records.values():
        owner = getattr(record, "customer_id", None)
        parts = parse_record_id(owner) if owner else None
        if parts is not None:
            found.append(parts.remote_id)
    return found
