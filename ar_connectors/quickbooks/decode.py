"""What is in a body of QuickBooks? Bytes in, a page of normalized records out; pure.

The usual page, one list of one entity, is cut into rows by msgspec, and each row read into a typed struct and mapped before
the next one is touched. A row that msgspec stumbles on is read carefully by itself, so one bad row never costs the others:
it is rejected with its bytes and the reason. Only a body that is no JSON, or no envelope of QuickBooks, fails as a whole.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import DecimalException
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from ar_connectors.connector import OutOfScope, Page, Record, Rejected
from ar_connectors.errors import ContractError, UnsupportedOperation
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import ENTITY_KINDS, PLATFORM, Context, Mapper, RowError
from ar_connectors.quickbooks.envelope import ENTITY_NAMES, Envelope, Row, loads_exact, open_envelope
from ar_connectors.quickbooks.faults import fault_error, parse_fault, redact
from ar_connectors.quickbooks.mapping import Mapped, is_deleted, map_customer_and_notes, map_row, tombstone
from ar_connectors.quickbooks.mapping_documents import map_credit_memo, map_invoice
from ar_connectors.quickbooks.mapping_settlements import map_payment
from ar_connectors.quickbooks.webhooks import WebhookEvent, parse_events
from ar_core.model import Tombstone

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
_PAGES: Final = itertools.count(1)
_COLLECT_EVERY: Final = 64
"""Large pages between full collections."""
_LARGE: Final = 200_000
"""Bytes from which a body is a large page: about a hundred invoices."""
_QUICK: Final = frozenset({"Invoice", "CreditMemo", "Payment", "Customer"})
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_QUERY: Final = msgspec.json.Decoder(wire.QueryBody)


def decode(
    kind: str, body: bytes, tenant: str, context: Context | None = None
) -> Page | tuple[WebhookEvent, ...]:
    """Decode one body. `kind` is a key of `KINDS` (in any case), `fault` or `webhook`; `tenant` the realm id.

    Returns a page, in which every row of the body is in exactly one of records, tombstones, rejected and out_of_scope; for a
    webhook the events. Raises the mapped error for a fault, ContractError for what is no body of QuickBooks,
    UnsupportedOperation for any other kind.
    """
    name = kind.casefold()
    if name == "webhook":
        return parse_events(body)
    if name == "fault":
        fault = parse_fault(body)
        if fault is None:
            raise ContractError(
                "the body holds no fault",
                platform=PLATFORM,
                tenant=tenant,
                operation="decode fault",
                excerpt=redact(body[:200].decode("utf-8", errors="replace")),
            )
        raise fault_error(fault, tenant=tenant, operation="decode fault")
    if name not in KINDS:
        raise UnsupportedOperation(
            f"bodies of kind {kind!r} are not accounts receivable",
            platform=PLATFORM,
            tenant=tenant,
            operation="decode",
            advice="these kinds can be decoded: " + ", ".join(sorted([*KINDS, "fault", "webhook"])),
        )
    return decode_page(body, KINDS[name], context if context is not None else Context(tenant))


def decode_page(body: bytes, entity: str | None, context: Context, *, stream: str = "") -> Page:
    """Decode a body of rows with what is known of the company. `entity`: what a bare row is; see `decode` for the errors."""
    with _collector_paused(len(body) > _LARGE):
        page = _typed(body, entity, context, stream)
        if page is None:
            page = decode_rows(open_envelope(body, entity), context, stream=stream, raw=body)
    return page


@contextmanager
def _collector_paused(large: bool) -> Iterator[None]:
    """Make thousands of records without a collection in between: there is no garbage among them, and looking for it costs a
    fifth of the time. Whoever switched the collector off switches it on again, in whatever thread.

    Before that, what a large page made is moved to the oldest generation (freeze, unfreeze: two list operations), or the first
    allocation afterwards would look through all of it. That sets the collector's counters back, so every so many pages
    it is run in full. A program that has frozen objects of its own is left alone.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        promote = large and gc.get_freeze_count() == 0
        if promote:
            gc.freeze()
            gc.unfreeze()
        gc.enable()
        if promote and next(_PAGES) % _COLLECT_EVERY == 0:
            gc.collect()


