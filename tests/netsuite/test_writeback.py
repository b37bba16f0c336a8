"""Where each command lands in NetSuite, that it lands once, and that an empty store reads it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_connectors.adapterkit.notes import DisputeTag, NoteTag, PromiseTag, StatusTag
from ar_connectors.connector import Fact
from ar_connectors.store.contract import WriteState
from ar_connectors.testkit.netsuite.company import Account
from ar_core.commands import AddNote, ReleaseOrderHold, ResolveDispute, SetCollectionsStatus, WithdrawPromise
from ar_core.model import Invoice, Origin, Promise
from tests.faces.collecting import a_week
from tests.netsuite.writing import DAY, FIELDS, Office, dispute, hold, number, office, promise

LATER = DAY + timedelta(days=20)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Office]:
    """No custom field is mapped."""
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Office]:
    """All custom fields of the account are mapped."""
    with office(tmp_path, fields=FIELDS) as made:
        yield made


def withdrawn(command_id: str, invoice: Invoice) -> WithdrawPromise:
    return WithdrawPromise(
        promise_id=command_id, customer_id=str(invoice.customer_id), withdrawn_on=DAY, reason="paid otherwise"
    )


# Promises


def test_a_promise_is_the_native_date_with_its_source_and_an_activity_on_each_invoice(books: Office) -> None:
    first, second, _ = books.invoices
    command = promise([first, second], note="Waits for the March check.")
    (receipt,) = books.done(command)
    for invoice in (first, second):
        assert books.booked(invoice).expected == command.promised_date
        assert books.fields(invoice) == {"userEstimateSource": "CUSTOMER_PROMISED_DATE"}
    ids = {external for external, _, _ in books.said()}
    assert ids == {f"ar-i{number(one.id)}-{command.record_uuid()}" for one in (first, second)}
    for _, text, tag in books.said():
        assert isinstance(tag, PromiseTag)
        assert (tag.id, tag.promised, tag.amount) == (
            command.record_uuid(),
            command.promised_date,
            Decimal("50.00"),
        )
        assert "Waits for the March check." in text
    assert {one.fact for one in receipt.placements} == {Fact.PROMISE_DATE, Fact.PROMISE_AMOUNT}
    assert not receipt.degraded


def test_the_date_and_its_source_are_one_change_and_are_read_back(books: Office) -> None:
    books.emulator.stats.reset()
    books.done(promise(books.invoices[:1]))
    calls = books.emulator.stats.calls
    assert calls["update invoice"] == 1
    assert calls["read invoice"] == 1
    assert calls["upsert phoneCall"] == 1


def test_a_withdrawn_promise_leaves_no_date_and_its_activity_says_so(books: Office) -> None:
    invoice = books.invoices[0]
    command = promise([invoice])
    books.done(command)
    books.done(withdrawn(command.local_record_id, invoice))
    assert books.booked(invoice).expected is None
    assert "userEstimateSource" not in books.fields(invoice)
    ((_, text, tag),) = books.said()
    assert isinstance(tag, PromiseTag)
    assert tag.withdrawn == DAY
    assert text.startswith("Withdrawn 2026-11-23: paid otherwise. Promise to pay")


def test_a_date_that_a_bookkeeper_changed_is_not_emptied(books: Office) -> None:
    invoice = books.invoices[0]
    command = promise([invoice])
    books.done(command)
    with books.emulator.service.lock:
        one = books.booked(invoice)
        books.emulator.ledger.change_document(one, expected=LATER)
    books.done(withdrawn(command.local_record_id, invoice))
    assert books.booked(invoice).expected == LATER


def test_a_company_estimate_is_no_promise_of_ours_to_empty(books: Office) -> None:
    invoice = books.invoices[0]
    command = promise([invoice])
    books.done(command)
    with books.emulator.service.lock:
        one = books.booked(invoice)
        books.emulator.ledger.change_document(one, extra={"userEstimateSource": "COMPANY_ESTIMATE"})
    books.done(withdrawn(command.local_record_id, invoice))
    assert books.booked(invoice).expected == command.promised_date


def test_a_later_promise_takes_the_place_of_the_earlier_everywhere(books: Office) -> None:
    first, second, _ = books.invoices
    older = promise([first, second], key="older")
    newer = promise([first], key="newer", when=LATER)
    books.done(older)
    books.done(newer)
    assert books.booked(first).expected == LATER
    assert books.booked(second).expected is None, "the earlier promise no longer stands there either"
    tags = {external: tag for external, _, tag in books.said()}
    for invoice in (first, second):
        tag = tags[f"ar-i{number(invoice.id)}-{older.record_uuid()}"]
        assert isinstance(tag, PromiseTag)
        assert tag.superseded_by == newer.record_uuid()


def standing(one: Office) -> list[Promise]:
    """Promises that stand."""
    found = one.store.snapshot(one.conn.id).promises
    return [each for each in found if each.withdrawn_on is None and each.superseded_by is None]


def test_another_stores_promise_is_superseded_too(books: Office) -> None:
    invoice = books.invoices[0]
    older = promise([invoice], key="older")
    books.done(older)
    with books.other_store() as other:
        other.done(promise([invoice], key="newer", when=LATER))
        assert [one.promised_date for one in standing(other)] == [LATER]
    books.sync()
    assert [one.promised_date for one in standing(books)] == [LATER]


def test_a_promise_that_was_superseded_before_it_was_delivered_sets_no_date(books: Office) -> None:
    first, second, _ = books.invoices
    older = promise([first, second], key="older")
    newer = promise([first], key="newer", when=LATER)
    books.record(older, newer)
    books.until_settled()
    assert books.booked(first).expected == LATER
    assert books.booked(second).expected is None
    assert books.emulator.stats.calls["update invoice"] == 1


def test_a_week_of_collecting_reads_back_the_same_into_an_empty_store(books: Office) -> None:
    for command in a_week(books.invoices):
        books.done(command)
    books.sync()
    with books.other_store() as other:
        assert other.activity() == books.activity()
        ours = [one for one in other.activity() if one.id.startswith("local:")]
        assert len(ours) == 4


@pytest.mark.parametrize("kind", ["phoneCall", "task"])
def test_activities_are_of_the_kind_that_is_configured_and_both_are_read(tmp_path: Path, kind: str) -> None:
    with office(tmp_path, activities=kind) as books:
        invoice = books.invoices[0]
        books.done(promise([invoice]), dispute(books.invoices[1]))
        assert len(books.said(kind)) == 2
        assert books.emulator.stats.calls[f"upsert {kind}"] == 2
        books.sync()
        with books.other_store() as other:
            assert other.activity() == books.activity()


@pytest.fixture(params=[True, False], ids=["queries show dates", "queries hide dates"])
def dated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Nobody has published whether SuiteQL shows promised dates, so both."""
    with office(tmp_path, account=Account(shows_estimates=request.param, oneworld=False)) as made:
        yield made


