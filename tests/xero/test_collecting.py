"""What collecting leaves in Xero beyond the shared tests: groups, notes that go to the contact, links, and what Xero does by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.connector import ChecksItself
from ar_connectors.errors import PeriodClosedError
from ar_connectors.store import open_store
from ar_connectors.store.contract import Receipt
from ar_connectors.testkit.ledger import Application, Ledger, Line
from ar_connectors.xero.writeback_calls import Calls
from ar_core.commands import (
    AddNote,
    Command,
    OpenDispute,
    RecordPromise,
    ReleaseOrderHold,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    WithdrawPromise,
)
from ar_core.model import Invoice
from tests.behavior.faces import KEY, Face, opened
from tests.behavior.stories import DAY
from tests.faces.collecting import a_debtor, debtor
from tests.faces.xero import XERO


@pytest.fixture
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A small company with somebody to call, already read; `settings` of the connection by indirect parameters."""
    settings = getattr(request, "param", {})

    def connect(*arguments: Any, **options: Any) -> ar.Connection:
        return XERO.connect(*arguments, settings={"time_zone": "Pacific/Auckland", **settings}, **options)

    with opened(replace(XERO, connect=connect), tmp_path, monkeypatch, invoices=10) as made:
        made.change(a_debtor)
        made.sync()
        yield made


def deliver(face: Face, *commands: Command) -> list[Receipt]:
    """Record and deliver; every command is confirmed."""
    ar.record(face.store, commands)
    receipts = list(ar.deliver(face.connection, face.store))
    assert {str(one.state) for one in receipts} == {"confirmed"}, receipts
    face.clock.sleep(600)
    return receipts


def promise(invoices: list[Invoice], day: date, amount: str = "10.00") -> RecordPromise:
    return RecordPromise(
        customer_id=str(invoices[0].customer_id),
        invoice_ids=tuple(one.id for one in invoices),
        promised_amount=Decimal(amount),
        currency=invoices[0].currency,
        promised_date=day,
        given_on=date(2026, 11, 20),
    )


def groups(face: Face, customer: str) -> set[str]:
    with face.emulator.service.lock:
        return {one.name for one in face.emulator.service.view.groups.of(customer.rpartition(":")[2])}


def activity(face: Face, folder: Path) -> tuple[list[Any], list[Any]]:
    """Promises and disputes of our store, and of an empty one that is synced now."""
    other = open_store(f"sqlite:///{folder}/other.db", clock=face.clock, key=KEY)
    connection = face.connect(other)
    ar.sync(connection, other)
    connection.close()
    plain = {"source": None, "recorded_at": None}
    told = [
        [one.model_copy(update=plain) for one in (*snapshot.promises, *snapshot.disputes)]
        for snapshot in (face.snapshot(), other.snapshot(face.id))
    ]
    other.close()
    return told[0], told[1]


@pytest.mark.parametrize("face", [{"status_groups": "Collections: "}], indirect=True)
def test_a_status_is_a_group_that_the_next_one_leaves(face: Face) -> None:
    customer = str(debtor(face.snapshot())[0].customer_id)
    with face.emulator.service.lock:
        theirs = face.emulator.service.view.groups
        theirs.add(theirs.create("Key accounts"), customer.rpartition(":")[2])
    for status in ("reminded", "promised"):
        (receipt,) = deliver(face, SetCollectionsStatus(subject_id=customer, status=status, set_on=DAY))
        assert [one.remote_kind for one in receipt.placements] == ["ContactGroup", "HistoryRecord"]
        assert groups(face, customer) == {f"Collections: {status}", "Key accounts"}


@pytest.mark.parametrize("face", [{"status_groups": "Stage ", "notes": "off"}], indirect=True)
def test_without_notes_the_group_alone_tells_a_status(face: Face) -> None:
    first = debtor(face.snapshot())[0]
    customer = str(first.customer_id)
    (receipt,) = deliver(face, SetCollectionsStatus(subject_id=customer, status="late", set_on=DAY))
    assert [one.target for one in receipt.placements] == ["contact group Stage late"]
    ar.record(face.store, [SetCollectionsStatus(subject_id=first.id, status="late", set_on=DAY)])
    (refused,) = ar.deliver(face.connection, face.store)
    assert str(refused.state) == "rejected", "an invoice has no groups, and notes are off"


