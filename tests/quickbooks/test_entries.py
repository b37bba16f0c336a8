"""Which part of a journal entry a payment means, when its own customer has none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, cast

import pytest

from ar_connectors.connector import Page, StoreView
from ar_connectors.quickbooks.decode import decode
from ar_connectors.quickbooks.entries import with_entries_found
from ar_core.model import Adjustment, Allocation, Customer, DocumentStatus, RecordKind, record_id
from tests.quickbooks.little_books import TENANT, rid


class Held:
    """A view of these records."""

    def __init__(self, *records: Any) -> None:
        self._records = {one.id: one for one in records}

    def records(self, ids: Iterable[str]) -> dict[str, Any]:
        return {one: self._records[one] for one in ids if one in self._records}

    def record(self, identity: str) -> Any:
        return self._records.get(identity)

    def live_ids(
        self,
        kind: RecordKind,
        *,
        born_here: bool = False,  # noqa: ARG002  all alike here
        mentioning: str | None = None,  # noqa: ARG002  and none is left out
    ) -> Iterator[str]:
        return (one for one in self._records if f":{kind}:" in one)


def customer(number: str, parent: str | None = None) -> Customer:
    above = rid(RecordKind.CUSTOMER, parent) if parent else None
    return Customer(id=rid(RecordKind.CUSTOMER, number), name=number, parent_id=above)


def part(number: str, amount: str = "50") -> Adjustment:
    return Adjustment(
        id=record_id("quickbooks", TENANT, RecordKind.ADJUSTMENT, f"900-{number}"),
        customer_id=rid(RecordKind.CUSTOMER, number),
        amount=Decimal(amount),
        document_status=DocumentStatus.POSTED,
    )


def paid_by(number: str, amount: str = "20") -> Page:
    """A payment of a customer for the entry 900, read from its body."""
    line = {"Amount": float(amount), "LinkedTxn": [{"TxnId": "900", "TxnType": "JournalEntry"}]}
    body = {
        "Id": "7",
        "CustomerRef": {"value": number},
        "TotalAmt": float(amount),
        "UnappliedAmt": 0,
        "Line": [line],
    }
    page = decode("payment", json.dumps({"Payment": body}).encode(), TENANT)
    assert isinstance(page, Page)
    return page


def target(page: Page, *held: Any) -> str:
    found = with_entries_found(page, cast(StoreView, Held(*held)))
    (allocation,) = [one for one in found.records if isinstance(one, Allocation)]
    assert allocation.id == f"{allocation.parent_id}|{allocation.target_id}|0"
    return allocation.target_id.rpartition(":")[2]


HEAD, EAST, WEST, STRANGER = customer("1"), customer("2", "1"), customer("3", "2"), customer("4")


def test_the_part_of_the_payer_is_taken_where_there_is_one() -> None:
    assert target(paid_by("1"), HEAD, EAST, part("1"), part("2")) == "900-1"


@pytest.mark.parametrize("child", ["2", "3"])
def test_a_parent_means_the_part_of_the_customer_below_it(child: str) -> None:
    assert target(paid_by("1"), HEAD, EAST, WEST, STRANGER, part(child), part("4")) == f"900-{child}"


def test_nobody_guesses_between_two_children_or_for_a_stranger() -> None:
    assert target(paid_by("1"), HEAD, EAST, WEST, part("2"), part("3")) == "900-1"
    assert target(paid_by("4"), HEAD, EAST, STRANGER, part("2")) == "900-4"
    assert target(paid_by("1")) == "900-1"
