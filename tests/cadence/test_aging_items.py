"""Open items, one kind at a time: what is open on a day, whose it is, from which date it ages, and what is left out by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from ar_core.aging import QUICKBOOKS, XERO, AgingSpec, OpenItem, aging, bucket_of, open_items, settled_on
from tests.cadence import books as b

ZERO = Decimal(0)
DAY = timedelta(days=1)
THEN = b.TODAY - 10 * DAY
"""A past report date."""


def note(name: str = "n1", *, ago: int | None = 40, amount: str = "30", **changes: Any) -> ar.CreditNote:
    fields: dict[str, Any] = {
        "id": f"quickbooks:1:credit_note:{name}",
        "customer_id": b.customer_id(),
        "currency": "USD",
        "issue_date": None if ago is None else b.TODAY - ago * DAY,
        "total": Decimal(amount),
        "unapplied_amount": Decimal(amount),
        "document_status": ar.DocumentStatus.POSTED,
    }
    return ar.CreditNote(**{**fields, **changes})


def line(
    name: str = "a1", *, ago: int | None = 3, amount: str | None = "-20", **changes: Any
) -> ar.Adjustment:
    fields: dict[str, Any] = {
        "id": f"quickbooks:1:adjustment:{name}",
        "customer_id": b.customer_id(),
        "adjustment_date": None if ago is None else b.TODAY - ago * DAY,
        "currency": "USD",
        "amount": Decimal(amount or "-20"),
        "open_amount": None if amount is None else Decimal(amount),
        "document_status": ar.DocumentStatus.POSTED,
    }
    return ar.Adjustment(**{**fields, **changes})


def applied(source: str, target: str, *, ago: int = 5, amount: str = "100", **changes: Any) -> ar.Allocation:
    """An application between any two records."""
    fields: dict[str, Any] = {
        "id": ar.allocation_id(source, target, 0),
        "parent_id": source,
        "source_id": source,
        "target_id": target,
        "amount": Decimal(amount),
        "currency": b.BASE,
        "target_amount": Decimal(amount),
        "target_currency": b.BASE,
        "applied_on": b.TODAY - ago * DAY,
    }
    return ar.Allocation(**{**fields, **changes})


def items(*records: Any, today: date = b.TODAY, spec: AgingSpec | None = None) -> list[OpenItem]:
    return list(open_items(b.book(*records), today, spec or AgingSpec()))


def amounts(found: Iterable[OpenItem]) -> dict[str, Decimal]:
    return {item.id: item.amount for item in found}


# ---- each kind of record is an item of its own


@pytest.mark.parametrize(
    ("record", "amount", "ago"),
    [
        (b.invoice("i1", 10), Decimal(100), 10),
        (b.invoice("i1", 10, balance_due=Decimal(-7), total=Decimal(-7)), Decimal(-7), 10),
        (note(), Decimal(-30), 40),
        (b.payment(ago=4, unapplied="25"), Decimal(-25), 4),
        (b.payment(ago=4, unapplied="25", kind=ar.PaymentKind.REFUND), Decimal(25), 4),
        (line(), Decimal(-20), 3),
        (line(amount="20"), Decimal(20), 3),
    ],
    ids=["invoice", "negative invoice", "credit note", "payment", "refund", "credit", "debit"],
)
def test_an_item_names_its_record_its_owner_its_date_and_its_sign(
    record: Any, amount: Decimal, ago: int
) -> None:
    (found,) = items(record)
    assert found == OpenItem(record.id, b.customer_id(), "USD", b.TODAY - ago * DAY, amount, amount < 0)
    assert found.is_credit is (amount < 0)


def test_what_is_settled_is_no_item() -> None:
    settled: list[Any] = [
        b.invoice(balance_due=ZERO),
        note(unapplied_amount=ZERO),
        b.payment(unapplied="0"),
        line(amount="0"),
    ]
    assert items(*settled) == []


@pytest.mark.parametrize("status", [s for s in ar.DocumentStatus if s is not ar.DocumentStatus.POSTED])
def test_what_is_not_posted_is_no_item_and_hides_none_after_it(status: ar.DocumentStatus) -> None:
    pairs: list[tuple[Any, Any]] = [
        (b.invoice("i1", 9, document_status=status), b.invoice("i2", 9)),
        (note("n1", document_status=status), note("n2")),
        (b.payment("p1", unapplied="5", document_status=status), b.payment("p2", unapplied="5")),
        (line("a1", document_status=status), line("a2")),
    ]
    for left_out, kept in pairs:
        assert [item.id for item in items(left_out, kept)] == [kept.id]


def test_e9_what_is_dated_after_the_report_is_no_item_yet_and_hides_none_after_it() -> None:
    pairs: list[tuple[Any, Any]] = [
        (b.invoice("i1", issue_date=b.TODAY + DAY), b.invoice("i2", issue_date=b.TODAY)),
        (note("n1", ago=-1), note("n2", ago=0)),
        (b.payment("p1", ago=-1, unapplied="5"), b.payment("p2", ago=0, unapplied="5")),
        (line("a1", ago=-1), line("a2", ago=0)),
    ]
    for future, present in pairs:
        assert [item.id for item in items(future, present)] == [present.id]


def test_an_item_without_a_date_is_there_in_current_and_named() -> None:
    records: list[Any] = [note(ago=None), line(ago=None), b.payment(unapplied="5", payment_date=None)]
    report = aging(b.book(b.invoice("i1", 40), *records), b.TODAY)
    assert report.undated == tuple(sorted(record.id for record in records))
    assert report.rows[0].buckets == (Decimal(-55), ZERO, Decimal(100), ZERO, ZERO)
    assert bucket_of(None, b.TODAY, AgingSpec(edges=(5, 10))) == 0
    assert aging(b.book(b.invoice("i1", 40)), b.TODAY).undated == ()


def test_xero_passes_over_prepayments_and_goes_on_behind_them() -> None:
    prepaid = b.payment("p1", unapplied="40", kind=ar.PaymentKind.PREPAYMENT)
    found = items(prepaid, b.payment("p2", unapplied="25"), spec=XERO)
    assert [item.amount for item in found] == [Decimal(-25)]


# ---- a past report takes back what was applied later


def test_a_past_report_takes_applications_back_on_both_sides() -> None:
    invoice, debit = b.invoice("i1", 40, balance_due=Decimal(10)), line("a1", ago=40, amount="4")
    other = b.invoice("i2", 40, balance_due=Decimal(1))
    payment, credit = b.payment(ago=20, unapplied="5"), note(ago=20, amount="3")
    refund_of = line("a2", ago=40, amount="-2")
    later = [
        applied(payment.id, invoice.id, amount="50"),
        applied(credit.id, other.id, amount="20"),
        applied(payment.id, debit.id, amount="6"),
        applied(refund_of.id, other.id, amount="8"),
    ]
    records = [invoice, other, payment, credit, debit, refund_of, *later]
    assert amounts(items(*records, today=THEN)) == {
        invoice.id: Decimal(60),
        other.id: Decimal(29),
        payment.id: Decimal(-61),
        credit.id: Decimal(-23),
        debit.id: Decimal(10),
        refund_of.id: Decimal(-10),
    }
    assert sum(amounts(items(*records, today=THEN)).values()) == sum(amounts(items(*records)).values())


def test_a_discount_taken_with_a_later_payment_is_taken_back_too() -> None:
    payment = b.payment(ago=5)
    cut = applied(payment.id, b.invoice_id(), amount="95", discount_amount=Decimal(5))
    records = [b.invoice("i1", 40, balance_due=ZERO), payment, cut]
    assert amounts(items(*records, today=THEN)) == {b.invoice_id(): Decimal(100)}


def test_two_later_applications_to_one_invoice_are_both_taken_back() -> None:
    paid = [b.payment("p1", ago=5), b.payment("p2", ago=4)]
    later = [applied(p.id, b.invoice_id(), amount="30") for p in paid]
    records = [b.invoice("i1", 40, balance_due=Decimal(40)), *paid, *later]
    assert amounts(items(*records, today=THEN)) == {b.invoice_id(): Decimal(100)}


@pytest.mark.parametrize(("ago", "open_then"), [(10, "40"), (9, "100")])
def test_an_application_on_the_day_of_the_report_counts_and_one_after_it_does_not(
    ago: int, open_then: str
) -> None:
    payment = b.payment(ago=20, unapplied="0")
    records = [
        b.invoice("i1", 40, balance_due=Decimal(40)),
        payment,
        applied(payment.id, b.invoice_id(), ago=ago, amount="60"),
    ]
    assert amounts(items(*records, today=THEN))[b.invoice_id()] == Decimal(open_then)


@pytest.mark.parametrize(
    ("applied_on", "received", "expected"),
    [(5, 3, 5), (3, 5, 5), (None, 4, 4), (4, None, 4), (None, None, None)],
)
def test_an_application_takes_effect_when_it_is_made_and_the_money_is_there(
    applied_on: int | None, received: int | None, expected: int | None
) -> None:
    def day(number: int | None) -> date | None:
        return None if number is None else date(2026, 1, number)

    one = applied("p1", "i1", applied_on=day(applied_on))
    assert settled_on(one, {"p1": day(received), "other": date(2026, 1, 31)}) == day(expected)


def test_the_current_method_of_quickbooks_knows_later_money_as_received() -> None:
    later = b.payment(ago=5, unapplied="25")
    assert amounts(items(later, today=THEN, spec=QUICKBOOKS)) == {later.id: Decimal(-25)}
    assert items(later, today=THEN) == []


# ---- what is not said is not taken for zero


def test_open_amounts_that_the_erp_does_not_say_are_named_and_left_out() -> None:
    unsaid: dict[str, Any] = {"unapplied_amount": None}
    records: list[Any] = [
        line("a1", amount=None),
        line("a2", amount=None, ago=0),
        line("a3", amount=None, ago=None),
        b.payment("p1", **unsaid),
        b.payment("p2", kind=ar.PaymentKind.PREPAYMENT, **unsaid),
    ]
    said = [line("a4"), b.payment("p3", unapplied="0")]
    not_yet_or_never = [
        line("a5", amount=None, ago=-1),
        line("a6", amount=None, document_status=ar.DocumentStatus.DRAFT),
        b.payment("p4", document_status=ar.DocumentStatus.VOIDED, **unsaid),
    ]
    snapshot = b.book(*records, *said, *not_yet_or_never)
    assert aging(snapshot, b.TODAY).uncounted == tuple(sorted(r.id for r in records))
    assert aging(snapshot, b.TODAY, XERO).uncounted == tuple(sorted(r.id for r in records[:-1]))
    assert aging(snapshot, b.TODAY).totals[0].total == Decimal(-20)


# ---- rows and totals


def test_rows_are_by_customer_and_currency_and_totals_by_currency() -> None:
    records = [
        b.invoice("i1", 10, "c2"),
        b.invoice("i2", 10, "c1", currency="USD"),
        b.invoice("i3", 10, "c1", currency="EUR"),
        b.invoice("i4", 10, "c1", currency=None),
        b.invoice("i5", 10, customer_id=None),
        b.invoice("i6", 10, customer_id=None, currency="AAA"),
    ]
    for order in (records, records[::-1]):
        report = aging(b.book(*order), b.TODAY)
        assert [(row.customer_id, row.currency) for row in report.rows] == [
            (None, "AAA"),
            (None, "USD"),
            (b.customer_id("c1"), None),
            (b.customer_id("c1"), "EUR"),
            (b.customer_id("c1"), "USD"),
            (b.customer_id("c2"), "USD"),
        ]
        assert [(row.customer_id, row.currency, row.total) for row in report.totals] == [
            (None, None, Decimal(100)),
            (None, "AAA", Decimal(100)),
            (None, "EUR", Decimal(100)),
            (None, "USD", Decimal(300)),
        ]


def test_the_moment_of_a_report_is_the_day_in_its_zone() -> None:
    moment = ar.AsOf(instant=b.as_of(b.TODAY, hour=23).instant, zone=b.ZONE)
    assert aging(b.book(b.invoice("i1", 1)), moment) == aging(b.book(b.invoice("i1", 1)), b.TODAY)


@pytest.mark.parametrize(
    ("credit", "buckets"),
    [
        ("0", (10, 20, 30, 40, 50)),
        ("50", (10, 20, 30, 40, 0)),
        ("51", (10, 20, 30, 39, 0)),
        ("150", (0, 0, 0, 0, 0)),
        ("151", (-1, 0, 0, 0, 0)),
    ],
)
def test_credit_is_taken_off_the_oldest_bucket_then_the_next(credit: str, buckets: tuple[int, ...]) -> None:
    ages = (-5, 10, 40, 70, 100)
    invoices = [
        b.invoice(f"i{n}", age, balance_due=Decimal(10 * n + 10), issue_date=b.TODAY - 200 * DAY)
        for n, age in enumerate(ages)
    ]
    records = [*invoices, note(amount=credit)]
    (row,) = aging(b.book(*records), b.TODAY, AgingSpec(credits="oldest_first")).rows
    assert row.buckets == tuple(Decimal(x) for x in buckets)
    assert row.credits == 0
    assert row.total == 150 - Decimal(credit)
