"""QuickBooks, as the shared suites know it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from math import ceil
from typing import Any

from ar_connectors.quickbooks.limits import QUICKBOOKS_LIMITS
from ar_connectors.testkit.ledger import Ledger
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.server import start_quickbooks
from ar_core.commands import AddNote, Command, OpenDispute, RecordPromise
from tests.behavior.truth import Shown
from tests.faces.platform import Calls, Platform, Plug, connect_by_oauth

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KINDS = {"invoice": "invoice", "customer": "customer", "credit": "credit_note", "payment": "payment"}


def identify(emulator: Running[Any], kind: str, number: str) -> str:
    """The ledger's ids are shown as they are."""
    return f"quickbooks:{emulator.tenant}:{kind}:{number}"


def standing(emulator: Running[Any]) -> Counter[tuple[str, str]]:
    """Every note is an Attachable, and the tag in it names our record first; what cannot be attached is in the customer's notes."""
    found: Counter[tuple[str, str]] = Counter()
    with emulator.service.lock:
        for note in emulator.ledger.notes.values():
            tag = UUID.search(note.text or "")
            for kind, number in note.on if tag else ():
                found[identify(emulator, KINDS[kind], number), tag[0] if tag else ""] += 1
        for customer in emulator.ledger.customers.values():
            for uuid in UUID.findall(customer.notes or ""):
                found[identify(emulator, "customer", customer.id), uuid] += 1
    return found


def expected(commands: Iterable[Command]) -> set[tuple[str, str]]:
    """A note hangs on every document it is about."""
    found = set()
    for one in commands:
        if isinstance(one, RecordPromise):
            found |= {(invoice, str(one.record_uuid())) for invoice in one.invoice_ids}
        elif isinstance(one, AddNote):
            found.add((one.subject_id, str(one.record_uuid())))
        elif isinstance(one, OpenDispute):
            found.add((one.invoice_id or one.customer_id, str(one.record_uuid())))
    return found


def regrant(emulator: Running[Any]) -> Plug:
    """Consent, without the browser."""
    access, refresh = emulator.service.authority.grant()
    return {"access_token": access, "refresh_token": refresh}


def first_load(ledger: Ledger) -> int:
    """A page of up to 1,000 rows each, one call that finds the end, and a few for the company and its preferences."""
    tables = (ledger.customers, ledger.invoices, ledger.credits, ledger.payments, ledger.journals)
    sizes = [*(len(table) for table in tables), 0]  # the last: notes of ours, none yet
    return sum(ceil(size / 1000) + 1 for size in sizes) + 5


QUICKBOOKS = Platform(
    name="quickbooks",
    start=start_quickbooks,
    connect=connect_by_oauth,
    transport="ar_connectors.adapterkit.session.Transport",
    page_sizes=(
        "ar_connectors.quickbooks.client.PAGE_SIZE",
        "ar_connectors.quickbooks.client.MAX_IDS",
        "ar_connectors.quickbooks.reports.PAGE_SIZE",
        "ar_connectors.quickbooks.settle.MAX_IDS",
        "ar_connectors.quickbooks.tables.PAGE_SIZE",
        "ar_connectors.quickbooks.writeback_calls.PAGE_SIZE",
    ),
    identify=identify,
    calls=Calls(
        first_load=first_load, idle=1, feeds=1, by_id=lambda operation: operation.startswith("query")
    ),
    reads={
        "customers": "* Customer",
        "invoices": "* Invoice",
        "credits": "* CreditMemo",
        "payments": "* Payment",
        "journals": "* JournalEntry",
    },
    pages="query Payment",
    write="create Attachable",
    recount="count Payment",
    invoice_page=lambda request: request.operation == "query Invoice",
    rows=("QueryResponse", "Invoice"),
    fields={
        "id": "Id",
        "total": "TotalAmt",
        "issued": "TxnDate",
        "number": "DocNumber",
        "word": "EmailStatus",
    },
    other_tenant="123145600000000000",
    lies={
        "date_shifted": frozenset({"invoice"}),
        "sign_flipped": frozenset({"invoice", "open balance", "settlement"}),
        "allocation_dropped": frozenset({"allocation"}),
        "void_as_paid": frozenset({"invoice", "settlement"}),
        "currency_swapped": frozenset({"invoice", "open balance"}),
    },
    standing=standing,
    expected=expected,
    max_in_flight=QUICKBOOKS_LIMITS.max_in_flight,
    regrant=regrant,
    counts_first=True,
    forgetful={"requestids": "ignore"},
    unlike={
        "invoice.amount_paid": "tells the balance alone",
        "invoice.amount_credited": "tells the balance alone",
        "line.account_id": "names an item, which has the account",
        "line.tax_amount": "taxes the document, not its lines",
        "line.tax_code": "has codes of its own for what is taxed",
        "line.quantity": "a line may be an amount and nothing else",
        "line.unit_price": "a line may be an amount and nothing else",
        "voided invoice.total": "a void makes it zero",
        "voided invoice.subtotal": "a void makes it zero",
        "voided invoice.tax_total": "a void makes it zero",
        "voided invoice.memo": "a void says so in the memo",
        "voided invoice.amount_paid": "tells the balance alone",
        "voided invoice.amount_credited": "tells the balance alone",
        "voided credit note.total": "a void makes it zero",
        "voided credit note.subtotal": "a void makes it zero",
        "voided credit note.memo": "a void says so in the memo",
    },
    # QuickBooks shows a mark behind the name of a hidden customer.
    shown=Shown(name=lambda name, active: name if active else name.removesuffix(" (deleted)")),
)
