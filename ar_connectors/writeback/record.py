"""Write a command down. From then on it survives everything; nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ar_connectors.store.contract import OutboxStore, Receipt
from ar_core.commands import Command

__all__ = ["record"]


def record(
    store: OutboxStore, commands: Iterable[Command], *, connection_id: str | None = None
) -> Sequence[Receipt]:
    """Store commands durably, all or none, with what they mean locally (a promise, a dispute, a touch).

    The same key with the same content is the same command: its receipt comes back and nothing changes. `connection_id`
    is needed only for commands whose subjects are all local. What a platform has no place for
    (`Capabilities.commands`, `none`) becomes LOCAL when it is delivered.

    Raises:
        ConflictError: a key is taken by other content; nothing of this call was stored.
    """
    return store.record_commands(tuple(commands), connection_id=connection_id)
