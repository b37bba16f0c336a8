"""What a simulated day leaves on the books, record by record, and what each day of a replay and a forecast is counted as."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.cadence.evaluation import Action, ActionKind
from ar_core.cadence.records import CoveredInvoice
from ar_core.cadence.simulate import DayLoad, Simulation, forecast, replay
from ar_core.cadence.simulate_events import Chance, Event, Paid, Table, apply, touch_of
from ar_core.calendar import WeekendCalendar
from tests.cadence import books as b

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 23)
HALF = Decimal("0.5")


def due(day: date, name: str = "i1", owner: str = "c1", **changes: Any) -> ar.Invoice:
    return b.invoice(name, 0, owner, today=day, **changes)


def ahead(*records: Any, days: int = 1, first: date = MONDAY, **options: Any) -> Simulation:
    options = {
        "policy": b.policy_of("balanced"),
        "zone": b.ZONE,
        "tiers": b.tier(),
        "calendar": ar.WEEKENDS,
        **options,
    }
    return forecast(b.book(*records), first=first, last=first + (days - 1) * DAY, **options)


def past(*snapshots: ar.Snapshot, days: int = 1, first: date = MONDAY, **options: Any) -> Simulation:
    options = {"zone": b.ZONE, "tiers": b.tier(), "calendar": ar.WEEKENDS, **options}
    return replay(snapshots, b.policy_of("balanced"), first, first + (days - 1) * DAY, **options)


def known(*records: Any, day: date = MONDAY, hour: int = 6) -> ar.Snapshot:
    return b.book(*records, known_at=b.as_of(day, hour=hour).instant)


def message(key: str = "k", *covers: str, **changes: Any) -> Action:
    """A reminder by e-mail to c1 about invoices of these names."""
    covered = tuple(
        CoveredInvoice(
            invoice_id=b.invoice_id(name),
            number=None,
            step="first",
            stage="reminder",
            days_past_due=3,
            due_date=MONDAY - 3 * DAY,
            due_version=0,
            balance_due=Decimal(100),
            amount_to_chase=Decimal(100),
            currency=b.BASE,
        )
        for name in covers
    )
    fields: dict[str, Any] = {
        "key": key,
        "kind": ActionKind.TOUCH,
        "code": ar.Code.STEP_DUE,
        "customer_id": b.customer_id(),
        "step": "first",
        "stage": "reminder",
        "channel": ar.Channel.EMAIL,
        "covers": covered,
    }
    return Action(**{**fields, **changes})


def answers(table: Table, action: Action, *invoices: ar.Invoice) -> list[Event]:
    return list(table.respond(action, b.as_of(MONDAY).instant, b.book(*invoices)))


class Written:
    """Answers to the first contact with events that were written down, and keeps when it was asked."""

    assumption = "as written"

    def __init__(self, *events: Event) -> None:
        self.events = events
        self.asked: list[datetime] = []

    def respond(self, action: Action, at: datetime, snapshot: ar.Snapshot) -> Iterable[Event]:  # noqa: ARG002 the protocol's
        self.asked.append(at)
        return self.events if len(self.asked) == 1 else ()


def test_a_payment_and_its_allocation_are_whole_records_of_the_invoice_that_is_paid() -> None:
    nothing_open = due(MONDAY, "i1", balance_due=Decimal(0), amount_paid=Decimal(100))
    part_paid = due(
        MONDAY,
        "i2",
        currency="EUR",
        subsidiary_id="quickbooks:1:subsidiary:7",
        amount_paid=Decimal(40),
        total=Decimal(140),
    )
    unsaid = due(MONDAY, "i3")
    events = [
        Paid(b.invoice_id("i1"), MONDAY),
        Paid(b.invoice_id("i2"), MONDAY, Decimal(30)),
        Paid(b.invoice_id("i2"), MONDAY, Decimal(20)),
        Paid(b.invoice_id("i3"), MONDAY + DAY, Decimal(500)),
    ]
    book = apply(b.book(nothing_open, part_paid, unsaid), events)
    assert [i.balance_due for i in book.invoices] == [0, 50, 0]
    assert [i.amount_paid for i in book.invoices] == [100, 90, None]
    assert len({payment.id for payment in book.payments}) == 3
    second = next(p for p in book.payments if p.total == 20)
    assert second == ar.Payment(
        id=second.id,
        customer_id=b.customer_id(),
        subsidiary_id="quickbooks:1:subsidiary:7",
        payment_date=MONDAY,
        currency="EUR",
        total=Decimal(20),
        unapplied_amount=Decimal(0),
        document_status=ar.DocumentStatus.POSTED,
    )
    assert second.id.startswith("local:")
    assert next(a for a in book.allocations if a.source_id == second.id) == ar.Allocation(
        id=ar.allocation_id(second.id, b.invoice_id("i2"), 0),
        parent_id=second.id,
        source_id=second.id,
        target_id=b.invoice_id("i2"),
        amount=Decimal(20),
        currency="EUR",
        target_amount=Decimal(20),
        target_currency="EUR",
        applied_on=MONDAY,
    )


def test_commands_become_the_records_that_a_store_makes_of_them() -> None:
    at = b.as_of(MONDAY).instant
    sent = message("k", "i1").record(at, address="a@example.com", note="to the point")
    assert touch_of(sent) == b.touch_from(sent)
    promised = ar.RecordPromise(
        key="p",
        customer_id=b.customer_id(),
        invoice_ids=(b.invoice_id(),),
        promised_amount=Decimal(60),
        currency="EUR",
        promised_date=MONDAY + 7 * DAY,
        given_on=MONDAY,
        given_by="Ann Lee",
        channel=ar.Channel.VOICE,
        note="by transfer",
    )
    opened = ar.OpenDispute(
        key="d",
        customer_id=b.customer_id(),
        invoice_id=b.invoice_id(),
        disputed_amount=Decimal(60),
        currency="EUR",
        reason="price",
        opened_on=MONDAY,
        opened_by="Ann Lee",
        note="the older list",
    )
    book = apply(b.book(due(MONDAY)), [promised, opened])
    said = promised.model_dump(exclude={"type", "key"})
    assert book.promises == (ar.Promise(id=promised.local_record_id, origin=ar.Origin.OURS, **said),)
    told = opened.model_dump(exclude={"type", "key"})
    assert book.disputes == (ar.Dispute(id=opened.local_record_id, origin=ar.Origin.OURS, **told),)


def test_a_table_says_its_shares_by_stage_and_channel() -> None:
    table = Table({("reminder", "email"): Chance(Decimal("0.25")), (None, None): Chance(Decimal(1))})
    assert table.assumption == (
        "share of contacts that are paid after (reminder/email 25%, any/any 100%); 70% of promises kept"
    )


def test_a_seed_and_a_key_always_draw_the_same_answer() -> None:
    table = Table({(None, None): Chance(HALF, HALF)}, seed=5, promises_kept=HALF)
    drawn = ""
    for n in range(24):
        events = answers(table, message(f"key-{n}", "i1"), due(MONDAY))
        # paid; promised and kept; promised and broken
        drawn += "p" if isinstance(events[0], Paid) else "k" if len(events) == 2 else "b"
    assert drawn == "kkkpkbbbpbppbkkkbppkbppb"


def test_a_promise_that_is_kept_is_paid_on_its_day_by_who_owes_the_invoice() -> None:
    table = Table({("reminder", None): Chance(Decimal(0), Decimal(1), days=7)}, promises_kept=Decimal(1))
    to_parent = message("k", "i1", "i2", "i3", customer_id=b.customer_id("c9"))
    invoices = (
        due(MONDAY, "i1", balance_due=Decimal(0)),
        due(MONDAY, "i2", "c2"),
        due(MONDAY, "i3", customer_id=None),
    )
    week = MONDAY + 7 * DAY
    promise, *paid = answers(table, to_parent, *invoices)
    assert promise == ar.RecordPromise(
        key=promise.key,  # type: ignore[union-attr]
        customer_id=b.customer_id("c2"),
        invoice_ids=(b.invoice_id("i2"), b.invoice_id("i3")),
        promised_date=week,
        given_on=MONDAY,
    )
    assert paid == [Paid(b.invoice_id("i2"), week), Paid(b.invoice_id("i3"), week)]
    ownerless = answers(table, message("k", "i3", customer_id=b.customer_id("c9")), *invoices)[0]
    assert ownerless.customer_id == b.customer_id("c9")  # type: ignore[union-attr]
    assert answers(table, message("k", "i2", stage="pre_due"), *invoices) == [], "no row is for it"
    assert answers(table, message("k"), *invoices) == [], "it is about no invoice"


def test_a_forecast_without_tiers_ranks_by_the_policy_on_its_first_day() -> None:
    policy = b.changed("balanced", tiers={"value": {"strategic": "0.5", "core": "0.25"}})
    records: list[Any] = [b.payment("late", amount="5000", payment_date=MONDAY + 2 * DAY)]
    for n in range(1, 5):
        records += [
            due(MONDAY - 15 * DAY, f"i{n}", f"c{n}"),
            b.profile(f"c{n}", lifetime_value=None),
            b.payment(f"p{n}", amount=str(n * 100), owner=f"c{n}"),
        ]
    found = ahead(*records, days=20, policy=policy, tiers=None)
    ranked = ar.assign_tiers(b.book(*records), strategic=HALF, core=Decimal("0.25"), today=MONDAY)
    assert found == ahead(*records, days=20, policy=policy, tiers=ranked)
    # c4 and c3 are worth the most on that day; c1 pays more later
    assert {one.customer_id for one in found.carried if one.human and one.on == MONDAY} == {
        b.customer_id("c3"),
        b.customer_id("c4"),
    }


def test_a_replay_of_facts_that_never_change_is_a_forecast_in_which_nobody_answers() -> None:
    invoices = [due(MONDAY - n * 9 * DAY, f"i{n}", f"c{n % 3 + 1}") for n in range(5)]
    behind, before = past(known(*invoices), days=30), ahead(*invoices, days=30)
    assert behind.carried == before.carried
    assert behind.days == before.days
    assert [day.on for day in behind.days] == [MONDAY + n * DAY for n in range(30)]
    assert len({one.key for one in behind.carried}) == len(behind.carried), "nothing is sent twice"


def test_a_replay_keeps_to_the_tiers_and_the_calendar_that_it_is_given() -> None:
    book = known(due(MONDAY - 15 * DAY))
    assert [past(book, tiers=b.tier(value)).carried[0].human for value in ("core", "strategic")] == [
        False,
        True,
    ]
    saturday = MONDAY + 5 * DAY
    weekend, every_day = known(due(saturday)), WeekendCalendar(frozenset())
    assert past(weekend, first=saturday).carried == ()
    assert [one.on for one in past(weekend, first=saturday, calendar=every_day).carried] == [saturday]


def test_of_snapshots_of_one_moment_the_last_counts_and_what_is_known_at_the_moment_is_known() -> None:
    open_, settled = due(MONDAY - 3 * DAY), due(MONDAY - 3 * DAY, balance_due=Decimal(0))
    assert past(known(open_), known(settled)).carried == ()
    assert len(past(known(settled), known(open_)).carried) == 1
    assert past(known(open_), known(settled, hour=9)).carried == ()


def test_a_day_counts_what_people_have_to_do() -> None:
    demanded: dict[str, Any] = {"ago": 20, "step": "demand", "today": MONDAY}
    found = ahead(
        due(MONDAY - 46 * DAY),
        b.touch("t1", covers=("i1",), **demanded),
        due(MONDAY - 22 * DAY, "i2", "c2"),
        b.touch("t2", covers=("i2",), owner="c2", **demanded),
        due(MONDAY - 76 * DAY, "i3", "c3"),
        due(MONDAY, "i4", "c4"),
    )
    assert [(one.step, one.kind.value, one.stage, one.human) for one in found.carried] == [
        ("letter", "touch", "pre_legal", True),
        ("call", "touch", "escalation", False),
        ("call:notify", "internal", "escalation", False),
        ("decide", "decision", "write_off_review", True),
        ("due_today", "touch", "reminder", False),
    ]
    assert found.days == (
        DayLoad(
            on=MONDAY,
            contacts={"email": 1, "voice": 2},
            internal=1,
            decisions=1,
            human=2,
            cap_hits={},
            dispositions={"action": 4},
        ),
    )


def test_money_that_comes_on_the_day_of_the_contact_is_there_on_the_next() -> None:
    at_once = Table({(None, None): Chance(Decimal(1), days=0)})
    found = ahead(due(MONDAY - 3 * DAY), days=3, responder=at_once)
    assert [day.dispositions for day in found.days] == [{"action": 1}, {}, {}]


def test_what_a_customer_without_a_contact_does_counts_from_the_next_day_on() -> None:
    opened = ar.OpenDispute(
        customer_id=b.customer_id("c2"), invoice_id=b.invoice_id("i2"), reason="price", opened_on=MONDAY
    )
    records = (due(MONDAY - 3 * DAY), due(MONDAY + 20 * DAY, "i2", "c2"))
    found = ahead(*records, days=2, responder=Written(opened))
    assert found.days[0].dispositions == {"action": 1, "wait": 1}
    assert found.days[1].dispositions == {"paused": 1, "wait": 1}


def test_a_message_goes_out_in_the_hours_of_its_reader_and_not_before() -> None:
    early = Written()
    ahead(due(MONDAY - 3 * DAY), hour=6, responder=early)
    assert early.asked == [b.as_of(MONDAY, hour=9).instant]


IN_DUBAI = b.customer(country="AE", time_zone="Asia/Dubai")
"""Nine o'clock there is midnight in New York, where the daily run is: Dubai is closed at every hour of an office there."""


