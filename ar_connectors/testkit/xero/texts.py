"""How does Xero write instants, dates and amounts? Small pure pieces the serializers share."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from functools import lru_cache
from typing import Any, Final

import msgspec

from ar_connectors.testkit.ledger.money import padded

__all__ = [
    "Row", "amount_of", "date_of", "day", "day_text", "encode", "envelope_time", "iso", "money", "rate_of", "stamp", "to_xml",
]  # fmt: skip

Row = dict[str, Any]

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_LARGEST: Final = Decimal(10) ** 15
_RATES: Final = Context(prec=30, rounding=ROUND_HALF_EVEN)


def encode(value: Any) -> bytes:
    """JSON; a Decimal becomes a number with exactly its digits."""
    return _ENCODER.encode(value)


def money(amount: Decimal) -> Decimal:
    """An amount: two decimals, or more where it has more."""
    return padded(amount)


def _milliseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=65_536)
def stamp(instant: datetime) -> str:
    """An instant of a row. The offset is for show: the number counts from 1970 in UTC."""
    return f"/Date({_milliseconds(instant)}+0000)/"


def envelope_time(instant: datetime) -> str:
    """The `DateTimeUTC` of an envelope, which has no offset."""
    return f"/Date({_milliseconds(instant)})/"


@lru_cache(maxsize=65_536)
def iso(instant: datetime) -> str:
    """The twin `...UTCString` of an instant."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


@lru_cache(maxsize=16_384)
def day(value: date) -> str:
    """A day without a time: midnight of it, as if the company were in Greenwich."""
    return f"/Date({(value.toordinal() - 719_163) * 86_400_000}+0000)/"


@lru_cache(maxsize=16_384)
def day_text(value: date) -> str:
    """The twin `...String` of a day."""
    return f"{value.isoformat()}T00:00:00"


def date_of(value: Any) -> date | None:
    """A day as clients send it: ISO, with or without a time, or /Date()/. None for null and the empty text. Raises ValueError."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no date")  # noqa: TRY004  callers translate one class
    ticks = _TICKS.fullmatch(value.strip())
    if ticks is not None:
        try:
            return (_EPOCH + timedelta(milliseconds=int(ticks[1]))).date()
        except OverflowError as error:
            raise ValueError(f"{value} is no date") from error
    return datetime.fromisoformat(value.strip().removesuffix("Z")).date()


def amount_of(value: Any) -> Decimal:
    """A number as clients send it, a text too. Raises ValueError for what is none or beyond fifteen digits."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(f"{value!r} is no amount")  # noqa: TRY004  callers translate one class
    try:
        amount = Decimal(value)
    except DecimalException as error:
        raise ValueError(f"{value!r} is no amount") from error
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        raise ValueError(f"{value} is no amount")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -8:
        raise ValueError(f"{value} has too many decimals")
    return amount


@lru_cache(maxsize=8192)
def rate_of(home_units: Decimal) -> Decimal:
    """CurrencyRate: units of the document's currency for one of the company's, up to ten decimals. The books keep the inverse."""
    if home_units == 1:
        return Decimal("1.000000")
    return padded(_RATES.quantize(_RATES.divide(Decimal(1), home_units), Decimal("1e-10")), 6)


def to_xml(value: Any, name: str = "Response") -> str:
    """The same answer for who did not ask for JSON: elements by their names, members of lists by the singular."""
    if isinstance(value, dict):
        return f"<{name}>{''.join(to_xml(inside, key) for key, inside in value.items())}</{name}>"
    if isinstance(value, list):
        singular = (
            f"{name[:-3]}y"
            if name.endswith("ies")
            else name.removesuffix("es" if name.endswith("sses") else "s")
        )
        return f"<{name}>{''.join(to_xml(inside, singular) for inside in value)}</{name}>"
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    for raw, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(raw, safe)
    return f"<{name}>{text}</{name}>"
