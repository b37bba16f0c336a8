"""When may a refused call be sent again? What the Retry-After header says; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["parse_retry_after"]


def parse_retry_after(value: str | None, now: datetime | None) -> timedelta | None:
    """A Retry-After header, in seconds or as an HTTP date; None where it is absent or neither. Never negative.

    `now`: what the time is where the header was written, that is the answer's own Date where it has one. The difference of
    two times of one clock is right even when that clock is wrong (RFC 9110, section 10.2.3). None: a date tells nothing.
    """
    text = (value or "").strip()
    if not text:
        return None
    whole, _, fraction = text.partition(".")
    if (
        whole.isascii()
        and whole.isdecimal()
        and (not fraction or (fraction.isascii() and fraction.isdecimal()))
    ):
        # A century is as good as any longer time, and fits everywhere.
        return timedelta(seconds=min(int(whole[:12]), 3_155_760_000)) + timedelta(
            milliseconds=int((fraction + "000")[:3])
        )
    if now is None:
        return None
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - now, timedelta(0))
