"""What does Xero tell an app on its own? Webhooks, signed, from the log of the books, and the questions whether an app may have them."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any, Final

from ar_connectors.testkit.ledger import Change, CreditNote, Invoice, Ledger
from ar_connectors.testkit.xero.ids import Code, guid
from ar_connectors.testkit.xero.texts import encode
from ar_connectors.testkit.xero.view import View, status_of

__all__ = ["Notifier"]

_CATEGORIES: Final[dict[str, tuple[str, str, Code]]] = {
    "invoice": ("INVOICE", "Invoices", "invoice"),
    "customer": ("CONTACT", "Contacts", "contact"),
    "credit": ("CREDITNOTE", "CreditNotes", "credit"),
}
"""Of a kind in the books: category, endpoint, GUID. There is no category for payments."""


class Notifier:
    """Tells each change until it was taken; those before it was made never.

    Args:
        view: whose ledger's log it reads; the caller holds the lock.
        tenant: the company's id.
    """

    def __init__(self, view: View, tenant: str) -> None:
        self.key = "emulator-webhook-key"
        self._view = view
        self._tenant = tenant
        self.told = len(view.ledger.log)
        """How much of the log has been taken."""
        self._sequence = 0

    @property
    def ledger(self) -> Ledger:
        """The books."""
        return self._view.ledger

    def intent(self) -> bytes:
        """The body of an intent-to-receive question: no events, to be answered 200 when signed well and 401 when not."""
        return self._body([])

    def news(self) -> tuple[bytes | None, int]:
        """The body that tells what is not `told` yet, None when there is nothing, and what `told` is when it was taken."""
        end = len(self.ledger.log)
        events = [self._event(one) for one in self.ledger.log[self.told :] if one.kind in _CATEGORIES]
        return (self._body(events) if events else None), end

    def _body(self, events: list[dict[str, Any]]) -> bytes:
        first = self._sequence + 1 if events else 0
        self._sequence += len(events)
        letters = hashlib.sha256(f"{self._tenant}/{self._sequence}".encode()).hexdigest()[:20].upper()
        return encode(
            {
                "events": events,
                "firstEventSequence": first,
                "lastEventSequence": self._sequence if events else 0,
                "entropy": letters,
            }
        )

    def _event(self, change: Change) -> dict[str, Any]:
        category, endpoint, code = _CATEGORIES[change.kind]
        identity = guid(code, change.id)
        event: dict[str, Any] = {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/{endpoint}/{identity}",
            "resourceId": identity,
            "tenantId": self._tenant,
            "tenantType": "ORGANISATION",
            "eventCategory": category,
            "eventType": "CREATE" if change.what == "created" else "UPDATE",
            "eventDateUtc": f"{change.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000",
        }
        if category == "CREDITNOTE":
            record = self.ledger.credits.get(change.id)
            deleted = not isinstance(record, CreditNote | Invoice)
            status = "DELETED" if deleted or record is None else status_of(record)
            event["data"] = {"Type": "ACCRECCREDIT", "Status": status}
        return event
