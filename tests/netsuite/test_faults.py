"""What NetSuite's refusals mean: each lie of theirs, and the class a caller gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ar_connectors.errors import (
    ARError,
    AuthError,
    ContractError,
    DuplicateError,
    NotFoundError,
    PeriodClosedError,
    PermissionDenied,
    RateLimited,
    RejectedError,
    StaleVersionError,
    TransientError,
)
from ar_connectors.http import Request, Response
from ar_connectors.netsuite.faults import (
    LockedRecord,
    NetSuiteDialect,
    UnknownColumn,
    UnknownTable,
    fault_error,
    parse_fault,
)


def _body(detail: str, code: str | None, status: int = 400, more: dict[str, Any] | None = None) -> bytes:
    entry = {"detail": detail, **({"o:errorCode": code} if code else {}), **(more or {})}
    return json.dumps({"title": "Bad Request", "status": status, "o:errorDetails": [entry]}).encode()


LIES = [
    (400, "Error while accessing a resource. Transaction type specified is incorrect.", "USER_ERROR", NotFoundError),
    (404, "The record instance does not exist. Provide a valid record instance ID.", "NONEXISTENT_ID", NotFoundError),
    (404, "Record type 'file' does not exist.", "NONEXISTENT_ID", NotFoundError),
    (400, "Your current role does not have permission to perform this action.", "USER_ERROR", PermissionDenied),
    (403, "Permission Violation: You need a higher permission", "INSUFFICIENT_PERMISSION", PermissionDenied),
    (400, "Invalid search query Search error occurred: Record \u2018subsidiary\u2019 was not found..", "INVALID_PARAMETER", UnknownTable),
    (400, "Invalid search query. Search error occurred: Record 'subsidiary' was not found.", "INVALID_PARAMETER", UnknownTable),
    (400, "Search error occurred: Field 'foo' for record 'transaction' was not found.", "INVALID_PARAMETER", UnknownColumn),
    (400, "Invalid search query. Search error occurred: Unknown identifier 'foo'", "INVALID_PARAMETER", UnknownColumn),
    (400, "This record has been locked by a user defined workflow.", "USER_ERROR", LockedRecord),
    (400, "You cannot change this transaction: its accounting period is closed.", "USER_ERROR", PeriodClosedError),
    (400, "The posting period for this transaction is locked for A/R.", "USER_ERROR", PeriodClosedError),
    (400, "Record has been changed", "RCRD_HAS_BEEN_CHANGED", StaleVersionError),
    (400, "This entity already exists.", "USER_ERROR", DuplicateError),
    (400, "The idempotency key was used.", "IDEMPOTENCY_ERROR", DuplicateError),
    (429, "Concurrent request limit exceeded. Request blocked.", "CONCURRENCY_LIMIT_EXCEEDED", RateLimited),
    (401, "Invalid login attempt.", "INVALID_LOGIN", AuthError),
    (500, "An unexpected error occurred. Error ID: jrgb", "UNEXPECTED_ERROR", TransientError),
    (400, "Invalid Field Value 53384 for the following field: customer.", "USER_ERROR", RejectedError),
    (400, "Error while accessing resource: You have entered an Invalid Field Value 9999", "INVALID_CONTENT", RejectedError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "detail", "code", "kind"), LIES, ids=lambda one: str(one)[:40])
def test_each_answer_means_what_a_caller_has_to_do(
    status: int, detail: str, code: str, kind: type[ARError]
) -> None:
    response = Response(status, {"x-n-operationid": "op-7"}, _body(detail, code, status), None, 0.0)
    error = NetSuiteDialect("1234567").error(Request("GET", "http://x/", "read invoice"), response)
    assert type(error) is kind
    assert error is not None
    assert error.request_id == "op-7"
    assert error.platform_code == code
    assert error.http_status == status
    assert error.advice
    assert detail[:30] in error.message


def test_the_column_and_the_table_that_are_missing_are_named() -> None:
    column = fault_error(
        parse_fault(_body("Search error occurred: Unknown identifier 'balance'", "INVALID_PARAMETER"))
    )
    assert isinstance(column, UnknownColumn)
    assert [one.field for one in column.field_errors] == ["balance"]
    table = fault_error(parse_fault(_body("Record 'currency' was not found.", "INVALID_PARAMETER")))
    assert "Lists > Currency" in str(table.advice)


def test_where_it_hurts_is_told() -> None:
    error = fault_error(
        parse_fault(_body("Invalid value", "INVALID_CONTENT", more={"o:errorPath": "item.items[0].item"}))
    )
    assert isinstance(error, RejectedError)
    assert [one.field for one in error.field_errors] == ["item.items[0].item"]


def test_a_code_at_the_top_counts_too() -> None:
    body = b'{"title":"Search error occurred: Record \'subsidiary\' was not found.","status":400,"o:errorCode":"INVALID_PARAMETER"}'
    assert isinstance(fault_error(parse_fault(body)), UnknownTable)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, b"<html>Down for maintenance</html>", TransientError),
        (502, b"", TransientError),
        (403, b"<html>", PermissionDenied),
        (429, b"", RateLimited),
        (404, b"[]", NotFoundError),
        (418, b"null", RejectedError),
        (400, b'{"o:errorDetails": "nonsense"}', RejectedError),
        (
            400,
            b'{"o:errorDetails": [7, null, {"detail": 7}], "status": "x", "o:errorCode": 9}',
            RejectedError,
        ),
    ],
)
def test_answers_without_a_readable_error_are_judged_by_their_status(
    status: int, body: bytes, kind: type[ARError]
) -> None:
    error = NetSuiteDialect().error(
        Request("GET", "http://x/", "read"), Response(status, {}, body, None, 0.0)
    )
    assert type(error) is kind


def test_data_is_no_error() -> None:
    for body in (
        b'{"items":[],"count":0}',
        b'{"id":"7","title":"Call","status":{"id":"COMPLETE"}}',
        b"7",
        b"{",
    ):
        assert parse_fault(body) is None
    assert isinstance(fault_error(None), ContractError)
