"""`why_not` and what stands behind what is looked at first: every hold, then the limits, then the way to the customer."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence import CODES
from ar_core.calendar import wall_time
from tests.cadence import books as b
from tests.cadence.test_why_not_in_full import Row, rows
from tests.cadence.test_why_not_together import check, pause, reply

DAY = timedelta(days=1)
Code = ar.Code


def told(code: Code, days: int | None = None, record: str | None = None) -> Row:
    """A row for something that no longer holds; `days` until it ends by itself."""
    actual = CODES[code].meaning if record is None else f"local:{record}: {CODES[code].meaning}"
    return (code.value.lower(), "no longer holds", actual, code.value, days)


def resolved(record: str) -> Row:
    return ("dispute", "is resolved", f"local:{record}: The invoice is disputed.", "DISPUTED", None)


def withdrawn(record: str, days: int) -> Row:
    actual = f"local:{record}: A promise to pay is open."
    return ("promise", "verdict is broken or withdrawn", actual, "PTP_OPEN", days)


def part(name: str, amount: str, **changes: Any) -> ar.Dispute:
    return b.dispute(name, disputed_amount=Decimal(amount), currency="USD", **changes)


def day(needed: str, dpd: int, days: int | None, code: str = "NOT_YET_DUE") -> Row:
    return ("dpd", needed, str(dpd), code, days)


# ---- holds behind holds


def test_a_dispute_and_a_promise_are_both_in_the_way() -> None:
    records = [b.invoice(dpd=9), b.dispute(), b.promise()]
    assert rows(b.run(*records), "demand") == [resolved("d1"), withdrawn("pr1", 8)]
    assert check(records) == [Code.DISPUTED, Code.PTP_OPEN]


def test_a_dispute_and_a_touch_of_yesterday_are_both_in_the_way() -> None:
    records = [b.invoice(dpd=9), b.dispute(), b.touch(ago=1)]
    assert rows(b.run(*records), "demand") == [resolved("d1"), told(Code.MIN_GAP, 2)]
    assert check(records) == [Code.DISPUTED, Code.MIN_GAP]


def test_every_stop_on_the_account_is_named_and_then_the_holds_on_the_invoice() -> None:
    flags = ("legal_stop", "do_not_contact", "odd_1", "odd_2", "human_only")
    records = [b.invoice(dpd=9), b.profile(flags=flags), pause("h1"), b.dispute()]
    expected = [
        told(Code.LEGAL_STOP),
        told(Code.UNKNOWN_FLAG),
        told(Code.DO_NOT_CONTACT),
        told(Code.PAUSED, record="h1"),
        resolved("d1"),
    ]
    assert rows(b.run(*records), "demand") == expected
    assert check(records) == [row[3] for row in expected]


@pytest.mark.parametrize("flag", ["legal_stop", "odd_1"])
def test_e40_a_stop_on_a_parent_is_over_with_the_parents_flag(flag: str) -> None:
    parent, child = b.customer("c0"), b.customer("c1", parent_id=b.customer_id("c0"))
    above = b.profile("c0", flags=(flag,))
    records = [parent, child, above, b.contact("c0"), b.invoice(dpd=9), b.dispute()]
    assert check(records) == [Code.LEGAL_STOP if flag == "legal_stop" else Code.UNKNOWN_FLAG, Code.DISPUTED]
    assert check([*records, b.profile(flags=(flag,))])[1:] == [Code.DISPUTED]


def test_of_several_pauses_disputes_and_promises_each_that_stands_is_named() -> None:
    records = [
        b.invoice(dpd=9),
        *(
            pause(name, about=about)
            for name, about in (("h1", "i1"), ("h2", "i1"), ("h3", None), ("h4", "i2"))
        ),
        *(b.dispute(name) for name in ("d1", "d2")),
        *(b.promise(name, on=on) for name, on in (("pr1", 5), ("pr2", 6))),
    ]
    assert rows(b.run(*records), "demand") == [
        told(Code.PAUSED, record="h3"),
        told(Code.PAUSED, record="h1"),
        told(Code.PAUSED, record="h2"),
        resolved("d1"),
        resolved("d2"),
        withdrawn("pr2", 9),
    ]
    check(records)


def test_e31_a_dispute_that_was_resolved_lately_is_told_beside_one_that_is_open() -> None:
    records = [b.invoice(dpd=9), b.dispute("d1", resolved_on=b.TODAY - DAY), b.dispute("d2")]
    assert rows(b.run(*records), "demand") == [resolved("d2"), told(Code.DISPUTE_COOLING, 2, "d1")]
    check(records)


def test_a_dispute_that_is_resolved_rests_no_longer_than_it_has_to() -> None:
    policy = b.changed("balanced", steps=[{"id": "demand", "when": "open_disputes == 1"}])
    records = [b.invoice(dpd=9), b.dispute()]
    assert rows(b.run(*records, policy=policy), "demand") == [
        resolved("d1"),
        ("open_disputes", "== 1", "1", None, None),
    ]


# ---- parts that stop an invoice together


def test_of_disputes_about_parts_only_as_many_are_named_as_have_to_end() -> None:
    two = [b.invoice(dpd=9), part("d1", "40"), part("d2", "60")]
    assert rows(b.run(*two), "demand") == [resolved("d2")]
    check(two)
    three = [b.invoice(dpd=9), *(part(f"d{n}", "60") for n in (3, 1, 2))]
    assert rows(b.run(*three), "demand") == [resolved("d1"), resolved("d2")]
    check(three)


@pytest.mark.parametrize(
    "other",
    [
        part("d9", "95", ago=-1),
        part("d9", "95", resolved_on=b.TODAY),
        part("d9", "95", about="i2"),
    ],
)
def test_a_dispute_that_stops_nothing_today_is_not_named(other: ar.Dispute) -> None:
    records = [b.invoice(dpd=9), b.invoice("i2", 9), part("d1", "40"), part("d2", "60"), other]
    assert resolved("d9") not in rows(b.run(*records), "demand")
    assert resolved("d2") in rows(b.run(*records), "demand")


@pytest.mark.parametrize(
    "other",
    [part("d9", "95", ago=0), part("d9", "95", opened_on=None), part("d9", "95", resolved_on=b.TODAY + DAY)],
)
def test_a_dispute_that_is_open_today_is_named(other: ar.Dispute) -> None:
    records = [b.invoice(dpd=9), part("d2", "60"), other]
    assert rows(b.run(*records), "demand") == [resolved("d9")]
    check(records)


def test_a_dispute_about_a_part_and_a_promise_of_the_rest_are_over_with_one_of_them() -> None:
    records = [b.invoice(dpd=9), part("d1", "60"), b.promise(promised_amount=Decimal(50))]
    assert check(records) == [Code.PTP_OPEN]


# ---- what the customer said


def test_r43_each_reply_that_is_being_dealt_with_is_named() -> None:
    records = [b.invoice(dpd=9), reply("r1", ago=1), reply("r2", ago=0)]
    assert rows(b.run(*records), "demand") == [
        told(Code.REPLY_PENDING, 1, "r1"),
        told(Code.REPLY_PENDING, 2, "r2"),
    ]
    check(records)


def test_what_was_said_in_a_contact_of_ours_is_apart_from_the_contact() -> None:
    asked = b.touch("t1", ago=1, channel=ar.Channel.VOICE, intent=ar.Intent.QUESTION, key="k1")
    assert rows(b.run(b.invoice(dpd=9), asked), "demand") == [
        told(Code.REPLY_PENDING, 1, "t1"),
        told(Code.MIN_GAP, 2),
    ]


def test_r43_a_promise_that_is_withdrawn_stays_on_record_for_the_reply_that_gave_it() -> None:
    records = [b.invoice(dpd=9), b.promise(given=1), reply("r1", ago=1, intent=ar.Intent.PROMISED)]
    assert check(records) == [Code.PTP_OPEN]


# ---- what is not chased at all


@pytest.mark.parametrize(
    ("status", "code"),
    [("draft", Code.NOT_POSTED), ("voided", Code.VOIDED), ("unknown", Code.UNKNOWN_STATUS)],
)
def test_an_invoice_of_another_status_may_be_disputed_and_early_as_well(status: str, code: Code) -> None:
    invoice = b.invoice(dpd=9, document_status=ar.DocumentStatus(status))
    evaluation = b.run(invoice, b.invoice("i2", 9), b.dispute(), b.dispute("d2", about="i2"))
    assert rows(evaluation, "call") == [told(code), resolved("d1"), day(">= 22", 9, 13)]


def test_e9_what_is_not_issued_yet_is_looked_at_as_if_it_were() -> None:
    invoice = b.invoice(dpd=9, issue_date=b.TODAY + DAY)
    assert rows(b.run(invoice, b.dispute()), "demand") == [told(Code.NOT_YET_ISSUED, 1), resolved("d1")]


def test_a_draft_that_owes_nothing_or_less_says_so() -> None:
    draft = b.invoice(dpd=9, document_status=ar.DocumentStatus.DRAFT, balance_due=Decimal(-5))
    assert rows(b.run(draft), "demand") == [told(Code.NOT_POSTED), told(Code.NEGATIVE_ITEM)]
    nothing = b.invoice(dpd=9, document_status=ar.DocumentStatus.UNKNOWN, balance_due=Decimal(0))
    assert rows(b.run(nothing), "demand") == [told(Code.UNKNOWN_STATUS)]


# ---- limits and ways


def test_of_the_limits_of_an_account_the_one_that_lasts_longest_is_named() -> None:
    policy = b.changed("balanced", limits={"max_touches_per_7d": 1})
    records = [b.invoice(dpd=9), b.dispute(), b.touch(ago=1), b.payment(ago=1)]
    assert rows(b.run(*records, policy=policy), "demand") == [resolved("d1"), told(Code.WEEK_CAP, 6)]
    assert check(records, policy) == [Code.DISPUTED, Code.WEEK_CAP]


def test_e29_behind_an_attempt_nobody_knows_of_the_days_after_a_contact_are_named() -> None:
    unclear = b.touch("t2", ago=0, outcome=ar.TouchOutcome.AMBIGUOUS)
    records = [b.invoice(dpd=9), b.touch("t1", ago=1), unclear]
    assert rows(b.run(*records), "demand") == [
        told(Code.AMBIGUOUS_ATTEMPT, record="t2"),
        told(Code.MIN_GAP, 2),
    ]
    check(records)


def test_e12_a_payment_lies_as_far_back_as_the_days_that_have_to_pass() -> None:
    policy = b.changed("balanced", limits={"post_payment_quiet_days": 9})
    records = [b.invoice(dpd=9), b.touch(ago=4), b.payment(ago=4), b.payment("p2", payment_date=None)]
    assert rows(b.run(*records, policy=policy), "demand") == [told(Code.POST_PAYMENT_QUIET, 5)]
    check(records[:3], policy)


@pytest.mark.parametrize("dpd", [9, 3])
def test_e43_behind_the_days_after_a_contact_no_address_is_named(dpd: int) -> None:
    nobody = b.contact(email=None, phone=None, mobile=None, postal=None)
    age = [day(">= 8", 3, 5)] if dpd == 3 else []
    assert rows(b.run(b.invoice(dpd=dpd), b.touch(ago=1), nobody), "demand") == [
        *age,
        told(Code.MIN_GAP, 2),
        told(Code.NO_ADDRESS),
    ]


def test_e37_who_is_away_is_told_with_the_day_of_return() -> None:
    away = b.profile(out_of_office=(ar.OutOfOffice(until=b.TODAY + DAY),))
    assert rows(b.run(b.invoice(dpd=3), away), "demand") == [
        day(">= 8", 3, 5),
        told(Code.OUT_OF_OFFICE, 2),
    ]


def test_e16_an_amount_too_small_leaves_the_days_after_a_contact_and_the_way_to_be_named() -> None:
    policy = b.changed("balanced", limits={"min_invoice": {"USD": "500"}})
    nobody = b.contact(email=None, phone=None, mobile=None, postal=None)
    assert rows(b.run(b.invoice(dpd=9), b.touch(ago=1), nobody, policy=policy), "demand") == [
        told(Code.BELOW_THRESHOLD),
        told(Code.MIN_GAP, 2),
        told(Code.NO_ADDRESS),
    ]


def test_an_invoice_that_rides_along_needs_no_way_of_its_own() -> None:
    steps = [{"id": "demand", "channels": ["letter"]}, {"id": "call", "channels": ["email"], "else": None}]
    policy = b.changed("balanced", steps=steps)
    only_email = b.contact(phone=None, mobile=None, postal=None)
    records = [b.invoice(dpd=9), b.invoice("i2", 25), only_email, b.dispute()]
    assert rows(b.run(*records, policy=policy), "demand") == [resolved("d1")]
    check(records, policy)


def test_a_channel_that_an_override_adds_is_a_way() -> None:
    only_phone = b.contact(email=None, mobile=None, postal=None)
    extra = {"when": "balance > 50", "add_channels": ["voice"], "origin": "test"}
    policy = b.changed("balanced", overrides=[extra])
    assert rows(b.run(b.invoice(dpd=3), only_phone, policy=policy), "demand") == [day(">= 8", 3, 5)]


def test_e29_behind_a_dispute_a_try_that_failed_is_told_with_the_day_of_the_next() -> None:
    failed = b.touch(ago=0, step="demand", covers=("i1",), outcome=ar.TouchOutcome.FAILED)
    assert rows(b.run(b.invoice(dpd=9), b.dispute(), failed), "demand") == [
        resolved("d1"),
        told(Code.RETRY_BACKOFF, 1),
    ]


def test_e24_e26_behind_the_days_after_a_contact_another_message_of_the_run_is_named() -> None:
    policy = b.changed("balanced", grouping={"by": "invoice"})
    records = [b.invoice("i1", 9), b.invoice("i2", 12), b.touch(ago=1)]
    assert rows(b.run(*records, policy=policy), "demand") == [
        told(Code.MIN_GAP, 2),
        told(Code.RUN_CAP, 1),
    ]


def test_e47_behind_a_dispute_the_cap_of_an_address_is_named() -> None:
    policy = b.changed("balanced", limits={"max_per_address": 1})
    people = [b.contact("c1", email="both@example.com"), b.contact("c2", email="both@example.com")]
    older = b.invoice("i2", 14, "c2", balance_due=Decimal(90))
    records = [b.invoice("i1", 9), older, *people]
    disputed = b.run(*records, b.dispute(), policy=policy)
    assert rows(disputed, "demand") == [resolved("d1"), told(Code.ADDRESS_CAP, 1)]
    assert rows(b.run(*records, policy=policy), "demand") == [told(Code.ADDRESS_CAP, 1)]


def test_a_decision_waits_for_no_limit() -> None:
    records = [b.invoice(dpd=80), b.dispute(), b.touch(ago=1)]
    step = next(s.id for s in b.policy_of("balanced").steps if s.kind == "decision")
    assert b.of(b.run(records[0])).step == step
    assert rows(b.run(*records), step) == [resolved("d1")]


def test_days_after_a_contact_pass_by_the_clock_of_the_organization() -> None:
    """At half past eleven at night, before and after the clocks were put back."""
    late = wall_time(b.TODAY - 23 * DAY, time(23, 30), b.ZONE)
    policy = b.changed("balanced", limits={"min_gap_days": 30})
    touch = b.touch(ago=0, at=late)
    assert rows(b.run(b.invoice(dpd=9), touch, policy=policy), "demand") == [told(Code.MIN_GAP, 7)]


def test_a_feature_is_told_as_it_is_and_asked_for_as_it_would_be() -> None:
    steps = [{"id": "demand", "when": "open_promises == 0 and open_disputes > 1"}]
    records = [b.invoice(dpd=9), b.promise()]
    assert rows(b.run(*records, policy=b.changed("balanced", steps=steps)), "demand") == [
        withdrawn("pr1", 8),
        ("open_disputes", "> 1", "0", None, None),
    ]
