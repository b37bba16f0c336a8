"""What does a refusal of Xero mean? Its errors in every dress, and the class each stands for.

Validation errors are `ErrorNumber`, `Type`, `Message`, `Elements`; gateway and token errors are problem details with keys in
either case; some answers are plain text or HTML under a wrong content type (quirks.md#xero-40 to #xero-44).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
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
    QuotaExhausted,
    RateLimited,
    RejectedError,
    TransientError,
    UnsupportedOperation,
)
from ar_connectors.http.messages import Request, Response
from ar_connectors.http.redact import redact
from ar_connectors.http.retry_after import parse_retry_after
from ar_connectors.http.statuses import class_of_status

__all__ = ["PLATFORM", "Problem", "XeroDialect", "element_errors", "parse_problem", "problem_error"]

PLATFORM: Final = "xero"

_SMALL: Final = 65_536
"""An error is small; a larger body of a successful call is a page of data and is not searched for one."""
_CONCURRENCY_WAIT: Final = timedelta(seconds=1)
"""Too many at once: no Retry-After comes, and one of them ends soon."""
_MINUTE: Final = timedelta(seconds=60)
_LONG_WAIT: Final = timedelta(minutes=5)
"""A wait beyond this is not a minute's limit, whatever the answer calls it."""
_DAY: Final = timedelta(hours=24)
_OFFLINE_WAIT: Final = "try again in about five minutes; this one organisation is being moved or repaired"
_EXPIRED: Final = "the access token has expired: refresh it once; if that fails, connect this company again"
_MARKUP: Final = re.compile(r"<[^>]*>")

_MESSAGES: Final[tuple[tuple[re.Pattern[str], type[ARError], str | None], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind, advice)
    for pattern, kind, advice in (
        (r"lock date", PeriodClosedError, None),
        (r"not of valid status for modification|cannot be edited as it has a payment|has a payment or credit", RejectedError,
         "the document is part-paid, paid or voided: Xero lets only a few of its fields be changed"),
        (r"was not found for this endpoint|could not be found|cannot be found|not found", NotFoundError, None),
        (r"limit of 100 contact groups", RejectedError, "remove a contact group in Xero, or configure an existing one"),
        (r"is used with a different request", DuplicateError, "send it under another Idempotency-Key"),
        (r"already exists|already assigned|must be unique|unique Name", DuplicateError, None),
        (r"not subscribed to currency", RejectedError, "add the currency in Xero first"),
        (r"organisation is offline", TransientError, _OFFLINE_WAIT),
        (r"offline for maintenance", TransientError, None),
        (r"not filtering .* efficiently", UnsupportedOperation, "ask for less at once, with filters that Xero has an index for"),
    )
)  # fmt: skip
"""quirks.md#xero-42 has the sources of these texts."""


_BY_STATUS: Final[Mapping[int, type[ARError]]] = {409: DuplicateError, 412: ConfigurationError}
"""What these two mean at Xero."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal as Xero sent it."""

    code: str | None
    """`Type` or `ErrorNumber` of a validation error, `title` of a problem."""
    status: int | None
    """The HTTP status that the body itself names."""
    message: str
    errors: tuple[FieldError, ...] = ()


