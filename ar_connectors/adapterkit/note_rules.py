"""What follows from a tag, whatever ERP its note stands in? Is the fact settled, does a promise still stand, does it fit; pure."""

from __future__ import annotations

from dataclasses import replace

from ar_connectors.adapterkit.notes import (
    DisputeTag,
    NoteError,
    PromiseTag,
    StatusTag,
    Tag,
    format_note,
    parse_note,
)

__all__ = ["fitting", "is_settled", "stands", "tag_in"]


def tag_in(note: str | None) -> Tag | None:
    """The tag of a note; None where there is none, or a damaged one (the sync reports that)."""
    try:
        found = parse_note(note)
    except NoteError:
        return None
    return None if found is None else found[0]


def is_settled(tag: Tag) -> bool:
    """True for a withdrawn promise, a resolved dispute and a released order hold."""
    match tag:
        case PromiseTag():
            return tag.withdrawn is not None
        case DisputeTag():
            return tag.resolved is not None
        case StatusTag():
            return tag.hold is False
        case _:
            return False


def stands(tag: Tag | None) -> bool:
    """True for a promise that was neither withdrawn nor superseded."""
    return isinstance(tag, PromiseTag) and tag.withdrawn is None and tag.superseded_by is None


def fitting(tag: Tag, invoice: str) -> tuple[Tag, str | None]:
    """The tag, naming only this invoice where all of them are too many for one note, and then why. Raises ValueError for a tag of
    another kind that is too long."""
    try:
        format_note(tag)
    except ValueError:
        if not isinstance(tag, PromiseTag):
            raise
        shorter = replace(tag, invoices=(invoice,))
        return shorter, "so many invoices do not fit into one note: each names only its own"
    return tag, None
