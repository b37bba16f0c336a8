"""Where do commands wait, and who may send one? The durable outbox with its state machine.

planned -> sent -> confirmed | rejected | unknown. A claim that runs out while `sent` makes the command unknown, never
planned again: bytes may be out. Unknown ones are looked for before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select, text, update

from ar_connectors.connector import PendingWrite, Placement
from ar_connectors.errors import ConfigurationError, ConflictError, LeaseLost
from ar_connectors.store import tables as t
from ar_connectors.store.contract import ClaimedWrite, Receipt, WriteState
from ar_connectors.store.effects import born_record_id, effects
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros, span, to_micros
from ar_connectors.store.records import put_records
from ar_connectors.store.rows import escape_remote_id, prepare
from ar_connectors.store.view import placement_from_json, placement_to_json, read_record
from ar_core.commands import Command, RecordOutcome, command_adapter
from ar_core.model import Touch, connection_id

__all__ = ["LOCAL_TYPES", "claim_writes", "finish_write", "mark_sending", "receipts", "record_commands"]

LOCAL_TYPES = ("record_touch", "record_outcome")
"""Commands that are kept with us and delivered nowhere, unless the caller says otherwise."""

_COMMANDS = command_adapter()
_OPEN = (WriteState.PLANNED.value, WriteState.SENT.value, WriteState.UNKNOWN.value)


def record_commands(
    database: Database,
    commands: Sequence[Command],
    now: datetime,
    *,
    connection: str | None = None,
    local_types: Collection[str] = LOCAL_TYPES,
) -> Sequence[Receipt]:
    """Store commands and what they mean locally, all in one transaction.

    Raises ConflictError (same key, other content) and ConfigurationError (no connection can be told), and then stores nothing.
    """
    at = to_micros(now)
    written: list[int] = []
    with database.writing() as tx:
        for command in commands:
            owner = connection or _owner(command)
            known = _find(tx, owner, command)
            if known is not None:
                if known.content_hash != command.content_hash:
                    raise ConflictError(
                        f"a {command.type} with the key {command.key!r} was recorded with other content",
                        tenant=owner,
                        operation=command.type,
                    )
                written.append(known.id)
                continue
            _apply(database, tx, owner, command, now, at)
            written.append(_insert(tx, owner, command, at, local=command.type in local_types))
        found = {row.id: row for row in tx.execute(select(t.outbox).where(t.outbox.c.id.in_(written)))}
        places = _placements(tx, written)
    return [_receipt(found[one], places.get(one, ())) for one in written]


def claim_writes(
    database: Database, owner_connection: str, owner: str, ttl: timedelta, limit: int, now: datetime
) -> Sequence[ClaimedWrite]:
    """Claim due commands in the order they were recorded; while one on a subject is open, later ones on it wait."""
    at = to_micros(now)
    o = t.outbox.c
    claims: list[ClaimedWrite] = []
    with database.writing() as tx:
        if not database.is_sqlite:
            tx.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"outbox:{owner_connection}"}
            )
        tx.execute(
            update(t.outbox)
            .where(o.connection_id == owner_connection, o.state == WriteState.SENT.value, o.claim_until <= at)
            .values(state=WriteState.UNKNOWN.value, claim_until=None, claim_owner=None)
        )
        query = select(t.outbox).where(o.connection_id == owner_connection, o.state.in_(_OPEN)).order_by(o.id)
        busy: set[str] = set()
        for row in tx.execute(query).all():
            if len(claims) >= limit:
                break
            first = row.subject not in busy
            busy.add(row.subject)
            held = row.claim_until is not None and row.claim_until > at
            early = row.not_before is not None and row.not_before > at
            if not first or held or early or row.state == WriteState.SENT.value:
                continue
            fence = row.fence + 1
            tx.execute(
                update(t.outbox)
                .where(o.id == row.id)
                .values(claim_owner=owner, claim_until=at + span(ttl), fence=fence)
            )
            claims.append(
                ClaimedWrite(
                    connection_id=owner_connection,
                    write=_pending(row, row.attempts + 1),
                    state_before=WriteState(row.state),
                    claim_until=from_micros(at + span(ttl)),
                    fence=fence,
                )
            )
    return claims


def mark_sending(database: Database, claim: ClaimedWrite, now: datetime) -> ClaimedWrite:
    """Durably note that bytes may go out from now on. Raises LeaseLost when the claim was taken over or ran out."""
    at = to_micros(now)
    with database.writing() as tx:
        row = _held(tx, claim, at)
        first = row.first_sent_at if row.first_sent_at is not None else at
        tx.execute(
            update(t.outbox)
            .where(t.outbox.c.id == row.id)
            .values(
                state=WriteState.SENT.value, attempts=row.attempts + 1, first_sent_at=first, not_before=None
            )
        )
        write = _pending(row, row.attempts + 1, first)
    return ClaimedWrite(claim.connection_id, write, claim.state_before, claim.claim_until, claim.fence)


def finish_write(
    database: Database,
    claim: ClaimedWrite,
    state: WriteState,
    now: datetime,
    placements: Sequence[Placement] = (),
    error: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
) -> Receipt:
    """Close a claim with its outcome. Raises LeaseLost when another worker has taken the command over."""
    at = to_micros(now)
    with database.writing() as tx:
        row = _held(tx, claim, None)
        delivered = at if state is WriteState.CONFIRMED else None
        values: dict[str, Any] = {
            "state": state.value,
            "claim_owner": None,
            "claim_until": None,
            "not_before": to_micros(not_before) if not_before is not None else None,
            "error": json.dumps(dict(error)).encode() if error is not None else None,
            "delivered_at": delivered,
        }
        if state is WriteState.PLANNED:
            # Proven not to have happened: the next attempt is a first one again.
            values["first_sent_at"] = None
        tx.execute(update(t.outbox).where(t.outbox.c.id == row.id).values(**values))
        _place(tx, claim, row.id, placements)
        fresh = tx.execute(select(t.outbox).where(t.outbox.c.id == row.id)).one()
        places = _placements(tx, [row.id]).get(row.id, ())
    return _receipt(fresh, places)


def receipts(
    database: Database, owner_connection: str | None = None, state: WriteState | None = None
) -> Sequence[Receipt]:
    """Receipts, oldest first."""
    query = select(t.outbox).order_by(t.outbox.c.id)
    if owner_connection is not None:
        query = query.where(t.outbox.c.connection_id == owner_connection)
    if state is not None:
        query = query.where(t.outbox.c.state == state.value)
    with database.reading() as tx:
        rows = tx.execute(query).all()
        places = _placements(tx, [row.id for row in rows])
    return [_receipt(row, places.get(row.id, ())) for row in rows]


def _owner(command: Command) -> str:
    for subject in command.subject_ids:
        found = connection_id(subject)
        if found is not None:
            return found
    raise ConfigurationError(
        f"no subject of this {command.type} tells which connection it belongs to",
        advice="name the connection",
    )


def _find(tx: Connection, owner: str, command: Command) -> Row[Any] | None:
    o = t.outbox.c
    return tx.execute(
        select(t.outbox).where(o.connection_id == owner, o.type == command.type, o.key == command.key)
    ).first()


def _apply(database: Database, tx: Connection, owner: str, command: Command, now: datetime, at: int) -> None:
    r = t.records.c

    def find(record: str) -> Any | None:
        row = tx.execute(
            select(r.kind, r.body, r.due_version).where(r.id == record, r.connection_id == owner, r.alive)
        ).first()
        if row is None and isinstance(command, RecordOutcome):
            return _touch_by_key(tx, owner, record)
        return read_record(row.kind, bytes(row.body), row.due_version) if row is not None else None

    born = [prepare(one) for one in effects(command, find, now)]
    put_records(database, tx, owner, born, at)


def _touch_by_key(tx: Connection, owner: str, key: str) -> Touch | None:
    """A touch named by the action key that planned it; the latest one where there are several."""
    o = t.outbox.c
    row = tx.execute(
        select(o.record_id)
        .where(o.connection_id == owner, o.type == "record_touch", o.key == key)
        .order_by(o.id.desc())
    ).first()
    if row is None:
        return None
    r = t.records.c
    found = tx.execute(select(r.body).where(r.id == row.record_id, r.alive)).first()
    return read_record("touch", bytes(found.body), 0) if found is not None else None


def _insert(tx: Connection, owner: str, command: Command, at: int, *, local: bool) -> int:
    subject = (
        getattr(command, "customer_id", None)
        or getattr(command, "subject_id", None)
        or command.subject_ids[0]
    )
    result = tx.execute(
        insert(t.outbox)
        .values(
            connection_id=owner,
            type=command.type,
            key=command.key,
            content_hash=command.content_hash,
            body=_COMMANDS.dump_json(command),
            subject=subject,
            state=WriteState.LOCAL.value if local else WriteState.PLANNED.value,
            record_id=born_record_id(command),
            idempotency_key=uuid4().hex,
            attempts=0,
            fence=0,
            recorded_at=at,
        )
        .returning(t.outbox.c.id)
    )
    return int(result.scalar_one())


def _held(tx: Connection, claim: ClaimedWrite, at: int | None) -> Row[Any]:
    """The row of a claim that is still ours; with `at`, it must not have run out either."""
    o = t.outbox.c
    command = claim.write.command
    row = tx.execute(
        select(t.outbox)
        .where(o.connection_id == claim.connection_id, o.type == command.type, o.key == command.key)
        .with_for_update()
    ).one()
    if row.fence != claim.fence or row.claim_until is None or (at is not None and row.claim_until <= at):
        raise LeaseLost(f"the {command.type} {command.key!r} was taken over by another worker")
    return row


def _place(tx: Connection, claim: ClaimedWrite, command_id: int, placements: Sequence[Placement]) -> None:
    command = claim.write.command
    always = {*command.subject_ids, *([claim.write.record_id] if claim.write.record_id else [])}
    for one in placements:
        made = tx.execute(
            insert(t.placements)
            .values(
                connection_id=claim.connection_id,
                command_id=command_id,
                command_type=command.type,
                remote_kind=one.remote_kind,
                remote_id=escape_remote_id(one.remote_id),
                version=one.version,
                body=json.dumps(placement_to_json(one)).encode(),
            )
            .returning(t.placements.c.id)
        ).scalar_one()
        subjects = sorted({*one.subject_ids, *always})
        tx.execute(
            insert(t.placement_subjects),
            [{"subject_id": subject, "placement_id": made} for subject in subjects],
        )


def _placements(tx: Connection, ids: Sequence[int]) -> dict[int, tuple[Placement, ...]]:
    p = t.placements.c
    found: dict[int, tuple[Placement, ...]] = {}
    for start in range(0, len(ids), 500):
        query = (
            select(p.command_id, p.body)
            .where(p.command_id.in_(list(ids[start : start + 500])))
            .order_by(p.id)
        )
        for row in tx.execute(query):
            place = placement_from_json(json.loads(bytes(row.body)))
            found[row.command_id] = (*found.get(row.command_id, ()), place)
    return found


def _pending(row: Row[Any], attempt: int, first_sent_at: int | None = None) -> PendingWrite:
    first = first_sent_at if first_sent_at is not None else row.first_sent_at
    return PendingWrite(
        command=_COMMANDS.validate_json(bytes(row.body)),
        idempotency_key=row.idempotency_key,
        attempt=attempt,
        first_sent_at=from_micros(first) if first is not None else None,
        record_id=row.record_id,
    )


def _receipt(row: Row[Any], placements: tuple[Placement, ...]) -> Receipt:
    return Receipt(
        connection_id=row.connection_id,
        key=row.key,
        command_type=row.type,
        state=WriteState(row.state),
        record_id=row.record_id,
        placements=placements,
        attempts=row.attempts,
        error=json.loads(bytes(row.error)) if row.error is not None else None,
        recorded_at=from_micros(row.recorded_at),
        delivered_at=from_micros(row.delivered_at) if row.delivered_at is not None else None,
    )
