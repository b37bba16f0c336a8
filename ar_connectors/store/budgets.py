"""May one more call be made now? Rates and concurrency slots of a tenant, shared by all processes on the store (D9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, func, insert, select

from ar_connectors.clock import Clock
from ar_connectors.store.contract import Reservation
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import span, to_micros
from ar_connectors.store.tables import budget_blocks, budget_calls, budget_slots

__all__ = ["block_until", "release_call", "reserve_call"]

_SLOT_POLL = timedelta(milliseconds=50)
"""How long to wait for a slot before asking again: a slot comes free when a call ends, and nobody can say when."""


def reserve_call(
    database: Database,
    resource: str,
    rates: Sequence[tuple[int, timedelta]],
    max_in_flight: int,
    ttl: timedelta,
    clock: Clock,
) -> Reservation:
    """A slot and one unit of every rate, or the time to wait; decided in one short transaction."""
    with database.writing(durable=False) as connection:
        database.take_turn(connection, f"ar-budget:{resource}")
        # Read once it is our turn: a wait for the others must not make this call look older than it is.
        at = to_micros(clock.now())
        blocked = connection.execute(
            select(budget_blocks.c.until).where(budget_blocks.c.resource == resource)
        ).scalar()
        if blocked is not None and blocked > at:
            return Reservation(None, timedelta(microseconds=blocked - at), "server")
        c = budget_calls.c
        if rates:
            longest = max(span(window) for _, window in rates)
            connection.execute(delete(budget_calls).where(c.resource == resource, c.at <= at - longest))
        wait = 0
        for count, window in rates:
            since = at - span(window)
            recent = (
                select(c.at)
                .where(c.resource == resource, c.at > since)
                .order_by(c.at.desc())
                .offset(count - 1)
                .limit(1)
            )
            oldest = connection.execute(recent).scalar()
            if oldest is not None:
                # The unit used `count` calls ago comes free when it leaves the window.
                wait = max(wait, oldest + span(window) - at)
        if wait > 0:
            return Reservation(None, timedelta(microseconds=wait), "rate")
        s = budget_slots.c
        connection.execute(delete(budget_slots).where(s.resource == resource, s.expires_at <= at))
        used = connection.execute(
            select(func.count()).select_from(budget_slots).where(s.resource == resource)
        ).scalar_one()
        if used >= max_in_flight:
            return Reservation(None, _SLOT_POLL, "in_flight")
        slot = uuid4().hex
        connection.execute(
            insert(budget_slots).values(slot=slot, resource=resource, expires_at=at + span(ttl))
        )
        connection.execute(insert(budget_calls).values(resource=resource, at=at))
    return Reservation(slot, timedelta(0))


def release_call(database: Database, reservation: Reservation) -> None:
    """Give a slot back."""
    if reservation.slot is None:
        return
    with database.writing(durable=False) as connection:
        connection.execute(delete(budget_slots).where(budget_slots.c.slot == reservation.slot))


def block_until(database: Database, resource: str, until: datetime) -> None:
    """Nobody calls before `until`; a block is only ever prolonged."""
    end = to_micros(until)
    with database.writing() as connection:
        database.take_turn(connection, f"ar-budget:{resource}")
        known = connection.execute(
            select(budget_blocks.c.until).where(budget_blocks.c.resource == resource)
        ).scalar()
        if known is not None and known >= end:
            return
        connection.execute(delete(budget_blocks).where(budget_blocks.c.resource == resource))
        connection.execute(insert(budget_blocks).values(resource=resource, until=end))
