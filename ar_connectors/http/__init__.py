"""HTTP with patience: timeouts, retries where they are safe, budgets, counters, and no secret in any log."""

from typing import TYPE_CHECKING

from ar_connectors.lazy import face as _face

if TYPE_CHECKING:
    from ar_connectors.http.budget import Limits, LocalBudget, RateLimit, ServerLimits, TenantBudget
    from ar_connectors.http.contract import BudgetStore, Reservation
    from ar_connectors.http.deadline import writes_until
    from ar_connectors.http.endpoints import Endpoints
    from ar_connectors.http.exchange import TransportSettings
    from ar_connectors.http.messages import Dialect, Replay, Request, Response, Signer
    from ar_connectors.http.meter import CallBudget, Meter, Usage
    from ar_connectors.http.redact import Redactor, excerpt
    from ar_connectors.http.retry import RetryPolicy
    from ar_connectors.http.retry_after import parse_retry_after
    from ar_connectors.http.transport import Transport

__all__ = [
    "BudgetStore",
    "CallBudget",
    "Dialect",
    "Endpoints",
    "Limits",
    "LocalBudget",
    "Meter",
    "RateLimit",
    "Redactor",
    "Replay",
    "Request",
    "Reservation",
    "Response",
    "RetryPolicy",
    "ServerLimits",
    "Signer",
    "TenantBudget",
    "Transport",
    "TransportSettings",
    "Usage",
    "excerpt",
    "parse_retry_after",
    "writes_until",
]

_HOMES = {
    "BudgetStore": "contract",
    "CallBudget": "meter",
    "Dialect": "messages",
    "Endpoints": "endpoints",
    "Limits": "budget",
    "LocalBudget": "budget",
    "Meter": "meter",
    "RateLimit": "budget",
    "Redactor": "redact",
    "Replay": "messages",
    "Request": "messages",
    "Reservation": "contract",
    "Response": "messages",
    "RetryPolicy": "retry",
    "ServerLimits": "budget",
    "Signer": "messages",
    "TenantBudget": "budget",
    "Transport": "transport",
    "TransportSettings": "exchange",
    "Usage": "meter",
    "excerpt": "redact",
    "parse_retry_after": "retry_after",
    "writes_until": "deadline",
}

if not TYPE_CHECKING:  # a type checker would believe that every name exists
    __getattr__, __dir__ = _face(__name__, _HOMES)
