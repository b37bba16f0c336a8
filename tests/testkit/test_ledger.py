"""The books: every event leaves them in balance, and they refuse what cannot be."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_connectors.testkit.clock import ScriptedClock
from ar_connectors.testkit.company import DEFAULT_NOW, generate
from ar_connectors.testkit.ledger import Application, Invoice, Ledger, LedgerError, Line, check, truth
from ar_connectors.testkit.ledger.records import Stand
from ar_connectors.testkit.stories import STORIES, Stories

DAY = date(2026, 11, 1)


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock(DEFAULT_NOW)


@pytest.fixture
def ledger(clock: ScriptedClock) -> Ledger:
    return Ledger(clock.now)


def bill(ledger: Ledger, amount: str = "100.00", **more: Any) -> Invoice:
    owner = next(iter(ledger.customers), None) or ledger.open_customer("Acme").id
    return ledger.issue_invoice(owner, [Line(Decimal(amount))], issued=DAY, number=None, **more)


def test_a_part_payment_leaves_the_rest_open(ledger: Ledger) -> None:
    invoice = bill(ledger)
    ledger.receive_payment(
        invoice.customer,
        Decimal("30.10"),
        [Application("invoice", invoice.id, Decimal("30.10"))],
        received=DAY,
    )
    assert invoice.open == Decimal("69.90")
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("69.90")}
    assert check(ledger) == []


def test_money_on_account_lowers_the_balance_and_no_invoice(ledger: Ledger) -> None:
    invoice = bill(ledger)
    payment = ledger.receive_payment(invoice.customer, Decimal(40), received=DAY)
    assert (invoice.open, payment.unapplied) == (Decimal("100.00"), Decimal(40))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("60.00")}


def test_a_write_off_is_a_credit_on_the_bad_debt_account_and_a_payment_of_zero(ledger: Ledger) -> None:
    invoice = bill(ledger)
    credit = ledger.write_off(invoice, on=DAY)
    (payment,) = ledger.payments.values()
    assert credit.lines[0].account == ledger.account("BadDebts").id
    assert payment.total == 0
    assert {(part.kind, part.id) for part in payment.applications} == {
        ("invoice", invoice.id),
        ("credit", credit.id),
    }
    assert not invoice.open
    assert not credit.open
    assert truth(ledger).balances == {}
    assert check(ledger) == []


def test_voiding_a_paid_invoice_puts_its_money_on_account(ledger: Ledger) -> None:
    invoice = bill(ledger)
    payment = ledger.receive_payment(
        invoice.customer, Decimal(100), [Application("invoice", invoice.id, Decimal(100))], received=DAY
    )
    ledger.void_document(invoice)
    assert (invoice.total, invoice.memo, payment.unapplied) == (Decimal(0), "Voided", Decimal(100))
    assert check(ledger) == []


def test_an_invoice_with_payments_cannot_be_deleted(ledger: Ledger) -> None:
    invoice = bill(ledger)
    payment = ledger.receive_payment(
        invoice.customer, Decimal(1), [Application("invoice", invoice.id, Decimal(1))], received=DAY
    )
    with pytest.raises(LedgerError) as refused:
        ledger.delete_document(invoice)
    assert refused.value.code == "linked"
    ledger.delete_payment(payment)
    ledger.delete_document(invoice)
    assert truth(ledger).deleted == {("payment", payment.id), ("invoice", invoice.id)}
    assert check(ledger) == []


@pytest.mark.parametrize("amount", ["100.01", "-1"])
def test_no_more_can_be_applied_than_is_open(ledger: Ledger, amount: str) -> None:
    invoice = bill(ledger)
    before = ledger.revision
    with pytest.raises(LedgerError):
        ledger.receive_payment(
            invoice.customer,
            Decimal(500),
            [Application("invoice", invoice.id, Decimal(amount))],
            received=DAY,
        )
    assert (ledger.revision, len(ledger.payments), invoice.applied) == (before, 0, Decimal(0))


def test_a_payment_cannot_settle_another_currency(ledger: Ledger) -> None:
    invoice = bill(ledger)
    euro = ledger.open_customer("Müller", currency="EUR")
    with pytest.raises(LedgerError, match="EUR"):
        ledger.receive_payment(
            euro.id, Decimal(5), [Application("invoice", invoice.id, Decimal(5))], received=DAY
        )


def test_amounts_of_thirty_digits_stay_exact(ledger: Ledger) -> None:
    big = "123456789012345678901234567890.12"
    invoice = bill(ledger, big)
    ledger.receive_payment(
        invoice.customer, Decimal("0.01"), [Application("invoice", invoice.id, Decimal("0.01"))], received=DAY
    )
    assert str(invoice.open) == "123456789012345678901234567890.11"


def test_every_change_has_its_instant_and_version(ledger: Ledger, clock: ScriptedClock) -> None:
    invoice = bill(ledger)
    clock.advance(timedelta(minutes=5))
    ledger.receive_payment(
        invoice.customer, Decimal(1), [Application("invoice", invoice.id, Decimal(1))], received=DAY
    )
    assert (invoice.version, invoice.updated) == (1, clock.now())


def test_payments_may_leave_the_version_of_what_they_pay_alone(clock: ScriptedClock) -> None:
    ledger = Ledger(clock.now, touch_links=False)
    invoice = bill(ledger)
    seen = invoice.revision
    ledger.receive_payment(
        invoice.customer, Decimal(1), [Application("invoice", invoice.id, Decimal(1))], received=DAY
    )
    assert invoice.version == 0
    assert invoice.revision > seen


@pytest.mark.parametrize(("seed", "size"), [(1, 30), (2, 200), (3, 2000), (4, 1)])
def test_a_generated_company_is_in_balance(seed: int, size: int) -> None:
    ledger = generate(seed, invoices=size)
    assert check(ledger) == []


def test_a_seed_gives_the_same_company_every_time() -> None:
    assert truth(generate(7, invoices=300)) == truth(generate(7, invoices=300))
    assert truth(generate(7, invoices=300)) != truth(generate(8, invoices=300))


@pytest.mark.parametrize("seed", range(1, 30))
def test_even_the_smallest_company_is_owed_something(seed: int) -> None:
    for size in (1, 7, 20):
        ledger = generate(seed, invoices=size)
        assert truth(ledger).open_invoices
        assert size - 2 <= len(ledger.invoices) <= size + 1
        assert check(ledger) == []


def test_a_company_whose_customers_are_all_abroad_gets_one_at_home() -> None:
    ledger = generate(1096, invoices=10)
    currencies = [one.currency for one in ledger.customers.values()]
    assert currencies.count("USD") == 1
    assert len(currencies) > 1
    assert check(ledger) == []


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_company_of_two_hundred_invoices_has_some_of_everything(seed: int) -> None:
    ledger = generate(seed, invoices=200)
    facts = truth(ledger)
    customers = ledger.customers.values()
    overdue = [
        (DEFAULT_NOW.date() - one.due).days for one in ledger.invoices.values() if one.open and one.due
    ]
    assert "O'Neil & Sons" in ledger.names
    assert {one.currency for one in customers} == {"USD", "EUR"}
    assert facts.inactive
    assert any(one.voided for one in ledger.invoices.values())
    assert any(kind == "invoice" for kind, _ in facts.deleted)
    assert any(one.parent for one in customers)
    assert any(one.email is None for one in customers)
    assert any(one.open for one in ledger.credits.values())
    assert any(one.unapplied for one in ledger.payments.values())
    assert ledger.journals
    assert min(overdue) < 0 < max(overdue)
    assert any(0 < one.open < one.total for one in ledger.invoices.values())
    assert any(one.deposit for one in ledger.invoices.values())
    assert any(
        ledger.invoices[part.id].customer != one.customer
        for one in ledger.payments.values()
        for part in one.applications
        if part.kind == "invoice"
    ), "some head office pays for a branch"


def test_nothing_in_a_generated_company_happens_after_its_end() -> None:
    ledger = generate(1, invoices=500)
    tables = (ledger.customers, ledger.invoices, ledger.payments, ledger.credits, ledger.journals)
    assert all(one.updated <= DEFAULT_NOW for table in tables for one in table.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(st.sampled_from(sorted(set(STORIES) - {"change_customer"})), min_size=1, max_size=25),
    seed=st.integers(1, 3),
)
def test_whatever_happens_in_whatever_order_the_books_agree(names: list[str], seed: int) -> None:
    clock = ScriptedClock(DEFAULT_NOW)
    ledger = generate(seed, invoices=25)
    ledger.now = clock.now
    stories = Stories(ledger, threading.RLock())
    for name in names:
        clock.advance(timedelta(minutes=1))
        before = ledger.revision
        try:
            stories.run(name)
        except LedgerError:
            assert ledger.revision == before, f"{name} was refused and changed something"
        assert check(ledger) == [], name


def test_a_deposit_is_taken_off_what_is_owed(ledger: Ledger) -> None:
    invoice = bill(ledger, deposit=Decimal("25.00"))
    assert (invoice.total, invoice.open) == (Decimal("100.00"), Decimal("75.00"))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("75.00")}
    with pytest.raises(LedgerError, match="more than is open"):
        ledger.receive_payment(
            invoice.customer,
            Decimal(100),
            [Application("invoice", invoice.id, Decimal("75.01"))],
            received=DAY,
        )
    ledger.change_document(invoice, deposit=Decimal(10))
    assert truth(ledger).balances == {(invoice.customer, "USD"): Decimal("90.00")}
    ledger.void_document(invoice)
    assert invoice.open == 0
    assert truth(ledger).balances == {}
    assert check(ledger) == []


@pytest.mark.parametrize("deposit", ["100.01", "-1"])
def test_a_deposit_is_not_more_than_the_bill(ledger: Ledger, deposit: str) -> None:
    ledger.open_customer("Acme")
    before = ledger.revision
    with pytest.raises(LedgerError, match="deposit"):
        bill(ledger, deposit=Decimal(deposit))
    assert (ledger.revision, ledger.invoices) == (before, {})
    assert bill(ledger).id == "1"


def test_the_log_tells_all_that_happened_in_its_order(ledger: Ledger, clock: ScriptedClock) -> None:
    invoice = bill(ledger)
    begun = len(ledger.log)
    clock.advance(timedelta(minutes=1))
    payment = ledger.receive_payment(
        invoice.customer, Decimal(1), [Application("invoice", invoice.id, Decimal(1))], received=DAY
    )
    clock.advance(timedelta(minutes=1))
    ledger.delete_payment(payment)
    ledger.void_document(invoice)
    assert [(entry.what, entry.kind, entry.id, entry.version) for entry in ledger.log[begun:]] == [
        ("created", "payment", payment.id, 0),
        ("settled", "invoice", invoice.id, 1),
        ("settled", "invoice", invoice.id, 2),
        ("deleted", "payment", payment.id, 0),
        ("voided", "invoice", invoice.id, 3),
    ]
    assert [entry.at for entry in ledger.log] == sorted(entry.at for entry in ledger.log)


def test_a_gap_in_the_log_is_noticed(ledger: Ledger) -> None:
    invoice = bill(ledger)
    ledger.log.pop()
    assert check(ledger) == [
        f"the log says None of invoice {invoice.id}, which has version 0",
    ]


def test_what_a_parent_pays_for_a_child_is_taken_off_the_childs_balance(ledger: Ledger) -> None:
    parent = ledger.open_customer("Head office")
    child = ledger.open_customer("Branch", parent=parent.id)
    invoice = ledger.issue_invoice(child.id, [Line(Decimal(100))], issued=DAY, number=None)
    payment = ledger.receive_payment(
        parent.id, Decimal(70), [Application("invoice", invoice.id, Decimal(60))], received=DAY
    )
    assert (parent.balance, child.balance) == (Decimal(-10), Decimal(40))
    assert check(ledger) == []
    ledger.change_payment(payment, applications=[Application("invoice", invoice.id, Decimal(20))])
    assert (parent.balance, child.balance) == (Decimal(-50), Decimal(80))
    ledger.void_document(invoice)
    assert (parent.balance, child.balance) == (Decimal(-70), Decimal(0))
    ledger.delete_payment(payment)
    assert (parent.balance, child.balance) == (Decimal(0), Decimal(0))
    assert check(ledger) == []


def test_a_parents_credit_can_settle_a_childs_invoice(ledger: Ledger) -> None:
    parent = ledger.open_customer("Head office")
    child = ledger.open_customer("Branch", parent=parent.id)
    invoice = ledger.issue_invoice(child.id, [Line(Decimal(100))], issued=DAY, number=None)
    credit = ledger.issue_credit(parent.id, [Line(Decimal(30))], issued=DAY, number=None)
    parts = [Application("invoice", invoice.id, Decimal(30)), Application("credit", credit.id, Decimal(30))]
    ledger.receive_payment(parent.id, Decimal(0), parts, received=DAY)
    assert (parent.balance, child.balance) == (Decimal(0), Decimal(70))
    assert check(ledger) == []


def test_nobody_pays_for_a_stranger(ledger: Ledger) -> None:
    invoice = bill(ledger)
    other = ledger.open_customer("Other")
    with pytest.raises(LedgerError, match="not of customer"):
        ledger.receive_payment(
            other.id, Decimal(5), [Application("invoice", invoice.id, Decimal(5))], received=DAY
        )


def test_a_voided_document_stays_without_amounts(ledger: Ledger) -> None:
    invoice = bill(ledger)
    ledger.void_document(invoice)
    with pytest.raises(LedgerError) as refused:
        ledger.change_document(invoice, lines=(Line(Decimal(5)),))
    assert refused.value.code == "voided"
    ledger.change_document(invoice, memo="Voided - wrong customer")
    assert check(ledger) == []


def test_a_payment_remembers_how_it_stood_and_what_was_deleted_stays_known(ledger: Ledger) -> None:
    invoice = bill(ledger, "10.00")
    part = Application("invoice", invoice.id, Decimal(10))
    payment = ledger.receive_payment(invoice.customer, Decimal(12), [part], received=DAY)
    ledger.change_payment(payment, reference="x")
    assert not payment.earlier
    ledger.void_document(invoice)
    ledger.void_payment(payment)
    earlier: tuple[Stand, ...] = payment.earlier
    stood = [(stand.total, stand.applications) for stand in earlier]
    assert stood == [(Decimal(12), (part,)), (Decimal(12), ())]
    ledger.delete_document(invoice)
    assert ledger.removed["invoice", invoice.id] is invoice
    assert check(ledger) == []


def test_a_change_may_be_told_to_leave_the_version_alone(ledger: Ledger) -> None:
    customer = ledger.open_customer("A")
    ledger.quiet = lambda _, changes: "phone" in changes
    ledger.change_customer(customer.id, phone="1")
    assert (customer.phone, customer.version, customer.revision) == ("1", 0, 1)
    ledger.change_customer(customer.id, name="B")
    assert customer.version == 1
    assert check(ledger) == []
