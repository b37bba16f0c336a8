"""What if the emulator were wrong? Five lies in its serializer, so that a test suite can prove it would notice.

The books stay right; only what the wire shows of every `EVERY`th record concerned is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from ar_connectors.testkit.ledger import CreditNote, Invoice, Ledger, Payment
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.lies import Lie, Row
from ar_connectors.testkit.xero.texts import day, day_text

__all__ = ["EVERY", "LIES"]

EVERY: Final = 3


def _date_shifted(_: Ledger, record: Record, row: Row) -> None:
    """Invoices are due a day earlier than they are."""
    if isinstance(record, Invoice) and record.due is not None and "DueDate" in row and _concerned(record):
        shifted = record.due - timedelta(days=1)
        row["DueDate"], row["DueDateString"] = day(shifted), day_text(shifted)


def _sign_flipped(_: Ledger, record: Record, row: Row) -> None:
    """Amounts have the wrong sign."""
    if isinstance(record, Invoice) and "AmountDue" in row and _concerned(record):
        for name in ("AmountDue", "AmountPaid", "AmountCredited", "SubTotal", "TotalTax", "Total"):
            row[name] = -row[name]
        for line in row["LineItems"]:
            line["LineAmount"] = -line["LineAmount"]


def _allocation_dropped(_: Ledger, record: Record, row: Row) -> None:
    """A payment is not there: its row says it was deleted, and the invoice does not name it. A credit does not say where it
    went."""
    if not _concerned(record):
        return
    if isinstance(record, Payment) and row.get("Status") == "AUTHORISED" and "PaymentID" in row:
        row["Status"] = "DELETED"
    if isinstance(record, CreditNote | Payment) and row.get("Allocations"):
        row["Allocations"] = row["Allocations"][:-1]


def _void_as_paid(_: Ledger, record: Record, row: Row) -> None:
    """What was voided looks as if it had been paid."""
    if isinstance(record, Invoice | CreditNote) and record.voided:
        row["Status"] = "PAID"
        if isinstance(record, Invoice):
            row["AmountPaid"] = row["Total"]
        row["FullyPaidOnDate"] = row["Date"]


def _currency_swapped(_: Ledger, record: Record, row: Row) -> None:
    """Documents are in another currency than they are."""
    if "CurrencyCode" in row and _concerned(record):
        row["CurrencyCode"] = "EUR" if row["CurrencyCode"] == "USD" else "USD"


LIES: Final[Mapping[str, Lie]] = {
    "date_shifted": _date_shifted,
    "sign_flipped": _sign_flipped,
    "allocation_dropped": _allocation_dropped,
    "void_as_paid": _void_as_paid,
    "currency_swapped": _currency_swapped,
}
"""By name."""


def _concerned(record: Record) -> bool:
    return int(record.id) % EVERY == 0
