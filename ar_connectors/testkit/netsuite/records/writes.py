"""What does a PATCH, PUT, POST or DELETE do to the books?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ar_connectors.testkit.ledger import Application, Customer, Invoice, Ledger, Line, Payment
from ar_connectors.testkit.ledger.money import rounded, total
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.netsuite.activities import Activity, add_activity, change_activity
from ar_connectors.testkit.netsuite.company import CURRENCIES, Account, currency_id
from ar_connectors.testkit.netsuite.errors import ServiceError, invalid_content, user_error
from ar_connectors.testkit.netsuite.records.types import RecordType, fields_of
from ar_connectors.testkit.netsuite.transactions import Transaction, transaction_of

__all__ = ["Writer"]

Values = dict[str, Any]
_OTHER: Final = {"memo": "memo"}
_PAYMENT: Final = {**_OTHER, "tranDate": "received", "payment": "total", "checkNum": "reference"}
_INVOICE: Final = {
    **_OTHER,
    "tranDate": "issued",
    "dueDate": "due",
    "terms": "term",
    "userEstimatedPaymentDate": "expected",
}
_CUSTOMER: Final = {
    "entityId": "name",
    "companyName": "name",
    "email": "email",
    "phone": "phone",
    "comments": "notes",
    "terms": "term",
}
"""Fields of the books by their names here; the rest is kept as extras."""
_EXTRAS: Final = {
    "externalId",
    "creditHoldOverride",
    "creditLimit",
    "otherRefNum",
    "email",
    "userEstimateSource",
}


class Writer:
    """Writes for one account."""

    def __init__(self, ledger: Ledger, account: Account) -> None:
        self.ledger = ledger
        self.account = account

    def update(
        self,
        record_type: RecordType,
        record: Record | Activity,
        values: Values,
        replaced: Collection[str] = (),
    ) -> None:
        """New values for an existing record; what is not named stays. The lines of a sublist are added to those there are,
        unless the sublist is to be `replaced`. Raises ServiceError, LedgerError."""
        writable = self._writable(record_type, values)
        match record:
            case Activity():
                change_activity(self.ledger, record, _plain(writable))
            case Customer():
                self._customer(record, writable)
            case _:
                transaction = transaction_of(self.ledger, record)
                assert transaction is not None  # noqa: S101  looked up by its type before
                self.check_period(transaction.day)
                self._transaction(transaction, writable, replaced)

    def create(self, record_type: RecordType, values: Values) -> str:
        """A new record; returns its id. Raises ServiceError, LedgerError."""
        writable = self._writable(record_type, values)
        match record_type.name:
            case "customer":
                return self._new_customer(writable)
            case "invoice":
                return self._new_invoice(writable)
            case "customerPayment":
                return self._new_payment(writable)
        for name in ("company", "transaction"):
            self._check_reference(name, writable.get(name))
        if not writable.get("title"):
            raise user_error("Please enter value(s) for: Title.")
        return add_activity(self.ledger, record_type.name, _plain(writable)).id

    def delete(self, record: Record | Activity) -> None:
        """Raises LedgerError for one that others depend on."""
        match record:
            case Activity():
                self.ledger.delete_note(record.note.id)
            case Payment():
                self.check_period(record.received)
                self.ledger.delete_payment(record)
            case Invoice():
                self.check_period(record.issued)
                self.ledger.delete_document(record)
            case _:
                raise user_error("This record cannot be deleted because it has dependent records.")

    def pay(self, invoice: Invoice, values: Values) -> str:
        """The transformation of an invoice into a payment of all that is open, or of what the body says."""
        amount = values.get("payment", invoice.open)
        day = values.get("tranDate") or self._today()
        self.check_period(day)
        parts = [Application("invoice", invoice.id, min(amount, invoice.open))]
        payment = self.ledger.receive_payment(
            invoice.customer, amount, parts, received=day, rate=invoice.rate
        )
        self._extras(payment, {name: values[name] for name in ("externalId",) if name in values})
        return payment.id

    def check_period(self, day: date) -> None:
        """Raise ServiceError when the period of a day is closed and takes no changes."""
        closed = self.ledger.settings.closed_through
        if closed is not None and day <= closed and not self.account.allow_non_gl_changes:
            raise user_error("You cannot edit this transaction because it is in a closed accounting period.")

    # ---- existing records

    def _writable(self, record_type: RecordType, values: Values) -> Values:
        """Without the fields that NetSuite computes: they are passed over."""
        fields = fields_of(record_type, self.account)
        return {name: value for name, value in values.items() if fields[name].writable or fields[name].values}

    def _customer(self, customer: Customer, values: Values) -> None:
        changes: dict[str, Any] = {}
        extra = dict(customer.extra)
        for name, value in values.items():
            if name in _CUSTOMER:
                changes[_CUSTOMER[name]] = value
            elif name == "isInactive":
                changes["active"] = not value
            elif _is_extra(name):
                _put(extra, name, value)
            elif value != {"currency": str(currency_id(customer.currency))}.get(
                name, getattr(customer, name)
            ):
                raise _fixed(name)
        if changes.get("name", "") is None:
            raise user_error("Please enter value(s) for: Company Name.")
        self.ledger.change_customer(customer.id, extra=extra, **changes)

    def _transaction(self, one: Transaction, values: Values, replaced: Collection[str]) -> None:
        record = one.record
        changes: dict[str, Any] = {}
        extra = dict(record.extra)
        fields = (
            _INVOICE if isinstance(record, Invoice) else _PAYMENT if isinstance(record, Payment) else _OTHER
        )
        for name, value in values.items():
            if name == "item" and isinstance(record, Invoice):
                changes["lines"] = tuple(_with_lines(() if name in replaced else record.lines, value))
            elif name == "apply" and isinstance(record, Payment):
                changes["applications"] = self._applied(
                    () if name in replaced else record.applications, value
                )
            elif name in fields:
                changes[fields[name]] = value
            elif _is_extra(name):
                _put(extra, name, value)
            else:
                raise _fixed(name)
        self.check_period(changes.get("issued") or changes.get("received") or one.day)
        if isinstance(record, Invoice):
            expected = changes.get("expected", record.expected)
            if expected is not None and not extra.get("userEstimateSource") and "expected" in changes:
                raise user_error("Please enter value(s) for: User-Estimated Payment Date Source.")
            if expected is None:
                extra.pop("userEstimateSource", None)
            self.ledger.change_document(record, extra=extra, **changes)
        elif isinstance(record, Payment):
            self.ledger.change_payment(record, extra=extra, **changes)
        else:
            self.ledger.change_record(record, extra=extra, **changes)

    def _extras(self, record: Record, values: Values) -> None:
        for name, value in values.items():
            _put(record.extra, name, value)

    # ---- new records

    def _check_reference(self, name: str, identity: object) -> None:
        if identity is None:
            return
        table: Mapping[str, Record] = (
            self.ledger.customers if name in {"company", "customer", "entity"} else self.ledger.invoices
        )
        if identity not in table:
            raise invalid_content(
                name, f"You have entered an Invalid Field Value {identity} for the following field: {name}"
            )

    def _owner(self, values: Values, name: str) -> str:
        owner = values.get(name)
        if owner is None:
            raise user_error(f"Please enter value(s) for: {name.capitalize()}.")
        self._check_reference(name, owner)
        return str(owner)

    def _new_customer(self, values: Values) -> str:
        name = values.get("companyName") or values.get("entityId")
        if not name:
            raise user_error("Please enter value(s) for: Company Name.")
        if name in self.ledger.names:
            raise user_error("This entity already exists.")
        subsidiary = values.get("subsidiary")
        if self.account.oneworld and subsidiary not in self.ledger.subsidiaries:
            raise user_error("Please enter value(s) for: Primary Subsidiary.")
        codes = {str(currency_id(code)): code for code in CURRENCIES}
        customer = self.ledger.open_customer(
            name,
            currency=codes.get(values.get("currency", "")),
            parent=values.get("parent"),
            subsidiary=subsidiary,
        )
        made = {"companyName", "entityId", "subsidiary", "currency", "parent"}
        left = {key: value for key, value in values.items() if key not in made}
        self._customer(customer, left)
        return customer.id

    def _new_invoice(self, values: Values) -> str:
        owner = self._owner(values, "entity")
        day = values.get("tranDate") or self._today()
        self.check_period(day)
        lines = [_line(place, line) for place, line in enumerate(values.get("item") or [])]
        if not lines:
            raise user_error("You must enter at least one line item for this transaction.")
        invoice = self.ledger.issue_invoice(
            owner,
            lines,
            issued=day,
            due=values.get("dueDate"),
            number=f"INV{self.ledger.revision}",
            memo=values.get("memo"),
        )
        self._extras(invoice, {name: value for name, value in values.items() if _is_extra(name)})
        return invoice.id

    def _new_payment(self, values: Values) -> str:
        owner = self._owner(values, "customer")
        day = values.get("tranDate") or self._today()
        self.check_period(day)
        parts = self._applied((), values.get("apply") or [])
        used = total(part.amount for part in parts)
        payment = self.ledger.receive_payment(
            owner,
            values.get("payment", used),
            parts,
            received=day,
            memo=values.get("memo"),
            reference=values.get("checkNum"),
            rate=self.ledger.invoices[parts[0].id].rate if parts else Decimal(1),
        )
        self._extras(payment, {name: value for name, value in values.items() if _is_extra(name)})
        return payment.id

    def _applied(
        self, before: tuple[Application, ...], lines: list[dict[str, Any]]
    ) -> tuple[Application, ...]:
        """What a payment is applied to when lines are written: those of other documents stay. Raises ServiceError."""
        parts = {(part.kind, part.id): part for part in before}
        for place, line in enumerate(lines):
            document, amount = line.get("doc"), line.get("amount")
            identity = str(document.get("id")) if isinstance(document, dict) else str(document)
            applies = line.get("apply", True)
            numeric = isinstance(amount, int | Decimal) and not isinstance(amount, bool)
            if identity not in self.ledger.invoices or (applies and not numeric):
                raise invalid_content(
                    f"apply.items[{place}].doc",
                    f"You have entered an Invalid Field Value {identity} for the following field: doc",
                )
            parts.pop(("invoice", identity), None)
            if applies:
                parts["invoice", identity] = Application("invoice", identity, Decimal(amount or 0))
        return tuple(parts.values())

    def _today(self) -> date:
        return self.ledger.now().date()


def _fixed(name: str) -> ServiceError:
    """A field that stays what it was when the record was made."""
    return user_error(f"You cannot change the following field of an existing record: {name}.")


def _with_lines(before: tuple[Line, ...], given: list[dict[str, Any]]) -> list[Line]:
    """The lines of an invoice when some are written: one that names its `line` is changed, any other is added."""
    lines = list(before)
    for place, one in enumerate(given):
        number = one.get("line")
        if number is None:
            lines.append(_line(place, one))
        elif isinstance(number, int) and 1 <= number <= len(lines):
            lines[number - 1] = _line(place, {"description": lines[number - 1].description, **one})
        else:
            raise invalid_content(f"item.items[{place}].line", f"There is no line {number}.")
    return lines


def _is_extra(name: str) -> bool:
    return name in _EXTRAS or name.startswith("cust")


def _put(extra: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        extra.pop(name, None)
    else:
        extra[name] = value.isoformat() if isinstance(value, date) else value


def _plain(values: Values) -> Values:
    """As an activity keeps it: dates as text."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _line(place: int, line: dict[str, Any]) -> Line:
    """A line of a new invoice. Raises ServiceError."""
    numbers = {name: line[name] for name in ("amount", "quantity", "rate") if line.get(name) is not None}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invalid_content(
                f"item.items[{place}].{name}",
                f"You have entered an Invalid Field Value {value} for the following field: {name}",
            )
    if "amount" not in numbers and "rate" not in numbers:
        raise invalid_content(f"item.items[{place}].amount", "Please enter value(s) for: Amount.")
    quantity = Decimal(numbers.get("quantity", 1))
    amount = numbers.get("amount")
    if amount is None:
        amount = rounded(quantity, Decimal(numbers["rate"]))
    price = Decimal(numbers["rate"]) if "rate" in numbers else None
    return Line(Decimal(amount), str(line.get("description") or ""), quantity, price)
