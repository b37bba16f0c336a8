"""What must an emulator have, so that the server, the control API and the stories can work with it, whatever ERP it plays?"""

from __future__ import annotations

import threading
from typing import Any, Protocol

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call, Reply
from ar_connectors.testkit.faults import FaultPlan
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.stats import Stats
from ar_connectors.testkit.webhooks import Notice

__all__ = ["Emulator"]


class Emulator(Protocol):
    """One company at one ERP."""

    ledger: Ledger
    """Its books; used under `lock`."""
    lock: threading.RLock
    clock: ScriptedClock
    faults: FaultPlan
    stats: Stats
    lies: Lies

    def handle(self, call: Call, in_flight: int = 1) -> tuple[Reply, str | None]:
        """Answer a call, and the name of the fault that struck."""
        ...

    webhook_retries: tuple[float, ...]
    """Seconds until each further attempt to send a notice that was not taken."""

    def notice(self, shape: str) -> Notice | None:
        """What no app was told yet, in one of the ERP's shapes. Raises ValueError for what cannot be. The caller holds the lock."""
        ...

    def told(self, notice: Notice) -> None:
        """A notice was taken, or given up. The caller holds the lock."""
        ...

    def notify(self, url: str, *, shape: str = "") -> dict[str, Any]:
        """Send to a webhook receiver what happened since the last time it took something, in the ERP's way (`shape`: one of
        several). Returns how it went. Raises OSError when nobody answers, ValueError for what cannot be."""
        ...
