"""How do our own facts look inside an ERP that has no place for them? One tagged line for the machine, then a sentence for people.

    [AR:ptp id=6f0c... date=2026-12-01 amt=500.00 cur=USD given=2026-11-23 by=Ann%20Lee inv=129,130] Promised by phone.

The same tag on every ERP, in whatever kind of note it offers (capabilities.py of each says where). It holds the whole
record: an empty store that reads the note gets the same promise. A promise that is withdrawn, or a dispute that is
resolved, has `withdrawn=` or `resolved=` in its tag: in the same note where notes can be edited, in a further one where
they cannot (the last tag of a record counts). The tag is plain ASCII (values are percent-escaped), so no company encoding can damage it.

The first tag of a note counts. What people write around it, line breaks and capitals inside it, and unknown keys do
no harm; a tag that lost what it needs raises `NoteError`, so that it is seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from urllib.parse import quote, unquote
from uuid import UUID

from ar_core.model import parse_amount

__all__ = [
    "MAX_NOTE",
    "DisputeTag",
    "NoteError",
    "NoteTag",
    "PromiseTag",
    "StatusTag",
    "Tag",
    "format_note",
    "marker",
    "parse_note",
    "retag",
]

MAX_NOTE: Final = 2000
"""Characters of a note of ours: what the tightest place holds (QuickBooks 2000, Xero 2500)."""

_TAG = re.compile(r"\[\s*AR\s*:\s*([a-z]+)((?:\s+[^\]\s]+)*)\s*\]", re.IGNORECASE)
_SAFE = "-._~:+@/#"


class NoteError(ValueError):
    """A tag of ours is damaged: a value that it needs is missing or unreadable."""


@dataclass(frozen=True, slots=True)
class PromiseTag:
    """A promise to pay. Ids of invoices and of the customer are the ERP's own."""

    id: UUID
    promised: date
    """The promised date."""
    amount: Decimal | None = None
    """None: the whole open balance."""
    currency: str | None = None
    given: date | None = None
    by: str | None = None
    channel: str | None = None
    invoices: tuple[str, ...] = ()
    customer: str | None = None
    recorded: datetime | None = None
    """UTC, to the second; orders two promises of one day."""
    withdrawn: date | None = None
    superseded_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class DisputeTag:
    """A contested invoice."""

    id: UUID
    invoice: str
    amount: Decimal | None = None
    """None: the whole invoice."""
    currency: str | None = None
    reason: str | None = None
    opened: date | None = None
    by: str | None = None
    customer: str | None = None
    recorded: datetime | None = None
    resolved: date | None = None
    resolution: str | None = None


@dataclass(frozen=True, slots=True)
class StatusTag:
    """Where collections stand with a customer or an invoice; also an order hold (`hold=yes|no`)."""

    id: UUID
    status: str
    set_on: date | None = None
    next_action: str | None = None
    next_on: date | None = None
    hold: bool | None = None
    invoice: str | None = None
    customer: str | None = None
    was: str | None = None
    """Of an order hold: the ERP's own value that it replaced, to be put back."""


@dataclass(frozen=True, slots=True)
class NoteTag:
    """A plain note of ours; the tag only makes it findable."""

    id: UUID
    given: date | None = None
    by: str | None = None
    invoice: str | None = None
    customer: str | None = None


Tag = PromiseTag | DisputeTag | StatusTag | NoteTag

_KIND_OF: Final[dict[type, str]] = {
    PromiseTag: "ptp",
    DisputeTag: "dispute",
    StatusTag: "status",
    NoteTag: "note",
}


def marker(kind: str, identity: UUID) -> str:
    """The start of a tag, up to its id: what a query with LIKE looks for. `kind`: ptp, dispute, status, note."""
    return f"[AR:{kind} id={identity}"


def format_note(tag: Tag, text: str = "", *, limit: int = MAX_NOTE) -> str:
    """The note as it is stored: the tag, one blank, the text for people. Text is cut (with `...`) to keep `limit` characters.

    Raises ValueError when the tag alone is longer than the limit.
    """
    # The ids of `inv` are escaped one by one: its commas part them.
    pairs = [
        f"{key}={value if key == 'inv' else quote(value, safe=_SAFE, errors='replace')}"
        for key, value in _pairs(tag)
    ]
    head = f"[AR:{_KIND_OF[type(tag)]} {' '.join(pairs)}]"
    if len(head) > limit:
        raise ValueError(
            f"the tag needs {len(head)} characters and the note holds {limit}: shorten its texts"
        )
    if not text:
        return head
    room = limit - len(head) - 1
    if len(text) > room:
        text = text[: max(room - 3, 0)].rstrip() + "..." if room > 3 else ""
    return f"{head} {text}" if text else head


def parse_note(note: str | None) -> tuple[Tag, str] | None:
    """The first tag of a note and the text after it; None when there is no tag of ours.

    Raises NoteError when there is one and it is damaged. A note whose kind is not known (written by a newer version)
    is a damaged one: nothing of ours is dropped silently.
    """
    if not note:
        return None
    found = _TAG.search(note)
    if found is None:
        if re.search(r"\[\s*AR\s*:", note, re.IGNORECASE):
            raise NoteError("a note of ours has a tag that is not complete; it starts: " + note[:80])
        return None
    values: dict[str, str] = {}
    for pair in found[2].split():
        key, equals, value = pair.partition("=")
        if equals and value:
            values.setdefault(
                key.lower(), unquote(value, errors="replace") if key.lower() != "inv" else value
            )
    text = note[found.end() :]
    return _build(found[1].lower(), values), text.removeprefix(" ")