@pytest.mark.parametrize("hour", [9, 20])
@pytest.mark.parametrize("mode", ["forecast", "replay"])
def test_a_message_whose_hours_begin_between_two_runs_goes_out_on_the_day_they_begin(
    mode: str, hour: int
) -> None:
    invoice = due(MONDAY - 3 * DAY)
    options: dict[str, Any] = {"days": 12, "hour": hour}
    books = (invoice, IN_DUBAI)
    found = ahead(*books, **options) if mode == "forecast" else past(known(*books), **options)
    # decided on Monday, day 3, for Tuesday; the demand of day 8, a Saturday, by Sunday's run for Monday
    assert [(one.on, one.step) for one in found.carried] == [
        (MONDAY + DAY, "first"),
        (MONDAY + 7 * DAY, "demand"),
    ]
    sent = [(day.on, day.contacts) for day in found.days if day.contacts]
    assert sent == [(MONDAY + DAY, {"email": 1}), (MONDAY + 7 * DAY, {"email": 1})]
    assert found.days[0].dispositions == {"action": 1}, "the day of the run has the decision"


def test_what_begins_after_the_next_run_is_decided_by_that_run() -> None:
    # a run after the hours of New York: nine o'clock of Tuesday is before Tuesday's run, Monday's after Saturday's
    late = ahead(due(MONDAY - 3 * DAY), hour=20, days=2)
    assert [(one.on, one.step) for one in late.carried] == [(MONDAY + DAY, "first")]
    saturday = MONDAY + 5 * DAY
    invoice = due(saturday - 3 * DAY)
    assert ahead(invoice, first=saturday, hour=20).carried == ()
    weekend = ahead(invoice, first=saturday, hour=20, days=3)
    assert [(one.on, one.step) for one in weekend.carried] == [(saturday + 2 * DAY, "first")]
    # whose hours begin with the run itself
    assert [one.on for one in ahead(due(MONDAY - 3 * DAY), IN_DUBAI, hour=0).carried] == [MONDAY]
    sunday = MONDAY - DAY
    at_nine = ahead(due(sunday - 3 * DAY), first=sunday, hour=9, days=2)
    assert [one.on for one in at_nine.carried] == [MONDAY]


