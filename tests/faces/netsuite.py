"""NetSuite, as the shared suites know it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from math import ceil
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import ar_connectors as ar
from ar_connectors.clock import Clock
from ar_connectors.errors import PermissionDenied, ReauthorizationRequired, TransientError
from ar_connectors.http import Endpoints
from ar_connectors.netsuite.auth import CertificateCredentials
from ar_connectors.netsuite.limits import NETSUITE_LIMITS
from ar_connectors.store import Store
from ar_connectors.testkit.ledger import Application, Customer, Ledger, Payment
from ar_connectors.testkit.ledger.pairs import pairs
from ar_connectors.testkit.netsuite.start import start_netsuite
from ar_connectors.testkit.running import Running
from ar_core.commands import AddNote, Command, OpenDispute, RecordPromise, SetCollectionsStatus, SetOrderHold
from tests.behavior.truth import Shown
from tests.faces.platform import Calls, Faults, Platform, Plug

_ELSEWHERE = "http://127.0.0.1:9"
"""Every account has a host of its own; where another one would live, nobody listens."""
_KINDS = {
    "invoice": "invoice", "credit": "credit_note", "payment": "payment", "deposit": "payment", "customer": "customer",
}  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def connect(plug: Plug, store: Store, clock: Clock, *, tokens: bool = True, **options: Any) -> ar.Connection:
    """A connection machine to machine. There are no tokens to bring: `tokens=False` takes the keys that the store has."""
    home = plug["base_url"] if plug["tenant"] == plug["account"] else _ELSEWHERE
    keys = CertificateCredentials(plug["client_id"], plug["certificate_id"], plug["private_key"])
    return ar.connect(
        "netsuite",
        tenant=plug["tenant"],
        store=store,
        credentials=keys if tokens else None,
        endpoints=Endpoints(api=home, token=plug["token_url"].replace(plug["base_url"], home)),
        settings={"time_zone": "America/Los_Angeles"},
        clock=clock,
        **options,
    )


def regrant(emulator: Running[Any]) -> Plug:
    """An administrator maps a new certificate, where the old one's mapping is gone."""
    desk = emulator.service.desk
    if not desk.revoked:
        return {}
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with emulator.service.lock:
        desk.revoked = False
        return {"certificate_id": desk.register(public.decode()), "private_key": private.decode()}


# ---- the books


def identify(emulator: Running[Any], kind: str, number: str) -> str:
    """The ledger's ids are shown as they are."""
    return f"netsuite:{emulator.tenant}:{kind}:{number}"


def _ties(payment: Payment) -> bool:
    """Whether it is of zero: what it applies (a credit memo, a journal entry, a deposit) is linked to the invoice itself."""
    return not payment.total and not payment.voided


def payments(ledger: Ledger) -> Iterator[Payment]:
    """Payments of money, and deposits."""
    for payment in ledger.payments.values():
        deposits = any(part.kind == "deposit" for part in payment.applications)
        if not (_ties(payment) or deposits):
            yield payment
    for one in ledger.deposits.values():
        yield Payment(
            id=one.id, created=one.created, updated=one.updated, customer=one.customer, currency=one.currency, rate=one.rate,
            received=one.received, total=one.total, voided=one.voided,
            applications=(Application("invoice", "0", one.applied),) if one.applied else (),
        )  # fmt: skip


def allocations(ledger: Ledger, identify: Callable[[Any, str], str]) -> dict[Any, Any]:
    """(what settles, what it settles) by the ids of our records -> amount. The application of a deposit is a transaction of its own,
    which ties the deposit to the invoice."""
    found: dict[Any, Any] = {}

    def add(parent: str, other: str, amount: Any) -> None:
        found[parent, other] = found.get((parent, other), 0) + amount

    for payment in ledger.payments.values():
        for pair in pairs(payment):
            kind, number = pair.of
            target = identify("adjustment" if kind == "journal" else _KINDS[kind], number)
            by, settling = pair.by
            if by == "deposit":
                parent = identify("payment", payment.id)
                add(parent, identify("payment", settling), pair.amount)
            elif by == "journal":
                # What is read is the line of the entry that is on receivables, the first.
                parent = identify("adjustment", f"{settling}-0")
            else:
                parent = identify(_KINDS[by], settling)
            add(parent, target, pair.amount)
    return found


def balance(ledger: Ledger, customer: Customer) -> Decimal:
    """NetSuite shows deposits apart."""
    deposits = [one.open for one in ledger.deposits.values() if one.customer == customer.id]
    return customer.balance + sum(deposits, Decimal(0))


