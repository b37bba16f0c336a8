"""Do rows that could not be mapped map now? Replay of the quarantine, and of whole stored bodies with a newer mapper.

Nothing is fetched: the bytes were kept. What maps is committed under the lease of its stream and closes its entry; what does
not stays where it is, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from ar_connectors.clock import Clock
from ar_connectors.connector import Connector, Page, Record, StoreView
from ar_connectors.errors import ContractError, UnsupportedOperation
from ar_connectors.store.contract import PageStore
from ar_connectors.store.facade import RawBody
from ar_connectors.store.quarantine import Quarantined
from ar_connectors.syncing.changed import ChangedIds
from ar_connectors.syncing.lease import LeaseKeeper, lease_name
from ar_core.model import Allocation, Contact, Organization, Source

__all__ = ["QuarantineStore", "ReplayReport", "StillRejected", "remap_all", "replay"]

DEFAULT_LEASE_TTL = timedelta(minutes=5)


class QuarantineStore(PageStore, Protocol):
    """What a replay needs of a store beyond pages."""

    def quarantined(self, connection_id: str) -> Sequence[Quarantined]:
        """Rows that could not be mapped, oldest first."""
        ...

    def resolve_quarantine(self, connection_id: str, ids: Sequence[int]) -> int:
        """Close entries; returns how many there were."""
        ...

    def raw_bodies(self, connection_id: str, older_than_mapper: int | None = None) -> Iterator[RawBody]:
        """Stored bodies that live records still come from, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class StillRejected:
    """A row that does not map with the current mapper either."""

    stream: str
    kind: str
    remote_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay did."""

    connection_id: str
    examined: int = 0
    """Rows of the quarantine, or stored bodies."""
    mapped: int = 0
    """Rows that map now and were closed, or bodies that were mapped again."""
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    still_rejected: tuple[StillRejected, ...] = ()
    busy: tuple[str, ...] = ()
    """Streams that another worker holds: their rows were left for the next replay."""
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of changed records by kind."""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["still_rejected"] = [
            {"stream": one.stream, "kind": one.kind, "remote_id": one.remote_id, "reason": one.reason}
            for one in self.still_rejected
        ]
        values["busy"] = list(self.busy)
        values["changed"] = {kind: list(ids) for kind, ids in self.changed.items()}
        return values


@dataclass(slots=True)
class _Tally:
    """Adds up what one replay does."""

    examined: int = 0
    mapped: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("inserted", "updated", "unchanged", "stale"), 0)
    )
    rejected: list[StillRejected] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    changed: ChangedIds = field(default_factory=ChangedIds)

    def report(self, connection_id: str) -> ReplayReport:
        """The same, frozen."""
        return ReplayReport(
            connection_id,
            self.examined,
            self.mapped,
            still_rejected=tuple(self.rejected),
            busy=tuple(self.busy),
            changed=self.changed.by_kind(),
            inserted=self.counts["inserted"],
            updated=self.counts["updated"],
            unchanged=self.counts["unchanged"],
            stale=self.counts["stale"],
        )


def replay(
    connector: Connector,
    store: QuarantineStore,
    *,
    owner: str,
    clock: Clock,
    lease_ttl: timedelta = DEFAULT_LEASE_TTL,
) -> ReplayReport:
    """Map every row of the quarantine again. Rows that give records, tombstones or are out of scope are closed.

    A row that a later page brought in good order is closed already. Raises LeaseLost when another worker took over; what was
    closed before stands.
    """
    tally = _Tally()
    streams = dict.fromkeys(one.stream for one in store.quarantined(connector.id))
    with LeaseKeeper(store, owner, lease_ttl, clock) as leases:
        for stream in streams:
            name = lease_name(connector.id, stream)
            if not leases.acquire(name):
                tally.busy.append(stream)
                continue
            # Listed again under the lease: what another run has closed meanwhile must not come back in an older state.
            for row in [one for one in store.quarantined(connector.id) if one.stream == stream]:
                _replay_row(connector, store, leases, name, row, tally)
            leases.release(name)
    return tally.report(connector.id)