def _typed(body: bytes, entity: str | None, context: Context, stream: str) -> Page | None:
    """The quick way, for one list of one entity; None when the careful way must be taken. A row that cannot be read quickly
    is read carefully by itself."""
    if entity is not None and entity not in _QUICK:
        return None
    if b"\\" in body and b"\\u0000" in body:  # one byte is found much faster than six
        return None
    try:
        answer = _QUERY.decode(body)
    except _UNREADABLE:
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
    filled = _Filled()
    filled.take_all(mapper, name, rows)
    if not mapper.check_numbers():
        return None
    return filled.page(len(rows), name, _utc(answer.time), stream, body)


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


@dataclass(slots=True)
class _Filled:
    """A page being filled."""

    records: list[Record] = field(default_factory=list)
    row_of: list[int] = field(default_factory=list)
    tombstones: list[Tombstone] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    out_of_scope: list[OutOfScope] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)

    def take_all(self, mapper: Mapper, entity: str, rows: Sequence[msgspec.Raw]) -> None:
        """Map the rows of one entity, quickly: what `take_raw` does, without a call and an object for each row."""
        decode = _DECODERS[entity].decode
        one, several = _ONE.get(entity), _SEVERAL.get(entity)
        records, row_of, replaces = self.records, self.row_of, self.replaces
        for number, raw in enumerate(rows):
            try:
                row = decode(raw)
                if row.status is not None and is_deleted(row):
                    self.take(mapper, entity, row, number)
                elif one is not None:
                    records.append(one(mapper, row))
                    row_of.append(number)
                elif several is not None:
                    found = several(mapper, row)
                    replaces.append(found[0].id)
                    records += found
                    row_of += [number] * len(found)
            except (*_UNREADABLE, RowError, DecimalException):
                self.take_raw(mapper.context, Row(entity, bytes(raw)), number)

    def take_raw(self, context: Context, row: Row, number: int) -> None:
        """Read and map one row whatever it is worth; what cannot be is rejected with the reason."""
        try:
            _take_raw(self, context, row, number)
        except RowError as error:
            self.rejected.append(
                Rejected(row.entity, _id_of(row.raw), error.code, error.reason, row.raw, number)
            )

    def take(self, mapper: Mapper, entity: str, row: wire.Entity, number: int) -> None:
        """Map one decoded row into the page; on RowError nothing has been added."""
        if is_deleted(row):
            if entity in ENTITY_KINDS:
                self.tombstones.append(tombstone(mapper, entity, row))
            else:
                self.out_of_scope.append(
                    OutOfScope(entity, row.id, f"a deleted {entity} is not accounts receivable", number)
                )
            return
        self.add(entity, row.id, map_row(mapper, row), number)

    def add(self, entity: str, remote_id: str | None, mapped: Mapped, number: int) -> None:
        """Put what a row became into the page."""
        if mapped.out_of_scope is not None:
            self.out_of_scope.append(OutOfScope(entity, remote_id, mapped.out_of_scope, number))
            return
        records = mapped.records
        if len(records) == 1:
            self.records.append(records[0])
            self.row_of.append(number)
        else:
            self.records.extend(records)
            self.row_of.extend([number] * len(records))
        if mapped.replaces is not None:
            self.replaces.append(mapped.replaces)

    def page(
        self, rows: int, kind: str, server_time: datetime | None, stream: str, raw: bytes | None
    ) -> Page:
        """The finished page."""
        return Page(
            records=self.records,
            tombstones=self.tombstones,
            rejected=self.rejected,
            out_of_scope=self.out_of_scope,
            stream=stream,
            kind=kind,
            rows=rows,
            row_of=self.row_of,
            replaces=self.replaces,
            raw=raw,
            server_time=server_time,
            mapper_version=MAPPER_VERSION,
        )


# ---- row by row


def decode_rows(envelope: Envelope, context: Context, *, stream: str = "", raw: bytes | None = None) -> Page:
    """Decode the rows of an envelope one by one; what one of them is worth does not touch the others."""
    filled = _Filled()
    for number, row in enumerate(envelope.rows):
        filled.take_raw(context, row, number)
    kinds = {row.entity for row in envelope.rows}
    kind = kinds.pop() if len(kinds) == 1 else ""
    return filled.page(len(envelope.rows), kind, envelope.server_time, stream, raw)


