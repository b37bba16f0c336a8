"""Simulations: replay knows on each day what was known then, a forecast keeps every limit, and both are the evaluator day by day."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.evaluation import ActionKind
from ar_core.cadence.simulate import Simulation, forecast, replay
from ar_core.cadence.simulate_events import Chance, NoResponse, Paid, Table, apply
from tests.cadence import books as b

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 23)


def contacts(simulation: Simulation) -> list[tuple[date, str | None]]:
    return [(one.on, one.step) for one in simulation.carried if one.kind is ActionKind.TOUCH]


def ahead(*records: Any, days: int = 30, first: date = MONDAY, **options: Any) -> Simulation:
    options.setdefault("policy", "balanced")
    policy = options.pop("policy")
    snapshot = records[0] if isinstance(records[0], ar.Snapshot) else b.book(*records)
    return forecast(
        snapshot,
        b.policy_of(policy) if isinstance(policy, str) else policy,
        first,
        first + (days - 1) * DAY,
        zone=b.ZONE,
        tiers=b.tier(),
        calendar=ar.WEEKENDS,
        **options,
    )


def due(day: date, name: str = "i1", owner: str = "c1", **changes: Any) -> ar.Invoice:
    return b.invoice(name, 0, owner, today=day, **changes)


def test_a_forecast_walks_the_steps_on_business_days() -> None:
    # due on a Monday: day 3 is Thursday, day 8 is Tuesday, day 22 is Tuesday
    assert contacts(ahead(due(MONDAY))) == [
        (MONDAY, "due_today"),
        (MONDAY + 3 * DAY, "first"),
        (MONDAY + 8 * DAY, "demand"),
        (MONDAY + 22 * DAY, "call"),
    ]


def test_a_message_of_a_weekend_goes_out_on_monday() -> None:
    saturday = MONDAY + 5 * DAY
    found = contacts(ahead(due(saturday - 3 * DAY), first=saturday, days=3))
    assert found == [(saturday + 2 * DAY, "first")]


@pytest.mark.parametrize("hour", [9, 17, 20])
@pytest.mark.parametrize("preset", ["balanced", "risk_4", "sprint_3_5_7_10"])
def test_a_forecast_is_the_evaluator_day_by_day(preset: str, hour: int) -> None:
    """Each run decides anew what begins before the next one; carrying an evaluation on says what a run from nothing says."""
    invoices = [due(MONDAY - n * 7 * DAY, f"i{n}", f"c{n % 3 + 1}") for n in range(9)]
    policy = b.policy_of(preset)
    touches: list[ar.Touch] = []
    expected: list[tuple[date, str]] = []
    for n in range(40):
        moment, next_run = (b.as_of(MONDAY + day * DAY, hour=hour) for day in (n, n + 1))
        evaluation = b.run(*invoices, *touches, policy=policy, at=moment)
        for action in evaluation.actions:
            at = max(action.not_before or moment.instant, moment.instant)
            if at < next_run.instant:
                expected.append((at.astimezone(moment.local().tzinfo).date(), action.key))
                touches.append(b.touch_from(action.record(at)))
    found = ahead(*invoices, days=40, policy=preset, hour=hour)
    assert [(one.on, one.key) for one in found.carried] == [
        row for row in sorted(expected, key=lambda row: row[0]) if row[0] < MONDAY + 40 * DAY
    ]
    assert len({one.key for one in found.carried}) == len(found.carried), "nothing fires twice"


def test_load_per_day_and_contacts_per_customer_and_week() -> None:
    found = ahead(due(MONDAY), due(MONDAY, "i2", "c2"), days=9)
    first = found.days[0]
    assert first.contacts == {"email": 2}
    assert first.dispositions == {"action": 2}
    assert found.busiest() == first
    assert found.weeks() == (
        (b.customer_id("c1"), MONDAY, 2),
        (b.customer_id("c1"), MONDAY + 7 * DAY, 1),
        (b.customer_id("c2"), MONDAY, 2),
        (b.customer_id("c2"), MONDAY + 7 * DAY, 1),
    )
    assert {one.customer_id for one in found.of(b.customer_id("c2"))} == {b.customer_id("c2")}
    assert sum(sum(day.contacts.values()) for day in found.days) == 6


def test_who_waits_for_a_limit_is_a_cap_hit() -> None:
    # both invoices want a message within the gap of three days
    found = ahead(due(MONDAY), due(MONDAY - 2 * DAY, "i2"), days=4)
    hits = {day.on: day.cap_hits for day in found.days}
    assert hits[MONDAY + DAY] == {"MIN_GAP": 1}
    assert found.days[0].cap_hits == {}


def test_nobody_answers_by_default_and_the_assumption_is_said() -> None:
    assert ahead(due(MONDAY), days=1).assumption == f"{NoResponse.assumption}; no new invoices"


def test_who_pays_after_the_first_contact_is_not_contacted_again() -> None:
    always = Table({(None, None): Chance(paid=Decimal(1), days=2)})
    found = ahead(due(MONDAY), responder=always)
    assert contacts(found) == [(MONDAY, "due_today")]
    assert [sum(day.dispositions.values()) for day in found.days[:4]] == [1, 1, 0, 0]
    assert "100" in always.assumption


def test_a_promise_pauses_until_it_is_broken() -> None:
    promised = Table(
        {(None, "email"): Chance(paid=Decimal(0), promised=Decimal(1), days=7)}, promises_kept=Decimal(0)
    )
    found = ahead(due(MONDAY - 3 * DAY), days=12, responder=promised)
    # promised on Monday for the next Monday, two business days of grace: chased again on Thursday of that week
    assert [day for day, _ in contacts(found)] == [MONDAY, MONDAY + 10 * DAY]


def test_the_most_specific_row_of_a_table_counts_and_its_draw_is_repeatable() -> None:
    chances = {
        (None, None): Chance(Decimal("0.5")),
        ("reminder", "email"): Chance(Decimal(0)),
        ("reminder", None): Chance(Decimal(1)),
    }
    quiet = ahead(due(MONDAY), days=8, responder=Table(chances))
    assert len(contacts(quiet)) == 2, "no reminder by e-mail is paid"
    invoices = [due(MONDAY - 9 * DAY, f"i{n}", f"c{n}") for n in range(1, 10)]
    half: dict[tuple[str | None, str | None], Chance] = {(None, None): Chance(Decimal("0.5"), days=1)}
    runs = [ahead(*invoices, days=6, responder=Table(half, seed=seed)) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    left = sum(runs[0].days[-1].dispositions.values())
    assert 0 < left < 9


@pytest.mark.parametrize("chance", [Chance(Decimal("0.7"), Decimal("0.4")), Chance(Decimal("-0.1"))])
def test_shares_that_do_not_fit_into_one_are_refused(chance: Chance) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Table({(None, None): chance})


def history(*facts: tuple[date, list[Any]]) -> list[ar.Snapshot]:
    """Snapshots as they were known from the morning of each day on."""
    return [b.book(*records, known_at=b.as_of(day, hour=6).instant) for day, records in facts]


def past(source: Any, days: int = 12, first: date = MONDAY, **options: Any) -> Simulation:
    return replay(
        source,
        b.policy_of("balanced"),
        first,
        first + (days - 1) * DAY,
        zone=b.ZONE,
        tiers=b.tier(),
        calendar=ar.WEEKENDS,
        **options,
    )


def test_replay_uses_only_what_was_known_on_each_day() -> None:
    paid_on = MONDAY + 2 * DAY
    open_ = due(MONDAY)
    settled = open_.model_copy(update={"balance_due": Decimal(0)})
    payment = b.payment(payment_date=paid_on)
    # paid on Wednesday, but it was booked on the next Monday: Thursday's reminder goes out, the demand of day 8 does not
    source = history((MONDAY, [open_]), (MONDAY + 7 * DAY, [settled, payment]))
    assert contacts(past(source)) == [(MONDAY, "due_today"), (MONDAY + 3 * DAY, "first")]


def test_replay_takes_a_function_of_the_moment() -> None:
    asked: list[datetime] = []

    def known(moment: datetime) -> ar.Snapshot:
        asked.append(moment)
        return b.book(due(MONDAY))

    found = past(known, days=3)
    assert asked == [b.as_of(MONDAY + n * DAY, hour=9).instant for n in range(3)]
    assert contacts(found) == [(MONDAY, "due_today")]


def test_replay_replaces_the_contacts_of_another_policy_or_keeps_them() -> None:
    planned = b.touch("t1", ago=0, step="other", covers=("i1",), today=MONDAY - DAY, key="another-plan")
    said = b.touch(
        "t2",
        ago=0,
        today=MONDAY + 2 * DAY,
        direction=ar.Direction.INBOUND,
        intent=ar.Intent.QUESTION,
        key="answer",
    )
    source = history((MONDAY, [due(MONDAY - 3 * DAY), planned]))
    assert contacts(past(source, days=1)) == [(MONDAY, "first")]
    assert contacts(past(source, days=1, touches="recorded")) == [], "the customer was contacted a day before"
    answered = history((MONDAY, [due(MONDAY - 3 * DAY), said]))
    assert past(answered, days=4).days[3].dispositions == {"paused": 1}, "what the customer said stays"


def test_a_day_before_anything_was_known_and_a_backward_period_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing was known"):
        past(history((MONDAY, [due(MONDAY)])), first=MONDAY - DAY)
    with pytest.raises(ValueError, match="known_at"):
        past([b.book(due(MONDAY))])
    with pytest.raises(ValueError, match="from an earlier to a later day"):
        past(history((MONDAY, [due(MONDAY)])), days=0)


def test_events_are_folded_into_a_new_snapshot() -> None:
    snapshot = b.book(due(MONDAY), due(MONDAY, "i2"))
    part = apply(snapshot, [Paid(b.invoice_id("i1"), MONDAY, Decimal(30)), Paid(b.invoice_id("i2"), MONDAY)])
    assert {i.id: i.balance_due for i in part.invoices} == {
        b.invoice_id("i1"): Decimal(70),
        b.invoice_id("i2"): Decimal(0),
    }
    assert [a.target_amount for a in part.allocations] == [30, 100]
    assert ar.Snapshot.model_validate(part.model_dump()) == part, "sorted and valid"
    assert all(i.balance_due == 100 for i in snapshot.invoices), "the old one stays as it is"
    assert apply(snapshot, []) is snapshot
    again = apply(part, [Paid(b.invoice_id("i2"), MONDAY)])
    assert len(again.payments) == 2, "what is paid cannot be paid again"
    with pytest.raises(ValueError, match="not in the snapshot"):
        apply(snapshot, [Paid("nothing", MONDAY)])
    dispute = ar.OpenDispute(
        customer_id=b.customer_id(), invoice_id=b.invoice_id("i1"), reason="price", opened_on=MONDAY
    )
    assert [d.reason for d in apply(snapshot, [dispute]).disputes] == ["price"]


def test_a_simulation_survives_json_and_pickle() -> None:
    found = ahead(due(MONDAY), days=5)
    assert Simulation.model_validate_json(found.model_dump_json()) == found
    assert pickle.loads(pickle.dumps(found)) == found
