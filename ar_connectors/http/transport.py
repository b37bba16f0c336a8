"""How does a request get its answer? Budget, signature, one exchange, what the answer means, and perhaps another try.

From the outside in: `send` -> repeat (retry.py) -> budget (budget.py) -> signature -> one exchange (exchange.py) -> dialect.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final, Self

from ar_connectors.clock import Clock
from ar_connectors.errors import (
    ARError,
    AuthError,
    ConfigurationError,
    ContractError,
    NotFoundError,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    RejectedError,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.events import CallFinished, Event, Retrying, Waiting
from ar_connectors.http.budget import ServerLimits, TenantBudget
from ar_connectors.http.deadline import check_deadline
from ar_connectors.http.endpoints import Endpoints, origin
from ar_connectors.http.exchange import Exchange, TransportSettings, Wire
from ar_connectors.http.messages import Dialect, Replay, Request, Response, Signer
from ar_connectors.http.meter import CallBudget, Meter, Usage
from ar_connectors.http.redact import Redactor
from ar_connectors.http.retry import Failure, RetryPolicy, Rule, Trouble, repeat
from ar_connectors.http.retry_after import parse_retry_after

__all__ = ["Transport"]

_REQUEST_IDS: Final = (
    "intuit_tid",
    "xero-correlation-id",
    "x-n-operationid",
    "x-request-id",
    "x-correlation-id",
)
"""Headers in which platforms name an answer, for their support."""


class Transport:
    """Sends requests for one connection. Thread-safe; closed with `close()` or by `with`.

    Args:
        platform: whose dialect is spoken; for errors, events and counters.
        tenant: the company, likewise.
        endpoints: where requests may go; to any other host nothing is sent.
        dialect: what answers mean.
        signer: puts credentials on each try; None for a request that carries its own (a token endpoint).
        clock: reads time and waits.
        jitter: random numbers in [0, 1), for backoff; `random.SystemRandom().random` outside tests.
        budget: the tenant's rates and slots; None for hosts that have none.
        policy: how patient to be.
        settings: timeouts, proxies, certificates.
        observer: hears every try, retry and wait.
        redactor: knows the secrets; shared with the signer.
        server_limits: reads limits off an answer's headers; they may only lower the budget.
    """

    def __init__(
        self,
        platform: str,
        tenant: str,
        endpoints: Endpoints,
        dialect: Dialect,
        signer: Signer | None = None,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        budget: TenantBudget | None = None,
        policy: RetryPolicy | None = None,
        settings: TransportSettings | None = None,
        observer: Callable[[Event], None] | None = None,
        redactor: Redactor | None = None,
        server_limits: Callable[[Response], ServerLimits | None] | None = None,
    ) -> None:
        self.platform, self.tenant, self.endpoints = platform, tenant, endpoints
        self.redactor = redactor if redactor is not None else Redactor()
        self.meter = Meter()
        self._dialect, self._signer = dialect, signer
        self._clock, self._jitter = clock, jitter
        self._budget, self._policy = budget, policy or RetryPolicy()
        self._observer = observer
        self._server_limits = server_limits
        self._wire = Wire(settings or TransportSettings(), clock, self.redactor)
        self._caps: tuple[CallBudget, ...] = ()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Transport({self.platform!r}, {self.tenant!r}, {self.endpoints.api!r})"

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def usage(self) -> Usage:
        """What was spent since the transport was made."""
        return self.meter.snapshot()

    @contextmanager
    def capped(self, cap: CallBudget) -> Iterator[CallBudget]:
        """Inside `with`, all threads together spend at most this."""
        with self._lock:
            self._caps = (*self._caps, cap)
        try:
            yield cap
        finally:
            with self._lock:
                self._caps = tuple(one for one in self._caps if one is not cap)

    def send(self, request: Request) -> Response:
        """Send a request and return its successful answer.

        Raises:
            ConfigurationError: it would go to a host that is not the platform's, or cannot be put on a wire.
            AuthError, PermissionDenied, RejectedError, ContractError, ...: what the dialect makes of the answer.
            TransientError: it kept failing.
            QuotaExhausted: a wait would be too long, or this run's cap is spent.
            WriteOutcomeUnknown: a write was sent and may have happened.
            LeaseLost: a write came too late for `writes_until`; nothing of this try was sent.
        """
        with self._explained(request):
            if origin(request.url) not in self.endpoints.origins:
                raise ConfigurationError(
                    f"{origin(request.url)} is not a host of this connection; nothing was sent",
                    advice="name the host in Endpoints if it belongs to the platform",
                )
            one = _Try(self, request)
            return repeat(
                request,
                one.run,
                policy=self._policy,
                clock=self._clock,
                jitter=self._jitter,
                before_wait=one.before_wait,
            )

    @contextmanager
    def _explained(self, request: Request) -> Iterator[None]:
        """Every error says whose it is and what was being done, and tells no secret."""
        try:
            yield
        except ARError as error:
            error.platform = error.platform or self.platform
            error.tenant = error.tenant or self.tenant
            error.operation = error.operation or request.operation
            self.redactor.clean(error)
            raise

    def tell(self, event: Event) -> None:
        """Hand an event to the observer."""
        if self._observer is not None:
            self._observer(event)

    def call(self, request: Request, number: int) -> Response | Failure:
        """One try: permission, signature, exchange, counters. For `_Try`."""
        caps = self._caps
        with ExitStack() as taken:
            for cap in caps:
                cap.take(request.metered_units)
                taken.callback(cap.give_back, request.metered_units)
            with ExitStack() as slot:
                if self._budget is not None:
                    slot.enter_context(self._budget.call(request.request_class, self._announce(request)))
                # Signed after the wait: a token that was good before it may have expired meanwhile.
                credentials = dict(self._signer.sign(request)) if self._signer is not None else {}
                self._learn(credentials)
                check_deadline(request, self._clock.now())
                exchange = self._wire.exchange(request, credentials)
            if _is_billed(exchange.outcome):
                taken.pop_all()
        self._count(request, exchange, number)
        return exchange.outcome

    def _announce(self, request: Request) -> Callable[[float, str], None]:
        def waiting(seconds: float, reason: str) -> None:
            self.meter.waited(seconds)
            self.tell(Waiting(self.platform, self.tenant, request.operation, seconds, reason))

        return waiting

    def _learn(self, credentials: dict[str, str]) -> None:
        for value in credentials.values():
            scheme, _, secret = value.partition(" ")
            if scheme.casefold() in {"bearer", "basic"}:
                self.redactor.add(secret)

    def _count(self, request: Request, exchange: Exchange, number: int) -> None:
        response = exchange.outcome if isinstance(exchange.outcome, Response) else None
        units = request.metered_units if response is not None and _is_success(response) else 0
        self.meter.exchange(
            request.operation,
            request.request_class,
            succeeded=response is not None and _is_success(response),
            sent=exchange.sent,
            received=exchange.received,
            decoded=exchange.decoded,
            metered_units=units,
        )
        if self._observer is None:
            return
        self._observer(
            CallFinished(
                self.platform,
                self.tenant,
                request.operation,
                request.method,
                origin(request.url).partition("://")[2],
                response.status if response is not None else None,
                exchange.seconds,
                exchange.sent,
                exchange.received,
                exchange.decoded,
                units,
                number,
                _request_id(response),
            )
        )

    def heed(self, response: Response) -> None:
        """Let what the answer says about limits lower the budget."""
        if self._budget is None or self._server_limits is None:
            return
        told = self._server_limits(response)
        if told is not None:
            self._budget.lower(told)

    def throttled(self, wait: timedelta | None) -> None:
        """Everybody on this tenant waits, not only the one who was told."""
        if self._budget is not None and wait:
            self._budget.block(self._clock.now() + wait)

    def blocked(self, error: QuotaExhausted) -> None:
        """The platform's quota is used up: nobody on this tenant needs to find that out again."""
        if self._budget is not None and error.resume_at is not None:
            self._budget.block(error.resume_at)

    def renewed(self, request: Request, response: Response) -> bool:
        """The platform answered 401: True when the signer has new credentials."""
        return self._signer is not None and self._signer.refused(request, response)

    def meaning(self, request: Request, response: Response) -> ARError | None:
        """What an answer stands for: the dialect's word, and ours where it has none."""
        if 300 <= response.status < 400 and response.status != 304:
            target = self.redactor.text(response.headers.get("location", "nowhere"))
            return ContractError(
                f"a redirect to {target} was not followed, it could take the credentials elsewhere",
                http_status=response.status,
                excerpt=self.redactor.excerpt(response.body),
            )
        error = self._dialect.error(request, response)
        if error is None and not _is_success(response) and response.status != 304:
            error = _plain_error(response, self.redactor)
        if error is not None:
            error.http_status = error.http_status or response.status
            error.request_id = error.request_id or _request_id(response)
        return error

    def retry_after(self, response: Response) -> timedelta | None:
        """The Retry-After of an answer, as a span of time."""
        value = response.headers.get("retry-after")
        return parse_retry_after(value, response.server_date or self._clock.now())


