"""How does QuickBooks write numbers, instants and names? Small pure pieces the serializers share."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ar_connectors.testkit.ledger.money import padded

__all__ = ["PACIFIC", "currency", "encode", "envelope_time", "money", "reference", "stamp"]

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
"""Instants carry this offset, whatever the company's own zone."""

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_CURRENCIES: Final = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "CAD": "Canadian Dollar",
}


def encode(value: Any) -> bytes:
    """JSON; a Decimal becomes a number with exactly its digits."""
    return _ENCODER.encode(value)


def money(amount: Decimal) -> Decimal:
    """An amount as the wire shows it: two decimals or more, and a bare 0 for nothing."""
    return padded(amount) if amount else Decimal(0)


@lru_cache(maxsize=65_536)
def stamp(instant: datetime) -> str:
    """An instant of MetaData: Pacific time with its offset, to the second."""
    return instant.astimezone(PACIFIC).isoformat(timespec="seconds")


def envelope_time(instant: datetime) -> str:
    """The `time` of an envelope: Pacific, to the millisecond."""
    return instant.astimezone(UTC).astimezone(PACIFIC).isoformat(timespec="milliseconds")


def reference(value: str, name: str | None = None) -> dict[str, str]:
    """A reference: an id, and the name it has now."""
    return {"value": value} if name is None else {"value": value, "name": name}


def currency(code: str) -> dict[str, str]:
    """A CurrencyRef."""
    return reference(code, _CURRENCIES.get(code, code))
