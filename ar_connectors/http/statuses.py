"""What does an HTTP status alone say about a failure? For answers whose body tells nothing, or nothing known."""

from __future__ import annotations

from ar_connectors.errors import (
    ARError,
    AuthError,
    NotFoundError,
    PermissionDenied,
    RateLimited,
    RejectedError,
    TransientError,
)

__all__ = ["class_of_status"]


def class_of_status(status: int | None) -> type[ARError] | None:
    """The error class of a status (RFC 9110, section 15); None for one that is no failure, and where there is none."""
    match status:
        case 401:
            return AuthError
        case 403:
            return PermissionDenied
        case 404:
            return NotFoundError
        case 408 | 425:
            return TransientError
        case 429:
            return RateLimited
        case int() if status >= 500:
            return TransientError
        case int() if status >= 400:
            return RejectedError
        case _:
            return None
