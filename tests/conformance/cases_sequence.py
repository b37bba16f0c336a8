"""What was done before, what money and grouping change: gaps, caps, catch-up, coverage, amounts, currencies, statuses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import ar_core as ar
from tests.cadence import books as b
from tests.conformance.cases_plan import notice
from tests.conformance.notation import case, own_policy, task, touch

DAY = timedelta(days=1)

# ---- gaps and caps

for ago, outcome in ((2, "wait MIN_GAP first_demand demand +1"), (3, "action STEP_DUE first_demand demand")):
    case(
        f"gap-{ago}-days",
        "E26",
        f"The gap is three days and the day it is reached is allowed: contacted {ago} days ago.",
        [b.invoice(dpd=9), b.touch(ago=ago)],
        {"i1": outcome},
        *([touch("demand", "email", "i1")] if ago == 3 else []),
    )
case(
    "week-cap",
    "E27",
    "Two contacts in the last seven days are the most allowed; the first of them leaves the week in two days.",
    [b.invoice(dpd=9), b.touch("t1", ago=5), b.touch("t2", ago=3)],
    {"i1": "wait WEEK_CAP first_demand demand +2"},
)
case(
    "week-cap-over",
    "E27",
    "A contact seven days ago is no longer in the week.",
    [b.invoice(dpd=9), b.touch("t1", ago=7), b.touch("t2", ago=3)],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1"),
)
case(
    "internal-notices-count-in-no-cap",
    "C12 E27",
    "Notices to our own people are no contacts with the customer.",
    [
        b.invoice(dpd=9),
        *(
            b.touch(f"t{n}", ago=n, channel=ar.Channel.INTERNAL, direction=ar.Direction.INTERNAL)
            for n in (0, 1, 2)
        ),
    ],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1"),
)
case(
    "uncovered-invoice-waits-for-the-gap",
    "E23",
    "A reminder for one invoice yesterday does not hide the other: it waits for the customer's gap and says until when.",
    [b.invoice("i1", 9), b.invoice("i2", 9), b.touch(ago=1, step="demand", covers=("i1",))],
    {"i1": "wait NEXT_STEP first_demand call +13", "i2": "wait MIN_GAP first_demand demand +2"},
)

# ---- what is on record

case(
    "step-on-record",
    "E28 R60",
    "The demand is on record for this invoice: it does not fire again, the next step is the call on day 22.",
    [b.invoice(dpd=12), b.touch(ago=4, step="demand", covers=("i1",))],
    {"i1": "wait NEXT_STEP first_demand call +10"},
)
case(
    "due-date-moved-later",
    "E10",
    "The due date was changed after the reminder: at its new version nothing is on record, so the reminder goes out again.",
    [b.invoice(dpd=3, due_version=1), b.touch(ago=10, step="first", covers=("i1",))],
    {"i1": "action STEP_DUE reminder first"},
    touch("first", "email", "i1"),
)
case(
    "attempt-ambiguous",
    "E29",
    "Nobody knows whether the demand went out: nothing is sent, and a person has to find out.",
    [b.invoice(dpd=12), b.touch(ago=4, step="demand", covers=("i1",), outcome=ar.TouchOutcome.AMBIGUOUS)],
    {"i1": "wait AMBIGUOUS_ATTEMPT first_demand demand"},
    task("resolve_attempt", code="RESOLVE_AMBIGUOUS"),
)
case(
    "attempt-failed-today",
    "E29",
    "An attempt failed this morning: the step stays open and is tried again tomorrow.",
    [b.invoice(dpd=12), b.touch(ago=0, step="demand", covers=("i1",), outcome=ar.TouchOutcome.FAILED)],
    {"i1": "wait RETRY_BACKOFF first_demand demand +1"},
)
case(
    "attempt-failed-yesterday",
    "E27 E29",
    "What failed yesterday counts in no cap and is tried again.",
    [b.invoice(dpd=12), b.touch(ago=1, step="demand", covers=("i1",), outcome=ar.TouchOutcome.FAILED)],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1"),
)

# ---- catch-up

case(
    "catch-up-day-40",
    "E24",
    "The first run ever at day 40 makes one call and not four messages; what was skipped is named.",
    [b.invoice(dpd=40)],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "voice", "i1", actor="either", superseded=["first", "demand"]),
    notice("call"),
)
case(
    "catch-up-day-50",
    "E24",
    "The first run at day 50 sends the demand that the letter requires, and the letter only after it.",
    [b.invoice(dpd=50)],
    {"i1": "action STEP_DUE pre_legal demand"},
    touch("demand", "email", "i1", reasons=["REQUIRED_STEP_REOPENED"]),
)
case(
    "catch-up-sequential-day-40",
    "E24",
    "A sequential policy starts with its first notice, however old the invoice is.",
    [b.invoice(dpd=40)],
    {"i1": "action STEP_DUE * notice_1"},
    touch("notice_1", "email", "i1"),
    policy="sequential_notices",
)
for ago, outcome in ((6, "wait * * notice_2 +1"), (7, "action STEP_DUE * notice_2")):
    case(
        f"spacing-preserved-{ago}-days",
        "E25 G21",
        f"Thresholds 3 and 10: sent on day 14, the second is due on day 21; today is day {14 + ago}.",
        [b.invoice(dpd=14 + ago), b.touch(ago=ago, step="notice_1", covers=("i1",))],
        {"i1": outcome},
        *([touch("notice_2", "email", "i1")] if ago == 7 else []),
        policy="sequential_notices",
    )
for dpd, step in ((7, "reminder_7"), (8, None)):
    case(
        f"drop-day-{dpd}",
        "E24",
        "With catch-up drop a reminder goes out on its day or never.",
        [b.invoice(dpd=dpd)],
        {"i1": f"action STEP_DUE * {step}" if step else "wait *"},
        *([touch(step, "email", "i1")] if step else []),
        policy="xero_parity",
        at=b.as_of(hour=5),
    )
D365, D365_TRACK = (
    own_policy(
        f"dynamics_{mode}",
        preset=None,
        stages=[{"id": "all", "origin": "G23"}],
        catch_up={"mode": mode},
        steps=[
            {"id": name, "at": day, "channels": ["email"], "origin": "G23"}
            for name, day in (
                ("first_notice", 1),
                ("second_notice", 7),
                ("third_notice", 14),
                ("last_step", 15),
            )
        ],
    )
    for mode in ("latest", "sequential")
)
for name, day, policy, step in (
    ("january-24", date(2024, 1, 24), D365, "second_notice"),
    ("february-2-latest", date(2024, 2, 2), D365, "last_step"),
    ("february-2-track", date(2024, 2, 2), D365_TRACK, "first_notice"),
):
    case(
        f"dynamics-{name}",
        "G23",
        "Due January 15 and resumed later: the step closest to today, or the first one where every step is tracked.",
        [b.invoice(due_date=date(2024, 1, 15), issue_date=date(2023, 12, 15))],
        {"i1": f"action STEP_DUE * {step}"},
        touch(step, "email", "i1"),
        policy=policy,
        at=b.as_of(day),
    )

# ---- one message per customer

case(
    "grouping-lead",
    "E19 E20 R15",
    "Three invoices, one message: the highest stage leads, each keeps its own stage.",
    [b.invoice("i1", 22), b.invoice("i2", 9), b.invoice("i3", 4)],
    {
        "i1": "action STEP_DUE escalation call",
        "i2": "action RIDES_ALONG first_demand demand",
        "i3": "action RIDES_ALONG reminder first",
    },
    touch("call", "voice", "i1", "i2", "i3", actor="either", lead_invoice_id=b.invoice_id("i1")),
    notice("call"),
)
case(
    "grouping-oldest-then-largest",
    "E19",
    "Of the same stage the oldest leads, of the same age the largest.",
    [
        b.invoice("i1", 22),
        b.invoice("i2", 23),
        b.invoice("i3", 23, balance_due=Decimal(200), total=Decimal(200)),
    ],
    {
        "i1": "action RIDES_ALONG escalation call",
        "i2": "action RIDES_ALONG escalation call",
        "i3": "action STEP_DUE escalation call",
    },
    touch("call", "voice", "i1", "i2", "i3", actor="either", lead_invoice_id=b.invoice_id("i3")),
    notice("call"),
)
case(
    "pre-due-note-is-not-starved",
    "E21 R57",
    "An old disputed invoice does not stop the note before the due date of another.",
    [b.invoice("i1", 30), b.invoice("i2", -3), b.dispute()],
    {"i1": "paused DISPUTED escalation", "i2": "action STEP_DUE pre_due heads_up"},
    touch("heads_up", "email", "i2"),
)
case(
    "lead-paid",
    "E22",
    "The invoice that was called about is paid: the next one goes by its own age, with the gap kept.",
    [
        b.invoice("i1", 30, balance_due=Decimal(0)),
        b.invoice("i2", 9),
        b.touch(ago=4, step="call", covers=("i1",)),
    ],
    {"i2": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i2"),
)
case(
    "two-customers",
    "R40 R61",
    "Each customer has its own message; neither depends on the other.",
    [b.invoice("i1", 9), b.invoice("i2", 3, "c2")],
    {"i1": "action STEP_DUE first_demand demand", "i2": "action STEP_DUE reminder first"},
    touch("demand", "email", "i1"),
    touch("first", "email", "i2", owner="c2"),
)
case(
    "billed-with-the-parent",
    "E46",
    "A child that is billed with its parent is chased there, in one message with the parent's own.",
    [
        b.customer("c1"),
        b.customer("c2", parent_id=b.customer_id("c1"), bill_with_parent=True),
        b.invoice("i1", 9),
        b.invoice("i2", 9, "c2"),
    ],
    {"i1": "action * first_demand demand", "i2": "action * first_demand demand"},
    touch("demand", "email", "i1", "i2"),
)

# ---- money

PAID = [
    b.invoice(dpd=9, balance_due=Decimal(60)),
    b.allocation(ago=2, amount="40"),
    b.touch(ago=6, step="first", covers=("i1",)),
]
case(
    "part-paid-two-days-ago",
    "E12",
    "A payment after the last contact starts three quiet days: two have passed.",
    [*PAID, b.payment(ago=2, amount="40")],
    {"i1": "wait POST_PAYMENT_QUIET first_demand demand +1"},
)
case(
    "part-paid-three-days-ago",
    "E12",
    "After the quiet days the rest is chased at the invoice's full age.",
    [*PAID, b.payment(ago=3, amount="40")],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1", to_chase={"USD": "60"}),
)
case(
    "cash-covers-what-is-overdue",
    "E13",
    "Money on account covers the overdue invoice: apply it, and do not contact the customer.",
    [b.invoice("i1", 9), b.invoice("i2", -20), b.payment(unapplied="100", amount="100")],
    {"i1": "wait UNAPPLIED_CREDIT first_demand demand", "i2": "wait NOT_YET_DUE pre_due heads_up +17"},
    task("apply_cash", code="APPLY_CASH"),
)
case(
    "cash-covers-not-quite",
    "E13",
    "A cent short it covers nothing: the customer is contacted, and the money is shown.",
    [b.invoice("i1", 9), b.invoice("i2", -20), b.payment(unapplied="99.99", amount="99.99")],
    {"i1": "action STEP_DUE first_demand demand", "i2": "wait NOT_YET_DUE pre_due heads_up +17"},
    touch("demand", "email", "i1"),
)
case(
    "cash-in-another-currency",
    "E13 E14 E17",
    "Money in another currency covers nothing.",
    [b.invoice(dpd=9), b.payment(unapplied="500", currency="EUR")],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1", to_chase={"USD": "100"}),
)
case(
    "negative-item",
    "E14",
    "An invoice of negative balance is netted and never chased.",
    [b.invoice("i1", 9, balance_due=Decimal(-10), total=Decimal(-10)), b.invoice("i2", 9)],
    {"i1": "excluded NEGATIVE_ITEM", "i2": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i2"),
)
SMALL = own_policy("small_amounts", limits={"min_invoice": {"USD": "5"}})
case(
    "tiny-alone",
    "E16",
    "4.99 is below the threshold of 5: listed, not chased.",
    [b.invoice(dpd=9, balance_due=Decimal("4.99"))],
    {"i1": "wait BELOW_THRESHOLD first_demand demand"},
    policy=SMALL,
)
case(
    "tiny-with-another",
    "E16",
    "Below the threshold an invoice rides along with a larger one.",
    [b.invoice("i1", 9, balance_due=Decimal("4.99")), b.invoice("i2", 9)],
    {"i1": "action RIDES_ALONG first_demand demand", "i2": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1", "i2"),
    policy=SMALL,
)
case(
    "two-currencies",
    "E17",
    "One message with a section for each currency; nothing is added across them.",
    [b.invoice("i1", 9), b.invoice("i2", 9, currency="EUR")],
    {"i1": "action * first_demand demand", "i2": "action * first_demand demand"},
    touch("demand", "email", "i1", "i2", to_chase={"USD": "100", "EUR": "100"}),
)

# ---- documents

for status, outcome in (
    ("draft", "excluded NOT_POSTED"),
    ("pending_approval", "excluded NOT_POSTED"),
    ("voided", "excluded VOIDED"),
    ("unknown", "paused UNKNOWN_STATUS"),
):
    case(
        f"status-{status.replace('_', '-')}",
        "E11 E49",
        f"A document that is {status.replace('_', ' ')} is listed with its reason and not chased.",
        [b.invoice(dpd=30, document_status=ar.DocumentStatus(status))],
        {"i1": outcome},
    )
case(
    "no-due-date",
    "E8",
    "Without a due date an invoice is excluded by default, not guessed.",
    [b.invoice(due_date=None, issue_date=b.TODAY - 10 * DAY)],
    {"i1": "excluded NO_DUE_DATE"},
)
case(
    "not-yet-issued",
    "E9",
    "Issued tomorrow: nothing to chase today.",
    [b.invoice(dpd=3, issue_date=b.TODAY + DAY)],
    {"i1": "excluded NOT_YET_ISSUED - - +1"},
)
