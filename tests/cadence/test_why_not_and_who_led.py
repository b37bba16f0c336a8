"""`why_not` where an invoice takes over from one that was paid: by its own age, from the first step, or by the old one's place (E22)."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_properties import HARD
from tests.cadence.test_why_not_and_what_went_out import undone
from tests.cadence.test_why_not_at_its_edges import missing, over
from tests.cadence.test_why_not_behind import day
from tests.cadence.test_why_not_in_full import rows
from tests.cadence.test_why_not_together import check

PRESETS = ("sprint_3_5_10", "balanced", "funnel_5")


@cache
def led(preset: str, rule: str, mode: str = "latest", **changes: Any) -> ar.Policy:
    return b.changed(preset, grouping={"on_lead_change": rule}, catch_up={"mode": mode}, **changes)


def sent(step: str, about: str = "i0", ago: int = 30) -> ar.Touch:
    """A step that went out for an invoice; i0 was paid since."""
    return b.touch(f"{about}_{step}", ago=ago, step=step, covers=(about,))


def test_e22_what_starts_at_the_first_step_needs_the_one_before() -> None:
    records, policy = [b.invoice(dpd=20), sent("first")], led("sprint_3_5_10", "restart")
    assert b.of(b.run(*records, policy=policy)).step == "first"
    assert rows(b.run(*records, policy=policy), "second") == [
        missing("first"),
        over("<= 9", 20, "SUPERSEDED"),
    ]
    check(records, policy, "second")


def test_e22_what_starts_at_the_first_step_may_be_past_its_day() -> None:
    policy = b.changed(
        "balanced",
        grouping={"on_lead_change": "restart"},
        catch_up={"mode": "drop"},
        steps=[{"id": "first", "enabled": False}],
    )
    records = [b.invoice(dpd=20), sent("demand")]
    assert rows(b.run(*records, policy=policy), "first") == [
        ("steps.first.enabled", "is true", "false", None, None)
    ]


def test_e22_what_inherits_a_place_needs_it_not_to_be_on_record() -> None:
    records = [b.invoice(dpd=3), sent("second"), sent("escalated")]
    policy = led("sprint_3_5_10", "inherit")
    assert rows(b.run(*records, policy=policy), "first") == [undone("escalated"), undone("second")]
    check(records, policy, "first")


def test_e24_what_is_required_opens_again_so_that_only_what_requires_it_is_named() -> None:
    records, policy = [b.invoice(dpd=34), sent("demand"), sent("letter")], led("balanced", "inherit")
    assert rows(b.run(*records, policy=policy), "demand") == [
        undone("letter"),
        day(">= 46", 34, 12, "SUPERSEDED"),
    ]
    check(records, policy)


def test_what_went_out_in_a_sequence_needs_nothing_before_it_whose_day_is_over() -> None:
    records, policy = [b.invoice(dpd=0), sent("first", "i1")], led("balanced", "contextual", "sequential")
    assert rows(b.run(*records, policy=policy), "first") == [undone("first"), day(">= 3", 0, 3)]
    check(records, policy, "first")


@HARD
@given(
    st.sampled_from(PRESETS),
    st.sampled_from(["inherit", "restart", "contextual"]),
    st.sampled_from(["latest", "drop", "sequential"]),
    st.integers(-8, 80),
    st.data(),
)
def test_all_that_is_named_is_enough_whoever_led(
    preset: str, rule: str, mode: str, dpd: int, data: st.DataObject
) -> None:
    policy = led(preset, rule, mode)
    steps = st.sampled_from([s.id for s in policy.steps if s.kind == "touch"])
    records: list[Any] = [b.invoice(dpd=dpd)]
    records += [sent(step) for step in data.draw(st.sets(steps, max_size=2))]
    records += [sent(step, "i1") for step in data.draw(st.sets(steps, max_size=1))]
    step = data.draw(steps)
    found = ar.why_not(b.run(*records, policy=policy), b.invoice_id(), step).would_fire_if
    if all(need.fact == "dpd" or need.fact.startswith("touch of ") for need in found):
        check(records, policy, step)
