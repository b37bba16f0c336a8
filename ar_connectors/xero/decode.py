"""What is in a body of Xero? Bytes in, a page of normalized records out; pure.

The usual page, one list of one collection, is cut into pieces of some rows each, and those of a piece are read into typed structs
and mapped before the next one is touched. The rows of a piece that holds one that msgspec stumbles on are read by themselves, so
one bad row never costs the others: it is rejected with its bytes and the reason. Only a body that is no JSON, or no envelope of
Xero, fails as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import DecimalException
from functools import partial
from types import GenericAlias
from typing import Any, Final, NamedTuple

import msgspec

from ar_connectors.adapterkit.cutting import (
    UNREADABLE,
    Cutter,
    cut_list,
    cut_up,
    elements,
    identify,
    loads_plain,
)
from ar_connectors.adapterkit.decoding import Bodies
from ar_connectors.adapterkit.mapper import RowError
from ar_connectors.adapterkit.pages import LARGE, FillingPage, Mapped, collector_paused
from ar_connectors.adapterkit.rows import RowReader
from ar_connectors.connector import OutOfScope, Page
from ar_connectors.errors import ARError, ContractError
from ar_connectors.http.redact import excerpt
from ar_connectors.xero import wire
from ar_connectors.xero.context import PLATFORM, SINGULAR, Context, Mapper
from ar_connectors.xero.faults import parse_problem, problem_error
from ar_connectors.xero.mapping_documents import map_credit_note, map_invoice
from ar_connectors.xero.mapping_notes import map_history
from ar_connectors.xero.mapping_parties import map_contact, map_organisation
from ar_connectors.xero.mapping_settlements import (
    map_allocation,
    map_overpayment,
    map_payment,
    map_prepayment,
)
from ar_connectors.xero.moments import instant_of, milliseconds
from ar_connectors.xero.webhooks import parse_events
from ar_core.model import Promise

__all__ = [
    "ID_OF",
    "KINDS",
    "MAPPER_VERSION",
    "Envelope",
    "ListRows",
    "decode",
    "decode_list",
    "decode_page",
    "history_of",
    "newest_change",
    "open_envelope",
    "paging_of",
]

MAPPER_VERSION: Final = 1
"""Raised whenever a mapping changes; a replay with a newer one always replaces."""

KINDS: Final[Mapping[str, str]] = {
    "invoice": "Invoices",
    "creditnote": "CreditNotes",
    "payment": "Payments",
    "prepayment": "Prepayments",
    "overpayment": "Overpayments",
    "contact": "Contacts",
    "organisation": "Organisations",
    "allocation": "Allocations",
    "history": "HistoryRecords",
}
"""Kinds of body that hold rows, and the collection whose row a bare object of that kind is. Besides them: `error`, `webhook`."""

ID_OF: Final[Mapping[str, str]] = {
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Payments": "PaymentID",
    "Prepayments": "PrepaymentID",
    "Overpayments": "OverpaymentID",
    "Contacts": "ContactID",
    "Organisations": "OrganisationID",
    "Allocations": "AllocationID",
}
"""The member that holds the id of a row."""

_ATTRIBUTES: Final[Mapping[str, str]] = {
    "Invoices": "invoice_id",
    "CreditNotes": "credit_note_id",
    "Payments": "payment_id",
    "Prepayments": "prepayment_id",
    "Overpayments": "overpayment_id",
    "Contacts": "contact_id",
}

_MAPPERS: Final[Mapping[str, Callable[[Mapper, Any], Mapped]]] = {
    "Invoices": map_invoice,
    "CreditNotes": map_credit_note,
    "Payments": map_payment,
    "Prepayments": map_prepayment,
    "Overpayments": map_overpayment,
    "Contacts": map_contact,
    "Organisations": map_organisation,
    "Allocations": map_allocation,
    "HistoryRecords": map_history,
}
_LISTS: Final[Mapping[str, msgspec.json.Decoder[list[Any]]]] = {
    name: msgspec.json.Decoder(GenericAlias(list, shape)) for name, shape in wire.ROWS.items()
}
"""Of all lists, and made before there are threads: msgspec shows other threads a type that it has not finished."""
_STAMPS: Final[Mapping[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(
        msgspec.defstruct("Stamps", [("rows", list[wire.Stamp], msgspec.field(name=name))])
    )
    for name in wire.ROWS
}
_HISTORY: Final = msgspec.json.Decoder(wire.HistoryRecord)
_PAGING: Final = msgspec.json.Decoder(wire.Pagination)
_PAGINATION: Final = re.compile(rb'"pagination"\s*:\s*(\{[^{}]*\})').search
"""No text in a row looks like this: a quote inside of one has a backslash before it."""
_BODY: Final = msgspec.json.Decoder(wire.Body)
_SMALL: Final = 65_536
"""An answer that is nothing but refusals is small."""
_AROUND: Final = frozenset({"Id", "Status", "ProviderName", "DateTimeUTC", "pagination", "Warnings"})
_OWN: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(one.encode_name for one in msgspec.structs.fields(shape)) - _AROUND - wire.ROWS.keys()
    for name, shape in wire.ROWS.items()
}
"""Members that only a row of a collection has, never what is around rows: they tell a bare one, with or without its id."""


def decode(kind: str, body: bytes, tenant: str, context: Context | None = None) -> Page | Sequence[Any]:
    """Decode one body. `kind` is a key of `KINDS` (in any case), `error` or `webhook`; `tenant` the organisation's tenant id;
    `context`: what is known of it. Results and errors as of `Bodies.decode`."""
    known = context if context is not None else Context(tenant)
    return Bodies(
        PLATFORM, KINDS, lambda text, name, _: decode_page(text, name, known), "error", _error, parse_events
    ).decode(kind, body, tenant)


def _error(body: bytes, tenant: str) -> ARError | None:
    problem = parse_problem(body)
    return None if problem is None else problem_error(problem, tenant=tenant, operation="decode error")


def decode_page(body: bytes, collection: str, context: Context, *, stream: str = "") -> Page:
    """Decode a body of rows with what is known of the organisation. `collection`: what a bare row is.

    Raises ContractError when it is not JSON or no envelope of Xero, and the mapped error when it is an error.
    """
    if len(body) < _SMALL and b'"ERROR"' in body:
        _raise_refusal(body, collection)
    with collector_paused(len(body) > LARGE):
        page = _typed(body, collection, context, stream)
        if page is None:
            page = _careful(body, collection, context, stream)
    return page


def _raise_refusal(body: bytes, collection: str) -> None:
    """A 200 may hold nothing but elements that were refused (quirks.md#xero-41): that is an error, not a page without rows."""
    problem = parse_problem(body)
    if problem is None or not problem.errors:
        return
    rows = open_envelope(body, collection).rows
    if all(identify(raw, ID_OF.get(name, "")) is None for name, raw in rows):
        raise problem_error(problem, operation="decode")


def _typed(body: bytes, collection: str, context: Context, stream: str) -> Page | None:
    """The quick way, for a list of one collection that is often read; None when the careful way must be taken. A list of another
    collection than was asked for may be a member of a bare row: an invoice holds its Payments."""
    if collection not in _ATTRIBUTES or (
        b"\\" in body and b"\\u0000" in body
    ):  # one byte is found much faster than six
        return None
    cut = cut_list(body, collection)
    if cut is None:
        return None
    filled = FillingPage()
    try:
        answer = _BODY.decode(cut.frame)
        lists = {
            "Invoices": answer.invoices,
            "CreditNotes": answer.credit_notes,
            "Payments": answer.payments,
            "Prepayments": answer.prepayments,
            "Overpayments": answer.overpayments,
            "Contacts": answer.contacts,
        }
        if [name for name, rows in lists.items() if rows is not None] != [collection] or lists[collection]:
            return None
        count = _take_all(filled, Mapper(context), collection, cut.pieces)
    except UNREADABLE:
        return None
    when = instant_of(answer.date_time) if answer.date_time else None
    kind = SINGULAR[collection]
    return filled.page(count, kind, when, mapper_version=MAPPER_VERSION, stream=stream, raw=body)


def _take_all(filled: FillingPage, mapper: Mapper, name: str, pieces: Iterable[bytes]) -> int:
    """Map the rows of one collection, quickly: what `_take` does, without a call and an object for each row. Those of a piece that
    holds a row or a number that is none are taken one by one. Returns how many there are; raises what is in `UNREADABLE` for a piece
    that is no list."""
    decode, map_row, kind, id_name = _LISTS[name].decode, _MAPPERS[name], SINGULAR[name], _ATTRIBUTES[name]
    records, row_of, replaces = filled.records, filled.row_of, filled.replaces
    number = 0
    for piece in pieces:
        mark, first = filled.mark(), number
        try:
            for row in decode(piece):
                mapped = map_row(mapper, row)
                found, replaced = mapped.records, mapped.replaces
                if found and replaced is not None:
                    records += found
                    row_of += [number] * len(found)
                    replaces.append(replaced)
                else:
                    filled.add(kind, getattr(row, id_name), mapped, number)
                number += 1
            good = True
        except (*UNREADABLE, RowError, DecimalException):
            good = False
        if mapper.check_numbers() and good:
            continue
        filled.back_to(mark)
        for number, raw in enumerate(elements(piece), first):
            _take(filled, mapper.context, name, raw, number)
        number += 1
    return number


def newest_change(body: bytes, collection: str) -> datetime | None:
    """When the row of a list that changed last did (UTC), by what the rows say of themselves and whatever becomes of them: one that was
    deleted, is a supplier's or cannot be mapped has its place in the list like any other. None where no row says it."""
    try:
        rows = _STAMPS[collection].decode(body).rows
    except UNREADABLE:
        return None  # a row that is no object, say
    told = (one.updated or one.updated_string for one in rows)
    instants = (instant_of(one) for one in told if isinstance(one, str))
    return max((one for one in instants if one is not None), default=None)


# ---- row by row


@dataclass(slots=True)
class Envelope:
    """A body taken apart."""

    rows: list[tuple[str, bytes]]
    """Collection and bytes."""
    server_time: datetime | None = None
    """The answer's DateTimeUTC."""
    page_count: int | None = None
    item_count: int | None = None


def open_envelope(body: bytes, collection: str) -> Envelope:
    """Take a body apart. `collection`: what a bare row or list is. The errors as of `decode_page`."""
    if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise problem_error(parse_problem(body), operation="decode")
    return cut_up(
        body,
        lambda cutter, whole: _open(cutter, whole, collection),
        lambda sentence: _contract(sentence, body),
    )


def _contract(message: str, body: bytes) -> ContractError:
    return ContractError(message, platform=PLATFORM, operation="decode", excerpt=excerpt(body[:200]))


def _open(cutter: Cutter, body: bytes, collection: str) -> Envelope:
    if body.lstrip()[:1] == b"[":
        return Envelope([(collection, one) for one in cutter.elements(body)])
    members = cutter.members(body)
    names = {name for name, _ in members}
    if {"ErrorNumber", "Elements"} & names or {"Detail", "detail"} & names:
        raise problem_error(parse_problem(body), operation="decode")
    lists = [(name, raw) for name, raw in members if name in wire.ROWS and raw.lstrip()[:1] == b"["]
    told = dict(members)
    moment = loads_plain(told["DateTimeUTC"]) if told.get("DateTimeUTC", b"")[:1] == b'"' else None
    envelope = Envelope([], instant_of(moment) if isinstance(moment, str) else None)
    paging = loads_plain(told["pagination"]) if told.get("pagination", b"")[:1] == b"{" else {}
    for name, attribute in (("pageCount", "page_count"), ("itemCount", "item_count")):
        if isinstance(paging.get(name), int):
            setattr(envelope, attribute, paging[name])
    if names & _OWN[collection]:
        envelope.rows = [(collection, body.strip())]
    elif lists:
        envelope.rows = [(name, one) for name, raw in lists for one in cutter.elements(raw)]
    else:
        others = [
            (name, raw) for name, raw in members if name not in _AROUND and raw.lstrip()[:1] in {b"[", b"{"}
        ]
        if not others:
            raise _contract(f"no known envelope: {', '.join(sorted(names))[:200] or 'an empty object'}", body)
        for name, raw in others:
            rows = cutter.elements(raw) if raw.lstrip()[:1] == b"[" else [raw]
            envelope.rows += [(name, one) for one in rows]
    return envelope


def _careful(body: bytes, collection: str, context: Context, stream: str) -> Page:
    envelope = open_envelope(body, collection)
    filled = FillingPage()
    for number, (name, raw) in enumerate(envelope.rows):
        _take(filled, context, name, raw, number)
    kinds = {SINGULAR.get(name, name) for name, _ in envelope.rows}
    kind = kinds.pop() if len(kinds) == 1 else ""
    return filled.page(
        len(envelope.rows), kind, envelope.server_time, mapper_version=MAPPER_VERSION, stream=stream, raw=body
    )


def _take(filled: FillingPage, context: Context, name: str, raw: bytes, number: int) -> None:
    """Read and map one row whatever it is worth; what cannot be is rejected with the reason."""
    if name not in _MAPPERS:
        filled.out_of_scope.append(OutOfScope(name, None, f"{name} are not accounts receivable", number))
        return
    kind, id_name = SINGULAR[name], ID_OF.get(name, "")
    try:
        _, mapped = RowReader(wire.ROWS[name], _MAPPERS[name], partial(Mapper, context)).read(raw)
        filled.add(kind, identify(raw, id_name), mapped, number)
    except RowError as error:
        filled.reject(kind, raw, number, error, id_name)


def history_of(body: bytes) -> list[wire.HistoryRecord]:
    """The records of a history, oldest first; those that cannot be read are passed over, they are none of ours."""
    found = []
    for name, raw in open_envelope(body, "HistoryRecords").rows:
        if name == "HistoryRecords":
            try:
                found.append(_HISTORY.decode(raw))
            except UNREADABLE:
                continue
    return sorted(found, key=lambda one: milliseconds(one.date or "") or 0)


class ListRows(NamedTuple):
    """What is to be known of a page of a list besides its records."""

    paging: wire.Pagination | None
    """What it says of itself."""
    has_promises: bool
    """Whether an invoice of it has a promised date."""


def decode_list(body: bytes, *, collection: str, context: Context, stream: str) -> tuple[Page, ListRows]:
    """`decode_page` of one page of a list."""
    page = decode_page(body, collection, context, stream=stream)
    return page, ListRows(paging_of(body), any(type(one) is Promise for one in page.records))


def paging_of(body: bytes) -> wire.Pagination | None:
    """Where a page lies in its list; None where the body does not say. It is looked for by its name, which stands before the rows:
    reading a page a second time only for this would cost a tenth of its decoding."""
    found = _PAGINATION(body)
    try:
        return _PAGING.decode(found[1]) if found is not None else None
    except UNREADABLE:
        return None
