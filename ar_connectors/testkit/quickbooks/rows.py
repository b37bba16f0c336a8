"""How does a record of the books look in QuickBooks? One function per entity, record in, wire row out.

Field sets and spellings follow recorded sandbox bodies and Intuit's reference (docs/fidelity.md). What has no value is left
out, as QuickBooks does; nothing is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger.book import Ledger
from ar_connectors.testkit.ledger.money import ZERO, rounded, total
from ar_connectors.testkit.ledger.records import (
    Account,
    CreditNote,
    Customer,
    Document,
    Invoice,
    Item,
    Journal,
    Kind,
    Line,
    Note,
    Payment,
    Record,
    Term,
)
from ar_connectors.testkit.quickbooks.texts import currency, money, reference, stamp

__all__ = ["ENTITIES", "KINDS", "Row", "deleted_stub", "row_of"]

Row = dict[str, Any]

ENTITIES: Final[Mapping[str, Kind]] = {
    "Invoice": "invoice",
    "CreditMemo": "credit",
    "Payment": "payment",
    "Customer": "customer",
    "JournalEntry": "journal",
    "Attachable": "note",
    "Term": "term",
    "Account": "account",
    "Item": "item",
}
"""Wire names of what the books hold."""
KINDS: Final[Mapping[str, str]] = {kind: name for name, kind in ENTITIES.items()}


def row_of(ledger: Ledger, record: Record) -> Row:
    """The wire row of a record."""
    return _WRITERS[type(record)](ledger, record)


def deleted_stub(identity: str, at: str | None = None) -> Row:
    """What is left of a deleted record: in the answer to a delete, and with an instant in the change feed."""
    stub: Row = {"domain": "QBO", "status": "Deleted", "Id": identity}
    if at is not None:
        stub["MetaData"] = {"LastUpdatedTime": at}
    return stub


def _head(record: Record) -> Row:
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": record.id,
        "SyncToken": str(record.version),
        "MetaData": {"CreateTime": stamp(record.created), "LastUpdatedTime": stamp(record.updated)},
    }


def _foreign(ledger: Ledger, code: str, rate: Decimal) -> Row:
    """Currency fields: CurrencyRef always (recorded), ExchangeRate only in a multicurrency company."""
    row: Row = {"CurrencyRef": currency(code)}
    if ledger.settings.multicurrency:
        row["ExchangeRate"] = rate
    return row


def _who(ledger: Ledger, identity: str) -> dict[str, str]:
    return reference(identity, ledger.customers[identity].name)


def _sales_line(ledger: Ledger, number: int, line: Line, *, taxed: bool) -> Row:
    item = ledger.item_of(line.account)
    detail: Row = {"ItemRef": reference(item.id, item.name)}
    if line.account:
        detail["ItemAccountRef"] = reference(line.account, ledger.accounts[line.account].name)
    if line.price is not None:
        detail["UnitPrice"] = line.price
    if line.quantity is not None:
        detail["Qty"] = line.quantity
    detail["TaxCodeRef"] = reference("TAX" if taxed else "NON")
    row: Row = {"Id": str(number), "LineNum": number}
    if line.description:
        row["Description"] = line.description
    row["Amount"] = money(line.amount)
    row["DetailType"] = "SalesItemLineDetail"
    row["SalesItemLineDetail"] = detail
    return row


def _lines(ledger: Ledger, document: Document) -> list[Row]:
    taxed = bool(document.tax)
    rows = [
        _sales_line(ledger, number, line, taxed=taxed) for number, line in enumerate(document.lines, start=1)
    ]
    # The subtotal is appended by QuickBooks and has no Id.
    rows.append({"Amount": money(document.net), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    return rows


def _tax(document: Document) -> Row:
    tax: Row = {"TotalTax": money(document.tax)}
    if document.tax:
        detail = {"TaxRateRef": reference("3"), "PercentBased": True, "TaxPercent": Decimal("8.25")}
        detail["NetAmountTaxable"] = money(document.net)
        tax["TaxLine"] = [
            {"Amount": money(document.tax), "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
        ]
    return tax


def _sales(ledger: Ledger, document: Document) -> Row:
    row = _head(document)
    fields = document.extra.get("CustomField")
    row["CustomField"] = (
        fields if fields is not None else [{"DefinitionId": "1", "Name": "Stage", "Type": "StringType"}]
    )
    if document.number is not None:
        row["DocNumber"] = document.number
    row["TxnDate"] = document.issued.isoformat()
    row |= _foreign(ledger, document.currency, document.rate)
    if document.memo:
        row["PrivateNote"] = document.memo
    row["Line"] = _lines(ledger, document)
    row["TxnTaxDetail"] = _tax(document)
    row["CustomerRef"] = _who(ledger, document.customer)
    row["TotalAmt"] = money(document.total)
    if ledger.settings.multicurrency:
        row["HomeTotalAmt"] = money(rounded(document.total, document.rate))
    row["Balance"] = money(document.open)
    row["PrintStatus"] = document.extra.get("PrintStatus", "NeedToPrint")
    row["EmailStatus"] = document.extra.get("EmailStatus", "NotSet")
    for name in ("BillEmail", "CustomerMemo", "BillAddr", "ShipAddr", "DepartmentRef", "ClassRef"):
        if name in document.extra:
            row[name] = document.extra[name]
    return row


def _invoice(ledger: Ledger, invoice: Invoice) -> Row:
    row = {
        "AllowIPNPayment": False,
        "AllowOnlinePayment": False,
        "AllowOnlineCreditCardPayment": False,
        "AllowOnlineACHPayment": False,
        **_sales(ledger, invoice),
    }
    row["LinkedTxn"] = [
        {"TxnId": payment, "TxnType": "Payment"}
        for payment in sorted(ledger.links.get(("invoice", invoice.id), ()), key=int)
    ]
    if invoice.due is not None:
        row["DueDate"] = invoice.due.isoformat()
    if invoice.term is not None:
        row["SalesTermRef"] = reference(invoice.term, ledger.terms[invoice.term].name)
    if invoice.deposit:
        row["Deposit"] = money(invoice.deposit)
    email = ledger.customers[invoice.customer].email
    if email is not None and "BillEmail" not in row:
        row["BillEmail"] = {"Address": email}
    return row


def _credit_memo(ledger: Ledger, credit: CreditNote) -> Row:
    row = _sales(ledger, credit)
    row["RemainingCredit"] = money(credit.open)
    return row


_PAYMENT_TYPES: Final = {"invoice": "Invoice", "credit": "CreditMemo", "journal": "JournalEntry"}


def _payment(ledger: Ledger, payment: Payment) -> Row:
    row: Row = {"CustomerRef": _who(ledger, payment.customer)}
    row["DepositToAccountRef"] = reference(
        payment.extra.get("DepositTo", ledger.account("UndepositedFunds").id)
    )
    if payment.method is not None:
        row["PaymentMethodRef"] = reference(str(1 + sum(map(ord, payment.method)) % 8), payment.method)
    if payment.reference is not None:
        row["PaymentRefNum"] = payment.reference
    row["TotalAmt"] = money(payment.total)
    row["UnappliedAmt"] = money(payment.unapplied)
    row["ProcessPayment"] = False
    row |= _head(payment)
    row["TxnDate"] = payment.received.isoformat()
    row |= _foreign(ledger, payment.currency, payment.rate)
    if payment.memo:
        row["PrivateNote"] = payment.memo
    row["Line"] = [
        {
            "Amount": money(abs(part.amount)),
            "LinkedTxn": [{"TxnId": part.id, "TxnType": _PAYMENT_TYPES[part.kind]}],
            "LineEx": {"any": [_line_ex("txnId", part.id)]},
        }
        for part in payment.applications
    ]
    return row


def _line_ex(name: str, value: str) -> Row:
    return {
        "name": "{http://schema.intuit.com/finance/v3}NameValue",
        "declaredType": "com.intuit.schema.finance.v3.NameValue",
        "scope": "javax.xml.bind.JAXBElement$GlobalScope",
        "value": {"Name": name, "Value": value},
        "nil": False,
        "globalScope": True,
        "typeSubstituted": False,
    }


def _customer(ledger: Ledger, customer: Customer) -> Row:
    parent = customer.parent
    row: Row = {"Taxable": True}
    if customer.street is not None:
        row["BillAddr"] = {"Id": customer.id, "Line1": customer.street, "City": customer.city or ""}
    if customer.notes is not None:
        row["Notes"] = customer.notes
    row |= {"Job": parent is not None, "BillWithParent": parent is not None}
    if parent is not None:
        row["ParentRef"] = reference(parent)
        row["Level"] = 1
    row["Balance"] = money(customer.balance)
    row["BalanceWithJobs"] = money(total(_balances(ledger, customer)))
    row["CurrencyRef"] = currency(customer.currency)
    if customer.term is not None:
        row["SalesTermRef"] = reference(customer.term)
    row["PreferredDeliveryMethod"] = "Print"
    if "CustomField" in customer.extra:
        row["CustomField"] = customer.extra["CustomField"]
    row |= _head(customer)
    if customer.contact is not None:
        row["GivenName"], _, row["FamilyName"] = customer.contact.partition(" ")
    row["FullyQualifiedName"] = (
        customer.name if parent is None else f"{ledger.customers[parent].name}:{customer.name}"
    )
    row["CompanyName"] = customer.name
    row["DisplayName"] = customer.name if customer.active else f"{customer.name} (deleted)"
    row["PrintOnCheckName"] = customer.name
    row["Active"] = customer.active
    if customer.phone is not None:
        row["PrimaryPhone"] = {"FreeFormNumber": customer.phone}
    if customer.email is not None:
        row["PrimaryEmailAddr"] = {"Address": customer.email}
    return row


def _balances(ledger: Ledger, customer: Customer) -> list[Decimal]:
    found = [customer.balance]
    for child in ledger.children.get(customer.id, ()):
        found += _balances(ledger, ledger.customers[child])
    return found


def _journal(ledger: Ledger, journal: Journal) -> Row:
    row: Row = {"Adjustment": False, **_head(journal)}
    if journal.number is not None:
        row["DocNumber"] = journal.number
    row["TxnDate"] = journal.posted.isoformat()
    row |= _foreign(ledger, journal.currency, journal.rate)
    if journal.memo:
        row["PrivateNote"] = journal.memo
    sides = ("Debit", "Credit") if journal.amount >= ZERO else ("Credit", "Debit")
    receivable, other = (
        ledger.account("AccountsReceivable", journal.currency),
        ledger.accounts[journal.account],
    )
    amount = money(abs(journal.amount))
    who = {"Type": "Customer", "EntityRef": _who(ledger, journal.customer)}
    row["Line"] = [
        {
            "Id": "0",
            "Amount": amount,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {
                "PostingType": sides[0],
                "Entity": who,
                "AccountRef": reference(receivable.id, receivable.name),
            },
        },
        {
            "Id": "1",
            "Amount": amount,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {
                "PostingType": sides[1],
                "AccountRef": reference(other.id, other.name),
            },
        },
    ]
    row["TxnTaxDetail"] = {}
    return row


def _attachable(_: Ledger, note: Note) -> Row:
    row = _head(note)
    if note.on:
        sends = note.extra.get("IncludeOnSend", {})
        row["AttachableRef"] = [
            {
                "EntityRef": {"type": KINDS[kind], "value": value},
                "IncludeOnSend": sends.get(f"{kind}:{value}", False),
            }
            for kind, value in note.on
        ]
    if note.file is not None:
        row["FileName"] = note.file
        row |= {name: note.extra[name] for name in ("Size", "ContentType") if name in note.extra}
    if note.text is not None:
        row["Note"] = note.text
    return row


def _term(_: Ledger, term: Term) -> Row:
    fields = {"Name": term.name, "Active": term.active, "Type": "STANDARD", "DiscountPercent": ZERO}
    return {**fields, "DueDays": term.due_days, "DiscountDays": 0, **_head(term)}


def _account(_: Ledger, account: Account) -> Row:
    classification = (
        "Asset" if account.type in {"Accounts Receivable", "Bank", "Other Current Asset"} else account.type
    )
    return {
        "Name": account.name,
        "SubAccount": False,
        "FullyQualifiedName": account.name,
        "Active": account.active,
        "Classification": "Revenue" if classification == "Income" else classification,
        "AccountType": account.type,
        "AccountSubType": account.detail,
        "CurrencyRef": currency(account.currency),
        **_head(account),
    }


def _item(ledger: Ledger, item: Item) -> Row:
    return {
        "Name": item.name,
        "Active": item.active,
        "FullyQualifiedName": item.name,
        "Taxable": True,
        "UnitPrice": ZERO,
        "Type": "Service",
        "IncomeAccountRef": reference(item.account, ledger.accounts[item.account].name),
        "PurchaseCost": ZERO,
        "TrackQtyOnHand": False,
        **_head(item),
    }


_WRITERS: Final[Mapping[type[Record], Callable[[Ledger, Any], Row]]] = {
    Invoice: _invoice,
    CreditNote: _credit_memo,
    Payment: _payment,
    Customer: _customer,
    Journal: _journal,
    Note: _attachable,
    Term: _term,
    Account: _account,
    Item: _item,
}
