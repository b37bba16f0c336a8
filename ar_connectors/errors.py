"""Which failures can a caller see, and what should be done about each? One root, classes grouped by what to do next.

    ARError
    ├── ConfigurationError        mend the settings; trying again changes nothing
    ├── AuthError                 the platform does not accept our credentials
    │   ├── ReauthorizationRequired   a person must connect the company again
    │   └── PermissionDenied          the connected user or app may not do this
    ├── RateLimited               wait `retry_after`, then try again
    ├── QuotaExhausted            stop until `resume_at`
    ├── TransientError            try again later
    ├── RejectedError             the platform refused this content; change it
    │   ├── NotFoundError             the record does not exist there
    │   ├── DuplicateError            something with this identity exists already
    │   └── StaleVersionError         the record changed meanwhile; read it again
    ├── ConflictError             our own store: same key, other content; or a lease was lost
    │   └── LeaseLost                 another worker took over; nothing was committed
    ├── PeriodClosedError         the books are closed for this document
    ├── UnsupportedOperation      this platform or adapter cannot do it
    ├── WriteOutcomeUnknown       it may or may not have happened: look before sending again
    └── ContractError             the platform answered something this library does not understand

Data findings (a row that cannot be mapped, figures that disagree) are values, not exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

__all__ = [
    "ARError",
    "AuthError",
    "ConfigurationError",
    "ConflictError",
    "ContractError",
    "DuplicateError",
    "FieldError",
    "LeaseLost",
    "NotFoundError",
    "PeriodClosedError",
    "PermissionDenied",
    "QuotaExhausted",
    "RateLimited",
    "ReauthorizationRequired",
    "RejectedError",
    "StaleVersionError",
    "TransientError",
    "UnsupportedOperation",
    "WriteOutcomeUnknown",
]

Told = TypeVar("Told", bound="ARError")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing the platform found wrong, as it said it."""

    message: str
    code: str | None = None
    field: str | None = None
    detail: str | None = None


@dataclass(eq=False)
class ARError(Exception):
    """Root of all failures of this library. Picklable; its text carries no secret."""

    message: str
    """What was wrong, in one sentence."""
    platform: str | None = None
    tenant: str | None = None
    operation: str | None = None
    """What we were doing, for example `query Invoice`."""
    http_status: int | None = None
    platform_code: str | None = None
    """The platform's own error code, verbatim."""
    request_id: str | None = None
    """The id to give to the platform's support: intuit_tid, Xero correlation id, NetSuite operation id."""
    excerpt: str | None = None
    """The start of the answer, redacted."""
    advice: str | None = None
    """What to do next; a class has a default."""

    default_advice = "see the message"

    def __post_init__(self) -> None:
        Exception.__init__(self, self.message)
        if self.advice is None:
            self.advice = self.default_advice

    def __str__(self) -> str:
        return f"{self.told()} -> {self.advice}"

    def told(self) -> str:
        """Where it happened, what was wrong and the facts for the platform's support, in one line without the advice."""
        where = " ".join(part for part in (self.platform, self.tenant, self.operation) if part)
        facts = [
            f"HTTP {self.http_status}" if self.http_status else "",
            f"code {self.platform_code}" if self.platform_code else "",
            f"request {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        text = f"{where}: {self.message}" if where else self.message
        if known:
            text += f" [{known}]"
        return text

    def told_as(
        self, kind: type[Told], *, message: str | None = None, advice: str | None = None, **more: Any
    ) -> Told:
        """The same failure as a new object of this class, with the facts for the platform's support. `advice`: the class's own when
        left out. `more`: what only that class knows (a moment to resume)."""
        values = {field.name: getattr(self, field.name) for field in fields(ARError)}
        return kind(**{**values, "message": message or self.message, "advice": advice, **more})

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), {field.name: getattr(self, field.name) for field in fields(self)})

    def to_json(self) -> dict[str, Any]:
        """Type and attributes as JSON-ready values, for logs and `--json` output."""
        result: dict[str, Any] = {"error": type(self).__name__}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or value == ():
                continue
            if isinstance(value, datetime):
                value = value.isoformat()
            elif isinstance(value, timedelta):
                value = value.total_seconds()
            elif isinstance(value, tuple):
                value = [
                    {f.name: getattr(v, f.name) for f in fields(v)}
                    if hasattr(v, "__dataclass_fields__")
                    else v
                    for v in value
                ]
            result[field.name] = value
        return result


