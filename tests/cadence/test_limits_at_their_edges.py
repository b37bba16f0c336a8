"""The first day past due, the first invoice that money does not cover, a payment still to come: limits where they begin."""

from __future__ import annotations

from decimal import Decimal

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b


@pytest.mark.parametrize(
    ("dpd", "code"), [(0, Code.STEP_DUE), (1, Code.UNAPPLIED_CREDIT), (2, Code.UNAPPLIED_CREDIT)]
)
def test_e13_what_is_one_day_late_is_overdue_to_money_on_account(dpd: int, code: Code) -> None:
    policy = b.changed("balanced", steps=[{"id": "first", "at": 1}])
    money = b.payment(amount="100", unapplied="100")
    evaluation = b.run(b.invoice("i1", dpd), b.invoice("i2", -20), money, policy=policy)
    assert b.of(evaluation, "i1").code is code


def test_e13_an_invoice_that_is_not_due_yet_does_not_end_the_search() -> None:
    money = b.payment(amount="100", unapplied="100")
    evaluation = b.run(b.invoice("i1", -3), b.invoice("i2", 9), money)
    assert (b.of(evaluation, "i1").code, b.of(evaluation, "i2").code) == (
        Code.STEP_DUE,
        Code.UNAPPLIED_CREDIT,
    )
    assert [p.lead_invoice_id for p in evaluation.actions if p.task == "apply_cash"] == [b.invoice_id("i2")]


def test_e12_a_payment_that_is_still_to_come_is_no_answer() -> None:
    assert b.of(b.run(b.invoice("i1", 9), b.touch(ago=4), b.payment(ago=-2))).code is Code.STEP_DUE


def test_e29_the_attempt_that_stops_everything_is_named() -> None:
    unclear = [b.touch(f"t{n}", ago=9 - n, outcome=ar.TouchOutcome.AMBIGUOUS) for n in range(2)]
    evaluation = b.run(b.invoice("i1", 9), *unclear)
    needs = ar.why_not(evaluation, b.invoice_id(), "demand").would_fire_if
    assert [need.code for need in needs] == [Code.AMBIGUOUS_ATTEMPT] * 2
    assert [str(need.actual)[:10] for need in needs] == ["local:t1: ", "local:t0: "], "the latest one first"


def test_e45_a_contact_outside_any_plan_asks_for_no_gap_of_a_step() -> None:
    policy = b.changed("balanced", steps=[{"id": "first", "min_gap_after": 30}])
    assert b.of(b.run(b.invoice("i1", 9), b.touch(ago=4), policy=policy)).code is Code.STEP_DUE
    strange = b.touch(ago=4, step="strange", covers=("i1",))
    assert b.of(b.run(b.invoice("i1", 9), strange, policy=policy)).code is Code.STEP_DUE


@pytest.mark.parametrize(
    ("balance", "code"), [("49.99", Code.BELOW_THRESHOLD), ("50", Code.STEP_DUE), ("50.01", Code.STEP_DUE)]
)
def test_e16_the_threshold_itself_is_worth_a_contact(balance: str, code: Code) -> None:
    for kind in ("min_invoice", "min_customer"):
        policy = b.changed("balanced", limits={kind: {"USD": "50"}})
        assert b.of(b.run(b.invoice("i1", 9, balance_due=Decimal(balance)), policy=policy)).code is code, kind


def test_e19_who_leads_the_second_message_goes_by_stage_then_age_then_amount() -> None:
    policy = b.changed("balanced", grouping={"by": "invoice"}, limits={"max_customer_actions_per_run": 9})
    large = Decimal(900)
    records = [
        b.invoice("i1", 9),
        b.invoice("i2", 9, balance_due=large, total=large),
        b.invoice("i3", 10),
        b.invoice("i4", 22),
        b.invoice("i5", 9),
        b.invoice("i6", -3),
    ]
    leads = [str(a.lead_invoice_id)[-2:] for a in b.touches_of(b.run(*records, policy=policy))]
    assert leads == ["i4", "i3", "i2", "i1", "i5", "i6"]
