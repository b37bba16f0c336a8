"""What goes in and out of an emulator: a call and a reply as values, and what the socket should do wrong with the reply."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Call", "Effect", "Reply"]


class Effect(Enum):
    """What happens to a reply on the wire."""

    NONE = "none"
    HANG = "hang"
    """Nothing is sent until the client gives up."""
    RESET = "reset"
    """The connection is reset after a part of the body."""
    TRUNCATED_GZIP = "truncated_gzip"
    """The compressed body ends too early, with a Content-Length that fits."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request. Header names are lower case; of a repeated parameter the last one counts."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Reply:
    """An answer, with the name of the operation it belongs to."""

    status: int
    body: bytes = b""
    operation: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    effect: Effect = Effect.NONE
    metered: bool = False
    """Whether the vendor would put it on the bill (QuickBooks: CorePlus)."""
