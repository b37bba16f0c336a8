"""A look-up of a few records costs a few records, in a company of any size. Counted in steps of SQLite's machine, not in time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from ar_connectors.connector import Page, Record
from ar_connectors.store import Store, open_store
from ar_connectors.store.codec import MODELS
from ar_connectors.store.places import KINDS, NAMES, key_of_part
from ar_connectors.syncing.engine import DEFAULT_WORKERS
from ar_core.model import CustomField, RecordKind
from tests.store.books import CONNECTION, allocation, customer, invoice, payment, rid, tombstone
from tests.store.conftest import Ticks

SMALL, LARGE = 1_000, 8_000


@dataclass
class Steps:
    """Counts the steps of all statements, in hundreds."""

    hundreds: int = 0

    def tick(self) -> int:
        self.hundreds += 1
        return 0


@contextmanager
def counting(store: Store) -> Iterator[Steps]:
    steps = Steps()
    engine = store._database.engine

    def watch(raw: sqlite3.Connection, *_: object) -> None:
        raw.set_progress_handler(steps.tick, 100)

    event.listen(engine, "checkout", watch)
    try:
        yield steps
    finally:
        event.remove(engine, "checkout", watch)


def company(folder: Path, size: int) -> Store:
    """So many invoices, and a payment with an allocation for every fourth."""
    folder.mkdir()
    store = open_store(f"sqlite:///{folder}/ar.db", clock=Ticks())
    lease = store.acquire_lease("s", "w", timedelta(hours=1))
    assert lease is not None
    records = [invoice(str(n)) for n in range(size)]
    paid = [one for n in range(0, size, 4) for one in (payment(str(n)), allocation(str(n), str(n)))]
    store.commit_page(CONNECTION, Page(records=[*records, *paid], stream="invoices"), lease)
    return store


def gone(store: Store) -> None:
    lease = store.acquire_lease("s", "w", timedelta(hours=1))
    assert lease is not None
    stub = tombstone("Invoice", "9", RecordKind.INVOICE)
    assert store.commit_page(CONNECTION, Page(tombstones=[stub], stream="invoices"), lease).tombstoned == 1


LOOKUPS: dict[str, Callable[[Store], object]] = {
    "records": lambda store: store.view(CONNECTION).records([rid("invoice", str(n)) for n in range(20)]),
    "allocations_of": lambda store: store.view(CONNECTION).allocations_of([rid("payment", "4"), rid("payment", "8")]),
    "a tombstone": gone,
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKUPS)
def test_a_look_up_costs_the_same_in_a_large_company(name: str, tmp_path: Path) -> None:
    spent = []
    for size in (SMALL, LARGE):
        with company(tmp_path / str(size), size) as store, counting(store) as steps:
            LOOKUPS[name](store)
            spent.append(steps.hundreds)
    assert spent[1] <= spent[0] + 10, f"{spent} hundreds of steps"


def test_all_ids_cost_as_much_as_there_are_ids(tmp_path: Path) -> None:
    """In portions, none of which begins at the beginning again."""
    spent = []
    for size in (6_000, 24_000):
        with company(tmp_path / str(size), size) as store, counting(store) as steps:
            assert len(list(store.live_ids(CONNECTION, RecordKind.INVOICE))) == size
            spent.append(steps.hundreds)
    assert spent[1] < spent[0] * 5, f"{spent} hundreds of steps"


def test_the_caches_of_all_threads_are_small_together(tmp_path: Path) -> None:
    """SQLite keeps one for each connection, and a sync has a connection in each of its threads."""
    with open_store(f"sqlite:///{tmp_path}/ar.db") as store, store._database.reading() as connection:
        kibibytes = -connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    assert 0 < kibibytes * (DEFAULT_WORKERS + 2) < 64 * 1024


def test_records_that_share_a_key_are_told_apart(store: Store) -> None:
    """A key is a number made of the platform's id: a customer and an invoice 9 share it, and these two checksums are equal."""
    twins = ("codding", "gnu")
    assert key_of_part(twins[0]) == key_of_part(twins[1])
    lease = store.acquire_lease("s", "w", timedelta(hours=1))
    assert lease is not None
    both = [invoice(one) for one in twins]
    bill, paid, applied = invoice("9"), payment("9"), allocation("9", "9")
    records: tuple[Record, ...] = (both[0], customer("9"), bill, paid, applied)
    store.commit_page(CONNECTION, Page(records=records, stream="invoices"), lease)
    first = store.commit_page(CONNECTION, Page(records=[both[1]], stream="invoices"), lease)
    assert (first.inserted, first.updated) == (1, 0)
    view = store.view(CONNECTION)
    assert view.records([both[0].id]) == {both[0].id: both[0]}
    assert view.record(rid("invoice", "9")) == bill
    assert list(view.allocations_of([rid("payment", "9")])) == [applied]
    assert list(view.allocations_of([rid("invoice", "9"), rid("credit_note", "9")])) == []
    stubs = [
        tombstone("Invoice", twins[0], RecordKind.INVOICE),
        tombstone("Payment", "9", RecordKind.PAYMENT),
    ]
    gone = store.commit_page(CONNECTION, Page(tombstones=stubs, stream="invoices"), lease)
    assert gone.changed_ids == tuple(sorted((both[0].id, paid.id, applied.id)))
    assert list(store.live_ids(CONNECTION, RecordKind.INVOICE)) == sorted((both[1].id, rid("invoice", "9")))


def test_records_that_mention_a_text_are_found_without_reading_the_others(store: Store) -> None:
    lease = store.acquire_lease("s", "w", timedelta(hours=1))
    assert lease is not None
    plain, grouped, gone = customer("1"), customer("2"), customer("3")
    field = CustomField(name="contact_group", value="Notes of ours \ud800", definition_id="7")
    named = [one.model_copy(update={"custom_fields": (field,)}) for one in (grouped, gone)]
    store.commit_page(CONNECTION, Page(records=[plain, *named], stream="customers"), lease)
    stub = tombstone("Customer", "3", RecordKind.CUSTOMER)
    store.commit_page(CONNECTION, Page(tombstones=[stub], stream="customers"), lease)
    view = store.view(CONNECTION)
    assert list(view.live_ids(RecordKind.CUSTOMER)) == [plain.id, grouped.id]
    assert list(view.live_ids(RecordKind.CUSTOMER, mentioning="contact_group")) == [grouped.id]
    assert list(view.live_ids(RecordKind.CUSTOMER, mentioning="contact_groups")) == []
    assert list(view.live_ids(RecordKind.INVOICE, mentioning="contact_group")) == []


def test_every_kind_has_a_number_of_its_own() -> None:
    assert list(KINDS) == list(MODELS)
    assert len(NAMES) == len(KINDS)
