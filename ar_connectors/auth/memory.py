"""Tokens and leases of one process, for programs without a database and for tests. Nothing survives the process."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ar_connectors.auth.contract import Lease
from ar_connectors.clock import Clock
from ar_connectors.errors import ConflictError, LeaseLost

__all__ = ["MemoryStore"]


class MemoryStore:
    """A `TokenStore` and a `LeaseStore` for the threads of one process.

    Good for one process only: a second one that refreshes the same tokens would end the first one's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[Mapping[str, Any], int]] = {}
        self._leases: dict[str, Lease] = {}

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._tokens)} connections)"

    def load_tokens(self, connection_id: str) -> tuple[Mapping[str, Any], int] | None:
        """The document and its version; None when there is none."""
        with self._lock:
            return copy.deepcopy(self._tokens.get(connection_id))

    def save_tokens(self, connection_id: str, tokens: Mapping[str, Any], expected_version: int) -> int:
        """Store it if the version is still the expected one (0: none yet); the new version. Raises ConflictError."""
        with self._lock:
            known = self._tokens.get(connection_id)
            if (known[1] if known is not None else 0) != expected_version:
                raise ConflictError(
                    f"the tokens of {connection_id} changed meanwhile", advice="read them again"
                )
            self._tokens[connection_id] = (copy.deepcopy(dict(tokens)), expected_version + 1)
            return expected_version + 1

    def acquire_lease(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a free or expired lease; None when another owner holds it."""
        with self._lock:
            now = self._clock.now()
            known = self._leases.get(name)
            if known is not None and known.expires_at > now and known.owner != owner:
                return None
            self._leases[name] = Lease(name, owner, known.fence + 1 if known is not None else 1, now + ttl)
            return self._leases[name]

    def renew_lease(self, lease: Lease, ttl: timedelta) -> Lease:
        """Prolong it, same fence. Raises LeaseLost when it is no longer ours."""
        with self._lock:
            known = self._leases.get(lease.name)
            now = self._clock.now()
            if known is None or known.fence != lease.fence or known.expires_at <= now:
                raise LeaseLost(f"the lease {lease.name} is no longer ours")
            self._leases[lease.name] = Lease(lease.name, lease.owner, lease.fence, now + ttl)
            return self._leases[lease.name]

    def release_lease(self, lease: Lease) -> None:
        """Give it back; nothing happens when it is no longer ours. The fence goes on growing."""
        with self._lock:
            known = self._leases.get(lease.name)
            if known is not None and known.fence == lease.fence:
                self._leases[lease.name] = Lease(lease.name, lease.owner, lease.fence, self._clock.now())
