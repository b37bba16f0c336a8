"""How is a row read whatever it is worth? Others' spellings, REST record bodies, and rows of ours that spoiled the quick way.

A row is flattened, brought under our own column names, read into its struct and mapped, and every value of its records is
validated. One bad row is set aside with its bytes and the reason, and costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from ar_connectors.adapterkit.cutting import identify, loads_plain
from ar_connectors.adapterkit.pages import FillingPage
from ar_connectors.adapterkit.rows import all_validated, converted, document_of, exactly, validated
from ar_connectors.connector import OutOfScope
from ar_connectors.netsuite import wire
from ar_connectors.netsuite.context import Mapper, RowError
from ar_connectors.netsuite.kinds import KINDS, BodyKind
from ar_connectors.netsuite.mapping import add_links, map_row
from ar_connectors.netsuite.spellings import canonical, flat, kind_of_path, table_of, transaction_type

__all__ = ["kind_of_row", "take_row", "take_rows"]

_LinkAt = tuple[wire.LinkRow, bytes, int]


def take_rows(filled: FillingPage, mapper: Mapper, rows: Sequence[bytes], kind: BodyKind) -> None:
    """Read rows one by one; those that are links are mapped together, once all of them are read."""
    links: list[_LinkAt] = []
    for number, raw in enumerate(rows):
        if kind.reason is not None:
            filled.out_of_scope.append(_reference(raw, kind.reason, number))
        else:
            links += take_row(filled, mapper, raw, number, kind)
    links.sort(key=lambda one: (one[0].nextdoc or "", one[2]))
    for _, grouped in groupby(links, key=lambda one: one[0].nextdoc):
        group = list(grouped)
        try:
            with exactly():
                add_links(
                    filled, mapper, [one[0] for one in group], [one[2] for one in group], check=validated
                )
        except RowError as error:
            for _, raw, number in group:
                filled.reject("link", raw, number, error, "id")


def take_row(
    filled: FillingPage, mapper: Mapper, raw: bytes, number: int, kind: BodyKind
) -> tuple[_LinkAt, ...]:
    """Read one row and put it into the page; a link is given back instead, because it is mapped with its neighbors."""
    name = kind.name
    try:
        document = document_of(raw)
        row, known = _read(document, kind)
        if known is None:
            filled.out_of_scope.append(_foreign(row, raw, number))
            return ()
        name = known.name
        struct = _struct(row, document, known.table or "")
        if isinstance(struct, wire.LinkRow):
            return ((struct, raw, number),)
        with exactly():
            mapped = map_row(mapper, struct, known.type)
        filled.add(kind_of_row(struct, known), row.get("id"), all_validated(mapped), number)
    except RowError as error:
        filled.reject(name, raw, number, error, "id", "internalid")
    return ()


def kind_of_row(row: Any, kind: BodyKind) -> str:
    """What a row is called where it is out of scope: the type that it says itself, else that of its body."""
    told = getattr(row, "type", None)
    if isinstance(row, wire.DeletedRow):
        return told or ""
    return BodyKind("transaction", told).name if told else kind.name


def _read(document: Mapping[str, Any], kind: BodyKind) -> tuple[dict[str, str], BodyKind | None]:
    """A row as flat text, and what it is; None where nothing tells."""
    _refuse_strange(document)
    row = flat(document)
    return row, _kind_told(row, document, kind)


def _kind_told(row: dict[str, str], document: Mapping[str, Any], kind: BodyKind) -> BodyKind | None:
    link = kind_of_path(_self_link(document))
    if link is not None:
        row.setdefault("id", link[1])
    if kind.table is None and link is not None:
        return KINDS.get(link[0].casefold())
    if kind.table is None or (kind.table == "transaction" and kind.type is None):
        found = table_of(row)
        known = BodyKind(*found) if found is not None else None
        return known or (kind if kind.table is not None else None)
    return kind


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


def _struct(row: Mapping[str, str], document: Mapping[str, Any], table: str) -> Any:
    shape = wire.ROWS[table]
    values = {name: value if value != "" else None for name, value in canonical(row, table).items()}
    for name, value in document.items():
        lower = name.lower()
        if lower == "lines" and isinstance(value, list):
            values["lines"] = value
        elif isinstance(value, list | Mapping) and lower in shape.__struct_fields__ and lower not in values:
            raise RowError("bad_value", f"{name} is a {type(value).__name__}, where one value is expected")
    return converted(values, shape)


def _document(raw: bytes) -> Mapping[str, Any]:
    try:
        document = loads_plain(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _reference(raw: bytes, reason: str, number: int) -> OutOfScope:
    """A row of a list that holds no records."""
    link = kind_of_path(_self_link(_document(raw)))
    return OutOfScope(link[0] if link is not None else "", identify(raw, "id"), reason, number)


def _foreign(row: Mapping[str, str], raw: bytes, number: int) -> OutOfScope:
    """A row that is understood as somebody else's, or not at all."""
    link = kind_of_path(_self_link(_document(raw)))
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
