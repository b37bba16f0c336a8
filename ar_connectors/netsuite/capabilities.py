"""What can this adapter do with a NetSuite account? Data: `ar-connectors capabilities netsuite` prints it."""

from __future__ import annotations

from typing import Final

from ar_connectors.connector import Capabilities
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.writeback import COMMANDS, facts_of
from ar_connectors.netsuite.writeback_fields import FieldMap

__all__ = ["CAPABILITIES", "LIMITS", "READS", "capabilities_of"]

READS: Final[dict[str, str]] = {
    "organization": "currencies, subsidiaries, terms, books and status words, read again every day",
    "customers": "SuiteQL by key; on every run those that changed, owe, or have changed documents",
    "contacts": "the table contact, and the mailbox on the customer's card",
    "invoices": "SuiteQL by key; on every run the changed, the open, and neighbors of changed payments",
    "credit_notes": "like invoices, with their lines and the accounts these are booked on",
    "payments": "payments, deposits and refunds, like invoices",
    "adjustments": "journal lines on accounts receivable that name a customer, of the primary book",
    "allocations": "nexttransactionlinelink, all links of one payment together",
    "promises": (
        "User-Estimated Payment Date with the customer's promise as its source, in queries or, where they hide it, invoice by invoice; "
        "our own tagged activities"
    ),
    "disputes": "our own tagged activities",
    "voids": "the column voided, and the status",
    "deletions": "deletedrecord; comparison of ids where the role may not see it",
    "reported_balances": "SuiteQL sums of what is open, per customer and currency",
}

LIMITS: Final[dict[str, str]] = {
    "calls": "3 in flight per account, over all processes on one store (quirks.md#ns-37)",
    "page": "1000 rows, read by key beyond any cap",
    "note": "2000 characters in an activity, which people may edit",
}
"""What the platform allows, and what is made of it."""


def capabilities_of(fields: FieldMap) -> Capabilities:
    """Everything this release does on an account with these custom fields mapped."""
    return Capabilities(
        platform=PLATFORM, reads=READS, facts=facts_of(fields), commands=COMMANDS, limits=LIMITS
    )


CAPABILITIES: Final = capabilities_of(FieldMap())
"""The same where no custom field is mapped."""
