"""An index carried from snapshot to snapshot is the index made anew."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence.book import Book
from ar_core.cadence.facts import PLACE, RECORDS
from ar_core.cadence.index import Index, difference, without
from tests.cadence import books as b


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


def test_what_stands_there_twice_is_taken_away_as_often_as_it_is_named() -> None:
    one, other = _Record("a"), _Record("a")
    assert without([one, one, other], [one]) == [one, other]
    assert without([one, one, other, one], [one, one]) == [other, one]
    assert difference((one, one), (one,)) == ([one], [])


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


def test_a_book_that_followed_hands_out_the_facts_of_one_made_anew() -> None:
    """Also where one invoice of several changed: the order in which it was come by leaves no trace (E1)."""
    invoices = [b.invoice(f"i{n}", 95 - n) for n in range(4)]
    before = b.book(*invoices, b.invoice("x1", 3, "c2"), b.touch(covers=("i1",)), b.payment(), b.profile())
    paid = invoices[1].model_copy(update={"balance_due": Decimal(40)})
    closed = invoices[2].model_copy(update={"balance_due": Decimal(0)})
    after = b.book(
        *(invoices[0], paid, closed, invoices[3]),
        *(i for i in before.invoices if i.id == b.invoice_id("x1")),
        *(b.touch("t2", ago=4), b.customer("c3"), b.promise("p"), b.profile(lifetime_value=Decimal(5))),
    )
    followed, anew = Book(after, before=Book(before)), Book(after)
    assert followed.account_ids() == anew.account_ids()
    for account_id in anew.account_ids():
        one, other = followed.account(account_id), anew.account(account_id)
        names = {*RECORDS, "customer", "id", "members"}
        assert names <= set(dir(one))
        for name in names:
            assert list_of(name, one) == list_of(name, other), name
    first = b.run(before)
    again = ar.reevaluate(first, after, {b.customer_id(), b.customer_id("c3")}, b.as_of(), tiers=b.tier())
    assert again.model_dump_json() == b.run(after).model_dump_json()


def list_of(name: str, facts: Any) -> Any:
    """What an attribute holds; of an open invoice all but where it stood when it was read, which says nothing about it."""
    value = getattr(facts, name)
    if name == "open_rows":
        return [row[:PLACE] for row in value]
    return list(value) if isinstance(value, list | tuple) else value


def test_a_debt_that_names_no_customer_follows_its_invoice() -> None:
    loose = b.promise("p", covers=("i1",), customer_id=None)
    before = b.book(b.invoice("i1", 9), b.invoice("i2", 9, "c2"), loose)
    moved = before.invoices[0].model_copy(update={"customer_id": b.customer_id("c2")})
    after = before.model_copy(update={"invoices": (moved, before.invoices[1])})
    book = Book(after, before=Book(before))
    assert not book.account(b.customer_id("c1")).promises
    assert [p.id for p in book.account(b.customer_id("c2")).promises] == [loose.id]
