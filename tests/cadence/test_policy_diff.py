"""What a change of policy changes, in full: settings, messages added, removed and moved, by segment, and the load of each channel."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.diff import Change, Setting, compare_policies
from tests.cadence import books as b

DAY = timedelta(days=1)
NAMES = {"c1": 3, "c2": 9, "c3": 22, "c4": 9}
"""Days past due of one invoice of each: a first e-mail, a demand, a call, and a demand that stays."""


def book() -> ar.Snapshot:
    return b.book(*(b.invoice(f"i{name}", dpd, name) for name, dpd in NAMES.items()))


def later() -> ar.Policy:
    """`balanced`, but nothing is written on the first days, a demand goes by letter, and calls begin on day 30."""
    steps = [
        {"id": "first", "at": 5},
        {"id": "demand", "channels": ["letter"], "when": "country == 'US'"},
        {"id": "call", "at": 30, "window": [30, 45]},
    ]
    return b.changed("balanced", steps=steps, overrides=[], tiers={"risk": []})


def test_every_change_says_what_was_what_is_and_for_whom() -> None:
    found = ar.diff(b.policy_of("balanced"), later(), book(), b.as_of(), tiers=b.tier(), calendar=ar.WEEKENDS)
    assert found.changes == (
        Change(
            customer_id=b.customer_id("c1"),
            kind="removed",
            before="first email auto",
            after=None,
            segment="core/none",
        ),
        Change(
            customer_id=b.customer_id("c2"),
            kind="moved",
            before="demand email auto",
            after="demand letter auto",
            segment="core/none",
        ),
        Change(
            customer_id=b.customer_id("c3"),
            kind="removed",
            before="call voice either",
            after=None,
            segment="core/none",
        ),
        Change(
            customer_id=b.customer_id("c4"),
            kind="moved",
            before="demand email auto",
            after="demand letter auto",
            segment="core/none",
        ),
    )
    assert found.load_before == {"email": 3, "voice": 1}
    assert found.load_after == {"letter": 2}
    assert found.by_segment == {"core/none": {"moved": 2, "removed": 2}}
    assert found.dispositions == {"STEP_DUE -> WINDOW_MISSED": 2}


def test_the_other_way_round_messages_are_added() -> None:
    found = ar.diff(later(), b.policy_of("balanced"), book(), b.as_of(), tiers=b.tier(), calendar=ar.WEEKENDS)
    kinds = [(c.customer_id, c.kind, c.before, c.after, c.segment) for c in found.changes]
    assert kinds[0] == (b.customer_id("c1"), "added", None, "first email auto", "core/occasional")
    assert [kind for _, kind, *_ in kinds] == ["added", "moved", "added", "moved"]


def test_who_is_the_same_under_both_hides_nobody_after_it() -> None:
    policy = b.changed("balanced", steps=[{"id": "call", "channels": ["letter"]}], overrides=[])
    found = ar.diff(b.policy_of("balanced"), policy, book(), b.as_of(), tiers=b.tier())
    assert [(c.customer_id, c.after) for c in found.changes] == [(b.customer_id("c3"), "call letter either")]


def test_both_are_asked_with_the_calendar_that_is_given() -> None:
    """Wednesday is a holiday: nothing changes because of it when both policies know it."""
    holiday = ar.HolidayCalendar({"US": frozenset({b.TODAY, b.TODAY + DAY, b.TODAY + 2 * DAY})})
    one = b.book(b.invoice(dpd=7))
    policy = b.policy_of("balanced")
    assert b.of(b.run(one, policy=policy, calendar=holiday)).code is ar.Code.WINDOW_MISSED
    for before, after in ((policy, later()), (later(), policy)):
        found = ar.diff(before, after, one, b.as_of(), tiers=b.tier(), calendar=holiday)
        assert (found.load_before, found.load_after) == ({}, {})


def test_decisions_of_people_are_changes_too_and_notices_are_not() -> None:
    policy = b.changed("balanced", steps=[{"id": "decide", "at": 200}])
    found = ar.diff(b.policy_of("balanced"), policy, b.book(b.invoice(dpd=80)), b.as_of(), tiers=b.tier())
    assert [(c.kind, c.before) for c in found.changes] == [("removed", "decide internal human")]
    assert found.load_before == {}


def test_settings_that_only_one_of_them_has_are_named() -> None:
    policy = b.changed("balanced", steps=[{"id": "extra", "at": 90, "channels": ["email"], "origin": "x"}])
    settings = {s.path: s for s in compare_policies(b.policy_of("balanced"), policy)}
    assert settings["steps.extra.at"] == Setting(path="steps.extra.at", before=None, after=90)
    back = {s.path: s for s in compare_policies(policy, b.policy_of("balanced"))}
    assert back["steps.extra.at"] == Setting(path="steps.extra.at", before=90, after=None)


def test_an_explanation_as_json_is_indented_and_sorted() -> None:
    text = ar.explain(b.run(b.invoice(dpd=9)), invoice=b.invoice_id(), fmt="json")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True)


@pytest.mark.parametrize("ids", [{}, {"customer": "a", "invoice": "b"}])
def test_an_explanation_is_of_one_thing(ids: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^say which: give either a customer's id or an invoice's id$"):
        ar.explain(b.run(b.invoice(dpd=9)), **ids)


def test_an_explanation_of_what_is_not_there_says_what_is_missing() -> None:
    evaluation = b.run(b.invoice(dpd=9, customer_id=None))
    with pytest.raises(LookupError) as caught:
        ar.explain(evaluation, invoice="i9")
    assert caught.value.args == ("'i9' is no open invoice of this evaluation",)
    with pytest.raises(LookupError) as caught:
        ar.explain(evaluation, invoice=b.invoice_id())
    said = "names no customer: The invoice names a customer the snapshot does not have."
    assert caught.value.args == (f"{b.invoice_id()!r} {said}",)
