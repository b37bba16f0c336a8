"""Where does each command land in QuickBooks? The write half of the adapter: `place` sends, `find` looks.

| command | first choice | fallback |
|---|---|---|
| record_promise, withdraw_promise | a tagged Attachable note on each invoice | closed books: a tagged line in Customer.Notes |
| open_dispute, resolve_dispute | the same | the same |
| add_note | note on the invoice; for a customer a line in Customer.Notes | |
| set_collections_status | a configured custom field of the invoice, else a line in Customer.Notes | a note on the invoice |
| set_order_hold, release_order_hold | a line in Customer.Notes, advisory: QuickBooks has no such stop | |

Never touched: due dates, terms, EmailStatus, CustomerMemo, PrivateNote, Active (quirks.md#qbo-47).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.adapterkit.writing import no_place
from ar_connectors.connector import Capability, Fact, PendingWrite, Placement, StoreView, Support
from ar_connectors.quickbooks import writeback_account as account
from ar_connectors.quickbooks import writeback_activity as activity
from ar_connectors.quickbooks.client import Sender
from ar_connectors.quickbooks.faults import PLATFORM
from ar_connectors.quickbooks.writeback_calls import Calls
from ar_connectors.quickbooks.writeback_scope import WriteOptions, WriteScope
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
from ar_core.model import RecordKind, parse_record_id

__all__ = ["COMMANDS", "FACTS", "QuickBooksWriter", "WriteOptions"]

_NOTE = "Attachable note on the invoice"
_LINE = "line in our block of Customer.Notes"

FACTS: Final[Mapping[Fact, Capability]] = MappingProxyType(
    {
        Fact.PROMISE_DATE: Capability(
            Support.NOTE, _NOTE, f"tagged {_LINE} (closed books)", "quirks.md#qbo-40"
        ),
        Fact.PROMISE_AMOUNT: Capability(
            Support.NOTE, f"same {_NOTE}", f"tagged {_LINE} (closed books)", "quirks.md#qbo-40"
        ),
        Fact.DISPUTE: Capability(Support.NOTE, _NOTE, f"tagged {_LINE} (closed books)", "quirks.md#qbo-40"),
        Fact.COLLECTIONS_STATUS: Capability(
            Support.NOTE, f"configured custom field of the invoice, else {_LINE}", _NOTE, "quirks.md#qbo-42"
        ),
        Fact.ORDER_HOLD: Capability(Support.ADVISORY, _LINE, None, "quirks.md#qbo-42"),
        Fact.NOTE: Capability(Support.NOTE, f"{_NOTE}; for a customer a {_LINE}", None, "quirks.md#qbo-40"),
    }
)
"""How each fact is placed; the write rows of the adapter's capabilities."""

COMMANDS: Final[Mapping[str, Support]] = MappingProxyType(
    {
        "record_touch": Support.NONE,
        "record_outcome": Support.NONE,
        "record_promise": Support.NOTE,
        "withdraw_promise": Support.NOTE,
        "open_dispute": Support.NOTE,
        "resolve_dispute": Support.NOTE,
        "add_note": Support.NOTE,
        "set_collections_status": Support.NOTE,
        "set_order_hold": Support.ADVISORY,
        "release_order_hold": Support.ADVISORY,
    }
)
"""How well each command is placed; `none` is kept with us only."""


class QuickBooksWriter:
    """Writes one company. `client` sends requests and raises what their answers stand for; `tenant` is the realm id.

    Thread-safe when the client is: it keeps no state.
    """

    def __init__(self, client: Sender, tenant: str, options: WriteOptions | None = None) -> None:
        self._options = options or WriteOptions()
        self._tenant = Tenant(PLATFORM, tenant)
        self._calls = Calls(client, tenant, self._options.base_url)

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command, or what is still missing of it. Reads our own notes first where that costs nothing else.

        Raises:
            WriteOutcomeUnknown: no answer came, or one that may hide a success.
            RejectedError, PeriodClosedError: QuickBooks refused it, in its fallback place too.
            UnsupportedOperation: the command has no place in QuickBooks.
        """
        scope = WriteScope(write, view, self._tenant, self._calls)
        match write.command:
            case RecordPromise():
                return self._promise(scope)
            case WithdrawPromise() as command:
                return activity.place_withdrawn(scope, command)
            case OpenDispute():
                return activity.place_notes(scope, activity.note_job(scope))
            case ResolveDispute() as command:
                return activity.place_resolved(scope, command)
            case AddNote() as command if _about_customer(command.subject_id):
                return account.place_customer_note(scope, command)
            case AddNote():
                return activity.place_notes(scope, activity.note_job(scope))
            case SetCollectionsStatus() as command:
                return account.place_status(scope, command, self._options)
            case SetOrderHold() as command:
                return account.place_hold(scope, command)
            case ReleaseOrderHold() as command:
                return account.place_release(scope, command)
            case _:
                raise no_place(write, self._tenant, "QuickBooks")

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether a command has taken effect, all of it; None when anything is missing, which `place` then adds.

        Nothing is sent. Raises what reading raises: then it cannot be told.
        """
        scope = WriteScope(write, view, self._tenant, self._calls)
        match write.command:
            case RecordPromise():
                return self._find_promise(scope)
            case WithdrawPromise() as command:
                about = (command.promise_id, command.customer_id)
                return activity.find_change(scope, command.promise_id, (Fact.PROMISE_DATE,), about)
            case OpenDispute():
                return activity.find_notes(scope, activity.note_job(scope))
            case ResolveDispute() as command:
                about = (command.dispute_id, command.customer_id)
                return activity.find_change(scope, command.dispute_id, (Fact.DISPUTE,), about)
            case AddNote() as command if _about_customer(command.subject_id):
                return account.find_customer_note(scope, command)
            case AddNote():
                return activity.find_notes(scope, activity.note_job(scope))
            case SetCollectionsStatus() as command:
                return account.find_status(scope, command, self._options)
            case SetOrderHold() as command:
                return account.find_hold(scope, command)
            case ReleaseOrderHold() as command:
                return account.find_release(scope, command)
            case _:
                raise no_place(write, self._tenant, "QuickBooks")

    def _promise(self, scope: WriteScope) -> Sequence[Placement]:
        """One look at the invoices' notes serves twice: a note that is there is not hung up again, and older promises are
        marked as superseded. A promise is the one thing that must never stand there twice, so this look is always paid for."""
        job = activity.note_job(scope)
        there = {invoice: self._calls.notes_on("Invoice", invoice) for invoice in job.invoices}
        placements = activity.place_notes(scope, job, there)
        return [*placements, *(activity.supersede(scope, job, there) or ())]

    def _find_promise(self, scope: WriteScope) -> Sequence[Placement] | None:
        job = activity.note_job(scope)
        there = {invoice: self._calls.notes_on("Invoice", invoice) for invoice in job.invoices}
        placements = activity.find_notes(scope, job, there)
        if placements is None:
            return None
        older = activity.supersede(scope, job, there, only_look=True)
        return None if older is None else placements


def _about_customer(record: str) -> bool:
    parts = parse_record_id(record)
    return parts is not None and parts.kind == RecordKind.CUSTOMER
