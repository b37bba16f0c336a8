"""What does one command need while it is written to Xero? Read access to our own store, its calls, how the company wants it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ar_connectors.adapterkit.writing import WriteScope as BaseScope
from ar_connectors.xero.writeback_calls import Calls

if TYPE_CHECKING:
    from ar_connectors.xero.writeback_groups import Noted

__all__ = ["NOTES_GROUP", "NotePolicy", "WriteOptions", "WriteScope"]

NOTES_GROUP: Final = "Collections notes"
"""The usual name of the contact group of all who have notes of ours."""


class NotePolicy(StrEnum):
    """When a history note is written besides another place: notes are most of the calls (quirks.md#xero-50)."""

    OFF = "off"
    """Only where nothing else holds the fact."""
    CHANGE = "change"
    """When something changes: a status that is set again is not noted again."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a company wants to see our facts."""

    notes: NotePolicy = NotePolicy.CHANGE
    order_hold_group: str = "On stop"
    """Name of the contact group that stands for an order hold; made where there is none."""
    status_groups: str | None = None
    """What the names of the contact groups begin with that show the collections status of a customer (`Collections: `), each
    made when it is needed; None: notes alone show it. An organisation has room for 100 groups in all."""
    notes_group: str | None = NOTES_GROUP
    """Name of the contact group of all who have notes of ours that an empty store must find; None: it finds only those on
    invoices with an expected payment date."""


@dataclass(frozen=True)
class WriteScope(BaseScope):
    """One command on its way."""

    calls: Calls
    options: WriteOptions
    noted: Noted
    only_look: bool
    """Nothing may be sent: it is only looked whether the command has taken effect."""

    def key(self, part: str) -> str:
        """The Idempotency-Key of one write of this command. A further attempt has its own: Xero caches refusals too
        (quirks.md#xero-48), and what has landed was looked for before."""
        again = f"-{self.write.attempt}" if self.write.attempt > 1 else ""
        return f"{self.write.idempotency_key}-{part}{again}"
