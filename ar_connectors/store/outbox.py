"""Where do commands wait, and who may send one? The durable outbox with its state machine.

planned -> sent -> confirmed | rejected | unknown. A claim that runs out while `sent` makes the command unknown, never
planned again: bytes may be out. Unknown ones are looked for before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from ar_connectors.clock import Clock
from ar_connectors.connector import PendingWrite, Placement
from ar_connectors.errors import LeaseLost
from ar_connectors.store import tables as t
from ar_connectors.store.contract import ClaimedWrite, Receipt, WriteState
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros, span, to_micros
from ar_connectors.store.intents import read_command
from ar_connectors.store.rows import escaped, unescaped
from ar_connectors.store.view import placement_from_json, placement_to_json
from ar_core.commands import Command

__all__ = ["claim_writes", "finish_write", "mark_sending", "receipts", "receipts_of", "recorded"]

_OPEN = (WriteState.PLANNED.value, WriteState.SENT.value, WriteState.UNKNOWN.value)
_ENDS = frozenset(WriteState) - {WriteState.SENT}
_BATCH = 200


def claim_writes(
    database: Database, connection_id: str, owner: str, ttl: timedelta, limit: int, clock: Clock
) -> Sequence[ClaimedWrite]:
    """Claim due commands in the order they were recorded; while one on a subject is open, later ones on it wait."""
    o = t.outbox.c
    claims: list[ClaimedWrite] = []
    with database.writing() as tx:
        database.take_turn(tx, f"ar-outbox:{connection_id}")
        at = to_micros(clock.now())
        until = at + span(ttl)
        tx.execute(
            update(t.outbox)
            .where(o.connection_id == connection_id, o.state == WriteState.SENT.value, o.claim_until <= at)
            .values(state=WriteState.UNKNOWN.value, claim_until=None, claim_owner=None)
        )
        for row in _due(tx, connection_id, at):
            if len(claims) >= limit:
                break
            fence = row.fence + 1
            tx.execute(
                update(t.outbox)
                .where(o.id == row.id)
                .values(claim_owner=owner, claim_until=until, fence=fence)
            )
            write = _pending(row, row.attempts + 1)
            claims.append(
                ClaimedWrite(connection_id, write, WriteState(row.state), from_micros(until), fence)
            )
    return claims


def _due(tx: Connection, connection_id: str, at: int) -> Iterator[Row[Any]]:
    """Open commands that may be claimed now. An earlier open one on any of the same records stands in the way."""
    o = t.outbox.c
    busy: set[str] = set()
    last = 0
    while True:
        query = (
            select(t.outbox)
            .where(o.connection_id == connection_id, o.state.in_(_OPEN), o.id > last)
            .order_by(o.id)
            .limit(_BATCH)
        )
        rows = tx.execute(query).all()
        for row in rows:
            subjects = set(json.loads(bytes(row.subjects)))
            first = busy.isdisjoint(subjects)
            busy |= subjects
            held = row.claim_until is not None and row.claim_until > at
            early = row.not_before is not None and row.not_before > at
            if first and not held and not early and row.state != WriteState.SENT.value:
                yield row
        if len(rows) < _BATCH:
            return
        last = rows[-1].id


def mark_sending(database: Database, claim: ClaimedWrite, clock: Clock) -> ClaimedWrite:
    """Durably note that bytes may go out from now on. Raises LeaseLost when the claim was taken over or ran out."""
    with database.writing() as tx:
        row = _held(tx, claim)
        at = to_micros(clock.now())
        if row.claim_until <= at:
            raise _taken_over(claim)
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
    clock: Clock,
    placements: Sequence[Placement] = (),
    error: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
) -> Receipt:
    """Close a claim with its outcome. Raises LeaseLost when another worker has taken the command over."""
    if state not in _ENDS:
        raise ValueError(f"a claim does not end as {state}: mark_sending does that")
    with database.writing() as tx:
        row = _held(tx, claim)
        values: dict[str, Any] = {
            "state": state.value,
            "claim_owner": None,
            "claim_until": None,
            "not_before": to_micros(not_before) if not_before is not None else None,
            "delivered_at": to_micros(clock.now()) if state is WriteState.CONFIRMED else None,
        }
        if error is not None:
            values["error"] = json.dumps(dict(error)).encode()
        elif row.state != state.value:
            # A claim that is given back untouched keeps the error of the attempt before.
            values["error"] = None
        if state is WriteState.PLANNED:
            # Proven not to have happened: the next attempt is a first one again.
            values["first_sent_at"] = None
        tx.execute(update(t.outbox).where(t.outbox.c.id == row.id).values(**values))
        _place(tx, claim, row.id, placements)
        (receipt,) = receipts_of(tx, [row.id])
    return receipt


def receipts(
    database: Database, connection_id: str | None = None, state: WriteState | None = None
) -> Sequence[Receipt]:
    """Receipts, oldest first."""
    query = select(t.outbox.c.id).order_by(t.outbox.c.id)
    if connection_id is not None:
        query = query.where(t.outbox.c.connection_id == connection_id)
    if state is not None:
        query = query.where(t.outbox.c.state == state.value)
    with database.reading() as tx:
        return receipts_of(tx, [row.id for row in tx.execute(query)])


def recorded(database: Database, connection_id: str) -> Sequence[tuple[Command, Receipt]]:
    """All commands of a connection with their receipts, oldest first."""
    o = t.outbox.c
    query = select(o.id, o.body).where(o.connection_id == connection_id).order_by(o.id)
    with database.reading() as tx:
        rows = tx.execute(query).all()
        found = receipts_of(tx, [row.id for row in rows])
    return [(read_command(bytes(row.body)), receipt) for row, receipt in zip(rows, found, strict=True)]


def receipts_of(tx: Connection, ids: Sequence[int]) -> list[Receipt]:
    """Receipts of commands, in the order of `ids`."""
    o = t.outbox.c
    found: dict[int, Receipt] = {}
    for start in range(0, len(ids), _BATCH):
        some = list(ids[start : start + _BATCH])
        places = _placements(tx, some)
        for row in tx.execute(select(t.outbox).where(o.id.in_(some))):
            found[row.id] = _receipt(row, places.get(row.id, ()))
    return [found[one] for one in ids]


def _held(tx: Connection, claim: ClaimedWrite) -> Row[Any]:
    """The row of a claim that nobody has taken over. Holds it until the transaction ends."""
    o = t.outbox.c
    command = claim.write.command
    row = tx.execute(
        select(t.outbox)
        .where(o.connection_id == claim.connection_id, o.type == command.type, o.key == escaped(command.key))
        .with_for_update()
    ).one()
    if row.fence != claim.fence or row.claim_until is None:
        raise _taken_over(claim)
    return row


def _taken_over(claim: ClaimedWrite) -> LeaseLost:
    command = claim.write.command
    return LeaseLost(
        f"the claim on the {command.type} {command.key!r} ran out or was taken over by another worker"
    )


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
                remote_kind=escaped(one.remote_kind),
                remote_id=escaped(one.remote_id),
                version=escaped(one.version) if one.version is not None else None,
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
    query = select(p.command_id, p.body).where(p.command_id.in_(list(ids))).order_by(p.id)
    for row in tx.execute(query):
        place = placement_from_json(json.loads(bytes(row.body)))
        found[row.command_id] = (*found.get(row.command_id, ()), place)
    return found


def _pending(row: Row[Any], attempt: int, first_sent_at: int | None = None) -> PendingWrite:
    first = first_sent_at if first_sent_at is not None else row.first_sent_at
    return PendingWrite(
        command=read_command(bytes(row.body)),
        idempotency_key=row.idempotency_key,
        attempt=attempt,
        first_sent_at=from_micros(first) if first is not None else None,
        record_id=row.record_id,
    )


def _receipt(row: Row[Any], placements: tuple[Placement, ...]) -> Receipt:
    return Receipt(
        connection_id=row.connection_id,
        key=unescaped(row.key),
        command_type=row.type,
        state=WriteState(row.state),
        record_id=row.record_id,
        placements=placements,
        attempts=row.attempts,
        error=json.loads(bytes(row.error)) if row.error is not None else None,
        recorded_at=from_micros(row.recorded_at),
        delivered_at=from_micros(row.delivered_at) if row.delivered_at is not None else None,
    )
