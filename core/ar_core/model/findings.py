"""Do the figures of a ledger agree with themselves? Invariants, reported as findings and never raised.

The identities: subtotal + tax + rounding = total (UBL names the rounding, so a rounding is a term and no error);
total - everything settled = balance due; source total - its allocations = unapplied amount; one currency per document and
its allocations; no reference into another company.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum

from ar_core.model.base import Amount, Currency, Frozen
from ar_core.model.documents import CreditNote, Document, DocumentStatus, Invoice
from ar_core.model.money import ZERO, subtract, total
from ar_core.model.refs import connection_id
from ar_core.model.settlements import Adjustment, Allocation, Payment
from ar_core.model.snapshot import Snapshot

__all__ = ["Finding", "FindingCode", "check_document", "check_snapshot"]


class FindingCode(StrEnum):
    """What kind of disagreement was found."""

    TOTAL_MISMATCH = "total_mismatch"
    """subtotal + tax_total + rounding differs from total."""
    BALANCE_MISMATCH = "balance_mismatch"
    """total less the known settlements differs from balance_due."""
    UNAPPLIED_MISMATCH = "unapplied_mismatch"
    """A source's total less its allocations differs from its unapplied amount."""
    CURRENCY_MISMATCH = "currency_mismatch"
    """An allocation's currency is not that of the document it belongs to."""
    UNKNOWN_REFERENCE = "unknown_reference"
    """A record names another that the snapshot does not have."""
    CROSS_TENANT_REFERENCE = "cross_tenant_reference"
    """A record names another of a different company."""


class Finding(Frozen):
    """One disagreement: data to show to a person, not a failure."""

    code: FindingCode
    record_id: str
    message: str
    expected: Amount | None = None
    actual: Amount | None = None
    currency: Currency | None = None


def check_document(document: Document) -> list[Finding]:
    """Check what can be checked on one invoice or credit note alone."""
    findings = []
    if (
        document.subtotal is not None
        and document.tax_total is not None
        and document.document_status is not DocumentStatus.VOIDED
    ):
        expected = total((document.subtotal, document.tax_total, document.rounding or ZERO))
        if expected != document.total:
            findings.append(
                _mismatch(
                    FindingCode.TOTAL_MISMATCH,
                    document,
                    "subtotal + tax + rounding",
                    expected,
                    "total",
                    document.total,
                )
            )
    if (
        isinstance(document, Invoice)
        and document.amount_paid is not None
        and document.amount_credited is not None
    ):
        settled = total(
            (
                document.amount_paid,
                document.amount_credited,
                document.deposit_amount or ZERO,
                document.withheld_amount or ZERO,
            )
        )
        expected = subtract(document.total, settled)
        if expected != document.balance_due and document.document_status is not DocumentStatus.VOIDED:
            findings.append(
                _mismatch(
                    FindingCode.BALANCE_MISMATCH,
                    document,
                    "total - paid - credited",
                    expected,
                    "balance due",
                    document.balance_due,
                )
            )
    return findings


def check_snapshot(snapshot: Snapshot) -> list[Finding]:
    """Check every document, allocation and reference of a snapshot. Findings are ordered by record id, then code."""
    findings: list[Finding] = []
    for document in (*snapshot.invoices, *snapshot.credit_notes):
        findings.extend(check_document(document))
    findings.extend(_check_balances(snapshot))
    findings.extend(_check_unapplied(snapshot))
    findings.extend(_check_allocations(snapshot))
    findings.extend(_check_customers(snapshot))
    return sorted(findings, key=lambda finding: (finding.record_id, finding.code, finding.message))


def _mismatch(
    code: FindingCode, record: Document | Payment, left: str, expected: Decimal, right: str, actual: Decimal
) -> Finding:
    return Finding(
        code=code,
        record_id=record.id,
        message=f"{left} = {expected}, but {right} = {actual} {record.currency or ''}".rstrip(),
        expected=expected,
        actual=actual,
        currency=record.currency,
    )


