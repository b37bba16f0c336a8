"""What does a page do to the store? The upsert guard, tombstones, history, fencing; on every database."""

from __future__ import annotations

import stat
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import ar_core as core
from ar_connectors.connector import Rejected
from ar_connectors.errors import LeaseLost
from ar_connectors.store import Store, open_store
from ar_connectors.store.contract import Lease
from tests.store.books import CONNECTION, allocation, cursor, customer, invoice, page, payment, rid, tombstone
from tests.store.conftest import Ticks

TTL = timedelta(minutes=5)


def held(store: Store, owner: str = "me") -> Lease:
    lease = store.acquire_lease("sync", owner, TTL)
    assert lease is not None
    return lease


def only_invoice(store: Store) -> core.Invoice:
    (found,) = store.snapshot(CONNECTION).invoices
    return found


def test_records_cursor_and_raw_body_arrive_together(store: Store) -> None:
    body = b'{"Invoice": "as it came"}'
    result = store.commit_page(
        CONNECTION, page(customer(), invoice(), raw=body, row_of=(0, 1), cursor=cursor(next=2)), held(store)
    )
    assert (result.inserted, result.updated, result.unchanged) == (2, 0, 0)
    assert store.snapshot(CONNECTION) == core.Snapshot(customers=(customer(),), invoices=(invoice(),))
    raw = store.raw_of(invoice().id)
    assert raw is not None
    assert (raw.body, raw.row) == (body, 1)
    found = store.view(CONNECTION).cursor("invoice")
    assert found is not None
    assert found.state == {"next": 2}


def test_the_same_page_again_changes_nothing(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice()), lease)
    again = store.commit_page(CONNECTION, page(invoice()), lease)
    assert (again.inserted, again.updated, again.unchanged, again.changed_ids) == (0, 0, 1, ())


def test_only_a_strictly_older_version_is_refused(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice(version="9")), lease)
    newer = store.commit_page(CONNECTION, page(invoice(version="10", memo="ten")), lease)
    assert newer.updated == 1
    older = store.commit_page(CONNECTION, page(invoice(version="9", memo="nine")), lease)
    assert (older.stale, only_invoice(store).memo) == (1, "ten")


def test_a_change_under_an_equal_version_is_a_silent_change(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice()), lease)
    result = store.commit_page(CONNECTION, page(invoice(balance_due=Decimal("40.00"))), lease)
    assert (result.updated, result.silent_changes) == (1, 1)
    assert str(only_invoice(store).balance_due) == "40.00"


def test_a_newer_mapper_replaces_even_a_newer_version(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice(version="5")), lease)
    store.commit_page(CONNECTION, page(invoice(version="4", memo="better read"), mapper_version=2), lease)
    assert only_invoice(store).memo == "better read"


def test_a_moved_due_date_counts_a_due_version(store: Store) -> None:
    """E10."""
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice()), lease)
    assert only_invoice(store).due_version == 0
    store.commit_page(CONNECTION, page(invoice(version="1", due_date=date(2026, 12, 15))), lease)
    assert only_invoice(store).due_version == 1
    store.commit_page(CONNECTION, page(invoice(version="2", due_date=date(2026, 12, 15), memo="x")), lease)
    assert only_invoice(store).due_version == 1


def test_an_allocation_that_its_parent_no_longer_has_is_gone(store: Store) -> None:
    lease = held(store)
    both = (allocation(target="1"), allocation(target="2"))
    store.commit_page(CONNECTION, page(payment(), *both, replaces=(payment().id,)), lease)
    result = store.commit_page(CONNECTION, page(payment(), both[0], replaces=(payment().id,)), lease)
    assert result.tombstoned == 1
    assert store.snapshot(CONNECTION).allocations == (both[0],)


def test_with_a_parent_its_allocations_go(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(payment(), allocation(), replaces=(payment().id,)), lease)
    stub = tombstone("Payment", "9", core.RecordKind.PAYMENT)
    assert store.commit_page(CONNECTION, page(tombstones=(stub,)), lease).tombstoned == 2
    assert store.snapshot(CONNECTION) == core.Snapshot()


def test_a_tombstone_closes_whatever_came_from_its_source(store: Store) -> None:
    lease = held(store)
    note = core.Source(platform="quickbooks", tenant="9341", kind="Attachable", remote_id="55", version="0")
    promise = core.Promise(
        id="local:p",
        source=note,
        invoice_ids=(rid("invoice", "1"),),
        promised_date=date(2026, 12, 1),
        origin=core.Origin.OURS,
    )
    store.commit_page(CONNECTION, page(promise), lease)
    assert len(store.snapshot(CONNECTION).promises) == 1
    store.commit_page(
        CONNECTION, page(tombstones=(tombstone("Attachable", "55", core.RecordKind.NOTE),)), lease
    )
    assert store.snapshot(CONNECTION).promises == ()


