"""Which mapper reads which entity? One row in, its records (or why there are none) out; pure.

A deleted stub becomes a tombstone, a row outside accounts receivable a sentence that says so.
"""

from __future__ import annotations

from ar_connectors.adapterkit.pages import Mapped
from ar_connectors.connector import Record
from ar_connectors.quickbooks import wire
from ar_connectors.quickbooks.context import ENTITY_KINDS, Mapper
from ar_connectors.quickbooks.mapping_documents import map_credit_memo, map_invoice
from ar_connectors.quickbooks.mapping_notes import map_attachable, map_customer_notes
from ar_connectors.quickbooks.mapping_parties import map_customer, map_organization
from ar_connectors.quickbooks.mapping_settlements import map_journal_entry, map_payment, map_refund
from ar_core.model import DeletionEvidence, RecordKind, Tombstone

__all__ = ["is_deleted", "map_customer_and_notes", "map_entity", "tombstone"]


def is_deleted(row: wire.Entity) -> bool:
    """True for the stub that is left of a deleted record (quirks.md#qbo-21)."""
    return row.status is not None and row.status.casefold() == "deleted"


def tombstone(
    mapper: Mapper,
    entity: str,
    row: wire.Entity,
    evidence: DeletionEvidence = DeletionEvidence.REPORTED_DELETED,
) -> Tombstone:
    """The tombstone for a row. Raises KeyError for an entity that has no record kind, RowError without an id."""
    kind: RecordKind = ENTITY_KINDS[entity]
    return Tombstone.trusted(
        id=mapper.id(kind, row.id), kind=kind, source=mapper.provenance(entity, row), evidence=evidence
    )


def map_entity(mapper: Mapper, row: wire.Entity) -> Mapped:
    """Map one decoded row, whatever entity it is. Raises RowError with the reason when it cannot be mapped."""
    if is_deleted(row):
        return _deleted(mapper, type(row).__name__, row)
    match row:
        case wire.Invoice():
            return Mapped((map_invoice(mapper, row),))
        case wire.Payment():
            records = map_payment(mapper, row)
            return Mapped(records, replaces=records[0].id)
        case wire.Customer():
            parties = map_customer_and_notes(mapper, row)
            return Mapped(parties, replaces=parties[0].id)
        case wire.CreditMemo():
            return Mapped((map_credit_memo(mapper, row),))
        case wire.RefundReceipt():
            return Mapped((map_refund(mapper, row),))
        case wire.JournalEntry():
            adjustments = map_journal_entry(mapper, row)
            if not adjustments:
                return Mapped(out_of_scope="no line of it stands on receivables with a customer")
            return Mapped(adjustments)
        case wire.Attachable():
            found = map_attachable(mapper, row)
            return Mapped(out_of_scope=found) if isinstance(found, str) else Mapped((found,))
        case wire.CompanyInfo():
            return Mapped((map_organization(mapper, row, None),))
        case wire.Preferences():
            return Mapped((map_organization(mapper, None, row),))
        case _:
            return Mapped(out_of_scope=f"{type(row).__name__} is not accounts receivable")


def _deleted(mapper: Mapper, entity: str, row: wire.Entity) -> Mapped:
    if entity in ENTITY_KINDS:
        return Mapped(tombstone=tombstone(mapper, entity, row))
    return Mapped(out_of_scope=f"a deleted {entity} is not accounts receivable")


def map_customer_and_notes(mapper: Mapper, row: wire.Customer) -> list[Record]:
    """A customer, its contacts, and the promises and disputes that stand in its notes."""
    records: list[Record] = list(map_customer(mapper, row))
    if row.notes is not None:
        records += map_customer_notes(mapper, row)
    return records
