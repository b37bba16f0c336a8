"""Which notes in QuickBooks are ours, and what do they say? Attachables to promises and disputes; pure."""

from __future__ import annotations

from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.note_records import dispute_of, promise_of
from ar_connectors.adapterkit.notes import DisputeTag, NoteError, NoteTag, PromiseTag, StatusTag, parse_note
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import Mapper
from ar_connectors.quickbooks.managed_block import parse_block
from ar_core.model import Dispute, Promise, RecordKind

__all__ = ["map_attachable", "map_customer_notes"]


def map_attachable(mapper: Mapper, row: wire.Attachable) -> Promise | Dispute | str:
    """The promise or dispute a note of ours holds; for any other note or file a sentence that says what it is.

    Raises RowError when it has no id, or when it is ours and its tag is damaged.
    """
    mapper.id(RecordKind.NOTE, row.id)
    try:
        found = parse_note(row.note)
    except NoteError as error:
        raise RowError("bad_tag", f"Attachable {row.id}: {error}") from error
    if found is None:
        return "a file of the company" if row.file_name else "a note that people wrote"
    tag, text = found
    match tag:
        case PromiseTag():
            return _promise(mapper, row, tag, text)
        case DisputeTag():
            return _dispute(mapper, row, tag, text)
        case StatusTag():
            return "a collections status of ours: kept with us, shown here"
        case NoteTag():
            return "a plain note of ours"


def map_customer_notes(mapper: Mapper, row: wire.Customer) -> list[Promise | Dispute]:
    """Promises and disputes that had to be placed in Customer.Notes (quirks.md#qbo-42), one tag a line.

    A damaged line is passed over here: the notes themselves stay on the customer, verbatim.
    """
    if not row.notes or "[AR:" not in row.notes:
        return []
    found: list[Promise | Dispute] = []
    for line in parse_block(row.notes).lines:
        try:
            parsed = parse_note(line.text)
        except NoteError:
            continue
        match parsed:
            case (PromiseTag() as tag, text):
                found.append(_promise(mapper, row, tag, text))
            case (DisputeTag() as tag, text):
                found.append(_dispute(mapper, row, tag, text))
    return found


def _promise(mapper: Mapper, row: wire.Attachable | wire.Customer, tag: PromiseTag, text: str) -> Promise:
    source = mapper.provenance(type(row).__name__, row)
    customer = next(iter(_hangs_on(row, "Customer")), None)
    return promise_of(mapper, source, tag, text, invoices=_hangs_on(row, "Invoice"), customer=customer)


def _dispute(mapper: Mapper, row: wire.Attachable | wire.Customer, tag: DisputeTag, text: str) -> Dispute:
    source = mapper.provenance(type(row).__name__, row)
    return dispute_of(mapper, source, tag, text, customer=next(iter(_hangs_on(row, "Customer")), None))


def _hangs_on(row: wire.Attachable | wire.Customer, kind: str) -> tuple[str, ...]:
    if isinstance(row, wire.Customer):
        return (row.id,) if kind == "Customer" and row.id else ()
    places = (place.entity_ref for place in row.attachable_ref or ())
    return tuple(place.value for place in places if place is not None and place.type == kind and place.value)
