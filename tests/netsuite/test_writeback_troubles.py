"""What an account refuses, what passes, what gets lost on the way: nothing is doubled, nothing is lost, and people are told why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ar_connectors.adapterkit.notes import PromiseTag
from ar_connectors.connector import ChecksItself, Fact
from ar_connectors.errors import ConfigurationError
from ar_connectors.http import Transport
from ar_connectors.http.exchange import TransportSettings
from ar_connectors.store.contract import Receipt, WriteState
from ar_core.commands import AddNote, ReleaseOrderHold, WithdrawPromise
from tests.netsuite.writing import DAY, FIELDS, Office, dispute, hold, number, office, promise


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Answers that do not come are given up soon."""
    settings = TransportSettings(connect_timeout=0.4, read_timeout=0.8)
    monkeypatch.setattr("ar_connectors.adapterkit.session.Transport", partial(Transport, settings=settings))
    with office(tmp_path) as made:
        yield made


def lock(books: Office, locked: bool = True) -> None:
    """A workflow locks the first invoice, or lets go of it."""
    kept = {("invoice", number(books.invoices[0].id))} if locked else set()
    books.emulator.account.locked.clear()
    books.emulator.account.locked.update(kept)


def reasons(receipt: Receipt) -> str:
    return " ".join(one.reason for one in receipt.placements if one.reason is not None)


def writes(books: Office) -> dict[str, int]:
    """Calls that change something."""
    return {
        name: times
        for name, times in books.emulator.stats.calls.items()
        if name.startswith(("update ", "upsert ", "create "))
    }


# Locks


def test_a_locked_invoice_parks_its_promise_until_the_lock_is_gone(books: Office) -> None:
    invoice = books.invoices[0]
    command = promise([invoice])
    lock(books)
    books.record(command)
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.PLANNED
    assert receipt.error is not None
    assert "locked by a user defined workflow" in receipt.error["message"]
    assert "which workflow locks the record" in receipt.error["advice"]
    for _ in range(4):
        books.clock.sleep(3600)
        (receipt,) = books.deliver()
        assert receipt.state is WriteState.PLANNED
    lock(books, locked=False)
    books.clock.sleep(5 * 3600)
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert books.booked(invoice).expected == command.promised_date
    assert len(books.said()) == 1
    assert writes(books)["upsert phoneCall"] == 1


