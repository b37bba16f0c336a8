"""Sync, plan, promise, deliver: the whole loop in one screen.

Run against an emulator on this machine (`python examples/quickstart.py`), or against your own company by filling in `connect`.
"""

from __future__ import annotations

from datetime import timedelta

import ar_connectors as ar
import ar_core
from ar_connectors.auth.vault import new_key
from ar_connectors.testkit.server import start_quickbooks

ZONE = "America/New_York"

with start_quickbooks(invoices=300, seed=3) as erp:
    store = ar.open_store("sqlite://", clock=erp.clock, key=new_key())
    conn = ar.connect(
        "quickbooks",
        tenant=erp.tenant,
        store=store,
        credentials=ar.ClientCredentials(erp.client_id, erp.client_secret),
        tokens=ar.TokenSet(erp.access_token, erp.refresh_token),
        endpoints=ar.Endpoints(erp.base_url, erp.token_url),  # leave out for the real QuickBooks
        clock=erp.clock,
    )
    report = ar.sync(conn, store)
    print(f"synced {report.rows} rows in {report.cost.calls} calls")

    snapshot = store.snapshot(conn.id)
    as_of = ar_core.AsOf(instant=erp.clock.now(), zone=ZONE)
    evaluation = ar_core.evaluate(snapshot, ar_core.load_policy("balanced"), as_of)
    print(
        f"{len(evaluation.worklist)} actions; the first: {evaluation.by_key[evaluation.worklist[0].action_key].code}"
    )

    invoice = max(
        (one for one in snapshot.invoices if one.currency == "USD"), key=lambda one: one.balance_due
    )
    promise = ar_core.RecordPromise(
        customer_id=invoice.customer_id or "",
        invoice_ids=(invoice.id,),
        promised_date=as_of.today + timedelta(days=7),
        given_on=as_of.today,
    )
    ar.record(store, [promise])
    for receipt in ar.deliver(conn, store):
        print(f"{receipt.command_type}: {receipt.state}, {receipt.placements[0].target}")
