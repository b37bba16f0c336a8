"""Xero, as the shared suites know it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil
from typing import Any

from ar_connectors.errors import (
    PermissionDenied,
    ReauthorizationRequired,
    RejectedError,
    UnsupportedOperation,
)
from ar_connectors.testkit.ledger import Ledger, Payment
from ar_connectors.testkit.running import Running
from ar_connectors.testkit.server import start_xero
from ar_connectors.xero.limits import XERO_LIMITS
from ar_core.commands import AddNote, Command, OpenDispute, RecordPromise, SetCollectionsStatus
from tests.behavior.stories import an_old_credited_invoice_is_voided
from tests.behavior.truth import Shown
from tests.faces.platform import Calls, Faults, Platform, Plug, connect_by_oauth
from tests.faces.xero_books import UNTOLD, allocations, identify, payments

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TAG = re.compile(r"\[AR:[^\]]*\]")
KINDS = {"invoice": "invoice", "customer": "customer", "credit": "credit_note"}


def standing(emulator: Running[Any]) -> Counter[tuple[str, str]]:
    """Every note of ours has a tag that names our record. Notes cannot be edited, so a record that changed has a further one,
    with another tag: how often the same tag stands somewhere is what counts."""
    tags: Counter[tuple[str, str]] = Counter()
    with emulator.service.lock:
        for note in emulator.ledger.notes.values():
            tag = TAG.search(note.text or "")
            for kind, number in note.on if tag else ():
                tags[identify(emulator, KINDS[kind], number), tag[0] if tag else ""] += 1
    found: Counter[tuple[str, str]] = Counter()
    for (document, text), times in tags.items():
        found[document, UUID.findall(text)[0]] = max(times, found[document, UUID.findall(text)[0]])
    return found


def expected(commands: Iterable[Command]) -> set[tuple[str, str]]:
    """A note stands at every document it is about; a hold is a group, and no note."""
    found = set()
    for one in commands:
        if isinstance(one, RecordPromise):
            found |= {(invoice, str(one.record_uuid())) for invoice in one.invoice_ids}
        elif isinstance(one, AddNote | SetCollectionsStatus):
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


_USUAL = Faults()
FAULTS = replace(
    _USUAL,
    passes=_USUAL.passes - {"cdc_cap"},
    fails={
        **_USUAL.fails,
        "cdc_cap": UnsupportedOperation,  # its cousin: a question that finds more than 100,000 rows
        "forbidden": PermissionDenied,
        "stale_version": RejectedError,  # nothing has a version: part-paid documents refuse an edit
    },
    written={
        "grant_revoked": ReauthorizationRequired,
        "invalid_grant": ReauthorizationRequired,
        "forbidden": "rejected",
        "subscription_lapsed": "rejected",
        "cdc_cap": "rejected",
        "fault_with_200": "degraded",
        "stale_version": "degraded",
        "period_closed": "degraded",
    },
)
"""What an invoice does not take stands with its contact. One 401 that names no expired token is asked again with a new token."""

XERO = Platform(
    name="xero",
    start=start_xero,
    connect=connect_by_oauth,
    transport="ar_connectors.adapterkit.session.Transport",
    page_sizes=(
        "ar_connectors.xero.client.PAGE_SIZE",
        "ar_connectors.xero.connector.MAX_IDS",
        "ar_connectors.xero.open_invoices.MAX_IDS",
        "ar_connectors.xero.pull.MAX_IDS",
        "ar_connectors.xero.reading.PAGE_SIZE",
        "ar_connectors.xero.reports.PAGE_SIZE",
    ),
    identify=identify,
    calls=Calls(first_load=first_load, idle=6, feeds=7, by_id=lambda operation: operation.startswith("read")),
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
    faults=FAULTS,
    # Xero voids only what nothing is applied to: the credit must be taken off first, which changes it.
    unlike={
        "organization.legal_name": "the emulators have a card of the company each",
        "organization.multicurrency": "its card does not say whether there are other currencies",
        "customer.legal_name": "has one name",
        "customer.parent_id": "contacts stand beside each other",
        "customer.bill_with_parent": "contacts stand beside each other",
        "customer.reported_balance": "in which currency it is, is disputed, and it moves without a word",
        "customer.terms": "days and a way to count them, without a name or a discount",
        "invoice.terms": "a due date, and not by which terms",
        "voided invoice.terms": "a due date, and not by which terms",
        "invoice.billing_email": "the contact's",
        "voided invoice.billing_email": "the contact's",
        "invoice.memo": "one Reference, for what QuickBooks has two fields for",
        "invoice.customer_reference": "one Reference, for what QuickBooks has two fields for",
        "invoice.deposit_amount": "a prepayment that is allocated to it",
        "deposit": "a prepayment, where QuickBooks has a field of the invoice",
        "settled by deposit": "a prepayment, where QuickBooks has a field of the invoice",
        "invoice.source_rate": "the other way round than QuickBooks writes it",
        "invoice.exchange_rate": "which way round it is, is not documented",
        "payment.source_rate": "the other way round than QuickBooks writes it",
        "payment.exchange_rate": "which way round it is, is not documented",
        "payment.customer_id": "a payment is of the contact of what it pays, whoever sent the money",
        "payment.method": "names an account, not a method",
        "payment.kind": "what is on account is an overpayment or a prepayment",
        "payment of an entry": "has no journal entries on receivables: such money stands in a clearing account",
        "voided payment": "a payment is deleted, and then it is gone for us",
        "line.item": "lines name an account; an item is optional",
        "line.item_id": "lines name an account; an item is optional",
    },
    whole=lambda number: number.split("-")[1] if "-" in number else number,
    touching=(an_old_credited_invoice_is_voided,),
    shown=Shown(
        untold=UNTOLD,
        payments=standing_payments,
        allocations=allocations,
        keeps_voided=True,
        beside=is_supplier,
    ),
)
