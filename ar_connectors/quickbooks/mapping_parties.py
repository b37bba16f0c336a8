"""Who is who in a QuickBooks company? Customers with their contacts, the company itself, payment terms; pure."""

from __future__ import annotations

import re
from typing import Final

from ar_connectors.adapterkit.mapper import CUSTOMER, RowError
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import Mapper
from ar_core.model import (
    Address,
    Contact,
    ContactRole,
    Customer,
    CustomField,
    Organization,
    PaymentTerms,
    RecordKind,
    Source,
)
from ar_core.model.base import adopter, blank

__all__ = ["map_customer", "map_organization", "map_term"]

_customer, _new_customer = adopter(Customer), blank(Customer)
_contact, _new_contact = adopter(Contact), blank(Contact, role=ContactRole.BILLING)
_address, _new_address = adopter(Address), blank(Address)

_ADDRESSES: Final = re.compile(r"[,;\s]+")


def map_customer(mapper: Mapper, row: wire.Customer) -> list[Customer | Contact]:
    """A customer and its contacts. Raises RowError when it has no id or no name at all.

    The first contact is the person on the customer's card with the first address; every further address of the e-mail
    field is a contact of its own (quirks.md#qbo-16).
    """
    identity = mapper.id(CUSTOMER, row.id)
    name = row.display_name or row.fully_qualified_name or row.company_name or row.name or _person(row)
    if not name:
        raise RowError("missing_field", f"Customer {row.id} has no DisplayName and no other name")
    mapper.numbers.append(row.balance)
    source = mapper.provenance("Customer", row)
    address = _postal(row.bill_addr)
    values = _new_customer()
    values["id"] = identity
    values["source"] = source
    values["name"] = name
    values["legal_name"] = row.company_name or None
    if address is not None:
        values["billing_address"] = address
        values["country"] = address.country
    values["currency"] = mapper.currency(row.currency_ref)
    values["terms"] = mapper.terms(row.sales_term_ref)
    values["is_active"] = row.active
    values["parent_id"] = mapper.customer(row.parent_ref)
    values["bill_with_parent"] = row.bill_with_parent
    values["reported_balance"] = row.balance
    values["notes"] = row.notes or None
    values["raw_status"] = row.status or None
    if row.custom_field:
        values["custom_fields"] = mapper.custom_fields(row.custom_field)
    return [_customer(values), *_contacts(mapper, row, identity, source, address)]


def _contacts(
    mapper: Mapper, row: wire.Customer, customer_id: str, source: Source, address: Address | None
) -> list[Contact]:
    emails = _emails(row.primary_email_addr)
    person = _person(row)
    phone = _number(row.primary_phone) or _number(row.alternate_phone)
    mobile = _number(row.mobile)
    if not (emails or person or phone or mobile):
        return []
    contacts = []
    prefix = mapper.id(RecordKind.CONTACT, row.id)
    for ordinal, email in enumerate(emails or [None]):
        values = _new_contact()
        values["id"] = f"{prefix}-{ordinal}"
        values["customer_id"] = customer_id
        values["source"] = source
        values["email"] = email
        values["is_active"] = row.active
        if ordinal == 0:
            values["person"] = person
            values["phone"] = phone
            values["mobile"] = mobile
            values["postal"] = address
        contacts.append(_contact(values))
    return contacts


def _emails(field: wire.Email | None) -> list[str | None]:
    if field is None or not field.address:
        return []
    if "," not in field.address and ";" not in field.address and " " not in field.address:
        return [field.address]
    return list(dict.fromkeys(part for part in _ADDRESSES.split(field.address) if part))


def _number(phone: wire.Phone | None) -> str | None:
    return (phone.free_form_number or None) if phone is not None else None


def _person(row: wire.Customer) -> str | None:
    given, family = row.given_name, row.family_name
    return f"{given} {family}" if given and family else given or family or None


def _postal(row: wire.Address | None) -> Address | None:
    if row is None:
        return None
    lines: tuple[str, ...]
    if row.line1 and not (row.line2 or row.line3 or row.line4 or row.line5):
        lines = (row.line1,)
    else:
        lines = tuple([line for line in (row.line1, row.line2, row.line3, row.line4, row.line5) if line])
    if not (lines or row.city or row.postal_code or row.country or row.country_sub_division_code):
        return None
    values = _new_address()
    values["lines"] = lines
    values["city"] = row.city or None
    values["region"] = row.country_sub_division_code or None
    values["postal_code"] = row.postal_code or None
    values["country"] = row.country or None
    return _address(values)


def map_organization(
    mapper: Mapper, company: wire.CompanyInfo | None, preferences: wire.Preferences | None
) -> Organization:
    """The company, from its card, its settings or both; what neither says stays unknown.

    The time zone is never taken from QuickBooks: what it may send is an abbreviation (quirks.md#qbo-45).
    """
    currencies = preferences.currency_prefs if preferences is not None else None
    accounting = preferences.accounting_info_prefs if preferences is not None else None
    company = company or wire.CompanyInfo()
    facts = company.name_value or []
    row: wire.Entity = company if company.id else preferences or company
    row.id = row.id or mapper.context.tenant  # Preferences may come without an Id; there is one per company
    source = mapper.provenance("CompanyInfo" if row is company else "Preferences", row)
    return Organization.trusted(
        id=mapper.id(RecordKind.ORGANIZATION, mapper.context.tenant),
        source=source,
        name=company.company_name or None,
        legal_name=company.legal_name or None,
        base_currency=mapper.currency(currencies.home_currency)
        if currencies is not None
        else mapper.context.home_currency,
        country=company.country or None,
        multicurrency=currencies.multi_currency_enabled
        if currencies is not None
        else mapper.context.multicurrency,
        lock_date=accounting.book_close_date if accounting is not None else None,
        custom_fields=tuple(CustomField.trusted(name=fact.name, value=fact.value) for fact in facts),
    )


def map_term(mapper: Mapper, row: wire.Term) -> PaymentTerms:
    """Payment terms. Raises RowError when there is no id."""
    if not row.id:
        raise RowError("missing_field", "the Term has no Id")
    mapper.numbers.append(row.discount_percent)
    return PaymentTerms.trusted(
        remote_id=row.id,
        name=row.name or None,
        due_days=row.due_days,
        day_of_month_due=row.day_of_month_due,
        due_next_month_days=row.due_next_month_days,
        discount_percent=row.discount_percent,
        discount_days=row.discount_days,
    )
