"""By whose hours an account is decided before anybody is written to (E2, E5, E6, R35), and which of its invoices are looked at alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b

DAY = timedelta(days=1)
TOKYO = "Asia/Tokyo"
EVENING = b.as_of(hour=20)
"""Ten in the morning of the next day in Tokyo."""
LAST_DAY = b.changed("balanced", steps=[{"id": "demand", "window": [8, 9]}])
"""A demand that can go out today and not tomorrow."""
BOSS = ar.ContactRole.EXECUTIVE


def code(*records: Any, policy: ar.Policy = LAST_DAY, about: str = "i1", **options: Any) -> Code:
    return b.of(b.run(b.invoice("i1", 9), *records, policy=policy, **options), about).code


@pytest.mark.parametrize(
    ("records", "open_now"),
    [
        ([b.contact(time_zone=TOKYO)], True),
        ([b.contact()], False),
        ([b.contact(time_zone=TOKYO, is_active=None)], True),
        ([b.contact(time_zone=TOKYO, is_active=True)], True),
        ([b.contact(name="a", time_zone=TOKYO, is_active=False), b.contact(name="b")], False),
        ([b.contact(), b.customer(time_zone=TOKYO)], True),
        ([b.contact(time_zone=b.ZONE), b.customer(time_zone=TOKYO)], False),
        ([b.contact(name="a", role=BOSS, time_zone=b.ZONE), b.contact(name="b", time_zone=TOKYO)], True),
        ([b.contact(name="a", role=BOSS, time_zone=TOKYO), b.contact(name="b", time_zone=b.ZONE)], False),
        ([b.contact(name="a", time_zone=TOKYO), b.contact(name="b", time_zone=TOKYO)], True),
    ],
)
def test_e2_e5_a_window_is_open_by_the_hours_of_whom_a_message_most_likely_goes_to(
    records: list[Any], open_now: bool
) -> None:
    assert code(*records, at=EVENING) is (Code.STEP_DUE if open_now else Code.WINDOW_MISSED)


@pytest.mark.parametrize(("country", "found"), [("US", Code.WINDOW_MISSED), ("MX", Code.STEP_DUE)])
def test_e6_a_holiday_of_the_customers_country_closes_the_window(country: str, found: Code) -> None:
    holiday = ar.HolidayCalendar({"US": {b.TODAY}})
    plain = b.changed("balanced", overrides=[], steps=[{"id": "demand", "window": [8, 9]}])
    assert code(b.customer(country=country), calendar=holiday, policy=plain) is found


def test_an_invoice_issued_today_is_chased_also_where_another_is_not() -> None:
    draft = b.invoice("i2", 9, document_status=ar.DocumentStatus.DRAFT)
    issued = b.invoice("i3", -2, issue_date=b.TODAY)
    assert code(draft, issued, about="i3") is code(issued, about="i3")
    assert code(draft, about="i2") is Code.NOT_POSTED


def test_e8_the_terms_of_the_customer_stand_in_for_a_missing_due_date() -> None:
    policy = b.changed("balanced", clock={"due_date_fallback": {"mode": "terms"}})
    undated = b.invoice("i2", due_date=None, issue_date=b.TODAY - 30 * DAY)
    buyer = b.customer(terms=ar.PaymentTerms(name="net 21", due_days=21))
    assert code(undated, buyer, policy=policy, about="i2") is Code.RIDES_ALONG
    assert code(undated, policy=policy, about="i2") is Code.NO_DUE_DATE


def test_customers_of_one_run_are_decided_each_by_its_own_hours() -> None:
    records = [b.contact("c1", time_zone=TOKYO), b.contact("c2"), b.contact("c3", time_zone=TOKYO)]
    evaluation = b.run(
        *(b.invoice(f"i{n}", 9, f"c{n}") for n in (1, 2, 3)), *records, policy=LAST_DAY, at=EVENING
    )
    found = [b.of(evaluation, name).code for name in ("i1", "i2", "i3")]
    assert found == [Code.STEP_DUE, Code.WINDOW_MISSED, Code.STEP_DUE]


@pytest.mark.parametrize("dpd", [1, 3])
def test_e5_grace_is_from_the_first_day_to_the_last(dpd: int) -> None:
    policy = b.changed("balanced", clock={"grace_days": 3})
    assert b.of(b.run(b.invoice("i1", dpd), policy=policy)).code is Code.GRACE_DAYS
    assert b.of(b.run(b.invoice("i1", 4), policy=policy)).code is Code.STEP_DUE


def test_e22_nothing_is_inherited_from_nothing() -> None:
    policy = b.changed("balanced", grouping={"on_lead_change": "inherit"})
    assert code(policy=policy) is Code.STEP_DUE
