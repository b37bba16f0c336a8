"""One QuickBooks company, as the engines see it: what it can give, how it is read, what it says of itself.

`QuickBooksReader` is the reading half of the Connector protocol, `QuickBooksConnector` the whole of it.
"""

from __future__ import annotations

from collections import defaultdict
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
from ar_connectors.errors import ContractError, UnsupportedOperation
from ar_connectors.quickbooks.capabilities import CAPABILITIES
from ar_connectors.quickbooks.client import BASE_URL, QuickBooksClient, Sender
from ar_connectors.quickbooks.company import Company, company_of, read_company
from ar_connectors.quickbooks.context import ENTITY_KINDS, PLATFORM, Context, Mapper
from ar_connectors.quickbooks.decode import KINDS, decode_page
from ar_connectors.quickbooks.mapping import tombstone
from ar_connectors.quickbooks.mapping_settlements import journal_entry_of
from ar_connectors.quickbooks.pull import STREAMS, current_company, pull
from ar_connectors.quickbooks.reports import reported_balances
from ar_connectors.quickbooks.settle import merge, read_again
from ar_connectors.quickbooks.tables import TABLES, Table, remote_ids, row_ids
from ar_connectors.quickbooks.wire import Entity
from ar_connectors.quickbooks.writeback import QuickBooksWriter, WriteOptions
from ar_core.model import Adjustment, DeletionEvidence, RecordKind, Tombstone, parse_record_id

__all__ = ["QuickBooksConnector", "QuickBooksReader"]

_TABLE_OF: Final[dict[RecordKind, Table]] = {
    RecordKind.CUSTOMER: TABLES["customer"],
    RecordKind.CONTACT: TABLES["customer"],
    RecordKind.INVOICE: TABLES["invoice"],
    RecordKind.CREDIT_NOTE: TABLES["credit_memo"],
    RecordKind.PAYMENT: TABLES["payment"],
    RecordKind.ADJUSTMENT: TABLES["journal_entry"],
    RecordKind.NOTE: TABLES["attachable"],
}
_LISTED: Final = frozenset(_TABLE_OF) - {RecordKind.CONTACT}


