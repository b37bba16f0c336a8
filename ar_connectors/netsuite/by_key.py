"""How are rows read by key? One page, then what is behind it in ranges side by side, each `id > last` page after page.

Nothing that comes or goes meanwhile can hide a row: a page begins behind the last row of the one before it, wherever that is now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from ar_connectors.connector import Cursor, Fetch, Page
from ar_connectors.netsuite.client import PAGE_SIZE
from ar_connectors.netsuite.cursors import LateState
from ar_connectors.netsuite.pieces import Piece
from ar_connectors.netsuite.suiteql import Select, after_key, number

__all__ = ["Lane", "cut", "lanes_of", "read_by_key"]

_LANES: Final = 6
"""Ranges of keys read side by side. Each may end in a page that is not full, so this bounds the calls beyond rows / 1000."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A range of keys: what is behind `after` (all key values, or just the first; empty: from the beginning) up to and including
    `upto`; None: without an end."""

    after: Sequence[str] = ()
    upto: int | None = None

    def of(self, asked: Select) -> Select:
        """The rows of the range."""
        first = asked.keys[0]
        behind = ""
        if len(self.after) == len(asked.keys):
            behind = after_key(asked.keys, self.after)
        elif self.after:
            behind = f"{first.expression} > {first.literal(self.after[0])}"
        return asked.having(
            behind, f"{first.expression} <= {number(self.upto)}" if self.upto is not None else ""
        )


def lanes_of(saved: Sequence[tuple[Sequence[str], str | int | None]]) -> list[Lane]:
    """Ranges as a cursor has them."""
    return [Lane(tuple(after), int(upto) if upto is not None else None) for after, upto in saved]


@dataclass(slots=True)
class _State(LateState):
    """A stream's cursor as it stands when its page is committed: pages are committed in order, so all lanes before this one have
    moved by then, whichever of them was answered first."""

    base: Mapping[str, Any]
    lanes: Sequence[Lane]
    moved: Sequence[list[Lane] | None]
    upto: int

    def value(self) -> dict[str, Any]:
        pairs = enumerate(zip(self.lanes, self.moved, strict=True))
        now = [
            one
            for index, (lane, moved) in pairs
            for one in (moved if moved is not None and index <= self.upto else [lane])
        ]
        return {**self.base, "lanes": [[list(one.after), one.upto] for one in now]}


def read_by_key(
    stream: str,
    fetch: Callable[[Select], Piece],
    asked: Select,
    base: Mapping[str, Any],
    lanes: Sequence[Lane],
) -> Iterator[Sequence[Fetch]]:
    """The batches that read all rows of `lanes`. `base`: the cursor besides the lanes that are left."""

    def run(index: int, lanes: Sequence[Lane], moved: list[list[Lane] | None]) -> Page:
        piece, lane = fetch(lanes[index].of(asked)), lanes[index]
        if len(lanes) == 1 and not lane.after:
            moved[index] = _behind_first_page(piece, lane)
        else:
            moved[index] = [] if piece.last is None else [Lane(tuple(piece.last), lane.upto)]
        return replace(piece.page, cursor=Cursor(stream, _State(base, lanes, moved, index)))

    while lanes:
        moved: list[list[Lane] | None] = [None] * len(lanes)
        yield [
            Fetch(
                f"{stream} {' '.join(lane.after) or 'from the beginning'}", partial(run, index, lanes, moved)
            )
            for index, lane in enumerate(lanes)
        ]
        lanes = [one for rest in moved if rest is not None for one in rest]


def cut(lane: Lane, first: int, pages: int) -> list[Lane]:
    """A range, whose keys begin behind `first`, in ranges of equal width: as many as it has `pages` (one more or less does no harm), six
    at most. One without an end stays whole."""
    if lane.upto is None:
        return [lane]
    width = max(1, -(-(lane.upto - first) // max(1, min(_LANES, pages))))
    ends = [*range(first + width, lane.upto, width), lane.upto]
    starts: list[Sequence[str]] = [lane.after, *((str(end),) for end in ends[:-1])]
    return [Lane(start, end) for start, end in zip(starts, ends, strict=True)]


def _behind_first_page(piece: Piece, lane: Lane) -> list[Lane]:
    """What is left of a range whose first page was read in one piece."""
    if piece.last is None:
        return []
    pages = _LANES if piece.total is None else -(-(piece.total - PAGE_SIZE) // PAGE_SIZE)
    return cut(Lane(tuple(piece.last), lane.upto), int(piece.last[0]), pages)
