"""What can this adapter do with a NetSuite account? Data: `ar-connectors capabilities netsuite` prints it."""

from __future__ import annotations

from typing import Final

from ar_connectors.connector import Capabilities, Capability, Fact, Support
from ar_connectors.netsuite.account import PLATFORM

__all__ = ["CAPABILITIES"]

_NOT_YET: Final = Capability(
    Support.NONE,
    "kept with us only: this release reads NetSuite and does not write",
    source="quirks.md#ns-20",
)

_COMMANDS: Final = (
    "record_touch",
    "record_outcome",
    "record_promise",
    "withdraw_promise",
    "open_dispute",
    "resolve_dispute",
    "add_note",
    "set_collections_status",
    "set_order_hold",
    "release_order_hold",
)

READS: Final[dict[str, str]] = {
    "organization": "currencies, subsidiaries, terms, books and status words, read again every day",
    "customers": "SuiteQL by key; on every run those that changed, owe, or have changed documents",
    "contacts": "the table contact, and the mailbox on the customer's card",
    "invoices": "SuiteQL by key; on every run the changed, the open, and neighbors of changed payments",
    "credit_notes": "like invoices",
    "payments": "payments, deposits and refunds, like invoices",
    "adjustments": "journal lines on accounts receivable that name a customer, of the primary book",
    "allocations": "nexttransactionlinelink, all links of one payment together",
    "promises": "User-Estimated Payment Date with the customer's promise as its source, where queries show it",
    "deletions": "deletedrecord; comparison of ids where the role may not see it",
    "reported_balances": "SuiteQL sums of what is open, per customer and currency",
}

CAPABILITIES: Final = Capabilities(
    platform=PLATFORM,
    reads=READS,
    facts=dict.fromkeys(Fact, _NOT_YET),
    commands=dict.fromkeys(_COMMANDS, Support.NONE),
    limits={
        "calls": "3 in flight per account, over all processes on one store (quirks.md#ns-37)",
        "page": "1000 rows, read by key beyond any cap",
    },
)
"""Everything this release does."""
