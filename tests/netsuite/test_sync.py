"""Reading a whole account from the emulator: balances equal the books, changes arrive, calls are bounded."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_connectors.testkit.ledger import Application, Line
from tests.netsuite.worlds import world


@pytest.mark.parametrize("seed", range(3, 13))
def test_open_balances_are_those_of_the_books(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, invoices=30, seed=seed) as one:
        report = ar.sync(one.conn, one.store)
        assert report.cost.calls < 100
        assert not one.differences()
        assert not ar.reconcile(one.conn, one.store).differences


def test_what_happens_afterwards_arrives_with_the_next_run(tmp_path: Path) -> None:
    with world(tmp_path, invoices=40, seed=2) as one:
        one.sync()
        ledger = one.ledger
        customer = ledger.open_customer("Comes later")
        invoice = ledger.issue_invoice(
            customer.id, [Line(Decimal("120.00"), "work")], issued=date(2026, 11, 20), number="N-1"
        )
        one.sync()
        assert not one.differences()
        payment = ledger.receive_payment(
            customer.id,
            Decimal("120.00"),
            [Application("invoice", invoice.id, Decimal("120.00"))],
            received=date(2026, 11, 20),
        )
        one.sync()
        assert not one.differences()
        ledger.delete_payment(payment)
        one.sync()
        assert not one.differences()


def test_what_is_deleted_while_a_first_load_fails_and_is_repeated_days_later_is_not_missed(
    tmp_path: Path,
) -> None:
    with world(tmp_path, invoices=40, seed=2) as one:
        ledger = one.ledger
        customer = ledger.open_customer("Changes its mind")
        early, gone, late = (
            ledger.issue_invoice(
                customer.id, [Line(Decimal("7.00"), "work")], issued=date(2026, 11, 20), number=f"D-{number}"
            )
            for number in range(3)
        )
        ledger.delete_document(early)
        one.clock.advance(timedelta(days=2))
        one.emulator.faults.add("forbidden", on="query deletedrecord", after=2, times=None)
        failed = one.sync(raise_errors=False)
        assert [stream.stream for stream in failed.streams if not stream.complete] == [
            "deleted",
            "customer",
            "contact",
        ]
        one.emulator.faults.clear()
        ledger.delete_document(gone)
        one.clock.advance(timedelta(days=3))
        ledger.delete_document(late)
        one.sync()
        held = {
            invoice.source.remote_id for invoice in one.store.snapshot(one.conn.id).invoices if invoice.source
        }
        assert not held & {early.id, gone.id, late.id}
        assert not one.differences()
