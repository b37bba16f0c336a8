"""Which step is due for one invoice: asked directly, for one ladder of steps, one age and what went out before (E20, E24, E25)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple, cast

import pytest

import ar_core as ar
from ar_core.cadence.plan import CompiledPolicy, Plan
from ar_core.cadence.run import Run
from ar_core.cadence.steps import choose_step, named, own_step_up_to, position
from ar_core.cadence.view import AccountView, InvoiceView
from tests.cadence import books as b

ALWAYS = ar.WeekendCalendar(weekend=frozenset())
NOBODY = cast("AccountView", None)
"""The steps here ask nothing of an account."""


class Said(NamedTuple):
    """A choice, with its day as days from today."""

    step: str | None
    code: str
    until: int | None = None
    next_step: str | None = None
    superseded: tuple[str, ...] = ()
    reopened: bool = False


class Ladder:
    """Steps as (id, day) or as a table of settings, and the policy's other settings."""

    def __init__(
        self, *steps: tuple[str, int] | dict[str, Any], calendar: ar.Calendar = ALWAYS, **settings: Any
    ) -> None:
        tables = [s if isinstance(s, dict) else {"id": s[0], "at": s[1]} for s in steps]
        policy = ar.load_policy(
            {
                "id": "own",
                "stages": [{"id": "all", "origin": "test"}],
                "steps": [{"channels": ["email"], "origin": "test", **table} for table in tables],
                **settings,
            }
        )
        compiled = CompiledPolicy(policy)
        self.plan: Plan = compiled.base
        self.run = Run(
            compiled,
            b.as_of(),
            calendar,
            ar.Tiers({}),
            tiers_given=True,
            base_currency="USD",
            rates={},
            scorer=lambda _: 0,
        )

    def facts(self, dpd: int) -> InvoiceView:
        return InvoiceView(NOBODY, b.invoice(dpd=dpd), dpd, None)

    def at(
        self, dpd: int, *, lag: int = 0, done: Mapping[str, int] | None = None, floor: int = -1, **more: Any
    ) -> Said:
        """What it says on a day past due. `done`: steps that went out, by days ago."""
        dates = None if done is None else went_out(done)
        due = b.TODAY - timedelta(days=dpd)
        found = choose_step(self.plan, self.run, self.facts(dpd), due, lag, dates, floor, **more)
        return Said(
            None if found.step is None else found.step.id,
            found.code.value,
            None if found.until is None else (found.until - b.TODAY).days,
            found.next_step,
            found.superseded,
            found.reopened,
        )


def went_out(done: Mapping[str, int]) -> dict[str, date]:
    return {name: b.TODAY - timedelta(days=ago) for name, ago in done.items()}


def due(step: str, *superseded: str, reopened: bool = False) -> Said:
    return Said(step, "STEP_DUE", superseded=superseded, reopened=reopened)


def without_legal(name: str, at: int, **changes: Any) -> dict[str, Any]:
    """A step that needs what this seller does not do, and has no other way."""
    return {"id": name, "at": at, "capability": "will_pursue_legal", **changes}


def never(name: str, at: int) -> dict[str, Any]:
    """A step whose rule does not hold."""
    return {"id": name, "at": at, "when": "not has_pdf"}


THREE = Ladder(("a", 3), ("b", 8), ("c", 20))


# ---- what went out before


def test_e20_the_position_is_that_of_the_furthest_step_and_below_the_first_where_none_went_out() -> None:
    again = Ladder(("a", 3), ("b", 8), {"id": "r", "at": 10, "repeat_every": 7}).plan
    assert [position(again, done) for done in ((), ("strange",), ("r",), ("a",), ("b", "a", "strange"))] == [
        -1,
        -1,
        -1,
        0,
        1,
    ]


def test_e30_steps_done_are_called_by_todays_names_and_strange_ones_by_their_own() -> None:
    plan = Ladder({"id": "a", "at": 3, "aliases": ["old"]}).plan
    done = went_out({"old": 5, "strange": 2})
    assert named(plan, done) == {"a": done["old"], "strange": done["strange"]}


# ---- the latest step


@pytest.mark.parametrize(
    ("dpd", "expected"),
    [
        (0, Said(None, "NOT_YET_DUE", 3, "a")),
        (1, Said(None, "NEXT_STEP", 2, "a")),
        (3, due("a")),
        (8, due("b", "a")),
        (30, due("c", "a", "b")),
    ],
)
def test_e24_the_latest_step_is_due_and_those_before_it_are_superseded(dpd: int, expected: Said) -> None:
    assert THREE.at(dpd) == expected


