"""The shared stories on Xero: whatever happens in the company, our copy says the same, at the documented price in calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import Origin
from tests.behavior.faces import FACES, Face, opened
from tests.behavior.stories import (
    STORIES,
    Story,
    an_invoice_is_deleted,
    an_old_credit_is_voided,
    an_old_credited_invoice_is_voided,
)
from tests.faces.xero import XERO

IMPOSSIBLE = (an_invoice_is_deleted, an_old_credit_is_voided, an_old_credited_invoice_is_voided)
"""Xero deletes drafts only, and voids only what nothing is applied to."""
POSSIBLE = [story for story in STORIES if story not in IMPOSSIBLE]


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company of sixty invoices at Xero; a payment gives what it settles no new version: nobody documents that it does."""
    monkeypatch.setitem(FACES, "xero", XERO)
    with opened("xero", tmp_path, monkeypatch, touch_links=False) as made:
        yield made


@pytest.mark.parametrize("story", POSSIBLE, ids=lambda story: story.__name__)
def test_a_story_is_read_as_a_change(face: Face, story: Story) -> None:
    face.sync()
    assert face.differences() == []
    face.change(story)
    report = face.sync()
    assert report.complete
    assert report.quarantined == 0
    assert face.differences() == []


def test_a_first_load_and_an_idle_run_keep_to_their_calls(face: Face) -> None:
    face.sync()
    assert face.emulator.stats.total <= XERO.calls.first_load(face.ledger)
    face.sync()
    face.clock.sleep(600)
    face.emulator.stats.reset()
    report = face.sync()
    assert report.cost.calls <= 6
    assert report.inserted == report.updated == report.tombstoned == 0


def test_a_due_date_that_moves_without_a_word_arrives_within_a_day(face: Face) -> None:
    face.sync()
    part_paid = next(
        one for one in face.ledger.invoices.values() if not one.voided and 0 < one.open < one.total
    )
    assert part_paid.due is not None
    with face.emulator.service.lock:
        face.ledger.change_document(part_paid, due=part_paid.due + timedelta(days=9))
    face.clock.sleep(3600)
    face.sync()
    face.clock.sleep(24 * 3600)
    face.sync()
    ours = next(one for one in face.snapshot().invoices if one.number == part_paid.number)
    assert ours.due_date == part_paid.due


def test_a_promise_is_a_date_in_xero_that_can_be_taken_back(face: Face) -> None:
    face.sync()
    free = next(
        one
        for one in face.snapshot().invoices
        if one.raw_status == "AUTHORISED" and not one.amount_paid and not one.amount_credited
    )
    day = date(2026, 12, 1)
    promise = RecordPromise(
        invoice_ids=(free.id,),
        promised_date=day,
        given_on=date(2026, 11, 20),
        customer_id=free.customer_id or "",
    )
    ar.record(face.store, [promise])
    (receipt,) = ar.deliver(face.connection, face.store)
    assert receipt.state == "confirmed"
    assert receipt.placements[0].target.startswith("ExpectedPaymentDate")
    assert not any(one.degraded for one in receipt.placements)
    face.clock.sleep(600)
    face.sync()
    (ours,) = face.snapshot().promises
    assert (ours.origin, ours.promised_date) == (Origin.OURS, day)
    ar.record(
        face.store,
        [
            WithdrawPromise(
                promise_id=ours.id, customer_id=free.customer_id or "", withdrawn_on=date(2026, 11, 20)
            )
        ],
    )
    ar.deliver(face.connection, face.store)
    face.clock.sleep(600)
    face.sync()
    again = next(one for one in face.snapshot().invoices if one.id == free.id)
    assert again.expected_payment_date is None
    assert [one.withdrawn_on for one in face.snapshot().promises] == [date(2026, 11, 20)]
