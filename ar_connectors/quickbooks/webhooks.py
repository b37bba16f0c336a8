"""What does QuickBooks tell us on its own? Webhooks: proven to be Intuit's, then read, in both shapes.

A notification says only that something changed; the amounts are read by a sync afterwards (quirks.md#qbo-60). The old shape
(`eventNotifications`) and the new one (a list of CloudEvents) are told apart by their form, never by date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ar_connectors.adapterkit.webhooks import WebhookEvent, verify
from ar_connectors.adapterkit.webhooks import receive as _receive
from ar_connectors.errors import ContractError
from ar_connectors.quickbooks.context import ENTITY_KINDS
from ar_connectors.quickbooks.faults import PLATFORM, redact

__all__ = ["SIGNATURE_HEADER", "WebhookEvent", "parse_events", "receive", "verify"]

SIGNATURE_HEADER: Final = "intuit-signature"

_VERBS: Final = {
    "create": "created", "created": "created", "update": "updated", "updated": "updated", "delete": "deleted",
    "deleted": "deleted", "void": "voided", "voided": "voided", "merge": "merged", "merged": "merged",
    "emailed": "emailed", "email": "emailed",
}  # fmt: skip
_TYPE: Final = re.compile(r"qbo\.([a-z]+)\.([a-z]+)\.v\d+", re.IGNORECASE)
_FRACTION: Final = re.compile(r"(\.\d{6})\d+")
_NAMES: Final = {
    name.casefold(): name for name in (*ENTITY_KINDS, "Account", "Bill", "Estimate", "Item", "Term", "Vendor")
}


def receive(
    body: bytes, signature: str | None, verifier_token: str | Sequence[str], *, tenant: str | None = None
) -> tuple[WebhookEvent, ...]:
    """Verify and read a notification; the errors as of `adapterkit.webhooks.receive`."""
    return _receive(PLATFORM, parse_events, body, signature, verifier_token, tenant)


def parse_events(body: bytes) -> tuple[WebhookEvent, ...]:
    """The events of a notification in either shape, in their order; not verified. Raises ContractError when it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _contract(f"it is not JSON: {error}", body) from error
    if isinstance(document, list):
        return tuple(_cloud_event(item, body) for item in document)
    if isinstance(document, dict) and "specversion" in document:
        return (_cloud_event(document, body),)
    if isinstance(document, dict) and isinstance(document.get("eventNotifications"), list):
        return tuple(_classic(document["eventNotifications"], body))
    raise _contract("it is neither eventNotifications nor CloudEvents", body)


def _contract(message: str, body: bytes) -> ContractError:
    return ContractError(
        f"the webhook cannot be read: {message}",
        platform=PLATFORM,
        operation="webhook",
        excerpt=redact(body[:200].decode("utf-8", errors="replace")),
    )


def _classic(notifications: list[Any], body: bytes) -> list[WebhookEvent]:
    events = []
    for notification in notifications:
        item = _object(notification, body)
        change = _object(item.get("dataChangeEvent") or {}, body)
        entities = change.get("entities") or []
        if not isinstance(entities, list):
            raise _contract("entities is not a list", body)
        for raw in entities:
            entity = _object(raw, body)
            events.append(
                _event(
                    body,
                    tenant=item.get("realmId"),
                    name=entity.get("name"),
                    remote_id=entity.get("id"),
                    verb=entity.get("operation"),
                    at=entity.get("lastUpdated"),
                    deleted_id=entity.get("deletedId"),
                )
            )
    return events


def _cloud_event(raw: Any, body: bytes) -> WebhookEvent:
    item = _object(raw, body)
    found = _TYPE.fullmatch(str(item.get("type", "")))
    if found is None:
        raise _contract(f"its type {item.get('type')!r} is not qbo.<entity>.<verb>.v1", body)
    data = item.get("data")
    deleted = data.get("deletedId") if isinstance(data, dict) else None
    return _event(
        body,
        tenant=item.get("intuitaccountid"),
        name=found[1],
        remote_id=item.get("intuitentityid"),
        verb=found[2],
        at=item.get("time"),
        event_id=item.get("id"),
        deleted_id=deleted,
    )


def _object(value: Any, body: bytes) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _contract(f"an object is expected, not {type(value).__name__}", body)
    return value


def _event(
    body: bytes,
    *,
    tenant: Any,
    name: Any,
    remote_id: Any,
    verb: Any,
    at: Any,
    event_id: Any = None,
    deleted_id: Any = None,
) -> WebhookEvent:
    missing = [
        word for word, value in (("company", tenant), ("entity", name), ("id", remote_id)) if not value
    ]
    if missing:
        raise _contract(f"an event does not say its {', '.join(missing)}", body)
    entity = _NAMES.get(str(name).casefold(), str(name))
    raw_verb = str(verb or "")
    return WebhookEvent(
        tenant=str(tenant),
        entity=entity,
        kind=ENTITY_KINDS.get(entity),
        remote_id=str(remote_id),
        verb=_VERBS.get(raw_verb.casefold(), "unknown"),
        raw_verb=raw_verb,
        occurred_at=_instant(at),
        event_id=str(event_id) if event_id else None,
        deleted_id=str(deleted_id) if deleted_id else None,
    )


def _instant(value: Any) -> datetime | None:
    """Nine fractional digits and an offset without a colon both occur (quirks.md#qbo-61)."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else None
