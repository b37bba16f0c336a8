"""Promises kept late, with credit beside the money, and money whose currency nobody knows (E34)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.cadence import books as b
from tests.cadence.test_promises_and_credit import credit_note
from tests.cadence.test_promises_and_money import OVER, judged, on_account, verdict

ZERO = Decimal(0)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("ago", "state"), [(8, "kept"), (7, "kept_late")])
def test_e34_what_credit_left_was_paid_in_time_or_late(ago: int, state: str) -> None:
    records = [b.invoice("i1", 30, balance_due=ZERO), *credit_note(10, "30")]
    rest = [b.payment("p2", ago=ago, amount="70"), b.allocation("p2", ago=ago, amount="70")]
    found = verdict(*records, *rest, OVER)
    assert (found.state, found.decided_on) == (state, b.TODAY - ago * DAY)


@pytest.mark.parametrize(("amount", "state"), [("68", "kept_late"), ("67.99", "broken")])
def test_e34_what_credit_left_may_come_on_account(amount: str, state: str) -> None:
    records = [b.invoice("i1", 30, balance_due=Decimal(70)), *credit_note(10, "30")]
    assert verdict(*records, on_account("p2", 6, amount), OVER).state == state


@pytest.mark.parametrize("ago", [9, 6])
def test_e34_no_more_than_credit_left_is_taken_from_the_account(ago: int) -> None:
    second = b.promise("pr2", on=-10, given=12, covers=("i2",))
    records = [b.invoice("i1", 30, balance_due=Decimal(70)), b.invoice("i2", 30), *credit_note(10, "30")]
    state = "kept" if ago == 9 else "kept_late"
    found = judged(*records, on_account("p2", ago, "168"), OVER, second)
    assert [v.state for v in found.values()] == [state, state]
    found = judged(*records, on_account("p2", ago, "167.99"), OVER, second)
    assert [v.state for v in found.values()] == [state, "partially_kept" if ago == 9 else "broken"]


def test_e34_credit_for_the_whole_invoice_keeps_a_promise_since_its_day() -> None:
    found = verdict(b.invoice("i1", 30, balance_due=ZERO), *credit_note(9, "100"), OVER)
    assert (found.state, found.paid, found.decided_on) == ("kept", 0, b.TODAY - 9 * DAY)


def test_e34_credit_is_no_part_of_a_promised_amount() -> None:
    promise = OVER.model_copy(update={"promised_amount": Decimal(40), "currency": "USD"})
    records = [b.invoice("i1", 30, balance_due=Decimal(60)), *credit_note(10, "40")]
    assert verdict(*records, promise).state == "broken"


def test_e34_what_was_paid_before_does_not_lower_what_is_missing_now() -> None:
    before = [b.payment("p1", ago=20, amount="50"), b.allocation("p1", ago=20, amount="50")]
    records = [b.invoice("i1", 30, balance_due=Decimal(50)), *before]
    assert verdict(*records, on_account("p2", 6, "49"), OVER).state == "kept_late"
    assert verdict(*records, on_account("p2", 6, "48.99"), OVER).state == "broken"


def test_e34_a_payment_on_the_day_the_promise_was_given_counts_late_too() -> None:
    parts = [b.payment("p1", ago=12, amount="60"), b.payment("p2", ago=7, amount="40")]
    uses = [b.allocation("p1", ago=12, amount="60"), b.allocation("p2", ago=7, amount="40")]
    found = verdict(b.invoice("i1", 30, balance_due=ZERO), *parts, *uses, OVER)
    assert (found.state, found.decided_on) == ("kept_late", b.TODAY - 7 * DAY)


def test_money_whose_currency_is_not_known_stands_beside_other_money() -> None:
    unsaid = on_account("p1", 9, "100", currency=None)
    found = verdict(b.invoice("i1", 30), unsaid, on_account("p2", 9, "100"), OVER)
    assert (found.state, found.paid) == ("kept", 100)
