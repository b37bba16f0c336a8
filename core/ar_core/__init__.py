"""ar_core: the normalized accounts-receivable model and the cadence evaluator, pure and importable on its own.

It holds no I/O, no clock and no database: every question takes its facts and its moment as arguments. Imports nothing
but the standard library and pydantic.
"""

from typing import TYPE_CHECKING, Any

from ar_core.asof import AsOf
from ar_core.commands import (
    AddNote,
    Command,
    OpenDispute,
    RecordOutcome,
    RecordPromise,
    RecordTouch,
    ReleaseOrderHold,
    ResolveDispute,
    SetCollectionsStatus,
    SetOrderHold,
    WithdrawPromise,
)
from ar_core.model import (
    Address,
    Adjustment,
    Allocation,
    Amount,
    BouncedChannel,
    Channel,
    Consent,
    Contact,
    ContactRole,
    Coverage,
    CreditNote,
    Currency,
    CurrencyMismatch,
    Customer,
    CustomerProfile,
    CustomField,
    DeletionEvidence,
    Direction,
    Dispute,
    Document,
    DocumentStatus,
    ExchangeRate,
    Finding,
    FindingCode,
    Frozen,
    Intent,
    Invoice,
    Line,
    LineKind,
    Money,
    Organization,
    Origin,
    OutOfOffice,
    Pause,
    Payment,
    PaymentKind,
    PaymentTerms,
    ProfileFlag,
    Promise,
    RecordId,
    RecordKind,
    Snapshot,
    Source,
    Subsidiary,
    TeamMember,
    Tombstone,
    Touch,
    TouchOutcome,
    UtcDatetime,
    allocation_id,
    check_document,
    check_snapshot,
    connection_id,
    json_schema,
    local_id,
    parse_amount,
    parse_record_id,
    record_id,
)
from ar_core.settlement import Settlement, days_past_due, is_overdue, settlement

if TYPE_CHECKING:
    from ar_core.cadence import (
        Action,
        ActionKind,
        Code,
        Disposition,
        DispositionKind,
        Evaluation,
        Policy,
        PolicyError,
        load_policy,
    )
    from ar_core.cadence.counterfactual import Counterfactual, why_not
    from ar_core.cadence.diff import PolicyDiff, diff
    from ar_core.cadence.evaluate import evaluate
    from ar_core.cadence.explain import Explanation, explain
    from ar_core.cadence.incremental import reevaluate
    from ar_core.cadence.lint import LintFinding, lint
    from ar_core.cadence.simulate import Simulation, forecast, replay
    from ar_core.calendar import WEEKENDS, Calendar, HolidayCalendar, WeekendCalendar
    from ar_core.promises import PromiseState, PromiseTerms, PromiseVerdict, judge_promises
    from ar_core.segments import TierAssignment, Tiers, assign_tiers

__all__ = [
    "WEEKENDS",
    "Action",
    "ActionKind",
    "AddNote",
    "Address",
    "Adjustment",
    "Allocation",
    "Amount",
    "AsOf",
    "BouncedChannel",
    "Calendar",
    "Channel",
    "Code",
    "Command",
    "Consent",
    "Contact",
    "ContactRole",
    "Counterfactual",
    "Coverage",
    "CreditNote",
    "Currency",
    "CurrencyMismatch",
    "CustomField",
    "Customer",
    "CustomerProfile",
    "DeletionEvidence",
    "Direction",
    "Disposition",
    "DispositionKind",
    "Dispute",
    "Document",
    "DocumentStatus",
    "Evaluation",
    "ExchangeRate",
    "Explanation",
    "Finding",
    "FindingCode",
    "Frozen",
    "HolidayCalendar",
    "Intent",
    "Invoice",
    "Line",
    "LineKind",
    "LintFinding",
    "Money",
    "OpenDispute",
    "Organization",
    "Origin",
    "OutOfOffice",
    "Pause",
    "Payment",
    "PaymentKind",
    "PaymentTerms",
    "Policy",
    "PolicyDiff",
    "PolicyError",
    "ProfileFlag",
    "Promise",
    "PromiseState",
    "PromiseTerms",
    "PromiseVerdict",
    "RecordId",
    "RecordKind",
    "RecordOutcome",
    "RecordPromise",
    "RecordTouch",
    "ReleaseOrderHold",
    "ResolveDispute",
    "SetCollectionsStatus",
    "SetOrderHold",
    "Settlement",
    "Simulation",
    "Snapshot",
    "Source",
    "Subsidiary",
    "TeamMember",
    "TierAssignment",
    "Tiers",
    "Tombstone",
    "Touch",
    "TouchOutcome",
    "UtcDatetime",
    "WeekendCalendar",
    "WithdrawPromise",
    "allocation_id",
    "assign_tiers",
    "check_document",
    "check_snapshot",
    "connection_id",
    "days_past_due",
    "diff",
    "evaluate",
    "explain",
    "forecast",
    "is_overdue",
    "json_schema",
    "judge_promises",
    "lint",
    "load_policy",
    "local_id",
    "parse_amount",
    "parse_record_id",
    "record_id",
    "reevaluate",
    "replay",
    "settlement",
    "why_not",
]

# The evaluator is loaded when it is first used: whoever only needs the model does not wait for it.
_LAZY = {
    "Action": "ar_core.cadence",
    "ActionKind": "ar_core.cadence",
    "Calendar": "ar_core.calendar",
    "Code": "ar_core.cadence",
    "Disposition": "ar_core.cadence",
    "DispositionKind": "ar_core.cadence",
    "Evaluation": "ar_core.cadence",
    "HolidayCalendar": "ar_core.calendar",
    "Policy": "ar_core.cadence",
    "PolicyError": "ar_core.cadence",
    "PromiseState": "ar_core.promises",
    "PromiseTerms": "ar_core.promises",
    "PromiseVerdict": "ar_core.promises",
    "TierAssignment": "ar_core.segments",
    "Tiers": "ar_core.segments",
    "WEEKENDS": "ar_core.calendar",
    "WeekendCalendar": "ar_core.calendar",
    "assign_tiers": "ar_core.segments",
    "evaluate": "ar_core.cadence.evaluate",
    "PolicyDiff": "ar_core.cadence.diff",
    "diff": "ar_core.cadence.diff",
    "LintFinding": "ar_core.cadence.lint",
    "lint": "ar_core.cadence.lint",
    "Simulation": "ar_core.cadence.simulate",
    "forecast": "ar_core.cadence.simulate",
    "replay": "ar_core.cadence.simulate",
    "Counterfactual": "ar_core.cadence.counterfactual",
    "why_not": "ar_core.cadence.counterfactual",
    "Explanation": "ar_core.cadence.explain",
    "explain": "ar_core.cadence.explain",
    "reevaluate": "ar_core.cadence.incremental",
    "judge_promises": "ar_core.promises",
    "load_policy": "ar_core.cadence",
}


_MODULES = frozenset(
    {
        "aging",
        "cadence",
        "calendar",
        "columns",
        "conformance",
        "metrics",
        "partition",
        "promises",
        "scoring",
        "segments",
    }
)
"""Parts that are loaded when they are first asked for: `ar_core.metrics.scorecard(...)` needs no import of its own."""

if not TYPE_CHECKING:  # a type checker would believe that every name exists

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"ar_core.{name}")
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module 'ar_core' has no attribute {name!r}")
        value = getattr(import_module(module), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_MODULES})
