"""What is where at Xero? The books seen in Xero's terms: which rows each endpoint has, and how records hang together there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ar_connectors.testkit.ledger import CreditNote, Customer, Deposit, Invoice, Ledger, Payment
from ar_connectors.testkit.ledger.money import ZERO, minus, plus
from ar_connectors.testkit.ledger.records import Kind, Record
from ar_connectors.testkit.xero.groups import Groups
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.receipts import OnAccount, Receipt, Split, split
from ar_connectors.testkit.xero.side import Side

__all__ = ["Applied", "Entry", "Pot", "View", "status_of"]


class Pot(NamedTuple):
    """An overpayment or prepayment, wherever it comes from: what is left of a payment, a deposit, or money taken off an invoice
    before it was written."""

    id: str
    kind: str
    """Overpayment or Prepayment."""
    record: Payment | Deposit | Invoice
    total: Decimal
    remaining: Decimal
    status: str
    at: datetime
    allocated: Mapping[str, Decimal]
    """Invoice in the books to amount."""


class Applied(NamedTuple):
    """Something that settles a part of an invoice."""

    kind: str
    """Payments, CreditNotes, Overpayments or Prepayments: the list it stands in."""
    id: str
    amount: Decimal
    record: Record


class Entry(NamedTuple):
    """A row there is, before it is written out."""

    id: str
    updated: datetime
    record: Any
    """A record of the books, a `Pot`, a (payment, receipt), or a row that is kept as such."""
    facts: dict[str, Any]
    """The fields that are cheap to tell, as `where` names them."""


PRIMARY: Final = {
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Contacts": "ContactID",
    "Payments": "PaymentID",
    "Prepayments": "PrepaymentID",
    "Overpayments": "OverpaymentID",
    "BatchPayments": "BatchPaymentID",
}
"""The endpoints that are lists of rows, and the field that names one."""


class View:
    """The books of one company as Xero shows them. Its user holds the lock of the books.

    Args:
        ledger: the books.
        side: what Xero has and the books do not: bills, suppliers, drafts.
        groups: contact groups.
    """

    def __init__(self, ledger: Ledger, side: Side, groups: Groups) -> None:
        self.ledger = ledger
        self.side = side
        self.groups = groups
        self._splits: dict[str, tuple[int, Split]] = {}
        self._entries: dict[str, tuple[tuple[int, int], list[Entry]]] = {}
        self._balances: tuple[int, dict[str, tuple[Decimal, Decimal]]] = (-1, {})

    @property
    def state(self) -> tuple[int, int]:
        """Changes whenever any row may look different."""
        return (self.ledger.revision, self.side.revision + self.groups.revision)

    # ---- money

    def split(self, payment: Payment) -> Split:
        """A payment of the books in Xero's terms."""
        kept = self._splits.get(payment.id)
        if kept is not None and kept[0] == payment.revision:
            return kept[1]
        gone = self.removed_at("payment", payment.id)
        made = split(payment, gone)
        self._splits[payment.id] = (payment.revision, made)
        return made

    def removed_at(self, kind: Kind, identity: str) -> datetime | None:
        """When a record was deleted in the books; None while it is there."""
        if (kind, identity) not in self.ledger.removed:
            return None
        return next(
            one.at for one in reversed(self.ledger.deletions) if (one.kind, one.id) == (kind, identity)
        )

    def applied(self, invoice: Invoice) -> Iterator[Applied]:
        """All that settles a part of an invoice."""
        for identity in sorted(self.ledger.links.get(("invoice", invoice.id), ()), key=int):
            payment = self.ledger.payments[identity]
            found = self.split(payment)
            for receipt in found.receipts:
                if receipt.target == ("invoice", invoice.id) and not receipt.deleted:
                    yield Applied(
                        "Payments", guid("payment", identity, receipt.part), receipt.amount, payment
                    )
            for pot in found.on_account:
                if invoice.id in pot.allocated:
                    amount = pot.allocated[invoice.id]
                    yield Applied(f"{pot.kind}s", guid("onaccount", identity, pot.part), amount, payment)
            for one in found.allocations:
                if one.invoice == invoice.id:
                    yield self._allocated(one.by, one.amount)
        if invoice.deposit:
            yield Applied("Prepayments", guid("onaccount", invoice.id), invoice.deposit, invoice)

    def _allocated(self, by: tuple[str, str], amount: Decimal) -> Applied:
        if by[0] == "credit":
            return Applied("CreditNotes", guid("credit", by[1]), amount, self.ledger.credit(by[1]))
        return Applied("Prepayments", guid("onaccount", by[1]), amount, self.ledger.deposit(by[1]))

    def uses(self, credit: CreditNote | Deposit) -> Iterator[tuple[Payment, str, Decimal]]:
        """Where a credit note or deposit went: the payment of zero that says so, the invoice, the amount."""
        kind = "credit" if isinstance(credit, CreditNote) else "deposit"
        for identity in sorted(self.ledger.links.get((kind, credit.id), ()), key=int):
            payment = self.ledger.payments[identity]
            for one in self.split(payment).allocations:
                if one.by == (kind, credit.id):
                    yield payment, one.invoice, one.amount

    def pots(self) -> Iterator[Pot]:
        """All overpayments and prepayments."""
        for payment in self._all("payment", self.ledger.payments):
            for pot in self.split(payment).on_account:
                yield self._pot(payment, pot)
        for deposit in self.ledger.deposits.values():
            status = "VOIDED" if deposit.voided else "AUTHORISED" if deposit.open else "PAID"
            allocated: dict[str, Decimal] = {}
            for _, used, amount in self.uses(deposit):
                allocated[used] = plus(allocated.get(used, ZERO), amount)
            yield Pot(
                guid("onaccount", deposit.id), "Prepayment", deposit, deposit.total, deposit.open, status, deposit.updated,
                allocated,
            )  # fmt: skip
        for invoice in self._all("invoice", self.ledger.invoices):
            if invoice.deposit or invoice.returned:
                yield self._deposited(invoice)

    def _deposited(self, invoice: Invoice) -> Pot:
        """The prepayment that a deposit on an invoice is; voided with it."""
        identity, gone = guid("onaccount", invoice.id), self.removed_at("invoice", invoice.id)
        if gone is None and not invoice.voided:
            whole, given = invoice.deposit, {invoice.id: invoice.deposit}
            return Pot(identity, "Prepayment", invoice, whole, ZERO, "PAID", invoice.created, given)
        whole = invoice.deposit or invoice.returned
        return Pot(identity, "Prepayment", invoice, whole, ZERO, "VOIDED", gone or invoice.updated, {})

    @staticmethod
    def _pot(payment: Payment, pot: OnAccount) -> Pot:
        status = "VOIDED" if pot.voided else "AUTHORISED" if pot.remaining else "PAID"
        return Pot(
            guid("onaccount", payment.id, pot.part),
            pot.kind,
            payment,
            pot.total,
            pot.remaining,
            status,
            pot.at,
            pot.allocated,
        )

    def _all(self, kind: Kind, table: Mapping[str, Any]) -> Iterator[Any]:
        """What is in the books and what was deleted from them."""
        yield from table.values()
        for (removed, _), record in self.ledger.removed.items():
            if removed == kind:
                yield record

    def balances(self, customer: str, today: date) -> tuple[Decimal, Decimal]:
        """What a contact owes and how much of that is overdue, credits and money on account taken off the former."""
        if self._balances[0] != self.ledger.revision:
            sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
            for invoice in self.ledger.invoices.values():
                if invoice.open:
                    both = sums[invoice.customer]
                    both[0] = plus(both[0], invoice.open)
                    if (invoice.due or invoice.issued) < today:
                        both[1] = plus(both[1], invoice.open)
            for credit in self.ledger.credits.values():
                sums[credit.customer][0] = minus(sums[credit.customer][0], credit.open)
            for pot in self.pots():
                sums[pot.record.customer][0] = minus(sums[pot.record.customer][0], pot.remaining)
            self._balances = (self.ledger.revision, {one: (owed, due) for one, (owed, due) in sums.items()})
        return self._balances[1].get(customer, (ZERO, ZERO))

    # ---- rows

    def entries(self, endpoint: str) -> list[Entry]:
        """All rows of an endpoint in Xero's order: by UpdatedDateUTC, then by id."""
        kept = self._entries.get(endpoint)
        if kept is not None and kept[0] == self.state:
            return kept[1]
        found = [*self._of_books(endpoint), *self._of_side(endpoint)]
        found.sort(key=lambda one: (one.updated, one.id))
        self._entries[endpoint] = (self.state, found)
        return found

    def find(self, endpoint: str, identity: str) -> Entry | None:
        """The row of an id."""
        return next((one for one in self.entries(endpoint) if one.id == identity), None)

    def _of_books(self, endpoint: str) -> Iterator[Entry]:
        match endpoint:
            case "Invoices":
                yield from map(self._invoice, self._all("invoice", self.ledger.invoices))
            case "CreditNotes":
                yield from map(self._credit, self._all("credit", self.ledger.credits))
            case "Contacts":
                yield from map(_contact, self.ledger.customers.values())
            case "Payments":
                yield from self._receipts()
            case "BatchPayments":
                yield from map(_batch, filter(self.batched, self.ledger.payments.values()))
            case _:
                yield from (_on_account(pot) for pot in self.pots() if f"{pot.kind}s" == endpoint)

    def _receipts(self) -> Iterator[Entry]:
        for payment in self._all("payment", self.ledger.payments):
            for receipt in self.split(payment).receipts:
                if receipt.target[0] == "invoice":
                    yield self._receipt(payment, receipt)

    def _of_side(self, endpoint: str) -> Iterator[Entry]:
        key = PRIMARY[endpoint]
        for updated, row in self.side.rows(endpoint):
            contact = row.get("Contact") or {}
            facts = {key: row[key], "Contact.ContactID": contact.get("ContactID")}
            facts |= {
                name: row[name] for name in ("Type", "Status", "ContactStatus", "PaymentType") if name in row
            }
            yield Entry(row[key], updated, row, facts)

    def batched(self, payment: Payment) -> bool:
        """Whether a payment is one line of the bank for several documents."""
        live = [one for one in self.split(payment).receipts if not one.deleted and one.target[0] == "invoice"]
        return len(live) > 1

    def _invoice(self, invoice: Invoice) -> Entry:
        identity = guid("invoice", invoice.id)
        removed = self.removed_at("invoice", invoice.id)
        status = status_of(invoice, deleted=removed is not None)
        facts = {
            "InvoiceID": identity,
            "Type": "ACCREC",
            "Status": status,
            "InvoiceNumber": invoice.number,
            "Contact.ContactID": guid("contact", invoice.customer),
            "AmountDue": invoice.open if status in {"AUTHORISED", "PAID"} else ZERO,
            "Date": invoice.issued,
            "DueDate": invoice.due,
            "CurrencyCode": invoice.currency,
        }
        return Entry(identity, removed or invoice.updated, invoice, facts)

    def _credit(self, credit: CreditNote) -> Entry:
        identity = guid("credit", credit.id)
        removed = self.removed_at("credit", credit.id)
        facts = {
            "CreditNoteID": identity,
            "Type": "ACCRECCREDIT",
            "Status": status_of(credit, deleted=removed is not None),
            "CreditNoteNumber": credit.number,
            "Contact.ContactID": guid("contact", credit.customer),
            "Date": credit.issued,
        }
        return Entry(identity, removed or credit.updated, credit, facts)

    def _receipt(self, payment: Payment, receipt: Receipt) -> Entry:
        identity = guid("payment", payment.id, receipt.part)
        facts = {
            "PaymentID": identity,
            "PaymentType": "ACCRECPAYMENT",
            "Status": "DELETED" if receipt.deleted else "AUTHORISED",
            "Reference": payment.reference or "",
            "Invoice.InvoiceID": guid("invoice", receipt.target[1]),
            "Date": payment.received,
            "Amount": receipt.amount,
        }
        # Xero moves the instant of a payment when anything about it changes, reconciling too.
        updated = receipt.at if receipt.deleted else max(receipt.at, payment.updated)
        return Entry(identity, updated, (payment, receipt), facts)


def _contact(customer: Customer) -> Entry:
    identity = guid("contact", customer.id)
    status = "ACTIVE" if customer.active else "ARCHIVED"
    email = (customer.email or "").split(",")[0]
    facts = {"ContactID": identity, "ContactStatus": status, "Name": customer.name, "EmailAddress": email}
    return Entry(identity, customer.updated, customer, facts)


def _batch(payment: Payment) -> Entry:
    identity = guid("batch", payment.id)
    facts = {"BatchPaymentID": identity, "Status": "AUTHORISED", "Type": "RECBATCH"}
    return Entry(identity, payment.updated, payment, facts)


def _on_account(pot: Pot) -> Entry:
    facts = {
        f"{pot.kind}ID": pot.id,
        "Type": f"RECEIVE-{pot.kind.upper()}",
        "Status": pot.status,
        "Contact.ContactID": guid("contact", pot.record.customer),
        "RemainingCredit": pot.remaining,
    }
    return Entry(pot.id, pot.at, pot, facts)


def status_of(document: Invoice | CreditNote, *, deleted: bool = False) -> str:
    """A document's Status."""
    if deleted:
        return "DELETED"
    if document.voided:
        return "VOIDED"
    return "AUTHORISED" if document.open or not document.total else "PAID"
