"""When is a request sent again, and after how long? A policy as a value, a table of rules with their reasons, on tenacity.

All this stands above the signing: every try is signed anew. Nothing below repeats anything (docs/adr/0003-http-and-retries.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NoReturn

import tenacity

from ar_connectors.clock import Clock
from ar_connectors.errors import ARError, QuotaExhausted, WriteOutcomeUnknown
from ar_connectors.http.messages import Replay, Request, Response

__all__ = [
    "RULES",
    "Failure",
    "RetryPolicy",
    "Rule",
    "Trouble",
    "Verdict",
    "repeat",
    "rule_for",
]


class Trouble(StrEnum):
    """What went wrong with one try."""

    NOT_SENT = "not_sent"
    """No connection: refused, no such host, connect timeout, no proxy. Not one byte of the request left."""
    NO_ANSWER = "no_answer"
    """The request left, wholly or in part, and no status line came: read timeout, reset."""
    BROKEN_BODY = "broken_body"
    """A status line came, and then the body broke off or was no valid gzip."""
    THROTTLED = "throttled"
    """The platform refused to look at it now: HTTP 429, or what its dialect says means the same."""
    SERVER_FAULT = "server_fault"
    """The platform failed on it: HTTP 5xx, a proxy's error page, or what its dialect calls transient."""


class Verdict(StrEnum):
    """What follows from it."""

    RETRY = "retry"
    OUTCOME_UNKNOWN = "outcome_unknown"
    """It may have happened: WriteOutcomeUnknown, and somebody has to look."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    trouble: Trouble
    replay: Replay
    verdict: Verdict
    reason: str


RULES: Final[tuple[Rule, ...]] = (
    Rule(Trouble.NOT_SENT, Replay.SAFE, Verdict.RETRY, "nothing was sent"),
    Rule(Trouble.NOT_SENT, Replay.UNSAFE, Verdict.RETRY, "nothing was sent, so nothing can have happened"),
    Rule(Trouble.NO_ANSWER, Replay.SAFE, Verdict.RETRY, "asking again changes nothing"),
    Rule(
        Trouble.NO_ANSWER,
        Replay.UNSAFE,
        Verdict.OUTCOME_UNKNOWN,
        "the platform may have carried it out and only its answer was lost",
    ),
    Rule(
        Trouble.BROKEN_BODY,
        Replay.SAFE,
        Verdict.RETRY,
        "half an answer is none, and asking again changes nothing",
    ),
    Rule(
        Trouble.BROKEN_BODY,
        Replay.UNSAFE,
        Verdict.OUTCOME_UNKNOWN,
        "it was answered, and the answer cannot be read",
    ),
    Rule(Trouble.THROTTLED, Replay.SAFE, Verdict.RETRY, "it was turned away, not carried out"),
    Rule(
        Trouble.THROTTLED,
        Replay.UNSAFE,
        Verdict.RETRY,
        "it was turned away at the door, so it did not happen",
    ),
    Rule(
        Trouble.SERVER_FAULT, Replay.SAFE, Verdict.RETRY, "such faults pass, and asking again changes nothing"
    ),
    Rule(
        Trouble.SERVER_FAULT,
        Replay.UNSAFE,
        Verdict.OUTCOME_UNKNOWN,
        "the fault may have come after the deed, or from a gateway in front of it",
    ),
)
"""Every trouble for both kinds of request. What is not here (a plain refusal, a 401) is never repeated by this layer."""

_RULES: Final = {(rule.trouble, rule.replay): rule for rule in RULES}


def rule_for(trouble: Trouble, replay: Replay) -> Rule:
    """The line of the table that applies."""
    return _RULES[trouble, replay]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a connection is. All times in seconds."""

    attempts: int = 5
    """Tries in all for one request. Being throttled does not count; `throttle_total` bounds it."""
    base: float = 0.5
    """The first backoff is a random time below this (full jitter), the next below twice as much."""
    longest_backoff: float = 30.0
    total: float = 300.0
    """No try begins later than this after the first one began."""
    retry_after_cap: float = 120.0
    """A longer wait that the platform asks for is not made: QuotaExhausted says when to come back."""
    throttle_total: float = 180.0
    """Throttled for this long, waits included, means a used-up quota and no short rush."""

    def backoff(self, attempt: int, jitter: float) -> float:
        """How long to wait after the `attempt`-th try (from 1). `jitter` is in [0, 1): full jitter."""
        # The exponent is bounded, or a long run of tries would overflow before the cap could apply.
        return jitter * min(self.longest_backoff, self.base * 2.0 ** min(attempt - 1, 30))


@dataclass(frozen=True, slots=True)
class Failure:
    """One try that failed in a way the table knows."""

    trouble: Trouble
    error: ARError
    """What the caller gets when there is no further try."""
    retry_after: timedelta | None = None
    """How long to wait: what the platform asked for, or what its documentation says."""
    told: bool = True
    """Whether this answer itself asked for it."""


