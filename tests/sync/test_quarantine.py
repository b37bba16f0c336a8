"""Is a row that cannot be mapped kept, and taken in when it can be?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import ContractError
from ar_connectors.store import Store
from ar_connectors.syncing import ReplayReport, remap_all, replay
from ar_connectors.syncing.lease import lease_name
from ar_core.model import RecordKind
from tests.sync.conftest import Sync
from tests.sync.paper import PaperConnector, PaperErp, Ticks
from tests.sync.test_leases import TTL
from tests.sync.truth import stored


@pytest.fixture
def again(connector: PaperConnector, store: Store, clock: Ticks) -> Any:
    return lambda: replay(connector, store, owner="replay", clock=clock)


def spoil(erp: PaperErp) -> None:
    """Two invoices with an amount in a notation that our mapper does not read yet, one with nonsense."""
    erp.invoice("104", total="1.234,50")
    erp.invoice("107", total="99,00")
    erp.invoice("109", total="nonsense")


def test_a_bad_row_is_set_aside_and_the_rest_of_its_page_is_kept(
    run: Sync, store: Store, erp: PaperErp
) -> None:
    spoil(erp)
    report = run()
    assert report.complete
    assert report.stream("invoice").quarantined == 3
    waiting = store.quarantined("paper:1")
    assert [row.remote_id for row in waiting] == ["104", "107", "109"]
    assert json.loads(waiting[0].raw)["total"] == "1.234,50"
    missing = {f"paper:1:invoice:{number}" for number in (104, 107, 109)}
    assert stored(store).keys() == erp.truth().keys() - missing


def test_rows_map_after_a_fix_without_asking_the_platform(
    run: Sync, store: Store, erp: PaperErp, again: Any
) -> None:
    spoil(erp)
    run()
    erp.calls.clear()
    nothing = again()
    assert nothing.mapped == 0
    assert len(nothing.still_rejected) == 3
    erp.lenient = True
    report: ReplayReport = again()
    assert not erp.calls
    assert (report.examined, report.mapped, report.inserted) == (3, 2, 2)
    assert report.changed == {"invoice": ("paper:1:invoice:104", "paper:1:invoice:107")}
    assert [row.remote_id for row in report.still_rejected] == ["109"]
    assert [row.remote_id for row in store.quarantined("paper:1")] == ["109"]
    assert stored(store)["paper:1:invoice:104"][1] == "1234.50"
    erp.invoice("109", total="7.00")
    run()
    assert not store.quarantined("paper:1")
    assert json.dumps(report.to_json())


def test_a_row_that_came_in_good_order_meanwhile_is_not_put_back(
    run: Sync, store: Store, erp: PaperErp, again: Any
) -> None:
    erp.invoice("104", total="1.234,50")
    run()
    erp.invoice("104", total="7.00")
    run()
    erp.lenient = True
    assert again().examined == 0
    assert stored(store)["paper:1:invoice:104"][1] == "7.00"


def test_a_stream_that_is_being_read_is_left_for_the_next_replay(
    run: Sync, store: Store, erp: PaperErp, again: Any, connector: PaperConnector
) -> None:
    spoil(erp)
    run()
    erp.lenient = True
    other = store.acquire_lease(lease_name(connector.id, "invoice"), "somebody else", TTL)
    assert other is not None
    report = again()
    assert report.busy == ("invoice",)
    assert report.mapped == 0
    store.release_lease(other)
    assert again().mapped == 2


def test_a_row_whose_bytes_are_not_understood_stays(
    run: Sync, erp: PaperErp, again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(erp)
    run()

    def refuse(*_: Any) -> Page:
        raise ContractError("this is no body")

    monkeypatch.setattr(PaperConnector, "remap", refuse)
    report = again()
    assert [row.reason for row in report.still_rejected] == ["this is no body"] * 3


def test_stored_bodies_are_mapped_again_with_a_newer_mapper(
    run: Sync, store: Store, erp: PaperErp, connector: PaperConnector, clock: Ticks
) -> None:
    run()
    erp.customer("2", "Renamed")
    erp.delete(RecordKind.CUSTOMER, "3")
    erp.delete(RecordKind.PAYMENT, "900")
    run()
    erp.calls.clear()
    before = stored(store)
    erp.mapper_version = 2  # from now on names are in capitals
    report = remap_all(connector, store, mapper_version=2, owner="remap", clock=clock)
    assert not erp.calls
    after = stored(store)
    assert after.keys() == before.keys(), "what was deleted came back, or something got lost"
    assert {one: fact[1] for one, fact in after.items() if ":customer:" in one} == {
        "paper:1:customer:1": "CUSTOMER 1",
        "paper:1:customer:2": "RENAMED",
        "paper:1:customer:4": "CUSTOMER 4",
    }
    assert {one: fact for one, fact in after.items() if ":customer:" not in one} == {
        one: fact for one, fact in before.items() if ":customer:" not in one
    }
    assert report.updated == 3
    assert report.changed["customer"] == tuple(f"paper:1:customer:{number}" for number in (1, 2, 4))
    assert remap_all(connector, store, mapper_version=2, owner="remap", clock=clock).mapped == 0


def test_a_newer_mapper_that_rejects_a_row_leaves_its_record(
    run: Sync, store: Store, erp: PaperErp, connector: PaperConnector, clock: Ticks
) -> None:
    erp.lenient = True
    erp.invoice("104", total="1.234,50")
    run()
    erp.mapper_version, erp.lenient = 2, False
    report = remap_all(connector, store, mapper_version=2, owner="remap", clock=clock)
    assert [row.remote_id for row in report.still_rejected] == ["104"]
    assert stored(store)["paper:1:invoice:104"][1] == "1234.50"
