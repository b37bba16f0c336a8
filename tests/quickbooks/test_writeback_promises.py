"""Promises and disputes in QuickBooks: one note each, edited and never doubled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from ar_connectors.adapterkit.notes import DisputeTag, PromiseTag
from ar_connectors.connector import Fact
from ar_connectors.errors import (
    NotFoundError,
    RejectedError,
    StaleVersionError,
    TransientError,
    WriteOutcomeUnknown,
)
from ar_connectors.http.messages import Request
from ar_core.commands import (
    RecordPromise,
    ResolveDispute,
    WithdrawPromise,
)
from tests.quickbooks.little_books import Company, company
from tests.quickbooks.placing import DAY, ONE, dispute, invoice, promise, tag_in


@pytest.fixture
def books() -> Company:
    return company()


# Promises


def test_a_promise_is_a_note_on_each_invoice(books: Company) -> None:
    command = promise("129", "130", note="Waits for the March check.")
    placements = books.place(command)
    for number in ("129", "130"):
        (note,) = books.books.notes_on(number)
        tag = tag_in(note)
        assert isinstance(tag, PromiseTag)
        assert (tag.id, tag.promised, tag.amount, tag.currency) == (
            command.record_uuid(),
            date(2026, 12, 1),
            Decimal("500.00"),
            "USD",
        )
        assert tag.invoices == ("129", "130")
        assert tag.customer == "1"
        assert "Promise to pay 500.00 USD by 2026-12-01. Given 2026-11-23 by Ann Lee (voice)." in note
        assert note.endswith("Waits for the March check.")
        assert not note.startswith("Voided")
    assert {one.fact for one in placements} == {Fact.PROMISE_DATE, Fact.PROMISE_AMOUNT}
    assert {one.target for one in placements} == {
        "Attachable note on Invoice 129",
        "Attachable note on Invoice 130",
    }
    assert not any(one.degraded for one in placements)
    assert all(command.local_record_id in one.subject_ids and one.version == "0" for one in placements)


def test_a_note_never_travels_with_an_email(books: Company) -> None:
    books.place(promise())
    books.place(dispute())
    for row in books.books.attachables.values():
        assert [link["IncludeOnSend"] for link in row["AttachableRef"]] == [False]


def test_a_promise_without_an_amount_is_about_the_open_balance(books: Company) -> None:
    command = RecordPromise(
        customer_id=ONE, invoice_ids=(invoice("129"),), promised_date=date(2026, 12, 1), given_on=DAY
    )
    (placement,) = books.place(command)
    assert placement.fact is Fact.PROMISE_DATE
    assert "Promise to pay the open balance by 2026-12-01." in books.books.notes_on("129")[0]


def test_placing_a_promise_again_changes_nothing(books: Company) -> None:
    command = promise("129", "130")
    first = books.place(command)
    assert [one.remote_id for one in books.place(command)] == [one.remote_id for one in first]
    assert len(books.books.attachables) == 2
    assert books.find(command) is not None


def test_what_is_missing_of_a_promise_is_added(books: Company) -> None:
    command = promise("129", "130", "131")

    def lose(_request: Request, _body: Mapping[str, Any]) -> None:
        if len(books.books.attachables) == 2:
            raise WriteOutcomeUnknown("no answer")

    books.books.after = lose
    with pytest.raises(WriteOutcomeUnknown):
        books.place(command)
    books.books.after = None
    assert books.find(command) is None, "one note is still missing"
    books.place(command, attempt=2)
    assert [len(books.books.notes_on(one)) for one in ("129", "130", "131")] == [1, 1, 1]


def test_one_invoice_that_is_gone_does_not_keep_the_others_from_their_note(books: Company) -> None:
    del books.books.invoices["130"]
    placements = books.place(promise("129", "130"))
    assert {one.target for one in placements} == {"Attachable note on Invoice 129"}
    assert all(one.degraded and "Invoice 130" in (one.reason or "") for one in placements)
    with pytest.raises(NotFoundError):
        books.place(promise("130", key="other"))


def test_a_later_promise_marks_the_earlier_one_as_superseded(books: Company) -> None:
    first, second = promise("129", "130", key="a"), promise("129", key="b", when=date(2026, 12, 15))
    books.place(first)
    books.store.clock.forward(days=1)
    books.place(second)
    for number in ("129", "130"):
        tags = {tag_in(note).id: tag_in(note) for note in books.books.notes_on(number)}
        assert tags[first.record_uuid()].superseded_by == second.record_uuid()
    assert tag_in(books.books.notes_on("129")[1]).superseded_by is None
    assert books.find(second) is not None


def test_promises_that_are_delivered_in_the_wrong_order_end_up_the_same(books: Company) -> None:
    first, second = promise("129", "130", key="a"), promise("130", key="b", when=date(2026, 12, 15))
    books.store.record_commands([first])
    books.store.clock.forward(days=1)
    books.place(second)
    books.place(first)
    for number in ("129", "130"):
        tags = {tag_in(note).id: tag_in(note) for note in books.books.notes_on(number)}
        assert tags[first.record_uuid()].superseded_by == second.record_uuid()
    assert tags[second.record_uuid()].superseded_by is None
    assert "] Superseded by a later promise. Promise to pay" in books.books.notes_on("129")[0]


def test_a_promise_whose_predecessor_is_not_marked_yet_has_not_wholly_landed(books: Company) -> None:
    first, second = promise(key="a"), promise(key="b", when=date(2026, 12, 15))
    books.place(first)

    def refuse(_request: Request, body: Mapping[str, Any]) -> None:
        if "Id" in body:
            raise TransientError("no connection")

    books.books.before = refuse
    with pytest.raises(TransientError):
        books.place(second)
    books.books.before = None
    assert books.find(second) is None
    books.place(second, attempt=2)
    assert len(books.books.notes_on("129")) == 2
    assert books.find(second) is not None


def test_a_withdrawn_promise_is_the_same_note_edited(books: Company) -> None:
    command = promise("129", "130")
    books.place(command)
    withdraw = WithdrawPromise(
        promise_id=command.local_record_id, customer_id=ONE, withdrawn_on=date(2026, 11, 25), reason="paid"
    )
    assert books.find(withdraw) is None
    placements = books.place(withdraw)
    assert len(books.books.attachables) == 2
    for number in ("129", "130"):
        (note,) = books.books.notes_on(number)
        assert tag_in(note).withdrawn == date(2026, 11, 25)
        assert "] Withdrawn 2026-11-25: paid. Promise to pay 500.00 USD" in note
    assert {one.version for one in placements} == {"1"}
    assert books.find(withdraw) is not None
    books.place(withdraw, attempt=2)
    assert {row["SyncToken"] for row in books.books.attachables.values()} == {"1"}, (
        "nothing is sent for what is so already"
    )


def test_what_people_wrote_into_our_note_stays(books: Company) -> None:
    command = promise()
    books.place(command)
    (row,) = books.books.attachables.values()
    human = "Jo: they always pay late. " + row["Note"] + "\nJo again: called twice."
    before, after = human.split("[AR:")[0], human.split("]", 1)[1]
    link = {"EntityRef": {"type": "Invoice", "value": "131"}}

    def somebody_is_faster(_request: Request, _body: Mapping[str, Any]) -> None:
        books.books.before = None
        books.books.edit(
            books.books.attachables,
            row["Id"],
            Note=human,
            AttachableRef=[*row["AttachableRef"], link],
        )

    books.books.before = somebody_is_faster
    books.place(WithdrawPromise(promise_id=command.local_record_id, customer_id=ONE, withdrawn_on=DAY))
    (note,) = books.books.notes_on("129")
    assert note.startswith(before)
    assert note.endswith(after)
    assert tag_in(note).withdrawn == DAY
    assert books.books.notes_on("131") == [note], "a link that a person added stays"


def test_an_edit_that_is_always_late_gives_up_after_three_more_tries(books: Company) -> None:
    command = promise()
    books.place(command)
    (row,) = books.books.attachables.values()
    books.books.before = lambda _request, _body: books.books.edit(books.books.attachables, row["Id"])
    sent = len(books.books.bodies)
    with pytest.raises(StaleVersionError):
        books.place(WithdrawPromise(promise_id=command.local_record_id, customer_id=ONE, withdrawn_on=DAY))
    assert len(books.books.bodies) - sent == 4


def test_a_withdrawal_without_a_note_hangs_one_up_that_says_so(books: Company) -> None:
    command = promise()
    books.store.record_commands([command])
    books.place(WithdrawPromise(promise_id=command.local_record_id, customer_id=ONE, withdrawn_on=DAY))
    (note,) = books.books.notes_on("129")
    assert (tag_in(note).id, tag_in(note).withdrawn) == (command.record_uuid(), DAY)


def test_a_withdrawal_of_nothing_known_is_refused_with_advice(books: Company) -> None:
    stranger = f"local:{UUID(int=7)}"
    with pytest.raises(RejectedError, match="nothing is known"):
        books.place(WithdrawPromise(promise_id=stranger, customer_id=ONE, withdrawn_on=DAY))


# Disputes and notes


def test_a_dispute_is_opened_and_resolved_in_one_note(books: Company) -> None:
    command = dispute()
    (placement,) = books.place(command)
    assert placement.fact is Fact.DISPUTE
    resolve = ResolveDispute(
        dispute_id=command.local_record_id,
        customer_id=ONE,
        resolved_on=date(2026, 11, 27),
        resolution="credited",
    )
    assert books.find(resolve) is None
    books.place(resolve)
    (note,) = books.books.notes_on("129")
    tag = tag_in(note)
    assert isinstance(tag, DisputeTag)
    assert (tag.reason, tag.resolved, tag.resolution) == ("goods damaged", date(2026, 11, 27), "credited")
    assert "Resolved 2026-11-27: credited. Disputed in full: goods damaged. Opened 2026-11-23 by Ann." in note
    assert books.find(resolve) is not None


def test_a_second_try_looks_before_it_hangs_a_note_up(books: Company) -> None:
    books.place(dispute())
    books.place(dispute(), attempt=2)
    assert len(books.books.notes_on("129")) == 1
