"""`why_not` at its edges: the first and the last day that would do, what a sequence asks for, and what several facts leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import CODES
from tests.cadence import books as b
from tests.cadence.test_reading_policies import minimal, stage, step
from tests.cadence.test_why_not import DAY, EVERY_DAY, run
from tests.cadence.test_why_not_in_full import Row, rows

Make = Callable[[], ar.Evaluation]
STAGES = [stage("early", None, 7), stage("late", 8, None)]
CONFIRMATION = step("a", 0, window=[0, 0], purpose="due_confirmation")
AGENDA: dict[str, Any] = {"kind": "decision", "channels": [], "options": ["call", "wait"]}


def of(
    *steps: dict[str, Any], dpd: int, touched: dict[str, int] | None = None, hour: int = 5, **changes: Any
) -> Make:
    """One invoice so many days past due under these steps, of which some went out so many days ago."""
    touches = [b.touch(n, ago=ago, step=n, covers=("i1",)) for n, ago in (touched or {}).items()]
    settings = {"limits": {"min_gap_days": 0, "max_touches_per_7d": None}, "clock": {"not_after": "18:00:00"}}

    def make() -> ar.Evaluation:
        policy = ar.load_policy(minimal(steps=list(steps), **{**settings, **changes}))
        invoice = b.invoice(dpd=dpd)
        return b.run(invoice, *touches, policy=policy, calendar=EVERY_DAY, at=b.as_of(hour=hour))

    return make


def missing(name: str) -> Row:
    return (f"touch of {name}", "is on record", "not on record", None, None)


def undone(name: str) -> Row:
    return (f"touch of {name}", "is not on record", "on record", "NEXT_STEP", None)


def waiting(name: str, days: int, passed: int) -> Row:
    return (f"days since {name}", f">= {days}", str(passed), "NEXT_STEP", days - passed)


def later(needed: str, dpd: int, days: int, code: str = "NOT_YET_DUE") -> Row:
    return ("dpd", needed, str(dpd), code, days)


def over(needed: str, dpd: int, code: str = "WINDOW_MISSED") -> Row:
    return ("dpd", needed, str(dpd), code, None)


IN_ORDER: dict[str, Any] = {"catch_up": {"mode": "sequential"}}
TIGHT: dict[str, Any] = {"catch_up": {"mode": "sequential", "spacing": "minimum"}}
CASES: dict[str, tuple[Make, str, list[Row]]] = {
    "a feature that is not known": (
        of(step(when="on_time_rate_12m > 0.5"), dpd=3),
        "one",
        [("on_time_rate_12m", "> 0.5", None, None, None)],
    ),
    "a stage that is still to come": (
        of(step(when="stage == 'late'"), dpd=3, stages=STAGES),
        "one",
        [("stage", "== late", "early", None, None)],
    ),
    "a step of a stage takes its place": (
        of(step("a"), step("b", 2, when="stage == 'late'"), dpd=9, stages=STAGES),
        "a",
        [over("<= 7", 9, "SUPERSEDED")],
    ),
    "days of grace that leave no day": (
        of(step(window=[1, 1]), dpd=9, clock={"grace_days": 3}),
        "one",
        [("steps.one", "leaves a day to the step", None, "SUPERSEDED", None)],
    ),
    "what it requires and its day": (
        of(step("a"), step("b", 30, requires=["a"]), dpd=12),
        "b",
        [missing("a"), later(">= 30", 12, 18)],
    ),
    "what it requires where one of two went out": (
        of(step("a"), step("b", 2), step("c", 10, requires=["a", "b"]), dpd=12, touched={"a": 2}),
        "c",
        [missing("b")],
    ),
    "what it requires where people decide": (
        of(step("a", **AGENDA), step("b"), step("c", 10, requires=["a", "b"]), dpd=12),
        "c",
        [missing("b")],
    ),
    "before the due date": (lambda: run("balanced", 3), "heads_up", [over("<= -1", 3)]),
    "the last day of change": (of(step("a"), step("b", 30), dpd=3), "b", [later(">= 30", 3, 27)]),
    "a day before and one to come as near": (
        of(step("a"), step("b", 2, window=[2, 4]), dpd=3),
        "a",
        [later(">= 5", 3, 2, "SUPERSEDED")],
    ),
    "its own day, taken by another": (
        of(step("a", 3), step("b", 3, window=[3, 3]), dpd=3),
        "a",
        [later(">= 4", 3, 1, "SUPERSEDED")],
    ),
    "its last day, in the evening": (of(step(window=[1, 5]), dpd=5, hour=20), "one", [over("<= 4", 5)]),
    "its last day, taken by another": (
        of(step("a", window=[1, 5]), step("b", 5, window=[5, 5]), dpd=5),
        "a",
        [over("<= 4", 5, "SUPERSEDED")],
    ),
    "a sequence before its day": (
        lambda: run("sequential_notices", 8),
        "notice_2",
        [missing("notice_1"), later(">= 10", 8, 2)],
    ),
    "a sequence, with a step for others": (
        of(
            step("a", when="country == 'US'"),
            step("b", 2, when="country == 'DE'"),
            step("c", 5),
            dpd=9,
            **IN_ORDER,
        ),
        "c",
        [missing("a")],
    ),
    "a sequence, with a step whose window is over": (
        of(step("a", window=[1, 2]), step("c", 5), dpd=6, **IN_ORDER),
        "c",
        [missing("a")],
    ),
    "a sequence, after what belongs to a day": (
        of(step("a", 0, window=[0, 0], purpose="due_confirmation"), step("c", 5), dpd=1, **IN_ORDER),
        "c",
        [later(">= 5", 1, 4)],
    ),
    "a sequence, on the day that one belongs to": (
        of(step("x", -2), CONFIRMATION, step("c", 5), dpd=0, **IN_ORDER),
        "c",
        [missing("a"), later(">= 5", 0, 5)],
    ),
    "a sequence, in the evening of that day": (
        of(step("x", -2), CONFIRMATION, step("c", 5), dpd=0, hour=20, **IN_ORDER),
        "c",
        [missing("x"), later(">= 5", 0, 5)],
    ),
    "a sequence that keeps its distance": (
        of(step("a"), step("c", 20), dpd=25, touched={"a": 1}, **IN_ORDER),
        "c",
        [waiting("a", 19, 1)],
    ),
    "a sequence as close as may be": (
        of(
            step("a"),
            step("c", 20),
            dpd=25,
            touched={"a": 1},
            limits={"min_gap_days": 3, "max_touches_per_7d": None},
            **TIGHT,
        ),
        "c",
        [
            waiting("a", 3, 1),
            ("min_gap", "no longer holds", "The customer was contacted too recently.", "MIN_GAP", 2),
        ],
    ),
    "it comes again, and its day is still to come": (
        of(step("a", 10, window=[10, None], repeat_every=7), dpd=5, touched={"a": 2}),
        "a",
        [waiting("a", 7, 2), later(">= 10", 5, 5)],
    ),
    "another one that hides it went on": (
        of(step("x"), step("a", 3), step("b", 3, requires=["x"]), dpd=5, touched={"x": 3}),
        "a",
        [("steps.b", "leaves a day to the step", None, "SUPERSEDED", None)],
    ),
    "it went out and what follows, too": (
        of(step("a"), step("b", 2, window=[2, 4]), dpd=9, touched={"a": 8, "b": 6}),
        "a",
        [undone("a"), undone("b")],
    ),
    "too small, and its day is over": (
        of(step("a", window=[1, 5]), step("b", 6), dpd=9, limits={"min_invoice": {"USD": 500}}),
        "a",
        [
            over("<= 5", 9),
            (
                "below_threshold",
                "no longer holds",
                CODES[ar.Code.BELOW_THRESHOLD].meaning,
                "BELOW_THRESHOLD",
                None,
            ),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_stands_in_the_way_is_told_in_full(case: str) -> None:
    make, name, expected = CASES[case]
    assert rows(make(), name) == expected


def test_e26_the_cap_of_a_run_is_over_with_the_next() -> None:
    policy = ar.load_policy(minimal(grouping={"by": "invoice"}))
    evaluation = b.run(b.invoice("i1", 5), b.invoice("i2", 9), policy=policy)
    (waits,) = [d for d in evaluation.dispositions if d.kind == "wait"]
    (need,) = ar.why_not(evaluation, waits.invoice_id, "one").would_fire_if
    assert (need.fact, need.code, need.earliest) == ("run_cap", waits.code, waits.until)
    assert waits.until == b.TODAY + DAY
