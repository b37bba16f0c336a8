"""A promised amount below what is open: what counts towards it, and what it leaves on the account for others (E34)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.cadence import books as b
from tests.cadence.test_promises_and_credit import credit_note
from tests.cadence.test_promises_and_money import OVER, judged, on_account, verdict

SIXTY = OVER.model_copy(update={"promised_amount": Decimal(60), "currency": "USD"})
SECOND = b.promise("pr2", on=-10, given=12, covers=("i2",))


@pytest.mark.parametrize(("amount", "state"), [("58.80", "kept"), ("58.79", "partially_kept")])
def test_e34_a_promised_amount_is_kept_down_to_its_tolerance(amount: str, state: str) -> None:
    paid = [b.payment("p1", ago=9, amount=amount), b.allocation("p1", ago=9, amount=amount)]
    left = Decimal(100) - Decimal(amount)
    assert verdict(b.invoice("i1", 30, balance_due=left), *paid, SIXTY).state == state


@pytest.mark.parametrize(("ago", "state"), [(9, "kept"), (6, "kept_late")])
@pytest.mark.parametrize(("amount", "second"), [("138", True), ("137.99", False)])
def test_e34_no_more_than_the_promised_amount_is_taken_from_the_account(
    ago: int, state: str, amount: str, second: bool
) -> None:
    records: list[Any] = [
        b.invoice("i1", 30, balance_due=Decimal(70)),
        b.invoice("i2", 30),
        b.payment("p5", ago=10, amount="20"),
        b.allocation("p5", ago=10, amount="20"),
        *credit_note(10, "10"),
    ]
    found = judged(*records, on_account("p2", ago, amount), SIXTY, SECOND)
    assert found["pr1"].state == state
    assert (found["pr2"].state == state) is second
