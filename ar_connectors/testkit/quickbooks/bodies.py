"""What do all written bodies have in common? Ids and SyncTokens, references, texts with their limits, closed books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.quickbooks.errors import ServiceError

__all__ = [
    "Body",
    "amount_of",
    "closed",
    "current",
    "date_of",
    "email_of",
    "note_text",
    "rate_of",
    "reference_of",
    "term_of",
    "text_of",
]

Body = Mapping[str, Any]

_MOST_DIGITS: Final = 40
_FINEST: Final = -10

_R = TypeVar("_R", bound=Record)


def current(table: Mapping[str, _R], body: Body) -> _R:
    """The record a body means, if its SyncToken is that of now. Raises ServiceError 610, 5010."""
    record = table.get(str(body.get("Id")))
    if record is None:
        raise ServiceError("610", "Object Not Found : Something you're trying to use has been made inactive.")
    if str(body.get("SyncToken")) != str(record.version):
        raise ServiceError(
            "5010",
            "Stale Object Error : You and Robin Keeper were working on this at the same time. Robin Keeper finished before "
            "you did, so your work was not saved.",
        )
    return record


def closed(ledger: Ledger, day: date) -> None:
    """Raise ServiceError 6210 when the books of that day are closed."""
    if ledger.settings.closed_through is not None and day <= ledger.settings.closed_through:
        raise ServiceError(
            "6210",
            "The account period has closed and the account books cannot be updated through the QBO Services API. Please use "
            "the QBO website to make these changes.",
        )


def reference_of(body: Body, name: str, *, needed: bool = False) -> str | None:
    """The id in a reference field."""
    value = (body.get(name) or {}).get("value")
    if not value and needed:
        raise ServiceError("2020", f"Required parameter {name} is missing in the request", element=name)
    return str(value) if value else None


def text_of(ledger: Ledger, body: Body, name: str, longest: int) -> str | None:
    """A text field; "" is none. A company in the US keeps Latin-1 only: what does not fit becomes a question mark."""
    value = body.get(name)
    if value is None or value == "":
        return None
    text = str(value)
    if len(text) > longest:
        raise ServiceError(
            "2050",
            f"String length specified is too long. Max: {longest}, supplied: {len(text)}",
            element=name,
        )
    return note_text(ledger, text)


def note_text(ledger: Ledger, text: str) -> str:
    """A text as the company's country lets it be kept."""
    if ledger.settings.country == "US":
        return text.encode("latin-1", errors="replace").decode("latin-1")
    return text


def email_of(body: Body) -> str | None:
    """The address in PrimaryEmailAddr."""
    address = (body.get("PrimaryEmailAddr") or {}).get("Address")
    return str(address) if address else None


def term_of(ledger: Ledger, body: Body) -> str | None:
    """The id in SalesTermRef. Raises ServiceError 2500 for terms there are not."""
    term = reference_of(body, "SalesTermRef")
    if term is not None and term not in ledger.terms:
        raise ServiceError("2500", f"Invalid Reference Id : Terms element id {term} not found")
    return term


def date_of(body: Body, name: str) -> date | None:
    """A date. Raises ServiceError 2030."""
    text = body.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        raise ServiceError("2030", f"Invalid date {text!r}", element=name) from None


def amount_of(body: Body, name: str) -> Decimal | None:
    """A number. Raises ServiceError 2030 for one that is none, or of more digits than the books can add exactly."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise ServiceError("2030", f"Invalid number {value!r}", element=name) from None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST or amount.adjusted() >= _MOST_DIGITS:
        raise ServiceError("2030", f"Invalid number {str(value)[:60]!r}", element=name)
    return amount


def rate_of(body: Body) -> Decimal:
    """Home units for one unit of the currency; one where nothing is said. Raises ServiceError 2030."""
    rate = amount_of(body, "ExchangeRate")
    if rate is not None and not 0 < rate < 10**6:
        raise ServiceError("2030", f"Invalid number {rate}", element="ExchangeRate")
    return Decimal(1) if rate is None else rate
