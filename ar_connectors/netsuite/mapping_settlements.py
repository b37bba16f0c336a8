"""How do payments, deposits, refunds and journal lines settle invoices? Payments, adjustments, allocations; pure.

An application stands in a link table, not on the payment (quirks.md#ns-19): a payment and its allocations are read apart, and
all allocations of one payment come in one page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from ar_connectors.adapterkit.mapper import PAYMENT
from ar_connectors.adapterkit.pages import FillingPage
from ar_connectors.netsuite.context import Made, Mapper, RowError
from ar_connectors.netsuite.mapping_documents import (
    UNMAPPABLE,
    alone,
    amount_in,
    custom_fields,
    loose_id,
    set_rate,
)
from ar_connectors.netsuite.statuses import (
    CREDIT_TYPES,
    INVOICE_TYPES,
    JOURNAL_TYPE,
    PAYMENT_TYPES,
    RECORD_TYPES,
    is_true,
)
from ar_connectors.netsuite.wire import JournalRow, LinkRow, PaymentAnswer, TransactionRow
from ar_core.model import (
    Adjustment,
    Allocation,
    DocumentStatus,
    Payment,
    RecordKind,
    Source,
    allocation_id,
)
from ar_core.model.base import adopt, adopter, blank, empty
from ar_core.model.money import ZERO, subtract, total

__all__ = [
    "adjustment_remote_id",
    "journal_of",
    "map_journal_line",
    "map_links",
    "map_payment",
    "map_payments",
]

_new_payment = blank(Payment)
_allocation, _new_allocation = adopter(Allocation), blank(Allocation)
_APPLIED_DEPOSIT: Final = "DepAppl"
_KINDS: Final = {
    **dict.fromkeys(INVOICE_TYPES, RecordKind.INVOICE),
    **dict.fromkeys(CREDIT_TYPES, RecordKind.CREDIT_NOTE),
    **dict.fromkeys((*PAYMENT_TYPES, _APPLIED_DEPOSIT), RecordKind.PAYMENT),
}
_REFUND: Final = "CustRfnd"
_DEPOSIT: Final = "CustDep"


def map_payment(mapper: Mapper, row: TransactionRow | PaymentAnswer) -> Made:
    """One payment, deposit or refund. Raises RowError when it has no id or no total, DecimalException for text that is no number."""
    return alone(map_payments, mapper, row)


def map_payments(  # noqa: C901  a call for each part of a row is what it avoids
    mapper: Mapper,
    rows: list[Any],
    filled: FillingPage,
    set_aside: Callable[[int], None],
) -> None:
    """Put payments, each as of `map_payment`, into the page; rows (`TransactionRow` or `PaymentAnswer`) and `set_aside` as of
    `map_invoices`, and for its reason one loop."""
    documents, days, number_of, source_of = mapper.documents, mapper.days, mapper.number, mapper.source_of
    prefix, customers, read = mapper.payments, mapper.customers, mapper.read
    records, row_of, replaces = filled.records, filled.row_of, filled.replaces
    for number, row in enumerate(rows):
        rows[number] = None
        try:
            kind, told, left = row.type, row.foreigntotal, row.foreignpaymentamountunused
            remote_id, entity = row.id, row.entity
            if kind is None or told is None:
                raise RowError(
                    "missing_field", f"{RECORD_TYPES.get(kind, kind)} {remote_id} has no foreigntotal"
                )
            amount = number_of(told)
            read.append(told)
            key = (
                kind, row.status, row.statusname, row.voided, row.posting, row.currency, row.currencyname, row.subsidiary,
            )  # fmt: skip
            try:
                new, new_source = documents[key]
            except KeyError:
                new, new_source = mapper.new_document(key, _new_payment)
            values = new()
            unused: Decimal | None = ZERO
            if left != "0":
                unused = _unused_of(mapper, row, kind, amount)
            if amount < ZERO:
                amount = amount.copy_negate()
            if kind == _REFUND and values["document_status"] is DocumentStatus.UNKNOWN:
                # Nobody has written its letters down; only `voided` and `posting` tell, and a row has both or neither.
                values["document_status"] = (
                    DocumentStatus.DRAFT if is_true(row.posting) is False else DocumentStatus.POSTED
                )
            if remote_id and remote_id.isdigit() and remote_id.isascii():
                values["id"] = prefix + remote_id
            else:
                values["id"] = mapper.id(PAYMENT, remote_id)
            values["source"] = source_of(new_source(), remote_id, row.lastmodifieddate)
            values["kind"] = PAYMENT_TYPES[kind]
            if entity and entity.isdigit() and entity.isascii():
                values["customer_id"] = customers + entity
            else:
                values["customer_id"] = mapper.customer_id(entity)
            values["payment_date"] = days[row.trandate]
            if row.exchangerate != "1":
                set_rate(mapper, values, row.exchangerate)
            values["total"] = amount
            values["unapplied_amount"] = unused
            values["reference"] = row.otherrefnum or row.tranid or None
            if row.memo:
                values["memo"] = row.memo
            if row.custom:
                values["custom_fields"] = custom_fields(row.custom)
            # Most are used up, and not zero.
            if not (unused is ZERO and amount) and (parent := loose_id(values)) is not None:
                replaces.append(parent)
            adopt(payment := empty(Payment), values)
            records.append(payment)
            row_of.append(number)
        except UNMAPPABLE:
            set_aside(number)


def _unused_of(
    mapper: Mapper, row: TransactionRow | PaymentAnswer, kind: str, amount: Decimal
) -> Decimal | None:
    """What is not applied of a payment, if anything; None where nothing tells."""
    told = row.foreignpaymentamountunused
    if told is not None:
        unused = mapper.number(told)
        mapper.read.append(told)
    elif row.foreignpaymentamountused:
        unused = subtract(abs(amount), abs(amount_in(row, "foreignpaymentamountused")))
    else:
        # What a refund gives back is tied to credits by links; it is nothing on account.
        return ZERO if kind == _REFUND else None
    return unused.copy_negate() if unused < ZERO else unused


def adjustment_remote_id(transaction: str, line: str) -> str:
    """The remote part of an adjustment's id: the journal entry and the line."""
    return f"{transaction}-{line}"


