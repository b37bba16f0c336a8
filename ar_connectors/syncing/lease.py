"""Are we still the one who works on this stream? A lease that is kept alive while its stream is read.

A thread renews it, so that a long wait for the platform does not cost it. A process that is stopped as a whole does not renew:
its lease runs out, another worker takes over with a higher fence, and the commit of the late page is refused (design D8).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import Self

from ar_connectors.clock import Clock
from ar_connectors.errors import LeaseLost
from ar_connectors.store.contract import Lease, LeaseStore

__all__ = ["LeaseKeeper", "lease_name"]


def lease_name(connection_id: str, stream: str) -> str:
    """The name under which a stream of a connection is leased."""
    return f"sync:{connection_id}:{stream}"


class LeaseKeeper:
    """Holds the leases of one run by name and renews them every third of their time. A context manager: at its end all that
    are still held are given back. Thread-safe."""

    def __init__(self, store: LeaseStore, owner: str, ttl: timedelta, clock: Clock) -> None:
        self._store = store
        self._owner = owner
        self._ttl = ttl
        self._clock = clock
        self._guard = threading.Lock()
        self._held: dict[str, Lease] = {}
        self._lost: dict[str, Exception] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"leases of {owner}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for name in tuple(self._held):
            self.release(name)

    def acquire(self, name: str) -> bool:
        """Take a lease; False when another owner holds it."""
        lease = self._store.acquire_lease(name, self._owner, self._ttl)
        if lease is None:
            return False
        with self._guard:
            self._held[name] = lease
        return True

    def holds(self, name: str) -> bool:
        """Whether the lease was taken here and not given back yet."""
        with self._guard:
            return name in self._held

    def current(self, name: str) -> Lease:
        """The lease to commit under, renewed when less than half of its time is left by the clock. Raises LeaseLost when it is no
        longer ours, and what a renewal in the background raised."""
        with self._guard:
            if (problem := self._lost.get(name)) is not None:
                raise problem
            lease = self._held[name]
            if lease.expires_at - self._clock.now() < self._ttl / 2:
                lease = self._held[name] = self._store.renew_lease(lease, self._ttl)
            return lease

    def release(self, name: str) -> None:
        """Give a lease back; nothing happens when it is not held."""
        with self._guard:
            lease = self._held.pop(name, None)
            lost = self._lost.pop(name, None)
        if lease is not None and not isinstance(lost, LeaseLost):
            self._store.release_lease(lease)

    def _beat(self) -> None:
        while not self._over.wait(self._ttl.total_seconds() / 3):
            for name in self._names():
                self._renew(name)

    def _names(self) -> Iterable[str]:
        with self._guard:
            return tuple(name for name in self._held if name not in self._lost)

    def _renew(self, name: str) -> None:
        with self._guard:
            lease = self._held.get(name)
            if lease is None:
                return
            try:
                self._held[name] = self._store.renew_lease(lease, self._ttl)
            except Exception as error:  # noqa: BLE001  kept, and raised where the lease is used next
                self._lost[name] = error
