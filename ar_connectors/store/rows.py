"""Which columns does a record fill, and when does a new state replace an old one? Pure.

The upsert guard of design section 6: only a strictly older source version is refused; under an equal version the
content decides (a change without a new version is a SILENT_CHANGE); a newer mapper always replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import blake2b
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import unquote

from ar_connectors.errors import ConfigurationError
from ar_connectors.store.codec import MODELS, encode_record
from ar_connectors.store.instants import to_micros
from ar_core.model import (
    Adjustment,
    Allocation,
    Contact,
    CreditNote,
    CustomerProfile,
    Dispute,
    Frozen,
    Invoice,
    Payment,
    Promise,
    Source,
)
from ar_core.model.refs import percent_escaped

__all__ = [
    "OWN_COLUMNS",
    "Prepared",
    "Stored",
    "Verdict",
    "checked_id",
    "escaped",
    "judge",
    "prepare",
    "prepare_all",
    "profile_row_id",
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
    """A record ready to be written: first its columns, in the order of `OWN_COLUMNS`, then what is no column. `source_kind`,
    `remote_id` and `version` are escaped."""

    id: str
    kind: str
    source_kind: str | None
    remote_id: str | None
    version: str | None
    updated_at: int | None
    """Microseconds since 1970 UTC."""
    parent_id: str | None
    customer_id: str | None
    currency: str | None
    amount: str | None
    """Every digit, as text: PostgreSQL makes a number of it."""
    open_amount: str | None
    hash: bytes
    body: bytes
    due_date: str | None
    mapper_version: int
    raw_row: int | None
    record: Frozen


OWN_COLUMNS = Prepared._fields[:-1]
"""Of the table `records`, those that a record fills by itself; the store adds its counters and where the bytes are."""


class Stored(NamedTuple):
    """What the guard needs of the stored state, in the order in which it is read."""

    alive: bool
    source_kind: str | None
    remote_id: str | None
    version: str | None
    updated_at: int | None
    hash: bytes
    mapper_version: int
    due_date: str | None
    due_version: int
    seq: int
    raw_page: int | None
    raw_row: int | None
    body: bytes | None = None
    """Of promises and disputes only: they are merged."""


def profile_row_id(customer_id: str) -> str:
    """The row id of a customer's profile: a profile has no id of its own."""
    return f"profile|{customer_id}"


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


_AMOUNTS: dict[type[Frozen], tuple[str | None, str | None]] = {
    Invoice: ("total", "balance_due"),
    CreditNote: ("total", "unapplied_amount"),
    Payment: ("total", "unapplied_amount"),
    Adjustment: ("amount", "open_amount"),
    Allocation: ("amount", None),
    Promise: ("promised_amount", None),
    Dispute: ("disputed_amount", None),
}
"""Type -> the fields that fill the columns `amount` and `open_amount`."""
_NO_AMOUNTS: tuple[str | None, str | None] = (None, None)


def prepare(record: Frozen, mapper_version: int = 1, raw_row: int | None = None) -> Prepared:
    """Columns, bytes and content hash of a record. `due_version` is the store's and part of neither."""
    return prepare_all((record,), mapper_version, (raw_row,))[0]