def repeat(
    request: Request,
    attempt: Callable[[int], Response | Failure],
    *,
    policy: RetryPolicy,
    clock: Clock,
    jitter: Callable[[], float],
    before_wait: Callable[[int, float, Failure, Rule], None],
) -> Response:
    """Try until it succeeds or the rules say stop. `attempt` gets the number of the try, from 1, and may raise what is final;
    `before_wait` hears of every further try: number of the try that failed, seconds to wait, what failed, by which rule.

    Raises:
        WriteOutcomeUnknown: a write may have happened.
        QuotaExhausted: the platform asked for a wait beyond the cap, or throttled us for too long.
        ARError: the last failure.
    """
    plan = _Plan(request, policy, clock, jitter)
    first = attempt(1)
    if isinstance(first, Response):
        return first  # nearly always; what follows would take a tenth of a small call

    def announce(state: tenacity.RetryCallState) -> None:
        failure = _failure(state)
        before_wait(
            state.attempt_number, plan.wait_seconds, failure, rule_for(failure.trouble, request.replay)
        )

    def give_up(state: tenacity.RetryCallState) -> NoReturn:
        raise plan.verdict or _failure(state).error

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda outcome: isinstance(outcome, Failure)),
        stop=plan.stops,
        wait=plan.waits,
        sleep=clock.sleep,
        before_sleep=announce,
        retry_error_callback=give_up,
    )
    number = 0

    def once() -> Response | Failure:
        nonlocal number
        number += 1
        return attempt(number) if number > 1 else first

    outcome: Response | Failure = retrying(once)
    if isinstance(outcome, Failure):  # pragma: no cover - give_up raises; this tells the type checker
        raise outcome.error
    return outcome


def _failure(state: tenacity.RetryCallState) -> Failure:
    outcome = state.outcome
    result = outcome.result() if outcome is not None else None
    if not isinstance(
        result, Failure
    ):  # pragma: no cover - tenacity asks only about results that want a retry
        raise TypeError(f"a try ended in {result!r}")
    return result


class _Plan:
    """Decides once after each failed try of one request, whichever of the two questions comes first."""

    def __init__(
        self, request: Request, policy: RetryPolicy, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._request, self._policy, self._clock, self._jitter = request, policy, clock, jitter
        self._began = clock.monotonic()
        self._throttled_since: float | None = None
        self._counted = 0
        self._decided = 0
        self.wait_seconds = 0.0
        self.verdict: ARError | None = None

    def waits(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next try."""
        self._decide(state)
        return self.wait_seconds

    def stops(self, state: tenacity.RetryCallState) -> bool:
        """True when there is no further try; `verdict` is then what to raise."""
        self._decide(state)
        return self.verdict is not None

    def _decide(self, state: tenacity.RetryCallState) -> None:
        if state.attempt_number == self._decided:
            return
        self._decided = state.attempt_number
        failure = _failure(state)
        rule = rule_for(failure.trouble, self._request.replay)
        if rule.verdict is Verdict.OUTCOME_UNKNOWN:
            self.verdict = _unknown(failure.error, rule)
            return
        asked = failure.retry_after.total_seconds() if failure.retry_after is not None else None
        # A wait of zero that is asked for again and again would be a hammer, so zero means our own backoff.
        self.wait_seconds = asked or self._policy.backoff(state.attempt_number, self._jitter())
        if failure.trouble is Trouble.THROTTLED:
            self.verdict = self._throttled(failure.error, asked, told=failure.told)
        else:
            self._throttled_since = None
            self._counted += 1
            self.verdict = self._failed(failure.error, asked)

    def _throttled(self, error: ARError, asked: float | None, *, told: bool) -> ARError | None:
        now = self._clock.monotonic()
        if self._throttled_since is None:
            self._throttled_since = now
        # A usual wait did not help: then only the platform's own word says when it opens again.
        resume_at = self._clock.now() + timedelta(seconds=asked) if asked and told else None
        if asked is not None and asked > self._policy.retry_after_cap:
            return _exhausted(error, resume_at, f"the platform asks to wait {asked:.0f} seconds")
        spent = now - self._throttled_since + self.wait_seconds
        if spent > self._policy.throttle_total or self._is_late():
            waited = (
                f"throttled for {now - self._throttled_since:.0f} seconds: this looks like a used-up quota"
            )
            return _exhausted(error, resume_at, waited)
        return None

    def _failed(self, error: ARError, asked: float | None) -> ARError | None:
        if asked is not None and asked > self._policy.retry_after_cap:
            error.advice = f"the platform asks to come back in {asked:.0f} seconds"
            return error
        if self._counted >= self._policy.attempts or self._is_late():
            tries = f"{self._counted} tries" if self._counted > 1 else "one try"
            error.message = f"{error.message} (after {tries})"
            return error
        return None

    def _is_late(self) -> bool:
        return self._clock.monotonic() - self._began + self.wait_seconds > self._policy.total


def _unknown(error: ARError, rule: Rule) -> WriteOutcomeUnknown:
    return error.told_as(WriteOutcomeUnknown, message=f"{error.message}; {rule.reason}")


def _exhausted(error: ARError, resume_at: datetime | None, why: str) -> QuotaExhausted:
    advice = (
        None
        if resume_at is not None
        else "look at the usage of this app at the platform, and run again later"
    )
    return error.told_as(
        QuotaExhausted, message=f"{error.message}; {why}", advice=advice, resume_at=resume_at
    )
