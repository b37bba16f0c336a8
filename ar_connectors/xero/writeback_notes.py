"""Disputes, notes and collections status: tagged notes in the history of an invoice or a contact, never written twice.

History cannot be edited: what changes is said by a further note with the same mark (quirks.md#xero-23).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.notes import (
    DisputeTag,
    NoteError,
    NoteTag,
    PromiseTag,
    StatusTag,
    Tag,
    format_note,
    parse_note,
)
from ar_connectors.adapterkit.text import clean_text
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import DuplicateError, NotFoundError, PeriodClosedError, RejectedError
from ar_connectors.xero.faults import PLATFORM
from ar_connectors.xero.writeback_groups import status
from ar_connectors.xero.writeback_scope import NotePolicy, WriteScope
from ar_core.commands import AddNote, OpenDispute, ResolveDispute, SetCollectionsStatus
from ar_core.model import Dispute, RecordKind, parse_record_id

__all__ = [
    "add_note",
    "is_on_contact",
    "noted",
    "open_dispute",
    "resolve_dispute",
    "set_status",
    "tags_in",
    "unknown_record",
    "where",
]

_NAMES: Final = {"Invoices": "Invoice", "Contacts": "Contact"}
_NOT_ON_INVOICE: Final = "the invoice takes no note"


def where(scope: WriteScope, subject: str) -> tuple[str, str]:
    """Collection and id of an invoice or customer of ours. Raises RejectedError for anything else."""
    parts = parse_record_id(subject)
    if parts is not None and parts.kind == RecordKind.CUSTOMER:
        return "Contacts", scope.customer_id(subject)
    return "Invoices", scope.invoice_ids(subject)[0]


def tags_in(notes: Sequence[str], identity: UUID) -> list[Tag]:
    """Our tags with this id, oldest first; damaged ones are passed over."""
    found = []
    for note in notes:
        try:
            parsed = parse_note(note)
        except NoteError:
            continue
        if parsed is not None and parsed[0].id == identity:
            found.append(parsed[0])
    return found


def noted(
    scope: WriteScope,
    place: tuple[str, str],
    tag: Tag,
    text: str,
    facts: tuple[Fact, ...],
    subjects: tuple[str, ...],
    *,
    findable: bool = False,
) -> list[Placement] | None:
    """See to it that the history has this tag: looked for where it may be there, and appended where it is not. None when
    it is missing and nothing may be sent.

    An invoice that takes no note (a closed period, a payment on it) has it in its contact's history instead, degraded. `findable`:
    an empty store must find it, and no expected payment date leads there.
    """
    collection, remote_id = place
    contact = _contact(scope, place)
    reason = None
    looked = scope.only_look or scope.tried_before
    there = looked and _stands_in(scope, place, tag)
    if looked and not there and collection == "Invoices" and contact is not None:
        there = _stands_in(scope, ("Contacts", contact), tag)
        if there:
            collection, remote_id, reason = "Contacts", contact, _NOT_ON_INVOICE
    if not there and scope.only_look:
        return None
    # Before the note: a worker that dies in between leaves a contact in the group, not a note that nobody finds.
    unfound = scope.noted.see_to(scope, contact) if findable and contact and not scope.only_look else None
    if not there:
        try:
            _append(scope, place, tag, text)
        except (PeriodClosedError, RejectedError) as error:
            if collection != "Invoices" or contact is None or isinstance(error, NotFoundError):
                raise
            if isinstance(tag, PromiseTag | DisputeTag):
                unfound = scope.noted.see_to(scope, contact)
            collection, remote_id, reason = "Contacts", contact, f"{_NOT_ON_INVOICE}: {error.message}"
            _append(scope, (collection, remote_id), tag, text)
    target = f"history note on {_NAMES[collection]} {remote_id}"
    degraded, why = reason is not None, "; ".join(one for one in (reason, unfound) if one) or None
    return [
        Placement(fact, target, "HistoryRecord", remote_id, None, degraded, why, None, subjects)
        for fact in facts
    ]


def is_on_contact(placement: Placement) -> bool:
    """Whether a note about an invoice stands in its contact's history."""
    return placement.remote_kind == "HistoryRecord" and (placement.reason or "").startswith(_NOT_ON_INVOICE)


def _append(scope: WriteScope, place: tuple[str, str], tag: Tag, text: str) -> None:
    """Append the note, once. Where the key was used before, it is looked for, and sent under another only if it is not there."""
    collection, remote_id = place
    body = clean_text(format_note(tag, text), latin1_only=False)
    key = scope.key(f"note-{remote_id[-12:]}")
    try:
        scope.calls.add_note(collection, remote_id, body, key)
    except DuplicateError:
        if not _stands_in(scope, place, tag):
            scope.calls.add_note(collection, remote_id, body, f"{key}-again")


def _stands_in(scope: WriteScope, place: tuple[str, str], tag: Tag) -> bool:
    return tag in tags_in(scope.calls.notes(*place), tag.id)


