"""In what order is an account read? Every table by ranges of its key, then what changed and all that is open, on every run.

A pass asks once for the smallest and largest key and the number of rows, cuts the keys into ranges that are read side by side, each
by key (`id > last`), so no cap and no moving page can hide a row. The watermark is the data's own latest time, asked for before the
pass began (quirks.md#ns-14); what changes during a first load comes with a look at the changes right behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from ar_connectors.clock import Clock
from ar_connectors.connector import Cursor, Fetch, Page, StoreView, StreamSpec
from ar_connectors.errors import UnsupportedOperation
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import PAGE_SIZE, NetSuiteClient, rows_in
from ar_connectors.netsuite.company import (
    MAX_AGE,
    REFERENCE,
    Company,
    Wishes,
    company_of,
    missing_reference,
    read_company,
)
from ar_connectors.netsuite.deletions import DELETED, known_customers, pull_deletions
from ar_connectors.netsuite.estimates import ESTIMATE, pull_estimates
from ar_connectors.netsuite.own_activities import ACTIVITY, pull_activities
from ar_connectors.netsuite.reading import fetch_page
from ar_connectors.netsuite.suiteql import Select, number
from ar_connectors.netsuite.tables import TABLES, Table
from ar_core.model import RecordKind

__all__ = ["STREAMS", "pull"]

_LANES: Final = 6
"""Ranges of keys read side by side. Each may end in a page that is not full, so this bounds the calls beyond rows / 1000."""
_SHIFTED: Final = timedelta(hours=27)
"""How much more is read when the latest time in the data moved backward: the session tells times in another zone now."""

_AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "payment": (),
    "credit_memo": (),
    "journal": (),
    "application": ("payment", "credit_memo", "journal"),
    "invoice": ("application",),
    "customer": ("invoice", DELETED),
    "contact": ("customer",),
}
"""What settles is read before what it settles, and both before the customers, whose balance they make."""

STREAMS: Final[tuple[StreamSpec, ...]] = (
    StreamSpec(REFERENCE, (RecordKind.ORGANIZATION,)),
    *(
        StreamSpec(name, TABLES[name].kinds, after=(REFERENCE, *before))
        for name, before in _AFTER.items()
        if name not in {"customer", "contact"}
    ),
    StreamSpec(DELETED, (), after=(REFERENCE, "invoice")),
    StreamSpec("customer", TABLES["customer"].kinds, after=(REFERENCE, "invoice", DELETED)),
    StreamSpec("contact", TABLES["contact"].kinds, after=(REFERENCE, "customer")),
    StreamSpec(ESTIMATE, (RecordKind.PROMISE,), after=(REFERENCE, "invoice")),
    StreamSpec(ACTIVITY, (RecordKind.PROMISE, RecordKind.DISPUTE), after=(REFERENCE, "invoice")),
)
"""All streams, in reading order."""


def pull(
    client: NetSuiteClient, clock: Clock, stream: str, view: StoreView, wishes: Wishes
) -> Iterator[Sequence[Fetch]]:
    """What to ask next for a stream; see `Connector.pull`. Raises UnsupportedOperation for a stream there is not."""
    company = company_of(view.cursor(REFERENCE))
    if stream == REFERENCE:
        now = clock.now()
        if company is None or now - company.read_at > MAX_AGE or company.time_zone != wishes.time_zone:
            yield [Fetch("reference data", lambda: read_company(client, wishes, now, company))]
        return
    if company is None:
        raise missing_reference(client.tenant, stream)
    if stream == DELETED:
        yield from pull_deletions(client, company, view)
    elif stream == ESTIMATE:
        yield from pull_estimates(client, company, view)
    elif stream == ACTIVITY:
        yield from pull_activities(client, company, view)
    elif stream in TABLES:
        if stream == "contact" and "contact" not in company.features:
            return
        yield from _TableReading(client, company, TABLES[stream], view).run()
    else:
        raise UnsupportedOperation(
            f"there is no stream {stream!r}",
            platform=PLATFORM,
            tenant=client.tenant,
            operation="pull",
            advice="the streams are " + ", ".join(spec.name for spec in STREAMS),
        )


@dataclass(slots=True)
class _Lane:
    """A range of keys: what is behind `after` (key values, or just the first one) up to and including `upto`."""

    after: list[str]
    upto: str
    done: bool = False


@dataclass(slots=True)
class _State(Mapping[str, Any]):
    """A stream's cursor as it stands when its page is committed: pages are committed in order, so all lanes before this one have
    moved by then, whichever of them was answered first."""

    base: dict[str, Any]
    lanes: list[_Lane]
    moved: list[_Lane | None]
    upto: int

    def _value(self) -> dict[str, Any]:
        lanes = [
            moved if moved is not None and index <= self.upto else lane
            for index, (lane, moved) in enumerate(zip(self.lanes, self.moved, strict=True))
        ]
        open_lanes = [[one.after, one.upto] for one in lanes if not one.done]
        return {**self.base, "lanes": open_lanes}

    def __getitem__(self, key: str) -> Any:
        return self._value()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._value())

    def __len__(self) -> int:
        return len(self._value())


@dataclass(slots=True)
class _TableReading:
    """One table, brought up to date."""

    client: NetSuiteClient
    company: Company
    table: Table
    view: StoreView
    select: Select = field(init=False)

    def __post_init__(self) -> None:
        self.select = self.table.select(self.company.schema())

    def run(self) -> Iterator[Sequence[Fetch]]:
        """A pass over everything, or over what may have changed. A pass that a killed run began is ended first; it knows nothing of
        what happened since, so another one follows."""
        state = self._saved()
        if "lanes" in state:
            yield from self._pass(state)
            yield from self._begin(self._saved(), "moved")
            return
        first = not state.get("loaded")
        yield from self._begin(state, "all" if first else "moved")
        if first and (latest := self._saved().get("watermark")):
            # What changed while the first load ran.
            yield from self._begin({"loaded": True, "watermark": latest}, "changed")

    def _saved(self) -> dict[str, Any]:
        cursor = self.view.cursor(self.table.stream)
        return dict(cursor.state) if cursor is not None else {}

    def _begin(self, state: dict[str, Any], mode: str) -> Iterator[Sequence[Fetch]]:
        watermark: str | None = state.get("watermark")
        if mode != "all" and watermark is None:
            mode = "all"
        condition = self._condition(mode, watermark or "")
        row = self._bounds(condition)
        latest: str | None = None
        if mode != "all" and watermark is not None and (row.get("changed") or "") < watermark:
            # What had the latest time is gone, or the session tells times in another zone now.
            latest = self._latest()
            if latest is not None and latest < watermark:
                earlier = datetime.fromisoformat(latest) - _SHIFTED
                condition = self._condition(mode, earlier.strftime("%Y-%m-%d %H:%M:%S"))
                row = self._bounds(condition)
                watermark = None
        base = {
            "loaded": bool(state.get("loaded")),
            "watermark": watermark or latest,
            "next": max(filter(None, (row.get("changed"), latest, watermark)), default=None),
            "condition": condition,
        }
        lanes = _lanes(row.get("low"), row.get("high"), int(row.get("total", "0") or "0"))
        if not lanes:
            yield [Fetch(f"{self.table.stream}: nothing", lambda: self._ended(base))]
            return
        yield from self._pass({**base, "lanes": [[lane.after, lane.upto] for lane in lanes]})

    def _condition(self, mode: str, since: str) -> str:
        if mode == "moved":
            return self.table.moved(self.company.schema(), since, known_customers(self.view))
        return self.table.changed_only(since) if mode == "changed" else ""

    def _bounds(self, condition: str) -> dict[str, str]:
        asked = self.select.having(condition).bounds(self.table.changed)
        rows = rows_in(self.client.query(asked, f"bounds of {self.table.stream}"))
        return rows[0] if rows else {}

    def _latest(self) -> str | None:
        bounds = self.select.bounds(self.table.changed)
        rows = rows_in(self.client.query(bounds, f"latest change of {self.table.stream}"))
        return rows[0].get("changed") if rows else None

    def _pass(self, state: dict[str, Any]) -> Iterator[Sequence[Fetch]]:
        base = {name: value for name, value in state.items() if name != "lanes"}
        lanes = [_Lane(list(after), upto) for after, upto in state["lanes"]]
        asked = self.select.having(state["condition"])
        while lanes:
            moved: list[_Lane | None] = [None] * len(lanes)
            yield [
                Fetch(
                    f"{self.table.stream} {lane.after[0]}-{lane.upto}",
                    partial(self._fetch, asked, base, lanes, moved, index),
                )
                for index, lane in enumerate(lanes)
            ]
            lanes = [one for one in moved if one is not None and not one.done]
        yield [Fetch(f"{self.table.stream} complete", lambda: self._ended(base))]

    def _fetch(
        self, asked: Select, base: dict[str, Any], lanes: list[_Lane], moved: list[_Lane | None], index: int
    ) -> Page:
        lane = lanes[index]
        page, last = fetch_page(self.client, self.company, self.table, asked, lane.after, lane.upto)
        moved[index] = _Lane(last or lane.after, lane.upto, done=last is None)
        return replace(page, cursor=Cursor(self.table.stream, _State(base, lanes, moved, index)))

    def _ended(self, base: dict[str, Any]) -> Page:
        state = {"loaded": True, "watermark": base["next"]}
        return Page(stream=self.table.stream, cursor=Cursor(self.table.stream, state))


def _lanes(low: str | None, high: str | None, total: int) -> list[_Lane]:
    """The keys cut into ranges of equal width: one for a few rows, up to six for many."""
    if low is None or high is None or total == 0:
        return []
    first, last = int(low), int(high)
    count = 1 if total <= 2 * PAGE_SIZE else min(_LANES, -(-total // PAGE_SIZE))
    width = max(1, -(-(last - first + 1) // count))
    starts = range(first - 1, last, width)
    return [_Lane([number(start)], number(min(start + width, last))) for start in starts]
