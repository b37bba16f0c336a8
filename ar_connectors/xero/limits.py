"""How fast may one organisation be asked, and what does an answer say about it? See quirks.md#xero-50 to #xero-52.

Published are 5 calls at once, 60 a minute and 5,000 a day for an organisation and an app. We leave headroom: other programs of
the same app draw on the same counts, and a used-up day stops them all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ar_connectors.http.budget import Limits, ServerLimits
from ar_connectors.http.messages import Response

__all__ = ["XERO_LIMITS", "server_limits"]

XERO_LIMITS: Final = Limits(
    rates=((55, timedelta(minutes=1)), (4500, timedelta(days=1))),
    max_in_flight=5,
)
_SLOW_BELOW: Final = 2
"""With so few calls left in this minute everybody waits a moment, before Xero says 429."""
_PAUSE: Final = timedelta(seconds=10)


def server_limits(response: Response) -> ServerLimits | None:
    """What an answer's remaining counts ask for: a pause where the minute is nearly used up, by this app or by all its users."""
    left = [
        int(text)
        for name in ("x-minlimit-remaining", "x-appminlimit-remaining")
        if (text := response.headers.get(name, "").strip()).isdecimal()
    ]
    if response.status == 429 or not left or min(left) >= _SLOW_BELOW:
        return None
    return ServerLimits(wait=_PAUSE)
