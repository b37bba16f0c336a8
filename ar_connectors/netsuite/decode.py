"""What is in a body of NetSuite? Bytes in, a page of normalized records out; pure.

The usual page, rows of a query of ours, is read by msgspec into typed rows at once. Whatever it stumbles on, others' spellings and REST
record bodies go row by row: flattened, brought under our column names, read with every value checked. One bad row is rejected with its
bytes and the reason and costs the others nothing; only a body that is no JSON, or no envelope of NetSuite, fails as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import DecimalException
from itertools import groupby
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from ar_connectors.adapterkit.cutting import UNREADABLE, Cutter, cut_up, identify, loads_exact
from ar_connectors.connector import OutOfScope, Page, Record, Rejected
from ar_connectors.errors import ContractError, UnsupportedOperation
from ar_connectors.http.redact import excerpt
from ar_connectors.netsuite import wire
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.context import Context, Mapper, RowError
from ar_connectors.netsuite.faults import fault_error, parse_fault
from ar_connectors.netsuite.mapping import Mapped, map_row
from ar_connectors.netsuite.mapping_settlements import map_links, parents_of
from ar_connectors.netsuite.spellings import canonical, flat, kind_of_path, table_of, transaction_type
from ar_connectors.netsuite.statuses import RECORD_TYPES
from ar_core.model import Tombstone

__all__ = ["KINDS", "MAPPER_VERSION", "decode", "decode_page", "decode_rows"]

MAPPER_VERSION: Final = 1
"""Raised whenever a mapping changes; a replay with a newer one always replaces."""

Told = tuple[str, str | None]
"""A table of ours (`wire.ROWS`), and the transaction type."""

_RECORDS: Final[Mapping[str, Told]] = {
    **{record.casefold(): ("transaction", kind) for kind, record in RECORD_TYPES.items()},
    "journalentry": ("journal", "Journal"),
    "customer": ("customer", None),
    "contact": ("contact", None),
    "transaction": ("transaction", None),
    "journal": ("journal", "Journal"),
    "link": ("link", None),
    "deleted": ("deleted", None),
}
"""Kind of body or record type, in lower case -> what its rows are."""

_NO_RECORDS: Final = {
    "collection": "a list of references holds no record: read each, or query them",
    "asyncjob": "a job or task is no record: ask for its result when it has completed",
    "metadata": "a description of a record type is no record",
}
KINDS: Final = frozenset({*_RECORDS, *_NO_RECORDS, "record", "suiteql"})
"""Kinds of body that hold rows. Besides them: `error`."""


def _page_decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    page = msgspec.defstruct("Page", [("items", list[shape])])
    return msgspec.json.Decoder(page)


_ANY_ROWS: Final = _page_decoder(dict[str, Any])
_PAGES: Final = {name: _page_decoder(shape) for name, shape in wire.ROWS.items()}


def decode(kind: str, body: bytes, tenant: str, context: Context | None = None) -> Page:
    """Decode one body. `kind` is one of `KINDS` (in any case) or `error`; `tenant` the account's realm.

    Returns a page, in which every row of the body is in exactly one of records, tombstones, rejected and out_of_scope. Raises the
    mapped error for an error body, ContractError for what is no body of NetSuite, UnsupportedOperation for any other kind.
    """
    name = kind.casefold()
    if name in {"error", "fault"}:
        fault = parse_fault(body)
        if fault is None:
            raise _contract("the body holds no error", body, tenant)
        raise fault_error(fault, tenant=tenant, operation="decode error", told=excerpt(body))
    if name not in KINDS:
        raise UnsupportedOperation(
            f"no body is decoded under the kind {kind!r}",
            platform=PLATFORM,
            tenant=tenant,
            operation="decode",
            advice="these kinds can be decoded: " + ", ".join(sorted([*KINDS, "error"])),
        )
    return decode_page(body, name, context if context is not None else Context(tenant))


def decode_page(body: bytes, kind: str, context: Context, *, stream: str = "") -> Page:
    """Decode a body of rows with what is known of the account; see `decode` for kinds and errors."""
    told = _RECORDS.get(kind.casefold())
    if told is not None:
        page = _quickly(body, told, context, stream, kind)
        if page is not None:
            return page
    rows, single = _rows_of(body, context.tenant)
    fault = parse_fault(body) if single else None
    if fault is not None and told is not None:
        raise fault_error(fault, tenant=context.tenant, operation="decode", told=excerpt(body))
    filled = _Filled(Mapper(context, body))
    if kind in _NO_RECORDS:
        for number, raw in enumerate(rows):
            filled.out_of_scope.append(_reference(raw, _NO_RECORDS[kind], number))
    else:
        decode_rows(filled, rows, told)
    return filled.page(len(rows), kind if told is not None else "", stream, body)


# ---- the quick way


def _quickly(body: bytes, told: Told, context: Context, stream: str, kind: str) -> Page | None:
    """A page of one table under our own column names, read and mapped at once; None when the careful way must be taken."""
    shape, default = told
    if shape == "deleted" or b"\\u0000" in body:
        return None
    try:
        items = _PAGES[shape].decode(body).items
        if b'"custbody' in body or b'"custentity' in body:
            _add_custom(items, _ANY_ROWS.decode(body).items)
    except UNREADABLE:
        return None
    filled = _Filled(Mapper(context, body))
    try:
        if shape == "link":
            filled.take_links(items)
        else:
            filled.take_all(items, default)
    except (RowError, DecimalException, KeyError):
        return None
    if not filled.mapper.check_numbers():
        return None
    return filled.page(len(items), kind, stream, body)


def _add_custom(items: Sequence[Any], rows: Sequence[Mapping[str, str | None]]) -> None:
    """Custom fields have names of their own in every account, so no struct can have them."""
    for item, row in zip(items, rows, strict=True):
        item.custom = {
            name: value
            for name, value in row.items()
            if name.startswith(("custbody", "custentity")) and isinstance(value, str)
        } or None


@dataclass(slots=True)
class _Filled:
    """A page being filled."""

    mapper: Mapper
    records: list[Record] = field(default_factory=list)
    row_of: list[int] = field(default_factory=list)
    tombstones: list[Tombstone] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    out_of_scope: list[OutOfScope] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)

    def take_all(self, rows: Sequence[Any], default: str | None) -> None:
        """Map typed rows of one table; on RowError the page is worth nothing."""
        mapper, records, row_of = self.mapper, self.records, self.row_of
        for number, row in enumerate(rows):
            mapped = map_row(mapper, row, default)
            if mapped.out_of_scope is not None:
                self.add(mapped, row.id, number)
                continue
            found = mapped.records
            records += found
            row_of += [number] * len(found)
            if mapped.replaces is not None:
                self.replaces.append(mapped.replaces)

    def add(self, mapped: Mapped, remote_id: str | None, number: int) -> None:
        """Put what a row became into the page."""
        if mapped.out_of_scope is not None:
            self.out_of_scope.append(OutOfScope(mapped.kind, remote_id, mapped.out_of_scope, number))
            return
        self.records += mapped.records
        self.row_of += [number] * len(mapped.records)
        self.tombstones += mapped.tombstones
        if mapped.replaces is not None:
            self.replaces.append(mapped.replaces)

    def take_links(self, rows: Sequence[wire.LinkRow]) -> None:
        """Map links, those of one `next` transaction together: they follow each other."""
        number = 0
        for _, group in groupby(rows, key=lambda row: row.nextdoc):
            links = list(group)
            self.add_links(links, range(number, number + len(links)))
            number += len(links)

    def add_links(
        self,
        links: Sequence[wire.LinkRow],
        numbers: Iterable[int],
        check: Callable[[Record], Record] | None = None,
    ) -> None:
        """Put the links of one `next` transaction into the page; on RowError nothing has been added. `check`: validates each."""
        found: list[Record | str] = list(map_links(self.mapper, links))
        if check is not None:
            found = [one if isinstance(one, str) else check(one) for one in found]
        self.replaces += parents_of(self.mapper, links)
        for one, link, number in zip(found, links, numbers, strict=True):
            if isinstance(one, str):
                self.out_of_scope.append(
                    OutOfScope("link", f"{link.previousdoc}-{link.nextdoc}", one, number)
                )
            else:
                self.records.append(one)
                self.row_of.append(number)

    def reject(self, kind: str, raw: bytes, error: RowError, number: int) -> None:
        """Set a row aside with the reason."""
        self.rejected.append(
            Rejected(kind, identify(raw, "id", "internalid"), error.code, error.reason, raw, number)
        )

    def page(self, rows: int, kind: str, stream: str, raw: bytes | None) -> Page:
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
            mapper_version=MAPPER_VERSION,
        )


# ---- row by row


def decode_rows(filled: _Filled, rows: Sequence[bytes], told: Told | None) -> None:
    """Read rows one by one; what one of them is worth does not touch the others."""
    links: list[tuple[wire.LinkRow, bytes, int]] = []
    for number, raw in enumerate(rows):
        kind = _kind_name(told)
        try:
            row, known = _read(raw, told)
            if known is None:
                filled.out_of_scope.append(_foreign(row, raw, number))
                continue
            kind = _kind_name(known)
            struct = _struct(row, known[0])
            if isinstance(struct, wire.LinkRow):
                links.append((struct, raw, number))
                continue
            # Validated row by row, so the sums of the page say nothing here.
            with _exact():
                mapped = map_row(filled.mapper, struct, known[1])
            filled.add(_checked(mapped), row.get("id"), number)
        except RowError as error:
            filled.reject(kind, raw, error, number)
    links.sort(key=lambda one: (one[0].nextdoc or "", one[2]))
    for _, grouped in groupby(links, key=lambda one: one[0].nextdoc):
        group = list(grouped)
        try:
            with _exact():
                filled.add_links([one[0] for one in group], [one[2] for one in group], check=_checked_one)
        except RowError as error:
            for _, raw, number in group:
                filled.reject("link", raw, error, number)


@contextmanager
def _exact() -> Iterator[None]:
    try:
        yield
    except DecimalException as error:
        raise RowError(
            "bad_number", "its amounts cannot be added exactly: one is too large, too small or no number"
        ) from error


def _kind_name(told: Told | None) -> str:
    if told is None:
        return "suiteql"
    shape, kind = told
    return RECORD_TYPES.get(kind or "", kind or shape)


def _rows_of(body: bytes, tenant: str) -> tuple[list[bytes], bool]:
    """The rows of a body, and whether it is one row by itself. Raises ContractError."""

    def opener(cut: Cutter, whole: bytes) -> tuple[list[bytes], bool]:
        if whole.lstrip()[:1] == b"[":
            return cut.elements(whole), False
        members = dict(cut.members(whole))
        items = members.get("items", b"")
        is_page = items.lstrip()[:1] == b"[" and not {"id", "entityId", "tranId"} & set(members)
        return (cut.elements(items), False) if is_page else ([whole.strip()], True)

    return cut_up(body, opener, lambda message: _contract(message, body, tenant))


def _contract(message: str, body: bytes, tenant: str) -> ContractError:
    return ContractError(
        message, platform=PLATFORM, tenant=tenant, operation="decode", excerpt=excerpt(body, 200)
    )


def _read(raw: bytes, told: Told | None) -> tuple[dict[str, str], Told | None]:
    """A row as flat text, and what it is; None where nothing tells. Raises RowError for what is no JSON object."""
    try:
        document = loads_exact(raw.decode("utf-8", errors="surrogateescape"))
    except (ValueError, RecursionError) as error:
        code = "bad_number" if "number" in str(error) or "digit" in str(error) else "bad_json"
        raise RowError(code, str(error)) from error
    if not isinstance(document, dict):
        raise RowError("not_an_object", f"a row is a JSON object, this is {type(document).__name__}")
    _refuse_strange(document)
    row = flat(document)
    link = kind_of_path(_self_link(document))
    if link is not None:
        row.setdefault("id", link[1])
    if told is None and link is not None:
        told = _RECORDS.get(link[0].casefold())
        return row, told
    if told is None or told == ("transaction", None):
        return row, table_of(row) or told
    return row, told


def _refuse_strange(document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        if isinstance(value, str) and ("\x00" in value or any("\ud800" <= one <= "\udfff" for one in value)):
            raise RowError("bad_text", f"{name} holds text that no database keeps")


def _self_link(document: Mapping[str, Any]) -> str | None:
    links = document.get("links")
    if not isinstance(links, list):
        return None
    return next(
        (
            href
            for one in links
            if isinstance(one, dict) and one.get("rel") == "self" and isinstance(href := one.get("href"), str)
        ),
        None,
    )


def _struct(row: Mapping[str, str], shape: str) -> msgspec.Struct:
    values = canonical(row, shape)
    for name, value in values.items():
        if value == "" and name != "custom":
            values[name] = None
    try:
        found: msgspec.Struct = msgspec.convert(values, wire.ROWS[shape], strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        message = str(error)
        raise RowError("bad_number" if "decimal" in message.casefold() else "bad_value", message) from error
    return found


def _checked(mapped: Mapped) -> Mapped:
    """The same with every value validated."""
    return replace(mapped, records=[_checked_one(one) for one in mapped.records])


def _checked_one(record: Record) -> Record:
    """The same record, validated. Raises RowError with the place and the reason."""
    try:
        return type(record).model_validate_json(record.model_dump_json())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        code = "bad_number" if "amount" in first["msg"] else "bad_value"
        raise RowError(code, f"{place}: {first['msg']}") from error
    except ValueError as error:
        raise RowError("bad_text", f"it holds text that is not Unicode: {error}") from error


def _reference(raw: bytes, reason: str, number: int) -> OutOfScope:
    """A row of a list that holds no records."""
    try:
        document = loads_exact(raw.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        document = None
    link = kind_of_path(_self_link(document)) if isinstance(document, dict) else None
    return OutOfScope(link[0] if link is not None else "", identify(raw, "id"), reason, number)


def _foreign(row: Mapping[str, str], raw: bytes, number: int) -> OutOfScope:
    """A row that is understood as somebody else's, or not at all."""
    try:
        document = loads_exact(raw.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        document = {}
    link = kind_of_path(_self_link(document))
    if link is not None:
        return OutOfScope(link[0], row.get("id"), f"a {link[0]} is not accounts receivable", number)
    kind = row.get("type") or row.get("recordtype") or ""
    if kind and transaction_type(kind) is None:
        return OutOfScope(kind, row.get("id"), f"{kind} is not accounts receivable", number)
    return OutOfScope(
        "",
        row.get("id"),
        "its columns do not tell what it is: select type or recordtype, or name the table as the kind",
        number,
    )
