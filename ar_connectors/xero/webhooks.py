"""What does Xero tell us on its own? Webhooks: proven to be Xero's, then read.

Every delivery, the intent-to-receive probes included, is answered by the signature alone: 200 where it is right, 401 where it is
not, within five seconds and without a body (quirks.md#xero-60). A probe has no events. An event says only that something
changed: however many come, they are one reason to read what changed in the lists they are about (`streams_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ar_connectors.adapterkit.cutting import loads_plain
from ar_connectors.adapterkit.webhooks import WebhookEvent, verify
from ar_connectors.adapterkit.webhooks import receive as _receive
from ar_connectors.errors import ContractError
from ar_connectors.http.redact import excerpt
from ar_connectors.xero.faults import PLATFORM
from ar_connectors.xero.moments import instant_of
from ar_core.model import RecordKind

__all__ = ["SIGNATURE_HEADER", "parse_events", "receive", "streams_of", "verify"]

SIGNATURE_HEADER: Final = "x-xero-signature"

_KINDS: Final = {
    "INVOICE": RecordKind.INVOICE,
    "CONTACT": RecordKind.CUSTOMER,
    "CREDITNOTE": RecordKind.CREDIT_NOTE,
    "PREPAYMENT": RecordKind.PAYMENT,
    "OVERPAYMENT": RecordKind.PAYMENT,
}
_STREAMS: Final = {
    # There is no category for payments, and an invoice may have changed because of one.
    "INVOICE": ("payments", "prepayments", "overpayments", "credit_notes", "invoices"),
    "CONTACT": ("contacts",),
    "CREDITNOTE": ("credit_notes", "invoices"),
    "PREPAYMENT": ("prepayments", "invoices"),
    "OVERPAYMENT": ("overpayments", "invoices"),
    "SUBSCRIPTION": (),
}
_ALL: Final = tuple(dict.fromkeys(name for names in _STREAMS.values() for name in names))
_VERBS: Final = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted"}


def receive(
    body: bytes, signature: str | None, webhook_key: str | Sequence[str], *, tenant: str | None = None
) -> tuple[WebhookEvent, ...]:
    """Verify and read a notification; none for an intent-to-receive probe. The errors as of `adapterkit.webhooks.receive`."""
    return _receive(PLATFORM, parse_events, body, signature, webhook_key, tenant)


def streams_of(events: Iterable[WebhookEvent]) -> tuple[str, ...]:
    """What to read because of these events, each list once: `ar.sync(conn, store, streams=streams_of(events))`. Collect the events
    of half a minute, because they come several at a time; a category that is new here asks for everything."""
    wanted = {name for one in events for name in _STREAMS.get(one.entity.upper(), _ALL)}
    return tuple(name for name in _ALL if name in wanted)


def parse_events(body: bytes) -> tuple[WebhookEvent, ...]:
    """The events of a notification, in their order; not verified. Raises ContractError when it is none."""
    try:
        document = loads_plain(body)
    except (ValueError, RecursionError) as error:
        raise _contract(f"it is not JSON: {error}", body) from error
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise _contract("it has no list of events", body)
    return tuple(_event(one, body) for one in events)


def _event(item: Any, body: bytes) -> WebhookEvent:
    if not isinstance(item, dict):
        raise _contract("an event is no object", body)
    tenant, remote_id = item.get("tenantId"), item.get("resourceId")
    category = str(item.get("eventCategory") or "")
    if not (tenant and remote_id and category):
        raise _contract("an event does not say its tenant, resource or category", body)
    raw_verb = str(item.get("eventType") or "")
    at = item.get("eventDateUtc")
    return WebhookEvent(
        tenant=str(tenant),
        entity=category,
        kind=_KINDS.get(category.upper()),
        remote_id=str(remote_id),
        verb=_VERBS.get(raw_verb.upper(), "unknown"),
        raw_verb=raw_verb,
        occurred_at=instant_of(at) if isinstance(at, str) else None,
    )


def _contract(message: str, body: bytes) -> ContractError:
    return ContractError(
        f"the webhook cannot be read: {message}",
        platform=PLATFORM,
        operation="webhook",
        excerpt=excerpt(body[:200]),
    )
