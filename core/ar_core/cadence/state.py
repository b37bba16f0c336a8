"""One account while it is being decided. What is decided stays in here, small: results, actions and traces are read from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ar_core.cadence.book import AccountFacts
from ar_core.cadence.codes import Code
from ar_core.cadence.history import NO_HISTORY, UNREACHED, History, StepsDone
from ar_core.cadence.holds import Hold, InvoiceHolds
from ar_core.cadence.outcomes import Outcome
from ar_core.cadence.plan import Plan, PlanStep
from ar_core.cadence.policy import RiskRule, Rung
from ar_core.cadence.records import Action, ActionKind, DispositionKind
from ar_core.cadence.run import Run, Slot, action_key
from ar_core.cadence.steps import Choice
from ar_core.cadence.view import AccountView, InvoiceView, StageValue
from ar_core.model.documents import Invoice
from ar_core.promises import PromiseVerdict

__all__ = [
    "NO_HOLDS",
    "ActionHead",
    "Draft",
    "Item",
    "Note",
    "Settled",
    "State",
    "Template",
    "lead_key",
    "stage_name",
]

NO_HOLDS = InvoiceHolds()
"""Of an account that nothing stops. Never changed."""
NEVER = 1 << 30
"""A number of days that never pass."""


class Template:
    """What a plan says to every invoice of some age with some steps done, when nothing else counts."""

    __slots__ = ("boundary_in", "choice", "outcome", "rides", "stage", "stage_name", "step")

    def __init__(
        self, stage: StageValue | None, choice: Choice, outcome: Outcome | None, boundary_in: int
    ) -> None:
        self.stage = stage
        self.stage_name = None if stage is None else str.__str__(stage)
        self.choice = choice
        self.step = choice.step
        self.outcome = outcome
        """The answer while no step is due."""
        self.boundary_in = boundary_in
        """Days until the plan may say something else; `NEVER` when it will not."""
        self.rides: dict[int, Outcome | None] = {}
        """By the place of a leading step: how such an invoice rides along in its message, or None."""


class Item:
    """One open invoice that is chased, on its way to an answer."""

    __slots__ = (
        "choice",
        "dates",
        "done",
        "dpd",
        "due",
        "hold",
        "invoice",
        "key",
        "outcome",
        "stage",
        "step",
        "template",
    )

    def __init__(self, invoice: Invoice, due: date, dpd: int) -> None:
        self.invoice = invoice
        self.due = due
        self.dpd = dpd
        self.stage: StageValue | None = None
        self.hold: Hold | None = None
        self.done: tuple[str, ...] = ()
        """Steps that went out for it, in order."""
        self.dates: dict[str, StepsDone] | None = None
        """When, where that was asked."""
        self.choice: Choice | None = None
        self.template: Template | None = None
        """Where `choice` comes from, when it is the same for every invoice like this."""
        self.step: PlanStep | None = None
        """The step that is due for it."""
        self.outcome: Outcome | None = None
        self.key: str | None = None
        """The action it is part of."""


class Settled(NamedTuple):
    """An open invoice that never reaches the plan, and why."""

    invoice: Invoice
    outcome: Outcome


class Note(NamedTuple):
    """A decision about the whole account that nothing else keeps, for the trace."""

    rule: str
    result: str
    code: Code | None
    inputs: dict[str, Any]


class ActionHead:
    """What ranks a decided action and tells it from others."""

    __slots__ = ("address", "code", "key", "kind", "step", "task")

    def __init__(
        self,
        key: str,
        kind: ActionKind,
        code: Code,
        *,
        step: str | None = None,
        task: str | None = None,
        address: str | None = None,
    ) -> None:
        self.key, self.kind, self.code = key, kind, code
        self.step, self.task, self.address = step, task, address


class Draft(ActionHead, ABC):
    """One decided action: its head now, the full record when somebody reads it."""

    __slots__ = ()

    @abstractmethod
    def write(self, state: State) -> Action:
        """The full action, without the account's score."""


class State:
    """One account, decided step by step by `account.decide`."""

    __slots__ = (
        "actions",
        "days",
        "due",
        "facts",
        "history",
        "holds",
        "human_reason",
        "items",
        "negative",
        "notes",
        "plan",
        "plan_reason",
        "risk_rule",
        "run",
        "rung",
        "segment_codes",
        "settled",
        "slot",
        "soonest",
        "stop",
        "verdicts",
        "view",
        "worst",
    )

    view: AccountView
    plan: Plan
    slot: Slot

    def __init__(self, facts: AccountFacts, run: Run) -> None:
        self.facts = facts
        self.run = run
        self.items: list[Item] = []
        self.settled: list[Settled] = []
        self.negative: list[Invoice] = []
        self.history: History = NO_HISTORY
        self.verdicts: list[PromiseVerdict] = []
        self.holds: InvoiceHolds = NO_HOLDS
        self.stop: Hold | None = None
        """A stop on the whole account."""
        self.actions: dict[str, Draft] = {}
        """By key, in the order in which they were decided."""
        self.due: list[Item] = []
        """Items that have a step due."""
        self.worst: Item | None = None
        """The oldest item."""
        self.days: list[date] = []
        """Local days on which the result may change."""
        self.soonest = NEVER
        """Days until the plan may say something else to some item."""
        self.rung = Rung.AUTOMATED
        self.risk_rule: RiskRule | None = None
        self.segment_codes: tuple[Code, ...] = ()
        self.plan_reason: str | None = None
        """Why only people may contact this account, whatever was said."""
        self.human_reason: str | None = None
        self.notes: list[Note] = []

    def add(self, draft: Draft) -> None:
        """Decide an action. Two reasons for one task give one action."""
        self.actions.setdefault(draft.key, draft)

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
        return InvoiceView(self.view, item.invoice, item.dpd, item.stage)

    def steps_done(self, item: Item) -> dict[str, StepsDone]:
        """When the steps of an invoice went out."""
        if item.dates is None:
            item.dates = self.history.steps_done(item.invoice) if item.done else {}
        return item.dates

    def chaseable(self, item: Item) -> Decimal:
        """The balance of an invoice less what is disputed or promised in part (E31, E33)."""
        reduced = self.holds.reduced
        balance = item.invoice.balance_due
        return balance - reduced[item.invoice.id] if item.invoice.id in reduced else balance

    def outcome(
        self,
        item: Item,
        kind: DispositionKind,
        code: Code,
        until: date | None = None,
        step: str | None = None,
        codes: tuple[Code, ...] = (),
    ) -> Outcome:
        """An answer for an item in its stage."""
        run = self.run
        until_in = None if until is None else until.toordinal() - run.today_number
        return run.outcomes.get(kind, code, until_in, stage_name(item), step, codes)

    def key(self, what: str, subject: str, version: int = 0, occurrence: int = 0) -> str:
        """A stable action key (E28)."""
        return action_key(self.run.family, self.facts.id, what, subject, version, occurrence)

    def logged(self, key: str) -> bool:
        """An action with this key is on record and was not a failure."""
        touch = self.history.keys.get(key)
        return touch is not None and touch.outcome not in UNREACHED


def lead_key(state: State, item: Item, step: PlanStep) -> str:
    """The key of the action in which this invoice leads with this step."""
    invoice = item.invoice
    return state.key(step.id, invoice.id, invoice.due_version, state.history.attempts(invoice, step.id))


def stage_name(item: Item) -> str | None:
    """The stage as plain text, as outputs hold it."""
    template = item.template
    if template is not None:
        return template.stage_name
    return None if item.stage is None else str.__str__(item.stage)
