"""Which program wrote this list? Known layouts, recognized from their column headings alone, as data.

A layout says what a heading stands for and what the words in its type column mean. Headings are compared in a normal form: lower
case, without punctuation. Sources: quirks.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from ar_connectors.aging_file.cells import Cell, cell_text

__all__ = ["LAYOUTS", "Group", "ItemType", "Layout", "Role", "match", "normal", "role_of", "type_of"]


class Role(StrEnum):
    """What a column holds."""

    CUSTOMER = "customer"
    CUSTOMER_NUMBER = "customer_number"
    TYPE = "type"
    NUMBER = "number"
    LINE = "line"
    """The line item within a document."""
    REFERENCE = "reference"
    """The customer's own reference, usually a purchase order."""
    ISSUE_DATE = "issue_date"
    DUE_DATE = "due_date"
    DAYS_PAST_DUE = "days_past_due"
    CURRENCY = "currency"
    TOTAL = "total"
    """The original amount."""
    BALANCE = "balance"
    """What is still open."""
    EMAIL = "email"
    PHONE = "phone"
    SUBSIDIARY = "subsidiary"
    MEMO = "memo"


class ItemType(StrEnum):
    """What an open item is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"


class Group(StrEnum):
    """What a heading row between the items names, if there are any."""

    NONE = "none"
    CUSTOMER = "customer"
    AGE = "age"
    """An aging bucket: it says nothing that the dates do not say."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One program's list. `headings`: role -> headings that stand for it, in normal form, the best first."""

    name: str
    title: str
    headings: Mapping[Role, tuple[str, ...]]
    telling: frozenset[str]
    """Headings, in normal form, all of which must be there: no other program's list has this set."""
    group: Group = Group.NONE
    types: Mapping[str, ItemType] = field(default_factory=dict)
    """Words of the type column, in normal form, or their beginnings."""


_WORDS: Final[Mapping[str, ItemType]] = {
    "credit memo": ItemType.CREDIT_NOTE,
    "credit note": ItemType.CREDIT_NOTE,
    "credit": ItemType.CREDIT_NOTE,
    "creditnote": ItemType.CREDIT_NOTE,
    "creditmemo": ItemType.CREDIT_NOTE,
    "overpayment": ItemType.PAYMENT,
    "prepayment": ItemType.PAYMENT,
    "customer deposit": ItemType.PAYMENT,
    "deposit": ItemType.PAYMENT,
    "payment": ItemType.PAYMENT,
    "receipt": ItemType.PAYMENT,
    "unapplied": ItemType.PAYMENT,
    "on account": ItemType.PAYMENT,
    "journal": ItemType.ADJUSTMENT,
    "general journal": ItemType.ADJUSTMENT,
    "adjustment": ItemType.ADJUSTMENT,
    "debit memo": ItemType.INVOICE,
    "chargeback": ItemType.INVOICE,
    "invoice": ItemType.INVOICE,
    "finance charge": ItemType.INVOICE,
    "statement charge": ItemType.INVOICE,
}
_SAP_TYPES: Final[Mapping[str, ItemType]] = {
    "rv": ItemType.INVOICE,
    "dr": ItemType.INVOICE,
    "dg": ItemType.CREDIT_NOTE,
    "dz": ItemType.PAYMENT,
    "da": ItemType.ADJUSTMENT,
    "ab": ItemType.ADJUSTMENT,
    "sa": ItemType.ADJUSTMENT,
}
"""SAP's own document types; companies add theirs, which are invoices when positive and credits when negative."""

