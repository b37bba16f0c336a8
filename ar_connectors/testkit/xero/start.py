"""Start the emulator of Xero on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.running import Running, company, listening
from ar_connectors.testkit.xero.limits import Limits
from ar_connectors.testkit.xero.oauth import Kind
from ar_connectors.testkit.xero.service import Xero
from ar_connectors.testkit.xero.writes import PartPaid

__all__ = ["XeroHandle", "start_xero"]


class XeroHandle(Running[Xero]):
    """A running emulator of Xero."""

    __slots__ = ()


@contextmanager
def start_xero(
    *,
    invoices: int = 200,
    seed: int = 1,
    ledger: Ledger | None = None,
    clock: ScriptedClock | None = None,
    now: datetime | None = None,
    port: int = 0,
    limits: Limits | bool = False,
    app: Kind = "web",
    bills: int | None = None,
    refunds: int = 0,
    part_paid: PartPaid = "refuse",
    note_limit: int = 2500,
    high_volume: int = 100_000,
    multicurrency: bool = True,
    touch_links: bool = True,
) -> Iterator[XeroHandle]:
    """Serve a Xero company on 127.0.0.1 until the block ends. `base_url` stands for `https://api.xero.com`.

    Args:
        invoices: size of the generated company; not used with `ledger`.
        seed: the same seed gives the same company.
        ledger: books of your own; its `now` is replaced by the clock's.
        clock: time of the emulator; by default one that stands at `now`, or runs from the machine's time without it.
        now: moment at which the company's history ends.
        port: 0 for any free one.
        limits: True for Xero's published rate limits, measured on `clock`.
        app: `web` (with a secret), `pkce` (without one), or `custom` (a custom connection: client_credentials only).
        bills: how many bills lie beside the receivables; by default a tenth of `invoices`.
        refunds: how many credits were paid back: a credit note or an overpayment each, and its payment. The books know nothing
            of them, and nothing is left of them.
        part_paid: whether ExpectedPaymentDate is refused, ignored without a word, or saved once something is applied.
        note_limit: most characters of a history note; an older page of Xero's says 250.
        high_volume: rows beyond which a GET is refused.
        multicurrency: whether the generated company has customers in EUR.
        touch_links: whether a payment moves the UpdatedDateUTC of what it pays.
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
    service = Xero(
        ledger,
        clock,
        limits=allowed,
        app=app,
        bills=invoices // 10 if bills is None else bills,
        refunds=refunds,
        part_paid=part_paid,
        note_limit=note_limit,
        high_volume=high_volume,
        seed=str(seed),
    )
    access, refresh = service.authority.grant()
    with listening(service, port) as ports:
        service.base_url = url = ports.api.url
        yield XeroHandle(
            erp="xero",
            base_url=url,
            tenant=service.tenant,
            client_id=service.authority.client_id,
            client_secret=service.authority.client_secret,
            access_token=access,
            refresh_token=refresh,
            token_url=f"{url}/connect/token",
            authorize_url=f"{url}/identity/connect/authorize",
            revoke_url=f"{url}/connect/revocation",
            service=service,
            ports=ports,
        )