@pytest.mark.parametrize(
    ("dpd", "done", "expected"),
    [
        (0, {"a": 1}, Said(None, "NEXT_STEP", 8, "b")),
        (3, {"a": 0}, Said(None, "NEXT_STEP", 5, "b")),
        (8, {"a": 5}, due("b")),
        (30, {"a": 5}, due("c", "b")),
        (30, {"c": 5}, Said(None, "CADENCE_EXHAUSTED")),
        (5, {"b": 1}, Said(None, "NEXT_STEP", 15, "c")),
    ],
)
def test_e20_what_went_out_covers_all_before_it(dpd: int, done: dict[str, int], expected: Said) -> None:
    assert THREE.at(dpd, done=done) == expected


def test_a_step_before_the_due_date_is_never_told_as_superseded() -> None:
    note = {"id": "note", "at": -3, "window": [-5, -1], "purpose": "pre_due"}
    assert Ladder(note, ("a", 3), never("n", 5), ("b", 8)).at(9) == due("b", "a")


def test_what_does_not_apply_hides_none_before_it_and_is_no_next_step() -> None:
    ladder = Ladder(("a", 3), ("b", 8), never("n", 9), never("m", 12), ("c", 20))
    assert ladder.at(10) == due("b", "a")
    assert ladder.at(10, done={"b": 1}) == Said(None, "NEXT_STEP", 10, "c")


def test_what_is_missed_hides_none_before_it() -> None:
    ladder = Ladder({"id": "a", "at": 3}, {"id": "b", "at": 8, "window": [8, 10]}, ("c", 20))
    assert [ladder.at(dpd) for dpd in (10, 11)] == [due("b", "a"), due("a")]
    assert ladder.at(10, lag=1) == due("a"), "the message can go out only tomorrow"
    ladder = Ladder({"id": "b", "at": 8, "window": [8, 10]}, ("c", 20))
    assert ladder.at(12) == Said(None, "WINDOW_MISSED", 8, "c")
    assert ladder.at(12, done={"strange": 1}) == Said(None, "NEXT_STEP", 8, "c")
    assert Ladder({"id": "b", "at": 8, "window": [8, 10]}).at(12) == Said(None, "WINDOW_MISSED")


def test_r18_what_needs_a_capability_hides_none_before_it_and_says_what_comes_next() -> None:
    assert Ladder(("a", 3), without_legal("l", 8), ("c", 20)).at(9) == due("a")
    undeclared = "CAPABILITY_NOT_DECLARED"
    assert Ladder(without_legal("l", 8), ("c", 20)).at(9) == Said(None, undeclared, 11, "c")
    assert Ladder(without_legal("l", 8)).at(9) == Said(None, undeclared)


@pytest.mark.parametrize(("day", "sent"), [(4, True), (5, True), (6, False)])
def test_e24_drop_looks_at_the_calendar_it_is_given(day: int, sent: bool) -> None:
    # Today is a Wednesday. In this week Tuesdays are closed, so what falls on the day before goes out today.
    class Closed(ar.WeekendCalendar):
        def is_business_day(self, on: Any, country: str | None = None) -> bool:
            return on.weekday() != 1 and super().is_business_day(on, country)

    ladder = Ladder(("a", 4), calendar=Closed(weekend=frozenset()), catch_up={"mode": "drop"})
    assert ladder.at(day) == (due("a") if sent else Said(None, "WINDOW_MISSED"))


# ---- steps that must go out first


def needing(*required: str, **changes: Any) -> dict[str, Any]:
    return {"id": "last", "at": 30, "requires": list(required), **changes}


def test_e24_what_is_required_opens_again_and_says_when_its_window_is_over() -> None:
    ladder = Ladder(("a", 3), {"id": "b", "at": 8, "window": [8, 31]}, needing("b"))
    assert [ladder.at(dpd) for dpd in (30, 31, 32)] == [due("b"), due("b"), due("b", reopened=True)]
    assert [ladder.at(30, lag=lag) for lag in (1, 2)] == [due("b"), due("b", reopened=True)]
    assert ladder.at(32, done={"b": 5}) == due("last")


def test_e24_the_first_of_a_chain_that_never_went_out_comes_first() -> None:
    ladder = Ladder(("a", 3), {"id": "b", "at": 8, "requires": ["a"]}, needing("b"))
    assert ladder.at(30) == due("a")
    assert ladder.at(30, done={"a": 5}) == due("b")


