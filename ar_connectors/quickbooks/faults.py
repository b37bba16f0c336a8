"""What does a refusal of QuickBooks mean? Faults in every dress it sends them in, and the error class each stands for.

The service writes `Fault`, the gateway in front of it `fault` with lower-case keys, and now and then XML or HTML comes
instead of JSON; a fault may come with HTTP 200 (quirks.md#qbo-30 to #qbo-34).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any, Final

from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    ContractError,
    DuplicateError,
    FieldError,
    NotFoundError,
    PeriodClosedError,
    PermissionDenied,
    RateLimited,
    ReauthorizationRequired,
    RejectedError,
    StaleVersionError,
    TransientError,
    UnsupportedOperation,
)
from ar_connectors.http.messages import Request, Response
from ar_connectors.http.retry_after import parse_retry_after
from ar_connectors.http.statuses import class_of_status

__all__ = [
    "PLATFORM",
    "Fault",
    "QuickBooksDialect",
    "fault_error",
    "fault_in",
    "parse_fault",
    "redact",
]

PLATFORM: Final = "quickbooks"

_THROTTLE_WAIT: Final = timedelta(seconds=60)
"""What the limits page asks for when it sends no Retry-After (quirks.md#qbo-33)."""

_MAX_JSON_FAULT: Final = 65_536
"""A fault is small; a larger body of a successful call is a page of data and is not searched for one."""

_CODES: Final[dict[str, type[ARError]]] = {
    "100": AuthError,
    "120": ReauthorizationRequired,
    "500": UnsupportedOperation,
    "600": DuplicateError,
    "610": NotFoundError,
    "3001": RateLimited,
    "3100": ConfigurationError,
    "3200": AuthError,
    "5010": StaleVersionError,
    "5020": PermissionDenied,
    "6140": DuplicateError,
    "6190": PermissionDenied,
    "6200": PeriodClosedError,
    "6210": PeriodClosedError,
    "6240": DuplicateError,
    "10000": TransientError,
}
"""quirks.md#qbo-34 has the table with sources. A code of a ValidationFault that is not here is a plain rejection."""

_ADVICE: Final[dict[str, str]] = {
    "100": "the access token was refused: refresh it; if that fails, connect this company again",
    "120": "the connecting user is no longer an administrator of this company: connect again as one who is",
    "3100": "the app is not authorized for this company: check that keys, company and host (sandbox or production) belong together",
    "3200": "the access token has expired or is not valid: refresh it once; if that fails, connect this company again",
    "5020": "the feature is not in this company's plan, or the connecting user may not use it",
    "6190": "the company's QuickBooks subscription has ended: it can be read, not written, until it is renewed",
    "6540": "the transaction is part of a bank deposit: remove it from the deposit before changing it",
}

_TYPES: Final[tuple[tuple[str, type[ARError]], ...]] = (
    ("authentic", AuthError),
    ("authoriz", PermissionDenied),
    ("system", TransientError),
    ("validation", RejectedError),
)

_SECRETS = re.compile(r"[A-Za-z0-9_\-]{28,}(?:\.[A-Za-z0-9_\-]+)*")
_ERROR_CODE = re.compile(r"errorCode=0*(\d+)", re.IGNORECASE)
_XML_ERROR = re.compile(r"<(?:\w+:)?Error\b([^>]*)>(.*?)</(?:\w+:)?Error>", re.IGNORECASE | re.DOTALL)
_XML_FAULT = re.compile(r"<(?:\w+:)?Fault\b([^>]*)>", re.IGNORECASE)
_XML_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*\"([^\"]*)\"")
_MARKUP = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as QuickBooks sent it: its type and what it complains about, in its order."""

    type: str | None
    errors: tuple[FieldError, ...]

    @property
    def text(self) -> str:
        """The first complaint, for a person."""
        if not self.errors:
            return self.type or "a fault without any text"
        first = self.errors[0]
        detail = first.detail if first.detail and first.detail != first.message else None
        return redact(f"{first.message}: {detail}" if detail else first.message)


def redact(text: str) -> str:
    """Long unbroken words (tokens, keys) become `***`: QuickBooks prints the refused token into its message."""
    return _SECRETS.sub("***", text)


def parse_fault(body: bytes) -> Fault | None:
    """The fault that a whole body stands for, or None when it is none. JSON in both spellings, XML, HTML."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return fault_in(document) if isinstance(document, dict) else None
    if text.startswith("<"):
        return _markup_fault(text)
    return None


def fault_in(document: Mapping[str, Any]) -> Fault | None:
    """The fault at the top of a decoded JSON object, in either spelling; None when it is data.

    An AttachableResponse whose every item failed is a fault too: it answers an upload of one.
    """
    raw = document.get("Fault") or document.get("fault")
    if raw is None:
        items = document.get("AttachableResponse")
        if (
            isinstance(items, list)
            and items
            and all(isinstance(item, dict) and item.get("Fault") for item in items)
        ):
            raw = items[0]["Fault"]
    if not isinstance(raw, dict):
        return None
    entries = raw.get("Error") or raw.get("error") or []
    if isinstance(entries, dict):
        entries = [entries]
    errors = (
        tuple(_field_error(entry) for entry in entries if isinstance(entry, dict))
        if isinstance(entries, list)
        else ()
    )
    return Fault(_string(raw.get("type") or raw.get("Type")), errors)


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    lower = {key.lower(): value for key, value in entry.items()}
    message = _string(lower.get("message")) or "no message"
    code = _string(lower.get("code"))
    if code is None and (found := _ERROR_CODE.search(message)):
        code = found[1]
    return FieldError(
        redact(message), code, _string(lower.get("element")), _redacted(_string(lower.get("detail")))
    )


