"""Where does a record stand? Each has a connection, a kind and a key, all of them small numbers, and is found by these three.

The key is made of the last part of its id, which is the platform's own id of what the record was read from. So one short index
answers for a record by its id, for the allocations of a payment (they are named after it), and for all that was read from one
source. A key may be shared: what is found by it is compared by its whole id.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from ar_core.model import RecordKind

__all__ = [
    "ALLOCATION",
    "KINDS",
    "NAMES",
    "head_of",
    "key_of",
    "key_of_part",
    "profile_row_id",
]

KINDS: Final = {
    "organization": 1,
    "customer": 2,
    "contact": 3,
    "profile": 4,
    "invoice": 5,
    "credit_note": 6,
    "payment": 7,
    "adjustment": 8,
    "allocation": 9,
    "promise": 10,
    "dispute": 11,
    "touch": 12,
    "pause": 13,
}
"""Kind of a record -> its number in the database, which is never given to another."""

NAMES: Final = {number: name for name, number in KINDS.items()}
"""The number of a kind -> its name."""

ALLOCATION: Final = KINDS[RecordKind.ALLOCATION]

_PROFILE: Final = "profile"
_MOST_DIGITS: Final = 18


def key_of(record_id: str) -> int:
    """The key of a record, from 0 to 10^18. That of an allocation is its parent's."""
    return key_of_part(head_of(record_id).rpartition(":")[2])


def key_of_part(part: str) -> int:
    """The key of the last part of an id, escaped as it stands there. A number keeps its place, so that what a platform numbers in
    ascending order lies side by side."""
    if part.isdecimal() and len(part) <= _MOST_DIGITS:
        return int(part)
    return crc32(part.encode("utf-8", "surrogatepass"))


def head_of(record_id: str) -> str:
    """The id of what an allocation was read from, of the customer a profile is of; of any other record its own."""
    head, bar, rest = record_id.partition("|")
    return rest if bar and head == _PROFILE else head


def profile_row_id(customer_id: str) -> str:
    """The row id of a customer's profile: a profile has no id of its own."""
    return f"{_PROFILE}|{customer_id}"
