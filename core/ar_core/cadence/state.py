"""One account while it is being decided, and what comes out of it: items, state, result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.cadence.drafts import Draft
from ar_core.cadence.evaluation import (
    Action,
    ActionKind,
    ActivePause,
    Disposition,
    DispositionKind,
    EvaluationProblem,
    Segment,
    Signal,
)
from ar_core.cadence.history import NO_HISTORY, History, StepsDone
from ar_core.cadence.holds import Hold, InvoiceHolds
from ar_core.cadence.plan import Plan, PlanStep
from ar_core.cadence.policy import Rung
from ar_core.cadence.run import Slot, action_key
from ar_core.cadence.steps import Choice
from ar_core.cadence.view import AccountView, InvoiceView, StageValue
from ar_core.model.activity import TouchOutcome
from ar_core.model.base import adopter
from ar_core.model.documents import Invoice
from ar_core.promises import PromiseVerdict

if TYPE_CHECKING:
    from ar_core.cadence.book import AccountFacts
    from ar_core.cadence.run import Run

__all__ = ["AccountResult", "Item", "Standing", "State", "dispose", "lead_key", "stage_name"]

_adopt = adopter(Disposition)
_UNREACHED = frozenset({TouchOutcome.FAILED, TouchOutcome.BOUNCED})
_NO_HOLDS = InvoiceHolds()


def dispose(  # noqa: PLR0917
    invoice: Invoice,
    kind: DispositionKind,
    code: Code,
    until: date | None = None,
    stage: str | None = None,
    step: str | None = None,
    action_key: str | None = None,
    codes: tuple[Code, ...] = (),
) -> Disposition:
    """One disposition, built without validating what is already typed."""
    return _adopt(
        {
            "invoice_id": invoice.id,
            "customer_id": invoice.customer_id,
            "kind": kind,
            "code": code,
            "until": until,
            "stage": stage,
            "step": step,
            "action_key": action_key,
            "codes": codes,
        }
    )


class Standing(NamedTuple):
    """Where an account with something overdue stands: what a status line in the ERP says."""

    stage: str | None
    since: date
    """The day its oldest invoice entered the stage."""
    rung: str
    pause: str | None
    step: str | None
    step_on: date | None


class AccountResult:
    """What one account's evaluation gave. Independent of every other account; picklable."""

    __slots__ = (
        "_actions",
        "account_id",
        "balance_base",
        "changes_at",
        "dispositions",
        "drafts",
        "error",
        "max_dpd",
        "pauses",
        "promises",
        "score",
        "segment",
        "signals",
        "status",
    )

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.drafts: tuple[Draft, ...] = ()
        self._actions: tuple[Action, ...] | None = None
        self.dispositions: tuple[Disposition, ...] = ()
        self.pauses: tuple[ActivePause, ...] = ()
        self.promises: tuple[PromiseVerdict, ...] = ()
        self.signals: tuple[Signal, ...] = ()
        self.segment: Segment | None = None
        self.changes_at: datetime | None = None
        """Earliest instant at which this result may change without new facts."""
        self.score = 0
        self.balance_base: Decimal | None = None
        self.max_dpd: int | None = None
        self.status: Standing | None = None
        """What a status line in the ERP would say; None: nothing overdue."""
        self.error: EvaluationProblem | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The account's actions, written out on first use."""
        if self._actions is None:
            self._actions = tuple(draft.action(self.score) for draft in self.drafts)
        return self._actions

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        """What is sent to another process: the actions, not what they were made from."""
        state = {name: getattr(self, name) for name in self.__slots__}
        return None, {**state, "_actions": self.actions, "drafts": tuple(map(Draft.bare, self.drafts))}


class Item:
    """One open invoice that is chased, on its way to a disposition."""

    __slots__ = ("choice", "done", "dpd", "due", "facts", "hold", "invoice", "outcome", "stage", "step")

    def __init__(self, invoice: Invoice, due: date, dpd: int) -> None:
        self.invoice = invoice
        self.due = due
        self.dpd = dpd
        self.stage: StageValue | None = None
        self.hold: Hold | None = None
        self.choice: Choice | None = None
        self.step: PlanStep | None = None
        """The step that is due for it."""
        self.done: dict[str, StepsDone] | None = None
        self.facts: InvoiceView | None = None
        self.outcome: Disposition | None = None


class State:
    """One account while it is being evaluated."""

    def __init__(self, facts: AccountFacts, run: Run, trace: list[tuple[object, ...]] | None) -> None:
        self.facts = facts
        self.run = run
        self.trace = trace
        self.items: list[Item] = []
        self.settled: list[Disposition] = []
        """Dispositions of invoices that never reach the plan."""
        self.history: History = NO_HISTORY
        self.verdicts: list[PromiseVerdict] = []
        self.holds: InvoiceHolds = _NO_HOLDS
        self.actions: list[Draft] = []
        self.due: list[Item] = []
        """Items that have a step due."""
        self.worst: Item | None = None
        """The oldest item."""
        self.days: list[date] = []
        """Local days on which the result may change."""
        self.rung = Rung.AUTOMATED
        self.human_reason: str | None = None
        self.escalation: tuple[object, ...] | None = None
        self.view: AccountView
        self.plan: Plan
        self.slot: Slot
        self.segment: Segment

    def add(
        self,
        key: str,
        kind: ActionKind,
        code: Code,
        write: Callable[[], Action],
        *,
        step: str | None = None,
        task: str | None = None,
        address: str | None = None,
    ) -> None:
        """Decide an action; `write` makes the full record when it is read. Two reasons for one task give one action."""
        if any(draft.key == key for draft in self.actions):
            return
        self.actions.append(Draft(key, kind, code, write, step=step, task=task, address=address))

    def note(self, rule: str, result: str, code: Code | None = None, **inputs: object) -> None:
        """Add to the trace, when there is one."""
        if self.trace is not None:
            self.trace.append((rule, result, code, inputs))

    @property
    def human_only(self) -> bool:
        """Only a person may contact this account."""
        return self.human_reason is not None

    @property
    def country(self) -> str | None:
        """The account's country."""
        return self.facts.customer.country if self.facts.customer else None

    def invoice_view(self, item: Item) -> InvoiceView:
        """The features of one invoice."""
        if item.facts is None:
            item.facts = InvoiceView(self.view, item.invoice, item.dpd, item.stage)
        return item.facts

    def key(self, what: str, subject: str, version: int = 0, occurrence: int = 0) -> str:
        """A stable action key (E28)."""
        return action_key(self.run.family, self.facts.id, what, subject, version, occurrence)

    def logged(self, key: str) -> bool:
        """An action with this key is on record and was not a failure."""
        touch = self.history.keys.get(key)
        return touch is not None and touch.outcome not in _UNREACHED


def lead_key(state: State, item: Item, step: PlanStep) -> str:
    """The key of the action in which this invoice leads with this step."""
    invoice = item.invoice
    tries = state.history.attempts.get((invoice.id, invoice.due_version, step.id), 0)
    return state.key(step.id, invoice.id, invoice.due_version, tries)


def stage_name(item: Item) -> str | None:
    """The stage as plain text, as outputs hold it."""
    return str.__str__(item.stage) if item.stage is not None else None
