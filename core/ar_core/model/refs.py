"""Which record is this, and where does it come from? Identities, provenance, tombstones.

An id is `platform:tenant:kind:remote_id`, each part percent-escaped, so it is the same in a pure decode and in every
store. Records born on our side (a promise, a touch) are `local:<uuid>`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, unquote
from uuid import UUID

from ar_core.model.base import Frozen, UtcDatetime

__all__ = [
    "DeletionEvidence",
    "RecordId",
    "RecordKind",
    "Source",
    "Tombstone",
    "allocation_id",
    "connection_id",
    "local_id",
    "parse_record_id",
    "percent_escaped",
    "record_id",
]


class RecordKind(StrEnum):
    """The kinds of normalized record; the third part of an id."""

    ORGANIZATION = "organization"
    CUSTOMER = "customer"
    CONTACT = "contact"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    ALLOCATION = "allocation"
    PROMISE = "promise"
    DISPUTE = "dispute"
    NOTE = "note"
    TOUCH = "touch"
    PAUSE = "pause"


class Source(Frozen):
    """Where a record came from: the ERP's own names and version, verbatim."""

    platform: str
    """Connector name: quickbooks, xero, netsuite, aging_file."""
    tenant: str
    """The company at the platform: realm id, tenant id, account id."""
    kind: str
    """The platform's own kind, for example `Invoice`, `CreditMemo`, `Payment`."""
    remote_id: str
    """The platform's own id, as text."""
    version: str | None = None
    """The platform's version token (QuickBooks SyncToken), None where it has none."""
    updated_at: UtcDatetime | None = None
    """When the platform says the record last changed, UTC; None where it does not say."""


class DeletionEvidence(StrEnum):
    """Why a record is believed to be gone at its source."""

    REPORTED_DELETED = "reported_deleted"
    """The change feed or a status said so."""
    MISSING_IN_SWEEP = "missing_in_sweep"
    """A complete list of ids did not hold it."""
    NOT_FOUND = "not_found"
    """Asked for by id, the platform answered that it does not exist."""
    SET_REPLACED = "set_replaced"
    """Its parent was read again and no longer has it (allocations, contacts)."""


class Tombstone(Frozen):
    """A record is gone at its source. The last known record is kept; only its existence ends."""

    id: str
    kind: RecordKind
    source: Source
    evidence: DeletionEvidence


class RecordId(NamedTuple):
    """The parts of a record id, unescaped."""

    platform: str
    tenant: str
    kind: str
    remote_id: str


def record_id(platform: str, tenant: str, kind: RecordKind | str, remote_id: str) -> str:
    """Build the deterministic id of an ERP record. Raises ValueError for an empty part."""
    if not (platform and tenant and kind and remote_id):
        raise ValueError(
            f"an id needs platform, tenant, kind and remote id; got {platform!r}, {tenant!r}, {str(kind)!r}, {remote_id!r}"
        )
    return f"{_prefix(platform, tenant, str(kind))}{percent_escaped(remote_id)}"


@lru_cache(maxsize=1024)
def _prefix(platform: str, tenant: str, kind: str) -> str:
    return f"{percent_escaped(platform)}:{percent_escaped(tenant)}:{percent_escaped(kind)}:"


_PERCENT: Final = str.maketrans(
    {code: f"%{code:02X}" for code in range(128) if not (chr(code).isalnum() or chr(code) in "-_.~")}
)
"""What `quote` does to ASCII, without a step of the interpreter for each character: a page has thousands of ids."""


def percent_escaped(part: str) -> str:
    """Text of an ERP as it stands in an id: ASCII letters, digits and `-_.~` as they are, all else percent-escaped, lone
    surrogates included. One to one."""
    if part.isascii():
        # Nearly all are numbers or GUIDs, and asking is a tenth of a translation.
        return part if part.isalnum() or part.replace("-", "").isalnum() else part.translate(_PERCENT)
    return quote(part, safe="-_.~", errors="surrogatepass")


def parse_record_id(value: str) -> RecordId | None:
    """Take an id apart; None for a `local:` id. Raises ValueError when it is neither."""
    if value.startswith("local:"):
        return None
    parts = value.split("|", 1)[0].split(":")
    if len(parts) != 4 or not all(parts):
        raise ValueError(f"{value!r} is not a record id (platform:tenant:kind:remote_id, or local:uuid)")
    return RecordId(*(unquote(part, errors="surrogatepass") for part in parts))


def connection_id(value: str) -> str | None:
    """The `platform:tenant` prefix of a record id (escaped as in the id): which connection owns it. None for a local id.

    Raises ValueError for what is no record id.
    """
    if value.startswith("local:"):
        return None
    platform, _, rest = value.partition(":")
    tenant, _, _ = rest.partition(":")
    if not platform or not tenant:
        raise ValueError(f"{value!r} is not a record id (platform:tenant:kind:remote_id, or local:uuid)")
    return f"{platform}:{tenant}"


def local_id(uuid: UUID) -> str:
    """The id of a record that was born on our side."""
    return f"local:{uuid}"


def allocation_id(parent_id: str, target_id: str, ordinal: int) -> str:
    """The id of an allocation: its parent (the payment or credit it was read from), its target, and its place among
    the allocations of that parent to that target (0, 1, ...)."""
    return f"{parent_id}|{target_id}|{ordinal}"
