"""Which columns does a record fill, and when does a new state replace an old one? Pure.

The upsert guard of design section 6: only a strictly older source version is refused; under an equal version the
content decides (a change without a new version is a SILENT_CHANGE); a newer mapper always replaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from urllib.parse import quote, unquote

from ar_connectors.errors import ConfigurationError
from ar_connectors.store.codec import encode_record, kind_of
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

__all__ = [
    "Prepared",
    "Stored",
    "Verdict",
    "checked_id",
    "escaped",
    "judge",
    "prepare",
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


@dataclass(slots=True)
class Prepared:
    """A record ready to be written. `source_kind`, `remote_id` and `version` are escaped."""

    id: str
    kind: str
    record: Frozen
    body: bytes
    hash: bytes
    source_kind: str | None
    remote_id: str | None
    version: str | None
    updated_at: int | None
    """Microseconds since 1970 UTC."""
    parent_id: str | None
    customer_id: str | None
    due_date: str | None
    currency: str | None
    amount: Decimal | None
    open_amount: Decimal | None
    mapper_version: int
    raw_row: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the guard needs of the stored state."""

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
    if text.isalnum() and text.isascii():
        return text
    return quote(text, safe="-_.~", errors="surrogatepass")


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


def prepare(record: Frozen, mapper_version: int = 1, raw_row: int | None = None) -> Prepared:
    """Columns, bytes and content hash of a record. `due_version` is the store's and part of neither."""
    kind = kind_of(record)
    if isinstance(record, Invoice) and record.due_version:
        record = record.model_copy(update={"due_version": 0})
    body = encode_record(record)
    source: Source | None = getattr(record, "source", None)
    source_kind = remote_id = version = updated_at = parent = due = None
    if source is not None:
        source_kind = escaped(source.kind)
        remote_id = escaped(source.remote_id)
        if source.version is not None:
            version = escaped(source.version)
        if source.updated_at is not None:
            updated_at = to_micros(source.updated_at)
    amount = open_amount = None
    if isinstance(record, Invoice):
        amount, open_amount = record.total, record.balance_due
        due = record.due_date.isoformat() if record.due_date is not None else None
    elif isinstance(record, Allocation):
        parent, amount = record.parent_id, record.amount
    elif isinstance(record, Contact):
        parent = record.customer_id
    elif isinstance(record, Payment | CreditNote):
        amount, open_amount = record.total, record.unapplied_amount
    elif isinstance(record, Adjustment):
        amount, open_amount = record.amount, record.open_amount
    elif isinstance(record, Promise | Dispute):
        parent, amount = _parent_of(record, source)
    row_id = profile_row_id(record.customer_id) if isinstance(record, CustomerProfile) else record.id  # type: ignore[attr-defined]
    return Prepared(
        row_id,
        kind,
        record,
        body,
        blake2b(body, digest_size=16).digest(),
        source_kind,
        remote_id,
        version,
        updated_at,
        parent,
        getattr(record, "customer_id", None),
        due,
        getattr(record, "currency", None),
        amount,
        open_amount,
        mapper_version,
        raw_row,
    )


def _parent_of(record: Promise | Dispute, source: Source | None) -> tuple[str | None, Decimal | None]:
    """A native promise or dispute is a field of its invoice, and goes when the invoice no longer has it; ours stands for itself."""
    amount = record.promised_amount if isinstance(record, Promise) else record.disputed_amount
    if source is None or record.id.startswith("local:"):
        return None, amount
    if isinstance(record, Dispute):
        return record.invoice_id, amount
    return (record.invoice_ids[0] if len(record.invoice_ids) == 1 else None), amount


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
