"""A first load while business goes on, or that was interrupted: nothing falls between its pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ar_connectors.errors import TransientError
from ar_connectors.testkit.ledger import Ledger, Line
from ar_connectors.testkit.xero.ids import guid
from ar_connectors.xero.client import XeroClient
from ar_connectors.xero.decode import newest_change
from tests.behavior.faces import Face, opened
from tests.behavior.stories import DAY, an_invoice_is_paid


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    with opened("xero", tmp_path, monkeypatch) as made:
        made.small_pages()
        yield made


def the_first_payment_is_deleted(ledger: Ledger) -> None:
    """The first in the order of Xero's ids: it stands on the page that every load reads first."""
    live = [one for one in ledger.payments.values() if one.total and one.applications and not one.voided]
    ledger.delete_payment(min(live, key=lambda one: guid("payment", one.id)))


def test_a_first_load_that_went_on_later_ends_with_what_changed_on_the_pages_it_had_read(face: Face) -> None:
    """The run that completes it is complete: it does not leave the changes to the next one."""
    face.emulator.faults.add("permission_denied", on="list Payments", after=3, times=None)
    assert face.sync(raise_errors=False, workers=1).failures
    assert face.snapshot().payments
    face.emulator.faults.clear()
    face.change(the_first_payment_is_deleted)
    assert face.sync().complete
    assert face.differences() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_that_come_in_while_pages_are_read_push_none_behind_the_last_page(
    face: Face, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    bills = len(face.ledger.invoices) // 10
    while (len(face.ledger.invoices) + bills) % 7:
        an_invoice_is_paid(face.ledger)
        bills = len(face.ledger.invoices) // 10
    calls: list[int] = []
    real = XeroClient.page

    def page(client: XeroClient, collection: str, params: Any, number: int, since: Any = None) -> Any:
        answer = real(client, collection, params, number, since)
        if collection == "Invoices" and not calls:
            calls.append(number)
            with face.emulator.service.lock:
                owner = next(iter(face.ledger.customers))
                for late in range(3):
                    face.ledger.issue_invoice(
                        owner, [Line(Decimal("5.00"))], issued=DAY, number=f"L-{late}", due=DAY
                    )
        return answer

    monkeypatch.setattr(XeroClient, "page", page)
    assert face.sync(workers=workers).complete
    assert calls == [1]
    assert face.differences() == []


def test_changes_are_gone_through_by_time_also_where_they_are_deletions(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number a row would be lost whenever one before it moves to the end."""
    assert face.sync().complete
    for _ in range(10):
        face.clock.sleep(400)  # beyond what is read twice
        face.change(the_first_payment_is_deleted)
    asked: list[tuple[int, Any]] = []
    real = XeroClient.page

    def page(client: XeroClient, collection: str, params: Any, number: int, since: Any = None) -> Any:
        if collection == "Payments":
            asked.append((number, since))
        return real(client, collection, params, number, since)

    monkeypatch.setattr(XeroClient, "page", page)
    assert face.sync().complete
    assert len(asked) > 1
    assert all(number == 1 for number, _ in asked)
    assert len(set(asked)) == len(asked)
    assert face.differences() == []


@pytest.mark.parametrize(
    ("last", "newest"),
    [
        ({"Status": "DELETED"}, 30),
        ({"PaymentType": "ACCPAYPAYMENT"}, 30),
        ({"Amount": "a lot"}, 30),
        ({"UpdatedDateUTC": None, "UpdatedDateUTCString": "1970-01-01T00:00:40"}, 40),
        ({"UpdatedDateUTC": 7}, 20),
        ({"UpdatedDateUTC": "some day"}, 20),
    ],
)
def test_the_newest_change_of_a_page_is_that_of_its_rows_whatever_becomes_of_them(
    last: dict[str, Any], newest: int
) -> None:
    rows = [
        {
            "PaymentID": "1",
            "UpdatedDateUTC": "/Date(20000+0000)/",
            "Invoice": {"UpdatedDateUTC": "/Date(90000)/"},
        },
        {"PaymentID": "2", "UpdatedDateUTC": "/Date(30000+0000)/", **last},
    ]
    body = msgspec.json.encode({"Id": "a", "Payments": rows})
    assert newest_change(body, "Payments") == datetime.fromtimestamp(newest, UTC)


@pytest.mark.parametrize("body", [b'{"Payments": [1]}', b'{"Payments": []}', b'{"Payments": [{}]}'])
def test_a_page_whose_rows_say_no_time_has_no_newest_change(body: bytes) -> None:
    assert newest_change(body, "Payments") is None


def test_a_row_from_the_far_future_hides_no_later_change(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    assert face.sync().complete
    real = XeroClient.page

    def page(client: XeroClient, collection: str, params: Any, number: int, since: Any = None) -> Any:
        answer = real(client, collection, params, number, since)
        body = msgspec.json.decode(answer.body)
        if since is None or not body.get("Payments"):
            return answer
        body["Payments"][-1]["UpdatedDateUTC"] = "/Date(4102444800000+0000)/"  # 2100
        return replace(answer, body=msgspec.json.encode(body))

    with monkeypatch.context() as patched:
        patched.setattr(XeroClient, "page", page)
        face.change(the_first_payment_is_deleted)
        assert face.sync().complete
    face.clock.sleep(4000)
    face.change(the_first_payment_is_deleted)
    assert face.sync().complete
    assert face.differences() == []


def test_an_answer_that_lost_rows_is_no_page(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where invoices are read by id: what is not in the answer would be taken for deleted."""
    face.sync()
    real = XeroClient.by_ids

    def by_ids(client: XeroClient, collection: str, ids: Any) -> Any:
        answer = real(client, collection, ids)
        body = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
        return replace(answer, body=msgspec.json.encode({**body, "Invoices": []}))

    monkeypatch.setattr(XeroClient, "by_ids", by_ids)
    some = [one.id for one in face.snapshot().invoices[:3]]
    with pytest.raises(TransientError, match="0 rows and says that it has 3"):
        face.connection.connector.read("invoice", some)
