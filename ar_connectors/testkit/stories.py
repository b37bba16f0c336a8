"""What happens in the company while a client looks on? Business events by name, for tests, demos and the control API.

Every story picks what it needs when it is not told: the oldest suitable invoice, its customer, all that is open. The choice
is the same every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger import (
    Application,
    CreditNote,
    Customer,
    Deposit,
    Invoice,
    Ledger,
    LedgerError,
    Line,
    Payment,
)
from ar_connectors.testkit.ledger.records import Journal, Note

__all__ = ["STORIES", "Stories"]


class Stories:
    """Tells stories in one ledger, under its emulator's lock."""

    def __init__(self, ledger: Ledger, lock: threading.RLock) -> None:
        self.ledger = ledger
        self._lock = lock

    def run(self, name: str, /, **arguments: Any) -> dict[str, str]:
        """Tell a story by name; arguments as JSON values (amounts as text). Returns the ids of what it made or changed.
        Raises KeyError for a name that is none, LedgerError when the books refuse."""
        told = STORIES[name](self, **arguments)
        return {"kind": type(told).__name__, "id": told.id}

    # ---- invoices

    def issue_invoice(
        self,
        customer: str | None = None,
        amount: Decimal | str = "250.00",
        *,
        due_in: int = 30,
        issued: date | str | None = None,
        number: str | None = None,
        text: str = "Maintenance, monthly",
        deposit: Decimal | str = "0",
    ) -> Invoice:
        """A new invoice over one line; due `due_in` days after it was issued, with a deposit already taken off."""
        with self._lock:
            day = _day(issued) or self._today()
            return self.ledger.issue_invoice(
                customer or self._customer().id,
                [Line(Decimal(amount), text)],
                issued=day,
                due=day + timedelta(days=due_in),
                number=number or f"S-{self.ledger.revision}",
                deposit=Decimal(deposit),
            )

    def change_due_date(
        self, invoice: str | None = None, due: date | str | None = None, *, by: int = 14
    ) -> Invoice:
        """Another due date; by default 14 days later."""
        with self._lock:
            found = self._invoice(invoice)
            self.ledger.change_document(
                found, due=_day(due) or (found.due or found.issued) + timedelta(days=by)
            )
            return found

    def expect_payment(
        self, invoice: str | None = None, on: date | str | None = None, *, within: int = 7
    ) -> Invoice:
        """The bookkeeper notes when the money is expected; by default in a week. QuickBooks has no place for it."""
        with self._lock:
            found = self._invoice(invoice)
            self.ledger.change_document(found, expected=_day(on) or self._today() + timedelta(days=within))
            return found

    def change_amount(self, invoice: str | None = None, *, by: Decimal | str = "10.00") -> Invoice:
        """One more line on an invoice."""
        with self._lock:
            found = self._invoice(invoice)
            self.ledger.change_document(found, lines=(*found.lines, Line(Decimal(by), "Correction")))
            return found

    def edit_memo(self, invoice: str | None = None, memo: str = "Called on Monday") -> Invoice:
        """Somebody writes into an invoice's memo."""
        with self._lock:
            found = self._invoice(invoice)
            self.ledger.change_document(found, memo=memo)
            return found

    def void_invoice(self, invoice: str | None = None) -> Invoice:
        """Void an invoice; payments let go of it."""
        with self._lock:
            found = self._invoice(invoice)
            self.ledger.void_document(found)
            return found

    def delete_invoice(self, invoice: str | None = None) -> Invoice:
        """Delete an invoice that nothing is applied to."""
        with self._lock:
            found = self._invoice(invoice, untouched=True)
            self.ledger.delete_document(found)
            return found

    def write_off(self, invoice: str | None = None) -> CreditNote:
        """Give up on what is open of an invoice."""
        with self._lock:
            return self.ledger.write_off(self._invoice(invoice), on=self._today())

    # ---- money

    def receive_payment(
        self,
        invoice: str | None = None,
        amount: Decimal | str | None = None,
        *,
        over: Decimal | str = "0",
        reference: str | None = None,
    ) -> Payment:
        """Money for an invoice, all that is open unless told; `over` more stays on account."""
        with self._lock:
            found = self._invoice(invoice)
            part = Decimal(amount) if amount is not None else found.open
            return self.ledger.receive_payment(
                found.customer,
                part + Decimal(over),
                [Application("invoice", found.id, part)],
                received=self._today(),
                rate=found.rate,
                reference=reference,
                method="ACH",
            )

    def pay_on_account(self, customer: str | None = None, amount: Decimal | str = "100.00") -> Payment:
        """Money that is applied to nothing yet."""
        with self._lock:
            owner = customer or self._customer().id
            return self.ledger.receive_payment(owner, Decimal(amount), received=self._today(), method="Check")

    def void_payment(self, payment: str | None = None) -> Payment:
        """A check bounces; by default the last payment."""
        with self._lock:
            found = self.ledger.payment(payment) if payment else self._payment()
            self.ledger.void_payment(found)
            return found

    def delete_payment(self, payment: str | None = None) -> Payment:
        """A payment is deleted; by default the last."""
        with self._lock:
            found = self.ledger.payment(payment) if payment else self._payment()
            self.ledger.delete_payment(found)
            return found

    def issue_credit(self, customer: str | None = None, amount: Decimal | str = "40.00") -> CreditNote:
        """A credit note that stays open."""
        with self._lock:
            owner = customer or self._customer().id
            number = f"CM-S{self.ledger.revision}"
            return self.ledger.issue_credit(
                owner, [Line(Decimal(amount), "Goods returned")], issued=self._today(), number=number
            )

    def apply_credit(self, invoice: str | None = None, amount: Decimal | str | None = None) -> Payment:
        """A new credit note over a part of an invoice (a tenth), used for it."""
        with self._lock:
            found = self._invoice(invoice)
            part = Decimal(amount) if amount is not None else max(Decimal("0.01"), round(found.open / 10, 2))
            credit = self.ledger.issue_credit(
                found.customer,
                [Line(part, "Goods returned")],
                issued=self._today(),
                number=f"CM-S{self.ledger.revision}",
                rate=found.rate,
            )
            return self.ledger.apply_credit(credit, found, part, on=self._today())

    def post_journal(self, customer: str | None = None, amount: Decimal | str = "-15.00") -> Journal:
        """A journal entry on receivables; negative lowers what is owed."""
        with self._lock:
            owner = customer or self._customer().id
            return self.ledger.post_journal(owner, Decimal(amount), posted=self._today(), memo="Adjustment")

    def reverse_payment(self, payment: str | None = None) -> Journal:
        """A payment is undone by a journal entry and stays; by default the last."""
        with self._lock:
            found = self.ledger.payment(payment) if payment else self._payment()
            return self.ledger.reverse_payment(found, on=self._today())

    def reverse_journal(self, journal: str | None = None) -> Journal:
        """A journal entry is undone by its opposite; by default the last."""
        with self._lock:
            identity = journal or next(reversed(self.ledger.journals), "")
            return self.ledger.reverse_journal(self.ledger.journal(identity), on=self._today())

    def take_deposit(self, customer: str | None = None, amount: Decimal | str = "300.00") -> Deposit:
        """Money before there is an invoice. QuickBooks and Xero have no such thing."""
        with self._lock:
            owner = customer or self._customer().id
            return self.ledger.take_deposit(owner, Decimal(amount), received=self._today(), method="Check")

    def apply_deposit(self, invoice: str | None = None, amount: Decimal | str | None = None) -> Payment:
        """A new deposit over a part of an invoice (a quarter), used for it."""
        with self._lock:
            found = self._invoice(invoice)
            part = Decimal(amount) if amount is not None else max(Decimal("0.01"), round(found.open / 4, 2))
            deposit = self.ledger.take_deposit(found.customer, part, received=self._today(), rate=found.rate)
            return self.ledger.apply_deposit(deposit, found, part, on=self._today())

    # ---- customers and notes

    def open_customer(self, name: str | None = None, **more: Any) -> Customer:
        """A new customer."""
        with self._lock:
            return self.ledger.open_customer(name or f"Newcomer {self.ledger.revision}", **more)

    def deactivate_customer(self, customer: str | None = None) -> Customer:
        """A customer is hidden, whatever it owes."""
        with self._lock:
            return self.ledger.deactivate_customer(customer or self._customer().id)

    def change_customer(self, customer: str | None = None, **changes: Any) -> Customer:
        """New values for a customer's fields (name, email, notes, ...)."""
        with self._lock:
            return self.ledger.change_customer(customer or self._customer().id, **changes)

    def merge_customers(self, customer: str | None = None, into: str | None = None) -> Customer:
        """Two customers turn out to be one; by default the last that can go, into the first. Returns the losing one."""
        with self._lock:
            kept = self.ledger.customer(into) if into else self._customer()
            return self.ledger.merge_customers(customer or self._merged(kept).id, kept.id)

    def attach_note(self, invoice: str | None = None, text: str = "Customer was called") -> Note:
        """Somebody hangs a note of their own on an invoice."""
        with self._lock:
            return self.ledger.add_note(text, [("invoice", self._invoice(invoice).id)])

    def close_books(self, through: date | str | None = None) -> Customer:
        """Close the books through a day, by default today. Returns a customer, for want of anything that changed."""
        with self._lock:
            self.ledger.settings.closed_through = _day(through) or self._today()
            return self._customer()

    # ---- choosing

    def _today(self) -> date:
        return self.ledger.now().date()

    def _customer(self) -> Customer:
        for customer in self.ledger.customers.values():
            if customer.active and customer.parent is None:
                return customer
        raise LedgerError("missing", "there is no active customer")

    def _merged(self, kept: Customer) -> Customer:
        for customer in reversed(self.ledger.customers.values()):
            alone = customer.parent is None and not self.ledger.children[customer.id]
            alike = (customer.currency, customer.subsidiary) == (kept.currency, kept.subsidiary)
            if customer.active and alone and alike and customer is not kept:
                return customer
        raise LedgerError("missing", "there is no customer left that could be another")

    def _invoice(self, identity: str | None, *, untouched: bool = False) -> Invoice:
        """The one told, else the oldest open one, most overdue first by id."""
        if identity is not None:
            return self.ledger.invoice(identity)
        for invoice in self.ledger.invoices.values():
            if invoice.open > 0 and not (untouched and self.ledger.links.get(("invoice", invoice.id))):
                return invoice
        raise LedgerError("missing", "there is no open invoice left")

    def _payment(self) -> Payment:
        for payment in reversed(self.ledger.payments.values()):
            if payment.total and not payment.voided:
                return payment
        raise LedgerError("missing", "there is no payment left")


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


STORIES: Final[Mapping[str, Callable[..., Any]]] = {
    name: story
    for name, story in vars(Stories).items()
    if not name.startswith("_") and name != "run" and callable(story)
}
"""By name."""
