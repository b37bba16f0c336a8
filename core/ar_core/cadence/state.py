"""One account while it is being decided. What is decided stays in here, small: results, actions and traces are read from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.cadence.facts import INVOICE, AccountFacts, OpenRow
from ar_core.cadence.history import NO_HISTORY, UNREACHED, History
from ar_core.cadence.holds import Hold, InvoiceHolds
from ar_core.cadence.items import Chased, Item, Template
from ar_core.cadence.outcomes import Outcome
from ar_core.cadence.plan import NEVER, Plan, PlanStep
from ar_core.cadence.policy import RiskRule, Rung
from ar_core.cadence.records import Action, ActionKind, DispositionKind
from ar_core.cadence.run import Run, Slot, action_key, sending_zone
from ar_core.cadence.view import AccountView, InvoiceView
from ar_core.model.activity import TouchOutcome
from ar_core.model.documents import Invoice
from ar_core.promises import PromiseVerdict

__all__ = [
    "NO_HOLDS",
    "ActionHead",
    "Chased",
    "Draft",
    "Item",
    "Note",
    "Settled",
    "State",
    "Template",
    "lead_key",
    "next_key",
]

_AUTOMATED: Final = Rung.AUTOMATED
_FAILED: Final = TouchOutcome.FAILED
NO_HOLDS: Final = InvoiceHolds()
"""Of an account that nothing stops. Never changed."""


class Settled(NamedTuple):
    """An open invoice that never reaches the plan, and why."""

    row: OpenRow
    outcome: Outcome

    @property
    def invoice(self) -> Invoice:
        """The record."""
        invoice: Invoice = self.row[INVOICE]
        return invoice


class Note:
    """A decision about the whole account that nothing else keeps, for the trace."""

    __slots__ = ("code", "inputs", "result", "rule")

    def __init__(self, rule: str, result: str, code: Code | None, inputs: dict[str, Any]) -> None:
        self.rule, self.result, self.code, self.inputs = rule, result, code, inputs


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
        "chased",
        "copy_waits",
        "days",
        "due",
        "elsewhere",
        "facts",
        "for_people",
        "history",
        "holds",
        "human_reason",
        "negative",
        "notes",
        "oldest",
        "other_slots",
        "plan",
        "risk_rule",
        "run",
        "rung",
        "segment_codes",
        "send_days",
        "settled",
        "slot",
        "soonest",
        "stop",
        "verdicts",
        "view",
        "worst",
    )

    chased: Chased
    """The open invoices that are chased."""
    view: AccountView
    plan: Plan
    slot: Slot

    def __init__(self, facts: AccountFacts, run: Run) -> None:
        self.facts = facts
        self.run = run
        self.settled: list[Settled] = []
        self.negative: list[Invoice] = []
        self.history: History = NO_HISTORY
        self.verdicts: list[PromiseVerdict] = []
        self.holds: InvoiceHolds = NO_HOLDS
        self.stop: Hold | None = None
        """A stop on the whole account."""
        self.actions: dict[str, Draft] = {}
        """By key, in the order in which they were decided."""
        self.due: list[int] = []
        """Places of items for which a contact is due."""
        self.for_people: list[int] = []
        """Places of items for which a decision or an internal step is due."""
        self.copy_waits = False
        """A copy that was asked for waits for its day."""
        self.worst: int | None = None
        """Place of the oldest item."""
        self.oldest = -NEVER
        """Its days past due."""
        self.days: list[date] = []
        """Local days on which the result may change."""
        self.send_days: list[date] = []
        """Days for messages on which it may: it does as soon as messages go out on them, which is at closing time before."""
        self.soonest = NEVER
        """Days until the plan may say something else to some item."""
        self.rung: Rung = _AUTOMATED
        self.risk_rule: RiskRule | None = None
        self.segment_codes: tuple[Code, ...] = ()
        self.human_reason: str | None = None
        """Why only people may contact this account."""
        self.notes: list[Note] = []
        self.elsewhere: str | None = None
        """The time zone of who is written to, where it is not the one the account was decided for."""
        self.other_slots: list[Slot] = []
        """Sending hours beside the account's own on which the result rests, too."""

    def add(self, draft: Draft) -> None:
        """Decide an action. Two reasons for one task give one action."""
        self.actions.setdefault(draft.key, draft)

    @property
    def items(self) -> list[Item]:
        """A window on every invoice that is chased."""
        return self.chased.items()

    def item(self, place: int) -> Item:
        """A window on one of them."""
        return Item(self.chased, place)

    @property
    def oldest_item(self) -> Item | None:
        """The oldest one."""
        return None if self.worst is None else Item(self.chased, self.worst)

    @property
    def human_only(self) -> bool:
        """Only a person may contact this account."""
        return self.human_reason is not None

    def slot_of(self, time_zone: str | None) -> Slot:
        """The sending hours of the contact that was chosen, by its time zone."""
        zone = sending_zone(self.run, self.facts.customer, time_zone)
        slot = self.run.slot(zone, self.facts.country)
        if slot is not self.slot:
            self.elsewhere = self.elsewhere or zone
            self.other_slots.append(slot)
        return slot

    def due_date(self, item: Item) -> date:
        """The day the cadence counts from."""
        return self.run.day(self.run.today_number - item.dpd)

    def invoice_view(self, item: Item) -> InvoiceView:
        """The features of one invoice in its stage."""
        return InvoiceView(self.view, item.invoice, item.dpd, item.template.stage)

    def steps_done(self, item: Item) -> dict[str, date]:
        """When the steps of an invoice went out."""
        dates = item.template.dates
        return self.history.steps_done(item.subject) if dates is None else dates

    def chaseable(self, item: Item) -> Decimal:
        """The balance of an invoice less what is disputed or promised in part (E31, E33)."""
        reduced = self.holds.reduced
        return item.balance - reduced[item.id] if reduced and item.id in reduced else item.balance

    def outcome(
        self,
        item: Item,
        kind: DispositionKind,
        code: Code,
        step: str | None = None,
        codes: tuple[Code, ...] = (),
        until: date | None = None,
    ) -> Outcome:
        """An answer for an item in its stage."""
        run = self.run
        return run.outcomes.get(kind, code, run.days_to(until), item.template.stage_name, step, codes)

    def key(self, what: str, subject: str, version: int = 0, occurrence: int = 0) -> str:
        """A stable action key (E28)."""
        return action_key(self.run.family, self.facts.id, what, subject, version, occurrence)

    def logged(self, key: str) -> bool:
        """An action with this key is on record and was not a failure."""
        touch = self.history.keys.get(key)
        return touch is not None and touch.outcome not in UNREACHED

    def untold(self, what: str, subject: str, version: int = 0) -> str | None:
        """The key under which our own people are told something now; None: they were, or not before another day (`next_try`)."""
        key = self.key(what, subject, version)
        return self.next_try(partial(self.key, what, subject, version)) if key in self.history.keys else key

    def next_try(self, key_of: Callable[[int], str]) -> str | None:
        """The key of the next try at telling our own people something; None: it was done, or the last try failed just now.

        What bounced is tried again at once, what failed after `retry_after_days`, as a step is (E29). `key_of`: try to key.
        """
        key, _, touch, failed = self.history.attempt(key_of)
        if touch is not None:
            return None
        if failed is not None and failed.outcome is _FAILED:
            again = self.run.local_day(failed.at) + timedelta(days=self.run.limits.retry_after_days)
            if again > self.run.today:
                self.days.append(again)
                return None
        return key


def lead_key(state: State, item: Item, step: PlanStep) -> str:
    """The key of the action in which this invoice leads with this step."""
    return next_key(state, item, step)[0]


def next_key(state: State, item: Item, step: PlanStep) -> tuple[str, date | None]:
    """The key of that action, and the last day on which one of its keys was put on record; None: none was.

    The attempts before tell it apart. A touch may name a key alone and no invoice; then a step that failed or is repeated goes on to
    the first key that is not on record, because none ever comes again (E28).
    """
    history, recorded_on = state.history, None
    number = history.attempts(item.subject, step.id)
    while True:
        key = state.key(step.id, item.id, item.due_version, number)
        touch = history.keys.get(key)
        if touch is None:
            return key, recorded_on
        if touch.outcome not in UNREACHED:
            recorded_on = state.run.local_day(touch.at)
            if step.repeat_every is None:
                return key, recorded_on
        number += 1
