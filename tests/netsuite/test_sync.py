"""Reading a whole account from the emulator: balances equal the books, changes arrive, calls are bounded."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests

import ar_connectors as ar
from ar_connectors.errors import TransientError
from ar_connectors.testkit.ledger import Application, Line
from ar_connectors.testkit.netsuite import Account
from ar_core.model import Origin
from tests.netsuite.worlds import world
from tests.soak import SEEDS


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


def test_a_load_passes_the_cap_on_rows_of_a_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement is read by place as far as it goes, the next one begins behind its last key; links are read by key alone."""
    for module in ("client", "by_key", "by_place", "passes", "reading"):
        monkeypatch.setattr(f"ar_connectors.netsuite.{module}.PAGE_SIZE", 10)
    monkeypatch.setattr("ar_connectors.netsuite.by_place.MOST_ROWS", 20)
    with world(tmp_path, invoices=120, seed=6) as one:
        monkeypatch.setattr(one.emulator.service.queries, "most_rows", 20)
        everything = {"q": "SELECT t.id FROM transaction t ORDER BY t.id"}
        asked = {"limit": "10", "offset": "20"}
        refused = requests.post(
            f"{one.emulator.base_url}/services/rest/query/v1/suiteql",
            params=asked,
            json=everything,
            headers={"Authorization": f"Bearer {one.emulator.access_token}", "Prefer": "transient"},
            timeout=10,
        )
        assert not refused.ok or not refused.json()["items"], "the cap is not in the way"
        report = one.sync()
        assert report.complete
        assert not one.differences()
        calls = one.conn.usage().calls_by_operation
        assert len(one.ledger.invoices) > 100
        # Two pages a statement, each with its proof; then the look at what changed, which is everything here, page after page.
        most = -(-len(one.ledger.invoices) // 10) + 1
        assert calls["query invoice"] <= 2 * most
        assert calls["proof of invoice"] <= -(-most // 2)


def test_a_date_that_a_bookkeeper_takes_for_a_promise_is_one_and_an_estimate_is_none(tmp_path: Path) -> None:
    with world(tmp_path, invoices=20, seed=2, account=Account(shows_estimates=True)) as one:
        promised, estimated = [invoice for invoice in one.ledger.invoices.values() if invoice.open > 0][:2]
        day = date(2026, 12, 24)
        one.ledger.change_document(
            promised, expected=day, extra={**promised.extra, "userEstimateSource": "CUSTOMER_PROMISED_DATE"}
        )
        one.ledger.change_document(
            estimated, expected=day, extra={**estimated.extra, "userEstimateSource": "COMPANY_ESTIMATE"}
        )
        one.sync()
        (found,) = one.store.snapshot(one.conn.id).promises
        assert (found.origin, found.promised_date) == (Origin.ERP, day)
        assert [identity.rpartition(":")[2] for identity in found.invoice_ids] == [promised.id]
        dates = {
            invoice.source.remote_id: invoice.expected_payment_date
            for invoice in one.store.snapshot(one.conn.id).invoices
            if invoice.source is not None
        }
        assert dates[promised.id] == dates[estimated.id] == day
        one.ledger.change_document(promised, expected=None)
        one.sync()
        assert not one.store.snapshot(one.conn.id).promises


@pytest.mark.soak
@pytest.mark.parametrize("seed", [number * 100 + part for number in SEEDS for part in range(5)])
def test_soak_of_balances_of_generated_books(tmp_path: Path, seed: int) -> None:
    """A thousand groups with the usual 200 seeds: part payments, credits, deposits, journals, voids, reversals, three currencies and
    two subsidiaries."""
    with world(tmp_path, invoices=20 + seed % 40, seed=seed) as one:
        assert one.sync().complete
        assert not one.differences()
        assert not ar.reconcile(one.conn, one.store).differences


def test_an_account_that_does_not_tell_its_time_is_read_all_the_same(tmp_path: Path) -> None:
    with world(tmp_path, invoices=5, seed=2) as one:
        one.emulator.faults.add("forbidden", on="serverTime", times=None)
        ar.sync(one.conn, one.store)
        assert not one.differences()


def test_a_server_that_fails_while_it_is_asked_for_its_time_is_not_passed_over(tmp_path: Path) -> None:
    with world(tmp_path, invoices=5, seed=2) as one:
        one.emulator.faults.add("server_error", on="serverTime", times=None)
        with pytest.raises(TransientError, match="server time"):
            ar.sync(one.conn, one.store)