def test_e24_a_chain_may_be_as_long_as_it_likes() -> None:
    chain = [{"id": f"s{n}", "at": n, "requires": [f"s{n - 1}"] if n else []} for n in range(1500)]
    assert Ladder(*chain).at(1499) == due("s0")
    assert Ladder(*chain).at(1499, done={f"s{n}": n for n in range(800)}) == due("s800")


def test_e24_what_went_out_hides_no_other_that_is_required() -> None:
    ladder = Ladder(("a", 3), ("b", 8), needing("a", "b"))
    assert ladder.at(30, done={"a": 5}) == due("b")


def test_e24_nothing_waits_for_what_is_switched_off_or_contacts_nobody() -> None:
    off = {"id": "off", "at": 5, "enabled": False}
    inside = {"id": "inside", "at": 6, "kind": "decision", "options": ["stop"], "channels": []}
    assert Ladder(off, inside, needing("off", "inside")).at(30) == due("last", "inside")
    assert Ladder(off, inside, ("b", 8), needing("off", "inside", "b")).at(30) == due("b")


# ---- steps that come again


def weekly(name: str = "r", at: int = 10, every: int = 7, **changes: Any) -> dict[str, Any]:
    return {"id": name, "at": at, "repeat_every": every, **changes}


REPEATING = Ladder(("a", 3), weekly(window=[10, 40]))


@pytest.mark.parametrize(
    ("dpd", "lag", "done", "expected"),
    [
        (9, 0, {"a": 5}, Said(None, "CADENCE_EXHAUSTED")),
        (10, 0, {"a": 5}, due("r")),
        (40, 0, {"a": 5}, due("r")),
        (41, 0, {"a": 5}, Said(None, "CADENCE_EXHAUSTED")),
        (38, 2, {"a": 5}, due("r")),
        (39, 2, {"a": 5}, Said(None, "CADENCE_EXHAUSTED")),
        (20, 0, {"a": 9, "r": 6}, Said(None, "NEXT_STEP", 1, "r")),
        (20, 0, {"a": 9, "r": 7}, due("r")),
        (20, 1, {"a": 9, "r": 6}, due("r")),
        (20, 1, {"a": 9, "r": 5}, Said(None, "NEXT_STEP", 2, "r")),
        (12, 0, {}, due("a")),
    ],
)
def test_r53_a_step_that_repeats_stands_behind_the_ladder_and_keeps_its_window(
    dpd: int, lag: int, done: dict[str, int], expected: Said
) -> None:
    assert REPEATING.at(dpd, lag=lag, done=done) == expected


def test_r53_what_cannot_repeat_hides_no_other_that_can() -> None:
    barred = (weekly("w", window=[10, 11]), weekly("n", when="not has_pdf"))
    blocked = without_legal("l", 10, repeat_every=7)
    assert Ladder(("a", 3), *barred, blocked, weekly()).at(20, done={"a": 5}) == due("r")


def test_r53_of_what_is_waited_for_the_first_is_told_and_the_ladder_before_a_repetition() -> None:
    ladder = Ladder(("a", 3), ("b", 25), weekly("r"), weekly("s", every=3))
    done = {"a": 9, "r": 4, "s": 1}
    assert ladder.at(20, done=done) == Said(None, "NEXT_STEP", 2, "s")
    assert ladder.at(23, done={**done, "s": 0, "r": 6}) == Said(None, "NEXT_STEP", 1, "r")
    assert ladder.at(23, done={**done, "s": 1, "r": 0}) == Said(None, "NEXT_STEP", 2, "b")


# ---- one after the other


SEQUENTIAL = Ladder(("a", 3), ("b", 8), ("c", 20), catch_up={"mode": "sequential"})


@pytest.mark.parametrize(
    ("dpd", "lag", "done", "expected"),
    [
        (0, 0, {}, Said(None, "NOT_YET_DUE", 3, "a")),
        (1, 0, {}, Said(None, "NEXT_STEP", 2, "a")),
        (0, 0, {"strange": 1}, Said(None, "NEXT_STEP", 3, "a")),
        (40, 0, {}, due("a")),
        (40, 0, {"a": 4}, Said(None, "NEXT_STEP", 1, "b")),
        (40, 0, {"a": 5}, due("b")),
        (40, 2, {"a": 3}, due("b")),
        (40, 2, {"a": 2}, Said(None, "NEXT_STEP", 3, "b")),
        (7, 3, {"a": 5}, Said(None, "NEXT_STEP", 1, "b")),
        (40, 0, {"c": 5}, Said(None, "CADENCE_EXHAUSTED")),
    ],
)
def test_e25_steps_keep_their_distance_to_the_day_on_which_the_last_one_went_out(
    dpd: int, lag: int, done: dict[str, int], expected: Said
) -> None:
    assert SEQUENTIAL.at(dpd, lag=lag, done=done) == expected


