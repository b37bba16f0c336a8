"""How does each named fault look when Xero has it? Before anything is done, or to the answer afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from ar_connectors.testkit.authority import refused
from ar_connectors.testkit.exchange import Reply
from ar_connectors.testkit.faults import Fault
from ar_connectors.testkit.misbehavior import done_to, nothing_done, replaced
from ar_connectors.testkit.xero.errors import Refused, expired, gateway, invalid
from ar_connectors.testkit.xero.oauth import Authority
from ar_connectors.testkit.xero.texts import encode

__all__ = ["after", "before", "throttled"]

Maker = Callable[[Fault, Authority, datetime], Reply]

_UNKNOWN: Final = (
    (b'"LineAmountTypes":"Exclusive"', b'"LineAmountTypes":"Sideways"'),
    (b'"PhoneType":"DDI"', b'"PhoneType":"TELEPATHY"'),
    (b'"TaxType":"OUTPUT"', b'"TaxType":"LUNAR"'),
    (b'"AddressType":"STREET"', b'"AddressType":"ORBIT"'),
    (b'"HasErrors":false', b'"HasErrors":false,"Mood":"SUNNY"'),
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


def throttled(problem: str, retry_after: int | None) -> Reply:
    """429. Xero says what was too much, and how long to wait unless it was too many at a time."""
    reply = Reply(429, b"", content_type="text/plain")
    if problem == "concurrent":
        reply.headers["X-Rate-Limit-Problem"] = "concurrent"
    else:
        reply.headers["X-Rate-Limit-Problem"] = problem
        if problem == "minute":
            reply.headers["X-MinLimit-Remaining"] = "0"
        if problem == "day":
            reply.headers["X-DayLimit-Remaining"] = "0"
        if problem == "appminute":
            reply.headers["X-AppMinLimit-Remaining"] = "0"
    if retry_after is not None:
        reply.headers["Retry-After"] = str(retry_after)
    return reply


def _token_killed(_: Fault, authority: Authority, now: datetime) -> Reply:
    authority.kill_access()
    return gateway(401, "Unauthorized", expired(now), str(now))


def _grant_revoked(_: Fault, authority: Authority, now: datetime) -> Reply:
    authority.revoke_all()
    authority.connected = False
    return gateway(401, "Unauthorized", "AuthenticationUnsuccessful", str(now))


def _limited(fault: Fault, _: Authority, __: datetime) -> Reply:
    problem = fault.options.get("problem", "minute")
    return throttled(problem, fault.options.get("seconds", 2))


def _validation(message: str, status: int = 400) -> Maker:
    def make(_: Fault, __: Authority, ___: datetime) -> Reply:
        if status == 200:
            row = {
                "HasErrors": True,
                "StatusAttributeString": "ERROR",
                "ValidationErrors": [{"Message": message}],
            }
            return Reply(200, encode({"Status": "OK", "Invoices": [row]}))
        return invalid([{"ValidationErrors": [{"Message": message}]}]).reply()

    return make


def _closed(_: Fault, authority: Authority, now: datetime) -> Reply:
    del authority
    through = (now - timedelta(days=1)).date()
    message = f"The document date cannot be before the period lock date, currently set at {through:%d %B %Y}."
    return invalid([{"ValidationErrors": [{"Message": message}]}]).reply()


def _text(status: int, text: str, content_type: str = "text/html; charset=utf-8") -> Maker:
    return lambda _fault, _authority, _now: Reply(status, text.encode(), content_type=content_type)


_BEFORE: Final[Mapping[str, Maker]] = {
    "unauthorized": lambda fault, _a, now: gateway(
        401, "Unauthorized", expired(now), str(now), lower=bool(fault.options.get("lower"))
    ),
    "token_killed": _token_killed,
    "grant_revoked": _grant_revoked,
    "invalid_grant": lambda _f, _a, _n: refused("token refresh", 400, "invalid_grant"),
    "forbidden": lambda _f, _a, now: gateway(
        403, "Forbidden", "AuthenticationUnsuccessful", str(now), lower=True
    ),
    "permission_denied": lambda _f, _a, now: gateway(
        401, "Unauthorized", "AuthorizationUnsuccessful", str(now)
    ),
    "rate_limited": lambda _f, _a, _n: throttled("concurrent", None),
    "rate_limited_with_retry_after": _limited,
    "quota_exhausted": lambda fault, _a, _n: throttled("day", fault.options.get("seconds", 67_000)),
    "server_error": lambda _f, _a, _n: Refused(
        500, {"ErrorNumber": 500, "Type": "InternalServerError", "Message": "An error occurred in Xero."}
    ).reply(),
    "service_unavailable": _text(503, "The Xero API is currently offline for maintenance", "text/plain"),
    "gateway_xml": _text(
        500,
        '<ApiException xmlns:xsd="http://www.w3.org/2001/XMLSchema"><ErrorNumber>500</ErrorNumber>'
        "<Type>InternalServerError</Type><Message>An error occurred in Xero.</Message></ApiException>",
        "application/json; charset=utf-8",
    ),
    "gateway_fault": _text(
        502, "<html><head><title>502 Bad Gateway</title></head><body></body></html>", "text/html"
    ),
    "fault_with_200": _validation("Invoice not of valid status for modification", 200),
    "stale_version": _validation(
        "This document cannot be edited as it has a payment or credit note allocated to it."
    ),
    "period_closed": _closed,
    "duplicate_request_id": lambda _f, _a, _n: Refused(
        400,
        {
            "Type": "IdempotencyKeyException",
            "Title": "Bad Request",
            "Status": 400,
            "Detail": "The Idempotency-Key is used with a different request",
        },
    ).reply(),
    "subscription_lapsed": lambda _f, _a, now: gateway(
        403, "Forbidden", "AuthenticationUnsuccessful", f"lapsed {now}", lower=True
    ),
    "cdc_cap": lambda _f, _a, _n: Refused(
        400,
        {
            "ErrorNumber": 17,
            "Type": "HighVolumeException",
            "Message": "Your request is not filtering Invoices efficiently. Please use optimised filtering parameters or paging.",
        },
    ).reply(),
}
