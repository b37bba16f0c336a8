"""Which mapper reads which row? One typed row in, its records (or why there are none) out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ar_connectors.connector import Record
from ar_connectors.netsuite.context import Mapper, RowError
from ar_connectors.netsuite.mapping_documents import map_credit_memo, map_invoice, native_promise
from ar_connectors.netsuite.mapping_parties import map_contact, map_customer
from ar_connectors.netsuite.mapping_settlements import map_journal_line, map_payment
from ar_connectors.netsuite.statuses import (
    CREDIT_TYPES,
    INVOICE_TYPES,
    OUT_OF_SCOPE,
    PAYMENT_TYPES,
    RECORD_TYPES,
    TYPES_BY_RECORD,
)
from ar_connectors.netsuite.wire import ContactRow, CustomerRow, DeletedRow, JournalRow, TransactionRow
from ar_core.model import DeletionEvidence, RecordKind, Tombstone

__all__ = ["Mapped", "map_deleted", "map_row", "tombstone"]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one row became: records, a tombstone, or a reason why it is out of scope. `replaces`: the parent whose whole set of
    children these records hold."""

    records: Sequence[Record] = ()
    kind: str = ""
    out_of_scope: str | None = None
    replaces: str | None = None
    tombstones: Sequence[Tombstone] = ()


_KINDS: Final[Mapping[str, RecordKind]] = {
    **{RECORD_TYPES[kind]: RecordKind.INVOICE for kind in INVOICE_TYPES},
    **{RECORD_TYPES[kind]: RecordKind.CREDIT_NOTE for kind in CREDIT_TYPES},
    **{RECORD_TYPES[kind]: RecordKind.PAYMENT for kind in PAYMENT_TYPES},
    "depositApplication": RecordKind.PAYMENT,
    "journalEntry": RecordKind.ADJUSTMENT,
    "customer": RecordKind.CUSTOMER,
    "contact": RecordKind.CONTACT,
}
"""Record type of NetSuite -> kind of ours."""


def map_row(mapper: Mapper, row: Any, default: str | None = None) -> Mapped:
    """Map one row. `default`: the transaction type of rows that do not say theirs. Raises RowError when it cannot be mapped."""
    shape = type(row)
    if shape is TransactionRow:
        return _transaction(mapper, row, row.type or default)
    if shape is CustomerRow:
        return Mapped(map_customer(mapper, row))
    if shape is JournalRow:
        if row.line is None and row.foreignamount is None:
            return Mapped(kind="journalEntry", out_of_scope="its lines on receivables are read by SuiteQL")
        return Mapped((map_journal_line(mapper, row),))
    if shape is ContactRow:
        return Mapped((map_contact(mapper, row),))
    if shape is DeletedRow:
        return map_deleted(mapper, row)
    raise TypeError(f"there is no mapper for {shape.__name__}")


def _transaction(mapper: Mapper, row: TransactionRow, kind: str | None) -> Mapped:
    if row.type is None:
        row.type = kind
    if kind is None:
        raise RowError("missing_field", f"transaction {row.id} does not say its type")
    if kind in INVOICE_TYPES:
        invoice = map_invoice(mapper, row)
        promise = native_promise(mapper, row, invoice) if invoice.expected_payment_date is not None else None
        replaces = invoice.id if mapper.context.reads_promises else None
        return Mapped((invoice,) if promise is None else (invoice, promise), replaces=replaces)
    if kind in PAYMENT_TYPES:
        payment = map_payment(mapper, row)
        # What was never applied has no links that could tell so.
        unused = payment.unapplied_amount == payment.total and bool(payment.total)
        return Mapped((payment,), replaces=payment.id if unused else None)
    if kind in CREDIT_TYPES:
        credit = map_credit_memo(mapper, row)
        unused = credit.unapplied_amount == credit.total and bool(credit.total)
        return Mapped((credit,), replaces=credit.id if unused else None)
    if kind in OUT_OF_SCOPE:
        return Mapped(kind=RECORD_TYPES.get(kind, kind), out_of_scope=OUT_OF_SCOPE[kind])
    return Mapped(kind=kind, out_of_scope=f"{kind} is not accounts receivable")


def map_deleted(mapper: Mapper, row: DeletedRow) -> Mapped:
    """A deleted record: a tombstone for a kind of ours, and nothing for any other. Both spellings of its type (quirks.md#ns-29)."""
    told = (row.type or "").replace(" ", "").replace("_", "")
    transaction = TYPES_BY_RECORD.get(told.casefold())
    name = RECORD_TYPES.get(told) or RECORD_TYPES.get(transaction or "") or told.casefold()
    kind = _KINDS.get(name)
    if kind is None:
        return Mapped(kind=row.type or "", out_of_scope=f"a deleted {row.type} is not accounts receivable")
    return Mapped(tombstones=(tombstone(mapper, name, kind, row.recordid),))


def tombstone(
    mapper: Mapper,
    name: str,
    kind: RecordKind,
    remote_id: str | None,
    evidence: DeletionEvidence = DeletionEvidence.REPORTED_DELETED,
) -> Tombstone:
    """The tombstone of a record. `name`: NetSuite's name of its type. Raises RowError without an id."""
    return Tombstone.trusted(
        id=mapper.id(kind, remote_id),
        kind=kind,
        source=mapper.provenance(name, remote_id, None),
        evidence=evidence,
    )
