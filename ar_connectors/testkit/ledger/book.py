"""What can happen in a company's receivables? Every business event as one method that leaves the books in balance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from ar_connectors.testkit.ledger.merging import Merging
from ar_connectors.testkit.ledger.money import ZERO, minus, total
from ar_connectors.testkit.ledger.records import (
    Application,
    CreditNote,
    Customer,
    Deposit,
    Document,
    Invoice,
    Journal,
    Kind,
    Line,
    Note,
    Payment,
    Record,
)
from ar_connectors.testkit.ledger.shelves import LedgerError

__all__ = ["Ledger"]


class Ledger(Merging):
    """The books. Methods raise LedgerError and then have changed nothing."""

    # ---- customers

    def open_customer(
        self, name: str, *, currency: str | None = None, parent: str | None = None, **more: Any
    ) -> Customer:
        """A new customer; a sub-customer has its parent's currency. `more` are further fields of `Customer`; who is of no
        subsidiary, where there are some, is of the first."""
        if name in self.names:
            raise LedgerError("duplicate", f"the name {name!r} is taken")
        currency = (
            self.customer(parent).currency if parent is not None else currency or self.settings.home_currency
        )
        if more.get("subsidiary") is None:
            more["subsidiary"] = next(iter(self.subsidiaries), None)
        at = self._instant()
        customer = Customer(
            id=self._new_id("customer"),
            created=at,
            updated=at,
            name=name,
            currency=currency,
            parent=parent,
            **more,
        )
        self.customers[customer.id] = customer
        self.names.add(name)
        if parent is not None:
            self.children[parent].add(customer.id)
        self._created(customer)
        return customer

    def change_customer(self, identity: str, **changes: Any) -> Customer:
        """New values for fields of a customer."""
        customer = self.customer(identity)
        name = changes.get("name", customer.name)
        if name != customer.name and name in self.names:
            raise LedgerError("duplicate", f"the name {name!r} is taken")
        self.names.discard(customer.name)
        self.names.add(name)
        self._set(customer, changes)
        return customer

    def deactivate_customer(self, identity: str) -> Customer:
        """Hide a customer."""
        return self.change_customer(identity, active=False)

    # ---- invoices and credit notes

    def issue_invoice(
        self,
        customer: str,
        lines: Iterable[Line],
        *,
        issued: date,
        number: str | None,
        due: date | None = None,
        **more: Any,
    ) -> Invoice:
        """A new invoice. `more`: tax, rate, term, memo, deposit, expected, extra. Raises LedgerError `invalid` for a negative
        total, and for a deposit that is negative or more than the total."""
        owner = self.customer(customer)
        more.setdefault("subsidiary", owner.subsidiary)
        parts = tuple(lines)
        whole = _whole(parts, more)
        if not 0 <= more.get("deposit", ZERO) <= whole:
            raise LedgerError("invalid", f"a deposit of {more['deposit']} on an invoice over {whole}")
        at = self._instant()
        invoice = Invoice(
            id=self._new_id("transaction"),
            created=at,
            updated=at,
            customer=owner.id,
            currency=owner.currency,
            number=number,
            issued=issued,
            due=due,
            lines=parts,
            **more,
        )
        self.invoices[invoice.id] = invoice
        self._created(invoice)
        self._balance(owner, invoice.claim)
        return invoice

    def issue_credit(
        self, customer: str, lines: Iterable[Line], *, issued: date, number: str | None, **more: Any
    ) -> CreditNote:
        """A new credit note, positive amounts. `more`: tax, rate, memo, extra. Raises LedgerError `invalid` for a negative
        total."""
        owner = self.customer(customer)
        more.setdefault("subsidiary", owner.subsidiary)
        parts = tuple(lines)
        _whole(parts, more)
        at = self._instant()
        credit = CreditNote(
            id=self._new_id("transaction"),
            created=at,
            updated=at,
            customer=owner.id,
            currency=owner.currency,
            number=number,
            issued=issued,
            lines=parts,
            **more,
        )
        self.credits[credit.id] = credit
        self._created(credit)
        self._balance(owner, -credit.total)
        return credit

    def change_document(self, document: Document, **changes: Any) -> None:
        """New values for fields of an invoice or credit note; lines and tax too, as long as what is applied still fits."""
        lines, tax = changes.get("lines", document.lines), changes.get("tax", document.tax)
        before = document.claim
        after = total((*(line.amount for line in lines), tax))
        if isinstance(document, Invoice):
            deposit = changes.get("deposit", document.deposit)
            if deposit < 0:
                raise LedgerError("invalid", f"a deposit of {deposit}")
            after = minus(after, deposit)
        if document.voided and after:
            raise LedgerError("voided", "a voided document has no amounts any more")
        if after < document.applied:
            raise LedgerError("over", "less would be left of the document than is applied to it")
        self._set(document, changes)
        if after != before:
            sign = 1 if isinstance(document, Invoice) else -1
            self._balance(self.customer(document.customer), sign * minus(after, before))

    def void_document(self, document: Document) -> None:
        """Void: all amounts become zero, payments let go of it, it stays in the books."""
        self._unlink("invoice" if isinstance(document, Invoice) else "credit", document.id)
        change = -document.claim if isinstance(document, Invoice) else document.claim
        if document.was is None:
            document.was = (document.lines, document.tax)
        zero = {"amount": ZERO, "quantity": ZERO, "price": ZERO}
        document.lines = tuple(
            Line(description=line.description, account=line.account, **zero) for line in document.lines
        )
        document.tax = ZERO
        if isinstance(document, Invoice):
            document.returned, document.deposit = document.deposit or document.returned, ZERO
        document.voided = True
        document.memo = f"Voided - {document.memo}" if document.memo else "Voided"
        self._touch(document, "voided")
        self._balance(self.customer(document.customer), change)

    def delete_document(self, document: Document) -> None:
        """Delete a document that nothing is applied to. Raises LedgerError `linked`."""
        kind: Literal["invoice", "credit"] = "invoice" if isinstance(document, Invoice) else "credit"
        if self.links[kind, document.id]:
            raise LedgerError("linked", f"payments are applied to {kind} {document.id}: unlink them first")
        table: dict[str, Any] = self.invoices if kind == "invoice" else self.credits
        del table[document.id]
        self._deleted(document)
        self._balance(
            self.customer(document.customer),
            -document.claim if isinstance(document, Invoice) else document.claim,
        )

    # ---- payments

    def receive_payment(
        self,
        customer: str,
        amount: Decimal,
        applications: Sequence[Application] = (),
        *,
        received: date,
        **more: Any,
    ) -> Payment:
        """Money from a customer, applied to documents in the same currency (of sub-customers too). Raises LedgerError `over`
        when more would be applied than there is. `more`: rate, reference, method, memo, extra."""
        owner = self.customer(customer)
        more.setdefault("subsidiary", owner.subsidiary)
        parts = tuple(applications)
        self._check_applications(owner, amount, parts, ())
        at = self._instant()
        payment = Payment(
            id=self._new_id("transaction"),
            created=at,
            updated=at,
            customer=owner.id,
            currency=owner.currency,
            received=received,
            total=amount,
            **more,
        )
        self.payments[payment.id] = payment
        self._created(payment)
        self._apply(payment, parts)
        self._balance(owner, -amount)
        return payment

    def change_payment(self, payment: Payment, **changes: Any) -> None:
        """New values for fields of a payment; `applications` replaces all of them."""
        amount = changes.get("total", payment.total)
        parts = tuple(changes.pop("applications", payment.applications))
        self._check_applications(self.customer(payment.customer), amount, parts, payment.applications)
        before = payment.total
        if parts != payment.applications or amount != before:
            self._remember(payment)
        if parts != payment.applications:
            self._apply(payment, parts)
        self._set(payment, changes)
        if amount != before:
            self._balance(self.customer(payment.customer), minus(before, amount))

    def void_payment(self, payment: Payment) -> None:
        """Void: it lets go of everything and becomes zero."""
        before = payment.total
        self._remember(payment)
        self._apply(payment, ())
        payment.total = ZERO
        payment.voided = True
        payment.memo = f"Voided - {payment.memo}" if payment.memo else "Voided"
        self._touch(payment, "voided")
        self._balance(self.customer(payment.customer), before)

    def delete_payment(self, payment: Payment) -> None:
        """Delete a payment; what it settled is open again."""
        self._remember(payment)
        self._apply(payment, ())
        del self.payments[payment.id]
        self._deleted(payment)
        self._balance(self.customer(payment.customer), payment.total)

    def apply_credit(self, credit: CreditNote, invoice: Invoice, amount: Decimal, *, on: date) -> Payment:
        """Use a credit for an invoice: a payment of zero that names both."""
        parts = (Application("invoice", invoice.id, amount), Application("credit", credit.id, amount))
        return self.receive_payment(invoice.customer, ZERO, parts, received=on, rate=invoice.rate)

    def write_off(self, invoice: Invoice, *, on: date, number: str | None = None) -> CreditNote:
        """Give up on what is open of an invoice: a credit on the bad-debt account, applied by a payment of zero."""
        account = self.account("BadDebts")
        line = Line(invoice.open, f"Write-off of {invoice.number or invoice.id}", account=account.id)
        credit = self.issue_credit(invoice.customer, [line], issued=on, number=number, rate=invoice.rate)
        self.apply_credit(credit, invoice, line.amount, on=on)
        return credit

    # ---- deposits

    def take_deposit(
        self, customer: str, amount: Decimal, *, received: date, number: str | None = None, **more: Any
    ) -> Deposit:
        """Money before there is an invoice. `more`: rate, method, memo, extra. Raises LedgerError `invalid` when it is none, or
        the company takes no deposits."""
        owner = self.customer(customer)
        if not self.settings.deposits:
            raise LedgerError("invalid", "this company takes no deposits: its ERP has no place for them")
        if amount <= 0:
            raise LedgerError("invalid", f"a deposit of {amount}")
        at = self._instant()
        more.setdefault("subsidiary", owner.subsidiary)
        deposit = Deposit(
            id=self._new_id("transaction"),
            created=at,
            updated=at,
            customer=owner.id,
            currency=owner.currency,
            number=number,
            received=received,
            total=amount,
            **more,
        )
        self.deposits[deposit.id] = deposit
        self._created(deposit)
        self._balance(owner, -amount)
        return deposit

    def apply_deposit(self, deposit: Deposit, invoice: Invoice, amount: Decimal, *, on: date) -> Payment:
        """Use a deposit for an invoice: a payment of zero that names both."""
        parts = (Application("invoice", invoice.id, amount), Application("deposit", deposit.id, amount))
        return self.receive_payment(invoice.customer, ZERO, parts, received=on, rate=invoice.rate)

    def void_deposit(self, deposit: Deposit) -> None:
        """Void: what it settled is open again."""
        self._unlink("deposit", deposit.id)
        before = deposit.total
        deposit.total = ZERO
        deposit.voided = True
        self._touch(deposit, "voided")
        self._balance(self.customer(deposit.customer), before)

    def change_record(self, record: Record, **changes: Any) -> None:
        """New values for fields that move no money."""
        if {"total", "amount", "lines", "tax", "applied"} & set(changes):
            raise LedgerError("invalid", "amounts are not changed this way")
        self._set(record, changes)

    # ---- journals and notes

    def post_journal(
        self, customer: str, amount: Decimal, *, posted: date, number: str | None = None, **more: Any
    ) -> Journal:
        """Raise (positive) or lower (negative) what a customer owes. `more`: account, rate, memo, reverses."""
        owner = self.customer(customer)
        at = self._instant()
        more.setdefault("account", self.account("SalesOfProductIncome").id)
        more.setdefault("subsidiary", owner.subsidiary)
        journal = Journal(
            id=self._new_id("transaction"),
            created=at,
            updated=at,
            customer=owner.id,
            currency=owner.currency,
            number=number,
            posted=posted,
            amount=amount,
            **more,
        )
        self.journals[journal.id] = journal
        self._created(journal)
        self._balance(owner, amount)
        return journal

    def reverse_journal(self, journal: Journal, *, on: date, number: str | None = None) -> Journal:
        """The opposite entry. Both stay open, as any two entries do that nothing applies to each other."""
        return self.post_journal(
            journal.customer,
            -journal.amount,
            posted=on,
            number=number,
            account=journal.account,
            rate=journal.rate,
            memo=f"Reversal of {journal.number or journal.id}",
            reverses=("journal", journal.id),
        )

    def reverse_payment(self, payment: Payment, *, on: date, number: str | None = None) -> Journal:
        """Undo a payment and keep it: it lets go of what it settled and settles an entry that takes the money back."""
        if payment.voided or payment.total <= 0:
            raise LedgerError("voided", f"payment {payment.id} has no money")
        journal = self.post_journal(
            payment.customer,
            payment.total,
            posted=on,
            number=number,
            account=self.account("UndepositedFunds").id,
            rate=payment.rate,
            memo=f"Void of payment {payment.id}",
            reverses=("payment", payment.id),
        )
        self.change_payment(
            payment, applications=(Application("journal", journal.id, payment.total),), voided=True
        )
        return journal

    def delete_journal(self, journal: Journal) -> None:
        """Delete a journal entry that nothing is applied to. Raises LedgerError `linked`."""
        if self.links["journal", journal.id]:
            raise LedgerError("linked", f"payments are applied to journal {journal.id}")
        del self.journals[journal.id]
        self._deleted(journal)
        self._balance(self.customer(journal.customer), -journal.amount)

    def add_note(
        self, text: str | None, on: Iterable[tuple[Kind, str]] = (), *, file: str | None = None
    ) -> Note:
        """Hang a note on records. Raises LedgerError `missing` for one there is not."""
        places = tuple(on)
        for kind, identity in places:
            if identity not in self.shelf(kind):
                raise LedgerError("missing", f"there is no {kind} {identity}")
        at = self._instant()
        note = Note(id=self._new_id("note"), created=at, updated=at, text=text, file=file, on=places)
        self.notes[note.id] = note
        self._created(note)
        return note

    def change_note(self, identity: str, **changes: Any) -> Note:
        """New values for fields of a note."""
        note = self.note(identity)
        self._set(note, changes)
        return note

    def delete_note(self, identity: str) -> None:
        """Delete a note."""
        note = self.note(identity)
        del self.notes[note.id]
        self._deleted(note)


def _whole(lines: tuple[Line, ...], more: dict[str, Any]) -> Decimal:
    """The total of a new document."""
    whole = total((*(line.amount for line in lines), more.get("tax", ZERO)))
    if whole < 0:
        raise LedgerError("invalid", f"a document over {whole}")
    return whole
