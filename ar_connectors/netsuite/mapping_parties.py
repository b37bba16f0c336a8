"""How do customers and contacts of NetSuite become ours? Pure."""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit.mapper import CUSTOMER
from ar_connectors.netsuite.context import Mapper, RowError
from ar_connectors.netsuite.mapping_documents import custom_fields
from ar_connectors.netsuite.statuses import is_true
from ar_connectors.netsuite.wire import ContactRow, CustomerAnswer, CustomerRow
from ar_core.model import Address, Contact, ContactRole, Customer, RecordKind
from ar_core.model.base import adopter, blank

__all__ = ["map_contact", "map_customer", "order_hold"]

_customer, _new_customer = adopter(Customer), blank(Customer)
_contact, _new_contact = adopter(Contact), blank(Contact)
_address, _new_address = adopter(Address), blank(Address)
_BILLING: Final = ContactRole.BILLING
_CONTACT: Final = RecordKind.CONTACT


def map_customer(mapper: Mapper, row: CustomerRow | CustomerAnswer) -> tuple[Customer, Contact]:
    """A customer, and the mailbox on its own card (whom no contact record names). Raises RowError without id or name."""
    company, first, last = row.companyname, row.firstname, row.lastname
    person = f"{first} {last}" if first and last else first or last or ""
    name = (person if row.isperson != "F" and is_true(row.isperson) else company) or company or person
    name = name or row.altname or row.entityid or ""
    if not name:
        raise RowError("missing_field", f"customer {row.id} has no name")
    remote_id, changed = row.id, row.lastmodifieddate
    identity = mapper.id(CUSTOMER, remote_id)
    source = mapper.provenance("customer", remote_id, changed)
    limit, balance = row.creditlimit, row.balancesearch
    if limit is not None:
        mapper.read.append(limit)
    if balance is not None:
        mapper.read.append(balance)
    active = _active(row.isinactive)
    billing, language = _billing(row), row.language or None
    values = _new_customer()
    values["id"] = identity
    values["source"] = source
    values["name"] = name
    values["legal_name"] = company or None
    values["number"] = row.entityid or None
    values["billing_address"] = billing
    values["country"] = row.billcountry or None
    values["language"] = language
    values["currency"] = mapper.currencies[row.currency, row.currencyname]
    values["terms"] = mapper.terms[row.terms, row.termsname]
    if limit is not None:
        values["credit_limit"] = mapper.rate(limit)
    if row.oncredithold or row.creditholdoverride:
        values["order_hold"] = order_hold(row.oncredithold, row.creditholdoverride)
    values["is_active"] = active
    if row.parent and row.parent != row.id:
        values["parent_id"] = mapper.customer_id(row.parent)
    if balance is not None:
        values["reported_balance"] = mapper.number(balance)
    values["subsidiary_id"] = row.subsidiary or None
    if row.comments:
        values["notes"] = row.comments
    if row.custom:
        values["custom_fields"] = custom_fields(row.custom)
    mailbox = _new_contact()
    mailbox["id"] = mapper.id(_CONTACT, f"customer-{remote_id}")
    mailbox["customer_id"] = identity
    mailbox["source"] = source
    mailbox["role"] = _BILLING
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


def _billing(row: CustomerRow | CustomerAnswer) -> Address | None:
    first, second, city, postal_code = row.billaddr1, row.billaddr2, row.billcity, row.billzip
    if not (first or second or city or postal_code or row.billcountry):
        return None
    values = _new_address()
    if first:
        values["lines"] = (first, second) if second else (first,)
    elif second:
        values["lines"] = (second,)
    values["city"] = city or None
    values["region"] = row.billstate or None
    values["postal_code"] = postal_code or None
    values["country"] = row.billcountry or None
    return _address(values)


def _active(inactive: str | None) -> bool | None:
    """Whether somebody is active, by what a column says of the contrary."""
    if inactive == "F":
        return True
    told = is_true(inactive)
    return None if told is None else not told


def map_contact(mapper: Mapper, row: ContactRow) -> Contact:
    """A contact person. Raises RowError without id or customer."""
    owner = mapper.customer_id(row.company)
    if owner is None:
        raise RowError("missing_field", f"contact {row.id} names no company")
    person = " ".join(one for one in (row.firstname, row.lastname) if one) or row.entityid or None
    values = _new_contact()
    values["id"] = mapper.id(_CONTACT, row.id)
    values["customer_id"] = owner
    values["source"] = mapper.provenance("contact", row.id, row.lastmodifieddate)
    values["role"] = _role(row.title)
    values["person"] = person
    values["email"] = row.email or None
    values["phone"] = row.phone or row.officephone or None
    values["mobile"] = row.mobilephone or None
    values["is_active"] = _active(row.isinactive)
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
