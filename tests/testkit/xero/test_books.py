"""The facts that the shared suites expect of Xero are those on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ar_connectors.testkit.server import XeroHandle
from tests.faces import xero_books
from tests.testkit.xero.support import Client


def mine(emulator: XeroHandle, kind: str, number: str) -> str:
    return xero_books.identify(emulator, kind, number).rpartition(":")[2]


def wire_payments(client: Client) -> dict[str, tuple[Any, ...]]:
    found = {}
    for endpoint, key in (
        ("Payments", "PaymentID"),
        ("Overpayments", "OverpaymentID"),
        ("Prepayments", "PrepaymentID"),
    ):
        for row in client.rows(endpoint):
            if row.get("PaymentType", "ACCRECPAYMENT") == "ACCRECPAYMENT":
                document = row.get("Invoice", row)
                amount = row["Amount"] if endpoint == "Payments" else row["Total"]
                undone = row["Status"] in {"DELETED", "VOIDED"}
                contact, currency = document["Contact"]["ContactID"], document["CurrencyCode"]
                found[row[key]] = (contact, currency, amount, undone)
    return found


def wire_allocations(client: Client) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for row in client.rows("Invoices", where='Type=="ACCREC"'):
        for part in row["Payments"]:
            found[part["PaymentID"], row["InvoiceID"]] = part["Amount"]
    for endpoint, key in (
        ("CreditNotes", "CreditNoteID"),
        ("Overpayments", "OverpaymentID"),
        ("Prepayments", "PrepaymentID"),
    ):
        for row in client.rows(endpoint):
            for part in row["Allocations"]:
                place = row[key], part["Invoice"]["InvoiceID"]
                found[place] = found.get(place, Decimal(0)) + part["Amount"]
    return found


def test_payments_and_money_on_account(client: Client, emulator: XeroHandle) -> None:
    emulator.stories.receive_payment(over="7.00")
    emulator.stories.pay_on_account()
    emulator.stories.void_payment()
    expected = {
        mine(emulator, "payment", one.id): (
            mine(emulator, "customer", one.customer),
            one.currency,
            one.total,
            one.voided,
        )
        for one in xero_books.payments(emulator.ledger)
    }
    shown = wire_payments(client)
    assert {identity: shown[identity] for identity in expected} == expected
    assert all(undone for identity, (*_, undone) in shown.items() if identity not in expected)


def test_who_settles_whom(client: Client, emulator: XeroHandle) -> None:
    emulator.stories.apply_credit()
    expected = xero_books.allocations(emulator.ledger, lambda kind, number: mine(emulator, kind, number))
    assert wire_allocations(client) == expected
