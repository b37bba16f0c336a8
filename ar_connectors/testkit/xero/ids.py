"""Which GUID has a record of the books? Made from its id, so that the same company has the same GUIDs, and readable back."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final, Literal

__all__ = ["Code", "guid", "parse", "spelled"]

Code = Literal[
    "account", "allocation", "batch", "connection", "contact", "credit", "deposit", "group", "invoice", "line", "member",
    "onaccount", "organisation", "payment", "person", "reply", "side", "term", "theme", "user",
]  # fmt: skip

_SHAPE: Final = re.compile(
    r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?"
)


@lru_cache(maxsize=262_144)
def guid(code: Code, identity: str | int, part: int = 0) -> str:
    """The GUID of the `part`th row that a record (`identity`: its number in the books) is shown as. Its beginning looks like
    chance, so that an order by it is none; its end holds the two numbers. Raises ValueError for numbers too large for it."""
    number = int(identity)
    if not (0 <= number < 1 << 36 and 0 <= part < 1 << 12):
        raise ValueError(f"no GUID can be made of {code} {identity}, part {part}")
    digest = hashlib.sha256(f"{code}/{number}/{part}".encode()).hexdigest()
    variant = "89ab"[int(digest[15], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-{variant}{digest[16:19]}-{number:09x}{part:03x}"


def spelled(text: object) -> str | None:
    """A GUID as this emulator spells them, None for what is none. Xero takes them in any case, with braces and without dashes."""
    found = _SHAPE.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    return "-".join(found.groups()) if found is not None else None


def parse(code: Code, text: object) -> tuple[str, int] | None:
    """The number in the books and the part that a GUID was made of; None for a GUID of something else."""
    known = spelled(text)
    if known is None:
        return None
    number, part = int(known[-12:-3], 16), int(known[-3:], 16)
    return (str(number), part) if guid(code, number, part) == known else None