def test_what_comes_back_is_alive_again(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice()), lease)
    store.commit_page(
        CONNECTION, page(tombstones=(tombstone("Invoice", "1", core.RecordKind.INVOICE),)), lease
    )
    assert store.snapshot(CONNECTION).invoices == ()
    result = store.commit_page(CONNECTION, page(invoice()), lease)
    assert (result.updated, len(store.snapshot(CONNECTION).invoices)) == (1, 1)


def test_the_past_can_be_asked_for(store: Store, clock: Ticks) -> None:
    lease = held(store)
    before = clock.now()
    clock.advance(seconds=10)
    store.commit_page(CONNECTION, page(invoice(version="1")), lease)
    first = clock.now()
    clock.advance(seconds=10)
    store.commit_page(CONNECTION, page(invoice(version="2", memo="second")), lease)
    second = clock.now()
    clock.advance(seconds=10)
    store.commit_page(
        CONNECTION, page(tombstones=(tombstone("Invoice", "1", core.RecordKind.INVOICE),)), lease
    )
    third = clock.now()
    clock.advance(seconds=10)
    store.commit_page(CONNECTION, page(invoice(version="3", memo="back")), lease)

    def memo_at(instant: datetime) -> list[str | None]:
        known = store.snapshot(CONNECTION, known_at=instant)
        return [one.memo for one in known.invoices]

    assert memo_at(before) == []
    assert memo_at(first) == [None]
    assert memo_at(second - timedelta(seconds=1)) == [None]
    assert memo_at(second) == ["second"]
    assert memo_at(third) == []
    assert memo_at(clock.now()) == ["back"]


def test_history_can_be_pruned_without_touching_the_present(store: Store, clock: Ticks) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice(version="1"), raw=b"old", row_of=(0,)), lease)
    clock.advance(seconds=10)
    store.commit_page(CONNECTION, page(invoice(version="2", memo="x"), raw=b"new", row_of=(0,)), lease)
    clock.advance(seconds=10)
    assert store.prune(versions_before=clock.now()) == {"versions": 1, "raw_pages": 1}
    assert only_invoice(store).memo == "x"


def test_a_worker_whose_lease_was_taken_over_cannot_commit(store: Store, clock: Ticks) -> None:
    old = held(store)
    clock.advance(minutes=6)
    new = held(store, "other")
    assert new.fence > old.fence
    with pytest.raises(LeaseLost, match="taken over"):
        store.commit_page(CONNECTION, page(invoice(), cursor=cursor(next=9)), old)
    assert store.snapshot(CONNECTION) == core.Snapshot()
    assert store.view(CONNECTION).cursor("invoice") is None


def test_a_worker_paused_past_its_lease_cannot_commit_even_when_nobody_took_over(
    store: Store, clock: Ticks
) -> None:
    lease = held(store)
    clock.advance(minutes=6)
    with pytest.raises(LeaseLost, match="ran out"):
        store.commit_page(CONNECTION, page(invoice()), lease)
    with pytest.raises(LeaseLost):
        store.renew_lease(lease, TTL)


def test_a_held_lease_is_given_to_nobody_else(store: Store) -> None:
    lease = held(store)
    assert store.acquire_lease("sync", "other", TTL) is None
    store.release_lease(lease)
    taken = store.acquire_lease("sync", "other", TTL)
    assert taken is not None
    assert taken.fence == lease.fence + 1


def test_a_row_set_aside_is_kept_counted_and_closed_when_it_maps(store: Store) -> None:
    lease = held(store)
    bad = Rejected("Invoice", "1", "missing_field", "Invoice 1 has no TotalAmt \ud800\x00", b'{"Id":"1"}')
    assert store.commit_page(CONNECTION, page(rejected=(bad,)), lease).quarantined == 1
    store.commit_page(CONNECTION, page(rejected=(bad,)), lease)
    (waiting,) = store.quarantined(CONNECTION)
    assert (waiting.count, waiting.raw, waiting.reason) == (2, bad.raw, bad.reason)
    store.commit_page(CONNECTION, page(invoice("1")), lease)
    assert store.quarantined(CONNECTION) == []


@pytest.mark.parametrize(
    "amount", ["123456789012345678901234567.891", "12345678901234567.89", "275.0", "1E+3"]
)
def test_every_digit_survives_the_database(store: Store, amount: str) -> None:
    store.commit_page(CONNECTION, page(invoice(total=Decimal(amount))), held(store))
    assert str(only_invoice(store).total) == amount


@pytest.mark.parametrize(
    "text", ["NUL \x00 inside", "lone \ud800 surrogate", "O'Neil & Sons", "名前 🎉", "\\ back"]
)
def test_every_character_survives_the_database(store: Store, text: str) -> None:
    record = invoice(remote=text or "x", memo=text, customer_id=rid("customer", text))
    store.commit_page(CONNECTION, page(record), held(store))
    assert only_invoice(store) == record


def test_the_store_file_is_for_its_owner_alone(tmp_path: Path, clock: Ticks) -> None:
    opened = open_store(f"sqlite:///{tmp_path}/ar.db", clock=clock)
    opened.add_connection(CONNECTION, "quickbooks", "9341")
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    opened.close()
