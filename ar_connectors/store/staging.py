"""What of a page needs no transaction? Its records as bytes and columns, its body compressed. Pure: done in any thread, or any process.

A page that was staged in another process comes back without its records: they are read from their bytes where somebody looks at them,
and hardly anybody does. `main` is such a process; `ar_connectors.syncing.elsewhere` starts it and is its other end.
"""

from __future__ import annotations

import gc
import os
import pickle
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import repeat
from typing import Any, Final, NamedTuple, overload

from ar_connectors.connector import Page, Record
from ar_connectors.store.contract import StagedPage
from ar_connectors.store.rows import Prepared, prepare_all

__all__ = [
    "READY",
    "Staged",
    "StoredRecords",
    "main",
    "receive",
    "send",
    "serve",
    "stage_page",
    "taken_apart",
]

try:
    from isal.isal_zlib import compress
except ImportError:  # there is none for this processor: the same format, four times slower
    from zlib import compress

_LEVEL = 1
"""Measured on pages of invoices: isal's highest level saves a fiftieth of the space, zlib's next ones a sixth in three times the time."""


def stage_page(page: Page) -> StagedPage:
    """Serialize the records and compress the body: that takes longer than writing them, and is done where others can write
    meanwhile. The cursor is left alone until the page is committed."""
    prepared = prepare_all(page.records, page.row_of)
    return StagedPage(page, prepared, compress(page.raw, _LEVEL) if page.raw is not None else None)


class StoredRecords(Sequence[Record]):
    """The records of a page, each read from its bytes when it is looked at."""

    def __init__(self, prepared: Sequence[Prepared]) -> None:
        self._prepared = prepared

    def __len__(self) -> int:
        return len(self._prepared)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        if isinstance(index, slice):
            return StoredRecords(self._prepared[index])
        record: Record = self._prepared[index].record
        return record

    def __iter__(self) -> Iterator[Record]:
        return (one.record for one in self._prepared)


# ---- between two processes


_PREPARED: Final[Any] = tuple.__new__
"""Makes a NamedTuple of a tuple, without a call of Python in between."""


class Staged(NamedTuple):
    """A page on its way back from the process in which it was decoded, and what else its decoding told."""

    page: Page
    """Without records and body."""
    columns: list[tuple[Any, ...]]
    """Of its records: column by column, which are packed in a third of the time that it takes row by row."""
    blob: bytes | None
    told: Any

    def together(self) -> tuple[StagedPage, Any]:
        """The page as its own process would have staged it, and what was told."""
        prepared = [*map(_PREPARED, repeat(Prepared), zip(*self.columns, strict=True))]
        return StagedPage(replace(self.page, records=StoredRecords(prepared)), prepared, self.blob), self.told


def taken_apart(decode: Callable[[bytes], tuple[Page, Any]], body: bytes) -> Staged:
    """Decode a body and stage its page."""
    page, told = decode(body)
    staged = stage_page(page)
    columns = [*zip(*staged.prepared, strict=True)]
    return Staged(replace(page, records=(), raw=None), columns, staged.blob, told)


_LENGTHS: Final = struct.Struct("<QQ")
READY: Final = b"ready"


def send(line: socket.socket, head: bytes, tail: bytes = b"") -> None:
    """Send a message of two parts. Raises OSError when nobody is there any more."""
    line.sendall(_LENGTHS.pack(len(head), len(tail)) + head)
    if tail:
        line.sendall(tail)


def receive(line: socket.socket) -> tuple[bytes, bytes] | None:
    """The next message; None when the other end has closed the line. Each part is received in one call, because a thread that comes
    back from a call may wait for its turn to go on."""
    lengths = _exactly(line, _LENGTHS.size)
    if lengths is None:
        return None
    head, tail = (_exactly(line, length) for length in _LENGTHS.unpack(lengths))
    return None if head is None or tail is None else (head, tail)


def _exactly(line: socket.socket, length: int) -> bytes | None:
    if not length:
        return b""
    found = line.recv(length, socket.MSG_WAITALL)
    while len(found) < length:  # a signal came, or the line has ended
        more = line.recv(length - len(found), socket.MSG_WAITALL)
        if not more:
            return None
        found += more
    return found


def serve(line: socket.socket) -> None:
    """Stage whatever comes, in its order, until the line is closed. What cannot be decoded here is sent back as nothing: the other end
    decodes it itself, and has the error whole. Raises OSError when nobody is there any more.

    While one body is worked on the next one comes in, and the answer before goes out: both are larger than what the system keeps
    under way, and the other end, which computes too, is slow to take its side of a transfer.
    """
    taking, giving = ThreadPoolExecutor(1, "taking"), ThreadPoolExecutor(1, "giving")
    given = giving.submit(send, line, READY)
    coming = taking.submit(receive, line)
    while (asked := coming.result()) is not None:
        coming = taking.submit(receive, line)
        answer = _answer(*asked)
        given.result()  # one at a time, or answers that nobody takes would pile up
        given = giving.submit(send, line, answer)
        gc.collect()


def _answer(head: bytes, body: bytes) -> bytes:
    try:
        return pickle.dumps(taken_apart(pickle.loads(head), body), 5)  # noqa: S301  from the process that started this one
    except Exception:  # noqa: BLE001  whatever it is, it is raised again where the body is decoded next
        return b""


def main() -> None:
    """The process: one argument, the number of its end of the line."""
    # Garbage is looked for between two pages, when there is least to look through (`serve`): a tenth of a page less. Modules stay.
    gc.freeze()
    gc.disable()
    with socket.socket(fileno=int(sys.argv[1])) as line, suppress(OSError):  # nobody is there any more
        try:
            serve(line)
        finally:
            # Or the thread that waits for the next body would keep it open, and the other end waiting for an answer.
            line.shutdown(socket.SHUT_RDWR)
    # The other end waits for this one, and everything is said: no need to take the interpreter down piece by piece.
    os._exit(0)
