"""What does a POST of a payment or a journal entry change?"""

from __future__ import annotations

from typing import Any

from ar_connectors.testkit.ledger import Application, Ledger
from ar_connectors.testkit.ledger.money import ZERO
from ar_connectors.testkit.ledger.records import Record
from ar_connectors.testkit.quickbooks.bodies import (
    Body,
    amount_of,
    closed,
    current,
    date_of,
    rate_of,
    reference_of,
    text_of,
)
from ar_connectors.testkit.quickbooks.errors import ServiceError
from ar_connectors.testkit.quickbooks.texts import PACIFIC

__all__ = ["write_journal", "write_payment"]


def write_payment(ledger: Ledger, operation: str, body: Body) -> Record | str:
    """Create, update, void or delete a payment; the payment as it is now, or the id of one that is gone. Raises ServiceError
    and LedgerError."""
    if operation == "create":
        customer = reference_of(body, "CustomerRef", needed=True) or ""
        received = date_of(body, "TxnDate") or ledger.now().astimezone(PACIFIC).date()
        closed(ledger, received)
        return ledger.receive_payment(
            customer,
            amount_of(body, "TotalAmt") or ZERO,
            _applications(ledger, body),
            received=received,
            rate=rate_of(body),
            reference=text_of(ledger, body, "PaymentRefNum", 21),
            memo=text_of(ledger, body, "PrivateNote", 4000),
        )
    payment = current(ledger.payments, body)
    closed(ledger, payment.received)
    match operation:
        case "void":
            ledger.void_payment(payment)
        case "delete":
            ledger.delete_payment(payment)
            return payment.id
        case _:
            sparse = bool(body.get("sparse"))
            changes: dict[str, Any] = {}
            if "TotalAmt" in body:
                changes["total"] = amount_of(body, "TotalAmt")
            if "Line" in body or not sparse:  # lines are all or none
                changes["applications"] = _applications(ledger, body)
            for name, to, size in (("PaymentRefNum", "reference", 21), ("PrivateNote", "memo", 4000)):
                if name in body or not sparse:
                    changes[to] = text_of(ledger, body, name, size)
            if body.get("TxnDate"):
                changes["received"] = date_of(body, "TxnDate")
                closed(ledger, changes["received"])
            ledger.change_payment(payment, **changes)
    return payment


def _applications(ledger: Ledger, body: Body) -> tuple[Application, ...]:
    parts = []
    for row in body.get("Line") or ():
        amount = amount_of(row, "Amount") or ZERO
        for link in row.get("LinkedTxn") or ():
            identity = str(link.get("TxnId"))
            match link.get("TxnType"):
                case "Invoice":
                    parts.append(Application("invoice", identity, amount))
                case "CreditMemo":
                    parts.append(Application("credit", identity, amount))
                case "JournalEntry":
                    sign = 1 if ledger.journal(identity).amount >= 0 else -1
                    parts.append(Application("journal", identity, sign * amount))
                case other:
                    raise ServiceError("2170", f"Invalid Enumeration : {other}", element="TxnType")
    return tuple(parts)


def write_journal(ledger: Ledger, operation: str, body: Body) -> Record | str:
    """Create or delete a journal entry with one line on receivables. Raises ServiceError and LedgerError."""
    if operation == "delete":
        journal = current(ledger.journals, body)
        closed(ledger, journal.posted)
        ledger.delete_journal(journal)
        return journal.id
    if operation != "create":
        raise ServiceError("500", f"Operation {operation} of JournalEntry is not supported by this emulator.")
    posted = date_of(body, "TxnDate") or ledger.now().astimezone(PACIFIC).date()
    closed(ledger, posted)
    details = [(row, row.get("JournalEntryLineDetail") or {}) for row in body.get("Line") or ()]
    receivable = [
        (row, detail)
        for row, detail in details
        if (account := ledger.accounts.get(reference_of(detail, "AccountRef") or "")) is not None
        and account.detail == "AccountsReceivable"
    ]
    others = [detail for _, detail in details if all(detail is not one for _, one in receivable)]
    if len(receivable) != 1 or not others:
        raise ServiceError(
            "6000", "Business Validation Error: this emulator takes entries with one line on receivables"
        )
    row, detail = receivable[0]
    other = reference_of(others[0], "AccountRef", needed=True) or ""
    if other not in ledger.accounts:
        raise ServiceError("2500", f"Invalid Reference Id : Accounts element id {other} not found")
    amount = amount_of(row, "Amount") or ZERO
    return ledger.post_journal(
        reference_of(detail.get("Entity") or {}, "EntityRef", needed=True) or "",
        amount if detail.get("PostingType") == "Debit" else -amount,
        posted=posted,
        number=text_of(ledger, body, "DocNumber", 21),
        memo=text_of(ledger, body, "PrivateNote", 4000),
        account=other,
    )
