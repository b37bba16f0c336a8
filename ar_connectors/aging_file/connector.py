"""An aging list as a connector: one stream, whose change is a new file.

Reading happens in two steps. The file is surveyed as a whole, and refused as a whole if it contradicts itself; only then do its
records go to the store, page by page. The same file again changes nothing and is not even parsed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any, Final

from ar_connectors.adapterkit.company_connector import CompanyConnector
from ar_connectors.aging_file.capabilities import CAPABILITIES
from ar_connectors.aging_file.cells import PLATFORM, file_error
from ar_connectors.aging_file.importing import PAGE, assign, closing_page, customers_meant, missing
from ar_connectors.aging_file.items import Unmappable, read_item
from ar_connectors.aging_file.mapping import (
    base_identity,
    customer_identity,
    identity,
    map_customer,
    map_item,
    map_organization,
)
from ar_connectors.aging_file.raw import unpack_row
from ar_connectors.aging_file.settings import ListSettings
from ar_connectors.aging_file.spool import Spool
from ar_connectors.aging_file.survey import Survey, digest, survey
from ar_connectors.connector import (
    Cursor,
    Fetch,
    Page,
    PendingWrite,
    Placement,
    Rejected,
    ReportedBalance,
    StoreView,
    StreamSpec,
)
from ar_connectors.errors import ContractError, UnsupportedOperation
from ar_core.model import RecordKind
from ar_core.model.money import ZERO, total

__all__ = ["LIST", "MAPPER_VERSION", "AgingFileConnector"]

LIST: Final = "list"
"""The one stream."""
MAPPER_VERSION: Final = 1
STREAMS: Final = (
    StreamSpec(
        LIST,
        (
            RecordKind.ORGANIZATION,
            RecordKind.CUSTOMER,
            RecordKind.CONTACT,
            RecordKind.INVOICE,
            RecordKind.CREDIT_NOTE,
            RecordKind.PAYMENT,
            RecordKind.ADJUSTMENT,
        ),
    ),
)


class AgingFileConnector(CompanyConnector):
    """One company's aging list. `tenant`: the name it is known by here; `settings`: where its file is and what it does not say."""

    def __init__(self, tenant: str, settings: ListSettings) -> None:
        super().__init__(tenant, CAPABILITIES, STREAMS)
        self._settings = settings
        self.surveyed: Survey | None = None
        """What was found out about the file when it was last read."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._tenant!r}, {str(self._settings.file)!r})"

    def pull(self, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        """The pages of the list, if it is another than the last time; see `Connector.pull`. Raises what `survey` raises, and
        ContractError for a list that is older than the one before, or closes too much at once."""
        if stream != LIST:
            raise self._nothing(f"there is no stream {stream!r}", "pull")
        before = view.cursor(LIST)
        state: dict[str, Any] = {"file": digest(self._settings.file), "said": self._fingerprint()}
        if before is not None and all(before.state.get(name) == value for name, value in state.items()):
            return
        spool = Spool()
        try:
            found = self.surveyed = survey(self._settings, spool)
            _refuse_older(found, before)
            assign(spool, self._tenant, view)
            meant = customers_meant(self._settings, spool, self._tenant, view, found)
            gone = missing(self._settings, spool, view, found, meant)
            state |= {"as_of": found.as_of.isoformat() if found.as_of else None, "items": found.items}
            for fetch in self._fetches(found, spool, gone, view, Cursor(LIST, state)):
                # A file is not waited for: one page at a time is as fast, and takes the memory of one.
                yield [fetch]
        finally:
            spool.close()

    def _fetches(
        self, found: Survey, spool: Spool, gone: int, view: StoreView, cursor: Cursor
    ) -> Iterator[Fetch]:
        """Parties, items, what is closed, what was set aside, and at the very end the cursor: a run that dies on the way is made
        again as a whole."""
        yield Fetch("the company", partial(self._company, found))
        for start in range(0, spool.customer_count(), PAGE):
            yield Fetch(f"customers from {start + 1}", partial(self._customers, spool, start))
        for start in range(0, found.items, PAGE):
            yield Fetch(f"items from {start + 1}", partial(self._items, spool, start, view))
        for start in range(0, gone, PAGE):
            yield Fetch(f"closed from {start + 1}", partial(_closed, spool, start, view, found.as_of))
        for start in range(0, found.set_aside, PAGE):
            yield Fetch(f"set aside from {start + 1}", partial(_set_aside, spool, start))
        yield Fetch("the end of the list", lambda: Page(stream=LIST, cursor=cursor))

    def _company(self, found: Survey) -> Page:
        """Whose list it is; its base currency is the one it was said to be, or the only one there is."""
        base = self._settings.base_currency or self._settings.currency
        if base is None and len(found.balances) == 1:
            base = next(iter(found.balances))
        company = map_organization(self._tenant, base, self._settings.time_zone)
        return Page(records=[company], stream=LIST, mapper_version=MAPPER_VERSION)

    def _customers(self, spool: Spool, start: int) -> Page:
        """Customers are no rows of their own."""
        records = [
            record for item in spool.customer_page(start, PAGE) for record in map_customer(self._tenant, item)
        ]
        return Page(records=records, stream=LIST, mapper_version=MAPPER_VERSION)

    def _items(self, spool: Spool, start: int, view: StoreView) -> Page:
        named = [
            (one.item, remote, identity(self._tenant, one.item, remote))
            for one in spool.page(start, PAGE)
            for remote in (one.remote_id or one.base,)
        ]
        known = view.records(record for _, _, record in named)
        records = [map_item(self._tenant, item, remote, known.get(record)) for item, remote, record in named]
        return Page(records=records, stream=LIST, rows=len(records), mapper_version=MAPPER_VERSION)

    def list_ids(self, kind: RecordKind) -> Iterator[Sequence[str]]:
        """A list holds what is open, not what exists. Raises UnsupportedOperation."""
        raise self._nothing("an aging list does not say what exists, only what is open", f"list {kind}")

    def read(self, kind: RecordKind, record_ids: Sequence[str]) -> Page:  # noqa: ARG002  the protocol's signature
        """Nothing can be asked for. Raises UnsupportedOperation."""
        raise self._nothing("a file cannot be asked for single records", f"read {kind}")

    def reported_balances(self) -> Sequence[ReportedBalance]:
        """The sums of the list by customer and currency; the file is read again. Raises what `survey` raises."""
        spool = Spool()
        try:
            found = survey(self._settings, spool)
            sums: defaultdict[tuple[str, str | None], Decimal] = defaultdict(lambda: ZERO)
            for start in range(0, found.items, PAGE):
                for one in spool.page(start, PAGE):
                    place = customer_identity(self._tenant, one.item.customer_key), one.item.currency
                    sums[place] = total((sums[place], one.item.balance))
        finally:
            spool.close()
        basis = f"open items of {found.table}"
        return [
            ReportedBalance(customer, currency, amount, basis)
            for (customer, currency), amount in sorted(sums.items(), key=str)
        ]

    def remap(self, kind: str, raw: bytes) -> Page:
        """Map a row that was set aside again. Raises ContractError for a row that fits nowhere: only its file can be corrected."""
        row, styles = unpack_row(raw)
        try:
            item = read_item(row, styles)
            record = map_item(self._tenant, item, base_identity(item))
        except Unmappable as problem:
            reason = f"{problem.role or 'the row'}: expected {problem.expected}"
            return Page(rejected=[Rejected(kind, None, problem.code, reason, raw)], kind=kind, rows=1)
        records = [*map_customer(self._tenant, item), record]
        return Page(
            records=records, kind=kind, rows=1, row_of=[0] * len(records), mapper_version=MAPPER_VERSION
        )

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:  # noqa: ARG002  the protocol's signature
        """There is no ERP behind a file. Raises UnsupportedOperation; the outbox keeps such commands and does not ask."""
        raise self._nothing("there is no ERP behind an aging list", f"place {write.command.type}")

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:  # noqa: ARG002  as above
        """Nothing was ever sent."""
        return None

    def _fingerprint(self) -> str:
        """What was said about the file, in short, with the mapper's version: other words read the same bytes differently."""
        said = self._settings.model_dump(
            mode="json", exclude={"accept_closed", "most_closed_percent", "file"}
        )
        if self._settings.columns is not None:
            said["columns"] = digest(self._settings.columns)
        return sha256(json.dumps([MAPPER_VERSION, said], sort_keys=True).encode()).hexdigest()[:16]

    def _nothing(self, problem: str, operation: str) -> UnsupportedOperation:
        return UnsupportedOperation(
            problem,
            platform=PLATFORM,
            tenant=self._tenant,
            operation=operation,
            advice="`ar-connectors writes export` lists what a bookkeeper has to enter; a new list brings what has changed",
        )


def _closed(spool: Spool, start: int, view: StoreView, as_of: date | None) -> Page:
    records = closing_page(view, spool.missing_page(start, PAGE), as_of)
    return Page(records=records, stream=LIST, mapper_version=MAPPER_VERSION)


def _set_aside(spool: Spool, start: int) -> Page:
    rejected = spool.rejected_page(start, PAGE)
    return Page(stream=LIST, rejected=rejected, rows=len(rejected))


def _refuse_older(found: Survey, before: Cursor | None) -> None:
    """Lists are imported in the order of the days they show."""
    last = before.state.get("as_of") if before is not None else None
    if found.as_of is not None and last is not None and found.as_of.isoformat() < last:
        raise file_error(
            f"this list shows {found.as_of.isoformat()}, and one of {last} was imported already",
            table=found.table,
            advice="an older list would open again what was settled since; import the newest",
            kind=ContractError,
        )
