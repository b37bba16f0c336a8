"""What was deleted? Headers by `deletedrecord`; a journal entry takes its lines along (quirks.md#ns-29)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.context import Mapper
from ar_connectors.netsuite.decode import decode_envelope
from ar_connectors.netsuite.envelope import open_answer
from ar_connectors.netsuite.mapping import tombstone
from ar_connectors.netsuite.mapping_settlements import journal_of
from ar_connectors.netsuite.pieces import last_key
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

_EMPTIED: Final = Select(
    {"id": "t.id"}, "transaction t", (Key("t.id", "id"),), ("t.type = 'DepAppl'", "t.foreigntotal = 0")
)


def known_customers(view: StoreView) -> tuple[str, ...]:
    """Internal ids of customers whose documents were deleted not long ago: nothing else tells that their balance changed."""
    cursor = view.cursor(DELETED)
    return tuple(cursor.state.get("customers", ())) if cursor is not None else ()


def pull_deletions(
    client: NetSuiteClient, company: Company, view: StoreView, latest: Callable[[], str | None]
) -> Iterator[Sequence[Fetch]]:
    """The deletions since the last run. `latest` gives the time of the latest one when this run began, None where there was none.

    The first run begins where the account stood before anything of it was read, so that what is deleted while a first load takes
    its time (or fails, and is repeated days later) is not missed. Nothing where the role may not see deletions.
    """
    if "deletedrecord" not in company.features:
        return
    cursor = view.cursor(DELETED)
    state: dict[str, Any] = dict(cursor.state) if cursor is not None else {}
    reading = _Reading(
        client,
        company,
        view,
        watermark=state.get("watermark") or company.deletions_from,
        customers=list(state.get("customers", ())),
        latest=latest(),
    )
    emptied = Fetch("deposit applications that apply nothing", lambda: _emptied(client, company))
    yield [Fetch("deletions", reading.first), emptied]
    while reading.after is not None:
        yield [Fetch("more deletions", reading.next)]


def _emptied(client: NetSuiteClient, company: Company) -> Page:
    """A deposit application that has let go of all it applied has no links, and none of our records is made of it alone: what it had
    applied ends with it."""
    mapper = Mapper(company.context(client.tenant))
    stones = [
        tombstone(mapper, "depositApplication", RecordKind.PAYMENT, row["id"])
        for rows in client.every_row(_EMPTIED, "query emptied deposit applications")
        for row in rows
    ]
    return Page(tombstones=stones, stream=DELETED, rows=len(stones))


@dataclass(slots=True)
class _Reading:
    """One pass over the deletions. The watermark moves with the last page only, so a pass that was cut short begins anew."""

    client: NetSuiteClient
    company: Company
    view: StoreView
    watermark: str | None
    customers: list[str]
    latest: str | None
    """The next watermark; None: nothing was ever deleted."""
    asked: Select = _SELECT
    after: list[str] | None = field(default=None)
    """The key of the last row so far; None: there are no more."""

    def first(self) -> Page:
        """The first page. Where the latest time in the data moved backward, the session tells times in another zone now."""
        if self.watermark is not None and self.latest is not None:
            since = timestamp(min(self.watermark, self.latest), OVERLAP)
            self.asked = _SELECT.having(f"d.deleteddate >= {since}")
        return self._page(self.asked)

    def next(self) -> Page:
        """The page behind the last one."""
        return self._page(self.asked.having(after_key(_SELECT.keys, self.after or ())))

    def _page(self, asked: Select) -> Page:
        operation = "query deletedrecord"
        response = self.client.query(asked.sql(), operation)
        envelope = open_answer(response, self.client.tenant, operation)
        page = decode_envelope(envelope, "deleted", self.company.context(self.client.tenant), stream=DELETED)
        page = _without_uses(_with_lines(page, self.view))
        self.customers = [*dict.fromkeys([*self.customers, *_owners(page, self.view)])][-_REMEMBERED:]
        more = envelope.has_more and len(envelope.rows) > 0
        self.after = last_key(envelope, [one.name for one in _SELECT.keys]) if more else None
        # The owners are saved with the tombstones: once those are committed, nothing tells whose documents they were.
        return replace(page, cursor=self._cursor(self.watermark if more else self.latest))

    def _cursor(self, watermark: str | None) -> Cursor:
        return Cursor(DELETED, {"watermark": watermark, "customers": self.customers})


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


def _without_uses(page: Page) -> Page:
    """What was deleted settles nothing any more, whatever NetSuite calls its type here and in the links."""
    settling = {RecordKind.PAYMENT, RecordKind.CREDIT_NOTE, RecordKind.ADJUSTMENT}
    return replace(page, replaces=[one.id for one in page.tombstones if one.kind in settling])


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
