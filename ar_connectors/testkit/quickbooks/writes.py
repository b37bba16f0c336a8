"""What does a POST change? Creates, full and sparse updates, voids and deletes, as far as a client of receivables uses them.

Read-only and unknown fields in a body are passed over. A sparse update changes what it names; a full one also empties what
it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ar_connectors.testkit.ledger import (
    Application,
    Ledger,
    Line,
)
from ar_connectors.testkit.ledger.money import ZERO
from ar_connectors.testkit.ledger.records import Customer, Document, Record
from ar_connectors.testkit.quickbooks.attachables import write_attachable
from ar_connectors.testkit.quickbooks.bodies import (
    Body,
    closed,
    current,
    email_of,
    reference_of,
    text_of,
)
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.texts import PACIFIC

__all__ = ["WRITERS", "Written", "write"]

Written = Record | str
"""The record as it is now, or the id of one that is gone."""

_KEPT: Final = (
    "BillEmail",
    "CustomerMemo",
    "EmailStatus",
    "PrintStatus",
    "CustomField",
    "BillAddr",
    "ShipAddr",
    "DepartmentRef",
)
_STATES: Final = {
    "EmailStatus": {"NotSet", "NeedToSend", "EmailSent"},
    "PrintStatus": {"NotSet", "NeedToPrint", "PrintComplete"},
}


def write(ledger: Ledger, entity: str, operation: str, body: Body) -> Written:
    """Do one write. `operation` is create, update, void or delete. Raises ServiceError and LedgerError."""
    if ledger.settings.lapsed:
        raise ServiceError(
            "6190", "Invalid Company Status : The company subscription has lapsed", type_="ValidationFault"
        )
    writer = WRITERS.get(entity)
    if writer is None:
        raise ServiceError("500", f"Operation {operation} of {entity} is not supported.")
    return writer(ledger, operation, body)


def _document(
    ledger: Ledger, operation: str, body: Body, table: Mapping[str, Document], *, bill: bool
) -> Written:
    if operation == "create":
        return _new_document(ledger, body, bill=bill)
    document = current(table, body)
    closed(ledger, document.issued)
    match operation:
        case "void" if bill:
            ledger.void_document(document)
            return document
        case "delete":
            ledger.delete_document(document)
            return document.id
        case "update":
            changes = _document_changes(ledger, body, document, sparse=bool(body.get("sparse")), bill=bill)
            closed(ledger, changes.get("issued", document.issued))
            ledger.change_document(document, **changes)
            return document
    raise ServiceError("500", f"Operation {operation} is not supported.")


def _new_document(ledger: Ledger, body: Body, *, bill: bool) -> Document:
    customer = ledger.customers.get(reference_of(body, "CustomerRef", needed=True) or "")
    if customer is None or not customer.active:
        raise ServiceError(
            "2500", "Invalid Reference Id : Something you're trying to use has been made inactive."
        )
    lines = _sales_lines(ledger, body)
    issued = _date(body, "TxnDate") or ledger.now().astimezone(PACIFIC).date()
    closed(ledger, issued)
    number = text_of(ledger, body, "DocNumber", 21) or _next_number(ledger)
    _unique_number(ledger, number, bill=bill)
    extra = _extra(body, {})
    rate = _amount(body, "ExchangeRate") or Decimal(1)
    memo = text_of(ledger, body, "PrivateNote", 4000)
    common: dict[str, Any] = {"tax": _tax(body) or ZERO, "rate": rate, "memo": memo, "extra": extra}
    if not bill:
        return ledger.issue_credit(customer.id, lines, issued=issued, number=number, **common)
    term = reference_of(body, "SalesTermRef") or customer.term
    due = _date(body, "DueDate")
    if due is None:
        due = date.fromordinal(
            issued.toordinal() + (ledger.terms[term].due_days if term in ledger.terms else 0)
        )
    common["deposit"] = _amount(body, "Deposit") or ZERO
    return ledger.issue_invoice(
        customer.id, lines, issued=issued, number=number, due=due, term=term, **common
    )


def _document_changes(
    ledger: Ledger, body: Body, document: Document, *, sparse: bool, bill: bool
) -> dict[str, Any]:
    """The new values a body asks for."""
    changes: dict[str, Any] = {"extra": _extra(body, document.extra if sparse else {})}
    if "PrivateNote" in body or not sparse:
        changes["memo"] = text_of(ledger, body, "PrivateNote", 4000)
    if "DocNumber" in body or not sparse:
        changes["number"] = text_of(ledger, body, "DocNumber", 21)
        if changes["number"] != document.number:
            _unique_number(ledger, changes["number"], bill=bill)
    if body.get("TxnDate"):
        changes["issued"] = _date(body, "TxnDate")
    if "Line" in body:
        changes["lines"] = _sales_lines(ledger, body)
    elif not sparse:
        raise ServiceError(
            "2020",
            "Required param missing, need to supply the required value for the API: Line",
            element="Line",
        )
    tax = _tax(body)
    if tax is not None:
        changes["tax"] = tax
    if bill:
        if "DueDate" in body or not sparse:
            changes["due"] = _date(body, "DueDate")
        if "SalesTermRef" in body or not sparse:
            changes["term"] = reference_of(body, "SalesTermRef")
        if "Deposit" in body or not sparse:
            changes["deposit"] = _amount(body, "Deposit") or ZERO
    return changes


def _extra(body: Body, before: Mapping[str, Any]) -> dict[str, Any]:
    for name, allowed in _STATES.items():
        if body.get(name) is not None and body[name] not in allowed:
            raise ServiceError("2170", f"Invalid Enumeration : {body[name]}", element=name)
    return {**before, **{name: body[name] for name in _KEPT if body.get(name) is not None}}


def _sales_lines(ledger: Ledger, body: Body) -> tuple[Line, ...]:
    lines = []
    for row in body.get("Line") or ():
        kind = row.get("DetailType")
        if kind not in {"SalesItemLineDetail", "DiscountLineDetail", "DescriptionOnly"}:
            continue
        detail = row.get(kind) or {}
        amount = _amount(row, "Amount") or ZERO
        account = _booked_on(ledger, detail)
        lines.append(
            Line(
                -amount if kind == "DiscountLineDetail" else amount,
                row.get("Description") or "",
                _amount(detail, "Qty"),
                _amount(detail, "UnitPrice"),
                account,
            )
        )
    if not lines:
        raise ServiceError(
            "2020",
            "Required param missing, need to supply the required value for the API: Line",
            element="Line",
        )
    return tuple(lines)


def _booked_on(ledger: Ledger, detail: Mapping[str, Any]) -> str | None:
    """The account of a line's item; None for what is sold by default."""
    item = reference_of(detail, "ItemRef")
    if item is None:
        return None
    if item not in ledger.items:
        raise ServiceError(
            "2500", f"Invalid Reference Id : Items element id {item} not found", element="ItemRef"
        )
    account = ledger.items[item].account
    return account if account != ledger.items["1"].account else None


