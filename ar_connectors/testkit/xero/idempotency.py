"""What happens to a write that comes twice? Answers are kept for six minutes under the client's Idempotency-Key, errors too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.xero.errors import Refused

__all__ = ["Kept"]

_LIFE: Final = timedelta(minutes=6)
_LONGEST: Final = 128


class Kept:
    """Answers by key. Its user holds the lock."""

    def __init__(self, clock: ScriptedClock) -> None:
        self.clock = clock
        self._answers: dict[str, tuple[datetime, tuple[str, str, bytes], Reply]] = {}

    def answered(self, key: str, call: Call) -> Reply | None:
        """The answer a call had before under its key; None for the first time. A key that is too long or that another call had
        is refused."""
        if len(key) > _LONGEST:
            return _refused(f"The Idempotency-Key is longer than {_LONGEST} characters")
        known = self._answers.get(key)
        if known is None or self.clock.now() - known[0] >= _LIFE:
            return None
        if known[1] != (call.method, call.path, call.body):
            return _refused(f"The Idempotency-Key {key} is used with a different request")
        kept = known[2]
        return Reply(kept.status, kept.body, content_type=kept.content_type)

    def keep(self, key: str, call: Call, reply: Reply) -> None:
        """Keep an answer."""
        answer = Reply(reply.status, reply.body, content_type=reply.content_type)
        self._answers[key] = (self.clock.now(), (call.method, call.path, call.body), answer)


def _refused(detail: str) -> Reply:
    return Refused(
        400, {"Type": "IdempotencyKeyException", "Title": "Bad Request", "Status": 400, "Detail": detail}
    ).reply()
