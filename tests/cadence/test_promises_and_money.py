"""What a promise is judged by, boundary by boundary: which money counts, from which day, in which order, and for which promise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.promises import judge_customer_promises, promise_level
from tests.cadence import books as b

ZERO = Decimal(0)
DAY = timedelta(days=1)
OVER = b.promise(on=-10, given=12)
"""Given on a Friday twelve days ago for the Sunday; its grace ended on Tuesday, eight days ago."""


def judged(*records: Any, today: int = 0, **terms: Any) -> dict[str, Any]:
    """Every verdict of a book some days from today, by the promise's name."""
    found = ar.judge_promises(b.book(*records), b.TODAY + today * DAY, terms=ar.PromiseTerms(**terms))
    return {verdict.promise_id.removeprefix("local:"): verdict for verdict in found}


def verdict(*records: Any, **options: Any) -> Any:
    return judged(*records, **options)["pr1"]


def on_account(name: str, ago: int, amount: str, **changes: Any) -> ar.Payment:
    return b.payment(name, ago=ago, amount=amount, unapplied=amount, **changes)


# ---- whose promise it is


def test_a_promise_without_a_customer_belongs_to_the_owner_of_its_first_known_invoice() -> None:
    stray = b.promise(on=-10, given=12, customer_id=None, covers=("unknown", "i2", "i1"))
    found = verdict(b.invoice("i1", 30, "c1"), b.invoice("i2", 30, "c2"), stray)
    assert (found.customer_id, found.invoice_ids) == (b.customer_id("c2"), (b.invoice_id("i2"),))
    assert found.required == 100


def test_a_promise_about_nothing_we_know_is_broken_and_nobodys() -> None:
    found = verdict(b.invoice("i1", 30), b.promise(on=-10, given=12, customer_id=None, covers=("unknown",)))
    assert (found.state, found.customer_id, found.currency, found.required) == ("broken", None, None, ZERO)


def test_verdicts_are_ordered_by_customer_then_by_the_day_the_promise_was_given_then_by_id() -> None:
    records = [
        b.promise("d", given=9, covers=("i2",), customer_id=b.customer_id("c2")),
        b.promise("c", given=5, covers=()),
        b.promise("b", given=3, covers=()),
        b.promise("a", given=5, covers=()),
        b.promise("z", given=1, customer_id=None, covers=()),
    ]
    book = [b.invoice("i1", 30, "c1"), b.invoice("i2", 30, "c2")]
    for order in (records, records[::-1]):
        assert list(judged(*book, *order)) == ["z", "a", "c", "b", "d"]


def test_e6_the_grace_knows_the_holidays_of_the_customers_country() -> None:
    holiday = ar.HolidayCalendar({"JP": {b.TODAY + DAY}})
    for country, grace in (("JP", 5), ("US", 2), (None, 2)):
        book = b.book(b.customer(country=country), b.invoice("i1", 30), b.promise(on=0))
        (found,) = ar.judge_promises(book, b.TODAY, calendar=holiday)
        assert found.deadline == b.TODAY + grace * DAY, country
        alone = judge_customer_promises(
            [b.promise(on=0)], book.invoices, {}, {}, (), b.TODAY, calendar=holiday, country=country
        )
        assert alone[0].deadline == found.deadline


@pytest.mark.parametrize(
    ("zone", "given"),
    [("Pacific/Auckland", 22), ("America/Los_Angeles", 21), ("UTC", 21), (None, 21)],
)
def test_a_promise_without_a_day_was_given_on_the_companys_day_on_which_it_was_recorded(
    zone: str | None, given: int
) -> None:
    """Half past seven in the evening in London: in Auckland it is the next morning already."""
    undated = b.promise(given_on=None, recorded_at=datetime(2026, 11, 21, 19, 30, tzinfo=UTC))
    book = b.book(b.invoice("i1", 9), undated)
    assert book.organization is not None
    book = book.model_copy(update={"organization": book.organization.model_copy(update={"time_zone": zone})})
    (found,) = ar.judge_promises(book, b.TODAY)
    assert found.given_on == b.TODAY.replace(day=given)
    if zone is not None:
        evaluation = ar.evaluate(book, ar.load_policy("balanced"), as_of=b.as_of(zone=zone))
        assert [one.given_on for one in evaluation.promises] == [found.given_on]


