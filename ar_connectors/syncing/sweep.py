"""What vanished without a word, and what did we never see? A periodic comparison of all ids, the last of three sources of deletions.

A list of ids is no proof: rows move while it is read. So what it lacks is asked for by id, and only what the platform then
does not know becomes a tombstone. A circuit breaker refuses to bury more than a share of what lives: a lost right or a wrong
company looks exactly like a mass deletion.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, Cursor, Page, StoreView
from ar_connectors.errors import UnsupportedOperation
from ar_connectors.events import Event, PageCommitted, StreamFinished, StreamStarted
from ar_connectors.http.meter import Usage
from ar_connectors.store.contract import Lease, PageStore
from ar_connectors.syncing.changed import ChangedIds
from ar_connectors.syncing.lease import LeaseKeeper, lease_name
from ar_core.model import RecordKind, Tombstone

__all__ = ["KINDS", "STREAM", "KindSwept", "Sweep", "SweepReport", "owed", "sweep"]

KINDS: Final = (
    RecordKind.CUSTOMER,
    RecordKind.INVOICE,
    RecordKind.CREDIT_NOTE,
    RecordKind.PAYMENT,
    RecordKind.ADJUSTMENT,
)
STREAM: Final = "sweep"
READ_AT_ONCE: Final = 1000
MOST_SHARE: Final = Decimal("0.05")
ALWAYS_ALLOWED: Final = 20
DEFAULT_LEASE_TTL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KindSwept:
    """The comparison of one kind; counts of ids."""

    kind: str
    supported: bool = True
    """False: the platform does not list this kind, or it cannot be asked for by id."""
    listed: int = 0
    """At the platform."""
    live: int = 0
    """With us, before."""
    missing: int = 0
    """With us and not in the list."""
    gone: int = 0
    """Of the missing, those the platform does not know when asked by id."""
    still_there: int = 0
    """Of the missing, those it does know: the list was wrong, they were read again."""
    found: int = 0
    """In the list and not with us: read and committed; a sync has missed them."""
    unreadable: int = 0
    """Of these, rows that could not be mapped."""
    allowed: int = 0
    """How many may be buried at once."""
    refused: bool = False
    """The circuit breaker held: `gone` is more than `allowed`, and nothing of this kind was buried."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep found and did."""

    connection_id: str
    kinds: tuple[KindSwept, ...] = ()
    busy: bool = False
    """Another worker sweeps; nothing was asked."""
    tombstoned: int = 0
    """Records buried, what hung on them included."""
    inserted: int = 0
    updated: int = 0
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cost: Usage = field(default_factory=Usage)

    @property
    def refused(self) -> bool:
        """The circuit breaker held for at least one kind."""
        return any(one.refused for one in self.kinds)

    def kind(self, kind: RecordKind) -> KindSwept:
        """The comparison of one kind. Raises KeyError when it was not swept."""
        for one in self.kinds:
            if one.kind == kind.value:
                return one
        raise KeyError(kind)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "connection_id": self.connection_id,
            "busy": self.busy,
            "refused": self.refused,
            "kinds": [asdict(one) for one in self.kinds],
            "tombstoned": self.tombstoned,
            "inserted": self.inserted,
            "updated": self.updated,
            "changed": {kind: list(ids) for kind, ids in self.changed.items()},
            "cost": asdict(self.cost),
        }


def sweep(
    connector: Connector,
    store: PageStore,
    *,
    owner: str,
    clock: Clock,
    kinds: Sequence[RecordKind] = KINDS,
    max_share: Decimal = MOST_SHARE,
    always_allowed: int = ALWAYS_ALLOWED,
    force: bool = False,
    lease_ttl: timedelta = DEFAULT_LEASE_TTL,
    observer: Callable[[Event], None] | None = None,
    usage: Callable[[], Usage] | None = None,
) -> SweepReport:
    """Compare all ids of `kinds` with the platform's, bury what is proven gone, read what we lack.

    At most `max_share` of the live records of a kind, and in any case `always_allowed`, are buried in one sweep; beyond that
    the kind is left as it is and `refused`, unless `force`. Failures of the platform are raised; kinds that were swept before stand.
    """
    spent = usage() if usage is not None else Usage()
    with LeaseKeeper(store, owner, lease_ttl, clock) as leases:
        if not leases.acquire(lease_name(connector.id, STREAM)):
            return SweepReport(connector.id, busy=True)
        under_way = Sweep(connector, store, leases, observer or _nobody, max_share, always_allowed, force)
        report = under_way.run(kinds)
    return replace(report, cost=usage() - spent) if usage is not None else report


def _nobody(_: Event) -> None:
    """The observer of a sweep that nobody watches."""


def owed(view: StoreView) -> tuple[RecordKind, ...]:
    """Kinds that a full run has begun to read anew and that were not swept since: what was deleted before it is not known yet."""
    cursor = view.cursor(STREAM)
    kinds = cursor.state.get("owed", ()) if cursor is not None else ()
    return tuple(kind for kind in KINDS if kind.value in kinds)


