"""One organisation of Xero, as the engines see it: what it can give, how it is read, where it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from ar_connectors.errors import ContractError, NotFoundError, UnsupportedOperation
from ar_connectors.xero.capabilities import CAPABILITIES
from ar_connectors.xero.client import BASE_URL, MAX_IDS, Sender, XeroClient
from ar_connectors.xero.company import REFERENCE, Company, company_of, read_company, sends_reminders
from ar_connectors.xero.context import KIND_OF, PLATFORM, SINGULAR, Context, Mapper
from ar_connectors.xero.decode import decode_page
from ar_connectors.xero.pull import LISTS, STREAMS, ReadOptions, pull
from ar_connectors.xero.reading import list_page, read_by_ids, rows_of
from ar_connectors.xero.reports import reported_balances
from ar_connectors.xero.writeback import WriteOptions, XeroWriter
from ar_core.model import DeletionEvidence, RecordKind, Tombstone, parse_record_id

__all__ = ["XeroConnector"]

_LISTS_OF: Final[dict[RecordKind, tuple[str, ...]]] = {
    RecordKind.CUSTOMER: ("contacts",),
    RecordKind.INVOICE: ("invoices",),
    RecordKind.CREDIT_NOTE: ("credit_notes",),
    RecordKind.PAYMENT: ("payments", "prepayments", "overpayments"),
}
"""Which lists hold the records of a kind."""
_COLLECTION_OF: Final = {singular: name for name, singular in SINGULAR.items()}


class XeroConnector(CompanyConnector):
    """Reads and writes one organisation. Thread-safe.

    Args:
        tenant: its tenant id.
        sender: the transport, or anything that sends requests.
        clock: tells when facts are too old.
        base_url: the API host.
        read_options: how it is to be read.
        write_options: how it wants to see our facts.
    """

    def __init__(
        self,
        tenant: str,
        sender: Sender,
        clock: Clock,
        *,
        base_url: str = BASE_URL,
        read_options: ReadOptions | None = None,
        write_options: WriteOptions | None = None,
    ) -> None:
        super().__init__(tenant, CAPABILITIES, STREAMS)
        self._clock = clock
        self._options = read_options or ReadOptions()
        self._company: Company | None = None
        self.client = XeroClient(sender, tenant, base_url)
        self._writer = XeroWriter(self.client, write_options)

    def pull(self, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        """What to ask next for a stream; see `Connector.pull`."""
        self._company = company_of(view.cursor(REFERENCE)) or self._company
        yield from pull(self.client, self._clock, stream, view, self._options)

    def list_ids(self, kind: RecordKind) -> Iterator[Sequence[str]]:
        """Record ids of everything of a kind that exists, up to 1000 at a time; what is deleted does not. Raises
        UnsupportedOperation for a kind that is not listed."""
        context = self._context()
        for name in self._lists(kind):
            one, number = LISTS[name], 1
            summary = (("summaryOnly", "true"),) if name == "invoices" else ()
            while True:
                order = (*one.params, *summary, ("order", one.id_name))
                found = list_page(self.client, one.collection, order, number, context)
                yield [
                    record.id
                    for record in found.page.records
                    if KIND_OF[one.collection] == self._kind(record.id)
                ]
                if found.last:
                    break
                number += 1

    def read(self, kind: RecordKind, record_ids: Sequence[str]) -> Page:
        """Read records again by id: invoices and contacts forty at a time, the others one by one. What is not there comes
        back as a tombstone (NOT_FOUND)."""
        context = self._context()
        lists = self._lists(kind)
        wanted = {self.own_remote_id(kind, one): one for one in record_ids}
        pages: list[Page] = []
        if kind in {RecordKind.INVOICE, RecordKind.CUSTOMER}:
            collection, ids = LISTS[lists[0]].collection, list(wanted)
            pages += (
                read_by_ids(self.client, collection, ids[start : start + MAX_IDS], context)
                for start in range(0, len(ids), MAX_IDS)
            )
        else:
            for remote_id in wanted:
                page = self._one(lists, remote_id, context)
                if page is not None:
                    pages.append(page)
        merged = _merged(pages, SINGULAR[LISTS[lists[0]].collection])
        there = {record.id for record in merged.records} | {one.id for one in merged.tombstones}
        there |= {one.remote_id or "" for one in merged.rejected}
        there |= {one.remote_id or "" for one in merged.out_of_scope}
        missing = [
            self._not_found(kind, lists[0], remote_id, identity)
            for remote_id, identity in wanted.items()
            if identity not in there and remote_id not in there
        ]
        return replace(merged, tombstones=[*merged.tombstones, *missing])

    def _one(self, lists: tuple[str, ...], remote_id: str, context: Context) -> Page | None:
        """One row, from whichever of the lists has it."""
        for name in lists:
            collection = LISTS[name].collection
            try:
                return rows_of(self.client, self.client.one(collection, remote_id), collection, context)
            except NotFoundError:
                continue
        return None

    def _not_found(self, kind: RecordKind, stream: str, remote_id: str, identity: str) -> Tombstone:
        source = Mapper(Context(self._tenant)).source(
            SINGULAR[LISTS[stream].collection], remote_id, None, None
        )
        return Tombstone.trusted(id=identity, kind=kind, source=source, evidence=DeletionEvidence.NOT_FOUND)

    def remap(self, kind: str, raw: bytes) -> Page:
        """Map a stored or quarantined body again. `kind`: that of its rows (`Invoice`)."""
        collection = _COLLECTION_OF.get(kind)
        if collection is None:
            raise UnsupportedOperation(
                f"bodies of kind {kind!r} are not mapped",
                platform=PLATFORM,
                tenant=self._tenant,
                operation="remap",
                advice="kinds that are: " + ", ".join(sorted(_COLLECTION_OF)),
            )
        known = self._company
        context = (
            known.context(self._tenant, self._options.order_hold_group) if known else Context(self._tenant)
        )
        return decode_page(raw, collection, context)

    def reported_balances(self) -> Sequence[ReportedBalance]:
        """Xero's own open balances, per contact."""
        return reported_balances(self.client, self._context())

    def problems(self) -> Sequence[str]:
        """What whoever collects should know before they begin; one call. See `ChecksItself`."""
        if sends_reminders(self.client):
            return [
                "Xero sends invoice reminders of its own: switch them off there, or customers are chased twice"
            ]
        return []

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command; see `Connector.place` and `XeroWriter.place`."""
        return self._writer.place(write, view)

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether a command has landed; see `Connector.find`."""
        return self._writer.find(write, view)

    def together(self, write: PendingWrite) -> bool:
        """Whether a command costs fewer calls together with others; see `PlacesTogether`."""
        return self._writer.together(write)

    def place_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement]]]:
        """Send several; see `PlacesTogether` and `XeroWriter.place_together`."""
        return self._writer.place_together(writes, view)

    def find_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement] | None]]:
        """Look for several; see `PlacesTogether`."""
        return self._writer.find_together(writes, view)

    def _context(self) -> Context:
        if self._company is None:
            self._company = company_of(read_company(self.client, self._clock.now()).cursor)
        if self._company is None:
            raise ContractError(
                "reading the reference data gave none", platform=PLATFORM, tenant=self._tenant
            )
        return self._company.context(self._tenant, self._options.order_hold_group)

    def _lists(self, kind: RecordKind) -> tuple[str, ...]:
        if kind not in _LISTS_OF:
            raise self.not_listed(kind, _LISTS_OF)
        return _LISTS_OF[kind]

    @staticmethod
    def _kind(identity: str) -> str | None:
        parts = parse_record_id(identity) if "|" not in identity else None
        return parts.kind if parts is not None else None


def _merged(pages: Sequence[Page], kind: str) -> Page:
    """Several answers as one page, without their bodies."""
    if not pages:
        return Page(kind=kind)

    return replace(
        pages[0],
        records=[one for page in pages for one in page.records],
        tombstones=[one for page in pages for one in page.tombstones],
        rejected=[one for page in pages for one in page.rejected],
        out_of_scope=[one for page in pages for one in page.out_of_scope],
        replaces=[one for page in pages for one in page.replaces],
        kind=kind,
        rows=sum(page.rows for page in pages),
        row_of=(),
        raw=None,
        cursor=None,
    )
