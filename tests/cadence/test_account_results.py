"""What one account's evaluation gave: its standing, when it may change by itself, and the same from another process."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.results import AccountResult, answers
from ar_core.calendar import wall_time
from tests.cadence import books as b


def result_of(found: ar.Evaluation, owner: str = "c1") -> AccountResult:
    return found.parts()[0][b.customer_id(owner)]


def midnight_in(days: int) -> datetime:
    return b.as_of(b.TODAY + timedelta(days=days), 0).instant


class TestFromAnotherProcess:
    RICH = (
        b.invoice("i1", 9),
        b.invoice("i2", 4),
        b.dispute(about="i2"),
        b.promise(on=-9, given=12, covers=("i1",)),
        b.touch("t1", ago=10, step="first", covers=("i1",)),
    )

    def test_it_says_everything_that_it_said_here(self) -> None:
        here = result_of(b.run(*self.RICH))
        there: AccountResult = pickle.loads(pickle.dumps(here))
        assert there.state is None
        names = (
            "account_id",
            "score",
            "balance_base",
            "max_dpd",
            "changes_at",
            "error",
            "actions",
            "dispositions",
        )
        for name in (*names, "pauses", "promises", "signals", "segment", "status"):
            assert getattr(there, name) == getattr(here, name), name
        assert there.actions
        assert there.dispositions
        assert there.pauses
        assert there.promises
        assert there.status

    def test_so_do_the_heads_of_its_actions(self) -> None:
        def told(result: AccountResult) -> list[tuple[Any, ...]]:
            return [(h.key, h.kind, h.code, h.step, h.task, h.address) for h in result.heads]

        here = result_of(b.run(*self.RICH, value="strategic"))
        assert told(pickle.loads(pickle.dumps(here))) == told(here)
        first, notice = told(here)[:2]
        assert first[1:] == (ar.ActionKind.TOUCH, ar.Code.STEP_DUE, "demand", None, "c1@example.com")
        assert notice[1:] == (ar.ActionKind.INTERNAL, ar.Code.NOTIFY, None, "demand:notify", None)

    def test_and_those_of_a_decision(self) -> None:
        heads = result_of(b.run(b.invoice("i1", 80))).heads
        assert ("decide", ar.ActionKind.DECISION, ar.Code.DECISION_REQUIRED) in [
            (h.step, h.kind, h.code) for h in heads
        ]

    def test_nothing_to_do_is_no_score_and_no_heads(self) -> None:
        found = result_of(b.run(b.invoice("i1", -20)))
        assert (found.heads, found.score, found.balance_base, found.max_dpd, found.error) == (
            (),
            0,
            None,
            None,
            None,
        )
        assert found.status is None


def test_an_invoice_that_was_left_without_an_answer_is_named() -> None:
    state = result_of(b.run(b.invoice("i1", 4), b.invoice("i2", 9))).state
    assert state is not None
    state.chased.outcomes[state.chased.rows.index(state.items[1].row)] = None
    with pytest.raises(AssertionError, match=f"^{state.items[1].id} was left without an answer$"):
        answers(state)


class TestStanding:
    def test_before_the_first_stage_it_is_since_the_day_after_the_due_date(self) -> None:
        stages = [{"id": "late", "from": 30, "tone": "firm", "origin": "test"}]
        step = {"id": "only", "at": 30, "channels": ["email"], "tone": "firm", "origin": "test"}
        policy = ar.load_policy({"schema": "cadence-policy/1", "id": "p", "stages": stages, "steps": [step]})
        found = result_of(b.run(b.invoice("i1", 9), policy=policy)).status
        assert found is not None
        assert (found.stage, found.since) == (None, b.TODAY - timedelta(days=8))
        assert (found.step, found.step_on) == ("only", b.TODAY + timedelta(days=21))

    def test_what_is_due_has_no_day(self) -> None:
        found = result_of(b.run(b.invoice("i1", 9))).status
        assert found is not None
        since = b.TODAY - timedelta(days=1)
        assert found == ("first_demand", since, "automated", None, "demand", None)

    def test_a_task_is_no_step(self) -> None:
        """What comes next is the contact, not the notice or question beside it."""
        attempt = b.touch("t1", ago=1, outcome=ar.TouchOutcome.AMBIGUOUS)
        found = b.run(b.invoice("i1", 9), attempt)
        assert [a.step for a in found.actions] == [None]
        standing = result_of(found).status
        assert standing is not None
        assert (standing.step, standing.step_on) == ("demand", None)

    def test_what_waits_has_one(self) -> None:
        found = result_of(b.run(b.invoice("i1", 9), b.touch("t1", ago=1))).status
        assert found is not None
        assert (found.pause, found.step, found.step_on) == (None, "demand", b.TODAY + timedelta(days=2))

    def test_while_the_oldest_waits_the_contact_about_another_comes_next(self) -> None:
        called = b.touch("t1", ago=6, step="call", covers=("i1",))
        found = b.run(b.invoice("i1", 30), b.invoice("i2", 9), called)
        assert b.of(found, "i1").until is not None
        standing = result_of(found).status
        assert standing is not None
        assert (standing.stage, standing.step, standing.step_on) == ("escalation", "demand", None)

    def test_a_pause_of_the_account_or_of_its_oldest_invoice(self) -> None:
        whole = result_of(b.run(b.invoice("i1", 9), b.profile(flags=("legal_stop",)))).status
        oldest = result_of(b.run(b.invoice("i1", 9), b.invoice("i2", 4), b.dispute(about="i1"))).status
        assert whole is not None
        assert oldest is not None
        assert (whole.pause, oldest.pause) == ("LEGAL_STOP", "DISPUTED")


class TestWhenItMayChange:
    def test_what_is_due_rests_on_the_hours_in_which_it_may_go_out(self) -> None:
        found = b.run(b.invoice("i1", 9))
        assert found.next_change_at == b.as_of(hour=17).instant

    def test_so_does_a_step_that_a_limit_keeps_back(self) -> None:
        found = b.run(b.invoice("i1", 9), b.touch("t1", ago=1))
        assert not found.actions
        assert found.next_change_at == b.as_of(hour=17).instant

    def test_and_a_decision_or_a_task_alone(self) -> None:
        decision = b.run(b.invoice("i1", 80), b.touch("t1", ago=1, step="letter", covers=("i1",)))
        assert [(a.step, a.task) for a in decision.actions] == [("decide", None), (None, "rung:finance_lead")]
        task = b.run(b.invoice("i1", -20), b.touch("t1", ago=1, outcome=ar.TouchOutcome.AMBIGUOUS))
        assert [a.task for a in task.actions] == ["resolve_attempt"]
        assert decision.next_change_at == task.next_change_at == b.as_of(hour=17).instant

    def test_the_next_day_of_the_organization_comes_before_that_of_a_contact_in_the_west(self) -> None:
        west = b.contact(time_zone="Pacific/Honolulu")
        for dpd in (*range(3, 7), *range(8, 21)):
            found = b.run(b.invoice("i1", dpd), west, at=b.as_of(hour=23))
            assert found.actions
            assert found.next_change_at == midnight_in(1), dpd

    def test_a_fact_of_tomorrow_comes_before_a_step_of_the_day_after(self) -> None:
        for dpd in range(-9, -5):
            assert b.run(b.invoice("i1", dpd), b.payment(ago=-1)).next_change_at == midnight_in(1), dpd

    def test_a_contact_on_record_for_later_counts_from_its_own_instant(self) -> None:
        later = b.touch("t2", ago=-3)
        assert b.run(b.invoice("i1", -40), later).next_change_at == later.at
        assert b.run(b.invoice("i1", -40), b.payment(ago=-2), later).next_change_at == midnight_in(2)

    def test_where_nothing_else_will_change_only_that_does(self) -> None:
        stage = {"id": "all", "tone": "firm", "origin": "test"}
        step = {"id": "only", "at": 3, "channels": ["email"], "tone": "firm", "origin": "test"}
        policy = ar.load_policy({"schema": "cadence-policy/1", "id": "p", "stages": [stage], "steps": [step]})
        done, later = b.touch("t1", step="only", covers=("i1",)), b.touch("t2", ago=-3)
        assert b.run(b.invoice("i1", 400), done, policy=policy).next_change_at is None
        assert b.run(b.invoice("i1", 400), done, later, policy=policy).next_change_at == later.at

    def test_the_hours_of_the_account_and_of_who_is_written_to_both_count(self) -> None:
        """The customer's day ends in New York at 17:00, that of the contact in Los Angeles three hours later; and the other way round."""
        for zone, hour in (("America/Los_Angeles", 17), ("Atlantic/Azores", 13)):
            found = b.run(
                b.invoice("i1", 9),
                b.contact(phone=None, mobile=None, time_zone="America/New_York"),
                b.contact(name="head", role=ar.ContactRole.DEPARTMENT_HEAD, time_zone=zone),
                b.customer(time_zone="America/New_York"),
                policy=HEAD_FIRST,
            )
            slot = b.only_touch(found)
            assert slot.contact_id is not None
            assert slot.contact_id.endswith("head")
            assert slot.not_before == wall_time(date(2026, 11, 25), HEAD_FIRST.clock.not_before, zone)
            assert found.next_change_at == b.as_of(hour=hour).instant


