"""The parts of a policy: stages, steps, tiers, overrides, limits, pauses, escalation. Unknown keys are errors."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from ar_core.cadence.pauses import IntentRule, Pauses
from ar_core.cadence.predicates import Predicate, parse_predicate
from ar_core.cadence.vocabulary import (
    Actor,
    CapabilityName,
    Clause,
    Id,
    OutwardChannel,
    Part,
    Purpose,
    Rule,
    Rung,
    StepChannel,
    StepKind,
    Text,
    Tone,
    Window,
)
from ar_core.calendar import DueRoll
from ar_core.model.base import Amount, Currency
from ar_core.model.parties import Channel, ContactRole

__all__ = [
    "Capabilities",
    "CatchUp",
    "Clock",
    "DueDateFallback",
    "Escalation",
    "Grouping",
    "IntentRule",
    "Limits",
    "Notice",
    "Override",
    "Pauses",
    "RiskRule",
    "Scoring",
    "Stage",
    "Step",
    "StepPatch",
    "Tiers",
    "ValueTiers",
    "Variant",
    "Writeback",
    "check_step",
]


class DueDateFallback(Part):
    """What stands in for a missing due date (E8)."""

    mode: Literal["terms", "invoice_date", "exclude"] = "exclude"
    days: Annotated[int, Field(ge=0, le=365)] = 0
    """With `invoice_date`: days after the issue date."""


_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


def _wall_time(given: Any) -> Any:
    """A time without an offset, or its text. YAML 1.1 makes a number of 10:00, which is not taken for seconds; an offset would be another
    zone than the contact's."""
    if isinstance(given, time) and given.tzinfo is None and not given.microsecond:
        return given
    if isinstance(given, str) and _TIME.fullmatch(given):
        return given
    shown = given.isoformat() if isinstance(given, time) else given
    raise ValueError(
        'write a time of the contact\'s wall clock as "HH:MM" or "HH:MM:SS", without an offset '
        f"(in YAML with the quotes: it reads 10:00 as the number 600); got {shown!r}"
    )


WallTime = Annotated[time, BeforeValidator(_wall_time)]
"""A time of day on somebody's wall clock, in whole seconds."""


class Clock(Part):
    """Days are counted in the organization's zone, hours are kept in the contact's (E2)."""

    due_roll: DueRoll = "none"
    """How a due date on a non-business day moves, for the cadence only; aging keeps the contractual date (E4)."""
    grace_days: Annotated[int, Field(ge=0, le=60)] = 0
    """Nothing overdue is sent on the first days past due, because payments are still being booked (E4)."""
    contact_zone: tuple[Literal["contact", "customer", "org"], ...] = ("contact", "customer", "org")
    """Where the time zone of the sending hours comes from, first known wins."""
    not_before: WallTime = time(9)
    """Start of the sending hours on the contact's wall clock (R35): `HH:MM` or `HH:MM:SS`, in YAML with quotes."""
    not_after: WallTime = time(17)
    """End of the sending hours, written alike."""
    due_date_fallback: DueDateFallback = DueDateFallback()

    @model_validator(mode="after")
    def _hours_in_order(self) -> Clock:
        if self.not_after <= self.not_before:
            raise ValueError(f"sending hours end after they start; got {self.not_before} to {self.not_after}")
        return self


class Stage(Part):
    """How old an invoice is, in days past due, both ends included."""

    id: Id
    from_day: int | None = Field(default=None, alias="from")
    to_day: int | None = Field(default=None, alias="to")
    tone: Tone | None = None
    origin: Text


class Variant(Part):
    """One way of carrying a step out. What it leaves out, the step says."""

    channels: tuple[StepChannel, ...] = ()
    actor: Actor | None = None
    audience: ContactRole | None = None
    sender_role: Text | None = None
    tone: Tone | None = None


