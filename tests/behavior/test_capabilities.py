"""Is the matrix honest? Each of its cells is proven against the emulator of its ERP: what it says is done, and what it denies is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.cli.main import cli
from ar_connectors.cli.tables import matrix_rows
from ar_connectors.connector import Fact, Placement
from ar_connectors.netsuite.account import Account, endpoints_of
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.quickbooks import webhooks as quickbooks_webhooks
from ar_connectors.store.contract import WriteState
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.netsuite.customers import facts_of
from ar_connectors.testkit.netsuite.start import start_netsuite
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.server import start_quickbooks, start_xero
from ar_connectors.xero import webhooks as xero_webhooks
from ar_core.commands import (
    AddNote,
    Command,
    OpenDispute,
    RecordOutcome,
    RecordPromise,
    RecordTouch,
    ReleaseOrderHold,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    WithdrawPromise,
)
from ar_core.model import Channel, DocumentStatus, Invoice, RecordKind, Snapshot, TouchOutcome
from tests.behavior import stories
from tests.behavior.faces import NOW
from tests.faces.collecting import DAY, a_debtor
from tests.faces.platform import Plug, connect_by_oauth
from tests.faces.quickbooks import regrant
from tests.http.little_server import LittleServer

KEY = Fernet.generate_key()


def connect_by_certificate(plug: Plug, store: ar.Store, clock: ScriptedClock) -> ar.Connection:
    """NetSuite, machine to machine."""
    return ar.connect(
        "netsuite",
        tenant=plug["tenant"],
        store=store,
        credentials=CertificateCredentials(plug["client_id"], plug["certificate_id"], plug["private_key"]),
        endpoints=endpoints_of(Account(plug["tenant"]), plug["base_url"]),
        settings={"time_zone": "America/Los_Angeles"},
        clock=clock,
    )


@dataclass(frozen=True)
class Erp:
    """How an ERP is started and connected to."""

    start: Callable[..., AbstractContextManager[Running[Any]]]
    connect: Callable[[Plug, ar.Store, ScriptedClock], ar.Connection]


ERPS: Final = {
    "quickbooks": Erp(start_quickbooks, connect_by_oauth),
    "xero": Erp(start_xero, connect_by_oauth),
    "netsuite": Erp(start_netsuite, connect_by_certificate),
}
MATRIX: Final = matrix_rows([ar.capabilities(name) for name in ERPS])


class Company:
    """A company whose copy is read, and what every command came to."""

    def __init__(self, name: str, emulator: Running[Any], clock: ScriptedClock, folder: Path) -> None:
        self.name, self.emulator, self.clock, self.folder = name, emulator, clock, folder
        self.store = ar.open_store(f"sqlite:///{folder}/ar.db", clock=clock, key=KEY)
        self.conn = ERPS[name].connect(emulator.as_json(), self.store, clock)
        self.happen(a_debtor)
        self.happen(stories.an_invoice_in_another_currency)
        self.sync()
        self.invoices = [one for one in self.snapshot.invoices if (one.number or "").startswith("W-")]
        self.customer = str(self.invoices[0].customer_id)
        self.receipts: dict[str, Any] = {}
        self._read_back: tuple[RecordPromise, OpenDispute, Snapshot] | None = None

    @property
    def ledger(self) -> Ledger:
        return self.emulator.ledger

    @property
    def snapshot(self) -> Snapshot:
        return self.store.snapshot(self.conn.id)

    def happen(self, *what: Callable[[Ledger], None]) -> None:
        for story in what:
            self.clock.sleep(600)
            with self.emulator.service.lock:
                story(self.ledger)
        self.clock.sleep(600)

    def sync(self) -> None:
        assert ar.sync(self.conn, self.store).complete

    def deliver(self, command: Command) -> Any:
        """Record and deliver one command; its receipt."""
        (recorded,) = ar.record(self.store, [command])
        self.emulator.stats.reset()
        ar.deliver(self.conn, self.store)
        self.clock.sleep(600)
        (found,) = [
            one
            for one in self.store.receipts(self.conn.id)
            if (one.command_type, one.key) == (recorded.command_type, recorded.key)
        ]
        self.receipts[command.type] = found
        return found

    def placed(self, receipt: Any, fact: Fact) -> list[Placement]:
        """Where a fact landed, in its first choice."""
        assert receipt.state is WriteState.CONFIRMED, receipt.error
        found = [one for one in receipt.placements if one.fact is fact and not one.degraded]
        assert found, receipt.placements
        return found

    def texts(self) -> list[str]:
        """All that staff can read of ours."""
        with self.emulator.service.lock:
            notes = [note.text or "" for note in self.ledger.notes.values()]
            return [*notes, *(one.notes or "" for one in self.ledger.customers.values())]

    def booked(self, invoice: Invoice) -> Any:
        """The same in the books."""
        with self.emulator.service.lock:
            return next(one for one in self.ledger.invoices.values() if one.number == invoice.number)

    def is_held(self) -> bool:
        """Whether the ERP itself stops orders of the customer; only NetSuite ever does."""
        if self.name != "netsuite":
            return False
        (name,) = [one.name for one in self.snapshot.customers if one.id == self.customer]
        with self.emulator.service.lock:
            (owner,) = [one for one in self.ledger.customers.values() if one.name == name]
            return facts_of(self.ledger, owner).on_hold

    def groups(self) -> list[str]:
        """Contact groups that have members."""
        service = self.emulator.service
        with service.lock:
            return [one.name for one in service.groups.active if one.members]

    def read_back(self) -> tuple[RecordPromise, OpenDispute, Snapshot]:
        """A promise and a dispute on one invoice, and what somebody else's empty store finds after its first sync."""
        if self._read_back is None:
            promise = a_promise(self, 2, "read back")
            dispute = OpenDispute(
                customer_id=self.customer,
                invoice_id=self.invoices[2].id,
                reason="too late",
                opened_on=DAY,
            )
            self.deliver(promise)
            self.deliver(dispute)
            plug = self.emulator.as_json()
            if self.name != "netsuite":
                plug = {**plug, **regrant(self.emulator)}
            folder = self.folder / "other"
            folder.mkdir()
            store = ar.open_store(f"sqlite:///{folder}/ar.db", clock=self.clock, key=KEY)
            conn = ERPS[self.name].connect(plug, store, self.clock)
            assert ar.sync(conn, store).complete
            self._read_back = promise, dispute, store.snapshot(conn.id)
            conn.close()
            store.close()
        return self._read_back

    def close(self) -> None:
        self.conn.close()
        self.store.close()


