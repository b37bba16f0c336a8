"""What a refusal of Xero means: each limit told from the others, each error in each of its dresses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    DuplicateError,
    NotFoundError,
    PeriodClosedError,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    RejectedError,
    TransientError,
    UnsupportedOperation,
)
from ar_connectors.http.messages import Request, Response
from ar_connectors.xero.auth import CUSTOM_SCOPES, READ_SCOPES, missing_scopes
from ar_connectors.xero.faults import XeroDialect
from ar_connectors.xero.limits import server_limits

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
ASKED = Request("GET", "https://api.xero.com/api.xro/2.0/Invoices", "list Invoices")


def error(status: int, body: Any = b"", **headers: str) -> ARError:
    """What an answer stands for."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    named.setdefault("xero-correlation-id", "an id for support")
    found = XeroDialect("a tenant").error(ASKED, Response(status, named, raw, NOW, 0.1))
    assert found is not None
    assert (found.platform, found.tenant, found.operation) == ("xero", "a tenant", "list Invoices")
    assert found.http_status == status
    assert found.request_id == "an id for support"
    assert found.advice
    return found


@pytest.mark.parametrize(
    "named", ["minute", "Minute", "Minute limit", "MINUTE", "appminute", "AppMinuteLimit"]
)
def test_a_minute_is_waited_for(named: str) -> None:
    found = error(429, X_Rate_Limit_Problem=named, Retry_After="17")
    assert type(found) is RateLimited
    assert found.retry_after == timedelta(seconds=17)
    alone = error(429, X_Rate_Limit_Problem=named)
    assert isinstance(alone, RateLimited)
    assert alone.retry_after == timedelta(seconds=60)


@pytest.mark.parametrize("named", ["day", "Day", "daily", "DayLimit", "day limit"])
@pytest.mark.parametrize("wait", ["67000", None])
def test_a_day_is_not_slept_through(named: str, wait: str | None) -> None:
    headers = {"X_Rate_Limit_Problem": named} | ({"Retry_After": wait} if wait else {})
    found = error(429, **headers)
    assert isinstance(found, QuotaExhausted)
    assert found.resume_at == NOW + timedelta(seconds=int(wait or 24 * 3600))


def test_a_long_wait_is_a_day_whatever_it_is_called() -> None:
    assert isinstance(error(429, Retry_After="67000"), QuotaExhausted)
    assert isinstance(error(429, X_Rate_Limit_Problem="minute", Retry_After="67000"), QuotaExhausted)


@pytest.mark.parametrize("named", ["concurrent", "Concurrent", "something else", ""])
def test_too_many_at_once_are_tried_again_soon(named: str) -> None:
    found = error(429, X_Rate_Limit_Problem=named)
    assert isinstance(found, RateLimited)
    assert found.retry_after == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "pauses"),
    [
        ({"x-minlimit-remaining": "40", "x-appminlimit-remaining": "9000"}, False),
        ({"x-minlimit-remaining": "1"}, True),
        ({"x-minlimit-remaining": "40", "x-appminlimit-remaining": "0"}, True),
        ({"x-minlimit-remaining": "few"}, False),
        ({}, False),
    ],
)
def test_what_is_left_of_a_minute_slows_everybody_down(left: dict[str, str], pauses: bool) -> None:
    told = server_limits(Response(200, left, b"{}", NOW, 0.1))
    assert (told is not None) is pauses


def validation(message: str, key: str = "Message") -> dict[str, Any]:
    return {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"InvoiceID": "x", "ValidationErrors": [{key: message}]}],
    }


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Invoice not of valid status for modification", RejectedError),
        ("This document cannot be edited as it has a payment or credit note allocated to it.", RejectedError),
        (
            "The document date cannot be before the period lock date, currently set at 1 Jan 2026",
            PeriodClosedError,
        ),
        ("... before the end of year lock date, currently set at ...", PeriodClosedError),
        ("You\u2019ve reached the limit of 100 contact groups.", RejectedError),
        ("Organisation is not subscribed to currency EUR", RejectedError),
        ("The contact name X is already assigned to another contact.", DuplicateError),
        ("Something nobody has written down", RejectedError),
    ],
)
@pytest.mark.parametrize("key", ["Message", "Description"])
def test_a_refusal_of_an_element_says_what_it_is(message: str, kind: type[ARError], key: str) -> None:
    found = error(400, validation(message, key))
    assert type(found) is kind
    assert found.message == message
    if isinstance(found, RejectedError):
        assert [one.message for one in found.field_errors] == [message]


def problem(status: int, title: str, detail: str, *, upper: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": "x",
        "Extensions": {},
    }
    return told if upper else {name.lower(): value for name, value in told.items()}


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        (401, "TokenExpired: token expired at 11/20/2026 16:59:59", AuthError),
        (401, "AuthorizationUnsuccessful", PermissionDenied),
        (401, "insufficient_scope", PermissionDenied),
        (403, "AuthenticationUnsuccessful", PermissionDenied),
    ],
)
def test_a_problem_is_read_in_either_case(status: int, detail: str, kind: type[ARError], upper: bool) -> None:
    assert type(error(status, problem(status, "Unauthorized", detail, upper=upper))) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"The resource you're looking for cannot be found", NotFoundError),
        (412, b"", ConfigurationError),
        (500, b"<html><body>Oops</body></html>", TransientError),
        (501, b"Not implemented", UnsupportedOperation),
        (503, b"The Organisation is offline", TransientError),
        (503, b"The Xero API is currently offline for maintenance", TransientError),
        (400, b"<ApiException><Message>Wrong</Message></ApiException>", RejectedError),
        (400, b"The Idempotency-Key is used with a different request", DuplicateError),
        (400, {"ErrorNumber": 17, "Type": "HighVolumeException", "Message": "x"}, UnsupportedOperation),
        (200, b"<html>maintenance</html>", TransientError),
    ],
)
def test_text_and_markup_are_understood_too(status: int, body: Any, kind: type[ARError]) -> None:
    assert type(error(status, body)) is kind


def test_no_token_gets_into_an_error() -> None:
    secret = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjFDQUY4RTY2Nzcy" * 2
    found = error(401, problem(401, "Unauthorized", f"Bearer {secret}", upper=True))
    assert secret not in str(found)
    assert secret not in json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        (CUSTOM_SCOPES, ()),
        (("accounting.transactions", "accounting.contacts", "accounting.settings"), ()),
        (READ_SCOPES, ("accounting.invoices", "accounting.contacts")),
        (("accounting.transactions.read", "accounting.contacts.read", "accounting.settings.read"), (
            "accounting.invoices", "accounting.contacts",
        )),
        ((), CUSTOM_SCOPES),
    ],
)  # fmt: skip
def test_scopes_are_compared_before_the_first_call(
    granted: tuple[str, ...], lacking: tuple[str, ...]
) -> None:
    assert missing_scopes(granted) == lacking
