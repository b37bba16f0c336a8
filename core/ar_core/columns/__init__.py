"""Aging, stage, segment and pre-selection over millions of invoices, as Polars frames, by the same policy (extra `columns`).

    tables = tables_of(snapshot, policy, as_of)        # or Tables.of(invoices=..., accounts=...) from frames of your own
    selected = select(tables, policy, as_of)           # accounts that can have an action today; the others have none
    part = ar_core.partition.part_of(snapshot, policy, selected)
    evaluate(part, policy, as_of, tiers=tiers)

Property tests prove each function equal to the evaluator on generated books. Money is a whole number of units of `10**-scale`,
so it is exact; a figure in base currency is a 128-bit integer.
"""

from ar_core.columns.aging import age, report_of
from ar_core.columns.cadence import place, segment, select
from ar_core.columns.predicates import Column, UnsupportedPolicy, expression
from ar_core.columns.snapshots import tables_of
from ar_core.columns.tables import SCHEMAS, Tables

__all__ = [
    "SCHEMAS",
    "Column",
    "Tables",
    "UnsupportedPolicy",
    "age",
    "expression",
    "place",
    "report_of",
    "segment",
    "select",
    "tables_of",
]
