"""Is everything read, in order, once, and no more than it must be?"""

from __future__ import annotations

import json
import threading
import weakref
from itertools import pairwise
from typing import Any

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import ConfigurationError, QuotaExhausted, ReauthorizationRequired, TransientError
from ar_connectors.events import Event, PageCommitted, RecordsQuarantined, StreamFinished, StreamStarted
from ar_connectors.http.meter import Usage
from ar_connectors.store import Store
from ar_connectors.store.contract import StagedPage
from ar_connectors.syncing import StreamOutcome
from ar_connectors.syncing.changed import ChangedIds
from ar_core.model import RecordKind
from tests.sync.conftest import Sync
from tests.sync.paper import START, PaperConnector, PaperErp
from tests.sync.truth import assert_complete, stored


def test_a_first_load_reads_everything_and_an_idle_run_asks_once(
    run: Sync, store: Store, erp: PaperErp
) -> None:
    report = run()
    assert_complete(store, erp)
    assert report.complete
    assert not report.failures
    assert report.inserted == len(erp.truth()) + 3 + 1  # three allocations and the organization
    assert {one.stream: one.mode for one in report.streams} == dict.fromkeys(
        ("books", "customer", "invoice", "credit_note", "payment", "changes"), "first_load"
    )
    erp.calls.clear()
    idle = run()
    assert len(erp.calls) == 1
    assert idle.complete
    assert idle.inserted == idle.updated == idle.tombstoned == 0


def test_changes_and_deletions_arrive(run: Sync, store: Store, erp: PaperErp) -> None:
    run()
    erp.pay("950", "105", "100.00", customer="2")
    erp.delete(RecordKind.PAYMENT, "900")
    erp.customer("9")
    report = run()
    assert_complete(store, erp)
    assert report.changed["customer"] == ("paper:1:customer:9",)
    assert report.changed["payment"] == ("paper:1:payment:900", "paper:1:payment:950")
    assert len(report.changed["allocation"]) == 2
    assert report.tombstoned == 2
    assert not report.changed_is_everything


def test_a_full_run_reads_everything_again_and_changes_nothing(run: Sync, store: Store) -> None:
    run()
    before = stored(store)
    report = run(full=True)
    assert stored(store) == before
    assert report.stream("invoice").mode == "first_load"
    assert report.inserted == report.updated == 0
    assert report.unchanged == len(before) + 3 + 1
    assert report.full


def test_a_full_run_that_dies_is_gone_on_with_by_an_ordinary_one(
    run: Sync, store: Store, erp: PaperErp
) -> None:
    run()
    erp.vanish(RecordKind.CUSTOMER, "nobody")
    erp.rows[RecordKind.INVOICE, "105"]["balance"] = "1.00"  # a change that no version and no feed tells

    def die(label: str) -> None:
        if label.startswith("invoice"):
            raise TransientError("no connection")

    erp.hook = die
    with pytest.raises(TransientError):
        run(full=True)
    erp.hook = lambda _: None
    report = run()
    assert_complete(store, erp)
    assert sum(one.silent_changes for one in report.streams) == 1


