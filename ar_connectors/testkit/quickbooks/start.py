"""Start the emulator of QuickBooks on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.quickbooks.limits import Limits
from ar_connectors.testkit.quickbooks.service import QuickBooks
from ar_connectors.testkit.running import Running, company, listening

__all__ = ["Handle", "start_quickbooks"]


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
        touch_links: whether a payment gives what it pays a new version, and a voided document the payments that let go of
            it; Intuit does not say.
    """
    ledger, clock = company(
        seed,
        invoices,
        ledger=ledger,
        clock=clock,
        now=now,
        multicurrency=multicurrency,
        touch_links=touch_links,
    )
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