def _take_raw(filled: _Filled, context: Context, row: Row, number: int) -> None:
    if row.fault is not None:
        code = row.fault.errors[0].code if row.fault.errors else None
        raise RowError(
            "fault", f"a fault stands in this place{f' (code {code})' if code else ''}: {row.fault.text}"
        )
    decoder = _DECODERS.get(row.entity)
    if decoder is None or row.entity not in ENTITY_KINDS:
        filled.out_of_scope.append(_foreign(row, number))
        return
    mapper = Mapper(context)
    if b"\\u0000" not in row.raw:
        try:
            struct = decoder.decode(row.raw)
        except _UNREADABLE:
            struct = None
        if struct is not None:
            mapped = _map(mapper, filled, row.entity, struct, number)
            if mapped is None or mapper.check_numbers():
                if mapped is not None:
                    filled.add(row.entity, struct.id, mapped, number)
                return
            mapper = Mapper(context)
    _take_odd(filled, mapper, row, number)


def _map(mapper: Mapper, filled: _Filled, entity: str, struct: wire.Entity, number: int) -> Mapped | None:
    """Map a row; a deleted stub goes straight into the page, and None comes back."""
    if is_deleted(struct):
        filled.take(mapper, entity, struct, number)
        return None
    try:
        return map_row(mapper, struct)
    except DecimalException as error:
        raise RowError(
            "bad_number", "its amounts cannot be added exactly: one is too large, too small or no number"
        ) from error


def _take_odd(filled: _Filled, mapper: Mapper, row: Row, number: int) -> None:
    """A row that msgspec cannot read, or whose numbers or texts look odd: every value is validated."""
    struct = _convert(row)
    mapped = _map(mapper, filled, row.entity, struct, number)
    if mapped is None:
        return
    checked: list[Record] = []
    for record in mapped.records:
        try:
            text = record.model_dump_json()
            checked.append(type(record).model_validate_json(text))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise RowError(
                "bad_number" if "amount" in first["msg"] else "bad_value", f"{place}: {first['msg']}"
            ) from error
        except ValueError as error:
            raise RowError("bad_text", f"it holds text that is not Unicode: {error}") from error
        if "\\u0000" in text:
            raise RowError("bad_text", "it holds a NUL character, which no database keeps")
    filled.add(row.entity, struct.id, Mapped(checked, mapped.out_of_scope, mapped.replaces), number)


def _convert(row: Row) -> wire.Entity:
    """Read a row with the standard library and convert it; raises RowError with the place and the reason."""
    try:
        document = loads_exact(row.raw.decode("utf-8", errors="surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise RowError(
            "bad_number" if "number" in str(error) or "digit" in str(error) else "bad_json", str(error)
        ) from error
    if not isinstance(document, dict):
        raise RowError("not_an_object", f"a row is a JSON object, this is {type(document).__name__}")
    try:
        struct: wire.Entity = msgspec.convert(document, wire.ENTITIES[row.entity], strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise RowError(_code(str(error)), str(error)) from error
    return struct


def _code(message: str) -> str:
    lower = message.casefold()
    if "surrogate" in lower:
        return "bad_text"
    if "decimal" in lower:
        return "bad_number"
    if "date" in lower:
        return "bad_date"
    return "bad_value"


def _foreign(row: Row, number: int) -> OutOfScope:
    known = row.entity in ENTITY_NAMES
    reason = (
        f"{row.entity} is not accounts receivable"
        if known
        else f"{row.entity} is not an entity this library knows"
    )
    return OutOfScope(row.entity, _id_of(row.raw), reason, number)


class _Identified(msgspec.Struct):
    """Just enough of a row to name it."""

    Id: str | None = None


_IDENTIFY: Final = msgspec.json.Decoder(_Identified)


def _id_of(raw: bytes) -> str | None:
    """The Id of a row that could not be read, where it can be found."""
    try:
        return _IDENTIFY.decode(raw).Id
    except _UNREADABLE:
        pass
    try:
        document = loads_exact(raw.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    identity = document.get("Id") if isinstance(document, dict) else None
    return identity if isinstance(identity, str) else None
