"""What does a tag that was read back become? A promise or a dispute of ours, the same on every ERP; pure."""

from __future__ import annotations

from ar_connectors.adapterkit.mapper import Mapper
from ar_connectors.adapterkit.note_texts import original_note
from ar_connectors.adapterkit.notes import DisputeTag, PromiseTag
from ar_core.model import Channel, Dispute, Origin, Promise, RecordKind, Source, local_id

__all__ = ["dispute_of", "promise_of"]


def promise_of(
    mapper: Mapper,
    source: Source | None,
    tag: PromiseTag,
    text: str,
    *,
    invoices: tuple[str, ...] = (),
    customer: str | None = None,
) -> Promise:
    """The promise that a tag holds. `text`: what stands behind it; `invoices`, `customer`: the platform's ids of what the note
    hangs on, where the tag names none."""
    mapper.numbers.append(tag.amount)
    promise = Promise.trusted(
        id=local_id(tag.id),
        source=source,
        customer_id=mapper.customer_id(tag.customer or customer),
        invoice_ids=tuple(mapper.id(RecordKind.INVOICE, invoice) for invoice in tag.invoices or invoices),
        promised_amount=tag.amount,
        currency=mapper.currency_code(tag.currency) if tag.currency else None,
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


def dispute_of(
    mapper: Mapper, source: Source | None, tag: DisputeTag, text: str, *, customer: str | None = None
) -> Dispute:
    """The dispute that a tag holds; the arguments as of `promise_of`."""
    mapper.numbers.append(tag.amount)
    dispute = Dispute.trusted(
        id=local_id(tag.id),
        source=source,
        customer_id=mapper.customer_id(tag.customer or customer),
        invoice_id=mapper.id(RecordKind.INVOICE, tag.invoice),
        disputed_amount=tag.amount,
        currency=mapper.currency_code(tag.currency) if tag.currency else None,
        reason=tag.reason,
        opened_on=tag.opened,
        opened_by=tag.by,
        origin=Origin.OURS,
        recorded_at=tag.recorded,
        resolved_on=tag.resolved,
        resolution=tag.resolution,
    )
    return dispute.model_copy(update={"note": original_note(dispute, text)})


def _channel(word: str | None) -> Channel | None:
    return Channel(word) if word in set(Channel) else None
