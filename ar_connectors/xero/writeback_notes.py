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
    StatusTag,
    Tag,
    format_note,
    parse_note,
)
from ar_connectors.adapterkit.text import clean_text
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import RejectedError
from ar_connectors.xero.faults import PLATFORM
from ar_connectors.xero.writeback_scope import NotePolicy, WriteScope
from ar_core.commands import AddNote, OpenDispute, ResolveDispute, SetCollectionsStatus
from ar_core.model import Dispute, RecordKind, parse_record_id

__all__ = [
    "add_note",
    "noted",
    "open_dispute",
    "resolve_dispute",
    "set_status",
    "tags_in",
    "unknown_record",
    "where",
]

_NAMES: Final = {"Invoices": "Invoice", "Contacts": "Contact"}


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
    reason: str | None = None,
) -> list[Placement] | None:
    """See to it that the history has this tag: looked for where it may be there, and appended where it is not. None when
    it is missing and nothing may be sent."""
    collection, remote_id = place
    looked = scope.only_look or scope.tried_before
    there = looked and tag in tags_in(scope.calls.notes(collection, remote_id), tag.id)
    if not there:
        if scope.only_look:
            return None
        body = clean_text(format_note(tag, text), latin1_only=False)
        scope.calls.add_note(collection, remote_id, body, scope.key(f"note-{remote_id[-12:]}"))
    name = _NAMES[collection]
    target = f"history note on {name} {remote_id}"
    return [
        Placement(fact, target, "HistoryRecord", remote_id, None, reason is not None, reason, None, subjects)
        for fact in facts
    ]


def open_dispute(scope: WriteScope, command: OpenDispute) -> list[Placement] | None:
    """A dispute, as a note on its invoice."""
    record = scope.write.record_id or command.local_record_id
    known = scope.view.record(record)
    recorded = known.recorded_at if isinstance(known, Dispute) else scope.write.first_sent_at
    tag = texts.dispute_tag(command, scope.identity, scope.tenant, recorded)
    about = (command.invoice_id, record, *((command.customer_id,) if command.customer_id else ()))
    return noted(
        scope, where(scope, command.invoice_id), tag, texts.dispute_text(command), (Fact.DISPUTE,), about
    )


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
    return noted(scope, where(scope, known.invoice_id), tag, text, (Fact.DISPUTE,), about)


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
    """Where collections stand, as a note; not noted again while it stays the same.

    Raises RejectedError with the note policy `off`: Xero has no other place.
    """
    if scope.options.notes is NotePolicy.OFF:
        raise RejectedError(
            "notes are switched off for this connection, and Xero has no other place for a status",
            platform=PLATFORM,
            tenant=scope.tenant.id,
            operation=command.type,
            advice="set notes to `change` or `always` in the connection's settings",
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
    if scope.options.notes is NotePolicy.CHANGE and _stands(scope, command.subject_id, command.status):
        target = f"history note on {_NAMES[collection]} {remote_id}, unchanged"
        return [
            Placement(
                facts[0],
                target,
                "HistoryRecord",
                remote_id,
                None,
                previous=command.status,
                subject_ids=(command.subject_id,),
            )
        ]
    made = noted(scope, place, tag, f"Status: {texts.status_text(command)}", facts, (command.subject_id,))
    return None if made is None else [replace(one, previous=command.status) for one in made]


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
