"""Where does each command land in Xero? The write half of the adapter: `place` sends, `find` looks.

| command | first choice | fallback |
|---|---|---|
| record_promise | ExpectedPaymentDate of each invoice, read back, and a tagged history note | the note alone |
| withdraw_promise | the date cleared, where it is still ours, and a note that says so | the note alone |
| open_dispute, resolve_dispute | tagged history note on the invoice | note on the contact, where the invoice takes none |
| add_note | history note on the invoice or contact | the same |
| set_collections_status | history note when it changes, and a contact group where the connection wants that | the same |
| set_order_hold, release_order_hold | a contact group, advisory: Xero has no such stop | |

Never touched: due dates, references, lines, ContactStatus, SentToContact; nothing is ever e-mailed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.connector import Capability, Fact, PendingWrite, Placement, StoreView, Support
from ar_connectors.errors import UnsupportedOperation
from ar_connectors.xero import writeback_groups as groups
from ar_connectors.xero import writeback_notes as notes
from ar_connectors.xero import writeback_promises as promises
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.faults import PLATFORM
from ar_connectors.xero.writeback_calls import Calls
from ar_connectors.xero.writeback_scope import WriteOptions, WriteScope
from ar_core.commands import (
    AddNote,
    OpenDispute,
    RecordPromise,
    ReleaseOrderHold,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    WithdrawPromise,
)

__all__ = ["COMMANDS", "FACTS", "WriteOptions", "XeroWriter"]

_NOTE = "tagged history note on the invoice"
_ON_CONTACT = "history note on the contact (the invoice takes none)"

FACTS: Final[Mapping[Fact, Capability]] = MappingProxyType(
    {
        Fact.PROMISE_DATE: Capability(
            Support.NATIVE,
            "Invoice.ExpectedPaymentDate",
            f"{_NOTE} (part-paid, locked, voided)",
            "quirks.md#xero-45",
        ),
        Fact.PROMISE_AMOUNT: Capability(Support.NOTE, _NOTE, _ON_CONTACT, "quirks.md#xero-23"),
        Fact.DISPUTE: Capability(Support.NOTE, _NOTE, _ON_CONTACT, "quirks.md#xero-23"),
        Fact.COLLECTIONS_STATUS: Capability(
            Support.NOTE,
            "history note on invoice or contact, when it changes; a contact group where `status_groups` is set",
            _ON_CONTACT,
            "quirks.md#xero-23",
        ),
        Fact.ORDER_HOLD: Capability(Support.ADVISORY, "contact group", None, "quirks.md#xero-49"),
        Fact.NOTE: Capability(
            Support.NOTE, "history note on invoice or contact", _ON_CONTACT, "quirks.md#xero-23"
        ),
    }
)
"""How each fact is placed; the write rows of the adapter's capabilities."""

COMMANDS: Final[Mapping[str, Support]] = MappingProxyType(
    {
        "record_touch": Support.NONE,
        "record_outcome": Support.NONE,
        "record_promise": Support.NATIVE,
        "withdraw_promise": Support.NATIVE,
        "open_dispute": Support.NOTE,
        "resolve_dispute": Support.NOTE,
        "add_note": Support.NOTE,
        "set_collections_status": Support.NOTE,
        "set_order_hold": Support.ADVISORY,
        "release_order_hold": Support.ADVISORY,
    }
)
"""How well each command is placed; `none` is kept with us only."""


class XeroWriter:
    """Writes one organisation. Thread-safe when its client is."""

    def __init__(self, client: XeroClient, options: WriteOptions | None = None) -> None:
        self._options = options or WriteOptions()
        self._tenant = Tenant(PLATFORM, client.tenant)
        self._calls = Calls(client)
        self._noted = groups.Noted()

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command, or what is still missing of it. A command that was sent before is looked for first.

        Raises:
            WriteOutcomeUnknown: no answer came, or one that may hide a success.
            RejectedError, PeriodClosedError: Xero refused it, in its fallback place too.
            UnsupportedOperation: the command has no place in Xero.
        """
        found = self._run(write, view, only_look=False)
        return found if found is not None else []

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether a command has taken effect, all of it; None when anything is missing, which `place` then adds.

        Nothing is sent. Raises what reading raises: then it cannot be told.
        """
        return self._run(write, view, only_look=True)

    def _run(self, write: PendingWrite, view: StoreView, *, only_look: bool) -> Sequence[Placement] | None:
        scope = WriteScope(write, view, self._tenant, self._calls, self._options, self._noted, only_look)
        match write.command:
            case RecordPromise() as command:
                return promises.record(scope, command)
            case WithdrawPromise() as command:
                return promises.withdraw(scope, command)
            case OpenDispute() as command:
                return notes.open_dispute(scope, command)
            case ResolveDispute() as command:
                return notes.resolve_dispute(scope, command)
            case AddNote() as command:
                return notes.add_note(scope, command)
            case SetCollectionsStatus() as command:
                return notes.set_status(scope, command)
            case SetOrderHold() as command:
                return groups.hold(scope, command)
            case ReleaseOrderHold() as command:
                return groups.release(scope, command)
            case _:
                raise UnsupportedOperation(
                    f"{write.command.type} has no place in Xero; it is kept with us",
                    platform=PLATFORM,
                    tenant=self._tenant.id,
                    operation=write.command.type,
                )
