"""What does one command need while it is written to NetSuite? Read access to our own store, its calls, how the account wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from ar_connectors.adapterkit.writing import WriteScope as BaseScope
from ar_connectors.errors import ConfigurationError, RejectedError
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.writeback_calls import OWN, ActivityKind, Calls
from ar_connectors.netsuite.writeback_fields import FieldMap, field_map
from ar_core.model import RecordKind, parse_record_id

__all__ = ["ACTIVITY_KINDS", "Place", "WriteOptions", "WriteScope", "write_options"]

ACTIVITY_KINDS: Final[Mapping[str, ActivityKind]] = {
    "phoneCall": ActivityKind("phoneCall", ("startDate", "completedDate")),
    "task": ActivityKind("task", ("startDate", "dueDate", "completedDate")),
}
"""What a note of ours can be; the values of the setting `activities`."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How an account wants to see our facts."""

    kind: ActivityKind = ACTIVITY_KINDS["phoneCall"]
    fields: FieldMap = field(default_factory=FieldMap)


def write_options(settings: Mapping[str, Any]) -> WriteOptions:
    """The options that a connection's settings `activities` and `fields` mean. Raises ConfigurationError."""
    name = settings.get("activities", "phoneCall")
    kind = ACTIVITY_KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ConfigurationError(
            f"activities is {' or '.join(ACTIVITY_KINDS)}, not {name!r}",
            platform=PLATFORM,
            advice="leave it out for phoneCall",
        )
    return WriteOptions(kind, field_map(settings.get("fields")))


@dataclass(frozen=True, slots=True)
class Place:
    """What an activity is about: an invoice or a customer, by NetSuite's ids."""

    record: str
    """invoice or customer."""
    id: str
    customer: str | None
    """Of an invoice, where it is known."""

    @property
    def word(self) -> str:
        """`i129`, `c7`: in external ids."""
        return f"{self.record[0]}{self.id}"

    def external_id(self, fact: UUID | str) -> str:
        """The external id of the activity about a fact here: the same in every store."""
        return f"{OWN}{self.word}-{fact}"


@dataclass(frozen=True)
class WriteScope(BaseScope):
    """One command on its way."""

    calls: Calls
    options: WriteOptions
    only_look: bool
    """Nothing may be sent: it is only looked whether the command has taken effect."""

    def on_invoice(self, invoice: str) -> Place:
        """The place of an invoice, by NetSuite's id."""
        known = self.invoice(invoice)
        owner = known.customer_id if known is not None else None
        return Place("invoice", invoice, self.customer_id(owner) if owner is not None else None)

    def place_of(self, subject: str) -> Place:
        """The place of an invoice or customer of ours. Raises RejectedError for anything else."""
        parts = parse_record_id(subject)
        if parts is not None and parts.kind == RecordKind.CUSTOMER:
            customer = self.customer_id(subject)
            return Place("customer", customer, customer)
        return self.on_invoice(self.invoice_ids(subject)[0])

    def id_at(self, place: Place) -> str:
        """Our record id of what a place is about."""
        kind = RecordKind.INVOICE if place.record == "invoice" else RecordKind.CUSTOMER
        return self.id_of(kind, place.id)

    def unknown(self, record: str) -> RejectedError:
        """The failure of a command about a promise or dispute that our store does not know."""
        return RejectedError(
            f"nothing is known of {record}: it is not in the store",
            platform=PLATFORM,
            tenant=self.tenant.id,
            operation=self.write.command.type,
            advice="sync this connection first; give the id of a promise or dispute that was recorded here",
        )