@pytest.mark.parametrize("face", [{"order_hold_group": "Stop"}], indirect=True)
def test_an_order_hold_is_a_group_and_is_read_back(face: Face) -> None:
    customer = str(debtor(face.snapshot())[0].customer_id)
    deliver(face, SetOrderHold(customer_id=customer, reason="late", set_on=DAY))
    assert groups(face, customer) == {"Stop"}
    face.sync(full=True)
    held = {one.id: one.order_hold for one in face.snapshot().customers}
    assert held.pop(customer) is True
    assert not any(held.values())
    deliver(face, ReleaseOrderHold(customer_id=customer, released_on=DAY))
    assert groups(face, customer) == set()


@pytest.mark.parametrize("face", [{"order_hold_group": "Stop"}], indirect=True)
def test_a_release_ends_all_holds_before_it_and_leaves_what_people_set_after_it(face: Face) -> None:
    customer = str(debtor(face.snapshot())[0].customer_id)
    for reason in ("late", "still late"):
        deliver(face, SetOrderHold(customer_id=customer, reason=reason, set_on=DAY))
    deliver(face, ReleaseOrderHold(customer_id=customer, released_on=DAY))
    assert groups(face, customer) == set()
    with face.emulator.service.lock:
        theirs = face.emulator.service.view.groups
        stop = theirs.named("Stop")
        assert stop is not None
        theirs.add(stop, customer.rpartition(":")[2])
    later = DAY + timedelta(days=1)
    deliver(face, SetOrderHold(customer_id=customer, reason="late again", set_on=later))
    deliver(face, ReleaseOrderHold(customer_id=customer, released_on=later))
    assert groups(face, customer) == {"Stop"}


def test_what_an_invoice_does_not_take_stands_with_its_contact_and_an_empty_store_finds_it(
    face: Face, tmp_path: Path
) -> None:
    """A promise and a dispute on invoices in a closed period; the promise is replaced by one on the same invoice later."""
    first, second, _ = debtor(face.snapshot())
    refused = 0
    real = Calls.add_note

    def add_note(self: Calls, collection: str, remote_id: str, text: str, key: str) -> None:
        """A fault of the emulator would strike notes on contacts too."""
        nonlocal refused
        if collection == "Invoices" and refused >= 0:
            refused += 1
            raise PeriodClosedError("the books are closed", platform="xero")
        real(self, collection, remote_id, text, key)

    face.monkeypatch.setattr(Calls, "add_note", add_note)
    dispute = OpenDispute(
        customer_id=str(first.customer_id), invoice_id=second.id, reason="damaged", opened_on=DAY
    )
    receipts = deliver(face, promise([first], date(2026, 12, 1)), dispute)
    assert refused == 2
    for receipt in receipts:
        assert receipt.degraded
        assert any(one.target.startswith("history note on Contact") for one in receipt.placements)
    ours, theirs = activity(face, tmp_path)
    assert len(ours) == 2
    assert theirs == ours
    refused = -1
    face.reconnect()  # consent for the other store has ended that of ours
    deliver(face, promise([first], date(2026, 12, 8)))
    face.sync()
    (tmp_path / "other.db").unlink()
    ours, theirs = activity(face, tmp_path)
    assert [one.superseded_by is None for one in ours[:2]].count(True) == 1
    assert theirs == ours


def test_a_promise_on_several_invoices_that_is_replaced_on_one_stands_on_none(
    face: Face, tmp_path: Path
) -> None:
    """Xero shows no date of it any more, and an empty store does not take it for an open one."""
    first, second, third = debtor(face.snapshot())
    deliver(face, promise([first, second, third], date(2026, 12, 1)))
    deliver(face, promise([second], date(2026, 12, 8)))
    face.sync()
    shown = {one.id: one.expected_payment_date for one in face.snapshot().invoices}
    assert (shown[first.id], shown[second.id], shown[third.id]) == (None, date(2026, 12, 8), None)
    ours, theirs = activity(face, tmp_path)
    assert sorted(one.superseded_by is None for one in ours) == [False, True]
    assert theirs == ours


