"""What the accounts of one run share: sending hours and their ends (E2, E5, R35), local days, and a copy for another process."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from ar_core.cadence.run import Run, sending_zone
from ar_core.calendar import wall_time
from tests.cadence import books as b

DAY = timedelta(days=1)
TOKYO, BERLIN = "Asia/Tokyo", "Europe/Berlin"


def run_of(at: ar.AsOf | None = None, policy: ar.Policy | None = None, **options: Any) -> Run:
    return b.run(b.invoice(dpd=9), at=at, policy=policy or b.policy_of("balanced"), **options).parts()[1]


def at_clock(clock: time, day: date = b.TODAY) -> ar.AsOf:
    """A wall-clock time of the office in New York."""
    return ar.AsOf(instant=wall_time(day, clock, b.ZONE), zone=b.ZONE)


OPENS, CLOSES = at_clock(time(9)).instant, at_clock(time(17)).instant
MIDNIGHT = at_clock(time(0), b.TODAY + DAY).instant


@pytest.mark.parametrize(
    ("clock", "day", "codes", "changes_at"),
    [
        (time(8, 59), b.TODAY, (Code.QUIET_HOURS,), OPENS),
        (time(9), b.TODAY, (), CLOSES),
        (time(12), b.TODAY, (), CLOSES),
        (time(17), b.TODAY + DAY, (Code.QUIET_HOURS,), MIDNIGHT),
        (time(20), b.TODAY + DAY, (Code.QUIET_HOURS,), MIDNIGHT),
    ],
)
def test_e5_r35_messages_go_out_in_working_hours_and_the_end_of_each_is_a_time_to_look_again(
    clock: time, day: date, codes: tuple[Code, ...], changes_at: datetime
) -> None:
    slot = run_of(at_clock(clock)).slot(None, "US")
    assert (slot.send_on, slot.lag, slot.codes) == (day, (day - b.TODAY).days, codes)
    assert (slot.not_before, slot.not_after) == (
        at_clock(time(9), day).instant,
        at_clock(time(17), day).instant,
    )
    assert slot.changes_at == changes_at


def test_e2_the_day_of_sending_is_the_one_of_the_organization() -> None:
    # Half past eight in the evening of Tuesday in New York is Wednesday, half past ten, in Tokyo.
    instant = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
    slot = run_of(ar.AsOf(instant=instant, zone=b.ZONE)).slot(TOKYO, "JP")
    assert (slot.send_on, slot.lag, slot.codes) == (date(2026, 11, 24), 0, ())


def test_e2_an_instant_belongs_to_the_organizations_day() -> None:
    run = run_of()
    early = datetime(2026, 11, 25, 4, 59, tzinfo=UTC)
    assert [run.local_day(early), run.local_day(early + timedelta(minutes=1))] == [b.TODAY - DAY, b.TODAY]
    assert run.midnight(b.TODAY) == early + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("order", "contact", "customer", "expected"),
    [
        (("contact", "customer", "org"), TOKYO, BERLIN, TOKYO),
        (("contact", "customer", "org"), None, BERLIN, BERLIN),
        (("contact", "customer", "org"), None, None, b.ZONE),
        (("customer", "contact", "org"), TOKYO, BERLIN, BERLIN),
        (("customer", "contact"), TOKYO, None, TOKYO),
        (("contact",), None, BERLIN, b.ZONE),
        (("org", "contact"), TOKYO, BERLIN, b.ZONE),
        (("org",), TOKYO, BERLIN, b.ZONE),
    ],
)
def test_e2_the_first_known_zone_in_the_policys_order_sets_the_hours(
    order: tuple[str, ...], contact: str | None, customer: str | None, expected: str
) -> None:
    run = run_of(policy=b.changed("balanced", clock={"contact_zone": order}))
    assert sending_zone(run, b.customer(time_zone=customer), contact) == expected


def test_e2_without_a_customer_the_contacts_zone_or_the_organizations_counts() -> None:
    run = run_of()
    assert [sending_zone(run, None, zone) for zone in (TOKYO, None)] == [TOKYO, b.ZONE]


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ({}, True),
        ({"catch_up": {"mode": "drop"}}, False),
        ({"catch_up": {"mode": "sequential"}}, False),
        ({"pauses": {"migrate": "manual"}}, False),
        ({"grouping": {"on_lead_change": "inherit"}}, False),
        ({"grouping": {"on_lead_change": "restart"}}, False),
    ],
)
def test_a_policy_under_which_only_age_and_past_decide_is_known_as_such(
    changes: dict[str, Any], alike: bool
) -> None:
    assert run_of(policy=b.changed("balanced", **changes)).is_uniform is alike


@pytest.mark.parametrize(("rule", "plain"), [("none", True), ("following", False), ("preceding", False)])
def test_contractual_due_dates_are_the_cadences_unless_they_roll(rule: str, plain: bool) -> None:
    assert run_of(policy=b.changed("balanced", clock={"due_roll": rule})).plain_due is plain


def test_the_age_counts_from_the_customers_terms() -> None:
    run = run_of(policy=b.changed("balanced", clock={"due_date_fallback": {"mode": "terms"}}))
    invoice = b.invoice(due_date=None, issue_date=b.TODAY)
    customer = b.customer(terms=ar.PaymentTerms(due_days=3))
    assert run.due_number(invoice, customer) == (b.TODAY + 3 * DAY).toordinal()
    assert run.due_number(invoice, b.customer()) is None


def test_what_goes_to_another_process_is_all_that_a_run_knows() -> None:
    rate = ar.ExchangeRate(
        currency="EUR",
        base_currency="USD",
        as_of=date(2026, 11, 1),
        rate=Decimal("1.1"),
    )
    run = b.run(b.invoice(dpd=9), rate).parts()[1]
    again: Run = pickle.loads(pickle.dumps(run))
    assert (run.base_currency, run.rates["EUR"], run.tiers_given) == ("USD", Decimal("1.1"), True)
    for name in ("as_of", "base_currency", "rates", "tiers_given", "tiers", "scorer", "policy_hash", "zone"):
        assert getattr(again, name) == getattr(run, name), name


@pytest.mark.parametrize(
    "zone", [b.ZONE, "America/Los_Angeles", "Asia/Dubai", "Asia/Tokyo", "Europe/Berlin", "Pacific/Auckland"]
)
@pytest.mark.parametrize("hours", [{}, {"not_after": "13:00:00"}])
def test_e5_e6_messages_go_out_on_a_day_from_the_minute_on_that_is_told_and_not_before(
    zone: str, hours: dict[str, str]
) -> None:
    """Held against the hours of runs a minute apart; a Friday, a Monday and the Wednesday after it are holidays in one country."""
    holidays = ar.HolidayCalendar({"MX": {b.TODAY - timedelta(days=n) for n in (5, 2, 0)}})
    policy = b.changed("balanced", clock=hours)

    def at(instant: datetime) -> Run:
        as_of = ar.AsOf(instant=instant, zone=b.ZONE)
        return b.run(b.book(), policy=policy, at=as_of, calendar=holidays).parts()[1]

    now = at(b.as_of(b.TODAY - timedelta(days=7), hour=10).instant)
    for country in ("US", "MX"):
        for ahead in range(1, 10):
            day = now.today + timedelta(days=ahead)
            moment = now.sends_from(day, now.slot(zone, country))
            if now.slot(zone, country).send_on < day:
                assert at(moment - timedelta(minutes=1)).slot(zone, country).send_on < day, (country, day)
            assert at(moment).slot(zone, country).send_on >= day, (country, day)