def _settled_by_target(allocations: Iterable[Allocation]) -> dict[str, Decimal]:
    sums: defaultdict[str, list[Decimal]] = defaultdict(list)
    for allocation in allocations:
        sums[allocation.target_id].append(allocation.target_amount)
        if allocation.discount_amount is not None:
            sums[allocation.target_id].append(allocation.discount_amount)
    return {target: total(amounts) for target, amounts in sums.items()}


def _check_balances(snapshot: Snapshot) -> Iterator[Finding]:
    settled = _settled_by_target(snapshot.allocations)
    for invoice in snapshot.invoices:
        if invoice.document_status is not DocumentStatus.POSTED:
            continue
        parts = (
            settled.get(invoice.id, ZERO),
            invoice.deposit_amount or ZERO,
            invoice.withheld_amount or ZERO,
        )
        expected = subtract(invoice.total, total(parts))
        if expected != invoice.balance_due:
            yield _mismatch(
                FindingCode.BALANCE_MISMATCH,
                invoice,
                "total - allocations",
                expected,
                "balance due",
                invoice.balance_due,
            )


def _check_unapplied(snapshot: Snapshot) -> Iterator[Finding]:
    given: defaultdict[str, list[Decimal]] = defaultdict(list)
    for allocation in snapshot.allocations:
        given[allocation.source_id].append(allocation.amount)
    sources: tuple[CreditNote | Payment, ...] = (*snapshot.credit_notes, *snapshot.payments)
    for source in sources:
        if source.unapplied_amount is None or source.document_status is not DocumentStatus.POSTED:
            continue
        if isinstance(source, Payment) and source.kind.value == "refund":
            continue
        expected = subtract(source.total, total(given.get(source.id, ())))
        if expected != source.unapplied_amount:
            yield _mismatch(
                FindingCode.UNAPPLIED_MISMATCH,
                source,
                "total - allocations",
                expected,
                "unapplied",
                source.unapplied_amount,
            )


def _check_allocations(snapshot: Snapshot) -> Iterator[Finding]:
    currencies: dict[str, str | None] = {}
    records: tuple[Document | Payment | Adjustment, ...] = (
        *snapshot.invoices,
        *snapshot.credit_notes,
        *snapshot.payments,
        *snapshot.adjustments,
    )
    for record in records:
        currencies[record.id] = record.currency
    for allocation in snapshot.allocations:
        ends = (
            (allocation.source_id, allocation.currency, "source"),
            (allocation.target_id, allocation.target_currency, "target"),
        )
        for end_id, currency, role in ends:
            if end_id not in currencies:
                yield Finding(
                    code=FindingCode.UNKNOWN_REFERENCE,
                    record_id=allocation.id,
                    message=f"its {role} {end_id} is not in the snapshot",
                )
            elif currency is not None and currencies[end_id] is not None and currencies[end_id] != currency:
                yield Finding(
                    code=FindingCode.CURRENCY_MISMATCH,
                    record_id=allocation.id,
                    message=f"its {role} {end_id} is in {currencies[end_id]}, the allocation in {currency}",
                    currency=currency,
                )
            own, other = connection_id(allocation.parent_id), connection_id(end_id)
            if own is not None and other is not None and own != other:
                yield Finding(
                    code=FindingCode.CROSS_TENANT_REFERENCE,
                    record_id=allocation.id,
                    message=f"its {role} {end_id} belongs to {other}, the allocation to {own}",
                )


def _check_customers(snapshot: Snapshot) -> Iterator[Finding]:
    known = {customer.id for customer in snapshot.customers}
    records: tuple[Document | Payment | Adjustment, ...] = (
        *snapshot.invoices,
        *snapshot.credit_notes,
        *snapshot.payments,
        *snapshot.adjustments,
    )
    for record in records:
        if record.customer_id is not None and record.customer_id not in known:
            yield Finding(
                code=FindingCode.UNKNOWN_REFERENCE,
                record_id=record.id,
                message=f"its customer {record.customer_id} is not in the snapshot",
            )