def lock_whatever_is_written(books: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow of the account locks an invoice that was changed."""
    writer = books.emulator.service.records.writer
    real = writer.update

    def update(*arguments: Any) -> None:
        real(*arguments)
        lock(books)

    monkeypatch.setattr(writer, "update", update)


def test_a_lost_answer_on_a_record_that_is_locked_now_cannot_be_told(
    books: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at it fails: it stays unknown, and nothing is sent a second time."""
    lock_whatever_is_written(books, monkeypatch)
    books.record(promise(books.invoices[:1]))
    books.emulator.faults.add("timeout_after_commit", on="update invoice", seconds=3)
    for _ in range(5):
        (receipt,) = books.deliver()
        assert receipt.state is WriteState.UNKNOWN
        books.clock.sleep(3600)
    lock(books, locked=False)
    books.clock.sleep(5 * 3600)
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert writes(books) == {"upsert phoneCall": 1, "update invoice": 1}


def test_a_workflow_that_locks_what_was_just_written_leaves_it_unknown_then_confirmed(
    books: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_whatever_is_written(books, monkeypatch)
    books.record(promise(books.invoices[:1]))
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.UNKNOWN
    assert receipt.error is not None
    assert "locked by a user defined workflow" in receipt.error["message"], (
        "of the look that followed at once"
    )
    lock(books, locked=False)
    books.clock.sleep(3600)
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.CONFIRMED
    assert writes(books)["update invoice"] == 1


def test_a_locked_invoice_does_not_hold_up_other_customers(books: Office) -> None:
    lock(books)
    other = next(
        one
        for one in books.store.snapshot(books.conn.id).invoices
        if one.customer_id != books.invoices[0].customer_id
    )
    books.record(promise(books.invoices[:1]), AddNote(subject_id=other.id, text="called", given_on=DAY))
    assert {one.state for one in books.deliver()} == {WriteState.PLANNED, WriteState.CONFIRMED}


# Closed periods, rights


def test_a_closed_period_puts_the_date_into_the_activity_and_says_what_helps(books: Office) -> None:
    invoice = books.invoices[0]
    with books.emulator.service.lock:
        books.emulator.ledger.settings.closed_through = DAY
    command = promise([invoice])
    (receipt,) = books.done(command)
    assert receipt.degraded
    assert "closed accounting period" in reasons(receipt)
    assert "allow non-G/L changes" in reasons(receipt)
    assert {one.fact for one in receipt.placements if one.degraded} == {Fact.PROMISE_DATE}
    ((_, _, tag),) = books.said()
    assert isinstance(tag, PromiseTag)
    assert tag.promised == command.promised_date
    assert books.booked(invoice).expected is None
    with books.other_store() as other:
        assert other.activity() == books.activity()


def test_a_closed_period_that_allows_non_gl_changes_takes_the_date(books: Office) -> None:
    with books.emulator.service.lock:
        books.emulator.ledger.settings.closed_through = DAY
    books.emulator.account.allow_non_gl_changes = True
    (receipt,) = books.done(promise(books.invoices[:1]))
    assert not receipt.degraded


def test_a_role_that_may_not_edit_invoices_is_told_which_right_is_missing(books: Office) -> None:
    books.emulator.account.read_only.add("invoice")
    (receipt,) = books.done(promise(books.invoices[:1]))
    assert receipt.degraded
    assert "Transactions > Invoice: Edit" in reasons(receipt)


@pytest.mark.parametrize("how", ["hidden", "read_only"])
@pytest.mark.parametrize(
    ("make", "needed"),
    [
        (lambda books: promise(books.invoices[:1]), "Transactions > Invoice: Edit"),
        (lambda books: dispute(books.invoices[0]), "Lists > Phone Calls: Edit"),
        (lambda books: hold(books.invoices[0]), "Lists > Customers: Edit"),
        (lambda books: AddNote(subject_id=books.invoices[0].id, text="x", given_on=DAY), "Phone Calls"),
    ],
)
def test_a_role_without_activities_is_told_all_that_the_command_needs(
    books: Office, how: str, make: Any, needed: str
) -> None:
    getattr(books.emulator.account, how).add("phonecall")
    command = make(books)
    books.record(command)
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.REJECTED
    assert receipt.error is not None
    assert receipt.error["error"] == "PermissionDenied"
    assert f"{command.type} needs these permissions" in receipt.error["advice"]
    assert needed in receipt.error["advice"]
    assert "Lists > Phone Calls: Edit" in receipt.error["advice"]
    assert "update customer" not in writes(books)


def test_a_hold_that_is_refused_does_not_stand_in_its_activity_either(books: Office) -> None:
    books.emulator.faults.add("permission_denied", on="update customer")
    books.record(hold(books.invoices[0]))
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.REJECTED
    assert receipt.error is not None
    assert "orders of customer" in receipt.error["message"]
    assert "Lists > Customers: Edit" in receipt.error["message"]
    ((_, text, _),) = books.said()
    assert text.startswith("Not set: NetSuite refused it.")


def test_a_hold_by_a_role_that_may_not_edit_customers_leaves_nothing(books: Office) -> None:
    books.emulator.account.read_only.add("customer")
    books.record(hold(books.invoices[0]))
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.REJECTED
    assert receipt.error is not None
    assert "Lists > Customers: Edit" in receipt.error["advice"]
    assert books.said() == []


def test_one_deleted_invoice_does_not_keep_the_others_from_their_promise(books: Office) -> None:
    first, second, _ = books.invoices
    with books.emulator.service.lock:
        books.emulator.ledger.delete_document(books.booked(first))
    (receipt,) = books.done(promise([first, second]))
    assert receipt.degraded
    assert f"invoice {number(first.id)}" in reasons(receipt)
    assert books.booked(second).expected is not None


def test_a_promise_on_nothing_but_a_deleted_invoice_is_rejected(books: Office) -> None:
    invoice = books.invoices[0]
    with books.emulator.service.lock:
        books.emulator.ledger.delete_document(books.booked(invoice))
    books.record(promise([invoice]))
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.REJECTED


# Custom fields that are wrong


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"promise_amount": "custbody_ar_promise_amout"}, "has no field custbody_ar_promise_amout"),
        ({"promise_amount": "custbody_ar_promise_note"}, "promise_amount needs an amount"),
        ({"dispute_opened": "custbody_ar_promise_note"}, "dispute_opened needs a date"),
        ({"disputed": "custbody_ar_promise_amount"}, "disputed needs a check box"),
        ({"promise_note": "custbody_ar_disputed"}, "promise_note needs a text"),
        ({"promise_status": "custbody_ar_promise_status"}, "is a list: say which entry"),
        (
            {"promise_status": {"field": "custbody_ar_promise_status", "values": {"open": "9"}}},
            "has no entry 9",
        ),
        (
            {"dispute_reason": {"field": "custbody_ar_promise_note", "values": {"price": "1"}}},
            "is no list",
        ),
        ({"collections_status": "custbody_ar_promise_note"}, "the customer has no field"),
    ],
)
def test_a_field_that_is_not_what_it_must_be_stops_the_delivery_before_anything_is_sent(
    tmp_path: Path, fields: dict[str, Any], told: str
) -> None:
    with office(tmp_path, fields=fields) as books:
        books.record(promise(books.invoices[:1]))
        with pytest.raises(ConfigurationError, match=told):
            books.deliver()
        (receipt,) = books.store.receipts(books.conn.id)
        assert receipt.state is WriteState.PLANNED
        assert writes(books) == {}


