"""A worker dies at any point of a delivery to NetSuite, again and again: no activity stands there twice, no date and no hold is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from ar_connectors.adapterkit.notes import DisputeTag, PromiseTag, StatusTag, Tag, parse_note
from ar_connectors.connector import Capabilities, Connector, PendingWrite
from ar_connectors.http.messages import Request, Response
from ar_connectors.netsuite.capabilities import CAPABILITIES
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.faults import NetSuiteDialect
from ar_connectors.netsuite.writeback import NetSuiteWriter
from ar_connectors.netsuite.writeback_scope import write_options
from ar_connectors.store.contract import WriteState
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.exchange import Call
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.netsuite.activities import activities
from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.service import NetSuite
from ar_connectors.writeback import deliver
from ar_core.commands import Command, ReleaseOrderHold
from ar_core.model import Customer, DocumentStatus, Invoice, RecordKind, Source, record_id
from tests.faces.collecting import DAY, a_debtor, a_week
from tests.netsuite.writing import FIELDS, NOW
from tests.soak import SEEDS
from tests.writeback.fate import DeathError, Fate
from tests.writeback.memory import FakeClock, MemoryStore

TENANT = "7654321_SB1"
CONNECTION = f"netsuite:{TENANT}"


@dataclass
class Line:
    """The emulator without a socket: requests in, answers or the errors they stand for out."""

    service: NetSuite
    token: str

    def send(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["authorization"] = f"Bearer {self.token}"
        call = Call(request.method, parts.path, dict(request.params), headers, request.body or b"")
        reply, _ = self.service.handle(call)
        response = Response(
            reply.status, {k.lower(): v for k, v in reply.headers.items()}, reply.body, None, 0.0
        )
        error = NetSuiteDialect(TENANT).error(request, response)
        if error is not None:
            raise error
        return response


@dataclass
class Worker:
    """The adapter's write half of one worker."""

    writer: NetSuiteWriter
    platform: str = "netsuite"
    tenant: str = TENANT
    id: str = CONNECTION
    capabilities: Capabilities = field(default_factory=lambda: CAPABILITIES)

    def place(self, write: PendingWrite, view: Any) -> Any:
        return self.writer.place(write, view)

    def find(self, write: PendingWrite, view: Any) -> Any:
        return self.writer.find(write, view)


@dataclass
class Books:
    """An account, our store beside it, and the week that is to be delivered."""

    service: NetSuite
    store: MemoryStore
    line: Line
    week: list[Command]
    invoices: list[str]

    def run(self, fate: Fate, owner: str) -> bool:
        """One worker's life; True when it lived to the end."""
        sender = fate.around(self.line, ("send",))
        store = fate.around(self.store, ("claim_writes", "mark_sending", "finish_write"))
        client = NetSuiteClient(sender, TENANT, "http://127.0.0.1")
        worker = Worker(NetSuiteWriter(client, write_options({"fields": FIELDS})))
        try:
            deliver(cast(Connector, worker), store, owner=owner, clock=self.store.clock)
        except DeathError:
            return False
        return True

    def tell(self, fates: Iterator[int]) -> None:
        """The first promise is recorded and delivered, then what follows, then what ends it."""
        for some in self.days:
            self.store.record_commands(some)
            self._live_on(fates)

    def _live_on(self, fates: Iterator[int]) -> None:
        for number in range(500):
            lived = self.run(Fate(next(fates, 0)), f"worker-{number}")
            states = {row.state for row in self.store.rows}
            if lived and states == {WriteState.CONFIRMED}:
                return
            self.store.clock.time += timedelta(minutes=11)
        raise AssertionError(f"not delivered after 500 workers: {states}")

    def check(self) -> None:
        """Each fact stands exactly where it belongs, once."""
        ledger = self.service.ledger
        said: dict[str, Tag] = {}
        for one in activities(ledger, "phoneCall"):
            parsed = parse_note(one.fields["message"])
            assert parsed is not None
            assert one.external_id is not None
            assert one.external_id not in said
            said[one.external_id] = parsed[0]
        first, note, _, dispute, second, held, third, *_ = (one.record_uuid() for one in self.week)
        zero, middle, two = self.invoices
        assert set(said) == {
            f"ar-i{zero}-{first}",
            f"ar-i{middle}-{first}",
            f"ar-i{zero}-{second}",
            f"ar-i{two}-{third}",
            f"ar-i{two}-{note}",
            f"ar-i{middle}-{dispute}",
            f"ar-c{self.customer}-status",
            f"ar-c{self.customer}-{held}",
        }
        for invoice in (zero, middle):
            tag = said[f"ar-i{invoice}-{first}"]
            assert isinstance(tag, PromiseTag)
            assert tag.superseded_by == second
        withdrawn, resolved = said[f"ar-i{two}-{third}"], said[f"ar-i{middle}-{dispute}"]
        assert isinstance(withdrawn, PromiseTag)
        assert withdrawn.withdrawn == DAY
        assert isinstance(resolved, DisputeTag)
        assert resolved.resolved == DAY
        kept = said[f"ar-c{self.customer}-{held}"]
        assert isinstance(kept, StatusTag)
        assert (kept.was, kept.hold) == ("OFF", False)
        days = [ledger.invoices[each].expected for each in self.invoices]
        assert days == [self.week[4].promised_date, None, None]  # type: ignore[union-attr]
        extras = [ledger.invoices[each].extra for each in self.invoices]
        assert extras[0]["custbody_ar_promise_status"] == "1"
        assert extras[1] == {"custbody_ar_promise_status": "4", "custbody_ar_disputed": False}
        assert extras[2] == {"custbody_ar_promise_status": "4"}
        extra = ledger.customers[self.customer].extra
        assert extra["creditHoldOverride"] == "OFF"
        assert extra["custentity_ar_collections_status"] == "promised"

    @property
    def days(self) -> tuple[list[Command], ...]:
        """The week in three parts."""
        return self.week[:1], self.week[1:7], self.week[7:]

    @property
    def customer(self) -> str:
        """NetSuite's id."""
        return self.service.ledger.invoices[self.invoices[0]].customer


