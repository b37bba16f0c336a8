"""Plain notes, and where collections stand with a customer or invoice: activities, and a field of its own where one is mapped.

A note is an activity of its own. A status is one activity for each customer or invoice, which always says the latest: people would not
read a list of them.
"""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit import note_texts as texts
from ar_connectors.adapterkit.notes import NoteTag, StatusTag
from ar_connectors.connector import Fact, Placement
from ar_connectors.netsuite.writeback_activities import Said, said
from ar_connectors.netsuite.writeback_native import kept
from ar_connectors.netsuite.writeback_scope import WriteScope
from ar_core.commands import AddNote, SetCollectionsStatus

__all__ = ["add_note", "set_status"]

_FACTS: Final = (Fact.COLLECTIONS_STATUS,)
_ONE: Final = "status"
"""Stands for the fact in the external id of an activity that holds one status after the other."""


def add_note(scope: WriteScope, command: AddNote) -> list[Placement] | None:
    """A note on an invoice or a customer."""
    place = scope.place_of(command.subject_id)
    on_invoice = place.record == "invoice"
    tag = NoteTag(
        scope.identity,
        command.given_on,
        command.author,
        invoice=place.id if on_invoice else None,
        customer=None if on_invoice else place.id,
    )
    what = Said(tag, "Collections note", texts.note_text(command), command.given_on)
    return said(scope, place, what, (Fact.NOTE,), ())


def set_status(scope: WriteScope, command: SetCollectionsStatus) -> list[Placement] | None:
    """Where collections stand, in the mapped field, and with what comes next in the activity about it."""
    place = scope.place_of(command.subject_id)
    on_invoice = place.record == "invoice"
    tag = StatusTag(
        scope.identity,
        texts.shortened(command.status) or "",
        command.set_on,
        texts.shortened(command.next_action),
        command.next_action_on,
        invoice=place.id if on_invoice else None,
        customer=None if on_invoice else place.id,
    )
    text = f"Status: {texts.status_text(command)}"
    what = Said(tag, f"Collections status: {command.status}", text, command.set_on)
    made = said(scope, place, what, _FACTS, (), external_id=place.external_id(_ONE))
    if made is None:
        return None
    word = "invoice_status" if on_invoice else "collections_status"
    custom = scope.options.fields.changes({word: texts.shortened(command.status)})
    found = kept(scope, place.record, place.id, {}, custom)
    if found.missing:
        return None
    if not custom:
        return made
    target = f"{', '.join(custom)} of {place.record} {place.id}"
    about = (command.subject_id,)
    degraded = found.custom is not None
    shown = Placement(_FACTS[0], target, place.record, place.id, None, degraded, found.custom, None, about)
    return [shown, *made]
