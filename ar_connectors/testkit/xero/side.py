"""What is at Xero that is no receivable? Bills, their payments, suppliers; and drafts, which owe nothing yet.

Rows are kept as they go out. A connector for receivables must tell them apart and leave them alone.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.names import GOODS, company_name
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.texts import Row, day, day_text, iso, money, stamp

__all__ = ["Side"]

_SUPPLIER: Final = 900_000
"""Numbers from which suppliers are counted, out of the way of the books."""


class Side:
    """Rows beside the books.

    Args:
        seed: the same seed gives the same rows.
        end: when the company's history ends.
        bills: how many bills there are.
        currency: of the company.
    """

    def __init__(self, seed: str, end: datetime, bills: int, currency: str) -> None:
        self.revision = 0
        self._rows: defaultdict[str, dict[str, tuple[datetime, Row]]] = defaultdict(dict)
        self._made = 0
        chance = random.Random(f"{seed}/bills")
        suppliers = [self._supplier(chance, number, end) for number in range(min(5, bills))]
        for number in range(bills):
            self._bill(chance, number, end, suppliers[number % len(suppliers)], currency)

    def add_refund(self, contact: Row, currency: str, at: datetime, *, credit: bool) -> None:
        """A credit note or an overpayment that was paid back to the customer, and the payment that did it: nothing is left."""
        amount = money(Decimal(4200 + 100 * self._made) / 100)
        identity, payment = self.new_id(), self.new_id()
        name, endpoint = ("CreditNote", "CreditNotes") if credit else ("Overpayment", "Overpayments")
        head: Row = {"PaymentID": payment, "Date": day(at.date()), "Amount": amount}
        document: Row = {
            f"{name}ID": identity,
            **({"CreditNoteNumber": f"CN-R{self._made}"} if credit else {}),
            "ID": identity,
            "Type": "ACCRECCREDIT" if credit else "RECEIVE-OVERPAYMENT",
            "Reference": "Paid back",
            "RemainingCredit": money(Decimal(0)),
            "Allocations": [],
            "Payments": [{**head, "HasAccount": False, "HasValidationErrors": False}],
            "HasAttachments": False,
            "Contact": contact,
            "DateString": day_text(at.date()),
            "Date": day(at.date()),
            "Status": "PAID",
            "LineAmountTypes": "NoTax",
            "LineItems": [_line(identity, "Paid back", amount)] if credit else [],
            "SubTotal": amount,
            "TotalTax": money(Decimal(0)),
            "Total": amount,
            "UpdatedDateUTCString": iso(at),
            "CurrencyCode": currency,
            "CurrencyRate": Decimal("1.000000"),
        }
        self.put(endpoint, identity, document, at)
        back: Row = {
            **head,
            "BankAmount": amount,
            "Reference": "",
            "CurrencyRate": Decimal("1.000000"),
            "PaymentType": "ARCREDITPAYMENT" if credit else "AROVERPAYMENTPAYMENT",
            "Status": "AUTHORISED",
            "UpdatedDateUTCString": iso(at),
            "HasAccount": True,
            "IsReconciled": False,
            "Account": {"AccountID": guid("account", 5), "Code": "090"},
            name: {f"{name}ID": identity, "Contact": contact, "CurrencyCode": currency},
            "HasValidationErrors": False,
        }
        self.put("Payments", payment, back, at)

    def rows(self, endpoint: str) -> Iterable[tuple[datetime, Row]]:
        """The rows of an endpoint, each with its instant."""
        return self._rows[endpoint].values()

    def row(self, endpoint: str, identity: str) -> Row | None:
        """The row of an id."""
        found = self._rows[endpoint].get(identity)
        return found[1] if found is not None else None

    def put(self, endpoint: str, identity: str, row: Row, at: datetime) -> None:
        """Keep a row, new or changed."""
        row["UpdatedDateUTC"] = stamp(at)
        self._rows[endpoint][identity] = (at, row)
        self.revision += 1

    def drop(self, endpoint: str, identity: str) -> None:
        """Forget a row: a draft that was approved is in the books now."""
        del self._rows[endpoint][identity]
        self.revision += 1

    def new_id(self) -> str:
        """An id for a new row."""
        self._made += 1
        return guid("side", self._made)

    def _supplier(self, chance: random.Random, number: int, end: datetime) -> Row:
        at = end - timedelta(days=chance.randint(300, 800))
        identity = guid("contact", _SUPPLIER + number)
        row: Row = {
            "ContactID": identity,
            "ContactStatus": "ACTIVE",
            "Name": f"{company_name(chance, number)} Supplies",
            "EmailAddress": f"sales.{number}@supplier.example",
            "BankAccountDetails": "",
            "Addresses": [],
            "Phones": [],
            "ContactGroups": [],
            "IsSupplier": True,
            "IsCustomer": False,
            "ContactPersons": [],
            "HasAttachments": False,
            "HasValidationErrors": False,
        }
        self.put("Contacts", identity, row, at.replace(microsecond=0))
        return row

    def _bill(self, chance: random.Random, number: int, end: datetime, supplier: Row, currency: str) -> None:
        at = (end - timedelta(days=chance.randint(1, 600), minutes=chance.randint(0, 1000))).replace(
            microsecond=0
        )
        amount = money(Decimal(chance.randint(1000, 500_000)) / 100)
        paid = chance.random() < 0.6
        issued = at.date()
        due = issued + timedelta(days=20)
        contact = {name: supplier[name] for name in ("ContactID", "Name")}
        stub: Row = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
        stub |= {"HasValidationErrors": False}
        identity = self.new_id()
        row: Row = {
            "Type": "ACCPAY",
            "InvoiceID": identity,
            "InvoiceNumber": f"B-{number:05}",
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "AmountDue": money(Decimal(0)) if paid else amount,
            "AmountPaid": amount if paid else money(Decimal(0)),
            "AmountCredited": money(Decimal(0)),
            "CurrencyRate": Decimal("1.000000"),
            "IsDiscounted": False,
            "HasAttachments": False,
            "HasErrors": False,
            "InvoicePaymentServices": [],
            "Contact": {**contact, **stub},
            "DateString": day_text(issued),
            "Date": day(issued),
            "DueDateString": day_text(due),
            "DueDate": day(due),
            "Status": "PAID" if paid else "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [_line(identity, chance.choice(GOODS), amount)],
            "SubTotal": amount,
            "TotalTax": money(Decimal(0)),
            "Total": amount,
            "UpdatedDateUTCString": iso(at),
            "CurrencyCode": currency,
        }
        if not paid:
            row["PlannedPaymentDateString"], row["PlannedPaymentDate"] = day_text(due), day(due)
        else:
            row["FullyPaidOnDate"] = day(issued)
            self._bill_payment(row, contact, amount, at)
        self.put("Invoices", identity, row, at)

    def _bill_payment(self, bill: Row, contact: Row, amount: Decimal, at: datetime) -> None:
        identity = self.new_id()
        head: Row = {"PaymentID": identity, "Date": bill["Date"], "Amount": amount}
        bill["Payments"] = [
            {**head, "CurrencyRate": Decimal("1.000000"), "HasAccount": False, "HasValidationErrors": False}
        ]
        payment: Row = {
            **head,
            "BankAmount": amount,
            "CurrencyRate": Decimal("1.000000"),
            "PaymentType": "ACCPAYPAYMENT",
            "Status": "AUTHORISED",
            "UpdatedDateUTCString": iso(at),
            "HasAccount": True,
            "IsReconciled": False,
            "Account": {"AccountID": guid("account", 5), "Code": "090"},
            "Invoice": {
                "Type": "ACCPAY",
                "InvoiceID": bill["InvoiceID"],
                "InvoiceNumber": bill["InvoiceNumber"],
                "Payments": [],
                "CreditNotes": [],
                "Prepayments": [],
                "Overpayments": [],
                "HasErrors": False,
                "IsDiscounted": False,
                "Contact": contact,
                "LineItems": [],
                "CurrencyCode": bill["CurrencyCode"],
            },
            "HasValidationErrors": False,
        }
        self.put("Payments", identity, payment, at)


def _line(document: str, text: str, amount: Decimal) -> dict[str, Any]:
    return {
        "Description": text,
        "UnitAmount": amount,
        "TaxType": "NONE",
        "TaxAmount": money(Decimal(0)),
        "LineAmount": amount,
        "AccountCode": "300",
        "Tracking": [],
        "Quantity": Decimal("1.0000"),
        "LineItemID": guid("line", int(document[-12:-3], 16), 4000),
    }
