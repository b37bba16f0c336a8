"""A book cut by account decides as the whole does, whatever the cut."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.partition import part_of, partitions
from tests.cadence import books as b
from tests.cadence.test_properties import records


@st.composite
def entangled(draw: st.DrawFn) -> list[Any]:
    """A generated book in which customers pay for one another, and promises and disputes name invoices only."""
    found = draw(records())
    invoices = [r for r in found if isinstance(r, ar.Invoice)]
    customers = [r.id for r in found if isinstance(r, ar.Customer)]
    numbers = st.sampled_from([i.id.rsplit(":", 1)[1] for i in invoices])
    for n in range(draw(st.integers(0, 3))):
        fields: dict[str, Any] = {
            "customer_id": draw(st.sampled_from([*customers, None])),
            "document_status": draw(st.sampled_from(list(ar.DocumentStatus))),
            "unapplied_amount": Decimal(70),
        }
        ago, target = draw(st.integers(-2, 40)), draw(numbers)
        found += [b.payment(f"x{n}", ago=ago, **fields), b.allocation(f"x{n}", target, ago=ago, amount="60")]
    for n in range(draw(st.integers(0, 3))):
        about = tuple(draw(st.lists(st.one_of(numbers, st.just("unknown")), max_size=3)))
        on, given_on, amount = (
            draw(st.integers(-30, 9)),
            draw(st.integers(0, 40)),
            draw(st.sampled_from([None, 60])),
        )
        money = {"promised_amount": None if amount is None else Decimal(amount), "currency": b.BASE}
        found.append(b.promise(f"x{n}", on=on, given=given_on, covers=about, customer_id=None, **money))
    if draw(st.booleans()):
        found.append(b.dispute("x", about=draw(numbers), customer_id=None))
    return found


KINDS: dict[str, Any] = {
    "dispositions": attrgetter("invoice_id"),
    "actions": attrgetter("key"),
    "promises": attrgetter("promise_id"),
    "segments": attrgetter("customer_id"),
    "pauses": repr,
    "signals": repr,
}


@settings(max_examples=100, deadline=None)
@given(entangled(), st.sampled_from(PRESETS), st.integers(1, 4), st.booleans())
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
    for name, key in KINDS.items():
        together = sorted((one for part in parts for one in getattr(part, name)), key=key)
        assert together == sorted(getattr(whole, name), key=key), name


@given(entangled(), st.integers(1, 4))
def test_each_promise_and_dispute_and_what_is_open_of_each_payment_is_in_one_part(
    found: list[Any], count: int
) -> None:
    book = b.book(*found)
    parts = partitions(book, b.policy_of("balanced"), count)
    for name in ("promises", "disputes", "touches", "pauses"):
        assert sorted(r.id for part in parts for r in getattr(part, name)) == sorted(
            r.id for r in getattr(book, name)
        )
    held = [p for part in parts for p in part.payments if p.unapplied_amount]
    assert sorted(held, key=attrgetter("id")) == sorted(
        (p for p in book.payments if p.unapplied_amount), key=attrgetter("id")
    )


PAYER, PAID = b.customer_id("c1"), b.customer_id("c2")
CREDIT = ar.CreditNote(
    id="quickbooks:1:credit_note:1",
    customer_id=PAYER,
    currency="USD",
    total=Decimal(100),
    unapplied_amount=Decimal(40),
    document_status=ar.DocumentStatus.VOIDED,
)
ADJUSTMENT = ar.Adjustment(
    id="quickbooks:1:adjustment:1",
    customer_id=PAYER,
    amount=Decimal(-100),
    open_amount=Decimal(-40),
    document_status=ar.DocumentStatus.POSTED,
)


@pytest.mark.parametrize(
    ("kind", "source", "open_amount"),
    [
        ("payments", b.payment(unapplied="40"), "unapplied_amount"),
        ("credit_notes", CREDIT, "unapplied_amount"),
        ("adjustments", ADJUSTMENT, "open_amount"),
    ],
)
def test_what_somebody_else_settled_an_invoice_with_stays_with_nothing_open(
    kind: str, source: Any, open_amount: str
) -> None:
    """Its owner is no member of the part: neither its other records are in it, nor what is left of the money."""
    applied = b.allocation(target="i2").model_copy(update={"source_id": source.id})
    other = b.payment("p9", unapplied="7")
    book = b.book(b.invoice("i1", 9), b.invoice("i2", 9, "c2"), source, other, applied)
    payer, paid = partitions(book, b.policy_of("balanced"), 2)
    assert source in getattr(payer, kind)
    assert other in payer.payments
    assert payer.allocations == ()
    assert paid.allocations == (applied,)
    assert getattr(paid, kind) == (source.model_copy(update={open_amount: Decimal(0)}),)
    assert ([c.id for c in paid.customers], [i.customer_id for i in paid.invoices]) == ([PAID], [PAID])
    settling: list[Any] = [*paid.payments, *paid.credit_notes, *paid.adjustments]
    assert [r.id for r in settling] == [source.id]
    assert part_of(book, b.policy_of("balanced"), [PAID]) == paid


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, ar.PromiseState.KEPT),
        ({"payment_date": b.TODAY - timedelta(days=1)}, ar.PromiseState.KEPT_LATE),
        ({"document_status": ar.DocumentStatus.VOIDED}, ar.PromiseState.BROKEN),
    ],
)
def test_a_promise_that_somebody_else_paid_for_is_judged_in_a_part_as_in_the_whole(
    changes: dict[str, Any], state: ar.PromiseState
) -> None:
    paid = b.payment(ago=8).model_copy(update=changes)
    promise = b.promise(
        on=-7, given=9, covers=("i2",), customer_id=PAID, promised_amount=Decimal(60), currency=b.BASE
    )
    applied = b.allocation(target="i2", ago=8, amount="60")
    book = b.book(b.invoice("i1", 9), b.invoice("i2", 9, "c2"), promise, paid, applied)
    assert [v.state for v in b.run(book).promises] == [state]
    assert [
        [v.state for v in b.run(part).promises] for part in partitions(book, b.policy_of("balanced"), 2)
    ] == [[], [state]]


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


def test_what_names_only_invoices_goes_with_the_first_that_is_known() -> None:
    several = b.promise(covers=("unknown", "i2", "i1"), customer_id=None)
    nothing = b.promise("pr2", covers=("unknown",), customer_id=None)
    owned = b.promise("pr3", covers=("i2",))
    disputed = b.dispute(about="i2", customer_id=None)
    book = b.book(b.invoice("i1", 9), b.invoice("i2", 9, "c2"), several, nothing, owned, disputed)
    first, second = partitions(book, b.policy_of("balanced"), 2)
    assert (first.promises, second.promises) == ((nothing, owned), (several,))
    assert (first.disputes, second.disputes) == ((), (disputed,))


def test_a_book_is_cut_into_at_least_one_part() -> None:
    with pytest.raises(ValueError, match=r"^a book is cut into at least one part; got 0$"):
        partitions(b.book(), b.policy_of("balanced"), 0)
    assert len(partitions(b.book(), b.policy_of("balanced"), 3)) == 3
