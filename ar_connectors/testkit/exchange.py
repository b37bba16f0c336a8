"""What goes in and out of an emulator: a call and a reply as values, and what the socket should do wrong with the reply."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Call", "Effect", "Page", "Reply"]


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


class Page:
    """The long beginning of a body that is sent more than once: compressed only the first time."""

    __slots__ = ("_packed", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._packed: tuple[bytes, int] | None = None

    def packed(self) -> tuple[bytes, int]:
        """Deflated, ending on a byte boundary so that more can follow, and its CRC-32."""
        if self._packed is None:
            # Level 1: a page of 1000 rows in about ten milliseconds, and still a tenth of its size.
            stream = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
            deflated = stream.compress(self.raw) + stream.flush(zlib.Z_FULL_FLUSH)
            self._packed = (deflated, zlib.crc32(self.raw))
        return self._packed


@dataclass(slots=True)
class Reply:
    """An answer, with the name of the operation it belongs to."""

    status: int
    body: bytes = b""
    operation: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    effect: Effect = Effect.NONE
    wait: float | None = None
    """Seconds until it is sent, or until a connection that hangs is closed; None: at once, and when the client hangs up."""
    page: Page | None = None
    """What stands before `body`, when it is kept."""
    again: bool = False
    """Whether the call should not have come: a refresh moments after another one had used the same token."""
    metered: bool = False
    """Whether the vendor would put it on the bill (QuickBooks: CorePlus)."""

    def whole(self) -> bytes:
        """All of the body."""
        return self.body if self.page is None else self.page.raw + self.body

    def gzipped(self) -> bytes:
        """All of the body as one gzip member."""
        packed, checksum = self.page.packed() if self.page is not None else (b"", 0)
        size = len(self.body) + (len(self.page.raw) if self.page is not None else 0)
        stream = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        tail = stream.compress(self.body) + stream.flush()
        checksum = zlib.crc32(self.body, checksum)
        head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
        return (
            head + packed + tail + checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
        )
