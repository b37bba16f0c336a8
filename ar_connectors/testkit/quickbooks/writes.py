"""What does a POST change? Creates, full and sparse updates, voids and deletes, as far as a client of receivables uses them.

Read-only and unknown fields in a body are passed over. A sparse update changes what it names; a full one also empties what
it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger import Ledger, Line
from ar_connectors.testkit.ledger.money import ZERO
from ar_connectors.testkit.ledger.records import Customer, Document, Record
from ar_connectors.testkit.quickbooks.attachables import write_attachable
from ar_connectors.testkit.quickbooks.bodies import (
    Body,
    amount_of,
    closed,
    current,
    date_of,
    email_of,
    rate_of,
    reference_of,
    term_of,
    text_of,
)
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.settlements import write_journal, write_payment
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
    issued = date_of(body, "TxnDate") or ledger.now().astimezone(PACIFIC).date()
    closed(ledger, issued)
    number = text_of(ledger, body, "DocNumber", 21) or _next_number(ledger)
    _unique_number(ledger, number, bill=bill)
    extra = _extra(body, {})
    rate = rate_of(body)
    memo = text_of(ledger, body, "PrivateNote", 4000)
    common: dict[str, Any] = {"tax": _tax(body) or ZERO, "rate": rate, "memo": memo, "extra": extra}
    if not bill:
        return ledger.issue_credit(customer.id, lines, issued=issued, number=number, **common)
    term = term_of(ledger, body) or customer.term
    due = date_of(body, "DueDate")
    if due is None:
        due = date.fromordinal(
            issued.toordinal() + (ledger.terms[term].due_days if term in ledger.terms else 0)
        )
    common["deposit"] = amount_of(body, "Deposit") or ZERO
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
        changes["issued"] = date_of(body, "TxnDate")
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
            changes["due"] = date_of(body, "DueDate")
        if "SalesTermRef" in body or not sparse:
            changes["term"] = term_of(ledger, body)
        if "Deposit" in body or not sparse:
            changes["deposit"] = amount_of(body, "Deposit") or ZERO
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
        amount = amount_of(row, "Amount") or ZERO
        account = _booked_on(ledger, detail)
        lines.append(
            Line(
                -amount if kind == "DiscountLineDetail" else amount,
                row.get("Description") or "",
                amount_of(detail, "Qty"),
                amount_of(detail, "UnitPrice"),
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
    return amount_of(body.get("TxnTaxDetail") or {}, "TotalTax")


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


# ---- customers


def _customer(ledger: Ledger, operation: str, body: Body) -> Written:
    if operation == "create":
        name = text_of(ledger, body, "DisplayName", 500)
        if name is None:
            raise ServiceError("2020", "Required param missing: DisplayName", element="DisplayName")
        more = _customer_changes(ledger, body, sparse=True, customer=None)
        more.pop("name", None)
        return ledger.open_customer(
            name, currency=_currency(ledger, body), parent=reference_of(body, "ParentRef"), **more
        )
    if operation != "update":
        raise ServiceError("500", f"Operation {operation} of Customer is not supported.")
    customer = current(ledger.customers, body)
    return ledger.change_customer(
        customer.id, **_customer_changes(ledger, body, sparse=bool(body.get("sparse")), customer=customer)
    )


def _currency(ledger: Ledger, body: Body) -> str | None:
    """The currency of a new customer; None for that of its parent or the company."""
    code = reference_of(body, "CurrencyRef")
    settings = ledger.settings
    if code is None or code == settings.home_currency:
        return code
    if not settings.multicurrency:
        raise ServiceError("6000", "Business Validation Error: Multi Currency should be enabled")
    if not (len(code) == 3 and code.isascii() and code.isupper()):
        raise ServiceError("2500", f"Invalid Reference Id : Currency element id {code} not found")
    return code


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
        changes["term"] = term_of(ledger, body)
    if "PrimaryPhone" in body or not sparse:
        changes["phone"] = (body.get("PrimaryPhone") or {}).get("FreeFormNumber")
    if body.get("CustomField") is not None:
        changes["extra"] = {
            **(customer.extra if customer is not None else {}),
            "CustomField": body["CustomField"],
        }
    return changes


WRITERS: Final[Mapping[str, Callable[[Ledger, str, Body], Written]]] = {
    "Invoice": lambda ledger, operation, body: _document(ledger, operation, body, ledger.invoices, bill=True),
    "CreditMemo": lambda ledger, operation, body: _document(
        ledger, operation, body, ledger.credits, bill=False
    ),
    "Payment": write_payment,
    "JournalEntry": write_journal,
    "Customer": _customer,
    "Attachable": write_attachable,
}
