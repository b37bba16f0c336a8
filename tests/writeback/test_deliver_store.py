"""Delivery on the real store: what a worker leaves behind when it dies is enough for the next one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ar_connectors.connector import Page
from ar_connectors.errors import WriteOutcomeUnknown
from ar_connectors.quickbooks.connector import QuickBooksConnector
from ar_connectors.quickbooks.decode import decode
from ar_connectors.store import Store, open_store
from ar_connectors.store.contract import WriteState
from ar_connectors.writeback import deliver, record, resolve
from ar_core.model import Organization, Promise, RecordKind
from tests.quickbooks.little_books import CONNECTION, TENANT, Company, LittleBooks, rid
from tests.quickbooks.test_writeback_crashes import check, story
from tests.writeback.memory import FakeClock

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def little_books() -> LittleBooks:
    books = LittleBooks(latin1_only=True)
    books.customer("1", "Ring the side door.")
    for number in ("129", "130", "131"):
        books.invoice(number, "1")
    return books


def sync(books: LittleBooks, store: Store) -> None:
    """What a sync does with the rows, without asking for them."""
    lease = store.acquire_lease(f"sync:{CONNECTION}", "test", timedelta(minutes=5))
    assert lease is not None
    organization = Organization(id=rid(RecordKind.ORGANIZATION, TENANT), country="US")
    pages = [Page(records=(organization,), stream="reference")]
    for kind, entity, table in (
        ("customer", "Customer", books.customers),
        ("invoice", "Invoice", books.invoices),
        ("attachable", "Attachable", books.attachables),
    ):
        rows = [
            {"TotalAmt": 500, "Balance": 500, **row} if entity == "Invoice" else row for row in table.values()
        ]
        page = decode(kind, json.dumps({"QueryResponse": {entity: rows}}).encode(), TENANT)
        assert isinstance(page, Page)
        assert not page.rejected
        pages.append(page)
    for page in pages:
        store.commit_page(CONNECTION, page, lease)
    store.release_lease(lease)


def opened(url: str, clock: FakeClock) -> Store:
    store = open_store(url, clock=clock)
    store.add_connection(CONNECTION, "quickbooks", TENANT)
    return store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'ar.db'}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def store(url: str, clock: FakeClock) -> Iterator[Store]:
    made = opened(url, clock)
    yield made
    made.close()


def judge(books: LittleBooks, commands: Any) -> None:
    check(cast(Company, SimpleNamespace(books=books)), commands)


def test_a_week_of_collecting_is_delivered_and_nothing_twice(store: Store, clock: FakeClock) -> None:
    books = little_books()
    sync(books, store)
    connector = QuickBooksConnector(TENANT, books, clock)
    commands = story()
    record(store, commands[:1])
    deliver(connector, store, owner="w", clock=clock)
    record(store, commands)
    receipts = deliver(connector, store, owner="w", clock=clock)
    assert [one.state for one in receipts] == [WriteState.CONFIRMED] * (len(commands) - 1)
    assert not any(one.degraded for one in receipts)
    judge(books, commands)
    sent = len(books.requests)
    record(store, commands)
    assert deliver(connector, store, owner="w", clock=clock) == ()
    assert len(books.requests) == sent


def test_lost_answers_are_resolved_by_looking(store: Store, clock: FakeClock) -> None:
    books = little_books()
    sync(books, store)
    connector = QuickBooksConnector(TENANT, books, clock)
    commands = story()
    record(store, commands)

    def lose(_request: Any, _body: Any) -> None:
        raise WriteOutcomeUnknown("no answer")

    books.after = lose
    for _ in range(40):
        deliver(connector, store, owner="w", clock=clock)
        resolve(connector, store, owner="w", clock=clock)
        clock.forward(minutes=5)
        if {one.state for one in store.receipts(CONNECTION)} == {WriteState.CONFIRMED}:
            break
    judge(books, commands)


def test_another_store_that_reads_the_erp_finds_the_same_open_promises(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    books = little_books()
    sync(books, store)
    connector = QuickBooksConnector(TENANT, books, clock)
    commands = story()
    for command in commands:
        record(store, [command])
        deliver(connector, store, owner="w", clock=clock)
        clock.forward(hours=1)
    other = opened(f"sqlite:///{tmp_path / 'other.db'}", clock)
    sync(books, other)
    sync(books, store)

    def promises(one: Store) -> list[Promise]:
        plain = {"source": None, "recorded_at": None}
        return [promise.model_copy(update=plain) for promise in one.snapshot(CONNECTION).promises]

    assert promises(other) == promises(store)
    assert [one.id for one in promises(other) if one.withdrawn_on is None and one.superseded_by is None] == [
        commands[4].local_record_id
    ]
    disputes = [
        one.model_copy(update={"source": None, "recorded_at": None})
        for one in other.snapshot(CONNECTION).disputes
    ]
    assert disputes == [
        one.model_copy(update={"source": None, "recorded_at": None})
        for one in store.snapshot(CONNECTION).disputes
    ]
    other.close()


def test_our_own_writes_come_back_as_echoes(store: Store, clock: FakeClock) -> None:
    books = little_books()
    sync(books, store)
    connector = QuickBooksConnector(TENANT, books, clock)
    record(store, story()[:4])
    deliver(connector, store, owner="w", clock=clock)
    lease = store.acquire_lease(f"sync:{CONNECTION}", "test", timedelta(minutes=5))
    assert lease is not None
    body = json.dumps({"QueryResponse": {"Customer": list(books.customers.values())}}).encode()
    page = decode("customer", body, TENANT)
    assert isinstance(page, Page)
    assert store.commit_page(CONNECTION, page, lease).echoes == 1
