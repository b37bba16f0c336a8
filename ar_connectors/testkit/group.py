"""A made-up group: what `company.generate` makes, in two subsidiaries and three currencies, with deposits and reversals.

The same seed, size and moment give the same books to the last id.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from ar_connectors.testkit.company import DEFAULT_NOW, Life
from ar_connectors.testkit.ledger import Application, Customer, Invoice, Ledger
from ar_connectors.testkit.ledger.money import ZERO, rounded

__all__ = ["generate_group"]

_WORTH: Final = {"USD": Decimal(1), "EUR": Decimal("1.10"), "GBP": Decimal("1.28")}
"""About how many dollars each is worth."""


def generate_group(
    seed: int = 1, *, invoices: int = 200, now: datetime | None = None, touch_links: bool = True
) -> Ledger:
    """The books of a group with about `invoices` invoices over two years before `now` (aware; default `DEFAULT_NOW`)."""
    end = (now or DEFAULT_NOW).astimezone(UTC).replace(microsecond=0)
    life = _GroupLife(f"{seed}/{invoices}", end, touch_links=touch_links)
    life.people(max(8, min(invoices // 8 + 4, 4000)))
    life.invoices(invoices)
    life.live()
    return life.ledger


class _GroupLife(Life):
    """What happens in a group beyond what happens everywhere."""

    deposits_on_bills = False
    """Its deposits are documents of their own."""

    def __init__(self, seed: str, end: datetime, *, touch_links: bool) -> None:
        super().__init__(seed, end, multicurrency=True, touch_links=touch_links)
        self.luck = random.Random(f"{seed}/group")
        ledger = self.ledger
        ledger.settings.name = "Larkspur Group"
        ledger.settings.deposits = True
        ledger.add_account(
            "Accounts Receivable (A/R) - GBP", "Accounts Receivable", "AccountsReceivable", "GBP"
        )
        ledger.add_account("Customer Deposits", "Other Current Liability", "CustomerDeposits")
        parent = ledger.add_subsidiary("Larkspur Trading", "USD")
        ledger.add_subsidiary("Larkspur Europe", "EUR", parent=parent.id, country="DE")

    def currency_of(self, index: int) -> str:
        """Every currency has a customer, whatever chance says."""
        first = {1: "GBP", 2: "EUR"}
        return first.get(index) or self.chance.choices(("USD", "EUR", "GBP"), (70, 18, 12))[0]

    def opened(self, index: int, customer: Customer) -> None:
        """A customer belongs to a subsidiary, and may have a credit limit."""
        if customer.parent is not None:
            customer.subsidiary = self.ledger.customers[customer.parent].subsidiary
        else:
            abroad = index in {1, 5} or (customer.currency != "USD" and self.luck.random() < 0.6)
            customer.subsidiary = "2" if abroad else "1"
        if self.luck.random() < 0.3:
            customer.extra["creditLimit"] = self.luck.choice((5_000, 20_000, 100_000))

    def rate(self, customer: Customer) -> Decimal:
        """Units of the subsidiary's currency for one of the customer's."""
        base = self.ledger.subsidiaries[customer.subsidiary or "1"].currency
        if customer.currency == base:
            return Decimal(1)
        wobble = Decimal(self.chance.randint(960_000, 1_040_000)) / 1_000_000
        return (_WORTH[customer.currency] / _WORTH[base] * wobble).quantize(Decimal("0.000001"))

    def issued(self, invoice: Invoice) -> None:
        """Some customers paid before there was an invoice."""
        draw = self.luck.random()
        if draw < 0.04:
            self.later(self.within(2, 20), lambda: self._deposit(invoice))
        elif draw < 0.05:
            self.later(self.within(2, 60), lambda: self._correct(invoice))

    def _deposit(self, invoice: Invoice) -> None:
        """A deposit, most of it used for the invoice."""
        if invoice.id not in self.ledger.invoices or not invoice.open:
            return
        part = rounded(invoice.open, Decimal(self.luck.randint(10, 60)) / 100)
        if not part:
            return
        deposit = self.ledger.take_deposit(
            invoice.customer,
            part + (Decimal("50.00") if self.luck.random() < 0.4 else ZERO),
            received=self.today(),
            rate=invoice.rate,
        )
        if self.luck.random() < 0.8:
            self.ledger.apply_deposit(deposit, invoice, part, on=self.today())

    def _correct(self, invoice: Invoice) -> None:
        """A journal entry lowers what is owed; sometimes it is applied to the invoice, sometimes reversed."""
        if invoice.id not in self.ledger.invoices or not invoice.open:
            return
        part = rounded(invoice.open, Decimal("0.2"))
        if not part:
            return
        journal = self.ledger.post_journal(
            invoice.customer, -part, posted=self.today(), rate=invoice.rate, memo="Correction"
        )
        if self.luck.random() < 0.5:
            parts = [Application("invoice", invoice.id, part), Application("journal", journal.id, -part)]
            self.ledger.receive_payment(
                invoice.customer, ZERO, parts, received=self.today(), rate=invoice.rate
            )
        else:
            self.later(
                self.within(5, 30),
                lambda: self.ledger.reverse_journal(journal, on=self.today()),
            )

    def what_is_missing(self) -> None:
        """A small group may by chance lack a deposit, or a payment that was undone by an entry."""
        super().what_is_missing()
        ledger = self.ledger
        owner = next(one for one in ledger.customers.values() if one.currency == "GBP")
        if not any(one.open for one in ledger.deposits.values()):
            ledger.take_deposit(owner.id, Decimal("120.00"), received=self.today(), rate=self.rate(owner))
        if not any(one.applied for one in ledger.deposits.values()):
            invoice = next((one for one in ledger.invoices.values() if one.open), None)
            if invoice is not None:
                deposit = ledger.take_deposit(
                    invoice.customer, invoice.open, received=self.today(), rate=invoice.rate
                )
                ledger.apply_deposit(deposit, invoice, rounded(invoice.open, Decimal("0.5")), on=self.today())
        payment = ledger.receive_payment(
            owner.id, Decimal("75.00"), received=self.today() - timedelta(days=1), rate=self.rate(owner)
        )
        ledger.reverse_payment(payment, on=self.today())
