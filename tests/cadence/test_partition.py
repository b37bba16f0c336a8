"""A book cut by account decides as the whole does, whatever the cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.partition import part_of, partitions
from tests.cadence import books as b
from tests.cadence.test_properties import records


@settings(max_examples=30)
@given(records(), st.sampled_from(PRESETS), st.integers(1, 4), st.booleans())
def test_the_parts_together_are_the_whole(found: list[Any], preset: str, count: int, joined: bool) -> None:
    changes = {"parent_id": b.customer_id("c1"), "bill_with_parent": True} if joined else {}
    found = [
        r.model_copy(update=changes) if isinstance(r, ar.Customer) and r.id == b.customer_id("c2") else r
        for r in found
    ]
    orphan = b.invoice("x1", 3).model_copy(update={"customer_id": None})
    book, policy = b.book(*found, orphan), b.policy_of(preset)
    tiers = ar.assign_tiers(book, today=b.TODAY)
    whole = ar.evaluate(book, policy, b.as_of(), tiers=tiers, strict=True)
    parts = [
        ar.evaluate(part, policy, b.as_of(), tiers=tiers, strict=True)
        for part in partitions(book, policy, count)
    ]
    together = sorted((d for part in parts for d in part.dispositions), key=lambda d: d.invoice_id)
    assert together == list(whole.dispositions)
    assert sorted(a.key for part in parts for a in part.actions) == sorted(a.key for a in whole.actions)


def test_a_part_keeps_the_stop_of_a_parent_that_is_not_in_it() -> None:
    book = b.book(
        b.customer("c1", parent_id=b.customer_id("c2")),
        b.customer("c2"),
        b.profile("c2", flags=("legal_stop",)),
        b.invoice(dpd=9),
    )
    policy = b.policy_of("balanced")
    part = part_of(book, policy, [b.customer_id("c1")])
    assert b.of(b.run(part)).code == "LEGAL_STOP"


def test_a_promise_that_names_only_an_invoice_goes_with_it() -> None:
    book = b.book(b.invoice("i1", 9), b.invoice("i2", 9, "c2"), b.promise(customer_id=None))
    first, second = partitions(book, b.policy_of("balanced"), 2)
    assert [len(part.promises) for part in (first, second)] == [1, 0]


def test_a_book_is_cut_into_at_least_one_part() -> None:
    with pytest.raises(ValueError, match="at least one"):
        partitions(b.book(), b.policy_of("balanced"), 0)
    assert len(partitions(b.book(), b.policy_of("balanced"), 3)) == 3
