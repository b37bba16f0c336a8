"""Reading a whole account from the emulator: balances equal the books, changes arrive, calls are bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import ar_connectors as ar
from ar_connectors.netsuite.account import Account, endpoints_of
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.syncing.balances import open_balances
from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.ledger import Application, Line, truth
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
KEY = Fernet.generate_key()


def _connect(emulator: Handle, folder: Path, clock: ScriptedClock) -> tuple[ar.Store, ar.Connection]:
    store = ar.open_store(f"sqlite:///{folder}/ar.db", clock=clock, key=KEY)
    conn = ar.connect(
        "netsuite",
        tenant=emulator.tenant,
        store=store,
        credentials=CertificateCredentials(emulator.client_id, emulator.certificate_id, emulator.private_key),
        endpoints=endpoints_of(Account(emulator.tenant), emulator.base_url),
        settings={"time_zone": "America/Los_Angeles"},
        clock=clock,
    )
    return store, conn


def _differences(store: ar.Store, conn: ar.Connection, emulator: Handle) -> dict[object, object]:
    want: dict[object, Decimal] = dict(truth(emulator.ledger).balances.items())
    have: dict[object, Decimal] = {
        ((key[0] or "").rpartition(":")[2], key[1]): balance.sum()
        for key, balance in open_balances(store.snapshot(conn.id)).items()
        if balance.sum()
    }
    return {key: (want.get(key), have.get(key)) for key in {*want, *have} if want.get(key) != have.get(key)}


@pytest.mark.parametrize("seed", range(3, 13))
def test_open_balances_are_those_of_the_books(tmp_path: Path, seed: int) -> None:
    clock = ScriptedClock(NOW)
    with start_netsuite(invoices=30, seed=seed, clock=clock) as emulator:
        store, conn = _connect(emulator, tmp_path, clock)
        report = ar.sync(conn, store)
        assert report.cost.calls < 100
        assert not _differences(store, conn, emulator)
        assert not ar.reconcile(conn, store).differences
        conn.close()
        store.close()


def test_what_happens_afterwards_arrives_with_the_next_run(tmp_path: Path) -> None:
    clock = ScriptedClock(NOW)
    with start_netsuite(invoices=40, seed=2, clock=clock) as emulator:
        store, conn = _connect(emulator, tmp_path, clock)
        ar.sync(conn, store)
        clock.sleep(600)
        with emulator.service.lock:
            ledger = emulator.ledger
            customer = ledger.open_customer("Comes later")
            invoice = ledger.issue_invoice(
                customer.id, [Line(Decimal("120.00"), "work")], issued=date(2026, 11, 20), number="N-1"
            )
        clock.sleep(600)
        ar.sync(conn, store)
        assert not _differences(store, conn, emulator)
        with emulator.service.lock:
            payment = ledger.receive_payment(
                customer.id,
                Decimal("120.00"),
                [Application("invoice", invoice.id, Decimal("120.00"))],
                received=date(2026, 11, 20),
            )
        clock.sleep(600)
        ar.sync(conn, store)
        assert not _differences(store, conn, emulator)
        with emulator.service.lock:
            ledger.delete_payment(payment)
        clock.sleep(600)
        ar.sync(conn, store)
        assert not _differences(store, conn, emulator)
        conn.close()
        store.close()
