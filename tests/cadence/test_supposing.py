"""What is supposed to be over for `why_not` leaves everything else as it is: other invoices, the tier, the days of other facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import counterfactual
from ar_core.cadence.facts import AccountFacts
from ar_core.cadence.state import State
from ar_core.segments import TierAssignment
from tests.cadence import books as b
from tests.cadence.test_properties import HARD
from tests.cadence.test_why_not_behind import part, resolved, told
from tests.cadence.test_why_not_in_full import Row, rows
from tests.cadence.test_why_not_together import accounts, check, reply

DAY = timedelta(days=1)
Code = ar.Code
DAYS_TO_GO: Row = ("dpd", ">= 8", "3", "NOT_YET_DUE", 5)


def test_the_customer_keeps_its_tier() -> None:
    tail = b.run(b.invoice(dpd=14), b.dispute(), value="tail")
    assert rows(tail, "call") == [resolved("d1")]


def test_a_parent_keeps_the_tier_of_the_customers_it_is_billed_for() -> None:
    family = [b.customer("c1"), b.customer("c2", parent_id=b.customer_id("c1"), bill_with_parent=True)]
    tiers = ar.Tiers({b.customer_id("c2"): TierAssignment("tail", Decimal(1))})
    evaluation = b.run(*family, b.invoice(dpd=14), b.dispute(), tiers=tiers)
    assert rows(evaluation, "call") == [resolved("d1")]


def test_other_invoices_of_the_account_stay_before_and_behind_it() -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "when": "overdue_invoices == 3"}])
    draft = b.invoice("i1", 9, document_status=ar.DocumentStatus.DRAFT)
    evaluation = b.run(b.invoice("i0", 9), draft, b.invoice("i2", 9), policy=policy)
    assert rows(evaluation, "demand") == [told(Code.NOT_POSTED)]


def test_a_part_that_was_resolved_today_is_not_resolved_once_more() -> None:
    policy = b.changed("balanced", pauses={"dispute_resume_days": 0})
    records = [b.invoice(dpd=9), part("d1", "40"), part("d2", "60"), part("d9", "95", resolved_on=b.TODAY)]
    assert rows(b.run(*records, policy=policy), "demand") == [resolved("d2")]


def test_what_a_customer_said_stays_on_its_day_while_the_days_after_a_contact_pass() -> None:
    away = reply("r1", ago=1, intent=ar.Intent.OUT_OF_OFFICE)
    (alone,) = rows(b.run(b.invoice(dpd=9), away), "demand")
    assert alone[3] == Code.OUT_OF_OFFICE
    assert rows(b.run(b.invoice(dpd=9), away, b.touch(ago=1)), "demand") == [told(Code.MIN_GAP, 2), alone]


def test_e12_a_payment_lies_further_back_once_its_quiet_days_are_over() -> None:
    policy = b.changed("balanced", limits={"post_payment_quiet_days": 9})
    records = [b.invoice(dpd=9), b.touch(ago=9), b.payment(ago=8)]
    assert rows(b.run(*records, policy=policy), "demand") == [told(Code.POST_PAYMENT_QUIET, 1)]
    check(records, policy)


def test_r43_a_reply_is_dealt_with_in_business_days_of_the_customers_country() -> None:
    """Tuesday was a holiday: what was said on it is dealt with today, Wednesday, as if it had been said on Sunday."""
    calendar = ar.HolidayCalendar({"US": {b.TODAY - DAY}})
    since = "days_since_last_response"
    for days, behind in ((3, []), (2, [(since, "<= 2", "1", None, None)])):
        policy = b.changed("balanced", steps=[{"id": "demand", "when": f"{since} <= {days}"}])
        evaluation = b.run(b.invoice(dpd=9), reply("r1", ago=1), policy=policy, calendar=calendar)
        assert rows(evaluation, "demand") == [told(Code.REPLY_PENDING, 1, "r1"), *behind]


@pytest.mark.pure
def test_what_stays_after_it_was_supposed_to_be_over_is_an_error_of_ours_and_no_endless_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluation = b.run(b.invoice(dpd=9), b.dispute())
    tries: Iterator[int] = iter(range(5))

    def unchanged(state: State, *_: object) -> AccountFacts:
        next(tries)
        return state.facts

    monkeypatch.setattr(counterfactual, "without", unchanged)
    with pytest.raises(AssertionError) as caught:
        ar.why_not(evaluation, b.invoice_id(), "demand")
    said = f"{b.invoice_id()} is still kept by DISPUTED after that was supposed to be over"
    assert str(caught.value) == said


# ---- a step that is switched off


def switch(step: str) -> Row:
    return (f"steps.{step}.enabled", "is true", "false", None, None)


def off(step: str, **changes: Any) -> ar.Policy:
    return b.changed("balanced", steps=[{"id": step, "enabled": False}], **changes)


@HARD
@given(accounts(), st.sampled_from(["demand", "demand", "call", "first"]))
def test_behind_the_switch_of_a_step_stands_what_stands_in_its_way_when_it_is_on(
    records: list[Any], step: str
) -> None:
    on = ar.why_not(b.run(*records), b.invoice_id(), step)
    found = ar.why_not(b.run(*records, policy=off(step)), b.invoice_id(), step)
    switches = [need for need in found.would_fire_if if need.fact == f"steps.{step}.enabled"]
    assert [need for need in found.would_fire_if if need not in switches] == list(on.would_fire_if)
    assert len(switches) == 1
    assert not found.fires


def test_of_an_invoice_that_owes_nothing_no_switch_is_named() -> None:
    nothing = b.invoice(dpd=9, document_status=ar.DocumentStatus.UNKNOWN, balance_due=Decimal(0))
    assert rows(b.run(nothing, policy=off("demand")), "demand") == [told(Code.UNKNOWN_STATUS)]


@pytest.mark.parametrize(
    "patches",
    [
        {"demand": {"enabled": False, "channels": ["letter"]}},
        {"*": {"enabled": False, "channels": ["letter"]}},
        {"*": {"enabled": False}, "demand": {"channels": ["letter"]}},
        {"*": {"channels": ["letter"]}, "demand": {"enabled": False}},
    ],
)
def test_an_override_may_switch_it_off_and_keeps_its_other_changes(patches: dict[str, Any]) -> None:
    """The customer has no postal address, so a letter has no way to it."""
    override = {"when": "value == core", "steps": patches, "origin": "test"}
    policy = b.changed("balanced", overrides=[override])
    evaluation = b.run(b.invoice(dpd=3), b.contact(postal=None), policy=policy)
    assert rows(evaluation, "demand") == [switch("demand"), DAYS_TO_GO, told(Code.NO_ADDRESS)]
    reachable = b.run(b.invoice(dpd=3), policy=policy)
    assert rows(reachable, "demand") == [switch("demand"), DAYS_TO_GO]


def test_amounts_are_in_base_currency_behind_a_switch_as_before_it() -> None:
    rate = ar.ExchangeRate(currency="EUR", base_currency=b.BASE, rate=Decimal("1.1"), as_of=b.TODAY)
    policy = b.changed("balanced", steps=[{"id": "demand", "enabled": False, "when": "balance_base >= 200"}])
    evaluation = b.run(b.invoice(dpd=9, currency="EUR"), rate, policy=policy)
    assert rows(evaluation, "demand") == [switch("demand"), ("balance_base", ">= 200", "110.000", None, None)]


def test_an_override_that_switches_another_step_off_leaves_it_off() -> None:
    """With the call on as well, the call would be due, and not the demand before it."""
    override = {"when": "value == core", "steps": {"call": {"enabled": False}}, "origin": "test"}
    policy = off("demand", overrides=[override])
    assert rows(b.run(b.invoice(dpd=21), policy=policy), "demand") == [switch("demand")]
    wide = b.changed(
        "balanced",
        steps=[{"id": "demand", "enabled": False, "window": [8, 45]}],
        overrides=[override],
    )
    assert rows(b.run(b.invoice(dpd=30), policy=wide), "demand") == [switch("demand")]
    assert rows(b.run(b.invoice(dpd=30), b.dispute(), policy=wide), "demand") == [
        resolved("d1"),
        switch("demand"),
    ]