LAYOUTS: Final[tuple[Layout, ...]] = (
    Layout(
        "quickbooks",
        "QuickBooks A/R Aging Detail",
        {
            Role.ISSUE_DATE: ("date",),
            Role.TYPE: ("transaction type", "type"),
            Role.NUMBER: ("num", "no"),
            Role.CUSTOMER: ("customer full name", "customer", "name"),
            Role.DUE_DATE: ("due date",),
            Role.DAYS_PAST_DUE: ("past due", "aging"),
            Role.CURRENCY: ("currency",),
            Role.TOTAL: ("foreign amount", "amount"),
            Role.BALANCE: ("foreign open balance", "open balance"),
            Role.REFERENCE: ("p o number", "po number"),
            Role.EMAIL: ("customer email", "email"),
            Role.PHONE: ("customer phone", "phone"),
            Role.MEMO: ("memo description", "memo"),
        },
        frozenset({"num", "due date", "open balance"}),
        Group.AGE,
        _WORDS,
    ),
    Layout(
        "xero",
        "Xero Aged Receivables Detail",
        {
            Role.CUSTOMER: ("contact", "contact name"),
            Role.CUSTOMER_NUMBER: ("contact account number",),
            Role.TYPE: ("transaction type", "source"),
            Role.ISSUE_DATE: ("invoice date",),
            Role.DUE_DATE: ("due date",),
            Role.NUMBER: ("invoice number", "number"),
            Role.REFERENCE: ("invoice reference", "reference"),
            Role.CURRENCY: ("currency", "invoice currency"),
            Role.TOTAL: ("invoice total",),
            Role.BALANCE: ("total", "total source", "outstanding"),
            Role.EMAIL: ("contact email", "email"),
            Role.PHONE: ("contact phone", "phone"),
        },
        frozenset({"invoice date", "invoice number", "current"}),
        Group.CUSTOMER,
        _WORDS,
    ),
    Layout(
        "netsuite",
        "NetSuite A/R Aging Detail",
        {
            Role.CUSTOMER: ("customer", "customer project", "customer job", "entity"),
            Role.TYPE: ("transaction type", "type"),
            Role.ISSUE_DATE: ("date",),
            Role.NUMBER: ("document number",),
            Role.REFERENCE: ("p o no", "po no", "p o number"),
            Role.DUE_DATE: ("due date", "date due"),
            Role.DAYS_PAST_DUE: ("age",),
            Role.CURRENCY: ("currency",),
            Role.BALANCE: ("open balance", "open balance foreign currency"),
            Role.SUBSIDIARY: ("subsidiary",),
        },
        frozenset({"document number", "age", "open balance"}),
        Group.CUSTOMER,
        _WORDS,
    ),
    Layout(
        "sap_fbl5n",
        "SAP FBL5N customer line items",
        {
            Role.CUSTOMER: ("name 1", "name", "customer name"),
            Role.CUSTOMER_NUMBER: ("customer", "account"),
            Role.NUMBER: ("document number", "documentno", "document no"),
            Role.LINE: ("line item", "itm", "item"),
            Role.TYPE: ("document type", "type", "doc type", "ty"),
            Role.ISSUE_DATE: ("document date", "doc date"),
            Role.DUE_DATE: ("net due date", "net due dt", "due net"),
            Role.DAYS_PAST_DUE: ("arrears after net due date", "arrears by net due date", "arrears"),
            Role.BALANCE: (
                "amount in doc curr",
                "amount in document currency",
                "amount in dc",
                "amt in doc curr",
            ),
            Role.CURRENCY: ("document currency", "curr", "currency", "crcy"),
            Role.REFERENCE: ("reference",),
            Role.SUBSIDIARY: ("company code", "cocd"),
            Role.MEMO: ("text",),
        },
        frozenset({"net due date"}),
        Group.NONE,
        _SAP_TYPES,
    ),
    Layout(
        "sap_s4hana",
        "SAP S/4HANA Manage Customer Line Items",
        {
            Role.CUSTOMER: ("customer name", "name of customer", "name"),
            Role.CUSTOMER_NUMBER: ("customer", "customer account"),
            Role.NUMBER: ("journal entry", "accounting document"),
            Role.LINE: ("posting view item", "journal entry item", "line item"),
            Role.TYPE: ("journal entry type", "document type"),
            Role.ISSUE_DATE: ("document date", "journal entry date"),
            Role.DUE_DATE: ("net due date",),
            Role.DAYS_PAST_DUE: ("days in arrears", "net due arrears days", "arrears days"),
            Role.BALANCE: (
                "amount transaction currency",
                "amount transact crcy",
                "amount in transaction currency",
            ),
            Role.CURRENCY: ("transaction currency", "transact crcy", "currency"),
            Role.REFERENCE: ("reference", "document reference id"),
            Role.SUBSIDIARY: ("company code",),
            Role.MEMO: ("item text", "document item text"),
        },
        frozenset({"journal entry", "net due date"}),
        Group.NONE,
        _SAP_TYPES,
    ),
    Layout(
        "oracle",
        "Oracle Receivables aging",
        {
            Role.CUSTOMER: ("customer name", "bill to customer name", "customer"),
            Role.CUSTOMER_NUMBER: ("customer number", "account number", "customer account number"),
            Role.NUMBER: ("transaction number", "invoice number", "trx number"),
            Role.TYPE: ("transaction class", "class", "transaction type", "type"),
            Role.ISSUE_DATE: ("transaction date", "invoice date", "trx date"),
            Role.DUE_DATE: ("due date",),
            Role.DAYS_PAST_DUE: ("days late", "days past due", "days overdue"),
            Role.CURRENCY: ("currency", "entered currency", "currency code", "invoice currency"),
            Role.TOTAL: ("original amount", "invoice amount", "transaction amount"),
            Role.BALANCE: ("outstanding amount", "amount due remaining", "balance due", "remaining amount"),
            Role.SUBSIDIARY: ("business unit", "operating unit"),
            Role.REFERENCE: ("purchase order", "po number"),
        },
        frozenset({"customer number", "outstanding amount"}),
        Group.NONE,
        {
            **_WORDS,
            "inv": ItemType.INVOICE,
            "dm": ItemType.INVOICE,
            "cb": ItemType.INVOICE,
            "cm": ItemType.CREDIT_NOTE,
            "pmt": ItemType.PAYMENT,
        },
    ),
)