def retag(note: str, tag: Tag, lead: str = "") -> str | None:
    """A note that people may have edited, with its first tag replaced and `lead` put in front of the text after it; every
    other character stays. None when it has no tag, or when the result would not fit: `lead` gives way first.
    """
    found = _TAG.search(note)
    if found is None:
        return None
    head, tail = note[: found.start()] + format_note(tag), note[found.end() :]
    for text in (f"{head} {lead}{tail}" if lead else head + tail, head + tail):
        if len(text) <= MAX_NOTE:
            return text
    return None


def _pairs(tag: Tag) -> list[tuple[str, str]]:
    """Keys and unescaped values in a fixed order; what is not known is left out."""
    pairs: list[tuple[str, object]]
    match tag:
        case PromiseTag():
            pairs = [
                ("id", tag.id), ("date", tag.promised), ("amt", tag.amount), ("cur", tag.currency), ("given", tag.given),
                ("by", tag.by), ("via", tag.channel), ("inv", ",".join(quote(i, safe="") for i in tag.invoices)),
                ("cust", tag.customer), ("at", tag.recorded), ("withdrawn", tag.withdrawn), ("sup", tag.superseded_by),
            ]  # fmt: skip
        case DisputeTag():
            pairs = [
                ("id", tag.id), ("inv", quote(tag.invoice, safe="")), ("amt", tag.amount), ("cur", tag.currency),
                ("reason", tag.reason), ("opened", tag.opened), ("by", tag.by), ("cust", tag.customer), ("at", tag.recorded),
                ("resolved", tag.resolved), ("resolution", tag.resolution),
            ]  # fmt: skip
        case StatusTag():
            hold = None if tag.hold is None else "yes" if tag.hold else "no"
            pairs = [
                ("id", tag.id), ("status", tag.status), ("set", tag.set_on), ("next", tag.next_action),
                ("nexton", tag.next_on), ("hold", hold), ("inv", quote(tag.invoice or "", safe="")), ("cust", tag.customer),
                ("was", tag.was),
            ]  # fmt: skip
        case NoteTag():
            pairs = [
                ("id", tag.id), ("given", tag.given), ("by", tag.by), ("inv", quote(tag.invoice or "", safe="")),
                ("cust", tag.customer),
            ]  # fmt: skip
    return [(key, _text(value)) for key, value in pairs if value is not None and value != ""]


def _text(value: object) -> str:
    if isinstance(value, datetime):
        # With its fraction: two promises of one second must read back in the order they were recorded.
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _build(kind: str, values: dict[str, str]) -> Tag:
    get = values.get
    match kind:
        case "ptp":
            return PromiseTag(
                id=_uuid(values), promised=_required_day(values, "date"), amount=_amount(values), currency=get("cur"),
                given=_day(values, "given"), by=get("by"), channel=get("via"), invoices=_ids(values), customer=get("cust"),
                recorded=_instant(values), withdrawn=_day(values, "withdrawn"),
                superseded_by=_uuid(values, "sup") if "sup" in values else None,
            )  # fmt: skip
        case "dispute":
            invoices = _ids(values)
            if not invoices:
                raise NoteError("a dispute's tag names no invoice (inv=...)")
            return DisputeTag(
                id=_uuid(values), invoice=invoices[0], amount=_amount(values), currency=get("cur"), reason=get("reason"),
                opened=_day(values, "opened"), by=get("by"), customer=get("cust"), recorded=_instant(values),
                resolved=_day(values, "resolved"), resolution=get("resolution"),
            )  # fmt: skip
        case "status":
            if "status" not in values:
                raise NoteError("a status tag has no status=...")
            hold = {"yes": True, "no": False}.get(values.get("hold", "").lower())
            return StatusTag(
                id=_uuid(values), status=values["status"], set_on=_day(values, "set"), next_action=get("next"),
                next_on=_day(values, "nexton"), hold=hold, invoice=next(iter(_ids(values)), None), customer=get("cust"),
                was=get("was"),
            )  # fmt: skip
        case "note":
            return NoteTag(
                id=_uuid(values), given=_day(values, "given"), by=get("by"), invoice=next(iter(_ids(values)), None),
                customer=get("cust"),
            )  # fmt: skip
        case _:
            raise NoteError(
                f"a tag of the unknown kind {kind!r}; this version knows ptp, dispute, status, note"
            )


def _uuid(values: dict[str, str], key: str = "id") -> UUID:
    try:
        return UUID(values[key])
    except (KeyError, ValueError) as error:
        raise NoteError(f"{key}={values.get(key, '')} is not a UUID") from error


def _day(values: dict[str, str], key: str) -> date | None:
    text = values.get(key)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NoteError(f"{key}={text} is not a date (YYYY-MM-DD)") from error


def _required_day(values: dict[str, str], key: str) -> date:
    day = _day(values, key)
    if day is None:
        raise NoteError(f"the tag has no {key}=...")
    return day


def _amount(values: dict[str, str]) -> Decimal | None:
    text = values.get("amt")
    if text is None:
        return None
    try:
        return parse_amount(text)
    except ValueError as error:
        raise NoteError(f"amt={text} is not an amount") from error


def _instant(values: dict[str, str]) -> datetime | None:
    text = values.get("at")
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise NoteError(f"at={text} is not an instant") from error
    if instant.tzinfo is None:
        raise NoteError(f"at={text} has no offset")
    return instant.astimezone(UTC)


def _ids(values: dict[str, str]) -> tuple[str, ...]:
    return tuple(unquote(part) for part in values.get("inv", "").split(",") if part)
