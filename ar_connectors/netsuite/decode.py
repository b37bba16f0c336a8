"""What is in a body of NetSuite? Bytes in, a page of normalized records out; pure.

The usual page, the answer to a statement of ours, is read at once into structs (wire.ANSWERS), each dropped when it was mapped. A page
with a row that does not fit, and those of other tables, are cut into rows, and each row read into a typed struct and mapped before the
next one is touched. A row that msgspec stumbles on, others' spellings and REST record bodies are read carefully (careful.py): one bad
row costs the others nothing. Only a body that is no JSON, or no envelope of NetSuite, fails as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, cast

import msgspec

from ar_connectors.adapterkit.cutting import UNREADABLE
from ar_connectors.adapterkit.decoding import Bodies
from ar_connectors.adapterkit.mapper import CHECK_EVERY
from ar_connectors.adapterkit.pages import LARGE, FillingPage, Mapped, collector_paused
from ar_connectors.connector import Page
from ar_connectors.errors import ARError
from ar_connectors.http.redact import excerpt
from ar_connectors.netsuite import wire
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.careful import kind_of_row, take_row, take_rows
from ar_connectors.netsuite.context import Context, Mapper
from ar_connectors.netsuite.envelope import Envelope, Raw, open_envelope
from ar_connectors.netsuite.faults import fault_error, parse_fault
from ar_connectors.netsuite.kinds import KINDS, TOLD_BY_ROW, BodyKind
from ar_connectors.netsuite.mapping import MAPPERS, PAGE_MAPPERS, add_links
from ar_connectors.netsuite.mapping_documents import UNMAPPABLE, MapRows
from ar_connectors.netsuite.spellings import is_spelled_as_ours

__all__ = ["MAPPER_VERSION", "decode", "decode_envelope", "decode_page"]

MAPPER_VERSION: Final = 1
"""Raised whenever a mapping changes; a replay with a newer one always replaces."""

_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(shape) for name, shape in wire.ROWS.items()
}
_CUSTOM: Final = (b'"custbody', b'"custentity')
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(kind: str, body: bytes, tenant: str, context: Context | None = None) -> Page:
    """Decode one body. `kind` is a key of `KINDS` (in any case) or `error`; `tenant` the account's realm; `context`: what is known
    of the account. Result and errors as of `Bodies.decode`."""
    known = context if context is not None else Context(tenant)
    kinds = {name: name for name in KINDS}
    bodies = Bodies(PLATFORM, kinds, lambda text, name, _: decode_page(text, name, known), "error", _error)
    return cast("Page", bodies.decode(kind, body, tenant))  # NetSuite sends no webhooks


def _error(body: bytes, tenant: str) -> ARError | None:
    fault = parse_fault(body)
    return (
        None
        if fault is None
        else fault_error(fault, tenant=tenant, operation="decode error", told=excerpt(body))
    )


def decode_page(body: bytes, kind: str, context: Context, *, stream: str = "") -> Page:
    """Decode a body of rows with what is known of the account. `kind`: a key of `KINDS`; what is none is told by the rows.
    `stream`: whose statement was answered, so that the columns are ours. The errors as of `decode`."""
    with collector_paused(len(body) > LARGE):
        return decode_envelope(
            open_envelope(body, context.tenant, wire.ANSWERS.get(stream)), kind, context, stream=stream
        )


def decode_envelope(envelope: Envelope, kind: str, context: Context, *, stream: str = "") -> Page:
    """The same for a body that was taken apart."""
    known, body = KINDS.get(kind.casefold(), TOLD_BY_ROW), envelope.body
    if not envelope.is_page and known.reason is None and (fault := parse_fault(body)) is not None:
        raise fault_error(fault, tenant=context.tenant, operation="decode", told=excerpt(body))
    filled = _quickly(envelope, known, context, is_ours=bool(stream))
    if filled is None:
        filled = FillingPage()
        take_rows(filled, Mapper(context, body), [bytes(row) for row in envelope.rows], known)
    return filled.page(
        envelope.size,
        kind if known.table is not None else "",
        None,
        mapper_version=MAPPER_VERSION,
        stream=stream,
        raw=body,
    )


# ---- the quick way


def _quickly(envelope: Envelope, kind: BodyKind, context: Context, *, is_ours: bool) -> FillingPage | None:
    """The rows of one table under our own column names; None when the careful way must be taken."""
    table, body = kind.table, envelope.body
    if table is None or table == "deleted" or not envelope.is_page:
        return None
    if b"\\" in body and b"\\u0000" in body:  # one byte is found much faster than six
        return None
    if not is_ours and not _is_spelled_as_ours(envelope, table):
        return None
    if context.custom is None and any(name in body for name in _CUSTOM):
        return None
    filled, mapper = FillingPage(), Mapper(context, body, of_text=envelope.structs is not None)
    if table == "link":
        taken = _take_links(filled, mapper, envelope.rows)
    else:
        taken = _take_all(filled, mapper, kind, envelope, tuple((context.custom or {}).get(table, ())))
    return filled if taken and mapper.check_numbers() else None


def _is_spelled_as_ours(envelope: Envelope, table: str) -> bool:
    try:
        return all(is_spelled_as_ours(_MEMBERS.decode(row), table) for row in envelope.rows[:1])
    except UNREADABLE:
        return False


def _take_all(
    filled: FillingPage, mapper: Mapper, kind: BodyKind, envelope: Envelope, custom: tuple[str, ...]
) -> bool:
    """Map the rows of one table; one that cannot be read quickly is read carefully by itself. `custom`: fields of the account's own to
    read besides. False: there is a number among them that no record may have, so all are to be read carefully."""
    default, structs = kind.type, envelope.structs
    shape = envelope.shape or wire.ROWS[kind.table or ""]
    custom_of = _custom_reader(custom) if custom else None
    if structs is not None and custom_of is None and (map_page := PAGE_MAPPERS.get(shape)) is not None:
        _take_page(filled, mapper, kind, envelope, map_page)
        return True
    rows = map(_DECODERS[kind.table or ""].decode, envelope.rows) if structs is None else iter(structs)
    records_of, careful = MAPPERS[shape], Mapper(mapper.context, envelope.body)
    records, row_of, replaces = filled.records, filled.row_of, filled.replaces
    ids: list[str | None] = []
    for number in range(envelope.size):
        try:
            row = next(rows)
            if structs is not None:
                structs[number] = None
            if custom_of is not None:
                row.custom = custom_of(envelope.rows[number])
            made = records_of(mapper, row, default)
        except UNMAPPABLE:
            take_row(filled, careful, bytes(envelope.rows[number]), number, kind)
            continue
        ids.append(row.id)
        if isinstance(made, str):
            filled.add(kind_of_row(row, kind), row.id, Mapped(out_of_scope=made), number)
            continue
        found, parent = made
        records += found
        row_of += (number,) * len(found)
        if parent is not None:
            replaces.append(parent)
        if not mapper.of_text and number % CHECK_EVERY == 0 and not mapper.check_numbers():
            return False
    if len(ids) == envelope.size:
        envelope.ids = ids
    return True


def _take_page(
    filled: FillingPage,
    mapper: Mapper,
    kind: BodyKind,
    envelope: Envelope,
    map_page: MapRows,
) -> None:
    """Map the structs of a whole answer, taking them out of their list."""
    structs = envelope.structs or []
    ids, careful = [row.id for row in structs], Mapper(mapper.context, envelope.body)
    strange: list[int] = []

    def set_aside(number: int) -> None:
        strange.append(number)
        take_row(filled, careful, bytes(envelope.rows[number]), number, kind)

    map_page(mapper, structs, filled, set_aside)
    if not strange:
        envelope.ids = ids


def _take_links(filled: FillingPage, mapper: Mapper, rows: Sequence[Raw]) -> bool:
    """Map links, those of one `next` transaction together: they follow each other. False: read them carefully."""
    number = 0
    try:
        for _, group in groupby(map(_DECODERS["link"].decode, rows), key=attrgetter("nextdoc")):
            links = list(group)
            add_links(filled, mapper, links, range(number, number + len(links)))
            number += len(links)
    except UNMAPPABLE:
        return False
    return True


@cache
def _custom_reader(names: tuple[str, ...]) -> Callable[[Raw], dict[str, str | None] | None]:
    """Reads the account's own fields out of a row: they have names of their own in every account, so no struct can have them."""
    shape = msgspec.defstruct("Custom", [(name, str | None, None) for name in names])
    decode_row = msgspec.json.Decoder(shape).decode

    def read(raw: Raw) -> dict[str, str | None] | None:
        row = decode_row(raw)
        return {name: value for name in names if (value := getattr(row, name)) is not None} or None

    return read
