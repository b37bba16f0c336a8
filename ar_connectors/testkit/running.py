"""How is an emulator put on the network? A port for the ERP, one for the control API, and a handle for the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import generate
from ar_connectors.testkit.control import Control
from ar_connectors.testkit.emulator import Emulator
from ar_connectors.testkit.faults import FaultPlan
from ar_connectors.testkit.group import generate_group
from ar_connectors.testkit.ledger import Ledger, Truth, truth
from ar_connectors.testkit.lies import Lies
from ar_connectors.testkit.stats import Stats
from ar_connectors.testkit.stories import Stories
from ar_connectors.testkit.webhooks import Subscription
from ar_connectors.testkit.wsgi import Application, Listener

__all__ = ["Ports", "Running", "company", "listening"]

S = TypeVar("S", bound=Emulator)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where an emulator listens."""

    api: Listener
    control: Control
    control_url: str
    stories: Stories


@contextmanager
def listening(service: Emulator, port: int = 0) -> Iterator[Ports]:
    """Serve an emulator on 127.0.0.1 until the block ends. `port` 0: any free one."""
    stories = Stories(service.ledger, service.lock)
    api = Listener(Application(service), port)
    control = Control(service, stories, api)
    listener = Listener(control)
    try:
        yield Ports(api, control, f"{listener.url}/__control__/", stories)
    finally:
        control.unsubscribe()
        api.close()
        listener.close()


def company(
    seed: int,
    invoices: int,
    *,
    ledger: Ledger | None,
    clock: ScriptedClock | None,
    now: datetime | None,
    multicurrency: bool = True,
    touch_links: bool = True,
    group: bool | None = None,
) -> tuple[Ledger, ScriptedClock]:
    """Books on a clock: the caller's own, or a generated company whose history ends now. Without a clock one that stands at
    `now`, or runs from the machine's time without it. `group`: whether to generate one with subsidiaries and deposits; None
    where the ERP has no place for them. Raises ValueError for books of the caller's that have what the ERP cannot show."""
    if group is None and ledger is not None and (ledger.settings.deposits or ledger.subsidiaries):
        raise ValueError(
            "these books have customer deposits or subsidiaries, and this ERP has no place for them"
        )
    if clock is None:
        clock = ScriptedClock(now) if now is not None else ScriptedClock(running=True)
    if ledger is None:
        if group:
            ledger = generate_group(seed, invoices=invoices, now=clock.now(), touch_links=touch_links)
        else:
            ledger = generate(
                seed, invoices=invoices, now=clock.now(), multicurrency=multicurrency, touch_links=touch_links
            )
    ledger.now = clock.now
    return ledger, clock


@dataclass(frozen=True, slots=True)
class Running(Generic[S]):
    """A running emulator, as seen from the test."""

    erp: str
    base_url: str
    """Replaces the vendor's host."""
    tenant: str
    client_id: str
    client_secret: str
    access_token: str
    refresh_token: str
    """Both as granted at the start."""
    token_url: str
    authorize_url: str
    revoke_url: str
    service: S
    ports: Ports
    more: dict[str, str] = field(default_factory=dict)
    """What only clients of this ERP need, for `as_json`."""

    @property
    def control_url(self) -> str:
        """The control API."""
        return self.ports.control_url

    @property
    def stories(self) -> Stories:
        """Business events to let happen."""
        return self.ports.stories

    @property
    def clock(self) -> ScriptedClock:
        """The emulator's time."""
        return self.service.clock

    @property
    def ledger(self) -> Ledger:
        """The books. Change them through `stories`, or under `service.lock`."""
        return self.service.ledger

    @property
    def faults(self) -> FaultPlan:
        """What goes wrong next."""
        return self.service.faults

    @property
    def stats(self) -> Stats:
        """What the emulator saw."""
        return self.service.stats

    @property
    def lies(self) -> Lies:
        """What the emulator gets wrong on purpose."""
        return self.service.lies

    def truth(self) -> Truth:
        """The facts in the books as they are now."""
        with self.service.lock:
            return truth(self.service.ledger)

    @contextmanager
    def outage(self, name: str) -> Iterator[None]:
        """The server cannot be reached: `connect_refused` or `connect_timeout`. Raises KeyError for another name."""
        self.ports.api.outage(name)
        try:
            yield
        finally:
            self.ports.api.outage(None)

    def subscribe(self, url: str, shape: str = "") -> Subscription:
        """Send webhooks to an app by themselves from now on, and again what it does not take, until the emulator ends. Raises
        ValueError for an address or a shape that cannot be, and for an ERP that has no webhooks."""
        return self.ports.control.subscribe(url, shape)

    def as_json(self) -> dict[str, str]:
        """What a client in any language needs."""
        return {
            "erp": self.erp,
            "base_url": self.base_url,
            "tenant": self.tenant,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "token_url": self.token_url,
            "authorize_url": self.authorize_url,
            "control_url": self.control_url,
            **self.more,
        }
