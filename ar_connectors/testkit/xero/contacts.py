"""How is a contact written out? With whom to talk to, where to write, what it owes."""

from __future__ import annotations

from datetime import date

from ar_connectors.testkit.ledger import Customer
from ar_connectors.testkit.xero.groups import Group
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.testkit.xero.texts import Row, money, stamp
from ar_connectors.testkit.xero.view import View

__all__ = ["contact_row", "group_row", "summary"]

_PHONES = ("DDI", "DEFAULT", "FAX", "MOBILE")
_SUMMARY_DROPS = frozenset(
    {"Addresses", "Balances", "ContactGroups", "ContactPersons", "IsCustomer", "IsSupplier", "PaymentTerms"}
)

_UNPAGED_DROPS = frozenset(
    {"ContactPersons", "ContactGroups", "PaymentTerms", "Balances", "MergedToContactID"}
)


def contact_row(view: View, customer: Customer, today: date) -> Row:
    """A contact with its balance, in its own currency."""
    identity = guid("contact", customer.id)
    first, _, others = (customer.email or "").partition(",")
    given, _, family = (customer.contact or "").partition(" ")
    owed, overdue = view.balances(customer.id, today)
    row: Row = {
        "ContactID": identity,
        "ContactStatus": "ACTIVE" if customer.active else "ARCHIVED",
        "Name": customer.name,
        **({"FirstName": given, "LastName": family} if customer.contact else {}),
        "EmailAddress": first.strip(),
        "BankAccountDetails": "",
        **({"AccountNumber": customer.extra["AccountNumber"]} if "AccountNumber" in customer.extra else {}),
        **({"ContactNumber": customer.extra["ContactNumber"]} if "ContactNumber" in customer.extra else {}),
        "Addresses": [
            {"AddressType": "STREET", "City": "", "Region": "", "PostalCode": "", "Country": ""},
            {
                "AddressType": "POBOX",
                **({"AddressLine1": customer.street} if customer.street else {}),
                "City": customer.city or "",
                "Region": "",
                "PostalCode": "",
                "Country": "",
            },
        ],
        "Phones": [_phone(kind, customer.phone if kind == "DEFAULT" else None) for kind in _PHONES],
        "UpdatedDateUTC": stamp(customer.updated),
        "ContactGroups": [_group_stub(group) for group in view.groups.of(identity)],
        "IsSupplier": False,
        "IsCustomer": True,
        "DefaultCurrency": customer.currency,
        "SalesTrackingCategories": [],
        "PurchasesTrackingCategories": [],
        **_terms(view, customer),
        "Balances": {
            "AccountsReceivable": {"Outstanding": money(owed), "Overdue": money(overdue)},
            "AccountsPayable": {"Outstanding": money(owed - owed), "Overdue": money(owed - owed)},
        },
        "ContactPersons": [
            {"FirstName": "", "LastName": "", "EmailAddress": one.strip(), "IncludeInEmails": True}
            for one in others.split(",")
            if one.strip()
        ],
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    if customer.merged_into is not None:
        row["MergedToContactID"] = guid("contact", customer.merged_into)
    return row


def summary(row: Row, *, unpaged: bool) -> Row:
    """A contact of summaryOnly, or of a list that was not asked for by page, which lacks less."""
    drops = _UNPAGED_DROPS if unpaged else _SUMMARY_DROPS
    return {name: value for name, value in row.items() if name not in drops}


def group_row(view: View, group: Group, *, members: bool) -> Row:
    """A contact group; members only when it was asked for by id."""
    names = {entry.id: entry for entry in view.entries("Contacts")} if members else {}
    contacts = [
        {
            "ContactID": one,
            "Name": names[one].facts.get(
                "Name", names[one].record["Name"] if isinstance(names[one].record, dict) else ""
            ),
            "Addresses": [],
            "Phones": [],
            "ContactGroups": [],
            "ContactPersons": [],
            "HasValidationErrors": False,
        }
        for one in group.members
        if one in names
    ]
    return {
        "ContactGroupID": group.id,
        "Name": group.name,
        "Status": group.status,
        "Contacts": contacts,
        "HasValidationErrors": False,
    }


def _group_stub(group: Group) -> Row:
    return {
        "ContactGroupID": group.id,
        "Name": group.name,
        "Status": group.status,
        "Contacts": [],
        "HasValidationErrors": False,
    }


def _phone(kind: str, number: str | None) -> Row:
    return {"PhoneType": kind, "PhoneNumber": number or "", "PhoneAreaCode": "", "PhoneCountryCode": ""}


def _terms(view: View, customer: Customer) -> Row:
    if customer.term is None:
        return {}
    days = view.ledger.terms[customer.term].due_days
    return {"PaymentTerms": {"Sales": {"Day": days, "Type": "DAYSAFTERBILLDATE"}}}
