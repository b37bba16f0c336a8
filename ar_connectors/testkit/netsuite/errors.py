"""How does NetSuite refuse? SuiteTalk's error bodies, and the words it was heard to use."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ar_connectors.testkit.exchange import Reply
from ar_connectors.testkit.ledger import LedgerError

__all__ = [
    "ERROR_TYPE",
    "ServiceError",
    "from_ledger",
    "invalid_content",
    "invalid_login",
    "invalid_parameter",
    "invalid_query",
    "missing_instance",
    "missing_transaction",
    "missing_type",
    "refusal",
    "user_error",
]

ERROR_TYPE: Final = "application/vnd.oracle.resource+json; type=error"

_TITLES: Final = {
    400: ("Bad Request", "rfc9110.html#section-15.5.1"),
    401: ("Unauthorized", "rfc9110.html#section-15.5.2"),
    403: ("Forbidden", "rfc9110.html#section-15.5.4"),
    404: ("Not Found", "rfc9110.html#section-15.5.5"),
    405: ("Method Not Allowed", "rfc9110.html#section-15.5.6"),
    415: ("Unsupported Media Type", "rfc9110.html#section-15.5.16"),
    429: ("Too Many Requests", "rfc6585.html#section-4"),
    500: ("Internal Server Error", "rfc9110.html#section-15.6.1"),
    503: ("Service Unavailable", "rfc9110.html#section-15.6.4"),
}


class ServiceError(Exception):
    """A refusal.

    Args:
        places: where the trouble is, as `o:errorPath`, `o:errorQueryParam`, `o:errorHeader`, `o:errorUrl`.
        outer: the code once more beside the title, as the one of 429.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, outer: str | None = None, **places: str
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.outer = outer
        self.places = places


def refusal(error: ServiceError) -> Reply:
    """The answer that carries it."""
    title, anchor = _TITLES[error.status]
    if error.outer is not None:
        title = "Bad Request"  # as Oracle's example of a 429 has it
    body: dict[str, Any] = {
        "type": f"https://www.rfc-editor.org/rfc/{anchor}",
        "title": title,
        "status": error.status,
    }
    if error.outer is not None:
        body["o:errorCode"] = error.outer
    places = {f"o:error{name[0].upper()}{name[1:]}": value for name, value in error.places.items()}
    body["o:errorDetails"] = [{"detail": error.detail, **places, "o:errorCode": error.code}]
    return Reply(error.status, msgspec.json.encode(body), content_type=ERROR_TYPE)


def invalid_query(message: str) -> ServiceError:
    """A statement that cannot be run."""
    lead = "Invalid search query. Detailed unprocessed description follows."
    return ServiceError(400, "INVALID_PARAMETER", f"{lead} {message}", queryParam="q")


def invalid_parameter(name: str, detail: str) -> ServiceError:
    """A query parameter that cannot be."""
    return ServiceError(400, "INVALID_PARAMETER", detail, queryParam=name)


def invalid_login() -> ServiceError:
    """Whoever it was, it was not let in; why is for the login audit trail."""
    return ServiceError(
        401,
        "INVALID_LOGIN",
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles > "
        "User Management > View Login Audit Trail.",
    )


def invalid_content(path: str, detail: str) -> ServiceError:
    """A value of a body that cannot be."""
    return ServiceError(400, "INVALID_CONTENT", f"Error while accessing a resource. {detail}", path=path)


def user_error(detail: str) -> ServiceError:
    """A rule of the business, or what passes for one."""
    return ServiceError(400, "USER_ERROR", f"Error while accessing a resource. {detail}")


def missing_transaction() -> ServiceError:
    """There is no such transaction: said with 400, recorded."""
    return user_error("Transaction type specified is incorrect.")


def missing_instance() -> ServiceError:
    """There is no such record of another kind."""
    return ServiceError(
        404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID."
    )


def missing_type(name: str) -> ServiceError:
    """There is no such record type, or none for this role."""
    return ServiceError(
        404,
        "NONEXISTENT_ID",
        f"Record type '{name}' does not exist.",
        url=f"/services/rest/record/v1/{name}",
    )


def from_ledger(refused: LedgerError) -> ServiceError:
    """What the books refuse, in NetSuite's words."""
    if refused.code == "missing":
        return missing_instance()
    return user_error(str(refused))