def prepare_all(
    records: Sequence[Frozen], mapper_version: int, row_of: Sequence[int | None] = ()
) -> list[Prepared]:
    """`prepare` for a page: `records[i]` was read from row `row_of[i]` of its body; empty where no body is kept."""
    result = []
    seen: Source | None = None
    origin: _Origin = _NOWHERE
    new = tuple.__new__  # what a NamedTuple does, without a call in between: a page has thousands of records
    for record, raw_row in zip(records, row_of or repeat(None), strict=bool(row_of)):
        model = type(record)
        kind, amount_in, open_amount_in, parent_of = _TRAITS[model]
        # The fields' own dict: pydantic's attribute access is not free where a field is missing.
        values = record.__dict__
        if values.get("due_version"):
            record = record.model_copy(update={"due_version": 0})  # noqa: PLW2901  from here on the copy counts
        body = encode_record(record)
        source: Source | None = values.get("source")
        if source is not seen:  # all that was read from one row shares its source
            seen, origin = source, _origin(source)
        due = values["due_date"] if model is Invoice else None
        amount = values[amount_in] if amount_in is not None else None
        open_amount = values[open_amount_in] if open_amount_in is not None else None
        columns = (
            profile_row_id(values["customer_id"]) if model is CustomerProfile else values["id"],
            kind,
            *origin,
            parent_of(record) if parent_of is not None else None,
            values.get("customer_id"),
            values.get("currency"),
            str(amount) if amount is not None else None,
            str(open_amount) if open_amount is not None else None,
            blake2b(body, digest_size=16).digest(),
            body,
            due.isoformat() if due is not None else None,
            mapper_version,
            raw_row,
            record,
        )
        result.append(new(Prepared, columns))
    return result


_Origin = tuple[str | None, str | None, str | None, int | None]
"""Kind, remote id, version (escaped) and time of change of a source."""
_NOWHERE: _Origin = (None, None, None, None)


def _origin(source: Source | None) -> _Origin:
    if source is None:
        return _NOWHERE
    version, updated_at = source.version, source.updated_at
    return (
        escaped(source.kind),
        escaped(source.remote_id),
        escaped(version) if version is not None else None,
        to_micros(updated_at) if updated_at is not None else None,
    )


def _is_native(record: Promise | Dispute) -> bool:
    return record.source is not None and not record.id.startswith("local:")


def _parent_of_promise(record: Promise) -> str | None:
    """A native promise is a field of its invoice, and goes when the invoice no longer has it; ours stands for itself."""
    return record.invoice_ids[0] if _is_native(record) and len(record.invoice_ids) == 1 else None


def _parent_of_dispute(record: Dispute) -> str | None:
    """A native dispute likewise."""
    return record.invoice_id if _is_native(record) else None


_PARENTS: dict[type[Frozen], Callable[[Any], str | None]] = {
    Allocation: attrgetter("parent_id"),
    Contact: attrgetter("customer_id"),
    Promise: _parent_of_promise,
    Dispute: _parent_of_dispute,
}
"""Type -> what a record was read from, so that it is replaced with it."""


_TRAITS = {
    model: (kind, *_AMOUNTS.get(model, _NO_AMOUNTS), _PARENTS.get(model)) for kind, model in MODELS.items()
}
"""Type -> kind, the fields that fill `amount` and `open_amount`, and what a record was read from."""


def judge(new: Prepared, old: Stored | None) -> Verdict:
    """What `new` does to `old`."""
    if old is None:
        return Verdict.INSERT
    order = _compare(new, old)
    if order == -1 and new.mapper_version <= old.mapper_version:
        return Verdict.STALE
    if not old.alive:
        return Verdict.UPDATE
    if new.hash == old.hash:
        return Verdict.UNCHANGED
    if order == 0 and new.mapper_version == old.mapper_version:
        return Verdict.SILENT_CHANGE
    return Verdict.UPDATE


def _compare(new: Prepared, old: Stored) -> int | None:
    """-1 when the new source version is strictly older, 0 when it is the same, 1 when it is newer, None when nobody can tell."""
    if new.source_kind is None or (new.source_kind, new.remote_id) != (old.source_kind, old.remote_id):
        return None
    by_time = None
    if new.updated_at is not None and old.updated_at is not None:
        by_time = (new.updated_at > old.updated_at) - (new.updated_at < old.updated_at)
    if new.version is not None and old.version is not None:
        if new.version == old.version:
            return 0
        if new.version.isdecimal() and old.version.isdecimal():
            return 1 if _magnitude(new.version) > _magnitude(old.version) else -1
        return by_time or None
    return by_time


def _magnitude(digits: str) -> tuple[int, str]:
    """Compares like the integer, for any number of digits (int() refuses very long ones)."""
    bare = digits.lstrip("0")
    return len(bare), bare