def bookkeeper_sets(books: Office, invoice: Invoice, source: str | None = "CUSTOMER_PROMISED_DATE") -> None:
    """A date with its source, or none."""
    with books.emulator.service.lock:
        extra = {"userEstimateSource": source} if source is not None else {}
        expected = LATER if source is not None else None
        books.emulator.ledger.change_document(books.booked(invoice), expected=expected, extra=extra)
    books.clock.sleep(600)
    books.sync()


def test_a_native_date_of_a_bookkeeper_is_a_promise_of_the_erp_and_ours_takes_its_place(
    dated: Office,
) -> None:
    first, second, third = dated.invoices
    bookkeeper_sets(dated, first)
    bookkeeper_sets(dated, second, "COMPANY_ESTIMATE")
    (native,) = standing(dated)
    assert (native.origin, native.promised_date, native.invoice_ids) == (Origin.ERP, LATER, (first.id,))
    dated.done(promise([first, third]))
    dated.sync()
    assert {one.origin for one in standing(dated)} == {Origin.OURS}
    with dated.other_store() as other:
        assert [one.id for one in standing(other)] == [one.id for one in standing(dated)]


def test_a_bookkeepers_later_date_takes_the_place_of_our_promise(dated: Office) -> None:
    invoice = dated.invoices[0]
    dated.done(promise([invoice]))
    dated.clock.sleep(4 * 24 * 3600)  # our promise was given on the 23rd
    bookkeeper_sets(dated, invoice)
    (native,) = standing(dated)
    assert (native.origin, native.promised_date) == (Origin.ERP, LATER)


