"""Promises where credit, tolerance and late money come together (E34): what each of them counts as, and for which promise."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import ar_core as ar
from tests.cadence import books as b
from tests.cadence.test_promises_and_money import OVER, judged, on_account, verdict

ZERO = Decimal(0)
DAY = timedelta(days=1)


def credit_note(ago: int, amount: str) -> list[Any]:
    note = ar.CreditNote(
        id="quickbooks:1:credit_note:1",
        customer_id=b.customer_id(),
        currency="USD",
        issue_date=b.TODAY - ago * DAY,
        total=Decimal(amount),
        unapplied_amount=ZERO,
        document_status=ar.DocumentStatus.POSTED,
    )
    use = b.allocation(ago=ago, amount=amount).model_copy(update={"source_id": note.id, "parent_id": note.id})
    return [note, use]


def test_e34_credit_lowers_what_is_left_and_is_no_payment() -> None:
    records = [b.invoice("i1", 30, balance_due=ZERO), *credit_note(10, "60")]
    paid = [b.payment("p2", ago=9, amount="40"), b.allocation("p2", ago=9, amount="40")]
    found = verdict(*records, *paid, OVER)
    assert (found.state, found.required, found.paid) == ("kept", 100, 40)
    alone = verdict(b.invoice("i1", 30, balance_due=Decimal(40)), *credit_note(10, "60"), OVER)
    assert (alone.state, alone.paid) == ("broken", 0), "credit keeps no promise in part"


@pytest.mark.parametrize(("credit", "left", "state"), [("98", "2", "kept"), ("97.99", "2.01", "broken")])
def test_e34_what_is_left_after_credit_may_be_as_much_as_the_tolerance(
    credit: str, left: str, state: str
) -> None:
    invoice = b.invoice("i1", 30, balance_due=Decimal(left))
    assert verdict(invoice, *credit_note(10, credit), OVER).state == state


def test_e34_what_was_applied_before_the_promise_was_given_is_no_part_of_it() -> None:
    before = [b.payment("p1", ago=13, amount="50"), b.allocation("p1", ago=13, amount="50")]
    found = verdict(b.invoice("i1", 30, balance_due=Decimal(50)), *before, OVER)
    assert (found.state, found.required, found.paid, found.currency) == ("broken", 50, 0, "USD")
    on_the_day = [b.payment("p2", ago=12, amount="50"), b.allocation("p2", ago=12, amount="50")]
    kept = verdict(b.invoice("i1", 30, balance_due=ZERO), *before, *on_the_day, OVER)
    assert (kept.state, kept.required, kept.paid, kept.decided_on) == ("kept", 50, 50, b.TODAY - 12 * DAY)


def test_e34_an_application_whose_payment_we_do_not_hold_counts_as_money() -> None:
    found = verdict(b.invoice("i1", 30, balance_due=ZERO), b.allocation("unknown", ago=9), OVER)
    assert (found.state, found.paid) == ("kept", 100)


def test_e34_late_money_of_both_kinds_together() -> None:
    records = [
        b.invoice("i1", 30, balance_due=Decimal(70)),
        b.payment("p1", ago=9, amount="30"),
        b.allocation("p1", ago=9, amount="30"),
        on_account("p2", 9, "30"),
        on_account("p3", 6, "38"),
    ]
    found = verdict(*records, OVER)
    assert (found.state, found.paid, found.decided_on) == ("kept_late", 60, b.TODAY - 6 * DAY)


def test_e34_a_late_promise_takes_only_what_is_missing_and_leaves_the_rest_to_the_next() -> None:
    second = b.promise("pr2", on=-10, given=12, covers=("i2",))
    records = [
        b.invoice("i1", 30, balance_due=Decimal(70)),
        b.invoice("i2", 30),
        b.payment("p1", ago=9, amount="30"),
        b.allocation("p1", ago=9, amount="30"),
        on_account("p2", 9, "30"),
    ]
    found = judged(*records, on_account("p3", 6, "138"), OVER, second)
    assert {name: v.state for name, v in found.items()} == {"pr1": "kept_late", "pr2": "kept_late"}
    found = judged(*records, on_account("p3", 6, "137.99"), OVER, second)
    assert {name: v.state for name, v in found.items()} == {"pr1": "kept_late", "pr2": "broken"}


@pytest.mark.parametrize("first", ["kept", "withdrawn"])
def test_e34_a_promise_that_is_decided_takes_no_late_money(first: str) -> None:
    changes: dict[str, Any] = {"withdrawn_on": b.TODAY - 11 * DAY} if first == "withdrawn" else {}
    paid = (
        [b.payment("p1", ago=9, amount="98"), b.allocation("p1", ago=9, amount="98")]
        if first == "kept"
        else []
    )
    left = "2" if first == "kept" else "100"
    second = b.promise("pr2", on=-10, given=12, covers=("i2",))
    records = [b.invoice("i1", 30, balance_due=Decimal(left)), b.invoice("i2", 30), *paid]
    found = judged(*records, on_account("p2", 6, "98"), OVER.model_copy(update=changes), second)
    assert {name: v.state for name, v in found.items()} == {"pr1": first, "pr2": "kept_late"}


def test_e34_a_voided_payment_before_a_good_one_hides_nothing() -> None:
    records = [
        b.invoice("i1", 30, balance_due=ZERO),
        b.payment("p1", ago=9, document_status=ar.DocumentStatus.VOIDED),
        b.payment("p2", ago=9),
        b.allocation("p1", ago=9),
        b.allocation("p2", ago=9),
    ]
    found = verdict(*records, OVER)
    assert (found.state, found.required, found.paid) == ("kept", 100, 100)
