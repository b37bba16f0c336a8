"""Is a company read completely, cheaply, and again from where it was left? On the real store, page by page."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ar_connectors.adapterkit.notes import PromiseTag, format_note
from ar_connectors.connector import Page
from ar_connectors.errors import ConfigurationError, ContractError, TransientError, UnsupportedOperation
from ar_connectors.http.messages import Request
from ar_connectors.quickbooks.connector import QuickBooksConnector, QuickBooksReader
from ar_connectors.store import Store, open_store
from ar_core import model
from tests.quickbooks.moving_books import TENANT, MovingBooks


class Company:
    """Books, a connector and a store, and a very simple sync over them."""

    def __init__(self, folder: Path) -> None:
        self.books = MovingBooks()
        self.store: Store = open_store(f"sqlite:///{folder}/ar.db", clock=self.books.clock)
        self.connector = QuickBooksConnector(
            TENANT, self.books, self.books.clock, base_url="http://127.0.0.1:1"
        )
        self.store.add_connection(self.connector.id, "quickbooks", TENANT)

    def sync(self, *streams: str, stop_after: int | None = None, shuffled: bool = False) -> list[Page]:
        """Read the streams (all of them by default); `stop_after` so many commits the process dies."""
        pages: list[Page] = []
        view = self.store.view(self.connector.id)
        for spec in self.connector.streams():
            if streams and spec.name not in streams:
                continue
            lease = self.store.acquire_lease(spec.name, "me", timedelta(hours=1))
            assert lease is not None
            try:
                for batch in self.connector.pull(spec.name, view):
                    order = list(range(len(batch)))
                    if shuffled:
                        random.Random(7).shuffle(order)
                    ready = {number: batch[number].run() for number in order}
                    for number in range(len(batch)):
                        self.store.commit_page(self.connector.id, ready[number], lease)
                        pages.append(ready[number])
                        if stop_after is not None and len(pages) >= stop_after:
                            return pages
            finally:
                self.store.release_lease(lease)
        return pages

    def ids(self, kind: str) -> set[str]:
        """Remote ids of the live records of a kind."""
        return {
            one.rsplit(":", 1)[-1] for one in self.store.live_ids(self.connector.id, model.RecordKind(kind))
        }

    def get(self, kind: str, remote_id: str | int) -> Any:
        return self.store.view(self.connector.id).record(f"quickbooks:{TENANT}:{kind}:{remote_id}")

    def ids_of_allocations(self, payment: int) -> set[str]:
        """Ids of the live allocations that were read from a payment."""
        parent = f"quickbooks:{TENANT}:payment:{payment}"
        return {one.id for one in self.store.view(self.connector.id).allocations_of([parent])}

    def same_as_books(self) -> None:
        """The store holds what the books hold, id by id and balance by balance."""
        for entity, kind in (
            ("Customer", "customer"),
            ("Invoice", "invoice"),
            ("CreditMemo", "credit_note"),
            ("Payment", "payment"),
        ):
            rows = self.books.tables.get(entity, {})
            assert self.ids(kind) == set(rows), entity
        for number, row in self.books.tables.get("Invoice", {}).items():
            assert str(self.get("invoice", number).balance_due) == row["Balance"]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    yield made
    made.store.close()


def fill(company: Company, customers: int = 3, invoices: int = 5, payments: int = 2) -> None:
    books = company.books
    books.clock.sleep(-86_400)
    for number in range(1, customers + 1):
        books.customer(number)
    books.put("Term", 3, Name="Net 30", DueDays=30, Active=True)
    books.put("Account", 84, Name="A/R", AccountType="Accounts Receivable", Active=True)
    books.put("Account", 85, Name="Bad", AccountType="Expense", AccountSubType="BadDebts", Active=True)
    for number in range(1, invoices + 1):
        books.invoice(1000 + number, customer=1 + number % customers, SalesTermRef={"value": "3"})
    for number in range(1, payments + 1):
        books.pay(5000 + number, 1000 + number, customer=1 + number % customers)
    books.clock.sleep(86_400)


def test_a_first_load_reads_everything_and_keeps_to_its_calls(company: Company) -> None:
    fill(company, customers=3, invoices=2500, payments=1001)
    company.books.customer(9, Active=False)
    company.sync()
    calls = company.books.taken()
    assert calls["query Invoice"] == 3
    assert calls["query Payment"] == 2
    streams = {
        "Customer": 4,
        "Invoice": 2500,
        "Payment": 1001,
        "CreditMemo": 0,
        "JournalEntry": 0,
        "Attachable": 0,
    }
    assert sum(calls.values()) <= sum(-(-n // 1000) + 1 for n in streams.values()) + 5
    assert company.books.units == sum(calls.values())
    company.same_as_books()
    invoice = company.get("invoice", 1001)
    assert (invoice.currency, invoice.terms.due_days) == ("USD", 30)
    organization = company.get("organization", TENANT)
    assert (organization.name, organization.base_currency) == ("Books", "USD")
    assert {one.name: one.value for one in organization.custom_fields}["bad_debt_accounts"] == "85"


def test_an_idle_sync_is_one_call(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.taken()
    for _ in range(3):
        company.books.clock.sleep(60)
        pages = company.sync()
        assert list(company.books.taken().values()) == [1]
        assert not [one for page in pages for one in page.tombstones]


def test_a_payment_makes_its_invoice_and_customer_fresh(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.taken()
    company.books.clock.sleep(3600)
    # The books change the balances without a word in the change feed.
    company.books.tables["Invoice"]["1004"]["Balance"] = "60.00"
    company.books.tables["Customer"]["2"]["Balance"] = "60.00"
    company.books.pay(5009, 1004, customer=2)
    company.books.clock.sleep(1)
    company.sync()
    calls = company.books.taken()
    assert calls == {"changes " + ",".join(FEED): 1, "read Invoice by id": 1, "read Customer by id": 1}
    company.same_as_books()
    assert str(company.get("customer", 2).reported_balance) == "60.00"
    company.books.clock.sleep(30)
    company.sync()
    assert sum(company.books.taken().values()) == 1, (
        "the overlap shows the payment again, and nothing is asked for"
    )


FEED = ("Customer", "Invoice", "CreditMemo", "Payment", "JournalEntry", "Attachable", "Term", "Account")


def test_a_payment_that_moves_away_frees_the_invoice_it_was_on(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.clock.sleep(3600)
    company.books.tables["Invoice"]["1001"]["Balance"] = "100.00"
    company.books.tables["Invoice"]["1003"]["Balance"] = "60.00"
    company.books.pay(5001, 1003)
    company.sync()
    company.same_as_books()
    assert {one.split("|")[1].rsplit(":", 1)[-1] for one in company.ids_of_allocations(5001)} == {"1003"}


def test_a_deleted_payment_takes_its_allocations_and_frees_the_invoice(company: Company) -> None:
    fill(company)
    company.books.tables["Invoice"]["1001"]["Balance"] = "60.00"
    company.sync()
    company.books.clock.sleep(3600)
    company.books.delete("Payment", 5001)
    company.books.tables["Invoice"]["1001"]["Balance"] = "100.00"
    company.books.taken()
    company.sync()
    calls = company.books.taken()
    assert (calls["read Payment by id"], calls["read Invoice by id"]) == (1, 1)
    company.same_as_books()
    assert not company.ids_of_allocations(5001)
    company.books.clock.sleep(10)
    company.sync()
    assert sum(company.books.taken().values()) == 1, "the proven stub is not proven again"


def test_a_feed_that_lies_about_a_deletion_changes_nothing(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.clock.sleep(3600)
    company.books.invoice(1002, customer=3, balance="55.00")
    company.books.feed_lies.add(("Invoice", "1002"))
    pages = company.sync()
    assert not [one for page in pages for one in page.tombstones]
    assert [one.reason for page in pages for one in page.out_of_scope if "still there" in one.reason]
    company.same_as_books()


def test_a_void_is_voided_and_a_deleted_invoice_is_gone(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.clock.sleep(3600)
    company.books.invoice(1003, customer=1, balance="0", TotalAmt="0", PrivateNote="Voided")
    company.books.delete("Invoice", 1005)
    company.sync()
    company.same_as_books()
    assert company.get("invoice", 1003).document_status is model.DocumentStatus.VOIDED


@pytest.mark.parametrize("stop_after", range(1, 12))
def test_a_crash_anywhere_costs_nothing_but_time(company: Company, stop_after: int) -> None:
    fill(company, invoices=2100, payments=3)
    company.sync(stop_after=stop_after)
    company.books.clock.sleep(600)
    company.books.pay(5050, 1077, customer=3)
    company.books.tables["Invoice"]["1077"]["Balance"] = "60.00"
    company.sync()
    company.same_as_books()


def test_a_resumed_load_does_not_read_committed_pages_again(company: Company) -> None:
    fill(company, invoices=3500)
    company.sync("reference", "customer")
    company.sync("invoice", stop_after=2)
    company.books.taken()
    company.sync("invoice")
    assert company.books.taken() == {"query Invoice": 2}


def test_rows_that_move_under_the_reading_are_not_missed(company: Company) -> None:
    fill(company, invoices=3000, payments=0)
    moved = iter(range(1001, 1040))

    def somebody_works(request: Request) -> None:
        if request.operation == "query Invoice" and len(company.books.calls) < 14:
            company.books.clock.sleep(1)
            company.books.invoice(next(moved), customer=1, balance="1.00")

    company.books.between = somebody_works
    company.sync(shuffled=True)
    company.books.between = None
    company.sync()
    company.same_as_books()


def test_what_changed_between_two_questions_of_one_reading_makes_its_customer_fresh_in_the_next(
    company: Company,
) -> None:
    """The customer is read again for a payment's sake, then somebody changes the invoice, and only then that is read again: the next
    feed shows the invoice as the store has it already, and yet its customer is older than it."""
    fill(company)
    company.sync()
    company.books.clock.sleep(3600)
    company.books.pay(5009, 1004, customer=2)
    company.books.clock.sleep(1)

    def somebody_works(request: Request) -> None:
        if request.operation == "read Invoice by id":
            company.books.invoice(1004, customer=2, balance="10.00")
            company.books.tables["Customer"]["2"]["Balance"] = "10.00"

    company.books.between = somebody_works
    company.sync()
    company.books.between = None
    company.books.clock.sleep(30)
    company.sync()
    company.same_as_books()
    assert str(company.get("customer", 2).reported_balance) == "10.00"


def test_a_table_that_never_stands_still_fails_aloud_and_goes_on_next_time(company: Company) -> None:
    fill(company, invoices=2100, payments=0)
    moved = iter(range(1001, 3000))

    def everybody_works(request: Request) -> None:
        if request.operation == "query Invoice":
            company.books.invoice(next(moved), customer=1, balance="1.00")

    company.books.between = everybody_works
    company.books.clock.sleep(60)
    with pytest.raises(TransientError, match="quieter"):
        company.sync()
    company.books.between = None
    company.sync()
    company.same_as_books()


def test_more_changes_than_the_feed_can_tell(company: Company) -> None:
    fill(company, invoices=1500, payments=2)
    company.sync()
    company.books.clock.sleep(3600)
    for number in range(1, 1201):
        company.books.invoice(1000 + number, customer=2, balance="90.00")
    company.books.delete("Invoice", 2500)
    company.books.pay(5003, 2499, customer=3)
    company.books.tables["Invoice"]["2499"]["Balance"] = "60.00"
    company.books.taken()
    company.books.clock.sleep(60)  # windows end a few seconds before the server's time
    company.sync()
    calls = company.books.taken()
    assert calls["changes Invoice"] == 1
    assert calls["count Invoice"] == 1
    company.same_as_books()
    company.books.clock.sleep(300)
    company.sync()  # the overlap shows them all once more
    company.books.taken()
    company.sync()
    assert sum(company.books.taken().values()) == 1


@pytest.mark.parametrize("refuses_fields", [False, True])
def test_an_absence_longer_than_the_feed_looks_back(company: Company, refuses_fields: bool) -> None:
    fill(company, invoices=1200, payments=3)
    company.sync()
    company.books.refuses_fields = refuses_fields
    company.books.clock.sleep(5 * 86_400)
    company.books.delete("Payment", 5002)
    company.books.delete("Invoice", 1700)
    company.books.invoice(9001, customer=2)
    company.books.tables["Invoice"]["1002"]["Balance"] = "100.00"
    company.books.clock.sleep(40 * 86_400)
    company.sync("changes")
    company.same_as_books()
    assert not company.ids_of_allocations(5002)
    company.books.taken()
    company.books.clock.sleep(300)
    company.sync("changes")
    assert sum(company.books.taken().values()) == 1


def test_a_changed_term_reaches_the_next_invoice(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.clock.sleep(3600)
    company.books.put("Term", 4, Name="Net 10", DueDays=10, Active=True)
    company.books.invoice(1006, customer=1, SalesTermRef={"value": "4"})
    company.sync()
    assert company.get("invoice", 1006).terms.due_days == 10
    company.books.clock.sleep(3600)
    company.books.invoice(1007, customer=1, SalesTermRef={"value": "4"})
    company.sync()
    assert company.get("invoice", 1007).terms.due_days == 10


def entry(*customers: int) -> list[dict[str, Any]]:
    return [
        {
            "Id": str(number),
            "Amount": "10.00",
            "JournalEntryLineDetail": {
                "PostingType": "Debit",
                "AccountRef": {"value": "84"},
                "Entity": {"Type": "Customer", "EntityRef": {"value": str(one)}},
            },
        }
        for number, one in enumerate(customers)
    ]


def test_a_journal_entry_that_loses_a_customer_loses_the_adjustment(company: Company) -> None:
    fill(company)
    company.books.clock.sleep(-600)
    company.books.put("JournalEntry", 80, Line=entry(1, 2))
    company.books.put("JournalEntry", 81, Line=entry(3))
    company.books.clock.sleep(600)
    company.sync()
    assert company.ids("adjustment") == {"80-1", "80-2", "81-3"}
    company.books.clock.sleep(3600)
    company.books.put("JournalEntry", 80, Line=entry(1))
    company.books.delete("JournalEntry", 81)
    company.sync()
    assert company.ids("adjustment") == {"80-1"}


def test_only_our_notes_are_asked_for_and_they_come_back_as_promises(company: Company) -> None:
    fill(company)
    company.books.clock.sleep(-600)
    tag = PromiseTag(UUID(int=7), date(2026, 12, 1), invoices=("1001",), customer="2")
    for number in range(1500):
        company.books.put("Attachable", 10_000 + number, FileName="scan.pdf")
    company.books.put("Attachable", 20_000, Note=format_note(tag, "Will pay."))
    company.books.clock.sleep(600)
    company.sync()
    calls = company.books.taken()
    assert (calls["count Attachable"], calls["query Attachable"]) == (1, 1)
    [promise] = company.store.snapshot(company.connector.id).promises
    assert promise.id == f"local:{UUID(int=7)}"
    company.books.clock.sleep(3600)
    company.books.put(
        "Attachable", 20_000, Note=format_note(replace(tag, withdrawn=date(2026, 11, 24)), "No.")
    )
    company.sync()
    [promise] = company.store.snapshot(company.connector.id).promises
    assert promise.withdrawn_on == date(2026, 11, 24)


def test_a_spoiled_row_is_set_aside_and_can_be_mapped_again(company: Company) -> None:
    fill(company)
    company.books.tables["Invoice"]["1002"]["TotalAmt"] = "many"
    company.sync()
    assert "1002" not in company.ids("invoice")
    [aside] = company.store.quarantined(company.connector.id)
    assert aside.kind == "Invoice"
    mended = company.connector.remap(aside.kind, aside.raw.replace(b'"many"', b'"100.00"'))
    assert [record.id for record in mended.records] == [f"quickbooks:{TENANT}:invoice:1002"]


def test_the_raw_body_of_a_merged_page_maps_to_the_same_records(company: Company) -> None:
    fill(company)
    company.sync()
    company.books.clock.sleep(3600)
    company.books.pay(5009, 1004, customer=2)
    page = next(page for page in company.sync("changes") if page.records)
    assert page.raw is not None
    again = company.connector.remap("", page.raw)
    assert again.rows == page.rows
    assert [record.id for record in again.records] == [record.id for record in page.records]


def test_reading_again_by_id(company: Company) -> None:
    fill(company)
    company.sync()
    ids = [f"quickbooks:{TENANT}:invoice:{number}" for number in (1001, 1002, 4711)]
    page = company.connector.read(model.RecordKind.INVOICE, ids)
    assert [record.id for record in page.records] == ids[:2]
    assert [(one.id, one.evidence) for one in page.tombstones] == [(ids[2], model.DeletionEvidence.NOT_FOUND)]
    with pytest.raises(UnsupportedOperation, match="not a record of this company"):
        company.connector.read(model.RecordKind.INVOICE, ["quickbooks:1:invoice:1"])
    with pytest.raises(UnsupportedOperation):
        company.connector.read(model.RecordKind.PROMISE, ["local:x"])


@pytest.mark.parametrize("refuses_fields", [False, True])
def test_listing_all_ids(company: Company, refuses_fields: bool) -> None:
    fill(company, invoices=2200)
    company.books.refuses_fields = refuses_fields
    company.sync()
    listed = [one for chunk in company.connector.list_ids(model.RecordKind.INVOICE) for one in chunk]
    assert sorted(listed) == sorted(company.store.live_ids(company.connector.id, model.RecordKind.INVOICE))
    with pytest.raises(UnsupportedOperation):
        list(company.connector.list_ids(model.RecordKind.TOUCH))


def test_the_companys_own_balances(company: Company) -> None:
    fill(company)
    company.books.customer(1, balance="314.28", CurrencyRef={"value": "USD"})
    company.books.customer(2, balance="-20.00", Active=False)
    reader = QuickBooksReader(TENANT, company.books, company.books.clock)
    assert [(one.customer_id, str(one.amount), one.currency) for one in reader.reported_balances()] == [
        (f"quickbooks:{TENANT}:customer:1", "314.28", "USD"),
        (f"quickbooks:{TENANT}:customer:2", "-20.00", "USD"),
    ]


def test_streams_need_the_reference_data_first(company: Company) -> None:
    with pytest.raises(ConfigurationError, match="reference"):
        company.sync("invoice")
    with pytest.raises(UnsupportedOperation, match="changes"):
        list(company.connector.pull("bills", company.store.view(company.connector.id)))


def test_an_answer_that_is_no_count_is_a_contract_error(company: Company) -> None:
    fill(company)
    company.sync("reference")
    reader = QuickBooksReader(TENANT, Mute(company.books), company.books.clock)
    with pytest.raises(ContractError, match="totalCount"):
        list(reader.pull("invoice", company.store.view(company.connector.id)))


class Mute:
    """Answers every query with nothing at all."""

    def __init__(self, books: MovingBooks) -> None:
        self._books = books

    def send(self, request: Request) -> Any:
        return replace(self._books.send(request), body=json.dumps({"QueryResponse": {}}).encode())