def _contact(scope: WriteScope, place: tuple[str, str]) -> str | None:
    """Xero's id of the contact whose history or invoice it is; None for an invoice that was not synced."""
    collection, remote_id = place
    if collection == "Contacts":
        return remote_id
    known = scope.invoice(remote_id)
    customer = known.customer_id if known is not None else None
    return scope.customer_id(customer) if customer is not None else None


def open_dispute(scope: WriteScope, command: OpenDispute) -> list[Placement] | None:
    """A dispute, as a note on its invoice."""
    record = scope.write.record_id or command.local_record_id
    known = scope.view.record(record)
    recorded = known.recorded_at if isinstance(known, Dispute) else scope.write.first_sent_at
    tag = texts.dispute_tag(command, scope.identity, scope.tenant, recorded)
    about = (command.invoice_id, record, *((command.customer_id,) if command.customer_id else ()))
    text = texts.dispute_text(command)
    place = where(scope, command.invoice_id)
    return noted(scope, place, tag, text, (Fact.DISPUTE,), about, findable=True)


def resolve_dispute(scope: WriteScope, command: ResolveDispute) -> list[Placement] | None:
    """A dispute that is settled, as a further note with its mark. Raises RejectedError when nothing is known of it."""
    known = scope.view.record(command.dispute_id)
    identity = texts.local_uuid(command.dispute_id)
    if not isinstance(known, Dispute) or identity is None:
        raise unknown_record(scope, command.dispute_id)
    tag: DisputeTag = replace(
        texts.dispute_tag(known, identity, scope.tenant, known.recorded_at),
        resolved=command.resolved_on,
        resolution=command.resolution[:300],
    )
    text = f"{texts.resolved_lead(command)} {texts.dispute_text(known)}"
    about = (known.invoice_id, command.dispute_id, *((command.customer_id,) if command.customer_id else ()))
    place = where(scope, known.invoice_id)
    return noted(scope, place, tag, text, (Fact.DISPUTE,), about, findable=True)


def add_note(scope: WriteScope, command: AddNote) -> list[Placement] | None:
    """A plain note."""
    collection, remote_id = place = where(scope, command.subject_id)
    tag = NoteTag(
        scope.identity,
        command.given_on,
        command.author,
        invoice=remote_id if collection == "Invoices" else None,
        customer=remote_id if collection == "Contacts" else None,
    )
    return noted(scope, place, tag, texts.note_text(command), (Fact.NOTE,), (command.subject_id,))


def set_status(scope: WriteScope, command: SetCollectionsStatus) -> list[Placement] | None:
    """Where collections stand, as a note; not noted again while it stays the same. Where the connection wants that, the contact
    is in the group of its status too.

    Raises RejectedError with the note policy `off` where there are no such groups: Xero has no other place.
    """
    policy, placed = scope.options.notes, status(scope, command)
    if placed is None or (policy is NotePolicy.OFF and placed):
        return placed
    if policy is NotePolicy.OFF:
        raise RejectedError(
            "notes are switched off for this connection, and there are no groups for the status of this",
            platform=PLATFORM,
            tenant=scope.tenant.id,
            operation=command.type,
            advice="set `notes` to change or always, or `status_groups`, in the connection's settings",
        )
    collection, remote_id = place = where(scope, command.subject_id)
    tag = StatusTag(
        scope.identity,
        texts.shortened(command.status) or "",
        command.set_on,
        texts.shortened(command.next_action),
        command.next_action_on,
        invoice=remote_id if collection == "Invoices" else None,
        customer=remote_id if collection == "Contacts" else None,
    )
    facts = (Fact.COLLECTIONS_STATUS,)
    if policy is NotePolicy.CHANGE and _stands(scope, command.subject_id, command.status):
        target = f"history note on {_NAMES[collection]} {remote_id}, unchanged"
        made: list[Placement] | None = [
            Placement(facts[0], target, "HistoryRecord", remote_id, subject_ids=(command.subject_id,))
        ]
    else:
        text = f"Status: {texts.status_text(command)}"
        made = noted(scope, place, tag, text, facts, (command.subject_id,))
    return None if made is None else [*placed, *(replace(one, previous=command.status) for one in made)]


def _stands(scope: WriteScope, subject: str, status: str) -> bool:
    """True when the last status that was placed on a subject is this one."""
    placed = [
        one
        for one in scope.view.placements(subject, "set_collections_status")
        if one.fact is Fact.COLLECTIONS_STATUS
    ]
    return bool(placed) and placed[-1].previous == status


def unknown_record(scope: WriteScope, record: str) -> RejectedError:
    """The failure of a command about a promise or dispute that our store does not know."""
    return RejectedError(
        f"nothing is known of {record}: it is not in the store",
        platform=PLATFORM,
        tenant=scope.tenant.id,
        operation=scope.write.command.type,
        advice="sync this connection first; give the id of a promise or dispute that was recorded here",
    )
