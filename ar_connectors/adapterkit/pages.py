"""How does a page fill up? What each row became, put in its place; and no garbage collection while thousands of records are made."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from ar_connectors.adapterkit.cutting import identify
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.connector import OutOfScope, Page, Record, Rejected
from ar_core.model import Tombstone

__all__ = ["LARGE", "FillingPage", "Mapped", "collector_paused"]

_PAGES: Final = itertools.count(1)
_COLLECT_EVERY: Final = 256
"""Large pages between full collections: each looks through all that the program holds, and takes as long as two pages."""
LARGE: Final = 200_000
"""Bytes from which a body is a large page: about a hundred invoices."""


@contextmanager
def collector_paused(large: bool) -> Iterator[None]:
    """Make thousands of records without a collection in between: there is no garbage among them, and looking for it costs a
    fifth of the time. Whoever switched the collector off switches it on again, in whatever thread.

    Before that, what a large page made is moved to the oldest generation (freeze, unfreeze: two list operations), or the first
    allocation afterwards would look through all of it. That sets the collector's counters back, so every so many pages
    it is run in full. A program that has frozen objects of its own is left alone.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        promote = large and gc.get_freeze_count() == 0
        if promote:
            gc.freeze()
            gc.unfreeze()
        gc.enable()
        if promote and next(_PAGES) % _COLLECT_EVERY == 0:
            gc.collect()


class Mapped(msgspec.Struct, frozen=True, gc=False):
    """What one row became: records, a tombstone, or a reason why it is out of scope. A payment or a customer `replaces` its
    whole set of allocations or contacts.

    One is made for each row: a struct takes a quarter of the time of a named tuple.
    """

    records: Sequence[Record] = ()
    out_of_scope: str | None = None
    replaces: str | None = None
    tombstone: Tombstone | None = None


@dataclass(slots=True)
class FillingPage:
    """A page being filled. Rows may come in any order; each is added once."""

    records: list[Record] = field(default_factory=list)
    row_of: list[int] = field(default_factory=list)
    tombstones: list[Tombstone] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    out_of_scope: list[OutOfScope] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)

    def add(self, kind: str, remote_id: str | None, mapped: Mapped, number: int) -> None:
        """Put what row `number` of the platform's own `kind` became into the page."""
        if mapped.out_of_scope is not None:
            self.out_of_scope.append(OutOfScope(kind, remote_id, mapped.out_of_scope, number))
            return
        if mapped.tombstone is not None:
            self.tombstones.append(mapped.tombstone)
            return
        records = mapped.records
        self.records.extend(records)
        self.row_of.extend([number] * len(records))
        if mapped.replaces is not None:
            self.replaces.append(mapped.replaces)

    def mark(self) -> tuple[int, ...]:
        """How full it is now; see `back_to`."""
        return tuple(len(one) for one in self._lists())

    def back_to(self, mark: tuple[int, ...]) -> None:
        """Take out again what was put in since the mark."""
        for one, length in zip(self._lists(), mark, strict=True):
            del one[length:]

    def _lists(self) -> tuple[list[Any], ...]:
        return (
            self.records, self.row_of, self.tombstones, self.rejected, self.out_of_scope, self.replaces
        )  # fmt: skip

    def reject(self, kind: str, raw: bytes, number: int, error: RowError, *id_names: str) -> None:
        """Put a row that cannot become a record aside, with its bytes; `id_names` are the members that may hold its id."""
        self.rejected.append(Rejected(kind, identify(raw, *id_names), error.code, error.reason, raw, number))

    def page(
        self,
        rows: int,
        kind: str,
        server_time: datetime | None,
        *,
        mapper_version: int,
        stream: str = "",
        raw: bytes | None = None,
    ) -> Page:
        """The finished page; the arguments as the fields of `Page`."""
        return Page(
            records=self.records,
            tombstones=self.tombstones,
            rejected=self.rejected,
            out_of_scope=self.out_of_scope,
            stream=stream,
            kind=kind,
            rows=rows,
            row_of=self.row_of,
            replaces=self.replaces,
            raw=raw,
            server_time=server_time,
            mapper_version=mapper_version,
        )
