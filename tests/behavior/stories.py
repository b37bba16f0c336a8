"""What happens in a company: business stories on the shared books, the same for every platform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from ar_connectors.testkit.ledger import Application, Customer, Invoice, Ledger, Line

Story = Callable[[Ledger], None]
DAY = date(2026, 11, 18)
D = Decimal


class CannotHappenError(LookupError):
    """The books hold nothing that this story could happen to."""


T = TypeVar("T")


def _first(suitable: Iterable[T]) -> T:
    for one in suitable:
        return one
    raise CannotHappenError


def _an_invoice(ledger: Ledger, amount: str = "120.00", customer: Customer | None = None) -> Invoice:
    owner = customer or ledger.open_customer(f"Story {len(ledger.customers)}")
    number = f"S-{len(ledger.invoices)}"
    return ledger.issue_invoice(
        owner.id, [Line(D(amount), "work")], issued=DAY, number=number, due=DAY + timedelta(days=30)
    )


def _pays(ledger: Ledger, invoice: Invoice, amount: str, extra: str = "0") -> None:
    ledger.receive_payment(
        invoice.customer, D(amount) + D(extra), [Application("invoice", invoice.id, D(amount))], received=DAY
    )


def nothing_happens(ledger: Ledger) -> None:
    """A quiet night."""


def an_invoice_is_paid(ledger: Ledger) -> None:
    """In full, with one payment."""
    _pays(ledger, _an_invoice(ledger), "120.00")


def an_old_invoice_is_paid_in_part(ledger: Ledger) -> None:
    """One that stood in the books before the story began."""
    invoice = _first(one for one in ledger.invoices.values() if one.open > 10)
    _pays(ledger, invoice, "1.37")


def money_stays_on_account(ledger: Ledger) -> None:
    """A customer pays more than the invoice, and another one pays without naming any."""
    _pays(ledger, _an_invoice(ledger), "120.00", extra="35.50")
    ledger.receive_payment(ledger.open_customer("On account").id, D("10.00"), received=DAY)


def one_payment_settles_several_invoices(ledger: Ledger) -> None:
    """Three invoices of a customer, the last in part."""
    customer = ledger.open_customer(f"Pays together {len(ledger.customers)}")
    several = [_an_invoice(ledger, amount, customer) for amount in ("10.00", "20.05", "30.10")]
    parts = [
        Application("invoice", one.id, amount)
        for one, amount in zip(several, (D("10.00"), D("20.05"), D("0.01")), strict=True)
    ]
    ledger.receive_payment(customer.id, D("30.06"), parts, received=DAY)


def a_credit_settles_an_invoice(ledger: Ledger) -> None:
    """A credit of 50 is used for 40; 10 stay."""
    invoice = _an_invoice(ledger, "40.00")
    credit = ledger.issue_credit(invoice.customer, [Line(D("50.00"))], issued=DAY, number="C-1")
    ledger.apply_credit(credit, invoice, D("40.00"), on=DAY)


def a_credit_is_not_used(ledger: Ledger) -> None:
    """It waits for an invoice."""
    ledger.issue_credit(_an_invoice(ledger).customer, [Line(D("7.77"))], issued=DAY, number="C-2")


def an_invoice_is_written_off(ledger: Ledger) -> None:
    """A credit on the bad-debt account closes it."""
    ledger.write_off(_an_invoice(ledger, "66.60"), on=DAY, number="W-1")


def an_invoice_is_voided(ledger: Ledger) -> None:
    """One that nobody has paid, and one that somebody had: the money is free again."""
    ledger.void_document(_an_invoice(ledger))
    paid = _an_invoice(ledger, "15.00")
    _pays(ledger, paid, "15.00")
    ledger.void_document(paid)


def _old(ledger: Ledger, kind: str, *, money: bool) -> Iterator[str]:
    """Invoices or credits that payments of money, or of none (they tie a credit to an invoice), are applied to."""
    for payment in ledger.payments.values():
        if bool(payment.total) is money and not payment.voided:
            yield from (part.id for part in payment.applications if part.kind == kind)


def an_old_invoice_is_voided(ledger: Ledger) -> None:
    """It was paid, and the money is free again."""
    ledger.void_document(ledger.invoice(_first(_old(ledger, "invoice", money=True))))


def an_old_credited_invoice_is_voided(ledger: Ledger) -> None:
    """The credit that had closed it is free again."""
    ledger.void_document(ledger.invoice(_first(_old(ledger, "invoice", money=False))))


def an_old_credit_is_voided(ledger: Ledger) -> None:
    """It had been used, and its invoice is open again."""
    ledger.void_document(ledger.credits[_first(_old(ledger, "credit", money=False))])


def the_past(ledger: Ledger) -> None:
    """What the three stories above need to have happened before."""
    one_payment_settles_several_invoices(ledger)
    a_credit_settles_an_invoice(ledger)


def an_invoice_is_deleted(ledger: Ledger) -> None:
    """One that stood in the books, one that was born and died in the same night."""
    free = (one for one in ledger.invoices.values() if not ledger.links["invoice", one.id] and not one.voided)
    old = next(free, None) or _an_invoice(ledger)
    ledger.delete_document(old)
    ledger.delete_document(_an_invoice(ledger))


def a_payment_is_deleted(ledger: Ledger) -> None:
    """What it had settled is open again."""
    payment = _first(
        one for one in ledger.payments.values() if one.applications and one.total and not one.voided
    )
    ledger.delete_payment(payment)


def a_payment_is_voided(ledger: Ledger) -> None:
    """The same, but it stays in the books."""
    payment = _first(
        one for one in ledger.payments.values() if one.applications and one.total and not one.voided
    )
    ledger.void_payment(payment)


def a_payment_moves_to_another_invoice(ledger: Ledger) -> None:
    """It was booked on the wrong one."""
    wrong = _an_invoice(ledger, "30.00")
    right = _an_invoice(ledger, "30.00", ledger.customer(wrong.customer))
    _pays(ledger, wrong, "30.00")
    (number,) = ledger.links["invoice", wrong.id]
    ledger.change_payment(
        ledger.payment(number), applications=(Application("invoice", right.id, D("30.00")),)
    )


def a_credit_is_voided(ledger: Ledger) -> None:
    """One that was in use: its invoice is open again."""
    invoice = _an_invoice(ledger, "40.00")
    credit = ledger.issue_credit(invoice.customer, [Line(D("40.00"))], issued=DAY, number="C-3")
    ledger.apply_credit(credit, invoice, D("40.00"), on=DAY)
    ledger.void_document(credit)


def a_customer_is_deactivated(ledger: Ledger) -> None:
    """One who still owes."""
    ledger.deactivate_customer(_an_invoice(ledger).customer)


def a_customer_with_an_apostrophe_and_a_parent(ledger: Ledger) -> None:
    """Names are not always simple, and companies have parents."""
    parent = ledger.open_customer('D\'Arcy, "Sons" & Cie. <Zürich>')
    child = ledger.open_customer("D'Arcy: East", parent=parent.id)
    invoice = _an_invoice(ledger, "88.00", child)
    ledger.receive_payment(child.id, D("8.00"), [Application("invoice", invoice.id, D("8.00"))], received=DAY)
    ledger.change_customer(parent.id, name="D'Arcy & Daughters")


def an_invoice_in_another_currency(ledger: Ledger) -> None:
    """Half of it is paid."""
    customer = ledger.open_customer("Zahlt in Euro", currency="EUR")
    invoice = ledger.issue_invoice(
        customer.id, [Line(D("200.00"))], issued=DAY, number="E-1", due=DAY, rate=D("1.0845")
    )
    ledger.receive_payment(
        customer.id,
        D("100.00"),
        [Application("invoice", invoice.id, D("100.00"))],
        received=DAY,
        rate=D("1.09"),
    )


def a_journal_entry_raises_and_lowers(ledger: Ledger) -> None:
    """One entry on each side; a payment settles a part of the first."""
    customer = ledger.open_customer("Corrected")
    raised = ledger.post_journal(customer.id, D("50.00"), posted=DAY, number="J-1")
    ledger.post_journal(customer.id, D("-12.34"), posted=DAY, number="J-2")
    ledger.receive_payment(
        customer.id, D("20.00"), [Application("journal", raised.id, D("20.00"))], received=DAY
    )


def a_parent_pays_what_a_child_owes(ledger: Ledger) -> None:
    """An invoice, and a part of a journal entry."""
    parent = ledger.open_customer(f"Head office {len(ledger.customers)}")
    child = ledger.open_customer(f"Branch {len(ledger.customers)}", parent=parent.id)
    entry = ledger.post_journal(child.id, D("50.00"), posted=DAY)
    invoice = _an_invoice(ledger, "30.00", child)
    parts = [Application("journal", entry.id, D("20.00")), Application("invoice", invoice.id, D("30.00"))]
    ledger.receive_payment(parent.id, D("50.00"), parts, received=DAY)


def a_journal_entry_is_deleted(ledger: Ledger) -> None:
    """It was a mistake."""
    customer = ledger.open_customer("Corrected twice")
    ledger.delete_journal(ledger.post_journal(customer.id, D("5.00"), posted=DAY))


def an_invoice_is_changed(ledger: Ledger) -> None:
    """More time, another number, a further line."""
    invoice = _an_invoice(ledger)
    ledger.change_document(
        invoice,
        due=invoice.due + timedelta(days=14) if invoice.due else None,
        number="S-changed",
        lines=(*invoice.lines, Line(D("0.07"), "a further line")),
    )


def a_very_large_and_a_very_small_amount(ledger: Ledger) -> None:
    """No digit may change."""
    _an_invoice(ledger, "12345678901234567.89")
    _an_invoice(ledger, "0.01")


STORIES: tuple[Story, ...] = (
    nothing_happens,
    an_invoice_is_paid,
    an_old_invoice_is_paid_in_part,
    money_stays_on_account,
    one_payment_settles_several_invoices,
    a_credit_settles_an_invoice,
    a_credit_is_not_used,
    an_invoice_is_written_off,
    an_invoice_is_voided,
    an_old_invoice_is_voided,
    an_invoice_is_deleted,
    a_payment_is_deleted,
    a_payment_is_voided,
    a_payment_moves_to_another_invoice,
    a_credit_is_voided,
    an_old_credited_invoice_is_voided,
    an_old_credit_is_voided,
    a_customer_is_deactivated,
    a_customer_with_an_apostrophe_and_a_parent,
    an_invoice_in_another_currency,
    a_journal_entry_raises_and_lowers,
    a_parent_pays_what_a_child_owes,
    a_journal_entry_is_deleted,
    an_invoice_is_changed,
    a_very_large_and_a_very_small_amount,
)