def first_load(ledger: Ledger) -> int:
    """A page of up to 1,000 rows each; a table of several pages takes two calls more, for the proof that no row was missed and for what
    changed meanwhile, and links, which are read in ranges, up to six; and what the account has."""
    links = sum(len(one.applications) for one in ledger.payments.values())
    tables = (
        ledger.customers, ledger.customers, ledger.invoices, ledger.credits, {**ledger.payments, **ledger.deposits}, ledger.journals,
    )  # fmt: skip
    pages = [max(1, ceil(len(table) / 1000)) for table in tables]
    return sum(one + (2 if one > 1 else 0) for one in pages) + ceil(links / 1000) + 6 + 36


# ---- what was written


def standing(emulator: Running[Any]) -> Counter[tuple[str, str]]:
    """Every activity of ours is about an invoice or a customer, and the tag in it names our record first."""
    found: Counter[tuple[str, str]] = Counter()
    with emulator.service.lock:
        for note in emulator.ledger.notes.values():
            tag = _UUID.search(note.text or "")
            for kind, number in note.on if tag else ():
                found[identify(emulator, _KINDS[kind], number), tag[0] if tag else ""] += 1
    return found


def expected(commands: Iterable[Command]) -> set[tuple[str, str]]:
    """An activity stands at every document it is about."""
    found = set()
    for one in commands:
        if isinstance(one, RecordPromise):
            found |= {(invoice, str(one.record_uuid())) for invoice in one.invoice_ids}
        elif isinstance(one, AddNote):
            found.add((one.subject_id, str(one.record_uuid())))
        elif isinstance(one, OpenDispute):
            found.add((one.invoice_id or one.customer_id, str(one.record_uuid())))
        elif isinstance(one, SetCollectionsStatus):
            found.add((one.subject_id, str(one.record_uuid())))
        elif isinstance(one, SetOrderHold):
            found.add((one.customer_id, str(one.record_uuid())))
    return found


NETSUITE = Platform(
    name="netsuite",
    shares_books=False,  # its company has two subsidiaries and three currencies
    start=start_netsuite,
    connect=connect,
    transport="ar_connectors.adapterkit.session.Transport",
    page_sizes=(
        "ar_connectors.netsuite.client.PAGE_SIZE",
        "ar_connectors.netsuite.connector.MAX_IDS",
        "ar_connectors.netsuite.by_key.PAGE_SIZE",
        "ar_connectors.netsuite.by_place.PAGE_SIZE",
        "ar_connectors.netsuite.own_activities.PAGE_SIZE",
        "ar_connectors.netsuite.passes.PAGE_SIZE",
        "ar_connectors.netsuite.reading.PAGE_SIZE",
    ),
    identify=identify,
    calls=Calls(
        first_load=first_load, idle=17, feeds=17, by_id=lambda operation: operation.startswith("read")
    ),
    reads={
        "payments": "query transaction CustPymt",
        "credits": "query transaction CustCred",
        "journals": "query transactionline",
        "applications": "query nexttransactionlinelink",
        "invoices": "query transaction CustInvc",
        "customers": "query customer",
    },
    pages="query transaction CustPymt",
    write="upsert phoneCall",
    recount=None,
    invoice_page=lambda request: request.operation == "query invoice",
    rows=("items",),
    fields={"id": "id", "total": "foreigntotal", "issued": "trandate", "number": "tranid", "word": "status"},
    other_tenant="1000001",
    lies={
        "date_shifted": frozenset({"invoice"}),
        "sign_flipped": frozenset({"invoice", "open balance"}),
        "allocation_dropped": frozenset({"allocation"}),
        "void_as_paid": frozenset({"invoice", "settlement"}),
        "currency_swapped": frozenset({"invoice", "open balance"}),
    },
    standing=standing,
    expected=expected,
    max_in_flight=NETSUITE_LIMITS.max_in_flight,
    regrant=regrant,
    renewal="token",
    shown=Shown(
        payments=payments,
        allocations=allocations,
        balance=balance,
        due=lambda invoice: invoice.due or invoice.issued,  # without terms it is due at once
    ),
    faults=Faults(
        # A role that lacks a right is what NetSuite calls forbidden, and its unexpected errors pass, with whatever status.
        fails={**Faults().fails, "forbidden": PermissionDenied, "fault_with_200": TransientError},
        # An activity belongs to no period, so such an answer leaves no other place to offer.
        written={
            "grant_revoked": ReauthorizationRequired,
            "invalid_grant": ReauthorizationRequired,
            "forbidden": "rejected",
            "permission_denied": "rejected",
            "subscription_lapsed": "rejected",
            "period_closed": "rejected",
        },
    ),
)
