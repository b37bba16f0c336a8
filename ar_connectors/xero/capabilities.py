"""What can this adapter do with an organisation of Xero? Data: `ar-connectors capabilities xero` prints it, tests prove it."""

from __future__ import annotations

from typing import Final

from ar_connectors.connector import Capabilities
from ar_connectors.xero.faults import PLATFORM
from ar_connectors.xero.writeback import COMMANDS, FACTS

__all__ = ["CAPABILITIES", "LIMITS", "READS"]

READS: Final[dict[str, str]] = {
    "organization": "Organisation with its lock dates, read again every day; whether Xero itself sends reminders",
    "customers": "Contacts, archived and merged ones too, then by If-Modified-Since",
    "contacts": "the person on the contact's card, and its ContactPersons",
    "invoices": "sales invoices in the order of ids, then by If-Modified-Since; open ones whole once a day (quirks.md#xero-17); "
    "their payment links, a call each and once, as many in a run as `payment_links` says (quirks.md#xero-54)",
    "credit_notes": "credit notes to customers",
    "payments": "Payments (receipts and refunds), Prepayments, Overpayments",
    "allocations": "with the payments and credit notes that they belong to",
    "promises": "expected payment dates that bookkeepers set (origin erp); our own tagged history notes behind such dates, and of "
    "contacts in the group of those who have notes (quirks.md#xero-49)",
    "disputes": "our own tagged history notes, found in the same ways",
    "deletions": "status DELETED of drafts and payments",
    "voids": "status VOIDED",
    "reported_balances": "Balances of contacts, in the contact's own currency (quirks.md#xero-31)",
    "webhooks": "all categories, signature checked over the raw bytes, intent-to-receive included",
}
"""What is read -> how."""

LIMITS: Final[dict[str, str]] = {
    "calls": "55 a minute, 4,500 a day, 5 at once; published are 60, 5,000 (1,000 on the smallest plan) and 5 (quirks.md#xero-50)",
    "page": "1000 rows",
    "batch": "50 invoices",
    "note": "2500 characters, cannot be edited or removed (quirks.md#xero-23)",
}
"""What the platform allows, and what is made of it."""

CAPABILITIES: Final = Capabilities(
    platform=PLATFORM, reads=READS, facts=FACTS, commands=COMMANDS, limits=LIMITS
)
