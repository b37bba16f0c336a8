"""Promises of many customers at once: fifty dates go in one call, and each has its own outcome all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

import pytest

import ar_connectors as ar
from ar_connectors.connector import Fact
from ar_connectors.store import open_store
from ar_connectors.store.contract import Receipt
from ar_connectors.testkit.ledger import Application, Ledger
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import Invoice
from tests.behavior.faces import KEY, Face, opened
from tests.faces.collecting import DAY, PROMISED, a_promise, many_debtors
from tests.faces.xero import XERO


@pytest.fixture
def face(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """Fifty debtors, already read; `settings` of the connection and options of the emulator by indirect parameters."""
    options = dict(getattr(request, "param", {}))
    settings, count = options.pop("settings", {}), options.pop("debtors", 50)

    def connect(*arguments: Any, **more: Any) -> ar.Connection:
        return XERO.connect(*arguments, settings={"time_zone": "Pacific/Auckland", **settings}, **more)

    with opened(
        replace(XERO, connect=connect), tmp_path, monkeypatch, invoices=10, patience=0.8, **options
    ) as made:
        made.change(lambda ledger: many_debtors(ledger, count))
        made.sync()
        made.emulator.stats.reset()
        yield made


def invoices_of(face: Face) -> list[Invoice]:
    """Of the debtors, in the order of their numbers."""
    found = [one for one in face.snapshot().invoices if str(one.number).startswith("M-")]
    return sorted(found, key=lambda one: int(str(one.number)[2:]))


def deliver(face: Face) -> list[Receipt]:
    receipts = list(ar.deliver(face.connection, face.store))
    face.clock.sleep(600)
    return receipts


def states(face: Face) -> Counter[str]:
    return Counter(str(one.state) for one in face.store.receipts(face.id))


def answered(face: Face) -> Counter[str]:
    """Calls that went well: an access token that has grown old costs one more."""
    return Counter(one.operation for one in face.emulator.stats.log if one.status == 200)


def expected(face: Face) -> dict[str, date | None]:
    """Dates in the books, by invoice number."""
    with face.emulator.service.lock:
        return {
            str(one.number): one.expected
            for one in face.ledger.invoices.values()
            if str(one.number).startswith("M-")
        }


def assert_each_once(face: Face, commands: list[RecordPromise]) -> None:
    assert set(expected(face).values()) == {PROMISED}
    standing = XERO.standing(face.emulator)
    assert set(standing) == XERO.expected(commands)
    assert set(standing.values()) == {1}


@pytest.mark.parametrize("face", [{"settings": {"notes": "off"}, "debtors": 120}], indirect=True)
@pytest.mark.parametrize("count", [1, 50, 51, 120])
def test_promises_cost_one_write_for_fifty_and_one_reading_back_for_forty(face: Face, count: int) -> None:
    ar.record(face.store, [a_promise(one) for one in invoices_of(face)[:count]])
    receipts = deliver(face)
    assert len(receipts) == count
    batches = [50] * (count // 50) + ([count % 50] if count % 50 else [])
    assert face.emulator.stats.calls == {
        "update Invoices": ceil(count / 50),
        "list Invoices": sum(ceil(size / 40) for size in batches),
    }
    assert states(face) == {"confirmed": count}
    for receipt in receipts:
        (placed,) = receipt.placements
        assert (placed.fact, placed.degraded) == (Fact.PROMISE_DATE, False)
    assert Counter(expected(face).values()) == Counter({PROMISED: count}) + Counter({None: 120 - count})


def test_a_note_more_for_each_is_all_that_a_usual_connection_costs(face: Face, tmp_path: Path) -> None:
    commands = [a_promise(one) for one in invoices_of(face)]
    ar.record(face.store, commands)
    deliver(face)
    assert face.emulator.stats.calls == {"update Invoices": 1, "list Invoices": 2, "create History": 50}
    assert_each_once(face, commands)
    face.sync()
    other = open_store(f"sqlite:///{tmp_path}/other.db", clock=face.clock, key=KEY)
    connection = face.connect(other)
    ar.sync(connection, other)
    connection.close()
    found = {one.id for one in other.snapshot(face.id).promises}
    other.close()
    assert found == {one.local_record_id for one in commands}


def test_withdrawals_go_together_too(face: Face) -> None:
    commands = [a_promise(one) for one in invoices_of(face)]
    ar.record(face.store, commands)
    deliver(face)
    face.emulator.stats.reset()
    ar.record(
        face.store,
        [
            WithdrawPromise(
                promise_id=one.local_record_id, customer_id=str(one.customer_id), withdrawn_on=DAY
            )
            for one in commands
        ],
    )
    deliver(face)
    # Read before: what a bookkeeper has set meanwhile is not ours to clear; and read back.
    assert answered(face)["update Invoices"] == 1
    assert answered(face)["list Invoices"] == 4
    assert set(expected(face).values()) == {None}


@pytest.mark.parametrize("spelling", ["Message", "Description"])
def test_each_element_that_xero_refuses_is_its_own_command_s_alone(face: Face, spelling: Any) -> None:
    """Since the last sync one invoice was paid in part, one lies in a locked period, one was voided."""
    face.emulator.service.error_key = spelling
    invoices = invoices_of(face)
    by_number = {one.number: one for one in face.ledger.invoices.values()}

    def meanwhile(ledger: Ledger) -> None:
        paid = by_number["M-3"]
        part = Application("invoice", paid.id, Decimal("1.00"))
        ledger.receive_payment(paid.customer, part.amount, [part], received=DAY - timedelta(days=1))
        ledger.void_document(by_number["M-7"])
        ledger.change_document(by_number["M-11"], issued=date(2025, 6, 1))
        ledger.settings.closed_through = date(2025, 12, 31)

    face.change(meanwhile)
    ar.record(face.store, [a_promise(one) for one in invoices])
    receipts = deliver(face)
    assert states(face) == {"confirmed": 50}
    assert answered(face)["update Invoices"] == 1
    why = {
        next(invoices[n].number for n in range(50) if invoices[n].id in placed.subject_ids): placed.reason
        for receipt in receipts
        for placed in receipt.placements
        if placed.fact is Fact.PROMISE_DATE and placed.degraded
    }
    assert set(why) == {"M-3", "M-7", "M-11"}
    assert "has a payment" in str(why["M-3"])
    assert "not of valid status" in str(why["M-7"])
    assert "lock date" in str(why["M-11"])
    dates = expected(face)
    assert {number for number, day in dates.items() if day is None} == set(why)


@pytest.mark.parametrize("face", [{"part_paid": "ignore"}], indirect=True)
def test_a_date_that_is_silently_left_is_seen_by_reading_back(face: Face) -> None:
    def pay_in_part(ledger: Ledger) -> None:
        paid = next(one for one in ledger.invoices.values() if one.number == "M-3")
        part = Application("invoice", paid.id, Decimal("1.00"))
        ledger.receive_payment(paid.customer, part.amount, [part], received=DAY - timedelta(days=1))

    face.change(pay_in_part)
    ar.record(face.store, [a_promise(one) for one in invoices_of(face)])
    degraded = [one for one in deliver(face) if one.degraded]
    assert len(degraded) == 1
    assert "did not keep the date" in str(degraded[0].placements[0].reason)


def test_a_batch_that_is_refused_as_a_whole_is_sent_one_by_one(face: Face) -> None:
    face.emulator.faults.add("stale_version", on="update Invoices")  # 400, nothing was done
    commands = [a_promise(one) for one in invoices_of(face)[:5]]
    ar.record(face.store, commands)
    assert not any(one.degraded for one in deliver(face))
    assert face.emulator.stats.calls["update Invoices"] == 1 + 5
    assert states(face) == {"confirmed": 5}


@pytest.mark.parametrize("fault", ["timeout_before_commit", "timeout_after_commit", "reset_mid_body"])
def test_after_a_lost_answer_all_are_looked_for_together_and_stand_once(face: Face, fault: str) -> None:
    commands = [a_promise(one) for one in invoices_of(face)]
    ar.record(face.store, commands)
    face.emulator.faults.add(fault, on="update Invoices")
    ar.deliver(face.connection, face.store)
    assert states(face) == {"unknown": 50}
    face.clock.sleep(600)
    face.emulator.stats.reset()
    deliver(face)
    calls = answered(face)
    assert states(face) == {"confirmed": 50}
    assert_each_once(face, commands)
    done = fault != "timeout_before_commit"
    # Looked for; then read once more by the second attempt, and read back where it sent.
    assert calls["list Invoices"] == (4 if done else 6)
    assert calls["update Invoices"] == (0 if done else 1)
    assert calls["create History"] == 50


def test_a_day_s_limit_among_the_notes_leaves_the_rest_planned(face: Face) -> None:
    commands = [a_promise(one) for one in invoices_of(face)]
    ar.record(face.store, commands)
    face.emulator.faults.add("quota_exhausted", on="create History", after=20, times=None)
    ar.deliver(face.connection, face.store)
    assert states(face) == {"confirmed": 20, "planned": 30}
    sent = face.emulator.stats.calls["create History"]
    assert sent == 21
    face.emulator.faults.clear()
    face.clock.sleep(24 * 3600)
    deliver(face)
    assert states(face) == {"confirmed": 50}
    assert_each_once(face, commands)
    assert face.emulator.stats.calls["update Invoices"] == 1, "the dates stood already"
