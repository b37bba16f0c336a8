"""An index carried from snapshot to snapshot is the index made anew."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ar_core.cadence.index import Index, difference


@dataclass(eq=False)
class _Record:
    owner: str | None


def _owner(record: _Record) -> str | None:
    return record.owner


_RECORDS = [_Record(owner) for owner in (None, "a", "b", "c") for _ in range(4)]
_SOME = st.lists(st.sampled_from(_RECORDS), max_size=20).map(tuple)


def _content(index: Index[_Record]) -> dict[str, list[int]]:
    return {owner: sorted(map(id, rows)) for owner, rows in index.groups.items()}


@given(st.lists(_SOME, min_size=2, max_size=4))
def test_an_index_that_followed_holds_what_one_made_anew_holds(snapshots: list[tuple[_Record, ...]]) -> None:
    index = first = Index(snapshots[0], _owner)
    before = _content(first)
    for records in snapshots[1:]:
        index = index.following(records)
        assert _content(index) == _content(Index(records, _owner))
    assert _content(first) == before, "an index that is followed stays as it is"


def test_the_same_records_keep_the_index() -> None:
    index = Index(tuple(_RECORDS), _owner)
    assert index.following(index.records) is index


def test_only_what_is_another_object_is_read() -> None:
    old, new = _Record("a"), _Record("a")
    records = tuple(_RECORDS)
    assert difference((*records, old), (new, *records)) == ([old], [new])
    read: list[_Record] = []

    def watched(record: _Record) -> str | None:
        read.append(record)
        return record.owner

    index = Index((*records, old), watched)
    read.clear()
    index.following((new, *records))
    assert {id(record) for record in read} == {id(old), id(new)}
