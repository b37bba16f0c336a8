"""Which notes in a history are ours, and what do they say? History records to promises and disputes; pure.

History cannot be edited: a promise that was withdrawn has a second note, and the last one of a record counts
(quirks.md#xero-23).
"""

from __future__ import annotations

from collections.abc import Iterable

from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.note_records import dispute_of, promise_of
from ar_connectors.adapterkit.notes import DisputeTag, NoteError, PromiseTag, parse_note
from ar_connectors.adapterkit.pages import Mapped
from ar_connectors.xero import wire
from ar_connectors.xero.context import Mapper
from ar_core.model import Dispute, Promise

__all__ = ["facts_in", "map_history"]


def map_history(mapper: Mapper, row: wire.HistoryRecord) -> Mapped:
    """The promise or dispute that a note of ours holds. Raises RowError when it is ours and its tag is damaged."""
    try:
        found = parse_note(row.details)
    except NoteError as error:
        raise RowError("bad_tag", f"a history note: {error}") from error
    match found:
        case None:
            return Mapped(out_of_scope="history that people or Xero wrote")
        case (PromiseTag() as tag, text):
            return Mapped((promise_of(mapper, None, tag, text),))
        case (DisputeTag() as tag, text):
            return Mapped((dispute_of(mapper, None, tag, text),))
        case _:
            return Mapped(out_of_scope="a status or a plain note of ours: kept with us, shown here")


def facts_in(mapper: Mapper, notes: Iterable[wire.HistoryRecord]) -> list[Promise | Dispute]:
    """The promises and disputes of a document's history as they stand, from its notes oldest first. A later promise of the same
    invoice takes the place of an earlier one: the earlier note cannot be edited to say so."""
    found: dict[str, Promise | Dispute] = {}
    for note in notes:
        try:
            records = map_history(mapper, note).records
        except RowError:
            continue
        for one in records:
            if isinstance(one, Promise) and one.id not in found and not _ended(one):
                for older in found.values():
                    if (
                        isinstance(older, Promise)
                        and not _ended(older)
                        and set(older.invoice_ids) & set(one.invoice_ids)
                    ):
                        found[older.id] = older.model_copy(update={"superseded_by": one.id})
            if isinstance(one, Promise | Dispute):
                found[one.id] = one
    return list(found.values())


def _ended(promise: Promise) -> bool:
    return promise.withdrawn_on is not None or promise.superseded_by is not None