class _Try:
    """The tries of one request, and what is remembered between them."""

    def __init__(self, transport: Transport, request: Request) -> None:
        self._transport, self._request = transport, request
        self._renewed = False

    def run(self, number: int) -> Response | Failure:
        """One try, and a second one at once where new credentials are at hand."""
        outcome = self._transport.call(self._request, number)
        if isinstance(outcome, Response) and outcome.status == 401 and not self._renewed:
            # A 401 was not carried out, so this is right for writes too. Once: a second 401 is the answer.
            self._renewed = True
            if self._transport.renewed(self._request, outcome):
                self._note(number, 0.0, "new credentials after 401")
                outcome = self._transport.call(self._request, number)
        if isinstance(outcome, Failure):
            return outcome
        self._transport.heed(outcome)
        error = self._transport.meaning(self._request, outcome)
        return outcome if error is None else self._failure(error, outcome)

    def _failure(self, error: ARError, response: Response) -> Failure:
        """A failure that the table of rules knows, or the error itself, raised."""
        asked = self._transport.retry_after(response)
        if isinstance(error, RateLimited):
            wait = asked if asked is not None else error.retry_after
            self._transport.throttled(wait)
            error.retry_after = wait
            return Failure(Trouble.THROTTLED, error, wait, told=asked is not None)
        if isinstance(error, QuotaExhausted):
            self._transport.blocked(error)
            raise error
        if isinstance(error, TransientError) or (isinstance(error, ContractError) and response.status >= 500):
            return Failure(Trouble.SERVER_FAULT, error, asked)
        if (
            isinstance(error, ContractError)
            and self._request.replay is Replay.UNSAFE
            and _is_success(response)
        ):
            # It was accepted, and we cannot read what became of it.
            facts = {
                name: getattr(error, name)
                for name in ("http_status", "platform_code", "request_id", "excerpt")
            }
            raise WriteOutcomeUnknown(f"{error.message}; the platform answered {response.status}", **facts)
        raise error

    def before_wait(self, number: int, seconds: float, failure: Failure, rule: Rule) -> None:
        """Another try follows after so many seconds."""
        self._note(number, seconds, f"{failure.trouble.value}: {rule.reason}")
        if seconds > 0:
            self._transport.meter.waited(seconds)

    def _note(self, number: int, seconds: float, reason: str) -> None:
        transport = self._transport
        transport.meter.retried()
        transport.tell(
            Retrying(transport.platform, transport.tenant, self._request.operation, number, seconds, reason)
        )


def _is_success(response: Response) -> bool:
    return 200 <= response.status < 300


def _is_billed(outcome: Response | Failure) -> bool:
    """True when it is billed, or may be: without an answer nobody knows."""
    if isinstance(outcome, Response):
        return _is_success(outcome)
    return outcome.trouble is not Trouble.NOT_SENT


def _request_id(response: Response | None) -> str | None:
    if response is None:
        return None
    return next((response.headers[name] for name in _REQUEST_IDS if name in response.headers), None)


def _plain_error(response: Response, redactor: Redactor) -> ARError:
    """What a refusal means where the dialect has no opinion, by its status alone (RFC 9110, section 15)."""
    kinds: dict[int, type[ARError]] = {
        401: AuthError,
        403: PermissionDenied,
        404: NotFoundError,
        408: TransientError,
        425: TransientError,
        429: RateLimited,
    }
    kind = kinds.get(response.status)
    if kind is None:
        kind = (
            TransientError
            if response.status >= 500
            else RejectedError
            if response.status >= 400
            else ContractError
        )
    return kind(
        f"the platform answered {response.status}",
        http_status=response.status,
        excerpt=redactor.excerpt(response.body),
    )
