"""Answers and stages as values: one answer moved to another day, stages in their order, steps that are given up."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import ar_core as ar
from ar_core.cadence.outcomes import Outcomes
from ar_core.cadence.view import AccountView, StageValue
from tests.cadence import books as b

ORDER = {"early": 0, "late": 1}
EARLY, LATE = (StageValue(name, place, ORDER) for name, place in ORDER.items())


class TestStages:
    def test_they_compare_by_their_place_and_not_by_their_letters(self) -> None:
        order = {"z": 0, "a": 1}
        first, second = (StageValue(name, place, order) for name, place in order.items())
        assert first < "a"
        assert first <= "a"
        assert not first > "a"
        assert not first >= "a"
        assert second > "z"
        assert second >= "z"
        assert not second < "z"
        assert not second <= "z"

    def test_one_is_as_late_as_itself(self) -> None:
        assert EARLY <= "early"
        assert EARLY >= "early"
        assert not EARLY < "early"
        assert not EARLY > "early"

    def test_they_come_whole_from_another_process(self) -> None:
        again = pickle.loads(pickle.dumps(LATE))
        assert (again, again.place, again.order, again > "early") == ("late", 1, ORDER, True)


class TestAnswers:
    def test_one_is_the_same_for_a_run_on_another_day_with_its_days_counted_from_there(self) -> None:
        known = Outcomes()
        wait = known.get(
            ar.DispositionKind.WAIT, ar.Code.MIN_GAP, 5, "late", "call", (ar.Code.PRESENCE_ONLY,)
        )
        moved = known.moved(wait, -2)
        assert (moved.kind, moved.code, moved.until_in) == (ar.DispositionKind.WAIT, ar.Code.MIN_GAP, 3)
        assert (moved.stage, moved.step, moved.codes) == ("late", "call", (ar.Code.PRESENCE_ONLY,))
        assert known.moved(moved, 2) is wait
        assert len(known) == 2

    def test_one_without_a_day_is_itself_on_every_day(self) -> None:
        known = Outcomes()
        done = known.get(ar.DispositionKind.WAIT, ar.Code.CADENCE_EXHAUSTED)
        assert known.moved(done, -2) is done

    def test_many_invoices_share_few(self) -> None:
        found = b.run(*(b.invoice(f"i{n}", 9, f"c{n}") for n in range(1, 9)))
        results, run, _ = found.parts()
        shared = {id(o) for r in results.values() if r.state is not None for o in r.state.chased.outcomes}
        assert len(shared) == 1
        assert run.outcomes is b.run(b.invoice("i1", 9)).parts()[1].outcomes


class TestSumsInBaseCurrency:
    RATES: Mapping[str, Decimal] = {"EUR": Decimal("1.1")}

    @staticmethod
    def view(base: str | None, rates: Mapping[str, Decimal]) -> AccountView:
        nothing: Any = None
        return AccountView(nothing, nothing, (), (), nothing, b.TODAY, base, rates)

    def test_another_currency_by_its_rate(self) -> None:
        view = self.view("USD", self.RATES)
        assert (view.in_base(Decimal(10), "EUR"), view.in_base(Decimal(10), "USD")) == (
            Decimal(11),
            Decimal(10),
        )
        assert view.rate_missing is False

    def test_without_a_rate_it_is_unknown_and_noted(self) -> None:
        view = self.view("USD", self.RATES)
        assert view.in_base(Decimal(10), "GBP") is None
        assert view.rate_missing is True

    def test_with_a_base_and_no_rates_at_all_too(self) -> None:
        assert self.view("USD", {}).in_base(Decimal(10), "EUR") is None

    def test_without_both_all_is_taken_as_it_is_and_without_a_base_alone_it_is_not(self) -> None:
        assert self.view(None, {}).in_base(Decimal(10), "EUR") == 10
        assert self.view(None, self.RATES).in_base(Decimal(10), "GBP") is None


def test_steps_that_are_given_up_stay_so() -> None:
    found = b.run(*(b.invoice(f"i{n}", 9) for n in (1, 2, 3)))
    state = found.parts()[0][b.customer_id()].state
    assert state is not None
    first, second, third = state.items
    first.give_up_step()
    second.give_up_step()
    assert (first.step, second.step) == (None, None)
    assert third.step is not None


def test_an_invoice_is_seen_with_its_own_stage_and_balance() -> None:
    found = b.run(b.invoice("i1", 9, balance_due=Decimal(40)), b.invoice("i2", 30))
    state = found.parts()[0][b.customer_id()].state
    assert state is not None
    views = [state.invoice_view(item) for item in state.items]
    assert [(v.stage, v.balance, v.part_paid) for v in views] == [
        ("first_demand", Decimal(40), True),
        ("escalation", Decimal(100), False),
    ]
    assert b.TODAY - timedelta(days=views[0].dpd) == state.items[0].invoice.due_date
