"""The books of one company, pure and exact: what every emulator shows in its own dialect, and the truth tests compare with."""

from __future__ import annotations

from ar_connectors.testkit.ledger.book import Ledger
from ar_connectors.testkit.ledger.records import (
    Application,
    Change,
    CreditNote,
    Customer,
    Deposit,
    Invoice,
    Item,
    Journal,
    Line,
    Note,
    Payment,
    Settings,
    Subsidiary,
)
from ar_connectors.testkit.ledger.shelves import LedgerError
from ar_connectors.testkit.ledger.truth import OpenInvoice, Truth, check, truth

__all__ = [
    "Application",
    "Change",
    "CreditNote",
    "Customer",
    "Deposit",
    "Invoice",
    "Item",
    "Journal",
    "Ledger",
    "LedgerError",
    "Line",
    "Note",
    "OpenInvoice",
    "Payment",
    "Settings",
    "Subsidiary",
    "Truth",
    "check",
    "truth",
]
