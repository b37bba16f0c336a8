"""One object with everything a store can do; each verb lives in its own module."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import delete, insert, select, update

from ar_connectors.clock import Clock, SystemClock
from ar_connectors.connector import Page, Placement, Rejected
from ar_connectors.errors import ConfigurationError
from ar_connectors.store import budgets, leases, outbox, quarantine, records, snapshot, tokens
from ar_connectors.store import tables as t
from ar_connectors.store.contract import ClaimedWrite, CommitResult, Lease, Receipt, Reservation, WriteState
from ar_connectors.store.engine import Database, open_database
from ar_connectors.store.instants import from_micros, to_micros
from ar_connectors.store.migrations import migrate
from ar_connectors.store.quarantine import Quarantined
from ar_connectors.store.rows import prepare
from ar_connectors.store.view import View
from ar_core.commands import Command
from ar_core.model import CustomerProfile, Pause, RecordKind, Snapshot

__all__ = ["ConnectionInfo", "RawBody", "Store", "open_store"]


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A company this store knows; `settings` holds no secrets."""

    id: str
    platform: str
    tenant: str
    settings: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body as the ERP gave it."""

    stream: str
    kind: str
    body: bytes
    row: int | None
    """The row of the body a record was read from."""
    mapper_version: int
    fetched_at: datetime


def open_store(
    url: str, *, clock: Clock | None = None, key: str | bytes | tokens.Cipher | None = None
) -> Store:
    """Open a store, making or upgrading its schema.

    `url`: `sqlite:///ar.db`, `sqlite://` (memory), `postgresql+psycopg://user@host/db`. `key`: a Fernet key, or anything that
    encrypts; needed for tokens only. Raises ConfigurationError for a bad URL or key and for a store of a newer release.
    """
    return Store(open_database(url), clock or SystemClock(), _cipher(key))


def _cipher(key: str | bytes | tokens.Cipher | None) -> tokens.Cipher | None:
    if not isinstance(key, str | bytes):
        return key
    try:
        return Fernet(key)
    except ValueError as error:
        raise ConfigurationError(
            "the key of the store is not a Fernet key (32 bytes, URL-safe base64)",
            advice="make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
        ) from error


class Store:
    """Records, cursors, quarantine, leases, budgets, outbox and tokens on one database. Safe in threads and processes."""

    def __init__(self, database: Database, clock: Clock, cipher: tokens.Cipher | None = None) -> None:
        self._database = database
        self._clock = clock
        self._cipher = cipher
        migrate(database, clock.now())

    def close(self) -> None:
        """Give all database connections back."""
        self._database.close()

    # ---- connections

    def add_connection(
        self, connection_id: str, platform: str, tenant: str, settings: Mapping[str, Any] | None = None
    ) -> ConnectionInfo:
        """Remember a company, or give a known one new settings (merged over the old ones)."""
        c = t.connections.c
        with self._database.writing() as tx:
            row = tx.execute(select(t.connections).where(c.id == connection_id)).first()
            if row is None:
                body = json.dumps(dict(settings or {})).encode()
                tx.execute(
                    insert(t.connections).values(
                        id=connection_id,
                        platform=platform,
                        tenant=tenant,
                        settings=body,
                        created_at=to_micros(self._clock.now()),
                    )
                )
            elif settings:
                merged = {**json.loads(bytes(row.settings)), **settings}
                tx.execute(
                    update(t.connections)
                    .where(c.id == connection_id)
                    .values(settings=json.dumps(merged).encode())
                )
        return self.connection(connection_id)

    def connection(self, connection_id: str) -> ConnectionInfo:
        """One company. Raises ConfigurationError when it is not known."""
        for one in self.connections():
            if one.id == connection_id:
                return one
        raise ConfigurationError(
            f"there is no connection {connection_id!r} in this store", advice="connect it first"
        )

    def connections(self) -> Sequence[ConnectionInfo]:
        """All companies, by id."""
        with self._database.reading() as tx:
            rows = tx.execute(select(t.connections).order_by(t.connections.c.id)).all()
        return [
            ConnectionInfo(
                row.id, row.platform, row.tenant, json.loads(bytes(row.settings)), from_micros(row.created_at)
            )
            for row in rows
        ]

    # ---- leases

    def acquire_lease(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a free or expired lease; None when another owner holds it."""
        return leases.acquire(self._database, name, owner, ttl, self._clock.now())

    def renew_lease(self, lease: Lease, ttl: timedelta) -> Lease:
        """Prolong it, same fence. Raises LeaseLost when it is no longer ours."""
        return leases.renew(self._database, lease, ttl, self._clock.now())

    def release_lease(self, lease: Lease) -> None:
        """Give it back."""
        leases.release(self._database, lease, self._clock.now())

    # ---- reading an ERP

    def view(self, connection_id: str) -> View:
        """Read access for an adapter."""
        return View(self._database, connection_id)

    def commit_page(self, connection_id: str, page: Page, lease: Lease) -> CommitResult:
        """Records, raw body, tombstones, quarantine and cursor in one transaction. Raises LeaseLost."""
        return records.commit_page(self._database, connection_id, page, lease, self._clock.now())

    def reset_stream(self, connection_id: str, stream: str, lease: Lease) -> None:
        """Forget how far a stream was read; records stay. Raises LeaseLost."""
        c = t.cursors.c
        with self._database.writing() as tx:
            leases.check_fence(tx, lease, self._clock.now())
            tx.execute(delete(t.cursors).where(c.connection_id == connection_id, c.stream == stream))

    def live_ids(self, connection_id: str, kind: RecordKind) -> Iterable[str]:
        """Ids of live platform records of a kind, ascending."""
        return self.view(connection_id).live_ids(kind)

    def counts(self, connection_id: str) -> dict[str, int]:
        """Live records by kind."""
        return snapshot.counts(self._database, connection_id)

    def quarantined(self, connection_id: str) -> Sequence[Quarantined]:
        """Rows that could not be mapped, oldest first."""
        return quarantine.quarantined(self._database, connection_id)

    def resolve_quarantine(self, connection_id: str, ids: Sequence[int]) -> int:
        """Close quarantine entries by hand; returns how many there were."""
        return quarantine.resolve_quarantine(self._database, connection_id, ids)

    def set_aside(self, connection_id: str, stream: str, rejected: Sequence[Rejected]) -> int:
        """Keep rows that could not be mapped."""
        with self._database.writing() as tx:
            return quarantine.set_aside(tx, connection_id, stream, rejected, to_micros(self._clock.now()))

    def raw_of(self, record_id: str) -> RawBody | None:
        """The body a record was read from; None for a record without one."""
        r, p = t.records.c, t.raw_pages.c
        query = select(t.raw_pages, r.raw_row).join(t.records, r.raw_page == p.id).where(r.id == record_id)
        with self._database.reading() as tx:
            row = tx.execute(query).first()
        if row is None:
            return None
        return RawBody(
            row.stream,
            row.kind,
            zlib.decompress(bytes(row.body)),
            row.raw_row,
            row.mapper_version,
            from_micros(row.fetched_at),
        )

    def raw_bodies(self, connection_id: str, older_than_mapper: int | None = None) -> Iterator[RawBody]:
        """Stored bodies that live records still come from, oldest first; for mapping them again with a newer mapper."""
        r, p = t.records.c, t.raw_pages.c
        used = (
            select(r.raw_page)
            .where(r.connection_id == connection_id, r.alive, r.raw_page.is_not(None))
            .distinct()
        )
        query = select(p.id).where(p.id.in_(used)).order_by(p.id)
        if older_than_mapper is not None:
            query = query.where(p.mapper_version < older_than_mapper)
        with self._database.reading() as tx:
            ids = [row.id for row in tx.execute(query)]
        for one in ids:
            with self._database.reading() as tx:
                row = tx.execute(select(t.raw_pages).where(p.id == one)).one()
            body = zlib.decompress(bytes(row.body))
            yield RawBody(row.stream, row.kind, body, None, row.mapper_version, from_micros(row.fetched_at))

    def snapshot(self, connection_id: str, known_at: datetime | None = None) -> Snapshot:
        """Everything in force; with `known_at`, what was known at that instant, as it was then."""
        return snapshot.snapshot(self._database, connection_id, known_at)

    def prune(self, *, versions_before: datetime | None = None) -> dict[str, int]:
        """Delete states that were replaced before an instant, and raw bodies no record comes from; returns counts."""
        v, r, p = t.record_versions.c, t.records.c, t.raw_pages.c
        with self._database.writing() as tx:
            versions = 0
            if versions_before is not None:
                versions = tx.execute(
                    delete(t.record_versions).where(v.replaced_at < to_micros(versions_before))
                ).rowcount
            used = select(r.raw_page).where(r.raw_page.is_not(None))
            pages = tx.execute(delete(t.raw_pages).where(p.id.not_in(used))).rowcount
        return {"versions": versions, "raw_pages": pages}

    # ---- what the host knows

    def set_profile(self, connection_id: str, profile: CustomerProfile) -> None:
        """Store what the host knows about a customer; replaces the earlier profile, which stays in the history."""
        self._put(connection_id, profile)

    def set_pause(self, connection_id: str, pause: Pause) -> None:
        """Pause the cadence for a customer or an invoice."""
        self._put(connection_id, pause)

    def lift_pause(self, connection_id: str, pause_id: str) -> None:
        """End a pause, from today (UTC day of the clock) on. Raises ConfigurationError when there is none."""
        pause = self.view(connection_id).record(pause_id)
        if not isinstance(pause, Pause):
            raise ConfigurationError(f"there is no pause {pause_id!r}")
        self._put(connection_id, pause.model_copy(update={"lifted_on": self._clock.now().date()}))

    def _put(self, connection_id: str, record: CustomerProfile | Pause) -> None:
        with self._database.writing() as tx:
            records.put_records(
                self._database, tx, connection_id, [prepare(record)], to_micros(self._clock.now())
            )

    # ---- writing to an ERP

    def record_commands(
        self,
        commands: Sequence[Command],
        *,
        connection_id: str | None = None,
        local_types: Collection[str] = outbox.LOCAL_TYPES,
    ) -> Sequence[Receipt]:
        """Store commands and what they mean locally. Raises ConflictError, ConfigurationError, NotFoundError; then nothing is stored."""
        return outbox.record_commands(
            self._database, commands, self._clock.now(), connection=connection_id, local_types=local_types
        )

    def claim_writes(
        self, connection_id: str, owner: str, ttl: timedelta, limit: int
    ) -> Sequence[ClaimedWrite]:
        """Claim due commands in order, one per subject at a time."""
        return outbox.claim_writes(self._database, connection_id, owner, ttl, limit, self._clock.now())

    def mark_sending(self, claim: ClaimedWrite) -> ClaimedWrite:
        """Durably note that bytes may go out. Raises LeaseLost."""
        return outbox.mark_sending(self._database, claim, self._clock.now())

    def finish_write(
        self,
        claim: ClaimedWrite,
        state: WriteState,
        placements: Sequence[Placement] = (),
        error: Mapping[str, Any] | None = None,
        not_before: datetime | None = None,
    ) -> Receipt:
        """Close a claim. Raises LeaseLost when it was taken over."""
        return outbox.finish_write(
            self._database, claim, state, self._clock.now(), placements, error, not_before
        )

    def receipts(
        self, connection_id: str | None = None, state: WriteState | None = None
    ) -> Sequence[Receipt]:
        """Receipts, oldest first."""
        return outbox.receipts(self._database, connection_id, state)

    # ---- tokens and budgets

    def load_tokens(self, connection_id: str) -> tuple[Mapping[str, Any], int] | None:
        """The decrypted token document and its version; None when there is none."""
        return tokens.load_tokens(self._database, self._cipher, connection_id)

    def save_tokens(self, connection_id: str, document: Mapping[str, Any], expected_version: int) -> int:
        """Compare-and-swap a token document. Raises ConflictError."""
        return tokens.save_tokens(
            self._database, self._cipher, connection_id, document, expected_version, self._clock.now()
        )

    def reserve_call(
        self, resource: str, rates: Sequence[tuple[int, timedelta]], max_in_flight: int, ttl: timedelta
    ) -> Reservation:
        """Permission for one call, or the time to wait."""
        return budgets.reserve_call(self._database, resource, rates, max_in_flight, ttl, self._clock.now())

    def release_call(self, reservation: Reservation) -> None:
        """Give a slot back."""
        budgets.release_call(self._database, reservation)

    def block_until(self, resource: str, until: datetime) -> None:
        """Nobody calls before `until`."""
        budgets.block_until(self._database, resource, until)
