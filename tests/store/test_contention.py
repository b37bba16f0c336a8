"""What happens when several want the same at the same time? Threads, processes, forks; on every database."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ar_core as core
from ar_connectors.cli.exits import Exit
from ar_connectors.cli.main import cli
from ar_connectors.errors import ConfigurationError, LeaseLost, TransientError
from ar_connectors.events import Event, Waiting
from ar_connectors.store import Store, open_store
from ar_connectors.store import engine as store_engine
from tests.store.books import CONNECTION, invoice, page, rid
from tests.store.children import TTL, make_calls, open_new, read_in_child
from tests.store.conftest import Ticks

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that several processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ar.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


def all_at_once(count: int, work: Any) -> list[Any]:
    """Results of `work(0..count-1)`, started together in threads; a failure of one is raised."""
    barrier = threading.Barrier(count)

    def start(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def test_one_lease_goes_to_one_of_many_who_ask_at_once(store: Store) -> None:
    taken = all_at_once(8, lambda number: store.acquire_lease("new", f"worker {number}", TTL))
    assert [one.fence for one in taken if one is not None] == [1]


def test_asking_for_a_lease_never_stops_its_holder(store: Store) -> None:
    """An owner who renews and others who ask must not wait for each other in a circle."""
    lease = store.acquire_lease("busy", "owner", TTL)
    assert lease is not None

    def work(number: int) -> None:
        for _ in range(15):
            if number == 0:
                store.renew_lease(lease, TTL)
            elif number == 1:
                store.commit_page(CONNECTION, page(invoice()), lease)
            else:
                assert store.acquire_lease("busy", f"other {number}", TTL) is None

    all_at_once(5, work)


def test_a_fence_of_the_same_number_under_another_owner_does_not_hold(store: Store) -> None:
    lease = store.acquire_lease("s", "me", TTL)
    assert lease is not None
    with pytest.raises(LeaseLost):
        store.renew_lease(type(lease)("s", "you", lease.fence, lease.expires_at), TTL)


def test_two_streams_that_bring_the_same_record_make_one_row_and_a_whole_history(store: Store) -> None:
    def work(stream: int) -> None:
        lease = store.acquire_lease(f"stream {stream}", "me", TTL)
        assert lease is not None
        for version in range(1, 11):
            memo = f"{version} by {stream}"
            store.commit_page(CONNECTION, page(invoice(version=str(version), memo=memo)), lease)

    all_at_once(4, work)
    (found,) = store.snapshot(CONNECTION).invoices
    assert found.memo is not None
    assert found.memo.startswith("10 by")
    with store._database.reading() as connection:
        past = [row[0] for row in connection.exec_driver_sql("SELECT seq FROM record_versions ORDER BY seq")]
        now = connection.exec_driver_sql("SELECT seq FROM records").scalar()
    assert [*past, now] == list(range(len(past) + 1))


def test_one_command_recorded_by_many_at_once_is_one_command(store: Store) -> None:
    command = core.AddNote(subject_id=rid("invoice", "1"), text="call back", given_on=date(2026, 11, 2))
    found = all_at_once(6, lambda _: store.record_commands([command])[0])
    assert len(store.receipts()) == 1
    assert len(set(found)) == 1


def test_a_command_is_claimed_by_one_of_many(store: Store) -> None:
    notes = [
        core.AddNote(subject_id=rid("invoice", str(n)), text="call", given_on=date(2026, 11, 2))
        for n in range(12)
    ]
    store.record_commands(notes)
    claims = all_at_once(4, lambda number: store.claim_writes(CONNECTION, f"worker {number}", TTL, 5))
    keys = [claim.write.command.key for some in claims for claim in some]
    assert sorted(keys) == sorted(one.key for one in notes)


def test_commands_on_one_invoice_wait_for_each_other_whatever_else_they_name(store: Store) -> None:
    given = date(2026, 11, 2)
    promise = core.RecordPromise(
        customer_id=rid("customer", "7"),
        invoice_ids=(rid("invoice", "1"),),
        promised_date=given,
        given_on=given,
    )
    on_it = core.AddNote(subject_id=rid("invoice", "1"), text="wait", given_on=given)
    elsewhere = core.AddNote(subject_id=rid("invoice", "2"), text="go", given_on=given)
    store.record_commands([promise, on_it, elsewhere])
    claims = store.claim_writes(CONNECTION, "worker", TTL, 5)
    assert [claim.write.command for claim in claims] == [promise, elsewhere]


def test_a_new_store_is_made_by_many_processes_at_once(shared_url: str) -> None:
    ready, results = SPAWN.Event(), SPAWN.Queue()
    workers = [SPAWN.Process(target=open_new, args=(shared_url, ready, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    ready.set()
    assert [results.get(timeout=60) for _ in workers] == [1] * 4
    for worker in workers:
        worker.join()


def test_four_processes_together_stay_within_the_budget(shared_url: str) -> None:
    """At most 2 in flight at any moment. That the rate holds is shown by the store's own list of calls, which has its times."""
    open_store(shared_url).close()
    results = SPAWN.Queue()
    workers = [SPAWN.Process(target=make_calls, args=(shared_url, 1.5, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    spans = sorted(span for _ in workers for span in results.get(timeout=60))
    for worker in workers:
        worker.join()
    assert len(spans) >= 6
    for begun, _ in spans:
        assert sum(first <= begun < last for first, last in spans) <= 2
    store = open_store(shared_url)
    with store._database.reading() as connection:
        query = "SELECT at FROM budget_calls ORDER BY at"
        calls = [row[0] for row in connection.exec_driver_sql(query)]
    store.close()
    assert all(later - earlier >= 500_000 for earlier, later in zip(calls, calls[6:], strict=False))


def test_a_store_opened_before_a_fork_works_on_both_sides(shared_url: str, clock: Ticks) -> None:
    """Task queues open their store, then fork their workers."""
    store = open_store(shared_url, clock=clock)
    lease = store.acquire_lease("s", "me", TTL)
    assert lease is not None
    store.commit_page(CONNECTION, page(invoice("1")), lease)
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    child = fork.Process(target=read_in_child, args=(store, results))
    child.start()
    assert results.get(timeout=60) == [invoice("1").id]
    child.join()
    store.commit_page(CONNECTION, page(invoice("2")), lease)
    assert len(store.snapshot(CONNECTION).invoices) == 2
    store.close()


def test_a_store_that_stays_busy_is_a_failure_that_passes(
    tmp_path: Path, clock: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_engine, "BUSY_SECONDS", 0.05)
    store = open_store(f"sqlite:///{tmp_path}/ar.db", clock=clock)
    blocker = sqlite3.connect(tmp_path / "ar.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientError, match="locked"):
        store.acquire_lease("s", "me", TTL)
    assert store.connections() == []
    blocker.execute("ROLLBACK")
    blocker.close()
    assert store.acquire_lease("s", "me", TTL) is not None
    store.close()


def test_threads_of_one_process_write_in_turn_and_give_up_where_one_keeps_the_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waits does not ask SQLite, which would let it sleep."""
    monkeypatch.setattr(store_engine, "BUSY_SECONDS", 0.05)
    database = store_engine.open_database(f"sqlite:///{tmp_path}/ar.db")

    def write(_: int) -> None:
        with database.writing():
            pass

    with ThreadPoolExecutor(1) as other:
        with database.writing(), pytest.raises(TransientError, match="another thread keeps writing"):
            other.submit(write, 0).result()
        other.submit(write, 1).result()
    database.close()


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer, " * 100)
    with pytest.raises(ConfigurationError, match="not a store"):
        open_store(f"sqlite:///{file}")
    assert file.read_text().startswith("Dear customer")


def test_an_address_with_a_password_is_not_repeated() -> None:
    for url in (
        "postgresql://me:hunter2@127.0.0.1:port/none",
        "postgresql+psycopg://me:hunter2@127.0.0.1:1/none",
    ):
        with pytest.raises(ConfigurationError) as failure:
            open_store(url)
        assert "hunter2" not in str(failure.value)


def test_who_waits_for_another_writer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on when that one has ended; a lock that nobody holds is told to nobody."""
    monkeypatch.setattr(store_engine, "TELL_SECONDS", 0.05)
    heard: list[Event] = []
    other = sqlite3.connect(tmp_path / "ar.db", isolation_level=None, check_same_thread=False)

    def listen(event: Event) -> None:
        heard.append(event)
        other.execute("ROLLBACK")

    with open_store(f"sqlite:///{tmp_path}/ar.db", observer=listen) as store:
        store.add_connection(CONNECTION, "quickbooks", "9341")
        assert heard == []
        other.execute("BEGIN IMMEDIATE")
        assert store.acquire_lease("a", "me", TTL) is not None
    other.close()
    (told,) = heard
    assert isinstance(told, Waiting)
    assert (told.operation, told.reason) == ("write to the store", "another process writes to it")


def test_the_command_line_says_that_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_engine, "TELL_SECONDS", 0.05)
    monkeypatch.setattr(store_engine, "BUSY_SECONDS", 0.2)
    store = f"sqlite:///{tmp_path}/ar.db"
    with open_store(store) as made:
        made.add_connection(CONNECTION, "quickbooks", "9341", {"time_zone": "UTC"})
    other = sqlite3.connect(tmp_path / "ar.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    result = CliRunner().invoke(cli, ["--store", store, "connections", "set-zone", "Europe/Berlin"])
    other.close()
    assert result.exit_code == Exit.TRY_LATER
    assert "waiting for the store: another process writes to it" in result.stderr
    assert "TransientError" in result.stderr
