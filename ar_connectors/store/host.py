"""What does the host know that no ERP holds? Customer profiles and pauses, with their history like every other record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from ar_connectors.clock import Clock
from ar_connectors.errors import ConfigurationError, NotFoundError
from ar_connectors.store import tables as t
from ar_connectors.store.codec import decode_record
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import to_micros
from ar_connectors.store.lookups import by_id, by_id_anywhere
from ar_connectors.store.numbers import number_of
from ar_connectors.store.pages import records_turn
from ar_connectors.store.places import KINDS
from ar_connectors.store.records import put_local
from ar_connectors.store.rows import checked_id
from ar_core.model import CustomerProfile, Pause

__all__ = ["lift_pause", "profiles", "put_facts"]


def put_facts(
    database: Database, connection_id: str, facts: Sequence[CustomerProfile | Pause], clock: Clock
) -> None:
    """Store profiles and pauses, all in one transaction; each replaces the one with its id."""
    for one in facts:
        checked_id(one.customer_id)
        checked_id(one.id)
    with database.writing() as tx:
        database.take_turn(tx, records_turn(connection_id))
        ids = [one.id for one in facts]
        ours = by_id(database, tx, connection_id, ids)
        for record_id in by_id_anywhere(database, tx, ids):
            if record_id not in ours:
                raise ConfigurationError(
                    f"the id {record_id!r} belongs to another connection", advice="use another id"
                )
        put_local(database, tx, connection_id, facts, to_micros(clock.now()))


def lift_pause(
    database: Database, connection_id: str, pause_id: str, lifted_on: date | None, clock: Clock
) -> Pause:
    """End a pause from `lifted_on` on, by default from today's UTC day. Raises NotFoundError."""
    with database.writing() as tx:
        database.take_turn(tx, records_turn(connection_id))
        now = clock.now()
        known = by_id(database, tx, connection_id, [pause_id]).get(pause_id)
        if known is None or known.gone is not None or known.kind != KINDS["pause"]:
            raise NotFoundError(
                f"there is no pause {pause_id!r} in this store", advice="check the id of the pause"
            )
        pause: Pause = known.record
        lifted = pause.model_copy(update={"lifted_on": lifted_on or now.date()})
        put_local(database, tx, connection_id, [lifted], to_micros(now))
    return lifted


def profiles(database: Database, connection_id: str) -> Sequence[CustomerProfile]:
    """All profiles of a connection, by customer id."""
    r = t.records.c
    query = select(r.body).where(
        r.connection == number_of(connection_id), r.kind == KINDS["profile"], r.gone.is_(None)
    )
    with database.reading() as tx:
        found = [decode_record("profile", bytes(row.body)) for row in tx.execute(query)]
    return sorted(found, key=lambda one: one.id)
