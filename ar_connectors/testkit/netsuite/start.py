"""Start the emulator of NetSuite on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.limits import Limits
from ar_connectors.testkit.netsuite.service import NetSuite
from ar_connectors.testkit.netsuite.tokens import TOKEN_PATH
from ar_connectors.testkit.running import Running, company, listening

__all__ = ["Handle", "start_netsuite"]

_PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Handle(Running[NetSuite]):
    """A running emulator of NetSuite."""

    certificate_id: str = ""
    private_key: str = ""
    """PEM; signs assertions for the certificate."""

    @property
    def account(self) -> Account:
        """The account's settings; a test may change some of them."""
        return self.service.account


@contextmanager
def start_netsuite(
    *,
    invoices: int = 200,
    seed: int = 1,
    ledger: Ledger | None = None,
    clock: ScriptedClock | None = None,
    now: datetime | None = None,
    port: int = 0,
    limits: Limits | bool = False,
    account: Account | None = None,
    oneworld: bool = True,
    multicurrency: bool = True,
    touch_links: bool = True,
) -> Iterator[Handle]:
    """Serve a NetSuite account on 127.0.0.1 until the block ends.

    Args:
        invoices: size of the generated company; not used with `ledger`.
        seed: the same seed gives the same company.
        ledger: books of your own; its `now` is replaced by the clock's.
        clock: time of the emulator; by default one that stands at `now`, or runs from the machine's time without it.
        now: moment at which the company's history ends.
        port: 0 for any free one.
        limits: True for the concurrency of the Standard tier: five calls at a time.
        account: features, custom fields and preferences.
        oneworld: whether the generated company has two subsidiaries, three currencies, deposits and reversals.
        multicurrency: whether a generated company that is no group has customers in EUR.
        touch_links: whether a payment gives what it pays a new lastModifiedDate; Oracle does not say.
    """
    ledger, clock = company(
        seed,
        invoices,
        ledger=ledger,
        clock=clock,
        now=now,
        multicurrency=multicurrency,
        touch_links=touch_links,
        group=oneworld,
    )
    allowed = limits if isinstance(limits, Limits) else Limits() if limits else None
    service = NetSuite(ledger, clock, account=account, limits=allowed, seed=str(seed))
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    private = key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    certificate = service.desk.register(public)
    pair = service.pair
    with closing(service), listening(service, port) as ports:
        service.base_url = url = ports.api.url
        yield Handle(
            erp="netsuite",
            base_url=url,
            tenant=service.account.id,
            client_id=service.desk.client_id,
            client_secret="",
            access_token=service.desk.grant(),
            refresh_token="",
            token_url=f"{url}{TOKEN_PATH}",
            authorize_url="",
            revoke_url="",
            service=service,
            ports=ports,
            more={
                "account": service.account.id,
                "consumer_key": pair.consumer_key,
                "consumer_secret": pair.consumer_secret,
                "token_id": pair.token_id,
                "token_secret": pair.token_secret,
                "certificate_id": certificate,
                "private_key": private,
            },
            certificate_id=certificate,
            private_key=private,
        )
