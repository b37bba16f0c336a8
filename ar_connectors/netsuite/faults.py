"""What does a refusal of NetSuite mean? Its errors lie: a missing right is "not found", an unknown id is a 400, too many calls at
once are a wrong password (quirks.md#ns-30 to #ns-39). Here each gets the class that tells a caller what to do.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ar_connectors.errors import (
    ARError,
    AuthError,
    ContractError,
    DuplicateError,
    FieldError,
    NotFoundError,
    PeriodClosedError,
    PermissionDenied,
    RateLimited,
    RejectedError,
    StaleVersionError,
    TransientError,
)
from ar_connectors.http.messages import Request, Response
from ar_connectors.http.redact import excerpt
from ar_connectors.http.statuses import class_of_status
from ar_connectors.netsuite.account import PLATFORM

__all__ = [
    "Fault",
    "LockedRecord",
    "NetSuiteDialect",
    "UnknownColumn",
    "UnknownTable",
    "fault_error",
    "parse_fault",
]


@dataclass(eq=False)
class LockedRecord(RejectedError):
    """A workflow or another user holds the record. Nothing happened; the same write may succeed later, so write-back waits with it
    as with any fault that passes, while nobody asks again at once."""

    default_advice = (
        "try again later; if it stays locked, ask an administrator which workflow locks the record"
    )


@dataclass(eq=False)
class UnknownColumn(RejectedError):
    """A query names a column that this account does not have, or that this role may not see."""

    default_advice = "leave the column out, or switch on the feature it belongs to"


@dataclass(eq=False)
class UnknownTable(PermissionDenied):
    """A query names a table that is hidden from this role, or belongs to a feature that is switched off."""

    default_advice = "give the role the permission for this record type, or switch on the feature; `ar-connectors check` lists both"


_CODES: Final[Mapping[str, type[ARError]]] = {
    "INVALID_LOGIN": AuthError,
    "INVALID_LOGIN_ATTEMPT": AuthError,
    "INSUFFICIENT_PERMISSION": PermissionDenied,
    "INSUFFICIENT_PERMISSIONS": PermissionDenied,
    "NONEXISTENT_ID": NotFoundError,
    "RCRD_DSNT_EXIST": NotFoundError,
    "IDEMPOTENCY_ERROR": DuplicateError,
    "DUP_ENTITY": DuplicateError,
    "DUP_RCRD": DuplicateError,
    "UNIQUE_CUST_ID_REQD": DuplicateError,
    "RCRD_HAS_BEEN_CHANGED": StaleVersionError,
    "RCRD_LOCKED_BY_WF": LockedRecord,
    "CONCURRENCY_LIMIT_EXCEEDED": RateLimited,
    "SSS_REQUEST_LIMIT_EXCEEDED": RateLimited,
    "UNEXPECTED_ERROR": TransientError,
}
"""Codes that say what they mean (quirks.md#ns-31). USER_ERROR, INVALID_PARAMETER and INVALID_CONTENT do not: see `_TEXTS`."""

_TEXTS: Final[tuple[tuple[re.Pattern[str], type[ARError]], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"concurrent request limit|request limit exceeded", RateLimited),
        (r"transaction type specified is incorrect|record (instance )?does not exist", NotFoundError),
        (r"does not have permission|permission violation|insufficient permission|need a higher permission", PermissionDenied),
        (r"locked by (a )?(user[- ]defined )?workflow|record (is|has been) locked", LockedRecord),
        (r"\bperiods?\b.*\b(closed|locked)\b|\b(closed|locked)\b.*\bperiods?\b|non-?g/?l changes", PeriodClosedError),
        (r"record has been changed", StaleVersionError),
        (r"already exists|duplicate", DuplicateError),
        (r"field\W+[\w.]+\W+(for record\W+\w+\W+)?(was )?not found|unknown identifier", UnknownColumn),
        (r"record\W+\w+\W+was not found", UnknownTable),
    )
)  # fmt: skip
"""What texts of codes that say nothing mean; the first that fits decides (quirks.md#ns-32)."""

_TABLE: Final = re.compile(r"record\W+(\w+)\W+was not found", re.IGNORECASE)
_COLUMN: Final = re.compile(
    r"field\W+([\w.]+?)\W+(?:for record\W+\w+\W+)?(?:was )?not found|unknown identifier\W+([\w.]+)",
    re.IGNORECASE,
)

