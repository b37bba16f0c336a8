"""A call ends in a promise to pay, and QuickBooks' own users see it on the invoice.

AR_CONNECTORS_KEY=... python examples/promise_writeback.py sqlite:///ar.db INVOICE_NUMBER 2026-12-01 500.00 "on the next run"
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import ar_connectors as ar
import ar_core


def promised(
    store: ar.Store, number: str, day: date, amount: Decimal, words: str, now: datetime
) -> ar.Receipt:
    """Record the call and the promise, deliver the promise, and return its receipt."""
    (known,) = store.connections()
    snapshot = store.snapshot(known.id)
    invoice = next(one for one in snapshot.invoices if one.number == number)
    today = ar_core.AsOf(instant=now, zone=str(known.settings["time_zone"])).today
    call = ar_core.RecordTouch(
        customer_id=invoice.customer_id or "",
        channel=ar_core.Channel.VOICE,
        at=now,
        covers=(ar_core.Coverage(invoice_id=invoice.id, due_version=invoice.due_version),),
        outcome=ar_core.TouchOutcome.ANSWERED,
        intent=ar_core.Intent.PROMISED,
        note=words,
    )
    promise = ar_core.RecordPromise(
        customer_id=invoice.customer_id or "",
        invoice_ids=(invoice.id,),
        promised_amount=amount,
        currency=invoice.currency,
        promised_date=day,
        given_on=today,
        channel=ar_core.Channel.VOICE,
        note=words,
    )
    ar.record(store, [call, promise])
    conn = ar.connect(known.platform, tenant=known.tenant, store=store)
    (receipt,) = [one for one in ar.deliver(conn, store) if one.key == promise.key]
    conn.close()
    return receipt


if __name__ == "__main__":
    url, number, day, amount, words = sys.argv[1:6]
    store = ar.open_store(url, key=os.environ["AR_CONNECTORS_KEY"])
    receipt = promised(store, number, date.fromisoformat(day), Decimal(amount), words, datetime.now(UTC))
    for place in receipt.placements:
        print(f"{receipt.state}: {place.target}{' (degraded)' if place.degraded else ''}")
    sys.exit(0 if receipt.state is ar.WriteState.CONFIRMED else 6)