def _replay_row(
    connector: Connector,
    store: QuarantineStore,
    leases: LeaseKeeper,
    name: str,
    row: Quarantined,
    tally: _Tally,
) -> None:
    tally.examined += 1
    try:
        page = connector.remap(row.kind, row.raw)
    except (ContractError, UnsupportedOperation) as error:
        tally.rejected.append(StillRejected(row.stream, row.kind, row.remote_id, error.message))
        return
    if page.rejected or not (page.records or page.tombstones or page.out_of_scope):
        reason = page.rejected[0].reason if page.rejected else "nothing in it is a record"
        tally.rejected.append(StillRejected(row.stream, row.kind, row.remote_id, reason))
        return
    _commit(connector, store, leases, name, replace(page, stream=row.stream, cursor=None), tally)
    store.resolve_quarantine(connector.id, [row.id])
    tally.mapped += 1


def remap_all(
    connector: Connector,
    store: QuarantineStore,
    *,
    mapper_version: int,
    owner: str,
    clock: Clock,
    lease_ttl: timedelta = DEFAULT_LEASE_TTL,
) -> ReplayReport:
    """Map all stored bodies of mappers older than `mapper_version` again.

    A body is a picture of its day, so only rows that are still in force are taken from it: one of their records lives in the store
    in the very version that the row has. Deleted records stay deleted. The organization is left out: it is made
    of several answers, and read anew by itself. Rows that mapped once and are rejected now are reported, their records stay.
    """
    tally = _Tally()
    view = store.view(connector.id)
    with LeaseKeeper(store, owner, lease_ttl, clock) as leases:
        for body in store.raw_bodies(connector.id, mapper_version):
            name = lease_name(connector.id, body.stream)
            if body.stream in tally.busy:
                continue
            if not leases.holds(name) and not leases.acquire(name):
                tally.busy.append(body.stream)
                continue
            tally.examined += 1
            page = connector.remap(body.kind, body.body)
            tally.rejected += [
                StillRejected(body.stream, one.kind, one.remote_id, one.reason) for one in page.rejected
            ]
            page = _still_in_force(page, view)
            if page.records:
                _commit(
                    connector, store, leases, name, replace(page, stream=body.stream, kind=body.kind), tally
                )
                tally.mapped += 1
    return tally.report(connector.id)


def _commit(
    connector: Connector,
    store: QuarantineStore,
    leases: LeaseKeeper,
    name: str,
    page: Page,
    tally: _Tally,
) -> None:
    result = store.commit_page(connector.id, page, leases.current(name))
    for count in tally.counts:
        tally.counts[count] += getattr(result, count)
    tally.changed.add(page, result.changed_ids)


def _still_in_force(page: Page, view: StoreView) -> Page:
    """The page without rows that the store has in another version, or not at all."""
    rows = page.row_of or range(len(page.records))
    owners = [(row, record) for row, record in zip(rows, page.records, strict=True) if _is_owner(record)]
    stored = view.records([record.id for _, record in owners])
    current = {
        row
        for row, record in owners
        if record.id in stored and _same_state(record.source, stored[record.id].source)
    }
    kept = [(row, record) for row, record in zip(rows, page.records, strict=True) if row in current]
    return replace(
        page,
        records=[record for _, record in kept],
        row_of=[row for row, _ in kept] if page.row_of else (),
        tombstones=(),
        rejected=(),
        replaces=_among(page.replaces, (record for _, record in kept)),
        cursor=None,
    )


def _is_owner(record: Record) -> bool:
    """Whether the record stands for its row; allocations and contacts hang on another one."""
    return not isinstance(record, Allocation | Contact | Organization)


def _same_state(one: Source | None, other: Source | None) -> bool:
    if one is None or other is None:
        return False
    return one.version == other.version and one.updated_at == other.updated_at


def _among(parents: Sequence[str], records: Iterable[Record]) -> list[str]:
    kept = {record.id for record in records}
    return [one for one in parents if one in kept]