HEAD_FIRST = b.changed("balanced", steps=[{"id": "demand", "audience": "department_head"}])


class TestFactsOfDaysToCome:
    """What is dated later than today changes the result on its day."""

    @staticmethod
    def on(kind: str, days: int) -> Any:
        day = b.TODAY + timedelta(days=days)
        whose = b.customer_id()
        match kind:
            case "payment":
                return b.payment(ago=-days, unapplied="5")
            case "credit note":
                name = ar.record_id("quickbooks", "1", ar.RecordKind.CREDIT_NOTE, "n1")
                return ar.CreditNote(
                    id=name,
                    customer_id=whose,
                    currency="USD",
                    issue_date=day,
                    total=Decimal(5),
                    unapplied_amount=Decimal(0),
                    document_status=ar.DocumentStatus.POSTED,
                )
            case "adjustment":
                name = ar.record_id("quickbooks", "1", ar.RecordKind.ADJUSTMENT, "a1")
                return ar.Adjustment(
                    id=name,
                    customer_id=whose,
                    currency="USD",
                    adjustment_date=day,
                    amount=Decimal(5),
                    document_status=ar.DocumentStatus.POSTED,
                )
            case "promise":
                return b.promise(on=60, given=-days)
            case "withdrawal":
                return b.promise("pr2", on=20, given=2, withdrawn_on=day)
            case "dispute":
                return b.dispute(ago=-days)
            case "resolution":
                return b.dispute("d2", ago=3, resolved_on=day)
            case "pause":
                return ar.Pause(id="local:s1", customer_id=whose, starts_on=day)
            case "lifting":
                return ar.Pause(id="local:s2", customer_id=whose, starts_on=b.TODAY, lifted_on=day)
            case _:
                return ar.Pause(
                    id="local:s3", customer_id=whose, starts_on=b.TODAY, ends_on=day - timedelta(days=1)
                )

    KINDS = (
        "payment",
        "credit note",
        "adjustment",
        "promise",
        "withdrawal",
        "dispute",
        "resolution",
        "pause",
        "lifting",
        "end of a pause",
    )

    @pytest.mark.parametrize("kind", KINDS)
    def test_alone(self, kind: str) -> None:
        found = b.run(b.invoice("i1", -40), self.on(kind, 4))
        assert found.next_change_at == midnight_in(4)

    @pytest.mark.parametrize("first", KINDS)
    def test_before_all_others(self, first: str) -> None:
        later = [self.on(kind, 9) for kind in self.KINDS if kind != first]
        found = b.run(b.invoice("i1", -40), self.on(first, 6), *later)
        assert found.next_change_at == midnight_in(6)
