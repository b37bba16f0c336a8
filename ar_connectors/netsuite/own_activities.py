"""Which activities are ours, and what do they say? Phone calls and tasks to promises and disputes, as an empty store finds them.

Only those whose external id is one of ours are asked for: an account has many. Both kinds are read, whichever this connection writes,
for another store may write the other. One small query for each on every run, by key, with a long overlap: there are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import msgspec

from ar_connectors.adapterkit.cutting import Cutter, cut_up, identify
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.note_records import dispute_of, promise_of
from ar_connectors.adapterkit.notes import DisputeTag, NoteError, PromiseTag, parse_note
from ar_connectors.adapterkit.pages import FillingPage, Mapped
from ar_connectors.adapterkit.rows import RowReader
from ar_connectors.connector import Cursor, Fetch, Page, StoreView
from ar_connectors.errors import ContractError
from ar_connectors.http.redact import excerpt
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import PAGE_SIZE, NetSuiteClient
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.context import Context, Mapper
from ar_connectors.netsuite.suiteql import Key, Select, after_key, moment, text, timestamp
from ar_connectors.netsuite.writeback_calls import OWN

__all__ = ["ACTIVITY", "TABLES", "decode_activities", "pull_activities"]

ACTIVITY: Final = "activity"
"""The stream."""
TABLES: Final = {"phonecall": "phoneCall", "task": "task"}
"""Table of SuiteQL, which is also the feature that a probe finds -> record type, the kind of the rows."""

_MAPPER_VERSION: Final = 1
_OVERLAP: Final = timedelta(hours=27)
"""Subtracted from the latest time in the data: more than two zones are ever apart, should the session tell times in another one."""


class _Row(msgspec.Struct, gc=False):
    id: str | None = None
    externalid: str | None = None
    message: str | None = None
    lastmodifieddate: str | None = None


def pull_activities(client: NetSuiteClient, company: Company, view: StoreView) -> Iterator[Sequence[Fetch]]:
    """What to ask for: for each table that the role sees, what changed since the last run."""
    cursor = view.cursor(ACTIVITY)
    read_to: dict[str, str] = dict(cursor.state) if cursor is not None else {}
    for table in TABLES:
        if table in company.features:
            reading = _Reading(client, company.context(client.tenant), table, read_to)
            while not reading.done:
                yield [Fetch(f"our activities in {table}", reading.page)]


@dataclass(slots=True)
class _Reading:
    """One table on its way: a page at a time, by key. `read_to`: how far each table was read, saved with its last page."""

    client: NetSuiteClient
    context: Context
    table: str
    read_to: dict[str, str]
    after: str | None = None
    latest: str = ""
    done: bool = False

    def page(self) -> Page:
        """The next page."""
        response = self.client.query(self._select().sql(), f"query {self.table}")
        rows = _rows(response.body, self.context.tenant)
        page = _decoded(rows, TABLES[self.table], self.context, response.body)
        told = [_told(raw) for raw in rows]
        self.latest = max([self.latest, *(changed for _, changed in told)])
        self.after = told[-1][0] if len(rows) >= PAGE_SIZE else None
        self.done = self.after is None
        if self.done and self.latest:
            self.read_to[self.table] = max(self.latest, self.read_to.get(self.table, ""))
        cursor = Cursor(ACTIVITY, dict(self.read_to)) if self.done else None
        return replace(page, server_time=response.server_date, cursor=cursor)

    def _select(self) -> Select:
        columns = {
            "id": "p.id",
            "externalid": "p.externalid",
            "message": "p.message",
            "lastmodifieddate": moment("p.lastmodifieddate"),
        }
        keys = (Key("p.id", "id"),)
        where = [f"p.externalid LIKE {text(f'{OWN}%')}"]
        if since := self.read_to.get(self.table):
            where.append(f"p.lastmodifieddate >= {timestamp(since, _OVERLAP)}")
        if self.after is not None:
            where.append(after_key(keys, [self.after]))
        return Select(columns, f"{self.table} p", keys, tuple(where))


def decode_activities(body: bytes, kind: str, context: Context) -> Page:
    """The promises and disputes in a body: a page of a query, a list of rows, or one row. `kind`: phoneCall or task. Raises
    ContractError for what is no JSON."""
    return _decoded(_rows(body, context.tenant), kind, context, body)


def _rows(body: bytes, tenant: str) -> list[bytes]:
    def opener(cut: Cutter, whole: bytes) -> list[bytes]:
        if whole.lstrip()[:1] == b"[":
            return cut.elements(whole)
        items = dict(cut.members(whole)).get("items")
        return [whole] if items is None else cut.elements(items)

    return cut_up(
        body,
        opener,
        lambda message: ContractError(
            message, platform=PLATFORM, tenant=tenant, operation="decode", excerpt=excerpt(body, 200)
        ),
    )


def _told(raw: bytes) -> tuple[str, str]:
    """Key and time of change of a row, whatever else is wrong with it."""
    return identify(raw, "id") or "", identify(raw, "lastmodifieddate") or ""


def _decoded(rows: Sequence[bytes], kind: str, context: Context, body: bytes) -> Page:
    filled = FillingPage()

    def mapped(mapper: Mapper, row: _Row) -> Mapped:
        return _mapped(mapper, row, kind)

    reader = RowReader(_Row, mapped, lambda: Mapper(context))
    for number, raw in enumerate(rows):
        try:
            row, found = reader.read(raw)
        except RowError as error:
            filled.reject(kind, raw, number, error, "id")
        else:
            filled.add(kind, row.id, found, number)
    return filled.page(len(rows), kind, None, mapper_version=_MAPPER_VERSION, stream=ACTIVITY, raw=body)


def _mapped(mapper: Mapper, row: _Row, kind: str) -> Mapped:
    if not row.id:
        raise RowError("missing_field", f"a {kind} has no id")
    try:
        found = parse_note(row.message)
    except NoteError as error:
        raise RowError("bad_tag", f"{kind} {row.id}: {error}") from error
    invoice = _named(row.externalid, "i")
    customer = _named(row.externalid, "c")
    match found:
        case (PromiseTag() as tag, words):
            source = mapper.provenance(kind, row.id, row.lastmodifieddate)
            about = (invoice,) if invoice else ()
            return Mapped((promise_of(mapper, source, tag, words, invoices=about, customer=customer),))
        case (DisputeTag() as tag, words):
            source = mapper.provenance(kind, row.id, row.lastmodifieddate)
            return Mapped((dispute_of(mapper, source, tag, words, customer=customer),))
        case None:
            return Mapped(out_of_scope="an activity whose tag people took away")
        case _:
            return Mapped(out_of_scope="a note, a status or an order hold of ours: kept with us, shown here")


def _named(external_id: str | None, letter: str) -> str | None:
    """The invoice (`i`) or customer (`c`) in an external id of ours."""
    word = (external_id or "").removeprefix(OWN).partition("-")[0]
    return word[1:] if word[:1] == letter and word[1:].isdecimal() else None