def test_a_date_that_a_bookkeeper_takes_away_is_no_promise_any_more(dated: Office) -> None:
    invoice = dated.invoices[0]
    bookkeeper_sets(dated, invoice)
    assert len(standing(dated)) == 1
    bookkeeper_sets(dated, invoice, None)
    assert standing(dated) == []


def test_a_bookkeepers_promise_can_be_withdrawn(dated: Office) -> None:
    invoice = dated.invoices[0]
    bookkeeper_sets(dated, invoice)
    (native,) = standing(dated)
    dated.done(withdrawn(native.id, invoice))
    assert dated.booked(invoice).expected is None
    dated.sync()
    assert standing(dated) == []


def test_dates_that_queries_hide_are_read_once_and_cost_one_call_afterwards(books: Office) -> None:
    invoice = books.invoices[0]
    bookkeeper_sets(books, invoice)
    assert books.emulator.stats.calls["read invoice"] == 1
    books.emulator.stats.reset()
    books.sync()
    assert books.emulator.stats.calls["read invoice"] == 0
    assert books.emulator.stats.calls["list invoice"] == 1


def test_of_a_locked_invoice_we_keep_the_date_that_we_know(books: Office) -> None:
    invoice = books.invoices[0]
    bookkeeper_sets(books, invoice)
    books.emulator.account.locked.add(("invoice", number(invoice.id)))
    bookkeeper_sets(books, invoice, None)
    assert len(standing(books)) == 1, "it cannot be told"
    books.emulator.account.locked.clear()
    books.sync()
    assert standing(books) == []


def test_a_role_that_may_not_edit_invoices_reads_everything_but_their_dates(books: Office) -> None:
    books.emulator.account.read_only.add("invoice")
    for invoice in books.invoices:
        bookkeeper_sets(books, invoice)
    assert standing(books) == []
    books.emulator.stats.reset()
    books.sync()
    assert books.emulator.stats.calls["read invoice"] == 1, "one refusal is enough"
    assert ar.reconcile(books.conn, books.store).agrees


# Disputes, notes, status


def test_a_dispute_is_an_activity_and_is_changed_when_it_is_resolved(books: Office) -> None:
    invoice = books.invoices[0]
    command = dispute(invoice)
    books.done(command)
    ((_, text, tag),) = books.said()
    assert isinstance(tag, DisputeTag)
    assert (tag.invoice, tag.reason) == (number(invoice.id), "goods damaged")
    assert text == "Disputed in full: goods damaged. Opened 2026-11-23."
    books.done(
        ResolveDispute(
            dispute_id=command.local_record_id,
            customer_id=str(invoice.customer_id),
            resolved_on=DAY,
            resolution="credited",
        )
    )
    ((_, text, tag),) = books.said()
    assert isinstance(tag, DisputeTag)
    assert tag.resolved == DAY
    assert text.startswith("Resolved 2026-11-23: credited. Disputed in full")
    books.sync()
    with books.other_store() as other:
        assert other.activity() == books.activity()


def test_notes_stand_on_invoices_and_customers_with_their_line_ends(books: Office) -> None:
    invoice = books.invoices[0]
    text = "first line\nsecond \u201cline\u201d in C:\\new\\reports\r\nthird"
    on_customer = AddNote(subject_id=str(invoice.customer_id), text=text, given_on=DAY)
    books.done(AddNote(subject_id=invoice.id, text=text, given_on=DAY, author="Ann"), on_customer)
    shown = "first line\nsecond \u201cline\u201d in C:/new/reports\nthird"
    assert [text for _, text, _ in books.said()] == [f"2026-11-23 Ann: {shown}", f"2026-11-23: {shown}"]
    first, second = (tag for _, _, tag in books.said())
    assert isinstance(first, NoteTag)
    assert first.invoice == number(invoice.id)
    assert isinstance(second, NoteTag)
    assert second.customer == number(str(invoice.customer_id))


def test_a_status_is_one_activity_that_says_the_latest(books: Office) -> None:
    customer = str(books.invoices[0].customer_id)
    for text in ("first reminder", "second reminder", "second reminder"):
        books.done(
            SetCollectionsStatus(
                key=f"{text}{books.clock.now()}",
                subject_id=customer,
                status=text,
                set_on=DAY,
                next_action="call",
            )
        )
    ((external, text, tag),) = books.said()
    assert external == f"ar-c{number(customer)}-status"
    assert isinstance(tag, StatusTag)
    assert tag.status == "second reminder"
    assert text == "Status: second reminder (2026-11-23). Next: call"


