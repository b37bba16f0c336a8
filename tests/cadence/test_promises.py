"""Promises: every verdict, both sides of every limit (E33 to E36)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.promises import PromiseState, promise_level
from tests.cadence import books as b

ZERO = Decimal(0)


def verdict(*records: Any, today: int = 0, **terms: Any) -> ar.PromiseVerdict:
    """The verdict on `pr1` some days from today."""
    found = ar.judge_promises(
        b.book(*records), b.TODAY + timedelta(days=today), terms=ar.PromiseTerms(**terms)
    )
    return next(v for v in found if v.promise_id == "local:pr1")


def paid(amount: str, ago: int, left: str) -> list[Any]:
    return [
        b.invoice(dpd=30, balance_due=Decimal(left)),
        b.payment(ago=ago, amount=amount),
        b.allocation(ago=ago, amount=amount),
    ]


@pytest.mark.parametrize(
    ("today", "state"),
    [(0, "open"), (1, "in_grace"), (5, "in_grace"), (6, "broken")],
)
def test_e34_open_until_its_date_then_in_grace_for_two_business_days_then_broken(
    today: int, state: str
) -> None:
    # Promised for Wednesday: Thursday and Friday are its grace; with Thursday a holiday it runs to Monday.
    thanksgiving = ar.HolidayCalendar({None: {b.TODAY + timedelta(days=1)}})
    found = ar.judge_promises(
        b.book(b.invoice(dpd=30), b.promise(on=0)), b.TODAY + timedelta(days=today), calendar=thanksgiving
    )
    assert found[0].state == state
    assert found[0].deadline == b.TODAY + timedelta(days=5)


@pytest.mark.parametrize(
    ("amount", "left", "state"),
    [
        ("100", "0", "kept"),
        ("98", "2", "kept"),
        ("97.99", "2.01", "partially_kept"),
        ("1", "99", "partially_kept"),
    ],
)
def test_e34_kept_within_the_smaller_tolerance_else_kept_in_part(amount: str, left: str, state: str) -> None:
    assert verdict(*paid(amount, 10, left), b.promise(on=-10, given=12)).state == state


def test_e34_the_absolute_tolerance_limits_the_percentage() -> None:
    large = b.invoice(dpd=30, total=Decimal(1000), balance_due=Decimal("5.01"))
    records = [large, b.payment(ago=10, amount="994.99"), b.allocation(ago=10, amount="994.99")]
    promise = b.promise(on=-10, given=12)
    assert verdict(*records, promise).state == "partially_kept"
    assert verdict(*records, promise, tolerance_abs=Decimal("5.01")).state == "kept"


@pytest.mark.parametrize(("ago", "state"), [(12, "kept"), (13, "broken"), (8, "kept"), (7, "kept_late")])
def test_e34_payments_count_from_the_day_it_was_given_to_the_deadline(ago: int, state: str) -> None:
    # Given 12 days ago (a Friday), promised for the Sunday 10 days ago: the grace ends on Tuesday, 8 days ago.
    promise = b.promise(on=-10, given=12)
    if state == "broken":
        records = [b.invoice(dpd=30), b.payment(ago=ago, amount="50"), b.allocation(ago=ago, amount="50")]
    else:
        records = paid("100", ago, "0")
    assert verdict(*records, promise).state == state


def test_e34_what_has_not_happened_yet_does_not_count() -> None:
    records = [*paid("100", -3, "0"), b.promise(on=-10, given=12)]
    assert verdict(*records).state == "broken"
    assert verdict(*records, today=3).state == "kept_late"


def test_e34_a_promise_of_the_future_is_not_known_yet() -> None:
    snapshot = b.book(b.invoice(dpd=30), b.promise(given=-1))
    assert ar.judge_promises(snapshot, b.TODAY) == ()
    assert len(ar.judge_promises(snapshot, b.TODAY + timedelta(days=1))) == 1


@pytest.mark.parametrize(("unapplied", "state"), [("count", "kept"), ("ignore", "broken")])
def test_e34_money_on_account_counts_by_policy(unapplied: Any, state: str) -> None:
    records = [b.invoice(dpd=30), b.payment(ago=9, unapplied="100")]
    assert verdict(*records, b.promise(on=-10, given=12), unapplied=unapplied).state == state


def test_e34_money_on_account_counts_once() -> None:
    records = [b.invoice("i1", 30), b.invoice("i2", 30), b.payment(ago=9, unapplied="100")]
    first = b.promise(on=-10, given=12)
    second = b.promise("pr2", on=-10, given=12, covers=("i2",))
    states = {v.promise_id: v.state for v in ar.judge_promises(b.book(*records, first, second), b.TODAY)}
    assert sorted(states.values()) == ["broken", "kept"]


def test_a_credit_note_lowers_what_had_to_be_paid() -> None:
    note = ar.CreditNote(
        id="quickbooks:1:credit_note:1",
        customer_id=b.customer_id(),
        currency="USD",
        issue_date=b.TODAY - timedelta(days=11),
        total=Decimal(100),
        unapplied_amount=ZERO,
        document_status=ar.DocumentStatus.POSTED,
    )
    credited = b.allocation(ago=11).model_copy(update={"source_id": note.id, "parent_id": note.id})
    assert (
        verdict(b.invoice(dpd=30, balance_due=ZERO), note, credited, b.promise(on=-10, given=12)).state
        == "kept"
    )


def test_a_voided_payment_does_not_keep_a_promise() -> None:
    records = paid("100", 10, "100")
    voided = records[1].model_copy(update={"document_status": ar.DocumentStatus.VOIDED})
    assert verdict(records[0], voided, records[2], b.promise(on=-10, given=12)).state == "broken"


def test_e34_a_promised_amount_is_judged_by_itself() -> None:
    promise = b.promise(on=-10, given=12, promised_amount=Decimal(40), currency="USD")
    assert verdict(*paid("40", 10, "60"), promise).state == "kept"
    assert verdict(*paid("30", 10, "70"), promise).state == "partially_kept"


def test_e34_withdrawn_and_superseded() -> None:
    invoice = b.invoice(dpd=30)
    assert verdict(invoice, b.promise(on=5, withdrawn_on=b.TODAY)).state == "withdrawn"
    assert verdict(invoice, b.promise(on=5, withdrawn_on=b.TODAY + timedelta(days=1))).state == "open"
    newer = b.promise("pr2", on=9, given=0)
    assert verdict(invoice, b.promise(on=5, given=2), newer).state == "superseded"
    elsewhere = b.promise("pr2", on=9, given=0, covers=("i2",))
    assert verdict(invoice, b.invoice("i2"), b.promise(on=5, given=2), elsewhere).state == "open"


def test_e35_a_promise_that_was_already_broken_stays_broken_when_a_new_one_is_given() -> None:
    old, new = b.promise(on=-10, given=12), b.promise("pr2", on=5, given=1)
    assert verdict(b.invoice(dpd=30), old, new).state == "broken"


def test_e35_the_level_counts_promises_not_kept_in_a_row() -> None:
    invoices = [b.invoice(f"i{n}", 60) for n in range(3)]
    promises = [
        b.promise("a", on=-40, given=45, covers=("i0",)),
        b.promise("b", on=-30, given=35, covers=("i1",)),
        b.promise("c", on=-20, given=25, covers=("i2",)),
    ]
    assert promise_level(ar.judge_promises(b.book(*invoices, *promises), b.TODAY)) == 3
    kept = [b.payment(ago=31), b.allocation(target="i1", ago=31)]
    settled = [invoices[0], invoices[1].model_copy(update={"balance_due": ZERO}), invoices[2]]
    assert promise_level(ar.judge_promises(b.book(*settled, *promises, *kept), b.TODAY)) == 1


def test_the_day_of_the_verdict_does_not_move_with_the_day_of_the_question() -> None:
    records = [*paid("100", 10, "0"), b.promise(on=-10, given=12)]
    assert verdict(*records) == verdict(*records, today=30)
    assert verdict(*records).decided_on == b.TODAY - timedelta(days=10)


def test_a_bookkeepers_date_in_the_erp_without_a_day_it_was_given_on_is_judged_by_the_whole_invoice() -> None:
    native = b.promise(on=-10, given=12, given_on=None, origin=ar.Origin.ERP)
    assert verdict(b.invoice(dpd=30), native).state == PromiseState.BROKEN
    assert verdict(*paid("100", 15, "0"), native).state == PromiseState.KEPT


def test_a_promise_without_invoices_covers_all_of_the_customer() -> None:
    both = b.promise(covers=())
    assert verdict(b.invoice("i1", 9), b.invoice("i2", 9), both).required == 200
