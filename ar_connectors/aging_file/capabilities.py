"""What can this connector do with a file? It reads what is open; there is nobody to write back to."""

from __future__ import annotations

from typing import Final, get_args

from ar_connectors.aging_file.cells import PLATFORM
from ar_connectors.connector import Capabilities, Capability, Fact, Support
from ar_core.commands import Command

__all__ = ["CAPABILITIES"]

_KEPT: Final = "kept with us; `ar-connectors writes export` gives a list that a bookkeeper can work through"

CAPABILITIES: Final = Capabilities(
    platform=PLATFORM,
    reads={
        "customers": "one for each number or name on the list",
        "contacts": "e-mail address and phone number, where the list has such columns",
        "invoices": "open items; one that is missing from a newer list is closed, by what is unknown",
        "credit_notes": "items below zero",
        "payments": "unapplied payments, deposits and overpayments, as their type says",
        "adjustments": "journal entries, as their type says",
        "reported_balances": "the sums of the list, by customer",
    },
    facts={fact: Capability(Support.NONE, _KEPT, source="quirks.md#file-30") for fact in Fact},
    commands={one.model_fields["type"].default: Support.NONE for one in get_args(get_args(Command)[0])},
    limits={
        "file": "CSV of any size; a workbook that unpacks to 1 GiB at most, without macros",
        "columns": "256",
        "deletions": "none are read: what is missing is closed, not deleted",
        "closing": "half of what is open at once, or 20 items, before a person has to agree",
    },
)
