"""Start an emulator on this machine: a context manager for tests, and a server for people and other languages.

with start_quickbooks(invoices=2000) as quickbooks:
client = MyClient(quickbooks.base_url, quickbooks.tenant, quickbooks.access_token)
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import generate
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.quickbooks import Limits, QuickBooks
from ar_connectors.testkit.running import Running, listening

__all__ = ["Handle", "serve_forever", "start_quickbooks"]


class Handle(Running[QuickBooks]):
    """A running emulator of QuickBooks."""

    __slots__ = ()


@contextmanager
def start_quickbooks(
    *,
    invoices: int = 200,
    seed: int = 1,
    ledger: Ledger | None = None,
    clock: ScriptedClock | None = None,
    now: datetime | None = None,
    port: int = 0,
    limits: Limits | bool = False,
    requestids: Literal["replay", "ignore", "reject"] = "replay",
    multicurrency: bool = True,
    touch_links: bool = True,
) -> Iterator[Handle]:
    """Serve a QuickBooks company on 127.0.0.1 until the block ends.

    Args:
        invoices: size of the generated company; not used with `ledger`.
        seed: the same seed gives the same company.
        ledger: books of your own; its `now` is replaced by the clock's.
        clock: time of the emulator; by default one that stands at `now`, or runs from the machine's time without it.
        now: moment at which the company's history ends.
        port: 0 for any free one.
        limits: True for Intuit's published rate limits, measured on `clock`: with a clock that stands still, calls of a
            client that does not share it are all in the same second.
        requestids: what a repeated requestid does.
        multicurrency: whether the generated company has customers in EUR.
        touch_links: whether a payment gives what it pays a new version; Intuit does not say.
    """
    if clock is None:
        clock = ScriptedClock(now) if now is not None else ScriptedClock(running=True)
    if ledger is None:
        ledger = generate(
            seed, invoices=invoices, now=clock.now(), multicurrency=multicurrency, touch_links=touch_links
        )
    ledger.now = clock.now
    allowed = limits if isinstance(limits, Limits) else Limits() if limits else None
    service = QuickBooks(ledger, clock, limits=allowed, requestids=requestids, seed=str(seed))
    access, refresh = service.authority.grant()
    with listening(service, port) as ports:
        service.base_url = url = ports.api.url
        yield Handle(
            erp="quickbooks",
            base_url=url,
            tenant=service.realm,
            client_id=service.authority.client_id,
            client_secret=service.authority.client_secret,
            access_token=access,
            refresh_token=refresh,
            token_url=f"{url}/oauth2/v1/tokens/bearer",
            authorize_url=f"{url}/connect/oauth2",
            revoke_url=f"{url}/v2/oauth2/tokens/revoke",
            service=service,
            ports=ports,
        )


def serve_forever(
    erp: str,
    *,
    port: int = 0,
    invoices: int = 200,
    seed: int = 1,
    now: datetime | None = None,
    **options: Any,
) -> None:
    """Print one JSON line (`Handle.as_json`) and serve until interrupted, with published limits, on a clock that runs on
    from `now` (by default the machine's time). The same seed, size and `now` give the same company. Raises ValueError for an
    ERP there is no emulator of."""
    if erp != "quickbooks":
        raise ValueError(f"there is no emulator of {erp!r}; there is: quickbooks")
    clock = ScriptedClock(now, running=True)
    with start_quickbooks(
        port=port, invoices=invoices, seed=seed, clock=clock, limits=True, **options
    ) as handle:
        sys.stdout.write(json.dumps(handle.as_json()) + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
