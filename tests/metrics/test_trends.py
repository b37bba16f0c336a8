"""R25: customers that get worse, by balance and by payment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.metrics import trends
from tests.cadence import books as b


def paid(name: str, ago: int, late: int, amount: int = 100, owner: str = "c1") -> list[Any]:
    """An invoice that was paid some days ago, so many days after its due date."""
    return [
        b.invoice(name, ago + late, owner, balance_due=Decimal(0), total=Decimal(amount)),
        b.payment(name, ago=ago, amount=str(amount), owner=owner),
        b.allocation(name, name, ago=ago, amount=str(amount)),
    ]


def codes(*records: Any, **options: Any) -> list[str]:
    return [signal.code.value for signal in trends(b.book(*records), b.TODAY, **options)]


@pytest.mark.parametrize(("later", "found"), [(4, []), (5, ["PAYING_LATER"])])
def test_paying_later_begins_at_five_days_more(later: int, found: list[str]) -> None:
    before = [r for n in range(3) for r in paid(f"a{n}", 120 + n, 2)]
    now = [r for n in range(3) for r in paid(f"b{n}", 20 + n, 2 + later)]
    assert codes(*before, *now) == found


def test_paying_later_is_weighted_by_amount_and_needs_three_payments_on_each_side() -> None:
    before = [r for n in range(3) for r in paid(f"a{n}", 120 + n, 0)]
    small = [*paid("b0", 20, 60, 1), *paid("b1", 21, 0, 1000), *paid("b2", 22, 0, 1000)]
    assert codes(*before, *small) == []
    assert codes(*before, *paid("b0", 20, 60), *paid("b1", 21, 60)) == []
    assert codes(*before, *paid("b0", 20, 60), *paid("b1", 21, 60), at_least=2) == ["PAYING_LATER"]


@pytest.mark.parametrize(("ago", "found"), [(89, ["PAYING_LATER"]), (90, [])])
def test_the_last_90_days_are_compared_with_the_year_before_them(ago: int, found: list[str]) -> None:
    before = [r for n in range(3) for r in paid(f"a{n}", 120 + n, 0)]
    assert codes(*before, *(r for n in range(3) for r in paid(f"b{n}", ago, 30))) == found


def test_a_balance_that_rises_is_named_with_both_figures() -> None:
    old = b.invoice("i1", 80, issue_date=b.TODAY - timedelta(days=110))
    new = b.invoice("i2", 10, balance_due=Decimal("50.50"), total=Decimal("50.50"))
    (signal,) = trends(b.book(old, new), b.TODAY)
    assert (signal.code, signal.detail) == (ar.Code.BALANCE_RISING, "100.00 to 150.50 USD")
    assert codes(old) == [], "the same as before"


def test_a_new_customer_does_not_rise_and_what_is_paid_falls() -> None:
    assert codes(b.invoice("i1", 10)) == []
    assert (
        codes(
            b.invoice("i1", 80, balance_due=Decimal(40)), *[b.payment(amount="60"), b.allocation(amount="60")]
        )
        == []
    )
