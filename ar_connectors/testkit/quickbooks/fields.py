"""Which fields can be asked for in a query, and what do they hold? Read off the books, not off the wire rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ar_connectors.testkit.ledger.records import Kind
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.rows import KINDS
from ar_connectors.testkit.quickbooks.texts import PACIFIC

__all__ = ["Getter", "field", "sort_key", "value_of"]

Getter = Callable[[Any], Any]

_INSTANTS: Final[dict[str, tuple[str, Getter]]] = {
    "Id": ("id", lambda one: one.id),
    "MetaData.CreateTime": ("instant", lambda one: one.created),
    "MetaData.LastUpdatedTime": ("instant", lambda one: one.updated),
}
_SALES: Final[dict[str, tuple[str, Getter]]] = {
    **_INSTANTS,
    "CustomerRef": ("id", lambda one: one.customer),
    "DocNumber": ("text", lambda one: one.number),
    "TxnDate": ("date", lambda one: one.issued),
    "Balance": ("money", lambda one: one.open),
    "TotalAmt": ("money", lambda one: one.total),
}
_FIELDS: Final[Mapping[Kind, dict[str, tuple[str, Getter]]]] = {
    "invoice": {
        **_SALES,
        "DueDate": ("date", lambda one: one.due),
        "SalesTermRef": ("id", lambda one: one.term),
    },
    "credit": _SALES,
    "payment": {
        **_INSTANTS,
        "CustomerRef": ("id", lambda one: one.customer),
        "PaymentRefNum": ("text", lambda one: one.reference),
        "TxnDate": ("date", lambda one: one.received),
        "TotalAmt": ("money", lambda one: one.total),
    },
    "journal": {
        **_INSTANTS,
        "DocNumber": ("text", lambda one: one.number),
        "TxnDate": ("date", lambda one: one.posted),
    },
    "customer": {
        **_INSTANTS,
        "DisplayName": ("text", lambda one: one.name if one.active else f"{one.name} (deleted)"),
        "CompanyName": ("text", lambda one: one.name),
        "GivenName": ("text", lambda one: (one.contact or "").partition(" ")[0] or None),
        "FamilyName": ("text", lambda one: (one.contact or "").partition(" ")[2] or None),
        "PrintOnCheckName": ("text", lambda one: one.name),
        "PrimaryEmailAddr": ("text", lambda one: one.email),
        "Active": ("bool", lambda one: one.active),
        "Balance": ("money", lambda one: one.balance),
        "Job": ("bool", lambda one: one.parent is not None),
        "ParentRef": ("id", lambda one: one.parent),
    },
    "note": {
        **_INSTANTS,
        "Note": ("text", lambda one: one.text),
        "FileName": ("text", lambda one: one.file),
        "AttachableRef.EntityRef.type": ("texts", lambda one: [KINDS[kind] for kind, _ in one.on]),
        "AttachableRef.EntityRef.Type": ("texts", lambda one: [KINDS[kind] for kind, _ in one.on]),
        "AttachableRef.EntityRef.value": ("texts", lambda one: [value for _, value in one.on]),
    },
    "term": {
        **_INSTANTS,
        "Name": ("text", lambda one: one.name),
        "Active": ("bool", lambda one: one.active),
        "DueDays": ("money", lambda one: Decimal(one.due_days)),
    },
    "account": {
        **_INSTANTS,
        "Name": ("text", lambda one: one.name),
        "Active": ("bool", lambda one: one.active),
        "AccountType": ("text", lambda one: one.type),
        "AccountSubType": ("text", lambda one: one.detail),
    },
    "item": {
        **_INSTANTS,
        "Name": ("text", lambda one: one.name),
        "Active": ("bool", lambda one: one.active),
        "Type": ("text", lambda _: "Service"),
    },
}


def field(kind: Kind, entity: str, name: str) -> tuple[str, Getter]:
    """Type and getter of a field. Raises ServiceError 4001 for one that cannot be queried."""
    try:
        return _FIELDS[kind][name]
    except KeyError:
        raise ServiceError(
            "4001", f"QueryValidationError: Property {name} not found for Entity {entity}"
        ) from None


def value_of(type_: str, name: str, text: str) -> Any:
    """A value of a statement as what the field holds. Raises ServiceError 4001 when it is none."""
    try:
        match type_:
            case "money":
                amount = Decimal(text)
                if not amount.is_finite():
                    raise ValueError(text)
                return amount
            case "date":
                return date.fromisoformat(text[:10])
            case "instant":
                instant = datetime.fromisoformat(text)
                # Which zone the server takes for an instant without one is not documented.
                return instant if instant.tzinfo is not None else instant.replace(tzinfo=PACIFIC)
            case "bool":
                return {"true": True, "false": False}[text.lower()]
            case _:
                return text
    except (ValueError, InvalidOperation, KeyError):
        raise ServiceError(
            "4001", f"QueryValidationError: Invalid value {text!r} for property {name}"
        ) from None


def sort_key(type_: str, getter: Getter) -> Getter:
    """How a field orders rows: ids as numbers, what is missing first."""
    if type_ == "id":
        return lambda one: int(getter(one) or 0)
    return lambda one: ((value := getter(one)) is not None and (1, value)) or (0,)
