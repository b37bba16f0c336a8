"""How well is money coming in? DSO, ADD, CEI, roll rates, days to pay and late, promises kept, at-risk rate.

The functions here take a snapshot; `ar_core.metrics.formulas` has the same figures over plain amounts. A figure carries the exact
sums it was made of; one that cannot be told is None with a reason, never zero.
"""

from ar_core.metrics.figure import Figure, Undefined
from ar_core.metrics.measures import (
    Receivables,
    at_risk_rate,
    average_days_delinquent,
    best_possible_dso,
    cei,
    countback_dso,
    days_late,
    days_to_pay,
    dso,
    promise_kept_ratio,
    receivables,
    roll_rates,
    sales,
)
from ar_core.metrics.period import Period, last_months, month_of
from ar_core.metrics.scorecard import Scorecard, scorecard
from ar_core.metrics.trends import trends

__all__ = [
    "Figure",
    "Period",
    "Receivables",
    "Scorecard",
    "Undefined",
    "at_risk_rate",
    "average_days_delinquent",
    "best_possible_dso",
    "cei",
    "countback_dso",
    "days_late",
    "days_to_pay",
    "dso",
    "last_months",
    "month_of",
    "promise_kept_ratio",
    "receivables",
    "roll_rates",
    "sales",
    "scorecard",
    "trends",
]