def test_a_promise_that_was_taken_back_is_found_as_such(face: Face, tmp_path: Path) -> None:
    invoices = debtor(face.snapshot())
    given = promise(invoices[:1], date(2026, 12, 1))
    deliver(face, given)
    deliver(
        face,
        WithdrawPromise(promise_id=given.local_record_id, customer_id=given.customer_id, withdrawn_on=DAY),
    )
    face.sync()
    ours, theirs = activity(face, tmp_path)
    assert [one.withdrawn_on for one in ours] == [DAY]
    assert theirs == ours


@pytest.mark.parametrize("face", [{}, {"notes_group": ""}], ids=["group", "no group"], indirect=True)
def test_what_another_store_settles_in_notes_alone_is_seen_within_a_day(face: Face, tmp_path: Path) -> None:
    """A dispute is resolved elsewhere, and a promise withdrawn that Xero took no date for: no list tells of it."""
    first, second, _ = debtor(face.snapshot())

    def pay_in_part(ledger: Ledger) -> None:
        known = next(one for one in ledger.invoices.values() if one.number == second.number)
        part = Application("invoice", known.id, Decimal("1.00"))
        ledger.receive_payment(known.customer, part.amount, [part], received=DAY)

    face.change(pay_in_part)
    face.sync()
    opened_here = OpenDispute(
        customer_id=str(first.customer_id), invoice_id=first.id, reason="damaged", opened_on=DAY
    )
    given = promise([second], date(2026, 12, 1))
    deliver(face, opened_here, given)
    face.clock.sleep(25 * 3600)
    face.sync()  # reads what was written
    face.emulator.stats.reset()
    assert face.sync().cost.calls == 6, "an idle run is as cheap as ever"

    other = open_store(f"sqlite:///{tmp_path}/other.db", clock=face.clock, key=KEY)
    connection = face.connect(other)
    ar.sync(connection, other)
    known = {*(one.id for one in face.snapshot().disputes), *(one.id for one in face.snapshot().promises)}
    settled: list[Command] = [
        ResolveDispute(
            dispute_id=opened_here.local_record_id,
            customer_id=opened_here.customer_id,
            resolved_on=DAY,
            resolution="credited",
        ),
        WithdrawPromise(promise_id=given.local_record_id, customer_id=given.customer_id, withdrawn_on=DAY),
    ]
    if not other.snapshot(face.id).disputes:  # without the group it has to be told of them
        ar.record(other, [opened_here, given])
        ar.deliver(connection, other)
    ar.record(other, settled)
    assert {str(one.state) for one in ar.deliver(connection, other)} == {"confirmed"}
    connection.close()
    other.close()

    face.reconnect()  # consent for the other store has ended that of ours
    face.clock.sleep(600)
    face.sync()
    assert face.snapshot().disputes[0].resolved_on is None, "nothing announced it"
    face.clock.sleep(25 * 3600)
    face.sync()
    snapshot = face.snapshot()
    assert {*(one.id for one in snapshot.disputes), *(one.id for one in snapshot.promises)} == known
    assert [(one.resolved_on, one.resolution) for one in snapshot.disputes] == [(DAY, "credited")]
    assert [one.withdrawn_on for one in snapshot.promises] == [DAY]
    face.clock.sleep(25 * 3600)
    face.emulator.stats.reset()
    face.sync()
    assert face.emulator.stats.calls["list History"] == 0, "what is settled is not read again"


@pytest.mark.parametrize("face", [{"notes_group": ""}], indirect=True)
def test_without_the_group_an_empty_store_finds_what_an_expected_date_leads_to(
    face: Face, tmp_path: Path
) -> None:
    first, second, _ = debtor(face.snapshot())
    deliver(
        face,
        promise([first], date(2026, 12, 1)),
        OpenDispute(
            customer_id=str(first.customer_id), invoice_id=second.id, reason="damaged", opened_on=DAY
        ),
    )
    assert groups(face, str(first.customer_id)) == set()
    ours, theirs = activity(face, tmp_path)
    assert (len(ours), theirs) == (2, ours[:1])


