"""What do our facts say in Customer.Notes and in custom fields? Commands as lines of the managed block, pure.

Sentences and tags are the same on every ERP (adapterkit/note_texts.py); here is only what QuickBooks' own places need.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote
from uuid import UUID

from ar_connectors.adapterkit.note_texts import because, note_text, status_text
from ar_connectors.adapterkit.notes import DisputeTag, NoteTag, PromiseTag, Tag, format_note
from ar_connectors.adapterkit.text import clean_text
from ar_connectors.quickbooks.managed_block import Line, one_line
from ar_core.commands import AddNote, SetCollectionsStatus, SetOrderHold

__all__ = ["field_text", "hold_line", "note_line", "ref_of", "status_line", "tagged_line"]


def ref_of(identity: UUID) -> str:
    """The short mark of a command on a line of the managed block."""
    return identity.hex[:12]


def field_text(status: str, limit: int) -> str:
    """The status alone, for a custom field of `limit` characters."""
    status = one_line(status)
    return status if len(status) <= limit else status[: limit - 3].rstrip() + "..."


def status_line(
    command: SetCollectionsStatus,
    identity: UUID,
    invoice: str | None,
    number: str | None,
    *,
    latin1_only: bool,
) -> Line:
    """The status as a line of the managed block; `invoice` (and its number) where it is about one invoice."""
    label = "Status" if invoice is None else f"Invoice {number or invoice}"
    kind = "status" if invoice is None else f"status-{quote(invoice, safe='')}"
    return _marked(f"{label}: {status_text(command)}", kind, identity, latin1_only)


def hold_line(command: SetOrderHold, identity: UUID, *, latin1_only: bool) -> Line:
    """The advice to stop new orders: QuickBooks has no such stop of its own."""
    text = f"Order hold advised since {command.set_on}{because(command.reason)}"
    return _marked(text, "hold", identity, latin1_only)


def note_line(command: AddNote, identity: UUID, *, latin1_only: bool) -> Line:
    """A note about a customer as a line of the managed block."""
    return _marked(f"Note {note_text(command)}", "note", identity, latin1_only)


def tagged_line(tag: PromiseTag | DisputeTag | NoteTag, text: str, *, latin1_only: bool) -> Line:
    """A tagged note as a line of the managed block, for an invoice that takes no note."""
    kind = {PromiseTag: "ptp", DisputeTag: "dispute", NoteTag: "note"}[type(tag)]
    whole = one_line(
        clean_text(format_note(_without_long_texts(tag), text, limit=600), latin1_only=latin1_only)
    )
    return Line(whole, kind, ref_of(tag.id), whole=True)


def _without_long_texts(tag: PromiseTag | DisputeTag | NoteTag) -> Tag:
    if isinstance(tag, DisputeTag):
        return replace(
            tag, reason=(tag.reason or "")[:40] or None, resolution=(tag.resolution or "")[:40] or None
        )
    return tag


def _marked(text: str, kind: str, identity: UUID, latin1_only: bool) -> Line:
    return Line(one_line(clean_text(text, latin1_only=latin1_only)), kind, ref_of(identity))
