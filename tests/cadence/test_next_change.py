"""`next_change_at` is a promise: before it a full run says what the last one said, whatever was recorded for a later day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.cadence import PRESETS
from tests.cadence import books as b
from tests.cadence.test_account_results import midnight_in, result_of
from tests.cadence.test_promises_and_credit import credit_note
from tests.cadence.test_properties import DAYS, HARD, OWNERS, evaluated, records

ZERO = Decimal(0)
DAY = timedelta(days=1)
HOURS = st.one_of(st.integers(0, 72), st.integers(73, 24 * 45))
"""Mostly within a few days, else within some weeks."""


def in_days(days: int) -> Any:
    return b.TODAY + timedelta(days=days)


@st.composite
def with_days_to_come(draw: st.DrawFn) -> list[Any]:
    """A book with what was put on record for later days, by anybody: applications, credit, withdrawals, promises without a day, rates."""
    found: list[Any] = draw(records())
    invoices = [one for one in found if isinstance(one, ar.Invoice)]
    days = st.integers(-25, 30)
    found = [_withdrawn(one, draw(days)) if isinstance(one, ar.Promise) else one for one in found]
    for n in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(invoices)).id.rsplit(":", 1)[1]
        ago, applied = draw(days), draw(days)
        used = b.allocation(f"use{n}", name, ago=-applied, amount=draw(st.sampled_from(["100", "60"])))
        if draw(st.booleans()):
            found += [b.payment(f"use{n}", ago=-ago, owner=draw(st.sampled_from(OWNERS))), used]
        else:
            note = credit_note(-ago, "100")[0].model_copy(update={"id": f"quickbooks:1:credit_note:{n}"})
            found += [note, used.model_copy(update={"source_id": note.id, "parent_id": note.id})]
    for n in range(draw(st.integers(0, 2))):
        about = draw(st.sampled_from(invoices))
        recorded = datetime(2026, 11, 25, 3, tzinfo=UTC) + timedelta(days=draw(days))
        found.append(
            b.promise(
                f"undated{n}",
                on=draw(days),
                covers=(),
                customer_id=about.customer_id,
                invoice_ids=draw(st.sampled_from([(), (about.id,)])),
                given_on=None,
                recorded_at=recorded,
                superseded_by=draw(st.sampled_from([None, "local:pr0"])),
            )
        )
    found += [
        b.invoice(
            f"later{n}",
            draw(st.sampled_from([-40, 20])),
            draw(st.sampled_from(OWNERS)),
            issue_date=in_days(draw(days)),
            balance_due=draw(st.sampled_from([ZERO, Decimal(-5)])),
        )
        for n in range(draw(st.integers(0, 2)))
    ]
    rates = draw(st.sampled_from([(), ("1.1",), ("1.1", "1000")]))
    begin = draw(st.lists(days, min_size=len(rates), max_size=len(rates), unique=True))  # one rate a day
    found += [
        ar.ExchangeRate(currency="EUR", base_currency="USD", rate=Decimal(rate), as_of=in_days(on))
        for rate, on in zip(rates, begin, strict=True)
    ]
    if draw(st.booleans()):
        stopped = b.profile(draw(st.sampled_from(OWNERS)), flags=("legal_stop",))
        found = [
            one
            for one in found
            if getattr(one, "flags", None) is None or one.customer_id != stopped.customer_id
        ]
        found.append(stopped)
        if draw(st.booleans()):
            found += [
                one for one in b.logged(evaluated(found, "balanced", b.as_of(hour=0))) if one.step is None
            ]
    return found


def _withdrawn(promise: ar.Promise, days: int) -> ar.Promise:
    """Every second promise, taken back some days from today."""
    return promise.model_copy(update={"withdrawn_on": in_days(days)}) if days % 2 else promise


WHAT = ("dispositions", "actions", "promises", "segment", "pauses", "status", "signals")


@HARD
@given(with_days_to_come(), st.sampled_from(PRESETS), DAYS, HOURS)
def test_between_two_changes_nothing_changes(found: list[Any], preset: str, at: ar.AsOf, hours: int) -> None:
    """With the tiers and rates as they are, every account says what it said until its own instant comes."""
    first = evaluated(found, preset, at)
    moment = ar.AsOf(instant=at.instant + timedelta(hours=hours), zone=at.zone)
    second = evaluated(found, preset, moment)
    (results, before, _), (later, now, _) = first.parts(), second.parts()
    if before.rates != now.rates:
        assert first.next_change_at is not None
        assert first.next_change_at <= moment.instant
        return
    for account_id, result in results.items():
        if result.changes_at is None or result.changes_at > moment.instant:
            for name in WHAT:
                assert getattr(later[account_id], name) == getattr(result, name), name


@HARD
@given(with_days_to_come(), st.sampled_from(PRESETS), DAYS, HOURS)
def test_before_the_next_change_a_full_run_with_its_own_tiers_says_the_same(
    found: list[Any], preset: str, at: ar.AsOf, hours: int
) -> None:
    snapshot, policy = (
        b.book(*[one for one in found if not isinstance(one, ar.CustomerProfile)]),
        b.policy_of(preset),
    )
    snapshot = snapshot.model_copy(update={"profiles": ()})
    moment = ar.AsOf(instant=at.instant + timedelta(hours=hours), zone=at.zone)
    first = ar.evaluate(snapshot, policy, at, calendar=ar.WEEKENDS, strict=True)
    second = ar.evaluate(snapshot, policy, moment, calendar=ar.WEEKENDS, strict=True)
    again = ar.reevaluate(first, snapshot, (), moment, strict=True)
    assert again.model_dump_json() == second.model_dump_json()
    if first.next_change_at is None or first.next_change_at > moment.instant:
        for name in ("dispositions", "actions", "promises", "segments", "pauses", "signals"):
            assert getattr(second, name) == getattr(first, name), name


def changes_in(*found: Any, policy: str | ar.Policy = "balanced") -> Any:
    """When the first account of a book may change, and that a run says so of all of them where nothing else is sooner."""
    evaluation = b.run(*found, policy=policy)
    assert evaluation.next_change_at == result_of(evaluation).changes_at
    return evaluation.next_change_at


class TestPromises:
    """The invoice is far from due: nothing but the promise can change."""

    OPEN = b.promise(on=20, given=2)
    PART = b.invoice("i1", -60, balance_due=Decimal(40))

    def test_what_is_applied_later_counts_on_the_day_the_customer_paid_whoever_that_is(self) -> None:
        for owner in ("c1", "c2"):
            paid = [b.payment(ago=-4, owner=owner, amount="60"), b.allocation(ago=2, amount="60")]
            assert changes_in(self.PART, self.OPEN, *paid) == midnight_in(4), owner
        paid = [b.payment(ago=2, amount="60"), b.allocation(ago=-4, amount="60")]
        assert changes_in(self.PART, self.OPEN, *paid) == midnight_in(21), "paid before"

    def test_credit_counts_on_the_day_it_is_applied(self) -> None:
        note, _ = credit_note(5, "60")
        used = credit_note(-4, "60")[1]
        assert changes_in(self.PART, self.OPEN, note, used) == midnight_in(4)
        assert changes_in(self.PART, note, used) == midnight_in(30), "nobody promised"

    def test_so_does_what_is_applied_to_an_invoice_with_nothing_open(self) -> None:
        closed = b.invoice("i2", balance_due=ZERO, due_date=None)
        used = [
            credit_note(5, "100")[0],
            credit_note(-4, "100")[1].model_copy(update={"target_id": closed.id}),
        ]
        both = b.promise(on=20, given=2, covers=("i1", "i2"))
        assert changes_in(b.invoice("i1", -60), closed, both, *used) == midnight_in(4)

    def test_one_without_a_day_is_given_on_the_organizations_day_of_its_record(self) -> None:
        early = datetime(2026, 11, 29, 3, tzinfo=UTC)  # 22 hours on the 28th in New York
        undated = b.promise(on=20, given_on=None, recorded_at=early)
        assert changes_in(self.PART, undated) == midnight_in(3)
        dated = b.promise(on=20, given=-6, recorded_at=early)
        assert changes_in(self.PART, dated) == midnight_in(6), "its own day counts"
        assert changes_in(self.PART, b.promise(on=20, given_on=None)) == midnight_in(21)

    @pytest.mark.parametrize("flags", [(), ("legal_stop",)])
    def test_it_is_late_after_its_day_and_broken_after_its_grace_also_where_everything_is_stopped(
        self, flags: tuple[str, ...]
    ) -> None:
        in_grace = b.promise(on=-1, given=2)  # for Tuesday; Wednesday and Thursday are its grace
        for promise, days in ((b.promise(on=5, given=2), 6), (in_grace, 2)):
            found = [self.PART, promise, b.profile(flags=flags)]
            assert changes_in(*found, *b.logged(b.run(*found))) == midnight_in(days)

    def test_one_that_is_decided_waits_for_nothing(self) -> None:
        gone = b.promise(on=5, given=2, withdrawn_on=b.TODAY)
        found = [self.PART, gone, b.profile(flags=("legal_stop",))]
        first = b.run(*found)
        assert first.promises[0].state == "withdrawn"
        assert changes_in(*found, *b.logged(first)) == midnight_in(30), "the invoice is issued"


class TestFeatures:
    """At risk: a rising balance and a dispute; the balance rises on the day the bill is written and falls when it is settled."""

    OLD = b.dispute("old", about="i1", ago=100, resolved_on=b.TODAY - 90 * DAY)
    OPEN = b.invoice("i1", -60, issue_date=in_days(-200))

    @pytest.mark.parametrize("balance", [ZERO, Decimal(-5)])
    def test_the_balance_moves_on_the_day_an_invoice_is_issued_to_which_nobody_is_sent(
        self, balance: Decimal
    ) -> None:
        for days in (2, 3):
            other = b.invoice("i2", -60, issue_date=in_days(days), balance_due=balance)
            assert changes_in(self.OPEN, other, self.OLD) == midnight_in(days)
        draft = other.model_copy(update={"document_status": ar.DocumentStatus.DRAFT})
        assert changes_in(self.OPEN, draft, self.OLD) == midnight_in(55), "the first note before it is due"

    def test_and_on_the_day_something_is_applied(self) -> None:
        billed = b.invoice("i2", -60, issue_date=in_days(-20), balance_due=Decimal(40))
        paid = [b.payment(ago=2, amount="300"), b.allocation(target="i2", ago=-2, amount="300")]
        assert changes_in(self.OPEN, billed, self.OLD, *paid) == midnight_in(2)
        now = b.run(self.OPEN, billed, self.OLD, *paid)
        later = b.run(self.OPEN, billed, self.OLD, *paid, at=b.as_of(in_days(2)))
        assert [e.segments[0].risk_tier for e in (now, later)] == ["at_risk", "occasional"]

    def test_what_was_billed_and_settled_today_is_in_it_and_leaves_after_a_quarter(self) -> None:
        for days, billed_in in ((0, 55), (-61, 29), (-89, 1), (-90, 55)):
            bill = b.invoice("i2", -60, issue_date=in_days(days), balance_due=ZERO)
            assert changes_in(self.OPEN, bill, self.OLD) == midnight_in(billed_in), days
            paid = [b.payment(ago=2, amount="10"), b.allocation(target="i1", ago=-days, amount="10")]
            assert changes_in(self.OPEN, self.OLD, *paid) == midnight_in(billed_in), days

    def test_an_invoice_counts_as_settled_from_the_last_day_on_which_something_is_applied(self) -> None:
        settled = b.changed(
            "balanced",
            tiers={
                "risk": [
                    {"id": "high_risk", "any": ["on_time_rate_12m >= 0.9"], "origin": "test"},
                    {"id": "occasional", "otherwise": True, "origin": "test"},
                ]
            },
        )
        closed, payer = b.invoice("i2", -10, balance_due=ZERO), b.payment(ago=9, owner="c2")
        for days, expected in ((3, 3), (0, 55), (-364, 1), (-365, 55)):
            used = b.allocation(target="i2", ago=-days)
            assert changes_in(self.OPEN, closed, payer, used, policy=settled) == midnight_in(expected), days
        first = b.run(self.OPEN, closed, payer, b.allocation(target="i2", ago=-3), policy=settled)
        then = b.run(
            self.OPEN,
            closed,
            payer,
            b.allocation(target="i2", ago=-3),
            policy=settled,
            at=b.as_of(in_days(3)),
        )
        assert [e.segments[0].risk_tier for e in (first, then)] == ["occasional", "high_risk"]


class TestWhatConcernsAll:
    """What no account has on record: a rate that begins, and what others pay where tiers are found from payments."""

    FAR = b.invoice("i1", -60)

    @staticmethod
    def rate(days: int, base: str = "USD") -> ar.ExchangeRate:
        return ar.ExchangeRate(currency="EUR", base_currency=base, rate=Decimal("1.1"), as_of=in_days(days))

    def test_a_rate_begins_on_its_day(self) -> None:
        foreign = self.FAR.model_copy(update={"currency": "EUR"})
        assert b.run(foreign, self.rate(-9), self.rate(4), self.rate(3)).next_change_at == midnight_in(3)
        assert b.run(foreign, self.rate(-9), self.rate(0)).next_change_at == midnight_in(30)
        assert b.run(foreign, self.rate(3, "GBP")).next_change_at == midnight_in(30), "no base of ours"

    def test_also_where_nothing_else_will_ever_change(self) -> None:
        void = b.invoice("i1", document_status=ar.DocumentStatus.VOIDED)
        assert b.run(void).next_change_at is None
        assert b.run(void, self.rate(40)).next_change_at == midnight_in(40)

    def test_what_an_account_waits_for_may_come_sooner(self) -> None:
        assert b.run(self.FAR, self.rate(31)).next_change_at == midnight_in(30)
        due = b.run(b.invoice("i1", 9), self.rate(1))
        assert due.next_change_at == b.as_of(hour=17).instant

    def test_a_payment_of_somebody_with_nothing_open_moves_tiers_on_its_day(self) -> None:
        names = [f"c{n}" for n in range(1, 6)]
        worth = {name: 10 * (6 - n) for n, name in enumerate(names, 1)}
        paid = [b.payment(name, owner=name, ago=9, amount=str(worth[name])) for name in names]
        later = b.payment("big", owner="c5", ago=-4, amount="900")
        undated = b.payment("undated", owner="c5", payment_date=None, amount="1")
        snapshot = b.book(*[b.customer(name) for name in names], self.FAR, *paid, later, undated)
        snapshot = snapshot.model_copy(update={"profiles": ()})
        policy, then = b.policy_of("balanced"), b.as_of(in_days(4))
        first = ar.evaluate(snapshot, policy, b.as_of(), calendar=ar.WEEKENDS)
        assert first.next_change_at == midnight_in(4)
        sooner = snapshot.model_copy(update={"rates": (self.rate(3),)})
        rated = ar.evaluate(sooner, policy, b.as_of(), calendar=ar.WEEKENDS)
        assert rated.next_change_at == midnight_in(3), "a rate counts beside the payments"
        again = ar.evaluate(snapshot, policy, then, calendar=ar.WEEKENDS)
        assert [e.segments[0].value_tier for e in (first, again)] == ["strategic", "core"]
        assert ar.reevaluate(first, snapshot, (), then).model_dump_json() == again.model_dump_json()
        assert b.run(snapshot).next_change_at == midnight_in(30), "tiers that are given do not move"
