"""Which columns does a record fill, and when does a new state replace an old one? Pure.

The upsert guard of design section 6: only a strictly older source version is refused; under an equal version the
content decides (a change without a new version is a SILENT_CHANGE); a newer mapper always replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import unquote

from ar_connectors.errors import ConfigurationError
from ar_connectors.store.codec import MODELS, decode_record, encode_records
from ar_connectors.store.places import ALLOCATION, KINDS, NAMES, head_of, key_of, key_of_part, profile_row_id
from ar_core.model import Allocation, Contact, Dispute, Frozen, Promise, Source
from ar_core.model.refs import percent_escaped

__all__ = [
    "COLUMNS",
    "Prepared",
    "Stored",
    "Verdict",
    "checked_id",
    "escaped",
    "judge",
    "origin_of",
    "parent_of",
    "prepare",
    "prepare_all",
    "unescaped",
]


class Verdict(StrEnum):
    """What a page's record does to the stored one."""

    INSERT = "insert"
    UPDATE = "update"
    SILENT_CHANGE = "silent_change"
    UNCHANGED = "unchanged"
    STALE = "stale"


class Prepared(NamedTuple):
    """A record ready to be written: the values of its columns, which may have been made in another process."""

    kind: int
    key: int
    id: str
    parent: str | None
    origin: str | None
    body: bytes
    raw_row: int | None

    @property
    def record(self) -> Any:
        """The record itself, read from its bytes each time: few of a page are looked into."""
        return decode_record(NAMES[self.kind], self.body)


COLUMNS = Prepared._fields
"""Of the table `records`, those that a record fills by itself; the store adds what is the same for all records of a page."""


@dataclass(frozen=True)
class Stored:
    """The stored state of a record, its columns in the order in which they are read."""

    number: int
    id: str
    kind: int
    gone: str | None
    body: bytes
    mapper_version: int
    due_version: int
    seq: int
    raw_page: int | None
    raw_row: int | None

    @cached_property
    def record(self) -> Any:
        """The record itself; read from its bytes only where they are not the new ones."""
        return decode_record(NAMES[self.kind], self.body)


def escaped(text: str) -> str:
    """Text of an ERP as it is stored in a column: free of characters that a database cannot hold. Comparable, one to one."""
    return percent_escaped(text)


def unescaped(text: str) -> str:
    """What `escaped` was given."""
    return unquote(text, errors="surrogatepass")


def checked_id(record_id: str) -> str:
    """The id itself. Raises ConfigurationError for one from outside that a database cannot hold (NUL, lone surrogates): ids of
    ERP records are escaped when they are made."""
    if any(one == "\x00" or "\ud800" <= one <= "\udfff" for one in record_id):
        raise ConfigurationError(
            f"{record_id!r} cannot be stored as an id",
            advice="make ids with ar_core.record_id, which escapes them",
        )
    return record_id


def prepare(record: Frozen, raw_row: int | None = None) -> Prepared:
    """Columns and bytes of a record. `due_version` is the store's and not part of them."""
    return prepare_all((record,), (raw_row,))[0]


def prepare_all(records: Sequence[Frozen], row_of: Sequence[int | None] = ()) -> list[Prepared]:
    """`prepare` for a page: `records[i]` was read from row `row_of[i]` of its body; empty where no body is kept."""
    plain = [
        one.model_copy(update={"due_version": 0}) if one.__dict__.get("due_version") else one
        for one in records
    ]
    result = []
    seen: Source | None = None
    its_key, its_end = 0, _NO_END
    new = tuple.__new__  # what a NamedTuple does, without a call in between: a page has thousands of records
    rows = row_of or repeat(None, len(plain))
    for record, body, raw_row in zip(plain, encode_records(plain), rows, strict=True):
        kind, parent_in = _TRAITS[type(record)]
        # The fields' own dict: pydantic's attribute access is not free where a field is missing.
        values = record.__dict__
        record_id = values["id"] if kind != _PROFILE else profile_row_id(values["customer_id"])
        source: Source | None = values.get("source")
        if source is not seen:  # all that was read from one row shares its source
            seen = source
            if source is None:
                its_end = _NO_END
            else:
                part = percent_escaped(source.__dict__["remote_id"])
                its_key, its_end = key_of_part(part), f":{part}"
        parent = parent_in(values) if parent_in is not None else None
        head = head_of(record_id) if "|" in record_id else record_id
        told = head.endswith(its_end)
        columns = (
            kind,
            its_key if told else key_of(record_id),
            record_id,
            parent if kind != ALLOCATION or parent != head else None,
            None if told else origin_of(source) if source is not None else "",
            body,
            raw_row,
        )
        result.append(new(Prepared, columns))
    return result


