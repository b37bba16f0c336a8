"""Evaluate a snapshot: who is due which touch, and why. A pure function; it reads no clock and changes nothing (E1)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from ar_core.asof import AsOf
from ar_core.cadence.account import evaluate_account
from ar_core.cadence.book import AccountFacts, Book
from ar_core.cadence.codes import Code
from ar_core.cadence.evaluation import (
    Action,
    Disposition,
    DispositionKind,
    Evaluation,
    EvaluationProblem,
    WorklistItem,
)
from ar_core.cadence.plan import CompiledPolicy
from ar_core.cadence.run import DAY, Run
from ar_core.cadence.state import AccountResult, dispose
from ar_core.calendar import WEEKENDS, Calendar
from ar_core.model.money import ZERO, exact
from ar_core.model.snapshot import Snapshot
from ar_core.scoring import SCORERS
from ar_core.segments import Tiers, assign_tiers, latest_rates

if TYPE_CHECKING:
    from ar_core.cadence.policy import Policy
    from ar_core.cadence.view import AccountView

__all__ = ["actions_of", "assemble", "evaluate", "evaluate_accounts", "prepare", "worklist_of"]


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
    """
    run = prepare(snapshot, CompiledPolicy(policy), as_of, tiers=tiers, calendar=calendar, scorer=scorer)
    book = Book(snapshot, policy.grouping.collect_at)
    results = {
        result.account_id: result
        for result in evaluate_accounts((book.account(i) for i in book.account_ids()), run, strict=strict)
    }
    notes = (Code.CALENDAR_DEFAULTED,) if calendar is None else ()
    return assemble(results, run, book, notes)


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
    with exact(), _no_collection():
        for facts in accounts:
            try:
                found.append(evaluate_account(facts, run))
            except Exception as error:
                if strict:
                    raise
                found.append(_failed(facts, run, error))
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the cyclic garbage collector off for a run: it makes millions of small records and no garbage in cycles, and every
    full collection would walk the whole book again (more than half of the time of a large run, measured).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _failed(facts: AccountFacts, run: Run, error: Exception) -> AccountResult:
    result = AccountResult(facts.id)
    result.dispositions = tuple(
        dispose(invoice, DispositionKind.PAUSED, Code.EVALUATION_ERROR) for invoice in facts.open_invoices
    )
    result.error = EvaluationProblem(customer_id=facts.id, kind=type(error).__name__, message=str(error))
    result.changes_at = run.midnight(run.today + DAY)
    return result


def assemble(
    results: Mapping[str, AccountResult],
    run: Run,
    book: Book,
    notes: tuple[Code, ...] = (),
) -> Evaluation:
    """Put the results of all accounts together: sorted, ranked, one value."""
    ordered = [results[account_id] for account_id in sorted(results)]
    dispositions = [d for result in ordered for d in result.dispositions]
    dispositions.extend(dispose(i, DispositionKind.PAUSED, Code.CUSTOMER_UNKNOWN) for i in book.orphans)
    dropped: frozenset[str] = frozenset()
    most = run.policy.limits.max_per_address
    if most is not None:
        dropped = _over_the_cap(ordered, most)
        dispositions = [_postponed(d, run) if d.action_key in dropped else d for d in dispositions]
    dispositions.sort(key=attrgetter("invoice_id"))
    instants = [r.changes_at for r in ordered if r.changes_at is not None]
    evaluation = Evaluation.trusted(
        policy=run.policy.ref,
        policy_hash=run.policy_hash,
        as_of=run.instant,
        zone=run.as_of.zone,
        today=run.today,
        dispositions=tuple(dispositions),
        pauses=tuple(p for r in ordered for p in r.pauses),
        promises=tuple(p for r in ordered for p in r.promises),
        segments=tuple(r.segment for r in ordered if r.segment is not None),
        signals=tuple(s for r in ordered for s in r.signals),
        next_change_at=min(instants, default=None),
        errors=tuple(r.error for r in ordered if r.error is not None),
        notes=notes,
    )
    return evaluation.bound(results, run, book, dropped)


def actions_of(
    results: Mapping[str, AccountResult], run: Run, dropped: frozenset[str] = frozenset()
) -> tuple[Action, ...]:
    """Every action, by account, written out in full."""
    found: list[Action] = []
    with exact():
        for account_id in sorted(results):
            try:
                found.extend(results[account_id].actions)
            except ArithmeticError as error:
                raise ValueError(
                    f"{account_id}: its actions cannot be written out at {run.instant}: {error}"
                ) from error
    return tuple(action for action in found if action.key not in dropped) if dropped else tuple(found)


def worklist_of(
    results: Mapping[str, AccountResult], dropped: frozenset[str] = frozenset()
) -> tuple[WorklistItem, ...]:
    """Every action, best first: score, balance, age, then id; a total order that no shuffling changes (R66, R67)."""
    rows: list[tuple[tuple[int, Decimal, int, str], str, AccountResult]] = []
    for result in results.values():
        if not result.drafts:
            continue
        place = (-result.score, -(result.balance_base or ZERO), -(result.max_dpd or 0), result.account_id)
        rows.extend((place, draft.key, result) for draft in result.drafts if draft.key not in dropped)
    rows.sort(key=itemgetter(0, 1))
    return tuple(
        WorklistItem.trusted(
            rank=rank,
            action_key=key,
            customer_id=result.account_id,
            score=result.score,
            balance_base=result.balance_base,
            max_dpd=result.max_dpd,
        )
        for rank, (_, key, result) in enumerate(rows, 1)
    )


def _over_the_cap(results: Iterable[AccountResult], most: int) -> frozenset[str]:
    """Keys of messages beyond so many to one address in a run, the best scores first (E47)."""
    rows = [
        (-result.score, result.account_id, draft.key, draft.address.casefold())
        for result in results
        for draft in result.drafts
        if draft.address is not None
    ]
    used: dict[str, int] = {}
    dropped = set()
    for _, _, key, address in sorted(rows):
        used[address] = used.get(address, 0) + 1
        if used[address] > most:
            dropped.add(key)
    return frozenset(dropped)


def _postponed(disposition: Disposition, run: Run) -> Disposition:
    return disposition.model_copy(
        update={
            "kind": DispositionKind.WAIT,
            "code": Code.ADDRESS_CAP,
            "until": run.today + DAY,
            "action_key": None,
        }
    )
