"""One NetSuite account, as the engines see it: what it can give, how it is read, and where our facts land."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ar_connectors.adapterkit.company_connector import CompanyConnector
from ar_connectors.clock import Clock
from ar_connectors.connector import (
    Fetch,
    Page,
    PendingWrite,
    Placement,
    ReportedBalance,
    StoreView,
)
from ar_connectors.errors import ContractError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.capabilities import capabilities_of
from ar_connectors.netsuite.client import MAX_IDS, NetSuiteClient, Sender
from ar_connectors.netsuite.company import REFERENCE, Company, Wishes, company_of, read_company
from ar_connectors.netsuite.context import Context, Mapper
from ar_connectors.netsuite.decode import decode_envelope, decode_page
from ar_connectors.netsuite.envelope import open_answer
from ar_connectors.netsuite.mapping import tombstone
from ar_connectors.netsuite.mapping_settlements import adjustment_remote_id, journal_of
from ar_connectors.netsuite.marks import Marks
from ar_connectors.netsuite.own_activities import TABLES as TABLES_OF_OURS
from ar_connectors.netsuite.own_activities import decode_activities
from ar_connectors.netsuite.pieces import KIND_OF
from ar_connectors.netsuite.pull import STREAMS, pull
from ar_connectors.netsuite.reading import completed
from ar_connectors.netsuite.reading_checks import read_problems
from ar_connectors.netsuite.reports import reported_balances
from ar_connectors.netsuite.suiteql import number
from ar_connectors.netsuite.tables import TABLES
from ar_connectors.netsuite.writeback import NetSuiteWriter
from ar_connectors.netsuite.writeback_checks import write_problems
from ar_connectors.netsuite.writeback_scope import WriteOptions
from ar_core.model import DeletionEvidence, RecordKind

__all__ = ["NetSuiteConnector"]

_STREAM_OF: Final = {
    RecordKind.CUSTOMER: "customer",
    RecordKind.CONTACT: "contact",
    RecordKind.INVOICE: "invoice",
    RecordKind.CREDIT_NOTE: "credit_memo",
    RecordKind.PAYMENT: "payment",
    RecordKind.ADJUSTMENT: "journal",
}
_TOLD: Final = {
    RecordKind.CUSTOMER: "customer",
    RecordKind.CONTACT: "contact",
    RecordKind.INVOICE: "invoice",
    RecordKind.CREDIT_NOTE: "creditMemo",
    RecordKind.PAYMENT: "customerPayment",
    RecordKind.ADJUSTMENT: "journalEntry",
}
_LISTED: Final = frozenset(_STREAM_OF) - {RecordKind.CONTACT}


class NetSuiteConnector(CompanyConnector):
    """Reads and writes one account. Thread-safe. `tenant`: its realm; `base_url`: its API host; `wishes`: how it is to be read;
    `options`: how it wants to see our facts."""

    def __init__(
        self,
        tenant: str,
        sender: Sender,
        clock: Clock,
        *,
        base_url: str,
        wishes: Wishes | None = None,
        options: WriteOptions | None = None,
    ) -> None:
        self._clock = clock
        self._wishes = wishes or Wishes()
        self._company: Company | None = None
        self.client = NetSuiteClient(sender, tenant, base_url)
        self._marks = Marks(self.client)
        self._options = options or WriteOptions()
        super().__init__(tenant, capabilities_of(self._options.fields), STREAMS)
        self._writer = NetSuiteWriter(self.client, self._options)

    def pull(self, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        """What to ask next for a stream; see `Connector.pull`."""
        self._company = company_of(view.cursor(REFERENCE)) or self._company
        yield from pull(self.client, self._clock, stream, view, self._wishes, self._marks)

    def list_ids(self, kind: RecordKind) -> Iterator[Sequence[str]]:
        """Record ids of everything of a kind that exists, up to 1000 at a time. Raises UnsupportedOperation for a kind that is
        not listed."""
        if kind not in _LISTED:
            raise self.not_listed(kind, _LISTED)
        company = self._known()
        context = company.context(self._tenant)
        select = TABLES[_STREAM_OF[kind]].select(company.schema())
        asked = replace(select, columns={key.name: key.expression for key in select.keys})
        mapper = Mapper(context)
        for rows in self.client.every_row(asked, f"list {kind}"):
            yield [
                mapper.id(
                    kind,
                    adjustment_remote_id(row["id"], row["line"])
                    if kind is RecordKind.ADJUSTMENT
                    else row["id"],
                )
                for row in rows
            ]

    def read(self, kind: RecordKind, record_ids: Sequence[str]) -> Page:
        """Read records again by id, a call per thousand. What is not there comes back as a tombstone (NOT_FOUND)."""
        stream = _STREAM_OF.get(kind)
        if stream is None:
            raise self.not_listed(kind, _LISTED)
        company = self._known()
        context = company.context(self._tenant)
        select = TABLES[stream].select(company.schema())
        wanted = {one: self._remote_id(kind, one) for one in record_ids}
        ids = list(dict.fromkeys(wanted.values()))
        pages = []
        for start in range(0, len(ids), MAX_IDS):
            listed = ", ".join(number(one) for one in ids[start : start + MAX_IDS])
            asked = select.having(f"{select.keys[0].expression} IN ({listed})")
            operation = f"read {stream} by id"
            answer = open_answer(self.client.query(asked.sql(), operation), self._tenant, operation)
            answer = completed(self.client, company, stream, answer)
            pages.append(decode_envelope(answer, KIND_OF[stream], context, stream=stream))
        records = [record for page in pages for record in page.records]
        rejected = [one for page in pages for one in page.rejected]
        held = {record.id for record in records} | {
            mapper_id for mapper_id, remote in wanted.items() if remote in {one.remote_id for one in rejected}
        }
        mapper = Mapper(context)
        missing = []
        for identity, remote_id in wanted.items():
            if identity not in held:
                stone = tombstone(mapper, _TOLD[kind], kind, remote_id, DeletionEvidence.NOT_FOUND)
                missing.append(stone.model_copy(update={"id": identity}))
        return Page(
            records=records,
            rejected=rejected,
            tombstones=missing,
            replaces=[one for page in pages for one in page.replaces],
            stream=stream,
            kind=KIND_OF[stream],
            rows=sum(page.rows for page in pages),
        )

    def remap(self, kind: str, raw: bytes) -> Page:
        """Map a stored or quarantined body again. `kind`: a kind of `decode`, or a record type."""
        context = self._company.context(self._tenant) if self._company is not None else Context(self._tenant)
        if kind in TABLES_OF_OURS.values():
            return decode_activities(raw, kind, context)
        return decode_page(raw, kind or "suiteql", context)

    def reported_balances(self) -> Sequence[ReportedBalance]:
        """NetSuite's own open balances, per customer and currency."""
        return reported_balances(self.client, self._known())

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command; see `NetSuiteWriter.place`."""
        return self._writer.place(write, view)

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look for what an earlier attempt left; see `NetSuiteWriter.find`."""
        return self._writer.find(write, view)

    def problems(self) -> Sequence[str]:
        """What stands in the way of reading and of writing; see `read_problems` and `write_problems`."""
        return [*read_problems(self.client), *write_problems(self.client, self._options)]

    def _known(self) -> Company:
        if self._company is None:
            self._company = company_of(read_company(self.client, self._wishes, self._clock.now()).cursor)
        if self._company is None:
            raise ContractError(
                "reading the reference data gave none", platform=PLATFORM, tenant=self._tenant
            )
        return self._company

    def _remote_id(self, kind: RecordKind, identity: str) -> str:
        remote_id = self.own_remote_id(kind, identity)
        return journal_of(remote_id) if kind is RecordKind.ADJUSTMENT else remote_id
