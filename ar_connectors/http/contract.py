"""What does the transport need from whoever keeps the budgets? One small protocol; a store shared by processes, or one process.

`ar_connectors.store` has the shared one, `ar_connectors.http.budget.LocalBudget` the one for a single process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

__all__ = ["BudgetStore", "Reservation"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Permission to make one call now; or, with `slot` None, how long to wait before asking again."""

    slot: str | None
    wait: timedelta
    reason: str = ""
    """`rate`, `in_flight`, `server` (the platform told us to wait)."""


class BudgetStore(Protocol):
    """Rates and concurrency slots of a tenant, shared by all processes on one store (D9)."""

    def reserve_call(
        self, resource: str, rates: Sequence[tuple[int, timedelta]], max_in_flight: int, ttl: timedelta
    ) -> Reservation:
        """In one short transaction: a slot (it expires after `ttl` if its holder dies) and one unit of every rate
        (count, window) of `resource`, or nothing but the time to wait."""
        ...

    def release_call(self, reservation: Reservation) -> None:
        """Give the slot back; the rate units stay spent. Harmless when it has expired."""
        ...

    def block_until(self, resource: str, until: datetime) -> None:
        """The platform asked everybody to wait until then. Only ever prolongs a block."""
        ...
