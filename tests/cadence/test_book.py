"""Whose records are whose, and what a book takes over from the one before it (E46)."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.book import Accounts, Book
from ar_core.cadence.facts import ID, NOBODY, AccountFacts
from tests.cadence import books as b

ONE, TWO, THREE, FOUR = (b.customer_id(f"c{n}") for n in range(1, 5))


def child(name: str, parent: str, **changes: Any) -> ar.Customer:
    return b.customer(name, **{"parent_id": b.customer_id(parent), "bill_with_parent": True, **changes})


def ids(records: Iterable[Any]) -> list[str]:
    return [record.id for record in records]


# ---- accounts


def test_e46_parents_in_a_circle_have_one_account_and_so_has_who_is_below_them() -> None:
    ring = Accounts([child("c1", "c2"), child("c2", "c3"), child("c3", "c2"), b.customer("c4")])
    assert [ring.of(one) for one in (ONE, TWO, THREE, FOUR)] == [TWO, TWO, TWO, FOUR]
    assert (ids(ring.others(TWO)), tuple(ring.others(THREE))) == ([ONE, THREE], ())
    assert [ring.ancestors(one) for one in (ONE, TWO, THREE)] == [(TWO, THREE), (THREE,), (TWO,)]


@pytest.mark.parametrize("first", [2, 3, 4])
def test_e46_the_account_of_a_circle_is_its_smallest_id_wherever_one_enters_it(first: int) -> None:
    """c2 to c4 are billed with one another, c1 with any one of them, c5 with c1."""
    ring = [child("c4", "c2"), child("c2", "c3"), child("c3", "c4")]
    accounts = Accounts([child("c5", "c1"), child("c1", f"c{first}"), *ring])
    assert {accounts.of(b.customer_id(f"c{n}")) for n in range(1, 6)} == {TWO}
    assert len(accounts.ancestors(ONE)) == 3
    assert set(accounts.ancestors(TWO)) == {THREE, FOUR}


def test_e46_a_circle_ends_at_who_is_billed_alone_unless_the_topmost_is_asked_for() -> None:
    half = [child("c1", "c2"), child("c2", "c1", bill_with_parent=False), child("c3", "c3")]
    assert [Accounts(half).of(one) for one in (ONE, TWO, THREE)] == [TWO, TWO, THREE]
    assert [Accounts(half, "parent").of(one) for one in (ONE, TWO, THREE)] == [ONE, ONE, THREE]
    assert [Accounts(half, "customer").of(one) for one in (ONE, TWO, THREE)] == [ONE, TWO, THREE]
    assert Accounts(half).ancestors(THREE) == ()


@pytest.mark.parametrize("collect_at", ["bill_to", "parent"])
def test_e46_customers_in_a_circle_receive_one_message(collect_at: str) -> None:
    policy = b.changed("balanced", grouping={"collect_at": collect_at})
    circle = [child("c1", "c2"), child("c2", "c1"), child("c3", "c2")]
    found = b.run(*circle, *(b.invoice(f"i{n}", 9, f"c{n}") for n in (1, 2, 3)), policy=policy)
    assert [d.invoice_id for d in found.dispositions] == [b.invoice_id(f"i{n}") for n in (1, 2, 3)]
    message = b.only_touch(found)
    assert (message.customer_id, [one.number for one in message.covers]) == (ONE, ["I1", "I2", "I3"])


def test_e46_who_is_billed_alone_receives_for_nobody_else() -> None:
    alone = child("c1", "c2", bill_with_parent=False)
    accounts = Accounts([alone, b.customer("c2")])
    assert (accounts.of(ONE), tuple(accounts.others(ONE)), tuple(accounts.others(TWO))) == (ONE, (), ())
    book = Book(b.book(alone, b.customer("c2"), b.invoice()))
    assert ids(book.account(ONE).members) == [ONE]
    assert tuple(book.account(ONE).ancestors) == (TWO,)
    assert book.account_ids() == [ONE]
    assert dict(book.accounts.children) == {TWO: [ONE]}


def test_e46_who_has_no_parent_and_no_child_is_the_only_member() -> None:
    assert ids(Book(b.book(b.invoice())).account(ONE).members) == [ONE]


def test_e46_a_parent_receives_what_is_its_childrens_and_its_own_contacts_come_first() -> None:
    records = [b.customer("c1"), child("c2", "c1"), b.invoice("i1", 9), b.invoice("i2", 3, "c2")]
    found = Book(b.book(*records)).account(ONE)
    assert ids(found.members) == [ONE, TWO]
    assert ids(found.open_invoices) == [b.invoice_id("i1"), b.invoice_id("i2")]
    assert ids(found.contacts) == [b.contact("c1").id]
    nobody = b.book(*records).model_copy(update={"contacts": (b.contact("c2"), b.contact("c2", "x"))})
    assert ids(Book(nobody).account(ONE).contacts) == [b.contact("c2").id, b.contact("c2", "x").id]


def test_e46_a_child_of_an_unknown_parent_is_its_own_account() -> None:
    found = Book(b.book(child("c1", "c9"), b.invoice())).account(ONE)
    assert (ids(found.members), tuple(found.ancestors)) == ([ONE], (b.customer_id("c9"),))


def test_accounts_are_those_with_an_open_invoice_or_a_promise() -> None:
    orphan = b.invoice("x1", 3).model_copy(update={"customer_id": None})
    closed = b.invoice("i3", 9, "c3", balance_due=Decimal(0))
    promise = b.promise(customer_id=TWO, covers=())
    below = [child("c4", "c1"), b.invoice("i4", 9, "c4")]
    book = Book(b.book(b.customer("c1"), b.customer("c2"), orphan, closed, promise, *below))
    assert book.account_ids() == [ONE, TWO]
    assert [book.has_account(i) for i in (ONE, TWO, THREE, FOUR, NOBODY, "x")] == [True, True, *[False] * 4]
    assert [row[ID] for row in book.orphan_rows] == [orphan.id]


def test_an_unknown_customer_has_an_account_with_its_invoices_and_no_member() -> None:
    snapshot = b.book(b.invoice(), b.invoice("i2", 1, "c2")).model_copy(update={"customers": ()})
    book = Book(snapshot)
    assert book.account_ids() == [ONE, TWO]
    assert [ids(book.account(i).open_invoices) for i in (ONE, TWO)] == [
        [b.invoice_id("i1")],
        [b.invoice_id("i2")],
    ]
    assert (book.account(ONE).customer, tuple(book.account(ONE).members)) == (None, ())
    empty = book.account("x")
    assert (empty.id, empty.book, list(empty.open_invoices)) == ("x", book, [])


def test_a_debt_that_names_only_an_invoice_is_its_customers() -> None:
    loose = [b.dispute(customer_id=None), b.promise(customer_id=None)]
    lost = [b.dispute("d2", about="i9", customer_id=None), b.promise("p2", covers=("i9",), customer_id=None)]
    found = Book(b.book(b.invoice(), *loose, *lost)).account(ONE)
    assert (ids(found.disputes), ids(found.promises)) == (["local:d1"], ["local:pr1"])


def test_other_records_of_nobody_are_left_out() -> None:
    nobody = b.payment("p0", customer_id=None)
    found = Book(b.book(b.invoice(), nobody, b.payment("p1"))).account(ONE)
    assert ids(found.payments) == [b.payment("p1").id]


def test_a_book_arrives_in_another_process_with_its_accounts() -> None:
    below = child("c2", "c1", bill_with_parent=False)
    book = Book(b.book(b.customer("c1"), below, b.invoice("i2", 9, "c2")), "parent")
    again: Book = pickle.loads(pickle.dumps(book))
    assert again.account_ids() == book.account_ids() == [ONE]
    assert Book(book.snapshot).account_ids() == [TWO]


def test_money_is_found_by_what_it_was_applied_to_in_whatever_order_one_asks() -> None:
    rows = [b.allocation(f"p{n}", ago=ago) for n, ago in ((1, 9), (2, 4), (3, 6))]
    rows.append(b.allocation("p4").model_copy(update={"applied_on": None}))
    snapshot = b.book(b.invoice(), b.payment(), b.payment("p2"), *rows)
    first, second = Book(snapshot), Book(snapshot)
    assert first.last_applied(b.invoice_id()) == b.TODAY - timedelta(days=4)
    assert second.allocations == {b.invoice_id(): rows}
    assert second.last_applied(b.invoice_id("i9")) is None
    assert set(first.sources) == {b.payment().id, b.payment("p2").id}


# ---- one book after another

INVOICES = [b.invoice(f"i{n}", n, f"c{1 + n % 2}") for n in range(1, 5)]
"""i1 and i3 are of c2, i2 and i4 of c1."""


def paid(invoice: ar.Invoice, left: int = 40) -> ar.Invoice:
    return invoice.model_copy(update={"balance_due": Decimal(left)})


def after(before: ar.Snapshot, **changes: Any) -> ar.Snapshot:
    return before.model_copy(update={name: tuple(records) for name, records in changes.items()})


def followed(before: Book, now: Book) -> bool:
    """It took over what the other had read of a customer whom nothing changed for."""
    return now.account(ONE).contacts is before.account(ONE).contacts


@pytest.mark.parametrize(("count", "kept"), [(0, True), (1, True), (2, True), (3, False), (4, False)])
def test_a_book_is_followed_until_more_than_half_of_the_invoices_are_new(count: int, kept: bool) -> None:
    before = Book(b.book(*INVOICES))
    invoices = [*map(paid, INVOICES[:count]), *INVOICES[count:]]
    now = Book(after(before.snapshot, invoices=invoices), before=before)
    assert followed(before, now) is kept
    for one in (ONE, TWO):
        assert ids(now.account(one).open_invoices) == ids(before.account(one).open_invoices)
        assert sum(i.balance_due for i in now.account(one).open_invoices) == sum(
            i.balance_due for i in invoices if i.customer_id == one
        )


@pytest.mark.parametrize(("loose_before", "loose_now"), [(True, False), (False, True), (True, True)])
def test_a_book_with_debts_of_an_unnamed_customer_is_read_anew(loose_before: bool, loose_now: bool) -> None:
    loose = b.promise(customer_id=None, covers=("i1",))
    snapshot = b.book(*INVOICES)
    before = Book(after(snapshot, promises=[loose] * loose_before))
    now = Book(after(snapshot, promises=[loose] * loose_now), before=before)
    assert not followed(before, now)
    assert ids(now.account(TWO).promises) == ["local:pr1"] * loose_now


def test_accounts_are_taken_over_while_the_customers_are_the_same() -> None:
    before = Book(b.book(b.customer("c1"), b.customer("c2"), *INVOICES))
    same = Book(after(before.snapshot, payments=[b.payment()]), before=before)
    assert same.accounts is before.accounts
    assert same.customers is same.accounts.customers
    assert set(same.customers) == {ONE, TWO}
    moved = Book(after(before.snapshot, customers=[b.customer("c1"), child("c2", "c1")]), before=before)
    assert (before.account_ids(), moved.account_ids()) == ([ONE, TWO], [ONE])


def test_facts_that_are_taken_over_belong_to_the_new_book() -> None:
    before = Book(b.book(*INVOICES, b.payment(), b.allocation(target="i2", ago=9)))
    more = [*before.snapshot.allocations, b.allocation("p2", "i2", ago=1)]
    now = Book(
        after(before.snapshot, allocations=more, payments=[b.payment(), b.payment("p2")]), before=before
    )
    old: AccountFacts
    old, new = before.account(ONE), now.account(ONE)
    assert (old.book, new.book) == (before, now)
    assert [len(facts.allocations(b.invoice_id("i2"))) for facts in (old, new)] == [1, 2]
    assert now.last_applied(b.invoice_id("i2")) == b.TODAY - timedelta(days=1)


def test_closed_invoices_of_a_later_book_stand_in_their_order() -> None:
    closed = [b.invoice(f"s{n}", 9, balance_due=Decimal(0)) for n in range(4)]
    before = Book(b.book(*INVOICES, *closed))
    renamed = closed[1].model_copy(update={"number": "again"})
    extra = b.invoice("a0", 9, balance_due=Decimal(0))
    invoices = [extra, *INVOICES, closed[0], renamed, closed[3]]
    now = Book(after(before.snapshot, invoices=invoices), before=before)
    assert followed(before, now)
    assert now.account(ONE).closed_invoices == [extra, closed[0], renamed, closed[3]]


def test_what_allocations_come_from_is_carried_on() -> None:
    first = Book(b.book(*INVOICES, b.payment("p1"), b.payment("p2"), b.allocation()))
    read, sources = first.allocations, first.sources
    assert set(sources) == {b.payment("p1").id, b.payment("p2").id}
    same = Book(after(first.snapshot, touches=[b.touch()]), before=first)
    assert (same.allocations is read, same.sources is sources) == (True, True)
    payments = first.snapshot.payments
    for kept, name in ((payments[:1], ["p1"]), ((*payments, b.payment("p3")), ["p1", "p2", "p3"])):
        now = Book(after(first.snapshot, payments=kept), before=first)
        assert sorted(now.sources) == sorted(b.payment(n).id for n in name)
    assert len(first.sources) == 2, "the earlier book stays as it is"


def test_a_snapshot_of_some_customers_holds_theirs_alone() -> None:
    payments = (b.payment("p1", owner="c1"), b.payment("p2", owner="c2"))
    snapshot = b.book(b.invoice("i1", 9, "c1"), b.invoice("i2", 9, "c2"), *payments)
    found = Book(snapshot).only({b.customer_id("c2"), b.customer_id("nobody")})
    assert [one.id for one in found.customers] == [b.customer_id("c2")]
    assert [one.customer_id for one in found.profiles] == [b.customer_id("c2")]
    assert found.payments == (payments[1],)
    assert (found.invoices, found.organization) == (snapshot.invoices, snapshot.organization)
