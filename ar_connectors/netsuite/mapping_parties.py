"""How do customers and contacts of NetSuite become ours? Pure."""

from __future__ import annotations

from ar_connectors.netsuite.context import Mapper, RowError
from ar_connectors.netsuite.mapping_documents import custom_fields
from ar_connectors.netsuite.statuses import is_true
from ar_connectors.netsuite.wire import ContactRow, CustomerRow
from ar_core.model import Address, Contact, ContactRole, Customer, RecordKind
from ar_core.model.base import adopter

__all__ = ["map_contact", "map_customer", "order_hold"]

_customer = adopter(Customer)
_contact = adopter(Contact)
_address = adopter(Address)


def map_customer(mapper: Mapper, row: CustomerRow) -> tuple[Customer, Contact]:
    """A customer, and the mailbox on its own card (whom no contact record names). Raises RowError without id or name."""
    person = " ".join(one for one in (row.firstname, row.lastname) if one)
    name = (person if is_true(row.isperson) else row.companyname) or row.companyname or person
    name = name or row.altname or row.entityid or ""
    if not name:
        raise RowError("missing_field", f"customer {row.id} has no name")
    identity = mapper.id(RecordKind.CUSTOMER, row.id)
    source = mapper.provenance("customer", row.id, row.lastmodifieddate)
    mapper.numbers += (row.creditlimit, row.balancesearch)
    inactive = is_true(row.isinactive)
    custom = row.custom
    customer = _customer(
        {
            "id": identity,
            "source": source,
            "name": name,
            "legal_name": row.companyname or None,
            "number": row.entityid or None,
            "billing_address": _billing(row),
            "country": row.billcountry or None,
            "language": row.language or None,
            "time_zone": None,
            "currency": mapper.currency(row.currency, row.currencyname),
            "terms": mapper.terms(row.terms, row.termsname),
            "credit_limit": row.creditlimit,
            "order_hold": order_hold(row.oncredithold, row.creditholdoverride),
            "is_active": None if inactive is None else not inactive,
            "parent_id": mapper.customer_id(row.parent) if row.parent != row.id else None,
            "bill_with_parent": None,
            "merged_into_id": None,
            "reported_balance": row.balancesearch,
            "subsidiary_id": row.subsidiary or None,
            "notes": row.comments or None,
            "raw_status": None,
            "custom_fields": custom_fields(custom) if custom else (),
        }
    )
    contact = _contact(
        {
            "id": mapper.id(RecordKind.CONTACT, f"customer-{row.id}"),
            "customer_id": identity,
            "source": source,
            "role": ContactRole.BILLING,
            "person": person or None,
            "email": row.email or None,
            "phone": row.phone or None,
            "mobile": row.mobilephone or None,
            "whatsapp": None,
            "postal": customer.billing_address,
            "language": row.language or None,
            "time_zone": None,
            "is_active": customer.is_active,
        }
    )
    return customer, contact


def order_hold(effective: str | None, override: str | None) -> bool | None:
    """Whether NetSuite stops new orders: what it computed, else what an override alone tells; None for `Auto` without the
    computed value (quirks.md#ns-22)."""
    computed = is_true(effective)
    if computed is None and effective and effective.strip("_").upper() in {"ON", "OFF"}:
        computed = effective.strip("_").upper() == "ON"
    if computed is not None:
        return computed
    forced = (override or "").strip("_").upper()
    return True if forced == "ON" else False if forced == "OFF" else None


def _billing(row: CustomerRow) -> Address | None:
    lines = tuple(one for one in (row.billaddr1, row.billaddr2) if one)
    if not (lines or row.billcity or row.billzip or row.billcountry):
        return None
    return _address(
        {
            "lines": lines,
            "city": row.billcity or None,
            "region": row.billstate or None,
            "postal_code": row.billzip or None,
            "country": row.billcountry or None,
        }
    )


def map_contact(mapper: Mapper, row: ContactRow) -> Contact:
    """A contact person. Raises RowError without id or customer."""
    owner = mapper.customer_id(row.company)
    if owner is None:
        raise RowError("missing_field", f"contact {row.id} names no company")
    person = " ".join(one for one in (row.firstname, row.lastname) if one) or row.entityid or None
    inactive = is_true(row.isinactive)
    return _contact(
        {
            "id": mapper.id(RecordKind.CONTACT, row.id),
            "customer_id": owner,
            "source": mapper.provenance("contact", row.id, row.lastmodifieddate),
            "role": _role(row.title),
            "person": person,
            "email": row.email or None,
            "phone": row.phone or row.officephone or None,
            "mobile": row.mobilephone or None,
            "whatsapp": None,
            "postal": None,
            "language": None,
            "time_zone": None,
            "is_active": None if inactive is None else not inactive,
        }
    )


def _role(title: str | None) -> ContactRole:
    """What a job title tells, where it tells it plainly."""
    folded = (title or "").casefold()
    if not folded:
        return ContactRole.UNKNOWN
    if "payable" in folded:
        return ContactRole.ACCOUNTS_PAYABLE
    if any(word in folded for word in ("billing", "invoice", "accounting", "bookkeep")):
        return ContactRole.BILLING
    if any(word in folded for word in ("chief", "ceo", "cfo", "president", "owner", "director")):
        return ContactRole.EXECUTIVE
    return ContactRole.DEPARTMENT_HEAD if "head of" in folded else ContactRole.OTHER
