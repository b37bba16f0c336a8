"""How is a command written down? With what it means in our own records, all or nothing, once per key."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection, insert, select

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError, ConflictError
from ar_connectors.store import tables as t
from ar_connectors.store.contract import WriteState
from ar_connectors.store.effects import born_record_id, effects
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.lookups import by_id
from ar_connectors.store.records import put_local
from ar_connectors.store.rows import checked_id, escaped
from ar_connectors.store.view import with_due_version
from ar_core.commands import Command, RecordOutcome, command_adapter
from ar_core.model import Touch, connection_id

__all__ = ["LOCAL_TYPES", "read_command", "record_commands", "write_command"]

LOCAL_TYPES = ("record_touch", "record_outcome")
"""Commands that are kept with us and delivered nowhere, unless the caller says otherwise."""

_COMMANDS = command_adapter()


def record_commands(
    database: Database,
    tx: Connection,
    commands: Sequence[Command],
    clock: Clock,
    *,
    connection: str | None = None,
    local_types: Collection[str] = LOCAL_TYPES,
) -> list[int]:
    """Store commands and their local effects in the caller's transaction; returns their places in the outbox, one per command.

    Raises ConflictError (same key, other content), ConfigurationError (no connection can be told, or another one's records),
    NotFoundError (a promise, dispute or touch that is not there).
    """
    owners = [_owner(command, connection) for command in commands]
    for owner in sorted(set(owners)):
        # Sorted, so that two workers never wait for each other.
        database.take_turn(tx, f"ar-records:{owner}")
    now = clock.now()
    written: list[int] = []
    for owner, command in zip(owners, commands, strict=True):
        known = _known(tx, owner, command)
        if known is None:
            put_local(database, tx, owner, _meaning(database, tx, owner, command, now), to_micros(now))
            known = _insert(tx, owner, command, now, local=command.type in local_types)
        written.append(known)
    return written


def write_command(command: Command) -> bytes:
    """A command as JSON."""
    try:
        return _COMMANDS.dump_json(command)
    except (PydanticSerializationError, UnicodeEncodeError):
        # Text that is no Unicode (lone surrogates): the standard library escapes it.
        return json.dumps(_COMMANDS.dump_python(command, mode="json")).encode("ascii")


def read_command(body: bytes) -> Command:
    """The command that `write_command` wrote."""
    return _COMMANDS.validate_python(json.loads(body))


def _owner(command: Command, given: str | None) -> str:
    """The connection a command belongs to. A `touch_id` may be an action key, which tells nothing."""
    told = [checked_id(one) for one in command.subject_ids if one != getattr(command, "touch_id", None)]
    try:
        owners = {found for one in told if (found := connection_id(one)) is not None}
    except ValueError as error:
        raise ConfigurationError(
            str(error), operation=command.type, advice="give the id of a record"
        ) from error
    if given is not None:
        owners.add(given)
    if len(owners) == 1:
        return owners.pop()
    if owners:
        raise ConfigurationError(
            f"this {command.type} names records of several connections: {', '.join(sorted(owners))}",
            operation=command.type,
            advice="record one command for each connection",
        )
    raise ConfigurationError(
        f"no subject of this {command.type} tells which connection it belongs to",
        operation=command.type,
        advice="name the connection",
    )


def _known(tx: Connection, owner: str, command: Command) -> int | None:
    o = t.outbox.c
    row = tx.execute(
        select(o.id, o.content_hash).where(
            o.connection_id == owner, o.type == command.type, o.key == escaped(command.key)
        )
    ).first()
    if row is None:
        return None
    if row.content_hash != command.content_hash:
        raise ConflictError(
            f"a {command.type} with the key {command.key!r} was recorded with other content",
            tenant=owner,
            operation=command.type,
            advice="use a new key for a new command",
        )
    return int(row.id)


def _meaning(
    database: Database, tx: Connection, owner: str, command: Command, now: datetime
) -> Sequence[Any]:
    def find(record_id: str) -> Any | None:
        row = by_id(database, tx, owner, [record_id]).get(record_id)
        if row is not None and row.gone is None:
            return with_due_version(row.record, row.due_version)
        return _touch_by_key(database, tx, owner, record_id) if isinstance(command, RecordOutcome) else None

    return effects(command, find, now)


def _touch_by_key(database: Database, tx: Connection, owner: str, key: str) -> Touch | None:
    """A touch named by the action key that planned it."""
    o = t.outbox.c
    query = select(o.record_id).where(
        o.connection_id == owner, o.type == "record_touch", o.key == escaped(key), o.record_id.is_not(None)
    )
    found = by_id(database, tx, owner, [row[0] for row in tx.execute(query)])
    return next((one.record for one in found.values() if one.gone is None), None)


def _insert(tx: Connection, owner: str, command: Command, now: datetime, *, local: bool) -> int:
    born = born_record_id(command)
    subjects = sorted({*command.subject_ids, *([born] if born is not None else [])})
    result = tx.execute(
        insert(t.outbox)
        .values(
            connection_id=owner,
            type=command.type,
            key=escaped(command.key),
            content_hash=command.content_hash,
            body=write_command(command),
            subjects=json.dumps(subjects).encode(),
            state=WriteState.LOCAL.value if local else WriteState.PLANNED.value,
            record_id=born,
            # Minted once, here: whatever is sent later is sent under it.
            idempotency_key=uuid4().hex,
            attempts=0,
            fence=0,
            recorded_at=to_micros(now),
        )
        .returning(t.outbox.c.id)
    )
    return int(result.scalar_one())