def _tax(body: Body) -> Decimal | None:
    return _amount(body.get("TxnTaxDetail") or {}, "TotalTax")


def _next_number(ledger: Ledger) -> str:
    numbers = [
        int(one.number)
        for one in ledger.invoices.values()
        if one.number is not None and one.number.isdecimal()
    ]
    return str(max(numbers, default=1000) + 1)


def _unique_number(ledger: Ledger, number: str | None, *, bill: bool) -> None:
    table: Mapping[str, Document] = ledger.invoices if bill else ledger.credits
    if number is not None and any(one.number == number for one in table.values()):
        raise ServiceError(
            "6140", f"Duplicate Document Number Error : You must specify a different number. {number}"
        )


# ---- payments and journals


def _payment(ledger: Ledger, operation: str, body: Body) -> Written:
    if operation == "create":
        customer = reference_of(body, "CustomerRef", needed=True) or ""
        received = _date(body, "TxnDate") or ledger.now().astimezone(PACIFIC).date()
        closed(ledger, received)
        return ledger.receive_payment(
            customer,
            _amount(body, "TotalAmt") or ZERO,
            _applications(ledger, body),
            received=received,
            rate=_amount(body, "ExchangeRate") or Decimal(1),
            reference=text_of(ledger, body, "PaymentRefNum", 21),
            memo=text_of(ledger, body, "PrivateNote", 4000),
        )
    payment = current(ledger.payments, body)
    closed(ledger, payment.received)
    match operation:
        case "void":
            ledger.void_payment(payment)
        case "delete":
            ledger.delete_payment(payment)
            return payment.id
        case _:
            sparse = bool(body.get("sparse"))
            changes: dict[str, Any] = {}
            if "TotalAmt" in body:
                changes["total"] = _amount(body, "TotalAmt")
            if "Line" in body or not sparse:  # lines are all or none
                changes["applications"] = _applications(ledger, body)
            for name, to, size in (("PaymentRefNum", "reference", 21), ("PrivateNote", "memo", 4000)):
                if name in body or not sparse:
                    changes[to] = text_of(ledger, body, name, size)
            if body.get("TxnDate"):
                changes["received"] = _date(body, "TxnDate")
                closed(ledger, changes["received"])
            ledger.change_payment(payment, **changes)
    return payment


