"""What was said and agreed? Promises, disputes, touches (contacts with the customer) and pauses."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.parties import Channel
from ar_core.model.refs import Source

__all__ = [
    "Coverage",
    "Direction",
    "Dispute",
    "Intent",
    "Origin",
    "Pause",
    "Promise",
    "Touch",
    "TouchOutcome",
]


class Origin(StrEnum):
    """Who brought a fact into the world."""

    ERP = "erp"
    OURS = "ours"


class Direction(StrEnum):
    """Which way a contact went."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    INTERNAL = "internal"
    """A notice to our own people: counts in no cap."""


class TouchOutcome(StrEnum):
    """What became of an attempt to reach the customer (E29)."""

    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    LEFT_MESSAGE = "left_message"
    BOUNCED = "bounced"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"
    """It is not known whether it went out: nothing is sent again until a person resolves it."""
    UNKNOWN = "unknown"


class Intent(StrEnum):
    """What the customer said (R43, R62, R63, E37, E38)."""

    PROMISED = "promised"
    DISPUTED = "disputed"
    OUT_OF_OFFICE = "out_of_office"
    COPY_REQUESTED = "copy_requested"
    MISSING_PO = "missing_po"
    WRONG_CONTACT = "wrong_contact"
    SAYS_PAID = "says_paid"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"
    QUESTION = "question"
    NONE = "none"
    UNKNOWN = "unknown"


class Promise(Frozen):
    """A promise to pay (PTP). Its state is computed (`ar_core.promises`), never stored.

    A bookkeeper's native date in the ERP is a promise of origin `erp`; ours are `local:` and are found again through the tag
    they were written with.
    """

    id: str
    source: Source | None = None
    """Where it stands in the ERP; None while it is only ours."""
    customer_id: str | None = None
    invoice_ids: tuple[str, ...] = ()
    promised_amount: Amount | None = None
    """None: the whole open balance of the covered invoices as it is on the promised date."""
    currency: Currency | None = None
    promised_date: date
    given_on: date | None = None
    given_by: str | None = None
    channel: Channel | None = None
    note: str | None = None
    origin: Origin
    recorded_at: UtcDatetime | None = None
    withdrawn_on: date | None = None
    superseded_by: str | None = None


class Dispute(Frozen):
    """The customer contests an invoice, or part of it."""

    id: str
    source: Source | None = None
    customer_id: str | None = None
    invoice_id: str
    disputed_amount: Amount | None = None
    """None: the whole invoice."""
    currency: Currency | None = None
    reason: str | None = None
    opened_on: date | None = None
    opened_by: str | None = None
    note: str | None = None
    origin: Origin
    recorded_at: UtcDatetime | None = None
    resolved_on: date | None = None
    resolution: str | None = None


class Coverage(Frozen):
    """One invoice that a touch was about: which step it counts for, and at which version of the due date (E10, E20)."""

    invoice_id: str
    step: str | None = None
    due_version: int = 0
    presence_only: bool = False
    """It rode along in the message, its own steps stay open."""


class Touch(Frozen):
    """One contact with a customer, either direction, or an internal notice."""

    id: str
    key: str | None = None
    """The action key of the evaluation that planned it (E28); None for a contact outside any plan."""
    customer_id: str
    contact_id: str | None = None
    channel: Channel
    direction: Direction = Direction.OUTBOUND
    at: UtcDatetime
    step: str | None = None
    covers: tuple[Coverage, ...] = ()
    outcome: TouchOutcome = TouchOutcome.SENT
    intent: Intent = Intent.NONE
    until: date | None = None
    """With out_of_office: the last day of absence."""
    actor: str | None = None
    """Who made it: a person's name, `auto`, `ai`."""
    note: str | None = None
    recorded_at: UtcDatetime | None = None
    address: str | None = None
    """Where it went, as it stood then: a bounce is of this address and of no later one (E29)."""


class Pause(Frozen):
    """The cadence's own stop, for a customer or one invoice. Not the ERP's order hold."""

    id: str
    customer_id: str
    invoice_id: str | None = None
    starts_on: date
    ends_on: date | None = None
    """Last day of the pause, inclusive; None means until lifted."""
    reason: str | None = None
    set_by: str | None = None
    recorded_at: UtcDatetime | None = None
    lifted_on: date | None = None
    """First day on which it no longer holds; None while it stands."""
