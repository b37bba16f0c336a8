"""Which records did a run change? Their ids by kind, for an evaluation of only what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ar_connectors.connector import Page
from ar_core.model import RecordKind, parse_record_id

__all__ = ["MOST_CHANGED_IDS", "ChangedIds", "kind_of_id"]

MOST_CHANGED_IDS: Final = 50_000
"""Beyond so many changed records their ids are not listed: after a first load everything has changed anyway, and memory must
not grow with the company."""


class ChangedIds:
    """Collects the ids that commits changed, by kind, up to a limit. Not thread-safe: its owner locks."""

    def __init__(self, limit: int = MOST_CHANGED_IDS) -> None:
        self.limit = limit
        self.overflowed = False
        self._ids: set[str] = set()
        self._local: dict[str, str] = {}
        """Kinds of records of ours, whose ids do not tell."""

    def add(self, page: Page, ids: Sequence[str]) -> None:
        """Take the changed ids of a page; a promise or dispute of ours gets its kind from the page's records."""
        if self.overflowed or not ids:
            return
        self._ids.update(ids)
        if len(self._ids) > self.limit:
            self.overflowed = True
            self._ids.clear()
            self._local.clear()
            return
        if any(one.startswith("local:") for one in ids):
            self._local |= {
                record.id: type(record).__name__.lower()
                for record in page.records
                if record.id.startswith("local:")
            }

    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """What was collected: kind -> ids ascending, kinds ascending."""
        found: dict[str, list[str]] = {}
        for one in sorted(self._ids):
            found.setdefault(self._local.get(one) or kind_of_id(one), []).append(one)
        return {kind: tuple(found[kind]) for kind in sorted(found)}


def kind_of_id(identity: str) -> str:
    """The kind of record an id names; `promise` for a local id, which only promises of ours change without being in a page
    (a newer promise supersedes them)."""
    if "|" in identity:
        return RecordKind.ALLOCATION.value
    parts = parse_record_id(identity)
    return parts.kind if parts is not None else RecordKind.PROMISE.value