def test_where_there_is_no_room_for_a_group_the_note_stands_and_says_that_it_is_not_found(face: Face) -> None:
    first = debtor(face.snapshot())[0]
    with face.emulator.service.lock:
        for number in range(100):
            face.emulator.service.view.groups.create(f"Group {number}")
    (receipt,) = deliver(
        face,
        OpenDispute(customer_id=str(first.customer_id), invoice_id=first.id, reason="damaged", opened_on=DAY),
    )
    assert not receipt.degraded
    (placed,) = receipt.placements
    assert placed.target.startswith("history note on Invoice")
    assert "another store will not find it" in str(placed.reason)


def test_plain_notes_need_no_group(face: Face) -> None:
    first = debtor(face.snapshot())[0]
    face.emulator.stats.reset()
    deliver(face, AddNote(subject_id=first.id, text="called", given_on=DAY))
    assert face.emulator.stats.total == 1


@pytest.mark.parametrize("face", [{"payment_links": 2}], indirect=True)
def test_a_payment_link_is_asked_for_once_and_stays(face: Face) -> None:
    def asked() -> int:
        return face.emulator.stats.calls["list OnlineInvoice"]

    open_ones = sum(bool(one.balance_due) for one in face.snapshot().invoices)
    assert asked() == 2 < open_ones
    while asked() < open_ones:
        before = asked()
        face.sync()
        assert before < asked() <= before + 2
    links: dict[str, str | None] = {
        one.id: one.payment_link for one in face.snapshot().invoices if one.balance_due
    }
    assert all(str(one).startswith("https://in.xero.com/") for one in links.values())
    assert len(set(links.values())) == open_ones  # each its own
    with face.emulator.service.lock:
        for one in list(face.ledger.invoices.values()):
            if not one.voided:
                face.ledger.change_document(one, memo="read again")
    face.clock.sleep(600)
    face.reconnect()  # another process
    face.sync()
    face.clock.sleep(25 * 3600)
    face.sync(full=True)
    assert asked() == open_ones
    kept = {one.id: one.payment_link for one in face.snapshot().invoices if one.id in links}
    assert kept == links


def test_reminders_that_xero_sends_itself_are_reported(face: Face) -> None:
    def told() -> dict[str, Any]:
        organization = face.snapshot().organization
        assert organization is not None
        return {str(one.name): one.value for one in organization.custom_fields}

    assert told()["erp_reminders"] == "off"
    assert isinstance(face.connection.connector, ChecksItself)
    assert face.connection.connector.problems() == []
    face.emulator.service.reminders = True
    face.clock.sleep(25 * 3600)
    face.sync()
    assert told()["erp_reminders"] == "on"
    (problem,) = face.connection.connector.problems()
    assert "chased twice" in problem


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_digit_of_money_changes_on_its_way_into_either_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    url = request.getfixturevalue("postgres_url") if store == "postgresql" else None
    amounts = [Decimal("1234567890123456789012345678.91"), Decimal("12345678901234567.89"), Decimal("0.01")]
    with opened("xero", tmp_path, monkeypatch, url=url, invoices=10) as face:
        customer = face.ledger.open_customer("Large").id
        for number, amount in enumerate(amounts):
            face.ledger.issue_invoice(customer, [Line(amount)], issued=DAY, number=f"D-{number}", due=DAY)
        assert face.sync().quarantined == 0
        again = open_store(url or f"sqlite:///{tmp_path}/ar.db", clock=face.clock, key=KEY)
        found = {one.number: (one.total, one.balance_due) for one in again.snapshot(face.id).invoices}
        again.close()
        assert [found[f"D-{number}"] for number in range(3)] == [(one, one) for one in amounts]
        assert [str(found[f"D-{number}"][0]) for number in range(3)] == [str(one) for one in amounts]
