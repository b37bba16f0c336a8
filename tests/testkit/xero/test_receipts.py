"""One payment of the books is several things at Xero, and what is undone stays to be seen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW, generate
from ar_connectors.testkit.ledger import Application, Invoice, Ledger, LedgerError, Line, Payment, check
from ar_connectors.testkit.stories import STORIES, Stories
from ar_connectors.testkit.xero import Xero
from ar_connectors.testkit.xero.receipts import Allocated, Split, split
from tests.testkit.xero.support import Client

DAY = date(2026, 11, 1)


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock(DEFAULT_NOW)


@pytest.fixture
def ledger(clock: ScriptedClock) -> Ledger:
    return Ledger(clock.now)


def bill(ledger: Ledger, amount: int) -> Invoice:
    owner = next(iter(ledger.customers), None) or ledger.open_customer("Acme").id
    return ledger.issue_invoice(owner, [Line(Decimal(amount))], issued=DAY, number=None)


def pay(ledger: Ledger, amount: int, *parts: tuple[Invoice, int]) -> Payment:
    applications = [Application("invoice", one.id, Decimal(part)) for one, part in parts]
    return ledger.receive_payment(next(iter(ledger.customers)), Decimal(amount), applications, received=DAY)


def shape(found: Split) -> tuple[Any, ...]:
    receipts = [(one.target[1], int(one.amount), one.deleted) for one in found.receipts]
    pots = [(one.kind, int(one.total), int(one.remaining), one.voided) for one in found.on_account]
    return receipts, pots


def test_a_payment_of_two_invoices_and_more_is_two_payments_and_an_overpayment(ledger: Ledger) -> None:
    one, two = bill(ledger, 10), bill(ledger, 20)
    found = split(pay(ledger, 35, (one, 10), (two, 20)))
    assert shape(found) == ([(one.id, 10, False), (two.id, 20, False)], [("Overpayment", 5, 5, False)])


def test_money_that_came_alone_is_a_prepayment_and_is_allocated_later(ledger: Ledger) -> None:
    one, payment = bill(ledger, 10), None
    payment = pay(ledger, 15)
    assert shape(split(payment)) == ([], [("Prepayment", 15, 15, False)])
    ledger.change_payment(payment, applications=[Application("invoice", one.id, Decimal(10))])
    assert shape(split(payment)) == ([], [("Prepayment", 15, 5, False)])
    ledger.change_payment(payment, applications=[])
    assert shape(split(payment)) == ([], [("Prepayment", 15, 15, False)])


def test_a_bounced_payment_stays_as_deleted_with_its_amounts(ledger: Ledger) -> None:
    one = bill(ledger, 10)
    payment = pay(ledger, 12, (one, 10))
    ledger.void_payment(payment)
    assert shape(split(payment)) == ([(one.id, 10, True)], [("Overpayment", 2, 0, True)])


def test_voiding_a_paid_invoice_frees_its_money_as_an_overpayment(ledger: Ledger) -> None:
    one = bill(ledger, 10)
    payment = pay(ledger, 10, (one, 10))
    ledger.void_document(one)
    assert shape(split(payment)) == ([(one.id, 10, True)], [("Overpayment", 10, 10, False)])


def test_a_credit_is_allocated_without_any_payment(ledger: Ledger) -> None:
    one = bill(ledger, 10)
    credit = ledger.issue_credit(one.customer, [Line(Decimal(4))], issued=DAY, number="C")
    found = split(ledger.apply_credit(credit, one, Decimal(4), on=DAY))
    assert shape(found) == ([], [])
    assert found.allocations == [Allocated(("credit", credit.id), one.id, Decimal(4))]


def test_money_on_account_that_is_taken_back_is_a_voided_prepayment(ledger: Ledger) -> None:
    bill(ledger, 10)
    payment = pay(ledger, 8)
    ledger.reverse_payment(payment, on=DAY)
    assert [one for one in split(payment).receipts if one.target[0] == "invoice"] == []
    assert shape(split(payment))[1] == [("Prepayment", 8, 0, True)]


def test_a_deleted_payment_keeps_when_it_was_deleted(ledger: Ledger, clock: ScriptedClock) -> None:
    one = bill(ledger, 10)
    payment = pay(ledger, 10, (one, 10))
    clock.advance(timedelta(days=1))
    ledger.delete_payment(payment)
    (receipt,) = split(payment, ledger.deletions[-1].at).receipts
    assert (receipt.deleted, receipt.at) == (True, clock.now())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happens_xero_shows_what_the_books_say(data: st.DataObject) -> None:
    """Stories in any order: what is due, paid and on account at Xero adds up to the books."""
    clock = ScriptedClock(DEFAULT_NOW)
    ledger = generate(5, invoices=25, now=datetime.fromisoformat("2026-11-20T17:00:00+00:00"))
    ledger.now = clock.now
    service = Xero(ledger, clock, bills=2)
    stories = Stories(ledger, service.lock)
    for _ in range(data.draw(st.integers(1, 8))):
        clock.advance(timedelta(minutes=7))
        name = data.draw(st.sampled_from(sorted(set(STORIES) - {"close_books"})), "story")
        try:
            stories.run(name)
        except LedgerError:
            continue
    assert check(ledger) == []
    view = service.view
    for invoice in ledger.invoices.values():
        applied = sum((one.amount for one in view.applied(invoice)), Decimal(0))
        assert invoice.voided or invoice.total == invoice.open + applied
    on_account = sum((pot.remaining for pot in view.pots()), Decimal(0))
    held = sum((one.unapplied for one in ledger.payments.values()), Decimal(0))
    assert on_account == held + sum((one.open for one in ledger.deposits.values()), Decimal(0))
    live = {entry.id for entry in view.entries("Payments") if entry.facts["Status"] == "AUTHORISED"}
    named = {
        one.id
        for invoice in ledger.invoices.values()
        for one in view.applied(invoice)
        if one.kind == "Payments"
    }
    assert named <= live


def test_a_lump_is_a_batch_of_payments(client: Client) -> None:
    batches = client.get("BatchPayments")["BatchPayments"]
    assert batches
    payments = {one["PaymentID"]: one for one in client.rows("Payments")}
    for batch in batches:
        assert batch["TotalAmount"] == sum(one["Amount"] for one in batch["Payments"])
        for part in batch["Payments"]:
            assert payments[part["PaymentID"]]["BatchPaymentID"] == batch["BatchPaymentID"]
            assert payments[part["PaymentID"]]["BatchPayment"]["IsReconciled"] == "false"