def _applications(ledger: Ledger, body: Body) -> tuple[Application, ...]:
    parts = []
    for row in body.get("Line") or ():
        amount = _amount(row, "Amount") or ZERO
        for link in row.get("LinkedTxn") or ():
            identity = str(link.get("TxnId"))
            match link.get("TxnType"):
                case "Invoice":
                    parts.append(Application("invoice", identity, amount))
                case "CreditMemo":
                    parts.append(Application("credit", identity, amount))
                case "JournalEntry":
                    sign = 1 if ledger.journal(identity).amount >= 0 else -1
                    parts.append(Application("journal", identity, sign * amount))
                case other:
                    raise ServiceError("2170", f"Invalid Enumeration : {other}", element="TxnType")
    return tuple(parts)


def _journal(ledger: Ledger, operation: str, body: Body) -> Written:
    if operation == "delete":
        journal = current(ledger.journals, body)
        closed(ledger, journal.posted)
        ledger.delete_journal(journal)
        return journal.id
    if operation != "create":
        raise ServiceError("500", f"Operation {operation} of JournalEntry is not supported by this emulator.")
    posted = _date(body, "TxnDate") or ledger.now().astimezone(PACIFIC).date()
    closed(ledger, posted)
    details = [(row, row.get("JournalEntryLineDetail") or {}) for row in body.get("Line") or ()]
    receivable = [
        (row, detail)
        for row, detail in details
        if (account := ledger.accounts.get(reference_of(detail, "AccountRef") or "")) is not None
        and account.detail == "AccountsReceivable"
    ]
    others = [detail for _, detail in details if all(detail is not one for _, one in receivable)]
    if len(receivable) != 1 or not others:
        raise ServiceError(
            "6000", "Business Validation Error: this emulator takes entries with one line on receivables"
        )
    row, detail = receivable[0]
    amount = _amount(row, "Amount") or ZERO
    return ledger.post_journal(
        reference_of(detail.get("Entity") or {}, "EntityRef", needed=True) or "",
        amount if detail.get("PostingType") == "Debit" else -amount,
        posted=posted,
        number=text_of(ledger, body, "DocNumber", 21),
        memo=text_of(ledger, body, "PrivateNote", 4000),
        account=reference_of(others[0], "AccountRef", needed=True) or "",
    )


# ---- customers


def _customer(ledger: Ledger, operation: str, body: Body) -> Written:
    if operation == "create":
        name = text_of(ledger, body, "DisplayName", 500)
        if name is None:
            raise ServiceError("2020", "Required param missing: DisplayName", element="DisplayName")
        more = _customer_changes(ledger, body, sparse=True, customer=None)
        more.pop("name", None)
        return ledger.open_customer(
            name, currency=reference_of(body, "CurrencyRef"), parent=reference_of(body, "ParentRef"), **more
        )
    if operation != "update":
        raise ServiceError("500", f"Operation {operation} of Customer is not supported.")
    customer = current(ledger.customers, body)
    return ledger.change_customer(
        customer.id, **_customer_changes(ledger, body, sparse=bool(body.get("sparse")), customer=customer)
    )


def _customer_changes(
    ledger: Ledger, body: Body, *, sparse: bool, customer: Customer | None
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if body.get("DisplayName"):
        name = text_of(ledger, body, "DisplayName", 500) or ""
        # An inactive customer is shown as "name (deleted)"; sending that back changes nothing.
        changes["name"] = (
            name.removesuffix(" (deleted)") if customer is not None and not customer.active else name
        )
    if body.get("Active") is not None:
        changes["active"] = body["Active"] is True or body["Active"] == "true"
    if "Notes" in body or not sparse:
        changes["notes"] = text_of(ledger, body, "Notes", 2000)
    if "PrimaryEmailAddr" in body or not sparse:
        changes["email"] = email_of(body)
    if "SalesTermRef" in body or not sparse:
        changes["term"] = reference_of(body, "SalesTermRef")
    if "PrimaryPhone" in body or not sparse:
        changes["phone"] = (body.get("PrimaryPhone") or {}).get("FreeFormNumber")
    if body.get("CustomField") is not None:
        changes["extra"] = {
            **(customer.extra if customer is not None else {}),
            "CustomField": body["CustomField"],
        }
    return changes


def _date(body: Body, name: str) -> date | None:
    text = body.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        raise ServiceError("2030", f"Invalid date {text!r}", element=name) from None


def _amount(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ServiceError("2030", f"Invalid number {value!r}", element=name) from None


WRITERS: Final[Mapping[str, Callable[[Ledger, str, Body], Written]]] = {
    "Invoice": lambda ledger, operation, body: _document(ledger, operation, body, ledger.invoices, bill=True),
    "CreditMemo": lambda ledger, operation, body: _document(
        ledger, operation, body, ledger.credits, bill=False
    ),
    "Payment": _payment,
    "JournalEntry": _journal,
    "Customer": _customer,
    "Attachable": write_attachable,
}
