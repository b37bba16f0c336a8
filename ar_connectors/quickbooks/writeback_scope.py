"""What does one write know? The command, the store's view of the company, and what follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ar_connectors.adapterkit.text import clean_text
from ar_connectors.adapterkit.writing import WriteScope as BaseScope
from ar_connectors.quickbooks.client import BASE_URL
from ar_connectors.quickbooks.company import stores_latin1_only
from ar_connectors.quickbooks.writeback_calls import Calls, request_id

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
class WriteScope(BaseScope):
    """One command on its way: with read access to our own store, and the calls of its company."""

    calls: Calls

    def request_id(self, part: str = "") -> str:
        """The requestid of one POST of this command."""
        return request_id(self.write.idempotency_key, part)

    @cached_property
    def latin1_only(self) -> bool:
        """True for a company that stores ISO-8859-1 only, and for one whose country is not known."""
        return stores_latin1_only(self.organization.country if self.organization is not None else None)

    def clean(self, text: str) -> str:
        """Text that this company can store."""
        return clean_text(text, latin1_only=self.latin1_only)
