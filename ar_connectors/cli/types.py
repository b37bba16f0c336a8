"""How are days and amounts typed on a command line? Strictly: ISO days, exact decimals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from ar_core import parse_amount

__all__ = ["AMOUNT", "DAY", "INSTANT"]


class _Day(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-12-01", param, ctx)


class _Amount(click.ParamType[Decimal]):
    name = "AMOUNT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        if isinstance(value, Decimal):
            return value
        try:
            return parse_amount(value)
        except ValueError as error:
            self.fail(f"{error}; write it as 1234.56", param, ctx)


class _Instant(click.ParamType[datetime]):
    name = "INSTANT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant; write it as 2026-12-01T09:00:00-05:00", param, ctx)
        if instant.tzinfo is None:
            self.fail(
                f"{value!r} has no offset; write it as 2026-12-01T09:00:00-05:00 or end it with Z", param, ctx
            )
        return instant


DAY = _Day()
"""A day, `YYYY-MM-DD`."""
AMOUNT = _Amount()
"""An exact decimal amount."""
INSTANT = _Instant()
"""An instant with an offset."""
