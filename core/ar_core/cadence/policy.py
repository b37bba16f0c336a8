"""What is a cadence policy? Stages, steps, tiers, pauses, limits and escalation, as data that is checked when it is read.

A stage says how old an invoice is, a step what comes next, a tone how it is said: three separate things (C4). Unknown keys
are errors. A policy holds no code: its rules are predicates over published features (D17), so it is safe to accept from a
tenant.
"""

from __future__ import annotations

import hashlib
import json
from datetime import time
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from ar_core.cadence.features import check_predicate
from ar_core.cadence.predicates import Predicate, parse_predicate
from ar_core.calendar import DueRoll
from ar_core.model.activity import Intent
from ar_core.model.base import Amount, Currency
from ar_core.model.parties import Channel, ContactRole

__all__ = [
    "Actor",
    "Capabilities",
    "CatchUp",
    "Clause",
    "Clock",
    "DueDateFallback",
    "Escalation",
    "Grouping",
    "IntentRule",
    "Limits",
    "Notice",
    "Override",
    "Pauses",
    "Policy",
    "Purpose",
    "RiskRule",
    "Rung",
    "Scoring",
    "Stage",
    "Step",
    "StepKind",
    "StepPatch",
    "Tiers",
    "Tone",
    "ValueTier",
    "ValueTiers",
    "Variant",
    "Writeback",
    "policy_json_schema",
]


class Tone(StrEnum):
    """How a message is said, mildest first; escalation beyond `formal` changes who speaks, not the tone (C14)."""

    FRIENDLY = "friendly"
    DIRECT = "direct"
    FIRM = "firm"
    FORMAL = "formal"


class Actor(StrEnum):
    """Who makes a contact. An AI voice is automation (E42)."""

    AUTO = "auto"
    AI = "ai"
    EITHER = "either"
    """A person or a machine, as the host decides."""
    HUMAN = "human"


class StepKind(StrEnum):
    """What a step produces."""

    TOUCH = "touch"
    INTERNAL = "internal"
    DECISION = "decision"


class Purpose(StrEnum):
    """What a contact is for."""

    PRE_DUE = "pre_due"
    DUE_CONFIRMATION = "due_confirmation"
    REMINDER = "reminder"
    PAY_LINK = "pay_link"
    CHECK_IN = "check_in"
    DEMAND = "demand"
    SEND_COPY = "send_copy"


class Clause(StrEnum):
    """A consequence a message may mention, only when its capability is declared (R18, R29)."""

    ORDER_HOLD = "order_hold"
    LEGAL = "legal"
    AGENCY = "agency"


class ValueTier(StrEnum):
    """How much the customer is worth over its lifetime (R19). `unknown` until a value is known."""

    STRATEGIC = "strategic"
    CORE = "core"
    TAIL = "tail"
    UNKNOWN = "unknown"


class Rung(StrEnum):
    """The ladder, in order (R69)."""

    AUTOMATED = "automated"
    PERSONAL = "personal"
    FINANCE_LEAD = "finance_lead"
    ORDER_HOLD = "order_hold"
    REFERRAL = "referral"


CapabilityName = Literal["will_pursue_legal", "can_hold_orders", "uses_agency"]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True
    )


def _ascending(window: tuple[int, int | None]) -> tuple[int, int | None]:
    if window[1] is not None and window[1] < window[0]:
        raise ValueError(f"a window runs from the earlier to the later day; got {list(window)}")
    return window


def _open_ended(window: Any) -> Any:
    """TOML has no null: a window of one day past due stays open."""
    return (window[0], None) if isinstance(window, list | tuple) and len(window) == 1 else window


