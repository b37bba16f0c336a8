"""What the page shows, gathered once: plan, aging, key figures, a forecast, and one customer's story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ar_core import AsOf, Customer, Evaluation, Policy, Snapshot
from ar_core.aging import AgingReport, AgingSpec, aging
from ar_core.cadence import ActionKind
from ar_core.cadence.simulate import Simulation, forecast
from ar_core.metrics import Scorecard, scorecard

__all__ = ["AGED", "Facts", "gather"]

AGED = AgingSpec(credits="separate")
"""By due date in days, unapplied credit in a column of its own."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything on the page; the page itself computes nothing."""

    company: str
    snapshot: Snapshot
    policy: Policy
    as_of: AsOf
    evaluation: Evaluation
    aging: AgingReport
    scores: tuple[Scorecard, ...]
    """One per currency, the largest open balance first."""
    simulation: Simulation
    """Nobody answers: the most work the policy makes."""
    customer: Customer | None
    """Whose cadence is shown; None when nobody owes anything."""
    names: Mapping[str, str]
    """Customers by id."""


def gather(
    snapshot: Snapshot,
    policy: Policy,
    as_of: AsOf,
    evaluation: Evaluation,
    *,
    customer: Customer | None = None,
    days: int = 30,
) -> Facts:
    """Compute the page's facts. `customer`: whose cadence to show, the first contact of the worklist when None. `days`: of the
    forecast.
    """
    names = {one.id: one.name for one in snapshot.customers}
    report = aging(snapshot, as_of.today, AGED)
    currencies = sorted(report.totals, key=lambda row: (-row.total, row.currency or ""))
    organization = snapshot.organization
    return Facts(
        company=(organization.name if organization and organization.name else "Your company"),
        snapshot=snapshot,
        policy=policy,
        as_of=as_of,
        evaluation=evaluation,
        aging=report,
        scores=tuple(scorecard(snapshot, as_of.today, row.currency) for row in currencies),
        simulation=forecast(
            snapshot, policy, as_of.today, as_of.today + timedelta(days=days - 1), zone=as_of.zone
        ),
        customer=customer or _most_urgent(snapshot, evaluation),
        names=names,
    )


def _most_urgent(snapshot: Snapshot, evaluation: Evaluation) -> Customer | None:
    """The customer with the most to tell among the first of the worklist: contacts before tasks."""
    customers = {one.id: one for one in snapshot.customers}
    spoken_to = {touch.customer_id for touch in snapshot.touches}
    rows = [(evaluation.by_key[item.action_key], item.rank) for item in evaluation.worklist]
    ranked = sorted(
        rows,
        key=lambda row: (
            row[0].kind is not ActionKind.TOUCH,
            row[0].customer_id not in spoken_to,
            row[1],
        ),
    )
    return next(
        (customers[action.customer_id] for action, _ in ranked if action.customer_id in customers), None
    )
