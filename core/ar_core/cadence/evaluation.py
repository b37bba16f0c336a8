"""The result of one run: the head is there at once, the long lists are written out when somebody reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import (
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    computed_field,
    model_serializer,
    model_validator,
)

from ar_core.cadence.book import Book
from ar_core.cadence.codes import Code
from ar_core.cadence.collector import collector_at_rest
from ar_core.cadence.decisions import Decisions
from ar_core.cadence.records import (
    Action,
    ActionKind,
    ActivePause,
    CoveredInvoice,
    CurrencyTotal,
    Disposition,
    DispositionKind,
    EvaluationProblem,
    Precondition,
    Segment,
    Signal,
    WorklistItem,
)
from ar_core.cadence.results import AccountResult
from ar_core.cadence.run import Run
from ar_core.commands import Command, command_adapter
from ar_core.model.base import Frozen, UtcDatetime
from ar_core.promises import PromiseVerdict

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

_LIST = Literal["actions", "worklist", "dispositions", "pauses", "promises", "segments", "signals"]
_LISTS: tuple[_LIST, ...] = (
    "actions",
    "worklist",
    "dispositions",
    "pauses",
    "promises",
    "segments",
    "signals",
)
"""What waits until somebody reads it: most hosts read few of these, and not of every account."""


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

    _decisions: Decisions | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, decisions: Decisions, notes: tuple[Code, ...] = ()) -> Evaluation:
        """The evaluation that a run's decisions make; its lists are written out when they are read."""
        run = decisions.run
        evaluation = cls.trusted(
            policy=run.policy.ref,
            policy_hash=run.policy_hash,
            as_of=run.instant,
            zone=run.as_of.zone,
            today=run.today,
            next_change_at=decisions.next_change_at,
            errors=decisions.errors,
            notes=notes,
        )
        for name in _LISTS:
            del evaluation.__dict__[name]
        object.__setattr__(evaluation, "__pydantic_private__", {"_decisions": decisions})
        return evaluation

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own recipe
    @cached_property
    def writebacks(self) -> tuple[Command, ...]:
        """Commands this evaluation proposes for the ERP (R33); built on first use."""
        return () if self._decisions is None else self._decisions.commands()

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
            if name in _LISTS:
                self._write_out(name)
                return self.__dict__[name]
            return super().__getattr__(name)

    def _write_out(self, *names: _LIST) -> None:
        """Fill in what waits until somebody reads it; everything when no name is given."""
        with collector_at_rest():
            for name in names or _LISTS:
                if name not in self.__dict__:
                    self.__dict__[name] = getattr(self.decisions, name)()

    @model_validator(mode="wrap")
    @classmethod
    def _read_back(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Take in what `model_dump` wrote: the commands as they stand there, the fingerprint found anew."""
        if not isinstance(data, Mapping):
            return handler(data)
        rest = {name: value for name, value in data.items() if name not in {"writebacks", "fingerprint"}}
        evaluation = handler(rest)
        if "writebacks" in data:
            read = command_adapter().validate_python
            evaluation.__dict__["writebacks"] = tuple(read(command) for command in data["writebacks"])
        return evaluation

    @model_serializer(mode="wrap")
    def _complete(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        self._write_out()
        # Bytes follow the order of the values: that of the fields, whatever was read first.
        values = self.__dict__
        for name in type(self).model_fields:
            values[name] = values.pop(name)
        found: dict[str, Any] = handler(self)
        return found

    def __eq__(self, other: object) -> bool:
        """They say the same; what they were made of is left aside."""
        if not isinstance(other, Evaluation):
            return NotImplemented
        self._write_out()
        other._write_out()
        return all(self.__dict__[name] == other.__dict__[name] for name in Evaluation.model_fields)

    __hash__ = Frozen.__hash__

    def __getstate__(self) -> dict[Any, Any]:
        self._write_out()
        return super().__getstate__()

    @property
    def decisions(self) -> Decisions:
        """What it was made of. Raises ValueError for an evaluation that was read back from a file."""
        if self._decisions is None:
            raise ValueError(
                "this evaluation was read from a file: evaluate the snapshot again to go on from it"
            )
        return self._decisions

    def parts(self) -> tuple[Mapping[str, AccountResult], Run, Book]:
        """The accounts it was made of. Raises ValueError for an evaluation that was read back from a file."""
        decisions = self.decisions
        return decisions.results, decisions.run, decisions.book

    def for_customer(self, customer_id: str) -> tuple[Action, ...]:
        """The actions of one account."""
        return tuple(action for action in self.actions if action.customer_id == customer_id)
