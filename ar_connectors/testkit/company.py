"""A made-up company that behaves like a real one: good and late payers, part payments, credits, voids, deletes, two currencies.

The same seed, size and moment give the same books to the last id. Life is simulated in the order it happened, so instants,
versions and ids look as they would.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from typing import Final

from ar_connectors.testkit.ledger import Application, Customer, Invoice, Ledger, Line, Settings
from ar_connectors.testkit.ledger.money import CENT, ZERO, minus, rounded
from ar_connectors.testkit.names import CITIES, GOODS, PEOPLE, STREETS, company_name

__all__ = ["DEFAULT_NOW", "Life", "generate"]

DEFAULT_NOW: Final = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""When nothing else is said; fixed, so that a seed means the same company tomorrow."""

_YEARS: Final = timedelta(days=720)
_TAX: Final = Decimal("0.0825")


@dataclass(frozen=True, slots=True)
class _Habits:
    """How a customer pays."""

    delay: tuple[int, int]
    """Days after the due date, from and to."""
    pays: float
    """Share of invoices that are paid at all."""
    in_parts: float
    weight: int
    """How many customers are like this, of 100."""


_HABITS: Final = (
    _Habits(delay=(-12, 2), pays=1.0, in_parts=0.02, weight=45),
    _Habits(delay=(3, 35), pays=0.98, in_parts=0.10, weight=30),
    _Habits(delay=(25, 110), pays=0.92, in_parts=0.25, weight=18),
    _Habits(delay=(60, 240), pays=0.55, in_parts=0.30, weight=7),
)