@pytest.fixture(scope="module", params=sorted(ERPS))
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    clock = ScriptedClock(NOW)
    with ERPS[request.param].start(invoices=30, seed=3, clock=clock) as emulator:
        made = Company(request.param, emulator, clock, tmp_path_factory.mktemp(request.param))
        try:
            yield made
        finally:
            made.close()


def cell(company: Company, row: str) -> str:
    return MATRIX[row][company.name]


# What is written


def a_promise(company: Company, number: int, key: str) -> RecordPromise:
    invoice = company.invoices[number]
    return RecordPromise(
        key=key,
        customer_id=company.customer,
        invoice_ids=(invoice.id,),
        promised_amount=Decimal("61.80"),
        currency=invoice.currency,
        promised_date=DAY.replace(month=12),
        given_on=DAY,
    )


def test_a_promised_date_and_amount_are_where_the_matrix_says(company: Company) -> None:
    command = a_promise(company, 0, "dated")
    receipt = company.deliver(command)
    company.placed(receipt, Fact.PROMISE_DATE)
    company.placed(receipt, Fact.PROMISE_AMOUNT)
    expected = company.booked(company.invoices[0]).expected
    assert (expected == command.promised_date) is (cell(company, "write promise date") == "native")
    mark = str(command.record_uuid())
    assert any(mark in text and "date=2026-12-23" in text for text in company.texts())
    assert cell(company, "write promise amount") == "note"
    assert any(mark in text and "amt=61.80" in text for text in company.texts())
    assert cell(company, "deliver record_promise") == cell(company, "write promise date")


def test_a_withdrawn_promise_leaves_nothing_native_and_says_so(company: Company) -> None:
    command = a_promise(company, 1, "withdrawn")
    company.deliver(command)
    company.deliver(
        WithdrawPromise(promise_id=command.local_record_id, customer_id=company.customer, withdrawn_on=DAY)
    )
    assert company.receipts["withdraw_promise"].state is WriteState.CONFIRMED
    assert company.booked(company.invoices[1]).expected is None
    mark = str(command.record_uuid())
    assert any(mark in text and "withdrawn=2026-11-23" in text for text in company.texts())
    assert cell(company, "deliver withdraw_promise") == cell(company, "write promise date")


