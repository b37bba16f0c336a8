"""All accounts of one run together: what an evaluation is read from, list by list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any, Final

from ar_core.cadence.book import Book
from ar_core.cadence.codes import Code
from ar_core.cadence.facts import ID, PLACE, OpenRow
from ar_core.cadence.outcomes import Outcome
from ar_core.cadence.records import (
    Action,
    ActivePause,
    Disposition,
    DispositionKind,
    EvaluationProblem,
    Segment,
    Signal,
    WorklistItem,
)
from ar_core.cadence.results import AccountResult, Answered, answers, dispositions_of
from ar_core.cadence.run import DAY, Run
from ar_core.cadence.writebacks import commands_of
from ar_core.commands import Command
from ar_core.model.base import reader
from ar_core.model.money import ZERO, exact
from ar_core.promises import PromiseVerdict

__all__ = ["Decisions"]

_read_received: Final = reader("payment_date")


class Decisions:
    """The results of a run's accounts, in one order, and the lists that are written out from them.

    `not_before`: no result changes sooner, where that is known of those of an earlier run; the search for the first ends there.
    """

    def __init__(
        self, results: Mapping[str, AccountResult], run: Run, book: Book, not_before: datetime | None = None
    ) -> None:
        self.results = results
        self.run = run
        self.book = book
        self.first_change_at: Final = _first_change(results.values(), not_before)
        """Earliest instant at which one of the results may change without new facts."""
        self._sorted: list[AccountResult] | None = None
        self._dropped: frozenset[str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Decisions, (self.results, self.run, self.book)

    @property
    def _ordered(self) -> list[AccountResult]:
        if self._sorted is None:
            self._sorted = [self.results[account_id] for account_id in sorted(self.results)]
        return self._sorted

    @property
    def next_change_at(self) -> datetime | None:
        """Earliest instant at which any account may change without new facts."""
        run, found = self.run, self.first_change_at
        if found is not None and found <= run.midnight(run.today + DAY):
            return found  # nothing below comes sooner, and in most books somebody is due today
        first = min(self._days_for_all(), default=None)
        if first is None:
            return found
        midnight = run.midnight(first)
        return midnight if found is None else min(found, midnight)

    def _days_for_all(self) -> list[date]:
        """Days to come on which something may change for an account without its own records: a rate begins, or a payment moves tiers."""
        run, snapshot = self.run, self.book.snapshot
        days = [rate.as_of for rate in snapshot.rates if rate.base_currency == run.base_currency]
        if not run.tiers_given:
            days += [day for day in _read_received(snapshot.payments) if day is not None]
        return [day for day in days if day > run.today]

    @property
    def errors(self) -> tuple[EvaluationProblem, ...]:
        """Accounts that could not be evaluated."""
        problems = [(r.account_id, r.error) for r in self.results.values() if r.error is not None]
        return tuple(error for _, error in sorted(problems, key=itemgetter(0)))

    def actions(self) -> tuple[Action, ...]:
        """Every action, by account, written out in full."""
        found: list[Action] = []
        with exact():
            for result in self._ordered:
                try:
                    found.extend(result.actions)
                except ArithmeticError as error:
                    where = f"{result.account_id}: its actions cannot be written out at {self.run.instant}"
                    raise ValueError(f"{where}: {error}") from error
        dropped = self.dropped
        return tuple(action for action in found if action.key not in dropped) if dropped else tuple(found)

    def worklist(self) -> tuple[WorklistItem, ...]:
        """Every action, best first: score, balance, age, then id; a total order that no shuffling changes (R66, R67)."""
        rows: list[tuple[tuple[int, Decimal, int, str], str, AccountResult]] = []
        dropped = self.dropped
        for result in self.results.values():
            if not result.heads:
                continue
            place = (-result.score, -(result.balance_base or ZERO), -(result.max_dpd or 0), result.account_id)
            rows.extend((place, head.key, result) for head in result.heads if head.key not in dropped)
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

    def dispositions(self) -> tuple[Disposition, ...]:
        """One per open invoice, by invoice id."""
        run, dropped = self.run, self.dropped
        rows: list[OpenRow] = []
        outcomes: list[Outcome] = []
        keys: list[str | None] = []
        others: list[Disposition] = []
        for result in self.results.values():
            if result.state is None:
                others += result.dispositions
                continue
            answered, days = answers(result.state), result.state.run.today_number - run.today_number
            rows += answered[0]
            outcomes += [run.outcomes.moved(o, days) for o in answered[1]] if days else answered[1]
            keys += answered[2]
        orphans = self.book.orphan_rows
        rows += orphans
        outcomes += [run.outcomes.get(DispositionKind.PAUSED, Code.CUSTOMER_UNKNOWN)] * len(orphans)
        keys += [None] * len(orphans)
        found = dispositions_of(run.today_number, _by_id(rows, outcomes, keys))
        if others:
            found = sorted([*found, *others], key=attrgetter("invoice_id"))
        if dropped:
            found = [self._postponed(d) if d.action_key in dropped else d for d in found]
        return tuple(found)

    def pauses(self) -> tuple[ActivePause, ...]:
        """What stops accounts and invoices, by account."""
        return tuple(pause for result in self._ordered for pause in result.pauses)

    def promises(self) -> tuple[PromiseVerdict, ...]:
        """Every promise, judged, by account."""
        return tuple(verdict for result in self._ordered for verdict in result.promises)

    def segments(self) -> tuple[Segment, ...]:
        """Where each account stands."""
        return tuple(segment for r in self._ordered if (segment := r.segment) is not None)

    def signals(self) -> tuple[Signal, ...]:
        """What others should know, by account."""
        return tuple(signal for result in self._ordered for signal in result.signals)

    def commands(self) -> tuple[Command, ...]:
        """What is proposed to be written into the ERP."""
        return commands_of(self._ordered, self.run)

    @property
    def dropped(self) -> frozenset[str]:
        """Keys of messages beyond so many to one address in a run, the best scores first (E47); found on first use."""
        if self._dropped is None:
            self._dropped = self._find_dropped()
        return self._dropped

    def _find_dropped(self) -> frozenset[str]:
        most = self.run.limits.max_per_address
        if most is None:
            return frozenset()
        rows = [
            (-result.score, result.account_id, head.key, head.address.casefold())
            for result in self.results.values()
            for head in result.heads
            if head.address is not None
        ]
        used: dict[str, int] = {}
        dropped = set()
        for _, _, key, address in sorted(rows):
            used[address] = used.get(address, 0) + 1
            if used[address] > most:
                dropped.add(key)
        return frozenset(dropped)

    def _postponed(self, disposition: Disposition) -> Disposition:
        return disposition.model_copy(
            update={
                "kind": DispositionKind.WAIT,
                "code": Code.ADDRESS_CAP,
                "until": self.run.today + DAY,
                "action_key": None,
            }
        )


def _first_change(results: Iterable[AccountResult], not_before: datetime | None) -> datetime | None:
    """When the first of these changes by itself; in most books many do at one instant, so that it is found early where it is known."""
    first: datetime | None = None
    for result in results:
        instant = result.changes_at
        if instant is not None and (first is None or instant < first):
            first = instant
            if first == not_before:
                break
    return first


def _by_id(rows: list[OpenRow], outcomes: list[Outcome], keys: list[str | None]) -> Answered:
    """The answers, by invoice id.

    Where all rows come from one snapshot, their places are the order of the ids already. To put them there, and to see whether it is so,
    costs a third of a sort of ids that lie account by account, which is what has to be done in other cases (an incremental run).
    """
    count = len(rows)
    in_place: tuple[list[Any], list[Any], list[Any]] = [None] * count, [None] * count, [None] * count
    placed, answered, part_of = in_place
    for row, outcome, key in zip(rows, outcomes, keys, strict=True):
        place: int = row[PLACE]
        if place < count:
            placed[place], answered[place], part_of[place] = row, outcome, key
    ids = [row[ID] for row in placed if row is not None]
    if len(ids) == count and ids == sorted(ids):
        return in_place
    order = sorted(range(count), key=[row[ID] for row in rows].__getitem__)
    return [rows[p] for p in order], [outcomes[p] for p in order], [keys[p] for p in order]
