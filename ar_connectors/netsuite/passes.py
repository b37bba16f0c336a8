"""How is one table brought up to date? First everything once, then on every run what may have changed and all that is open.

A pass over everything reads by place where that can be proven to have missed nothing (by_place.py), else by key. A pass over changes reads
by key, because rows come into it and go out of it. The watermark is the data's own latest time, asked for before the pass began (marks.py);
what changes while a first load takes several pages is looked at right behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ar_connectors.connector import Answer, Cursor, Fetch, Page, StoreView
from ar_connectors.netsuite.by_key import Lane, cut, lanes_of, read_by_key
from ar_connectors.netsuite.by_place import Stretch, is_proven, proof_of, read_by_place
from ar_connectors.netsuite.client import PAGE_SIZE, NetSuiteClient, rows_in
from ar_connectors.netsuite.company import Company
from ar_connectors.netsuite.deletions import known_customers
from ar_connectors.netsuite.marks import Mark, Marks
from ar_connectors.netsuite.pieces import Piece
from ar_connectors.netsuite.probing import KEY_SUM
from ar_connectors.netsuite.reading import ask_page, fetch_page
from ar_connectors.netsuite.suiteql import Select
from ar_connectors.netsuite.tables import Table

__all__ = ["TableReading"]

_SHIFTED: Final = timedelta(hours=27)
"""How much more is read when the latest time in the data moved backward: the session tells times in another zone now."""


class _Look:
    """One look at what changed while a first load took several pages: the first page, which nearly always is all."""

    def __init__(self, reading: TableReading, since: str | None) -> None:
        self._reading = reading
        self.condition = reading.table.changed_only(since) if since is not None else None
        self.taken = False
        self.rest: list[Lane] = []

    def fetch(self) -> Fetch:
        """What to ask. Its page has no cursor: what is missed when the process dies before the load is complete comes with the next
        run, which reads all changes."""
        self.taken = True
        return Fetch(f"{self._reading.table.stream}: what changed meanwhile", self._page)

    def _page(self) -> Page:
        reading = self._reading
        piece = reading.page(reading.select.having(self.condition or ""))
        self.rest = [] if piece.last is None else [Lane(tuple(piece.last))]
        return piece.page


Batches = Iterator[Sequence[Fetch]]


@dataclass(slots=True)
class TableReading:
    """One table, brought up to date. Its cursor: `loaded`, `watermark`; while a pass is under way also `next` (the watermark after it),
    `condition`, and what is left: `lanes`, `stretch` or both."""

    client: NetSuiteClient
    company: Company
    table: Table
    view: StoreView
    marks: Marks
    select: Select = field(init=False)

    def __post_init__(self) -> None:
        self.select = self.table.select(self.company.schema())

    def run(self) -> Batches:
        """A pass over everything, or over what may have changed. A pass that a killed run began is ended first; it knows nothing of
        what happened since, so another one follows."""
        state = self._saved()
        if "condition" in state:
            yield from self._go_on(state)
            state = self._saved()
        mark = self.marks.take(self.table.stream, self.company)
        if state.get("watermark") is None:
            yield from self._everything(mark)
        else:
            yield from self._changes(mark, bool(state.get("loaded")), state["watermark"])

    def _saved(self) -> dict[str, Any]:
        cursor = self.view.cursor(self.table.stream)
        return dict(cursor.state) if cursor is not None else {}

    # ---- passes

    def _everything(self, mark: Mark) -> Batches:
        base = {"loaded": False, "watermark": None, "next": mark.changed, "condition": ""}
        look = _Look(self, mark.changed)
        if mark.high is not None and self._can_be_proven():
            pages = yield from self._by_place(base, Stretch(mark.high, mark.rows), look)
        else:
            pages = yield from self._by_key(base, [Lane(upto=mark.high)])
        if pages > 1 and mark.changed is not None and not look.taken:
            yield [look.fetch()]
        yield [self._complete(mark.changed)]
        if look.rest:
            changes = {
                "loaded": True,
                "watermark": mark.changed,
                "next": mark.changed,
                "condition": look.condition,
            }
            yield from self._by_key(changes, look.rest)
            yield [self._complete(mark.changed)]

    def _changes(self, mark: Mark, loaded: bool, watermark: str) -> Batches:
        since, later = watermark, max(watermark, mark.changed or "")
        if mark.changed is not None and mark.changed < watermark:
            # What had the latest time is gone, or the session tells times in another zone now.
            earlier = datetime.fromisoformat(mark.changed) - _SHIFTED
            since, later = earlier.strftime("%Y-%m-%d %H:%M:%S"), mark.changed
        condition = self.table.moved(self.company.schema(), since, known_customers(self.view))
        base = {"loaded": loaded, "watermark": watermark, "next": later, "condition": condition}
        yield from self._by_key(base, [Lane(upto=mark.high)])
        yield [self._complete(later)]

    def _go_on(self, state: Mapping[str, Any]) -> Batches:
        base = {name: value for name, value in state.items() if name not in {"lanes", "stretch"}}
        if "lanes" in state:
            rest = {**base, "stretch": state["stretch"]} if "stretch" in state else base
            yield from self._by_key(rest, lanes_of(state["lanes"]))
        if "stretch" in state:
            yield from self._by_place(base, Stretch(**state["stretch"]))
        yield [self._complete(state["next"])]

    def _complete(self, watermark: str | None) -> Fetch:
        stream = self.table.stream
        done = Page(stream=stream, cursor=Cursor(stream, {"loaded": True, "watermark": watermark}))
        return Fetch(f"{stream} complete", lambda: done)

    # ---- reading

    def _can_be_proven(self) -> bool:
        """Only of rows with one key, and only where the account adds keys up. Links of one transaction must not be torn apart."""
        return len(self.select.keys) == 1 and KEY_SUM in self.company.features

    def _by_key(
        self, base: Mapping[str, Any], lanes: Sequence[Lane]
    ) -> Generator[Sequence[Fetch], None, int]:
        """Read ranges of keys; returns how many pages they were."""
        pages = 0
        asked = self.select.having(base["condition"])
        for batch in read_by_key(self.table.stream, self.page, asked, base, lanes):
            pages += len(batch)
            yield batch
        return pages

    def _by_place(
        self, base: Mapping[str, Any], stretch: Stretch, look: _Look | None = None
    ) -> Generator[Sequence[Fetch], None, int]:
        """Read everything from a stretch on, each one proven before the next; returns how many pages they were. `look`: may be taken
        beside the last proof."""
        pages = 0
        while True:
            if not stretch.ended:
                stretch = yield from read_by_place(self.table.stream, self.ask, self.select, base, stretch)
            pages += stretch.pages
            following = stretch.next()
            rest = base if stretch.ended else {**base, "stretch": following.saved()}
            if stretch.needs_proof and not (yield from self._prove(stretch, look if stretch.ended else None)):
                yield from self._by_key(rest, self._again(stretch))
            if stretch.ended:
                return pages
            stretch = following

    def _prove(self, stretch: Stretch, look: _Look | None) -> Generator[Sequence[Fetch], None, bool]:
        stream = self.table.stream
        found: list[bool] = []

        def ask() -> Page:
            answer = self.client.query(proof_of(self.select, stretch), f"proof of {stream}")
            found.append(is_proven(stretch, next(iter(rows_in(answer)), {})))
            return Page(stream=stream)

        proof = Fetch(f"whether {stream} is all there", ask)
        yield [proof] if look is None or look.condition is None else [proof, look.fetch()]
        return bool(found) and found[-1]

    @staticmethod
    def _again(stretch: Stretch) -> list[Lane]:
        """The same rows by key, side by side."""
        whole = Lane((str(stretch.start),) if stretch.start is not None else (), stretch.upto)
        begin = stretch.first if stretch.first is not None else stretch.start
        return [whole] if begin is None else cut(whole, begin, -(-stretch.rows // PAGE_SIZE))

    def page(self, asked: Select, offset: int = 0) -> Piece:
        """One page of the table."""
        return fetch_page(self.client, self.company, self.table, asked, offset=offset)

    def ask(self, asked: Select, offset: int, then: Callable[[Piece], Page]) -> Page | Answer:
        """The same, and what becomes of it."""
        return ask_page(self.client, self.company, self.table, asked, offset, then)
