"""What did one account's evaluation give, and when may that change by itself?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ar_core.cadence.codes import Code
from ar_core.cadence.facts import CURRENCY, ID, OWNER, AccountFacts, OpenRow
from ar_core.cadence.holds import Hold
from ar_core.cadence.outcomes import Outcome
from ar_core.cadence.plan import NEVER
from ar_core.cadence.records import (
    Action,
    ActivePause,
    Disposition,
    DispositionKind,
    EvaluationProblem,
    Segment,
    Signal,
)
from ar_core.cadence.run import DAY, Run
from ar_core.cadence.signals import signals_of
from ar_core.cadence.state import ActionHead, State
from ar_core.model.base import adopt_all, reader
from ar_core.promises import PromiseState, PromiseVerdict, movement_days

__all__ = ["AccountResult", "Answered", "Standing", "answers", "dispositions_of", "failed", "result_of"]

_read_received: Final = reader("payment_date")


class Standing(NamedTuple):
    """Where an account with something overdue stands: what a status line in the ERP says."""

    stage: str | None
    since: date
    """The day its oldest invoice entered the stage."""
    rung: str
    pause: str | None
    step: str | None
    step_on: date | None


class AccountResult:
    """What one account's evaluation gave. Independent of every other account; picklable.

    What ranks it and when it changes is known at once; records are written out from what was decided when they are read.
    """

    __slots__ = (
        "_written",
        "account_id",
        "balance_base",
        "changes_at",
        "error",
        "heads",
        "max_dpd",
        "score",
        "state",
    )

    def __init__(self, account_id: str, state: State | None) -> None:
        self.account_id = account_id
        self.state = state
        """What was decided, and why; None once the result has come from another process, or when it failed."""
        self.heads: tuple[ActionHead, ...] = ()
        """Its actions, without what is written out."""
        self.changes_at: datetime | None = None
        """Earliest instant at which this result may change without new facts."""
        self.score = 0
        self.balance_base: Decimal | None = None
        self.max_dpd: int | None = None
        self.error: EvaluationProblem | None = None
        self._written: Mapping[str, Any] = _NOTHING

    @property
    def actions(self) -> tuple[Action, ...]:
        """The account's actions, with its score."""
        state = self.state
        if state is None:
            found: tuple[Action, ...] = self._written["actions"]
            return found
        written = tuple(draft.write(state) for draft in state.actions.values())
        if not self.score:
            return written
        return tuple(action.model_copy(update={"score": self.score}) for action in written)

    @property
    def dispositions(self) -> tuple[Disposition, ...]:
        """One per open invoice."""
        if self.state is None:
            found: tuple[Disposition, ...] = self._written["dispositions"]
            return found
        return tuple(dispositions_of(self.state.run.today_number, answers(self.state)))

    @property
    def pauses(self) -> tuple[ActivePause, ...]:
        """What stops it, or some of its invoices."""
        if self.state is None:
            found: tuple[ActivePause, ...] = self._written["pauses"]
            return found
        stop = self.state.stop
        rows: list[tuple[str | None, Hold | None]]
        rows = [(None, stop)] if stop is not None else [(i.id, i.hold) for i in self.state.items]
        return tuple(
            ActivePause.trusted(
                customer_id=self.account_id,
                invoice_id=invoice_id,
                code=hold.code,
                until=hold.until,
                record_id=hold.record_id,
            )
            for invoice_id, hold in rows
            if hold is not None
        )

    @property
    def promises(self) -> tuple[PromiseVerdict, ...]:
        """Its promises, judged."""
        if self.state is None:
            found: tuple[PromiseVerdict, ...] = self._written["promises"]
            return found
        return tuple(self.state.verdicts)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What others should know about it."""
        if self.state is None:
            found: tuple[Signal, ...] = self._written["signals"]
            return found
        return signals_of(self.state)

    @property
    def segment(self) -> Segment | None:
        """Where it stands on the two axes; None when it could not be evaluated."""
        state = self.state
        if state is None:
            found: Segment | None = self._written["segment"]
            return found
        view = state.view
        return Segment.trusted(
            customer_id=self.account_id,
            value_tier=view.value or "none",
            risk_tier=view.risk,
            lifetime_value=view.lifetime_value,
            rung=state.rung,
            codes=state.segment_codes + _money_codes(state),
        )

    @property
    def status(self) -> Standing | None:
        """What a status line in the ERP would say; None: nothing overdue."""
        if self.state is None:
            found: Standing | None = self._written["status"]
            return found
        return _status(self.state)

    def __reduce__(self) -> tuple[Any, ...]:
        """What is sent to another process: the records, not what they were made from."""
        kept = {
            name: getattr(self, name) for name in ("balance_base", "changes_at", "error", "max_dpd", "score")
        }
        written = {name: getattr(self, name) for name in _NOTHING}
        bare = [(d.key, d.kind, d.code, d.step, d.task, d.address) for d in self.heads]
        return _received, (self.account_id, kept, written, bare)


def _received(
    account_id: str,
    kept: Mapping[str, Any],
    written: Mapping[str, Any],
    heads: Iterable[tuple[Any, ...]],
) -> AccountResult:
    """A result as it comes from another process."""
    result = AccountResult(account_id, None)
    for name, value in kept.items():
        setattr(result, name, value)
    result._written = written  # noqa: SLF001
    result.heads = tuple(
        [
            ActionHead(key, kind, code, step=step, task=task, address=address)
            for key, kind, code, step, task, address in heads
        ]
    )
    return result


_NOTHING: Final[Mapping[str, Any]] = {
    "actions": (),
    "dispositions": (),
    "pauses": (),
    "promises": (),
    "signals": (),
    "segment": None,
    "status": None,
}


Answered = tuple[Sequence[OpenRow], Sequence[Outcome], Sequence[str | None]]
"""Open invoices, their answers, and the keys of the actions they are part of: one place in each per invoice."""


def answers(state: State) -> Answered:
    """The answers to the open invoices of an account."""
    chased, settled = state.chased, state.settled
    if None in chased.outcomes:
        place = chased.outcomes.index(None)
        raise AssertionError(f"{chased.rows[place][ID]} was left without an answer")
    if not settled:
        return chased.rows, chased.outcomes, chased.keys  # type: ignore[return-value]  # there is no None among them
    rows = [*[one.row for one in settled], *chased.rows]
    outcomes = [*[one.outcome for one in settled], *chased.outcomes]
    return rows, outcomes, [*[None] * len(settled), *chased.keys]  # type: ignore[return-value]  # as above


def dispositions_of(today: int, found: Answered) -> list[Disposition]:
    """The records, in the same order. `today`: a day number."""
    rows, outcomes, keys = found
    faces = {outcome: outcome.face(today) for outcome in set(outcomes)}
    made = []
    for row, outcome, key in zip(rows, outcomes, keys, strict=True):
        fields = faces[outcome].copy()
        fields["invoice_id"], fields["customer_id"], fields["action_key"] = row[ID], row[OWNER], key
        made.append(fields)
    return adopt_all(Disposition, made)


def result_of(state: State) -> AccountResult:
    """The result of an account that is decided."""
    result = AccountResult(state.facts.id, state)
    if state.actions:
        view = state.view
        result.score = state.run.scorer(view)
        result.balance_base = view.balance_base
        result.max_dpd = view.max_dpd
        result.heads = tuple(state.actions.values())
    result.changes_at = _changes_at(state)
    return result


def failed(facts: AccountFacts, run: Run, error: Exception) -> AccountResult:
    """The result of an account that could not be evaluated: its invoices are paused, and nothing is lost (E50)."""
    rows, outcome = facts.open_rows, run.outcomes.get(DispositionKind.PAUSED, Code.EVALUATION_ERROR)
    result = AccountResult(facts.id, None)
    result._written = {  # noqa: SLF001
        **_NOTHING,
        "dispositions": tuple(
            dispositions_of(run.today_number, (rows, [outcome] * len(rows), [None] * len(rows)))
        ),
    }
    result.error = EvaluationProblem(customer_id=facts.id, kind=type(error).__name__, message=str(error))
    result.changes_at = run.midnight(run.today + DAY)
    return result


def _money_codes(state: State) -> tuple[Code, ...]:
    """Why what an account owes cannot be said in base currency (E17); nothing where there is no base currency to say it in."""
    run = state.run
    if run.base_currency is None:
        return ()
    unknown = {row[CURRENCY] for row in state.chased.rows}.difference(run.rates)
    codes = (Code.CURRENCY_UNKNOWN,) if None in unknown else ()
    return (Code.RATE_UNKNOWN, *codes) if len(unknown) > len(codes) else codes


def _status(state: State) -> Standing | None:
    """Stage of the oldest overdue invoice, since when, rung, pause, and what comes next."""
    worst, run, stop = state.oldest_item, state.run, state.stop
    if worst is None or worst.dpd < 1:
        return None
    entered = state.plan.stage_start(worst.stage) if worst.stage is not None else None
    due = state.due_date(worst)
    since = due + timedelta(days=entered if entered is not None else 1)
    pause = stop.code if stop is not None else (worst.hold.code if worst.hold is not None else None)
    action = next((a for a in state.actions.values() if a.step is not None), None)
    outcome = worst.outcome
    waits = run.in_days(outcome.until_in) if outcome is not None else None
    return Standing(
        str(worst.stage) if worst.stage is not None else None,
        max(since, due + DAY),
        state.rung.value,
        pause.value if pause is not None else None,
        action.step if action is not None else (outcome.step if outcome else None),
        None if action is not None else waits,
    )


def _changes_at(state: State) -> datetime | None:
    """The earliest instant at which anything above may come out differently without new facts."""
    run, today = state.run, state.run.today
    first = state.soonest
    pending = bool(state.actions or state.due or state.for_people or state.copy_waits)
    if pending and first > 1:
        first = 1
    if first > 1:  # nothing that changes by the day can be sooner than tomorrow
        for day in (*state.days, *state.view.changes_on, *state.holds.changes_on, *_future_days(state)):
            if day > today:
                first = min(first, day.toordinal() - run.today_number)
    found = run.midnight(run.day(run.today_number + first)) if first < NEVER else None
    for day in state.send_days:
        if day > today:
            sends_from = run.sends_from(day, state.slot)
            if found is None or sends_from < found:
                found = sends_from
    if pending:
        for slot in (state.slot, *state.other_slots):
            if found is None or slot.changes_at < found:
                found = slot.changes_at
    later = state.history.next_at
    return later if later is not None and (found is None or later < found) else found


def _future_days(state: State) -> list[date]:
    """Days on which facts that are already recorded take effect."""
    facts, today = state.facts, state.run.today
    days: list[date | None] = [*_read_received(facts.payments)]
    if facts.credit_notes or facts.adjustments:
        days += [n.issue_date for n in facts.credit_notes]
        days += [a.adjustment_date for a in facts.adjustments]
    if facts.promises:
        days += _promise_days(state)
    for dispute in facts.disputes:
        days += [dispute.opened_on, dispute.resolved_on]
    for pause in facts.pauses:
        days += [pause.starts_on, pause.lifted_on, None if pause.ends_on is None else pause.ends_on + DAY]
    return [day for day in days if day is not None and day > today]


def _promise_days(state: State) -> list[date | None]:
    """Days on which a promise is given, withdrawn, late or broken, and on which something counts towards one, whoever it is from."""
    facts, run = state.facts, state.run
    days: list[date | None] = []
    for promise in facts.promises:
        given, recorded = promise.given_on, promise.recorded_at
        if given is None and recorded is not None:
            given = run.local_day(recorded)
        days += [given, promise.withdrawn_on]
    for verdict in state.verdicts:
        if verdict.pending:
            last = verdict.promised_date if verdict.state is PromiseState.OPEN else verdict.deadline
            days.append(last + DAY)
    own = [row[ID] for row in (*facts.open_rows, *facts.closed_rows)]
    days += movement_days(own, facts.book.allocations, facts.book.sources)
    return days
