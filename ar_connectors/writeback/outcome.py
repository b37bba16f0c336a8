"""What follows from a failure? One pure decision for each error class, when sending and when looking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ar_connectors.connector import PendingWrite
from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    PeriodClosedError,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    RejectedError,
    StaleVersionError,
    TransientError,
    UnsupportedOperation,
)
from ar_connectors.store.contract import WriteState

__all__ = ["Decision", "DeliveryRules", "after_look", "after_send", "settled_at"]


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How patient a delivery is."""

    first_delay: timedelta = timedelta(seconds=30)
    """Before the second try; doubled with every further one."""
    longest_delay: timedelta = timedelta(hours=4)
    max_attempts: int = 16
    """Passing failures in a row before a command is given up (REJECTED, error kept); with these delays about a day."""
    settle: timedelta = timedelta(seconds=150)
    """A request whose answer was lost may still be carried out at the platform (QuickBooks works up to 120 seconds on
    one). Only after this time does "not found" mean "did not happen"."""
    failures_in_a_row: int = 3
    """So many commands in a row that met a passing failure end the run: the platform is down, not the command wrong."""
    quota_pause: timedelta = timedelta(hours=1)
    """Where the platform does not say when a quota opens again."""

    def delay(self, attempt: int) -> timedelta:
        """The wait after failed attempt number `attempt` (1, 2, ...)."""
        doubled: timedelta = self.first_delay * 2 ** min(max(attempt, 1) - 1, 30)
        return min(self.longest_delay, doubled)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a command after a failure."""

    state: WriteState
    not_before: datetime | None = None
    passing: bool = False
    """The platform was not well; the next command will probably meet the same."""
    stop: bool = False
    """No further command is tried in this run."""
    give_to_caller: bool = False
    """The error is raised once the command is safe again: a person has to act."""


def after_send(error: ARError, write: PendingWrite, now: datetime, rules: DeliveryRules) -> Decision:
    """The decision when placing failed. What is not known to be harmless counts as possibly carried out: UNKNOWN."""
    match error:
        case QuotaExhausted():
            return Decision(WriteState.PLANNED, error.resume_at or now + rules.quota_pause, stop=True)
        case RateLimited():
            pause = max(error.retry_after or timedelta(0), rules.delay(write.attempt))
            return _again(write, now + pause, rules)
        case TransientError() | StaleVersionError():
            return _again(write, now + rules.delay(write.attempt), rules)
        case RejectedError() | PeriodClosedError() | PermissionDenied() | UnsupportedOperation():
            return Decision(WriteState.REJECTED)
        case AuthError() | ConfigurationError():
            return Decision(WriteState.PLANNED, give_to_caller=True)
        case _:
            # A second or later try may still be on its way although the first is long settled.
            again = write.attempt > 1 or write.first_sent_at is not None
            return Decision(WriteState.UNKNOWN, now + rules.settle if again else None, passing=True)


def after_look(error: ARError, write: PendingWrite, now: datetime, rules: DeliveryRules) -> Decision:
    """The decision when looking for an earlier attempt failed: it cannot be told, so the command stays unknown."""
    match error:
        case QuotaExhausted():
            return Decision(WriteState.UNKNOWN, error.resume_at or now + rules.quota_pause, stop=True)
        case RateLimited():
            pause = max(error.retry_after or timedelta(0), rules.delay(write.attempt))
            return Decision(WriteState.UNKNOWN, now + pause, passing=True)
        case PermissionDenied():
            return Decision(WriteState.UNKNOWN, now + rules.longest_delay)
        case AuthError() | ConfigurationError():
            return Decision(WriteState.UNKNOWN, give_to_caller=True)
        case _:
            return Decision(WriteState.UNKNOWN, now + rules.delay(write.attempt), passing=True)


def settled_at(write: PendingWrite, rules: DeliveryRules) -> datetime | None:
    """From when on "not found" proves that nothing happened; None where no byte is known to have gone out."""
    return None if write.first_sent_at is None else write.first_sent_at + rules.settle


def _again(write: PendingWrite, when: datetime, rules: DeliveryRules) -> Decision:
    if write.attempt >= rules.max_attempts:
        return Decision(WriteState.REJECTED, passing=True)
    return Decision(WriteState.PLANNED, when, passing=True)
