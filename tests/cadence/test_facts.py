"""What is known about one account: read from the book, judged, and sent to another process whole (R61, E8, E10, E33, E50)."""

from __future__ import annotations

import pickle
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import ar_core as ar
from ar_core.cadence.book import Book
from ar_core.cadence.facts import (
    DUE,
    NEVER_CHASED,
    PLACE,
    RECORDS,
    SINCE,
    SUBJECT,
    AccountFacts,
    Ledger,
    open_and_closed,
)
from tests.cadence import books as b

DAY = timedelta(days=1)
PARENT = b.customer("c2", parent_id=b.customer_id("c9"))
CHILD = b.customer("c1", parent_id=PARENT.id, bill_with_parent=True)
TERMS = ar.PromiseTerms()


def settled(name: str = "s1", ago: int = 20) -> tuple[Any, ...]:
    """An invoice that a payment closed some days ago."""
    invoice = b.invoice(name, 40, balance_due=Decimal(0))
    return invoice, b.payment(f"of {name}", ago=ago), b.allocation(f"of {name}", name, ago=ago)


def facts(*records: Any, of: str = "c1") -> AccountFacts:
    return Book(b.book(*records)).account(b.customer_id(of))


def judged(found: AccountFacts, **changes: Any) -> tuple[str, ...]:
    """The states of its promises."""
    options = {"terms": TERMS, "calendar": ar.WEEKENDS, "zone": ZoneInfo(b.ZONE), **changes}
    return tuple(v.state.value for v in found.judged(b.TODAY, **options))


# ---- the rows of invoices


def row(**changes: Any) -> tuple[Any, ...]:
    """The row of one open invoice, due yesterday, after one that is read with it."""
    opened, closed = open_and_closed([b.invoice("i0", owner="c2"), b.invoice("i1", 1, **changes)])
    assert not closed
    (found,) = opened[b.customer_id()]
    return found


def test_an_open_invoice_may_be_chased_from_its_issue_on_where_it_has_one() -> None:
    issued = b.TODAY - 9 * DAY
    assert row(issue_date=issued)[SINCE] == issued.toordinal()
    assert row(issue_date=None)[SINCE] == 0
    assert (row()[DUE], row(due_date=None)[DUE]) == ((b.TODAY - DAY).toordinal(), None)
    assert row(due_date=None, issue_date=issued)[SINCE] == issued.toordinal()


def test_open_invoices_have_their_places_in_the_order_in_which_they_were_read() -> None:
    closed = b.invoice("i9", balance_due=Decimal(0))
    opened, _ = open_and_closed([b.invoice("i3"), closed, b.invoice("i1"), b.invoice("i2")])
    assert [found[PLACE] for found in opened[b.customer_id()]] == [0, 1, 2]


@pytest.mark.parametrize(
    "changes",
    [
        {"document_status": ar.DocumentStatus.DRAFT},
        {"document_status": ar.DocumentStatus.UNKNOWN},
        {"document_status": ar.DocumentStatus.UNKNOWN, "balance_due": Decimal(0)},
        {"balance_due": Decimal(-5)},
    ],
)
def test_what_is_not_posted_or_not_owed_is_never_chased(changes: dict[str, Any]) -> None:
    assert row(**changes)[SINCE] == NEVER_CHASED


def test_e10_an_invoice_goes_by_its_id_until_its_due_date_moves() -> None:
    assert row()[SUBJECT] == b.invoice_id()
    assert row(due_version=2)[SUBJECT] == (b.invoice_id(), 2)


def test_e50_a_value_of_a_wrong_type_spoils_no_other_row() -> None:
    wrong = b.invoice("i1", 1).model_copy(update={"issue_date": "yesterday"})
    opened, _ = open_and_closed([wrong, b.invoice("i2", 1)])
    first, second = opened[b.customer_id()]
    assert (first[DUE], first[SINCE]) == (None, NEVER_CHASED)
    assert second[DUE] == (b.TODAY - DAY).toordinal()


def test_a_new_account_holds_nothing() -> None:
    empty = AccountFacts("x", Ledger({}, {}))
    assert all(tuple(getattr(empty, name)) == () for name in RECORDS)
    assert (empty.customer, empty.country, tuple(empty.members)) == (None, None, ())
    assert empty.book.last_applied(b.invoice_id()) is None


