"""How does each named fault look when NetSuite has it? Before anything is done, or to the answer afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ar_connectors.testkit.authority import refused
from ar_connectors.testkit.exchange import Reply
from ar_connectors.testkit.faults import Fault
from ar_connectors.testkit.misbehavior import done_to, nothing_done, replaced
from ar_connectors.testkit.netsuite.errors import ERROR_TYPE, ServiceError, invalid_login, refusal, user_error
from ar_connectors.testkit.netsuite.tokens import Desk

__all__ = ["FAULTS", "after", "before", "too_many"]

_HTML: Final = "text/html;charset=utf-8"
_UNKNOWN: Final = (
    (b'"type":"CustInvc"', b'"type":"CustWarp"'),
    (b'"status":"A"', b'"status":"Q"'),
    (b'"creditholdoverride":"AUTO"', b'"creditholdoverride":"MAYBE"'),
    (b'"id":"AUTO","refName":"Auto"', b'"id":"MAYBE","refName":"Maybe"'),
)


def before(fault: Fault, operation: str, desk: Desk) -> Reply | None:
    """The answer of a fault that strikes before anything is done; None for one that lets the call through."""
    reply = nothing_done(fault)
    maker = _BEFORE.get(fault.name)
    if reply is None and maker is not None:
        reply = maker(fault, desk)
    if reply is not None:
        reply.operation = operation
    return reply


def after(fault: Fault, reply: Reply) -> Reply:
    """The answer with what a fault does to it."""
    if fault.name == "unknown_enum":
        return replaced(reply, _UNKNOWN)
    return done_to(fault, reply)


def too_many() -> Reply:
    """More calls at a time than the account may have."""
    return refusal(
        ServiceError(
            429,
            "CONCURRENCY_LIMIT_EXCEEDED",
            "Concurrent request limit exceeded. Request blocked.",
            outer="USER_ERROR",
        )
    )


def _unexpected() -> Reply:
    """A failure of the server itself."""
    detail = "An unexpected error occurred. Error ID: emulatorerrorid00001"
    return refusal(ServiceError(500, "UNEXPECTED_ERROR", detail))


def _token_killed(_: Fault, desk: Desk) -> Reply:
    desk.kill_access()
    return refusal(invalid_login())


def _grant_revoked(_: Fault, desk: Desk) -> Reply:
    desk.revoke_all()
    return refusal(invalid_login())


def _throttled_until(fault: Fault, _: Desk) -> Reply:
    reply = too_many()
    reply.headers["Retry-After"] = str(fault.options.get("seconds", 2))
    return reply


def _as(make: Callable[[], Reply]) -> Callable[[Fault, Desk], Reply]:
    return lambda _fault, _desk: make()


def _fault_with_200(_: Fault, __: Desk) -> Reply:
    reply = _unexpected()
    reply.status = 200
    return reply


_PERMISSION: Final = "Your current role does not have permission to perform this action."
_CLOSED: Final = "You cannot edit this transaction because it is in a closed accounting period."
_CHANGED: Final = "Record has been changed."

_BEFORE: Final[Mapping[str, Callable[[Fault, Desk], Reply]]] = {
    "unauthorized": _as(lambda: refusal(invalid_login())),
    "token_killed": _token_killed,
    "grant_revoked": _grant_revoked,
    "invalid_grant": _as(lambda: refused("token", 400, "invalid_grant")),
    "forbidden": _as(lambda: refusal(ServiceError(403, "INSUFFICIENT_PERMISSION", _PERMISSION))),
    "permission_denied": _as(lambda: refusal(user_error(_PERMISSION))),
    "rate_limited": _as(too_many),
    "rate_limited_with_retry_after": _throttled_until,
    "quota_exhausted": _as(too_many),
    "server_error": _as(_unexpected),
    "service_unavailable": _as(
        lambda: Reply(
            503, b"<html><body><h1>NetSuite is being maintained</h1></body></html>", content_type=_HTML
        )
    ),
    "gateway_xml": _as(
        lambda: Reply(
            500, b'<?xml version="1.0"?><error><code>UNEXPECTED_ERROR</code></error>', content_type="text/xml"
        )
    ),
    "gateway_fault": _as(
        lambda: Reply(
            500, b'{"error":{"code":"SERVER_ERROR","message":"try again"}}', content_type=ERROR_TYPE
        )
    ),
    "fault_with_200": _fault_with_200,
    "stale_version": _as(lambda: refusal(ServiceError(400, "RCRD_HAS_BEEN_CHANGED", _CHANGED))),
    "period_closed": _as(lambda: refusal(user_error(_CLOSED))),
    "duplicate_request_id": _as(
        lambda: refusal(ServiceError(400, "IDEMPOTENCY_ERROR", "The idempotency key was used before."))
    ),
    "subscription_lapsed": _as(lambda: refusal(ServiceError(403, "INSUFFICIENT_PERMISSION", _PERMISSION))),
}

FAULTS: Final[Mapping[str, str]] = {
    "unauthorized": "401 INVALID_LOGIN",
    "token_killed": "401 INVALID_LOGIN until another token is asked for",
    "grant_revoked": "401 INVALID_LOGIN; the token endpoint refuses the certificate",
    "invalid_grant": "400 invalid_grant of the token endpoint",
    "forbidden": "403 INSUFFICIENT_PERMISSION",
    "permission_denied": "400 USER_ERROR",
    "rate_limited": "429 CONCURRENCY_LIMIT_EXCEEDED",
    "rate_limited_with_retry_after": "the same with Retry-After, which Oracle does not document",
    "quota_exhausted": "429 CONCURRENCY_LIMIT_EXCEEDED, every time",
    "server_error": "500 UNEXPECTED_ERROR",
    "gateway_xml": "500 as XML",
    "gateway_fault": "500 with another JSON than SuiteTalk's",
    "fault_with_200": "the body of UNEXPECTED_ERROR with 200",
    "stale_version": "400 RCRD_HAS_BEEN_CHANGED",
    "period_closed": "400 USER_ERROR",
    "duplicate_request_id": "400 IDEMPOTENCY_ERROR",
    "subscription_lapsed": "403 INSUFFICIENT_PERMISSION",
    "cdc_cap": "nothing: there is no change feed",
    "unknown_enum": "types, statuses and holds nobody has documented",
}
"""For docs/fidelity.md."""
