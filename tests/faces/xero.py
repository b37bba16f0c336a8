"""Xero, as the shared suites know it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from math import ceil
from typing import Any

from ar_connectors.testkit.ledger import Ledger, Payment
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.server import start_xero
from ar_connectors.xero.limits import XERO_LIMITS
from ar_core.commands import AddNote, Command, OpenDispute, RecordPromise
from tests.behavior.truth import Shown
from tests.faces.platform import Calls, Platform, Plug, connect_by_oauth
from tests.faces.xero_books import UNTOLD, allocations, identify, payments

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KINDS = {"invoice": "invoice", "customer": "customer", "credit": "credit_note"}


def standing(emulator: Running[Any]) -> Counter[tuple[str, str]]:
    """Every note of ours has a tag that names our record."""
    found: Counter[tuple[str, str]] = Counter()
    with emulator.service.lock:
        for note in emulator.ledger.notes.values():
            tag = UUID.search(note.text or "")
            for kind, number in note.on if tag else ():
                found[identify(emulator, KINDS[kind], number), tag[0] if tag else ""] += 1
    return found


def expected(commands: Iterable[Command]) -> set[tuple[str, str]]:
    """A note stands at every document it is about."""
    found = set()
    for one in commands:
        if isinstance(one, RecordPromise):
            found |= {(invoice, str(one.record_uuid())) for invoice in one.invoice_ids}
        elif isinstance(one, AddNote):
            found.add((one.subject_id, str(one.record_uuid())))
        elif isinstance(one, OpenDispute):
            found.add((one.invoice_id or one.customer_id, str(one.record_uuid())))
    return found


def standing_payments(ledger: Ledger) -> Iterator[Payment]:
    """A payment that was deleted is gone for us; an overpayment that was voided is voided."""
    return (one for one in payments(ledger) if not (one.voided and one.id.startswith("payment-")))


def is_supplier(topic: str, identity: str) -> bool:
    """Contacts of bills are contacts like any other: Xero does not tell who will be a customer one day."""
    number = int(identity[-12:-3], 16) if topic == "customer" else 0
    return number >= 900_000


def regrant(emulator: Running[Any]) -> Plug:
    """Consent, without the browser."""
    access, refresh = emulator.service.authority.grant()
    return {"access_token": access, "refresh_token": refresh}


def first_load(ledger: Ledger) -> int:
    """A page of up to 1,000 rows each, one call that finds the end, and six for the company."""
    bills = len(ledger.invoices) // 10
    sizes = [
        len(ledger.customers),
        len(ledger.invoices) + bills,
        len(ledger.credits),
        len(list(payments(ledger))) + bills,
        0,
    ]
    return sum(ceil(size / 1000) + 1 for size in sizes) + 6


XERO = Platform(
    name="xero",
    start=start_xero,
    connect=connect_by_oauth,
    transport="ar_connectors.adapterkit.session.Transport",
    page_sizes=("ar_connectors.xero.client.PAGE_SIZE",),
    identify=identify,
    calls=Calls(first_load=first_load, idle=6, feeds=6, by_id=lambda operation: operation.startswith("read")),
    reads={
        "customers": "list Contacts",
        "invoices": "list Invoices",
        "credits": "list CreditNotes",
        "payments": "list Payments",
        "overpayments": "list Overpayments",
        "prepayments": "list Prepayments",
    },
    pages="list Payments",
    write="create History",
    recount=None,
    invoice_page=lambda request: request.operation.endswith("Invoices"),
    rows=("Invoices",),
    fields={
        "id": "InvoiceID",
        "total": "Total",
        "issued": "DateString",
        "number": "InvoiceNumber",
        "word": "Status",
    },
    other_tenant="00000000-0000-4000-8000-000000000000",
    lies={
        "date_shifted": frozenset({"invoice"}),
        "sign_flipped": frozenset({"invoice"}),
        "allocation_dropped": frozenset({"allocation"}),
        "void_as_paid": frozenset({"invoice"}),
        "currency_swapped": frozenset({"invoice"}),
    },
    standing=standing,
    expected=expected,
    max_in_flight=XERO_LIMITS.max_in_flight,
    regrant=regrant,
    discreet=False,  # a payment is posted, and what posts moves the UpdatedDateUTC of what it pays: recorded bodies show it
    shown=Shown(
        untold=UNTOLD,
        payments=standing_payments,
        allocations=allocations,
        keeps_voided=True,
        beside=is_supplier,
    ),
)
