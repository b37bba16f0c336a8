"""What only Xero does: promises that are dates there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import ar_connectors as ar
from ar_core.commands import RecordPromise, WithdrawPromise
from ar_core.model import Origin
from tests.behavior.faces import Face, opened


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Face]:
    """A company of sixty invoices at Xero; a payment gives what it settles no new version: nobody documents that it does."""
    with opened("xero", tmp_path, monkeypatch, touch_links=False) as made:
        yield made


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
