"""What do our facts say inside an ERP? Commands as tags and as sentences, pure: nothing is read or sent here.

The text after a tag is for the bookkeeper who opens the invoice; the tag is for us (notes.py). No text of ours begins
with "Voided": QuickBooks puts that word in front of what it voids, and reads it back as such.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from ar_connectors.adapterkit.notes import DisputeTag, NoteTag, PromiseTag, StatusTag
from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.adapterkit.text import clean_text
from ar_core.commands import (
    AddNote,
    OpenDispute,
    RecordPromise,
    ResolveDispute,
    SetCollectionsStatus,
    WithdrawPromise,
)
from ar_core.model import Dispute, Promise, RecordKind

__all__ = [
    "because",
    "closed_on",
    "dispute_tag",
    "dispute_text",
    "local_uuid",
    "note_tag",
    "note_text",
    "original_note",
    "promise_tag",
    "promise_text",
    "resolved_lead",
    "shortened",
    "status_tag",
    "status_text",
    "withdrawn_lead",
]


def local_uuid(record_id: str) -> UUID | None:
    """The UUID of a record that was born with us; None for any other id."""
    prefix, _, rest = record_id.partition(":")
    try:
        return UUID(rest) if prefix == "local" else None
    except ValueError:
        return None


def promise_tag(
    command: RecordPromise | Promise, identity: UUID, tenant: Tenant, recorded: datetime | None
) -> PromiseTag:
    """The tag of a promise, from the command that makes it or from the record as it stands."""
    return PromiseTag(
        id=identity,
        promised=command.promised_date,
        amount=command.promised_amount,
        currency=command.currency,
        given=command.given_on,
        by=command.given_by,
        channel=None if command.channel is None else str(command.channel),
        invoices=tuple(tenant.remote_id(one, RecordKind.INVOICE) for one in command.invoice_ids),
        customer=None
        if command.customer_id is None
        else tenant.remote_id(command.customer_id, RecordKind.CUSTOMER),
        recorded=recorded,
        withdrawn=command.withdrawn_on if isinstance(command, Promise) else None,
        superseded_by=local_uuid(command.superseded_by or "") if isinstance(command, Promise) else None,
    )


def promise_text(command: RecordPromise | Promise) -> str:
    """A promise in words, as in `Promise to pay 500.00 USD by 2026-12-01. Given 2026-11-23 by Ann Lee (voice).`, then its note."""
    what = _money(command.promised_amount, command.currency) or "the open balance"
    given = f"Given {command.given_on}" if command.given_on else "Given"
    who = f" by {command.given_by}" if command.given_by else ""
    how = f" ({command.channel})" if command.channel else ""
    told = f" {given}{who}{how}." if command.given_on or who or how else ""
    return f"Promise to pay {what} by {command.promised_date}.{told}{_tail(command.note)}"


def original_note(record: Promise | Dispute, text: str) -> str | None:
    """The note that was given with a promise or dispute, out of the text that follows its tag.

    `record` is what the tag says. What we put before the note (a sentence, and what happened later in front of that) is
    taken away; a text that is not ours in this way is the note as a whole.
    """
    bare = record.model_copy(update={"note": None})
    sentence = promise_text(bare) if isinstance(bare, Promise) else dispute_text(bare)
    for ours in (sentence, clean_text(sentence, latin1_only=True)):
        _, found, note = text.partition(ours)
        if found:
            return note.strip() or None
    return text.strip() or None


def withdrawn_lead(command: WithdrawPromise) -> str:
    """What is put in front of a promise's text when it no longer stands."""
    return f"Withdrawn {command.withdrawn_on}{because(command.reason)}."


def dispute_tag(
    command: OpenDispute | Dispute, identity: UUID, tenant: Tenant, recorded: datetime | None
) -> DisputeTag:
    """The tag of a dispute, from the command that opens it or from the record as it stands."""
    return DisputeTag(
        id=identity,
        invoice=tenant.remote_id(command.invoice_id, RecordKind.INVOICE),
        amount=command.disputed_amount,
        currency=command.currency,
        reason=shortened(command.reason),
        opened=command.opened_on,
        by=command.opened_by,
        customer=None
        if command.customer_id is None
        else tenant.remote_id(command.customer_id, RecordKind.CUSTOMER),
        recorded=recorded,
        resolved=command.resolved_on if isinstance(command, Dispute) else None,
        resolution=shortened(command.resolution) if isinstance(command, Dispute) else None,
    )


def dispute_text(command: OpenDispute | Dispute) -> str:
    """A dispute in words, as in `Disputed 120.00 USD: goods damaged. Opened 2026-11-23 by Ann Lee.`, then its note."""
    what = _money(command.disputed_amount, command.currency) or "in full"
    opened = f" Opened {command.opened_on}" if command.opened_on else " Opened"
    who = f" by {command.opened_by}" if command.opened_by else ""
    told = f"{opened}{who}." if command.opened_on or who else ""
    return f"Disputed {what}{because(command.reason)}.{told}{_tail(command.note)}"


def resolved_lead(command: ResolveDispute) -> str:
    """What is put in front of a dispute's text when it is settled."""
    return f"Resolved {command.resolved_on}{because(command.resolution)}.{_tail(command.note)}"


def note_tag(command: AddNote, identity: UUID, invoice: str) -> NoteTag:
    """The tag of a plain note on an invoice."""
    return NoteTag(id=identity, given=command.given_on, by=command.author, invoice=invoice)


def note_text(command: AddNote) -> str:
    """The note itself, with who and when in front."""
    who = f" {command.author}" if command.author else ""
    return f"{command.given_on}{who}: {command.text}"


def status_tag(command: SetCollectionsStatus, identity: UUID, invoice: str) -> StatusTag:
    """The tag of a status that stands in a note because its usual places could not take it."""
    return StatusTag(
        id=identity,
        status=shortened(command.status) or "",
        set_on=command.set_on,
        next_action=shortened(command.next_action),
        next_on=command.next_action_on,
        invoice=invoice,
    )


def status_text(command: SetCollectionsStatus) -> str:
    """A status in words, as in `second reminder sent (2026-11-23). Next: call (2026-11-30)`, then its note."""
    step = command.next_action or ("" if command.next_action_on is None else "follow up")
    when = f" ({command.next_action_on})" if command.next_action_on else ""
    follow = f". Next: {step}{when}" if step else ""
    return f"{command.status} ({command.set_on}){follow}{'.' + _tail(command.note) if command.note else ''}"


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "" if amount is None else f"{amount:f} {currency or ''}".strip()


def because(reason: str | None) -> str:
    """A reason as the end of a sentence: `: goods damaged`; nothing where there is none."""
    text = (reason or "").strip().rstrip(".")
    return f": {text}" if text else ""


def _tail(note: str | None) -> str:
    text = (note or "").strip()
    return f" {text}" if text else ""


def shortened(text: str | None, limit: int = 300) -> str | None:
    """A free text inside a tag: the tag must fit, and the whole text stands behind it anyway."""
    return text if text is None or len(text) <= limit else text[: limit - 3] + "..."


def closed_on(day: date | None, lock_date: date | None) -> bool:
    """True when a document of this day lies in the closed books; unknown dates are taken for open."""
    return day is not None and lock_date is not None and day <= lock_date
