"""What is in a body of QuickBooks? Bytes in, a page of normalized records out; pure.

The usual page, one list of one entity, is cut into rows by msgspec, and each row read into a typed struct and mapped before
the next one is touched; a page of payments, which are small, is read at once. A row that msgspec stumbles on is read carefully
by itself, so one bad row never costs the others: it is rejected with its bytes and the reason. Only a body that is no JSON, or
no envelope of QuickBooks, fails as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import DecimalException
from functools import partial
from typing import Any, Final

import msgspec

from ar_connectors.adapterkit.cutting import UNREADABLE, identify
from ar_connectors.adapterkit.decoding import Bodies
from ar_connectors.adapterkit.mapper import CHECK_EVERY, RowError
from ar_connectors.adapterkit.pages import LARGE, FillingPage, collector_paused
from ar_connectors.adapterkit.rows import RowReader
from ar_connectors.connector import OutOfScope, Page, Record
from ar_connectors.errors import ARError
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import ENTITY_KINDS, PLATFORM, Context, Mapper
from ar_connectors.quickbooks.envelope import ENTITY_NAMES, Envelope, Row, open_envelope
from ar_connectors.quickbooks.faults import fault_error, parse_fault
from ar_connectors.quickbooks.mapping import map_customer_and_notes, map_entity
from ar_connectors.quickbooks.mapping_documents import map_credit_memo, map_invoice
from ar_connectors.quickbooks.mapping_settlements import map_payment
from ar_connectors.quickbooks.webhooks import parse_events

__all__ = ["KINDS", "MAPPER_VERSION", "decode", "decode_page", "decode_rows"]

MAPPER_VERSION: Final = 1
"""Raised whenever a mapping changes; a replay with a newer one always replaces."""

KINDS: Final[Mapping[str, str | None]] = {
    "invoice": "Invoice",
    "creditmemo": "CreditMemo",
    "payment": "Payment",
    "refundreceipt": "RefundReceipt",
    "journalentry": "JournalEntry",
    "customer": "Customer",
    "attachable": "Attachable",
    "companyinfo": "CompanyInfo",
    "preferences": "Preferences",
    "deleted": None,
    "query": None,
    "cdc": None,
    "batch": None,
}
"""Kinds of body that hold rows, and the entity a bare row of that kind is. Besides them: `fault` and `webhook`."""

_DECODERS: Final = {name: msgspec.json.Decoder(shape) for name, shape in wire.ENTITIES.items()}
_QUICK: Final = frozenset({"Invoice", "CreditMemo", "Payment", "Customer"})
_QUERY: Final = msgspec.json.Decoder(wire.QueryBody)
_AT_ONCE: Final = {"Payment": msgspec.json.Decoder(wire.PaymentBody)}


def decode(kind: str, body: bytes, tenant: str, context: Context | None = None) -> Page | Sequence[Any]:
    """Decode one body. `kind` is a key of `KINDS` (in any case), `fault` or `webhook`; `tenant` the realm id; `context`: what
    is known of the company. Results and errors as of `Bodies.decode`."""
    known = context if context is not None else Context(tenant)
    return Bodies(
        PLATFORM,
        KINDS,
        lambda text, entity, _: decode_page(text, entity, known),
        "fault",
        _fault,
        parse_events,
    ).decode(kind, body, tenant)


def _fault(body: bytes, tenant: str) -> ARError | None:
    fault = parse_fault(body)
    return None if fault is None else fault_error(fault, tenant=tenant, operation="decode fault")


def decode_page(
    body: bytes,
    entity: str | None,
    context: Context,
    *,
    stream: str = "",
    ids: list[str | None] | None = None,
) -> Page:
    """Decode a body of rows with what is known of the company. `entity`: what a bare row is; `ids` takes the platform's id of
    each row, None where it has none. See `decode` for the errors."""
    with collector_paused(len(body) > LARGE):
        found: list[str | None] = []
        page = _typed(body, entity, context, stream, found, at_once=True) if entity in _AT_ONCE else None
        if page is None:
            found.clear()
            page = _typed(body, entity, context, stream, found)
        if page is None:
            found.clear()
            page = decode_rows(open_envelope(body, entity), context, stream=stream, raw=body, ids=found)
    if ids is not None:
        ids += found
    return page


def _typed(
    body: bytes,
    entity: str | None,
    context: Context,
    stream: str,
    ids: list[str | None],
    *,
    at_once: bool = False,
) -> Page | None:
    """The quick way, for one list of one entity; None when the careful way must be taken. A row that cannot be read quickly
    is read carefully by itself. `at_once`: all rows are read before the first is mapped, and one that cannot be spoils the way."""
    if entity is not None and entity not in _QUICK:
        return None
    if b"\\" in body and b"\\u0000" in body:  # one byte is found much faster than six
        return None
    try:
        answer = _AT_ONCE[entity or ""].decode(body) if at_once else _QUERY.decode(body)
    except UNREADABLE:
        return None
    rows_of = answer.query_response
    lists = [
        (name, rows)
        for name, rows in (
            ("Invoice", rows_of.invoice),
            ("CreditMemo", rows_of.credit_memo),
            ("Payment", rows_of.payment),
            ("Customer", rows_of.customer),
        )
        if rows is not None
    ]
    if len(lists) != 1:
        return None
    name, rows = lists[0]
    mapper = Mapper(context)
    filled = FillingPage()
    # A page of payments may hold another list than was asked for: that one was cut, not read.
    if not _take_all(filled, mapper, name, rows, ids, read=at_once and name == entity):
        return None
    return filled.page(
        len(rows), name, _utc(answer.time), mapper_version=MAPPER_VERSION, stream=stream, raw=body
    )


_ONE: Final[dict[str, Callable[[Mapper, Any], Record]]] = {
    "Invoice": map_invoice,
    "CreditMemo": map_credit_memo,
}
_SEVERAL: Final[dict[str, Callable[[Mapper, Any], Sequence[Record]]]] = {
    "Payment": map_payment,
    "Customer": map_customer_and_notes,
}


def _utc(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC) if instant is not None and instant.tzinfo is not None else None


def _take_all(
    filled: FillingPage,
    mapper: Mapper,
    entity: str,
    rows: Sequence[Any],
    ids: list[str | None],
    *,
    read: bool,
) -> bool:
    """Map the rows of one entity, quickly: what `_take` does, without a call and an object for each row. They are structs where
    they were `read`, else bytes. False as soon as a number turns up that is none, or is out of bounds, or a row that was read
    cannot be mapped."""
    decode = _DECODERS[entity].decode
    one, several = _ONE.get(entity), _SEVERAL.get(entity)
    records, row_of, replaces = filled.records, filled.row_of, filled.replaces
    for number, raw in enumerate(rows):
        try:
            row = raw if read else decode(raw)
            ids.append(row.id)
            if row.status is not None:
                filled.add(entity, row.id, map_entity(mapper, row), number)
            elif one is not None:
                records.append(one(mapper, row))
                row_of.append(number)
            elif several is not None:
                found = several(mapper, row)
                replaces.append(found[0].id)
                records += found
                row_of += [number] * len(found)
        except (*UNREADABLE, RowError, DecimalException):
            if read:
                return False
            del ids[number:]
            ids.append(_take(filled, mapper.context, Row(entity, bytes(raw)), number))
        if number % CHECK_EVERY == 0 and not mapper.check_numbers():
            return False
    return mapper.check_numbers()


# ---- row by row


def decode_rows(
    envelope: Envelope,
    context: Context,
    *,
    stream: str = "",
    raw: bytes | None = None,
    ids: list[str | None] | None = None,
) -> Page:
    """Decode the rows of an envelope one by one; what one of them is worth does not touch the others. `ids` takes theirs."""
    filled = FillingPage()
    found = [_take(filled, context, row, number) for number, row in enumerate(envelope.rows)]
    if ids is not None:
        ids += found
    kinds = {row.entity for row in envelope.rows}
    kind = kinds.pop() if len(kinds) == 1 else ""
    return filled.page(
        len(envelope.rows), kind, envelope.server_time, mapper_version=MAPPER_VERSION, stream=stream, raw=raw
    )


def _take(filled: FillingPage, context: Context, row: Row, number: int) -> str | None:
    """Read and map one row whatever it is worth; what cannot be is rejected with the reason. Returns the row's id."""
    shape = wire.ENTITIES.get(row.entity)
    try:
        if row.fault is not None:
            code = row.fault.errors[0].code if row.fault.errors else None
            raise RowError(
                "fault", f"a fault stands in this place{f' (code {code})' if code else ''}: {row.fault.text}"
            )
        if shape is None or row.entity not in ENTITY_KINDS:
            foreign = _foreign(row, number)
            filled.out_of_scope.append(foreign)
            return foreign.remote_id
        struct, mapped = RowReader(shape, map_entity, partial(Mapper, context)).read(row.raw)
        filled.add(row.entity, struct.id, mapped, number)
        return struct.id
    except RowError as error:
        filled.reject(row.entity, row.raw, number, error, "Id")
        return filled.rejected[-1].remote_id


def _foreign(row: Row, number: int) -> OutOfScope:
    known = row.entity in ENTITY_NAMES
    reason = (
        f"{row.entity} is not accounts receivable"
        if known
        else f"{row.entity} is not an entity this library knows"
    )
    return OutOfScope(row.entity, identify(row.raw, "Id"), reason, number)
