"""The figures of a book, by hand: every sum can be checked with a pencil, and its boundary days lie beside it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core import metrics
from ar_core.metrics import Period, Undefined, last_months, month_of
from tests.cadence import books as b

D = Decimal
USD = "USD"


def invoice(
    name: str, issued: date, due: date | None, total: int, open_: int = 0, **changes: Any
) -> ar.Invoice:
    return b.invoice(name, issue_date=issued, due_date=due, total=D(total), balance_due=D(open_), **changes)


def paid(name: str, target: str, on: date | None, amount: int) -> list[Any]:
    source = ar.record_id("quickbooks", "1", ar.RecordKind.PAYMENT, name)
    return [
        b.payment(name, amount=str(amount), payment_date=on),
        b.allocation(name, target, amount=str(amount)).model_copy(
            update={"applied_on": on, "source_id": source}
        ),
    ]


# Three invoices: one paid in time, one paid late in part, one open. All in one quarter.
BOOK = b.book(
    invoice("i1", date(2026, 1, 5), date(2026, 2, 4), 1000),
    *paid("p1", "i1", date(2026, 2, 1), 1000),
    invoice("i2", date(2026, 1, 20), date(2026, 2, 19), 600, 200),
    *paid("p2", "i2", date(2026, 3, 11), 400),
    invoice("i3", date(2026, 3, 10), date(2026, 4, 9), 800, 800),
    invoice("i4", date(2025, 12, 1), date(2025, 12, 31), 300),
    *paid("p4", "i4", date(2026, 1, 10), 300),
)
QUARTER = Period(date(2026, 1, 1), date(2026, 3, 31))


def test_receivables_of_a_past_day_take_later_payments_back() -> None:
    assert metrics.receivables(BOOK, date(2026, 3, 31), USD) == (D(800), D(200), D(0))
    assert metrics.receivables(BOOK, date(2026, 3, 10), USD) == (D(800), D(600), D(0))
    assert metrics.receivables(BOOK, date(2026, 3, 11), USD) == (D(800), D(200), D(0))
    assert metrics.receivables(BOOK, date(2026, 1, 31), USD) == (D(1600), D(0), D(0))
    assert metrics.receivables(BOOK, QUARTER.opening, USD) == (D(300), D(0), D(0)), "due that day: not late"


def test_outstanding_takes_off_what_lies_unapplied() -> None:
    snapshot = b.book(b.invoice(dpd=3), b.payment(unapplied="30"))
    assert metrics.receivables(snapshot, b.TODAY, USD).outstanding == 70


def test_sales_are_the_posted_invoices_of_the_period_in_one_currency() -> None:
    assert metrics.sales(BOOK, QUARTER, USD) == 2400
    assert metrics.sales(BOOK, Period(date(2026, 1, 6), date(2026, 3, 9)), USD) == 600
    assert metrics.sales(BOOK, QUARTER, "EUR") == 0
    draft = b.book(invoice("i1", date(2026, 1, 5), None, 5, document_status=ar.DocumentStatus.DRAFT))
    assert metrics.sales(draft, QUARTER, USD) == 0


def test_dso_best_possible_dso_and_days_delinquent_of_a_quarter() -> None:
    assert metrics.dso(BOOK, QUARTER, USD).value == D("37.5")  # 1000 / 2400 x 90
    assert metrics.best_possible_dso(BOOK, QUARTER, USD).value == D("30")  # 800 / 2400 x 90
    assert metrics.average_days_delinquent(BOOK, QUARTER, USD).value == D("7.5")
    assert metrics.dso(BOOK, QUARTER, USD, "average").value == D("24.375")  # (300 + 1000) / 2 / 2400 x 90


def test_dso_without_sales_is_unknown() -> None:
    found = metrics.dso(BOOK, Period(date(2026, 4, 1), date(2026, 4, 30)), USD)
    assert (found.value, found.reason) == (None, Undefined.NO_SALES)


def test_countback_dso_by_calendar_and_by_30_days() -> None:
    months = last_months(date(2026, 3, 31), 3)
    # 1000 owed: March's 800 is used up, February billed nothing, 200 of January's 1600
    assert metrics.countback_dso(BOOK, months, USD).value == 31 + 28 + D("3.875")
    assert metrics.countback_dso(BOOK, months, USD, month_days=30).value == 30 + 30 + D("3.75")
    assert metrics.countback_dso(BOOK, months, USD, empty_months="skip").value == 31 + D("3.875")
    assert metrics.countback_dso(BOOK, months[:1], USD).reason is Undefined.SHORT_HISTORY
    with pytest.raises(ValueError, match="at least one month"):
        metrics.countback_dso(BOOK, [], USD)


def test_cei_of_a_quarter() -> None:
    # collected 1700 of 1900 that could be collected
    assert metrics.cei(BOOK, QUARTER, USD).rounded(4) == D("89.4737")
    # sales / 3: (300 + 800 - 1000) / (300 + 800 - 800)
    assert metrics.cei(BOOK, QUARTER, USD, sales_divided_by=3).rounded(4) == D("33.3333")


def test_roll_rates_follow_each_item_or_compare_buckets() -> None:
    before, after = date(2026, 3, 9), date(2026, 4, 8)
    cohort = dict(metrics.roll_rates(BOOK, before, after, USD))
    # 600 of i2 were 1-30 days late on March 9; 200 of them are 48 days late a month later
    assert cohort["1-30"].rounded(4) == D("0.3333")
    assert cohort["current"].reason is Undefined.EMPTY_BUCKET
    ratio = dict(metrics.roll_rates(BOOK, before, after, USD, method="ratio"))
    assert ratio["1-30"].rounded(4) == D("0.3333")
    assert "91+" not in cohort, "nothing rolls out of the last bucket"


def test_an_item_that_stays_in_its_bucket_has_not_rolled() -> None:
    snapshot = b.book(b.invoice("i1", 25), b.invoice("i2", 30))
    rates = dict(metrics.roll_rates(snapshot, b.TODAY, b.TODAY + timedelta(days=1), USD))
    assert rates["1-30"].value == D("0.5")


def test_days_to_pay_and_days_late_are_weighted_by_what_was_paid() -> None:
    # paid in the quarter: 1000 after 27 days (3 early), 400 after 50 (20 late), 300 after 40 (10 late)
    to_pay = metrics.days_to_pay(BOOK, QUARTER, USD)
    late = metrics.days_late(BOOK, QUARTER, USD)
    assert to_pay.input("days_x_amount") == 1000 * 27 + 400 * 50 + 300 * 40
    assert late.input("days_x_amount") == 1000 * -3 + 400 * 20 + 300 * 10
    assert late.input("weight") == to_pay.input("weight") == 1700
    with_open = metrics.days_late(BOOK, QUARTER, USD, with_open=True)
    assert with_open.input("days_x_amount") == late.input("days_x_amount") + 200 * 40
    assert metrics.days_late(BOOK, QUARTER, USD, b.customer_id("c2")).reason is Undefined.NOTHING_SETTLED


def test_a_payment_without_a_date_is_left_out_and_named() -> None:
    snapshot = b.book(invoice("i1", date(2026, 1, 5), date(2026, 2, 4), 10), *paid("p1", "i1", None, 10))
    found = metrics.days_to_pay(snapshot, QUARTER, USD)
    assert found.reason is Undefined.NOTHING_SETTLED
    assert found.left_out == (b.invoice_id("i1"),)


def test_a_credit_note_pays_nothing() -> None:
    note = ar.record_id("quickbooks", "1", ar.RecordKind.CREDIT_NOTE, "n1")
    applied = b.allocation("p9", "i1").model_copy(update={"source_id": note, "applied_on": date(2026, 1, 9)})
    snapshot = b.book(invoice("i1", date(2026, 1, 5), date(2026, 2, 4), 100), applied)
    assert metrics.days_to_pay(snapshot, QUARTER, USD).reason is Undefined.NOTHING_SETTLED


def verdict(state: str, required: int = 100, decided: date | None = date(2026, 2, 1)) -> ar.PromiseVerdict:
    return ar.PromiseVerdict(
        promise_id=f"local:{state}{required}",
        customer_id=b.customer_id(),
        invoice_ids=(),
        state=ar.PromiseState(state),
        promised_date=date(2026, 1, 28),
        deadline=date(2026, 2, 1),
        given_on=None,
        required=D(required),
        paid=D(0),
        currency=USD,
        decided_on=decided,
    )


def test_g9_promises_kept_by_count_and_by_amount() -> None:
    verdicts = [verdict("kept", 300), verdict("kept_late"), verdict("partially_kept"), verdict("broken", 500)]
    undecided = [verdict("open", decided=None), verdict("superseded"), verdict("withdrawn")]
    assert metrics.promise_kept_ratio([*verdicts, *undecided], QUARTER).value == D("0.25")
    assert metrics.promise_kept_ratio(verdicts, QUARTER, by="amount", currency=USD).value == D("0.3")
    assert metrics.promise_kept_ratio(undecided, QUARTER).reason is Undefined.NO_VERDICT
    later = Period(date(2026, 2, 2), date(2026, 3, 1))
    assert metrics.promise_kept_ratio(verdicts, later).reason is Undefined.NO_VERDICT


def test_g8_at_risk_is_what_is_unpaid_90_days_past_due() -> None:
    january = month_of(date(2026, 1, 1))
    # i1 paid; of i2's 600, due February 19, 200 are open on May 20
    day = date(2026, 5, 20)
    assert metrics.at_risk_rate(BOOK, january, day, USD).value == D("0.125")
    assert metrics.at_risk_rate(BOOK, january, day - timedelta(days=1), USD).reason is Undefined.TOO_EARLY
    assert metrics.at_risk_rate(BOOK, month_of(date(2026, 2, 1)), day, USD).reason is Undefined.NOTHING_BILLED


@pytest.mark.parametrize(("on", "at_risk"), [(date(2026, 5, 5), "0"), (date(2026, 5, 6), "1")])
def test_g8_a_payment_on_day_90_still_counts_and_on_day_91_does_not(on: date, at_risk: str) -> None:
    snapshot = b.book(invoice("i1", date(2026, 1, 5), date(2026, 2, 4), 10), *paid("p1", "i1", on, 10))
    found = metrics.at_risk_rate(snapshot, month_of(date(2026, 1, 5)), date(2026, 12, 1), USD)
    assert found.value == D(at_risk)


def test_the_last_months_are_the_full_ones() -> None:
    assert [m.first.month for m in last_months(date(2026, 3, 30), 2)] == [2, 1]
    assert [m.first.month for m in last_months(date(2026, 3, 31), 2)] == [3, 2]
    assert [m.days for m in last_months(date(2026, 3, 31), 2)] == [31, 28]


def test_a_scorecard_has_every_figure_or_its_reason() -> None:
    card = metrics.scorecard(BOOK, date(2026, 3, 31), USD)
    assert (card.first, card.last) == (QUARTER.first, QUARTER.last)
    assert (card.outstanding, card.overdue) == (D(1000), D(200))
    assert card.dso.value == D("37.5")
    assert card.promise_kept_ratio.reason is Undefined.NO_VERDICT
    assert card.at_risk_month < card.first
    assert metrics.Scorecard.model_validate_json(card.model_dump_json()) == card
    empty = metrics.scorecard(ar.Snapshot(), date(2026, 3, 31), USD)
    assert empty.dso.reason is Undefined.NO_SALES
    assert empty.countback_dso.value == 0
