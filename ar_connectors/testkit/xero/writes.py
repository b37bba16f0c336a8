"""What may a client change? Invoices, contacts and contact groups; what Xero refuses is refused, and says why in its words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Literal

from ar_connectors.testkit.ledger import Customer, Invoice, Line
from ar_connectors.testkit.ledger.money import ZERO, rounded
from ar_connectors.testkit.xero.bodies import Step, amount, day_in, inner, text
from ar_connectors.testkit.xero.company import CODES
from ar_connectors.testkit.xero.errors import Invalid, malformed
from ar_connectors.testkit.xero.ids import guid, parse, spelled
from ar_connectors.testkit.xero.lists import Lists
from ar_connectors.testkit.xero.texts import Row, day, day_text, iso, money
from ar_connectors.testkit.xero.view import View

__all__ = ["PartPaid", "Writes"]

PartPaid = Literal["refuse", "ignore", "save"]
"""What happens to ExpectedPaymentDate on an invoice that something is applied to."""

_HAS_PAYMENTS: Final = "This document cannot be edited as it has a payment or credit note allocated to it."
_NOT_VALID: Final = "Invoice not of valid status for modification"
_READ_ONLY: Final = frozenset(
    {"PlannedPaymentDateString", "UpdatedDateUTCString", "DateString", "DueDateString"}
)
_ALWAYS: Final = frozenset(
    {
        "InvoiceID",
        "InvoiceNumber",
        "Type",
        "Reference",
        "DueDate",
        "BrandingThemeID",
        "Contact",
        "Url",
        "SentToContact",
    }
)
"""What may be sent for an invoice that something is applied to."""
_EXPECTED: Final = frozenset({"ExpectedPaymentDate", "ExpectedPaymentDateString"})
_IGNORED: Final = frozenset({"HasAttachments", "HasErrors", "HasValidationErrors"})
"""What clients send of themselves."""


class Writes:
    """Writes for one company. Its user holds the lock.

    Args:
        part_paid: what happens to ExpectedPaymentDate once something is applied.
    """

    def __init__(self, view: View, lists: Lists, part_paid: PartPaid = "refuse") -> None:
        self.view = view
        self.lists = lists
        self.part_paid = part_paid

    # ---- invoices

    def invoice(self, row: Row, *, create: bool, address: str | None = None) -> Step:
        """What one element of POST or PUT /Invoices asks for. Raises Invalid, Refused for fields that are only read."""
        for name in row:
            if name in _READ_ONLY:
                raise malformed(f"The element '{name}' was not recognised")
        if create and address is None and not row.get("InvoiceID"):
            return self._new_invoice(row)
        found = self._named(row, address)
        if found is None:
            if address is None and not row.get("InvoiceID"):
                return self._new_invoice(row)
            raise Invalid("Invoice could not be found")
        return self._draft(row, found) if isinstance(found, dict) else self._changed(row, found)

    def _named(self, row: Row, address: str | None) -> Invoice | Row | None:
        """The invoice that an element is about: by the address, the id, or the number."""
        name = address or row.get("InvoiceID") or row.get("InvoiceNumber")
        identity = spelled(name)
        if identity is not None:
            known = parse("invoice", identity)
            if known is not None:
                removed = self.view.ledger.removed.get(("invoice", known[0]))
                if isinstance(removed, Invoice):
                    raise Invalid(_NOT_VALID)
                return self.view.ledger.invoices.get(known[0])
            return self.view.side.row("Invoices", identity)
        numbered = [one for one in self.view.ledger.invoices.values() if one.number == name and name]
        return numbered[0] if numbered else None

    def _changed(self, row: Row, invoice: Invoice) -> Step:
        status = text(row, "Status")
        if invoice.voided:
            raise Invalid(_NOT_VALID)
        self._check_lock(invoice.issued)
        touched = (
            frozenset(row) - _IGNORED - {"Status"}
            if status in {None, "AUTHORISED", "PAID"}
            else frozenset(row)
        )
        applied = bool(self.view.ledger.links.get(("invoice", invoice.id))) or bool(invoice.deposit)
        changes: dict[str, Any] = {}
        if status == "VOIDED":
            if applied:
                raise Invalid(_HAS_PAYMENTS)
            return lambda: self._after(invoice, lambda: self.view.ledger.void_document(invoice))
        if status not in {None, "AUTHORISED", "PAID"}:
            raise Invalid(_NOT_VALID)
        if applied and touched - _ALWAYS - _EXPECTED:
            raise Invalid(_HAS_PAYMENTS)
        self._expected(row, changes, applied=applied)
        self._plain(row, invoice, changes)
        if "LineItems" in row:
            changes["lines"] = self._lines(row)
        return lambda: self._after(invoice, lambda: self._set(invoice, changes))

    def _set(self, invoice: Invoice, changes: dict[str, Any]) -> None:
        if changes:
            self.view.ledger.change_document(invoice, **changes)

    def _after(self, invoice: Invoice, do: Callable[[], object]) -> Row:
        do()
        entry = self.view.find("Invoices", guid("invoice", invoice.id))
        assert entry is not None  # noqa: S101  it was just changed
        return self.lists.as_row("Invoices", entry)

    def _expected(self, row: Row, changes: dict[str, Any], *, applied: bool) -> None:
        """ExpectedPaymentDate: null and the empty text do nothing in it, only the empty twin clears it."""
        asked = bool(_EXPECTED & frozenset(row))
        if not asked or (applied and self.part_paid == "ignore"):
            return
        wanted = day_in(row, "ExpectedPaymentDate")
        clears = row.get("ExpectedPaymentDateString") == ""
        twin = None if clears else day_in(row, "ExpectedPaymentDateString")
        if (wanted is not None or twin is not None or clears) and applied and self.part_paid == "refuse":
            raise Invalid(_HAS_PAYMENTS)
        if wanted is not None or twin is not None:
            changes["expected"] = wanted or twin
        elif clears:
            changes["expected"] = None

    def _plain(self, row: Row, invoice: Invoice, changes: dict[str, Any]) -> None:
        """Fields that may always be changed."""
        if "Reference" in row:
            changes["memo"] = text(row, "Reference", longest=255)
        if row.get("DueDate") is not None:
            changes["due"] = day_in(row, "DueDate")
        if row.get("InvoiceNumber") is not None:
            changes["number"] = text(row, "InvoiceNumber", longest=255)
            taken = [
                one
                for one in self.view.ledger.invoices.values()
                if one.number == changes["number"] and one is not invoice
            ]
            if taken:
                raise Invalid("Invoice # must be unique.")
        if row.get("Date") is not None:
            changes["issued"] = day_in(row, "Date")
            self._check_lock(changes["issued"])
        extra = dict(invoice.extra)
        if isinstance(row.get("SentToContact"), bool):
            extra["SentToContact"] = row["SentToContact"]
        if "Url" in row:
            extra["Url"] = text(row, "Url")
        if extra != invoice.extra:
            changes["extra"] = extra
        contact = inner(row, "Contact").get("ContactID")
        if contact is not None and spelled(contact) != guid("contact", invoice.customer):
            raise Invalid("This emulator does not move an invoice to another contact.")

    def _new_invoice(self, row: Row) -> Step:
        if text(row, "Type") != "ACCREC":
            raise Invalid("This emulator makes no documents but sales invoices (ACCREC).")
        customer = self.customer(inner(row, "Contact"))
        ledger = self.view.ledger
        issued = day_in(row, "Date") or ledger.now().date()
        due, number = day_in(row, "DueDate"), text(row, "InvoiceNumber", longest=255)
        if number and any(one.number == number for one in ledger.invoices.values()):
            raise Invalid("Invoice # must be unique.")
        currency = text(row, "CurrencyCode")
        if currency not in {None, customer.currency}:
            raise Invalid(f"Organisation is not subscribed to currency {currency}")
        lines = self._lines(row)
        memo, expected = text(row, "Reference", longest=255), day_in(row, "ExpectedPaymentDate")
        status = text(row, "Status") or "DRAFT"
        if status in {"DRAFT", "SUBMITTED"}:
            return lambda: self._keep_draft(row, customer, lines, status)
        if status != "AUTHORISED":
            raise Invalid("Invoice not of valid status for creation")
        if due is None:
            raise Invalid("Due Date cannot be empty")
        if not lines:
            raise Invalid("One or more line items must be specified")
        self._check_lock(issued)

        def issue() -> Row:
            made = ledger.issue_invoice(
                customer.id,
                lines,
                issued=issued,
                due=due,
                number=number or f"INV-{ledger.revision:04}",
                memo=memo,
                expected=expected,
            )
            return self._after(made, lambda: None)

        return issue

    def _keep_draft(self, row: Row, customer: Customer, lines: tuple[Line, ...], status: str) -> Row:
        now = self.view.ledger.now().replace(microsecond=0)
        issued = day_in(row, "Date") or now.date()
        identity = self.view.side.new_id()
        whole = money(sum((line.amount for line in lines), ZERO))
        draft: Row = {
            "Type": "ACCREC",
            "InvoiceID": identity,
            "InvoiceNumber": text(row, "InvoiceNumber") or "",
            "Reference": text(row, "Reference") or "",
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "AmountDue": whole,
            "AmountPaid": money(ZERO),
            "AmountCredited": money(ZERO),
            "SentToContact": False,
            "CurrencyRate": Decimal("1.000000"),
            "HasErrors": False,
            "Contact": {"ContactID": guid("contact", customer.id), "Name": customer.name},
            "DateString": day_text(issued),
            "Date": day(issued),
            "Status": status,
            "LineAmountTypes": "NoTax",
            "LineItems": [
                {"Description": line.description, "LineAmount": money(line.amount)} for line in lines
            ],
            "SubTotal": whole,
            "TotalTax": money(ZERO),
            "Total": whole,
            "UpdatedDateUTCString": iso(now),
            "CurrencyCode": customer.currency,
        }
        self.view.side.put("Invoices", identity, draft, now)
        return draft

    def _draft(self, row: Row, draft: Row) -> Step:
        """A draft may be thrown away; approving one is not done here."""
        if draft["Type"] != "ACCREC" or draft["Status"] not in {"DRAFT", "SUBMITTED"}:
            raise Invalid(_NOT_VALID)
        status = text(row, "Status")
        if status not in {None, "DRAFT", "SUBMITTED", "DELETED"}:
            raise Invalid("This emulator does not approve drafts: create the invoice as AUTHORISED.")

        def change() -> Row:
            changed = {**draft, "Status": status or draft["Status"]}
            self.view.side.put(
                "Invoices", draft["InvoiceID"], changed, self.view.ledger.now().replace(microsecond=0)
            )
            return changed

        return change

    def _lines(self, row: Row) -> tuple[Line, ...]:
        items = row.get("LineItems") or []
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise Invalid("LineItems is no list of objects.")
        return tuple(self._line(one) for one in items)

    def _line(self, row: Row) -> Line:
        quantity, price = amount(row, "Quantity"), amount(row, "UnitAmount")
        whole = amount(row, "LineAmount")
        if whole is None:
            whole = rounded(quantity if quantity is not None else Decimal(1), price or ZERO)
        account = None
        code = text(row, "AccountCode")
        if code is not None:
            detail = next((detail for detail, (known, *_) in CODES.items() if known == code), None)
            if detail is None:
                raise Invalid(f"Account code '{code}' is not a valid code for this document.")
            account = self.view.ledger.account(detail).id if detail != "SalesOfProductIncome" else None
        return Line(whole, text(row, "Description") or "", quantity, price, account)

    def _check_lock(self, issued: Any) -> None:
        through = self.view.ledger.settings.closed_through
        if through is not None and issued is not None and issued <= through:
            raise Invalid(
                f"The document date cannot be before the period lock date, currently set at {through:%d %B %Y}."
            )

    # ---- contacts

    def customer(self, row: Row) -> Customer:
        """The contact that a document names. Raises Invalid."""
        known = parse("contact", row.get("ContactID"))
        ledger = self.view.ledger
        if known is not None and known[0] in ledger.customers:
            return ledger.customers[known[0]]
        named = [one for one in ledger.customers.values() if one.name == row.get("Name") and one.active]
        if not named:
            raise Invalid("The Contact could not be found.")
        return named[0]

    def contact(self, row: Row, *, create: bool, address: str | None = None) -> Step:
        """What one element of POST or PUT /Contacts asks for. Raises Invalid."""
        ledger = self.view.ledger
        known = parse("contact", address or row.get("ContactID"))
        name = text(row, "Name", longest=255)
        if known is None and not create:
            named = [one for one in ledger.customers.values() if name and one.name == name]
            known = (named[0].id, 0) if named else None
        fields = self._contact_fields(row)
        if known is None:
            if row.get("ContactID") or address:
                raise Invalid("The Contact could not be found.")
            if not name:
                raise Invalid("The Contact Name must be specified.")
            currency = text(row, "DefaultCurrency")
            fields.pop("name", None)
            return lambda: self._contact_after(ledger.open_customer(name, currency=currency, **fields))
        customer = ledger.customer(known[0])
        if "extra" in fields:
            fields["extra"] = {**customer.extra, **fields["extra"]}
        return lambda: self._contact_after(
            ledger.change_customer(customer.id, **fields) if fields else customer
        )

    @staticmethod
    def _contact_fields(row: Row) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if row.get("Name") is not None:
            fields["name"] = text(row, "Name", longest=255)
        if row.get("EmailAddress") is not None:
            fields["email"] = text(row, "EmailAddress", longest=255)
        status = text(row, "ContactStatus")
        if status is not None:
            if status not in {"ACTIVE", "ARCHIVED"}:
                raise Invalid(f"The contact status '{status}' is not valid.")
            fields["active"] = status == "ACTIVE"
        extra = {
            name: text(row, name, longest=50)
            for name in ("AccountNumber", "ContactNumber")
            if row.get(name) is not None
        }
        if extra:
            fields["extra"] = extra
        return fields

    def _contact_after(self, customer: Customer) -> Row:
        entry = self.view.find("Contacts", guid("contact", customer.id))
        assert entry is not None  # noqa: S101  it was just changed
        return self.lists.as_row("Contacts", entry)