def books() -> Books:
    """A customer whose credit hold is switched off, with three open invoices; what a sync would have left in the store."""
    clock = ScriptedClock(NOW)
    ledger = Ledger(now=clock.now)
    a_debtor(ledger)
    service = NetSuite(ledger, clock, account=Account(TENANT))
    service.base_url = "http://127.0.0.1"
    store = MemoryStore(FakeClock())
    (customer,) = ledger.customers.values()
    ledger.change_customer(customer.id, extra={"creditHoldOverride": "OFF"})

    def rid(kind: RecordKind, identity: str) -> str:
        return record_id("netsuite", TENANT, kind, identity)

    owner = rid(RecordKind.CUSTOMER, customer.id)
    records = store.records_by_id
    records[owner] = Customer(id=owner, name=customer.name)
    invoices = []
    for one in ledger.invoices.values():
        source = Source(platform="netsuite", tenant=TENANT, kind="invoice", remote_id=one.id)
        invoice = Invoice(
            id=rid(RecordKind.INVOICE, one.id),
            source=source,
            number=one.number,
            customer_id=owner,
            currency="USD",
            total=Decimal("100.00"),
            balance_due=Decimal("100.00"),
            document_status=DocumentStatus.POSTED,
        )
        records[invoice.id] = invoice
        invoices.append(invoice)
    week = a_week(invoices)
    week.append(ReleaseOrderHold(customer_id=owner, released_on=DAY))
    return Books(service, store, Line(service, service.desk.grant()), week, list(ledger.invoices))


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Emulators keep a database for queries; each is closed when its test ends."""
    made: list[NetSuite] = []
    real = NetSuite.__init__

    def init(self: NetSuite, *arguments: Any, **options: Any) -> None:
        real(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(NetSuite, "__init__", init)
    yield
    for one in made:
        with closing(one):
            pass


def checkpoints() -> int:
    """How many there are in a life that ends well."""
    found = []
    made = books()
    for some in made.days:
        made.store.record_commands(some)
        fate = Fate(0)
        for number in range(5):
            assert made.run(fate, f"worker-{number}")
            made.store.clock.time += timedelta(minutes=11)
        found.append(fate.passed)
    made.check()
    return max(found)


def test_a_worker_may_die_at_any_single_point() -> None:
    total = checkpoints()
    assert total > 100
    for day in range(3):
        for point in range(1, total + 1):
            made = books()
            made.tell(iter([0] * day + [point]))
            made.check()


def random_lives(seed: int) -> None:
    chance = random.Random(seed)
    made = books()
    made.tell(iter([chance.randint(1, 60) for _ in range(chance.randint(1, 30))]))
    made.check()


@pytest.mark.parametrize("seed", range(10))
def test_workers_may_die_again_and_again(seed: int) -> None:
    random_lives(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_workers_may_die_again_and_again_for_a_long_time(seed: int) -> None:
    random_lives(seed)
