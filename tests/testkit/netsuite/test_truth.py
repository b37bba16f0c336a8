"""What SuiteQL says, read by a plain client, is what is in the books."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW
from ar_connectors.testkit.group import generate_group
from ar_connectors.testkit.ledger import check, truth
from ar_connectors.testkit.netsuite import Account
from ar_connectors.testkit.netsuite.company import LOCAL_RATE
from ar_connectors.testkit.netsuite.start import Handle, start_netsuite
from tests.testkit.netsuite.support import Client, balances


def test_a_group_has_what_tests_want_to_see() -> None:
    for seed in range(1, 5):
        ledger = generate_group(seed, invoices=30)
        assert check(ledger) == []
        assert {one.currency for one in ledger.customers.values()} == {"USD", "EUR", "GBP"}
        assert {one.subsidiary for one in ledger.invoices.values()} == {"1", "2"}
        assert any(one.applied for one in ledger.deposits.values())
        assert any(one.open for one in ledger.deposits.values())
        assert any(one.reverses for one in ledger.journals.values())
        assert any(one.voided for one in ledger.invoices.values())


def test_the_same_seed_gives_the_same_group() -> None:
    one, other = generate_group(7, invoices=40), generate_group(7, invoices=40)
    assert truth(one) == truth(other)
    assert truth(one) != truth(generate_group(8, invoices=40))


def test_balances_are_those_of_the_books(books: Handle, reader: Client) -> None:
    assert balances(reader) == books.truth().balances


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_balances_of_many_books(seed: int) -> None:
    with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=120, seed=seed) as handle:
        client = Client(handle)
        assert balances(client) == handle.truth().balances
        client.session.close()


def test_open_invoices_have_their_dates_and_amounts(books: Handle, reader: Client) -> None:
    rows = reader.rows(
        "SELECT id, tranid, entity, TO_CHAR(trandate, 'YYYY-MM-DD') AS issued, TO_CHAR(duedate, 'YYYY-MM-DD') AS due, "
        "foreigntotal, foreignamountunpaid FROM transaction WHERE type = 'CustInvc' AND status = 'A' ORDER BY id"
    )
    open_invoices = books.truth().open_invoices
    assert {row["id"] for row in rows} == set(open_invoices)
    for row in rows:
        one = open_invoices[row["id"]]
        assert (row["entity"], row["issued"], row.get("tranid")) == (one.customer, one.issued, one.number)
        assert row["due"] == (one.due or one.issued)
        assert (Decimal(row["foreigntotal"]), Decimal(row["foreignamountunpaid"])) == (one.total, one.open)


def test_links_are_the_allocations(books: Handle, reader: Client) -> None:
    rows = reader.rows(
        "SELECT previousdoc, nextdoc, foreignamount FROM PreviousTransactionLineLink WHERE linktype = 'Payment' "
        "ORDER BY previousdoc, nextdoc"
    )
    settled: defaultdict[str, Decimal] = defaultdict(Decimal)
    used: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        settled[row["previousdoc"]] += Decimal(row["foreignamount"])
        used[row["nextdoc"]] += Decimal(row["foreignamount"])
    ledger = books.ledger
    paid = {one.id: one.applied for one in ledger.invoices.values() if one.applied}
    paid |= {one.id: one.applied for one in ledger.journals.values() if one.applied > 0}
    assert {key: amount for key, amount in settled.items() if amount} == paid
    for credit in ledger.credits.values():
        assert used[credit.id] == credit.applied
    for payment in ledger.payments.values():
        if payment.total:
            assert used[payment.id] == payment.used


def test_links_of_headers_name_each_pair_once(reader: Client) -> None:
    lines = reader.rows(
        "SELECT previousdoc, nextdoc, linktype FROM nexttransactionlinelink ORDER BY previousdoc, nextdoc"
    )
    headers = reader.rows(
        "SELECT previousdoc, nextdoc, linktype FROM nexttransactionlink ORDER BY previousdoc, nextdoc"
    )
    assert {tuple(row.values()) for row in headers} == {tuple(row.values()) for row in lines}
    assert len(headers) == len({tuple(row.values()) for row in headers})


def test_base_amounts_are_in_the_subsidiarys_currency(books: Handle, reader: Client) -> None:
    rows = reader.rows(
        "SELECT tal.transaction, tal.amountunpaid, tal.exchangerate, s.currency FROM transactionaccountingline tal "
        "JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline "
        "JOIN subsidiary s ON s.id = tl.subsidiary WHERE tal.accounttype = 'AcctRec' AND NVL(tal.amountunpaid, 0) <> 0"
    )
    invoices = [row for row in rows if row["transaction"] in books.ledger.invoices]
    assert invoices
    for row in invoices:
        one = books.ledger.invoices[row["transaction"]]
        assert Decimal(row["amountunpaid"]) == round(one.open * one.rate, 2)
        assert {"1": "USD", "4": "EUR"}[row["currency"]] == books.ledger.subsidiaries[
            one.subsidiary or ""
        ].currency


def test_debits_and_credits_balance(reader: Client) -> None:
    rows = reader.rows(
        "SELECT transaction, SUM(amount) AS amount FROM transactionaccountingline GROUP BY transaction"
    )
    assert rows
    assert {row["transaction"] for row in rows if abs(Decimal(row["amount"])) > Decimal("0.03")} == set()
    rows = reader.rows(
        "SELECT transaction, SUM(foreignamount) AS amount FROM transactionline GROUP BY transaction"
    )
    assert {row["amount"] for row in rows} == {"0"}


def test_what_was_deleted_is_listed_and_gone(books: Handle, reader: Client) -> None:
    deleted = {
        row["recordid"] for row in reader.rows("SELECT recordid FROM deletedrecord WHERE type = 'invoice'")
    }
    assert deleted == {identity for kind, identity in books.truth().deleted if kind == "invoice"}
    there = {row["id"] for row in reader.rows("SELECT id FROM transaction")}
    assert not deleted & there


def test_a_second_book_shows_every_line_once_more_in_its_own_currency() -> None:
    sums = []
    for multi_book in (False, True):
        account = Account(multi_book=multi_book)
        with start_netsuite(clock=ScriptedClock(DEFAULT_NOW), invoices=20, account=account) as handle:
            client = Client(handle)
            (row,) = client.rows("SELECT SUM(amountunpaid) AS s FROM transactionaccountingline")
            (primary,) = client.rows(
                "SELECT SUM(amountunpaid) AS s FROM transactionaccountingline WHERE accountingbook = 1"
            )
            sums.append((Decimal(row["s"]), Decimal(primary["s"])))
            client.session.close()
    (alone, same), (doubled, primary_only) = sums
    assert alone == same == primary_only
    assert doubled == (1 + LOCAL_RATE) * alone


def test_what_changes_is_seen_at_once(netsuite_emulator: Handle, client: Client) -> None:
    assert balances(client) == netsuite_emulator.truth().balances
    stories = netsuite_emulator.stories
    invoice = stories.issue_invoice(amount="812.55")
    for change in (
        lambda: stories.receive_payment(invoice.id, "100.05"),
        lambda: stories.apply_credit(invoice.id, "12.50"),
        lambda: stories.pay_on_account(invoice.customer),
        stories.void_payment,
        lambda: stories.post_journal(invoice.customer),
        lambda: stories.void_invoice(invoice.id),
        stories.delete_invoice,
    ):
        change()
        assert balances(client) == netsuite_emulator.truth().balances
    (row,) = client.rows(f"SELECT status, void, foreigntotal FROM transaction WHERE id = {invoice.id}")
    assert row == {"status": "V", "void": "T", "foreigntotal": "0"}


@pytest.mark.parametrize(
    "lie", ["date_shifted", "sign_flipped", "allocation_dropped", "void_as_paid", "currency_swapped"]
)
def test_lies_are_told_and_taken_back(books: Handle, reader: Client, lie: str) -> None:
    def everything() -> list[list[dict[str, str]]]:
        return [
            reader.rows(
                "SELECT id, status, currency, voided, foreigntotal, foreignamountunpaid, TO_CHAR(duedate, 'YYYY-MM-DD') AS due "
                "FROM transaction ORDER BY id"
            ),
            reader.rows(
                "SELECT previousdoc, nextdoc FROM nexttransactionlinelink ORDER BY previousdoc, nextdoc"
            ),
        ]

    before = everything()
    books.lies.tell(lie)
    told = everything()
    books.lies.tell()
    assert told != before
    assert everything() == before
