"""From which day the cadence counts: asked directly of one invoice, its customer and the clock of a policy (E4, E8)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.due import cadence_due
from ar_core.cadence.policy import Clock
from tests.cadence import books as b

ISSUED = date(2026, 11, 3)
"""A Tuesday."""
SATURDAY = date(2026, 11, 21)
DAY = timedelta(days=1)


class FridayClosedInEgypt(ar.WeekendCalendar):
    def is_business_day(self, day: date, country: str | None = None) -> bool:
        return day.weekday() < 4 if country == "EG" else super().is_business_day(day, country)


def counted_from(clock: dict[str, Any], customer: ar.Customer | None, **invoice: Any) -> date | None:
    given = b.invoice(**{"due_date": None, "issue_date": ISSUED, **invoice})
    return cadence_due(given, customer, Clock.model_validate(clock), FridayClosedInEgypt())


def fallback(mode: str, **more: Any) -> dict[str, Any]:
    return {"due_date_fallback": {"mode": mode, **more}}


def terms(days: int | None) -> ar.PaymentTerms:
    return ar.PaymentTerms(name="of one's own", due_days=days)


@pytest.mark.parametrize("customer", [b.customer(), None])
def test_e4_a_due_date_counts_as_it_stands_unless_the_policy_rolls_it(customer: ar.Customer | None) -> None:
    assert counted_from({}, customer, due_date=SATURDAY) == SATURDAY
    assert counted_from({"due_roll": "following"}, customer, due_date=SATURDAY) == SATURDAY + 2 * DAY


def test_e4_e6_it_rolls_over_the_closed_days_of_the_customers_country() -> None:
    rolled = {"due_roll": "following"}
    friday = SATURDAY - DAY
    assert counted_from(rolled, b.customer(country="EG"), due_date=friday) == friday + 3 * DAY
    assert counted_from(rolled, b.customer(country="US"), due_date=friday) == friday


def test_e8_the_day_of_issue_and_some_days_stand_in_and_roll_as_well() -> None:
    clock = fallback("invoice_date", days=18)
    assert counted_from(clock, None) == SATURDAY
    assert counted_from({**clock, "due_roll": "following"}, None) == SATURDAY + 2 * DAY


def test_e8_the_terms_of_the_invoice_stand_in_else_those_of_the_customer() -> None:
    clock = fallback("terms")
    customer = b.customer(terms=terms(30))
    assert counted_from(clock, customer) == ISSUED + 30 * DAY
    assert counted_from(clock, customer, terms=terms(10)) == ISSUED + 10 * DAY
    assert counted_from(clock, None, terms=terms(10)) == ISSUED + 10 * DAY


def test_e8_where_nothing_stands_in_there_is_no_day_rolled_or_not() -> None:
    clock = {**fallback("terms"), "due_roll": "following"}
    assert counted_from(clock, None) is None
    assert counted_from(clock, b.customer()) is None
    assert counted_from(clock, b.customer(terms=terms(None))) is None
    assert counted_from(clock, b.customer(terms=terms(30)), issue_date=None) is None
    assert counted_from(fallback("exclude"), b.customer(terms=terms(30))) is None