def parse_problem(body: bytes) -> Problem | None:
    """The refusal that a whole body stands for, None when it is data. JSON, plain text and HTML."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[")):
        return Problem(
            None, None, redact(" ".join(unescape(_MARKUP.sub(" ", text)).split())[:300]) or "an empty answer"
        )
    try:
        document = json.loads(text, strict=False)
        if isinstance(document, str):  # an official sample is a JSON text inside JSON
            document = json.loads(document)
    except (ValueError, RecursionError):
        return Problem(None, None, "an answer that is not JSON")
    return _problem(document) if isinstance(document, dict) else None


def _problem(document: Mapping[str, Any]) -> Problem | None:
    lower = {str(name).casefold(): value for name, value in document.items()}
    if "errornumber" in lower or ("elements" in lower and "message" in lower):
        errors = tuple(element_errors(lower.get("elements")))
        code = _text(lower.get("type")) or _text(lower.get("errornumber"))
        return Problem(
            code, None, redact(_text(lower.get("message")) or "a refusal without a message"), errors
        )
    if "detail" in lower or ("title" in lower and "status" in lower):
        status = lower.get("status")
        number = (
            int(status) if isinstance(status, int) or (isinstance(status, str) and status.isdigit()) else None
        )
        title, detail = _text(lower.get("title")), _text(lower.get("detail"))
        code = _text(lower.get("type")) or title
        return Problem(
            code, number, redact(": ".join(part for part in (title, detail) if part) or "a problem")
        )
    if isinstance(lower.get("error"), str):
        detail = _text(lower.get("error_description"))
        return Problem(lower["error"], None, redact(detail or lower["error"]))
    if "message" in lower and not any(isinstance(value, list) for value in lower.values()):
        return Problem(_text(lower.get("type")), None, redact(_text(lower["message"]) or "a refusal"))
    rows = [value for value in document.values() if isinstance(value, list)]
    found = [error for one in rows for error in element_errors(one)]
    if found:
        return Problem("ValidationException", None, "Xero refused an element of the request", tuple(found))
    return None


def element_errors(elements: Any) -> Iterator[FieldError]:
    """What the elements of an answer complain about: `ValidationErrors` with `Message`, or `Description` in the samples of the
    batch shape (quirks.md#xero-41)."""
    for element in elements if isinstance(elements, list) else ():
        for error in (element.get("ValidationErrors") or ()) if isinstance(element, dict) else ():
            if isinstance(error, dict):
                told = _text(error.get("Message")) or _text(error.get("Description"))
                yield FieldError(redact(told or "refused without a word"))


def _text(value: object) -> str | None:
    return (
        str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
    )


def problem_error(
    problem: Problem | None,
    *,
    http_status: int | None = None,
    tenant: str | None = None,
    operation: str | None = None,
    request_id: str | None = None,
    excerpt: str | None = None,
) -> ARError:
    """The exception for a refusal; without one for the HTTP status alone. Throttling is the dialect's business."""
    status = http_status or (problem.status if problem is not None else None)
    message = problem.message if problem is not None else f"HTTP {status} without a readable reason"
    if problem is not None and problem.errors:
        message = problem.errors[0].message
    kind, advice = _classify(problem, status, message)
    error = kind(
        message=message,
        platform=PLATFORM,
        tenant=tenant,
        operation=operation,
        http_status=http_status,
        platform_code=problem.code if problem is not None else None,
        request_id=request_id,
        excerpt=excerpt,
        advice=advice,
    )
    if isinstance(error, RejectedError) and problem is not None:
        error.field_errors = problem.errors or (FieldError(message),)
    return error


def _classify(problem: Problem | None, status: int | None, message: str) -> tuple[type[ARError], str | None]:
    if status == 401:
        if "scope" in message.casefold() or "authorizationunsuccessful" in message.casefold():
            return PermissionDenied, "the app was not given the scope for this: connect again and agree to it"
        return AuthError, _EXPIRED if "tokenexpired" in message.casefold() else None
    if status == 403:
        return (
            PermissionDenied,
            "the organisation was disconnected, its subscription ended, or tenant and token do not belong together",
        )
    if status is not None and status >= 500:
        offline = "organisation is offline" in message.casefold()
        return (UnsupportedOperation if status == 501 else TransientError), _OFFLINE_WAIT if offline else None
    for pattern, kind, advice in _MESSAGES:
        if problem is not None and pattern.search(message):
            return kind, advice
    by_status = _BY_STATUS.get(status or 0) or class_of_status(status)
    if by_status is not None and by_status is not RejectedError:
        return by_status, None
    if problem is None:
        return ContractError, None
    if problem.code == "InternalServerError":
        return TransientError, None
    if problem.code == "HighVolumeException":
        return UnsupportedOperation, "ask for less at once, with filters that Xero has an index for"
    refused = problem.code is not None or problem.errors or status is not None
    return (RejectedError if refused else ContractError), None


@dataclass(frozen=True, slots=True)
class XeroDialect:
    """What an answer of Xero means; given to the transport. `tenant`: for the error texts."""

    tenant: str | None = None

    def error(self, request: Request, response: Response) -> ARError | None:
        """The failure an answer stands for, or None for success. A 200 with refused elements is success: whoever sends a batch
        looks at each."""
        succeeded = 200 <= response.status < 300
        start = response.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
        if succeeded:
            if not start.startswith(b"<"):
                return None
            return TransientError(
                "a page of markup came instead of JSON",
                **self._facts(request, response),
                excerpt=_excerpt(response),
            )
        if response.status == 304:
            return None
        if response.status == 429:
            return self._throttled(request, response)
        problem = parse_problem(response.body) if response.body else None
        return problem_error(
            problem, http_status=response.status, excerpt=_excerpt(response), **self._named(request, response)
        )

    def _throttled(self, request: Request, response: Response) -> ARError:
        """Which of the four limits it was says a header, in spellings that vary (quirks.md#xero-52)."""
        named = response.headers.get("x-rate-limit-problem", "").strip()
        word = named.casefold()
        now = response.server_date
        asked = parse_retry_after(response.headers.get("retry-after"), now)
        facts = {**self._facts(request, response), "platform_code": named or None}
        if "da" in word[:3] or (asked is not None and asked > _LONG_WAIT):
            wait = asked if asked is not None else _DAY
            return QuotaExhausted(
                f"the day's calls for this organisation are used up ({named or 'unnamed limit'})",
                resume_at=now + wait if now is not None else None,
                **facts,
            )
        if asked is None:
            asked = _MINUTE if "min" in word else _CONCURRENCY_WAIT
        return RateLimited(f"too many calls ({named or 'limit not named'})", retry_after=asked, **facts)

    def _named(self, request: Request, response: Response) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "operation": request.operation,
            "request_id": response.headers.get("xero-correlation-id"),
        }

    def _facts(self, request: Request, response: Response) -> dict[str, Any]:
        return {**self._named(request, response), "platform": PLATFORM, "http_status": response.status}


def _excerpt(response: Response) -> str:
    return redact(response.body[:300].decode("utf-8", errors="replace"))
