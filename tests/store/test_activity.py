"""Which promise counts, when several tell of one invoice? Ours, the copies of ours, and what the ERP itself has a field for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import ar_core as core
from ar_connectors.connector import Fact, Placement
from ar_connectors.store import Store
from ar_connectors.store.contract import WriteState
from tests.store.books import CONNECTION, invoice, page, rid
from tests.store.conftest import Ticks
from tests.store.test_pages import TTL, held

INVOICE = rid("invoice", "1")
FIRST, SECOND = date(2026, 12, 1), date(2026, 12, 24)


def place(kind: str, remote: str, version: str | None, minute: int) -> core.Source:
    return core.Source(
        platform="quickbooks", tenant="9341", kind=kind, remote_id=remote, version=version,
        updated_at=datetime(2026, 11, 2, 9, minute, tzinfo=UTC),
    )  # fmt: skip


def native(promised: date, minute: int, **changes: Any) -> core.Promise:
    """The ERP's own date field on the invoice, as an adapter gives it."""
    fields: dict[str, Any] = {
        "id": rid("promise", "1"),
        "source": place("Invoice", "1", None, minute),
        "invoice_ids": (INVOICE,),
        "promised_date": promised,
        "origin": core.Origin.ERP,
    }
    return core.Promise(**{**fields, **changes})


def ours(promised: date, **changes: Any) -> core.RecordPromise:
    fields: dict[str, Any] = {
        "customer_id": rid("customer", "7"),
        "invoice_ids": (INVOICE,),
        "promised_date": promised,
        "given_on": date(2026, 11, 2),
    }
    return core.RecordPromise(**{**fields, **changes})


def promises(store: Store) -> dict[str, core.Promise]:
    return {one.id: one for one in store.snapshot(CONNECTION).promises}


def standing(store: Store) -> list[str]:
    found = promises(store).values()
    return [one.id for one in found if one.superseded_by is None and one.withdrawn_on is None]


def test_a_newer_promise_of_ours_replaces_the_date_in_the_erp(store: Store, clock: Ticks) -> None:
    store.commit_page(CONNECTION, page(native(FIRST, 0)), held(store))
    clock.advance(minutes=5)
    command = ours(SECOND)
    store.record_commands([command])
    assert standing(store) == [command.local_record_id]


def test_an_unrelated_change_of_the_invoice_does_not_revive_its_old_date(store: Store, clock: Ticks) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(native(FIRST, 0)), lease)
    clock.advance(minutes=1)
    command = ours(SECOND)
    store.record_commands([command])
    clock.advance(minutes=1)
    store.commit_page(CONNECTION, page(native(FIRST, 2)), lease)
    assert standing(store) == [command.local_record_id]
    assert promises(store)[native(FIRST, 2).id].source == native(FIRST, 2).source


def test_a_date_that_people_change_in_the_erp_replaces_ours(store: Store, clock: Ticks) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(native(FIRST, 0)), lease)
    clock.advance(minutes=1)
    store.record_commands([ours(SECOND)])
    clock.advance(minutes=1)
    store.commit_page(CONNECTION, page(native(date(2027, 1, 7), 2)), lease)
    assert standing(store) == [native(FIRST, 0).id]


def test_the_erp_showing_our_own_date_is_no_foreign_change(store: Store, clock: Ticks) -> None:
    command = ours(SECOND)
    store.record_commands([command])
    clock.advance(minutes=1)
    store.commit_page(CONNECTION, page(native(SECOND, 1)), held(store))
    assert standing(store) == [command.local_record_id]


def test_an_empty_store_finds_one_open_promise_whichever_copy_it_reads_first(store: Store) -> None:
    lease = held(store)
    note = core.Promise(
        id=ours(SECOND).local_record_id,
        source=place("Attachable", "55", "0", 0),
        invoice_ids=(INVOICE,),
        promised_date=SECOND,
        given_on=date(2026, 11, 2),
        recorded_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
        origin=core.Origin.OURS,
    )
    store.commit_page(CONNECTION, page(native(SECOND, 9)), lease)
    store.commit_page(CONNECTION, page(note), lease)
    assert standing(store) == [note.id]


def test_an_older_promise_that_is_read_late_is_superseded_at_once(store: Store) -> None:
    lease = held(store)
    newer = ours(SECOND, given_on=date(2026, 11, 2))
    store.record_commands([newer])
    older = core.Promise(
        id="local:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        source=place("Attachable", "56", "0", 0),
        invoice_ids=(INVOICE,),
        promised_date=FIRST,
        given_on=date(2026, 10, 20),
        origin=core.Origin.OURS,
    )
    store.commit_page(CONNECTION, page(older), lease)
    assert standing(store) == [newer.local_record_id]


