"""How does each named fault look when QuickBooks has it? Before anything is done, or to the answer afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ar_connectors.testkit.exchange import Reply
from ar_connectors.testkit.faults import Fault
from ar_connectors.testkit.misbehavior import done_to, nothing_done, replaced
from ar_connectors.testkit.quickbooks.errors import (
    ServiceError,
    fault_body,
    gateway_fault,
    gateway_xml,
    maintenance_page,
)
from ar_connectors.testkit.quickbooks.oauth import Authority
from ar_connectors.testkit.quickbooks.texts import encode

__all__ = ["after", "before"]

_XML: Final = "application/xml;charset=UTF-8"
_HTML: Final = "text/html"
_UNKNOWN: Final = (
    (b'"EmailStatus":"NotSet"', b'"EmailStatus":"Teleported"'),
    (b'"DetailType":"SubTotalLineDetail"', b'"DetailType":"HologramLineDetail"'),
    (b'"PreferredDeliveryMethod":"Print"', b'"PreferredDeliveryMethod":"Pigeon"'),
    (b'"Type":"STANDARD"', b'"Type":"LUNAR"'),
)


def before(fault: Fault, operation: str, authority: Authority, now: datetime) -> Reply | None:
    """The answer of a fault that strikes before anything is done; None for one that lets the call through."""
    reply = nothing_done(fault)
    maker = _BEFORE.get(fault.name)
    if reply is None and maker is not None:
        reply = maker(fault, authority, now)
    if reply is not None:
        reply.operation = operation
    return reply


def after(fault: Fault, reply: Reply) -> Reply:
    """The answer with what a fault does to it."""
    if fault.name == "unknown_enum":
        return replaced(reply, _UNKNOWN)
    return done_to(fault, reply)


def _gateway(
    code: int, status: int, name: str, detail: str, kind: str
) -> Callable[[Fault, Authority, datetime], Reply]:
    return lambda _fault, _authority, now: Reply(status, gateway_fault(code, status, name, detail, kind, now))


def _service(
    code: str, detail: str, *, status: int = 400, type_: str = "ValidationFault"
) -> Callable[..., Reply]:
    error = ServiceError(code, detail, status=status, type_=type_)
    return lambda _fault, _authority, now: Reply(status, fault_body(error, now))


def _token_killed(_: Fault, authority: Authority, now: datetime) -> Reply:
    authority.kill_access()
    return Reply(
        401, gateway_fault(3200, 401, "AuthenticationFailed", "Token revoked", "AUTHENTICATION", now)
    )


def _grant_revoked(_: Fault, authority: Authority, now: datetime) -> Reply:
    authority.revoke_all()
    return Reply(
        401, gateway_fault(3200, 401, "AuthenticationFailed", "Token revoked", "AUTHENTICATION", now)
    )


def _throttled(_: Fault, __: Authority, now: datetime) -> Reply:
    return Reply(
        429, gateway_fault(3001, 429, "ThrottleExceeded", "The request limit was reached", "SERVICE", now)
    )


def _throttled_until(fault: Fault, authority: Authority, now: datetime) -> Reply:
    reply = _throttled(fault, authority, now)
    reply.headers["Retry-After"] = str(fault.options.get("seconds", 2))
    return reply


_BEFORE: Final[Mapping[str, Callable[[Fault, Authority, datetime], Reply]]] = {
    "unauthorized": _gateway(3200, 401, "AuthenticationFailed", "Token expired", "AUTHENTICATION"),
    "token_killed": _token_killed,
    "grant_revoked": _grant_revoked,
    "invalid_grant": lambda *_: Reply(
        400, encode({"error_description": "Incorrect or invalid refresh token", "error": "invalid_grant"})
    ),
    "forbidden": _gateway(
        3100, 403, "ApplicationAuthorizationFailed", "Application is not authorized", "AUTHORIZATION"
    ),
    "permission_denied": _service(
        "5020", "Permission Denied : You do not have permission", status=403, type_="AuthorizationFault"
    ),
    "rate_limited": _throttled,
    "rate_limited_with_retry_after": _throttled_until,
    "quota_exhausted": _throttled,
    "server_error": _service("10000", "An application error has occurred", status=500, type_="SystemFault"),
    "service_unavailable": lambda *_: Reply(503, maintenance_page(), content_type=_HTML),
    "gateway_xml": lambda _f, _a, now: Reply(
        500, gateway_xml(10000, 500, "SystemFault", "SERVICE", now), content_type=_XML
    ),
    "gateway_fault": _gateway(10000, 500, "InternalServerError", "An unexpected error occurred", "SERVICE"),
    "fault_with_200": lambda _f, _a, now: Reply(
        200, fault_body(ServiceError("6000", "Business Validation Error: An unexpected internal error"), now)
    ),
    "stale_version": _service(
        "5010", "Stale Object Error : You and Robin Keeper were working on this at the same time."
    ),
    "period_closed": _service(
        "6210", "The account period has closed and the account books cannot be updated."
    ),
    "duplicate_request_id": _service("600", "Duplicate Request Id"),
    "subscription_lapsed": _service("6190", "Invalid Company Status : The company subscription has lapsed"),
}
