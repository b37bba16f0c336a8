"""What if the emulator were wrong? Five lies in the rows SuiteQL yields, so that a test suite can prove it would notice.

The books stay right, and so does the record API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from ar_connectors.testkit.ledger import CreditNote, Invoice, Ledger, Payment
from ar_connectors.testkit.ledger.money import total
from ar_connectors.testkit.ledger.records import Document, Record
from ar_connectors.testkit.lies import Lie, Row
from ar_connectors.testkit.netsuite.company import currency_id
from ar_connectors.testkit.netsuite.suiteql.udfs import plain

__all__ = ["EVERY", "LIES"]

EVERY: Final = 3
_AMOUNTS: Final = ("foreigntotal", "foreignamountpaid", "foreignamountunpaid", "amountpaid", "amountunpaid")


def _date_shifted(_: Ledger, record: Record, row: Row) -> None:
    """Invoices are due a day earlier than they are."""
    if isinstance(record, Invoice) and row["_table"] == "transaction" and _concerned(record):
        due = (record.due or record.issued) - timedelta(days=1)
        row["duedate"] = f"{due.isoformat()} 00:00:00"


def _sign_flipped(_: Ledger, record: Record, row: Row) -> None:
    """Amounts have the wrong sign."""
    if isinstance(record, Invoice) and record.total and _concerned(record):
        for name in _AMOUNTS:
            amount = row.get(name)
            if isinstance(amount, str) and amount != "0":
                row[name] = amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"


def _allocation_dropped(_: Ledger, record: Record, row: Row) -> None:
    """A payment is not linked to what it settles."""
    if isinstance(record, Payment) and "nextdoc" in row and _concerned(record):
        row["_dropped"] = True


def _void_as_paid(_: Ledger, record: Record, row: Row) -> None:
    """What was voided looks as if it had been paid."""
    if isinstance(record, Invoice | CreditNote) and record.was is not None and row["_table"] == "transaction":
        lines, tax = record.was
        whole = plain(total((*(line.amount for line in lines), tax)))
        row["status"], row["void"], row["voided"] = "B", "F", "F"
        row["foreigntotal"] = whole
        row["foreignamountpaid" if isinstance(record, Invoice) else "foreignpaymentamountused"] = whole
        row["memo"] = None


def _currency_swapped(_: Ledger, record: Record, row: Row) -> None:
    """Documents are in another currency than they are."""
    if isinstance(record, Document | Payment) and row["_table"] == "transaction" and _concerned(record):
        row["currency"] = currency_id("EUR" if record.currency == "USD" else "USD")


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
