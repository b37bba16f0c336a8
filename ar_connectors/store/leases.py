"""Who works on what, across processes and machines? Leases with a fencing number that only grows (design D8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from ar_connectors.errors import LeaseLost
from ar_connectors.store.contract import Lease
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros, span, to_micros
from ar_connectors.store.tables import leases

__all__ = ["acquire", "check_fence", "release", "renew"]


def acquire(database: Database, name: str, owner: str, ttl: timedelta, now: datetime) -> Lease | None:
    """Take a free or expired lease, or our own again; its fence is one higher. None when another owner holds it."""
    at, until = to_micros(now), to_micros(now) + span(ttl)
    with database.writing() as connection:
        if not database.is_sqlite:
            # Two workers may ask for a lease that has no row yet: one of the inserts must wait for the other.
            connection.exec_driver_sql("LOCK TABLE leases IN SHARE ROW EXCLUSIVE MODE")
        row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).first()
        if row is None:
            connection.execute(insert(leases).values(name=name, owner=owner, fence=1, expires_at=until))
            return Lease(name, owner, 1, from_micros(until))
        if row.expires_at > at and row.owner != owner:
            return None
        fence = row.fence + 1
        connection.execute(
            update(leases).where(leases.c.name == name).values(owner=owner, fence=fence, expires_at=until)
        )
    return Lease(name, owner, fence, from_micros(until))


def renew(database: Database, lease: Lease, ttl: timedelta, now: datetime) -> Lease:
    """Prolong it, same fence. Raises LeaseLost when it has run out or another owner has it."""
    until = to_micros(now) + span(ttl)
    with database.writing() as connection:
        check_fence(connection, lease, now)
        connection.execute(update(leases).where(leases.c.name == lease.name).values(expires_at=until))
    return Lease(lease.name, lease.owner, lease.fence, from_micros(until))


def release(database: Database, lease: Lease, now: datetime) -> None:
    """Give it back; the row stays, so that the fence keeps growing. Nothing happens when it is no longer ours."""
    with database.writing() as connection:
        connection.execute(
            update(leases)
            .where(leases.c.name == lease.name, leases.c.fence == lease.fence)
            .values(expires_at=to_micros(now))
        )


def check_fence(connection: Connection, lease: Lease, now: datetime) -> None:
    """Raise LeaseLost unless this very lease is in force. Holds the row until the transaction ends."""
    row = connection.execute(select(leases).where(leases.c.name == lease.name).with_for_update()).first()
    if row is None or row.fence != lease.fence:
        raise LeaseLost(f"the lease {lease.name} (fence {lease.fence}) was taken over by another worker")
    if row.expires_at <= to_micros(now):
        raise LeaseLost(
            f"the lease {lease.name} (fence {lease.fence}) ran out at {from_micros(row.expires_at).isoformat()}"
        )