Window = Annotated[tuple[int, int | None], BeforeValidator(_open_ended), AfterValidator(_ascending)]
"""First and last day past due, both included; `[46]` or a null end stays open."""
Rule = Annotated[
    Predicate,
    PlainValidator(parse_predicate),
    PlainSerializer(lambda predicate: predicate.text, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "boolean"},
                {
                    "type": "object",
                    "properties": {"any": {"type": "array"}, "all": {"type": "array"}},
                    "additionalProperties": False,
                    "maxProperties": 1,
                },
            ]
        }
    ),
]
"""A predicate over published features: text, or an object with `any` or `all`."""
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class DueDateFallback(_Part):
    """What stands in for a missing due date (E8)."""

    mode: Literal["terms", "invoice_date", "exclude"] = "exclude"
    days: Annotated[int, Field(ge=0, le=365)] = 0
    """With `invoice_date`: days after the issue date."""


class Clock(_Part):
    """Days are counted in the organization's zone, hours are kept in the contact's (E2)."""

    due_roll: DueRoll = "none"
    """How a due date on a non-business day moves, for the cadence only; aging keeps the contractual date (E4)."""
    grace_days: Annotated[int, Field(ge=0, le=60)] = 0
    """Nothing overdue is sent on the first days past due, because payments are still being booked (E4)."""
    contact_zone: tuple[Literal["contact", "customer", "org"], ...] = ("contact", "customer", "org")
    """Where the time zone of the sending hours comes from, first known wins."""
    not_before: time = time(9)
    """Start of the sending hours on the contact's wall clock (R35)."""
    not_after: time = time(17)
    """End of the sending hours."""
    due_date_fallback: DueDateFallback = DueDateFallback()

    @model_validator(mode="after")
    def _hours_in_order(self) -> Clock:
        if self.not_after <= self.not_before:
            raise ValueError(f"sending hours end after they start; got {self.not_before} to {self.not_after}")
        return self


class Stage(_Part):
    """How old an invoice is, in days past due, both ends included."""

    id: Id
    from_day: int | None = Field(default=None, alias="from")
    to_day: int | None = Field(default=None, alias="to")
    tone: Tone | None = None
    origin: Text


class Variant(_Part):
    """One way of carrying a step out. What it leaves out, the step says."""

    channels: tuple[Channel, ...] = ()
    actor: Actor | None = None
    audience: ContactRole | None = None
    sender_role: Text | None = None
    tone: Tone | None = None


class Step(_Part):
    """One touch of the plan."""

    id: Id
    at: int
    """The day past due on which it falls; negative before the due date."""
    window: Window | None = None
    """Days past due on which it may go out. Before `at` it only rides along in a message that goes anyway. Default: from `at` on."""
    kind: StepKind = StepKind.TOUCH
    purpose: Purpose = Purpose.REMINDER
    per: Literal["customer", "invoice"] = "customer"
    channels: tuple[Channel, ...] = ()
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
        if self.kind is StepKind.TOUCH and not self.channels and not self.alternatives:
            raise ValueError("a touch needs at least one channel")
        if self.kind is StepKind.DECISION and not self.options:
            raise ValueError("a decision needs options")
        if self.window is not None:
            low, high = self.window
            if not (low <= self.at and (high is None or self.at <= high)):
                raise ValueError(f"the day `at` = {self.at} lies outside the window {list(self.window)}")
        if self.purpose in {Purpose.PRE_DUE, Purpose.DUE_CONFIRMATION}:
            last = self.window[1] if self.window else None
            if last is None or last > (0 if self.purpose is Purpose.DUE_CONFIRMATION else -1):
                raise ValueError(f"a {self.purpose} step needs a window that ends by the due date (C6, C7)")
        return self


class ValueTiers(_Part):
    """Bands of lifetime value: shares of all customers, best first (R19, C18)."""

    by: Literal["lifetime_value"] = "lifetime_value"
    strategic: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.20")
    core: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.60")
    unknown: Literal["human_only", "core", "tail"] = "human_only"
    """A customer of unknown value: only people contact it, or it is treated as a tier."""
    enabled: bool = True


class RiskRule(_Part):
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