def test_e25_with_the_least_spacing_only_the_gap_between_contacts_is_kept() -> None:
    ladder = Ladder(
        ("a", 3),
        ("b", 8),
        catch_up={"mode": "sequential", "spacing": "minimum"},
        limits={"min_gap_days": 2},
    )
    assert ladder.at(40, done={"a": 1}) == Said(None, "NEXT_STEP", 1, "b")
    assert ladder.at(40, done={"a": 2}) == due("b")


def test_e22_a_position_that_was_inherited_says_no_day_to_keep_a_distance_to() -> None:
    assert SEQUENTIAL.at(40, floor=0) == due("b")


def test_e22_whoever_takes_over_from_a_paid_invoice_starts_at_the_first_step() -> None:
    assert THREE.at(40, restart=True) == due("a")
    assert THREE.at(40, restart=True, done={"a": 9}) == due("c", "b")


def test_e25_a_note_before_the_due_date_is_passed_over_when_its_days_are_over() -> None:
    note = {"id": "note", "at": -3, "window": [-5, -1], "purpose": "pre_due"}
    ladder = Ladder(note, never("n", 1), ("a", 3), catch_up={"mode": "sequential"})
    assert ladder.at(-2) == due("note")
    assert ladder.at(-1) == due("note")
    assert ladder.at(-2, lag=1) == due("note")
    assert ladder.at(-1, lag=1) == Said(None, "NOT_YET_DUE", 4, "a")


def test_e25_a_step_after_its_window_goes_out_and_says_so() -> None:
    ladder = Ladder({"id": "a", "at": 3, "window": [3, 6]}, catch_up={"mode": "sequential"})
    assert [ladder.at(dpd) for dpd in (6, 7)] == [due("a"), due("a", reopened=True)]
    assert [ladder.at(5, lag=lag) for lag in (1, 2)] == [due("a"), due("a", reopened=True)]


def test_r18_what_needs_a_capability_is_waited_for_when_it_is_the_next() -> None:
    ladder = Ladder(without_legal("l", 8), ("c", 20), catch_up={"mode": "sequential"})
    assert ladder.at(30) == Said(None, "CAPABILITY_NOT_DECLARED", None, "l")


def test_a_plan_of_nothing_but_repetition_is_walked_too() -> None:
    ladder = Ladder(weekly(), catch_up={"mode": "sequential"})
    assert ladder.at(9) == Said(None, "CADENCE_EXHAUSTED")
    assert ladder.at(10) == due("r")


# ---- what an invoice is covered for when another one leads


def rides(ladder: Ladder, dpd: int, lead: str, *done: str, chosen: str | None = None) -> str | None:
    steps = ladder.plan.by_id
    own = None if chosen is None else steps[chosen]
    found = own_step_up_to(ladder.plan, ladder.facts(dpd), steps[lead], done, own)
    return None if found is None else found.id


def test_e20_an_invoice_rides_along_with_its_own_step_but_none_beyond_the_leads() -> None:
    assert rides(THREE, 30, "b", chosen="a") == "a"
    assert rides(THREE, 30, "b", chosen="b") == "b"
    assert rides(THREE, 30, "b", chosen="c") is None


def test_e20_a_step_whose_window_is_open_rides_along_before_its_day() -> None:
    ladder = Ladder(
        {"id": "a", "at": 3, "window": [3, 9]},
        {"id": "b", "at": 8, "window": [5, 9]},
        never("n", 9),
        {"id": "need", "at": 10, "window": [1, 30], "requires": ["b"]},
        {"id": "inside", "at": 11, "window": [1, 30], "kind": "decision", "options": ["x"], "channels": []},
        ("c", 20),
    )
    assert [rides(ladder, dpd, "c") for dpd in (2, 3, 4, 5, 9, 10)] == [None, "a", "a", "b", "b", None]
    assert rides(ladder, 9, "a") == "a"
    assert rides(ladder, 9, "c", "b") is None
    assert rides(ladder, 9, "c", "a") == "b"