# ---- promises


def test_e34_promises_are_judged_by_the_terms_the_calendar_and_the_customers_country() -> None:
    # Promised for Monday, looked at on Wednesday: one business day of grace is over unless Tuesday is a holiday there.
    promised = (b.invoice("i1", 9), b.promise(on=-2, given=5))
    grace = ar.PromiseTerms(grace_business_days=1)
    assert judged(facts(*promised)) == ("in_grace",)
    assert judged(facts(*promised), terms=grace) == ("broken",)
    holiday = ar.HolidayCalendar({"US": {b.TODAY - DAY}})
    assert judged(facts(*promised), terms=grace, calendar=holiday) == ("in_grace",)
    abroad = facts(b.customer(country="MX"), *promised)
    assert judged(abroad, terms=grace, calendar=holiday) == ("broken",)


def test_e34_a_promise_was_given_on_the_organizations_day_of_its_record() -> None:
    late = b.as_of(b.TODAY - 3 * DAY, hour=22).instant  # in UTC it is the next day
    promise = b.promise(on=-2, given_on=None, recorded_at=late)
    paid = (b.payment(ago=3), b.allocation("p1", "i1", ago=3))
    found = facts(b.invoice("i1", 9, balance_due=Decimal(0)), promise, *paid)
    (verdict,) = found.judged(b.TODAY, TERMS, ar.WEEKENDS, ZoneInfo(b.ZONE))
    assert (verdict.given_on, verdict.state.value) == (b.TODAY - 3 * DAY, "kept")


# ---- to another process


@pytest.fixture
def family() -> Book:
    stop = b.profile("c9", flags=("legal_stop",))
    promises = (b.promise("k1", on=-15, given=30, covers=("s1",)), b.promise("o1", on=3))
    money = (b.payment("p2", owner="c2", unapplied="30"), b.touch(covers=("i1",), step="first"))
    other = (b.invoice("x1", 40, "c3", balance_due=Decimal(0)), b.allocation("of s1", "x1"))
    stranger = (*other, b.payment("of x1", owner="c3"))
    records = (PARENT, CHILD, b.customer("c9"), stop, *promises, *money, *settled(), *stranger)
    return Book(b.book(*records, b.invoice("i1", 9), b.invoice("i2", 3, "c2")))


def test_r61_an_account_arrives_in_another_process_as_it_was(family: Book) -> None:
    own = family.account(PARENT.id)
    sent: AccountFacts = pickle.loads(pickle.dumps(own.detached()))
    for name in (*RECORDS, "customer", "id", "members", "country"):
        assert getattr(sent, name) == getattr(own, name), name
    assert [c.id for c in sent.members] == [PARENT.id, CHILD.id]
    assert [p.flags for p in sent.ancestor_profiles] == [("legal_stop",)]
    assert judged(sent) == judged(own) == ("kept", "open")


def test_r61_what_was_applied_to_its_invoices_travels_with_it_and_nothing_else(family: Book) -> None:
    sent: AccountFacts = pickle.loads(pickle.dumps(family.account(PARENT.id).detached()))
    closed, of = b.invoice_id("s1"), b.payment("of s1", ago=20)
    assert sent.book.allocations == {closed: [b.allocation("of s1", "s1", ago=20)]}
    assert sent.book.sources == {of.id: of}
    assert sent.book.last_applied(closed) == b.TODAY - 20 * DAY
    assert [a.target_id for a in sent.allocations(closed)] == [closed]
    assert tuple(sent.allocations(b.invoice_id("i1"))) == ()


def test_the_last_day_of_several_counts_and_one_without_a_day_does_not() -> None:
    rows = [b.allocation("p1", "s1", ago=ago) for ago in (9, 4, 6)]
    rows.append(b.allocation("p2", "s1").model_copy(update={"applied_on": None}))
    assert Ledger({b.invoice_id("s1"): rows}, {}).last_applied(b.invoice_id("s1")) == b.TODAY - 4 * DAY
    assert Ledger({b.invoice_id("s1"): rows[3:]}, {}).last_applied(b.invoice_id("s1")) is None
