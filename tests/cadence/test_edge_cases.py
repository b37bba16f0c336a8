"""The edge cases E1 to E50: each has a default, and the default is a test."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

import ar_core as ar
from ar_core.cadence import PRESETS
from ar_core.cadence.codes import Code
from ar_core.cadence.records import CurrencyTotal
from tests.cadence import books as b

ACTION, WAIT, PAUSED, EXCLUDED = (
    ar.DispositionKind.ACTION,
    ar.DispositionKind.WAIT,
    ar.DispositionKind.PAUSED,
    ar.DispositionKind.EXCLUDED,
)
DAY = timedelta(days=1)


def at(text: str, zone: str = b.ZONE) -> ar.AsOf:
    return ar.AsOf(instant=datetime.fromisoformat(text).astimezone(UTC), zone=zone)


# ---- clock and dates


def test_e1_the_moment_and_its_zone_are_mandatory() -> None:
    with pytest.raises(ValidationError):
        ar.AsOf(instant=datetime(2026, 11, 25))  # type: ignore[call-arg]  # noqa: DTZ001
    with pytest.raises(ValidationError):
        ar.AsOf(instant=datetime(2026, 11, 25), zone="UTC")  # noqa: DTZ001


@pytest.mark.parametrize(("zone", "expected"), [("America/New_York", "due_today"), ("UTC", None)])
def test_e2_days_past_due_are_counted_in_the_zone_of_the_organization(
    zone: str, expected: str | None
) -> None:
    evaluation = b.run(
        b.invoice(due_date=date(2026, 11, 20), issue_date=date(2026, 10, 1)),
        b.contact(time_zone="Asia/Tokyo"),
        at=at("2026-11-21T03:30:00+00:00", zone),
        policy=b.changed("balanced", clock={"not_before": "00:00:00", "not_after": "23:59:00"}),
        calendar=ar.WeekendCalendar(weekend=frozenset()),
    )
    assert evaluation.today == (date(2026, 11, 20) if zone != "UTC" else date(2026, 11, 21))
    # In UTC the invoice is one day past due and `first` falls on day 3.
    assert b.of(evaluation).stage == "reminder"
    assert b.of(evaluation).step == ("due_today" if expected else "first")


def test_e2_the_vector_of_new_york_and_utc() -> None:
    due = date(2026, 11, 21)
    for zone, dpd in (("America/New_York", 0), ("UTC", 1)):
        moment = at("2026-11-22T03:30:00+00:00", zone)
        assert ar.days_past_due(due, moment.today) == dpd
        assert ar.is_overdue(b.invoice(due_date=due), moment.today) is (dpd == 1)


@pytest.mark.parametrize(("dpd", "late"), [(-1, False), (0, False), (1, True)])
def test_e3_the_due_date_itself_is_not_late(dpd: int, late: bool) -> None:
    policy = b.changed(
        "balanced",
        tiers={
            "risk": [
                {"id": "late", "when": "overdue_invoices >= 1", "origin": "test"},
                {"id": "fine", "otherwise": True, "origin": "test"},
            ]
        },
        overrides=[],
    )
    assert (b.run(b.invoice(dpd=dpd), policy=policy).segments[0].risk_tier == "late") is late


@pytest.mark.parametrize(
    ("rule", "dpd"), [("none", 4), ("following", 2), ("modified_following", 2), ("preceding", 5)]
)
def test_e4_a_due_date_on_a_weekend_may_roll_for_the_cadence(rule: str, dpd: int) -> None:
    saturday = date(2026, 11, 21)
    policy = b.changed("xero_parity", clock={"due_roll": rule}, steps=[{"id": "reminder_7", "at": dpd}])
    invoice = b.invoice(due_date=saturday, issue_date=date(2026, 10, 1))
    early = b.as_of(date(2026, 11, 25), hour=5)
    assert b.of(b.run(invoice, policy=policy, at=early)).kind is ACTION
    assert (
        b.of(b.run(invoice, policy=b.changed("xero_parity", clock={"due_roll": rule}), at=early)).kind is WAIT
    )


def test_e4_nothing_overdue_is_sent_in_the_days_of_grace() -> None:
    policy = b.changed("balanced", clock={"grace_days": 4})
    held = b.of(b.run(b.invoice(dpd=4), policy=policy))
    assert (held.code, held.until) == (Code.GRACE_DAYS, b.TODAY + DAY)
    assert b.of(b.run(b.invoice(dpd=5), policy=policy)).kind is ACTION
    assert b.of(b.run(b.invoice(dpd=0), policy=policy)).kind is ACTION


JAPAN = ar.HolidayCalendar({"JP": {date(2026, 11, 23)}})


def test_e5_the_vector_of_tokyo() -> None:
    sunday = at("2026-11-22T03:00:00+00:00", "Asia/Tokyo")
    evaluation = b.run(
        b.customer(country="JP", time_zone="Asia/Tokyo"),
        b.invoice(due_date=date(2026, 11, 13)),
        at=sunday,
        calendar=JAPAN,
    )
    action = b.only_touch(evaluation)
    assert action.not_before is not None
    assert action.not_before.astimezone(sunday.local().tzinfo).isoformat() == "2026-11-24T09:00:00+09:00"
    assert Code.NON_BUSINESS_DAY in action.reasons


def test_e5_a_message_never_goes_out_after_its_window() -> None:
    saturday = date(2026, 11, 21)
    # `first` ends on day 7: on a Saturday at day 7 the next business day is day 9, so it is missed and `demand` comes on day 8.
    missed = b.run(b.invoice(dpd=7, today=saturday), at=b.as_of(saturday))
    assert (b.of(missed).code, b.of(missed).until) == (Code.WINDOW_MISSED, saturday + DAY)
    sunday = b.run(b.invoice(dpd=8, today=saturday + DAY), at=b.as_of(saturday + DAY))
    assert b.only_touch(sunday).step == "demand"
    friday = b.run(b.invoice(dpd=7, today=saturday - DAY), at=b.as_of(saturday - DAY))
    assert b.only_touch(friday).step == "first"


def test_e5_the_confirmation_of_a_due_date_on_a_weekend_is_not_sent_late() -> None:
    sunday = date(2026, 11, 22)
    assert not b.touches_of(b.run(b.invoice(dpd=0, today=sunday), at=b.as_of(sunday)))


def test_e5_an_evening_run_holds_to_the_morning() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=3), at=b.as_of(hour=20)))
    assert action.not_before == b.as_of(b.TODAY + DAY, hour=9).instant
    assert Code.QUIET_HOURS in action.reasons


def test_e6_without_a_calendar_weekends_are_assumed_and_noted() -> None:
    assert b.run(b.invoice(dpd=3), calendar=None).notes == (Code.CALENDAR_DEFAULTED,)
    assert b.run(b.invoice(dpd=3)).notes == ()


def test_e7_sending_hours_survive_the_change_of_the_clocks() -> None:
    policy = b.changed("balanced", clock={"not_before": "02:30:00", "not_after": "03:30:00"})
    calendar = ar.WeekendCalendar(weekend=frozenset())
    spring = date(2026, 3, 8)
    action = b.only_touch(
        b.run(b.invoice(dpd=3, today=spring), at=b.as_of(spring, hour=0), policy=policy, calendar=calendar)
    )
    # 02:30 does not exist in New York that day: it becomes 03:30.
    assert action.not_before == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fallback", "code", "kind"),
    [
        ({"mode": "exclude"}, Code.NO_DUE_DATE, EXCLUDED),
        ({"mode": "invoice_date", "days": 7}, Code.STEP_DUE, ACTION),
        ({"mode": "terms"}, Code.STEP_DUE, ACTION),
    ],
)
def test_e8_a_missing_due_date_is_excluded_with_a_signal_or_derived(
    fallback: dict[str, Any], code: Code, kind: ar.DispositionKind
) -> None:
    invoice = b.invoice(
        due_date=None, issue_date=b.TODAY - timedelta(days=10), terms=ar.PaymentTerms(due_days=7)
    )
    evaluation = b.run(invoice, policy=b.changed("balanced", clock={"due_date_fallback": fallback}))
    assert (b.of(evaluation).code, b.of(evaluation).kind) == (code, kind)
    assert [s.code for s in evaluation.signals] == ([Code.NO_DUE_DATE] if kind is EXCLUDED else [])


def test_e9_an_invoice_of_the_future_is_not_touched() -> None:
    outcome = b.of(b.run(b.invoice(dpd=3, issue_date=b.TODAY + DAY)))
    assert (outcome.code, outcome.until) == (Code.NOT_YET_ISSUED, b.TODAY + DAY)
    assert b.of(b.run(b.invoice(dpd=3, issue_date=b.TODAY))).kind is ACTION


def test_e10_a_later_due_date_resets_only_that_invoice_and_the_caps_still_count() -> None:
    sent = b.touch(ago=2, step="first", covers=("i1", "i2"))
    moved = b.invoice("i1", 3, due_version=1)
    evaluation = b.run(moved, b.invoice("i2", 3), sent)
    assert b.of(evaluation, "i1").code is Code.MIN_GAP
    assert b.of(evaluation, "i2").code is Code.NEXT_STEP
    later = b.run(moved, b.invoice("i2", 3), b.touch(ago=3, step="first", covers=("i1", "i2")))
    assert b.of(later, "i1").kind is ACTION


def test_e11_every_action_says_what_to_check_again_before_sending() -> None:
    action = b.only_touch(b.run(b.invoice("i1", 9), b.invoice("i2", 4)))
    assert [(p.invoice_id, p.balance_due, p.document_status) for p in action.preconditions] == [
        (b.invoice_id("i1"), Decimal("100.00"), ar.DocumentStatus.POSTED),
        (b.invoice_id("i2"), Decimal("100.00"), ar.DocumentStatus.POSTED),
    ]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (ar.DocumentStatus.DRAFT, Code.NOT_POSTED, EXCLUDED),
        (ar.DocumentStatus.PENDING_APPROVAL, Code.NOT_POSTED, EXCLUDED),
        (ar.DocumentStatus.VOIDED, Code.VOIDED, EXCLUDED),
        (ar.DocumentStatus.UNKNOWN, Code.UNKNOWN_STATUS, PAUSED),
    ],
)
def test_e11_e49_what_is_not_posted_is_listed_and_not_chased(
    status: ar.DocumentStatus, code: Code, kind: ar.DispositionKind
) -> None:
    outcome = b.of(b.run(b.invoice(dpd=30, document_status=status)))
    assert (outcome.code, outcome.kind) == (code, kind)


# ---- money


def part_paid(ago: int, touched: int = 6) -> list[Any]:
    return [
        b.invoice(dpd=9, balance_due=Decimal(60)),
        b.payment(ago=ago, amount="40"),
        b.allocation(ago=ago, amount="40"),
        b.touch(ago=touched, step="first", covers=("i1",)),
    ]


@pytest.mark.parametrize(
    ("ago", "code"), [(2, Code.POST_PAYMENT_QUIET), (3, Code.STEP_DUE), (7, Code.STEP_DUE)]
)
def test_e12_a_payment_after_the_last_contact_starts_quiet_days(ago: int, code: Code) -> None:
    outcome = b.of(b.run(*part_paid(ago)))
    assert outcome.code is code
    if code is Code.POST_PAYMENT_QUIET:
        assert outcome.until == b.TODAY + DAY


def test_e12_the_rest_is_chased_at_its_full_age() -> None:
    action = b.only_touch(b.run(*part_paid(5)))
    assert (action.covers[0].amount_to_chase, action.covers[0].days_past_due) == (Decimal(60), 9)


@pytest.mark.parametrize(("unapplied", "code"), [("100", Code.UNAPPLIED_CREDIT), ("99.99", Code.STEP_DUE)])
def test_e13_money_on_account_that_covers_the_overdue_amount_is_applied_first(
    unapplied: str, code: Code
) -> None:
    evaluation = b.run(
        b.invoice("i1", 9), b.invoice("i2", -20), b.payment(unapplied=unapplied, amount=unapplied)
    )
    assert b.of(evaluation).code is code
    if code is Code.UNAPPLIED_CREDIT:
        assert b.tasks_of(evaluation) == ["apply_cash"]
        assert not b.touches_of(evaluation)
    else:
        (total,) = b.only_touch(evaluation).totals
        assert [total.to_chase, total.unapplied, total.net] == [100, Decimal("99.99"), Decimal("0.01")]


def test_e13_what_is_left_is_exact_and_never_below_zero() -> None:
    def left(to_chase: str, unapplied: str) -> Decimal:
        return CurrencyTotal(currency="USD", to_chase=Decimal(to_chase), unapplied=Decimal(unapplied)).net

    assert left("100", "30") == 70
    assert left("30", "30.01") == 0
    assert left("12345678901234567890123456.02", "0.01") == Decimal("12345678901234567890123456.01")


def test_e13_e14_money_in_another_currency_changes_nothing() -> None:
    assert b.of(b.run(b.invoice(dpd=9), b.payment(unapplied="500", currency="EUR"))).kind is ACTION


def test_e14_negative_items_are_never_chased() -> None:
    evaluation = b.run(b.invoice("i1", 9, balance_due=Decimal(-10), total=Decimal(-10)), b.invoice("i2", 9))
    assert b.of(evaluation, "i1").code is Code.NEGATIVE_ITEM
    assert [c.invoice_id for c in b.only_touch(evaluation).covers] == [b.invoice_id("i2")]
    assert b.only_touch(evaluation).totals[0].unapplied == 10


@pytest.mark.parametrize(("issued_in", "code"), [(1, Code.NOT_YET_ISSUED), (0, Code.NEGATIVE_ITEM)])
def test_e9_e14_a_negative_item_of_a_later_day_is_no_credit_yet(issued_in: int, code: Code) -> None:
    day = b.TODAY + DAY * issued_in
    negative = b.invoice("i1", -9, balance_due=Decimal(-100), total=Decimal(-100), issue_date=day)
    evaluation = b.run(negative, b.invoice("i2", 9))
    assert b.of(evaluation, "i1").code is code
    assert bool(b.touches_of(evaluation)) is (issued_in == 1)
    if issued_in:
        assert evaluation.next_change_at is not None
        assert evaluation.next_change_at <= b.as_of(day, 0).instant


@pytest.mark.parametrize("unapplied", ["100", "150"])
def test_e15_a_customer_that_owes_nothing_net_is_not_touched(unapplied: str) -> None:
    evaluation = b.run(b.invoice(dpd=9), b.payment(unapplied=unapplied, amount=unapplied))
    assert b.of(evaluation).code is Code.CREDIT_BALANCE
    assert not b.touches_of(evaluation)


def test_e16_a_tiny_invoice_is_listed_and_rides_along() -> None:
    policy = b.changed("balanced", limits={"min_invoice": {"USD": "5"}})
    tiny = b.invoice("i1", 9, balance_due=Decimal("4.99"))
    assert b.of(b.run(tiny, policy=policy)).code is Code.BELOW_THRESHOLD
    assert b.of(b.run(b.invoice(dpd=9, balance_due=Decimal(5)), policy=policy)).kind is ACTION
    together = b.run(tiny, b.invoice("i2", 9), policy=policy)
    assert b.of(together, "i1").code is Code.RIDES_ALONG


def test_e16_a_threshold_per_customer_looks_at_the_sum() -> None:
    policy = b.changed("balanced", limits={"min_customer": {"USD": "150"}})
    assert b.of(b.run(b.invoice(dpd=9), policy=policy)).code is Code.BELOW_THRESHOLD
    assert b.of(b.run(b.invoice("i1", 9), b.invoice("i2", 9), policy=policy)).kind is ACTION


def test_e17_mixed_currencies_share_a_message_in_sections() -> None:
    action = b.only_touch(b.run(b.invoice("i1", 9), b.invoice("i2", 9, currency="EUR")))
    assert [(t.currency, t.to_chase) for t in action.totals] == [
        ("EUR", Decimal("100.00")),
        ("USD", Decimal("100.00")),
    ]


def test_e18_binary_floats_are_refused() -> None:
    with pytest.raises(ValidationError, match="binary float"):
        b.invoice(balance_due=0.1)


# ---- grouping and sequencing


def test_e19_the_lead_is_the_highest_stage_then_the_oldest_then_the_largest() -> None:
    evaluation = b.run(
        b.invoice("i1", 22),
        b.invoice("i2", 23),
        b.invoice("i3", 9),
        b.invoice("i4", 23, balance_due=Decimal(200)),
    )
    action = b.only_touch(evaluation)
    assert (action.lead_invoice_id, action.step) == (b.invoice_id("i4"), "call")
    assert {c.invoice_id[-2:]: c.stage for c in action.covers} == {
        "i1": "escalation",
        "i2": "escalation",
        "i3": "first_demand",
        "i4": "escalation",
    }


def test_e20_what_a_message_covers_does_not_fire_again_and_what_only_rode_along_does() -> None:
    records = [
        b.invoice("i1", 22),
        b.invoice("i2", 9),
        b.invoice("i3", 1, issue_date=b.TODAY - timedelta(days=5)),
    ]
    policy = b.changed("balanced", steps=[{"id": "first", "window": [3, 7]}])
    first = b.run(*records, policy=policy)
    action = b.only_touch(first)
    assert {c.invoice_id[-2:]: c.step for c in action.covers} == {"i1": "call", "i2": "demand", "i3": None}
    assert b.of(first, "i3").codes == (Code.PRESENCE_ONLY,)
    done = b.logged(first)
    tomorrow = b.run(*records, *done, policy=policy, at=b.as_of(b.TODAY + DAY))
    assert not b.touches_of(tomorrow)
    later = b.run(*records, *done, policy=policy, at=b.as_of(b.TODAY + 5 * DAY))
    assert b.only_touch(later).lead_invoice_id == b.invoice_id("i3")
    assert b.only_touch(later).step == "first"


def test_e21_a_note_before_the_due_date_is_not_starved_by_an_old_invoice() -> None:
    old = b.invoice("i1", 30)
    blocked = b.run(old, b.invoice("i2", -3), b.dispute())
    assert b.only_touch(blocked).step == "heads_up"
    merged = b.only_touch(b.run(old, b.invoice("i2", -3)))
    assert {c.invoice_id[-2:]: c.step for c in merged.covers} == {"i1": "call", "i2": "heads_up"}


@pytest.mark.parametrize(
    ("rule", "step"), [("contextual", "demand"), ("inherit", None), ("restart", "first")]
)
def test_e22_when_the_lead_is_paid_the_next_one_goes_by_its_own_age(rule: str, step: str | None) -> None:
    paid = b.invoice("i1", 30, balance_due=Decimal(0))
    policy = b.changed("balanced", grouping={"on_lead_change": rule})
    evaluation = b.run(paid, b.invoice("i2", 9), b.touch(ago=4, step="call", covers=("i1",)), policy=policy)
    assert [a.step for a in b.touches_of(evaluation)] == ([step] if step else [])


def test_e23_a_reminder_for_one_invoice_does_not_hide_the_others() -> None:
    outcome = b.of(
        b.run(b.invoice("i1", 9), b.invoice("i2", 9), b.touch(ago=1, step="demand", covers=("i1",))), "i2"
    )
    assert (outcome.code, outcome.until) == (Code.MIN_GAP, b.TODAY + 2 * DAY)


def test_e24_the_first_run_at_day_40_makes_one_call_and_not_four_messages() -> None:
    action = b.only_touch(b.run(b.invoice(dpd=40)))
    assert (action.step, action.superseded) == ("call", ("first", "demand"))


def test_e24_the_first_run_at_day_50_sends_the_required_demand_first_and_the_letter_after_it() -> None:
    legal = with_legal()
    first = b.run(b.invoice(dpd=50), policy=legal)
    assert b.only_touch(first).step == "demand"
    assert Code.REQUIRED_STEP_REOPENED in b.only_touch(first).reasons
    done = b.logged(first)
    soon = b.run(b.invoice(dpd=50), *done, policy=legal, at=b.as_of(b.TODAY + 2 * DAY))
    assert not b.touches_of(soon)
    after = b.run(b.invoice(dpd=50), *done, policy=legal, at=b.as_of(b.TODAY + 5 * DAY))
    assert (b.only_touch(after).step, b.only_touch(after).channel) == ("letter", "letter")


def with_legal() -> ar.Policy:
    return b.changed("balanced", capabilities={"will_pursue_legal": True})


def test_e24_sequential_catch_up_starts_with_the_first_step() -> None:
    assert b.only_touch(b.run(b.invoice(dpd=40), policy="sequential_notices")).step == "notice_1"
    policy = b.changed("balanced", catch_up={"mode": "sequential"})
    assert b.only_touch(b.run(b.invoice(dpd=40), policy=policy)).step == "first"


@pytest.mark.parametrize(
    ("dpd", "step"),
    [
        (6, None),
        (7, "reminder_7"),
        (8, None),
        (13, None),
        (14, "reminder_14"),
        (21, "reminder_21"),
        (22, None),
    ],
)
def test_e24_drop_sends_on_the_day_or_never(dpd: int, step: str | None) -> None:
    found = b.touches_of(b.run(b.invoice(dpd=dpd), policy="xero_parity", at=b.as_of(hour=5)))
    assert [a.step for a in found] == ([step] if step else [])


def test_e24_drop_follows_its_day_to_the_next_business_day() -> None:
    saturday, monday = date(2026, 11, 21), date(2026, 11, 23)
    policy = "xero_parity"
    assert b.touches_of(b.run(b.invoice(dpd=7, today=saturday), policy=policy, at=b.as_of(saturday, hour=5)))
    assert b.touches_of(b.run(b.invoice(dpd=9, today=monday), policy=policy, at=b.as_of(monday, hour=5)))
    tuesday = monday + DAY
    assert not b.touches_of(
        b.run(b.invoice(dpd=10, today=tuesday), policy=policy, at=b.as_of(tuesday, hour=5))
    )


@pytest.mark.parametrize(("ago", "due"), [(6, False), (7, True)])
def test_e25_g21_a_late_notice_moves_the_next_one(ago: int, due: bool) -> None:
    # Thresholds 3 and 10; sent on day 14, so the next one is due on day 21.
    sent = b.touch(ago=ago, step="notice_1", covers=("i1",))
    evaluation = b.run(b.invoice(dpd=14 + ago), sent, policy="sequential_notices")
    assert bool(b.touches_of(evaluation)) is due
    if not due:
        assert b.of(evaluation).until == b.TODAY + DAY


@pytest.mark.parametrize(("ago", "allowed"), [(2, False), (3, True)])
def test_e26_the_gap_is_over_on_the_day_it_is_reached(ago: int, allowed: bool) -> None:
    outcome = b.of(b.run(b.invoice(dpd=9), b.touch(ago=ago)))
    assert (outcome.kind is ACTION) is allowed
    if not allowed:
        assert (outcome.code, outcome.until) == (Code.MIN_GAP, b.TODAY + DAY)


@pytest.mark.parametrize(("days", "allowed"), [((3, 6), False), ((3, 7), True), ((4, 8), True)])
def test_e27_at_most_two_contacts_in_seven_days(days: tuple[int, int], allowed: bool) -> None:
    touches = [b.touch(f"t{n}", ago=ago) for n, ago in enumerate(days)]
    outcome = b.of(b.run(b.invoice(dpd=9), *touches))
    assert (outcome.kind is ACTION) is allowed
    if not allowed:
        assert (outcome.code, outcome.until) == (Code.WEEK_CAP, b.TODAY + DAY)


@pytest.mark.parametrize("outcome", [ar.TouchOutcome.FAILED, ar.TouchOutcome.BOUNCED])
def test_e27_attempts_that_reached_nobody_count_only_if_the_policy_says_so(outcome: ar.TouchOutcome) -> None:
    failed = b.touch(ago=1, outcome=outcome, contact_id="quickbooks:1:contact:gone")
    assert b.of(b.run(b.invoice(dpd=9), failed)).kind is ACTION
    counting = b.changed("balanced", limits={"count_failed": True})
    assert b.of(b.run(b.invoice(dpd=9), failed, policy=counting)).code is Code.MIN_GAP


def test_e27_channels_have_caps_of_their_own() -> None:
    calls = [b.touch(f"t{n}", ago=3 + n, channel=ar.Channel.VOICE) for n in range(2)]
    policy = b.changed("balanced", limits={"max_touches_per_7d": 9})
    assert b.only_touch(b.run(b.invoice(dpd=22), *calls, policy=policy)).channel is ar.Channel.EMAIL
    assert b.only_touch(b.run(b.invoice(dpd=22), calls[0], policy=policy)).channel is ar.Channel.VOICE


def test_e28_the_key_depends_on_neither_amount_nor_time_nor_wording() -> None:
    key = b.only_touch(b.run(b.invoice(dpd=9))).key
    assert b.only_touch(b.run(b.invoice(dpd=9, balance_due=Decimal(50)))).key == key
    assert b.only_touch(b.run(b.invoice(dpd=9), at=b.as_of(b.TODAY + 2 * DAY))).key == key
    assert (
        b.only_touch(
            b.run(
                b.invoice(dpd=9),
                policy=b.changed("balanced", family="balanced", steps=[{"id": "demand", "tone": "firm"}]),
            )
        ).key
        == key
    )
    assert b.only_touch(b.run(b.invoice(dpd=9, due_version=1))).key != key
    assert b.only_touch(b.run(b.invoice("i2", dpd=9))).key != key


def test_e28_a_touch_that_names_only_the_key_still_counts() -> None:
    key = b.only_touch(b.run(b.invoice(dpd=9))).key
    logged = b.touch(ago=0, key=key, at=b.as_of(hour=10).instant)
    for days in range(12):
        keys = {a.key for a in b.run(b.invoice(dpd=9), logged, at=b.as_of(b.TODAY + days * DAY)).actions}
        assert key not in keys


def test_e29_an_ambiguous_attempt_blocks_until_somebody_resolves_it() -> None:
    attempt = b.touch(ago=20, step="demand", covers=("i1",), outcome=ar.TouchOutcome.AMBIGUOUS)
    evaluation = b.run(b.invoice(dpd=30), attempt)
    assert b.of(evaluation).code is Code.AMBIGUOUS_ATTEMPT
    assert b.tasks_of(evaluation) == ["resolve_attempt"]
    assert b.touches_of(
        b.run(b.invoice(dpd=30), attempt.model_copy(update={"outcome": ar.TouchOutcome.SENT}))
    )


def test_e29_a_failed_attempt_is_made_again_under_a_new_key() -> None:
    first = b.only_touch(b.run(b.invoice(dpd=9)))
    failed = b.touch_from(first.record(b.as_of(hour=10).instant, ar.TouchOutcome.FAILED))
    assert b.of(b.run(b.invoice(dpd=9), failed)).code is Code.RETRY_BACKOFF
    again = b.only_touch(b.run(b.invoice(dpd=9), failed, at=b.as_of(b.TODAY + DAY)))
    assert (again.step, again.occurrence) == ("demand", 1)
    assert again.key != first.key


def test_e29_what_bounced_goes_on_with_the_next_channel() -> None:
    first = b.only_touch(b.run(b.invoice(dpd=9)))
    bounced = b.touch_from(first.record(b.as_of(hour=10).instant, ar.TouchOutcome.BOUNCED))
    policy = b.changed("balanced", steps=[{"id": "demand", "channels": ["email", "letter"]}])
    again = b.only_touch(b.run(b.invoice(dpd=9), bounced, policy=policy))
    assert again.channel is ar.Channel.LETTER
    assert Code.CHANNEL_FALLBACK in again.reasons


def test_e30_a_renamed_step_keeps_its_history_by_its_alias() -> None:
    sent = b.touch(ago=5, step="old_demand", covers=("i1",))
    assert b.only_touch(b.run(b.invoice(dpd=14), sent)).step == "demand"
    policy = b.changed("balanced", steps=[{"id": "demand", "aliases": ["old_demand"]}])
    assert b.of(b.run(b.invoice(dpd=14), sent, policy=policy)).code is Code.NEXT_STEP


@pytest.mark.parametrize(
    ("rule", "code"),
    [("re_evaluate", Code.STEP_DUE), ("keep_position", Code.NEXT_STEP), ("manual", Code.MANUAL_MIGRATION)],
)
def test_e30_touches_under_a_step_we_do_not_know(rule: str, code: Code) -> None:
    sent = b.touch(ago=5, step="strange", covers=("i1",))
    policy = b.changed("balanced", pauses={"migrate": rule})
    evaluation = b.run(b.invoice(dpd=14), sent, policy=policy)
    assert b.of(evaluation).code is code
    assert b.tasks_of(evaluation) == (["place_invoice"] if rule == "manual" else [])


# ---- structure


@pytest.mark.parametrize(
    ("collect_at", "bill_with_parent", "accounts"),
    [("customer", True, 2), ("bill_to", True, 1), ("bill_to", False, 2), ("parent", False, 1)],
)
def test_e46_who_receives_the_message_of_a_child(
    collect_at: str, bill_with_parent: bool, accounts: int
) -> None:
    policy = b.changed("balanced", grouping={"collect_at": collect_at})
    evaluation = b.run(
        b.customer("c1", parent_id=b.customer_id("c2"), bill_with_parent=bill_with_parent),
        b.customer("c2"),
        b.invoice("i1", 9, "c1"),
        b.invoice("i2", 9, "c2"),
        policy=policy,
    )
    assert len({a.customer_id for a in b.touches_of(evaluation)}) == accounts
    assert len(evaluation.dispositions) == 2


def test_e47_one_address_gets_one_message_in_a_run_when_the_policy_says_so() -> None:
    policy = b.changed("balanced", limits={"max_per_address": 1})
    records = [
        b.contact("c1", email="ap@shared.example"),
        b.contact("c2", email="AP@shared.example"),
        b.invoice("i1", 9, "c1"),
        b.invoice("i2", 12, "c2"),
    ]
    evaluation = b.run(*records, policy=policy)
    assert b.only_touch(evaluation).customer_id == b.customer_id("c2")
    assert b.of(evaluation, "i1").code is Code.ADDRESS_CAP
    assert len(b.touches_of(b.run(*records))) == 2


def test_e48_two_legal_entities_of_the_seller_never_share_a_notice() -> None:
    records = [b.invoice("i1", 9, subsidiary_id="s1"), b.invoice("i2", 12, subsidiary_id="s2")]
    evaluation = b.run(*records)
    assert [c.invoice_id for c in b.only_touch(evaluation).covers] == [b.invoice_id("i2")]
    assert b.of(evaluation, "i1").code is Code.RUN_CAP
    together = b.changed("balanced", grouping={"split_by_subsidiary": False})
    assert len(b.only_touch(b.run(*records, policy=together)).covers) == 2


def test_e49_an_invoice_without_a_known_customer_is_held_and_reported() -> None:
    stranger = b.book(b.invoice("i1", 9)).model_copy(update={"customers": ()})
    assert b.of(b.run(stranger)).code is Code.CUSTOMER_UNKNOWN
    nobody = b.book(b.invoice("i1", 9, customer_id=None))
    assert b.of(b.run(nobody)).code is Code.CUSTOMER_UNKNOWN


def test_e50_one_bad_account_does_not_stop_the_run() -> None:
    bad = b.invoice("i1", 9).model_copy(update={"balance_due": "a lot"})
    evaluation = b.run(bad, b.invoice("i2", 9, "c2"), strict=False)
    assert b.of(evaluation, "i1").code is Code.EVALUATION_ERROR
    assert [e.customer_id for e in evaluation.errors] == [b.customer_id("c1")]
    assert b.of(evaluation, "i2").kind is ACTION
    with pytest.raises(TypeError):
        b.run(bad, strict=True)


# ---- golden numbers of others


def spaced(gap: int, *days: int) -> ar.Policy:
    steps = [{"id": f"s{d}", "at": d, "channels": ["email"], "origin": "G20"} for d in days]
    stages = [{"id": "all", "origin": "G20"}]
    return ar.load_policy(
        {
            "id": "upflow",
            "stages": stages,
            "steps": steps,
            "catch_up": {"mode": "sequential", "spacing": "minimum"},
            "limits": {"min_gap_days": gap, "max_touches_per_7d": None},
        }
    )


@pytest.mark.parametrize(("days", "sent"), [((7, 10), [7, 12]), ((0, 4, 8), [0, 5, 10])])
def test_g20_upflow_spacing(days: tuple[int, ...], sent: list[int]) -> None:
    policy = spaced(5, *days)
    touches: list[ar.Touch] = []
    found: list[int] = []
    always = ar.WeekendCalendar(weekend=frozenset())
    for dpd in range(15):
        moment = b.as_of(b.TODAY + timedelta(days=dpd))
        evaluation = b.run(b.invoice(dpd=0), *touches, policy=policy, at=moment, calendar=always)
        if b.touches_of(evaluation):
            found.append(dpd)
            touches += b.logged(evaluation)
    assert found == sent


def d365(mode: str) -> ar.Policy:
    names = {-5: "pre_dunning", 1: "first_notice", 7: "second_notice", 14: "third_notice", 15: "last_step"}
    steps = [
        {"id": name, "at": day, "channels": ["email"], "origin": "G23"}
        | ({"purpose": "pre_due", "window": [-5, -1]} if day < 0 else {})
        for day, name in names.items()
    ]
    return ar.load_policy(
        {
            "id": "d365",
            "stages": [{"id": "all", "origin": "G23"}],
            "steps": steps,
            "catch_up": {"mode": mode},
        }
    )


@pytest.mark.parametrize(
    ("day", "mode", "step"),
    [
        (date(2024, 1, 24), "latest", "second_notice"),
        (date(2024, 2, 2), "latest", "last_step"),
        (date(2024, 2, 2), "sequential", "first_notice"),
    ],
)
def test_g23_dynamics_resumed_after_a_pause(day: date, mode: str, step: str) -> None:
    invoice = b.invoice(due_date=date(2024, 1, 15), issue_date=date(2023, 12, 15))
    assert b.only_touch(b.run(invoice, policy=d365(mode), at=b.as_of(day))).step == step


def test_g24_kill_bill_2297_no_state_is_skipped_when_the_oldest_invoice_is_paid() -> None:
    steps = [
        {"id": name, "at": day, "channels": ["email"], "origin": "G24"}
        for name, day in (("warning", 5), ("blocked", 7), ("cancellation", 11))
    ]
    policy = ar.load_policy(
        {
            "id": "kb",
            "stages": [{"id": "all", "origin": "G24"}],
            "steps": steps,
            "limits": {"min_gap_days": 0, "max_touches_per_7d": None},
        }
    )
    always = ar.WeekendCalendar(weekend=frozenset())
    found: dict[str, date] = {}
    touches: list[ar.Touch] = []
    for n in range(1, 16):
        day = date(2012, 6, n)
        paid = day >= date(2012, 6, 4)
        records = [
            b.invoice(
                "i1",
                due_date=date(2012, 5, 31),
                issue_date=date(2012, 5, 1),
                balance_due=Decimal(0 if paid else 10),
            ),
            b.invoice("i2", due_date=date(2012, 6, 2), issue_date=date(2012, 5, 2)),
        ]
        evaluation = b.run(*records, *touches, policy=policy, at=b.as_of(day), calendar=always)
        for action in b.touches_of(evaluation):
            found.setdefault(str(action.step), day)
        touches += b.logged(evaluation)
    assert found == {
        "warning": date(2012, 6, 7),
        "blocked": date(2012, 6, 9),
        "cancellation": date(2012, 6, 13),
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_names_every_open_invoice_exactly_once(preset: str) -> None:
    invoices = [b.invoice(f"i{n}", n - 6, f"c{n % 4 + 1}") for n in range(110)]
    evaluation = b.run(*invoices, policy=preset)
    assert [d.invoice_id for d in evaluation.dispositions] == sorted(i.id for i in invoices)
