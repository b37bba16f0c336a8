"""What a policy's settings and the moment change: rolled due dates, grace, hours and clocks, gaps after a step, mailboxes, sellers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.cadence import books as b
from tests.conformance.cases_plan import notice
from tests.conformance.notation import EVERY_DAY, case, own_policy, task, touch

DEMAND = "action STEP_DUE first_demand demand"
FIRST = "action STEP_DUE reminder first"

# ---- what "now" is, and when something is late

for days, outcome, step in ((0, FIRST, "first"), (1, DEMAND, "demand")):
    case(
        f"one-book-{days}-days-later",
        "E1 R4 R5",
        "Nothing but the moment that is given says what today is: a book of day 7, and the same one a day later.",
        [b.invoice(dpd=7)],
        {"i1": outcome},
        touch(step, "email", "i1"),
        at=b.as_of(date(2026, 11, 25 + days)),
    )
LATE = own_policy(
    "late_by_count",
    tiers={
        "risk": [
            {"id": "late", "when": "overdue_invoices >= 1", "origin": "E3"},
            {"id": "fine", "otherwise": True, "origin": "E3"},
        ]
    },
    overrides=[],
)
for dpd, tier in ((0, "fine"), (1, "late")):
    case(
        f"overdue-on-day-{dpd}",
        "E3",
        "An invoice is not overdue on its due date; it is on the day after.",
        [b.invoice(dpd=dpd)],
        {"i1": "action STEP_DUE reminder due_today" if dpd == 0 else "wait * reminder first +2"},
        *([touch("due_today", "email", "i1")] if dpd == 0 else []),
        policy=LATE,
        segments=[{"customer_id": b.customer_id(), "risk_tier": tier}],
    )

# ---- due dates on closed days, days of grace

# Due on Saturday, November 21; it is Wednesday, November 25.
SATURDAY = b.invoice(due_date=date(2026, 11, 21), issue_date=date(2026, 10, 1))
for rule, outcome in (
    ("none", FIRST),
    ("following", "wait * reminder first +1"),
    ("preceding", FIRST),
):
    case(
        f"due-on-a-saturday-{rule}",
        "E4",
        "Due on a Saturday, four days ago. Rolled to the Monday it is two days late, a day before the first reminder; rolled to the "
        "Friday five.",
        [SATURDAY],
        {"i1": outcome},
        *([touch("first", "email", "i1")] if outcome == FIRST else []),
        policy=own_policy(f"due_roll_{rule}", clock={"due_roll": rule}),
    )
case(
    "due-on-a-saturday-in-a-longer-weekend",
    "E4 E6",
    "The Monday is a holiday in the customer's country, so the due date rolls to the Tuesday: a day late, two days to go.",
    [SATURDAY, b.customer(country="JP")],
    {"i1": "wait * reminder first +2"},
    policy=own_policy("due_roll_following", clock={"due_roll": "following"}),
    calendar={"weekend": [5, 6], "holidays": {"JP": ["2026-11-23"]}},
)
for dpd in (4, 5):
    case(
        f"grace-of-4-day-{dpd}",
        "E4",
        "Nothing overdue is sent in the four days of grace that this policy grants.",
        [b.invoice(dpd=dpd)],
        {"i1": "wait GRACE_DAYS reminder * +1" if dpd == 4 else FIRST},
        *([touch("first", "email", "i1")] if dpd == 5 else []),
        policy=own_policy("grace_of_4", clock={"grace_days": 4}),
    )

# ---- calendars and clocks

for holidays, sent in (([], "2026-11-26T14:00:00Z"), (["2026-11-26"], "2026-11-27T14:00:00Z")):
    case(
        f"evening-before-{'a-holiday' if holidays else 'a-working-day'}",
        "E6",
        "After hours on the Wednesday: the message waits for nine on the next business day, and holidays are what the calendar says.",
        [b.invoice(dpd=3)],
        {"i1": FIRST},
        touch("first", "email", "i1", not_before=sent),
        at=b.as_of(hour=20),
        calendar={"weekend": [5, 6], "holidays": {"US": holidays}},
    )
for name, day, sent in (
    ("winter", date(2026, 10, 31), "2026-11-01T14:00:00Z"),
    ("summer", date(2026, 3, 7), "2026-03-08T13:00:00Z"),
):
    case(
        f"clocks-change-to-{name}",
        "E7",
        "The night before the clocks change in New York: nine o'clock is nine by the wall clock of the next day.",
        [b.invoice(dpd=3, today=day)],
        {"i1": FIRST},
        touch("first", "email", "i1", not_before=sent),
        at=b.as_of(day, hour=20),
        calendar=EVERY_DAY,
    )
case(
    "an-hour-that-does-not-exist",
    "E7",
    "Half past two does not come on the morning when summer time begins: it becomes half past three.",
    [b.invoice(dpd=3, today=date(2026, 3, 8))],
    {"i1": FIRST},
    touch("first", "email", "i1", not_before="2026-03-08T07:30:00Z"),
    policy=own_policy("half_past_two", clock={"not_before": "02:30:00", "not_after": "03:30:00"}),
    at=b.as_of(date(2026, 3, 8), hour=0),
    calendar=EVERY_DAY,
)
US = own_policy("us_hours", hours="us_conservative")
for hour, sent in ((7, "2026-11-25T13:00:00Z"), (22, "2026-11-26T13:00:00Z")):
    case(
        f"us-hours-at-{hour}",
        "E44",
        "The cautious hours for the United States by name: from eight to nine in the evening, where the reader is.",
        [b.invoice(dpd=3)],
        {"i1": FIRST},
        touch("first", "email", "i1", not_before=sent),
        policy=US,
        at=b.as_of(hour=hour),
    )

# ---- money

for unapplied, code in (("100", "CREDIT_BALANCE"), ("150", "CREDIT_BALANCE")):
    case(
        f"on-account-{unapplied}",
        "E15 E13",
        "Money on account covers everything that is open: the customer owes nothing and is not contacted.",
        [b.invoice(dpd=9), b.payment(unapplied=unapplied, amount=unapplied)],
        {"i1": f"wait {code}"},
        task("apply_cash", code="APPLY_CASH"),
    )
case(
    "no-interest-is-added",
    "E45",
    "Eighty days late in a country with statutory interest: what is asked for is the balance.",
    [b.customer(country="DE"), b.invoice(dpd=40, balance_due=Decimal("60.10"))],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "voice", "i1", actor="either", to_chase={"USD": "60.10"}),
    notice("call"),
)
for ago, outcome in ((13, "wait STEP_GAP escalation call +1"), (14, "action STEP_DUE escalation call")):
    case(
        f"silence-of-14-days-after-{ago}",
        "E45",
        "A demand that gives fourteen days is followed by nothing before they are over.",
        [b.invoice(dpd=30), b.touch(ago=ago, step="demand", covers=("i1",))],
        {"i1": outcome},
        *([touch("call", "voice", "i1", actor="either"), notice("call")] if ago == 14 else []),
        policy=own_policy("two_weeks_to_pay", steps=[{"id": "demand", "min_gap_after": 14}]),
    )

# ---- another policy before this one

STRANGE = b.touch(ago=9, step="of_another_policy", covers=("i1",))
for rule, outcome in (
    ("re_evaluate", DEMAND),
    ("manual", "paused MANUAL_MIGRATION first_demand"),
):
    case(
        f"another-policy-before-{rule.replace('_', '-')}",
        "E30",
        "A step that this policy does not have was sent: by default it counts for nothing but the gap; by hand, a person places "
        "the invoice.",
        [b.invoice(dpd=14), STRANGE],
        {"i1": outcome},
        *(
            [touch("demand", "email", "i1")]
            if rule == "re_evaluate"
            else [task("place_invoice", code="MANUAL_MIGRATION")]
        ),
        policy=own_policy(f"migrates_{rule}", pauses={"migrate": rule}),
    )

# ---- order holds that exist

HOLD = own_policy("mentions_a_real_hold", steps=[{"id": "demand", "clauses": ["order_hold"]}])
for held in (True, False):
    case(
        f"order-hold-{'is' if held else 'is-not'}-set",
        "E39 R18",
        "A stop on new orders stops no message; the text may mention it where the ERP says that it is set.",
        [b.customer(order_hold=held), b.invoice(dpd=9)],
        {"i1": DEMAND},
        touch("demand", "email", "i1", clauses=["order_hold"] if held else []),
        policy=HOLD,
    )

# ---- one mailbox, several sellers

SHARED: list[Any] = [
    b.contact("c1", email="ap@shared.example"),
    b.contact("c2", email="AP@shared.example"),
    b.invoice("i1", 9, "c1"),
    b.invoice("i2", 12, "c2"),
]
case(
    "one-mailbox-without-a-limit",
    "E47",
    "Two customers that read one mailbox have a message each by default.",
    SHARED,
    {"i1": DEMAND, "i2": DEMAND},
    touch("demand", "email", "i1"),
    touch("demand", "email", "i2", owner="c2"),
)
case(
    "one-mailbox-one-message",
    "E47",
    "With a limit of one message to an address in a run the older invoice goes first, and the other waits for tomorrow.",
    SHARED,
    {"i1": "wait ADDRESS_CAP first_demand demand +1", "i2": DEMAND},
    touch("demand", "email", "i2", owner="c2"),
    policy=own_policy("one_to_an_address", limits={"max_per_address": 1}),
)
SELLERS = [b.invoice("i1", 9, subsidiary_id="s1"), b.invoice("i2", 12, subsidiary_id="s2")]
case(
    "two-sellers",
    "E48",
    "Two legal entities of the seller never share a notice: the older invoice's goes today, the other's tomorrow.",
    SELLERS,
    {"i1": "wait RUN_CAP first_demand demand +1", "i2": DEMAND},
    touch("demand", "email", "i2"),
)
case(
    "two-sellers-together",
    "E48",
    "Where the policy says so they do.",
    SELLERS,
    {"i1": "action RIDES_ALONG first_demand demand", "i2": DEMAND},
    touch("demand", "email", "i1", "i2"),
    policy=own_policy("sellers_together", grouping={"split_by_subsidiary": False}),
)
