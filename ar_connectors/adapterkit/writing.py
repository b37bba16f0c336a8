"""What does every command need on its way to an ERP? Its mark, our own records about it, and the platform's ids; and the truth
about a write whose answer did not tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from ar_connectors.adapterkit.note_texts import closed_on
from ar_connectors.adapterkit.notes import PromiseTag, Tag
from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.connector import PendingWrite, StoreView
from ar_connectors.errors import ContractError, TransientError, UnsupportedOperation, WriteOutcomeUnknown
from ar_core.model import Invoice, Organization, Promise, RecordKind, local_id

__all__ = ["WriteScope", "no_place", "outcome_told"]


@contextmanager
def outcome_told() -> Iterator[None]:
    """Around one write: a gateway that answers 5xx may stand in front of a service that did the work, and an answer that cannot
    be read may be one of success. Both become WriteOutcomeUnknown; without any connection nothing can have happened."""
    try:
        yield
    except (TransientError, ContractError) as error:
        if isinstance(error, TransientError) and error.http_status is None:
            raise
        message = f"the write may have happened: {error.message}"
        raise error.told_as(WriteOutcomeUnknown, message=message) from error


def no_place(write: PendingWrite, tenant: Tenant, name: str) -> UnsupportedOperation:
    """The refusal of a command that an ERP, by its `name` for people, has no place for."""
    return UnsupportedOperation(
        f"{write.command.type} has no place in {name}; it is kept with us",
        platform=tenant.platform,
        tenant=tenant.id,
        operation=write.command.type,
    )


@dataclass(frozen=True)
class WriteScope:
    """One command on its way, with read access to our own store. An ERP's own scope adds its calls."""

    write: PendingWrite
    view: StoreView
    tenant: Tenant

    @cached_property
    def identity(self) -> UUID:
        """The UUID that marks everything this command writes: a function of the command, the same in every store."""
        return self.write.command.record_uuid()

    @property
    def tried_before(self) -> bool:
        """True when an earlier attempt may have left something."""
        return self.write.attempt > 1 or self.write.first_sent_at is not None

    @cached_property
    def organization(self) -> Organization | None:
        """The company, if it was synced."""
        first = next(iter(self.view.live_ids(RecordKind.ORGANIZATION)), None)
        found = None if first is None else self.view.record(first)
        return found if isinstance(found, Organization) else None

    def invoice(self, invoice: str) -> Invoice | None:
        """A synced invoice by the platform's id."""
        found = self.view.record(self.id_of(RecordKind.INVOICE, invoice))
        return found if isinstance(found, Invoice) else None

    def books_closed(self, invoice: str) -> bool:
        """True when the invoice is known to lie in the closed books."""
        known = self.invoice(invoice)
        if known is None or self.organization is None:
            return False
        return closed_on(known.issue_date, self.organization.lock_date)

    def promise(self, promise: str) -> Promise | None:
        """A promise by our id."""
        found = self.view.record(promise)
        return found if isinstance(found, Promise) else None

    def supersedes(self, older: PromiseTag, new: Tag) -> bool:
        """True when the promise that this command writes takes the place of an older one: as our store says where it knows that
        one, else by which was recorded first."""
        known = self.promise(local_id(older.id))
        if known is not None and known.superseded_by is not None:
            return known.superseded_by == (self.write.record_id or self.write.command.local_record_id)
        recorded = new.recorded if isinstance(new, PromiseTag) else None
        return older.recorded is None or recorded is None or older.recorded <= recorded

    def id_of(self, kind: RecordKind, remote: str) -> str:
        """The record id of something in this company."""
        return self.tenant.record_id(kind, remote)

    def invoice_ids(self, *records: str) -> tuple[str, ...]:
        """The platform's ids of invoices. Raises RejectedError for anything else."""
        return tuple(dict.fromkeys(self.tenant.remote_id(one, RecordKind.INVOICE) for one in records))

    def customer_id(self, record: str) -> str:
        """The platform's id of a customer. Raises RejectedError for anything else."""
        return self.tenant.remote_id(record, RecordKind.CUSTOMER)