def test_a_date_that_the_invoice_no_longer_has_is_gone(store: Store) -> None:
    lease = held(store)
    store.commit_page(CONNECTION, page(invoice(), native(FIRST, 0), replaces=(INVOICE,)), lease)
    store.commit_page(CONNECTION, page(invoice(version="1"), replaces=(INVOICE,)), lease)
    assert promises(store) == {}
    assert len(store.snapshot(CONNECTION).invoices) == 1


def test_local_facts_that_are_richer_survive_the_way_through_the_erp(store: Store) -> None:
    command = ours(SECOND, note="Ms. Ito will wire it\x00", given_by="Ms. Ito")
    store.record_commands([command])
    note = core.Promise(
        id=command.local_record_id,
        source=place("Attachable", "55", "0", 0),
        invoice_ids=(INVOICE,),
        promised_date=SECOND,
        note="Ms. Ito will",
        origin=core.Origin.OURS,
    )
    result = store.commit_page(CONNECTION, page(note), held(store))
    found = promises(store)[command.local_record_id]
    assert (result.updated, result.silent_changes) == (1, 0)
    assert (found.note, found.given_by, found.source) == (command.note, "Ms. Ito", note.source)
    again = store.commit_page(CONNECTION, page(note), held(store))
    assert (again.unchanged, again.changed_ids) == (1, ())


def test_an_edit_of_our_note_in_the_erp_counts(store: Store) -> None:
    command = ours(SECOND)
    store.record_commands([command])
    edited = core.Promise(
        id=command.local_record_id,
        source=place("Attachable", "55", "1", 3),
        invoice_ids=(INVOICE,),
        promised_date=date(2026, 12, 30),
        withdrawn_on=date(2026, 11, 20),
        origin=core.Origin.OURS,
    )
    store.commit_page(CONNECTION, page(edited), held(store))
    found = promises(store)[command.local_record_id]
    assert (found.promised_date, found.withdrawn_on) == (date(2026, 12, 30), date(2026, 11, 20))


def test_a_fact_in_two_places_does_not_move_with_every_reading(store: Store) -> None:
    lease = held(store)
    base: dict[str, Any] = {
        "id": "local:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "invoice_ids": (INVOICE,),
        "promised_date": FIRST,
    }
    one = core.Promise(**base, source=place("Attachable", "55", "7", 1), origin=core.Origin.OURS)
    two = core.Promise(**base, source=place("Customer", "7", "2", 2), origin=core.Origin.OURS)
    store.commit_page(CONNECTION, page(one), lease)
    store.commit_page(CONNECTION, page(two), lease)
    assert store.commit_page(CONNECTION, page(one), lease).unchanged == 1
    assert store.commit_page(CONNECTION, page(two), lease).unchanged == 1


def test_a_supersession_keeps_the_body_and_the_history_of_the_older_promise(
    store: Store, clock: Ticks
) -> None:
    store.commit_page(CONNECTION, page(native(FIRST, 0), raw=b"invoice 1", row_of=(0,)), held(store))
    before = clock.now()
    clock.advance(minutes=1)
    store.record_commands([ours(SECOND)])
    raw = store.raw_of(native(FIRST, 0).id)
    assert raw is not None
    assert raw.body == b"invoice 1"
    (then,) = store.snapshot(CONNECTION, known_at=before).promises
    assert then.superseded_by is None


def test_our_own_version_is_counted_as_an_echo(store: Store) -> None:
    store.record_commands([ours(SECOND)])
    (claim,) = store.claim_writes(CONNECTION, "worker", TTL, 5)
    sent = store.mark_sending(claim)
    where = Placement(Fact.PROMISE_DATE, "Invoice.ExpectedPaymentDate of 1", "Invoice", "1", version="4\x00")
    store.finish_write(sent, WriteState.CONFIRMED, [where])
    result = store.commit_page(CONNECTION, page(invoice(version="4\x00")), held(store))
    assert result.echoes == 1
    assert store.view(CONNECTION).placements(INVOICE) == [where]
    assert store.commit_page(CONNECTION, page(invoice(version="5")), held(store)).echoes == 0


def test_the_day_of_a_change_in_the_erp_is_the_company_s_day(store: Store, clock: Ticks) -> None:
    """In Auckland it is the 3rd already when the clock of the world says the 2nd."""
    store.add_connection(CONNECTION, "quickbooks", "9341", {"time_zone": "Pacific/Auckland"})
    store.record_commands([ours(SECOND, given_on=date(2026, 11, 3))])
    late = native(FIRST, 30, source=place("Invoice", "1", None, 30).model_copy(
        update={"updated_at": datetime(2026, 11, 2, 20, tzinfo=UTC)}
    ))  # fmt: skip
    clock.advance(hours=12)
    lease = store.acquire_lease("sync", "me", TTL)
    assert lease is not None
    store.commit_page(CONNECTION, page(late), lease)
    assert standing(store) == [late.id]
