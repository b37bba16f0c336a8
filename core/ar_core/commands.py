"""What can be written back? Commands, as data: the evaluator emits them, the outbox takes them, an adapter places them.

A command has a `key`, unique per connection and type. When none is given it is a hash of type, subjects, content and
day, so the same intent recorded twice is one command. The same key with other content is a conflict, which the outbox
reports. Nothing here talks to an ERP.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, TypeAdapter, model_validator

from ar_core.model.activity import Coverage, Direction, Intent, TouchOutcome
from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.parties import Channel
from ar_core.model.refs import local_id

__all__ = [
    "AddNote",
    "Command",
    "OpenDispute",
    "RecordOutcome",
    "RecordPromise",
    "RecordTouch",
    "ReleaseOrderHold",
    "ResolveDispute",
    "SetCollectionsStatus",
    "SetOrderHold",
    "WithdrawPromise",
    "command_adapter",
]

_NAMESPACE = uuid5(NAMESPACE_URL, "ar-connectors:command")


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class _Command(Frozen):
    """What all commands share: a stable key and a hash of the content."""

    _unhashed: ClassVar[frozenset[str]] = frozenset({"key"})
    _later: ClassVar[frozenset[str]] = frozenset({"address"})
    """Fields that came later: hashed only where they are given, so that a command keeps the hash it had."""

    key: str = ""
    """Idempotency key; empty: computed from the content. Give your own (a ticket number, an action key) to tie it to your system."""

    @model_validator(mode="after")
    def _fill_key(self) -> _Command:
        if not self.key:
            object.__setattr__(self, "key", self.content_hash[:32])
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything but the key: two commands with one key must agree on it."""
        left_out = {name for name in self._later if getattr(self, name, None) is None}
        return _digest(self.model_dump(mode="json", exclude={*self._unhashed, *left_out}))

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """The record ids it is about; the first one that is not local decides the connection."""
        ids: list[str] = []
        for name in (
            "invoice_id",
            "invoice_ids",
            "subject_id",
            "customer_id",
            "promise_id",
            "dispute_id",
            "touch_id",
        ):
            value = getattr(self, name, None)
            if isinstance(value, str):
                ids.append(value)
            elif isinstance(value, tuple):
                ids.extend(value)
        return tuple(ids)

    def record_uuid(self) -> UUID:
        """The UUID of the record this command gives birth to: a function of type, customer and key, the same in every store."""
        owner = getattr(self, "customer_id", "") or ""
        return uuid5(_NAMESPACE, f"{type(self).__name__}:{owner}:{self.key}")

    @property
    def local_record_id(self) -> str:
        """The `local:` id of the record this command gives birth to (a promise, a dispute, a touch)."""
        return local_id(self.record_uuid())


class RecordTouch(_Command):
    """A contact with the customer took place (or an internal notice went out). Kept with us; an AddNote shows it in the ERP."""

    type: Literal["record_touch"] = "record_touch"
    customer_id: str
    contact_id: str | None = None
    channel: Channel
    address: str | None = None
    """Where it went: the address that is dead if it comes back."""
    direction: Direction = Direction.OUTBOUND
    at: UtcDatetime
    step: str | None = None
    covers: tuple[Coverage, ...] = ()
    outcome: TouchOutcome = TouchOutcome.SENT
    intent: Intent = Intent.NONE
    until: date | None = None
    actor: str | None = None
    note: str | None = None


class RecordOutcome(_Command):
    """What became of an earlier touch: delivered, bounced, answered, and what the customer said (R33, R43)."""

    type: Literal["record_outcome"] = "record_outcome"
    touch_id: str
    """Id of the touch, or the action key it was planned under."""
    customer_id: str
    outcome: TouchOutcome
    intent: Intent = Intent.NONE
    at: UtcDatetime
    until: date | None = None
    """With out_of_office: the last day of absence."""
    actor: str | None = None
    note: str | None = None


class RecordPromise(_Command):
    """The customer promised to pay. A new promise (new key) on the same invoice supersedes the old one."""

    type: Literal["record_promise"] = "record_promise"
    customer_id: str
    invoice_ids: tuple[str, ...] = Field(min_length=1)
    promised_amount: Amount | None = None
    """None: the whole open balance."""
    currency: Currency | None = None
    promised_date: date
    given_on: date
    given_by: str | None = None
    channel: Channel | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _amount_has_currency(self) -> RecordPromise:
        if self.promised_amount is not None and self.currency is None:
            raise ValueError("a promised_amount needs its currency")
        if self.promised_amount is not None and self.promised_amount <= 0:
            raise ValueError(f"a promised_amount is positive; got {self.promised_amount}")
        return self


class WithdrawPromise(_Command):
    """A promise no longer stands: the customer took it back, or it was recorded by mistake."""

    type: Literal["withdraw_promise"] = "withdraw_promise"
    promise_id: str
    customer_id: str
    withdrawn_on: date
    reason: str | None = None


class OpenDispute(_Command):
    """The customer contests an invoice or part of it."""

    type: Literal["open_dispute"] = "open_dispute"
    customer_id: str
    invoice_id: str
    disputed_amount: Amount | None = None
    """None: the whole invoice."""
    currency: Currency | None = None
    reason: str
    opened_on: date
    opened_by: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _amount_has_currency(self) -> OpenDispute:
        if self.disputed_amount is not None and self.currency is None:
            raise ValueError("a disputed_amount needs its currency")
        return self


class ResolveDispute(_Command):
    """A dispute is settled."""

    type: Literal["resolve_dispute"] = "resolve_dispute"
    dispute_id: str
    customer_id: str
    resolved_on: date
    resolution: str
    note: str | None = None


class AddNote(_Command):
    """A note for the ERP's own users, on an invoice or a customer."""

    type: Literal["add_note"] = "add_note"
    subject_id: str
    """Id of an invoice or a customer."""
    text: str = Field(min_length=1)
    given_on: date
    author: str | None = None


class SetCollectionsStatus(_Command):
    """Where collections stand with a customer or an invoice, in one line, shown in the ERP. The latest one wins."""

    type: Literal["set_collections_status"] = "set_collections_status"
    subject_id: str
    """Id of a customer or an invoice."""
    status: str = Field(min_length=1)
    set_on: date
    next_action: str | None = None
    next_action_on: date | None = None
    note: str | None = None


class SetOrderHold(_Command):
    """Stop new orders of a customer in the ERP, or advise it where the ERP has no such stop."""

    type: Literal["set_order_hold"] = "set_order_hold"
    customer_id: str
    reason: str
    set_on: date


class ReleaseOrderHold(_Command):
    """Lift an order hold; an ERP value that was replaced is put back."""

    type: Literal["release_order_hold"] = "release_order_hold"
    customer_id: str
    reason: str | None = None
    released_on: date


Command = Annotated[
    RecordTouch
    | RecordOutcome
    | RecordPromise
    | WithdrawPromise
    | OpenDispute
    | ResolveDispute
    | AddNote
    | SetCollectionsStatus
    | SetOrderHold
    | ReleaseOrderHold,
    Field(discriminator="type"),
]
"""Any command; `type` tells which."""


def command_adapter() -> TypeAdapter[Command]:
    """A pydantic adapter that reads and writes any command, told apart by `type`."""
    return TypeAdapter(Command)
