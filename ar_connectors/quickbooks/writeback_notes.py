"""Facts in Attachable notes: hang them up, find them by their mark, edit only the tag."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ar_connectors.adapterkit.note_rules import stands, tag_in
from ar_connectors.adapterkit.notes import PromiseTag, Tag, format_note, retag
from ar_connectors.errors import DuplicateError, StaleVersionError
from ar_connectors.quickbooks.writeback_calls import Note
from ar_connectors.quickbooks.writeback_customer import RETRIES
from ar_connectors.quickbooks.writeback_scope import WriteScope

__all__ = ["Edited", "edit_note", "hang_note", "open_promises", "own_notes", "tag_of"]


@dataclass(frozen=True, slots=True)
class Edited:
    """A tag as it should be, and what is put in front of the text for people."""

    tag: Tag
    lead: str = ""


def tag_of(note: Note) -> Tag | None:
    """The tag of a note; None where there is none, or a damaged one (the sync reports that)."""
    return tag_in(note.text)


def own_notes(scope: WriteScope, invoice: str, identity: UUID) -> list[Note]:
    """The notes on an invoice whose tag has this id."""
    return [note for note in scope.calls.notes_on("Invoice", invoice) if _is(note, identity)]


def hang_note(scope: WriteScope, invoice: str, tag: Tag, text: str, part: str) -> Note:
    """Hang a tagged note on an invoice.

    QuickBooks answers code 600 for a requestid it has seen: then the note is looked for, and sent under another id only
    when it is not there.
    """
    body = scope.clean(format_note(tag, scope.clean(text)))
    try:
        return scope.calls.create_note("Invoice", invoice, body, scope.request_id(part))
    except DuplicateError:
        there = own_notes(scope, invoice, tag.id)
        if there:
            return there[0]
        return scope.calls.create_note(
            "Invoice", invoice, body, scope.request_id(f"{part}-n{scope.write.attempt}")
        )


def edit_note(
    scope: WriteScope, invoice: str, note: Note, change: Callable[[Tag], Edited | None], part: str
) -> Note | None:
    """Change the tag of a note of ours and leave the rest as people may have edited it.

    `change` gives the tag as it should be, or None when it is so already. Returns None when the note no longer has a tag
    or the result would not fit. Raises StaleVersionError when somebody else was faster three times.
    """
    identity = None
    for again in range(RETRIES + 1):
        tag = tag_of(note)
        if tag is None:
            return None
        identity = tag.id
        wanted = change(tag)
        if wanted is None:
            return note
        text = retag(note.text, wanted.tag, scope.clean(wanted.lead))
        if text is None:
            return None
        try:
            return scope.calls.update_note(
                note, text, scope.request_id(part if again == 0 else f"{part}-{again}")
            )
        except StaleVersionError:
            if again == RETRIES:
                raise
            fresh = [
                one
                for one in scope.calls.notes_on("Invoice", invoice)
                if one.id == note.id and _is(one, identity)
            ]
            if not fresh:
                return None
            note = fresh[0]
    raise AssertionError("unreachable: the last try returns or raises")


def open_promises(notes: Sequence[Note], but: UUID) -> list[PromiseTag]:
    """Promises on an invoice that still stand, without one; each once."""
    tags = {}
    for note in notes:
        tag = tag_of(note)
        if isinstance(tag, PromiseTag) and tag.id != but and stands(tag):
            tags[tag.id] = tag
    return list(tags.values())


def _is(note: Note, identity: UUID) -> bool:
    tag = tag_of(note)
    return tag is not None and tag.id == identity