def test_a_dispute_is_a_note_that_is_changed_or_followed_when_it_is_resolved(company: Company) -> None:
    invoice = company.invoices[0]
    command = OpenDispute(
        customer_id=company.customer, invoice_id=invoice.id, reason="goods damaged", opened_on=DAY
    )
    company.placed(company.deliver(command), Fact.DISPUTE)
    mark = str(command.record_uuid())
    assert any(mark in text and "goods%20damaged" in text for text in company.texts())
    done = ResolveDispute(
        dispute_id=command.local_record_id,
        customer_id=company.customer,
        resolved_on=DAY,
        resolution="credited",
    )
    company.placed(company.deliver(done), Fact.DISPUTE)
    assert any(mark in text and "resolved=2026-11-23" in text for text in company.texts())
    rows = ("write dispute", "deliver open_dispute", "deliver resolve_dispute")
    assert {cell(company, row) for row in rows} == {"note"}


def test_notes_and_a_status_are_read_by_staff(company: Company) -> None:
    note = AddNote(subject_id=company.invoices[0].id, text="rang them twice", given_on=DAY)
    company.placed(company.deliver(note), Fact.NOTE)
    status = SetCollectionsStatus(subject_id=company.customer, status="third reminder", set_on=DAY)
    company.placed(company.deliver(status), Fact.COLLECTIONS_STATUS)
    for words in ("rang them twice", "third reminder"):
        assert any(words in text for text in company.texts())
    rows = (
        "write note",
        "deliver add_note",
        "write collections status",
        "deliver set_collections_status",
    )
    assert {cell(company, row) for row in rows} == {"note"}


def test_an_order_hold_is_enforced_exactly_where_the_matrix_says_native(company: Company) -> None:
    company.placed(
        company.deliver(SetOrderHold(customer_id=company.customer, reason="late", set_on=DAY)),
        Fact.ORDER_HOLD,
    )
    rows = ("write order hold", "deliver set_order_hold", "deliver release_order_hold")
    (told,) = {cell(company, row) for row in rows}
    assert company.is_held() is (told == "native")
    if told == "advisory":
        shown = company.groups() if company.name == "xero" else company.texts()
        assert any("On stop" in one or "Order hold" in one for one in shown)
    company.deliver(ReleaseOrderHold(customer_id=company.customer, released_on=DAY))
    assert company.receipts["release_order_hold"].state is WriteState.CONFIRMED
    assert not company.is_held()
    if company.name == "xero":
        assert "On stop" not in company.groups()


def test_what_has_no_place_is_kept_with_us_and_nothing_is_sent(company: Company) -> None:
    touch = RecordTouch(customer_id=company.customer, channel=Channel.VOICE, at=NOW)
    outcome = RecordOutcome(
        touch_id=touch.local_record_id, customer_id=company.customer, outcome=TouchOutcome.DELIVERED, at=NOW
    )
    for command in (touch, outcome):
        assert company.deliver(command).state is WriteState.LOCAL
        assert company.emulator.stats.total == 0
        assert cell(company, f"deliver {command.type}") == "-"


# What is read


def the_organization(company: Company) -> bool:
    found = company.snapshot.organization
    return found is not None and found.base_currency == company.ledger.settings.home_currency


def the_customers(company: Company) -> bool:
    names = {one.name for one in company.snapshot.customers}
    return {one.name for one in company.ledger.customers.values() if one.active} <= names


def the_contacts(company: Company) -> bool:
    found = {one.email for one in company.snapshot.contacts}
    wanted = {
        one.email
        for one in company.ledger.customers.values()
        if one.active and one.email and "," not in one.email
    }
    return bool(wanted) and wanted <= found


def the_invoices(company: Company) -> bool:
    found = {one.number: one.balance_due for one in company.snapshot.invoices if one.balance_due}
    return found == {one.number: one.open for one in company.ledger.invoices.values() if one.open}


def the_credit_notes(company: Company) -> bool:
    company.happen(stories.a_credit_is_not_used)
    company.sync()
    found = sorted(one.unapplied_amount or 0 for one in company.snapshot.credit_notes if one.unapplied_amount)
    return found == sorted(one.open for one in company.ledger.credits.values() if one.open)


def the_payments_and_what_they_settle(company: Company) -> tuple[bool, bool]:
    before = company.snapshot
    company.happen(stories.an_invoice_is_paid)
    company.sync()
    after = company.snapshot
    settled = list(company.ledger.invoices.values())[-1]
    (invoice,) = [one for one in after.invoices if one.number == settled.number]
    paid = len(after.payments) == len(before.payments) + 1 and invoice.balance_due == 0
    allocated = [one.amount for one in after.allocations if one.target_id == invoice.id]
    return paid, allocated == [Decimal("120.00")]


