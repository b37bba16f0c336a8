"""Where notes, statuses and order holds land in QuickBooks, and that they land once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_connectors.adapterkit.notes import NoteTag, StatusTag
from ar_connectors.connector import Fact
from ar_connectors.errors import (
    PeriodClosedError,
    RejectedError,
)
from ar_connectors.http.messages import Request
from ar_connectors.quickbooks.managed_block import CLOSE, OPEN, parse_block
from ar_connectors.quickbooks.writeback import WriteOptions
from ar_core.commands import (
    AddNote,
)
from tests.quickbooks.little_books import Company, company
from tests.quickbooks.placing import DAY, ONE, hold, invoice, release, status, tag_in


@pytest.fixture
def books() -> Company:
    return company()


# Notes


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