# ---- E35: which promise takes the place of which


def test_e35_of_two_given_on_one_day_the_one_recorded_later_takes_the_place() -> None:
    at = datetime(2026, 11, 23, 15, tzinfo=UTC)
    first = b.promise("z", on=5, recorded_at=at)
    second = b.promise("a", on=9, recorded_at=at + timedelta(hours=1))
    unsaid = b.promise("b", on=9)
    invoice = b.invoice("i1", 9)
    assert {n: v.state for n, v in judged(invoice, first, second).items()} == {"z": "superseded", "a": "open"}
    assert judged(invoice, unsaid, second)["b"].state == "superseded", "no time is older than any time"


def test_e35_a_promise_about_all_invoices_takes_the_place_of_one_about_some_and_the_other_way_round() -> None:
    invoices = [b.invoice("i1", 9), b.invoice("i2", 9)]
    everything, one = b.promise("all", covers=(), given=2), b.promise("one", covers=("i2",), given=1)
    assert judged(*invoices, everything, one)["all"].state == "superseded"
    later = everything.model_copy(update={"given_on": b.TODAY})
    assert judged(*invoices, one, later)["one"].state == "superseded"


@pytest.mark.parametrize(("given", "state"), [(8, "superseded"), (7, "broken")])
def test_e35_a_new_promise_on_the_last_day_of_grace_takes_the_place_and_a_day_later_it_is_broken(
    given: int, state: str
) -> None:
    found = judged(b.invoice("i1", 30), OVER, b.promise("new", on=5, given=given))
    assert found["pr1"].state == state
    assert found["pr1"].decided_on == b.TODAY - 8 * DAY


@pytest.mark.parametrize(("given", "on"), [(2, -2), (None, 5)])
def test_e35_replaced_by_one_we_do_not_hold_it_is_superseded_since_it_was_given(
    given: int | None, on: int
) -> None:
    changes: dict[str, Any] = {} if given is not None else {"given_on": None}
    gone = b.promise(on=5, superseded_by="quickbooks:1:promise:gone", **changes)
    found = verdict(b.invoice("i1", 9), gone, today=6)
    assert (found.state, found.decided_on) == ("superseded", b.TODAY + on * DAY)


def test_e35_replaced_by_one_we_hold_that_one_decides() -> None:
    old = b.promise(on=5, superseded_by="local:new")
    other = b.promise("new", on=9, given=0, covers=("i2",))
    assert verdict(b.invoice("i1", 9), b.invoice("i2", 9), old, other).state == "open"


def test_e35_the_row_of_promises_not_kept_is_counted_from_the_latest_and_from_a_day_on() -> None:
    invoices = [b.invoice(f"i{n}", 90) for n in range(4)]
    dates = {"a": -60, "b": -45, "c": -30, "d": -15}
    promises = [
        b.promise(name, on=on, given=5 - on, covers=(f"i{n}",)) for n, (name, on) in enumerate(dates.items())
    ]
    records = [*invoices, *promises]
    records[1] = invoices[1].model_copy(update={"balance_due": ZERO})
    records += [b.payment(ago=46), b.allocation(target="i1", ago=46)]
    verdicts = judged(*records)
    assert [v.state for v in verdicts.values()] == ["broken", "kept", "broken", "broken"]
    assert promise_level(verdicts.values()) == 2
    assert promise_level(list(verdicts.values())[:2]) == 0, "the latest was kept"
    assert promise_level(list(verdicts.values())[:1]) == 1
    decided = verdicts["c"].decided_on
    assert decided is not None
    assert promise_level(verdicts.values(), since=decided) == 2
    assert promise_level(verdicts.values(), since=decided + DAY) == 1
    still = b.promise("e", covers=("i3",))
    assert promise_level(judged(*records, still).values()) == 2, "one that is open says nothing yet"