def test_a_status_of_an_invoice_stands_at_the_invoice(books: Office) -> None:
    invoice = books.invoices[0]
    books.done(SetCollectionsStatus(subject_id=invoice.id, status="promised", set_on=DAY))
    ((external, _, _),) = books.said()
    assert external == f"ar-i{number(invoice.id)}-status"


# Order holds


def release(invoice: Invoice, key: str = "") -> ReleaseOrderHold:
    return ReleaseOrderHold(key=key, customer_id=str(invoice.customer_id), released_on=DAY)


@pytest.mark.parametrize("before", ["AUTO", "OFF", "ON"])
def test_a_release_puts_back_what_stood_there_before_the_hold(books: Office, before: str) -> None:
    invoice = books.invoices[0]
    with books.emulator.service.lock:
        customer = number(str(invoice.customer_id))
        books.emulator.ledger.change_customer(customer, extra={"creditHoldOverride": before})
    books.done(hold(invoice, "first"))
    books.done(hold(invoice, "second", "still over the limit"))
    assert books.customer_fields(invoice)["creditHoldOverride"] == "ON"
    books.done(release(invoice))
    assert books.customer_fields(invoice)["creditHoldOverride"] == before
    for _, text, tag in books.said():
        assert isinstance(tag, StatusTag)
        assert (tag.hold, tag.was) == (False, before)
        assert text.startswith("Released 2026-11-23.")


def test_holds_and_releases_follow_each_other_with_the_right_value(books: Office) -> None:
    invoice = books.invoices[0]
    books.done(hold(invoice, "first"))
    books.done(hold(invoice, "second"))
    books.done(release(invoice, "first"))
    assert books.customer_fields(invoice)["creditHoldOverride"] == "AUTO"
    with books.emulator.service.lock:
        customer = number(str(invoice.customer_id))
        books.emulator.ledger.change_customer(customer, extra={"creditHoldOverride": "OFF"})
    books.done(hold(invoice, "third"))
    books.done(release(invoice, "second"))
    assert books.customer_fields(invoice)["creditHoldOverride"] == "OFF"


def test_another_store_releases_a_hold_with_the_right_value(books: Office) -> None:
    invoice = books.invoices[0]
    with books.emulator.service.lock:
        customer = number(str(invoice.customer_id))
        books.emulator.ledger.change_customer(customer, extra={"creditHoldOverride": "OFF"})
    books.done(hold(invoice))
    with books.other_store() as other:
        other.done(release(invoice))
    assert books.customer_fields(invoice)["creditHoldOverride"] == "OFF"


def test_an_override_that_somebody_changed_after_our_hold_is_left_alone(books: Office) -> None:
    invoice = books.invoices[0]
    books.done(hold(invoice))
    with books.emulator.service.lock:
        customer = number(str(invoice.customer_id))
        books.emulator.ledger.change_customer(customer, extra={"creditHoldOverride": "OFF"})
    (receipt,) = books.done(release(invoice))
    assert books.customer_fields(invoice)["creditHoldOverride"] == "OFF"
    assert not receipt.degraded


def test_a_release_of_a_hold_that_nobody_remembers_says_what_it_did(books: Office) -> None:
    invoice = books.invoices[0]
    with books.emulator.service.lock:
        customer = number(str(invoice.customer_id))
        books.emulator.ledger.change_customer(customer, extra={"creditHoldOverride": "ON"})
    (receipt,) = books.done(release(invoice))
    assert books.customer_fields(invoice)["creditHoldOverride"] == "AUTO"
    assert receipt.degraded
    assert "is not known" in str(receipt.placements[0].reason)


# Custom fields


