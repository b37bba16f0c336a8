"""Deposits, reversals, subsidiaries, and who settles whom: what the books of a group have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.testkit.ledger import (
    Application,
    Invoice,
    Ledger,
    LedgerError,
    Line,
    Settings,
    check,
    truth,
)
from ar_connectors.testkit.ledger.pairs import pairs
from ar_connectors.testkit.quickbooks.start import start_quickbooks
from ar_connectors.testkit.xero.start import start_xero


def _group() -> Ledger:
    ledger = Ledger(
        lambda: datetime(2026, 11, 20, 17, tzinfo=UTC), Settings(multicurrency=True, deposits=True)
    )
    ledger.add_subsidiary("Parent", "USD")
    return ledger


def _billed(ledger: Ledger, amount: str = "100.00") -> Invoice:
    owner = ledger.open_customer(f"Customer {len(ledger.customers)}")
    return ledger.issue_invoice(owner.id, [Line(Decimal(amount))], issued=date(2026, 11, 1), number=None)


def test_a_deposit_is_owed_to_the_customer_until_it_is_applied() -> None:
    ledger = _group()
    invoice = _billed(ledger)
    assert invoice.subsidiary == "1"
    deposit = ledger.take_deposit(invoice.customer, Decimal("60.00"), received=date(2026, 11, 2))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("40.00")}
    ledger.apply_deposit(deposit, invoice, Decimal("45.00"), on=date(2026, 11, 3))
    assert (invoice.open, deposit.open) == (Decimal("55.00"), Decimal("15.00"))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("40.00")}
    with pytest.raises(LedgerError, match="more than is open"):
        ledger.apply_deposit(deposit, invoice, Decimal("15.01"), on=date(2026, 11, 3))
    ledger.void_deposit(deposit)
    assert (invoice.open, deposit.total) == (Decimal("100.00"), Decimal(0))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("100.00")}
    assert check(ledger) == []


def test_a_company_without_a_place_for_deposits_takes_none() -> None:
    ledger = _group()
    ledger.settings.deposits = False
    with pytest.raises(LedgerError, match="takes no deposits"):
        ledger.take_deposit(_billed(ledger).customer, Decimal("1.00"), received=date(2026, 11, 2))


def test_a_reversed_payment_stays_and_settles_the_entry_that_takes_it_back() -> None:
    ledger = _group()
    invoice = _billed(ledger)
    parts = [Application("invoice", invoice.id, Decimal("100.00"))]
    payment = ledger.receive_payment(invoice.customer, Decimal("100.00"), parts, received=date(2026, 11, 2))
    journal = ledger.reverse_payment(payment, on=date(2026, 11, 5))
    assert (invoice.open, journal.open, payment.unapplied) == (Decimal("100.00"), Decimal(0), Decimal(0))
    assert journal.reverses == ("payment", payment.id)
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("100.00")}
    assert check(ledger) == []
    with pytest.raises(LedgerError, match="has no money"):
        ledger.reverse_payment(payment, on=date(2026, 11, 6))


def test_a_reversed_entry_has_its_opposite_beside_it() -> None:
    ledger = _group()
    owner = _billed(ledger).customer
    journal = ledger.post_journal(owner, Decimal("-30.00"), posted=date(2026, 11, 2), number="J1")
    opposite = ledger.reverse_journal(journal, on=date(2026, 11, 3))
    assert (journal.open, opposite.open, opposite.reverses) == (
        Decimal("-30.00"),
        Decimal("30.00"),
        ("journal", journal.id),
    )
    assert truth(ledger).balances == {(owner, "USD"): Decimal("100.00")}
    assert check(ledger) == []


def test_a_voided_invoice_frees_the_entry_that_settled_it() -> None:
    ledger = _group()
    invoice = _billed(ledger)
    entry = ledger.post_journal(invoice.customer, Decimal("-40.00"), posted=date(2026, 11, 2))
    parts = [
        Application("invoice", invoice.id, Decimal("40.00")),
        Application("journal", entry.id, Decimal("-40.00")),
    ]
    payment = ledger.receive_payment(invoice.customer, Decimal(0), parts, received=date(2026, 11, 2))
    ledger.void_document(invoice)
    assert (entry.open, payment.unapplied) == (Decimal("-40.00"), Decimal(0))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("-40.00")}
    assert check(ledger) == []


def test_pairs_use_up_what_is_applied_before_the_money() -> None:
    ledger = _group()
    invoice = _billed(ledger)
    owner = invoice.customer
    other = ledger.issue_invoice(owner, [Line(Decimal("50.00"))], issued=date(2026, 11, 1), number=None)
    credit = ledger.issue_credit(owner, [Line(Decimal("70.00"))], issued=date(2026, 11, 1), number=None)
    entry = ledger.post_journal(owner, Decimal("-40.00"), posted=date(2026, 11, 1))
    parts = [
        Application("invoice", invoice.id, Decimal("100.00")),
        Application("credit", credit.id, Decimal("70.00")),
        Application("invoice", other.id, Decimal("45.00")),
        Application("journal", entry.id, Decimal("-40.00")),
    ]
    payment = ledger.receive_payment(owner, Decimal("40.00"), parts, received=date(2026, 11, 2))
    assert list(pairs(payment)) == [
        (("credit", credit.id), ("invoice", invoice.id), Decimal("70.00")),
        (("journal", entry.id), ("invoice", invoice.id), Decimal("30.00")),
        (("journal", entry.id), ("invoice", other.id), Decimal("10.00")),
        (("payment", payment.id), ("invoice", other.id), Decimal("35.00")),
    ]
    assert payment.unapplied == Decimal("5.00")
    assert check(ledger) == []


@pytest.mark.parametrize("start", [start_quickbooks, start_xero])
def test_an_emulator_refuses_books_it_has_no_place_for(start: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="no place for them"), start(ledger=_group()):
        pass
