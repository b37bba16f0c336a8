"""Until when may a write go out? A worker that sends for others may do so only while its claim is its own.

Between "bytes may go out", which is durable, and the request itself a process can be stopped for any time (a laptop's lid, a
debugger, a machine without memory). When it wakes, another worker may have taken the command over, looked, found nothing and
sent it. So the transport asks the clock once more, after every wait and right before the bytes go out, and refuses a write
that is late. What remains is the moment between that look and the socket: there only the platform itself can help, by heeding
the idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from ar_connectors.errors import LeaseLost
from ar_connectors.http.messages import Replay, Request

__all__ = ["check_deadline", "writes_until"]

_UNTIL: ContextVar[datetime | None] = ContextVar("writes_until", default=None)


@contextmanager
def writes_until(instant: datetime) -> Iterator[None]:
    """Inside, on this thread, no unsafe write goes out at or after `instant` (aware)."""
    token = _UNTIL.set(instant)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def check_deadline(request: Request, now: datetime) -> None:
    """Raise LeaseLost for a write that is late; nothing of it was sent."""
    until = _UNTIL.get()
    if until is not None and request.replay is Replay.UNSAFE and now >= until:
        raise LeaseLost(
            f"this worker was away too long to send now: its claim ends at {until:%H:%M:%S} UTC with the time a platform may take",
            advice="nothing was sent; the command is looked for, and delivered by whoever holds it",
        )
