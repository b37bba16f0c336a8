"""Which rights does a role need for which command? Data, and sentences for people (quirks.md#ns-40)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from ar_connectors.errors import PermissionDenied
from ar_connectors.netsuite.writeback_calls import ActivityKind

__all__ = ["NEEDED", "RIGHTS", "explained", "rights_for"]

NEEDED: Final[Mapping[str, str]] = {
    "phoneCall": "Lists > Phone Calls: Edit",
    "task": "Lists > Tasks: Edit",
    "invoice": "Transactions > Invoice: Edit",
    "customer": "Lists > Customers: Edit",
}
"""Record type -> the permission to change one."""

RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "record_promise": ("activity", "invoice"),
    "withdraw_promise": ("activity", "invoice"),
    "open_dispute": ("activity",),
    "resolve_dispute": ("activity",),
    "add_note": ("activity",),
    "set_collections_status": ("activity",),
    "set_order_hold": ("activity", "customer"),
    "release_order_hold": ("activity", "customer"),
}
"""Command -> record types that it changes; `activity` stands for the kind that is configured. Mapped custom fields need Edit on their
record as well, and all commands need Setup > REST Web Services."""


def rights_for(command: str, kind: ActivityKind) -> str:
    """What a role needs for a command, as advice."""
    needed = [NEEDED[kind.record if one == "activity" else one] for one in RIGHTS.get(command, ())]
    return (
        f"{command} needs these permissions of the role: {', '.join(needed)}, Setup > REST Web Services: Full"
    )


@contextmanager
def explained(command: str, kind: ActivityKind) -> Iterator[None]:
    """Around a command: a missing right is told with all that the command needs."""
    try:
        yield
    except PermissionDenied as error:
        error.advice = rights_for(command, kind)
        raise
