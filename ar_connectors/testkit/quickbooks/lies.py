"""What if the emulator were wrong? Five lies in its serializer, so that a test suite can prove it would notice.

The books stay right; only what the wire shows of every `EVERY`th record concerned is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from ar_connectors.testkit.ledger import CreditNote, Invoice, Ledger, Payment
from ar_connectors.testkit.ledger.money import total
from ar_connectors.testkit.ledger.records import Document, Record
from ar_connectors.testkit.lies import Lie, Row
from ar_connectors.testkit.quickbooks.texts import currency, money

__all__ = ["EVERY", "LIES"]

EVERY: Final = 3


def _date_shifted(_: Ledger, record: Record, row: Row) -> None:
    """Invoices are due a day earlier than they are."""
    if isinstance(record, Invoice) and record.due is not None and _concerned(record):
        row["DueDate"] = (record.due - timedelta(days=1)).isoformat()


def _sign_flipped(_: Ledger, record: Record, row: Row) -> None:
    """Amounts have the wrong sign."""
    if isinstance(record, Invoice) and record.total and _concerned(record):
        row["TotalAmt"], row["Balance"] = -row["TotalAmt"], -row["Balance"]
        for line in row["Line"]:
            line["Amount"] = -line["Amount"]


def _allocation_dropped(_: Ledger, record: Record, row: Row) -> None:
    """A payment does not name the last document it settles."""
    if isinstance(record, Payment) and record.applications and _concerned(record):
        row["Line"] = row["Line"][:-1]


def _void_as_paid(_: Ledger, record: Record, row: Row) -> None:
    """What was voided looks as if it had been paid."""
    if isinstance(record, Invoice | CreditNote) and record.was is not None:
        lines, tax = record.was
        row["TotalAmt"] = money(total((*(line.amount for line in lines), tax)))
        row["Balance"] = Decimal(0)
        row.pop("PrivateNote", None)
        for shown, line in zip(row["Line"], lines, strict=False):
            shown["Amount"] = money(line.amount)


def _currency_swapped(_: Ledger, record: Record, row: Row) -> None:
    """Documents are in another currency than they are."""
    if isinstance(record, Document | Payment) and _concerned(record):
        row["CurrencyRef"] = currency("EUR" if record.currency == "USD" else "USD")


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
