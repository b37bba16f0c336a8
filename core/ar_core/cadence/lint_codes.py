"""What kinds of weakness does lint find in a policy, and what does a finding say? Documented, append-only."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["LintCode", "LintFinding", "Severity"]


class LintCode(StrEnum):
    """What kind of weakness was found. Append-only."""

    STAGE_NOT_TOTAL = "STAGE_NOT_TOTAL"
    """Some days past due belong to no stage."""
    SILENT_STAGE = "SILENT_STAGE"
    """A stage in which nothing can go out, although earlier ones do (C15)."""
    THREAT_WITHOUT_CAPABILITY = "THREAT_WITHOUT_CAPABILITY"
    """A step threatens what is not declared, or a rung or a write-back needs it (R18)."""
    STEP_NEVER_FIRES = "STEP_NEVER_FIRES"
    """Another step always takes its place, a cap is tighter than the plan, its rule never holds, or it has no channel left."""
    TONE_GOES_BACK = "TONE_GOES_BACK"
    """A later step is milder than one before it (R29)."""
    TONE_STAGE_MISMATCH = "TONE_STAGE_MISMATCH"
    """A step's tone is not that of its stage; the step's counts (C4)."""
    SINGLE_CHANNEL_POLICY = "SINGLE_CHANNEL_POLICY"
    """All steps use one channel, be it a single step: a share of customers is never reached (R2)."""
    WINDOW_TOO_SHORT = "WINDOW_TOO_SHORT"
    """A window that can lie wholly on days that are no business days (E5)."""
    SMS_WITHOUT_LINK = "SMS_WITHOUT_LINK"
    """A text message without a payment link (R34)."""
    SMS_NOT_URGENT = "SMS_NOT_URGENT"
    """A text message for something that is neither urgent nor a payment link (R36)."""
    NO_FALLBACK = "NO_FALLBACK"
    """A channel many customers cannot be reached on, and no other (E43)."""
    HUMAN_ONLY_AI_STEP = "HUMAN_ONLY_AI_STEP"
    """A step made by AI in a policy in which only people contact some customers: there it becomes a person's work (R20, E42)."""
    NO_RISK_RULES = "NO_RISK_RULES"
    """Rules ask for the risk tier, and there are none."""
    REQUIRED_STEP_DISABLED = "REQUIRED_STEP_DISABLED"
    """A step requires one that never goes out."""
    UNREACHABLE_RULE = "UNREACHABLE_RULE"
    """A rule that never holds or asks for what is no currency, a risk rule after one that holds wherever it does, or an override that
    changes a disabled step."""
    UNNAMED_SENDER = "UNNAMED_SENDER"
    """A step in a late stage that nobody by name sends (R17)."""
    REQUIRES_LATER_STEP = "REQUIRES_LATER_STEP"
    """A step requires one whose day comes after its own."""
    NO_VALUE_TIERS = "NO_VALUE_TIERS"
    """Rules ask what a customer is worth, and the value tiers are switched off."""
    VOID_SETTING = "VOID_SETTING"
    """A setting that is never looked at where it stands, an override that sets nothing, or one whose channels some steps do not have."""
    SHARES_ABOVE_ONE = "SHARES_ABOVE_ONE"
    """The shares of the value tiers are more than all customers (C18)."""
    OVERRIDES_CONTRADICT = "OVERRIDES_CONTRADICT"
    """Overrides that may hold for one customer make of a step what is none: its day lies outside its window, for instance."""


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class LintFinding(NamedTuple):
    """One weakness."""

    code: LintCode
    severity: Severity
    path: str
    """Where in the policy."""
    message: str
