"""How do customers and contacts of NetSuite become ours? Pure."""

from __future__ import annotations

from ar_connectors.netsuite.context import Mapper, RowError
from ar_connectors.netsuite.mapping_documents import custom_fields
from ar_connectors.netsuite.statuses import is_true
from ar_connectors.netsuite.wire import ContactRow, CustomerRow
from ar_core.model import Address, Contact, ContactRole, Customer, RecordKind
from ar_core.model.base import adopter, blank

__all__ = ["map_contact", "map_customer", "order_hold"]

_customer, _new_customer = adopter(Customer), blank(Customer)
_contact, _new_contact = adopter(Contact), blank(Contact)
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
    active = None if inactive is None else not inactive
    billing, language = _billing(row), row.language or None
    values = _new_customer()
    values["id"] = identity
    values["source"] = source
    values["name"] = name
    values["legal_name"] = row.companyname or None
    values["number"] = row.entityid or None
    values["billing_address"] = billing
    values["country"] = row.billcountry or None
    values["language"] = language
    values["currency"] = mapper.currencies[row.currency, row.currencyname]
    values["terms"] = mapper.terms[row.terms, row.termsname]
    values["credit_limit"] = row.creditlimit
    values["order_hold"] = order_hold(row.oncredithold, row.creditholdoverride)
    values["is_active"] = active
    if row.parent and row.parent != row.id:
        values["parent_id"] = mapper.customer_id(row.parent)
    values["reported_balance"] = row.balancesearch
    values["subsidiary_id"] = row.subsidiary or None
    if row.comments:
        values["notes"] = row.comments
    if row.custom:
        values["custom_fields"] = custom_fields(row.custom)
    mailbox = _new_contact()
    mailbox["id"] = mapper.id(RecordKind.CONTACT, f"customer-{row.id}")
    mailbox["customer_id"] = identity
    mailbox["source"] = source
    mailbox["role"] = ContactRole.BILLING
    mailbox["person"] = person or None
    mailbox["email"] = row.email or None
    mailbox["phone"] = row.phone or None
    mailbox["mobile"] = row.mobilephone or None
    mailbox["postal"] = billing
    mailbox["language"] = language
    mailbox["is_active"] = active
    return _customer(values), _contact(mailbox)


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
    values = _new_contact()
    values["id"] = mapper.id(RecordKind.CONTACT, row.id)
    values["customer_id"] = owner
    values["source"] = mapper.provenance("contact", row.id, row.lastmodifieddate)
    values["role"] = _role(row.title)
    values["person"] = person
    values["email"] = row.email or None
    values["phone"] = row.phone or row.officephone or None
    values["mobile"] = row.mobilephone or None
    values["is_active"] = None if inactive is None else not inactive
    return _contact(values)


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
