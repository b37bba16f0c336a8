"""Why did something happen, or not? The reason codes: documented, append-only, the same in every output.

A code is never renamed or reused; a new reason gets a new code at the end of its group. `CODES` is the reference that the
documentation is generated from.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["CODES", "Code", "CodeInfo"]


class Code(StrEnum):
    """A reason. What each one means, and the rule it comes from, stands in `CODES`."""

    # actions
    STEP_DUE = "STEP_DUE"
    RIDES_ALONG = "RIDES_ALONG"
    PRESENCE_ONLY = "PRESENCE_ONLY"
    COPY_REQUESTED = "COPY_REQUESTED"
    DECISION_REQUIRED = "DECISION_REQUIRED"
    NOTIFY = "NOTIFY"
    ESCALATED = "ESCALATED"
    REQUIRED_STEP_REOPENED = "REQUIRED_STEP_REOPENED"
    SUPERSEDED = "SUPERSEDED"
    HUMAN_ONLY = "HUMAN_ONLY"
    CHANNEL_FALLBACK = "CHANNEL_FALLBACK"
    ELSE_BRANCH = "ELSE_BRANCH"
    NO_NAMED_HUMAN = "NO_NAMED_HUMAN"
    CLAUSE_WITHHELD = "CLAUSE_WITHHELD"
    GET_CONTACT = "GET_CONTACT"
    APPLY_CASH = "APPLY_CASH"
    LEGAL_REVIEW = "LEGAL_REVIEW"
    REPLY_NEEDS_PERSON = "REPLY_NEEDS_PERSON"
    PTP_NEEDS_APPROVAL = "PTP_NEEDS_APPROVAL"
    RESOLVE_AMBIGUOUS = "RESOLVE_AMBIGUOUS"
    MANUAL_MIGRATION = "MANUAL_MIGRATION"
    FIX_CONTACT = "FIX_CONTACT"
    # waiting
    NOT_YET_DUE = "NOT_YET_DUE"
    NEXT_STEP = "NEXT_STEP"
    GRACE_DAYS = "GRACE_DAYS"
    CADENCE_EXHAUSTED = "CADENCE_EXHAUSTED"
    WINDOW_MISSED = "WINDOW_MISSED"
    CAPABILITY_NOT_DECLARED = "CAPABILITY_NOT_DECLARED"
    MIN_GAP = "MIN_GAP"
    STEP_GAP = "STEP_GAP"
    WEEK_CAP = "WEEK_CAP"
    CHANNEL_CAP = "CHANNEL_CAP"
    RUN_CAP = "RUN_CAP"
    ADDRESS_CAP = "ADDRESS_CAP"
    POST_PAYMENT_QUIET = "POST_PAYMENT_QUIET"
    AMBIGUOUS_ATTEMPT = "AMBIGUOUS_ATTEMPT"
    RETRY_BACKOFF = "RETRY_BACKOFF"
    OUT_OF_OFFICE = "OUT_OF_OFFICE"
    NO_ADDRESS = "NO_ADDRESS"
    SMS_NEEDS_LINK = "SMS_NEEDS_LINK"
    PDF_MISSING = "PDF_MISSING"
    UNAPPLIED_CREDIT = "UNAPPLIED_CREDIT"
    CREDIT_BALANCE = "CREDIT_BALANCE"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"
    # paused
    LEGAL_STOP = "LEGAL_STOP"
    UNKNOWN_FLAG = "UNKNOWN_FLAG"
    DO_NOT_CONTACT = "DO_NOT_CONTACT"
    PAUSED = "PAUSED"
    DISPUTED = "DISPUTED"
    DISPUTE_COOLING = "DISPUTE_COOLING"
    PTP_OPEN = "PTP_OPEN"
    PTP_IN_GRACE = "PTP_IN_GRACE"
    REPLY_PENDING = "REPLY_PENDING"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"
    CUSTOMER_UNKNOWN = "CUSTOMER_UNKNOWN"
    EVALUATION_ERROR = "EVALUATION_ERROR"
    # excluded
    NOT_POSTED = "NOT_POSTED"
    VOIDED = "VOIDED"
    NOT_YET_ISSUED = "NOT_YET_ISSUED"
    NO_DUE_DATE = "NO_DUE_DATE"
    NEGATIVE_ITEM = "NEGATIVE_ITEM"
    # segments, data and contacts
    SEED_GAP = "SEED_GAP"
    LTV_DERIVED = "LTV_DERIVED"
    VALUE_UNKNOWN = "VALUE_UNKNOWN"
    RATE_UNKNOWN = "RATE_UNKNOWN"
    CURRENCY_UNKNOWN = "CURRENCY_UNKNOWN"
    CONTACT_STALE = "CONTACT_STALE"
    NO_CONSENT = "NO_CONSENT"
    # signals
    NEW_DISPUTE = "NEW_DISPUTE"
    PROMISE_SLIPPED = "PROMISE_SLIPPED"
    BALANCE_RISING = "BALANCE_RISING"
    PAYING_LATER = "PAYING_LATER"
    CALL_WITHOUT_PTP = "CALL_WITHOUT_PTP"
    # calendar
    CALENDAR_DEFAULTED = "CALENDAR_DEFAULTED"
    NON_BUSINESS_DAY = "NON_BUSINESS_DAY"
    QUIET_HOURS = "QUIET_HOURS"


class CodeInfo(NamedTuple):
    """What a code says: its group, one sentence, and the rules behind it."""

    group: str
    meaning: str
    rules: str


def _table() -> dict[Code, CodeInfo]:
    action, wait, paused, excluded, fact, signal, note = (
        "action",
        "wait",
        "paused",
        "excluded",
        "fact",
        "signal",
        "calendar",
    )
    rows: tuple[tuple[Code, str, str, str], ...] = (
        (Code.STEP_DUE, action, "A step of the policy is due for this invoice.", "R26"),
        (
            Code.RIDES_ALONG,
            action,
            "The invoice's own step goes out in the message that another invoice leads.",
            "E19, E20",
        ),
        (Code.PRESENCE_ONLY, action, "The invoice is listed in the message; its own steps stay open.", "E20"),
        (
            Code.COPY_REQUESTED,
            action,
            "The customer asked for a copy: the copy goes out before any reminder.",
            "R63, E38",
        ),
        (
            Code.DECISION_REQUIRED,
            action,
            "A person has to decide: plan, refer, write off or keep chasing.",
            "R8, C17",
        ),
        (Code.NOTIFY, action, "A notice to our own people; it counts in no cap.", "R21, C12"),
        (Code.ESCALATED, action, "An escalation rule raised the rung of the ladder.", "R44, R69, C8"),
        (
            Code.REQUIRED_STEP_REOPENED,
            action,
            "A later step requires this one, so it opens again after its window.",
            "E24",
        ),
        (Code.SUPERSEDED, action, "An earlier step was skipped in favor of a later one.", "E24"),
        (Code.HUMAN_ONLY, action, "Only a person may make this contact.", "R20, E42, C11"),
        (Code.CHANNEL_FALLBACK, action, "An earlier channel of the step could not be used.", "E43"),
        (
            Code.ELSE_BRANCH,
            action,
            "The step's capability is not declared: its else branch was taken.",
            "R18, C15",
        ),
        (
            Code.NO_NAMED_HUMAN,
            action,
            "The step is sent by a role that no person fills for this customer.",
            "R17",
        ),
        (
            Code.CLAUSE_WITHHELD,
            action,
            "A consequence may not be mentioned: its capability is not declared.",
            "R18, R29, C15",
        ),
        (
            Code.GET_CONTACT,
            action,
            "No channel of the step has a usable address: a person has to find one.",
            "R3, E43",
        ),
        (
            Code.APPLY_CASH,
            action,
            "Money or credit on account covers what is overdue: apply it first.",
            "E13",
        ),
        (
            Code.LEGAL_REVIEW,
            action,
            "All contact is stopped: the case goes to whoever handles legal matters.",
            "E40",
        ),
        (
            Code.REPLY_NEEDS_PERSON,
            action,
            "The customer said something a person has to act on.",
            "R43, R62, E38",
        ),
        (
            Code.PTP_NEEDS_APPROVAL,
            action,
            "The promise is too far away or came too late: a person has to approve it.",
            "E36",
        ),
        (
            Code.RESOLVE_AMBIGUOUS,
            action,
            "It is not known whether the last attempt went out: a person has to find out.",
            "E29",
        ),
        (
            Code.MANUAL_MIGRATION,
            action,
            "The invoice was chased under another policy: a person has to place it.",
            "E30",
        ),
        (
            Code.FIX_CONTACT,
            action,
            "Messages to an address come back: a person has to find the right one.",
            "R3, E29",
        ),
        (Code.NOT_YET_DUE, wait, "The invoice is not due and no step is open yet.", "C7, E3"),
        (Code.NEXT_STEP, wait, "The last open step is done; the next one starts later.", "R26"),
        (Code.GRACE_DAYS, wait, "Overdue by no more than the policy's grace days.", "E4"),
        (Code.CADENCE_EXHAUSTED, wait, "Every step of the policy is done.", "R71"),
        (
            Code.WINDOW_MISSED,
            wait,
            "The step's window has passed, or passes before the next business day.",
            "E5",
        ),
        (
            Code.CAPABILITY_NOT_DECLARED,
            wait,
            "The step needs a capability the policy does not declare, and has no else.",
            "R7, R18",
        ),
        (Code.MIN_GAP, wait, "The customer was contacted too recently.", "E23, E26"),
        (Code.STEP_GAP, wait, "The last step asks for a longer silence after it.", "E45"),
        (Code.WEEK_CAP, wait, "The customer had the most contacts allowed in 7 days.", "E27"),
        (Code.CHANNEL_CAP, wait, "Every usable channel had the most contacts allowed in 7 days.", "E27, R42"),
        (Code.RUN_CAP, wait, "Another message goes to this customer in this run.", "E24"),
        (Code.ADDRESS_CAP, wait, "Another customer's message goes to the same address in this run.", "E47"),
        (Code.POST_PAYMENT_QUIET, wait, "The customer paid something after the last contact.", "E12"),
        (
            Code.AMBIGUOUS_ATTEMPT,
            wait,
            "It is not known whether the last attempt went out: nothing is sent again.",
            "E29",
        ),
        (Code.RETRY_BACKOFF, wait, "The last attempt failed; the step is tried again later.", "E29"),
        (Code.OUT_OF_OFFICE, wait, "The only usable contact is away.", "E37"),
        (Code.NO_ADDRESS, wait, "A task to find an address is open.", "E43"),
        (
            Code.SMS_NEEDS_LINK,
            wait,
            "A text message must hold the amount and a payment link; there is no link.",
            "R34",
        ),
        (Code.PDF_MISSING, wait, "The step attaches the invoice, and its PDF is missing.", "R28"),
        (
            Code.UNAPPLIED_CREDIT,
            wait,
            "Money or credit on account covers what is overdue in this currency.",
            "E13",
        ),
        (Code.CREDIT_BALANCE, wait, "Netted, the customer owes nothing in this currency.", "E15"),
        (Code.BELOW_THRESHOLD, wait, "The amount is below the policy's threshold.", "E16"),
        (Code.LEGAL_STOP, paused, "Legal stop: nobody contacts the customer.", "E40"),
        (Code.UNKNOWN_FLAG, paused, "A flag we do not know counts as a stop.", "E40"),
        (Code.DO_NOT_CONTACT, paused, "The customer must not be contacted.", "E41"),
        (Code.PAUSED, paused, "Someone paused chasing.", "E31"),
        (Code.DISPUTED, paused, "The invoice is disputed.", "E31, E32"),
        (Code.DISPUTE_COOLING, paused, "A dispute was just settled; nothing is sent for some days.", "E31"),
        (Code.PTP_OPEN, paused, "A promise to pay is open.", "E33"),
        (Code.PTP_IN_GRACE, paused, "A promise to pay is within its grace.", "E33, E34"),
        (Code.REPLY_PENDING, paused, "What the customer said is being dealt with.", "R43, R62, E38"),
        (Code.UNKNOWN_STATUS, paused, "The ERP gave the invoice a status we do not know.", "E49"),
        (
            Code.CUSTOMER_UNKNOWN,
            paused,
            "The invoice names a customer the snapshot does not have.",
            "E49, E50",
        ),
        (Code.EVALUATION_ERROR, paused, "The customer could not be evaluated; see errors.", "E50"),
        (Code.NOT_POSTED, excluded, "A draft, or not approved yet.", "E11"),
        (Code.VOIDED, excluded, "Voided.", "E11"),
        (Code.NOT_YET_ISSUED, excluded, "Its issue date lies after the as-of date.", "E9"),
        (Code.NO_DUE_DATE, excluded, "It has no due date and the policy gives none.", "E8"),
        (Code.NEGATIVE_ITEM, excluded, "Its balance is negative: it is netted, never chased.", "E14, E15"),
        (Code.SEED_GAP, fact, "Segmented by the rule that closes the gap of 16 to 29 days.", "C9"),
        (Code.LTV_DERIVED, fact, "The lifetime value is derived from settled revenue.", "R19"),
        (Code.VALUE_UNKNOWN, fact, "The lifetime value is unknown.", "R19, C18"),
        (
            Code.RATE_UNKNOWN,
            fact,
            "No exchange rate for the currency of an open invoice: sums in base currency are unknown.",
            "E16, E17",
        ),
        (
            Code.CURRENCY_UNKNOWN,
            fact,
            "An open invoice has no currency: sums in base currency are unknown.",
            "E17",
        ),
        (Code.CONTACT_STALE, fact, "A contact's address bounced, is inactive, or is the wrong one.", "R3"),
        (
            Code.NO_CONSENT,
            fact,
            "The contact opted out of the channel, or never opted in where that is needed.",
            "E41",
        ),
        (Code.NEW_DISPUTE, signal, "A dispute is open.", "R25"),
        (Code.PROMISE_SLIPPED, signal, "A promise was not kept.", "R25"),
        (Code.BALANCE_RISING, signal, "The customer owes more than 90 days ago.", "R25"),
        (Code.PAYING_LATER, signal, "The customer pays later than before.", "R25"),
        (Code.CALL_WITHOUT_PTP, signal, "A call was answered and ended without a promise.", "R33, C16"),
        (Code.CALENDAR_DEFAULTED, note, "No calendar was given: weekends only, no holidays.", "E6"),
        (Code.NON_BUSINESS_DAY, note, "Moved to the next business day of the contact.", "E5"),
        (Code.QUIET_HOURS, note, "Moved to the contact's next working hours.", "R35, E44"),
    )
    return {code: CodeInfo(group, meaning, rules) for code, group, meaning, rules in rows}


CODES = _table()
"""Every code with its group, meaning and rules."""
