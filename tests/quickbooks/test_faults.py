"""Is every refusal of QuickBooks understood, in whatever dress it comes?"""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_connectors import errors
from ar_connectors.http.messages import Request, Response
from ar_connectors.quickbooks.faults import QuickBooksDialect, parse_fault

REQUEST = Request("GET", "http://127.0.0.1/v3/company/9341/query", "query Invoice")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def response(status: int, body: bytes, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items() if name != "intuit_tid"}
    if "intuit_tid" in headers:
        named["intuit_tid"] = headers["intuit_tid"]
    return Response(status, named, body, NOW, 0.1)


def fault(*codes: str | None, kind: str = "ValidationFault") -> bytes:
    entries: list[dict[str, Any]] = [
        {"Message": "Something", "Detail": "more", "element": "", **({"code": code} if code else {})}
        for code in codes
    ]
    return json.dumps(
        {"Fault": {"Error": entries, "type": kind}, "time": "2026-11-23T04:00:00-08:00"}
    ).encode()


def error(status: int, body: bytes, **headers: str) -> errors.ARError:
    found = QuickBooksDialect("9341").error(REQUEST, response(status, body, **headers))
    assert found is not None
    return found


GATEWAY = (
    b'{"warnings":null,"intuitObject":null,"fault":{"error":[{"message":"message=ThrottleExceeded; errorCode=003001; '
    b'statusCode=429","detail":"The request limit was reached","code":"3001","element":null}],"type":"SERVICE"},'
    b'"report":null,"batchItemResponse":[],"time":1533811101733}'
)
XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" '
    b'time="2026-11-23T04:00:00-08:00"><Fault type="SERVICE"><Error code="3001" element="x">'
    b"<Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message><Detail>slow &amp; steady</Detail>"
    b"</Error></Fault></IntuitResponse>"
)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "3200", errors.AuthError),
        (401, "100", errors.AuthError),
        (401, "120", errors.ReauthorizationRequired),
        (403, "3100", errors.ConfigurationError),
        (429, "3001", errors.RateLimited),
        (403, "003001", errors.RateLimited),
        (400, "500", errors.UnsupportedOperation),
        (400, "600", errors.DuplicateError),
        (400, "610", errors.NotFoundError),
        (400, "2010", errors.RejectedError),
        (400, "2050", errors.RejectedError),
        (400, "4001", errors.RejectedError),
        (400, "5010", errors.StaleVersionError),
        (403, "5020", errors.PermissionDenied),
        (400, "6000", errors.RejectedError),
        (400, "6140", errors.DuplicateError),
        (400, "6240", errors.DuplicateError),
        (400, "6190", errors.PermissionDenied),
        (400, "6200", errors.PeriodClosedError),
        (400, "6210", errors.PeriodClosedError),
        (400, "6540", errors.RejectedError),
        (500, "10000", errors.TransientError),
        (400, "99999", errors.RejectedError),
    ],
)
def test_each_code_has_its_class(status: int, code: str, expected: type[errors.ARError]) -> None:
    found = error(status, fault(code), intuit_tid="1-abc")
    assert type(found) is expected
    assert (found.platform, found.tenant, found.operation) == ("quickbooks", "9341", "query Invoice")
    assert (found.platform_code, found.http_status, found.request_id) == (code, status, "1-abc")
    assert found.advice
    assert type(pickle.loads(pickle.dumps(found))) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.RejectedError),
        (401, errors.AuthError),
        (403, errors.PermissionDenied),
        (404, errors.NotFoundError),
        (408, errors.TransientError),
        (429, errors.RateLimited),
        (500, errors.TransientError),
        (503, errors.TransientError),
        (302, errors.ContractError),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Bad day</body></html>", b"gone", b"{}", b"[]", b"\xff\xfe"]
)
def test_without_a_readable_fault_the_status_decides(
    status: int, expected: type[errors.ARError], body: bytes
) -> None:
    assert type(error(status, body)) is expected


@pytest.mark.parametrize("body", [GATEWAY, XML])
def test_the_gateways_dress_and_xml_are_read_too(body: bytes) -> None:
    found = error(429, body)
    assert isinstance(found, errors.RateLimited)
    assert found.platform_code == "3001"
    assert found.retry_after == timedelta(seconds=60)


def test_a_fault_with_http_200_is_a_failure() -> None:
    assert type(error(200, fault("5010"))) is errors.StaleVersionError
    assert type(error(200, b"<html>Sign in</html>")) is errors.TransientError


def test_an_attachable_response_that_only_failed_is_a_failure() -> None:
    body = b'{"AttachableResponse":[{"Fault":{"Error":[{"Message":"x","code":"6000"}],"type":"ValidationFault"}}]}'
    assert parse_fault(body) is not None
    assert type(error(200, body)) is errors.RejectedError


@pytest.mark.parametrize(
    "body",
    [
        b'{"QueryResponse":{}}',
        b'{"Invoice":{"PrivateNote":"not our \\"Fault\\""}}',
        b'{"BatchItemResponse":[{"bId":"1","Fault":{"Error":[{"Message":"x","code":"610"}]}}]}',
        b'{"fault":null,"Invoice":{"Id":"1"}}',
        b"",
    ],
)
def test_success_is_no_failure(body: bytes) -> None:
    assert QuickBooksDialect("9341").error(REQUEST, response(200, body)) is None


def test_several_errors_are_all_kept_and_the_first_known_one_decides() -> None:
    found = error(400, fault(None, "2020", "5010"))
    assert isinstance(found, errors.StaleVersionError)
    assert [entry.code for entry in found.field_errors] == [None, "2020", "5010"]


def test_tokens_in_messages_are_blacked_out() -> None:
    body = b'{"fault":{"error":[{"detail":"Token expired: AB01601390262kxzxOlnHYdhtEVRXISU7piPqQrCmmbDN35Yjd","code":"3200"}]}}'
    found = error(401, body)
    assert "AB0160139" not in json.dumps(found.to_json()) + str(found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", timedelta(seconds=7)),
        ("Mon, 23 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 23 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str, expected: timedelta | None) -> None:
    found = QuickBooksDialect().error(REQUEST, response(429, b"", retry_after=value))
    assert isinstance(found, errors.RateLimited)
    assert found.retry_after == (expected if expected is not None else timedelta(seconds=60))


@given(st.binary(max_size=300), st.sampled_from([200, 400, 401, 429, 500]))
def test_any_answer_is_understood_somehow(body: bytes, status: int) -> None:
    found = QuickBooksDialect().error(REQUEST, response(status, body))
    assert (found is None) <= (status == 200)
