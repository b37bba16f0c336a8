"""How fast may one QuickBooks company be asked? See quirks.md#qbo-71.

Published are 500 calls a minute, 10 a second and 40 batches a minute for a company and an app; older texts speak of 10 calls
at once. We stay below the strictest of them, because other programs of the same app count too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ar_connectors.http.budget import Limits

__all__ = ["QUICKBOOKS_LIMITS"]

QUICKBOOKS_LIMITS: Final = Limits(
    rates=((8, timedelta(seconds=1)), (450, timedelta(minutes=1))),
    max_in_flight=8,
    by_class={"batch": ((35, timedelta(minutes=1)),)},
)
