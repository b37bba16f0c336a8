"""Which mapper reads which row? One typed row in, its records (or why there are none) out; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from ar_connectors.adapterkit.pages import FillingPage, Mapped
from ar_connectors.connector import OutOfScope, Record
from ar_connectors.netsuite.context import Made, Mapper, RowError
from ar_connectors.netsuite.mapping_documents import MapRows, map_credit_memo, map_invoice, map_invoices
from ar_connectors.netsuite.mapping_parties import map_contact, map_customer
from ar_connectors.netsuite.mapping_settlements import map_journal_line, map_links, map_payment, map_payments
from ar_connectors.netsuite.statuses import (
    CREDIT_TYPES,
    INVOICE_TYPES,
    OUT_OF_SCOPE,
    PAYMENT_TYPES,
    RECORD_TYPES,
    TYPES_BY_RECORD,
)
from ar_connectors.netsuite.wire import (
    ContactRow,
    CustomerAnswer,
    CustomerRow,
    DeletedRow,
    InvoiceAnswer,
    JournalRow,
    LinkRow,
    PaymentAnswer,
    TransactionRow,
)
from ar_core.model import (
    Allocation,
    DeletionEvidence,
    RecordKind,
    Tombstone,
)

__all__ = ["MAPPERS", "PAGE_MAPPERS", "add_links", "map_row", "tombstone"]

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
    if type(row) is DeletedRow:
        return _deleted(mapper, row)
    made = MAPPERS[type(row)](mapper, row, default)
    return Mapped(out_of_scope=made) if isinstance(made, str) else Mapped(made[0], replaces=made[1])


def _transaction(mapper: Mapper, row: TransactionRow, default: str | None) -> Made | str:
    kind = row.type
    if not kind:
        kind = row.type = default
        if not kind:
            raise RowError("missing_field", f"transaction {row.id} does not say its type")
    make = _BY_TYPE.get(kind)
    if make is None:
        return OUT_OF_SCOPE.get(kind, f"{kind} is not accounts receivable")
    return make(mapper, row)


_BY_TYPE: Final[Mapping[str, Callable[[Mapper, TransactionRow], Made]]] = {
    **dict.fromkeys(INVOICE_TYPES, map_invoice),
    **dict.fromkeys(PAYMENT_TYPES, map_payment),
    **dict.fromkeys(CREDIT_TYPES, map_credit_memo),
}


def _journal_line(mapper: Mapper, row: JournalRow, _: str | None) -> Made | str:
    if row.line is None and row.foreignamount is None:
        return "its lines on receivables are read by SuiteQL"
    return (map_journal_line(mapper, row),), None


def _customer(mapper: Mapper, row: CustomerRow | CustomerAnswer, _: str | None) -> Made:
    return map_customer(mapper, row), None


def _contact(mapper: Mapper, row: ContactRow, _: str | None) -> Made:
    return (map_contact(mapper, row),), None


MAPPERS: Final[Mapping[type, Callable[[Mapper, Any, str | None], Made | str]]] = {
    TransactionRow: _transaction,
    InvoiceAnswer: _transaction,
    PaymentAnswer: _transaction,
    JournalRow: _journal_line,
    CustomerRow: _customer,
    CustomerAnswer: _customer,
    ContactRow: _contact,
}
"""Shape of a row -> what maps it: its records, or why it is out of scope. Third argument as `default` of `map_row`."""

PAGE_MAPPERS: Final[Mapping[type, MapRows]] = {
    InvoiceAnswer: map_invoices,
    PaymentAnswer: map_payments,
}
"""Shape of an answer's rows -> what maps all of them at once. Each has a type of its stream, or none and cannot be mapped."""


def add_links(
    filled: FillingPage,
    mapper: Mapper,
    links: Sequence[LinkRow],
    numbers: Sequence[int],
    check: Callable[[Record], Record] | None = None,
) -> None:
    """Put all links of one `next` transaction, with their row numbers, into the page. On RowError nothing has been added. `check`:
    validates each record."""
    made, parents = map_links(mapper, links)
    if check is not None:
        made = [one if isinstance(one, str) else cast("Allocation", check(one)) for one in made]
    filled.replaces += parents
    for one, link, number in zip(made, links, numbers, strict=True):
        if isinstance(one, str):
            filled.out_of_scope.append(OutOfScope("link", f"{link.previousdoc}-{link.nextdoc}", one, number))
        else:
            filled.records.append(one)
            filled.row_of.append(number)


def _deleted(mapper: Mapper, row: DeletedRow) -> Mapped:
    """A deleted record: a tombstone for a kind of ours, and nothing for any other. Both spellings of its type (quirks.md#ns-29)."""
    told = (row.type or "").replace(" ", "").replace("_", "")
    transaction = TYPES_BY_RECORD.get(told.casefold())
    name = RECORD_TYPES.get(told) or RECORD_TYPES.get(transaction or "") or told.casefold()
    kind = _KINDS.get(name)
    if kind is None:
        return Mapped(out_of_scope=f"a deleted {row.type} is not accounts receivable")
    return Mapped(tombstone=tombstone(mapper, name, kind, row.recordid))


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
