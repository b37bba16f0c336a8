"""What can this adapter do with a QuickBooks company? Data: `ar-connectors capabilities quickbooks` prints it, tests prove it.

Where a fact lands is measured against what QuickBooks offers: it has no promise, no dispute, no collections status and no
credit hold of its own, so staff-only notes carry them (quirks.md#qbo-40).
"""

from __future__ import annotations

from typing import Final

from ar_connectors.connector import Capabilities
from ar_connectors.quickbooks.faults import PLATFORM
from ar_connectors.quickbooks.writeback import COMMANDS, FACTS

__all__ = ["CAPABILITIES", "LIMITS", "READS"]

READS: Final[dict[str, str]] = {
    "organization": "CompanyInfo and Preferences, read again every 30 days",
    "customers": "query with inactive ones, then the change feed; touched ones by id",
    "contacts": "from the customer's card; one per e-mail address",
    "invoices": "query in a closed window, then the change feed; those a payment touched by id",
    "credit_notes": "CreditMemo, like invoices",
    "payments": "Payment, like invoices",
    "allocations": "lines of payments, all of one payment together",
    "adjustments": "JournalEntry lines on accounts receivable that name a customer",
    "promises": "our own tagged notes (Attachable)",
    "disputes": "our own tagged notes (Attachable)",
    "deletions": "stubs of the change feed, each confirmed by asking for the record; comparison of ids after 29 days of absence",
    "voids": "zero total, zero lines and a memo that starts with Voided",
    "reported_balances": "Customer.Balance; the AgedReceivables report where that query is refused",
    "webhooks": "both shapes, signature checked over the raw bytes",
}
"""What is read -> how."""

LIMITS: Final[dict[str, str]] = {
    "calls": "8 a second, 450 a minute, 8 in flight; documented are 10, 500 and formerly 10 (quirks.md#qbo-71)",
    "batch": "35 batches a minute, 30 items each",
    "page": "1000 rows",
    "change feed": "30 days, 1000 objects an answer",
    "metered": "every read call that succeeds in production counts; writes of single entities are free (quirks.md#qbo-70)",
    "note": "2000 characters; US companies keep ISO-8859-1 only (quirks.md#qbo-3)",
}
"""What the platform allows, and what is made of it."""

CAPABILITIES: Final = Capabilities(
    platform=PLATFORM, reads=READS, facts=FACTS, commands=COMMANDS, limits=LIMITS
)