def test_what_is_left_for_the_next_day_comes_before_what_its_run_does() -> None:
    local = due(MONDAY - 2 * DAY, "i2", "c2")
    found = ahead(due(MONDAY - 3 * DAY), IN_DUBAI, local, days=2)
    assert [(one.on, one.customer_id) for one in found.carried] == [
        (MONDAY + DAY, b.customer_id("c1")),
        (MONDAY + DAY, b.customer_id("c2")),
    ]
    assert found.days[1].contacts == {"email": 2}
    ends = ahead(due(MONDAY - 3 * DAY), IN_DUBAI, days=1)
    assert ends.carried == (), "what would go out on a day after the last is no part of the simulation"


def test_a_responder_is_told_the_hour_in_the_organizations_zone() -> None:
    """In Auckland the day has begun while it is yesterday in UTC; a payment on the same day is of the local day."""
    asked = Written()
    options: dict[str, Any] = {"zone": "Pacific/Auckland", "days": 2}
    ahead(due(MONDAY - 3 * DAY), responder=asked, **options)
    assert [(at.date(), at.hour) for at in asked.asked] == [(MONDAY, 9)]
    at_once = Table({(None, None): Chance(Decimal(1), days=1)})
    found = ahead(due(MONDAY - 3 * DAY), responder=at_once, **options)
    assert [day.dispositions for day in found.days] == [{"action": 1}, {}]
    promised = Table({(None, None): Chance(Decimal(0), Decimal(1), days=7)}, promises_kept=Decimal(0))
    assert ahead(due(MONDAY - 3 * DAY), responder=promised, **options).days[1].dispositions == {"paused": 1}


def test_a_simulation_of_no_days_has_no_busiest_day() -> None:
    empty = ahead(due(MONDAY)).model_copy(update={"days": (), "carried": ()})
    assert empty.busiest() is None