@pytest.mark.parametrize(
    "fields",
    [
        ["custbody_x"],
        {"amount": "custbody_x"},
        {"promise_amount": "memo"},
        {"promise_amount": 7},
        {"promise_amount": "custbody_x", "promise_note": "custbody_x"},
        {"promise_amount": {"field": "custbody_x", "values": {"open": "1"}}},
        {"promise_status": {"field": "custbody_x", "values": {"open": "first"}}},
    ],
)
def test_a_setting_that_means_nothing_is_refused_when_connecting(tmp_path: Path, fields: Any) -> None:
    with (
        pytest.raises(ConfigurationError, match="setting fields"),
        office(tmp_path, synced=False, fields=fields),
    ):
        pass


def test_an_unknown_kind_of_activity_is_refused_when_connecting(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match="phoneCall or task"),
        office(tmp_path, synced=False, activities="message"),
    ):
        pass


def test_a_field_that_is_gone_later_costs_nothing_but_itself(tmp_path: Path) -> None:
    with office(tmp_path, fields=FIELDS) as books:
        first, second, _ = books.invoices
        books.done(promise([first]))
        account = books.emulator.account
        account.custom_fields = tuple(
            one for one in account.custom_fields if one.script_id != "custbody_ar_promise_amount"
        )
        command = promise([second])
        (receipt,) = books.done(command)
        assert books.booked(second).expected == command.promised_date
        assert receipt.degraded
        (lost,) = [one for one in receipt.placements if one.degraded]
        assert "custbody_ar_promise_amount" in str(lost.reason)
        assert lost.fact is Fact.PROMISE_AMOUNT


# Scripts that save a record too


def test_a_record_that_a_script_saved_meanwhile_is_written_again_at_once(books: Office) -> None:
    books.emulator.faults.add("stale_version", on="update invoice", times=3)
    books.done(promise(books.invoices[:1]))
    assert writes(books)["update invoice"] == 4


def test_a_script_that_always_saves_puts_the_command_off(books: Office) -> None:
    books.emulator.faults.add("stale_version", on="update invoice", times=4)
    books.record(promise(books.invoices[:1]))
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.PLANNED
    assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}


# People


def test_what_people_wrote_into_an_activity_stays(books: Office) -> None:
    invoice = books.invoices[0]
    command = promise([invoice])
    books.done(command)
    with books.emulator.service.lock:
        (note,) = books.emulator.ledger.notes.values()
        fields = note.extra["fields"]
        fields["message"] = f"Spoke to Bob.\n{fields['message']}\nHe will call back."
    withdrawal = WithdrawPromise(
        promise_id=command.local_record_id, customer_id=str(invoice.customer_id), withdrawn_on=DAY
    )
    books.done(withdrawal)
    with books.emulator.service.lock:
        text = note.extra["fields"]["message"]
    assert text.startswith("Spoke to Bob.\n[AR:ptp")
    assert text.endswith("\nHe will call back.")
    assert "withdrawn=2026-11-23] Withdrawn 2026-11-23. Promise to pay" in text


def test_an_activity_that_people_deleted_is_written_anew_with_how_the_promise_stands(books: Office) -> None:
    invoice = books.invoices[0]
    command = promise([invoice])
    books.done(command)
    with books.emulator.service.lock:
        books.emulator.ledger.delete_note(next(iter(books.emulator.ledger.notes)))
    withdrawal = WithdrawPromise(
        promise_id=command.local_record_id, customer_id=str(invoice.customer_id), withdrawn_on=DAY
    )
    books.done(withdrawal)
    ((_, _, tag),) = books.said()
    assert isinstance(tag, PromiseTag)
    assert tag.withdrawn == DAY


def test_a_tag_that_people_damaged_is_set_aside_and_costs_the_others_nothing(books: Office) -> None:
    first, second, _ = books.invoices
    books.done(promise([first], key="one"), promise([second], key="two"))
    with books.emulator.service.lock:
        note = next(iter(books.emulator.ledger.notes.values()))
        fields = dict(note.extra["fields"])
        fields["message"] = fields["message"].replace("date=2026-12-01", "date=tomorrow")
        books.emulator.ledger.change_note(note.id, extra={**note.extra, "fields": fields})
    with books.other_store() as other:
        (found,) = other.store.quarantined(other.conn.id)
        assert found.code == "bad_tag"
        ours = [one for one in other.activity() if one.id.startswith("local:")]
        assert len(ours) == 1
        assert len(other.activity()) == 3, "both dates are there, that of the damaged one as a bookkeeper's"


