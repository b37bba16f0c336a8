"""How long is the past kept? States that are over are only ever added, and pruned by the host's own rule."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from ar_connectors.errors import ConfigurationError
from ar_connectors.store import tables as t
from ar_connectors.store.engine import Database
from ar_connectors.store.instants import from_micros, to_micros

__all__ = ["known_since", "prune_versions", "require_history"]

_HORIZON = "history_known_since"


def prune_versions(database: Database, before: datetime) -> int:
    """Delete states that were replaced before an instant; returns how many. From then on nobody is told what was known earlier."""
    v, f = t.record_versions.c, t.store_facts.c
    at = to_micros(before)
    with database.writing() as tx:
        database.take_turn(tx, "ar-history")
        known = known_since(tx)
        if known is None or known < at:
            tx.execute(delete(t.store_facts).where(f.name == _HORIZON))
            tx.execute(insert(t.store_facts).values(name=_HORIZON, value=at))
        return tx.execute(delete(t.record_versions).where(v.replaced_at <= at)).rowcount


def known_since(tx: Connection) -> int | None:
    """The earliest instant whose state is still complete, in microseconds; None: nothing was ever pruned."""
    f = t.store_facts.c
    found: int | None = tx.execute(select(f.value).where(f.name == _HORIZON)).scalar()
    return found


def require_history(tx: Connection, known_at: datetime) -> None:
    """Raise ConfigurationError for an instant of which a part was pruned: an answer would look complete and not be."""
    since = known_since(tx)
    if since is not None and to_micros(known_at) < since:
        raise ConfigurationError(
            f"what was known at {known_at.isoformat()} is no longer complete: "
            f"the history before {from_micros(since).isoformat()} was pruned",
            advice="ask for a later instant, and keep the history longer",
        )
