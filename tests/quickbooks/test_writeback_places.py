"""Where each command lands in QuickBooks, and that it lands once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_connectors.adapterkit.notes import DisputeTag, NoteTag, PromiseTag, StatusTag, parse_note
from ar_connectors.connector import Fact, Page, Support
from ar_connectors.errors import (
    ContractError,
    DuplicateError,
    NotFoundError,
    PeriodClosedError,
    RejectedError,
    StaleVersionError,
    TransientError,
    UnsupportedOperation,
    WriteOutcomeUnknown,
)
from ar_connectors.http.messages import Request, Response
from ar_connectors.quickbooks.decode import decode
from ar_connectors.quickbooks.managed_block import CLOSE, OPEN, parse_block
from ar_connectors.quickbooks.writeback import COMMANDS, FACTS, WriteOptions
from ar_connectors.quickbooks.writeback_calls import request_id
from ar_core.commands import (
    AddNote,
    OpenDispute,
    RecordPromise,
    RecordTouch,
    ReleaseOrderHold,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    WithdrawPromise,
    command_adapter,
)
from ar_core.model import Channel, Dispute, Promise, RecordKind
from tests.quickbooks.little_books import TENANT, Company, company, rid

DAY = date(2026, 11, 23)
ONE = rid(RecordKind.CUSTOMER, "1")
TWO = rid(RecordKind.CUSTOMER, "2")


def invoice(number: str) -> str:
    return rid(RecordKind.INVOICE, number)


def promise(
    *numbers: str, key: str = "", when: date = date(2026, 12, 1), note: str | None = None
) -> RecordPromise:
    return RecordPromise(
        key=key, customer_id=ONE, invoice_ids=tuple(invoice(one) for one in numbers or ("129",)),
        promised_amount=Decimal("500.00"), currency="USD", promised_date=when, given_on=DAY, given_by="Ann Lee",
        channel=Channel.VOICE, note=note,
    )  # fmt: skip


def dispute() -> OpenDispute:
    return OpenDispute(
        customer_id=ONE, invoice_id=invoice("129"), reason="goods damaged", opened_on=DAY, opened_by="Ann"
    )


def status(subject: str = ONE, text: str = "second reminder sent", key: str = "") -> SetCollectionsStatus:
    return SetCollectionsStatus(
        key=key,
        subject_id=subject,
        status=text,
        set_on=DAY,
        next_action="call",
        next_action_on=date(2026, 11, 30),
    )


def hold(reason: str = "over the limit", key: str = "") -> SetOrderHold:
    return SetOrderHold(key=key, customer_id=ONE, reason=reason, set_on=DAY)


def release(key: str = "") -> ReleaseOrderHold:
    return ReleaseOrderHold(key=key, customer_id=ONE, released_on=date(2026, 11, 25))


def tag_in(note: str) -> Any:
    found = parse_note(note)
    assert found is not None, note
    return found[0]


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


def test_a_note_on_an_invoice_hangs_there(books: Company) -> None:
    command = AddNote(subject_id=invoice("129"), text="Sent the contract.", given_on=DAY, author="Jo")
    assert books.find(command) is None
    (placement,) = books.place(command)
    (note,) = books.books.notes_on("129")
    assert isinstance(tag_in(note), NoteTag)
    assert note.endswith("2026-11-23 Jo: Sent the contract.")
    assert (placement.fact, placement.remote_kind) == (Fact.NOTE, "Attachable")
    assert books.find(command) is not None


def test_a_note_about_a_customer_is_a_line_in_our_block(books: Company) -> None:
    command = AddNote(subject_id=ONE, text="Prefers\ncalls.", given_on=DAY)
    (placement,) = books.place(command)
    notes = books.books.customers["1"]["Notes"]
    assert (
        notes
        == f"Ring the side door.\n\n{OPEN}\nNote 2026-11-23: Prefers calls. #note.{command.record_uuid().hex[:12]}\n{CLOSE}"
    )
    assert (placement.remote_kind, placement.version) == ("Customer", "1")
    assert books.find(command) is not None


def test_a_very_long_note_is_cut_and_its_tag_is_not(books: Company) -> None:
    command = AddNote(subject_id=invoice("129"), text="long " * 1000, given_on=DAY)
    books.place(command)
    (note,) = books.books.notes_on("129")
    assert 1990 < len(note) <= 2000
    assert tag_in(note).id == command.record_uuid()


# Status and order hold


def test_a_status_is_one_line_and_the_latest_one_wins(books: Company) -> None:
    books.place(status(key="a"))
    books.place(status(text="final notice sent", key="b"))
    lines = parse_block(books.books.customers["1"]["Notes"]).lines
    assert [one.text for one in lines] == ["Status: final notice sent (2026-11-23). Next: call (2026-11-30)"]


def test_the_status_of_an_invoice_has_a_line_of_its_own(books: Company) -> None:
    books.place(status())
    books.place(status(invoice("129"), "disputed"))
    books.place(status(invoice("130"), "promised"))
    lines = parse_block(books.books.customers["1"]["Notes"]).lines
    assert [one.text.split(" (")[0] for one in lines] == [
        "Status: second reminder sent",
        "Invoice INV-129: disputed",
        "Invoice INV-130: promised",
    ]
    assert books.find(status(invoice("130"), "promised")) is not None


def test_a_configured_custom_field_holds_the_status_and_the_others_keep_theirs() -> None:
    books = company(options=WriteOptions(status_custom_field="Collections"))
    books.books.invoices["129"]["CustomField"] = [
        {"DefinitionId": "1", "Name": "PO Number", "Type": "StringType", "StringValue": "7781"},
        {"DefinitionId": "2", "Name": "Collections", "Type": "StringType"},
    ]
    command = status(invoice("129"), "a status that is much too long for a field")
    (placement,) = books.place(command)
    fields = {one["Name"]: one["StringValue"] for one in books.books.invoices["129"]["CustomField"]}
    assert fields == {"PO Number": "7781", "Collections": "a status that is much too lo..."}
    assert (placement.remote_kind, placement.degraded) == ("Invoice", False)
    assert books.find(command) is not None
    assert set(books.books.bodies[-1]) == {"Id", "SyncToken", "sparse", "CustomField"}


def test_a_custom_field_the_invoice_does_not_have_falls_back() -> None:
    books = company(options=WriteOptions(status_custom_field="Collections"))
    (placement,) = books.place(status(invoice("129")))
    assert placement.degraded
    assert "no custom field 'Collections'" in (placement.reason or "")
    assert "Invoice INV-129" in books.books.customers["1"]["Notes"]


def test_a_custom_field_in_closed_books_falls_back_with_the_reason() -> None:
    books = company(options=WriteOptions(status_custom_field="1"))
    books.sync(country="CA", lock_date=date(2026, 10, 31))
    (placement,) = books.place(status(invoice("129"), key="known to be closed"))
    assert placement.degraded
    assert placement.reason == "the invoice lies in closed books"
    books.sync(country="CA")

    def closed(_request: Request, body: Mapping[str, Any]) -> None:
        if "CustomField" in body:
            raise PeriodClosedError("Account Period Closed", platform_code="6210")

    books.books.before = closed
    (placement,) = books.place(status(invoice("129"), key="found out"))
    assert placement.degraded
    assert placement.reason == "Account Period Closed"


def test_a_custom_field_that_is_silently_ignored_falls_back() -> None:
    books = company(options=WriteOptions(status_custom_field="3"))
    books.books.after = lambda _request, _body: books.books.invoices["129"].update(CustomField=[])
    (placement,) = books.place(status(invoice("129")))
    assert placement.degraded
    assert "did not keep" in (placement.reason or "")


def test_an_order_hold_is_advice_and_a_release_takes_it_away(books: Company) -> None:
    before = books.books.customers["1"]["Notes"]
    (placement,) = books.place(hold())
    assert "Order hold advised since 2026-11-23: over the limit" in books.books.customers["1"]["Notes"]
    assert placement.fact is Fact.ORDER_HOLD
    assert json.loads(placement.previous or "") == {"hold": None}
    assert books.find(hold()) is not None
    assert books.find(release()) is None
    books.place(release())
    assert books.books.customers["1"]["Notes"] == before
    assert books.find(release()) is not None
    assert books.books.customers["1"]["Active"] is True


def test_what_our_hold_replaced_is_put_back(books: Company) -> None:
    theirs = "Order hold advised since 2026-01-01: set by the other system #hold.aaaaaaaaaaaa"
    books.books.edit(books.books.customers, "1", Notes=f"Top\n\n{OPEN}\n{theirs}\n{CLOSE}")
    books.sync(country="CA")
    books.place(hold(key="first"))
    books.place(hold("still over the limit", key="second"))
    books.place(release())
    assert books.books.customers["1"]["Notes"] == f"Top\n\n{OPEN}\n{theirs}\n{CLOSE}"


def test_a_full_field_refuses_a_customer_note_and_leaves_it_alone(books: Company) -> None:
    books.books.edit(books.books.customers, "1", Notes="h" * 1990)
    books.sync(country="CA")
    with pytest.raises(RejectedError, match="full"):
        books.place(status())
    assert books.books.customers["1"]["Notes"] == "h" * 1990
    (placement,) = books.place(status(invoice("129")))
    assert placement.degraded
    assert placement.remote_kind == "Attachable"
    assert isinstance(tag_in(books.books.notes_on("129")[0]), StatusTag)


def test_a_company_whose_notes_hold_less_gets_less(books: Company) -> None:
    def short(_request: Request, body: Mapping[str, Any]) -> None:
        if len(body.get("Notes", "")) > 1024:
            raise RejectedError(
                "String length is either shorter or longer than supported", platform_code="2050"
            )

    books.books.before = short
    for number in range(20):
        books.place(AddNote(subject_id=ONE, text=f"note {number} " + "y" * 80, given_on=DAY))
    notes = books.books.customers["1"]["Notes"]
    assert len(notes) <= 1024
    assert notes.startswith("Ring the side door.\n\n")
    assert "note 19 " in notes


@settings(max_examples=60, deadline=None)
@given(
    first=st.text(st.characters(blacklist_categories=["Cs"]), max_size=900).filter(
        lambda text: OPEN not in text
    ),
    second=st.text(max_size=900).filter(lambda text: OPEN not in text),
    texts=st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4),
)
def test_human_edits_in_customer_notes_survive_whatever_comes_between(
    first: str, second: str, texts: list[str]
) -> None:
    books = company()
    books.books.edit(books.books.customers, "1", Notes=first)
    books.sync(country="CA")
    for number, text in enumerate(texts):
        books.place(status(text=text, key=f"s{number}"))
        assert parse_block(books.books.customers["1"]["Notes"]).outside == first
    # A person rewrites the field, our block included, after our last look.
    ours = books.books.customers["1"]["Notes"][len(first) :]
    books.books.edit(books.books.customers, "1", Notes=f"{second}{ours}")
    books.place(hold())
    assert books.books.customers["1"]["Notes"].startswith(second)
    assert parse_block(books.books.customers["1"]["Notes"]).find("hold") is not None


# Bodies


def test_no_body_has_more_than_it_needs(books: Company) -> None:
    made = promise()
    for command in (
        made, promise(key="later"), dispute(), status(), status(invoice("130")), hold(), release(),
        AddNote(subject_id=ONE, text="x", given_on=DAY), AddNote(subject_id=invoice("129"), text="x", given_on=DAY),
        WithdrawPromise(promise_id=made.local_record_id, customer_id=ONE, withdrawn_on=DAY),
    ):  # fmt: skip
        books.place(command)
    allowed = {
        frozenset({"Note", "AttachableRef"}),
        frozenset({"Id", "SyncToken", "sparse", "Note", "AttachableRef"}),
        frozenset({"Id", "SyncToken", "sparse", "Notes"}),
    }
    assert {frozenset(body) for body in books.books.bodies} <= allowed
    assert all(
        request.method == "GET" or b"PrivateNote" not in (request.body or b"")
        for request in books.books.requests
    )
    for row in books.books.invoices.values():
        assert (row["PrivateNote"], row["DueDate"], row["EmailStatus"], row["SyncToken"]) == (
            "theirs",
            "2026-11-01",
            "NotSet",
            "0",
        )


def test_every_post_of_a_command_has_a_requestid_of_its_own(books: Company) -> None:
    books.place(promise("129", "130", "131"))
    ids = [dict(one.params)["requestid"] for one in books.books.requests if one.method == "POST"]
    assert len(set(ids)) == 3
    assert len(request_id("k" * 60)) == 50
    assert request_id("k" * 60, "1") != request_id("k" * 60)


def test_a_requestid_that_was_seen_is_no_reason_to_give_up(books: Company) -> None:
    refused: list[str] = []

    def seen(request: Request, _body: Mapping[str, Any]) -> None:
        identity = dict(request.params)["requestid"]
        if not refused:
            refused.append(identity)
            raise DuplicateError("duplicate request id", platform_code="600")
        assert identity not in refused

    books.books.before = seen
    books.place(dispute())
    assert len(books.books.notes_on("129")) == 1


# Text


def test_a_us_company_gets_no_character_it_cannot_store() -> None:
    books = company(latin1_only=True)
    command = promise(note="Zażółć — paid by 😀 O'Neil & Sons, Müller")
    (placement, _) = books.place(command)
    (note,) = books.books.notes_on("129")
    note.encode("iso-8859-1")
    assert "O'Neil & Sons, Müller" in note
    assert "Zazólc - paid by ? " in note
    assert not placement.degraded
    books.place(AddNote(subject_id=ONE, text="gut so 😀 “ja”", given_on=DAY))
    assert 'gut so ? "ja"' in books.books.customers["1"]["Notes"]


def test_other_companies_keep_their_characters(books: Company) -> None:
    books.place(promise(note="日本 😀"))
    assert books.books.notes_on("129")[0].endswith("日本 😀")


def test_a_note_that_is_not_stored_as_sent_is_said_to_be_degraded() -> None:
    books = company()

    def garble(_request: Request, _body: Mapping[str, Any]) -> None:
        for row in books.books.attachables.values():
            row["Note"] = "[AR:"

    books.books.after = garble
    (placement,) = books.place(dispute())
    assert placement.degraded
    assert "as it was sent" in (placement.reason or "")


# Failures


def test_closed_books_that_take_no_note_fall_back_to_the_customer(books: Company) -> None:
    def closed(_request: Request, body: Mapping[str, Any]) -> None:
        if "Note" in body:
            raise PeriodClosedError("Account Period Closed", platform_code="6210")

    books.books.before = closed
    command = promise("129", "130")
    placements = books.place(command)
    assert {(one.remote_kind, one.degraded) for one in placements} == {("Customer", True)}
    assert all("closed books" in (one.reason or "") for one in placements)
    (line,) = parse_block(books.books.customers["1"]["Notes"]).lines
    assert tag_in(line.text).id == command.record_uuid()
    assert books.find(command) is not None
    books.place(WithdrawPromise(promise_id=command.local_record_id, customer_id=ONE, withdrawn_on=DAY))
    (line,) = parse_block(books.books.customers["1"]["Notes"]).lines
    assert tag_in(line.text).withdrawn == DAY


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TransientError("gateway", http_status=503), WriteOutcomeUnknown),
        (TransientError("no connection"), TransientError),
        (ContractError("not JSON", http_status=200), WriteOutcomeUnknown),
    ],
)
def test_a_failure_that_may_hide_a_success_is_an_unknown_outcome(
    books: Company, failure: Exception, expected: type[Exception]
) -> None:
    def fail(_request: Request, _body: Mapping[str, Any]) -> None:
        raise failure

    books.books.after = fail
    with pytest.raises(expected):
        books.place(dispute())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"Attachable": {"Note": "x"}}', b'{"Attachable": nul']
)
def test_an_unreadable_answer_to_a_write_is_an_unknown_outcome(
    books: Company, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books.books, "send", lambda _request: Response(200, {}, body, None, 0.0))
    with pytest.raises(WriteOutcomeUnknown):
        books.place(dispute())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_an_unreadable_answer_to_a_look_cannot_be_told(
    books: Company, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books.books, "send", lambda _request: Response(200, {}, body, None, 0.0))
    with pytest.raises(ContractError):
        books.find(dispute())


def test_a_command_of_another_company_is_refused(books: Company) -> None:
    other = AddNote(subject_id="quickbooks:777:invoice:129", text="x", given_on=DAY)
    with pytest.raises(RejectedError, match="no invoice of this company"):
        books.place(other)


def test_every_command_has_a_row_and_only_the_unsupported_are_refused(books: Company) -> None:
    kinds = {
        one["properties"]["type"]["const"]
        for one in command_adapter().json_schema()["$defs"].values()
        if "type" in one.get("properties", {})
    }
    assert set(COMMANDS) == kinds
    assert set(FACTS) == set(Fact)
    assert FACTS[Fact.ORDER_HOLD].support is Support.ADVISORY
    touch = RecordTouch(customer_id=ONE, channel=Channel.EMAIL, at="2026-11-23T10:00:00Z")  # type: ignore[arg-type]
    assert COMMANDS["record_touch"] is Support.NONE
    with pytest.raises(UnsupportedOperation):
        books.place(touch)
    with pytest.raises(UnsupportedOperation):
        books.find(touch)


def test_an_invoice_with_more_notes_than_a_page_is_searched_to_the_end(books: Company) -> None:
    link = [{"EntityRef": {"type": "Invoice", "value": "129"}, "IncludeOnSend": False}]
    for number in range(1000):
        books.books.attachables[str(number)] = {
            "Id": str(number),
            "SyncToken": "0",
            "Note": "theirs",
            "AttachableRef": link,
        }
    command = promise()
    books.place(command)
    assert books.find(command) is not None
    books.place(command, attempt=2)
    assert sum("[AR:" in note for note in books.books.notes_on("129")) == 1


def test_a_promise_on_very_many_invoices_still_fits_its_notes(books: Company) -> None:
    numbers = tuple(f"5{number:018d}" for number in range(120))
    for number in numbers:
        books.books.invoice(number, "1")
    command = promise(*numbers)
    placements = books.place(command)
    assert len({one.remote_id for one in placements}) == 120
    assert all(one.degraded for one in placements)
    assert tag_in(books.books.notes_on(numbers[7])[0]).invoices == (numbers[7],)


# Reading back


def read_back(books: Company) -> dict[str, Any]:
    """What a sync into an empty store makes of the notes."""
    body = json.dumps({"QueryResponse": {"Attachable": list(books.books.attachables.values())}}).encode()
    customers = json.dumps({"QueryResponse": {"Customer": list(books.books.customers.values())}}).encode()
    found: dict[str, Any] = {}
    for kind, page in (("attachable", body), ("customer", customers)):
        decoded = decode(kind, page, TENANT)
        assert isinstance(decoded, Page)
        assert not decoded.rejected
        found |= {one.id: one for one in decoded.records if isinstance(one, Promise | Dispute)}
    return found


def same(ours: Any, theirs: Any) -> bool:
    """Equal but for where it was read, and for fractions of a second."""
    plain = {"source": None, "recorded_at": None}
    return bool(ours.model_copy(update=plain) == theirs.model_copy(update=plain))


@pytest.mark.parametrize(
    "note", [None, "Waits for the March check.", "two\nlines", "O'Neil & Sons [sic] 50% = #1"]
)
def test_what_was_placed_reads_back_the_same(books: Company, note: str | None) -> None:
    first, second = promise("129", "130", key="a", note=note), promise("130", key="b", note=note)
    third = promise("131", key="c", note=note)
    opened = OpenDispute(
        customer_id=ONE, invoice_id=invoice("129"), reason="goods damaged", opened_on=DAY, note=note,
        disputed_amount=Decimal("120.00"), currency="USD",
    )  # fmt: skip
    for command in (first, second, third, opened):
        books.place(command)
        books.store.clock.forward(seconds=60)
    books.place(
        WithdrawPromise(promise_id=third.local_record_id, customer_id=ONE, withdrawn_on=DAY, reason="paid")
    )
    books.place(
        ResolveDispute(
            dispute_id=opened.local_record_id, customer_id=ONE, resolved_on=DAY, resolution="credited"
        )
    )
    there = read_back(books)
    for command in (first, second, third):
        assert same(books.store.records_by_id[command.local_record_id], there[command.local_record_id])
    ours = books.store.records_by_id[opened.local_record_id]
    settled = ours.model_copy(update={"resolved_on": DAY, "resolution": "credited"})
    assert same(settled, there[opened.local_record_id])


def test_what_stands_in_customer_notes_reads_back_the_same(books: Company) -> None:
    def closed(_request: Request, body: Mapping[str, Any]) -> None:
        if "Note" in body:
            raise PeriodClosedError("Account Period Closed", platform_code="6210")

    books.books.before = closed
    command = promise("129", note="Waits for the March check.")
    books.place(command)
    there = read_back(books)
    assert same(books.store.records_by_id[command.local_record_id], there[command.local_record_id])
