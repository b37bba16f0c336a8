"""What settles what in QuickBooks: allocations whose sums hold in any order, and voids that are told from nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_core import model
from ar_core.model import money
from tests.quickbooks.mapping_rows import allocations, link, page, payment, rid


def test_a_payment_over_two_invoices() -> None:
    found = page(
        "payment", payment("65.00", "10.00", link("Invoice", "70", "40.00"), link("Invoice", "71", "15.00"))
    )
    assert allocations(found) == [
        ("payment 163", "invoice 70", "40.00"),
        ("payment 163", "invoice 71", "15.00"),
    ]
    first = found.records[1]
    assert isinstance(first, model.Allocation)
    assert first.id == f"{rid('payment', '163')}|{rid('invoice', '70')}|0"
    assert first.applied_on == date(2026, 11, 20)
    assert list(found.replaces) == [rid("payment", "163")]
    assert list(found.row_of) == [0, 0, 0]


def test_a_credit_applied_by_a_payment_of_nothing_goes_straight_to_the_invoice() -> None:
    found = page(
        "payment", payment("0", "0", link("Invoice", "70", "50.00"), link("CreditMemo", "73", "50.00"))
    )
    assert allocations(found) == [("credit_note 73", "invoice 70", "50.00")]
    only = found.records[1]
    assert isinstance(only, model.Allocation)
    assert only.parent_id == rid("payment", "163")


def test_credits_are_dealt_out_before_the_money_in_line_order() -> None:
    found = page(
        "payment",
        payment(
            "70.00",
            "0",
            link("Invoice", "70", "60.00"),
            link("CreditMemo", "73", "50.00"),
            link("Invoice", "71", "80.00"),
            link("CreditMemo", "74", "20.00"),
        ),
    )
    assert allocations(found) == [
        ("credit_note 73", "invoice 70", "50.00"),
        ("credit_note 74", "invoice 70", "10.00"),
        ("credit_note 74", "invoice 71", "10.00"),
        ("payment 163", "invoice 71", "70.00"),
    ]
    ids = [one.id for one in found.records if isinstance(one, model.Allocation)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("lines", "total", "expected"),
    [
        (
            [("Invoice", "70", "50.00"), ("JournalEntry", "80", "50.00")],
            "0",
            [("adjustment 80-7", "invoice 70", "50.00")],
        ),
        (
            [("Invoice", "70", "50.00"), ("JournalEntry", "80", "50.00")],
            "100.00",
            [("payment 163", "invoice 70", "50.00"), ("payment 163", "adjustment 80-7", "50.00")],
        ),
        (
            [("JournalEntry", "80", "30.00"), ("JournalEntry", "81", "10.00")],
            "20.00",
            [("adjustment 81-7", "adjustment 80-7", "10.00"), ("payment 163", "adjustment 80-7", "20.00")],
        ),
        (
            [("Invoice", "70", "50.00"), ("Expense", "90", "5.00")],
            "55.00",
            [("payment 163", "invoice 70", "50.00"), ("payment 163", "payment 90", "5.00")],
        ),
        (
            [("Invoice", "70", "50.00"), ("Invoice", "71", "-20.00")],
            "30.00",
            [("invoice 71", "invoice 70", "20.00"), ("payment 163", "invoice 70", "30.00")],
        ),
    ],
)
def test_the_payments_own_sum_decides_which_side_a_journal_entry_is_on(
    lines: list[tuple[str, str, str]], total: str, expected: list[tuple[str, str, str]]
) -> None:
    assert allocations(page("payment", payment(total, "0", *(link(*line) for line in lines)))) == expected


cents = st.integers(1, 10_000_000).map(lambda n: Decimal(n).scaleb(-2))


@given(
    debits=st.lists(cents, min_size=1, max_size=6),
    shares=st.lists(st.integers(1, 100), max_size=4),
    unapplied=st.just(Decimal("0.00")) | cents,
    order=st.randoms(use_true_random=False),
)
def test_sums_hold_whatever_the_order_of_the_lines(
    debits: list[Decimal], shares: list[int], unapplied: Decimal, order: Any
) -> None:
    left = money.total(debits)
    credits_ = []
    for share in shares:
        credit = (left * share / 200).quantize(Decimal("0.01"))
        if credit:
            credits_.append(credit)
            left = money.subtract(left, credit)
    lines = [link("Invoice", str(100 + n), str(amount)) for n, amount in enumerate(debits)]
    lines += [link("CreditMemo", str(200 + n), str(amount)) for n, amount in enumerate(credits_)]
    order.shuffle(lines)
    received = money.total([left, unapplied])
    found = page("payment", payment(str(received), str(unapplied), *lines))
    made = [one for one in found.records if isinstance(one, model.Allocation)]
    for number, amount in enumerate(debits):
        assert (
            money.total(
                one.target_amount for one in made if one.target_id == rid("invoice", str(100 + number))
            )
            == amount
        )
    for number, amount in enumerate(credits_):
        assert (
            money.total(one.amount for one in made if one.source_id == rid("credit_note", str(200 + number)))
            == amount
        )
    own = money.total(one.amount for one in made if one.source_id == rid("payment", "163"))
    assert money.subtract(received, own) == unapplied
    assert all(one.amount > 0 and one.parent_id == rid("payment", "163") for one in made)
    assert len({one.id for one in made}) == len(made)


def test_a_voided_payment_settles_nothing() -> None:
    found = page("payment", payment("0", "0", link("Invoice", "70", "0"), PrivateNote="Voided - was 50"))
    [record] = found.records
    assert isinstance(record, model.Payment)
    assert record.document_status is model.DocumentStatus.VOIDED
    assert list(found.replaces) == [record.id]


def test_a_payment_of_nothing_without_the_word_is_no_void() -> None:
    [record] = page("payment", payment("0", "0", PrivateNote="zero")).records
    assert isinstance(record, model.Payment)
    assert record.document_status is model.DocumentStatus.POSTED


@pytest.mark.parametrize(
    ("total", "line", "note", "voided"),
    [
        ("0", "0", "Voided", True),
        ("0.00", "0", "Voided - Front yard", True),
        ("0", "0", "Front yard", False),
        ("0", "0", None, False),
        ("0", "5.00", "Voided", False),
        ("5.00", "5.00", "Voided", False),
    ],
)
def test_a_void_has_three_signs(total: str, line: str, note: str | None, voided: bool) -> None:
    row = {
        "Id": "1",
        "TotalAmt": total,
        "Balance": "0",
        "Line": [{"Amount": line}],
        **({"PrivateNote": note} if note else {}),
    }
    [invoice] = page("invoice", row).records
    assert isinstance(invoice, model.Invoice)
    assert (invoice.document_status is model.DocumentStatus.VOIDED) is voided
