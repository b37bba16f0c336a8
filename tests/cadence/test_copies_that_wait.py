"""A copy that was asked for and cannot go out today waits for its day, and no reminder overtakes it (R63, E27, E37)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b

DAY = timedelta(days=1)
Code = ar.Code
CAPPED = b.changed("balanced", limits={"per_channel": {"email": 1}})
ASKED = b.touch(
    "asked", ago=1, direction=ar.Direction.INBOUND, intent=ar.Intent.COPY_REQUESTED, covers=("i1",)
)
WROTE = b.touch("wrote", ago=3)
ONLY_EMAIL = b.contact(phone=None, mobile=None, postal=None)
AWAY = b.touch(
    "away",
    ago=0,
    at=b.as_of(hour=8).instant,
    direction=ar.Direction.INBOUND,
    intent=ar.Intent.OUT_OF_OFFICE,
    until=b.TODAY + 2 * DAY,
)


def said(evaluation: ar.Evaluation, name: str = "i1") -> tuple[Any, ...]:
    found = b.of(evaluation, name)
    days = None if found.until is None else (found.until - b.TODAY).days
    return str(found.kind), found.code, found.step, days


def test_r63_a_copy_waits_for_the_cap_of_its_channel_and_nobody_looks_for_another_address() -> None:
    records = [b.invoice("i1", 9), ONLY_EMAIL, ASKED, WROTE]
    evaluation = b.run(*records, policy=CAPPED)
    assert said(evaluation) == ("wait", Code.CHANNEL_CAP, "send_copy", 4)
    assert evaluation.actions == ()
    later = b.run(*records, policy=CAPPED, at=b.as_of(b.TODAY + 4 * DAY))
    assert [a.step for a in b.touches_of(later)] == ["send_copy"]


def test_e37_a_copy_waits_for_who_is_away() -> None:
    """Away until Friday: Monday is the next business day."""
    evaluation = b.run(b.invoice("i1", 9), ONLY_EMAIL, ASKED, AWAY)
    assert said(evaluation) == ("wait", Code.OUT_OF_OFFICE, "send_copy", 5)
    assert evaluation.actions == ()


@pytest.mark.parametrize("dpd", [9, 22])
def test_r63_no_reminder_overtakes_it_and_other_invoices_are_chased(dpd: int) -> None:
    """A call would have a way; only the invoice that was not asked about is called about."""
    records = [b.invoice("i1", dpd), b.invoice("i2", 25), b.contact(mobile=None, postal=None), ASKED, WROTE]
    evaluation = b.run(*records, policy=CAPPED)
    assert said(evaluation)[:3] == ("wait", Code.CHANNEL_CAP, "send_copy")
    assert [(a.step, [c.invoice_id for c in a.covers]) for a in b.touches_of(evaluation)] == [
        ("call", [b.invoice_id("i2")])
    ]


def test_its_day_is_one_to_look_again_and_a_trace_says_why() -> None:
    """Nothing else changes for an invoice that is due in a month."""
    early = b.run(b.invoice("i1", -30), ONLY_EMAIL, ASKED, WROTE, policy=CAPPED)
    assert said(early) == ("wait", Code.CHANNEL_CAP, "send_copy", 4)
    assert early.next_change_at == b.as_of(b.TODAY + 4 * DAY, 0).instant
    text = ar.explain(early, customer=b.customer_id())
    assert "\n  channels: none CHANNEL_CAP (step send_copy; codes CHANNEL_CAP" in text


def test_a_channel_that_is_closed_for_good_is_a_task() -> None:
    policy = b.changed("balanced", limits={"per_channel": {"email": 0}})
    evaluation = b.run(b.invoice("i1", -30), ONLY_EMAIL, ASKED, policy=policy)
    assert [a.task for a in evaluation.actions] == ["get_contact"]
