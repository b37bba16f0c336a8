"""What is an open item in the model? An invoice, a credit note, an unapplied payment or an adjustment, and the customer it is of.

A list knows what is open, not what happened: there are no allocations in it. Amounts of records are positive, the list's sign
only says which kind a thing is (adjustments keep theirs).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ar_connectors.aging_file.cells import PLATFORM
from ar_connectors.aging_file.items import OpenItem, Unmappable
from ar_connectors.aging_file.layouts import ItemType, Role
from ar_connectors.connector import Record
from ar_core.model import (
    Adjustment,
    Contact,
    ContactRole,
    CreditNote,
    Customer,
    DocumentStatus,
    Invoice,
    Organization,
    Payment,
    PaymentKind,
    RecordKind,
    Source,
    record_id,
)
from ar_core.model.money import ZERO

__all__ = [
    "KINDS",
    "base_identity",
    "closed",
    "customer_identity",
    "identity",
    "is_open",
    "kind_of",
    "map_customer",
    "map_item",
    "map_organization",
]

KINDS: Final[Mapping[ItemType, RecordKind]] = {
    ItemType.INVOICE: RecordKind.INVOICE,
    ItemType.CREDIT_NOTE: RecordKind.CREDIT_NOTE,
    ItemType.PAYMENT: RecordKind.PAYMENT,
    ItemType.ADJUSTMENT: RecordKind.ADJUSTMENT,
}


def kind_of(item: OpenItem) -> ItemType:
    """What an item is in the model: what its type says, or for want of a known one what its sign says.

    An invoice below zero is a credit, a payment above zero (money given back, a bounced check) an adjustment. Raises Unmappable
    for a credit note above zero: nobody can say which of the two is wrong.
    """
    below = item.balance < ZERO
    match item.type:
        case None | ItemType.INVOICE:
            return ItemType.CREDIT_NOTE if below else ItemType.INVOICE
        case ItemType.CREDIT_NOTE if not below and item.balance != ZERO:
            raise Unmappable(
                "contradiction",
                Role.BALANCE,
                item.balance,
                f"an amount below zero, because it is a {item.type_word}",
            )
        case ItemType.PAYMENT if not below and item.balance != ZERO:
            return ItemType.ADJUSTMENT
    return item.type


def base_identity(item: OpenItem) -> str:
    """The remote id of an item as far as its row alone gives it: customer, kind, document number, line, issue date.

    The due date is no part of it, for due dates move. Without a number the due date and the reference stand in for it.
    """
    number = item.number or "-"
    parts = [item.customer_key, kind_of(item).value, number]
    parts += [part for part in (item.subsidiary, item.line) if part]
    parts.append(item.issue_date.isoformat() if item.issue_date else "-")
    if item.number is None:
        parts += [item.due_date.isoformat() if item.due_date else "-", item.reference or "-"]
    return "/".join(parts)


def identity(tenant: str, item: OpenItem, remote_id: str) -> str:
    """The record id of an item under a remote id."""
    return record_id(PLATFORM, tenant, KINDS[kind_of(item)], remote_id)


def map_organization(tenant: str, base_currency: str | None, time_zone: str | None) -> Organization:
    """The company whose list it is."""
    return Organization(
        id=record_id(PLATFORM, tenant, RecordKind.ORGANIZATION, tenant),
        source=Source(platform=PLATFORM, tenant=tenant, kind="list", remote_id=tenant),
        name=tenant,
        base_currency=base_currency,
        time_zone=time_zone,
    )


def map_customer(tenant: str, item: OpenItem) -> list[Record]:
    """The customer of an item, and a contact where the list has an e-mail address or a phone number."""
    key = item.customer_key
    source = Source(platform=PLATFORM, tenant=tenant, kind="customer", remote_id=key)
    customer_id = customer_identity(tenant, key)
    found: list[Record] = [
        Customer(
            id=customer_id,
            source=source,
            name=item.customer,
            number=item.customer_number,
            currency=item.currency,
            is_active=None,
        )
    ]
    if item.email or item.phone:
        found.append(
            Contact(
                id=record_id(PLATFORM, tenant, RecordKind.CONTACT, key),
                source=source.model_copy(update={"kind": "contact"}),
                customer_id=customer_id,
                role=ContactRole.UNKNOWN,
                email=item.email,
                phone=item.phone,
            )
        )
    return found


def customer_identity(tenant: str, key: str) -> str:
    """The record id of a customer by its number or name."""
    return record_id(PLATFORM, tenant, RecordKind.CUSTOMER, key)


def map_item(tenant: str, item: OpenItem, remote_id: str, known: Any = None) -> Record:
    """The record of an item. `known`: what the store has of it; its original amount is kept where the list states none.

    Where neither knows it, the original amount is what is open now, the least it can have been.
    """
    kind = kind_of(item)
    open_amount = item.balance.copy_abs()  # abs() would round to the precision of the context
    common: dict[str, Any] = {
        "id": identity(tenant, item, remote_id),
        "source": Source(platform=PLATFORM, tenant=tenant, kind=kind.value, remote_id=remote_id),
        "customer_id": customer_identity(tenant, item.customer_key),
        "currency": item.currency,
        "document_status": DocumentStatus.POSTED,
        "memo": item.memo,
    }
    original = _original(item, open_amount, known)
    match kind:
        case ItemType.INVOICE:
            return Invoice(
                **common,
                raw_status=item.type_word,
                number=item.number,
                issue_date=item.issue_date,
                due_date=item.due_date,
                total=original,
                balance_due=open_amount,
                customer_reference=item.reference,
            )
        case ItemType.CREDIT_NOTE:
            return CreditNote(
                **common,
                raw_status=item.type_word,
                number=item.number,
                issue_date=item.issue_date,
                total=original,
                unapplied_amount=open_amount,
                customer_reference=item.reference,
            )
        case ItemType.PAYMENT:
            return Payment(
                **common,
                raw_status=item.type_word,
                kind=PaymentKind.UNKNOWN if item.type is None else PaymentKind.RECEIPT,
                payment_date=item.issue_date,
                total=original,
                unapplied_amount=open_amount,
                reference=item.reference or item.number,
            )
        case ItemType.ADJUSTMENT:
            return Adjustment(
                **common,
                number=item.number,
                adjustment_date=item.issue_date,
                amount=original.copy_sign(item.balance),
                open_amount=item.balance,
            )


def _original(item: OpenItem, open_amount: Decimal, known: Any) -> Decimal:
    if item.total is not None:
        return max(item.total.copy_abs(), open_amount)
    before = getattr(known, "total", None) or getattr(known, "amount", None)
    return max(before.copy_abs(), open_amount) if before is not None else open_amount


def is_open(record: Any) -> bool:
    """Whether something of a record is still open."""
    return bool(_open_part(record)[1])


def closed(record: Any, as_of: date | None) -> Record:
    """A record that is no longer on the list: nothing of it is open, and by what it was settled is not known."""
    name, _ = _open_part(record)
    said = f"not on the list of {as_of.isoformat()}" if as_of else "not on the list"
    update = {name: ZERO} if isinstance(record, Adjustment) else {name: ZERO, "raw_status": said}
    changed: Record = record.model_copy(update=update)
    return changed


def _open_part(record: Any) -> tuple[str, Decimal | None]:
    match record:
        case Invoice():
            return "balance_due", record.balance_due
        case CreditNote() | Payment():
            return "unapplied_amount", record.unapplied_amount
        case Adjustment():
            return "open_amount", record.open_amount
    raise TypeError(f"{type(record).__name__} is nothing that a list holds")
