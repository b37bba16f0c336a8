"""What was known, and when? Everything the store keeps, at every instant of its life; and what the guard refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

import ar_core as core
from ar_connectors.connector import OutOfScope, Rejected
from ar_connectors.errors import ConfigurationError, NotFoundError
from ar_connectors.store import Store
from tests.store.books import CONNECTION, allocation, customer, invoice, page, payment, rid, source, tombstone
from tests.store.conftest import Ticks
from tests.store.test_pages import held

CUSTOMER, INVOICE = rid("customer", "7"), rid("invoice", "1")


def test_every_instant_of_a_whole_life_reads_as_it_did_then(store: Store, clock: Ticks) -> None:
    """Records, promises, disputes, touches, profiles and pauses; changed, withdrawn, buried, resurrected."""
    seen: list[tuple[datetime, core.Snapshot]] = []

    def look() -> None:
        seen.append((clock.now(), store.snapshot(CONNECTION)))
        clock.advance(seconds=30)

    lease = held(store)
    promise = core.RecordPromise(
        customer_id=CUSTOMER,
        invoice_ids=(INVOICE,),
        promised_date=date(2026, 12, 1),
        given_on=date(2026, 11, 2),
    )
    dispute = core.OpenDispute(
        customer_id=CUSTOMER, invoice_id=INVOICE, reason="short delivery", opened_on=date(2026, 11, 2)
    )
    touch = core.RecordTouch(customer_id=CUSTOMER, channel=core.Channel.EMAIL, at=clock.now(), key="a1")
    look()
    store.commit_page(CONNECTION, page(customer(), invoice(), payment(), allocation()), lease)
    look()
    store.record_commands([promise, dispute, touch])
    look()
    store.set_profile(CONNECTION, core.CustomerProfile(customer_id=CUSTOMER, flags=("human_only",)))
    store.set_pause(CONNECTION, core.Pause(id="local:p", customer_id=CUSTOMER, starts_on=date(2026, 11, 2)))
    look()
    later = promise.model_copy(update={"key": "second", "promised_date": date(2026, 12, 24)})
    store.record_commands([later])
    look()
    store.record_commands(
        [
            core.WithdrawPromise(
                promise_id=later.local_record_id, customer_id=CUSTOMER, withdrawn_on=date(2026, 11, 3)
            ),
            core.ResolveDispute(
                dispute_id=dispute.local_record_id,
                customer_id=CUSTOMER,
                resolved_on=date(2026, 11, 3),
                resolution="credited",
            ),
            core.RecordOutcome(
                touch_id="a1", customer_id=CUSTOMER, outcome=core.TouchOutcome.BOUNCED, at=clock.now()
            ),
        ]
    )
    look()
    store.commit_page(CONNECTION, page(invoice(version="2", due_date=date(2026, 12, 31))), lease)
    look()
    stubs = (
        tombstone("Payment", "9", core.RecordKind.PAYMENT),
        tombstone("Invoice", "1", core.RecordKind.INVOICE),
    )
    store.commit_page(CONNECTION, page(tombstones=stubs), lease)
    look()
    store.commit_page(CONNECTION, page(invoice(version="3", balance_due=Decimal("1.00"))), lease)
    store.set_profile(CONNECTION, core.CustomerProfile(customer_id=CUSTOMER, lifetime_value=Decimal("1E+3")))
    store.lift_pause(CONNECTION, "local:p", date(2026, 11, 5))
    look()
    assert len({one.model_dump_json() for _, one in seen}) == len(seen)
    for instant, then in seen:
        for moment in (instant, instant + timedelta(seconds=29)):
            known = store.snapshot(CONNECTION, known_at=moment)
            assert known.known_at == moment
            assert known.model_copy(update={"known_at": None}) == then


def test_pruned_history_is_not_answered_as_if_it_were_complete(store: Store, clock: Ticks) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice(version="1")), lease)
    first = clock.now()
    clock.advance(seconds=10)
    store.commit_page(CONNECTION, page(invoice(version="2", memo="x")), lease)
    second = clock.now()
    clock.advance(seconds=10)
    assert store.prune(versions_before=second)["versions"] == 1
    assert store.snapshot(CONNECTION, known_at=second).invoices[0].memo == "x"
    with pytest.raises(ConfigurationError, match="pruned"):
        store.snapshot(CONNECTION, known_at=first)
    store.prune(versions_before=first)
    with pytest.raises(ConfigurationError, match="pruned"):
        store.snapshot(CONNECTION, known_at=first)


def test_an_instant_without_a_time_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="time zone"):
        store.snapshot(CONNECTION, known_at=datetime(2026, 11, 2))  # noqa: DTZ001  the point of the test


def test_a_first_load_keeps_each_record_once(store: Store) -> None:
    store.commit_page(CONNECTION, page(customer(), invoice()), held(store))
    assert _column(store, "SELECT COUNT(*) FROM record_versions") == [0]


def test_a_stale_parent_moves_none_of_its_allocations(store: Store) -> None:
    lease = held(store)
    newer = payment(source=source("Payment", "9", "5", 5))
    of_newer = allocation(target="2").model_copy(update={"source": newer.source})
    store.commit_page(CONNECTION, page(newer, of_newer, replaces=(newer.id,)), lease)
    older = payment(source=source("Payment", "9", "4", 4))
    of_older = allocation(target="1").model_copy(update={"source": older.source})
    result = store.commit_page(CONNECTION, page(older, of_older, replaces=(older.id,)), lease)
    assert (result.stale, result.inserted, result.tombstoned) == (2, 0, 0)
    assert store.snapshot(CONNECTION).allocations == (of_newer,)


def test_of_two_readings_in_one_page_the_newer_counts(store: Store) -> None:
    both = page(invoice(version="10", memo="ten"), invoice(version="9", memo="nine"))
    result = store.commit_page(CONNECTION, both, held(store))
    assert (result.inserted, store.snapshot(CONNECTION).invoices[0].memo) == (1, "ten")


def test_versions_of_any_length_compare_as_numbers(store: Store) -> None:
    lease = held(store)
    long = "9" * 5000
    base: dict[str, Any] = {"platform": "quickbooks", "tenant": "9341", "kind": "Invoice", "remote_id": "1"}
    new, old = core.Source(**base, version="1" + long), core.Source(**base, version=long)
    store.commit_page(CONNECTION, page(invoice(source=new, memo="new")), lease)
    assert store.commit_page(CONNECTION, page(invoice(source=old, memo="old")), lease).stale == 1


def test_without_any_version_the_latest_reading_counts(store: Store) -> None:
    lease = held(store)
    plain = core.Source(platform="aging_file", tenant="9341", kind="Invoice", remote_id="1")
    store.commit_page(CONNECTION, page(invoice(source=plain)), lease)
    result = store.commit_page(CONNECTION, page(invoice(source=plain, memo="second")), lease)
    assert (result.updated, result.silent_changes) == (1, 0)


def test_a_body_is_kept_as_long_as_a_record_comes_from_it(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice("1"), invoice("2"), raw=b"one", row_of=(0, 1)), lease)
    store.commit_page(CONNECTION, page(invoice("1", "1"), raw=b"two", row_of=(0,)), lease)
    store.commit_page(CONNECTION, page(invoice("1", "1"), raw=b"the same again", row_of=(0,)), lease)
    assert [one.body for one in store.raw_bodies(CONNECTION)] == [b"one", b"two"]
    store.commit_page(CONNECTION, page(invoice("2", "1"), raw=b"three", row_of=(0,)), lease)
    assert store.prune() == {"versions": 0, "raw_pages": 1}
    assert [one.body for one in store.raw_bodies(CONNECTION)] == [b"two", b"three"]
    assert store.raw_of("quickbooks:9341:invoice:404") is None


def test_bodies_of_an_older_mapper_are_listed_until_they_were_mapped_again(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice("1"), invoice("2"), raw=b"one", row_of=(0, 1)), lease)
    assert [one.body for one in store.raw_bodies(CONNECTION, 2)] == [b"one"]
    again = page(invoice("1", memo="now seen"), invoice("2"), mapper_version=2)
    result = store.commit_page(CONNECTION, again, lease)
    assert (result.updated, result.unchanged, result.silent_changes) == (1, 1, 0)
    assert list(store.raw_bodies(CONNECTION, 2)) == []
    raw = store.raw_of(invoice("1").id)
    assert raw is not None
    assert (raw.body, raw.row) == (b"one", 0)


def test_a_row_set_aside_is_closed_by_whatever_is_understood_of_it(store: Store) -> None:
    lease = held(store)
    kinds = ["Invoice", "Attachable", "Bill\x00\ud800"]
    bad = [Rejected(kind, "5", "bad_text", "no", b"{}") for kind in kinds]
    store.commit_page(
        CONNECTION, page(rejected=(*bad, Rejected("Invoice", None, "no_id", "?", b"[]"))), lease
    )
    assert [one.kind for one in store.quarantined(CONNECTION)] == [*kinds, "Invoice"]
    stub = tombstone("Invoice", "5", core.RecordKind.INVOICE)
    beside = OutOfScope("Attachable", "5", "a note that people wrote")
    store.commit_page(CONNECTION, page(tombstones=(stub,), out_of_scope=(beside,)), lease)
    left = store.quarantined(CONNECTION)
    assert [(one.kind, one.remote_id) for one in left] == [("Bill\x00\ud800", "5"), ("Invoice", None)]
    assert store.resolve_quarantine(CONNECTION, [one.id for one in left]) == 2
    assert store.quarantined(CONNECTION) == []


@pytest.mark.parametrize("amount", ["12345678901234567.89", "123456789012345678901234567.891", "-0.10"])
def test_an_amount_stands_in_the_body_as_text_with_every_digit(store: Store, amount: str) -> None:
    """D15: no column holds money, which SQLite would round."""
    store.commit_page(CONNECTION, page(invoice(balance_due=Decimal(amount))), held(store))
    (body,) = _column(store, "SELECT body FROM records")
    assert isinstance(body, bytes)
    assert f'"{amount}"'.encode() in body


def test_profiles_and_pauses_belong_to_one_connection(store: Store, clock: Ticks) -> None:
    profiles = [core.CustomerProfile(customer_id=rid("customer", one)) for one in ("8", "7")]
    store.set_profiles(CONNECTION, profiles)
    assert [one.customer_id for one in store.profiles(CONNECTION)] == [
        rid("customer", "7"),
        rid("customer", "8"),
    ]
    assert store.profiles("xero:1") == []
    pause = core.Pause(id="vacation", customer_id=CUSTOMER, starts_on=date(2026, 11, 2))
    store.set_pause(CONNECTION, pause)
    with pytest.raises(ConfigurationError, match="another connection"):
        store.set_pause("xero:1", pause)
    with pytest.raises(ConfigurationError, match="cannot be stored"):
        store.set_pause(CONNECTION, pause.model_copy(update={"id": "a\x00b"}))
    with pytest.raises(NotFoundError):
        store.lift_pause("xero:1", "vacation")
    assert store.lift_pause(CONNECTION, "vacation").lifted_on == clock.now().astimezone(UTC).date()


def _column(store: Store, query: str) -> list[object]:
    """The first column of a query by hand, as a host would run it."""
    with store._database.reading() as connection:
        return [row[0] for row in connection.execute(text(query))]
