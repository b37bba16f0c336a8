"""Each kind of answer of `why_not` in full: the fact, what it would have to be, what it is, the code and the day that time brings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.conditions import Condition
from ar_core.cadence.leading import _made_true
from tests.cadence import books as b
from tests.cadence.test_why_not import run

DAY = timedelta(days=1)
Row = tuple[str, str, str | None, str | None, int | None]
FOUR = ("first", "demand", "call", "letter")


def rows(evaluation: ar.Evaluation, step: str) -> list[Row]:
    """The needed facts; a day as its distance from today."""
    found = ar.why_not(evaluation, b.invoice_id(), step)
    assert (found.invoice_id, found.step, found.fires) == (b.invoice_id(), step, False)
    return [
        (f.fact, f.needed, f.actual, f.code, None if f.earliest is None else (f.earliest - b.TODAY).days)
        for f in found.would_fire_if
    ]


def disputed(record: Any, dpd: int = 9) -> Callable[[], ar.Evaluation]:
    return lambda: b.run(b.invoice(dpd=dpd), record)


CASES: dict[str, tuple[Callable[[], ar.Evaluation], str, list[Row]]] = {
    "its day comes, that day alone": (
        lambda: run("xero_parity", 3),
        "reminder_7",
        [("dpd", "== 7", "3", "NOT_YET_DUE", 4)],
    ),
    "its day comes and stays": (
        lambda: run("balanced", 3),
        "demand",
        [("dpd", ">= 8", "3", "NOT_YET_DUE", 5)],
    ),
    "its window is over": (
        lambda: run("balanced", 9),
        "first",
        [("dpd", "<= 7", "9", "WINDOW_MISSED", None)],
    ),
    "a later step took its place": (
        lambda: run("sprint_3_5_10", 12),
        "first",
        [("dpd", "<= 4", "12", "SUPERSEDED", None)],
    ),
    "a later step is in the way for some days": (
        lambda: run("funnel_5", 40),
        "demand_1",
        [("dpd", ">= 46", "40", "SUPERSEDED", 6)],
    ),
    "it is one day only and over": (
        lambda: run("xero_parity", 9),
        "reminder_7",
        [("dpd", "== 7", "9", "SUPERSEDED", None)],
    ),
    "days of grace": (
        lambda: b.run(b.invoice(dpd=1), policy=b.changed("balanced", clock={"grace_days": 4})),
        "first",
        [("dpd", ">= 5", "1", "GRACE_DAYS", 4)],
    ),
    "it went out": (
        lambda: run("balanced", 12, ["demand"]),
        "demand",
        [("touch of demand", "is not on record", "on record", "NEXT_STEP", None)],
    ),
    "what it requires did not go out": (
        lambda: b.run(
            b.invoice(dpd=50), policy=b.changed("balanced", capabilities={"will_pursue_legal": True})
        ),
        "letter",
        [("touch of demand", "is on record", "not on record", None, None)],
    ),
    "a capability": (
        lambda: b.run(
            b.invoice(dpd=50),
            policy=b.changed("balanced", steps=[{"id": "letter", "else": None, "requires": []}]),
        ),
        "letter",
        [("capabilities.will_pursue_legal", "is true", "false", "CAPABILITY_NOT_DECLARED", None)],
    ),
    "it is switched off": (
        lambda: run("balanced", 6),
        "nudge_sms",
        [
            ("steps.nudge_sms.enabled", "is true", "false", None, None),
            ("no_address", "no longer holds", "A task to find an address is open.", "NO_ADDRESS", None),
        ],
    ),
    "a promise": (
        disputed(b.promise(on=5)),
        "demand",
        [
            (
                "promise",
                "verdict is broken or withdrawn",
                "local:pr1: A promise to pay is open.",
                "PTP_OPEN",
                8,
            )
        ],
    ),
    "a promise in its grace": (
        disputed(b.promise(on=-1)),
        "demand",
        [
            (
                "promise",
                "verdict is broken or withdrawn",
                "local:pr1: A promise to pay is within its grace.",
                "PTP_IN_GRACE",
                2,
            )
        ],
    ),
    "a dispute": (
        disputed(b.dispute()),
        "demand",
        [("dispute", "is resolved", "local:d1: The invoice is disputed.", "DISPUTED", None)],
    ),
    "a contact too recently": (
        disputed(b.touch(ago=1)),
        "demand",
        [("min_gap", "no longer holds", "The customer was contacted too recently.", "MIN_GAP", 2)],
    ),
    "an address": (
        disputed(b.contact(email=None, phone=None, mobile=None, postal=None)),
        "demand",
        [("no_address", "no longer holds", "A task to find an address is open.", "NO_ADDRESS", None)],
    ),
    "money on account": (
        disputed(b.payment(unapplied="100")),
        "demand",
        [
            (
                "credit_balance",
                "no longer holds",
                "Netted, the customer owes nothing in this currency.",
                "CREDIT_BALANCE",
                None,
            )
        ],
    ),
    "not posted": (
        lambda: b.run(b.invoice(dpd=9, document_status=ar.DocumentStatus.DRAFT)),
        "demand",
        [("not_posted", "no longer holds", "A draft, or not approved yet.", "NOT_POSTED", None)],
    ),
    "issued later": (
        lambda: b.run(b.invoice(dpd=-40, issue_date=b.TODAY + 3 * DAY)),
        "demand",
        [
            (
                "not_yet_issued",
                "no longer holds",
                "Its issue date lies after the as-of date.",
                "NOT_YET_ISSUED",
                3,
            ),
            ("dpd", ">= 8", "-40", "NOT_YET_DUE", 48),
        ],
    ),
    "nobody known": (
        lambda: b.run(b.invoice(dpd=9, customer_id=None)),
        "demand",
        [
            (
                "customer_unknown",
                "no longer holds",
                "The invoice names a customer the snapshot does not have.",
                "CUSTOMER_UNKNOWN",
                None,
            )
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_stands_in_the_way_is_told_in_full(case: str) -> None:
    make, step, expected = CASES[case]
    assert rows(make(), step) == expected


def test_an_answer_reads_as_a_sentence() -> None:
    switched_off = b.run(b.invoice(dpd=6), b.promise(on=5))
    assert str(ar.why_not(switched_off, b.invoice_id(), "nudge_sms")) == (
        f"nudge_sms would fire for {b.invoice_id()} if promise verdict is broken or withdrawn "
        "(is local:pr1: A promise to pay is open.) and steps.nudge_sms.enabled is true (is false) "
        "and no_address no longer holds (is A task to find an address is open.)"
    )
    evaluation = run("balanced", 9)
    fires = ar.why_not(evaluation, b.invoice_id(), "demand")
    assert (fires.fires, fires.would_fire_if) == (True, ())
    assert str(fires) == f"demand fires for {b.invoice_id()}"
    assert str(ar.why_not(evaluation, b.invoice_id(), "first")) == (
        f"first would fire for {b.invoice_id()} if dpd <= 7 (is 9)"
    )


def test_what_is_not_there_is_refused_with_what_there_is() -> None:
    evaluation = run("xero_parity", 9)
    with pytest.raises(LookupError) as caught:
        ar.why_not(evaluation, b.invoice_id(), "demand")
    assert caught.value.args == (
        "xero_parity@1 has no step 'demand'; it has reminder_7, reminder_14, reminder_21",
    )
    with pytest.raises(LookupError) as caught:
        ar.why_not(evaluation, "i9", "reminder_7")
    assert caught.value.args == ("'i9' is no open invoice of this evaluation",)


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("==", 3, 3),
        (">=", 3, 3),
        ("<=", 3, 3),
        (">", 3, 4),
        ("<", 3, 2),
        ("in", ("x", "y"), "x"),
        ("is", None, None),
    ],
)
def test_a_condition_is_supposed_true_by_a_value_that_makes_it_so(
    operator: str, wanted: Any, value: Any
) -> None:
    given = [
        Condition("dpd", ">", 3),
        Condition("stage", "==", "late"),
        Condition("empty", "in", ()),
        Condition("other", "!=", 3),
        Condition("fact", operator, wanted),
    ]
    assert _made_true(given) == {"fact": value}
