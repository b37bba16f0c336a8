"""Who works on what, across processes and machines? Leases with a fencing number that only grows (design D8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ar_connectors.clock import Clock
from ar_connectors.errors import LeaseLost
from ar_connectors.store.contract import Lease
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros, span, to_micros
from ar_connectors.store.tables import leases

__all__ = ["acquire", "check_fence", "release", "renew"]

_NOBODY = ""


def acquire(database: Database, name: str, owner: str, ttl: timedelta, clock: Clock) -> Lease | None:
    """Take a free or expired lease, or our own again; its fence is one higher. None when another owner holds it."""
    with database.writing() as connection:
        # Two workers may ask for a lease that has no row yet: both find one, and one of them waits for the other.
        connection.execute(_first(database), {"name": name, "owner": _NOBODY, "fence": 0, "expires_at": 0})
        row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one()
        at = to_micros(clock.now())
        if row.expires_at > at and row.owner != owner:
            return None
        fence, until = row.fence + 1, at + span(ttl)
        connection.execute(
            update(leases).where(leases.c.name == name).values(owner=owner, fence=fence, expires_at=until)
        )
    return Lease(name, owner, fence, from_micros(until))


def _first(database: Database) -> Executable:
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    return insert(leases).on_conflict_do_nothing()


def renew(database: Database, lease: Lease, ttl: timedelta, clock: Clock) -> Lease:
    """Prolong it, same fence. Raises LeaseLost when it has run out or another owner has it."""
    with database.writing(durable=False) as connection:
        now = check_fence(connection, lease, clock)
        until = to_micros(now) + span(ttl)
        connection.execute(update(leases).where(leases.c.name == lease.name).values(expires_at=until))
    return Lease(lease.name, lease.owner, lease.fence, from_micros(until))


def release(database: Database, lease: Lease, clock: Clock) -> None:
    """Give it back; the row stays, so that the fence keeps growing. Nothing happens when it is no longer ours."""
    with database.writing(durable=False) as connection:
        connection.execute(
            update(leases)
            .where(leases.c.name == lease.name, leases.c.fence == lease.fence)
            .values(expires_at=to_micros(clock.now()))
        )


_HELD = select(leases).where(leases.c.name == bindparam("its_name")).with_for_update()


def check_fence(connection: Connection, lease: Lease, clock: Clock) -> datetime:
    """The instant of the check; raises LeaseLost unless this very lease is in force. Holds the row until the transaction ends.

    The clock is read once the row is held: the wait for it must count.
    """
    row = connection.execute(_HELD, {"its_name": lease.name}).first()
    now = clock.now()
    if row is None or row.fence != lease.fence or row.owner != lease.owner:
        raise LeaseLost(f"the lease {lease.name} (fence {lease.fence}) was taken over by another worker")
    if row.expires_at <= to_micros(now):
        raise LeaseLost(
            f"the lease {lease.name} (fence {lease.fence}) ran out at {from_micros(row.expires_at).isoformat()}"
        )
    return now
