"""What do the named faults do on the wire? The same for every ERP: silence, resets, broken compression, lateness, a wrong clock.

How a fault looks that the service itself answers is each emulator's own `misbehavior`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ar_connectors.testkit.exchange import Effect, Reply
from ar_connectors.testkit.faults import Fault

__all__ = ["done_to", "nothing_done", "replaced", "shown"]


def nothing_done(fault: Fault) -> Reply | None:
    """The answer of a fault of the network that strikes before anything is done; None for any other."""
    match fault.name:
        case "timeout_before_commit":
            return Reply(200, effect=Effect.HANG, wait=fault.options.get("seconds"))
        case "reset_before_commit":
            return Reply(200, effect=Effect.RESET)
    return None


def done_to(fault: Fault, reply: Reply) -> Reply:
    """The answer with what a fault of the network does to it."""
    match fault.name:
        case "timeout_after_commit":
            reply.effect = Effect.HANG
            reply.wait = fault.options.get("seconds")
        case "slow":
            reply.wait = fault.options.get("seconds", 0.15)
        case "reset_mid_body":
            reply.effect = Effect.RESET
        case "truncated_gzip":
            reply.effect = Effect.TRUNCATED_GZIP
    return reply


def replaced(reply: Reply, pairs: Iterable[tuple[bytes, bytes]]) -> Reply:
    """The answer with other bytes in place of known ones: values that nobody has documented."""
    reply.body, reply.page = reply.whole(), None
    for known, unknown in pairs:
        reply.body = reply.body.replace(known, unknown)
    return reply


def shown(now: datetime, fault: Fault | None) -> datetime:
    """The time the server says it is."""
    if fault is not None and fault.name == "clock_skew":
        return now + timedelta(seconds=fault.options.get("seconds", 3600))
    return now