_ALSO: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.CUSTOMER: (
        "client",
        "debtor",
        "debtor name",
        "account name",
        "company",
        "kunde",
        "kundenname",
        "client name",
    ),
    Role.CUSTOMER_NUMBER: (
        "customer id",
        "customer no",
        "customer code",
        "debtor no",
        "kundennummer",
        "client id",
    ),
    Role.NUMBER: (
        "invoice",
        "invoice no",
        "invoice id",
        "document",
        "doc no",
        "rechnungsnummer",
        "rechnung",
        "belegnummer",
        "facture",
    ),
    Role.ISSUE_DATE: ("issue date", "date of invoice", "rechnungsdatum", "belegdatum", "posting date"),
    Role.DUE_DATE: (
        "due",
        "payment due",
        "due on",
        "fällig am",
        "fälligkeit",
        "fälligkeitsdatum",
        "date d échéance",
    ),
    Role.CURRENCY: ("ccy", "cur", "währung", "devise"),
    Role.TOTAL: ("gross amount", "total amount", "original", "betrag", "rechnungsbetrag", "montant"),
    Role.BALANCE: (
        "balance",
        "open amount",
        "amount due",
        "outstanding balance",
        "remaining",
        "offen",
        "offener betrag",
        "solde",
    ),
    Role.EMAIL: ("e mail", "email address", "billing email"),
    Role.PHONE: ("telephone", "telefon", "phone number"),
    Role.TYPE: ("belegart", "document class"),
    Role.REFERENCE: ("po", "your reference", "bestellnummer", "customer reference"),
    Role.MEMO: ("comment", "note", "description"),
}
"""Headings of no program in particular; a proposal for a column map is made from them too."""


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """A heading or a word in the form in which they are compared."""
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def match(cells: Sequence[Cell]) -> tuple[Layout, dict[Role, int]] | None:
    """The layout whose headings a row is, and role -> column; None if it is none's. The one with most columns known wins."""
    headings = [normal(cell_text(cell)) for cell in cells]
    present = frozenset(headings)
    best: tuple[Layout, dict[Role, int]] | None = None
    for layout in LAYOUTS:
        if not layout.telling <= present:
            continue
        columns = _columns(headings, layout.headings)
        has_customer = Role.CUSTOMER in columns or Role.CUSTOMER_NUMBER in columns
        if Role.BALANCE not in columns or not (has_customer or layout.group is Group.CUSTOMER):
            continue
        if best is None or len(columns) > len(best[1]):
            best = layout, columns
    return best


def role_of(heading: str) -> Role | None:
    """What a heading most probably stands for, whoever wrote it; for a proposal."""
    name = normal(heading)
    for layout in LAYOUTS:
        for role, names in layout.headings.items():
            if name in names and not (layout.name.startswith("sap") and role is Role.CUSTOMER_NUMBER):
                return role
    return next((role for role, names in _ALSO.items() if name in names), None)


def type_of(word: str, types: Mapping[str, ItemType]) -> ItemType | None:
    """What a word of a type column means; None for an unknown one. The longest known beginning decides."""
    name = normal(word)
    if name in types:
        return types[name]
    fits = [known for known in types if len(known) > 2 and name.startswith(known)]
    return types[max(fits, key=len)] if fits else None


def _columns(headings: Sequence[str], names: Mapping[Role, tuple[str, ...]]) -> dict[Role, int]:
    found: dict[Role, int] = {}
    taken: set[int] = set()
    for role, wanted in names.items():
        place = next((headings.index(one) for one in wanted if one in headings), None)
        if place is not None and place not in taken:
            found[role] = place
            taken.add(place)
    return found
