"""What do the types and status letters of NetSuite's transactions mean? Tables, and the words an account has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ar_core.model import DocumentStatus, PaymentKind

__all__ = [
    "CREDIT_TYPES",
    "INVOICE_TYPES",
    "JOURNAL_TYPE",
    "OUT_OF_SCOPE",
    "PAYMENT_TYPES",
    "RECORD_TYPES",
    "TYPES_BY_RECORD",
    "document_status",
    "is_true",
    "status_words",
]

INVOICE_TYPES: Final = ("CustInvc", "CustChrg", "FinChrg")
"""Claims on customers: invoices, statement charges, finance charges."""
CREDIT_TYPES: Final = ("CustCred",)
PAYMENT_TYPES: Final[Mapping[str, PaymentKind]] = {
    "CustPymt": PaymentKind.RECEIPT,
    "CustDep": PaymentKind.DEPOSIT,
    "CustRfnd": PaymentKind.REFUND,
}
JOURNAL_TYPE: Final = "Journal"

RECORD_TYPES: Final[Mapping[str, str]] = {
    "CustInvc": "invoice",
    "CustChrg": "statementCharge",
    "FinChrg": "financeCharge",
    "CustCred": "creditMemo",
    "CustPymt": "customerPayment",
    "CustDep": "customerDeposit",
    "CustRfnd": "customerRefund",
    "DepAppl": "depositApplication",
    "CashSale": "cashSale",
    "Journal": "journalEntry",
}
"""Transaction type of SuiteQL -> record type of REST, the name under which our records tell their source."""

TYPES_BY_RECORD: Final = {record.casefold(): kind for kind, record in RECORD_TYPES.items()}
"""The other way round, by any casing (`creditmemo` in links and deleted records)."""

OUT_OF_SCOPE: Final[Mapping[str, str]] = {
    "DepAppl": "a deposit application is read from the link table, as allocations of its deposit",
    "CashSale": "a cash sale is paid when it is made: nothing is owed",
    "SalesOrd": "a sales order is not accounts receivable yet",
    "Estimate": "an estimate is not accounts receivable",
    "VendBill": "a vendor bill is accounts payable",
    "VendPymt": "a vendor payment is accounts payable",
    "VendCred": "a vendor credit is accounts payable",
}
"""Well understood, and not ours."""

_WORDS: Final[tuple[tuple[str, DocumentStatus], ...]] = (
    ("void", DocumentStatus.VOIDED),
    ("cancel", DocumentStatus.VOIDED),
    ("pending approval", DocumentStatus.PENDING_APPROVAL),
    ("unapproved", DocumentStatus.PENDING_APPROVAL),
    ("rejected", DocumentStatus.DRAFT),
    ("paid in full", DocumentStatus.POSTED),
    ("fully applied", DocumentStatus.POSTED),
    ("not deposited", DocumentStatus.POSTED),
    ("undeposited", DocumentStatus.POSTED),
    ("deposited", DocumentStatus.POSTED),
    ("partially applied", DocumentStatus.POSTED),
    ("unapplied", DocumentStatus.POSTED),
    ("approved", DocumentStatus.POSTED),
    ("refunded", DocumentStatus.POSTED),
    ("open", DocumentStatus.POSTED),
)  # fmt: skip
"""What a status is called tells what it means, in the account's own words (English ones); the first that fits decides."""

_LETTERS: Final[Mapping[str, DocumentStatus]] = {
    "CustInvc:A": DocumentStatus.POSTED,
    "CustInvc:B": DocumentStatus.POSTED,
    "CustInvc:D": DocumentStatus.PENDING_APPROVAL,
    "CustInvc:E": DocumentStatus.DRAFT,
    "CustInvc:V": DocumentStatus.VOIDED,
    "CustCred:A": DocumentStatus.POSTED,
    "CustCred:B": DocumentStatus.POSTED,
    "CustCred:V": DocumentStatus.VOIDED,
    "CustPymt:A": DocumentStatus.PENDING_APPROVAL,
    "CustPymt:B": DocumentStatus.POSTED,
    "CustPymt:C": DocumentStatus.POSTED,
    "CustPymt:R": DocumentStatus.DRAFT,
    "CustPymt:V": DocumentStatus.VOIDED,
    "CustDep:A": DocumentStatus.POSTED,
    "CustDep:B": DocumentStatus.POSTED,
    "CustDep:C": DocumentStatus.POSTED,
    "CustDep:V": DocumentStatus.VOIDED,
    "CustRfnd:V": DocumentStatus.VOIDED,
}
"""By letter, for accounts whose words are not English, and for a lone decode (quirks.md#ns-18). A rejected document is a draft:
somebody has to work on it before it can become a claim."""


def status_words(kind: str, status: str | None, name: str | None, known: Mapping[str, str]) -> str | None:
    """What a person would call a status: the account's own word, else what came with the row, else the letter."""
    letter = (status or "").rpartition(":")[2]
    return known.get(f"{kind}:{letter}") or _bare(name) or status or None


def document_status(
    kind: str, status: str | None, words: str | None, *, voided: bool | None, posting: bool | None
) -> DocumentStatus:
    """Where a transaction stands in its own life. `kind`: its type; `words`: of `status_words`. UNKNOWN where nothing tells."""
    if voided:
        return DocumentStatus.VOIDED
    found = _by_words(words)
    if found is None:
        letter = (status or "").rpartition(":")[2]
        found = _LETTERS.get(f"{kind}:{letter}")
    if found is None:
        # Refunds and charges have no letters that anybody has written down; a posting transaction is in the books.
        found = DocumentStatus.POSTED if posting and not status else DocumentStatus.UNKNOWN
    if found is DocumentStatus.POSTED and posting is False and kind in {*INVOICE_TYPES, *CREDIT_TYPES}:
        return DocumentStatus.DRAFT
    return found


def _by_words(words: str | None) -> DocumentStatus | None:
    folded = (words or "").casefold()
    return next((status for word, status in _WORDS if word in folded), None)


def _bare(name: str | None) -> str | None:
    """`Invoice : Paid In Full` without the type in front of it."""
    return (name or "").rpartition(" : ")[2].strip() or None


def is_true(value: str | None) -> bool | None:
    """`T` and `F`, or JSON's own booleans as text; None for anything else."""
    if value is None:
        return None
    folded = value.casefold()
    return True if folded in {"t", "true", "yes"} else False if folded in {"f", "false", "no"} else None
