"""Start an emulator on this machine: context managers for tests, and a server for people and other languages.

with start_quickbooks(invoices=2000) as quickbooks:
    client = MyClient(quickbooks.base_url, quickbooks.tenant, quickbooks.access_token)
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.netsuite.start import Handle as NetSuiteHandle
from ar_connectors.testkit.netsuite.start import start_netsuite
from ar_connectors.testkit.quickbooks.start import Handle, start_quickbooks
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.xero.start import XeroHandle, start_xero

__all__ = [
    "STARTERS",
    "Handle",
    "NetSuiteHandle",
    "XeroHandle",
    "serve_forever",
    "start_netsuite",
    "start_quickbooks",
    "start_xero",
]

STARTERS: Final[Mapping[str, Callable[..., AbstractContextManager[Running[Any]]]]] = {
    "quickbooks": start_quickbooks,
    "xero": start_xero,
    "netsuite": start_netsuite,
}
"""How each emulator is started, by the ERP's name. All take port, invoices, seed, clock and limits."""


def serve_forever(
    erp: str,
    *,
    port: int = 0,
    invoices: int = 200,
    seed: int = 1,
    now: datetime | None = None,
    **options: Any,
) -> None:
    """Print one JSON line (`Running.as_json`) and serve until interrupted, with published limits, on a clock that runs on
    from `now` (by default the machine's time). The same seed, size and `now` give the same company. Raises ValueError for an
    ERP there is no emulator of."""
    if erp not in STARTERS:
        raise ValueError(f"there is no emulator of {erp!r}; there are: {', '.join(STARTERS)}")
    clock = ScriptedClock(now, running=True)
    with STARTERS[erp](
        port=port, invoices=invoices, seed=seed, clock=clock, limits=True, **options
    ) as running:
        sys.stdout.write(json.dumps(running.as_json()) + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