@dataclass(slots=True)
class Sweep:
    """A sweep under way; its lease is held by `leases`."""

    connector: Connector
    store: PageStore
    leases: LeaseKeeper
    tell: Callable[[Event], None] = _nobody
    max_share: Decimal = MOST_SHARE
    always_allowed: int = ALWAYS_ALLOWED
    force: bool = False
    tombstoned: int = 0
    inserted: int = 0
    updated: int = 0
    changed: ChangedIds = field(default_factory=ChangedIds)

    def owe(self, kinds: Collection[RecordKind]) -> None:
        """Note durably that `kinds` must be swept, also if this process dies; kinds of which we have nothing are left out."""
        some = {
            kind
            for kind in kinds
            if next(iter(self.store.live_ids(self.connector.id, kind)), None) is not None
        }
        if some:
            self._save({*owed(self.store.view(self.connector.id)), *some})

    def run(self, kinds: Sequence[RecordKind]) -> SweepReport:
        """Sweep, and note that it was done."""
        who = (self.connector.platform, self.connector.tenant, STREAM)
        self.tell(StreamStarted(*who, "sweep"))
        swept = tuple(self.kind(kind) for kind in kinds)
        debt = set(owed(self.store.view(self.connector.id)))
        if debt & set(kinds):
            self._save(debt - set(kinds))
        self.tell(StreamFinished(*who, sum(one.listed for one in swept)))
        return SweepReport(
            self.connector.id,
            swept,
            tombstoned=self.tombstoned,
            inserted=self.inserted,
            updated=self.updated,
            changed=self.changed.by_kind(),
        )

    def _save(self, debt: Collection[RecordKind]) -> None:
        cursor = Cursor(STREAM, {"owed": sorted(kind.value for kind in debt)})
        self.store.commit_page(self.connector.id, Page(stream=STREAM, cursor=cursor), self._lease())

    def _lease(self) -> Lease:
        return self.leases.current(lease_name(self.connector.id, STREAM))

    def kind(self, kind: RecordKind) -> KindSwept:
        """Sweep one kind."""
        try:
            listed = {one for some in self.connector.list_ids(kind) for one in some}
        except UnsupportedOperation:
            return KindSwept(kind.value, supported=False)
        # Ours are looked up after theirs: what a sync brings in between is missing in the list, and asked for by id.
        live = set(self.store.live_ids(self.connector.id, kind))
        missing, lacking = sorted(live - listed), sorted(listed - live)
        unreadable = sum(len(page.rejected) for page in self._read_and_commit(kind, lacking))
        gone: list[Tombstone] = []
        for page in self._read_and_commit(kind, missing):
            gone += page.tombstones
        allowed = max(self.always_allowed, int(len(live) * self.max_share))
        refused = len(gone) > allowed and not self.force
        if not refused:
            self._bury(kind, gone)
        return KindSwept(
            kind.value,
            listed=len(listed),
            live=len(live),
            missing=len(missing),
            gone=len(gone),
            still_there=len(missing) - len(gone),
            found=len(lacking),
            unreadable=unreadable,
            allowed=allowed,
            refused=refused,
        )

    def _read_and_commit(self, kind: RecordKind, ids: Sequence[str]) -> Iterator[Page]:
        """Read by id; what is there is committed, the page is handed out with its tombstones, which are not."""
        for some in _portions(ids):
            page = self.connector.read(kind, some)
            self._commit(replace(page, tombstones=()))
            yield page

    def _bury(self, kind: RecordKind, gone: Sequence[Tombstone]) -> None:
        """Bury, then read again what the buried had settled and whose they were: their balances have changed."""
        touched = self._touched([one.id for one in gone])
        for some in _portions(gone):
            self._commit(Page(tombstones=some))
        touched[kind] = touched.get(kind, set()) - {one.id for one in gone}
        for other, ids in touched.items():
            for _ in self._read_and_commit(other, sorted(ids)):
                pass  # a tombstone among them is left to the sweep of its own kind

    def _touched(self, ids: Sequence[str]) -> dict[RecordKind, set[str]]:
        view = self.store.view(self.connector.id)
        touched: dict[RecordKind, set[str]] = {RecordKind.INVOICE: set(), RecordKind.CUSTOMER: set()}
        for some in _portions(ids):
            owners = {getattr(record, "customer_id", None) for record in view.records(some).values()}
            touched[RecordKind.CUSTOMER] |= {one for one in owners if one is not None}
            targets = {one.target_id for one in view.allocations_of(some)}
            touched[RecordKind.INVOICE] |= {one for one in targets if f":{RecordKind.INVOICE}:" in one}
        return touched

    def _commit(self, page: Page) -> None:
        if not (page.records or page.tombstones or page.rejected):
            return
        page = replace(page, stream=STREAM, cursor=None)
        result = self.store.commit_page(self.connector.id, page, self._lease())
        self.tombstoned += result.tombstoned
        self.inserted += result.inserted
        self.updated += result.updated
        self.changed.add(page, result.changed_ids)
        self.tell(
            PageCommitted(
                self.connector.platform,
                self.connector.tenant,
                STREAM,
                page.rows,
                result.inserted,
                result.updated,
                result.unchanged,
                result.tombstoned,
                result.quarantined,
            )
        )


def _portions(values: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(values)
    while some := list(islice(remaining, READ_AT_ONCE)):
        yield some
