"""What does a command mean in our own records? A promise, a dispute, a touch; a withdrawal, a resolution, an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ar_connectors.errors import NotFoundError
from ar_core.commands import (
    Command,
    OpenDispute,
    RecordOutcome,
    RecordPromise,
    RecordTouch,
    ResolveDispute,
    WithdrawPromise,
)
from ar_core.model import Channel, Direction, Dispute, Frozen, Intent, Origin, Promise, Touch

__all__ = ["born_record_id", "effects"]


def born_record_id(command: Command) -> str | None:
    """The id of the record a command gives birth to or changes; None for one that only speaks to the ERP."""
    match command:
        case RecordOutcome():
            return command.local_record_id if _has_reply(command) else None
        case RecordTouch() | RecordPromise() | OpenDispute():
            return command.local_record_id
        case WithdrawPromise():
            return command.promise_id
        case ResolveDispute():
            return command.dispute_id
        case _:
            return None


def effects(command: Command, find: Callable[[str], Any | None], now: datetime) -> Sequence[Frozen]:
    """The records to write, given a way to look up live ones. Raises NotFoundError for a promise, dispute or touch that is not there."""
    match command:
        case RecordTouch():
            return [_touch(command, now)]
        case RecordOutcome():
            return _outcome(command, find, now)
        case RecordPromise():
            return [_promise(command, now)]
        case WithdrawPromise():
            promise = _need(find(command.promise_id), Promise, command.promise_id)
            return [promise.model_copy(update={"withdrawn_on": command.withdrawn_on})]
        case OpenDispute():
            return [_dispute(command, now)]
        case ResolveDispute():
            dispute = _need(find(command.dispute_id), Dispute, command.dispute_id)
            return [
                dispute.model_copy(
                    update={"resolved_on": command.resolved_on, "resolution": command.resolution}
                )
            ]
        case _:
            return []


def _need(found: Any | None, kind: type[Any], wanted: str) -> Any:
    if isinstance(found, kind):
        return found
    raise NotFoundError(
        f"there is no {kind.__name__.lower()} {wanted!r} in this store",
        advice="check the id; `ar-connectors explain` shows them",
    )


def _touch(command: RecordTouch, now: datetime) -> Touch:
    return Touch(
        id=command.local_record_id,
        key=command.key,
        customer_id=command.customer_id,
        contact_id=command.contact_id,
        channel=command.channel,
        address=command.address,
        direction=command.direction,
        at=command.at,
        step=command.step,
        covers=command.covers,
        outcome=command.outcome,
        intent=command.intent,
        until=command.until,
        actor=command.actor,
        note=command.note,
        recorded_at=now,
    )


def _has_reply(command: RecordOutcome) -> bool:
    """Whether the customer said anything; a message that merely arrived or came back is no contact of theirs."""
    return command.intent is not Intent.NONE or command.note is not None


def _outcome(command: RecordOutcome, find: Callable[[str], Any | None], now: datetime) -> Sequence[Frozen]:
    """The touch gets its outcome; what the customer said is an inbound touch of its own, so both moments are kept."""
    touch = _need(find(command.touch_id), Touch, command.touch_id)
    settled = touch.model_copy(update={"outcome": command.outcome})
    if not _has_reply(command):
        return [settled]
    reply = Touch(
        id=command.local_record_id,
        customer_id=command.customer_id,
        contact_id=touch.contact_id,
        channel=touch.channel if touch.channel is not Channel.INTERNAL else Channel.EMAIL,
        address=touch.address,
        direction=Direction.INBOUND,
        at=command.at,
        step=touch.step,
        covers=touch.covers,
        outcome=command.outcome,
        intent=command.intent,
        until=command.until,
        actor=command.actor,
        note=command.note,
        recorded_at=now,
    )
    return [settled, reply]


def _promise(command: RecordPromise, now: datetime) -> Promise:
    return Promise(
        id=command.local_record_id,
        customer_id=command.customer_id,
        invoice_ids=command.invoice_ids,
        promised_amount=command.promised_amount,
        currency=command.currency,
        promised_date=command.promised_date,
        given_on=command.given_on,
        given_by=command.given_by,
        channel=command.channel,
        note=command.note,
        origin=Origin.OURS,
        recorded_at=now,
    )


def _dispute(command: OpenDispute, now: datetime) -> Dispute:
    return Dispute(
        id=command.local_record_id,
        customer_id=command.customer_id,
        invoice_id=command.invoice_id,
        disputed_amount=command.disputed_amount,
        currency=command.currency,
        reason=command.reason,
        opened_on=command.opened_on,
        opened_by=command.opened_by,
        note=command.note,
        origin=Origin.OURS,
        recorded_at=now,
    )
