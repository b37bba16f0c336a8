"""Evaluate a snapshot: who is due which touch, and why. A pure function; it reads no clock and changes nothing (E1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ar_core.asof import AsOf
from ar_core.cadence.account import decide
from ar_core.cadence.book import Book
from ar_core.cadence.codes import Code
from ar_core.cadence.collector import collector_at_rest
from ar_core.cadence.decisions import Decisions
from ar_core.cadence.evaluation import Evaluation
from ar_core.cadence.facts import AccountFacts
from ar_core.cadence.given import check_calendar, check_tiers
from ar_core.cadence.plan import CompiledPolicy, compiled_policy
from ar_core.cadence.policy import Policy
from ar_core.cadence.results import AccountResult, failed, result_of
from ar_core.cadence.run import Run
from ar_core.cadence.view import AccountView
from ar_core.calendar import WEEKENDS, Calendar
from ar_core.model.money import exact
from ar_core.model.snapshot import Snapshot
from ar_core.scoring import SCORERS
from ar_core.segments import Tiers, assign_tiers, latest_rates

__all__ = ["assemble", "evaluate", "evaluate_accounts", "prepare"]


def evaluate(
    snapshot: Snapshot,
    policy: Policy,
    as_of: AsOf,
    *,
    tiers: Tiers | None = None,
    calendar: Calendar | None = None,
    scorer: Callable[[AccountView], int] | None = None,
    strict: bool = False,
) -> Evaluation:
    """Decide what is due for every open invoice of a snapshot at a moment.

    Days past due are counted in `as_of.zone`. `tiers`: value tiers from `assign_tiers`; computed when None. `calendar`:
    business days; weekends only when None, which is noted as CALENDAR_DEFAULTED. `scorer`: replaces the policy's own.
    An account that cannot be evaluated is paused and listed in `errors`; with `strict` its exception is raised instead (E50).
    Raises TypeError for a policy, calendar or tiers that are none, ValueError for a customer in a tier that there is not.
    """
    check_calendar(calendar)
    check_tiers(tiers)
    with collector_at_rest():
        run = prepare(snapshot, compiled_policy(policy), as_of, tiers=tiers, calendar=calendar, scorer=scorer)
        book = Book(snapshot, policy.grouping.collect_at)
        found = evaluate_accounts((book.account(i) for i in book.account_ids()), run, strict=strict)
        notes = (Code.CALENDAR_DEFAULTED,) if calendar is None else ()
        return assemble({result.account_id: result for result in found}, run, book, notes)


def prepare(
    snapshot: Snapshot,
    compiled: CompiledPolicy,
    as_of: AsOf,
    *,
    tiers: Tiers | None = None,
    calendar: Calendar | None = None,
    scorer: Callable[[AccountView], int] | None = None,
) -> Run:
    """What all accounts of one evaluation share; picklable, so that accounts can be evaluated in other processes."""
    base = snapshot.organization.base_currency if snapshot.organization else None
    policy = compiled.policy
    value = policy.tiers.value
    tiers_given = tiers is not None
    if tiers is None:
        tiers = assign_tiers(snapshot, strategic=value.strategic, core=value.core, today=as_of.today)
    return Run(
        compiled,
        as_of,
        calendar or WEEKENDS,
        tiers,
        tiers_given=tiers_given,
        base_currency=base,
        rates=latest_rates(snapshot, base, as_of.today),
        scorer=scorer or SCORERS[policy.scoring.scorer],
    )


def evaluate_accounts(
    accounts: Iterable[AccountFacts], run: Run, *, strict: bool = False
) -> list[AccountResult]:
    """Evaluate accounts one by one; the order makes no difference to any result."""
    found = []
    with exact(), collector_at_rest():
        for facts in accounts:
            try:
                found.append(result_of(decide(facts, run)))
            except Exception as error:
                if strict:
                    raise
                found.append(failed(facts, run, error))
    return found


def assemble(
    results: Mapping[str, AccountResult],
    run: Run,
    book: Book,
    notes: tuple[Code, ...] = (),
    *,
    not_before: datetime | None = None,
) -> Evaluation:
    """Put the results of all accounts together: one value. `not_before`: none of them changes sooner, where that is known."""
    return Evaluation.of(Decisions(results, run, book, not_before), notes)