class Step(Part):
    """One touch of the plan."""

    id: Id
    at: int
    """The day past due on which it falls; negative before the due date."""
    window: Window | None = None
    """First and last day past due on which it may go out; `[46]` has no last. Before `at` it only rides along in a message that goes
    anyway. Default: from `at` on."""
    kind: StepKind = StepKind.TOUCH
    purpose: Purpose = Purpose.REMINDER
    channels: tuple[StepChannel, ...] = ()
    """In order of preference; the first usable one is taken (E43)."""
    alternatives: tuple[Variant, ...] = ()
    """Other ways, in order of preference, when no channel of the step itself can be used (R38)."""
    actor: Actor = Actor.AUTO
    audience: ContactRole | None = None
    """The contact role at the customer; None: billing, then accounts payable, then anyone (C5)."""
    sender_role: Text | None = None
    """Who on our side it comes from, for example `account_manager` (R17)."""
    tone: Tone | None = None
    attach: tuple[Literal["invoice", "statement"], ...] = ()
    needs: tuple[Literal["pay_link", "opt_in", "pdf"], ...] = ()
    """What there must be for its own channels: a payment link, consent on record for the channel (E41), a PDF that is not missing."""
    urgency: Literal["normal", "high"] = "normal"
    clauses: tuple[Clause, ...] = ()
    requires: tuple[Id, ...] = ()
    """Steps that must have gone out first; they open again after their window (E24)."""
    capability: CapabilityName | None = None
    """Without this capability the `else` branch is taken, or nothing goes out (C15)."""
    otherwise: Variant | None = Field(default=None, alias="else")
    options: tuple[Text, ...] = ()
    """With kind `decision`: what can be decided."""
    notify: tuple[Text, ...] = ()
    """Roles on our side that get a notice with it (R6)."""
    when: Rule | None = None
    enabled: bool = True
    repeat_every: Annotated[int, Field(ge=1, le=365)] | None = None
    """Days after which it goes out again, within its window."""
    min_gap_after: Annotated[int, Field(ge=0, le=365)] = 0
    """Days of silence it asks for after it (E45)."""
    aliases: tuple[Id, ...] = ()
    """Names this step had in earlier versions: a touch under one of them counts (E30)."""
    origin: Text
    """Where the rule comes from: a seed, a public source, or ours."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Step:
        check_step(self)
        return self


def check_step(step: Step) -> None:
    """Raise ValueError for a step that does not fit its kind, or whose day, window and purpose contradict each other (C6, C7)."""
    if step.kind is StepKind.TOUCH and not step.channels and not step.alternatives:
        raise ValueError("a touch needs at least one channel")
    ways: list[Step | Variant | None] = [step, *step.alternatives, step.otherwise]
    if step.kind is StepKind.TOUCH and any(way and Channel.INTERNAL in way.channels for way in ways):
        raise ValueError(
            'a touch goes to the customer, the channel `internal` does not; write kind = "internal" for a task'
        )
    if step.kind is StepKind.DECISION and not step.options:
        raise ValueError("a decision needs options")
    if step.window is not None:
        low, high = step.window
        if not (low <= step.at and (high is None or step.at <= high)):
            raise ValueError(f"the day `at` = {step.at} lies outside the window {list(step.window)}")
    if step.purpose in {Purpose.PRE_DUE, Purpose.DUE_CONFIRMATION}:
        last = step.window[1] if step.window else None
        if last is None or last > (0 if step.purpose is Purpose.DUE_CONFIRMATION else -1):
            raise ValueError(f"a {step.purpose} step needs a window that ends by the due date (C6, C7)")


class ValueTiers(Part):
    """Bands of lifetime value: shares of all customers, best first (R19, C18)."""

    by: Literal["lifetime_value"] = "lifetime_value"
    strategic: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.20")
    core: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.60")
    unknown: Literal["human_only", "core", "tail"] = "human_only"
    """A customer of unknown value: only people contact it, or it is treated as a tier."""
    enabled: bool = True


class RiskRule(Part):
    """One risk tier; the first whose rule holds wins (C9)."""

    id: Id
    when: Rule | None = None
    any: tuple[Any, ...] = ()
    all: tuple[Any, ...] = ()
    otherwise: bool = False
    gap: Rule | None = None
    """Where the sources leave a gap that this tier closes: reported as SEED_GAP (C9)."""
    origin: Text

    @model_validator(mode="after")
    def _one_rule(self) -> RiskRule:
        given = [name for name in ("when", "any", "all", "otherwise") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"give exactly one of when, any, all, otherwise; got {given or 'none'}")
        return self

    def predicate(self) -> Predicate | None:
        """The rule as one predicate; None for the tier that takes the rest."""
        if self.when is not None:
            return self.when
        if self.any:
            return parse_predicate({"any": list(self.any)})
        return parse_predicate({"all": list(self.all)}) if self.all else None


class Tiers(Part):
    """Two axes: value decides who acts, risk how soon and how high (C10)."""

    value: ValueTiers = ValueTiers()
    risk: tuple[RiskRule, ...] = ()


class StepPatch(Part):
    """What an override changes in a step."""

    at: int | None = None
    window: Window | None = None
    channels: tuple[StepChannel, ...] | None = None
    actor: Actor | None = None
    audience: ContactRole | None = None
    sender_role: Text | None = None
    enabled: bool | None = None
    notify: tuple[Text, ...] | None = None


class Override(Part):
    """Changes to the plan for the customers its rule holds for.

    The rule may also name features of one invoice, such as `dpd` or `stage`: then it is asked of the invoice that leads a message and
    changes that message alone: its `actor`, `sender_role`, `notify`, `add_channels` and `only_channels`. `steps` and `scale` are refused
    beside such a rule.
    """

    when: Rule
    actor: Actor | None = None
    """Forces the actor of every touch; whom another override, the value tier, a flag or the rung leaves to people stays with them (E42)."""
    sender_role: Text | None = None
    notify: tuple[Text, ...] = ()
    """Roles that get a notice with every touch."""
    add_channels: tuple[OutwardChannel, ...] = ()
    """Put before the last channel of a step."""
    only_channels: tuple[OutwardChannel, ...] = ()
    steps: dict[str, StepPatch] = Field(default_factory=dict)
    """Changes by step id; `*` for every step."""
    scale: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    """Days of stages and steps after the due date times the first over the second, rounded down (C13). Both are above zero."""
    origin: Text


class Limits(Part):
    """Caps over all channels together (E23, E26, E27). Internal notices count in none."""

    min_gap_days: Annotated[int, Field(ge=0, le=60)] = 3
    """Days between two contacts; the day it is reached is allowed."""
    max_touches_per_7d: Annotated[int, Field(ge=1)] | None = 2
    per_channel: dict[OutwardChannel, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Contacts in 7 days by channel; 0 closes it."""
    max_customer_actions_per_run: Annotated[int, Field(ge=1)] = 1
    max_per_address: Annotated[int, Field(ge=1)] | None = None
    """Messages to one address in a run, over all customers (E47)."""
    count_failed: bool = False
    """Do attempts that failed or bounced count?"""
    retry_after_days: Annotated[int, Field(ge=0)] = 1
    """Days before a failed attempt is made again (E29)."""
    post_payment_quiet_days: Annotated[int, Field(ge=0)] = 3
    min_invoice: dict[Currency, Amount] = Field(default_factory=dict)
    """Smallest open balance worth a contact of its own, by currency (E16)."""
    min_customer: dict[Currency, Amount] = Field(default_factory=dict)
    """Smallest overdue sum of a customer worth a contact, by currency (E16)."""