_ADVICE: Final[tuple[tuple[type[ARError], str], ...]] = (
    (
        PeriodClosedError,
        (
            "the period is closed: allow non-G/L changes for it (Setup > Accounting > Manage Accounting Periods) and give the role "
            "the permission Allow Non G/L Changes, or reopen it"
        ),
    ),
    (
        NotFoundError,
        "check the id and the record type: NetSuite says the same of a record that this role may not see",
    ),
    (PermissionDenied, "give the role the permission; `ar-connectors check` tries each of them"),
    (
        AuthError,
        (
            "check the certificate or token, and the role and user it is bound to: Setup > Users/Roles > View Login Audit Trail says why; "
            "a sandbox refresh wipes the M2M setup"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """An error body of NetSuite."""

    title: str | None
    status: int | None
    errors: tuple[FieldError, ...]

    @property
    def text(self) -> str:
        """What it complains about, for a person."""
        told = next((one.message for one in self.errors if one.message), None)
        return excerpt(told or self.title or "an error without any text", 300)


def parse_fault(body: bytes) -> Fault | None:
    """The error that a whole body stands for; None when it is none. Both places of the code, both lists of details."""
    try:
        document = json.loads(body.decode("utf-8", errors="replace").lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    details = document.get("o:errorDetails")
    code = _string(document.get("o:errorCode"))
    if not isinstance(details, list) and code is None and not _is_bare_fault(document):
        return None
    entries = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    errors = tuple(_entry(one, code) for one in entries)
    title = _string(document.get("title"))
    if not errors:
        errors = (FieldError(_string(document.get("detail")) or title or "", code),)
    status = document.get("status")
    return Fault(
        title, int(status) if isinstance(status, int | str) and str(status).isdecimal() else None, errors
    )


def _is_bare_fault(document: Mapping[str, Any]) -> bool:
    return "title" in document and "status" in document and "items" not in document and "id" not in document


def _entry(entry: Mapping[str, Any], outer: str | None) -> FieldError:
    place = next(
        (
            told
            for name in ("o:errorPath", "o:errorQueryParam", "o:errorHeader", "o:errorUrl")
            if (told := _string(entry.get(name)))
        ),
        None,
    )
    return FieldError(_string(entry.get("detail")) or "", _string(entry.get("o:errorCode")) or outer, place)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def fault_error(
    fault: Fault | None,
    *,
    http_status: int | None = None,
    tenant: str | None = None,
    operation: str | None = None,
    request_id: str | None = None,
    told: str | None = None,
) -> ARError:
    """The exception for an error body; without one (a proxy's page, an empty answer) for the HTTP status alone. `told`: the
    start of the answer."""
    status = http_status if http_status is not None else fault.status if fault is not None else None
    kind = _classify(fault.errors if fault is not None else (), status)
    message = fault.text if fault is not None else f"HTTP {status} without a readable error"
    errors = fault.errors if fault is not None else ()
    error = kind(
        message=message,
        platform=PLATFORM,
        tenant=tenant,
        operation=operation,
        http_status=status,
        platform_code=next((one.code for one in errors if one.code), None),
        request_id=request_id,
        excerpt=told,
        advice=_advice(kind, message),
    )
    if isinstance(error, RejectedError):
        error.field_errors = _named(errors) if isinstance(error, UnknownColumn) else errors
    return error


def _classify(errors: Sequence[FieldError], status: int | None) -> type[ARError]:
    for one in errors:
        kind = _CODES.get((one.code or "").upper())
        # A code of the outer object is often USER_ERROR where the inner one is exact; a text is more exact than either.
        by_text = next((found for pattern, found in _TEXTS if pattern.search(one.message)), None)
        if kind is not None and not (kind is TransientError and by_text is not None):
            return kind
        if by_text is not None and not (by_text is RateLimited and status == 200):
            return by_text
    return class_of_status(status) or ContractError


def _advice(kind: type[ARError], message: str) -> str | None:
    if kind is UnknownTable and (found := _TABLE.search(message)):
        table = found[1]
        return f"{table!r} is hidden: {_HIDDEN.get(table.lower(), 'give the role the permission for it, or switch on its feature')}"
    if kind in {UnknownColumn, LockedRecord, UnknownTable}:
        return None
    return next((advice for parent, advice in _ADVICE if issubclass(kind, parent)), None)


_HIDDEN: Final = {
    "subsidiary": "the account is no OneWorld account, or the role lacks Lists > Subsidiaries",
    "currency": "switch on Multiple Currencies, or give the role Lists > Currency",
    "accountingbook": "the account has no Multi-Book Accounting, or the role lacks the permission for it",
    "transaction": "give the role Transactions > Find Transaction",
    "customer": "give the role Lists > Customers",
    "contact": "give the role Lists > Contacts",
    "deletedrecord": "give the role Setup > Deleted Records",
    "account": "give the role Lists > Accounts",
}
"""Which right or feature is missing where a table "was not found" (quirks.md#ns-33)."""


def _named(errors: tuple[FieldError, ...]) -> tuple[FieldError, ...]:
    """The same errors, with the column where a text names it."""
    return tuple(
        FieldError(one.message, one.code, found[1] or found[2], one.detail)
        if (found := _COLUMN.search(one.message))
        else one
        for one in errors
    )


def _is_refusal(body: bytes) -> bool:
    """Whether a successful status lies: an error body is small, and has members that nothing else has."""
    return len(body) < _SMALL and b'"o:error' in body and parse_fault(body) is not None


_SMALL: Final = 65_536


class NetSuiteDialect:
    """What an answer of NetSuite means; given to the transport of one connection. Thread-safe. `tenant`: for the error texts.

    Too many calls at once may be answered with 401 "Invalid login attempt" (quirks.md#ns-38). Credentials that have worked on this
    connection are believed for a while: such a 401 is taken for what it is, a limit, until so many come in a row.
    """

    _BELIEVED: Final = 4

    def __init__(self, tenant: str | None = None) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._refusals: int | None = None
        """401s since the last success; None before the first success."""

    def error(self, request: Request, response: Response) -> ARError | None:
        """The failure an answer stands for, or None for success."""
        if 200 <= response.status < 300 and not _is_refusal(response.body):
            with self._lock:
                self._refusals = 0
            return None
        told = excerpt(response.body)
        error = fault_error(
            parse_fault(response.body),
            http_status=response.status,
            tenant=self._tenant,
            operation=request.operation,
            request_id=response.headers.get("x-n-operationid"),
            told=told,
        )
        if response.status == 401 and isinstance(error, AuthError) and self._is_overload():
            return RateLimited(
                "an invalid login with credentials that worked a moment ago: NetSuite says so when too many calls run at once",
                platform=PLATFORM,
                tenant=self._tenant,
                operation=request.operation,
                http_status=401,
                platform_code=error.platform_code,
                request_id=error.request_id,
                excerpt=told,
                advice="lower max_in_flight of this connection, or reserve concurrency for its integration record",
            )
        return error

    def _is_overload(self) -> bool:
        with self._lock:
            if self._refusals is None:
                return False
            self._refusals += 1
            return self._refusals <= self._BELIEVED
