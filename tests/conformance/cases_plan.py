"""Stage, step, channel, tier and escalation: what the plan says to an invoice and a customer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import ar_core as ar
from tests.cadence import books as b
from tests.conformance.notation import EVERY_DAY, case, decision, own_policy, task, touch

AM: dict[str, Any] = {"notify": ["account_manager"]}


def notice(step: str, owner: str = "c1") -> dict[str, object]:
    """The notice to the account manager that goes with a step."""
    return task(f"{step}:notify", owner, code="NOTIFY", **AM)


# ---- stages and steps of a first run, one invoice of each boundary age (G25)

case(
    "stage-day-minus-6",
    "R57 C7 G25",
    "Before the window of the heads-up (days -5 to -1) nothing is open; the note is due on day -3, three days from now.",
    [b.invoice(dpd=-6)],
    {"i1": "wait NOT_YET_DUE pre_due heads_up +3"},
)
case(
    "stage-day-minus-3",
    "R57 C7",
    "Three days before the due date the friendly note goes out.",
    [b.invoice(dpd=-3)],
    {"i1": "action STEP_DUE pre_due heads_up"},
    touch("heads_up", "email", "i1", tone="friendly", purpose="pre_due"),
)
case(
    "stage-day-minus-1",
    "R57 G25",
    "Day -1 is still inside the window of the heads-up, and the stage is pre_due.",
    [b.invoice(dpd=-1)],
    {"i1": "action STEP_DUE pre_due heads_up"},
    touch("heads_up", "email", "i1"),
)
case(
    "stage-day-0",
    "R4 R58 C6 G25",
    "The due date itself is in the reminder stage; a confirmation goes out, which is no overdue notice.",
    [b.invoice(dpd=0)],
    {"i1": "action STEP_DUE reminder due_today"},
    touch("due_today", "email", "i1", purpose="due_confirmation"),
)
case(
    "stage-day-2",
    "R38 R4",
    "On day 2 the confirmation's day has passed and the first reminder is due on day 3: wait a day.",
    [b.invoice(dpd=2)],
    {"i1": "wait * reminder first +1"},
)
case(
    "stage-day-3",
    "R38 R15 R28",
    "Day 3: the first reminder, friendly, with the invoice attached and named.",
    [b.invoice(dpd=3)],
    {"i1": "action STEP_DUE reminder first"},
    touch("first", "email", "i1", tone="friendly"),
)
case(
    "stage-day-7",
    "R4 G25",
    "Day 7 is the last day of the reminder stage and of the first reminder's window.",
    [b.invoice(dpd=7)],
    {"i1": "action STEP_DUE reminder first"},
    touch("first", "email", "i1"),
)
case(
    "stage-day-8",
    "R5 G25",
    "Day 8 begins the first demand, in a direct tone.",
    [b.invoice(dpd=8)],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1", tone="direct"),
)
case(
    "stage-day-21",
    "R5 R9 R10 R13 R22 G25",
    "Day 21 is the last of e-mail alone: a core customer is not called yet.",
    [b.invoice(dpd=21)],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1"),
)
case(
    "stage-day-22",
    "R6 R10 R11 R22 G25",
    "Day 22: a call, by a person or a machine, and the account manager hears of it.",
    [b.invoice(dpd=22)],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "voice", "i1", actor="either", tone="firm", sender="Ann Lee"),
    notice("call"),
)
case(
    "stage-day-45",
    "R6 G25",
    "Day 45 is the last of the escalation stage and of the call's window.",
    [b.invoice(dpd=45)],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "voice", "i1", actor="either"),
    notice("call"),
)
case(
    "stage-day-46-nothing-sent",
    "R7 E24 G25",
    "The letter requires the demand, which never went out: the demand opens again after its window and goes first.",
    [b.invoice(dpd=46)],
    {"i1": "action STEP_DUE pre_legal demand"},
    touch("demand", "email", "i1", reasons=["REQUIRED_STEP_REOPENED"]),
)
case(
    "stage-day-46-demand-sent",
    "R7 R18 C15",
    "After the demand the letter is due; legal action is not declared, so its else branch calls instead, by a person, and "
    "no legal consequence is mentioned.",
    [b.invoice(dpd=46), b.touch(ago=30, step="demand", covers=("i1",))],
    {"i1": "action STEP_DUE pre_legal letter"},
    touch("letter", "voice", "i1", actor="human", reasons=["ELSE_BRANCH"], clauses=[]),
)
case(
    "stage-day-46-legal-declared",
    "R7 R18",
    "Where legal action is declared the letter itself goes out, and may say so.",
    [b.invoice(dpd=46), b.touch(ago=30, step="demand", covers=("i1",))],
    {"i1": "action STEP_DUE pre_legal letter"},
    touch("letter", "letter", "i1", actor="human", tone="formal", clauses=["legal"]),
    policy=own_policy("legal", capabilities={"will_pursue_legal": True}),
)
case(
    "stage-day-75",
    "R7 G25",
    "Day 75 is the last of the pre-legal stage. At 60 days and more, unanswered, the finance lead is told as well.",
    [b.invoice(dpd=75), b.touch(ago=50, step="demand", covers=("i1",))],
    {"i1": "action STEP_DUE pre_legal letter"},
    touch("letter", "voice", "i1", actor="human"),
    task("rung:finance_lead", code="ESCALATED"),
)
case(
    "stage-day-76",
    "R8 R71 C17 G25",
    "Day 76: a person has to decide between four ways, and nothing is sent to the customer.",
    [b.invoice(dpd=76)],
    {"i1": "action DECISION_REQUIRED write_off_review decide"},
    decision(options=["plan", "refer", "write_off", "keep_chasing"]),
)

# ---- tiers

case(
    "tail-day-13",
    "R23 C3",
    "A tail customer is called from day 14: on day 13 it still gets the demand by e-mail.",
    [b.invoice(dpd=13)],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1"),
    tier="tail",
)
case(
    "tail-day-14",
    "R23 C3 C13",
    "Day 14 brings the call for a tail customer, eight days before everybody else; the stage stays that of its age.",
    [b.invoice(dpd=14)],
    {"i1": "action STEP_DUE first_demand call"},
    touch("call", "voice", "i1", actor="either"),
    notice("call"),
    tier="tail",
)
case(
    "strategic-day-0",
    "R20 R21 C12",
    "A strategic customer is written to by a person only, and its account manager hears of the first stage.",
    [b.invoice(dpd=0)],
    {"i1": "action STEP_DUE reminder due_today"},
    touch("due_today", "email", "i1", actor="human"),
    task("notice:strategic_stage_1", code="NOTIFY", **AM),
    notice("due_today"),
    tier="strategic",
)
case(
    "strategic-catch-up-fallback",
    "R20 E42 E43",
    "On catch-up and on a fallback channel a strategic customer is still for people: no phone, so e-mail, by a person.",
    [b.invoice(dpd=40), b.contact(phone=None, mobile=None)],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "email", "i1", actor="human", reasons=["CHANNEL_FALLBACK", "HUMAN_ONLY"]),
    task("notice:strategic_stage_1", code="NOTIFY"),
    notice("call"),
    tier="strategic",
)
case(
    "value-unknown",
    "R19 C18",
    "A customer of unknown value is for people only until a value is known.",
    [b.invoice(dpd=3)],
    {"i1": "action STEP_DUE reminder first"},
    touch("first", "email", "i1", actor="human"),
    tier={},
    segments=[{"customer_id": b.customer_id(), "value_tier": "unknown", "codes": ["VALUE_UNKNOWN"]}],
)
for name, country, channel in (("mexico", "MX", "whatsapp"), ("germany", "DE", "email")):
    case(
        f"no-calls-{name}",
        "R12 E43",
        f"The customer wants no calls: where WhatsApp is usual it stands before e-mail ({name}: {channel}).",
        [
            b.customer(country=country),
            b.profile(
                consents=(
                    ar.Consent(channel=ar.Channel.VOICE, granted=False),
                    ar.Consent(channel=ar.Channel.WHATSAPP, granted=True),
                )
            ),
            b.invoice(dpd=22),
        ],
        {"i1": "action STEP_DUE escalation call"},
        touch("call", channel, "i1", actor="either"),
        notice("call"),
    )


def risk(tier: str, *codes: str) -> list[dict[str, object]]:
    """The expected risk tier of the customer."""
    return [{"customer_id": b.customer_id(), "risk_tier": tier, "codes": list(codes)}]


for dpd, tier, codes, rules in (
    (15, "occasional", (), "R52"),
    (16, "occasional", ("SEED_GAP",), "C9"),
    (29, "occasional", ("SEED_GAP",), "C9"),
    (30, "at_risk", (), "R53"),
    (59, "at_risk", (), "R53 C8"),
    (60, "high_risk", (), "R54 C8"),
):
    step = "demand" if dpd < 22 else "call" if dpd < 46 else "letter"
    stage = "first_demand" if dpd < 22 else "escalation" if dpd < 46 else "pre_legal"
    case(
        f"risk-day-{dpd}",
        rules,
        f"By days past due alone a customer at day {dpd} is {tier}; days 16 to 29 are the gap that the sources leave.",
        [b.invoice(dpd=dpd), b.touch(ago=12, step="demand", covers=("i1",))]
        if step == "letter"
        else [b.invoice(dpd=dpd)],
        {"i1": f"action STEP_DUE {stage} {step}"},
        *(
            [touch("demand", "email", "i1")]
            if step == "demand"
            else [touch("call", "voice", "i1", actor="either"), notice("call")]
            if step == "call"
            else [touch("letter", "voice", "i1", actor="human")]
        ),
        *([task("rung:finance_lead", code="ESCALATED")] if dpd == 60 else []),
        segments=risk(tier, *codes),
    )
case(
    "risk-two-broken-promises",
    "R54 R56 E35",
    "Two broken promises are high risk at any age, and from then on a person makes the contact.",
    [
        b.invoice(dpd=9),
        b.promise("a", on=-20, given=25),
        b.promise("b", on=-10, given=12),
    ],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1", actor="human", reasons=["HUMAN_ONLY"]),
    segments=risk("high_risk"),
    promises=[{"promise_id": "local:a", "state": "broken"}, {"promise_id": "local:b", "state": "broken"}],
)

# ---- escalation

SENT = b.touch("t1", ago=20, step="demand", covers=("i1",))
case(
    "escalate-day-59",
    "R44 C8",
    "Unanswered, but on day 59: the rung is not raised yet.",
    [b.invoice(dpd=59), SENT],
    {"i1": "action STEP_DUE pre_legal letter"},
    touch("letter", "voice", "i1", actor="human", rung="automated"),
)
case(
    "escalate-day-60",
    "R44 R69 C8",
    "Day 60 and no answer to anything: the finance lead takes part.",
    [b.invoice(dpd=60), SENT],
    {"i1": "action STEP_DUE pre_legal letter"},
    touch("letter", "voice", "i1", actor="human", rung="finance_lead"),
    task("rung:finance_lead", code="ESCALATED", rung="finance_lead"),
)
ANSWERED = b.touch("t2", ago=10, direction=ar.Direction.INBOUND)
case(
    "escalate-day-60-answered",
    "R44",
    "Day 60, but the customer has answered and broken no promise: no escalation.",
    [b.invoice(dpd=60), SENT, ANSWERED],
    {"i1": "action STEP_DUE pre_legal letter"},
    touch("letter", "voice", "i1", actor="human", rung="automated"),
)
case(
    "escalate-day-90-answered",
    "C8",
    "At 90 days the escalation is forced, answered or not.",
    [b.invoice(dpd=90), SENT, ANSWERED],
    {"i1": "action DECISION_REQUIRED write_off_review decide"},
    decision(rung="finance_lead"),
    task("rung:finance_lead", code="ESCALATED"),
)

# ---- zones and calendars

HOURS = own_policy("all_hours", clock={"not_before": "00:00:00", "not_after": "23:59:00"})
INSTANT = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
NINE_DAYS = b.invoice(due_date=date(2026, 11, 14), issue_date=date(2026, 10, 1))
for zone, step, stage in (("America/New_York", "first", "reminder"), ("UTC", "demand", "first_demand")):
    case(
        f"zone-{zone.replace('/', '-').lower()}",
        "E2 R4 R5",
        "Days past due are counted in the organization's zone: at this instant it is the 21st in New York and the 22nd in UTC.",
        [NINE_DAYS],
        {"i1": f"action STEP_DUE {stage} {step}"},
        touch(step, "email", "i1"),
        policy=HOURS,
        at=ar.AsOf(instant=INSTANT, zone=zone),
        calendar=EVERY_DAY,
    )
case(
    "send-date-tokyo",
    "E5",
    "Sunday in Tokyo; Monday the 23rd is a holiday in Japan: the message waits for Tuesday, 9 o'clock there.",
    [
        b.customer(country="JP", time_zone="Asia/Tokyo"),
        b.invoice(due_date=date(2026, 11, 13), issue_date=date(2026, 10, 1)),
    ],
    {"i1": "action STEP_DUE first_demand demand"},
    touch("demand", "email", "i1", not_before="2026-11-24T00:00:00Z", reasons=["NON_BUSINESS_DAY"]),
    at=ar.AsOf(instant=datetime(2026, 11, 22, 3, tzinfo=UTC), zone="Asia/Tokyo"),
    calendar={"weekend": [5, 6], "holidays": {"JP": ["2026-11-23"]}},
)
SATURDAY = date(2026, 11, 21)
case(
    "window-missed-on-a-weekend",
    "E5",
    "Day 7 is a Saturday: by Monday the reminder's window is over, so it is missed and tomorrow the demand opens.",
    [b.invoice(dpd=7, today=SATURDAY)],
    {"i1": "wait WINDOW_MISSED reminder * +1"},
    at=b.as_of(SATURDAY),
)
case(
    "evening-run",
    "R35 E5",
    "A run at eight in the evening holds the message to nine the next morning.",
    [b.invoice(dpd=3)],
    {"i1": "action STEP_DUE reminder first"},
    touch("first", "email", "i1", not_before="2026-11-26T14:00:00Z", reasons=["QUIET_HOURS"]),
    at=b.as_of(hour=20),
)

# ---- levels joined by AND and OR

for joined, level in (("and", "level_1"), ("or", "level_2")):
    tests = {"level_1": (1, 10, 100), "level_2": (3, 30, 100)}
    case(
        f"netsuite-levels-{joined}",
        "G22",
        f"Ten invoices of 10, five days overdue; the tests of a level are joined by {joined}: {level} goes out.",
        [b.invoice(f"i{n}", 5, total="10", balance_due="10") for n in range(10)],
        {f"i{n}": f"action * all {level}" for n in range(10)},
        touch(level, "letter", *(f"i{n}" for n in range(10))),
        policy=own_policy(
            f"netsuite_{joined}",
            preset=None,
            stages=[{"id": "all", "origin": "G22"}],
            steps=[
                {
                    "id": name,
                    "at": place,
                    "window": [1],
                    "channels": ["letter"],
                    "when": f" {joined} ".join(
                        (f"max_dpd >= {days}", f"total >= {amount}", f"overdue_base >= {overdue}")
                    ),
                    "origin": "G22",
                }
                for place, (name, (days, amount, overdue)) in enumerate(tests.items(), 1)
            ],
        ),
    )
