"""Evaluate a snapshot: who is due which touch, and why. A pure function; it reads no clock and changes nothing (E1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ar_core.asof import AsOf
from ar_core.cadence.account import AccountResult, dispose, evaluate_account
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
from ar_core.calendar import WEEKENDS, Calendar
from ar_core.model.money import ZERO, exact
from ar_core.model.snapshot import Snapshot
from ar_core.scoring import SCORERS
from ar_core.segments import Tiers, assign_tiers, latest_rates

if TYPE_CHECKING:
    from ar_core.cadence.policy import Policy
    from ar_core.cadence.view import AccountView

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
    with exact():
        for facts in accounts:
            try:
                found.append(evaluate_account(facts, run))
            except Exception as error:
                if strict:
                    raise
                found.append(_failed(facts, run, error))
    return found


def _failed(facts: AccountFacts, run: Run, error: Exception) -> AccountResult:
    result = AccountResult(facts.id)
    result.dispositions = tuple(
        dispose(invoice, DispositionKind.PAUSED, Code.EVALUATION_ERROR) for invoice in facts.open_invoices
    )
    result.error = EvaluationProblem(customer_id=facts.id, kind=type(error).__name__, message=str(error))
    result.changes_at = run.midnight(run.today + DAY)
    result.tier = run.tiers.of(facts.id).tier
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
    actions = [action for result in ordered for action in result.actions]
    if run.policy.limits.max_per_address is not None:
        actions, dispositions = _cap_addresses(actions, dispositions, run, run.policy.limits.max_per_address)
    dispositions.sort(key=lambda d: d.invoice_id)
    instants = [r.changes_at for r in ordered if r.changes_at is not None]
    evaluation = Evaluation.trusted(
        policy=run.policy.ref,
        policy_hash=run.policy.content_hash,
        as_of=run.instant,
        zone=run.as_of.zone,
        today=run.today,
        actions=tuple(actions),
        worklist=_worklist(actions, results),
        dispositions=tuple(dispositions),
        pauses=tuple(p for r in ordered for p in r.pauses),
        promises=tuple(p for r in ordered for p in r.promises),
        segments=tuple(r.segment for r in ordered if r.segment is not None),
        signals=tuple(s for r in ordered for s in r.signals),
        next_change_at=min(instants, default=None),
        errors=tuple(r.error for r in ordered if r.error is not None),
        notes=notes,
    )
    return evaluation.bound(results, run, book)


def _worklist(actions: Iterable[Action], results: Mapping[str, AccountResult]) -> tuple[WorklistItem, ...]:
    """Every action, best first: score, balance, age, then id; a total order that no shuffling changes (R66, R67)."""
    rows = []
    for action in actions:
        result = results[action.customer_id]
        rows.append(
            (
                (
                    -action.score,
                    -(result.balance_base or ZERO),
                    -(result.max_dpd or 0),
                    action.customer_id,
                    action.key,
                ),
                action,
                result,
            )
        )
    rows.sort(key=lambda row: row[0])
    return tuple(
        WorklistItem.trusted(
            rank=rank,
            action_key=action.key,
            customer_id=action.customer_id,
            score=action.score,
            balance_base=result.balance_base,
            max_dpd=result.max_dpd,
        )
        for rank, (_, action, result) in enumerate(rows, 1)
    )


def _cap_addresses(
    actions: list[Action], dispositions: list[Disposition], run: Run, most: int
) -> tuple[list[Action], list[Disposition]]:
    """At most so many messages to one address in a run, the best scores first; the others wait a day (E47)."""
    used: dict[str, int] = {}
    dropped: set[str] = set()
    for action in sorted(actions, key=lambda a: (-a.score, a.customer_id, a.key)):
        if action.address is None:
            continue
        address = action.address.casefold()
        used[address] = used.get(address, 0) + 1
        if used[address] > most:
            dropped.add(action.key)
    if not dropped:
        return actions, dispositions
    kept = [a for a in actions if a.key not in dropped]
    changed = [
        d.model_copy(
            update={
                "kind": DispositionKind.WAIT,
                "code": Code.ADDRESS_CAP,
                "until": run.today + DAY,
                "action_key": None,
            }
        )
        if d.action_key in dropped
        else d
        for d in dispositions
    ]
    return kept, changed
