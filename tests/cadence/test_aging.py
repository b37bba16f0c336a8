"""Aging: every convention, every boundary, and the invariant that nothing is lost between the buckets."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ar_core as ar
from ar_core.aging import NETSUITE, QUICKBOOKS, QUICKBOOKS_REPORT_DATE, XERO, AgingSpec, aging
from tests.cadence import books as b

ZERO = Decimal(0)


def label(*records: Any, spec: AgingSpec = QUICKBOOKS_REPORT_DATE, today: date = b.TODAY) -> str:
    report = aging(b.book(*records), today, spec)
    (row,) = report.rows
    (found,) = [name for name, amount in zip(report.labels, row.buckets, strict=True) if amount]
    return found


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-1, "current"),
        (0, "current"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "91+"),
    ],
)
@pytest.mark.parametrize("spec", [QUICKBOOKS, QUICKBOOKS_REPORT_DATE, NETSUITE])
def test_buckets_by_days_begin_and_end_on_their_days(spec: AgingSpec, age: int, expected: str) -> None:
    assert label(b.invoice(dpd=age), spec=spec) == expected


def test_day_0_belongs_to_current_or_to_the_first_bucket_as_the_spec_says() -> None:
    assert label(b.invoice(dpd=0), spec=AgingSpec(day0="first_bucket")) == "1-30"
    assert label(b.invoice(dpd=-1), spec=AgingSpec(day0="first_bucket")) == "current"
    assert label(b.invoice(dpd=0), spec=XERO) == "current"
    assert label(b.invoice(dpd=0), spec=XERO.model_copy(update={"day0": "first_bucket"})) == "1"


@pytest.mark.parametrize(
    ("due", "today", "expected"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), "1"),
        (date(2026, 1, 31), date(2026, 3, 1), "2"),
        (date(2026, 1, 15), date(2026, 2, 15), "1"),
        (date(2026, 1, 15), date(2026, 2, 16), "2"),
        (date(2026, 1, 15), date(2026, 4, 15), "3"),
        (date(2026, 1, 15), date(2026, 4, 16), "4+"),
    ],
)
def test_month_buckets_are_calendar_months(due: date, today: date, expected: str) -> None:
    invoice = b.invoice(due_date=due, issue_date=due)
    assert label(invoice, spec=XERO, today=today) == expected


def test_age_counts_from_the_due_or_the_issue_date() -> None:
    assert label(b.invoice(dpd=10), spec=AgingSpec(date="invoice")) == "31-60"
    assert label(b.invoice(dpd=10), spec=AgingSpec(date="gl")) == "31-60"
    assert label(b.invoice(due_date=None, issue_date=b.TODAY - timedelta(days=5))) == "1-30"


def credit(ago: int = 40, amount: str = "30") -> ar.CreditNote:
    return ar.CreditNote(
        id="quickbooks:1:credit_note:1",
        customer_id=b.customer_id(),
        currency="USD",
        issue_date=b.TODAY - timedelta(days=ago),
        total=Decimal(amount),
        unapplied_amount=Decimal(amount),
        document_status=ar.DocumentStatus.POSTED,
    )


@pytest.mark.parametrize(
    ("rule", "buckets", "apart"),
    [
        ("bucketed", (0, 100, -30, 0, 100), 0),
        ("separate", (0, 100, 0, 0, 100), -30),
        ("oldest_first", (0, 100, 0, 0, 70), 0),
    ],
)
def test_unapplied_credit_is_shown_by_age_apart_or_netted_oldest_first(
    rule: Any, buckets: tuple[int, ...], apart: int
) -> None:
    snapshot = b.book(b.invoice("i1", 10), b.invoice("i2", 100), credit())
    (row,) = aging(snapshot, b.TODAY, AgingSpec(credits=rule)).rows
    assert row.buckets == tuple(Decimal(x) for x in buckets)
    assert row.credits == apart
    assert row.total == 170


def test_more_credit_than_debt_stays_in_current() -> None:
    (row,) = aging(
        b.book(b.invoice(dpd=10), credit(amount="130")), b.TODAY, AgingSpec(credits="oldest_first")
    ).rows
    assert row.buckets == (Decimal(-30), ZERO, ZERO, ZERO, ZERO)


def test_the_report_date_method_takes_later_payments_back_and_the_current_method_does_not() -> None:
    records = [b.invoice(dpd=40, balance_due=Decimal(0)), b.payment(ago=5), b.allocation(ago=5)]
    then = b.TODAY - timedelta(days=10)
    assert aging(b.book(*records), then, QUICKBOOKS_REPORT_DATE).totals[0].total == 100
    assert aging(b.book(*records), then, QUICKBOOKS).totals == ()
    through = AgingSpec(payments_through=b.TODAY - timedelta(days=5))
    assert aging(b.book(*records), b.TODAY, through).totals == ()
    before = AgingSpec(payments_through=b.TODAY - timedelta(days=6))
    assert aging(b.book(*records), b.TODAY, before).totals[0].total == 100


def test_e9_invoices_of_the_future_drafts_and_voided_ones_are_left_out() -> None:
    snapshot = b.book(
        b.invoice("i1", issue_date=b.TODAY + timedelta(days=1)),
        b.invoice("i2", document_status=ar.DocumentStatus.DRAFT),
        b.invoice("i3", document_status=ar.DocumentStatus.VOIDED),
        b.invoice("i4", issue_date=b.TODAY),
    )
    assert aging(snapshot, b.TODAY).totals[0].total == 100


def test_e4_aging_keeps_the_contractual_date_whatever_the_cadence_does() -> None:
    saturday = date(2026, 11, 21)
    assert label(b.invoice(due_date=saturday), today=date(2026, 11, 22)) == "1-30"


def test_xero_leaves_prepayments_out_and_keeps_overpayments() -> None:
    prepaid = b.payment("p1", unapplied="40", kind=ar.PaymentKind.PREPAYMENT)
    overpaid = b.payment("p2", unapplied="25", kind=ar.PaymentKind.OVERPAYMENT)
    snapshot = b.book(b.invoice(dpd=10), prepaid, overpaid)
    assert aging(snapshot, b.TODAY, XERO).totals[0].total == 75
    assert aging(snapshot, b.TODAY, NETSUITE).totals[0].total == 35


def test_an_adjustment_counts_with_its_open_amount_and_sign() -> None:
    line = ar.Adjustment(
        id="quickbooks:1:adjustment:1",
        customer_id=b.customer_id(),
        adjustment_date=b.TODAY - timedelta(days=3),
        currency="USD",
        amount=Decimal(-20),
        open_amount=Decimal(-20),
        document_status=ar.DocumentStatus.POSTED,
    )
    assert aging(b.book(b.invoice(dpd=10), line), b.TODAY).totals[0].total == 80


def test_e17_currencies_are_never_added_up() -> None:
    snapshot = b.book(b.invoice("i1", 10), b.invoice("i2", 10, currency="EUR"))
    assert {t.currency: t.total for t in aging(snapshot, b.TODAY).totals} == {
        "EUR": Decimal(100),
        "USD": Decimal(100),
    }


def test_a_spec_with_falling_edges_is_refused() -> None:
    with pytest.raises(ValueError, match="edges rise"):
        AgingSpec(edges=(30, 0))


SPECS = st.builds(
    AgingSpec,
    date=st.sampled_from(["due", "invoice"]),
    edges=st.sampled_from([(0, 30, 60, 90), (0,), (0, 1, 2, 3), (5, 10)]),
    day0=st.sampled_from(["current", "first_bucket"]),
    credits=st.sampled_from(["bucketed", "separate", "oldest_first"]),
    unit=st.sampled_from(["days", "months"]),
)
AMOUNTS = st.decimals(min_value="0.01", max_value="99999.99", places=2)


@given(
    spec=SPECS,
    rows=st.lists(
        st.tuples(
            st.integers(-40, 200), AMOUNTS, st.sampled_from(["USD", "EUR"]), st.sampled_from(["c1", "c2"])
        ),
        max_size=12,
    ),
    on_account=st.lists(st.tuples(st.integers(0, 100), AMOUNTS, st.sampled_from(["USD", "EUR"])), max_size=4),
)
def test_the_buckets_and_credits_are_the_open_balance_per_currency(
    spec: AgingSpec, rows: list[Any], on_account: list[Any]
) -> None:
    invoices = [
        b.invoice(f"i{n}", dpd, owner, balance_due=amount, total=amount, currency=currency)
        for n, (dpd, amount, currency, owner) in enumerate(rows)
    ]
    notes = [
        credit(ago, str(amount)).model_copy(
            update={"id": f"quickbooks:1:credit_note:{n}", "currency": currency}
        )
        for n, (ago, amount, currency) in enumerate(on_account)
    ]
    report = aging(b.book(*invoices, *notes), b.TODAY, spec)
    for currency in ("USD", "EUR"):
        # Not yet issued invoices (30 days before their due date) are out.
        wanted = sum(
            (
                i.balance_due
                for i in invoices
                if i.currency == currency and (i.issue_date or b.TODAY) <= b.TODAY
            ),
            ZERO,
        )
        wanted -= sum((n.unapplied_amount for n in notes if n.currency == currency), ZERO)
        found = sum((t.total for t in report.totals if t.currency == currency), ZERO)
        assert found == wanted
        for row in (*report.rows, *report.totals):
            assert sum(row.buckets, ZERO) + row.credits == row.total
