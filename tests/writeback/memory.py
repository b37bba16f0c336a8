"""An outbox and a store view in memory, with the state machine of the contract: for tests of the engine alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ar_connectors.connector import Cursor, PendingWrite, Placement
from ar_connectors.errors import ConflictError, LeaseLost
from ar_connectors.store.contract import ClaimedWrite, Receipt, WriteState
from ar_core.commands import Command, OpenDispute, RecordPromise, WithdrawPromise
from ar_core.model import Allocation, Dispute, Origin, Promise, RecordKind, connection_id, parse_record_id


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self.time = start

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=max(seconds, 0))

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass
class Row:
    connection: str
    command: Command
    key: str
    state: WriteState = WriteState.PLANNED
    attempt: int = 0
    first_sent_at: datetime | None = None
    not_before: datetime | None = None
    claimed_by: str | None = None
    claim_until: datetime | None = None
    fence: int = 0
    sending: bool = False
    placements: tuple[Placement, ...] = ()
    error: Mapping[str, Any] | None = None
    delivered_at: datetime | None = None
    record_id: str | None = None
    recorded_at: datetime | None = None


@dataclass
class MemoryStore:
    """Outbox and records of one connection."""

    clock: FakeClock
    records_by_id: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    cursors: dict[str, Cursor] = field(default_factory=dict)

    def record_commands(
        self, commands: Sequence[Command], *, connection_id: str | None = None
    ) -> Sequence[Receipt]:
        known = {(row.connection, row.command.type, row.command.key): row for row in self.rows}
        fresh: list[Row] = []
        touched: list[Row] = []
        for command in commands:
            owner = connection_id or _owner(command)
            row = known.get((owner, command.type, command.key))
            if row is None:
                row = Row(
                    owner,
                    command,
                    f"key-{len(self.rows) + len(fresh):04d}-0123456789abcdef0123456789",
                    recorded_at=self.clock.now(),
                )
                known[owner, command.type, command.key] = row
                fresh.append(row)
            elif row.command.content_hash != command.content_hash:
                raise ConflictError(f"the key {command.key} of {command.type} is taken by other content")
            touched.append(row)
        for row in fresh:
            row.record_id = self._born(row.command)
        self.rows += fresh
        return [self._receipt(row) for row in touched]

    def claim_writes(
        self, connection_id: str, owner: str, ttl: timedelta, limit: int
    ) -> Sequence[ClaimedWrite]:
        self.calls.append("claim")
        now = self.clock.now()
        claims: list[ClaimedWrite] = []
        busy: set[str] = set()
        for row in self.rows:
            if row.connection != connection_id or row.state not in {
                WriteState.PLANNED,
                WriteState.UNKNOWN,
                WriteState.SENT,
            }:
                continue
            subjects = set(row.command.subject_ids)
            held = row.claimed_by is not None and row.claim_until is not None and row.claim_until > now
            due = row.not_before is None or row.not_before <= now
            if held or not due or busy & subjects:
                busy |= subjects
                continue
            busy |= subjects
            if row.sending:
                row.state, row.sending = WriteState.UNKNOWN, False
            row.claimed_by, row.claim_until, row.fence = owner, now + ttl, row.fence + 1
            claims.append(
                ClaimedWrite(row.connection, self._pending(row, 1), row.state, row.claim_until, row.fence)
            )
            if len(claims) == limit:
                break
        return claims

    def mark_sending(self, claim: ClaimedWrite) -> ClaimedWrite:
        self.calls.append("mark")
        row = self._held(claim)
        row.state, row.sending, row.attempt = WriteState.SENT, True, row.attempt + 1
        row.first_sent_at = row.first_sent_at or self.clock.now()
        return replace(claim, write=self._pending(row))

    def finish_write(
        self,
        claim: ClaimedWrite,
        state: WriteState,
        placements: Sequence[Placement] = (),
        error: Mapping[str, Any] | None = None,
        not_before: datetime | None = None,
    ) -> Receipt:
        self.calls.append(f"finish {state}")
        row = self._held(claim)
        row.state, row.sending, row.claimed_by, row.not_before, row.error = (
            state,
            False,
            None,
            not_before,
            error,
        )
        if state is WriteState.PLANNED:
            row.first_sent_at = None
        if state is WriteState.CONFIRMED:
            row.placements, row.delivered_at = tuple(placements), self.clock.now()
        return self._receipt(row)

    def receipts(
        self, connection_id: str | None = None, state: WriteState | None = None
    ) -> Sequence[Receipt]:
        return [
            self._receipt(row)
            for row in self.rows
            if connection_id in {None, row.connection} and state in {None, row.state}
        ]

    def view(self, connection_id: str) -> MemoryView:
        return MemoryView(self, connection_id)

    def row_of(self, command: Command) -> Row:
        return next(row for row in self.rows if row.command is command)

    def _held(self, claim: ClaimedWrite) -> Row:
        row = next(
            row
            for row in self.rows
            if (row.command.type, row.command.key) == (claim.write.command.type, claim.write.command.key)
        )
        if row.fence != claim.fence or row.claimed_by is None:
            raise LeaseLost("the claim was taken over")
        return row

    def _pending(self, row: Row, more: int = 0) -> PendingWrite:
        return PendingWrite(row.command, row.key, row.attempt + more, row.first_sent_at, row.record_id)

    def _receipt(self, row: Row) -> Receipt:
        return Receipt(
            row.connection, row.command.key, row.command.type, row.state, row.record_id, row.placements, row.attempt,
            row.error, row.recorded_at, row.delivered_at,
        )  # fmt: skip

    def _born(self, command: Command) -> str | None:
        """What a command means locally: enough of it for an adapter to look up."""
        records = self.records_by_id
        match command:
            case RecordPromise():
                for one in list(records.values()):
                    if isinstance(one, Promise) and set(one.invoice_ids) & set(command.invoice_ids):
                        records[one.id] = one.model_copy(update={"superseded_by": command.local_record_id})
                fields = command.model_dump(exclude={"type", "key"})
                records[command.local_record_id] = Promise(
                    id=command.local_record_id, origin=Origin.OURS, recorded_at=self.clock.now(), **fields
                )
            case WithdrawPromise():
                if (known := records.get(command.promise_id)) is not None:
                    records[known.id] = known.model_copy(update={"withdrawn_on": command.withdrawn_on})
                return None
            case OpenDispute():
                fields = command.model_dump(exclude={"type", "key"})
                records[command.local_record_id] = Dispute(
                    id=command.local_record_id, origin=Origin.OURS, recorded_at=self.clock.now(), **fields
                )
            case _:
                return None
        return command.local_record_id


@dataclass
class MemoryView:
    """The store as an adapter sees it."""

    store: MemoryStore
    connection: str

    def cursor(self, stream: str) -> Cursor | None:
        return self.store.cursors.get(stream)

    def record(self, record_id: str) -> Any | None:
        return self.store.records_by_id.get(record_id)

    def records(self, record_ids: Iterable[str]) -> dict[str, Any]:
        return {one: self.store.records_by_id[one] for one in record_ids if one in self.store.records_by_id}

    def live_ids(
        self,
        kind: RecordKind,
        *,
        born_here: bool = False,  # noqa: ARG002  all alike here
        mentioning: str | None = None,  # noqa: ARG002  and none is left out
    ) -> Iterator[str]:
        for one in sorted(self.store.records_by_id):
            parts = parse_record_id(one)
            if parts is not None and parts.kind == kind:
                yield one

    def allocations_of(self, parent_ids: Iterable[str]) -> Sequence[Allocation]:
        return [
            one
            for one in self.store.records_by_id.values()
            if getattr(one, "source_id", None) in set(parent_ids)
        ]

    def allocations_on(self, document_ids: Iterable[str]) -> Sequence[Allocation]:
        wanted = set(document_ids)
        return [
            one
            for one in self.store.records_by_id.values()
            if isinstance(one, Allocation) and {one.target_id, one.source_id} & wanted
        ]

    def placements(self, subject_id: str, command_type: str | None = None) -> Sequence[Placement]:
        return [
            placement
            for row in self.store.rows
            for placement in row.placements
            if command_type in {None, row.command.type}
            and subject_id in (*row.command.subject_ids, *placement.subject_ids)
        ]


def _owner(command: Command) -> str:
    return next(owner for one in command.subject_ids if (owner := connection_id(one)) is not None)
