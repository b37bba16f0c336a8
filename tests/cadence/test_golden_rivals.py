"""Worked examples of other products that our evaluator must reproduce: G22 (G20, G21, G23, G24 stand with the edge cases)."""

from __future__ import annotations

import pytest

import ar_core as ar
from tests.cadence import books as b


def netsuite_levels(joined: str) -> ar.Policy:
    """Two dunning levels, each with three tests (days overdue, invoice amount, overdue sum) joined by one word."""
    levels = {"level_1": (1, 10, 100), "level_2": (3, 30, 100)}
    return ar.load_policy(
        {
            "id": "netsuite",
            "stages": [{"id": "all", "origin": "G22"}],
            "steps": [
                {
                    "id": name,
                    "at": place,
                    "window": [1],
                    "channels": ["letter"],
                    "when": f" {joined} ".join(
                        (f"max_dpd >= {days}", f"total >= {amount}", f"overdue_base >= {overdue}")
                    ),
                    "origin": "G22",
                }
                for place, (name, (days, amount, overdue)) in enumerate(levels.items(), 1)
            ],
        }
    )


@pytest.mark.parametrize(("joined", "level"), [("and", "level_1"), ("or", "level_2")])
def test_g22_netsuite_ten_invoices_of_10_five_days_overdue(joined: str, level: str) -> None:
    invoices = [b.invoice(f"i{n}", 5, total="10", balance_due="10") for n in range(10)]
    action = b.only_touch(b.run(*invoices, policy=netsuite_levels(joined)))
    assert action.step == level
    assert len(action.covers) == 10


@pytest.mark.parametrize(("count", "days", "fires"), [(10, 1, True), (9, 1, False), (10, 0, False)])
def test_g22_every_test_of_the_first_level_has_to_pass_where_they_are_joined_by_and(
    count: int, days: int, fires: bool
) -> None:
    invoices = [b.invoice(f"i{n}", days, total="10", balance_due="10") for n in range(count)]
    assert bool(b.touches_of(b.run(*invoices, policy=netsuite_levels("and")))) is fires
