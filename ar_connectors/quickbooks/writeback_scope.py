"""What does one write know? The command, the store's view of the company, and what follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from ar_connectors.connector import PendingWrite, StoreView
from ar_connectors.quickbooks.client import BASE_URL
from ar_connectors.quickbooks.faults import PLATFORM
from ar_connectors.quickbooks.text import clean_text, stores_latin1_only
from ar_connectors.quickbooks.writeback_calls import Calls, request_id
from ar_connectors.quickbooks.writeback_texts import closed_on, remote_id
from ar_core.model import Invoice, Organization, Promise, RecordKind, record_id

__all__ = ["WriteOptions", "WriteScope"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a company wants to see our facts."""

    base_url: str = BASE_URL
    """The API host, without a path."""
    status_custom_field: str | None = None
    """Name or DefinitionId of an invoice custom field that holds the collections status; None: a line in Customer.Notes.
    Make sure that it is not printed on forms: the customer would see it (quirks.md#qbo-46)."""
    custom_field_length: int = 31
    """Characters such a field takes."""


@dataclass(frozen=True)
class WriteScope:
    """One command on its way: with read access to our own store, and the calls of its company."""

    write: PendingWrite
    view: StoreView
    tenant: str
    calls: Calls

    @cached_property
    def identity(self) -> UUID:
        """The UUID that marks everything this command writes: a function of the command, the same in every store."""
        return self.write.command.record_uuid()

    @property
    def tried_before(self) -> bool:
        """True when an earlier attempt may have left something."""
        return self.write.attempt > 1 or self.write.first_sent_at is not None

    def request_id(self, part: str = "") -> str:
        """The requestid of one POST of this command."""
        return request_id(self.write.idempotency_key, part)

    @cached_property
    def organization(self) -> Organization | None:
        """The company, if it was synced."""
        first = next(iter(self.view.live_ids(RecordKind.ORGANIZATION)), None)
        found = None if first is None else self.view.record(first)
        return found if isinstance(found, Organization) else None

    @cached_property
    def latin1_only(self) -> bool:
        """True for a company that stores ISO-8859-1 only, and for one whose country is not known."""
        return stores_latin1_only(self.organization.country if self.organization is not None else None)

    def clean(self, text: str) -> str:
        """Text that this company can store."""
        return clean_text(text, latin1_only=self.latin1_only)

    def invoice(self, invoice: str) -> Invoice | None:
        """A synced invoice by QuickBooks' id."""
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

    def id_of(self, kind: RecordKind, remote: str) -> str:
        """The record id of something in this company."""
        return record_id(PLATFORM, self.tenant, kind, remote)

    def invoice_ids(self, *records: str) -> tuple[str, ...]:
        """QuickBooks' ids of invoices. Raises RejectedError for anything else."""
        return tuple(dict.fromkeys(remote_id(one, RecordKind.INVOICE, self.tenant) for one in records))

    def customer_id(self, record: str) -> str:
        """QuickBooks' id of a customer. Raises RejectedError for anything else."""
        return remote_id(record, RecordKind.CUSTOMER, self.tenant)
