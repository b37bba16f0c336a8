"""What does a token endpoint mean by a refusal? RFC 6749, section 5.2; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    RateLimited,
    ReauthorizationRequired,
    TransientError,
)
from ar_connectors.http.redact import excerpt

__all__ = ["json_object", "token_refusal"]

_SETTINGS_ERRORS: Final[Mapping[str, str]] = {
    "invalid_client": "check client id and secret, and that they are of this environment (sandbox or production)",
    "unauthorized_client": "allow this app the authorization code flow at the platform, and check its client id",
    "unsupported_grant_type": "the token address may be of another platform; check the endpoints",
    "invalid_scope": "ask only for scopes that the app has at the platform",
    "redirect_uri_mismatch": "register exactly this redirect address with the app at the platform",
}

_PASSING: Final = frozenset({"temporarily_unavailable", "server_error"})
_CODES: Final = frozenset({"invalid_grant", "invalid_request", "access_denied", *_SETTINGS_ERRORS, *_PASSING})


def token_refusal(body: bytes, status: int | None = None) -> ARError | None:
    """The failure that an answer of a token endpoint stands for (RFC 6749, section 5.2). Without a status, None for what names
    no error of that section: then nothing says that a token endpoint wrote it."""
    document = json_object(body)
    code = document.get("error")
    code = code if isinstance(code, str) else None
    if status is None and code not in _CODES:
        return None
    description = document.get("error_description")
    message = f"the token endpoint answered {code or status}"
    if isinstance(description, str) and description:
        message += f": {excerpt(description, 200)}"
    facts: dict[str, Any] = {"platform_code": code, "excerpt": excerpt(body)}
    if code == "invalid_grant":
        return ReauthorizationRequired(message, **facts)
    if code is not None and code in _SETTINGS_ERRORS:
        return ConfigurationError(message, advice=_SETTINGS_ERRORS[code], **facts)
    if status == 429:
        return RateLimited(message, **facts)
    if (status or 0) >= 500 or code in _PASSING:
        return TransientError(message, **facts)
    return AuthError(message, **facts)


def json_object(body: bytes) -> Mapping[str, Any]:
    """The object of a body, empty where it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
