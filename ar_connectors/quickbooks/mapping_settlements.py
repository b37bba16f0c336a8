"""How do payments, refunds and journal entries of QuickBooks settle invoices? Payments, adjustments, allocations; pure.

QuickBooks does not say which credit pays which invoice: a payment lists invoices and credits side by side, and only the
sums agree. Here credits and then the money are dealt out over the invoices in line order, so that every source gives
exactly what it gave and every target gets exactly what it got (quirks.md#qbo-17).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any, Final

from ar_connectors.adapterkit.mapper import CUSTOMER, INVOICE, PAYMENT, RowError
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import Mapper
from ar_connectors.quickbooks.mapping_documents import is_voided
from ar_core.model import (
    Adjustment,
    Allocation,
    DocumentStatus,
    Payment,
    PaymentKind,
    RecordKind,
    Source,
    allocation_id,
)
from ar_core.model.base import adopter, blank
from ar_core.model.money import subtract, total

__all__ = ["adjustment_remote_id", "journal_entry_of", "map_journal_entry", "map_payment", "map_refund"]

_payment, _new_payment = (
    adopter(Payment),
    blank(Payment, kind=PaymentKind.RECEIPT, document_status=DocumentStatus.POSTED),
)
_allocation, _new_allocation = adopter(Allocation), blank(Allocation)
_adjustment = adopter(Adjustment)

_INVOICE: Final = "Invoice"
_CREDIT_MEMO: Final = "CreditMemo"
_MAX_SIGNS: Final = 12
"""Lines of unknown direction whose signs are still tried out (4096 ways)."""


def map_payment(mapper: Mapper, row: wire.Payment) -> list[Payment | Allocation]:
    """A payment and its allocations. Raises RowError when it has no id or no total. A voided payment allocates nothing."""
    total_amt = row.total_amt
    if total_amt is None:
        raise RowError("missing_field", f"Payment {row.id} has no TotalAmt")
    mapper.numbers += (total_amt, row.unapplied_amt, row.exchange_rate)
    voided = not total_amt and is_voided(total_amt, row.private_note, None)
    values = _new_payment()
    values["id"] = payment_id = mapper.id(PAYMENT, row.id)
    values["source"] = source = mapper.provenance("Payment", row)
    _header(mapper, values, row, total_amt, voided)
    values["unapplied_amount"] = row.unapplied_amt
    values["reference"] = row.payment_ref_num or None
    record = _payment(values)
    lines = row.line
    if voided or not lines:
        return [record]
    if len(lines) == 1 and (link := lines[0].linked_txn) and link[0].txn_type == _INVOICE:
        # Nearly every payment: one line, one invoice, money only.
        amount = lines[0].amount
        if amount and amount > 0:
            mapper.numbers.append(amount)
            target_id = mapper.id(INVOICE, link[0].txn_id)
            allocation = _new_allocation()
            allocation["id"] = f"{payment_id}|{target_id}|0"
            allocation["parent_id"] = allocation["source_id"] = payment_id
            allocation["source"] = source
            allocation["target_id"] = target_id
            allocation["amount"] = allocation["target_amount"] = amount
            allocation["currency"] = allocation["target_currency"] = values["currency"]
            allocation["applied_on"] = row.txn_date
            return [record, _allocation(allocation)]
    allocations = _Allocations(record, source, row.txn_date)
    _deal_out(allocations, *_parts(mapper, row))
    return allocations.made


def _header(
    mapper: Mapper,
    values: dict[str, Any],
    row: wire.Payment | wire.RefundReceipt,
    total_amt: Decimal,
    voided: bool,
) -> None:
    """Fill in what payments and refund receipts share."""
    values["customer_id"] = mapper.customer(row.customer_ref)
    values["payment_date"] = row.txn_date
    values["currency"] = mapper.currency(row.currency_ref)
    values["source_rate"] = values["exchange_rate"] = row.exchange_rate
    values["total"] = total_amt
    if voided:
        values["document_status"] = DocumentStatus.VOIDED
    values["raw_status"] = row.status or None
    method = row.payment_method_ref
    if method is not None:
        values["method"] = method.name or method.value
    values["memo"] = row.private_note or None


def map_refund(mapper: Mapper, row: wire.RefundReceipt) -> Payment:
    """A refund receipt: a payment of kind refund, amount positive. It gives money back for a cash sale and settles no
    invoice, so it has no allocations and nothing of it is open. Raises RowError when it has no id or no total."""
    total_amt = row.total_amt
    if total_amt is None:
        raise RowError("missing_field", f"RefundReceipt {row.id} has no TotalAmt")
    mapper.numbers += (total_amt, row.exchange_rate)
    voided = not total_amt and is_voided(total_amt, row.private_note, row.line)
    values = _new_payment()
    values["id"] = mapper.id(PAYMENT, row.id)
    values["source"] = mapper.provenance("RefundReceipt", row)
    values["kind"] = PaymentKind.REFUND
    _header(mapper, values, row, total_amt, voided)
    values["reference"] = row.payment_ref_num or row.doc_number or None
    values["custom_fields"] = mapper.custom_fields(row.custom_field)
    return _payment(values)


# ---- allocations


class _Part:
    """One applied line: what it points at and how much of it is still to be dealt out."""

    __slots__ = ("id", "left")

    def __init__(self, record: str, amount: Decimal) -> None:
        self.id = record
        self.left = amount


class _Allocations:
    """A payment and the allocations made from it so far."""

    __slots__ = ("_applied_on", "_currency", "_ordinals", "_payment_id", "_source", "made")

    def __init__(self, payment: Payment, source: Source, applied_on: date | None) -> None:
        self.made: list[Payment | Allocation] = [payment]
        self._payment_id = payment.id
        self._currency = payment.currency
        self._source = source
        self._applied_on = applied_on
        self._ordinals: dict[str, int] = {}

    def give(self, source_id: str, target_id: str, amount: Decimal) -> None:
        """Allocate an amount; several to one target are told apart by their ordinal."""
        ordinal = self._ordinals.get(target_id, 0)
        self._ordinals[target_id] = ordinal + 1
        values = _new_allocation()
        values["id"] = allocation_id(self._payment_id, target_id, ordinal)
        values["parent_id"] = self._payment_id
        values["source"] = self._source
        values["source_id"] = source_id
        values["target_id"] = target_id
        values["amount"] = values["target_amount"] = amount
        values["currency"] = values["target_currency"] = self._currency
        values["applied_on"] = self._applied_on
        self.made.append(_allocation(values))


def _deal_out(allocations: _Allocations, debits: list[_Part], credits_: list[_Part]) -> None:
    """Credits first, then the money, over what is settled in line order."""
    payment_id = allocations.made[0].id
    giving = iter(credits_)
    credit = next(giving, None)
    for debit in debits:
        while credit is not None and debit.left:
            amount = min(credit.left, debit.left)
            allocations.give(credit.id, debit.id, amount)
            credit.left, debit.left = subtract(credit.left, amount), subtract(debit.left, amount)
            if not credit.left:
                credit = next(giving, None)
        if debit.left:
            allocations.give(payment_id, debit.id, debit.left)


def _parts(mapper: Mapper, row: wire.Payment) -> tuple[list[_Part], list[_Part]]:
    """The applied lines as what is settled and what settles it besides the money, both in line order.

    An invoice is settled, a credit memo settles. A journal entry (or a check, an expense) may do either, and the line
    does not say which: the payment's own sum decides (quirks.md#qbo-17).
    """
    lines: list[tuple[str, str, Decimal]] = []
    for line in row.line or ():
        if not line.amount or not line.linked_txn:
            continue
        link = line.linked_txn[0]
        if not link.txn_id:
            raise RowError(
                "missing_field", f"a line of Payment {row.id} is linked to a transaction without TxnId"
            )
        mapper.numbers.append(line.amount)
        lines.append((link.txn_type or "", link.txn_id, line.amount))
    signs = _signs(row, [(kind, amount) for kind, _, amount in lines])
    debits: list[_Part] = []
    credits_: list[_Part] = []
    for (kind, remote_id, amount), sign in zip(lines, signs, strict=True):
        part = _Part(_linked_id(mapper, row, kind, remote_id), amount if amount > 0 else -amount)
        (debits if sign > 0 else credits_).append(part)
    return debits, credits_


def _signs(row: wire.Payment, lines: Sequence[tuple[str, Decimal]]) -> list[int]:
    """+1 for a line that is settled, -1 for one that settles. A negative amount says the opposite of its type."""
    known = {_INVOICE: 1, _CREDIT_MEMO: -1}
    signs = [known.get(kind, 1) * (1 if amount > 0 else -1) for kind, amount in lines]
    open_ones = [index for index, (kind, amount) in enumerate(lines) if kind not in known and amount > 0]
    if not open_ones or row.total_amt is None or row.unapplied_amt is None or len(open_ones) > _MAX_SIGNS:
        return signs
    money = subtract(row.total_amt, row.unapplied_amt)
    for choice in product((1, -1), repeat=len(open_ones)):
        for index, sign in zip(open_ones, choice, strict=True):
            signs[index] = sign
        if total(abs(amount) * sign for (_, amount), sign in zip(lines, signs, strict=True)) == money:
            return signs
    for index in open_ones:
        signs[index] = 1
    return signs


def _linked_id(mapper: Mapper, row: wire.Payment, kind: str, remote_id: str) -> str:
    match kind:
        case "Invoice":
            return mapper.id(INVOICE, remote_id)
        case "CreditMemo":
            return mapper.id(RecordKind.CREDIT_NOTE, remote_id)
        case "JournalEntry":
            customer = row.customer_ref.value if row.customer_ref is not None else None
            return mapper.id(RecordKind.ADJUSTMENT, adjustment_remote_id(remote_id, customer))
        case _:
            # Checks, expenses, deposits on receivables: money, by their own ids; they are not read (quirks.md#qbo-19).
            return mapper.id(PAYMENT, remote_id)


# ---- journal entries


def adjustment_remote_id(journal_entry_id: str, customer_id: str | None) -> str:
    """The remote part of an adjustment's id: the journal entry and the customer it is about.

    One entry may hold lines of several customers, and a payment's link names only the entry: with its own customer it
    finds the right part (quirks.md#qbo-19).
    """
    return f"{journal_entry_id}-{customer_id}" if customer_id else journal_entry_id


def journal_entry_of(adjustment_remote_id: str) -> str:
    """The id of the journal entry in the remote part of an adjustment's id."""
    return adjustment_remote_id.rpartition("-")[0] or adjustment_remote_id


def map_journal_entry(mapper: Mapper, row: wire.JournalEntry) -> list[Adjustment]:
    """The adjustments of a journal entry: its lines on receivables, added up per customer; [] when it has none.

    A debit raises what the customer owes. Which accounts are receivables is known from the context; without it an
    account that is named so, and else every line of a customer, is taken. Raises RowError when there is no id.
    """
    if not row.id:
        raise RowError("missing_field", "the JournalEntry has no Id")
    amounts: dict[str, list[Decimal]] = {}
    accounts: dict[str, str | None] = {}
    memos: dict[str, str | None] = {}
    for line, detail in _receivable_lines(mapper, row):
        customer = _customer(detail)
        if line.amount is None:
            raise RowError("missing_field", f"a line of JournalEntry {row.id} has no Amount")
        mapper.numbers.append(line.amount)
        posting = (detail.posting_type or "").casefold()
        if posting not in {"debit", "credit"}:
            raise RowError(
                "bad_enum", f"JournalEntry {row.id} has a line with PostingType {detail.posting_type!r}"
            )
        amounts.setdefault(customer, []).append(
            line.amount if posting == "debit" else line.amount.copy_negate()
        )
        accounts.setdefault(customer, detail.account_ref.value if detail.account_ref is not None else None)
        memos.setdefault(customer, line.description or row.private_note or None)
    mapper.numbers.append(row.exchange_rate)
    voided = (row.private_note or "").lstrip().startswith("Voided") and not any(map(any, amounts.values()))
    source = mapper.provenance("JournalEntry", row)
    currency = mapper.currency(row.currency_ref)
    return [
        _adjustment(
            {
                "id": mapper.id(RecordKind.ADJUSTMENT, adjustment_remote_id(row.id, customer)),
                # Each has a source of its own, so that one of them can go while the entry stays.
                "source": source.model_copy(update={"remote_id": adjustment_remote_id(row.id, customer)}),
                "number": row.doc_number or None,
                "customer_id": mapper.id(CUSTOMER, customer),
                "subsidiary_id": None,
                "adjustment_date": row.txn_date,
                "currency": currency,
                "source_rate": row.exchange_rate,
                "exchange_rate": row.exchange_rate,
                "amount": parts[0] if len(parts) == 1 else total(parts),
                "open_amount": None,
                "document_status": DocumentStatus.VOIDED if voided else DocumentStatus.POSTED,
                "memo": memos[customer],
                "account_id": accounts[customer],
            }
        )
        for customer, parts in amounts.items()
    ]


def _receivable_lines(
    mapper: Mapper, row: wire.JournalEntry
) -> list[tuple[wire.Line, wire.JournalEntryLineDetail]]:
    lines = [
        (line, detail)
        for line in row.line or ()
        if (detail := line.journal_entry_line_detail) is not None and _customer(detail)
    ]
    known = mapper.context.receivable_accounts
    if known is not None:
        return [(line, detail) for line, detail in lines if _account(detail).value in known]
    return [(line, detail) for line, detail in lines if _is_receivable_name(_account(detail).name)] or lines


def _account(detail: wire.JournalEntryLineDetail) -> wire.Ref:
    return detail.account_ref or wire.Ref()


def _is_receivable_name(name: str | None) -> bool:
    folded = (name or "").casefold()
    return "receivable" in folded or "a/r" in folded


def _customer(detail: wire.JournalEntryLineDetail) -> str:
    """The customer a journal line is about, "" for none."""
    entity = detail.entity
    if entity is None or (entity.type or "").casefold() != "customer":
        return ""
    return (entity.entity_ref.value if entity.entity_ref is not None else None) or ""
