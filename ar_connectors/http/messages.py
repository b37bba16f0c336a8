"""What goes over the wire, and who may have a say in it? Requests, responses, and the two hooks an adapter supplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ar_connectors.errors import ARError

__all__ = ["Dialect", "Replay", "Request", "Response", "Signer"]


class Replay(StrEnum):
    """May a request be sent again when it is not known whether the first one was carried out?"""

    SAFE = "safe"
    """Reading, or a write the platform is proven to deduplicate."""
    UNSAFE = "unsafe"
    """A write. It is sent again only when it certainly did not happen (no connection, 429, 401)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, unsigned."""

    method: str
    url: str
    operation: str
    """For people and counters: `query Invoice`."""
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    replay: Replay = Replay.SAFE
    metered_units: int = 0
    """Billable units when it succeeds."""
    request_class: str = "call"
    """Which of the tenant's budgets it draws on besides the general one: `call`, `batch`."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, decompressed."""

    status: int
    headers: Mapping[str, str]
    """Keys in lower case."""
    body: bytes
    server_date: datetime | None
    """The Date header, UTC."""
    seconds: float


class Signer(Protocol):
    """Puts credentials on a request. Called anew for every try."""

    def sign(self, request: Request) -> Mapping[str, str]:
        """The headers to add. May refresh a token; raises AuthError."""
        ...

    def refused(self, request: Request, response: Response) -> bool:
        """The platform answered 401. True when new credentials are at hand and one more try makes sense."""
        ...


class Dialect(Protocol):
    """What an ERP's answers mean."""

    def error(self, request: Request, response: Response) -> ARError | None:
        """The failure an answer stands for, or None for success. A `RateLimited`, `TransientError` may be retried."""
        ...
