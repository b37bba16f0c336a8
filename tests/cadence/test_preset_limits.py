"""Every number of a preset that is no day of its plan: gaps, caps, hours, and what of a promise is forgiven (E26, E34, E44, R35, R44)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import ar_core as ar
from tests.cadence import books as b

ACTION, WAIT = ar.DispositionKind.ACTION, ar.DispositionKind.WAIT
Code = ar.Code
DAY = timedelta(days=1)
DEFAULTS = ["balanced", "funnel_5", "risk_4", "sequential_notices"]
SPRINTS = ["sprint_3_5_7_10", "sprint_3_5_10"]
OVERDUE = {"risk_4": 30}
"""Days past due at which a step is due for whoever was just contacted, where it is not 10."""


def code(preset: str, *touches: ar.Touch) -> ar.Code:
    """What is said of an invoice for which a step is due, after these contacts."""
    return b.of(b.run(b.invoice(dpd=OVERDUE.get(preset, 10)), *touches, policy=preset)).code


# ---- gaps and caps


@pytest.mark.parametrize(("preset", "gap"), [*((p, 3) for p in DEFAULTS), *((p, 2) for p in SPRINTS)])
def test_e26_days_between_two_contacts(preset: str, gap: int) -> None:
    assert code(preset, b.touch(ago=gap - 1)) is Code.MIN_GAP
    assert code(preset, b.touch(ago=gap)) is Code.STEP_DUE


@pytest.mark.parametrize(("preset", "cap"), [*((p, 2) for p in DEFAULTS), *((p, 3) for p in SPRINTS)])
def test_e26_contacts_in_seven_days(preset: str, cap: int) -> None:
    """The last of them lies just as far back as the gap asks for."""
    gap = 2 if preset in SPRINTS else 3
    touches = [b.touch(f"t{n}", ago=gap + n) for n in range(cap)]
    assert code(preset, *touches) is Code.WEEK_CAP
    assert code(preset, *touches[1:]) is Code.STEP_DUE


def test_e26_calls_and_text_messages_in_seven_days() -> None:
    """One text message and two calls; what a step cannot use it passes over."""
    sms, voice, email = ar.Channel.SMS, ar.Channel.VOICE, ar.Channel.EMAIL
    for channel, cap in ((sms, 1), (voice, 2)):
        step = {"id": "demand", "channels": [channel.value, email.value]}
        policy = b.changed("balanced", steps=[step], limits={"max_touches_per_7d": 9, "min_gap_days": 0})
        allowed = b.profile(consents=(ar.Consent(channel=channel, granted=True),))
        invoice = b.invoice(dpd=10, payment_link="https://pay.example/1")
        calls = [b.touch(f"t{n}", ago=2 + n, channel=channel) for n in range(cap)]
        found = [
            b.only_touch(b.run(invoice, allowed, *made, policy=policy)).channel for made in (calls[1:], calls)
        ]
        assert found == [channel, email]


def test_xero_parity_limits_one_day_and_no_more() -> None:
    """As Xero does: one reminder for each invoice, whatever else went out, up to a limit of ours."""
    due = [b.invoice(f"i{n:02d}", 7) for n in range(51)]
    early = b.as_of(hour=5)
    found = b.run(*due, b.touch(ago=0, at=b.as_of(hour=4).instant), policy="xero_parity", at=early)
    codes = [b.of(found, f"i{n:02d}").code for n in range(51)]
    assert (codes.count(Code.STEP_DUE), codes.count(Code.RUN_CAP)) == (50, 1)
    week = [b.touch(f"t{n}", ago=n, at=b.as_of(b.TODAY - n * DAY, 4).instant) for n in range(7)]
    for touches, expected in ((week, WAIT), (week[1:], ACTION)):
        assert b.of(b.run(due[0], *touches, policy="xero_parity", at=early), "i00").kind is expected


@pytest.mark.parametrize("preset", SPRINTS)
def test_r44_one_broken_promise_escalates_who_has_answered(preset: str) -> None:
    records = [
        b.invoice(dpd=60),
        b.touch("t1", ago=40, step="first", covers=("i1",)),
        b.touch("t2", ago=20, direction=ar.Direction.INBOUND),
    ]
    assert b.run(*records, policy=preset).segments[0].rung == "automated"
    assert b.run(*records, b.promise(on=-20, given=25), policy=preset).segments[0].rung == "finance_lead"


# ---- hours


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        *((preset, "14:00:00", "22:00:00") for preset in (*DEFAULTS, *SPRINTS)),
        ("xero_parity", "09:00:00", "04:59:59"),
    ],
)
def test_r35_e44_messages_go_out_in_these_hours(preset: str, first: str, last: str) -> None:
    """In New York it is five hours earlier than here."""
    dpd = {"xero_parity": 7, **OVERDUE}.get(preset, 10)
    action = b.only_touch(b.run(b.invoice(dpd=dpd), policy=preset, at=b.as_of(hour=3)))
    until = b.TODAY + int(last < first) * DAY
    assert action.not_before == datetime.fromisoformat(f"{b.TODAY}T{first}").replace(tzinfo=UTC)
    assert action.not_after == datetime.fromisoformat(f"{until}T{last}").replace(tzinfo=UTC)


# ---- promises


@pytest.mark.parametrize("preset", ["balanced", "funnel_5", "risk_4"])
@pytest.mark.parametrize(
    ("promised_on", "state"),
    [(-1, "in_grace"), (-2, "in_grace"), (-5, "broken"), (-6, "broken")],
)
def test_e34_two_business_days_of_grace(preset: str, promised_on: int, state: str) -> None:
    """On a Wednesday: the Monday's promise may be kept today, the Friday's until yesterday."""
    verdict = b.run(b.invoice(dpd=30), b.promise(on=promised_on, given=9), policy=preset).promises[0]
    assert verdict.state == state


@pytest.mark.parametrize("preset", ["balanced", "funnel_5", "risk_4"])
@pytest.mark.parametrize(
    ("promised", "paid", "state"),
    [
        ("100", "98", "kept"),
        ("100", "97.99", "partially_kept"),
        ("1000", "995", "kept"),
        ("1000", "994.99", "partially_kept"),
    ],
)
def test_e34_two_percent_are_forgiven_and_five_at_most(
    preset: str, promised: str, paid: str, state: str
) -> None:
    total = Decimal(promised)
    records = [
        b.invoice(dpd=30, total=total, balance_due=total - Decimal(paid)),
        b.promise(on=-6, given=9),
        b.payment(ago=7, amount=paid),
        b.allocation(ago=7, amount=paid),
    ]
    assert b.run(*records, policy=preset).promises[0].state == state
