"""What is an adapter? The Connector protocol, and the values that pass between an adapter, the engines and the store.

An adapter knows one ERP: what to ask, how to read the answers, where to write. It knows nothing of leases,
transactions or threads. The sync engine and the outbox know those, and no ERP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from ar_core.commands import Command
from ar_core.model import (
    Adjustment,
    Allocation,
    Contact,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Organization,
    Payment,
    Promise,
    RecordKind,
    Tombstone,
    record_id,
)

__all__ = [
    "Answer",
    "Capabilities",
    "Capability",
    "ChecksItself",
    "Connector",
    "Cursor",
    "Fact",
    "Fetch",
    "OutOfScope",
    "Page",
    "PendingWrite",
    "Placement",
    "PlacesTogether",
    "Record",
    "Rejected",
    "ReportedBalance",
    "StoreView",
    "StreamSpec",
    "Support",
    "make_connection_id",
]

Record = (
    Organization
    | Customer
    | Contact
    | Invoice
    | CreditNote
    | Payment
    | Adjustment
    | Allocation
    | Promise
    | Dispute
)
"""What a platform can give us. Touches, pauses and profiles are ours and never come from a page."""


def make_connection_id(platform: str, tenant: str) -> str:
    """The id of a connection, `platform:tenant`, escaped like the record ids that start with it."""
    return record_id(platform, tenant, RecordKind.ORGANIZATION, "x").rsplit(":", 2)[0]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a stream has been read. Opaque to everyone but the adapter; saved in the transaction of its page."""

    stream: str
    state: Mapping[str, Any]
    """JSON values only."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be mapped: it goes to quarantine with its bytes and the reason, and can be replayed."""

    kind: str
    """The platform's own kind."""
    remote_id: str | None
    code: str
    """A stable word for the reason: `missing_field`, `bad_number`, `bad_date`, `bad_text`, `not_an_object`, ..."""
    reason: str
    """What was wrong, where, for a person."""
    raw: bytes
    row: int = 0


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """A row that is well understood and not accounts receivable (a supplier bill, a tax agency)."""

    kind: str
    remote_id: str | None
    reason: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of an ERP, decoded. Every row of the body is in exactly one of records, tombstones, rejected, out_of_scope;
    allocations and contacts of a row come as further records with the same row number."""

    records: Sequence[Record] = ()
    tombstones: Sequence[Tombstone] = ()
    rejected: Sequence[Rejected] = ()
    out_of_scope: Sequence[OutOfScope] = ()
    stream: str = ""
    kind: str = ""
    """The platform's own kind of the rows; empty when mixed (a change feed)."""
    rows: int = 0
    row_of: Sequence[int] = ()
    """`records[i]` was read from row `row_of[i]` of the body; empty when raw bodies are not kept."""
    replaces: Sequence[str] = ()
    """Parents whose whole set of children is in this page: what the store has beyond it becomes a tombstone. Children are
    allocations (of what they were read from), contacts (of their customer), native promises and disputes (of their invoice)."""
    raw: bytes | None = None
    cursor: Cursor | None = None
    """Saved together with the records; None leaves the stored cursor alone."""
    server_time: datetime | None = None
    """The platform's clock when it answered, UTC."""
    mapper_version: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that has come and is not decoded yet: whoever asked decides where that is done, in this process or in another."""

    body: bytes
    decode: Callable[[bytes], tuple[Page, Any]]
    """Pure. A function of a module, or a `functools.partial` of one, whose arguments can be pickled; besides the page it returns
    what `finish` has to know, likewise."""
    finish: Callable[[Page, Any], Page]
    """What only the process knows that asked (a cursor, a look at the store). Replacing `records` costs what decoding elsewhere saved."""

    def page(self) -> Page:
        """The finished page, decoded here."""
        return self.finish(*self.decode(self.body))


@dataclass(frozen=True, slots=True)
class Fetch:
    """One thing to ask. Safe to ask in any thread, and to ask again."""

    label: str
    ask: Callable[[], Page | Answer]
    """Makes the call(s). What is much and read by one pure function comes back as an `Answer`."""
    rows: int | None = None
    """How many rows it will bring, where that is known before."""

    def run(self) -> Page:
        """Ask, and decode here."""
        found = self.ask()
        return found.page() if isinstance(found, Answer) else found


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A sequence of pages with a cursor of its own, read under one lease."""

    name: str
    kinds: tuple[RecordKind, ...]
    after: tuple[str, ...] = ()
    """Streams that must have finished (in this run or an earlier one) before this one starts."""


