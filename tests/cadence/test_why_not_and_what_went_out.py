"""`why_not` and what went out, or could not: tries that failed, steps of another policy, messages that wait for Monday."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import CODES
from ar_core.cadence.counterfactual import _last
from ar_core.cadence.explain import account_state
from ar_core.cadence.supposing import item_of
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, step
from tests.cadence.test_why_not import DAY
from tests.cadence.test_why_not_in_full import Row, rows

SATURDAY = b.as_of(b.TODAY + 3 * DAY)
"""What is written on it goes out on Monday, two days later."""
LEGAL: dict[str, Any] = {"capabilities": {"will_pursue_legal": True}}


def sent(**ago: int) -> list[ar.Touch]:
    """Steps that went out for the invoice, so many days ago."""
    return [b.touch(name, ago=days, step=name, covers=("i1",)) for name, days in ago.items()]


def undone(name: str) -> Row:
    return (f"touch of {name}", "is not on record", "on record", "NEXT_STEP", None)


def told(code: ar.Code, days: int | None = None) -> Row:
    return (code.value.lower(), "no longer holds", CODES[code].meaning, code.value, days)


def test_e29_a_try_that_failed_is_told_with_the_day_of_the_next() -> None:
    failed = b.touch(ago=0, step="demand", covers=("i1",), outcome=ar.TouchOutcome.FAILED)
    evaluation = b.run(b.invoice(dpd=9), failed)
    assert rows(evaluation, "demand") == [told(ar.Code.RETRY_BACKOFF, 1)]


def test_e29_a_decision_that_could_not_be_asked_for_is_told_with_the_day_of_the_next_try() -> None:
    failed = b.touch(ago=0, step="decide", covers=("i1",), outcome=ar.TouchOutcome.FAILED)
    assert rows(b.run(b.invoice(dpd=80), failed), "decide") == [told(ar.Code.RETRY_BACKOFF, 1)]


def test_e30_an_invoice_that_a_person_has_to_place_is_told_so() -> None:
    policy = b.changed("balanced", pauses={"migrate": "manual"})
    evaluation = b.run(b.invoice(dpd=14), *sent(strange=5), policy=policy)
    assert rows(evaluation, "demand") == [told(ar.Code.MANUAL_MIGRATION)]


def test_e13_money_on_account_is_told_beside_the_day_of_a_step_that_is_not_due() -> None:
    evaluation = b.run(b.invoice(dpd=9), b.payment(unapplied="100"))
    day = ("dpd", ">= 22", "9", "NOT_YET_DUE", 13)
    assert rows(evaluation, "call") == [day, told(ar.Code.CREDIT_BALANCE)]


def test_the_day_is_looked_for_with_what_went_out_already() -> None:
    evaluation = b.run(b.invoice(dpd=40), *sent(demand=20), policy=b.changed("balanced", **LEGAL))
    assert rows(evaluation, "letter") == [("dpd", ">= 46", "40", "NOT_YET_DUE", 6)]


def test_the_day_of_the_last_step_is_named_and_stays() -> None:
    evaluation = b.run(b.invoice(dpd=3), policy=ar.load_policy(minimal(steps=[step("only", 30)])))
    assert rows(evaluation, "only") == [("dpd", ">= 30", "3", "NOT_YET_DUE", 27)]


def test_the_first_day_of_a_step_may_be_one_of_grace() -> None:
    policy = ar.load_policy(minimal(clock={"grace_days": 4}))
    assert rows(b.run(b.invoice(dpd=1), policy=policy), "one") == [("dpd", ">= 5", "1", "GRACE_DAYS", 4)]


def test_a_step_that_is_required_and_switched_off_is_not_asked_for() -> None:
    policy = b.changed("balanced", **LEGAL, steps=[{"id": "demand", "enabled": False}])
    evaluation = b.run(b.invoice(dpd=50), *sent(letter=10), policy=policy)
    assert rows(evaluation, "letter") == [undone("letter")]


def test_what_a_step_requires_may_have_gone_out_lately_where_steps_are_in_no_sequence() -> None:
    policy = b.changed("balanced", **LEGAL)
    evaluation = b.run(b.invoice(dpd=50), *sent(letter=10, demand=4), policy=policy)
    assert rows(evaluation, "letter") == [undone("letter")]


def test_in_a_sequence_a_distance_that_is_over_today_is_not_asked_for() -> None:
    touches = sent(notice_3=10, notice_4=4)
    evaluation = b.run(b.invoice(dpd=40), *touches, policy="sequential_notices", at=b.as_of(hour=10))
    assert rows(evaluation, "notice_4") == [undone("notice_4")]


def test_the_first_of_a_sequence_has_none_before_it() -> None:
    evaluation = b.run(b.invoice(dpd=40), *sent(notice_1=20), policy="sequential_notices")
    assert rows(evaluation, "notice_1") == [undone("notice_1")]


def test_what_can_no_longer_go_out_in_its_window_is_over() -> None:
    policy = ar.load_policy(minimal(steps=[step("plain", 3, window=[3, 7])]))
    evaluation = b.run(b.invoice(dpd=6, today=SATURDAY.today), policy=policy, at=SATURDAY)
    (need,) = ar.why_not(evaluation, b.invoice_id(), "plain").would_fire_if
    assert (need.needed, need.actual, need.code) == ("<= 5", "6", "WINDOW_MISSED")


def test_e16_what_is_too_small_to_go_out_alone_fires_where_it_rides_along() -> None:
    policy = b.changed("balanced", limits={"min_invoice": {"USD": "50"}})
    small = b.invoice("i1", 9, balance_due=Decimal(10))
    assert rows(b.run(small, policy=policy), "demand") == [told(ar.Code.BELOW_THRESHOLD)]
    beside = b.run(small, b.invoice("i2", 25), policy=policy)
    assert b.of(beside).code == "RIDES_ALONG"
    found = ar.why_not(beside, b.invoice_id(), "demand")
    assert (found.fires, found.would_fire_if) == (True, ())


def test_an_answer_that_got_lost_is_an_error_of_ours_that_names_the_invoice() -> None:
    evaluation = b.run(b.invoice(dpd=9))
    state = account_state(evaluation, b.customer_id())
    item, demand = item_of(state, b.invoice_id()), state.plan.by_id["demand"]
    assert item is not None
    item.outcome = None
    for name in (b.invoice_id(), "nobody"):
        with pytest.raises(AssertionError) as caught:
            list(_last(evaluation, state, name, demand))
        said = f"{name} lost its answer when the limits on its account were supposed to be over"
        assert str(caught.value) == said
