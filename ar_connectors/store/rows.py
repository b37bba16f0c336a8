"""Which columns does a record fill, and when does a new state replace an old one? Pure.

The upsert guard of design section 6: only a strictly older source version is refused; under an equal version the
content decides (a change without a new version is a SILENT_CHANGE); a newer mapper always replaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from urllib.parse import quote

from ar_connectors.store.codec import encode_record, kind_of
from ar_connectors.store.instants import to_micros
from ar_core.model import Allocation, Contact, CustomerProfile, Frozen, Invoice, Source

__all__ = ["Prepared", "Stored", "Verdict", "escape_remote_id", "judge", "prepare", "profile_row_id"]


class Verdict(StrEnum):
    """What a page's record does to the stored one."""

    INSERT = "insert"
    UPDATE = "update"
    SILENT_CHANGE = "silent_change"
    UNCHANGED = "unchanged"
    STALE = "stale"


@dataclass(slots=True)
class Prepared:
    """A record ready to be written."""

    id: str
    kind: str
    record: Frozen
    body: bytes
    hash: bytes
    source_kind: str | None
    remote_id: str | None
    version: str | None
    updated_at: int | None
    parent_id: str | None
    customer_id: str | None
    due_date: str | None
    mapper_version: int
    raw_row: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the guard needs of the stored state."""

    alive: bool
    version: str | None
    updated_at: int | None
    hash: bytes
    mapper_version: int
    due_date: str | None
    due_version: int
    seq: int


def profile_row_id(customer_id: str) -> str:
    """The row id of a customer's profile: a profile has no id of its own."""
    return f"profile|{customer_id}"


def escape_remote_id(remote_id: str) -> str:
    """A remote id as it is stored in columns: free of characters a database cannot hold."""
    if remote_id.isalnum() and remote_id.isascii():
        return remote_id
    return quote(remote_id, safe="-_.~", errors="surrogatepass")


def prepare(record: Frozen, mapper_version: int = 1, raw_row: int | None = None) -> Prepared:
    """Columns, bytes and content hash of a record. `due_version` is ours and not part of the hash."""
    kind = kind_of(record)
    source: Source | None = getattr(record, "source", None)
    body = encode_record(record)
    row_id = profile_row_id(record.customer_id) if isinstance(record, CustomerProfile) else record.id  # type: ignore[attr-defined]
    parent = None
    if isinstance(record, Allocation):
        parent = record.parent_id
    elif isinstance(record, Contact):
        parent = record.customer_id
    due = record.due_date.isoformat() if isinstance(record, Invoice) and record.due_date is not None else None
    return Prepared(
        id=row_id,
        kind=kind,
        record=record,
        body=body,
        hash=blake2b(body, digest_size=16).digest(),
        source_kind=source.kind if source is not None else None,
        remote_id=escape_remote_id(source.remote_id) if source is not None else None,
        version=source.version if source is not None else None,
        updated_at=to_micros(source.updated_at)
        if source is not None and source.updated_at is not None
        else None,
        parent_id=parent,
        customer_id=getattr(record, "customer_id", None),
        due_date=due,
        mapper_version=mapper_version,
        raw_row=raw_row,
    )


def judge(new: Prepared, old: Stored | None) -> Verdict:
    """What `new` does to `old`."""
    if old is None:
        return Verdict.INSERT
    order = _compare(new, old)
    if order < 0 and new.mapper_version <= old.mapper_version and old.alive:
        return Verdict.STALE
    if new.hash == old.hash and old.alive:
        return Verdict.UNCHANGED
    if order == 0 and old.alive and new.mapper_version == old.mapper_version and new.source_kind is not None:
        return Verdict.SILENT_CHANGE
    return Verdict.UPDATE


def _compare(new: Prepared, old: Stored) -> int:
    """-1 when the new source version is strictly older, 0 when equal or not comparable, 1 when newer."""
    if new.version is not None and old.version is not None and new.version != old.version:
        if new.version.isdecimal() and old.version.isdecimal():
            return 1 if int(new.version) > int(old.version) else -1
    elif new.version is not None and new.version == old.version:
        return 0
    if new.updated_at is not None and old.updated_at is not None and new.updated_at != old.updated_at:
        return 1 if new.updated_at > old.updated_at else -1
    return 0
