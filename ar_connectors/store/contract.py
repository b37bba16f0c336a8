"""What do the engines need from a store? Small protocols and the values that cross them.

`ar_connectors.store.Store` is the one implementation (SQLite and PostgreSQL); the engines depend on these shapes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from ar_connectors.auth.contract import Lease, LeaseStore, TokenStore
from ar_connectors.connector import Page, PendingWrite, Placement, StoreView
from ar_connectors.http.contract import BudgetStore, Reservation
from ar_core.commands import Command
from ar_core.model import RecordKind

__all__ = [
    "BudgetStore",
    "ClaimedWrite",
    "CommitResult",
    "Lease",
    "LeaseStore",
    "OutboxStore",
    "PageStore",
    "Receipt",
    "Reservation",
    "StagedPage",
    "TokenStore",
    "WriteState",
]


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What one page did to the store; counts of records."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    """Refused: strictly older than what is stored."""
    silent_changes: int = 0
    """Content changed under an unchanged version (SILENT_CHANGE); part of `updated`."""
    echoes: int = 0
    """Our own writes coming back; part of `updated` or `unchanged`."""
    tombstoned: int = 0
    quarantined: int = 0
    changed_ids: tuple[str, ...] = ()
    """Ids of inserted, updated and tombstoned records."""


@dataclass(frozen=True, slots=True)
class StagedPage:
    """A page with all the work done that needs no transaction."""

    page: Page
    prepared: Sequence[Any]
    """Its records as the store writes them; nobody else looks into them."""
    blob: bytes | None
    """Its raw body, compressed."""


class PageStore(LeaseStore, Protocol):
    """What the sync engine writes."""

    def view(self, connection_id: str) -> StoreView:
        """Read access for the adapter."""
        ...

    def stage_page(self, page: Page) -> StagedPage:
        """Do all that `commit_page` can do before its transaction. Safe in any thread, so that the pages behind the one that is
        being written are made ready meanwhile."""
        ...

    def commit_page(self, connection_id: str, page: Page | StagedPage, lease: Lease) -> CommitResult:
        """Records, raw body, tombstones, quarantine and cursor in one transaction. Raises LeaseLost when the fence is old."""
        ...

    def reset_stream(self, connection_id: str, stream: str, lease: Lease) -> None:
        """Forget a stream's cursor (full=True); records stay."""
        ...

    def live_ids(self, connection_id: str, kind: RecordKind) -> Iterable[str]:
        """Ids of live platform records of a kind, ascending."""
        ...


class WriteState(StrEnum):
    """Where a command stands on its way to the ERP."""

    PLANNED = "planned"
    SENT = "sent"
    """Claimed by a worker; bytes may have gone out."""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """It was sent and no answer came, or its worker died: looked for before anything is sent again."""
    LOCAL = "local"
    """Kept with us only: this command has no place in this ERP."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a command."""

    connection_id: str
    key: str
    command_type: str
    state: WriteState
    record_id: str | None = None
    """The local record it gave birth to (promise, dispute, touch)."""
    placements: tuple[Placement, ...] = ()
    attempts: int = 0
    error: Mapping[str, Any] | None = None
    """`ARError.to_json()` of the last failure."""
    recorded_at: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def degraded(self) -> bool:
        """True when any fact landed in a fallback place."""
        return any(placement.degraded for placement in self.placements)


@dataclass(frozen=True, slots=True)
class ClaimedWrite:
    """A command that this worker alone may send until `claim_until`."""

    connection_id: str
    write: PendingWrite
    state_before: WriteState
    """PLANNED, or UNKNOWN: then it is looked for first."""
    claim_until: datetime
    fence: int


class OutboxStore(Protocol):
    """Durable intents. The state machine is: planned -> sent -> confirmed | rejected | unknown; an expired `sent` becomes
    `unknown`, never `planned`; unknown -> confirmed | planned (proven absent) | rejected."""

    def record_commands(
        self, commands: Sequence[Command], *, connection_id: str | None = None
    ) -> Sequence[Receipt]:
        """Store commands and what they mean locally (promise, dispute, touch, withdrawals, supersession) in one transaction.
        Same key and content: the same receipt again. Same key, other content: ConflictError, nothing stored."""
        ...

    def claim_writes(
        self, connection_id: str, owner: str, ttl: timedelta, limit: int
    ) -> Sequence[ClaimedWrite]:
        """Claim due commands in the order they were recorded, one per subject at a time."""
        ...

    def mark_sending(self, claim: ClaimedWrite) -> ClaimedWrite:
        """Durably note that bytes may go out from now on. Raises LeaseLost when the claim was taken over."""
        ...

    def finish_write(
        self,
        claim: ClaimedWrite,
        state: WriteState,
        placements: Sequence[Placement] = (),
        error: Mapping[str, Any] | None = None,
        not_before: datetime | None = None,
    ) -> Receipt:
        """Close a claim. PLANNED with `not_before` postpones it. Raises LeaseLost when the claim was taken over."""
        ...

    def receipts(
        self, connection_id: str | None = None, state: WriteState | None = None
    ) -> Sequence[Receipt]:
        """Receipts, oldest first."""
        ...
