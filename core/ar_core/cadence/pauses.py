"""The part of a policy that says what stops the cadence, and what follows from what a customer said (E31-E41)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, field_validator

from ar_core.cadence.vocabulary import Id, OutwardChannel, Part
from ar_core.model.activity import Intent
from ar_core.model.base import Amount
from ar_core.model.parties import Channel
from ar_core.promises import PromiseTerms

__all__ = ["IntentRule", "Pauses"]


def _or_none(given: str | None) -> str | None:
    """TOML has no null: an empty text stands for nothing."""
    return given or None


class IntentRule(Part):
    """What happens when the customer said something (R43, R62, R63, E38).

    In a policy it changes what is done by default, setting by setting. Whoever wants nothing says so: `pause_business_days = 0`,
    `task = ""`, `human = false`, `respond = ""` (null in JSON and YAML does as well as the empty text).
    """

    pause_business_days: Annotated[int, Field(ge=0, le=60)] = 0
    task: Annotated[str | None, Field(max_length=200), AfterValidator(_or_none)] = None
    """An internal task that is raised; an empty text: none."""
    human: bool = False
    """From then on a person speaks to the customer."""
    respond: Annotated[Literal["send_copy", ""] | None, AfterValidator(_or_none)] = None
    """Answered with a copy of the invoice; an empty text: not answered."""


_DEFAULT_INTENTS: Final = {
    Intent.COPY_REQUESTED: IntentRule(respond="send_copy"),
    Intent.MISSING_PO: IntentRule(pause_business_days=5, task="fix_purchase_order"),
    Intent.SAYS_PAID: IntentRule(pause_business_days=5, task="verify_payment"),
    Intent.WRONG_CONTACT: IntentRule(task="fix_contact"),
    Intent.QUESTION: IntentRule(pause_business_days=2, task="answer_question"),
    Intent.REFUSED: IntentRule(task="speak_to_customer", human=True),
    Intent.PROMISED: IntentRule(pause_business_days=2, task="record_promise"),
    Intent.DISPUTED: IntentRule(pause_business_days=5, task="record_dispute"),
    Intent.UNKNOWN: IntentRule(pause_business_days=2, task="read_reply"),
}


class Pauses(Part):
    """What stops the cadence, and for how long (E31-E41)."""

    dispute_remainder: Literal["chase", "pause"] = "chase"
    """An invoice disputed in part: chase the rest, or pause it whole (E31)."""
    dispute_resume_days: Annotated[int, Field(ge=0)] = 3
    """Days of silence after a dispute is resolved (E31)."""
    promise_grace_business_days: Annotated[int, Field(ge=0)] = 2
    promise_tolerance_pct: Amount = Decimal(2)
    promise_tolerance_abs: Amount = Decimal(5)
    promise_unapplied: Literal["count", "ignore"] = "count"
    promise_scope: Literal["invoice", "customer"] = "invoice"
    """Does a promise pause its invoices, or the whole customer? (E33)"""
    max_promise_days: Annotated[int, Field(ge=1)] = 30
    """A promise further away than this needs approval (E36)."""
    promise_approval_from: Id | None = None
    """A promise given in this stage or a later one needs approval (E36)."""
    max_promises_not_kept: Annotated[int, Field(ge=1)] = 2
    """So many promises not kept in a row: from then on a person (E35)."""
    max_ooo_days: Annotated[int, Field(ge=0)] = 14
    """Longest wait for somebody who is away (E37)."""
    legal_stop_covers_children: bool = True
    migrate: Literal["re_evaluate", "keep_position", "manual"] = "re_evaluate"
    """Invoices chased under steps this policy does not know (E30)."""
    consent_required: tuple[OutwardChannel, ...] = (Channel.SMS, Channel.WHATSAPP)
    """Channels that need an opt-in on record (E41)."""
    intents: dict[Intent, IntentRule] = Field(default_factory=_DEFAULT_INTENTS.copy)
    """By what the customer said; what is left out stays as it is by default (R43)."""

    @field_validator("intents", mode="before")
    @classmethod
    def _over_the_defaults(cls, given: Any) -> Any:
        """What a policy says of one intent leaves the others as they are, and its other settings too."""
        if not isinstance(given, Mapping):
            return given  # pydantic says what is wrong with it
        return {**_DEFAULT_INTENTS, **{intent: _merged(intent, rule) for intent, rule in given.items()}}

    @property
    def promise_terms(self) -> PromiseTerms:
        """How generously promises are judged."""
        return PromiseTerms(
            grace_business_days=self.promise_grace_business_days,
            tolerance_pct=self.promise_tolerance_pct,
            tolerance_abs=self.promise_tolerance_abs,
            unapplied=self.promise_unapplied,
        )

    @field_validator("intents")
    @classmethod
    def _copies_where_asked_for(cls, found: dict[Intent, IntentRule]) -> dict[Intent, IntentRule]:
        for intent, rule in found.items():
            if rule.respond and intent is not Intent.COPY_REQUESTED:
                raise ValueError(
                    f"{intent}: a copy is sent to whoever asks for one (copy_requested) and to nobody else; leave `respond` out"
                )
        return found


def _merged(intent: Any, given: Any) -> Any:
    """The settings given for an intent over its defaults; what is no table is left for pydantic to refuse."""
    if isinstance(given, IntentRule):
        given = given.model_dump(exclude_unset=True)
    held = _DEFAULT_INTENTS.get(intent)
    if held is None or not isinstance(given, Mapping):
        return given
    return {**held.model_dump(), **given}
