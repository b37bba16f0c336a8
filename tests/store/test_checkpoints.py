"""When does SQLite's log come into the database file? Beside the pages that are written, and nobody waits for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ar_connectors.store import Store, open_store
from ar_connectors.store.checkpoints import EVERY, Checkpoints
from tests.store.books import CONNECTION, invoice, page
from tests.store.conftest import Ticks


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ar.db"


@pytest.fixture
def many_pages(file: Path, clock: Ticks) -> Store:
    """A store that is open still, to which one page less was committed than begins a copy."""
    store = open_store(f"sqlite:///{file}", clock=clock)
    commit(store, range(EVERY - 1))
    return store


def commit(store: Store, remote_ids: range) -> None:
    lease = store.acquire_lease("sync", "me", timedelta(minutes=5))
    assert lease is not None
    for number in remote_ids:
        store.commit_page(CONNECTION, page(invoice(str(number))), lease)


def in_the_file(file: Path) -> int:
    """Records in the database file itself, whatever its log holds."""
    with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as raw:
        try:
            (count,) = raw.execute("SELECT count(*) FROM records").fetchone()
        except sqlite3.DatabaseError:  # not even a table has come that far
            return 0
    return int(count)


def no_copy_runs() -> bool:
    return all(thread.name != "checkpoint" for thread in threading.enumerate())


def wait_until_copied() -> None:
    deadline = time.monotonic() + 30
    while not no_copy_runs():
        assert time.monotonic() < deadline, "the copy does not end"
        time.sleep(0.001)


def test_after_so_many_pages_they_are_in_the_file_itself(many_pages: Store, file: Path) -> None:
    assert no_copy_runs()
    assert in_the_file(file) < EVERY - 1
    commit(many_pages, range(EVERY, EVERY + 1))
    wait_until_copied()
    assert in_the_file(file) == EVERY
    many_pages.close()


def test_pages_go_on_while_a_copy_is_under_way_and_no_second_one_begins(
    many_pages: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = [], threading.Event()
    copy = Checkpoints._copy

    def slow(self: Checkpoints) -> None:
        begun.append(1)
        assert go_on.wait(30)
        copy(self)

    monkeypatch.setattr(Checkpoints, "_copy", slow)
    commit(many_pages, range(EVERY, 4 * EVERY))
    assert len(begun) == 1
    assert in_the_file(file) < EVERY
    go_on.set()
    wait_until_copied()
    assert in_the_file(file) == 4 * EVERY - 1
    commit(many_pages, range(4 * EVERY, 4 * EVERY + 1))
    wait_until_copied()
    assert len(begun) == 2, "the pages of meanwhile are copied with the next one"
    many_pages.close()


def test_a_store_that_is_closed_leaves_one_file_and_no_thread(many_pages: Store, file: Path) -> None:
    commit(many_pages, range(EVERY, EVERY + 1))
    many_pages.close()
    assert no_copy_runs()
    assert [one.name for one in file.parent.iterdir()] == ["ar.db"]


def test_a_copy_that_fails_is_told_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Checkpoints(tmp_path / "not here.db")
    for _ in range(2 * EVERY):
        gone.written()
        gone.wait()
    assert [record.getMessage() for record in caplog.records] == [
        "SQLite's log could not be copied into the database file: unable to open database file"
    ] * 2
    assert not list(tmp_path.iterdir())


def test_a_page_is_committed_where_no_thread_can_be_started(
    many_pages: Store, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        commit(many_pages, range(EVERY, EVERY + 1))
    assert "no thread can be started that copies SQLite's log" in caplog.text
    assert len(many_pages.snapshot(CONNECTION).invoices) == EVERY
    many_pages.close()
    assert in_the_file(file) == EVERY