def _rebuild(cls: type[ARError], state: dict[str, Any]) -> ARError:
    return cls(**state)


@dataclass(eq=False)
class ConfigurationError(ARError):
    """Settings are missing, contradictory or point to the wrong environment."""

    default_advice = "correct the configuration; trying again changes nothing"


@dataclass(eq=False)
class AuthError(ARError):
    """The platform does not accept the credentials, and a refresh did not help."""

    default_advice = "check the credentials of this connection"


@dataclass(eq=False)
class ReauthorizationRequired(AuthError):
    """The refresh token is dead, revoked or expired: only a person can connect the company again."""

    default_advice = "connect this company again (ar-connectors connect)"


@dataclass(eq=False)
class PermissionDenied(AuthError):
    """The app or the connecting user lacks a right, a scope or a plan for this operation."""

    default_advice = "give the connecting user the right, or connect as another user"


@dataclass(eq=False)
class RateLimited(ARError):
    """Too many calls; the platform asked to wait, and the wait is short enough to be made."""

    retry_after: timedelta | None = None

    default_advice = "wait, then try again"


@dataclass(eq=False)
class QuotaExhausted(ARError):
    """The wait is longer than the configured cap (a day limit, a monthly block): nothing sleeps that long silently."""

    resume_at: datetime | None = None
    """UTC; None where the platform does not say."""

    default_advice = "run again at resume_at"


@dataclass(eq=False)
class TransientError(ARError):
    """A fault that passes: no connection, a timeout on a safe call, HTTP 5xx, an offline organization."""

    default_advice = "try again later; nothing was lost"


@dataclass(eq=False)
class RejectedError(ARError):
    """The platform refused this content. The same content will be refused again."""

    field_errors: tuple[FieldError, ...] = ()

    default_advice = "change the content; the platform will refuse the same again"


@dataclass(eq=False)
class NotFoundError(RejectedError):
    """The record does not exist at the platform, or is not visible to the connecting user."""

    default_advice = "check the id; it may have been deleted"


@dataclass(eq=False)
class DuplicateError(RejectedError):
    """Something with the same identity (number, name, request id) exists already."""

    default_advice = "read what is there before writing again"


@dataclass(eq=False)
class StaleVersionError(RejectedError):
    """The record changed since it was read."""

    default_advice = "read it again and re-apply only your own edit"


@dataclass(eq=False)
class ConflictError(ARError):
    """Two different things claim one identity in our own store: the same command key with other content."""

    default_advice = "use another key, or the same content"


@dataclass(eq=False)
class LeaseLost(ConflictError):
    """Another worker took over this stream while we were away; our page was not committed."""

    default_advice = "stop this run; the other worker goes on"


@dataclass(eq=False)
class PeriodClosedError(ARError):
    """The document lies in a closed accounting period and cannot be touched through the API."""

    default_advice = "reopen the period, or let the write-back use its fallback place"


@dataclass(eq=False)
class UnsupportedOperation(ARError):
    """The platform, its plan or this adapter cannot do it."""

    default_advice = "see `ar-connectors capabilities`"


@dataclass(eq=False)
class WriteOutcomeUnknown(ARError):
    """A write was sent and no answer came: it may have happened. It is looked for before anything is sent again."""

    default_advice = "run `ar-connectors writes resolve`; do not send it again by hand"


@dataclass(eq=False)
class ContractError(ARError):
    """The answer is not what the platform documents (not JSON, an unknown envelope)."""

    default_advice = "report it with the request id and the excerpt"
