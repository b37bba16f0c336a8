"""What does an evaluation say? Actions, dispositions, pauses, segments and signals, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import computed_field, model_validator

from ar_core.cadence.codes import Code
from ar_core.cadence.policy import Actor, Clause, Purpose, Rung, Tone
from ar_core.commands import RecordTouch
from ar_core.model.activity import Coverage, Direction, TouchOutcome
from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.documents import DocumentStatus
from ar_core.model.money import ZERO, exact
from ar_core.model.parties import Channel, ContactRole

__all__ = [
    "Action",
    "ActionKind",
    "ActivePause",
    "CoveredInvoice",
    "CurrencyTotal",
    "Disposition",
    "DispositionKind",
    "EvaluationProblem",
    "Precondition",
    "Segment",
    "Signal",
    "WorklistItem",
]


class ActionKind(StrEnum):
    """What an action asks for."""

    TOUCH = "touch"
    """Contact the customer."""
    INTERNAL = "internal"
    """A notice or a task for our own people; no contact, no cap."""
    DECISION = "decision"
    """A person has to choose one of `options`."""


class DispositionKind(StrEnum):
    """What becomes of an open invoice in this run."""

    ACTION = "action"
    WAIT = "wait"
    PAUSED = "paused"
    EXCLUDED = "excluded"


class Disposition(Frozen):
    """The one answer for one open invoice (R40)."""

    invoice_id: str
    customer_id: str | None
    kind: DispositionKind
    code: Code
    until: date | None = None
    """First local day on which this may change by itself; None: today, or not by time alone."""
    stage: str | None = None
    step: str | None = None
    """The step that is due, or the one that is waited for."""
    action_key: str | None = None
    """The action it is part of; set for an invoice that is only listed, too."""
    codes: tuple[Code, ...] = ()
    """Further reasons."""


class CoveredInvoice(Frozen):
    """One invoice in a message, with its own stage (E19) and the identifiers the message must name (R15)."""

    invoice_id: str
    number: str | None
    step: str | None
    """The step it is covered for; None: listed only (E20)."""
    stage: str | None
    days_past_due: int
    due_date: date | None
    due_version: int
    balance_due: Amount
    amount_to_chase: Amount
    """The balance less what is disputed or promised."""
    currency: Currency | None
    presence_only: bool = False


class CurrencyTotal(Frozen):
    """One currency section of a message; currencies are never added up (E17)."""

    currency: Currency | None
    to_chase: Amount
    unapplied: Amount
    """Money and credit on account in this currency (E13, E14)."""

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own recipe
    @property
    def net(self) -> Amount:
        """What is left to pay once what is on account is applied, never below zero; no invoice is told to be paid by it (E13)."""
        with exact():
            return max(self.to_chase - self.unapplied, ZERO)

    @model_validator(mode="before")
    @classmethod
    def _without_net(cls, data: Any) -> Any:
        """Take in what `model_dump` wrote: what is left is found anew."""
        return (
            {name: value for name, value in data.items() if name != "net"}
            if isinstance(data, Mapping)
            else data
        )


class Precondition(Frozen):
    """What must still be true when the message goes out; check it again just before sending (E11)."""

    invoice_id: str
    balance_due: Amount
    document_status: DocumentStatus
    due_version: int
    source_version: str | None


class Action(Frozen):
    """One thing to do, for one account. Its key is the same in every run until it is on record (E28)."""

    key: str
    kind: ActionKind
    code: Code
    customer_id: str
    """The account that receives it."""
    subsidiary_id: str | None = None
    step: str | None = None
    task: str | None = None
    """For an internal action: what to do."""
    purpose: Purpose | None = None
    stage: str | None = None
    rung: Rung = Rung.AUTOMATED
    channel: Channel = Channel.INTERNAL
    fallbacks: tuple[Channel, ...] = ()
    actor: Actor = Actor.HUMAN
    audience: ContactRole | None = None
    contact_id: str | None = None
    address: str | None = None
    sender_role: str | None = None
    sender: str | None = None
    """The person who fills the role for this customer (R17)."""
    notify: tuple[str, ...] = ()
    """For an internal action: the roles that get it."""
    tone: Tone | None = None
    lead_invoice_id: str | None = None
    covers: tuple[CoveredInvoice, ...] = ()
    totals: tuple[CurrencyTotal, ...] = ()
    not_before: UtcDatetime | None = None
    not_after: UtcDatetime | None = None
    content_requirements: tuple[str, ...] = ()
    """What the message must hold, in the words of `ar_core.cadence.content.Content`."""
    clauses: tuple[Clause, ...] = ()
    """Consequences the message may mention."""
    options: tuple[str, ...] = ()
    preconditions: tuple[Precondition, ...] = ()
    occurrence: int = 0
    superseded: tuple[str, ...] = ()
    """Steps skipped in favor of this one (E24)."""
    score: int = 0
    """Priority in basis points (0 to 10,000 for `blend`)."""
    reasons: tuple[Code, ...] = ()
    origin: str | None = None
    """Where the rule behind it comes from."""

    def record(self, at: datetime, outcome: TouchOutcome = TouchOutcome.SENT, **changes: Any) -> RecordTouch:
        """The command that puts this action on record, so that it never fires again. `at`: when it took place, aware."""
        internal = self.kind is not ActionKind.TOUCH
        fields: dict[str, Any] = {
            "key": self.key,
            "customer_id": self.customer_id,
            "contact_id": self.contact_id,
            "channel": self.channel,
            "address": self.address,
            "direction": Direction.INTERNAL if internal else Direction.OUTBOUND,
            "at": at,
            "step": self.step or self.task,
            "covers": tuple(
                Coverage(
                    invoice_id=c.invoice_id,
                    step=c.step,
                    due_version=c.due_version,
                    presence_only=c.presence_only,
                )
                for c in self.covers
            ),
            "outcome": outcome,
            "actor": self.actor.value,
        }
        return RecordTouch(**{**fields, **changes})


class WorklistItem(Frozen):
    """One line of the list everybody sees in the same order (R67)."""

    rank: int
    """1 is first."""
    action_key: str
    customer_id: str
    score: int
    balance_base: Amount | None
    max_dpd: int | None


class ActivePause(Frozen):
    """What stops an account (invoice_id None) or an invoice."""

    customer_id: str
    invoice_id: str | None
    code: Code
    until: date | None
    """First day on which it no longer holds by itself."""
    record_id: str | None = None
    """The dispute, promise, pause or touch behind it."""


class Segment(Frozen):
    """Where an account stands on the two axes (C10)."""

    customer_id: str
    value_tier: str
    risk_tier: str | None
    lifetime_value: Amount | None = None
    rung: Rung = Rung.AUTOMATED
    codes: tuple[Code, ...] = ()
    """What is known of its value and risk and what is not, and why its sums in base currency are unknown."""


class Signal(Frozen):
    """Something about a customer that people other than collectors should know (R25)."""

    customer_id: str
    code: Code
    on: date | None
    record_id: str | None = None
    detail: str | None = None


class EvaluationProblem(Frozen):
    """An account that could not be evaluated; its invoices are paused and nothing is lost (E50)."""

    customer_id: str | None
    kind: str
    message: str
