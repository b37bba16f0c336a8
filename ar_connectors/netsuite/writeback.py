"""Where does each command land in NetSuite? The write half of the adapter: `place` sends, `find` looks.

| command | first choice | fallback |
|---|---|---|
| record_promise | User-Estimated Payment Date and its source, read back; a tagged activity; mapped custom fields | the activity alone |
| withdraw_promise | both emptied, where they are still ours, and the activity changed | the activity alone |
| open_dispute, resolve_dispute | tagged activity on the invoice; mapped custom fields | the activity alone |
| add_note | activity on the invoice or customer | |
| set_collections_status | one activity for each invoice or customer; mapped custom field | the activity alone |
| set_order_hold, release_order_hold | customer's creditHoldOverride, its earlier value put back; an activity that says why | |

Never touched: due dates, terms, memo, message and comments (quirks.md#ns-26), lines, postings; nothing is ever e-mailed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ar_connectors.adapterkit.tenant import Tenant
from ar_connectors.adapterkit.writing import no_place
from ar_connectors.connector import Capability, Fact, PendingWrite, Placement, StoreView, Support
from ar_connectors.errors import ConfigurationError
from ar_connectors.netsuite import writeback_disputes as disputes
from ar_connectors.netsuite import writeback_holds as holds
from ar_connectors.netsuite import writeback_promises as promises
from ar_connectors.netsuite import writeback_status as status
from ar_connectors.netsuite.account import PLATFORM
from ar_connectors.netsuite.client import NetSuiteClient
from ar_connectors.netsuite.writeback_calls import Calls
from ar_connectors.netsuite.writeback_fields import FieldMap, field_problems
from ar_connectors.netsuite.writeback_rights import explained
from ar_connectors.netsuite.writeback_scope import WriteOptions, WriteScope
from ar_connectors.netsuite.writeback_versions import with_versions
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

__all__ = ["COMMANDS", "NetSuiteWriter", "facts_of"]

_ACTIVITY: Final = "tagged activity (phoneCall or task)"
_DATE: Final = "invoice.userEstimatedPaymentDate with source CUSTOMER_PROMISED_DATE"

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
        "set_order_hold": Support.NATIVE,
        "release_order_hold": Support.NATIVE,
    }
)
"""How well each command is placed; `none` is kept with us only."""


def facts_of(fields: FieldMap) -> Mapping[Fact, Capability]:
    """How each fact is placed, with the custom fields that are mapped; the write rows of the adapter's capabilities."""

    def also(*words: str) -> str:
        names = fields.names(*words)
        return f", and {', '.join(names)}" if names else "; custom fields once they are mapped"

    amount = also("promise_amount", "promise_note", "promise_status")
    dispute = also("disputed", "dispute_reason", "dispute_amount", "dispute_opened", "dispute_note")
    where = also("collections_status", "invoice_status")
    return MappingProxyType(
        {
            Fact.PROMISE_DATE: Capability(
                Support.NATIVE, _DATE, f"{_ACTIVITY} (closed period, no right)", "quirks.md#ns-20"
            ),
            Fact.PROMISE_AMOUNT: Capability(
                Support.NOTE, f"{_ACTIVITY} on the invoice{amount}", None, "quirks.md#ns-21"
            ),
            Fact.DISPUTE: Capability(
                Support.NOTE, f"{_ACTIVITY} on the invoice{dispute}", None, "quirks.md#ns-21"
            ),
            Fact.COLLECTIONS_STATUS: Capability(
                Support.NOTE,
                f"one {_ACTIVITY} that says the latest, on invoice or customer{where}",
                None,
                "quirks.md#ns-21",
            ),
            Fact.ORDER_HOLD: Capability(
                Support.NATIVE,
                "customer.creditHoldOverride, the earlier value put back",
                None,
                "quirks.md#ns-22",
            ),
            Fact.NOTE: Capability(
                Support.NOTE, f"{_ACTIVITY} on invoice or customer", None, "quirks.md#ns-21"
            ),
        }
    )


class NetSuiteWriter:
    """Writes one account. Thread-safe when its client is; it remembers that the mapped fields are good."""

    def __init__(self, client: NetSuiteClient, options: WriteOptions | None = None) -> None:
        self._options = options or WriteOptions()
        self._client = client
        self._tenant = Tenant(PLATFORM, client.tenant)
        self._calls = Calls(client, self._options.kind)
        self._lock = threading.Lock()
        self._checked = not self._options.fields.fields

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command, or what is still missing of it. A command that was sent before is looked for first.

        Raises:
            WriteOutcomeUnknown: no answer came, or one that may hide a success, or what was written cannot be read back now.
            TransientError: a record is locked; nothing happened to it.
            RejectedError, PermissionDenied: NetSuite refused it, in its fallback place too.
            ConfigurationError: a mapped custom field is not there, or of another type; nothing was sent.
            UnsupportedOperation: the command has no place in NetSuite.
        """
        self._check_fields()
        found = self._run(write, view, only_look=False)
        return with_versions(self._client, found) if found else []

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether a command has taken effect, all of it; None when anything is missing, which `place` then adds.

        Nothing is sent. Raises what reading raises (a record that is locked cannot even be read): then it cannot be told.
        """
        return self._run(write, view, only_look=True)

    def _check_fields(self) -> None:
        with self._lock:
            if self._checked:
                return
            problems = field_problems(self._client, self._options.fields)
            if problems:
                raise ConfigurationError(
                    "; ".join(problems),
                    platform=PLATFORM,
                    tenant=self._tenant.id,
                    operation="check the mapped custom fields",
                    advice="correct the setting fields of this connection; commands wait until then",
                )
            self._checked = True

    def _run(self, write: PendingWrite, view: StoreView, *, only_look: bool) -> list[Placement] | None:
        scope = WriteScope(write, view, self._tenant, self._calls, self._options, only_look)
        with explained(write.command.type, self._options.kind):
            match write.command:
                case RecordPromise() as command:
                    return promises.record(scope, command)
                case WithdrawPromise() as command:
                    return promises.withdraw(scope, command)
                case OpenDispute() as command:
                    return disputes.open_dispute(scope, command)
                case ResolveDispute() as command:
                    return disputes.resolve_dispute(scope, command)
                case AddNote() as command:
                    return status.add_note(scope, command)
                case SetCollectionsStatus() as command:
                    return status.set_status(scope, command)
                case SetOrderHold() as command:
                    return holds.hold(scope, command)
                case ReleaseOrderHold() as command:
                    return holds.release(scope, command)
                case _:
                    raise no_place(write, self._tenant, "NetSuite")
