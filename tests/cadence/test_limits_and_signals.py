"""Gaps, caps, thresholds and money on account at their limits; who leads a message; what is signaled, and what is written back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.codes import Code
from tests.cadence import books as b

DAY = timedelta(days=1)


def limited(**limits: Any) -> ar.Policy:
    return b.changed("balanced", limits=limits)


def first(*records: Any, dpd: int = 9, **options: Any) -> ar.Disposition:
    return b.of(b.run(b.invoice("i1", dpd), *records, **options))


# ---- gaps and caps


def test_e26_e45_of_several_gaps_the_longest_counts() -> None:
    policy = b.changed("balanced", steps=[{"id": "first", "min_gap_after": 9, "aliases": ["opening"]}])
    for name in ("first", "opening"):
        sent = b.touch(ago=2, step=name, covers=("i1",))
        outcome = first(sent, policy=policy)
        assert (outcome.code, outcome.until) == (Code.STEP_GAP, b.TODAY + 7 * DAY), name
    short = b.changed("balanced", steps=[{"id": "first", "min_gap_after": 1}])
    assert first(b.touch(ago=2, step="first", covers=("i1",)), policy=short).code is Code.MIN_GAP


def test_e26_the_gap_is_counted_from_the_last_contact() -> None:
    outcome = first(b.touch("t1", ago=9), b.touch("t2", ago=1), b.touch("t3", ago=8))
    assert (outcome.code, outcome.until) == (Code.MIN_GAP, b.TODAY + 2 * DAY)


@pytest.mark.parametrize(("cap", "code"), [(None, Code.STEP_DUE), (4, Code.STEP_DUE), (3, Code.WEEK_CAP)])
def test_e27_the_cap_of_a_week_is_a_setting(cap: int | None, code: Code) -> None:
    sent = [b.touch(f"t{n}", ago=n) for n in (3, 4, 6)]
    outcome = first(*sent, policy=limited(max_touches_per_7d=cap))
    assert outcome.code is code
    if code is Code.WEEK_CAP:
        assert outcome.until == b.TODAY + DAY


def test_e27_over_the_cap_it_frees_when_so_many_are_a_week_old_as_are_too_many() -> None:
    sent = [b.touch(f"t{n}", ago=n) for n in (3, 4, 6)]
    assert first(*sent, policy=limited(max_touches_per_7d=1)).until == b.TODAY + 4 * DAY


@pytest.mark.parametrize(
    ("ago", "code"), [(5, Code.STEP_DUE), (4, Code.POST_PAYMENT_QUIET), (3, Code.POST_PAYMENT_QUIET)]
)
def test_e12_only_a_payment_on_or_after_the_day_of_the_last_contact_is_an_answer_to_it(
    ago: int, code: Code
) -> None:
    policy = limited(post_payment_quiet_days=30)
    paid = b.payment(ago=ago, amount="40")
    outcome = first(b.touch(ago=4), paid, policy=policy)
    assert outcome.code is code
    if code is Code.POST_PAYMENT_QUIET:
        assert outcome.until == b.TODAY + (30 - ago) * DAY
    assert first(paid, policy=policy).code is Code.STEP_DUE, "nobody was contacted: it answers nothing"


def test_e12_the_latest_payment_counts_and_one_to_come_does_not() -> None:
    policy = limited(post_payment_quiet_days=10)
    paid = [b.payment("p1", ago=3), b.payment("p2", ago=1), b.payment("p3", ago=-4)]
    assert first(b.touch(ago=4), *paid, policy=policy).until == b.TODAY + 9 * DAY


def test_e29_an_attempt_nobody_knows_of_stops_everything_without_an_end() -> None:
    unclear = [
        b.touch("t1", ago=9, outcome=ar.TouchOutcome.AMBIGUOUS),
        b.touch("t2", ago=8, outcome=ar.TouchOutcome.AMBIGUOUS),
    ]
    evaluation = b.run(b.invoice("i1", 9), *unclear)
    assert (b.of(evaluation).code, b.of(evaluation).until) == (Code.AMBIGUOUS_ATTEMPT, None)
    assert b.tasks_of(evaluation) == ["resolve_attempt", "resolve_attempt"]


# ---- thresholds


def test_e16_a_threshold_holds_for_its_currency_and_for_what_is_left_to_chase() -> None:
    policy = limited(min_invoice={"USD": "80"})
    partly = b.dispute(disputed_amount=Decimal(30), currency="USD")
    assert first(partly, policy=policy).code is Code.BELOW_THRESHOLD
    euro = b.invoice("i1", 9, currency="EUR", balance_due=Decimal(1))
    assert b.of(b.run(euro, policy=policy)).code is Code.STEP_DUE
    unsaid = b.invoice("i1", 9, currency=None, balance_due=Decimal(1))
    assert b.of(b.run(unsaid, policy=policy)).code is Code.STEP_DUE


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ((), Code.BELOW_THRESHOLD),
        ((b.invoice("i2", 1, balance_due=Decimal("49.99")),), Code.BELOW_THRESHOLD),
        ((b.invoice("i2", 1, balance_due=Decimal(50)),), Code.STEP_DUE),
        ((b.invoice("i2", 0, balance_due=Decimal(50)),), Code.STEP_DUE),
        ((b.invoice("i2", -20, balance_due=Decimal(50)),), Code.BELOW_THRESHOLD),
        ((b.invoice("i2", 1, balance_due=Decimal(50)), b.dispute(about="i2")), Code.BELOW_THRESHOLD),
        ((b.invoice("i2", 1, balance_due=Decimal(1), currency="EUR"),), Code.STEP_DUE),
    ],
)
def test_e16_a_customers_threshold_adds_up_what_is_overdue_or_has_a_step_in_every_currency(
    others: tuple[Any, ...], code: Code
) -> None:
    policy = limited(min_customer={"USD": "150"})
    assert first(*others, policy=policy).code is code


def test_e16_below_the_threshold_in_every_currency_is_below_it() -> None:
    policy = limited(min_customer={"USD": "150", "EUR": "150"})
    both = b.run(b.invoice("i1", 9), b.invoice("i2", 9, currency="EUR"), policy=policy)
    assert {d.code for d in both.dispositions} == {Code.BELOW_THRESHOLD}
    larger = b.run(
        b.invoice("i1", 9), b.invoice("i2", 9, currency="EUR", balance_due=Decimal(150)), policy=policy
    )
    assert b.of(larger).code is not Code.BELOW_THRESHOLD


# ---- money on account


def credit(amount: str, currency: str = "USD", name: str = "p9") -> ar.Payment:
    return b.payment(name, amount=amount, unapplied=amount, currency=currency)


@pytest.mark.parametrize(
    ("amount", "overdue", "before"),
    [
        ("99.99", Code.STEP_DUE, Code.RIDES_ALONG),
        ("100", Code.UNAPPLIED_CREDIT, Code.STEP_DUE),
        ("199.99", Code.UNAPPLIED_CREDIT, Code.STEP_DUE),
        ("200", Code.CREDIT_BALANCE, Code.CREDIT_BALANCE),
    ],
)
def test_e13_e15_money_that_covers_what_is_overdue_stops_that_and_money_that_covers_all_stops_all(
    amount: str, overdue: Code, before: Code
) -> None:
    evaluation = b.run(b.invoice("i1", 9), b.invoice("i2", -3), credit(amount))
    assert (b.of(evaluation, "i1").code, b.of(evaluation, "i2").code) == (overdue, before)
    covered = [c.invoice_id for a in evaluation.actions if a.task == "apply_cash" for c in a.covers]
    wanted = [
        n
        for n, code in (("i1", overdue), ("i2", before))
        if code in {Code.UNAPPLIED_CREDIT, Code.CREDIT_BALANCE}
    ]
    assert covered == [b.invoice_id(name) for name in wanted]


def test_e13_the_overdue_invoices_of_a_currency_are_looked_at_together() -> None:
    two = [b.invoice("i1", 9), b.invoice("i2", 9), b.invoice("i3", -20)]
    assert b.of(b.run(*two, credit("199.99"))).kind is ar.DispositionKind.ACTION
    assert b.of(b.run(*two, credit("200"))).code is Code.UNAPPLIED_CREDIT
    euro = [b.invoice("i1", 9), b.invoice("i2", 9, currency="EUR")]
    apart = b.run(*euro, credit("100", "EUR"))
    assert (b.of(apart, "i1").code, b.of(apart, "i2").code) == (Code.STEP_DUE, Code.CREDIT_BALANCE)
    assert apart.actions[-1].totals == () or b.only_touch(apart).totals[0].currency == "USD"


def test_e13_a_refund_that_is_not_applied_is_no_credit() -> None:
    refund = b.payment(amount="100", unapplied="100", kind=ar.PaymentKind.REFUND)
    assert first(refund).code is Code.STEP_DUE


# ---- who leads, and what a message adds up


def lead(*invoices: ar.Invoice, **changes: Any) -> str:
    evaluation = b.run(b.book(*invoices, **changes))
    return str(b.only_touch(evaluation).lead_invoice_id)[-2:]


def test_e19_stage_comes_before_age_before_amount_before_id() -> None:
    large: dict[str, Any] = {"balance_due": Decimal(900), "total": Decimal(900)}
    assert lead(b.invoice("i1", 21, **large), b.invoice("i2", 22)) == "i2"
    assert lead(b.invoice("i1", 22, **large), b.invoice("i2", 23)) == "i2"
    assert lead(b.invoice("i1", 22), b.invoice("i2", 22, **large)) == "i2"
    assert lead(b.invoice("i2", 22), b.invoice("i1", 22)) == "i1"
    assert (
        lead(b.invoice("i3", 9), b.invoice("i1", 22), b.invoice("i2", 22, **large), b.invoice("i4", 21))
        == "i2"
    )


def test_e19_e17_amounts_are_compared_in_base_currency_and_an_amount_without_a_rate_comes_last() -> None:
    invoices = [
        b.invoice("i1", 9, balance_due=Decimal(110)),
        b.invoice("i2", 9, currency="EUR"),
        b.invoice("i3", 9, currency="GBP", balance_due=Decimal(900)),
    ]
    assert lead(*invoices) == "i1"
    rate = ar.ExchangeRate(currency="EUR", base_currency="USD", rate=Decimal("1.2"), as_of=b.TODAY - DAY)
    assert lead(*invoices, rates=(rate,)) == "i2"


def test_e17_a_section_per_currency_in_their_order_with_what_lies_on_account() -> None:
    evaluation = b.run(
        b.invoice("i1", 9),
        b.invoice("i2", 12, currency="GBP"),
        b.invoice("i3", 9, balance_due=Decimal("0.50")),
        credit("7", "GBP"),
        credit("3", "EUR", "p8"),
    )
    totals = b.only_touch(evaluation).totals
    assert [(t.currency, t.to_chase, t.unapplied) for t in totals] == [
        ("GBP", Decimal(100), Decimal(7)),
        ("USD", Decimal("100.50"), Decimal(0)),
    ]


def test_e11_what_must_still_hold_before_sending_names_the_version_that_was_read() -> None:
    source = ar.Source(
        platform="quickbooks", tenant="1", kind=ar.RecordKind.INVOICE, remote_id="i1", version="7"
    )
    action = b.only_touch(b.run(b.invoice("i1", 9, source=source, due_version=2), b.invoice("i2", 8)))
    assert [(p.due_version, p.source_version) for p in action.preconditions] == [(2, "7"), (0, None)]
    cover = action.covers[0]
    assert (cover.number, cover.step, cover.stage, cover.due_version, cover.presence_only) == (
        "I1",
        "demand",
        "first_demand",
        2,
        False,
    )


# ---- signals


def signals(*records: Any, **options: Any) -> list[tuple[str, Any, str | None, str | None]]:
    found = b.run(*records, **options).signals
    assert {s.customer_id for s in found} <= {b.customer_id()}
    return [(s.code.value, s.on, s.record_id, s.detail) for s in found]


@pytest.mark.parametrize(
    ("opened", "resolved", "told"), [(0, None, True), (-1, None, False), (3, 0, False), (3, -1, True)]
)
def test_r25_a_dispute_is_a_signal_while_it_is_open(opened: int, resolved: int | None, told: bool) -> None:
    about = b.dispute(
        ago=opened, reason="price", resolved_on=None if resolved is None else b.TODAY - resolved * DAY
    )
    wanted = [("NEW_DISPUTE", b.TODAY - opened * DAY, "local:d1", "price")] if told else []
    assert signals(b.invoice("i1", 9), about) == wanted


def test_r25_a_promise_that_slipped_is_a_signal_of_the_day_it_did() -> None:
    broken = b.promise(on=-20, given=25)
    assert signals(b.invoice("i1", 30), broken) == [
        ("PROMISE_SLIPPED", b.TODAY - 16 * DAY, "local:pr1", None)
    ]
    part = [b.payment(ago=21, amount="40"), b.allocation(ago=21, amount="40")]
    partly = b.invoice("i1", 30, balance_due=Decimal(60))
    assert signals(partly, broken, *part) == [("PROMISE_SLIPPED", b.TODAY - 16 * DAY, "local:pr1", None)]
    assert signals(b.invoice("i1", 30), b.promise()) == []


def test_r3_r25_a_bounce_is_a_signal_with_its_day_its_contact_and_its_channel() -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    profile = b.profile(bounced=(ar.BouncedChannel(channel=ar.Channel.SMS, contact_id="x", at=at),))
    assert signals(b.invoice("i1", 9), profile) == [("CONTACT_STALE", at.date(), "x", "sms")]
    came_back = b.touch(ago=4, outcome=ar.TouchOutcome.BOUNCED, channel=ar.Channel.VOICE)
    owner = ar.record_id("quickbooks", "1", ar.RecordKind.CONTACT, "c1")
    assert signals(b.invoice("i1", 9), came_back) == [("CONTACT_STALE", b.TODAY - 4 * DAY, owner, "voice")]


@pytest.mark.parametrize(
    ("changes", "given", "told"),
    [
        ({}, None, True),
        ({"intent": ar.Intent.PROMISED}, None, False),
        ({"outcome": ar.TouchOutcome.NO_ANSWER}, None, False),
        ({"channel": ar.Channel.EMAIL}, None, False),
        ({}, 3, True),
        ({}, 2, False),
        ({}, 1, False),
    ],
)
def test_r33_c16_an_answered_call_that_ended_without_a_promise_is_told(
    changes: dict[str, Any], given: int | None, told: bool
) -> None:
    call = b.touch(**{"ago": 2, "channel": ar.Channel.VOICE, "outcome": ar.TouchOutcome.ANSWERED, **changes})
    promises = [] if given is None else [b.promise(given=given)]
    found = [row for row in signals(b.invoice("i1", 9), call, *promises) if row[0] == "CALL_WITHOUT_PTP"]
    assert found == ([("CALL_WITHOUT_PTP", b.TODAY - 2 * DAY, call.id, None)] if told else [])


def test_e8_a_missing_due_date_is_a_signal_about_its_invoice() -> None:
    assert signals(b.invoice("i1", due_date=None)) == [("NO_DUE_DATE", None, b.invoice_id(), None)]


# ---- what is written back


def written(*records: Any, policy: ar.Policy | str = "balanced") -> list[Any]:
    return list(b.run(*records, policy=policy).writebacks)


def test_r33_the_status_names_the_stage_and_the_next_step_on_its_day() -> None:
    (status,) = written(b.invoice("i1", 9))
    assert (status.type, status.subject_id, status.status) == (
        "set_collections_status",
        b.customer_id(),
        "first_demand",
    )
    assert (status.next_action, status.next_action_on) == ("demand", None)
    sent = b.touch(ago=5, step="demand", covers=("i1",))
    (status,) = written(b.invoice("i1", 14), sent)
    assert (status.next_action, status.next_action_on) == ("call", b.TODAY + 8 * DAY)


def test_r69_the_status_names_the_rung_and_what_pauses() -> None:
    unanswered = b.touch(ago=40, step="demand", covers=("i1",))
    (status,) = written(b.invoice("i1", 60), unanswered)
    assert status.status == "pre_legal, finance_lead"
    (status,) = written(b.invoice("i1", 9), b.dispute())
    assert status.status.startswith("first_demand, ")
    assert "DISPUTED" in status.status


def test_r33_nothing_is_written_about_who_owes_nothing_overdue_or_where_the_policy_says_so() -> None:
    assert written(b.invoice("i1", 0)) == []
    assert (
        written(b.invoice("i1", 9), policy=b.changed("balanced", writeback={"collections_status": False}))
        == []
    )


def test_r33_the_same_standing_has_the_same_key_on_every_day() -> None:
    sent = b.touch(ago=2, step="demand", covers=("i1",))
    keys = {
        b.run(b.invoice("i1", 12), sent, at=b.as_of(b.TODAY + n * DAY)).writebacks[0].key for n in range(5)
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("wanted", "declared", "dpd", "held"),
    [(True, True, 60, True), (True, False, 60, False), (False, True, 60, False), (True, True, 59, False)],
)
def test_r69_e39_an_order_hold_is_proposed_where_it_is_declared_wanted_and_reached(
    wanted: bool, declared: bool, dpd: int, held: bool
) -> None:
    policy = b.changed("risk_4", capabilities={"can_hold_orders": declared}, writeback={"order_hold": wanted})
    unanswered = b.touch(ago=40, step="first", covers=("i1",))
    found = [
        c for c in written(b.invoice("i1", dpd), unanswered, policy=policy) if c.type == "set_order_hold"
    ]
    assert [(c.customer_id, c.reason) for c in found] == (
        [(b.customer_id(), "overdue, order_hold")] if held else []
    )


def test_r69_a_referral_keeps_the_order_hold() -> None:
    policy = b.changed(
        "risk_4",
        capabilities={"can_hold_orders": True, "uses_agency": True},
        writeback={"order_hold": True},
    )
    unanswered = b.touch(ago=40, step="first", covers=("i1",))
    found = [c for c in written(b.invoice("i1", 95), unanswered, policy=policy) if c.type == "set_order_hold"]
    assert [c.reason for c in found] == ["overdue, referral"]


def test_r69_e39_no_rung_writes_an_order_hold_that_nobody_declared_or_wants() -> None:
    rule = {"rung": "order_hold", "when": "max_dpd >= 60", "origin": "R69"}
    for wanted, declared, dpd in ((True, True, 59), (True, False, 60), (False, True, 60), (False, False, 60)):
        policy = b.changed(
            "balanced",
            capabilities={"can_hold_orders": declared},
            writeback={"order_hold": wanted},
            escalate=[rule],
        )
        found = written(b.invoice("i1", dpd), policy=policy)
        assert [c.type for c in found] == ["set_collections_status"]


@pytest.mark.parametrize(
    ("currencies", "codes"),
    [
        ((b.BASE,), ()),
        ((b.BASE, "EUR"), (Code.RATE_UNKNOWN,)),
        ((b.BASE, None), (Code.CURRENCY_UNKNOWN,)),
        (("EUR", None), (Code.RATE_UNKNOWN, Code.CURRENCY_UNKNOWN)),
    ],
)
def test_e17_a_segment_says_why_sums_in_base_currency_are_unknown(
    currencies: tuple[str | None, ...], codes: tuple[Code, ...]
) -> None:
    invoices = [b.invoice(f"i{n}", 9, currency=currency) for n, currency in enumerate(currencies, 1)]
    assert b.run(*invoices).segments[0].codes == codes
    rate = ar.ExchangeRate(currency="EUR", base_currency=b.BASE, rate=Decimal("1.1"), as_of=b.TODAY)
    assert Code.RATE_UNKNOWN not in b.run(*invoices, rate).segments[0].codes
    nowhere = b.book(*invoices).model_copy(
        update={"organization": ar.Organization(id="quickbooks:1:organization:1", time_zone=b.ZONE)}
    )
    assert b.run(nowhere).segments[0].codes == ()
