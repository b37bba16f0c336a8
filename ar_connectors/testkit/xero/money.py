"""What may a client do with money? Payments, credit notes, and what is allocated to invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from ar_connectors.testkit.ledger import Application, CreditNote, Deposit, Invoice, Payment
from ar_connectors.testkit.ledger.money import plus
from ar_connectors.testkit.xero.bodies import Step, amount, day_in, inner, text
from ar_connectors.testkit.xero.errors import Invalid, Refused
from ar_connectors.testkit.xero.ids import guid, parse
from ar_connectors.testkit.xero.texts import Row, day, money
from ar_connectors.testkit.xero.view import Entry, Pot
from ar_connectors.testkit.xero.writes import Writes

__all__ = ["MoneyWrites"]


class MoneyWrites:
    """Writes of money for one company. Its user holds the lock."""

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        self.view = writes.view

    def payment(self, row: Row) -> Step:
        """What one element of POST or PUT /Payments asks for: money for one invoice. Raises Invalid."""
        ledger = self.view.ledger
        invoice = self._invoice(inner(row, "Invoice"))
        paid, on = amount(row, "Amount"), day_in(row, "Date") or ledger.now().date()
        account = inner(row, "Account")
        if not account.get("AccountID") and not account.get("Code"):
            raise Invalid("Account must be specified")
        if paid is None or paid <= 0:
            raise Invalid("Payment amount must be greater than zero")
        if paid > invoice.open:
            raise Invalid("Payment amount exceeds the amount outstanding on this document")
        reference = text(row, "Reference", longest=255)

        def receive() -> Row:
            part = Application("invoice", invoice.id, paid)
            payer = self.view.ledger.invoices[invoice.id].customer
            made = ledger.receive_payment(
                payer, paid, [part], received=on, rate=invoice.rate, reference=reference
            )
            return self._row("Payments", guid("payment", made.id, 0))

        return receive

    def delete_payment(self, entry: Entry, row: Row) -> Row:
        """POST /Payments/{id} with Status DELETED: the only change a payment knows. Raises Invalid."""
        if text(row, "Status") != "DELETED":
            raise Invalid("A payment can only be deleted.")
        if isinstance(entry.record, dict):
            raise Invalid("This emulator does not delete payments of bills.")
        payment, receipt = entry.record
        if receipt.deleted:
            raise Invalid("Payment has already been deleted.")
        live = [one for one in self.view.split(payment).receipts if not one.deleted]
        if len(live) == 1 and not any(
            pot.total for pot in self.view.split(payment).on_account if not pot.voided
        ):
            self.view.ledger.delete_payment(payment)
        else:
            kept = tuple(part for part in payment.applications if (part.kind, part.id) != receipt.target)
            left = payment.total - receipt.amount
            self.view.ledger.change_payment(payment, applications=kept, total=left)
        return self._row("Payments", entry.id)

    def credit(self, row: Row) -> Step:
        """What one element of POST or PUT /CreditNotes asks for: a new approved credit note. Raises Invalid."""
        if text(row, "Type") != "ACCRECCREDIT":
            raise Invalid("This emulator makes no credit notes but ACCRECCREDIT.")
        if row.get("CreditNoteID"):
            raise Invalid("This emulator does not change credit notes.")
        if text(row, "Status") != "AUTHORISED":
            raise Invalid("This emulator makes credit notes only as AUTHORISED.")
        customer = self.writes.customer(inner(row, "Contact"))
        lines = self.writes._lines(row)  # noqa: SLF001  one package, one way to read lines
        ledger = self.view.ledger
        issued, number = (
            day_in(row, "Date") or ledger.now().date(),
            text(row, "CreditNoteNumber", longest=255),
        )

        def issue() -> Row:
            made = ledger.issue_credit(
                customer.id, lines, issued=issued, number=number or f"CN-{ledger.revision:04}"
            )
            return self._row("CreditNotes", guid("credit", made.id))

        return issue

    def allocation(self, entry: Entry, row: Row) -> Step:
        """What one element of PUT .../Allocations asks for. Raises Invalid."""
        invoice = self._invoice(inner(row, "Invoice"))
        used, on = amount(row, "Amount"), day_in(row, "Date") or self.view.ledger.now().date()
        record = entry.record.record if isinstance(entry.record, Pot) else entry.record
        left = (
            entry.record.remaining if isinstance(entry.record, Pot) else getattr(record, "open", Decimal(0))
        )
        if used is None or not 0 < used <= min(left, invoice.open):
            raise Invalid(
                "The amount to allocate exceeds the remaining credit or the amount due on the invoice"
            )

        def allocate() -> Row:
            self._allocate(record, invoice, used, on)
            return {
                "Amount": money(used),
                "Date": day(on),
                "Invoice": {"InvoiceID": guid("invoice", invoice.id)},
            }

        return allocate

    def _allocate(self, record: Any, invoice: Invoice, used: Decimal, on: date) -> None:
        ledger = self.view.ledger
        if isinstance(record, CreditNote):
            ledger.apply_credit(record, invoice, used, on=on)
        elif isinstance(record, Deposit):
            ledger.apply_deposit(record, invoice, used, on=on)
        elif isinstance(record, Payment):
            parts = list(record.applications)
            same = next(
                (at for at, one in enumerate(parts) if (one.kind, one.id) == ("invoice", invoice.id)), None
            )
            if same is None:
                parts.append(Application("invoice", invoice.id, used))
            else:
                parts[same] = Application("invoice", invoice.id, plus(parts[same].amount, used))
            ledger.change_payment(record, applications=tuple(parts))
        else:
            raise Invalid("There is nothing left to allocate")

    def _invoice(self, row: Row) -> Invoice:
        known = parse("invoice", row.get("InvoiceID"))
        ledger = self.view.ledger
        found = ledger.invoices.get(known[0]) if known is not None else None
        if found is None and row.get("InvoiceNumber"):
            found = next(
                (one for one in ledger.invoices.values() if one.number == row["InvoiceNumber"]), None
            )
        if found is None:
            raise Invalid("Invoice could not be found")
        if found.voided:
            raise Invalid("Invoice is not of valid status for payment")
        return found

    def _row(self, endpoint: str, identity: str) -> Row:
        entry = self.view.find(endpoint, identity)
        if entry is None:
            raise Refused(500, "the emulator lost a row it has just made", "text/plain")
        return self.writes.lists.as_row(endpoint, entry)