class Tiers(_Part):
    """Two axes: value decides who acts, risk how soon and how high (C10)."""

    value: ValueTiers = ValueTiers()
    risk: tuple[RiskRule, ...] = ()


class StepPatch(_Part):
    """What an override changes in a step."""

    at: int | None = None
    window: Window | None = None
    channels: tuple[Channel, ...] | None = None
    actor: Actor | None = None
    audience: ContactRole | None = None
    sender_role: Text | None = None
    enabled: bool | None = None
    notify: tuple[Text, ...] | None = None


class Override(_Part):
    """Changes to the plan for the customers its rule holds for."""

    when: Rule
    actor: Actor | None = None
    """Forces the actor of every touch."""
    sender_role: Text | None = None
    notify: tuple[Text, ...] = ()
    """Roles that get a notice with every touch."""
    add_channels: tuple[Channel, ...] = ()
    """Put before the last channel of a step. The rule may name the invoice's stage and days past due."""
    only_channels: tuple[Channel, ...] = ()
    steps: dict[str, StepPatch] = Field(default_factory=dict)
    """Changes by step id; `*` for every step."""
    scale: tuple[int, int] | None = None
    """Days of stages and steps after the due date times the first over the second, rounded down (C13)."""
    origin: Text


class Limits(_Part):
    """Caps over all channels together (E23, E26, E27). Internal notices count in none."""

    min_gap_days: Annotated[int, Field(ge=0, le=60)] = 3
    """Days between two contacts; the day it is reached is allowed."""
    max_touches_per_7d: Annotated[int, Field(ge=1)] | None = 2
    per_channel: dict[Channel, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Contacts in 7 days by channel."""
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


class CatchUp(_Part):
    """What happens to steps whose day went by (E24, E25)."""

    mode: Literal["drop", "latest", "sequential"] = "latest"
    spacing: Literal["preserved", "minimum"] = "preserved"
    """Sequential: keep the distance between the steps' days, or only `min_gap_days`."""


class Grouping(_Part):
    """What goes into one message (E17, E19, E46, E48)."""

    by: Literal["customer", "invoice"] = "customer"
    collect_at: Literal["customer", "bill_to", "parent"] = "bill_to"
    """Who receives it: the customer itself; its parent where it is billed with it; always the topmost parent."""
    split_by_subsidiary: bool = True
    """Two legal entities of the seller never share a notice."""
    include: Literal["overdue_only", "all_open", "due_steps_only"] = "overdue_only"
    on_lead_change: Literal["contextual", "inherit", "restart"] = "contextual"
    """When the leading invoice is paid: the next one by its own age, by the old one's position, or from the first step (E22)."""


class IntentRule(_Part):
    """What happens when the customer said something (R43, R62, R63, E38)."""

    pause_business_days: Annotated[int, Field(ge=0, le=60)] = 0
    task: Text | None = None
    """An internal task that is raised."""
    human: bool = False
    """From then on a person speaks to the customer."""
    respond: Literal["send_copy"] | None = None


def _default_intents() -> dict[Intent, IntentRule]:
    return {
        Intent.COPY_REQUESTED: IntentRule(respond="send_copy"),
        Intent.MISSING_PO: IntentRule(pause_business_days=5, task="fix_purchase_order"),
        Intent.SAYS_PAID: IntentRule(pause_business_days=5, task="verify_payment"),
        Intent.WRONG_CONTACT: IntentRule(task="fix_contact"),
        Intent.QUESTION: IntentRule(pause_business_days=2, task="answer_question"),
        Intent.REFUSED: IntentRule(task="speak_to_customer", human=True),
        Intent.PROMISED: IntentRule(pause_business_days=2, task="record_promise"),
        Intent.DISPUTED: IntentRule(pause_business_days=5, task="record_dispute"),
        Intent.UNKNOWN: IntentRule(pause_business_days=2, task="read_reply"),
    }


class Pauses(_Part):
    """What stops the cadence, and for how long (E31-E41)."""

    dispute_remainder: Literal["chase", "pause"] = "chase"
    """An invoice disputed in part: chase the rest, or pause it whole (E31)."""
    dispute_resume_days: Annotated[int, Field(ge=0)] = 3
    """Days of silence after a dispute is resolved (E31)."""
    promise_grace_business_days: Annotated[int, Field(ge=0)] = 2
    promise_tolerance_pct: Amount = Decimal(2)
    promise_tolerance_abs: Amount = Decimal(5)
    promise_unapplied: Literal["count", "ignore"] = "count"
    promise_scope: Literal["invoice", "customer"] = "invoice"
    """Does a promise pause its invoices, or the whole customer? (E33)"""
    max_promise_days: Annotated[int, Field(ge=1)] = 30
    """A promise further away than this needs approval (E36)."""
    promise_approval_from: Id | None = None
    """A promise given in this stage or a later one needs approval (E36)."""
    max_promises_not_kept: Annotated[int, Field(ge=1)] = 2
    """So many promises not kept in a row: from then on a person (E35)."""
    max_ooo_days: Annotated[int, Field(ge=0)] = 14
    """Longest wait for somebody who is away (E37)."""
    legal_stop_covers_children: bool = True
    migrate: Literal["re_evaluate", "keep_position", "manual"] = "re_evaluate"
    """Invoices chased under steps this policy does not know (E30)."""
    consent_required: tuple[Channel, ...] = (Channel.SMS, Channel.WHATSAPP)
    """Channels that need an opt-in on record (E41)."""
    intents: dict[Intent, IntentRule] = Field(default_factory=_default_intents)


class Escalation(_Part):
    """Raises the rung of a customer, whatever the stage (C8, R44, R69)."""

    rung: Rung
    when: Rule
    forced_by_dpd: int | None = None
    """At this age the rung holds even if the rule does not."""
    notify: tuple[Text, ...] = ()
    origin: Text


class Notice(_Part):
    """An internal notice when a rule first holds for an invoice (R21)."""

    id: Id
    when: Rule
    to: tuple[Text, ...] = Field(min_length=1)
    origin: Text


class Capabilities(_Part):
    """What the seller really does. A consequence that is not declared is never mentioned (R18, C15)."""

    will_pursue_legal: bool = False
    can_hold_orders: bool = False
    uses_agency: bool = False


class Scoring(_Part):
    """How the worklist is ranked (R65-R68)."""

    scorer: Literal["blend", "additive", "expected_value", "amount_first"] = "blend"


class Writeback(_Part):
    """Which commands an evaluation proposes (section 4.4 of the rules)."""

    collections_status: bool = True
    """One line per customer with an overdue invoice: stage, rung, next step."""
    order_hold: bool = False
    """Propose an order hold at that rung; needs the capability."""


class Policy(_Part):
    """A complete policy."""

    schema_id: Literal["cadence-policy/1"] = Field(default="cadence-policy/1", alias="schema")
    id: Id
    version: Annotated[int, Field(ge=1)] = 1
    family: Id | None = None
    """Part of every action key; None: the id. Keep it when you rename a policy, so that nothing fires twice (E28)."""
    description: str = ""
    clock: Clock = Clock()
    stages: tuple[Stage, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1)
    tiers: Tiers = Tiers()
    overrides: tuple[Override, ...] = ()
    limits: Limits = Limits()
    catch_up: CatchUp = CatchUp()
    grouping: Grouping = Grouping()
    pauses: Pauses = Pauses()
    escalate: tuple[Escalation, ...] = ()
    notices: tuple[Notice, ...] = ()
    capabilities: Capabilities = Capabilities()
    scoring: Scoring = Scoring()
    writeback: Writeback = Writeback()

    @property
    def key_family(self) -> str:
        """What stands for this policy in action keys."""
        return self.family or self.id

    @property
    def ref(self) -> str:
        """`id@version`, as `extends` names it."""
        return f"{self.id}@{self.version}"

    def resolved(self) -> dict[str, Any]:
        """The whole policy as plain data, presets merged in, ready for JSON or TOML."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the resolved content: two policies that decide alike from the same text have the same hash."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        _unique("stages", [stage.id for stage in self.stages])
        names = [step.id for step in self.steps]
        _unique("steps", names + [alias for step in self.steps for alias in step.aliases])
        _check_stages(self.stages)
        for step in self.steps:
            for needed in step.requires:
                if needed not in names:
                    raise ValueError(f"steps.{step.id}.requires names {needed!r}, which is no step")
        _check_cycles(self.steps)
        for index, override in enumerate(self.overrides):
            for name in override.steps:
                if name != "*" and name not in names:
                    raise ValueError(f"overrides[{index}].steps names {name!r}, which is no step")
        _check_risk(self.tiers.risk)
        stage_ids = tuple(stage.id for stage in self.stages)
        if self.pauses.promise_approval_from not in {None, *stage_ids}:
            raise ValueError(
                f"pauses.promise_approval_from names {self.pauses.promise_approval_from!r}, which is no stage"
            )
        for path, predicate, scope in self.predicates():
            check_predicate(predicate, path, scope, stage_ids, tuple(rule.id for rule in self.tiers.risk))
        return self

    def predicates(self) -> list[tuple[str, Predicate, str]]:
        """Every rule in it as (path, predicate, scope); scope `customer` may not name features of one invoice."""
        found: list[tuple[str, Predicate, str]] = []
        for rule in self.tiers.risk:
            predicate = rule.predicate()
            if predicate is not None:
                found.append((f"tiers.risk.{rule.id}", predicate, "risk"))
            if rule.gap is not None:
                found.append((f"tiers.risk.{rule.id}.gap", rule.gap, "risk"))
        for index, override in enumerate(self.overrides):
            plan = override.steps or override.scale
            found.append((f"overrides[{index}].when", override.when, "customer" if plan else "invoice"))
        found += [(f"steps.{s.id}.when", s.when, "invoice") for s in self.steps if s.when is not None]
        found += [(f"escalate[{i}].when", e.when, "customer") for i, e in enumerate(self.escalate)]
        found += [(f"notices.{n.id}.when", n.when, "invoice") for n in self.notices]
        return found


def policy_json_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, for editors and other languages. `extends` is resolved before it applies."""
    return Policy.model_json_schema(by_alias=True)


def _unique(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}: two of them are called {name!r}")
        seen.add(name)


def _check_stages(stages: tuple[Stage, ...]) -> None:
    for index, stage in enumerate(stages):
        if (stage.from_day is None) != (index == 0) and index != 0:
            raise ValueError(f"stages.{stage.id}: only the first stage may leave out `from`")
        if stage.to_day is None and index != len(stages) - 1:
            raise ValueError(f"stages.{stage.id}: only the last stage may leave out `to`")
    for before, after in pairwise(stages):
        if before.to_day is None or after.from_day is None or after.from_day != before.to_day + 1:
            raise ValueError(
                f"stages {before.id} and {after.id} leave a gap or overlap: {before.id} ends on {before.to_day}, "
                f"{after.id} starts on {after.from_day}"
            )


def _check_cycles(steps: tuple[Step, ...]) -> None:
    needs = {step.id: step.requires for step in steps}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"steps require each other in a circle: {' -> '.join((*path, name))}")
        for needed in needs[name]:
            visit(needed, (*path, name))

    for name in needs:
        visit(name, ())


def _check_risk(rules: tuple[RiskRule, ...]) -> None:
    _unique("tiers.risk", [rule.id for rule in rules])
    if rules and not rules[-1].otherwise:
        raise ValueError("tiers.risk must be total: the last rule says `otherwise = true` (C9)")
    for rule in rules[:-1]:
        if rule.otherwise:
            raise ValueError(f"tiers.risk.{rule.id}: nothing after `otherwise` can be reached; put it last")