def test_mapped_fields_hold_what_has_no_native_place(mapped: Office) -> None:
    first, second, _ = mapped.invoices
    command = promise([first], amount="12345.67", note="By wire.\nPerhaps.")
    mapped.done(command, dispute(second, "price", disputed_amount=Decimal("10.00"), currency="USD"))
    assert mapped.fields(first) == {
        "userEstimateSource": "CUSTOMER_PROMISED_DATE",
        "custbody_ar_promise_amount": Decimal("12345.67"),
        "custbody_ar_promise_note": "By wire.\nPerhaps.",
        "custbody_ar_promise_status": "1",
    }
    assert mapped.fields(second) == {
        "custbody_ar_disputed": True,
        "custbody_ar_dispute_reason": "1",
        "custbody_ar_dispute_amount": Decimal("10.00"),
        "custbody_ar_dispute_opened": "2026-11-23",
    }
    mapped.done(withdrawn(command.local_record_id, first))
    assert mapped.fields(first) == {"custbody_ar_promise_status": "4"}
    assert mapped.booked(first).expected is None


def test_a_resolved_dispute_empties_its_fields_unless_another_one_stands(mapped: Office) -> None:
    invoice = mapped.invoices[0]
    first, second = dispute(invoice, "price"), dispute(invoice, "late")
    mapped.done(first)
    mapped.done(second)

    def resolved(one: str) -> ResolveDispute:
        return ResolveDispute(
            dispute_id=one, customer_id=str(invoice.customer_id), resolved_on=DAY, resolution="credited"
        )

    mapped.done(resolved(first.local_record_id))
    assert mapped.fields(invoice)["custbody_ar_disputed"] is True
    mapped.done(resolved(second.local_record_id))
    assert mapped.fields(invoice) == {"custbody_ar_disputed": False}


def test_a_status_and_the_reason_of_a_hold_stand_at_the_customer(mapped: Office) -> None:
    invoice = mapped.invoices[0]
    status = SetCollectionsStatus(subject_id=str(invoice.customer_id), status="second reminder", set_on=DAY)
    mapped.done(status)
    mapped.done(hold(invoice))
    assert mapped.customer_fields(invoice) == {
        "custentity_ar_collections_status": "second reminder",
        "creditHoldOverride": "ON",
        "custentity_ar_hold_reason": "over the limit",
    }
    mapped.done(release(invoice))
    assert "custentity_ar_hold_reason" not in mapped.customer_fields(invoice)


def test_capabilities_tell_which_fields_are_mapped(books: Office, tmp_path: Path) -> None:
    unmapped = books.conn.capabilities.facts[Fact.DISPUTE].first
    assert "once they are mapped" in unmapped
    (tmp_path / "mapped").mkdir()
    with office(tmp_path / "mapped", synced=False, fields=FIELDS) as other:
        told = other.conn.capabilities.facts[Fact.DISPUTE].first
    assert "custbody_ar_disputed" in told


def test_recording_and_delivering_again_sends_nothing(books: Office) -> None:
    week = a_week(books.invoices)
    books.record(*week)
    assert {one.state for one in books.until_settled()} == {WriteState.CONFIRMED}
    books.emulator.stats.reset()
    books.record(*week)
    assert books.deliver() == []
    assert books.emulator.stats.total == 0


def test_nothing_that_customers_see_is_touched(mapped: Office) -> None:
    with mapped.emulator.service.lock:
        ledger = mapped.emulator.ledger
        before = [replace(ledger.invoices[number(one.id)]) for one in mapped.invoices]
        memo = [(one.memo, one.due, one.issued, one.lines, one.term, one.open) for one in before]
        notes = [one.notes for one in ledger.customers.values()]
    mapped.record(*a_week(mapped.invoices))
    mapped.until_settled()
    with mapped.emulator.service.lock:
        after = [mapped.booked(one) for one in mapped.invoices]
        assert [(one.memo, one.due, one.issued, one.lines, one.term, one.open) for one in after] == memo
        assert [one.notes for one in ledger.customers.values()] == notes


def test_what_we_wrote_comes_back_as_an_echo_of_ours(books: Office) -> None:
    books.done(promise(books.invoices[:1]), hold(books.invoices[1]))
    report = ar.sync(books.conn, books.store)
    streams = {one.stream: one for one in report.streams}
    assert streams["invoice"].echoes == 1
    assert streams["customer"].echoes == 2, "the mailbox on its card is a contact"
    assert streams["activity"].echoes == 1, "the promise; an order hold is no record of ours"
    with books.emulator.service.lock:
        books.emulator.ledger.change_document(books.booked(books.invoices[0]), memo="by a bookkeeper")
    books.clock.sleep(600)
    report = ar.sync(books.conn, books.store)
    assert {one.stream: one.echoes for one in report.streams}["invoice"] == 0
