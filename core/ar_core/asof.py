"""Which day is it for the ledger? An instant and a time zone, always given, never read from a clock (E1, E2)."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator

from ar_core.model.base import Frozen, UtcDatetime

__all__ = ["AsOf", "known_zone"]


def known_zone(name: str) -> str:
    """The name itself, when the IANA database has a time zone of it. Raises ValueError for any other."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r} is not a time zone of the IANA database; try for example 'America/New_York'"
        ) from error
    return name


class AsOf(Frozen):
    """The moment a question is asked for, in the organization's time zone.

    Days past due are counted on `today`, the organization's local date at `instant` (E2). Raises a ValueError for a naive
    instant or an unknown zone.
    """

    instant: UtcDatetime
    zone: str
    """IANA name of the organization's time zone, for example `America/New_York`."""

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @cached_property
    def today(self) -> date:
        """The organization's local date."""
        return self.instant.astimezone(ZoneInfo(self.zone)).date()

    def local(self, zone: str | None = None) -> datetime:
        """The instant on the wall clock of a zone; of the organization when none is given."""
        return self.instant.astimezone(ZoneInfo(zone or self.zone))
