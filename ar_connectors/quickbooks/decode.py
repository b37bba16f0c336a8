"""What is in a body of QuickBooks? Bytes in, a page of normalized records out; pure.

The usual page, one list of one entity, is cut into pieces of some rows each, and those of a piece are read into typed structs and
mapped before the next one is touched. The rows of a piece that holds one that msgspec stumbles on are read by themselves, so one
bad row never costs the others: it is rejected with its bytes and the reason. Only a body that is no JSON, or no envelope of
QuickBooks, fails as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import DecimalException
from functools import partial
from types import GenericAlias
from typing import Any, Final, NamedTuple

import msgspec

from ar_connectors.adapterkit.cutting import UNREADABLE, cut_list, elements, identify
from ar_connectors.adapterkit.decoding import Bodies
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.pages import LARGE, FillingPage, collector_paused
from ar_connectors.adapterkit.rows import RowReader
from ar_connectors.connector import OutOfScope, Page, Record
from ar_connectors.errors import ARError
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import ENTITY_KINDS, PLATFORM, Context, Mapper
from ar_connectors.quickbooks.entries import names_entries
from ar_connectors.quickbooks.envelope import ENTITY_NAMES, Envelope, Row, open_envelope
from ar_connectors.quickbooks.faults import fault_error, parse_fault
from ar_connectors.quickbooks.mapping import map_customer_and_notes, map_entity
from ar_connectors.quickbooks.mapping_documents import map_credit_memo, map_invoice
from ar_connectors.quickbooks.mapping_settlements import map_payment
from ar_connectors.quickbooks.webhooks import parse_events

__all__ = ["KINDS", "MAPPER_VERSION", "TableRows", "decode", "decode_page", "decode_rows", "decode_table"]

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

_QUICK: Final = ("Invoice", "CreditMemo", "Payment", "Customer")
_LISTS: Final[Mapping[str, msgspec.json.Decoder[list[Any]]]] = {
    name: msgspec.json.Decoder(GenericAlias(list, shape)) for name, shape in wire.ENTITIES.items()
}
"""Of all entities, and made before there are threads: msgspec shows other threads a type that it has not finished."""
_QUERY: Final = msgspec.json.Decoder(wire.QueryBody)


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
        page = _typed(body, entity, context, stream, found)
        if page is None:
            found.clear()
            page = decode_rows(open_envelope(body, entity), context, stream=stream, raw=body, ids=found)
    if ids is not None:
        ids += found
    return page


class TableRows(NamedTuple):
    """What is to be known of a page of a table besides its records."""

    ids: list[str | None]
    """The platform's id of each row; None where it has none."""
    names_entries: bool
    """See `entries.names_entries`."""


def decode_table(body: bytes, *, entity: str, context: Context, stream: str) -> tuple[Page, TableRows]:
    """`decode_page` of one page of a table."""
    ids: list[str | None] = []
    page = decode_page(body, entity, context, stream=stream, ids=ids)
    return page, TableRows(ids, entity == "Payment" and names_entries(page))


def _typed(
    body: bytes, entity: str | None, context: Context, stream: str, ids: list[str | None]
) -> Page | None:
    """The quick way, for one list of one entity; None when the careful way must be taken."""
    if entity is not None and entity not in _QUICK:
        return None
    if b"\\" in body and b"\\u0000" in body:  # one byte is found much faster than six
        return None
    for name in (entity,) if entity is not None else _QUICK:
        cut = cut_list(body, name)
        if cut is not None:
            break
    else:
        return None
    filled = FillingPage()
    try:
        answer = _QUERY.decode(cut.frame)
        rows_of = answer.query_response
        lists = {
            "Invoice": rows_of.invoice,
            "CreditMemo": rows_of.credit_memo,
            "Payment": rows_of.payment,
            "Customer": rows_of.customer,
        }
        if [other for other, rows in lists.items() if rows is not None] != [name] or lists[name]:
            return None
        count = _take_all(filled, Mapper(context), name, cut.pieces, ids)
    except UNREADABLE:
        return None
    return filled.page(count, name, _utc(answer.time), mapper_version=MAPPER_VERSION, stream=stream, raw=body)


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
    filled: FillingPage, mapper: Mapper, entity: str, pieces: Iterable[bytes], ids: list[str | None]
) -> int:
    """Map the rows of one entity, quickly: what `_take` does, without a call and an object for each row. Those of a piece that
    holds a row or a number that is none are taken one by one. Returns how many there are; raises what is in `UNREADABLE` for a piece
    that is no list."""
    decode = _LISTS[entity].decode
    one, several = _ONE.get(entity), _SEVERAL.get(entity)
    records, row_of, replaces = filled.records, filled.row_of, filled.replaces
    number = 0
    for piece in pieces:
        mark, first = filled.mark(), number
        try:
            for row in decode(piece):
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
                number += 1
            good = True
        except (*UNREADABLE, RowError, DecimalException):
            good = False
        if mapper.check_numbers() and good:
            continue
        filled.back_to(mark)
        del ids[first:]
        for number, raw in enumerate(elements(piece), first):
            ids.append(_take(filled, mapper.context, Row(entity, raw), number))
        number += 1
    return number


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