class CatchUp(Part):
    """What happens to steps whose day went by (E24, E25)."""

    mode: Literal["drop", "latest", "sequential"] = "latest"
    spacing: Literal["preserved", "minimum"] = "preserved"
    """Sequential: keep the distance between the steps' days, or only `min_gap_days`."""


class Grouping(Part):
    """What goes into one message (E17, E19, E46, E48)."""

    by: Literal["customer", "invoice"] = "customer"
    collect_at: Literal["customer", "bill_to", "parent"] = "bill_to"
    """Who receives it: the customer itself; its parent where it is billed with it; always the topmost parent."""
    split_by_subsidiary: bool = True
    """Two legal entities of the seller never share a notice."""
    include: Literal["overdue_only", "all_open", "due_steps_only"] = "overdue_only"
    on_lead_change: Literal["contextual", "inherit", "restart"] = "contextual"
    """When the leading invoice is paid: the next one by its own age, by the old one's position, or from the first step (E22)."""


class Escalation(Part):
    """Raises the rung of a customer, whatever the stage (C8, R44, R69)."""

    rung: Rung
    when: Rule
    forced_by_dpd: int | None = None
    """At this age the rung holds even if the rule does not."""
    notify: tuple[Text, ...] = ()
    origin: Text


class Notice(Part):
    """An internal notice when a rule first holds for an invoice (R21)."""

    id: Id
    when: Rule
    to: tuple[Text, ...] = Field(min_length=1)
    origin: Text


class Capabilities(Part):
    """What the seller really does. A consequence that is not declared is never mentioned (R18, C15)."""

    will_pursue_legal: bool = False
    can_hold_orders: bool = False
    uses_agency: bool = False


class Scoring(Part):
    """How the worklist is ranked (R65-R68)."""

    scorer: Literal["blend", "additive", "expected_value", "amount_first"] = "blend"


class Writeback(Part):
    """Which commands an evaluation proposes (section 4.4 of the rules)."""

    collections_status: bool = True
    """One line per customer with an overdue invoice: stage, rung, next step."""
    order_hold: bool = False
    """Propose an order hold at that rung; needs the capability."""