def test_older_promises_are_marked_where_activities_cannot_be_queried(books: Office) -> None:
    invoice = books.invoices[0]
    books.done(promise([invoice], key="older"))
    books.emulator.faults.add("permission_denied", on="query phonecall", times=None)
    books.done(promise([invoice], key="newer"))
    books.emulator.faults.clear()
    tags = [tag for _, _, tag in books.said()]
    assert [isinstance(one, PromiseTag) and one.superseded_by is None for one in tags] == [False, True]


def test_an_activity_that_is_said_to_exist_is_looked_for_and_written_where_it_is_not(books: Office) -> None:
    books.emulator.faults.add("duplicate_request_id", on="upsert phoneCall")
    books.record(promise(books.invoices[:1]))
    (receipt,) = books.deliver()
    assert receipt.state is WriteState.PLANNED
    assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}
    assert len(books.said()) == 1


def test_a_failure_that_calls_itself_success_is_noticed_when_it_is_read_back(books: Office) -> None:
    books.emulator.faults.add("fault_with_200", on="upsert phoneCall")
    books.emulator.faults.add("fault_with_200", on="update invoice")
    command = promise(books.invoices[:1])
    books.record(command)
    assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}
    assert len(books.said()) == 1
    assert books.booked(books.invoices[0]).expected == command.promised_date


# Lost answers


LOST = ("timeout_after_commit", "reset_mid_body", "truncated_gzip")
NOT_DONE = ("timeout_before_commit", "reset_before_commit", "server_error", "gateway_fault", "token_killed")
WRITES = ("upsert phoneCall", "update phoneCall", "update invoice")
READS = ("read invoice", "read phoneCall", "query phonecall")


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        *((call, fault) for call in WRITES for fault in (*LOST, *NOT_DONE)),
        *((call, fault) for call in READS for fault in LOST),
    ],
)
def test_an_answer_that_is_lost_anywhere_doubles_and_loses_nothing(
    books: Office, call: str, fault: str
) -> None:
    first, second, _ = books.invoices
    older, newer = promise([first, second], key="older"), promise([first], key="newer")
    withdrawal = WithdrawPromise(
        promise_id=newer.local_record_id, customer_id=str(first.customer_id), withdrawn_on=DAY
    )
    options = {"seconds": 3} if fault.startswith("timeout") else {}
    books.emulator.faults.add(fault, on=call, **options)
    for command in (older, newer, withdrawal):
        books.record(command)
        assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}
        if command is newer:
            assert books.booked(first).expected == newer.promised_date
    assert not books.emulator.faults.pending
    assert books.booked(first).expected is None
    assert books.booked(second).expected is None
    tags = [tag for _, _, tag in books.said()]
    assert len(tags) == 3
    if fault in LOST:
        assert writes(books)["upsert phoneCall"] == 3, "what had landed was found, and not sent again"
    assert books.activity()
    with books.other_store() as other:
        assert other.activity() == books.activity()


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("call", ["update customer", "upsert phoneCall", "read customer"])
def test_a_hold_whose_answer_was_lost_still_knows_what_it_replaced(
    books: Office, call: str, fault: str
) -> None:
    invoice = books.invoices[0]
    customer = number(str(invoice.customer_id))
    with books.emulator.service.lock:
        books.emulator.ledger.change_customer(customer, extra={"creditHoldOverride": "OFF"})
    options = {"seconds": 3} if fault.startswith("timeout") else {}
    books.emulator.faults.add(fault, on=call, **options)
    books.record(hold(invoice))
    assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}
    assert books.customer_fields(invoice)["creditHoldOverride"] == "ON"
    release = ReleaseOrderHold(customer_id=str(invoice.customer_id), released_on=DAY)
    books.record(release)
    assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}
    assert books.customer_fields(invoice)["creditHoldOverride"] == "OFF"
    assert len(books.said()) == 1


# Before anything waits


def test_what_stands_in_the_way_is_told_before_a_command_waits_for_it(tmp_path: Path) -> None:
    fields = {"promise_amount": "custbody_typo", "collections_status": "custentity_ar_collections_status"}
    with office(tmp_path, fields=fields) as books:
        assert isinstance(books.conn.connector, ChecksItself)
        (typo,) = books.conn.connector.problems()
        assert "custbody_typo" in typo
        books.emulator.account.read_only.update({"invoice", "customer", "phonecall"})
        rights = books.conn.connector.problems()
        for needed in ("Lists > Phone Calls", "Transactions > Invoice", "Lists > Customers"):
            assert any(f"{needed}: Edit is missing" in one for one in rights)
        assert writes(books) == {}


def test_an_account_in_which_all_is_well_has_no_problems(tmp_path: Path) -> None:
    with office(tmp_path, fields=FIELDS) as books:
        lock(books)
        assert isinstance(books.conn.connector, ChecksItself)
        assert books.conn.connector.problems() == []
