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

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.adapterkit.writing import no_place
from ar_connectors.connector import Capability, Fact, PendingWrite, Placement, StoreView, Support
from ar_connectors.errors import PeriodClosedError, RejectedError
from ar_connectors.xero import writeback_dates as dates
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
        return self._placed(self._scope(write, view, only_look=False))

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether a command has taken effect, all of it; None when anything is missing, which `place` then adds.

        Nothing is sent. Raises what reading raises: then it cannot be told.
        """
        return self._run(self._scope(write, view, only_look=True))

    def together(self, write: PendingWrite) -> bool:
        """Whether a command sets or clears expected payment dates, of which fifty go into one call; see `PlacesTogether`."""
        return isinstance(write.command, RecordPromise | WithdrawPromise)

    def place_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement]]]:
        """Set the dates of promises in as few calls as they fit in; what each gives sees to its notes. See `PlacesTogether`.

        Raises:
            WriteOutcomeUnknown: no answer came to the dates, or one that may hide a success.
        """
        scopes = [self._scope(write, view, only_look=False) for write in writes]
        return [partial(self._placed, scope, stand) for scope, stand in self._dates(scopes)]

    def find_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement] | None]]:
        """Read the dates of promises in as few calls as they fit in; what each gives looks for its notes. See `PlacesTogether`."""
        scopes = [self._scope(write, view, only_look=True) for write in writes]
        return [partial(self._run, scope, stand) for scope, stand in self._dates(scopes)]

    def _dates(self, scopes: Sequence[WriteScope]) -> list[tuple[WriteScope, dates.Standing | None]]:
        """The dates of several commands. A call that was refused as a whole did nothing: then each sees to its own (None)."""
        try:
            return list(zip(scopes, dates.settled(scopes), strict=True))
        except (RejectedError, PeriodClosedError):
            return [(scope, None) for scope in scopes]

    def _scope(self, write: PendingWrite, view: StoreView, *, only_look: bool) -> WriteScope:
        return WriteScope(write, view, self._tenant, self._calls, self._options, self._noted, only_look)

    def _placed(self, scope: WriteScope, stand: dates.Standing | None = None) -> Sequence[Placement]:
        found = self._run(scope, stand)
        return found if found is not None else []

    def _run(self, scope: WriteScope, stand: dates.Standing | None = None) -> Sequence[Placement] | None:
        """Bring a command to its end; `stand`: its dates, where they were seen to already."""
        match scope.write.command:
            case RecordPromise() | WithdrawPromise() as command:
                (stand,) = [stand] if stand is not None else dates.settled([scope])
                if stand.missing:
                    return None
                if isinstance(command, RecordPromise):
                    return promises.record(scope, command, stand)
                return promises.withdraw(scope, command, stand)
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
                raise no_place(scope.write, self._tenant, "Xero")