class StoreView(Protocol):
    """What an adapter may look up while it reads or writes; read-only, always one connection."""

    def cursor(self, stream: str) -> Cursor | None:
        """The stored cursor of a stream."""
        ...

    def record(self, record_id: str) -> Any | None:
        """A live record by id, or None."""
        ...

    def records(self, record_ids: Iterable[str]) -> dict[str, Any]:
        """Live records by id; missing ones are left out."""
        ...

    def live_ids(
        self, kind: RecordKind, *, born_here: bool = False, mentioning: str | None = None
    ) -> Iterator[str]:
        """Ids of all live records of a kind that came from the platform, ascending; with `born_here` also of those that it has not
        shown us yet. `mentioning`: a text (ASCII without quotes); those in which it stands nowhere may be left out, unread."""
        ...

    def allocations_of(self, parent_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that were read from these parents."""
        ...

    def allocations_on(self, document_ids: Iterable[str]) -> Sequence[Allocation]:
        """Live allocations that settle one of these documents or use one up, whatever they were read from. Looks through all
        allocations of the connection: for rare occasions."""
        ...

    def placements(self, subject_id: str, command_type: str | None = None) -> Sequence[Placement]:
        """Where earlier commands on this subject (invoice, customer, promise, dispute) landed, oldest first."""
        ...


class Fact(StrEnum):
    """A thing that can be shown in an ERP."""

    PROMISE_DATE = "promise_date"
    PROMISE_AMOUNT = "promise_amount"
    DISPUTE = "dispute"
    COLLECTIONS_STATUS = "collections_status"
    ORDER_HOLD = "order_hold"
    NOTE = "note"


class Support(StrEnum):
    """How well a platform can hold a fact."""

    NATIVE = "native"
    """In a field that the ERP itself understands."""
    NOTE = "note"
    """As text that the ERP's users read."""
    ADVISORY = "advisory"
    """Shown, but the ERP does not act on it."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Capability:
    """How one fact is placed: the first choice and what is done where that fails."""

    support: Support
    first: str
    fallback: str | None = None
    source: str = ""
    """Where this is documented: an anchor in the adapter's quirks.md."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do, as data; `ar-connectors capabilities` prints it and tests prove each cell."""

    platform: str
    reads: Mapping[str, str]
    """What is read (invoices, deletions, ...) -> how."""
    facts: Mapping[Fact, Capability]
    commands: Mapping[str, Support]
    """Command type -> how well it is placed. `none`: kept with us only."""
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A command on its way to an ERP."""

    command: Command
    idempotency_key: str
    """Minted once, stored before the first byte was sent."""
    attempt: int
    first_sent_at: datetime | None = None
    """When the first byte may have gone out; None on the first attempt."""
    record_id: str | None = None
    """The local record the command gave birth to (a promise, a dispute)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one fact really landed."""

    fact: Fact
    target: str
    """For people: `Attachable note on Invoice 129`."""
    remote_kind: str
    remote_id: str
    version: str | None = None
    """The version our write produced; the same version coming back in a sync is an echo of ours."""
    degraded: bool = False
    """It landed in a fallback place."""
    reason: str | None = None
    """Why it was degraded."""
    previous: str | None = None
    """What stood there before, as JSON, where it must be put back later."""
    subject_ids: tuple[str, ...] = ()
    """The records it is about."""


@dataclass(frozen=True, slots=True)
class ReportedBalance:
    """The ERP's own figure of what a customer owes, for reconciliation."""

    customer_id: str | None
    """None: one figure for all customers."""
    currency: str | None
    amount: Decimal
    basis: str
    """What the figure is: `AgedReceivables report, open balance`."""


@runtime_checkable
class ChecksItself(Protocol):
    """A connector that can tell what a person should mend before it is used: a right, a field."""

    def problems(self) -> Sequence[str]:
        """A sentence for each; a few small calls, nothing is changed."""
        ...


@runtime_checkable
class PlacesTogether(Protocol):
    """A connector that needs fewer calls for some commands when they are sent together than for each alone.

    Both methods do at once what can be done for all, and give what does the rest for each, in the order of `writes`. What fails for
    all is raised at once and stands for each of them; what fails for one is raised by its rest alone.
    """

    def together(self, write: PendingWrite) -> bool:
        """Whether a command is one of those."""
        ...

    def place_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement]]]:
        """Like `Connector.place`, for several."""
        ...

    def find_together(
        self, writes: Sequence[PendingWrite], view: StoreView
    ) -> Sequence[Callable[[], Sequence[Placement] | None]]:
        """Like `Connector.find`, for several."""
        ...


class Connector(Protocol):
    """One ERP company. Made by `connect`; thread-safe."""

    @property
    def platform(self) -> str:
        """quickbooks, xero, netsuite, aging_file."""
        ...

    @property
    def tenant(self) -> str:
        """The company's id at the platform."""
        ...

    @property
    def id(self) -> str:
        """The connection id, `make_connection_id(platform, tenant)`."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this adapter can do."""
        ...

    def streams(self) -> Sequence[StreamSpec]:
        """All streams, in reading order."""
        ...

    def pull(self, stream: str, view: StoreView) -> Iterator[Sequence[Fetch]]:
        """What to ask next for a stream, as batches. The fetches of a batch may run in parallel; they are committed in
        order, and only then is the next batch asked for. Ends when the stream is up to date."""
        ...

    def list_ids(self, kind: RecordKind) -> Iterator[Sequence[str]]:
        """Ids of everything that exists at the platform, in chunks; for the sweep. Raises UnsupportedOperation for a kind that
        cannot be listed."""
        ...

    def read(self, kind: RecordKind, record_ids: Sequence[str]) -> Page:
        """Read records again by id. What the platform does not know comes back as tombstones (NOT_FOUND)."""
        ...

    def reported_balances(self) -> Sequence[ReportedBalance]:
        """The ERP's own open balances."""
        ...

    def remap(self, kind: str, raw: bytes) -> Page:
        """Map a stored or quarantined body again, with the current mapper."""
        ...

    def place(self, write: PendingWrite, view: StoreView) -> Sequence[Placement]:
        """Send a command. Raises WriteOutcomeUnknown when no answer came, UnsupportedOperation when it has no place."""
        ...

    def find(self, write: PendingWrite, view: StoreView) -> Sequence[Placement] | None:
        """Look whether an earlier attempt landed: its placements, or None when it is certain that nothing did."""
        ...
