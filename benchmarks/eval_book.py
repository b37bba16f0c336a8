"""A generated book for the evaluator's benchmarks: mixed situations, the same for the same seed.

Most invoices are in ordinary dunning. Some customers promised, contest an invoice, are paused or stopped, have money on
account, answered, or paid before; most were contacted once or twice, as a plan that runs every day leaves them.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ar_core as ar

__all__ = ["AS_OF", "TODAY", "book"]

TODAY = date(2026, 11, 24)
"""A Tuesday."""
AS_OF = ar.AsOf(instant=datetime(2026, 11, 24, 16, tzinfo=UTC), zone="America/New_York")

_BASE = "USD"
_STEPS = ((76, "decide"), (46, "letter"), (22, "call"), (8, "demand"), (3, "first"))
_SOURCE = "bench:1"


def _id(kind: str, number: int) -> str:
    return f"{_SOURCE}:{kind}:{number}"


def _day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def book(invoices: int, seed: int = 3) -> ar.Snapshot:
    """A book of so many open invoices, ten for each customer on average, a few customers with very many."""
    return _Writer(random.Random(seed), max(10, invoices // 10)).write(invoices)


class _Writer:
    """Writes customers, their invoices and what happened to them."""

    def __init__(self, chance: random.Random, customers: int) -> None:
        self.chance = chance
        self.count = customers
        self.invoices: list[ar.Invoice] = []
        self.payments: list[ar.Payment] = []
        self.allocations: list[ar.Allocation] = []
        self.credit_notes: list[ar.CreditNote] = []
        self.touches: list[ar.Touch] = []
        self.promises: list[ar.Promise] = []
        self.disputes: list[ar.Dispute] = []
        self.pauses: list[ar.Pause] = []
        self.profiles: list[ar.CustomerProfile] = []

    def write(self, invoices: int) -> ar.Snapshot:
        owned: dict[int, list[ar.Invoice]] = {}
        for number in range(invoices):
            owner = int(self.count * self.chance.random() ** 1.7)
            found = self._invoice(number, owner, self.chance.randrange(-30, 150))
            self.invoices.append(found)
            owned.setdefault(owner, []).append(found)
        for owner in range(self.count):
            self._past(owner)
            self._situation(owner, owned.get(owner, []))
        return ar.Snapshot(
            organization=ar.Organization(
                id=f"{_SOURCE}:organization:1", base_currency=_BASE, time_zone=AS_OF.zone
            ),
            customers=tuple(self._customer(n) for n in range(self.count)),
            contacts=tuple(self._contact(n) for n in range(self.count)),
            profiles=tuple(self.profiles),
            invoices=tuple(self.invoices),
            payments=tuple(self.payments),
            allocations=tuple(self.allocations),
            credit_notes=tuple(self.credit_notes),
            touches=tuple(self.touches),
            promises=tuple(self.promises),
            disputes=tuple(self.disputes),
            pauses=tuple(self.pauses),
        )

    def _customer(self, number: int) -> ar.Customer:
        country = "MX" if number % 20 == 0 else "US"
        return ar.Customer.trusted(
            id=_id("customer", number), name=f"Customer {number}", country=country, currency=_BASE
        )

    def _contact(self, number: int) -> ar.Contact:
        return ar.Contact.trusted(
            id=_id("contact", number),
            customer_id=_id("customer", number),
            role=ar.ContactRole.BILLING,
            email=f"ap{number}@example.com",
            phone=None if number % 4 == 0 else f"+1 555 {number:06}",
        )

    def _invoice(self, number: int, owner: int, dpd: int, *, closed: bool = False) -> ar.Invoice:
        amount = Decimal(self.chance.randrange(1000, 900_000)).scaleb(-2)
        due = _day(dpd)
        return ar.Invoice.trusted(
            id=_id("invoice", number),
            number=f"INV-{number}",
            customer_id=_id("customer", owner),
            currency=_BASE,
            issue_date=due - timedelta(days=30),
            due_date=due,
            total=amount,
            balance_due=Decimal(0) if closed else amount,
            document_status=ar.DocumentStatus.POSTED,
            payment_link="https://pay.example.com" if number % 3 else None,
            has_pdf=True,
        )

    def _payment(self, owner: int, on: date, total: Decimal, unapplied: Decimal) -> ar.Payment:
        payment = ar.Payment.trusted(
            id=_id("payment", len(self.payments)),
            customer_id=_id("customer", owner),
            currency=_BASE,
            payment_date=on,
            total=total,
            unapplied_amount=unapplied,
            document_status=ar.DocumentStatus.POSTED,
        )
        self.payments.append(payment)
        return payment

    def _past(self, owner: int) -> None:
        """What the customer paid before, and what it is worth."""
        chance = self.chance
        self.profiles.append(
            ar.CustomerProfile.trusted(
                customer_id=_id("customer", owner),
                lifetime_value=Decimal(chance.randrange(1000, 5_000_000)),
                account_manager="Ann Lee" if owner % 3 == 0 else None,
            )
        )
        if chance.random() < 0.4:
            return
        for _ in range(chance.randrange(1, 5)):
            invoice = self._invoice(
                10_000_000 + len(self.payments), owner, chance.randrange(40, 300), closed=True
            )
            assert invoice.due_date is not None
            paid = self._payment(
                owner,
                min(invoice.due_date + timedelta(days=chance.randrange(-5, 40)), _day(45)),
                invoice.total,
                Decimal(0),
            )
            self.invoices.append(invoice)
            self.allocations.append(
                ar.Allocation.trusted(
                    id=ar.allocation_id(paid.id, invoice.id, 0),
                    parent_id=paid.id,
                    source_id=paid.id,
                    target_id=invoice.id,
                    amount=paid.total,
                    currency=_BASE,
                    target_amount=paid.total,
                    target_currency=_BASE,
                    applied_on=paid.payment_date,
                )
            )

    def _situation(self, owner: int, invoices: list[ar.Invoice]) -> None:
        """What is going on with a customer today."""
        chance = self.chance
        if not invoices:
            return
        if chance.random() < 0.85:
            last = chance.randrange(0, 40)
            if chance.random() < 0.4:
                self._touch(owner, invoices, last + chance.randrange(5, 20))
            self._touch(owner, invoices, last)
        if chance.random() < 0.08:
            self._promise(owner, chance.sample(invoices, min(len(invoices), chance.randrange(1, 4))))
        if chance.random() < 0.06:
            self._dispute(owner, chance.choice(invoices))
        if chance.random() < 0.05:
            self._payment(
                owner, _day(chance.randrange(1, 20)), Decimal(5000), Decimal(chance.randrange(1, 5000))
            )
        if chance.random() < 0.03:
            self._credit(owner)
        if chance.random() < 0.02:
            self._reply(owner, chance.choice(invoices))
        if chance.random() < 0.01:
            self.pauses.append(
                ar.Pause(
                    id=f"local:pause-{owner}",
                    customer_id=_id("customer", owner),
                    starts_on=_day(3),
                    ends_on=TODAY + timedelta(days=chance.randrange(0, 9)),
                )
            )

    def _touch(self, owner: int, invoices: list[ar.Invoice], ago: int) -> None:
        """One message of so many days ago: every invoice that was late then, with the step its age called for."""
        covers = []
        on = _day(ago)
        lead: str | None = None
        for invoice in invoices:
            assert invoice.due_date is not None
            dpd = (on - invoice.due_date).days
            step = next((name for at, name in _STEPS if dpd >= at), None)
            if dpd >= 1:
                covers.append(
                    ar.Coverage.trusted(invoice_id=invoice.id, step=step, presence_only=step is None)
                )
                lead = lead or step
        if lead is None:
            return
        self.touches.append(
            ar.Touch.trusted(
                id=f"local:touch-{owner}-{len(self.touches)}",
                key=f"{owner}-{len(self.touches)}",
                customer_id=_id("customer", owner),
                contact_id=_id("contact", owner),
                channel=ar.Channel.VOICE if lead == "call" else ar.Channel.EMAIL,
                at=datetime(on.year, on.month, on.day, 15, tzinfo=UTC),
                step=lead,
                covers=tuple(covers),
            )
        )

    def _reply(self, owner: int, invoice: ar.Invoice) -> None:
        on = _day(self.chance.randrange(0, 20))
        intents = (ar.Intent.COPY_REQUESTED, ar.Intent.QUESTION, ar.Intent.OUT_OF_OFFICE, ar.Intent.SAYS_PAID)
        self.touches.append(
            ar.Touch(
                id=f"local:reply-{owner}",
                customer_id=_id("customer", owner),
                contact_id=_id("contact", owner),
                channel=ar.Channel.EMAIL,
                direction=ar.Direction.INBOUND,
                at=datetime(on.year, on.month, on.day, 17, tzinfo=UTC),
                covers=(ar.Coverage(invoice_id=invoice.id),),
                outcome=ar.TouchOutcome.ANSWERED,
                intent=self.chance.choice(intents),
            )
        )

    def _promise(self, owner: int, invoices: list[ar.Invoice]) -> None:
        given = self.chance.randrange(0, 30)
        self.promises.append(
            ar.Promise(
                id=f"local:promise-{owner}",
                customer_id=_id("customer", owner),
                invoice_ids=tuple(invoice.id for invoice in invoices),
                promised_date=_day(given - self.chance.randrange(3, 25)),
                given_on=_day(given),
                origin=ar.Origin.OURS,
            )
        )

    def _dispute(self, owner: int, invoice: ar.Invoice) -> None:
        ago = self.chance.randrange(1, 60)
        self.disputes.append(
            ar.Dispute(
                id=f"local:dispute-{owner}",
                customer_id=_id("customer", owner),
                invoice_id=invoice.id,
                disputed_amount=self.chance.choice((None, None, Decimal("5.00"))),
                currency=_BASE,
                opened_on=_day(ago),
                origin=ar.Origin.OURS,
                resolved_on=_day(ago // 2) if self.chance.random() < 0.3 else None,
            )
        )

    def _credit(self, owner: int) -> None:
        amount = Decimal(self.chance.randrange(100, 3000))
        self.credit_notes.append(
            ar.CreditNote.trusted(
                id=_id("credit_memo", owner),
                customer_id=_id("customer", owner),
                currency=_BASE,
                issue_date=_day(12),
                total=amount,
                unapplied_amount=amount,
                document_status=ar.DocumentStatus.POSTED,
            )
        )