class QuickBooksReader(CompanyConnector):
    """Reads one company. `tenant`: its realm id; `sender`: the transport (or anything that sends requests); thread-safe.

    Facts of the company (home currency, terms, receivable accounts) come from the store's cursors while a stream is pulled;
    what is read outside of that uses the newest ones seen, and before any were seen asks for them once.
    """

    def __init__(self, tenant: str, sender: Sender, clock: Clock, *, base_url: str = BASE_URL) -> None:
        super().__init__(tenant, CAPABILITIES, STREAMS)
        self._clock = clock
        self._company: Company | None = None
        self.client = QuickBooksClient(sender, tenant, base_url)

    def pull(self, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        """What to ask next for a stream; see `Connector.pull`."""
        self._company = current_company(view) or self._company
        yield from pull(self.client, self._clock, stream, view)

    def list_ids(self, kind: RecordKind) -> Iterator[Sequence[str]]:
        """Record ids of everything of a kind that exists, up to 1000 at a time. Raises UnsupportedOperation for a kind that
        is not listed. Adjustments need their whole journal entries; the others only ids."""
        if kind not in _LISTED:
            raise self.not_listed(kind, _LISTED)
        table = _TABLE_OF[kind]
        context = self._context()
        if kind is not RecordKind.ADJUSTMENT:
            for ids in remote_ids(self.client, table):
                yield [context.id(kind, one) for one in ids]
            return
        for ids in remote_ids(self.client, table):
            found = read_again(self.client, context, table.entity, ids)
            yield [record.id for page in found for record in page.records if isinstance(record, Adjustment)]

    def read(self, kind: RecordKind, record_ids: Sequence[str]) -> Page:
        """Read records again by id, a call per thousand. What is not there comes back as a tombstone (NOT_FOUND)."""
        table = _TABLE_OF.get(kind)
        if table is None:
            raise self.not_listed(kind, _LISTED)
        context = self._context()
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for identity in record_ids:
            wanted[self._remote_id(kind, identity)].append(identity)
        if not wanted:
            return Page(kind=table.entity)
        pages = list(read_again(self.client, context, table.entity, wanted))
        page = replace(merge(pages, table.stream), kind=table.entity)
        present = row_ids(page)
        held = {record.id for record in page.records}
        mapper = Mapper(context)
        missing = []
        for remote_id, identities in wanted.items():
            if remote_id in present and kind is not RecordKind.ADJUSTMENT:
                continue
            missing += [
                self._not_found(mapper, table.entity, kind, remote_id, one)
                for one in identities
                if one not in held
            ]
        return replace(page, tombstones=[*page.tombstones, *missing])

    def _not_found(
        self, mapper: Mapper, entity: str, kind: RecordKind, remote_id: str, identity: str
    ) -> Tombstone:
        stone = tombstone(mapper, entity, Entity(id=remote_id), DeletionEvidence.NOT_FOUND)
        parts = parse_record_id(identity)
        own = parts.remote_id if parts is not None and kind is RecordKind.ADJUSTMENT else remote_id
        source = stone.source.model_copy(update={"remote_id": own})
        return stone.model_copy(update={"id": identity, "kind": kind, "source": source})

    def remap(self, kind: str, raw: bytes) -> Page:
        """Map a stored or quarantined body again. `kind`: an entity (`Invoice`), or "" for a body of several."""
        entity = next((name for name in ENTITY_KINDS if name.casefold() == kind.casefold()), None)
        if entity is None and kind and kind.casefold() not in KINDS and kind != "Fault":
            raise UnsupportedOperation(
                f"bodies of kind {kind!r} are not mapped",
                platform=PLATFORM,
                tenant=self._tenant,
                operation="remap",
                advice="kinds that are: " + ", ".join(sorted(ENTITY_KINDS)),
            )
        return decode_page(raw, entity, self._known_context())

    def reported_balances(self) -> Sequence[ReportedBalance]:
        """QuickBooks' own open balances, per customer and currency."""
        return reported_balances(self.client, self._context())

    def company(self) -> Company:
        """The newest facts of the company that are known; the first time, when none are, they are read (four calls)."""
        if self._company is None:
            self._company = company_of(read_company(self.client, None, self._clock.now()).cursor)
        if self._company is None:
            raise ContractError(
                "reading the reference data gave none", platform=PLATFORM, tenant=self._tenant
            )
        return self._company

    def _context(self) -> Context:
        return self.company().context(self._tenant)

    def _known_context(self) -> Context:
        """Without asking anybody: mapping again must work offline."""
        return self._company.context(self._tenant) if self._company is not None else Context(self._tenant)

    def _remote_id(self, kind: RecordKind, identity: str) -> str:
        """The id of the row that a record is, or is a part of: contacts are numbered as lines of entries are."""
        remote_id = self.own_remote_id(kind, identity)
        return (
            journal_entry_of(remote_id) if kind in {RecordKind.ADJUSTMENT, RecordKind.CONTACT} else remote_id
        )


class QuickBooksConnector(QuickBooksReader):
    """Reads and writes one company. `options`: how it wants to see our facts; their base URL is that of the reader."""

    def __init__(
        self,
        tenant: str,
        sender: Sender,
        clock: Clock,
        *,
        base_url: str = BASE_URL,
        options: WriteOptions | None = None,
    ) -> None:
        super().__init__(tenant, sender, clock, base_url=base_url)
        self._writer = QuickBooksWriter(sender, tenant, replace(options or WriteOptions(), base_url=base_url))

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command; see `Connector.place` and `QuickBooksWriter.place`."""
        return self._writer.place(write, view)

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether a command has landed; see `Connector.find`."""
        return self._writer.find(write, view)
