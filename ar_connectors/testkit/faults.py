"""What can go wrong, by name? A plan of faults: which, in what operation, how often, after how many calls.

    faults.add("rate_limited", on="query *", times=2)
    faults.add("timeout_after_commit", on="create Attachable")
    faults.add("server_error", times=None, chance=0.05)   # one call in twenty, the same ones for the same seed

How a fault looks is the emulator's business: `NAMES` says what each means, an emulator's `Fidelity.faults` how it looks there.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

__all__ = ["NAMES", "OUTAGES", "Fault", "FaultPlan"]

OUTAGES: Final[Mapping[str, str]] = {
    "connect_refused": "nothing listens at the address",
    "connect_timeout": "the address swallows connection attempts",
}
"""Faults of the server as a whole: `handle.outage(name)`."""

NAMES: Final[Mapping[str, str]] = {
    "timeout_before_commit": "no answer, and nothing was done (option seconds: the connection is closed after them, default 120)",
    "timeout_after_commit": "no answer, and it was done (option seconds, as above)",
    "reset_before_commit": "the connection is reset, and nothing was done",
    "reset_mid_body": "the connection is reset in the middle of the answer",
    "truncated_gzip": "the compressed answer ends too early",
    "unauthorized": "401: the access token is refused this once",
    "token_killed": "401: all access tokens are dead from now on; refreshing helps",
    "invalid_grant": "the token endpoint refuses the refresh token (on a token operation)",
    "grant_revoked": "all tokens are dead for good: the user must consent again",
    "forbidden": "403: the app is not authorized for the company",
    "permission_denied": "the connecting user may not use the feature",
    "rate_limited": "429 that does not say how long to wait",
    "rate_limited_with_retry_after": "429 with Retry-After (option seconds, default 2)",
    "quota_exhausted": "429 until it is cleared, also after waiting: the allowance of the month or day is used up",
    "server_error": "500 of the service itself",
    "service_unavailable": "503 with an HTML page",
    "gateway_xml": "500 as XML although JSON was asked for",
    "gateway_fault": "500 of a gateway, in another shape than the service's own errors",
    "fault_with_200": "a refusal with status 200",
    "stale_version": "refused, as if somebody else had been faster",
    "period_closed": "refused, because the books are closed",
    "duplicate_request_id": "refused, because the idempotency key was used before",
    "subscription_lapsed": "refused, because the company no longer pays for the service",
    "clock_skew": "server times are wrong (option seconds, default 3600)",
    "cdc_cap": "more changed than one call can tell (option size: how many it tells, default 5)",
    "unknown_enum": "rows hold values nobody has documented",
    "slow": "the answer comes late (option seconds, default 0.15)",
}


@dataclass(slots=True)
class Fault:
    """One entry of the plan."""

    name: str
    on: str = "*"
    """Pattern of the operation, as in `Stats.calls`; `*` matches anything."""
    times: int | None = 1
    """How often it strikes; None: until cleared."""
    after: int = 0
    """How many matching calls go well before."""
    chance: float = 1.0
    """How likely it is to strike a matching call, from 0 to 1."""
    options: dict[str, Any] = field(default_factory=dict)


class FaultPlan:
    """Faults waiting to strike. Thread-safe. The first that matches a call strikes; the others wait.

    Args:
        seed: of the luck of faults that strike by chance.
    """

    def __init__(self, seed: str = "1") -> None:
        self._lock = threading.Lock()
        self._luck = random.Random(seed)
        self._faults: list[Fault] = []

    def add(
        self,
        name: str,
        *,
        on: str = "*",
        times: int | None = 1,
        after: int = 0,
        chance: float = 1.0,
        **options: Any,
    ) -> Fault:
        """Plan a fault. `quota_exhausted` stays until cleared unless `times` says otherwise. Raises KeyError for a name that
        is none, ValueError for a chance that is no probability."""
        if not 0 <= chance <= 1:
            raise ValueError(f"a chance is from 0 to 1, not {chance}")
        if name not in NAMES:
            raise KeyError(f"there is no fault {name!r}; there are {', '.join(sorted(NAMES))}")
        if name == "quota_exhausted" and times == 1:
            times = None
        fault = Fault(name, on, times, after, chance, options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    @property
    def pending(self) -> list[Fault]:
        """What has not struck yet."""
        with self._lock:
            return list(self._faults)

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call, used up by that."""
        with self._lock:
            for fault in self._faults:
                if not fnmatchcase(operation, fault.on):
                    continue
                if fault.name == "invalid_grant" and not operation.startswith("token"):
                    continue
                if (
                    fault.on == "*"
                    and fault.name != "invalid_grant"
                    and operation.startswith(("token", "consent", "openid"))
                ):
                    continue  # a plan for everything means the API; token calls are named
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.chance < 1 and self._luck.random() >= fault.chance:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None
