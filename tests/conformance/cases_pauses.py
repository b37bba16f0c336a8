"""What stops a contact, and whom to reach: disputes, promises, replies, absences, stops, consent, addresses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import ar_core as ar
from tests.cadence import books as b
from tests.conformance.cases_plan import notice
from tests.conformance.notation import case, own_policy, task, touch

IN, INTENT = ar.Direction.INBOUND, ar.Intent
DEMAND = "action STEP_DUE first_demand demand"

# ---- disputes

case(
    "dispute",
    "E31 R62",
    "A dispute pauses its invoice and no other.",
    [b.invoice("i1", 9), b.invoice("i2", 9), b.dispute()],
    {"i1": "paused DISPUTED first_demand", "i2": DEMAND},
    touch("demand", "email", "i2"),
)
case(
    "dispute-in-part",
    "E31 R62",
    "30 of 100 are disputed: the other 70 are chased.",
    [b.invoice(dpd=9), b.dispute(disputed_amount=Decimal(30), currency="USD")],
    {"i1": DEMAND},
    touch("demand", "email", "i1", to_chase={"USD": "70"}),
)
for ago, outcome in ((2, "paused DISPUTE_COOLING first_demand - +1"), (3, DEMAND)):
    case(
        f"dispute-resolved-{ago}-days-ago",
        "E31",
        "After a dispute is resolved nothing is sent for three days.",
        [b.invoice(dpd=9), b.dispute(ago=10, resolved_on=b.TODAY - timedelta(days=ago))],
        {"i1": outcome},
        *([touch("demand", "email", "i1")] if ago == 3 else []),
    )
case(
    "dispute-and-promise",
    "E32",
    "A promise that came later does not resolve the dispute.",
    [b.invoice(dpd=9), b.dispute(ago=5), b.promise(given=1)],
    {"i1": "paused DISPUTED first_demand"},
)

# ---- promises

case(
    "promise-open",
    "E33 R60",
    "Promised for Friday: paused over the date and two business days of grace, until Wednesday, the day after the grace.",
    [b.invoice("i1", 9), b.invoice("i2", 9), b.promise(on=2, given=1)],
    {"i1": "paused PTP_OPEN first_demand - +7", "i2": DEMAND},
    touch("demand", "email", "i2"),
    promises=[{"promise_id": "local:pr1", "state": "open", "deadline": "2026-12-01"}],
)
case(
    "promise-in-grace",
    "E33 E34",
    "Promised for yesterday, nothing came: still in grace until Thursday.",
    [b.invoice(dpd=9), b.promise(on=-1, given=3)],
    {"i1": "paused PTP_IN_GRACE first_demand - +2"},
    promises=[{"promise_id": "local:pr1", "state": "in_grace", "deadline": "2026-11-26"}],
)
case(
    "promise-broken",
    "E34 R44",
    "Promised for last Thursday: the grace ended on Monday, nothing was paid; chasing goes on.",
    [b.invoice(dpd=12), b.promise(on=-6, given=8)],
    {"i1": DEMAND},
    touch("demand", "email", "i1"),
    promises=[{"promise_id": "local:pr1", "state": "broken", "decided_on": "2026-11-23"}],
)
case(
    "promise-kept",
    "E34",
    "Paid on the promised day: kept, and nothing is open.",
    [
        b.invoice(dpd=9, balance_due=Decimal(0)),
        b.promise(on=-5, given=8),
        b.payment(ago=5),
        b.allocation(ago=5),
    ],
    {},
    promises=[{"promise_id": "local:pr1", "state": "kept", "decided_on": "2026-11-20"}],
)
case(
    "promise-kept-within-tolerance",
    "E34",
    "98 of 100 are within the tolerance of two percent: kept. The two that are missing are still owed, and quiet days pass.",
    [
        b.invoice(dpd=9, balance_due=Decimal(2)),
        b.promise(on=-5, given=8),
        b.payment(ago=5, amount="98"),
        b.allocation(ago=5, amount="98"),
    ],
    {"i1": DEMAND},
    touch("demand", "email", "i1", to_chase={"USD": "2"}),
    promises=[{"promise_id": "local:pr1", "state": "kept"}],
)
case(
    "promise-kept-in-part",
    "E34",
    "97 of 100 are beyond the tolerance: partially kept.",
    [
        b.invoice(dpd=9, balance_due=Decimal(3)),
        b.promise(on=-5, given=8),
        b.payment(ago=5, amount="97"),
        b.allocation(ago=5, amount="97"),
    ],
    {"i1": DEMAND},
    touch("demand", "email", "i1", to_chase={"USD": "3"}),
    promises=[{"promise_id": "local:pr1", "state": "partially_kept"}],
)
case(
    "promise-of-a-part",
    "E33",
    "40 of 100 are promised: the other 60 are chased.",
    [b.invoice(dpd=9), b.promise(promised_amount=Decimal(40), currency="USD")],
    {"i1": DEMAND},
    touch("demand", "email", "i1", to_chase={"USD": "60"}),
)
case(
    "promise-too-far-away",
    "E36",
    "Given two days ago for 29 days from now, 31 days: it pauses for now, and a person has to approve it.",
    [b.invoice(dpd=9), b.promise(on=29, given=2)],
    {"i1": "paused PTP_OPEN first_demand"},
    task("approve_promise", code="PTP_NEEDS_APPROVAL"),
)
case(
    "promise-withdrawn",
    "E34",
    "A withdrawn promise pauses nothing.",
    [b.invoice(dpd=9), b.promise(withdrawn_on=b.TODAY)],
    {"i1": DEMAND},
    touch("demand", "email", "i1"),
    promises=[{"promise_id": "local:pr1", "state": "withdrawn"}],
)

# ---- what the customer said

case(
    "says-paid",
    "E38 R43",
    "The customer says it has paid: five business days to verify, and a task; no reminder.",
    [b.invoice(dpd=14), b.touch(ago=2, direction=IN, intent=INTENT.SAYS_PAID, covers=("i1",))],
    {"i1": "paused REPLY_PENDING first_demand"},
    task("verify_payment", code="REPLY_NEEDS_PERSON"),
)
case(
    "wants-a-copy",
    "R63 E38",
    "A request for a copy gets the copy and not another reminder.",
    [b.invoice(dpd=9), b.touch(ago=1, direction=IN, intent=INTENT.COPY_REQUESTED, covers=("i1",))],
    {"i1": "action COPY_REQUESTED first_demand send_copy"},
    touch("send_copy", "email", "i1", purpose="send_copy"),
)
case(
    "missing-purchase-order",
    "R62",
    "A missing purchase order is mended by our own people first.",
    [b.invoice(dpd=9), b.touch(ago=1, direction=IN, intent=INTENT.MISSING_PO, covers=("i1",))],
    {"i1": "paused REPLY_PENDING first_demand"},
    task("fix_purchase_order", code="REPLY_NEEDS_PERSON"),
)
case(
    "refused",
    "R43",
    "Whoever refuses to pay is spoken to by a person from now on.",
    [b.invoice(dpd=9), b.touch(ago=5, direction=IN, intent=INTENT.REFUSED)],
    {"i1": DEMAND},
    touch("demand", "email", "i1", actor="human"),
    task("speak_to_customer", code="REPLY_NEEDS_PERSON"),
)
case(
    "out-of-office",
    "E37 R43",
    "The only contact is away until Friday: wait for Monday, the next business day.",
    [
        b.invoice(dpd=9),
        b.touch(ago=1, direction=IN, intent=INTENT.OUT_OF_OFFICE, until=date(2026, 11, 27)),
    ],
    {"i1": "wait OUT_OF_OFFICE first_demand demand +5"},
)
case(
    "out-of-office-another-contact",
    "E37",
    "Somebody else at the customer can be asked.",
    [
        b.invoice(dpd=9),
        b.contact(),
        b.contact(name="other", role=ar.ContactRole.ACCOUNTS_PAYABLE),
        b.touch(ago=1, direction=IN, intent=INTENT.OUT_OF_OFFICE, until=date(2026, 11, 27)),
    ],
    {"i1": DEMAND},
    touch("demand", "email", "i1", address="other@example.com"),
)

# ---- stops

for flag, code in (("legal_stop", "LEGAL_STOP"), ("some_new_flag", "UNKNOWN_FLAG")):
    case(
        f"flag-{flag.replace('_', '-')}",
        "E40",
        "A legal stop, and a flag nobody knows, stop every contact; whoever handles legal matters gets a task.",
        [b.invoice("i1", 9), b.invoice("i2", 80), b.profile(flags=(flag,))],
        {"i1": f"paused {code}", "i2": f"paused {code}"},
        task("legal_review", code="LEGAL_REVIEW"),
    )
case(
    "legal-stop-on-the-parent",
    "E40 E46",
    "A legal stop on the parent covers its children.",
    [
        b.customer("c1", parent_id=b.customer_id("c2")),
        b.customer("c2"),
        b.profile("c2", flags=("legal_stop",)),
        b.invoice(dpd=9),
    ],
    {"i1": "paused LEGAL_STOP"},
    task("legal_review", code="LEGAL_REVIEW"),
)
case(
    "do-not-contact",
    "E41",
    "Whoever must not be contacted becomes a task for a person.",
    [b.invoice(dpd=9), b.profile(flags=("do_not_contact",))],
    {"i1": "paused DO_NOT_CONTACT"},
    task("review_do_not_contact"),
)
case(
    "human-only",
    "R20 E42",
    "The flag human_only keeps machines away, whatever the tier.",
    [b.invoice(dpd=9), b.profile(flags=("human_only",))],
    {"i1": DEMAND},
    touch("demand", "email", "i1", actor="human"),
)
for name, last, outcome in (("last-day", 0, "paused PAUSED first_demand - +1"), ("over", -1, DEMAND)):
    case(
        f"pause-{name}",
        "E31",
        "A pause holds through its last day and not longer.",
        [
            b.invoice(dpd=9),
            ar.Pause(
                id="local:pause",
                customer_id=b.customer_id(),
                starts_on=b.TODAY - timedelta(days=9),
                ends_on=b.TODAY + timedelta(days=last),
            ),
        ],
        {"i1": outcome},
        *([touch("demand", "email", "i1")] if last < 0 else []),
    )

# ---- addresses and consent

case(
    "no-phone",
    "E43",
    "Without a phone the call becomes an e-mail, the step's next channel.",
    [b.invoice(dpd=22), b.contact(phone=None, mobile=None)],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "email", "i1", actor="either", reasons=["CHANNEL_FALLBACK"]),
    notice("call"),
)
case(
    "no-address-at-all",
    "E43 R3",
    "Nothing to reach the customer by: a task to find an address, and no silence.",
    [b.invoice(dpd=22), b.contact(phone=None, mobile=None, email=None, postal=None)],
    {"i1": "wait NO_ADDRESS escalation call"},
    task("get_contact", code="GET_CONTACT"),
)
case(
    "email-refused",
    "E41",
    "The only channel of the step was refused: a person has to find another.",
    [b.invoice(dpd=9), b.profile(consents=(ar.Consent(channel=ar.Channel.EMAIL, granted=False),))],
    {"i1": "wait NO_ADDRESS first_demand demand"},
    task("get_contact"),
)
case(
    "sms-refused-email-stays",
    "E41",
    "STOP on text messages does not touch e-mail.",
    [
        b.invoice(dpd=9),
        b.touch(ago=5, direction=IN, intent=INTENT.OPTED_OUT, channel=ar.Channel.SMS),
    ],
    {"i1": DEMAND},
    touch("demand", "email", "i1"),
)
case(
    "no-account-manager",
    "R17",
    "The call is to come from the account manager and there is none: it goes out and says so.",
    [b.invoice(dpd=22), b.profile(account_manager=None)],
    {"i1": "action STEP_DUE escalation call"},
    touch("call", "voice", "i1", actor="either", sender=None, reasons=["NO_NAMED_HUMAN"]),
    notice("call"),
)
case(
    "threat-without-capability",
    "R18 R29",
    "An order hold may not be mentioned where none can be set.",
    [b.invoice(dpd=9)],
    {"i1": DEMAND},
    touch("demand", "email", "i1", clauses=[], reasons=["CLAUSE_WITHHELD"]),
    policy=own_policy("mentions_hold", steps=[{"id": "demand", "clauses": ["order_hold"]}]),
)