def test_a_promise_is_given_on_the_day_it_was_recorded_where_nothing_else_is_said() -> None:
    recorded = datetime(2026, 11, 20, 15, tzinfo=UTC)
    found = verdict(b.invoice("i1", 9), b.promise(on=5, given_on=None, recorded_at=recorded))
    assert found.given_on == recorded.date()
    assert judged(b.invoice("i1", 9), b.promise(on=5, given_on=None, recorded_at=recorded), today=-6) == {}


# ---- E34: money applied to the covered invoices


def test_e34_a_payment_counts_on_the_day_it_was_made_and_not_on_the_day_it_was_applied() -> None:
    early = [
        b.invoice("i1", 30, balance_due=ZERO),
        b.payment(ago=9, amount="100"),
        b.allocation(ago=3, amount="100"),
    ]
    found = verdict(*early, OVER)
    assert (found.state, found.decided_on) == ("kept", b.TODAY - 9 * DAY)
    undated = [early[0], early[1].model_copy(update={"payment_date": None}), early[2]]
    assert verdict(*undated, OVER).state == "kept_late"


def test_e34_a_voided_payment_does_not_hide_the_next_one() -> None:
    voided = b.payment("p1", ago=9, document_status=ar.DocumentStatus.VOIDED)
    records = [
        b.invoice("i1", 30, balance_due=ZERO),
        voided,
        b.payment("p2", ago=9),
        b.allocation("p1", ago=9),
        b.allocation("p2", ago=9),
    ]
    assert verdict(*records, OVER).state == "kept"


def test_e34_a_discount_taken_counts_as_paid() -> None:
    cut = b.allocation(ago=9, amount="90").model_copy(update={"discount_amount": Decimal(10)})
    found = verdict(b.invoice("i1", 30, balance_due=ZERO), b.payment(ago=9, amount="90"), cut, OVER)
    assert (found.state, found.required, found.paid) == ("kept", 100, 100)


def test_e34_two_payments_reach_the_promise_on_the_day_of_the_second() -> None:
    parts = [b.payment("p1", ago=10, amount="60"), b.payment("p2", ago=9, amount="40")]
    uses = [b.allocation("p1", ago=10, amount="60"), b.allocation("p2", ago=9, amount="40")]
    for order in (slice(None), slice(None, None, -1)):
        found = verdict(b.invoice("i1", 30, balance_due=ZERO), *parts[order], *uses, OVER)
        assert (found.state, found.paid, found.decided_on) == ("kept", 100, b.TODAY - 9 * DAY)


def test_e34_nothing_left_to_pay_is_kept_since_the_day_it_was_given() -> None:
    settled = b.invoice("i1", 30, balance_due=ZERO)
    assert verdict(settled, OVER).decided_on == b.TODAY - 12 * DAY
    unsaid = OVER.model_copy(update={"given_on": None})
    found = verdict(settled, unsaid)
    assert (found.state, found.required, found.decided_on) == ("kept", ZERO, b.TODAY - 10 * DAY)


def test_e34_late_money_is_counted_with_what_came_before() -> None:
    parts = [b.payment("p1", ago=9, amount="60"), b.payment("p2", ago=7, amount="38")]
    uses = [b.allocation("p1", ago=9, amount="60"), b.allocation("p2", ago=7, amount="38")]
    found = verdict(b.invoice("i1", 30, balance_due=Decimal(2)), *parts, *uses, OVER)
    assert (found.state, found.paid, found.decided_on) == ("kept_late", 60, b.TODAY - 7 * DAY)
    short = [
        parts[0],
        b.payment("p2", ago=7, amount="37.99"),
        uses[0],
        b.allocation("p2", ago=7, amount="37.99"),
    ]
    assert verdict(b.invoice("i1", 30, balance_due=Decimal("2.01")), *short, OVER).state == "partially_kept"


