"""What does an exit code mean? One number per kind of action the caller should take; documented in `docs/cli.md`."""

from __future__ import annotations

from enum import IntEnum

from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    ConflictError,
    ContractError,
    PeriodClosedError,
    QuotaExhausted,
    RateLimited,
    RejectedError,
    TransientError,
    UnsupportedOperation,
    WriteOutcomeUnknown,
)

__all__ = ["Exit", "exit_for"]


class Exit(IntEnum):
    """Exit codes of every verb."""

    OK = 0
    FAILURE = 1
    """Something this library did not foresee; a bug report is welcome."""
    USAGE = 2
    """The command line itself is wrong (click's own code)."""
    CONFIGURATION = 3
    """Settings are missing or wrong; running again changes nothing."""
    AUTHENTICATION = 4
    """A person must connect the company again, or give a right."""
    TRY_LATER = 5
    """A rate, a quota or a passing fault; run again later. Nothing was lost."""
    REJECTED = 6
    """The platform, the store or the reader of a file refused the content."""
    UNKNOWN_OUTCOME = 7
    """A write may or may not have happened; `writes resolve` looks."""
    FINDINGS = 8
    """The work was done and found something a person should look at (an unexplained difference, quarantined rows, lint errors)."""
    BUSY = 9
    """Another process holds the lease; it does the work."""


_BY_CLASS: tuple[tuple[type[ARError], Exit], ...] = (
    (ConfigurationError, Exit.CONFIGURATION),
    (UnsupportedOperation, Exit.CONFIGURATION),
    (AuthError, Exit.AUTHENTICATION),
    (RateLimited, Exit.TRY_LATER),
    (QuotaExhausted, Exit.TRY_LATER),
    (TransientError, Exit.TRY_LATER),
    (WriteOutcomeUnknown, Exit.UNKNOWN_OUTCOME),
    (RejectedError, Exit.REJECTED),
    (PeriodClosedError, Exit.REJECTED),
    (ConflictError, Exit.REJECTED),
    (ContractError, Exit.FAILURE),
)


def exit_for(error: ARError) -> Exit:
    """The exit code for a failure of this library."""
    for cls, code in _BY_CLASS:
        if isinstance(error, cls):
            return code
    return Exit.FAILURE
