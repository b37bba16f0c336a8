"""Which notes in QuickBooks are ours, and what do they say? Attachables to promises and disputes; pure."""

from __future__ import annotations

from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import Mapper, RowError
from ar_connectors.quickbooks.managed_block import parse_block
from ar_connectors.quickbooks.notes import DisputeTag, NoteError, NoteTag, PromiseTag, StatusTag, parse_note
from ar_connectors.quickbooks.writeback_texts import original_note
from ar_core.model import Channel, Dispute, Origin, Promise, RecordKind, local_id

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
    invoices = tag.invoices or _hangs_on(row, "Invoice")
    mapper.numbers.append(tag.amount)
    promise = Promise.trusted(
        id=local_id(tag.id),
        source=mapper.provenance(type(row).__name__, row),
        customer_id=_customer(mapper, row, tag.customer),
        invoice_ids=tuple(mapper.id(RecordKind.INVOICE, invoice) for invoice in invoices),
        promised_amount=tag.amount,
        currency=_currency(mapper, tag.currency),
        promised_date=tag.promised,
        given_on=tag.given,
        given_by=tag.by,
        channel=_channel(tag.channel),
        origin=Origin.OURS,
        recorded_at=tag.recorded,
        withdrawn_on=tag.withdrawn,
        superseded_by=local_id(tag.superseded_by) if tag.superseded_by is not None else None,
    )
    return promise.model_copy(update={"note": original_note(promise, text)})


def _dispute(mapper: Mapper, row: wire.Attachable | wire.Customer, tag: DisputeTag, text: str) -> Dispute:
    mapper.numbers.append(tag.amount)
    dispute = Dispute.trusted(
        id=local_id(tag.id),
        source=mapper.provenance(type(row).__name__, row),
        customer_id=_customer(mapper, row, tag.customer),
        invoice_id=mapper.id(RecordKind.INVOICE, tag.invoice),
        disputed_amount=tag.amount,
        currency=_currency(mapper, tag.currency),
        reason=tag.reason,
        opened_on=tag.opened,
        opened_by=tag.by,
        origin=Origin.OURS,
        recorded_at=tag.recorded,
        resolved_on=tag.resolved,
        resolution=tag.resolution,
    )
    return dispute.model_copy(update={"note": original_note(dispute, text)})


def _hangs_on(row: wire.Attachable | wire.Customer, kind: str) -> tuple[str, ...]:
    if isinstance(row, wire.Customer):
        return (row.id,) if kind == "Customer" and row.id else ()
    places = (place.entity_ref for place in row.attachable_ref or ())
    return tuple(place.value for place in places if place is not None and place.type == kind and place.value)


def _customer(mapper: Mapper, row: wire.Attachable | wire.Customer, tagged: str | None) -> str | None:
    remote_id = tagged or next(iter(_hangs_on(row, "Customer")), None)
    return mapper.id(RecordKind.CUSTOMER, remote_id) if remote_id else None


def _currency(mapper: Mapper, code: str | None) -> str | None:
    return mapper.currency(wire.Id(value=code)) if code else None


def _channel(word: str | None) -> Channel | None:
    return Channel(word) if word in set(Channel) else None
