"""How are rows read by place? The pages of one ordered statement side by side, and afterwards the proof that none was missed.

A row that goes while pages are read moves all rows behind it up by one place, across a page's edge out of sight. So what was read is
compared with what is there when the last page was read: number and sum of the keys, asked for in one question. Keys have an upper bound
from before the first page, so rows only go. Of two pages the later one may then miss a row `y`, but only because an `x` before it went
after its page was read: for each `y` that was missed there is an `x < y` that was read and is gone. Where the numbers agree, every `x` has
its `y`, and the sum of what was read is smaller than that of what is there, unless nothing was missed. (A row that was read twice is seen:
keys no longer ascend.) What is not proven is read again by key. See docs/adr/0018.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from ar_connectors.connector import Answer, Cursor, Fetch, Page
from ar_connectors.netsuite.client import MOST_ROWS, PAGE_SIZE
from ar_connectors.netsuite.cursors import LateState
from ar_connectors.netsuite.pieces import Piece, Tally
from ar_connectors.netsuite.suiteql import Select, number

__all__ = ["Stretch", "is_proven", "proof_of", "read_by_place"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows behind `start` and up to `high` that are read by place, as far as they were: the pages of one statement, or of two where the
    process that sent the first was killed."""

    high: int
    """The largest key when the pass began."""
    expected: int
    """About how many rows there are from here on."""
    start: int | None = None
    first: int | None = None
    last: int | None = None
    """The last key so far; None: no row was read."""
    rows: int = 0
    keys: int = 0
    """The sum of the keys so far."""
    pages: int = 0
    ordered: bool = True
    """All keys so far ascend."""
    ended: bool = False
    """The server has nothing up to `high` behind it, as it says."""

    @property
    def upto(self) -> int:
        """Where it ends: what is behind is the next one's."""
        return self.high if self.ended or self.last is None else self.last

    @property
    def needs_proof(self) -> bool:
        """Whether a row can have been missed: not where one page was all."""
        return self.pages > 1 or not self.ordered

    def next(self) -> Stretch:
        """What follows it."""
        return Stretch(self.high, max(0, self.expected - self.rows), start=self.upto)

    def with_page(self, seen: _Seen) -> Stretch:
        """The same after its next page."""
        tally = seen.tally
        if not seen.rows:
            return replace(self, ended=seen.ended)
        if tally is None:
            return replace(self, pages=self.pages + 1, ordered=False, ended=seen.ended)
        behind = self.last if self.last is not None else self.start
        return replace(
            self,
            first=self.first if self.first is not None else tally.first,
            last=tally.last,
            rows=self.rows + tally.rows,
            keys=self.keys + tally.keys,
            pages=self.pages + 1,
            ordered=self.ordered and (behind is None or tally.first > behind),
            ended=seen.ended,
        )

    def saved(self) -> dict[str, Any]:
        """JSON values, for a cursor."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is remembered of a page: not its records, or a whole statement's would be in memory at once."""

    rows: int
    tally: Tally | None
    ended: bool


@dataclass(slots=True)
class _State(LateState):
    """A stream's cursor as it stands when its page is committed: by then all pages before it were fetched."""

    base: Mapping[str, Any]
    stretch: Stretch
    pages: Sequence[_Seen | None]
    upto: int
    made: dict[str, Any] | None = None

    def value(self) -> dict[str, Any]:
        if self.made is None:
            stretch = _folded(self.stretch, self.pages[: self.upto + 1])
            self.made = {**self.base, "stretch": stretch.saved()}
        return self.made


def read_by_place(
    stream: str,
    ask: Callable[[Select, int, Callable[[Piece], Page]], Page | Answer],
    asked: Select,
    base: Mapping[str, Any],
    stretch: Stretch,
) -> Generator[Sequence[Fetch], None, Stretch]:
    """The batch that reads one statement, as far as a statement goes; returns what was read. `ask`: takes statement, offset and
    what becomes of the piece; `base`: the cursor besides the stretch."""
    behind = stretch.last if stretch.last is not None else stretch.start
    statement = _between(asked, behind, stretch.high)
    left = -(-(stretch.expected - stretch.rows) // PAGE_SIZE)
    pages: list[_Seen | None] = [None] * max(1, min(left, MOST_ROWS // PAGE_SIZE))

    def then(index: int, piece: Piece) -> Page:
        rows = piece.page.rows
        # A statement that yields as much as one may has more behind it, whatever it says.
        cut_off = rows >= PAGE_SIZE and (index + 1) * PAGE_SIZE >= MOST_ROWS
        pages[index] = _Seen(rows, piece.tally, piece.last is None and not cut_off)
        return replace(piece.page, cursor=Cursor(stream, _State(base, stretch, pages, index)))

    yield [
        Fetch(
            f"{stream} page {index + 1} of {len(pages)}",
            partial(ask, statement, index * PAGE_SIZE, partial(then, index)),
        )
        for index in range(len(pages))
    ]
    return _folded(stretch, pages)


def _between(asked: Select, behind: int | None, upto: int) -> Select:
    key = asked.keys[0].expression
    return asked.having(f"{key} > {number(behind)}" if behind is not None else "", f"{key} <= {number(upto)}")


def _folded(stretch: Stretch, pages: Sequence[_Seen | None]) -> Stretch:
    for page in pages:
        if page is not None:
            stretch = stretch.with_page(page)
    return stretch


def proof_of(asked: Select, stretch: Stretch) -> str:
    """The question what is there now of a stretch."""
    key = asked.keys[0].expression
    whole = _between(asked, stretch.start, stretch.upto)
    return whole.aggregates({"total": f"COUNT({key})", "keys": f"SUM({key})"})


def is_proven(stretch: Stretch, row: Mapping[str, str]) -> bool:
    """Whether nothing was missed, by the answer to `proof_of`."""
    try:
        rows, keys = Decimal(row.get("total", "0")), Decimal(row.get("keys", "0"))
    except InvalidOperation:
        return False
    return stretch.ordered and rows == stretch.rows and keys == stretch.keys
