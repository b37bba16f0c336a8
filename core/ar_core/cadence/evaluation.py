"""What does an evaluation say? Actions, a worklist, one disposition per open invoice, and the reasons, as frozen records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr, SerializerFunctionWrapHandler, computed_field, model_serializer

from ar_core.cadence.codes import Code
from ar_core.cadence.policy import Actor, Clause, Purpose, Rung, Tone
from ar_core.commands import Command, RecordTouch
from ar_core.model.activity import Coverage, Direction, TouchOutcome
from ar_core.model.base import Amount, Currency, Frozen, UtcDatetime
from ar_core.model.documents import DocumentStatus
from ar_core.model.parties import Channel, ContactRole
from ar_core.promises import PromiseVerdict

if TYPE_CHECKING:
    from ar_core.cadence.book import Book
    from ar_core.cadence.run import Run
    from ar_core.cadence.state import AccountResult

__all__ = [
    "Action",
    "ActionKind",
    "ActivePause",
    "CoveredInvoice",
    "CurrencyTotal",
    "Disposition",
    "DispositionKind",
    "Evaluation",
    "EvaluationProblem",
    "Precondition",
    "Segment",
    "Signal",
    "WorklistItem",
]


_WRITTEN_OUT_LATER = ("actions", "worklist")


class ActionKind(StrEnum):
    """What an action asks for."""

    TOUCH = "touch"
    """Contact the customer."""
    INTERNAL = "internal"
    """A notice or a task for our own people; no contact, no cap."""
    DECISION = "decision"
    """A person has to choose one of `options`."""


class DispositionKind(StrEnum):
    """What becomes of an open invoice in this run."""

    ACTION = "action"
    WAIT = "wait"
    PAUSED = "paused"
    EXCLUDED = "excluded"


class Disposition(Frozen):
    """The one answer for one open invoice (R40)."""

    invoice_id: str
    customer_id: str | None
    kind: DispositionKind
    code: Code
    until: date | None = None
    """First local day on which this may change by itself; None: today, or not by time alone."""
    stage: str | None = None
    step: str | None = None
    """The step that is due, or the one that is waited for."""
    action_key: str | None = None
    """The action it is part of; set for an invoice that is only listed, too."""
    codes: tuple[Code, ...] = ()
    """Further reasons."""


class CoveredInvoice(Frozen):
    """One invoice in a message, with its own stage (E19) and the identifiers the message must name (R15)."""

    invoice_id: str
    number: str | None
    step: str | None
    """The step it is covered for; None: listed only (E20)."""
    stage: str | None
    days_past_due: int
    due_date: date | None
    due_version: int
    balance_due: Amount
    amount_to_chase: Amount
    """The balance less what is disputed or promised."""
    currency: Currency | None
    presence_only: bool = False


class CurrencyTotal(Frozen):
    """One currency section of a message; currencies are never added up (E17)."""

    currency: Currency | None
    to_chase: Amount
    unapplied: Amount
    """Money and credit on account in this currency (E13, E14)."""


class Precondition(Frozen):
    """What must still be true when the message goes out; check it again just before sending (E11)."""

    invoice_id: str
    balance_due: Amount
    document_status: DocumentStatus
    due_version: int
    source_version: str | None


class Action(Frozen):
    """One thing to do, for one account. Its key is the same in every run until it is on record (E28)."""

    key: str
    kind: ActionKind
    code: Code
    customer_id: str
    """The account that receives it."""
    subsidiary_id: str | None = None
    step: str | None = None
    task: str | None = None
    """For an internal action: what to do."""
    purpose: Purpose | None = None
    stage: str | None = None
    rung: Rung = Rung.AUTOMATED
    channel: Channel = Channel.INTERNAL
    fallbacks: tuple[Channel, ...] = ()
    actor: Actor = Actor.HUMAN
    audience: ContactRole | None = None
    contact_id: str | None = None
    address: str | None = None
    sender_role: str | None = None
    sender: str | None = None
    """The person who fills the role for this customer (R17)."""
    notify: tuple[str, ...] = ()
    """For an internal action: the roles that get it."""
    tone: Tone | None = None
    lead_invoice_id: str | None = None
    covers: tuple[CoveredInvoice, ...] = ()
    totals: tuple[CurrencyTotal, ...] = ()
    not_before: UtcDatetime | None = None
    not_after: UtcDatetime | None = None
    content_requirements: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    """Consequences the message may mention."""
    options: tuple[str, ...] = ()
    preconditions: tuple[Precondition, ...] = ()
    occurrence: int = 0
    superseded: tuple[str, ...] = ()
    """Steps skipped in favor of this one (E24)."""
    score: int = 0
    """Priority in basis points (0 to 10,000 for `blend`)."""
    reasons: tuple[Code, ...] = ()
    origin: str | None = None
    """Where the rule behind it comes from."""

    def record(self, at: datetime, outcome: TouchOutcome = TouchOutcome.SENT, **changes: Any) -> RecordTouch:
        """The command that puts this action on record, so that it never fires again. `at`: when it took place, aware."""
        internal = self.kind is not ActionKind.TOUCH
        fields: dict[str, Any] = {
            "key": self.key,
            "customer_id": self.customer_id,
            "contact_id": self.contact_id,
            "channel": self.channel,
            "direction": Direction.INTERNAL if internal else Direction.OUTBOUND,
            "at": at,
            "step": self.step or self.task,
            "covers": tuple(
                Coverage(
                    invoice_id=c.invoice_id,
                    step=c.step,
                    due_version=c.due_version,
                    presence_only=c.presence_only,
                )
                for c in self.covers
            ),
            "outcome": outcome,
            "actor": self.actor.value,
        }
        return RecordTouch(**{**fields, **changes})


class WorklistItem(Frozen):
    """One line of the list everybody sees in the same order (R67)."""

    rank: int
    """1 is first."""
    action_key: str
    customer_id: str
    score: int
    balance_base: Amount | None
    max_dpd: int | None


class ActivePause(Frozen):
    """What stops an account (invoice_id None) or an invoice."""

    customer_id: str
    invoice_id: str | None
    code: Code
    until: date | None
    """First day on which it no longer holds by itself."""
    record_id: str | None = None
    """The dispute, promise, pause or touch behind it."""


class Segment(Frozen):
    """Where an account stands on the two axes (C10)."""

    customer_id: str
    value_tier: str
    risk_tier: str | None
    lifetime_value: Amount | None = None
    rung: Rung = Rung.AUTOMATED
    codes: tuple[Code, ...] = ()


class Signal(Frozen):
    """Something about a customer that people other than collectors should know (R25)."""

    customer_id: str
    code: Code
    on: date | None
    record_id: str | None = None
    detail: str | None = None


class EvaluationProblem(Frozen):
    """An account that could not be evaluated; its invoices are paused and nothing is lost (E50)."""

    customer_id: str | None
    kind: str
    message: str


class Evaluation(Frozen):
    """The result of one run. The same facts, policy, tiers and moment give the same bytes (E1)."""

    policy: str
    """id@version."""
    policy_hash: str
    as_of: UtcDatetime
    zone: str
    today: date
    actions: tuple[Action, ...]
    """By account, then as they apply: the message first, then tasks and notices."""
    worklist: tuple[WorklistItem, ...]
    dispositions: tuple[Disposition, ...]
    """One per open invoice, sorted by invoice id."""
    pauses: tuple[ActivePause, ...]
    promises: tuple[PromiseVerdict, ...]
    segments: tuple[Segment, ...]
    signals: tuple[Signal, ...]
    next_change_at: UtcDatetime | None
    """Earliest instant at which any decision can change without new facts."""
    errors: tuple[EvaluationProblem, ...] = ()
    notes: tuple[Code, ...] = ()

    _results: Mapping[str, AccountResult] | None = PrivateAttr(default=None)
    _run: Run | None = PrivateAttr(default=None)
    _book: Book | None = PrivateAttr(default=None)
    _dropped: frozenset[str] = PrivateAttr(default=frozenset())

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own recipe
    @cached_property
    def writebacks(self) -> tuple[Command, ...]:
        """Commands this evaluation proposes for the ERP (R33); built on first use."""
        if self._results is None or self._run is None:
            return ()
        from ar_core.cadence.writebacks import commands_of

        return commands_of(self._results, self._run)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own recipe
    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything else in it: equal exactly when two evaluations say the same."""
        return hashlib.sha256(self.model_dump_json(exclude={"fingerprint"}).encode()).hexdigest()

    @cached_property
    def by_invoice(self) -> dict[str, Disposition]:
        """The dispositions by invoice id."""
        return {disposition.invoice_id: disposition for disposition in self.dispositions}

    @cached_property
    def by_key(self) -> dict[str, Action]:
        """The actions by key."""
        return {action.key: action for action in self.actions}

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _WRITTEN_OUT_LATER:
                self._write_out(name)
                return self.__dict__[name]
            return super().__getattr__(name)

    def _write_out(self, *names: str) -> None:
        """Fill in what waits until somebody reads it; everything when no name is given."""
        from ar_core.cadence.evaluate import actions_of, worklist_of

        for name in names or _WRITTEN_OUT_LATER:
            if name in self.__dict__:
                continue
            results, run, _ = self.parts()
            if name == "actions":
                self.__dict__[name] = actions_of(results, run, self._dropped)
            else:
                self.__dict__[name] = worklist_of(results, self._dropped)

    @model_serializer(mode="wrap")
    def _complete(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        self._write_out()
        found: dict[str, Any] = handler(self)
        return found

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Evaluation):
            self._write_out()
            other._write_out()
        return super().__eq__(other)

    __hash__ = Frozen.__hash__

    def __getstate__(self) -> dict[Any, Any]:
        self._write_out()
        return super().__getstate__()

    def bound(
        self,
        results: Mapping[str, AccountResult],
        run: Run,
        book: Book,
        dropped: frozenset[str] = frozenset(),
    ) -> Evaluation:
        """This evaluation with the accounts it was made of: actions and worklist are written out when they are read.

        `dropped`: keys of actions that a cap over all accounts took away (E47).
        """
        private = {"_results": results, "_run": run, "_book": book, "_dropped": dropped}
        object.__setattr__(self, "__pydantic_private__", private)
        for name in _WRITTEN_OUT_LATER:
            self.__dict__.pop(name, None)
        return self

    def parts(self) -> tuple[Mapping[str, AccountResult], Run, Book]:
        """The accounts it was made of. Raises ValueError for an evaluation that was read back from a file."""
        if self._results is None or self._run is None or self._book is None:
            raise ValueError(
                "this evaluation was read from a file: evaluate the snapshot again to go on from it"
            )
        return self._results, self._run, self._book

    def full_book(self) -> Book:
        """All accounts of the snapshot; an incremental run indexed only a part of it, the rest is indexed on first use."""
        _, run, book = self.parts()
        if book.is_partial:
            from ar_core.cadence.book import Book as Index

            book = Index(book.snapshot, run.policy.grouping.collect_at)
            object.__setattr__(
                self, "__pydantic_private__", {**(self.__pydantic_private__ or {}), "_book": book}
            )
        return book

    def for_customer(self, customer_id: str) -> tuple[Action, ...]:
        """The actions of one account."""
        return tuple(action for action in self.actions if action.customer_id == customer_id)
