"""A run and the run after it, with one or two accounts: what each is told, and what the second one keeps of the first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

import ar_core as ar
from ar_core.cadence.results import AccountResult
from tests.cadence import books as b

BALANCED = b.policy_of("balanced")
TOMORROW = b.as_of(b.TODAY + timedelta(days=1))
FAR = b.book(b.invoice("i1", -20))
DUE_AND_FAR = b.book(b.invoice("i1", 9, "c1"), b.invoice("i2", -40, "c2"))
FIRST_DAY = b.changed("balanced", steps=[{"id": "first", "at": 1}])
BY_PARENT = b.changed("balanced", grouping={"collect_at": "parent"})
FAMILY = b.book(b.customer("c1"), b.customer("c2", parent_id=b.customer_id("c1")), b.invoice("i2", 9, "c2"))
RATE = ar.ExchangeRate(currency="EUR", base_currency="USD", rate=Decimal(2), as_of=b.TODAY)


def result(found: ar.Evaluation, owner: str) -> AccountResult:
    return found.parts()[0][b.customer_id(owner)]


class TestWhatARunIsTold:
    def test_that_only_weekends_are_free_where_no_calendar_is_given(self) -> None:
        assert ar.evaluate(FAR, BALANCED, b.as_of()).notes == (ar.Code.CALENDAR_DEFAULTED,)

    def test_not_where_one_is(self) -> None:
        assert ar.evaluate(FAR, BALANCED, b.as_of(), calendar=ar.WEEKENDS).notes == ()

    def test_a_calendar_of_ones_own_moves_the_message(self) -> None:
        free = ar.HolidayCalendar({None: {b.TODAY}})
        found = ar.evaluate(b.book(b.invoice("i1", 9)), BALANCED, b.as_of(), calendar=free)
        assert b.only_touch(found).not_before == b.as_of(TOMORROW.today, 9).instant

    def test_the_base_currency(self) -> None:
        assert b.run(FAR).parts()[1].base_currency == "USD"

    def test_whether_the_tiers_were_given(self) -> None:
        assert b.run(FAR).parts()[1].tiers_given is True
        assert ar.evaluate(FAR, BALANCED, b.as_of()).parts()[1].tiers_given is False


class TestItsLists:
    def test_a_day_past_due_ranks_before_none_whatever_the_ids(self) -> None:
        found = b.run(
            b.invoice("i1", 0, "c1"), b.invoice("i2", 1, "c2"), policy=FIRST_DAY, scorer=lambda _: 1
        )
        assert [(row.customer_id, row.max_dpd) for row in found.worklist] == [
            (b.customer_id("c2"), 1),
            (b.customer_id("c1"), 0),
        ]

    @pytest.mark.pure
    def test_actions_that_cannot_be_written_out_name_their_account_and_the_moment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(_: AccountResult) -> tuple[ar.Action, ...]:
            raise ArithmeticError("too long")

        found = b.run(FAR)
        monkeypatch.setattr(AccountResult, "actions", property(failing))
        text = f"^{b.customer_id()}: its actions cannot be written out at {b.NOON}: too long$"
        with pytest.raises(ValueError, match=text.replace("+", r"\+")):
            _ = found.actions


class TestTheRunAfterIt:
    def test_an_account_that_was_kept_says_the_same_days_a_day_later(self) -> None:
        first = b.run(FAR)
        again = ar.reevaluate(first, FAR, (), TOMORROW)
        assert result(again, "c1") is result(first, "c1")
        assert b.of(again).until == b.of(first).until == b.TODAY + timedelta(days=17)

    def test_only_what_may_have_changed_by_then_is_decided_anew(self) -> None:
        first = b.run(DUE_AND_FAR)
        again = ar.reevaluate(first, DUE_AND_FAR, (), TOMORROW)
        assert result(again, "c1") is not result(first, "c1")
        assert result(again, "c2") is result(first, "c2")

    def test_nothing_where_nothing_will_ever_change(self) -> None:
        stage = {"id": "all", "tone": "firm", "origin": "test"}
        step = {"id": "only", "at": 3, "channels": ["email"], "tone": "firm", "origin": "test"}
        policy = ar.load_policy({"schema": "cadence-policy/1", "id": "p", "stages": [stage], "steps": [step]})
        records = b.book(b.invoice("i1", 400), b.touch("t1", step="only", covers=("i1",)))
        first = b.run(records, policy=policy)
        assert first.next_change_at is None
        assert result(ar.reevaluate(first, records, (), TOMORROW), "c1") is result(first, "c1")

    def test_of_a_tier_only_whose_it_is(self) -> None:
        first = b.run(DUE_AND_FAR)
        same = ar.TierAssignment("core", Decimal(1000))
        moved = ar.Tiers(
            {b.customer_id("c1"): ar.TierAssignment("tail", Decimal(1)), b.customer_id("c2"): same}
        )
        again = ar.reevaluate(first, DUE_AND_FAR, (), b.as_of(), tiers=moved)
        assert result(again, "c1") is not result(first, "c1")
        assert result(again, "c2") is result(first, "c2")

    def test_in_another_zone_everything_by_the_same_collector(self) -> None:
        first = b.run(FAMILY, policy=BY_PARENT)
        moment = b.as_of(TOMORROW.today, zone="Asia/Tokyo")
        again = ar.reevaluate(first, FAMILY, (), moment)
        assert again.zone == again.parts()[1].home == "Asia/Tokyo"
        assert list(again.parts()[0]) == [b.customer_id("c1")]
        assert again.fingerprint == b.run(FAMILY, policy=BY_PARENT, at=moment).fingerprint

    def test_a_rate_that_came_ranks_customers_anew(self) -> None:
        """Worth 3 in euros and 5 in dollars: who is the first of two changes with the rate of 2."""
        rich = b.profile("c1", lifetime_value=Decimal(3), lifetime_value_currency="EUR")
        records = (
            b.invoice("i1", 9, "c1"),
            b.invoice("i2", 9, "c2"),
            rich,
            b.profile("c2", lifetime_value=Decimal(5)),
        )
        later = b.book(*records, RATE)
        first = ar.evaluate(b.book(*records), BALANCED, b.as_of())
        again = ar.reevaluate(first, later, (), b.as_of())
        now = ar.evaluate(later, BALANCED, b.as_of())
        assert [s.value_tier for s in first.segments] != [s.value_tier for s in now.segments]
        assert [s.value_tier for s in again.segments] == [s.value_tier for s in now.segments]
