"""An account with somebody to call, read into a store, and workers that deliver: what the tests of writing have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.adapterkit.notes import Tag, parse_note
from ar_connectors.netsuite.account import Account as Realm
from ar_connectors.netsuite.account import endpoints_of
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.store.contract import Receipt, WriteState
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Invoice as Booked
from ar_connectors.testkit.netsuite.activities import activities
from ar_connectors.testkit.netsuite.company import Account
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite
from ar_core.commands import Command, OpenDispute, RecordPromise, SetOrderHold
from ar_core.model import Invoice
from tests.faces.collecting import a_debtor, debtor

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
KEY = Fernet.generate_key()
FIELDS: dict[str, Any] = {
    "promise_amount": "custbody_ar_promise_amount",
    "promise_note": "custbody_ar_promise_note",
    "promise_status": {
        "field": "custbody_ar_promise_status",
        "values": {"open": "1", "withdrawn": "4", "superseded": "4"},
    },
    "disputed": "custbody_ar_disputed",
    "dispute_reason": {"field": "custbody_ar_dispute_reason", "values": {"price": "1", "*": "4"}},
    "dispute_amount": "custbody_ar_dispute_amount",
    "dispute_opened": "custbody_ar_dispute_opened",
    "dispute_note": "custbody_ar_dispute_note",
    "collections_status": "custentity_ar_collections_status",
    "hold_reason": "custentity_ar_hold_reason",
}
"""All custom fields that the emulator's account has for our facts."""


@dataclass
class Office:
    """One account and one store."""

    emulator: Handle
    clock: ScriptedClock
    folder: Path
    store: ar.Store
    conn: ar.Connection

    @property
    def invoices(self) -> list[Invoice]:
        """Three open invoices of one customer."""
        return debtor(self.store.snapshot(self.conn.id))

    def booked(self, invoice: Invoice) -> Booked:
        """The same in the books."""
        return self.emulator.ledger.invoices[number(invoice.id)]

    def record(self, *commands: Command) -> None:
        ar.record(self.store, commands)

    def deliver(self) -> list[Receipt]:
        """One run of a script that delivers what is due."""
        return list(ar.deliver(self.conn, self.store))

    def done(self, *commands: Command) -> list[Receipt]:
        """Record and deliver; all must be confirmed at once."""
        self.record(*commands)
        receipts = self.deliver()
        assert [one.state for one in receipts] == [WriteState.CONFIRMED] * len(commands), receipts
        self.clock.sleep(600)
        return receipts

    def until_settled(self, runs: int = 25) -> list[Receipt]:
        """Runs every half day until nothing waits."""
        for _ in range(runs):
            self.deliver()
            found = list(self.store.receipts(self.conn.id))
            if all(one.state in {WriteState.CONFIRMED, WriteState.REJECTED} for one in found):
                return found
            self.clock.sleep(12 * 3600)
        raise AssertionError([(one.state, one.error) for one in found])

    def sync(self) -> None:
        assert ar.sync(self.conn, self.store).complete

    def said(self, kind: str = "phoneCall") -> list[tuple[str, str, Tag]]:
        """All activities: external id, the text that people read, our tag."""
        found = []
        with self.emulator.service.lock:
            for one in activities(self.emulator.ledger, kind):
                parsed = parse_note(one.fields["message"])
                assert parsed is not None
                found.append((str(one.external_id), parsed[1], parsed[0]))
        return found

    def fields(self, invoice: Invoice) -> dict[str, Any]:
        """What stands in an invoice's extra fields."""
        with self.emulator.service.lock:
            return dict(self.booked(invoice).extra)

    def customer_fields(self, invoice: Invoice) -> dict[str, Any]:
        """What stands in its customer's extra fields."""
        with self.emulator.service.lock:
            return dict(self.emulator.ledger.customers[number(str(invoice.customer_id))].extra)

    @contextmanager
    def other_store(self, **settings: Any) -> Iterator[Office]:
        """Somebody else's empty store, synced from the same account."""
        folder = self.folder / "other"
        folder.mkdir(exist_ok=True)
        store, conn = connect(self.emulator, folder, self.clock, settings)
        try:
            assert ar.sync(conn, store).complete
            yield Office(self.emulator, self.clock, folder, store, conn)
        finally:
            conn.close()
            store.close()

    def activity(self) -> list[Any]:
        """Promises and disputes, without what only tells where they were read."""
        snapshot = self.store.snapshot(self.conn.id)
        plain = {"source": None, "recorded_at": None}
        return [one.model_copy(update=plain) for one in (*snapshot.promises, *snapshot.disputes)]


def number(record: str) -> str:
    """NetSuite's own id in a record id."""
    return record.rpartition(":")[2]


def connect(
    emulator: Handle, folder: Path, clock: ScriptedClock, settings: Mapping[str, Any]
) -> tuple[ar.Store, ar.Connection]:
    store = ar.open_store(f"sqlite:///{folder}/ar.db", clock=clock, key=KEY)
    conn = ar.connect(
        "netsuite",
        tenant=emulator.tenant,
        store=store,
        credentials=CertificateCredentials(emulator.client_id, emulator.certificate_id, emulator.private_key),
        endpoints=endpoints_of(Realm(emulator.tenant), emulator.base_url),
        settings={"time_zone": "America/Los_Angeles", **settings},
        clock=clock,
    )
    return store, conn


@contextmanager
def office(
    folder: Path, *, account: Account | None = None, synced: bool = True, **settings: Any
) -> Iterator[Office]:
    """A small account, read into a store. `settings`: of the connection."""
    clock = ScriptedClock(NOW)
    with start_netsuite(invoices=6, seed=3, clock=clock, account=account, oneworld=False) as emulator:
        with emulator.service.lock:
            a_debtor(emulator.ledger)
        store, conn = connect(emulator, folder, clock, settings)
        made = Office(emulator, clock, folder, store, conn)
        try:
            if synced:
                assert ar.sync(conn, store, streams=("reference", "invoice", "customer")).complete
                clock.sleep(600)
            yield made
        finally:
            conn.close()
            store.close()


def promise(
    invoices: Sequence[Invoice],
    *,
    key: str = "",
    when: date = DAY + timedelta(days=8),
    amount: str | None = "50.00",
    note: str | None = None,
) -> RecordPromise:
    return RecordPromise(
        key=key,
        customer_id=str(invoices[0].customer_id),
        invoice_ids=tuple(one.id for one in invoices),
        promised_amount=Decimal(amount) if amount is not None else None,
        currency="USD" if amount is not None else None,
        promised_date=when,
        given_on=DAY,
        given_by="Ann Lee",
        note=note,
    )


def dispute(invoice: Invoice, reason: str = "goods damaged", **more: Any) -> OpenDispute:
    return OpenDispute(
        customer_id=str(invoice.customer_id), invoice_id=invoice.id, reason=reason, opened_on=DAY, **more
    )


def hold(invoice: Invoice, key: str = "", reason: str = "over the limit") -> SetOrderHold:
    return SetOrderHold(key=key, customer_id=str(invoice.customer_id), reason=reason, set_on=DAY)