# ---- E34: money on account


@pytest.mark.parametrize(
    ("ago", "state"), [(13, "broken"), (12, "kept"), (8, "kept"), (7, "kept_late"), (-1, "broken")]
)
def test_e34_money_on_account_counts_from_the_day_the_promise_was_given_to_the_last_of_its_grace(
    ago: int, state: str
) -> None:
    found = verdict(b.invoice("i1", 30), on_account("p1", ago, "100"), OVER)
    assert found.state == state
    assert found.paid == (100 if state == "kept" else 0)


def test_e34_without_a_day_it_was_given_on_all_earlier_money_on_account_counts() -> None:
    unsaid = OVER.model_copy(update={"given_on": None})
    assert verdict(b.invoice("i1", 30), on_account("p1", 99, "100"), unsaid).state == "kept"


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "EUR"},
        {"kind": ar.PaymentKind.REFUND},
        {"document_status": ar.DocumentStatus.DRAFT},
        {"document_status": ar.DocumentStatus.VOIDED},
        {"payment_date": None},
        {"unapplied_amount": None},
    ],
)
def test_e34_what_is_no_money_of_ours_in_that_currency_does_not_count_and_hides_none(
    changes: dict[str, Any],
) -> None:
    other = on_account("p1", 10, "100").model_copy(update=changes)
    assert verdict(b.invoice("i1", 30), other, OVER).state == "broken"
    assert verdict(b.invoice("i1", 30), other, on_account("p2", 9, "100"), OVER).state == "kept"


def test_e34_the_earliest_money_on_account_is_used_first_and_what_is_left_goes_to_the_next_promise() -> None:
    first = b.promise("pr1", on=-10, given=12, covers=("i1",))
    second = b.promise("pr2", on=-10, given=12, covers=("i2",))
    invoices = [b.invoice("i1", 30), b.invoice("i2", 30)]
    money = [on_account("p1", 9, "70"), on_account("p2", 11, "60"), on_account("p3", 8, "68")]
    for order in (slice(None), slice(None, None, -1)):
        found = judged(*invoices, first, second, *money[order])
        assert [(v.state, v.paid, v.decided_on) for v in found.values()] == [
            ("kept", 100, b.TODAY - 9 * DAY),
            ("kept", 98, b.TODAY - 8 * DAY),
        ]


def test_e34_no_more_is_taken_from_the_account_than_is_missing() -> None:
    records = [
        b.invoice("i1", 30, balance_due=Decimal(40)),
        b.payment("p1", ago=11, amount="60"),
        b.allocation("p1", ago=11, amount="60"),
        on_account("p2", 9, "500"),
    ]
    assert verdict(*records, OVER).paid == 100


@pytest.mark.parametrize("changes", [{"withdrawn_on": b.TODAY - 11 * DAY}, {"superseded_by": "local:gone"}])
def test_e34_a_promise_that_no_longer_stands_takes_no_money_from_the_account(changes: dict[str, Any]) -> None:
    first = OVER.model_copy(update=changes)
    second = b.promise("pr2", on=-10, given=12, covers=("i2",))
    found = judged(b.invoice("i1", 30), b.invoice("i2", 30), first, second, on_account("p1", 9, "100"))
    assert (found["pr1"].paid, found["pr2"].state) == (0, "kept")


def test_e34_money_on_account_that_comes_late_keeps_it_late_with_what_was_paid_in_time() -> None:
    records = [
        b.invoice("i1", 30, balance_due=Decimal(40)),
        b.payment("p1", ago=9, amount="60"),
        b.allocation("p1", ago=9, amount="60"),
    ]
    late = verdict(*records, on_account("p2", 6, "38"), OVER)
    assert (late.state, late.decided_on) == ("kept_late", b.TODAY - 6 * DAY)
    assert verdict(*records, on_account("p2", 6, "37.99"), OVER).state == "partially_kept"
