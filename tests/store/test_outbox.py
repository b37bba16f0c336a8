"""Where do commands stand, and what do they mean locally? The outbox state machine, on every database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import ar_core as core
from ar_connectors.connector import Fact, Placement
from ar_connectors.errors import ConflictError, LeaseLost, NotFoundError
from ar_connectors.store import Store
from ar_connectors.store.contract import ClaimedWrite, WriteState
from tests.store.books import CONNECTION, cursor, invoice, page, rid
from tests.store.conftest import Ticks

TTL = timedelta(minutes=10)


def promise(**changes: Any) -> core.RecordPromise:
    fields: dict[str, Any] = {
        "key": "call-1",
        "customer_id": rid("customer", "7"),
        "invoice_ids": (rid("invoice", "1"),),
        "promised_date": date(2026, 12, 1),
        "given_on": date(2026, 11, 2),
    }
    return core.RecordPromise(**{**fields, **changes})


def note(text: str, invoice_id: str = "1") -> core.AddNote:
    return core.AddNote(subject_id=rid("invoice", invoice_id), text=text, given_on=date(2026, 11, 2))


def claim(store: Store, owner: str = "me") -> ClaimedWrite:
    (found,) = store.claim_writes(CONNECTION, owner, TTL, 1)
    return found


def place(version: str = "0") -> Placement:
    return Placement(
        Fact.PROMISE_DATE,
        "note on Invoice 1",
        "Attachable",
        "55",
        version,
        subject_ids=(rid("invoice", "1"),),
    )


def test_a_recorded_promise_is_there_at_once_and_waits_to_be_delivered(store: Store) -> None:
    (receipt,) = store.record_commands([promise()])
    assert (receipt.state, receipt.connection_id) == (WriteState.PLANNED, CONNECTION)
    (found,) = store.snapshot(CONNECTION).promises
    assert found.id == receipt.record_id == promise().local_record_id
    assert (found.promised_date, found.origin) == (date(2026, 12, 1), core.Origin.OURS)


def test_the_same_command_again_is_the_same_receipt(store: Store) -> None:
    assert store.record_commands([promise()]) == store.record_commands([promise()])
    assert len(store.receipts(CONNECTION)) == 1


def test_the_same_key_with_other_content_is_a_conflict_and_stores_nothing(store: Store) -> None:
    store.record_commands([promise()])
    with pytest.raises(ConflictError, match="call-1"):
        store.record_commands([note("first"), promise(promised_date=date(2026, 12, 24))])
    assert [one.command_type for one in store.receipts(CONNECTION)] == ["record_promise"]


def test_a_new_promise_supersedes_the_old_one(store: Store, clock: Ticks) -> None:
    store.record_commands([promise()])
    clock.advance(hours=1)
    later = promise(key="call-2", promised_date=date(2026, 12, 24))
    store.record_commands([later])
    by_id = {one.id: one for one in store.snapshot(CONNECTION).promises}
    assert by_id[promise().local_record_id].superseded_by == later.local_record_id
    assert by_id[later.local_record_id].superseded_by is None


def test_a_withdrawal_and_a_resolution_change_what_they_name(store: Store) -> None:
    opened = core.OpenDispute(
        customer_id=rid("customer", "7"),
        invoice_id=rid("invoice", "1"),
        reason="price",
        opened_on=date(2026, 11, 2),
    )
    store.record_commands([promise(), opened])
    store.record_commands(
        [
            core.WithdrawPromise(
                promise_id=promise().local_record_id,
                customer_id=rid("customer", "7"),
                withdrawn_on=date(2026, 11, 3),
            ),
            core.ResolveDispute(
                dispute_id=opened.local_record_id,
                customer_id=rid("customer", "7"),
                resolved_on=date(2026, 11, 4),
                resolution="credited",
            ),
        ]
    )
    known = store.snapshot(CONNECTION)
    assert known.promises[0].withdrawn_on == date(2026, 11, 3)
    assert (known.disputes[0].resolved_on, known.disputes[0].resolution) == (date(2026, 11, 4), "credited")


def test_withdrawing_what_is_not_there_says_so(store: Store) -> None:
    missing = core.WithdrawPromise(
        promise_id="local:nothing", customer_id=rid("customer", "7"), withdrawn_on=date(2026, 11, 3)
    )
    with pytest.raises(NotFoundError, match="local:nothing"):
        store.record_commands([missing])
    assert store.receipts(CONNECTION) == []


def test_an_outcome_finds_its_touch_by_the_action_key(store: Store) -> None:
    touch = core.RecordTouch(
        key="action-key",
        customer_id=rid("customer", "7"),
        channel=core.Channel.VOICE,
        at=datetime(2026, 11, 2, 10, tzinfo=UTC),
        step="call",
    )
    outcome = core.RecordOutcome(
        touch_id="action-key",
        customer_id=rid("customer", "7"),
        outcome=core.TouchOutcome.ANSWERED,
        intent=core.Intent.PROMISED,
        at=datetime(2026, 11, 2, 10, 5, tzinfo=UTC),
    )
    states = [one.state for one in store.record_commands([touch, outcome])]
    assert states == [WriteState.LOCAL, WriteState.LOCAL]
    touches = {one.direction: one for one in store.snapshot(CONNECTION).touches}
    assert touches[core.Direction.OUTBOUND].outcome is core.TouchOutcome.ANSWERED
    assert touches[core.Direction.INBOUND].intent is core.Intent.PROMISED
    assert store.claim_writes(CONNECTION, "me", TTL, 9) == []


def test_a_delivered_command_tells_where_it_landed(store: Store) -> None:
    store.record_commands([promise()])
    sending = store.mark_sending(claim(store))
    receipt = store.finish_write(sending, WriteState.CONFIRMED, [place()])
    assert (receipt.state, receipt.placements, receipt.attempts) == (WriteState.CONFIRMED, (place(),), 1)
    view = store.view(CONNECTION)
    assert view.placements(promise().local_record_id) == [place()]
    assert view.placements(rid("invoice", "1"), "record_promise") == [place()]
    assert view.placements(rid("invoice", "1"), "add_note") == []
    assert store.claim_writes(CONNECTION, "me", TTL, 9) == []


def test_the_idempotency_key_is_minted_once(store: Store, clock: Ticks) -> None:
    store.record_commands([promise()])
    first = store.mark_sending(claim(store))
    clock.advance(minutes=11)
    second = claim(store, "other")
    assert second.write.idempotency_key == first.write.idempotency_key


def test_a_worker_that_dies_before_sending_leaves_it_planned(store: Store, clock: Ticks) -> None:
    store.record_commands([promise()])
    claim(store)
    assert store.claim_writes(CONNECTION, "other", TTL, 1) == []
    clock.advance(minutes=11)
    again = claim(store, "other")
    assert (again.state_before, again.write.attempt, again.write.first_sent_at) == (
        WriteState.PLANNED,
        1,
        None,
    )


def test_a_worker_that_dies_while_sending_leaves_it_unknown_and_never_planned(
    store: Store, clock: Ticks
) -> None:
    store.record_commands([promise()])
    sent_at = clock.now()
    dead = store.mark_sending(claim(store))
    clock.advance(minutes=11)
    again = claim(store, "other")
    assert (again.state_before, again.write.attempt, again.write.first_sent_at) == (
        WriteState.UNKNOWN,
        2,
        sent_at,
    )
    with pytest.raises(LeaseLost):
        store.finish_write(dead, WriteState.CONFIRMED, [place()])
    with pytest.raises(LeaseLost):
        store.mark_sending(dead)


def test_while_one_command_on_a_subject_is_open_later_ones_wait(store: Store) -> None:
    store.record_commands([note("one"), note("two"), note("elsewhere", "2")])
    claims = store.claim_writes(CONNECTION, "me", TTL, 9)
    assert [one.write.command.text for one in claims if isinstance(one.write.command, core.AddNote)] == [
        "one",
        "elsewhere",
    ]
    store.finish_write(store.mark_sending(claims[0]), WriteState.CONFIRMED)
    (following,) = store.claim_writes(CONNECTION, "me", TTL, 9)
    assert isinstance(following.write.command, core.AddNote)
    assert following.write.command.text == "two"


def test_a_postponed_command_waits_for_its_time(store: Store, clock: Ticks) -> None:
    store.record_commands([promise()])
    sending = store.mark_sending(claim(store))
    store.finish_write(
        sending,
        WriteState.PLANNED,
        error={"error": "TransientError"},
        not_before=clock.now() + timedelta(minutes=5),
    )
    assert store.claim_writes(CONNECTION, "me", TTL, 1) == []
    clock.advance(minutes=5)
    assert claim(store).write.attempt == 2


def test_our_own_note_coming_back_is_an_echo_and_one_promise(store: Store) -> None:
    store.record_commands([promise()])
    store.finish_write(store.mark_sending(claim(store)), WriteState.CONFIRMED, [place("0")])
    lease = store.acquire_lease("sync", "me", TTL)
    assert lease is not None
    source = core.Source(platform="quickbooks", tenant="9341", kind="Attachable", remote_id="55", version="0")
    (ours,) = store.snapshot(CONNECTION).promises
    result = store.commit_page(
        CONNECTION, page(ours.model_copy(update={"source": source, "note": None})), lease
    )
    assert result.echoes == 1
    (found,) = store.snapshot(CONNECTION).promises
    assert (found.source, found.superseded_by, found.withdrawn_on) == (source, None, None)


def test_a_promise_told_in_two_notes_is_one_promise(store: Store) -> None:
    lease = store.acquire_lease("sync", "me", TTL)
    assert lease is not None

    def read_back(note_id: str, invoice_id: str) -> core.Promise:
        source = core.Source(
            platform="quickbooks", tenant="9341", kind="Attachable", remote_id=note_id, version="0"
        )
        return core.Promise(
            id="local:same",
            source=source,
            invoice_ids=(rid("invoice", invoice_id),),
            promised_date=date(2026, 12, 1),
            origin=core.Origin.OURS,
        )

    store.commit_page(
        CONNECTION, page(invoice(), read_back("55", "1"), read_back("56", "2"), cursor=cursor()), lease
    )
    (found,) = store.snapshot(CONNECTION).promises
    assert found.invoice_ids == (rid("invoice", "1"), rid("invoice", "2"))


def test_a_date_set_in_the_erp_supersedes_ours(store: Store, clock: Ticks) -> None:
    store.record_commands([promise()])
    lease = store.acquire_lease("sync", "me", TTL)
    assert lease is not None
    native = core.Promise(
        id=rid("promise", "native-1"),
        source=core.Source(
            platform="quickbooks",
            tenant="9341",
            kind="Invoice",
            remote_id="1",
            version="9",
            updated_at=clock.now() + timedelta(days=1),
        ),
        invoice_ids=(rid("invoice", "1"),),
        promised_date=date(2026, 12, 31),
        origin=core.Origin.ERP,
    )
    clock.advance(minutes=1)
    store.commit_page(CONNECTION, page(native), lease)
    by_id = {one.id: one for one in store.snapshot(CONNECTION).promises}
    assert by_id[promise().local_record_id].superseded_by == native.id
    assert by_id[native.id].superseded_by is None
