"""Are balances compared to the last digit, and differences explained only by what can be shown?"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ar_connectors.connector import ReportedBalance
from ar_connectors.store import Store
from ar_connectors.syncing import Reconciliation, reconcile
from ar_connectors.syncing.reconcile import compare
from ar_core.model import (
    Adjustment,
    Allocation,
    CreditNote,
    Customer,
    DocumentStatus,
    Invoice,
    Organization,
    Payment,
    PaymentKind,
    Snapshot,
)
from tests.sync.conftest import Sync
from tests.sync.paper import START, PaperConnector, PaperErp, Ticks

D = Decimal
NET = "customer balance"
POSTED = DocumentStatus.POSTED


def invoice(
    number: str, balance: str, customer: str | None = "c1", currency: str | None = "USD", **more: Any
) -> Invoice:
    facts: dict[str, Any] = {"document_status": POSTED, **more}
    return Invoice(
        id=f"p:1:invoice:{number}",
        customer_id=customer,
        currency=currency,
        total=Decimal(balance),
        balance_due=Decimal(balance),
        **facts,
    )


def credit(number: str, left: str, customer: str = "c1", currency: str = "USD") -> CreditNote:
    return CreditNote(
        id=f"p:1:credit_note:{number}",
        customer_id=customer,
        currency=currency,
        total=Decimal(left),
        unapplied_amount=Decimal(left),
        document_status=POSTED,
    )


def payment(number: str, left: str | None, **more: Any) -> Payment:
    return Payment(
        id=f"p:1:payment:{number}",
        customer_id="c1",
        currency="USD",
        total=Decimal(left or 1),
        unapplied_amount=None if left is None else Decimal(left),
        document_status=POSTED,
        **more,
    )


def adjustment(number: str, amount: str, open_amount: str | None = None) -> Adjustment:
    return Adjustment(
        id=f"p:1:adjustment:{number}",
        customer_id="c1",
        currency="USD",
        amount=Decimal(amount),
        open_amount=None if open_amount is None else Decimal(open_amount),
        document_status=POSTED,
    )


def books(*records: Any, balance: str | None = None) -> Snapshot:
    by_type: dict[type, str] = {
        Invoice: "invoices",
        CreditNote: "credit_notes",
        Payment: "payments",
        Adjustment: "adjustments",
        Allocation: "allocations",
    }
    tables: dict[str, Any] = {}
    for record in records:
        name = by_type[type(record)]
        tables[name] = (*tables.get(name, ()), record)
    known = None if balance is None else Decimal(balance)
    customers = tuple(
        Customer(id=one, name=one.upper(), currency="USD", reported_balance=known) for one in ("c1", "c2")
    )
    organization = Organization(id="p:1:organization:1", base_currency="USD")
    return Snapshot(organization=organization, customers=customers, **tables)


def told(
    amount: str, customer: str | None = "c1", currency: str | None = "USD", basis: str = NET
) -> ReportedBalance:
    return ReportedBalance(customer, currency, Decimal(amount), basis)


def compared(snapshot: Snapshot, *figures: ReportedBalance) -> Reconciliation:
    return compare("p:1", snapshot, figures, START)


def test_equal_figures_are_no_difference() -> None:
    everything = books(
        invoice("1", "100.10"),
        credit("2", "20.00"),
        payment("3", "5.05"),
        adjustment("4", "-3.00", "-3.00"),
        invoice("5", "9", customer="c2"),
    )
    result = compared(everything, told("72.05"), told("9.00", "c2"))
    assert result.differences == ()
    assert result.agrees
    assert result.compared == 2
    assert result.ours == result.reported == {"USD": Decimal("81.05")}


def test_a_difference_is_unexplained_to_the_last_digit() -> None:
    result = compared(books(invoice("1", "12345678901234567.89")), told("12345678901234567.87"))
    (line,) = result.differences
    assert line.unexplained == line.difference == Decimal("0.02")
    assert result.unexplained == {"USD": Decimal("0.02")}
    assert not result.agrees
    assert result.to_json()["differences"][0]["unexplained"] == "0.02"


def test_a_customer_without_a_figure_owes_nothing_by_the_platform() -> None:
    result = compared(books(invoice("1", "10"), invoice("2", "7", customer="c2")), told("10"))
    (line,) = result.differences
    assert (line.customer_id, line.ours, line.reported, line.unexplained) == ("c2", D(7), D(0), D(7))


def test_two_differences_do_not_hide_each_other() -> None:
    result = compared(
        books(invoice("1", "10"), invoice("2", "10", customer="c2")), told("9"), told("11", "c2")
    )
    assert [line.unexplained for line in result.differences] == [1, -1]
    assert result.unexplained == {"USD": Decimal(2)}


def test_currencies_are_never_mixed() -> None:
    result = compared(
        books(invoice("1", "10"), invoice("2", "20", currency="EUR")), told("20"), told("10", currency="EUR")
    )
    assert result.unexplained == {"EUR": Decimal(10), "USD": Decimal(10)}


@pytest.mark.parametrize(
    ("basis", "figure", "reasons"),
    [
        ("balance, without unapplied credits", "85", ["unapplied credits -20"]),
        ("balance, without unapplied payments", "75", ["unapplied payments -10"]),
        ("balance, without adjustments", "70", ["adjustments -5"]),
        (
            "open invoices only (invoices only)",
            "100",
            ["unapplied credits -20", "unapplied payments -10", "adjustments -5"],
        ),
    ],
)
def test_parts_that_a_figure_does_not_cover_explain_its_difference(
    basis: str, figure: str, reasons: list[str]
) -> None:
    everything = books(
        invoice("1", "100"), credit("2", "20"), payment("3", "10"), adjustment("4", "-5", "-5")
    )
    result = compared(everything, told(figure, basis=basis))
    (line,) = result.differences
    assert list(line.explanations) == reasons
    assert line.unexplained == 0
    assert result.agrees


def test_a_part_that_the_figure_covers_explains_nothing_even_if_the_amounts_fit() -> None:
    result = compared(books(invoice("1", "100"), credit("2", "20")), told("100"))
    (line,) = result.differences
    assert line.explanations == ()
    assert line.unexplained == -20


def test_a_remainder_behind_an_explanation_stays_unexplained() -> None:
    result = compared(books(invoice("1", "100"), credit("2", "20")), told("101", basis="invoices only"))
    (line,) = result.differences
    assert line.explanations == ("unapplied credits -20",)
    assert line.unexplained == -1


def test_digits_beyond_the_figures_last_one_are_rounding() -> None:
    result = compared(books(invoice("1", "10.005")), told("10.00"))
    assert result.differences[0].explanations == ("rounding 0.005",)
    assert compared(books(invoice("1", "10.005")), told("10.01")).agrees
    assert not compared(books(invoice("1", "10.005")), told("10.02")).agrees
    assert not compared(books(invoice("1", "10.49")), told("10")).agrees, "whole units are no rounding"


def test_a_change_since_the_last_reading_is_told_from_an_error() -> None:
    moved = compared(books(invoice("1", "100"), balance="100"), told("60"))
    assert moved.differences[0].explanations == ("not yet synced 40",)
    assert moved.agrees
    wrong = compared(books(invoice("1", "100"), balance="90"), told("60"))
    assert not wrong.agrees


def test_a_figure_in_base_currency_is_recognized_by_the_documents_own_rates() -> None:
    euro = invoice("1", "100", currency="EUR", exchange_rate=Decimal("1.1"))
    result = compared(books(euro, invoice("2", "50")), told("160.00"))
    assert {line.currency: line.explanations for line in result.differences} == {
        "EUR": ("currency 100",),
        "USD": ("currency -110.00",),
    }
    assert result.agrees
    assert not compared(books(euro, invoice("2", "50")), told("161.00")).agrees
    no_rate = invoice("1", "100", currency="EUR")
    assert not compared(books(no_rate, invoice("2", "50")), told("160.00")).agrees


def test_one_figure_for_all_customers_is_compared_with_the_sum() -> None:
    everything = books(
        invoice("1", "10"), invoice("2", "7", customer="c2"), invoice("3", "4", currency="EUR")
    )
    result = compared(everything, told("17", None), told("5", None, "EUR"))
    (line,) = result.differences
    assert (line.currency, line.ours, line.reported) == ("EUR", D(4), D(5))
    only = compared(books(invoice("1", "10"), invoice("2", "7", customer="c2")), told("17", None, None))
    assert only.agrees


def test_no_figures_at_all_means_that_nothing_is_owed() -> None:
    assert compared(books()).agrees
    assert compared(books(invoice("1", "10"))).unexplained == {"USD": Decimal(10)}


def test_what_is_not_owed_yet_does_not_count() -> None:
    waiting = [
        invoice(str(number), "10", document_status=status)
        for number, status in enumerate(
            (DocumentStatus.DRAFT, DocumentStatus.PENDING_APPROVAL, DocumentStatus.VOIDED)
        )
    ]
    assert compared(books(*waiting, invoice("9", "1")), told("1")).agrees
    assert not compared(books(invoice("8", "5", document_status=DocumentStatus.UNKNOWN)), told("0")).agrees


def test_a_refund_raises_what_is_owed() -> None:
    refund = payment("1", "30", kind=PaymentKind.REFUND)
    assert compared(books(invoice("1", "10"), refund), told("40")).agrees


def test_an_adjustment_that_does_not_say_what_is_open_is_followed_through_its_allocations() -> None:
    def settles(source: str, target: str, amount: str, discount: str | None = None) -> Allocation:
        return Allocation(
            id=f"{source}|{target}|0",
            parent_id=source,
            source_id=source,
            target_id=target,
            amount=Decimal(amount),
            target_amount=Decimal(amount),
            discount_amount=None if discount is None else Decimal(discount),
            applied_on=date(2026, 1, 1),
        )

    raised, lowered = adjustment("1", "50"), adjustment("2", "-30")
    links = (
        settles("p:1:payment:3", raised.id, "20", discount="1"),
        settles(lowered.id, "p:1:invoice:1", "12"),
    )
    everything = books(raised, lowered, *links, payment("3", "0"), invoice("1", "8"))
    assert compared(everything, told(str(50 - 21 - 30 + 12 + 8))).agrees


def test_a_document_that_does_not_say_what_is_open_is_named() -> None:
    result = compared(books(invoice("1", "10"), payment("2", None)), told("9"))
    (line,) = result.differences
    assert line.explanations == ("1 documents do not say what is open of them",)
    assert line.unexplained == 1


def test_a_customer_that_is_not_in_the_store_is_named_and_not_explained_away() -> None:
    result = compared(books(), told("9", "c99"))
    (line,) = result.differences
    assert line.explanations == ("the customer is not in the store",)
    assert line.unexplained == -9


def test_records_that_name_no_customer_or_currency_are_not_lost() -> None:
    result = compared(books(invoice("1", "10", customer=None, currency=None)), told("0"))
    (line,) = result.differences
    assert (line.customer_id, line.currency, line.ours) == (None, None, D(10))
    assert result.unexplained == {"?": Decimal(10)}


def test_a_store_is_reconciled_with_its_platform(
    run: Sync, store: Store, erp: PaperErp, connector: PaperConnector, clock: Ticks
) -> None:
    run()
    owed: dict[str, Decimal] = {}
    for (kind, _), row in erp.rows.items():
        if kind in {"invoice", "credit_note"}:
            sign = 1 if kind == "invoice" else -1
            owed[row["customer"]] = owed.get(row["customer"], Decimal(0)) + sign * Decimal(row["balance"])
    erp.reported = [
        ReportedBalance(f"paper:1:customer:{number}", "USD", amount, NET) for number, amount in owed.items()
    ]
    result = reconcile(connector, store, clock=clock)
    assert result.agrees
    assert result.differences == ()
    assert result.bases == (NET,)
    assert json.dumps(result.to_json())
    erp.pay("990", "109", "100.00", customer="2")
    run()
    assert reconcile(connector, store, clock=clock).unexplained == {"USD": Decimal(100)}
