"""Which rights does a role need for which command? Data, and sentences for people (quirks.md#ns-40)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from ar_connectors.errors import PermissionDenied
from ar_connectors.netsuite.writeback_calls import ActivityKind

__all__ = ["RIGHTS", "explained", "rights_for"]

_ACTIVITIES: Final = {"phoneCall": "Lists > Phone Calls: Edit", "task": "Lists > Tasks: Edit"}
_INVOICE: Final = "Transactions > Invoice: Edit"
_CUSTOMER: Final = "Lists > Customers: Edit"

RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "record_promise": ("activity", _INVOICE),
    "withdraw_promise": ("activity", _INVOICE),
    "open_dispute": ("activity",),
    "resolve_dispute": ("activity",),
    "add_note": ("activity",),
    "set_collections_status": ("activity",),
    "set_order_hold": ("activity", _CUSTOMER),
    "release_order_hold": ("activity", _CUSTOMER),
}
"""Command -> permissions of the role; `activity` stands for the kind that is configured. Mapped custom fields need Edit on their
record as well, and all commands need Setup > REST Web Services."""


def rights_for(command: str, kind: ActivityKind) -> str:
    """What a role needs for a command, as advice."""
    needed = [_ACTIVITIES[kind.record] if one == "activity" else one for one in RIGHTS.get(command, ())]
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