def journal_of(remote_id: str) -> str:
    """The journal entry in the remote part of an adjustment's id."""
    return remote_id.rpartition("-")[0] or remote_id


def map_journal_line(mapper: Mapper, row: JournalRow) -> Adjustment:
    """One journal line on accounts receivable. Raises RowError when it has no id, no line or no amount."""
    if not row.id or not row.line:
        raise RowError("missing_field", "the journal line has no transaction id or no line id")
    amount, rate = row.foreignamount, row.exchangerate
    if amount is None:
        raise RowError("missing_field", f"line {row.line} of journalEntry {row.id} has no foreignamount")
    unpaid, unused = row.foreignamountunpaid, row.foreignpaymentamountunused
    mapper.numbers += (amount, unpaid, unused, rate)
    # A debit is open as `unpaid`, a credit as `unused`; the other column is empty or zero (quirks.md#ns-13).
    left = None
    if unpaid is not None or unused is not None:
        left = total((unpaid or ZERO, -abs(unused) if unused is not None else ZERO))
    _, status = mapper.statuses[JOURNAL_TYPE, row.status, row.statusname, row.voided, row.posting]
    if status is DocumentStatus.UNKNOWN and is_true(row.posting) is not False:
        status = DocumentStatus.POSTED
    remote_id = adjustment_remote_id(row.id, row.line)
    return Adjustment.trusted(
        id=mapper.id(RecordKind.ADJUSTMENT, remote_id),
        # Each line has a source of its own, so that one of them can go while the entry stays.
        source=mapper.provenance(RECORD_TYPES[JOURNAL_TYPE], remote_id, row.lastmodifieddate),
        number=row.tranid or None,
        customer_id=mapper.customer_id(row.entity),
        subsidiary_id=row.subsidiary or None,
        adjustment_date=mapper.days[row.trandate],
        currency=mapper.currencies[row.currency, row.currencyname],
        source_rate=rate,
        exchange_rate=rate if mapper.knows_rates else None,
        amount=amount,
        open_amount=left,
        document_status=status,
        memo=row.memo or None,
        account_id=row.account or None,
    )


def map_links(mapper: Mapper, links: Sequence[LinkRow]) -> tuple[list[Allocation | str], list[str]]:
    """What each link of one `next` transaction (a payment, a credit memo, a refund, a deposit application, a journal) is, all its
    links given together: an allocation, or why it is none; and the records whose whole set of allocations these are.

    Raises RowError when a link does not say what it ties or how much.
    """
    deposit = next((one for one in links if _is_deposit(one)), None)
    counts: dict[tuple[str, str], int] = {}
    sources: dict[str, Source] = {}
    found: list[Allocation | str] = []
    for link in links:
        amount, kind = link.foreignamount, link.nexttype
        parent = _end(mapper, kind, link.nextdoc, link.nextline)
        origin = sources.get(parent)
        if origin is None:
            own_id = _own_id(kind, link.nextdoc, link.nextline)
            told = RECORD_TYPES.get(kind or "", kind or "")
            origin = sources[parent] = mapper.provenance(told, own_id, link.nextmodified)
        if link is deposit:
            found.append("it names the deposit that a deposit application uses")
            continue
        if amount is None:
            raise RowError(
                "missing_field", f"the link {link.previousdoc}-{link.nextdoc} has no foreignamount"
            )
        if amount == ZERO:
            found.append("a link of zero is what a void leaves behind (quirks.md#ns-19)")
            continue
        if amount < ZERO:
            amount = amount.copy_negate()
        mapper.numbers.append(amount)
        source, target = parent, _end(mapper, link.previoustype, link.previousdoc, link.previousline)
        if kind == _REFUND:
            # A refund is settled by the credit it pays back.
            source, target = target, source
        elif deposit is not None:
            source = _end(mapper, _DEPOSIT, deposit.previousdoc, None)
        other = source if target == parent else target
        ordinal = counts.get((parent, other), 0)
        counts[parent, other] = ordinal + 1
        values = _new_allocation()
        values["id"] = allocation_id(parent, other, ordinal)
        values["parent_id"] = parent
        values["source"] = origin
        values["source_id"] = source
        values["target_id"] = target
        values["amount"] = values["target_amount"] = amount
        values["currency"] = mapper.currencies[link.nextcurrency, None]
        values["target_currency"] = mapper.currencies[link.previouscurrency, None]
        values["applied_on"] = mapper.days[link.nextdate]
        found.append(_allocation(values))
    return found, list(sources)


def _is_deposit(link: LinkRow) -> bool:
    return link.nexttype == _APPLIED_DEPOSIT and link.previoustype == _DEPOSIT


def _own_id(kind: str | None, document: str | None, line: str | None) -> str | None:
    return adjustment_remote_id(document or "", line or "0") if kind == JOURNAL_TYPE else document


def _end(mapper: Mapper, kind: str | None, document: str | None, line: str | None) -> str:
    """The record at one end of a link. Raises RowError for a kind that is not accounts receivable."""
    if kind == JOURNAL_TYPE:
        return mapper.id(RecordKind.ADJUSTMENT, _own_id(kind, document, line))
    found = _KINDS.get(kind or "")
    if found is not None:
        return mapper.id(found, document)
    raise RowError("bad_enum", f"a link names a transaction of type {kind!r}")
