"""Is a notification genuine, and what does it tell? The signature over the raw bytes, and one shape for all platforms' events.

A notification says only that something changed; the amounts are read by a sync afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ar_connectors.errors import AuthError, ConfigurationError
from ar_core.model import RecordKind

__all__ = ["WebhookEvent", "receive", "verify"]


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One thing that happened in a company."""

    tenant: str
    """The company's id at the platform."""
    entity: str
    """The platform's own name of what changed."""
    kind: RecordKind | None
    """What it is to us; None outside accounts receivable."""
    remote_id: str
    verb: str
    """created, updated, deleted, voided, merged, emailed, or `unknown`."""
    raw_verb: str
    occurred_at: datetime | None
    """UTC; None where the notification has no readable time."""
    event_id: str | None = None
    """The platform's own id of the event: the same event delivered twice has it twice."""
    deleted_id: str | None = None
    """Of a merge: the record that disappeared."""


def verify(body: bytes, signature: str | None, key: str | Sequence[str]) -> bool:
    """True when the signature header is HMAC-SHA256 of the raw body under the key, in base64; constant time.

    `key`: several while one takes the place of another (the app's page shows the new one before every sender uses it); an empty
    one proves nothing. `body` must be the bytes as they came: JSON that was read and written again has another signature.
    """
    if not signature:
        return False
    told = signature.strip().encode("utf-8", errors="replace")
    found = False
    for one in (key,) if isinstance(key, str) else key:
        expected = base64.b64encode(hmac.new(one.encode(), body, hashlib.sha256).digest())
        # All are tried, so that the time tells nothing about which it was.
        found |= bool(one) and hmac.compare_digest(expected, told)
    return found


def receive(
    platform: str,
    parse: Callable[[bytes], tuple[WebhookEvent, ...]],
    body: bytes,
    signature: str | None,
    key: str | Sequence[str],
    tenant: str | None,
) -> tuple[WebhookEvent, ...]:
    """Verify and read a notification. Raises AuthError for a wrong signature, ConfigurationError when `tenant` is given and
    an event is of another company, ContractError when it is no notification."""
    if not verify(body, signature, key):
        raise AuthError(
            "the webhook's signature does not match its body",
            platform=platform,
            tenant=tenant,
            operation="webhook",
            advice="answer 401 and drop it; if it is genuine, check the verifier token and that the body was not changed on its way",
        )
    events = parse(body)
    strangers = sorted({event.tenant for event in events} - {tenant}) if tenant is not None else []
    if strangers:
        raise ConfigurationError(
            f"the notification is about company {', '.join(strangers)}, this connection is {tenant}",
            platform=platform,
            tenant=tenant,
            operation="webhook",
            advice="hand it to the connection of that company",
        )
    return events
