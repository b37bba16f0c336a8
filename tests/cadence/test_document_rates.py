"""Rates come from the documents that the ERP wrote them on, and weigh what is owed in one currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ar_core.model import DocumentStatus, Invoice, Payment, PaymentKind, Snapshot, Source
from ar_core.rates import document_rates
from ar_core.segments import latest_rates

D = Decimal


def invoice(number: str, currency: str | None, rate: str | None, day: int, **more: Any) -> Invoice:
    return Invoice(
        id=f"quickbooks:1:invoice:{number}",
        currency=currency,
        total=D(100),
        balance_due=D(100),
        exchange_rate=None if rate is None else D(rate),
        issue_date=date(2026, 11, day) if day else None,
        document_status=DocumentStatus.POSTED,
        **more,
    )


def written(hour: int) -> Source:
    at = datetime(2026, 11, 20, hour, tzinfo=UTC)
    return Source(platform="quickbooks", tenant="1", kind="Invoice", remote_id="x", updated_at=at)


def test_each_currency_and_day_has_one_rate() -> None:
    documents = [
        invoice("1", "EUR", "1.08", 2),
        invoice("2", "EUR", "1.10", 9),
        invoice("3", "USD", "1", 9),
        invoice("4", "GBP", None, 9),
        invoice("5", "GBP", "0", 9),
        invoice("6", None, "1.5", 9),
        invoice("7", "CAD", "0.72", 0),
    ]
    paid = Payment(
        id="quickbooks:1:payment:1", kind=PaymentKind.RECEIPT, payment_date=date(2026, 11, 12), currency="EUR",
        total=D(5), unapplied_amount=D(0), exchange_rate=D("1.11"), document_status=DocumentStatus.POSTED,
    )  # fmt: skip
    rates = document_rates("USD", invoices=documents, payments=[paid])
    assert [one.id for one in rates] == ["EUR/USD/2026-11-02", "EUR/USD/2026-11-09", "EUR/USD/2026-11-12"]
    snapshot = Snapshot(rates=rates)
    assert latest_rates(snapshot, "USD", date(2026, 11, 10)) == {"EUR": D("1.10"), "USD": D(1)}
    assert latest_rates(snapshot, "USD")["EUR"] == D("1.11")
    assert document_rates(None, invoices=documents) == ()


def test_of_one_day_the_document_that_was_changed_last_counts_in_any_order() -> None:
    early, late = (
        invoice("9", "EUR", "1.01", 2, source=written(8)),
        invoice("1", "EUR", "1.02", 2, source=written(9)),
    )
    unknown = invoice("5", "EUR", "1.03", 2)
    for order in ([early, late, unknown], [unknown, late, early]):
        (rate,) = document_rates("USD", invoices=order)
        assert rate.rate == D("1.02")
