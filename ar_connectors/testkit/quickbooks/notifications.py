"""What does QuickBooks tell an app on its own? Webhooks in both shapes, signed, from the log of the books.

Nothing is sent by itself: a test or the control API says when, so that it knows what is on its way.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC
from typing import Any, Final

from ar_connectors.testkit.ledger import Change, Ledger
from ar_connectors.testkit.quickbooks.rows import KINDS
from ar_connectors.testkit.quickbooks.texts import encode

__all__ = ["Notifier"]

_VERBS: Final = {
    "created": ("Create", "created"),
    "changed": ("Update", "updated"),
    "settled": ("Update", "updated"),
    "voided": ("Void", "voided"),
    "deleted": ("Delete", "deleted"),
}
_SILENT: Final = frozenset({"note"})
"""Kinds that are not in Intuit's list of entities with webhooks."""


class Notifier:
    """Tells each change until it was taken; those before it was made never.

    Args:
        ledger: whose log it reads; the caller holds the lock.
        realm: the company's id.
        seed: of the events' ids.
    """

    def __init__(self, ledger: Ledger, realm: str, seed: str) -> None:
        self.verifier_token = "emulator-verifier-token"
        self._ledger = ledger
        self._realm = realm
        self._seed = seed
        self.told = len(ledger.log)
        """How much of the log has been taken."""

    def news(self, shape: str = "cloudevents") -> tuple[bytes | None, int]:
        """The body that tells what is not `told` yet, None when there is nothing, and what `told` is when it was taken. Raises
        ValueError for a shape there is not."""
        if shape not in {"cloudevents", "legacy"}:
            raise ValueError(f"there is no shape {shape!r}; there are cloudevents and legacy")
        end = len(self._ledger.log)
        last: dict[tuple[str, str, str], tuple[int, Change]] = {}
        for index, change in enumerate(self._ledger.log[self.told :], start=self.told):
            if change.kind not in _SILENT:
                # Several changes of one kind to one record come as one event, the last.
                last[change.kind, change.id, _VERBS[change.what][0]] = (index, change)
        if not last:
            return None, end
        events = sorted(last.values())
        if shape == "cloudevents":
            return encode([self._cloud_event(index, change) for index, change in events]), end
        entities = [
            {
                "name": KINDS[change.kind],
                "id": change.id,
                "operation": _VERBS[change.what][0],
                "lastUpdated": f"{change.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
            }
            for _, change in events
        ]
        notification = {"realmId": self._realm, "dataChangeEvent": {"entities": entities}}
        return encode({"eventNotifications": [notification]}), end

    def _cloud_event(self, index: int, change: Change) -> dict[str, Any]:
        digest = hashlib.sha256(f"{self._seed}/{index}".encode()).digest()
        return {
            "specversion": "1.0",
            "id": str(uuid.UUID(bytes=digest[:16], version=4)),
            "source": f"intuit.{base64.b64encode(hashlib.sha256(self._realm.encode()).digest()).decode()}",
            "type": f"qbo.{KINDS[change.kind].lower()}.{_VERBS[change.what][1]}.v1",
            "datacontenttype": "application/json",
            "time": f"{change.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{digest[16] * 3_921_568:09}Z",
            "intuitentityid": change.id,
            "intuitaccountid": self._realm,
            "data": {},
        }
