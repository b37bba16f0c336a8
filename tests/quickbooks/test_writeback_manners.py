"""How QuickBooks is written to: the smallest bodies, its own characters, failures told for what they are, and all of it read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.connector import Fact, Page, Support
from ar_connectors.errors import (
    ContractError,
    DuplicateError,
    PeriodClosedError,
    RejectedError,
    TransientError,
    UnsupportedOperation,
    WriteOutcomeUnknown,
)
from ar_connectors.http.messages import Request, Response
from ar_connectors.quickbooks.decode import decode
from ar_connectors.quickbooks.managed_block import parse_block
from ar_connectors.quickbooks.writeback import COMMANDS, FACTS
from ar_connectors.quickbooks.writeback_calls import request_id
from ar_core.commands import (
    AddNote,
    OpenDispute,
    RecordTouch,
    ResolveDispute,
    WithdrawPromise,
    command_adapter,
)
from ar_core.model import Channel, Dispute, Promise
from tests.quickbooks.little_books import TENANT, Company, company
from tests.quickbooks.placing import DAY, ONE, dispute, hold, invoice, promise, release, status, tag_in


@pytest.fixture
def books() -> Company:
    return company()


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
