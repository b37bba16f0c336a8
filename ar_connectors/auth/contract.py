"""What does token handling need from a store? Leases and tokens at rest, as two small protocols.

`ar_connectors.store` has them for several processes, `ar_connectors.auth.memory` for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

__all__ = ["Lease", "LeaseStore", "TokenStore"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on something, until it expires. `fence` only ever grows; a commit with an old fence is refused."""

    name: str
    owner: str
    fence: int
    expires_at: datetime


class LeaseStore(Protocol):
    """Who works on what, across processes."""

    def acquire_lease(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a free or expired lease (its fence is then one higher); None when another owner holds it."""
        ...

    def renew_lease(self, lease: Lease, ttl: timedelta) -> Lease:
        """Prolong it, same fence. Raises LeaseLost when it is no longer ours."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give it back; silently nothing when it is no longer ours."""
        ...


class TokenStore(Protocol):
    """Tokens at rest, encrypted, with compare-and-swap."""

    def load_tokens(self, connection_id: str) -> tuple[Mapping[str, Any], int] | None:
        """The decrypted token document and its version; None when there is none."""
        ...

    def save_tokens(self, connection_id: str, tokens: Mapping[str, Any], expected_version: int) -> int:
        """Store a new document if the stored version is still `expected_version` (0: none yet); returns the new version.
        Raises ConflictError otherwise."""
        ...