def _redacted(text: str | None) -> str | None:
    return None if text is None else redact(text)


def _string(value: object) -> str | None:
    return (
        str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
    )


def _markup_fault(text: str) -> Fault:
    """A fault in XML, or an HTML page from a proxy, read with patterns: it is foreign text, no tree is built from it."""
    kind = None
    if found := _XML_FAULT.search(text):
        kind = dict(_XML_ATTRIBUTE.findall(found[1])).get("type")
    errors = []
    for attributes, inner in _XML_ERROR.findall(text[:_MAX_JSON_FAULT]):
        named = dict(_XML_ATTRIBUTE.findall(attributes))
        message, detail = _element(inner, "Message") or _plain(inner), _element(inner, "Detail")
        code = named.get("code") or (found[1] if (found := _ERROR_CODE.search(message or "")) else None)
        errors.append(
            FieldError(redact(message or "no message"), code, named.get("element"), _redacted(detail))
        )
    if not errors:
        message = _plain(text)[:300]
        found = _ERROR_CODE.search(message)
        errors.append(FieldError(redact(message) or "an empty page", found[1] if found else None))
    return Fault(kind, tuple(errors))


def _element(markup: str, name: str) -> str | None:
    found = re.search(rf"<(?:\w+:)?{name}\b[^>]*>(.*?)</(?:\w+:)?{name}>", markup, re.IGNORECASE | re.DOTALL)
    return _plain(found[1]) if found else None


def _plain(markup: str) -> str:
    return " ".join(unescape(_MARKUP.sub(" ", markup)).split())


def fault_error(
    fault: Fault | None,
    *,
    http_status: int | None = None,
    tenant: str | None = None,
    operation: str | None = None,
    request_id: str | None = None,
    excerpt: str | None = None,
    wait: timedelta | None = None,
) -> ARError:
    """The exception for a fault; without one (an HTML page, an empty answer) for the HTTP status alone.

    The first error whose code says what it is decides; `platform_code` is that code as QuickBooks wrote it.
    """
    kind, code = _classify(fault, http_status)
    message = fault.text if fault is not None else f"HTTP {http_status} without a readable fault"
    bare = (code or "").lstrip("0")
    error = kind(
        message=message,
        platform=PLATFORM,
        tenant=tenant,
        operation=operation,
        http_status=http_status,
        platform_code=code,
        request_id=request_id,
        excerpt=excerpt,
        advice=_ADVICE.get(bare),
    )
    if isinstance(error, RejectedError) and fault is not None:
        error.field_errors = fault.errors
    if isinstance(error, RateLimited):
        error.retry_after = wait if wait is not None else _THROTTLE_WAIT
    return error


def _classify(fault: Fault | None, status: int | None) -> tuple[type[ARError], str | None]:
    errors = fault.errors if fault is not None else ()
    for entry in errors:
        bare = (entry.code or "").lstrip("0")
        if bare in _CODES:
            return _CODES[bare], entry.code
        if "throttleexceeded" in entry.message.casefold():
            return RateLimited, entry.code
    code = errors[0].code if errors else None
    by_status = class_of_status(status)
    if by_status is not None:
        return by_status, code
    kind = (fault.type or "").casefold() if fault is not None else ""
    for word, error in _TYPES:
        if word in kind:
            return error, code
    return (RejectedError if code is not None else ContractError), code


@dataclass(frozen=True, slots=True)
class QuickBooksDialect:
    """What an answer of QuickBooks means; given to the transport. `tenant`: the realm id, for the error texts."""

    tenant: str | None = None

    def error(self, request: Request, response: Response) -> ARError | None:
        """The failure an answer stands for, or None for success. Also finds a fault that came with HTTP 200."""
        succeeded = 200 <= response.status < 300
        if succeeded and not _may_be_fault(response.body):
            return None
        fault = parse_fault(response.body)
        if succeeded and fault is None:
            return None
        error = fault_error(
            fault,
            http_status=response.status,
            tenant=self.tenant,
            operation=request.operation,
            request_id=response.headers.get("intuit_tid"),
            excerpt=redact(response.body[:300].decode("utf-8", errors="replace")),
            wait=parse_retry_after(response.headers.get("retry-after"), response.server_date),
        )
        if succeeded and response.body.lstrip()[:1] == b"<":
            # A proxy's page with HTTP 200: nobody refused our content, the answer was never QuickBooks' own.
            return error.told_as(TransientError, message="a page of markup came instead of JSON")
        return error


def _may_be_fault(body: bytes) -> bool:
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return True
    return len(body) <= _MAX_JSON_FAULT and (b'"Fault"' in body or b'"fault"' in body)