def test_a_full_run_forgets_what_a_stream_builds_on_after_the_stream_itself(
    run: Sync, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies in between must not leave a half-read table beside facts that are younger than what it has read."""
    run()
    forgotten: list[str] = []
    real = store.reset_stream

    def reset(connection_id: str, stream: str, lease: Any) -> None:
        forgotten.append(stream)
        real(connection_id, stream, lease)

    monkeypatch.setattr(store, "reset_stream", reset)
    run(full=True)
    assert (forgotten[0], forgotten[-1]) == ("changes", "books")


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_pages_are_committed_in_order_though_fetches_end_in_reverse(
    run: Sync, store: Store, erp: PaperErp, workers: int
) -> None:
    for number in range(200, 220):
        erp.invoice(str(number))
    ended: list[str] = []
    gate = threading.Condition()

    def in_reverse(label: str) -> None:
        # A fetch of invoices ends only when a later one has ended, or none can be under way (the window is `workers` wide).
        if not label.startswith("invoice "):
            return
        start = int(label.split()[1])
        with gate:
            if (start // erp.page_size) % workers != workers - 1 and start + erp.page_size < 30:
                gate.wait_for(lambda: f"invoice {start + erp.page_size}" in ended, timeout=20)
            ended.append(label)
            gate.notify_all()

    erp.hook = in_reverse
    committed: list[int] = []
    real = store.commit_page

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def commit_page(self, connection_id: str, staged: StagedPage, lease: Any) -> Any:
            page = staged.page
            if page.stream == "invoice" and page.cursor is not None and "next" in page.cursor.state:
                committed.append(page.cursor.state["next"])
            return real(connection_id, staged, lease)

    run(store=Watched(), workers=workers, streams=["books", "invoice"])
    assert committed == sorted(committed)
    assert len(committed) == 10
    if workers > 1:
        starts = [int(label.split()[1]) for label in ended]
        assert any(first > second for first, second in pairwise(starts)), (
            "the fetches did not end out of order"
        )


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_never_more_than_one_page_beyond_the_workers_is_in_memory(
    connector: PaperConnector, run: Sync, store: Store, erp: PaperErp, workers: int
) -> None:
    for number in range(200, 260):
        erp.invoice(str(number))
    guard = threading.Lock()
    alive = most = 0

    def dies() -> None:
        nonlocal alive
        with guard:
            alive -= 1

    class CountedPage(Page):
        """A page that is counted while it lives; the one that only says `done` costs nothing."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            nonlocal alive, most
            super().__init__(*arguments, **options)
            if self.raw is not None:
                with guard:
                    alive += 1
                    most = max(most, alive)
                weakref.finalize(self, dies)

    connector.page_type = CountedPage
    run(workers=workers)
    connector.page_type = Page
    assert_complete(store, erp)
    assert most <= workers + 1
    assert not alive
    if workers > 1:
        assert most > 1, "nothing was read ahead"


def test_no_more_fetches_run_at_once_than_there_are_workers(run: Sync, erp: PaperErp) -> None:
    met = threading.Barrier(3)

    def meet(label: str) -> None:
        if label in {"invoice 0", "invoice 3", "invoice 6"}:
            met.wait(timeout=20)  # three of them are under way at the same time, or this breaks

    erp.hook = meet
    run(workers=3, streams=["books", "invoice"])
    assert erp.most_in_flight == 3


def test_a_failing_fetch_keeps_the_pages_before_it_and_nothing_after(
    run: Sync, store: Store, erp: PaperErp
) -> None:
    def fail(label: str) -> None:
        if label == "invoice 6":
            raise TransientError("the line broke")

    erp.hook = fail
    report = run(raise_errors=False)
    invoices = report.stream("invoice")
    assert invoices.outcome is StreamOutcome.FAILED
    assert invoices.pages == 2
    assert isinstance(invoices.failure, TransientError)
    assert [str(one) for one in report.failures] == [str(invoices.failure)]
    kept = [one for one in stored(store) if ":invoice:" in one]
    assert kept == [f"paper:1:invoice:{number}" for number in range(100, 106)]
    others = {one.stream: one.outcome for one in report.streams if one.stream not in {"invoice", "changes"}}
    assert set(others.values()) == {StreamOutcome.COMPLETE}
    assert report.stream("changes").outcome is StreamOutcome.BLOCKED
    assert report.stream("changes").waits_for == ("invoice",)
    assert not report.complete
    erp.hook = lambda _: None
    erp.calls.clear()
    assert run().complete
    assert_complete(store, erp)
    assert [call for call in erp.calls if call.startswith("invoice")] == ["invoice 6", "invoice 9"]


def test_the_first_failure_is_raised_after_the_other_streams_have_ended(
    run: Sync, store: Store, erp: PaperErp
) -> None:
    def fail(label: str) -> None:
        if label.startswith("customer 0"):
            raise TransientError("the line broke")

    erp.hook = fail
    with pytest.raises(TransientError, match="the line broke"):
        run()
    assert sum(":payment:" in one for one in stored(store)) == 3


def test_a_used_up_quota_stops_the_run_and_says_when_to_come_back(
    run: Sync, store: Store, erp: PaperErp
) -> None:
    def fail(label: str) -> None:
        if label.startswith("count customer"):
            raise QuotaExhausted("the day limit is reached", resume_at=START.replace(hour=23))

    erp.hook = fail
    report = run(raise_errors=False, workers=1)
    assert report.resume_at == START.replace(hour=23)
    assert report.stream("customer").outcome is StreamOutcome.FAILED
    rest = {report.stream(name).outcome for name in ("invoice", "credit_note", "payment", "changes")}
    assert rest == {StreamOutcome.STOPPED}
    assert report.to_json()["resume_at"] == "2026-11-02T23:00:00+00:00"
    erp.hook = lambda _: None
    assert run().complete
    assert_complete(store, erp)


def test_dead_credentials_are_tried_once_and_not_by_every_stream(run: Sync, erp: PaperErp) -> None:
    def fail(_: str) -> None:
        if len(erp.calls) > 1:
            raise ReauthorizationRequired("the refresh token is dead")

    erp.hook = fail
    with pytest.raises(ReauthorizationRequired):
        run(workers=1)
    assert len(erp.calls) == 2


def test_a_bug_is_raised_and_gives_the_leases_back(run: Sync, store: Store, erp: PaperErp) -> None:
    def bug(label: str) -> None:
        if label == "invoice 3":
            raise ZeroDivisionError

    erp.hook = bug
    with pytest.raises(ZeroDivisionError):
        run(raise_errors=False)
    erp.hook = lambda _: None
    assert run(owner="somebody else").complete
    assert_complete(store, erp)


def test_a_subset_of_streams_can_be_read(run: Sync, store: Store) -> None:
    report = run(streams=["books", "customer"])
    assert [one.stream for one in report.streams] == ["books", "customer"]
    assert {one.rsplit(":", 2)[1] for one in stored(store)} == {"customer"}
    with pytest.raises(ConfigurationError, match="nonsense"):
        run(streams=["nonsense"])


def test_progress_is_told_from_start_to_finish(run: Sync, erp: PaperErp) -> None:
    erp.rows[RecordKind.INVOICE, "104"]["balance"] = "not a number"
    told: list[Event] = []
    report = run(observer=told.append)
    invoices = [one for one in told if getattr(one, "stream", None) == "invoice"]
    assert isinstance(invoices[0], StreamStarted)
    assert isinstance(invoices[-1], StreamFinished)
    pages = [one for one in invoices if isinstance(one, PageCommitted)]
    assert sum(one.rows for one in pages) == invoices[-1].rows == report.stream("invoice").rows == 10
    assert sum(one.inserted for one in pages) == 9
    (aside,) = (one for one in invoices if isinstance(one, RecordsQuarantined))
    assert aside.count == 1
    assert "not a number" in aside.first_reason
    assert report.quarantined == 1


def test_the_meter_is_read_before_and_after(run: Sync, erp: PaperErp) -> None:
    report = run(usage=lambda: Usage(calls=7 + len(erp.calls), metered_units=len(erp.calls)))
    assert report.cost.calls == report.cost.metered_units == len(erp.calls)
    assert report.to_json()["cost"]["calls"] == len(erp.calls)


def test_a_report_is_ready_for_json(run: Sync) -> None:
    text = json.dumps(run().to_json())
    assert json.loads(text)["complete"] is True


def test_so_many_changes_that_they_are_not_listed() -> None:
    collected = ChangedIds(limit=2)
    collected.add(Page(), ["paper:1:invoice:1", "paper:1:invoice:2"])
    assert collected.by_kind() == {"invoice": ("paper:1:invoice:1", "paper:1:invoice:2")}
    collected.add(Page(), ["paper:1:invoice:3"])
    assert collected.overflowed
    assert collected.by_kind() == {}
