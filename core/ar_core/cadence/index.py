"""Which records belong to which customer? One kind of record of a snapshot, indexed once and then carried from snapshot to snapshot.

Records are immutable, so that one and the same object needs no second look: between two snapshots only what is another object is
read, and everything else is told apart by its identity, without touching it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

__all__ = ["Index", "difference", "grouped", "without"]

T = TypeVar("T")


class Index(Generic[T]):
    """Records by what they belong to. `key`: its id; None leaves a record out. Records of one owner are in no promised order."""

    __slots__ = ("_key", "groups", "records")

    def __init__(
        self, records: Sequence[T], key: Callable[[T], str | None], groups: dict[str, list[T]] | None = None
    ) -> None:
        self.records = records
        self._key = key
        self.groups = grouped(records, key) if groups is None else groups

    def following(
        self, records: Sequence[T], changes: tuple[Sequence[T], Sequence[T]] | None = None
    ) -> Index[T]:
        """The index of other records, most of them the same objects. This one stays as it is.

        `changes`: the `difference` between its records and the others, where it is known.
        """
        if records is self.records:
            return self
        gone, fresh = changes or difference(self.records, records)
        key = self._key
        if 2 * len(fresh) > len(records):
            return Index(records, key)
        groups = dict(self.groups)
        lost, new = grouped(gone, key), grouped(fresh, key)
        for owner in {**lost, **new}:
            rows = [*without(groups.get(owner, ()), lost.get(owner, ())), *new.get(owner, ())]
            if rows:
                groups[owner] = rows
            else:
                groups.pop(owner, None)
        return Index(records, key, groups)


def grouped(records: Iterable[T], key: Callable[[T], str | None]) -> dict[str, list[T]]:
    """Records by key, in their order; without those that have none."""
    groups: dict[str, list[T]] = {}
    for record in records:
        owner = key(record)
        if owner is None:
            continue
        rows = groups.get(owner)
        if rows is None:
            groups[owner] = [record]
        else:
            rows.append(record)
    return groups


def difference(before: Sequence[T], now: Sequence[T]) -> tuple[list[T], list[T]]:
    """The objects that are only in the first and only in the second; an object that merely moved is in neither."""
    if before is now:
        return [], []
    gone, fresh = [], []
    for one, other in zip(before, now, strict=False):
        if one is not other:
            gone.append(one)
            fresh.append(other)
    gone += before[len(now) :]
    fresh += now[len(before) :]
    return (without(gone, fresh), without(fresh, gone)) if gone and fresh else (gone, fresh)


def without(records: Iterable[T], others: Sequence[T]) -> list[T]:
    """The records without the others, told apart by identity, each as often as it stands there."""
    if not others:
        return list(records)
    left = Counter(map(id, others))
    found = []
    for record in records:
        if left.get(id(record)):
            left[id(record)] -= 1
        else:
            found.append(record)
    return found
