"""One object with everything a store can do; each verb lives in its own module."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from cryptography.fernet import Fernet

from ar_connectors.clock import Clock, SystemClock
from ar_connectors.connector import Page, Placement
from ar_connectors.errors import ConfigurationError
from ar_connectors.events import Observer, Waiting
from ar_connectors.store import (
    budgets,
    connections,
    host,
    intents,
    leases,
    outbox,
    pages,
    quarantine,
    raw,
    snapshot,
    staging,
    tokens,
)
from ar_connectors.store import versions as history
from ar_connectors.store.connections import ConnectionInfo
from ar_connectors.store.contract import (
    ClaimedWrite,
    CommitResult,
    Lease,
    Receipt,
    Reservation,
    StagedPage,
    WriteState,
)
from ar_connectors.store.engine import Database, open_database
from ar_connectors.store.migrations import migrate
from ar_connectors.store.quarantine import Quarantined
from ar_connectors.store.raw import RawBody
from ar_connectors.store.view import View
from ar_core.commands import Command
from ar_core.model import CustomerProfile, Pause, RecordKind, Snapshot

__all__ = ["ConnectionInfo", "RawBody", "Store", "open_store"]


def open_store(
    url: str,
    *,
    clock: Clock | None = None,
    key: str | bytes | tokens.Cipher | None = None,
    observer: Observer | None = None,
) -> Store:
    """Open a store, making or upgrading its schema.

    `url`: `sqlite:///ar.db`, `sqlite://` (memory), `postgresql+psycopg://user@host/db`. `key`: a Fernet key, or anything that
    encrypts; needed for tokens only. `observer` hears (`Waiting`) when another process keeps a store on SQLite for some seconds. Raises
    ConfigurationError for a bad URL or key and for a store of a newer release.
    """
    database = open_database(url)
    if observer is not None:
        database.tell_of_waits(
            lambda seconds: observer(
                Waiting("", "", "write to the store", seconds, "another process writes to it")
            )
        )
    return Store(database, clock or SystemClock(), _cipher(key))


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
        try:
            migrate(database, clock.now())
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Give all database connections back. A store is also a context manager that does so at its end."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- connections

    def add_connection(
        self, connection_id: str, platform: str, tenant: str, settings: Mapping[str, Any] | None = None
    ) -> ConnectionInfo:
        """Remember a company, or give a known one new settings (merged over the old ones)."""
        connections.add_connection(
            self._database, connection_id, platform, tenant, settings or {}, self._clock
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
        return connections.connections(self._database)

    # ---- leases

    def acquire_lease(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a free or expired lease; None when another owner holds it."""
        return leases.acquire(self._database, name, owner, ttl, self._clock)

    def renew_lease(self, lease: Lease, ttl: timedelta) -> Lease:
        """Prolong it, same fence. Raises LeaseLost when it is no longer ours."""
        return leases.renew(self._database, lease, ttl, self._clock)

    def release_lease(self, lease: Lease) -> None:
        """Give it back."""
        leases.release(self._database, lease, self._clock)

    # ---- reading an ERP

    def view(self, connection_id: str) -> View:
        """Read access for an adapter."""
        return View(self._database, connection_id)

    def stage_page(self, page: Page) -> StagedPage:
        """Do for a page what needs no transaction; safe in any thread."""
        return staging.stage_page(page)

    def commit_page(self, connection_id: str, page: Page | StagedPage, lease: Lease) -> CommitResult:
        """Records, raw body, tombstones, quarantine and cursor in one transaction. Raises LeaseLost."""
        return pages.commit_page(self._database, connection_id, page, lease, self._clock)

    def reset_stream(self, connection_id: str, stream: str, lease: Lease) -> None:
        """Forget how far a stream was read; records stay. Raises LeaseLost."""
        pages.reset_stream(self._database, connection_id, stream, lease, self._clock)

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

    def raw_of(self, record_id: str) -> RawBody | None:
        """The body a record was read from; None for a record without one."""
        return raw.raw_of(self._database, record_id)

    def raw_bodies(self, connection_id: str, older_than_mapper: int | None = None) -> Iterator[RawBody]:
        """Stored bodies that live records still come from, oldest first; for mapping them again with a newer mapper."""
        return raw.raw_bodies(self._database, connection_id, older_than_mapper)

    def snapshot(self, connection_id: str, known_at: datetime | None = None) -> Snapshot:
        """Everything in force; with `known_at`, what was known at that instant, as it was then."""
        return snapshot.snapshot(self._database, connection_id, known_at)

    def prune(self, *, versions_before: datetime | None = None) -> dict[str, int]:
        """Delete states that were replaced before an instant, and raw bodies no record comes from; returns counts."""
        versions = 0
        if versions_before is not None:
            versions = history.prune_versions(self._database, versions_before)
        with self._database.writing() as tx:
            bodies = raw.prune_bodies(tx)
        return {"versions": versions, "raw_pages": bodies}

    # ---- what the host knows

    def set_profile(self, connection_id: str, profile: CustomerProfile) -> None:
        """Store what the host knows about a customer; replaces the earlier profile, which stays in the history."""
        host.put_facts(self._database, connection_id, [profile], self._clock)

    def set_profiles(self, connection_id: str, profiles: Sequence[CustomerProfile]) -> None:
        """The same for many customers, all or none."""
        host.put_facts(self._database, connection_id, profiles, self._clock)

    def profiles(self, connection_id: str) -> Sequence[CustomerProfile]:
        """All profiles, by customer id."""
        return host.profiles(self._database, connection_id)

    def set_pause(self, connection_id: str, pause: Pause) -> None:
        """Pause the cadence for a customer or an invoice."""
        host.put_facts(self._database, connection_id, [pause], self._clock)

    def lift_pause(self, connection_id: str, pause_id: str, lifted_on: date | None = None) -> Pause:
        """End a pause from `lifted_on` on, by default from today's UTC day. Raises NotFoundError when there is none."""
        return host.lift_pause(self._database, connection_id, pause_id, lifted_on, self._clock)

    # ---- writing to an ERP

    def record_commands(
        self,
        commands: Sequence[Command],
        *,
        connection_id: str | None = None,
        local_types: Collection[str] = intents.LOCAL_TYPES,
    ) -> Sequence[Receipt]:
        """Store commands and what they mean locally. Raises ConflictError, ConfigurationError, NotFoundError; then nothing is stored."""
        with self._database.writing() as tx:
            written = intents.record_commands(
                self._database, tx, commands, self._clock, connection=connection_id, local_types=local_types
            )
            return outbox.receipts_of(tx, written)

    def claim_writes(
        self, connection_id: str, owner: str, ttl: timedelta, limit: int
    ) -> Sequence[ClaimedWrite]:
        """Claim due commands in order, one per subject at a time."""
        return outbox.claim_writes(self._database, connection_id, owner, ttl, limit, self._clock)

    def mark_sending(self, claim: ClaimedWrite) -> ClaimedWrite:
        """Durably note that bytes may go out. Raises LeaseLost."""
        return outbox.mark_sending(self._database, claim, self._clock)

    def finish_write(
        self,
        claim: ClaimedWrite,
        state: WriteState,
        placements: Sequence[Placement] = (),
        error: Mapping[str, Any] | None = None,
        not_before: datetime | None = None,
    ) -> Receipt:
        """Close a claim. Raises LeaseLost when it was taken over."""
        return outbox.finish_write(self._database, claim, state, self._clock, placements, error, not_before)

    def receipts(
        self, connection_id: str | None = None, state: WriteState | None = None
    ) -> Sequence[Receipt]:
        """Receipts, oldest first."""
        return outbox.receipts(self._database, connection_id, state)

    def recorded(self, connection_id: str) -> Sequence[tuple[Command, Receipt]]:
        """All commands of a connection with their receipts, oldest first."""
        return outbox.recorded(self._database, connection_id)

    # ---- tokens and budgets

    def load_tokens(self, connection_id: str) -> tuple[Mapping[str, Any], int] | None:
        """The decrypted token document and its version; None when there is none."""
        return tokens.load_tokens(self._database, self._cipher, connection_id)

    def save_tokens(self, connection_id: str, document: Mapping[str, Any], expected_version: int) -> int:
        """Compare-and-swap a token document. Raises ConflictError."""
        return tokens.save_tokens(
            self._database, self._cipher, connection_id, document, expected_version, self._clock
        )

    def reserve_call(
        self, resource: str, rates: Sequence[tuple[int, timedelta]], max_in_flight: int, ttl: timedelta
    ) -> Reservation:
        """Permission for one call, or the time to wait."""
        return budgets.reserve_call(self._database, resource, rates, max_in_flight, ttl, self._clock)

    def release_call(self, reservation: Reservation) -> None:
        """Give a slot back."""
        budgets.release_call(self._database, reservation)

    def block_until(self, resource: str, until: datetime) -> None:
        """Nobody calls before `until`."""
        budgets.block_until(self._database, resource, until)
