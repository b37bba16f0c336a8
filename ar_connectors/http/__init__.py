"""HTTP with patience: timeouts, retries where they are safe, budgets, counters, and no secret in any log."""

from ar_connectors.http.budget import Limits, LocalBudget, RateLimit, ServerLimits, TenantBudget
from ar_connectors.http.contract import BudgetStore, Reservation
from ar_connectors.http.deadline import writes_until
from ar_connectors.http.endpoints import Endpoints
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.http.messages import Dialect, Replay, Request, Response, Signer
from ar_connectors.http.meter import CallBudget, Meter, Usage
from ar_connectors.http.redact import Redactor, excerpt, redact
from ar_connectors.http.retry import RetryPolicy, parse_retry_after
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
    "redact",
    "writes_until",
]
