"""Pauses, disputes, promises and replies, day by day: what holds, until when, which of two counts, and when to look again (E31-E40)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b

DAY = timedelta(days=1)


FAR = b.invoice("i1", -60, issue_date=b.TODAY)
"""Issued today: the plan has nothing to say about it for 55 days."""


def on(days: int) -> date:
    return b.TODAY + days * DAY


def looked_at_again(*records: Any, **options: Any) -> int | None:
    """In how many days the evaluation wants to be made again."""
    moment = b.run(*records, **options).next_change_at
    return None if moment is None else (moment.astimezone(ZoneInfo(b.ZONE)).date() - b.TODAY).days


def pause(
    name: str = "p1", *, start: int = -3, end: int | None = 3, about: str | None = None, **changes: Any
) -> ar.Pause:
    return ar.Pause(
        id=f"local:{name}",
        customer_id=b.customer_id(),
        invoice_id=None if about is None else b.invoice_id(about),
        starts_on=on(start),
        ends_on=None if end is None else on(end),
        **changes,
    )


def first(*records: Any, dpd: int = 9, **options: Any) -> ar.Disposition:
    return b.of(b.run(b.invoice("i1", dpd), *records, **options))


# ---- pauses


@pytest.mark.parametrize("about", [None, "i1"])
@pytest.mark.parametrize(
    ("start", "end", "holds", "until"),
    [
        (0, 3, True, 4),
        (-3, 0, True, 1),
        (-3, -1, False, None),
        (-3, None, True, None),
        (1, 3, False, None),
    ],
)
def test_e31_a_pause_holds_from_its_first_to_its_last_day(
    about: str | None, start: int, end: int | None, holds: bool, until: int | None
) -> None:
    outcome = first(pause(start=start, end=end, about=about))
    assert (outcome.code is Code.PAUSED) is holds
    if holds:
        assert outcome.until == (None if until is None else on(until))


@pytest.mark.parametrize("about", [None, "i1"])
@pytest.mark.parametrize(
    ("end", "lifted", "holds", "until"),
    [(5, 0, False, None), (5, -1, False, None), (5, 1, True, 1), (5, 9, True, 6), (None, 2, True, 2)],
)
def test_e31_a_pause_that_is_lifted_ends_on_that_day(
    about: str | None, end: int | None, lifted: int, holds: bool, until: int | None
) -> None:
    outcome = first(pause(end=end, about=about, lifted_on=on(lifted)))
    assert (outcome.code is Code.PAUSED) is holds
    if holds and until is not None:
        assert outcome.until == on(until)


def test_e31_a_pause_to_come_is_looked_at_again_on_its_first_day() -> None:
    assert looked_at_again(FAR, pause(start=4, end=6)) == 4
    assert looked_at_again(FAR) == 55


@pytest.mark.parametrize("about", [None, "i1"])
@pytest.mark.parametrize(("ends", "until"), [((2, 5), 6), ((5, 2), 6), ((None, 5), None), ((5, None), None)])
def test_e31_of_two_pauses_the_longer_one_counts(
    about: str | None, ends: tuple[int | None, int | None], until: int | None
) -> None:
    both = [pause(f"p{n}", end=end, about=about) for n, end in enumerate(ends)]
    assert first(*both).until == (None if until is None else on(until))


def test_e31_a_pause_of_one_invoice_leaves_the_others_alone() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), pause(about="i1"))
    assert (b.of(evaluation, "i1").code, b.of(evaluation, "i2").code) == (Code.PAUSED, Code.STEP_DUE)
    assert b.of(b.run(b.invoice("i2", 9), pause(about="i1")), "i2").code is Code.STEP_DUE
    whole = b.run(b.invoice("i1", 9), b.invoice("i2", 9), pause())
    assert {d.code for d in whole.dispositions} == {Code.PAUSED}
    assert {(p.code, p.record_id) for p in whole.pauses} == {(Code.PAUSED, "local:p1")}


# ---- stops of the whole account


def flagged(*flags: str, owner: str = "c1") -> ar.CustomerProfile:
    return b.profile(owner, flags=flags)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("legal_stop", "new_flag", "do_not_contact"), Code.LEGAL_STOP),
        (("new_flag", "do_not_contact"), Code.UNKNOWN_FLAG),
        (("do_not_contact", "human_only"), Code.DO_NOT_CONTACT),
        (("human_only",), Code.STEP_DUE),
    ],
)
def test_e40_of_several_flags_the_strongest_stops(flags: tuple[str, ...], code: Code) -> None:
    assert first(flagged(*flags)).code is code


def child(*records: Any, **options: Any) -> Code:
    family = [
        b.customer("c1", parent_id=b.customer_id("c2")),
        b.customer("c2", parent_id=b.customer_id("c3")),
        b.customer("c3"),
    ]
    return first(*family, *records, **options).code


def test_e40_a_stop_far_above_covers_the_child_and_other_flags_of_a_parent_do_not() -> None:
    assert child(flagged("legal_stop", owner="c3")) is Code.LEGAL_STOP
    assert child(flagged("new_flag", owner="c2")) is Code.UNKNOWN_FLAG
    assert child(flagged("do_not_contact", owner="c2")) is Code.STEP_DUE
    alone = b.changed("balanced", pauses={"legal_stop_covers_children": False})
    assert child(flagged("legal_stop", owner="c3"), policy=alone) is Code.STEP_DUE


@pytest.mark.parametrize(("flags", "actor"), [((), "auto"), (("human_only",), "human")])
def test_r20_the_host_may_leave_a_customer_to_people(flags: tuple[str, ...], actor: str) -> None:
    assert b.only_touch(b.run(b.invoice(dpd=9), flagged(*flags))).actor == actor


# ---- disputes


@pytest.mark.parametrize(
    ("opened", "resolved", "code", "until"),
    [
        (0, None, Code.DISPUTED, None),
        (-5, None, Code.DISPUTED, None),
        (-5, 1, Code.DISPUTED, None),
        (-5, 0, Code.DISPUTE_COOLING, 3),
        (-5, -2, Code.DISPUTE_COOLING, 1),
        (-5, -3, Code.STEP_DUE, None),
        (1, None, Code.STEP_DUE, None),
    ],
)
def test_e31_a_dispute_holds_from_the_day_it_is_opened_and_cools_for_three_days(
    opened: int, resolved: int | None, code: Code, until: int | None
) -> None:
    about = b.dispute(ago=-opened, resolved_on=None if resolved is None else on(resolved))
    outcome = first(about)
    assert outcome.code is code
    if code is not Code.STEP_DUE:
        assert outcome.until == (None if until is None else on(until))


def test_e31_an_undated_dispute_holds() -> None:
    assert first(b.dispute(opened_on=None)).code is Code.DISPUTED


def test_e31_a_dispute_to_come_or_to_be_resolved_is_looked_at_again_on_its_day() -> None:
    assert looked_at_again(FAR, b.dispute(ago=-4)) == 4
    assert looked_at_again(FAR, b.dispute(resolved_on=on(6))) == 6


def test_e31_an_open_dispute_is_stronger_than_one_that_was_settled() -> None:
    settled = b.dispute("d0", resolved_on=on(-1))
    for order in ((settled, b.dispute("d1")), (b.dispute("d1"), settled)):
        assert first(*order).code is Code.DISPUTED


def test_e31_of_two_that_were_settled_the_later_one_cools_longer() -> None:
    for days in ((-2, -1), (-1, -2)):
        both = [b.dispute(f"d{n}", resolved_on=on(day)) for n, day in enumerate(days)]
        assert first(*both).until == on(2)


def part(name: str, amount: str) -> ar.Dispute:
    return b.dispute(name, disputed_amount=Decimal(amount), currency="USD")


@pytest.mark.parametrize(
    ("second", "code", "left"), [("69.99", Code.STEP_DUE, "0.01"), ("70", Code.DISPUTED, None)]
)
def test_e31_disputed_parts_add_up(second: str, code: Code, left: str | None) -> None:
    evaluation = b.run(b.invoice("i1", 9), part("d1", "30"), part("d2", second))
    assert b.of(evaluation).code is code
    if left is not None:
        assert b.only_touch(evaluation).covers[0].amount_to_chase == Decimal(left)


def test_e31_a_part_of_one_invoice_is_no_part_of_another() -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), part("d1", "30"))
    amounts = {c.invoice_id: c.amount_to_chase for c in b.only_touch(evaluation).covers}
    assert amounts == {b.invoice_id("i1"): Decimal(70), b.invoice_id("i2"): Decimal(100)}
    assert b.only_touch(evaluation).totals[0].to_chase == 170


# ---- promises


def test_e33_e34_an_open_promise_is_looked_at_again_when_its_date_and_when_its_grace_is_over() -> None:
    assert looked_at_again(FAR, b.promise(on=5)) == 6
    assert looked_at_again(FAR, b.promise(on=-1)) == 2


@pytest.mark.parametrize(("on_", "code"), [(0, Code.PTP_OPEN), (-1, Code.PTP_IN_GRACE)])
def test_e33_a_promise_pauses_while_open_and_in_grace(on_: int, code: Code) -> None:
    assert first(b.promise(on=on_)).code is code


@pytest.mark.parametrize(
    ("amount", "codes", "left"),
    [
        # The oldest comes first: 95 are within five of its balance, the rest goes to the next.
        ("94.99", {"i1": Code.STEP_DUE, "i2": Code.RIDES_ALONG}, {"i1": "5.01", "i2": "100"}),
        ("95", {"i1": Code.PTP_OPEN, "i2": Code.STEP_DUE}, {"i2": "100"}),
        ("160", {"i1": Code.PTP_OPEN, "i2": Code.STEP_DUE}, {"i2": "40"}),
        ("195", {"i1": Code.PTP_OPEN, "i2": Code.PTP_OPEN}, {}),
    ],
)
def test_e33_the_promised_amount_pauses_the_oldest_first_as_far_as_it_reaches(
    amount: str, codes: dict[str, Code], left: dict[str, str]
) -> None:
    promise = b.promise(covers=("i2", "i1"), promised_amount=Decimal(amount), currency="USD")
    evaluation = b.run(b.invoice("i1", 12), b.invoice("i2", 9), promise)
    assert {name: b.of(evaluation, name).code for name in codes} == codes
    chased = {c.invoice_id: c.amount_to_chase for a in b.touches_of(evaluation) for c in a.covers}
    assert chased == {b.invoice_id(name): Decimal(value) for name, value in left.items()}


def test_e33_what_was_paid_already_is_no_longer_promised() -> None:
    promise = b.promise(promised_amount=Decimal(60), currency="USD", given=5)
    paid = [b.payment(ago=4, amount="40"), b.allocation(ago=4, amount="40")]
    evaluation = b.run(b.invoice("i1", 9, balance_due=Decimal(60)), promise, *paid)
    assert b.only_touch(evaluation).covers[0].amount_to_chase == 40


def test_e33_two_promises_in_part_pause_the_whole() -> None:
    parts = [
        b.promise(f"pr{n}", covers=("i1",), promised_amount=Decimal(50), currency="USD", given=n)
        for n in (1, 2)
    ]
    # The newer one takes the place of the older one, so half is left to be chased.
    assert b.only_touch(b.run(b.invoice("i1", 9), *parts)).covers[0].amount_to_chase == 50
    with_dispute = b.run(b.invoice("i1", 9), parts[0], part("d1", "50"))
    assert b.of(with_dispute).kind is ar.DispositionKind.PAUSED


@pytest.mark.parametrize(
    ("given", "on_", "asked", "paused"),
    [(2, 28, False, True), (2, 29, True, True), (30, 1, True, False), (29, 2, True, True)],
)
def test_e36_a_promise_too_far_away_pauses_for_thirty_days_until_it_is_approved(
    given: int, on_: int, asked: bool, paused: bool
) -> None:
    evaluation = b.run(b.invoice("i1", 9), b.promise(on=on_, given=given))
    assert ("approve_promise" in b.tasks_of(evaluation)) is asked
    assert (b.of(evaluation).code is Code.PTP_OPEN) is paused
    if asked:
        task = next(a for a in evaluation.actions if a.task == "approve_promise")
        assert task.content_requirements == ("promise:local:pr1",)
        assert [c.invoice_id for c in task.covers] == [b.invoice_id("i1")]
        if paused:
            assert b.of(evaluation).until == on(30 - given)


@pytest.mark.parametrize(("dpd", "asked"), [(77, False), (78, True)])
def test_e36_the_stage_on_the_day_the_promise_was_given_counts(dpd: int, asked: bool) -> None:
    # Given two days ago: day 75 is pre-legal, day 76 the write-off review.
    evaluation = b.run(b.invoice("i1", dpd), b.promise(given=2))
    assert ("approve_promise" in b.tasks_of(evaluation)) is asked


def test_e36_the_oldest_of_the_promised_invoices_gives_the_stage() -> None:
    promise = b.promise(covers=("i1", "i2", "unknown"), given=2)
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 90), promise)
    assert "approve_promise" in b.tasks_of(evaluation)
    unsaid = promise.model_copy(update={"given_on": None})
    assert "approve_promise" not in b.tasks_of(b.run(b.invoice("i1", 9), b.invoice("i2", 90), unsaid))


# ---- replies


def said(intent: str, ago: int = 1, about: tuple[str, ...] = ("i1",), **changes: Any) -> ar.Touch:
    fields: dict[str, Any] = {"direction": ar.Direction.INBOUND, "covers": about, **changes}
    return b.touch(f"said-{intent}", ago=ago, intent=ar.Intent(intent), **fields)


def test_r43_an_answer_about_one_invoice_pauses_that_one_and_one_about_none_pauses_all() -> None:
    invoices = [b.invoice("i1", 9), b.invoice("i2", 9)]
    one = b.run(*invoices, said("question"))
    assert (b.of(one, "i1").code, b.of(one, "i2").code) == (Code.REPLY_PENDING, Code.STEP_DUE)
    everything = b.run(*invoices, said("question", about=()))
    assert {d.code for d in everything.dispositions} == {Code.REPLY_PENDING}
    closed = b.run(b.invoice("i2", 9), said("question", about=("i1",)))
    assert (b.of(closed, "i2").code, b.tasks_of(closed)) == (Code.STEP_DUE, [])


def test_r43_what_the_customer_said_on_a_call_of_ours_counts_too() -> None:
    call = b.touch(ago=1, channel=ar.Channel.VOICE, intent=ar.Intent.QUESTION, covers=("i1",))
    assert "answer_question" in b.tasks_of(b.run(b.invoice("i1", 9), call))


@pytest.mark.parametrize(("ago", "asked"), [(29, True), (30, False)])
def test_r43_a_task_for_an_answer_is_raised_for_thirty_days(ago: int, asked: bool) -> None:
    evaluation = b.run(b.invoice("i1", 40), said("question", ago))
    assert ("answer_question" in b.tasks_of(evaluation)) is asked


def test_r43_an_answer_is_looked_at_again_when_its_task_is_over() -> None:
    answer = said("wrong_contact", 3)
    done = b.logged(b.run(FAR, answer))
    assert [touch.step for touch in done] == ["fix_contact"]
    assert looked_at_again(FAR, answer, *done) == 27


@pytest.mark.parametrize(("reference", "paused"), [(None, True), ("PO-7", False)])
def test_r62_a_purchase_order_that_is_there_by_now_pauses_nothing(
    reference: str | None, paused: bool
) -> None:
    policy = b.changed("balanced", limits={"min_gap_days": 0})
    invoices = [b.invoice("i1", 9, customer_reference=reference), b.invoice("i2", 9)]
    evaluation = b.run(*invoices, said("missing_po", about=("i1", "i2")), policy=policy)
    assert b.of(evaluation, "i2").code is Code.REPLY_PENDING
    assert (b.of(evaluation, "i1").code is Code.REPLY_PENDING) is paused
    assert "fix_purchase_order" in b.tasks_of(evaluation)


@pytest.mark.parametrize(("given", "open_"), [(2, True), (1, False), (0, False)])
def test_r43_only_a_promise_given_since_settles_what_was_said(given: int, open_: bool) -> None:
    old = b.promise(on=-1, given=given, covers=("i2",))
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), said("promised"), old)
    assert ("record_promise" in b.tasks_of(evaluation)) is open_


@pytest.mark.parametrize(("ago", "open_"), [(2, True), (1, False), (0, False)])
def test_r43_only_a_dispute_opened_since_settles_what_was_said(ago: int, open_: bool) -> None:
    other = b.dispute(about="i2", ago=ago)
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", 9), said("disputed"), other)
    assert ("record_dispute" in b.tasks_of(evaluation)) is open_


def test_r43_a_refusal_before_anything_was_due_is_forgotten() -> None:
    refused = said("refused", ago=20, about=())
    assert b.only_touch(b.run(b.invoice("i1", 9), refused)).actor == "auto"
    assert b.only_touch(b.run(b.invoice("i1", 22), refused)).actor == "human"


def test_e32_the_first_reason_stays_a_reply_clears_no_dispute_and_no_promise() -> None:
    assert first(b.dispute(), said("question")).code is Code.DISPUTED
    assert first(b.promise(), said("question")).code is Code.PTP_OPEN
