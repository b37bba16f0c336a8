"""Does a realistic company evaluate without a single account that fails? E50 hides a bug well."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ar_core as core


def test_a_mean_that_does_not_divide_evenly_is_no_error() -> None:
    """A payment history whose weighted mean has endless digits: ratios are rounded, money is not."""
    customer = core.Customer(id="a:b:customer:1", name="A", currency="USD")
    invoices, payments, allocations = [], [], []
    for number, (amount, late) in enumerate([("100.00", 1), ("70.00", 2), ("13.37", 5)], start=1):
        due = date(2026, 8, 1)
        invoices.append(_invoice(number, due, amount, "0"))
        paid = core.Payment(
            id=f"a:b:payment:{number}",
            customer_id=customer.id,
            currency="USD",
            payment_date=due + timedelta(days=late),
            total=Decimal(amount),
            document_status=core.DocumentStatus.POSTED,
        )
        payments.append(paid)
        allocations.append(
            core.Allocation(
                id=core.allocation_id(paid.id, invoices[-1].id, 0),
                parent_id=paid.id,
                source_id=paid.id,
                target_id=invoices[-1].id,
                amount=Decimal(amount),
                currency="USD",
                target_amount=Decimal(amount),
                target_currency="USD",
                applied_on=paid.payment_date,
            )
        )
    invoices.append(_invoice(9, date(2026, 10, 1), "50.00", "50.00"))
    book = core.Snapshot(
        customers=(customer,),
        invoices=tuple(invoices),
        payments=tuple(payments),
        allocations=tuple(allocations),
    )
    as_of = core.AsOf(instant=datetime(2026, 11, 2, 15, tzinfo=UTC), zone="America/New_York")
    evaluation = core.evaluate(book, core.load_policy("balanced"), as_of, strict=True)
    assert evaluation.errors == ()
    assert len(evaluation.dispositions) == 1


def _invoice(number: int, due: date, total: str, balance: str) -> core.Invoice:
    return core.Invoice(
        id=f"a:b:invoice:{number}",
        customer_id="a:b:customer:1",
        currency="USD",
        issue_date=due - timedelta(days=30),
        due_date=due,
        total=Decimal(total),
        balance_due=Decimal(balance),
        document_status=core.DocumentStatus.POSTED,
    )