def the_payments(company: Company) -> bool:
    return the_payments_and_what_they_settle(company)[0]


def the_allocations(company: Company) -> bool:
    return the_payments_and_what_they_settle(company)[1]


def the_adjustments(company: Company) -> bool:
    company.happen(stories.a_journal_entry_raises_and_lowers)
    company.sync()
    return bool(company.snapshot.adjustments)


def the_deletions(company: Company) -> bool:
    before = {one.id for one in company.snapshot.payments}
    company.happen(stories.a_payment_is_deleted)
    company.sync()
    return len(before - {one.id for one in company.snapshot.payments}) == 1


def the_voids(company: Company) -> bool:
    company.happen(stories.an_invoice_is_voided)
    company.sync()
    wanted = {one.number for one in company.ledger.invoices.values() if one.voided}
    found = {
        one.number: one.balance_due
        for one in company.snapshot.invoices
        if one.document_status is DocumentStatus.VOIDED
    }
    return wanted <= set(found) and not any(found.values())


def the_reported_balances(company: Company) -> bool:
    compared = ar.reconcile(company.conn, company.store)
    return compared.compared > 0 and not compared.unexplained


def the_webhooks(company: Company) -> bool:
    """What the emulator sends is signed, and its events name what changed; NetSuite sends nothing."""
    service = company.emulator.service
    with LittleServer() as hook:
        if company.name == "netsuite":
            with pytest.raises(ValueError, match="no webhooks"):
                service.notify(hook.url)
            return False
        service.notify(hook.url)
        before = len(hook.heard)
        company.happen(stories.an_invoice_is_changed)
        assert service.notify(hook.url)["status"] == 200
        (told,) = hook.heard[before:]
    if company.name == "quickbooks":
        events = quickbooks_webhooks.receive(
            told.body, told.headers["intuit-signature"], service.notifier.verifier_token
        )
    else:
        events = xero_webhooks.receive(told.body, told.headers["x-xero-signature"], service.notifier.key)
    return any(one.kind is RecordKind.INVOICE for one in events)


def the_promises(company: Company) -> bool:
    promise, _, found = company.read_back()
    (one,) = [each for each in found.promises if each.id == promise.local_record_id]
    return one.promised_amount == Decimal("61.80") and one.promised_date == promise.promised_date


def the_disputes(company: Company) -> bool:
    """On an invoice that has a promise as well."""
    _, dispute, found = company.read_back()
    (one,) = [each for each in found.disputes if each.id == dispute.local_record_id]
    return one.reason == "too late"


READ: Final[dict[str, Callable[[Company], bool]]] = {
    "organization": the_organization,
    "customers": the_customers,
    "contacts": the_contacts,
    "invoices": the_invoices,
    "credit_notes": the_credit_notes,
    "payments": the_payments,
    "allocations": the_allocations,
    "adjustments": the_adjustments,
    "deletions": the_deletions,
    "voids": the_voids,
    "reported_balances": the_reported_balances,
    "webhooks": the_webhooks,
    "promises": the_promises,
    "disputes": the_disputes,
}
"""The last two come last: after a person has connected an ERP to another store, ours is locked out of it."""


def test_every_row_that_is_read_has_its_proof() -> None:
    assert {row.removeprefix("read ") for row in MATRIX if row.startswith("read ")} == set(READ)


@pytest.mark.parametrize("topic", READ)
def test_what_the_matrix_says_is_read_is_read_and_nothing_else(company: Company, topic: str) -> None:
    assert READ[topic](company) is (cell(company, f"read {topic}") == "yes")


# The matrix itself


def test_the_command_line_prints_the_matrix() -> None:
    told = json.loads(CliRunner().invoke(cli, ["capabilities", "--json"]).output)
    assert {row: {erp: cells[erp] for erp in ERPS} for row, cells in told["matrix"].items()} == MATRIX
    shown = CliRunner().invoke(cli, ["capabilities"], env={"COLUMNS": "120"}).output
    for row in MATRIX:
        assert row in shown
    for name in ERPS:
        assert name in shown


def test_r47_quickbooks_xero_and_netsuite_are_connected() -> None:
    told = json.loads(CliRunner().invoke(cli, ["capabilities", "--json"]).output)
    assert told["matrix"]
    assert all({"quickbooks", "xero", "netsuite"} <= set(cells) for cells in told["matrix"].values())
