"""A promise can be withdrawn or replaced up to the last day of its grace, and neither before its own day has come (E34, E35)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_promises_and_money import OVER, judged, on_account, verdict

DAY = timedelta(days=1)


def withdrawn(promise: ar.Promise, ago: int) -> ar.Promise:
    """The promise, taken back some days before today."""
    return promise.model_copy(update={"withdrawn_on": b.TODAY - ago * DAY})


@pytest.mark.parametrize(("ago", "state"), [(8, "withdrawn"), (7, "broken")])
def test_e34_withdrawn_on_the_last_day_of_grace_it_is_and_a_day_later_it_stays_broken(
    ago: int, state: str
) -> None:
    found = verdict(b.invoice("i1", 30), withdrawn(OVER, ago))
    assert (found.state, found.decided_on) == (state, b.TODAY - 8 * DAY)


@pytest.mark.parametrize(("ago", "risk", "actor"), [(8, "occasional", "auto"), (7, "high_risk", "human")])
def test_e35_nobody_undoes_two_broken_promises_by_withdrawing_them(ago: int, risk: str, actor: str) -> None:
    second = OVER.model_copy(update={"id": "local:pr2", "invoice_ids": (b.invoice_id("i2"),)})
    found = b.run(b.invoice("i1", 9), b.invoice("i2", 9), withdrawn(OVER, ago), withdrawn(second, ago))
    assert [segment.risk_tier for segment in found.segments] == [risk]
    assert b.only_touch(found).actor == actor


@pytest.mark.parametrize(("paid", "state"), [(8, "kept"), (6, "kept_late")])
def test_e34_withdrawn_after_its_deadline_it_is_judged_as_if_it_had_not_been(paid: int, state: str) -> None:
    records = [b.invoice("i1", 30), on_account("p1", paid, "100")]
    late = verdict(*records, withdrawn(OVER, 7))
    assert late == verdict(*records, OVER)
    assert late.state == state
    in_time = verdict(*records, withdrawn(OVER, 8))
    assert (in_time.state, in_time.paid) == ("withdrawn", 0)


def test_e34_a_withdrawal_of_a_day_to_come_changes_nothing_before_that_day() -> None:
    standing = b.promise(on=5, given=2)
    records = [b.invoice("i1", 30), on_account("p1", 1, "100")]
    tomorrow = withdrawn(standing, -1)
    assert verdict(*records, tomorrow) == verdict(*records, standing)
    assert (verdict(*records, tomorrow).state, verdict(*records, tomorrow).paid) == ("kept", 100)
    found = verdict(*records, tomorrow, today=1)
    assert (found.state, found.paid, found.decided_on) == ("withdrawn", 0, b.TODAY + DAY)


@pytest.mark.parametrize(("ago", "state", "decided"), [(8, "withdrawn", 8), (7, "superseded", 9)])
def test_e34_withdrawn_after_its_deadline_a_superseded_promise_stays_superseded(
    ago: int, state: str, decided: int
) -> None:
    newer = b.promise("new", on=5, given=9)
    found = judged(b.invoice("i1", 30), withdrawn(OVER, ago), newer)["pr1"]
    assert (found.state, found.decided_on) == (state, b.TODAY - decided * DAY)


def test_e35_replaced_by_one_of_a_day_to_come_it_stands_until_that_day() -> None:
    old, newer = b.promise(on=5, superseded_by="local:new"), b.promise("new", on=9, given=-1)
    records: list[Any] = [b.invoice("i1", 9), old, newer]
    assert verdict(*records).state == "open"
    found = verdict(*records, today=1)
    assert (found.state, found.decided_on) == ("superseded", b.TODAY + DAY)
    paid = verdict(*records, on_account("p1", 0, "100"))
    assert (paid.state, paid.paid) == ("kept", Decimal(100))
