"""ar_core: the normalized accounts-receivable model and the cadence evaluator, pure and importable on its own.

It holds no I/O, no clock and no database: every question takes its facts and its moment as arguments. Imports nothing
but the standard library and pydantic.
"""

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
from ar_core.model import *  # noqa: F403  the model is public as a whole; its own __all__ is the list
from ar_core.model import __all__ as _model_all
from ar_core.settlement import Settlement, days_past_due, is_overdue, settlement

__all__ = sorted(
    [
        *_model_all,
        "AddNote",
        "AsOf",
        "Command",
        "OpenDispute",
        "RecordOutcome",
        "RecordPromise",
        "RecordTouch",
        "ReleaseOrderHold",
        "ResolveDispute",
        "SetCollectionsStatus",
        "SetOrderHold",
        "Settlement",
        "WithdrawPromise",
        "days_past_due",
        "is_overdue",
        "settlement",
    ]
)
