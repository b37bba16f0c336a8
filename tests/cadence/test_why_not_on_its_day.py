"""`why_not` and what waits behind the day of a step or behind its switch: other messages, to this customer and to others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_why_not_behind import day, resolved, told
from tests.cadence.test_why_not_in_full import Row, rows
from tests.cadence.test_why_not_together import check, reply

Code = ar.Code
ONE_TO_AN_ADDRESS: dict[str, Any] = {"limits": {"max_per_address": 1}}


def shared() -> list[Any]:
    """Two customers at one mailbox."""
    return [b.contact(name, email="both@example.com") for name in ("c1", "c2")]


# ---- behind an age


def test_e24_behind_an_age_another_message_of_the_run_is_named() -> None:
    records = [b.invoice("i1", -10), b.invoice("i2", 50)]
    assert rows(b.run(*records), "call") == [day(">= 22", -10, 32), told(Code.RUN_CAP, 1)]
    assert check(records, "balanced", "call", by_itself=True) == [Code.NOT_YET_DUE, Code.RUN_CAP]


def test_e47_behind_an_age_the_cap_of_an_address_is_named() -> None:
    records = [b.invoice("i1", 3), b.invoice("i2", 14, "c2", balance_due=Decimal(900)), *shared()]
    policy = b.changed("balanced", **ONE_TO_AN_ADDRESS)
    assert rows(b.run(*records, policy=policy), "demand") == [day(">= 8", 3, 5), told(Code.ADDRESS_CAP, 1)]
    assert check(records, policy, by_itself=True) == [Code.NOT_YET_DUE, Code.ADDRESS_CAP]


def test_a_promise_that_goes_to_the_oldest_first_leaves_the_day_open() -> None:
    """On the day of the call it would be the oldest, and stopped by what was promised in part; the age alone is told."""
    promised = b.promise(on=-1, covers=("i1", "i2"), promised_amount=Decimal(60))
    records = [b.invoice("i1", 3), b.invoice("i2", 9), promised]
    assert rows(b.run(*records), "call") == [day(">= 22", 3, 19)]


# ---- behind a switch


@pytest.mark.parametrize(("richer", "behind"), [("900", [told(Code.ADDRESS_CAP, 1)]), ("9", [])])
def test_e47_behind_the_switch_other_customers_get_the_step_as_well(richer: str, behind: list[Row]) -> None:
    policy = b.changed("balanced", **ONE_TO_AN_ADDRESS, steps=[{"id": "demand", "enabled": False}])
    records = [b.invoice("i1", 9), b.invoice("i2", 9, "c2", balance_due=Decimal(richer)), *shared()]
    switch = ("steps.demand.enabled", "is true", "false", None, None)
    assert rows(b.run(*records, policy=policy), "demand") == [switch, *behind]
    on = b.of(b.run(*records, policy=b.changed("balanced", **ONE_TO_AN_ADDRESS)))
    assert (on.code == "ADDRESS_CAP") is bool(behind)


# ---- a decision beside another answer


@pytest.mark.parametrize("used", [False, True])
def test_a_decision_beside_a_copy_that_was_asked_for_fires(used: bool) -> None:
    policy = b.changed("balanced", limits={"per_channel": {"email": 1}}) if used else "balanced"
    records = [b.invoice(dpd=80), reply("r1", ago=1, intent=ar.Intent.COPY_REQUESTED)]
    records += [b.contact(phone=None, mobile=None, postal=None)]
    records += [b.touch(ago=1, channel=ar.Channel.EMAIL)] if used else []
    for others in ([], [b.dispute()]):
        evaluation = b.run(*records, *others, policy=policy)
        asked = [a for a in evaluation.actions if a.step == "decide"]
        assert [len(a.covers) for a in asked] == ([] if others else [1])
        if others:
            assert rows(evaluation, "decide") == [resolved("d1")]
        else:
            assert b.of(evaluation).code == ("DECISION_REQUIRED" if used else "COPY_REQUESTED")
            found = ar.why_not(evaluation, b.invoice_id(), "decide")
            assert (found.fires, found.would_fire_if) == (True, ())


def test_a_decision_about_another_invoice_alone_is_none_about_this_one() -> None:
    evaluation = b.run(b.invoice("i1", 60), b.invoice("i2", 80))
    assert rows(evaluation, "decide") == [day(">= 76", 60, 16)]
