"""Is what vanished without a word found, proven, and never buried by mistake?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import TransientError
from ar_connectors.events import Event, PageCommitted, StreamFinished, StreamStarted
from ar_connectors.http.meter import Usage
from ar_connectors.store import Store
from ar_connectors.syncing import SweepReport, sweep
from ar_connectors.syncing.lease import lease_name
from ar_core.model import RecordKind
from tests.sync.conftest import Sync
from tests.sync.paper import PaperConnector, PaperErp, Ticks
from tests.sync.test_leases import TTL
from tests.sync.truth import assert_complete, stored


@pytest.fixture
def swept(connector: PaperConnector, store: Store, clock: Ticks) -> Any:
    def start(**options: Any) -> SweepReport:
        return sweep(connector, store, **{"owner": "broom", "clock": clock, **options})

    return start


def test_a_sweep_of_a_complete_copy_changes_nothing(
    run: Sync, store: Store, erp: PaperErp, swept: Any
) -> None:
    run()
    before = stored(store)
    erp.calls.clear()
    report = swept()
    assert stored(store) == before
    assert report.tombstoned == report.inserted == report.updated == 0
    assert not report.refused
    assert [call for call in erp.calls if not call.startswith("list")] == []
    assert report.kind(RecordKind.INVOICE).listed == report.kind(RecordKind.INVOICE).live == 10
    assert not report.kind(RecordKind.ADJUSTMENT).supported
    assert json.dumps(report.to_json())


def test_what_vanished_is_buried_and_what_it_touched_is_read_again(
    run: Sync, store: Store, erp: PaperErp, swept: Any
) -> None:
    run()
    erp.vanish(RecordKind.PAYMENT, "900")
    erp.vanish(RecordKind.INVOICE, "109")
    erp.rows[RecordKind.INVOICE, "100"].update(balance="100.00", version=3)  # no feed tells it either
    report = swept()
    assert_complete(store, erp)
    assert report.tombstoned == 3  # payment, its allocation, invoice
    assert report.kind(RecordKind.PAYMENT).gone == report.kind(RecordKind.INVOICE).gone == 1
    assert report.changed["payment"] == ("paper:1:payment:900",)
    assert "paper:1:invoice:100" in report.changed["invoice"]


def test_an_incomplete_list_buries_nothing(
    run: Sync, store: Store, erp: PaperErp, swept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    before = stored(store)
    real = PaperConnector.list_ids
    monkeypatch.setattr(
        PaperConnector, "list_ids", lambda self, kind: (some[2:] for some in real(self, kind))
    )
    report = swept()
    assert stored(store) == before
    assert report.kind(RecordKind.INVOICE).missing == report.kind(RecordKind.INVOICE).still_there == 2
    assert report.kind(RecordKind.INVOICE).gone == 0
    assert [call for call in erp.calls if call.startswith("read")]


def test_what_a_sync_has_missed_is_found(run: Sync, store: Store, erp: PaperErp, swept: Any) -> None:
    run()
    erp.invoice("777", total="5.00")
    erp.invoice("778", total="nonsense")
    for number in ("777", "778"):
        erp.rows[RecordKind.INVOICE, number]["seq"] = 0  # no feed tells of it
    assert run().inserted == 0
    report = swept()
    assert report.kind(RecordKind.INVOICE).found == 2
    assert report.kind(RecordKind.INVOICE).unreadable == 1
    assert report.inserted == 1
    assert stored(store)["paper:1:invoice:777"][1] == "5.00"
    assert [row.remote_id for row in store.quarantined("paper:1")] == ["778"]


def test_the_circuit_breaker_refuses_a_mass_burial_and_says_the_numbers(
    run: Sync, store: Store, erp: PaperErp, swept: Any
) -> None:
    for number in range(1000, 1490):
        erp.invoice(str(number))
    erp.page_size = 500
    run()
    before = stored(store)
    for number in range(1000, 1026):
        erp.vanish(RecordKind.INVOICE, str(number))
    erp.vanish(RecordKind.PAYMENT, "902")
    report = swept()
    invoices = report.kind(RecordKind.INVOICE)
    assert report.refused
    assert (invoices.live, invoices.missing, invoices.gone, invoices.allowed) == (500, 26, 26, 25)
    assert invoices.refused
    assert not report.kind(RecordKind.PAYMENT).refused
    assert before.keys() - stored(store).keys() == {"paper:1:payment:902"}
    assert report.to_json()["kinds"][1]["refused"] is True
    assert not swept(force=True).refused
    assert_complete(store, erp)


def test_a_small_company_may_lose_twenty_at_once(run: Sync, store: Store, erp: PaperErp, swept: Any) -> None:
    run()
    for number in range(103, 110):
        erp.vanish(RecordKind.INVOICE, str(number))
    assert swept(always_allowed=6).refused
    assert not swept().refused
    assert_complete(store, erp)


def test_two_sweeps_do_not_run_at_once(
    store: Store, connector: PaperConnector, erp: PaperErp, swept: Any
) -> None:
    store.acquire_lease(lease_name(connector.id, "sweep"), "somebody else", TTL)
    assert swept().busy
    assert not erp.calls


def test_a_sweep_tells_its_progress_and_its_cost(run: Sync, erp: PaperErp, swept: Any) -> None:
    run()
    erp.vanish(RecordKind.INVOICE, "109")
    told: list[Event] = []
    report = swept(observer=told.append, usage=lambda: Usage(calls=len(erp.calls)))
    assert isinstance(told[0], StreamStarted)
    assert told[0].mode == "sweep"
    assert isinstance(told[-1], StreamFinished)
    assert sum(one.tombstoned for one in told if isinstance(one, PageCommitted)) == 1
    assert report.cost.calls == len([call for call in erp.calls if call.startswith(("list", "read"))])


# ---- after a full run


def test_a_full_run_finds_what_was_deleted_since_the_last_one(run: Sync, store: Store, erp: PaperErp) -> None:
    run()
    erp.delete(RecordKind.INVOICE, "109")
    report = run(full=True)
    assert_complete(store, erp)
    assert report.swept is not None
    assert report.swept.tombstoned == 1
    assert report.changed["invoice"] == ("paper:1:invoice:109",)


def test_a_first_run_with_full_sweeps_nothing(run: Sync, erp: PaperErp) -> None:
    assert run(full=True).swept is None
    assert not [call for call in erp.calls if call.startswith("list")]


def test_a_full_run_that_died_is_completed_by_an_ordinary_one(run: Sync, store: Store, erp: PaperErp) -> None:
    run()
    erp.delete(RecordKind.INVOICE, "109")

    def fail(label: str) -> None:
        if label.startswith("list customer"):
            raise TransientError("no connection")

    erp.hook = fail
    with pytest.raises(TransientError):
        run(full=True)
    erp.hook = lambda _: None
    report = run()
    assert report.swept is not None
    assert_complete(store, erp)
    assert run().swept is None


def test_a_full_run_waits_for_a_sweep_that_is_under_way(
    run: Sync, store: Store, connector: PaperConnector
) -> None:
    run()
    store.acquire_lease(lease_name(connector.id, "sweep"), "somebody else", TTL)
    report = run(full=True)
    assert len(report.busy) == len(report.streams)
    assert store.view(connector.id).cursor("invoice") is not None


def test_a_sweep_that_loses_its_lease_is_made_again(
    run: Sync, store: Store, erp: PaperErp, clock: Ticks
) -> None:
    run()
    erp.delete(RecordKind.INVOICE, "109")

    def oversleep(label: str) -> None:
        if label.startswith("read invoice"):
            erp.hook = lambda _: None
            clock.sleep(TTL.total_seconds() + 1)

    erp.hook = oversleep
    report = run(full=True, lease_ttl=TTL)
    assert report.swept is not None
    assert report.swept.busy
    assert run().swept is not None
    assert_complete(store, erp)


def test_a_page_without_rows_is_not_committed(run: Sync, swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    committed: list[Page] = []
    real = Store.commit_page

    def watch(self: Store, connection_id: str, page: Page, lease: Any) -> Any:
        committed.append(page)
        return real(self, connection_id, page, lease)

    monkeypatch.setattr(Store, "commit_page", watch)
    swept()
    assert committed == []