def generate(
    seed: int = 1,
    *,
    invoices: int = 200,
    now: datetime | None = None,
    multicurrency: bool = True,
    touch_links: bool = True,
) -> Ledger:
    """The books of a company with `invoices` invoices over about two years before `now` (aware; default `DEFAULT_NOW`).

    A few of the invoices are voided or deleted on the way, so slightly fewer are left. The ledger's own clock stands at `now`;
    give it another one by setting `ledger.now`.
    """
    end = (now or DEFAULT_NOW).astimezone(UTC).replace(microsecond=0)
    life = Life(f"{seed}/{invoices}", end, multicurrency=multicurrency, touch_links=touch_links)
    life.people(max(6, min(invoices // 8 + 4, 4000)))
    life.invoices(invoices)
    life.live()
    return life.ledger


class Life:
    """What happens to the company, as a queue of things to do at their instants. Other kinds of companies override `currency_of`,
    `opened`, `rate`, `issued` and `what_is_missing`."""

    deposits_on_bills = True
    """Whether a deposit may stand on the face of a bill, taken off without a payment."""

    def __init__(self, seed: str, end: datetime, *, multicurrency: bool, touch_links: bool) -> None:
        self.chance = random.Random(seed)
        self.other = random.Random(f"{seed}/later additions")
        """Chance of what was added to the generator after people had come to know their seeds."""
        self.end = end
        self.start = end - _YEARS
        self.at = self.start - timedelta(days=30)
        self.ledger = Ledger(
            lambda: self.at,
            Settings(multicurrency=multicurrency, closed_through=None),
            touch_links=touch_links,
        )
        if multicurrency:
            self.ledger.add_account(
                "Accounts Receivable (A/R) - EUR", "Accounts Receivable", "AccountsReceivable", "EUR"
            )
        self.habits: dict[str, _Habits] = {}
        self.queue: list[tuple[datetime, int, Callable[[], object]]] = []
        self.order = count()
        self.numbers = count(1001)
        self.credit_numbers = count(1)

    def live(self) -> None:
        """Let everything happen that happens before the end; then the clock stands at the end."""
        while self.queue:
            self.at, _, event = heapq.heappop(self.queue)
            event()
        self.at = self.end - timedelta(hours=30)
        self.what_is_missing()
        self._farewells()
        end = self.end
        self.ledger.now = lambda: end

    def _farewells(self) -> None:
        """Some customers without a balance are no longer served; at least one, and it still owes when all do."""
        leaving = [one for one in self.ledger.customers.values() if not self.ledger.children[one.id]]
        idle = [one for one in leaving if not one.balance]
        gone = [one for one in idle if self.chance.random() < 0.12] or (idle or leaving)[-1:]
        for customer in gone:
            self.ledger.deactivate_customer(customer.id)

    def what_is_missing(self) -> None:
        """A small company may by chance lack what a test of any size wants to see: an open invoice, a void, a deletion, a
        credit on account, money on account, a journal entry, a customer in the home currency."""
        ledger = self.ledger
        untouched = [one for one in ledger.invoices.values() if one.open == one.claim and not one.voided]
        if not any(one.voided for one in ledger.invoices.values()) and untouched:
            ledger.void_document(untouched.pop())
        if not ledger.deletions and untouched:
            ledger.delete_document(untouched.pop())
        owner = next((one for one in ledger.customers.values() if one.currency == "USD"), None)
        owner = owner or ledger.open_customer("Walk-in customers")
        if not any(one.open for one in ledger.credits.values()):
            ledger.issue_credit(
                owner.id, [Line(Decimal("25.00"), "Goodwill")], issued=self.today(), number="CM-0"
            )
        if not any(one.unapplied for one in ledger.payments.values()):
            ledger.receive_payment(owner.id, Decimal("80.00"), received=self.today(), method="Check")
        if untouched and not any(0 < one.open < one.total for one in ledger.invoices.values()):
            part = rounded(untouched[-1].open, Decimal("0.4"))
            parts = [Application("invoice", untouched[-1].id, part)] if part else []
            ledger.receive_payment(
                untouched[-1].customer,
                part,
                parts,
                received=self.today(),
                rate=untouched[-1].rate,
                method="ACH",
            )
        if not any(one.open for one in ledger.invoices.values()):
            ledger.issue_invoice(
                owner.id,
                [self._line()],
                issued=self.today() - timedelta(days=45),
                due=self.today() - timedelta(days=15),
                number=str(next(self.numbers)),
            )
        if not ledger.journals:
            ledger.post_journal(
                owner.id, Decimal("-10.00"), posted=self.today(), memo="Rounding of last year"
            )

    def later(self, on: datetime, event: Callable[[], object]) -> None:
        """Do something at an instant, unless that lies beyond the end."""
        if on < self.end - timedelta(minutes=10):
            heapq.heappush(self.queue, (on, next(self.order), event))

    def people(self, number: int) -> None:
        """The customers."""
        chance = self.chance
        terms = list(self.ledger.terms.values())
        tops: list[str] = []
        for index in range(number):
            self.at += timedelta(minutes=chance.randint(1, 40))
            name = "O'Neil & Sons" if index == 0 else company_name(chance, index)
            person = chance.choice(PEOPLE)
            parent = None
            currency = self.currency_of(index)
            if index > 3 and (index == 4 or chance.random() < 0.08):
                parent = chance.choice(tops)
            customer = self.ledger.open_customer(
                name,
                currency=currency,
                parent=parent,
                email=self._email(person, index),
                phone=f"(555) {chance.randint(200, 999)}-{chance.randint(0, 9999):04}"
                if chance.random() < 0.8
                else None,
                contact=person,
                street=f"{chance.randint(1, 999)} {chance.choice(STREETS)}",
                city=chance.choice(CITIES),
                term=chance.choice(terms).id if chance.random() < 0.9 else None,
                notes="Prefers to be called in the morning." if chance.random() < 0.05 else None,
            )
            self.opened(index, customer)
            if parent is None:
                tops.append(customer.id)
            self.habits[customer.id] = chance.choices(_HABITS, [habit.weight for habit in _HABITS])[0]

    def currency_of(self, index: int) -> str:
        """What the next customer pays in."""
        foreign = self.ledger.settings.multicurrency and (index == 2 or self.chance.random() < 0.15)
        return "EUR" if foreign else "USD"

    def opened(self, index: int, customer: Customer) -> None:
        """A customer is there; for what else may be said of it."""

    def _email(self, person: str, index: int) -> str | None:
        if index == 3 or self.chance.random() < 0.10:
            return None
        address = f"{person.split(maxsplit=1)[0].lower()}.{index}@customer.example"
        return f"{address}, ap.{index}@customer.example" if self.chance.random() < 0.04 else address

    def invoices(self, number: int) -> None:
        """When invoices are issued, and to whom; some customers get many."""
        customers = list(self.ledger.customers.values())
        weights = [1 / (1 + rank) ** 0.6 for rank in range(len(customers))]
        span = int((self.end - self.start).total_seconds()) - 3600
        moments = sorted(self.chance.randint(0, span) for _ in range(number))
        owners = self.chance.choices(customers, weights, k=number)
        for seconds, owner in zip(moments, owners, strict=True):
            moment = self.start + timedelta(seconds=seconds)
            heapq.heappush(self.queue, (moment, next(self.order), self._issue(owner)))

    def _issue(self, customer: Customer) -> Callable[[], object]:
        def issue() -> None:
            chance = self.chance
            today = self.today()
            term = self.ledger.terms[customer.term] if customer.term is not None else None
            due: date | None = today + timedelta(days=term.due_days if term is not None else 30)
            if chance.random() < 0.005:
                due = None
            lines = [self._line() for _ in range(chance.choices((1, 2, 3, 6), (50, 28, 16, 6))[0])]
            net = sum((line.amount for line in lines), ZERO)
            invoice = self.ledger.issue_invoice(
                customer.id,
                lines,
                issued=today,
                due=due,
                number=str(next(self.numbers)) if chance.random() >= 0.004 else None,
                tax=rounded(net, _TAX) if customer.currency == "USD" and chance.random() < 0.7 else ZERO,
                term=term.id if term is not None else None,
                rate=self.rate(customer),
                memo="Deliver to the back door" if chance.random() < 0.05 else None,
                deposit=self._deposit_on_bill(net),
            )
            self._fate(invoice)
            self.issued(invoice)

        return issue

    def _deposit_on_bill(self, net: Decimal) -> Decimal:
        rare = self.other.random() < 0.015
        return rounded(net, Decimal("0.25")) if rare and self.deposits_on_bills else ZERO

    def issued(self, invoice: Invoice) -> None:
        """An invoice was issued; for what else may become of it."""

    def _line(self) -> Line:
        quantity = Decimal(self.chance.choices((1, 2, 5, 12, 40), (50, 20, 15, 10, 5))[0])
        price = (Decimal(self.chance.randint(900, 95_000)) / 100).quantize(CENT)
        return Line(rounded(quantity, price), self.chance.choice(GOODS), quantity, price)

    def rate(self, customer: Customer) -> Decimal:
        """Home units for one unit of the customer's currency, today."""
        return (
            Decimal(1)
            if customer.currency == "USD"
            else Decimal(self.chance.randint(1_040_000, 1_190_000)) / 1_000_000
        )

    def _fate(self, invoice: Invoice) -> None:
        """What becomes of an invoice."""
        chance, habits = self.chance, self.habits[invoice.customer]
        draw = chance.random()
        if draw < 0.012:
            self.later(
                self.within(1, 6), lambda: self._if_open(invoice, lambda: self.ledger.void_document(invoice))
            )
            return
        if draw < 0.020:
            self.later(
                self.within(1, 4),
                lambda: self._if_open(invoice, lambda: self.ledger.delete_document(invoice)),
            )
            return
        if draw < 0.045:
            self.later(self.within(5, 40), lambda: self._credit(invoice))
        if draw > 0.985 and invoice.due is not None:
            due = invoice.due + timedelta(days=14)
            self.later(
                self.within(2, 10),
                lambda: self._if_there(invoice, lambda: self.ledger.change_document(invoice, due=due)),
            )
        if chance.random() >= habits.pays:
            if chance.random() < 0.25:
                self.later(self.within(200, 400), lambda: self._write_off(invoice))
            return
        days = ((invoice.due or invoice.issued) - invoice.issued).days + chance.randint(*habits.delay)
        payday = self.at + timedelta(days=max(1, days), minutes=chance.randint(0, 500))
        if chance.random() < habits.in_parts:
            self.later(payday, lambda: self._pay(invoice, Decimal(chance.randint(20, 70)) / 100))
            payday += timedelta(days=chance.randint(10, 45))
        self.later(payday, lambda: self._pay(invoice, Decimal(1)))

    def _pay(self, invoice: Invoice, share: Decimal) -> None:
        """A payment, sometimes with other open invoices of the customer, sometimes with a bit too much."""
        if invoice.id not in self.ledger.invoices or not invoice.open:
            return
        chance = self.chance
        parts = [Application("invoice", invoice.id, rounded(invoice.open, share))]
        if chance.random() < 0.12:
            others = self._open_of(invoice.customer, 3, besides=invoice.id)
            parts += [Application("invoice", other.id, other.open) for other in others]
        amount = sum((part.amount for part in parts), ZERO)
        if not amount:
            return
        if chance.random() < 0.02:
            amount += Decimal(chance.randint(100, 20_000)) / 100
        payer = self.ledger.customers[invoice.customer]
        if payer.parent is not None and self.other.random() < 0.25:
            payer = self.ledger.customers[payer.parent]  # head offices pay for their branches now and then
        payment = self.ledger.receive_payment(
            payer.id,
            amount,
            parts,
            received=self.today(),
            rate=invoice.rate,
            reference=str(chance.randint(1000, 99_999)) if chance.random() < 0.7 else None,
            method=chance.choice(("Check", "ACH", "Credit Card")),
        )
        if chance.random() < 0.004:
            self.later(self.within(2, 9), lambda: self.ledger.void_payment(payment))  # a check that bounced

    def _open_of(self, customer: str, limit: int, *, besides: str) -> list[Invoice]:
        """Some open invoices of a customer, among its latest ones."""
        found: list[Invoice] = []
        for one in islice(reversed(self.ledger.invoices.values()), 60):
            if one.customer == customer and one.id != besides and one.open and len(found) < limit:
                found.append(one)
        return found

    def _credit(self, invoice: Invoice) -> None:
        """A credit note for a part of an invoice; most are used for it, some stay open."""
        if invoice.id not in self.ledger.invoices or not invoice.open:
            return
        amount = rounded(invoice.open, Decimal(self.chance.randint(5, 40)) / 100)
        if not amount:
            return
        credit = self.ledger.issue_credit(
            invoice.customer,
            [Line(amount, "Goods returned")],
            issued=self.today(),
            number=f"CM-{next(self.credit_numbers)}",
            rate=invoice.rate,
        )
        if self.chance.random() < 0.75:
            self.ledger.apply_credit(credit, invoice, amount, on=self.today())

    def _write_off(self, invoice: Invoice) -> None:
        if invoice.id in self.ledger.invoices and invoice.open:
            if self.chance.random() < 0.2:
                self.ledger.post_journal(
                    invoice.customer,
                    minus(ZERO, rounded(invoice.open, Decimal("0.5"))),
                    posted=self.today(),
                    rate=invoice.rate,
                    account=self.ledger.account("BadDebts").id,
                    memo="Half of it is lost",
                )
            else:
                self.ledger.write_off(invoice, on=self.today(), number=f"WO-{next(self.credit_numbers)}")

    def _if_open(self, invoice: Invoice, event: Callable[[], object]) -> None:
        if invoice.id in self.ledger.invoices and invoice.open == invoice.claim:
            event()

    def _if_there(self, invoice: Invoice, event: Callable[[], object]) -> None:
        if invoice.id in self.ledger.invoices:
            event()

    def within(self, first: int, last: int) -> datetime:
        """Some moment so many days from now."""
        return self.at + timedelta(days=self.chance.randint(first, last), minutes=self.chance.randint(0, 600))

    def today(self) -> date:
        """The day it is for the company."""
        return (self.at - timedelta(hours=8)).date()
