"""The words a policy is written in: tones, actors, purposes, tiers, rungs, and the types of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from ar_core.cadence.predicates import Predicate, parse_predicate
from ar_core.model.parties import Channel

__all__ = [
    "CLAUSE_NEEDS",
    "RUNG_NEEDS",
    "Actor",
    "CapabilityName",
    "Clause",
    "Id",
    "OutwardChannel",
    "Part",
    "Purpose",
    "Rule",
    "Rung",
    "StepChannel",
    "StepKind",
    "Text",
    "Tone",
    "ValueTier",
    "Window",
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
CLAUSE_NEEDS: Final[Mapping[Clause, CapabilityName]] = {
    Clause.ORDER_HOLD: "can_hold_orders",
    Clause.LEGAL: "will_pursue_legal",
    Clause.AGENCY: "uses_agency",
}
"""What must be declared before a message mentions a consequence (R18)."""
RUNG_NEEDS: Final[Mapping[Rung, CapabilityName]] = {
    Rung.ORDER_HOLD: "can_hold_orders",
    Rung.REFERRAL: "uses_agency",
}
"""What must be declared for a rung; without it finance leadership is called for instead (R18)."""


class Part(BaseModel):
    """Base of every part of a policy: frozen, no unknown keys, and true and false are no numbers."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_for_a_number(cls, given: Any, info: ValidationInfo) -> Any:
        """Python takes true for 1: `min_gap_days = true` would be a day."""
        if _has_flag(given) and _is_of_numbers(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError(f"write a number: true and false are none; got {given!r}")
        return given


def _has_flag(given: Any) -> bool:
    """Whether it is true or false, or a list or a table with one of them in it."""
    inner = list(given.values()) if isinstance(given, Mapping) else given
    return isinstance(given, bool) or (
        isinstance(inner, list | tuple) and any(isinstance(value, bool) for value in inner)
    )


def _is_of_numbers(annotation: Any) -> bool:
    """Whether a setting holds numbers, be it one, several or by name."""
    return annotation is int or annotation is Decimal or any(map(_is_of_numbers, get_args(annotation)))


_OUTWARD: Final = tuple(channel for channel in Channel if channel is not Channel.INTERNAL)


def _named(given: Any) -> Any:
    """What names no channel is told which there are, without the one that most settings do not take."""
    if not isinstance(given, str) or given not in tuple(Channel):
        *most, last = [repr(channel.value) for channel in _OUTWARD]
        raise ValueError(f"Input should be {', '.join(most)} or {last}")
    return given


def _reaches_customers(channel: Channel) -> Channel:
    if channel is Channel.INTERNAL:
        raise ValueError("`internal` reaches our own people; name a channel that reaches the customer")
    return channel


StepChannel = Annotated[Channel, BeforeValidator(_named)]
"""A channel of a step; `internal` only of one that is no touch, which has no use for it."""
OutwardChannel = Annotated[
    Channel,
    BeforeValidator(_named),
    AfterValidator(_reaches_customers),
    WithJsonSchema({"type": "string", "enum": [channel.value for channel in _OUTWARD]}),
]
"""A channel on which a customer is reached."""


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
