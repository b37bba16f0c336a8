"""Who is who in an organisation of Xero? Contacts as customers with their people, and the organisation itself; pure."""

from __future__ import annotations

from typing import Final

from ar_connectors.adapterkit.mapper import CUSTOMER, RowError
from ar_connectors.adapterkit.pages import Mapped
from ar_connectors.connector import Record
from ar_connectors.xero import wire
from ar_connectors.xero.context import Mapper
from ar_connectors.xero.moments import to_day
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

__all__ = ["IN_GROUP", "map_contact", "map_organisation"]

IN_GROUP: Final = "contact_group"
"""Name of the custom field of a customer that names a group of contacts it is in."""
_customer, _new_customer = adopter(Customer), blank(Customer)
_contact, _new_contact = adopter(Contact), blank(Contact)
_address, _new_address = adopter(Address), blank(Address)
_ACTIVE: Final = {"ACTIVE": True, "ARCHIVED": False, "GDPRREQUEST": False}
_PREFERRED: Final = ("POBOX", "STREET", "DELIVERY")
"""Xero prints invoices with the postal address."""


def map_contact(mapper: Mapper, row: wire.Contact) -> Mapped:
    """A contact and its people. Raises RowError when it has no id or no name.

    Suppliers are contacts too, and nothing tells in time when one becomes a customer (quirks.md#xero-32): all are mapped.
    """
    remote_id = row.contact_id
    identity = mapper.id(CUSTOMER, remote_id)
    if not row.name:
        raise RowError("missing_field", f"Contact {remote_id} has no Name")
    source = mapper.provenance("Contact", remote_id, row)
    postal = _postal(row.addresses)
    values = _new_customer()
    values["id"] = identity
    values["source"] = source
    values["name"] = row.name
    values["number"] = row.account_number or row.contact_number or None
    if postal is not None:
        values["billing_address"] = postal
        values["country"] = postal.country
    values["currency"] = mapper.currency_code(row.default_currency, "DefaultCurrency")
    values["terms"] = _terms(mapper, row.payment_terms)
    values["is_active"] = _ACTIVE.get(row.contact_status or "")
    values["merged_into_id"] = mapper.customer_id(row.merged_to)
    values["raw_status"] = row.contact_status
    groups, hold = row.contact_groups or (), mapper.context.order_hold_group
    if hold is not None:
        values["order_hold"] = any(group.name == hold for group in groups)
    if groups:
        values["custom_fields"] = tuple(
            CustomField.trusted(name=IN_GROUP, value=group.name, definition_id=group.contact_group_id)
            for group in groups
        )
    records: list[Record] = [_customer(values), *_people(mapper, row, identity, source, postal)]
    return Mapped(records, None, identity)


def _people(
    mapper: Mapper, row: wire.Contact, customer_id: str, source: Source, postal: Address | None
) -> list[Contact]:
    """The person on the card first, then those in the list beside it."""
    phones = {one.phone_type: number for one in row.phones or () if (number := _number(one)) is not None}
    phone, mobile = phones.get("DEFAULT") or phones.get("DDI"), phones.get("MOBILE")
    person = _person(row.first_name, row.last_name)
    found: list[tuple[str | None, str | None, ContactRole]] = []
    if person or row.email_address or phone or mobile:
        found.append((person, row.email_address or None, ContactRole.BILLING))
    for one in row.contact_persons or ():
        name, email = _person(one.first_name, one.last_name), one.email_address or None
        if name or email:
            found.append((name, email, ContactRole.BILLING if one.include_in_emails else ContactRole.OTHER))
    prefix = mapper.id(RecordKind.CONTACT, row.contact_id)
    active = _ACTIVE.get(row.contact_status or "")
    own = bool(person or row.email_address or phone or mobile)
    made = []
    for ordinal, (name, email, role) in enumerate(found):
        values = _new_contact()
        values["id"] = f"{prefix}-{ordinal}"
        values["customer_id"] = customer_id
        values["source"] = source
        values["role"] = role
        values["person"] = name
        values["email"] = email
        if own and ordinal == 0:
            values["phone"] = phone
            values["mobile"] = mobile
            values["postal"] = postal
        values["is_active"] = active
        made.append(_contact(values))
    return made


def _person(first: str | None, last: str | None) -> str | None:
    return f"{first} {last}" if first and last else first or last or None


def _number(phone: wire.Phone) -> str | None:
    if not phone.phone_number:
        return None
    country = f"+{phone.phone_country_code.lstrip('+')}" if phone.phone_country_code else None
    return " ".join(part for part in (country, phone.phone_area_code, phone.phone_number) if part)


def _postal(rows: list[wire.Address] | None) -> Address | None:
    by_type = {row.address_type: row for row in rows or ()}
    for name in _PREFERRED:
        row = by_type.get(name)
        if row is None:
            continue
        printed = (row.address_line1, row.address_line2, row.address_line3, row.address_line4)
        lines = tuple([line for line in printed if line])
        if lines or row.city or row.region or row.postal_code or row.country:
            values = _new_address()
            values["lines"] = lines
            values["city"] = row.city or None
            values["region"] = row.region or None
            values["postal_code"] = row.postal_code or None
            values["country"] = row.country or None
            return _address(values)
    return None


def _terms(mapper: Mapper, terms: wire.PaymentTerms | None) -> PaymentTerms | None:
    sales = terms.sales if terms is not None else None
    if sales is None or sales.day is None:
        return None
    key = (sales.day, sales.type)
    known = mapper.terms.get(key)
    if known is None:
        known = mapper.terms[key] = PaymentTerms.trusted(
            name=f"{sales.day} {sales.type or ''}".strip(),
            due_days=sales.day if sales.type == "DAYSAFTERBILLDATE" else None,
            day_of_month_due=sales.day if sales.type in {"OFFOLLOWINGMONTH", "OFCURRENTMONTH"} else None,
        )
    return known


def map_organisation(mapper: Mapper, row: wire.Organisation) -> Mapped:
    """The organisation. Its record has the tenant's id: there is one per connection.

    The time zone is asked from the user: Xero's own word for it is kept as a custom field. Books are closed for everybody up to
    the later of the two lock dates, for advisers up to the end-of-year lock date (quirks.md#xero-43).
    """
    source = mapper.provenance("Organisation", row.organisation_id or mapper.tenant, row)
    period = to_day(None, row.period_lock_date, "PeriodLockDate")
    year = to_day(None, row.end_of_year_lock_date, "EndOfYearLockDate")
    facts = {"xero_timezone": row.timezone, "short_code": row.short_code, "class": row.organisation_class}
    record = Organization.trusted(
        id=mapper.id(RecordKind.ORGANIZATION, mapper.tenant),
        source=source,
        name=row.name or None,
        legal_name=row.legal_name or None,
        base_currency=mapper.currency_code(row.base_currency, "BaseCurrency"),
        country=row.country_code or None,
        lock_date=max((day for day in (period, year) if day is not None), default=None),
        adviser_lock_date=year,
        custom_fields=tuple(
            CustomField.trusted(name=name, value=value) for name, value in facts.items() if value
        ),
    )
    return Mapped((record,))
