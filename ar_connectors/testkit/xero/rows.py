"""How is a record written out? Invoices, credit notes, payments and money on account as Xero shows them.

What is left out and what is an empty list follows recorded bodies: texts that are null are left out, lists never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from ar_connectors.testkit.ledger import CreditNote, Customer, Deposit, Invoice, Line, Payment
from ar_connectors.testkit.ledger.money import CENT, ZERO, minus, plus, rounded, total
from ar_connectors.testkit.xero.company import account_code
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.receipts import Receipt
from ar_connectors.testkit.xero.texts import Row, day, day_text, iso, money, rate_of, stamp
from ar_connectors.testkit.xero.view import Applied, Pot, View, status_of

__all__ = ["batch_row", "contact_stub", "credit_row", "invoice_row", "line_rows", "payment_row", "pot_row"]

_THEME: Final = guid("theme", 1)
_NONE: Final = money(ZERO)


def contact_stub(customer: Customer) -> Row:
    """A contact inside a document: only id and name are meant."""
    return {
        "ContactID": guid("contact", customer.id),
        "Name": customer.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def invoice_row(view: View, invoice: Invoice) -> Row:
    """An invoice with its lines and all that settles it."""
    removed = view.removed_at("invoice", invoice.id)
    status = status_of(invoice, deleted=removed is not None)
    lines, tax = invoice.was or (invoice.lines, invoice.tax)
    whole = total((*(line.amount for line in lines), tax))
    alive = status in {"AUTHORISED", "PAID"}
    applied = list(view.applied(invoice)) if alive else []
    paid = total(one.amount for one in applied if one.kind == "Payments")
    updated = removed or invoice.updated
    row: Row = {"Type": "ACCREC", "InvoiceID": guid("invoice", invoice.id)}
    if invoice.number is not None:
        row["InvoiceNumber"] = invoice.number
    row["Reference"] = _memo(invoice)
    for kind in ("Payments", "CreditNotes", "Prepayments", "Overpayments"):
        row[kind] = [_applied(one) for one in applied if one.kind == kind]
    row |= {
        "AmountDue": money(invoice.open) if alive else _NONE,
        "AmountPaid": money(paid),
        "AmountCredited": money(minus(total(one.amount for one in applied), paid)),
        "SentToContact": bool(invoice.extra.get("SentToContact", False)),
        "CurrencyRate": rate_of(invoice.rate),
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "InvoicePaymentServices": [],
        "UpdatedDateUTCString": iso(updated),
        "Contact": contact_stub(view.ledger.customers[invoice.customer]),
        **_day("Date", invoice.issued),
        **_day("DueDate", invoice.due),
        **_day("ExpectedPaymentDate", invoice.expected),
        "BrandingThemeID": _THEME,
        "Status": status,
        **_amounts(view, invoice.id, lines, tax, whole),
        "UpdatedDateUTC": stamp(updated),
        "CurrencyCode": invoice.currency,
    }
    if "Url" in invoice.extra:
        row["Url"] = invoice.extra["Url"]
    if status == "PAID":
        row["FullyPaidOnDate"] = day(max((_settled_on(one) for one in applied), default=invoice.issued))
    return row


def credit_row(view: View, credit: CreditNote) -> Row:
    """A credit note and where it went."""
    removed = view.removed_at("credit", credit.id)
    status = status_of(credit, deleted=removed is not None)
    lines, tax = credit.was or (credit.lines, credit.tax)
    whole = total((*(line.amount for line in lines), tax))
    identity = guid("credit", credit.id)
    updated = removed or credit.updated
    uses = list(view.uses(credit)) if status in {"AUTHORISED", "PAID"} else []
    row: Row = {"CreditNoteID": identity}
    if credit.number is not None:
        row["CreditNoteNumber"] = credit.number
    row |= {
        "SentToContact": False,
        "Payments": [],
        "ID": identity,
        "HasErrors": False,
        "InvoiceAddresses": [],
        "CurrencyRate": rate_of(credit.rate),
        "Type": "ACCRECCREDIT",
        "Reference": _memo(credit),
        "RemainingCredit": money(credit.open) if status == "AUTHORISED" else _NONE,
        "Allocations": [
            _allocation(view, guid("allocation", payment.id, at % 4096), invoice, amount, payment.received)
            for at, (payment, invoice, amount) in enumerate(uses)
        ],
        "HasAttachments": False,
        "UpdatedDateUTCString": iso(updated),
        "Contact": contact_stub(view.ledger.customers[credit.customer]),
        **_day("Date", credit.issued),
        "BrandingThemeID": _THEME,
        "Status": status,
        **_amounts(view, credit.id, lines, tax, whole),
        "UpdatedDateUTC": stamp(updated),
        "CurrencyCode": credit.currency,
    }
    if status == "PAID":
        row["FullyPaidOnDate"] = day(max((payment.received for payment, _, _ in uses), default=credit.issued))
    return row


def payment_row(view: View, payment: Payment, receipt: Receipt) -> Row:
    """A payment of one invoice."""
    invoice = view.ledger.invoices.get(receipt.target[1]) or view.ledger.removed["invoice", receipt.target[1]]
    assert isinstance(invoice, Invoice)  # noqa: S101  that shelf holds nothing else
    updated = receipt.at if receipt.deleted else max(receipt.at, payment.updated)
    row: Row = {"PaymentID": guid("payment", payment.id, receipt.part)}
    if not receipt.deleted and view.batched(payment):
        row["BatchPaymentID"] = guid("batch", payment.id)
        row["BatchPayment"] = {
            "Account": {"AccountID": guid("account", 5)},
            "BatchPaymentID": guid("batch", payment.id),
            "Date": day(payment.received),
            "Type": "RECBATCH",
            "Status": "AUTHORISED",
            # Texts where a number and a boolean belong: so they were recorded.
            "TotalAmount": f"{money(_batch_total(view, payment)):f}",
            "UpdatedDateUTC": stamp(payment.updated),
            "IsReconciled": "false",
        }
    customer = view.ledger.customers[invoice.customer]
    stub = contact_stub(customer)
    return row | {
        "Date": day(payment.received),
        "BankAmount": money(rounded(receipt.amount, payment.rate)),
        "Amount": money(receipt.amount),
        "Reference": payment.reference or "",
        "CurrencyRate": rate_of(payment.rate),
        "PaymentType": "ACCRECPAYMENT",
        "Status": "DELETED" if receipt.deleted else "AUTHORISED",
        "UpdatedDateUTC": stamp(updated),
        "UpdatedDateUTCString": iso(updated),
        "HasAccount": True,
        "IsReconciled": False,
        "Account": {"AccountID": guid("account", 5), "Code": "090"},
        "Invoice": {
            "Type": "ACCREC",
            "InvoiceID": guid("invoice", invoice.id),
            **({"InvoiceNumber": invoice.number} if invoice.number is not None else {}),
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "HasErrors": False,
            "IsDiscounted": False,
            "Contact": stub,
            "LineItems": [],
            "CurrencyCode": invoice.currency,
        },
        "HasValidationErrors": False,
    }


def pot_row(view: View, pot: Pot) -> Row:
    """An overpayment or prepayment and where it went."""
    record = pot.record
    received = record.issued if isinstance(record, Invoice) else record.received
    reference = record.reference or "" if isinstance(record, Payment) else record.number or ""
    row: Row = {
        f"{pot.kind}ID": pot.id,
        "ID": pot.id,
        "Type": f"RECEIVE-{pot.kind.upper()}",
        "Reference": reference,
    }
    allocations = [
        _allocation(view, guid("allocation", record.id, 2048 + at), invoice, amount, received)
        for at, (invoice, amount) in enumerate(pot.allocated.items())
    ]
    return row | {
        "RemainingCredit": money(pot.remaining),
        "Allocations": allocations,
        "Payments": [],
        "HasAttachments": False,
        "Contact": contact_stub(view.ledger.customers[record.customer]),
        **_day("Date", received),
        "Status": pot.status,
        "LineAmountTypes": "NoTax",
        "LineItems": [],
        "SubTotal": money(pot.total),
        "TotalTax": _NONE,
        "Total": money(pot.total),
        "UpdatedDateUTC": stamp(pot.at),
        "UpdatedDateUTCString": iso(pot.at),
        "CurrencyCode": record.currency,
        "CurrencyRate": rate_of(record.rate),
    }


def batch_row(view: View, payment: Payment) -> Row:
    """One line of the bank for several payments."""
    parts = [one for one in view.split(payment).receipts if not one.deleted and one.target[0] == "invoice"]
    return {
        "Account": {"AccountID": guid("account", 5), "CurrencyCode": view.ledger.settings.home_currency},
        "Reference": payment.reference or "",
        "BatchPaymentID": guid("batch", payment.id),
        **_day("Date", payment.received),
        "Payments": [
            {
                "Invoice": {
                    "InvoiceID": guid("invoice", one.target[1]),
                    "CurrencyCode": payment.currency,
                    "Payments": [],
                    "CreditNotes": [],
                    "Prepayments": [],
                    "Overpayments": [],
                    "HasErrors": False,
                    "IsDiscounted": False,
                    "LineItems": [],
                },
                "PaymentID": guid("payment", payment.id, one.part),
                "Amount": money(one.amount),
                "BankAmount": money(rounded(one.amount, payment.rate)),
            }
            for one in parts
        ],
        "Type": "RECBATCH",
        "Status": "AUTHORISED",
        "TotalAmount": money(_batch_total(view, payment)),
        "UpdatedDateUTC": stamp(payment.updated),
        "IsReconciled": False,
    }


def line_rows(view: View, document: str, lines: Sequence[Line], tax: Decimal) -> list[Row]:
    """Lines with their share of the tax; the last one takes what rounding leaves."""
    net = total(line.amount for line in lines)
    left = tax
    rows = []
    for at, line in enumerate(lines):
        last = at == len(lines) - 1
        share = left if last or not net else (line.amount * tax / net).quantize(CENT)
        left = minus(left, share)
        price = line.price if line.price is not None else line.amount
        rows.append(
            {
                "Description": line.description,
                "UnitAmount": money(price),
                "TaxType": "OUTPUT" if tax else "NONE",
                "TaxAmount": money(share),
                "LineAmount": money(line.amount),
                "AccountCode": account_code(view.ledger, line.account),
                "Tracking": [],
                "Quantity": money(line.quantity) if line.quantity is not None else Decimal("1.0000"),
                "LineItemID": guid("line", document, at),
            }
        )
    return rows


# ---- inside


def _amounts(view: View, document: str, lines: Sequence[Line], tax: Decimal, whole: Decimal) -> Row:
    return {
        "LineAmountTypes": "Exclusive" if tax else "NoTax",
        "LineItems": line_rows(view, document, lines, tax),
        "SubTotal": money(minus(whole, tax)),
        "TotalTax": money(tax),
        "Total": money(whole),
    }


def _memo(document: Invoice | CreditNote) -> str:
    """The reference. The books mark what was voided in the memo, Xero does so in the status."""
    text = document.memo or ""
    if document.voided:
        return "" if text == "Voided" else text.removeprefix("Voided - ")
    return text


def _day(name: str, value: date | None) -> Row:
    """A day and its twin; neither when there is none."""
    return {} if value is None else {f"{name}String": day_text(value), name: day(value)}


def _settled_on(one: Applied) -> date:
    record = one.record
    if isinstance(record, Payment | Deposit):
        return record.received
    return record.issued if isinstance(record, Invoice | CreditNote) else record.updated.date()


def _applied(one: Applied) -> Row:
    """What settles an invoice, inside of it."""
    record = one.record
    if one.kind == "Payments" and isinstance(record, Payment):
        return {
            "PaymentID": one.id,
            "Date": day(record.received),
            "Amount": money(one.amount),
            **({"Reference": record.reference} if record.reference else {}),
            "CurrencyRate": rate_of(record.rate),
            "HasAccount": False,
            "HasValidationErrors": False,
        }
    singular = one.kind.removesuffix("s")
    row: Row = {f"{singular}ID": one.id}
    if isinstance(record, CreditNote) and record.number is not None:
        row["CreditNoteNumber"] = record.number
    whole = record.deposit if isinstance(record, Invoice) else getattr(record, "total", ZERO)
    return row | {
        "ID": one.id,
        "HasErrors": False,
        **({"InvoiceAddresses": []} if one.kind == "CreditNotes" else {}),
        "CurrencyRate": rate_of(getattr(record, "rate", Decimal(1))),
        "AppliedAmount": money(one.amount),
        **_day("Date", _settled_on(one)),
        "LineItems": [],
        "Total": money(whole),
    }


def _allocation(view: View, identity: str, invoice: str, amount: Decimal, on: date) -> Row:
    number = view.ledger.invoices[invoice].number if invoice in view.ledger.invoices else None
    return {
        "AllocationID": identity,
        "Amount": money(amount),
        "Date": day(on),
        "Invoice": {
            "InvoiceID": guid("invoice", invoice),
            **({"InvoiceNumber": number} if number is not None else {}),
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "IsDiscounted": False,
            "InvoiceAddresses": [],
            "HasErrors": False,
            "InvoicePaymentServices": [],
            "LineItems": [],
        },
        "IsDeleted": False,
    }


def _batch_total(view: View, payment: Payment) -> Decimal:
    whole = ZERO
    for one in view.split(payment).receipts:
        if not one.deleted and one.target[0] == "invoice":
            whole = plus(whole, one.amount)
    return whole
