"""The open invoices of one account that are chased, value by value, and what was said to each of them so far.

Columns, not objects: an account is decided by going through one value of all its invoices at once. An `Item` is a window on one
invoice, for whoever looks at a few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ar_core.cadence.codes import Code
from ar_core.cadence.facts import (
    BALANCE,
    CURRENCY,
    ID,
    INVOICE,
    SELLER,
    SUBJECT,
    OpenRow,
    Subject,
)
from ar_core.cadence.holds import Hold
from ar_core.cadence.outcomes import Outcome
from ar_core.cadence.plan import PlanStep
from ar_core.cadence.records import DispositionKind
from ar_core.cadence.steps import Choice
from ar_core.cadence.view import StageValue
from ar_core.model.documents import Invoice

if TYPE_CHECKING:
    from ar_core.cadence.run import Run

__all__ = ["Chased", "Item", "Template"]


class Template:
    """What a plan says to every invoice of some age with some steps done, when nothing else counts.

    Where more counts (a hold, a rule that looks at the invoice, another invoice's history), an item gets one of its own.
    """

    __slots__ = (
        "_acts",
        "_waits",
        "boundary_in",
        "choice",
        "dates",
        "done",
        "hold",
        "outcome",
        "parts",
        "stage",
        "stage_name",
        "step",
    )

    def __init__(
        self,
        stage: StageValue | None,
        choice: Choice | None,
        outcome: Outcome | None,
        boundary_in: int,
        done: tuple[str, ...] = (),
        hold: Hold | None = None,
    ) -> None:
        self.stage = stage
        self.stage_name = None if stage is None else str.__str__(stage)
        """The stage as plain text, as outputs hold it."""
        self.choice = choice
        """None for an item on hold: no step is chosen for it."""
        self.step = None if choice is None else choice.step
        self.outcome = outcome
        """The answer while no step is due."""
        self.boundary_in = boundary_in
        """Days until the plan may say something else; `NEVER` when it will not."""
        self.done = done
        """Steps that went out, in order."""
        self.hold = hold
        self.dates: dict[str, date] | None = None
        """When they went out, where that was asked for one invoice."""
        self.parts: dict[int, tuple[Outcome | None, bool]] = {}
        """By the place of a leading step: what becomes of such an invoice beside its message, and whether that covers it."""
        self._waits: dict[tuple[Code, int | None], Outcome] = {}
        self._acts: dict[Code, Outcome] = {}

    def wait(self, run: Run, code: Code, until_in: int | None) -> Outcome:
        """The answer when something keeps its step from going out. `until_in`: days from today."""
        found = self._waits.get((code, until_in))
        if found is None:
            step = self.step.id if self.step is not None else None
            found = run.outcomes.get(DispositionKind.WAIT, code, until_in, self.stage_name, step)
            self._waits[code, until_in] = found
        return found

    def acts(self, run: Run, code: Code) -> Outcome:
        """The answer when its step goes out. `code`: why."""
        found = self._acts.get(code)
        if found is None:
            step = self.step.id if self.step is not None else None
            found = self._acts[code] = run.outcomes.get(
                DispositionKind.ACTION, code, None, self.stage_name, step
            )
        return found


class Chased:
    """The columns: one place in each list per invoice."""

    __slots__ = ("dpds", "keys", "outcomes", "rows", "stepless", "templates")

    def __init__(self, rows: Sequence[OpenRow], dpds: list[int]) -> None:
        self.rows = rows
        self.dpds: list[int] = dpds
        """Days past due: today less the day the cadence counts from."""
        self.templates: list[Template] = []
        """What the plan says to each; there once the account is placed and steps are chosen."""
        self.outcomes: list[Outcome | None] = []
        """The answers so far, from then on."""
        self.keys: list[str | None] = [None] * len(rows)
        """The action each is part of."""
        self.stepless: frozenset[int] = frozenset()
        """Places whose due step was given up for a reply."""

    def __len__(self) -> int:
        return len(self.rows)

    def items(self) -> list[Item]:
        """A window on every invoice, in order."""
        return [Item(self, place) for place in range(len(self.rows))]

    def at(self, places: Iterable[int]) -> list[Item]:
        """Windows on some of them."""
        return [Item(self, place) for place in places]


class Item:
    """One open invoice that is chased, on its way to an answer."""

    __slots__ = ("chased", "dpd", "id", "place", "row")

    def __init__(self, chased: Chased, place: int) -> None:
        self.chased = chased
        self.place = place
        """Where it stands in the columns."""
        self.row = row = chased.rows[place]
        self.id: str = row[ID]
        self.dpd = chased.dpds[place]
        """Days past due."""

    @property
    def invoice(self) -> Invoice:
        """The record."""
        invoice: Invoice = self.row[INVOICE]
        return invoice

    @property
    def subject(self) -> Subject:
        """The invoice at its present due date."""
        subject: Subject = self.row[SUBJECT]
        return subject

    @property
    def balance(self) -> Decimal:
        """What is open."""
        balance: Decimal = self.row[BALANCE]
        return balance

    @property
    def currency(self) -> str | None:
        """In which currency."""
        currency: str | None = self.row[CURRENCY]
        return currency

    @property
    def seller(self) -> str | None:
        """The legal entity it is owed to."""
        seller: str | None = self.row[SELLER]
        return seller

    @property
    def due_version(self) -> int:
        """How often its due date changed."""
        subject = self.subject
        return 0 if isinstance(subject, str) else subject[1]

    @property
    def template(self) -> Template:
        """What the plan says to it."""
        return self.chased.templates[self.place]

    @property
    def outcome(self) -> Outcome | None:
        """Its answer so far."""
        return self.chased.outcomes[self.place]

    @outcome.setter
    def outcome(self, outcome: Outcome | None) -> None:
        self.chased.outcomes[self.place] = outcome

    @property
    def key(self) -> str | None:
        """The action it is part of."""
        return self.chased.keys[self.place]

    @key.setter
    def key(self, key: str | None) -> None:
        self.chased.keys[self.place] = key

    @property
    def step(self) -> PlanStep | None:
        """The step that is due for it."""
        chased = self.chased
        return None if self.place in chased.stepless else chased.templates[self.place].step

    def give_up_step(self) -> None:
        """What is due for it waits for another run."""
        self.chased.stepless |= {self.place}

    @property
    def hold(self) -> Hold | None:
        """What stops it."""
        return self.template.hold

    @property
    def stage(self) -> StageValue | None:
        """How old it is; None before the first stage."""
        return self.template.stage

    @property
    def choice(self) -> Choice | None:
        """The step that was chosen, or when there will be one; None on hold."""
        return self.template.choice