_NO_END = "\x00"
"""What no id ends with: those of records without a source are not named after one."""


def origin_of(source: Source) -> str:
    """The column `origin` of a record that is not named after its source."""
    return f"{escaped(source.kind)}:{escaped(source.remote_id)}"


def parent_of(record: Frozen) -> str | None:
    """What a record was read from, so that it is replaced with it; None where it stands for itself."""
    find = _PARENTS.get(type(record))
    return find(record.__dict__) if find is not None else None


def _is_native(values: Mapping[str, Any]) -> bool:
    return values["source"] is not None and not values["id"].startswith("local:")


def _parent_of_promise(values: Mapping[str, Any]) -> str | None:
    """A native promise is a field of its invoice, and goes when the invoice no longer has it; ours stands for itself."""
    invoices: tuple[str, ...] = values["invoice_ids"]
    return invoices[0] if _is_native(values) and len(invoices) == 1 else None


def _parent_of_dispute(values: Mapping[str, Any]) -> str | None:
    """A native dispute likewise."""
    return values["invoice_id"] if _is_native(values) else None


_PARENTS: dict[type[Frozen], Callable[[Mapping[str, Any]], str | None]] = {
    Allocation: itemgetter("parent_id"),
    Contact: itemgetter("customer_id"),
    Promise: _parent_of_promise,
    Dispute: _parent_of_dispute,
}
"""Type -> what a record was read from, by its fields."""

_TRAITS = {model: (KINDS[name], _PARENTS.get(model)) for name, model in MODELS.items()}
"""Type -> number of its kind, and what a record was read from."""

_PROFILE = KINDS["profile"]


def judge(new: Prepared, old: Stored | None, mapper_version: int) -> Verdict:
    """What `new`, read by a mapper of this version, does to `old`."""
    if old is None:
        return Verdict.INSERT
    if new.body == old.body:
        return Verdict.UNCHANGED if old.gone is None else Verdict.UPDATE
    order = _compare(_source(new.record), _source(old.record))
    if order == -1 and mapper_version <= old.mapper_version:
        return Verdict.STALE
    if old.gone is None and order == 0 and mapper_version == old.mapper_version:
        return Verdict.SILENT_CHANGE
    return Verdict.UPDATE


def _source(record: Frozen) -> Source | None:
    return record.__dict__.get("source")


def _compare(new: Source | None, old: Source | None) -> int | None:
    """-1 when the new source version is strictly older, 0 when it is the same, 1 when it is newer, None when nobody can tell."""
    if new is None or old is None or (new.kind, new.remote_id) != (old.kind, old.remote_id):
        return None
    by_time = None
    if new.updated_at is not None and old.updated_at is not None:
        by_time = (new.updated_at > old.updated_at) - (new.updated_at < old.updated_at)
    if new.version is not None and old.version is not None:
        if new.version == old.version:
            return 0
        if _is_number(new.version) and _is_number(old.version):
            return 1 if _magnitude(new.version) > _magnitude(old.version) else -1
        return by_time or None
    return by_time


def _is_number(version: str) -> bool:
    return version.isascii() and version.isdecimal()


def _magnitude(digits: str) -> tuple[int, str]:
    """Compares like the integer, for any number of digits (int() refuses very long ones)."""
    bare = digits.lstrip("0")
    return len(bare), bare
